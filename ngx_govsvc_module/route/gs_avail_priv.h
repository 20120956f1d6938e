
/*
 * Copyright (C) govsvc authors
 *
 * The inside of the availability figures.
 */


#ifndef _GS_AVAIL_PRIV_H_INCLUDED_
#define _GS_AVAIL_PRIV_H_INCLUDED_


#include "route/gs_avail.h"


#define GS_AVAIL_MINUTE  60000000ull       /* us */
#define GS_AVAIL_SILENT  60                /* min, then an outage is over */
#define GS_AVAIL_LAST    4223371200ull     /* min: the year 10000 begins */


/* Times are minutes since 1970. */
typedef struct {
    gs_uchar_t          name[GS_AVAIL_NAME];
    uint32_t            len;               /* 0: free */
    uint32_t            active;            /* seen in the last minute */
    uint64_t            since;             /* of the outage, 0: none */
    uint64_t            last;              /* its last minute down */
    uint32_t            down;
    uint32_t            clocks;            /* that passed */
    uint64_t            total[GS_AVAIL_STATES];
    uint64_t            base[GS_AVAIL_REQUESTS];

    /* of the minute that runs */
    uint64_t            seen[GS_AVAIL_REQUESTS];
    uint32_t            looks;
    uint32_t            announced;
    uint32_t            none;
    uint32_t            proved;

    gs_avail_month_t    months[GS_AVAIL_MONTHS];
} gs_avail_row_t;


typedef struct {
    gs_uchar_t          name[GS_AVAIL_NAME];
    uint32_t            len;
    uint32_t            down;
    uint32_t            clocks;
    uint32_t            unused;
    uint64_t            since;
    uint64_t            until;             /* the minute behind it */
} gs_avail_outage_t;


struct gs_avail_s {
    gs_mem_t           *mem;
    uint64_t            epoch;
    uint64_t            began;             /* the minute of its first look */
    uint64_t            minute;            /* that runs, 0: none yet */
    uint64_t            noutages;          /* ever; the ring's position */
    gs_avail_row_t      rows[GS_AVAIL_PLATFORMS];
    gs_avail_outage_t   outages[GS_AVAIL_OUTAGES];
};


/* 1 if it may name a platform: letters, digits, "-", "_", ".". */
unsigned gs_avail_is_name(const gs_str_t *s);

/* The row of that name, or a free one (len 0); NULL: all are taken. */
gs_avail_row_t *gs_avail_row(gs_avail_t *a, const gs_str_t *name);

/* Empties it. */
void gs_avail_reset(gs_avail_t *a);

/* The place for a month; what it held may be another's. */
gs_avail_month_t *gs_avail_slot(gs_avail_row_t *row, unsigned month);

/* The oldest month that is kept while minute runs. */
unsigned gs_avail_oldest(uint64_t minute);


#endif /* _GS_AVAIL_PRIV_H_INCLUDED_ */
