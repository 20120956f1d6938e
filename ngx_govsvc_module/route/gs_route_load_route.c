
/*
 * Copyright (C) govsvc authors
 *
 * platforms.json: routes, what of them must hold together.
 */


#include "route/gs_route_load.h"


typedef enum {
    GS_ROUTE_WALK_NEW = 0,
    GS_ROUTE_WALK_OPEN,
    GS_ROUTE_WALK_DONE
} gs_route_walk_e;


static gs_rc_t gs_route_load_route(gs_route_load_t *l, const json_t *object);
static gs_rc_t gs_route_load_priority(gs_route_load_t *l,
    const json_t *object, int32_t *priority);
static gs_rc_t gs_route_load_critical(gs_route_load_t *l,
    const json_t *object, uint32_t *critical);
static gs_rc_t gs_route_walk(gs_route_load_t *l, gs_uchar_t *state,
    uint32_t index, unsigned depth);
static int gs_route_overlap_conds(const gs_route_model_t *a,
    const gs_route_model_t *b);
static int gs_route_overlap_values(const gs_route_cond_model_t *a,
    const gs_route_cond_model_t *b);
static int gs_route_overlap_regions(const gs_route_model_t *a,
    const gs_route_model_t *b);


static const char *const  gs_route_members[] = {
    "id", "platform", "pool", "priority", "critical", "match", NULL
};


const char *const  gs_route_criticals[] = {
    "license", "identity", "payment", "other", NULL
};


gs_rc_t
gs_route_load_routes(gs_route_load_t *l, const json_t *root)
{
    size_t   i, mark, outer;
    json_t  *list;

    if (gs_route_json_child(l, root, "routes", 1, &list) != GS_OK) {
        return GS_ERROR;
    }

    outer = gs_route_json_enter(l, "routes");

    if (json_array_size(list) > GS_ROUTE_MAX_OBJECTS) {
        gs_err(l->err, "%zu routes; allowed: at most %d",
               json_array_size(list), GS_ROUTE_MAX_OBJECTS);
        return gs_route_json_fail(l);
    }

    for (i = 0; i < json_array_size(list); i++) {
        mark = gs_route_json_index(l, i);

        if (gs_route_load_route(l, json_array_get(list, i)) != GS_OK) {
            return GS_ERROR;
        }

        gs_route_json_leave(l, mark);
    }

    gs_route_json_leave(l, outer);

    return GS_OK;
}


static gs_rc_t
gs_route_load_route(gs_route_load_t *l, const json_t *object)
{
    size_t                  mark;
    json_t                 *match;
    gs_route_model_t       *route;
    gs_route_pool_model_t  *pool;

    if (gs_route_json_members(l, object, gs_route_members) != GS_OK) {
        return GS_ERROR;
    }

    route = gs_route_vec_push(l, &l->routes, 1);

    if (route == NULL) {
        return GS_ERROR;
    }

    if (gs_route_json_id(l, object, &l->route_ids, "route", &route->id)
        != GS_OK
        || gs_route_json_ref(l, object, "platform", &l->platform_ids,
                             "platform", 1, &route->platform) != GS_OK
        || gs_route_json_ref(l, object, "pool", &l->pool_ids, "pool", 1,
                             &route->pool) != GS_OK
        || gs_route_load_priority(l, object, &route->priority) != GS_OK
        || gs_route_load_critical(l, object, &route->critical) != GS_OK)
    {
        return GS_ERROR;
    }

    pool = gs_route_vec_at(&l->pools, gs_route_pool_model_t, route->pool);

    if (pool->platform != route->platform) {
        gs_route_json_enter(l, "pool");
        gs_err(l->err, "pool \"%S\" belongs to platform \"%S\"", &pool->id,
               &gs_route_vec_at(&l->platforms, gs_route_platform_model_t,
                                pool->platform)->id);
        return gs_route_json_fail(l);
    }

    if (gs_route_json_child(l, object, "match", 0, &match) != GS_OK) {
        return GS_ERROR;
    }

    if (match == NULL) {
        gs_err(l->err, "member \"match\" is missing");
        return gs_route_json_fail(l);
    }

    mark = gs_route_json_enter(l, "match");

    if (gs_route_load_match(l, match, route) != GS_OK) {
        return GS_ERROR;
    }

    gs_route_json_leave(l, mark);

    return GS_OK;
}


static gs_rc_t
gs_route_load_priority(gs_route_load_t *l, const json_t *object,
    int32_t *priority)
{
    size_t         mark;
    json_int_t     n;
    const json_t  *value;

    value = json_object_get(object, "priority");

    if (value == NULL) {
        return GS_OK;
    }

    mark = gs_route_json_enter(l, "priority");

    if (!json_is_integer(value)) {
        return gs_route_json_type(l, value, "a whole number");
    }

    n = json_integer_value(value);

    if (n < -1000000 || n > 1000000) {
        gs_err(l->err, "priority is out of range; allowed: -1000000 to "
               "1000000");
        return gs_route_json_fail(l);
    }

    *priority = (int32_t) n;
    gs_route_json_leave(l, mark);

    return GS_OK;
}


static gs_rc_t
gs_route_load_critical(gs_route_load_t *l, const json_t *object,
    uint32_t *critical)
{
    gs_rc_t   rc;
    uint32_t  n;

    n = 0;
    rc = gs_route_json_enum(l, object, "critical", gs_route_criticals, &n);

    if (rc == GS_ERROR) {
        return GS_ERROR;
    }

    *critical = (rc == GS_OK) ? n + 1 : 0;

    return GS_OK;
}


/* A chain of fallbacks must end; called inside "/pools". */

gs_rc_t
gs_route_check_fallbacks(gs_route_load_t *l)
{
    uint32_t     i;
    gs_uchar_t  *state;

    if (l->pools.n == 0) {
        return GS_OK;
    }

    state = gs_route_load_alloc(l, l->pools.n, 1);

    if (state == NULL) {
        return GS_ERROR;
    }

    for (i = 0; i < l->pools.n; i++) {
        if (gs_route_walk(l, state, i, 0) != GS_OK) {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


static gs_rc_t
gs_route_walk(gs_route_load_t *l, gs_uchar_t *state, uint32_t index,
    unsigned depth)
{
    uint32_t                i, next;
    gs_route_pool_model_t  *pool;

    if (state[index] == GS_ROUTE_WALK_DONE) {
        return GS_OK;
    }

    pool = gs_route_vec_at(&l->pools, gs_route_pool_model_t, index);
    state[index] = GS_ROUTE_WALK_OPEN;

    for (i = 0; i < pool->nfallback; i++) {
        next = pool->fallback[i].pool;

        if (next == GS_ROUTE_NONE) {
            continue;
        }

        if (state[next] == GS_ROUTE_WALK_OPEN || depth == 64) {
            gs_route_json_index(l, index);
            gs_route_json_enter(l, "fallback");
            gs_route_json_index(l, i);
            gs_err(l->err, (depth == 64)
                   ? "fallbacks beyond pool \"%S\" are nested too deep"
                   : "fallback to pool \"%S\" leads back to it",
                   &gs_route_vec_at(&l->pools, gs_route_pool_model_t,
                                    next)->id);
            return gs_route_json_fail(l);
        }

        if (gs_route_walk(l, state, next, depth + 1) != GS_OK) {
            return GS_ERROR;
        }
    }

    state[index] = GS_ROUTE_WALK_DONE;

    return GS_OK;
}


/*
 * Two routes of different platforms, equal in host, path, key, rank and
 * priority: no request may satisfy both.
 */

gs_rc_t
gs_route_check_overlap(gs_route_load_t *l, uint32_t a, uint32_t b)
{
    uint32_t           swap;
    gs_route_model_t  *ra, *rb;

    if (a > b) {
        swap = a;
        a = b;
        b = swap;
    }

    ra = gs_route_vec_at(&l->routes, gs_route_model_t, a);
    rb = gs_route_vec_at(&l->routes, gs_route_model_t, b);

    if (ra->platform == rb->platform
        || (ra->methods != 0 && rb->methods != 0
            && (ra->methods & rb->methods) == 0)
        || !gs_route_overlap_conds(ra, rb)
        || !gs_route_overlap_regions(ra, rb))
    {
        return GS_OK;
    }

    gs_route_json_leave(l, 0);
    gs_route_json_enter(l, "routes");
    gs_route_json_index(l, b);
    gs_err(l->err, "route \"%S\" matches the same requests as \"%S\" of "
           "another platform; give one of them a higher \"priority\"",
           &rb->id, &ra->id);

    return gs_route_json_fail(l);
}


static int
gs_route_overlap_conds(const gs_route_model_t *a, const gs_route_model_t *b)
{
    uint32_t  i, j;

    for (i = 0; i < a->nconds; i++) {
        for (j = 0; j < b->nconds; j++) {

            if (a->conds[i].kind == b->conds[j].kind
                && gs_str_eq(&a->conds[i].name, &b->conds[j].name)
                && !gs_route_overlap_values(&a->conds[i], &b->conds[j]))
            {
                return 0;
            }
        }
    }

    return 1;
}


static int
gs_route_overlap_values(const gs_route_cond_model_t *a,
    const gs_route_cond_model_t *b)
{
    uint32_t  i, j;
    unsigned  fold;
    gs_str_t  s;

    fold = (a->kind == GS_ROUTE_COND_CHANNEL);

    for (i = 0; i < a->nvalues; i++) {
        for (j = 0; j < b->nvalues; j++) {

            /* a pattern within the other overlaps it, and nothing else does */

            s = a->values[i];

            if (s.data[s.len - 1] == '*') {
                s.len--;
            }

            if (gs_route_wild(&s, &b->values[j], fold)) {
                return 1;
            }

            s = b->values[j];

            if (s.data[s.len - 1] == '*') {
                s.len--;
            }

            if (gs_route_wild(&s, &a->values[i], fold)) {
                return 1;
            }
        }
    }

    return 0;
}


/* Only routes with items too: else the region is the key, and equal. */

static int
gs_route_overlap_regions(const gs_route_model_t *a, const gs_route_model_t *b)
{
    uint32_t  i, j, ca, cb;

    if (a->nitems == 0 || a->nregions == 0 || b->nregions == 0) {
        return 1;
    }

    for (i = 0; i < a->nregions; i++) {
        for (j = 0; j < b->nregions; j++) {
            ca = a->regions[i];
            cb = b->regions[j];

            if (ca / 10000 == cb / 10000
                && (ca % 10000 == 0 || cb % 10000 == 0
                    || (ca / 100 == cb / 100
                        && (ca % 100 == 0 || cb % 100 == 0 || ca == cb))))
            {
                return 1;
            }
        }
    }

    return 0;
}
