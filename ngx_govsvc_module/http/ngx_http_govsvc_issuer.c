
/*
 * Copyright (C) govsvc authors
 *
 * The block govsvc_issuer: who signs tokens, with which keys, and what a token
 * of theirs must say.
 */


#include "http/ngx_http_govsvc_jwks.h"


#define NGX_HTTP_GOVSVC_ISSUER_NAME   64
#define NGX_HTTP_GOVSVC_LEEWAY_MAX    600
#define NGX_HTTP_GOVSVC_LIFETIME_MAX  31622400
#define NGX_HTTP_GOVSVC_SM2_ID_MAX    128
#define NGX_HTTP_GOVSVC_POLL          5000
#define NGX_HTTP_GOVSVC_POLL_MIN      100
#define NGX_HTTP_GOVSVC_POLL_MAX      3600000


typedef char *(*ngx_http_govsvc_issuer_pair_pt)(ngx_conf_t *cf,
    ngx_str_t *pair, gs_token_level_t *level);


static char *ngx_http_govsvc_issuer_name(ngx_conf_t *cf, ngx_str_t *name);
static char *ngx_http_govsvc_issuer_finish(ngx_conf_t *cf,
    ngx_http_govsvc_token_main_conf_t *tmcf, ngx_http_govsvc_issuer_t *is);
static char *ngx_http_govsvc_issuer_needs(ngx_conf_t *cf,
    ngx_http_govsvc_issuer_t *is, const char *name);
static char *ngx_http_govsvc_issuer_iss(ngx_conf_t *cf, void *conf);
static char *ngx_http_govsvc_issuer_audience(ngx_conf_t *cf, void *conf);
static char *ngx_http_govsvc_issuer_algs(ngx_conf_t *cf, void *conf);
static char *ngx_http_govsvc_issuer_jwks(ngx_conf_t *cf, void *conf);
static char *ngx_http_govsvc_issuer_leeway(ngx_conf_t *cf, void *conf);
static char *ngx_http_govsvc_issuer_lifetime(ngx_conf_t *cf, void *conf);
static char *ngx_http_govsvc_issuer_require(ngx_conf_t *cf, void *conf);
static char *ngx_http_govsvc_issuer_typ(ngx_conf_t *cf, void *conf);
static char *ngx_http_govsvc_issuer_sm2_id(ngx_conf_t *cf, void *conf);
static char *ngx_http_govsvc_issuer_assurance(ngx_conf_t *cf, void *conf);
static char *ngx_http_govsvc_issuer_user(ngx_conf_t *cf, void *conf);
static char *ngx_http_govsvc_issuer_actor(ngx_conf_t *cf, void *conf);
static char *ngx_http_govsvc_issuer_claim(ngx_conf_t *cf, ngx_str_t *value,
    gs_str_t *claim);
static char *ngx_http_govsvc_issuer_map(ngx_conf_t *cf,
    const char *const *form, ngx_http_govsvc_issuer_pair_pt pair_handler,
    gs_str_t *claim, gs_token_level_t **scale, size_t *n);
static char *ngx_http_govsvc_issuer_level(ngx_conf_t *cf, ngx_str_t *pair,
    gs_token_level_t *level);
static char *ngx_http_govsvc_issuer_kind(ngx_conf_t *cf, ngx_str_t *pair,
    gs_token_level_t *kind);
static char *ngx_http_govsvc_issuer_list(ngx_conf_t *cf, const char *what,
    gs_str_t **list, size_t *n);


static const ngx_govsvc_conf_word_t  ngx_http_govsvc_issuer_words[] = {
    { "iss", 1, 1, ngx_http_govsvc_issuer_iss },
    { "audience", 1, 16, ngx_http_govsvc_issuer_audience },
    { "algs", 1, 16, ngx_http_govsvc_issuer_algs },
    { "jwks_file", 1, 2, ngx_http_govsvc_issuer_jwks },
    { "leeway", 1, 1, ngx_http_govsvc_issuer_leeway },
    { "max_lifetime", 1, 1, ngx_http_govsvc_issuer_lifetime },
    { "require", 1, 16, ngx_http_govsvc_issuer_require },
    { "typ", 1, 16, ngx_http_govsvc_issuer_typ },
    { "sm2_id", 1, 1, ngx_http_govsvc_issuer_sm2_id },
    { "assurance", 2, 2, ngx_http_govsvc_issuer_assurance },
    { "jwks_uri", 1, 10, ngx_http_govsvc_jwks_uri },
    { "user", 2, 2, ngx_http_govsvc_issuer_user },
    { "actor", 1, 1, ngx_http_govsvc_issuer_actor },
    { NULL, 0, 0, NULL }
};


char *
ngx_http_govsvc_issuer_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_token_main_conf_t *tmcf = conf;

    char                      *rv;
    ngx_str_t                 *value;
    ngx_http_govsvc_issuer_t  *is;

    value = cf->args->elts;

    rv = ngx_http_govsvc_issuer_name(cf, &value[1]);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    is = ngx_http_govsvc_issuer_get(cf, tmcf, &value[1]);
    if (is == NULL) {
        return NGX_CONF_ERROR;
    }

    if (is->defined) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate govsvc_issuer \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    is->defined = 1;

    rv = ngx_govsvc_conf_block(cf, ngx_http_govsvc_issuer_words, is);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    return ngx_http_govsvc_issuer_finish(cf, tmcf, is);
}


ngx_http_govsvc_issuer_t *
ngx_http_govsvc_issuer_get(ngx_conf_t *cf,
    ngx_http_govsvc_token_main_conf_t *tmcf, ngx_str_t *name)
{
    ngx_uint_t                  i;
    ngx_http_govsvc_issuer_t   *is, **all;

    all = tmcf->issuers.elts;

    for (i = 0; i < tmcf->issuers.nelts; i++) {
        if (all[i]->name.len == name->len
            && ngx_memcmp(all[i]->name.data, name->data, name->len) == 0)
        {
            return all[i];
        }
    }

    is = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_issuer_t));
    all = ngx_array_push(&tmcf->issuers);

    if (is == NULL || all == NULL) {
        return NULL;
    }

    *all = is;

    gs_token_issuer_init(&is->issuer);

    is->name = *name;
    is->issuer.name = ngx_govsvc_to_gs(name);
    is->place.file = cf->conf_file->file.name;
    is->place.line = cf->conf_file->line;

    return is;
}


static char *
ngx_http_govsvc_issuer_name(ngx_conf_t *cf, ngx_str_t *name)
{
    u_char                    c;
    size_t                    i;
    static const char *const  chars[] = {
        "1 to 64 letters, digits, \"_\" and \"-\"", NULL
    };

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if (!gs_is_alpha(c) && !gs_is_digit(c) && c != '_' && c != '-') {
            break;
        }
    }

    if (name->len == 0 || name->len > NGX_HTTP_GOVSVC_ISSUER_NAME
        || i < name->len)
    {
        return ngx_govsvc_conf_invalid(cf, "name", name, chars);
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_issuer_finish(ngx_conf_t *cf,
    ngx_http_govsvc_token_main_conf_t *tmcf, ngx_http_govsvc_issuer_t *is)
{
    if (is->issuer.iss.len == 0) {
        return ngx_http_govsvc_issuer_needs(cf, is, "iss URL");
    }

    if (!is->audience) {
        return ngx_http_govsvc_issuer_needs(cf, is,
                                            "audience NAME ..., or off");
    }

    if (is->jwks_file.len == 0 && !is->source) {
        return ngx_http_govsvc_issuer_needs(cf, is, "jwks_file FILE, or "
                                                    "jwks_uri URL");
    }

    if (is->source && (is->issuer.algs & GS_TOKEN_SECRET_ALGS)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "shared secrets of govsvc_issuer \"%V\" must be "
                           "in a \"jwks_file\"", &is->name);
        return NGX_CONF_ERROR;
    }

    if (ngx_http_govsvc_keys_init(cf, is) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (gs_token_issuer_seal(&is->issuer,
                             gs_token_verifier_crypto(tmcf->verifier))
        != GS_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "not enough memory for govsvc_issuer \"%V\"",
                           &is->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_issuer_needs(ngx_conf_t *cf, ngx_http_govsvc_issuer_t *is,
    const char *name)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "govsvc_issuer \"%V\" needs \"%s\"", &is->name, name);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_govsvc_issuer_iss(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_issuer_t *is = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    if (value[1].len == 0) {
        return ngx_govsvc_conf_invalid(cf, "issuer", &value[1], NULL);
    }

    is->issuer.iss = ngx_govsvc_to_gs(&value[1]);

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_issuer_audience(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_issuer_t *is = conf;

    ngx_str_t  *value;

    value = cf->args->elts;
    is->audience = 1;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        return NGX_CONF_OK;
    }

    return ngx_http_govsvc_issuer_list(cf, "audience", &is->issuer.audience,
                                       &is->issuer.naudience);
}


static char *
ngx_http_govsvc_issuer_algs(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_issuer_t *is = conf;

    gs_str_t         s;
    ngx_str_t       *value;
    ngx_uint_t       i;
    gs_token_alg_e   alg;

    value = cf->args->elts;
    is->issuer.algs = 0;

    for (i = 1; i < cf->args->nelts; i++) {
        s = ngx_govsvc_to_gs(&value[i]);
        alg = gs_token_alg_find(&s);

        if (alg == GS_TOKEN_ALG_UNKNOWN) {
            return ngx_govsvc_conf_invalid(cf, "algorithm", &value[i],
                                           gs_token_alg_names);
        }

        is->issuer.algs |= 1u << alg;
    }

    if ((is->issuer.algs & GS_TOKEN_SECRET_ALGS)
        && (is->issuer.algs & GS_TOKEN_PUBLIC_ALGS))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"algs\" of govsvc_issuer \"%V\" mixes shared "
                           "secrets (HS256, HS384, HS512, HSM3) with public "
                           "keys, use two issuers", &is->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_issuer_jwks(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_issuer_t *is = conf;

    ngx_str_t                *value, time;
    static const char *const  form[] = {
        "poll=TIME, TIME 100ms to 1h, or poll=off", NULL
    };

    value = cf->args->elts;

    if (value[1].len == 0) {
        return ngx_govsvc_conf_invalid(cf, "file", &value[1], NULL);
    }

    if (is->jwks != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"jwks_uri\" and \"jwks_file\" exclude each other");
        return NGX_CONF_ERROR;
    }

    is->jwks_file = value[1];
    is->poll = NGX_HTTP_GOVSVC_POLL;

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[2].data, "poll=off") == 0) {
        is->poll = 0;
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value[2].data, "poll=", 5) != 0) {
        return ngx_govsvc_conf_invalid(cf, "parameter", &value[2], form);
    }

    time.data = value[2].data + 5;
    time.len = value[2].len - 5;

    is->poll = (ngx_msec_t) ngx_parse_time(&time, 0);

    if ((ngx_int_t) is->poll == NGX_ERROR
        || is->poll < NGX_HTTP_GOVSVC_POLL_MIN
        || is->poll > NGX_HTTP_GOVSVC_POLL_MAX)
    {
        return ngx_govsvc_conf_invalid(cf, "time", &value[2], form);
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_issuer_leeway(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_issuer_t *is = conf;

    time_t                    n;
    ngx_str_t                *value;
    static const char *const  range[] = { "0 to 10m", NULL };

    value = cf->args->elts;
    n = ngx_parse_time(&value[1], 1);

    if (n == (time_t) NGX_ERROR || n > NGX_HTTP_GOVSVC_LEEWAY_MAX) {
        return ngx_govsvc_conf_invalid(cf, "time", &value[1], range);
    }

    is->issuer.leeway = (int64_t) n;

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_issuer_lifetime(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_issuer_t *is = conf;

    time_t                    n;
    ngx_str_t                *value;
    static const char *const  range[] = { "1s to 366d", "off", NULL };

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        is->issuer.max_lifetime = 0;
        return NGX_CONF_OK;
    }

    n = ngx_parse_time(&value[1], 1);

    if (n == (time_t) NGX_ERROR || n == 0
        || n > NGX_HTTP_GOVSVC_LIFETIME_MAX)
    {
        return ngx_govsvc_conf_invalid(cf, "time", &value[1], range);
    }

    is->issuer.max_lifetime = (int64_t) n;

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_issuer_require(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_issuer_t *is = conf;

    return ngx_http_govsvc_issuer_list(cf, "claim", &is->issuer.require,
                                       &is->issuer.nrequire);
}


static char *
ngx_http_govsvc_issuer_typ(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_issuer_t *is = conf;

    return ngx_http_govsvc_issuer_list(cf, "type", &is->issuer.typ,
                                       &is->issuer.ntyp);
}


static char *
ngx_http_govsvc_issuer_sm2_id(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_issuer_t *is = conf;

    ngx_str_t                *value;
    static const char *const  range[] = { "1 to 128 bytes", NULL };

    value = cf->args->elts;

    if (value[1].len == 0 || value[1].len > NGX_HTTP_GOVSVC_SM2_ID_MAX) {
        return ngx_govsvc_conf_invalid(cf, "identity", &value[1], range);
    }

    is->issuer.sm2_id = ngx_govsvc_to_gs(&value[1]);

    return NGX_CONF_OK;
}


/* assurance CLAIM map=VALUE:LEVEL,VALUE:LEVEL */

static char *
ngx_http_govsvc_issuer_assurance(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_issuer_t *is = conf;

    static const char *const  form[] = { "map=VALUE:LEVEL,VALUE:LEVEL", NULL };

    return ngx_http_govsvc_issuer_map(cf, form, ngx_http_govsvc_issuer_level,
                                      &is->issuer.acr, &is->issuer.levels,
                                      &is->issuer.nlevels);
}


/* user CLAIM map=VALUE:natural,VALUE:legal */

static char *
ngx_http_govsvc_issuer_user(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_issuer_t *is = conf;

    static const char *const  form[] = {
        "map=VALUE:natural,VALUE:legal", NULL
    };

    return ngx_http_govsvc_issuer_map(cf, form, ngx_http_govsvc_issuer_kind,
                                      &is->issuer.user, &is->issuer.users,
                                      &is->issuer.nusers);
}


static char *
ngx_http_govsvc_issuer_actor(ngx_conf_t *cf, void *conf)
{
    ngx_http_govsvc_issuer_t *is = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    return ngx_http_govsvc_issuer_claim(cf, &value[1], &is->issuer.actor);
}


/* A name, or a JSON pointer. */

static char *
ngx_http_govsvc_issuer_claim(ngx_conf_t *cf, ngx_str_t *value,
    gs_str_t *claim)
{
    static const char *const  pointer[] = {
        "a JSON pointer with \"~0\" and \"~1\" for \"~\" and \"/\"", NULL
    };

    *claim = ngx_govsvc_to_gs(value);

    if (gs_token_json_is_path(claim)) {
        return NGX_CONF_OK;
    }

    return ngx_govsvc_conf_invalid(cf, "claim", value,
                                   value->len ? pointer : NULL);
}


/* CLAIM map=PAIR,PAIR */

static char *
ngx_http_govsvc_issuer_map(ngx_conf_t *cf, const char *const *form,
    ngx_http_govsvc_issuer_pair_pt pair_handler, gs_str_t *claim,
    gs_token_level_t **scale, size_t *n)
{
    ngx_str_t         *value, rest, pair;
    ngx_array_t        levels;
    gs_token_level_t  *level;

    value = cf->args->elts;

    if (ngx_http_govsvc_issuer_claim(cf, &value[1], claim) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_strncmp(value[2].data, "map=", 4) != 0) {
        return ngx_govsvc_conf_invalid(cf, "map", &value[2], form);
    }

    if (ngx_array_init(&levels, cf->pool, 8, sizeof(gs_token_level_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    rest.data = value[2].data + 4;
    rest.len = value[2].len - 4;

    while (ngx_govsvc_conf_next(&rest, &pair)) {
        level = ngx_array_push(&levels);

        if (level == NULL || pair_handler(cf, &pair, level) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    *scale = levels.elts;
    *n = levels.nelts;

    return NGX_CONF_OK;
}


/* The last colon: values may be URNs. */

static char *
ngx_http_govsvc_issuer_level(ngx_conf_t *cf, ngx_str_t *pair,
    gs_token_level_t *level)
{
    u_char                   *last;
    static const char *const  form[] = { "VALUE:LEVEL, LEVEL 0 to 5", NULL };

    last = pair->data + pair->len;

    if (pair->len < 3 || last[-2] != ':' || last[-1] < '0' || last[-1] > '5') {
        return ngx_govsvc_conf_invalid(cf, "level", pair, form);
    }

    level->value = gs_str_make(pair->data, pair->len - 2);
    level->level = (unsigned) (last[-1] - '0');

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_issuer_kind(ngx_conf_t *cf, ngx_str_t *pair,
    gs_token_level_t *kind)
{
    gs_str_t                  s;
    ngx_uint_t                i;
    static const char *const  form[] = {
        "VALUE:natural", "VALUE:legal", NULL
    };
    static const gs_str_t     ends[] = {
        gs_string(":natural"), gs_string(":legal")
    };

    s = ngx_govsvc_to_gs(pair);

    for (i = 0; i < 2; i++) {

        if (s.len > ends[i].len && gs_str_suffix(&s, &ends[i])) {
            kind->value = gs_str_make(s.data, s.len - ends[i].len);
            kind->level = (i == 0) ? GS_TOKEN_NATURAL : GS_TOKEN_LEGAL;

            return NGX_CONF_OK;
        }
    }

    return ngx_govsvc_conf_invalid(cf, "kind", pair, form);
}


static char *
ngx_http_govsvc_issuer_list(ngx_conf_t *cf, const char *what,
    gs_str_t **list, size_t *n)
{
    gs_str_t    *s;
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    s = ngx_palloc(cf->pool, (cf->args->nelts - 1) * sizeof(gs_str_t));
    if (s == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (value[i].len == 0) {
            return ngx_govsvc_conf_invalid(cf, what, &value[i], NULL);
        }

        s[i - 1] = ngx_govsvc_to_gs(&value[i]);
    }

    *list = s;
    *n = cf->args->nelts - 1;

    return NGX_CONF_OK;
}
