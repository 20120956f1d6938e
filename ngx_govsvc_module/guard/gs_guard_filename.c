
/*
 * Copyright (C) govsvc authors
 *
 * What programs make of the name of an uploaded file: the extended form of
 * RFC 8187, encoded words of RFC 2047, which Java takes from any client,
 * quoted pairs, and single quotes, which PHP takes off.
 */


#include "guard/gs_guard_priv.h"
#include "core/gs_b64.h"
#include "core/gs_hex.h"


static size_t gs_filename_word(gs_uchar_t *dst, size_t *n,
    const gs_str_t *text, size_t i);
static size_t gs_filename_q(gs_uchar_t *dst, const gs_str_t *text);


gs_str_t
gs_guard_filename_star(gs_uchar_t *dst, const gs_str_t *text)
{
    size_t    i;
    uint32_t  ignored;
    gs_str_t  rest;

    ignored = 0;
    rest = *text;

    i = gs_str_chr(text, 0, '\'');

    if (i < text->len) {
        i = gs_str_chr(text, i + 1, '\'');
    }

    if (i < text->len) {
        rest = gs_str_make(text->data + i + 1, text->len - i - 1);
    }

    return gs_guard_unescape(dst, &rest, 0, &ignored);
}


gs_str_t
gs_guard_filename(gs_uchar_t *dst, const gs_str_t *text)
{
    size_t    i, n, used;
    gs_str_t  name;

    name = *text;

    if (name.len > 1 && name.data[0] == '\''
        && name.data[name.len - 1] == '\'')
    {
        name = gs_str_make(name.data + 1, name.len - 2);
    }

    if (gs_str_chr(&name, 0, '\\') == name.len
        && gs_str_chr(&name, 0, '=') == name.len)
    {
        return name;
    }

    n = 0;

    for (i = 0; i < name.len; i += used) {

        used = 1;

        if (name.data[i] == '=') {
            used = gs_filename_word(dst, &n, &name, i);

        } else if (name.data[i] != '\\' || i + 1 == name.len) {
            dst[n++] = name.data[i];
        }
    }

    return gs_str_make(dst, n);
}


/* "=?CHARSET?B?TEXT?=", or "?Q?"; what is none is a byte as any. */

static size_t
gs_filename_word(gs_uchar_t *dst, size_t *n, const gs_str_t *text, size_t i)
{
    int       kind;
    size_t    from, end, len;
    gs_str_t  word;

    dst[*n] = '=';

    if (text->len - i < 2 || text->data[i + 1] != '?') {
        *n += 1;
        return 1;
    }

    from = gs_str_chr(text, i + 2, '?');

    if (text->len - from < 4 || text->data[from + 2] != '?') {
        *n += 1;
        return 1;
    }

    kind = text->data[from + 1] | 0x20;
    from += 3;
    end = gs_str_chr(text, from, '?');

    if (text->len - end < 2 || text->data[end + 1] != '=') {
        *n += 1;
        return 1;
    }

    word = gs_str_make(text->data + from, end - from);
    len = 0;

    if (kind == 'q') {
        len = gs_filename_q(dst + *n, &word);

    } else if (kind != 'b' || gs_b64_decode(dst + *n, &len, &word) != GS_OK) {
        *n += 1;
        return 1;
    }

    *n += len;

    return end + 2 - i;
}


static size_t
gs_filename_q(gs_uchar_t *dst, const gs_str_t *text)
{
    int     high, low;
    size_t  i, n;

    n = 0;

    for (i = 0; i < text->len; i++) {

        high = (text->len - i > 2) ? gs_hex_value(text->data[i + 1]) : -1;
        low = (text->len - i > 2) ? gs_hex_value(text->data[i + 2]) : -1;

        if (text->data[i] == '=' && high >= 0 && low >= 0) {
            dst[n++] = (gs_uchar_t) (high * 16 + low);
            i += 2;

        } else {
            dst[n++] = (text->data[i] == '_') ? ' ' : text->data[i];
        }
    }

    return n;
}
