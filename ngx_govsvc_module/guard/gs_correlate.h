
/*
 * Copyright (C) govsvc authors
 *
 * Correlation: what many requests tell together.  A table in memory shared by
 * processes counts, for each rule and each key, events in a window, distinct
 * values, runs of numbers, or the rate over its own past.  No lock: every
 * change is a compare-and-swap of one word, and a process killed at any
 * instruction leaves the table usable.
 *
 * The rules are written "correlate ID NAME { ... }", see docs/rules.md; how
 * the table works is in docs/design/guard.md.
 */


#ifndef _GS_CORRELATE_H_INCLUDED_
#define _GS_CORRELATE_H_INCLUDED_


#include "core/gs_siphash.h"
#include "guard/gs_guard.h"


#define GS_CORRELATE_MIN       16384       /* bytes of a table */
#define GS_CORRELATE_SLOT      128         /* bytes of one key of one rule */
#define GS_CORRELATE_STEPS     3           /* "do" lines of a rule */
#define GS_CORRELATE_MAX       64          /* rules */
#define GS_CORRELATE_ONLY      8           /* paths, methods */
#define GS_CORRELATE_COUNTS    60000       /* the greatest threshold, */
#define GS_CORRELATE_DISTINCT  1000        /* of distinct values */
#define GS_CORRELATE_EVIDENCE  80
#define GS_CORRELATE_LANES     2           /* marks of a key */
#define GS_CORRELATE_DIGITS    4           /* of what is no page of a list */
#define GS_CORRELATE_CROWD     3600000     /* ms that callers are known */
#define GS_CORRELATE_MANY      10          /* callers, of most exits */


typedef struct gs_correlate_table_s  gs_correlate_table_t;
typedef struct gs_correlate_set_s    gs_correlate_set_t;


typedef enum {
    GS_CORRELATE_COUNT = 0,                /* events */
    GS_CORRELATE_UNIQUE,                   /* "distinct": values */
    GS_CORRELATE_SEQUENCE,                 /* values next to the last one */
    GS_CORRELATE_RATE                      /* events a second over the past */
} gs_correlate_measure_e;


/* What is counted; the names of the language are in gs_correlate_rule.c. */
typedef enum {
    GS_CORRELATE_IP = 0,
    GS_CORRELATE_NETWORK,
    GS_CORRELATE_SUBJECT,
    GS_CORRELATE_APP,
    GS_CORRELATE_CALLER,                   /* subject, else who is unproven */
    GS_CORRELATE_CALLERS,                  /* bans and limits know these */
    GS_CORRELATE_SITE = GS_CORRELATE_CALLERS,
    GS_CORRELATE_PATH,
    GS_CORRELATE_OBJECT,                   /* piece of the path with a number */
    GS_CORRELATE_ITEM,
    GS_CORRELATE_PROVINCE,
    GS_CORRELATE_AREA,                     /* of neighbouring provinces */
    GS_CORRELATE_ASN,
    GS_CORRELATE_HIT,                      /* ids of rules that hit */
    GS_CORRELATE_SEGMENT,                  /* of the path, by number */
    GS_CORRELATE_ARG,                      /* with a name from here on */
    GS_CORRELATE_HEADER,
    GS_CORRELATE_COOKIE,
    GS_CORRELATE_JSON
} gs_correlate_kind_e;


typedef struct {
    gs_correlate_kind_e     kind;
    int                     number;        /* of a segment, < 0: from the end */
    gs_str_t                name;
    gs_str_t                text;          /* as written */
} gs_correlate_field_t;


/* What the table needs to know of a rule. */
typedef struct {
    uint32_t                id;
    gs_correlate_measure_e  measure;
    uint64_t                window;        /* ms; 1000 of RATE */
    unsigned                nsteps;
    uint32_t                at[GS_CORRELATE_STEPS];     /* rising */
    unsigned                factor;        /* of RATE */
    unsigned                baseline;      /* s */
} gs_correlate_plan_t;


/* How much there is after an event, and the step that was reached by it. */
typedef struct {
    uint32_t                n;
    uint32_t                limit;
    unsigned                step;
} gs_correlate_result_t;


typedef struct {
    uint64_t                slots;
    uint64_t                used;
    uint64_t                evicted;       /* weak keys put out */
    uint64_t                full;          /* events that found no room */
} gs_correlate_stat_t;


/*
 * Makes an empty table in size bytes at mem, aligned to 64; attaches to one.
 * NULL if size is below GS_CORRELATE_MIN, or there is no such table.
 */
gs_correlate_table_t *gs_correlate_table_init(void *mem, size_t size,
    const gs_siphash_key_t *secret);
gs_correlate_table_t *gs_correlate_table_attach(void *mem, size_t size);

/*
 * One event of the key.  value is needed by UNIQUE and SEQUENCE; times
 * multiplies the thresholds (1 at least); now is in ms since 1970.  GS_OK: a
 * step was reached, and no other process is told of it; GS_DECLINED: none;
 * GS_BUSY: no room, as all that would have to go are known for worse.
 */
gs_rc_t gs_correlate_add(gs_correlate_table_t *t,
    const gs_correlate_plan_t *plan, const gs_str_t *key,
    const gs_str_t *value, uint64_t now, unsigned times,
    gs_correlate_result_t *result);

/* How much there is of the key, 0 if nothing is known. */
uint32_t gs_correlate_read(gs_correlate_table_t *t,
    const gs_correlate_plan_t *plan, const gs_str_t *key, uint64_t now);

/* Forgets the key. */
void gs_correlate_clear(gs_correlate_table_t *t,
    const gs_correlate_plan_t *plan, const gs_str_t *key);

/*
 * Marks a key of a kind below GS_CORRELATE_CALLERS for a rule until a time,
 * or asks for the mark: the rule, 0 if there is none.  A key has one mark on
 * each of GS_CORRELATE_LANES.  Of GS_CORRELATE_CALLER the key is an address,
 * and meant are its requests that prove no caller.  While there are no marks
 * of the kind this is one comparison.
 */
gs_rc_t gs_correlate_mark(gs_correlate_table_t *t, gs_correlate_kind_e kind,
    unsigned lane, const gs_str_t *key, uint32_t rule, uint64_t now,
    uint64_t until);
int gs_correlate_marks(const gs_correlate_table_t *t,
    gs_correlate_kind_e kind, uint64_t now);
uint32_t gs_correlate_marked(gs_correlate_table_t *t,
    gs_correlate_kind_e kind, unsigned lane, const gs_str_t *key,
    uint64_t now);
void gs_correlate_unmark(gs_correlate_table_t *t, gs_correlate_kind_e kind,
    const gs_str_t *key);

/*
 * How many events found no room since this was last answered, at most once a
 * minute and by one process; else 0.
 */
uint64_t gs_correlate_lost(gs_correlate_table_t *t, uint64_t now);

void gs_correlate_stat(const gs_correlate_table_t *t, uint64_t now,
    gs_correlate_stat_t *stat);


typedef enum {
    GS_CORRELATE_LOG = 0,
    GS_CORRELATE_BAN,
    GS_CORRELATE_LIMIT
} gs_correlate_do_e;


typedef struct {
    gs_correlate_do_e       what;
    gs_guard_do_t           act;           /* key, ttl, rate, ... */
} gs_correlate_step_t;


typedef struct {
    gs_correlate_plan_t     plan;
    gs_str_t                name;
    gs_str_t                file;
    unsigned                line;
    unsigned                level;
    unsigned                severity;      /* 0: none, 1 (low) to 4 */
    gs_str_t                reason;        /* "" if there is none */
    gs_str_t                category;
    unsigned                ntags;
    gs_str_t                tags[GS_GUARD_MAX_TAGS];

    unsigned                on_request:1;
    unsigned                nstatuses;
    uint16_t                statuses[GS_CORRELATE_ONLY];
    unsigned                score;         /* at least; 0: not on this */
    unsigned                nevents;
    gs_str_t                events[GS_CORRELATE_ONLY];

    unsigned                nmethods;      /* "only": 0 for all */
    gs_str_t                methods[GS_CORRELATE_ONLY];
    unsigned                npaths;
    gs_str_t                paths[GS_CORRELATE_ONLY];  /* "/a/", or inside */

    gs_correlate_field_t    key;
    gs_correlate_field_t    of;            /* of UNIQUE and SEQUENCE */
    gs_correlate_step_t     steps[GS_CORRELATE_STEPS];

    unsigned                shared;        /* callers; 0: no such line */
    unsigned                times;
    gs_correlate_step_t     instead;       /* of a ban, behind a shared exit */

    uint32_t                test;
    uint32_t                ntests;
} gs_correlate_rule_t;


/* Of the rules compiled; n is 0 if there are none. */
const gs_correlate_rule_t *gs_correlate_rules(const gs_guard_t *guard,
    unsigned *n);
const gs_correlate_rule_t *gs_correlate_rule(const gs_guard_t *guard,
    uint32_t id);


/* A rule that fired. */
typedef struct {
    const gs_correlate_rule_t  *rule;
    const gs_correlate_step_t  *step;
    gs_str_t                    key;       /* as value() gave it */
    gs_correlate_kind_e         kind;      /* of it: CALLER is told apart */
    gs_correlate_result_t       result;
    unsigned                    shared;    /* callers behind the key, or 0 */
    unsigned                    only:1;    /* gs_correlate_only() held */
} gs_correlate_fired_t;


/*
 * One request at its end.  value gives a field, for a key or to be counted;
 * GS_DECLINED: the request has none.  What it gives stands until it is asked
 * twice more.  It is never asked for a CALLER: that is the SUBJECT of who is
 * known, nobody if an application named none, else the IP.
 */
typedef struct {
    uint64_t                    now;       /* ms */
    unsigned                    status;
    unsigned                    score;
    const gs_guard_verdict_t   *verdict;   /* NULL: no hit */
    gs_str_t                    event;     /* beside those of the verdict */
    gs_str_t                    method;
    gs_str_t                    path;
    unsigned                    plain:1;   /* a static file */
    unsigned                    known:1;   /* its subject proved who it is */
    unsigned                    app:1;     /* an application proved it */
    gs_rc_t                   (*value)(void *data,
                                       const gs_correlate_field_t *field,
                                       unsigned key, gs_str_t *value);
    void                      (*fired)(void *data,
                                       const gs_correlate_fired_t *fired);
    void                       *data;
} gs_correlate_input_t;


/* Counts the request in each rule that it concerns. */
void gs_correlate_watch(gs_correlate_table_t *t, const gs_guard_t *guard,
    gs_correlate_input_t *in);

/* 1 if the rule has "only", and the request is among what it names. */
int gs_correlate_only(const gs_correlate_rule_t *rule,
    const gs_str_t *method, const gs_str_t *path);

/* The callers behind an address or network, 0 below "shared" of the rule. */
unsigned gs_correlate_shared(gs_correlate_table_t *t,
    const gs_correlate_rule_t *rule, gs_correlate_kind_e kind,
    const gs_str_t *key, uint64_t now);

/* Forgets what all rules with a key of that kind know of it. */
void gs_correlate_forget(gs_correlate_table_t *t, const gs_guard_t *guard,
    gs_correlate_kind_e kind, const gs_str_t *key);

/*
 * Runs a test of a rule, over a table of its own and a clock of its own:
 * answers as gs_guard_rule_test().
 */
gs_rc_t gs_correlate_rule_test(const gs_guard_t *guard, gs_mem_t *mem,
    unsigned n, unsigned t, gs_guard_test_t *test, gs_err_t *err);

/*
 * The piece of a path between slashes by its number, from 1, or from the end
 * by -1, -2, ...; GS_DECLINED if there are not so many.
 */
gs_rc_t gs_correlate_segment(const gs_str_t *path, int number,
    gs_str_t *value);

/*
 * The last piece of a path that names one thing of many: with a run of
 * GS_CORRELATE_DIGITS digits; GS_DECLINED if there is none.
 */
gs_rc_t gs_correlate_object(const gs_str_t *path, gs_str_t *value);

/* 1 for what a portal serves without thinking: pictures, styles, scripts. */
int gs_correlate_plain(const gs_str_t *method, const gs_str_t *path);


#endif /* _GS_CORRELATE_H_INCLUDED_ */
