
/*
 * Copyright (C) govsvc authors
 *
 * Access to a compiled table: verification, records, hash lookups.
 */


#include "core/gs_siphash.h"
#include "route/gs_route_priv.h"


static uint64_t gs_route_mix(uint64_t a, uint64_t b);
static int gs_route_ref_eq(const gs_route_table_t *t, gs_route_ref_t ref,
    const gs_str_t *s);


const uint32_t  gs_route_record_size[GS_ROUTE_SECTIONS] = {
    1,
    sizeof(gs_route_region_t),
    sizeof(uint32_t),
    sizeof(gs_route_platform_t),
    sizeof(gs_route_pool_t),
    sizeof(uint32_t),
    sizeof(gs_route_instance_t),
    sizeof(gs_route_tls_t),
    sizeof(gs_route_check_t),
    sizeof(gs_route_fallback_t),
    sizeof(uint16_t),
    sizeof(uint16_t),
    sizeof(gs_route_record_t),
    sizeof(gs_route_cond_t),
    sizeof(gs_route_ref_t),
    sizeof(uint32_t),
    sizeof(gs_route_ref_t),
    sizeof(gs_route_group_t),
    sizeof(uint32_t),
    sizeof(gs_route_node_t),
    sizeof(uint32_t),
    sizeof(gs_route_leaf_t),
    sizeof(gs_route_key_t),
    sizeof(uint32_t),
    sizeof(uint32_t)
};


const gs_route_table_t *
gs_route_table(const void *data, size_t size)
{
    const gs_route_table_t  *t;

    t = gs_route_table_public(data, size);

    return (t != NULL && gs_route_digest(t) == t->digest) ? t : NULL;
}


const gs_route_table_t *
gs_route_table_public(const void *data, size_t size)
{
    unsigned                 i;
    uint64_t                 end;
    const gs_route_table_t  *t;

    t = data;

    if (size < sizeof(gs_route_table_t) || ((uintptr_t) data & 7) != 0
        || t->magic != GS_ROUTE_MAGIC || t->version != GS_ROUTE_VERSION
        || t->size > size || t->size < sizeof(gs_route_table_t))
    {
        return NULL;
    }

    for (i = 0; i < GS_ROUTE_SECTIONS; i++) {
        end = (uint64_t) t->sections[i].n * gs_route_record_size[i]
              + t->sections[i].offset;

        if (t->sections[i].offset < sizeof(gs_route_table_t)
            || (t->sections[i].offset & 7) != 0 || end > t->size)
        {
            return NULL;
        }
    }

    return t;
}


size_t
gs_route_size(const gs_route_table_t *t)
{
    return t->size;
}


uint64_t
gs_route_digest(const gs_route_table_t *t)
{
    uint64_t          body, head;
    gs_siphash_key_t  key;
    gs_route_table_t  header;

    key.k0 = 0;
    key.k1 = 0;

    header = *t;
    header.digest = 0;

    body = gs_siphash(&key, t + 1, t->size - sizeof(gs_route_table_t));
    head = gs_siphash(&key, &header, sizeof(gs_route_table_t));

    return gs_route_mix(body, head);
}


gs_str_t
gs_route_str(const gs_route_table_t *t, gs_route_ref_t ref)
{
    return gs_str_make((const gs_uchar_t *) t + ref.offset, ref.len);
}


unsigned
gs_route_platforms(const gs_route_table_t *t)
{
    return t->sections[GS_ROUTE_S_PLATFORMS].n;
}


const gs_route_platform_t *
gs_route_platform(const gs_route_table_t *t, uint32_t index)
{
    if (index >= t->sections[GS_ROUTE_S_PLATFORMS].n) {
        return NULL;
    }

    return gs_route_section(t, GS_ROUTE_S_PLATFORMS, gs_route_platform_t)
           + index;
}


unsigned
gs_route_pools(const gs_route_table_t *t)
{
    return t->sections[GS_ROUTE_S_POOLS].n;
}


const gs_route_pool_t *
gs_route_pool(const gs_route_table_t *t, uint32_t index)
{
    if (index >= t->sections[GS_ROUTE_S_POOLS].n) {
        return NULL;
    }

    return gs_route_section(t, GS_ROUTE_S_POOLS, gs_route_pool_t) + index;
}


const gs_route_pool_t *
gs_route_pool_find(const gs_route_table_t *t, const gs_str_t *id)
{
    uint32_t                i, mask;
    const uint32_t         *slots;
    const gs_route_pool_t  *pools;

    slots = gs_route_section(t, GS_ROUTE_S_POOL_HASH, uint32_t);
    pools = gs_route_section(t, GS_ROUTE_S_POOLS, gs_route_pool_t);
    mask = t->sections[GS_ROUTE_S_POOL_HASH].n - 1;

    for (i = (uint32_t) gs_route_hash(id->data, id->len, 0) & mask;
         slots[i] != 0;
         i = (i + 1) & mask)
    {
        if (gs_route_ref_eq(t, pools[slots[i] - 1].id, id)) {
            return &pools[slots[i] - 1];
        }
    }

    return NULL;
}


unsigned
gs_route_instances(const gs_route_table_t *t)
{
    return t->sections[GS_ROUTE_S_INSTANCES].n;
}


const gs_route_instance_t *
gs_route_instance(const gs_route_table_t *t, uint32_t index)
{
    if (index >= t->sections[GS_ROUTE_S_INSTANCES].n) {
        return NULL;
    }

    return gs_route_section(t, GS_ROUTE_S_INSTANCES, gs_route_instance_t)
           + index;
}


unsigned
gs_route_tls_profiles(const gs_route_table_t *t)
{
    return t->sections[GS_ROUTE_S_TLS].n;
}


const gs_route_tls_t *
gs_route_tls(const gs_route_table_t *t, uint32_t index)
{
    if (index >= t->sections[GS_ROUTE_S_TLS].n) {
        return NULL;
    }

    return gs_route_section(t, GS_ROUTE_S_TLS, gs_route_tls_t) + index;
}


const gs_route_check_t *
gs_route_check(const gs_route_table_t *t, uint32_t index)
{
    if (index >= t->sections[GS_ROUTE_S_CHECKS].n) {
        return NULL;
    }

    return gs_route_section(t, GS_ROUTE_S_CHECKS, gs_route_check_t) + index;
}


unsigned
gs_route_routes(const gs_route_table_t *t)
{
    return t->sections[GS_ROUTE_S_ROUTES].n;
}


const gs_route_fallback_t *
gs_route_fallback(const gs_route_table_t *t, const gs_route_pool_t *pool)
{
    return gs_route_section(t, GS_ROUTE_S_FALLBACKS, gs_route_fallback_t)
           + pool->fallback;
}


/*
 * Multiplication to 128 bits and folding, eight bytes a step: paths and host
 * names are hashed on every request.
 */

uint64_t
gs_route_hash(const void *data, size_t len, uint64_t seed)
{
    uint64_t           h, w;
    const gs_uchar_t  *p;

    p = data;
    h = seed ^ gs_route_mix(len, 0x9e3779b97f4a7c15ull);

    while (len >= 8) {
        memcpy(&w, p, 8);
        h = gs_route_mix(h ^ w, 0xa0761d6478bd642full);
        p += 8;
        len -= 8;
    }

    if (len > 0) {
        w = 0;
        memcpy(&w, p, len);
        h = gs_route_mix(h ^ w, 0xe7037ed1a0b428dbull);
    }

    return gs_route_mix(h, 0x8ebc6af09c88c6e3ull);
}


uint64_t
gs_route_hash_node(uint32_t parent, const gs_str_t *segment)
{
    return gs_route_hash(segment->data, segment->len,
                         ((uint64_t) parent + 1) * 0x9e3779b97f4a7c15ull);
}


uint64_t
gs_route_hash_item(uint32_t leaf, const gs_str_t *item)
{
    return gs_route_hash(item->data, item->len,
                         ((uint64_t) leaf + 1) * 0xc2b2ae3d27d4eb4full);
}


uint64_t
gs_route_hash_region(uint32_t leaf, uint32_t region)
{
    return gs_route_mix((uint64_t) leaf << 32 | region,
                        0x9e3779b97f4a7c15ull);
}


uint32_t
gs_route_find_group(const gs_route_table_t *t, const gs_str_t *name)
{
    uint32_t                 i, mask;
    const uint32_t          *slots;
    const gs_route_group_t  *groups;

    slots = gs_route_section(t, GS_ROUTE_S_GROUP_HASH, uint32_t);
    groups = gs_route_section(t, GS_ROUTE_S_GROUPS, gs_route_group_t);
    mask = t->sections[GS_ROUTE_S_GROUP_HASH].n - 1;

    for (i = (uint32_t) gs_route_hash(name->data, name->len, 0) & mask;
         slots[i] != 0;
         i = (i + 1) & mask)
    {
        if (gs_route_ref_eq(t, groups[slots[i] - 1].name, name)) {
            return slots[i] - 1;
        }
    }

    return GS_ROUTE_NONE;
}


uint32_t
gs_route_find_node(const gs_route_table_t *t, uint32_t parent,
    const gs_str_t *segment)
{
    uint32_t                i, mask;
    const uint32_t         *slots;
    const gs_route_node_t  *node, *nodes;

    slots = gs_route_section(t, GS_ROUTE_S_NODE_HASH, uint32_t);
    nodes = gs_route_section(t, GS_ROUTE_S_NODES, gs_route_node_t);
    mask = t->sections[GS_ROUTE_S_NODE_HASH].n - 1;

    for (i = (uint32_t) gs_route_hash_node(parent, segment) & mask;
         slots[i] != 0;
         i = (i + 1) & mask)
    {
        node = &nodes[slots[i] - 1];

        if (node->parent == parent
            && gs_route_ref_eq(t, node->segment, segment))
        {
            return slots[i] - 1;
        }
    }

    return GS_ROUTE_NONE;
}


const gs_route_key_t *
gs_route_find_item(const gs_route_table_t *t, uint32_t leaf,
    const gs_str_t *item)
{
    uint32_t               i, mask;
    const uint32_t        *slots;
    const gs_route_key_t  *key, *keys;

    slots = gs_route_section(t, GS_ROUTE_S_KEY_HASH, uint32_t);
    keys = gs_route_section(t, GS_ROUTE_S_KEYS, gs_route_key_t);
    mask = t->sections[GS_ROUTE_S_KEY_HASH].n - 1;

    for (i = (uint32_t) gs_route_hash_item(leaf, item) & mask;
         slots[i] != 0;
         i = (i + 1) & mask)
    {
        key = &keys[slots[i] - 1];

        if (key->leaf == leaf && key->region == 0
            && gs_route_ref_eq(t, key->item, item))
        {
            return key;
        }
    }

    return NULL;
}


const gs_route_key_t *
gs_route_find_region_key(const gs_route_table_t *t, uint32_t leaf,
    uint32_t region)
{
    uint32_t               i, mask;
    const uint32_t        *slots;
    const gs_route_key_t  *key, *keys;

    slots = gs_route_section(t, GS_ROUTE_S_KEY_HASH, uint32_t);
    keys = gs_route_section(t, GS_ROUTE_S_KEYS, gs_route_key_t);
    mask = t->sections[GS_ROUTE_S_KEY_HASH].n - 1;

    for (i = (uint32_t) gs_route_hash_region(leaf, region) & mask;
         slots[i] != 0;
         i = (i + 1) & mask)
    {
        key = &keys[slots[i] - 1];

        if (key->leaf == leaf && key->region == region) {
            return key;
        }
    }

    return NULL;
}


const gs_route_region_t *
gs_route_find_region(const gs_route_table_t *t, uint32_t code)
{
    uint32_t                  i, mask;
    const uint32_t           *slots;
    const gs_route_region_t  *regions;

    slots = gs_route_section(t, GS_ROUTE_S_REGION_HASH, uint32_t);
    regions = gs_route_section(t, GS_ROUTE_S_REGIONS, gs_route_region_t);
    mask = t->sections[GS_ROUTE_S_REGION_HASH].n - 1;

    for (i = (uint32_t) gs_route_hash_region(0, code) & mask;
         slots[i] != 0;
         i = (i + 1) & mask)
    {
        if (regions[slots[i] - 1].code == code) {
            return &regions[slots[i] - 1];
        }
    }

    return NULL;
}


unsigned
gs_route_chain(const gs_route_table_t *t, uint32_t code,
    uint32_t chain[GS_ROUTE_CHAIN])
{
    unsigned                  n;
    const gs_route_region_t  *region;

    if (!gs_route_known_province(t, code)) {
        return 0;
    }

    for (n = 0; n < GS_ROUTE_CHAIN && code != 0; n++) {
        region = gs_route_find_region(t, code);

        if (region != NULL && region->alias_of != 0) {
            code = region->alias_of;
            region = gs_route_find_region(t, code);
        }

        chain[n] = code;

        code = (region != NULL && region->parent != 0)
               ? region->parent : gs_region_parent(code);
    }

    return n;
}


static int
gs_route_ref_eq(const gs_route_table_t *t, gs_route_ref_t ref,
    const gs_str_t *s)
{
    if (ref.len != s->len) {
        return 0;
    }

    return s->len == 0
           || memcmp((const gs_uchar_t *) t + ref.offset, s->data, s->len)
              == 0;
}


static uint64_t
gs_route_mix(uint64_t a, uint64_t b)
{
    unsigned __int128  product;

    product = (unsigned __int128) a * b;

    return (uint64_t) product ^ (uint64_t) (product >> 64);
}
