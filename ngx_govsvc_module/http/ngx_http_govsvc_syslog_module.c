
/*
 * Copyright (C) govsvc authors
 *
 * Audit records for receivers of syslog: the directive govsvc_audit_syslog.
 */


#include "http/ngx_http_govsvc_syslog.h"


#define NGX_HTTP_GOVSVC_SYSLOG_RESEND    30000
#define NGX_HTTP_GOVSVC_SYSLOG_DATAGRAM  1800  /* bytes of a record's text */


typedef enum {
    NGX_HTTP_GOVSVC_SYSLOG_TYPES = 0,
    NGX_HTTP_GOVSVC_SYSLOG_FACILITY,
    NGX_HTTP_GOVSVC_SYSLOG_APP,
    NGX_HTTP_GOVSVC_SYSLOG_SD,
    NGX_HTTP_GOVSVC_SYSLOG_MAX,
    NGX_HTTP_GOVSVC_SYSLOG_BATCH,
    NGX_HTTP_GOVSVC_SYSLOG_RESENDS,
    NGX_HTTP_GOVSVC_SYSLOG_REPLAY,
    NGX_HTTP_GOVSVC_SYSLOG_CA,
    NGX_HTTP_GOVSVC_SYSLOG_NAME,
    NGX_HTTP_GOVSVC_SYSLOG_CERT,
    NGX_HTTP_GOVSVC_SYSLOG_KEY,
    NGX_HTTP_GOVSVC_SYSLOG_PARAMS
} ngx_http_govsvc_syslog_param_e;


typedef struct {
    ngx_array_t  targets;                  /* ngx_http_govsvc_syslog_conf_t */
} ngx_http_govsvc_syslog_main_conf_t;


typedef struct {
    ngx_http_govsvc_feed_conf_t     feed;
    ngx_http_govsvc_syslog_t       *st;
    u_char                         *file;
    ngx_uint_t                      line;
} ngx_http_govsvc_syslog_conf_t;


static void *ngx_http_govsvc_syslog_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_syslog_init_main_conf(ngx_conf_t *cf,
    void *conf);
static char *ngx_http_govsvc_syslog_target(ngx_conf_t *cf,
    ngx_http_govsvc_syslog_conf_t *sc);
static char *ngx_http_govsvc_syslog(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_govsvc_syslog_numbers(ngx_conf_t *cf,
    ngx_http_govsvc_syslog_conf_t *sc, ngx_str_t *values);


static ngx_command_t  ngx_http_govsvc_syslog_commands[] = {

    { ngx_string("govsvc_audit_syslog"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_govsvc_syslog,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_syslog_main_conf_t, targets),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_govsvc_syslog_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_govsvc_syslog_create_main_conf,
    ngx_http_govsvc_syslog_init_main_conf,

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_govsvc_syslog_module = {
    NGX_MODULE_V1,
    &ngx_http_govsvc_syslog_module_ctx,    /* module context */
    ngx_http_govsvc_syslog_commands,       /* module directives */
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
ngx_http_govsvc_syslog_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_syslog_main_conf_t  *smcf;

    smcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_syslog_main_conf_t));

    if (smcf == NULL
        || ngx_array_init(&smcf->targets, cf->pool, 2,
                          sizeof(ngx_http_govsvc_syslog_conf_t *))
           != NGX_OK)
    {
        return NULL;
    }

    return smcf;
}


static char *
ngx_http_govsvc_syslog(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_syslog_main_conf_t *smcf = conf;

    ngx_str_t                        *value;
    ngx_str_t                         values[NGX_HTTP_GOVSVC_SYSLOG_PARAMS];
    ngx_govsvc_syslog_tls_t           tls;
    ngx_http_govsvc_syslog_conf_t    *sc, **slot;

    static const char *const  names[] = {
        "types=", "facility=", "app=", "sd_id=", "max=", "batch=", "resend=",
        "replay=", "ca=", "name=", "cert=", "key=", NULL
    };

    value = cf->args->elts;

    sc = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_syslog_conf_t));
    slot = ngx_array_push(&smcf->targets);

    if (sc == NULL || slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = sc;

    sc->file = cf->conf_file->file.name.data;
    sc->line = cf->conf_file->line;
    sc->st = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_syslog_t));

    if (sc->st == NULL
        || ngx_govsvc_conf_params(cf, 2, names, values) != NGX_CONF_OK
        || ngx_http_govsvc_feed_types(cf, &sc->feed,
                                   &values[NGX_HTTP_GOVSVC_SYSLOG_TYPES])
           != NGX_CONF_OK
        || ngx_http_govsvc_syslog_head(cf, &sc->st->head, &value[1],
                                   &values[NGX_HTTP_GOVSVC_SYSLOG_FACILITY],
                                   &values[NGX_HTTP_GOVSVC_SYSLOG_APP],
                                   &values[NGX_HTTP_GOVSVC_SYSLOG_SD])
           != NGX_CONF_OK
        || ngx_http_govsvc_syslog_numbers(cf, sc, values) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    tls.ca = values[NGX_HTTP_GOVSVC_SYSLOG_CA];
    tls.name = values[NGX_HTTP_GOVSVC_SYSLOG_NAME];
    tls.cert = values[NGX_HTTP_GOVSVC_SYSLOG_CERT];
    tls.key = values[NGX_HTTP_GOVSVC_SYSLOG_KEY];

    sc->st->sender = ngx_govsvc_syslog_conf(cf, &value[1], &tls);

    return (sc->st->sender != NULL) ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_http_govsvc_syslog_head(ngx_conf_t *cf,
    ngx_http_govsvc_syslog_head_t *head, const ngx_str_t *address,
    ngx_str_t *facility, ngx_str_t *app, ngx_str_t *sd)
{
    size_t    i;
    gs_str_t  s;

    /* RFC 5424 section 6.1: what each receiver should take */

    head->max = (ngx_strncmp(address->data, "udp:", 4) == 0)
                ? NGX_HTTP_GOVSVC_SYSLOG_DATAGRAM : 0;
    head->facility = 13;

    if (facility->data != NULL) {
        s = ngx_govsvc_to_gs(facility);

        if (gs_audit_syslog_facility(&s, &head->facility) != GS_OK) {
            return ngx_govsvc_conf_invalid(cf, "facility", facility,
                                           gs_audit_syslog_facilities);
        }
    }

    head->app = gs_str_text("govsvc");

    if (app->data != NULL) {

        for (i = 0; i < app->len; i++) {
            if (app->data[i] <= ' ' || app->data[i] >= 0x7f) {
                break;
            }
        }

        if (i == 0 || i != app->len || i > GS_AUDIT_SYSLOG_APP) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid app \"%V\", allowed: 1 to %d visible "
                               "ASCII characters", app,
                               GS_AUDIT_SYSLOG_APP);
            return NGX_CONF_ERROR;
        }

        head->app = ngx_govsvc_to_gs(app);
    }

    head->sd = gs_str_text("govsvc@32473");

    if (sd->data != NULL) {
        head->sd = ngx_govsvc_to_gs(sd);

        if (!gs_audit_syslog_sd(&head->sd)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid sd_id \"%V\", allowed: NAME@NUMBER, "
                               "at most %d characters", sd,
                               GS_AUDIT_SYSLOG_SD);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_syslog_numbers(ngx_conf_t *cf,
    ngx_http_govsvc_syslog_conf_t *sc, ngx_str_t *values)
{
    gs_str_t    s;
    uint64_t    n;
    ngx_str_t  *value;

    value = &values[NGX_HTTP_GOVSVC_SYSLOG_MAX];

    if (value->data != NULL) {
        s = ngx_govsvc_to_gs(value);

        if (gs_parse_size(&s, &n) != GS_OK || n < 256
            || n > GS_AUDIT_LINE_MAX)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid max \"%V\", allowed: 256 to 8k",
                               value);
            return NGX_CONF_ERROR;
        }

        sc->st->head.max = (size_t) n;
    }

    sc->feed.batch = 256;
    value = &values[NGX_HTTP_GOVSVC_SYSLOG_BATCH];

    if (value->data != NULL) {
        s = ngx_govsvc_to_gs(value);

        if (gs_parse_u64(&s, &n) != GS_OK || n < 1
            || n > NGX_HTTP_GOVSVC_FEED_BATCH)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid batch \"%V\", allowed: 1 to %d",
                               value, NGX_HTTP_GOVSVC_FEED_BATCH);
            return NGX_CONF_ERROR;
        }

        sc->feed.batch = (ngx_uint_t) n;
    }

    sc->st->resend = NGX_HTTP_GOVSVC_SYSLOG_RESEND;
    value = &values[NGX_HTTP_GOVSVC_SYSLOG_RESENDS];

    if (value->data != NULL) {
        s = ngx_govsvc_to_gs(value);

        if (gs_parse_msec(&s, &n) != GS_OK || n > 3600 * 1000) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid resend \"%V\", allowed: 0 to 1h",
                               value);
            return NGX_CONF_ERROR;
        }

        sc->st->resend = (ngx_msec_t) n;
    }

    return ngx_http_govsvc_feed_replay(cf, &sc->feed,
                                    &values[NGX_HTTP_GOVSVC_SYSLOG_REPLAY]);
}


/* The node and the resolver are known at the end. */

static char *
ngx_http_govsvc_syslog_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_syslog_main_conf_t *smcf = conf;

    ngx_uint_t                          i;
    ngx_http_govsvc_syslog_conf_t     **all;
    ngx_http_govsvc_audit_main_conf_t  *amcf;

    all = smcf->targets.elts;
    amcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_audit_module);

    for (i = 0; i < smcf->targets.nelts; i++) {

        if (amcf->dir.len == 0) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"govsvc_audit_syslog\" sends what is in the audit "
                          "store: add \"govsvc_audit_store dir=...\" to the "
                          "http block in %s:%ui", all[i]->file, all[i]->line);
            return NGX_CONF_ERROR;
        }

        if (ngx_http_govsvc_syslog_target(cf, all[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_syslog_target(ngx_conf_t *cf,
    ngx_http_govsvc_syslog_conf_t *sc)
{
    ngx_str_t                  what, who;
    ngx_http_govsvc_syslog_t  *st;
    ngx_http_core_loc_conf_t  *clcf;

    st = sc->st;
    st->node = ngx_govsvc_to_gs(ngx_http_govsvc_node(cf));

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    ngx_str_set(&who, "govsvc_audit_syslog");
    ngx_str_set(&what, "rfc5424");

    if (ngx_govsvc_syslog_resolver(cf, st->sender, clcf->resolver, &who)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    sc->feed.handler = ngx_http_govsvc_syslog_fed;
    sc->feed.lead = ngx_http_govsvc_syslog_lead;
    sc->feed.data = st;

    if (ngx_http_govsvc_feed_name(cf, &sc->feed, "syslog",
                                  ngx_govsvc_syslog_name(st->sender), &what)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    st->feed = ngx_http_govsvc_feed_add(cf, &sc->feed);

    return (st->feed != NULL) ? NGX_CONF_OK : NGX_CONF_ERROR;
}
