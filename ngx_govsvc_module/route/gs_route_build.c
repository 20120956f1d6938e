
/*
 * Copyright (C) govsvc authors
 *
 * From loaded objects to the sections of a table, and these to one block.
 */


#include <arpa/inet.h>

#include "core/gs_siphash.h"
#include "route/gs_route_load.h"


static gs_rc_t gs_route_build_regions(gs_route_load_t *l);
static gs_rc_t gs_route_build_tls(gs_route_load_t *l);
static gs_rc_t gs_route_build_platforms(gs_route_load_t *l);
static gs_rc_t gs_route_build_pools(gs_route_load_t *l);
static gs_rc_t gs_route_build_pool(gs_route_load_t *l, uint32_t index,
    gs_route_pool_t *pool);
static gs_rc_t gs_route_build_identity(gs_route_load_t *l,
    const gs_route_pool_model_t *model, gs_route_pool_t *pool);
static void gs_route_identity_part(gs_uchar_t **p, const gs_str_t *s);
static gs_rc_t gs_route_build_instances(gs_route_load_t *l,
    const uint32_t *order);
static gs_rc_t gs_route_build_instance(gs_route_load_t *l, uint32_t index,
    gs_route_instance_t *instance);
static gs_rc_t gs_route_build_name(gs_route_load_t *l,
    const gs_route_instance_model_t *model, gs_route_ref_t *ref);
static gs_rc_t gs_route_build_order(gs_route_load_t *l, uint32_t **order);
static gs_rc_t gs_route_build_block(gs_route_load_t *l, gs_mem_t *mem,
    gs_route_table_t **table, size_t *size);
static uint64_t gs_route_hash_of_region(gs_route_load_t *l, uint32_t i);
static uint64_t gs_route_hash_of_pool(gs_route_load_t *l, uint32_t i);


gs_rc_t
gs_route_build(gs_route_load_t *l, gs_mem_t *mem, gs_route_table_t **table,
    size_t *size)
{
    uint32_t  *order;

    gs_route_json_leave(l, 0);

    if (gs_route_build_regions(l) != GS_OK
        || gs_route_build_tls(l) != GS_OK
        || gs_route_build_checks(l) != GS_OK
        || gs_route_build_platforms(l) != GS_OK
        || gs_route_build_pools(l) != GS_OK
        || gs_route_build_order(l, &order) != GS_OK
        || gs_route_build_instances(l, order) != GS_OK
        || gs_route_build_index(l) != GS_OK)
    {
        return GS_ERROR;
    }

    return gs_route_build_block(l, mem, table, size);
}


gs_rc_t
gs_route_build_str(gs_route_load_t *l, const gs_str_t *s, gs_route_ref_t *ref)
{
    gs_rc_t          rc;
    uint32_t         offset;
    gs_uchar_t      *p;
    gs_route_vec_t  *strings;

    strings = &l->sections[GS_ROUTE_S_STRINGS];
    offset = (uint32_t) sizeof(gs_route_table_t) + strings->n;

    ref->offset = offset;
    ref->len = (uint32_t) s->len;

    if (s->len == 0) {
        return GS_OK;
    }

    rc = gs_route_map_add(l, &l->strings, s, &offset);

    if (rc != GS_OK) {
        ref->offset = offset;
        return (rc == GS_DECLINED) ? GS_OK : GS_ERROR;
    }

    p = gs_route_vec_push(l, strings, (uint32_t) s->len);

    if (p == NULL) {
        return GS_ERROR;
    }

    memcpy(p, s->data, s->len);

    return GS_OK;
}


gs_rc_t
gs_route_build_hash(gs_route_load_t *l, gs_route_section_e section,
    uint32_t n, uint64_t (*hash)(gs_route_load_t *l, uint32_t i))
{
    uint32_t   i, j, size, *slots;

    for (size = 4; size < n * 2; size *= 2) { /* void */ }

    slots = gs_route_vec_push(l, &l->sections[section], size);

    if (slots == NULL) {
        return GS_ERROR;
    }

    for (i = 0; i < n; i++) {

        j = (uint32_t) hash(l, i) & (size - 1);

        while (slots[j] != 0) {
            j = (j + 1) & (size - 1);
        }

        slots[j] = i + 1;
    }

    return GS_OK;
}


static gs_rc_t
gs_route_build_regions(gs_route_load_t *l)
{
    uint32_t                  i;
    gs_route_region_t        *regions;
    gs_route_region_model_t  *model;

    regions = gs_route_vec_push(l, &l->sections[GS_ROUTE_S_REGIONS],
                                l->regions.n);

    if (regions == NULL) {
        return GS_ERROR;
    }

    for (i = 0; i < l->regions.n; i++) {
        model = gs_route_vec_at(&l->regions, gs_route_region_model_t, i);

        regions[i].code = model->code;
        regions[i].parent = model->parent;
        regions[i].alias_of = model->alias_of;

        if (gs_route_build_str(l, &model->name, &regions[i].name) != GS_OK) {
            return GS_ERROR;
        }
    }

    return gs_route_build_hash(l, GS_ROUTE_S_REGION_HASH, l->regions.n,
                               gs_route_hash_of_region);
}


static gs_rc_t
gs_route_build_tls(gs_route_load_t *l)
{
    uint32_t               i;
    gs_route_tls_t        *tls;
    gs_route_tls_model_t  *model;

    for (i = 0; i < l->tls.n; i++) {
        tls = gs_route_vec_push(l, &l->sections[GS_ROUTE_S_TLS], 1);

        if (tls == NULL) {
            return GS_ERROR;
        }

        model = gs_route_vec_at(&l->tls, gs_route_tls_model_t, i);
        tls->version = gs_str_eq_text(&model->min, "1.3") ? 0x0304 : 0x0303;

        if (gs_route_build_str(l, &model->id, &tls->id) != GS_OK
            || gs_route_build_str(l, &model->ca, &tls->ca) != GS_OK
            || gs_route_build_str(l, &model->name, &tls->name) != GS_OK
            || gs_route_build_str(l, &model->cert, &tls->cert) != GS_OK
            || gs_route_build_str(l, &model->key, &tls->key) != GS_OK
            || gs_route_build_str(l, &model->min, &tls->min) != GS_OK)
        {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


static gs_rc_t
gs_route_build_platforms(gs_route_load_t *l)
{
    uint32_t                    i;
    gs_route_platform_t        *platform;
    gs_route_platform_model_t  *model;

    for (i = 0; i < l->platforms.n; i++) {
        platform = gs_route_vec_push(l, &l->sections[GS_ROUTE_S_PLATFORMS],
                                     1);

        if (platform == NULL) {
            return GS_ERROR;
        }

        model = gs_route_vec_at(&l->platforms, gs_route_platform_model_t, i);
        platform->region = model->region;
        platform->state = model->state;
        platform->retry_after = (model->retry_after != 0)
                                ? (uint32_t) ((model->retry_after + 999)
                                              / 1000)
                                : GS_ROUTE_RETRY_AFTER;

        if (gs_route_build_str(l, &model->id, &platform->id) != GS_OK
            || gs_route_build_str(l, &model->zh, &platform->zh) != GS_OK
            || gs_route_build_str(l, &model->en, &platform->en) != GS_OK)
        {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


static gs_rc_t
gs_route_build_pools(gs_route_load_t *l)
{
    uint32_t          i, first;
    gs_route_pool_t  *pool;

    first = 0;

    for (i = 0; i < l->pools.n; i++) {
        pool = gs_route_vec_push(l, &l->sections[GS_ROUTE_S_POOLS], 1);

        if (pool == NULL || gs_route_build_pool(l, i, pool) != GS_OK) {
            return GS_ERROR;
        }

        pool->instance = first;
        first += pool->ninstances;
    }

    return gs_route_build_hash(l, GS_ROUTE_S_POOL_HASH, l->pools.n,
                               gs_route_hash_of_pool);
}


static gs_rc_t
gs_route_build_pool(gs_route_load_t *l, uint32_t index, gs_route_pool_t *pool)
{
    gs_route_vec_t         *fallbacks;
    gs_route_fallback_t    *steps;
    gs_route_pool_model_t  *model;

    model = gs_route_vec_at(&l->pools, gs_route_pool_model_t, index);

    pool->index = index;
    pool->platform = model->platform;
    pool->tls = model->tls;
    pool->method = model->method;
    pool->ninstances = model->ninstances;
    pool->eject_fails = model->eject_fails;
    pool->eject_max = model->eject_max;
    pool->eject_time = model->eject_time;
    pool->eject_ratio = model->eject_ratio;
    pool->eject_volume = model->eject_volume;
    pool->eject_window = model->eject_window;
    pool->panic = model->panic;
    pool->check = model->check;
    pool->slow_start = model->slow_start;
    pool->retry_budget = model->retry_budget;
    pool->retry_burst = model->retry_burst;
    pool->connect_timeout = model->connect_timeout;
    pool->send_timeout = model->send_timeout;
    pool->read_timeout = model->read_timeout;

    fallbacks = &l->sections[GS_ROUTE_S_FALLBACKS];
    pool->fallback = fallbacks->n;
    pool->nfallback = model->nfallback;

    if (model->nfallback != 0) {
        steps = gs_route_vec_push(l, fallbacks, model->nfallback);

        if (steps == NULL) {
            return GS_ERROR;
        }

        memcpy(steps, model->fallback,
               model->nfallback * sizeof(gs_route_fallback_t));
    }

    if (gs_route_build_str(l, &model->id, &pool->id) != GS_OK
        || gs_route_build_str(l, &model->host, &pool->host) != GS_OK
        || gs_route_build_str(l, &model->variable, &pool->variable) != GS_OK)
    {
        return GS_ERROR;
    }

    return gs_route_build_identity(l, model, pool);
}


/*
 * Every part with its length in front, so that no two lists of parts give one
 * string.
 */

static gs_rc_t
gs_route_build_identity(gs_route_load_t *l,
    const gs_route_pool_model_t *model, gs_route_pool_t *pool)
{
    size_t                 len;
    gs_str_t               identity;
    gs_uchar_t            *p, *start;
    gs_siphash_key_t       key;
    gs_route_tls_model_t   none, *tls;

    memset(&none, 0, sizeof(gs_route_tls_model_t));

    tls = (model->tls == GS_ROUTE_NONE)
          ? &none : gs_route_vec_at(&l->tls, gs_route_tls_model_t, model->tls);

    len = model->id.len + model->host.len + tls->id.len + tls->ca.len
          + tls->name.len + tls->cert.len + tls->key.len + tls->min.len;

    start = gs_route_load_alloc(l, len + 8 * 4, 1);

    if (start == NULL) {
        return GS_ERROR;
    }

    p = start;
    gs_route_identity_part(&p, &model->id);
    gs_route_identity_part(&p, &model->host);
    gs_route_identity_part(&p, &tls->id);
    gs_route_identity_part(&p, &tls->ca);
    gs_route_identity_part(&p, &tls->name);
    gs_route_identity_part(&p, &tls->cert);
    gs_route_identity_part(&p, &tls->key);
    gs_route_identity_part(&p, &tls->min);

    identity = gs_str_make(start, (size_t) (p - start));
    key.k0 = 0;
    key.k1 = 0;
    pool->key = gs_siphash(&key, identity.data, identity.len);

    return gs_route_build_str(l, &identity, &pool->identity);
}


static void
gs_route_identity_part(gs_uchar_t **p, const gs_str_t *s)
{
    gs_uchar_t  *d;

    d = *p;

    *d++ = (gs_uchar_t) (s->len >> 24);
    *d++ = (gs_uchar_t) (s->len >> 16);
    *d++ = (gs_uchar_t) (s->len >> 8);
    *d++ = (gs_uchar_t) s->len;

    if (s->len != 0) {
        memcpy(d, s->data, s->len);
    }

    *p = d + s->len;
}


/* Instances by pool, in a pool as the file has them. */

static gs_rc_t
gs_route_build_order(gs_route_load_t *l, uint32_t **order)
{
    uint32_t                    i, *next;
    gs_route_pool_t            *pools;
    gs_route_instance_model_t  *model;

    *order = gs_route_load_alloc(l, (size_t) l->instances.n + 1,
                                 sizeof(uint32_t));
    next = gs_route_load_alloc(l, (size_t) l->pools.n + 1, sizeof(uint32_t));

    if (*order == NULL || next == NULL) {
        return GS_ERROR;
    }

    pools = l->sections[GS_ROUTE_S_POOLS].data;

    for (i = 0; i < l->pools.n; i++) {
        next[i] = pools[i].instance;
    }

    for (i = 0; i < l->instances.n; i++) {
        model = gs_route_vec_at(&l->instances, gs_route_instance_model_t, i);
        (*order)[next[model->pool]++] = i;
    }

    return GS_OK;
}


static gs_rc_t
gs_route_build_instances(gs_route_load_t *l, const uint32_t *order)
{
    uint32_t              i;
    gs_route_pool_t      *pools;
    gs_route_instance_t  *instance;

    for (i = 0; i < l->instances.n; i++) {
        instance = gs_route_vec_push(l, &l->sections[GS_ROUTE_S_INSTANCES],
                                     1);

        if (instance == NULL
            || gs_route_build_instance(l, order[i], instance) != GS_OK)
        {
            return GS_ERROR;
        }

        instance->index = i;
    }

    pools = l->sections[GS_ROUTE_S_POOLS].data;

    for (i = 0; i < l->pools.n; i++) {
        if (gs_route_build_spread(l, &pools[i]) != GS_OK) {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


static gs_rc_t
gs_route_build_instance(gs_route_load_t *l, uint32_t index,
    gs_route_instance_t *instance)
{
    gs_str_t                   *pool;
    gs_uchar_t                  id[GS_ROUTE_ID_LEN * 2 + 2 + INET6_ADDRSTRLEN];
    gs_siphash_key_t            key;
    gs_route_instance_model_t  *model;

    model = gs_route_vec_at(&l->instances, gs_route_instance_model_t, index);
    pool = &gs_route_vec_at(&l->pools, gs_route_pool_model_t,
                            model->pool)->id;

    memcpy(id, pool->data, pool->len);
    id[pool->len] = '\0';
    memcpy(id + pool->len + 1, model->id.data, model->id.len);

    key.k0 = 0;
    key.k1 = 0;

    instance->key = gs_siphash(&key, id, pool->len + 1 + model->id.len);
    instance->pool = model->pool;
    instance->weight = model->weight;
    instance->state = model->state;
    instance->family = model->family;
    instance->port = model->port;
    instance->check = model->check;
    memcpy(instance->addr, model->addr, sizeof(instance->addr));

    if (gs_route_build_str(l, &model->id, &instance->id) != GS_OK
        || gs_route_build_str(l, &model->zone, &instance->zone) != GS_OK)
    {
        return GS_ERROR;
    }

    return gs_route_build_name(l, model, &instance->name);
}


static gs_rc_t
gs_route_build_name(gs_route_load_t *l,
    const gs_route_instance_model_t *model, gs_route_ref_t *ref)
{
    char         text[INET6_ADDRSTRLEN];
    gs_buf_t     b;
    gs_str_t     s;
    gs_uchar_t  *p;

    p = gs_route_load_alloc(l, INET6_ADDRSTRLEN + 8, 1);

    if (p == NULL) {
        return GS_ERROR;
    }

    if (inet_ntop((model->family == 6) ? AF_INET6 : AF_INET, model->addr,
                  text, sizeof(text)) == NULL)
    {
        return gs_err(l->err, "inet_ntop() failed");
    }

    gs_buf_init(&b, p, INET6_ADDRSTRLEN + 8);
    gs_buf_text(&b, (model->family == 6) ? "[" : "");
    gs_buf_text(&b, text);
    gs_buf_text(&b, (model->family == 6) ? "]:" : ":");
    gs_buf_u64(&b, model->port);
    s = gs_buf_view(&b);

    return gs_route_build_str(l, &s, ref);
}


static gs_rc_t
gs_route_build_block(gs_route_load_t *l, gs_mem_t *mem,
    gs_route_table_t **table, size_t *size)
{
    unsigned                  i;
    uint32_t                  province;
    uint64_t                  total, len;
    gs_uchar_t               *p;
    gs_route_vec_t           *v;
    gs_route_table_t         *t;
    const gs_route_group_t   *groups;

    total = sizeof(gs_route_table_t);

    for (i = 0; i < GS_ROUTE_SECTIONS; i++) {
        len = (uint64_t) l->sections[i].n * l->sections[i].size;
        total += (len + 7) / 8 * 8;
    }

    if (total > GS_ROUTE_MAX_SIZE) {
        return gs_err(l->err, "the table would exceed %u MB",
                      (unsigned) (GS_ROUTE_MAX_SIZE / 1024 / 1024));
    }

    t = gs_calloc(mem, 1, total);

    if (t == NULL) {
        return gs_route_nomem(l);
    }

    t->magic = GS_ROUTE_MAGIC;
    t->version = GS_ROUTE_VERSION;
    t->size = (uint32_t) total;

    for (i = 0; i < GS_REGION_PROVINCES; i++) {
        province = gs_region_provinces[i].code / 10000;
        t->provinces[province / 32] |= 1u << (province % 32);
    }

    total = sizeof(gs_route_table_t);

    for (i = 0; i < GS_ROUTE_SECTIONS; i++) {
        v = &l->sections[i];
        len = (uint64_t) v->n * v->size;
        p = (gs_uchar_t *) t + total;

        t->sections[i].offset = (uint32_t) total;
        t->sections[i].n = v->n;

        if (len != 0) {
            memcpy(p, v->data, len);
        }

        total += (len + 7) / 8 * 8;
    }

    groups = gs_route_section(t, GS_ROUTE_S_GROUPS, gs_route_group_t);

    for (i = 0; i < t->sections[GS_ROUTE_S_GROUPS].n; i++) {
        if (groups[i].name.len != 0
            && *gs_route_str(t, groups[i].name).data == '.')
        {
            t->suffixes++;
        }
    }

    t->digest = gs_route_digest(t);
    *table = t;
    *size = t->size;

    return GS_OK;
}


static uint64_t
gs_route_hash_of_region(gs_route_load_t *l, uint32_t i)
{
    gs_route_region_model_t  *region;

    region = gs_route_vec_at(&l->regions, gs_route_region_model_t, i);

    return gs_route_hash_region(0, region->code);
}


static uint64_t
gs_route_hash_of_pool(gs_route_load_t *l, uint32_t i)
{
    gs_route_pool_model_t  *pool;

    pool = gs_route_vec_at(&l->pools, gs_route_pool_model_t, i);

    return gs_route_hash(pool->id.data, pool->id.len, 0);
}
