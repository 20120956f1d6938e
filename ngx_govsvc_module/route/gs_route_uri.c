
/*
 * Copyright (C) govsvc authors
 *
 * Request targets that a backend could read otherwise than we do.  We route
 * by the path decoded once; the target goes upstream as it came.  So whatever
 * names a separator, a dot segment or an end of string only after decoding,
 * or after decoding twice, is refused.
 */


#include "core/gs_hex.h"
#include "core/gs_utf8.h"
#include "route/gs_route.h"


typedef struct {
    const gs_uchar_t  *start;
    const gs_uchar_t  *p;                  /* the byte that is looked at */
    const gs_uchar_t  *last;
    const gs_uchar_t  *segment;
    unsigned           dots;               /* leading dots of the segment */
    unsigned           plain:1;            /* a byte that is no dot was seen */
    unsigned           parameter:1;        /* ";" was seen */
    unsigned           empty:1;            /* ";" stood first */
    unsigned           wide:1;             /* a byte above ASCII was seen */
} gs_route_uri_t;


static const gs_uchar_t *gs_route_uri_path(const gs_str_t *target);
static gs_route_uri_e gs_route_uri_scan(gs_route_uri_t *u);
static gs_route_uri_e gs_route_uri_byte(gs_route_uri_t *u, int c);
static gs_route_uri_e gs_route_uri_decode(gs_route_uri_t *u, int *c,
    unsigned *used);
static gs_route_uri_e gs_route_uri_segment(const gs_route_uri_t *u);
static int gs_route_uri_double(const gs_uchar_t *p, const gs_uchar_t *last);
static gs_route_uri_e gs_route_uri_utf8(gs_route_uri_t *u);
static int gs_route_uri_at(const gs_uchar_t *p, const gs_uchar_t *last,
    unsigned *used);


/* Control bytes, % / ? # ; \\ and bytes above ASCII as one bit each. */

static const uint32_t  gs_route_uri_special[8] = {
    0xffffffff, 0x88008028, 0x10000000, 0x80000000,
    0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff
};

#define gs_route_uri_plain(c)                                                 \
    ((gs_route_uri_special[(c) >> 5] >> ((c) & 31) & 1) == 0)

static const char *const  gs_route_uri_texts[] = {
    "safe",
    "the request target has no path, or \"#\" in it",
    "a control byte, raw or encoded",
    "\"%\" without two hexadecimal digits",
    "an encoded slash",
    "a backslash, raw or encoded",
    "a dot segment",
    "a path parameter that hides a dot or empty segment",
    "an escape that is itself escaped",
    "a path that is no well-formed UTF-8"
};


gs_route_uri_e
gs_route_uri_check(const gs_str_t *target, size_t *at)
{
    gs_route_uri_e     rc;
    gs_route_uri_t     u;
    const gs_uchar_t  *p;

    memset(&u, 0, sizeof(gs_route_uri_t));

    u.start = target->data;
    u.last = target->data + target->len;
    u.p = gs_route_uri_path(target);

    if (u.p == NULL) {

        if (at != NULL) {
            *at = 0;
        }

        return GS_ROUTE_URI_FORM;
    }

    p = u.p;
    rc = gs_route_uri_scan(&u);

    if (rc == GS_ROUTE_URI_SAFE && u.wide) {
        u.p = p;
        rc = gs_route_uri_utf8(&u);
    }

    if (rc != GS_ROUTE_URI_SAFE && at != NULL) {
        *at = (size_t) (u.p - u.start);
    }

    return rc;
}


const char *
gs_route_uri_text(gs_route_uri_e e)
{
    return gs_route_uri_texts[e];
}


void
gs_route_uri_split(const gs_str_t *target, gs_uchar_t *dst, gs_str_t *path,
    gs_str_t *args)
{
    int                c;
    unsigned           used;
    gs_uchar_t        *d;
    const gs_uchar_t  *p, *last;

    *args = gs_str_make(NULL, 0);

    d = dst;
    p = gs_route_uri_path(target);
    last = target->data + target->len;

    while (p != NULL && p < last) {

        if (*p == '?') {
            *args = gs_str_make(p + 1, (size_t) (last - p - 1));
            break;
        }

        c = gs_route_uri_at(p, last, &used);
        p += used;

        if (c == '/' && d > dst && d[-1] == '/') {
            continue;
        }

        *d++ = (gs_uchar_t) c;
    }

    *path = gs_str_make(dst, (size_t) (d - dst));
}


static const gs_uchar_t *
gs_route_uri_path(const gs_str_t *target)
{
    size_t             i;
    const gs_uchar_t  *p, *last;

    p = target->data;
    last = p + target->len;

    if (target->len == 0) {
        return NULL;
    }

    if (*p == '/') {
        return p;
    }

    /* absolute form: scheme "://" authority path */

    for (i = 0; i < target->len && gs_is_alpha(p[i]); i++) { /* void */ }

    if (i == 0 || target->len - i < 4 || memcmp(p + i, "://", 3) != 0) {
        return NULL;
    }

    p = memchr(p + i + 3, '/', (size_t) (last - p) - i - 3);

    if (p == NULL
        || memchr(target->data, '?', (size_t) (p - target->data)) != NULL)
    {
        return NULL;
    }

    return p;
}


static gs_route_uri_e
gs_route_uri_scan(gs_route_uri_t *u)
{
    int             c;
    unsigned        used;
    gs_route_uri_e  rc;

    u->segment = u->p;

    while (u->p < u->last && *u->p != '?') {

        if (u->plain && gs_route_uri_plain(*u->p)) {
            u->p++;
            continue;
        }

        if (*u->p == '/') {
            rc = gs_route_uri_segment(u);

            if (rc != GS_ROUTE_URI_SAFE) {
                u->p = u->segment;
                return rc;
            }

            u->p++;
            u->segment = u->p;
            u->dots = 0;
            u->plain = 0;
            u->parameter = 0;
            u->empty = 0;
            continue;
        }

        rc = gs_route_uri_decode(u, &c, &used);

        if (rc == GS_ROUTE_URI_SAFE) {
            rc = gs_route_uri_byte(u, c);
        }

        if (rc != GS_ROUTE_URI_SAFE) {
            return rc;
        }

        u->p += used;
    }

    rc = gs_route_uri_segment(u);

    if (rc != GS_ROUTE_URI_SAFE) {
        u->p = u->segment;
        return rc;
    }

    /* the query is the guard's, but for bytes that end a line */

    for ( /* void */ ; u->p < u->last; u->p++) {

        if (gs_route_uri_plain(*u->p)) {
            continue;
        }

        if (*u->p < 0x20 || *u->p == 0x7f) {
            return GS_ROUTE_URI_CONTROL;
        }

        if (*u->p == '#') {
            return GS_ROUTE_URI_FORM;
        }
    }

    return GS_ROUTE_URI_SAFE;
}


static gs_route_uri_e
gs_route_uri_decode(gs_route_uri_t *u, int *c, unsigned *used)
{
    *c = gs_route_uri_at(u->p, u->last, used);

    if (*c < 0) {
        return GS_ROUTE_URI_PERCENT;
    }

    if (*used == 1) {
        return (*c == '#') ? GS_ROUTE_URI_FORM : GS_ROUTE_URI_SAFE;
    }

    if (*c == '/') {
        return GS_ROUTE_URI_SLASH;
    }

    if (*c == '%' && gs_route_uri_double(u->p + 3, u->last)) {
        return GS_ROUTE_URI_DOUBLE;
    }

    return GS_ROUTE_URI_SAFE;
}


/* One decoded byte inside a segment. */

static gs_route_uri_e
gs_route_uri_byte(gs_route_uri_t *u, int c)
{
    if (c < 0x20 || c == 0x7f) {
        return GS_ROUTE_URI_CONTROL;
    }

    if (c == '\\') {
        return GS_ROUTE_URI_BACKSLASH;
    }

    if (c >= 0x80) {
        u->wide = 1;
    }

    if (u->parameter) {
        return GS_ROUTE_URI_SAFE;
    }

    if (c == ';') {
        u->parameter = 1;
        u->empty = (u->dots == 0 && !u->plain);

    } else if (c == '.' && !u->plain) {
        u->dots++;

    } else {
        u->plain = 1;
    }

    return GS_ROUTE_URI_SAFE;
}


/* What the segment is to a server that cuts parameters off. */

static gs_route_uri_e
gs_route_uri_segment(const gs_route_uri_t *u)
{
    unsigned  dot;

    dot = (!u->plain && (u->dots == 1 || u->dots == 2));

    if (u->parameter && (dot || u->empty)) {
        return GS_ROUTE_URI_PARAMETER;
    }

    return dot ? GS_ROUTE_URI_DOT : GS_ROUTE_URI_SAFE;
}


/*
 * Behind %25: does one more decoding, or several, give a byte that matters?
 * Its digits may be escaped too.
 */

static int
gs_route_uri_double(const gs_uchar_t *p, const gs_uchar_t *last)
{
    int       i, c, digit;
    unsigned  used;

    do {
        c = 0;

        for (i = 0; i < 2; i++) {

            if (p == last) {
                return 0;
            }

            digit = gs_hex_value(gs_route_uri_at(p, last, &used));

            if (digit < 0) {
                return 0;
            }

            c = c * 16 + digit;
            p += used;
        }

    } while (c == '%');

    /* 0xc0 and 0xc1 only ever begin an overlong form */

    return c == '/' || c == '\\' || c == '.' || c == ';' || c < 0x20
           || c == 0x7f || c == 0xc0 || c == 0xc1;
}


/* The decoded path as UTF-8: at most four bytes are held at a time. */

static gs_route_uri_e
gs_route_uri_utf8(gs_route_uri_t *u)
{
    int                c;
    unsigned           i, n, used, step[4];
    gs_uchar_t         bytes[4];
    const gs_uchar_t  *p;

    while (u->p < u->last && *u->p != '?') {

        if (*u->p != '%' && *u->p < 0x80) {
            u->p++;
            continue;
        }

        p = u->p;

        for (n = 0; n < 4 && p < u->last && *p != '?'; n++) {
            c = gs_route_uri_at(p, u->last, &step[n]);
            bytes[n] = (gs_uchar_t) c;
            p += step[n];
        }

        if (gs_utf8_next(bytes, bytes + n, &used) == GS_UTF8_BAD) {
            return GS_ROUTE_URI_UTF8;
        }

        for (i = 0; i < used && i < n; i++) {
            u->p += step[i];
        }
    }

    return GS_ROUTE_URI_SAFE;
}


/* The byte at p, decoded; -1 for a broken escape. */

static int
gs_route_uri_at(const gs_uchar_t *p, const gs_uchar_t *last, unsigned *used)
{
    *used = 1;

    if (*p != '%') {
        return *p;
    }

    if (last - p < 3 || gs_hex_value(p[1]) < 0 || gs_hex_value(p[2]) < 0) {
        return -1;
    }

    *used = 3;

    return gs_hex_value(p[1]) * 16 + gs_hex_value(p[2]);
}
