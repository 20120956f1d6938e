
/*
 * Copyright (C) govsvc authors
 *
 * The health of an instance: what checks and requests say of it, as single
 * words of 64 bits that any process may replace by compare-and-set.  Pure:
 * the time (ms, monotonic, below 2^38) and randomness are arguments; nothing
 * allocates or fails.
 */


#ifndef _GS_HEALTH_H_INCLUDED_
#define _GS_HEALTH_H_INCLUDED_


#include "core/gs_http_response.h"
#include "core/gs_str.h"
#include "route/gs_route.h"


#define GS_HEALTH_WHOLE  1024              /* of gs_health_share() */


/* What went wrong; the texts are stable words for APIs and metrics. */
typedef enum {
    GS_HEALTH_OK = 0,
    GS_HEALTH_CONNECT,                     /* "connect" */
    GS_HEALTH_TLS,                         /* "tls": or not who it is */
    GS_HEALTH_TIMEOUT,
    GS_HEALTH_CLOSED,                      /* broken in the middle */
    GS_HEALTH_INVALID,                     /* no HTTP */
    GS_HEALTH_TOO_LARGE,
    GS_HEALTH_STATUS,                      /* not the one expected */
    GS_HEALTH_HEADER,
    GS_HEALTH_BODY,
    GS_HEALTH_REQUEST,                     /* of requests: no answer */
    GS_HEALTH_ERRORS
} gs_health_error_e;


/* The first word: what checks say.  Zero: not checked yet. */
typedef enum {
    GS_HEALTH_UNKNOWN = 0,
    GS_HEALTH_UP,
    GS_HEALTH_DOWN
} gs_health_check_e;


/* The second word: what became of the instance by the fate of requests. */
typedef enum {
    GS_HEALTH_QUIET = 0,                   /* nothing */
    GS_HEALTH_FAILS,                       /* ejected: failures in a row */
    GS_HEALTH_RATIO,                       /* ejected: too large a share */
    GS_HEALTH_RECOVERED                    /* came back: slow start */
} gs_health_fate_e;


/* Either word, taken apart. */
typedef struct {
    uint32_t           state;              /* of one of the enums above */
    gs_health_error_e  error;              /* the last */
    uint32_t           streak;             /* results against the state */
    uint32_t           status;             /* of HTTP with it, or 0 */
    uint64_t           since;              /* ms */
} gs_health_t;


/* States for people. */
typedef enum {
    GS_HEALTH_IS_CHECKING = 0,             /* gets requests, no result yet */
    GS_HEALTH_IS_UP,
    GS_HEALTH_IS_SLOW,                     /* in slow start */
    GS_HEALTH_IS_TRIAL,                    /* half-open: one request tries */
    GS_HEALTH_IS_EJECTED,
    GS_HEALTH_IS_UNHEALTHY,                /* checks say so */
    GS_HEALTH_IS_DRAINING,
    GS_HEALTH_IS_DOWN
} gs_health_is_e;


typedef struct {
    const char        *state;              /* "up", "ejected", ... */
    const char        *reason;             /* "check", "failures", "ratio",
                                              "recovered", "operator", "" */
    const char        *error;              /* the last one's word, or "" */
    uint32_t           status;             /* the last one's, or 0 */
    uint32_t           streak;             /* checks against the state */
    uint64_t           since;              /* ms, 0: unknown */
    gs_health_is_e     is;
} gs_health_report_t;


uint64_t gs_health_pack(const gs_health_t *h);
void gs_health_unpack(uint64_t word, gs_health_t *h);
const char *gs_health_error_text(gs_health_error_e error);


/*
 * The word after a check that ended so.  The first result decides at once,
 * later ones after rise or fall of them in a row.  Returns 1 if the instance
 * came up or went down with it.
 */
unsigned gs_health_checked(uint64_t word, const gs_route_check_t *check,
    gs_health_error_e error, uint32_t status, uint64_t now, uint64_t *next);

/*
 * ms to the next check: the fast interval while results contradict the state,
 * else the interval and a part of the jitter by random.
 */
uint64_t gs_health_delay(uint64_t word, const gs_route_check_t *check,
    uint32_t random);

/* Judges an answer by what the profile of that table expects. */
gs_health_error_e gs_health_judge(const gs_route_table_t *t,
    const gs_route_check_t *check, const gs_http_response_t *response);


/*
 * A word that counts requests and failures of a window of time; a new window
 * begins with the first request after the end of the old one.
 */
uint64_t gs_health_count(uint64_t word, unsigned failed, uint64_t window,
    uint64_t now);

/* 1 if by that word at least ratio per cent of volume or more failed. */
unsigned gs_health_exceeds(uint64_t word, uint32_t ratio, uint32_t volume);


/* ms that the times-th ejection in a row lasts: doubling, at most 32 times. */
uint64_t gs_health_eject_time(uint64_t base, uint64_t times);

/*
 * 1 if one more of the usable may be ejected.  last: nobody stands behind the
 * pool; then the only instance never is, and max per cent are the most.
 */
unsigned gs_health_may_eject(uint32_t enabled, uint32_t usable, uint32_t max,
    unsigned last);

/*
 * 1 if requests go to all that are enabled since too few are usable.  With
 * nobody behind the pool its only instance is always tried.
 */
unsigned gs_health_panic(uint32_t enabled, uint32_t usable, uint32_t panic,
    unsigned last);

/* Share in 1/1024 of its weight for an instance that came back. */
uint32_t gs_health_share(uint64_t fate, uint64_t slow_start, uint64_t now);


/*
 * Tokens of a retry budget, in hundredths of a retry: earned by each request,
 * spent by each retry; they begin with the burst.  Retry: GS_OK, or
 * GS_DECLINED if there is not enough.
 */
void gs_health_earn(uint32_t *tokens, uint32_t budget, uint32_t burst);
gs_rc_t gs_health_spend(uint32_t *tokens);
unsigned gs_health_can_retry(uint32_t tokens);


/*
 * What there is to say of an instance: checked tells whether it has a
 * profile; until and times are of its ejection.
 */
void gs_health_report(const gs_route_instance_t *instance, uint64_t check,
    uint64_t fate, uint64_t until, uint64_t times, uint64_t slow_start,
    uint64_t now, gs_health_report_t *report);


#endif /* _GS_HEALTH_H_INCLUDED_ */
