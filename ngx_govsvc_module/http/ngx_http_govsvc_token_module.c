
/*
 * Copyright (C) govsvc authors
 *
 * Tokens: the directives.  The check itself is in token/.
 */


#include "http/ngx_http_govsvc_jwks.h"
#include "http/ngx_http_govsvc_revoke_priv.h"


#define NGX_HTTP_GOVSVC_TOKEN_PERIOD    100      /* ms for a bad one */
#define NGX_HTTP_GOVSVC_TOKEN_BURST     50


static ngx_int_t ngx_http_govsvc_token_add_variables(ngx_conf_t *cf);
static void *ngx_http_govsvc_token_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_token_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_govsvc_token_create_conf(ngx_conf_t *cf);
static char *ngx_http_govsvc_token_merge_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_govsvc_token_check_conf(ngx_conf_t *cf,
    ngx_http_govsvc_token_conf_t *conf);
static char *ngx_http_govsvc_token_policy(ngx_conf_t *cf,
    ngx_http_govsvc_token_conf_t *conf);
static gs_token_policy_t *ngx_http_govsvc_token_policy_get(
    ngx_http_govsvc_token_main_conf_t *tmcf, ngx_array_t *issuers);
static char *ngx_http_govsvc_token(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_govsvc_token_issuers(ngx_conf_t *cf,
    ngx_http_govsvc_token_conf_t *tlcf, ngx_str_t *list);
static char *ngx_http_govsvc_token_from(ngx_conf_t *cf,
    ngx_http_govsvc_token_conf_t *tlcf, ngx_str_t *list);
static char *ngx_http_govsvc_token_source(ngx_conf_t *cf, ngx_str_t *word,
    ngx_http_govsvc_token_source_t *source);
static ngx_int_t ngx_http_govsvc_token_init_process(ngx_cycle_t *cycle);
static void ngx_http_govsvc_token_exit_process(ngx_cycle_t *cycle);
static void ngx_http_govsvc_token_cleanup(void *data);


static ngx_conf_enum_t  ngx_http_govsvc_token_modes[] = {
    { ngx_string("required"), NGX_HTTP_GOVSVC_TOKEN_REQUIRED },
    { ngx_string("optional"), NGX_HTTP_GOVSVC_TOKEN_OPTIONAL },
    { ngx_string("off"), NGX_HTTP_GOVSVC_TOKEN_OFF },
    { ngx_null_string, 0 }
};


static const char *const  ngx_http_govsvc_token_mode_names[] = {
    "required", "optional", "off", NULL
};


static ngx_command_t  ngx_http_govsvc_token_commands[] = {

    { ngx_string("govsvc_issuer"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_govsvc_issuer_block,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_token_main_conf_t, issuers),
      NULL },

    { ngx_string("govsvc_token_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_govsvc_token_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_token_main_conf_t, zone),
      NULL },

    { ngx_string("govsvc_revocation_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_govsvc_revocation_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_govsvc_token_main_conf_t, revoke),
      NULL },

    { ngx_string("govsvc_token"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1234,
      ngx_http_govsvc_token,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_govsvc_token_conf_t, mode),
      NULL },

    { ngx_string("govsvc_require"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_govsvc_require,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_govsvc_token_conf_t, require),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_govsvc_token_module_ctx = {
    ngx_http_govsvc_token_add_variables,   /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_govsvc_token_create_main_conf,    /* create main configuration */
    ngx_http_govsvc_token_init_main_conf,      /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_govsvc_token_create_conf,     /* create location configuration */
    ngx_http_govsvc_token_merge_conf       /* merge location configuration */
};


ngx_module_t  ngx_http_govsvc_token_module = {
    NGX_MODULE_V1,
    &ngx_http_govsvc_token_module_ctx,     /* module context */
    ngx_http_govsvc_token_commands,        /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_govsvc_token_init_process,    /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_govsvc_token_exit_process,    /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_http_variable_t  ngx_http_govsvc_token_variables[] = {

    { ngx_string("govsvc_claim_"), NULL, ngx_http_govsvc_claim_variable,
      0, NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

      ngx_http_null_variable
};


static ngx_int_t
ngx_http_govsvc_token_add_variables(ngx_conf_t *cf)
{
    return ngx_http_govsvc_add_variables(cf, ngx_http_govsvc_token_variables);
}


/*
 * The verifier and the keys hold contexts of libcrypto that change with use.
 * They are made here, in the master, so that nginx -t shows what is wrong;
 * each worker works on the copy that fork() gave it.
 */

static void *
ngx_http_govsvc_token_create_main_conf(ngx_conf_t *cf)
{
    ngx_pool_cleanup_t                 *cln;
    ngx_http_govsvc_token_main_conf_t  *tmcf;

    tmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_token_main_conf_t));
    if (tmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&tmcf->issuers, cf->pool, 4, sizeof(void *)) != NGX_OK
        || ngx_array_init(&tmcf->policies, cf->pool, 4, sizeof(void *))
           != NGX_OK)
    {
        return NULL;
    }

    tmcf->cache.throttle.period = NGX_HTTP_GOVSVC_TOKEN_PERIOD;
    tmcf->cache.throttle.burst = NGX_HTTP_GOVSVC_TOKEN_BURST;

    tmcf->mem = ngx_govsvc_mem(cf->pool);
    cln = ngx_pool_cleanup_add(cf->pool, 0);

    if (tmcf->mem == NULL || cln == NULL) {
        return NULL;
    }

    tmcf->verifier = gs_token_verifier_create(tmcf->mem);

    if (tmcf->verifier == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "libcrypto gives no SHA-256 or SM3, or not enough "
                           "memory");
        return NULL;
    }

    cln->handler = ngx_http_govsvc_token_cleanup;
    cln->data = tmcf->verifier;

    return tmcf;
}


static void
ngx_http_govsvc_token_cleanup(void *data)
{
    gs_token_verifier_destroy(data);
}


static char *
ngx_http_govsvc_token_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_token_main_conf_t *tmcf = conf;

    ngx_uint_t                  i;
    ngx_http_govsvc_issuer_t  **is;
    static ngx_str_t            name = ngx_string("govsvc_tokens");

    is = tmcf->issuers.elts;

    for (i = 0; i < tmcf->issuers.nelts; i++) {

        if (!is[i]->defined) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "unknown govsvc_issuer \"%V\" in %V:%ui",
                          &is[i]->name, &is[i]->place.file, is[i]->place.line);
            return NGX_CONF_ERROR;
        }

        if (ngx_http_govsvc_jwks_init(cf, is[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (tmcf->used && tmcf->zone == NULL && !tmcf->zone_off) {
        return ngx_http_govsvc_token_add_zone(cf, tmcf, &name,
                                              NGX_HTTP_GOVSVC_TOKEN_ZONE);
    }

    return NGX_CONF_OK;
}


static void *
ngx_http_govsvc_token_create_conf(ngx_conf_t *cf)
{
    ngx_http_govsvc_token_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_token_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->mode = NGX_CONF_UNSET_UINT;
    conf->require = NGX_CONF_UNSET_PTR;

    return conf;
}


static char *
ngx_http_govsvc_token_merge_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_govsvc_token_conf_t *prev = parent;
    ngx_http_govsvc_token_conf_t *conf = child;

    if (conf->mode == NGX_CONF_UNSET_UINT) {
        conf->forward = prev->forward;
        conf->issuers = prev->issuers;
        conf->sources = prev->sources;
        conf->token = prev->token;
    }

    if (conf->require == NGX_CONF_UNSET_PTR) {
        conf->required = prev->required;
    }

    ngx_conf_merge_uint_value(conf->mode, prev->mode,
                              NGX_HTTP_GOVSVC_TOKEN_OFF);
    ngx_conf_merge_ptr_value(conf->require, prev->require, NULL);

    return ngx_http_govsvc_token_check_conf(cf, conf);
}


static char *
ngx_http_govsvc_token_check_conf(ngx_conf_t *cf,
    ngx_http_govsvc_token_conf_t *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (conf->mode == NGX_HTTP_GOVSVC_TOKEN_OFF) {
        return NGX_CONF_OK;
    }

    /* another module could let pass whom we refuse */

    if (clcf->satisfy == NGX_HTTP_SATISFY_ANY) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"satisfy any\" and \"govsvc_token\" exclude each "
                      "other in location \"%V\", use \"satisfy all\" or "
                      "\"govsvc_token off\" there, in %V:%ui",
                      &clcf->name, &conf->token.file, conf->token.line);
        return NGX_CONF_ERROR;
    }

    return ngx_http_govsvc_token_policy(cf, conf);
}


/* One policy for all places with the same issuers: they share verdicts. */

static char *
ngx_http_govsvc_token_policy(ngx_conf_t *cf,
    ngx_http_govsvc_token_conf_t *conf)
{
    ngx_uint_t                          i;
    ngx_array_t                        *issuers;
    gs_token_policy_t                  *policy, **slot;
    ngx_http_govsvc_issuer_t          **is;
    ngx_http_govsvc_token_main_conf_t  *tmcf;

    tmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_token_module);

    issuers = conf->issuers != NULL ? conf->issuers : &tmcf->issuers;

    if (issuers->nelts == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"govsvc_token\" needs a \"govsvc_issuer\" in %V:%ui",
                      &conf->token.file, conf->token.line);
        return NGX_CONF_ERROR;
    }

    conf->policy = ngx_http_govsvc_token_policy_get(tmcf, issuers);

    if (conf->policy != NULL) {
        return NGX_CONF_OK;
    }

    policy = ngx_pcalloc(cf->pool, sizeof(gs_token_policy_t));
    slot = ngx_array_push(&tmcf->policies);

    if (policy == NULL || slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = policy;

    policy->revoke = tmcf->revoke != NULL ? &tmcf->revoke->table : NULL;
    policy->n = issuers->nelts;
    policy->max_len = GS_TOKEN_MAX_LEN;
    policy->issuers = ngx_palloc(cf->pool, issuers->nelts * sizeof(void *));

    if (policy->issuers == NULL) {
        return NGX_CONF_ERROR;
    }

    is = issuers->elts;

    for (i = 0; i < issuers->nelts; i++) {
        policy->issuers[i] = &is[i]->issuer;
    }

    if (gs_token_policy_seal(policy,
                             gs_token_verifier_crypto(tmcf->verifier))
        != GS_OK)
    {
        return NGX_CONF_ERROR;
    }

    conf->policy = policy;

    return NGX_CONF_OK;
}


static gs_token_policy_t *
ngx_http_govsvc_token_policy_get(ngx_http_govsvc_token_main_conf_t *tmcf,
    ngx_array_t *issuers)
{
    ngx_uint_t                  i, n;
    gs_token_policy_t         **policy;
    ngx_http_govsvc_issuer_t  **is;

    is = issuers->elts;
    policy = tmcf->policies.elts;

    for (i = 0; i < tmcf->policies.nelts; i++) {

        if (policy[i]->n != issuers->nelts) {
            continue;
        }

        for (n = 0; n < issuers->nelts; n++) {
            if (policy[i]->issuers[n] != &is[n]->issuer) {
                break;
            }
        }

        if (n == issuers->nelts) {
            return policy[i];
        }
    }

    return NULL;
}


static char *
ngx_http_govsvc_token(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_token_conf_t *tlcf = conf;

    char                               *rv;
    ngx_str_t                          *value, rest;
    ngx_uint_t                          i, forward;
    ngx_conf_enum_t                    *mode;
    ngx_http_govsvc_token_main_conf_t  *tmcf;
    static const char *const            names[] = {
        "issuer=NAME,NAME", "from=header,cookie:NAME,arg:NAME",
        "forward=on", "forward=off", NULL
    };

    value = cf->args->elts;

    if (tlcf->mode != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    for (mode = ngx_http_govsvc_token_modes; mode->name.len != 0; mode++) {
        if (ngx_strcmp(value[1].data, mode->name.data) == 0) {
            break;
        }
    }

    if (mode->name.len == 0) {
        return ngx_govsvc_conf_invalid(cf, "mode", &value[1],
                                       ngx_http_govsvc_token_mode_names);
    }

    forward = 0;
    tlcf->mode = mode->value;
    tlcf->token.file = cf->conf_file->file.name;
    tlcf->token.line = cf->conf_file->line;

    for (i = 2; i < cf->args->nelts; i++) {

        rest = value[i];

        if (ngx_strncmp(value[i].data, "issuer=", 7) == 0
            && tlcf->issuers == NULL)
        {
            rest.data += 7;
            rest.len -= 7;
            rv = ngx_http_govsvc_token_issuers(cf, tlcf, &rest);

        } else if (ngx_strncmp(value[i].data, "from=", 5) == 0
                   && tlcf->sources == NULL)
        {
            rest.data += 5;
            rest.len -= 5;
            rv = ngx_http_govsvc_token_from(cf, tlcf, &rest);

        } else if ((ngx_strcmp(value[i].data, "forward=on") == 0
                    || ngx_strcmp(value[i].data, "forward=off") == 0)
                   && !forward++)
        {
            tlcf->forward = (value[i].len == sizeof("forward=on") - 1);
            rv = NGX_CONF_OK;

        } else {
            rv = ngx_govsvc_conf_invalid(cf, "parameter", &value[i], names);
        }

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (tlcf->mode == NGX_HTTP_GOVSVC_TOKEN_OFF) {
        return NGX_CONF_OK;
    }

    tmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_token_module);
    tmcf->used = 1;

    ngx_http_govsvc_enable(cf);

    if (tlcf->sources != NULL) {
        return NGX_CONF_OK;
    }

    ngx_str_set(&rest, "header");

    return ngx_http_govsvc_token_from(cf, tlcf, &rest);
}


static char *
ngx_http_govsvc_token_issuers(ngx_conf_t *cf,
    ngx_http_govsvc_token_conf_t *tlcf, ngx_str_t *list)
{
    ngx_str_t                           name;
    ngx_http_govsvc_issuer_t           *is, **slot;
    ngx_http_govsvc_token_main_conf_t  *tmcf;

    tmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_token_module);

    tlcf->issuers = ngx_array_create(cf->pool, 2, sizeof(void *));
    if (tlcf->issuers == NULL) {
        return NGX_CONF_ERROR;
    }

    while (ngx_govsvc_conf_next(list, &name)) {

        if (name.len == 0) {
            return ngx_govsvc_conf_invalid(cf, "issuer", &name, NULL);
        }

        is = ngx_http_govsvc_issuer_get(cf, tmcf, &name);
        slot = ngx_array_push(tlcf->issuers);

        if (is == NULL || slot == NULL) {
            return NGX_CONF_ERROR;
        }

        *slot = is;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_token_from(ngx_conf_t *cf,
    ngx_http_govsvc_token_conf_t *tlcf, ngx_str_t *list)
{
    ngx_str_t                        word;
    ngx_http_govsvc_token_source_t  *source;

    tlcf->sources = ngx_array_create(cf->pool, 1,
                                     sizeof(ngx_http_govsvc_token_source_t));
    if (tlcf->sources == NULL) {
        return NGX_CONF_ERROR;
    }

    while (ngx_govsvc_conf_next(list, &word)) {

        source = ngx_array_push(tlcf->sources);
        if (source == NULL) {
            return NGX_CONF_ERROR;
        }

        if (ngx_http_govsvc_token_source(cf, &word, source) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_token_source(ngx_conf_t *cf, ngx_str_t *word,
    ngx_http_govsvc_token_source_t *source)
{
    size_t                    prefix;
    static const char *const  names[] = {
        "header", "cookie:NAME", "arg:NAME", NULL
    };

    ngx_str_null(&source->name);

    if (word->len == 6 && ngx_strncmp(word->data, "header", 6) == 0) {
        source->type = NGX_HTTP_GOVSVC_TOKEN_HEADER;
        return NGX_CONF_OK;
    }

    if (word->len > 7 && ngx_strncmp(word->data, "cookie:", 7) == 0) {
        source->type = NGX_HTTP_GOVSVC_TOKEN_COOKIE;
        prefix = 7;

    } else if (word->len > 4 && ngx_strncmp(word->data, "arg:", 4) == 0) {
        source->type = NGX_HTTP_GOVSVC_TOKEN_ARG;
        prefix = 4;

    } else {
        return ngx_govsvc_conf_invalid(cf, "source", word, names);
    }

    source->name.data = word->data + prefix;
    source->name.len = word->len - prefix;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_govsvc_token_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                          i;
    ngx_http_govsvc_issuer_t          **is;
    ngx_http_govsvc_token_main_conf_t  *tmcf;

    tmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_govsvc_token_module);

    if (tmcf == NULL) {
        return NGX_OK;
    }

    tmcf->cache.pid = (uint32_t) ngx_pid;

    /* not in helper processes such as the cache manager */

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    is = tmcf->issuers.elts;

    for (i = 0; i < tmcf->issuers.nelts; i++) {
        ngx_http_govsvc_keys_watch(is[i], cycle->log);

        if (ngx_http_govsvc_jwks_start(is[i], cycle) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (tmcf->revoke != NULL) {
        ngx_http_govsvc_revoke_start(tmcf->revoke, cycle->log);
    }

    return NGX_OK;
}


static void
ngx_http_govsvc_token_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_govsvc_token_main_conf_t  *tmcf;

    tmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_govsvc_token_module);

    if (tmcf != NULL && tmcf->revoke != NULL
        && (ngx_process == NGX_PROCESS_WORKER
            || ngx_process == NGX_PROCESS_SINGLE))
    {
        ngx_http_govsvc_revoke_stop(tmcf->revoke, cycle->log);
    }
}
