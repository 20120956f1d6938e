
/*
 * Copyright (C) govsvc authors
 *
 * The check of one token, from the cheap to the dear: a forged one costs a
 * signature only when all that it claims fits.
 */


#include "token/gs_token_check.h"
#include "token/gs_token_claim.h"
#include "token/gs_token_jwt.h"
#include "core/gs_b64.h"
#include "core/gs_buf.h"


#define GS_TOKEN_DECODED  (GS_TOKEN_MAX_LEN / 4 * 3)


struct gs_token_verifier_s {
    gs_token_crypto_t  *crypto;
    gs_mem_t           *mem;
    gs_token_json_t     header;
    gs_token_json_t     payload;
    gs_token_node_t     header_nodes[GS_TOKEN_JSON_NODES];
    gs_token_node_t     payload_nodes[GS_TOKEN_JSON_NODES];
    gs_uchar_t          header_text[GS_TOKEN_DECODED];
    gs_uchar_t          payload_text[GS_TOKEN_DECODED];
    gs_uchar_t          signature[GS_TOKEN_DECODED];
    gs_uchar_t          claims[4 * GS_TOKEN_DECODED];
};


static gs_token_reason_e gs_token_check_head(gs_token_verifier_t *v,
    const gs_token_policy_t *policy, const gs_str_t *token,
    gs_token_jwt_t *jwt);
static gs_token_reason_e gs_token_check_issuer(gs_token_verifier_t *v,
    const gs_token_policy_t *policy, const gs_token_jwt_t *jwt,
    unsigned *index);
static int gs_token_check_typ(const gs_token_issuer_t *issuer,
    const gs_str_t *typ);
static gs_token_reason_e gs_token_check_claims(
    const gs_token_issuer_t *issuer, const gs_token_node_t *claims,
    int64_t now, gs_token_verdict_t *verdict);
static gs_token_reason_e gs_token_check_present(
    const gs_token_issuer_t *issuer, const gs_token_node_t *claims);
static gs_token_reason_e gs_token_check_strings(
    const gs_token_node_t *claims);
static gs_token_reason_e gs_token_check_dates(
    const gs_token_issuer_t *issuer, const gs_token_node_t *claims,
    int64_t now, gs_token_verdict_t *verdict);
static gs_token_reason_e gs_token_check_revocations(
    const gs_token_policy_t *policy, const gs_token_node_t *claims,
    const gs_token_key_t *key, int64_t now, gs_token_verdict_t *verdict);
static void gs_token_check_string(const gs_token_node_t *claims,
    const gs_str_t *path, gs_str_t *value);
static gs_token_reason_e gs_token_check_sig(gs_token_verifier_t *v,
    const gs_token_issuer_t *issuer, const gs_token_key_t *key,
    const gs_token_jwt_t *jwt);
static unsigned gs_token_check_scale(const gs_str_t *path,
    const gs_token_level_t *scale, size_t n, const gs_token_node_t *claims);


gs_token_verifier_t *
gs_token_verifier_create(gs_mem_t *mem)
{
    gs_token_verifier_t  *v;

    v = gs_calloc(mem, 1, sizeof(gs_token_verifier_t));

    if (v == NULL) {
        return NULL;
    }

    v->mem = mem;
    v->crypto = gs_token_crypto_create(mem);

    if (v->crypto == NULL) {
        gs_free(mem, v);
        return NULL;
    }

    v->header.nodes = v->header_nodes;
    v->header.max = GS_TOKEN_JSON_NODES;
    v->payload.nodes = v->payload_nodes;
    v->payload.max = GS_TOKEN_JSON_NODES;

    return v;
}


void
gs_token_verifier_destroy(gs_token_verifier_t *v)
{
    if (v == NULL) {
        return;
    }

    gs_token_crypto_destroy(v->crypto);
    gs_free(v->mem, v);
}


gs_token_crypto_t *
gs_token_verifier_crypto(gs_token_verifier_t *v)
{
    return v->crypto;
}


gs_uchar_t *
gs_token_verifier_room(gs_token_verifier_t *v)
{
    return v->claims;
}


gs_token_reason_e
gs_token_check(gs_token_verifier_t *v, const gs_token_policy_t *policy,
    const gs_str_t *token, int64_t now, gs_token_verdict_t *verdict)
{
    size_t                    len;
    gs_buf_t                  b;
    gs_token_jwt_t            jwt;
    gs_token_reason_e         reason;
    const gs_token_key_t     *key;
    const gs_token_node_t    *claims;
    const gs_token_issuer_t  *issuer;

    memset(verdict, 0, sizeof(gs_token_verdict_t));

    reason = gs_token_check_head(v, policy, token, &jwt);

    if (reason != GS_TOKEN_OK) {
        goto done;
    }

    reason = GS_TOKEN_BAD_BASE64;

    if (gs_b64url_decode(v->payload_text, &len, &jwt.payload) != GS_OK) {
        goto done;
    }

    reason = GS_TOKEN_BAD_PAYLOAD;

    if (gs_token_json_parse(&v->payload, v->payload_text, len) != GS_OK) {
        goto done;
    }

    claims = &v->payload.nodes[0];

    reason = gs_token_check_issuer(v, policy, &jwt, &verdict->issuer);

    if (reason != GS_TOKEN_OK) {
        goto done;
    }

    issuer = policy->issuers[verdict->issuer];

    if (!gs_token_check_typ(issuer, &jwt.typ)) {
        reason = GS_TOKEN_BAD_TYP;
        goto done;
    }

    if (issuer->keys == NULL) {
        reason = GS_TOKEN_NO_KEYS;
        goto done;
    }

    key = gs_token_keys_find(issuer->keys, &jwt.kid, jwt.alg);

    if (key == NULL) {
        reason = GS_TOKEN_UNKNOWN_KEY;
        goto done;
    }

    verdict->key = key->id;

    reason = gs_token_check_claims(issuer, claims, now, verdict);

    if (reason != GS_TOKEN_OK) {
        goto done;
    }

    reason = gs_token_check_revocations(policy, claims, key, now, verdict);

    if (reason != GS_TOKEN_OK) {
        goto done;
    }

    verdict->alg = jwt.alg;
    reason = gs_token_check_sig(v, issuer, key, &jwt);

    if (reason != GS_TOKEN_OK) {
        goto done;
    }

    gs_buf_init(&b, v->claims, sizeof(v->claims));
    gs_token_claim_pack(&b, claims);

    if (b.overflow) {
        reason = GS_TOKEN_BAD_PAYLOAD;
        goto done;
    }

    verdict->claims = gs_buf_view(&b);
    verdict->level = gs_token_check_scale(&issuer->acr, issuer->levels,
                                          issuer->nlevels, claims);
    verdict->user = gs_token_check_scale(&issuer->user, issuer->users,
                                         issuer->nusers, claims);

done:

    verdict->reason = reason;

    return reason;
}


gs_token_reason_e
gs_token_check_signature(gs_token_verifier_t *v,
    const gs_token_policy_t *policy, const gs_str_t *token)
{
    size_t                    len;
    gs_token_jwt_t            jwt;
    gs_token_reason_e         reason;
    const gs_token_key_t     *key;
    const gs_token_issuer_t  *issuer;

    reason = gs_token_check_head(v, policy, token, &jwt);

    if (reason != GS_TOKEN_OK) {
        return reason;
    }

    if (gs_b64url_decode(v->payload_text, &len, &jwt.payload) != GS_OK) {
        return GS_TOKEN_BAD_BASE64;
    }

    issuer = policy->issuers[0];

    if (issuer->keys == NULL) {
        return GS_TOKEN_NO_KEYS;
    }

    key = gs_token_keys_find(issuer->keys, &jwt.kid, jwt.alg);

    if (key == NULL) {
        return GS_TOKEN_UNKNOWN_KEY;
    }

    return gs_token_check_sig(v, issuer, key, &jwt);
}


gs_token_reason_e
gs_token_check_time(const gs_token_issuer_t *issuer, int64_t exp,
    int64_t nbf, int64_t now)
{
    if (now >= exp + issuer->leeway) {
        return GS_TOKEN_EXPIRED;
    }

    if (nbf > now + issuer->leeway) {
        return GS_TOKEN_NOT_YET_VALID;
    }

    return GS_TOKEN_OK;
}


int
gs_token_check_revoked(const gs_token_policy_t *policy,
    const gs_token_verdict_t *verdict, int64_t now)
{
    size_t                      pos;
    gs_token_claim_t            claim;
    const gs_token_key_t       *key;
    const gs_token_issuer_t    *issuer;
    gs_token_revoke_subject_t   s;

    issuer = policy->issuers[verdict->issuer];
    key = gs_token_keys_by_id(issuer->keys, verdict->key);

    memset(&s, 0, sizeof(s));
    s.iss = issuer->iss;
    s.iat = verdict->iat;

    /* let in when nothing could be revoked yet */

    if (s.iat == 0) {
        return 1;
    }

    if (key != NULL) {
        s.kid = key->kid;
    }

    pos = 0;

    while (gs_token_claim_next(&verdict->claims, &pos, &claim) == GS_OK) {

        if (gs_str_eq_text(&claim.name, "jti")) {
            s.jti = claim.value;

        } else if (gs_str_eq_text(&claim.name, "sid")) {
            s.sid = claim.value;

        } else if (gs_str_eq_text(&claim.name, "sub")) {
            s.sub = claim.value;
        }

        if (gs_str_eq(&claim.name, &issuer->actor)) {
            s.actor = claim.value;
        }
    }

    return gs_token_revoke_check(policy->revoke, &s, now);
}


/* Up to the algorithm: the last thing to be known before the payload. */

static gs_token_reason_e
gs_token_check_head(gs_token_verifier_t *v, const gs_token_policy_t *policy,
    const gs_str_t *token, gs_token_jwt_t *jwt)
{
    size_t             i, max;
    gs_token_reason_e  reason;

    max = policy->max_len;

    if (max > GS_TOKEN_MAX_LEN) {
        max = GS_TOKEN_MAX_LEN;
    }

    reason = gs_token_jwt_split(jwt, token, max);

    if (reason == GS_TOKEN_OK) {
        reason = gs_token_jwt_header(jwt, &v->header, v->header_text);
    }

    if (reason != GS_TOKEN_OK) {
        return reason;
    }

    if (jwt->alg == GS_TOKEN_ALG_UNKNOWN) {
        return GS_TOKEN_BAD_ALG;
    }

    for (i = 0; i < policy->n; i++) {
        if (policy->issuers[i]->algs & (1u << jwt->alg)) {
            return GS_TOKEN_OK;
        }
    }

    return GS_TOKEN_BAD_ALG;
}


static gs_token_reason_e
gs_token_check_issuer(gs_token_verifier_t *v, const gs_token_policy_t *policy,
    const gs_token_jwt_t *jwt, unsigned *index)
{
    size_t                    i;
    const gs_token_node_t    *iss;
    const gs_token_issuer_t  *issuer;

    iss = gs_token_json_get(&v->payload.nodes[0], "iss");

    if (iss != NULL && iss->type != GS_TOKEN_JSON_STRING) {
        return GS_TOKEN_BAD_ISSUER;
    }

    for (i = 0; i < policy->n; i++) {
        issuer = policy->issuers[i];

        if (issuer->iss.len == 0
            || (iss != NULL && gs_str_eq(&issuer->iss, &iss->value)))
        {
            *index = (unsigned) i;
            return (issuer->algs & (1u << jwt->alg)) ? GS_TOKEN_OK
                                                     : GS_TOKEN_BAD_ALG;
        }
    }

    return GS_TOKEN_BAD_ISSUER;
}


/*
 * RFC 7515 section 4.1.9: case-blind, "application/" may be left out.  A token
 * without typ counts as JWT (RFC 8725 section 3.11 leaves no other reading).
 */

static int
gs_token_check_typ(const gs_token_issuer_t *issuer, const gs_str_t *typ)
{
    size_t                 i, n;
    gs_str_t               s, prefix;
    const gs_str_t        *allowed;
    static const gs_str_t  standard[] = {
        gs_string("JWT"),
        gs_string("at+jwt")
    };

    s = *typ;

    if (s.len == 0) {
        s = standard[0];
    }

    if (s.len > 12) {
        prefix = gs_str_make(s.data, 12);

        if (gs_str_case_eq_text(&prefix, "application/")) {
            s = gs_str_make(s.data + 12, s.len - 12);
        }
    }

    allowed = issuer->ntyp ? issuer->typ : standard;
    n = issuer->ntyp ? issuer->ntyp : 2;

    for (i = 0; i < n; i++) {
        if (gs_str_case_eq(&s, &allowed[i])) {
            return 1;
        }
    }

    return 0;
}


static gs_token_reason_e
gs_token_check_claims(const gs_token_issuer_t *issuer,
    const gs_token_node_t *claims, int64_t now, gs_token_verdict_t *verdict)
{
    gs_rc_t                 rc;
    gs_token_reason_e       reason;
    const gs_token_node_t  *aud;

    reason = gs_token_check_present(issuer, claims);

    if (reason == GS_TOKEN_OK) {
        reason = gs_token_check_strings(claims);
    }

    if (reason == GS_TOKEN_OK) {
        reason = gs_token_check_dates(issuer, claims, now, verdict);
    }

    if (reason != GS_TOKEN_OK || issuer->naudience == 0) {
        return reason;
    }

    aud = gs_token_json_get(claims, "aud");

    if (aud == NULL) {
        return GS_TOKEN_BAD_AUDIENCE;
    }

    rc = gs_token_claim_audience(aud, issuer->audience, issuer->naudience);

    return rc == GS_OK ? GS_TOKEN_OK : GS_TOKEN_BAD_AUDIENCE;
}


static gs_token_reason_e
gs_token_check_present(const gs_token_issuer_t *issuer,
    const gs_token_node_t *claims)
{
    size_t                  i;
    const gs_token_node_t  *n;

    for (i = 0; i < issuer->nrequire; i++) {
        n = gs_token_json_find(claims, &issuer->require[i]);

        if (n == NULL || n->type == GS_TOKEN_JSON_NULL
            || (n->type == GS_TOKEN_JSON_STRING && n->value.len == 0))
        {
            return GS_TOKEN_CLAIM_MISSING;
        }
    }

    return GS_TOKEN_OK;
}


/* Those that become an identity: strings, and free of control characters. */

static gs_token_reason_e
gs_token_check_strings(const gs_token_node_t *claims)
{
    size_t                    i;
    const gs_token_node_t    *n;
    static const char *const  names[] = {
        "sub", "client_id", "azp", "jti", "sid"
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        n = gs_token_json_get(claims, names[i]);

        if (n != NULL
            && (n->type != GS_TOKEN_JSON_STRING
                || gs_token_claim_ctl(&n->value)))
        {
            return GS_TOKEN_CLAIM_INVALID;
        }
    }

    return GS_TOKEN_OK;
}


static gs_token_reason_e
gs_token_check_dates(const gs_token_issuer_t *issuer,
    const gs_token_node_t *claims, int64_t now, gs_token_verdict_t *verdict)
{
    int64_t                 start;
    gs_token_reason_e       reason;
    const gs_token_node_t  *n;

    n = gs_token_json_get(claims, "exp");

    if (n == NULL) {
        return GS_TOKEN_CLAIM_MISSING;
    }

    if (gs_token_claim_date(n, &verdict->exp) != GS_OK) {
        return GS_TOKEN_CLAIM_INVALID;
    }

    n = gs_token_json_get(claims, "nbf");

    if (n != NULL && gs_token_claim_date(n, &verdict->nbf) != GS_OK) {
        return GS_TOKEN_CLAIM_INVALID;
    }

    n = gs_token_json_get(claims, "iat");

    if (n != NULL && gs_token_claim_date(n, &verdict->iat) != GS_OK) {
        return GS_TOKEN_CLAIM_INVALID;
    }

    reason = gs_token_check_time(issuer, verdict->exp, verdict->nbf, now);

    if (reason != GS_TOKEN_OK) {
        return reason;
    }

    if (verdict->iat > now + issuer->leeway) {
        return GS_TOKEN_NOT_YET_VALID;
    }

    start = (n != NULL) ? verdict->iat : now;

    if (issuer->max_lifetime != 0
        && verdict->exp - start > issuer->max_lifetime)
    {
        return GS_TOKEN_TOO_LONG_LIVED;
    }

    return GS_TOKEN_OK;
}


/*
 * How long a revocation must live follows from the time of issue, so without
 * one a token cannot be told from one that was revoked long ago.
 */

static gs_token_reason_e
gs_token_check_revocations(const gs_token_policy_t *policy,
    const gs_token_node_t *claims, const gs_token_key_t *key, int64_t now,
    gs_token_verdict_t *verdict)
{
    gs_token_revoke_subject_t  s;
    const gs_token_issuer_t   *issuer;
    static const gs_str_t      jti = gs_string("jti");
    static const gs_str_t      sid = gs_string("sid");
    static const gs_str_t      sub = gs_string("sub");

    if (policy->revoke == NULL) {
        return GS_TOKEN_OK;
    }

    if (gs_token_json_get(claims, "iat") == NULL) {
        return GS_TOKEN_CLAIM_MISSING;
    }

    /* before the check: what is revoked during it changes the number */

    verdict->epoch = gs_token_revoke_epoch(policy->revoke);
    issuer = policy->issuers[verdict->issuer];

    s.iss = issuer->iss;
    s.kid = key->kid;
    s.iat = verdict->iat;

    gs_token_check_string(claims, &jti, &s.jti);
    gs_token_check_string(claims, &sid, &s.sid);
    gs_token_check_string(claims, &sub, &s.sub);
    gs_token_check_string(claims, &issuer->actor, &s.actor);

    return gs_token_revoke_check(policy->revoke, &s, now) ? GS_TOKEN_REVOKED
                                                          : GS_TOKEN_OK;
}


static void
gs_token_check_string(const gs_token_node_t *claims, const gs_str_t *path,
    gs_str_t *value)
{
    const gs_token_node_t  *node;

    node = gs_token_json_path(claims, path);
    value->len = 0;

    if (node != NULL && node->type == GS_TOKEN_JSON_STRING) {
        *value = node->value;
    }
}


static gs_token_reason_e
gs_token_check_sig(gs_token_verifier_t *v, const gs_token_issuer_t *issuer,
    const gs_token_key_t *key, const gs_token_jwt_t *jwt)
{
    size_t    len;
    gs_str_t  sig;

    if (gs_b64url_decode(v->signature, &len, &jwt->signature) != GS_OK) {
        return GS_TOKEN_BAD_BASE64;
    }

    sig = gs_str_make(v->signature, len);

    return gs_token_sig_verify(v->crypto, key, jwt->alg, &issuer->sm2_id,
                               &jwt->input, &sig);
}


/* Zero for a value that the scale of the issuer does not have. */

static unsigned
gs_token_check_scale(const gs_str_t *path, const gs_token_level_t *scale,
    size_t n, const gs_token_node_t *claims)
{
    size_t                  i;
    const gs_token_node_t  *node;

    if (path->len == 0) {
        return 0;
    }

    node = gs_token_json_path(claims, path);

    if (node == NULL
        || (node->type != GS_TOKEN_JSON_STRING
            && node->type != GS_TOKEN_JSON_NUMBER))
    {
        return 0;
    }

    for (i = 0; i < n; i++) {
        if (gs_str_eq(&node->value, &scale[i].value)) {
            return scale[i].level;
        }
    }

    return 0;
}
