
/*
 * Copyright (C) govsvc authors
 *
 * platforms.json: instances that are named, not numbered.  The table has
 * addresses only: as many peers for one instance as its name was found to
 * have, "ID@ADDRESS" each, or none.
 */


#include "core/gs_host.h"
#include "route/gs_route_load.h"


#define GS_ROUTE_HOST_FACTOR  5040         /* divides by 1 to 10, 12, ... */


static const json_t *gs_route_host_entry(gs_route_load_t *l,
    const gs_route_host_model_t *host);
static gs_rc_t gs_route_host_factors(gs_route_load_t *l, uint32_t *factors);
static gs_rc_t gs_route_host_addresses(gs_route_load_t *l,
    gs_route_map_t *addresses, gs_route_host_model_t *host);
static gs_rc_t gs_route_host_peer(gs_route_load_t *l,
    gs_route_map_t *addresses, gs_route_host_model_t *host,
    const gs_str_t *address);
static uint32_t gs_route_host_lcm(uint32_t a, uint32_t b);


gs_rc_t
gs_route_load_place_name(gs_route_load_t *l, const gs_str_t *address,
    uint32_t *port, gs_str_t *name)
{
    unsigned     own;
    const char  *why;

    if (!gs_host_split(address, name, &own)) {
        gs_err(l->err, "invalid address \"%S\"; allowed: "
               GS_ROUTE_ADDRESSES, address);
        return gs_route_json_fail(l);
    }

    why = gs_host_name(name);

    if (why != NULL) {
        gs_err(l->err, "invalid address \"%S\", the name %s; allowed: "
               GS_ROUTE_ADDRESSES, address, why);
        return gs_route_json_fail(l);
    }

    if (own != 0 && *port != 0 && own != *port) {
        gs_err(l->err, "address \"%S\" has another port than \"port\"",
               address);
        return gs_route_json_fail(l);
    }

    *port = (own != 0) ? own : *port;

    return GS_OK;
}


/*
 * After all others, which come first: what a name server says never makes a
 * table impossible.  Too many addresses, or known ones, are left out.
 */

gs_rc_t
gs_route_load_hosts(gs_route_load_t *l, gs_route_map_t *addresses)
{
    uint32_t                    i, *factors;
    gs_route_host_model_t      *host;
    gs_route_instance_model_t  *instance;

    if (l->hosts.n == 0) {
        return GS_OK;
    }

    factors = gs_route_load_alloc(l, (size_t) l->pools.n + 1,
                                  sizeof(uint32_t));

    if (factors == NULL) {
        return GS_ERROR;
    }

    for (i = 0; i < l->pools.n; i++) {
        factors[i] = 1;
    }

    for (i = 0; i < l->hosts.n; i++) {
        host = gs_route_vec_at(&l->hosts, gs_route_host_model_t, i);

        if (gs_route_host_addresses(l, addresses, host) != GS_OK) {
            return GS_ERROR;
        }
    }

    if (gs_route_host_factors(l, factors) != GS_OK) {
        return GS_ERROR;
    }

    /* the shares of instances stay what their weights say */

    for (i = 0; i < l->instances.n; i++) {
        instance = gs_route_vec_at(&l->instances, gs_route_instance_model_t,
                                   i);
        instance->weight *= factors[instance->pool];
    }

    for (i = 0; i < l->hosts.n; i++) {
        host = gs_route_vec_at(&l->hosts, gs_route_host_model_t, i);

        for (/* void */; host->n != 0; host->n--) {
            instance = gs_route_vec_at(&l->instances,
                                       gs_route_instance_model_t,
                                       host->first + host->n - 1);
            instance->weight /= host->members;
            instance->weight += (instance->weight == 0);
        }
    }

    return GS_OK;
}


static gs_rc_t
gs_route_host_factors(gs_route_load_t *l, uint32_t *factors)
{
    uint32_t                i, *factor;
    gs_route_host_model_t  *host;

    for (i = 0; i < l->hosts.n; i++) {
        host = gs_route_vec_at(&l->hosts, gs_route_host_model_t, i);
        factor = &factors[host->model.pool];
        host->members = host->n;

        if (host->n > 1) {
            *factor = gs_route_host_lcm(*factor, host->n);
        }
    }

    return GS_OK;
}


static uint32_t
gs_route_host_lcm(uint32_t a, uint32_t b)
{
    uint32_t  rest, x, y;

    x = a;
    y = b;

    while (y != 0) {
        rest = x % y;
        x = y;
        y = rest;
    }

    return ((uint64_t) a / x * b <= GS_ROUTE_HOST_FACTOR)
           ? a / x * b : GS_ROUTE_HOST_FACTOR;
}


/* What was found for another name, or another port, is not for this one. */

static const json_t *
gs_route_host_entry(gs_route_load_t *l, const gs_route_host_model_t *host)
{
    char           id[GS_ROUTE_ID_LEN + 1];
    gs_str_t       name;
    const json_t  *entry;

    memcpy(id, host->model.id.data, host->model.id.len);
    id[host->model.id.len] = '\0';

    entry = json_object_get(l->resolved, id);
    name = gs_route_json_view(json_object_get(entry, "name"));

    return (gs_str_eq(&name, &host->name)
            && json_integer_value(json_object_get(entry, "port"))
               == (json_int_t) host->model.port)
           ? json_object_get(entry, "addresses") : NULL;
}


static gs_rc_t
gs_route_host_addresses(gs_route_load_t *l, gs_route_map_t *addresses,
    gs_route_host_model_t *host)
{
    size_t         i;
    gs_str_t       state, address;
    const json_t  *list, *one;

    list = gs_route_host_entry(l, host);
    host->first = l->instances.n;

    for (i = 0; i < json_array_size(list); i++) {
        one = json_array_get(list, i);
        state = gs_route_json_view(json_object_get(one, "state"));
        address = gs_route_json_view(json_object_get(one, "address"));

        if (gs_str_eq_text(&state, "up")
            && gs_route_host_peer(l, addresses, host, &address) == GS_ERROR)
        {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


static gs_rc_t
gs_route_host_peer(gs_route_load_t *l, gs_route_map_t *addresses,
    gs_route_host_model_t *host, const gs_str_t *address)
{
    gs_rc_t                     rc;
    uint32_t                    index;
    gs_uchar_t                 *p;
    gs_route_pool_model_t      *pool;
    gs_route_instance_model_t   model, *instance;

    pool = gs_route_vec_at(&l->pools, gs_route_pool_model_t,
                           host->model.pool);
    model = host->model;
    index = l->instances.n;

    if (pool->ninstances == GS_ROUTE_POOL_MEMBERS
        || gs_route_load_address(address, &model) != GS_OK)
    {
        return GS_DECLINED;
    }

    rc = gs_route_load_member(l, addresses, &model, &index);

    if (rc != GS_OK) {
        return rc;
    }

    p = gs_route_load_alloc(l, model.id.len + 1 + address->len, 1);
    instance = gs_route_vec_push(l, &l->instances, 1);

    if (p == NULL || instance == NULL) {
        return GS_ERROR;
    }

    memcpy(p, model.id.data, model.id.len);
    p[model.id.len] = '@';
    memcpy(p + model.id.len + 1, address->data, address->len);

    *instance = model;
    instance->id = gs_str_make(p, model.id.len + 1 + address->len);

    pool->ninstances++;
    host->n++;

    return GS_OK;
}
