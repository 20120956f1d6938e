
/*
 * Copyright (C) govsvc authors
 *
 * HTTP Message Signatures (RFC 9421) of requests; the keyid of a signature is
 * the application.  There may be others, of those who passed the request on:
 * one that is good is enough, and one that we cannot read is not ours.  Which
 * components are covered is not the caller's choice alone: method, authority,
 * path, query, the digest of a body, the time and a nonce must be.
 */


#include "token/gs_sign_priv.h"
#include "token/gs_sign_sf.h"

#include "core/gs_b64.h"
#include "core/gs_hex.h"


#define GS_SIGN_RFC_COMPONENTS  32

#define GS_SIGN_RFC_METHOD      0x01
#define GS_SIGN_RFC_AUTHORITY   0x02
#define GS_SIGN_RFC_PATH        0x04
#define GS_SIGN_RFC_QUERY       0x08
#define GS_SIGN_RFC_DIGEST      0x10
#define GS_SIGN_RFC_ALL         0x1f


/* text[]: label, the member of Signature-Input */
#define GS_SIGN_RFC_LABEL       0
#define GS_SIGN_RFC_INPUT       1


typedef struct {
    gs_str_t            name;
    gs_str_t            raw;               /* with its parameters */
    gs_str_t            param;             /* of @query-param */
} gs_sign_component_t;


typedef struct {
    size_t               n;
    gs_sign_component_t  list[GS_SIGN_RFC_COMPONENTS];
} gs_sign_components_t;


static gs_sign_reason_e gs_sign_rfc_parse(const gs_sign_request_t *r,
    gs_sign_cred_t *cred);
static gs_sign_reason_e gs_sign_rfc_take(const gs_sign_request_t *r,
    gs_sign_cred_t *cred);
static gs_rc_t gs_sign_rfc_signature(const gs_sign_request_t *r,
    gs_sign_cred_t *cred);
static gs_rc_t gs_sign_rfc_list(gs_sign_sf_t *sf, gs_sign_components_t *c);
static gs_rc_t gs_sign_rfc_component(gs_sign_sf_t *sf,
    gs_sign_component_t *component);
static gs_sign_reason_e gs_sign_rfc_params(gs_sign_sf_t *sf,
    gs_sign_cred_t *cred);
static gs_sign_reason_e gs_sign_rfc_param(const gs_str_t *key,
    const gs_sign_sf_item_t *item, gs_sign_cred_t *cred);
static gs_sign_reason_e gs_sign_rfc_cover(const gs_sign_request_t *r,
    gs_sign_cred_t *cred, const gs_sign_components_t *c);
static gs_sign_reason_e gs_sign_rfc_canon(gs_sign_crypto_t *crypto,
    const gs_sign_request_t *r, const gs_sign_cred_t *cred,
    const gs_str_t *secret, gs_buf_t *b);
static gs_rc_t gs_sign_rfc_value(const gs_sign_request_t *r,
    const gs_sign_component_t *c, gs_buf_t *b);
static gs_rc_t gs_sign_rfc_query_param(const gs_sign_request_t *r,
    const gs_str_t *param, gs_buf_t *b);
static void gs_sign_rfc_form(gs_buf_t *b, const gs_str_t *s);
static int gs_sign_rfc_before(gs_sign_maker_t *m);
static int gs_sign_rfc_after(gs_sign_maker_t *m);


const gs_sign_scheme_t  gs_sign_rfc9421 = {
    300,
    1u << GS_SIGN_HMAC_SHA256 | 1u << GS_SIGN_HMAC_SM3 | 1u << GS_SIGN_ED25519
    | 1u << GS_SIGN_ECDSA_P256 | 1u << GS_SIGN_RSA_PSS | 1u << GS_SIGN_SM2,
    GS_SIGN_HMAC_SHA256,
    gs_sign_rfc_parse,
    gs_sign_rfc_canon,
    gs_sign_mac,
    gs_sign_rfc_before,
    gs_sign_rfc_after
};


static gs_sign_reason_e
gs_sign_rfc_parse(const gs_sign_request_t *r, gs_sign_cred_t *cred)
{
    return gs_sign_rfc_from(r, cred, 0);
}


gs_sign_reason_e
gs_sign_rfc_from(const gs_sign_request_t *r, gs_sign_cred_t *cred,
    unsigned first)
{
    gs_rc_t            rc;
    unsigned           i, n;
    gs_str_t           labels[GS_SIGN_SIGNATURES + 1];
    gs_str_t           inputs[GS_SIGN_SIGNATURES + 1];
    gs_sign_reason_e   reason, result;
    gs_sign_members_t  m;

    gs_sign_members(&m, r, "signature-input");

    for (n = 0; /* void */; n++) {
        rc = gs_sign_member(&m, &labels[n], &inputs[n]);

        if (rc == GS_DONE) {
            break;
        }

        if (rc != GS_OK) {
            return GS_SIGN_MALFORMED;
        }

        if (n == GS_SIGN_SIGNATURES) {
            return GS_SIGN_TOO_LONG;
        }

        for (i = 0; i < n; i++) {
            if (gs_str_eq(&labels[i], &labels[n])) {
                return GS_SIGN_MALFORMED;
            }
        }
    }

    result = GS_SIGN_MALFORMED;

    for (i = first; i < n; i++) {
        gs_sign_reset(cred);

        cred->text[GS_SIGN_RFC_LABEL] = labels[i];
        cred->text[GS_SIGN_RFC_INPUT] = inputs[i];
        cred->next = i + 1;

        reason = gs_sign_rfc_take(r, cred);

        if (reason == GS_SIGN_OK) {
            return GS_SIGN_OK;
        }

        if (i == first) {
            result = reason;
        }
    }

    return result;
}


static gs_sign_reason_e
gs_sign_rfc_take(const gs_sign_request_t *r, gs_sign_cred_t *cred)
{
    gs_sign_sf_t          sf;
    gs_sign_reason_e      reason;
    gs_sign_components_t  c;

    gs_sign_sf_init(&sf, &cred->text[GS_SIGN_RFC_INPUT]);

    if (gs_sign_rfc_list(&sf, &c) != GS_OK) {
        return GS_SIGN_MALFORMED;
    }

    reason = gs_sign_rfc_params(&sf, cred);

    if (reason != GS_SIGN_OK) {
        return reason;
    }

    if (!gs_sign_sf_end(&sf) || cred->id.len == 0
        || gs_sign_rfc_signature(r, cred) != GS_OK)
    {
        return GS_SIGN_MALFORMED;
    }

    return gs_sign_rfc_cover(r, cred, &c);
}


static gs_rc_t
gs_sign_rfc_signature(const gs_sign_request_t *r, gs_sign_cred_t *cred)
{
    gs_rc_t            rc;
    unsigned           n;
    gs_str_t           label, value, found;
    gs_sign_sf_t       sf;
    gs_sign_sf_item_t  item;
    gs_sign_members_t  m;

    found = gs_str_make(NULL, 0);
    gs_sign_members(&m, r, "signature");

    for (n = 0; /* void */; n++) {
        rc = gs_sign_member(&m, &label, &value);

        if (rc == GS_DONE) {
            break;
        }

        if (rc != GS_OK || n == GS_SIGN_SIGNATURES) {
            return GS_ERROR;
        }

        if (gs_str_eq(&label, &cred->text[GS_SIGN_RFC_LABEL])) {
            if (found.data != NULL) {
                return GS_ERROR;
            }

            found = value;
        }
    }

    if (found.data == NULL) {
        return GS_ERROR;
    }

    gs_sign_sf_init(&sf, &found);

    if (gs_sign_sf_item(&sf, &item) != GS_OK
        || item.type != GS_SIGN_SF_BYTES
        || item.text.len > GS_SIGN_MAX_SIG / 3 * 4
        || !gs_sign_sf_end(&sf))
    {
        return GS_ERROR;
    }

    return gs_b64_decode(cred->sig, &cred->sig_len, &item.text);
}


/* Each component once, with one blank between: their only serialization. */

static gs_rc_t
gs_sign_rfc_list(gs_sign_sf_t *sf, gs_sign_components_t *c)
{
    size_t  i;

    c->n = 0;

    if (!gs_sign_sf_take(sf, '(')) {
        return GS_ERROR;
    }

    if (gs_sign_sf_take(sf, ')')) {
        return GS_OK;
    }

    for ( ;; ) {

        if (c->n == GS_SIGN_RFC_COMPONENTS
            || gs_sign_rfc_component(sf, &c->list[c->n]) != GS_OK)
        {
            return GS_ERROR;
        }

        for (i = 0; i < c->n; i++) {
            if (gs_str_eq(&c->list[i].raw, &c->list[c->n].raw)) {
                return GS_ERROR;
            }
        }

        c->n++;

        if (gs_sign_sf_take(sf, ')')) {
            return GS_OK;
        }

        if (!gs_sign_sf_take(sf, ' ')) {
            return GS_ERROR;
        }
    }
}


/* Of the parameters of components only name of @query-param is taken. */

static gs_rc_t
gs_sign_rfc_component(gs_sign_sf_t *sf, gs_sign_component_t *component)
{
    gs_rc_t            rc;
    gs_str_t           key;
    gs_sign_sf_item_t  item, param;

    if (gs_sign_sf_item(sf, &item) != GS_OK
        || item.type != GS_SIGN_SF_STRING)
    {
        return GS_ERROR;
    }

    component->name = item.text;
    component->raw = item.raw;
    component->param = gs_str_make(NULL, 0);

    rc = gs_sign_sf_param(sf, &key, &param);

    if (gs_str_eq_text(&item.text, "@query-param")) {

        if (rc != GS_OK || !gs_str_eq_text(&key, "name")
            || param.type != GS_SIGN_SF_STRING
            || sf->p[-1] != '"')
        {
            return GS_ERROR;
        }

        component->param = param.text;
        component->raw.len = (size_t) (sf->p - item.raw.data);

        rc = gs_sign_sf_param(sf, &key, &param);
    }

    return rc == GS_DECLINED ? GS_OK : GS_ERROR;
}


static gs_sign_reason_e
gs_sign_rfc_params(gs_sign_sf_t *sf, gs_sign_cred_t *cred)
{
    gs_rc_t            rc;
    gs_str_t           key;
    gs_sign_reason_e   reason;
    gs_sign_sf_item_t  item;

    for ( ;; ) {

        /* a blank behind ";" would vanish in the serialization */

        if (sf->last - sf->p > 1 && sf->p[0] == ';' && sf->p[1] == ' ') {
            return GS_SIGN_MALFORMED;
        }

        rc = gs_sign_sf_param(sf, &key, &item);

        if (rc == GS_DECLINED) {
            return GS_SIGN_OK;
        }

        if (rc != GS_OK) {
            return GS_SIGN_MALFORMED;
        }

        reason = gs_sign_rfc_param(&key, &item, cred);

        if (reason != GS_SIGN_OK) {
            return reason;
        }
    }
}


/* RFC 9421 section 2.3; a parameter given twice would mean two things. */

static gs_sign_reason_e
gs_sign_rfc_param(const gs_str_t *key, const gs_sign_sf_item_t *item,
    gs_sign_cred_t *cred)
{
    unsigned   i;
    gs_str_t  *text;

    if (gs_str_eq_text(key, "created") || gs_str_eq_text(key, "expires")) {
        if (item->type != GS_SIGN_SF_INTEGER || item->number <= 0) {
            return GS_SIGN_BAD_TIME;
        }

        if (key->data[0] == 'c') {
            if (cred->time != 0) {
                return GS_SIGN_MALFORMED;
            }

            cred->time = item->number;

        } else {
            if (cred->expires != 0) {
                return GS_SIGN_MALFORMED;
            }

            cred->expires = item->number;
        }

        return GS_SIGN_OK;
    }

    if (gs_str_eq_text(key, "keyid")) {
        text = &cred->id;

    } else if (gs_str_eq_text(key, "nonce")) {
        text = &cred->nonce;

    } else if (gs_str_eq_text(key, "tag")) {
        text = &cred->tag;

    } else if (gs_str_eq_text(key, "alg")) {

        for (i = 0; gs_sign_alg_names[i] != NULL; i++) {
            if (gs_str_eq_text(&item->text, gs_sign_alg_names[i])) {
                break;
            }
        }

        if (i == GS_SIGN_ALGS || cred->alg != GS_SIGN_ALGS) {
            return GS_SIGN_BAD_ALG;
        }

        cred->alg = (gs_sign_alg_e) i;

        return item->type == GS_SIGN_SF_STRING ? GS_SIGN_OK
                                               : GS_SIGN_MALFORMED;

    } else {
        return GS_SIGN_MALFORMED;
    }

    if (item->type != GS_SIGN_SF_STRING || text->data != NULL
        || item->text.len == 0 || item->text.len > 128
        || gs_str_chr(&item->text, 0, '\\') != item->text.len)
    {
        return GS_SIGN_MALFORMED;
    }

    *text = item->text;

    return GS_SIGN_OK;
}


static gs_sign_reason_e
gs_sign_rfc_cover(const gs_sign_request_t *r, gs_sign_cred_t *cred,
    const gs_sign_components_t *c)
{
    size_t           i;
    unsigned         bits;
    gs_str_t         path, query, value;
    const gs_str_t  *name;

    bits = gs_sign_split(&r->target, &path, &query) ? 0 : GS_SIGN_RFC_QUERY;
    bits |= r->body ? 0 : GS_SIGN_RFC_DIGEST;

    for (i = 0; i < c->n; i++) {
        name = &c->list[i].name;

        if (gs_str_eq_text(name, "@method")) {
            bits |= GS_SIGN_RFC_METHOD;

        } else if (gs_str_eq_text(name, "@authority")) {
            bits |= GS_SIGN_RFC_AUTHORITY;

        } else if (gs_str_eq_text(name, "@path")) {
            bits |= GS_SIGN_RFC_PATH;

        } else if (gs_str_eq_text(name, "@query")) {
            bits |= GS_SIGN_RFC_QUERY;

        } else if (gs_str_eq_text(name, "@request-target")) {
            bits |= GS_SIGN_RFC_PATH | GS_SIGN_RFC_QUERY;

        } else if (gs_str_eq_text(name, "@target-uri")) {
            bits |= GS_SIGN_RFC_AUTHORITY | GS_SIGN_RFC_PATH
                    | GS_SIGN_RFC_QUERY;

        } else if (gs_str_eq_text(name, "content-digest")) {

            if (gs_sign_header(r, "content-digest", &value) != GS_OK
                || gs_sign_content_digest(&value, &cred->digest) != GS_OK)
            {
                return GS_SIGN_MALFORMED;
            }

            bits |= GS_SIGN_RFC_DIGEST;
        }
    }

    cred->unsigned_body = !(bits & GS_SIGN_RFC_DIGEST);
    bits |= GS_SIGN_RFC_DIGEST;
    cred->covered = (bits == GS_SIGN_RFC_ALL && cred->time != 0
                     && cred->nonce.len >= 16);

    return GS_SIGN_OK;
}


static gs_sign_reason_e
gs_sign_rfc_canon(gs_sign_crypto_t *crypto, const gs_sign_request_t *r,
    const gs_sign_cred_t *cred, const gs_str_t *secret, gs_buf_t *b)
{
    size_t                i;
    gs_sign_sf_t          sf;
    gs_sign_components_t  c;

    gs_sign_sf_init(&sf, &cred->text[GS_SIGN_RFC_INPUT]);

    if (gs_sign_rfc_list(&sf, &c) != GS_OK) {
        return GS_SIGN_MALFORMED;
    }

    for (i = 0; i < c.n; i++) {
        gs_buf_str(b, &c.list[i].raw);
        gs_buf_put(b, ": ", 2);

        if (gs_sign_rfc_value(r, &c.list[i], b) != GS_OK) {
            return GS_SIGN_NOT_COVERED;
        }

        gs_buf_char(b, '\n');
    }

    gs_buf_text(b, "\"@signature-params\": ");
    gs_buf_str(b, &cred->text[GS_SIGN_RFC_INPUT]);

    return GS_SIGN_OK;
}


/* RFC 9421 sections 2.1 and 2.2 */

static gs_rc_t
gs_sign_rfc_value(const gs_sign_request_t *r, const gs_sign_component_t *c,
    gs_buf_t *b)
{
    size_t    i;
    gs_str_t  path, query;

    if (c->name.len == 0) {
        return GS_ERROR;
    }

    if (c->name.data[0] != '@') {

        for (i = 0; i < c->name.len; i++) {
            if (c->name.data[i] >= 'A' && c->name.data[i] <= 'Z') {
                return GS_ERROR;
            }
        }

        return gs_sign_header_join(r, &c->name, ", ", 0, b);
    }

    (void) gs_sign_split(&r->target, &path, &query);

    if (gs_str_eq_text(&c->name, "@method")) {
        gs_buf_str(b, &r->method);

    } else if (gs_str_eq_text(&c->name, "@authority")) {
        gs_sign_host(r, b);

    } else if (gs_str_eq_text(&c->name, "@scheme")) {
        gs_buf_text(b, r->tls ? "https" : "http");

    } else if (gs_str_eq_text(&c->name, "@path")) {
        gs_buf_str(b, &path);

    } else if (gs_str_eq_text(&c->name, "@query")) {
        gs_buf_char(b, '?');
        gs_buf_str(b, &query);

    } else if (gs_str_eq_text(&c->name, "@request-target")) {
        gs_buf_str(b, &r->target);

    } else if (gs_str_eq_text(&c->name, "@target-uri")) {
        gs_buf_text(b, r->tls ? "https://" : "http://");
        gs_sign_host(r, b);
        gs_buf_str(b, &r->target);

    } else if (gs_str_eq_text(&c->name, "@query-param")) {
        return gs_sign_rfc_query_param(r, &c->param, b);

    } else {
        return GS_ERROR;
    }

    return GS_OK;
}


/* RFC 9421 section 2.2.8; a name that stands twice cannot be covered. */

static gs_rc_t
gs_sign_rfc_query_param(const gs_sign_request_t *r, const gs_str_t *param,
    gs_buf_t *b)
{
    size_t      i, end, eq;
    gs_rc_t     rc;
    gs_buf_t    plain;
    gs_str_t    path, query, name, value, view;
    gs_uchar_t  text[512];

    rc = GS_ERROR;
    (void) gs_sign_split(&r->target, &path, &query);

    for (i = 0; i < query.len; i = end + 1) {
        end = gs_str_chr(&query, i, '&');
        eq = gs_str_chr(&query, i, '=');

        if (eq > end) {
            eq = end;
        }

        name = gs_str_make(query.data + i, eq - i);

        gs_buf_init(&plain, text, sizeof(text));
        gs_sign_rfc_form(&plain, &name);
        view = gs_buf_view(&plain);

        if (plain.overflow || !gs_str_eq(&view, param)) {
            continue;
        }

        if (rc == GS_OK) {
            return GS_ERROR;
        }

        rc = GS_OK;
        value = (eq < end) ? gs_str_make(query.data + eq + 1, end - eq - 1)
                           : gs_str_make(NULL, 0);
        gs_sign_rfc_form(b, &value);
    }

    return rc;
}


/* Decoded as a form, encoded with the set of such forms but %20 for a blank. */

static void
gs_sign_rfc_form(gs_buf_t *b, const gs_str_t *s)
{
    int                c, high, low;
    size_t             i;
    static const char  hex[] = "0123456789ABCDEF";

    for (i = 0; i < s->len; i++) {
        c = s->data[i];

        if (c == '+') {
            c = ' ';

        } else if (c == '%' && s->len - i > 2) {
            high = gs_hex_value(s->data[i + 1]);
            low = gs_hex_value(s->data[i + 2]);

            if (high >= 0 && low >= 0) {
                c = high << 4 | low;
                i += 2;
            }
        }

        if (gs_is_alpha(c) || gs_is_digit(c) || c == '*' || c == '-'
            || c == '.' || c == '_')
        {
            gs_buf_char(b, c);

        } else {
            gs_buf_char(b, '%');
            gs_buf_char(b, hex[c >> 4]);
            gs_buf_char(b, hex[c & 15]);
        }
    }
}


static int
gs_sign_rfc_before(gs_sign_maker_t *m)
{
    gs_buf_t         b;
    gs_str_t         value, path, query;
    gs_uchar_t       text[1024];
    gs_sign_cred_t  *cred;

    cred = m->cred;

    gs_buf_init(&b, text, sizeof(text));

    if (cred->digest.alg != GS_SIGN_DIGEST_NONE) {
        gs_sign_content_digest_put(&b, &cred->digest);
        value = gs_buf_view(&b);

        if (!gs_sign_add(m, "Content-Digest", &value)) {
            return 0;
        }
    }

    gs_buf_init(&b, text, sizeof(text));
    gs_buf_text(&b, "gov=(\"@method\" \"@authority\" \"@path\"");

    if (gs_sign_split(&m->r.target, &path, &query)) {
        gs_buf_text(&b, " \"@query\"");
    }

    if (cred->digest.alg != GS_SIGN_DIGEST_NONE) {
        gs_buf_text(&b, " \"content-digest\"");
    }

    gs_buf_text(&b, ");created=");
    gs_buf_i64(&b, cred->time);
    gs_buf_text(&b, ";keyid=\"");
    gs_buf_str(&b, &cred->id);
    gs_buf_text(&b, "\";alg=\"");
    gs_buf_text(&b, gs_sign_alg_names[m->key->alg]);
    gs_buf_text(&b, "\";nonce=\"");
    gs_buf_str(&b, &cred->nonce);
    gs_buf_char(&b, '"');
    value = gs_buf_view(&b);

    if (b.overflow || !gs_sign_add(m, "Signature-Input", &value)) {
        return 0;
    }

    value = m->add[m->n - 1].value;
    cred->text[GS_SIGN_RFC_INPUT] = gs_str_make(value.data + 4,
                                                value.len - 4);

    return 1;
}


static int
gs_sign_rfc_after(gs_sign_maker_t *m)
{
    gs_buf_t    b;
    gs_str_t    value;
    gs_uchar_t  text[GS_SIGN_MAX_SIG * 2], sig[GS_SIGN_MAX_SIG * 2];

    gs_buf_init(&b, text, sizeof(text));
    gs_buf_text(&b, "gov=:");
    gs_buf_put(&b, sig, gs_b64_encode(sig, m->cred->sig, m->cred->sig_len));
    gs_buf_char(&b, ':');
    value = gs_buf_view(&b);

    return gs_sign_add(m, "Signature", &value);
}
