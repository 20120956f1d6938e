
/*
 * Copyright (C) govsvc authors
 *
 * A key set while it is read: what gs_token_key.c, which reads the set, and
 * gs_token_key_make.c, which makes the keys, share.
 */


#ifndef _GS_TOKEN_KEY_PRIV_H_INCLUDED_
#define _GS_TOKEN_KEY_PRIV_H_INCLUDED_


#include "token/gs_token_key.h"

#include <jansson.h>


typedef struct {
    const gs_str_t   *text;
    gs_err_t         *err;
    gs_token_keys_t  *keys;
    json_t           *jwk;
    size_t            index;
    int               secrets;
} gs_token_key_in_t;


typedef struct gs_token_key_type_s  gs_token_key_type_t;

struct gs_token_key_type_s {
    const char      *kty;
    const char      *crv;                  /* NULL: the type has none */
    unsigned         algs;
    const char      *names;                /* of algs */
    size_t           width;                /* bytes of a coordinate */
    gs_rc_t        (*make)(gs_token_key_in_t *in, gs_token_key_t *key,
                       const gs_token_key_type_t *type);
};


/* The types of keys; ends with kty NULL. */
extern const gs_token_key_type_t  gs_token_key_types[];


/* The contexts for the algorithms of a key that has been made. */
gs_rc_t gs_token_key_contexts(gs_token_key_in_t *in, gs_token_key_t *key);

/* A member of the key that must be a string. */
gs_rc_t gs_token_key_text(gs_token_key_in_t *in, const char *name,
    gs_str_t *value);

/* Points the error at a member of the key, or at the key where it is NULL. */
gs_err_t *gs_token_key_at(gs_token_key_in_t *in, const char *member);


#endif /* _GS_TOKEN_KEY_PRIV_H_INCLUDED_ */
