
/*
 * Copyright (C) govsvc authors
 *
 * platforms.json: instances and their addresses.
 */


#include <arpa/inet.h>

#include "route/gs_route_load.h"


static gs_rc_t gs_route_load_instance(gs_route_load_t *l,
    const json_t *object, gs_route_map_t *addresses);
static gs_rc_t gs_route_load_lease(gs_route_load_t *l,
    const json_t *object);
static gs_rc_t gs_route_load_place(gs_route_load_t *l, const json_t *object,
    gs_route_map_t *addresses, gs_route_instance_model_t *instance);
static gs_rc_t gs_route_load_named(gs_route_load_t *l, const json_t *object,
    const gs_str_t *address, gs_route_instance_model_t *instance);


static const char *const  gs_route_instance_members[] = {
    "id", "pool", "address", "port", "weight", "zone", "state", "lease",
    "check", NULL
};

static const char *const  gs_route_lease_members[] = {
    "ttl", "on_expire", NULL
};

static const char *const  gs_route_lease_actions[] = {
    "drain", "warn", NULL
};

static const char *const  gs_route_instance_states[] = {
    "enabled", "drain", "down", NULL
};


gs_rc_t
gs_route_load_instances(gs_route_load_t *l, const json_t *root)
{
    size_t           i, mark, outer;
    json_t          *list;
    gs_route_map_t   addresses;

    if (gs_route_json_child(l, root, "instances", 1, &list) != GS_OK) {
        return GS_ERROR;
    }

    memset(&addresses, 0, sizeof(gs_route_map_t));
    outer = gs_route_json_enter(l, "instances");

    for (i = 0; i < json_array_size(list); i++) {
        mark = gs_route_json_index(l, i);

        if (gs_route_load_instance(l, json_array_get(list, i), &addresses)
            != GS_OK)
        {
            return GS_ERROR;
        }

        gs_route_json_leave(l, mark);
    }

    gs_route_json_leave(l, outer);

    return gs_route_load_hosts(l, &addresses);
}


static gs_rc_t
gs_route_load_instance(gs_route_load_t *l, const json_t *object,
    gs_route_map_t *addresses)
{
    gs_route_pool_model_t      *pool;
    gs_route_instance_model_t  *instance;

    if (gs_route_json_members(l, object, gs_route_instance_members)
        != GS_OK)
    {
        return GS_ERROR;
    }

    instance = gs_route_vec_push(l, &l->instances, 1);

    if (instance == NULL) {
        return GS_ERROR;
    }

    instance->weight = 1;

    if (gs_route_json_id(l, object, &l->instance_ids, "instance",
                         &instance->id) != GS_OK
        || gs_route_json_ref(l, object, "pool", &l->pool_ids, "pool", 1,
                             &instance->pool) != GS_OK
        || gs_route_json_uint(l, object, "port", 1, 65535, 0,
                              &instance->port) == GS_ERROR
        || gs_route_json_uint(l, object, "weight", 1, 65535, 0,
                              &instance->weight) == GS_ERROR
        || gs_route_json_str(l, object, "zone", 0, &instance->zone)
           == GS_ERROR
        || gs_route_json_enum(l, object, "state", gs_route_instance_states,
                              &instance->state) == GS_ERROR
        || gs_route_load_lease(l, object) != GS_OK)
    {
        return GS_ERROR;
    }

    pool = gs_route_vec_at(&l->pools, gs_route_pool_model_t, instance->pool);
    pool->ninstances++;

    instance->check = pool->check;

    if (gs_route_load_check_ref(l, object, pool->tls, &instance->check)
        != GS_OK)
    {
        return GS_ERROR;
    }

    if (pool->ninstances > GS_ROUTE_POOL_MEMBERS) {
        gs_err(l->err, "pool \"%S\" has more than %d instances", &pool->id,
               GS_ROUTE_POOL_MEMBERS);
        return gs_route_json_fail(l);
    }

    return gs_route_load_place(l, object, addresses, instance);
}


/* Kept by the registry API; of the file it is only seen to be right. */

static gs_rc_t
gs_route_load_lease(gs_route_load_t *l, const json_t *object)
{
    size_t     mark;
    json_t    *lease;
    uint32_t   action;
    uint64_t   ttl;

    if (gs_route_json_child(l, object, "lease", 0, &lease) != GS_OK) {
        return GS_ERROR;
    }

    if (lease == NULL) {
        return GS_OK;
    }

    mark = gs_route_json_enter(l, "lease");
    action = 0;

    if (gs_route_json_members(l, lease, gs_route_lease_members) != GS_OK
        || gs_route_json_msec(l, lease, "ttl", &ttl) == GS_ERROR
        || gs_route_json_enum(l, lease, "on_expire", gs_route_lease_actions,
                              &action) == GS_ERROR)
    {
        return GS_ERROR;
    }

    if (json_object_get(lease, "ttl") == NULL) {
        gs_err(l->err, "member \"ttl\" is missing");
        return gs_route_json_fail(l);
    }

    gs_route_json_leave(l, mark);

    return GS_OK;
}


/* The address; the same twice in a pool would count for two. */

static gs_rc_t
gs_route_load_place(gs_route_load_t *l, const json_t *object,
    gs_route_map_t *addresses, gs_route_instance_model_t *instance)
{
    gs_rc_t   rc;
    gs_str_t  s;
    uint32_t  index, numeric;

    rc = gs_route_json_str(l, object, "address", instance->port != 0, &s);

    if (rc == GS_ERROR) {
        return GS_ERROR;
    }

    numeric = (rc == GS_OK && gs_route_load_address(&s, instance) == GS_OK);

    /* with a name the port may stand behind it */

    if (instance->port == 0 && (rc != GS_OK || numeric)) {
        return gs_route_json_uint(l, object, "port", 1, 65535, 1,
                                  &instance->port);
    }

    if (!numeric) {
        return gs_route_load_named(l, object, &s, instance);
    }

    gs_route_json_enter(l, "address");

    index = l->instances.n - 1;
    rc = gs_route_load_member(l, addresses, instance, &index);

    if (rc == GS_DECLINED) {
        gs_err(l->err, "address and port of instance \"%S\" of this pool",
               &gs_route_vec_at(&l->instances, gs_route_instance_model_t,
                                index)->id);
        return gs_route_json_fail(l);
    }

    return rc;
}


/* Set aside: its addresses, if it has any, are to be instances. */

static gs_rc_t
gs_route_load_named(gs_route_load_t *l, const json_t *object,
    const gs_str_t *address, gs_route_instance_model_t *instance)
{
    size_t                  mark;
    gs_str_t                name;
    gs_route_host_model_t  *host;

    mark = gs_route_json_enter(l, "address");

    if (gs_route_load_place_name(l, address, &instance->port, &name) != GS_OK) {
        return GS_ERROR;
    }

    gs_route_json_leave(l, mark);

    if (instance->port == 0) {
        return gs_route_json_uint(l, object, "port", 1, 65535, 1,
                                  &instance->port);
    }

    host = gs_route_vec_push(l, &l->hosts, 1);

    if (host == NULL) {
        return GS_ERROR;
    }

    host->model = *instance;
    host->name = name;

    gs_route_vec_at(&l->pools, gs_route_pool_model_t,
                    instance->pool)->ninstances--;
    l->instances.n--;

    return GS_OK;
}


gs_rc_t
gs_route_load_member(gs_route_load_t *l, gs_route_map_t *addresses,
    const gs_route_instance_model_t *instance, uint32_t *index)
{
    gs_str_t     key;
    gs_uchar_t  *p;

    p = gs_route_load_alloc(l, 1, 16 + 2 * sizeof(uint32_t));

    if (p == NULL) {
        return GS_ERROR;
    }

    memcpy(p, instance->addr, 16);
    memcpy(p + 16, &instance->pool, sizeof(uint32_t));
    memcpy(p + 20, &instance->port, sizeof(uint32_t));

    key = gs_str_make(p, 24);

    return gs_route_map_add(l, addresses, &key, index);
}


gs_rc_t
gs_route_load_address(const gs_str_t *s, gs_route_instance_model_t *instance)
{
    char                     text[INET6_ADDRSTRLEN];
    static const gs_uchar_t  zeros[16];

    if (s->len >= sizeof(text)) {
        return GS_ERROR;
    }

    memcpy(text, s->data, s->len);
    text[s->len] = '\0';
    memset(instance->addr, 0, sizeof(instance->addr));

    if (inet_pton(AF_INET, text, instance->addr) == 1) {
        instance->family = 4;

        /* "this" network, multicast and broadcast are no hosts */

        return (instance->addr[0] == 0 || instance->addr[0] >= 224)
               ? GS_ERROR : GS_OK;
    }

    if (inet_pton(AF_INET6, text, instance->addr) == 1) {
        instance->family = 6;

        /* an IPv4 address has one spelling */

        if (instance->addr[0] == 0xff
            || memcmp(instance->addr, zeros, 16) == 0
            || (memcmp(instance->addr, zeros, 10) == 0
                && instance->addr[10] == 0xff && instance->addr[11] == 0xff))
        {
            return GS_ERROR;
        }

        return GS_OK;
    }

    return GS_ERROR;
}
