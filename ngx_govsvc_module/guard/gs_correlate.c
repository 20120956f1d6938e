
/*
 * Copyright (C) govsvc authors
 *
 * One event of a key: counts, sketches of distinct values, runs of numbers,
 * rates over their own past; and whether that is enough.
 */


#include "core/gs_fault.h"
#include "guard/gs_correlate_priv.h"


static uint64_t gs_correlate_salt(const gs_correlate_plan_t *plan);
static void gs_correlate_time(gs_correlate_time_t *time,
    const gs_correlate_plan_t *plan, uint64_t now);
static gs_rc_t gs_correlate_count(gs_correlate_place_t *p,
    const gs_correlate_plan_t *plan, const gs_correlate_time_t *time,
    const gs_str_t *value, uint64_t *rolled);
static uint64_t gs_correlate_next(uint64_t state, uint64_t window,
    uint64_t check, unsigned add);
static uint32_t gs_correlate_events(uint64_t state,
    const gs_correlate_time_t *time);
static unsigned gs_correlate_follows(gs_correlate_place_t *p,
    const gs_str_t *value);
static void gs_correlate_sketch(gs_correlate_place_t *p,
    const gs_correlate_time_t *time, const gs_str_t *value);
static uint32_t gs_correlate_unique(gs_correlate_place_t *p,
    const gs_correlate_time_t *time);
static uint32_t gs_correlate_usual(gs_correlate_place_t *p,
    const gs_correlate_plan_t *plan, uint64_t rolled);
static gs_rc_t gs_correlate_judge(gs_correlate_place_t *p,
    const gs_correlate_plan_t *plan, const gs_correlate_time_t *time,
    uint32_t usual, unsigned times, gs_correlate_result_t *result);
static unsigned gs_correlate_reached(const gs_correlate_plan_t *plan,
    uint32_t usual, unsigned times, gs_correlate_result_t *result);
static uint64_t gs_correlate_interest(const gs_correlate_plan_t *plan);
static void gs_correlate_reset(gs_correlate_place_t *p);


/* Values that set so many bits of the sketch, most likely. */

static const uint16_t  gs_correlate_estimates[GS_CORRELATE_SKETCH + 1] = {
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21,
    22, 23, 24, 25, 26, 27, 28, 29, 31, 32, 33, 34, 35, 36, 37, 38, 40, 41,
    42, 43, 44, 45, 46, 48, 49, 50, 51, 52, 54, 55, 56, 57, 58, 60, 61, 62,
    63, 65, 66, 67, 68, 70, 71, 72, 74, 75, 76, 77, 79, 80, 81, 83, 84, 85,
    87, 88, 89, 91, 92, 94, 95, 96, 98, 99, 101, 102, 103, 105, 106, 108, 109,
    111, 112, 114, 115, 117, 118, 120, 121, 123, 124, 126, 127, 129, 130, 132,
    133, 135, 137, 138, 140, 142, 143, 145, 146, 148, 150, 151, 153, 155, 157,
    158, 160, 162, 164, 165, 167, 169, 171, 172, 174, 176, 178, 180, 182, 184,
    186, 187, 189, 191, 193, 195, 197, 199, 201, 203, 205, 207, 209, 211, 213,
    216, 218, 220, 222, 224, 226, 228, 231, 233, 235, 237, 240, 242, 244, 247,
    249, 251, 254, 256, 259, 261, 264, 266, 269, 271, 274, 276, 279, 282, 284,
    287, 290, 292, 295, 298, 301, 304, 307, 309, 312, 315, 318, 321, 324, 328,
    331, 334, 337, 340, 344, 347, 350, 354, 357, 361, 364, 368, 371, 375, 379,
    382, 386, 390, 394, 398, 402, 406, 410, 414, 418, 423, 427, 431, 436, 441,
    445, 450, 455, 460, 465, 470, 475, 480, 485, 491, 496, 502, 508, 514, 520,
    526, 532, 538, 545, 552, 558, 565, 573, 580, 588, 595, 603, 612, 620, 629,
    638, 647, 657, 667, 677, 688, 699, 710, 722, 735, 748, 762, 776, 791, 807,
    824, 842, 861, 882, 904, 928, 954, 983, 1015, 1051, 1092, 1140, 1198,
    1270, 1366, 1510, 1510
};


gs_rc_t
gs_correlate_add(gs_correlate_table_t *t, const gs_correlate_plan_t *plan,
    const gs_str_t *key, const gs_str_t *value, uint64_t now, unsigned times,
    gs_correlate_result_t *result)
{
    uint32_t              usual;
    uint64_t              rolled;
    gs_correlate_time_t   time;
    gs_correlate_place_t  p;

    memset(result, 0, sizeof(gs_correlate_result_t));

    gs_correlate_place(&p, t, plan->id, gs_correlate_salt(plan), key);
    gs_correlate_time(&time, plan, now);

    if (gs_correlate_count(&p, plan, &time, value, &rolled) != GS_OK) {
        (void) __atomic_fetch_add(&t->full, 1, __ATOMIC_RELAXED);
        return GS_BUSY;
    }

    usual = 0;
    result->n = gs_correlate_events(p.state, &time);

    if (plan->measure == GS_CORRELATE_UNIQUE) {
        gs_correlate_sketch(&p, &time, value);
        result->n = gs_correlate_unique(&p, &time);

    } else if (plan->measure == GS_CORRELATE_RATE) {
        usual = gs_correlate_usual(&p, plan, rolled);
        result->n = (uint32_t) (p.state & 0xffff);
    }

    return gs_correlate_judge(&p, plan, &time, usual, times, result);
}


uint32_t
gs_correlate_read(gs_correlate_table_t *t, const gs_correlate_plan_t *plan,
    const gs_str_t *key, uint64_t now)
{
    gs_correlate_time_t   time;
    gs_correlate_place_t  p;

    gs_correlate_place(&p, t, plan->id, gs_correlate_salt(plan), key);
    gs_correlate_time(&time, plan, now);
    gs_correlate_find(&p, time.now, 0);

    if (!p.own) {
        return 0;
    }

    p.state = gs_correlate_next(p.state, time.number, p.check, 0);

    return (plan->measure == GS_CORRELATE_UNIQUE)
           ? gs_correlate_unique(&p, &time)
           : gs_correlate_events(p.state, &time);
}


void
gs_correlate_clear(gs_correlate_table_t *t, const gs_correlate_plan_t *plan,
    const gs_str_t *key)
{
    gs_correlate_place_t  p;

    gs_correlate_place(&p, t, plan->id, gs_correlate_salt(plan), key);
    gs_correlate_find(&p, 0, 0);

    if (p.own) {
        gs_correlate_reset(&p);
        __atomic_store_n(&p.head->mark, 0, __ATOMIC_RELEASE);
        __atomic_store_n(&p.head->aux, 0, __ATOMIC_RELEASE);
    }
}


/* A rule that was changed counts anew. */

static uint64_t
gs_correlate_salt(const gs_correlate_plan_t *plan)
{
    return (uint64_t) plan->measure << 48 ^ plan->window << 1
           ^ (uint64_t) plan->baseline << 32 ^ 1;
}


static void
gs_correlate_time(gs_correlate_time_t *time, const gs_correlate_plan_t *plan,
    uint64_t now)
{
    time->number = now / plan->window & 0xffff;
    time->left = plan->window - now % plan->window;
    time->length = plan->window;
    time->now = (uint32_t) (now / 1000);
}


/* p->state becomes what is stored now, *rolled what it was before. */

static gs_rc_t
gs_correlate_count(gs_correlate_place_t *p, const gs_correlate_plan_t *plan,
    const gs_correlate_time_t *time, const gs_str_t *value, uint64_t *rolled)
{
    uint64_t  next;
    unsigned  i, add;

    for (i = 0; i < GS_CORRELATE_TRIES; i++) {

        gs_correlate_find(p, time->now, GS_CORRELATE_KNOWN);

        if (p->head == NULL) {
            return GS_BUSY;
        }

        add = 1;

        if (plan->measure == GS_CORRELATE_UNIQUE) {
            __builtin_prefetch(gs_correlate_body(p));
            __builtin_prefetch(gs_correlate_body(p)->words[1]);
        }

        if (plan->measure == GS_CORRELATE_SEQUENCE) {
            add = gs_correlate_follows(p, value);
        }

        *rolled = p->own ? p->state : 0;
        next = gs_correlate_next(*rolled, time->number, p->check, add);

        if (!gs_correlate_swap(&p->head->state, p->state, next)) {
            continue;
        }

        p->state = next;

        gs_fault("correlate_count");

        if (p->own) {
            return GS_OK;
        }

        gs_correlate_own(p);

        gs_fault("correlate_own");

        if (plan->measure == GS_CORRELATE_SEQUENCE) {
            p->own = 1;
            (void) gs_correlate_follows(p, value);
        }

        return GS_OK;
    }

    return GS_BUSY;
}


static uint64_t
gs_correlate_next(uint64_t state, uint64_t window, uint64_t check,
    unsigned add)
{
    int16_t   behind;
    uint64_t  before, now;

    if (state == 0) {
        return check << 48 | window << 32 | add;
    }

    before = state >> 16 & 0xffff;
    now = state & 0xffff;
    behind = (int16_t) (window - (state >> 32));

    if (behind == -1) {

        /* a clock a little behind that of another process */

        window = state >> 32 & 0xffff;

    } else if (behind == 1) {
        before = now;
        now = 0;

    } else if (behind != 0) {
        before = 0;
        now = 0;
    }

    if (now < GS_CORRELATE_FULL) {
        now += add;
    }

    return check << 48 | window << 32 | before << 16 | now;
}


/* Of the window before, the part that the sliding one still covers. */

static uint32_t
gs_correlate_events(uint64_t state, const gs_correlate_time_t *time)
{
    return (uint32_t) ((state & 0xffff)
                       + (state >> 16 & 0xffff) * time->left / time->length);
}


/*
 * Is the number at the end of the value next to the one before?  Behind the
 * same beginning, and up to some steps away, as several ask at once.
 */

static unsigned
gs_correlate_follows(gs_correlate_place_t *p, const gs_str_t *value)
{
    size_t    i;
    uint64_t  number, scale, prefix, aux, next, step;

    number = 0;
    scale = 1;

    for (i = value->len; i > 0 && scale < 1000000000; i--) {

        if (!gs_is_digit(value->data[i - 1])) {
            break;
        }

        number += (uint64_t) (value->data[i - 1] - '0') * scale;
        scale *= 10;
    }

    if (scale == 1) {
        return 0;
    }

    prefix = gs_siphash(&p->table->secret, value->data, i) & 0xffff;
    next = p->check << 48 | prefix << 32 | number;

    aux = gs_correlate_load(&p->head->aux);

    if (!p->own) {
        return 0;
    }

    (void) gs_correlate_swap(&p->head->aux, aux, next);

    if (gs_correlate_check_of(aux) != p->check
        || (aux >> 32 & 0xffff) != prefix)
    {
        return 0;
    }

    aux = (uint32_t) aux;
    step = (number > aux) ? number - aux : aux - number;

    return step > 0 && step <= GS_CORRELATE_STRIDE;
}


static void
gs_correlate_sketch(gs_correlate_place_t *p, const gs_correlate_time_t *time,
    const gs_str_t *value)
{
    uint64_t   hash, epoch, bit, old, new, *word;
    unsigned   i;

    hash = gs_siphash(&p->table->secret, value->data, value->len);
    bit = (hash >> 32) * GS_CORRELATE_SKETCH >> 32;

    epoch = (time->number + p->check) & 0xffff;
    word = &gs_correlate_body(p)->words[time->number & 1]
                                       [bit / GS_CORRELATE_BITS];
    bit = 1ull << bit % GS_CORRELATE_BITS;

    for (i = 0; i < GS_CORRELATE_TRIES; i++) {

        old = gs_correlate_load(word);
        new = (old >> 48 == epoch) ? old | bit : epoch << 48 | bit;

        if (new == old || gs_correlate_swap(word, old, new)) {
            break;
        }
    }

    gs_fault("correlate_sketch");
}


/* Never more than there were events, whatever bits another key left. */

static uint32_t
gs_correlate_unique(gs_correlate_place_t *p, const gs_correlate_time_t *time)
{
    uint32_t              n, all, events;
    uint64_t              now, before, epoch;
    unsigned              i, k, set, both;
    gs_correlate_body_t  *body;

    body = gs_correlate_body(p);
    epoch = time->number + p->check;
    k = time->number & 1;

    set = 0;
    both = 0;

    for (i = 0; i < GS_CORRELATE_WORDS; i++) {

        now = gs_correlate_load(&body->words[k][i]);
        before = gs_correlate_load(&body->words[k ^ 1][i]);

        now = (now >> 48 == (epoch & 0xffff)) ? now & GS_CORRELATE_LOW48 : 0;
        before = (before >> 48 == ((epoch - 1) & 0xffff))
                 ? before & GS_CORRELATE_LOW48 : 0;

        set += (unsigned) __builtin_popcountll(now);
        both += (unsigned) __builtin_popcountll(now | before);
    }

    n = gs_correlate_estimates[set];
    all = gs_correlate_estimates[both];
    n += (uint32_t) ((all - n) * time->left / time->length);

    events = gs_correlate_events(p->state, time);

    return (n < events) ? n : events;
}


/*
 * The usual number of events a second: a mean that follows slowly, learnt
 * from the seconds that ended; none while too few of them are known.  What is
 * far above the mean moves it no faster than twice the mean would, so that a
 * flood does not soon become what is usual.
 */

static uint32_t
gs_correlate_usual(gs_correlate_place_t *p, const gs_correlate_plan_t *plan,
    uint64_t rolled)
{
    uint64_t  old, aux, seconds, mean, n, quiet, most;

    old = gs_correlate_load(&p->head->aux);
    aux = (gs_correlate_check_of(old) == p->check) ? old : 0;

    seconds = aux >> 36 & 0xfff;
    mean = aux & 0xfffffffffull;           /* with 16 bits of fraction */
    quiet = (uint16_t) ((p->state >> 32) - (rolled >> 32));

    if (rolled != 0 && quiet != 0 && quiet < 0x8000) {

        n = (rolled & 0xffff) << 16;
        most = 2 * mean;

        if (seconds >= plan->baseline / 4 && n > most) {
            n = most;
        }

        seconds += (seconds < plan->baseline || seconds == 0);
        mean = mean + n / seconds - mean / seconds;

        quiet -= 1;
        mean -= (quiet < plan->baseline) ? mean * quiet / plan->baseline
                                         : mean;

        (void) gs_correlate_swap(&p->head->aux, old,
                                 p->check << 48 | seconds << 36
                                 | (mean & 0xfffffffffull));
    }

    return (seconds < plan->baseline / 4)
           ? GS_CORRELATE_LEARNING : (uint32_t) (mean * plan->factor >> 16);
}


/*
 * Each step fires once; behind the last one the key starts again.  A rate
 * fires again only when it was usual in between.
 */

static gs_rc_t
gs_correlate_judge(gs_correlate_place_t *p, const gs_correlate_plan_t *plan,
    const gs_correlate_time_t *time, uint32_t usual, unsigned times,
    gs_correlate_result_t *result)
{
    uint64_t  mark, next, end, most;
    unsigned  level, reached, strength, fired;

    mark = gs_correlate_load(&p->head->mark);
    level = 0;
    strength = 0;

    if (gs_correlate_check_of(mark) == p->check && (uint32_t) mark > time->now)
    {
        level = mark >> 32 & 0xff;
        strength = mark >> 40 & 0xff;
    }

    reached = gs_correlate_reached(plan, usual, times, result);

    if (plan->measure == GS_CORRELATE_RATE && reached < level
        && (p->state >> 16 & 0xffff) >= result->limit)
    {
        reached = level;
    }

    fired = reached > level;
    end = time->now + gs_correlate_interest(plan);

    if (fired) {
        strength = GS_CORRELATE_KNOWN;
        end += GS_CORRELATE_HOLD;

    } else if (strength >= GS_CORRELATE_KNOWN) {
        end = ((uint32_t) mark > end) ? (uint32_t) mark : end;

    } else {

        /* who shares an exit is worth as much as who attacks */

        most = (plan->nsteps != 0) ? plan->at[plan->nsteps - 1]
                                   : GS_CORRELATE_MANY;
        strength = (unsigned) (result->n * (GS_CORRELATE_KNOWN - 1) / most);
        strength = (strength < GS_CORRELATE_KNOWN) ? strength
                                                   : GS_CORRELATE_KNOWN - 1;
    }

    level = (fired || reached == 0) ? reached : level;
    next = gs_correlate_mark_of(p->check, strength, level, end);

    if (next != mark && !gs_correlate_swap(&p->head->mark, mark, next)) {

        /* another process was first, also to fire */

        return GS_DECLINED;
    }

    gs_fault("correlate_judge");

    if (fired && reached == plan->nsteps
        && plan->measure != GS_CORRELATE_RATE)
    {
        gs_correlate_reset(p);
    }

    return fired ? GS_OK : GS_DECLINED;
}


/* How many steps there is enough for; the limit of the last, or of the next. */

static unsigned
gs_correlate_reached(const gs_correlate_plan_t *plan, uint32_t usual,
    unsigned times, gs_correlate_result_t *result)
{
    unsigned  i;

    for (i = 0; i < plan->nsteps; i++) {

        result->limit = plan->at[i] * times;

        if (plan->measure == GS_CORRELATE_RATE) {

            if (result->limit < usual) {
                result->limit = usual;
            }

            if (usual == GS_CORRELATE_LEARNING) {
                return 0;
            }
        }

        if (result->n < result->limit) {
            break;
        }

        result->step = i;
    }

    if (i > 0) {
        result->limit = plan->at[i - 1] * times;

        if (plan->measure == GS_CORRELATE_RATE && result->limit < usual) {
            result->limit = usual;
        }
    }

    return i;
}


/* Seconds for which a key is worth its slot. */

static uint64_t
gs_correlate_interest(const gs_correlate_plan_t *plan)
{
    return (plan->measure == GS_CORRELATE_RATE)
           ? plan->baseline : 2 * plan->window / 1000 + 1;
}


/* The count first: it bounds what a half cleared sketch may say. */

static void
gs_correlate_reset(gs_correlate_place_t *p)
{
    uint64_t              state;
    unsigned              i;
    gs_correlate_body_t  *body;

    for (i = 0; i < GS_CORRELATE_TRIES; i++) {

        state = gs_correlate_load(&p->head->state);

        if (gs_correlate_check_of(state) != p->check) {
            return;
        }

        if (gs_correlate_swap(&p->head->state, state,
                              state & ~0xffffffffull))
        {
            break;
        }
    }

    gs_fault("correlate_reset");

    body = gs_correlate_body(p);

    for (i = 0; i < GS_CORRELATE_WORDS; i++) {
        __atomic_store_n(&body->words[0][i], 0, __ATOMIC_RELEASE);
        __atomic_store_n(&body->words[1][i], 0, __ATOMIC_RELEASE);
    }
}
