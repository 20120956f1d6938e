
/*
 * Copyright (C) govsvc authors
 *
 * What stands: changes, this node, explanations, the snapshot.
 */


#include "admin/gs_admin_priv.h"

#include <stdio.h>


#define GS_ADMIN_EXPLAIN  65536


static gs_rc_t gs_admin_only(gs_admin_call_t *c, const char *methods);
static gs_rc_t gs_admin_explain_url(gs_admin_call_t *c, const gs_str_t *url,
    gs_route_input_t *in, gs_uchar_t *path);
static gs_str_t gs_admin_explain_header(void *ctx, const gs_str_t *name);
static gs_str_t gs_admin_explain_claim(void *ctx, const gs_str_t *name);
static gs_str_t gs_admin_explain_value(const json_t *map,
    const gs_str_t *name);
static gs_rc_t gs_admin_accept(gs_admin_call_t *c);
static gs_rc_t gs_admin_import(gs_admin_call_t *c);
static gs_rc_t gs_admin_import_kind(gs_admin_call_t *c,
    gs_route_doc_kind_e kind, json_t *list);
static gs_rc_t gs_admin_import_gone(gs_admin_call_t *c,
    gs_route_doc_kind_e kind, const json_t *list);


/* A resource that is one thing, with these methods: "GET, POST". */

static gs_rc_t
gs_admin_only(gs_admin_call_t *c, const char *methods)
{
    size_t    at;
    gs_str_t  method, rest, one;

    if (c->path.id[0] != '\0') {
        return gs_admin_fail(c, 404, "BAD_PATH", "", NULL,
                             "nothing stands below \"%s\"",
                             c->resource->name);
    }

    method = gs_admin_writes(c->q) ? c->q->method : gs_str_text("GET");

    for (rest = gs_str_text(methods); rest.len != 0; /* void */ ) {

        at = gs_str_chr(&rest, 0, ',');
        one = gs_str_make(rest.data, at);

        if (gs_str_eq(&one, &method)) {
            return GS_OK;
        }

        at += (at < rest.len) ? 2 : 0;
        rest = gs_str_make(rest.data + at, rest.len - at);
    }

    memcpy(c->r->allow, methods, strlen(methods) + 1);

    return gs_admin_fail(c, 405, "METHOD_NOT_ALLOWED", "", NULL,
                         "allowed here: %s", methods);
}


gs_rc_t
gs_admin_changes(gs_admin_call_t *c)
{
    size_t         i;
    json_t        *list, *one;
    const char    *platform;
    const json_t  *changes;

    if (gs_admin_only(c, "GET") != GS_OK) {
        return GS_ERROR;
    }

    changes = c->admin->doc->changes;
    list = json_array();

    /* the newest first; a province sees its own */

    for (i = json_array_size(changes); i != 0; i--) {
        one = json_array_get(changes, i - 1);
        platform = json_string_value(json_object_get(one, "platform"));

        if (json_array_size(list) == c->path.limit) {
            break;
        }

        if (c->tenant != NULL
            && (platform == NULL || strcmp(platform, c->tenant) != 0))
        {
            continue;
        }

        (void) json_array_append(list, one);
    }

    c->r->status = 200;
    c->r->body = json_pack("{s:o, s:I}", "items", list, "revision",
                           (json_int_t) c->admin->doc->revision);

    return (c->r->body != NULL) ? GS_OK : gs_admin_nomem(c);
}


gs_rc_t
gs_admin_nodes(gs_admin_call_t *c)
{
    json_t                 *node;
    const gs_admin_host_t  *host;

    if (gs_admin_only(c, "GET") != GS_OK) {
        return GS_ERROR;
    }

    host = c->admin->host;

    node = json_pack("{s:I, s:b}", "revision",
                     (json_int_t) c->admin->doc->revision, "writable",
                     !c->admin->read_only);

    if (node == NULL
        || (host->node != NULL && host->node(host->ctx, node) != GS_OK))
    {
        json_decref(node);
        return gs_admin_nomem(c);
    }

    c->r->status = 200;
    c->r->body = (host->nodes != NULL)
                 ? json_pack("{s:o, s:o}", "items", host->nodes(host->ctx),
                             "node", node)
                 : json_pack("{s:[o]}", "items", node);

    return (c->r->body != NULL) ? GS_OK : gs_admin_nomem(c);
}


/*
 * GET /explain?url=..., or POST /explain with {"url", "method", "headers",
 * "claims", "region"}: the table as this node compiles it now.
 */

gs_rc_t
gs_admin_explain(gs_admin_call_t *c)
{
    void              *out, *path;
    size_t             size;
    json_t            *root;
    gs_buf_t           b;
    gs_str_t           url, method;
    uint32_t           index;
    gs_route_input_t   in;
    gs_route_table_t  *table;

    if (gs_admin_only(c, "GET, POST") != GS_OK) {
        return GS_ERROR;
    }

    url = gs_str_text(c->path.url);
    method = gs_admin_str(json_object_get(c->body, "method"));

    if (c->body != NULL) {
        url = gs_admin_str(json_object_get(c->body, "url"));
    }

    root = gs_route_doc_root(c->admin->doc, 0, GS_ADMIN_NO_KIND, NULL,
                             &index);

    if (root == NULL
        || gs_route_compile_root(c->admin->mem, root, c->admin->regions,
                                 &table, &size, NULL)
           != GS_OK)
    {
        json_decref(root);
        return gs_admin_nomem(c);
    }

    json_decref(root);

    out = gs_alloc(c->admin->mem, GS_ADMIN_EXPLAIN);
    path = gs_alloc(c->admin->mem, url.len + 1);

    memset(&in, 0, sizeof(gs_route_input_t));
    in.method = (method.len != 0) ? method : gs_str_text("GET");
    in.header = gs_admin_explain_header;
    in.claim = gs_admin_explain_claim;
    in.ctx = c;

    if (out == NULL || path == NULL) {
        (void) gs_admin_nomem(c);

    } else if (gs_admin_explain_url(c, &url, &in, path) == GS_OK) {

        gs_buf_init(&b, out, GS_ADMIN_EXPLAIN);
        (void) gs_route_explain(table, &in, &b, 1,
                                c->tenant != NULL ? 1 : 50);

        c->r->status = 200;
        c->r->body = b.overflow ? NULL
                     : json_loadb((char *) b.start, gs_buf_len(&b), 0, NULL);

        if (c->r->body == NULL) {
            (void) gs_admin_nomem(c);
        }
    }

    gs_free(c->admin->mem, out);
    gs_free(c->admin->mem, path);
    gs_free(c->admin->mem, table);

    return (c->r->code == NULL) ? GS_OK : GS_ERROR;
}


static gs_rc_t
gs_admin_explain_url(gs_admin_call_t *c, const gs_str_t *url,
    gs_route_input_t *in, gs_uchar_t *path)
{
    size_t    at;
    gs_str_t  target, scheme;

    target = (url->len != 0) ? *url : gs_str_text("");
    scheme = gs_str_text("http://");

    if (gs_str_prefix(&target, &scheme)) {
        target = gs_str_make(target.data + scheme.len,
                             target.len - scheme.len);

    } else {
        scheme = gs_str_text("https://");

        if (gs_str_prefix(&target, &scheme)) {
            target = gs_str_make(target.data + scheme.len,
                                 target.len - scheme.len);
        }
    }

    at = gs_str_chr(&target, 0, '/');
    in->host = gs_str_make(target.data, at);
    in->host.len = gs_str_chr(&in->host, 0, ':');
    target = gs_str_make(target.data + at, target.len - at);

    if (target.len == 0
        || gs_route_uri_check(&target, NULL) != GS_ROUTE_URI_SAFE)
    {
        return gs_admin_fail(c, 400, "BAD_PARAMETER", "/url",
                             "url=https://gd.gov.example/44/portal",
                             "\"url\" is no address that a route would take");
    }

    gs_route_uri_split(&target, path, &in->uri, &in->args);

    return GS_OK;
}


static gs_str_t
gs_admin_explain_header(void *ctx, const gs_str_t *name)
{
    gs_admin_call_t *c = ctx;

    return gs_admin_explain_value(json_object_get(c->body, "headers"), name);
}


static gs_str_t
gs_admin_explain_claim(void *ctx, const gs_str_t *name)
{
    gs_admin_call_t *c = ctx;

    return gs_admin_explain_value(json_object_get(c->body, "claims"), name);
}


static gs_str_t
gs_admin_explain_value(const json_t *map, const gs_str_t *name)
{
    char  key[128];

    if (name->len >= sizeof(key)) {
        return gs_str_make(NULL, 0);
    }

    memcpy(key, name->data, name->len);
    key[name->len] = '\0';

    return gs_admin_str(json_object_get(map, key));
}


/* POST /validate with a whole platforms.json: would it stand by itself? */

gs_rc_t
gs_admin_validate(gs_admin_call_t *c)
{
    size_t             size;
    gs_err_t           err;
    gs_route_table_t  *table;

    if (gs_admin_only(c, "POST") != GS_OK) {
        return GS_ERROR;
    }

    if (c->body == NULL) {
        return gs_admin_fail(c, 400, "BAD_JSON", "", NULL,
                             "POST a platforms.json");
    }

    if (gs_route_compile(c->admin->mem, &c->q->body, c->admin->regions,
                         &table, &size, &err)
        != GS_OK)
    {
        return gs_admin_fail(c, 422, "INVALID", err.pointer, NULL,
                             "%s, line %u", err.text, err.line);
    }

    c->r->status = 200;
    c->r->body = json_pack("{s:b, s:i, s:i, s:i, s:I}", "valid", 1,
                           "platforms", (int) gs_route_platforms(table),
                           "instances", (int) gs_route_instances(table),
                           "routes", (int) gs_route_routes(table),
                           "bytes", (json_int_t) size);

    gs_free(c->admin->mem, table);

    return (c->r->body != NULL) ? GS_OK : gs_admin_nomem(c);
}


/*
 * GET: the objects of the API (origin=file and api: of both), just as they
 * would stand in platforms.json.  PUT: these and no others, in one step.
 */

gs_rc_t
gs_admin_snapshot(gs_admin_call_t *c)
{
    char       etag[GS_ADMIN_ETAG];
    uint32_t   index;
    gs_str_t   s;

    if (strcmp(c->path.id, "accept") == 0 && c->path.action[0] == '\0') {
        return gs_admin_accept(c);
    }

    if (gs_admin_only(c, "GET, PUT") != GS_OK) {
        return GS_ERROR;
    }

    (void) snprintf(etag, sizeof(etag), "\"snapshot.%llu\"",
                    (unsigned long long) c->admin->doc->revision);

    if (!gs_admin_writes(c->q)) {
        memcpy(c->r->etag, etag, sizeof(etag));

        c->r->status = 200;
        c->r->body = gs_route_doc_root(c->admin->doc,
                                       strcmp(c->path.origin, "all") != 0,
                                       GS_ADMIN_NO_KIND, NULL, &index);

        /* no part of what was written */

        (void) json_object_del(c->r->body, "resolved");

        return (c->r->body != NULL) ? GS_OK : gs_admin_nomem(c);
    }

    if (c->admin->read_only) {
        return gs_admin_fail(c, 409, "READ_ONLY", "",
                             "govsvc_registry needs \"snapshot=\"",
                             "this node has no place to keep changes");
    }

    if (c->q->if_match.data == NULL) {
        return gs_admin_fail(c, 428, "PRECONDITION_REQUIRED", "", NULL,
                             "an import names the snapshot it was made for");
    }

    s = gs_str_text(etag);

    if (!gs_str_eq(&c->q->if_match, &s)) {
        memcpy(c->r->etag, etag, sizeof(etag));
        return gs_admin_fail(c, 412, "PRECONDITION_FAILED", "", NULL,
                             "the registry was changed, it is %s now", etag);
    }

    return gs_admin_import(c);
}


/*
 * POST /snapshot/accept {"from": "node"}: what this node has goes on for all;
 * {"from": "store"}: what the store has does, whatever nodes have.
 */

static gs_rc_t
gs_admin_accept(gs_admin_call_t *c)
{
    gs_str_t                from;
    unsigned                store;
    const gs_admin_host_t  *host;

    host = c->admin->host;

    if (!gs_str_eq_text(&c->q->method, "POST")) {
        memcpy(c->r->allow, "POST", sizeof("POST"));
        return gs_admin_fail(c, 405, "METHOD_NOT_ALLOWED", "", NULL,
                             "allowed here: POST");
    }

    if (host->accept == NULL) {
        return gs_admin_fail(c, 409, "NOT_SHARED", "", NULL,
                             "this node shares its objects with nobody");
    }

    from = gs_admin_str(json_object_get(c->body, "from"));
    store = gs_str_eq_text(&from, "store");

    if (!store && !gs_str_eq_text(&from, "node")) {
        return gs_admin_fail(c, 422, "INVALID", "/from", NULL,
                             "\"from\" is \"node\" or \"store\"");
    }

    c->r->status = 200;
    c->r->body = json_pack("{s:s}", "accepted", store ? "store" : "node");

    if (c->r->body == NULL || host->accept(host->ctx, store) != GS_OK) {
        return gs_admin_nomem(c);
    }

    return GS_OK;
}


static gs_rc_t
gs_admin_import(gs_admin_call_t *c)
{
    void                 *iter;
    json_t               *list;
    unsigned              i;
    const char           *key;

    if (c->body == NULL) {
        return gs_admin_fail(c, 400, "BAD_JSON", "", NULL,
                             "the body is missing");
    }

    for (iter = json_object_iter(c->body);
         iter != NULL;
         iter = json_object_iter_next(c->body, iter))
    {
        key = json_object_iter_key(iter);

        for (i = 0; i < GS_ROUTE_DOC_TABLE; i++) {
            if (strcmp(key, gs_route_doc_names[i]) == 0) {
                break;
            }
        }

        if (i == GS_ROUTE_DOC_TABLE
            || !json_is_array(json_object_iter_value(iter)))
        {
            return gs_admin_fail(c, 422, "INVALID", "", NULL,
                                 "\"%s\" is no array of platforms.json", key);
        }
    }

    for (i = 0; i < GS_ROUTE_DOC_TABLE; i++) {
        list = json_object_get(c->body, gs_route_doc_names[i]);

        if (gs_admin_import_gone(c, i, list) != GS_OK
            || gs_admin_import_kind(c, i, list) != GS_OK)
        {
            return GS_ERROR;
        }
    }

    if (json_array_size(c->undo) == 0) {
        c->r->status = 204;
        return GS_OK;
    }

    c->r->status = 200;
    c->r->body = json_pack("{s:i}", "changed",
                           (int) json_array_size(c->undo));

    return gs_admin_commit(c);
}


static gs_rc_t
gs_admin_import_gone(gs_admin_call_t *c, gs_route_doc_kind_e kind,
    const json_t *list)
{
    void     *iter;
    size_t    i;
    json_t   *map, *gone, *kept;
    gs_rc_t   rc;
    gs_str_t  s;

    map = c->admin->doc->api[kind];
    gone = json_array();
    kept = json_object();
    rc = GS_OK;

    for (i = 0; i < json_array_size(list); i++) {
        s = gs_admin_str(json_object_get(json_array_get(list, i), "id"));

        if (s.data != NULL) {
            (void) json_object_set_new(kept, (const char *) s.data,
                                       json_true());
        }
    }

    for (iter = json_object_iter(map);
         iter != NULL;
         iter = json_object_iter_next(map, iter))
    {
        if (json_object_get(kept, json_object_iter_key(iter)) == NULL) {
            (void) json_array_append_new(gone, json_string(
                                             json_object_iter_key(iter)));
        }
    }

    for (i = 0; rc == GS_OK && i < json_array_size(gone); i++) {
        rc = gs_admin_put(c, kind, json_string_value(json_array_get(gone, i)),
                          NULL);
    }

    json_decref(gone);
    json_decref(kept);

    return rc;
}


static gs_rc_t
gs_admin_import_kind(gs_admin_call_t *c, gs_route_doc_kind_e kind,
    json_t *list)
{
    size_t                      i;
    json_t                     *object, *record, *next;
    gs_rc_t                     rc;
    const char                 *id;
    const gs_admin_resource_t  *row;

    for (row = gs_admin_resources; row->kind != kind; row++) { /* void */ }

    for (i = 0; i < json_array_size(list); i++) {
        object = json_array_get(list, i);
        id = json_string_value(json_object_get(object, "id"));

        if (id == NULL) {
            return gs_admin_fail(c, 422, "INVALID", "", NULL,
                                 "an object of \"%s\" has no \"id\"",
                                 gs_route_doc_names[kind]);
        }

        record = json_object_get(c->admin->doc->api[kind], id);

        if (json_equal(object, json_object_get(record, "object"))) {
            continue;
        }

        if (json_object_get(c->admin->doc->fixed[kind], id) != NULL) {
            return gs_admin_fail(c, 409, "STATIC_OBJECT", "", NULL,
                                 "\"%s\" comes from a file of the operator",
                                 id);
        }

        if (row->check(c, object, record) != GS_OK) {
            return GS_ERROR;
        }

        next = gs_admin_record(c, object, record, "active");

        rc = (next != NULL) ? gs_admin_put(c, kind, id, next)
                            : gs_admin_nomem(c);
        json_decref(next);

        if (rc != GS_OK) {
            return GS_ERROR;
        }
    }

    return GS_OK;
}
