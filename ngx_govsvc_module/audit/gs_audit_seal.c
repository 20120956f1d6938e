
/*
 * Copyright (C) govsvc authors
 *
 * State and index of a sealed store.
 */


#include "audit/gs_audit_seal.h"


static gs_rc_t gs_audit_seal_word(gs_str_t *rest, gs_str_t *word, int end);
static gs_rc_t gs_audit_seal_number(gs_str_t *rest, uint64_t *n);
static gs_rc_t gs_audit_seal_name(const gs_str_t *name);


void
gs_audit_state_put(gs_buf_t *b, const gs_audit_state_t *state)
{
    gs_audit_checkpoint_put(b, &state->point);
    gs_buf_u64(b, state->index);
    gs_buf_char(b, '\n');
}


gs_rc_t
gs_audit_state_parse(const gs_str_t *text, gs_audit_state_t *state)
{
    unsigned  i;
    gs_str_t  rest, line;

    if (text->len > GS_AUDIT_STATE_MAX
        || gs_audit_checkpoint_parse(text, &state->point) != GS_OK)
    {
        return GS_ERROR;
    }

    rest = *text;

    for (i = 0; i < 4; i++) {
        if (gs_audit_seal_word(&rest, &line, '\n') != GS_OK) {
            return GS_ERROR;
        }
    }

    if (rest.len != 0 || (line.len > 1 && line.data[0] == '0')) {
        return GS_ERROR;
    }

    return gs_parse_u64(&line, &state->index);
}


void
gs_audit_run_put(gs_buf_t *b, const gs_audit_run_t *run)
{
    gs_buf_u64(b, run->leaf);
    gs_buf_char(b, ' ');
    gs_buf_u64(b, run->n);
    gs_buf_char(b, ' ');
    gs_buf_u64(b, run->seq);
    gs_buf_char(b, ' ');
    gs_buf_u64(b, run->bytes);
    gs_buf_char(b, ' ');
    gs_buf_str(b, &run->segment);
    gs_buf_char(b, ' ');
    gs_buf_str(b, &run->chain);
    gs_buf_text(b, run->closed ? " end\n" : "\n");
}


gs_rc_t
gs_audit_run_parse(const gs_str_t *line, gs_audit_run_t *run)
{
    size_t    blank;
    gs_str_t  rest;

    rest = *line;

    if (gs_audit_seal_number(&rest, &run->leaf) != GS_OK
        || gs_audit_seal_number(&rest, &run->n) != GS_OK
        || gs_audit_seal_number(&rest, &run->seq) != GS_OK
        || gs_audit_seal_number(&rest, &run->bytes) != GS_OK
        || gs_audit_seal_word(&rest, &run->segment, ' ') != GS_OK)
    {
        return GS_ERROR;
    }

    blank = gs_str_chr(&rest, 0, ' ');
    run->chain = gs_str_make(rest.data, blank);
    run->closed = (blank != rest.len);

    if (run->closed) {
        rest = gs_str_make(rest.data + blank, rest.len - blank);

        if (!gs_str_eq_text(&rest, " end")) {
            return GS_ERROR;
        }
    }

    /* sums of these are taken */

    if (run->n == 0 || run->n >> 62 != 0 || run->leaf >> 62 != 0
        || run->seq >> 62 != 0
        || gs_audit_seal_name(&run->segment) != GS_OK
        || gs_audit_seal_name(&run->chain) != GS_OK)
    {
        return GS_ERROR;
    }

    return GS_OK;
}


/* The names of files in a folder, nothing else. */

static gs_rc_t
gs_audit_seal_name(const gs_str_t *name)
{
    if (name->len == 0 || name->len >= GS_AUDIT_NAME_MAX
        || name->data[0] == '.'
        || memchr(name->data, '/', name->len) != NULL
        || memchr(name->data, '\n', name->len) != NULL
        || memchr(name->data, '\0', name->len) != NULL)
    {
        return GS_ERROR;
    }

    return GS_OK;
}


static gs_rc_t
gs_audit_seal_word(gs_str_t *rest, gs_str_t *word, int end)
{
    size_t  n;

    n = gs_str_chr(rest, 0, end);

    if (n == rest->len) {
        return GS_ERROR;
    }

    *word = gs_str_make(rest->data, n);
    *rest = gs_str_make(rest->data + n + 1, rest->len - n - 1);

    return GS_OK;
}


static gs_rc_t
gs_audit_seal_number(gs_str_t *rest, uint64_t *n)
{
    gs_str_t  word;

    if (gs_audit_seal_word(rest, &word, ' ') != GS_OK
        || gs_parse_u64(&word, n) != GS_OK)
    {
        return GS_ERROR;
    }

    /* one number has one form */

    return (word.len > 1 && word.data[0] == '0') ? GS_ERROR : GS_OK;
}


gs_audit_alg_e
gs_audit_seal_alg(const gs_str_t *origin)
{
    gs_str_t  tail;

    tail = gs_str_text("/sm3");

    return gs_str_suffix(origin, &tail) ? GS_AUDIT_SM3 : GS_AUDIT_SHA256;
}
