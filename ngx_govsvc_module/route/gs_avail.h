
/*
 * Copyright (C) govsvc authors
 *
 * Availability of platforms in minutes, as the clocks of incident reports
 * need it (1 h, 2 h, 4 h) and the report of a month shows it.  Pure: the wall
 * clock (us) is an argument, what is seen of a platform too.
 *
 * A minute of a platform, when it is over, is one of five:
 *
 *     announced    maintenance or closed at each look of the minute
 *     down         of the requests that it served or failed half or more
 *                  failed; or there were none, and at each look no instance
 *                  could take one
 *     up           requests, and fewer than half of them failed
 *     idle         no request, and an instance could take one
 *     unobserved   nobody looked
 *
 * An outage begins with a minute that is down.  It ends, behind its last such
 * minute, when the platform serves again (up), when there are no requests but
 * checks pass at each look, when the platform is gone, or when for an hour
 * nothing showed that it goes on.  A clock passes with the first minute down
 * at whose end the outage is that old; announcing maintenance in an outage
 * does not stop it.
 */


#ifndef _GS_AVAIL_H_INCLUDED_
#define _GS_AVAIL_H_INCLUDED_


#include "core/gs_buf.h"
#include "core/gs_err.h"
#include "core/gs_mem.h"


#define GS_AVAIL_PLATFORMS  128
#define GS_AVAIL_NAME       64
#define GS_AVAIL_MONTHS     14
#define GS_AVAIL_OUTAGES    512            /* that ended, the latest */
#define GS_AVAIL_CLOCKS     3
#define GS_AVAIL_TEXT       (512 * 1024)   /* enough for gs_avail_save() */


typedef enum {
    GS_AVAIL_UP = 0,
    GS_AVAIL_IDLE,
    GS_AVAIL_DOWN,
    GS_AVAIL_ANNOUNCED,
    GS_AVAIL_UNOBSERVED,
    GS_AVAIL_STATES
} gs_avail_state_e;


typedef enum {
    GS_AVAIL_SERVED = 0,
    GS_AVAIL_FAILED,
    GS_AVAIL_REFUSED,                      /* for what was announced */
    GS_AVAIL_REQUESTS
} gs_avail_request_e;


typedef enum {
    GS_AVAIL_UNKNOWN = 0,                  /* perhaps usable */
    GS_AVAIL_PROVED,                       /* one whose checks pass is there */
    GS_AVAIL_NONE                          /* no instance takes requests */
} gs_avail_health_e;


/* What is seen of a platform at one moment; the requests only ever grow. */
typedef struct {
    gs_str_t            platform;
    uint64_t            requests[GS_AVAIL_REQUESTS];
    gs_avail_health_e   health;
    unsigned            announced;
} gs_avail_look_t;


typedef enum {
    GS_AVAIL_BEGINS = 0,
    GS_AVAIL_CLOCK,                        /* hours: which one passed */
    GS_AVAIL_ENDS
} gs_avail_event_e;


typedef struct {
    gs_avail_event_e    event;
    gs_str_t            platform;
    uint64_t            since;             /* us, wall clock */
    unsigned            minutes;           /* from then to its last */
    unsigned            down;              /* of them are down */
    unsigned            hours;
} gs_avail_news_t;


typedef void (*gs_avail_pt)(void *ctx, const gs_avail_news_t *news);


typedef struct {
    uint32_t            month;             /* 202611 */
    uint32_t            minutes[GS_AVAIL_STATES];
    uint32_t            outages;           /* that began in it */
    uint32_t            longest;           /* min, of those it saw */
    uint64_t            requests[GS_AVAIL_REQUESTS];
} gs_avail_month_t;


/* What a platform has at the moment. */
typedef struct {
    gs_str_t            platform;
    uint64_t            minutes[GS_AVAIL_STATES];   /* only ever grow */
    uint64_t            since;             /* us, 0: no outage */
    unsigned            age;               /* min, to the last one down */
    unsigned            hours;             /* the last clock that passed, 0 */
} gs_avail_now_t;


typedef struct gs_avail_s  gs_avail_t;


extern const char *const  gs_avail_state_texts[GS_AVAIL_STATES];

/* 1, 2, 4 */
extern const unsigned     gs_avail_hours[GS_AVAIL_CLOCKS];


/* Empty; NULL when memory is out. */
gs_avail_t *gs_avail_create(gs_mem_t *mem);
void gs_avail_destroy(gs_avail_t *a);          /* a may be NULL */

/*
 * Ends the minutes that are over at now and tells what came of it; to be
 * called before the looks at that moment.  A clock that goes back is waited
 * for.  The number of minutes that ended, 0: the same minute runs on.
 */
uint64_t gs_avail_turn(gs_avail_t *a, uint64_t now, gs_avail_pt tell,
    void *ctx);

/*
 * Looks at a platform.  epoch names the counters: with another one than
 * before they began at 0.  GS_DECLINED: it is no name, GS_BUSY: there are too
 * many.
 */
gs_rc_t gs_avail_look(gs_avail_t *a, uint64_t epoch,
    const gs_avail_look_t *look);

/*
 * All of it as text with a checksum, and back.  A text that is not whole, or
 * says what cannot be, is GS_ERROR with the line and leaves a empty.
 */
gs_rc_t gs_avail_save(const gs_avail_t *a, gs_buf_t *b);
gs_rc_t gs_avail_load(gs_avail_t *a, const gs_str_t *text, gs_err_t *err);

/* The minute that runs, us; 0 before the first. */
uint64_t gs_avail_time(const gs_avail_t *a);

/* Platform i of those that are looked at; GS_DONE behind the last. */
gs_rc_t gs_avail_now(const gs_avail_t *a, unsigned i, gs_avail_now_t *now);


/* "2026-11"; GS_ERROR if it is none of the years 1970 to 9999. */
gs_rc_t gs_avail_month_parse(const gs_str_t *s, unsigned *month);

/*
 * The report of a month, of one platform or (empty) of all.  CSV as in RFC
 * 4180, with a line of names.
 */
void gs_avail_json(const gs_avail_t *a, const gs_str_t *node, unsigned month,
    const gs_str_t *platform, gs_buf_t *b);
void gs_avail_csv(const gs_avail_t *a, const gs_str_t *node, unsigned month,
    const gs_str_t *platform, gs_buf_t *b);


#endif /* _GS_AVAIL_H_INCLUDED_ */
