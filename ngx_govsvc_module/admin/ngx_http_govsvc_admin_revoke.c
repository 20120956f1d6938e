
/*
 * Copyright (C) govsvc authors
 *
 * Registry API: revocations, by pages, made and lifted.
 */


#include "admin/ngx_http_govsvc_admin.h"

#include "http/ngx_http_govsvc_event.h"
#include "http/ngx_http_govsvc_revoke.h"


#define NGX_HTTP_GOVSVC_ADMIN_REVOCATION  512      /* bytes */


static void ngx_http_govsvc_admin_revoke_list(gs_admin_reply_t *reply,
    gs_buf_t *b);
static void ngx_http_govsvc_admin_revoke_item(gs_buf_t *b,
    const gs_token_revoke_item_t *item);
static void ngx_http_govsvc_admin_revoke(ngx_http_request_t *r,
    gs_admin_reply_t *reply, gs_buf_t *b);


void
ngx_http_govsvc_admin_revocations(ngx_http_request_t *r,
    gs_admin_reply_t *reply, gs_buf_t *b)
{
    if (reply->given == NULL) {
        ngx_http_govsvc_admin_revoke_list(reply, b);

    } else {
        ngx_http_govsvc_admin_revoke(r, reply, b);
    }
}


/* A cursor is a place in the table. */

static void
ngx_http_govsvc_admin_revoke_list(gs_admin_reply_t *reply, gs_buf_t *b)
{
    u_char                  next[NGX_INT64_LEN];
    int64_t                 saved;
    gs_str_t                text;
    uint64_t                cursor;
    ngx_int_t               rc;
    ngx_uint_t              n;
    gs_token_revoke_item_t  item;
    gs_token_revoke_stat_t  stat;

    if (ngx_http_govsvc_revoke_stat(&stat, &saved) != NGX_OK) {
        ngx_http_govsvc_admin_fail(reply, b, 409, "NO_ZONE", "",
                                   "there is no govsvc_revocation_zone");
        return;
    }

    cursor = 0;
    text = gs_str_text(reply->cursor);

    if (text.len != 0 && gs_parse_u64(&text, &cursor) != GS_OK) {
        ngx_http_govsvc_admin_fail(reply, b, 400, "BAD_PARAMETER", "",
                                   "this is no cursor of revocations");
        return;
    }

    gs_buf_char(b, '{');
    gs_json_kv_u64(b, "entries", stat.live);
    gs_json_kv_u64(b, "slots", stat.slots);
    gs_json_kv_u64(b, "full", stat.full);
    gs_json_kv_u64(b, "untold", stat.untold);
    gs_json_kv_u64(b, "saved", (uint64_t) saved);
    gs_buf_text(b, ",\"items\":[");

    rc = NGX_DONE;

    for (n = 0;
         n < reply->limit
         && (size_t) (b->last - b->pos) > NGX_HTTP_GOVSVC_ADMIN_REVOCATION;
         n++)
    {
        rc = ngx_http_govsvc_revoke_next(&cursor, &item);

        if (rc != NGX_OK) {
            break;
        }

        if (n != 0) {
            gs_buf_char(b, ',');
        }

        ngx_http_govsvc_admin_revoke_item(b, &item);
    }

    gs_buf_char(b, ']');

    if (rc == NGX_OK) {
        text = gs_str_make(next, ngx_sprintf(next, "%uL", cursor) - next);
        gs_json_kv_str(b, "next", &text);
    }

    gs_buf_char(b, '}');
}


static void
ngx_http_govsvc_admin_revoke_item(gs_buf_t *b,
    const gs_token_revoke_item_t *item)
{
    gs_buf_char(b, '{');
    gs_json_kv_text(b, "kind", gs_token_revoke_names[item->kind]);

    gs_buf_text(b, ",\"hash\":\"");
    gs_buf_hex(b, item->hash, sizeof(item->hash));
    gs_buf_char(b, '"');

    gs_json_kv_u64(b, "since", item->revoked / 1000);
    gs_json_kv_u64(b, "until", (uint64_t) item->until);

    if (item->kind == GS_TOKEN_REVOKE_BEFORE) {
        gs_json_kv_u64(b, "before", (uint64_t) item->before);
    }

    gs_buf_char(b, '}');
}


static void
ngx_http_govsvc_admin_revoke(ngx_http_request_t *r, gs_admin_reply_t *reply,
    gs_buf_t *b)
{
    gs_str_t                       actor;
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

    for (i = 0; gs_token_revoke_names[i] != NULL; i++) {
        if (kind.len != 0
            && ngx_strcmp(kind.data, gs_token_revoke_names[i])
               == 0)
        {
            break;
        }
    }

    if (gs_token_revoke_names[i] == NULL) {
        ngx_http_govsvc_admin_fail(reply, b, 422, "INVALID", "/kind",
            "allowed: jti, sid, sub, kid, sub_before");
        return;
    }

    rev.kind = (gs_token_revoke_e) i;

    rc = reply->lift ? ngx_http_govsvc_revoke_lift(&rev, r->connection->log)
                     : ngx_http_govsvc_revoke(&rev, r->connection->log);

    switch (rc) {

    case NGX_OK:
        actor = gs_str_text(reply->credential);
        ngx_http_govsvc_event_revoked(r, &rev, &actor, reply->lift);
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
