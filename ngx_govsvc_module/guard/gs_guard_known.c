
/*
 * Copyright (C) govsvc authors
 *
 * Values that were clean before: browsers send the same few headers millions
 * of times.  A value is remembered with its name if no condition held for it,
 * nor for any before it in its request, and is known again only if all its
 * bytes are the same; hits are never remembered.
 */


#include "guard/gs_guard_priv.h"


#define GS_KNOWN_SETS  128                 /* of two places */
#define GS_KNOWN_TEXT  320                 /* bytes of name and value */


struct gs_guard_known_s {
    uint64_t                  hash;
    const gs_guard_policy_t  *policy;      /* NULL: the place is free */
    uint64_t                  stamp;       /* of the policy */
    uint16_t                  kind;
    uint16_t                  phase;
    uint16_t                  name;        /* lengths */
    uint16_t                  value;
    gs_uchar_t                text[GS_KNOWN_TEXT];
};


static int gs_known_kind(const gs_value_t *v);
static uint64_t gs_known_hash(const gs_value_t *v, unsigned phase);
static uint64_t gs_known_mix(uint64_t h, const gs_str_t *text);
static int gs_known_is(const gs_guard_known_t *k, const gs_guard_run_t *run,
    const gs_value_t *v);


gs_guard_known_t *
gs_guard_known_create(gs_mem_t *mem)
{
    return gs_calloc(mem, GS_KNOWN_SETS * 2, sizeof(gs_guard_known_t));
}


int
gs_guard_known(gs_guard_run_t *run, const gs_value_t *v, uint64_t *hash)
{
    const gs_guard_known_t  *k;

    *hash = 0;

    if (run->s->bare || run->s->trace != NULL || !gs_known_kind(v)) {
        return 0;
    }

    *hash = gs_known_hash(v, run->phase);
    k = &run->s->known[*hash % GS_KNOWN_SETS * 2];

    return (k[0].hash == *hash && gs_known_is(&k[0], run, v))
           || (k[1].hash == *hash && gs_known_is(&k[1], run, v));
}


void
gs_guard_know(gs_guard_run_t *run, const gs_value_t *v, uint64_t hash)
{
    gs_guard_known_t  *k;

    if (hash == 0 || run->s->dirty || run->s->over) {
        return;
    }

    /* the older of the two goes */

    k = &run->s->known[hash % GS_KNOWN_SETS * 2];
    k[1] = k[0];

    k->hash = hash;
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


/* Cookies are of one client each. */

static int
gs_known_kind(const gs_value_t *v)
{
    if (v->kind != GS_KIND_HEADERS && v->kind != GS_KIND_HEADER_NAMES
        && v->kind != GS_KIND_METHOD)
    {
        return 0;
    }

    return v->name.len + v->view[GS_VIEW_RAW].len <= GS_KNOWN_TEXT
           && !gs_str_case_eq_text(&v->name, "cookie");
}


static uint64_t
gs_known_hash(const gs_value_t *v, unsigned phase)
{
    uint64_t  h;

    h = ((uint64_t) v->kind << 8 | phase) + 1;
    h = gs_known_mix(h, &v->name);
    h = gs_known_mix(h, &v->view[GS_VIEW_RAW]);
    h ^= h >> 32;

    return (h == 0) ? 1 : h;
}


static uint64_t
gs_known_mix(uint64_t h, const gs_str_t *text)
{
    size_t    i;
    uint64_t  word;

    static const uint64_t  odd = 0x9e3779b97f4a7c15;

    h = (h ^ text->len) * odd;

    for (i = 0; text->len - i >= 8; i += 8) {
        memcpy(&word, text->data + i, 8);
        h = (h ^ word) * odd;
        h ^= h >> 29;
    }

    word = 0;

    for ( /* void */ ; i < text->len; i++) {
        word = word << 8 | text->data[i];
    }

    h = (h ^ word) * odd;

    return h ^ h >> 31;
}


static int
gs_known_is(const gs_guard_known_t *k, const gs_guard_run_t *run,
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
