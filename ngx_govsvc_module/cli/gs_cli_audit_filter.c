
/*
 * Copyright (C) govsvc authors
 *
 * Which records of a store are asked for.
 *
 * The keys of a line have a fixed form, and a quote inside a text is always
 * escaped: "case":"1" stands in a line only where it is the key, so that
 * records are found without being parsed.
 */


#include "cli/gs_cli_audit_filter.h"
#include "cli/gs_cli_audit_person.h"

#include <time.h>


typedef struct {
    const char  *option;
    const char  *object;
    const char  *key;
    const char  *other;                    /* key that will do as well */
    int          number;
} gs_cli_filter_key_t;


static int gs_cli_filter_add(gs_cli_filter_t *filter, gs_cli_t *cli,
    const gs_cli_filter_key_t *key, const char *value);
static gs_rc_t gs_cli_filter_text(gs_cli_t *cli, gs_str_t *text,
    const char *key, const char *value, int number);
static int gs_cli_filter_times(gs_cli_filter_t *filter, gs_cli_t *cli);
static int gs_cli_filter_is(const gs_cli_filter_t *filter,
    const gs_str_t *line);
static int gs_cli_filter_has(const gs_str_t *line, const gs_str_t *text,
    int number);
static gs_str_t gs_cli_filter_object(const gs_str_t *line,
    const char *object, size_t len);
static void gs_cli_audit_field(const gs_str_t *line, const char *object,
    const char *key, const char *before);


static const gs_cli_filter_key_t  gs_cli_filter_keys[] = {
    { "case", "\"gov\":{", "case", NULL, 0 },
    { "item", "\"gov\":{", "item", "handle", 0 },
    { "subject", "\"sub\":{", "pid", NULL, 0 },
    { "request", "", "req", NULL, 0 },
    { "trace", "", "tr", "req", 0 },
    { "platform", "\"gov\":{", "platform", NULL, 0 },
    { "region", "\"gov\":{", "region", NULL, 0 },
    { "app", "\"gov\":{", "app", NULL, 0 },
    { "ip", "\"src\":{", "ip", NULL, 0 },
    { "status", "\"http\":{", "status", NULL, 1 },
    { "act", "\"dec\":{", "act", NULL, 0 },
    { "code", "\"dec\":{", "code", NULL, 0 },
    { "rule", "\"dec\":{", "rule", NULL, 1 },
    { "type", "", "ty", NULL, 0 },
    { NULL, NULL, NULL, NULL, 0 }
};


int
gs_cli_filter_init(gs_cli_filter_t *filter, gs_cli_t *cli)
{
    int                         rc;
    const char                 *value;
    const gs_cli_filter_key_t  *key;

    memset(filter, 0, sizeof(gs_cli_filter_t));

    for (key = gs_cli_filter_keys; key->option != NULL; key++) {

        value = gs_cli_option(cli, key->option);

        if (value == NULL) {
            continue;
        }

        rc = gs_cli_filter_add(filter, cli, key, value);

        if (rc != GS_CLI_YES) {
            return rc;
        }
    }

    rc = gs_cli_filter_person(filter, cli);

    return (rc == GS_CLI_YES) ? gs_cli_filter_times(filter, cli) : rc;
}


static int
gs_cli_filter_times(gs_cli_filter_t *filter, gs_cli_t *cli)
{
    unsigned          i;
    uint64_t          now;
    const char       *value;
    struct timespec   ts;

    static const char *const  names[] = { "from", "to" };

    (void) clock_gettime(CLOCK_REALTIME, &ts);
    now = (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;

    for (i = 0; i < 2; i++) {
        value = gs_cli_option(cli, names[i]);

        if (value != NULL
            && gs_cli_store_time(i == 0 ? filter->from : filter->to, value,
                                 now)
               != GS_OK)
        {
            return gs_cli_fail(cli, GS_CLI_USAGE, "invalid time \"%s\" in "
                               "--%s; allowed: 2026-11-22, 2026-11-22T13:08, "
                               "2026-11-22T13:08:36+08:00, or a time before "
                               "now as in 90m", value, names[i]);
        }
    }

    return GS_CLI_YES;
}


static int
gs_cli_filter_add(gs_cli_filter_t *filter, gs_cli_t *cli,
    const gs_cli_filter_key_t *key, const char *value)
{
    const char            *p;
    gs_cli_filter_part_t  *part;

    for (p = value; *p != '\0'; p++) {

        if ((unsigned char) *p < 0x20 || *p == '"' || *p == '\\'
            || (key->number && !gs_is_digit(*p)))
        {
            break;
        }
    }

    if (*p != '\0' || value[0] == '\0') {
        return gs_cli_fail(cli, GS_CLI_USAGE, "invalid value \"%s\" in --%s",
                           value, key->option);
    }

    part = &filter->parts[filter->n++];
    part->object = gs_str_text(key->object);
    part->number = (key->number != 0);

    if (gs_cli_filter_text(cli, &part->text[0], key->key, value, key->number)
        != GS_OK
        || (key->other != NULL
            && gs_cli_filter_text(cli, &part->text[1], key->other, value, 0)
               != GS_OK))
    {
        return gs_cli_fail(cli, GS_CLI_READ, "out of memory");
    }

    return GS_CLI_YES;
}


/* "key":"value", "key":"val for val*, "key":5 */

static gs_rc_t
gs_cli_filter_text(gs_cli_t *cli, gs_str_t *text, const char *key,
    const char *value, int number)
{
    char    *p;
    size_t   len, size;

    len = strlen(value);
    size = strlen(key) + len + 8;

    p = gs_alloc(cli->mem, size);
    if (p == NULL) {
        return GS_ERROR;
    }

    if (number) {
        (void) snprintf(p, size, "\"%s\":%s", key, value);

    } else if (value[len - 1] == '*') {
        (void) snprintf(p, size, "\"%s\":\"%.*s", key, (int) len - 1, value);

    } else {
        (void) snprintf(p, size, "\"%s\":\"%s\"", key, value);
    }

    *text = gs_str_text(p);

    return GS_OK;
}


int
gs_cli_filter_match(const gs_cli_filter_t *filter, const gs_str_t *line)
{
    unsigned                     i;
    gs_str_t                     where;
    const gs_cli_filter_part_t  *part;

    for (i = 0; i < filter->n; i++) {
        part = &filter->parts[i];
        where = *line;

        if (part->object.len != 0) {
            where = gs_cli_filter_object(line,
                                         (const char *) part->object.data,
                                         part->object.len);
        }

        if (!gs_cli_filter_has(&where, &part->text[0], part->number)
            && (part->text[1].len == 0
                || !gs_cli_filter_has(&where, &part->text[1], 0)))
        {
            return 0;
        }
    }

    return filter->npids == 0 || gs_cli_filter_is(filter, line);
}


/* The caller of a request, or of what was a security event. */

static int
gs_cli_filter_is(const gs_cli_filter_t *filter, const gs_str_t *line)
{
    unsigned  i;
    gs_str_t  request, event, pid;

    request = gs_cli_filter_object(line, "\"sub\":{", 7);
    event = gs_cli_filter_object(line, "\"src\":{", 7);

    for (i = 0; i < filter->npids; i++) {
        pid = gs_str_text(filter->pids + i * GS_CLI_FILTER_PID);

        if (gs_cli_filter_has(&request, &pid, 0)
            || gs_cli_filter_has(&event, &pid, 0))
        {
            return 1;
        }
    }

    return 0;
}


static int
gs_cli_filter_has(const gs_str_t *line, const gs_str_t *text, int number)
{
    size_t             left;
    const gs_uchar_t  *p, *last;

    p = line->data;
    last = p + line->len;

    while (p != NULL && p < last) {
        p = memmem(p, (size_t) (last - p), text->data, text->len);

        if (p == NULL) {
            break;
        }

        p += text->len;
        left = (size_t) (last - p);

        if (!number || left == 0 || *p == ',' || *p == '}') {
            return 1;
        }
    }

    return 0;
}


/* What stands in the object, up to its end; objects of a line are flat. */

static gs_str_t
gs_cli_filter_object(const gs_str_t *line, const char *object, size_t len)
{
    gs_str_t           s;
    const gs_uchar_t  *p, *end, *last;

    last = line->data + line->len;
    p = memmem(line->data, line->len, object, len);

    if (p == NULL) {
        return gs_str_make(NULL, 0);
    }

    p += len;

    for (end = p; end < last && *end != '}'; end++) {

        /* a brace may stand in a text */

        if (*end != '"') {
            continue;
        }

        for (end++; end < last && *end != '"'; end++) {
            if (*end == '\\') {
                end++;
            }
        }
    }

    if (end > last) {
        end = last;
    }

    s = gs_str_make(p, (size_t) (end - p));

    return s;
}


gs_str_t
gs_cli_filter_value(const gs_str_t *line, const char *object, const char *key)
{
    int                n;
    char               text[40];
    gs_str_t           where;
    const gs_uchar_t  *p, *end, *last;

    where = *line;

    if (object[0] != '\0') {
        where = gs_cli_filter_object(line, object, strlen(object));
    }

    n = snprintf(text, sizeof(text), "\"%s\":", key);
    p = (where.len == 0) ? NULL : memmem(where.data, where.len, text,
                                         (size_t) n);
    if (p == NULL) {
        return gs_str_make(NULL, 0);
    }

    p += n;
    last = where.data + where.len;

    if (p < last && *p == '"') {
        p++;

        for (end = p; end < last && *end != '"'; end++) {
            if (*end == '\\') {
                end++;
            }
        }

    } else {
        for (end = p; end < last && *end != ',' && *end != '}'; end++) {
            /* void */
        }
    }

    return gs_str_make(p, (size_t) ((end < last ? end : last) - p));
}


void
gs_cli_audit_show(gs_cli_t *cli, const gs_str_t *line)
{
    gs_str_t  time;

    if (cli->json) {
        gs_cli_print(stdout, line);
        fputc('\n', stdout);
        return;
    }

    time = gs_cli_filter_value(line, "", "t");

    if (time.len > 19) {
        time.len = 19;
    }

    gs_cli_print(stdout, &time);

    gs_cli_audit_field(line, "", "ty", " ");
    gs_cli_audit_field(line, "", "st", " ");
    gs_cli_audit_field(line, "\"src\":{", "ip", " ");
    gs_cli_audit_field(line, "\"http\":{", "m", " ");
    gs_cli_audit_field(line, "\"http\":{", "path", " ");
    gs_cli_audit_field(line, "\"http\":{", "status", " ");
    gs_cli_audit_field(line, "\"dec\":{", "code", " ");
    gs_cli_audit_field(line, "\"dec\":{", "rule", " rule=");
    gs_cli_audit_field(line, "\"sub\":{", "pid", " subject=");
    gs_cli_audit_field(line, "\"gov\":{", "app", " app=");
    gs_cli_audit_field(line, "\"gov\":{", "platform", " platform=");
    gs_cli_audit_field(line, "\"gov\":{", "case", " case=");
    gs_cli_audit_field(line, "\"up\":{", "status", " upstream=");
    gs_cli_audit_field(line, "", "n", " n=");
    gs_cli_audit_field(line, "", "why", " why=");
    gs_cli_audit_field(line, "", "req", " req=");

    fputc('\n', stdout);
}


static void
gs_cli_audit_field(const gs_str_t *line, const char *object, const char *key,
    const char *before)
{
    gs_str_t  value;

    value = gs_cli_filter_value(line, object, key);

    if (value.len != 0) {
        fputs(before, stdout);
        gs_cli_print(stdout, &value);
    }
}
