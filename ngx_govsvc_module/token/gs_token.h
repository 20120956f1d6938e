
/*
 * Copyright (C) govsvc authors
 *
 * Tokens: the words that the parts of the room share.  A token is a compact
 * JWS (RFC 7515) with a claims set (RFC 7519) as payload.
 */


#ifndef _GS_TOKEN_H_INCLUDED_
#define _GS_TOKEN_H_INCLUDED_


#include "core/gs_rc.h"
#include "core/gs_str.h"


#define GS_TOKEN_MAX_LEN   8192            /* bytes of a compact token */
#define GS_TOKEN_MAX_SIG   1024            /* RSA of 8192 bits */
#define GS_TOKEN_MAX_KID   256
#define GS_TOKEN_MAX_TIME  253402300799    /* the last second of year 9999 */
#define GS_TOKEN_SM2_ID    "1234567812345678"
#define GS_TOKEN_ID_LEN    32              /* SHA-256 of a policy */


/* Those that verify a digest by a key first, those with a secret last. */
typedef enum {
    GS_TOKEN_RS256 = 0,
    GS_TOKEN_RS384,
    GS_TOKEN_RS512,
    GS_TOKEN_PS256,
    GS_TOKEN_PS384,
    GS_TOKEN_PS512,
    GS_TOKEN_ES256,
    GS_TOKEN_ES384,
    GS_TOKEN_ES512,
    GS_TOKEN_EDDSA,
    GS_TOKEN_SM2,
    GS_TOKEN_HS256,
    GS_TOKEN_HS384,
    GS_TOKEN_HS512,
    GS_TOKEN_HSM3,
    GS_TOKEN_ALGS,
    GS_TOKEN_ALG_UNKNOWN = GS_TOKEN_ALGS
} gs_token_alg_e;


#define GS_TOKEN_DIGESTED     GS_TOKEN_EDDSA         /* how many come first */
#define GS_TOKEN_MACS         (GS_TOKEN_ALGS - GS_TOKEN_HS256)

/* masks of 1 << gs_token_alg_e */
#define GS_TOKEN_PUBLIC_ALGS  ((1u << GS_TOKEN_HS256) - 1)
#define GS_TOKEN_SECRET_ALGS  (((1u << GS_TOKEN_ALGS) - 1)                    \
                               & ~GS_TOKEN_PUBLIC_ALGS)


/* In the order in which they are checked, cheap ones first. */
typedef enum {
    GS_TOKEN_OK = 0,
    GS_TOKEN_TOO_LONG,
    GS_TOKEN_BAD_SEGMENTS,
    GS_TOKEN_BAD_BASE64,
    GS_TOKEN_BAD_HEADER,
    GS_TOKEN_BAD_CRIT,
    GS_TOKEN_BAD_ALG,
    GS_TOKEN_BAD_PAYLOAD,
    GS_TOKEN_BAD_ISSUER,
    GS_TOKEN_BAD_TYP,
    GS_TOKEN_NO_KEYS,                      /* ours, not the client's */
    GS_TOKEN_UNKNOWN_KEY,
    GS_TOKEN_CLAIM_MISSING,
    GS_TOKEN_CLAIM_INVALID,
    GS_TOKEN_EXPIRED,
    GS_TOKEN_NOT_YET_VALID,
    GS_TOKEN_TOO_LONG_LIVED,
    GS_TOKEN_BAD_AUDIENCE,
    GS_TOKEN_REVOKED,
    GS_TOKEN_BAD_SIGNATURE,
    GS_TOKEN_NO_MEMORY,                    /* ours, not the client's */
    GS_TOKEN_THROTTLED,                    /* was not looked at */
    GS_TOKEN_REASONS
} gs_token_reason_e;


/* Kinds of callers, 0 if the issuer does not tell. */
#define GS_TOKEN_NATURAL  1
#define GS_TOKEN_LEGAL    2


typedef struct {
    gs_token_reason_e  reason;
    unsigned           issuer;             /* index in the policy */
    uint64_t           key;                /* its number, 0: none found */
    gs_token_alg_e     alg;                /* of a signature looked at */
    unsigned           level;              /* assurance, 0-5 */
    unsigned           user;               /* GS_TOKEN_NATURAL, _LEGAL, 0 */
    unsigned           cached:1;           /* found in the cache */
    int64_t            exp;                /* s since the epoch */
    int64_t            nbf;                /* 0 if absent */
    int64_t            iat;                /* 0 if absent */
    uint64_t           epoch;              /* of revocations, 0: none */
    gs_str_t           claims;             /* packed, see gs_token_claim.h */
} gs_token_verdict_t;


/* A stable word such as "bad_signature", for logs and the command. */
const char *gs_token_reason_name(gs_token_reason_e reason);

/*
 * The algorithm of a name of RFC 7518, RFC 8037 (EdDSA, and Ed25519 of RFC
 * 9864), or of the spellings in use for SM2 with SM3: SM2, SM2SM3,
 * SM3WithSM2, SM3withSM2, GmSM2, and for HMAC with SM3: HSM3, HS-SM3,
 * HMAC-SM3.  Case counts.
 */
gs_token_alg_e gs_token_alg_find(const gs_str_t *name);

/* The first name of an algorithm. */
const char *gs_token_alg_name(gs_token_alg_e alg);

/*
 * What a signature costs to verify, in units of the usual ones: 1 of RSA,
 * P-256, Ed25519 and secrets, 4 of SM2, 8 of P-384 and P-521.
 */
unsigned gs_token_alg_cost(gs_token_alg_e alg);

/* The first names of all algorithms, ends with NULL. */
extern const char *const  gs_token_alg_names[];


#endif /* _GS_TOKEN_H_INCLUDED_ */
