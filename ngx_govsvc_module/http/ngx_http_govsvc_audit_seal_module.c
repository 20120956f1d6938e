
/*
 * Copyright (C) govsvc authors
 *
 * Sealing inside the server: the directive, and the life of a process.
 */


#include "http/ngx_http_govsvc_audit_seal.h"

#include "ngx/ngx_govsvc_store.h"


#define NGX_HTTP_GOVSVC_AUDIT_SEAL_MAGIC  0x736c3031      /* "sl01" */


static char *ngx_http_govsvc_audit_seal(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_govsvc_audit_seal_params(ngx_conf_t *cf,
    ngx_http_govsvc_audit_seal_main_conf_t *smcf);
static char *ngx_http_govsvc_audit_seal_dir(ngx_conf_t *cf,
    ngx_http_govsvc_audit_seal_main_conf_t *smcf, ngx_str_t *value);
static char *ngx_http_govsvc_audit_seal_key(ngx_conf_t *cf,
    ngx_http_govsvc_audit_seal_main_conf_t *smcf, ngx_str_t *value);
static void ngx_http_govsvc_audit_seal_told(void *data, const char *text);
static void ngx_http_govsvc_audit_seal_free(void *data);
static char *ngx_http_govsvc_audit_seal_interval(ngx_conf_t *cf,
    ngx_http_govsvc_audit_seal_main_conf_t *smcf, ngx_str_t *value);
static char *ngx_http_govsvc_audit_seal_found(ngx_conf_t *cf,
    ngx_http_govsvc_audit_seal_main_conf_t *smcf);
static char *ngx_http_govsvc_audit_seal_add(ngx_conf_t *cf,
    ngx_http_govsvc_audit_seal_main_conf_t *smcf);

static void *ngx_http_govsvc_audit_seal_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_audit_seal_init_main_conf(ngx_conf_t *cf,
    void *conf);
static ngx_int_t ngx_http_govsvc_audit_seal_init_zone(ngx_shm_zone_t *zone,
    void *data);
static ngx_int_t ngx_http_govsvc_audit_seal_init_process(ngx_cycle_t *cycle);
static void ngx_http_govsvc_audit_seal_exit_process(ngx_cycle_t *cycle);
static void ngx_http_govsvc_audit_seal_cleanup(void *data);


const char *const  ngx_http_govsvc_audit_seal_states[] = {
    "starting", "signing", "elsewhere", "failing", "refused"
};


static ngx_command_t  ngx_http_govsvc_audit_seal_commands[] = {

    { ngx_string("govsvc_audit_seal"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_govsvc_audit_seal,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_audit_seal_main_conf_t, dir),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_govsvc_audit_seal_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_govsvc_audit_seal_create_main_conf,
    ngx_http_govsvc_audit_seal_init_main_conf,

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_govsvc_audit_seal_module = {
    NGX_MODULE_V1,
    &ngx_http_govsvc_audit_seal_module_ctx, /* module context */
    ngx_http_govsvc_audit_seal_commands,   /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_govsvc_audit_seal_init_process, /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_govsvc_audit_seal_exit_process, /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_http_govsvc_audit_seal_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_audit_seal_main_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool,
                       sizeof(ngx_http_govsvc_audit_seal_main_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /* set by pcalloc(): dir = { 0, NULL }, keys = NULL, zone = NULL */

    conf->interval = NGX_CONF_UNSET_MSEC;

    return conf;
}


static char *
ngx_http_govsvc_audit_seal(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_audit_seal_main_conf_t *smcf = conf;

    if (smcf->file != NULL) {
        return "is duplicate";
    }

    smcf->file = cf->conf_file->file.name.data;
    smcf->line = cf->conf_file->line;

    if (ngx_http_govsvc_audit_seal_params(cf, smcf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (smcf->dir.len == 0 || smcf->keys == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"govsvc_audit_seal\" must have the parameter "
                           "\"%s\"", smcf->dir.len == 0 ? "dir=" : "key=");
        return NGX_CONF_ERROR;
    }

    if (ngx_http_govsvc_audit_seal_found(cf, smcf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_govsvc_audit_seal_add(cf, smcf);
}


static char *
ngx_http_govsvc_audit_seal_params(ngx_conf_t *cf,
    ngx_http_govsvc_audit_seal_main_conf_t *smcf)
{
    char        *rv;
    ngx_str_t   *value, v;
    ngx_uint_t   i;

    static const char *const  names[] = { "dir=", "key=", "interval=", NULL };

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_govsvc_conf_param(&value[i], "dir=", &v)) {
            rv = ngx_http_govsvc_audit_seal_dir(cf, smcf, &v);

        } else if (ngx_govsvc_conf_param(&value[i], "key=", &v)) {
            rv = ngx_http_govsvc_audit_seal_key(cf, smcf, &v);

        } else if (ngx_govsvc_conf_param(&value[i], "interval=", &v)) {
            rv = ngx_http_govsvc_audit_seal_interval(cf, smcf, &v);

        } else {
            rv = ngx_govsvc_conf_unknown(cf, &value[i], names);
        }

        if (rv != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_audit_seal_dir(ngx_conf_t *cf,
    ngx_http_govsvc_audit_seal_main_conf_t *smcf, ngx_str_t *value)
{
    if (smcf->dir.len != 0 || value->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s parameter \"dir=\"",
                           value->len == 0 ? "empty" : "duplicate");
        return NGX_CONF_ERROR;
    }

    smcf->dir = *value;

    if (smcf->dir.len > 1 && smcf->dir.data[smcf->dir.len - 1] == '/') {
        smcf->dir.len--;
        smcf->dir.data[smcf->dir.len] = '\0';
    }

    if (ngx_conf_full_name(cf->cycle, &smcf->dir, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_audit_seal_key(ngx_conf_t *cf,
    ngx_http_govsvc_audit_seal_main_conf_t *smcf, ngx_str_t *value)
{
    ngx_str_t            path;
    gs_seal_log_t        told;
    ngx_pool_cleanup_t  *cln;

    if (smcf->keys == NULL) {
        cln = ngx_pool_cleanup_add(cf->pool, sizeof(gs_seal_keys_t));
        if (cln == NULL) {
            return NGX_CONF_ERROR;
        }

        smcf->keys = cln->data;
        smcf->keys->n = 0;
        cln->handler = ngx_http_govsvc_audit_seal_free;
    }

    path = *value;

    if (ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    told.tell = ngx_http_govsvc_audit_seal_told;
    told.data = cf;
    told.zh = 0;

    if (gs_seal_key_add(smcf->keys, (const char *) path.data, &told)
        != GS_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static void
ngx_http_govsvc_audit_seal_told(void *data, const char *text)
{
    ngx_conf_t *cf = data;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s", text);
}


static void
ngx_http_govsvc_audit_seal_free(void *data)
{
    gs_seal_keys_free(data);
}


static char *
ngx_http_govsvc_audit_seal_interval(ngx_conf_t *cf,
    ngx_http_govsvc_audit_seal_main_conf_t *smcf, ngx_str_t *value)
{
    gs_str_t  s;
    uint64_t  msec;

    s = ngx_govsvc_to_gs(value);

    if (gs_parse_msec(&s, &msec) != GS_OK || msec < 100 || msec > 60000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid interval \"%V\", allowed: 100ms to 60s",
                           value);
        return NGX_CONF_ERROR;
    }

    smcf->interval = (ngx_msec_t) msec;

    return NGX_CONF_OK;
}


/* A seal of another log, or one that the command is making just now. */

static char *
ngx_http_govsvc_audit_seal_found(ngx_conf_t *cf,
    ngx_http_govsvc_audit_seal_main_conf_t *smcf)
{
    char              who[NGX_INT64_LEN + 40];
    size_t            len;
    gs_rc_t           rc;
    gs_str_t          text, origin;
    ngx_str_t         name;
    gs_uchar_t        data[GS_AUDIT_STATE_MAX];
    gs_seal_log_t     told;
    gs_audit_state_t  state;

    told.tell = ngx_http_govsvc_audit_seal_told;
    told.data = cf;
    told.zh = 0;

    rc = gs_seal_get(&told, (const char *) smcf->dir.data, "state", data,
                     sizeof(data), &len);

    if (rc == GS_ERROR) {
        return NGX_CONF_ERROR;
    }

    text = gs_str_make(data, len);

    if (rc == GS_OK && gs_audit_state_parse(&text, &state) == GS_OK) {
        origin = state.point.origin;

        if (!gs_str_eq_text(&origin, smcf->keys->keys[0].name)) {
            name = ngx_govsvc_from_gs(&origin);
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" holds the seal of the log \"%V\", the "
                               "key is of \"%s\": give another directory or "
                               "the right key", &smcf->dir, &name,
                               smcf->keys->keys[0].name);
            return NGX_CONF_ERROR;
        }
    }

    if (gs_sealer_who((const char *) smcf->dir.data, who, sizeof(who))
        == GS_OK && ngx_strstr(who, "(command)") != NULL)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"govsvc audit sealer\" works in \"%V\", %s: stop "
                           "it, or leave sealing to it and remove "
                           "\"govsvc_audit_seal\"", &smcf->dir, who);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_audit_seal_add(ngx_conf_t *cf,
    ngx_http_govsvc_audit_seal_main_conf_t *smcf)
{
    static ngx_str_t  name = ngx_string("govsvc_audit_seal");
    static ngx_str_t  duty = ngx_string("audit-seal");

    smcf->cycle = cf->cycle;
    smcf->lead = ngx_govsvc_lead_add(cf, &duty,
                                     ngx_http_govsvc_audit_seal_lead, smcf);
    smcf->zone = ngx_shared_memory_add(cf, &name, 8 * ngx_pagesize,
                                       &ngx_http_govsvc_audit_seal_module);

    if (smcf->lead == NULL || smcf->zone == NULL) {
        return NGX_CONF_ERROR;
    }

    smcf->zone->init = ngx_http_govsvc_audit_seal_init_zone;
    smcf->zone->data = smcf;

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_audit_seal_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_audit_seal_main_conf_t *smcf = conf;

    ngx_str_t                          *dir;
    ngx_http_govsvc_audit_main_conf_t  *amcf;

    ngx_conf_init_msec_value(smcf->interval, 1000);

    if (smcf->file == NULL) {
        return NGX_CONF_OK;
    }

    amcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_audit_module);
    dir = &amcf->dir;

    if (dir->len == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"govsvc_audit_seal\" seals the audit store: add "
                      "\"govsvc_audit_store dir=...\" to the http block in "
                      "%s:%ui", smcf->file, smcf->line);
        return NGX_CONF_ERROR;
    }

    /* whoever may write records must not find their seal among them */

    if (smcf->dir.len >= dir->len
        && ngx_strncmp(smcf->dir.data, dir->data, dir->len) == 0
        && (smcf->dir.len == dir->len || smcf->dir.data[dir->len] == '/'))
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "the seal \"%V\" lies in the audit store \"%V\": give "
                      "a directory beside it in %s:%ui", &smcf->dir, dir,
                      smcf->file, smcf->line);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_govsvc_audit_seal_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_http_govsvc_audit_seal_main_conf_t *old = data;

    ngx_slab_pool_t                         *shpool;
    ngx_http_govsvc_audit_seal_sh_t         *sh;
    ngx_http_govsvc_audit_seal_main_conf_t  *smcf;

    smcf = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (old != NULL) {
        sh = old->sh;

    } else if (zone->shm.exists) {
        sh = shpool->data;

    } else {
        sh = ngx_slab_calloc(shpool,
                             sizeof(ngx_http_govsvc_audit_seal_sh_t));
        if (sh == NULL) {
            return NGX_ERROR;
        }

        sh->magic = NGX_HTTP_GOVSVC_AUDIT_SEAL_MAGIC;
        shpool->data = sh;
    }

    if (sh == NULL || sh->magic != NGX_HTTP_GOVSVC_AUDIT_SEAL_MAGIC) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "govsvc audit seal: zone \"%V\" has another layout",
                      &zone->shm.name);
        return NGX_ERROR;
    }

    smcf->sh = sh;

    return ngx_govsvc_store_prepare(smcf->cycle, &smcf->dir);
}


static ngx_int_t
ngx_http_govsvc_audit_seal_init_process(ngx_cycle_t *cycle)
{
    ngx_pool_cleanup_t                      *cln;
    ngx_http_govsvc_audit_main_conf_t       *amcf;
    ngx_http_govsvc_audit_seal_main_conf_t  *smcf;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    smcf = ngx_http_cycle_get_module_main_conf(cycle,
                                            ngx_http_govsvc_audit_seal_module);

    if (smcf == NULL || smcf->sh == NULL) {
        return NGX_OK;
    }

    amcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_govsvc_audit_module);

    /* a single process that is reloaded never calls exit_process */

    cln = ngx_pool_cleanup_add(cycle->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_govsvc_audit_seal_cleanup;

    return ngx_http_govsvc_audit_seal_start(smcf, &amcf->dir, cycle->log);
}


static void
ngx_http_govsvc_audit_seal_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_govsvc_audit_seal_end();
}


static void
ngx_http_govsvc_audit_seal_cleanup(void *data)
{
    ngx_http_govsvc_audit_seal_end();
}


ngx_http_govsvc_audit_seal_sh_t *
ngx_http_govsvc_audit_seal_row(ngx_cycle_t *cycle)
{
    ngx_http_govsvc_audit_seal_main_conf_t  *smcf;

    smcf = ngx_http_cycle_get_module_main_conf(cycle,
                                            ngx_http_govsvc_audit_seal_module);

    return (smcf != NULL) ? smcf->sh : NULL;
}
