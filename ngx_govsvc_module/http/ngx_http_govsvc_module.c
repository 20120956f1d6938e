
/*
 * Copyright (C) govsvc authors
 *
 * The entry module: the one table of stages, in the order of execution, and
 * the directives that belong to no single feature.
 */


#include "http/ngx_http_govsvc.h"
#include "http/ngx_http_govsvc_ctx.h"


typedef struct {
    ngx_str_t   node;
    ngx_flag_t  enabled;                   /* some feature acts */
} ngx_http_govsvc_main_conf_t;


typedef struct {
    ngx_http_phases      phase;
    ngx_http_handler_pt  handler;
} ngx_http_govsvc_stage_t;


static void *ngx_http_govsvc_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_set_node(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_govsvc_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_govsvc_postconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_govsvc_push(ngx_conf_t *cf,
    const ngx_http_govsvc_stage_t *stage);


static const ngx_http_govsvc_stage_t  ngx_http_govsvc_stages[] = {

    { NGX_HTTP_POST_READ_PHASE, ngx_http_govsvc_context_handler },
    { NGX_HTTP_SERVER_REWRITE_PHASE, ngx_http_govsvc_client_handler },
    { NGX_HTTP_SERVER_REWRITE_PHASE, ngx_http_govsvc_route_handler },
    { NGX_HTTP_PREACCESS_PHASE, ngx_http_govsvc_ban_client_handler },
    { NGX_HTTP_PREACCESS_PHASE, ngx_http_govsvc_guard_handler },
    { NGX_HTTP_PREACCESS_PHASE, ngx_http_govsvc_correlate_client_handler },
    { NGX_HTTP_PREACCESS_PHASE, ngx_http_govsvc_limit_client_handler },
    { NGX_HTTP_PREACCESS_PHASE, ngx_http_govsvc_conn_client_handler },
    { NGX_HTTP_PREACCESS_PHASE, ngx_http_govsvc_quota_client_handler },
    { NGX_HTTP_PREACCESS_PHASE, ngx_http_govsvc_token_verify_handler },
    { NGX_HTTP_PREACCESS_PHASE, ngx_http_govsvc_app_verify_handler },
    { NGX_HTTP_PREACCESS_PHASE, ngx_http_govsvc_ban_caller_handler },
    { NGX_HTTP_PREACCESS_PHASE, ngx_http_govsvc_correlate_caller_handler },
    { NGX_HTTP_ACCESS_PHASE, ngx_http_govsvc_token_decide_handler },
    { NGX_HTTP_PRECONTENT_PHASE, ngx_http_govsvc_limit_subject_handler },
    { NGX_HTTP_PRECONTENT_PHASE, ngx_http_govsvc_conn_subject_handler },
    { NGX_HTTP_PRECONTENT_PHASE, ngx_http_govsvc_quota_subject_handler },
    { NGX_HTTP_PRECONTENT_PHASE, ngx_http_govsvc_app_body_handler },
    { NGX_HTTP_PRECONTENT_PHASE, ngx_http_govsvc_guard_body_handler },
    { NGX_HTTP_PRECONTENT_PHASE, ngx_http_govsvc_commit_handler },
    { NGX_HTTP_PRECONTENT_PHASE, ngx_http_govsvc_identity_handler },
    { NGX_HTTP_PRECONTENT_PHASE, ngx_http_govsvc_audit_intent_handler },
    { NGX_HTTP_LOG_PHASE, ngx_http_govsvc_guard_log_handler },
    { NGX_HTTP_LOG_PHASE, ngx_http_govsvc_correlate_handler },
    { NGX_HTTP_LOG_PHASE, ngx_http_govsvc_audit_handler },
    { NGX_HTTP_LOG_PHASE, ngx_http_govsvc_event_handler },
    { NGX_HTTP_LOG_PHASE, ngx_http_govsvc_metrics_handler }
};


#define NGX_HTTP_GOVSVC_STAGES                                                \
    (sizeof(ngx_http_govsvc_stages) / sizeof(ngx_http_govsvc_stages[0]))


static ngx_command_t  ngx_http_govsvc_commands[] = {

    { ngx_string("govsvc_node"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_govsvc_set_node,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_main_conf_t, node),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_govsvc_module_ctx = {
    ngx_http_govsvc_preconfiguration,      /* preconfiguration */
    ngx_http_govsvc_postconfiguration,     /* postconfiguration */

    ngx_http_govsvc_create_main_conf,      /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_govsvc_module = {
    NGX_MODULE_V1,
    &ngx_http_govsvc_module_ctx,           /* module context */
    ngx_http_govsvc_commands,              /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_govsvc_ctx_init_process,      /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


void
ngx_http_govsvc_enable(ngx_conf_t *cf)
{
    ngx_http_govsvc_main_conf_t  *gmcf;

    gmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_govsvc_module);
    gmcf->enabled = 1;
}


ngx_str_t *
ngx_http_govsvc_node(ngx_conf_t *cf)
{
    ngx_http_govsvc_main_conf_t  *gmcf;

    gmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_govsvc_module);

    return gmcf->node.len != 0 ? &gmcf->node : &cf->cycle->hostname;
}


static void *
ngx_http_govsvc_create_main_conf(ngx_conf_t *cf)
{
    /* set by pcalloc(): node = { 0, NULL }, enabled = 0 */

    return ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_main_conf_t));
}


static char *
ngx_http_govsvc_set_node(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_main_conf_t *gmcf = conf;

    u_char      c;
    size_t      i;
    ngx_str_t  *value;

    if (gmcf->node.len != 0) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0 || value[1].len > 32) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid node \"%V\", allowed: 1 to 32 characters",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < value[1].len; i++) {
        c = value[1].data[i];

        if (!gs_is_alpha(c) && !gs_is_digit(c) && c != '-' && c != '_') {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid node \"%V\", allowed: letters, "
                               "digits, \"-\" and \"_\"", &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    gmcf->node = value[1];

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_govsvc_preconfiguration(ngx_conf_t *cf)
{
    return ngx_http_govsvc_add_variables(cf, ngx_http_govsvc_variables);
}


/*
 * Nginx runs the handlers of a phase from the last pushed to the first, those
 * of the log phase the other way round.
 */

static ngx_int_t
ngx_http_govsvc_postconfiguration(ngx_conf_t *cf)
{
    ngx_uint_t                    i;
    ngx_http_govsvc_main_conf_t  *gmcf;

    gmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_govsvc_module);

    if (!gmcf->enabled) {
        return NGX_OK;
    }

    for (i = NGX_HTTP_GOVSVC_STAGES; i != 0; i--) {
        if (ngx_http_govsvc_stages[i - 1].phase != NGX_HTTP_LOG_PHASE
            && ngx_http_govsvc_push(cf, &ngx_http_govsvc_stages[i - 1])
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < NGX_HTTP_GOVSVC_STAGES; i++) {
        if (ngx_http_govsvc_stages[i].phase == NGX_HTTP_LOG_PHASE
            && ngx_http_govsvc_push(cf, &ngx_http_govsvc_stages[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_http_govsvc_filter_init(cf);
}


static ngx_int_t
ngx_http_govsvc_push(ngx_conf_t *cf, const ngx_http_govsvc_stage_t *stage)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[stage->phase].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = stage->handler;

    return NGX_OK;
}
