
/*
 * Copyright (C) govsvc authors
 *
 * Instances that are named: who may name what, and which addresses of an
 * answer are used.  A name server is believed in nothing: each address passes
 * the checks of one that was written as a number, or stays out.
 */


#include "admin/gs_admin_priv.h"
#include "core/gs_host.h"

#include <stdio.h>
#include <stdlib.h>


#define GS_ADMIN_NAMED_REFUSED  16         /* kept of an answer */


/* An instance with a name, and what its addresses have to fulfil. */
typedef struct {
    gs_admin_t    *admin;
    json_t        *record;                 /* NULL: of a file */
    const char    *id;
    char           name[GS_HOST_LEN + 1];
    unsigned       port;
    const char    *proof;                  /* NULL: none is asked for */
    json_t        *entry;                  /* of the same name and port */
} gs_admin_one_t;


static void gs_admin_named_open(gs_admin_t *a, gs_admin_one_t *one,
    const char *id, json_t *object, json_t *record);
static unsigned gs_admin_named_suffix(const gs_admin_t *a,
    const gs_str_t *name);
static unsigned gs_admin_named_scope(const json_t *list,
    const gs_str_t *name);
static const char *gs_admin_named_bar(const gs_admin_one_t *one);
static const char *gs_admin_named_denied(const gs_admin_one_t *one,
    const gs_net_t *net);
static const char *gs_admin_named_old(const gs_admin_one_t *one,
    const char *address, json_t **old);
static gs_rc_t gs_admin_named_merge(gs_admin_one_t *one,
    const gs_admin_answer_t *answer, uint64_t now, json_t *list,
    gs_admin_refused_pt refused, void *ctx);
static gs_rc_t gs_admin_named_before(gs_admin_one_t *one,
    gs_admin_answer_t *answer);
static gs_rc_t gs_admin_named_keep(gs_admin_one_t *one, uint64_t now,
    json_t *list);
static gs_rc_t gs_admin_named_add(json_t *list, const char *address,
    const char *state, const char *why, const json_t *old, uint64_t now);
static unsigned gs_admin_named_first(const json_t *item, const char *address,
    const char *why);
static gs_rc_t gs_admin_named_set(gs_admin_one_t *one, json_t *list,
    const char *error, uint64_t now);
static unsigned gs_admin_named_ups(const json_t *list);
static int gs_admin_named_order(const void *a, const void *b);


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


static void
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


/* Why nobody is asked for it: what was allowed once may be so no longer. */

static const char *
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


static const char *
gs_admin_named_denied(const gs_admin_one_t *one, const gs_net_t *net)
{
    json_t      *credential, *record;
    const char  *why, *owner;

    why = gs_admin_address_denied(net, one->admin->deny, one->admin->ndeny);

    if (why != NULL
        && !(one->admin->loopback && strcmp(why, "loopback") == 0))
    {
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


gs_rc_t
gs_admin_answered(gs_admin_t *a, const gs_admin_answer_t *answer,
    uint64_t now, gs_admin_refused_pt refused, void *ctx)
{
    json_t            *object, *record, *list;
    gs_rc_t            rc;
    const char        *error;
    gs_admin_one_t     one;
    gs_admin_answer_t  last;

    object = gs_route_doc_find(a->doc, GS_ROUTE_DOC_INSTANCES, answer->id,
                               &record);

    gs_admin_named_open(a, &one, answer->id, object, record);

    /* it may have another name by now */

    if (object == NULL || strcmp(one.name, answer->name) != 0
        || one.port != answer->port)
    {
        return GS_DECLINED;
    }

    error = gs_admin_named_bar(&one);

    if (error == NULL) {
        error = answer->again ? json_string_value(json_object_get(one.entry,
                                                                  "error"))
                              : answer->error;
    }

    /* nothing new: the last answer once more, by the rules of now */

    list = json_array();
    last = *answer;

    rc = (error != NULL || answer->again)
         ? gs_admin_named_before(&one, &last) : GS_OK;

    if (rc == GS_OK) {
        rc = gs_admin_named_merge(&one, &last, now, list, refused, ctx);
    }

    if (last.nets != answer->nets) {
        gs_free(a->mem, last.nets);
    }

    if (rc == GS_OK && error == NULL
        && json_object_get(json_array_get(list, 0), "why") != NULL)
    {
        error = "no address of the answer is allowed";
    }

    /* the last that were good go on until one of the new ones can */

    if (rc == GS_OK && !gs_admin_named_ups(list)) {
        rc = gs_admin_named_keep(&one, now, list);
    }

    if (rc == GS_OK) {
        rc = gs_admin_named_set(&one, list, error, now);
    }

    json_decref(list);

    return rc;
}


/* The addresses of the entry, in memory of their own. */

static gs_rc_t
gs_admin_named_before(gs_admin_one_t *one, gs_admin_answer_t *answer)
{
    size_t     i;
    json_t    *list;
    gs_net_t  *nets;
    gs_str_t   s;

    list = json_object_get(one->entry, "addresses");

    nets = gs_alloc(one->admin->mem, (json_array_size(list) + 1)
                                     * sizeof(gs_net_t));
    if (nets == NULL) {
        return GS_ERROR;
    }

    answer->nets = nets;
    answer->n = 0;

    for (i = 0; i < json_array_size(list); i++) {
        s = gs_admin_str(json_object_get(json_array_get(list, i),
                                         "address"));
        answer->n += s.len != 0
                     && gs_net_parse(&nets[answer->n], &s) == GS_OK;
    }

    return GS_OK;
}


static int
gs_admin_named_order(const void *a, const void *b)
{
    const gs_net_t *x = a;
    const gs_net_t *y = b;

    if (x->family != y->family) {
        return (x->family < y->family) ? -1 : 1;
    }

    return memcmp(x->addr, y->addr, sizeof(x->addr));
}


/* The first of the good ones by number: answers come in any order. */

static gs_rc_t
gs_admin_named_merge(gs_admin_one_t *one, const gs_admin_answer_t *answer,
    uint64_t now, json_t *list, gs_admin_refused_pt refused, void *ctx)
{
    char           text[GS_NET_TEXT + 1];
    json_t        *old;
    gs_rc_t        rc;
    unsigned       i, pass, good, bad;
    const char    *why, *state;

    qsort(answer->nets, answer->n, sizeof(gs_net_t), gs_admin_named_order);

    good = 0;
    bad = 0;
    rc = GS_OK;

    for (pass = 0; pass < 2; pass++) {

        for (i = 0; rc == GS_OK && i < answer->n; i++) {

            if (i != 0 && gs_admin_named_order(&answer->nets[i],
                                               &answer->nets[i - 1]) == 0)
            {
                continue;
            }

            text[gs_net_print((gs_uchar_t *) text, &answer->nets[i])] = '\0';
            why = gs_admin_named_denied(one, &answer->nets[i]);
            state = gs_admin_named_old(one, text, &old);

            if (pass == 0 && why == NULL && good < one->admin->naddresses) {
                good++;

                if (one->proof == NULL) {
                    state = "up";

                } else if (strcmp(state, "up") != 0) {
                    state = "proving";
                }

                rc = gs_admin_named_add(list, text, state, NULL, old, now);
            }

            if (pass == 1 && why != NULL && bad < GS_ADMIN_NAMED_REFUSED) {
                bad++;

                if (strcmp(state, "refused") != 0 && refused != NULL) {
                    refused(ctx, one->id, one->name, text, why);
                }

                rc = gs_admin_named_add(list, text, "refused", why, old, now);
            }
        }
    }

    return rc;
}


/* The state it had under the same proof, "" if it is new. */

static const char *
gs_admin_named_old(const gs_admin_one_t *one, const char *address,
    json_t **old)
{
    size_t         i;
    gs_str_t       s, proof;
    const char    *state;
    const json_t  *list;

    list = json_object_get(one->entry, "addresses");
    proof = gs_admin_str(json_object_get(one->entry, "proof"));

    for (i = 0; i < json_array_size(list); i++) {
        *old = json_array_get(list, i);
        s = gs_admin_str(json_object_get(*old, "address"));
        state = json_string_value(json_object_get(*old, "state"));

        if (state == NULL || s.len == 0 || !gs_str_eq_text(&s, address)) {
            continue;
        }

        if (strcmp(state, "up") == 0 && one->proof != NULL
            && !gs_str_eq_text(&proof, one->proof))
        {
            break;
        }

        return state;
    }

    *old = NULL;

    return "";
}


static gs_rc_t
gs_admin_named_keep(gs_admin_one_t *one, uint64_t now, json_t *list)
{
    size_t         i;
    json_t        *old;
    gs_net_t       net;
    gs_str_t       s;
    const char    *state;
    const json_t  *before;

    before = json_object_get(one->entry, "addresses");

    for (i = 0; i < json_array_size(before); i++) {
        s = gs_admin_str(json_object_get(json_array_get(before, i),
                                         "address"));

        if (s.len == 0 || gs_net_parse(&net, &s) != GS_OK) {
            continue;
        }

        state = gs_admin_named_old(one, (const char *) s.data, &old);

        if (strcmp(state, "up") == 0
            && gs_admin_named_denied(one, &net) == NULL
            && gs_admin_named_add(list, (const char *) s.data, "up", NULL,
                                  old, now) != GS_OK)
        {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


static gs_rc_t
gs_admin_named_add(json_t *list, const char *address, const char *state,
    const char *why, const json_t *old, uint64_t now)
{
    size_t       i;
    json_t      *one;
    gs_str_t     was;
    json_int_t   since;

    was = gs_admin_str(json_object_get(old, "state"));
    since = (json_int_t) now;

    /* one order for one set, so that nothing is written for nothing */

    for (i = 0; i < json_array_size(list); i++) {
        if (!gs_admin_named_first(json_array_get(list, i), address, why)) {
            break;
        }
    }

    if (gs_str_eq_text(&was, state)) {
        since = json_integer_value(json_object_get(old, "since"));
    }

    one = json_pack("{s:s, s:s, s:s*, s:I}", "address", address, "state",
                    state, "why", why, "since", since);

    return (json_array_insert_new(list, i, one) == 0) ? GS_OK : GS_ERROR;
}


/* 1 if item stands before that address: refused ones are the last. */

static unsigned
gs_admin_named_first(const json_t *item, const char *address,
    const char *why)
{
    gs_net_t  a, b;
    gs_str_t  s;
    unsigned  refused;

    refused = json_object_get(item, "why") != NULL;

    if (refused != (why != NULL)) {
        return !refused;
    }

    s = gs_admin_str(json_object_get(item, "address"));

    if (gs_net_parse(&a, &s) != GS_OK) {
        return 1;
    }

    s = gs_str_text(address);

    return gs_net_parse(&b, &s) == GS_OK && gs_admin_named_order(&a, &b) < 0;
}


static unsigned
gs_admin_named_ups(const json_t *list)
{
    size_t    i;
    gs_str_t  s;

    for (i = 0; i < json_array_size(list); i++) {
        s = gs_admin_str(json_object_get(json_array_get(list, i), "state"));

        if (gs_str_eq_text(&s, "up")) {
            return 1;
        }
    }

    return 0;
}


/* GS_DECLINED: it says nothing new. */

static gs_rc_t
gs_admin_named_set(gs_admin_one_t *one, json_t *list, const char *error,
    uint64_t now)
{
    json_t      *next;
    gs_rc_t      rc;
    gs_str_t     was;
    json_int_t   since;

    was = gs_admin_str(json_object_get(one->entry, "error"));
    since = (json_int_t) now;

    if (error != NULL && gs_str_eq_text(&was, error)) {
        since = json_integer_value(json_object_get(one->entry,
                                                   "error_since"));
    }

    next = json_pack("{s:s, s:i, s:O, s:s*, s:s*}", "name", one->name,
                     "port", (int) one->port, "addresses", list, "proof",
                     one->proof, "error", error);

    if (next == NULL
        || (error != NULL
            && json_object_set_new(next, "error_since", json_integer(since))
               != 0))
    {
        json_decref(next);
        return GS_ERROR;
    }

    rc = GS_DECLINED;

    if (!json_equal(next, one->entry)) {
        rc = (json_object_set(one->admin->doc->hosts, one->id, next) == 0)
             ? GS_OK : GS_ERROR;
    }

    json_decref(next);

    return rc;
}


gs_rc_t
gs_admin_shown(gs_admin_t *a, const char *id, const char *address,
    const char *proof, uint64_t now)
{
    size_t           i;
    json_t          *object, *record, *list, *item, *next;
    gs_rc_t          rc;
    gs_net_t         net;
    gs_str_t         s;
    gs_admin_one_t   one;

    object = gs_route_doc_find(a->doc, GS_ROUTE_DOC_INSTANCES, id, &record);
    gs_admin_named_open(a, &one, id, object, record);

    list = json_object_get(one.entry, "addresses");

    if (one.proof == NULL || strcmp(one.proof, proof) != 0) {
        return GS_DECLINED;
    }

    for (i = 0; i < json_array_size(list); i++) {
        item = json_array_get(list, i);
        s = gs_admin_str(json_object_get(item, "address"));

        if (s.len == 0 || !gs_str_eq_text(&s, address)
            || gs_net_parse(&net, &s) != GS_OK
            || gs_admin_named_denied(&one, &net) != NULL)
        {
            continue;
        }

        s = gs_admin_str(json_object_get(item, "state"));

        if (!gs_str_eq_text(&s, "proving")) {
            return GS_DECLINED;
        }

        next = json_pack("{s:s, s:s, s:I}", "address", address, "state",
                         "up", "since", (json_int_t) now);
        rc = (json_array_set_new(list, i, next) == 0) ? GS_OK : GS_ERROR;

        return rc;
    }

    return GS_DECLINED;
}


gs_rc_t
gs_admin_named_review(gs_admin_t *a, uint64_t now)
{
    size_t             i;
    void              *iter;
    json_t            *object, *record, *ids;
    gs_rc_t            rc, one_rc;
    const char        *id;
    gs_admin_one_t     one;
    gs_admin_answer_t  answer;

    ids = json_array();
    rc = (ids != NULL) ? GS_DECLINED : GS_ERROR;

    for (iter = json_object_iter(a->doc->hosts);
         iter != NULL;
         iter = json_object_iter_next(a->doc->hosts, iter))
    {
        if (json_array_append_new(ids, json_string(
                                           json_object_iter_key(iter))) != 0)
        {
            rc = GS_ERROR;
        }
    }

    for (i = 0; rc != GS_ERROR && i < json_array_size(ids); i++) {

        id = json_string_value(json_array_get(ids, i));
        object = gs_route_doc_find(a->doc, GS_ROUTE_DOC_INSTANCES, id,
                                   &record);
        gs_admin_named_open(a, &one, id, object, record);

        if (object == NULL || one.entry == NULL) {
            (void) json_object_del(a->doc->hosts, id);
            rc = GS_OK;
            continue;
        }

        memset(&answer, 0, sizeof(gs_admin_answer_t));
        answer.id = id;
        answer.name = one.name;
        answer.port = one.port;
        answer.again = 1;

        one_rc = gs_admin_answered(a, &answer, now, NULL, NULL);
        rc = (one_rc == GS_DECLINED) ? rc : one_rc;
    }

    json_decref(ids);

    return rc;
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
