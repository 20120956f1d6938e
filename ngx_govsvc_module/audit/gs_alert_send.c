
/*
 * Copyright (C) govsvc authors
 *
 * Alerts: signatures as each service has them, and what its answers mean.
 */


#include "audit/gs_alert.h"
#include "audit/gs_alert_json.h"
#include "core/gs_b64.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>


#define GS_ALERT_HMAC    32
#define GS_ALERT_SECRET  512               /* bytes of it */


typedef struct {
    const char  *name;
    int64_t      code;
    unsigned     found;
} gs_alert_code_t;


static gs_rc_t gs_alert_hmac(gs_uchar_t *dst, const void *key, size_t len,
    const void *text, size_t text_len);
static void gs_alert_member(void *data, const gs_str_t *parent,
    const gs_str_t *key, const gs_str_t *value, int first);
static gs_alert_answer_e gs_alert_status(unsigned status);
static int gs_alert_listed(const int64_t *codes, int64_t code);


/* Too often; each list ends with 0. */

static const int64_t  gs_alert_limits[GS_ALERT_FORMS][5] = {
    { 0 },
    { 130101, 130102, 410100, 0 },
    { 11232, 9499, 0 },
    { 45009, 45033, 0 }
};


/* A robot, a secret or a setting that is wrong: to be mended by hand. */

static const int64_t  gs_alert_wrong[GS_ALERT_FORMS][6] = {
    { 0 },
    { 300001, 310000, 400101, 400102, 0 },
    { 19001, 19021, 19022, 19024, 0 },
    { 93000, 40008, 40058, 44004, 0 }
};


gs_rc_t
gs_alert_sign(gs_uchar_t *dst, gs_alert_form_e form, const gs_str_t *secret,
    uint64_t time)
{
    gs_rc_t     rc;
    gs_buf_t    b;
    gs_uchar_t  text[GS_ALERT_SECRET + 24], hmac[GS_ALERT_HMAC];

    gs_buf_init(&b, text, sizeof(text));
    gs_buf_u64(&b, time);
    gs_buf_char(&b, '\n');
    gs_buf_str(&b, secret);

    if (b.overflow) {
        return GS_ERROR;
    }

    rc = (form == GS_ALERT_FEISHU)
         ? gs_alert_hmac(hmac, text, gs_buf_len(&b), "", 0)
         : gs_alert_hmac(hmac, secret->data, secret->len, text,
                         gs_buf_len(&b));

    OPENSSL_cleanse(text, sizeof(text));

    if (rc == GS_OK) {
        gs_b64_encode(dst, hmac, sizeof(hmac));
    }

    return rc;
}


gs_rc_t
gs_alert_sign_target(gs_buf_t *b, gs_alert_form_e form,
    const gs_str_t *secret, uint64_t ms)
{
    size_t      i;
    gs_uchar_t  code[44];

    if (form != GS_ALERT_DINGTALK || secret->len == 0) {
        return GS_DECLINED;
    }

    if (gs_alert_sign(code, form, secret, ms) != GS_OK) {
        return GS_ERROR;
    }

    gs_buf_text(b, "&timestamp=");
    gs_buf_u64(b, ms);
    gs_buf_text(b, "&sign=");

    for (i = 0; i < sizeof(code); i++) {
        switch (code[i]) {

        case '+':
            gs_buf_text(b, "%2B");
            break;

        case '/':
            gs_buf_text(b, "%2F");
            break;

        case '=':
            gs_buf_text(b, "%3D");
            break;

        default:
            gs_buf_char(b, code[i]);
        }
    }

    return b->overflow ? GS_ERROR : GS_OK;
}


gs_rc_t
gs_alert_sign_header(gs_buf_t *b, const gs_str_t *secret, uint64_t seconds,
    const gs_str_t *body)
{
    gs_buf_t    t;
    gs_uchar_t  hmac[GS_ALERT_HMAC];
    gs_uchar_t  text[GS_ALERT_BODY + 24];

    gs_buf_init(&t, text, sizeof(text));
    gs_buf_u64(&t, seconds);
    gs_buf_char(&t, '.');
    gs_buf_str(&t, body);

    if (t.overflow
        || gs_alert_hmac(hmac, secret->data, secret->len, text, gs_buf_len(&t))
           != GS_OK)
    {
        return GS_ERROR;
    }

    gs_buf_text(b, "t=");
    gs_buf_u64(b, seconds);
    gs_buf_text(b, ",v1=");
    gs_buf_hex(b, hmac, sizeof(hmac));

    return b->overflow ? GS_ERROR : GS_OK;
}


static gs_rc_t
gs_alert_hmac(gs_uchar_t *dst, const void *key, size_t len, const void *text,
    size_t text_len)
{
    unsigned  n;

    return (HMAC(EVP_sha256(), key, (int) len, text, text_len, dst, &n)
            != NULL && n == GS_ALERT_HMAC)
           ? GS_OK : GS_ERROR;
}


gs_alert_answer_e
gs_alert_answer(gs_alert_form_e form, unsigned status, const gs_str_t *body,
    int64_t *code)
{
    gs_alert_code_t    c;
    gs_alert_answer_e  answer;

    *code = 0;
    answer = gs_alert_status(status);

    if (form == GS_ALERT_CLOUDEVENTS || answer != GS_ALERT_TAKEN) {
        return answer;
    }

    /* 200 says that the service was reached, its code that it took it */

    c.name = (form == GS_ALERT_FEISHU) ? "code" : "errcode";
    c.code = 0;
    c.found = 0;

    if (gs_alert_json(body, gs_alert_member, &c) != GS_OK || c.found != 1) {
        return GS_ALERT_RETRY;
    }

    *code = c.code;

    if (c.code == 0) {
        return GS_ALERT_TAKEN;
    }

    if (gs_alert_listed(gs_alert_limits[form], c.code)) {
        return GS_ALERT_LIMITED;
    }

    return gs_alert_listed(gs_alert_wrong[form], c.code) ? GS_ALERT_REFUSED
                                                         : GS_ALERT_RETRY;
}


static gs_alert_answer_e
gs_alert_status(unsigned status)
{
    if (status >= 200 && status < 300) {
        return GS_ALERT_TAKEN;
    }

    if (status == 429) {
        return GS_ALERT_LIMITED;
    }

    /* redirects are never followed; 408 and 425 pass */

    if (status >= 300 && status < 500 && status != 408 && status != 425) {
        return GS_ALERT_REFUSED;
    }

    return GS_ALERT_RETRY;
}


static void
gs_alert_member(void *data, const gs_str_t *parent, const gs_str_t *key,
    const gs_str_t *value, int first)
{
    gs_alert_code_t *c = data;

    int       minus;
    gs_str_t  s;
    uint64_t  n;

    if (parent->len != 0 || !gs_str_eq_text(key, c->name)) {
        return;
    }

    s = *value;
    minus = (s.len > 1 && s.data[0] == '-');
    s.data += minus;
    s.len -= (size_t) minus;

    /* two codes, or one that is no number, is no answer */

    if (gs_parse_u64(&s, &n) != GS_OK || n > INT64_MAX) {
        c->found = 2;
        return;
    }

    c->code = minus ? -(int64_t) n : (int64_t) n;
    c->found++;
}


static int
gs_alert_listed(const int64_t *codes, int64_t code)
{
    while (*codes != 0) {
        if (*codes++ == code) {
            return 1;
        }
    }

    return 0;
}
