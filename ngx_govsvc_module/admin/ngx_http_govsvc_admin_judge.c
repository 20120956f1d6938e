
/*
 * Copyright (C) govsvc authors
 *
 * After a start, after a whole read of the store and once a minute: what came
 * by the API is looked at by the rules of now, and told when it changes.
 */


#include "admin/ngx_http_govsvc_admin.h"


#define NGX_HTTP_GOVSVC_JUDGE_AGE    60000 /* ms */
#define NGX_HTTP_GOVSVC_JUDGE_LINES  32


typedef struct {
    ngx_log_t   *log;                      /* NULL: only counted */
    uint64_t     hash;
    ngx_uint_t   lines;
} ngx_http_govsvc_judge_t;


static void ngx_http_govsvc_judge_found(void *data, const char *kind,
    const char *id, const char *why);


void
ngx_http_govsvc_admin_judge(ngx_http_govsvc_registry_t *reg, gs_admin_t *a,
    ngx_log_t *log)
{
    uint64_t                        last, now;
    ngx_uint_t                      n;
    ngx_http_govsvc_judge_t         j;
    ngx_http_govsvc_registry_sh_t  *sh;

    sh = reg->sh;
    now = ngx_govsvc_mono_us() / 1000;
    last = __atomic_load_n(&sh->judged, __ATOMIC_ACQUIRE);

    if (__atomic_load_n(&sh->rules, __ATOMIC_ACQUIRE) != reg->rules) {
        return;
    }

    if (last != 0 && now >= last && now - last < NGX_HTTP_GOVSVC_JUDGE_AGE) {
        return;
    }

    __atomic_store_n(&sh->judged, now, __ATOMIC_RELEASE);

    ngx_memzero(&j, sizeof(ngx_http_govsvc_judge_t));
    n = gs_admin_judge(a, ngx_http_govsvc_judge_found, &j);

    __atomic_store_n(&sh->refused, n, __ATOMIC_RELEASE);

    if (__atomic_exchange_n(&sh->refused_told, j.hash, __ATOMIC_SEQ_CST)
        == j.hash)
    {
        return;
    }

    if (n == 0) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "govsvc admin: the rules of now refuse nothing that is "
                      "in use");
        return;
    }

    j.log = log;
    (void) gs_admin_judge(a, ngx_http_govsvc_judge_found, &j);

    if (n > j.lines) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "govsvc admin: %ui more would be refused now",
                      n - j.lines);
    }
}


static void
ngx_http_govsvc_judge_found(void *data, const char *kind, const char *id,
    const char *why)
{
    ngx_http_govsvc_judge_t *j = data;

    if (j->log == NULL) {
        j->hash = j->hash * 31 + ngx_crc32_long((u_char *) id, strlen(id))
                  + ngx_crc32_long((u_char *) why, strlen(why)) + 1;
        return;
    }

    if (j->lines == NGX_HTTP_GOVSVC_JUDGE_LINES) {
        return;
    }

    j->lines++;

    ngx_log_error(NGX_LOG_ERR, j->log, 0,
                  "govsvc admin: \"%s\" of \"%s\" goes on, but would be "
                  "refused now: %s", id, kind, why);
}
