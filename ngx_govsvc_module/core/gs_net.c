
/*
 * Copyright (C) govsvc authors
 *
 * Network addresses: text, sockaddr, prefixes.
 */


#include "core/gs_net.h"
#include "core/gs_hex.h"

#include <netinet/in.h>


static gs_rc_t gs_net_parse_ipv4(gs_uchar_t *addr, const gs_uchar_t *p,
    const gs_uchar_t *last);
static gs_rc_t gs_net_parse_ipv6(gs_uchar_t *addr, const gs_uchar_t *p,
    const gs_uchar_t *last);
static gs_rc_t gs_net_parse_bits(unsigned *bits, const gs_str_t *s,
    size_t from, unsigned max);
static gs_rc_t gs_net_unmap(gs_net_t *net, unsigned bits);
static int gs_net_mapped(const gs_uchar_t *addr);
static int gs_net_clear(gs_net_t *net);
static gs_uchar_t *gs_net_put_dec(gs_uchar_t *p, unsigned n);
static gs_uchar_t *gs_net_put_ipv6(gs_uchar_t *p, const gs_uchar_t *addr);


gs_rc_t
gs_net_parse(gs_net_t *net, const gs_str_t *s)
{
    size_t    slash;
    gs_rc_t   rc;
    unsigned  max, bits;

    memset(net, 0, sizeof(gs_net_t));

    if (s->len >= 4 && memcmp(s->data, "unix", 4) == 0
        && (s->len == 4 || s->data[4] == ':'))
    {
        net->family = GS_NET_UNIX;
        return GS_OK;
    }

    if (s->len == 0) {
        return GS_ERROR;
    }

    slash = gs_str_chr(s, 0, '/');

    if (gs_str_chr(s, 0, ':') < slash) {
        max = 128;
        rc = gs_net_parse_ipv6(net->addr, s->data, s->data + slash);

    } else {
        max = 32;
        rc = gs_net_parse_ipv4(net->addr, s->data, s->data + slash);
    }

    if (rc != GS_OK || gs_net_parse_bits(&bits, s, slash, max) != GS_OK) {
        memset(net, 0, sizeof(gs_net_t));
        return GS_ERROR;
    }

    net->family = (max == 32) ? GS_NET_IPV4 : GS_NET_IPV6;
    net->bits = bits;

    return gs_net_unmap(net, bits);
}


/* Makes an IPv4-mapped net an IPv4 one and clears the bits behind. */

static gs_rc_t
gs_net_unmap(gs_net_t *net, unsigned bits)
{
    gs_rc_t  rc;

    rc = gs_net_clear(net) ? GS_DONE : GS_OK;

    if (net->family == GS_NET_IPV6 && bits >= 96 && gs_net_mapped(net->addr)) {
        memcpy(net->addr, net->addr + 12, 4);
        memset(net->addr + 4, 0, 12);
        net->family = GS_NET_IPV4;
        net->bits = bits - 96;
    }

    return rc;
}


static gs_rc_t
gs_net_parse_bits(unsigned *bits, const gs_str_t *s, size_t from,
    unsigned max)
{
    uint64_t  n;
    gs_str_t  text;

    if (from == s->len) {
        *bits = max;
        return GS_OK;
    }

    text = gs_str_make(s->data + from + 1, s->len - from - 1);

    if (text.len > 3 || gs_parse_u64(&text, &n) != GS_OK || n > max) {
        return GS_ERROR;
    }

    if (text.len > 1 && text.data[0] == '0') {
        return GS_ERROR;
    }

    *bits = (unsigned) n;

    return GS_OK;
}


static gs_rc_t
gs_net_parse_ipv4(gs_uchar_t *addr, const gs_uchar_t *p,
    const gs_uchar_t *last)
{
    unsigned  i, n, digits;

    for (i = 0; i < 4; i++) {

        n = 0;
        digits = 0;

        while (p < last && gs_is_digit(*p)) {
            if (digits > 0 && n == 0) {
                return GS_ERROR;
            }

            n = n * 10 + (unsigned) (*p++ - '0');
            digits++;

            if (n > 255) {
                return GS_ERROR;
            }
        }

        if (digits == 0) {
            return GS_ERROR;
        }

        addr[i] = (gs_uchar_t) n;

        if (i < 3) {
            if (p == last || *p != '.') {
                return GS_ERROR;
            }

            p++;
        }
    }

    return (p == last) ? GS_OK : GS_ERROR;
}


/* RFC 4291 section 2.2: eight groups, one "::", IPv4 in the last two. */

static gs_rc_t
gs_net_parse_ipv6(gs_uchar_t *addr, const gs_uchar_t *p,
    const gs_uchar_t *last)
{
    int                gap, value;
    unsigned           n, digits, word;
    const gs_uchar_t  *start;

    gap = -1;
    n = 0;

    if (last - p >= 2 && p[0] == ':' && p[1] == ':') {
        gap = 0;
        p += 2;
    }

    while (p < last) {

        start = p;
        word = 0;
        digits = 0;

        for ( /* void */ ; p < last && digits < 5; p++, digits++) {
            value = gs_hex_value(*p);
            if (value < 0) {
                break;
            }

            word = word * 16 + (unsigned) value;
        }

        if (p < last && *p == '.') {
            if (n > 12 || gs_net_parse_ipv4(addr + n, start, last) != GS_OK) {
                return GS_ERROR;
            }

            n += 4;
            break;
        }

        if (digits == 0 || digits > 4 || n > 14) {
            return GS_ERROR;
        }

        addr[n++] = (gs_uchar_t) (word >> 8);
        addr[n++] = (gs_uchar_t) word;

        if (p == last) {
            break;
        }

        if (*p++ != ':' || p == last) {
            return GS_ERROR;
        }

        if (*p == ':') {
            if (gap >= 0) {
                return GS_ERROR;
            }

            gap = (int) n;
            p++;
        }
    }

    if (gap < 0) {
        return (n == 16) ? GS_OK : GS_ERROR;
    }

    if (n > 14) {
        return GS_ERROR;
    }

    memmove(addr + 16 - (n - (unsigned) gap), addr + gap, n - (unsigned) gap);
    memset(addr + gap, 0, 16 - n);

    return GS_OK;
}


gs_rc_t
gs_net_sockaddr(gs_net_t *net, const struct sockaddr *sa, size_t len)
{
    struct sockaddr_in   sin;
    struct sockaddr_in6  sin6;

    memset(net, 0, sizeof(gs_net_t));

    if (sa == NULL || len < sizeof(sa->sa_family)) {
        return GS_ERROR;
    }

    switch (sa->sa_family) {

    case AF_INET:

        if (len < sizeof(struct sockaddr_in)) {
            return GS_ERROR;
        }

        memcpy(&sin, sa, sizeof(struct sockaddr_in));
        memcpy(net->addr, &sin.sin_addr, 4);
        net->family = GS_NET_IPV4;
        net->bits = 32;

        return GS_OK;

    case AF_INET6:

        if (len < sizeof(struct sockaddr_in6)) {
            return GS_ERROR;
        }

        memcpy(&sin6, sa, sizeof(struct sockaddr_in6));
        memcpy(net->addr, &sin6.sin6_addr, 16);
        net->family = GS_NET_IPV6;
        net->bits = 128;

        return gs_net_unmap(net, 128);

    case AF_UNIX:
        net->family = GS_NET_UNIX;
        return GS_OK;

    default:
        return GS_ERROR;
    }
}


void
gs_net_mask(gs_net_t *net, unsigned bits)
{
    if (bits < net->bits) {
        net->bits = bits;
        (void) gs_net_clear(net);
    }
}


void
gs_net_client(gs_net_t *net)
{
    if (net->family == GS_NET_IPV6) {
        gs_net_mask(net, GS_NET_CLIENT_IPV6);
    }
}


/* 1 if there were bits to clear behind the prefix. */

static int
gs_net_clear(gs_net_t *net)
{
    int         found;
    unsigned    i, size;
    gs_uchar_t  keep;

    found = 0;
    size = (net->family == GS_NET_IPV6) ? 16 : 4;

    for (i = net->bits / 8; i < size; i++) {
        keep = 0;

        if (i == net->bits / 8) {
            keep = (gs_uchar_t) (0xff00 >> (net->bits % 8));
        }

        if (net->addr[i] & ~keep) {
            found = 1;
            net->addr[i] &= keep;
        }
    }

    return found;
}


static int
gs_net_mapped(const gs_uchar_t *addr)
{
    static const gs_uchar_t  prefix[12] = {
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
    };

    return memcmp(addr, prefix, 12) == 0;
}


size_t
gs_net_print(gs_uchar_t *dst, const gs_net_t *net)
{
    unsigned     i;
    gs_uchar_t  *p;

    p = dst;

    switch (net->family) {

    case GS_NET_UNIX:
        memcpy(p, "unix", 4);
        return 4;

    case GS_NET_IPV4:

        for (i = 0; i < 4; i++) {
            if (i > 0) {
                *p++ = '.';
            }

            p = gs_net_put_dec(p, net->addr[i]);
        }

        if (net->bits == 32) {
            return (size_t) (p - dst);
        }

        break;

    case GS_NET_IPV6:

        p = gs_net_put_ipv6(p, net->addr);

        if (net->bits == 128) {
            return (size_t) (p - dst);
        }

        break;

    default:
        return 0;
    }

    *p++ = '/';
    p = gs_net_put_dec(p, net->bits);

    return (size_t) (p - dst);
}


static gs_uchar_t *
gs_net_put_dec(gs_uchar_t *p, unsigned n)
{
    if (n >= 100) {
        *p++ = (gs_uchar_t) ('0' + n / 100);
    }

    if (n >= 10) {
        *p++ = (gs_uchar_t) ('0' + n / 10 % 10);
    }

    *p++ = (gs_uchar_t) ('0' + n % 10);

    return p;
}


/* RFC 5952 section 4: lower case, the longest run of zeros as "::". */

static gs_uchar_t *
gs_net_put_ipv6(gs_uchar_t *p, const gs_uchar_t *addr)
{
    unsigned  i, n, word, shift, best, length;

    static const gs_uchar_t  hex[] = "0123456789abcdef";

    best = 8;
    length = 1;

    for (i = 0; i < 8; i += n + 1) {
        for (n = 0; i + n < 8; n++) {
            if (addr[2 * (i + n)] != 0 || addr[2 * (i + n) + 1] != 0) {
                break;
            }
        }

        if (n > length) {
            best = i;
            length = n;
        }
    }

    for (i = 0; i < 8; i++) {

        if (i == best) {
            *p++ = ':';
            *p++ = ':';
            i += length - 1;
            continue;
        }

        if (i > 0 && i != best + length) {
            *p++ = ':';
        }

        word = ((unsigned) addr[2 * i] << 8) | addr[2 * i + 1];

        for (shift = 12; shift > 0 && (word >> shift) == 0; shift -= 4) {
            /* void */
        }

        for ( /* void */ ; /* void */ ; shift -= 4) {
            *p++ = hex[(word >> shift) & 0xf];
            if (shift == 0) {
                break;
            }
        }
    }

    return p;
}


int
gs_net_loopback(const gs_net_t *net)
{
    static const gs_uchar_t  one[16] = {
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1
    };

    return (net->family == GS_NET_IPV4)
           ? net->addr[0] == 127
           : net->family == GS_NET_IPV6 && memcmp(net->addr, one, 16) == 0;
}


int
gs_net_contains(const gs_net_t *net, const gs_net_t *other)
{
    gs_net_t  t;

    if (net->family != other->family || net->family == GS_NET_NONE
        || net->bits > other->bits)
    {
        return 0;
    }

    t = *other;
    gs_net_mask(&t, net->bits);

    return memcmp(t.addr, net->addr, 16) == 0;
}
