
/*
 * Copyright (C) govsvc authors
 *
 * How many nodes keep limits together.  One elected worker of each node leaves
 * its name with the time of Redis in a sorted set, every second, and counts
 * who did so lately.  More nodes count at once, fewer only when that has been
 * so for a while: too large a number refuses a little early, too small a one
 * admits too much.
 */


#include "http/ngx_http_govsvc_cluster.h"
#include "http/ngx_http_govsvc_limit.h"
#include "http/ngx_http_govsvc_quota.h"
#include "http/ngx_http_govsvc_redis.h"
#include "ngx/ngx_govsvc_lead.h"


#define NGX_HTTP_GOVSVC_CLUSTER_MAX    1000
#define NGX_HTTP_GOVSVC_CLUSTER_TICK   250       /* ms */
#define NGX_HTTP_GOVSVC_CLUSTER_BEAT   1000      /* ms */
#define NGX_HTTP_GOVSVC_CLUSTER_FRESH  5000      /* ms */
#define NGX_HTTP_GOVSVC_CLUSTER_HOLD   8000      /* ms, before it is less */
#define NGX_HTTP_GOVSVC_CLUSTER_GONE   3600000   /* ms */


typedef enum {
    NGX_HTTP_GOVSVC_CLUSTER_REDIS = 0,
    NGX_HTTP_GOVSVC_CLUSTER_EXPECT,
    NGX_HTTP_GOVSVC_CLUSTER_PARAMS
} ngx_http_govsvc_cluster_param_e;


/* Of all workers. */
typedef struct {
    uint64_t                          nodes;     /* 0: never counted */
} ngx_http_govsvc_cluster_shared_t;


struct ngx_http_govsvc_cluster_s {
    ngx_uint_t                        expect;
    ngx_str_t                        *node;
    ngx_govsvc_redis_t               *redis;
    ngx_govsvc_lead_t                *lead;
    ngx_http_govsvc_cluster_shared_t *shared;

    /* of the worker */
    ngx_event_t                       event;
    ngx_connection_t                  dummy;
    ngx_cycle_t                      *cycle;
    ngx_str_t                         key;
    ngx_uint_t                        applied;
    ngx_msec_t                        beat;
    ngx_msec_t                        since;     /* it may be less */
    ngx_uint_t                        most;      /* seen since then */
    unsigned                          less:1;
};


static char *ngx_http_govsvc_cluster_auto(ngx_conf_t *cf,
    ngx_http_govsvc_limit_main_conf_t *lmcf);
static ngx_int_t ngx_http_govsvc_cluster_init_zone(ngx_shm_zone_t *shm_zone,
    void *data);
static void ngx_http_govsvc_cluster_lead(void *data, ngx_uint_t leads);
static void ngx_http_govsvc_cluster_event(ngx_event_t *ev);
static void ngx_http_govsvc_cluster_beat(ngx_http_govsvc_cluster_t *cluster);
static void ngx_http_govsvc_cluster_counted(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);
static void ngx_http_govsvc_cluster_set(ngx_http_govsvc_cluster_t *cluster,
    ngx_uint_t nodes);
static void ngx_http_govsvc_cluster_apply(ngx_http_govsvc_cluster_t *cluster,
    ngx_uint_t nodes);


static const char *const  ngx_http_govsvc_cluster_params[] = {
    "redis=", "expect=", NULL
};


char *
ngx_http_govsvc_cluster_size(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_limit_main_conf_t *lmcf = conf;

    ngx_str_t  *value;
    ngx_int_t   n;

    if (lmcf->nodes != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 4 && ngx_memcmp(value[1].data, "auto", 4) == 0) {
        return ngx_http_govsvc_cluster_auto(cf, lmcf);
    }

    n = ngx_atoi(value[1].data, value[1].len);

    if (cf->args->nelts != 2 || n < 1 || n > NGX_HTTP_GOVSVC_CLUSTER_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid cluster size \"%V\", allowed: 1 to 1000, "
                           "or \"auto redis=NAME expect=NUMBER\"",
                           &value[cf->args->nelts - 1]);
        return NGX_CONF_ERROR;
    }

    lmcf->nodes = (ngx_uint_t) n;

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_cluster_auto(ngx_conf_t *cf,
    ngx_http_govsvc_limit_main_conf_t *lmcf)
{
    ngx_int_t                   n;
    ngx_str_t                   params[NGX_HTTP_GOVSVC_CLUSTER_PARAMS];
    ngx_shm_zone_t             *zone;
    ngx_http_govsvc_cluster_t  *cluster;
    static ngx_str_t            name = ngx_string("govsvc_cluster");

    if (ngx_govsvc_conf_params(cf, 2, ngx_http_govsvc_cluster_params, params)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    n = ngx_atoi(params[NGX_HTTP_GOVSVC_CLUSTER_EXPECT].data,
                 params[NGX_HTTP_GOVSVC_CLUSTER_EXPECT].len);

    if (params[NGX_HTTP_GOVSVC_CLUSTER_REDIS].len == 0 || n < 1
        || n > NGX_HTTP_GOVSVC_CLUSTER_MAX)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"govsvc_cluster_size auto\" needs both "
                           "\"redis=NAME\" and \"expect=NUMBER\", 1 to 1000");
        return NGX_CONF_ERROR;
    }

    cluster = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_cluster_t));
    if (cluster == NULL) {
        return NGX_CONF_ERROR;
    }

    cluster->expect = (ngx_uint_t) n;
    cluster->applied = cluster->expect;
    cluster->redis = ngx_http_govsvc_redis(cf,
                                      &params[NGX_HTTP_GOVSVC_CLUSTER_REDIS]);
    if (cluster->redis == NULL) {
        return NGX_CONF_ERROR;
    }

    cluster->node = ngx_http_govsvc_node(cf);
    cluster->lead = ngx_govsvc_lead_add(cf, &name,
                                        ngx_http_govsvc_cluster_lead, cluster);
    zone = ngx_shared_memory_add(cf, &name, 8 * ngx_pagesize,
                                 &ngx_http_govsvc_limit_module);

    if (cluster->lead == NULL || zone == NULL) {
        return NGX_CONF_ERROR;
    }

    zone->init = ngx_http_govsvc_cluster_init_zone;
    zone->data = cluster;

    lmcf->nodes = cluster->expect;
    lmcf->cluster = cluster;

    return NGX_CONF_OK;
}


/* A reload keeps what was counted. */

static ngx_int_t
ngx_http_govsvc_cluster_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_govsvc_cluster_t *old = data;

    ngx_slab_pool_t            *pool;
    ngx_http_govsvc_cluster_t  *cluster;

    cluster = shm_zone->data;

    if (old != NULL) {
        cluster->shared = old->shared;
        return NGX_OK;
    }

    pool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    cluster->shared = ngx_slab_calloc(pool,
                                 sizeof(ngx_http_govsvc_cluster_shared_t));

    return (cluster->shared != NULL) ? NGX_OK : NGX_ERROR;
}


void
ngx_http_govsvc_cluster_start(ngx_http_govsvc_cluster_t *cluster,
    ngx_cycle_t *cycle)
{
    u_char           *p;
    const ngx_str_t  *prefix;

    if (cluster == NULL) {
        return;
    }

    prefix = ngx_govsvc_redis_prefix(cluster->redis);

    p = ngx_pnalloc(cycle->pool, prefix->len + sizeof("nodes") - 1);
    if (p == NULL) {
        return;
    }

    cluster->key.data = p;
    cluster->key.len = ngx_sprintf(p, "%Vnodes", prefix) - p;
    cluster->cycle = cycle;

    cluster->event.handler = ngx_http_govsvc_cluster_event;
    cluster->event.data = &cluster->dummy;
    cluster->event.log = cycle->log;
    cluster->event.cancelable = 1;

    cluster->dummy.data = cluster;
    cluster->dummy.fd = (ngx_socket_t) -1;

    ngx_add_timer(&cluster->event, 0);
}


static void
ngx_http_govsvc_cluster_lead(void *data, ngx_uint_t leads)
{
    ngx_http_govsvc_cluster_t *cluster = data;

    cluster->less = 0;
}


static void
ngx_http_govsvc_cluster_event(ngx_event_t *ev)
{
    uint64_t                    nodes;
    ngx_connection_t           *dummy;
    ngx_http_govsvc_cluster_t  *cluster;

    dummy = ev->data;
    cluster = dummy->data;

    if (ngx_exiting) {
        return;
    }

    nodes = __atomic_load_n(&cluster->shared->nodes, __ATOMIC_ACQUIRE);

    if (nodes != 0 && nodes != cluster->applied) {
        ngx_http_govsvc_cluster_apply(cluster, (ngx_uint_t) nodes);
    }

    if ((ngx_msec_int_t) (ngx_current_msec - cluster->beat) >= 0
        && ngx_govsvc_lead_mine(cluster->lead))
    {
        cluster->beat = ngx_current_msec + NGX_HTTP_GOVSVC_CLUSTER_BEAT;
        ngx_http_govsvc_cluster_beat(cluster);
    }

    ngx_add_timer(ev, NGX_HTTP_GOVSVC_CLUSTER_TICK);
}


/* By the clock of Redis, the only one that all nodes have. */

static void
ngx_http_govsvc_cluster_beat(ngx_http_govsvc_cluster_t *cluster)
{
    u_char                  at[NGX_INT64_LEN], from[NGX_INT64_LEN];
    u_char                  gone[NGX_INT64_LEN];
    int64_t                 offset, now;
    uint64_t                error;
    ngx_str_t               add[4], count[4], rem[4];
    ngx_govsvc_redis_cmd_t  cmds[3];

    if (ngx_govsvc_redis_clock(cluster->redis, &cluster->key, &offset, &error)
        != NGX_OK)
    {
        cluster->less = 0;
        return;
    }

    now = ((int64_t) ngx_govsvc_mono_us() + offset) / 1000;

    ngx_memzero(cmds, sizeof(cmds));

    ngx_str_set(&add[0], "ZADD");
    add[1] = cluster->key;
    add[2].data = at;
    add[2].len = ngx_sprintf(at, "%L", now) - at;
    add[3] = *cluster->node;

    ngx_str_set(&count[0], "ZCOUNT");
    count[1] = cluster->key;
    count[2].data = from;
    count[2].len = ngx_sprintf(from, "%L",
                               now - NGX_HTTP_GOVSVC_CLUSTER_FRESH)
                   - from;
    ngx_str_set(&count[3], "+inf");

    ngx_str_set(&rem[0], "ZREMRANGEBYSCORE");
    rem[1] = cluster->key;
    ngx_str_set(&rem[2], "-inf");
    rem[3].data = gone;
    rem[3].len = ngx_sprintf(gone, "%L", now - NGX_HTTP_GOVSVC_CLUSTER_GONE)
                 - gone;

    cmds[0].argv = add;
    cmds[0].argc = 4;
    cmds[0].key = 1;
    cmds[0].handler = ngx_http_govsvc_cluster_counted;
    cmds[0].data = cluster;

    cmds[1].argv = count;
    cmds[1].argc = 4;
    cmds[1].key = 1;

    cmds[2].argv = rem;
    cmds[2].argc = 4;
    cmds[2].key = 1;

    if (ngx_govsvc_redis_multi(cluster->redis, cmds, 3, NULL)
        != NGX_GOVSVC_REDIS_OK)
    {
        cluster->less = 0;
    }
}


static void
ngx_http_govsvc_cluster_counted(void *data, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_govsvc_cluster_t *cluster = data;

    int64_t     n;
    ngx_uint_t  nodes;

    if (status != NGX_GOVSVC_REDIS_OK
        || ngx_govsvc_redis_int(ngx_govsvc_redis_at(reply, 1), &n) != NGX_OK
        || n < 1)
    {
        cluster->less = 0;
        return;
    }

    nodes = (ngx_uint_t) ngx_min(n, NGX_HTTP_GOVSVC_CLUSTER_MAX);

    if (nodes >= cluster->applied) {
        cluster->less = 0;
        ngx_http_govsvc_cluster_set(cluster, nodes);
        return;
    }

    if (!cluster->less) {
        cluster->less = 1;
        cluster->most = 0;
        cluster->since = ngx_current_msec;
    }

    cluster->most = ngx_max(cluster->most, nodes);

    if (ngx_current_msec - cluster->since >= NGX_HTTP_GOVSVC_CLUSTER_HOLD) {
        cluster->less = 0;
        ngx_http_govsvc_cluster_set(cluster, cluster->most);
    }
}


static void
ngx_http_govsvc_cluster_set(ngx_http_govsvc_cluster_t *cluster,
    ngx_uint_t nodes)
{
    uint64_t  old;

    old = __atomic_exchange_n(&cluster->shared->nodes, nodes,
                              __ATOMIC_ACQ_REL);

    if (old != nodes) {
        ngx_log_error(NGX_LOG_NOTICE, cluster->cycle->log, 0,
                      "govsvc limit: %ui nodes keep limits together",
                      nodes);
    }

    if (nodes != cluster->applied) {
        ngx_http_govsvc_cluster_apply(cluster, nodes);
    }
}


/* In the event loop, between requests: nobody holds a share just now. */

static void
ngx_http_govsvc_cluster_apply(ngx_http_govsvc_cluster_t *cluster,
    ngx_uint_t nodes)
{
    cluster->applied = nodes;

    ngx_http_govsvc_limit_renew_plans(cluster->cycle, nodes);
    ngx_http_govsvc_quota_renew_plans(cluster->cycle, nodes);
}


ngx_uint_t
ngx_http_govsvc_cluster_nodes(const ngx_http_govsvc_cluster_t *cluster)
{
    uint64_t  nodes;

    nodes = __atomic_load_n(&cluster->shared->nodes, __ATOMIC_ACQUIRE);

    return (nodes != 0) ? (ngx_uint_t) nodes : cluster->expect;
}
