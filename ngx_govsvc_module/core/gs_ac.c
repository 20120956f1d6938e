
/*
 * Copyright (C) govsvc authors
 *
 * Aho-Corasick over byte classes.  The states are numbered so that those at
 * which a word ends come last: the scan asks one comparison of each byte.
 */


#include "core/gs_ac.h"


#define GS_AC_NONE  0xffffffffu


typedef uint16_t  gs_ac_state_t;


typedef struct {
    uint32_t  word;                        /* first that ends here, or NONE */
    uint32_t  suffix;                      /* nearest state with a word, 0 */
} gs_ac_out_t;


struct gs_ac_s {
    gs_uchar_t      classes[256];
    unsigned        shift;                 /* a row has 1 << shift columns */
    unsigned        states;
    unsigned        first_out;
    unsigned        nwords;
    size_t          size;
    gs_ac_state_t  *next;                  /* states rows */
    gs_ac_out_t    *out;                   /* of states from first_out */
    uint32_t       *ids;                   /* of words */
    uint32_t       *chain;                 /* next word of the same state */
};


typedef struct {
    unsigned        max;
    unsigned        states;
    unsigned        shift;
    gs_ac_state_t  *next;
    gs_ac_out_t    *out;
    gs_ac_state_t  *fail;
    gs_ac_state_t  *queue;
    gs_ac_state_t  *number;                /* old state to new */
    uint32_t       *chain;
} gs_ac_work_t;


static unsigned gs_ac_classes(gs_uchar_t *classes, const gs_ac_word_t *words,
    size_t n);
static gs_rc_t gs_ac_work_create(gs_ac_work_t *w, gs_mem_t *temp, size_t n);
static void gs_ac_work_free(gs_ac_work_t *w, gs_mem_t *temp);
static void gs_ac_trie(gs_ac_work_t *w, const gs_uchar_t *classes,
    const gs_ac_word_t *words, size_t n);
static void gs_ac_links(gs_ac_work_t *w);
static unsigned gs_ac_number(gs_ac_work_t *w);
static gs_ac_t *gs_ac_pack(gs_ac_work_t *w, gs_mem_t *mem,
    const gs_uchar_t *classes, const gs_ac_word_t *words, size_t n);


gs_rc_t
gs_ac_compile(gs_ac_t **ac, gs_mem_t *mem, gs_mem_t *temp,
    const gs_ac_word_t *words, size_t n, gs_err_t *err)
{
    size_t        i, total;
    unsigned      nclasses;
    gs_uchar_t    classes[256];
    gs_ac_work_t  w;

    total = 1;

    for (i = 0; i < n; i++) {
        if (words[i].text.len >= GS_AC_MAX_STATES - total) {
            return gs_err(err, "too many literals: more than %u bytes in all",
                          (unsigned) GS_AC_MAX_STATES);
        }

        total += words[i].text.len;
    }

    nclasses = gs_ac_classes(classes, words, n);

    memset(&w, 0, sizeof(gs_ac_work_t));
    w.max = (unsigned) total;

    while ((1u << w.shift) < nclasses) {
        w.shift++;
    }

    *ac = NULL;

    if (gs_ac_work_create(&w, temp, n) == GS_OK) {
        gs_ac_trie(&w, classes, words, n);
        gs_ac_links(&w);

        *ac = gs_ac_pack(&w, mem, classes, words, n);
    }

    gs_ac_work_free(&w, temp);

    if (*ac == NULL) {
        return gs_err(err, "no memory for %zu literals", n);
    }

    return GS_OK;
}


/* Class 0 is every byte that occurs in no word. */

static unsigned
gs_ac_classes(gs_uchar_t *classes, const gs_ac_word_t *words, size_t n)
{
    int       c;
    size_t    i, k;
    unsigned  next;

    memset(classes, 0, 256);
    next = 1;

    for (i = 0; i < n; i++) {
        for (k = 0; k < words[i].text.len; k++) {
            c = gs_to_lower(words[i].text.data[k]);

            if (classes[c] == 0) {
                classes[c] = (gs_uchar_t) next++;
            }
        }
    }

    for (c = 'A'; c <= 'Z'; c++) {
        classes[c] = classes[gs_to_lower(c)];
    }

    return next;
}


static gs_rc_t
gs_ac_work_create(gs_ac_work_t *w, gs_mem_t *temp, size_t n)
{
    w->next = gs_calloc(temp, (size_t) w->max << w->shift,
                        sizeof(gs_ac_state_t));
    w->out = gs_calloc(temp, w->max, sizeof(gs_ac_out_t));
    w->fail = gs_calloc(temp, w->max, sizeof(gs_ac_state_t));
    w->queue = gs_calloc(temp, w->max, sizeof(gs_ac_state_t));
    w->number = gs_calloc(temp, w->max, sizeof(gs_ac_state_t));
    w->chain = gs_calloc(temp, n + 1, sizeof(uint32_t));

    if (w->next == NULL || w->out == NULL || w->fail == NULL
        || w->queue == NULL || w->number == NULL || w->chain == NULL)
    {
        return GS_ERROR;
    }

    return GS_OK;
}


static void
gs_ac_work_free(gs_ac_work_t *w, gs_mem_t *temp)
{
    gs_free(temp, w->next);
    gs_free(temp, w->out);
    gs_free(temp, w->fail);
    gs_free(temp, w->queue);
    gs_free(temp, w->number);
    gs_free(temp, w->chain);
}


static void
gs_ac_trie(gs_ac_work_t *w, const gs_uchar_t *classes,
    const gs_ac_word_t *words, size_t n)
{
    size_t          i, k;
    unsigned        s;
    gs_ac_state_t  *cell;

    w->states = 1;
    w->out[0].word = GS_AC_NONE;

    for (i = 0; i < n; i++) {
        s = 0;

        for (k = 0; k < words[i].text.len; k++) {
            cell = &w->next[(s << w->shift) + classes[words[i].text.data[k]]];

            if (*cell == 0) {
                w->out[w->states].word = GS_AC_NONE;
                *cell = (gs_ac_state_t) w->states++;
            }

            s = *cell;
        }

        w->chain[i] = w->out[s].word;
        w->out[s].word = (uint32_t) i;
    }
}


/*
 * Breadth first: a missing edge takes that of the longest proper suffix, so
 * that the scan never goes back.
 */

static void
gs_ac_links(gs_ac_work_t *w)
{
    unsigned        s, c, f, head, tail;
    gs_ac_state_t  *cell, t;

    head = 0;
    tail = 0;

    for (c = 0; c < (1u << w->shift); c++) {
        if (w->next[c] != 0) {
            w->queue[tail++] = w->next[c];
        }
    }

    while (head < tail) {
        s = w->queue[head++];
        f = w->fail[s];

        w->out[s].suffix = (w->out[f].word != GS_AC_NONE) ? f
                                                          : w->out[f].suffix;

        for (c = 0; c < (1u << w->shift); c++) {
            cell = &w->next[(s << w->shift) + c];
            t = w->next[(f << w->shift) + c];

            if (*cell == 0) {
                *cell = t;
                continue;
            }

            w->fail[*cell] = t;
            w->queue[tail++] = *cell;
        }
    }
}


/* The root stays 0; states with a word go behind all others. */

static unsigned
gs_ac_number(gs_ac_work_t *w)
{
    unsigned  s, plain, out;

    plain = 0;

    for (s = 0; s < w->states; s++) {
        if (w->out[s].word == GS_AC_NONE && w->out[s].suffix == 0) {
            w->number[s] = (gs_ac_state_t) plain++;
        }
    }

    out = plain;

    for (s = 0; s < w->states; s++) {
        if (w->out[s].word != GS_AC_NONE || w->out[s].suffix != 0) {
            w->number[s] = (gs_ac_state_t) out++;
        }
    }

    return plain;
}


static gs_ac_t *
gs_ac_pack(gs_ac_work_t *w, gs_mem_t *mem, const gs_uchar_t *classes,
    const gs_ac_word_t *words, size_t n)
{
    size_t       i, size, rows, outs;
    gs_ac_t     *ac;
    unsigned     s, c, to, first;
    gs_uchar_t  *p;

    first = gs_ac_number(w);
    outs = (w->states - first) * sizeof(gs_ac_out_t);
    rows = ((size_t) w->states << w->shift) * sizeof(gs_ac_state_t);
    size = sizeof(gs_ac_t) + outs + 2 * n * sizeof(uint32_t) + rows;

    ac = gs_alloc(mem, size);
    if (ac == NULL) {
        return NULL;
    }

    p = (gs_uchar_t *) ac + sizeof(gs_ac_t);

    memcpy(ac->classes, classes, 256);
    ac->shift = w->shift;
    ac->states = w->states;
    ac->first_out = first;
    ac->nwords = (unsigned) n;
    ac->size = size;
    ac->out = (gs_ac_out_t *) (void *) p;
    ac->ids = (uint32_t *) (void *) (p + outs);
    ac->chain = ac->ids + n;
    ac->next = (gs_ac_state_t *) (void *) (ac->chain + n);

    for (s = 0; s < w->states; s++) {
        to = w->number[s];

        for (c = 0; c < (1u << w->shift); c++) {
            ac->next[(to << w->shift) + c] =
                                 w->number[w->next[(s << w->shift) + c]];
        }

        if (to >= first) {
            ac->out[to - first].word = w->out[s].word;
            ac->out[to - first].suffix = w->number[w->out[s].suffix];
        }
    }

    for (i = 0; i < n; i++) {
        ac->ids[i] = words[i].id;
        ac->chain[i] = w->chain[i];
    }

    return ac;
}


int
gs_ac_scan(const gs_ac_t *ac, const void *data, size_t len, uint64_t *bits)
{
    int                   found;
    uint32_t              word;
    unsigned              s, t, first, shift;
    const gs_uchar_t     *p, *last, *classes;
    const gs_ac_state_t  *next;

    if (len == 0) {
        return 0;
    }

    found = 0;
    s = 0;

    p = data;
    next = ac->next;
    first = ac->first_out;
    shift = ac->shift;
    classes = ac->classes;

    for (last = p + len; p < last; p++) {
        s = next[(s << shift) + classes[*p]];

        if (s < first) {
            continue;
        }

        found = 1;

        for (t = s; t != 0; t = ac->out[t - first].suffix) {
            word = ac->out[t - first].word;

            while (word != GS_AC_NONE) {
                bits[ac->ids[word] / 64] |= (uint64_t) 1 << ac->ids[word] % 64;
                word = ac->chain[word];
            }
        }
    }

    return found;
}


size_t
gs_ac_size(const gs_ac_t *ac)
{
    return ac->size;
}


unsigned
gs_ac_states(const gs_ac_t *ac)
{
    return ac->states;
}
