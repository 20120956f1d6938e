
/*
 * Copyright (C) govsvc authors
 *
 * The request that govsvc rules explain is asked about: a URL or a file, and
 * what options tell of the client.
 */


#include "cli/gs_cli_rules.h"


static gs_rc_t gs_cli_rules_about(gs_cli_t *cli, gs_str_t *text);
static gs_rc_t gs_cli_rules_url(gs_cli_t *cli, const char *url,
    gs_str_t *text);


int
gs_cli_rules_request(gs_cli_rules_t *rules, gs_guard_input_t *in,
    const char *name)
{
    gs_err_t  err;
    gs_str_t  text;

    memset(&err, 0, sizeof(gs_err_t));

    if (strncmp(name, "http://", 7) == 0 || strncmp(name, "https://", 8) == 0)
    {
        if (gs_cli_rules_url(rules->cli, name, &text) != GS_OK) {
            return gs_cli_fail(rules->cli, GS_CLI_READ, "out of memory");
        }

    } else if (gs_cli_read(rules->cli, name, &text) != GS_OK) {
        return GS_CLI_READ;
    }

    if (gs_cli_rules_about(rules->cli, &text) != GS_OK) {
        return gs_cli_fail(rules->cli, GS_CLI_READ, "out of memory");
    }

    if (gs_guard_request(in, rules->cli->mem, &text, &err) != GS_OK) {
        return gs_cli_fail_err(rules->cli, GS_CLI_READ, name, &err);
    }

    return GS_CLI_YES;
}


/* Puts what options tell of the client behind the first line. */

static gs_rc_t
gs_cli_rules_about(gs_cli_t *cli, gs_str_t *text)
{
    size_t        line, size;
    gs_buf_t      b;
    gs_str_t      rest;
    const char   *asn;
    gs_uchar_t   *data;

    asn = gs_cli_option(cli, "asn");

    if (asn == NULL) {
        return GS_OK;
    }

    line = gs_str_chr(text, 0, '\n');
    size = text->len + strlen(asn) + sizeof("\n@asn: ");

    data = gs_alloc(cli->mem, size);
    if (data == NULL) {
        return GS_ERROR;
    }

    rest = gs_str_make(text->data + line, text->len - line);
    text->len = line;

    if (line > 0 && text->data[line - 1] == '\r') {
        text->len--;
    }

    gs_buf_init(&b, data, size);
    gs_buf_str(&b, text);
    gs_buf_text(&b, "\n@asn: ");
    gs_buf_text(&b, asn);
    gs_buf_str(&b, &rest);

    *text = gs_buf_view(&b);

    return GS_OK;
}


/* "http://host/path?args" as a request: the path, and the host as a header. */

static gs_rc_t
gs_cli_rules_url(gs_cli_t *cli, const char *url, gs_str_t *text)
{
    size_t        size;
    gs_buf_t      b;
    gs_str_t      host, path;
    gs_uchar_t   *data;

    host = gs_str_text(strstr(url, "://") + 3);
    path = host;

    for (host.len = 0; path.len > 0; host.len++) {
        if (*path.data == '/' || *path.data == '?' || *path.data == '#') {
            break;
        }

        path.data++;
        path.len--;
    }

    path.len = gs_str_chr(&path, 0, '#');
    size = host.len + path.len + 16;

    data = gs_alloc(cli->mem, size);
    if (data == NULL) {
        return GS_ERROR;
    }

    gs_buf_init(&b, data, size);

    if (path.len == 0 || *path.data != '/') {
        gs_buf_char(&b, '/');
    }

    gs_buf_str(&b, &path);
    gs_buf_text(&b, "\nHost: ");
    gs_buf_str(&b, &host);

    *text = gs_buf_view(&b);

    return GS_OK;
}
