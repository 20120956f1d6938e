
/*
 * Copyright (C) govsvc authors
 *
 * Bans: the directives, and the zone's shared memory.
 */


#include "http/ngx_http_govsvc_ban_sync.h"
#include "http/ngx_http_govsvc_follow.h"


typedef enum {
    NGX_HTTP_GOVSVC_BAN_ZONE = 0,
    NGX_HTTP_GOVSVC_BAN_TIERS,
    NGX_HTTP_GOVSVC_BAN_MEMORY,
    NGX_HTTP_GOVSVC_BAN_ALLOW,
    NGX_HTTP_GOVSVC_BAN_REDIS,
    NGX_HTTP_GOVSVC_BAN_SECRET,
    NGX_HTTP_GOVSVC_BAN_PARAMS
} ngx_http_govsvc_ban_param_e;


static void *ngx_http_govsvc_ban_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_ban_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_govsvc_ban_create_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_ban_merge_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_govsvc_ban_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_govsvc_ban_tiers(ngx_conf_t *cf,
    ngx_http_govsvc_ban_zone_t *zone, ngx_str_t *text);
static char *ngx_http_govsvc_ban_time(ngx_conf_t *cf, const char *what,
    gs_str_t *text, uint64_t *ms);
static char *ngx_http_govsvc_ban_allow(ngx_conf_t *cf,
    ngx_http_govsvc_ban_zone_t *zone, ngx_str_t *text);
static char *ngx_http_govsvc_ban_nodes(ngx_conf_t *cf,
    ngx_http_govsvc_ban_zone_t *zone, ngx_str_t *redis, ngx_str_t *secret);
static char *ngx_http_govsvc_ban(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_govsvc_ban_by(ngx_conf_t *cf, ngx_str_t *text,
    ngx_uint_t *kinds);
static ngx_int_t ngx_http_govsvc_ban_init_zone(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_int_t ngx_http_govsvc_ban_init_process(ngx_cycle_t *cycle);


static const char *const  ngx_http_govsvc_ban_zone_params[] = {
    "zone=", "tiers=", "memory=", "allow=", "redis=", "secret=", NULL
};

static const char *const  ngx_http_govsvc_ban_params[] = {
    "zone=", "by=", "dry_run", NULL
};


static ngx_command_t  ngx_http_govsvc_ban_commands[] = {

    { ngx_string("govsvc_ban_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_govsvc_ban_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_ban_main_conf_t, zones),
      NULL },

    { ngx_string("govsvc_ban"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE123,
      ngx_http_govsvc_ban,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_govsvc_ban_conf_t, zone),
      NULL },

    { ngx_string("govsvc_ban_control"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_govsvc_ban_control,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_govsvc_ban_conf_t, control),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_govsvc_ban_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_govsvc_ban_create_main_conf,  /* create main configuration */
    ngx_http_govsvc_ban_init_main_conf,    /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_govsvc_ban_create_conf,       /* create location configuration */
    ngx_http_govsvc_ban_merge_conf         /* merge location configuration */
};


ngx_module_t  ngx_http_govsvc_ban_module = {
    NGX_MODULE_V1,
    &ngx_http_govsvc_ban_module_ctx,       /* module context */
    ngx_http_govsvc_ban_commands,          /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_govsvc_ban_init_process,      /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_http_govsvc_ban_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_ban_main_conf_t  *bmcf;

    bmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_ban_main_conf_t));
    if (bmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&bmcf->zones, cf->pool, 2,
                       sizeof(ngx_http_govsvc_ban_zone_t *))
        != NGX_OK)
    {
        return NULL;
    }

    return bmcf;
}


ngx_http_govsvc_ban_zone_t *
ngx_http_govsvc_ban_get_zone(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_http_govsvc_ban_main_conf_t  *bmcf;

    bmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_govsvc_ban_module);

    return ngx_govsvc_zone_get(cf, &bmcf->zones, name,
                               sizeof(ngx_http_govsvc_ban_zone_t),
                               NGX_HTTP_GOVSVC_BAN_ZONES, "ban");
}


static char *
ngx_http_govsvc_ban_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_ban_main_conf_t *bmcf = conf;

    return ngx_govsvc_zone_check(cf, &bmcf->zones, "ban");
}


static void *
ngx_http_govsvc_ban_create_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_ban_conf_t  *bcf;

    bcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_ban_conf_t));
    if (bcf == NULL) {
        return NULL;
    }

    bcf->zone = NGX_CONF_UNSET_PTR;

    return bcf;
}


static char *
ngx_http_govsvc_ban_merge_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_govsvc_ban_conf_t *prev = parent;
    ngx_http_govsvc_ban_conf_t *conf = child;

    if (conf->zone == NGX_CONF_UNSET_PTR) {
        conf->kinds = prev->kinds;
        conf->dry_run = prev->dry_run;
    }

    ngx_conf_merge_ptr_value(conf->zone, prev->zone, NULL);

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_ban_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_ban_main_conf_t *bmcf = conf;

    size_t                       size;
    gs_str_t                     text;
    ngx_str_t                    name, *value;
    ngx_str_t                    params[NGX_HTTP_GOVSVC_BAN_PARAMS];
    ngx_http_govsvc_ban_zone_t  *zone;

    value = cf->args->elts;

    if (ngx_govsvc_conf_params(cf, 1, ngx_http_govsvc_ban_zone_params, params)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (params[NGX_HTTP_GOVSVC_BAN_ZONE].data == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have \"zone=NAME:SIZE\" parameter",
                           &value[0]);
        return NGX_CONF_ERROR;
    }

    if (ngx_govsvc_conf_zone(cf, &params[NGX_HTTP_GOVSVC_BAN_ZONE],
                             8 * ngx_pagesize, &name, &size)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    zone = ngx_govsvc_zone_define(cf, &bmcf->zones, &name,
                                  sizeof(ngx_http_govsvc_ban_zone_t),
                                  NGX_HTTP_GOVSVC_BAN_ZONES, "ban");
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    zone->table.alive = ngx_govsvc_alive;
    zone->tiers.memory = 86400 * 1000;

    if (params[NGX_HTTP_GOVSVC_BAN_MEMORY].data != NULL) {
        text = ngx_govsvc_to_gs(&params[NGX_HTTP_GOVSVC_BAN_MEMORY]);

        if (ngx_http_govsvc_ban_time(cf, "memory", &text, &zone->tiers.memory)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_http_govsvc_ban_tiers(cf, zone,
                                  &params[NGX_HTTP_GOVSVC_BAN_TIERS])
        != NGX_CONF_OK
        || ngx_http_govsvc_ban_allow(cf, zone,
                                     &params[NGX_HTTP_GOVSVC_BAN_ALLOW])
           != NGX_CONF_OK
        || ngx_http_govsvc_ban_nodes(cf, zone,
                                     &params[NGX_HTTP_GOVSVC_BAN_REDIS],
                                     &params[NGX_HTTP_GOVSVC_BAN_SECRET])
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_govsvc_zone_add(cf, &zone->base, size,
                               &ngx_http_govsvc_ban_module,
                               ngx_http_govsvc_ban_init_zone);
}


static char *
ngx_http_govsvc_ban_tiers(ngx_conf_t *cf, ngx_http_govsvc_ban_zone_t *zone,
    ngx_str_t *text)
{
    gs_str_t          one;
    ngx_str_t         rest, word;
    gs_ban_tiers_t   *tiers;
    static ngx_str_t  usual = ngx_string("5m,30m,6h,24h");

    tiers = &zone->tiers;
    rest = (text->data != NULL) ? *text : usual;

    while (ngx_govsvc_conf_next(&rest, &word)) {
        one = ngx_govsvc_to_gs(&word);

        if (tiers->n == GS_BAN_TIERS) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "too many tiers \"%V\", at most %d are "
                               "allowed", text, GS_BAN_TIERS);
            return NGX_CONF_ERROR;
        }

        if (ngx_http_govsvc_ban_time(cf, "tier", &one, &tiers->ms[tiers->n])
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }

        if (tiers->n != 0 && tiers->ms[tiers->n] < tiers->ms[tiers->n - 1]) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid tiers \"%V\", each must be as long "
                               "as the one before or longer", text);
            return NGX_CONF_ERROR;
        }

        tiers->n++;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_ban_time(ngx_conf_t *cf, const char *what, gs_str_t *text,
    uint64_t *ms)
{
    ngx_str_t  value;

    if (gs_parse_msec(text, ms) != GS_OK || *ms < 1000
        || *ms > NGX_HTTP_GOVSVC_BAN_MAX_TIME)
    {
        value = ngx_govsvc_from_gs(text);

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid %s \"%V\", allowed: 1s to 366d, as in "
                           "\"30m\"", what, &value);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_ban_allow(ngx_conf_t *cf, ngx_http_govsvc_ban_zone_t *zone,
    ngx_str_t *text)
{
    gs_rc_t       rc;
    gs_str_t      one;
    gs_net_t     *net;
    gs_mem_t     *mem;
    ngx_str_t     rest, value;
    ngx_array_t   nets;

    if (text->data == NULL) {
        return NGX_CONF_OK;
    }

    if (ngx_array_init(&nets, cf->temp_pool, 8, sizeof(gs_net_t)) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    rest = *text;

    while (ngx_govsvc_conf_next(&rest, &value)) {
        one = ngx_govsvc_to_gs(&value);

        net = ngx_array_push(&nets);
        if (net == NULL) {
            return NGX_CONF_ERROR;
        }

        rc = gs_net_parse(net, &one);

        if (rc != GS_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, rc == GS_DONE
                               ? "invalid network \"%V\" in \"allow\", bits "
                                 "behind the prefix are set"
                               : "invalid network \"%V\" in \"allow\", it "
                                 "must be as in \"10.0.0.0/8\"", &value);
            return NGX_CONF_ERROR;
        }
    }

    mem = ngx_govsvc_mem(cf->pool);
    if (mem == NULL) {
        return NGX_CONF_ERROR;
    }

    zone->allow = gs_net_set_create(mem, nets.elts, nets.nelts);

    return (zone->allow != NULL) ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* Nodes agree on the hash of a key by the secret, which only they know. */

static char *
ngx_http_govsvc_ban_nodes(ngx_conf_t *cf, ngx_http_govsvc_ban_zone_t *zone,
    ngx_str_t *redis, ngx_str_t *secret)
{
    if (redis->data == NULL && secret->data == NULL) {
        return NGX_CONF_OK;
    }

    if (ngx_http_govsvc_follow_secret(cf, "ban", &zone->base.name, redis,
                                      secret, (u_char *) &zone->secret)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    zone->shared = 1;

    return ngx_http_govsvc_ban_sync_add(cf, zone, redis);
}


static char *
ngx_http_govsvc_ban(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_ban_conf_t *bcf = conf;

    ngx_str_t  *value, params[3];

    if (bcf->zone != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        bcf->zone = NULL;
        return NGX_CONF_OK;
    }

    if (ngx_govsvc_conf_params(cf, 1, ngx_http_govsvc_ban_params, params)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (params[0].len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have \"zone=NAME\" parameter",
                           &value[0]);
        return NGX_CONF_ERROR;
    }

    bcf->dry_run = (params[2].data != NULL);

    if (ngx_http_govsvc_ban_by(cf, &params[1], &bcf->kinds) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    bcf->zone = ngx_http_govsvc_ban_get_zone(cf, &params[0]);
    if (bcf->zone == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_http_govsvc_enable(cf);

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_ban_by(ngx_conf_t *cf, ngx_str_t *text, ngx_uint_t *kinds)
{
    gs_str_t    one;
    ngx_str_t   rest, value;
    ngx_uint_t  i;

    if (text->data == NULL) {
        *kinds = (1 << GS_BAN_KINDS) - 1;
        return NGX_CONF_OK;
    }

    rest = *text;

    while (ngx_govsvc_conf_next(&rest, &value)) {
        one = ngx_govsvc_to_gs(&value);

        for (i = 0; i < GS_BAN_KINDS; i++) {
            if (gs_str_eq_text(&one, gs_ban_kinds[i])) {
                break;
            }
        }

        if (i == GS_BAN_KINDS) {
            return ngx_govsvc_conf_invalid(cf, "key of bans", &value,
                                           gs_ban_kinds);
        }

        *kinds |= (ngx_uint_t) 1 << i;
    }

    return NGX_CONF_OK;
}


/* A zone that is reused keeps its bans. */

static ngx_int_t
ngx_http_govsvc_ban_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_govsvc_ban_zone_t *old = data;

    void                        *p;
    size_t                       size;
    gs_siphash_key_t             secret;
    ngx_http_govsvc_ban_zone_t  *zone;

    zone = shm_zone->data;
    zone->table.pid = (uint32_t) ngx_pid;

    if (old != NULL) {
        zone->size = old->size;

        if (gs_ban_attach(&zone->table, old->table.hdr, old->size) != GS_OK) {
            ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                          "govsvc ban: zone \"%V\" holds another layout, "
                          "restart or give the zone another name",
                          &shm_zone->shm.name);
            return NGX_ERROR;
        }

        if (!zone->shared) {
            return NGX_OK;
        }

        if (!gs_ban_secret_is(&zone->table, &zone->secret)) {
            ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                          "govsvc ban: zone \"%V\" has another secret, "
                          "restart or give the zone another name",
                          &shm_zone->shm.name);
            return NGX_ERROR;
        }

        return ngx_http_govsvc_ban_sync_shared(zone,
                                      (u_char *) old->table.hdr + zone->size,
                                      shm_zone->shm.log);
    }

    p = ngx_govsvc_zone_memory(shm_zone, &size, &secret);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (zone->shared) {
        secret = zone->secret;
    }

    zone->size = size - NGX_HTTP_GOVSVC_BAN_SHARED;

    if (gs_ban_create(&zone->table, p, zone->size, &secret) != GS_OK) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "govsvc ban: no memory in zone \"%V\"",
                      &shm_zone->shm.name);
        return NGX_ERROR;
    }

    if (zone->shared) {
        return ngx_http_govsvc_ban_sync_shared(zone, (u_char *) p + zone->size,
                                               shm_zone->shm.log);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_ban_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                         i;
    ngx_http_govsvc_ban_zone_t       **zones;
    ngx_http_govsvc_ban_main_conf_t   *bmcf;

    bmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_govsvc_ban_module);
    if (bmcf == NULL) {
        return NGX_OK;
    }

    zones = bmcf->zones.elts;

    for (i = 0; i < bmcf->zones.nelts; i++) {
        zones[i]->table.pid = (uint32_t) ngx_pid;

        if (zones[i]->shared
            && (ngx_process == NGX_PROCESS_WORKER
                || ngx_process == NGX_PROCESS_SINGLE))
        {
            ngx_http_govsvc_ban_sync_start(zones[i], cycle->log);
        }
    }

    return NGX_OK;
}


ngx_http_govsvc_ban_zone_t *
ngx_http_govsvc_ban_find_zone(ngx_str_t *name)
{
    ngx_uint_t                         i;
    ngx_http_govsvc_ban_zone_t       **zones;
    ngx_http_govsvc_ban_main_conf_t   *bmcf;

    bmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_govsvc_ban_module);
    zones = bmcf->zones.elts;

    for (i = 0; i < bmcf->zones.nelts; i++) {
        if (zones[i]->base.name.len == name->len
            && ngx_memcmp(zones[i]->base.name.data, name->data, name->len) == 0)
        {
            return zones[i];
        }
    }

    return NULL;
}
