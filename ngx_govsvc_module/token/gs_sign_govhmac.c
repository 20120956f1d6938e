
/*
 * Copyright (C) govsvc authors
 *
 * govhmac, our own: all of a request under one HMAC.
 *
 *     Authorization: GOV-HMAC-SM3 app=ID, time=SECONDS, nonce=WORD,
 *                    signature=BASE64
 *
 * over the name of the algorithm, method, path, sorted query, host,
 * Content-Digest (empty without a body), time, nonce and app, a line each.
 */


#include "token/gs_sign_priv.h"

#include "core/gs_b64.h"


#define GS_SIGN_GOVHMAC_SIZE  512


static gs_sign_reason_e gs_sign_govhmac_parse(const gs_sign_request_t *r,
    gs_sign_cred_t *cred);
static gs_rc_t gs_sign_govhmac_fields(gs_str_t *rest, gs_str_t fields[4]);
static gs_sign_reason_e gs_sign_govhmac_digest(const gs_sign_request_t *r,
    gs_sign_cred_t *cred);
static gs_sign_reason_e gs_sign_govhmac_canon(gs_sign_crypto_t *crypto,
    const gs_sign_request_t *r, const gs_sign_cred_t *cred,
    const gs_str_t *secret, gs_buf_t *b);
static int gs_sign_govhmac_before(gs_sign_maker_t *m);
static int gs_sign_govhmac_after(gs_sign_maker_t *m);


const gs_sign_scheme_t  gs_sign_govhmac = {
    300,
    1u << GS_SIGN_HMAC_SHA256 | 1u << GS_SIGN_HMAC_SM3,
    GS_SIGN_HMAC_SHA256,
    gs_sign_govhmac_parse,
    gs_sign_govhmac_canon,
    gs_sign_mac,
    gs_sign_govhmac_before,
    gs_sign_govhmac_after
};


static const char *const  gs_sign_govhmac_names[4] = {
    "app", "time", "nonce", "signature"
};


static gs_sign_reason_e
gs_sign_govhmac_parse(const gs_sign_request_t *r, gs_sign_cred_t *cred)
{
    size_t    space;
    gs_str_t  value, alg, fields[4];

    if (gs_sign_header(r, "authorization", &value) != GS_OK) {
        return GS_SIGN_MALFORMED;
    }

    space = gs_str_chr(&value, 0, ' ');
    alg = gs_str_make(value.data, space);
    value = gs_str_make(value.data + space, value.len - space);

    if (gs_str_case_eq_text(&alg, "GOV-HMAC-SHA256")) {
        cred->alg = GS_SIGN_HMAC_SHA256;

    } else if (gs_str_case_eq_text(&alg, "GOV-HMAC-SM3")) {
        cred->alg = GS_SIGN_HMAC_SM3;

    } else {
        return GS_SIGN_BAD_ALG;
    }

    memset(fields, 0, sizeof(fields));

    if (gs_sign_govhmac_fields(&value, fields) != GS_OK
        || fields[3].len != 44
        || gs_b64_decode(cred->sig, &cred->sig_len, &fields[3]) != GS_OK)
    {
        return GS_SIGN_MALFORMED;
    }

    cred->id = fields[0];
    cred->text[0] = fields[1];
    cred->nonce = fields[2];

    if (gs_sign_seconds(&fields[1], &cred->time) != GS_OK) {
        return GS_SIGN_BAD_TIME;
    }

    if (!gs_sign_word(&cred->nonce, 16, 64, "._:-")) {
        return GS_SIGN_BAD_NONCE;
    }

    return gs_sign_govhmac_digest(r, cred);
}


/* name=value, in any order, each once; commas and blanks between. */

static gs_rc_t
gs_sign_govhmac_fields(gs_str_t *rest, gs_str_t fields[4])
{
    size_t    i, end, eq;
    unsigned  n;
    gs_str_t  field, name;

    for (i = 0; i <= rest->len; i = end + 1) {
        end = gs_str_chr(rest, i, ',');
        field = gs_str_make(rest->data + i, end - i);
        field = gs_sign_trim(&field);
        eq = gs_str_chr(&field, 0, '=');
        name = gs_str_make(field.data, eq);

        for (n = 0; n < 4; n++) {
            if (gs_str_eq_text(&name, gs_sign_govhmac_names[n])) {
                break;
            }
        }

        if (n == 4 || eq == field.len || fields[n].data != NULL) {
            return GS_ERROR;
        }

        fields[n] = gs_str_make(field.data + eq + 1, field.len - eq - 1);

        if (fields[n].len == 0) {
            return GS_ERROR;
        }
    }

    for (n = 0; n < 4; n++) {
        if (fields[n].data == NULL) {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


static gs_sign_reason_e
gs_sign_govhmac_digest(const gs_sign_request_t *r, gs_sign_cred_t *cred)
{
    gs_rc_t  rc;

    rc = gs_sign_header(r, "content-digest", &cred->text[1]);

    if (rc == GS_DECLINED) {
        cred->unsigned_body = r->body;
        return GS_SIGN_OK;
    }

    return (rc == GS_OK
            && gs_sign_content_digest(&cred->text[1], &cred->digest) == GS_OK)
               ? GS_SIGN_OK : GS_SIGN_MALFORMED;
}


static gs_sign_reason_e
gs_sign_govhmac_canon(gs_sign_crypto_t *crypto, const gs_sign_request_t *r,
    const gs_sign_cred_t *cred, const gs_str_t *secret, gs_buf_t *b)
{
    gs_str_t  path, query;

    (void) gs_sign_split(&r->target, &path, &query);

    gs_buf_text(b, cred->alg == GS_SIGN_HMAC_SM3 ? "GOV-HMAC-SM3\n"
                                                 : "GOV-HMAC-SHA256\n");
    gs_buf_str(b, &r->method);
    gs_buf_char(b, '\n');
    gs_buf_str(b, &path);
    gs_buf_char(b, '\n');

    if (gs_sign_query(crypto, &query, 1, NULL, b) != GS_OK) {
        return GS_SIGN_TOO_LONG;
    }

    gs_buf_char(b, '\n');
    gs_sign_host(r, b);
    gs_buf_char(b, '\n');
    gs_buf_str(b, &cred->text[1]);
    gs_buf_char(b, '\n');
    gs_buf_str(b, &cred->text[0]);
    gs_buf_char(b, '\n');
    gs_buf_str(b, &cred->nonce);
    gs_buf_char(b, '\n');
    gs_buf_str(b, &cred->id);

    return GS_SIGN_OK;
}


static int
gs_sign_govhmac_before(gs_sign_maker_t *m)
{
    char      text[160];
    gs_buf_t  b;
    gs_str_t  value;

    gs_buf_init(&b, text, sizeof(text));
    gs_buf_i64(&b, m->cred->time);
    value = gs_buf_view(&b);
    m->cred->text[0] = gs_str_dup(m->mem, &value);

    if (m->cred->text[0].data == NULL) {
        return 0;
    }

    if (m->cred->digest.alg == GS_SIGN_DIGEST_NONE) {
        m->cred->text[1] = gs_str_make(NULL, 0);
        return 1;
    }

    gs_buf_init(&b, text, sizeof(text));
    gs_sign_content_digest_put(&b, &m->cred->digest);
    value = gs_buf_view(&b);

    if (!gs_sign_add(m, "Content-Digest", &value)) {
        return 0;
    }

    m->cred->text[1] = m->add[0].value;

    return 1;
}


static int
gs_sign_govhmac_after(gs_sign_maker_t *m)
{
    size_t           len;
    gs_buf_t         b;
    gs_str_t         value;
    gs_uchar_t       sig[64], text[GS_SIGN_GOVHMAC_SIZE];
    gs_sign_cred_t  *cred;

    cred = m->cred;
    len = gs_b64_encode(sig, cred->sig, 32);

    gs_buf_init(&b, text, sizeof(text));
    gs_buf_text(&b, cred->alg == GS_SIGN_HMAC_SM3 ? "GOV-HMAC-SM3 app="
                                                  : "GOV-HMAC-SHA256 app=");
    gs_buf_str(&b, &cred->id);
    gs_buf_text(&b, ", time=");
    gs_buf_str(&b, &cred->text[0]);
    gs_buf_text(&b, ", nonce=");
    gs_buf_str(&b, &cred->nonce);
    gs_buf_text(&b, ", signature=");
    gs_buf_put(&b, sig, len);
    value = gs_buf_view(&b);

    return !b.overflow && gs_sign_add(m, "Authorization", &value);
}
