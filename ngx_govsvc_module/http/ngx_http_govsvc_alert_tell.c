
/*
 * Copyright (C) govsvc authors
 *
 * Alerts on their way: one message at a time, again after a while if it was
 * not taken, and into a file when there is no hope left.
 */


#include "http/ngx_http_govsvc_alert.h"
#include "http/ngx_http_govsvc_metrics.h"


#define NGX_HTTP_GOVSVC_ALERT_FIRST    1000        /* ms, of the wait */
#define NGX_HTTP_GOVSVC_ALERT_WRITE    10          /* ms, to look again */
#define NGX_HTTP_GOVSVC_ALERT_DISK     5000        /* ms, for a slow one */
#define NGX_HTTP_GOVSVC_ALERT_SLOW     60000
#define NGX_HTTP_GOVSVC_ALERT_MUTED    600000
#define NGX_HTTP_GOVSVC_ALERT_DEAD     (16 * 1024 * 1024)


static ngx_int_t ngx_http_govsvc_alert_post(ngx_http_govsvc_alert_t *a,
    gs_alert_message_t *m);
static void ngx_http_govsvc_alert_compose(ngx_http_govsvc_alert_t *a,
    gs_alert_message_t *m);
static void ngx_http_govsvc_alert_done(void *data,
    const ngx_govsvc_http_result_t *result);
static void ngx_http_govsvc_alert_bury(ngx_http_govsvc_alert_t *a,
    const char *why, ngx_uint_t status, int64_t code);
static void ngx_http_govsvc_alert_append(ngx_http_govsvc_alert_t *a,
    u_char *text, size_t len);


void
ngx_http_govsvc_alert_tell(ngx_http_govsvc_alert_t *a)
{
    gs_alert_message_t  m;

    if (a->http != NULL || (a->syslog != NULL && a->syslog->waits)) {
        return;
    }

    /*
     * What is told before it is written down may be told again in another
     * round, and counted twice; a disk that hangs silences nobody.
     */

    if (ngx_govsvc_save_busy(a->save)
        && ngx_http_govsvc_alert_now() - a->closed
           < NGX_HTTP_GOVSVC_ALERT_DISK)
    {
        ngx_http_govsvc_alert_later(a, NGX_HTTP_GOVSVC_ALERT_WRITE);
        return;
    }

    if (a->tries == 0) {
        a->began = ngx_http_govsvc_alert_now();

        (void) gs_alert_tokens(&a->bucket, a->began);
        gs_alert_take(&a->bucket);
    }

    a->tries++;

    ngx_http_govsvc_alert_compose(a, &m);

    if (a->syslog != NULL) {
        ngx_http_govsvc_alert_syslog_post(a, &m);
        return;
    }

    if (ngx_http_govsvc_alert_post(a, &m) != NGX_OK) {
        ngx_http_govsvc_alert_failed(a, GS_ALERT_RETRY,
                                     "the request could not be made", 0, 0);
    }
}


static void
ngx_http_govsvc_alert_compose(ngx_http_govsvc_alert_t *a,
    gs_alert_message_t *m)
{
    gs_alert_message(m, a->round, &a->plan, (unsigned) a->place.done);

    m->lang = a->lang;
    m->node = a->node;
    m->time = ngx_govsvc_wall_us();
    m->number = a->place.from;
}


static ngx_int_t
ngx_http_govsvc_alert_post(ngx_http_govsvc_alert_t *a, gs_alert_message_t *m)
{
    u_char                     body[GS_ALERT_BODY], sign[GS_ALERT_SIGN];
    u_char                     target[2048 + GS_ALERT_SIGN];
    gs_rc_t                    rc;
    gs_buf_t                   b, s;
    gs_str_t                   secret, text;
    ngx_govsvc_http_field_t    fields[2];
    ngx_govsvc_http_request_t  request;

    secret = ngx_govsvc_to_gs(&a->secret);

    gs_buf_init(&b, body, sizeof(body));

    if (gs_alert_body(&b, m, a->form, &secret) != GS_OK) {
        return NGX_ERROR;
    }

    text = gs_buf_view(&b);

    ngx_memzero(&request, sizeof(ngx_govsvc_http_request_t));

    ngx_str_set(&fields[0].name, "Content-Type");
    ngx_str_set(&fields[0].value, "application/json; charset=utf-8");
    request.nfields = 1;

    gs_buf_init(&s, sign, sizeof(sign));

    if (a->form == GS_ALERT_CLOUDEVENTS) {
        ngx_str_set(&fields[0].value,
                    "application/cloudevents+json; charset=utf-8");

        if (secret.len != 0) {
            if (gs_alert_sign_header(&s, &secret, m->time / 1000000, &text)
                != GS_OK)
            {
                return NGX_ERROR;
            }

            ngx_str_set(&fields[1].name, "X-Govsvc-Signature");
            fields[1].value.data = sign;
            fields[1].value.len = gs_buf_len(&s);
            request.nfields = 2;
        }
    }

    gs_buf_init(&b, target, sizeof(target));
    gs_buf_str(&b, &a->target.url.target);

    rc = gs_alert_sign_target(&b, a->form, &secret, m->time / 1000);

    if (rc == GS_ERROR) {
        return NGX_ERROR;
    }

    if (rc == GS_OK) {
        request.target.data = target;
        request.target.len = gs_buf_len(&b);
    }

    request.method = "POST";
    request.fields = fields;
    request.body = ngx_govsvc_from_gs(&text);
    request.handler = ngx_http_govsvc_alert_done;
    request.data = a;

    a->http = ngx_govsvc_http_start(&a->target, &request, ngx_cycle->log);

    return (a->http != NULL) ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_govsvc_alert_done(void *data, const ngx_govsvc_http_result_t *result)
{
    ngx_http_govsvc_alert_t *a = data;

    int64_t            code;
    gs_alert_answer_e  answer;

    a->http = NULL;

    if (!a->leads || result->error == NGX_GOVSVC_HTTP_QUIT) {
        return;
    }

    if (result->error != NGX_GOVSVC_HTTP_OK) {
        ngx_http_govsvc_alert_failed(a, GS_ALERT_RETRY, result->text, 0, 0);
        return;
    }

    answer = gs_alert_answer(a->form, (unsigned) result->status,
                             &result->response->body, &code);

    if (answer != GS_ALERT_TAKEN) {
        ngx_http_govsvc_alert_failed(a, answer, answer == GS_ALERT_LIMITED
                                     ? "too many messages"
                                     : "the receiver did not take it",
                                     result->status, code);
        return;
    }

    ngx_http_govsvc_alert_taken(a);
}


void
ngx_http_govsvc_alert_taken(ngx_http_govsvc_alert_t *a)
{
    if (a->error != NULL) {
        a->error = NULL;

        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "govsvc alert: \"%V\" takes messages again", &a->host);
    }

    ngx_http_govsvc_metrics_alert(NGX_HTTP_GOVSVC_METRICS_SENT);
    ngx_http_govsvc_alert_told(a);
}


void
ngx_http_govsvc_alert_failed(ngx_http_govsvc_alert_t *a,
    gs_alert_answer_e answer, const char *why, ngx_uint_t status,
    int64_t code)
{
    uint64_t  wait, spent;

    if (a->error != why) {
        a->error = why;

        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "govsvc alert: no message to \"%V\": %s, status: %ui, "
                      "code: %L", &a->host, why, status, code);
    }

    wait = (uint64_t) NGX_HTTP_GOVSVC_ALERT_FIRST
           << ngx_min(a->tries - 1, 10);
    wait = ngx_min(wait, NGX_HTTP_GOVSVC_ALERT_SLOW);

    if (answer == GS_ALERT_LIMITED) {
        wait = ngx_min((uint64_t) NGX_HTTP_GOVSVC_ALERT_SLOW * a->tries,
                       NGX_HTTP_GOVSVC_ALERT_MUTED);
    }

    wait -= (uint64_t) ngx_random() % (wait / 10 + 1);

    spent = ngx_http_govsvc_alert_now() - a->began;

    if (answer == GS_ALERT_REFUSED || spent + wait > a->give_up) {
        ngx_http_govsvc_alert_bury(a, why, status, code);
        ngx_http_govsvc_metrics_alert(NGX_HTTP_GOVSVC_METRICS_DEAD);
        ngx_http_govsvc_alert_told(a);
        return;
    }

    ngx_http_govsvc_metrics_alert(NGX_HTTP_GOVSVC_METRICS_RETRIED);
    ngx_http_govsvc_alert_later(a, (ngx_msec_t) wait);
}


/* {"t":"...","to":"...","why":"...","status":...,"code":...,"event":{...}} */

static void
ngx_http_govsvc_alert_bury(ngx_http_govsvc_alert_t *a, const char *why,
    ngx_uint_t status, int64_t code)
{
    u_char              text[GS_ALERT_BODY + 1024], *p;
    gs_buf_t            b;
    gs_str_t            none;
    gs_alert_message_t  m;

    ngx_http_govsvc_alert_compose(a, &m);

    p = ngx_snprintf(text, 1000, "{\"t\":%uL,\"to\":\"%V\",\"why\":\"%s\","
                     "\"status\":%ui,\"code\":%L,\"event\":",
                     m.time / 1000000, &a->host, why, status, code);

    gs_buf_init(&b, p, (size_t) (text + sizeof(text) - p));

    none = gs_str_text("");

    (void) gs_alert_body(&b, &m, GS_ALERT_CLOUDEVENTS, &none);
    gs_buf_put(&b, "}\n", 2);

    if (b.overflow) {
        return;
    }

    ngx_http_govsvc_alert_append(a, text, (size_t) (b.pos - text));

    ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, 0,
                  "govsvc alert: a message to \"%V\" was given up, it is in "
                  "\"%V\"", &a->host, &a->dead);
}


static void
ngx_http_govsvc_alert_append(ngx_http_govsvc_alert_t *a, u_char *text,
    size_t len)
{
    u_char           old[NGX_MAX_PATH];
    ssize_t          n;
    ngx_fd_t         fd;
    ngx_file_info_t  fi;

    if (ngx_file_info(a->dead.data, &fi) != NGX_FILE_ERROR
        && ngx_file_size(&fi) >= NGX_HTTP_GOVSVC_ALERT_DEAD)
    {
        (void) ngx_snprintf(old, sizeof(old), "%V.1%Z", &a->dead);
        (void) ngx_rename_file(a->dead.data, old);
    }

    fd = ngx_open_file(a->dead.data, NGX_FILE_APPEND,
                       NGX_FILE_CREATE_OR_OPEN, 0600);

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, ngx_errno,
                      ngx_open_file_n " \"%V\" failed", &a->dead);
        return;
    }

    n = ngx_write_fd(fd, text, len);

    if (n != (ssize_t) len) {
        ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, ngx_errno,
                      ngx_write_fd_n " to \"%V\" failed", &a->dead);
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", &a->dead);
    }
}
