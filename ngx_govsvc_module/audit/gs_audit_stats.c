
/*
 * Copyright (C) govsvc authors
 *
 * Counts over audit lines.
 */


#include "audit/gs_audit_stats.h"


#define GS_AUDIT_LATENCY_BITS  5           /* of a value that are kept */
#define GS_AUDIT_LATENCY_TOP   36          /* the highest bit that counts */


static gs_rc_t gs_audit_counts_init(gs_audit_counts_t *c, gs_mem_t *mem,
    unsigned max);
static gs_audit_count_t *gs_audit_counts_row(gs_audit_counts_t *c,
    const gs_str_t *name);
static void gs_audit_counts_add(gs_audit_counts_t *c, const gs_str_t *name,
    uint64_t n, int denied, int failed);
static void gs_audit_stats_span(gs_audit_stats_t *s, const gs_str_t *time);
static gs_rc_t gs_audit_stats_request(gs_audit_stats_t *s,
    const gs_audit_fields_t *f, const gs_str_t *period);
static void gs_audit_stats_many(gs_audit_stats_t *s,
    const gs_audit_fields_t *f, const gs_str_t *period);
static void gs_audit_stats_loss(gs_audit_stats_t *s,
    const gs_audit_fields_t *f, const gs_str_t *period);
static gs_rc_t gs_audit_stats_platform(gs_audit_stats_t *s,
    const gs_audit_fields_t *f, int denied, int failed);
static unsigned gs_audit_latency_place(uint64_t us);


gs_audit_stats_t *
gs_audit_stats_create(gs_mem_t *mem, int hours)
{
    gs_audit_stats_t  *s;

    s = gs_calloc(mem, 1, sizeof(gs_audit_stats_t));

    if (s == NULL) {
        return NULL;
    }

    s->mem = mem;
    s->hours = (hours != 0);

    /* a year of days, half a year of hours */

    if (gs_audit_counts_init(&s->types, mem, 32) != GS_OK
        || gs_audit_counts_init(&s->periods, mem, hours ? 4464 : 400) != GS_OK
        || gs_audit_counts_init(&s->statuses, mem, 64) != GS_OK
        || gs_audit_counts_init(&s->codes, mem, 128) != GS_OK
        || gs_audit_counts_init(&s->rules, mem, 256) != GS_OK
        || gs_audit_counts_init(&s->platforms, mem, 64) != GS_OK
        || gs_audit_counts_init(&s->regions, mem, 512) != GS_OK
        || gs_audit_counts_init(&s->apps, mem, 256) != GS_OK
        || gs_audit_counts_init(&s->channels, mem, 32) != GS_OK
        || gs_audit_counts_init(&s->losses, mem, 16) != GS_OK)
    {
        return NULL;
    }

    return s;
}


static gs_rc_t
gs_audit_counts_init(gs_audit_counts_t *c, gs_mem_t *mem, unsigned max)
{
    c->n = 0;
    c->max = max;

    for (c->slots = 1; c->slots < 2 * max; c->slots *= 2) {
        /* void */
    }

    c->rows = gs_calloc(mem, max + 1, sizeof(gs_audit_count_t));
    c->slot = gs_calloc(mem, c->slots, sizeof(uint16_t));

    return (c->rows == NULL || c->slot == NULL) ? GS_ERROR : GS_OK;
}


static gs_audit_count_t *
gs_audit_counts_row(gs_audit_counts_t *c, const gs_str_t *name)
{
    gs_str_t           other, s;
    unsigned           i;
    gs_audit_count_t  *row;

    s = *name;

    /* an escape must not be cut */

    if (s.len >= GS_AUDIT_COUNT_NAME) {
        s = gs_str_text("_long");
    }

    for (i = gs_str_hash(&s); /* void */; i++) {
        i &= c->slots - 1;

        if (c->slot[i] == 0) {
            break;
        }

        row = &c->rows[c->slot[i] - 1];

        if (gs_str_eq_text(&s, row->name)) {
            return row;
        }
    }

    if (c->n >= c->max) {
        other = gs_str_text("_other");
        row = &c->rows[c->max];

        if (c->n == c->max) {
            c->n++;
            memcpy(row->name, other.data, other.len);
        }

        return row;
    }

    row = &c->rows[c->n++];
    c->slot[i] = (uint16_t) c->n;
    memcpy(row->name, s.data, s.len);

    return row;
}


static void
gs_audit_counts_add(gs_audit_counts_t *c, const gs_str_t *name, uint64_t n,
    int denied, int failed)
{
    gs_audit_count_t  *row;

    if (name->len == 0) {
        return;
    }

    row = gs_audit_counts_row(c, name);
    row->n += n;
    row->denied += denied ? n : 0;
    row->failed += failed ? n : 0;
}


gs_rc_t
gs_audit_stats_add(gs_audit_stats_t *s, const gs_str_t *line)
{
    gs_str_t           type, stage, period;
    gs_audit_fields_t  f;

    if (gs_audit_fields(&f, line) != GS_OK) {
        s->malformed++;
        return GS_DECLINED;
    }

    s->records++;

    type = gs_audit_field_value(&f, "", "ty");
    stage = gs_audit_field_value(&f, "", "st");
    period = gs_audit_field_value(&f, "", "t");

    gs_audit_stats_span(s, &period);
    gs_audit_counts_add(&s->types, &type, 1, 0, 0);

    if (period.len > (s->hours ? 13 : 10)) {
        period.len = s->hours ? 13 : 10;
    }

    if (gs_str_eq_text(&type, "loss")) {
        gs_audit_stats_loss(s, &f, &period);
        return GS_OK;
    }

    if (gs_str_eq_text(&type, "deny.agg")) {
        gs_audit_stats_many(s, &f, &period);
        return GS_OK;
    }

    if (!gs_str_eq_text(&type, "http")) {
        return GS_OK;
    }

    if (gs_str_eq_text(&stage, "intent")) {
        s->intents++;
        return GS_OK;
    }

    return gs_audit_stats_request(s, &f, &period);
}


/* All times are written in the same zone, so their bytes have their order. */

static void
gs_audit_stats_span(gs_audit_stats_t *s, const gs_str_t *time)
{
    if (time->len < sizeof(s->first)) {
        return;
    }

    if (s->first[0] == '\0'
        || memcmp(time->data, s->first, sizeof(s->first) - 1) < 0)
    {
        memcpy(s->first, time->data, sizeof(s->first) - 1);
    }

    if (memcmp(time->data, s->last, sizeof(s->last) - 1) > 0) {
        memcpy(s->last, time->data, sizeof(s->last) - 1);
    }
}


static gs_rc_t
gs_audit_stats_request(gs_audit_stats_t *s, const gs_audit_fields_t *f,
    const gs_str_t *period)
{
    int       denied, failed;
    gs_str_t  v;

    v = gs_audit_field_value(f, "", "st");

    if (gs_str_eq_text(&v, "aborted")) {
        s->aborted++;
        gs_audit_counts_add(&s->periods, period, 1, 0, 0);
        return GS_OK;
    }

    v = gs_audit_field_value(f, "dec", "act");
    denied = gs_str_eq_text(&v, "deny");
    failed = !denied && gs_audit_field_number(f, "http", "status") >= 500;

    s->done++;
    s->denied += denied ? 1 : 0;
    s->allowed += denied ? 0 : 1;
    s->failed += failed ? 1 : 0;
    s->bytes_in += gs_audit_field_number(f, "http", "in");
    s->bytes_out += gs_audit_field_number(f, "http", "out");

    gs_audit_counts_add(&s->periods, period, 1, denied, failed);

    v = gs_audit_field_value(f, "http", "status");
    gs_audit_counts_add(&s->statuses, &v, 1, denied, failed);
    v = gs_audit_field_value(f, "dec", "code");
    gs_audit_counts_add(&s->codes, &v, 1, denied, failed);
    v = gs_audit_field_value(f, "dec", "rule");
    gs_audit_counts_add(&s->rules, &v, 1, denied, failed);
    v = gs_audit_field_value(f, "gov", "region");
    gs_audit_counts_add(&s->regions, &v, 1, denied, failed);
    v = gs_audit_field_value(f, "gov", "app");
    gs_audit_counts_add(&s->apps, &v, 1, denied, failed);
    v = gs_audit_field_value(f, "gov", "channel");
    gs_audit_counts_add(&s->channels, &v, 1, denied, failed);

    if (gs_audit_field(f, "http", "us") != NULL) {
        gs_audit_latency_add(&s->latency,
                             gs_audit_field_number(f, "http", "us"));
    }

    if (gs_audit_field(f, "up", "us") != NULL) {
        gs_audit_latency_add(&s->upstream,
                             gs_audit_field_number(f, "up", "us"));
    }

    return gs_audit_stats_platform(s, f, denied, failed);
}


static gs_rc_t
gs_audit_stats_platform(gs_audit_stats_t *s, const gs_audit_fields_t *f,
    int denied, int failed)
{
    gs_str_t           name;
    gs_audit_count_t  *row;

    name = gs_audit_field_value(f, "gov", "platform");

    if (name.len == 0) {
        return GS_OK;
    }

    gs_audit_counts_add(&s->platforms, &name, 1, denied, failed);
    row = gs_audit_counts_row(&s->platforms, &name);

    if (row->latency == NULL) {
        row->latency = gs_calloc(s->mem, 1, sizeof(gs_audit_latency_t));

        if (row->latency == NULL) {
            return GS_ERROR;
        }
    }

    if (gs_audit_field(f, "http", "us") != NULL) {
        gs_audit_latency_add(row->latency,
                             gs_audit_field_number(f, "http", "us"));
    }

    return GS_OK;
}


static void
gs_audit_stats_many(gs_audit_stats_t *s, const gs_audit_fields_t *f,
    const gs_str_t *period)
{
    gs_str_t  v;
    uint64_t  n;

    n = gs_audit_field_number(f, "", "n");

    s->aggregated += n;
    s->denied += n;

    gs_audit_counts_add(&s->periods, period, n, 1, 0);

    v = gs_audit_field_value(f, "", "status");
    gs_audit_counts_add(&s->statuses, &v, n, 1, 0);
    v = gs_audit_field_value(f, "", "code");
    gs_audit_counts_add(&s->codes, &v, n, 1, 0);
    v = gs_audit_field_value(f, "", "rule");
    gs_audit_counts_add(&s->rules, &v, n, 1, 0);
}


static void
gs_audit_stats_loss(gs_audit_stats_t *s, const gs_audit_fields_t *f,
    const gs_str_t *period)
{
    gs_str_t  v;
    uint64_t  n;

    n = gs_audit_field_number(f, "", "n");
    v = gs_audit_field_value(f, "", "class");

    s->lost += n;

    gs_audit_counts_add(&s->periods, period, n, 0, 0);
    gs_audit_counts_add(&s->losses, &v, n, 0, 0);
}


void
gs_audit_latency_add(gs_audit_latency_t *l, uint64_t us)
{
    l->n++;
    l->place[gs_audit_latency_place(us)]++;

    if (us > l->max) {
        l->max = us;
    }
}


/* Small values have places of their own, others one for their five bits. */

static unsigned
gs_audit_latency_place(uint64_t us)
{
    unsigned  top;

    if (us < (1u << GS_AUDIT_LATENCY_BITS)) {
        return (unsigned) us;
    }

    top = 63 - (unsigned) __builtin_clzll(us);

    if (top > GS_AUDIT_LATENCY_TOP) {
        return GS_AUDIT_LATENCY - 1;
    }

    return ((top - GS_AUDIT_LATENCY_BITS + 1) << GS_AUDIT_LATENCY_BITS)
           + (unsigned) ((us >> (top - GS_AUDIT_LATENCY_BITS))
                         & ((1u << GS_AUDIT_LATENCY_BITS) - 1));
}


uint64_t
gs_audit_latency_at(const gs_audit_latency_t *l, unsigned permille)
{
    unsigned  i, shift;
    uint64_t  n, want, top;

    if (l->n == 0) {
        return 0;
    }

    want = (l->n / 1000) * permille + (l->n % 1000 * permille + 999) / 1000;
    want = (want == 0) ? 1 : want;
    n = 0;

    for (i = 0; i < GS_AUDIT_LATENCY - 1; i++) {
        n += l->place[i];

        if (n >= want) {
            break;
        }
    }

    if (i < (1u << GS_AUDIT_LATENCY_BITS)) {
        return i;
    }

    /* the largest value of the place, which none may have had */

    shift = (i >> GS_AUDIT_LATENCY_BITS) - 1;
    top = (((uint64_t) (i & ((1u << GS_AUDIT_LATENCY_BITS) - 1))
            + (1u << GS_AUDIT_LATENCY_BITS) + 1) << shift) - 1;

    return (top < l->max) ? top : l->max;
}
