
/*
 * Copyright (C) govsvc authors
 *
 * The health of an instance.  A word, from its lowest bit: state 3, error 5,
 * streak 8, status 10, since 38.
 */


#include "route/gs_health.h"
#include "route/gs_route_priv.h"


#define GS_HEALTH_SINCE       0x3fffffffffull
#define GS_HEALTH_STREAK      255
#define GS_HEALTH_EJECT_POW   5
#define GS_HEALTH_LEAST       102          /* a tenth of the weight */
#define GS_HEALTH_COUNT_MAX   0xffff
#define GS_HEALTH_RETRY       100


static unsigned gs_health_contains(const gs_str_t *s, const gs_str_t *part);
static unsigned gs_health_header(const gs_route_table_t *t,
    const gs_route_check_t *check, const gs_http_response_t *response);
static gs_health_is_e gs_health_is(const gs_route_instance_t *instance,
    const gs_health_t *check, const gs_health_t *fate, uint64_t until,
    uint64_t times, uint64_t slow_start, uint64_t now);


static const char *const  gs_health_errors[GS_HEALTH_ERRORS] = {
    "", "connect", "tls", "timeout", "closed", "invalid", "too_large",
    "status", "header", "body", "request"
};

static const char *const  gs_health_states[] = {
    "checking", "up", "slow_start", "trial", "ejected", "unhealthy",
    "draining", "down"
};

static const char *const  gs_health_fates[] = {
    "", "failures", "ratio", "recovered"
};


uint64_t
gs_health_pack(const gs_health_t *h)
{
    return (uint64_t) (h->state & 7)
           | (uint64_t) (h->error & 31) << 3
           | (uint64_t) (h->streak & 255) << 8
           | (uint64_t) (h->status & 1023) << 16
           | (h->since & GS_HEALTH_SINCE) << 26;
}


void
gs_health_unpack(uint64_t word, gs_health_t *h)
{
    h->state = word & 7;
    h->error = (gs_health_error_e) (word >> 3 & 31);
    h->streak = word >> 8 & 255;
    h->status = word >> 16 & 1023;
    h->since = word >> 26;
}


const char *
gs_health_error_text(gs_health_error_e error)
{
    return error < GS_HEALTH_ERRORS ? gs_health_errors[error] : "";
}


unsigned
gs_health_checked(uint64_t word, const gs_route_check_t *check,
    gs_health_error_e error, uint32_t status, uint64_t now, uint64_t *next)
{
    uint32_t     state, needed;
    gs_health_t  h;

    gs_health_unpack(word, &h);

    state = (error == GS_HEALTH_OK) ? GS_HEALTH_UP : GS_HEALTH_DOWN;
    needed = (error == GS_HEALTH_OK) ? check->rise : check->fall;

    /* the last error stays readable while its successors are successes */

    if (error != GS_HEALTH_OK) {
        h.error = error;
        h.status = status;
    }

    if (h.state == state) {
        h.streak = 0;
        *next = gs_health_pack(&h);
        return 0;
    }

    if (h.streak < GS_HEALTH_STREAK) {
        h.streak++;
    }

    if (h.state != GS_HEALTH_UNKNOWN && h.streak < needed) {
        *next = gs_health_pack(&h);
        return 0;
    }

    h.state = state;
    h.streak = 0;
    h.since = now;
    *next = gs_health_pack(&h);

    return 1;
}


uint64_t
gs_health_delay(uint64_t word, const gs_route_check_t *check, uint32_t random)
{
    gs_health_t  h;

    gs_health_unpack(word, &h);

    if (h.state == GS_HEALTH_UNKNOWN || h.streak != 0) {
        return check->fast;
    }

    return (uint64_t) check->interval
           + random % ((uint64_t) check->jitter + 1);
}


gs_health_error_e
gs_health_judge(const gs_route_table_t *t, const gs_route_check_t *check,
    const gs_http_response_t *response)
{
    gs_str_t  body;

    if (response->status < check->status_min
        || response->status > check->status_max)
    {
        return GS_HEALTH_STATUS;
    }

    if (check->header.len != 0 && !gs_health_header(t, check, response)) {
        return GS_HEALTH_HEADER;
    }

    body = gs_route_str(t, check->body);

    if (body.len != 0 && !gs_health_contains(&response->body, &body)) {
        return GS_HEALTH_BODY;
    }

    return GS_HEALTH_OK;
}


static unsigned
gs_health_header(const gs_route_table_t *t, const gs_route_check_t *check,
    const gs_http_response_t *response)
{
    size_t    i;
    gs_str_t  name, value;

    name = gs_route_str(t, check->header);
    value = gs_route_str(t, check->value);

    for (i = 0; i < response->nheaders; i++) {
        if (gs_route_wild(&response->headers[i].name, &name, 1)
            && (value.len == 0
                || gs_route_wild(&response->headers[i].value, &value, 0)))
        {
            return 1;
        }
    }

    return 0;
}


static unsigned
gs_health_contains(const gs_str_t *s, const gs_str_t *part)
{
    size_t             left;
    const gs_uchar_t  *p, *found;

    p = s->data;
    left = s->len;

    while (left >= part->len) {
        found = memchr(p, part->data[0], left - part->len + 1);

        if (found == NULL) {
            return 0;
        }

        if (memcmp(found, part->data, part->len) == 0) {
            return 1;
        }

        left -= (size_t) (found + 1 - p);
        p = found + 1;
    }

    return 0;
}


/* From the lowest bit: failed 16, requests 16, begin of the window 32. */

uint64_t
gs_health_count(uint64_t word, unsigned failed, uint64_t window, uint64_t now)
{
    uint32_t  begin, all, bad;

    bad = word & GS_HEALTH_COUNT_MAX;
    all = word >> 16 & GS_HEALTH_COUNT_MAX;
    begin = (uint32_t) (word >> 32);

    if (all == 0 || (uint32_t) ((uint32_t) now - begin) >= window) {
        begin = (uint32_t) now;
        all = 0;
        bad = 0;
    }

    /* both halved: the share stays */

    if (all == GS_HEALTH_COUNT_MAX) {
        all /= 2;
        bad /= 2;
    }

    all++;
    bad += (failed != 0);

    return (uint64_t) begin << 32 | (uint64_t) all << 16 | bad;
}


unsigned
gs_health_exceeds(uint64_t word, uint32_t ratio, uint32_t volume)
{
    uint64_t  all, bad;

    bad = word & GS_HEALTH_COUNT_MAX;
    all = word >> 16 & GS_HEALTH_COUNT_MAX;

    if (volume > GS_HEALTH_COUNT_MAX / 2) {
        volume = GS_HEALTH_COUNT_MAX / 2;
    }

    return ratio != 0 && all >= volume && bad * 100 >= all * ratio;
}


uint64_t
gs_health_eject_time(uint64_t base, uint64_t times)
{
    times = (times > 0) ? times - 1 : 0;

    return base << (times < GS_HEALTH_EJECT_POW ? times
                                                : GS_HEALTH_EJECT_POW);
}


unsigned
gs_health_may_eject(uint32_t enabled, uint32_t usable, uint32_t max,
    unsigned last)
{
    uint64_t  most;

    if (usable == 0) {
        return 0;
    }

    if (!last) {
        return 1;
    }

    /* one of two may go, whatever the share */

    most = (uint64_t) enabled * max / 100;
    most = (most != 0) ? most : 1;

    return enabled > 1 && (uint64_t) enabled - usable + 1 <= most;
}


unsigned
gs_health_panic(uint32_t enabled, uint32_t usable, uint32_t panic,
    unsigned last)
{
    if (!last || usable >= enabled) {
        return 0;
    }

    return enabled == 1 || (uint64_t) usable * 100 < (uint64_t) enabled * panic;
}


uint32_t
gs_health_share(uint64_t fate, uint64_t slow_start, uint64_t now)
{
    uint64_t     share;
    gs_health_t  h;

    gs_health_unpack(fate, &h);

    if (h.state != GS_HEALTH_RECOVERED || now < h.since
        || now - h.since >= slow_start)
    {
        return GS_HEALTH_WHOLE;
    }

    share = (now - h.since) * GS_HEALTH_WHOLE / slow_start;

    return (share > GS_HEALTH_LEAST) ? (uint32_t) share : GS_HEALTH_LEAST;
}


void
gs_health_earn(uint32_t *tokens, uint32_t budget, uint32_t burst)
{
    uint32_t  most;

    /* a whole retry must fit, or small budgets would never reach one */

    most = (burst != 0 ? burst : (budget != 0)) * GS_HEALTH_RETRY;

    *tokens = (*tokens + budget < most) ? *tokens + budget : most;
}


unsigned
gs_health_can_retry(uint32_t tokens)
{
    return tokens >= GS_HEALTH_RETRY;
}


gs_rc_t
gs_health_spend(uint32_t *tokens)
{
    if (!gs_health_can_retry(*tokens)) {
        return GS_DECLINED;
    }

    *tokens -= GS_HEALTH_RETRY;

    return GS_OK;
}


void
gs_health_report(const gs_route_instance_t *instance, uint64_t check,
    uint64_t fate, uint64_t until, uint64_t times, uint64_t slow_start,
    uint64_t now, gs_health_report_t *report)
{
    gs_health_t  c, f, *h;

    gs_health_unpack(instance->check != GS_ROUTE_NONE ? check : 0, &c);
    gs_health_unpack(fate, &f);

    memset(report, 0, sizeof(gs_health_report_t));

    report->is = gs_health_is(instance, &c, &f, until, times, slow_start,
                              now);
    report->state = gs_health_states[report->is];
    report->reason = "";
    report->streak = c.streak;

    h = NULL;

    switch (report->is) {

    case GS_HEALTH_IS_CHECKING:
    case GS_HEALTH_IS_UNHEALTHY:
        report->reason = "check";
        h = &c;
        break;

    case GS_HEALTH_IS_EJECTED:
    case GS_HEALTH_IS_TRIAL:
    case GS_HEALTH_IS_SLOW:
        report->reason = gs_health_fates[f.state & 3];
        h = &f;
        break;

    case GS_HEALTH_IS_DRAINING:
    case GS_HEALTH_IS_DOWN:
        report->reason = "operator";
        break;

    case GS_HEALTH_IS_UP:
        h = (instance->check != GS_ROUTE_NONE) ? &c : &f;
        break;
    }

    report->error = (h != NULL) ? gs_health_error_text(h->error) : "";
    report->status = (h != NULL) ? h->status : 0;
    report->since = (h != NULL) ? h->since : 0;
}


static gs_health_is_e
gs_health_is(const gs_route_instance_t *instance, const gs_health_t *check,
    const gs_health_t *fate, uint64_t until, uint64_t times,
    uint64_t slow_start, uint64_t now)
{
    if (instance->state == GS_ROUTE_DRAIN) {
        return GS_HEALTH_IS_DRAINING;
    }

    if (instance->state == GS_ROUTE_DOWN) {
        return GS_HEALTH_IS_DOWN;
    }

    if (check->state == GS_HEALTH_DOWN) {
        return GS_HEALTH_IS_UNHEALTHY;
    }

    if (until > now) {
        return GS_HEALTH_IS_EJECTED;
    }

    if (times != 0) {
        return GS_HEALTH_IS_TRIAL;
    }

    if (fate->state == GS_HEALTH_RECOVERED
        && gs_health_share(gs_health_pack(fate), slow_start, now)
           != GS_HEALTH_WHOLE)
    {
        return GS_HEALTH_IS_SLOW;
    }

    if (instance->check != GS_ROUTE_NONE
        && check->state == GS_HEALTH_UNKNOWN)
    {
        return GS_HEALTH_IS_CHECKING;
    }

    return GS_HEALTH_IS_UP;
}
