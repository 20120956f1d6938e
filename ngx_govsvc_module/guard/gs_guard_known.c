
/*
 * Copyright (C) govsvc authors
 *
 * Values that were clean before: browsers send the same few headers millions
 * of times, pages are asked for again and again, and a page asks for many
 * things with the same cookies.  A value is remembered with its name if no
 * condition held for it, and is known again only if all its bytes are the
 * same; hits are never remembered.
 *
 * What differs from client to client has places of its own, so that it does
 * not push out what they have in common.
 */


#include "guard/gs_guard_priv.h"


#define GS_KNOWN_SETS  64                  /* for each sort of values */
#define GS_KNOWN_WAYS  4
#define GS_KNOWN_TEXT  320                 /* bytes of name and value */


typedef struct {
    const gs_guard_policy_t  *policy;
    uint64_t                  stamp;       /* of the policy */
    uint16_t                  kind;
    uint16_t                  phase;
    uint16_t                  name;        /* lengths */
    uint16_t                  value;
    gs_uchar_t                text[GS_KNOWN_TEXT];
} gs_known_t;


/* Hashes apart from what they stand for: most looks end at one line. */
struct gs_guard_known_s {
    uint64_t                  hash[GS_KNOWN_WAYS];   /* 0: free */
    unsigned                  next;        /* the oldest */
    gs_known_t                way[GS_KNOWN_WAYS];
};


static int gs_known_sort(const gs_value_t *v);
static uint64_t gs_known_hash(const gs_value_t *v, unsigned phase);
static uint64_t gs_known_mix(uint64_t h, const gs_str_t *text);
static uint64_t gs_known_fold(uint64_t a, uint64_t b);
static int gs_known_is(const gs_known_t *k, const gs_guard_run_t *run,
    const gs_value_t *v);


gs_guard_known_t *
gs_guard_known_create(gs_mem_t *mem)
{
    return gs_calloc(mem, GS_KNOWN_SETS * 2, sizeof(gs_guard_known_t));
}


int
gs_guard_known(gs_guard_run_t *run, gs_value_t *v)
{
    int       sort;
    unsigned  i;

    if (run->s->bare || run->s->trace != NULL
        || v->name.len + v->view[GS_VIEW_RAW].len > GS_KNOWN_TEXT)
    {
        return 0;
    }

    sort = gs_known_sort(v);

    if (sort < 0) {
        return 0;
    }

    v->held = run->s->held;
    v->hash = gs_known_hash(v, run->phase);
    v->known = &run->s->known[v->hash % GS_KNOWN_SETS * 2 + (unsigned) sort];

    for (i = 0; i < GS_KNOWN_WAYS; i++) {
        if (v->known->hash[i] == v->hash
            && gs_known_is(&v->known->way[i], run, v))
        {
            return 1;
        }
    }

    return 0;
}


void
gs_guard_know(gs_guard_run_t *run, const gs_value_t *v)
{
    unsigned           i;
    gs_known_t        *k;
    gs_guard_known_t  *set;

    set = v->known;

    if (set == NULL || v->held != run->s->held || run->s->over) {
        return;
    }

    i = set->next++ % GS_KNOWN_WAYS;
    set->hash[i] = v->hash;

    k = &set->way[i];
    k->policy = run->policy;
    k->stamp = run->policy->stamp;
    k->kind = (uint16_t) v->kind;
    k->phase = (uint16_t) run->phase;
    k->name = (uint16_t) v->name.len;
    k->value = (uint16_t) v->view[GS_VIEW_RAW].len;

    if (k->name > 0) {
        memcpy(k->text, v->name.data, k->name);
    }

    if (k->value > 0) {
        memcpy(k->text + k->name, v->view[GS_VIEW_RAW].data, k->value);
    }
}


/* 0: many clients send the same, 1: each its own, -1: not remembered. */

static int
gs_known_sort(const gs_value_t *v)
{
    switch (v->kind) {

    case GS_KIND_METHOD:
    case GS_KIND_HEADER_NAMES:
        return 0;

    case GS_KIND_HEADERS:
        return gs_str_case_eq_text(&v->name, "cookie")
               || gs_str_case_eq_text(&v->name, "authorization");

    case GS_KIND_URI:
    case GS_KIND_ARGS:
    case GS_KIND_ARG_NAMES:
    case GS_KIND_COOKIES:
        return 1;

    default:
        return -1;
    }
}


static uint64_t
gs_known_hash(const gs_value_t *v, unsigned phase)
{
    uint64_t  h;

    h = gs_known_mix((uint64_t) v->kind << 8 | phase, &v->name);
    h = gs_known_mix(h, &v->view[GS_VIEW_RAW]);

    return (h == 0) ? 1 : h;
}


/* Of sixteen bytes at a time, the last ones once more. */

static uint64_t
gs_known_mix(uint64_t h, const gs_str_t *text)
{
    size_t             left;
    uint64_t           a, b;
    const gs_uchar_t  *p;

    p = text->data;
    h = gs_known_fold(h, text->len);

    for (left = text->len; left > 16; left -= 16) {
        memcpy(&a, p, 8);
        memcpy(&b, p + 8, 8);
        h = gs_known_fold(h ^ a, b);
        p += 16;
    }

    a = 0;
    b = 0;

    if (text->len >= 16) {
        p = text->data + text->len - 16;
        left = 16;
    }

    if (left > 8) {
        memcpy(&b, p + left - 8, 8);
        left = 8;
    }

    if (left > 0) {
        memcpy(&a, p, left);
    }

    return gs_known_fold(h ^ a, b);
}


/* Both halves of the product, so that each bit of both tells. */

static uint64_t
gs_known_fold(uint64_t a, uint64_t b)
{
    unsigned __int128  product;

    product = (unsigned __int128) (a ^ 0x9e3779b97f4a7c15)
              * (b ^ 0xe7037ed1a0b428db);

    return (uint64_t) product ^ (uint64_t) (product >> 64);
}


static int
gs_known_is(const gs_known_t *k, const gs_guard_run_t *run,
    const gs_value_t *v)
{
    const gs_str_t  *value;

    value = &v->view[GS_VIEW_RAW];

    return k->policy == run->policy && k->stamp == run->policy->stamp
           && k->kind == v->kind && k->phase == run->phase
           && k->name == v->name.len && k->value == value->len
           && (k->name == 0 || memcmp(k->text, v->name.data, k->name) == 0)
           && (k->value == 0
               || memcmp(k->text + k->name, value->data, k->value) == 0);
}
