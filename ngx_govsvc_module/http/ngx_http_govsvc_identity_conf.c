
/*
 * Copyright (C) govsvc authors
 *
 * govsvc_identity_sign: its two forms, and their keys.
 */


#include "http/ngx_http_govsvc_client.h"
#include "http/ngx_http_govsvc_identity.h"


#define NGX_HTTP_GOVSVC_IDENTITY_KEY     65536
#define NGX_HTTP_GOVSVC_IDENTITY_SECRET  1024
#define NGX_HTTP_GOVSVC_IDENTITY_TTL     60
#define NGX_HTTP_GOVSVC_IDENTITY_WORDS   8


/* NAME=VALUE; taken: which of the names were given */
typedef struct {
    const char *const  *names;
    ngx_str_t           values[NGX_HTTP_GOVSVC_IDENTITY_WORDS];
} ngx_http_govsvc_identity_words_t;


static char *ngx_http_govsvc_identity_words(ngx_conf_t *cf,
    ngx_http_govsvc_identity_words_t *words);
static char *ngx_http_govsvc_identity_jws(ngx_conf_t *cf,
    ngx_http_govsvc_identity_conf_t *icf);
static char *ngx_http_govsvc_identity_signer(ngx_conf_t *cf,
    ngx_http_govsvc_identity_jws_t *jws, ngx_str_t *file, ngx_str_t *alg,
    ngx_str_t *kid);
static char *ngx_http_govsvc_identity_tif(ngx_conf_t *cf,
    ngx_http_govsvc_identity_conf_t *icf);
static char *ngx_http_govsvc_identity_secret(ngx_conf_t *cf,
    ngx_http_govsvc_identity_tif_t *tif, ngx_str_t *file, ngx_str_t *alg);
static char *ngx_http_govsvc_identity_value(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_complex_value_t **value);
static char *ngx_http_govsvc_identity_needs(ngx_conf_t *cf, const char *form,
    const char *what);
static void ngx_http_govsvc_identity_signer_cleanup(void *data);
static void ngx_http_govsvc_identity_crypto_cleanup(void *data);


static const char *const  ngx_http_govsvc_identity_forms[] = {
    "jws", "x-tif", "off", NULL
};


static const char *const  ngx_http_govsvc_identity_jws_names[] = {
    "header=", "key=", "alg=", "kid=", "iss=", "aud=", "ttl=", NULL
};


static const char *const  ngx_http_govsvc_identity_tif_names[] = {
    "app=", "secret=", "alg=", "uid=", "uinfo=", "ext=", NULL
};




char *
ngx_http_govsvc_identity_sign(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_identity_conf_t *icf = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0 && cf->args->nelts == 2) {

        if (icf->jws != NGX_CONF_UNSET_PTR || icf->tif != NGX_CONF_UNSET_PTR)
        {
            return "is duplicate";
        }

        icf->jws = NULL;
        icf->tif = NULL;

        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[1].data, "jws") == 0) {

        if (icf->jws != NGX_CONF_UNSET_PTR) {
            return "is duplicate";
        }

        ngx_http_govsvc_enable(cf);

        return ngx_http_govsvc_identity_jws(cf, icf);
    }

    if (ngx_strcmp(value[1].data, "x-tif") == 0) {

        if (icf->tif != NGX_CONF_UNSET_PTR) {
            return "is duplicate";
        }

        ngx_http_govsvc_enable(cf);

        return ngx_http_govsvc_identity_tif(cf, icf);
    }

    return ngx_govsvc_conf_invalid(cf, "form", &value[1],
                                   ngx_http_govsvc_identity_forms);
}


static char *
ngx_http_govsvc_identity_words(ngx_conf_t *cf,
    ngx_http_govsvc_identity_words_t *words)
{
    size_t       len;
    ngx_str_t   *value;
    ngx_uint_t   i, n;

    value = cf->args->elts;
    len = 0;

    for (i = 2; i < cf->args->nelts; i++) {

        for (n = 0; words->names[n] != NULL; n++) {
            len = ngx_strlen(words->names[n]);

            if (ngx_strncmp(value[i].data, words->names[n], len) == 0) {
                break;
            }
        }

        if (words->names[n] == NULL) {
            return ngx_govsvc_conf_invalid(cf, "parameter", &value[i],
                                           words->names);
        }

        if (value[i].len == len) {
            return ngx_govsvc_conf_invalid(cf, "empty parameter", &value[i],
                                           NULL);
        }

        if (words->values[n].len != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate parameter \"%V\" in "
                               "\"govsvc_identity_sign\" directive",
                               &value[i]);
            return NGX_CONF_ERROR;
        }

        words->values[n].data = value[i].data + len;
        words->values[n].len = value[i].len - len;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_identity_jws(ngx_conf_t *cf,
    ngx_http_govsvc_identity_conf_t *icf)
{
    ngx_str_t                         *v;
    ngx_http_govsvc_identity_jws_t    *jws;
    ngx_http_govsvc_identity_words_t   words;
    static const char *const           range[] = { "5s to 5m", NULL };

    ngx_memzero(&words, sizeof(ngx_http_govsvc_identity_words_t));

    words.names = ngx_http_govsvc_identity_jws_names;
    v = words.values;

    jws = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_identity_jws_t));

    if (jws == NULL
        || ngx_http_govsvc_identity_words(cf, &words) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (v[0].len == 0) {
        return ngx_http_govsvc_identity_needs(cf, "jws", "header=NAME");
    }

    if (v[1].len == 0) {
        return ngx_http_govsvc_identity_needs(cf, "jws", "key=FILE");
    }

    jws->iss = v[4].len != 0 ? v[4] : *ngx_http_govsvc_node(cf);
    jws->ttl = NGX_HTTP_GOVSVC_IDENTITY_TTL;

    if (v[6].len != 0) {
        jws->ttl = ngx_parse_time(&v[6], 1);

        if (jws->ttl == (time_t) NGX_ERROR || jws->ttl < 5 || jws->ttl > 300)
        {
            return ngx_govsvc_conf_invalid(cf, "time", &v[6], range);
        }
    }

    if (ngx_http_govsvc_identity_name(cf, &v[0], &jws->name) != NGX_CONF_OK
        || ngx_http_govsvc_identity_value(cf, &v[5], &jws->aud)
           != NGX_CONF_OK
        || ngx_http_govsvc_identity_signer(cf, jws, &v[1], &v[2], &v[3])
           != NGX_CONF_OK
        || ngx_govsvc_random(&jws->hash, sizeof(jws->hash), cf->log)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    icf->jws = jws;

    return NGX_CONF_OK;
}


/* One signer for a key, however many places use it. */

static char *
ngx_http_govsvc_identity_signer(ngx_conf_t *cf,
    ngx_http_govsvc_identity_jws_t *jws, ngx_str_t *file, ngx_str_t *alg,
    ngx_str_t *kid)
{
    gs_err_t                               err;
    gs_mem_t                              *mem;
    gs_str_t                               s, name, id, old;
    ngx_str_t                              text;
    ngx_uint_t                             i;
    gs_token_alg_e                         type;
    gs_token_signer_t                    **slot;
    ngx_pool_cleanup_t                    *cln;
    ngx_http_govsvc_identity_main_conf_t  *imcf;
    static const char *const               algs[] = {
        "EdDSA", "ES256", "SM2", NULL
    };

    type = GS_TOKEN_ALG_UNKNOWN;

    if (alg->len != 0) {
        name = ngx_govsvc_to_gs(alg);
        type = gs_token_alg_find(&name);

        if (type != GS_TOKEN_EDDSA && type != GS_TOKEN_ES256
            && type != GS_TOKEN_SM2)
        {
            return ngx_govsvc_conf_invalid(cf, "algorithm", alg, algs);
        }
    }

    if (ngx_govsvc_conf_read_file(cf, file, &text,
                                  NGX_HTTP_GOVSVC_IDENTITY_KEY, 1)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&err, sizeof(gs_err_t));

    s = ngx_govsvc_to_gs(&text);
    id = ngx_govsvc_to_gs(kid);

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    mem = ngx_govsvc_mem(cf->pool);
    if (mem == NULL) {
        return NGX_CONF_ERROR;
    }

    jws->signer = gs_token_signer_create(mem, &s, type, &id, &err);

    ngx_explicit_memzero(text.data, text.len);

    if (jws->signer == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s in \"%V\"", err.text,
                           file);
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_http_govsvc_identity_signer_cleanup;
    cln->data = jws->signer;

    imcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_identity_module);
    slot = imcf->signers.elts;
    id = gs_token_signer_kid(jws->signer);

    for (i = 0; i < imcf->signers.nelts; i++) {
        old = gs_token_signer_kid(slot[i]);

        if (gs_str_eq(&old, &id)) {
            return NGX_CONF_OK;
        }
    }

    slot = ngx_array_push(&imcf->signers);
    if (slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = jws->signer;

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_identity_tif(ngx_conf_t *cf,
    ngx_http_govsvc_identity_conf_t *icf)
{
    ngx_str_t                         *v;
    ngx_http_govsvc_identity_tif_t    *tif;
    ngx_http_govsvc_identity_words_t   words;

    ngx_memzero(&words, sizeof(ngx_http_govsvc_identity_words_t));

    words.names = ngx_http_govsvc_identity_tif_names;
    v = words.values;

    tif = ngx_pcalloc(cf->pool, sizeof(ngx_http_govsvc_identity_tif_t));

    if (tif == NULL
        || ngx_http_govsvc_identity_words(cf, &words) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (v[0].len == 0) {
        return ngx_http_govsvc_identity_needs(cf, "x-tif", "app=ID");
    }

    if (v[1].len == 0) {
        return ngx_http_govsvc_identity_needs(cf, "x-tif", "secret=FILE");
    }

    tif->app = v[0];

    if (ngx_http_govsvc_identity_secret(cf, tif, &v[1], &v[2]) != NGX_CONF_OK
        || ngx_http_govsvc_identity_value(cf, &v[3], &tif->uid)
           != NGX_CONF_OK
        || ngx_http_govsvc_identity_value(cf, &v[4], &tif->uinfo)
           != NGX_CONF_OK
        || ngx_http_govsvc_identity_value(cf, &v[5], &tif->ext)
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    icf->tif = tif;

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_identity_secret(ngx_conf_t *cf,
    ngx_http_govsvc_identity_tif_t *tif, ngx_str_t *file, ngx_str_t *alg)
{
    gs_mem_t                 *mem;
    ngx_str_t                 text;
    ngx_pool_cleanup_t       *cln;
    static const char *const  algs[] = { "sha256", "sm3", NULL };

    tif->key.alg = GS_SIGN_SHA256;

    if (alg->len != 0 && ngx_strcmp(alg->data, "sm3") == 0) {
        tif->key.alg = GS_SIGN_SM3;

    } else if (alg->len != 0 && ngx_strcmp(alg->data, "sha256") != 0) {
        return ngx_govsvc_conf_invalid(cf, "algorithm", alg, algs);
    }

    if (ngx_govsvc_conf_read_file(cf, file, &text,
                                  NGX_HTTP_GOVSVC_IDENTITY_SECRET, 1)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    while (text.len != 0
           && (text.data[text.len - 1] == LF || text.data[text.len - 1] == CR))
    {
        text.len--;
    }

    if (text.len < 16) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "secret file \"%V\" has %uz bytes, at least 16 are "
                           "needed", file, text.len);
        return NGX_CONF_ERROR;
    }

    tif->key.secret = ngx_govsvc_to_gs(&text);

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    mem = ngx_govsvc_mem(cf->pool);
    if (mem == NULL) {
        return NGX_CONF_ERROR;
    }

    tif->crypto = gs_sign_crypto_create(mem);

    if (tif->crypto == NULL) {
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_http_govsvc_identity_crypto_cleanup;
    cln->data = tif->crypto;

    return NGX_CONF_OK;
}


static void
ngx_http_govsvc_identity_signer_cleanup(void *data)
{
    gs_token_signer_destroy(data);
}


static void
ngx_http_govsvc_identity_crypto_cleanup(void *data)
{
    gs_sign_crypto_destroy(data);
}


static char *
ngx_http_govsvc_identity_value(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_complex_value_t **value)
{
    ngx_http_compile_complex_value_t  ccv;

    if (text->len == 0) {
        return NGX_CONF_OK;
    }

    *value = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (*value == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = text;
    ccv.complex_value = *value;

    return ngx_http_compile_complex_value(&ccv) == NGX_OK ? NGX_CONF_OK
                                                          : NGX_CONF_ERROR;
}


static char *
ngx_http_govsvc_identity_needs(ngx_conf_t *cf, const char *form,
    const char *what)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"govsvc_identity_sign %s\" needs \"%s\"", form,
                       what);

    return NGX_CONF_ERROR;
}


char *
ngx_http_govsvc_identity_name(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_govsvc_identity_name_t *name)
{
    name->key = *text;
    name->lowcase = ngx_pnalloc(cf->pool, text->len + 1);

    if (name->lowcase == NULL) {
        return NGX_CONF_ERROR;
    }

    name->hash = ngx_hash_strlow(name->lowcase, text->data, text->len);
    name->lowcase[text->len] = '\0';

    if (text->len > 128 || ngx_strlchr(text->data, text->data + text->len, '*')
                           != NULL)
    {
        return ngx_govsvc_conf_invalid(cf, "header name", text, NULL);
    }

    return ngx_http_govsvc_client_own(cf, text);
}
