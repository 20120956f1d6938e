
/*
 * Copyright (C) govsvc authors
 *
 * Messages of RFC 5424.
 */


#include "audit/gs_audit_scan.h"
#include "audit/gs_audit_syslog.h"
#include "core/gs_time.h"
#include "core/gs_utf8.h"


#define GS_AUDIT_SYSLOG_HOST  255          /* bytes, section 6 */
#define GS_AUDIT_SYSLOG_PROC  128
#define GS_AUDIT_SYSLOG_ID    32


static void gs_audit_syslog_name(gs_buf_t *b, const gs_str_t *name,
    size_t max);
static void gs_audit_syslog_time(gs_buf_t *b, const gs_str_t *time);
static void gs_audit_syslog_data(gs_buf_t *b, const gs_audit_syslog_t *m);
static void gs_audit_syslog_text(gs_buf_t *b, const gs_str_t *text,
    int value);
static unsigned gs_audit_syslog_plain(unsigned c, int value);
static gs_audit_syslog_severity_e gs_audit_syslog_severity(
    const gs_audit_line_t *line, const gs_str_t *text);
static int gs_audit_syslog_has(const gs_str_t *text, const char *what);


typedef struct {
    const char                  *type;
    gs_audit_syslog_severity_e   severity;
} gs_audit_syslog_type_t;


/* Types that are not here are warnings. */

static const gs_audit_syslog_type_t  gs_audit_syslog_types[] = {
    { "http", GS_AUDIT_SYSLOG_INFO },
    { "supervision", GS_AUDIT_SYSLOG_INFO },
    { "seg.open", GS_AUDIT_SYSLOG_INFO },
    { "seg.close", GS_AUDIT_SYSLOG_INFO },
    { "deny.agg", GS_AUDIT_SYSLOG_NOTICE },
    { "loss", GS_AUDIT_SYSLOG_CRIT },
    { "tamper", GS_AUDIT_SYSLOG_ALERT },
    { NULL, GS_AUDIT_SYSLOG_WARNING }
};


/* In the order of their numbers, section 6.2.1. */

const char *const  gs_audit_syslog_facilities[] = {
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news",
    "uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock",
    "local0", "local1", "local2", "local3", "local4", "local5", "local6",
    "local7", NULL
};


gs_rc_t
gs_audit_syslog_facility(const gs_str_t *name, unsigned *facility)
{
    unsigned  i;

    for (i = 0; gs_audit_syslog_facilities[i] != NULL; i++) {
        if (gs_str_eq_text(name, gs_audit_syslog_facilities[i])) {
            *facility = i;
            return GS_OK;
        }
    }

    return GS_ERROR;
}


int
gs_audit_syslog_sd(const gs_str_t *name)
{
    size_t      i;
    gs_uchar_t  c;

    if (name->len == 0 || name->len > GS_AUDIT_SYSLOG_SD) {
        return 0;
    }

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if (c <= ' ' || c >= 0x7f || c == '=' || c == ']' || c == '"') {
            return 0;
        }
    }

    /* a number of an enterprise behind "@", once and not empty */

    i = gs_str_chr(name, 0, '@');

    if (i == 0 || i + 1 >= name->len) {
        return 0;
    }

    for (i++; i < name->len; i++) {
        if (!gs_is_digit(name->data[i]) && name->data[i] != '.') {
            return 0;
        }
    }

    return 1;
}


void
gs_audit_syslog_param(gs_audit_syslog_t *m, const char *name,
    const gs_str_t *value)
{
    if (m->nparams == GS_AUDIT_SYSLOG_PARAMS) {
        return;
    }

    m->params[m->nparams].name = name;
    m->params[m->nparams].value = *value;
    m->nparams++;
}


void
gs_audit_syslog_number(gs_audit_syslog_t *m, const char *name,
    uint64_t value)
{
    gs_buf_t                  b;
    gs_str_t                  text;
    gs_audit_syslog_param_t  *param;

    if (m->nparams == GS_AUDIT_SYSLOG_PARAMS) {
        return;
    }

    param = &m->params[m->nparams];

    gs_buf_init(&b, param->digits, sizeof(param->digits));
    gs_buf_u64(&b, value);
    text = gs_buf_view(&b);

    gs_audit_syslog_param(m, name, &text);
}


gs_rc_t
gs_audit_syslog_write(gs_buf_t *b, const gs_audit_syslog_t *m)
{
    gs_buf_char(b, '<');
    gs_buf_u64(b, m->facility % 24 * 8 + (unsigned) m->severity % 8);
    gs_buf_put(b, ">1 ", 3);
    gs_audit_syslog_time(b, &m->time);
    gs_audit_syslog_name(b, &m->host, GS_AUDIT_SYSLOG_HOST);
    gs_audit_syslog_name(b, &m->app, GS_AUDIT_SYSLOG_APP);
    gs_audit_syslog_name(b, &m->proc, GS_AUDIT_SYSLOG_PROC);
    gs_audit_syslog_name(b, &m->id, GS_AUDIT_SYSLOG_ID);
    gs_audit_syslog_data(b, m);

    if (m->text.len != 0) {
        gs_buf_put(b, " \xef\xbb\xbf", 4);
        gs_audit_syslog_text(b, &m->text, 0);
    }

    return b->overflow ? GS_ERROR : GS_OK;
}


/* " NAME", of visible ASCII. */

static void
gs_audit_syslog_name(gs_buf_t *b, const gs_str_t *name, size_t max)
{
    size_t      i, len;
    gs_uchar_t  c;

    gs_buf_char(b, ' ');

    len = (name->len < max) ? name->len : max;

    if (len == 0) {
        gs_buf_char(b, '-');
        return;
    }

    for (i = 0; i < len; i++) {
        c = name->data[i];
        gs_buf_char(b, (c <= ' ' || c >= 0x7f) ? '_' : c);
    }
}


/*
 * Section 6.2.3 takes less than RFC 3339: a capital T and Z, six digits of a
 * second at most, no leap seconds.
 */

static void
gs_audit_syslog_time(gs_buf_t *b, const gs_str_t *time)
{
    size_t    i, digits;
    uint64_t  us;

    digits = 0;

    for (i = 0; i < time->len; i++) {

        if (gs_is_digit(time->data[i])) {
            digits++;
            continue;
        }

        if (digits > 6 || time->data[i] == '\0'
            || strchr("T:.+-Z", time->data[i]) == NULL)
        {
            break;
        }

        digits = 0;
    }

    if (i == time->len && i <= 32 && gs_time_parse(time, &us) == GS_OK
        && time->data[17] != '6')
    {
        gs_buf_str(b, time);

    } else {
        gs_buf_char(b, '-');
    }
}


static void
gs_audit_syslog_data(gs_buf_t *b, const gs_audit_syslog_t *m)
{
    unsigned  i;

    gs_buf_char(b, ' ');

    if (!gs_audit_syslog_sd(&m->sd)) {
        gs_buf_char(b, '-');
        return;
    }

    gs_buf_char(b, '[');
    gs_buf_str(b, &m->sd);

    for (i = 0; i < m->nparams; i++) {
        gs_buf_char(b, ' ');
        gs_buf_text(b, m->params[i].name);
        gs_buf_put(b, "=\"", 2);
        gs_audit_syslog_text(b, &m->params[i].value, 1);
        gs_buf_char(b, '"');
    }

    gs_buf_char(b, ']');
}


static void
gs_audit_syslog_text(gs_buf_t *b, const gs_str_t *text, int value)
{
    uint32_t           c;
    unsigned           used;
    const gs_uchar_t  *p, *run, *last;

    p = text->data;
    last = p + text->len;

    while (p < last) {

        for (run = p; p < last && gs_audit_syslog_plain(*p, value); p++) {
            /* void */
        }

        gs_buf_put(b, run, (size_t) (p - run));

        if (p == last) {
            return;
        }

        if (*p < 0x20 || *p == 0x7f) {
            gs_buf_char(b, '#');
            gs_buf_char(b, '0' + (*p >> 6));
            gs_buf_char(b, '0' + (*p >> 3 & 7));
            gs_buf_char(b, '0' + (*p & 7));
            p++;
            continue;
        }

        if (*p < 0x80) {
            gs_buf_char(b, '\\');
            gs_buf_char(b, *p++);
            continue;
        }

        c = gs_utf8_next(p, last, &used);

        if (c == GS_UTF8_BAD || gs_utf8_hidden(c)) {
            gs_buf_put(b, "\xef\xbf\xbd", 3);

        } else {
            gs_buf_put(b, p, used);
        }

        p += used;
    }
}


/* Section 6.3.3: in a value, three characters are escaped. */

static unsigned
gs_audit_syslog_plain(unsigned c, int value)
{
    return c >= 0x20 && c < 0x7f
           && (!value || (c != '"' && c != '\\' && c != ']'));
}


gs_rc_t
gs_audit_syslog_line(gs_audit_syslog_t *m, const gs_str_t *line, size_t max)
{
    gs_str_t         s;
    gs_audit_line_t  parts;

    static const gs_str_t  head = gs_string("{\"v\":1,\"id\":\"");

    if (gs_audit_scan(line, &parts) != GS_OK) {
        return GS_ERROR;
    }

    m->severity = gs_audit_syslog_severity(&parts, line);
    m->time = parts.time;
    m->id = parts.type;
    m->text = *line;

    if (gs_str_prefix(line, &head)) {
        s = gs_str_make(line->data + head.len,
                        gs_str_chr(line, head.len, '"') - head.len);
        gs_audit_syslog_param(m, "id", &s);
    }

    gs_audit_syslog_param(m, "ch", &parts.chain);
    gs_audit_syslog_number(m, "seq", parts.seq);

    if (max != 0 && line->len > max) {
        m->text.len = 0;

        s = gs_str_make(line->data + parts.body.len + GS_AUDIT_SEAL
                        - GS_AUDIT_HASH_TEXT - 2, GS_AUDIT_HASH_TEXT);

        gs_audit_syslog_number(m, "len", line->len);
        gs_audit_syslog_param(m, "h", &s);
    }

    return GS_OK;
}


static gs_audit_syslog_severity_e
gs_audit_syslog_severity(const gs_audit_line_t *line, const gs_str_t *text)
{
    const gs_audit_syslog_type_t  *type;

    for (type = gs_audit_syslog_types; type->type != NULL; type++) {
        if (gs_str_eq_text(&line->type, type->type)) {
            break;
        }
    }

    /* a quote in a text is escaped: this is structure wherever it stands */

    if (type->severity == GS_AUDIT_SYSLOG_INFO
        && (gs_audit_syslog_has(text, "\"dec\":{\"act\":\"deny\"")
            || (gs_str_eq_text(&line->type, "supervision")
                && (gs_audit_syslog_has(text, "\"hint\":\"yellow\"")
                    || gs_audit_syslog_has(text, "\"hint\":\"red\"")))))
    {
        return GS_AUDIT_SYSLOG_NOTICE;
    }

    if (gs_str_eq_text(&line->type, "sec")) {
        return gs_audit_syslog_grade(
                   gs_audit_syslog_has(text, "\"sev\":4") ? 4
                   : gs_audit_syslog_has(text, "\"sev\":3") ? 3 : 2);
    }

    /* a segment that begins with what went wrong */

    if (type->severity == GS_AUDIT_SYSLOG_INFO
        && (gs_str_eq_text(&line->why, "eio")
            || gs_str_eq_text(&line->why, "crash")
            || gs_str_eq_text(&line->why, "unlinked")))
    {
        return GS_AUDIT_SYSLOG_ERR;
    }

    return type->severity;
}


gs_audit_syslog_severity_e
gs_audit_syslog_grade(unsigned grade)
{
    return (grade >= 4) ? GS_AUDIT_SYSLOG_CRIT
           : (grade == 3) ? GS_AUDIT_SYSLOG_ERR
           : GS_AUDIT_SYSLOG_WARNING;
}


static int
gs_audit_syslog_has(const gs_str_t *text, const char *what)
{
    size_t      i;
    gs_str_t    s, rest;

    s = gs_str_text(what);

    for (i = gs_str_chr(text, 0, s.data[0]);
         i + s.len <= text->len;
         i = gs_str_chr(text, i + 1, s.data[0]))
    {
        rest = gs_str_make(text->data + i, s.len);

        if (gs_str_eq(&rest, &s)) {
            return 1;
        }
    }

    return 0;
}
