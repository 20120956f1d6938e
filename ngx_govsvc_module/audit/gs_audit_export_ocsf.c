
/*
 * Copyright (C) govsvc authors
 *
 * Export of audit lines: OCSF 1.3.0, HTTP Activity (class 4002) with the
 * profiles host and security_control, Application Lifecycle (6002) and Device
 * Config State Change (5019); what else is no request is a Base Event.
 */


#include "audit/gs_audit_export_priv.h"


#define GS_AUDIT_OCSF_HTTP   4002
#define GS_AUDIT_OCSF_OTHER  99


/* A class, and an activity of it; other: under the name of the record. */
typedef struct {
    const char  *type;
    const char  *stage;
    const char  *class_name;
    const char  *category_name;
    const char  *activity_name;
    unsigned     class_uid;
    unsigned     category_uid;
    unsigned     activity_id;
} gs_audit_ocsf_class_t;


static const gs_audit_ocsf_class_t *gs_audit_ocsf_find(
    const gs_audit_export_t *x);
static unsigned gs_audit_ocsf_method(gs_audit_export_t *x);
static void gs_audit_ocsf_app(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static void gs_audit_ocsf_activity(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static void gs_audit_ocsf_class(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static void gs_audit_ocsf_user(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static void gs_audit_ocsf_severity(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static void gs_audit_ocsf_time(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static void gs_audit_ocsf_span(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static void gs_audit_ocsf_status(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static void gs_audit_ocsf_code(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static void gs_audit_ocsf_decision(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static void gs_audit_ocsf_duration(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static void gs_audit_ocsf_response(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static void gs_audit_ocsf_source(gs_audit_export_t *x,
    const gs_audit_row_t *row);
static void gs_audit_ocsf_peer(gs_audit_export_t *x,
    const gs_audit_row_t *row);


static const gs_audit_row_t  gs_audit_ocsf_rows[] = {
    { "activity_id", NULL, NULL, gs_audit_ocsf_activity },
    { "class_uid", NULL, NULL, gs_audit_ocsf_class },
    { "severity_id", NULL, NULL, gs_audit_ocsf_severity },
    { "time", NULL, NULL, gs_audit_ocsf_time },
    { "start_time", "", "from", gs_audit_ocsf_span },
    { "end_time", "", "to", gs_audit_ocsf_span },
    { "count", "", "n", gs_audit_row_copy },
    { "duration", NULL, NULL, gs_audit_ocsf_duration },
    { "status_id", NULL, NULL, gs_audit_ocsf_status },
    { "status_code", NULL, NULL, gs_audit_ocsf_code },
    { "status_detail", NULL, "code", gs_audit_row_reason },
    { "action_id", NULL, NULL, gs_audit_ocsf_decision },
    { "metadata.version", "", "1.3.0", gs_audit_row_word },
    { "metadata.product.name", "", "ngx_govsvc_module", gs_audit_row_word },
    { "metadata.product.vendor_name", "", "govsvc", gs_audit_row_word },
    { "metadata.profiles", "", "[\"host\",\"security_control\"]",
      gs_audit_row_json },
    { "metadata.uid", "", "id", gs_audit_row_copy },
    { "metadata.sequence", "", "g", gs_audit_row_copy },
    { "metadata.correlation_uid", NULL, NULL, gs_audit_row_trace },
    { "metadata.event_code", NULL, NULL, gs_audit_row_action },
    { "metadata.log_name", "", "ch", gs_audit_row_copy },
    { "metadata.original_time", "", "t", gs_audit_row_copy },
    { "actor.user.uid", "sub", "pid", gs_audit_row_copy },
    { "actor.user.uid", "", "uid", gs_audit_ocsf_user },
    { "actor.process.pid", "", "pid", gs_audit_row_copy },
    { "actor.process.parent_process.pid", "", "ppid", gs_audit_row_copy },
    { "actor.app_name", "gov", "app", gs_audit_row_copy },
    { "app.name", "", "ngx_govsvc_module", gs_audit_ocsf_app },
    { "app.vendor_name", "", "govsvc", gs_audit_ocsf_app },
    { "app.version", "", "ver", gs_audit_row_copy },
    { "device.type_id", "", "0", gs_audit_row_json },
    { "device.hostname", NULL, NULL, gs_audit_row_node },
    { "src_endpoint.ip", NULL, NULL, gs_audit_ocsf_source },
    { "src_endpoint.port", "src", "port", gs_audit_row_copy },
    { "dst_endpoint.ip", NULL, NULL, gs_audit_ocsf_peer },
    { "dst_endpoint.port", NULL, NULL, gs_audit_row_up_port },
    { "http_request.uid", "", "req", gs_audit_row_copy },
    { "http_request.http_method", "http", "m", gs_audit_row_copy },
    { "http_request.version", "http", "ver", gs_audit_row_copy },
    { "http_request.user_agent", "", "ua", gs_audit_row_copy },
    { "http_request.referrer", "", "referer", gs_audit_row_copy },
    { "http_request.length", "http", "in", gs_audit_row_copy },
    { "http_request.url.hostname", "http", "host", gs_audit_row_copy },
    { "http_request.url.path", "http", "path", gs_audit_row_copy },
    { "http_response.code", NULL, NULL, gs_audit_ocsf_response },
    { "http_response.length", "http", "out", gs_audit_row_copy },
    { "firewall_rule.uid", NULL, "rule", gs_audit_row_reason },
    { NULL, NULL, NULL, NULL }
};


static const gs_audit_ocsf_class_t  gs_audit_ocsf_classes[] = {
    { "http", NULL, "HTTP Activity", "Network Activity", NULL,
      GS_AUDIT_OCSF_HTTP, 4, 0 },
    { "deny.agg", NULL, "HTTP Activity", "Network Activity", NULL,
      GS_AUDIT_OCSF_HTTP, 4, 0 },
    { "sys", "start", "Application Lifecycle", "Application Activity",
      "Start", 6002, 6, 3 },
    { "sys", "stop", "Application Lifecycle", "Application Activity",
      "Stop", 6002, 6, 4 },
    { "sys", "reload", "Application Lifecycle", "Application Activity",
      "Restart", 6002, 6, 5 },
    { "sys", "upgrade", "Application Lifecycle", "Application Activity",
      "Update", 6002, 6, 8 },
    { "sys", NULL, "Application Lifecycle", "Application Activity", NULL,
      6002, 6, GS_AUDIT_OCSF_OTHER },
    { "cfg", NULL, "Device Config State Change", "Discovery", "Log",
      5019, 5, 1 },
    { NULL, NULL, "Base Event", "Uncategorized", NULL,
      0, 0, GS_AUDIT_OCSF_OTHER }
};


void
gs_audit_export_ocsf(gs_audit_export_t *x)
{
    gs_audit_put_rows(x, gs_audit_ocsf_rows, "unmapped.govsvc.");
}


static const gs_audit_ocsf_class_t *
gs_audit_ocsf_find(const gs_audit_export_t *x)
{
    const gs_audit_ocsf_class_t  *c;

    for (c = gs_audit_ocsf_classes; c->type != NULL; c++) {
        if (gs_str_eq_text(&x->type, c->type)
            && (c->stage == NULL || gs_str_eq_text(&x->stage, c->stage)))
        {
            break;
        }
    }

    return c;
}


/* 0 for many requests of any method, 99 for a method that has no number. */

static unsigned
gs_audit_ocsf_method(gs_audit_export_t *x)
{
    unsigned  i;
    gs_str_t  method;

    static const char *const  methods[] = {
        "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT", "TRACE",
        NULL
    };

    method = gs_audit_field_value(x->f, "http", "m");

    for (i = 0; methods[i] != NULL; i++) {
        if (gs_str_eq_text(&method, methods[i])) {
            return i + 1;
        }
    }

    return (x->http && method.len == 0) ? 0 : GS_AUDIT_OCSF_OTHER;
}


static void
gs_audit_ocsf_activity(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    gs_str_t                      name;
    unsigned                      id;
    const gs_audit_ocsf_class_t  *c;

    static const char *const  names[] = {
        "Unknown", "Connect", "Delete", "Get", "Head", "Options", "Post",
        "Put", "Trace"
    };

    c = gs_audit_ocsf_find(x);
    id = x->http ? gs_audit_ocsf_method(x) : c->activity_id;

    gs_audit_put_u64(x, row->path, id);

    if (id != GS_AUDIT_OCSF_OTHER) {
        gs_audit_put_text(x, "activity_name", x->http ? names[id]
                                                      : c->activity_name);

    } else {
        name = gs_audit_field_value(x->f, "http", "m");

        if (name.len == 0) {
            name = (x->stage.len != 0) ? x->stage : x->type;
        }

        gs_audit_put_str(x, "activity_name", &name);
    }

    gs_audit_put_u64(x, "type_uid", c->class_uid * 100u + id);
}


static void
gs_audit_ocsf_class(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    const gs_audit_ocsf_class_t  *c;

    c = gs_audit_ocsf_find(x);

    gs_audit_put_u64(x, row->path, c->class_uid);
    gs_audit_put_text(x, "class_name", c->class_name);
    gs_audit_put_u64(x, "category_uid", c->category_uid);
    gs_audit_put_text(x, "category_name", c->category_name);
}


/* What Application Lifecycle asks for. */

static void
gs_audit_ocsf_app(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    if (gs_str_eq_text(&x->type, "sys")) {
        gs_audit_row_word(x, row);
    }
}


/* The user of a process, where no caller has the place. */

static void
gs_audit_ocsf_user(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    if (gs_audit_field(x->f, "sub", "pid") == NULL) {
        gs_audit_row_string(x, row);
    }
}


static void
gs_audit_ocsf_severity(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    static const char *const  names[] = {
        "Unknown", "Informational", "Low", "Medium", "High", "Critical"
    };

    gs_audit_put_u64(x, row->path, x->severity);
    gs_audit_put_text(x, "severity", names[x->severity]);
}


/* ms since the epoch; the exact one is metadata.original_time */

static void
gs_audit_ocsf_time(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    gs_audit_put_u64(x, row->path, x->ms);
}


static void
gs_audit_ocsf_span(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    gs_str_t  time;

    time = gs_audit_field_value(x->f, row->object, row->key);

    if (time.len != 0 && gs_audit_export_spans(x)) {
        gs_audit_put_u64(x, row->path, gs_audit_export_ms(&time));
    }
}


static void
gs_audit_ocsf_status(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    static const char *const  names[] = { "Unknown", "Success", "Failure" };

    gs_audit_put_u64(x, row->path, x->outcome);
    gs_audit_put_text(x, "status", names[x->outcome]);
}


static void
gs_audit_ocsf_code(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    gs_str_t  code;

    code = gs_audit_field_value(x->f, "http", "status");

    if (code.len == 0) {
        code = gs_audit_field_value(x->f, "", "status");
    }

    if (code.len != 0) {
        gs_audit_put_str(x, row->path, &code);
    }
}


static void
gs_audit_ocsf_decision(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    (void) gs_audit_export_take(x, "dec", "act");

    if (!x->http
        || (!x->denied && gs_audit_field(x->f, "dec", "act") == NULL))
    {
        return;
    }

    gs_audit_put_u64(x, row->path, x->denied ? 2 : 1);
    gs_audit_put_text(x, "action", x->denied ? "Denied" : "Allowed");
    gs_audit_put_u64(x, "disposition_id", x->denied ? 2 : 1);
    gs_audit_put_text(x, "disposition", x->denied ? "Blocked" : "Allowed");
}


/* ms; the microseconds stay below unmapped */

static void
gs_audit_ocsf_duration(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    if (gs_audit_field(x->f, "http", "us") != NULL) {
        gs_audit_put_u64(x, row->path,
                         gs_audit_field_number(x->f, "http", "us") / 1000);
    }
}


static void
gs_audit_ocsf_response(gs_audit_export_t *x, const gs_audit_row_t *row)
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


/* A socket of this host has no address. */

static void
gs_audit_ocsf_source(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    const gs_audit_field_t  *field;

    field = gs_audit_export_scalar(x, "src", "ip");

    if (field != NULL) {
        gs_audit_put_str(x, x->src_ip ? row->path : "src_endpoint.name",
                         &field->value);
    }
}


static void
gs_audit_ocsf_peer(gs_audit_export_t *x, const gs_audit_row_t *row)
{
    const gs_audit_field_t  *field;

    field = gs_audit_export_scalar(x, "up", "addr");

    if (field != NULL) {
        gs_audit_put_str(x, x->up_ip.len != 0 ? row->path
                                              : "dst_endpoint.name",
                         x->up_ip.len != 0 ? &x->up_ip : &field->value);
    }
}
