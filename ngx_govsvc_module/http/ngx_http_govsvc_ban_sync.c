
/*
 * Copyright (C) govsvc authors
 *
 * Bans of all nodes.  A worker that bans or lifts tells Redis at once; one
 * elected worker of a node follows the stream.  What could not be told is told
 * again: bans by the elected worker from the table, what was lifted by the
 * worker that did it.
 *
 * A key is a keyed hash, and the label of an address is its network, so that
 * Redis learns nobody's name.
 */


#include "http/ngx_http_govsvc_ban_sync_priv.h"


static void ngx_http_govsvc_ban_sync_tick(void *data);
static void ngx_http_govsvc_ban_sync_ended(void *data);
static ngx_int_t ngx_http_govsvc_ban_sync_tell(
    ngx_http_govsvc_ban_sync_t *sync, const gs_ban_entry_t *e);
static size_t ngx_http_govsvc_ban_sync_label(u_char *dst,
    const gs_ban_entry_t *e);
static void ngx_http_govsvc_ban_sync_told(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);
static void ngx_http_govsvc_ban_sync_tell_all(
    ngx_http_govsvc_ban_sync_t *sync);
static void ngx_http_govsvc_ban_sync_lift(ngx_http_govsvc_ban_lifted_t *l);
static void ngx_http_govsvc_ban_sync_lifted(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);


char *
ngx_http_govsvc_ban_sync_add(ngx_conf_t *cf, ngx_http_govsvc_ban_zone_t *zone,
    ngx_str_t *redis)
{
    ngx_http_govsvc_ban_sync_t  *sync;
    static ngx_str_t             what = ngx_string("ban");

    sync = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_ban_sync_t));
    if (sync == NULL) {
        return NGX_CONF_ERROR;
    }

    sync->zone = zone;
    sync->wanted = 1;

    sync->follow.data = sync;
    sync->follow.entry = ngx_http_govsvc_ban_sync_entry;
    sync->follow.event = ngx_http_govsvc_ban_sync_stream;
    sync->follow.tick = ngx_http_govsvc_ban_sync_tick;
    sync->follow.ended = ngx_http_govsvc_ban_sync_ended;

    sync->lifted = ngx_pcalloc(cf->pool, NGX_HTTP_GOVSVC_BAN_PENDING
                                        * sizeof(ngx_http_govsvc_ban_lifted_t));
    sync->gone = ngx_palloc(cf->pool, NGX_HTTP_GOVSVC_BAN_PENDING
                                      * sizeof(gs_ban_id_t));

    if (sync->lifted == NULL || sync->gone == NULL) {
        return NGX_CONF_ERROR;
    }

    zone->changed = ngx_http_govsvc_ban_sync_changed;
    zone->data = sync;

    return ngx_http_govsvc_follow_add(cf, &sync->follow, &what,
                                      &zone->base.name, redis);
}


ngx_int_t
ngx_http_govsvc_ban_sync_shared(ngx_http_govsvc_ban_zone_t *zone,
    void *memory, ngx_log_t *log)
{
    ngx_http_govsvc_ban_sync_t *sync = zone->data;

    sync->shared = memory;

    if (sync->shared->origin != 0) {
        return NGX_OK;
    }

    return ngx_govsvc_random(&sync->shared->origin, sizeof(uint64_t), log);
}


void
ngx_http_govsvc_ban_sync_start(ngx_http_govsvc_ban_zone_t *zone,
    ngx_log_t *log)
{
    ngx_http_govsvc_ban_sync_t  *sync;

    sync = zone->data;
    sync->follow.cursor = &sync->shared->cursor;

    (void) ngx_http_govsvc_follow_start(&sync->follow, log);
}


static void
ngx_http_govsvc_ban_sync_tick(void *data)
{
    ngx_http_govsvc_ban_sync_t *sync = data;

    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_GOVSVC_BAN_PENDING; i++) {
        if (sync->lifted[i].used && !sync->lifted[i].sent) {
            ngx_http_govsvc_ban_sync_lift(&sync->lifted[i]);
        }
    }

    if (sync->follow.leads) {
        ngx_http_govsvc_ban_sync_tell_all(sync);
        ngx_http_govsvc_ban_sync_ask(sync);
    }
}


static void
ngx_http_govsvc_ban_sync_ended(void *data)
{
    ngx_http_govsvc_ban_sync_t *sync = data;

    if (sync->asking != NULL) {
        ngx_govsvc_redis_cancel(sync->asking);
        sync->asking = NULL;
    }

    sync->telling = 0;
    sync->wanted = 1;
    sync->ready = 0;
    sync->from = 0;
}


void
ngx_http_govsvc_ban_sync_changed(ngx_http_govsvc_ban_zone_t *zone,
    const gs_ban_id_t *id, const gs_ban_t *ban, uint64_t until, void *data)
{
    ngx_http_govsvc_ban_sync_t *sync = data;

    ngx_uint_t                     i;
    gs_ban_entry_t                 e;
    ngx_http_govsvc_ban_lifted_t  *l;

    if (ban != NULL) {

        if (!ban->local
            && gs_ban_find(&zone->table, id, ngx_http_govsvc_ban_now(), &e)
               == GS_OK
            && ngx_http_govsvc_ban_sync_tell(sync, &e) != NGX_OK)
        {
            __atomic_store_n(&sync->shared->resync, 1, __ATOMIC_RELEASE);
        }

        return;
    }

    for (i = 0; i < NGX_HTTP_GOVSVC_BAN_PENDING; i++) {

        l = &sync->lifted[i];

        if (!l->used) {
            l->used = 1;
            l->sync = sync;
            l->id = *id;
            ngx_http_govsvc_ban_sync_lift(l);
            return;
        }
    }

    ngx_log_error(NGX_LOG_ERR, sync->follow.log, 0,
                  "govsvc ban: other nodes were not told that a ban in zone "
                  "\"%V\" is lifted, too many wait for redis",
                  &zone->base.name);
}


static ngx_int_t
ngx_http_govsvc_ban_sync_tell(ngx_http_govsvc_ban_sync_t *sync,
    const gs_ban_entry_t *e)
{
    u_char                  member[NGX_HTTP_GOVSVC_BAN_MEMBER];
    u_char                  until[NGX_INT64_LEN], rule[NGX_INT64_LEN];
    u_char                  tier[NGX_INT64_LEN], origin[16];
    u_char                  label[NGX_HTTP_GOVSVC_BAN_LABEL];
    ngx_str_t               add[5], log[24];
    gs_ban_id_t             id;
    ngx_govsvc_redis_cmd_t  cmds[2];

    ngx_memzero(&id, sizeof(gs_ban_id_t));
    ngx_memzero(cmds, sizeof(cmds));

    id.h[0] = e->h[0];
    id.h[1] = e->h[1];
    id.kind = e->kind;
    id.net.family = e->family;
    id.net.bits = e->bits;

    ngx_str_set(&add[0], "ZADD");
    add[1] = sync->follow.set;
    ngx_str_set(&add[2], "GT");
    add[3].data = until;
    add[3].len = ngx_sprintf(until, "%uL", e->until) - until;
    add[4].data = member;
    add[4].len = ngx_http_govsvc_ban_sync_member(member, &id);

    ngx_str_set(&log[0], "XADD");
    log[1] = sync->follow.stream;
    ngx_str_set(&log[2], "MAXLEN");
    ngx_str_set(&log[3], "~");
    ngx_str_set(&log[4], "200000");
    ngx_str_set(&log[5], "*");
    ngx_str_set(&log[6], "op");
    ngx_str_set(&log[7], "add");
    ngx_str_set(&log[8], "k");
    log[9] = add[4];
    ngx_str_set(&log[10], "exp");
    log[11] = add[3];
    ngx_str_set(&log[12], "rule");
    log[13].data = rule;
    log[13].len = ngx_sprintf(rule, "%uD", e->rule) - rule;
    ngx_str_set(&log[14], "tier");
    log[15].data = tier;
    log[15].len = ngx_sprintf(tier, "%ui", (ngx_uint_t) e->tier) - tier;
    ngx_str_set(&log[16], "label");
    log[17].data = label;
    log[17].len = ngx_http_govsvc_ban_sync_label(label, e);
    ngx_str_set(&log[18], "r");
    log[19] = ngx_govsvc_from_gs(&e->reason);
    ngx_str_set(&log[20], "by");
    log[21] = ngx_govsvc_from_gs(&e->actor);
    ngx_str_set(&log[22], "n");
    log[23].data = origin;
    log[23].len = sizeof(origin);
    gs_hex_encode(origin, &sync->shared->origin, sizeof(uint64_t));

    cmds[0].argv = add;
    cmds[0].argc = 5;
    cmds[0].key = 1;
    cmds[0].handler = ngx_http_govsvc_ban_sync_told;
    cmds[0].data = sync;

    cmds[1].argv = log;
    cmds[1].argc = 24;
    cmds[1].key = 1;

    return (ngx_govsvc_redis_multi(sync->follow.redis, cmds, 2, NULL)
            == NGX_GOVSVC_REDIS_OK)
           ? NGX_OK : NGX_ERROR;
}


/* Of an address only its network leaves this node. */

static size_t
ngx_http_govsvc_ban_sync_label(u_char *dst, const gs_ban_entry_t *e)
{
    gs_net_t  net;

    if (e->kind != GS_BAN_NET) {
        return (size_t) (ngx_cpymem(dst, e->label.data, e->label.len) - dst);
    }

    if (gs_net_parse(&net, &e->label) != GS_OK) {
        return 0;
    }

    gs_net_mask(&net, net.family == GS_NET_IPV4 ? NGX_HTTP_GOVSVC_BAN_INET
                                                : NGX_HTTP_GOVSVC_BAN_INET6);

    return gs_net_print(dst, &net);
}


static void
ngx_http_govsvc_ban_sync_told(void *data, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_govsvc_ban_sync_t *sync = data;

    if (status != NGX_GOVSVC_REDIS_OK) {
        __atomic_store_n(&sync->shared->resync, 1, __ATOMIC_RELEASE);
    }
}


/* Bit by bit, so that the worker serves requests meanwhile. */

static void
ngx_http_govsvc_ban_sync_tell_all(ngx_http_govsvc_ban_sync_t *sync)
{
    ngx_uint_t      n;
    gs_ban_entry_t  e;

    if (!ngx_govsvc_redis_ready(sync->follow.redis)) {
        sync->telling = 0;
        __atomic_store_n(&sync->shared->resync, 1, __ATOMIC_RELEASE);
        return;
    }

    if (!sync->ready) {
        return;
    }

    if (!sync->telling) {

        if (__atomic_exchange_n(&sync->shared->resync, 0, __ATOMIC_ACQ_REL)
            == 0)
        {
            return;
        }

        sync->telling = 1;
        sync->told = 0;
    }

    sync->retold = ngx_current_msec;
    sync->again = 1;

    for (n = 0; n < NGX_HTTP_GOVSVC_BAN_BATCH; n++) {

        if (gs_ban_next(&sync->zone->table, &sync->told,
                        ngx_http_govsvc_ban_now(), &e)
            != GS_OK)
        {
            sync->telling = 0;
            return;
        }

        if (!e.local && ngx_http_govsvc_ban_sync_tell(sync, &e) != NGX_OK) {
            sync->telling = 0;
            __atomic_store_n(&sync->shared->resync, 1, __ATOMIC_RELEASE);
            return;
        }
    }
}


static void
ngx_http_govsvc_ban_sync_lift(ngx_http_govsvc_ban_lifted_t *l)
{
    u_char                       member[NGX_HTTP_GOVSVC_BAN_MEMBER];
    u_char                       origin[16];
    ngx_str_t                    rem[3], log[12];
    ngx_govsvc_redis_cmd_t       cmds[2];
    ngx_http_govsvc_ban_sync_t  *sync;

    sync = l->sync;

    ngx_memzero(cmds, sizeof(cmds));

    ngx_str_set(&rem[0], "ZREM");
    rem[1] = sync->follow.set;
    rem[2].data = member;
    rem[2].len = ngx_http_govsvc_ban_sync_member(member, &l->id);

    ngx_str_set(&log[0], "XADD");
    log[1] = sync->follow.stream;
    ngx_str_set(&log[2], "MAXLEN");
    ngx_str_set(&log[3], "~");
    ngx_str_set(&log[4], "200000");
    ngx_str_set(&log[5], "*");
    ngx_str_set(&log[6], "op");
    ngx_str_set(&log[7], "del");
    ngx_str_set(&log[8], "k");
    log[9] = rem[2];
    ngx_str_set(&log[10], "n");
    log[11].data = origin;
    log[11].len = sizeof(origin);
    gs_hex_encode(origin, &sync->shared->origin, sizeof(uint64_t));

    cmds[0].argv = rem;
    cmds[0].argc = 3;
    cmds[0].key = 1;
    cmds[0].handler = ngx_http_govsvc_ban_sync_lifted;
    cmds[0].data = l;

    cmds[1].argv = log;
    cmds[1].argc = 12;
    cmds[1].key = 1;

    l->sent = (ngx_govsvc_redis_multi(sync->follow.redis, cmds, 2, NULL)
               == NGX_GOVSVC_REDIS_OK);
}


static void
ngx_http_govsvc_ban_sync_lifted(void *data, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_govsvc_ban_lifted_t *l = data;

    l->sent = 0;
    l->used = (status != NGX_GOVSVC_REDIS_OK);
}
