
/*
 * Copyright (C) govsvc authors
 *
 * What a pattern needs: literals, and bytes.  Reads the syntax of PCRE2 far
 * enough to tell what every match contains, and gives up on all that it does
 * not know: a need that is not found costs time, a wrong one would hide
 * attacks.
 */


#include "guard/gs_guard_lit_priv.h"


typedef struct {
    gs_guard_lits_t    best;
    gs_guard_gate_t    gate;               /* of the whole sequence */
    unsigned           nalts;              /* and of one group in it */
    gs_guard_gate_t    alts[GS_GUARD_MAX_GATES];
    gs_guard_gate_t    sum;                /* of alts */
    gs_uchar_t         run[GS_LIT_RUN];
    unsigned           n;
    gs_lit_near_t      entry;              /* of the sequence */
    gs_lit_near_t      left;               /* of the place reached */
    gs_lit_near_t      start;              /* left of the run */
    gs_lit_near_t      right;              /* of the best words */
} gs_lit_seq_t;


static gs_rc_t gs_lit_sequence(gs_lit_t *l, gs_guard_lits_t *lits,
    gs_lit_near_t *entry, gs_lit_near_t *exit);
static gs_rc_t gs_lit_step(gs_lit_t *l, gs_lit_seq_t *seq,
    gs_lit_atom_t *atom, const gs_guard_lits_t *set);
static gs_rc_t gs_lit_text(gs_lit_t *l, gs_lit_seq_t *seq,
    const gs_lit_atom_t *atom, int once);
static void gs_lit_group(gs_lit_t *l, gs_lit_seq_t *seq,
    const gs_lit_atom_t *atom, const gs_guard_lits_t *set,
    const gs_lit_near_t *left, int once);
static gs_rc_t gs_lit_flush(gs_lit_t *l, gs_lit_seq_t *seq);
static void gs_lit_take(gs_guard_lits_t *lits, const gs_guard_lits_t *set);
static size_t gs_lit_weight(const gs_guard_lits_t *lits);
static void gs_lit_gates(gs_lit_seq_t *seq, gs_guard_lits_t *lits);
static void gs_lit_gate_group(gs_lit_seq_t *seq, const gs_guard_lits_t *set);
static void gs_lit_gate_join(gs_guard_lits_t *lits,
    const gs_guard_lits_t *branch, int alone);
static void gs_lit_gate_and(gs_guard_gate_t *gate,
    const gs_guard_gate_t *other);
static void gs_lit_gate_any(gs_guard_gate_t *gate, uint64_t any);
static gs_guard_gate_t gs_lit_gate_sum(const gs_guard_gate_t *gates,
    unsigned n);
static uint64_t gs_lit_gate_picks(const gs_guard_gate_t *gates, unsigned n,
    uint64_t besides);
static uint64_t gs_lit_gate_pick(const gs_guard_gate_t *gate);
static unsigned gs_lit_gate_weight(const gs_guard_gate_t *gates, unsigned n);


gs_rc_t
gs_guard_literals(gs_guard_lits_t *lits, gs_mem_t *mem,
    const gs_str_t *pattern)
{
    gs_rc_t        rc;
    gs_lit_t       l;
    gs_lit_near_t  entry, exit;

    lits->n = 0;
    lits->ngates = 0;
    lits->nears = NULL;

    if (pattern->len == 0) {
        return GS_DECLINED;
    }

    l.mem = mem;
    l.p = pattern->data;
    l.last = pattern->data + pattern->len;
    l.depth = 0;
    l.failed = 0;
    l.nnears = 1;
    gs_lit_near_any(&l.nears[0]);

    rc = gs_lit_alternation(&l, lits, &entry, &exit);

    if (rc == GS_OK && l.p == l.last && lits->n > 0
        && gs_lit_near_words(&l, lits) != GS_OK)
    {
        l.failed = 1;
    }

    if (l.failed) {
        lits->n = 0;
        lits->ngates = 0;
        return GS_ERROR;
    }

    if (rc != GS_OK || l.p != l.last) {
        lits->n = 0;
        lits->ngates = 0;
        return GS_DECLINED;
    }

    return (lits->n == 0) ? GS_DECLINED : GS_OK;
}


int
gs_guard_gate_open(const gs_guard_gate_t *gates, unsigned n, uint64_t bytes)
{
    unsigned  i;

    for (i = 0; i < n; i++) {
        if ((bytes & gates[i].all) == gates[i].all
            && (gates[i].any[0] == 0 || (bytes & gates[i].any[0]))
            && (gates[i].any[1] == 0 || (bytes & gates[i].any[1])))
        {
            return 1;
        }
    }

    return n == 0;
}


uint64_t
gs_guard_gate_bytes(const gs_guard_gate_t *gates, unsigned n)
{
    return (n == 0) ? 0 : gs_lit_gate_picks(gates, n, 0);
}


/* Each branch must give a set; the union is that of the whole. */

gs_rc_t
gs_lit_alternation(gs_lit_t *l, gs_guard_lits_t *lits, gs_lit_near_t *entry,
    gs_lit_near_t *exit)
{
    int              none, first;
    gs_lit_near_t    in, out;
    gs_guard_lits_t  branch;

    none = 0;
    lits->n = 0;
    lits->ngates = 0;

    if (l->depth == GS_LIT_DEPTH) {
        return GS_DECLINED;
    }

    l->depth++;

    for (first = 1; /* void */ ; first = 0) {

        if (gs_lit_sequence(l, &branch, &in, &out) != GS_OK) {
            return GS_DECLINED;
        }

        if (first) {
            *entry = in;
            *exit = out;

        } else {
            gs_lit_near_or(entry, &in);
            gs_lit_near_or(exit, &out);
        }

        gs_lit_gate_join(lits, &branch, lits->ngates == 0
                                        && (l->p == l->last || *l->p != '|'));

        if (branch.n == 0 || lits->n + branch.n > GS_GUARD_MAX_LITS) {
            none = 1;

        } else {
            gs_lit_take(lits, &branch);
        }

        if (l->p == l->last || *l->p != '|') {
            break;
        }

        l->p++;
    }

    if (none) {
        lits->n = 0;
    }

    l->depth--;

    return GS_OK;
}


static gs_rc_t
gs_lit_sequence(gs_lit_t *l, gs_guard_lits_t *lits, gs_lit_near_t *entry,
    gs_lit_near_t *exit)
{
    unsigned         i;
    gs_lit_seq_t     seq;
    gs_lit_near_t    near;
    gs_lit_atom_t    atom;
    gs_guard_lits_t  set;

    seq.n = 0;
    seq.best.n = 0;
    seq.nalts = 0;
    memset(&seq.gate, 0, sizeof(gs_guard_gate_t));

    gs_lit_near_open(&seq.entry);
    gs_lit_near_open(&seq.left);
    gs_lit_near_open(&seq.right);

    while (l->p < l->last && *l->p != '|' && *l->p != ')') {

        if (gs_lit_atom(l, &atom, &set) != GS_OK
            || gs_lit_step(l, &seq, &atom, &set) != GS_OK)
        {
            return GS_DECLINED;
        }
    }

    if (gs_lit_flush(l, &seq) != GS_OK) {
        return GS_DECLINED;
    }

    gs_lit_gates(&seq, lits);

    for (i = 0; i < seq.best.n; i++) {
        near = l->nears[seq.best.after[i]];
        gs_lit_near_join(&near, &seq.right);
        seq.best.after[i] = (gs_uchar_t) gs_lit_near_keep(l, &near);
    }

    lits->n = 0;
    gs_lit_take(lits, &seq.best);

    *entry = seq.entry;
    *exit = seq.left;

    return GS_OK;
}


static gs_rc_t
gs_lit_step(gs_lit_t *l, gs_lit_seq_t *seq, gs_lit_atom_t *atom,
    const gs_guard_lits_t *set)
{
    int            once, zero;
    gs_lit_near_t  left;

    if (gs_lit_quantifier(l, &once, &zero) != GS_OK) {
        return GS_DECLINED;
    }

    if (atom->kind == GS_LIT_NOTHING) {
        return once ? GS_OK : GS_DECLINED;
    }

    if (zero) {
        atom->entry.open = 1;
        atom->exit.open = 1;
        atom->entry.bound = 0;
        atom->exit.bound = 0;
    }

    gs_lit_near_join(&seq->entry, &atom->entry);

    if (!zero && (atom->kind == GS_LIT_CHAR || atom->kind == GS_LIT_BLANK)) {
        return gs_lit_text(l, seq, atom, once);
    }

    if (gs_lit_flush(l, seq) != GS_OK) {
        return GS_DECLINED;
    }

    gs_lit_near_join(&seq->right, &atom->entry);

    left = seq->left;
    gs_lit_near_pass(&seq->left, &atom->exit);

    if (zero) {
        return GS_OK;
    }

    if (atom->kind == GS_LIT_CLASS) {
        gs_lit_gate_any(&seq->gate, atom->any);

    } else if (atom->kind == GS_LIT_SET) {
        gs_lit_group(l, seq, atom, set, &left, once);
        gs_lit_gate_group(seq, set);
    }

    return GS_OK;
}


/* One more byte of the run; the last of what is repeated begins another. */

static gs_rc_t
gs_lit_text(gs_lit_t *l, gs_lit_seq_t *seq, const gs_lit_atom_t *atom,
    int once)
{
    gs_lit_near_t  again;

    seq->gate.all |= (atom->any == 0) ? gs_lit_bit(atom->value) : 0;
    gs_lit_gate_any(&seq->gate, atom->any);

    if (seq->n == 0) {
        seq->start = seq->left;
    }

    seq->run[seq->n++] = atom->value;

    gs_lit_near_join(&seq->right, &atom->entry);
    gs_lit_near_pass(&seq->left, &atom->exit);

    if (once && seq->n < GS_LIT_RUN) {
        return GS_OK;
    }

    if (gs_lit_flush(l, seq) != GS_OK) {
        return GS_DECLINED;
    }

    again = atom->entry;
    again.open = 1;
    gs_lit_near_join(&seq->right, &again);

    gs_lit_near_any(&seq->start);
    seq->run[seq->n++] = atom->value;

    return GS_OK;
}


/* The words of a group, with what stands around it. */

static void
gs_lit_group(gs_lit_t *l, gs_lit_seq_t *seq, const gs_lit_atom_t *atom,
    const gs_guard_lits_t *set, const gs_lit_near_t *left, int once)
{
    unsigned       i;
    gs_lit_near_t  near, again;

    if (gs_lit_weight(set) <= gs_lit_weight(&seq->best)) {
        return;
    }

    again = *left;
    gs_lit_near_open(&seq->right);

    if (!once) {
        gs_lit_near_or(&again, &atom->exit);
        near = atom->entry;
        near.open = 1;
        near.bound = 0;
        gs_lit_near_join(&seq->right, &near);
    }

    seq->best.n = 0;
    gs_lit_take(&seq->best, set);

    for (i = 0; i < set->n; i++) {
        near = l->nears[set->before[i]];
        gs_lit_near_join(&near, &again);
        seq->best.before[i] = (gs_uchar_t) gs_lit_near_keep(l, &near);
    }
}


static gs_rc_t
gs_lit_flush(gs_lit_t *l, gs_lit_seq_t *seq)
{
    gs_str_t         run;
    gs_lit_near_t    open;
    gs_guard_lits_t  set;

    if (seq->n == 0) {
        return GS_OK;
    }

    run = gs_str_make(seq->run, seq->n);
    seq->n = 0;

    set.n = 1;
    set.words[0] = run;

    if (gs_lit_weight(&set) <= gs_lit_weight(&seq->best)) {
        return GS_OK;
    }

    run = gs_str_dup(l->mem, &run);

    if (run.data == NULL) {
        l->failed = 1;
        return GS_ERROR;
    }

    gs_lit_near_open(&open);
    gs_lit_near_open(&seq->right);

    seq->best.n = 1;
    seq->best.words[0] = run;
    seq->best.before[0] = (gs_uchar_t) gs_lit_near_keep(l, &seq->start);
    seq->best.after[0] = (gs_uchar_t) gs_lit_near_keep(l, &open);

    return GS_OK;
}


/* Behind those that are there; there is room. */

static void
gs_lit_take(gs_guard_lits_t *lits, const gs_guard_lits_t *set)
{
    memcpy(&lits->words[lits->n], set->words, set->n * sizeof(gs_str_t));
    memcpy(&lits->before[lits->n], set->before, set->n);
    memcpy(&lits->after[lits->n], set->after, set->n);
    lits->n += set->n;
}


/* Long words are rare in honest text; many words are less rare. */

static size_t
gs_lit_weight(const gs_guard_lits_t *lits)
{
    size_t    min;
    unsigned  i;

    if (lits->n == 0) {
        return 0;
    }

    min = lits->words[0].len;

    for (i = 1; i < lits->n; i++) {
        if (lits->words[i].len < min) {
            min = lits->words[i].len;
        }
    }

    return min * 2 * GS_GUARD_MAX_LITS - lits->n;
}


/* What the whole sequence needs, with each branch of one of its groups. */

static void
gs_lit_gates(gs_lit_seq_t *seq, gs_guard_lits_t *lits)
{
    unsigned  i;

    if (seq->nalts == 0) {
        lits->ngates = 1;
        lits->gates[0] = seq->gate;
        lits->sum = seq->gate;
        return;
    }

    lits->sum = seq->sum;
    gs_lit_gate_and(&lits->sum, &seq->gate);
    lits->ngates = seq->nalts;

    for (i = 0; i < seq->nalts; i++) {
        lits->gates[i] = seq->alts[i];
        gs_lit_gate_and(&lits->gates[i], &seq->gate);
    }
}


static void
gs_lit_gate_group(gs_lit_seq_t *seq, const gs_guard_lits_t *set)
{
    if (set->ngates == 0) {
        return;
    }

    if (set->ngates > 1
        && gs_lit_gate_weight(set->gates, set->ngates)
           > gs_lit_gate_weight(seq->alts, seq->nalts))
    {
        if (seq->nalts > 0) {
            gs_lit_gate_and(&seq->gate, &seq->sum);
        }

        memcpy(seq->alts, set->gates, set->ngates * sizeof(gs_guard_gate_t));
        seq->nalts = set->ngates;
        seq->sum = set->sum;
        return;
    }

    gs_lit_gate_and(&seq->gate, &set->sum);
}


static void
gs_lit_gate_join(gs_guard_lits_t *lits, const gs_guard_lits_t *branch,
    int alone)
{
    gs_guard_gate_t  *last, pair[2];

    pair[0] = lits->sum;
    pair[1] = branch->sum;
    lits->sum = (lits->ngates == 0) ? branch->sum : gs_lit_gate_sum(pair, 2);

    if (alone
        || (branch->ngates <= GS_LIT_BRANCH
            && lits->ngates + branch->ngates <= GS_GUARD_MAX_GATES))
    {
        memcpy(&lits->gates[lits->ngates], branch->gates,
               branch->ngates * sizeof(gs_guard_gate_t));
        lits->ngates += branch->ngates;
        return;
    }

    if (lits->ngates < GS_GUARD_MAX_GATES) {
        lits->gates[lits->ngates++] = pair[1];
        return;
    }

    last = &lits->gates[lits->ngates - 1];
    pair[0] = *last;
    *last = gs_lit_gate_sum(pair, 2);
}


static void
gs_lit_gate_and(gs_guard_gate_t *gate, const gs_guard_gate_t *other)
{
    gate->all |= other->all;
    gs_lit_gate_any(gate, other->any[0]);
    gs_lit_gate_any(gate, other->any[1]);
}


/* The two smallest sets are kept. */

static void
gs_lit_gate_any(gs_guard_gate_t *gate, uint64_t any)
{
    uint64_t  other;

    if (any == 0 || (any & gate->all)) {
        return;
    }

    if (gate->any[0] == 0
        || __builtin_popcountll(any) < __builtin_popcountll(gate->any[0]))
    {
        other = gate->any[0];
        gate->any[0] = any;
        any = other;
    }

    if (gate->any[1] == 0
        || (any != 0 && __builtin_popcountll(any)
                        < __builtin_popcountll(gate->any[1])))
    {
        gate->any[1] = any;
    }
}


/* One gate in the place of many: never closed where one of them is open. */

static gs_guard_gate_t
gs_lit_gate_sum(const gs_guard_gate_t *gates, unsigned n)
{
    unsigned         i, k;
    uint64_t         any;
    gs_guard_gate_t  sum;

    if (n == 1) {
        return gates[0];
    }

    sum.all = ~(uint64_t) 0;
    sum.any[0] = 0;
    sum.any[1] = 0;

    for (i = 0; i < n; i++) {
        sum.all &= gates[i].all;
    }

    for (k = 0; k < 2; k++) {

        any = gates[0].any[k];

        for (i = 1; i < n; i++) {
            if (gates[i].any[0] != any && gates[i].any[1] != any) {
                any = 0;
            }
        }

        gs_lit_gate_any(&sum, any);
    }

    gs_lit_gate_any(&sum, gs_lit_gate_picks(gates, n, sum.all));

    return sum;
}


/* A byte, or a set, that each gate needs besides; 0 if one needs none. */

static uint64_t
gs_lit_gate_picks(const gs_guard_gate_t *gates, unsigned n, uint64_t besides)
{
    unsigned         i;
    uint64_t         pick, picks;
    gs_guard_gate_t  gate;

    picks = 0;

    for (i = 0; i < n; i++) {
        gate = gates[i];
        gate.all &= ~besides;
        pick = gs_lit_gate_pick(&gate);

        if (pick == 0) {
            return 0;
        }

        picks |= pick;
    }

    return picks;
}


/* What tells most of a gate in one set: a mark, then a small set. */

static uint64_t
gs_lit_gate_pick(const gs_guard_gate_t *gate)
{
    uint64_t     marks;
    const char  *p;

    static const char  rare[] = "qzjxkvwybfgmpdulchrnsioate";

    marks = gate->all & ~(uint64_t) GS_BYTE_LETTER;

    if (marks != 0) {
        return marks & -marks;
    }

    if (gate->any[0] != 0) {
        return gate->any[0];
    }

    for (p = rare; *p != '\0'; p++) {
        if (gate->all & gs_lit_bit(*p)) {
            return gs_lit_bit(*p);
        }
    }

    return 0;
}


/* Of the gate that is open most. */

static unsigned
gs_lit_gate_weight(const gs_guard_gate_t *gates, unsigned n)
{
    unsigned  i, weight, least;

    least = (unsigned) -1;

    for (i = 0; i < n; i++) {
        weight = (unsigned) __builtin_popcountll(gates[i].all
                                                 & GS_BYTE_LETTER)
                 + 4 * (unsigned) __builtin_popcountll(gates[i].all
                                            & ~(uint64_t) GS_BYTE_LETTER)
                 + 3 * ((gates[i].any[0] != 0) + (gates[i].any[1] != 0));

        least = (weight < least) ? weight : least;
    }

    return (n == 0) ? 0 : least;
}
