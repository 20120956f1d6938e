
/*
 * Copyright (C) govsvc authors
 *
 * Segments and header of a compact JWS.
 */


#include "token/gs_token_jwt.h"
#include "token/gs_token_claim.h"
#include "core/gs_b64.h"


static gs_token_reason_e gs_token_jwt_members(gs_token_jwt_t *jwt,
    const gs_token_node_t *header);


gs_token_reason_e
gs_token_jwt_split(gs_token_jwt_t *jwt, const gs_str_t *token, size_t max)
{
    size_t  one, two;

    if (token->len > max) {
        return GS_TOKEN_TOO_LONG;
    }

    one = gs_str_chr(token, 0, '.');

    if (one >= token->len) {
        return GS_TOKEN_BAD_SEGMENTS;
    }

    two = gs_str_chr(token, one + 1, '.');

    if (two >= token->len
        || gs_str_chr(token, two + 1, '.') != token->len)
    {
        return GS_TOKEN_BAD_SEGMENTS;
    }

    jwt->header = gs_str_make(token->data, one);
    jwt->payload = gs_str_make(token->data + one + 1, two - one - 1);
    jwt->signature = gs_str_make(token->data + two + 1, token->len - two - 1);
    jwt->input = gs_str_make(token->data, two);

    if (jwt->header.len == 0 || jwt->payload.len == 0
        || jwt->signature.len == 0)
    {
        return GS_TOKEN_BAD_SEGMENTS;
    }

    return GS_TOKEN_OK;
}


gs_token_reason_e
gs_token_jwt_header(gs_token_jwt_t *jwt, gs_token_json_t *doc,
    gs_uchar_t *buf)
{
    size_t  len;

    if (gs_b64url_decode(buf, &len, &jwt->header) != GS_OK) {
        return GS_TOKEN_BAD_BASE64;
    }

    if (gs_token_json_parse(doc, buf, len) != GS_OK) {
        return GS_TOKEN_BAD_HEADER;
    }

    return gs_token_jwt_members(jwt, &doc->nodes[0]);
}


static gs_token_reason_e
gs_token_jwt_members(gs_token_jwt_t *jwt, const gs_token_node_t *header)
{
    const gs_token_node_t  *alg, *kid, *typ;

    if (gs_token_json_get(header, "crit") != NULL
        || gs_token_json_get(header, "b64") != NULL
        || gs_token_json_get(header, "zip") != NULL)
    {
        return GS_TOKEN_BAD_CRIT;
    }

    alg = gs_token_json_get(header, "alg");
    kid = gs_token_json_get(header, "kid");
    typ = gs_token_json_get(header, "typ");

    if (alg == NULL || alg->type != GS_TOKEN_JSON_STRING) {
        return GS_TOKEN_BAD_HEADER;
    }

    jwt->alg = gs_token_alg_find(&alg->value);

    jwt->kid.len = 0;
    jwt->typ.len = 0;

    if (kid != NULL) {
        if (kid->type != GS_TOKEN_JSON_STRING
            || kid->value.len == 0 || kid->value.len > GS_TOKEN_MAX_KID
            || gs_token_claim_ctl(&kid->value))
        {
            return GS_TOKEN_BAD_HEADER;
        }

        jwt->kid = kid->value;
    }

    if (typ != NULL) {
        if (typ->type != GS_TOKEN_JSON_STRING || typ->value.len == 0) {
            return GS_TOKEN_BAD_HEADER;
        }

        jwt->typ = typ->value;
    }

    return GS_TOKEN_OK;
}
