
/*
 * Copyright (C) govsvc authors
 *
 * Revocations: the zone, in which all workers look, and the calls by which
 * tokens are taken back.
 */


#include "http/ngx_http_govsvc_token.h"
#include "http/ngx_http_govsvc_revoke_priv.h"
#include "token/gs_token_revoke_priv.h"


#define NGX_HTTP_GOVSVC_REVOKE_ZONE_MIN  131072
#define NGX_HTTP_GOVSVC_REVOKE_TICK      250     /* ms */


typedef enum {
    NGX_HTTP_GOVSVC_REVOKE_ZONE = 0,
    NGX_HTTP_GOVSVC_REVOKE_STATE,
    NGX_HTTP_GOVSVC_REVOKE_REDIS,
    NGX_HTTP_GOVSVC_REVOKE_SECRET,
    NGX_HTTP_GOVSVC_REVOKE_PARAMS
} ngx_http_govsvc_revoke_param_e;


static char *ngx_http_govsvc_revoke_nodes(ngx_conf_t *cf,
    ngx_http_govsvc_revoke_zone_t *rz, ngx_str_t *params);
static char *ngx_http_govsvc_revoke_path(ngx_conf_t *cf,
    ngx_http_govsvc_revoke_zone_t *rz, ngx_str_t *value);
static ngx_int_t ngx_http_govsvc_revoke_init_zone(ngx_shm_zone_t *zone,
    void *data);
static ngx_int_t ngx_http_govsvc_revoke_lay_out(
    ngx_http_govsvc_revoke_zone_t *rz);
static void ngx_http_govsvc_revoke_event(ngx_event_t *ev);
static void ngx_http_govsvc_revoke_report(ngx_http_govsvc_revoke_zone_t *rz,
    ngx_log_t *log);
static ngx_http_govsvc_token_main_conf_t *ngx_http_govsvc_revoke_conf(void);
static ngx_int_t ngx_http_govsvc_revoke_entry(
    ngx_http_govsvc_token_main_conf_t *tmcf,
    const ngx_http_govsvc_revocation_t *rev, gs_token_revocation_t *entry);
static int64_t ngx_http_govsvc_revoke_until(
    const ngx_http_govsvc_revocation_t *rev, const gs_token_issuer_t *issuer,
    int64_t now);
static void ngx_http_govsvc_revoke_changes(ngx_http_govsvc_revoke_zone_t *rz,
    const gs_token_revoke_change_t *change, unsigned n);


static const char *const  ngx_http_govsvc_revoke_params[] = {
    "zone=", "state=", "redis=", "secret=", NULL
};

static ngx_str_t  ngx_http_govsvc_revoke_duty = ngx_string("revocations");


char *
ngx_http_govsvc_revocation_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_govsvc_token_main_conf_t *tmcf = conf;

    size_t                          size;
    ngx_str_t                       name;
    ngx_str_t                       params[NGX_HTTP_GOVSVC_REVOKE_PARAMS];
    ngx_http_govsvc_revoke_zone_t  *rz;

    if (tmcf->revoke != NULL) {
        return "is duplicate";
    }

    rz = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_revoke_zone_t));
    if (rz == NULL) {
        return NGX_CONF_ERROR;
    }

    rz->cycle = cf->cycle;

    if (ngx_govsvc_conf_params(cf, 1, ngx_http_govsvc_revoke_params, params)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (params[NGX_HTTP_GOVSVC_REVOKE_ZONE].len == 0
        || params[NGX_HTTP_GOVSVC_REVOKE_STATE].len == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"govsvc_revocation_zone\" needs both "
                           "\"zone=NAME:SIZE\" and \"state=FILE\"");
        return NGX_CONF_ERROR;
    }

    if (ngx_govsvc_conf_zone(cf, &params[NGX_HTTP_GOVSVC_REVOKE_ZONE],
                             NGX_HTTP_GOVSVC_REVOKE_ZONE_MIN, &name, &size)
        != NGX_CONF_OK
        || ngx_http_govsvc_revoke_path(cf, rz,
                                       &params[NGX_HTTP_GOVSVC_REVOKE_STATE])
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    rz->zone = ngx_shared_memory_add(cf, &name, size,
                                     &ngx_http_govsvc_token_module);
    if (rz->zone == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_govsvc_revoke_nodes(cf, rz, params) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    rz->lead = ngx_govsvc_lead_add(cf, &ngx_http_govsvc_revoke_duty, NULL,
                                   NULL);
    if (rz->lead == NULL) {
        return NGX_CONF_ERROR;
    }

    rz->zone->init = ngx_http_govsvc_revoke_init_zone;
    rz->zone->data = rz;
    tmcf->revoke = rz;

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_revoke_nodes(ngx_conf_t *cf,
    ngx_http_govsvc_revoke_zone_t *rz, ngx_str_t *params)
{
    ngx_str_t  *redis, *secret;

    redis = &params[NGX_HTTP_GOVSVC_REVOKE_REDIS];
    secret = &params[NGX_HTTP_GOVSVC_REVOKE_SECRET];

    if (redis->data == NULL && secret->data == NULL) {
        return NGX_CONF_OK;
    }

    if (ngx_http_govsvc_follow_secret(cf, "revocation", &rz->zone->shm.name,
                                      redis, secret, rz->key)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    rz->shared = 1;

    return ngx_http_govsvc_revoke_sync_add(cf, rz, redis);
}


static char *
ngx_http_govsvc_revoke_path(ngx_conf_t *cf,
    ngx_http_govsvc_revoke_zone_t *rz, ngx_str_t *value)
{
    size_t  len;

    rz->path = *value;

    if (ngx_conf_full_name(cf->cycle, &rz->path, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    for (len = rz->path.len; rz->path.data[len - 1] != '/'; len--) {
        /* void */
    }

    /* ".new" and a NUL behind it must fit as well */

    if (len == rz->path.len || rz->path.len > NGX_MAX_PATH - 8) {
        return ngx_govsvc_conf_invalid(cf, "file", value, NULL);
    }

    rz->dir.len = len > 1 ? len - 1 : 1;
    rz->dir.data = ngx_pnalloc(cf->pool, rz->dir.len + 1);

    if (rz->dir.data == NULL) {
        return NGX_CONF_ERROR;
    }

    (void) ngx_cpystrn(rz->dir.data, rz->path.data, rz->dir.len + 1);

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_govsvc_revoke_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_http_govsvc_revoke_zone_t *old = data;

    size_t                          size;
    ngx_slab_pool_t                *pool;
    ngx_http_govsvc_revoke_zone_t  *rz;
    static const gs_siphash_key_t   none = { 0, 0 };

    rz = zone->data;
    pool = (ngx_slab_pool_t *) zone->shm.addr;

    rz->table.alive = ngx_govsvc_alive;
    rz->table.pid = (uint32_t) ngx_pid;

    if (ngx_govsvc_store_prepare(rz->cycle, &rz->dir) != NGX_OK) {
        return NGX_ERROR;
    }

    rz->path_number = gs_siphash(&none, rz->path.data, rz->path.len);

    if (old == NULL) {
        return ngx_http_govsvc_revoke_lay_out(rz);
    }

    size = (size_t) (pool->end - (u_char *) pool->data);

    if (gs_token_revoke_attach(&rz->table, pool->data, size) != GS_OK) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "govsvc token: zone \"%V\" holds something else",
                      &zone->shm.name);
        return NGX_ERROR;
    }

    if (!gs_token_revoke_shared(&rz->table, rz->shared ? rz->key : NULL)) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "govsvc token: zone \"%V\" has another secret, restart "
                      "or give the zone another name", &zone->shm.name);
        return NGX_ERROR;
    }

    rz->cycle_number = __atomic_add_fetch(&rz->table.hdr->cycles, 1,
                                          __ATOMIC_SEQ_CST);

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_revoke_lay_out(ngx_http_govsvc_revoke_zone_t *rz)
{
    size_t            size;
    u_char            random[24];
    ngx_shm_zone_t   *zone;
    ngx_slab_pool_t  *pool;

    zone = rz->zone;
    pool = (ngx_slab_pool_t *) zone->shm.addr;

    /* the pages left are one run, which the table takes whole */

    size = pool->pfree * ngx_pagesize;
    pool->data = ngx_slab_calloc(pool, size);

    if (pool->data == NULL
        || ngx_govsvc_random(random, sizeof(random), zone->shm.log) != NGX_OK
        || gs_token_revoke_create(&rz->table, pool->data, size, random)
           != GS_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "govsvc token: cannot lay out zone \"%V\"",
                      &zone->shm.name);
        return NGX_ERROR;
    }

    if (rz->shared) {
        gs_token_revoke_share(&rz->table, rz->key);
    }

    return ngx_http_govsvc_revoke_read(rz);
}


void
ngx_http_govsvc_revoke_start(ngx_http_govsvc_revoke_zone_t *rz,
    ngx_log_t *log)
{
    rz->table.pid = (uint32_t) ngx_pid;

    __atomic_store_n(&rz->table.hdr->cycle, rz->cycle_number,
                     __ATOMIC_RELEASE);

    rz->event.handler = ngx_http_govsvc_revoke_event;
    rz->event.data = &rz->dummy;
    rz->event.log = log;
    rz->event.cancelable = 1;

    rz->dummy.data = rz;
    rz->dummy.fd = (ngx_socket_t) -1;

    ngx_add_timer(&rz->event, NGX_HTTP_GOVSVC_REVOKE_TICK);

    if (rz->shared) {
        ngx_http_govsvc_revoke_sync_start(rz, log);
    }
}


static void
ngx_http_govsvc_revoke_event(ngx_event_t *ev)
{
    ngx_connection_t               *dummy;
    ngx_http_govsvc_revoke_zone_t  *rz;

    dummy = ev->data;
    rz = dummy->data;

    if (__atomic_load_n(&rz->writing, __ATOMIC_ACQUIRE) == 0) {
        ngx_http_govsvc_revoke_report(rz, ev->log);

        if (!ngx_exiting && ngx_govsvc_lead_mine(rz->lead)) {
            ngx_http_govsvc_revoke_save(rz);
        }
    }

    if (!ngx_exiting) {
        ngx_add_timer(ev, NGX_HTTP_GOVSVC_REVOKE_TICK);
    }
}


static void
ngx_http_govsvc_revoke_report(ngx_http_govsvc_revoke_zone_t *rz,
    ngx_log_t *log)
{
    if (rz->err != 0 && !rz->failed) {
        ngx_log_error(NGX_LOG_CRIT, log, rz->err,
                      "govsvc token: cannot write the revocations to \"%V\", "
                      "they would be lost in a restart: %s failed",
                      &rz->path, rz->what);

    } else if (rz->err == 0 && rz->failed) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "govsvc token: revocations are written to \"%V\" again",
                      &rz->path);
    }

    rz->failed = (rz->err != 0);
}


void
ngx_http_govsvc_revoke_stop(ngx_http_govsvc_revoke_zone_t *rz, ngx_log_t *log)
{
    /* where others go on, it is for them to write, and into their file */

    if (!ngx_http_govsvc_revoke_dirty(rz)
        || __atomic_load_n(&rz->table.hdr->cycle, __ATOMIC_ACQUIRE)
           != rz->cycle_number)
    {
        return;
    }

    (void) ngx_http_govsvc_revoke_write(rz);

    rz->failed = 0;
    ngx_http_govsvc_revoke_report(rz, log);
}


ngx_int_t
ngx_http_govsvc_revoke(const ngx_http_govsvc_revocation_t *rev,
    ngx_log_t *log)
{
    gs_rc_t                             rc;
    unsigned                            n;
    ngx_int_t                           found;
    gs_token_revocation_t               entry;
    gs_token_revoke_change_t            change[2];
    ngx_http_govsvc_token_main_conf_t  *tmcf;

    tmcf = ngx_http_govsvc_revoke_conf();
    found = ngx_http_govsvc_revoke_entry(tmcf, rev, &entry);

    if (found != NGX_OK) {
        return found;
    }

    rc = gs_token_revoke_add(&tmcf->revoke->table, &entry,
                             (int64_t) ngx_time(), change, &n);

    if (rc == GS_OK) {
        ngx_http_govsvc_revoke_changes(tmcf->revoke, change, n);
    }

    if (rc == GS_BUSY) {
        ngx_log_error(NGX_LOG_CRIT, log, 0,
                      "govsvc token: zone \"%V\" is full, a token was not "
                      "revoked, issuer: \"%V\", by: %s",
                      &tmcf->revoke->zone->shm.name, &rev->issuer,
                      gs_token_revoke_names[rev->kind]);
    }

    return (ngx_int_t) rc;
}


ngx_int_t
ngx_http_govsvc_revoke_lift(const ngx_http_govsvc_revocation_t *rev,
    ngx_log_t *log)
{
    gs_rc_t                             rc;
    unsigned                            n;
    ngx_int_t                           found;
    gs_token_revocation_t               entry;
    gs_token_revoke_change_t            change[2];
    ngx_http_govsvc_token_main_conf_t  *tmcf;

    tmcf = ngx_http_govsvc_revoke_conf();
    found = ngx_http_govsvc_revoke_entry(tmcf, rev, &entry);

    if (found != NGX_OK) {
        return found;
    }

    rc = gs_token_revoke_lift(&tmcf->revoke->table, &entry,
                              (int64_t) ngx_time(), change, &n);

    if (rc == GS_OK) {
        ngx_http_govsvc_revoke_changes(tmcf->revoke, change, n);

        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "govsvc token: a revocation is lifted, issuer: \"%V\", "
                      "by: %s", &rev->issuer,
                      gs_token_revoke_names[rev->kind]);
    }

    return (ngx_int_t) rc;
}


static void
ngx_http_govsvc_revoke_changes(ngx_http_govsvc_revoke_zone_t *rz,
    const gs_token_revoke_change_t *change, unsigned n)
{
    unsigned  i;

    for (i = 0; rz->shared && i < n; i++) {
        (void) ngx_http_govsvc_revoke_tell(rz, &change[i].is,
                                           change[i].had ? &change[i].was
                                                         : NULL);
    }
}


ngx_int_t
ngx_http_govsvc_revoke_stat(gs_token_revoke_stat_t *stat, int64_t *saved)
{
    ngx_http_govsvc_token_main_conf_t  *tmcf;

    tmcf = ngx_http_govsvc_revoke_conf();

    if (tmcf == NULL || tmcf->revoke == NULL) {
        return NGX_DECLINED;
    }

    gs_token_revoke_stat(&tmcf->revoke->table, (int64_t) ngx_time(), stat);

    *saved = __atomic_load_n(&tmcf->revoke->table.hdr->saved_at,
                             __ATOMIC_RELAXED);

    return NGX_OK;
}


ngx_int_t
ngx_http_govsvc_revoke_next(uint64_t *cursor, gs_token_revoke_item_t *item)
{
    ngx_http_govsvc_token_main_conf_t  *tmcf;

    tmcf = ngx_http_govsvc_revoke_conf();

    if (tmcf == NULL || tmcf->revoke == NULL) {
        return NGX_DECLINED;
    }

    return (ngx_int_t) gs_token_revoke_next(&tmcf->revoke->table, cursor,
                                            UINT64_MAX, 0, 0,
                                            (int64_t) ngx_time(), item);
}


ngx_int_t
ngx_http_govsvc_revoke_shared(ngx_http_govsvc_revoke_nodes_t *nodes)
{
    gs_token_revoke_hdr_t              *hdr;
    ngx_http_govsvc_token_main_conf_t  *tmcf;

    tmcf = ngx_http_govsvc_revoke_conf();

    if (tmcf == NULL || tmcf->revoke == NULL || !tmcf->revoke->shared) {
        return NGX_DECLINED;
    }

    hdr = tmcf->revoke->table.hdr;

    nodes->told = __atomic_load_n(&hdr->tells, __ATOMIC_RELAXED);
    nodes->heard = __atomic_load_n(&hdr->hears, __ATOMIC_RELAXED);
    nodes->follows = __atomic_load_n(&hdr->follows, __ATOMIC_RELAXED);

    return NGX_OK;
}


static ngx_http_govsvc_token_main_conf_t *
ngx_http_govsvc_revoke_conf(void)
{
    return ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_govsvc_token_module);
}


static ngx_int_t
ngx_http_govsvc_revoke_entry(ngx_http_govsvc_token_main_conf_t *tmcf,
    const ngx_http_govsvc_revocation_t *rev, gs_token_revocation_t *entry)
{
    int64_t                     now;
    ngx_uint_t                  i;
    ngx_http_govsvc_issuer_t  **is;

    if (tmcf == NULL || tmcf->revoke == NULL) {
        return NGX_DECLINED;
    }

    now = (int64_t) ngx_time();
    is = tmcf->issuers.elts;

    for (i = 0; i < tmcf->issuers.nelts; i++) {

        if (is[i]->name.len != rev->issuer.len
            || ngx_memcmp(is[i]->name.data, rev->issuer.data, rev->issuer.len)
               != 0)
        {
            continue;
        }

        entry->kind = rev->kind;
        entry->iss = is[i]->issuer.iss;
        entry->value = ngx_govsvc_to_gs(&rev->value);

        /* the second that is running counts as past */

        entry->before = rev->before != 0 ? rev->before : now + 1;
        entry->until = ngx_http_govsvc_revoke_until(rev, &is[i]->issuer, now);

        return NGX_OK;
    }

    return NGX_DECLINED;
}


/*
 * A token that was issued until now is good until iat + max_lifetime + leeway
 * at most, and a clock ahead of ours may have issued it a leeway from now.
 */

static int64_t
ngx_http_govsvc_revoke_until(const ngx_http_govsvc_revocation_t *rev,
    const gs_token_issuer_t *issuer, int64_t now)
{
    int64_t  issued;

    if (rev->until != 0) {
        return rev->until;
    }

    if (rev->kind == GS_TOKEN_REVOKE_SUB || rev->kind == GS_TOKEN_REVOKE_KID
        || issuer->max_lifetime == 0)
    {
        return GS_TOKEN_REVOKE_NEVER;
    }

    issued = ngx_max(now, rev->before);

    return ngx_min(issued + issuer->max_lifetime + 2 * issuer->leeway + 1,
                   GS_TOKEN_REVOKE_NEVER);
}
