
/*
 * Copyright (C) govsvc authors
 *
 * Scopes: what of the gateway belongs to whom.
 */


#include "admin/gs_admin_priv.h"


const char *
gs_admin_platform(const gs_route_doc_t *doc, gs_route_doc_kind_e kind,
    const json_t *object)
{
    json_t      *record;
    const char  *id;

    switch (kind) {

    case GS_ROUTE_DOC_PLATFORMS:
        return json_string_value(json_object_get(object, "id"));

    case GS_ROUTE_DOC_INSTANCES:
        id = json_string_value(json_object_get(object, "pool"));

        return id == NULL ? NULL
               : gs_admin_platform(doc, GS_ROUTE_DOC_POOLS,
                                   gs_route_doc_find(doc, GS_ROUTE_DOC_POOLS,
                                                     id, &record));

    case GS_ROUTE_DOC_MAINTENANCE:
        id = json_string_value(json_object_get(object, "instance"));

        if (id != NULL) {
            return gs_admin_platform(doc, GS_ROUTE_DOC_INSTANCES,
                                     gs_route_doc_find(doc,
                                                       GS_ROUTE_DOC_INSTANCES,
                                                       id, &record));
        }

        /* fall through */

    default:
        return json_string_value(json_object_get(object, "platform"));
    }
}


unsigned
gs_admin_sees(gs_admin_call_t *c, gs_route_doc_kind_e kind,
    const json_t *object)
{
    const char  *platform;

    if (c->tenant == NULL || kind == GS_ROUTE_DOC_CHECKS) {
        return 1;
    }

    if (kind == GS_ROUTE_DOC_TLS) {
        return gs_admin_scope_text(c->scope, "tls",
                                   json_string_value(json_object_get(object,
                                                                     "id")));
    }

    platform = gs_admin_platform(c->admin->doc, kind, object);

    return platform != NULL && strcmp(platform, c->tenant) == 0;
}


gs_rc_t
gs_admin_scope_platform(gs_admin_call_t *c, const char *platform,
    const char *field)
{
    if (c->tenant == NULL
        || (platform != NULL && strcmp(platform, c->tenant) == 0))
    {
        return GS_OK;
    }

    return gs_admin_fail(c, 403, "SCOPE_PLATFORM", field, NULL,
                         "credential \"%s\" is for platform \"%s\"", c->by,
                         c->tenant);
}


unsigned
gs_admin_scope_text(const json_t *scope, const char *key, const char *value)
{
    size_t         i;
    const char    *one;
    const json_t  *list;

    list = json_object_get(scope, key);

    for (i = 0; value != NULL && i < json_array_size(list); i++) {
        one = json_string_value(json_array_get(list, i));

        if (one != NULL && strcmp(one, value) == 0) {
            return 1;
        }
    }

    return 0;
}


/* Whole segments, as in routes; "=/x" is no more than "/x". */

unsigned
gs_admin_scope_path(const json_t *list, const char *path)
{
    size_t       i, len;
    const char  *one;

    if (path == NULL) {
        return 0;
    }

    path += (path[0] == '=');

    for (i = 0; i < json_array_size(list); i++) {
        one = json_string_value(json_array_get(list, i));

        if (one == NULL || one[0] != '/') {
            continue;
        }

        len = strlen(one);

        while (len != 0 && one[len - 1] == '/') {
            len--;
        }

        if (strncmp(one, path, len) == 0
            && (path[len] == '/' || path[len] == '\0'))
        {
            return 1;
        }
    }

    return 0;
}


/* "*.a" covers "x.a" and "*.x.a"; "a" covers itself alone. */

unsigned
gs_admin_scope_host(const json_t *list, const char *host)
{
    size_t       i;
    gs_str_t     have, want, tail;
    const char  *one;

    want = gs_str_text(host);

    for (i = 0; i < json_array_size(list); i++) {
        one = json_string_value(json_array_get(list, i));

        if (one == NULL) {
            continue;
        }

        have = gs_str_text(one);

        if (gs_str_case_eq(&have, &want)) {
            return 1;
        }

        if (have.len < 3 || one[0] != '*' || one[1] != '.'
            || want.len <= have.len - 1)
        {
            continue;
        }

        have = gs_str_make(one + 1, have.len - 1);
        tail = gs_str_make(want.data + want.len - have.len, have.len);

        if (gs_str_case_eq(&have, &tail)) {
            return 1;
        }
    }

    return 0;
}


/* "44****" and "11440100" alike: what stands before the first "*". */

unsigned
gs_admin_scope_prefix(const json_t *list, const char *value)
{
    size_t       i, len;
    const char  *one;

    for (i = 0; i < json_array_size(list); i++) {
        one = json_string_value(json_array_get(list, i));

        if (one == NULL) {
            continue;
        }

        len = strcspn(one, "*");

        if (len != 0 && strncmp(one, value, len) == 0) {
            return 1;
        }
    }

    return 0;
}


unsigned
gs_admin_scope_net(const json_t *list, const gs_net_t *net)
{
    size_t         i;
    gs_net_t       one;
    gs_str_t       s;
    const json_t  *value;

    for (i = 0; i < json_array_size(list); i++) {
        value = json_array_get(list, i);
        s = gs_str_make(json_string_value(value), json_string_length(value));

        if (s.len != 0 && gs_net_parse(&one, &s) != GS_ERROR
            && gs_net_contains(&one, net))
        {
            return 1;
        }
    }

    return 0;
}


/* "8443" or "8000-8999". */

unsigned
gs_admin_scope_port(const json_t *list, unsigned port)
{
    size_t         i, at;
    uint64_t       low, high;
    gs_str_t       s, part;
    const json_t  *value;

    for (i = 0; i < json_array_size(list); i++) {
        value = json_array_get(list, i);
        s = gs_str_make(json_string_value(value), json_string_length(value));

        at = gs_str_chr(&s, 0, '-');
        part = gs_str_make(s.data, at);

        if (s.len == 0 || gs_parse_u64(&part, &low) != GS_OK) {
            continue;
        }

        high = low;

        if (at != s.len) {
            part = gs_str_make(s.data + at + 1, s.len - at - 1);

            if (gs_parse_u64(&part, &high) != GS_OK) {
                continue;
            }
        }

        if (port >= low && port <= high) {
            return 1;
        }
    }

    return 0;
}


const char *
gs_admin_scope_match(const json_t *scope, const json_t *match,
    const char **value)
{
    size_t         i;
    unsigned       k;
    const json_t  *list;

    static const struct {
        const char  *key;
        const char  *code;
        unsigned   (*covers)(const json_t *list, const char *value);
    } dims[] = {
        { "hosts", "SCOPE_HOST", gs_admin_scope_host },
        { "paths", "SCOPE_PATH", gs_admin_scope_path },
        { "regions", "SCOPE_REGION", gs_admin_scope_prefix },
        { "items", "SCOPE_ITEM", gs_admin_scope_prefix }
    };

    for (k = 0; k < sizeof(dims) / sizeof(dims[0]); k++) {
        list = json_object_get(match, dims[k].key);

        for (i = 0; i < json_array_size(list); i++) {
            *value = json_string_value(json_array_get(list, i));

            if (*value == NULL
                || !dims[k].covers(json_object_get(scope, dims[k].key),
                                   *value))
            {
                return dims[k].code;
            }
        }
    }

    return NULL;
}


gs_rc_t
gs_admin_quota(gs_admin_call_t *c, gs_route_doc_kind_e kind)
{
    void          *iter;
    json_t        *map, *object;
    json_int_t     n, max;
    const char    *platform;
    const json_t  *value;

    if (c->tenant == NULL) {
        return GS_OK;
    }

    value = json_object_get(json_object_get(c->credential, "quota"),
                            gs_route_doc_names[kind]);
    max = json_is_integer(value) ? json_integer_value(value) : 200;

    map = c->admin->doc->api[kind];
    n = 0;

    for (iter = json_object_iter(map);
         iter != NULL;
         iter = json_object_iter_next(map, iter))
    {
        object = json_object_get(json_object_iter_value(iter), "object");
        platform = gs_admin_platform(c->admin->doc, kind, object);
        n += platform != NULL && strcmp(platform, c->tenant) == 0;
    }

    if (n < max) {
        return GS_OK;
    }

    return gs_admin_fail(c, 409, "QUOTA_EXCEEDED", "",
                         "ask security staff for a larger quota",
                         "platform \"%s\" has %d %s, no more are allowed",
                         c->tenant, (int) n, gs_route_doc_names[kind]);
}
