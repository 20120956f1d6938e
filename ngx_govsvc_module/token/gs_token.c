
/*
 * Copyright (C) govsvc authors
 *
 * Names of reasons and algorithms.
 */


#include "token/gs_token.h"


typedef struct {
    const char      *name;
    gs_token_alg_e   alg;
} gs_token_alias_t;


static const char *const  gs_token_reason_names[GS_TOKEN_REASONS] = {
    "ok",
    "too_long",
    "bad_segments",
    "bad_base64",
    "bad_header",
    "bad_crit",
    "bad_alg",
    "bad_payload",
    "bad_issuer",
    "bad_typ",
    "no_keys",
    "unknown_key",
    "claim_missing",
    "claim_invalid",
    "expired",
    "not_yet_valid",
    "too_long_lived",
    "bad_audience",
    "revoked",
    "bad_signature",
    "no_memory",
    "throttled"
};


const char *const  gs_token_alg_names[] = {
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "SM2",
    "HS256",
    "HS384",
    "HS512",
    "HSM3",
    NULL
};


/* besides the first names */

static const gs_token_alias_t  gs_token_aliases[] = {
    { "Ed25519", GS_TOKEN_EDDSA },
    { "SM2SM3", GS_TOKEN_SM2 },
    { "SM3WithSM2", GS_TOKEN_SM2 },
    { "SM3withSM2", GS_TOKEN_SM2 },
    { "GmSM2", GS_TOKEN_SM2 },
    { "HS-SM3", GS_TOKEN_HSM3 },
    { "HMAC-SM3", GS_TOKEN_HSM3 },
    { NULL, GS_TOKEN_ALG_UNKNOWN }
};


const char *
gs_token_reason_name(gs_token_reason_e reason)
{
    return gs_token_reason_names[reason];
}


gs_token_alg_e
gs_token_alg_find(const gs_str_t *name)
{
    unsigned                 i;
    const gs_token_alias_t  *a;

    for (i = 0; i < GS_TOKEN_ALGS; i++) {
        if (gs_str_eq_text(name, gs_token_alg_names[i])) {
            return (gs_token_alg_e) i;
        }
    }

    for (a = gs_token_aliases; a->name != NULL; a++) {
        if (gs_str_eq_text(name, a->name)) {
            return a->alg;
        }
    }

    return GS_TOKEN_ALG_UNKNOWN;
}


unsigned
gs_token_alg_cost(gs_token_alg_e alg)
{
    switch (alg) {

    case GS_TOKEN_SM2:
        return 4;

    case GS_TOKEN_ES384:
    case GS_TOKEN_ES512:
        return 8;

    default:
        return 1;
    }
}


const char *
gs_token_alg_name(gs_token_alg_e alg)
{
    return gs_token_alg_names[alg];
}
