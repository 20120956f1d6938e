
/*
 * Copyright (C) govsvc authors
 *
 * Audit: the parameters of govsvc_audit_store.
 */


#include "http/ngx_http_govsvc_audit_priv.h"


#define NGX_HTTP_GOVSVC_AUDIT_DAY      ((uint64_t) 24 * 3600 * 1000)

#define NGX_HTTP_GOVSVC_AUDIT_KB       ((uint64_t) 1024)
#define NGX_HTTP_GOVSVC_AUDIT_MB       (1024 * NGX_HTTP_GOVSVC_AUDIT_KB)


typedef char *(*ngx_http_govsvc_audit_set_pt)(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf, ngx_str_t *value);


typedef struct {
    ngx_str_t                     name;
    ngx_http_govsvc_audit_set_pt  set;
} ngx_http_govsvc_audit_param_t;


static char *ngx_http_govsvc_audit_params(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf);
static char *ngx_http_govsvc_audit_dir(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf, ngx_str_t *value);
static char *ngx_http_govsvc_audit_alg(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf, ngx_str_t *value);
static char *ngx_http_govsvc_audit_segment(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf, ngx_str_t *value);
static char *ngx_http_govsvc_audit_segment_time(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf, ngx_str_t *value);
static char *ngx_http_govsvc_audit_sync(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf, ngx_str_t *value);
static char *ngx_http_govsvc_audit_retention(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf, ngx_str_t *value);
static char *ngx_http_govsvc_audit_buffer(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf, ngx_str_t *value);
static char *ngx_http_govsvc_audit_flush(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf, ngx_str_t *value);
static char *ngx_http_govsvc_audit_size(ngx_conf_t *cf, const char *what,
    ngx_str_t *value, uint64_t min, uint64_t max, uint64_t *size);
static char *ngx_http_govsvc_audit_zone(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf);


static const ngx_http_govsvc_audit_param_t  ngx_http_govsvc_audit_table[] = {
    { ngx_string("dir="), ngx_http_govsvc_audit_dir },
    { ngx_string("alg="), ngx_http_govsvc_audit_alg },
    { ngx_string("segment="), ngx_http_govsvc_audit_segment },
    { ngx_string("segment_time="), ngx_http_govsvc_audit_segment_time },
    { ngx_string("sync="), ngx_http_govsvc_audit_sync },
    { ngx_string("retention="), ngx_http_govsvc_audit_retention },
    { ngx_string("buffer="), ngx_http_govsvc_audit_buffer },
    { ngx_string("flush="), ngx_http_govsvc_audit_flush },
    { ngx_null_string, NULL }
};


static const char *const  ngx_http_govsvc_audit_names[] = {
    "dir=", "alg=", "segment=", "segment_time=", "sync=", "retention=",
    "buffer=", "flush=", NULL
};


char *
ngx_http_govsvc_audit_store(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_audit_main_conf_t *amcf = conf;

    if (amcf->dir.len != 0) {
        return "is duplicate";
    }

    if (ngx_http_govsvc_audit_params(cf, amcf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (amcf->dir.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"govsvc_audit_store\" must have the parameter "
                           "\"dir=\"");
        return NGX_CONF_ERROR;
    }

    return ngx_http_govsvc_audit_zone(cf, amcf);
}


static char *
ngx_http_govsvc_audit_params(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf)
{
    ngx_str_t                            *value, v;
    ngx_uint_t                            i;
    const ngx_http_govsvc_audit_param_t  *param;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        for (param = ngx_http_govsvc_audit_table; param->set; param++) {
            if (value[i].len > param->name.len
                && ngx_strncmp(value[i].data, param->name.data,
                               param->name.len) == 0)
            {
                break;
            }
        }

        if (param->set == NULL) {
            return ngx_govsvc_conf_invalid(cf, "parameter", &value[i],
                                           ngx_http_govsvc_audit_names);
        }

        v.len = value[i].len - param->name.len;
        v.data = value[i].data + param->name.len;

        if (param->set(cf, amcf, &v) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_audit_dir(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf, ngx_str_t *value)
{
    amcf->dir = *value;

    if (amcf->dir.len > 1 && amcf->dir.data[amcf->dir.len - 1] == '/') {
        amcf->dir.len--;
        amcf->dir.data[amcf->dir.len] = '\0';
    }

    if (ngx_conf_full_name(cf->cycle, &amcf->dir, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_audit_alg(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf, ngx_str_t *value)
{
    gs_str_t        name;
    gs_audit_alg_e  alg;

    static const char *const  names[] = { "sm3", "sha256", NULL };

    name = ngx_govsvc_to_gs(value);

    if (gs_audit_alg_find(&name, &alg) != GS_OK) {
        return ngx_govsvc_conf_invalid(cf, "alg", value, names);
    }

    amcf->alg = (ngx_uint_t) alg;

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_audit_segment(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf, ngx_str_t *value)
{
    char      *rv;
    uint64_t   size;

    size = 0;
    rv = ngx_http_govsvc_audit_size(cf, "segment", value,
                                    64 * NGX_HTTP_GOVSVC_AUDIT_KB,
                                    4096 * NGX_HTTP_GOVSVC_AUDIT_MB, &size);
    amcf->segment = (off_t) size;

    return rv;
}


static char *
ngx_http_govsvc_audit_buffer(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf, ngx_str_t *value)
{
    char      *rv;
    uint64_t   size;

    size = 0;
    rv = ngx_http_govsvc_audit_size(cf, "buffer", value,
                                    64 * NGX_HTTP_GOVSVC_AUDIT_KB,
                                    256 * NGX_HTTP_GOVSVC_AUDIT_MB, &size);
    amcf->buffer = ngx_align((size_t) size, 64);

    return rv;
}


static char *
ngx_http_govsvc_audit_size(ngx_conf_t *cf, const char *what, ngx_str_t *value,
    uint64_t min, uint64_t max, uint64_t *size)
{
    gs_str_t  s;

    s = ngx_govsvc_to_gs(value);

    if (gs_parse_size(&s, size) != GS_OK || *size < min || *size > max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid %s \"%V\", allowed: %uLk to %uLm",
                           what, value, min / NGX_HTTP_GOVSVC_AUDIT_KB,
                           max / NGX_HTTP_GOVSVC_AUDIT_MB);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_audit_segment_time(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf, ngx_str_t *value)
{
    gs_str_t  s;
    uint64_t  msec;

    s = ngx_govsvc_to_gs(value);

    if (gs_parse_msec(&s, &msec) != GS_OK || msec < 1000
        || msec > NGX_HTTP_GOVSVC_AUDIT_DAY)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid segment_time \"%V\", allowed: 1s to 24h",
                           value);
        return NGX_CONF_ERROR;
    }

    amcf->segment_time = (ngx_msec_t) msec;

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_audit_sync(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf, ngx_str_t *value)
{
    gs_str_t  s;

    static const char *const  names[] = { "group", "off", NULL };

    s = ngx_govsvc_to_gs(value);

    if (gs_str_eq_text(&s, "group")) {
        amcf->sync = 1;
        return NGX_CONF_OK;
    }

    if (gs_str_eq_text(&s, "off")) {
        amcf->sync = 0;
        return NGX_CONF_OK;
    }

    return ngx_govsvc_conf_invalid(cf, "sync", value, names);
}


static char *
ngx_http_govsvc_audit_retention(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf, ngx_str_t *value)
{
    gs_str_t  s;
    uint64_t  msec;

    s = ngx_govsvc_to_gs(value);

    if (gs_parse_msec(&s, &msec) != GS_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid retention \"%V\", allowed: days as in "
                           "\"180d\"", value);
        return NGX_CONF_ERROR;
    }

    amcf->keep = (ngx_uint_t) (msec / NGX_HTTP_GOVSVC_AUDIT_DAY);

    if (amcf->keep < NGX_HTTP_GOVSVC_AUDIT_KEEP) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "retention \"%V\" is too short: the Cybersecurity "
                           "Law (article 21) asks for six months, allowed: "
                           "180d or more", value);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_audit_flush(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf, ngx_str_t *value)
{
    gs_str_t  s;
    uint64_t  msec;

    s = ngx_govsvc_to_gs(value);

    if (gs_parse_msec(&s, &msec) != GS_OK || msec > 1000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid flush \"%V\", allowed: 0ms to 1000ms",
                           value);
        return NGX_CONF_ERROR;
    }

    amcf->flush = (ngx_msec_t) msec;

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_audit_zone(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf)
{
    ngx_str_t  name;

    ngx_str_set(&name, "govsvc_audit");

    amcf->zone = ngx_shared_memory_add(cf, &name, 8 * ngx_pagesize,
                                       &ngx_http_govsvc_audit_module);
    if (amcf->zone == NULL) {
        return NGX_CONF_ERROR;
    }

    amcf->zone->init = ngx_http_govsvc_audit_init_zone;
    amcf->zone->data = amcf;

    return NGX_CONF_OK;
}


/*
 * Two slots for each worker, since those of the configuration before live on,
 * and some for chains of the dead.  Memory that nobody writes to takes none.
 */

void
ngx_http_govsvc_audit_zone_size(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf)
{
    size_t            size;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                           ngx_core_module);

    amcf->nslots = (ccf->worker_processes == NGX_CONF_UNSET)
                   ? (ngx_uint_t) ngx_max(ngx_ncpu, 1)
                   : (ngx_uint_t) ccf->worker_processes;
    amcf->nslots = 2 * amcf->nslots + 8;

    size = amcf->nslots * ngx_http_govsvc_audit_slot_size(amcf);

    /* a page of the slab for each, and its own description of it */

    amcf->zone->shm.size = ngx_align(size + size / 64 + 16 * ngx_pagesize,
                                     ngx_pagesize);
}
