
/*
 * Copyright (C) govsvc authors
 *
 * Instances that are named: which addresses of an answer are used.  A name
 * server is believed in nothing: each address passes the checks of one that
 * was written as a number, or stays out.
 */


#include "admin/gs_admin_named_priv.h"

#include <stdlib.h>


#define GS_ADMIN_NAMED_REFUSED  16         /* kept of an answer */


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
static gs_rc_t gs_admin_named_text(json_t *object, const char *key,
    const char *text);
static gs_rc_t gs_admin_named_set(gs_admin_one_t *one, json_t *list,
    const char *error, uint64_t now);
static unsigned gs_admin_named_ups(const json_t *list);
static int gs_admin_named_order(const void *a, const void *b);


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

    one = json_pack("{s:s, s:s, s:I}", "address", address, "state", state,
                    "since", since);

    if (gs_admin_named_text(one, "why", why) != GS_OK) {
        json_decref(one);
        return GS_ERROR;
    }

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


/* A member that there may be: json_pack() takes no memory for none. */

static gs_rc_t
gs_admin_named_text(json_t *object, const char *key, const char *text)
{
    if (object == NULL) {
        return GS_ERROR;
    }

    return (text == NULL
            || json_object_set_new(object, key, json_string(text)) == 0)
           ? GS_OK : GS_ERROR;
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

    next = json_pack("{s:s, s:i, s:O}", "name", one->name, "port",
                     (int) one->port, "addresses", list);

    if (gs_admin_named_text(next, "proof", one->proof) != GS_OK
        || gs_admin_named_text(next, "error", error) != GS_OK
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
