
/*
 * Copyright (C) govsvc authors
 *
 * Registry API: what was proved about the caller, by TLS and by tokens.
 */


#include "admin/ngx_http_govsvc_admin.h"

#include "core/gs_hex.h"
#include "http/ngx_http_govsvc_apps.h"

#if (NGX_HTTP_SSL)
#include <openssl/x509v3.h>
#endif


static ngx_int_t ngx_http_govsvc_admin_token(ngx_http_request_t *r,
    ngx_http_govsvc_admin_job_t *job);
static ngx_int_t ngx_http_govsvc_admin_signed(ngx_http_request_t *r,
    ngx_http_govsvc_admin_job_t *job);
static ngx_int_t ngx_http_govsvc_admin_dup(ngx_pool_t *pool, gs_str_t *dst,
    const char *prefix, const u_char *data, size_t len);

#if (NGX_HTTP_SSL)
static ngx_int_t ngx_http_govsvc_admin_certificate(ngx_http_request_t *r,
    ngx_http_govsvc_admin_job_t *job);
static ngx_int_t ngx_http_govsvc_admin_spki(ngx_http_govsvc_admin_job_t *job,
    X509 *cert);
static ngx_int_t ngx_http_govsvc_admin_names(
    ngx_http_govsvc_admin_job_t *job, X509 *cert);
#endif


ngx_int_t
ngx_http_govsvc_admin_identify(ngx_http_request_t *r,
    ngx_http_govsvc_admin_job_t *job)
{
    ngx_http_govsvc_admin_loc_conf_t  *alcf;

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_admin_module);

    job->q.sans = job->sans;

#if (NGX_HTTP_SSL)

    if ((alcf->auth & NGX_HTTP_GOVSVC_ADMIN_MTLS)
        && r->connection->ssl != NULL
        && ngx_http_govsvc_admin_certificate(r, job) != NGX_OK)
    {
        return NGX_ERROR;
    }

#endif

    if ((alcf->auth & NGX_HTTP_GOVSVC_ADMIN_JWT)
        && ngx_http_govsvc_admin_token(r, job) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (alcf->auth & NGX_HTTP_GOVSVC_ADMIN_SIGNED) {
        return ngx_http_govsvc_admin_signed(r, job);
    }

    return NGX_OK;
}


/*
 * Verified by govsvc_app of this location, with the body.  Of its schemes
 * only this one signs method, path, arguments, body and a nonce.
 */

static ngx_int_t
ngx_http_govsvc_admin_signed(ngx_http_request_t *r,
    ngx_http_govsvc_admin_job_t *job)
{
    ngx_http_govsvc_ctx_t       *ctx;
    ngx_http_govsvc_app_data_t  *data;

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    data = ctx->app_data;

    if (ctx->auth_status != NGX_HTTP_GOVSVC_AUTH_OK || data == NULL
        || data->app == NULL || data->app->scheme != GS_SIGN_GOVHMAC)
    {
        return NGX_OK;
    }

    return ngx_http_govsvc_admin_dup(job->pool, &job->q.app, "",
                                     data->app->id.data, data->app->id.len);
}


/* Verified by govsvc_token of this location, which refused a bad one. */

static ngx_int_t
ngx_http_govsvc_admin_token(ngx_http_request_t *r,
    ngx_http_govsvc_admin_job_t *job)
{
    ngx_http_govsvc_ctx_t  *ctx;

    ctx = ngx_http_govsvc_get_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    if (ctx->auth_status != NGX_HTTP_GOVSVC_AUTH_OK || ctx->issuer.len == 0
        || ctx->subject.len == 0)
    {
        return NGX_OK;
    }

    if (ngx_http_govsvc_admin_dup(job->pool, &job->q.issuer, "",
                                  ctx->issuer.data, ctx->issuer.len)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_govsvc_admin_dup(job->pool, &job->q.subject, "",
                                     ctx->subject.data, ctx->subject.len);
}


static ngx_int_t
ngx_http_govsvc_admin_dup(ngx_pool_t *pool, gs_str_t *dst,
    const char *prefix, const u_char *data, size_t len)
{
    u_char  *p;
    size_t   n;

    n = ngx_strlen(prefix);

    p = ngx_pnalloc(pool, n + len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(ngx_cpymem(p, prefix, n), data, len);
    *dst = gs_str_make(p, n + len);

    return NGX_OK;
}


#if (NGX_HTTP_SSL)

/*
 * The handshake proved that the caller has the key.  Its names are worth what
 * a chain to our authorities is; the key itself needs none, but ends with the
 * certificate.
 */

static ngx_int_t
ngx_http_govsvc_admin_certificate(ngx_http_request_t *r,
    ngx_http_govsvc_admin_job_t *job)
{
    X509              *cert;
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = r->connection;

    cert = SSL_get_peer_certificate(c->ssl->connection);
    if (cert == NULL) {
        return NGX_OK;
    }

    rc = NGX_OK;

    if (X509_cmp_current_time(X509_get0_notAfter(cert)) > 0
        && X509_cmp_current_time(X509_get0_notBefore(cert)) < 0)
    {
        rc = ngx_http_govsvc_admin_spki(job, cert);

        if (rc == NGX_OK
            && SSL_get_verify_result(c->ssl->connection) == X509_V_OK)
        {
            rc = ngx_http_govsvc_admin_names(job, cert);
        }
    }

    X509_free(cert);

    return rc;
}


static ngx_int_t
ngx_http_govsvc_admin_spki(ngx_http_govsvc_admin_job_t *job, X509 *cert)
{
    int        len;
    u_char    *der, *hex, hash[EVP_MAX_MD_SIZE];
    unsigned   n;
    ngx_int_t  rc;

    der = NULL;
    len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    hex = ngx_pnalloc(job->pool, 64);

    rc = (len > 0 && hex != NULL
          && EVP_Digest(der, (size_t) len, hash, &n, EVP_sha256(), NULL) == 1)
         ? NGX_OK : NGX_ERROR;

    if (rc == NGX_OK) {
        gs_hex_encode(hex, hash, 32);
        job->q.spki = gs_str_make(hex, 64);
    }

    OPENSSL_free(der);

    return rc;
}


static ngx_int_t
ngx_http_govsvc_admin_names(ngx_http_govsvc_admin_job_t *job, X509 *cert)
{
    int              i;
    ngx_int_t        rc;
    const char      *prefix;
    const u_char    *data;
    ASN1_STRING     *text;
    GENERAL_NAME    *name;
    GENERAL_NAMES   *names;

    names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    rc = NGX_OK;

    for (i = 0; rc == NGX_OK && i < sk_GENERAL_NAME_num(names); i++) {
        name = sk_GENERAL_NAME_value(names, i);

        if (name->type == GEN_URI) {
            prefix = "URI:";
            text = name->d.uniformResourceIdentifier;

        } else if (name->type == GEN_DNS) {
            prefix = "DNS:";
            text = name->d.dNSName;

        } else {
            continue;
        }

        if (job->q.nsans == NGX_HTTP_GOVSVC_ADMIN_SANS) {
            break;
        }

        data = ASN1_STRING_get0_data(text);

        rc = ngx_http_govsvc_admin_dup(job->pool,
                                       &job->sans[job->q.nsans], prefix,
                                       data,
                                       (size_t) ASN1_STRING_length(text));
        job->q.nsans++;
    }

    sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);

    return rc;
}

#endif
