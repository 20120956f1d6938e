
/*
 * Copyright (C) govsvc authors
 *
 * Export of audit lines: Elastic Common Schema 8.11.
 */


#include "audit/gs_audit_export_priv.h"


static void gs_audit_ecs_kind(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static unsigned gs_audit_ecs_kind_of(const gs_audit_export_t *x);
static void gs_audit_ecs_category(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static void gs_audit_ecs_type(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static void gs_audit_ecs_request_type(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static void gs_audit_ecs_outcome(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static void gs_audit_ecs_duration(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static void gs_audit_ecs_ip(gs_audit_export_t *x, const gs_audit_row_t *row);
static void gs_audit_ecs_status(gs_audit_export_t *x,
    const gs_audit_row_t *row);


static const gs_audit_row_t  gs_audit_ecs_rows[] = {
    { "@timestamp", "", "t", gs_audit_row_copy },
    { "ecs.version", "", "8.11.0", gs_audit_row_word },
    { "event.kind", NULL, NULL, gs_audit_ecs_kind },
    { "event.category", NULL, NULL, gs_audit_ecs_category },
    { "event.type", NULL, NULL, gs_audit_ecs_type },
    { "event.action", NULL, NULL, gs_audit_row_action },
    { "event.outcome", NULL, NULL, gs_audit_ecs_outcome },
    { "event.reason", NULL, "code", gs_audit_row_reason },
    { "event.module", "", "govsvc", gs_audit_row_word },
    { "event.dataset", "", "govsvc.audit", gs_audit_row_word },
    { "event.id", "", "id", gs_audit_row_copy },
    { "event.sequence", "", "g", gs_audit_row_copy },
    { "event.duration", NULL, NULL, gs_audit_ecs_duration },
    { "event.start", "", "from", gs_audit_row_span },
    { "event.end", "", "to", gs_audit_row_span },
    { "event.hash", "", "h", gs_audit_row_copy },
    { "trace.id", NULL, NULL, gs_audit_row_trace },
    { "span.id", "", "sp", gs_audit_row_copy },
    { "source.address", "src", "ip", gs_audit_row_copy },
    { "source.ip", NULL, NULL, gs_audit_ecs_ip },
    { "source.port", "src", "port", gs_audit_row_copy },
    { "destination.address", "up", "addr", gs_audit_row_copy },
    { "destination.ip", NULL, NULL, gs_audit_row_up_ip },
    { "destination.port", NULL, NULL, gs_audit_row_up_port },
    { "http.version", "http", "ver", gs_audit_row_copy },
    { "http.request.id", "", "req", gs_audit_row_copy },
    { "http.request.method", "http", "m", gs_audit_row_copy },
    { "http.request.referrer", "", "referer", gs_audit_row_copy },
    { "http.request.bytes", "http", "in", gs_audit_row_copy },
    { "http.request.body.bytes", "body", "len", gs_audit_row_copy },
    { "http.response.status_code", NULL, NULL, gs_audit_ecs_status },
    { "http.response.bytes", "http", "out", gs_audit_row_copy },
    { "url.domain", "http", "host", gs_audit_row_copy },
    { "url.path", "http", "path", gs_audit_row_copy },
    { "user_agent.original", "", "ua", gs_audit_row_copy },
    { "user.id", "", "uid", gs_audit_row_string },
    { "user.hash", "sub", "pid", gs_audit_row_copy },
    { "process.pid", "", "pid", gs_audit_row_copy },
    { "process.exit_code", "", "exit", gs_audit_row_copy },
    { "process.parent.pid", "", "ppid", gs_audit_row_copy },
    { "rule.id", NULL, "rule", gs_audit_row_reason },
    { "observer.vendor", "", "govsvc", gs_audit_row_word },
    { "observer.product", "", "ngx_govsvc_module", gs_audit_row_word },
    { "observer.type", "", "proxy", gs_audit_row_word },
    { "observer.name", NULL, NULL, gs_audit_row_node },
    { "observer.version", "", "ver", gs_audit_row_copy },
    { NULL, NULL, NULL, NULL }
};


/* type, category and type of what is no request; "sys." and what it was */

static const char *const  gs_audit_ecs_types[][3] = {
    { "sec", "[\"intrusion_detection\"]", "[\"info\"]" },
    { "tamper", "[\"file\"]", "[\"change\"]" },
    { "sys.start", "[\"process\"]", "[\"start\"]" },
    { "sys.stop", "[\"process\"]", "[\"end\"]" },
    { "sys.worker.died", "[\"process\"]", "[\"end\",\"error\"]" },
    { "sys", "[\"process\"]", "[\"change\"]" },
    { "cfg", "[\"configuration\"]", "[\"change\"]" },
    { "clock.step", "[\"host\"]", "[\"change\"]" },
    { "query", "[\"database\"]", "[\"access\"]" },
    { "retention", "[\"file\"]", "[\"deletion\"]" },
    { NULL, NULL, NULL }
};


void
gs_audit_export_ecs(gs_audit_export_t *x)
{
    gs_audit_put_rows(x, gs_audit_ecs_rows, "govsvc.");
}


static void
gs_audit_ecs_kind(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    gs_audit_put_text(x, row->path, gs_str_eq_text(&x->type, "tamper")
                                    || gs_str_eq_text(&x->type, "sec")
                                    ? "alert" : "event");
}


static unsigned
gs_audit_ecs_kind_of(const gs_audit_export_t *x)
{
    size_t    n;
    gs_str_t  name, rest;
    unsigned  i;

    for (i = 0; gs_audit_ecs_types[i][0] != NULL; i++) {

        name = gs_str_text(gs_audit_ecs_types[i][0]);

        if (gs_str_eq(&x->type, &name)) {
            break;
        }

        n = x->type.len;

        if (x->stage.len == 0 || name.len <= n || name.data[n] != '.'
            || memcmp(name.data, x->type.data, n) != 0)
        {
            continue;
        }

        rest = gs_str_make(name.data + n + 1, name.len - n - 1);

        if (gs_str_eq(&x->stage, &rest)) {
            break;
        }
    }

    return i;
}


static void
gs_audit_ecs_category(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    unsigned  i;

    if (x->http) {
        gs_audit_put_raw(x, row->path, x->blocked
                         ? "[\"api\",\"web\",\"intrusion_detection\"]"
                         : "[\"api\",\"web\"]");
        return;
    }

    i = gs_audit_ecs_kind_of(x);

    if (gs_audit_ecs_types[i][0] != NULL) {
        gs_audit_put_raw(x, row->path, gs_audit_ecs_types[i][1]);
    }
}


static void
gs_audit_ecs_type(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    unsigned  i;

    if (x->http) {
        gs_audit_ecs_request_type(x, row);
        return;
    }

    i = gs_audit_ecs_kind_of(x);

    if (gs_audit_ecs_types[i][0] != NULL) {
        gs_audit_put_raw(x, row->path, gs_audit_ecs_types[i][2]);
    }
}


static void
gs_audit_ecs_request_type(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    if (x->denied) {
        gs_audit_put_raw(x, row->path, "[\"access\",\"denied\"]");

    } else if (gs_str_eq_text(&x->stage, "intent")) {
        gs_audit_put_raw(x, row->path, "[\"access\",\"allowed\",\"start\"]");

    } else {
        gs_audit_put_raw(x, row->path, "[\"access\",\"allowed\",\"end\"]");
    }
}


static void
gs_audit_ecs_outcome(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    static const char *const  names[] = { "unknown", "success", "failure" };

    gs_audit_put_text(x, row->path, names[x->outcome]);
}


/* ns, as a signed number of 64 bits */

static void
gs_audit_ecs_duration(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    uint64_t  us;

    us = gs_audit_field_number(x->f, "http", "us");

    if (us <= INT64_MAX / 1000
        && gs_audit_export_take(x, "http", "us") != NULL)
    {
        gs_audit_put_u64(x, row->path, us * 1000);
    }
}


/* The type ip of Elasticsearch takes nothing but addresses. */

static void
gs_audit_ecs_ip(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    gs_str_t  ip;

    if (x->src_ip) {
        ip = gs_audit_field_value(x->f, "src", "ip");
        gs_audit_put_str(x, row->path, &ip);
    }
}


static void
gs_audit_ecs_status(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    const gs_audit_field_t  *field;

    field = gs_audit_export_take(x, "http", "status");

    if (field == NULL) {
        field = gs_audit_export_take(x, "", "status");
    }

    if (field != NULL && !field->text) {
        gs_audit_put_open(x, row->path);
        gs_buf_str(x->b, &field->value);
    }
}
