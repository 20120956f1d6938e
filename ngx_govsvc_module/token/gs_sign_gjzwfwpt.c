
/*
 * Copyright (C) govsvc authors
 *
 * gjzwfwpt_*: data sharing of the national platform.  HMAC-SHA256 over sid,
 * rid and the time in milliseconds; no nonce, and the request itself is not
 * signed.
 */


#include "token/gs_sign_priv.h"

#include "core/gs_b64.h"


static gs_sign_reason_e gs_sign_gjzwfwpt_parse(const gs_sign_request_t *r,
    gs_sign_cred_t *cred);
static gs_sign_reason_e gs_sign_gjzwfwpt_canon(gs_sign_crypto_t *crypto,
    const gs_sign_request_t *r, const gs_sign_cred_t *cred,
    const gs_str_t *secret, gs_buf_t *b);
static int gs_sign_gjzwfwpt_before(gs_sign_maker_t *m);
static int gs_sign_gjzwfwpt_after(gs_sign_maker_t *m);


const gs_sign_scheme_t  gs_sign_gjzwfwpt = {
    300,
    1u << GS_SIGN_HMAC_SHA256 | 1u << GS_SIGN_HMAC_SM3,
    GS_SIGN_HMAC_SHA256,
    gs_sign_gjzwfwpt_parse,
    gs_sign_gjzwfwpt_canon,
    gs_sign_mac,
    gs_sign_gjzwfwpt_before,
    gs_sign_gjzwfwpt_after
};


static gs_sign_reason_e
gs_sign_gjzwfwpt_parse(const gs_sign_request_t *r, gs_sign_cred_t *cred)
{
    gs_str_t  sig, ms;

    if (gs_sign_header(r, "gjzwfwpt_rid", &cred->id) != GS_OK
        || gs_sign_header(r, "gjzwfwpt_sid", &cred->text[0]) != GS_OK
        || gs_sign_header(r, "gjzwfwpt_rtime", &ms) != GS_OK
        || gs_sign_header(r, "gjzwfwpt_sign", &sig) != GS_OK
        || cred->text[0].len == 0 || sig.len != 44
        || gs_b64_decode(cred->sig, &cred->sig_len, &sig) != GS_OK)
    {
        return GS_SIGN_MALFORMED;
    }

    cred->text[1] = ms;

    if (ms.len != 13) {
        return GS_SIGN_BAD_TIME;
    }

    ms.len = 10;

    if (gs_sign_seconds(&ms, &cred->time) != GS_OK
        || !gs_is_digit(ms.data[10]) || !gs_is_digit(ms.data[11])
        || !gs_is_digit(ms.data[12]))
    {
        return GS_SIGN_BAD_TIME;
    }

    return GS_SIGN_OK;
}


static gs_sign_reason_e
gs_sign_gjzwfwpt_canon(gs_sign_crypto_t *crypto, const gs_sign_request_t *r,
    const gs_sign_cred_t *cred, const gs_str_t *secret, gs_buf_t *b)
{
    gs_buf_str(b, &cred->text[0]);
    gs_buf_str(b, &cred->id);
    gs_buf_str(b, &cred->text[1]);

    return GS_SIGN_OK;
}


static int
gs_sign_gjzwfwpt_before(gs_sign_maker_t *m)
{
    if (!gs_sign_add(m, "gjzwfwpt_rid", &m->cred->id)
        || !gs_sign_add(m, "gjzwfwpt_sid", &m->cred->text[0])
        || !gs_sign_add_time(m, "gjzwfwpt_rtime", m->cred->time * 1000))
    {
        return 0;
    }

    m->cred->text[1] = m->add[2].value;

    return 1;
}


static int
gs_sign_gjzwfwpt_after(gs_sign_maker_t *m)
{
    gs_str_t    value;
    gs_uchar_t  text[64];

    value = gs_str_make(text, gs_b64_encode(text, m->cred->sig, 32));

    return gs_sign_add(m, "gjzwfwpt_sign", &value);
}
