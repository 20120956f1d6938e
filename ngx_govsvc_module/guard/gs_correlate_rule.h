
/*
 * Copyright (C) govsvc authors
 *
 * Inside of the parser of correlations.
 */


#ifndef _GS_CORRELATE_RULE_H_INCLUDED_
#define _GS_CORRELATE_RULE_H_INCLUDED_


#include "guard/gs_guard_priv.h"


/* A rule on its way; what it shares with others is read into base. */
typedef struct {
    gs_correlate_rule_t  *rule;
    gs_guard_rule_t       base;
    uint64_t              at[GS_CORRELATE_STEPS];       /* 0: the measure's */
    unsigned              measured:1;
    unsigned              keyed:1;
} gs_correlate_draft_t;


/* Lines of a correlation, behind their first word. */
gs_rc_t gs_correlate_key(gs_guard_parser_t *p, gs_correlate_draft_t *d);
gs_rc_t gs_correlate_count_line(gs_guard_parser_t *p,
    gs_correlate_draft_t *d);
gs_rc_t gs_correlate_distinct(gs_guard_parser_t *p, gs_correlate_draft_t *d);
gs_rc_t gs_correlate_sequence(gs_guard_parser_t *p, gs_correlate_draft_t *d);
gs_rc_t gs_correlate_rate(gs_guard_parser_t *p, gs_correlate_draft_t *d);

/* A number within bounds, named in errors; a word that must stand here. */
gs_rc_t gs_correlate_number(gs_guard_parser_t *p, const char *what,
    uint64_t min, uint64_t max, uint64_t *n);
gs_rc_t gs_correlate_exactly(gs_guard_parser_t *p, const char *word);


#endif /* _GS_CORRELATE_RULE_H_INCLUDED_ */
