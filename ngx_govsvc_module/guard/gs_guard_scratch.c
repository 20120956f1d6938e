
/*
 * Copyright (C) govsvc authors
 *
 * Work space of checks: bitmaps, buffers of views and bodies, PCRE2's own.
 */


#include "guard/gs_guard_priv.h"


#define GS_GUARD_JIT_STACK_MIN  (32 * 1024)
#define GS_GUARD_JIT_STACK_MAX  (512 * 1024)
#define GS_GUARD_HEAP_LIMIT     1024       /* KiB, of the interpreter */


static gs_rc_t gs_guard_scratch_buffers(gs_guard_scratch_t *s, size_t body);
static gs_rc_t gs_guard_scratch_pcre(gs_guard_scratch_t *s);


gs_guard_scratch_t *
gs_guard_scratch_create(const gs_guard_t *guard, gs_mem_t *mem, size_t body)
{
    uint64_t            *bits;
    gs_guard_scratch_t  *s;

    s = gs_calloc(mem, 1, sizeof(gs_guard_scratch_t));
    if (s == NULL) {
        return NULL;
    }

    s->mem = mem;

    bits = gs_calloc(mem, (size_t) guard->slot_words * 2 + guard->cond_words * 4
                          + guard->rule_words, sizeof(uint64_t));
    s->cand = bits;
    s->evidence = gs_calloc(mem, GS_GUARD_EVIDENCE,
                            sizeof(gs_guard_evidence_t));
    s->known = gs_guard_known_create(mem);

    if (bits == NULL || s->evidence == NULL || s->known == NULL
        || gs_guard_scratch_buffers(s, body) != GS_OK
        || gs_guard_scratch_pcre(s) != GS_OK)
    {
        gs_guard_scratch_destroy(s);
        return NULL;
    }

    s->hit = bits + guard->slot_words;
    s->undecided = s->hit + guard->cond_words;
    s->touched = s->undecided + guard->cond_words;
    s->live = s->touched + guard->rule_words;
    s->outer.open = s->live + guard->cond_words;
    s->outer.cand = s->outer.open + guard->cond_words;

    return s;
}


/* No view is longer than its value, and no value longer than the body. */

static gs_rc_t
gs_guard_scratch_buffers(gs_guard_scratch_t *s, size_t body)
{
    unsigned  i;

    s->size = (body > GS_GUARD_MAX_VALUE) ? body : GS_GUARD_MAX_VALUE;

    for (i = GS_VIEW_URL; i < GS_VIEWS; i++) {

        s->view[i] = gs_alloc(s->mem, s->size);
        if (s->view[i] == NULL) {
            return GS_ERROR;
        }
    }

    s->text = gs_alloc(s->mem, s->size);
    s->text2 = gs_alloc(s->mem, s->size);
    s->inner = gs_alloc(s->mem, s->size);

    if (s->text == NULL || s->text2 == NULL || s->inner == NULL) {
        return GS_ERROR;
    }

    if (body == 0) {
        return GS_OK;
    }

    s->body = gs_alloc(s->mem, s->size);
    s->plain = gs_alloc(s->mem, s->size);

    if (s->body == NULL || s->plain == NULL) {
        return GS_ERROR;
    }

    s->zlib = gs_guard_inflate_create(s->mem);

    return (s->zlib == NULL) ? GS_ERROR : GS_OK;
}


static gs_rc_t
gs_guard_scratch_pcre(gs_guard_scratch_t *s)
{
    s->gctx = gs_guard_pcre_context(s->mem);
    if (s->gctx == NULL) {
        return GS_ERROR;
    }

    s->match = pcre2_match_data_create(1, s->gctx);
    s->mctx = pcre2_match_context_create(s->gctx);

    if (s->match == NULL || s->mctx == NULL) {
        return GS_ERROR;
    }

    (void) pcre2_set_match_limit(s->mctx, GS_GUARD_MATCH_LIMIT);
    (void) pcre2_set_depth_limit(s->mctx, GS_GUARD_MATCH_LIMIT);
    (void) pcre2_set_heap_limit(s->mctx, GS_GUARD_HEAP_LIMIT);

    /* NULL where PCRE2 has no JIT: then there is nothing to assign either */

    s->stack = pcre2_jit_stack_create(GS_GUARD_JIT_STACK_MIN,
                                      GS_GUARD_JIT_STACK_MAX, s->gctx);
    if (s->stack != NULL) {
        pcre2_jit_stack_assign(s->mctx, NULL, s->stack);
    }

    return GS_OK;
}


void
gs_guard_scratch_destroy(gs_guard_scratch_t *s)
{
    unsigned  i;

    if (s == NULL) {
        return;
    }

    pcre2_jit_stack_free(s->stack);
    pcre2_match_context_free(s->mctx);
    pcre2_match_data_free(s->match);
    pcre2_general_context_free(s->gctx);

    gs_guard_inflate_destroy(s->zlib);

    for (i = GS_VIEW_URL; i < GS_VIEWS; i++) {
        gs_free(s->mem, s->view[i]);
    }

    gs_free(s->mem, s->text);
    gs_free(s->mem, s->text2);
    gs_free(s->mem, s->inner);
    gs_free(s->mem, s->body);
    gs_free(s->mem, s->plain);
    gs_free(s->mem, s->evidence);
    gs_free(s->mem, s->known);
    gs_free(s->mem, s->cand);
    gs_free(s->mem, s);
}


void
gs_guard_pieces_begin(gs_guard_pieces_t *p, gs_guard_scratch_t *s, size_t max)
{
    p->data = s->body;
    p->size = 0;
    p->max = (s->body == NULL) ? 0 : (max < s->size) ? max : s->size;
    p->cut = 0;
}


gs_uchar_t *
gs_guard_pieces_next(gs_guard_pieces_t *p, uint64_t n, size_t *take)
{
    gs_uchar_t  *dst;

    *take = p->max - p->size;

    if (n > *take) {
        p->cut = 1;

    } else {
        *take = (size_t) n;
    }

    dst = p->data + p->size;
    p->size += *take;

    return dst;
}


void
gs_guard_pieces_end(const gs_guard_pieces_t *p, gs_guard_input_t *in)
{
    in->body = gs_str_make(p->data, p->size);
    in->body_cut = p->cut;
}
