
/*
 * Copyright (C) govsvc authors
 *
 * Addresses that no peer of the gateway may have: what lies behind them is
 * the gateway itself, its machine, or the machinery of a cloud.
 */


#include "admin/gs_admin_priv.h"


typedef struct {
    const char  *net;
    const char  *why;
} gs_admin_denied_t;


static const char *gs_admin_address_fixed(const gs_net_t *net);


/* RFC 6890 and its registry; the last three are services of clouds. */

static const gs_admin_denied_t  gs_admin_denied[] = {
    { "0.0.0.0/8", "unspecified" },
    { "127.0.0.0/8", "loopback" },
    { "169.254.0.0/16", "link-local, metadata" },
    { "192.0.0.0/24", "protocol assignments" },
    { "192.0.2.0/24", "documentation" },
    { "192.88.99.0/24", "6to4 relay" },
    { "198.18.0.0/15", "benchmarking" },
    { "198.51.100.0/24", "documentation" },
    { "203.0.113.0/24", "documentation" },
    { "224.0.0.0/4", "multicast" },
    { "240.0.0.0/4", "reserved, broadcast" },
    { "::/128", "unspecified" },
    { "::1/128", "loopback" },
    { "::/96", "IPv4-compatible" },
    { "64:ff9b:1::/48", "translation" },
    { "100::/64", "discard" },
    { "2001::/32", "tunnel" },
    { "2001:db8::/32", "documentation" },
    { "3fff::/20", "documentation" },
    { "fe80::/10", "link-local" },
    { "fec0::/10", "site-local" },
    { "ff00::/8", "multicast" },
    { "100.100.100.200/32", "metadata" },
    { "168.63.129.16/32", "metadata" },
    { "fd00:ec2::254/128", "metadata" },
    { NULL, NULL }
};


const char *
gs_admin_address_denied(const gs_net_t *net, const gs_net_t *deny,
    unsigned ndeny)
{
    unsigned     i;
    gs_net_t     inner;
    const char  *why;

    if (net->family != GS_NET_IPV4 && net->family != GS_NET_IPV6) {
        return "no address of a network";
    }

    why = gs_admin_address_fixed(net);

    for (i = 0; why == NULL && i < ndeny; i++) {
        if (gs_net_contains(&deny[i], net)) {
            why = "named by govsvc_admin_deny";
        }
    }

    /* the IPv4 address inside is the one that will be reached */

    if (why == NULL && gs_admin_address_inner(net, &inner)) {
        why = gs_admin_address_denied(&inner, deny, ndeny);
    }

    return why;
}


const char *
gs_admin_place_denied(const gs_admin_t *a, const gs_net_t *net,
    unsigned port)
{
    unsigned     always;
    const char  *own, *why;

    own = gs_admin_own_denied(a->own, net, port, &always);

    if (always) {
        return own;
    }

    why = gs_admin_address_denied(net, a->deny, a->ndeny);

    if (why != NULL) {
        return (a->loopback && strcmp(why, "loopback") == 0) ? NULL : why;
    }

    return a->loopback ? NULL : own;
}


static const char *
gs_admin_address_fixed(const gs_net_t *net)
{
    gs_str_t                  s;
    gs_net_t                  one;
    const gs_admin_denied_t  *d;

    for (d = gs_admin_denied; d->net != NULL; d++) {
        s = gs_str_text(d->net);

        if (gs_net_parse(&one, &s) == GS_OK && gs_net_contains(&one, net)) {
            return d->why;
        }
    }

    return NULL;
}


/* NAT64 (RFC 6052), 6to4 (RFC 3056); mapped ones are IPv4 already. */

unsigned
gs_admin_address_inner(const gs_net_t *net, gs_net_t *inner)
{
    static const gs_uchar_t  nat64[12] = { 0x00, 0x64, 0xff, 0x9b };

    if (net->family != GS_NET_IPV6) {
        return 0;
    }

    memset(inner, 0, sizeof(gs_net_t));
    inner->family = GS_NET_IPV4;
    inner->bits = 32;

    if (memcmp(net->addr, nat64, sizeof(nat64)) == 0) {
        memcpy(inner->addr, net->addr + 12, 4);
        return 1;
    }

    if (net->addr[0] == 0x20 && net->addr[1] == 0x02) {
        memcpy(inner->addr, net->addr + 2, 4);
        return 1;
    }

    return 0;
}
