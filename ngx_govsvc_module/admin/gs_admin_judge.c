
/*
 * Copyright (C) govsvc authors
 *
 * What came by the API and stands, looked at by the rules as they are now.  A
 * rule that grew takes nothing away from citizens by itself: what would be
 * refused today goes on, and is told.
 */


#include "admin/gs_admin_priv.h"


static const char *gs_admin_judge_place(gs_admin_t *a, const json_t *object);
static const char *gs_admin_judge_scope(gs_admin_t *a,
    gs_route_doc_kind_e kind, const json_t *record);
static const char *gs_admin_judge_covers(gs_route_doc_kind_e kind,
    const json_t *object, const json_t *scope);
static const char *gs_admin_judge_instance(const json_t *object,
    const json_t *scope);
static gs_rc_t gs_admin_judge_peer(const json_t *object, gs_net_t *net,
    unsigned *port);
static const json_t *gs_admin_judge_credential(const gs_route_doc_t *doc,
    const char *id);


unsigned
gs_admin_judge(gs_admin_t *a, void (*found)(void *ctx, const char *kind,
    const char *id, const char *why), void *ctx)
{
    void                       *iter;
    json_t                     *map;
    unsigned                    i, n;
    const char                 *why;
    gs_route_doc_kind_e         kind;

    static const gs_route_doc_kind_e  kinds[] = {
        GS_ROUTE_DOC_POOLS, GS_ROUTE_DOC_INSTANCES, GS_ROUTE_DOC_ROUTES
    };

    n = 0;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        kind = kinds[i];
        map = a->doc->api[kind];

        for (iter = json_object_iter(map);
             iter != NULL;
             iter = json_object_iter_next(map, iter))
        {
            why = gs_admin_judged(a, kind, json_object_iter_value(iter));

            if (why != NULL) {
                n++;
                found(ctx, gs_route_doc_names[kind],
                      json_object_iter_key(iter), why);
            }
        }
    }

    return n;
}


const char *
gs_admin_judged(gs_admin_t *a, gs_route_doc_kind_e kind,
    const json_t *record)
{
    const char    *id, *why;
    const json_t  *object;

    object = json_object_get(record, "object");
    id = json_string_value(json_object_get(object, "id"));

    if (id == NULL || kind < GS_ROUTE_DOC_POOLS || kind > GS_ROUTE_DOC_ROUTES
        || !gs_route_doc_active(kind, record)
        || json_object_get(a->doc->fixed[kind], id) != NULL
        || gs_route_doc_out(a->doc, kind, id) != NULL)
    {
        return NULL;
    }

    why = (kind == GS_ROUTE_DOC_INSTANCES) ? gs_admin_judge_place(a, object)
                                           : NULL;

    return (why != NULL) ? why : gs_admin_judge_scope(a, kind, record);
}


/* The addresses of a name have a review of their own. */

static const char *
gs_admin_judge_place(gs_admin_t *a, const json_t *object)
{
    gs_net_t  net;
    unsigned  port;

    return (gs_admin_judge_peer(object, &net, &port) == GS_OK)
           ? gs_admin_place_denied(a, &net, port) : NULL;
}


/* GS_DECLINED: it is named.  *port is 0 if there is none. */

static gs_rc_t
gs_admin_judge_peer(const json_t *object, gs_net_t *net, unsigned *port)
{
    gs_str_t    s;
    json_int_t  n;

    s = gs_admin_str(json_object_get(object, "address"));
    n = json_integer_value(json_object_get(object, "port"));

    *port = (n > 0 && n <= 65535) ? (unsigned) n : 0;

    return (s.len != 0 && gs_net_parse(net, &s) == GS_OK) ? GS_OK
                                                          : GS_DECLINED;
}


/*
 * An operator's word stands.  What a province wrote has to lie in the scope of
 * some credential of it; keys come and go, so not just of the one that wrote.
 */

static const char *
gs_admin_judge_scope(gs_admin_t *a, gs_route_doc_kind_e kind,
    const json_t *record)
{
    void          *iter;
    json_t        *map;
    unsigned       i;
    const char    *platform, *role, *of, *why, *first, *by;
    const json_t  *object, *one;

    object = json_object_get(record, "object");
    by = json_string_value(json_object_get(record, "by"));
    one = gs_admin_judge_credential(a->doc, by);
    role = json_string_value(json_object_get(one, "role"));

    if (role != NULL && strcmp(role, "tenant") != 0) {
        return NULL;
    }

    platform = gs_admin_platform(a->doc, kind, object);
    first = NULL;

    for (i = 0; platform != NULL && i < 2; i++) {
        map = i ? a->doc->api[GS_ROUTE_DOC_CREDENTIALS]
                : a->doc->fixed[GS_ROUTE_DOC_CREDENTIALS];

        for (iter = json_object_iter(map);
             iter != NULL;
             iter = json_object_iter_next(map, iter))
        {
            one = json_object_iter_value(iter);
            one = i ? json_object_get(one, "object") : one;
            of = json_string_value(json_object_get(one, "platform"));

            if (of == NULL || strcmp(of, platform) != 0) {
                continue;
            }

            why = gs_admin_judge_covers(kind, object,
                                        json_object_get(one, "scope"));

            if (why == NULL) {
                return NULL;
            }

            first = (first != NULL) ? first : why;
        }
    }

    return first;
}


static const json_t *
gs_admin_judge_credential(const gs_route_doc_t *doc, const char *id)
{
    json_t  *record;

    return (id != NULL) ? gs_route_doc_find(doc, GS_ROUTE_DOC_CREDENTIALS, id,
                                            &record)
                        : NULL;
}


static const char *
gs_admin_judge_covers(gs_route_doc_kind_e kind, const json_t *object,
    const json_t *scope)
{
    const char  *text;

    if (kind == GS_ROUTE_DOC_INSTANCES) {
        return gs_admin_judge_instance(object, scope);
    }

    if (kind == GS_ROUTE_DOC_ROUTES) {
        return (gs_admin_scope_match(scope, json_object_get(object, "match"),
                                     &text)
                == NULL)
               ? NULL : "the match is in no scope of its platform";
    }

    text = json_string_value(json_object_get(object, "host"));

    if (text != NULL
        && !gs_admin_scope_host(json_object_get(scope, "hosts"), text))
    {
        return "the host is in no scope of its platform";
    }

    text = json_string_value(json_object_get(object, "tls"));

    return (text == NULL || gs_admin_scope_text(scope, "tls", text))
           ? NULL : "the TLS profile is in no scope of its platform";
}


static const char *
gs_admin_judge_instance(const json_t *object, const json_t *scope)
{
    gs_net_t  net;
    unsigned  port;

    if (gs_admin_judge_peer(object, &net, &port) != GS_OK) {
        return NULL;
    }

    if (!gs_admin_scope_net(json_object_get(scope, "networks"), &net)) {
        return "the address is in no network of its platform";
    }

    return (port != 0
            && gs_admin_scope_port(json_object_get(scope, "ports"), port))
           ? NULL : "the port is in no scope of its platform";
}
