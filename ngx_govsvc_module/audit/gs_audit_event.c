
/*
 * Copyright (C) govsvc authors
 *
 * Security events as lines.
 *
 * Evidence passes two sieves: personal numbers by their checksums, as in every
 * record, and credentials by their looks and by the name before them.  What an
 * attack looks like matters more than a whole payload, what somebody's secret
 * looks like matters to nobody.  Of Chinese words in evidence only the first
 * character stays: names of people are among them, attacks are not.
 */


#include "audit/gs_audit_event.h"
#include "audit/gs_audit_json_priv.h"
#include "audit/gs_audit_mask.h"
#include "core/gs_hex.h"
#include "core/gs_json_out.h"
#include "core/gs_utf8.h"


#define GS_AUDIT_EVENT_TEXT    512         /* longest text, of the path */
#define GS_AUDIT_EVENT_RANDOM  20          /* a word that long is a secret */


static size_t gs_audit_event_cut(gs_uchar_t *dst, size_t max,
    const gs_str_t *src, int words);
static size_t gs_audit_event_words(gs_uchar_t *dst, const gs_str_t *src);
static size_t gs_audit_event_han(const gs_uchar_t *p, size_t len);
static size_t gs_audit_event_han_len(const gs_uchar_t *c, size_t n);
static int gs_audit_event_escaped(const gs_uchar_t *p, size_t len,
    gs_uchar_t *c);
static size_t gs_audit_event_hide(gs_uchar_t *dst, const gs_str_t *src);
static size_t gs_audit_event_word(const gs_str_t *src, size_t i);
static int gs_audit_event_random(const gs_str_t *word);
static int gs_audit_event_named(const gs_str_t *word);
static int gs_audit_event_credential(const gs_str_t *target);
static void gs_audit_event_text(gs_buf_t *b, const char *key,
    const gs_str_t *value, size_t max);
static void gs_audit_event_head(gs_buf_t *b, const gs_audit_event_t *ev);
static void gs_audit_event_source(gs_buf_t *b, const gs_audit_event_t *ev);
static void gs_audit_event_target(gs_buf_t *b, const gs_audit_event_t *ev);
static void gs_audit_event_done(gs_buf_t *b, const gs_audit_event_t *ev);
static void gs_audit_event_list(gs_buf_t *b, const gs_audit_event_t *ev);


/* Names before a value that is nobody's business; a part is enough. */

static const char *const  gs_audit_event_names[] = {
    "password", "passwd", "pwd", "secret", "token", "ticket", "session",
    "authorization", "bearer", "basic", "cookie", "credential", "apikey",
    "api_key", "api-key", "accesskey", "access_key", "signature", "captcha",
    "verifycode", "smscode", "jsessionid", "phpsessid", NULL
};


/* Targets whose whole value is a credential. */

static const char *const  gs_audit_event_targets[] = {
    "cookies", "cookie:", "header:authorization", "header:cookie",
    "header:proxy-authorization", "token.", NULL
};


unsigned
gs_audit_event_severity(const gs_audit_event_t *ev)
{
    unsigned  severity;

    severity = (ev->severity != 0) ? ev->severity : ev->attack->severity;

    if (ev->critical.len != 0) {
        severity++;
    }

    return (severity > GS_AUDIT_EVENT_GRADES) ? GS_AUDIT_EVENT_GRADES
                                              : severity;
}


size_t
gs_audit_event_evidence(gs_uchar_t *dst, const gs_str_t *target,
    const gs_str_t *sample)
{
    if (sample->len == 0) {
        return 0;
    }

    if (gs_audit_event_credential(target)) {
        memcpy(dst, "***", 3);
        return 3;
    }

    return gs_audit_event_cut(dst, GS_AUDIT_EVENT_EVIDENCE, sample, 1);
}


size_t
gs_audit_event_mask(gs_uchar_t *dst, size_t max, const gs_str_t *src)
{
    return gs_audit_event_cut(dst, max, src, 0);
}


static size_t
gs_audit_event_cut(gs_uchar_t *dst, size_t max, const gs_str_t *src,
    int words)
{
    size_t      len;
    gs_str_t    s;
    gs_uchar_t  masked[GS_AUDIT_EVENT_TEXT + GS_AUDIT_MASK_SLACK];
    gs_uchar_t  hidden[GS_AUDIT_EVENT_TEXT + GS_AUDIT_MASK_SLACK];

    if (max > GS_AUDIT_EVENT_TEXT) {
        max = GS_AUDIT_EVENT_TEXT;
    }

    s = *src;

    if (s.len > max + GS_AUDIT_MASK_SLACK) {
        s.len = max + GS_AUDIT_MASK_SLACK;
    }

    s = gs_str_make(masked, gs_audit_mask(masked, &s));
    s = gs_str_make(hidden, gs_audit_event_hide(hidden, &s));

    if (words) {
        s = gs_str_make(masked, gs_audit_event_words(masked, &s));
    }

    len = (s.len > max) ? gs_utf8_cut(&s, max) : s.len;

    memcpy(dst, s.data, len);

    return len;
}


/* Never longer than src. */

static size_t
gs_audit_event_words(gs_uchar_t *dst, const gs_str_t *src)
{
    size_t    i, n, len;
    unsigned  inside;

    inside = 0;

    for (i = 0, n = 0; i < src->len; i += len) {

        len = gs_audit_event_han(src->data + i, src->len - i);

        if (len > 0 && inside) {
            dst[n++] = '*';
            continue;
        }

        inside = (len > 0);
        len += (len == 0);

        memcpy(dst + n, src->data + i, len);
        n += len;
    }

    return n;
}


/*
 * The length of a Chinese character, as UTF-8, percent-encoded or as "\u5f20";
 * 0 of anything else.  U+3400 to U+9FFF, and the planes 2 and 3.
 */

static size_t
gs_audit_event_han(const gs_uchar_t *p, size_t len)
{
    size_t      i, n, step;
    gs_uchar_t  c[4];

    if (len >= 6 && p[0] == '\\' && p[1] == 'u' && p[2] >= '4' && p[2] <= '9')
    {
        for (i = 3; i < 6; i++) {
            if (gs_hex_value(p[i]) < 0) {
                return 0;
            }
        }

        return 6;
    }

    step = (len > 0 && p[0] == '%') ? 3 : 1;

    for (n = 0; n < 4 && (n + 1) * step <= len; n++) {

        if (step == 1) {
            c[n] = p[n];

        } else if (!gs_audit_event_escaped(p + n * 3, len - n * 3, &c[n])) {
            break;
        }
    }

    return gs_audit_event_han_len(c, n) * step;
}


static size_t
gs_audit_event_han_len(const gs_uchar_t *c, size_t n)
{
    if (n < 3 || (c[1] & 0xc0) != 0x80 || (c[2] & 0xc0) != 0x80) {
        return 0;
    }

    if ((c[0] >= 0xe4 && c[0] <= 0xe9) || (c[0] == 0xe3 && c[1] >= 0x90)) {
        return 3;
    }

    return (n == 4 && c[0] == 0xf0 && c[1] >= 0xa0) ? 4 : 0;
}


static int
gs_audit_event_escaped(const gs_uchar_t *p, size_t len, gs_uchar_t *c)
{
    int  high, low;

    if (len < 3 || p[0] != '%') {
        return 0;
    }

    high = gs_hex_value(p[1]);
    low = gs_hex_value(p[2]);

    if (high < 0 || low < 0) {
        return 0;
    }

    *c = (gs_uchar_t) (high * 16 + low);

    return 1;
}


/*
 * Words of token characters: a signed token ("eyJ"), one that is long and
 * random, and the first one behind a name of the list become stars.  Never
 * longer than src.
 */

static size_t
gs_audit_event_hide(gs_uchar_t *dst, const gs_str_t *src)
{
    size_t    i, n, len;
    unsigned  named;
    gs_str_t  word;

    named = 0;

    for (i = 0, n = 0; i < src->len; i += len) {

        len = gs_audit_event_word(src, i);

        if (len == 0) {

            /* blanks, quotes and signs of "name": "value" stand between */

            if (strchr(" =:\"'[+%>", src->data[i]) == NULL) {
                named = 0;
            }

            dst[n++] = src->data[i];
            len = 1;
            continue;
        }

        word = gs_str_make(src->data + i, len);

        /* a name may be two of the list: "Authorization: Bearer x" */

        if (gs_audit_event_named(&word)
            && (len < GS_AUDIT_EVENT_RANDOM || !gs_audit_event_random(&word)))
        {
            named = 1;
            memcpy(dst + n, word.data, len);
            n += len;
            continue;
        }

        if ((named && len >= 3) || gs_audit_event_random(&word)) {
            memcpy(dst + n, "***", 3);
            n += 3;
            named = 0;
            continue;
        }

        memcpy(dst + n, word.data, len);
        n += len;
        named = 0;
    }

    return n;
}


/* The length of the word at i, 0 if none begins there. */

static size_t
gs_audit_event_word(const gs_str_t *src, size_t i)
{
    int     c;
    size_t  n;

    for (n = i; n < src->len; n++) {
        c = src->data[n];

        if (!gs_is_alpha(c) && !gs_is_digit(c) && c != '_' && c != '-'
            && !(c == '.' && n != i))
        {
            break;
        }
    }

    return n - i;
}


/* Letters and digits in turns, as no word and no name of a file has them. */

static int
gs_audit_event_random(const gs_str_t *word)
{
    int       c, kind, last;
    size_t    i, turns;
    unsigned  digits, letters;

    if (word->len >= GS_AUDIT_EVENT_RANDOM
        && memcmp(word->data, "eyJ", 3) == 0)
    {
        return 1;
    }

    if (word->len < GS_AUDIT_EVENT_RANDOM) {
        return 0;
    }

    turns = 0;
    digits = 0;
    letters = 0;
    last = 0;

    for (i = 0; i < word->len; i++) {
        c = word->data[i];
        kind = gs_is_digit(c) ? 1 : gs_is_alpha(c) ? 2 + (c & 0x20) : 0;

        digits += (kind == 1);
        letters += (kind >= 2);

        if (kind != 0 && last != 0 && kind != last) {
            turns++;
        }

        last = (kind != 0) ? kind : last;
    }

    /* a unified credit code and an item code bear mostly digits */

    return letters >= 4 && digits + letters >= GS_AUDIT_EVENT_RANDOM
           && turns >= word->len / 5;
}


static int
gs_audit_event_named(const gs_str_t *word)
{
    size_t    i, k, len;
    gs_str_t  part;

    for (i = 0; gs_audit_event_names[i] != NULL; i++) {
        len = strlen(gs_audit_event_names[i]);

        for (k = 0; k + len <= word->len; k++) {
            part = gs_str_make(word->data + k, len);

            if (gs_str_case_eq_text(&part, gs_audit_event_names[i])) {
                return 1;
            }
        }
    }

    return 0;
}


static int
gs_audit_event_credential(const gs_str_t *target)
{
    size_t    i;
    gs_str_t  head;

    for (i = 0; gs_audit_event_targets[i] != NULL; i++) {
        head = gs_str_make(target->data, strlen(gs_audit_event_targets[i]));

        if (target->len >= head.len
            && gs_str_case_eq_text(&head, gs_audit_event_targets[i]))
        {
            return 1;
        }
    }

    /* "arg:password", "json:user.token" */

    return gs_audit_event_named(target);
}


size_t
gs_audit_json_event(gs_buf_t *b, const gs_audit_event_t *ev)
{
    size_t    head;
    gs_buf_t  draft;

    draft = *b;
    draft.start = b->pos;

    if ((size_t) (draft.last - draft.pos) > GS_AUDIT_DRAFT_MAX) {
        draft.last = draft.pos + GS_AUDIT_DRAFT_MAX;
    }

    gs_audit_json_begin(&draft, "sec", &ev->node, ev->epoch, ev->g);

    head = gs_buf_len(&draft);

    gs_audit_event_head(&draft, ev);
    gs_audit_event_source(&draft, ev);
    gs_audit_event_target(&draft, ev);
    gs_audit_event_done(&draft, ev);
    gs_audit_event_list(&draft, ev);

    if (draft.overflow) {
        return 0;
    }

    b->pos = draft.pos;

    return head;
}


static void
gs_audit_event_head(gs_buf_t *b, const gs_audit_event_t *ev)
{
    gs_json_kv_u64(b, "g", ev->g);
    gs_audit_json_kv_time(b, "t", ev->time);

    if (ev->request_id.len != 0) {
        gs_json_kv_plain(b, "req", &ev->request_id);
    }

    if (ev->trace_id.len != 0 && !gs_str_eq(&ev->trace_id, &ev->request_id)) {
        gs_json_kv_plain(b, "tr", &ev->trace_id);
    }

    gs_json_kv_u64(b, "sev", gs_audit_event_severity(ev));
    gs_json_kv_text(b, "attack", ev->attack->name);
    gs_json_kv_text(b, "cat", ev->attack->cat);
    gs_json_kv_text(b, "sub", ev->attack->sub);
    gs_audit_event_text(b, "crit", &ev->critical, 32);
}


static void
gs_audit_event_source(gs_buf_t *b, const gs_audit_event_t *ev)
{
    gs_audit_json_object(b, "src");
    gs_audit_event_text(b, "ip", &ev->ip, 48);

    if (ev->port != 0) {
        gs_json_kv_u64(b, "port", ev->port);
    }

    gs_audit_event_text(b, "net", &ev->net, 48);
    gs_audit_event_text(b, "peer", &ev->peer, 48);
    gs_audit_event_text(b, "country", &ev->country, 8);

    if (ev->province != 0) {
        gs_json_kv_u64(b, "province", ev->province);
    }

    if (ev->asn != 0) {
        gs_json_kv_u64(b, "asn", ev->asn);
    }

    if (ev->pid.len != 0) {
        gs_json_kv_str(b, "pid", &ev->pid);
    }

    gs_audit_event_text(b, "app", &ev->app, 64);
    gs_audit_json_end(b);
}


static void
gs_audit_event_target(gs_buf_t *b, const gs_audit_event_t *ev)
{
    gs_audit_json_object(b, "dst");
    gs_audit_event_text(b, "platform", &ev->platform, 64);
    gs_audit_event_text(b, "route", &ev->route, 64);
    gs_audit_event_text(b, "region", &ev->region, 32);

    /* an item code is no personal number, whatever its digits */

    if (ev->item.len != 0 && ev->item.len != 11 && ev->item.len != 18
        && ev->item.len <= 48)
    {
        gs_json_kv_str(b, "item", &ev->item);
    }

    gs_audit_event_text(b, "host", &ev->host, 128);
    gs_audit_event_text(b, "m", &ev->method, 32);
    gs_audit_event_text(b, "path", &ev->path, GS_AUDIT_EVENT_TEXT);
    gs_audit_json_end(b);
}


static void
gs_audit_event_done(gs_buf_t *b, const gs_audit_event_t *ev)
{
    gs_audit_json_object(b, "act");
    gs_json_kv_text(b, "res", (ev->action & GS_AUDIT_EVENT_BLOCK) ? "block"
                              : (ev->action & GS_AUDIT_EVENT_DETECT) ? "detect"
                              : "log");

    if (ev->action & GS_AUDIT_EVENT_BAN) {
        gs_json_kv_u64(b, "ban", 1);
    }

    if (ev->action & GS_AUDIT_EVENT_LIMIT) {
        gs_json_kv_u64(b, "limit", 1);
    }

    if (ev->status != 0) {
        gs_json_kv_u64(b, "status", ev->status);
    }

    gs_audit_event_text(b, "code", &ev->code, 32);
    gs_audit_event_text(b, "key", &ev->key, 64);
    gs_audit_event_text(b, "by", &ev->actor, 64);
    gs_audit_event_text(b, "why", &ev->reason, 128);

    if (ev->until != 0) {
        gs_audit_json_kv_time(b, "until", ev->until);
    }

    gs_audit_json_end(b);
}


static void
gs_audit_event_list(gs_buf_t *b, const gs_audit_event_t *ev)
{
    size_t                        len;
    gs_str_t                      s;
    unsigned                      i;
    gs_uchar_t                    text[GS_AUDIT_EVENT_EVIDENCE];
    const gs_audit_event_rule_t  *rule;

    if (ev->count != 0) {
        gs_json_kv_u64(b, "n", ev->count);
    }

    if (ev->score != 0) {
        gs_json_kv_u64(b, "score", ev->score);
    }

    if (ev->nrules == 0) {
        return;
    }

    gs_json_kv_u64(b, "hits", ev->hits);
    gs_json_key(b, "rules");
    gs_buf_char(b, '[');

    for (i = 0; i < ev->nrules; i++) {
        rule = &ev->rules[i];

        gs_buf_text(b, (i == 0) ? "{" : ",{");
        gs_json_kv_u64(b, "id", rule->id);
        gs_audit_event_text(b, "name", &rule->name, 48);
        gs_audit_event_text(b, "at", &rule->target, 48);
        gs_audit_event_text(b, "view", &rule->view, 16);

        len = gs_audit_event_evidence(text, &rule->target, &rule->sample);

        if (len != 0) {
            s = gs_str_make(text, len);
            (void) gs_json_kv_str(b, "ev", &s);
        }

        gs_buf_char(b, '}');
    }

    gs_buf_char(b, ']');
}


static void
gs_audit_event_text(gs_buf_t *b, const char *key, const gs_str_t *value,
    size_t max)
{
    gs_str_t    s;
    gs_uchar_t  text[GS_AUDIT_EVENT_TEXT];

    if (value->len == 0) {
        return;
    }

    s = gs_str_make(text, gs_audit_event_mask(text, max, value));

    (void) gs_json_kv_str(b, key, &s);
}
