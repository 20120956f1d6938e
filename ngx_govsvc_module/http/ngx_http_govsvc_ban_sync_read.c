
/*
 * Copyright (C) govsvc authors
 *
 * Bans of all nodes: what the elected worker reads of the stream and of the
 * set.  Both may hold any bytes.
 */


#include "http/ngx_http_govsvc_ban_sync_priv.h"


static ngx_int_t ngx_http_govsvc_ban_sync_parse(gs_ban_id_t *id,
    const ngx_str_t *text);
static void ngx_http_govsvc_ban_sync_apply(ngx_http_govsvc_ban_sync_t *sync,
    const gs_ban_id_t *id, gs_ban_t *ban);
static void ngx_http_govsvc_ban_sync_remove(ngx_http_govsvc_ban_sync_t *sync,
    const gs_ban_id_t *id);
static void ngx_http_govsvc_ban_sync_snapshot(
    ngx_http_govsvc_ban_sync_t *sync);
static void ngx_http_govsvc_ban_sync_got(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);


/* "net:HASH:4:24", "subject:HASH". */

size_t
ngx_http_govsvc_ban_sync_member(u_char *dst, const gs_ban_id_t *id)
{
    u_char    *p;
    uint64_t   h[2];

    /* as in a copy of an entry: the first bit always stands */

    h[0] = id->h[0] | 1;
    h[1] = id->h[1];

    p = ngx_sprintf(dst, "%s:", gs_ban_kinds[id->kind]);
    gs_hex_encode(p, h, sizeof(h));
    p += 2 * sizeof(h);

    if (id->kind == GS_BAN_NET) {
        p = ngx_sprintf(p, ":%c:%ui",
                        id->net.family == GS_NET_IPV6 ? '6' : '4',
                        (ngx_uint_t) id->net.bits);
    }

    return p - dst;
}


static ngx_int_t
ngx_http_govsvc_ban_sync_parse(gs_ban_id_t *id, const ngx_str_t *text)
{
    size_t      len, hash;
    uint64_t    bits;
    gs_str_t    s;
    ngx_uint_t  i;

    ngx_memzero(id, sizeof(gs_ban_id_t));
    len = 0;
    hash = 2 * sizeof(id->h);

    for (i = 0; i < GS_BAN_KINDS; i++) {
        len = ngx_strlen(gs_ban_kinds[i]);

        if (text->len > len && text->data[len] == ':'
            && ngx_memcmp(text->data, gs_ban_kinds[i], len) == 0)
        {
            break;
        }
    }

    if (i == GS_BAN_KINDS || text->len < len + 1 + hash) {
        return NGX_ERROR;
    }

    id->kind = (gs_ban_kind_e) i;
    s = gs_str_make(text->data + len + 1, hash);

    if (gs_hex_decode((gs_uchar_t *) id->h, &s) != GS_OK) {
        return NGX_ERROR;
    }

    s = gs_str_make(s.data + hash, text->len - len - 1 - hash);

    if (id->kind != GS_BAN_NET) {
        return (s.len == 0) ? NGX_OK : NGX_ERROR;
    }

    if (s.len < 4 || s.data[0] != ':' || s.data[2] != ':'
        || (s.data[1] != '4' && s.data[1] != '6'))
    {
        return NGX_ERROR;
    }

    id->net.family = (s.data[1] == '6') ? GS_NET_IPV6 : GS_NET_IPV4;
    s = gs_str_make(s.data + 3, s.len - 3);

    if (gs_parse_u64(&s, &bits) != GS_OK || bits == 0
        || bits > (id->net.family == GS_NET_IPV6 ? 128 : 32))
    {
        return NGX_ERROR;
    }

    id->net.bits = (unsigned) bits;

    return NGX_OK;
}


/* What cannot be read is passed over: it is of a later version, or of none. */

ngx_int_t
ngx_http_govsvc_ban_sync_entry(void *data, const ngx_str_t *id,
    const ngx_str_t *fields, ngx_uint_t n)
{
    ngx_http_govsvc_ban_sync_t *sync = data;

    u_char        origin[16];
    gs_ban_t      ban;
    uint64_t      value;
    gs_str_t      v;
    ngx_int_t     known;
    ngx_uint_t    i, add, del, own;
    gs_ban_id_t   key;

    ngx_memzero(&ban, sizeof(gs_ban_t));
    gs_hex_encode(origin, &sync->shared->origin, sizeof(uint64_t));

    ngx_memzero(&key, sizeof(gs_ban_id_t));
    known = NGX_ERROR;
    add = 0;
    del = 0;
    own = 0;

    for (i = 0; i + 1 < n; i += 2) {

        v = ngx_govsvc_to_gs(&fields[i + 1]);

#define ngx_http_govsvc_ban_field(name)                                       \
        (fields[i].len == sizeof(name) - 1                                    \
         && ngx_memcmp(fields[i].data, name, sizeof(name) - 1) == 0)

        if (ngx_http_govsvc_ban_field("op")) {
            add = gs_str_eq_text(&v, "add");
            del = gs_str_eq_text(&v, "del");

        } else if (ngx_http_govsvc_ban_field("k")) {
            known = ngx_http_govsvc_ban_sync_parse(&key, &fields[i + 1]);

        } else if (ngx_http_govsvc_ban_field("exp")) {
            if (gs_parse_u64(&v, &ban.until) != GS_OK) {
                ban.until = 0;
            }

        } else if (ngx_http_govsvc_ban_field("rule")) {
            ban.rule = (gs_parse_u64(&v, &value) == GS_OK)
                       ? (uint32_t) value : 0;

        } else if (ngx_http_govsvc_ban_field("tier")) {
            ban.tier = (gs_parse_u64(&v, &value) == GS_OK
                        && value < GS_BAN_TIERS)
                       ? (unsigned) value : 0;

        } else if (ngx_http_govsvc_ban_field("label")) {
            ban.label = v;

        } else if (ngx_http_govsvc_ban_field("r")) {
            ban.reason = v;

        } else if (ngx_http_govsvc_ban_field("by")) {
            ban.actor = v;

        } else if (ngx_http_govsvc_ban_field("n")) {
            own = (v.len == sizeof(origin)
                   && ngx_memcmp(v.data, origin, sizeof(origin)) == 0);
        }
    }

    /* what this node told is older than what it did since */

    if (known == NGX_OK && !own) {

        if (add) {
            ngx_http_govsvc_ban_sync_apply(sync, &key, &ban);

        } else if (del) {
            ngx_http_govsvc_ban_sync_remove(sync, &key);
        }
    }

    if (known == NGX_OK && del && sync->asking != NULL) {
        if (sync->ngone < NGX_HTTP_GOVSVC_BAN_PENDING) {
            sync->gone[sync->ngone] = key;
        }

        sync->ngone++;
    }

    return NGX_OK;
}


static void
ngx_http_govsvc_ban_sync_apply(ngx_http_govsvc_ban_sync_t *sync,
    const gs_ban_id_t *id, gs_ban_t *ban)
{
    uint64_t  now;

    now = ngx_http_govsvc_ban_now();

    if (ban->until > now + NGX_HTTP_GOVSVC_BAN_MAX_TIME) {
        ban->until = now + NGX_HTTP_GOVSVC_BAN_MAX_TIME;
    }

    if (ban->until <= now) {
        return;
    }

    if (gs_ban_add(&sync->zone->table, id, ban, now, NULL, NULL) == GS_BUSY) {
        ngx_log_error(NGX_LOG_ERR, sync->follow.log, 0,
                      "govsvc ban: zone \"%V\" is full, a ban of another node "
                      "was not set", &sync->zone->base.name);
    }
}


static void
ngx_http_govsvc_ban_sync_remove(ngx_http_govsvc_ban_sync_t *sync,
    const gs_ban_id_t *id)
{
    if (sync->zone->lifted != NULL) {
        sync->zone->lifted(sync->zone, id, sync->zone->lifted_data);
    }

    if (gs_ban_lift(&sync->zone->table, id, ngx_http_govsvc_ban_now())
        == GS_OK)
    {
        ngx_log_error(NGX_LOG_NOTICE, sync->follow.log, 0,
                      "govsvc ban: ban of a %s lifted in zone \"%V\" by "
                      "another node", gs_ban_kinds[id->kind],
                      &sync->zone->base.name);

        /* it may have crossed the same ban that was told again */

        if (sync->again
            && ngx_current_msec - sync->retold < NGX_HTTP_GOVSVC_BAN_CROSSED)
        {
            ngx_http_govsvc_ban_sync_changed(sync->zone, id, NULL, 0, sync);
        }
    }
}


/*
 * READY: all that was lifted while this node was away has been handed over,
 * so what is asked for and told now is the truth.
 */

void
ngx_http_govsvc_ban_sync_stream(void *data,
    ngx_govsvc_redis_stream_event_e event)
{
    ngx_http_govsvc_ban_sync_t *sync = data;

    switch (event) {

    case NGX_GOVSVC_REDIS_STREAM_GAP:
        sync->wanted = 1;
        __atomic_store_n(&sync->shared->resync, 1, __ATOMIC_RELEASE);
        break;

    case NGX_GOVSVC_REDIS_STREAM_READY:
        sync->ready = 1;

        if (sync->wanted) {
            sync->from = ngx_http_govsvc_ban_now();
            sync->offset = 0;
            ngx_http_govsvc_ban_sync_snapshot(sync);
        }

        break;

    default:                               /* LOST */
        sync->ready = 0;
        break;
    }
}


static void
ngx_http_govsvc_ban_sync_snapshot(ngx_http_govsvc_ban_sync_t *sync)
{
    u_char                  from[NGX_INT64_LEN], offset[NGX_INT64_LEN];
    ngx_str_t               argv[9];
    ngx_govsvc_redis_cmd_t  cmd;

    if (sync->asking != NULL) {
        return;
    }

    ngx_memzero(&cmd, sizeof(ngx_govsvc_redis_cmd_t));

    ngx_str_set(&argv[0], "ZRANGE");
    argv[1] = sync->follow.set;
    argv[2].data = from;
    argv[2].len = ngx_sprintf(from, "%uL", sync->from) - from;
    ngx_str_set(&argv[3], "+inf");
    ngx_str_set(&argv[4], "BYSCORE");
    ngx_str_set(&argv[5], "LIMIT");
    argv[6].data = offset;
    argv[6].len = ngx_sprintf(offset, "%uL", sync->offset) - offset;
    ngx_str_set(&argv[7], ngx_value(NGX_HTTP_GOVSVC_BAN_SNAP));
    ngx_str_set(&argv[8], "WITHSCORES");

    cmd.argv = argv;
    cmd.argc = 9;
    cmd.key = 1;
    cmd.handler = ngx_http_govsvc_ban_sync_got;
    cmd.data = sync;

    sync->ngone = 0;

    if (ngx_govsvc_redis_send(sync->follow.redis, &cmd, &sync->asking)
        != NGX_GOVSVC_REDIS_OK)
    {
        sync->asking = NULL;
    }
}


/*
 * The next part begins at the last time of this one, so that nothing is
 * missed where an entry before it goes away; parts of one time are counted.
 */

static void
ngx_http_govsvc_ban_sync_got(void *data, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_govsvc_ban_sync_t *sync = data;

    double        score;
    gs_ban_t      ban;
    ngx_str_t     member;
    ngx_uint_t    i, k, n;
    gs_ban_id_t   id;

    sync->asking = NULL;

    if (status != NGX_GOVSVC_REDIS_OK) {
        return;
    }

    n = ngx_govsvc_redis_count(reply) / 2;

    if (sync->ngone > NGX_HTTP_GOVSVC_BAN_PENDING) {

        /* too much was lifted meanwhile to tell what of this is true */

        ngx_http_govsvc_ban_sync_snapshot(sync);
        return;
    }

    ngx_memzero(&ban, sizeof(gs_ban_t));
    score = 0;

    for (i = 0; i < n; i++) {

        if (ngx_govsvc_redis_text(ngx_govsvc_redis_at(reply, 2 * i), &member)
            != NGX_OK
            || ngx_govsvc_redis_double(ngx_govsvc_redis_at(reply, 2 * i + 1),
                                       &score)
               != NGX_OK
            || score < 0 || score > 9e15
            || ngx_http_govsvc_ban_sync_parse(&id, &member) != NGX_OK)
        {
            continue;
        }

        for (k = 0; k < sync->ngone; k++) {
            if (sync->gone[k].h[0] == id.h[0] && sync->gone[k].h[1] == id.h[1])
            {
                break;
            }
        }

        if (k == sync->ngone) {
            ban.until = (uint64_t) score;
            ban.actor = gs_str_text("cluster");
            ngx_http_govsvc_ban_sync_apply(sync, &id, &ban);
        }
    }

    if (n < NGX_HTTP_GOVSVC_BAN_SNAP) {
        sync->wanted = 0;
        return;
    }

    if ((uint64_t) score > sync->from) {
        sync->from = (uint64_t) score;
        sync->offset = 0;

    } else {
        sync->offset += n;
    }

    ngx_http_govsvc_ban_sync_snapshot(sync);
}


/* For a snapshot that was asked for in vain: once more. */

void
ngx_http_govsvc_ban_sync_ask(ngx_http_govsvc_ban_sync_t *sync)
{
    if (sync->wanted && sync->from != 0 && sync->asking == NULL
        && ngx_govsvc_redis_ready(sync->follow.redis))
    {
        ngx_http_govsvc_ban_sync_snapshot(sync);
    }
}
