
/*
 * Copyright (C) govsvc authors
 *
 * Inside of the guard room: rules as parsed and as compiled, values on their
 * way through the views.
 */


#ifndef _GS_GUARD_PRIV_H_INCLUDED_
#define _GS_GUARD_PRIV_H_INCLUDED_


#define PCRE2_CODE_UNIT_WIDTH  8

#include <pcre2.h>

#include "core/gs_ac.h"
#include "core/gs_net.h"
#include "guard/gs_correlate.h"
#include "guard/gs_guard.h"
#include "guard/gs_guard_lex.h"
#include "guard/gs_guard_lit.h"


#define GS_GUARD_MAX_TARGETS  1024
#define GS_GUARD_MAX_DEPTH    8            /* of includes */
#define GS_GUARD_VALUE_TARGETS  4          /* of one value */
#define GS_GUARD_EVIDENCE     32           /* pieces held during a check */
#define GS_GUARD_SKIP         "~"          /* marks of what is left out */
#define GS_GUARD_COMMIT       "~~~"
#define GS_GUARD_TICK         8192         /* bytes between looks at a clock */


/* In the order of gs_guard_kinds[]; the named ones come last. */
typedef enum {
    GS_KIND_METHOD = 0,
    GS_KIND_PATH,
    GS_KIND_SEGMENTS,
    GS_KIND_URI,
    GS_KIND_QUERY,
    GS_KIND_ARGS,
    GS_KIND_ARG_NAMES,
    GS_KIND_HEADERS,
    GS_KIND_HEADER_NAMES,
    GS_KIND_COOKIES,
    GS_KIND_IP,
    GS_KIND_COUNTRY,
    GS_KIND_PROVINCE,
    GS_KIND_ASN,
    GS_KIND_HEAD,
    GS_KIND_BODY,
    GS_KIND_FORM,
    GS_KIND_FORM_NAMES,
    GS_KIND_JSON_ALL,
    GS_KIND_JSON_KEYS,
    GS_KIND_XML,
    GS_KIND_FILE_NAMES,
    GS_KIND_FILE_TYPES,
    GS_KIND_FILE_HEADS,
    GS_KIND_STATUS,
    GS_KIND_RESP_BODY,
    GS_KIND_FIXED,                         /* with a name from here on */
    GS_KIND_ARG = GS_KIND_FIXED,
    GS_KIND_HEADER,
    GS_KIND_COOKIE,
    GS_KIND_JSON,
    GS_KIND_TOKEN,
    GS_KIND_RESP_HEADER,
    GS_KIND_LAST
} gs_kind_e;


/* In the order of gs_guard_view_names[]; those often equal side by side. */
typedef enum {
    GS_VIEW_RAW = 0,
    GS_VIEW_URL,
    GS_VIEW_LOWER,
    GS_VIEW_DEEP,
    GS_VIEW_SQLC,
    GS_VIEW_SH,
    GS_VIEW_PATH,
    GS_VIEW_B64,
    GS_VIEWS
} gs_view_e;


/* In the order of gs_guard_ops[]. */
typedef enum {
    GS_OP_LIT = 0,
    GS_OP_EQ,
    GS_OP_NE,
    GS_OP_PREFIX,
    GS_OP_SUFFIX,
    GS_OP_PCRE,
    GS_OP_FLAG,
    GS_OP_IN,
    GS_OP_EXISTS,
    GS_OP_LENGTH,
    GS_OP_LT,
    GS_OP_LE,
    GS_OP_GT,
    GS_OP_GE,
    GS_OP_SQLI,
    GS_OP_XSS
} gs_op_e;


/* Facts, in the order of gs_guard_flag_names[]. */
#define GS_FLAG_BAD_UTF8    0x00000001
#define GS_FLAG_NUL         0x00000002
#define GS_FLAG_CONTROL     0x00000004
#define GS_FLAG_BAD_PCT     0x00000008
#define GS_FLAG_DOUBLE      0x00000010
#define GS_FLAG_OVERLONG    0x00000020
#define GS_FLAG_FULLWIDTH   0x00000040
#define GS_FLAG_ZEROWIDTH   0x00000080
#define GS_FLAG_UNICODE     0x00000100     /* %u0041 */
#define GS_FLAG_OVER_LIMIT  0x00000200
#define GS_FLAG_CHARSET     0x00000400     /* not known */
#define GS_FLAG_MIXED       0x00000800     /* two charsets */
#define GS_FLAG_UTF16       0x00001000     /* or UTF-7, UTF-32 */
#define GS_FLAG_TYPE        0x00002000     /* the content type lies */
#define GS_FLAG_ENCODING    0x00004000     /* unknown or broken coding */
#define GS_FLAG_JSON        0x00008000     /* malformed */
#define GS_FLAG_JSON_DEPTH  0x00010000
#define GS_FLAG_JSON_DUP    0x00020000
#define GS_FLAG_MULTIPART   0x00040000
#define GS_FLAG_XML         0x00080000
#define GS_FLAG_DOCTYPE     0x00100000
#define GS_FLAG_ENTITY      0x00200000
#define GS_FLAG_MANY        0x00400000     /* more fields than looked at */
#define GS_FLAG_PROSE       0x00800000     /* Chinese sentences of a body */
#define GS_FLAG_XML_TREE    0x01000000     /* tags that are no tree */
#define GS_FLAG_XML_BOMB    0x02000000     /* depth, attributes, references */
#define GS_FLAG_REPEATED    0x04000000     /* what is there once otherwise */
#define GS_FLAG_FOREIGN     0x08000000     /* another host than asked for */

/* those that a look at the bytes of one value tells */
#define GS_FLAGS_VALUE      0x008001ff


/*
 * Which bytes a text holds: letters, whatever their case, and each ASCII
 * mark has a bit of its own, digits have none.  ODD are the first bytes of
 * what the view "deep" changes in UTF-8.
 */
#define GS_BYTE_AT(n)    ((uint64_t) 1 << (n))
#define GS_BYTE_LETTER   0x03ffffff
#define GS_BYTE_X_U      (GS_BYTE_AT(23)|GS_BYTE_AT(20))
#define GS_BYTE_UPPER    GS_BYTE_AT(26)
#define GS_BYTE_BLANK    GS_BYTE_AT(27)
#define GS_BYTE_LINE     GS_BYTE_AT(28)    /* tab, LF, CR */
#define GS_BYTE_CONTROL  GS_BYTE_AT(29)    /* and DEL */
#define GS_BYTE_HIGH     GS_BYTE_AT(30)
#define GS_BYTE_ODD      GS_BYTE_AT(31)
#define GS_BYTE_NUMBER   GS_BYTE_AT(34)    /* # */
#define GS_BYTE_PERCENT  GS_BYTE_AT(36)    /* % */
#define GS_BYTE_STAR     GS_BYTE_AT(41)    /* star */
#define GS_BYTE_ET       GS_BYTE_AT(37)    /* & */
#define GS_BYTE_PLUS     GS_BYTE_AT(42)    /* + */
#define GS_BYTE_SEMI     GS_BYTE_AT(48)    /* ; */
#define GS_BYTE_BACK     GS_BYTE_AT(55)    /* \ */
#define GS_BYTE_CARET    GS_BYTE_AT(57)    /* ^ */

/* Classes of them, for "need". */
#define GS_BYTE_SPACE    (GS_BYTE_BLANK|GS_BYTE_LINE)
#define GS_BYTE_QUOTE    0x0800004200000000  /* ' " ` */
#define GS_BYTE_ANGLE    0x000a000000000000  /* < > */
#define GS_BYTE_PAREN    0x0000018000000000  /* ( ) */
#define GS_BYTE_DOLLAR   0x5000000800000000  /* $ { } */
#define GS_BYTE_SLASH    0x0080400000000000  /* / \ */
#define GS_BYTE_AMP      0x2000002000000000  /* & | */
#define GS_BYTE_EQUAL    0x0004000100000000  /* = ! */
#define GS_BYTE_HASH     0x8620140400000000  /* # - + @ ~ ^ _ */
#define GS_BYTE_MARK     0x0150aa0000000000  /* . , : * [ ] ? */

/* What a value in base64 may hold besides digits. */
#define GS_BYTE_BASE64   (GS_BYTE_LETTER|GS_BYTE_UPPER|0x0404540000000000)


typedef enum {
    GS_SET_LITERAL = 0,
    GS_SET_CIDR,
    GS_SET_COUNTRY
} gs_set_e;


typedef struct {
    gs_str_t            name;
    gs_set_e            type;
    unsigned            line;
    gs_str_t           *items;             /* sorted, of literals */
    uint32_t            nitems;
    gs_net_set_t       *nets;
} gs_set_t;


typedef struct {
    gs_kind_e           kind;
    gs_str_t            name;              /* "" for a kind without */
    gs_str_t            text;              /* as written */
} gs_target_t;


typedef struct gs_cond_s  gs_cond_t;

/* One match line; the lines "match same" of a value hang behind it. */
struct gs_cond_s {
    gs_op_e             op;
    unsigned            negate:1;
    unsigned            jit:1;
    unsigned            anchored:1;        /* begins at the first byte only */
    unsigned            views;             /* bit of each */
    uint64_t            need;              /* GS_BYTE_..., 0: any */
    uint32_t            flags;
    gs_op_e             compare;           /* of "length" */
    uint64_t            number;
    unsigned            line;
    unsigned            ntargets;
    uint16_t           *targets;
    unsigned            nvalues;
    gs_str_t           *values;
    gs_uchar_t         *then;              /* 1: behind the value before */
    unsigned            nwords;            /* literals; 0: always tried */
    gs_str_t           *words;
    gs_ac_near_t      **nears;             /* before and after each */
    unsigned            ngates;
    gs_guard_gate_t    *gates;
    uint32_t            slot;              /* of its words */
    uint64_t            marks;             /* one is there, if no words */
    gs_set_t           *set;
    pcre2_code         *code;
    gs_cond_t          *same;
    uint32_t            rule;              /* index */
};


typedef struct {
    uint32_t            id;
    gs_str_t            name;
    gs_str_t            tag;               /* the first */
    gs_str_t            tags[GS_GUARD_MAX_TAGS];
    unsigned            ntags;
    gs_str_t            file;
    gs_str_t            reason;
    gs_str_t            category;
    gs_str_t            event;
    unsigned            line;
    unsigned            level;
    unsigned            severity;
    unsigned            status;
    unsigned            class;             /* of the score */
    unsigned            points;
    unsigned            nolog:1;
    unsigned            allow:1;
    unsigned            phase_given:2;     /* 0, 1: request, 2: response */
    gs_guard_do_t       ban;
    gs_guard_do_t       limit;
    gs_guard_action_e   action;
    uint32_t            cond;              /* index of the first */
    uint32_t            nconds;
    uint32_t            test;
    uint32_t            ntests;
    unsigned            first;             /* phase */
    unsigned            phases;            /* bit of each */
} gs_guard_rule_t;


/* "pattern NAME TEXT;": what a condition takes over that names it. */
typedef struct {
    gs_str_t            name;
    gs_str_t            text;
    gs_str_t            file;
    unsigned            line;
    unsigned            uses;
    gs_cond_t           cond;
} gs_guard_pattern_t;


typedef struct {
    void               *data;
    size_t              size;              /* of an element */
    uint32_t            n;
    uint32_t            nalloc;
} gs_guard_vec_t;


struct gs_guard_build_s {
    gs_mem_t             *mem;
    gs_guard_include_pt   include;
    gs_guard_load_pt      load;
    gs_guard_warn_pt      warn;
    void                 *data;
    unsigned              depth;
    gs_guard_vec_t        rules;           /* gs_guard_rule_t */
    gs_guard_vec_t        conds;           /* gs_cond_t */
    gs_guard_vec_t        tests;           /* gs_guard_test_t */
    gs_guard_vec_t        codes;           /* pcre2_code * */
    gs_guard_vec_t        sets;            /* gs_set_t * */
    gs_guard_vec_t        patterns;        /* gs_guard_pattern_t */
    gs_guard_vec_t        targets;         /* gs_target_t */
    gs_guard_vec_t        correlates;      /* gs_correlate_rule_t */
    gs_correlate_set_t   *correlate;       /* compiled; NULL: there are none */
    unsigned              nclasses;
    gs_str_t              classes[GS_GUARD_MAX_CLASSES];
    uint32_t             *ids;             /* hash of ids to rule + 1 */
    uint32_t              nids;
    pcre2_general_context  *gctx;
    pcre2_compile_context  *cctx;
};


#define GS_ASKS_WORDS  0x01                /* which literals there are */
#define GS_ASKS_BLIND  0x02                /* a cond that nothing gates */


/* What is looked at in one phase. */
typedef struct {
    gs_uchar_t        *views;              /* of each target: bits */
    uint32_t          *flags;              /* facts asked for */
    uint64_t         **rows;               /* target * GS_VIEWS + view */
    uint64_t         **any_view;           /* of each target: rows in one */
    uint64_t          *marks;              /* of its conds without words */
    gs_uchar_t        *asks;               /* GS_ASKS_... */
    uint64_t          *standing;           /* rules without a positive cond */
    unsigned           any:1;              /* a rule acts in this phase */
    unsigned           head:1;             /* looks at targets of the head */
    unsigned           access:1;           /* has rules without a body */
} gs_guard_phase_t;


struct gs_guard_s {
    gs_guard_build_t  *build;              /* owns all that it points to */
    gs_guard_rule_t   *rules;
    gs_cond_t         *conds;
    gs_target_t       *targets;
    uint32_t           nrules;
    uint32_t           nconds;
    uint32_t           ntargets;
    uint32_t           nslots;             /* conds, and those behind them */
    uint32_t           cond_words;         /* of 64 bits */
    uint32_t           slot_words;
    uint32_t           rule_words;
    uint64_t          *always;             /* conds without a literal */
    uint64_t          *wordy;              /* with one, or behind them */
    uint64_t          *blind;              /* always, and without a mark */
    uint64_t          *marks[64];          /* and those that one lets in */
    uint64_t          *facts;              /* conds on facts */
    gs_guard_phase_t   phase[GS_GUARD_PHASES];
    gs_ac_t           *ac;
    unsigned           named;              /* kinds with a named target */
    uint32_t           lengths[GS_KIND_LAST - GS_KIND_FIXED];  /* of names */
    uint32_t           mask;               /* of the table of names */
    uint16_t          *names;              /* target, 0: empty */
    gs_guard_policy_t *policy;             /* the default one */
    gs_guard_policy_t *open;               /* all levels, for tests */
};


struct gs_guard_policy_s {
    uint64_t           stamp;              /* of all that it says */
    unsigned           level_block;
    unsigned           threshold;
    uint16_t           thresholds[GS_GUARD_MAX_CLASSES];  /* 0: none */
    uint64_t          *off;                /* rules */
    uint32_t           nexcept;
    struct gs_guard_except_s  *except;
};


typedef struct gs_guard_except_s {
    uint64_t          *rules;
    gs_kind_e          kind;
    gs_str_t           name;
} gs_guard_except_t;


typedef struct {
    uint32_t           rule;
    gs_guard_hit_t     hit;
} gs_guard_evidence_t;


typedef struct gs_guard_known_s  gs_guard_known_t;


/*
 * A text whose parts are values: what no part of it can fulfil, because the
 * whole has neither its literals nor its bytes.
 */
typedef struct {
    gs_str_t           text;               /* len 0: none */
    int                any;                /* cand is not empty */
    uint64_t           bytes;
    uint64_t           marks;              /* of the open ones */
    uint64_t          *cand;               /* slots of the whole */
    uint64_t          *open;               /* conds that a part may fulfil */
} gs_guard_outer_t;


struct gs_guard_scratch_s {
    gs_mem_t             *mem;
    uint64_t             *cand;            /* bitmap over slots */
    uint64_t             *hit;             /* bitmaps over conds */
    uint64_t             *undecided;
    uint64_t             *live;            /* for the value */
    uint64_t             *touched;         /* over rules */
    gs_guard_outer_t      outer;
    gs_guard_known_t     *known;
    size_t                size;            /* of each buffer */
    gs_uchar_t           *view[GS_VIEWS];  /* url to b64 */
    gs_uchar_t           *text;            /* of parsers */
    gs_uchar_t           *text2;
    gs_uchar_t           *inner;           /* of strings within strings */
    gs_uchar_t           *plain;           /* a body without its coding */
    gs_uchar_t           *body;
    void                 *zlib;
    unsigned              broken;          /* not a limit: PCRE2 failed */
    unsigned              held;            /* conditions, each time anew */
    unsigned              bare:1;          /* no short cuts */
    unsigned              ticking:1;
    unsigned              over:1;          /* the budget is spent */
    uint64_t              budget;
    uint64_t              started;
    uint64_t              before;          /* spent by earlier phases */
    size_t                unseen;          /* bytes since the clock */
    size_t                at;              /* where the last match begins */
    gs_guard_clock_pt     clock;
    void                 *clock_data;
    gs_guard_trace_pt     trace;
    void                 *trace_data;
    gs_guard_cost_t      *costs;           /* of each rule; NULL: not told */
    gs_guard_clock_pt     costs_clock;
    void                 *costs_data;
    uint64_t              patterns;        /* tried so far */
    unsigned              nevidence;
    gs_guard_evidence_t  *evidence;
    pcre2_general_context  *gctx;
    pcre2_match_data     *match;
    pcre2_match_context  *mctx;
    pcre2_jit_stack      *stack;
};


typedef enum {
    GS_DECODE_NONE = 0,
    GS_DECODE_URL,
    GS_DECODE_FORM                         /* "+" is a space */
} gs_decode_e;


/* One value and its views, each made on first use. */
typedef struct {
    gs_kind_e          kind;
    gs_decode_e        decode;
    gs_str_t           name;               /* of the field or header */
    unsigned           ntargets;
    uint16_t           targets[GS_GUARD_VALUE_TARGETS];
    unsigned           have;               /* bit of each view */
    unsigned           none;               /* views that it has not */
    unsigned           alike;              /* views that are url but for case */
    unsigned           looked;             /* views whose bytes are known */
    uint64_t           bytes;              /* GS_BYTE_... of url */
    uint64_t           seen[GS_VIEWS];     /* and of each view */
    uint32_t           facts;
    uint32_t           told;               /* of them those asked for */
    uint64_t           hash;
    unsigned           held;               /* what s->held was before it */
    unsigned           prose;              /* 1 + gs_guard_prose(), or 0 */
    gs_guard_known_t  *known;              /* its place, NULL: it has none */
    gs_str_t           view[GS_VIEWS];
} gs_value_t;


typedef struct {
    const gs_guard_t         *guard;
    const gs_guard_phase_t   *ph;
    const gs_guard_policy_t  *policy;
    gs_guard_scratch_t       *s;
    const gs_guard_input_t   *in;
    gs_guard_verdict_t       *verdict;
    gs_guard_phase_e          phase;
    size_t                    fields;      /* of the body */
} gs_guard_run_t;


/* One parse: the words of a file on their way into a build. */
typedef struct {
    gs_guard_build_t  *build;
    gs_lex_t           lex;
    gs_err_t          *err;
} gs_guard_parser_t;


/* A new cleared element, NULL if memory is out; moves the others. */
void *gs_guard_push(gs_mem_t *mem, gs_guard_vec_t *vec);

/* The next word; anything else is 'unexpected ..., expecting WHAT'. */
gs_rc_t gs_guard_word(gs_guard_parser_t *p, gs_lex_token_t *token,
    const char *what);

/* ";", or 'unexpected ... behind AFTER'. */
gs_rc_t gs_guard_parse_end(gs_guard_parser_t *p, const char *after);
gs_rc_t gs_guard_no_memory(gs_guard_parser_t *p, unsigned line);
int gs_guard_name_ok(const gs_str_t *s);
void gs_guard_warn(gs_guard_parser_t *p, unsigned line, const char *text);

/* Reads what follows "match" into a new cond of rule, or behind the last. */
gs_rc_t gs_guard_parse_match(gs_guard_parser_t *p, gs_guard_rule_t *rule,
    unsigned line);

/* Reads the values of an operator and its ";". */
gs_rc_t gs_guard_parse_values(gs_guard_parser_t *p, gs_cond_t *cond);

/* Compiles the pattern of a cond and finds its literals; or takes "$NAME". */
gs_rc_t gs_guard_parse_pcre(gs_guard_parser_t *p, gs_cond_t *cond);

/* pattern NAME TEXT; */
gs_rc_t gs_guard_parse_pattern(gs_guard_parser_t *p, unsigned line);

/* "a|b:c" into the targets of a cond. */
gs_rc_t gs_guard_parse_targets(gs_guard_parser_t *p, gs_cond_t *cond,
    const gs_lex_token_t *token);

/* Lines of a rule other than match and test; GS_DECLINED: not of these. */
gs_rc_t gs_guard_parse_action(gs_guard_parser_t *p, gs_guard_rule_t *rule,
    const gs_lex_token_t *word);
extern const char *const  gs_guard_lines[];

/* "ID NAME {", and the tests of a rule. */
gs_rc_t gs_guard_parse_head(gs_guard_parser_t *p, gs_guard_rule_t *rule);
gs_rc_t gs_guard_parse_tests(gs_guard_parser_t *p, gs_guard_rule_t *rule);

/*
 * What is done about a caller: "KEY TIME [options];", "KEY RATE TIME;".  at
 * takes the option "at=N", where it is allowed.
 */
gs_rc_t gs_guard_parse_do_ban(gs_guard_parser_t *p, gs_guard_do_t *act,
    uint64_t *at);
gs_rc_t gs_guard_parse_do_limit(gs_guard_parser_t *p, gs_guard_do_t *act,
    uint64_t *at);
gs_rc_t gs_guard_parse_options(gs_guard_parser_t *p, gs_guard_do_t *act,
    const char *what, uint64_t *at);

/* "correlate ID NAME { ... }", and what they all become. */
gs_rc_t gs_correlate_parse(gs_guard_parser_t *p, unsigned line);
gs_rc_t gs_correlate_compile(gs_guard_t *guard, gs_err_t *err);

/* set NAME TYPE ...; and the set of a name, NULL if there is none. */
gs_rc_t gs_guard_parse_set(gs_guard_parser_t *p, unsigned line);
gs_set_t *gs_guard_set_find(const gs_guard_build_t *build,
    const gs_str_t *name);
gs_rc_t gs_guard_set_add(gs_guard_parser_t *p, gs_guard_vec_t *items,
    gs_set_e type, const gs_str_t *text, unsigned line);
gs_rc_t gs_guard_set_close(gs_guard_parser_t *p, gs_set_t *set,
    gs_guard_vec_t *items);

/* 1 for the number of an autonomous system as rules see it: "4134". */
int gs_guard_asn(const gs_str_t *text);
int gs_guard_set_has(const gs_set_t *set, const gs_str_t *value);

/* The general context of PCRE2 over a gs_mem_t; NULL if memory is out. */
pcre2_general_context *gs_guard_pcre_context(gs_mem_t *mem);

/* Kinds by name ("arg" for a named one); GS_KIND_LAST if unknown. */
gs_kind_e gs_guard_kind(const gs_str_t *text, gs_str_t *name);

/* 1 if a leaf of JSON may have the path, as targets write it. */
int gs_guard_json_path(const gs_str_t *name);
const char *gs_guard_kind_text(gs_kind_e kind);
const char *gs_guard_kind_word(gs_kind_e kind, int named);
unsigned gs_guard_kind_phases(gs_kind_e kind);
extern const char *const  gs_guard_view_names[];

/* The named target, or 0. */
unsigned gs_guard_target(const gs_guard_t *guard, gs_kind_e kind,
    const gs_str_t *name);
uint32_t gs_guard_name_hash(gs_kind_e kind, const gs_str_t *name);
int gs_guard_name_eq(gs_kind_e kind, const gs_str_t *a, const gs_str_t *b);

/*
 * After a check: GS_OK if the rule hit, GS_DECLINED if not, GS_ERROR if all
 * that could be told holds but a pattern met its limit.
 */
gs_rc_t gs_guard_holds(const gs_guard_t *guard, const gs_guard_scratch_t *s,
    const gs_guard_rule_t *rule);

/* Starts a value; raw and, with GS_DECODE_NONE, url are the text. */
void gs_guard_value_init(gs_value_t *v, gs_kind_e kind, gs_decode_e decode,
    const gs_str_t *text);
void gs_guard_value_also(const gs_guard_run_t *run, gs_value_t *v,
    gs_kind_e kind, const gs_str_t *name);
int gs_guard_wanted(const gs_guard_run_t *run, gs_kind_e kind);

/* Asks all rules about a value; or about one that is not a known one. */
void gs_guard_value(gs_guard_run_t *run, gs_value_t *v);
void gs_guard_ask(gs_guard_run_t *run, gs_value_t *v);

/*
 * 1 if the value, and whatever else its caller asks about along with it, was
 * clean before in the same phase; else gs_guard_know() remembers it if nothing
 * held.
 */
int gs_guard_known(gs_guard_run_t *run, gs_value_t *v);
void gs_guard_know(gs_guard_run_t *run, const gs_value_t *v);
gs_guard_known_t *gs_guard_known_create(gs_mem_t *mem);

/* A text of which the next values are parts; NULL: they are of none. */
void gs_guard_outer(gs_guard_run_t *run, const gs_str_t *text);

/* One condition about one view; GS_ERROR: not told within the limits. */
gs_rc_t gs_guard_confirm(gs_guard_scratch_t *s, const gs_cond_t *cond,
    gs_value_t *v, unsigned view);

/* Keeps where a rule held, and gives it to a hit. */
void gs_guard_evidence(gs_guard_run_t *run, uint32_t rule,
    const gs_value_t *v, unsigned view);
void gs_guard_evidence_take(const gs_guard_scratch_t *s, uint32_t rule,
    gs_guard_hit_t *hit);

/* Adds to what is reported of the engine itself. */
void gs_guard_note(gs_guard_run_t *run, uint32_t id,
    gs_guard_action_e action, unsigned status);

/* The values of the head, the body, the answer. */
void gs_guard_feed_head(gs_guard_run_t *run);
void gs_guard_feed_whole(gs_guard_run_t *run);
void gs_guard_feed_claims(gs_guard_run_t *run);
void gs_guard_feed_body(gs_guard_run_t *run);
void gs_guard_feed_answer(gs_guard_run_t *run);

/* Pairs "a=b", of a query or a form; 1 if there is more than is looked at. */
int gs_guard_feed_pairs(gs_guard_run_t *run, const gs_str_t *text,
    gs_kind_e values, gs_kind_e names, size_t max);

/* 1 if one name of a list of pairs is in it more than max times. */
int gs_guard_repeats(const gs_str_t *text, int sep, size_t max);

/* A body or a part by its type; the facts of its charset are told, too. */
uint32_t gs_guard_feed_typed(gs_guard_run_t *run, const gs_str_t *text,
    const gs_str_t *type);

/* How often a parameter is in a header, and its first value. */
int gs_guard_param(const gs_str_t *header, const char *name,
    gs_str_t *value);

/* The facts of a charset, and of one named within a body of the type. */
uint32_t gs_guard_charset(const gs_str_t *name);
uint32_t gs_guard_charset_inside(const gs_str_t *type, const gs_str_t *name);

/*
 * The name of a file as programs read it, in dst of text->len bytes or the
 * text itself: of "filename*" (RFC 8187), and of "filename".
 */
gs_str_t gs_guard_filename_star(gs_uchar_t *dst, const gs_str_t *text);
gs_str_t gs_guard_filename(gs_uchar_t *dst, const gs_str_t *text);

/* Bodies by their form; facts of the whole. */
uint32_t gs_guard_feed_json(gs_guard_run_t *run, const gs_str_t *text);
uint32_t gs_guard_feed_xml(gs_guard_run_t *run, const gs_str_t *text);
uint32_t gs_guard_feed_multipart(gs_guard_run_t *run, const gs_str_t *text,
    const gs_str_t *boundary, int form);

int gs_guard_clock(gs_guard_scratch_t *s);

/*
 * Adds to what is done; 1 if the time is over, which is never undone.  The
 * clock is asked seldom: between two looks lie some kilobytes.
 */
static inline int
gs_guard_tick(gs_guard_scratch_t *s, size_t len)
{
    s->unseen += len;

    return (s->unseen < GS_GUARD_TICK) ? (int) s->over : gs_guard_clock(s);
}


/* The view of a value; GS_DECLINED if it has none. */
gs_rc_t gs_guard_view(gs_guard_scratch_t *s, gs_value_t *v, gs_view_e view);

/*
 * The text behind base64, alone or in an address "data:" of markup or script
 * (RFC 2397), in the buffer of its view; GS_DECLINED: it is none.
 * _maybe(): 0 if the bytes of a text tell that it is none.
 */
gs_rc_t gs_guard_b64(gs_guard_scratch_t *s, gs_str_t *text,
    const gs_str_t *src);
int gs_guard_b64_maybe(const gs_str_t *text, uint64_t bytes);

/*
 * The text with every coding undone, in dst of src->len bytes; decoded: it
 * was percent-decoded once before, so that more of it is double.
 */
gs_str_t gs_guard_deep(gs_guard_scratch_t *s, gs_uchar_t *dst,
    const gs_str_t *src, int decoded, uint32_t *facts);

/* Those of the wanted facts of a value that its bytes tell. */
uint32_t gs_guard_facts(gs_guard_scratch_t *s, gs_value_t *v,
    uint32_t wanted);

/*
 * 1 if the value is a field of a query or a body and begins with Chinese
 * sentences, with a tag and holds them, has them within, or is a listing: what
 * an injection without quotes continues does not look so.
 */
int gs_guard_prose(gs_value_t *v);

/*
 * 1 if the text begins as a whole listing does, a trace, settings, and, with
 * statements, one of SQL.
 */
int gs_guard_listing(const gs_str_t *text, int statements);

/*
 * 1 if the text is a program or a command with options, whole by its
 * structure; _whole(): what it opens it closes.
 */
int gs_guard_program(const gs_str_t *text);
int gs_guard_program_whole(const gs_uchar_t *p, const gs_uchar_t *last);

/*
 * Looks at the bytes of a value once: which of the views wanted are its url
 * but for case (alike), and which it has not (none), without making them.
 */
void gs_guard_look(gs_guard_scratch_t *s, gs_value_t *v);
void gs_guard_alike(gs_guard_scratch_t *s, gs_value_t *v, unsigned views);

/* The bytes of a view that was made. */
uint64_t gs_guard_seen(gs_value_t *v, unsigned view);

/* 1 if "deep" may find something to undo in a text of these bytes. */
int gs_guard_decodes(uint64_t bytes);

/* GS_BYTE_... of a text, and of one byte; the classes that bytes are of. */
uint64_t gs_guard_bytes(const gs_str_t *text);
uint64_t gs_guard_bytes_class(uint64_t bytes);
extern const uint64_t  gs_guard_byte[256];

/*
 * 1 if the text reads as an injection into SQL; markup with script, which 0
 * does not deny once the time is over.
 */
int gs_guard_sqli(const gs_str_t *text);
int gs_guard_xss(gs_guard_scratch_t *s, const gs_str_t *text);

/*
 * Percent decoding, in dst of src->len bytes; "+" is a space if plus is set.
 * A "%" without two digits stays and is told.  The result points to src if
 * nothing changed.
 */
gs_str_t gs_guard_unescape(gs_uchar_t *dst, const gs_str_t *src, int plus,
    uint32_t *facts);

/*
 * A body without gzip or deflate in s->plain.  GS_AGAIN: cut at the bound;
 * GS_ERROR: malformed, what came out before it stands.
 */
gs_rc_t gs_guard_inflate(gs_guard_scratch_t *s, gs_str_t *out,
    const gs_str_t *in);
void *gs_guard_inflate_create(gs_mem_t *mem);
void gs_guard_inflate_destroy(void *zlib);           /* may be NULL */


#endif /* _GS_GUARD_PRIV_H_INCLUDED_ */
