
/*
 * Copyright (C) govsvc authors
 *
 * What nodes share through a Redis: the elected worker, its place in the
 * stream, and the end of what has ended.
 */


#include "http/ngx_http_govsvc_follow.h"

#include <openssl/sha.h>


#define NGX_HTTP_GOVSVC_FOLLOW_TICK  100      /* ms */
#define NGX_HTTP_GOVSVC_FOLLOW_GC    60000    /* ms */
#define NGX_HTTP_GOVSVC_FOLLOW_SEQ   20       /* bits of a cursor */


static void ngx_http_govsvc_follow_lead(void *data, ngx_uint_t leads);
static void ngx_http_govsvc_follow_event(ngx_event_t *ev);
static void ngx_http_govsvc_follow_open(ngx_http_govsvc_follow_t *f);
static ngx_int_t ngx_http_govsvc_follow_entry(void *data, const ngx_str_t *id,
    const ngx_str_t *fields, ngx_uint_t n);
static void ngx_http_govsvc_follow_told(void *data,
    ngx_govsvc_redis_stream_event_e event);
static void ngx_http_govsvc_follow_clean(ngx_http_govsvc_follow_t *f);


char *
ngx_http_govsvc_follow_add(ngx_conf_t *cf, ngx_http_govsvc_follow_t *f,
    ngx_str_t *what, ngx_str_t *name, ngx_str_t *redis)
{
    u_char  *p;

    f->what = *what;
    f->name = *name;
    f->redis = ngx_http_govsvc_redis(cf, redis);

    if (f->redis == NULL) {
        return NGX_CONF_ERROR;
    }

    p = ngx_pnalloc(cf->pool, NGX_GOVSVC_LEAD_NAME);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    /* a name too long for a duty is told apart by its checksum */

    f->duty.data = p;
    f->duty.len = ngx_snprintf(p, NGX_GOVSVC_LEAD_NAME, "%V:%08xD:%V", what,
                               ngx_crc32_short(name->data, name->len), name)
                  - p;

    f->lead = ngx_govsvc_lead_add(cf, &f->duty, ngx_http_govsvc_follow_lead,
                                  f);

    return (f->lead != NULL) ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_http_govsvc_follow_secret(ngx_conf_t *cf, const char *kind,
    ngx_str_t *name, ngx_str_t *redis, ngx_str_t *secret,
    u_char key[NGX_HTTP_GOVSVC_FOLLOW_KEY])
{
    u_char     md[SHA256_DIGEST_LENGTH];
    ngx_str_t  path, text;

    if (redis->len == 0 || secret->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"redis=NAME\" and \"secret=FILE\" of %s zone "
                           "\"%V\" need one another", kind, name);
        return NGX_CONF_ERROR;
    }

    path = *secret;

    if (ngx_govsvc_conf_read_file(cf, &path, &text, 4096, 1) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (text.len < 16) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the secret in \"%V\" is shorter than 16 bytes",
                           &path);
        return NGX_CONF_ERROR;
    }

    if (SHA256(text.data, text.len, md) == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memcpy(key, md, NGX_HTTP_GOVSVC_FOLLOW_KEY);
    OPENSSL_cleanse(md, sizeof(md));
    OPENSSL_cleanse(text.data, text.len);

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_govsvc_follow_start(ngx_http_govsvc_follow_t *f, ngx_log_t *log)
{
    u_char           *p;
    size_t            size;
    const ngx_str_t  *prefix;

    prefix = ngx_govsvc_redis_prefix(f->redis);
    f->log = log;

    size = prefix->len + f->what.len + f->name.len + sizeof("{:}:mark") - 1;

    p = ngx_pnalloc(ngx_cycle->pool, 3 * size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    f->set.data = p;
    p = ngx_sprintf(p, "%V{%V:%V}:set", prefix, &f->what, &f->name);
    f->set.len = p - f->set.data;

    f->stream.data = p;
    p = ngx_sprintf(p, "%V{%V:%V}:log", prefix, &f->what, &f->name);
    f->stream.len = p - f->stream.data;

    f->mark.data = p;
    p = ngx_sprintf(p, "%V{%V:%V}:mark", prefix, &f->what, &f->name);
    f->mark.len = p - f->mark.data;

    f->event_timer.handler = ngx_http_govsvc_follow_event;
    f->event_timer.data = &f->dummy;
    f->event_timer.log = log;
    f->event_timer.cancelable = 1;

    f->dummy.data = f;
    f->dummy.fd = (ngx_socket_t) -1;

    ngx_add_timer(&f->event_timer, NGX_HTTP_GOVSVC_FOLLOW_TICK);

    return NGX_OK;
}


static void
ngx_http_govsvc_follow_lead(void *data, ngx_uint_t leads)
{
    ngx_http_govsvc_follow_t *f = data;

    f->leads = leads;

    if (leads) {
        return;
    }

    if (f->reader != NULL) {
        ngx_govsvc_redis_stream_close(f->reader);
        f->reader = NULL;
    }

    f->ended(f->data);
}


static void
ngx_http_govsvc_follow_event(ngx_event_t *ev)
{
    ngx_connection_t          *dummy;
    ngx_http_govsvc_follow_t  *f;

    dummy = ev->data;
    f = dummy->data;

    if (ngx_exiting) {
        return;
    }

    if (f->leads) {
        if (f->reader == NULL) {
            ngx_http_govsvc_follow_open(f);
        }

        ngx_http_govsvc_follow_clean(f);
    }

    f->tick(f->data);

    ngx_add_timer(ev, NGX_HTTP_GOVSVC_FOLLOW_TICK);
}


/* The stream goes on where the last leader of this memory stood. */

static void
ngx_http_govsvc_follow_open(ngx_http_govsvc_follow_t *f)
{
    u_char                          id[2 * NGX_INT64_LEN + 1], *p;
    uint64_t                        cursor;
    ngx_str_t                       text;
    ngx_govsvc_redis_stream_conf_t  conf;

    cursor = __atomic_load_n(f->cursor, __ATOMIC_ACQUIRE);

    if (cursor == 0) {
        p = ngx_sprintf(id, "$");

    } else {
        p = ngx_sprintf(id, "%uL-%uL", cursor >> NGX_HTTP_GOVSVC_FOLLOW_SEQ,
                        cursor & ((1 << NGX_HTTP_GOVSVC_FOLLOW_SEQ) - 1));
    }

    text.data = id;
    text.len = p - id;

    conf.entry = ngx_http_govsvc_follow_entry;
    conf.event = ngx_http_govsvc_follow_told;
    conf.data = f;

    f->reader = ngx_govsvc_redis_stream_open(f->redis, &f->stream, &text,
                                             &conf);
}


static ngx_int_t
ngx_http_govsvc_follow_entry(void *data, const ngx_str_t *id,
    const ngx_str_t *fields, ngx_uint_t n)
{
    ngx_http_govsvc_follow_t *f = data;

    gs_str_t   s;
    uint64_t   ms, seq;

    if (f->entry(f->data, id, fields, n) != NGX_OK) {
        return NGX_ERROR;
    }

    s = ngx_govsvc_to_gs(id);

    if (gs_redis_id(&s, &ms, &seq) != GS_OK
        || ms >> (64 - NGX_HTTP_GOVSVC_FOLLOW_SEQ) != 0)
    {
        return NGX_OK;
    }

    seq = ngx_min(seq, (1 << NGX_HTTP_GOVSVC_FOLLOW_SEQ) - 1);

    /* in one word, so that a worker may die here */

    __atomic_store_n(f->cursor, ms << NGX_HTTP_GOVSVC_FOLLOW_SEQ | seq,
                     __ATOMIC_RELEASE);

    return NGX_OK;
}


static void
ngx_http_govsvc_follow_told(void *data, ngx_govsvc_redis_stream_event_e event)
{
    ngx_http_govsvc_follow_t *f = data;

    f->event(f->data, event);
}


static void
ngx_http_govsvc_follow_clean(ngx_http_govsvc_follow_t *f)
{
    u_char                   now[NGX_INT64_LEN];
    ngx_str_t                argv[4];
    ngx_time_t              *tp;
    ngx_govsvc_redis_cmd_t   cmd;

    if ((ngx_msec_int_t) (ngx_current_msec - f->gc) < 0) {
        return;
    }

    f->gc = ngx_current_msec + NGX_HTTP_GOVSVC_FOLLOW_GC;
    tp = ngx_timeofday();

    ngx_memzero(&cmd, sizeof(ngx_govsvc_redis_cmd_t));

    ngx_str_set(&argv[0], "ZREMRANGEBYSCORE");
    argv[1] = f->set;
    ngx_str_set(&argv[2], "-inf");
    argv[3].data = now;
    argv[3].len = ngx_sprintf(now, "%uL",
                              (uint64_t) tp->sec * 1000 + tp->msec)
                  - now;

    cmd.argv = argv;
    cmd.argc = 4;
    cmd.key = 1;

    (void) ngx_govsvc_redis_send(f->redis, &cmd, NULL);
}
