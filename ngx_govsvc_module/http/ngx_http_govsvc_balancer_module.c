
/*
 * Copyright (C) govsvc authors
 *
 * Balancer: directives, and the life of the table of platforms from the
 * configuration to the workers.
 */


#include "http/ngx_http_govsvc_balancer_priv.h"
#include "http/ngx_http_govsvc_redis.h"


#define NGX_HTTP_GOVSVC_REGISTRY_MIN  (1024 * 1024)


static void *ngx_http_govsvc_balancer_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_balancer_init_main_conf(ngx_conf_t *cf,
    void *conf);
static ngx_int_t ngx_http_govsvc_balancer_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_govsvc_balancer_init_process(ngx_cycle_t *cycle);
static char *ngx_http_govsvc_set_registry(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_govsvc_set_balancer(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_govsvc_init_upstream(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *us);
static ngx_int_t ngx_http_govsvc_name_pool(
    ngx_http_govsvc_balancer_main_conf_t *bmcf, const gs_route_table_t *t,
    uint32_t index, gs_registry_name_t *name);
static ngx_int_t ngx_http_govsvc_name_instance(const gs_route_table_t *t,
    uint32_t index, gs_registry_name_t *name);
static ngx_int_t ngx_http_govsvc_hash_variables(ngx_conf_t *cf,
    const gs_route_table_t *t);
static ngx_int_t ngx_http_govsvc_check_table(void *data,
    const gs_registry_view_t *view);


static const char *const  ngx_http_govsvc_registry_params[] = {
    "zone=", "snapshot=", "redis=", NULL
};


static ngx_command_t  ngx_http_govsvc_balancer_commands[] = {

    { ngx_string("govsvc_registry"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE123,
      ngx_http_govsvc_set_registry,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_balancer_main_conf_t, zone),
      NULL },

    { ngx_string("govsvc_balancer"),
      NGX_HTTP_UPS_CONF|NGX_CONF_NOARGS,
      ngx_http_govsvc_set_balancer,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_balancer_main_conf_t, used),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_govsvc_balancer_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_govsvc_balancer_create_main_conf, /* create main configuration */
    ngx_http_govsvc_balancer_init_main_conf,   /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_govsvc_balancer_module = {
    NGX_MODULE_V1,
    &ngx_http_govsvc_balancer_module_ctx,  /* module context */
    ngx_http_govsvc_balancer_commands,     /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_govsvc_balancer_init_module,  /* init module */
    ngx_http_govsvc_balancer_init_process, /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


const gs_route_table_t *
ngx_http_govsvc_table_enter(void)
{
    const gs_registry_view_t              *view;
    ngx_http_govsvc_balancer_main_conf_t  *bmcf;

    bmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                              ngx_http_govsvc_balancer_module);

    if (bmcf == NULL || bmcf->registry == NULL) {
        return NULL;
    }

    view = ngx_govsvc_registry_enter(bmcf->registry);

    return view != NULL ? view->blob : NULL;
}


void
ngx_http_govsvc_table_leave(void)
{
    ngx_http_govsvc_balancer_main_conf_t  *bmcf;

    bmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                              ngx_http_govsvc_balancer_module);

    ngx_govsvc_registry_leave(bmcf->registry);
}


static void *
ngx_http_govsvc_balancer_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_balancer_main_conf_t  *bmcf;

    /* set by pcalloc(): zone = { 0, NULL }, size = 0, used = 0 ... */

    bmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_balancer_main_conf_t));
    if (bmcf == NULL) {
        return NULL;
    }

    bmcf->worker = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_worker_t));
    if (bmcf->worker == NULL) {
        return NULL;
    }

    bmcf->worker->pool = cf->pool;

    return bmcf;
}


static char *
ngx_http_govsvc_balancer_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_balancer_main_conf_t *bmcf = conf;

    uint32_t                 nnames;
    ngx_str_t                name;
    gs_registry_name_t      *names;
    const gs_route_table_t  *t;

    t = ngx_http_govsvc_route_blob(cf->cycle);

    if (t == NULL) {

        if (bmcf->used || bmcf->zone.len != 0) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"%s\" needs \"govsvc_platforms\"",
                          bmcf->used ? "govsvc_balancer" : "govsvc_registry");
            return NGX_CONF_ERROR;
        }

        return NGX_CONF_OK;
    }

    t = ngx_http_govsvc_registry_configure(cf, bmcf, t);

    if (t == NULL
        || ngx_http_govsvc_hash_variables(cf, t) != NGX_OK
        || ngx_http_govsvc_tls_configure(cf, bmcf, t) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    nnames = gs_route_pools(t) + gs_route_instances(t);

    names = ngx_palloc(cf->pool,
                       ((size_t) nnames + 1) * sizeof(gs_registry_name_t));

    if (names == NULL || ngx_http_govsvc_name_all(bmcf, t, names) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (bmcf->zone.len == 0) {
        ngx_str_set(&name, "govsvc_registry");
        bmcf->size = ngx_govsvc_registry_default_size(gs_route_size(t),
                                                      nnames);

    } else {
        name = bmcf->zone;
    }

    bmcf->registry = ngx_govsvc_registry_add(cf, &name, bmcf->size,
                                             &ngx_http_govsvc_balancer_module);
    if (bmcf->registry == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_govsvc_health_configure(cf, bmcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    bmcf->registry->blob = t;
    bmcf->registry->size = gs_route_size(t);
    bmcf->registry->names = names;
    bmcf->registry->nnames = nnames;
    bmcf->registry->check = ngx_http_govsvc_check_table;
    bmcf->registry->data = bmcf;

    return NGX_CONF_OK;
}


/* Sockets are bound and logs are open: the new cycle will live. */

static ngx_int_t
ngx_http_govsvc_balancer_init_module(ngx_cycle_t *cycle)
{
    ngx_http_govsvc_balancer_main_conf_t  *bmcf;

    bmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                              ngx_http_govsvc_balancer_module);

    if (bmcf != NULL && bmcf->registry != NULL && !ngx_test_config) {
        ngx_http_govsvc_registry_start(bmcf, cycle);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_balancer_init_process(ngx_cycle_t *cycle)
{
    ngx_http_govsvc_balancer_main_conf_t  *bmcf;

    bmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                              ngx_http_govsvc_balancer_module);

    if (bmcf == NULL || bmcf->registry == NULL) {
        return NGX_OK;
    }

    ngx_govsvc_registry_attach(bmcf->registry);

    /* the table is checked here, not at the first request's expense */

    if (ngx_govsvc_registry_enter(bmcf->registry) != NULL) {
        ngx_govsvc_registry_leave(bmcf->registry);
    }

    return NGX_OK;
}


static char *
ngx_http_govsvc_set_registry(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_balancer_main_conf_t *bmcf = conf;

    ngx_str_t   *value, text;
    ngx_uint_t   i;

    if (bmcf->zone.len != 0 || bmcf->store.snapshot.len != 0) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "zone=", 5) == 0
            && bmcf->zone.len == 0)
        {
            text.data = value[i].data + 5;
            text.len = value[i].len - 5;

            if (ngx_govsvc_conf_zone(cf, &text, NGX_HTTP_GOVSVC_REGISTRY_MIN,
                                     &bmcf->zone, &bmcf->size)
                != NGX_CONF_OK)
            {
                return NGX_CONF_ERROR;
            }

            continue;
        }

        if (value[i].len > 9
            && ngx_strncmp(value[i].data, "snapshot=", 9) == 0
            && bmcf->store.snapshot.len == 0)
        {
            text.data = value[i].data + 9;
            text.len = value[i].len - 9;

            if (ngx_conf_full_name(cf->cycle, &text, 1) != NGX_OK) {
                return NGX_CONF_ERROR;
            }

            bmcf->store.snapshot = text;
            continue;
        }

        if (value[i].len > 6
            && ngx_strncmp(value[i].data, "redis=", 6) == 0
            && bmcf->store.redis == NULL)
        {
            text.data = value[i].data + 6;
            text.len = value[i].len - 6;

            bmcf->store.redis = ngx_http_govsvc_redis(cf, &text);

            if (bmcf->store.redis == NULL) {
                return NGX_CONF_ERROR;
            }

            continue;
        }

        return ngx_govsvc_conf_invalid(cf, "parameter", &value[i],
                                       ngx_http_govsvc_registry_params);
    }

    if (bmcf->zone.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"govsvc_registry\" needs \"zone=NAME:SIZE\"");
        return NGX_CONF_ERROR;
    }

    if (bmcf->store.redis != NULL && bmcf->store.snapshot.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"redis=\" of \"govsvc_registry\" needs "
                           "\"snapshot=FILE\": what serves when Redis does "
                           "not");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/*
 * Nginx demands a server in each upstream{}, and modules that look at the
 * upstream expect the data of round robin: one server that is down gives
 * both.
 */

static char *
ngx_http_govsvc_set_balancer(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_balancer_main_conf_t *bmcf = conf;

    ngx_url_t                      u;
    ngx_http_upstream_server_t    *server;
    ngx_http_upstream_srv_conf_t  *us;

    us = ngx_http_conf_get_module_srv_conf(cf, ngx_http_upstream_module);

    if (us->peer.init_upstream == ngx_http_govsvc_init_upstream) {
        return "is duplicate";
    }

    if (us->peer.init_upstream != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"govsvc_balancer\" must stand before "
                           "\"keepalive\" and is the only balancing method "
                           "of its upstream");
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&u, sizeof(ngx_url_t));
    ngx_str_set(&u.url, "127.0.0.1:9");

    if (ngx_parse_url(cf->pool, &u) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    server = ngx_array_push(us->servers);
    if (server == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(server, sizeof(ngx_http_upstream_server_t));

    ngx_str_set(&server->name, "govsvc_balancer");
    server->addrs = u.addrs;
    server->naddrs = u.naddrs;
    server->weight = 1;
    server->down = 1;

    us->flags = NGX_HTTP_UPSTREAM_CREATE;
    us->peer.init_upstream = ngx_http_govsvc_init_upstream;

    bmcf->used = 1;

    ngx_http_govsvc_enable(cf);

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_govsvc_init_upstream(ngx_conf_t *cf, ngx_http_upstream_srv_conf_t *us)
{
    if (us->servers->nelts != 1) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"server\" and \"govsvc_balancer\" exclude each other: "
                      "servers come from \"govsvc_platforms\", in upstream "
                      "\"%V\" in %s:%ui", &us->host, us->file_name, us->line);
        return NGX_ERROR;
    }

#if (NGX_HTTP_UPSTREAM_ZONE)

    if (us->shm_zone != NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"zone\" and \"govsvc_balancer\" exclude each other: "
                      "use \"govsvc_registry\", in upstream \"%V\" in %s:%ui",
                      &us->host, us->file_name, us->line);
        return NGX_ERROR;
    }

#endif

    if (ngx_http_upstream_init_round_robin(cf, us) != NGX_OK) {
        return NGX_ERROR;
    }

    us->peer.init = ngx_http_govsvc_init_peer;

    return NGX_OK;
}


/* Pools, then instances, each in the order of the table. */

ngx_int_t
ngx_http_govsvc_name_all(ngx_http_govsvc_balancer_main_conf_t *bmcf,
    const gs_route_table_t *t, gs_registry_name_t *names)
{
    uint32_t  i, npools, ninstances;

    npools = gs_route_pools(t);
    ninstances = gs_route_instances(t);

    ngx_memzero(names, ((size_t) npools + ninstances)
                       * sizeof(gs_registry_name_t));

    for (i = 0; i < npools; i++) {
        if (ngx_http_govsvc_name_pool(bmcf, t, i, &names[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < ninstances; i++) {
        if (ngx_http_govsvc_name_instance(t, i, &names[npools + i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * The key of a pool stands for its identity: with it, and with the content of
 * the files of its TLS profile, changes the number that separates connections
 * and sessions.
 */

static ngx_int_t
ngx_http_govsvc_name_pool(ngx_http_govsvc_balancer_main_conf_t *bmcf,
    const gs_route_table_t *t, uint32_t index, gs_registry_name_t *name)
{
    gs_str_t                parts[3];
    const gs_route_pool_t  *pool;

    pool = gs_route_pool(t, index);

    if (pool->tls != GS_ROUTE_NONE) {
        ngx_memcpy(name->aux, bmcf->tls[pool->tls].key, sizeof(name->aux));
    }

    parts[0] = gs_str_text("pool");
    parts[1] = gs_route_str(t, pool->identity);
    parts[2] = gs_str_make(name->aux, sizeof(name->aux));

    return ngx_http_govsvc_digest(parts, 3, name->key);
}


static ngx_int_t
ngx_http_govsvc_name_instance(const gs_route_table_t *t, uint32_t index,
    gs_registry_name_t *name)
{
    gs_str_t                    parts[4];
    const gs_route_instance_t  *instance;

    instance = gs_route_instance(t, index);

    parts[0] = gs_str_text("instance");
    parts[1] = gs_route_str(t, gs_route_pool(t, instance->pool)->id);
    parts[2] = gs_route_str(t, instance->id);
    parts[3] = gs_route_str(t, instance->name);

    return ngx_http_govsvc_digest(parts, 4, name->key);
}


/* A variable with an index is one that Nginx demands to exist. */

static ngx_int_t
ngx_http_govsvc_hash_variables(ngx_conf_t *cf, const gs_route_table_t *t)
{
    uint32_t                i, n;
    gs_str_t                s;
    ngx_str_t               name;
    const gs_route_pool_t  *pool;

    n = gs_route_pools(t);

    for (i = 0; i < n; i++) {
        pool = gs_route_pool(t, i);

        if (pool->method != GS_ROUTE_HASH) {
            continue;
        }

        s = gs_route_str(t, pool->variable);
        name = ngx_govsvc_from_gs(&s);

        if (ngx_http_get_variable_index(cf, &name) == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * Workers of an old cycle meet the table of a new one.  A module of another
 * version may have made it, and it may demand certificates that were never
 * read here: such a worker ends its days with the table it was born with.
 */

static ngx_int_t
ngx_http_govsvc_check_table(void *data, const gs_registry_view_t *view)
{
    ngx_http_govsvc_balancer_main_conf_t *bmcf = data;

    uint32_t                    i, npools;
    const gs_route_table_t     *t;
    const gs_registry_entry_t  *e;

    t = gs_route_table_public(view->blob, view->size);

    if (t == NULL
        || view->nentries != gs_route_pools(t) + gs_route_instances(t))
    {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "govsvc registry: revision %uL is of another version, "
                      "using the platforms of this configuration",
                      view->revision);
        return NGX_DECLINED;
    }

    npools = gs_route_pools(t);

    for (i = 0; i < npools; i++) {
        e = &view->entries[i];

        if ((e->aux[0] != 0 || e->aux[1] != 0)
            && ngx_http_govsvc_tls_find(bmcf, e->aux) == NULL)
        {
            ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                          "govsvc registry: revision %uL has TLS profiles "
                          "unknown here, using the platforms of this "
                          "configuration", view->revision);
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}
