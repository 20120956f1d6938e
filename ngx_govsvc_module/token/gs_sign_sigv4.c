
/*
 * Copyright (C) govsvc authors
 *
 * AWS Signature Version 4 in its header form.  The payload must be signed:
 * UNSIGNED-PAYLOAD is told to the caller of this file, which decides.
 * Payloads signed in chunks (STREAMING-...) are refused: the framing and the
 * signature of each chunk would reach the platform as part of the body.
 */


#include "token/gs_sign_sigv4.h"

#include <openssl/crypto.h>

#include "core/gs_hex.h"


static gs_sign_reason_e gs_sign_v4_parse(const gs_sign_request_t *r,
    gs_sign_cred_t *cred);
static gs_rc_t gs_sign_v4_fields(const gs_str_t *value, gs_sign_cred_t *cred);
static int gs_sign_v4_listed(const gs_str_t *list, const gs_str_t *name);
static gs_sign_reason_e gs_sign_v4_payload(
    const gs_sign_request_t *r,
    gs_sign_cred_t *cred);
static gs_sign_reason_e gs_sign_v4_canon(gs_sign_crypto_t *crypto,
    const gs_sign_request_t *r, const gs_sign_cred_t *cred,
    const gs_str_t *secret, gs_buf_t *b);
static gs_rc_t gs_sign_v4_mac(gs_sign_crypto_t *crypto,
    const gs_sign_cred_t *cred, const gs_sign_key_t *key,
    const gs_str_t *canon, gs_uchar_t *mac, size_t *len);
static int gs_sign_v4_before(gs_sign_maker_t *m);
static int gs_sign_v4_list(gs_sign_maker_t *m, gs_buf_t *b);
static int gs_sign_v4_after(gs_sign_maker_t *m);


const gs_sign_scheme_t  gs_sign_sigv4 = {
    300,
    1u << GS_SIGN_HMAC_SHA256,
    GS_SIGN_HMAC_SHA256,
    gs_sign_v4_parse,
    gs_sign_v4_canon,
    gs_sign_v4_mac,
    gs_sign_v4_before,
    gs_sign_v4_after
};


static gs_sign_reason_e
gs_sign_v4_parse(const gs_sign_request_t *r, gs_sign_cred_t *cred)
{
    gs_str_t          value, path;
    gs_sign_reason_e  reason;

    if (gs_sign_split(&r->target, &path, &value) && gs_sign_in_query(&value))
    {
        return gs_sign_v4_query(r, cred);
    }

    if (gs_sign_header(r, "authorization", &value) != GS_OK
        || value.len < sizeof("AWS4-HMAC-SHA256 ") - 1
        || value.data[sizeof("AWS4-HMAC-SHA256") - 1] != ' '
        || gs_sign_header(r, "x-amz-date", &cred->text[GS_SIGN_V4_DATE])
           != GS_OK)
    {
        return GS_SIGN_MALFORMED;
    }

    value.data += sizeof("AWS4-HMAC-SHA256");
    value.len -= sizeof("AWS4-HMAC-SHA256");

    if (gs_sign_v4_fields(&value, cred) != GS_OK) {
        return GS_SIGN_MALFORMED;
    }

    cred->alg = GS_SIGN_HMAC_SHA256;

    reason = gs_sign_v4_time(cred);

    if (reason != GS_SIGN_OK) {
        return reason;
    }

    cred->covered = (unsigned) gs_sign_v4_covers(r,
                                         &cred->text[GS_SIGN_V4_HEADERS], 1);

    return gs_sign_v4_payload(r, cred);
}


gs_sign_reason_e
gs_sign_v4_time(gs_sign_cred_t *cred)
{
    if (gs_sign_basic_date(&cred->text[GS_SIGN_V4_DATE], &cred->time) != GS_OK
        || memcmp(cred->text[GS_SIGN_V4_SCOPE].data,
                  cred->text[GS_SIGN_V4_DATE].data, 8)
           != 0)
    {
        return GS_SIGN_BAD_TIME;
    }

    return GS_SIGN_OK;
}


static gs_rc_t
gs_sign_v4_fields(const gs_str_t *value, gs_sign_cred_t *cred)
{
    size_t    i, end, eq;
    gs_str_t  field, name, sig, scope;

    sig = gs_str_make(NULL, 0);
    scope = sig;

    for (i = 0; i < value->len; i = end + 1) {
        end = gs_str_chr(value, i, ',');
        field = gs_str_make(value->data + i, end - i);
        field = gs_sign_trim(&field);
        eq = gs_str_chr(&field, 0, '=');
        name = gs_str_make(field.data, eq);

        if (eq == field.len) {
            return GS_ERROR;
        }

        field = gs_str_make(field.data + eq + 1, field.len - eq - 1);

        if (gs_str_eq_text(&name, "Credential") && scope.data == NULL) {
            scope = field;

        } else if (gs_str_eq_text(&name, "SignedHeaders")
                   && cred->text[GS_SIGN_V4_HEADERS].data == NULL)
        {
            cred->text[GS_SIGN_V4_HEADERS] = field;

        } else if (gs_str_eq_text(&name, "Signature") && sig.data == NULL) {
            sig = field;

        } else {
            return GS_ERROR;
        }
    }

    if (sig.len != 64 || gs_hex_decode(cred->sig, &sig) != GS_OK
        || cred->text[GS_SIGN_V4_HEADERS].len == 0)
    {
        return GS_ERROR;
    }

    cred->sig_len = 32;

    return scope.len != 0 ? gs_sign_v4_scope(&scope, cred) : GS_ERROR;
}


gs_rc_t
gs_sign_v4_scope(const gs_str_t *value, gs_sign_cred_t *cred)
{
    size_t    i, end;
    unsigned  n;
    gs_str_t  part[5];

    n = 0;

    for (i = 0; i <= value->len && n < 5; i = end + 1) {
        end = (n == 4) ? value->len : gs_str_chr(value, i, '/');
        part[n++] = gs_str_make(value->data + i, end - i);
    }

    if (n != 5 || part[0].len == 0 || part[1].len != 8 || part[2].len == 0
        || part[3].len == 0 || !gs_str_eq_text(&part[4], "aws4_request"))
    {
        return GS_ERROR;
    }

    cred->id = part[0];
    cred->text[GS_SIGN_V4_REGION] = part[2];
    cred->text[GS_SIGN_V4_SERVICE] = part[3];
    cred->text[GS_SIGN_V4_SCOPE] = gs_str_make(part[1].data,
                                               value->len - part[0].len - 1);

    return GS_OK;
}


/* They stand in order and in lower case. */

int
gs_sign_v4_covers(const gs_sign_request_t *r, const gs_str_t *list, int type)
{
    size_t    i, end;
    gs_str_t  name, last, amz, host;

    amz = gs_str_text("x-amz-");
    host = gs_str_text("host");
    last = gs_str_make(NULL, 0);

    for (i = 0; i <= list->len; i = end + 1) {
        end = gs_str_chr(list, i, ';');
        name = gs_str_make(list->data + i, end - i);

        if (name.len == 0 || gs_str_cmp(&last, &name) >= 0
            || gs_sign_word(&name, 1, 256, "-_") == 0)
        {
            return 0;
        }

        last = name;
    }

    if (!gs_sign_v4_listed(list, &host)) {
        return 0;
    }

    for (i = 0; i < r->n; i++) {
        name = r->headers[i].name;

        if (name.len > amz.len) {
            last = gs_str_make(name.data, amz.len);

            if (gs_str_case_eq(&last, &amz)
                && !gs_sign_v4_listed(list, &name))
            {
                return 0;
            }
        }

        if (type && gs_str_case_eq_text(&name, "content-type")
            && !gs_sign_v4_listed(list, &name))
        {
            return 0;
        }
    }

    return 1;
}


static int
gs_sign_v4_listed(const gs_str_t *list, const gs_str_t *name)
{
    size_t    i, end;
    gs_str_t  item;

    for (i = 0; i <= list->len; i = end + 1) {
        end = gs_str_chr(list, i, ';');
        item = gs_str_make(list->data + i, end - i);

        if (gs_str_case_eq(&item, name)) {
            return 1;
        }
    }

    return 0;
}


static gs_sign_reason_e
gs_sign_v4_payload(const gs_sign_request_t *r, gs_sign_cred_t *cred)
{
    gs_rc_t    rc;
    gs_str_t  *payload;

    payload = &cred->text[GS_SIGN_V4_PAYLOAD];
    rc = gs_sign_header(r, "x-amz-content-sha256", payload);

    if (rc == GS_DECLINED) {

        /* signed without being told: only who knows the body can check */

        if (r->payload.alg == GS_SIGN_DIGEST_SHA256) {
            cred->digest = r->payload;

        } else if (r->body) {
            cred->unsigned_body = 1;
        }

        return GS_SIGN_OK;
    }

    return rc == GS_OK ? gs_sign_v4_told(r, cred) : GS_SIGN_MALFORMED;
}


gs_sign_reason_e
gs_sign_v4_told(const gs_sign_request_t *r, gs_sign_cred_t *cred)
{
    gs_str_t   chunks;
    gs_str_t  *payload;

    payload = &cred->text[GS_SIGN_V4_PAYLOAD];
    chunks = gs_str_text("STREAMING-");

    if (gs_str_prefix(payload, &chunks)) {
        return GS_SIGN_STREAMING;
    }

    if (gs_str_eq_text(payload, "UNSIGNED-PAYLOAD")) {
        cred->unsigned_body = r->body;
        return GS_SIGN_OK;
    }

    if (payload->len != 64
        || gs_hex_decode(cred->digest.data, payload) != GS_OK)
    {
        return GS_SIGN_MALFORMED;
    }

    cred->digest.alg = GS_SIGN_DIGEST_SHA256;
    cred->digest.len = 32;

    return GS_SIGN_OK;
}


static gs_sign_reason_e
gs_sign_v4_canon(gs_sign_crypto_t *crypto, const gs_sign_request_t *r,
    const gs_sign_cred_t *cred, const gs_str_t *secret, gs_buf_t *b)
{
    size_t           i, end;
    gs_str_t         path, query, name;
    const gs_str_t  *list;

    (void) gs_sign_split(&r->target, &path, &query);

    gs_buf_str(b, &r->method);
    gs_buf_char(b, '\n');

    /* S3 signs the key of an object: a path that nobody may tidy up */

    if (gs_str_eq_text(&cred->text[GS_SIGN_V4_SERVICE], "s3")) {
        gs_sign_recode(b, &path, 1);

    } else {
        gs_sign_path(crypto, &path, b);
    }

    gs_buf_char(b, '\n');

    if (gs_sign_query(crypto, &query, 1,
                      cred->lifetime ? "X-Amz-Signature" : NULL, b)
        != GS_OK) {
        return GS_SIGN_TOO_LONG;
    }

    gs_buf_char(b, '\n');
    list = &cred->text[GS_SIGN_V4_HEADERS];

    for (i = 0; i <= list->len; i = end + 1) {
        end = gs_str_chr(list, i, ';');
        name = gs_str_make(list->data + i, end - i);
        gs_buf_str(b, &name);
        gs_buf_char(b, ':');

        if (gs_sign_header_join(r, &name, ",", 1, b) != GS_OK) {
            return GS_SIGN_NOT_COVERED;
        }

        gs_buf_char(b, '\n');
    }

    gs_buf_char(b, '\n');
    gs_buf_str(b, list);
    gs_buf_char(b, '\n');

    if (cred->text[GS_SIGN_V4_PAYLOAD].len != 0) {
        gs_buf_str(b, &cred->text[GS_SIGN_V4_PAYLOAD]);

    } else if (cred->digest.alg == GS_SIGN_DIGEST_SHA256) {
        gs_buf_hex(b, cred->digest.data, 32);

    } else {
        gs_buf_text(b, GS_SIGN_V4_EMPTY);
    }

    return GS_SIGN_OK;
}


static gs_rc_t
gs_sign_v4_mac(gs_sign_crypto_t *crypto, const gs_sign_cred_t *cred,
    const gs_sign_key_t *key, const gs_str_t *canon, gs_uchar_t *mac,
    size_t *len)
{
    gs_rc_t     rc;
    gs_buf_t    b;
    gs_str_t    k, text, day, end;
    gs_uchar_t  digest[32], first[256];

    if (gs_sign_md_of(crypto, crypto->sha256, canon, digest) != GS_OK) {
        return GS_ERROR;
    }

    gs_buf_init(&b, first, sizeof(first));
    gs_buf_text(&b, "AWS4");
    gs_buf_str(&b, &key->secret);

    k = gs_buf_view(&b);
    day = gs_str_make(cred->text[GS_SIGN_V4_SCOPE].data, 8);
    end = gs_str_text("aws4_request");
    rc = GS_ERROR;

    if (!b.overflow
        && gs_sign_hmac(crypto, crypto->sha256, &k, &day, mac) == GS_OK)
    {
        k = gs_str_make(mac, 32);

        if (gs_sign_hmac(crypto, crypto->sha256, &k,
                         &cred->text[GS_SIGN_V4_REGION], mac) == GS_OK
            && gs_sign_hmac(crypto, crypto->sha256, &k,
                            &cred->text[GS_SIGN_V4_SERVICE], mac) == GS_OK
            && gs_sign_hmac(crypto, crypto->sha256, &k, &end, mac) == GS_OK)
        {
            /* behind the canonical request there is nothing to keep */

            gs_buf_init(&b, crypto->scratch, GS_SIGN_CANON);
            gs_buf_text(&b, "AWS4-HMAC-SHA256\n");
            gs_buf_str(&b, &cred->text[GS_SIGN_V4_DATE]);
            gs_buf_char(&b, '\n');
            gs_buf_str(&b, &cred->text[GS_SIGN_V4_SCOPE]);
            gs_buf_char(&b, '\n');
            gs_buf_hex(&b, digest, 32);
            text = gs_buf_view(&b);

            rc = b.overflow ? GS_ERROR
                            : gs_sign_hmac(crypto, crypto->sha256, &k, &text,
                                           mac);
        }
    }

    OPENSSL_cleanse(first, sizeof(first));
    *len = 32;

    return rc;
}


static int
gs_sign_v4_before(gs_sign_maker_t *m)
{
    char             text[256];
    gs_buf_t         b;
    gs_str_t         value, *part;
    gs_sign_cred_t  *cred;

    cred = m->cred;
    part = cred->text;

    if (part[GS_SIGN_V4_REGION].len == 0) {
        part[GS_SIGN_V4_REGION] = gs_str_text("cn");
    }

    if (part[GS_SIGN_V4_SERVICE].len == 0) {
        part[GS_SIGN_V4_SERVICE] = gs_str_text("execute-api");
    }

    gs_buf_init(&b, text, sizeof(text));
    gs_sign_basic_date_put(&b, cred->time);
    value = gs_buf_view(&b);

    if (!gs_sign_add(m, "X-Amz-Date", &value)) {
        return 0;
    }

    part[GS_SIGN_V4_DATE] = m->add[0].value;

    gs_buf_init(&b, text, sizeof(text));

    if (cred->digest.alg == GS_SIGN_DIGEST_SHA256) {
        gs_buf_hex(&b, cred->digest.data, 32);

    } else {
        gs_buf_text(&b, GS_SIGN_V4_EMPTY);
    }

    value = gs_buf_view(&b);

    if (!gs_sign_add(m, "X-Amz-Content-Sha256", &value)) {
        return 0;
    }

    part[GS_SIGN_V4_PAYLOAD] = m->add[1].value;

    gs_buf_init(&b, text, sizeof(text));
    gs_buf_put(&b, part[GS_SIGN_V4_DATE].data, 8);
    gs_buf_char(&b, '/');
    gs_buf_str(&b, &part[GS_SIGN_V4_REGION]);
    gs_buf_char(&b, '/');
    gs_buf_str(&b, &part[GS_SIGN_V4_SERVICE]);
    gs_buf_text(&b, "/aws4_request");
    value = gs_buf_view(&b);
    part[GS_SIGN_V4_SCOPE] = gs_str_dup(m->mem, &value);

    if (b.overflow || part[GS_SIGN_V4_SCOPE].data == NULL) {
        return 0;
    }

    gs_buf_init(&b, text, sizeof(text));

    if (!gs_sign_v4_list(m, &b)) {
        return 0;
    }

    value = gs_buf_view(&b);
    part[GS_SIGN_V4_HEADERS] = gs_str_dup(m->mem, &value);

    return part[GS_SIGN_V4_HEADERS].data != NULL;
}


/* content-type if there is one, host, and the two that were added */

static int
gs_sign_v4_list(gs_sign_maker_t *m, gs_buf_t *b)
{
    gs_str_t  value;

    if (gs_sign_header(&m->r, "content-type", &value) != GS_DECLINED) {
        gs_buf_text(b, "content-type;");
    }

    gs_buf_text(b, "host;x-amz-content-sha256;x-amz-date");

    if (gs_sign_header(&m->r, "x-amz-security-token", &value) != GS_DECLINED) {
        gs_buf_text(b, ";x-amz-security-token");
    }

    return !b->overflow;
}


static int
gs_sign_v4_after(gs_sign_maker_t *m)
{
    int              ok;
    gs_buf_t         b;
    gs_str_t         value;
    gs_uchar_t       text[1024];
    gs_sign_cred_t  *cred;

    cred = m->cred;

    gs_buf_init(&b, text, sizeof(text));
    gs_buf_text(&b, "AWS4-HMAC-SHA256 Credential=");
    gs_buf_str(&b, &cred->id);
    gs_buf_char(&b, '/');
    gs_buf_str(&b, &cred->text[GS_SIGN_V4_SCOPE]);
    gs_buf_text(&b, ", SignedHeaders=");
    gs_buf_str(&b, &cred->text[GS_SIGN_V4_HEADERS]);
    gs_buf_text(&b, ", Signature=");
    gs_buf_hex(&b, cred->sig, 32);
    value = gs_buf_view(&b);

    ok = !b.overflow && gs_sign_add(m, "Authorization", &value);

    return ok;
}
