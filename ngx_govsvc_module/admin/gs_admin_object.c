
/*
 * Copyright (C) govsvc authors
 *
 * Objects: lists, reading, writing with strong ETags.  A write names the
 * state it was made for, or is refused.
 */


#include "admin/gs_admin_priv.h"

#include <stdio.h>


static gs_rc_t gs_admin_list(gs_admin_call_t *c);
static gs_rc_t gs_admin_list_map(gs_admin_call_t *c, json_t *map,
    const json_t *over, json_t *list, unsigned *seen);
static unsigned gs_admin_list_wanted(gs_admin_call_t *c, json_t *object);
static gs_rc_t gs_admin_get(gs_admin_call_t *c);
static gs_rc_t gs_admin_show_health(gs_admin_call_t *c, json_t *object,
    json_t *shown);
static gs_rc_t gs_admin_write(gs_admin_call_t *c);
static gs_rc_t gs_admin_store(gs_admin_call_t *c, json_t *object,
    json_t *record);
static json_t *gs_admin_owned(gs_admin_call_t *c, const json_t *object,
    json_t *record);
static gs_rc_t gs_admin_remove(gs_admin_call_t *c, json_t *record);
static gs_rc_t gs_admin_post(gs_admin_call_t *c, json_t *record);
static gs_rc_t gs_admin_method(gs_admin_call_t *c, const char *allow);
static const char *gs_admin_status(gs_admin_call_t *c, json_t *object,
    json_t *record);
static json_t *gs_admin_proof_nonce(gs_admin_call_t *c, const json_t *object,
    const json_t *record);
static gs_rc_t gs_admin_done(gs_admin_call_t *c, unsigned status);


gs_rc_t
gs_admin_objects(gs_admin_call_t *c)
{
    if (!gs_admin_writes(c->q)) {

        if (c->path.action[0] != '\0') {
            return gs_admin_method(c, "POST");
        }

        return (c->path.id[0] == '\0') ? gs_admin_list(c) : gs_admin_get(c);
    }

    if (c->path.id[0] == '\0') {
        return gs_admin_method(c, "GET");
    }

    if (c->admin->read_only) {
        return gs_admin_fail(c, 409, "READ_ONLY", "",
                             "govsvc_registry needs \"snapshot=\"",
                             "this node has no place to keep changes");
    }

    return gs_admin_write(c);
}


static gs_rc_t
gs_admin_method(gs_admin_call_t *c, const char *allow)
{
    memcpy(c->r->allow, allow, strlen(allow) + 1);

    return gs_admin_fail(c, 405, "METHOD_NOT_ALLOWED", "", NULL,
                         "allowed here: %s", allow);
}


static gs_rc_t
gs_admin_list(gs_admin_call_t *c)
{
    json_t               *list;
    unsigned              seen;
    gs_route_doc_t       *doc;
    gs_route_doc_kind_e   kind;

    doc = c->admin->doc;
    kind = c->resource->kind;
    list = json_array();

    /* behind the object of the cursor; from the start without one */

    seen = (c->path.cursor[0] == '\0');

    if (gs_admin_list_map(c, doc->fixed[kind], NULL, list, &seen) != GS_OK
        || gs_admin_list_map(c, doc->api[kind], doc->fixed[kind], list, &seen)
           != GS_OK)
    {
        json_decref(list);
        return gs_admin_nomem(c);
    }

    if (!seen) {
        json_decref(list);
        return gs_admin_fail(c, 410, "CURSOR_GONE", "",
                             "begin again without a cursor",
                             "the object of the cursor is gone");
    }

    c->r->status = 200;
    c->r->body = json_pack("{s:o, s:I}", "items", list, "revision",
                           (json_int_t) doc->revision);

    if (c->r->body == NULL) {
        return gs_admin_nomem(c);
    }

    if (json_array_size(list) > c->path.limit) {
        (void) json_array_remove(list, c->path.limit);

        return json_object_set(c->r->body, "next",
                               json_object_get(json_array_get(list,
                                                   c->path.limit - 1),
                                               "id")) == 0
               ? GS_OK : gs_admin_nomem(c);
    }

    return GS_OK;
}


/* One more than asked for tells that there is a next page. */

static gs_rc_t
gs_admin_list_map(gs_admin_call_t *c, json_t *map, const json_t *over,
    json_t *list, unsigned *seen)
{
    void        *iter;
    json_t      *record, *object;
    const char  *key;

    if (strcmp(c->path.origin, over == NULL ? "api" : "file") == 0) {
        return GS_OK;
    }

    for (iter = json_object_iter(map);
         iter != NULL && json_array_size(list) <= c->path.limit;
         iter = json_object_iter_next(map, iter))
    {
        key = json_object_iter_key(iter);
        record = (over != NULL) ? json_object_iter_value(iter) : NULL;
        object = (over != NULL) ? json_object_get(record, "object")
                                : json_object_iter_value(iter);

        if ((over != NULL && json_object_get(over, key) != NULL)
            || !gs_admin_list_wanted(c, object))
        {
            continue;
        }

        if (!*seen) {
            *seen = (strcmp(key, c->path.cursor) == 0);
            continue;
        }

        if (json_array_append_new(list, gs_admin_show(c, c->resource->kind,
                                                      object, record))
            != 0)
        {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


static unsigned
gs_admin_list_wanted(gs_admin_call_t *c, json_t *object)
{
    const char  *text;

    if (!gs_admin_sees(c, c->resource->kind, object)) {
        return 0;
    }

    if (c->path.platform[0] != '\0') {
        text = gs_admin_platform(c->admin->doc, c->resource->kind, object);

        if (text == NULL || strcmp(text, c->path.platform) != 0) {
            return 0;
        }
    }

    if (c->path.pool[0] != '\0') {
        text = json_string_value(json_object_get(object, "pool"));

        if (text == NULL || strcmp(text, c->path.pool) != 0) {
            return 0;
        }
    }

    return 1;
}


static gs_rc_t
gs_admin_get(gs_admin_call_t *c)
{
    json_t    *object, *record;
    gs_str_t   etag;

    object = gs_route_doc_find(c->admin->doc, c->resource->kind, c->path.id,
                               &record);

    if (object == NULL || !gs_admin_sees(c, c->resource->kind, object)) {
        return gs_admin_fail(c, 404, "NOT_FOUND", "", NULL,
                             "no \"%s\" in \"%s\"", c->path.id,
                             c->resource->name);
    }

    gs_admin_etag(c->r->etag, object, record);
    etag = gs_str_text(c->r->etag);

    if (c->q->if_none_match.data != NULL
        && gs_str_eq(&c->q->if_none_match, &etag))
    {
        c->r->status = 304;
        return GS_OK;
    }

    c->r->status = 200;
    c->r->body = gs_admin_show(c, c->resource->kind, object, record);

    return (c->r->body != NULL) ? GS_OK : gs_admin_nomem(c);
}


json_t *
gs_admin_show(gs_admin_call_t *c, gs_route_doc_kind_e kind, json_t *object,
    json_t *record)
{
    char                      etag[GS_ADMIN_ETAG];
    json_t                   *shown, *meta, *value;
    unsigned                  i;
    static const char *const  keys[] = {
        "gen", "rev", "by", "created", "updated", "status", "proof", "why",
        "proposal", "expired", "owner"
    };

    gs_admin_etag(etag, object, record);

    shown = json_copy(object);
    meta = json_pack("{s:s, s:s}", "etag", etag, "origin",
                     record != NULL ? "api" : "file");

    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        value = json_object_get(record, keys[i]);

        if (value != NULL && json_object_set(meta, keys[i], value) != 0) {
            json_decref(shown);
            json_decref(meta);
            return NULL;
        }
    }

    if (json_object_set_new(shown, "meta", meta) != 0) {
        json_decref(shown);
        return NULL;
    }

    if (kind == GS_ROUTE_DOC_INSTANCES
        && gs_admin_show_health(c, object, shown) != GS_OK)
    {
        json_decref(shown);
        return NULL;
    }

    return shown;
}


static gs_rc_t
gs_admin_show_health(gs_admin_call_t *c, json_t *object, json_t *shown)
{
    json_t                 *health, *resolved;
    gs_str_t                name;
    unsigned                port;
    const char             *id;
    const gs_admin_host_t  *host;

    host = c->admin->host;
    id = json_string_value(json_object_get(object, "id"));

    if (!gs_admin_named(object, &name, &port)) {
        health = (host->health != NULL) ? host->health(host->ctx, id) : NULL;

        return (health == NULL
                || json_object_set_new(shown, "health", health) == 0)
               ? GS_OK : GS_ERROR;
    }

    resolved = gs_admin_named_show(c->admin, id, host->health, host->ctx,
                                   &health);

    if (resolved == NULL) {
        resolved = json_pack("{s:[]}", "addresses");
    }

    if ((health != NULL && json_object_set_new(shown, "health", health) != 0)
        || (host->resolved != NULL
            && host->resolved(host->ctx, id, resolved) != GS_OK))
    {
        json_decref(resolved);
        return GS_ERROR;
    }

    return (json_object_set_new(shown, "resolved", resolved) == 0)
           ? GS_OK : GS_ERROR;
}


/*
 * Strong: the generation keeps one that was removed and made again apart from
 * its former self.  An object of a file has the hash of its text.
 */

void
gs_admin_etag(char *etag, const json_t *object, const json_t *record)
{
    char      *text, *p;
    uint64_t   hash;

    if (record != NULL) {
        (void) snprintf(etag, GS_ADMIN_ETAG, "\"%lld.%lld\"",
                        (long long) json_integer_value(
                                        json_object_get(record, "gen")),
                        (long long) json_integer_value(
                                        json_object_get(record, "rev")));
        return;
    }

    text = json_dumps(object, JSON_COMPACT|JSON_SORT_KEYS);
    hash = 0xcbf29ce484222325ull;

    for (p = text; p != NULL && *p != '\0'; p++) {
        hash = (hash ^ (gs_uchar_t) *p) * 0x100000001b3ull;
    }

    free(text);

    (void) snprintf(etag, GS_ADMIN_ETAG, "\"file.%016llx\"",
                    (unsigned long long) hash);
}


gs_rc_t
gs_admin_match(gs_admin_call_t *c, const json_t *object,
    const json_t *record)
{
    gs_str_t  etag;

    if (c->q->if_none_match.data != NULL) {

        if (!gs_str_eq_text(&c->q->if_none_match, "*")
            || c->q->if_match.data != NULL)
        {
            return gs_admin_fail(c, 400, "BAD_PRECONDITION", "",
                                 "If-None-Match: * to create, If-Match to "
                                 "change", "preconditions that say nothing");
        }

        if (object == NULL) {
            return GS_OK;
        }

        gs_admin_etag(c->r->etag, object, record);

        return gs_admin_fail(c, 412, "EXISTS", "", NULL,
                             "\"%s\" is there already", c->path.id);
    }

    if (c->q->if_match.data == NULL) {
        return gs_admin_fail(c, 428, "PRECONDITION_REQUIRED", "",
                             "If-Match: \"ETAG\" to change, If-None-Match: * "
                             "to create",
                             "a write names the state it was made for");
    }

    if (object == NULL) {
        return gs_admin_fail(c, 412, "PRECONDITION_FAILED", "", NULL,
                             "there is no \"%s\"", c->path.id);
    }

    gs_admin_etag(c->r->etag, object, record);
    etag = gs_str_text(c->r->etag);

    if (!gs_str_eq(&etag, &c->q->if_match)) {
        return gs_admin_fail(c, 412, "PRECONDITION_FAILED", "",
                             "read it again and repeat the change",
                             "\"%s\" was changed, it is %s now", c->path.id,
                             c->r->etag);
    }

    return GS_OK;
}


static gs_rc_t
gs_admin_write(gs_admin_call_t *c)
{
    json_t    *object, *record, *next;
    gs_rc_t    rc;

    object = gs_route_doc_find(c->admin->doc, c->resource->kind, c->path.id,
                               &record);

    /* whose it is comes first: nobody learns of objects of others */

    if (object != NULL && !gs_admin_sees(c, c->resource->kind, object)) {
        return gs_admin_fail(c, 403, "SCOPE_PLATFORM", "", NULL,
                             "\"%s\" is not for credential \"%s\"",
                             c->path.id, c->by);
    }

    if (gs_admin_match(c, object, record) != GS_OK) {
        return GS_ERROR;
    }

    if (object != NULL && record == NULL) {
        return gs_admin_fail(c, 409, "STATIC_OBJECT", "",
                             "\"maintenance\" can stop it meanwhile",
                             "\"%s\" comes from a file of the operator, "
                             "which has the last word", c->path.id);
    }

    if (gs_str_eq_text(&c->q->method, "DELETE")
        && c->path.action[0] == '\0')
    {
        return gs_admin_remove(c, record);
    }

    if (gs_str_eq_text(&c->q->method, "POST")) {
        return gs_admin_post(c, record);
    }

    if (c->path.action[0] != '\0'
        || (!gs_str_eq_text(&c->q->method, "PUT")
            && !gs_str_eq_text(&c->q->method, "PATCH")))
    {
        return gs_admin_method(c, "GET, PUT, PATCH, DELETE, POST");
    }

    if (c->body == NULL) {
        return gs_admin_fail(c, 400, "BAD_JSON", "", NULL,
                             "the body is missing");
    }

    if (gs_str_eq_text(&c->q->method, "PATCH")) {

        if (object == NULL) {
            return gs_admin_fail(c, 404, "NOT_FOUND", "", NULL,
                                 "there is nothing to patch");
        }

        next = gs_admin_patch(object, c->body);

    } else {
        next = json_copy(c->body);
    }

    if (next == NULL) {
        return gs_admin_nomem(c);
    }

    /* what we showed may come back with what was changed */

    (void) json_object_del(next, "meta");

    if (c->resource->kind == GS_ROUTE_DOC_INSTANCES) {
        (void) json_object_del(next, "health");
        (void) json_object_del(next, "resolved");
    }

    rc = gs_admin_store(c, next, record);
    json_decref(next);

    return rc;
}


static gs_rc_t
gs_admin_store(gs_admin_call_t *c, json_t *object, json_t *record)
{
    json_t      *next, *old;
    gs_rc_t      rc;
    gs_str_t     id;
    const char  *status;

    id = gs_admin_str(json_object_get(object, "id"));

    if (id.data == NULL) {
        if (json_object_set_new(object, "id", json_string(c->path.id)) != 0) {
            return gs_admin_nomem(c);
        }

    } else if (!gs_str_eq_text(&id, c->path.id)) {
        return gs_admin_fail(c, 422, "INVALID", "/id", NULL,
                             "\"id\" differs from the path");
    }

    old = json_incref(record);

    rc = (record == NULL) ? gs_admin_quota(c, c->resource->kind) : GS_OK;

    if (rc == GS_OK) {
        rc = c->resource->check(c, object, record);
    }

    if (rc != GS_OK) {
        json_decref(old);
        return GS_ERROR;
    }

    status = gs_admin_status(c, object, record);

    /* a rehearsal shows what the approval will bring */

    if (c->path.dry_run && strcmp(status, "proposed") == 0) {
        status = "active";
    }

    if (strcmp(status, "proposed") == 0 && record != NULL
        && gs_route_doc_active(c->resource->kind, record))
    {
        /* what runs goes on while the change waits */

        next = json_copy(record);

        if (json_object_set(next, "proposal", object) != 0
            || json_object_set_new(next, "proposed_by", json_string(c->by))
               != 0
            || json_object_set_new(next, "rev",
                                   json_integer((json_int_t)
                                       c->admin->doc->revision + 1)) != 0)
        {
            json_decref(next);
            next = NULL;
        }

    } else {
        next = gs_admin_record(c, object, record, status);
    }

    if (next != NULL && strcmp(status, "pending") == 0
        && json_object_set_new(next, "proof",
                               gs_admin_proof_nonce(c, object, record))
           != 0)
    {
        json_decref(next);
        next = NULL;
    }

    next = gs_admin_owned(c, object, next);

    rc = (next != NULL) ? gs_admin_put(c, c->resource->kind, c->path.id, next)
                        : gs_admin_nomem(c);

    if (rc == GS_OK) {
        c->r->body = gs_admin_show(c, c->resource->kind,
                                   json_object_get(next, "object"), next);
        gs_admin_etag(c->r->etag, object, next);
        rc = gs_admin_done(c, old == NULL ? 201 : 200);
    }

    json_decref(next);
    json_decref(old);

    return rc;
}


/* Whose networks the addresses of a name have to be in. */

static json_t *
gs_admin_owned(gs_admin_call_t *c, const json_t *object, json_t *record)
{
    gs_str_t  name;
    unsigned  port;

    if (record != NULL && c->role == GS_ADMIN_TENANT
        && c->resource->kind == GS_ROUTE_DOC_INSTANCES
        && gs_admin_named(object, &name, &port)
        && json_object_set_new(record, "owner", json_string(c->by)) != 0)
    {
        json_decref(record);
        return NULL;
    }

    return record;
}


/*
 * A province's routes wait for an operator, and its instances for the proof
 * that they are its own, unless the credential says otherwise.
 */

static const char *
gs_admin_status(gs_admin_call_t *c, json_t *object, json_t *record)
{
    size_t   i, n;
    json_t  *paths, *delegated;

    if (c->role != GS_ADMIN_TENANT) {
        return "active";
    }

    if (c->resource->kind == GS_ROUTE_DOC_INSTANCES) {
        return (c->admin->proof
                && !(gs_admin_same_place(object, record)
                     && gs_route_doc_active(GS_ROUTE_DOC_INSTANCES, record)))
               ? "pending" : "active";
    }

    if (c->resource->kind != GS_ROUTE_DOC_ROUTES) {
        return "active";
    }

    paths = json_object_get(json_object_get(object, "match"), "paths");
    delegated = json_object_get(c->scope, "delegated");
    n = json_array_size(paths);

    for (i = 0; i < n; i++) {
        if (!gs_admin_scope_path(delegated,
                                 json_string_value(json_array_get(paths, i))))
        {
            return "proposed";
        }
    }

    return (n != 0) ? "active" : "proposed";
}


/* What waits to be shown is the same until the peer moves. */

static json_t *
gs_admin_proof_nonce(gs_admin_call_t *c, const json_t *object,
    const json_t *record)
{
    json_t  *proof;

    proof = json_object_get(record, "proof");

    if (json_is_string(proof) && gs_admin_same_place(object, record)) {
        return json_incref(proof);
    }

    return json_stringn((const char *) c->q->nonce.data, c->q->nonce.len);
}


/* What was proved stays proved while the peer is where it was. */

unsigned
gs_admin_same_place(const json_t *object, const json_t *record)
{
    unsigned                  i;
    const json_t             *old, *a, *b;
    static const char *const  keys[] = { "pool", "address", "port" };

    if (record == NULL) {
        return 0;
    }

    old = json_object_get(record, "object");

    for (i = 0; i < 3; i++) {
        a = json_object_get(object, keys[i]);
        b = json_object_get(old, keys[i]);

        /* behind a name the port may stand in the address */

        if (a != b && !json_equal(a, b)) {
            return 0;
        }
    }

    return 1;
}


static gs_rc_t
gs_admin_remove(gs_admin_call_t *c, json_t *record)
{
    if (record == NULL) {
        return gs_admin_fail(c, 404, "NOT_FOUND", "", NULL,
                             "there is no \"%s\"", c->path.id);
    }

    if (c->resource->kind == GS_ROUTE_DOC_CREDENTIALS
        && strcmp(c->path.id, c->by) == 0)
    {
        return gs_admin_fail(c, 403, "OWN_CREDENTIAL", "", NULL,
                             "a credential does not change itself");
    }

    if (gs_admin_put(c, c->resource->kind, c->path.id, NULL) != GS_OK) {
        return GS_ERROR;
    }

    c->r->etag[0] = '\0';

    return gs_admin_done(c, 204);
}


static gs_rc_t
gs_admin_post(gs_admin_call_t *c, json_t *record)
{
    if (c->path.action[0] == '\0' || c->resource->action == NULL) {
        return gs_admin_method(c, "GET, PUT, PATCH, DELETE");
    }

    if (record == NULL) {
        return gs_admin_fail(c, 404, "NOT_FOUND", "", NULL,
                             "there is no \"%s\"", c->path.id);
    }

    if (c->resource->action(c, record) != GS_OK) {
        return GS_ERROR;
    }

    record = json_object_get(c->admin->doc->api[c->resource->kind],
                             c->path.id);

    c->r->body = gs_admin_show(c, c->resource->kind,
                               json_object_get(record, "object"), record);
    gs_admin_etag(c->r->etag, NULL, record);

    return gs_admin_done(c, 200);
}


static gs_rc_t
gs_admin_done(gs_admin_call_t *c, unsigned status)
{
    c->r->status = status;

    return gs_admin_commit(c);
}
