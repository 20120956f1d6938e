
/*
 * Copyright (C) govsvc authors
 *
 * The compact form of a JWS (RFC 7515 section 7.1) and its header.
 */


#ifndef _GS_TOKEN_JWT_H_INCLUDED_
#define _GS_TOKEN_JWT_H_INCLUDED_


#include "token/gs_token.h"
#include "token/gs_token_json.h"


typedef struct {
    gs_str_t        header;                /* base64url */
    gs_str_t        payload;
    gs_str_t        signature;
    gs_str_t        input;                 /* what is signed */

    gs_token_alg_e  alg;                   /* of the header */
    gs_str_t        kid;                   /* len 0: none */
    gs_str_t        typ;
} gs_token_jwt_t;


/*
 * Finds the three segments.  GS_TOKEN_OK, GS_TOKEN_TOO_LONG or
 * GS_TOKEN_BAD_SEGMENTS: not exactly three, or an empty one.
 */
gs_token_reason_e gs_token_jwt_split(gs_token_jwt_t *jwt,
    const gs_str_t *token, size_t max);

/*
 * Decodes and reads the header into alg, kid and typ; buf holds
 * gs_b64url_decoded_len() of it and keeps the strings.  No extension is
 * supported, so any crit, b64 (RFC 7797) and zip is refused; a key that the
 * token brings along (jwk, jku, x5u, x5c) is never looked at.
 */
gs_token_reason_e gs_token_jwt_header(gs_token_jwt_t *jwt,
    gs_token_json_t *doc, gs_uchar_t *buf);


#endif /* _GS_TOKEN_JWT_H_INCLUDED_ */
