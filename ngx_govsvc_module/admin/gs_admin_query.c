
/*
 * Copyright (C) govsvc authors
 *
 * The path and the arguments of a call.  One object has one spelling: nothing
 * is normalised, what is not written plainly is refused.
 */


#include "admin/gs_admin_priv.h"
#include "core/gs_hex.h"


typedef enum {
    GS_ADMIN_ARG_ID = 0,
    GS_ADMIN_ARG_FLAG,
    GS_ADMIN_ARG_LIMIT,
    GS_ADMIN_ARG_TEXT
} gs_admin_arg_e;


typedef struct {
    const char      *name;
    gs_admin_arg_e   type;
    size_t           offset;
    size_t           size;
} gs_admin_arg_t;


static gs_rc_t gs_admin_query_segment(gs_admin_call_t *c, gs_str_t *path,
    char *dst, size_t size);
static gs_rc_t gs_admin_query_arg(gs_admin_call_t *c, const gs_str_t *name,
    const gs_str_t *value, unsigned *seen);
static gs_rc_t gs_admin_query_set(gs_admin_call_t *c,
    const gs_admin_arg_t *arg, const gs_str_t *text);
static gs_rc_t gs_admin_query_flag(gs_admin_call_t *c,
    const gs_admin_arg_t *arg, const gs_str_t *text);
static gs_rc_t gs_admin_query_decode(const gs_str_t *s, gs_uchar_t *dst,
    size_t size, size_t *len);
static unsigned gs_admin_query_id(const gs_uchar_t *p, size_t len);


#define GS_ADMIN_ARGS  11

static const gs_admin_arg_t  gs_admin_args[GS_ADMIN_ARGS] = {

    { "limit", GS_ADMIN_ARG_LIMIT, 0, 0 },
    { "dry_run", GS_ADMIN_ARG_FLAG, 0, 0 },
    { "wait", GS_ADMIN_ARG_FLAG, 0, 0 },

    { "cursor", GS_ADMIN_ARG_ID, offsetof(gs_admin_path_t, cursor),
      GS_ADMIN_ID + 1 },

    { "platform", GS_ADMIN_ARG_ID, offsetof(gs_admin_path_t, platform),
      GS_ADMIN_ID + 1 },

    { "pool", GS_ADMIN_ARG_ID, offsetof(gs_admin_path_t, pool),
      GS_ADMIN_ID + 1 },

    { "origin", GS_ADMIN_ARG_ID, offsetof(gs_admin_path_t, origin), 8 },

    { "url", GS_ADMIN_ARG_TEXT, offsetof(gs_admin_path_t, url),
      GS_ADMIN_ARG + 1 },

    { "month", GS_ADMIN_ARG_TEXT, offsetof(gs_admin_path_t, month), 8 },

    { "format", GS_ADMIN_ARG_TEXT, offsetof(gs_admin_path_t, format), 8 },

    { "timeout", GS_ADMIN_ARG_FLAG, 0, 0 }
};


gs_rc_t
gs_admin_query(gs_admin_call_t *c)
{
    size_t    at, eq;
    gs_str_t  path, args, one, name, value;
    unsigned  seen;

    path = c->q->path;
    name = gs_str_text(GS_ADMIN_PREFIX);

    memset(&c->path, 0, sizeof(gs_admin_path_t));
    c->path.limit = GS_ADMIN_PAGE;

    if (!gs_str_prefix(&path, &name)) {
        return gs_admin_fail(c, 404, "NOT_FOUND", "", NULL,
                             "the API stands under " GS_ADMIN_PREFIX);
    }

    path.data += name.len;
    path.len -= name.len;

    if (gs_admin_query_segment(c, &path, c->path.resource,
                               sizeof(c->path.resource)) != GS_OK
        || gs_admin_query_segment(c, &path, c->path.id, sizeof(c->path.id))
           != GS_OK
        || gs_admin_query_segment(c, &path, c->path.action,
                                  sizeof(c->path.action)) != GS_OK)
    {
        return GS_ERROR;
    }

    if (path.data != NULL || c->path.resource[0] == '\0') {
        return gs_admin_fail(c, 404, "BAD_PATH", "", NULL,
                             "a path is /RESOURCE, /RESOURCE/ID or "
                             "/RESOURCE/ID/ACTION");
    }

    seen = 0;

    for (args = c->q->args; args.len != 0; /* void */ ) {

        at = gs_str_chr(&args, 0, '&');
        one = gs_str_make(args.data, at);
        at += (at < args.len);
        args = gs_str_make(args.data + at, args.len - at);

        eq = gs_str_chr(&one, 0, '=');
        name = gs_str_make(one.data, eq);
        eq += (eq < one.len);
        value = gs_str_make(one.data + eq, one.len - eq);

        if (gs_admin_query_arg(c, &name, &value, &seen) != GS_OK) {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


/* What stands before the next "/"; path->data is NULL behind the last. */

static gs_rc_t
gs_admin_query_segment(gs_admin_call_t *c, gs_str_t *path, char *dst,
    size_t size)
{
    size_t  at;

    dst[0] = '\0';

    if (path->data == NULL) {
        return GS_OK;
    }

    at = gs_str_chr(path, 0, '/');

    if (at >= size || !gs_admin_query_id(path->data, at)) {
        return gs_admin_fail(c, 404, "BAD_PATH", "", NULL,
                             "names in a path are 1 to %u letters, digits, "
                             "\"-\", \"_\" and \".\", a letter or digit "
                             "first; nothing is encoded", GS_ADMIN_ID);
    }

    memcpy(dst, path->data, at);
    dst[at] = '\0';

    if (at == path->len) {
        path->data = NULL;
        path->len = 0;
        return GS_OK;
    }

    path->data += at + 1;
    path->len -= at + 1;

    return GS_OK;
}


static gs_rc_t
gs_admin_query_arg(gs_admin_call_t *c, const gs_str_t *name,
    const gs_str_t *value, unsigned *seen)
{
    size_t      len;
    gs_str_t    text;
    unsigned    i;
    gs_uchar_t  buf[GS_ADMIN_ARG + 1];

    for (i = 0; i < GS_ADMIN_ARGS; i++) {
        if (gs_str_eq_text(name, gs_admin_args[i].name)) {
            break;
        }
    }

    if (i == GS_ADMIN_ARGS) {
        return gs_admin_fail(c, 400, "UNKNOWN_PARAMETER", "",
                             "allowed: limit, cursor, platform, pool, "
                             "origin, dry_run, wait, timeout, url, month, "
                             "format",
                             "unknown parameter \"%.*s\"",
                             (int) (name->len > 32 ? 32 : name->len),
                             (const char *) name->data);
    }

    if ((*seen & (1u << i)) != 0) {
        return gs_admin_fail(c, 400, "BAD_PARAMETER", "", NULL,
                             "parameter \"%s\" comes twice",
                             gs_admin_args[i].name);
    }

    *seen |= 1u << i;

    if (gs_admin_query_decode(value, buf, sizeof(buf) - 1, &len) != GS_OK) {
        return gs_admin_fail(c, 400, "BAD_PARAMETER", "", NULL,
                             "parameter \"%s\" is too long or badly encoded",
                             gs_admin_args[i].name);
    }

    text = gs_str_make(buf, len);

    return gs_admin_query_set(c, &gs_admin_args[i], &text);
}


static gs_rc_t
gs_admin_query_set(gs_admin_call_t *c, const gs_admin_arg_t *arg,
    const gs_str_t *text)
{
    char      *dst;
    uint64_t   n;

    switch (arg->type) {

    case GS_ADMIN_ARG_LIMIT:

        if (gs_parse_u64(text, &n) != GS_OK || n == 0
            || n > GS_ADMIN_PAGE_MAX)
        {
            return gs_admin_fail(c, 400, "BAD_PARAMETER", "", NULL,
                                 "limit is 1 to %u", GS_ADMIN_PAGE_MAX);
        }

        c->path.limit = (unsigned) n;
        return GS_OK;

    case GS_ADMIN_ARG_FLAG:
        return gs_admin_query_flag(c, arg, text);

    default:
        break;
    }

    if (strcmp(arg->name, "origin") == 0
        && !gs_str_eq_text(text, "api") && !gs_str_eq_text(text, "file")
        && !gs_str_eq_text(text, "all"))
    {
        return gs_admin_fail(c, 400, "BAD_PARAMETER", "", "api, file, all",
                             "no such origin");
    }

    if (text->len >= arg->size
        || (arg->type == GS_ADMIN_ARG_ID
            && !gs_admin_query_id(text->data, text->len)))
    {
        return gs_admin_fail(c, 400, "BAD_PARAMETER", "", NULL,
                             "parameter \"%s\" is no identifier", arg->name);
    }

    dst = (char *) &c->path + arg->offset;
    memcpy(dst, text->data, text->len);
    dst[text->len] = '\0';

    return GS_OK;
}


static gs_rc_t
gs_admin_query_flag(gs_admin_call_t *c, const gs_admin_arg_t *arg,
    const gs_str_t *text)
{
    uint64_t  msec;

    if (strcmp(arg->name, "dry_run") == 0
        && (gs_str_eq_text(text, "1") || gs_str_eq_text(text, "0")))
    {
        c->path.dry_run = (text->data[0] == '1');
        return GS_OK;
    }

    /* an answer comes when all workers of the node use the change, always */

    if (strcmp(arg->name, "wait") == 0 && gs_str_eq_text(text, "applied")) {
        c->path.wait = 1;
        return GS_OK;
    }

    if (strcmp(arg->name, "timeout") == 0
        && gs_parse_msec(text, &msec) == GS_OK && msec <= 60000)
    {
        return GS_OK;
    }

    return gs_admin_fail(c, 400, "BAD_PARAMETER", "",
                         "dry_run=1, wait=applied, timeout=5s",
                         "bad value of parameter \"%s\"", arg->name);
}


static gs_rc_t
gs_admin_query_decode(const gs_str_t *s, gs_uchar_t *dst, size_t size,
    size_t *len)
{
    size_t    i, n;
    gs_str_t  hex;

    n = 0;

    for (i = 0; i < s->len; i++) {

        if (n == size) {
            return GS_ERROR;
        }

        dst[n] = s->data[i];

        if (s->data[i] == '%') {

            if (s->len - i < 3) {
                return GS_ERROR;
            }

            hex = gs_str_make(s->data + i + 1, 2);

            if (gs_hex_decode(dst + n, &hex) != GS_OK) {
                return GS_ERROR;
            }

            i += 2;
        }

        if (dst[n] < 0x20 || dst[n] == 0x7f) {
            return GS_ERROR;
        }

        n++;
    }

    *len = n;

    return GS_OK;
}


static unsigned
gs_admin_query_id(const gs_uchar_t *p, size_t len)
{
    size_t  i;

    if (len == 0 || (!gs_is_alpha(p[0]) && !gs_is_digit(p[0]))) {
        return 0;
    }

    for (i = 1; i < len; i++) {
        if (!gs_is_alpha(p[i]) && !gs_is_digit(p[i]) && p[i] != '-'
            && p[i] != '_' && p[i] != '.')
        {
            return 0;
        }
    }

    return 1;
}
