
/*
 * Copyright (C) govsvc authors
 *
 * The view "b64": what a value that is nothing but base64 stands for, alone or
 * as an address "data:" (RFC 2397) of what a browser runs.
 */


#include "guard/gs_guard_priv.h"
#include "core/gs_b64.h"


#define GS_GUARD_B64        16             /* shorter is not looked into */
#define GS_GUARD_B64_PART   65536          /* a multiple of 4 */

#define GS_GUARD_B64_BYTES  (GS_BYTE_BASE64|GS_BYTE_SPACE)

#define GS_GUARD_B64_ADDR   32             /* shorter addresses say nothing */
#define GS_GUARD_B64_HEAD   64             /* "data:" up to its comma */


static gs_str_t gs_b64_view_data(const gs_str_t *text);
static gs_rc_t gs_b64_view_decode(gs_guard_scratch_t *s, gs_uchar_t *dst,
    size_t *len, const gs_str_t *coded);
static int gs_b64_view_alphabet(gs_uchar_t *dst, size_t *n,
    const gs_str_t *src);


/*
 * The text behind base64, of either alphabet, if the whole value is nothing
 * else and what comes out is text: random letters are not.
 */

gs_rc_t
gs_guard_b64(gs_guard_scratch_t *s, gs_str_t *text, const gs_str_t *src)
{
    size_t       i, n, odd, len;
    gs_str_t     coded;
    gs_uchar_t  *dst;

    dst = s->view[GS_VIEW_B64];
    coded = gs_b64_view_data(src);

    if (coded.len < GS_GUARD_B64
        || !gs_b64_view_alphabet(s->text2, &n, &coded))
    {
        return GS_DECLINED;
    }

    n -= (n % 4 == 1);
    coded = gs_str_make(s->text2, n);

    if (gs_b64_view_decode(s, dst, &len, &coded) != GS_OK) {
        return GS_DECLINED;
    }

    odd = 0;

    for (i = 0; i < len; i++) {
        odd += (dst[i] < 0x20 && dst[i] != '\t' && dst[i] != '\n'
                && dst[i] != '\r')
               || dst[i] >= 0x7f;
        dst[i] = (gs_uchar_t) gs_to_lower(dst[i]);
    }

    if (odd * 5 > len) {
        return GS_DECLINED;
    }

    *text = gs_str_make(dst, len);

    return GS_OK;
}


/* In pieces, with a look at the clock between. */

static gs_rc_t
gs_b64_view_decode(gs_guard_scratch_t *s, gs_uchar_t *dst, size_t *len,
    const gs_str_t *coded)
{
    size_t    from, n;
    gs_str_t  part;

    *len = 0;

    for (from = 0; from < coded->len; from += part.len) {

        n = coded->len - from;
        n = (n > GS_GUARD_B64_PART) ? GS_GUARD_B64_PART : n;
        part = gs_str_make(coded->data + from, n);

        if (gs_guard_tick(s, n)) {
            return GS_DECLINED;
        }

        if (gs_b64url_decode(dst + *len, &n, &part) != GS_OK) {

            /* bits left over that are not zero: without the last byte */

            part.len -= part.len % 4;

            if (gs_b64url_decode(dst + *len, &n, &part) != GS_OK) {
                return GS_DECLINED;
            }

            *len += n;
            break;
        }

        *len += n;
    }

    return GS_OK;
}


/*
 * What stands behind the "=" before the last byte is not looked at; digits
 * alone give one byte in three that is no text.
 */

int
gs_guard_b64_maybe(const gs_str_t *text, uint64_t bytes)
{
    if (text->len < GS_GUARD_B64 || bytes == 0) {
        return 0;
    }

    return (bytes & ~GS_GUARD_B64_BYTES) == 0
           || text->data[text->len - 2] == '='
           || gs_b64_view_data(text).data != text->data;
}


/*
 * What is coded in an address of markup or a script; the text itself if it is
 * none.  Pictures and documents are nothing to read.
 */

static gs_str_t
gs_b64_view_data(const gs_str_t *text)
{
    size_t    i, n;
    gs_str_t  kind;

    static const gs_str_t  kinds[] = {
        gs_string("data:image/svg"),
        gs_string("data:text/"),
        gs_string("data:application/x"),
        gs_string("data:;base64"),
        gs_string("data:application/javascript")
    };

    if (text->len < GS_GUARD_B64_ADDR || text->data[4] != ':') {
        return *text;
    }

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        n = kinds[i].len;
        kind = gs_str_make(text->data, n);

        if (gs_str_case_eq(&kind, &kinds[i])) {
            break;
        }
    }

    if (i == sizeof(kinds) / sizeof(kinds[0])) {
        return *text;
    }

    for (n = kinds[i].len; n < text->len && n < GS_GUARD_B64_HEAD; n++) {
        if (text->data[n] == ',') {
            return gs_str_make(text->data + n + 1, text->len - n - 1);
        }
    }

    return *text;
}


static int
gs_b64_view_alphabet(gs_uchar_t *dst, size_t *len, const gs_str_t *src)
{
    int     c;
    size_t  i, n;

    n = 0;

    for (i = 0; i < src->len; i++) {
        c = src->data[i];

        if (c == '=' && src->len - i <= 2) {
            break;
        }

        /* "+" of a form that was not escaped has become a space */

        if (c == '+' || c == ' ') {
            c = '-';

        } else if (c == '/') {
            c = '_';

        } else if (c == '\r' || c == '\n') {
            continue;

        } else if (!gs_is_alpha(c) && !gs_is_digit(c) && c != '-' && c != '_')
        {
            return 0;
        }

        dst[n++] = (gs_uchar_t) c;
    }

    *len = n;

    return n >= GS_GUARD_B64;
}
