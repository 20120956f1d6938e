
/*
 * Copyright (C) govsvc authors
 *
 * All feeds of a configuration, and how far behind each is: one row a name in
 * shared memory, which outlives reloads.
 */


#include "http/ngx_http_govsvc_feed_priv.h"


#define NGX_HTTP_GOVSVC_FEED_ZONE  (16 * 1024)


typedef struct {
    ngx_array_t                  feeds;    /* ngx_http_govsvc_feed_t * */
    ngx_shm_zone_t              *zone;
} ngx_http_govsvc_feed_main_conf_t;


static void *ngx_http_govsvc_feed_create_main_conf(ngx_conf_t *cf);
static ngx_int_t ngx_http_govsvc_feed_init_zone(ngx_shm_zone_t *zone,
    void *data);
static ngx_http_govsvc_feed_row_t *ngx_http_govsvc_feed_row(
    ngx_http_govsvc_feed_row_t *rows, ngx_str_t *name);


static ngx_http_module_t  ngx_http_govsvc_feed_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_govsvc_feed_create_main_conf, /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_govsvc_feed_module = {
    NGX_MODULE_V1,
    &ngx_http_govsvc_feed_module_ctx,      /* module context */
    NULL,                                  /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_http_govsvc_feed_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_feed_main_conf_t  *fmcf;

    fmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_feed_main_conf_t));

    if (fmcf == NULL
        || ngx_array_init(&fmcf->feeds, cf->pool, 4,
                          sizeof(ngx_http_govsvc_feed_t *))
           != NGX_OK)
    {
        return NULL;
    }

    return fmcf;
}


ngx_int_t
ngx_http_govsvc_feed_list(ngx_conf_t *cf, ngx_http_govsvc_feed_t *feed)
{
    gs_str_t                            a, b;
    ngx_str_t                           name;
    ngx_uint_t                          i;
    ngx_http_govsvc_feed_t            **slot;
    ngx_http_govsvc_feed_main_conf_t   *fmcf;

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_govsvc_feed_module);

    slot = fmcf->feeds.elts;
    a = ngx_govsvc_to_gs(&feed->conf.name);

    for (i = 0; i < fmcf->feeds.nelts; i++) {
        b = ngx_govsvc_to_gs(&slot[i]->conf.name);

        if (gs_str_eq(&a, &b)) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "audit records are delivered twice to \"%V\"",
                          &feed->conf.key);
            return NGX_ERROR;
        }
    }

    slot = ngx_array_push(&fmcf->feeds);
    if (slot == NULL) {
        return NGX_ERROR;
    }

    *slot = feed;

    if (fmcf->zone != NULL) {
        return NGX_OK;
    }

    ngx_str_set(&name, "govsvc_feeds");

    fmcf->zone = ngx_shared_memory_add(cf, &name, NGX_HTTP_GOVSVC_FEED_ZONE,
                                       &ngx_http_govsvc_feed_module);
    if (fmcf->zone == NULL) {
        return NGX_ERROR;
    }

    fmcf->zone->init = ngx_http_govsvc_feed_init_zone;
    fmcf->zone->data = fmcf;

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_feed_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_uint_t                          i;
    ngx_slab_pool_t                    *pool;
    ngx_http_govsvc_feed_t            **feed;
    ngx_http_govsvc_feed_row_t         *rows;
    ngx_http_govsvc_feed_main_conf_t   *fmcf;

    pool = (ngx_slab_pool_t *) zone->shm.addr;

    if (data == NULL && !zone->shm.exists) {
        pool->data = ngx_slab_calloc(pool, NGX_HTTP_GOVSVC_FEED_ROWS
                                     * sizeof(ngx_http_govsvc_feed_row_t));
    }

    fmcf = zone->data;
    feed = fmcf->feeds.elts;
    rows = pool->data;

    if (rows == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < fmcf->feeds.nelts; i++) {
        feed[i]->row = ngx_http_govsvc_feed_row(rows, &feed[i]->conf.name);
    }

    return NGX_OK;
}


/* A row keeps its name; without one, a feed has no figures. */

static ngx_http_govsvc_feed_row_t *
ngx_http_govsvc_feed_row(ngx_http_govsvc_feed_row_t *rows, ngx_str_t *name)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_GOVSVC_FEED_ROWS; i++) {

        if (rows[i].name[0] == '\0') {
            ngx_memcpy(rows[i].name, name->data, name->len);
            rows[i].caught = ngx_http_govsvc_feed_msec();
            return &rows[i];
        }

        if (ngx_strncmp(rows[i].name, name->data, name->len) == 0
            && rows[i].name[name->len] == '\0')
        {
            return &rows[i];
        }
    }

    return NULL;
}


ngx_http_govsvc_feed_conf_t *
ngx_http_govsvc_feed_at(ngx_cycle_t *cycle, ngx_uint_t i,
    ngx_http_govsvc_feed_row_t **row)
{
    ngx_http_govsvc_feed_t            **feed;
    ngx_http_govsvc_feed_main_conf_t   *fmcf;

    fmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_govsvc_feed_module);

    if (fmcf == NULL || i >= fmcf->feeds.nelts) {
        return NULL;
    }

    feed = fmcf->feeds.elts;
    *row = feed[i]->row;

    return &feed[i]->conf;
}


void
ngx_http_govsvc_feed_delivered(ngx_http_govsvc_feed_t *feed, uint64_t n)
{
    if (feed->row == NULL) {
        return;
    }

    if (n > feed->delivered) {
        feed->row->records += n - feed->delivered;
        feed->delivered = n;
    }

    if (feed->end && feed->delivered >= feed->handed && feed->row->up) {
        feed->row->caught = ngx_http_govsvc_feed_msec();
    }
}


void
ngx_http_govsvc_feed_up(ngx_http_govsvc_feed_t *feed, ngx_uint_t up)
{
    if (feed->row != NULL) {
        feed->row->up = up;
    }
}
