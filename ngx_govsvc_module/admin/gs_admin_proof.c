
/*
 * Copyright (C) govsvc authors
 *
 * Proof of control: a server that a province names has to say, at a path
 * that only the answer to the province told, what only that answer told.
 */


#include "admin/gs_admin_priv.h"


static unsigned gs_admin_proof_waits(const json_t *record);
static const char *gs_admin_proof_tls(gs_admin_t *a, const char *id);


void
gs_admin_pending(gs_admin_t *a, void (*found)(void *ctx, const char *id,
    const char *address, unsigned port, const char *nonce, const char *tls),
    void *ctx)
{
    void          *iter;
    json_t        *map, *record, *object;
    const char    *address, *pool;
    gs_str_t       name;
    unsigned       at;
    json_int_t     port;

    map = a->doc->api[GS_ROUTE_DOC_INSTANCES];

    for (iter = json_object_iter(map);
         iter != NULL;
         iter = json_object_iter_next(map, iter))
    {
        record = json_object_iter_value(iter);
        object = json_object_get(record, "object");
        address = json_string_value(json_object_get(object, "address"));
        pool = json_string_value(json_object_get(object, "pool"));
        port = json_integer_value(json_object_get(object, "port"));

        if (gs_admin_proof_waits(record) && !gs_admin_named(object, &name, &at)
            && address != NULL && pool != NULL
            && port > 0 && port < 65536)
        {
            found(ctx, json_object_iter_key(iter), address, (unsigned) port,
                  json_string_value(json_object_get(record, "proof")),
                  gs_admin_proof_tls(a, pool));
        }
    }
}


static unsigned
gs_admin_proof_waits(const json_t *record)
{
    gs_str_t  status;

    status = gs_admin_str(json_object_get(record, "status"));

    return gs_str_eq_text(&status, "pending")
           && json_string_length(json_object_get(record, "proof")) != 0;
}


/* Where the pool is unknown the name is not, so nothing is asked in plain. */

static const char *
gs_admin_proof_tls(gs_admin_t *a, const char *id)
{
    json_t  *record, *pool;

    pool = gs_route_doc_find(a->doc, GS_ROUTE_DOC_POOLS, id, &record);

    return (pool != NULL && json_object_get(pool, "tls") == NULL) ? NULL : id;
}


gs_rc_t
gs_admin_prove(gs_admin_t *a, const char *id, const char *nonce,
    uint64_t now, gs_err_t *err)
{
    json_t            *record, *next;
    gs_rc_t            rc;
    gs_str_t           proof;
    gs_admin_inner_t   in;

    record = json_object_get(a->doc->api[GS_ROUTE_DOC_INSTANCES], id);
    proof = gs_admin_str(json_object_get(record, "proof"));

    /* it may have been moved meanwhile: then it has another nonce */

    if (!gs_admin_proof_waits(record) || !gs_str_eq_text(&proof, nonce)) {
        return GS_DECLINED;
    }

    gs_admin_inner_open(&in, a, "PROVE", "proof", now);

    next = gs_admin_record(&in.c, json_object_get(record, "object"), record,
                           "active");

    rc = (next != NULL) ? gs_admin_put(&in.c, GS_ROUTE_DOC_INSTANCES, id, next)
                        : gs_admin_nomem(&in.c);
    json_decref(next);

    if (rc == GS_OK) {
        rc = gs_admin_commit(&in.c);
    }

    return gs_admin_inner_close(&in, rc, err);
}
