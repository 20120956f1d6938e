
/*
 * Copyright (C) govsvc authors
 *
 * Registry API: what lives in the memory of the gateway, not in the document:
 * bans and revocations.  In the event loop, after the engine said who may.
 */


#include "admin/ngx_http_govsvc_admin.h"

#include "http/ngx_http_govsvc_ban.h"
#include "http/ngx_http_govsvc_revoke.h"


#define NGX_HTTP_GOVSVC_ADMIN_TEXT   (512 * 1024)
#define NGX_HTTP_GOVSVC_ADMIN_BANS   1000
#define NGX_HTTP_GOVSVC_ADMIN_LONG   (366 * 86400)     /* s */


static void ngx_http_govsvc_admin_bans(gs_buf_t *b);
static void ngx_http_govsvc_admin_ban_item(gs_buf_t *b,
    const ngx_http_govsvc_ban_zone_t *zone, const gs_ban_entry_t *entry);
static void ngx_http_govsvc_admin_ban(ngx_http_request_t *r,
    gs_admin_reply_t *reply, gs_buf_t *b);
static ngx_http_govsvc_ban_zone_t *ngx_http_govsvc_admin_ban_zone(
    const json_t *given);
static const char *ngx_http_govsvc_admin_ban_key(const json_t *given,
    ngx_http_govsvc_ban_zone_t *zone, gs_ban_id_t *id, gs_ban_t *ban,
    u_char *label);
static void ngx_http_govsvc_admin_revocations(gs_admin_reply_t *reply,
    gs_buf_t *b);
static void ngx_http_govsvc_admin_revoke(ngx_http_request_t *r,
    gs_admin_reply_t *reply, gs_buf_t *b);
static ngx_str_t ngx_http_govsvc_admin_member(const json_t *given,
    const char *name);
static void ngx_http_govsvc_admin_result(gs_buf_t *b, const char *result);


static const char *const  ngx_http_govsvc_admin_revoke_kinds[] = {
    "jti", "sid", "sub", "kid", "sub_before", NULL
};


ngx_int_t
ngx_http_govsvc_admin_hosted(ngx_http_request_t *r, gs_admin_reply_t *reply,
    ngx_str_t *text)
{
    u_char    *p;
    gs_buf_t   b;

    p = ngx_palloc(r->pool, NGX_HTTP_GOVSVC_ADMIN_TEXT);
    if (p == NULL) {
        return NGX_ERROR;
    }

    gs_buf_init(&b, p, NGX_HTTP_GOVSVC_ADMIN_TEXT);

    if (ngx_strcmp(reply->hosted, "status") == 0) {
        ngx_http_govsvc_admin_status(r, &b);

    } else if (ngx_strcmp(reply->hosted, "availability") == 0) {
        ngx_http_govsvc_admin_availability(reply, &b);

    } else if (ngx_strcmp(reply->hosted, "bans") == 0) {

        if (reply->given == NULL) {
            ngx_http_govsvc_admin_bans(&b);

        } else {
            ngx_http_govsvc_admin_ban(r, reply, &b);
        }

    } else if (reply->given == NULL) {
        ngx_http_govsvc_admin_revocations(reply, &b);

    } else {
        ngx_http_govsvc_admin_revoke(r, reply, &b);
    }

    if (b.overflow) {
        return NGX_ERROR;
    }

    text->data = p;
    text->len = gs_buf_len(&b);

    return NGX_OK;
}


static void
ngx_http_govsvc_admin_bans(gs_buf_t *b)
{
    uint64_t                          cursor;
    ngx_uint_t                        i, n, more;
    gs_ban_entry_t                    entry;
    ngx_http_govsvc_ban_zone_t      **zone;
    ngx_http_govsvc_ban_main_conf_t  *bmcf;

    bmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_govsvc_ban_module);
    zone = bmcf->zones.elts;
    more = 0;
    n = 0;

    gs_buf_text(b, "{\"items\":[");

    for (i = 0; i < bmcf->zones.nelts; i++) {
        cursor = 0;

        while (gs_ban_next(&zone[i]->table, &cursor,
                           ngx_http_govsvc_ban_now(), &entry)
               == GS_OK)
        {
            if (n == NGX_HTTP_GOVSVC_ADMIN_BANS) {
                more = 1;
                break;
            }

            if (n++ != 0) {
                gs_buf_char(b, ',');
            }

            ngx_http_govsvc_admin_ban_item(b, zone[i], &entry);
        }
    }

    gs_buf_text(b, more ? "],\"more\":true}" : "],\"more\":false}");
}


static void
ngx_http_govsvc_admin_ban_item(gs_buf_t *b,
    const ngx_http_govsvc_ban_zone_t *zone, const gs_ban_entry_t *entry)
{
    gs_str_t  name;

    name = ngx_govsvc_to_gs(&zone->base.name);

    gs_buf_char(b, '{');
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

    bad = ngx_http_govsvc_admin_ban_key(reply->given, zone, &id, &ban, label);

    if (bad != NULL) {
        ngx_http_govsvc_admin_fail(reply, b, 422, "INVALID", bad,
            "just one of \"net\" (an address or a prefix), \"subject\" or "
            "\"kid\" (with \"issuer\") and \"app\" is to be given");
        return;
    }

    if (reply->lift) {
        rc = ngx_http_govsvc_ban_lift(zone, &id, r->connection->log);

        if (rc == NGX_OK) {
            ngx_http_govsvc_admin_result(b, "lifted");

        } else if (rc == NGX_DECLINED) {
            ngx_http_govsvc_admin_fail(reply, b, 404, "NOT_BANNED", "",
                                       "it is not banned");

        } else {
            ngx_http_govsvc_admin_fail(reply, b, 503, "BUSY", "",
                                       "the entry is being written, try "
                                       "again");
        }

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

    gs_buf_char(b, '{');
    gs_json_kv_text(b, "result", rc == NGX_OK ? "banned" : "already");
    gs_json_kv_u64(b, "until", until / 1000);
    gs_buf_char(b, '}');
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
ngx_http_govsvc_admin_ban_key(const json_t *given,
    ngx_http_govsvc_ban_zone_t *zone, gs_ban_id_t *id, gs_ban_t *ban,
    u_char *label)
{
    u_char         *p;
    ngx_str_t       net, subject, app, kid, issuer, *name;
    gs_ban_kind_e   kind;

    net = ngx_http_govsvc_admin_member(given, "net");
    subject = ngx_http_govsvc_admin_member(given, "subject");
    app = ngx_http_govsvc_admin_member(given, "app");
    kid = ngx_http_govsvc_admin_member(given, "kid");
    issuer = ngx_http_govsvc_admin_member(given, "issuer");

    if ((net.len != 0) + (subject.len != 0) + (app.len != 0)
        + (kid.len != 0) != 1)
    {
        return "";
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


static void
ngx_http_govsvc_admin_revocations(gs_admin_reply_t *reply, gs_buf_t *b)
{
    int64_t                 saved;
    gs_token_revoke_stat_t  stat;

    if (ngx_http_govsvc_revoke_stat(&stat, &saved) != NGX_OK) {
        ngx_http_govsvc_admin_fail(reply, b, 409, "NO_ZONE", "",
                                   "there is no govsvc_revocation_zone");
        return;
    }

    gs_buf_char(b, '{');
    gs_json_kv_u64(b, "entries", stat.live);
    gs_json_kv_u64(b, "slots", stat.slots);
    gs_json_kv_u64(b, "full", stat.full);
    gs_json_kv_u64(b, "saved", (uint64_t) saved);
    gs_buf_char(b, '}');
}


static void
ngx_http_govsvc_admin_revoke(ngx_http_request_t *r, gs_admin_reply_t *reply,
    gs_buf_t *b)
{
    ngx_int_t                      rc;
    ngx_str_t                      kind;
    ngx_uint_t                     i;
    ngx_http_govsvc_revocation_t   rev;

    ngx_memzero(&rev, sizeof(ngx_http_govsvc_revocation_t));

    kind = ngx_http_govsvc_admin_member(reply->given, "kind");
    rev.issuer = ngx_http_govsvc_admin_member(reply->given, "issuer");
    rev.value = ngx_http_govsvc_admin_member(reply->given, "value");
    rev.before = json_integer_value(json_object_get(reply->given, "before"));
    rev.until = json_integer_value(json_object_get(reply->given, "until"));

    for (i = 0; ngx_http_govsvc_admin_revoke_kinds[i] != NULL; i++) {
        if (kind.len != 0
            && ngx_strcmp(kind.data, ngx_http_govsvc_admin_revoke_kinds[i])
               == 0)
        {
            break;
        }
    }

    if (ngx_http_govsvc_admin_revoke_kinds[i] == NULL) {
        ngx_http_govsvc_admin_fail(reply, b, 422, "INVALID", "/kind",
            "allowed: jti, sid, sub, kid, sub_before");
        return;
    }

    rev.kind = (gs_token_revoke_e) i;

    rc = reply->lift ? ngx_http_govsvc_revoke_lift(&rev, r->connection->log)
                     : ngx_http_govsvc_revoke(&rev, r->connection->log);

    switch (rc) {

    case NGX_OK:
        ngx_http_govsvc_admin_result(b, reply->lift ? "lifted" : "revoked");
        return;

    case NGX_DECLINED:
        ngx_http_govsvc_admin_fail(reply, b, 404, "NOT_FOUND", "/issuer",
            reply->lift ? "no such revocation, issuer or zone"
                        : "no such issuer, or no govsvc_revocation_zone");
        return;

    case NGX_BUSY:
        ngx_http_govsvc_admin_fail(reply, b, 503, "FULL", "",
                                   "the zone is full, nothing was revoked");
        return;

    default:
        ngx_http_govsvc_admin_fail(reply, b, 422, "INVALID", "/value",
            "the value is empty or too long, or a time is past");
    }
}


/* Empty where the member is none or no text; ends in NUL. */

static ngx_str_t
ngx_http_govsvc_admin_member(const json_t *given, const char *name)
{
    ngx_str_t      s;
    const json_t  *value;

    value = json_object_get(given, name);

    ngx_str_null(&s);

    if (json_is_string(value)) {
        s.data = (u_char *) json_string_value(value);
        s.len = json_string_length(value);
    }

    return s;
}


static void
ngx_http_govsvc_admin_result(gs_buf_t *b, const char *result)
{
    gs_buf_char(b, '{');
    gs_json_kv_text(b, "result", result);
    gs_buf_char(b, '}');
}


void
ngx_http_govsvc_admin_fail(gs_admin_reply_t *reply, gs_buf_t *b,
    ngx_uint_t status, const char *code, const char *field,
    const char *detail)
{
    reply->status = (unsigned) status;
    reply->code = code;

    gs_buf_char(b, '{');
    gs_json_kv_text(b, "type", "about:blank");
    gs_json_kv_text(b, "title", code);
    gs_json_kv_u64(b, "status", status);
    gs_json_kv_text(b, "code", code);
    gs_json_kv_text(b, "field", field);
    gs_json_kv_text(b, "detail", detail);
    gs_buf_char(b, '}');
}
