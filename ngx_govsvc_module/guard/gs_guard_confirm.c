
/*
 * Copyright (C) govsvc authors
 *
 * Confirming: one condition about one view of one value; and the evidence
 * of it.
 */


#include "guard/gs_guard_priv.h"
#include "core/gs_utf8.h"
#include "core/gs_buf.h"


#define GS_GUARD_PLACES  512               /* tried by one call of PCRE2 */
#define GS_GUARD_WINDOW  2048              /* bytes that it sees */
#define GS_GUARD_STEPS   (32 * 1024 * 1024)


static void gs_guard_place(gs_guard_scratch_t *s, const gs_str_t *value,
    const char *marks);
static gs_rc_t gs_guard_confirm_texts(gs_guard_scratch_t *s,
    const gs_cond_t *cond, const gs_str_t *value);
static gs_rc_t gs_guard_confirm_lit(gs_guard_scratch_t *s,
    const gs_cond_t *cond, const gs_str_t *value);
static gs_rc_t gs_guard_confirm_pcre(gs_guard_scratch_t *s,
    const gs_cond_t *cond, const gs_str_t *value);
static int gs_guard_confirm_skip(gs_guard_scratch_t *s,
    const gs_str_t *value, size_t *to);
static int gs_guard_confirm_place(gs_guard_scratch_t *s,
    const gs_cond_t *cond, const gs_str_t *value, size_t at);
static int gs_guard_match(gs_guard_scratch_t *s, const gs_cond_t *cond,
    const gs_str_t *text, size_t from, size_t to, uint32_t options);
static gs_rc_t gs_guard_compare(gs_op_e op, uint64_t a, uint64_t b);
static gs_rc_t gs_guard_compare_text(gs_op_e op, const gs_str_t *text,
    uint64_t number);
static size_t gs_guard_find(const gs_str_t *value, size_t from,
    const gs_str_t *word);
static unsigned gs_guard_mask(gs_uchar_t *dst, const gs_value_t *v,
    const gs_str_t *text, size_t at);
static int gs_guard_secret(const gs_str_t *name);


/* GS_ERROR: it cannot be told within the limits. */

gs_rc_t
gs_guard_confirm(gs_guard_scratch_t *s, const gs_cond_t *cond,
    gs_value_t *v, unsigned view)
{
    int              yes;
    const gs_str_t  *value;

    value = &v->view[view];

    switch (cond->op) {

    case GS_OP_PCRE:
        return gs_guard_confirm_pcre(s, cond, value);

    case GS_OP_FLAG:
        yes = (v->facts & cond->flags) != 0
              || ((cond->flags & GS_FLAG_PROSE) && gs_guard_prose(v));
        break;

    case GS_OP_EXISTS:
        return GS_OK;

    case GS_OP_IN:
        yes = gs_guard_set_has(cond->set, value);
        break;

    case GS_OP_LENGTH:
        return gs_guard_compare(cond->compare, value->len, cond->number);

    case GS_OP_LT:
    case GS_OP_LE:
    case GS_OP_GT:
    case GS_OP_GE:
        return gs_guard_compare_text(cond->op, value, cond->number);

    case GS_OP_SQLI:
        s->unseen += value->len;
        yes = gs_guard_sqli(value);
        gs_guard_place(s, value, "'\"`");
        break;

    case GS_OP_XSS:
        s->unseen += value->len;
        yes = gs_guard_xss(s, value);
        gs_guard_place(s, value, "<");
        break;

    case GS_OP_LIT:
        return gs_guard_confirm_lit(s, cond, value);

    default:
        return gs_guard_confirm_texts(s, cond, value);
    }

    return yes ? GS_OK : GS_DECLINED;
}


/* A tokenizer tells no place: of a long value the evidence is at a mark. */

static void
gs_guard_place(gs_guard_scratch_t *s, const gs_str_t *value,
    const char *marks)
{
    size_t  i;

    if (value->len <= GS_GUARD_SAMPLE || s->at > 0) {
        return;
    }

    for (i = 0; i < value->len; i++) {
        if (value->data[i] != '\0' && strchr(marks, value->data[i]) != NULL) {
            s->at = i;
            return;
        }
    }
}


static gs_rc_t
gs_guard_confirm_texts(gs_guard_scratch_t *s, const gs_cond_t *cond,
    const gs_str_t *value)
{
    int              found;
    unsigned         i;
    const gs_str_t  *word;

    for (i = 0; i < cond->nvalues; i++) {
        word = &cond->values[i];

        switch (cond->op) {

        case GS_OP_PREFIX:
            found = gs_str_prefix(value, word);
            break;

        case GS_OP_SUFFIX:
            found = gs_str_suffix(value, word);
            break;

        default:
            found = gs_str_eq(value, word);
        }

        if (found) {
            return (cond->op == GS_OP_NE) ? GS_DECLINED : GS_OK;
        }
    }

    return (cond->op == GS_OP_NE) ? GS_OK : GS_DECLINED;
}


/* Case-blind; each "then" is looked for behind the text before it. */

static gs_rc_t
gs_guard_confirm_lit(gs_guard_scratch_t *s, const gs_cond_t *cond,
    const gs_str_t *value)
{
    size_t    at, from;
    unsigned  i, alive;

    from = 0;
    alive = 0;

    for (i = 0; i < cond->nvalues; i++) {

        if (!cond->then[i]) {

            if (alive) {
                return GS_OK;
            }

            from = 0;
            alive = 1;

        } else if (!alive) {
            continue;
        }

        if (gs_guard_tick(s, value->len - from)) {
            return GS_DECLINED;
        }

        at = gs_guard_find(value, from, &cond->values[i]);

        if (at == value->len) {
            alive = 0;
            continue;
        }

        if (from == 0) {
            s->at = at;
        }

        from = at + cond->values[i].len;
    }

    return alive ? GS_OK : GS_DECLINED;
}


/* The place of the word, or the length of the value. */

static size_t
gs_guard_find(const gs_str_t *value, size_t from, const gs_str_t *word)
{
    int       first;
    size_t    i;
    gs_str_t  part;

    if (word->len > value->len) {
        return value->len;
    }

    first = gs_to_lower(word->data[0]);

    for (i = from; i <= value->len - word->len; i++) {

        if (gs_to_lower(value->data[i]) == first) {
            part = gs_str_make(value->data + i, word->len);

            if (gs_str_case_eq(&part, word)) {
                return i;
            }
        }
    }

    return value->len;
}


/*
 * A long value is tried from so many places at a time, with a look at the
 * clock between.  A call sees no more of it than a window: only where a match
 * would read beyond, which PCRE2 tells, that one place is tried on all of it.
 */

static gs_rc_t
gs_guard_confirm_pcre(gs_guard_scratch_t *s, const gs_cond_t *cond,
    const gs_str_t *value)
{
    int       rc;
    size_t    from, to;
    gs_str_t  text;

    s->patterns++;

    for (from = 0; ; from = to + 1) {

        text = *value;
        to = value->len;

        if (to - from > GS_GUARD_PLACES) {
            to = from + GS_GUARD_PLACES;
        }

        if (value->len - from > GS_GUARD_WINDOW && !s->bare) {
            text.len = from + GS_GUARD_WINDOW;
        }

        rc = gs_guard_match(s, cond, &text, from, to,
                            text.len < value->len ? PCRE2_PARTIAL_HARD : 0);

        if (rc == PCRE2_ERROR_PARTIAL) {
            from = pcre2_get_ovector_pointer(s->match)[0];
            to = from;
            rc = gs_guard_confirm_place(s, cond, value, from);
        }

        if (rc >= 0 && gs_guard_confirm_skip(s, value, &to)) {
            from = (to < text.len) ? to : text.len;
            rc = PCRE2_ERROR_NOMATCH;
        }

        if (rc != PCRE2_ERROR_NOMATCH) {
            break;
        }

        if (to == value->len || cond->anchored
            || gs_guard_tick(s, 512 + (text.len - from) * 2))
        {
            s->unseen += 512 + text.len - from;
            return GS_DECLINED;
        }
    }

    s->unseen += 512 + text.len - from;

    if (rc >= 0) {
        s->at = pcre2_get_ovector_pointer(s->match)[0];
        return GS_OK;
    }

    switch (rc) {

    case PCRE2_ERROR_MATCHLIMIT:
    case PCRE2_ERROR_DEPTHLIMIT:
    case PCRE2_ERROR_HEAPLIMIT:
    case PCRE2_ERROR_JIT_STACKLIMIT:
        return GS_ERROR;

    default:
        s->broken = 1;
        return GS_ERROR;
    }
}


/* 1 if the match is to be left out; it goes on behind to. */

static int
gs_guard_confirm_skip(gs_guard_scratch_t *s, const gs_str_t *value,
    size_t *to)
{
    PCRE2_SPTR   mark;
    PCRE2_SIZE  *place;

    mark = pcre2_get_mark(s->match);

    if (mark == NULL) {
        return 0;
    }

    if (strcmp((const char *) mark, GS_GUARD_COMMIT) == 0) {
        *to = value->len;
        return 1;
    }

    if (strcmp((const char *) mark, GS_GUARD_SKIP) != 0) {
        return 0;
    }

    place = pcre2_get_ovector_pointer(s->match);
    *to = (place[1] > place[0]) ? place[1] - 1 : place[0];

    return 1;
}


/*
 * Each step of one place may read to the end: few are allowed at first, then
 * ever more, with a look at the clock between.
 */

static int
gs_guard_confirm_place(gs_guard_scratch_t *s, const gs_cond_t *cond,
    const gs_str_t *value, size_t at)
{
    int     rc;
    size_t  steps;

    steps = GS_GUARD_STEPS / (value->len - at + 1);
    rc = PCRE2_ERROR_MATCHLIMIT;

    for ( /* void */ ; steps < GS_GUARD_MATCH_LIMIT; steps *= 4) {

        (void) pcre2_set_match_limit(s->mctx, (uint32_t) steps);
        rc = gs_guard_match(s, cond, value, at, at, 0);

        if (rc != PCRE2_ERROR_MATCHLIMIT) {
            break;
        }

        if (gs_guard_tick(s, value->len - at)) {
            rc = PCRE2_ERROR_NOMATCH;
            break;
        }
    }

    (void) pcre2_set_match_limit(s->mctx, GS_GUARD_MATCH_LIMIT);

    if (rc == PCRE2_ERROR_MATCHLIMIT) {
        rc = gs_guard_match(s, cond, value, at, at, 0);
    }

    s->unseen += value->len - at;

    return rc;
}


/* A match that begins from the one place up to the other. */

static int
gs_guard_match(gs_guard_scratch_t *s, const gs_cond_t *cond,
    const gs_str_t *text, size_t from, size_t to, uint32_t options)
{
    PCRE2_SPTR  subject;

    subject = (text->len == 0) ? (PCRE2_SPTR) "" : text->data;

    (void) pcre2_set_offset_limit(s->mctx, to);

    if (cond->jit) {
        return pcre2_jit_match(cond->code, subject, text->len, from, options,
                               s->match, s->mctx);
    }

    return pcre2_match(cond->code, subject, text->len, from, options,
                       s->match, s->mctx);
}


static gs_rc_t
gs_guard_compare(gs_op_e op, uint64_t a, uint64_t b)
{
    int  yes;

    switch (op) {

    case GS_OP_LT:
        yes = (a < b);
        break;

    case GS_OP_LE:
        yes = (a <= b);
        break;

    case GS_OP_GT:
        yes = (a > b);
        break;

    default:
        yes = (a >= b);
    }

    return yes ? GS_OK : GS_DECLINED;
}


/*
 * Of a decimal number, with a sign or a fraction; one that no machine holds
 * is more than any.
 */

static gs_rc_t
gs_guard_compare_text(gs_op_e op, const gs_str_t *text, uint64_t number)
{
    int       minus, more;
    size_t    i, start;
    uint64_t  n;

    minus = (text->len > 0 && text->data[0] == '-');
    start = (text->len > 0 && (minus || text->data[0] == '+')) ? 1 : 0;
    more = 0;
    n = 0;

    for (i = start; i < text->len && gs_is_digit(text->data[i]); i++) {
        n = (n > UINT64_MAX / 10 - 1)
            ? UINT64_MAX : n * 10 + (uint64_t) (text->data[i] - '0');
    }

    if (i == start) {
        return GS_DECLINED;
    }

    if (i < text->len && text->data[i] == '.') {

        for (i++; i < text->len && gs_is_digit(text->data[i]); i++) {
            more |= (text->data[i] != '0');
        }
    }

    if (i < text->len) {
        return GS_DECLINED;
    }

    if (minus && (n > 0 || more)) {
        return (op == GS_OP_LT || op == GS_OP_LE) ? GS_OK : GS_DECLINED;
    }

    /* a fraction is above the number before it, and below the next */

    if (more && n == number) {
        return (op == GS_OP_GT || op == GS_OP_GE) ? GS_OK : GS_DECLINED;
    }

    return gs_guard_compare(op, n, number);
}


/* The last condition of a rule that held tells most: it takes the place. */

void
gs_guard_evidence(gs_guard_run_t *run, uint32_t rule, const gs_value_t *v,
    unsigned view)
{
    size_t                len;
    unsigned              i;
    gs_buf_t              b;
    gs_str_t              text;
    gs_guard_hit_t       *hit;
    gs_guard_scratch_t   *s;

    s = run->s;

    for (i = 0; i < s->nevidence && s->evidence[i].rule != rule; i++) {
        /* void */
    }

    if (i == GS_GUARD_EVIDENCE) {
        return;
    }

    s->nevidence += (i == s->nevidence);
    s->evidence[i].rule = rule;

    hit = &s->evidence[i].hit;
    hit->view = gs_guard_view_names[view];
    hit->sample_len = gs_guard_mask(hit->sample, v, &v->view[view], s->at);

    gs_buf_init(&b, hit->target, GS_GUARD_TARGET);
    gs_buf_text(&b, gs_guard_kind_word(v->kind, v->name.len > 0));

    if (v->name.len > 0) {
        gs_buf_char(&b, ':');

        len = (size_t) (b.last - b.pos);
        text = gs_str_make(v->name.data, v->name.len < len ? v->name.len
                                                           : len);
        gs_buf_str(&b, &text);
    }

    hit->target_len = (unsigned) gs_buf_len(&b);
}


void
gs_guard_evidence_take(const gs_guard_scratch_t *s, uint32_t rule,
    gs_guard_hit_t *hit)
{
    unsigned  i;

    for (i = 0; i < s->nevidence; i++) {
        if (s->evidence[i].rule == rule) {
            *hit = s->evidence[i].hit;
            return;
        }
    }

    hit->view = NULL;
    hit->target_len = 0;
    hit->sample_len = 0;
}


/*
 * What surrounds the match, with the middle of longer runs of digits (numbers
 * of identity cards, phones, accounts) masked and controls as dots.
 */

static unsigned
gs_guard_mask(gs_uchar_t *dst, const gs_value_t *v, const gs_str_t *text,
    size_t at)
{
    size_t    i, k, run, from, len;
    gs_str_t  name, rest;

    name = v->name;

    if (gs_guard_secret(&name)) {
        memcpy(dst, "***", 3);
        return 3;
    }

    from = (at > 16 && at <= text->len) ? at - 16 : 0;

    while (from > 0 && gs_is_digit(text->data[from])
           && gs_is_digit(text->data[from - 1]))
    {
        from--;
    }

    /* no half of a character, at neither end */

    for (k = 0; k < 3 && from > 0 && from < text->len
                && (text->data[from] & 0xc0) == 0x80; k++)
    {
        from++;
    }

    rest = gs_str_make(text->data + from, text->len - from);
    len = gs_utf8_cut(&rest, GS_GUARD_SAMPLE);

    for (i = 0; i < len; i += run) {

        for (run = 0;
             from + i + run < text->len
             && gs_is_digit(text->data[from + i + run]);
             run++)
        {
            /* void */
        }

        if (run == 0) {
            k = text->data[from + i];
            dst[i] = (gs_uchar_t) ((k < 0x20 || k == 0x7f) ? '.' : k);
            run = 1;
            continue;
        }

        for (k = 0; k < run && i + k < len; k++) {
            dst[i + k] = (run >= 7 && k >= 3 && k + 2 < run)
                         ? '*' : text->data[from + i + k];
        }
    }

    return (unsigned) len;
}


static int
gs_guard_secret(const gs_str_t *name)
{
    unsigned  i;
    gs_str_t  word;

    static const char *const  words[] = {
        "pass", "pwd", "token", "secret", "authorization", "cookie", "session"
    };

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        word = gs_str_text(words[i]);

        if (gs_guard_find(name, 0, &word) != name->len) {
            return 1;
        }
    }

    return 0;
}
