
/*
 * Copyright (C) govsvc authors
 *
 * The registry API: the table of resources and the way of a call.
 */


#include "admin/gs_admin_priv.h"


#define GS_ADMIN_STAFF  (GS_ADMIN_SYSTEM|GS_ADMIN_SECURITY|GS_ADMIN_AUDIT)
#define GS_ADMIN_OWNERS (GS_ADMIN_TENANT|GS_ADMIN_SYSTEM)


static void gs_admin_open(gs_admin_call_t *c, gs_admin_t *a,
    const gs_admin_request_t *q, gs_admin_reply_t *r);
static void gs_admin_close(gs_admin_call_t *c);
static gs_rc_t gs_admin_call(gs_admin_call_t *c);
static gs_rc_t gs_admin_role(gs_admin_call_t *c, unsigned write);
static gs_rc_t gs_admin_body(gs_admin_call_t *c);


const gs_admin_resource_t  gs_admin_resources[] = {

    { "platforms", GS_ROUTE_DOC_PLATFORMS, GS_ADMIN_ALL, GS_ADMIN_SYSTEM,
      NULL, gs_admin_platform_check, NULL },

    { "credentials", GS_ROUTE_DOC_CREDENTIALS,
      GS_ADMIN_SECURITY|GS_ADMIN_AUDIT, GS_ADMIN_SECURITY,
      NULL, gs_admin_credential_check, NULL },

    { "pools", GS_ROUTE_DOC_POOLS, GS_ADMIN_ALL, GS_ADMIN_OWNERS,
      NULL, gs_admin_pool_check, NULL },

    { "instances", GS_ROUTE_DOC_INSTANCES, GS_ADMIN_ALL, GS_ADMIN_OWNERS,
      NULL, gs_admin_instance_check, gs_admin_instance_action },

    { "routes", GS_ROUTE_DOC_ROUTES, GS_ADMIN_ALL, GS_ADMIN_OWNERS,
      NULL, gs_admin_route_check, gs_admin_route_action },

    { "tls-profiles", GS_ROUTE_DOC_TLS, GS_ADMIN_ALL, GS_ADMIN_SYSTEM,
      NULL, gs_admin_tls_check, NULL },

    { "check-profiles", GS_ROUTE_DOC_CHECKS, GS_ADMIN_ALL, GS_ADMIN_SYSTEM,
      NULL, gs_admin_probe_check, NULL },

    { "maintenance", GS_ROUTE_DOC_MAINTENANCE, GS_ADMIN_ALL, GS_ADMIN_OWNERS,
      NULL, gs_admin_maintenance_check, NULL },

    { "leases", GS_ADMIN_NO_KIND, GS_ADMIN_ALL, GS_ADMIN_OWNERS,
      gs_admin_leases, NULL, NULL },

    { "changes", GS_ADMIN_NO_KIND, GS_ADMIN_TENANT|GS_ADMIN_AUDIT, 0,
      gs_admin_changes, NULL, NULL },

    { "nodes", GS_ADMIN_NO_KIND, GS_ADMIN_STAFF, 0,
      gs_admin_nodes, NULL, NULL },

    { "explain", GS_ADMIN_NO_KIND, GS_ADMIN_ALL, GS_ADMIN_ALL,
      gs_admin_explain, NULL, NULL },

    { "validate", GS_ADMIN_NO_KIND, GS_ADMIN_STAFF, GS_ADMIN_SYSTEM,
      gs_admin_validate, NULL, NULL },

    { "snapshot", GS_ADMIN_NO_KIND, GS_ADMIN_STAFF, GS_ADMIN_SYSTEM,
      gs_admin_snapshot, NULL, NULL },

    { "status", GS_ADMIN_NO_KIND, GS_ADMIN_STAFF, 0,
      gs_admin_hosted, NULL, NULL },

    { "availability", GS_ADMIN_NO_KIND, GS_ADMIN_ALL, 0,
      gs_admin_availability, NULL, NULL },

    { "bans", GS_ADMIN_NO_KIND, GS_ADMIN_STAFF, GS_ADMIN_SECURITY,
      gs_admin_hosted, NULL, NULL },

    { "revocations", GS_ADMIN_NO_KIND, GS_ADMIN_STAFF, GS_ADMIN_SECURITY,
      gs_admin_hosted, NULL, NULL },

    { NULL, GS_ADMIN_NO_KIND, 0, 0, NULL, NULL, NULL }
};


void
gs_admin_handle(gs_admin_t *a, const gs_admin_request_t *q,
    gs_admin_reply_t *r)
{
    gs_admin_call_t  c;

    gs_admin_open(&c, a, q, r);
    (void) gs_admin_call(&c);
    gs_admin_close(&c);
}


void
gs_admin_inner_open(gs_admin_inner_t *in, gs_admin_t *a, const char *method,
    const char *by, uint64_t now)
{
    memset(&in->q, 0, sizeof(gs_admin_request_t));
    in->q.method = gs_str_text(method);
    in->q.now = now;

    gs_admin_open(&in->c, a, &in->q, &in->r);
    in->c.by = by;
    in->c.role = GS_ADMIN_SYSTEM;
}


gs_rc_t
gs_admin_inner_close(gs_admin_inner_t *in, gs_rc_t rc, gs_err_t *err)
{
    if (rc == GS_ERROR) {
        gs_err(err, "%s", in->r.code != NULL ? in->r.code : "out of memory");
    }

    gs_admin_close(&in->c);
    gs_admin_reply_free(&in->r);

    return rc;
}


static void
gs_admin_open(gs_admin_call_t *c, gs_admin_t *a, const gs_admin_request_t *q,
    gs_admin_reply_t *r)
{
    memset(r, 0, sizeof(gs_admin_reply_t));
    memset(c, 0, sizeof(gs_admin_call_t));

    c->admin = a;
    c->q = q;
    c->r = r;
    c->kind = GS_ADMIN_NO_KIND;
}


static void
gs_admin_close(gs_admin_call_t *c)
{
    unsigned  i;

    /* what is still there was neither committed nor taken back */

    gs_admin_rollback(c);

    for (i = 0; i < GS_ROUTE_DOC_TABLE; i++) {
        json_decref(c->out[i]);
    }

    json_decref(c->body);
    json_decref(c->undo);
    json_decref(c->diff);
}


void
gs_admin_reply_free(gs_admin_reply_t *r)
{
    json_decref(r->body);
    json_decref(r->given);
    r->body = NULL;
    r->given = NULL;
}


unsigned
gs_admin_writes(const gs_admin_request_t *q)
{
    return !gs_str_eq_text(&q->method, "GET")
           && !gs_str_eq_text(&q->method, "HEAD");
}


static gs_rc_t
gs_admin_call(gs_admin_call_t *c)
{
    const gs_admin_resource_t  *row;

    if (gs_admin_query(c) != GS_OK) {
        return GS_ERROR;
    }

    /* the description of the API is no secret, and needs no credential */

    if (strcmp(c->path.resource, "openapi.json") == 0
        && c->path.id[0] == '\0' && !gs_admin_writes(c->q))
    {
        c->r->status = 200;
        c->r->text = gs_admin_openapi;
        return GS_OK;
    }

    if (gs_admin_auth(c) != GS_OK) {
        return GS_ERROR;
    }

    for (row = gs_admin_resources; row->name != NULL; row++) {
        if (strcmp(row->name, c->path.resource) == 0) {
            break;
        }
    }

    if (row->name == NULL) {
        return gs_admin_fail(c, 404, "NOT_FOUND", "",
                             "see " GS_ADMIN_PREFIX "openapi.json",
                             "no resource \"%s\"", c->path.resource);
    }

    c->resource = row;

    if (gs_admin_role(c, gs_admin_writes(c->q)) != GS_OK
        || gs_admin_body(c) != GS_OK)
    {
        return GS_ERROR;
    }

    return (row->handle != NULL) ? row->handle(c) : gs_admin_objects(c);
}


static gs_rc_t
gs_admin_role(gs_admin_call_t *c, unsigned write)
{
    if (((write ? c->resource->write : c->resource->read) & c->role) == 0) {
        return gs_admin_fail(c, 403, "FORBIDDEN_ROLE", "", NULL,
                             "the role of credential \"%s\" may not %s \"%s\"",
                             c->by, write ? "write" : "read",
                             c->resource->name);
    }

    return GS_OK;
}


static gs_rc_t
gs_admin_body(gs_admin_call_t *c)
{
    gs_str_t       type;
    json_error_t   error;

    if (c->q->body.len == 0) {
        return GS_OK;
    }

    type = gs_str_make(c->q->content_type.data,
                       gs_str_chr(&c->q->content_type, 0, ';'));

    if (!gs_str_case_eq_text(&type, "application/json")
        && !gs_str_case_eq_text(&type, "application/merge-patch+json"))
    {
        return gs_admin_fail(c, 415, "UNSUPPORTED_MEDIA_TYPE", "",
                             "Content-Type: application/json",
                             "a body is JSON");
    }

    c->body = json_loadb((const char *) c->q->body.data, c->q->body.len,
                         JSON_REJECT_DUPLICATES, &error);

    if (c->body == NULL) {
        return gs_admin_fail(c, 400, "BAD_JSON", "", NULL,
                             "line %d: %s", error.line, error.text);
    }

    if (!json_is_object(c->body)) {
        return gs_admin_fail(c, 400, "BAD_JSON", "", NULL,
                             "an object is expected");
    }

    return GS_OK;
}
