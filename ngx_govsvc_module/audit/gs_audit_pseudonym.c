
/*
 * Copyright (C) govsvc authors
 *
 * Keyed pseudonyms (RFC 2104 HMAC over SM3 or SHA-256, cut to 128 bits).
 */


#include "audit/gs_audit_pseudonym.h"
#include "core/gs_b64.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>


gs_rc_t
gs_audit_pseudonym_init(gs_audit_pseudonym_t *p, gs_audit_alg_e alg,
    const gs_str_t *key, unsigned kid)
{
    char        name[8];
    OSSL_PARAM  params[2];

    p->kid = kid;
    p->mac = NULL;
    p->mac_ctx = NULL;

    if (key->len < GS_AUDIT_KEY_MIN) {
        return GS_ERROR;
    }

    memcpy(name, alg == GS_AUDIT_SM3 ? "SM3\0\0\0" : "SHA256", 7);

    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name,
                                                 0);
    params[1] = OSSL_PARAM_construct_end();

    p->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (p->mac == NULL) {
        return GS_ERROR;
    }

    p->mac_ctx = EVP_MAC_CTX_new(p->mac);

    if (p->mac_ctx == NULL
        || EVP_MAC_init(p->mac_ctx, key->data, key->len, params) != 1)
    {
        gs_audit_pseudonym_free(p);
        return GS_ERROR;
    }

    return GS_OK;
}


void
gs_audit_pseudonym_free(gs_audit_pseudonym_t *p)
{
    EVP_MAC_CTX_free(p->mac_ctx);
    EVP_MAC_free(p->mac);

    p->mac_ctx = NULL;
    p->mac = NULL;
}


gs_rc_t
gs_audit_pseudonym(gs_audit_pseudonym_t *p, const gs_str_t *id,
    gs_uchar_t *dst, size_t *len)
{
    size_t      n;
    gs_buf_t    b;
    gs_uchar_t  mac[GS_AUDIT_HASH], text[22];

    /* without a key the one given first is used again */

    if (EVP_MAC_init(p->mac_ctx, NULL, 0, NULL) != 1
        || EVP_MAC_update(p->mac_ctx, id->data, id->len) != 1
        || EVP_MAC_final(p->mac_ctx, mac, &n, sizeof(mac)) != 1
        || n != sizeof(mac))
    {
        return GS_ERROR;
    }

    gs_b64url_encode(text, mac, 16);
    OPENSSL_cleanse(mac, sizeof(mac));

    gs_buf_init(&b, dst, GS_AUDIT_PID_MAX);
    gs_buf_char(&b, 'p');
    gs_buf_u64(&b, p->kid);
    gs_buf_char(&b, ':');
    gs_buf_put(&b, text, sizeof(text));

    *len = gs_buf_len(&b);

    return b.overflow ? GS_ERROR : GS_OK;
}
