
/*
 * Copyright (C) govsvc authors
 *
 * Issuers and policies: defaults, and the identity under which verdicts are
 * kept.
 */


#include "token/gs_token_check.h"


#define GS_TOKEN_SEAL_VERSION  2           /* of the meaning of a verdict */


/* A running digest: each seal is the digest of the last and the next part. */
typedef struct {
    gs_token_crypto_t  *crypto;
    gs_rc_t             rc;
    gs_uchar_t         *id;
} gs_token_seal_t;


static void gs_token_seal_start(gs_token_seal_t *seal,
    gs_token_crypto_t *crypto, gs_uchar_t *id);
static void gs_token_seal_bytes(gs_token_seal_t *seal, const void *data,
    size_t len);
static void gs_token_seal_number(gs_token_seal_t *seal, uint64_t n);
static void gs_token_seal_list(gs_token_seal_t *seal, const gs_str_t *list,
    size_t n);
static void gs_token_seal_scale(gs_token_seal_t *seal,
    const gs_token_level_t *scale, size_t n);


void
gs_token_issuer_init(gs_token_issuer_t *issuer)
{
    memset(issuer, 0, sizeof(gs_token_issuer_t));

    issuer->algs = GS_TOKEN_PUBLIC_ALGS;
    issuer->leeway = GS_TOKEN_LEEWAY;
    issuer->max_lifetime = GS_TOKEN_MAX_LIFETIME;
    issuer->sm2_id = gs_str_text(GS_TOKEN_SM2_ID);
    issuer->actor = gs_str_text(GS_TOKEN_ACTOR);
}


gs_rc_t
gs_token_issuer_seal(gs_token_issuer_t *issuer, gs_token_crypto_t *crypto)
{
    gs_token_seal_t  seal;

    gs_token_seal_start(&seal, crypto, issuer->id);

    gs_token_seal_list(&seal, &issuer->iss, 1);
    gs_token_seal_list(&seal, issuer->audience, issuer->naudience);
    gs_token_seal_list(&seal, issuer->require, issuer->nrequire);
    gs_token_seal_list(&seal, issuer->typ, issuer->ntyp);
    gs_token_seal_list(&seal, &issuer->acr, 1);
    gs_token_seal_list(&seal, &issuer->sm2_id, 1);
    gs_token_seal_number(&seal, issuer->algs);
    gs_token_seal_number(&seal, (uint64_t) issuer->leeway);
    gs_token_seal_number(&seal, (uint64_t) issuer->max_lifetime);
    gs_token_seal_list(&seal, &issuer->user, 1);
    gs_token_seal_list(&seal, &issuer->actor, 1);
    gs_token_seal_scale(&seal, issuer->levels, issuer->nlevels);
    gs_token_seal_scale(&seal, issuer->users, issuer->nusers);

    return seal.rc;
}


gs_rc_t
gs_token_policy_seal(gs_token_policy_t *policy, gs_token_crypto_t *crypto)
{
    size_t           i;
    gs_token_seal_t  seal;

    gs_token_seal_start(&seal, crypto, policy->id);
    gs_token_seal_number(&seal, policy->max_len);

    for (i = 0; i < policy->n; i++) {
        gs_token_seal_bytes(&seal, policy->issuers[i]->id, GS_TOKEN_ID_LEN);
    }

    return seal.rc;
}


static void
gs_token_seal_start(gs_token_seal_t *seal, gs_token_crypto_t *crypto,
    gs_uchar_t *id)
{
    seal->crypto = crypto;
    seal->rc = GS_OK;
    seal->id = id;

    memset(id, 0, GS_TOKEN_ID_LEN);
    gs_token_seal_number(seal, GS_TOKEN_SEAL_VERSION);
}


static void
gs_token_seal_bytes(gs_token_seal_t *seal, const void *data, size_t len)
{
    gs_str_t  parts[2];

    if (seal->rc != GS_OK) {
        return;
    }

    parts[0] = gs_str_make(seal->id, GS_TOKEN_ID_LEN);
    parts[1] = gs_str_make(data, len);

    seal->rc = gs_token_crypto_sha256(seal->crypto, parts, 2, seal->id);
}


static void
gs_token_seal_number(gs_token_seal_t *seal, uint64_t n)
{
    gs_token_seal_bytes(seal, &n, sizeof(n));
}


static void
gs_token_seal_list(gs_token_seal_t *seal, const gs_str_t *list, size_t n)
{
    size_t  i;

    gs_token_seal_number(seal, n);

    for (i = 0; i < n; i++) {
        gs_token_seal_bytes(seal, list[i].data, list[i].len);
    }
}


static void
gs_token_seal_scale(gs_token_seal_t *seal, const gs_token_level_t *scale,
    size_t n)
{
    size_t  i;

    gs_token_seal_number(seal, n);

    for (i = 0; i < n; i++) {
        gs_token_seal_list(seal, &scale[i].value, 1);
        gs_token_seal_number(seal, scale[i].level);
    }
}
