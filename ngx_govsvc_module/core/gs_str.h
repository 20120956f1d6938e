
/*
 * Copyright (C) govsvc authors
 *
 * Strings with a length.  gs_str_t has the layout of ngx_str_t; the bytes
 * are read-only, need not end in NUL and may hold any value.
 */


#ifndef _GS_STR_H_INCLUDED_
#define _GS_STR_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/gs_rc.h"


typedef unsigned char  gs_uchar_t;


typedef struct {
    size_t             len;
    const gs_uchar_t  *data;
} gs_str_t;


#define gs_string(lit)  { sizeof(lit) - 1, (const gs_uchar_t *) lit }
#define gs_null_string  { 0, NULL }


/* A string over bytes that the caller keeps. */
static inline gs_str_t gs_str_make(const void *data, size_t len);

/* A string over a NUL-terminated text that the caller keeps. */
static inline gs_str_t gs_str_text(const char *text);

/* 1 if the bytes are equal, not in constant time. */
static inline int gs_str_eq(const gs_str_t *a, const gs_str_t *b);
static inline int gs_str_eq_text(const gs_str_t *a, const char *text);

/* As above, with ASCII letters taken case-blind. */
int gs_str_case_eq(const gs_str_t *a, const gs_str_t *b);
int gs_str_case_eq_text(const gs_str_t *a, const char *text);

int gs_str_prefix(const gs_str_t *s, const gs_str_t *prefix);
int gs_str_suffix(const gs_str_t *s, const gs_str_t *suffix);

/* memcmp order, a shorter string before its extensions: -1, 0, 1. */
int gs_str_cmp(const gs_str_t *a, const gs_str_t *b);

/* First offset of the byte c at or after from, or s->len. */
static inline size_t gs_str_chr(const gs_str_t *s, size_t from, int c);

/* FNV-1a: spares comparisons, and withstands nobody who chooses its text. */
static inline uint32_t gs_str_hash(const gs_str_t *s);

/*
 * Bytes compared in a time that depends on len alone; for secrets.  1 if
 * equal.
 */
int gs_ct_eq(const void *a, const void *b, size_t len);

static inline int gs_is_digit(int c);
static inline int gs_is_alpha(int c);
static inline int gs_to_lower(int c);


/*
 * Numbers in configuration and data.  Each takes the whole string, refuses
 * signs, blanks and overflow, and answers GS_OK or GS_ERROR (value untouched).
 */
gs_rc_t gs_parse_u64(const gs_str_t *s, uint64_t *value);

/* "8k", "32m", "1g" or plain bytes. */
gs_rc_t gs_parse_size(const gs_str_t *s, uint64_t *bytes);

/* "500ms", "30s", "5m", "12h", "180d"; a bare number is seconds. */
gs_rc_t gs_parse_msec(const gs_str_t *s, uint64_t *msec);


/*
 * The entry of names nearest to s by edit distance, for "did you mean";
 * NULL when none is near (distance over a third of the length of s, at least
 * 1).  names ends with NULL.
 */
const char *gs_nearest(const gs_str_t *s, const char *const *names);


/* inline, so that the length of a literal is a constant */

static inline gs_str_t
gs_str_make(const void *data, size_t len)
{
    gs_str_t  s;

    s.len = len;
    s.data = data;

    return s;
}


static inline gs_str_t
gs_str_text(const char *text)
{
    return gs_str_make(text, strlen(text));
}


static inline int
gs_str_eq(const gs_str_t *a, const gs_str_t *b)
{
    return a->len == b->len
           && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}


static inline int
gs_str_eq_text(const gs_str_t *a, const char *text)
{
    gs_str_t  b;

    b = gs_str_text(text);

    return gs_str_eq(a, &b);
}


static inline uint32_t
gs_str_hash(const gs_str_t *s)
{
    size_t    i;
    uint32_t  h;

    h = 2166136261u;

    for (i = 0; i < s->len; i++) {
        h = (h ^ s->data[i]) * 16777619u;
    }

    return h;
}


static inline size_t
gs_str_chr(const gs_str_t *s, size_t from, int c)
{
    const gs_uchar_t  *p;

    if (from >= s->len) {
        return s->len;
    }

    p = memchr(s->data + from, c, s->len - from);

    return (p == NULL) ? s->len : (size_t) (p - s->data);
}


static inline int
gs_is_digit(int c)
{
    return c >= '0' && c <= '9';
}


static inline int
gs_to_lower(int c)
{
    return (c >= 'A' && c <= 'Z') ? c | 0x20 : c;
}


static inline int
gs_is_alpha(int c)
{
    c = gs_to_lower(c);

    return c >= 'a' && c <= 'z';
}


#endif /* _GS_STR_H_INCLUDED_ */
