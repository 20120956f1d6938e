
/*
 * Copyright (C) govsvc authors
 *
 * The search: host groups from the exact one to the one without a host; in
 * each the path from the exact leaf to the shortest prefix; in each leaf the
 * item, then the region from the nearest up, then routes without either.  The
 * first route whose other predicates hold wins.
 */


#include "route/gs_route_priv.h"


static gs_rc_t gs_route_search_group(gs_route_request_t *q, uint32_t group);
static gs_rc_t gs_route_search_leaf(gs_route_request_t *q, uint32_t index);
static gs_rc_t gs_route_search_item(gs_route_request_t *q, uint32_t leaf);
static gs_rc_t gs_route_search_run(gs_route_request_t *q, gs_route_run_t run);
static void gs_route_won(gs_route_request_t *q, uint32_t index);
static int gs_route_in_regions(gs_route_request_t *q,
    const gs_route_record_t *route);
static gs_route_test_e gs_route_cond(gs_route_request_t *q,
    const gs_route_cond_t *cond);
static gs_str_t gs_route_header(gs_route_request_t *q,
    const gs_route_cond_t *cond);


static const char *const  gs_route_sources[] = {
    "", "path", "host", "item", "header", "geo", "platform"
};

static const char *const  gs_route_reasons[] = {
    "", "ROUTE_NOT_FOUND", "REGION_UNKNOWN", "ITEM_UNKNOWN", "ROUTE_LATE"
};


gs_rc_t
gs_route_match(const gs_route_table_t *t, const gs_route_input_t *in,
    gs_route_result_t *out)
{
    gs_route_request_t  q;

    if (gs_route_request(&q, t, in, out) != GS_OK) {
        return GS_DECLINED;
    }

    return gs_route_search(&q);
}


const char *
gs_route_source_text(gs_route_source_e source)
{
    return gs_route_sources[source];
}


const char *
gs_route_reason_text(gs_route_reason_e reason)
{
    return gs_route_reasons[reason];
}


gs_rc_t
gs_route_search(gs_route_request_t *q)
{
    unsigned  i;

    for (i = 0; i < q->ngroups; i++) {
        if (gs_route_search_group(q, q->groups[i]) == GS_OK) {
            return GS_OK;
        }
    }

    if (q->out->late) {
        q->out->reason = GS_ROUTE_LATE;

    } else if (q->by == GS_ROUTE_BY_PATH || q->by == GS_ROUTE_BY_HEADER) {
        q->out->reason = GS_ROUTE_REGION_UNKNOWN;

    } else if (q->out->item.code.len != 0) {
        q->out->reason = GS_ROUTE_ITEM_UNKNOWN;

    } else {
        q->out->reason = GS_ROUTE_NOT_FOUND;
    }

    return GS_DECLINED;
}


static gs_rc_t
gs_route_search_group(gs_route_request_t *q, uint32_t group)
{
    gs_rc_t                  rc;
    uint32_t                 index, child;
    gs_str_t                 path, segment;
    const gs_route_node_t   *nodes;
    const gs_route_group_t  *groups;

    groups = gs_route_section(q->table, GS_ROUTE_S_GROUPS, gs_route_group_t);
    nodes = gs_route_section(q->table, GS_ROUTE_S_NODES, gs_route_node_t);

    index = groups[group].root;
    path = q->in->uri;

    for ( ;; ) {
        rc = gs_route_segment(&path, &segment);

        if (rc == GS_DONE) {
            break;
        }

        child = gs_route_find_node(q->table, index, &segment);

        if (child == GS_ROUTE_NONE) {
            break;
        }

        index = child;
    }

    if (rc == GS_DONE && nodes[index].exact != GS_ROUTE_NONE
        && gs_route_search_leaf(q, nodes[index].exact) == GS_OK)
    {
        return GS_OK;
    }

    for ( /* void */ ; index != GS_ROUTE_NONE; index = nodes[index].up) {

        if (nodes[index].prefix != GS_ROUTE_NONE
            && gs_route_search_leaf(q, nodes[index].prefix) == GS_OK)
        {
            return GS_OK;
        }
    }

    return GS_DECLINED;
}


static gs_rc_t
gs_route_search_leaf(gs_route_request_t *q, uint32_t index)
{
    unsigned                i;
    const gs_route_key_t   *key;
    const gs_route_leaf_t  *leaf;

    leaf = gs_route_section(q->table, GS_ROUTE_S_LEAVES, gs_route_leaf_t)
           + index;

    if ((leaf->flags & GS_ROUTE_LEAF_ITEMS) && q->out->item.code.len != 0
        && gs_route_search_item(q, index) == GS_OK)
    {
        return GS_OK;
    }

    if (leaf->flags & GS_ROUTE_LEAF_REGIONS) {

        gs_route_request_geo(q);

        for (i = 0; i < q->nchain; i++) {
            key = gs_route_find_region_key(q->table, index, q->chain[i]);

            if (key != NULL && gs_route_search_run(q, key->run) == GS_OK) {
                q->out->region_matched = q->chain[i];
                return GS_OK;
            }
        }
    }

    /* who names a region or an item never gets a platform by default */

    if ((leaf->flags & GS_ROUTE_LEAF_CATCH_ALL) && q->named) {
        return GS_DECLINED;
    }

    return gs_route_search_run(q, leaf->run);
}


/* The whole code, then the shorter codes that contain this item. */

static gs_rc_t
gs_route_search_item(gs_route_request_t *q, uint32_t leaf)
{
    gs_str_t               code;
    const gs_route_key_t  *key;

    code = q->out->item.code;

    for ( ;; ) {
        key = gs_route_find_item(q->table, leaf, &code);

        if (key != NULL && gs_route_search_run(q, key->run) == GS_OK) {
            return GS_OK;
        }

        if (code.len == 33) {
            code.len = 31;

        } else if (code.len == 31) {
            code = q->out->item.base;

        } else {
            return GS_DECLINED;
        }
    }
}


static gs_rc_t
gs_route_search_run(gs_route_request_t *q, gs_route_run_t run)
{
    uint32_t                  i;
    const uint32_t           *candidates;
    gs_route_test_e           test;
    const gs_route_cond_t    *cond;
    const gs_route_record_t  *routes;

    candidates = gs_route_section(q->table, GS_ROUTE_S_CANDIDATES, uint32_t)
                 + run.first;
    routes = gs_route_section(q->table, GS_ROUTE_S_ROUTES, gs_route_record_t);

    for (i = 0; i < run.n; i++) {
        test = gs_route_test(q, &routes[candidates[i]], &cond);

        if (test == GS_ROUTE_TEST_OK) {
            gs_route_won(q, candidates[i]);
            return GS_OK;
        }

        if (test == GS_ROUTE_TEST_LATE) {
            q->out->late = 1;
        }
    }

    return GS_DECLINED;
}


static void
gs_route_won(gs_route_request_t *q, uint32_t index)
{
    gs_route_result_t          *out;
    const gs_route_pool_t      *pool;
    const gs_route_record_t    *route;
    const gs_route_platform_t  *platform;

    out = q->out;
    route = gs_route_section(q->table, GS_ROUTE_S_ROUTES, gs_route_record_t)
            + index;
    platform = gs_route_platform(q->table, route->platform);
    pool = gs_route_pool(q->table, route->pool);

    out->reason = GS_ROUTE_MATCHED;
    out->route = index;
    out->platform = route->platform;
    out->pool = route->pool;
    out->critical = route->critical;
    out->route_id = gs_route_str(q->table, route->id);
    out->platform_id = gs_route_str(q->table, platform->id);
    out->pool_id = gs_route_str(q->table, pool->id);
    out->host = gs_route_str(q->table, pool->host);

    if (out->region == 0 && platform->region != 0) {
        out->region = platform->region;
        out->source = GS_ROUTE_BY_PLATFORM;
    }

    out->region_matched = out->region;
}


gs_route_test_e
gs_route_test(gs_route_request_t *q, const gs_route_record_t *route,
    const gs_route_cond_t **cond)
{
    uint32_t                i;
    gs_route_test_e         test;
    const gs_route_cond_t  *conds;

    *cond = NULL;

    if (route->methods != 0 && (route->methods & q->method) == 0) {
        return GS_ROUTE_TEST_METHOD;
    }

    if (route->items.n != 0 && route->regions.n != 0
        && !gs_route_in_regions(q, route))
    {
        return GS_ROUTE_TEST_REGION;
    }

    conds = gs_route_section(q->table, GS_ROUTE_S_CONDS, gs_route_cond_t)
            + route->conds.first;

    for (i = 0; i < route->conds.n; i++) {
        test = gs_route_cond(q, &conds[i]);

        if (test != GS_ROUTE_TEST_OK) {
            *cond = &conds[i];
            return test;
        }
    }

    return GS_ROUTE_TEST_OK;
}


static int
gs_route_in_regions(gs_route_request_t *q, const gs_route_record_t *route)
{
    unsigned         j;
    uint32_t         i;
    const uint32_t  *codes;

    gs_route_request_geo(q);

    codes = gs_route_section(q->table, GS_ROUTE_S_CODES, uint32_t)
            + route->regions.first;

    for (i = 0; i < route->regions.n; i++) {
        for (j = 0; j < q->nchain; j++) {
            if (codes[i] == q->chain[j]) {
                return 1;
            }
        }
    }

    return 0;
}


static gs_route_test_e
gs_route_cond(gs_route_request_t *q, const gs_route_cond_t *cond)
{
    uint32_t               i;
    gs_str_t               value, want;
    const gs_route_ref_t  *values;

    if (cond->kind == GS_ROUTE_COND_CLAIM) {

        if (q->in->claim == NULL) {
            return GS_ROUTE_TEST_LATE;
        }

        want = gs_route_str(q->table, cond->name);
        value = q->in->claim(q->in->ctx, &want);

    } else {
        value = gs_route_header(q, cond);
    }

    if (value.data != NULL) {

        values = gs_route_section(q->table, GS_ROUTE_S_VALUES, gs_route_ref_t)
                 + cond->values.first;

        for (i = 0; i < cond->values.n; i++) {
            want = gs_route_str(q->table, values[i]);

            if (gs_route_wild(&value, &want,
                              cond->kind == GS_ROUTE_COND_CHANNEL))
            {
                return GS_ROUTE_TEST_OK;
            }
        }
    }

    return (cond->kind == GS_ROUTE_COND_CLAIM) ? GS_ROUTE_TEST_CLAIM
                                               : GS_ROUTE_TEST_HEADER;
}


/* Headers are looked up when a candidate asks, each once. */

static gs_str_t
gs_route_header(gs_route_request_t *q, const gs_route_cond_t *cond)
{
    gs_str_t  name;

    if (cond->kind == GS_ROUTE_COND_CHANNEL) {
        return q->out->channel;
    }

    if (q->cached & (1u << cond->header)) {
        return q->headers[cond->header];
    }

    name = gs_route_str(q->table, cond->name);

    q->headers[cond->header] = (q->in->header != NULL)
                               ? q->in->header(q->in->ctx, &name)
                               : gs_str_make(NULL, 0);
    q->cached |= 1u << cond->header;

    return q->headers[cond->header];
}
