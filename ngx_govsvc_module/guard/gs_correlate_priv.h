
/*
 * Copyright (C) govsvc authors
 *
 * Inside of the table of correlation.
 *
 * state  check 16, window 16, events of the window before 16, of this one 16
 * mark   check 16, strength 8, steps reached 8, end of interest in s 32
 * aux    check 16, and 48 bits as the measure needs them
 *
 * A key has a head of four words among the eight of its group, and a sketch
 * of twelve words.  Whoever swaps the state owns the slot and names it by its
 * tag; every other word carries the check bits of its key, so that what
 * another key left, or a process killed half way, is seen as nothing.  The
 * words of the sketch carry their window, so nothing has to be cleared when a
 * new one begins.
 */


#ifndef _GS_CORRELATE_PRIV_H_INCLUDED_
#define _GS_CORRELATE_PRIV_H_INCLUDED_


#include "guard/gs_correlate.h"


#define GS_CORRELATE_MAGIC    0x6c726f63u
#define GS_CORRELATE_VERSION  2
#define GS_CORRELATE_WAYS     8            /* heads of a group */
#define GS_CORRELATE_WORDS    6            /* of a window */
#define GS_CORRELATE_BITS     48           /* of a word of the sketch */
#define GS_CORRELATE_SKETCH   (GS_CORRELATE_WORDS * GS_CORRELATE_BITS)
#define GS_CORRELATE_TRIES    100
#define GS_CORRELATE_FULL     0xffff       /* where a count stops */
#define GS_CORRELATE_KNOWN    254          /* the strength of who fired, */
#define GS_CORRELATE_MARKED   255          /* of a mark */
#define GS_CORRELATE_LEARNING 0xffffffffu  /* a rate whose past is unknown */
#define GS_CORRELATE_HOLD     3600         /* s that such a one is kept */
#define GS_CORRELATE_STRIDE   8            /* from number to number */
#define GS_CORRELATE_LOW48    0xffffffffffffull

#define gs_correlate_load(p)  __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define gs_correlate_check_of(word)  ((word) >> 48)


__extension__ typedef unsigned __int128  gs_correlate_wide_t;


typedef struct {
    uint64_t                tag;           /* 0: never used */
    uint64_t                state;
    uint64_t                mark;
    uint64_t                aux;
} gs_correlate_head_t;


typedef struct {
    uint64_t                words[2][GS_CORRELATE_WORDS];
} gs_correlate_body_t;


struct gs_correlate_table_s {
    uint32_t                magic;
    uint32_t                version;
    uint64_t                size;
    uint64_t                groups;
    gs_siphash_key_t        secret;
    uint64_t                unused[3];

    /* written at run time, so in a line of their own */
    uint64_t                evicted;
    uint64_t                full;
    uint64_t                marks[GS_CORRELATE_CALLERS];  /* ms, the last */
    uint64_t                told;          /* ms, of what found no room */
    uint64_t                heard;         /* how many were told */
    uint64_t                spare[7];      /* whole lines */
};


/* One key on its way through the table. */
typedef struct {
    gs_correlate_table_t   *table;
    gs_correlate_head_t    *head;          /* NULL: no room */
    uint64_t                tag;
    uint64_t                group;
    uint64_t                check;         /* 16 bits, not 0 */
    uint64_t                state;         /* as it was read */
    unsigned                own:1;
    unsigned                evict:1;
} gs_correlate_place_t;


/* A window and how far it has gone. */
typedef struct {
    uint64_t                number;        /* 16 bits */
    uint64_t                left;          /* ms that the one before counts */
    uint64_t                length;
    uint32_t                now;           /* s */
} gs_correlate_time_t;


/* The group and the marks of a key. */
void gs_correlate_place(gs_correlate_place_t *p, gs_correlate_table_t *t,
    uint32_t id, uint64_t salt, const gs_str_t *key);

/*
 * The slot of the key; else one that nobody has an interest in any more; else
 * that of the weakest, and among equals of the oldest, below a strength.
 */
void gs_correlate_find(gs_correlate_place_t *p, uint32_t now,
    unsigned strength);

/* Names the slot whose state is ours, unless that was taken meanwhile. */
void gs_correlate_own(gs_correlate_place_t *p);

uint64_t gs_correlate_mark_of(uint64_t check, unsigned strength,
    unsigned level, uint64_t end);
gs_correlate_body_t *gs_correlate_body(const gs_correlate_place_t *p);
gs_correlate_head_t *gs_correlate_heads(const gs_correlate_table_t *t);
int gs_correlate_swap(uint64_t *p, uint64_t old, uint64_t new);


#endif /* _GS_CORRELATE_PRIV_H_INCLUDED_ */
