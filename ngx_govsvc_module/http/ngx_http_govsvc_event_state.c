
/*
 * Copyright (C) govsvc authors
 *
 * Security events that no attack makes: revocations by hand, and instances
 * that go out of use and come back.
 */


#include "http/ngx_http_govsvc_audit_priv.h"
#include "http/ngx_http_govsvc_ctx.h"
#include "http/ngx_http_govsvc_event.h"


#define NGX_HTTP_GOVSVC_EVENT_WHY  160     /* bytes */


static unsigned ngx_http_govsvc_event_grade(gs_token_revoke_e kind);


/*
 * What is revoked is told as records tell it, so that they can be found: by
 * its pseudonym.  A key is nobody's, and is told by its name.
 */

void
ngx_http_govsvc_event_revoked(ngx_http_request_t *r,
    const ngx_http_govsvc_revocation_t *rev, const gs_str_t *actor,
    ngx_uint_t lifted)
{
    u_char                  pid[GS_AUDIT_PID_MAX];
    u_char                  key[GS_AUDIT_PID_MAX + 64];
    u_char                  why[NGX_HTTP_GOVSVC_EVENT_WHY];
    size_t                  len;
    gs_buf_t                b;
    gs_str_t                kind, value;
    gs_audit_event_t        ev;
    ngx_http_govsvc_ctx_t  *ctx;

    ctx = ngx_http_govsvc_get_ctx(r);

    if (ctx == NULL || ngx_http_govsvc_audit_chain() == NULL) {
        return;
    }

    ngx_http_govsvc_event_fill(r, ctx, &ev);

    value = ngx_govsvc_to_gs(&rev->value);

    if (rev->kind != GS_TOKEN_REVOKE_KID) {
        len = ngx_http_govsvc_audit_pid_of(r, &value, pid);
        value = gs_str_make(pid, len);
    }

    gs_buf_init(&b, key, sizeof(key));
    gs_buf_text(&b, gs_token_revoke_names[rev->kind]);

    if (value.len != 0) {
        gs_buf_char(&b, ' ');
        gs_buf_str(&b, &value);
    }

    ev.key = gs_buf_view(&b);

    value = ngx_govsvc_to_gs(&rev->issuer);

    gs_buf_init(&b, why, sizeof(why));
    gs_buf_text(&b, "issuer ");
    gs_buf_str(&b, &value);

    ev.reason = gs_buf_view(&b);
    ev.actor = *actor;

    kind = gs_str_text("revocation");
    ev.attack = gs_audit_attack(&kind);
    ev.severity = lifted ? 1 : ngx_http_govsvc_event_grade(rev->kind);
    ev.code = gs_str_text(lifted ? "TOKEN_RESTORED" : "TOKEN_REVOKED");
    ev.until = lifted ? 0 : (uint64_t) rev->until * 1000000;

    ngx_http_govsvc_event_write(&ev);
}


/* One token is nothing special; a key that is revoked was stolen. */

static unsigned
ngx_http_govsvc_event_grade(gs_token_revoke_e kind)
{
    switch (kind) {

    case GS_TOKEN_REVOKE_JTI:
    case GS_TOKEN_REVOKE_SID:
        return 1;

    case GS_TOKEN_REVOKE_KID:
        return 3;

    default:
        return 2;
    }
}


void
ngx_http_govsvc_event_instance(const ngx_http_govsvc_event_instance_t *what)
{
    u_char            why[NGX_HTTP_GOVSVC_EVENT_WHY];
    gs_buf_t          b;
    gs_str_t          kind;
    gs_audit_event_t  ev;

    if (ngx_http_govsvc_audit_chain() == NULL) {
        return;
    }

    ngx_memzero(&ev, sizeof(gs_audit_event_t));

    gs_buf_init(&b, why, sizeof(why));
    gs_buf_text(&b, what->why);

    if (what->health != NULL && what->health->error != GS_HEALTH_OK) {
        gs_buf_text(&b, ": ");
        gs_buf_text(&b, gs_health_error_text(what->health->error));

        if (what->health->status != 0) {
            gs_buf_char(&b, ' ');
            gs_buf_u64(&b, what->health->status);
        }
    }

    gs_buf_text(&b, ", pool ");
    gs_buf_str(&b, &what->pool);

    kind = gs_str_text("instance");
    ev.attack = gs_audit_attack(&kind);
    ev.severity = what->severity;
    ev.platform = what->platform;
    ev.host = what->address;
    ev.code = gs_str_text(what->code);
    ev.key = what->id;
    ev.reason = gs_buf_view(&b);
    ev.until = what->until;

    ngx_http_govsvc_event_write(&ev);
}
