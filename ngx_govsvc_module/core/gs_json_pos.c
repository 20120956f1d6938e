
/*
 * Copyright (C) govsvc authors
 *
 * Where a JSON value stands.  A scanner that walks along the pointer and
 * steps over everything else by counting brackets: no recursion, no memory.
 */


#include "core/gs_hex.h"
#include "core/gs_json_pos.h"
#include "core/gs_utf8.h"


typedef struct {
    const gs_uchar_t  *pos;
    const gs_uchar_t  *last;
} gs_json_scan_t;


static gs_rc_t gs_json_descend(gs_json_scan_t *scan, const gs_str_t *token);
static gs_rc_t gs_json_member(gs_json_scan_t *scan, const gs_str_t *token);
static gs_rc_t gs_json_element(gs_json_scan_t *scan, const gs_str_t *token);
static gs_rc_t gs_json_comma(gs_json_scan_t *scan);
static gs_rc_t gs_json_skip_value(gs_json_scan_t *scan);
static gs_rc_t gs_json_skip_string(gs_json_scan_t *scan, gs_str_t *content);
static int gs_json_peek(gs_json_scan_t *scan);
static int gs_json_name_eq(const gs_str_t *content, const gs_str_t *token);
static unsigned gs_json_unescape(const gs_uchar_t *p, const gs_uchar_t *last,
    gs_uchar_t *dst, unsigned *used);
static uint32_t gs_json_hex4(const gs_uchar_t *p, const gs_uchar_t *last);


unsigned
gs_json_line(const gs_str_t *text, const char *pointer)
{
    unsigned           line;
    gs_str_t           token;
    const char        *end;
    const gs_uchar_t  *p, *found;
    gs_json_scan_t     scan;

    if (text->len == 0) {
        return 1;
    }

    scan.pos = text->data;
    scan.last = text->data + text->len;

    (void) gs_json_peek(&scan);
    found = scan.pos;

    while (*pointer == '/') {
        pointer++;

        for (end = pointer; *end != '\0' && *end != '/'; end++) {
            /* void */
        }

        token = gs_str_make(pointer, (size_t) (end - pointer));

        if (gs_json_descend(&scan, &token) != GS_OK) {
            break;
        }

        found = scan.pos;
        pointer = end;
    }

    line = 1;

    for (p = text->data; p < found; p++) {
        line += (*p == '\n');
    }

    return line;
}


/* From a value to the one inside it that token names. */

static gs_rc_t
gs_json_descend(gs_json_scan_t *scan, const gs_str_t *token)
{
    switch (gs_json_peek(scan)) {

    case '{':
        scan->pos++;
        return gs_json_member(scan, token);

    case '[':
        scan->pos++;
        return gs_json_element(scan, token);

    default:
        return GS_DECLINED;
    }
}


static gs_rc_t
gs_json_member(gs_json_scan_t *scan, const gs_str_t *token)
{
    int       eq;
    gs_str_t  name;

    for ( ;; ) {

        if (gs_json_peek(scan) != '"'
            || gs_json_skip_string(scan, &name) != GS_OK)
        {
            return GS_DECLINED;
        }

        eq = gs_json_name_eq(&name, token);

        if (gs_json_peek(scan) != ':') {
            return GS_DECLINED;
        }

        scan->pos++;

        if (gs_json_peek(scan) == -1) {
            return GS_DECLINED;
        }

        if (eq) {
            return GS_OK;
        }

        if (gs_json_comma(scan) != GS_OK) {
            return GS_DECLINED;
        }
    }
}


static gs_rc_t
gs_json_element(gs_json_scan_t *scan, const gs_str_t *token)
{
    int       c;
    uint64_t  n;

    if (gs_parse_u64(token, &n) != GS_OK) {
        return GS_DECLINED;
    }

    for ( ;; ) {

        c = gs_json_peek(scan);

        if (c == -1 || c == ']') {
            return GS_DECLINED;
        }

        if (n == 0) {
            return GS_OK;
        }

        n--;

        if (gs_json_comma(scan) != GS_OK) {
            return GS_DECLINED;
        }
    }
}


/* Over one value and the comma behind it. */

static gs_rc_t
gs_json_comma(gs_json_scan_t *scan)
{
    if (gs_json_skip_value(scan) != GS_OK || gs_json_peek(scan) != ',') {
        return GS_DECLINED;
    }

    scan->pos++;

    return GS_OK;
}


static gs_rc_t
gs_json_skip_value(gs_json_scan_t *scan)
{
    int       c;
    size_t    depth;
    gs_str_t  content;

    depth = 0;

    for ( ;; ) {

        c = gs_json_peek(scan);

        switch (c) {

        case -1:
            return GS_DECLINED;

        case '"':
            if (gs_json_skip_string(scan, &content) != GS_OK) {
                return GS_DECLINED;
            }

            break;

        case '{':
        case '[':
            depth++;
            scan->pos++;
            continue;

        case '}':
        case ']':
            if (depth == 0) {
                return GS_DECLINED;
            }

            depth--;
            scan->pos++;
            break;

        case ',':
        case ':':
            if (depth == 0) {
                return GS_DECLINED;
            }

            scan->pos++;
            continue;

        default:
            while (scan->pos < scan->last
                   && memchr(" \t\r\n,:[]{}\"", *scan->pos, 11) == NULL)
            {
                scan->pos++;
            }
        }

        if (depth == 0) {
            return GS_OK;
        }
    }
}


static gs_rc_t
gs_json_skip_string(gs_json_scan_t *scan, gs_str_t *content)
{
    const gs_uchar_t  *start, *p;

    start = scan->pos + 1;

    for (p = start; p < scan->last; p++) {

        if (*p == '\\') {
            p++;
            continue;
        }

        if (*p == '"') {
            *content = gs_str_make(start, (size_t) (p - start));
            scan->pos = p + 1;
            return GS_OK;
        }
    }

    return GS_DECLINED;
}


/* The next byte that is no white space, not consumed; -1 at the end. */

static int
gs_json_peek(gs_json_scan_t *scan)
{
    while (scan->pos < scan->last) {

        switch (*scan->pos) {

        case ' ':
        case '\t':
        case '\r':
        case '\n':
            scan->pos++;
            break;

        default:
            return *scan->pos;
        }
    }

    return -1;
}


/* content as it stands in the text, token with ~0 and ~1 (RFC 6901). */

static int
gs_json_name_eq(const gs_str_t *content, const gs_str_t *token)
{
    unsigned           i, n, used;
    gs_uchar_t         c, utf8[4];
    const gs_uchar_t  *p, *last, *t, *tail;

    p = content->data;
    last = p + content->len;
    t = token->data;
    tail = t + token->len;

    while (p < last) {

        n = gs_json_unescape(p, last, utf8, &used);
        p += used;

        for (i = 0; i < n; i++) {

            if (t == tail) {
                return 0;
            }

            c = *t++;

            if (c == '~' && t < tail) {
                c = (*t++ == '1') ? '/' : '~';
            }

            if (c != utf8[i]) {
                return 0;
            }
        }
    }

    return t == tail;
}


/* One character of a string; returns the bytes written to dst. */

static unsigned
gs_json_unescape(const gs_uchar_t *p, const gs_uchar_t *last, gs_uchar_t *dst,
    unsigned *used)
{
    uint32_t     c, low;
    const char  *name;

    static const char  names[] = "bfnrt";
    static const char  bytes[] = "\b\f\n\r\t";

    *used = 1;
    dst[0] = *p;

    if (*p != '\\' || last - p < 2) {
        return 1;
    }

    *used = 2;

    if (p[1] != 'u') {
        name = memchr(names, p[1], sizeof(names) - 1);
        dst[0] = (name == NULL) ? p[1] : (gs_uchar_t) bytes[name - names];
        return 1;
    }

    c = gs_json_hex4(p + 2, last);

    if (c == GS_UTF8_BAD) {
        return 1;
    }

    *used = 6;

    if (c >= 0xd800 && c <= 0xdbff && last - p >= 12
        && p[6] == '\\' && p[7] == 'u')
    {
        low = gs_json_hex4(p + 8, last);

        if (low >= 0xdc00 && low <= 0xdfff) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            *used = 12;
        }
    }

    return gs_utf8_put(dst, c);
}


static uint32_t
gs_json_hex4(const gs_uchar_t *p, const gs_uchar_t *last)
{
    gs_str_t    s;
    gs_uchar_t  v[2];

    if (last - p < 4) {
        return GS_UTF8_BAD;
    }

    s = gs_str_make(p, 4);

    if (gs_hex_decode(v, &s) != GS_OK) {
        return GS_UTF8_BAD;
    }

    return (uint32_t) v[0] << 8 | v[1];
}
