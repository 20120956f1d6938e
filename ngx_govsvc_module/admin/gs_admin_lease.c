
/*
 * Copyright (C) govsvc authors
 *
 * Leases: an instance says that it lives.  Deadlines are in shared memory, by
 * the clock of the gateway; that one passed never takes a peer away alone.
 */


#include "admin/gs_admin_priv.h"


#define GS_ADMIN_LEASE_HELD  30            /* per cent of a pool, at once */


static uint64_t gs_admin_lease_ttl(const json_t *object);
static gs_rc_t gs_admin_lease_one(gs_admin_call_t *c, json_t *record,
    uint64_t now);
static unsigned gs_admin_lease_guard(gs_admin_t *a, const char *pool,
    uint64_t now);


gs_rc_t
gs_admin_leases(gs_admin_call_t *c)
{
    json_t                 *object, *record;
    uint64_t                ttl, deadline;
    const gs_admin_host_t  *host;

    host = c->admin->host;

    if (c->path.id[0] == '\0' || c->path.action[0] != '\0') {
        return gs_admin_fail(c, 404, "NOT_FOUND", "", "/leases/INSTANCE",
                             "a lease is of one instance");
    }

    object = gs_route_doc_find(c->admin->doc, GS_ROUTE_DOC_INSTANCES,
                               c->path.id, &record);

    if (object == NULL
        || !gs_admin_sees(c, GS_ROUTE_DOC_INSTANCES, object))
    {
        return gs_admin_fail(c, 404, "NOT_FOUND", "", NULL,
                             "no instance \"%s\"", c->path.id);
    }

    ttl = gs_admin_lease_ttl(object);

    if (ttl == 0) {
        return gs_admin_fail(c, 409, "NO_LEASE", "",
                             "\"lease\": {\"ttl\": \"30s\"}",
                             "instance \"%s\" has no lease", c->path.id);
    }

    deadline = 0;

    if (gs_str_eq_text(&c->q->method, "PUT")) {
        deadline = c->q->now + ttl * 1000;

    } else if (gs_admin_writes(c->q)) {
        memcpy(c->r->allow, "GET, PUT", sizeof("GET, PUT"));
        return gs_admin_fail(c, 405, "METHOD_NOT_ALLOWED", "", NULL,
                             "allowed here: GET, PUT");
    }

    deadline = host->beat(host->ctx, c->path.id, deadline);

    c->r->status = 200;
    c->r->body = json_pack("{s:s, s:s, s:I, s:I, s:b}",
                           "id", c->path.id, "instance", c->path.id,
                           "ttl", (json_int_t) ttl, "deadline",
                           (json_int_t) deadline, "expired",
                           deadline != 0 && deadline <= c->q->now);

    return (c->r->body != NULL) ? GS_OK : gs_admin_nomem(c);
}


/* ms; 0: none */

static uint64_t
gs_admin_lease_ttl(const json_t *object)
{
    uint64_t  msec;
    gs_str_t  s;

    s = gs_admin_str(json_object_get(json_object_get(object, "lease"),
                                     "ttl"));

    return (s.len != 0 && gs_parse_msec(&s, &msec) == GS_OK) ? msec : 0;
}


gs_rc_t
gs_admin_sweep(gs_admin_t *a, uint64_t now, gs_err_t *err)
{
    void              *iter;
    json_t            *map, *list;
    size_t             i;
    gs_rc_t            rc;
    gs_admin_inner_t   in;

    gs_admin_inner_open(&in, a, "SWEEP", "lease", now);

    /* the map changes under an iterator: its values first */

    map = a->doc->api[GS_ROUTE_DOC_INSTANCES];
    list = json_array();
    rc = GS_OK;

    for (iter = json_object_iter(map);
         iter != NULL;
         iter = json_object_iter_next(map, iter))
    {
        if (json_object_get(json_object_get(json_object_iter_value(iter),
                                            "object"), "lease") != NULL)
        {
            (void) json_array_append(list, json_object_iter_value(iter));
        }
    }

    for (i = 0; rc == GS_OK && i < json_array_size(list); i++) {
        rc = gs_admin_lease_one(&in.c, json_array_get(list, i), now);
    }

    if (rc == GS_OK) {
        rc = (json_array_size(in.c.undo) != 0) ? gs_admin_commit(&in.c)
                                               : GS_DECLINED;
    }

    json_decref(list);

    return gs_admin_inner_close(&in, rc, err);
}


static gs_rc_t
gs_admin_lease_one(gs_admin_call_t *c, json_t *record, uint64_t now)
{
    json_t                 *object, *next;
    gs_rc_t                 rc;
    gs_str_t                s, action;
    uint64_t                ttl, deadline;
    unsigned                expired;
    const char             *id;
    const gs_admin_host_t  *host;

    host = c->admin->host;
    object = json_object_get(record, "object");
    id = json_string_value(json_object_get(object, "id"));
    ttl = gs_admin_lease_ttl(object);
    deadline = host->beat(host->ctx, id, 0);

    if (ttl != 0 && deadline == 0) {

        /* after a restart nobody could have beaten yet */

        (void) host->beat(host->ctx, id, now + ttl * 1000);
        return GS_OK;
    }

    s = gs_admin_str(json_object_get(record, "status"));
    action = gs_admin_str(json_object_get(json_object_get(object, "lease"),
                                          "on_expire"));
    expired = gs_str_eq_text(&s, "expired");

    if (ttl == 0 || (!expired && !gs_str_eq_text(&s, "active"))
        || expired == (deadline <= now))
    {
        return GS_OK;
    }

    if (!expired
        && (gs_str_eq_text(&action, "warn")
            || (host->healthy != NULL && host->healthy(host->ctx, id))
            || gs_admin_lease_guard(c->admin, json_string_value(
                                    json_object_get(object, "pool")), now)))
    {
        return GS_OK;
    }

    next = gs_admin_record(c, object, record, expired ? "active" : "expired");
    if (next == NULL) {
        return gs_admin_nomem(c);
    }

    rc = gs_admin_put(c, GS_ROUTE_DOC_INSTANCES, id, next);
    json_decref(next);

    return rc;
}


/*
 * 1: too many of the pool went silent together, or this is the last.  Then it
 * is rather the way to them that broke, and none is taken away.
 */

static unsigned
gs_admin_lease_guard(gs_admin_t *a, const char *pool, uint64_t now)
{
    void                   *iter;
    json_t                 *map, *object;
    uint64_t                deadline;
    unsigned                n, silent;
    const char             *of;
    const gs_admin_host_t  *host;

    host = a->host;
    map = a->doc->api[GS_ROUTE_DOC_INSTANCES];
    n = 0;
    silent = 0;

    for (iter = json_object_iter(map);
         iter != NULL;
         iter = json_object_iter_next(map, iter))
    {
        object = json_object_get(json_object_iter_value(iter), "object");
        of = json_string_value(json_object_get(object, "pool"));

        if (of == NULL || pool == NULL || strcmp(of, pool) != 0) {
            continue;
        }

        n++;

        if (gs_admin_lease_ttl(object) != 0) {
            deadline = host->beat(host->ctx, json_object_iter_key(iter), 0);
            silent += (deadline != 0 && deadline <= now);
        }
    }

    return silent == n || silent * 100 > n * GS_ADMIN_LEASE_HELD;
}
