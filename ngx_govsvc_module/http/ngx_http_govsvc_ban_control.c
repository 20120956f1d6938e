
/*
 * Copyright (C) govsvc authors
 *
 * Bans by hand: a location that lists them, sets and lifts them, for clients
 * of this machine.  Those from elsewhere have the registry API, which asks who
 * they are.
 */


#include "core/gs_hex.h"
#include "core/gs_json_out.h"
#include "http/ngx_http_govsvc_event.h"


#define NGX_HTTP_GOVSVC_BAN_PAGE   64      /* entries of one answer */
#define NGX_HTTP_GOVSVC_BAN_ENTRY  2560    /* bytes of one, escaped */


static ngx_int_t ngx_http_govsvc_ban_control_handler(ngx_http_request_t *r);
static ngx_uint_t ngx_http_govsvc_ban_near(ngx_connection_t *c);
static ngx_int_t ngx_http_govsvc_ban_list(ngx_http_request_t *r,
    ngx_http_govsvc_ban_zone_t *zone);
static void ngx_http_govsvc_ban_show(gs_buf_t *b, gs_ban_entry_t *e);
static ngx_int_t ngx_http_govsvc_ban_change(ngx_http_request_t *r,
    ngx_http_govsvc_ban_zone_t *zone);
static ngx_int_t ngx_http_govsvc_ban_by_hand(ngx_http_request_t *r,
    ngx_http_govsvc_ban_zone_t *zone, const gs_ban_id_t *id);
static ngx_int_t ngx_http_govsvc_ban_named(ngx_http_request_t *r,
    ngx_http_govsvc_ban_zone_t *zone, gs_ban_id_t *id);
static ngx_int_t ngx_http_govsvc_ban_hash(ngx_http_govsvc_ban_zone_t *zone,
    ngx_str_t *text, gs_ban_id_t *id);
static ngx_int_t ngx_http_govsvc_ban_arg(ngx_http_request_t *r, char *name,
    ngx_str_t *value);
static ngx_int_t ngx_http_govsvc_ban_send(ngx_http_request_t *r,
    ngx_uint_t status, gs_buf_t *b);


char *
ngx_http_govsvc_ban_control(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_ban_conf_t *bcf = conf;

    ngx_str_t                  value;
    ngx_http_core_loc_conf_t  *clcf;

    static const char *const  params[] = { "zone=", NULL };

    if (bcf->control != NULL) {
        return "is duplicate";
    }

    if (ngx_govsvc_conf_params(cf, 1, params, &value) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    bcf->control = ngx_http_govsvc_ban_get_zone(cf, &value);
    if (bcf->control == NULL) {
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_govsvc_ban_control_handler;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_govsvc_ban_control_handler(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_http_govsvc_ban_conf_t  *bcf;

    bcf = ngx_http_get_module_loc_conf(r, ngx_http_govsvc_ban_module);

    if (!ngx_http_govsvc_ban_near(r->connection)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "govsvc ban: a client of another machine may not change "
                      "bans here, but through the registry API");
        return NGX_HTTP_FORBIDDEN;
    }

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_POST|NGX_HTTP_DELETE))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    return (r->method == NGX_HTTP_GET)
           ? ngx_http_govsvc_ban_list(r, bcf->control)
           : ngx_http_govsvc_ban_change(r, bcf->control);
}


static ngx_uint_t
ngx_http_govsvc_ban_near(ngx_connection_t *c)
{
    gs_net_t  net;

    return gs_net_sockaddr(&net, c->sockaddr, c->socklen) == GS_OK
           && (net.family == GS_NET_UNIX || gs_net_loopback(&net));
}


static ngx_int_t
ngx_http_govsvc_ban_list(ngx_http_request_t *r,
    ngx_http_govsvc_ban_zone_t *zone)
{
    size_t           size;
    u_char          *p;
    gs_rc_t          rc;
    gs_buf_t         b;
    gs_str_t         s;
    uint64_t         now, cursor;
    ngx_str_t        text;
    ngx_uint_t       n;
    gs_ban_entry_t   e;

    cursor = 0;

    if (ngx_http_govsvc_ban_arg(r, "cursor", &text) == NGX_OK) {
        s = ngx_govsvc_to_gs(&text);

        if (gs_parse_u64(&s, &cursor) != GS_OK) {
            return NGX_HTTP_BAD_REQUEST;
        }
    }

    size = (NGX_HTTP_GOVSVC_BAN_PAGE + 1) * NGX_HTTP_GOVSVC_BAN_ENTRY;

    p = ngx_palloc(r->pool, size);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    gs_buf_init(&b, p, size);
    gs_buf_text(&b, "{\"bans\":[");

    now = ngx_http_govsvc_ban_now();
    rc = GS_OK;

    for (n = 0; n < NGX_HTTP_GOVSVC_BAN_PAGE; n++) {

        rc = gs_ban_next(&zone->table, &cursor, now, &e);
        if (rc != GS_OK) {
            break;
        }

        if (n != 0) {
            gs_buf_char(&b, ',');
        }

        ngx_http_govsvc_ban_show(&b, &e);
    }

    gs_buf_char(&b, ']');

    if (rc == GS_OK) {
        gs_json_kv_u64(&b, "cursor", cursor);
    }

    gs_buf_text(&b, "}\n");

    return ngx_http_govsvc_ban_send(r, NGX_HTTP_OK, &b);
}


static void
ngx_http_govsvc_ban_show(gs_buf_t *b, gs_ban_entry_t *e)
{
    gs_buf_text(b, "{\"id\":\"");
    gs_buf_text(b, gs_ban_kinds[e->kind]);
    gs_buf_char(b, ':');
    gs_buf_hex(b, e->h, sizeof(e->h));
    gs_buf_char(b, '"');

    gs_json_kv_str(b, "key", &e->label);
    gs_json_kv_u64(b, "since", e->since);
    gs_json_kv_u64(b, "until", e->until);
    gs_json_kv_u64(b, "tier", e->tier);
    gs_json_kv_u64(b, "rule", e->rule);
    gs_json_kv_str(b, "reason", &e->reason);
    gs_json_kv_str(b, "actor", &e->actor);
    gs_json_kv_str(b, "evidence", &e->evidence);

    gs_buf_char(b, '}');
}


static ngx_int_t
ngx_http_govsvc_ban_change(ngx_http_request_t *r,
    ngx_http_govsvc_ban_zone_t *zone)
{
    ngx_int_t    rc;
    gs_ban_id_t  id;

    rc = ngx_http_govsvc_ban_named(r, zone, &id);
    if (rc != NGX_OK) {
        return rc;
    }

    if (r->method == NGX_HTTP_POST) {
        return ngx_http_govsvc_ban_by_hand(r, zone, &id);
    }

    switch (ngx_http_govsvc_ban_lift(zone, &id, r->connection->log)) {

    case NGX_OK:
        ngx_http_govsvc_event_ban(r, &id, NULL, 0);
        return ngx_http_govsvc_ban_send(r, NGX_HTTP_NO_CONTENT, NULL);

    case NGX_DECLINED:
        return NGX_HTTP_NOT_FOUND;

    default:
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }
}


static ngx_int_t
ngx_http_govsvc_ban_by_hand(ngx_http_request_t *r,
    ngx_http_govsvc_ban_zone_t *zone, const gs_ban_id_t *id)
{
    u_char     label[GS_NET_TEXT];
    gs_str_t   s;
    gs_ban_t   ban;
    uint64_t   time;
    ngx_str_t  text, actor;

    ngx_memzero(&ban, sizeof(gs_ban_t));

    if (ngx_http_govsvc_ban_arg(r, "time", &text) == NGX_OK) {
        s = ngx_govsvc_to_gs(&text);

        if (gs_parse_msec(&s, &time) != GS_OK || time < 1000
            || time > NGX_HTTP_GOVSVC_BAN_MAX_TIME)
        {
            return NGX_HTTP_BAD_REQUEST;
        }

        ban.until = ngx_http_govsvc_ban_now() + time;
    }

    if (id->kind == GS_BAN_NET) {
        ban.label = gs_str_make(label, gs_net_print(label, &id->net));

    } else if (ngx_http_govsvc_ban_arg(r, "label", &text) == NGX_OK) {
        ban.label = ngx_govsvc_to_gs(&text);
    }

    if (ngx_http_govsvc_ban_arg(r, "reason", &text) == NGX_OK) {
        ban.reason = ngx_govsvc_to_gs(&text);
    }

    if (ngx_http_govsvc_ban_arg(r, "actor", &actor) != NGX_OK) {
        ngx_str_set(&actor, "operator");
    }

    ban.actor = ngx_govsvc_to_gs(&actor);

    switch (ngx_http_govsvc_ban_add(zone, id, &ban, &time,
                                    r->connection->log))
    {

    case NGX_OK:
        ngx_http_govsvc_event_ban(r, id, &ban, time);
        return ngx_http_govsvc_ban_send(r, NGX_HTTP_NO_CONTENT, NULL);

    case NGX_DECLINED:
        return (time == 0)
               ? NGX_HTTP_FORBIDDEN
               : ngx_http_govsvc_ban_send(r, NGX_HTTP_NO_CONTENT, NULL);

    default:
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }
}


/* One of net=, subject= or kid= with issuer=, app=, id= of the list. */

static ngx_int_t
ngx_http_govsvc_ban_named(ngx_http_request_t *r,
    ngx_http_govsvc_ban_zone_t *zone, gs_ban_id_t *id)
{
    ngx_str_t      text, issuer;
    gs_ban_kind_e  kind;

    if (ngx_http_govsvc_ban_arg(r, "net", &text) == NGX_OK) {
        return (ngx_http_govsvc_ban_net_id(zone, &text, id) == NGX_OK
                && (id->net.family == GS_NET_IPV4
                    || id->net.family == GS_NET_IPV6)
                && id->net.bits != 0)
               ? NGX_OK : NGX_HTTP_BAD_REQUEST;
    }

    if (ngx_http_govsvc_ban_arg(r, "id", &text) == NGX_OK
        && r->method == NGX_HTTP_DELETE)
    {
        return ngx_http_govsvc_ban_hash(zone, &text, id);
    }

    if (ngx_http_govsvc_ban_arg(r, "app", &text) == NGX_OK) {
        ngx_str_null(&issuer);
        ngx_http_govsvc_ban_caller_id(zone, GS_BAN_APP, &issuer, &text, id);
        return NGX_OK;
    }

    if (ngx_http_govsvc_ban_arg(r, "issuer", &issuer) != NGX_OK) {
        return NGX_HTTP_BAD_REQUEST;
    }

    kind = GS_BAN_SUBJECT;

    if (ngx_http_govsvc_ban_arg(r, "subject", &text) != NGX_OK) {

        kind = GS_BAN_KID;

        if (ngx_http_govsvc_ban_arg(r, "kid", &text) != NGX_OK) {
            return NGX_HTTP_BAD_REQUEST;
        }
    }

    ngx_http_govsvc_ban_caller_id(zone, kind, &issuer, &text, id);

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_ban_hash(ngx_http_govsvc_ban_zone_t *zone, ngx_str_t *text,
    gs_ban_id_t *id)
{
    size_t          len;
    gs_str_t        hex;
    ngx_uint_t      i;
    gs_ban_entry_t  e;

    ngx_memzero(id, sizeof(gs_ban_id_t));

    for (i = 0; i < GS_BAN_KINDS; i++) {
        len = ngx_strlen(gs_ban_kinds[i]);

        if (text->len == len + 1 + 2 * sizeof(id->h)
            && ngx_memcmp(text->data, gs_ban_kinds[i], len) == 0
            && text->data[len] == ':')
        {
            hex = gs_str_make(text->data + len + 1, 2 * sizeof(id->h));
            id->kind = (gs_ban_kind_e) i;

            if (gs_hex_decode((gs_uchar_t *) id->h, &hex) != GS_OK) {
                return NGX_HTTP_BAD_REQUEST;
            }

            if (gs_ban_find(&zone->table, id, ngx_http_govsvc_ban_now(), &e)
                != GS_OK)
            {
                return NGX_HTTP_NOT_FOUND;
            }

            id->net.family = e.family;
            id->net.bits = e.bits;

            return NGX_OK;
        }
    }

    return NGX_HTTP_BAD_REQUEST;
}


/* Decoded, and not empty. */

static ngx_int_t
ngx_http_govsvc_ban_arg(ngx_http_request_t *r, char *name, ngx_str_t *value)
{
    u_char     *src, *dst;
    ngx_str_t   raw;

    if (ngx_http_arg(r, (u_char *) name, ngx_strlen(name), &raw) != NGX_OK
        || raw.len == 0)
    {
        return NGX_DECLINED;
    }

    value->data = ngx_pnalloc(r->pool, raw.len);
    if (value->data == NULL) {
        return NGX_ERROR;
    }

    src = raw.data;
    dst = value->data;
    ngx_unescape_uri(&dst, &src, raw.len, 0);
    value->len = dst - value->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_ban_send(ngx_http_request_t *r, ngx_uint_t status,
    gs_buf_t *b)
{
    ngx_buf_t    *buf;
    ngx_int_t     rc;
    ngx_chain_t   out;

    r->headers_out.status = status;

    if (b == NULL) {
        r->header_only = 1;
        return ngx_http_send_header(r);
    }

    if (b->overflow) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_length_n = gs_buf_len(b);

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    buf = ngx_calloc_buf(r->pool);
    if (buf == NULL) {
        return NGX_ERROR;
    }

    buf->pos = b->start;
    buf->last = b->pos;
    buf->memory = 1;
    buf->last_buf = 1;

    out.buf = buf;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}
