
/*
 * Copyright (C) govsvc authors
 *
 * Fuzz: any bytes in any field make one message whose parts are found again
 * where they belong: no control character, five blanks before the data, no
 * end of the data but ours.
 */


#include "audit/gs_audit_syslog.h"
#include "core/gs_utf8.h"

#include <stdint.h>
#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_time(const gs_str_t *s);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t             i, n, part, blanks;
    gs_buf_t           b;
    gs_str_t           fields[6], s;
    gs_uchar_t        *room;
    gs_audit_syslog_t  m;

    part = size / 6;

    for (i = 0; i < 6; i++) {
        fields[i] = gs_str_make(data + i * part, part);
    }

    m.facility = 13;
    m.severity = GS_AUDIT_SYSLOG_INFO;
    m.time = fields[0];
    m.host = fields[1];
    m.app = fields[2];
    m.proc = gs_str_make(NULL, 0);
    m.id = fields[3];
    m.sd = gs_str_text("g@1");
    m.nparams = 0;
    m.text = fields[5];

    gs_audit_syslog_param(&m, "v", &fields[4]);

    n = size * 4 + 1024;
    room = malloc(n);

    if (room == NULL) {
        return 0;
    }

    gs_buf_init(&b, room, n);

    if (gs_audit_syslog_write(&b, &m) != GS_OK) {
        abort();
    }

    s = gs_buf_view(&b);

    if (!gs_utf8_valid(&s)) {
        abort();
    }

    fuzz_time(&s);

    for (i = 0, blanks = 0; i < s.len && blanks < 6; i++) {
        blanks += s.data[i] == ' ';
    }

    if (s.len - i < 8 || memcmp(s.data + i, "[g@1 v=\"", 8) != 0) {
        abort();
    }

    for (i += 8; i < s.len && s.data[i] != '"'; i++) {
        if (s.data[i] == '\\') {
            i++;

        } else if (s.data[i] == ']') {
            abort();
        }
    }

    if (i + 1 >= s.len || s.data[i + 1] != ']') {
        abort();
    }

    for (i = 0; i < s.len; i++) {
        if (s.data[i] < 0x20 || s.data[i] == 0x7f) {
            abort();
        }
    }

    fields[0] = gs_str_make(data, size);
    m.nparams = 0;
    (void) gs_audit_syslog_line(&m, &fields[0], size / 2);

    free(room);

    return 0;
}


/* "<109>1 " and "-", or DATE "T" TIME with at most six digits of a second. */

static void
fuzz_time(const gs_str_t *s)
{
    size_t             i, digits;
    const gs_uchar_t  *p;

    static const char  form[] = "dddd-dd-ddTdd:dd:Sd";

    p = s->data + sizeof("<110>1 ") - 1;

    if (p[0] == '-' && p[1] == ' ') {
        return;
    }

    for (i = 0; form[i] != '\0'; i++) {
        if ((form[i] == 'd') ? (p[i] < '0' || p[i] > '9')
            : (form[i] == 'S') ? (p[i] < '0' || p[i] > '5')
            : (p[i] != form[i]))
        {
            abort();
        }
    }

    p += i;
    digits = 0;

    if (*p == '.') {
        for (p++; *p >= '0' && *p <= '9'; p++) {
            digits++;
        }

        if (digits == 0 || digits > 6) {
            abort();
        }
    }

    if (!(p[0] == 'Z' && p[1] == ' ')
        && !((p[0] == '+' || p[0] == '-') && p[3] == ':' && p[6] == ' '))
    {
        abort();
    }
}
