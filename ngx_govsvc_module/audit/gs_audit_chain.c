
/*
 * Copyright (C) govsvc authors
 *
 * The hash chain of audit lines.
 */


#include "audit/gs_audit_chain.h"
#include "core/gs_b64.h"

#include <openssl/evp.h>


static const char *const  gs_audit_alg_names[GS_AUDIT_ALGS] = {
    "sm3", "sha256"
};


const char *
gs_audit_alg_name(gs_audit_alg_e alg)
{
    return gs_audit_alg_names[alg];
}


gs_rc_t
gs_audit_alg_find(const gs_str_t *name, gs_audit_alg_e *alg)
{
    unsigned  i;

    for (i = 0; i < GS_AUDIT_ALGS; i++) {
        if (gs_str_eq_text(name, gs_audit_alg_names[i])) {
            *alg = (gs_audit_alg_e) i;
            return GS_OK;
        }
    }

    return GS_ERROR;
}


gs_rc_t
gs_audit_chain_init(gs_audit_chain_t *chain, gs_audit_alg_e alg)
{
    chain->alg = alg;
    chain->md_ctx = NULL;
    chain->md = EVP_MD_fetch(NULL, alg == GS_AUDIT_SM3 ? "SM3" : "SHA256",
                             NULL);

    if (chain->md == NULL) {
        return GS_ERROR;
    }

    chain->md_ctx = EVP_MD_CTX_new();

    if (chain->md_ctx == NULL
        || EVP_DigestInit_ex(chain->md_ctx, chain->md, NULL) != 1)
    {
        gs_audit_chain_free(chain);
        return GS_ERROR;
    }

    gs_audit_chain_start(chain);

    return GS_OK;
}


void
gs_audit_chain_free(gs_audit_chain_t *chain)
{
    EVP_MD_CTX_free(chain->md_ctx);
    EVP_MD_free(chain->md);

    chain->md_ctx = NULL;
    chain->md = NULL;
}


void
gs_audit_chain_start(gs_audit_chain_t *chain)
{
    memset(chain->h, 0, GS_AUDIT_HASH);
}


gs_rc_t
gs_audit_chain_step(gs_audit_chain_t *chain, const void *body, size_t len)
{
    unsigned     n;
    EVP_MD_CTX  *ctx;

    ctx = chain->md_ctx;

    /* without a type the fetched one is used again: no lookup, no memory */

    if (EVP_DigestInit_ex(ctx, NULL, NULL) != 1
        || EVP_DigestUpdate(ctx, chain->h, GS_AUDIT_HASH) != 1
        || EVP_DigestUpdate(ctx, body, len) != 1
        || EVP_DigestFinal_ex(ctx, chain->h, &n) != 1
        || n != GS_AUDIT_HASH)
    {
        return GS_ERROR;
    }

    return GS_OK;
}


gs_rc_t
gs_audit_chain_seal(gs_audit_chain_t *chain, gs_buf_t *b, size_t from)
{
    gs_uchar_t  text[GS_AUDIT_HASH_TEXT];

    if (b->overflow || (size_t) (b->last - b->pos) < GS_AUDIT_SEAL + 1) {
        b->overflow = 1;
        return GS_ERROR;
    }

    if (gs_audit_chain_step(chain, b->start + from, gs_buf_len(b) - from)
        != GS_OK)
    {
        return GS_ERROR;
    }

    gs_audit_chain_text(chain, text);

    gs_buf_put(b, ",\"h\":\"", 6);
    gs_buf_put(b, text, GS_AUDIT_HASH_TEXT);
    gs_buf_put(b, "\"}\n", 3);

    return GS_OK;
}


void
gs_audit_chain_text(const gs_audit_chain_t *chain, gs_uchar_t *dst)
{
    gs_b64url_encode(dst, chain->h, GS_AUDIT_HASH);
}


gs_rc_t
gs_audit_digest(gs_audit_digest_t *d, const gs_audit_chain_t *chain,
    const void *data, size_t len)
{
    if (d->md_ctx == NULL) {
        d->md_ctx = EVP_MD_CTX_new();

        if (d->md_ctx == NULL
            || EVP_DigestInit_ex(d->md_ctx, chain->md, NULL) != 1)
        {
            gs_audit_digest_free(d);
            return GS_ERROR;
        }
    }

    if (EVP_DigestUpdate(d->md_ctx, data, len) != 1) {
        return GS_ERROR;
    }

    d->len += len;

    return GS_OK;
}


gs_rc_t
gs_audit_digest_end(gs_audit_digest_t *d, gs_uchar_t *h)
{
    unsigned  n;

    if (d->md_ctx == NULL
        || EVP_DigestFinal_ex(d->md_ctx, h, &n) != 1 || n != GS_AUDIT_HASH)
    {
        return GS_ERROR;
    }

    return GS_OK;
}


void
gs_audit_digest_free(gs_audit_digest_t *d)
{
    EVP_MD_CTX_free(d->md_ctx);
    d->md_ctx = NULL;
}
