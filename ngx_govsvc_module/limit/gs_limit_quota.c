
/*
 * Copyright (C) govsvc authors
 *
 * Quotas of a calendar window.
 *
 * A record has two counts, each one word: what was spent of this node's own
 * share, and what is left of tickets.
 *
 *     16 bits window (modulo) | 32 count | 16 of the key's hash
 *
 * A record whose first count is of another window is free.  Whoever swaps
 * that count has the record; the tag follows.
 */


#include "core/gs_fault.h"
#include "limit/gs_limit_quota.h"


#define GS_LIMIT_QUOTA_MAGIC    0x6c675155u
#define GS_LIMIT_QUOTA_VERSION  1
#define GS_LIMIT_QUOTA_PLACES   32         /* records where a key may stand */
#define GS_LIMIT_QUOTA_TRIES    1000
#define GS_LIMIT_QUOTA_CHECK    0xffffull
#define GS_LIMIT_QUOTA_NONE     0xffffffffull  /* left: Redis has no more */
#define GS_LIMIT_QUOTA_SECOND   1000000ull
#define GS_LIMIT_QUOTA_DAYS     719468     /* from March of the year 0 */

#define gs_limit_quota_load(p)     __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define gs_limit_quota_count(w)    ((w) >> 16 & 0xffffffffull)


__extension__ typedef unsigned __int128  gs_limit_wide_t;


struct gs_limit_quota_record_s {
    uint64_t                  tag;
    uint64_t                  used;
    uint64_t                  left;
    uint64_t                  inflight;    /* us: until then one asks */
};


struct gs_limit_quota_table_s {
    uint32_t                  magic;
    uint32_t                  version;
    uint64_t                  size;
    uint64_t                  records;
    gs_siphash_key_t          secret;
    uint64_t                  unused[3];
};


static uint64_t gs_limit_quota_month(int64_t days, int64_t *next);
static int64_t gs_limit_quota_days(int64_t year, int64_t month);
static gs_limit_quota_record_t *gs_limit_quota_find(gs_limit_quota_key_t *k,
    uint64_t *used);
static gs_limit_quota_record_t *gs_limit_quota_record(
    const gs_limit_quota_key_t *k, unsigned i);
static uint64_t gs_limit_quota_word(uint64_t window, uint64_t count,
    uint64_t check);
static int gs_limit_quota_same(uint64_t word, uint64_t window,
    uint64_t check);
static gs_rc_t gs_limit_quota_draw(gs_limit_quota_key_t *k);
static int gs_limit_quota_swap(uint64_t *p, uint64_t old, uint64_t new);


gs_rc_t
gs_limit_quota_parse(gs_limit_quota_t *quota, const gs_str_t *s,
    gs_err_t *err)
{
    size_t    slash;
    gs_str_t  number, unit;

    slash = gs_str_chr(s, 0, '/');
    number = gs_str_make(s->data, slash);
    unit = gs_str_make(s->data + slash, s->len - slash);

    if (gs_str_eq_text(&unit, "/hour")) {
        quota->unit = GS_LIMIT_QUOTA_HOUR;

    } else if (gs_str_eq_text(&unit, "/day")) {
        quota->unit = GS_LIMIT_QUOTA_DAY;

    } else if (gs_str_eq_text(&unit, "/month")) {
        quota->unit = GS_LIMIT_QUOTA_MONTH;

    } else {
        unit.len = 0;
    }

    if (unit.len == 0 || gs_parse_u64(&number, &quota->limit) != GS_OK
        || quota->limit == 0 || quota->limit > GS_LIMIT_QUOTA_MAX)
    {
        return gs_err(err, "invalid quota \"%S\", it must be a number from 1 "
                      "to 4000000000 and /hour, /day or /month", s);
    }

    return GS_OK;
}


gs_rc_t
gs_limit_quota_zone(gs_limit_quota_t *quota, const gs_str_t *s, gs_err_t *err)
{
    unsigned  i;
    int64_t   hours, minutes;

    if (gs_str_eq_text(s, "Z")) {
        quota->zone = 0;
        return GS_OK;
    }

    hours = -1;
    minutes = 0;

    if (s->len == 6 && (s->data[0] == '+' || s->data[0] == '-')
        && s->data[3] == ':')
    {
        hours = 0;

        for (i = 1; i < 6; i++) {
            if (i != 3 && !gs_is_digit(s->data[i])) {
                hours = -1;
                break;
            }
        }
    }

    if (hours == 0) {
        hours = (s->data[1] - '0') * 10 + s->data[2] - '0';
        minutes = (s->data[4] - '0') * 10 + s->data[5] - '0';
    }

    if (hours < 0 || minutes > 59 || hours * 60 + minutes > 14 * 60) {
        return gs_err(err, "invalid tz \"%S\", it must be an offset such as "
                      "+08:00, or Z", s);
    }

    quota->zone = hours * 3600 + minutes * 60;

    if (s->data[0] == '-') {
        quota->zone = -quota->zone;
    }

    return GS_OK;
}


void
gs_limit_quota_plan(gs_limit_quota_t *quota, uint64_t nodes, unsigned share)
{
    if (nodes == 0) {
        quota->local = quota->limit;
        quota->spare = 0;
        quota->shared = 0;
        quota->ticket = 0;
        return;
    }

    quota->local = quota->limit * share / 100 / nodes;
    quota->shared = quota->limit - quota->local * nodes;
    quota->spare = quota->shared / nodes;

    /* small near the limit of the quota: what a dead node holds is lost */

    quota->ticket = quota->shared / (1000 * nodes);

    if (quota->ticket == 0) {
        quota->ticket = 1;
    }

    if (quota->ticket > 10000) {
        quota->ticket = 10000;
    }
}


uint64_t
gs_limit_quota_window(const gs_limit_quota_t *quota, uint64_t now,
    uint64_t *end)
{
    int64_t   t, next;
    uint64_t  n;

    t = (int64_t) (now / GS_LIMIT_QUOTA_SECOND) + quota->zone;

    switch (quota->unit) {

    case GS_LIMIT_QUOTA_HOUR:
        n = (uint64_t) (t / 3600);
        next = (int64_t) (n + 1) * 3600;
        break;

    case GS_LIMIT_QUOTA_DAY:
        n = (uint64_t) (t / 86400);
        next = (int64_t) (n + 1) * 86400;
        break;

    default: /* GS_LIMIT_QUOTA_MONTH */
        n = gs_limit_quota_month(t / 86400, &next);
        next *= 86400;
    }

    *end = (uint64_t) (next - quota->zone) * GS_LIMIT_QUOTA_SECOND;

    return n + 1;
}


/* Months since the year 0 of a day since 1970, and the day of the next. */

static uint64_t
gs_limit_quota_month(int64_t days, int64_t *next)
{
    int64_t  year, month, era, day;

    /* years begin in March, so that the day that comes and goes is last */

    days += GS_LIMIT_QUOTA_DAYS;
    era = days / 146097;
    day = days % 146097;
    year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= 365 * year + year / 4 - year / 100;
    month = (5 * day + 2) / 153;
    year += era * 400;

    month += 2;
    year += month / 12;
    month %= 12;

    *next = (month == 11) ? gs_limit_quota_days(year + 1, 0)
                          : gs_limit_quota_days(year, month + 1);

    return (uint64_t) (year * 12 + month);
}


/* The day since 1970 on which a month, 0 to 11, begins. */

static int64_t
gs_limit_quota_days(int64_t year, int64_t month)
{
    month -= 2;

    if (month < 0) {
        month += 12;
        year--;
    }

    return year * 365 + year / 4 - year / 100 + year / 400
           + (153 * month + 2) / 5 - GS_LIMIT_QUOTA_DAYS;
}


size_t
gs_limit_quota_size(size_t keys)
{
    if (keys > SIZE_MAX / (4 * sizeof(gs_limit_quota_record_t))) {
        return SIZE_MAX;
    }

    keys *= 2;

    if (keys < GS_LIMIT_QUOTA_PLACES) {
        keys = GS_LIMIT_QUOTA_PLACES;
    }

    return sizeof(gs_limit_quota_table_t)
           + keys * sizeof(gs_limit_quota_record_t);
}


gs_limit_quota_table_t *
gs_limit_quota_init(void *mem, size_t size, const gs_siphash_key_t *secret)
{
    gs_limit_quota_table_t *table = mem;

    if (size < gs_limit_quota_size(0)) {
        return NULL;
    }

    memset(mem, 0, size);

    table->version = GS_LIMIT_QUOTA_VERSION;
    table->size = size;
    table->records = (size - sizeof(gs_limit_quota_table_t))
                     / sizeof(gs_limit_quota_record_t);
    table->secret = *secret;

    __atomic_store_n(&table->magic, GS_LIMIT_QUOTA_MAGIC, __ATOMIC_RELEASE);

    return table;
}


gs_limit_quota_table_t *
gs_limit_quota_attach(void *mem, size_t size)
{
    gs_limit_quota_table_t *table = mem;

    if (size < gs_limit_quota_size(0)
        || gs_limit_quota_load(&table->magic) != GS_LIMIT_QUOTA_MAGIC
        || table->version != GS_LIMIT_QUOTA_VERSION
        || table->size != size)
    {
        return NULL;
    }

    return table;
}


void
gs_limit_quota_prepare(gs_limit_quota_key_t *k, gs_limit_quota_table_t *table,
    const gs_limit_quota_t *quota, const gs_str_t *key, uint64_t cost,
    uint64_t window)
{
    uint64_t  hash[2];

    gs_siphash128(&table->secret, key->data, key->len, hash);

    k->table = table;
    k->quota = quota;
    k->record = NULL;
    k->tag = hash[0] | 1;
    k->check = hash[1] & GS_LIMIT_QUOTA_CHECK;
    k->first = (uint64_t) (((gs_limit_wide_t) hash[1] * table->records) >> 64);
    k->window = window;
    k->cost = cost;
    k->remaining = 0;
    k->ask = 0;
}


gs_rc_t
gs_limit_quota_take(gs_limit_quota_key_t *k, unsigned gone)
{
    gs_rc_t                   rc;
    uint64_t                  used, spent, most;
    unsigned                  i, own;
    gs_limit_quota_record_t  *record;

    most = k->quota->local + (gone ? k->quota->spare : 0);

    for (i = 0; i < GS_LIMIT_QUOTA_TRIES; i++) {

        record = gs_limit_quota_find(k, &used);

        if (record == NULL) {
            return GS_BUSY;
        }

        own = gs_limit_quota_same(used, k->window, k->check)
              && gs_limit_quota_load(&record->tag) == k->tag;
        spent = own ? gs_limit_quota_count(used) : 0;
        k->record = record;

        rc = own ? gs_limit_quota_draw(k) : GS_AGAIN;

        if (rc == GS_OK) {
            return GS_OK;
        }

        if (k->cost <= most && spent <= most - k->cost) {

            spent += k->cost;
            rc = GS_OK;

        } else if (own) {
            break;
        }

        /* a new key gets a record even if it may spend nothing here */

        if (!gs_limit_quota_swap(&record->used, used,
                                 gs_limit_quota_word(k->window, spent,
                                                     k->check)))
        {
            continue;
        }

        gs_fault("quota_used");

        if (!own) {
            __atomic_store_n(&record->tag, k->tag, __ATOMIC_RELEASE);
        }

        k->remaining = k->quota->local - ((spent < k->quota->local)
                                          ? spent : k->quota->local);
        k->ask = (k->quota->shared != 0 && k->remaining
                  <= k->quota->local / 2);

        if (rc == GS_OK) {
            return GS_OK;
        }

        break;
    }

    if (k->quota->shared == 0 || gone || k->cost > k->quota->shared
        || gs_limit_quota_load(&k->record->left)
           == gs_limit_quota_word(k->window, GS_LIMIT_QUOTA_NONE, k->check))
    {
        return GS_DECLINED;
    }

    k->ask = 1;

    return GS_AGAIN;
}


/* From a ticket. */

static gs_rc_t
gs_limit_quota_draw(gs_limit_quota_key_t *k)
{
    uint64_t  word, n;

    do {
        word = gs_limit_quota_load(&k->record->left);
        n = gs_limit_quota_count(word);

        if (!gs_limit_quota_same(word, k->window, k->check)
            || n == GS_LIMIT_QUOTA_NONE || n < k->cost)
        {
            return GS_AGAIN;
        }

    } while (!gs_limit_quota_swap(&k->record->left, word,
                                  gs_limit_quota_word(k->window, n - k->cost,
                                                      k->check)));

    k->remaining = n - k->cost;
    k->ask = (k->remaining <= k->quota->ticket / 2);

    return GS_OK;
}


gs_rc_t
gs_limit_quota_ask(gs_limit_quota_key_t *k, uint64_t now, uint64_t timeout,
    gs_limit_quota_ask_t *ask)
{
    uint64_t  inflight, left;

    left = gs_limit_quota_load(&k->record->left);
    inflight = gs_limit_quota_load(&k->record->inflight);

    if (inflight > now
        || left == gs_limit_quota_word(k->window, GS_LIMIT_QUOTA_NONE,
                                       k->check)
        || !gs_limit_quota_swap(&k->record->inflight, inflight,
                                now + timeout))
    {
        return GS_DECLINED;
    }

    gs_fault("quota_ask");

    ask->record = k->record;
    ask->quota = k->quota;
    ask->check = k->check;
    ask->window = k->window;
    ask->inflight = now + timeout;
    ask->n = (k->cost > k->quota->ticket) ? k->cost : k->quota->ticket;

    return GS_OK;
}


uint64_t
gs_limit_quota_grant(gs_limit_quota_ask_t *ask, uint64_t value)
{
    uint64_t  before, granted, word, left, n;

    before = (value > ask->n) ? value - ask->n : 0;

    granted = (before < ask->quota->shared) ? ask->quota->shared - before : 0;

    if (granted > ask->n) {
        granted = ask->n;
    }

    do {
        word = gs_limit_quota_load(&ask->record->left);
        left = gs_limit_quota_count(word);

        if (!gs_limit_quota_same(word, ask->window, ask->check)
            || left == GS_LIMIT_QUOTA_NONE)
        {
            left = 0;
        }

        n = left + granted;

        if (n == 0) {
            n = GS_LIMIT_QUOTA_NONE;
        }

    } while (!gs_limit_quota_swap(&ask->record->left, word,
                                  gs_limit_quota_word(ask->window, n,
                                                      ask->check)));

    gs_fault("quota_grant");
    gs_limit_quota_fail(ask);

    return ask->n - granted;
}


void
gs_limit_quota_fail(gs_limit_quota_ask_t *ask)
{
    (void) gs_limit_quota_swap(&ask->record->inflight, ask->inflight, 0);
}


/* The record of the key, else a free one; used is its word as read. */

static gs_limit_quota_record_t *
gs_limit_quota_find(gs_limit_quota_key_t *k, uint64_t *used)
{
    uint64_t                  word;
    unsigned                  i;
    gs_limit_quota_record_t  *record, *free;

    free = NULL;

    for (i = 0; i < GS_LIMIT_QUOTA_PLACES; i++) {

        record = gs_limit_quota_record(k, i);
        word = gs_limit_quota_load(&record->used);

        if (gs_limit_quota_same(word, k->window, k->check)
            && gs_limit_quota_load(&record->tag) == k->tag)
        {
            *used = word;
            return record;
        }

        if (free == NULL && word >> 48 != (k->window & 0xffff)) {
            free = record;
            *used = word;
        }
    }

    return free;
}


static gs_limit_quota_record_t *
gs_limit_quota_record(const gs_limit_quota_key_t *k, unsigned i)
{
    return (gs_limit_quota_record_t *) (k->table + 1)
           + (k->first + i) % k->table->records;
}


static uint64_t
gs_limit_quota_word(uint64_t window, uint64_t count, uint64_t check)
{
    return (window & 0xffff) << 48 | count << 16 | check;
}


static int
gs_limit_quota_same(uint64_t word, uint64_t window, uint64_t check)
{
    return word >> 48 == (window & 0xffff)
           && (word & GS_LIMIT_QUOTA_CHECK) == check;
}


static int
gs_limit_quota_swap(uint64_t *p, uint64_t old, uint64_t new)
{
    return __atomic_compare_exchange_n(p, &old, new, 0, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}
