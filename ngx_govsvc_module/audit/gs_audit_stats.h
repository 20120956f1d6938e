
/*
 * Copyright (C) govsvc authors
 *
 * Counts over audit lines, in memory that does not grow with their number.
 */


#ifndef _GS_AUDIT_STATS_H_INCLUDED_
#define _GS_AUDIT_STATS_H_INCLUDED_


#include "audit/gs_audit_field.h"
#include "core/gs_mem.h"


#define GS_AUDIT_COUNT_NAME   68           /* with NUL */
#define GS_AUDIT_LATENCY      1056         /* places of a histogram */


/* Durations to 1/32 of their value, up to 2^37 us. */
typedef struct {
    uint64_t                n;
    uint64_t                max;           /* us */
    uint64_t                place[GS_AUDIT_LATENCY];
} gs_audit_latency_t;


typedef struct {
    char                    name[GS_AUDIT_COUNT_NAME];
    uint64_t                n;
    uint64_t                denied;
    uint64_t                failed;        /* 5xx, refusals apart */
    gs_audit_latency_t     *latency;       /* NULL: not kept */
} gs_audit_count_t;


/* Names beyond max are counted together in the row "_other", the last. */
typedef struct {
    gs_audit_count_t       *rows;
    unsigned                n;
    unsigned                max;
    unsigned                slots;         /* a power of two */
    uint16_t               *slot;          /* row + 1; 0: empty */
} gs_audit_counts_t;


typedef struct {
    gs_mem_t               *mem;
    unsigned                hours:1;       /* periods are hours, not days */

    uint64_t                records;
    uint64_t                done;          /* requests that have ended ... */
    uint64_t                aborted;       /* ... were cut off ... */
    uint64_t                aggregated;    /* ... were counted together ... */
    uint64_t                lost;          /* ... were not recorded */
    uint64_t                intents;
    uint64_t                allowed;
    uint64_t                denied;
    uint64_t                failed;
    uint64_t                bytes_in;
    uint64_t                bytes_out;
    uint64_t                malformed;     /* lines that are none */

    char                    first[20];     /* 2026-11-22T13:08:36 */
    char                    last[20];

    gs_audit_latency_t      latency;       /* of requests that ended */
    gs_audit_latency_t      upstream;

    gs_audit_counts_t       types;
    gs_audit_counts_t       periods;
    gs_audit_counts_t       statuses;
    gs_audit_counts_t       codes;         /* reasons of refusals */
    gs_audit_counts_t       rules;
    gs_audit_counts_t       platforms;
    gs_audit_counts_t       regions;
    gs_audit_counts_t       apps;
    gs_audit_counts_t       channels;
    gs_audit_counts_t       losses;        /* by class */
} gs_audit_stats_t;


/* NULL when memory is out.  Everything is of mem and freed with it. */
gs_audit_stats_t *gs_audit_stats_create(gs_mem_t *mem, int hours);

/*
 * Adds one line, without LF.  GS_DECLINED for what is no line, which is
 * counted; GS_ERROR when memory is out.
 */
gs_rc_t gs_audit_stats_add(gs_audit_stats_t *s, const gs_str_t *line);

/*
 * The duration that permille of the values do not exceed, at most 1/32 too
 * large; 0 if there is no value.
 */
uint64_t gs_audit_latency_at(const gs_audit_latency_t *l, unsigned permille);

void gs_audit_latency_add(gs_audit_latency_t *l, uint64_t us);


#endif /* _GS_AUDIT_STATS_H_INCLUDED_ */
