
/*
 * Copyright (C) govsvc authors
 *
 * Claims: dates and audiences read from the JSON of a payload, and the packed
 * form in which the claims of a good token are kept, so that a request served
 * from the cache reads no JSON.
 *
 * Packed: records one behind the other, each 2 bytes length of the name, 2
 * bytes length of the value (both in host order), 1 byte flags, name, value.
 * One record for each string, number, true or false at the top level, and
 * one for each such element of an array there; objects, null and arrays in
 * arrays are left out.
 */


#ifndef _GS_TOKEN_CLAIM_H_INCLUDED_
#define _GS_TOKEN_CLAIM_H_INCLUDED_


#include "core/gs_buf.h"
#include "token/gs_token_json.h"


#define GS_TOKEN_CLAIM_STRING  0x01
#define GS_TOKEN_CLAIM_ARRAY   0x02        /* an element of an array */
#define GS_TOKEN_CLAIM_CTL     0x04        /* holds a control character */


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

/* The first record of that name; GS_DECLINED if there is none. */
gs_rc_t gs_token_claim_find(const gs_str_t *packed, const gs_str_t *name,
    gs_token_claim_t *claim);

/* 1 if a record of that name has exactly that value. */
int gs_token_claim_has(const gs_str_t *packed, const gs_str_t *name,
    const gs_str_t *value);

/* 1 if a record of that name has the word among its words. */
int gs_token_claim_has_word(const gs_str_t *packed, const gs_str_t *name,
    const gs_str_t *word);

/* 1 if s, well-formed UTF-8, holds a character of U+0000-1F or U+007F-9F. */
int gs_token_claim_ctl(const gs_str_t *s);


#endif /* _GS_TOKEN_CLAIM_H_INCLUDED_ */
