
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
 * UNDECIDED, a pattern met its match limit, acts as the rule of the pattern.
 * Files begin at GS_GUARD_ID_MIN.
 */
#define GS_GUARD_OVERSIZE    1
#define GS_GUARD_UNDECIDED   2
#define GS_GUARD_ID_MIN      1000
#define GS_GUARD_ID_MAX      999999999

#define GS_GUARD_MAX_HITS    16            /* listed in a verdict */
#define GS_GUARD_MAX_ARGS    1000          /* arguments looked at */
#define GS_GUARD_MAX_HEADERS 65535         /* bytes of names and values */
#define GS_GUARD_MAX_VALUE   65536         /* bytes of one argument */
#define GS_GUARD_MATCH_LIMIT 20000         /* of PCRE2, for each value */


typedef struct gs_guard_build_s    gs_guard_build_t;
typedef struct gs_guard_s          gs_guard_t;
typedef struct gs_guard_scratch_s  gs_guard_scratch_t;


typedef enum {
    GS_GUARD_PASS = 0,
    GS_GUARD_LOG,
    GS_GUARD_BLOCK
} gs_guard_action_e;


typedef struct {
    gs_str_t  name;
    gs_str_t  value;
} gs_guard_header_t;


/*
 * One request.  header answers GS_OK with the next header, or GS_DONE; it may
 * be NULL.  cursor belongs to the caller.
 */
typedef struct {
    gs_str_t   method;
    gs_str_t   uri;                        /* as received, with arguments */
    gs_str_t   path;                       /* decoded and normalised */
    gs_str_t   args;                       /* as received, without '?' */
    gs_rc_t  (*header)(void *cursor, gs_guard_header_t *h);
    void      *cursor;
} gs_guard_input_t;


typedef struct {
    gs_guard_action_e  action;
    uint32_t           rule;               /* the first of this action, or 0 */
    unsigned           status;             /* of a blocking rule, else 0 */
    uint32_t           undecided;          /* first rule at its limit, or 0 */
    unsigned           nhits;              /* all, not only those listed */
    uint32_t           hits[GS_GUARD_MAX_HITS];
} gs_guard_verdict_t;


/*
 * What an include line asks for: pattern may be a glob, relative to the
 * folder of from.  The answer is made by gs_guard_parse() for each file.
 */
typedef gs_rc_t (*gs_guard_include_pt)(void *data, gs_guard_build_t *build,
    const gs_str_t *from, const gs_str_t *pattern, gs_err_t *err);

/* A remark about a rule that is right but unwise. */
typedef void (*gs_guard_warn_pt)(void *data, const gs_str_t *file,
    unsigned line, const char *text);


/*
 * Begins a set of rules.  mem is an arena or a pool: nothing is given back
 * piece by piece.  include and warn may be NULL.  NULL if memory is out.
 */
gs_guard_build_t *gs_guard_build_create(gs_mem_t *mem,
    gs_guard_include_pt include, gs_guard_warn_pt warn, void *data);

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
 * made before a fork it serves every child.  NULL if memory is out.
 */
gs_guard_scratch_t *gs_guard_scratch_create(const gs_guard_t *guard,
    gs_mem_t *mem);
void gs_guard_scratch_destroy(gs_guard_scratch_t *s);      /* may be NULL */

/*
 * Checks one request.  The verdict is always filled.  GS_DECLINED: no rule
 * hit; GS_OK: see the verdict; GS_ERROR: PCRE2 failed, but for its limits, so
 * that the verdict may miss a rule.  Takes no memory on the way (a pattern
 * without JIT may, within its limits).
 */
gs_rc_t gs_guard_check(const gs_guard_t *guard, gs_guard_scratch_t *s,
    const gs_guard_input_t *in, gs_guard_verdict_t *verdict);


/*
 * Called for each condition that holds during a check, with its line, the
 * target in words ("args"), the name of a header, and the value looked at.
 */
typedef void (*gs_guard_trace_pt)(void *data, uint32_t rule, unsigned line,
    const gs_str_t *target, const gs_str_t *name, const gs_str_t *value);

void gs_guard_trace(gs_guard_scratch_t *s, gs_guard_trace_pt trace,
    void *data);


typedef struct {
    uint32_t           id;
    gs_str_t           name;
    gs_str_t           tag;                /* "" if there is none */
    gs_str_t           file;
    unsigned           line;
    gs_guard_action_e  action;
    unsigned           ntests;
} gs_guard_rule_info_t;


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
 * by LF or CRLF; "HTTP/1.1" behind the URI is taken off.  What follows an
 * empty line is left alone.  The input points into mem.
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
