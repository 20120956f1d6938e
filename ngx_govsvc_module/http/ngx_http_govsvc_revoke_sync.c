
/*
 * Copyright (C) govsvc authors
 *
 * Revocations of all nodes.  The worker that revokes tells Redis at once; the
 * elected worker of a node follows the stream, and after each connect compares
 * the table with the set: what stands there is merged, what is missing there
 * is told.  So nothing is lost, whichever of them was away, wiped or behind.
 *
 * The set may hold several members of one entry: they merge to the same in
 * whatever order, and the outdated ones are removed by whoever sees them.
 */


#include "core/gs_hex.h"
#include "http/ngx_http_govsvc_token.h"
#include "http/ngx_http_govsvc_revoke_priv.h"
#include "token/gs_token_revoke_priv.h"


#define NGX_HTTP_GOVSVC_REVOKE_BATCH    128      /* told in one tick */
#define NGX_HTTP_GOVSVC_REVOKE_LOOK     16384    /* places in one tick */
#define NGX_HTTP_GOVSVC_REVOKE_PAUSE    1000     /* ms between two looks */
#define NGX_HTTP_GOVSVC_REVOKE_ASK      500      /* ms between two marks */
#define NGX_HTTP_GOVSVC_REVOKE_COMPARE  3600000  /* ms at the longest */


typedef enum {
    NGX_HTTP_GOVSVC_REVOKE_TOLD = 0,             /* all */
    NGX_HTTP_GOVSVC_REVOKE_UNTOLD,               /* some may not be */
    NGX_HTTP_GOVSVC_REVOKE_UNSURE                /* nor what Redis has */
} ngx_http_govsvc_revoke_untold_e;


typedef struct {
    ngx_http_govsvc_revoke_zone_t  *rz;
    gs_token_revoke_item_t          item;
} ngx_http_govsvc_revoke_telling_t;


static ngx_int_t ngx_http_govsvc_revoke_heard(void *data,
    const ngx_str_t *id, const ngx_str_t *fields, ngx_uint_t n);
static void ngx_http_govsvc_revoke_stream(void *data,
    ngx_govsvc_redis_stream_event_e event);
static void ngx_http_govsvc_revoke_tick(void *data);
static void ngx_http_govsvc_revoke_ended(void *data);
static void ngx_http_govsvc_revoke_told(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);
static void ngx_http_govsvc_revoke_state(ngx_http_govsvc_revoke_zone_t *rz,
    ngx_govsvc_redis_status_e status);
static void ngx_http_govsvc_revoke_apply(ngx_http_govsvc_revoke_zone_t *rz,
    const ngx_str_t *text);
static void ngx_http_govsvc_revoke_remove(ngx_http_govsvc_revoke_zone_t *rz,
    const ngx_str_t *text);
static void ngx_http_govsvc_revoke_ask_mark(
    ngx_http_govsvc_revoke_zone_t *rz);
static void ngx_http_govsvc_revoke_got_mark(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);
static void ngx_http_govsvc_revoke_set_mark(
    ngx_http_govsvc_revoke_zone_t *rz);
static void ngx_http_govsvc_revoke_compare(
    ngx_http_govsvc_revoke_zone_t *rz);
static void ngx_http_govsvc_revoke_compared(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);
static void ngx_http_govsvc_revoke_sweep(ngx_http_govsvc_revoke_zone_t *rz);
static void ngx_http_govsvc_revoke_want(ngx_http_govsvc_revoke_zone_t *rz,
    ngx_uint_t untold);


char *
ngx_http_govsvc_revoke_sync_add(ngx_conf_t *cf,
    ngx_http_govsvc_revoke_zone_t *rz, ngx_str_t *redis)
{
    static ngx_str_t  what = ngx_string("rev");

    rz->follow.data = rz;
    rz->follow.entry = ngx_http_govsvc_revoke_heard;
    rz->follow.event = ngx_http_govsvc_revoke_stream;
    rz->follow.tick = ngx_http_govsvc_revoke_tick;
    rz->follow.ended = ngx_http_govsvc_revoke_ended;

    return ngx_http_govsvc_follow_add(cf, &rz->follow, &what,
                                      &rz->zone->shm.name, redis);
}


void
ngx_http_govsvc_revoke_sync_start(ngx_http_govsvc_revoke_zone_t *rz,
    ngx_log_t *log)
{
    rz->follow.cursor = &rz->table.hdr->cursor;

    (void) ngx_http_govsvc_follow_start(&rz->follow, log);
}


ngx_int_t
ngx_http_govsvc_revoke_tell(ngx_http_govsvc_revoke_zone_t *rz,
    const gs_token_revoke_item_t *item, const gs_token_revoke_item_t *was)
{
    char                               text[GS_TOKEN_REVOKE_LINE];
    char                               old[GS_TOKEN_REVOKE_LINE];
    u_char                             end[NGX_INT64_LEN];
    ngx_str_t                          add[4], rem[3], log[8];
    ngx_uint_t                         n;
    ngx_govsvc_redis_cmd_t             cmds[3];
    ngx_http_govsvc_revoke_telling_t  *telling;

    /* whoever dies on the way: the elected worker looks whether it arrived */

    ngx_http_govsvc_revoke_want(rz, NGX_HTTP_GOVSVC_REVOKE_UNTOLD);

    telling = ngx_alloc(sizeof(ngx_http_govsvc_revoke_telling_t),
                        rz->follow.log);
    if (telling == NULL) {
        return NGX_ERROR;
    }

    telling->rz = rz;
    telling->item = *item;

    ngx_memzero(cmds, sizeof(cmds));

    ngx_str_set(&add[0], "ZADD");
    add[1] = rz->follow.set;
    add[2].data = end;
    add[2].len = ngx_sprintf(end, "%L", gs_token_revoke_end(item) * 1000)
                 - end;
    add[3].data = (u_char *) text;
    add[3].len = gs_token_revoke_print(item, text);

    ngx_str_set(&log[0], "XADD");
    log[1] = rz->follow.stream;
    ngx_str_set(&log[2], "MAXLEN");
    ngx_str_set(&log[3], "~");
    ngx_str_set(&log[4], "200000");
    ngx_str_set(&log[5], "*");
    ngx_str_set(&log[6], "e");
    log[7] = add[3];

    cmds[0].argv = add;
    cmds[0].argc = 4;
    cmds[0].key = 1;
    cmds[0].handler = ngx_http_govsvc_revoke_told;
    cmds[0].data = telling;

    cmds[1].argv = log;
    cmds[1].argc = 8;
    cmds[1].key = 1;
    n = 2;

    if (was != NULL && !gs_token_revoke_same(was, item)) {
        ngx_str_set(&rem[0], "ZREM");
        rem[1] = rz->follow.set;
        rem[2].data = (u_char *) old;
        rem[2].len = gs_token_revoke_print(was, old);

        cmds[2].argv = rem;
        cmds[2].argc = 3;
        cmds[2].key = 1;
        n = 3;
    }

    if (ngx_govsvc_redis_multi(rz->follow.redis, cmds, n, NULL)
        == NGX_GOVSVC_REDIS_OK)
    {
        return NGX_OK;
    }

    ngx_free(telling);
    ngx_http_govsvc_revoke_want(rz, NGX_HTTP_GOVSVC_REVOKE_UNSURE);

    return NGX_ERROR;
}


static void
ngx_http_govsvc_revoke_told(void *data, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_govsvc_revoke_telling_t *telling = data;

    ngx_http_govsvc_revoke_zone_t  *rz;

    rz = telling->rz;

    ngx_http_govsvc_revoke_state(rz, status);

    if (status == NGX_GOVSVC_REDIS_OK) {
        gs_token_revoke_told(&rz->table, &telling->item,
                             (int64_t) ngx_time());
        (void) __atomic_fetch_add(&rz->table.hdr->tells, 1, __ATOMIC_RELAXED);

    } else {
        ngx_http_govsvc_revoke_want(rz, NGX_HTTP_GOVSVC_REVOKE_UNSURE);
        rz->sweep = ngx_current_msec + NGX_HTTP_GOVSVC_REVOKE_PAUSE;
    }

    ngx_free(telling);
}


static void
ngx_http_govsvc_revoke_state(ngx_http_govsvc_revoke_zone_t *rz,
    ngx_govsvc_redis_status_e status)
{
    if (status != NGX_GOVSVC_REDIS_OK && !rz->refused) {
        ngx_log_error(NGX_LOG_ERR, rz->follow.log, 0,
                      "govsvc token: redis \"%V\" took no revocation: %s, "
                      "other nodes are told when it does",
                      ngx_govsvc_redis_name(rz->follow.redis),
                      ngx_govsvc_redis_status_text(status));

    } else if (status == NGX_GOVSVC_REDIS_OK && rz->refused) {
        ngx_log_error(NGX_LOG_NOTICE, rz->follow.log, 0,
                      "govsvc token: redis \"%V\" takes revocations again",
                      ngx_govsvc_redis_name(rz->follow.redis));
    }

    rz->refused = (status != NGX_GOVSVC_REDIS_OK);
}


/* What cannot be read is passed over: it is of a later version, or of none. */

static ngx_int_t
ngx_http_govsvc_revoke_heard(void *data, const ngx_str_t *id,
    const ngx_str_t *fields, ngx_uint_t n)
{
    ngx_http_govsvc_revoke_zone_t *rz = data;

    ngx_uint_t  i;

    for (i = 0; i + 1 < n; i += 2) {
        if (fields[i].len == 1 && fields[i].data[0] == 'e') {
            ngx_http_govsvc_revoke_apply(rz, &fields[i + 1]);
        }
    }

    return NGX_OK;
}


static void
ngx_http_govsvc_revoke_apply(ngx_http_govsvc_revoke_zone_t *rz,
    const ngx_str_t *text)
{
    gs_rc_t                 rc;
    int64_t                 now;
    gs_str_t                s;
    gs_token_revoke_item_t  item, is;

    now = (int64_t) ngx_time();
    s = ngx_govsvc_to_gs(text);

    if (gs_token_revoke_parse(&s, &item) != GS_OK) {
        return;
    }

    rc = gs_token_revoke_merge(&rz->table, &item, now, &is);

    if (rc == GS_BUSY && !rz->full) {
        rz->full = 1;
        ngx_log_error(NGX_LOG_CRIT, rz->follow.log, 0,
                      "govsvc token: zone \"%V\" is full, what other nodes "
                      "revoke is not revoked here", &rz->zone->shm.name);
    }

    if (rc != GS_OK && rc != GS_DECLINED) {
        return;
    }

    rz->full = 0;

    if (rc == GS_OK) {
        (void) __atomic_fetch_add(&rz->table.hdr->hears, 1, __ATOMIC_RELAXED);
    }

    if (gs_token_revoke_same(&item, &is)) {
        gs_token_revoke_told(&rz->table, &item, now);
        return;
    }

    /* this node knows better */

    ngx_http_govsvc_revoke_remove(rz, text);
    ngx_http_govsvc_revoke_want(rz, NGX_HTTP_GOVSVC_REVOKE_UNTOLD);
}


static void
ngx_http_govsvc_revoke_remove(ngx_http_govsvc_revoke_zone_t *rz,
    const ngx_str_t *text)
{
    ngx_str_t               argv[3];
    ngx_govsvc_redis_cmd_t  cmd;

    ngx_memzero(&cmd, sizeof(ngx_govsvc_redis_cmd_t));

    ngx_str_set(&argv[0], "ZREM");
    argv[1] = rz->follow.set;
    argv[2] = *text;

    cmd.argv = argv;
    cmd.argc = 3;
    cmd.key = 1;

    (void) ngx_govsvc_redis_send(rz->follow.redis, &cmd, NULL);
}


static void
ngx_http_govsvc_revoke_stream(void *data,
    ngx_govsvc_redis_stream_event_e event)
{
    ngx_http_govsvc_revoke_zone_t *rz = data;

    if (event == NGX_GOVSVC_REDIS_STREAM_GAP) {
        return;                            /* READY compares everything */
    }

    rz->ready = (event == NGX_GOVSVC_REDIS_STREAM_READY);
    rz->wanted = 1;
    rz->sure = 0;
    rz->sweeping = 0;

    __atomic_store_n(&rz->table.hdr->follows, rz->ready, __ATOMIC_RELAXED);
}


static void
ngx_http_govsvc_revoke_ended(void *data)
{
    ngx_http_govsvc_revoke_zone_t *rz = data;

    if (rz->asking != NULL) {
        ngx_govsvc_redis_cancel(rz->asking);
        rz->asking = NULL;
    }

    if (rz->marking != NULL) {
        ngx_govsvc_redis_cancel(rz->marking);
        rz->marking = NULL;
    }

    rz->ready = 0;
    rz->sweeping = 0;
    rz->comparing = 0;

    __atomic_store_n(&rz->table.hdr->follows, 0, __ATOMIC_RELAXED);
}


static void
ngx_http_govsvc_revoke_tick(void *data)
{
    ngx_http_govsvc_revoke_zone_t *rz = data;

    if (!rz->ready || !ngx_govsvc_redis_ready(rz->follow.redis)) {
        return;
    }

    ngx_http_govsvc_revoke_ask_mark(rz);

    if ((__atomic_load_n(&rz->table.hdr->untold, __ATOMIC_ACQUIRE)
         == NGX_HTTP_GOVSVC_REVOKE_UNSURE
         && (ngx_msec_int_t) (ngx_current_msec - rz->sweep) >= 0)
        || (ngx_msec_int_t) (ngx_current_msec - rz->compare) >= 0)
    {
        __atomic_store_n(&rz->table.hdr->untold,
                         NGX_HTTP_GOVSVC_REVOKE_UNTOLD, __ATOMIC_RELEASE);
        rz->wanted = 1;
    }

    if (rz->wanted) {
        if (rz->asking == NULL) {
            ngx_http_govsvc_revoke_compare(rz);
        }

        return;
    }

    ngx_http_govsvc_revoke_sweep(rz);
}


/*
 * A random text that is there as long as the set is: when it is gone, or is
 * another one, Redis was wiped, or is one that has an older copy.
 */

static void
ngx_http_govsvc_revoke_ask_mark(ngx_http_govsvc_revoke_zone_t *rz)
{
    ngx_str_t               argv[2];
    ngx_govsvc_redis_cmd_t  cmd;

    if (rz->marking != NULL
        || (ngx_msec_int_t) (ngx_current_msec - rz->asked) < 0)
    {
        return;
    }

    rz->asked = ngx_current_msec + NGX_HTTP_GOVSVC_REVOKE_ASK;

    ngx_memzero(&cmd, sizeof(ngx_govsvc_redis_cmd_t));

    ngx_str_set(&argv[0], "GET");
    argv[1] = rz->follow.mark;

    cmd.argv = argv;
    cmd.argc = 2;
    cmd.key = 1;
    cmd.handler = ngx_http_govsvc_revoke_got_mark;
    cmd.data = rz;

    if (ngx_govsvc_redis_send(rz->follow.redis, &cmd, &rz->marking)
        != NGX_GOVSVC_REDIS_OK)
    {
        rz->marking = NULL;
    }
}


static void
ngx_http_govsvc_revoke_got_mark(void *data, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_govsvc_revoke_zone_t *rz = data;

    uint64_t                       mark;
    ngx_str_t                      text;
    static const gs_siphash_key_t  none = { 0, 0 };

    rz->marking = NULL;

    if (status != NGX_GOVSVC_REDIS_OK) {
        return;
    }

    if (ngx_govsvc_redis_is_nil(reply)) {
        ngx_http_govsvc_revoke_set_mark(rz);
        return;
    }

    if (ngx_govsvc_redis_text(reply, &text) != NGX_OK) {
        return;
    }

    mark = gs_siphash(&none, text.data, text.len) | 1;

    if (rz->table.hdr->mark != 0 && mark != rz->table.hdr->mark) {
        rz->wanted = 1;
        rz->sure = 0;
    }

    rz->table.hdr->mark = mark;
}


/* Where another node is quicker, its mark is read the next time. */

static void
ngx_http_govsvc_revoke_set_mark(ngx_http_govsvc_revoke_zone_t *rz)
{
    u_char                  hex[32];
    uint64_t                random[2];
    ngx_str_t               argv[4];
    ngx_govsvc_redis_cmd_t  cmd;

    if (ngx_govsvc_random(random, sizeof(random), rz->follow.log) != NGX_OK) {
        return;
    }

    gs_hex_encode(hex, random, sizeof(random));

    ngx_memzero(&cmd, sizeof(ngx_govsvc_redis_cmd_t));

    ngx_str_set(&argv[0], "SET");
    argv[1] = rz->follow.mark;
    argv[2].data = hex;
    argv[2].len = sizeof(hex);
    ngx_str_set(&argv[3], "NX");

    cmd.argv = argv;
    cmd.argc = 4;
    cmd.key = 1;

    (void) ngx_govsvc_redis_send(rz->follow.redis, &cmd, NULL);

    rz->asked = ngx_current_msec;
}


/*
 * All of the set.  Where Redis may have lost something, what this node knows
 * to be told does not count, but for what is found there.
 */

static void
ngx_http_govsvc_revoke_compare(ngx_http_govsvc_revoke_zone_t *rz)
{
    u_char                  cursor[NGX_INT64_LEN];
    ngx_str_t               argv[5];
    ngx_govsvc_redis_cmd_t  cmd;

    if (!rz->comparing) {
        rz->comparing = 1;
        rz->scan = 0;
        rz->compare = ngx_current_msec + NGX_HTTP_GOVSVC_REVOKE_COMPARE;

        if (!rz->sure) {
            rz->sure = 1;
            gs_token_revoke_forgotten(&rz->table);
        }
    }

    ngx_memzero(&cmd, sizeof(ngx_govsvc_redis_cmd_t));

    ngx_str_set(&argv[0], "ZSCAN");
    argv[1] = rz->follow.set;
    argv[2].data = cursor;
    argv[2].len = ngx_sprintf(cursor, "%uL", rz->scan) - cursor;
    ngx_str_set(&argv[3], "COUNT");
    ngx_str_set(&argv[4], "500");

    cmd.argv = argv;
    cmd.argc = 5;
    cmd.key = 1;
    cmd.handler = ngx_http_govsvc_revoke_compared;
    cmd.data = rz;

    if (ngx_govsvc_redis_send(rz->follow.redis, &cmd, &rz->asking)
        != NGX_GOVSVC_REDIS_OK)
    {
        rz->asking = NULL;
        rz->comparing = 0;
    }
}


static void
ngx_http_govsvc_revoke_compared(void *data, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_govsvc_revoke_zone_t *rz = data;

    gs_str_t                   s;
    ngx_str_t                  text;
    ngx_uint_t                 i, n;
    ngx_govsvc_redis_reply_t  *list;

    rz->asking = NULL;

    list = ngx_govsvc_redis_at(reply, 1);

    if (status != NGX_GOVSVC_REDIS_OK
        || ngx_govsvc_redis_text(ngx_govsvc_redis_at(reply, 0), &text)
           != NGX_OK)
    {
        rz->comparing = 0;
        return;
    }

    s = ngx_govsvc_to_gs(&text);

    if (gs_parse_u64(&s, &rz->scan) != GS_OK) {
        rz->comparing = 0;
        return;
    }

    n = ngx_govsvc_redis_count(list);

    for (i = 0; i + 1 < n; i += 2) {
        if (ngx_govsvc_redis_text(ngx_govsvc_redis_at(list, i), &text)
            == NGX_OK)
        {
            ngx_http_govsvc_revoke_apply(rz, &text);
        }
    }

    if (rz->scan != 0) {
        ngx_http_govsvc_revoke_compare(rz);
        return;
    }

    rz->comparing = 0;

    /* lost meanwhile: once more */

    rz->wanted = !rz->sure;
}


/* Looks for what nobody was told, from time to time and bit by bit. */

static void
ngx_http_govsvc_revoke_sweep(ngx_http_govsvc_revoke_zone_t *rz)
{
    int64_t                 now;
    uint64_t                first;
    ngx_uint_t              n;
    gs_token_revoke_hdr_t  *hdr;
    gs_token_revoke_item_t  item;

    hdr = rz->table.hdr;

    if (!rz->sweeping) {

        if ((ngx_msec_int_t) (ngx_current_msec - rz->sweep) < 0
            || __atomic_exchange_n(&hdr->untold, NGX_HTTP_GOVSVC_REVOKE_TOLD,
                                   __ATOMIC_ACQ_REL)
               == NGX_HTTP_GOVSVC_REVOKE_TOLD)
        {
            return;
        }

        rz->sweeping = 1;
        rz->place = 0;
    }

    now = (int64_t) ngx_time();
    first = rz->place;

    for (n = 0; n < NGX_HTTP_GOVSVC_REVOKE_BATCH; n++) {

        if (rz->place - first >= NGX_HTTP_GOVSVC_REVOKE_LOOK
            || gs_token_revoke_next(&rz->table, &rz->place,
                                    NGX_HTTP_GOVSVC_REVOKE_LOOK
                                    - (rz->place - first),
                                    1, 1, now, &item)
               != GS_OK)
        {
            break;
        }

        if (ngx_http_govsvc_revoke_tell(rz, &item, NULL) != NGX_OK) {
            rz->sweeping = 0;
            rz->sweep = ngx_current_msec + NGX_HTTP_GOVSVC_REVOKE_PAUSE;
            return;
        }
    }

    if (rz->place >= hdr->slots) {
        rz->sweeping = 0;
        rz->sweep = ngx_current_msec + NGX_HTTP_GOVSVC_REVOKE_PAUSE;
    }
}


/* The greater of what is wanted already and this. */

static void
ngx_http_govsvc_revoke_want(ngx_http_govsvc_revoke_zone_t *rz,
    ngx_uint_t untold)
{
    uint64_t  old;

    old = __atomic_load_n(&rz->table.hdr->untold, __ATOMIC_ACQUIRE);

    while (old < untold
           && !__atomic_compare_exchange_n(&rz->table.hdr->untold, &old,
                                           untold, 0, __ATOMIC_ACQ_REL,
                                           __ATOMIC_ACQUIRE))
    {
        /* void */
    }
}
