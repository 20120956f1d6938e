
/*
 * Copyright (C) govsvc authors
 *
 * Commit: the last stage before the request goes upstream.  Refuses what has
 * no route, tells of platforms that are out, and chooses the pool.
 */


#include "http/ngx_http_govsvc_balancer_priv.h"


#define NGX_HTTP_GOVSVC_RETRY_PEERS  30    /* s */


typedef struct {
    ngx_uint_t                 refused;
    ngx_http_govsvc_reason_e   reason;
    ngx_uint_t                 status;     /* of a page of the chain */
} ngx_http_govsvc_outcome_t;


static ngx_int_t ngx_http_govsvc_commit(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_outcome_t *out);
static void ngx_http_govsvc_refused(ngx_http_govsvc_ctx_t *ctx,
    ngx_http_govsvc_outcome_t *out, ngx_http_govsvc_reason_e reason,
    ngx_uint_t retry_after);
static const gs_route_platform_t *ngx_http_govsvc_platform(
    ngx_http_govsvc_section_t *s, ngx_http_govsvc_ctx_t *ctx,
    const gs_route_pool_t *pool);
static ngx_int_t ngx_http_govsvc_commit_pool(ngx_http_govsvc_section_t *s,
    ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx,
    const gs_route_pool_t *first, ngx_http_govsvc_outcome_t *out);
static ngx_int_t ngx_http_govsvc_commit_choice(ngx_http_govsvc_section_t *s,
    ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx,
    const gs_route_pool_t *pool, ngx_uint_t step);


ngx_int_t
ngx_http_govsvc_commit_handler(ngx_http_request_t *r)
{
    ngx_int_t                   rc, routed;
    ngx_http_govsvc_ctx_t      *ctx;
    ngx_http_govsvc_reason_e    reason;
    ngx_http_govsvc_outcome_t   out;

    if (ngx_http_govsvc_skip(r)) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    routed = ngx_http_govsvc_route_commit(r, ctx, &reason);

    if (routed == NGX_ABORT) {
        return ngx_http_govsvc_refuse(r, reason);
    }

    rc = ngx_http_govsvc_app_commit(r, ctx);

    if (rc != NGX_OK) {
        return rc;
    }

    if (routed == NGX_DECLINED) {
        return NGX_DECLINED;
    }

    if (routed != NGX_OK
        || ngx_http_govsvc_commit(r, ctx, &out) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!out.refused) {
        return NGX_DECLINED;
    }

    /* another page than ours is the affair of error_page */

    if (out.status != 0
        && out.status != ngx_http_govsvc_reasons[out.reason].status)
    {
        return (ngx_int_t) out.status;
    }

    return ngx_http_govsvc_refuse(r, out.reason);
}


static ngx_int_t
ngx_http_govsvc_commit(ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx,
    ngx_http_govsvc_outcome_t *out)
{
    gs_str_t                    id;
    ngx_int_t                   rc;
    const gs_route_pool_t      *pool;
    ngx_http_govsvc_choice_t   *choice;
    ngx_http_govsvc_section_t   s;
    const gs_route_platform_t  *platform;

    ngx_memzero(out, sizeof(ngx_http_govsvc_outcome_t));

    /* after an internal redirect without a new match */

    choice = ctx->balancer_data;

    if (choice != NULL && ctx->pool.data == choice->chosen.data) {
        ctx->pool = choice->first;
    }

    if (ngx_http_govsvc_section_enter(&s) != NGX_OK) {
        return NGX_ERROR;
    }

    id = ngx_govsvc_to_gs(&ctx->pool);
    pool = gs_route_pool_find(s.table, &id);

    rc = NGX_OK;

    if (pool == NULL) {

        /* gone since the route was found */

        ngx_http_govsvc_refused(ctx, out,
                                NGX_HTTP_GOVSVC_PLATFORM_UNAVAILABLE,
                                NGX_HTTP_GOVSVC_RETRY_PEERS);
        goto done;
    }

    platform = ngx_http_govsvc_platform(&s, ctx, pool);

    if (platform == NULL) {
        ngx_http_govsvc_refused(ctx, out, NGX_HTTP_GOVSVC_PLATFORM_CLOSED,
                                NGX_HTTP_GOVSVC_RETRY_PEERS);

    } else if (platform->state == GS_ROUTE_MAINTENANCE) {
        ngx_http_govsvc_refused(ctx, out,
                                NGX_HTTP_GOVSVC_PLATFORM_MAINTENANCE,
                                platform->retry_after);

    } else if (platform->state == GS_ROUTE_CLOSED) {
        ngx_http_govsvc_refused(ctx, out, NGX_HTTP_GOVSVC_PLATFORM_CLOSED,
                                platform->retry_after);

    } else {
        rc = ngx_http_govsvc_commit_pool(&s, r, ctx, pool, out);
    }

done:

    ngx_http_govsvc_section_leave(&s);

    return rc;
}


static void
ngx_http_govsvc_refused(ngx_http_govsvc_ctx_t *ctx,
    ngx_http_govsvc_outcome_t *out, ngx_http_govsvc_reason_e reason,
    ngx_uint_t retry_after)
{
    out->refused = 1;
    out->reason = reason;

    ctx->retry_after = retry_after;
}


/*
 * The platform of the route, which the pool may only be lent to; NULL if it is
 * gone since the route was found.
 */

static const gs_route_platform_t *
ngx_http_govsvc_platform(ngx_http_govsvc_section_t *s,
    ngx_http_govsvc_ctx_t *ctx, const gs_route_pool_t *pool)
{
    uint32_t                    i, n;
    gs_str_t                    id, platform;
    const gs_route_platform_t  *p;

    platform = ngx_govsvc_to_gs(&ctx->platform);

    p = gs_route_platform(s->table, pool->platform);
    id = gs_route_str(s->table, p->id);

    if (gs_str_eq(&id, &platform)) {
        return p;
    }

    n = gs_route_platforms(s->table);

    for (i = 0; i < n; i++) {
        p = gs_route_platform(s->table, i);
        id = gs_route_str(s->table, p->id);

        if (gs_str_eq(&id, &platform)) {
            return p;
        }
    }

    return NULL;
}


static ngx_int_t
ngx_http_govsvc_commit_pool(ngx_http_govsvc_section_t *s,
    ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx,
    const gs_route_pool_t *first, ngx_http_govsvc_outcome_t *out)
{
    ngx_uint_t                  step, last;
    const gs_route_pool_t      *pool;
    const gs_route_fallback_t  *chain;

    last = 0;

    for (step = 0; !last; step++) {

        pool = ngx_http_govsvc_step(s, first, step, &last);

        if (pool != NULL && ngx_http_govsvc_pool_usable(s, pool, last) != 0) {
            return ngx_http_govsvc_commit_choice(s, r, ctx, pool, step);
        }
    }

    ngx_http_govsvc_refused(ctx, out, NGX_HTTP_GOVSVC_PLATFORM_UNAVAILABLE,
                            NGX_HTTP_GOVSVC_RETRY_PEERS);

    if (first->nfallback != 0) {
        chain = gs_route_fallback(s->table, first);
        out->status = chain[first->nfallback - 1].status;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_commit_choice(ngx_http_govsvc_section_t *s,
    ngx_http_request_t *r, ngx_http_govsvc_ctx_t *ctx,
    const gs_route_pool_t *pool, ngx_uint_t step)
{
    gs_str_t                   host, known;
    ngx_http_govsvc_choice_t  *choice;

    choice = ctx->balancer_data;

    if (choice == NULL) {
        choice = ngx_palloc(r->pool, sizeof(ngx_http_govsvc_choice_t));
        if (choice == NULL) {
            return NGX_ERROR;
        }

        ctx->balancer_data = choice;
    }

    choice->first = ctx->pool;
    choice->step = step;

    if (step != 0
        && ngx_http_govsvc_copy(r, s->table, pool->id, &ctx->pool) != NGX_OK)
    {
        return NGX_ERROR;
    }

    choice->chosen = ctx->pool;

    if (pool->host.len == 0) {
        ctx->upstream_host = r->headers_in.server;
        return NGX_OK;
    }

    host = gs_route_str(s->table, pool->host);
    known = ngx_govsvc_to_gs(&ctx->upstream_host);

    if (gs_str_eq(&host, &known)) {
        return NGX_OK;
    }

    return ngx_http_govsvc_copy(r, s->table, pool->host, &ctx->upstream_host);
}
