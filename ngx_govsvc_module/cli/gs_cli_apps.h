
/*
 * Copyright (C) govsvc authors
 *
 * Inside govsvc apps: what signing and verifying share.
 */


#ifndef _GS_CLI_APPS_H_INCLUDED_
#define _GS_CLI_APPS_H_INCLUDED_


#include "cli/gs_cli.h"
#include "token/gs_sign.h"


#define GS_CLI_APPS_HEADERS  128


typedef struct {
    gs_sign_crypto_t   *crypto;
    gs_sign_request_t   r;
    gs_sign_header_t    headers[GS_CLI_APPS_HEADERS];
    gs_sign_cred_t      cred;
    gs_sign_key_t       key;
    gs_sign_scheme_e    scheme;
    gs_str_t            body;
    int64_t             now;
    gs_uchar_t          digest[32];        /* of an API key */
} gs_cli_apps_t;


/* The two verbs; each returns an exit code. */
int gs_cli_apps_sign(gs_cli_t *cli, gs_cli_apps_t *a);
int gs_cli_apps_verify(gs_cli_t *cli, gs_cli_apps_t *a);

/* The index of an option's value in names; GS_CLI_USAGE is reported. */
int gs_cli_apps_word(gs_cli_t *cli, const char *name,
    const char *const *names, unsigned *value);

/* Algorithm, and secret or key, for a->scheme. */
int gs_cli_apps_key(gs_cli_t *cli, gs_cli_apps_t *a);

/* 0 if memory is out. */
int gs_cli_apps_hash(gs_cli_apps_t *a, gs_sign_digest_e alg,
    const gs_str_t *text, gs_sign_digest_t *digest);


#endif /* _GS_CLI_APPS_H_INCLUDED_ */
