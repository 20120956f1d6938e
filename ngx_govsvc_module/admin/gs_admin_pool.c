
/*
 * Copyright (C) govsvc authors
 *
 * Platforms, pools, TLS and check profiles, maintenance: what the compiler of
 * the table cannot know, namely whose they are.
 */


#include "admin/gs_admin_priv.h"


static gs_rc_t gs_admin_pool_fallback(gs_admin_call_t *c,
    const json_t *object);


static const char *const  gs_admin_probe_members[] = {
    "id", "type", "interval", "jitter", "fast", "timeout", "rise", "fall",
    "path", "host", "method", "match", NULL
};

static const char *const  gs_admin_maintenance_members[] = {
    "id", "platform", "instance", "state", "retry_after", "note", NULL
};


gs_rc_t
gs_admin_platform_check(gs_admin_call_t *c, json_t *object, json_t *record)
{
    return GS_OK;
}


gs_rc_t
gs_admin_tls_check(gs_admin_call_t *c, json_t *object, json_t *record)
{
    return gs_admin_fail(c, 409, "STATIC_RESOURCE", "",
                         "add it to the file of govsvc_platforms and reload",
                         "TLS profiles name files of this machine, so they "
                         "come from its configuration alone");
}


gs_rc_t
gs_admin_pool_check(gs_admin_call_t *c, json_t *object, json_t *record)
{
    const char    *host, *tls, *method;
    const json_t  *hosts;

    if (gs_admin_scope_platform(c, json_string_value(
                                       json_object_get(object, "platform")),
                                "/platform")
        != GS_OK)
    {
        return GS_ERROR;
    }

    if (c->tenant == NULL) {
        return GS_OK;
    }

    hosts = json_object_get(c->scope, "hosts");
    host = json_string_value(json_object_get(object, "host"));

    if (host != NULL && !gs_admin_scope_host(hosts, host)) {
        return gs_admin_fail(c, 403, "SCOPE_HOST", "/host", NULL,
                             "host \"%s\" is not in the scope of \"%s\"",
                             host, c->by);
    }

    tls = json_string_value(json_object_get(object, "tls"));

    if (tls != NULL && !gs_admin_scope_text(c->scope, "tls", tls)) {
        return gs_admin_fail(c, 403, "SCOPE_TLS", "/tls", NULL,
                             "TLS profile \"%s\" is not in the scope of "
                             "\"%s\"", tls, c->by);
    }

    /* a variable may hold what other platforms sent */

    method = json_string_value(json_object_get(object, "method"));

    if (method != NULL && strncmp(method, "hash:", 5) == 0
        && strcmp(method, "hash:$remote_addr") != 0
        && strcmp(method, "hash:$govsvc_client_net") != 0)
    {
        return gs_admin_fail(c, 403, "SCOPE_METHOD", "/method",
                             "wrr, p2c, hash:$remote_addr, "
                             "hash:$govsvc_client_net",
                             "method \"%s\" is for operators", method);
    }

    return gs_admin_pool_fallback(c, object);
}


static gs_rc_t
gs_admin_pool_fallback(gs_admin_call_t *c, const json_t *object)
{
    size_t         i;
    json_t        *record;
    const char    *id, *platform;
    const json_t  *list, *pool;

    list = json_object_get(object, "fallback");

    for (i = 0; i < json_array_size(list); i++) {
        id = json_string_value(json_array_get(list, i));

        if (id == NULL || strncmp(id, "page:", 5) == 0) {
            continue;
        }

        pool = gs_route_doc_find(c->admin->doc, GS_ROUTE_DOC_POOLS, id,
                                 &record);
        platform = gs_admin_platform(c->admin->doc, GS_ROUTE_DOC_POOLS, pool);

        if (platform == NULL || strcmp(platform, c->tenant) != 0) {
            return gs_admin_fail(c, 403, "SCOPE_FALLBACK", "/fallback", NULL,
                                 "pool \"%s\" is not of platform \"%s\"", id,
                                 c->tenant);
        }
    }

    return GS_OK;
}


gs_rc_t
gs_admin_probe_check(gs_admin_call_t *c, json_t *object, json_t *record)
{
    unsigned                  i;
    uint64_t                  msec;
    gs_str_t                  s;
    const json_t             *value;
    static const char *const  types[] = { "http", "https", "tcp", "tls" };
    static const char *const  times[] = {
        "interval", "jitter", "fast", "timeout"
    };

    if (gs_admin_members(c, object, "", gs_admin_probe_members) != GS_OK) {
        return GS_ERROR;
    }

    s = gs_admin_str(json_object_get(object, "type"));

    for (i = 0; i < 4 && !gs_str_eq_text(&s, types[i]); i++) { /* void */ }

    if (i == 4) {
        return gs_admin_fail(c, 422, "INVALID", "/type",
                             "http, https, tcp, tls", "no such check");
    }

    for (i = 0; i < 4; i++) {
        value = json_object_get(object, times[i]);
        s = gs_admin_str(value);

        if (value != NULL
            && (gs_parse_msec(&s, &msec) != GS_OK || msec == 0
                || msec > 3600000))
        {
            return gs_admin_fail(c, 422, "INVALID", "", "1ms to 1h",
                                 "\"%s\" is no time", times[i]);
        }
    }

    for (i = 0; i < 2; i++) {
        value = json_object_get(object, i == 0 ? "rise" : "fall");

        if (value != NULL
            && (!json_is_integer(value) || json_integer_value(value) < 1
                || json_integer_value(value) > 100))
        {
            return gs_admin_fail(c, 422, "INVALID", i == 0 ? "/rise"
                                                           : "/fall",
                                 "1 to 100", "no number of checks");
        }
    }

    /* a check must not become a way to send orders to a peer */

    s = gs_admin_str(json_object_get(object, "method"));

    if (s.data != NULL && !gs_str_eq_text(&s, "GET")
        && !gs_str_eq_text(&s, "HEAD"))
    {
        return gs_admin_fail(c, 422, "INVALID", "/method", "GET, HEAD",
                             "a check only reads");
    }

    s = gs_admin_str(json_object_get(object, "path"));

    if (s.data != NULL
        && (s.len == 0 || s.data[0] != '/'
            || gs_route_uri_check(&s, NULL) != GS_ROUTE_URI_SAFE))
    {
        return gs_admin_fail(c, 422, "INVALID", "/path", NULL,
                             "no plain path");
    }

    return GS_OK;
}


gs_rc_t
gs_admin_maintenance_check(gs_admin_call_t *c, json_t *object,
    json_t *record)
{
    unsigned              i, of_platform;
    gs_str_t              state;
    const char           *id, *platform;
    const json_t         *target;
    gs_route_doc_kind_e   kind;

    json_t                   *found;
    static const char *const  states[2][4] = {
        { "enabled", "drain", "down", NULL },
        { "normal", "maintenance", "closed", NULL }
    };

    if (gs_admin_members(c, object, "", gs_admin_maintenance_members)
        != GS_OK)
    {
        return GS_ERROR;
    }

    id = json_string_value(json_object_get(object, "platform"));
    of_platform = (id != NULL);

    if (id == NULL) {
        id = json_string_value(json_object_get(object, "instance"));
    }

    if (id == NULL
        || (of_platform && json_object_get(object, "instance") != NULL))
    {
        return gs_admin_fail(c, 422, "INVALID", "", NULL,
                             "maintenance is of a platform or of an "
                             "instance");
    }

    kind = of_platform ? GS_ROUTE_DOC_PLATFORMS : GS_ROUTE_DOC_INSTANCES;
    target = gs_route_doc_find(c->admin->doc, kind, id, &found);
    platform = gs_admin_platform(c->admin->doc, kind, target);

    if (gs_admin_scope_platform(c, platform,
                                of_platform ? "/platform" : "/instance")
        != GS_OK)
    {
        return GS_ERROR;
    }

    if (target == NULL) {
        return gs_admin_fail(c, 422, "INVALID",
                             of_platform ? "/platform" : "/instance", NULL,
                             "there is no \"%s\"", id);
    }

    state = gs_admin_str(json_object_get(object, "state"));

    for (i = 0; states[of_platform][i] != NULL; i++) {
        if (gs_str_eq_text(&state, states[of_platform][i])) {
            break;
        }
    }

    if (states[of_platform][i] == NULL) {
        return gs_admin_fail(c, 422, "INVALID", "/state",
                             of_platform ? "normal, maintenance, closed"
                                         : "enabled, drain, down",
                             "no such state");
    }

    if (!of_platform && json_object_get(object, "retry_after") != NULL) {
        return gs_admin_fail(c, 422, "INVALID", "/retry_after", NULL,
                             "retry_after is of platforms");
    }

    return GS_OK;
}
