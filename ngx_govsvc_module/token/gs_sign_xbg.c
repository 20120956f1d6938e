
/*
 * Copyright (C) govsvc authors
 *
 * X-BG-HMAC-*: the gateway of Zhejiang.  HMAC over method, path, sorted
 * query, access key and date; the body is not signed, there is no nonce.
 */


#include "token/gs_sign_priv.h"

#include "core/gs_b64.h"


static gs_sign_reason_e gs_sign_xbg_parse(const gs_sign_request_t *r,
    gs_sign_cred_t *cred);
static gs_sign_reason_e gs_sign_xbg_canon(gs_sign_crypto_t *crypto,
    const gs_sign_request_t *r, const gs_sign_cred_t *cred,
    const gs_str_t *secret, gs_buf_t *b);
static int gs_sign_xbg_before(gs_sign_maker_t *m);
static int gs_sign_xbg_after(gs_sign_maker_t *m);


const gs_sign_scheme_t  gs_sign_xbg = {
    90,
    1u << GS_SIGN_HMAC_SHA256 | 1u << GS_SIGN_HMAC_SM3,
    GS_SIGN_HMAC_SHA256,
    gs_sign_xbg_parse,
    gs_sign_xbg_canon,
    gs_sign_mac,
    gs_sign_xbg_before,
    gs_sign_xbg_after
};


static gs_sign_reason_e
gs_sign_xbg_parse(const gs_sign_request_t *r, gs_sign_cred_t *cred)
{
    gs_str_t  sig, alg;

    if (gs_sign_header(r, "x-bg-hmac-access-key", &cred->id) != GS_OK
        || gs_sign_header(r, "x-bg-hmac-algorithm", &alg) != GS_OK
        || gs_sign_header(r, "x-bg-date-time", &cred->text[0]) != GS_OK
        || gs_sign_header(r, "x-bg-hmac-signature", &sig) != GS_OK
        || sig.len != 44
        || gs_b64_decode(cred->sig, &cred->sig_len, &sig) != GS_OK)
    {
        return GS_SIGN_MALFORMED;
    }

    if (gs_str_case_eq_text(&alg, "hmac-sha256")) {
        cred->alg = GS_SIGN_HMAC_SHA256;

    } else if (gs_str_case_eq_text(&alg, "hmac-sm3")) {
        cred->alg = GS_SIGN_HMAC_SM3;

    } else {
        return GS_SIGN_BAD_ALG;
    }

    return gs_sign_http_date(&cred->text[0], &cred->time) == GS_OK
               ? GS_SIGN_OK : GS_SIGN_BAD_TIME;
}


static gs_sign_reason_e
gs_sign_xbg_canon(gs_sign_crypto_t *crypto, const gs_sign_request_t *r,
    const gs_sign_cred_t *cred, const gs_str_t *secret, gs_buf_t *b)
{
    gs_str_t  path, query;

    (void) gs_sign_split(&r->target, &path, &query);

    gs_buf_str(b, &r->method);
    gs_buf_char(b, '\n');
    gs_buf_str(b, &path);
    gs_buf_char(b, '\n');

    if (gs_sign_query(crypto, &query, 0, NULL, b) != GS_OK) {
        return GS_SIGN_TOO_LONG;
    }

    gs_buf_char(b, '\n');
    gs_buf_str(b, &cred->id);
    gs_buf_char(b, '\n');
    gs_buf_str(b, &cred->text[0]);
    gs_buf_char(b, '\n');

    return GS_SIGN_OK;
}


static int
gs_sign_xbg_before(gs_sign_maker_t *m)
{
    char      date[32];
    gs_buf_t  b;
    gs_str_t  value, alg;

    gs_buf_init(&b, date, sizeof(date));
    gs_sign_http_date_put(&b, m->cred->time);
    value = gs_buf_view(&b);
    alg = gs_str_text(gs_sign_alg_names[m->key->alg]);

    if (!gs_sign_add(m, "X-BG-HMAC-ACCESS-KEY", &m->cred->id)
        || !gs_sign_add(m, "X-BG-HMAC-ALGORITHM", &alg)
        || !gs_sign_add(m, "X-BG-DATE-TIME", &value))
    {
        return 0;
    }

    m->cred->text[0] = m->add[2].value;

    return 1;
}


static int
gs_sign_xbg_after(gs_sign_maker_t *m)
{
    gs_str_t    value;
    gs_uchar_t  text[64];

    value = gs_str_make(text, gs_b64_encode(text, m->cred->sig, 32));

    return gs_sign_add(m, "X-BG-HMAC-SIGNATURE", &value);
}
