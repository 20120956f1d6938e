
/*
 * Copyright (C) govsvc authors
 *
 * x-tif, x-rio, x-sal: a hash over time, token, nonce and time.  Method,
 * target and body are not signed.  In the identity form a gateway vouches for
 * a user as well; the commas that part its fields are not escaped, so a field
 * with one is refused.
 */


#include "token/gs_sign_priv.h"

#include "core/gs_hex.h"


#define GS_SIGN_TIF_NAME  32


static gs_sign_reason_e gs_sign_tif_parse(const gs_sign_request_t *r,
    gs_sign_cred_t *cred);
static gs_sign_reason_e gs_sign_tif_identity(const gs_sign_request_t *r,
    gs_sign_cred_t *cred, const char *prefix);
static gs_rc_t gs_sign_tif_header(const gs_sign_request_t *r,
    const char *prefix, const char *name, gs_str_t *value);
static gs_sign_reason_e gs_sign_tif_canon(gs_sign_crypto_t *crypto,
    const gs_sign_request_t *r, const gs_sign_cred_t *cred,
    const gs_str_t *secret, gs_buf_t *b);
static int gs_sign_tif_before(gs_sign_maker_t *m);
static int gs_sign_tif_after(gs_sign_maker_t *m);


const gs_sign_scheme_t  gs_sign_tif = {
    180,
    1u << GS_SIGN_SHA256 | 1u << GS_SIGN_SM3,
    GS_SIGN_SHA256,
    gs_sign_tif_parse,
    gs_sign_tif_canon,
    gs_sign_mac,
    gs_sign_tif_before,
    gs_sign_tif_after
};


static const char *const  gs_sign_tif_prefixes[] = {
    "x-tif-", "x-rio-", "x-sal-", NULL
};


static gs_sign_reason_e
gs_sign_tif_parse(const gs_sign_request_t *r, gs_sign_cred_t *cred)
{
    unsigned     i;
    gs_str_t     sig, sec;
    const char  *prefix;

    prefix = NULL;

    for (i = 0; gs_sign_tif_prefixes[i] != NULL; i++) {
        if (gs_sign_tif_header(r, gs_sign_tif_prefixes[i], "signature", &sig)
            == GS_DECLINED
            && gs_sign_tif_header(r, gs_sign_tif_prefixes[i], "paasid", &sig)
               == GS_DECLINED)
        {
            continue;
        }

        if (prefix != NULL) {
            return GS_SIGN_TWO;
        }

        prefix = gs_sign_tif_prefixes[i];
    }

    if (prefix == NULL
        || gs_sign_tif_header(r, prefix, "paasid", &cred->id) != GS_OK
        || gs_sign_tif_header(r, prefix, "timestamp", &sec) != GS_OK
        || gs_sign_tif_header(r, prefix, "nonce", &cred->nonce) != GS_OK
        || gs_sign_tif_header(r, prefix, "signature", &sig) != GS_OK
        || sig.len != 64 || gs_hex_decode(cred->sig, &sig) != GS_OK)
    {
        return GS_SIGN_MALFORMED;
    }

    cred->sig_len = 32;

    if (gs_sign_seconds(&sec, &cred->time) != GS_OK) {
        return GS_SIGN_BAD_TIME;
    }

    cred->text[2] = sec;

    if (!gs_sign_word(&cred->nonce, 4, 36, ":_-")) {
        return GS_SIGN_BAD_NONCE;
    }

    return gs_sign_tif_identity(r, cred, prefix);
}


/* With an empty uid the call form applies, whatever the other fields are. */

static gs_sign_reason_e
gs_sign_tif_identity(const gs_sign_request_t *r, gs_sign_cred_t *cred,
    const char *prefix)
{
    if (gs_sign_tif_header(r, prefix, "uid", &cred->subject) == GS_ERROR
        || gs_sign_tif_header(r, prefix, "uinfo", &cred->text[0]) == GS_ERROR
        || gs_sign_tif_header(r, prefix, "ext", &cred->text[1]) == GS_ERROR)
    {
        return GS_SIGN_MALFORMED;
    }

    if (cred->subject.len == 0) {
        return GS_SIGN_OK;
    }

    cred->identity = 1;

    if (gs_str_chr(&cred->subject, 0, ',') != cred->subject.len
        || gs_str_chr(&cred->text[0], 0, ',') != cred->text[0].len)
    {
        return GS_SIGN_MALFORMED;
    }

    return GS_SIGN_OK;
}


static gs_rc_t
gs_sign_tif_header(const gs_sign_request_t *r, const char *prefix,
    const char *name, gs_str_t *value)
{
    char      full[GS_SIGN_TIF_NAME];
    gs_buf_t  b;

    gs_buf_init(&b, full, sizeof(full));
    gs_buf_text(&b, prefix);
    gs_buf_put(&b, name, strlen(name) + 1);

    return gs_sign_header(r, full, value);
}


static gs_sign_reason_e
gs_sign_tif_canon(gs_sign_crypto_t *crypto, const gs_sign_request_t *r,
    const gs_sign_cred_t *cred, const gs_str_t *secret, gs_buf_t *b)
{
    gs_buf_str(b, &cred->text[2]);
    gs_buf_str(b, secret);
    gs_buf_str(b, &cred->nonce);

    if (cred->identity) {
        gs_buf_char(b, ',');
        gs_buf_str(b, &cred->subject);
        gs_buf_char(b, ',');
        gs_buf_str(b, &cred->text[0]);
        gs_buf_char(b, ',');
        gs_buf_str(b, &cred->text[1]);
    }

    gs_buf_str(b, &cred->text[2]);

    return GS_SIGN_OK;
}


static int
gs_sign_tif_before(gs_sign_maker_t *m)
{
    gs_sign_cred_t  *cred;

    cred = m->cred;
    cred->identity = (cred->subject.len != 0);

    if (!gs_sign_add(m, "x-tif-paasid", &cred->id)
        || !gs_sign_add_time(m, "x-tif-timestamp", cred->time)
        || !gs_sign_add(m, "x-tif-nonce", &cred->nonce))
    {
        return 0;
    }

    cred->text[2] = m->add[1].value;

    return !cred->identity
           || (gs_sign_add(m, "x-tif-uid", &cred->subject)
               && gs_sign_add(m, "x-tif-uinfo", &cred->text[0])
               && gs_sign_add(m, "x-tif-ext", &cred->text[1]));
}


/* Upper case, as the documents want it; either is taken. */

static int
gs_sign_tif_after(gs_sign_maker_t *m)
{
    size_t      i;
    gs_str_t    value;
    gs_uchar_t  hex[64];

    gs_hex_encode(hex, m->cred->sig, 32);

    for (i = 0; i < 64; i++) {
        hex[i] = gs_is_digit(hex[i]) ? hex[i] : hex[i] & ~0x20;
    }

    value = gs_str_make(hex, 64);

    return gs_sign_add(m, "x-tif-signature", &value);
}
