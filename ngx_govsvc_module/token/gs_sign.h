
/*
 * Copyright (C) govsvc authors
 *
 * Signed requests: which application calls.  Each scheme finds its credential
 * in the headers, builds the text that was signed and makes or checks the
 * signature over it; what an application may do is in gs_app.h.
 *
 * x-tif (also x-rio, x-sal), gjzwfwpt and x-bg-hmac are in use between
 * government platforms, sigv4 is AWS Signature Version 4 in headers or in the
 * query (presigned URLs), rfc9421 HTTP Message Signatures, govhmac our own,
 * apikey a plain key.
 */


#ifndef _GS_SIGN_H_INCLUDED_
#define _GS_SIGN_H_INCLUDED_


#include "core/gs_buf.h"
#include "core/gs_mem.h"
#include "core/gs_rc.h"
#include "core/gs_str.h"


#define GS_SIGN_CANON    65536             /* bytes of a text to sign */
#define GS_SIGN_MAX_SIG  1024              /* RSA of 8192 bits */
#define GS_SIGN_MAX_ADD  8                 /* headers that signing adds */

#define GS_SIGN_SIGNATURES  8              /* of a request, rfc9421 */


typedef enum {
    GS_SIGN_TIF = 0,
    GS_SIGN_GJZWFWPT,
    GS_SIGN_XBG,
    GS_SIGN_SIGV4,
    GS_SIGN_RFC9421,
    GS_SIGN_GOVHMAC,
    GS_SIGN_APIKEY,
    GS_SIGN_SCHEMES
} gs_sign_scheme_e;


typedef enum {
    GS_SIGN_HMAC_SHA256 = 0,
    GS_SIGN_HMAC_SM3,
    GS_SIGN_SHA256,                        /* a hash that takes the secret in */
    GS_SIGN_SM3,
    GS_SIGN_ED25519,
    GS_SIGN_ECDSA_P256,
    GS_SIGN_RSA_PSS,
    GS_SIGN_SM2,
    GS_SIGN_ALGS                           /* also: not told */
} gs_sign_alg_e;


/* From here on the algorithms that need a key instead of a secret. */
#define GS_SIGN_KEYED  GS_SIGN_ED25519


typedef enum {
    GS_SIGN_DIGEST_NONE = 0,
    GS_SIGN_DIGEST_SHA256,
    GS_SIGN_DIGEST_SHA512,
    GS_SIGN_DIGEST_SM3
} gs_sign_digest_e;


typedef enum {
    GS_SIGN_OK = 0,
    GS_SIGN_ABSENT,                        /* no credential of these schemes */
    GS_SIGN_MALFORMED,
    GS_SIGN_TWO,                           /* two credentials */
    GS_SIGN_TOO_LONG,
    GS_SIGN_BAD_TIME,
    GS_SIGN_BAD_NONCE,
    GS_SIGN_BAD_ALG,
    GS_SIGN_UNSIGNED_BODY,
    GS_SIGN_STREAMING,                     /* a payload signed in chunks */
    GS_SIGN_PRESIGNED,                     /* not allowed, or not so long */
    GS_SIGN_BAD_TAG,
    GS_SIGN_NOT_COVERED,
    GS_SIGN_UNKNOWN_APP,
    GS_SIGN_BAD_SIGNATURE,
    GS_SIGN_SKEW,
    GS_SIGN_EXPIRED,
    GS_SIGN_BAD_NETWORK,
    GS_SIGN_BAD_ROUTE,
    GS_SIGN_BAD_IDENTITY,
    GS_SIGN_REPLAY,
    GS_SIGN_BAD_DIGEST,
    GS_SIGN_BODY_TOO_LARGE,
    GS_SIGN_STORE_FULL,                    /* ours, not the caller's */
    GS_SIGN_STORE_GONE,                    /* that nodes share */
    GS_SIGN_STORE_LOST,                    /* it may have lost nonces */
    GS_SIGN_NO_MEMORY,
    GS_SIGN_REASONS
} gs_sign_reason_e;


typedef struct {
    gs_str_t                 name;         /* in any case */
    gs_str_t                 value;
} gs_sign_header_t;


/* A digest of a body: told by the caller, or computed. */
typedef struct {
    gs_sign_digest_e         alg;
    size_t                   len;
    gs_uchar_t               data[64];
} gs_sign_digest_t;


/* The bytes as they came over the wire: nothing decoded, nothing merged. */
typedef struct {
    gs_str_t                 method;
    gs_str_t                 target;       /* path and query */
    gs_str_t                 host;         /* Host or :authority */
    const gs_sign_header_t  *headers;
    size_t                   n;
    gs_sign_digest_t         payload;      /* sha-256, if known before */
    unsigned                 tls:1;
    unsigned                 body:1;       /* there is one, or may be */
} gs_sign_request_t;


/*
 * A credential as found; strings are views into the request, and of presigned
 * URLs into sig, so that it must not be copied.
 */
typedef struct {
    gs_sign_scheme_e         scheme;
    gs_sign_alg_e            alg;          /* GS_SIGN_ALGS: not told */
    gs_str_t                 id;           /* of the application */
    gs_str_t                 nonce;        /* len 0: the scheme has none */
    int64_t                  time;         /* s; 0: the scheme has none */
    int64_t                  expires;      /* s; 0: not told */
    gs_sign_digest_t         digest;       /* of the body, as told */
    gs_str_t                 text[6];      /* private to the scheme */
    gs_str_t                 subject;      /* x-tif: whom the gateway names */
    gs_str_t                 tag;          /* rfc9421 */
    int64_t                  lifetime;     /* s, of a presigned URL; or 0 */
    unsigned                 next;         /* rfc9421: signature behind it */
    unsigned                 identity:1;   /* x-tif: the identity form */
    unsigned                 covered:1;    /* all that must be signed is */
    unsigned                 unsigned_body:1;
    size_t                   sig_len;
    gs_uchar_t               sig[GS_SIGN_MAX_SIG];
} gs_sign_cred_t;


/* What signs: a secret, or a key of libcrypto (private to sign). */
typedef struct {
    gs_sign_alg_e            alg;
    gs_str_t                 secret;
    struct evp_pkey_st      *pkey;
} gs_sign_key_t;


/*
 * Reads a key in PEM form, a private one or a public one, into pkey; GS_ERROR
 * if there is none.  gs_sign_key_clear() frees it and cleanses the secret,
 * which must be writable.
 */
gs_rc_t gs_sign_key_pem(gs_sign_key_t *key, const gs_str_t *text,
    int is_private);
void gs_sign_key_clear(gs_sign_key_t *key);

/* Digests, contexts and room of one process; requests one by one. */
typedef struct gs_sign_crypto_s  gs_sign_crypto_t;


/* NULL when memory is out.  After fork() each process has its own copy. */
gs_sign_crypto_t *gs_sign_crypto_create(gs_mem_t *mem);
void gs_sign_crypto_destroy(gs_sign_crypto_t *crypto);    /* may be NULL */

/*
 * Finds the one credential of the schemes (bits 1 << gs_sign_scheme_e).
 * GS_SIGN_ABSENT where there is none at all.  Nothing is verified yet.
 */
gs_sign_reason_e gs_sign_find(const gs_sign_request_t *r, unsigned schemes,
    gs_sign_cred_t *cred);

/*
 * The next signature of a request that has several (rfc9421), at most
 * GS_SIGN_SIGNATURES; one that is malformed is passed over.  GS_SIGN_ABSENT
 * if there is none; cred is of no use then.
 */
gs_sign_reason_e gs_sign_again(const gs_sign_request_t *r,
    gs_sign_cred_t *cred);

/*
 * 1 if a header of this name (lower case) may carry a credential: the quick
 * question that spares all others the search.
 */
int gs_sign_is_header(const gs_str_t *name);

/* 1 if a query holds a credential (sigv4), in whatever spelling. */
int gs_sign_in_query(const gs_str_t *query);

/*
 * Checks the signature alone, against one key.  In constant time as to the
 * secret.  GS_SIGN_OK, _BAD_SIGNATURE, _BAD_ALG, _TOO_LONG, _MALFORMED (a
 * signed component is not there) or _NO_MEMORY.
 */
gs_sign_reason_e gs_sign_verify(gs_sign_crypto_t *crypto,
    const gs_sign_request_t *r, const gs_sign_cred_t *cred,
    const gs_sign_key_t *key);

/*
 * The text that the signature is over, for people; a secret that is part of
 * it stands as "<secret>".
 */
gs_sign_reason_e gs_sign_canon(gs_sign_crypto_t *crypto,
    const gs_sign_request_t *r, const gs_sign_cred_t *cred, gs_buf_t *b);

/*
 * Signs: takes scheme, alg, id, nonce, time, digest and for x-tif subject and
 * text[0..1] (uinfo, ext), for gjzwfwpt text[0] (sid), for sigv4 text[0..1]
 * (region, service) from cred, which is changed.  The headers to add go to
 * add (room for GS_SIGN_MAX_ADD).  mem is an arena or a pool: nothing is given
 * back to it.
 */
gs_sign_reason_e gs_sign_make(gs_sign_crypto_t *crypto, gs_mem_t *mem,
    const gs_sign_request_t *r, gs_sign_cred_t *cred,
    const gs_sign_key_t *key, gs_sign_header_t *add, size_t *n);

/*
 * The target of a presigned URL (sigv4) that ends after seconds, in mem.
 * Takes id, time and text[0..1] from cred, as gs_sign_make(); the request must
 * have its Host header.
 */
gs_sign_reason_e gs_sign_presign(gs_sign_crypto_t *crypto, gs_mem_t *mem,
    const gs_sign_request_t *r, gs_sign_cred_t *cred,
    const gs_sign_key_t *key, int64_t seconds, gs_str_t *target);


/*
 * Digests of a body while it passes.  One context for each request; NULL when
 * memory is out.
 */
typedef struct gs_sign_hash_s  gs_sign_hash_t;

gs_sign_hash_t *gs_sign_hash_create(gs_sign_crypto_t *crypto, gs_mem_t *mem,
    gs_sign_digest_e alg);
void gs_sign_hash_destroy(gs_sign_hash_t *hash);          /* may be NULL */
gs_rc_t gs_sign_hash_update(gs_sign_hash_t *hash, const void *data,
    size_t len);
gs_rc_t gs_sign_hash_final(gs_sign_hash_t *hash, gs_sign_digest_t *digest);

/* 1 if they are equal, in constant time. */
int gs_sign_digest_eq(const gs_sign_digest_t *a, const gs_sign_digest_t *b);

/*
 * Content-Digest of RFC 9530: the strongest that we know (sha-512, sha-256,
 * sm3).  GS_DECLINED if there is none of these, GS_ERROR on a bad field.
 */
gs_rc_t gs_sign_content_digest(const gs_str_t *value,
    gs_sign_digest_t *digest);
void gs_sign_content_digest_put(gs_buf_t *b, const gs_sign_digest_t *digest);


/* Words: "x-tif", "hmac-sha256", "bad_signature", "sha-256". */
extern const char *const  gs_sign_scheme_names[];         /* end with NULL */
extern const char *const  gs_sign_alg_names[];
const char *gs_sign_reason_name(gs_sign_reason_e reason);
const char *gs_sign_digest_name(gs_sign_digest_e alg);

/* The algorithms that a scheme may use, as bits, and the usual one. */
unsigned gs_sign_scheme_algs(gs_sign_scheme_e scheme);
gs_sign_alg_e gs_sign_scheme_alg(gs_sign_scheme_e scheme);

/* Seconds that a scheme's clock may be off, unless an application says. */
int64_t gs_sign_scheme_window(gs_sign_scheme_e scheme);


#endif /* _GS_SIGN_H_INCLUDED_ */
