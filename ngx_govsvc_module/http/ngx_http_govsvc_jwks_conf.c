
/*
 * Copyright (C) govsvc authors
 *
 * jwks_uri: its parameters, its zone, its state file.
 */


#include "http/ngx_http_govsvc_jwks.h"


#define NGX_HTTP_GOVSVC_JWKS_DAY  86400000


typedef struct {
    const char  *name;
    size_t       offset;
    ngx_msec_t   value;
    ngx_msec_t   min;
    ngx_msec_t   max;
    const char  *range;
} ngx_http_govsvc_jwks_time_t;


typedef struct {
    ngx_str_t    ca;
    ngx_str_t    name;
    ngx_str_t    state;
    ngx_msec_t   timeout;
    ngx_uint_t   seen;
} ngx_http_govsvc_jwks_words_t;


static char *ngx_http_govsvc_jwks_words(ngx_conf_t *cf,
    ngx_http_govsvc_jwks_t *j, ngx_http_govsvc_jwks_words_t *words);
static char *ngx_http_govsvc_jwks_word(ngx_conf_t *cf,
    ngx_http_govsvc_jwks_t *j, ngx_http_govsvc_jwks_words_t *words,
    ngx_str_t *word);
static char *ngx_http_govsvc_jwks_time(ngx_conf_t *cf,
    ngx_http_govsvc_jwks_t *j, ngx_http_govsvc_jwks_words_t *words,
    ngx_str_t *word, ngx_str_t *value);
static char *ngx_http_govsvc_jwks_size(ngx_conf_t *cf,
    ngx_http_govsvc_jwks_t *j, ngx_str_t *word, ngx_str_t *value);
static char *ngx_http_govsvc_jwks_twice(ngx_conf_t *cf, ngx_str_t *word);
static char *ngx_http_govsvc_jwks_target(ngx_conf_t *cf,
    ngx_http_govsvc_jwks_t *j, ngx_http_govsvc_jwks_words_t *words);
static char *ngx_http_govsvc_jwks_zone(ngx_conf_t *cf,
    ngx_http_govsvc_jwks_t *j);
static ngx_int_t ngx_http_govsvc_jwks_init_zone(ngx_shm_zone_t *zone,
    void *data);
static ngx_int_t ngx_http_govsvc_jwks_restore(ngx_http_govsvc_jwks_t *j,
    ngx_log_t *log);


static const char *const  ngx_http_govsvc_jwks_names[] = {
    "interval=TIME", "grace=TIME", "min_refetch=TIME", "wait=TIME",
    "timeout=TIME", "max_size=SIZE", "state=FILE", "ca=FILE", "name=NAME",
    NULL
};


/* bit 0 to 4 of seen */

static const ngx_http_govsvc_jwks_time_t  ngx_http_govsvc_jwks_times[] = {
    { "interval", offsetof(ngx_http_govsvc_jwks_t, interval), 600000, 1000,
      NGX_HTTP_GOVSVC_JWKS_DAY, "1s to 1d" },
    { "grace", offsetof(ngx_http_govsvc_jwks_t, grace),
      NGX_HTTP_GOVSVC_JWKS_DAY, 1000, 30u * NGX_HTTP_GOVSVC_JWKS_DAY,
      "1s to 30d" },
    { "min_refetch", offsetof(ngx_http_govsvc_jwks_t, min_refetch), 30000,
      100, 3600000, "100ms to 1h" },
    { "wait", offsetof(ngx_http_govsvc_jwks_t, wait), 500, 0, 5000,
      "0 to 5s" },
    { "timeout", 0, 10000, 100, 60000, "100ms to 1m" },
    { NULL, 0, 0, 0, 0, NULL }
};


char *
ngx_http_govsvc_jwks_uri(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_issuer_t *is = conf;

    ngx_str_t                          *value;
    ngx_http_govsvc_jwks_t             *j;
    ngx_http_govsvc_jwks_words_t        words;
    const ngx_http_govsvc_jwks_time_t  *t;

    value = cf->args->elts;

    if (is->jwks_file.len != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"jwks_uri\" and \"jwks_file\" exclude each other");
        return NGX_CONF_ERROR;
    }

    j = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_jwks_t));
    if (j == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&words, sizeof(ngx_http_govsvc_jwks_words_t));

    j->is = is;
    j->url = value[1];
    j->cycle = cf->cycle;
    j->max_size = GS_TOKEN_KEYS_MAX_TEXT;
    words.timeout = 10000;

    for (t = ngx_http_govsvc_jwks_times; t->offset != 0; t++) {
        *(ngx_msec_t *) ((u_char *) j + t->offset) = t->value;
    }

    if (ngx_http_govsvc_jwks_words(cf, j, &words) != NGX_CONF_OK
        || ngx_http_govsvc_jwks_target(cf, j, &words) != NGX_CONF_OK
        || ngx_http_govsvc_jwks_zone(cf, j) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    is->jwks = j;

    ngx_http_govsvc_keys_source(is, ngx_http_govsvc_jwks_missing, j);

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_jwks_words(ngx_conf_t *cf, ngx_http_govsvc_jwks_t *j,
    ngx_http_govsvc_jwks_words_t *words)
{
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_http_govsvc_jwks_word(cf, j, words, &value[i])
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (words->state.len != 0) {
        j->save = ngx_govsvc_save_add(cf, &words->state, j->max_size);

        if (j->save == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_jwks_word(ngx_conf_t *cf, ngx_http_govsvc_jwks_t *j,
    ngx_http_govsvc_jwks_words_t *words, ngx_str_t *word)
{
    ngx_str_t  value, *text;

    value.data = ngx_strlchr(word->data, word->data + word->len, '=');

    if (value.data == NULL) {
        return ngx_govsvc_conf_invalid(cf, "parameter", word,
                                       ngx_http_govsvc_jwks_names);
    }

    value.data++;
    value.len = (size_t) (word->data + word->len - value.data);
    text = NULL;

    if (ngx_strncmp(word->data, "state=", 6) == 0) {
        text = &words->state;

    } else if (ngx_strncmp(word->data, "ca=", 3) == 0) {
        text = &words->ca;

    } else if (ngx_strncmp(word->data, "name=", 5) == 0) {
        text = &words->name;

    } else if (ngx_strncmp(word->data, "max_size=", 9) == 0) {
        return ngx_http_govsvc_jwks_size(cf, j, word, &value);
    }

    if (text == NULL) {
        return ngx_http_govsvc_jwks_time(cf, j, words, word, &value);
    }

    if (text->len != 0) {
        return ngx_http_govsvc_jwks_twice(cf, word);
    }

    if (value.len == 0) {
        return ngx_govsvc_conf_invalid(cf, "parameter", word,
                                       ngx_http_govsvc_jwks_names);
    }

    *text = value;

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_jwks_time(ngx_conf_t *cf, ngx_http_govsvc_jwks_t *j,
    ngx_http_govsvc_jwks_words_t *words, ngx_str_t *word, ngx_str_t *value)
{
    size_t                              len;
    ngx_msec_t                         *slot;
    ngx_uint_t                          bit;
    const char                         *range[2];
    const ngx_http_govsvc_jwks_time_t  *t;

    bit = 1;
    len = (size_t) (value->data - word->data) - 1;

    for (t = ngx_http_govsvc_jwks_times; t->name != NULL; t++) {

        if (ngx_strlen(t->name) == len
            && ngx_strncmp(word->data, t->name, len) == 0)
        {
            break;
        }

        bit <<= 1;
    }

    if (t->name == NULL) {
        return ngx_govsvc_conf_invalid(cf, "parameter", word,
                                       ngx_http_govsvc_jwks_names);
    }

    if (words->seen & bit) {
        return ngx_http_govsvc_jwks_twice(cf, word);
    }

    words->seen |= bit;

    slot = t->offset != 0 ? (ngx_msec_t *) ((u_char *) j + t->offset)
                          : &words->timeout;

    *slot = (ngx_msec_t) ngx_parse_time(value, 0);

    if ((ngx_int_t) *slot == NGX_ERROR || *slot < t->min || *slot > t->max) {
        range[0] = t->range;
        range[1] = NULL;

        return ngx_govsvc_conf_invalid(cf, "time", word, range);
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_jwks_size(ngx_conf_t *cf, ngx_http_govsvc_jwks_t *j,
    ngx_str_t *word, ngx_str_t *value)
{
    ssize_t                   size;
    static const char *const  range[] = { "1k to 256k", NULL };

    size = ngx_parse_size(value);

    if (size == NGX_ERROR || size < 1024 || size > GS_TOKEN_KEYS_MAX_TEXT) {
        return ngx_govsvc_conf_invalid(cf, "size", word, range);
    }

    j->max_size = (size_t) size;

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_jwks_twice(ngx_conf_t *cf, ngx_str_t *word)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "duplicate parameter \"%V\" in \"jwks_uri\" directive",
                       word);

    return NGX_CONF_ERROR;
}


/* Keys over a wire that anybody can write to are nobody's keys. */

static char *
ngx_http_govsvc_jwks_target(ngx_conf_t *cf, ngx_http_govsvc_jwks_t *j,
    ngx_http_govsvc_jwks_words_t *words)
{
    const gs_url_t            *url;
    static const char *const   form[] = {
        "https://HOST/PATH", "http:// to a loopback address", NULL
    };

    if (ngx_govsvc_http_target(cf, &j->target, &j->url, &words->ca,
                               &words->name)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    url = &j->target.url;

    if (!url->tls && !(url->numeric && gs_net_loopback(&url->address))) {
        return ngx_govsvc_conf_invalid(cf, "URL", &j->url, form);
    }

    j->target.max_body = j->max_size;
    j->target.total_timeout = words->timeout;

    return NGX_CONF_OK;
}


/* Keys of one URL never become those of another. */

static char *
ngx_http_govsvc_jwks_zone(ngx_conf_t *cf, ngx_http_govsvc_jwks_t *j)
{
    size_t            size;
    ngx_str_t         name;
    static ngx_str_t  duty = ngx_string("jwks_uri");

    name.len = sizeof("govsvc_jwks..1.") - 1 + j->is->name.len + 8;
    name.data = ngx_pnalloc(cf->pool, name.len + 1);

    if (name.data == NULL) {
        return NGX_CONF_ERROR;
    }

    name.len = (size_t) (ngx_sprintf(name.data, "govsvc_jwks.%V.1.%08xD%Z",
                                     &j->is->name,
                                     ngx_crc32_long(j->url.data, j->url.len))
                         - name.data) - 1;

    size = gs_blob_size(j->max_size) + sizeof(ngx_http_govsvc_jwks_shared_t);
    size = ngx_align(size, ngx_pagesize) + 16 * ngx_pagesize;

    j->zone = ngx_shared_memory_add(cf, &name, size,
                                    &ngx_http_govsvc_token_module);

    if (j->zone == NULL) {
        return NGX_CONF_ERROR;
    }

    j->zone->init = ngx_http_govsvc_jwks_init_zone;
    j->zone->data = j;

    j->lead = ngx_govsvc_lead_add(cf, &duty, NULL, NULL);

    return j->lead == NULL ? NGX_CONF_ERROR : NGX_CONF_OK;
}


char *
ngx_http_govsvc_jwks_init(ngx_conf_t *cf, ngx_http_govsvc_issuer_t *is)
{
    ngx_http_core_loc_conf_t  *clcf;
    static ngx_str_t           who = ngx_string("jwks_uri");

    if (is->jwks == NULL) {
        return NGX_CONF_OK;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    return ngx_govsvc_http_resolver(cf, &is->jwks->target, clcf->resolver,
                                    &who);
}


static ngx_int_t
ngx_http_govsvc_jwks_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_http_govsvc_jwks_t *old = data;

    void                    *base;
    ngx_slab_pool_t         *shpool;
    ngx_http_govsvc_jwks_t  *j;

    j = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (j->save != NULL
        && ngx_govsvc_save_prepare(j->save, j->cycle) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (old != NULL) {
        j->shared = old->shared;
        j->blob = old->blob;
        return NGX_OK;
    }

    if (zone->shm.exists) {
        base = shpool->data;

    } else {
        base = ngx_slab_calloc(shpool, sizeof(ngx_http_govsvc_jwks_shared_t)
                                       + gs_blob_size(j->max_size));
        if (base == NULL) {
            return NGX_ERROR;
        }

        shpool->data = base;

        (void) gs_blob_create((ngx_http_govsvc_jwks_shared_t *) base + 1,
                              j->max_size);
    }

    j->shared = base;
    j->blob = gs_blob_open(j->shared + 1, j->max_size);

    if (j->blob == NULL) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "zone \"%V\" has another layout", &zone->shm.name);
        return NGX_ERROR;
    }

    return ngx_http_govsvc_jwks_restore(j, zone->shm.log);
}


/* What was good before the restart, as if it had been fetched then. */

static ngx_int_t
ngx_http_govsvc_jwks_restore(ngx_http_govsvc_jwks_t *j, ngx_log_t *log)
{
    time_t       changed;
    gs_str_t     s;
    ngx_int_t    rc;
    ngx_str_t    text;
    ngx_pool_t  *pool;

    if (j->save == NULL || gs_blob_generation(j->blob) != 0) {
        return NGX_OK;
    }

    pool = ngx_create_pool(4096, log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_govsvc_save_read(j->save, pool, &text, &changed, log);

    if (rc == NGX_OK
        && (changed > ngx_time()
            || ngx_time() - changed > (time_t) (j->grace / 1000)))
    {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "govsvc jwks: the state of issuer \"%V\" is older than "
                      "grace, or of the future, and is not used",
                      &j->is->name);
        rc = NGX_DECLINED;
    }

    if (rc == NGX_OK) {
        s = ngx_govsvc_to_gs(&text);

        if (gs_blob_publish(j->blob, &s) == GS_OK) {
            j->shared->good = (uint64_t) changed;
        }
    }

    ngx_destroy_pool(pool);

    return NGX_OK;
}
