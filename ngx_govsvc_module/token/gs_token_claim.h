
/*
 * Copyright (C) govsvc authors
 *
 * Claims: dates and audiences read from the JSON of a payload, and the packed
 * form in which the claims of a good token are kept, so that a request served
 * from the cache reads no JSON.
 *
 * Packed: records one behind the other, each 2 bytes length of the name, 2
 * bytes length of the value (both in host order), 1 byte flags, name, value.
 * One record for each string, number, true or false, and one for each such
 * element of an array; null is left out, but in an array it leaves an empty
 * record, as objects and arrays there do, so that elements can be counted.
 * The name at the top level is that of the member, and below it the JSON
 * pointer (RFC 6901) of the value or of the array; a member of the top level
 * whose name begins with "/" would look like one, and is left out.
 */


#ifndef _GS_TOKEN_CLAIM_H_INCLUDED_
#define _GS_TOKEN_CLAIM_H_INCLUDED_


#include "core/gs_buf.h"
#include "token/gs_token_json.h"


#define GS_TOKEN_CLAIM_STRING  0x01
#define GS_TOKEN_CLAIM_ARRAY   0x02        /* an element of an array */
#define GS_TOKEN_CLAIM_CTL     0x04        /* holds a control character */
#define GS_TOKEN_CLAIM_NONE    0x08        /* no value, only a place */

#define GS_TOKEN_CLAIM_PATH    512         /* bytes of a packed name */


typedef struct {
    gs_str_t  name;
    gs_str_t  value;
    unsigned  flags;
} gs_token_claim_t;


/*
 * NumericDate of RFC 7519: a number of seconds, with fraction or exponent if
 * it must, from 0 to the year 9999; the fraction is cut.  GS_ERROR on
 * anything else.
 */
gs_rc_t gs_token_claim_date(const gs_token_node_t *node, int64_t *date);

/*
 * Whether a value that is a string or an array of strings holds one of names
 * exactly.  GS_DECLINED if not, GS_ERROR if it is of another form.
 */
gs_rc_t gs_token_claim_audience(const gs_token_node_t *node,
    const gs_str_t *names, size_t n);

/* Packs the members of object.  Overflow is seen in b. */
void gs_token_claim_pack(gs_buf_t *b, const gs_token_node_t *object);

/* The record at *pos, from 0; GS_DONE at the end. */
gs_rc_t gs_token_claim_next(const gs_str_t *packed, size_t *pos,
    gs_token_claim_t *claim);

/*
 * The records that a path means: a name of the top level, or with a leading
 * "/" a JSON pointer, which may lead to an array, that is to all its elements,
 * or to one of them.
 */
typedef struct {
    gs_str_t  path;
    gs_str_t  parent;                      /* len 0: path names no element */
    uint64_t  index;
    uint64_t  seen;                        /* elements of the parent so far */
    size_t    pos;
    unsigned  nocase:1;                    /* set by the caller, after init */
} gs_token_claim_iter_t;

void gs_token_claim_iter(gs_token_claim_iter_t *it, const gs_str_t *path);

/* The next of them; GS_DONE at the end. */
gs_rc_t gs_token_claim_each(gs_token_claim_iter_t *it,
    const gs_str_t *packed, gs_token_claim_t *claim);

/* The first record of that path; GS_DECLINED if there is none. */
gs_rc_t gs_token_claim_find(const gs_str_t *packed, const gs_str_t *path,
    gs_token_claim_t *claim);

/* 1 if a record of that path has exactly that value. */
int gs_token_claim_has(const gs_str_t *packed, const gs_str_t *path,
    const gs_str_t *value);

/* 1 if a record of that path has the word among its words. */
int gs_token_claim_has_word(const gs_str_t *packed, const gs_str_t *path,
    const gs_str_t *word);

/* 1 if s, well-formed UTF-8, holds a character of U+0000-1F or U+007F-9F. */
int gs_token_claim_ctl(const gs_str_t *s);


#endif /* _GS_TOKEN_CLAIM_H_INCLUDED_ */
