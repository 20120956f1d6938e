
/*
 * Copyright (C) govsvc authors
 *
 * The search structures: host groups, path nodes, leaves, item and region
 * keys, and for each the candidates in the order in which they are tried.
 */


#include <stdlib.h>

#include "route/gs_route_load.h"


#define GS_ROUTE_MAX_ENTRIES  4000000


/* One route in one place. */
typedef struct {
    uint32_t  leaf;
    uint32_t  key;                         /* GS_ROUTE_NONE: without */
    uint32_t  rank;
    int32_t   priority;
    uint32_t  order;                       /* of the id */
    uint32_t  route;
} gs_route_entry_t;


typedef struct {
    gs_str_t  id;
    uint32_t  route;
} gs_route_named_t;


typedef struct {
    gs_route_load_t  *l;
    gs_route_vec_t    entries;
    gs_route_map_t    groups;
    gs_route_map_t    nodes;
    gs_route_map_t    keys;
    uint32_t         *order;               /* of each route by its id */
} gs_route_index_t;


static gs_rc_t gs_route_index_order(gs_route_index_t *x);
static gs_rc_t gs_route_index_route(gs_route_index_t *x, uint32_t index);
static gs_rc_t gs_route_index_group(gs_route_index_t *x, const gs_str_t *host,
    uint32_t region, uint32_t *group);
static gs_rc_t gs_route_index_path(gs_route_index_t *x, uint32_t group,
    const gs_str_t *path, uint32_t *leaf);
static gs_rc_t gs_route_index_node(gs_route_index_t *x, uint32_t parent,
    const gs_str_t *segment, uint32_t *node);
static gs_rc_t gs_route_index_leaf(gs_route_index_t *x, uint32_t leaf,
    uint32_t route);
static gs_rc_t gs_route_index_key(gs_route_index_t *x, uint32_t leaf,
    const gs_str_t *item, uint32_t region, uint32_t *key);
static gs_rc_t gs_route_index_entry(gs_route_index_t *x, uint32_t leaf,
    uint32_t key, uint32_t route);
static gs_rc_t gs_route_index_runs(gs_route_index_t *x);
static gs_rc_t gs_route_index_check(gs_route_index_t *x, uint32_t first,
    uint32_t n);
static void gs_route_index_up(gs_route_load_t *l);
static int gs_route_cmp_named(const void *one, const void *two);
static int gs_route_cmp_entry(const void *one, const void *two);
static uint64_t gs_route_hash_of_group(gs_route_load_t *l, uint32_t i);
static uint64_t gs_route_hash_of_node(gs_route_load_t *l, uint32_t i);
static uint64_t gs_route_hash_of_key(gs_route_load_t *l, uint32_t i);
static gs_str_t gs_route_index_str(gs_route_load_t *l, gs_route_ref_t ref);


#define gs_route_index_at(l, s, type, i)                                      \
    gs_route_vec_at(&(l)->sections[s], type, i)


gs_rc_t
gs_route_build_index(gs_route_load_t *l)
{
    uint32_t           i, group;
    gs_str_t           none;
    gs_route_index_t   x;

    memset(&x, 0, sizeof(gs_route_index_t));
    x.l = l;
    gs_route_vec_init(&x.entries, sizeof(gs_route_entry_t));

    /* group 0 is that of routes without a host */

    none = gs_str_make("", 0);

    if (gs_route_index_group(&x, &none, 0, &group) != GS_OK
        || gs_route_build_records(l) != GS_OK
        || gs_route_index_order(&x) != GS_OK)
    {
        return GS_ERROR;
    }

    for (i = 0; i < l->routes.n; i++) {
        if (gs_route_index_route(&x, i) != GS_OK) {
            return GS_ERROR;
        }
    }

    if (gs_route_index_runs(&x) != GS_OK) {
        return GS_ERROR;
    }

    gs_route_index_up(l);

    if (gs_route_build_hash(l, GS_ROUTE_S_GROUP_HASH,
                            l->sections[GS_ROUTE_S_GROUPS].n,
                            gs_route_hash_of_group) != GS_OK
        || gs_route_build_hash(l, GS_ROUTE_S_NODE_HASH,
                               l->sections[GS_ROUTE_S_NODES].n,
                               gs_route_hash_of_node) != GS_OK)
    {
        return GS_ERROR;
    }

    return gs_route_build_hash(l, GS_ROUTE_S_KEY_HASH,
                               l->sections[GS_ROUTE_S_KEYS].n,
                               gs_route_hash_of_key);
}


static gs_rc_t
gs_route_index_order(gs_route_index_t *x)
{
    uint32_t           i, n;
    gs_route_named_t  *named;

    n = x->l->routes.n;

    named = gs_route_load_alloc(x->l, (size_t) n + 1,
                                sizeof(gs_route_named_t));
    x->order = gs_route_load_alloc(x->l, (size_t) n + 1, sizeof(uint32_t));

    if (named == NULL || x->order == NULL) {
        return GS_ERROR;
    }

    for (i = 0; i < n; i++) {
        named[i].id = gs_route_vec_at(&x->l->routes, gs_route_model_t, i)->id;
        named[i].route = i;
    }

    qsort(named, n, sizeof(gs_route_named_t), gs_route_cmp_named);

    for (i = 0; i < n; i++) {
        x->order[named[i].route] = i;
    }

    return GS_OK;
}


/* The route into every place that its hosts, paths and keys name. */

static gs_rc_t
gs_route_index_route(gs_route_index_t *x, uint32_t index)
{
    uint32_t           i, j, group, leaf, region;
    gs_str_t           none, root;
    const gs_str_t    *hosts, *paths;
    gs_route_model_t  *model;

    model = gs_route_vec_at(&x->l->routes, gs_route_model_t, index);
    region = gs_route_vec_at(&x->l->platforms, gs_route_platform_model_t,
                             model->platform)->region;

    none = gs_str_make("", 0);
    root = gs_str_text("/");
    hosts = (model->nhosts != 0) ? model->hosts : &none;
    paths = (model->npaths != 0) ? model->paths : &root;

    for (i = 0; i < model->nhosts || i == 0; i++) {

        if (gs_route_index_group(x, &hosts[i], region, &group) != GS_OK) {
            return GS_ERROR;
        }

        if (model->npaths == 0) {
            gs_route_vec_at(&x->l->sections[GS_ROUTE_S_GROUPS],
                            gs_route_group_t, group)->whole = 1;
        }

        for (j = 0; j < model->npaths || j == 0; j++) {

            if (gs_route_index_path(x, group, &paths[j], &leaf) != GS_OK
                || gs_route_index_leaf(x, leaf, index) != GS_OK)
            {
                return GS_ERROR;
            }
        }
    }

    return GS_OK;
}


static gs_rc_t
gs_route_index_group(gs_route_index_t *x, const gs_str_t *host,
    uint32_t region, uint32_t *group)
{
    gs_rc_t            rc;
    uint32_t           root;
    gs_route_vec_t    *groups;
    gs_route_group_t  *g;

    groups = &x->l->sections[GS_ROUTE_S_GROUPS];
    *group = groups->n;
    rc = gs_route_map_add(x->l, &x->groups, host, group);

    if (rc == GS_DECLINED) {
        g = gs_route_vec_at(groups, gs_route_group_t, *group);

        if (g->region != region) {
            g->region = 0;
        }

        return GS_OK;
    }

    if (rc != GS_OK
        || gs_route_index_node(x, GS_ROUTE_NONE, host, &root) != GS_OK)
    {
        return GS_ERROR;
    }

    g = gs_route_vec_push(x->l, groups, 1);

    if (g == NULL) {
        return GS_ERROR;
    }

    g->root = root;
    g->region = region;

    return gs_route_build_str(x->l, host, &g->name);
}


/* The leaf of a path; "/" is the root itself, "=/" a segment without text. */

static gs_rc_t
gs_route_index_path(gs_route_index_t *x, uint32_t group,
    const gs_str_t *path, uint32_t *leaf)
{
    uint32_t          node, *slot;
    unsigned          exact;
    gs_str_t          rest, segment;
    gs_route_vec_t   *leaves;
    gs_route_leaf_t  *l;
    gs_route_node_t  *n;

    rest = *path;
    exact = 0;

    if (rest.data[0] == '=') {
        exact = 1;
        rest = gs_str_make(rest.data + 1, rest.len - 1);
    }

    if (!exact && rest.len == 1) {
        rest.len = 0;
    }

    node = gs_route_index_at(x->l, GS_ROUTE_S_GROUPS, gs_route_group_t,
                             group)->root;

    while (gs_route_segment(&rest, &segment) == GS_OK) {
        if (gs_route_index_node(x, node, &segment, &node) != GS_OK) {
            return GS_ERROR;
        }
    }

    n = gs_route_index_at(x->l, GS_ROUTE_S_NODES, gs_route_node_t, node);
    slot = exact ? &n->exact : &n->prefix;

    if (*slot == GS_ROUTE_NONE) {
        leaves = &x->l->sections[GS_ROUTE_S_LEAVES];
        *slot = leaves->n;
        l = gs_route_vec_push(x->l, leaves, 1);

        if (l == NULL) {
            return GS_ERROR;
        }

        if (group == 0 && !exact && path->len == 1) {
            l->flags |= GS_ROUTE_LEAF_CATCH_ALL;
        }
    }

    *leaf = *slot;

    return GS_OK;
}


static gs_rc_t
gs_route_index_node(gs_route_index_t *x, uint32_t parent,
    const gs_str_t *segment, uint32_t *node)
{
    gs_rc_t           rc;
    gs_str_t          name;
    gs_uchar_t       *p;
    gs_route_vec_t   *nodes;
    gs_route_node_t  *n;

    p = gs_route_load_alloc(x->l, segment->len + sizeof(uint32_t), 1);

    if (p == NULL) {
        return GS_ERROR;
    }

    memcpy(p, &parent, sizeof(uint32_t));

    if (segment->len != 0) {
        memcpy(p + sizeof(uint32_t), segment->data, segment->len);
    }

    name = gs_str_make(p, segment->len + sizeof(uint32_t));
    nodes = &x->l->sections[GS_ROUTE_S_NODES];
    *node = nodes->n;
    rc = gs_route_map_add(x->l, &x->nodes, &name, node);

    if (rc != GS_OK) {
        return (rc == GS_DECLINED) ? GS_OK : GS_ERROR;
    }

    n = gs_route_vec_push(x->l, nodes, 1);

    if (n == NULL) {
        return GS_ERROR;
    }

    n->parent = parent;
    n->up = GS_ROUTE_NONE;
    n->prefix = GS_ROUTE_NONE;
    n->exact = GS_ROUTE_NONE;

    return gs_route_build_str(x->l, segment, &n->segment);
}


static gs_rc_t
gs_route_index_leaf(gs_route_index_t *x, uint32_t leaf, uint32_t route)
{
    uint32_t           i, key;
    gs_route_leaf_t   *l;
    gs_route_model_t  *model;

    model = gs_route_vec_at(&x->l->routes, gs_route_model_t, route);
    l = gs_route_index_at(x->l, GS_ROUTE_S_LEAVES, gs_route_leaf_t, leaf);

    if (model->nitems != 0) {
        l->flags |= GS_ROUTE_LEAF_ITEMS;

        for (i = 0; i < model->nitems; i++) {
            if (gs_route_index_key(x, leaf, &model->items[i], 0, &key)
                != GS_OK
                || gs_route_index_entry(x, leaf, key, route) != GS_OK)
            {
                return GS_ERROR;
            }
        }

        return GS_OK;
    }

    if (model->nregions == 0) {
        return gs_route_index_entry(x, leaf, GS_ROUTE_NONE, route);
    }

    l->flags |= GS_ROUTE_LEAF_REGIONS;

    for (i = 0; i < model->nregions; i++) {
        if (gs_route_index_key(x, leaf, NULL, model->regions[i], &key)
            != GS_OK
            || gs_route_index_entry(x, leaf, key, route) != GS_OK)
        {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


static gs_rc_t
gs_route_index_key(gs_route_index_t *x, uint32_t leaf, const gs_str_t *item,
    uint32_t region, uint32_t *key)
{
    size_t           len;
    gs_rc_t          rc;
    gs_str_t         name;
    gs_uchar_t      *p;
    gs_route_key_t  *k;
    gs_route_vec_t  *keys;

    len = 2 * sizeof(uint32_t) + ((item != NULL) ? item->len : 0);
    p = gs_route_load_alloc(x->l, len, 1);

    if (p == NULL) {
        return GS_ERROR;
    }

    memcpy(p, &leaf, sizeof(uint32_t));
    memcpy(p + sizeof(uint32_t), &region, sizeof(uint32_t));

    if (item != NULL) {
        memcpy(p + 2 * sizeof(uint32_t), item->data, item->len);
    }

    name = gs_str_make(p, len);
    keys = &x->l->sections[GS_ROUTE_S_KEYS];
    *key = keys->n;
    rc = gs_route_map_add(x->l, &x->keys, &name, key);

    if (rc != GS_OK) {
        return (rc == GS_DECLINED) ? GS_OK : GS_ERROR;
    }

    k = gs_route_vec_push(x->l, keys, 1);

    if (k == NULL) {
        return GS_ERROR;
    }

    k->leaf = leaf;
    k->region = region;

    return (item != NULL) ? gs_route_build_str(x->l, item, &k->item) : GS_OK;
}


static gs_rc_t
gs_route_index_entry(gs_route_index_t *x, uint32_t leaf, uint32_t key,
    uint32_t route)
{
    gs_route_entry_t  *entry;
    gs_route_model_t  *model;

    model = gs_route_vec_at(&x->l->routes, gs_route_model_t, route);

    if (x->entries.n == GS_ROUTE_MAX_ENTRIES) {
        gs_route_json_enter(x->l, "routes");
        gs_route_json_index(x->l, route);
        gs_err(x->l->err, "hosts, paths, items and regions of all routes "
               "combine to more than %d", GS_ROUTE_MAX_ENTRIES);
        return gs_route_json_fail(x->l);
    }

    entry = gs_route_vec_push(x->l, &x->entries, 1);

    if (entry == NULL) {
        return GS_ERROR;
    }

    entry->leaf = leaf;
    entry->key = key;
    entry->rank = model->rank;
    entry->priority = model->priority;
    entry->order = x->order[route];
    entry->route = route;

    return GS_OK;
}


/* Entries to runs of candidates, the best first. */

static gs_rc_t
gs_route_index_runs(gs_route_index_t *x)
{
    uint32_t           i, first, n, *candidates;
    gs_route_run_t    *run;
    gs_route_entry_t  *e;

    n = x->entries.n;

    if (n == 0) {
        return GS_OK;
    }

    e = x->entries.data;
    qsort(e, n, sizeof(gs_route_entry_t), gs_route_cmp_entry);

    candidates = gs_route_vec_push(x->l,
                                   &x->l->sections[GS_ROUTE_S_CANDIDATES], n);

    if (candidates == NULL) {
        return GS_ERROR;
    }

    for (first = 0; first < n; first = i) {

        for (i = first;
             i < n && e[i].leaf == e[first].leaf && e[i].key == e[first].key;
             i++)
        {
            candidates[i] = e[i].route;
        }

        run = (e[first].key == GS_ROUTE_NONE)
              ? &gs_route_index_at(x->l, GS_ROUTE_S_LEAVES, gs_route_leaf_t,
                                   e[first].leaf)->run
              : &gs_route_index_at(x->l, GS_ROUTE_S_KEYS, gs_route_key_t,
                                   e[first].key)->run;

        run->first = first;
        run->n = i - first;

        if (gs_route_index_check(x, first, i - first) != GS_OK) {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


static gs_rc_t
gs_route_index_check(gs_route_index_t *x, uint32_t first, uint32_t n)
{
    uint32_t           i, j;
    gs_route_entry_t  *e;

    e = x->entries.data;
    e += first;

    if (n > GS_ROUTE_BUCKET) {
        gs_route_json_enter(x->l, "routes");
        gs_route_json_index(x->l, e[n - 1].route);
        gs_err(x->l->err, "more than %d routes have host, path, item and "
               "region in common", GS_ROUTE_BUCKET);
        return gs_route_json_fail(x->l);
    }

    for (i = 0; i < n; i++) {
        for (j = i + 1; j < n; j++) {

            if (e[i].rank == e[j].rank && e[i].priority == e[j].priority
                && gs_route_check_overlap(x->l, e[i].route, e[j].route)
                   != GS_OK)
            {
                return GS_ERROR;
            }
        }
    }

    return GS_OK;
}


/* Parents stand before their children, so one pass is enough. */

static void
gs_route_index_up(gs_route_load_t *l)
{
    uint32_t          i;
    gs_route_node_t  *nodes, *parent;

    nodes = l->sections[GS_ROUTE_S_NODES].data;

    for (i = 0; i < l->sections[GS_ROUTE_S_NODES].n; i++) {

        if (nodes[i].parent == GS_ROUTE_NONE) {
            continue;
        }

        parent = &nodes[nodes[i].parent];
        nodes[i].up = (parent->prefix != GS_ROUTE_NONE) ? nodes[i].parent
                                                        : parent->up;
    }
}


static int
gs_route_cmp_named(const void *one, const void *two)
{
    const gs_route_named_t  *a = one;
    const gs_route_named_t  *b = two;

    return gs_str_cmp(&a->id, &b->id);
}


static int
gs_route_cmp_entry(const void *one, const void *two)
{
    const gs_route_entry_t  *a = one;
    const gs_route_entry_t  *b = two;

    if (a->leaf != b->leaf) {
        return (a->leaf < b->leaf) ? -1 : 1;
    }

    if (a->key != b->key) {
        return (a->key < b->key) ? -1 : 1;
    }

    if (a->rank != b->rank) {
        return (a->rank > b->rank) ? -1 : 1;
    }

    if (a->priority != b->priority) {
        return (a->priority > b->priority) ? -1 : 1;
    }

    return (a->order > b->order) - (a->order < b->order);
}


static uint64_t
gs_route_hash_of_group(gs_route_load_t *l, uint32_t i)
{
    gs_str_t  name;

    name = gs_route_index_str(l, gs_route_index_at(l, GS_ROUTE_S_GROUPS,
                                                   gs_route_group_t, i)->name);

    return gs_route_hash(name.data, name.len, 0);
}


static uint64_t
gs_route_hash_of_node(gs_route_load_t *l, uint32_t i)
{
    gs_str_t          segment;
    gs_route_node_t  *node;

    node = gs_route_index_at(l, GS_ROUTE_S_NODES, gs_route_node_t, i);
    segment = gs_route_index_str(l, node->segment);

    return gs_route_hash_node(node->parent, &segment);
}


static uint64_t
gs_route_hash_of_key(gs_route_load_t *l, uint32_t i)
{
    gs_str_t         item;
    gs_route_key_t  *key;

    key = gs_route_index_at(l, GS_ROUTE_S_KEYS, gs_route_key_t, i);

    if (key->region != 0) {
        return gs_route_hash_region(key->leaf, key->region);
    }

    item = gs_route_index_str(l, key->item);

    return gs_route_hash_item(key->leaf, &item);
}


static gs_str_t
gs_route_index_str(gs_route_load_t *l, gs_route_ref_t ref)
{
    return gs_str_make((gs_uchar_t *) l->sections[GS_ROUTE_S_STRINGS].data
                       + (ref.offset - sizeof(gs_route_table_t)), ref.len);
}
