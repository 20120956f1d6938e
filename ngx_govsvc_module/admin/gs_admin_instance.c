
/*
 * Copyright (C) govsvc authors
 *
 * Instances: where a province may send requests of the gateway to, and the
 * confirmation that a peer is its own.
 */


#include "admin/gs_admin_priv.h"


static gs_rc_t gs_admin_instance_place(gs_admin_call_t *c,
    const json_t *object);
static const char *gs_admin_instance_hint(const gs_admin_call_t *c,
    const gs_net_t *net, unsigned port);
static gs_rc_t gs_admin_instance_port(gs_admin_call_t *c, json_int_t port);


gs_rc_t
gs_admin_instance_check(gs_admin_call_t *c, json_t *object, json_t *record)
{
    const char  *platform;

    platform = gs_admin_platform(c->admin->doc, GS_ROUTE_DOC_INSTANCES,
                                 object);

    if (gs_admin_scope_platform(c, platform, "/pool") != GS_OK) {
        return GS_ERROR;
    }

    return gs_admin_instance_place(c, object);
}


static gs_rc_t
gs_admin_instance_place(gs_admin_call_t *c, const json_t *object)
{
    gs_net_t      net;
    gs_str_t      s;
    gs_rc_t       rc;
    unsigned      own;
    json_int_t    port;
    const char   *why;

    s = gs_admin_str(json_object_get(object, "address"));
    port = json_integer_value(json_object_get(object, "port"));

    rc = gs_admin_named_check(c, object, &own);

    if (rc != GS_DECLINED) {
        return (rc == GS_OK) ? gs_admin_instance_port(c, (json_int_t) own)
                             : GS_ERROR;
    }

    /* one spelling only: no mapped, octal, short or scoped ones */

    if (s.len == 0 || gs_net_parse(&net, &s) != GS_OK
        || net.family == GS_NET_UNIX || gs_str_chr(&s, 0, '/') != s.len)
    {
        return gs_admin_fail(c, 422, "BAD_ADDRESS", "/address",
                             "\"10.44.0.11\" or \"2001:db8::11\"",
                             "a numeric address of one host, or its name, is "
                             "expected");
    }

    own = (port > 0 && port <= 65535) ? (unsigned) port : 0;
    why = gs_admin_place_denied(c->admin, &net, own);

    if (why != NULL) {
        return gs_admin_fail(c, 422, "ADDRESS_DENIED", "/address",
                             gs_admin_instance_hint(c, &net, own),
                             "no peer may have this address: %s", why);
    }

    if (c->tenant == NULL) {
        return GS_OK;
    }

    if (!gs_admin_scope_net(json_object_get(c->scope, "networks"), &net)) {
        return gs_admin_fail(c, 403, "SCOPE_NETWORK", "/address", NULL,
                             "the address is in no network of \"%s\"",
                             c->by);
    }

    return gs_admin_instance_port(c, port);
}


/* What is the node's own is told apart from what nobody may have. */

static const char *
gs_admin_instance_hint(const gs_admin_call_t *c, const gs_net_t *net,
    unsigned port)
{
    unsigned  always;

    if (gs_admin_own_denied(c->admin->own, net, port, &always) == NULL) {
        return NULL;
    }

    return always ? "the address and port of a server behind the gateway"
                  : "the address of a server on a machine of its own";
}


static gs_rc_t
gs_admin_instance_port(gs_admin_call_t *c, json_int_t port)
{
    if (c->tenant == NULL) {
        return GS_OK;
    }

    if (port < 1 || port > 65535) {
        return gs_admin_fail(c, 422, "INVALID", "/port", NULL,
                             "a port is a number from 1 to 65535");
    }

    if (!gs_admin_scope_port(json_object_get(c->scope, "ports"),
                             (unsigned) port))
    {
        return gs_admin_fail(c, 403, "SCOPE_PORT", "/port", NULL,
                             "the port is not in the scope of \"%s\"",
                             c->by);
    }

    return GS_OK;
}


/* POST /instances/ID/confirm */

gs_rc_t
gs_admin_instance_action(gs_admin_call_t *c, json_t *record)
{
    json_t   *next;
    gs_rc_t   rc;

    if (strcmp(c->path.action, "confirm") != 0) {
        return gs_admin_fail(c, 404, "NOT_FOUND", "", "confirm",
                             "no action \"%s\"", c->path.action);
    }

    if (c->role != GS_ADMIN_SYSTEM) {
        return gs_admin_fail(c, 403, "FORBIDDEN_ROLE", "", NULL,
                             "an operator confirms whose a peer is");
    }

    if (gs_route_doc_active(GS_ROUTE_DOC_INSTANCES, record)) {
        return gs_admin_fail(c, 409, "NOT_PENDING", "", NULL,
                             "\"%s\" waits for nothing", c->path.id);
    }

    next = gs_admin_record(c, json_object_get(record, "object"), record,
                           "active");
    if (next == NULL) {
        return gs_admin_nomem(c);
    }

    /* nor is anything asked of the next addresses of a name */

    (void) json_object_del(next, "proof");

    rc = gs_admin_put(c, GS_ROUTE_DOC_INSTANCES, c->path.id, next);
    json_decref(next);

    return rc;
}
