
/*
 * Copyright (C) govsvc authors
 *
 * What a good token is: issuers, each with its keys, algorithms, audience and
 * limits, and the check of one token against a list of them.
 */


#ifndef _GS_TOKEN_CHECK_H_INCLUDED_
#define _GS_TOKEN_CHECK_H_INCLUDED_


#include "token/gs_token_revoke.h"
#include "token/gs_token_sig.h"


#define GS_TOKEN_LEEWAY        30          /* s */
#define GS_TOKEN_MAX_LIFETIME  86400       /* s */
#define GS_TOKEN_ACTOR         "/act/sub"  /* RFC 8693 section 4.1 */


typedef struct {
    gs_str_t  value;
    unsigned  level;
} gs_token_level_t;


/*
 * Filled by the caller, who keeps all it points to, then sealed, and from
 * then on read-only, but for the keys, which may be replaced between checks.
 */
typedef struct {
    gs_str_t           name;               /* for people */
    gs_str_t           iss;                /* len 0: any */
    gs_str_t          *audience;           /* one must be in aud */
    size_t             naudience;          /* 0: aud is not looked at */
    gs_str_t          *require;            /* claims that must be there */
    size_t             nrequire;           /* besides exp */
    gs_str_t          *typ;                /* media types allowed, without */
    size_t             ntyp;               /* "application/"; 0: JWT, at+jwt */
    gs_str_t           acr;                /* path of the level; or len 0 */
    gs_token_level_t  *levels;
    size_t             nlevels;
    gs_str_t           user;               /* path of the kind; or len 0 */
    gs_token_level_t  *users;              /* GS_TOKEN_NATURAL, _LEGAL */
    size_t             nusers;
    gs_str_t           actor;              /* path: who acts for sub */
    gs_str_t           sm2_id;
    unsigned           algs;               /* 1 << gs_token_alg_e */
    int64_t            leeway;             /* s */
    int64_t            max_lifetime;       /* s, 0: none */
    gs_token_keys_t   *keys;               /* may change; NULL: none yet */
    gs_uchar_t         id[GS_TOKEN_ID_LEN];
} gs_token_issuer_t;


/* What one place of the configuration accepts; sealed likewise. */
typedef struct {
    const gs_token_issuer_t  **issuers;
    size_t                     n;
    size_t                     max_len;    /* of a token */
    const gs_token_revoke_t   *revoke;     /* NULL: none; not sealed */
    gs_uchar_t                 id[GS_TOKEN_ID_LEN];
} gs_token_policy_t;


/* Room to work in, of one process; tokens are checked one by one. */
typedef struct gs_token_verifier_s  gs_token_verifier_t;


/*
 * Sets the defaults: every algorithm with a public key, leeway, lifetime, SM2
 * identity, actor.
 */
void gs_token_issuer_init(gs_token_issuer_t *issuer);

/*
 * Computes the identity: equal for equal content, another when any part of
 * the content but the keys differs.  GS_ERROR when memory is out.
 */
gs_rc_t gs_token_issuer_seal(gs_token_issuer_t *issuer,
    gs_token_crypto_t *crypto);
gs_rc_t gs_token_policy_seal(gs_token_policy_t *policy,
    gs_token_crypto_t *crypto);

/* NULL when memory is out. */
gs_token_verifier_t *gs_token_verifier_create(gs_mem_t *mem);
void gs_token_verifier_destroy(gs_token_verifier_t *v);     /* may be NULL */
gs_token_crypto_t *gs_token_verifier_crypto(gs_token_verifier_t *v);

/* Where a check puts claims: at least GS_TOKEN_MAX_LEN bytes. */
gs_uchar_t *gs_token_verifier_room(gs_token_verifier_t *v);

/*
 * Checks a token at the time now (s since the epoch) and fills the verdict,
 * whose claims live in v until its next use.  Returns verdict->reason.
 */
gs_token_reason_e gs_token_check(gs_token_verifier_t *v,
    const gs_token_policy_t *policy, const gs_str_t *token, int64_t now,
    gs_token_verdict_t *verdict);

/*
 * Checks the JWS alone: form, header, key, signature by the first issuer of
 * the policy.  The payload may be anything.
 */
gs_token_reason_e gs_token_check_signature(gs_token_verifier_t *v,
    const gs_token_policy_t *policy, const gs_str_t *token);

/*
 * The part of a check that depends on revocations, likewise: 1 if the token
 * that the verdict, with its claims and key, is about has been revoked.
 */
int gs_token_check_revoked(const gs_token_policy_t *policy,
    const gs_token_verdict_t *verdict, int64_t now);

/*
 * The part of a check that depends on the time, for verdicts kept from
 * before.
 */
gs_token_reason_e gs_token_check_time(const gs_token_issuer_t *issuer,
    int64_t exp, int64_t nbf, int64_t now);


#endif /* _GS_TOKEN_CHECK_H_INCLUDED_ */
