
/*
 * Copyright (C) govsvc authors
 *
 * Guard: rules over one request.  Rules are parsed from texts, compiled once
 * and read-only afterwards; a check makes one pass over the literals of all
 * rules for each value of the request and confirms the few candidates.
 *
 * The language is described in docs/rules.md, the engine in
 * docs/design/guard.md.
 */


#ifndef _GS_GUARD_H_INCLUDED_
#define _GS_GUARD_H_INCLUDED_


#include "core/gs_err.h"
#include "core/gs_mem.h"
#include "core/gs_rc.h"
#include "core/gs_str.h"


/*
 * Rules of the engine itself.  OVERSIZE, more than is looked at, blocks;
 * UNDECIDED, a pattern met its match limit, acts as the rule of the pattern;
 * BUDGET, the time of a request is spent, acts as the caller decides.
 * Files begin at GS_GUARD_ID_MIN.
 */
#define GS_GUARD_OVERSIZE    1
#define GS_GUARD_UNDECIDED   2
#define GS_GUARD_BUDGET      3
#define GS_GUARD_ID_MIN      1000
#define GS_GUARD_ID_MAX      999999999
#define GS_GUARD_ID_OWN      2400          /* what does not come along */

#define GS_GUARD_MAX_HITS    16            /* listed in a verdict */
#define GS_GUARD_MAX_ARGS    1000          /* arguments looked at */
#define GS_GUARD_MAX_HEADERS 65535         /* bytes of names and values */
#define GS_GUARD_MAX_VALUE   65536         /* bytes of one argument */
#define GS_GUARD_MATCH_LIMIT 20000         /* of PCRE2, for each value */
#define GS_GUARD_MAX_FIELDS  10000         /* of a body */
#define GS_GUARD_MAX_BODY    (1024 * 1024) /* the greatest bound of a body */
#define GS_GUARD_MAX_CLASSES 32            /* of scores */
#define GS_GUARD_MAX_TAGS    8             /* of a rule */
#define GS_GUARD_CUT_POINTS  3             /* of a body beyond the bound */
#define GS_GUARD_SAMPLE      80            /* bytes of evidence */
#define GS_GUARD_TARGET      48            /* bytes of a target in words */


typedef struct gs_guard_build_s    gs_guard_build_t;
typedef struct gs_guard_s          gs_guard_t;
typedef struct gs_guard_scratch_s  gs_guard_scratch_t;
typedef struct gs_guard_policy_s   gs_guard_policy_t;


typedef enum {
    GS_GUARD_PASS = 0,
    GS_GUARD_LOG,
    GS_GUARD_BLOCK
} gs_guard_action_e;


/* When a rule can be asked: each phase sees what the ones before saw. */
typedef enum {
    GS_GUARD_HEAD = 0,                     /* line, headers, address */
    GS_GUARD_BODY,                         /* body, claims of the token */
    GS_GUARD_ANSWER,                       /* status, headers */
    GS_GUARD_ANSWER_BODY,
    GS_GUARD_PHASES
} gs_guard_phase_e;


/* What attr() of an input is asked for. */
typedef enum {
    GS_GUARD_ATTR_IP = 0,                  /* text of RFC 5952 */
    GS_GUARD_ATTR_COUNTRY,                 /* "CN" */
    GS_GUARD_ATTR_PROVINCE,                /* "440000" */
    GS_GUARD_ATTR_ASN,                     /* "4134" */
    GS_GUARD_ATTR_TOKEN                    /* the claim of the name */
} gs_guard_attr_e;


typedef struct {
    gs_str_t  name;
    gs_str_t  value;
} gs_guard_header_t;


/*
 * One request.  header answers GS_OK with the next header, or GS_DONE; it may
 * be NULL.  cursor belongs to the caller; rewind, which starts the headers
 * again, is called before the first.  attr answers GS_OK or GS_DECLINED; its
 * value stands until the next call.  What is not set is not looked at.
 */
typedef struct {
    gs_str_t   line;                       /* as received: "GET / HTTP/1.1" */
    gs_str_t   method;
    gs_str_t   uri;                        /* as received, with arguments */
    gs_str_t   path;                       /* decoded and normalised */
    gs_str_t   args;                       /* as received, without '?' */
    gs_rc_t  (*header)(void *cursor, gs_guard_header_t *h);
    void     (*rewind)(void *cursor);
    void      *cursor;
    gs_rc_t  (*attr)(void *data, gs_guard_attr_e attr, const gs_str_t *name,
                     gs_str_t *value);
    void      *attr_data;
    gs_str_t   type;                       /* Content-Type, Content-Encoding */
    gs_str_t   coding;
    gs_str_t   body;                       /* data NULL: there is none */
    unsigned   body_cut:1;                 /* more came than is given here */
    unsigned   twice:1;                    /* one of these headers came twice */
    unsigned   oversize:2;                 /* 1: a cut body scores, 2: blocks */
    unsigned   status;                     /* of the answer, or 0 */
    gs_rc_t  (*answer)(void *cursor, gs_guard_header_t *h);
    void      *answer_cursor;
    gs_str_t   answer_body;                /* the beginning of it */
} gs_guard_input_t;


/* What a rule asks others to do: "ban ip 30m escalate=4 max=24h share". */
typedef struct {
    unsigned   set:1;
    unsigned   share:1;
    gs_str_t   key;                        /* "ip", "arg:user" */
    gs_str_t   rate;                       /* of "limit": "1r/s" */
    uint64_t   ttl;                        /* ms */
    unsigned   escalate;                   /* factor, 0: none */
    uint64_t   max;                        /* ms, 0: none */
} gs_guard_do_t;


/* One rule that hit: where, in which view, and the masked evidence. */
typedef struct {
    uint32_t           rule;
    unsigned           index;              /* for gs_guard_rule() */
    gs_guard_action_e  action;
    unsigned           points;             /* counted towards blocking */
    unsigned           class;
    const char        *view;               /* "deep", NULL: no value */
    unsigned           target_len;
    unsigned           sample_len;
    gs_uchar_t         target[GS_GUARD_TARGET];   /* "arg:id" */
    gs_uchar_t         sample[GS_GUARD_SAMPLE];
} gs_guard_hit_t;


/* Grows from phase to phase; begins with gs_guard_verdict_init(). */
typedef struct {
    gs_guard_action_e  action;
    uint32_t           rule;               /* the first of this action, or 0 */
    unsigned           status;             /* of a blocking rule, else 0 */
    uint32_t           undecided;          /* first rule at its limit, or 0 */
    uint32_t           allowed;            /* the rule that ends all, or 0 */
    unsigned           over_budget;        /* 1: not all rules were asked */
    uint64_t           spent;              /* of the budget, all phases */
    uint32_t           facts;              /* of the body, private bits */
    unsigned           score;              /* counted towards blocking */
    unsigned           noted;              /* of levels that only log */
    uint16_t           scores[GS_GUARD_MAX_CLASSES];
    unsigned           nhits;              /* all, not only those listed */
    uint32_t           hits[GS_GUARD_MAX_HITS];
    gs_guard_hit_t     list[GS_GUARD_MAX_HITS];
} gs_guard_verdict_t;


/* Nanoseconds from any start; for the budget of a request. */
typedef uint64_t (*gs_guard_clock_pt)(void *data);


/*
 * What an include line asks for: pattern may be a glob, relative to the
 * folder of from.  The answer is made by gs_guard_parse() for each file.
 */
typedef gs_rc_t (*gs_guard_include_pt)(void *data, gs_guard_build_t *build,
    const gs_str_t *from, const gs_str_t *pattern, gs_err_t *err);

/* The text of a file that a set names, in the memory of the build. */
typedef gs_rc_t (*gs_guard_load_pt)(void *data, const gs_str_t *from,
    const gs_str_t *name, gs_str_t *text, gs_err_t *err);

/* A remark about a rule that is right but unwise. */
typedef void (*gs_guard_warn_pt)(void *data, const gs_str_t *file,
    unsigned line, const char *text);


/*
 * Begins a set of rules.  mem is an arena or a pool: nothing is given back
 * piece by piece.  include and warn may be NULL.  NULL if memory is out.
 */
gs_guard_build_t *gs_guard_build_create(gs_mem_t *mem,
    gs_guard_include_pt include, gs_guard_warn_pt warn, void *data);

/* How files of sets are read; without it "file=" is refused. */
void gs_guard_build_load(gs_guard_build_t *build, gs_guard_load_pt load);

/*
 * Reads the rules of one text.  file is its name for errors; both may go
 * away afterwards.  On GS_ERROR err names file and line, and only
 * gs_guard_build_destroy() may follow.
 */
gs_rc_t gs_guard_parse(gs_guard_build_t *build, const gs_str_t *file,
    const gs_str_t *text, gs_err_t *err);

/* Ends the set: the guard owns what the build held. */
gs_rc_t gs_guard_compile(gs_guard_t **guard, gs_guard_build_t *build,
    gs_err_t *err);

/* Frees what does not lie in the memory given (compiled patterns). */
void gs_guard_build_destroy(gs_guard_build_t *build);      /* may be NULL */
void gs_guard_destroy(gs_guard_t *guard);                  /* may be NULL */

/*
 * Work space for checks with this guard, one for each thread of execution;
 * made before a fork it serves every child.  body is the bound of what is
 * looked at of a body (up to GS_GUARD_MAX_BODY), 0 for none.  NULL if memory
 * is out.
 */
gs_guard_scratch_t *gs_guard_scratch_create(const gs_guard_t *guard,
    gs_mem_t *mem, size_t body);
void gs_guard_scratch_destroy(gs_guard_scratch_t *s);      /* may be NULL */

/*
 * A body that lies in pieces, put together within max bytes: _next() tells
 * where the next piece of n bytes goes, and how much of it is taken; _end()
 * gives what came to the input.  What lies in one piece needs no copy.
 */
typedef struct {
    gs_uchar_t  *data;
    size_t       size;
    size_t       max;
    unsigned     cut:1;
} gs_guard_pieces_t;

void gs_guard_pieces_begin(gs_guard_pieces_t *p, gs_guard_scratch_t *s,
    size_t max);
gs_uchar_t *gs_guard_pieces_next(gs_guard_pieces_t *p, uint64_t n,
    size_t *take);
void gs_guard_pieces_end(const gs_guard_pieces_t *p, gs_guard_input_t *in);


/* A bound for the time of all phases of a request, in units of the clock. */
void gs_guard_budget(gs_guard_scratch_t *s, gs_guard_clock_pt clock,
    void *data, uint64_t budget);


/*
 * Asks every condition about every value, without literals, gates and what
 * is remembered: what all the short cuts must be equal to.
 */
void gs_guard_plain(gs_guard_scratch_t *s, int plain);


/* How a place wants the rules: levels, thresholds, rules that are off. */
typedef struct {
    unsigned         level_block;          /* 0: 1 */
    unsigned         level_log;            /* 0: 2 */
    unsigned         threshold;            /* 0: 5 */
    unsigned         nthresholds;          /* of one class: "sqli", 4 */
    const gs_str_t  *classes;
    const unsigned  *points;
    unsigned         noff;                 /* "1201" or "tag:xss", and */
    const gs_str_t  *off;
    const gs_str_t  *targets;              /* "arg:a" or "" for all */
} gs_guard_tuning_t;

/*
 * GS_ERROR with err filled on an unknown class, rule, tag or target; the
 * index of the bad one is in err->line.
 */
gs_rc_t gs_guard_policy(gs_guard_policy_t **policy, const gs_guard_t *guard,
    gs_mem_t *mem, const gs_guard_tuning_t *tuning, gs_err_t *err);


void gs_guard_verdict_init(gs_guard_verdict_t *verdict);

/* 1 if a rule acts in this phase, given a body or not. */
int gs_guard_acts(const gs_guard_t *guard, gs_guard_phase_e phase,
    int body);

/*
 * One phase of a request; adds to the verdict.  policy NULL is the default.
 * GS_DECLINED: no rule hit so far; GS_OK: see the verdict; GS_ERROR: PCRE2
 * failed, but for its limits, so that the verdict may miss a rule.  Takes no
 * memory on the way (a pattern without JIT may, within its limits).
 */
gs_rc_t gs_guard_run(const gs_guard_t *guard, gs_guard_scratch_t *s,
    const gs_guard_policy_t *policy, gs_guard_phase_e phase,
    const gs_guard_input_t *in, gs_guard_verdict_t *verdict);

/* All phases for which the input has something, with a fresh verdict. */
gs_rc_t gs_guard_check(const gs_guard_t *guard, gs_guard_scratch_t *s,
    const gs_guard_input_t *in, gs_guard_verdict_t *verdict);

gs_rc_t gs_guard_check_with(const gs_guard_t *guard, gs_guard_scratch_t *s,
    const gs_guard_policy_t *policy, const gs_guard_input_t *in,
    gs_guard_verdict_t *verdict);


/*
 * Called for each condition that holds during a check, with its line, the
 * view, the target in words ("args"), the name of a header or field, and the
 * value looked at.
 */
typedef void (*gs_guard_trace_pt)(void *data, uint32_t rule, unsigned line,
    const char *view, const gs_str_t *target, const gs_str_t *name,
    const gs_str_t *value);

void gs_guard_trace(gs_guard_scratch_t *s, gs_guard_trace_pt trace,
    void *data);


/*
 * What one rule takes of checks: views of values about which its conditions
 * were asked, since literals and bytes let them in; patterns tried; how often
 * a condition held; bytes of those views; the time.
 */
typedef struct {
    uint64_t           asked;
    uint64_t           patterns;
    uint64_t           held;
    uint64_t           bytes;
    uint64_t           time;               /* of the clock */
} gs_guard_cost_t;

/*
 * costs, zeroed by the caller, has as many as there are rules; NULL ends it.
 * Checks add to it, and remember nothing while a trace is set.
 */
void gs_guard_costs(gs_guard_scratch_t *s, gs_guard_cost_t *costs,
    gs_guard_clock_pt clock, void *data);


typedef struct {
    uint32_t           id;
    gs_str_t           name;
    gs_str_t           tag;                /* "" if there is none */
    gs_str_t           file;
    unsigned           line;
    gs_guard_action_e  action;
    unsigned           ntests;
    unsigned           level;
    unsigned           severity;           /* 0: none, 1 (low) to 4 */
    gs_str_t           reason;             /* "" if there is none */
    gs_str_t           category;
    gs_str_t           event;
    gs_str_t           class;              /* of the score, "" */
    unsigned           points;
    unsigned           nolog;
    gs_guard_do_t      ban;
    gs_guard_do_t      limit;
    unsigned           ntags;
    const gs_str_t    *tags;
} gs_guard_rule_info_t;


/*
 * Tells what is unwise in rules that are right: missing tests, literals that
 * never decide, bans of what many share.
 */
void gs_guard_remarks(const gs_guard_t *guard, gs_guard_warn_pt warn,
    void *data);

/*
 * Tells of rules and correlations from GS_GUARD_ID_OWN on that ask what nobody
 * can tell: where a client is, without places; its autonomous system, without
 * numbers.
 */
void gs_guard_unknown(const gs_guard_t *guard, int places, int numbers,
    gs_guard_warn_pt warn, void *data);

/* The rules in their order: n from 0; GS_DONE behind the last. */
gs_rc_t gs_guard_rule(const gs_guard_t *guard, unsigned n,
    gs_guard_rule_info_t *info);

/* The rule of this id; GS_DECLINED if there is none. */
gs_rc_t gs_guard_rule_by_id(const gs_guard_t *guard, uint32_t id,
    gs_guard_rule_info_t *info);

typedef struct {
    unsigned  line;
    int       expected;                    /* 1 for "+", 0 for "-" */
    gs_str_t  text;
} gs_guard_test_t;


/*
 * Runs test t (from 0) of rule n: GS_OK as expected, GS_DECLINED not;
 * *test tells which.  GS_ERROR if the request of the test is none or memory
 * is out.
 */
gs_rc_t gs_guard_rule_test(const gs_guard_t *guard, gs_guard_scratch_t *s,
    gs_mem_t *mem, unsigned n, unsigned t, gs_guard_test_t *test,
    gs_err_t *err);


/*
 * A request written down: "[METHOD ]URI" and then lines "Name: value", ended
 * by LF or CRLF; "HTTP/1.1" behind the URI is taken off.  Lines "@ip: ",
 * "@geo.country: ", "@geo.province: ", "@asn: " tell of the client.  What
 * follows an empty line is the body.  A text that begins with "HTTP/" is an
 * answer: status line, headers, body.  The input points into mem and into
 * text.
 */
gs_rc_t gs_guard_request(gs_guard_input_t *in, gs_mem_t *mem,
    const gs_str_t *text, gs_err_t *err);

/*
 * The path of a raw URI as the server sees it: decoded once, slashes merged,
 * dot segments resolved.  dst holds uri->len bytes.  GS_ERROR for what Nginx
 * refuses: a climb above the root, a bad "%", NUL.
 */
gs_rc_t gs_guard_path(gs_uchar_t *dst, size_t *len, const gs_str_t *uri);


#endif /* _GS_GUARD_H_INCLUDED_ */
