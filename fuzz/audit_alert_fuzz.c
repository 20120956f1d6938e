
/*
 * Copyright (C) govsvc authors
 *
 * Alerts: any line, any answer; what is composed of a line is whole JSON of
 * harmless bytes, and one message of syslog.
 */


#include <stdlib.h>

#include "audit/gs_alert.h"
#include "audit/gs_alert_json.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
static void nothing(void *data, const gs_str_t *parent, const gs_str_t *key,
    const gs_str_t *value, int first);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t                  code;
    gs_buf_t                 b;
    gs_str_t                 s, body;
    unsigned                 form;
    gs_alert_plan_t          plan;
    gs_alert_event_t         ev;
    gs_audit_syslog_t        log;
    gs_alert_message_t       m;
    static gs_uchar_t        room[GS_ALERT_BODY + GS_AUDIT_SYSLOG_EXTRA];
    static gs_alert_round_t  round;

    s = gs_str_make(data, size);

    for (form = 0; form < GS_ALERT_FORMS; form++) {
        (void) gs_alert_answer((gs_alert_form_e) form, 200, &s, &code);
    }

    if (gs_alert_read(&s, &ev) != GS_OK) {
        return 0;
    }

    memset(&m, 0, sizeof(gs_alert_message_t));
    m.node = gs_str_text("n1");
    m.lang = (size & 1) ? GS_ALERT_EN : GS_ALERT_ZH;

    gs_alert_begin(&round);
    gs_alert_add(&round, &ev);

    plan = gs_alert_plan(&round, 1);
    gs_alert_message(&m, &round, &plan, 0);

    if (gs_alert_count(&m) != ev.n) {
        abort();
    }

    s = gs_str_text("secret");

    for (form = 0; form < GS_ALERT_FORMS; form++) {
        gs_buf_init(&b, room, sizeof(room));

        if (gs_alert_body(&b, &m, (gs_alert_form_e) form, &s) != GS_OK) {
            abort();
        }

        body = gs_buf_view(&b);

        if (gs_alert_json(&body, nothing, NULL) != GS_OK) {
            abort();
        }
    }

    /* one line, without an end in it */

    log.facility = 13;
    log.app = gs_str_text("govsvc");
    log.sd = gs_str_text("govsvc@32473");

    gs_buf_init(&b, room, sizeof(room));

    if (gs_alert_syslog(&b, &m, &log, 0) != GS_OK
        || memchr(room, '\n', gs_buf_len(&b)) != NULL)
    {
        abort();
    }

    return 0;
}


static void
nothing(void *data, const gs_str_t *parent, const gs_str_t *key,
    const gs_str_t *value, int first)
{
    /* the walk is what is tried */
}
