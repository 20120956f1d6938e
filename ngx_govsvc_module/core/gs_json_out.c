
/*
 * Copyright (C) govsvc authors
 *
 * JSON output (RFC 8259) that is safe on one line and inside HTML.
 */


#include "core/gs_json_out.h"
#include "core/gs_utf8.h"


/* sixteen bytes at a time, on every machine that the compiler knows */
typedef gs_uchar_t  gs_json_vec_t __attribute__ ((vector_size (16)));


static const gs_uchar_t *gs_json_skip(const gs_uchar_t *p,
    const gs_uchar_t *last);
static int gs_json_plain(int c);
static void gs_json_escape(gs_buf_t *b, uint32_t c);


unsigned
gs_json_str(gs_buf_t *b, const gs_str_t *s)
{
    unsigned  bad;

    gs_buf_char(b, '"');
    bad = gs_json_raw(b, s);
    gs_buf_char(b, '"');

    return bad;
}


unsigned
gs_json_raw(gs_buf_t *b, const gs_str_t *s)
{
    uint32_t           c;
    unsigned           bad, used;
    const gs_uchar_t  *p, *last, *run;

    if (s->len == 0) {
        return 0;
    }

    bad = 0;
    p = s->data;
    last = p + s->len;
    run = p;

    while (p < last) {

        p = gs_json_skip(p, last);

        if (p == last) {
            break;
        }

        c = gs_utf8_next(p, last, &used);

        if (c != GS_UTF8_BAD && c >= 0x80 && !gs_utf8_hidden(c)) {
            p += used;
            continue;
        }

        gs_buf_put(b, run, (size_t) (p - run));

        if (c == GS_UTF8_BAD) {
            bad++;
            c = 0xfffd;
        }

        gs_json_escape(b, c);

        p += used;
        run = p;
    }

    gs_buf_put(b, run, (size_t) (p - run));

    return bad;
}


/* The first byte that is not copied as it stands. */

static const gs_uchar_t *
gs_json_skip(const gs_uchar_t *p, const gs_uchar_t *last)
{
    uint64_t       half[2];
    gs_json_vec_t  v, stop;

    while (last - p >= (ptrdiff_t) sizeof(gs_json_vec_t)) {

        memcpy(&v, p, sizeof(gs_json_vec_t));

        stop = (gs_json_vec_t) ((v < 0x20) | (v > 0x7e) | (v == '"')
                                | (v == '\\') | (v == '<') | (v == '>')
                                | (v == '&'));

        memcpy(half, &stop, sizeof(half));

        if ((half[0] | half[1]) != 0) {
            break;
        }

        p += sizeof(gs_json_vec_t);
    }

    while (p < last && gs_json_plain(*p)) {
        p++;
    }

    return p;
}


static int
gs_json_plain(int c)
{
    return c >= 0x20 && c < 0x7f
           && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}


static void
gs_json_escape(gs_buf_t *b, uint32_t c)
{
    gs_uchar_t  esc[2];

    if (c == '"' || c == '\\') {
        esc[0] = '\\';
        esc[1] = (gs_uchar_t) c;
        gs_buf_put(b, esc, 2);
        return;
    }

    /* nothing hidden lies above U+FFFF */

    esc[0] = (gs_uchar_t) (c >> 8);
    esc[1] = (gs_uchar_t) (c & 0xff);

    gs_buf_put(b, "\\u", 2);
    gs_buf_hex(b, esc, 2);
}


unsigned
gs_json_kv_str(gs_buf_t *b, const char *key, const gs_str_t *value)
{
    gs_json_key(b, key);

    return gs_json_str(b, value);
}


void
gs_json_kv_plain(gs_buf_t *b, const char *key, const gs_str_t *value)
{
    gs_json_key(b, key);
    gs_buf_char(b, '"');
    gs_buf_str(b, value);
    gs_buf_char(b, '"');
}


void
gs_json_kv_text(gs_buf_t *b, const char *key, const char *value)
{
    gs_str_t  s;

    s = gs_str_text(value);
    (void) gs_json_kv_str(b, key, &s);
}


void
gs_json_kv_u64(gs_buf_t *b, const char *key, uint64_t value)
{
    gs_json_key(b, key);
    gs_buf_u64(b, value);
}
