
/*
 * Copyright (C) govsvc authors
 *
 * AWS Signature Version 4 in the query: presigned URLs.  Whoever has one may
 * use it until it ends, so that an application must be allowed to make them.
 * All of the query but the signature is signed.
 */


#include "token/gs_sign_sigv4.h"

#include "core/gs_hex.h"


#define GS_SIGN_V4Q_EXPIRES  604800        /* s; no service takes more */
#define GS_SIGN_V4Q_NAME     32
#define GS_SIGN_V4Q_ROOM     32            /* behind the signature */


enum {
    GS_SIGN_V4Q_ALGORITHM = 0,
    GS_SIGN_V4Q_CREDENTIAL,
    GS_SIGN_V4Q_DATE,
    GS_SIGN_V4Q_LIFE,
    GS_SIGN_V4Q_HEADERS,
    GS_SIGN_V4Q_SIGNATURE,
    GS_SIGN_V4Q_NEEDED,
    GS_SIGN_V4Q_PAYLOAD = GS_SIGN_V4Q_NEEDED,
    GS_SIGN_V4Q_NAMES
};


static gs_sign_reason_e gs_sign_v4q_params(const gs_str_t *query,
    gs_str_t *value);
static int gs_sign_v4q_name(const gs_str_t *name, int *exact);
static gs_rc_t gs_sign_v4q_decode(gs_buf_t *b, gs_str_t *s);
static gs_sign_reason_e gs_sign_v4q_payload(const gs_sign_request_t *r,
    gs_sign_cred_t *cred);
static void gs_sign_v4q_put(gs_buf_t *b, const gs_sign_request_t *r,
    const gs_sign_cred_t *cred, int64_t seconds);


static const char *const  gs_sign_v4q_names[GS_SIGN_V4Q_NAMES] = {
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
    "X-Amz-Content-Sha256"
};


int
gs_sign_in_query(const gs_str_t *query)
{
    int       i, exact;
    size_t    pos, end, eq;
    gs_str_t  name;

    for (pos = 0; pos < query->len; pos = end + 1) {
        end = gs_str_chr(query, pos, '&');

        if ((query->data[pos] | 0x20) != 'x' && query->data[pos] != '%') {
            continue;
        }

        eq = gs_str_chr(query, pos, '=');
        name = gs_str_make(query->data + pos, (eq < end ? eq : end) - pos);
        i = gs_sign_v4q_name(&name, &exact);

        if (i == GS_SIGN_V4Q_ALGORITHM || i == GS_SIGN_V4Q_CREDENTIAL
            || i == GS_SIGN_V4Q_SIGNATURE)
        {
            return 1;
        }
    }

    return 0;
}


/*
 * Which of our names, in any case and encoded or not, or -1; exact if it is
 * written as it is signed.
 */

static int
gs_sign_v4q_name(const gs_str_t *name, int *exact)
{
    int         i;
    gs_buf_t    b;
    gs_str_t    s;
    gs_uchar_t  text[GS_SIGN_V4Q_NAME];

    s = *name;
    gs_buf_init(&b, text, sizeof(text));

    if (gs_sign_v4q_decode(&b, &s) != GS_OK) {
        return -1;
    }

    for (i = 0; i < GS_SIGN_V4Q_NAMES; i++) {
        if (gs_str_case_eq_text(&s, gs_sign_v4q_names[i])) {
            *exact = gs_str_eq_text(name, gs_sign_v4q_names[i]);
            return i;
        }
    }

    return -1;
}


gs_sign_reason_e
gs_sign_v4_query(const gs_sign_request_t *r, gs_sign_cred_t *cred)
{
    int               i;
    gs_buf_t          b;
    gs_str_t          path, query, value[GS_SIGN_V4Q_NAMES];
    uint64_t          seconds;
    gs_sign_reason_e  reason;

    (void) gs_sign_split(&r->target, &path, &query);
    memset(value, 0, sizeof(value));

    reason = gs_sign_v4q_params(&query, value);

    if (reason != GS_SIGN_OK) {
        return reason;
    }

    /* there is room behind the signature, which has 32 bytes */

    gs_buf_init(&b, cred->sig + GS_SIGN_V4Q_ROOM,
                GS_SIGN_MAX_SIG - GS_SIGN_V4Q_ROOM);

    for (i = 0; i < GS_SIGN_V4Q_NAMES; i++) {
        if (gs_sign_v4q_decode(&b, &value[i]) != GS_OK) {
            return b.overflow ? GS_SIGN_TOO_LONG : GS_SIGN_MALFORMED;
        }
    }

    if (!gs_str_eq_text(&value[GS_SIGN_V4Q_ALGORITHM], "AWS4-HMAC-SHA256")) {
        return GS_SIGN_BAD_ALG;
    }

    if (gs_sign_v4_scope(&value[GS_SIGN_V4Q_CREDENTIAL], cred) != GS_OK
        || value[GS_SIGN_V4Q_SIGNATURE].len != 64
        || gs_hex_decode(cred->sig, &value[GS_SIGN_V4Q_SIGNATURE]) != GS_OK
        || value[GS_SIGN_V4Q_HEADERS].len == 0)
    {
        return GS_SIGN_MALFORMED;
    }

    cred->alg = GS_SIGN_HMAC_SHA256;
    cred->sig_len = 32;
    cred->text[GS_SIGN_V4_DATE] = value[GS_SIGN_V4Q_DATE];
    cred->text[GS_SIGN_V4_HEADERS] = value[GS_SIGN_V4Q_HEADERS];
    cred->text[GS_SIGN_V4_PAYLOAD] = value[GS_SIGN_V4Q_PAYLOAD];

    reason = gs_sign_v4_time(cred);

    if (reason != GS_SIGN_OK) {
        return reason;
    }

    if (gs_parse_u64(&value[GS_SIGN_V4Q_LIFE], &seconds) != GS_OK
        || seconds == 0 || seconds > GS_SIGN_V4Q_EXPIRES)
    {
        return GS_SIGN_BAD_TIME;
    }

    cred->lifetime = (int64_t) seconds;
    cred->expires = cred->time + cred->lifetime;

    return gs_sign_v4q_payload(r, cred);
}


/* Ours once each, and none in another spelling that others might read. */

static gs_sign_reason_e
gs_sign_v4q_params(const gs_str_t *query, gs_str_t *value)
{
    int       i, exact;
    size_t    pos, end, eq;
    gs_str_t  name;

    for (pos = 0; pos < query->len; pos = end + 1) {
        end = gs_str_chr(query, pos, '&');
        eq = gs_str_chr(query, pos, '=');

        if (eq > end) {
            eq = end;
        }

        name = gs_str_make(query->data + pos, eq - pos);
        i = gs_sign_v4q_name(&name, &exact);

        if (i < 0) {
            continue;
        }

        if (!exact || eq == end || value[i].data != NULL) {
            return GS_SIGN_MALFORMED;
        }

        value[i] = gs_str_make(query->data + eq + 1, end - eq - 1);
    }

    for (i = 0; i < GS_SIGN_V4Q_NEEDED; i++) {
        if (value[i].len == 0) {
            return GS_SIGN_MALFORMED;
        }
    }

    return GS_SIGN_OK;
}


static gs_rc_t
gs_sign_v4q_decode(gs_buf_t *b, gs_str_t *s)
{
    int          c, high, low;
    size_t       i;
    gs_uchar_t  *start;

    start = b->pos;

    for (i = 0; i < s->len; i++) {
        c = s->data[i];

        if (c == '%') {
            if (s->len - i < 3) {
                return GS_ERROR;
            }

            high = gs_hex_value(s->data[i + 1]);
            low = gs_hex_value(s->data[i + 2]);

            if (high < 0 || low < 0) {
                return GS_ERROR;
            }

            c = high << 4 | low;
            i += 2;
        }

        gs_buf_char(b, c);
    }

    if (b->overflow) {
        return GS_ERROR;
    }

    *s = gs_str_make(start, (size_t) (b->pos - start));

    return GS_OK;
}


/*
 * Unless it is told, S3 signs no payload and others the empty one: then a
 * body is a wrong body.
 */

static gs_sign_reason_e
gs_sign_v4q_payload(const gs_sign_request_t *r, gs_sign_cred_t *cred)
{
    gs_rc_t           rc;
    gs_str_t          value, *payload;
    gs_sign_reason_e  reason;

    payload = &cred->text[GS_SIGN_V4_PAYLOAD];
    rc = gs_sign_header(r, "x-amz-content-sha256", &value);

    if (rc == GS_ERROR || (rc == GS_OK && payload->len != 0)) {
        return GS_SIGN_MALFORMED;
    }

    if (rc == GS_OK) {
        *payload = value;
    }

    if (payload->len == 0) {
        *payload = gs_str_text(
            gs_str_eq_text(&cred->text[GS_SIGN_V4_SERVICE], "s3")
                ? "UNSIGNED-PAYLOAD" : GS_SIGN_V4_EMPTY);
    }

    reason = gs_sign_v4_told(r, cred);

    cred->covered = (unsigned) gs_sign_v4_covers(r,
                                         &cred->text[GS_SIGN_V4_HEADERS],
                                         !cred->unsigned_body);

    return reason;
}


gs_sign_reason_e
gs_sign_presign(gs_sign_crypto_t *crypto, gs_mem_t *mem,
    const gs_sign_request_t *r, gs_sign_cred_t *cred,
    const gs_sign_key_t *key, int64_t seconds, gs_str_t *target)
{
    size_t              len, size;
    gs_buf_t            b;
    gs_str_t            canon;
    gs_uchar_t         *p, mac[64];
    gs_sign_reason_e    reason;
    gs_sign_request_t   req;

    if (key->alg != GS_SIGN_HMAC_SHA256) {
        return GS_SIGN_BAD_ALG;
    }

    size = r->target.len + 3 * (cred->id.len + cred->text[0].len
                                + cred->text[1].len) + 512;
    p = gs_alloc(mem, size);

    if (p == NULL) {
        return GS_SIGN_NO_MEMORY;
    }

    gs_buf_init(&b, p, size);
    gs_sign_v4q_put(&b, r, cred, seconds);
    req = *r;
    req.target = gs_buf_view(&b);

    if (b.overflow) {
        return GS_SIGN_TOO_LONG;
    }

    /* with a signature of zeros: what is signed is read as it will be */

    reason = gs_sign_find(&req, 1u << GS_SIGN_SIGV4, cred);

    if (reason != GS_SIGN_OK) {
        return reason;
    }

    gs_buf_init(&b, crypto->canon, GS_SIGN_CANON);
    reason = gs_sign_sigv4.canon(crypto, &req, cred, &key->secret, &b);
    canon = gs_buf_view(&b);

    if (reason != GS_SIGN_OK || b.overflow) {
        return reason != GS_SIGN_OK ? reason : GS_SIGN_TOO_LONG;
    }

    if (gs_sign_sigv4.mac(crypto, cred, key, &canon, mac, &len) != GS_OK) {
        return GS_SIGN_NO_MEMORY;
    }

    gs_hex_encode(p + req.target.len - 64, mac, 32);
    *target = req.target;

    return GS_SIGN_OK;
}


static void
gs_sign_v4q_put(gs_buf_t *b, const gs_sign_request_t *r,
    const gs_sign_cred_t *cred, int64_t seconds)
{
    int         i;
    gs_buf_t    text;
    gs_str_t    date, scope;
    gs_uchar_t  room[24];

    gs_buf_init(&text, room, sizeof(room));
    gs_sign_basic_date_put(&text, cred->time);
    date = gs_buf_view(&text);
    scope = gs_str_text("/");

    gs_buf_str(b, &r->target);
    gs_buf_char(b, gs_str_chr(&r->target, 0, '?') == r->target.len ? '?'
                                                                   : '&');
    gs_buf_text(b, "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=");
    gs_sign_encode(b, &cred->id, 0);
    gs_sign_encode(b, &scope, 0);
    gs_buf_put(b, date.data, 8);
    gs_sign_encode(b, &scope, 0);

    if (cred->text[GS_SIGN_V4_REGION].len != 0) {
        gs_sign_encode(b, &cred->text[GS_SIGN_V4_REGION], 0);

    } else {
        gs_buf_text(b, "cn");
    }

    gs_sign_encode(b, &scope, 0);

    if (cred->text[GS_SIGN_V4_SERVICE].len != 0) {
        gs_sign_encode(b, &cred->text[GS_SIGN_V4_SERVICE], 0);

    } else {
        gs_buf_text(b, "execute-api");
    }

    gs_buf_text(b, "%2Faws4_request&X-Amz-Date=");
    gs_buf_str(b, &date);
    gs_buf_text(b, "&X-Amz-Expires=");
    gs_buf_i64(b, seconds);
    gs_buf_text(b, "&X-Amz-SignedHeaders=host&X-Amz-Signature=");

    for (i = 0; i < 64; i++) {
        gs_buf_char(b, '0');
    }
}
