
/*
 * Copyright (C) govsvc authors
 *
 * Counters that many processes add to and one reads: names that get a place
 * in shared memory, histograms, and the text of Prometheus (exposition format
 * 0.0.4).  Each word is whole by itself, so a process may die anywhere.
 */


#ifndef _GS_METRIC_H_INCLUDED_
#define _GS_METRIC_H_INCLUDED_


#include "core/gs_buf.h"


#define GS_METRIC_NAMES    128             /* places for names of one kind */
#define GS_METRIC_NAME     64              /* bytes of a name */

#define GS_METRIC_NONE     0               /* the place of no name: "_none" */
#define GS_METRIC_OTHER    1               /* of those too many: "_other" */
#define GS_METRIC_PLACES   (GS_METRIC_NAMES + 2)

#define GS_METRIC_BOUNDS   14
#define GS_METRIC_BUCKETS  (GS_METRIC_BOUNDS + 1)


/* In shared memory, zero at first; a name never leaves its place. */
typedef struct {
    uint64_t         keys[GS_METRIC_NAMES];      /* hashes, 0: free */
    uint32_t         lens[GS_METRIC_NAMES];      /* 0: not written yet */
    gs_uchar_t       texts[GS_METRIC_NAMES][GS_METRIC_NAME];
} gs_metric_names_t;


/* Each bucket counts what is not in the one before. */
typedef struct {
    uint64_t         buckets[GS_METRIC_BUCKETS];
    uint64_t         sum;                  /* us */
} gs_metric_histogram_t;


typedef struct {
    const char      *name;
    gs_str_t         value;
} gs_metric_label_t;


/* Upper bounds in us, those of OpenTelemetry; and as text, in seconds. */
extern const uint64_t    gs_metric_bounds[GS_METRIC_BOUNDS];
extern const char *const gs_metric_bound_texts[GS_METRIC_BUCKETS];


/*
 * The place of a name: GS_METRIC_NONE for an empty one, GS_METRIC_OTHER when
 * it is too long or all places are taken.  Never waits, takes no memory.
 */
unsigned gs_metric_place(gs_metric_names_t *names, const gs_str_t *name);

/* The name of a place, "_none" and "_other" too; empty if it has none. */
gs_str_t gs_metric_name(const gs_metric_names_t *names, unsigned place);

/* Adds to a counter that others add to as well. */
static inline void gs_metric_add(uint64_t *counter, uint64_t n);
static inline uint64_t gs_metric_get(const uint64_t *counter);

void gs_metric_observe(gs_metric_histogram_t *h, uint64_t us);


/*
 * Lines of the text.  A value is whole, or in millionths where it is a time.
 * A label's value is escaped, where it is no UTF-8 as \xff: five bytes for
 * one at most.
 */
void gs_metric_head(gs_buf_t *b, const char *name, const char *type,
    const char *help);
void gs_metric_line(gs_buf_t *b, const char *name, const char *suffix,
    const gs_metric_label_t *labels, unsigned n, uint64_t value);
void gs_metric_line_us(gs_buf_t *b, const char *name, const char *suffix,
    const gs_metric_label_t *labels, unsigned n, uint64_t us);

/* All lines of one histogram; label may be NULL. */
void gs_metric_histogram(gs_buf_t *b, const char *name,
    const gs_metric_label_t *label, const gs_metric_histogram_t *h);


static inline void
gs_metric_add(uint64_t *counter, uint64_t n)
{
    (void) __atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}


static inline uint64_t
gs_metric_get(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}


#endif /* _GS_METRIC_H_INCLUDED_ */
