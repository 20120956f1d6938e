
/*
 * Copyright (C) govsvc authors
 *
 * Inside of the guard room: rules as parsed and as compiled.
 */


#ifndef _GS_GUARD_PRIV_H_INCLUDED_
#define _GS_GUARD_PRIV_H_INCLUDED_


#define PCRE2_CODE_UNIT_WIDTH  8

#include <pcre2.h>

#include "core/gs_ac.h"
#include "guard/gs_guard.h"
#include "guard/gs_guard_lex.h"


#define GS_GUARD_MAX_TARGETS  64           /* one bit each */
#define GS_GUARD_MAX_DEPTH    8            /* of includes */
#define GS_GUARD_SLOTS        128          /* of the table of header names */


/* In the order of gs_guard_targets[]; named headers follow. */
typedef enum {
    GS_TARGET_METHOD = 0,
    GS_TARGET_PATH,
    GS_TARGET_URI,
    GS_TARGET_QUERY,
    GS_TARGET_ARGS,
    GS_TARGET_ARG_NAMES,
    GS_TARGET_HEADERS,                     /* header:* */
    GS_TARGET_NAMED
} gs_target_e;


typedef enum {
    GS_OP_LIT = 0,
    GS_OP_EQ,
    GS_OP_PREFIX,
    GS_OP_SUFFIX,
    GS_OP_PCRE,
    GS_OP_FLAG
} gs_op_e;


#define GS_FLAG_BAD_UTF8  1
#define GS_FLAG_NUL       2
#define GS_FLAG_CONTROL   4


typedef struct gs_cond_s  gs_cond_t;

/* One match line; the lines "match same" of a value hang behind it. */
struct gs_cond_s {
    gs_op_e         op;
    unsigned        negate:1;
    unsigned        jit:1;
    unsigned        flags;
    unsigned        line;
    uint64_t        targets;
    unsigned        nvalues;
    gs_str_t       *values;
    unsigned        nwords;                /* literals; 0: always a candidate */
    gs_str_t       *words;
    pcre2_code     *code;
    gs_cond_t      *same;
    uint32_t        rule;                  /* index */
};


typedef struct {
    uint32_t           id;
    gs_str_t           name;
    gs_str_t           tag;
    gs_str_t           file;
    unsigned           line;
    unsigned           status;
    gs_guard_action_e  action;
    uint32_t           cond;               /* index of the first */
    uint32_t           nconds;
    uint32_t           test;
    uint32_t           ntests;
} gs_guard_rule_t;


typedef struct {
    void              *data;
    size_t             size;               /* of an element */
    uint32_t           n;
    uint32_t           nalloc;
} gs_guard_vec_t;


struct gs_guard_build_s {
    gs_mem_t             *mem;
    gs_guard_include_pt   include;
    gs_guard_warn_pt      warn;
    void                 *data;
    unsigned              depth;
    gs_guard_vec_t        rules;           /* gs_guard_rule_t */
    gs_guard_vec_t        conds;           /* gs_cond_t */
    gs_guard_vec_t        tests;           /* gs_guard_test_t */
    gs_guard_vec_t        codes;           /* pcre2_code * */
    unsigned              ntargets;
    gs_str_t              targets[GS_GUARD_MAX_TARGETS];
    pcre2_general_context  *gctx;
    pcre2_compile_context  *cctx;
};


struct gs_guard_s {
    gs_guard_build_t  *build;              /* owns all that it points to */
    gs_guard_rule_t   *rules;
    gs_cond_t         *conds;
    uint32_t           nrules;
    uint32_t           nconds;
    uint32_t           cond_words;         /* of 64 bits */
    uint32_t           rule_words;
    uint64_t           used;               /* targets that a rule looks at */
    uint64_t           eager;              /* targets with a standing cond */
    uint64_t          *always;             /* conds without a literal */
    uint64_t          *mask;               /* cond_words for each target */
    uint64_t          *standing;           /* rules without a positive cond */
    gs_ac_t           *ac;
    gs_uchar_t         slots[GS_GUARD_SLOTS];    /* target, 0: empty */
};


struct gs_guard_scratch_s {
    gs_mem_t             *mem;
    uint64_t             *cand;            /* bitmaps over conds */
    uint64_t             *hit;
    uint64_t             *undecided;
    uint64_t             *touched;         /* over rules */
    gs_uchar_t           *value;           /* GS_GUARD_MAX_VALUE */
    unsigned              broken;          /* not a limit: PCRE2 failed */
    gs_guard_trace_pt     trace;
    void                 *trace_data;
    pcre2_general_context  *gctx;
    pcre2_match_data     *match;
    pcre2_match_context  *mctx;
    pcre2_jit_stack      *stack;
};


/* One parse: the words of a file on their way into a build. */
typedef struct {
    gs_guard_build_t  *build;
    gs_lex_t           lex;
    gs_err_t          *err;
} gs_guard_parser_t;


/* A new cleared element, NULL if memory is out; moves the others. */
void *gs_guard_push(gs_mem_t *mem, gs_guard_vec_t *vec);

/* Reads what follows "match" into a new cond of rule, or behind the last. */
gs_rc_t gs_guard_parse_match(gs_guard_parser_t *p, gs_guard_rule_t *rule,
    unsigned line);

/* Compiles the pattern of a cond and finds its literals. */
gs_rc_t gs_guard_parse_pcre(gs_guard_parser_t *p, gs_cond_t *cond);

void gs_guard_warn(gs_guard_parser_t *p, unsigned line, const char *text);

/* The general context of PCRE2 over a gs_mem_t; NULL if memory is out. */
pcre2_general_context *gs_guard_pcre_context(gs_mem_t *mem);

/*
 * After a check: GS_OK if the rule hit, GS_DECLINED if not, GS_ERROR if all
 * that could be told holds but a pattern met its limit.
 */
gs_rc_t gs_guard_holds(const gs_guard_t *guard, const gs_guard_scratch_t *s,
    const gs_guard_rule_t *rule);

/* The target of a named header, or 0. */
unsigned gs_guard_header_target(const gs_guard_t *guard,
    const gs_str_t *name);
unsigned gs_guard_header_hash(const gs_str_t *name);

/*
 * Percent decoding, in dst of src->len bytes; "+" is a space if plus is set.
 * A "%" without two digits stays.  The result points to src if nothing
 * changed.
 */
gs_str_t gs_guard_unescape(gs_uchar_t *dst, const gs_str_t *src, int plus);

/* GS_FLAG_... of a value, as far as wanted. */
unsigned gs_guard_flags(const gs_str_t *value, unsigned wanted);


#endif /* _GS_GUARD_PRIV_H_INCLUDED_ */
