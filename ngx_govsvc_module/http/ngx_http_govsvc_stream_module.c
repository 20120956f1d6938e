
/*
 * Copyright (C) govsvc authors
 *
 * Streams of audit records at Redis: the directive govsvc_audit_redis.
 */


#include "http/ngx_http_govsvc_stream.h"


#define NGX_HTTP_GOVSVC_STREAM_KEY  200    /* bytes of a key */


typedef struct {
    ngx_array_t  streams;                  /* ngx_http_govsvc_stream_t * */
} ngx_http_govsvc_stream_main_conf_t;


typedef struct {
    ngx_http_govsvc_feed_conf_t     feed;
    ngx_http_govsvc_stream_t       *st;
    ngx_str_t                       stream;
    u_char                         *file;
    ngx_uint_t                      line;
} ngx_http_govsvc_stream_conf_t;


static void *ngx_http_govsvc_stream_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_stream_init_main_conf(ngx_conf_t *cf,
    void *conf);
static char *ngx_http_govsvc_stream(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_govsvc_stream_numbers(ngx_conf_t *cf,
    ngx_http_govsvc_stream_conf_t *sc, ngx_str_t *values);
static char *ngx_http_govsvc_stream_groups_conf(ngx_conf_t *cf,
    ngx_http_govsvc_stream_t *st, ngx_str_t *value);
static char *ngx_http_govsvc_stream_key(ngx_conf_t *cf,
    ngx_http_govsvc_stream_conf_t *sc, ngx_str_t *value);
static char *ngx_http_govsvc_stream_feed(ngx_conf_t *cf,
    ngx_http_govsvc_stream_conf_t *sc);


static ngx_command_t  ngx_http_govsvc_stream_commands[] = {

    { ngx_string("govsvc_audit_redis"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_govsvc_stream,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_stream_main_conf_t, streams),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_govsvc_stream_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_govsvc_stream_create_main_conf,
    ngx_http_govsvc_stream_init_main_conf,

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_govsvc_stream_module = {
    NGX_MODULE_V1,
    &ngx_http_govsvc_stream_module_ctx,    /* module context */
    ngx_http_govsvc_stream_commands,       /* module directives */
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
ngx_http_govsvc_stream_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_stream_main_conf_t  *smcf;

    smcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_stream_main_conf_t));

    if (smcf == NULL
        || ngx_array_init(&smcf->streams, cf->pool, 2,
                          sizeof(ngx_http_govsvc_stream_conf_t *))
           != NGX_OK)
    {
        return NULL;
    }

    return smcf;
}


static char *
ngx_http_govsvc_stream(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_stream_main_conf_t *smcf = conf;

    ngx_str_t                       *value, values[6];
    ngx_http_govsvc_stream_conf_t   *sc, **slot;

    static const char *const  names[] = {
        "stream=", "types=", "groups=", "batch=", "maxlen=", "replay=", NULL
    };

    value = cf->args->elts;

    sc = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_stream_conf_t));
    slot = ngx_array_push(&smcf->streams);

    if (sc == NULL || slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = sc;

    sc->file = cf->conf_file->file.name.data;
    sc->line = cf->conf_file->line;
    sc->st = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_stream_t));

    if (sc->st == NULL
        || ngx_govsvc_conf_params(cf, 2, names, values) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (values[0].data == NULL) {
        ngx_str_set(&values[0], "audit:%node");
    }

    if (ngx_http_govsvc_stream_key(cf, sc, &values[0]) != NGX_CONF_OK
        || ngx_http_govsvc_feed_types(cf, &sc->feed, &values[1])
           != NGX_CONF_OK
        || ngx_http_govsvc_stream_groups_conf(cf, sc->st, &values[2])
           != NGX_CONF_OK
        || ngx_http_govsvc_stream_numbers(cf, sc, values) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if ((sc->st->maxlen != 0) != (sc->st->ngroups != 0)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"maxlen=\" and \"groups=\" of "
                           "\"govsvc_audit_redis\" belong together: beyond "
                           "that length only what all these groups have read "
                           "is removed");
        return NGX_CONF_ERROR;
    }

    sc->st->redis = ngx_http_govsvc_redis(cf, &value[1]);

    return (sc->st->redis != NULL) ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_http_govsvc_stream_key(ngx_conf_t *cf, ngx_http_govsvc_stream_conf_t *sc,
    ngx_str_t *value)
{
    size_t  i;

    for (i = 0; i < value->len; i++) {
        if (value->data[i] <= ' ' || value->data[i] >= 0x7f) {
            break;
        }
    }

    if (value->len == 0 || value->len > 128 || i != value->len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid stream \"%V\", allowed: 1 to 128 visible "
                           "ASCII characters, \"%%node\" becomes the name of "
                           "the node", value);
        return NGX_CONF_ERROR;
    }

    sc->stream = *value;

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_stream_groups_conf(ngx_conf_t *cf,
    ngx_http_govsvc_stream_t *st, ngx_str_t *value)
{
    ngx_str_t  rest, word;

    rest = *value;

    while (ngx_govsvc_conf_next(&rest, &word)) {

        if (word.len == 0 || st->ngroups == NGX_HTTP_GOVSVC_STREAM_GROUPS) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid groups \"%V\", allowed: 1 to %d names "
                               "with commas between them", value,
                               NGX_HTTP_GOVSVC_STREAM_GROUPS);
            return NGX_CONF_ERROR;
        }

        st->groups[st->ngroups++] = word;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_stream_numbers(ngx_conf_t *cf,
    ngx_http_govsvc_stream_conf_t *sc, ngx_str_t *values)
{
    gs_str_t  s;
    uint64_t  n;

    sc->feed.batch = 256;

    if (values[3].data != NULL) {
        s = ngx_govsvc_to_gs(&values[3]);

        if (gs_parse_u64(&s, &n) != GS_OK || n < 1
            || n > NGX_HTTP_GOVSVC_FEED_BATCH)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid batch \"%V\", allowed: 1 to %d",
                               &values[3], NGX_HTTP_GOVSVC_FEED_BATCH);
            return NGX_CONF_ERROR;
        }

        sc->feed.batch = (ngx_uint_t) n;
    }

    if (values[4].data != NULL) {
        s = ngx_govsvc_to_gs(&values[4]);

        if (gs_parse_u64(&s, &n) != GS_OK || n < 1 || n > 1000000000000) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid maxlen \"%V\", allowed: 1 to "
                               "1000000000000", &values[4]);
            return NGX_CONF_ERROR;
        }

        sc->st->maxlen = n;
    }

    return ngx_http_govsvc_feed_replay(cf, &sc->feed, &values[5]);
}


/* The name of the node and the prefix of the redis are known at the end. */

static char *
ngx_http_govsvc_stream_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_stream_main_conf_t *smcf = conf;

    ngx_uint_t                          i;
    ngx_http_govsvc_stream_conf_t     **all;
    ngx_http_govsvc_audit_main_conf_t  *amcf;

    all = smcf->streams.elts;
    amcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_audit_module);

    for (i = 0; i < smcf->streams.nelts; i++) {

        if (amcf->dir.len == 0) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"govsvc_audit_redis\" sends what is in the audit "
                          "store: add \"govsvc_audit_store dir=...\" to the "
                          "http block in %s:%ui", all[i]->file, all[i]->line);
            return NGX_CONF_ERROR;
        }

        if (ngx_http_govsvc_stream_feed(cf, all[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_stream_feed(ngx_conf_t *cf, ngx_http_govsvc_stream_conf_t *sc)
{
    u_char                    *p, *last;
    size_t                     i, size;
    ngx_str_t                 *node;
    const ngx_str_t           *prefix;
    ngx_http_govsvc_stream_t  *st;

    st = sc->st;
    node = ngx_http_govsvc_node(cf);
    prefix = ngx_govsvc_redis_prefix(st->redis);

    size = prefix->len + sc->stream.len
           + (sc->stream.len / 5) * node->len;

    st->key.data = ngx_pnalloc(cf->pool, size);
    if (st->key.data == NULL) {
        return NGX_CONF_ERROR;
    }

    p = ngx_cpymem(st->key.data, prefix->data, prefix->len);
    last = sc->stream.data + sc->stream.len;

    for (i = 0; i < sc->stream.len; /* void */) {

        if (last - (sc->stream.data + i) >= 5
            && ngx_strncmp(sc->stream.data + i, "%node", 5) == 0)
        {
            p = ngx_cpymem(p, node->data, node->len);
            i += 5;
            continue;
        }

        *p++ = sc->stream.data[i++];
    }

    st->key.len = (size_t) (p - st->key.data);

    sc->feed.handler = ngx_http_govsvc_stream_fed;
    sc->feed.lead = ngx_http_govsvc_stream_lead;
    sc->feed.data = st;

    if (ngx_http_govsvc_feed_name(cf, &sc->feed, "redis",
                                  ngx_govsvc_redis_name(st->redis), &st->key)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    st->feed = ngx_http_govsvc_feed_add(cf, &sc->feed);

    return (st->feed != NULL) ? NGX_CONF_OK : NGX_CONF_ERROR;
}
