
/*
 * Copyright (C) govsvc authors
 *
 * URLs of http and https.
 */


#include "core/gs_url.h"
#include "core/gs_hex.h"


#define GS_URL_MAX   2048
#define GS_URL_NAME  253                   /* RFC 1035 section 2.3.4 */


static gs_rc_t gs_url_authority(gs_url_t *url, gs_err_t *err);
static gs_rc_t gs_url_host(gs_url_t *url, gs_err_t *err);
static int gs_url_is_name(const gs_str_t *host);
static gs_rc_t gs_url_target(const gs_str_t *target, gs_err_t *err);
static gs_rc_t gs_url_port(gs_url_t *url, gs_str_t port, gs_err_t *err);


gs_rc_t
gs_url_parse(gs_url_t *url, const gs_str_t *text, gs_err_t *err)
{
    size_t    skip, i;
    gs_str_t  head;

    memset(url, 0, sizeof(gs_url_t));

    if (text->len > GS_URL_MAX) {
        return gs_err(err, "a URL of %zu bytes, allowed: at most %d", text->len,
                      GS_URL_MAX);
    }

    skip = gs_str_chr(text, 0, ':');
    head = gs_str_make(text->data, skip);

    if (gs_str_case_eq_text(&head, "https")) {
        url->tls = 1;

    } else if (!gs_str_case_eq_text(&head, "http")) {
        return gs_err(err, "URL \"%S\" is not of http:// or https://", text);
    }

    if (text->len - skip < 3 || memcmp(text->data + skip, "://", 3) != 0) {
        return gs_err(err, "URL \"%S\" is not of http:// or https://", text);
    }

    skip += 3;

    for (i = skip; i < text->len; i++) {
        if (memchr("/?#", text->data[i], 3) != NULL) {
            break;
        }
    }

    url->authority = gs_str_make(text->data + skip, i - skip);
    url->target = gs_str_make(text->data + i, text->len - i);

    if (gs_url_target(&url->target, err) != GS_OK) {
        return GS_ERROR;
    }

    return gs_url_authority(url, err);
}


static gs_rc_t
gs_url_target(const gs_str_t *target, gs_err_t *err)
{
    size_t      i;
    gs_uchar_t  c;

    if (target->len != 0 && target->data[0] != '/') {
        return gs_err(err, "a URL has no path, allowed: https://HOST/PATH");
    }

    for (i = 0; i < target->len; i++) {
        c = target->data[i];

        if (c <= 0x20 || c >= 0x7f || c == '#' || c == '\\' || c == '"'
            || c == '<' || c == '>')
        {
            return gs_err(err, "a URL has a fragment, or a byte that must be "
                               "written as %%XX");
        }

        if (c == '%'
            && (target->len - i < 3
                || gs_hex_value(target->data[i + 1]) < 0
                || gs_hex_value(target->data[i + 2]) < 0))
        {
            return gs_err(err, "a URL has \"%%\" without two hexadecimal "
                               "digits");
        }
    }

    return GS_OK;
}


static gs_rc_t
gs_url_authority(gs_url_t *url, gs_err_t *err)
{
    size_t    end;
    gs_str_t  a, port;

    a = url->authority;

    if (gs_str_chr(&a, 0, '@') != a.len) {
        return gs_err(err, "a URL with a user, allowed: https://HOST/PATH");
    }

    if (a.len != 0 && a.data[0] == '[') {
        end = gs_str_chr(&a, 0, ']');

        if (end == a.len) {
            return gs_err(err, "invalid host \"%S\" in a URL", &a);
        }

        url->host = gs_str_make(a.data + 1, end - 1);
        end++;

    } else {
        end = gs_str_chr(&a, 0, ':');
        url->host = gs_str_make(a.data, end);
    }

    port = gs_str_make(a.data + end, a.len - end);

    if (gs_url_port(url, port, err) != GS_OK) {
        return GS_ERROR;
    }

    return gs_url_host(url, err);
}


static gs_rc_t
gs_url_port(gs_url_t *url, gs_str_t port, gs_err_t *err)
{
    uint64_t  n;

    n = url->tls ? 443 : 80;

    if (port.len != 0) {

        if (port.data[0] != ':') {
            return gs_err(err, "invalid host \"%S\" in a URL", &url->authority);
        }

        port.data++;
        port.len--;

        if (gs_parse_u64(&port, &n) != GS_OK || n == 0 || n > 65535) {
            return gs_err(err, "invalid port \"%S\" in a URL, allowed: 1 to "
                               "65535", &port);
        }
    }

    url->port = (uint16_t) n;

    return GS_OK;
}


static gs_rc_t
gs_url_host(gs_url_t *url, gs_err_t *err)
{
    int  bracket, colon;

    bracket = url->authority.len != 0 && url->authority.data[0] == '[';
    colon = gs_str_chr(&url->host, 0, ':') != url->host.len;

    if (bracket == colon
        && gs_str_chr(&url->host, 0, '/') == url->host.len
        && gs_net_parse(&url->address, &url->host) == GS_OK
        && (bracket ? colon : url->address.family == GS_NET_IPV4)
        && (url->address.family == GS_NET_IPV4
            || url->address.family == GS_NET_IPV6))
    {
        url->numeric = 1;
        return GS_OK;
    }

    if (bracket || !gs_url_is_name(&url->host)) {
        return gs_err(err, "invalid host \"%S\" in a URL", &url->authority);
    }

    return GS_OK;
}


/* Labels; the last one begins with a letter, or it would be a number. */

static int
gs_url_is_name(const gs_str_t *host)
{
    int         last;
    size_t      i, start;
    gs_uchar_t  c;

    if (host->len == 0 || host->len > GS_URL_NAME) {
        return 0;
    }

    start = 0;
    last = 0;

    for (i = 0; i <= host->len; i++) {
        c = i < host->len ? host->data[i] : '.';

        if (c == '.') {

            if (i == start || i - start > 63) {
                return 0;
            }

            last = host->data[start];
            start = i + 1;
            continue;
        }

        if (!gs_is_alpha(c) && !gs_is_digit(c) && c != '_'
            && (c != '-' || i == start))
        {
            return 0;
        }
    }

    return gs_is_alpha(last) || last == '_';
}
