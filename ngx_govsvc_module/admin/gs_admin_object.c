
/*
 * Copyright (C) govsvc authors
 *
 * Objects: writing with strong ETags.  A write names the state it was made
 * for, or is refused.
 */


#include "admin/gs_admin_priv.h"


static gs_rc_t gs_admin_write(gs_admin_call_t *c);
static unsigned gs_admin_known(const gs_admin_call_t *c);
static gs_rc_t gs_admin_store(gs_admin_call_t *c, json_t *object,
    json_t *record);
static json_t *gs_admin_owned(gs_admin_call_t *c, const json_t *object,
    json_t *record);
static gs_rc_t gs_admin_remove(gs_admin_call_t *c, json_t *record);
static gs_rc_t gs_admin_kept(gs_admin_call_t *c);
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

    if (!gs_admin_known(c)) {
        return gs_admin_method(c, c->path.action[0] == '\0'
                                  ? "GET, PUT, PATCH, DELETE" : "POST");
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

    if (gs_str_eq_text(&c->q->method, "DELETE")) {
        return gs_admin_remove(c, record);
    }

    if (gs_str_eq_text(&c->q->method, "POST")) {
        return gs_admin_post(c, record);
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


/* The methods of an object, POST of what can be done with it. */

static unsigned
gs_admin_known(const gs_admin_call_t *c)
{
    unsigned                  i;
    static const char *const  methods[] = { "PUT", "PATCH", "DELETE" };

    if (c->path.action[0] != '\0') {
        return c->resource->action != NULL
               && gs_str_eq_text(&c->q->method, "POST");
    }

    for (i = 0; i < 3; i++) {
        if (gs_str_eq_text(&c->q->method, methods[i])) {
            return 1;
        }
    }

    return 0;
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

    if (strcmp(status, "active") != 0
        && gs_admin_try(c, c->path.id, object, record) != GS_OK)
    {
        json_decref(old);
        return GS_ERROR;
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

    if (gs_admin_kept(c) != GS_OK
        || gs_admin_put(c, c->resource->kind, c->path.id, NULL) != GS_OK)
    {
        return GS_ERROR;
    }

    c->r->etag[0] = '\0';

    return gs_admin_done(c, 204);
}


/* What maintenance names stays: it would wait for the next one so called. */

static gs_rc_t
gs_admin_kept(gs_admin_call_t *c)
{
    void        *iter;
    json_t      *map;
    const char  *member, *id;

    switch (c->resource->kind) {

    case GS_ROUTE_DOC_PLATFORMS:
        member = "platform";
        break;

    case GS_ROUTE_DOC_INSTANCES:
        member = "instance";
        break;

    default:
        return GS_OK;
    }

    map = c->admin->doc->api[GS_ROUTE_DOC_MAINTENANCE];

    for (iter = json_object_iter(map);
         iter != NULL;
         iter = json_object_iter_next(map, iter))
    {
        id = json_string_value(json_object_get(
                 json_object_get(json_object_iter_value(iter), "object"),
                 member));

        if (id != NULL && strcmp(id, c->path.id) == 0) {
            return gs_admin_fail(c, 409, "CONFLICT", "",
                                 "remove the maintenance first",
                                 "maintenance \"%s\" is of \"%s\"",
                                 json_object_iter_key(iter), id);
        }
    }

    return GS_OK;
}


static gs_rc_t
gs_admin_post(gs_admin_call_t *c, json_t *record)
{
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
