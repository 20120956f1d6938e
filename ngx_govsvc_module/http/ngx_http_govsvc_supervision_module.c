
/*
 * Copyright (C) govsvc authors
 *
 * Electronic supervision: what platforms say of cases in the headers of their
 * answers becomes a record as soon as it is there.  The record lies in memory
 * that outlives this process before the answer goes out.
 */


#include "audit/gs_audit_supervision.h"
#include "http/ngx_http_govsvc_audit_priv.h"
#include "http/ngx_http_govsvc_metrics.h"


#define NGX_HTTP_GOVSVC_SUPERVISION_OFF   0
#define NGX_HTTP_GOVSVC_SUPERVISION_ON    1
#define NGX_HTTP_GOVSVC_SUPERVISION_WARN  (24 * 3600 * 1000)   /* ms */


typedef struct {
    ngx_flag_t                   enable;
    ngx_flag_t                   pass;     /* the headers stay */
    ngx_msec_t                   warn;
} ngx_http_govsvc_supervision_loc_conf_t;


typedef struct {
    u_char                      *file;     /* the first "on" */
    ngx_uint_t                   line;
} ngx_http_govsvc_supervision_main_conf_t;


static void *ngx_http_govsvc_supervision_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_supervision_init_main_conf(ngx_conf_t *cf,
    void *conf);
static void *ngx_http_govsvc_supervision_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_supervision_merge_loc_conf(ngx_conf_t *cf,
    void *parent, void *child);
static char *ngx_http_govsvc_supervision(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static void ngx_http_govsvc_supervision_context(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, gs_audit_supervision_t *s);
static void ngx_http_govsvc_supervision_write(gs_audit_supervision_t *s);


static const ngx_conf_enum_t  ngx_http_govsvc_supervision_words[] = {
    { ngx_string("off"), NGX_HTTP_GOVSVC_SUPERVISION_OFF },
    { ngx_string("on"), NGX_HTTP_GOVSVC_SUPERVISION_ON },
    { ngx_null_string, 0 }
};


static ngx_command_t  ngx_http_govsvc_supervision_commands[] = {

    { ngx_string("govsvc_supervision"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE123,
      ngx_http_govsvc_supervision,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_govsvc_supervision_loc_conf_t, enable),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_govsvc_supervision_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_govsvc_supervision_create_main_conf,
    ngx_http_govsvc_supervision_init_main_conf,

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_govsvc_supervision_create_loc_conf,
    ngx_http_govsvc_supervision_merge_loc_conf
};


ngx_module_t  ngx_http_govsvc_supervision_module = {
    NGX_MODULE_V1,
    &ngx_http_govsvc_supervision_module_ctx, /* module context */
    ngx_http_govsvc_supervision_commands,  /* module directives */
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
ngx_http_govsvc_supervision_create_main_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool,
                       sizeof(ngx_http_govsvc_supervision_main_conf_t));
}


static char *
ngx_http_govsvc_supervision_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_supervision_main_conf_t *smcf = conf;

    ngx_http_govsvc_audit_main_conf_t  *amcf;

    amcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_audit_module);

    if (smcf->file != NULL && amcf->dir.len == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"govsvc_supervision\" writes into the audit store: "
                      "add \"govsvc_audit_store dir=...\" to the http block "
                      "in %s:%ui", smcf->file, smcf->line);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static void *
ngx_http_govsvc_supervision_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_supervision_loc_conf_t  *conf;

    conf = ngx_palloc(cf->pool,
                      sizeof(ngx_http_govsvc_supervision_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->enable = NGX_CONF_UNSET;
    conf->pass = NGX_CONF_UNSET;
    conf->warn = NGX_CONF_UNSET_MSEC;

    return conf;
}


static char *
ngx_http_govsvc_supervision_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child)
{
    ngx_http_govsvc_supervision_loc_conf_t *prev = parent;
    ngx_http_govsvc_supervision_loc_conf_t *conf = child;

    /* the parameters belong to the directive, not to the level */

    if (conf->enable == NGX_CONF_UNSET) {
        *conf = *prev;
    }

    ngx_conf_merge_value(conf->enable, prev->enable,
                         NGX_HTTP_GOVSVC_SUPERVISION_OFF);
    ngx_conf_merge_value(conf->pass, prev->pass, 0);
    ngx_conf_merge_msec_value(conf->warn, prev->warn,
                              NGX_HTTP_GOVSVC_SUPERVISION_WARN);

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_supervision(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_supervision_loc_conf_t *slcf = conf;

    gs_str_t                                  s, word;
    uint64_t                                  ms;
    ngx_str_t                                *value, values[2];
    const ngx_conf_enum_t                    *e;
    ngx_http_govsvc_supervision_main_conf_t  *smcf;

    static const char *const  words[] = { "on", "off", NULL };
    static const char *const  names[] = { "pass", "warn=", NULL };

    if (slcf->enable != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;
    s = ngx_govsvc_to_gs(&value[1]);

    for (e = ngx_http_govsvc_supervision_words; e->name.len != 0; e++) {
        word = ngx_govsvc_to_gs(&e->name);

        if (gs_str_eq(&s, &word)) {
            slcf->enable = (ngx_flag_t) e->value;
            break;
        }
    }

    if (e->name.len == 0) {
        return ngx_govsvc_conf_invalid(cf, "word", &value[1], words);
    }

    if (ngx_govsvc_conf_params(cf, 2, names, values) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (!slcf->enable) {

        if (cf->args->nelts > 2) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"govsvc_supervision off\" has no "
                               "parameters");
            return NGX_CONF_ERROR;
        }

        return NGX_CONF_OK;
    }

    slcf->pass = (values[0].data != NULL);

    if (values[1].data != NULL) {
        s = ngx_govsvc_to_gs(&values[1]);

        if (gs_parse_msec(&s, &ms) != GS_OK
            || ms > (uint64_t) 30 * 24 * 3600 * 1000)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid warn \"%V\", allowed: 0 to 30d",
                               &values[1]);
            return NGX_CONF_ERROR;
        }

        slcf->warn = (ngx_msec_t) ms;
    }

    smcf = ngx_http_conf_get_module_main_conf(cf,
                                          ngx_http_govsvc_supervision_module);

    if (smcf->file == NULL) {
        smcf->file = cf->conf_file->file.name.data;
        smcf->line = cf->conf_file->line;
    }

    ngx_http_govsvc_enable(cf);

    return NGX_CONF_OK;
}


ngx_uint_t
ngx_http_govsvc_supervision_passes(ngx_http_request_t *r,
    const ngx_str_t *name)
{
    gs_str_t                                 s;
    ngx_http_govsvc_supervision_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_supervision_module);

    if (!slcf->enable || !slcf->pass) {
        return 0;
    }

    s = ngx_govsvc_to_gs(name);

    return gs_audit_supervision_field(&s) != GS_AUDIT_SUPERVISION_FIELDS;
}


void
ngx_http_govsvc_supervision_answer(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx)
{
    gs_str_t                                 name, value;
    unsigned                                 field;
    ngx_uint_t                               i, status;
    ngx_list_part_t                         *part;
    ngx_table_elt_t                         *h;
    gs_audit_supervision_t                   s;
    ngx_http_govsvc_supervision_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_supervision_module);

    if (!slcf->enable || r->upstream == NULL) {
        return;
    }

#if (NGX_HTTP_CACHE)

    /* the platform said it once, whoever reads it again */

    if (r->cached) {
        return;
    }

#endif

    ngx_memzero(&s, sizeof(gs_audit_supervision_t));

    status = r->upstream->headers_in.status_n;

    for (part = &r->upstream->headers_in.headers.part;
         part != NULL;
         part = part->next)
    {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len < sizeof("x-govsvc-") - 1
                || (h[i].key.data[0] | 0x20) != 'x')
            {
                continue;
            }

            name = ngx_govsvc_to_gs(&h[i].key);
            field = gs_audit_supervision_field(&name);

            if (field != GS_AUDIT_SUPERVISION_FIELDS) {
                value = ngx_govsvc_to_gs(&h[i].value);
                gs_audit_supervision_take(&s, field, &value);
            }
        }
    }

    if (gs_audit_supervision_any(&s)) {
        s.warn = (uint64_t) slcf->warn * 1000;
        s.status = (unsigned) status;

        ngx_http_govsvc_supervision_context(r, ctx, &s);
        ngx_http_govsvc_supervision_write(&s);
    }
}


static void
ngx_http_govsvc_supervision_context(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, gs_audit_supervision_t *s)
{
    s->request_id = ngx_govsvc_to_gs(&ctx->request_id);
    s->trace_id = ngx_govsvc_to_gs(&ctx->trace_id);
    s->item = ngx_govsvc_to_gs(&ctx->item);
    s->case_no = ngx_govsvc_to_gs(&ctx->case_no);
    s->region = ngx_govsvc_to_gs(&ctx->region);
    s->platform = ngx_govsvc_to_gs(&ctx->platform);
    s->channel = ngx_govsvc_to_gs(&ctx->channel);
    s->app = ngx_govsvc_to_gs(&ctx->app);
}


static void
ngx_http_govsvc_supervision_write(gs_audit_supervision_t *s)
{
    size_t                          head;
    u_char                         *p;
    gs_buf_t                        b;
    ngx_http_govsvc_audit_chain_t  *chain;

    chain = ngx_http_govsvc_audit_chain();

    if (chain == NULL) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                      "govsvc supervision: no chain in this process, what a "
                      "platform reported is not in the record");
        return;
    }

    p = ngx_http_govsvc_audit_room(chain, GS_AUDIT_SUPERVISION);

    s->node = chain->amcf->node;
    s->epoch = chain->amcf->epoch;
    s->g = ngx_http_govsvc_audit_next(chain->amcf);
    s->time = ngx_govsvc_wall_us();

    head = 0;

    if (p != NULL) {
        gs_buf_init(&b, p + NGX_HTTP_GOVSVC_AUDIT_HEAD, GS_AUDIT_DRAFT_MAX);
        head = gs_audit_json_supervision(&b, s);
    }

    ngx_http_govsvc_audit_write_draft(chain, GS_AUDIT_SUPERVISION, s->g, p,
                                      &b, head);
}
