
/*
 * Copyright (C) govsvc authors
 *
 * Aho-Corasick over byte classes.  The states are numbered so that those at
 * which a word ends come last: the scan asks one comparison of each byte.
 *
 * While no word is under way the scan does not step through the automaton,
 * where each look-up waits for the one before: it asks a table whether two
 * neighbouring bytes begin a word, which the processor does for several
 * places at once.
 */


#include "core/gs_ac.h"


#define GS_AC_NONE        0xffffffffu

/* a table of pairs larger than 128 * 128 would push the automaton out of L1 */
#define GS_AC_PAIR_SHIFT  7


typedef uint16_t  gs_ac_state_t;


typedef struct {
    uint32_t  word;                        /* first that ends here, or NONE */
    uint32_t  suffix;                      /* nearest state with a word, 0 */
} gs_ac_out_t;


typedef struct {
    const gs_ac_near_t  *before;
    const gs_ac_near_t  *after;
    uint32_t             id;
    uint32_t             len;
    uint32_t             chain;            /* next word of the same state */
} gs_ac_entry_t;


struct gs_ac_s {
    gs_uchar_t      classes[256];
    unsigned        shift;                 /* a row has 1 << shift columns */
    unsigned        states;
    unsigned        shallow;               /* to this: at most one byte */
    unsigned        first_out;
    unsigned        nwords;
    size_t          longest;               /* word */
    size_t          size;
    gs_ac_state_t  *next;                  /* states rows */
    gs_ac_out_t    *out;                   /* of states from first_out */
    gs_ac_entry_t  *words;
    gs_uchar_t     *pairs;                 /* NULL: too many classes */
};


typedef struct {
    const gs_uchar_t  *data;
    const gs_uchar_t  *last;
    uint64_t          *bits;
    int                parts;              /* neighbours are not known */
} gs_ac_text_t;


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
    gs_uchar_t     *pairs;
    gs_uchar_t     *depth;                 /* 0, 1, 2: more */
    unsigned        shallow;
    unsigned        first_out;
} gs_ac_work_t;


static unsigned gs_ac_classes(gs_uchar_t *classes, const gs_ac_word_t *words,
    size_t n);
static int gs_ac_fold(int c);
static gs_rc_t gs_ac_work_create(gs_ac_work_t *w, gs_mem_t *temp, size_t n);
static void gs_ac_work_free(gs_ac_work_t *w, gs_mem_t *temp);
static void gs_ac_trie(gs_ac_work_t *w, const gs_uchar_t *classes,
    const gs_ac_word_t *words, size_t n);
static void gs_ac_links(gs_ac_work_t *w);
static void gs_ac_pairs(gs_ac_work_t *w);
static void gs_ac_number(gs_ac_work_t *w);
static gs_ac_t *gs_ac_pack(gs_ac_work_t *w, gs_mem_t *mem,
    const gs_uchar_t *classes, const gs_ac_word_t *words, size_t n);
static int gs_ac_run(const gs_ac_t *ac, const gs_ac_text_t *text,
    const gs_uchar_t *p, const gs_uchar_t *last);
static int gs_ac_collect(const gs_ac_t *ac, unsigned s,
    const gs_ac_text_t *text, const gs_uchar_t *p);
static int gs_ac_stands(const gs_ac_entry_t *word, const gs_ac_text_t *text,
    const gs_uchar_t *p);


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
        gs_ac_pairs(&w);
        gs_ac_links(&w);
        gs_ac_number(&w);

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
            c = gs_ac_fold(words[i].text.data[k]);

            if (classes[c] == 0) {
                classes[c] = (gs_uchar_t) next++;
            }
        }
    }

    for (c = 0; c < 256; c++) {
        classes[c] = classes[gs_ac_fold(c)];
    }

    return next;
}


static int
gs_ac_fold(int c)
{
    return (c >= '\t' && c <= '\r') ? ' ' : gs_to_lower(c);
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
    w->depth = gs_calloc(temp, w->max, 1);

    if (w->shift <= GS_AC_PAIR_SHIFT) {
        w->pairs = gs_calloc(temp, (size_t) 1 << (2 * w->shift), 1);

        if (w->pairs == NULL) {
            return GS_ERROR;
        }
    }

    if (w->next == NULL || w->depth == NULL || w->out == NULL || w->fail == NULL
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
    gs_free(temp, w->depth);
    gs_free(temp, w->pairs);
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
                w->depth[w->states] = (gs_uchar_t) ((k == 0) ? 1 : 2);
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


/* The root stays 0, then its children; states with a word come last. */

static void
gs_ac_number(gs_ac_work_t *w)
{
    unsigned  s, d, n, pass;

    n = 0;

    for (pass = 0; pass < 4; pass++) {

        for (s = 0; s < w->states; s++) {
            d = w->depth[s];

            if (w->out[s].word != GS_AC_NONE || w->out[s].suffix != 0) {
                d = 3;
            }

            if (d == pass) {
                w->number[s] = (gs_ac_state_t) n++;
            }
        }

        if (pass == 1) {
            w->shallow = n - 1;

        } else if (pass == 2) {
            w->first_out = n;
        }
    }
}


/* Of the bare trie: which two classes begin a word, or are one at once. */

static void
gs_ac_pairs(gs_ac_work_t *w)
{
    unsigned  s, c, d;

    if (w->pairs == NULL) {
        return;
    }

    for (c = 0; c < (1u << w->shift); c++) {
        s = w->next[c];

        if (s == 0) {
            continue;
        }

        for (d = 0; d < (1u << w->shift); d++) {
            w->pairs[(c << w->shift) + d] =
                (w->out[s].word != GS_AC_NONE
                 || w->next[(s << w->shift) + d] != 0);
        }
    }
}


static gs_ac_t *
gs_ac_pack(gs_ac_work_t *w, gs_mem_t *mem, const gs_uchar_t *classes,
    const gs_ac_word_t *words, size_t n)
{
    size_t       i, size, rows, outs, pairs;
    gs_ac_t     *ac;
    unsigned     s, c, to, first;
    gs_uchar_t  *p;

    first = w->first_out;
    outs = (w->states - first) * sizeof(gs_ac_out_t);
    rows = ((size_t) w->states << w->shift) * sizeof(gs_ac_state_t);
    pairs = (w->pairs == NULL) ? 0 : (size_t) 1 << (2 * w->shift);
    size = sizeof(gs_ac_t) + n * sizeof(gs_ac_entry_t) + outs + rows + pairs;

    ac = gs_alloc(mem, size);
    if (ac == NULL) {
        return NULL;
    }

    p = (gs_uchar_t *) ac + sizeof(gs_ac_t);

    memcpy(ac->classes, classes, 256);
    ac->shift = w->shift;
    ac->states = w->states;
    ac->shallow = w->shallow;
    ac->first_out = first;
    ac->nwords = (unsigned) n;
    ac->longest = 1;
    ac->size = size;
    ac->words = (gs_ac_entry_t *) (void *) p;
    ac->out = (gs_ac_out_t *) (void *) (ac->words + n);
    ac->next = (gs_ac_state_t *) (void *) ((gs_uchar_t *) ac->out + outs);
    ac->pairs = NULL;

    if (pairs != 0) {
        ac->pairs = (gs_uchar_t *) ac->next + rows;
        memcpy(ac->pairs, w->pairs, pairs);
    }

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
        ac->words[i].before = words[i].before;
        ac->words[i].after = words[i].after;
        ac->words[i].id = words[i].id;
        ac->words[i].len = (uint32_t) words[i].text.len;
        ac->words[i].chain = w->chain[i];

        if (words[i].text.len > ac->longest) {
            ac->longest = words[i].text.len;
        }
    }

    return ac;
}


int
gs_ac_scan(const gs_ac_t *ac, const void *data, size_t len, uint64_t *bits)
{
    return gs_ac_scan_range(ac, data, len, 0, len, 0, bits);
}


int
gs_ac_scan_parts(const gs_ac_t *ac, const void *data, size_t len,
    uint64_t *bits)
{
    return gs_ac_scan_range(ac, data, len, 0, len, 1, bits);
}


int
gs_ac_scan_range(const gs_ac_t *ac, const void *data, size_t len,
    size_t from, size_t to, int parts, uint64_t *bits)
{
    gs_ac_text_t  text;

    if (from == to) {
        return 0;
    }

    text.data = data;
    text.last = text.data + len;
    text.bits = bits;
    text.parts = parts;

    from -= (from < ac->longest) ? from : ac->longest - 1;

    return gs_ac_run(ac, &text, text.data + from, text.data + to);
}


static int
gs_ac_run(const gs_ac_t *ac, const gs_ac_text_t *text, const gs_uchar_t *p,
    const gs_uchar_t *last)
{
    int                   found;
    unsigned              s, first, shift, shallow, one, two, steps;
    const gs_uchar_t     *classes, *pairs;
    const gs_ac_state_t  *next;

    found = 0;
    next = ac->next;
    pairs = ac->pairs;
    first = ac->first_out;
    shift = ac->shift;
    shallow = (pairs == NULL) ? 0 : ac->shallow;
    classes = ac->classes;

    while (p < last) {

        if (pairs != NULL) {
            one = classes[*p];

            for ( /* void */ ; last - p > 1; p++) {
                two = classes[p[1]];

                if (pairs[(one << shift) + two]) {
                    break;
                }

                one = two;
            }
        }

        /* both bytes of the pair, then on until no word is under way */

        s = 0;
        steps = 0;

        do {
            s = next[(s << shift) + classes[*p++]];

            if (s >= first) {
                found |= gs_ac_collect(ac, s, text, p);
            }

        } while (p < last && (++steps < 2 || s > shallow));

        if (p < last && s != 0 && pairs != NULL) {
            p--;
        }
    }

    return found;
}


/* The words that end before p. */

static int
gs_ac_collect(const gs_ac_t *ac, unsigned s, const gs_ac_text_t *text,
    const gs_uchar_t *p)
{
    int                   found;
    uint32_t              i;
    uint64_t              bit, *bits;
    const gs_ac_entry_t  *word;

    found = 0;

    for ( /* void */ ; s != 0; s = ac->out[s - ac->first_out].suffix) {
        i = ac->out[s - ac->first_out].word;

        for ( /* void */ ; i != GS_AC_NONE; i = word->chain) {
            word = &ac->words[i];

            bits = &text->bits[word->id / 64];
            bit = (uint64_t) 1 << word->id % 64;

            if ((*bits & bit) || text->parts || gs_ac_stands(word, text, p)) {
                *bits |= bit;
                found = 1;
            }
        }
    }

    return found;
}


static int
gs_ac_stands(const gs_ac_entry_t *word, const gs_ac_text_t *text,
    const gs_uchar_t *p)
{
    const gs_uchar_t  *start;

    if (word->after != NULL
        && !(p == text->last ? (int) word->after->edge
                             : gs_ac_near(word->after, *p)))
    {
        return 0;
    }

    if (word->before == NULL) {
        return 1;
    }

    start = p - word->len;

    return start == text->data ? (int) word->before->edge
                               : gs_ac_near(word->before, start[-1]);
}


int
gs_ac_near(const gs_ac_near_t *near, int c)
{
    return (int) (near->bits[c / 64] >> c % 64 & 1);
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
