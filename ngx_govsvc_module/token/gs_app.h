
/*
 * Copyright (C) govsvc authors
 *
 * Applications that call by signature: apps.json, read once, and the check of
 * one request against it.
 */


#ifndef _GS_APP_H_INCLUDED_
#define _GS_APP_H_INCLUDED_


#include "core/gs_err.h"
#include "core/gs_net.h"
#include "token/gs_sign.h"
#include "token/gs_token_key.h"


#define GS_APP_MAX_TEXT     4194304        /* bytes of apps.json */
#define GS_APP_MAX_SECRET   4096           /* bytes of a secret's file */
#define GS_APP_MAX          20000          /* applications */
#define GS_APP_MAX_SECRETS  2
#define GS_APP_SIGNATURES   4              /* of one request */
#define GS_APP_ID_LEN       64


typedef enum {
    GS_APP_REPLAY_ALL = 0,                 /* every request once */
    GS_APP_REPLAY_UNSAFE,                  /* but GET, HEAD and OPTIONS */
    GS_APP_REPLAY_OFF
} gs_app_replay_e;


typedef struct {
    gs_str_t          id;
    gs_sign_scheme_e  scheme;
    gs_sign_alg_e     alg;
    gs_str_t          secrets[GS_APP_MAX_SECRETS];
    size_t            nsecrets;
    gs_token_keys_t  *keys;                /* public ones, or NULL */
    gs_net_set_t     *networks;            /* NULL: any */
    gs_str_t         *routes;              /* globs */
    size_t            nroutes;             /* 0: any */
    unsigned          level;               /* assurance, 0-5 */
    int64_t           window;              /* s */
    int64_t           expires;             /* s since the epoch, 0: never */
    int64_t           presigned;           /* s, longest life; 0: none */
    gs_str_t          tag;                 /* rfc9421; len 0: any */
    gs_app_replay_e   replay;
    unsigned          identity:1;          /* may name a subject */
    unsigned          unsigned_body:1;     /* bodies need not be signed */
} gs_app_t;


typedef struct gs_apps_s  gs_apps_t;


/*
 * Reads a file that apps.json names, a secret or not, in memory of the reader
 * that outlives the load.  GS_ERROR with err filled, or with an empty text if
 * the reader has reported it.
 */
typedef gs_rc_t (*gs_app_read_pt)(void *data, const gs_str_t *name,
    int secret, gs_str_t *text, gs_err_t *err);


/*
 * Reads apps.json into mem.  NULL on failure, err tells line and pointer.
 * Secrets are copied; those copies are cleansed by gs_apps_destroy().
 */
gs_apps_t *gs_apps_load(gs_mem_t *mem, const gs_str_t *text,
    gs_app_read_pt read, void *data, gs_err_t *err);
void gs_apps_destroy(gs_apps_t *apps);                    /* may be NULL */

size_t gs_apps_count(const gs_apps_t *apps);
unsigned gs_apps_schemes(const gs_apps_t *apps);          /* as bits */

/* NULL if there is none of that id. */
const gs_app_t *gs_apps_find(const gs_apps_t *apps, const gs_str_t *id);
const gs_app_t *gs_apps_at(const gs_apps_t *apps, size_t i);

/*
 * Who signed: finds the application of a credential and checks the signature
 * by one of its live secrets or keys, then, for who holds one, clock and
 * expiry (now in s).  *app is set where the signature is good.  Of several
 * signatures of a request the first good one counts, cred is that one then;
 * at most GS_APP_SIGNATURES of applications that there are are looked at.
 */
gs_sign_reason_e gs_apps_check(const gs_apps_t *apps,
    gs_sign_crypto_t *crypto, const gs_sign_request_t *r,
    gs_sign_cred_t *cred, int64_t now, const gs_app_t **app);

/* May the application call from there; this route of this platform? */
gs_sign_reason_e gs_app_from(const gs_app_t *app, const gs_net_t *from);
gs_sign_reason_e gs_app_to(const gs_app_t *app, const gs_str_t *route,
    const gs_str_t *platform);

/*
 * What makes the request one of a kind: its nonce, else its signature; and
 * until when it must be remembered.  GS_DECLINED if it need not be.
 */
gs_rc_t gs_app_nonce(const gs_app_t *app, const gs_sign_request_t *r,
    const gs_sign_cred_t *cred, int64_t now, gs_str_t *nonce,
    int64_t *until);

/* 1 if s matches a pattern in which "*" stands for any bytes. */
int gs_app_glob(const gs_str_t *pattern, const gs_str_t *s);


#endif /* _GS_APP_H_INCLUDED_ */
