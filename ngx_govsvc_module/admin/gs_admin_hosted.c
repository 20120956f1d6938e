
/*
 * Copyright (C) govsvc authors
 *
 * Registry API: resources that are no part of the document but live in the
 * memory of the gateway: who may use them is decided here, as for all others;
 * the host then does it, in its event loop.
 */


#include "admin/gs_admin_priv.h"


gs_rc_t
gs_admin_hosted(gs_admin_call_t *c)
{
    unsigned  lift, writes;

    writes = gs_admin_writes(c->q);
    lift = (strcmp(c->path.id, "lift") == 0 && writes);

    if (c->path.action[0] != '\0' || (c->path.id[0] != '\0' && !lift)) {
        return gs_admin_fail(c, 404, "NOT_FOUND", "",
                             "see " GS_ADMIN_PREFIX "openapi.json",
                             "\"%s\" has nothing of that name",
                             c->resource->name);
    }

    if (writes && !gs_str_eq_text(&c->q->method, "POST")) {
        memcpy(c->r->allow, "GET, POST", sizeof("GET, POST"));

        return gs_admin_fail(c, 405, "METHOD_NOT_ALLOWED", "", NULL,
                             "\"%s\" takes GET and POST", c->resource->name);
    }

    if (writes && c->body == NULL) {
        return gs_admin_fail(c, 400, "BAD_JSON", "", NULL,
                             "an object is expected");
    }

    c->r->status = 200;
    c->r->hosted = c->resource->name;
    c->r->lift = lift;
    c->r->limit = (unsigned) c->path.limit;
    memcpy(c->r->cursor, c->path.cursor, sizeof(c->r->cursor));
    c->r->given = json_incref(c->body);

    return GS_OK;
}
