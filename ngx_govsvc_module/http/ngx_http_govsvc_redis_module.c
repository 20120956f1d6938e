
/*
 * Copyright (C) govsvc authors
 *
 * The block govsvc_redis, the state of each as a variable, and the life of
 * their connections in a worker.
 */


#include "http/ngx_http_govsvc_redis.h"


#define NGX_HTTP_GOVSVC_REDIS_STATE  "govsvc_redis_state_"


typedef struct {
    ngx_array_t  all;                      /* ngx_govsvc_redis_t * */
} ngx_http_govsvc_redis_main_conf_t;


static ngx_int_t ngx_http_govsvc_redis_add_variables(ngx_conf_t *cf);
static void *ngx_http_govsvc_redis_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_redis_init_main_conf(ngx_conf_t *cf, void *conf);
static char *ngx_http_govsvc_redis_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_govsvc_redis_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_govsvc_redis_init_process(ngx_cycle_t *cycle);
static void ngx_http_govsvc_redis_exit_process(ngx_cycle_t *cycle);


static ngx_command_t  ngx_http_govsvc_redis_commands[] = {

    { ngx_string("govsvc_redis"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_govsvc_redis_block,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_govsvc_redis_module_ctx = {
    ngx_http_govsvc_redis_add_variables,   /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_govsvc_redis_create_main_conf,
    ngx_http_govsvc_redis_init_main_conf,

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_govsvc_redis_module = {
    NGX_MODULE_V1,
    &ngx_http_govsvc_redis_module_ctx,     /* module context */
    ngx_http_govsvc_redis_commands,        /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_govsvc_redis_init_process,    /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_govsvc_redis_exit_process,    /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_http_variable_t  ngx_http_govsvc_redis_vars[] = {

    { ngx_string("govsvc_redis_state"), NULL, ngx_http_govsvc_redis_variable,
      0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("govsvc_redis_state_"), NULL,
      ngx_http_govsvc_redis_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

      ngx_http_null_variable
};


ngx_govsvc_redis_t *
ngx_http_govsvc_redis(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_uint_t                           i;
    const ngx_str_t                     *other;
    ngx_govsvc_redis_t                  *rd, **all;
    ngx_http_govsvc_redis_main_conf_t   *rmcf;

    rmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_redis_module);
    all = rmcf->all.elts;

    for (i = 0; i < rmcf->all.nelts; i++) {
        other = ngx_govsvc_redis_name(all[i]);

        if (other->len == name->len
            && ngx_memcmp(other->data, name->data, name->len) == 0)
        {
            return all[i];
        }
    }

    rd = ngx_govsvc_redis_conf_create(cf, name);

    if (rd == NULL) {
        return NULL;
    }

    all = ngx_array_push(&rmcf->all);

    if (all == NULL) {
        return NULL;
    }

    *all = rd;

    return rd;
}


ngx_array_t *
ngx_http_govsvc_redis_all(ngx_cycle_t *cycle)
{
    ngx_http_govsvc_redis_main_conf_t  *rmcf;

    rmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_govsvc_redis_module);

    return rmcf != NULL ? &rmcf->all : NULL;
}


static ngx_int_t
ngx_http_govsvc_redis_add_variables(ngx_conf_t *cf)
{
    return ngx_http_govsvc_add_variables(cf, ngx_http_govsvc_redis_vars);
}


static void *
ngx_http_govsvc_redis_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_redis_main_conf_t  *rmcf;

    rmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_redis_main_conf_t));

    if (rmcf == NULL
        || ngx_array_init(&rmcf->all, cf->pool, 2,
                          sizeof(ngx_govsvc_redis_t *))
           != NGX_OK)
    {
        return NULL;
    }

    return rmcf;
}


static char *
ngx_http_govsvc_redis_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_redis_main_conf_t *rmcf = conf;

    ngx_uint_t                  i;
    ngx_govsvc_redis_t        **all;
    ngx_http_core_loc_conf_t   *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    all = rmcf->all.elts;

    for (i = 0; i < rmcf->all.nelts; i++) {
        if (ngx_govsvc_redis_conf_init(cf, all[i], ngx_http_govsvc_node(cf),
                                       clcf->resolver,
                                       clcf->resolver_timeout)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_redis_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t           *value;
    ngx_govsvc_redis_t  *rd;

    value = cf->args->elts;

    rd = ngx_http_govsvc_redis(cf, &value[1]);

    if (rd == NULL) {
        return NGX_CONF_ERROR;
    }

    return ngx_govsvc_redis_conf_block(cf, rd);
}


/* Of one by its name, else the worst of all. */

static ngx_int_t
ngx_http_govsvc_redis_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *full = (ngx_str_t *) data;

    ngx_str_t                            name;
    ngx_uint_t                           i;
    const char                          *text;
    const ngx_str_t                     *other;
    ngx_govsvc_redis_t                 **all;
    ngx_govsvc_redis_state_e             state, worst;
    ngx_http_govsvc_redis_main_conf_t   *rmcf;

    ngx_str_null(&name);

    if (full != NULL) {
        name.data = full->data + sizeof(NGX_HTTP_GOVSVC_REDIS_STATE) - 1;
        name.len = full->len - (sizeof(NGX_HTTP_GOVSVC_REDIS_STATE) - 1);
    }

    rmcf = ngx_http_get_module_main_conf(r, ngx_http_govsvc_redis_module);
    all = rmcf->all.elts;
    worst = NGX_GOVSVC_REDIS_STATE_OFF;

    for (i = 0; i < rmcf->all.nelts; i++) {
        other = ngx_govsvc_redis_name(all[i]);

        if (full != NULL
            && (other->len != name.len
                || ngx_strncasecmp(other->data, name.data, name.len) != 0))
        {
            continue;
        }

        state = ngx_govsvc_redis_state(all[i]);

        if (worst == NGX_GOVSVC_REDIS_STATE_OFF
            || worst == NGX_GOVSVC_REDIS_STATE_READY
            || (state > worst && state != NGX_GOVSVC_REDIS_STATE_READY))
        {
            worst = state;
        }
    }

    if (worst == NGX_GOVSVC_REDIS_STATE_OFF) {
        v->not_found = 1;
        return NGX_OK;
    }

    text = ngx_govsvc_redis_state_text(worst);

    v->data = (u_char *) text;
    v->len = (unsigned) ngx_strlen(text);
    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;

    return NGX_OK;
}


/* Workers only: not the master, not the cache processes, not nginx -t. */

static ngx_int_t
ngx_http_govsvc_redis_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t             i;
    ngx_array_t           *redises;
    ngx_govsvc_redis_t   **all;

    redises = ngx_http_govsvc_redis_all(cycle);

    if (redises == NULL
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    all = redises->elts;

    for (i = 0; i < redises->nelts; i++) {
        if (ngx_govsvc_redis_start(all[i], cycle) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_http_govsvc_redis_exit_process(ngx_cycle_t *cycle)
{
    ngx_uint_t             i;
    ngx_array_t           *redises;
    ngx_govsvc_redis_t   **all;

    redises = ngx_http_govsvc_redis_all(cycle);

    if (redises == NULL) {
        return;
    }

    all = redises->elts;

    for (i = 0; i < redises->nelts; i++) {
        ngx_govsvc_redis_stop(all[i]);
    }
}
