
/*
 * Copyright (C) govsvc authors
 *
 * Audit: directives and configuration.
 */


#include "core/gs_time.h"
#include "http/ngx_http_govsvc_audit_priv.h"


#define NGX_HTTP_GOVSVC_AUDIT_KEY_MAX  4096
#define NGX_HTTP_GOVSVC_AUDIT_MB       (1024 * 1024)


static char *ngx_http_govsvc_audit_level(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_govsvc_audit_option(ngx_conf_t *cf,
    ngx_http_govsvc_audit_loc_conf_t *alcf, ngx_str_t *value);
static char *ngx_http_govsvc_audit_on_error(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_govsvc_audit_check_wait(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_http_govsvc_audit_pseudonym(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_govsvc_audit_key_word(ngx_conf_t *cf,
    ngx_http_govsvc_audit_key_t *key, ngx_str_t *value, ngx_str_t *file);
static char *ngx_http_govsvc_audit_key(ngx_conf_t *cf, ngx_str_t *key,
    ngx_str_t *file);

static void *ngx_http_govsvc_audit_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_audit_init_main_conf(ngx_conf_t *cf, void *conf);
static char *ngx_http_govsvc_audit_init_node(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf);
static char *ngx_http_govsvc_audit_init_pseudonym(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf);
static void ngx_http_govsvc_audit_free_pseudonym(void *data);
static void *ngx_http_govsvc_audit_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_audit_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static ngx_int_t ngx_http_govsvc_audit_postconfiguration(ngx_conf_t *cf);


static ngx_conf_enum_t  ngx_http_govsvc_audit_errors[] = {
    { ngx_string("read_only"), NGX_HTTP_GOVSVC_AUDIT_ONLY_READ },
    { ngx_string("fail_closed"), NGX_HTTP_GOVSVC_AUDIT_FAIL_CLOSED },
    { ngx_string("fail_open"), NGX_HTTP_GOVSVC_AUDIT_FAIL_OPEN },
    { ngx_null_string, 0 }
};


static ngx_conf_post_t  ngx_http_govsvc_audit_wait_bounds = {
    ngx_http_govsvc_audit_check_wait
};


static const ngx_conf_enum_t  ngx_http_govsvc_audit_levels[] = {
    { ngx_string("off"), NGX_HTTP_GOVSVC_AUDIT_OFF },
    { ngx_string("meta"), NGX_HTTP_GOVSVC_AUDIT_META },
    { ngx_string("headers"), NGX_HTTP_GOVSVC_AUDIT_HDRS },
    { ngx_string("body_hash"), NGX_HTTP_GOVSVC_AUDIT_BODY },
    { ngx_null_string, 0 }
};


static ngx_command_t  ngx_http_govsvc_audit_commands[] = {

    { ngx_string("govsvc_audit_store"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_govsvc_audit_store,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_audit_main_conf_t, dir),
      NULL },

    { ngx_string("govsvc_audit"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_govsvc_audit_level,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_govsvc_audit_loc_conf_t, level),
      NULL },

    { ngx_string("govsvc_audit_wait"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_audit_main_conf_t, wait),
      &ngx_http_govsvc_audit_wait_bounds },

    { ngx_string("govsvc_audit_on_error"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_govsvc_audit_on_error,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_audit_main_conf_t, on_error),
      NULL },

    { ngx_string("govsvc_audit_space"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_govsvc_audit_space,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_audit_main_conf_t, space),
      NULL },

    { ngx_string("govsvc_audit_coalesce"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12,
      ngx_http_govsvc_audit_coalesce_deny,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_audit_main_conf_t, deny_rate),
      NULL },

    { ngx_string("govsvc_audit_pseudonym"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE123,
      ngx_http_govsvc_audit_pseudonym,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_audit_main_conf_t, keys),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_govsvc_audit_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_govsvc_audit_postconfiguration, /* postconfiguration */

    ngx_http_govsvc_audit_create_main_conf, /* create main configuration */
    ngx_http_govsvc_audit_init_main_conf,  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_govsvc_audit_create_loc_conf, /* create location configuration */
    ngx_http_govsvc_audit_merge_loc_conf   /* merge location configuration */
};


ngx_module_t  ngx_http_govsvc_audit_module = {
    NGX_MODULE_V1,
    &ngx_http_govsvc_audit_module_ctx,     /* module context */
    ngx_http_govsvc_audit_commands,        /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_govsvc_audit_begins,          /* init module */
    ngx_http_govsvc_audit_init_process,    /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_govsvc_audit_exit_process,    /* exit process */
    ngx_http_govsvc_audit_ends,            /* exit master */
    NGX_MODULE_V1_PADDING
};


static char *
ngx_http_govsvc_audit_level(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_audit_loc_conf_t *alcf = conf;

    gs_str_t                            s, name;
    ngx_str_t                          *value;
    ngx_uint_t                          i;
    const ngx_conf_enum_t              *e;
    ngx_http_govsvc_audit_main_conf_t  *amcf;

    static const char *const  names[] = {
        "off", "meta", "headers", "body_hash", NULL
    };

    if (alcf->level != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;
    s = ngx_govsvc_to_gs(&value[1]);

    for (e = ngx_http_govsvc_audit_levels; e->name.len != 0; e++) {
        name = ngx_govsvc_to_gs(&e->name);

        if (gs_str_eq(&s, &name)) {
            alcf->level = e->value;
            break;
        }
    }

    if (e->name.len == 0) {
        return ngx_govsvc_conf_invalid(cf, "level", &value[1], names);
    }

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_http_govsvc_audit_option(cf, alcf, &value[i])
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (alcf->level == NGX_HTTP_GOVSVC_AUDIT_OFF) {

        if (cf->args->nelts > 2) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"govsvc_audit off\" has no parameters");
            return NGX_CONF_ERROR;
        }

        return NGX_CONF_OK;
    }

    if (alcf->receipt && !alcf->intent) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"receipt=on\" is about a record that is on disk "
                           "before the answer: add \"intent=durable\"");
        return NGX_CONF_ERROR;
    }

    amcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_audit_module);

    if (amcf->used_file == NULL) {
        amcf->used_file = cf->conf_file->file.name.data;
        amcf->used_line = cf->conf_file->line;
    }

    if (alcf->level == NGX_HTTP_GOVSVC_AUDIT_BODY) {
        amcf->bodies = 1;
    }

    ngx_http_govsvc_enable(cf);

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_audit_option(ngx_conf_t *cf,
    ngx_http_govsvc_audit_loc_conf_t *alcf, ngx_str_t *value)
{
    gs_str_t    s;
    ngx_uint_t  i;

    static const char *const  names[] = {
        "intent=durable", "intent=off", "class=read", "class=write",
        "class=security", "receipt=on", "receipt=off", NULL
    };

    s = ngx_govsvc_to_gs(value);

    for (i = 0; names[i] != NULL; i++) {
        if (gs_str_eq_text(&s, names[i])) {
            break;
        }
    }

    switch (i) {

    case 0:
        alcf->intent = 1;
        alcf->cls = (alcf->cls == GS_AUDIT_CLASSES) ? GS_AUDIT_WRITE
                                                    : alcf->cls;
        break;

    case 1:
        alcf->intent = 0;
        break;

    case 2:
    case 3:
    case 4:
        alcf->cls = GS_AUDIT_READ + i - 2;
        break;

    case 5:
    case 6:
        alcf->receipt = (i == 5);
        break;

    default:
        return ngx_govsvc_conf_invalid(cf, "parameter", value, names);
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_audit_on_error(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_audit_main_conf_t *amcf = conf;

    ngx_str_t        *value;
    ngx_conf_enum_t  *e;

    static const char *const  names[] = {
        "read_only", "fail_closed", "fail_open", NULL
    };

    if (amcf->on_error != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (e = ngx_http_govsvc_audit_errors; e->name.len != 0; e++) {
        if (e->name.len == value[1].len
            && ngx_strncmp(e->name.data, value[1].data, e->name.len) == 0)
        {
            amcf->on_error = e->value;
            return NGX_CONF_OK;
        }
    }

    return ngx_govsvc_conf_invalid(cf, "value", &value[1], names);
}


static char *
ngx_http_govsvc_audit_check_wait(ngx_conf_t *cf, void *post, void *data)
{
    ngx_msec_t *wait = data;

    if (*wait < 10 || *wait > 60000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid wait, allowed: 10ms to 60s");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_audit_pseudonym(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_govsvc_audit_main_conf_t *amcf = conf;

    ngx_str_t                    *value, file;
    ngx_uint_t                    i;
    ngx_http_govsvc_audit_key_t  *key;

    if (amcf->nkeys == NGX_HTTP_GOVSVC_AUDIT_KEYS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many keys of pseudonyms, allowed: %d",
                           NGX_HTTP_GOVSVC_AUDIT_KEYS);
        return NGX_CONF_ERROR;
    }

    key = &amcf->keys[amcf->nkeys];
    key->kid = 1;

    ngx_str_null(&file);
    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_http_govsvc_audit_key_word(cf, key, &value[i], &file)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (file.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"govsvc_audit_pseudonym\" must have the "
                           "parameter \"key=\"");
        return NGX_CONF_ERROR;
    }

    if (amcf->nkeys != 0) {

        if (key->from == 0) {
            return "is duplicate";
        }

        if (key->kid <= key[-1].kid || key->from <= key[-1].from) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "a further key needs a larger \"kid=\" and a "
                               "later \"from=\" than the one before it");
            return NGX_CONF_ERROR;
        }
    }

    amcf->nkeys++;

    return ngx_http_govsvc_audit_key(cf, &key->key, &file);
}


static char *
ngx_http_govsvc_audit_key_word(ngx_conf_t *cf,
    ngx_http_govsvc_audit_key_t *key, ngx_str_t *value, ngx_str_t *file)
{
    gs_str_t  s;
    uint64_t  kid;

    static const char *const  names[] = { "key=", "kid=", "from=", NULL };

    if (value->len > 4 && ngx_strncmp(value->data, "key=", 4) == 0) {
        file->len = value->len - 4;
        file->data = value->data + 4;
        return NGX_CONF_OK;
    }

    if (value->len > 4 && ngx_strncmp(value->data, "kid=", 4) == 0) {
        s = gs_str_make(value->data + 4, value->len - 4);

        if (gs_parse_u64(&s, &kid) != GS_OK || kid < 1 || kid > 999999) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid kid in \"%V\", allowed: 1 to "
                               "999999", value);
            return NGX_CONF_ERROR;
        }

        key->kid = (ngx_uint_t) kid;

        return NGX_CONF_OK;
    }

    if (value->len > 5 && ngx_strncmp(value->data, "from=", 5) == 0) {
        s = gs_str_make(value->data + 5, value->len - 5);

        if (gs_time_parse(&s, &key->from) != GS_OK || key->from == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid time in \"%V\", allowed: as in "
                               "\"from=2027-01-01T00:00:00+08:00\"", value);
            return NGX_CONF_ERROR;
        }

        return NGX_CONF_OK;
    }

    return ngx_govsvc_conf_invalid(cf, "parameter", value, names);
}


static char *
ngx_http_govsvc_audit_key(ngx_conf_t *cf, ngx_str_t *key, ngx_str_t *file)
{
    if (ngx_govsvc_conf_read_file(cf, file, key,
                                  NGX_HTTP_GOVSVC_AUDIT_KEY_MAX, 1)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    while (key->len != 0
           && (key->data[key->len - 1] == LF || key->data[key->len - 1] == CR))
    {
        key->len--;
    }

    if (key->len < GS_AUDIT_KEY_MIN) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the key in \"%V\" has %uz bytes, allowed: %d or "
                           "more, make one with: openssl rand -hex 32",
                           file, key->len, GS_AUDIT_KEY_MIN);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static void *
ngx_http_govsvc_audit_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_audit_main_conf_t  *amcf;

    amcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_audit_main_conf_t));
    if (amcf == NULL) {
        return NULL;
    }

    amcf->cycle = cf->cycle;
    amcf->alg = GS_AUDIT_SM3;
    amcf->buffer = 4 * NGX_HTTP_GOVSVC_AUDIT_MB;
    amcf->segment = 64 * NGX_HTTP_GOVSVC_AUDIT_MB;
    amcf->segment_time = 3600 * 1000;
    amcf->flush = 50;
    amcf->deny_window = 1000;
    amcf->wait = NGX_CONF_UNSET_MSEC;
    amcf->on_error = NGX_CONF_UNSET_UINT;
    amcf->keep = NGX_HTTP_GOVSVC_AUDIT_KEEP;
    amcf->sync = 1;
    amcf->realip = NGX_ERROR;

    return amcf;
}


static char *
ngx_http_govsvc_audit_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_audit_main_conf_t *amcf = conf;

    if (amcf->used_file != NULL && amcf->dir.len == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"govsvc_audit meta\" needs a place for its files: add "
                      "\"govsvc_audit_store dir=...\" to the http block in "
                      "%s:%ui", amcf->used_file, amcf->used_line);
        return NGX_CONF_ERROR;
    }

    ngx_conf_init_msec_value(amcf->wait, 2000);
    ngx_conf_init_uint_value(amcf->on_error, NGX_HTTP_GOVSVC_AUDIT_ONLY_READ);

    if (amcf->zone != NULL) {
        ngx_http_govsvc_audit_zone_size(cf, amcf);
    }

    if (ngx_http_govsvc_audit_init_node(cf, amcf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_govsvc_audit_init_pseudonym(cf, amcf);
}


/* The node is part of names and identifiers, which need no escaping then. */

static char *
ngx_http_govsvc_audit_init_node(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf)
{
    u_char     *p;
    size_t      i, len;
    ngx_str_t  *node;

    node = ngx_http_govsvc_node(cf);
    len = ngx_min(node->len, 32);

    p = ngx_pnalloc(cf->pool, len);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < len; i++) {
        p[i] = node->data[i];

        if (!gs_is_alpha(p[i]) && !gs_is_digit(p[i]) && p[i] != '_') {
            p[i] = '-';
        }
    }

    amcf->node = gs_str_make(p, len);
    amcf->name = *node;

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_audit_init_pseudonym(ngx_conf_t *cf,
    ngx_http_govsvc_audit_main_conf_t *amcf)
{
    gs_rc_t                       rc;
    gs_str_t                      text;
    ngx_uint_t                    i;
    ngx_pool_cleanup_t           *cln;
    ngx_http_govsvc_audit_key_t  *key;

    for (i = 0; i < amcf->nkeys; i++) {
        key = &amcf->keys[i];

        cln = ngx_pool_cleanup_add(cf->pool, sizeof(gs_audit_pseudonym_t));
        if (cln == NULL) {
            return NGX_CONF_ERROR;
        }

        text = ngx_govsvc_to_gs(&key->key);

        rc = gs_audit_pseudonym_init(cln->data, (gs_audit_alg_e) amcf->alg,
                                     &text, (unsigned) key->kid);

        ngx_explicit_memzero(key->key.data, key->key.len);

        if (rc != GS_OK) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "HMAC with %s is not available in libcrypto",
                          gs_audit_alg_name((gs_audit_alg_e) amcf->alg));
            return NGX_CONF_ERROR;
        }

        cln->handler = ngx_http_govsvc_audit_free_pseudonym;
        key->pseudonym = cln->data;
    }

    return NGX_CONF_OK;
}


static void
ngx_http_govsvc_audit_free_pseudonym(void *data)
{
    gs_audit_pseudonym_free(data);
}


static void *
ngx_http_govsvc_audit_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_audit_loc_conf_t  *conf;

    conf = ngx_palloc(cf->pool, sizeof(ngx_http_govsvc_audit_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->level = NGX_CONF_UNSET_UINT;
    conf->cls = GS_AUDIT_CLASSES;
    conf->intent = 0;
    conf->receipt = 0;

    return conf;
}


static char *
ngx_http_govsvc_audit_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_govsvc_audit_loc_conf_t *prev = parent;
    ngx_http_govsvc_audit_loc_conf_t *conf = child;

    /* one line says all: no part of it comes from another level */

    if (conf->level == NGX_CONF_UNSET_UINT) {
        *conf = *prev;
    }

    ngx_conf_merge_uint_value(conf->level, prev->level,
                              NGX_HTTP_GOVSVC_AUDIT_OFF);

    if (conf->cls == GS_AUDIT_CLASSES) {
        conf->cls = GS_AUDIT_READ;
    }

    return NGX_CONF_OK;
}


/* Behind a load balancer the realip module knows who stood before us. */

static ngx_int_t
ngx_http_govsvc_audit_postconfiguration(ngx_conf_t *cf)
{
    ngx_str_t                           name;
    ngx_uint_t                          i;
    ngx_hash_key_t                     *key;
    ngx_http_core_main_conf_t          *cmcf;
    ngx_http_govsvc_audit_main_conf_t  *amcf;

    amcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_audit_module);
    if (amcf->used_file == NULL) {
        return NGX_OK;
    }

    if (amcf->bodies) {
        ngx_http_govsvc_audit_body_init();
    }

    ngx_str_set(&name, "realip_remote_addr");

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    key = cmcf->variables_keys->keys.elts;

    for (i = 0; i < cmcf->variables_keys->keys.nelts; i++) {

        if (key[i].key.len == name.len
            && ngx_strncmp(key[i].key.data, name.data, name.len) == 0)
        {
            amcf->realip = ngx_http_get_variable_index(cf, &name);
            return (amcf->realip == NGX_ERROR) ? NGX_ERROR : NGX_OK;
        }
    }

    return NGX_OK;
}
