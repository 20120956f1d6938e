
/*
 * Copyright (C) govsvc authors
 *
 * Streams: entries that all of the groups have read and acknowledged are
 * removed, down to a length.
 */


#include "core/gs_metric.h"
#include "http/ngx_http_govsvc_audit_seal.h"
#include "http/ngx_http_govsvc_stream.h"


static void ngx_http_govsvc_stream_groups(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);
static ngx_int_t ngx_http_govsvc_stream_group(ngx_http_govsvc_stream_t *st,
    ngx_govsvc_redis_reply_t *group);
static ngx_int_t ngx_http_govsvc_stream_field(ngx_govsvc_redis_reply_t *group,
    const char *name, ngx_govsvc_redis_reply_t **value);
static void ngx_http_govsvc_stream_pending(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);
static uint64_t ngx_http_govsvc_stream_sealed(ngx_http_govsvc_stream_t *st);
static void ngx_http_govsvc_stream_cut(ngx_http_govsvc_stream_t *st);
static void ngx_http_govsvc_stream_trimmed(void *data,
    ngx_govsvc_redis_status_e status, ngx_govsvc_redis_reply_t *reply);


ngx_int_t
ngx_http_govsvc_stream_trim(ngx_http_govsvc_stream_t *st)
{
    ngx_str_t  argv[3];

    if (st->maxlen == 0 || st->last <= st->maxlen
        || ngx_current_msec - st->trimmed < NGX_HTTP_GOVSVC_STREAM_TRIM)
    {
        return NGX_DECLINED;
    }

    st->state = NGX_HTTP_GOVSVC_STREAM_TRIMS;
    st->trimmed = ngx_current_msec;
    st->lowest = ngx_min(st->last + 1 - st->maxlen,
                         ngx_http_govsvc_stream_sealed(st) + 1);
    st->pending = 0;

    ngx_str_set(&argv[0], "XINFO");
    ngx_str_set(&argv[1], "GROUPS");
    argv[2] = st->key;

    return ngx_http_govsvc_stream_send(st, argv, 3,
                                       ngx_http_govsvc_stream_groups, st);
}


static void
ngx_http_govsvc_stream_groups(void *data, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_govsvc_stream_t *st = data;

    ngx_int_t   rc;
    ngx_uint_t  i, found;

    if (!st->leads || st->state != NGX_HTTP_GOVSVC_STREAM_TRIMS) {
        return;
    }

    if (status != NGX_GOVSVC_REDIS_OK) {
        ngx_http_govsvc_stream_fail(st, ngx_govsvc_redis_status_text(status));
        return;
    }

    found = 0;

    for (i = 0; i < ngx_govsvc_redis_count(reply); i++) {
        rc = ngx_http_govsvc_stream_group(st, ngx_govsvc_redis_at(reply, i));

        if (rc == NGX_ERROR) {
            return;
        }

        found += (rc == NGX_OK);
    }

    /* one that has not been made yet has read nothing */

    if (found != st->ngroups) {
        st->lowest = 0;
    }

    if (st->pending == 0) {
        ngx_http_govsvc_stream_cut(st);
    }
}


/* NGX_DECLINED: it does not count. */

static ngx_int_t
ngx_http_govsvc_stream_group(ngx_http_govsvc_stream_t *st,
    ngx_govsvc_redis_reply_t *group)
{
    int64_t                    pending;
    uint64_t                   n;
    ngx_str_t                  name, id, argv[3];
    ngx_uint_t                 i;
    ngx_govsvc_redis_reply_t  *value;

    if (ngx_http_govsvc_stream_field(group, "name", &value) != NGX_OK
        || ngx_govsvc_redis_text(value, &name) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    for (i = 0; i < st->ngroups; i++) {
        if (st->groups[i].len == name.len
            && ngx_memcmp(st->groups[i].data, name.data, name.len) == 0)
        {
            break;
        }
    }

    if (i == st->ngroups) {
        return NGX_DECLINED;
    }

    if (ngx_http_govsvc_stream_field(group, "last-delivered-id", &value)
        != NGX_OK
        || ngx_govsvc_redis_text(value, &id) != NGX_OK
        || ngx_http_govsvc_stream_id(&id, &n) != NGX_OK
        || ngx_http_govsvc_stream_field(group, "pending", &value) != NGX_OK
        || ngx_govsvc_redis_int(value, &pending) != NGX_OK)
    {
        st->lowest = 0;
        return NGX_OK;
    }

    st->lowest = ngx_min(st->lowest, n + 1);

    if (pending == 0) {
        return NGX_OK;
    }

    ngx_str_set(&argv[0], "XPENDING");
    argv[1] = st->key;
    argv[2] = name;

    if (ngx_http_govsvc_stream_send(st, argv, 3,
                                    ngx_http_govsvc_stream_pending, st)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    st->pending++;

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_stream_field(ngx_govsvc_redis_reply_t *group,
    const char *name, ngx_govsvc_redis_reply_t **value)
{
    ngx_str_t   text;
    ngx_uint_t  i;

    for (i = 0; i + 1 < ngx_govsvc_redis_count(group); i += 2) {

        if (ngx_govsvc_redis_text(ngx_govsvc_redis_at(group, i), &text)
            == NGX_OK
            && text.len == ngx_strlen(name)
            && ngx_memcmp(text.data, name, text.len) == 0)
        {
            *value = ngx_govsvc_redis_at(group, i + 1);
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* The oldest entry that was delivered and not acknowledged. */

static void
ngx_http_govsvc_stream_pending(void *data, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_govsvc_stream_t *st = data;

    int64_t    pending;
    uint64_t   n;
    ngx_str_t  id;

    if (!st->leads || st->state != NGX_HTTP_GOVSVC_STREAM_TRIMS) {
        return;
    }

    if (status != NGX_GOVSVC_REDIS_OK
        || ngx_govsvc_redis_int(ngx_govsvc_redis_at(reply, 0), &pending)
           != NGX_OK)
    {
        st->lowest = 0;

    } else if (pending != 0) {

        if (ngx_govsvc_redis_text(ngx_govsvc_redis_at(reply, 1), &id)
            != NGX_OK
            || ngx_http_govsvc_stream_id(&id, &n) != NGX_OK)
        {
            n = 0;
        }

        st->lowest = ngx_min(st->lowest, n);
    }

    st->pending--;

    if (st->pending == 0) {
        ngx_http_govsvc_stream_cut(st);
    }
}


/*
 * The last entry that is surely sealed.  Which leaf an entry is, is not known
 * here; but what was in the stream at a moment was in the files by then, and a
 * turn of the sealer that begins later has it all.
 */

static uint64_t
ngx_http_govsvc_stream_sealed(ngx_http_govsvc_stream_t *st)
{
    ngx_http_govsvc_audit_seal_sh_t  *sh;

    sh = ngx_http_govsvc_audit_seal_row((ngx_cycle_t *) ngx_cycle);

    if (sh == NULL) {
        return UINT64_MAX - 1;
    }

    if (st->marked_at != 0 && gs_metric_get(&sh->covers) > st->marked_at) {
        st->sealed = st->marked;
        st->marked_at = 0;
    }

    if (st->marked_at == 0) {
        st->marked = st->last;
        st->marked_at = ngx_govsvc_mono_us();
    }

    return st->sealed;
}


static void
ngx_http_govsvc_stream_cut(ngx_http_govsvc_stream_t *st)
{
    u_char     id[NGX_INT64_LEN + 2];
    ngx_str_t  argv[4];

    if (st->lowest <= 1) {
        ngx_http_govsvc_stream_go(st);
        return;
    }

    ngx_str_set(&argv[0], "XTRIM");
    argv[1] = st->key;
    ngx_str_set(&argv[2], "MINID");
    argv[3].data = id;
    argv[3].len = (size_t) (ngx_sprintf(id, "%uL-0", st->lowest) - id);

    (void) ngx_http_govsvc_stream_send(st, argv, 4,
                                       ngx_http_govsvc_stream_trimmed, st);
}


static void
ngx_http_govsvc_stream_trimmed(void *data, ngx_govsvc_redis_status_e status,
    ngx_govsvc_redis_reply_t *reply)
{
    ngx_http_govsvc_stream_t *st = data;

    if (!st->leads || st->state != NGX_HTTP_GOVSVC_STREAM_TRIMS) {
        return;
    }

    if (status != NGX_GOVSVC_REDIS_OK) {
        ngx_http_govsvc_stream_fail(st, ngx_govsvc_redis_status_text(status));
        return;
    }

    ngx_http_govsvc_stream_go(st);
}
