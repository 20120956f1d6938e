
/*
 * Copyright (C) govsvc authors
 *
 * Availability as text: lines of words, a checksum in the last.  What is read
 * may be damaged, or another's: each number is held against what can be.
 *
 *     govsvc-availability 1
 *     clock EPOCH BEGAN MINUTE
 *     platform NAME ACTIVE SINCE LAST DOWN CLOCKS TOTALS(5) BASES(3)
 *     look LOOKS ANNOUNCED NONE PROVED SEEN(3)
 *     month MONTH MINUTES(5) OUTAGES LONGEST REQUESTS(3)
 *     outage NAME SINCE UNTIL DOWN CLOCKS
 *     end CHECKSUM
 */


#include "route/gs_avail_priv.h"

#include "core/gs_siphash.h"
#include "core/gs_time.h"


#define GS_AVAIL_HEAD    "govsvc-availability 1\n"
#define GS_AVAIL_WORDS   15
#define GS_AVAIL_MONTH   (31 * 1440)       /* min */
#define GS_AVAIL_END     (sizeof("end 0123456789abcdef\n") - 1)


typedef struct {
    gs_avail_t      *a;
    gs_avail_row_t  *row;
    gs_err_t        *err;
    gs_str_t         words[GS_AVAIL_WORDS];
    uint64_t         n[GS_AVAIL_WORDS];    /* words that are numbers */
    unsigned         nwords;
    unsigned         line;
} gs_avail_parse_t;


static void gs_avail_save_row(const gs_avail_row_t *row, unsigned oldest,
    gs_buf_t *b);
static void gs_avail_save_outage(const gs_avail_outage_t *o, gs_buf_t *b);
static void gs_avail_put(gs_buf_t *b, uint64_t n);
static void gs_avail_sum(gs_buf_t *b, const void *data, size_t len);
static gs_rc_t gs_avail_load_text(gs_avail_t *a, const gs_str_t *text,
    gs_err_t *err);
static gs_rc_t gs_avail_check_sum(const gs_str_t *text, size_t *len);
static gs_rc_t gs_avail_load_line(gs_avail_parse_t *p, const gs_str_t *line);
static gs_rc_t gs_avail_split(gs_avail_parse_t *p, const gs_str_t *line,
    unsigned first);
static gs_rc_t gs_avail_load_clock(gs_avail_parse_t *p);
static gs_rc_t gs_avail_load_row(gs_avail_parse_t *p);
static gs_rc_t gs_avail_load_look(gs_avail_parse_t *p);
static gs_rc_t gs_avail_load_month(gs_avail_parse_t *p);
static gs_rc_t gs_avail_load_outage(gs_avail_parse_t *p);


/* No secret: it tells damage, not forgery. */

static const gs_siphash_key_t  gs_avail_key = {
    0x676f767376633a61, 0x7661696c61626c65
};


gs_rc_t
gs_avail_save(const gs_avail_t *a, gs_buf_t *b)
{
    uint64_t     i;
    unsigned     oldest;
    gs_uchar_t  *start;

    start = b->pos;
    oldest = gs_avail_oldest(a->minute);

    gs_buf_text(b, GS_AVAIL_HEAD "clock");
    gs_avail_put(b, a->epoch);
    gs_avail_put(b, a->began);
    gs_avail_put(b, a->minute);
    gs_buf_char(b, '\n');

    for (i = 0; i < GS_AVAIL_PLATFORMS; i++) {
        if (a->rows[i].len != 0) {
            gs_avail_save_row(&a->rows[i], oldest, b);
        }
    }

    i = (a->noutages > GS_AVAIL_OUTAGES) ? a->noutages - GS_AVAIL_OUTAGES : 0;

    for ( /* void */ ; i < a->noutages; i++) {
        gs_avail_save_outage(&a->outages[i % GS_AVAIL_OUTAGES], b);
    }

    if (b->overflow) {
        return GS_ERROR;
    }

    gs_avail_sum(b, start, (size_t) (b->pos - start));

    return b->overflow ? GS_ERROR : GS_OK;
}


static void
gs_avail_save_row(const gs_avail_row_t *row, unsigned oldest, gs_buf_t *b)
{
    unsigned                 i, k;
    const gs_avail_month_t  *m;

    gs_buf_text(b, "platform ");
    gs_buf_put(b, row->name, row->len);
    gs_avail_put(b, row->active);
    gs_avail_put(b, row->since);
    gs_avail_put(b, row->last);
    gs_avail_put(b, row->down);
    gs_avail_put(b, row->clocks);

    for (k = 0; k < GS_AVAIL_STATES; k++) {
        gs_avail_put(b, row->total[k]);
    }

    for (k = 0; k < GS_AVAIL_REQUESTS; k++) {
        gs_avail_put(b, row->base[k]);
    }

    if (row->looks != 0) {
        gs_buf_text(b, "\nlook");
        gs_avail_put(b, row->looks);
        gs_avail_put(b, row->announced);
        gs_avail_put(b, row->none);
        gs_avail_put(b, row->proved);

        for (k = 0; k < GS_AVAIL_REQUESTS; k++) {
            gs_avail_put(b, row->seen[k]);
        }
    }

    for (i = 0; i < GS_AVAIL_MONTHS; i++) {
        m = &row->months[i];

        if (m->month < oldest) {
            continue;
        }

        gs_buf_text(b, "\nmonth");
        gs_avail_put(b, m->month);

        for (k = 0; k < GS_AVAIL_STATES; k++) {
            gs_avail_put(b, m->minutes[k]);
        }

        gs_avail_put(b, m->outages);
        gs_avail_put(b, m->longest);

        for (k = 0; k < GS_AVAIL_REQUESTS; k++) {
            gs_avail_put(b, m->requests[k]);
        }
    }

    gs_buf_char(b, '\n');
}


static void
gs_avail_save_outage(const gs_avail_outage_t *o, gs_buf_t *b)
{
    gs_buf_text(b, "outage ");
    gs_buf_put(b, o->name, o->len);
    gs_avail_put(b, o->since);
    gs_avail_put(b, o->until);
    gs_avail_put(b, o->down);
    gs_avail_put(b, o->clocks);
    gs_buf_char(b, '\n');
}


static void
gs_avail_put(gs_buf_t *b, uint64_t n)
{
    gs_buf_char(b, ' ');
    gs_buf_u64(b, n);
}


/* The last line over what stands before it, the same on any machine. */

static void
gs_avail_sum(gs_buf_t *b, const void *data, size_t len)
{
    uint64_t    sum;
    unsigned    i;
    gs_uchar_t  bytes[8];

    sum = gs_siphash(&gs_avail_key, data, len);

    for (i = 0; i < 8; i++) {
        bytes[i] = (gs_uchar_t) (sum >> (56 - 8 * i));
    }

    gs_buf_text(b, "end ");
    gs_buf_hex(b, bytes, sizeof(bytes));
    gs_buf_char(b, '\n');
}


gs_rc_t
gs_avail_load(gs_avail_t *a, const gs_str_t *text, gs_err_t *err)
{
    gs_avail_reset(a);

    if (gs_avail_load_text(a, text, err) != GS_OK) {
        gs_avail_reset(a);
        return GS_ERROR;
    }

    return GS_OK;
}


static gs_rc_t
gs_avail_load_text(gs_avail_t *a, const gs_str_t *text, gs_err_t *err)
{
    size_t            at, end, len;
    gs_str_t          line, head;
    gs_avail_parse_t  p;

    memset(&p, 0, sizeof(gs_avail_parse_t));

    p.a = a;
    p.err = err;
    p.line = 1;

    head = gs_str_text(GS_AVAIL_HEAD);

    if (!gs_str_prefix(text, &head)) {
        if (err != NULL) {
            err->line = 1;
        }

        return gs_err(err, "these are no availability figures");
    }

    if (gs_avail_check_sum(text, &len) != GS_OK) {
        return gs_err(err, "the figures are not whole: the checksum differs");
    }

    for (at = head.len; at < len; at = end + 1) {
        p.line++;
        end = gs_str_chr(text, at, '\n');
        line = gs_str_make(text->data + at, end - at);

        if (gs_avail_load_line(&p, &line) != GS_OK) {
            if (err != NULL) {
                err->line = p.line;
            }

            return gs_err(err, "\"%S\" cannot be", &line);
        }
    }

    return GS_OK;
}


/* len: what stands before the last line. */

static gs_rc_t
gs_avail_check_sum(const gs_str_t *text, size_t *len)
{
    size_t      n;
    gs_buf_t    b;
    gs_uchar_t  last[GS_AVAIL_END];

    n = GS_AVAIL_END;

    if (text->len <= n || text->data[text->len - n - 1] != '\n') {
        return GS_ERROR;
    }

    *len = text->len - n;

    gs_buf_init(&b, last, sizeof(last));
    gs_avail_sum(&b, text->data, *len);

    return (memcmp(text->data + *len, last, n) == 0) ? GS_OK : GS_ERROR;
}


static gs_rc_t
gs_avail_load_line(gs_avail_parse_t *p, const gs_str_t *line)
{
    gs_str_t  kind;

    kind = gs_str_make(line->data, gs_str_chr(line, 0, ' '));

    if ((p->line == 2) != gs_str_eq_text(&kind, "clock")) {
        return GS_ERROR;
    }

    if (gs_str_eq_text(&kind, "month")) {
        return (gs_avail_split(p, line, 1) == GS_OK)
               ? gs_avail_load_month(p) : GS_ERROR;
    }

    if (gs_str_eq_text(&kind, "platform")) {
        return (gs_avail_split(p, line, 2) == GS_OK)
               ? gs_avail_load_row(p) : GS_ERROR;
    }

    if (gs_str_eq_text(&kind, "look")) {
        return (gs_avail_split(p, line, 1) == GS_OK)
               ? gs_avail_load_look(p) : GS_ERROR;
    }

    if (gs_str_eq_text(&kind, "outage")) {
        return (gs_avail_split(p, line, 2) == GS_OK)
               ? gs_avail_load_outage(p) : GS_ERROR;
    }

    return (p->line == 2 && gs_avail_split(p, line, 1) == GS_OK)
           ? gs_avail_load_clock(p) : GS_ERROR;
}


/* From word first on they are numbers. */

static gs_rc_t
gs_avail_split(gs_avail_parse_t *p, const gs_str_t *line, unsigned first)
{
    size_t    at, end;
    unsigned  i;

    for (i = 0, at = 0; at <= line->len; i++, at = end + 1) {

        if (i == GS_AVAIL_WORDS) {
            return GS_ERROR;
        }

        end = gs_str_chr(line, at, ' ');
        p->words[i] = gs_str_make(line->data + at, end - at);

        if (i >= first && gs_parse_u64(&p->words[i], &p->n[i]) != GS_OK) {
            return GS_ERROR;
        }
    }

    p->nwords = i;

    return GS_OK;
}


/* The second line, and no other. */

static gs_rc_t
gs_avail_load_clock(gs_avail_parse_t *p)
{
    if (p->nwords != 4 || p->n[2] > p->n[3] || p->n[3] >= GS_AVAIL_LAST)
    {
        return GS_ERROR;
    }

    p->a->epoch = p->n[1];
    p->a->began = p->n[2];
    p->a->minute = p->n[3];

    return GS_OK;
}


static gs_rc_t
gs_avail_load_row(gs_avail_parse_t *p)
{
    unsigned         k;
    const uint64_t  *n;
    gs_avail_row_t  *row;

    n = p->n;

    if (p->nwords != 15 || !gs_avail_is_name(&p->words[1]) || n[2] > 1
        || n[3] > n[4] || n[4] > p->a->minute || (n[3] == 0 && n[4] != 0)
        || n[5] > n[4] + 1 - n[3] || (n[3] == 0) != (n[5] == 0)
        || n[6] > GS_AVAIL_CLOCKS || (n[3] == 0 && n[6] != 0))
    {
        return GS_ERROR;
    }

    row = gs_avail_row(p->a, &p->words[1]);

    if (row == NULL || row->len != 0) {
        return GS_ERROR;
    }

    memcpy(row->name, p->words[1].data, p->words[1].len);
    row->len = (uint32_t) p->words[1].len;
    row->active = (uint32_t) n[2];
    row->since = n[3];
    row->last = n[4];
    row->down = (uint32_t) n[5];
    row->clocks = (uint32_t) n[6];

    for (k = 0; k < GS_AVAIL_STATES; k++) {
        row->total[k] = n[7 + k];
    }

    for (k = 0; k < GS_AVAIL_REQUESTS; k++) {
        row->base[k] = n[7 + GS_AVAIL_STATES + k];
    }

    p->row = row;

    return GS_OK;
}


static gs_rc_t
gs_avail_load_look(gs_avail_parse_t *p)
{
    unsigned         k;
    const uint64_t  *n;
    gs_avail_row_t  *row;

    n = p->n;
    row = p->row;

    if (row == NULL || row->looks != 0 || p->nwords != 8
        || n[1] == 0 || n[1] > UINT32_MAX || n[2] > n[1]
        || n[3] > n[1] || n[4] > n[1] - n[3])
    {
        return GS_ERROR;
    }

    row->looks = (uint32_t) n[1];
    row->announced = (uint32_t) n[2];
    row->none = (uint32_t) n[3];
    row->proved = (uint32_t) n[4];

    for (k = 0; k < GS_AVAIL_REQUESTS; k++) {
        row->seen[k] = n[5 + k];
    }

    return GS_OK;
}


static gs_rc_t
gs_avail_load_month(gs_avail_parse_t *p)
{
    uint64_t           all;
    unsigned           k, month;
    const uint64_t    *n;
    gs_avail_month_t  *m;

    n = p->n;

    if (p->row == NULL || p->nwords != 12 || n[1] < 197001 || n[1] > 999912
        || n[1] % 100 < 1 || n[1] % 100 > 12)
    {
        return GS_ERROR;
    }

    month = (unsigned) n[1];

    if (month < gs_avail_oldest(p->a->minute)
        || month > gs_time_month(p->a->minute * GS_AVAIL_MINUTE))
    {
        return GS_ERROR;
    }

    m = gs_avail_slot(p->row, month);

    for (all = 0, k = 0; k < GS_AVAIL_STATES; k++) {

        if (n[2 + k] > GS_AVAIL_MONTH) {
            return GS_ERROR;
        }

        all += n[2 + k];
    }

    /* a minute that was down is the least of an outage */

    if (m->month != 0 || all > GS_AVAIL_MONTH
        || n[7] > n[2 + GS_AVAIL_DOWN] || n[8] > UINT32_MAX)
    {
        return GS_ERROR;
    }

    m->month = month;
    m->outages = (uint32_t) n[7];
    m->longest = (uint32_t) n[8];

    for (k = 0; k < GS_AVAIL_STATES; k++) {
        m->minutes[k] = (uint32_t) n[2 + k];
    }

    for (k = 0; k < GS_AVAIL_REQUESTS; k++) {
        m->requests[k] = n[9 + k];
    }

    return GS_OK;
}


static gs_rc_t
gs_avail_load_outage(gs_avail_parse_t *p)
{
    const uint64_t     *n;
    gs_avail_outage_t  *o;

    n = p->n;

    if (p->nwords != 6 || !gs_avail_is_name(&p->words[1])
        || p->a->noutages == GS_AVAIL_OUTAGES
        || n[2] == 0 || n[2] >= n[3] || n[3] > p->a->minute
        || n[4] == 0 || n[4] > n[3] - n[2] || n[5] > GS_AVAIL_CLOCKS)
    {
        return GS_ERROR;
    }

    o = &p->a->outages[p->a->noutages++];

    memcpy(o->name, p->words[1].data, p->words[1].len);
    o->len = (uint32_t) p->words[1].len;
    o->since = n[2];
    o->until = n[3];
    o->down = (uint32_t) n[4];
    o->clocks = (uint32_t) n[5];

    return GS_OK;
}
