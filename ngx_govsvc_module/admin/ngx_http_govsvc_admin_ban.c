
/*
 * Copyright (C) govsvc authors
 *
 * Registry API: bans, by pages, set and lifted.
 */


#include "admin/ngx_http_govsvc_admin.h"

#include "core/gs_hex.h"
#include "http/ngx_http_govsvc_event.h"


#define NGX_HTTP_GOVSVC_ADMIN_BAN   2816             /* bytes, escaped */
#define NGX_HTTP_GOVSVC_ADMIN_LONG  (366 * 86400)    /* s */


static void ngx_http_govsvc_admin_ban_list(gs_admin_reply_t *reply,
    gs_buf_t *b);
static ngx_int_t ngx_http_govsvc_admin_ban_cursor(gs_admin_reply_t *reply,
    uint64_t *zone, uint64_t *slot);
static void ngx_http_govsvc_admin_ban_item(gs_buf_t *b,
    const ngx_http_govsvc_ban_zone_t *zone, const gs_ban_entry_t *entry);
static void ngx_http_govsvc_admin_ban(ngx_http_request_t *r,
    gs_admin_reply_t *reply, gs_buf_t *b);
static void ngx_http_govsvc_admin_ban_lift(ngx_http_request_t *r,
    gs_admin_reply_t *reply, gs_buf_t *b, ngx_http_govsvc_ban_zone_t *zone,
    const gs_ban_id_t *id);
static ngx_http_govsvc_ban_zone_t *ngx_http_govsvc_admin_ban_zone(
    const json_t *given);
static const char *ngx_http_govsvc_admin_ban_key(gs_admin_reply_t *reply,
    ngx_http_govsvc_ban_zone_t *zone, gs_ban_id_t *id, gs_ban_t *ban,
    u_char *label);
static const char *ngx_http_govsvc_admin_ban_id(
    ngx_http_govsvc_ban_zone_t *zone, const ngx_str_t *text, gs_ban_id_t *id);


void
ngx_http_govsvc_admin_bans(ngx_http_request_t *r, gs_admin_reply_t *reply,
    gs_buf_t *b)
{
    if (reply->given == NULL) {
        ngx_http_govsvc_admin_ban_list(reply, b);

    } else {
        ngx_http_govsvc_admin_ban(r, reply, b);
    }
}


/* A cursor is the number of a zone and a place in it. */

static void
ngx_http_govsvc_admin_ban_list(gs_admin_reply_t *reply, gs_buf_t *b)
{
    u_char                            next[2 * NGX_INT64_LEN + 2];
    uint64_t                          i, slot;
    gs_str_t                          text;
    ngx_uint_t                        n;
    gs_ban_entry_t                    entry;
    ngx_http_govsvc_ban_zone_t      **zone;
    ngx_http_govsvc_ban_main_conf_t  *bmcf;

    if (ngx_http_govsvc_admin_ban_cursor(reply, &i, &slot) != NGX_OK) {
        ngx_http_govsvc_admin_fail(reply, b, 400, "BAD_PARAMETER", "",
                                   "this is no cursor of bans");
        return;
    }

    bmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_govsvc_ban_module);
    zone = bmcf->zones.elts;
    n = 0;

    gs_buf_text(b, "{\"items\":[");

    for ( /* void */ ; i < bmcf->zones.nelts; i++, slot = 0) {

        while (n < reply->limit
               && (size_t) (b->last - b->pos) > 2 * NGX_HTTP_GOVSVC_ADMIN_BAN)
        {
            if (gs_ban_next(&zone[i]->table, &slot, ngx_http_govsvc_ban_now(),
                            &entry)
                != GS_OK)
            {
                break;
            }

            if (n++ != 0) {
                gs_buf_char(b, ',');
            }

            ngx_http_govsvc_admin_ban_item(b, zone[i], &entry);
        }

        if (n == reply->limit
            || (size_t) (b->last - b->pos) <= 2 * NGX_HTTP_GOVSVC_ADMIN_BAN)
        {
            break;
        }
    }

    gs_buf_char(b, ']');

    if (i < bmcf->zones.nelts) {
        text = gs_str_make(next, ngx_sprintf(next, "%uL.%uL", i, slot)
                                 - next);
        gs_json_kv_str(b, "next", &text);
    }

    gs_buf_char(b, '}');
}


static ngx_int_t
ngx_http_govsvc_admin_ban_cursor(gs_admin_reply_t *reply, uint64_t *zone,
    uint64_t *slot)
{
    size_t    dot;
    gs_str_t  text, part;

    *zone = 0;
    *slot = 0;

    text = gs_str_text(reply->cursor);

    if (text.len == 0) {
        return NGX_OK;
    }

    dot = gs_str_chr(&text, 0, '.');
    part = gs_str_make(text.data, dot);

    if (dot == text.len || gs_parse_u64(&part, zone) != GS_OK) {
        return NGX_ERROR;
    }

    part = gs_str_make(text.data + dot + 1, text.len - dot - 1);

    return gs_parse_u64(&part, slot) == GS_OK ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_govsvc_admin_ban_item(gs_buf_t *b,
    const ngx_http_govsvc_ban_zone_t *zone, const gs_ban_entry_t *entry)
{
    gs_str_t  name;

    name = ngx_govsvc_to_gs(&zone->base.name);

    gs_buf_text(b, "{\"id\":\"");
    gs_buf_text(b, gs_ban_kinds[entry->kind]);
    gs_buf_char(b, '.');
    gs_buf_hex(b, entry->h, sizeof(entry->h));
    gs_buf_char(b, '"');

    gs_json_kv_str(b, "zone", &name);
    gs_json_kv_text(b, "kind", gs_ban_kinds[entry->kind]);
    gs_json_kv_str(b, "key", &entry->label);
    gs_json_kv_u64(b, "since", entry->since / 1000);
    gs_json_kv_u64(b, "until", entry->until / 1000);
    gs_json_kv_u64(b, "tier", entry->tier + 1);
    gs_json_kv_u64(b, "rule", entry->rule);
    gs_json_kv_str(b, "reason", &entry->reason);
    gs_json_kv_str(b, "by", &entry->actor);
    gs_json_kv_str(b, "evidence", &entry->evidence);
    gs_buf_char(b, '}');
}


static void
ngx_http_govsvc_admin_ban(ngx_http_request_t *r, gs_admin_reply_t *reply,
    gs_buf_t *b)
{
    u_char                       label[GS_BAN_LABEL];
    uint64_t                     until;
    gs_ban_t                     ban;
    ngx_int_t                    rc;
    ngx_str_t                    reason;
    json_int_t                   seconds;
    const char                  *bad;
    gs_ban_id_t                  id;
    ngx_http_govsvc_ban_zone_t  *zone;

    ngx_memzero(&ban, sizeof(gs_ban_t));

    zone = ngx_http_govsvc_admin_ban_zone(reply->given);

    if (zone == NULL) {
        ngx_http_govsvc_admin_fail(reply, b, 422, "INVALID", "/zone",
            "name a zone of govsvc_ban_zone; it may be left out where there "
            "is one");
        return;
    }

    bad = ngx_http_govsvc_admin_ban_key(reply, zone, &id, &ban, label);

    if (bad != NULL) {
        ngx_http_govsvc_admin_fail(reply, b, 422, "INVALID", bad,
            reply->lift
            ? "just one of \"net\" (an address or a prefix), \"subject\" or "
              "\"kid\" (with \"issuer\"), \"app\" and \"id\" is to be given"
            : "just one of \"net\" (an address or a prefix), \"subject\" or "
              "\"kid\" (with \"issuer\") and \"app\" is to be given");
        return;
    }

    if (reply->lift) {
        ngx_http_govsvc_admin_ban_lift(r, reply, b, zone, &id);
        return;
    }

    reason = ngx_http_govsvc_admin_member(reply->given, "reason");
    seconds = json_integer_value(json_object_get(reply->given, "seconds"));

    if (reason.len == 0) {
        ngx_http_govsvc_admin_fail(reply, b, 422, "INVALID", "/reason",
                                   "a ban needs a reason");
        return;
    }

    if (json_object_get(reply->given, "seconds") != NULL
        && (seconds < 1 || seconds > NGX_HTTP_GOVSVC_ADMIN_LONG))
    {
        ngx_http_govsvc_admin_fail(reply, b, 422, "INVALID", "/seconds",
            "allowed: 1 to 31622400; left out, the tiers of the zone tell");
        return;
    }

    ban.reason = ngx_govsvc_to_gs(&reason);
    ban.actor = gs_str_text(reply->credential);

    if (seconds != 0) {
        ban.until = ngx_http_govsvc_ban_now() + (uint64_t) seconds * 1000;
    }

    until = 0;
    rc = ngx_http_govsvc_ban_add(zone, &id, &ban, &until, r->connection->log);

    if (rc == NGX_BUSY) {
        ngx_http_govsvc_admin_fail(reply, b, 503, "FULL", "",
                                   "the zone is full");
        return;
    }

    if (rc == NGX_ERROR || until == 0) {
        ngx_http_govsvc_admin_fail(reply, b, 409, "ALLOWED", "",
                                   "\"allow\" of the zone says that this is "
                                   "never banned");
        return;
    }

    if (rc == NGX_OK) {
        ngx_http_govsvc_event_ban(r, &id, &ban, until);
    }

    gs_buf_char(b, '{');
    gs_json_kv_text(b, "result", rc == NGX_OK ? "banned" : "already");
    gs_json_kv_u64(b, "until", until / 1000);
    gs_buf_char(b, '}');
}


static void
ngx_http_govsvc_admin_ban_lift(ngx_http_request_t *r, gs_admin_reply_t *reply,
    gs_buf_t *b, ngx_http_govsvc_ban_zone_t *zone, const gs_ban_id_t *id)
{
    switch (ngx_http_govsvc_ban_lift(zone, id, r->connection->log)) {

    case NGX_OK:
        ngx_http_govsvc_event_ban(r, id, NULL, 0);
        ngx_http_govsvc_admin_result(b, "lifted");
        return;

    case NGX_DECLINED:
        ngx_http_govsvc_admin_fail(reply, b, 404, "NOT_BANNED", "",
                                   "it is not banned");
        return;

    default:
        ngx_http_govsvc_admin_fail(reply, b, 503, "BUSY", "",
                                   "the entry is being written, try again");
    }
}


static ngx_http_govsvc_ban_zone_t *
ngx_http_govsvc_admin_ban_zone(const json_t *given)
{
    ngx_str_t                         name;
    ngx_http_govsvc_ban_zone_t      **zone;
    ngx_http_govsvc_ban_main_conf_t  *bmcf;

    name = ngx_http_govsvc_admin_member(given, "zone");

    if (name.len != 0) {
        return ngx_http_govsvc_ban_find_zone(&name);
    }

    bmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_govsvc_ban_module);
    zone = bmcf->zones.elts;

    return (bmcf->zones.nelts == 1) ? zone[0] : NULL;
}


/*
 * NULL, or the field that is wrong.  Of a subject, who may be a citizen, the
 * list shows the first signs alone.
 */

static const char *
ngx_http_govsvc_admin_ban_key(gs_admin_reply_t *reply,
    ngx_http_govsvc_ban_zone_t *zone, gs_ban_id_t *id, gs_ban_t *ban,
    u_char *label)
{
    u_char         *p;
    ngx_str_t       net, subject, app, kid, issuer, ban_id, *name;
    const json_t   *given;
    gs_ban_kind_e   kind;

    given = reply->given;

    net = ngx_http_govsvc_admin_member(given, "net");
    subject = ngx_http_govsvc_admin_member(given, "subject");
    app = ngx_http_govsvc_admin_member(given, "app");
    kid = ngx_http_govsvc_admin_member(given, "kid");
    issuer = ngx_http_govsvc_admin_member(given, "issuer");

    ngx_str_null(&ban_id);

    if (reply->lift) {
        ban_id = ngx_http_govsvc_admin_member(given, "id");
    }

    if ((net.len != 0) + (subject.len != 0) + (app.len != 0) + (kid.len != 0)
        + (ban_id.len != 0)
        != 1)
    {
        return "";
    }

    if (ban_id.len != 0) {
        return ngx_http_govsvc_admin_ban_id(zone, &ban_id, id);
    }

    if (net.len != 0) {
        ban->label = ngx_govsvc_to_gs(&net);

        return (ngx_http_govsvc_ban_net_id(zone, &net, id) == NGX_OK)
               ? NULL : "/net";
    }

    if ((app.len == 0) != (issuer.len != 0)) {
        return "/issuer";
    }

    if (app.len != 0) {
        kind = GS_BAN_APP;
        name = &app;

    } else {
        kind = (subject.len != 0) ? GS_BAN_SUBJECT : GS_BAN_KID;
        name = (subject.len != 0) ? &subject : &kid;
    }

    ngx_http_govsvc_ban_caller_id(zone, kind, &issuer, name, id);

    p = ngx_slprintf(label, label + GS_BAN_LABEL, "%*s%s",
                     subject.len != 0 ? ngx_min(name->len, (size_t) 3)
                                      : name->len,
                     name->data, subject.len != 0 ? "***" : "");

    ban->label = gs_str_make(label, p - label);

    return NULL;
}


/* As in a list: "net.HASH".  One that is none is not banned. */

static const char *
ngx_http_govsvc_admin_ban_id(ngx_http_govsvc_ban_zone_t *zone,
    const ngx_str_t *text, gs_ban_id_t *id)
{
    size_t          dot;
    gs_str_t        s, kind, hex;
    ngx_uint_t      i;
    gs_ban_entry_t  entry;

    ngx_memzero(id, sizeof(gs_ban_id_t));

    s = ngx_govsvc_to_gs(text);
    dot = gs_str_chr(&s, 0, '.');
    kind = gs_str_make(s.data, dot);

    for (i = 0; i < GS_BAN_KINDS; i++) {
        if (gs_str_eq_text(&kind, gs_ban_kinds[i])) {
            break;
        }
    }

    if (i == GS_BAN_KINDS || s.len != dot + 1 + 2 * sizeof(id->h)) {
        return "/id";
    }

    id->kind = (gs_ban_kind_e) i;
    hex = gs_str_make(s.data + dot + 1, 2 * sizeof(id->h));

    if (gs_hex_decode((gs_uchar_t *) id->h, &hex) != GS_OK) {
        return "/id";
    }

    if (gs_ban_find(&zone->table, id, ngx_http_govsvc_ban_now(), &entry)
        == GS_OK)
    {
        id->net.family = entry.family;
        id->net.bits = entry.bits;
    }

    return NULL;
}
