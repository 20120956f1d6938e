
/*
 * Copyright (C) govsvc authors
 *
 * Strict JSON (RFC 8259) for headers and claims: one pass, no allocation,
 * strings decoded in place.  jansson reads key sets; a token, which anyone
 * can send, is read by this.
 */


#ifndef _GS_TOKEN_JSON_H_INCLUDED_
#define _GS_TOKEN_JSON_H_INCLUDED_


#include "core/gs_rc.h"
#include "core/gs_str.h"


#define GS_TOKEN_JSON_DEPTH    8           /* of nesting */
#define GS_TOKEN_JSON_MEMBERS  128         /* of one object */
#define GS_TOKEN_JSON_NODES    256         /* of one text */


typedef enum {
    GS_TOKEN_JSON_NULL = 0,
    GS_TOKEN_JSON_TRUE,
    GS_TOKEN_JSON_FALSE,
    GS_TOKEN_JSON_NUMBER,
    GS_TOKEN_JSON_STRING,
    GS_TOKEN_JSON_ARRAY,
    GS_TOKEN_JSON_OBJECT
} gs_token_json_e;


typedef struct gs_token_node_s  gs_token_node_t;

struct gs_token_node_s {
    gs_str_t          key;                 /* decoded; empty in an array */
    gs_str_t          value;               /* decoded string, or number text */
    gs_token_node_t  *child;               /* the first, or NULL */
    gs_token_node_t  *next;                /* sibling, or NULL */
    uint32_t          hash;                /* of the key */
    gs_token_json_e   type;
};


typedef struct {
    gs_token_node_t  *nodes;
    size_t            max;
    size_t            used;
} gs_token_json_t;


/*
 * Reads a text that is one object and nothing else.  The text is overwritten
 * by the decoded strings, to which the nodes point; nodes[0] is the object.
 * GS_ERROR on a syntax error, a duplicate member (after decoding), malformed
 * UTF-8, a byte order mark, an escaped NUL or lone surrogate, or more depth,
 * members or nodes than allowed.
 */
gs_rc_t gs_token_json_parse(gs_token_json_t *doc, gs_uchar_t *text,
    size_t len);

/* The member of an object, or NULL. */
const gs_token_node_t *gs_token_json_get(const gs_token_node_t *object,
    const char *name);

const gs_token_node_t *gs_token_json_find(const gs_token_node_t *object,
    const gs_str_t *name);

/*
 * Whether a step of a JSON pointer, with ~1 for "/" and ~0 for "~", is this
 * key.
 */
int gs_token_json_named(const gs_str_t *key, const gs_str_t *step);

/*
 * The value that a path names: a member, or with a leading "/" what a JSON
 * pointer (RFC 6901) leads to.  NULL if there is none.
 */
const gs_token_node_t *gs_token_json_path(const gs_token_node_t *object,
    const gs_str_t *path);

/* 1 if it may be one: not empty, and with no "~" but those of "~0", "~1". */
int gs_token_json_is_path(const gs_str_t *path);


#endif /* _GS_TOKEN_JSON_H_INCLUDED_ */
