
/*
 * Copyright (C) govsvc authors
 *
 * Files in, words out.
 */


#include "cli/gs_cli.h"
#include "core/gs_utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>


/* no input of this command is larger but audit files, which are streamed */
#define GS_CLI_READ_MAX  (256u * 1024 * 1024)


static gs_rc_t gs_cli_slurp(gs_cli_t *cli, FILE *f, gs_str_t *text);


gs_rc_t
gs_cli_read(gs_cli_t *cli, const char *path, gs_str_t *text)
{
    FILE     *f;
    gs_rc_t   rc;

    if (strcmp(path, "-") == 0) {
        f = stdin;

    } else {
        f = fopen(path, "rb");

        if (f == NULL) {
            (void) gs_cli_fail(cli, GS_CLI_READ, "cannot open \"%s\": %s",
                               path, strerror(errno));
            return GS_ERROR;
        }
    }

    rc = gs_cli_slurp(cli, f, text);

    if (rc != GS_OK) {
        (void) gs_cli_fail(cli, GS_CLI_READ, "cannot read \"%s\"", path);
    }

    if (f != stdin) {
        (void) fclose(f);
    }

    return rc;
}


static gs_rc_t
gs_cli_slurp(gs_cli_t *cli, FILE *f, gs_str_t *text)
{
    size_t       len, size, n;
    gs_uchar_t  *data, *bigger;

    len = 0;
    size = 64 * 1024;

    data = gs_alloc(cli->mem, size);
    if (data == NULL) {
        return GS_ERROR;
    }

    for ( ;; ) {
        n = fread(data + len, 1, size - len, f);
        len += n;

        if (n == 0) {
            break;
        }

        if (len < size) {
            continue;
        }

        if (size >= GS_CLI_READ_MAX) {
            return GS_ERROR;
        }

        bigger = gs_alloc(cli->mem, size * 2);
        if (bigger == NULL) {
            return GS_ERROR;
        }

        memcpy(bigger, data, len);
        gs_free(cli->mem, data);

        data = bigger;
        size *= 2;
    }

    if (ferror(f)) {
        return GS_ERROR;
    }

    *text = gs_str_make(data, len);

    return GS_OK;
}


int
gs_cli_fail(gs_cli_t *cli, int code, const char *fmt, ...)
{
    int       n;
    char      line[2048];
    va_list   args;
    gs_str_t  s;

    va_start(args, fmt);
    n = vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);

    s = gs_str_make(line, n < 0 ? 0 : strlen(line));

    fputs("govsvc: ", stderr);
    gs_cli_print(stderr, &s);
    fputc('\n', stderr);

    return code;
}


int
gs_cli_fail_err(gs_cli_t *cli, int code, const char *file,
    const gs_err_t *err)
{
    const char  *name;

    name = (err->file[0] != '\0') ? err->file : file;

    if (err->line == 0) {
        return gs_cli_fail(cli, code, "%s: %s", name, err->text);
    }

    if (err->pointer[0] == '\0') {
        return gs_cli_fail(cli, code, "%s:%u: %s", name, err->line, err->text);
    }

    return gs_cli_fail(cli, code, "%s:%u: %s at %s", name, err->line,
                       err->text, err->pointer);
}


void
gs_cli_print(FILE *out, const gs_str_t *s)
{
    unsigned           used;
    uint32_t           c;
    const gs_uchar_t  *p, *last;

    last = s->data + s->len;

    for (p = s->data; p < last; p += used) {
        c = gs_utf8_next(p, last, &used);

        if (c == GS_UTF8_BAD) {
            used = 1;
            fprintf(out, "\\x%02x", *p);

        } else if (c < 0x20 || (c >= 0x7f && c < 0xa0)
                   || (c >= 0x200e && c <= 0x200f)
                   || (c >= 0x2028 && c <= 0x202e)
                   || (c >= 0x2066 && c <= 0x2069))
        {
            /* terminal escapes and text that runs the other way */
            fprintf(out, "\\u%04x", c);

        } else {
            (void) fwrite(p, 1, used, out);
        }
    }
}
