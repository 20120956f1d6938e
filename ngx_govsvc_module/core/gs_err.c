
/*
 * Copyright (C) govsvc authors
 *
 * Errors for people.
 */


#include <stdarg.h>

#include "core/gs_buf.h"
#include "core/gs_err.h"
#include "core/gs_utf8.h"


static void gs_err_format(gs_buf_t *b, const char *fmt, va_list args);
static void gs_err_text(gs_buf_t *b, const char *text);
static void gs_err_str(gs_buf_t *b, const gs_str_t *s);
static void gs_err_number(gs_buf_t *b, uint64_t n, unsigned base);
static void gs_err_close(gs_buf_t *b);


gs_rc_t
gs_err(gs_err_t *err, const char *fmt, ...)
{
    va_list   args;
    gs_buf_t  b;

    if (err == NULL) {
        return GS_ERROR;
    }

    gs_buf_init(&b, err->text, sizeof(err->text) - 1);

    va_start(args, fmt);
    gs_err_format(&b, fmt, args);
    va_end(args);

    gs_err_close(&b);

    return GS_ERROR;
}


void
gs_err_hint(gs_err_t *err, const gs_str_t *s, const char *const *names)
{
    gs_buf_t     b;
    const char  *name;

    if (err == NULL) {
        return;
    }

    gs_buf_init(&b, err->text, sizeof(err->text) - 1);
    b.pos += strlen(err->text);

    name = gs_nearest(s, names);

    if (name != NULL) {
        gs_err_text(&b, "; did you mean \"");
        gs_err_text(&b, name);
        gs_err_text(&b, "\"?");

    } else if (*names != NULL) {
        gs_err_text(&b, "; allowed: ");
        gs_err_text(&b, *names);

        for (names++; *names != NULL; names++) {
            gs_err_text(&b, ", ");
            gs_err_text(&b, *names);
        }
    }

    gs_err_close(&b);
}


static void
gs_err_format(gs_buf_t *b, const char *fmt, va_list args)
{
    int  n;

    for ( ; *fmt != '\0'; fmt++) {

        if (*fmt != '%') {
            gs_buf_char(b, *fmt);
            continue;
        }

        switch (*++fmt) {

        case 's':
            gs_err_text(b, va_arg(args, const char *));
            break;

        case 'S':
            gs_err_str(b, va_arg(args, const gs_str_t *));
            break;

        case 'd':
            n = va_arg(args, int);

            if (n < 0) {
                gs_buf_char(b, '-');
            }

            gs_err_number(b, (n < 0) ? 0 - (uint64_t) n : (uint64_t) n, 10);
            break;

        case 'u':
            gs_err_number(b, va_arg(args, unsigned), 10);
            break;

        case 'x':
            gs_err_number(b, va_arg(args, unsigned), 16);
            break;

        case 'z':
            fmt++;
            gs_err_number(b, va_arg(args, size_t), 10);
            break;

        case 'c':
            gs_buf_char(b, va_arg(args, int));
            break;

        case '\0':
            return;

        default:
            gs_buf_char(b, *fmt);
        }
    }
}


/* Byte by byte, so that a text that does not fit is cut, not dropped. */

static void
gs_err_text(gs_buf_t *b, const char *text)
{
    for ( ; *text != '\0'; text++) {
        gs_buf_char(b, *text);
    }
}


static void
gs_err_str(gs_buf_t *b, const gs_str_t *s)
{
    size_t             i;
    uint32_t           c;
    unsigned           used;
    const gs_uchar_t  *p;

    for (i = 0; i < s->len && !b->overflow; i += used) {

        p = s->data + i;
        c = gs_utf8_next(p, s->data + s->len, &used);

        if (c == GS_UTF8_BAD || c < 0x20 || c == 0x7f) {
            gs_err_text(b, "\\x");
            gs_buf_hex(b, p, 1);
            used = 1;
            continue;
        }

        if (gs_utf8_hidden(c)) {
            gs_err_text(b, "\\u{");
            gs_err_number(b, c, 16);
            gs_buf_char(b, '}');
            continue;
        }

        gs_buf_put(b, p, used);
    }
}


static void
gs_err_number(gs_buf_t *b, uint64_t n, unsigned base)
{
    char  *p;
    char   digits[21];

    p = digits + sizeof(digits) - 1;
    *p = '\0';

    do {
        *--p = "0123456789abcdef"[n % base];
        n /= base;
    } while (n != 0);

    gs_err_text(b, p);
}


static void
gs_err_close(gs_buf_t *b)
{
    size_t    len;
    gs_str_t  s;

    len = gs_buf_len(b);

    if (b->overflow && len != 0) {
        s = gs_str_make(b->start, len + 1);
        b->start[len] = 0x80;
        len = gs_utf8_cut(&s, len);
    }

    b->start[len] = '\0';
}
