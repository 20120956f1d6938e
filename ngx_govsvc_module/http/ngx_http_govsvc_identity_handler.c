
/*
 * Copyright (C) govsvc authors
 *
 * Identity for the platforms, put into the request right before it goes
 * upstream: the client's own credential out, what the gateway vouches for in.
 * A value that no header can carry is left out, never changed.
 */


#include "http/ngx_http_govsvc_client.h"
#include "http/ngx_http_govsvc_identity.h"
#include "http/ngx_http_govsvc_token.h"

#include "core/gs_b64.h"
#include "core/gs_hex.h"


typedef struct {
    ngx_http_govsvc_identity_name_t  name;
    ngx_str_t                        value;
} ngx_http_govsvc_identity_field_t;


static ngx_int_t ngx_http_govsvc_identity_all(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_identity_conf_t *icf);
static ngx_int_t ngx_http_govsvc_identity_values(ngx_http_request_t *r,
    ngx_array_t *set);
static ngx_int_t ngx_http_govsvc_identity_encode(ngx_http_request_t *r,
    ngx_str_t *value, ngx_uint_t encode);
static ngx_uint_t ngx_http_govsvc_identity_text(ngx_str_t *value);
static size_t ngx_http_govsvc_identity_pct(u_char *dst, ngx_str_t *value);
static ngx_int_t ngx_http_govsvc_identity_token(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_identity_jws_t *jws);
static ngx_int_t ngx_http_govsvc_identity_call(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_identity_tif_t *tif);
static ngx_int_t ngx_http_govsvc_identity_call_value(ngx_http_request_t *r,
    ngx_http_complex_value_t *cv, ngx_str_t *value, gs_str_t *s);
static ngx_int_t ngx_http_govsvc_identity_signed(ngx_http_request_t *r,
    gs_sign_header_t *add, size_t n);
static ngx_uint_t ngx_http_govsvc_identity_same(void *data,
    ngx_table_elt_t *h);
static ngx_int_t ngx_http_govsvc_identity_add(ngx_http_request_t *r,
    ngx_http_govsvc_identity_name_t *name, ngx_str_t *value);
static void ngx_http_govsvc_identity_log(ngx_http_request_t *r,
    const char *what);


ngx_int_t
ngx_http_govsvc_identity_handler(ngx_http_request_t *r)
{
    ngx_http_govsvc_ctx_t            *ctx;
    ngx_http_govsvc_identity_conf_t  *icf;

    if (ngx_http_govsvc_skip(r)) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ctx->auth_status == NGX_HTTP_GOVSVC_AUTH_OK
        && ngx_http_govsvc_token_remove(r, ctx) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    icf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_identity_module);

    if (icf->set == NULL && icf->jws == NULL && icf->tif == NULL) {
        return NGX_DECLINED;
    }

    return ngx_http_govsvc_identity_all(r, ctx, icf) == NGX_OK
           ? NGX_DECLINED : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static ngx_int_t
ngx_http_govsvc_identity_all(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_identity_conf_t *icf)
{
    if (icf->set != NULL
        && ngx_http_govsvc_identity_values(r, icf->set) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (icf->jws != NULL
        && ngx_http_govsvc_identity_token(r, ctx, icf->jws) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return icf->tif != NULL ? ngx_http_govsvc_identity_call(r, ctx, icf->tif)
                            : NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_identity_values(ngx_http_request_t *r, ngx_array_t *set)
{
    ngx_int_t                        rc;
    ngx_str_t                        value;
    ngx_uint_t                       i;
    ngx_http_govsvc_identity_set_t  *s;

    s = set->elts;

    for (i = 0; i < set->nelts; i++) {

        if (ngx_http_complex_value(r, &s[i].value, &value) != NGX_OK) {
            return NGX_ERROR;
        }

        /* none of an earlier pass either: the identity may be another now */

        if (ngx_http_govsvc_client_remove(r, ngx_http_govsvc_identity_same,
                                          &s[i].name)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (value.len == 0) {
            continue;
        }

        rc = ngx_http_govsvc_identity_encode(r, &value, s[i].encode);

        if (rc == NGX_DECLINED) {
            ngx_http_govsvc_identity_log(r, "a value with control bytes, or "
                                            "too long");
            continue;
        }

        if (rc != NGX_OK
            || ngx_http_govsvc_identity_add(r, &s[i].name, &value) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_identity_encode(ngx_http_request_t *r, ngx_str_t *value,
    ngx_uint_t encode)
{
    size_t   size;
    u_char  *p;

    if (value->len > NGX_HTTP_GOVSVC_IDENTITY_VALUE) {
        return NGX_DECLINED;
    }

    if (encode == NGX_HTTP_GOVSVC_IDENTITY_RAW) {
        return ngx_http_govsvc_identity_text(value) ? NGX_OK : NGX_DECLINED;
    }

    size = encode == NGX_HTTP_GOVSVC_IDENTITY_PCT
               ? value->len * 3 : gs_b64url_encoded_len(value->len);

    p = ngx_pnalloc(r->pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->len = encode == NGX_HTTP_GOVSVC_IDENTITY_PCT
                     ? ngx_http_govsvc_identity_pct(p, value)
                     : gs_b64url_encode(p, value->data, value->len);
    value->data = p;

    return NGX_OK;
}


static ngx_uint_t
ngx_http_govsvc_identity_text(ngx_str_t *value)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < value->len; i++) {
        c = value->data[i];

        if (c < 0x20 || c == 0x7f) {
            return 0;
        }
    }

    return 1;
}


/* All but the unreserved of RFC 3986 section 2.3. */

static size_t
ngx_http_govsvc_identity_pct(u_char *dst, ngx_str_t *value)
{
    u_char         c, *p;
    size_t         i;
    static u_char  hex[] = "0123456789ABCDEF";

    p = dst;

    for (i = 0; i < value->len; i++) {
        c = value->data[i];

        if (gs_is_alpha(c) || gs_is_digit(c)
            || c == '-' || c == '.' || c == '_' || c == '~')
        {
            *p++ = c;

        } else {
            *p++ = '%';
            *p++ = hex[c >> 4];
            *p++ = hex[c & 15];
        }
    }

    return (size_t) (p - dst);
}


static ngx_int_t
ngx_http_govsvc_identity_token(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_identity_jws_t *jws)
{
    ngx_int_t  rc;
    ngx_str_t  text, value;

    if (ngx_http_govsvc_client_remove(r, ngx_http_govsvc_identity_same,
                                      &jws->name)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    rc = ngx_http_govsvc_identity_assert(r, ctx, jws, &text);

    if (rc != NGX_OK) {
        return rc == NGX_DECLINED ? NGX_OK : NGX_ERROR;
    }

    value.len = text.len;
    value.data = ngx_pstrdup(r->pool, &text);

    if (value.data == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_govsvc_identity_add(r, &jws->name, &value);
}


/* x-tif: the call form without a user, the identity form with one. */

static ngx_int_t
ngx_http_govsvc_identity_call(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_identity_tif_t *tif)
{
    size_t              n;
    gs_mem_t           *mem;
    ngx_str_t           uid, uinfo, ext;
    gs_sign_cred_t     *cred;
    gs_sign_header_t    add[GS_SIGN_MAX_ADD];
    gs_sign_reason_e    reason;
    gs_sign_request_t   request;

    mem = ngx_govsvc_mem(r->pool);
    cred = ngx_pcalloc(r->pool, sizeof(gs_sign_cred_t));

    if (mem == NULL || cred == NULL) {
        return NGX_ERROR;
    }

    uid = ctx->subject;
    ngx_str_null(&uinfo);
    ngx_str_null(&ext);

    cred->scheme = GS_SIGN_TIF;
    cred->id = ngx_govsvc_to_gs(&tif->app);
    cred->nonce = ngx_govsvc_to_gs(&ctx->request_id);
    cred->time = (int64_t) ngx_time();

    if (ngx_http_govsvc_identity_call_value(r, tif->uid, &uid,
                                            &cred->subject)
        != NGX_OK
        || ngx_http_govsvc_identity_call_value(r, tif->uinfo, &uinfo,
                                               &cred->text[0])
           != NGX_OK
        || ngx_http_govsvc_identity_call_value(r, tif->ext, &ext,
                                               &cred->text[1])
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_govsvc_client_remove(r, ngx_http_govsvc_identity_same, NULL)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!ngx_http_govsvc_identity_text(&uid)
        || !ngx_http_govsvc_identity_text(&uinfo)
        || !ngx_http_govsvc_identity_text(&ext))
    {
        ngx_http_govsvc_identity_log(r, "a value with control bytes");
        return NGX_OK;
    }

    /* the signature joins the fields with commas: one more would move them */

    if (ngx_strlchr(uid.data, uid.data + uid.len, ',') != NULL
        || ngx_strlchr(uinfo.data, uinfo.data + uinfo.len, ',') != NULL)
    {
        ngx_http_govsvc_identity_log(r, "a value with a comma");
        return NGX_OK;
    }

    ngx_memzero(&request, sizeof(gs_sign_request_t));

    reason = gs_sign_make(tif->crypto, mem, &request, cred, &tif->key, add,
                          &n);

    if (reason == GS_SIGN_NO_MEMORY) {
        return NGX_ERROR;
    }

    if (reason != GS_SIGN_OK) {
        ngx_http_govsvc_identity_log(r, gs_sign_reason_name(reason));
        return NGX_OK;
    }

    return ngx_http_govsvc_identity_signed(r, add, n);
}


static ngx_int_t
ngx_http_govsvc_identity_call_value(ngx_http_request_t *r,
    ngx_http_complex_value_t *cv, ngx_str_t *value, gs_str_t *s)
{
    if (cv != NULL && ngx_http_complex_value(r, cv, value) != NGX_OK) {
        return NGX_ERROR;
    }

    *s = ngx_govsvc_to_gs(value);

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_identity_signed(ngx_http_request_t *r, gs_sign_header_t *add,
    size_t n)
{
    size_t                           i;
    ngx_str_t                        value;
    ngx_http_govsvc_identity_name_t  name;

    for (i = 0; i < n; i++) {

        if (add[i].value.len == 0) {
            continue;
        }

        name.key = ngx_govsvc_from_gs(&add[i].name);
        value = ngx_govsvc_from_gs(&add[i].value);
        name.lowcase = ngx_pnalloc(r->pool, name.key.len);

        if (name.lowcase == NULL) {
            return NGX_ERROR;
        }

        name.hash = ngx_hash_strlow(name.lowcase, name.key.data,
                                    name.key.len);

        if (ngx_http_govsvc_identity_add(r, &name, &value) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* As platforms may read them; without a name, all that x-tif uses. */

static ngx_uint_t
ngx_http_govsvc_identity_same(void *data, ngx_table_elt_t *h)
{
    ngx_http_govsvc_identity_name_t *name = data;

    size_t            i;
    ngx_str_t         key;
    static ngx_str_t  prefix = ngx_string("x-tif-");

    key = (name != NULL) ? name->key : prefix;

    if (h->key.len < key.len || (name != NULL && h->key.len > key.len)) {
        return 0;
    }

    for (i = 0; i < key.len; i++) {
        if (ngx_http_govsvc_client_fold(h->key.data[i])
            != ngx_http_govsvc_client_fold(key.data[i]))
        {
            return 0;
        }
    }

    return 1;
}


static ngx_int_t
ngx_http_govsvc_identity_add(ngx_http_request_t *r,
    ngx_http_govsvc_identity_name_t *name, ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_in.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = name->hash;
    h->key = name->key;
    h->value = *value;
    h->lowcase_key = name->lowcase;

    return NGX_OK;
}


static void
ngx_http_govsvc_identity_log(ngx_http_request_t *r, const char *what)
{
    ngx_log_t               log;
    ngx_http_govsvc_ctx_t  *ctx;

    ctx = ngx_http_govsvc_get_ctx(r);

    log = *r->connection->log;
    log.handler = NULL;

    ngx_log_error(NGX_LOG_WARN, &log, 0,
                  "govsvc identity: left out, reason: %s, request: %V", what,
                  &ctx->request_id);
}
