
/*
 * Copyright (C) govsvc authors
 *
 * Routes: a province proposes, an operator approves; nobody approves his own.
 */


#include "admin/gs_admin_priv.h"


static gs_rc_t gs_admin_route_scope(gs_admin_call_t *c, const json_t *match);


gs_rc_t
gs_admin_route_check(gs_admin_call_t *c, json_t *object, json_t *record)
{
    json_t        *found;
    const char    *pool, *platform;
    const json_t  *match, *priority;

    platform = json_string_value(json_object_get(object, "platform"));

    if (gs_admin_scope_platform(c, platform, "/platform") != GS_OK) {
        return GS_ERROR;
    }

    if (c->tenant == NULL) {
        return GS_OK;
    }

    pool = json_string_value(json_object_get(object, "pool"));

    if (pool != NULL
        && gs_admin_scope_platform(c,
               gs_admin_platform(c->admin->doc, GS_ROUTE_DOC_POOLS,
                                 gs_route_doc_find(c->admin->doc,
                                                   GS_ROUTE_DOC_POOLS, pool,
                                                   &found)),
               "/pool")
           != GS_OK)
    {
        return GS_ERROR;
    }

    /* among equals the higher wins: that is for those who know both sides */

    priority = json_object_get(object, "priority");

    if (json_integer_value(priority) > 0) {
        return gs_admin_fail(c, 403, "SCOPE_PRIORITY", "/priority", NULL,
                             "a priority above 0 is for operators");
    }

    match = json_object_get(object, "match");

    return gs_admin_route_scope(c, match);
}


/* All that is named must be in the scope, and something must be named. */

static gs_rc_t
gs_admin_route_scope(gs_admin_call_t *c, const json_t *match)
{
    const char  *code, *value;

    code = gs_admin_scope_match(c->scope, match, &value);

    if (code != NULL && value == NULL) {
        return gs_admin_fail(c, 422, "INVALID", "/match", NULL,
                             "what is not text can be in no scope");
    }

    if (code != NULL) {
        return gs_admin_fail(c, 403, code, "/match", NULL,
                             "\"%s\" is not in the scope of \"%s\"", value,
                             c->by);
    }

    if (json_array_size(json_object_get(match, "hosts")) == 0
        && json_array_size(json_object_get(match, "paths")) == 0
        && json_array_size(json_object_get(match, "regions")) == 0
        && json_array_size(json_object_get(match, "items")) == 0)
    {
        return gs_admin_fail(c, 403, "SCOPE_CATCH_ALL", "/match",
                             "name hosts, paths, regions or items",
                             "a route that takes everything is for operators");
    }

    return GS_OK;
}


/* POST /routes/ID/approve, /routes/ID/reject */

gs_rc_t
gs_admin_route_action(gs_admin_call_t *c, json_t *record)
{
    json_t      *proposal, *next;
    gs_rc_t      rc;
    unsigned     approve, active;
    const char  *by;

    approve = (strcmp(c->path.action, "approve") == 0);

    if (!approve && strcmp(c->path.action, "reject") != 0) {
        return gs_admin_fail(c, 404, "NOT_FOUND", "", "approve, reject",
                             "no action \"%s\"", c->path.action);
    }

    if (c->role != GS_ADMIN_SYSTEM) {
        return gs_admin_fail(c, 403, "FORBIDDEN_ROLE", "", NULL,
                             "an operator decides on proposals");
    }

    active = gs_route_doc_active(GS_ROUTE_DOC_ROUTES, record);
    proposal = json_object_get(record, "proposal");

    if (active && proposal == NULL) {
        return gs_admin_fail(c, 409, "NOT_PROPOSED", "", NULL,
                             "\"%s\" waits for nothing", c->path.id);
    }

    by = json_string_value(json_object_get(record, active ? "proposed_by"
                                                          : "by"));

    if (by == NULL || strcmp(by, c->by) == 0) {
        return gs_admin_fail(c, 403, "FOUR_EYES", "", NULL,
                             "nobody approves his own proposal");
    }

    if (!active) {
        proposal = json_object_get(record, "object");
    }

    if (!approve && !active) {
        next = gs_admin_record(c, proposal, record, "rejected");

    } else {
        next = gs_admin_record(c, approve ? proposal
                                          : json_object_get(record, "object"),
                               record, "active");
    }

    if (next == NULL) {
        return gs_admin_nomem(c);
    }

    rc = gs_admin_put(c, GS_ROUTE_DOC_ROUTES, c->path.id, next);
    json_decref(next);

    return rc;
}
