
/*
 * Copyright (C) govsvc authors
 *
 * Credentials: who is calling, and the rules for the objects that say so.
 */


#include "admin/gs_admin_priv.h"
#include "core/gs_time.h"


static json_t *gs_admin_auth_find(gs_admin_call_t *c, const json_t *map,
    const json_t *over);
static unsigned gs_admin_auth_match(gs_admin_call_t *c,
    const json_t *object);
static unsigned gs_admin_auth_listed(const json_t *list, const gs_str_t *s);
static gs_rc_t gs_admin_auth_valid(gs_admin_call_t *c);
static gs_rc_t gs_admin_auth_verb(gs_admin_call_t *c);
static unsigned gs_admin_auth_role(const json_t *object);
static gs_rc_t gs_admin_auth_lists(gs_admin_call_t *c, json_t *object,
    const char *field, const char *const *names);
static gs_rc_t gs_admin_auth_nets(gs_admin_call_t *c, json_t *scope);
static gs_rc_t gs_admin_auth_proofs(gs_admin_call_t *c, json_t *object);


static const char *const  gs_admin_credential_members[] = {
    "id", "role", "platform", "spki", "sans", "tokens", "apps", "scope",
    "quota", "expires", "state", NULL
};

static const char *const  gs_admin_scope_members[] = {
    "hosts", "paths", "items", "regions", "networks", "ports", "verbs", "tls",
    "delegated", "suffixes", NULL
};

static const char *const  gs_admin_quota_members[] = {
    "pools", "instances", "routes", "rate", NULL
};

static const char *const  gs_admin_proof_members[] = {
    "spki", "sans", "apps", NULL
};


gs_rc_t
gs_admin_auth(gs_admin_call_t *c)
{
    json_t                 *quota;
    unsigned                wait;
    const char             *rate;
    gs_route_doc_t         *doc;
    const gs_admin_host_t  *host;

    doc = c->admin->doc;
    host = c->admin->host;

    if (c->q->spki.len == 0 && c->q->nsans == 0 && c->q->subject.len == 0
        && c->q->app.len == 0)
    {
        return gs_admin_fail(c, 401, "AUTH_REQUIRED", "",
                             "show a client certificate, a signed request or "
                             "a token", "nobody is calling");
    }

    c->credential = gs_admin_auth_find(c,
                                       doc->fixed[GS_ROUTE_DOC_CREDENTIALS],
                                       NULL);

    if (c->credential == NULL) {
        c->credential = gs_admin_auth_find(c,
                                         doc->api[GS_ROUTE_DOC_CREDENTIALS],
                                         doc->fixed[GS_ROUTE_DOC_CREDENTIALS]);
    }

    if (c->credential == NULL) {
        return gs_admin_fail(c, 401, "CREDENTIAL_UNKNOWN", "", NULL,
                             "no credential of this registry");
    }

    if (gs_admin_auth_valid(c) != GS_OK) {
        return GS_ERROR;
    }

    quota = json_object_get(c->credential, "quota");
    rate = json_string_value(json_object_get(quota, "rate"));
    wait = 1;

    if (host->rate != NULL
        && host->rate(host->ctx, c->by, rate, &wait) != GS_OK)
    {
        c->r->retry_after = wait;

        return gs_admin_fail(c, 429, "RATE_EXCEEDED", "", NULL,
                             "too many calls of credential \"%s\"", c->by);
    }

    return gs_admin_auth_verb(c);
}


static json_t *
gs_admin_auth_find(gs_admin_call_t *c, const json_t *map, const json_t *over)
{
    void    *iter;
    json_t  *m, *object;

    m = (json_t *) map;

    for (iter = json_object_iter(m);
         iter != NULL;
         iter = json_object_iter_next(m, iter))
    {
        object = json_object_iter_value(iter);

        if (over != NULL) {

            if (json_object_get(over, json_object_iter_key(iter)) != NULL) {
                continue;
            }

            object = json_object_get(object, "object");
        }

        if (gs_admin_auth_match(c, object)) {
            return object;
        }
    }

    return NULL;
}


static unsigned
gs_admin_auth_match(gs_admin_call_t *c, const json_t *object)
{
    size_t                     i;
    gs_str_t                   s;
    unsigned                   n;
    const json_t              *tokens, *one;
    const gs_admin_request_t  *q;

    q = c->q;

    if (gs_admin_auth_listed(json_object_get(object, "spki"), &q->spki)
        || gs_admin_auth_listed(json_object_get(object, "apps"), &q->app))
    {
        return 1;
    }

    for (n = 0; n < q->nsans; n++) {
        if (gs_admin_auth_listed(json_object_get(object, "sans"),
                                 &q->sans[n]))
        {
            return 1;
        }
    }

    tokens = json_object_get(object, "tokens");

    for (i = 0; q->subject.len != 0 && i < json_array_size(tokens); i++) {
        one = json_array_get(tokens, i);
        s = gs_admin_str(json_object_get(one, "issuer"));

        if (!gs_str_eq(&s, &q->issuer)) {
            continue;
        }

        s = gs_admin_str(json_object_get(one, "subject"));

        if (gs_str_eq(&s, &q->subject)) {
            return 1;
        }
    }

    return 0;
}


static unsigned
gs_admin_auth_listed(const json_t *list, const gs_str_t *s)
{
    size_t    i;
    gs_str_t  value;

    for (i = 0; s->len != 0 && i < json_array_size(list); i++) {
        value = gs_admin_str(json_array_get(list, i));

        if (gs_str_eq(&value, s)) {
            return 1;
        }
    }

    return 0;
}


static gs_rc_t
gs_admin_auth_valid(gs_admin_call_t *c)
{
    gs_str_t     s;
    uint64_t     us;
    const char  *state, *expires;

    c->by = json_string_value(json_object_get(c->credential, "id"));
    c->role = gs_admin_auth_role(c->credential);
    c->scope = json_object_get(c->credential, "scope");
    c->tenant = NULL;

    if (strlen(c->by) > GS_ADMIN_ID) {
        return gs_admin_nomem(c);
    }

    memcpy(c->r->credential, c->by, strlen(c->by) + 1);

    state = json_string_value(json_object_get(c->credential, "state"));

    if (state != NULL && strcmp(state, "enabled") != 0) {
        return gs_admin_fail(c, 401, "CREDENTIAL_DISABLED", "", NULL,
                             "credential \"%s\" is disabled", c->by);
    }

    expires = json_string_value(json_object_get(c->credential, "expires"));

    if (expires != NULL) {
        s = gs_str_text(expires);

        if (gs_time_parse(&s, &us) != GS_OK || us <= c->q->now) {
            return gs_admin_fail(c, 401, "CREDENTIAL_EXPIRED", "", NULL,
                                 "credential \"%s\" expired", c->by);
        }
    }

    if (c->role == GS_ADMIN_TENANT) {
        c->tenant = json_string_value(json_object_get(c->credential,
                                                      "platform"));
    }

    if (c->role == 0
        || (c->role == GS_ADMIN_TENANT
            && (c->tenant == NULL || strlen(c->tenant) > GS_ADMIN_ID)))
    {
        return gs_admin_fail(c, 403, "FORBIDDEN_ROLE", "", NULL,
                             "credential \"%s\" has no role", c->by);
    }

    if (c->tenant != NULL) {
        memcpy(c->r->platform, c->tenant, strlen(c->tenant) + 1);
    }

    return GS_OK;
}


static gs_rc_t
gs_admin_auth_verb(gs_admin_call_t *c)
{
    if (json_object_get(c->scope, "verbs") == NULL
        || gs_admin_auth_listed(json_object_get(c->scope, "verbs"),
                                &c->q->method))
    {
        return GS_OK;
    }

    return gs_admin_fail(c, 403, "SCOPE_VERB", "", NULL,
                         "credential \"%s\" may not use this method", c->by);
}


static unsigned
gs_admin_auth_role(const json_t *object)
{
    unsigned                  i;
    const char               *role;
    static const char *const  names[] = {
        "tenant", "system", "security", "audit"
    };

    role = json_string_value(json_object_get(object, "role"));

    for (i = 0; role != NULL && i < 4; i++) {
        if (strcmp(role, names[i]) == 0) {
            return 1u << i;
        }
    }

    return 0;
}


gs_rc_t
gs_admin_credentials(gs_route_doc_t *doc, gs_err_t *err)
{
    void                *iter;
    json_t              *map;
    const char          *id;
    gs_admin_t           a;
    gs_admin_call_t      c;
    gs_admin_reply_t     r;
    gs_admin_request_t   q;

    memset(&a, 0, sizeof(gs_admin_t));
    memset(&c, 0, sizeof(gs_admin_call_t));
    memset(&r, 0, sizeof(gs_admin_reply_t));
    memset(&q, 0, sizeof(gs_admin_request_t));

    a.doc = doc;
    c.admin = &a;
    c.q = &q;
    c.r = &r;

    map = doc->fixed[GS_ROUTE_DOC_CREDENTIALS];

    for (iter = json_object_iter(map);
         iter != NULL;
         iter = json_object_iter_next(map, iter))
    {
        id = json_object_iter_key(iter);

        if (strlen(id) <= GS_ADMIN_ID
            && gs_admin_credential_check(&c, json_object_iter_value(iter),
                                         NULL)
               == GS_OK)
        {
            continue;
        }

        gs_err(err, "credential \"%s\": %s", id,
               r.body == NULL ? "bad id"
               : json_string_value(json_object_get(r.body, "detail")));
        gs_admin_reply_free(&r);

        return GS_ERROR;
    }

    return GS_OK;
}


gs_rc_t
gs_admin_credential_check(gs_admin_call_t *c, json_t *object, json_t *record)
{
    json_t      *scope, *quota, *value;
    gs_str_t     s;
    unsigned     role;
    uint64_t     us;
    const char  *platform, *text;

    scope = json_object_get(object, "scope");
    quota = json_object_get(object, "quota");
    platform = json_string_value(json_object_get(object, "platform"));
    role = gs_admin_auth_role(object);

    if (gs_admin_members(c, object, "", gs_admin_credential_members)
        != GS_OK
        || gs_admin_auth_proofs(c, object) != GS_OK
        || gs_admin_members(c, scope, "/scope", gs_admin_scope_members)
           != GS_OK
        || gs_admin_auth_lists(c, scope, "/scope", gs_admin_scope_members)
           != GS_OK
        || gs_admin_auth_nets(c, scope) != GS_OK
        || gs_admin_named_suffixes(c, scope) != GS_OK
        || gs_admin_members(c, quota, "/quota", gs_admin_quota_members)
           != GS_OK)
    {
        return GS_ERROR;
    }

    if (role == 0) {
        return gs_admin_fail(c, 422, "INVALID", "/role",
                             "allowed: tenant, system, security, audit",
                             "a credential has one role");
    }

    if ((role == GS_ADMIN_TENANT) != (platform != NULL)
        || (platform != NULL && strlen(platform) > GS_ADMIN_ID))
    {
        return gs_admin_fail(c, 422, "INVALID", "/platform", NULL,
                             "a tenant, and nobody else, has a platform");
    }

    value = json_object_get(object, "expires");
    text = json_string_value(value);
    s = gs_str_text(text != NULL ? text : "");

    if (value != NULL && gs_time_parse(&s, &us) != GS_OK) {
        return gs_admin_fail(c, 422, "INVALID", "/expires",
                             "as in 2027-01-01T00:00:00+08:00",
                             "no time of RFC 3339");
    }

    /* nobody lifts himself up: his own credential is for another to write */

    if (record != NULL && strcmp(c->path.id, c->by) == 0) {
        return gs_admin_fail(c, 403, "OWN_CREDENTIAL", "", NULL,
                             "a credential does not change itself");
    }

    return GS_OK;
}


static gs_rc_t
gs_admin_auth_lists(gs_admin_call_t *c, json_t *object, const char *field,
    const char *const *names)
{
    size_t         i;
    unsigned       k;
    const json_t  *list, *one;

    for (k = 0; names[k] != NULL; k++) {
        list = json_object_get(object, names[k]);

        if (list == NULL) {
            continue;
        }

        if (!json_is_array(list)) {
            return gs_admin_fail(c, 422, "INVALID", field, NULL,
                                 "\"%s\" is a list of texts", names[k]);
        }

        for (i = 0; i < json_array_size(list); i++) {
            one = json_array_get(list, i);

            if (!json_is_string(one) || json_string_length(one) == 0) {
                return gs_admin_fail(c, 422, "INVALID", field, NULL,
                                     "\"%s\" is a list of texts", names[k]);
            }
        }
    }

    return GS_OK;
}


static gs_rc_t
gs_admin_auth_nets(gs_admin_call_t *c, json_t *scope)
{
    size_t         i;
    gs_net_t       net;
    gs_str_t       s;
    const json_t  *list;

    list = json_object_get(scope, "networks");

    for (i = 0; i < json_array_size(list); i++) {
        s = gs_str_text(json_string_value(json_array_get(list, i)));

        if (gs_net_parse(&net, &s) != GS_OK || net.family == GS_NET_UNIX) {
            return gs_admin_fail(c, 422, "INVALID", "/scope/networks", NULL,
                                 "no network: \"%s\"",
                                 (const char *) s.data);
        }
    }

    return GS_OK;
}


static gs_rc_t
gs_admin_auth_proofs(gs_admin_call_t *c, json_t *object)
{
    size_t         i;
    const json_t  *list, *one;

    if (gs_admin_auth_lists(c, object, "", gs_admin_proof_members) != GS_OK) {
        return GS_ERROR;
    }

    list = json_object_get(object, "spki");

    for (i = 0; i < json_array_size(list); i++) {
        if (json_string_length(json_array_get(list, i)) != 64) {
            return gs_admin_fail(c, 422, "INVALID", "/spki",
                                 "openssl x509 -pubkey -noout | openssl pkey "
                                 "-pubin -outform der | sha256sum",
                                 "the SHA-256 of a public key has 64 "
                                 "hexadecimal digits");
        }
    }

    list = json_object_get(object, "tokens");

    if (list != NULL && !json_is_array(list)) {
        return gs_admin_fail(c, 422, "INVALID", "/tokens", NULL,
                             "a list is expected");
    }

    for (i = 0; i < json_array_size(list); i++) {
        one = json_array_get(list, i);

        if (!json_is_string(json_object_get(one, "issuer"))
            || !json_is_string(json_object_get(one, "subject")))
        {
            return gs_admin_fail(c, 422, "INVALID", "/tokens", NULL,
                                 "a token has an issuer and a subject");
        }
    }

    if (list == NULL && json_object_get(object, "spki") == NULL
        && json_object_get(object, "sans") == NULL
        && json_object_get(object, "apps") == NULL)
    {
        return gs_admin_fail(c, 422, "INVALID", "",
                             "spki, sans, tokens or apps",
                             "a credential needs a proof");
    }

    return GS_OK;
}
