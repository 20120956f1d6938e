
/*
 * Copyright (C) govsvc authors
 *
 * Export of audit lines: what every format wants to know of one.
 */


#include "audit/gs_audit_export_priv.h"
#include "core/gs_net.h"
#include "core/gs_time.h"


static void gs_audit_export_learn(gs_audit_export_t *x);
static void gs_audit_export_outcome(gs_audit_export_t *x);
static unsigned gs_audit_export_severity(const gs_audit_export_t *x);
static gs_str_t gs_audit_export_node(gs_audit_export_t *x);
static void gs_audit_export_peer(gs_audit_export_t *x);
static int gs_audit_export_address(const gs_str_t *s);


const char *const  gs_audit_formats[] = { "ecs", "ocsf", "cef", NULL };


gs_rc_t
gs_audit_format_find(const gs_str_t *name, gs_audit_format_e *format)
{
    unsigned  i;

    for (i = 0; gs_audit_formats[i] != NULL; i++) {
        if (gs_str_eq_text(name, gs_audit_formats[i])) {
            *format = (gs_audit_format_e) i;
            return GS_OK;
        }
    }

    return GS_ERROR;
}


gs_rc_t
gs_audit_export(gs_buf_t *b, gs_audit_format_e format, const gs_str_t *line)
{
    gs_audit_fields_t  fields;
    gs_audit_export_t  x;

    if (gs_audit_fields(&fields, line) != GS_OK) {
        return GS_ERROR;
    }

    memset(&x, 0, sizeof(gs_audit_export_t));
    x.b = b;
    x.f = &fields;

    gs_audit_export_learn(&x);

    switch (format) {

    case GS_AUDIT_ECS:
        gs_audit_export_ecs(&x);
        break;

    case GS_AUDIT_OCSF:
        gs_audit_export_ocsf(&x);
        break;

    default:
        gs_audit_export_cef(&x);
    }

    return b->overflow ? GS_ERROR : GS_OK;
}


static void
gs_audit_export_learn(gs_audit_export_t *x)
{
    gs_str_t  s;

    x->type = gs_audit_field_value(x->f, "", "ty");
    x->stage = gs_audit_field_value(x->f, "", "st");
    x->status = gs_audit_field_number(x->f, "http", "status");
    x->http = gs_str_eq_text(&x->type, "http")
              || gs_str_eq_text(&x->type, "deny.agg");

    s = gs_audit_field_value(x->f, "dec", "act");
    x->denied = gs_str_eq_text(&s, "deny")
                || gs_str_eq_text(&x->type, "deny.agg");
    x->blocked = x->denied
                 && (gs_audit_field(x->f, "dec", "rule") != NULL
                     || gs_audit_field(x->f, "", "rule") != NULL);

    s = gs_audit_field_value(x->f, "src", "ip");
    x->src_ip = gs_audit_export_address(&s);

    s = gs_audit_field_value(x->f, "", "t");
    x->ms = gs_audit_export_ms(&s);
    x->node = gs_audit_export_node(x);

    gs_audit_export_peer(x);
    gs_audit_export_outcome(x);

    x->severity = gs_audit_export_severity(x);
}


/* An intent does not know, a process that died cannot tell. */

static void
gs_audit_export_outcome(gs_audit_export_t *x)
{
    if (x->denied || gs_str_eq_text(&x->type, "loss")
        || gs_str_eq_text(&x->type, "tamper")
        || gs_str_eq_text(&x->stage, "worker.died"))
    {
        x->outcome = 2;

    } else if (!x->http) {
        x->outcome = 1;

    } else if (x->status == 0 || !gs_str_eq_text(&x->stage, "done")) {
        x->outcome = 0;

    } else {
        x->outcome = (x->status >= 400) ? 2 : 1;
    }
}


static unsigned
gs_audit_export_severity(const gs_audit_export_t *x)
{
    uint64_t  sev;

    /* low, medium, high, critical */

    sev = gs_audit_field_number(x->f, "", "sev");

    if (gs_str_eq_text(&x->type, "sec") && sev >= 1 && sev <= 4) {
        return (unsigned) sev + 1;
    }

    if (gs_str_eq_text(&x->type, "tamper")) {
        return 5;
    }

    if (gs_str_eq_text(&x->type, "loss")) {
        return 4;
    }

    if (x->blocked) {
        return 3;
    }

    return (x->denied || x->status >= 500
            || gs_str_eq_text(&x->stage, "aborted")
            || gs_str_eq_text(&x->stage, "worker.died")
            || gs_str_eq_text(&x->type, "clock.step")) ? 2 : 1;
}


/* "<node>.<epoch>.<g>"; the name of a chain begins with it as well. */

static gs_str_t
gs_audit_export_node(gs_audit_export_t *x)
{
    unsigned  dots;
    gs_str_t  id;

    id = gs_audit_field_value(x->f, "", "id");

    for (dots = 0; id.len != 0 && dots < 2; id.len--) {
        dots += (id.data[id.len - 1] == '.');
    }

    return id;
}


/* "10.1.2.3:8080", "[2001:db8::1]:8080"; what else it is has no port. */

static void
gs_audit_export_peer(gs_audit_export_t *x)
{
    size_t    i;
    gs_str_t  addr, ip, port;
    uint64_t  n;

    addr = gs_audit_field_value(x->f, "up", "addr");

    for (i = addr.len; i != 0 && addr.data[i - 1] != ':'; i--) {
        /* void */
    }

    if (i == 0) {
        return;
    }

    ip = gs_str_make(addr.data, i - 1);
    port = gs_str_make(addr.data + i, addr.len - i);

    if (ip.len > 2 && ip.data[0] == '[' && ip.data[ip.len - 1] == ']') {
        ip = gs_str_make(ip.data + 1, ip.len - 2);
    }

    /* as JSON takes a number: no leading zeros */

    if (gs_audit_export_address(&ip) && gs_parse_u64(&port, &n) == GS_OK
        && port.data[0] != '0' && n < 65536)
    {
        x->up_ip = ip;
        x->up_port = port;
    }
}


static int
gs_audit_export_address(const gs_str_t *s)
{
    gs_net_t  net;

    return gs_str_chr(s, 0, '/') == s->len && gs_net_parse(&net, s) == GS_OK
           && s->len != 0 && s->data[0] != 'u';
}


const gs_audit_field_t *
gs_audit_export_take(gs_audit_export_t *x, const char *object,
    const char *key)
{
    const gs_audit_field_t  *field;

    field = gs_audit_field(x->f, object, key);

    if (field != NULL) {
        x->used[field - x->f->field] = 1;
    }

    return field;
}


const gs_audit_field_t *
gs_audit_export_scalar(gs_audit_export_t *x, const char *object,
    const char *key)
{
    const gs_audit_field_t  *field;

    field = gs_audit_field(x->f, object, key);

    return (field != NULL && !field->row)
           ? gs_audit_export_take(x, object, key) : NULL;
}


int
gs_audit_export_spans(const gs_audit_export_t *x)
{
    return !gs_str_eq_text(&x->type, "clock.step");
}


uint64_t
gs_audit_export_ms(const gs_str_t *time)
{
    uint64_t  us;

    return (gs_time_parse(time, &us) == GS_OK) ? us / 1000 : 0;
}
