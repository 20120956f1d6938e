
/*
 * Copyright (C) govsvc authors
 *
 * platforms.json: the compiler's entry, platforms and TLS profiles.
 */


#include "route/gs_route_doc.h"
#include "route/gs_route_load.h"


static gs_rc_t gs_route_compile_any(gs_mem_t *mem, const gs_str_t *platforms,
    json_t *root, const gs_str_t *regions, gs_route_table_t **table,
    size_t *size, gs_err_t *err);
static gs_rc_t gs_route_compile_in(gs_route_load_t *l, gs_mem_t *mem,
    const gs_str_t *platforms, const gs_str_t *regions,
    gs_route_table_t **table, size_t *size);
static void gs_route_load_init(gs_route_load_t *l, gs_mem_t *mem,
    gs_err_t *err);
static gs_rc_t gs_route_load_tls(gs_route_load_t *l, const json_t *root);
static gs_rc_t gs_route_load_tls_one(gs_route_load_t *l,
    const json_t *object);
static gs_rc_t gs_route_load_platform(gs_route_load_t *l,
    const json_t *object);
static gs_rc_t gs_route_load_name(gs_route_load_t *l, const json_t *object,
    gs_route_platform_model_t *platform);


static const char *const  gs_route_root_members[] = {
    "tls_profiles", "check_profiles", "platforms", "pools", "instances",
    "routes", NULL
};

/* In memory only: what names of instances were found to be. */

static const char *const  gs_route_document_members[] = {
    "tls_profiles", "check_profiles", "platforms", "pools", "instances",
    "routes", "resolved", NULL
};

static const char *const  gs_route_tls_members[] = {
    "id", "ca", "name", "cert", "key", "min", NULL
};

static const char *const  gs_route_tls_versions[] = {
    "1.2", "1.3", NULL
};

static const char *const  gs_route_platform_members[] = {
    "id", "region", "name", "state", "retry_after", NULL
};

static const char *const  gs_route_platform_states[] = {
    "normal", "maintenance", "closed", NULL
};

static const char *const  gs_route_name_members[] = {
    "zh", "en", NULL
};


gs_rc_t
gs_route_compile(gs_mem_t *mem, const gs_str_t *platforms,
    const gs_str_t *regions, gs_route_table_t **table, size_t *size,
    gs_err_t *err)
{
    return gs_route_compile_any(mem, platforms, NULL, regions, table, size,
                                err);
}


gs_rc_t
gs_route_compile_root(gs_mem_t *mem, json_t *root, const gs_str_t *regions,
    gs_route_table_t **table, size_t *size, gs_err_t *err)
{
    return gs_route_compile_any(mem, NULL, root, regions, table, size, err);
}


static gs_rc_t
gs_route_compile_any(gs_mem_t *mem, const gs_str_t *platforms, json_t *root,
    const gs_str_t *regions, gs_route_table_t **table, size_t *size,
    gs_err_t *err)
{
    gs_rc_t           rc;
    gs_arena_t       *arena;
    gs_route_load_t  *l;

    if (err != NULL) {
        memset(err, 0, sizeof(gs_err_t));
    }

    arena = gs_arena_create(mem);

    if (arena == NULL) {
        return gs_err(err, "out of memory");
    }

    l = gs_calloc(gs_arena_mem(arena), 1, sizeof(gs_route_load_t));

    if (l == NULL) {
        gs_arena_destroy(arena);
        return gs_err(err, "out of memory");
    }

    gs_route_load_init(l, gs_arena_mem(arena), err);
    l->platforms_json = json_incref(root);

    rc = gs_route_compile_in(l, mem, platforms, regions, table, size);

    json_decref(l->platforms_json);
    json_decref(l->regions_json);
    gs_arena_destroy(arena);

    return rc;
}


static gs_rc_t
gs_route_compile_in(gs_route_load_t *l, gs_mem_t *mem,
    const gs_str_t *platforms, const gs_str_t *regions,
    gs_route_table_t **table, size_t *size)
{
    json_t                 *root;
    const char *const      *members;
    static const gs_str_t   none = gs_null_string;

    if (gs_route_load_regions(l, regions) != GS_OK) {
        return GS_ERROR;
    }

    members = gs_route_root_members;

    if (platforms == NULL) {
        members = gs_route_document_members;
        l->text = &none;
        l->file = "platforms";
        l->pointer_len = 0;
        l->pointer[0] = '\0';

    } else if (gs_route_json_parse(l, platforms, "platforms",
                                   &l->platforms_json)
               != GS_OK)
    {
        return GS_ERROR;
    }

    root = l->platforms_json;
    l->resolved = (platforms == NULL) ? json_object_get(root, "resolved")
                                      : NULL;

    if (gs_route_json_members(l, root, members) != GS_OK
        || gs_route_load_tls(l, root) != GS_OK
        || gs_route_load_checks(l, root) != GS_OK
        || gs_route_load_platforms(l, root) != GS_OK
        || gs_route_load_pools(l, root) != GS_OK
        || gs_route_load_instances(l, root) != GS_OK
        || gs_route_load_routes(l, root) != GS_OK)
    {
        return GS_ERROR;
    }

    return gs_route_build(l, mem, table, size);
}


static void
gs_route_load_init(gs_route_load_t *l, gs_mem_t *mem, gs_err_t *err)
{
    unsigned  i;

    l->mem = mem;
    l->err = err;
    l->file = "";

    gs_route_vec_init(&l->regions, sizeof(gs_route_region_model_t));
    gs_route_vec_init(&l->tls, sizeof(gs_route_tls_model_t));
    gs_route_vec_init(&l->checks, sizeof(gs_route_check_model_t));
    gs_route_vec_init(&l->platforms, sizeof(gs_route_platform_model_t));
    gs_route_vec_init(&l->pools, sizeof(gs_route_pool_model_t));
    gs_route_vec_init(&l->instances, sizeof(gs_route_instance_model_t));
    gs_route_vec_init(&l->hosts, sizeof(gs_route_host_model_t));
    gs_route_vec_init(&l->routes, sizeof(gs_route_model_t));

    for (i = 0; i < GS_ROUTE_SECTIONS; i++) {
        gs_route_vec_init(&l->sections[i], gs_route_record_size[i]);
    }
}


static gs_rc_t
gs_route_load_tls(gs_route_load_t *l, const json_t *root)
{
    size_t   i, mark, outer;
    json_t  *list;

    if (gs_route_json_child(l, root, "tls_profiles", 1, &list) != GS_OK) {
        return GS_ERROR;
    }

    outer = gs_route_json_enter(l, "tls_profiles");

    for (i = 0; i < json_array_size(list); i++) {
        mark = gs_route_json_index(l, i);

        if (gs_route_load_tls_one(l, json_array_get(list, i)) != GS_OK) {
            return GS_ERROR;
        }

        gs_route_json_leave(l, mark);
    }

    gs_route_json_leave(l, outer);

    return GS_OK;
}


static gs_rc_t
gs_route_load_tls_one(gs_route_load_t *l, const json_t *object)
{
    uint32_t               version;
    gs_route_tls_model_t  *tls;

    if (gs_route_json_members(l, object, gs_route_tls_members) != GS_OK) {
        return GS_ERROR;
    }

    tls = gs_route_vec_push(l, &l->tls, 1);

    if (tls == NULL) {
        return GS_ERROR;
    }

    version = 0;

    if (gs_route_json_id(l, object, &l->tls_ids, "TLS profile", &tls->id)
        != GS_OK
        || gs_route_json_str(l, object, "ca", 1, &tls->ca) != GS_OK
        || gs_route_json_str(l, object, "name", 0, &tls->name) == GS_ERROR
        || gs_route_json_str(l, object, "cert", 0, &tls->cert) == GS_ERROR
        || gs_route_json_str(l, object, "key", 0, &tls->key) == GS_ERROR
        || gs_route_json_enum(l, object, "min", gs_route_tls_versions,
                              &version) == GS_ERROR)
    {
        return GS_ERROR;
    }

    tls->min = gs_str_text(gs_route_tls_versions[version]);

    if (tls->ca.len == 0) {
        gs_route_json_enter(l, "ca");
        gs_err(l->err, "\"ca\" is empty; allowed: a file of trusted "
               "certificates, for no platform goes unverified");
        return gs_route_json_fail(l);
    }

    if ((tls->cert.len == 0) != (tls->key.len == 0)) {
        gs_err(l->err, "\"cert\" and \"key\" go together, \"%s\" is missing",
               (tls->cert.len == 0) ? "cert" : "key");
        return gs_route_json_fail(l);
    }

    return GS_OK;
}


gs_rc_t
gs_route_load_platforms(gs_route_load_t *l, const json_t *root)
{
    size_t   i, mark, outer;
    json_t  *list;

    if (gs_route_json_child(l, root, "platforms", 1, &list) != GS_OK) {
        return GS_ERROR;
    }

    outer = gs_route_json_enter(l, "platforms");

    for (i = 0; i < json_array_size(list); i++) {
        mark = gs_route_json_index(l, i);

        if (gs_route_load_platform(l, json_array_get(list, i)) != GS_OK) {
            return GS_ERROR;
        }

        gs_route_json_leave(l, mark);
    }

    gs_route_json_leave(l, outer);

    return GS_OK;
}


static gs_rc_t
gs_route_load_platform(gs_route_load_t *l, const json_t *object)
{
    gs_rc_t                     rc;
    size_t                      mark;
    gs_str_t                    region;
    gs_route_platform_model_t  *platform;

    if (gs_route_json_members(l, object, gs_route_platform_members)
        != GS_OK)
    {
        return GS_ERROR;
    }

    platform = gs_route_vec_push(l, &l->platforms, 1);

    if (platform == NULL) {
        return GS_ERROR;
    }

    if (gs_route_json_id(l, object, &l->platform_ids, "platform",
                         &platform->id) != GS_OK
        || gs_route_load_name(l, object, platform) != GS_OK
        || gs_route_json_enum(l, object, "state", gs_route_platform_states,
                              &platform->state) == GS_ERROR
        || gs_route_json_msec(l, object, "retry_after",
                              &platform->retry_after) == GS_ERROR)
    {
        return GS_ERROR;
    }

    rc = gs_route_json_str(l, object, "region", 0, &region);

    if (rc != GS_OK) {
        return (rc == GS_DECLINED) ? GS_OK : GS_ERROR;
    }

    mark = gs_route_json_enter(l, "region");

    if (gs_route_load_region(l, &region, 0, &platform->region) != GS_OK) {
        return GS_ERROR;
    }

    gs_route_json_leave(l, mark);

    return GS_OK;
}


static gs_rc_t
gs_route_load_name(gs_route_load_t *l, const json_t *object,
    gs_route_platform_model_t *platform)
{
    size_t   mark;
    json_t  *name;

    if (gs_route_json_child(l, object, "name", 0, &name) != GS_OK) {
        return GS_ERROR;
    }

    if (name == NULL) {
        return GS_OK;
    }

    mark = gs_route_json_enter(l, "name");

    if (gs_route_json_members(l, name, gs_route_name_members) != GS_OK
        || gs_route_json_str(l, name, "zh", 0, &platform->zh) == GS_ERROR
        || gs_route_json_str(l, name, "en", 0, &platform->en) == GS_ERROR)
    {
        return GS_ERROR;
    }

    gs_route_json_leave(l, mark);

    return GS_OK;
}
