
/*
 * Copyright (C) govsvc authors
 *
 * Instances that are named: who may name what, who is looked up, and what is
 * shown of it.
 */


#include "admin/gs_admin_named_priv.h"

#include <stdio.h>


static unsigned gs_admin_named_suffix(const gs_admin_t *a,
    const gs_str_t *name);
static unsigned gs_admin_named_scope(const json_t *list,
    const gs_str_t *name);


unsigned
gs_admin_named(const json_t *object, gs_str_t *name, unsigned *port)
{
    gs_net_t    net;
    gs_str_t    s;
    json_int_t  given;

    s = gs_admin_str(json_object_get(object, "address"));
    given = json_integer_value(json_object_get(object, "port"));

    if (s.len == 0 || gs_net_parse(&net, &s) != GS_ERROR
        || !gs_host_split(&s, name, port) || gs_host_name(name) != NULL)
    {
        return 0;
    }

    if (*port == 0 && given > 0 && given <= 65535) {
        *port = (unsigned) given;
    }

    return 1;
}


/* The name of a write, GS_DECLINED if it has none. */

gs_rc_t
gs_admin_named_check(gs_admin_call_t *c, const json_t *object,
    unsigned *port)
{
    gs_str_t  name;

    if (!gs_admin_named(object, &name, port)) {
        return GS_DECLINED;
    }

    if (!gs_admin_named_suffix(c->admin, &name)) {
        return gs_admin_fail(c, 422, "HOST_DENIED", "/address",
                             "a numeric address, or \"govsvc_hosts\" on the "
                             "gateway",
                             "the gateway looks up no name that ends so");
    }

    if (c->tenant != NULL
        && !gs_admin_named_scope(json_object_get(c->scope, "suffixes"),
                                 &name))
    {
        return gs_admin_fail(c, 403, "SCOPE_SUFFIX", "/address", NULL,
                             "the name is under no suffix of \"%s\"", c->by);
    }

    return GS_OK;
}


static unsigned
gs_admin_named_suffix(const gs_admin_t *a, const gs_str_t *name)
{
    unsigned  i;

    for (i = 0; i < a->nsuffixes; i++) {
        if (gs_host_under(name, &a->suffixes[i])) {
            return 1;
        }
    }

    return 0;
}


static unsigned
gs_admin_named_scope(const json_t *list, const gs_str_t *name)
{
    size_t    i;
    gs_str_t  s;

    for (i = 0; i < json_array_size(list); i++) {
        s = gs_admin_str(json_array_get(list, i));

        if (gs_host_suffix(&s) == NULL && gs_host_under(name, &s)) {
            return 1;
        }
    }

    return 0;
}


gs_rc_t
gs_admin_named_suffixes(gs_admin_call_t *c, const json_t *scope)
{
    size_t         i;
    gs_str_t       s;
    const char    *why;
    const json_t  *list;

    list = json_object_get(scope, "suffixes");

    for (i = 0; i < json_array_size(list); i++) {
        s = gs_admin_str(json_array_get(list, i));
        why = gs_host_suffix(&s);

        if (why != NULL) {
            return gs_admin_fail(c, 422, "INVALID", "/scope/suffixes",
                                 "\"gd.gov.example\"",
                                 "\"%s\" is no suffix of names: it %s",
                                 (const char *) s.data, why);
        }
    }

    return GS_OK;
}


gs_rc_t
gs_admin_named_each(gs_admin_t *a, gs_admin_named_pt found, void *ctx)
{
    void              *iter;
    json_t            *map, *record, *object;
    unsigned           api;
    const char        *id;
    gs_str_t           name;
    gs_admin_one_t     one;
    gs_admin_named_t   named;

    for (api = 0; api < 2; api++) {

        map = api ? a->doc->api[GS_ROUTE_DOC_INSTANCES]
                  : a->doc->fixed[GS_ROUTE_DOC_INSTANCES];

        for (iter = json_object_iter(map);
             iter != NULL;
             iter = json_object_iter_next(map, iter))
        {
            id = json_object_iter_key(iter);
            record = api ? json_object_iter_value(iter) : NULL;
            object = api ? json_object_get(record, "object")
                         : json_object_iter_value(iter);

            if (!gs_admin_named(object, &name, &named.port)
                || (api && json_object_get(
                               a->doc->fixed[GS_ROUTE_DOC_INSTANCES], id)
                           != NULL))
            {
                continue;
            }

            gs_admin_named_open(a, &one, id, object, record);

            named.id = id;
            named.name = one.name;
            named.pool = json_string_value(json_object_get(object, "pool"));
            named.proof = one.proof;
            named.bar = gs_admin_named_bar(&one);
            named.entry = one.entry;

            if (found(ctx, &named) != GS_OK) {
                return GS_ERROR;
            }
        }
    }

    return GS_OK;
}


void
gs_admin_named_open(gs_admin_t *a, gs_admin_one_t *one, const char *id,
    json_t *object, json_t *record)
{
    gs_str_t  name, known;

    memset(one, 0, sizeof(gs_admin_one_t));

    one->admin = a;
    one->id = id;
    one->record = record;

    if (!gs_admin_named(object, &name, &one->port)) {
        return;
    }

    memcpy(one->name, name.data, name.len);
    one->name[name.len] = '\0';

    one->proof = json_string_value(json_object_get(record, "proof"));
    one->entry = json_object_get(a->doc->hosts, id);
    known = gs_admin_str(json_object_get(one->entry, "name"));

    if (!gs_str_eq(&known, &name)
        || json_integer_value(json_object_get(one->entry, "port"))
           != (json_int_t) one->port)
    {
        one->entry = NULL;
    }
}


const char *
gs_admin_named_bar(const gs_admin_one_t *one)
{
    json_t      *credential, *record, *scope;
    gs_str_t     name;
    const char  *owner;

    name = gs_str_text(one->name);

    if (!gs_admin_named_suffix(one->admin, &name)) {
        return "the gateway looks up no name that ends so";
    }

    owner = json_string_value(json_object_get(one->record, "owner"));

    if (owner == NULL) {
        return NULL;
    }

    credential = gs_route_doc_find(one->admin->doc, GS_ROUTE_DOC_CREDENTIALS,
                                   owner, &record);
    scope = json_object_get(credential, "scope");

    if (credential == NULL) {
        return "the credential that named it is gone";
    }

    return gs_admin_named_scope(json_object_get(scope, "suffixes"), &name)
           ? NULL : "its credential may no longer name it";
}


const char *
gs_admin_named_denied(const gs_admin_one_t *one, const gs_net_t *net)
{
    json_t      *credential, *record;
    const char  *why, *owner;

    why = gs_admin_place_denied(one->admin, net, one->port);

    if (why != NULL) {
        return why;
    }

    owner = json_string_value(json_object_get(one->record, "owner"));

    if (owner == NULL) {
        return NULL;
    }

    credential = gs_route_doc_find(one->admin->doc, GS_ROUTE_DOC_CREDENTIALS,
                                   owner, &record);

    return gs_admin_scope_net(json_object_get(json_object_get(credential,
                                                              "scope"),
                                              "networks"), net)
           ? NULL : "in no network of its credential";
}


json_t *
gs_admin_named_show(gs_admin_t *a, const char *id, json_t *health(void *ctx,
    const char *instance), void *ctx, json_t **best)
{
    char           peer[GS_ADMIN_ID + GS_NET_TEXT + 2];
    size_t         i;
    json_t        *shown, *list, *one, *value;
    gs_str_t       state;
    const char    *address;

    shown = json_deep_copy(json_object_get(a->doc->hosts, id));
    list = json_object_get(shown, "addresses");
    *best = NULL;

    (void) json_object_del(shown, "proof");

    for (i = 0; health != NULL && i < json_array_size(list); i++) {
        one = json_array_get(list, i);
        address = json_string_value(json_object_get(one, "address"));

        if (address == NULL
            || (size_t) snprintf(peer, sizeof(peer), "%s@%s", id, address)
               >= sizeof(peer))
        {
            continue;
        }

        value = health(ctx, peer);

        if (value == NULL) {
            continue;
        }

        state = gs_admin_str(json_object_get(value, "state"));

        if (*best == NULL || gs_str_eq_text(&state, "up")) {
            json_decref(*best);
            *best = json_incref(value);
        }

        (void) json_object_set_new(one, "health", value);
    }

    return shown;
}
