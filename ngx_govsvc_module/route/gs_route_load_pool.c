
/*
 * Copyright (C) govsvc authors
 *
 * platforms.json: pools.
 */


#include "route/gs_route_load.h"


static gs_rc_t gs_route_load_pool(gs_route_load_t *l, const json_t *object);
static gs_rc_t gs_route_load_pool_host(gs_route_load_t *l,
    const json_t *object, gs_route_pool_model_t *pool);
static gs_rc_t gs_route_load_method(gs_route_load_t *l, const json_t *object,
    gs_route_pool_model_t *pool);
static gs_rc_t gs_route_load_eject(gs_route_load_t *l, const json_t *object,
    gs_route_pool_model_t *pool);
static gs_rc_t gs_route_load_retry(gs_route_load_t *l, const json_t *object,
    gs_route_pool_model_t *pool);
static gs_rc_t gs_route_load_timeouts(gs_route_load_t *l,
    const json_t *object, gs_route_pool_model_t *pool);
static gs_rc_t gs_route_load_fallbacks(gs_route_load_t *l,
    const json_t *object, gs_route_pool_model_t *pool);
static gs_rc_t gs_route_load_fallback(gs_route_load_t *l, const json_t *value,
    unsigned last, gs_route_fallback_t *fallback);


static const char *const  gs_route_pool_members[] = {
    "id", "platform", "method", "host", "tls", "fallback", "timeouts",
    "eject", "panic", "check", "slow_start", "retry", NULL
};

static const char *const  gs_route_pool_methods[] = {
    "wrr", "p2c", "hash:$variable", NULL
};

static const char *const  gs_route_eject_members[] = {
    "fails", "time", "max", "ratio", "window", "volume", NULL
};

static const char *const  gs_route_retry_members[] = {
    "budget", "burst", NULL
};

static const char *const  gs_route_timeout_members[] = {
    "connect", "send", "read", NULL
};


gs_rc_t
gs_route_load_pools(gs_route_load_t *l, const json_t *root)
{
    size_t   i, mark, outer;
    json_t  *list;

    if (gs_route_json_child(l, root, "pools", 1, &list) != GS_OK) {
        return GS_ERROR;
    }

    outer = gs_route_json_enter(l, "pools");

    for (i = 0; i < json_array_size(list); i++) {
        mark = gs_route_json_index(l, i);

        if (gs_route_load_pool(l, json_array_get(list, i)) != GS_OK) {
            return GS_ERROR;
        }

        gs_route_json_leave(l, mark);
    }

    /* a chain may name pools that stand further down */

    for (i = 0; i < json_array_size(list); i++) {
        mark = gs_route_json_index(l, i);

        if (gs_route_load_fallbacks(l, json_array_get(list, i),
                gs_route_vec_at(&l->pools, gs_route_pool_model_t, i))
            != GS_OK)
        {
            return GS_ERROR;
        }

        gs_route_json_leave(l, mark);
    }

    if (gs_route_check_fallbacks(l) != GS_OK) {
        return GS_ERROR;
    }

    gs_route_json_leave(l, outer);

    return GS_OK;
}


static gs_rc_t
gs_route_load_pool(gs_route_load_t *l, const json_t *object)
{
    gs_route_pool_model_t  *pool;

    if (gs_route_json_members(l, object, gs_route_pool_members) != GS_OK) {
        return GS_ERROR;
    }

    pool = gs_route_vec_push(l, &l->pools, 1);

    if (pool == NULL) {
        return GS_ERROR;
    }

    pool->tls = GS_ROUTE_NONE;
    pool->eject_fails = 3;
    pool->eject_time = 10000;
    pool->eject_max = 34;
    pool->eject_window = 10000;
    pool->eject_volume = 20;
    pool->panic = 50;
    pool->check = GS_ROUTE_NONE;
    pool->retry_budget = 20;
    pool->retry_burst = 10;

    if (gs_route_json_id(l, object, &l->pool_ids, "pool", &pool->id)
        != GS_OK
        || gs_route_json_ref(l, object, "platform", &l->platform_ids,
                             "platform", 1, &pool->platform) != GS_OK
        || gs_route_json_ref(l, object, "tls", &l->tls_ids, "TLS profile",
                             0, &pool->tls) == GS_ERROR
        || gs_route_json_uint(l, object, "panic", 0, 100, 0, &pool->panic)
           == GS_ERROR)
    {
        return GS_ERROR;
    }

    if (gs_route_load_pool_host(l, object, pool) != GS_OK
        || gs_route_load_method(l, object, pool) != GS_OK
        || gs_route_load_eject(l, object, pool) != GS_OK
        || gs_route_load_retry(l, object, pool) != GS_OK
        || gs_route_json_msec(l, object, "slow_start", &pool->slow_start)
           == GS_ERROR
        || gs_route_load_check_ref(l, object, pool->tls, &pool->check)
           != GS_OK
        || gs_route_load_timeouts(l, object, pool) != GS_OK)
    {
        return GS_ERROR;
    }

    return GS_OK;
}


static gs_rc_t
gs_route_load_pool_host(gs_route_load_t *l, const json_t *object,
    gs_route_pool_model_t *pool)
{
    int                    c;
    size_t                 i;
    gs_rc_t                rc;
    gs_route_tls_model_t  *tls;

    rc = gs_route_json_str(l, object, "host", 0, &pool->host);

    if (rc == GS_ERROR) {
        return GS_ERROR;
    }

    for (i = 0; i < pool->host.len; i++) {
        c = pool->host.data[i];

        if (!gs_is_alpha(c) && !gs_is_digit(c) && c != '.' && c != '-'
            && c != '_' && c != ':' && c != '[' && c != ']')
        {
            break;
        }
    }

    if (rc == GS_OK
        && (pool->host.len == 0 || i < pool->host.len || i > 255))
    {
        gs_route_json_enter(l, "host");
        gs_err(l->err, "invalid host \"%S\"; allowed: a host name or "
               "address, with a port if need be", &pool->host);
        return gs_route_json_fail(l);
    }

    if (pool->tls == GS_ROUTE_NONE) {
        return GS_OK;
    }

    tls = gs_route_vec_at(&l->tls, gs_route_tls_model_t, pool->tls);

    if (tls->name.len == 0 && pool->host.len == 0) {
        gs_err(l->err, "nothing to verify the platform by: give the pool a "
               "\"host\" or TLS profile \"%S\" a \"name\"", &tls->id);
        return gs_route_json_fail(l);
    }

    return GS_OK;
}


static gs_rc_t
gs_route_load_method(gs_route_load_t *l, const json_t *object,
    gs_route_pool_model_t *pool)
{
    int       c;
    size_t    i;
    gs_rc_t   rc;
    gs_str_t  s, prefix;

    rc = gs_route_json_str(l, object, "method", 0, &s);

    if (rc != GS_OK) {
        pool->method = GS_ROUTE_WRR;
        return (rc == GS_DECLINED) ? GS_OK : GS_ERROR;
    }

    if (gs_str_eq_text(&s, "wrr")) {
        pool->method = GS_ROUTE_WRR;
        return GS_OK;
    }

    if (gs_str_eq_text(&s, "p2c")) {
        pool->method = GS_ROUTE_P2C;
        return GS_OK;
    }

    prefix = gs_str_text("hash:$");

    if (gs_str_prefix(&s, &prefix)) {
        pool->method = GS_ROUTE_HASH;
        pool->variable = gs_str_make(s.data + prefix.len, s.len - prefix.len);

        for (i = 0; i < pool->variable.len; i++) {
            c = pool->variable.data[i];

            if (!gs_is_digit(c) && c != '_' && (c < 'a' || c > 'z')) {
                break;
            }
        }

        if (i > 0 && i == pool->variable.len) {
            return GS_OK;
        }
    }

    gs_route_json_enter(l, "method");

    return gs_route_json_invalid(l, "method", &s, gs_route_pool_methods);
}


static gs_rc_t
gs_route_load_eject(gs_route_load_t *l, const json_t *object,
    gs_route_pool_model_t *pool)
{
    size_t   mark;
    json_t  *eject;

    if (gs_route_json_child(l, object, "eject", 0, &eject) != GS_OK) {
        return GS_ERROR;
    }

    if (eject == NULL) {
        return GS_OK;
    }

    mark = gs_route_json_enter(l, "eject");

    if (gs_route_json_members(l, eject, gs_route_eject_members) != GS_OK
        || gs_route_json_uint(l, eject, "fails", 0, 1000, 0,
                              &pool->eject_fails) == GS_ERROR
        || gs_route_json_msec(l, eject, "time", &pool->eject_time)
           == GS_ERROR
        || gs_route_json_uint(l, eject, "max", 0, 100, 0, &pool->eject_max)
           == GS_ERROR
        || gs_route_json_uint(l, eject, "ratio", 0, 100, 0,
                              &pool->eject_ratio) == GS_ERROR
        || gs_route_json_msec(l, eject, "window", &pool->eject_window)
           == GS_ERROR
        || gs_route_json_uint(l, eject, "volume", 1, 100000, 0,
                              &pool->eject_volume) == GS_ERROR)
    {
        return GS_ERROR;
    }

    gs_route_json_leave(l, mark);

    return GS_OK;
}


static gs_rc_t
gs_route_load_retry(gs_route_load_t *l, const json_t *object,
    gs_route_pool_model_t *pool)
{
    size_t   mark;
    json_t  *retry;

    if (gs_route_json_child(l, object, "retry", 0, &retry) != GS_OK) {
        return GS_ERROR;
    }

    if (retry == NULL) {
        return GS_OK;
    }

    mark = gs_route_json_enter(l, "retry");

    if (gs_route_json_members(l, retry, gs_route_retry_members) != GS_OK
        || gs_route_json_uint(l, retry, "budget", 0, 100, 0,
                              &pool->retry_budget) == GS_ERROR
        || gs_route_json_uint(l, retry, "burst", 0, 1000, 0,
                              &pool->retry_burst) == GS_ERROR)
    {
        return GS_ERROR;
    }

    gs_route_json_leave(l, mark);

    return GS_OK;
}


static gs_rc_t
gs_route_load_timeouts(gs_route_load_t *l, const json_t *object,
    gs_route_pool_model_t *pool)
{
    size_t   mark;
    json_t  *timeouts;

    if (gs_route_json_child(l, object, "timeouts", 0, &timeouts) != GS_OK) {
        return GS_ERROR;
    }

    if (timeouts == NULL) {
        return GS_OK;
    }

    mark = gs_route_json_enter(l, "timeouts");

    if (gs_route_json_members(l, timeouts, gs_route_timeout_members)
        != GS_OK
        || gs_route_json_msec(l, timeouts, "connect", &pool->connect_timeout)
           == GS_ERROR
        || gs_route_json_msec(l, timeouts, "send", &pool->send_timeout)
           == GS_ERROR
        || gs_route_json_msec(l, timeouts, "read", &pool->read_timeout)
           == GS_ERROR)
    {
        return GS_ERROR;
    }

    gs_route_json_leave(l, mark);

    return GS_OK;
}


static gs_rc_t
gs_route_load_fallbacks(gs_route_load_t *l, const json_t *object,
    gs_route_pool_model_t *pool)
{
    size_t   i, n, mark, outer;
    json_t  *list;

    if (gs_route_json_child(l, object, "fallback", 1, &list) != GS_OK) {
        return GS_ERROR;
    }

    n = json_array_size(list);

    if (n == 0) {
        return GS_OK;
    }

    outer = gs_route_json_enter(l, "fallback");

    if (n > 8) {
        gs_err(l->err, "%zu steps; allowed: at most 8", n);
        return gs_route_json_fail(l);
    }

    pool->fallback = gs_route_load_alloc(l, n, sizeof(gs_route_fallback_t));

    if (pool->fallback == NULL) {
        return GS_ERROR;
    }

    for (i = 0; i < n; i++) {
        mark = gs_route_json_index(l, i);

        if (gs_route_load_fallback(l, json_array_get(list, i), i + 1 == n,
                                   &pool->fallback[i]) != GS_OK)
        {
            return GS_ERROR;
        }

        gs_route_json_leave(l, mark);
    }

    pool->nfallback = (uint32_t) n;
    gs_route_json_leave(l, outer);

    return GS_OK;
}


static gs_rc_t
gs_route_load_fallback(gs_route_load_t *l, const json_t *value,
    unsigned last, gs_route_fallback_t *fallback)
{
    uint64_t  status;
    gs_str_t  s, prefix, number;

    if (!json_is_string(value)) {
        return gs_route_json_type(l, value, "a string");
    }

    s = gs_route_json_view(value);
    prefix = gs_str_text("page:");

    if (!gs_str_prefix(&s, &prefix)) {
        fallback->pool = gs_route_map_find(&l->pool_ids, &s);

        if (fallback->pool == GS_ROUTE_NONE) {
            gs_err(l->err, "no pool \"%S\" in this file", &s);
            return gs_route_json_fail(l);
        }

        return GS_OK;
    }

    number = gs_str_make(s.data + prefix.len, s.len - prefix.len);
    fallback->pool = GS_ROUTE_NONE;

    if (gs_parse_u64(&number, &status) != GS_OK || number.len != 3
        || status < 500 || status > 599)
    {
        gs_err(l->err, "invalid page \"%S\"; allowed: \"page:500\" to "
               "\"page:599\"", &s);
        return gs_route_json_fail(l);
    }

    if (!last) {
        gs_err(l->err, "\"%S\" ends the chain, what follows is never tried",
               &s);
        return gs_route_json_fail(l);
    }

    fallback->status = (uint32_t) status;

    return GS_OK;
}
