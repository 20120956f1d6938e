
/*
 * Copyright (C) govsvc authors
 *
 * Alerts: the directive govsvc_alert.
 */


#include "http/ngx_http_govsvc_alert.h"


#define NGX_HTTP_GOVSVC_ALERT_URL      2048
#define NGX_HTTP_GOVSVC_ALERT_SECRET   256
#define NGX_HTTP_GOVSVC_ALERT_ANSWER   16384       /* bytes looked at */


/* Parameters, in the order of their names; the last are of one way alone. */
typedef enum {
    NGX_HTTP_GOVSVC_ALERT_P_CA = 0,
    NGX_HTTP_GOVSVC_ALERT_P_NAME,
    NGX_HTTP_GOVSVC_ALERT_P_MIN,
    NGX_HTTP_GOVSVC_ALERT_P_LANG,
    NGX_HTTP_GOVSVC_ALERT_P_RATE,
    NGX_HTTP_GOVSVC_ALERT_P_WAIT,
    NGX_HTTP_GOVSVC_ALERT_P_WINDOW,
    NGX_HTTP_GOVSVC_ALERT_P_GIVE_UP,
    NGX_HTTP_GOVSVC_ALERT_P_TIMEOUT,
    NGX_HTTP_GOVSVC_ALERT_P_REPLAY,
    NGX_HTTP_GOVSVC_ALERT_P_COMMON,
    NGX_HTTP_GOVSVC_ALERT_P_URL = NGX_HTTP_GOVSVC_ALERT_P_COMMON,
    NGX_HTTP_GOVSVC_ALERT_P_URL_FILE,
    NGX_HTTP_GOVSVC_ALERT_P_SECRET,
    NGX_HTTP_GOVSVC_ALERT_P_CERT = NGX_HTTP_GOVSVC_ALERT_P_COMMON,
    NGX_HTTP_GOVSVC_ALERT_P_KEY,
    NGX_HTTP_GOVSVC_ALERT_P_FACILITY,
    NGX_HTTP_GOVSVC_ALERT_P_APP,
    NGX_HTTP_GOVSVC_ALERT_P_SD,
    NGX_HTTP_GOVSVC_ALERT_P_RESEND,
    NGX_HTTP_GOVSVC_ALERT_PARAMS
} ngx_http_govsvc_alert_param_e;


typedef struct {
    ngx_array_t  alerts;                   /* ngx_http_govsvc_alert_t * */
} ngx_http_govsvc_alert_main_conf_t;


static void *ngx_http_govsvc_alert_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_alert_init_main_conf(ngx_conf_t *cf, void *conf);
static ngx_int_t ngx_http_govsvc_alert_init_module(ngx_cycle_t *cycle);
static char *ngx_http_govsvc_alert(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_govsvc_alert_common(ngx_conf_t *cf,
    ngx_http_govsvc_alert_t *a, ngx_str_t *values);
static char *ngx_http_govsvc_alert_syslog(ngx_conf_t *cf,
    ngx_http_govsvc_alert_t *a, ngx_str_t *values, ngx_str_t *address);
static char *ngx_http_govsvc_alert_word(ngx_conf_t *cf, const char *what,
    ngx_str_t *value, const char *const *names, ngx_uint_t *n);
static char *ngx_http_govsvc_alert_times(ngx_conf_t *cf,
    ngx_http_govsvc_alert_t *a, ngx_str_t *values);
static char *ngx_http_govsvc_alert_time(ngx_conf_t *cf, ngx_str_t *value,
    const char *range, ngx_msec_t min, ngx_msec_t max, ngx_msec_t *msec);
static char *ngx_http_govsvc_alert_url(ngx_conf_t *cf,
    ngx_http_govsvc_alert_t *a, ngx_str_t *values, ngx_str_t *url);
static char *ngx_http_govsvc_alert_target(ngx_conf_t *cf,
    ngx_http_govsvc_alert_t *a, ngx_str_t *values, ngx_str_t *url);
static char *ngx_http_govsvc_alert_read(ngx_conf_t *cf, ngx_str_t *path,
    ngx_str_t *text, size_t max);
static char *ngx_http_govsvc_alert_feed(ngx_conf_t *cf,
    ngx_http_govsvc_alert_t *a, ngx_str_t *dir);


static const char *const  ngx_http_govsvc_alert_forms[] = {
    "cloudevents", "dingtalk", "feishu", "wecom", "syslog", NULL
};


static const char *const  ngx_http_govsvc_alert_grades[] = {
    "low", "medium", "high", "critical", NULL
};


static const char *const  ngx_http_govsvc_alert_langs[] = {
    "zh", "en", NULL
};


static ngx_command_t  ngx_http_govsvc_alert_commands[] = {

    { ngx_string("govsvc_alert"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_govsvc_alert,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_alert_main_conf_t, alerts),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_govsvc_alert_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_govsvc_alert_create_main_conf,
    ngx_http_govsvc_alert_init_main_conf,

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_govsvc_alert_module = {
    NGX_MODULE_V1,
    &ngx_http_govsvc_alert_module_ctx,     /* module context */
    ngx_http_govsvc_alert_commands,        /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_govsvc_alert_init_module,     /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_http_govsvc_alert_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_alert_main_conf_t  *amcf;

    amcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_alert_main_conf_t));

    if (amcf == NULL
        || ngx_array_init(&amcf->alerts, cf->pool, 2,
                          sizeof(ngx_http_govsvc_alert_t *))
           != NGX_OK)
    {
        return NULL;
    }

    return amcf;
}


static char *
ngx_http_govsvc_alert(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_alert_main_conf_t *amcf = conf;

    ngx_str_t                 *value, url;
    ngx_str_t                  values[NGX_HTTP_GOVSVC_ALERT_PARAMS];
    ngx_uint_t                 form, syslog;
    ngx_http_govsvc_alert_t   *a, **slot;

    static const char *const  names[] = {
        "ca=", "name=", "min=", "lang=", "rate=", "wait=", "window=",
        "give_up=", "timeout=", "replay=", "url=", "url_file=", "secret=", NULL
    };

    static const char *const  syslogs[] = {
        "ca=", "name=", "min=", "lang=", "rate=", "wait=", "window=",
        "give_up=", "timeout=", "replay=", "cert=", "key=", "facility=",
        "app=", "sd_id=", "resend=", NULL
    };

    value = cf->args->elts;
    form = 0;

    a = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_alert_t));
    slot = ngx_array_push(&amcf->alerts);

    if (a == NULL || slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = a;
    a->file = cf->conf_file->file.name.data;
    a->line = cf->conf_file->line;

    if (ngx_http_govsvc_alert_word(cf, "form", &value[1],
                                   ngx_http_govsvc_alert_forms, &form)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    /* what syslog bears is the data of a CloudEvent */

    syslog = (form == GS_ALERT_FORMS);
    a->form = syslog ? GS_ALERT_CLOUDEVENTS : (gs_alert_form_e) form;

    if (ngx_govsvc_conf_params(cf, 2 + syslog, syslog ? syslogs : names,
                               values)
        != NGX_CONF_OK
        || ngx_http_govsvc_alert_common(cf, a, values) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    ngx_http_govsvc_enable(cf);

    if (syslog) {
        return ngx_http_govsvc_alert_syslog(cf, a, values, &value[2]);
    }

    if (ngx_http_govsvc_alert_url(cf, a, values, &url) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_govsvc_alert_target(cf, a, values, &url);
}


static char *
ngx_http_govsvc_alert_common(ngx_conf_t *cf, ngx_http_govsvc_alert_t *a,
    ngx_str_t *values)
{
    gs_str_t    s;
    uint64_t    n;
    ngx_str_t  *v;
    ngx_uint_t  grade, lang;

    grade = 1;
    lang = GS_ALERT_ZH;

    if (ngx_http_govsvc_alert_word(cf, "grade",
                                   &values[NGX_HTTP_GOVSVC_ALERT_P_MIN],
                                   ngx_http_govsvc_alert_grades, &grade)
        != NGX_CONF_OK
        || ngx_http_govsvc_alert_word(cf, "language",
                                      &values[NGX_HTTP_GOVSVC_ALERT_P_LANG],
                                      ngx_http_govsvc_alert_langs, &lang)
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    a->lang = (gs_alert_lang_e) lang;
    a->severity = grade + 1;
    a->rate = 10;

    v = &values[NGX_HTTP_GOVSVC_ALERT_P_RATE];

    if (v->data != NULL) {
        s = ngx_govsvc_to_gs(v);

        if (gs_parse_u64(&s, &n) != GS_OK || n < 1 || n > 1000) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid rate \"%V\", allowed: 1 to 1000 "
                               "messages a minute", v);
            return NGX_CONF_ERROR;
        }

        a->rate = (ngx_uint_t) n;
    }

    return ngx_http_govsvc_alert_times(cf, a, values);
}


static char *
ngx_http_govsvc_alert_syslog(ngx_conf_t *cf, ngx_http_govsvc_alert_t *a,
    ngx_str_t *values, ngx_str_t *address)
{
    ngx_govsvc_syslog_tls_t          tls;
    ngx_http_govsvc_alert_syslog_t  *st;

    st = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_alert_syslog_t));
    if (st == NULL) {
        return NGX_CONF_ERROR;
    }

    a->syslog = st;
    st->timeout = a->target.total_timeout;
    st->resend = 30000;

    if (ngx_http_govsvc_syslog_head(cf, &st->head, address,
                                    &values[NGX_HTTP_GOVSVC_ALERT_P_FACILITY],
                                    &values[NGX_HTTP_GOVSVC_ALERT_P_APP],
                                    &values[NGX_HTTP_GOVSVC_ALERT_P_SD])
        != NGX_CONF_OK
        || ngx_http_govsvc_alert_time(cf,
                                      &values[NGX_HTTP_GOVSVC_ALERT_P_RESEND],
                                      "0 to 1h", 0, 3600000, &st->resend)
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    tls.ca = values[NGX_HTTP_GOVSVC_ALERT_P_CA];
    tls.name = values[NGX_HTTP_GOVSVC_ALERT_P_NAME];
    tls.cert = values[NGX_HTTP_GOVSVC_ALERT_P_CERT];
    tls.key = values[NGX_HTTP_GOVSVC_ALERT_P_KEY];

    st->sender = ngx_govsvc_syslog_conf(cf, address, &tls);
    if (st->sender == NULL) {
        return NGX_CONF_ERROR;
    }

    a->host = *ngx_govsvc_syslog_name(st->sender);

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_alert_word(ngx_conf_t *cf, const char *what,
    ngx_str_t *value, const char *const *names, ngx_uint_t *n)
{
    gs_str_t    s;
    ngx_uint_t  i;

    if (value->data == NULL) {
        return NGX_CONF_OK;
    }

    s = ngx_govsvc_to_gs(value);

    for (i = 0; names[i] != NULL; i++) {
        if (gs_str_eq_text(&s, names[i])) {
            *n = i;
            return NGX_CONF_OK;
        }
    }

    return ngx_govsvc_conf_invalid(cf, what, value, names);
}


static char *
ngx_http_govsvc_alert_times(ngx_conf_t *cf, ngx_http_govsvc_alert_t *a,
    ngx_str_t *values)
{
    ngx_msec_t  timeout, replay;

    a->wait = 5000;
    a->window = 60000;
    a->give_up = 30 * 60000;
    timeout = 10000;
    replay = 10 * 60000;

    if (ngx_http_govsvc_alert_time(cf, &values[NGX_HTTP_GOVSVC_ALERT_P_WAIT],
                                   "0 to 5m", 0, 300000, &a->wait)
        != NGX_CONF_OK
        || ngx_http_govsvc_alert_time(cf,
                                      &values[NGX_HTTP_GOVSVC_ALERT_P_WINDOW],
                                      "1s to 1h", 1000, 3600000, &a->window)
           != NGX_CONF_OK
        || ngx_http_govsvc_alert_time(cf,
                                      &values[NGX_HTTP_GOVSVC_ALERT_P_GIVE_UP],
                                      "1s to 1d", 1000, 86400000, &a->give_up)
           != NGX_CONF_OK
        || ngx_http_govsvc_alert_time(cf,
                                      &values[NGX_HTTP_GOVSVC_ALERT_P_TIMEOUT],
                                      "100ms to 1m", 100, 60000, &timeout)
           != NGX_CONF_OK
        || ngx_http_govsvc_alert_time(cf,
                                      &values[NGX_HTTP_GOVSVC_ALERT_P_REPLAY],
                                      "1m to 7d", 60000, 7 * 86400000,
                                      &replay)
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    a->target.total_timeout = timeout;
    a->conf.replay = replay;

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_alert_time(ngx_conf_t *cf, ngx_str_t *value,
    const char *range, ngx_msec_t min, ngx_msec_t max, ngx_msec_t *msec)
{
    gs_str_t     s;
    uint64_t     n;
    const char  *names[2];

    if (value->data == NULL) {
        return NGX_CONF_OK;
    }

    s = ngx_govsvc_to_gs(value);

    if (gs_parse_msec(&s, &n) != GS_OK || n < min || n > max) {
        names[0] = range;
        names[1] = NULL;

        return ngx_govsvc_conf_invalid(cf, "time", value, names);
    }

    *msec = (ngx_msec_t) n;

    return NGX_CONF_OK;
}


/* The address of a robot is its key: it belongs into a file. */

static char *
ngx_http_govsvc_alert_url(ngx_conf_t *cf, ngx_http_govsvc_alert_t *a,
    ngx_str_t *values, ngx_str_t *url)
{
    ngx_str_t  *file, *secret;

    *url = values[NGX_HTTP_GOVSVC_ALERT_P_URL];
    file = &values[NGX_HTTP_GOVSVC_ALERT_P_URL_FILE];
    secret = &values[NGX_HTTP_GOVSVC_ALERT_P_SECRET];

    if ((url->data == NULL) == (file->data == NULL)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"govsvc_alert\" must have one of the parameters "
                           "\"url=\" and \"url_file=\"");
        return NGX_CONF_ERROR;
    }

    if (url->data != NULL && a->form != GS_ALERT_CLOUDEVENTS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the address of a robot holds its key: write it "
                           "into a file and name that by \"url_file=\"");
        return NGX_CONF_ERROR;
    }

    if (secret->data != NULL && a->form == GS_ALERT_WECOM) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"wecom\" does not sign and has no \"secret=\"");
        return NGX_CONF_ERROR;
    }

    if (file->data != NULL
        && ngx_http_govsvc_alert_read(cf, file, url,
                                      NGX_HTTP_GOVSVC_ALERT_URL)
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (secret->data == NULL) {
        return NGX_CONF_OK;
    }

    return ngx_http_govsvc_alert_read(cf, secret, &a->secret,
                                      NGX_HTTP_GOVSVC_ALERT_SECRET);
}


static char *
ngx_http_govsvc_alert_read(ngx_conf_t *cf, ngx_str_t *path, ngx_str_t *text,
    size_t max)
{
    if (path->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the name of a file of \"govsvc_alert\" is empty");
        return NGX_CONF_ERROR;
    }

    if (ngx_govsvc_conf_read_file(cf, path, text, max, 1) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    while (text->len != 0 && text->data[text->len - 1] <= ' ') {
        text->len--;
    }

    if (text->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" is empty", path);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_alert_target(ngx_conf_t *cf, ngx_http_govsvc_alert_t *a,
    ngx_str_t *values, ngx_str_t *url)
{
    ngx_str_t        ca, name;
    const gs_url_t  *u;

    ca = values[NGX_HTTP_GOVSVC_ALERT_P_CA];
    name = values[NGX_HTTP_GOVSVC_ALERT_P_NAME];

    if (ngx_govsvc_http_target(cf, &a->target, url, &ca, &name)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    u = &a->target.url;

    if (!u->tls && !(u->numeric && gs_net_loopback(&u->address))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid URL in \"govsvc_alert\" directive, "
                           "allowed: https://HOST/PATH, http:// to a "
                           "loopback address");
        return NGX_CONF_ERROR;
    }

    /* what is signed is added to its arguments */

    if (a->form == GS_ALERT_DINGTALK && a->secret.len != 0
        && gs_str_chr(&u->target, 0, '?') == u->target.len)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the address of a robot of \"dingtalk\" must have "
                           "\"?access_token=\"");
        return NGX_CONF_ERROR;
    }

    a->target.max_body = NGX_HTTP_GOVSVC_ALERT_ANSWER;
    a->host = ngx_govsvc_from_gs(&u->authority);

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_alert_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_alert_main_conf_t *amcf = conf;

    char                               *rc;
    ngx_str_t                          *node;
    ngx_uint_t                          i;
    ngx_http_govsvc_alert_t           **all;
    ngx_http_core_loc_conf_t           *clcf;
    ngx_http_govsvc_audit_main_conf_t  *store;

    static ngx_str_t  who = ngx_string("govsvc_alert");

    all = amcf->alerts.elts;
    store = ngx_http_conf_get_module_main_conf(cf,
                                               ngx_http_govsvc_audit_module);
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    node = ngx_http_govsvc_node(cf);

    for (i = 0; i < amcf->alerts.nelts; i++) {

        if (store->dir.len == 0) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"govsvc_alert\" tells of events in the audit "
                          "store: add \"govsvc_audit_store dir=...\" to the "
                          "http block in %s:%ui", all[i]->file, all[i]->line);
            return NGX_CONF_ERROR;
        }

        all[i]->node = ngx_govsvc_to_gs(node);

        rc = (all[i]->syslog != NULL)
             ? ngx_govsvc_syslog_resolver(cf, all[i]->syslog->sender,
                                          clcf->resolver, &who)
             : ngx_govsvc_http_resolver(cf, &all[i]->target, clcf->resolver,
                                        &who);

        if (rc != NGX_CONF_OK
            || ngx_http_govsvc_alert_feed(cf, all[i], &store->dir)
               != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* The name of the feed tells receivers apart and holds no key of one. */

static char *
ngx_http_govsvc_alert_feed(ngx_conf_t *cf, ngx_http_govsvc_alert_t *a,
    ngx_str_t *dir)
{
    size_t      size;
    u_char      text[64];
    ngx_str_t   what, path;
    ngx_uint_t  i;

    static const char *const  types[] = {
        "sec", "deny.agg", "loss", "tamper", NULL
    };

    what.data = text;
    what.len = (size_t) (ngx_sprintf(text, "%s-%ui-%08xD",
                             (a->syslog != NULL) ? "syslog"
                             : ngx_http_govsvc_alert_forms[a->form],
                             a->severity,
                             ngx_crc32_long((u_char *) a->target.url.target
                                            .data,
                                            a->target.url.target.len))
                         - text);

    for (i = 0; types[i] != NULL; i++) {
        a->conf.types[i].data = (u_char *) types[i];
        a->conf.types[i].len = ngx_strlen(types[i]);
    }

    a->conf.ntypes = i;
    a->conf.batch = 256;
    a->conf.handler = ngx_http_govsvc_alert_fed;
    a->conf.lead = ngx_http_govsvc_alert_lead;
    a->conf.data = a;

    if (ngx_http_govsvc_feed_name(cf, &a->conf, "alert", &a->host, &what)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    size = dir->len + a->conf.name.len + sizeof("/.state");

    path.data = ngx_pnalloc(cf->pool, size);
    a->dead.data = ngx_pnalloc(cf->pool, size);
    a->round = ngx_palloc(cf->pool, sizeof(gs_alert_round_t));

    if (path.data == NULL || a->dead.data == NULL || a->round == NULL) {
        return NGX_CONF_ERROR;
    }

    path.len = (size_t) (ngx_sprintf(path.data, "%V/%V.state%Z", dir,
                                     &a->conf.name) - path.data) - 1;
    a->dead.len = (size_t) (ngx_sprintf(a->dead.data, "%V/%V.dead%Z", dir,
                                        &a->conf.name) - a->dead.data) - 1;

    a->save = ngx_govsvc_save_add(cf, &path, NGX_HTTP_GOVSVC_ALERT_STATE);
    if (a->save == NULL) {
        return NGX_CONF_ERROR;
    }

    a->feed = ngx_http_govsvc_feed_add(cf, &a->conf);

    return (a->feed != NULL) ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_http_govsvc_alert_init_module(ngx_cycle_t *cycle)
{
    ngx_uint_t                           i;
    ngx_http_govsvc_alert_t            **all;
    ngx_http_govsvc_alert_main_conf_t   *amcf;

    amcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_govsvc_alert_module);
    if (amcf == NULL) {
        return NGX_OK;
    }

    all = amcf->alerts.elts;

    for (i = 0; i < amcf->alerts.nelts; i++) {
        if (ngx_govsvc_save_prepare(all[i]->save, cycle) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
