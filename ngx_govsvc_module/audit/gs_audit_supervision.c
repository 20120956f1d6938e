
/*
 * Copyright (C) govsvc authors
 *
 * Records of electronic supervision.
 *
 * Hints of colour follow from the time that the platform promised; whether a
 * clock was stopped meanwhile, and which days are working days, is known only
 * to who supervises.
 */


#include "audit/gs_audit_json_priv.h"
#include "audit/gs_audit_mask.h"
#include "audit/gs_audit_supervision.h"
#include "core/gs_json_out.h"
#include "core/gs_time.h"
#include "core/gs_utf8.h"


#define GS_AUDIT_SUPERVISION_TIME  19      /* "2025-06-01 09:30:15" */
#define GS_AUDIT_SUPERVISION_DATE  10


typedef enum {
    GS_AUDIT_SUPERVISION_CODE = 0,         /* letters, digits, "-", "_" */
    GS_AUDIT_SUPERVISION_UPPER,            /* capitals and digits */
    GS_AUDIT_SUPERVISION_DIGITS,
    GS_AUDIT_SUPERVISION_WORD,
    GS_AUDIT_SUPERVISION_WHEN
} gs_audit_supervision_form_e;


typedef struct {
    const char                   *key;
    const char                   *header;
    gs_audit_supervision_form_e   form;
    size_t                        min;
    size_t                        max;
    size_t                        other;   /* a length beside max; or 0 */
} gs_audit_supervision_field_t;


static const char *gs_audit_supervision_wrong(const gs_audit_supervision_t *s,
    unsigned field);
static int gs_audit_supervision_is(const gs_str_t *value,
    gs_audit_supervision_form_e form);
static gs_rc_t gs_audit_supervision_when(const gs_str_t *value, uint64_t *us);
static void gs_audit_supervision_fields(gs_buf_t *b,
    const gs_audit_supervision_t *s, unsigned *bad);
static void gs_audit_supervision_hint(gs_buf_t *b,
    const gs_audit_supervision_t *s);
static void gs_audit_supervision_bad(gs_buf_t *b,
    const gs_audit_supervision_t *s);
static void gs_audit_supervision_gov(gs_buf_t *b,
    const gs_audit_supervision_t *s);
static void gs_audit_supervision_text(gs_buf_t *b, const char *key,
    const gs_str_t *value);


/* Lengths: GB/T 39554.1 for codes, GB 32100 for organisations. */

static const gs_audit_supervision_field_t  gs_audit_supervision_table[] = {
    { "project_no", "x-govsvc-project-no",
      GS_AUDIT_SUPERVISION_CODE, 1, 50, 0 },
    { "task_code", "x-govsvc-task-code",
      GS_AUDIT_SUPERVISION_UPPER, 31, 31, 12 },
    { "task_handle_item", "x-govsvc-task-handle-item",
      GS_AUDIT_SUPERVISION_UPPER, 33, 33, 0 },
    { "catalog_code", "x-govsvc-catalog-code",
      GS_AUDIT_SUPERVISION_UPPER, 12, 12, 9 },
    { "stage", "x-govsvc-stage",
      GS_AUDIT_SUPERVISION_WORD, 1, 16, 0 },
    { "stage_start", "x-govsvc-stage-start",
      GS_AUDIT_SUPERVISION_WHEN, 19, 32, 0 },
    { "stage_end", "x-govsvc-stage-end",
      GS_AUDIT_SUPERVISION_WHEN, 19, 32, 0 },
    { "promise_date", "x-govsvc-promise-date",
      GS_AUDIT_SUPERVISION_WHEN, 19, 32, GS_AUDIT_SUPERVISION_DATE },
    { "result", "x-govsvc-result",
      GS_AUDIT_SUPERVISION_CODE, 1, 32, 0 },
    { "org_code", "x-govsvc-org-code",
      GS_AUDIT_SUPERVISION_UPPER, 18, 18, 9 },
    { "data_source", "x-govsvc-data-source",
      GS_AUDIT_SUPERVISION_DIGITS, 1, 6, 0 },
    { "event_type", "x-govsvc-event-type",
      GS_AUDIT_SUPERVISION_DIGITS, 1, 1, 0 }
};


/* In their order; a special procedure stops the clock until its end. */

static const char *const  gs_audit_supervision_stages[] = {
    "apply", "receive", "accept", "review", "decide", "complete", "deliver",
    "special", "special_end", NULL
};


unsigned
gs_audit_supervision_field(const gs_str_t *header)
{
    unsigned  i;

    for (i = 0; i < GS_AUDIT_SUPERVISION_FIELDS; i++) {
        if (gs_str_case_eq_text(header, gs_audit_supervision_table[i].header))
        {
            break;
        }
    }

    return i;
}


const char *
gs_audit_supervision_key(unsigned field)
{
    return gs_audit_supervision_table[field].key;
}


void
gs_audit_supervision_take(gs_audit_supervision_t *s, unsigned field,
    const gs_str_t *value)
{
    if (s->values[field].len != 0) {
        s->twice |= 1u << field;
        return;
    }

    s->values[field] = *value;
}


int
gs_audit_supervision_any(const gs_audit_supervision_t *s)
{
    unsigned  i;

    for (i = 0; i < GS_AUDIT_SUPERVISION_FIELDS; i++) {
        if (s->values[i].len != 0) {
            return 1;
        }
    }

    return 0;
}


size_t
gs_audit_json_supervision(gs_buf_t *b, const gs_audit_supervision_t *s)
{
    size_t    head;
    unsigned  bad;
    gs_buf_t  draft;

    draft = *b;
    draft.start = b->pos;

    if ((size_t) (draft.last - draft.pos) > GS_AUDIT_DRAFT_MAX) {
        draft.last = draft.pos + GS_AUDIT_DRAFT_MAX;
    }

    gs_audit_json_begin(&draft, "supervision", &s->node, s->epoch, s->g);

    head = gs_buf_len(&draft);

    gs_json_kv_u64(&draft, "g", s->g);
    gs_audit_json_kv_time(&draft, "t", s->time);
    gs_audit_supervision_text(&draft, "req", &s->request_id);

    if (!gs_str_eq(&s->trace_id, &s->request_id)) {
        gs_audit_supervision_text(&draft, "tr", &s->trace_id);
    }

    gs_audit_supervision_gov(&draft, s);
    gs_audit_supervision_fields(&draft, s, &bad);
    gs_audit_supervision_hint(&draft, s);

    if (bad) {
        gs_audit_supervision_bad(&draft, s);
    }

    if (draft.overflow) {
        return 0;
    }

    b->pos = draft.pos;

    return head;
}


static void
gs_audit_supervision_gov(gs_buf_t *b, const gs_audit_supervision_t *s)
{
    gs_json_kv_u64(b, "status", s->status);
    gs_json_key(b, "gov");
    gs_buf_char(b, '{');
    gs_audit_supervision_text(b, "item", &s->item);
    gs_audit_supervision_text(b, "case", &s->case_no);
    gs_audit_supervision_text(b, "region", &s->region);
    gs_audit_supervision_text(b, "platform", &s->platform);
    gs_audit_supervision_text(b, "channel", &s->channel);
    gs_audit_supervision_text(b, "app", &s->app);
    gs_buf_char(b, '}');
}


static void
gs_audit_supervision_fields(gs_buf_t *b, const gs_audit_supervision_t *s,
    unsigned *bad)
{
    uint64_t                             us;
    unsigned                             i;
    gs_buf_t                             t;
    gs_str_t                             text;
    gs_uchar_t                           room[40];
    const gs_audit_supervision_field_t  *field;

    *bad = 0;

    gs_json_key(b, "bj");
    gs_buf_char(b, '{');

    for (i = 0; i < GS_AUDIT_SUPERVISION_FIELDS; i++) {
        field = &gs_audit_supervision_table[i];

        if (gs_audit_supervision_wrong(s, i) != NULL) {
            *bad = 1;
            continue;
        }

        if (s->values[i].len == 0) {
            continue;
        }

        if (field->form != GS_AUDIT_SUPERVISION_WHEN) {

            /* of the length of a personal number it is one, perhaps */

            if (s->values[i].len == 11 || s->values[i].len == 18) {
                gs_audit_supervision_text(b, field->key, &s->values[i]);

            } else {
                gs_json_kv_str(b, field->key, &s->values[i]);
            }

            continue;
        }

        /* as the exchange tables of the state have it, Beijing time */

        (void) gs_audit_supervision_when(&s->values[i], &us);
        gs_buf_init(&t, room, sizeof(room));
        gs_time_iso(&t, us);
        room[GS_AUDIT_SUPERVISION_DATE] = ' ';
        text = gs_str_make(room, GS_AUDIT_SUPERVISION_TIME);
        gs_json_kv_str(b, field->key, &text);
    }

    gs_buf_char(b, '}');
}


/* NULL: the value has its form, or there is none and none is needed. */

static const char *
gs_audit_supervision_wrong(const gs_audit_supervision_t *s, unsigned field)
{
    uint64_t                             us;
    const gs_str_t                      *value;
    const gs_audit_supervision_field_t  *f;

    f = &gs_audit_supervision_table[field];
    value = &s->values[field];

    if (s->twice & (1u << field)) {
        return "twice";
    }

    if (value->len == 0) {
        return (field == GS_AUDIT_SUPERVISION_PROJECT
                || field == GS_AUDIT_SUPERVISION_STAGE) ? "absent" : NULL;
    }

    if (!gs_utf8_valid(value)) {
        return "utf8";
    }

    if ((value->len < f->min || value->len > f->max)
        && (f->other == 0 || value->len != f->other))
    {
        return "length";
    }

    if (f->form == GS_AUDIT_SUPERVISION_WHEN) {
        return (gs_audit_supervision_when(value, &us) == GS_OK) ? NULL
                                                                : "time";
    }

    if (!gs_audit_supervision_is(value, f->form)) {
        return "form";
    }

    if (field == GS_AUDIT_SUPERVISION_EVENT && value->data[0] != '1'
        && value->data[0] != '2')
    {
        return "form";
    }

    return NULL;
}


static int
gs_audit_supervision_is(const gs_str_t *value,
    gs_audit_supervision_form_e form)
{
    int     c;
    size_t  i;

    if (form == GS_AUDIT_SUPERVISION_WORD) {

        for (i = 0; gs_audit_supervision_stages[i] != NULL; i++) {
            if (gs_str_eq_text(value, gs_audit_supervision_stages[i])) {
                return 1;
            }
        }

        return 0;
    }

    for (i = 0; i < value->len; i++) {
        c = value->data[i];

        if (gs_is_digit(c)) {
            continue;
        }

        if (form == GS_AUDIT_SUPERVISION_DIGITS || !(gs_is_alpha(c)
            || (form == GS_AUDIT_SUPERVISION_CODE && (c == '-' || c == '_'))))
        {
            return 0;
        }

        if (form == GS_AUDIT_SUPERVISION_UPPER && gs_to_lower(c) == c) {
            return 0;
        }
    }

    return 1;
}


/*
 * "2025-06-01 09:30:15" in Beijing time, a date alone (its last second), or
 * RFC 3339.
 */

static gs_rc_t
gs_audit_supervision_when(const gs_str_t *value, uint64_t *us)
{
    gs_buf_t    b;
    gs_str_t    s;
    gs_uchar_t  room[40];

    if (value->len != GS_AUDIT_SUPERVISION_TIME
        && value->len != GS_AUDIT_SUPERVISION_DATE)
    {
        return gs_time_parse(value, us);
    }

    if (value->len == GS_AUDIT_SUPERVISION_TIME
        && value->data[GS_AUDIT_SUPERVISION_DATE] != ' ')
    {
        return GS_ERROR;
    }

    gs_buf_init(&b, room, sizeof(room));
    gs_buf_put(&b, value->data, GS_AUDIT_SUPERVISION_DATE);
    gs_buf_char(&b, 'T');

    if (value->len == GS_AUDIT_SUPERVISION_TIME) {
        gs_buf_put(&b, value->data + GS_AUDIT_SUPERVISION_DATE + 1,
                   GS_AUDIT_SUPERVISION_TIME - GS_AUDIT_SUPERVISION_DATE - 1);

    } else {
        gs_buf_text(&b, "23:59:59");
    }

    gs_buf_text(&b, "+08:00");
    s = gs_buf_view(&b);

    return gs_time_parse(&s, us);
}


static void
gs_audit_supervision_hint(gs_buf_t *b, const gs_audit_supervision_t *s)
{
    int              over;
    uint64_t         promise, at;
    const char      *hint;
    const gs_str_t  *stage;

    if (s->values[GS_AUDIT_SUPERVISION_PROMISE].len == 0
        || gs_audit_supervision_wrong(s, GS_AUDIT_SUPERVISION_PROMISE) != NULL)
    {
        return;
    }

    if (gs_audit_supervision_when(&s->values[GS_AUDIT_SUPERVISION_PROMISE],
                                  &promise)
        != GS_OK)
    {
        return;
    }

    stage = &s->values[GS_AUDIT_SUPERVISION_STAGE];
    over = gs_str_eq_text(stage, "complete")
           || gs_str_eq_text(stage, "deliver");
    at = s->time;

    /* a case that is complete was in time when it was completed */

    if (over && s->values[GS_AUDIT_SUPERVISION_END].len != 0
        && gs_audit_supervision_wrong(s, GS_AUDIT_SUPERVISION_END) == NULL)
    {
        (void) gs_audit_supervision_when(&s->values[GS_AUDIT_SUPERVISION_END],
                                         &at);
    }

    hint = "blue";

    if (at > promise) {
        hint = "red";

    } else if (!over && promise - at < s->warn) {
        hint = "yellow";
    }

    gs_json_kv_text(b, "hint", hint);
}


static void
gs_audit_supervision_bad(gs_buf_t *b, const gs_audit_supervision_t *s)
{
    unsigned     i, n;
    const char  *why;

    n = 0;

    gs_json_key(b, "bad");
    gs_buf_char(b, '[');

    for (i = 0; i < GS_AUDIT_SUPERVISION_FIELDS; i++) {
        why = gs_audit_supervision_wrong(s, i);

        if (why == NULL) {
            continue;
        }

        gs_buf_text(b, (n++ == 0) ? "{" : ",{");
        gs_json_kv_text(b, "k", gs_audit_supervision_table[i].key);
        gs_json_kv_text(b, "why", why);
        gs_audit_supervision_text(b, "v", &s->values[i]);
        gs_buf_char(b, '}');
    }

    gs_buf_char(b, ']');
}


/* Masked before it is cut, so that no number escapes on the edge. */

static void
gs_audit_supervision_text(gs_buf_t *b, const char *key, const gs_str_t *value)
{
    gs_str_t    s;
    gs_uchar_t  room[GS_AUDIT_SUPERVISION_BAD + GS_AUDIT_MASK_SLACK];

    if (value->len == 0) {
        return;
    }

    s = *value;

    if (s.len > sizeof(room)) {
        s.len = sizeof(room);
    }

    s = gs_str_make(room, gs_audit_mask(room, &s));

    if (s.len > GS_AUDIT_SUPERVISION_BAD) {
        s.len = gs_utf8_cut(&s, GS_AUDIT_SUPERVISION_BAD);
    }

    gs_json_kv_str(b, key, &s);
}
