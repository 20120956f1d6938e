
/*
 * Copyright (C) govsvc authors
 *
 * Aho-Corasick (1975): one pass over a text finds which of many words occur
 * in it.  ASCII letters are taken case-blind, and a tab or a line's end as a
 * blank.  Compiled once to a full automaton over byte classes, read-only
 * afterwards.
 */


#ifndef _GS_AC_H_INCLUDED_
#define _GS_AC_H_INCLUDED_


#include "core/gs_err.h"
#include "core/gs_mem.h"
#include "core/gs_rc.h"
#include "core/gs_str.h"


#define GS_AC_MAX_STATES  65536


typedef struct gs_ac_s  gs_ac_t;


/* What may stand next to a word: one of these bytes, or the text's end. */
typedef struct {
    uint64_t         bits[4];
    uint64_t         edge;                 /* 0 or 1 */
} gs_ac_near_t;


typedef struct {
    gs_str_t             text;             /* not empty, copied */
    uint32_t             id;               /* several words may share one */
    const gs_ac_near_t  *before;           /* NULL: anything; not copied */
    const gs_ac_near_t  *after;
} gs_ac_word_t;


/*
 * Compiles n words; the result is one allocation of mem, work space is taken
 * from temp and given back.  n may be 0.  GS_ERROR when memory is out or the
 * words need more than GS_AC_MAX_STATES states.
 */
gs_rc_t gs_ac_compile(gs_ac_t **ac, gs_mem_t *mem, gs_mem_t *temp,
    const gs_ac_word_t *words, size_t n, gs_err_t *err);

/*
 * Sets bit id (of an array of 64-bit words that the caller cleared and sized
 * for the greatest id) for every word that occurs in the text next to what
 * may stand there.  Returns 1 if there was any.  No allocation; time linear
 * in len.
 */
int gs_ac_scan(const gs_ac_t *ac, const void *data, size_t len,
    uint64_t *bits);

/* The same, whatever stands next to the words: for any part of the text. */
int gs_ac_scan_parts(const gs_ac_t *ac, const void *data, size_t len,
    uint64_t *bits);

/*
 * The same of the words that end behind from and not behind to: ranges that
 * follow one another find what the whole text has.
 */
int gs_ac_scan_range(const gs_ac_t *ac, const void *data, size_t len,
    size_t from, size_t to, int parts, uint64_t *bits);

/* 1 if the byte may stand there. */
int gs_ac_near(const gs_ac_near_t *near, int c);

/* Bytes held and states, for reports. */
size_t gs_ac_size(const gs_ac_t *ac);
unsigned gs_ac_states(const gs_ac_t *ac);


#endif /* _GS_AC_H_INCLUDED_ */
