
/*
 * Copyright (C) govsvc authors
 *
 * Signed requests: which scheme a request uses, and the way of one signature
 * through it.
 */


#include "token/gs_sign_priv.h"

#include <openssl/crypto.h>


static int gs_sign_scheme_of(const gs_sign_header_t *h);
static int gs_sign_authorization(const gs_str_t *value);
static int gs_sign_prefixed(const gs_str_t *s, const char *prefix);
static gs_sign_reason_e gs_sign_text(gs_sign_crypto_t *crypto,
    const gs_sign_request_t *r, const gs_sign_cred_t *cred,
    const gs_str_t *secret, gs_str_t *text);


static const gs_sign_scheme_t *const  gs_sign_schemes[GS_SIGN_SCHEMES] = {
    &gs_sign_tif,
    &gs_sign_gjzwfwpt,
    &gs_sign_xbg,
    &gs_sign_sigv4,
    &gs_sign_rfc9421,
    &gs_sign_govhmac,
    &gs_sign_apikey
};


const char *const  gs_sign_scheme_names[] = {
    "x-tif",
    "gjzwfwpt",
    "x-bg-hmac",
    "sigv4",
    "rfc9421",
    "govhmac",
    "apikey",
    NULL
};


const char *const  gs_sign_alg_names[] = {
    "hmac-sha256",
    "hmac-sm3",
    "sha256",
    "sm3",
    "ed25519",
    "ecdsa-p256-sha256",
    "rsa-pss-sha512",
    "sm2-sm3",
    NULL
};


static const char *const  gs_sign_reason_names[GS_SIGN_REASONS] = {
    "ok",
    "absent",
    "malformed",
    "two_credentials",
    "too_long",
    "bad_time",
    "bad_nonce",
    "bad_alg",
    "unsigned_body",
    "streaming_payload",
    "presigned",
    "bad_tag",
    "not_covered",
    "unknown_app",
    "bad_signature",
    "clock_skew",
    "expired",
    "bad_network",
    "bad_route",
    "bad_identity",
    "replay",
    "bad_digest",
    "body_too_large",
    "nonce_store_full",
    "nonce_store_gone",
    "nonce_store_lost",
    "no_memory"
};


/* Headers that carry a credential; the rest of a scheme hangs on them. */

static const struct {
    const char        *name;
    gs_sign_scheme_e   scheme;
} gs_sign_headers[] = {
    { "x-tif-signature", GS_SIGN_TIF },
    { "x-rio-signature", GS_SIGN_TIF },
    { "x-sal-signature", GS_SIGN_TIF },
    { "x-tif-paasid", GS_SIGN_TIF },
    { "x-rio-paasid", GS_SIGN_TIF },
    { "x-sal-paasid", GS_SIGN_TIF },
    { "gjzwfwpt_sign", GS_SIGN_GJZWFWPT },
    { "gjzwfwpt_rid", GS_SIGN_GJZWFWPT },
    { "x-bg-hmac-signature", GS_SIGN_XBG },
    { "x-bg-hmac-access-key", GS_SIGN_XBG },
    { "signature-input", GS_SIGN_RFC9421 },
    { "x-api-key", GS_SIGN_APIKEY },
    { "authorization", GS_SIGN_SCHEMES },
    { NULL, GS_SIGN_SCHEMES }
};


const char *
gs_sign_reason_name(gs_sign_reason_e reason)
{
    return gs_sign_reason_names[reason];
}


unsigned
gs_sign_scheme_algs(gs_sign_scheme_e scheme)
{
    return gs_sign_schemes[scheme]->algs;
}


gs_sign_alg_e
gs_sign_scheme_alg(gs_sign_scheme_e scheme)
{
    return gs_sign_schemes[scheme]->alg;
}


int64_t
gs_sign_scheme_window(gs_sign_scheme_e scheme)
{
    return gs_sign_schemes[scheme]->window;
}


int
gs_sign_is_header(const gs_str_t *name)
{
    unsigned  i;

    for (i = 0; gs_sign_headers[i].name != NULL; i++) {
        if (gs_str_eq_text(name, gs_sign_headers[i].name)) {
            return 1;
        }
    }

    return 0;
}


gs_sign_reason_e
gs_sign_find(const gs_sign_request_t *r, unsigned schemes,
    gs_sign_cred_t *cred)
{
    int       found, scheme, in_query;
    size_t    i;
    gs_str_t  path, query;

    found = GS_SIGN_SCHEMES;

    in_query = (schemes & 1u << GS_SIGN_SIGV4)
               && gs_sign_split(&r->target, &path, &query)
               && gs_sign_in_query(&query);

    if (in_query) {
        found = GS_SIGN_SIGV4;
    }

    for (i = 0; i < r->n; i++) {
        scheme = gs_sign_scheme_of(&r->headers[i]);

        if (scheme == GS_SIGN_SCHEMES || !(schemes & 1u << scheme)) {
            continue;
        }

        if (found != GS_SIGN_SCHEMES && (found != scheme || in_query)) {
            return GS_SIGN_TWO;
        }

        found = scheme;
    }

    if (found == GS_SIGN_SCHEMES) {
        return GS_SIGN_ABSENT;
    }

    cred->scheme = (gs_sign_scheme_e) found;
    gs_sign_reset(cred);

    return gs_sign_schemes[found]->parse(r, cred);
}


gs_sign_reason_e
gs_sign_again(const gs_sign_request_t *r, gs_sign_cred_t *cred)
{
    if (cred->scheme != GS_SIGN_RFC9421
        || gs_sign_rfc_from(r, cred, cred->next) != GS_SIGN_OK)
    {
        return GS_SIGN_ABSENT;
    }

    return GS_SIGN_OK;
}


void
gs_sign_reset(gs_sign_cred_t *cred)
{
    gs_sign_scheme_e  scheme;

    scheme = cred->scheme;
    memset(cred, 0, offsetof(gs_sign_cred_t, sig));

    cred->scheme = scheme;
    cred->alg = GS_SIGN_ALGS;
    cred->covered = 1;
}


static int
gs_sign_scheme_of(const gs_sign_header_t *h)
{
    unsigned  i;
    gs_str_t  value;

    for (i = 0; gs_sign_headers[i].name != NULL; i++) {

        if (!gs_str_case_eq_text(&h->name, gs_sign_headers[i].name)) {
            continue;
        }

        if (gs_sign_headers[i].scheme != GS_SIGN_SCHEMES) {
            return (int) gs_sign_headers[i].scheme;
        }

        value = gs_sign_trim(&h->value);

        return gs_sign_authorization(&value);
    }

    return GS_SIGN_SCHEMES;
}


static int
gs_sign_authorization(const gs_str_t *value)
{
    if (gs_sign_prefixed(value, "AWS4-HMAC-SHA256")) {
        return GS_SIGN_SIGV4;
    }

    if (gs_sign_prefixed(value, "GOV-HMAC-")) {
        return GS_SIGN_GOVHMAC;
    }

    return GS_SIGN_SCHEMES;
}


static int
gs_sign_prefixed(const gs_str_t *s, const char *prefix)
{
    gs_str_t  head;

    head = gs_str_make(s->data, strlen(prefix));

    return s->len >= head.len && gs_str_case_eq_text(&head, prefix);
}


gs_sign_reason_e
gs_sign_verify(gs_sign_crypto_t *crypto, const gs_sign_request_t *r,
    const gs_sign_cred_t *cred, const gs_sign_key_t *key)
{
    int                      equal;
    size_t                   len;
    gs_rc_t                  rc;
    gs_str_t                 text;
    gs_uchar_t               mac[64];
    gs_sign_reason_e         reason;
    const gs_sign_scheme_t  *scheme;

    scheme = gs_sign_schemes[cred->scheme];

    if (!(scheme->algs & 1u << key->alg)
        || (cred->alg != GS_SIGN_ALGS && cred->alg != key->alg))
    {
        return GS_SIGN_BAD_ALG;
    }

    if (key->alg < GS_SIGN_KEYED && key->secret.len == 0) {
        return GS_SIGN_UNKNOWN_APP;
    }

    reason = gs_sign_text(crypto, r, cred, &key->secret, &text);

    if (reason != GS_SIGN_OK) {
        return reason;
    }

    if (key->alg >= GS_SIGN_KEYED) {
        return gs_sign_pkey_verify(crypto, key, &text, cred->sig,
                                   cred->sig_len);
    }

    rc = scheme->mac(crypto, cred, key, &text, mac, &len);

    equal = rc == GS_OK && len == cred->sig_len
            && gs_ct_eq(mac, cred->sig, len);

    /* what would have been right is as good as a signature */

    OPENSSL_cleanse(mac, sizeof(mac));

    if (cred->scheme == GS_SIGN_TIF) {
        OPENSSL_cleanse(crypto->canon, text.len);
    }

    if (rc != GS_OK) {
        return GS_SIGN_NO_MEMORY;
    }

    return equal ? GS_SIGN_OK : GS_SIGN_BAD_SIGNATURE;
}


static gs_sign_reason_e
gs_sign_text(gs_sign_crypto_t *crypto, const gs_sign_request_t *r,
    const gs_sign_cred_t *cred, const gs_str_t *secret, gs_str_t *text)
{
    gs_buf_t          b;
    gs_sign_reason_e  reason;

    gs_buf_init(&b, crypto->canon, GS_SIGN_CANON);

    reason = gs_sign_schemes[cred->scheme]->canon(crypto, r, cred, secret,
                                                  &b);
    *text = gs_buf_view(&b);

    return (reason == GS_SIGN_OK && b.overflow) ? GS_SIGN_TOO_LONG : reason;
}


gs_sign_reason_e
gs_sign_canon(gs_sign_crypto_t *crypto, const gs_sign_request_t *r,
    const gs_sign_cred_t *cred, gs_buf_t *b)
{
    gs_str_t          secret;
    gs_sign_reason_e  reason;

    secret = gs_str_text("<secret>");
    reason = gs_sign_schemes[cred->scheme]->canon(crypto, r, cred, &secret,
                                                  b);

    return (reason == GS_SIGN_OK && b->overflow) ? GS_SIGN_TOO_LONG : reason;
}


gs_sign_reason_e
gs_sign_make(gs_sign_crypto_t *crypto, gs_mem_t *mem,
    const gs_sign_request_t *r, gs_sign_cred_t *cred,
    const gs_sign_key_t *key, gs_sign_header_t *add, size_t *n)
{
    size_t                   i;
    gs_str_t                 text;
    gs_sign_maker_t          m;
    gs_sign_reason_e         reason;
    const gs_sign_scheme_t  *scheme;

    scheme = gs_sign_schemes[cred->scheme];
    *n = 0;

    if (!(scheme->algs & 1u << key->alg)) {
        return GS_SIGN_BAD_ALG;
    }

    m.mem = mem;
    m.crypto = crypto;
    m.r = *r;
    m.cred = cred;
    m.key = key;
    m.add = add;
    m.n = 0;
    m.headers = gs_alloc(mem, (r->n + GS_SIGN_MAX_ADD)
                              * sizeof(gs_sign_header_t));

    if (m.headers == NULL) {
        return GS_SIGN_NO_MEMORY;
    }

    for (i = 0; i < r->n; i++) {
        m.headers[i] = r->headers[i];
    }

    m.r.headers = m.headers;
    cred->alg = key->alg;
    reason = GS_SIGN_NO_MEMORY;

    if (!scheme->before(&m)) {
        goto done;
    }

    reason = gs_sign_text(crypto, &m.r, cred, &key->secret, &text);

    if (reason != GS_SIGN_OK) {
        goto done;
    }

    if (key->alg >= GS_SIGN_KEYED) {
        reason = gs_sign_pkey_sign(crypto, key, &text, cred->sig,
                                   &cred->sig_len);

    } else if (scheme->mac(crypto, cred, key, &text, cred->sig,
                           &cred->sig_len)
               != GS_OK)
    {
        reason = GS_SIGN_NO_MEMORY;
    }

    if (reason == GS_SIGN_OK && !scheme->after(&m)) {
        reason = GS_SIGN_NO_MEMORY;
    }

done:

    *n = m.n;

    return reason;
}


int
gs_sign_add(gs_sign_maker_t *m, const char *name, const gs_str_t *value)
{
    gs_sign_header_t  h;

    h.name = gs_str_text(name);
    h.value = gs_str_dup(m->mem, value);

    if (h.value.data == NULL) {
        return 0;
    }

    m->headers[m->r.n++] = h;
    m->add[m->n++] = h;

    return 1;
}


int
gs_sign_add_time(gs_sign_maker_t *m, const char *name, int64_t n)
{
    char      text[24];
    gs_buf_t  b;
    gs_str_t  value;

    gs_buf_init(&b, text, sizeof(text));
    gs_buf_i64(&b, n);
    value = gs_buf_view(&b);

    return gs_sign_add(m, name, &value);
}


gs_str_t
gs_sign_trim(const gs_str_t *s)
{
    const gs_uchar_t  *p, *last;

    p = s->data;
    last = p + s->len;

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    while (p < last && (last[-1] == ' ' || last[-1] == '\t')) {
        last--;
    }

    return gs_str_make(p, (size_t) (last - p));
}


gs_rc_t
gs_sign_header(const gs_sign_request_t *r, const char *name, gs_str_t *value)
{
    size_t   i;
    gs_rc_t  rc;

    rc = GS_DECLINED;
    *value = gs_str_make(NULL, 0);

    for (i = 0; i < r->n; i++) {

        if (!gs_str_case_eq_text(&r->headers[i].name, name)) {
            continue;
        }

        if (rc == GS_OK) {
            return GS_ERROR;
        }

        rc = GS_OK;
        *value = gs_sign_trim(&r->headers[i].value);
    }

    return rc;
}


gs_rc_t
gs_sign_header_join(const gs_sign_request_t *r, const gs_str_t *name,
    const char *sep, int squeeze, gs_buf_t *b)
{
    size_t    i, k;
    gs_rc_t   rc;
    gs_str_t  value;

    rc = GS_DECLINED;

    for (i = 0; i < r->n; i++) {

        if (!gs_str_case_eq(&r->headers[i].name, name)) {
            continue;
        }

        if (rc == GS_OK) {
            gs_buf_text(b, sep);
        }

        rc = GS_OK;
        value = gs_sign_trim(&r->headers[i].value);

        if (!squeeze) {
            gs_buf_str(b, &value);
            continue;
        }

        for (k = 0; k < value.len; k++) {
            if (value.data[k] != ' ' || value.data[k - 1] != ' ') {
                gs_buf_char(b, value.data[k]);
            }
        }
    }

    return rc;
}


void
gs_sign_host(const gs_sign_request_t *r, gs_buf_t *b)
{
    size_t    i;
    gs_str_t  host, port;

    host = r->host;
    port = gs_str_text(r->tls ? ":443" : ":80");

    if (gs_str_suffix(&host, &port)) {
        host.len -= port.len;
    }

    for (i = 0; i < host.len; i++) {
        gs_buf_char(b, gs_to_lower(host.data[i]));
    }
}


int
gs_sign_word(const gs_str_t *s, size_t min, size_t max, const char *extra)
{
    size_t  i;

    if (s->len < min || s->len > max) {
        return 0;
    }

    for (i = 0; i < s->len; i++) {
        if (!gs_is_alpha(s->data[i]) && !gs_is_digit(s->data[i])
            && (s->data[i] == '\0' || strchr(extra, s->data[i]) == NULL))
        {
            return 0;
        }
    }

    return 1;
}
