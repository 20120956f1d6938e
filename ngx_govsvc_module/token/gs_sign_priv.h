
/*
 * Copyright (C) govsvc authors
 *
 * What the schemes of signed requests share.  Private to the room.
 */


#ifndef _GS_SIGN_PRIV_H_INCLUDED_
#define _GS_SIGN_PRIV_H_INCLUDED_


#include <openssl/evp.h>

#include "token/gs_sign.h"


#define GS_SIGN_PARAMS  256                /* of a query */


/* One name=value of a query, encoded; views into the scratch room. */
typedef struct {
    gs_str_t              name;
    gs_str_t              value;
} gs_sign_param_t;


struct gs_sign_crypto_s {
    gs_mem_t             *mem;
    EVP_MD               *sha256;
    EVP_MD               *sha512;
    EVP_MD               *sm3;
    EVP_MD_CTX           *md;
    EVP_MD_CTX           *sig;             /* of signatures with keys */
    gs_sign_param_t       params[GS_SIGN_PARAMS];
    gs_uchar_t            canon[GS_SIGN_CANON];
    gs_uchar_t            scratch[GS_SIGN_CANON];
};


/* What is being signed; headers grow as the scheme adds its own. */
typedef struct {
    gs_mem_t             *mem;
    gs_sign_crypto_t     *crypto;
    gs_sign_request_t     r;
    gs_sign_cred_t       *cred;
    const gs_sign_key_t  *key;
    gs_sign_header_t     *headers;         /* the request's, then ours */
    gs_sign_header_t     *add;
    size_t                n;               /* added */
} gs_sign_maker_t;


typedef struct {
    int64_t               window;          /* s */
    unsigned              algs;
    gs_sign_alg_e         alg;

    /* reads the credential; headers of the scheme are known to be there */
    gs_sign_reason_e    (*parse)(const gs_sign_request_t *r,
        gs_sign_cred_t *cred);

    /* writes what is signed; overflow is seen in b */
    gs_sign_reason_e    (*canon)(gs_sign_crypto_t *crypto,
        const gs_sign_request_t *r, const gs_sign_cred_t *cred,
        const gs_str_t *secret, gs_buf_t *b);

    /* the signature of canon by a secret, at most 64 bytes */
    gs_rc_t             (*mac)(gs_sign_crypto_t *crypto,
        const gs_sign_cred_t *cred, const gs_sign_key_t *key,
        const gs_str_t *canon, gs_uchar_t *mac, size_t *len);

    /* signing: headers before, and the signature behind; 0 if memory is out */
    int                 (*before)(gs_sign_maker_t *m);
    int                 (*after)(gs_sign_maker_t *m);
} gs_sign_scheme_t;


extern const gs_sign_scheme_t  gs_sign_tif;
extern const gs_sign_scheme_t  gs_sign_gjzwfwpt;
extern const gs_sign_scheme_t  gs_sign_xbg;
extern const gs_sign_scheme_t  gs_sign_sigv4;
extern const gs_sign_scheme_t  gs_sign_rfc9421;
extern const gs_sign_scheme_t  gs_sign_govhmac;
extern const gs_sign_scheme_t  gs_sign_apikey;


/*
 * The only header of that lower-case name: GS_OK, GS_DECLINED if there is
 * none, GS_ERROR if there are two.  The value without blanks at its ends.
 */
gs_rc_t gs_sign_header(const gs_sign_request_t *r, const char *name,
    gs_str_t *value);

/*
 * Values of all headers of that name, joined; squeeze makes one blank of
 * several.  GS_DECLINED if there is none.
 */
gs_rc_t gs_sign_header_join(const gs_sign_request_t *r, const gs_str_t *name,
    const char *sep, int squeeze, gs_buf_t *b);

gs_str_t gs_sign_trim(const gs_str_t *s);

/* The host in lower case without the port that the scheme implies. */
void gs_sign_host(const gs_sign_request_t *r, gs_buf_t *b);

/* 1 if s has min to max letters, digits or bytes of extra. */
int gs_sign_word(const gs_str_t *s, size_t min, size_t max,
    const char *extra);

/* The first signature from that one on that is well formed (rfc9421). */
gs_sign_reason_e gs_sign_rfc_from(const gs_sign_request_t *r,
    gs_sign_cred_t *cred, unsigned first);

/* Empties all but the scheme. */
void gs_sign_reset(gs_sign_cred_t *cred);

/* Adds a header to a request being signed; 0 if memory is out. */
int gs_sign_add(gs_sign_maker_t *m, const char *name, const gs_str_t *value);
int gs_sign_add_time(gs_sign_maker_t *m, const char *name, int64_t n);


/* Crypto: gs_sign_crypto.c */

EVP_MD *gs_sign_md(gs_sign_crypto_t *crypto, gs_sign_alg_e alg);
gs_rc_t gs_sign_md_of(gs_sign_crypto_t *crypto, EVP_MD *md,
    const gs_str_t *text, gs_uchar_t *digest);
gs_rc_t gs_sign_hmac(gs_sign_crypto_t *crypto, EVP_MD *md,
    const gs_str_t *key, const gs_str_t *text, gs_uchar_t digest[32]);

/* The default of a scheme: an HMAC, or the hash itself. */
gs_rc_t gs_sign_mac(gs_sign_crypto_t *crypto, const gs_sign_cred_t *cred,
    const gs_sign_key_t *key, const gs_str_t *canon, gs_uchar_t *mac,
    size_t *len);

gs_sign_reason_e gs_sign_pkey_verify(gs_sign_crypto_t *crypto,
    const gs_sign_key_t *key, const gs_str_t *text, const gs_uchar_t *sig,
    size_t len);
gs_sign_reason_e gs_sign_pkey_sign(gs_sign_crypto_t *crypto,
    const gs_sign_key_t *key, const gs_str_t *text, gs_uchar_t *sig,
    size_t *len);


/* Parts of the target, encoding and dates: gs_sign_uri.c */

/* 1 if there is a "?"; query is empty then or not. */
int gs_sign_split(const gs_str_t *target, gs_str_t *path, gs_str_t *query);

/* Percent-encoding (RFC 3986 unreserved stay), of what is encoded or not. */
void gs_sign_encode(gs_buf_t *b, const gs_str_t *s, int slash);
void gs_sign_recode(gs_buf_t *b, const gs_str_t *s, int slash);

/*
 * Parameters sorted by name and value.  recode: decoded and encoded anew,
 * each with "="; else as they came.  The one named but, if not NULL, is left
 * out.  GS_ERROR if there are too many.
 */
gs_rc_t gs_sign_query(gs_sign_crypto_t *crypto, const gs_str_t *query,
    int recode, const char *but, gs_buf_t *b);

/* Without empty and dot segments, encoded. */
void gs_sign_path(gs_sign_crypto_t *crypto, const gs_str_t *path,
    gs_buf_t *b);

/* "Tue, 14 Nov 2023 22:13:20 GMT"; "20231114T221320Z" */
gs_rc_t gs_sign_http_date(const gs_str_t *s, int64_t *sec);
gs_rc_t gs_sign_basic_date(const gs_str_t *s, int64_t *sec);
void gs_sign_http_date_put(gs_buf_t *b, int64_t sec);
void gs_sign_basic_date_put(gs_buf_t *b, int64_t sec);

/* A number of seconds that is none of another century. */
gs_rc_t gs_sign_seconds(const gs_str_t *s, int64_t *sec);


#endif /* _GS_SIGN_PRIV_H_INCLUDED_ */
