
/*
 * Copyright (C) govsvc authors
 *
 * govsvc route explain, govsvc route lint: the table that the gateway would
 * compile, asked about one request.
 */


#include "cli/gs_cli.h"
#include "core/gs_json_out.h"
#include "route/gs_region.h"
#include "route/gs_route.h"


#define GS_CLI_ROUTE_TOLD  20              /* losers, without --all */


typedef struct {
    gs_cli_t                *cli;
    const gs_route_table_t  *table;
    gs_route_input_t         in;
    gs_str_t                 url;
    uint32_t                 geo;
} gs_cli_route_t;


static int gs_cli_route_explain_run(gs_cli_t *cli);
static int gs_cli_route_lint_run(gs_cli_t *cli);
static int gs_cli_route_load(gs_cli_t *cli, const char *file,
    gs_route_table_t **table, size_t *size);
static int gs_cli_route_read(gs_cli_route_t *r);
static gs_str_t gs_cli_route_host(gs_cli_route_t *r);
static int gs_cli_route_url(gs_cli_route_t *r);
static int gs_cli_route_unsafe(gs_cli_route_t *r, gs_route_uri_e e,
    size_t at);
static int gs_cli_route_tell(gs_cli_route_t *r);
static gs_str_t gs_cli_route_header(void *ctx, const gs_str_t *name);
static gs_str_t gs_cli_route_claim(void *ctx, const gs_str_t *name);
static gs_str_t gs_cli_route_pair(gs_cli_route_t *r, const char *option,
    int separator, const gs_str_t *name);
static uint32_t gs_cli_route_geo(void *ctx);


static const gs_cli_option_t  gs_cli_explain_options[] = {
    { "platforms", "FILE", "platforms, pools and routes",
      "平台、服务池与路由文件" },
    { "regions", "FILE", "prefectures and counties",
      "地市与区县代码文件" },
    { "H", "'NAME: VALUE'", "a header of the request (may be repeated)",
      "请求头（可重复）" },
    { "claim", "NAME=VALUE", "a claim of its token (may be repeated)",
      "令牌声明（可重复）" },
    { "geo", "CODE", "the region that the client's address suggests",
      "客户端地址所属区划代码" },
    { "all", NULL, "tell of every route that lost", "列出全部落选路由" },
    { NULL, NULL, NULL, NULL }
};

static const gs_cli_option_t  gs_cli_lint_options[] = {
    { "regions", "FILE", "prefectures and counties",
      "地市与区县代码文件" },
    { NULL, NULL, NULL, NULL }
};


const gs_cli_verb_t  gs_cli_route_explain = {
    "route",
    "explain",
    "[METHOD] URL",
    "tells which route a request takes, and why each other lost",
    "说明请求命中哪条路由，以及其他路由落选的原因",
    "govsvc route explain --platforms platforms.json "
    "http://gw.example/44/portal/home",
    gs_cli_explain_options,
    gs_cli_route_explain_run
};


const gs_cli_verb_t  gs_cli_route_lint = {
    "route",
    "lint",
    "FILE",
    "checks a file of platforms as nginx -t would",
    "按 nginx -t 的规则检查平台文件",
    "govsvc route lint platforms.json",
    gs_cli_lint_options,
    gs_cli_route_lint_run
};


static int
gs_cli_route_explain_run(gs_cli_t *cli)
{
    int                rc;
    size_t             size;
    const char        *file;
    gs_cli_route_t     r;
    gs_route_table_t  *table;

    file = gs_cli_option(cli, "platforms");

    if (file == NULL) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "--platforms FILE is needed");
    }

    if (cli->argc < 1 || cli->argc > 2) {
        return gs_cli_fail(cli, GS_CLI_USAGE,
                           "one URL is needed, a method may stand before it");
    }

    rc = gs_cli_route_load(cli, file, &table, &size);

    if (rc != GS_CLI_YES) {
        return rc;
    }

    memset(&r, 0, sizeof(gs_cli_route_t));
    r.cli = cli;
    r.table = table;

    rc = gs_cli_route_read(&r);

    return (rc == GS_CLI_YES) ? gs_cli_route_tell(&r) : rc;
}


static int
gs_cli_route_lint_run(gs_cli_t *cli)
{
    int                rc;
    char               text[256];
    size_t             size;
    gs_buf_t           b;
    gs_route_table_t  *table;

    if (cli->argc != 1) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "one FILE is needed");
    }

    rc = gs_cli_route_load(cli, cli->argv[0], &table, &size);

    if (rc != GS_CLI_YES) {
        return rc;
    }

    gs_buf_init(&b, text, sizeof(text));

    if (cli->json) {
        gs_buf_char(&b, '{');
        gs_json_kv_u64(&b, "platforms", gs_route_platforms(table));
        gs_json_kv_u64(&b, "pools", gs_route_pools(table));
        gs_json_kv_u64(&b, "instances", gs_route_instances(table));
        gs_json_kv_u64(&b, "routes", gs_route_routes(table));
        gs_json_kv_u64(&b, "bytes", size);
        gs_buf_text(&b, "}\n");

    } else {
        gs_buf_text(&b, "ok: ");
        gs_buf_u64(&b, gs_route_platforms(table));
        gs_buf_text(&b, " platforms, ");
        gs_buf_u64(&b, gs_route_pools(table));
        gs_buf_text(&b, " pools, ");
        gs_buf_u64(&b, gs_route_instances(table));
        gs_buf_text(&b, " instances, ");
        gs_buf_u64(&b, gs_route_routes(table));
        gs_buf_text(&b, " routes, ");
        gs_buf_u64(&b, size);
        gs_buf_text(&b, " bytes compiled\n");
    }

    fwrite(text, 1, gs_buf_len(&b), stdout);

    return GS_CLI_YES;
}


/* A file that is read but does not compile is a "no" of lint. */

static int
gs_cli_route_load(gs_cli_t *cli, const char *file, gs_route_table_t **table,
    size_t *size)
{
    gs_err_t     err;
    gs_str_t     platforms, regions;
    const char  *extension;

    extension = gs_cli_option(cli, "regions");

    if (gs_cli_read(cli, file, &platforms) != GS_OK
        || (extension != NULL
            && gs_cli_read(cli, extension, &regions) != GS_OK))
    {
        return GS_CLI_READ;
    }

    if (gs_route_compile(cli->mem, &platforms,
                         (extension != NULL) ? &regions : NULL, table, size,
                         &err) == GS_OK)
    {
        return GS_CLI_YES;
    }

    if (err.file[0] == 'r') {
        file = extension;
    }

    err.file[0] = '\0';

    return gs_cli_fail_err(cli, (cli->verb == &gs_cli_route_lint)
                                ? GS_CLI_NO : GS_CLI_READ, file, &err);
}


static int
gs_cli_route_read(gs_cli_route_t *r)
{
    size_t       i;
    gs_str_t     name, host;
    gs_uchar_t  *p;
    const char  *geo;

    r->in.method = gs_str_text((r->cli->argc == 2) ? r->cli->argv[0] : "GET");
    r->url = gs_str_text(r->cli->argv[r->cli->argc - 1]);
    r->in.header = gs_cli_route_header;
    r->in.ctx = r;

    if (gs_cli_option(r->cli, "claim") != NULL) {
        r->in.claim = gs_cli_route_claim;
    }

    geo = gs_cli_option(r->cli, "geo");

    if (geo != NULL) {
        name = gs_str_text(geo);

        if (gs_region_digits(&name, &r->geo) != GS_OK) {
            return gs_cli_fail(r->cli, GS_CLI_USAGE,
                               "--geo \"%S\" is no region; allowed: digits "
                               "of GB/T 2260, such as 440000", &name);
        }

        r->in.geo = gs_cli_route_geo;
    }

    host = gs_cli_route_host(r);
    p = gs_alloc(r->cli->mem, host.len + 1);

    if (p == NULL) {
        return gs_cli_fail(r->cli, GS_CLI_READ, "out of memory");
    }

    for (i = 0; i < host.len; i++) {
        p[i] = (gs_uchar_t) gs_to_lower(host.data[i]);
    }

    r->in.host = gs_str_make(p, host.len);

    return gs_cli_route_url(r);
}


/* As Nginx takes it: the header, else the URL; no port, no final dot. */

static gs_str_t
gs_cli_route_host(gs_cli_route_t *r)
{
    size_t    i, end;
    gs_str_t  name, host;

    name = gs_str_text("host");
    host = gs_cli_route_header(r, &name);

    if (host.data == NULL) {
        i = gs_str_chr(&r->url, 0, ':');
        host = gs_str_make("", 0);

        if (r->url.len - i > 3 && memcmp(r->url.data + i, "://", 3) == 0
            && r->url.data[0] != '/')
        {
            end = gs_str_chr(&r->url, i + 3, '/');
            host = gs_str_make(r->url.data + i + 3, end - i - 3);
        }
    }

    i = (host.len != 0 && host.data[0] == '[')
        ? gs_str_chr(&host, 0, ']') : 0;
    host.len = gs_str_chr(&host, i, ':');

    if (host.len != 0 && host.data[host.len - 1] == '.') {
        host.len--;
    }

    return host;
}


static int
gs_cli_route_url(gs_cli_route_t *r)
{
    size_t           at;
    gs_uchar_t      *p;
    gs_route_uri_e   e;

    e = gs_route_uri_check(&r->url, &at);

    if (e != GS_ROUTE_URI_SAFE) {
        return gs_cli_route_unsafe(r, e, at);
    }

    p = gs_alloc(r->cli->mem, r->url.len);

    if (p == NULL) {
        return gs_cli_fail(r->cli, GS_CLI_READ, "out of memory");
    }

    gs_route_uri_split(&r->url, p, &r->in.uri, &r->in.args);

    return GS_CLI_YES;
}


static int
gs_cli_route_unsafe(gs_cli_route_t *r, gs_route_uri_e e, size_t at)
{
    char      text[256];
    gs_buf_t  b;

    gs_buf_init(&b, text, sizeof(text));

    if (r->cli->json) {
        gs_buf_text(&b, "{\"matched\":false");
        gs_json_kv_text(&b, "reason", "URI_UNSAFE");
        gs_json_kv_text(&b, "detail", gs_route_uri_text(e));
        gs_json_kv_u64(&b, "at", at);
        gs_buf_text(&b, "}\n");

    } else {
        gs_buf_text(&b, "refused   URI_UNSAFE: ");
        gs_buf_text(&b, gs_route_uri_text(e));
        gs_buf_text(&b, ", at byte ");
        gs_buf_u64(&b, at);
        gs_buf_char(&b, '\n');
    }

    fwrite(text, 1, gs_buf_len(&b), stdout);

    return GS_CLI_NO;
}


static int
gs_cli_route_tell(gs_cli_route_t *r)
{
    void      *text;
    size_t     size;
    gs_rc_t    rc;
    gs_buf_t   b;
    unsigned   limit;

    limit = (gs_cli_option(r->cli, "all") != NULL) ? 0 : GS_CLI_ROUTE_TOLD;

    size = 16 * 1024 + r->url.len * 6
           + (limit ? limit : gs_route_routes(r->table)) * 4096;
    text = gs_alloc(r->cli->mem, size);

    if (text == NULL) {
        return gs_cli_fail(r->cli, GS_CLI_READ, "out of memory");
    }

    gs_buf_init(&b, text, size);
    rc = gs_route_explain(r->table, &r->in, &b, r->cli->json, limit);
    fwrite(text, 1, gs_buf_len(&b), stdout);

    if (b.overflow) {
        return gs_cli_fail(r->cli, GS_CLI_INCOMPLETE,
                           "the explanation was cut");
    }

    return (rc == GS_OK) ? GS_CLI_YES : GS_CLI_NO;
}


static gs_str_t
gs_cli_route_header(void *ctx, const gs_str_t *name)
{
    gs_str_t  value;

    value = gs_cli_route_pair(ctx, "H", ':', name);

    while (value.len != 0 && value.data[0] == ' ') {
        value = gs_str_make(value.data + 1, value.len - 1);
    }

    return value;
}


static gs_str_t
gs_cli_route_claim(void *ctx, const gs_str_t *name)
{
    return gs_cli_route_pair(ctx, "claim", '=', name);
}


/* The value of the first --option "NAME<separator>VALUE" of this name. */

static gs_str_t
gs_cli_route_pair(gs_cli_route_t *r, const char *option, int separator,
    const gs_str_t *name)
{
    int          found;
    size_t       i;
    unsigned     n;
    gs_str_t     line, key;
    const char  *text;

    for (n = 0; /* void */ ; n++) {
        text = gs_cli_option_n(r->cli, option, n);

        if (text == NULL) {
            return gs_str_make(NULL, 0);
        }

        line = gs_str_text(text);
        i = gs_str_chr(&line, 0, separator);
        key = gs_str_make(line.data, i);

        /* names of headers have no case */

        found = (separator == ':') ? gs_str_case_eq(&key, name)
                                   : gs_str_eq(&key, name);

        if (i < line.len && found) {
            return gs_str_make(line.data + i + 1, line.len - i - 1);
        }
    }
}


static uint32_t
gs_cli_route_geo(void *ctx)
{
    gs_cli_route_t *r = ctx;

    return r->geo;
}
