
/*
 * Copyright (C) govsvc authors
 *
 * Requests of each scheme, signed and then changed: every byte of method,
 * target, body, and of each header's name and value, and headers and
 * parameters as wholes.  One that still passes must mean what was signed
 * (sign_meaning.h).
 */


#include "sign_message.h"


#define ROUNDS  6000


static int mean_v4_api(const msg_t *m, gs_buf_t *b);
static int mean_v4_s3(const msg_t *m, gs_buf_t *b);
static int mean_link_api(const msg_t *m, gs_buf_t *b);
static int mean_link_s3(const msg_t *m, gs_buf_t *b);
static void run(const form_t *f);
static void judge(const char *what, size_t at);
static void each_byte(msg_text_t *t, const char *what);
static void edit(msg_text_t *t, size_t at, size_t cut, const char *s,
    size_t len);
static void each_header(void);
static void each_param(void);
static void param(size_t from, size_t to, int keep);
static void at_random(void);
static uint32_t number(uint32_t below);
static void equivalent(const form_t *f);
static void other(const form_t *f);
static int replaced(msg_text_t *t, const char *from, const char *to);
static void clocks(const form_t *f);


static const form_t  forms[] = {
    { "x-tif", GS_SIGN_TIF, GS_SIGN_SHA256, 0, 1, NULL, NULL, mean_tif },
    { "x-tif identity", GS_SIGN_TIF, GS_SIGN_SM3, 0, 0, NULL, "u1",
      mean_tif },
    { "gjzwfwpt", GS_SIGN_GJZWFWPT, GS_SIGN_HMAC_SHA256, 0, 1, NULL, NULL,
      mean_gjzwfwpt },
    { "x-bg-hmac", GS_SIGN_XBG, GS_SIGN_HMAC_SM3, 0, 1, NULL, NULL,
      mean_xbg },
    { "govhmac", GS_SIGN_GOVHMAC, GS_SIGN_HMAC_SM3, 0, 1, NULL, NULL,
      mean_govhmac },
    { "sigv4", GS_SIGN_SIGV4, GS_SIGN_HMAC_SHA256, 0, 1, "execute-api", NULL,
      mean_v4_api },
    { "sigv4 s3", GS_SIGN_SIGV4, GS_SIGN_HMAC_SHA256, 0, 1, "s3", NULL,
      mean_v4_s3 },
    { "presigned", GS_SIGN_SIGV4, GS_SIGN_HMAC_SHA256, 1, 0, "execute-api",
      NULL, mean_link_api },
    { "presigned s3", GS_SIGN_SIGV4, GS_SIGN_HMAC_SHA256, 1, 0, "s3", NULL,
      mean_link_s3 },
    { "rfc9421", GS_SIGN_RFC9421, GS_SIGN_HMAC_SHA256, 0, 1, NULL, NULL,
      mean_rfc9421 },
    { "rfc9421 ed25519", GS_SIGN_RFC9421, GS_SIGN_ED25519, 0, 1, NULL, NULL,
      mean_rfc9421 }
};


static msg_t       whole;
static mean_pt     mean;
static gs_str_t    meant;
static uint32_t    state;
static unsigned    tried, same, wrong;


int
main(void)
{
    size_t  i;

    crypto = gs_sign_crypto_create(&gs_mem_libc);

    if (crypto == NULL) {
        return 1;
    }

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        run(&forms[i]);
    }

    gs_sign_crypto_destroy(crypto);

    return done_testing();
}


static int
mean_v4_api(const msg_t *m, gs_buf_t *b)
{
    return mean_v4(m, b, 0);
}


static int
mean_v4_s3(const msg_t *m, gs_buf_t *b)
{
    return mean_v4(m, b, 1);
}


static int
mean_link_api(const msg_t *m, gs_buf_t *b)
{
    return mean_v4_query(m, b, 0);
}


static int
mean_link_s3(const msg_t *m, gs_buf_t *b)
{
    return mean_v4_query(m, b, 1);
}


static void
run(const form_t *f)
{
    gs_buf_t           b;
    static gs_uchar_t  text[MSG_TEXT * 8];

    apps = load(f);
    mean = f->mean;
    state = 2463534242u;
    tried = 0;
    same = 0;
    wrong = 0;

    sign(f);
    ok(passes(&msg), "%s: signed", f->name);

    gs_buf_init(&b, text, sizeof(text));
    ok(mean(&msg, &b) && !b.overflow, "%s: means something", f->name);
    meant = gs_buf_view(&b);

    each_byte(&msg.method, "method");
    each_byte(&msg.target, "target");
    each_byte(&msg.body, "body");
    each_header();
    each_param();
    at_random();

    is_int(wrong, 0, "%s: no other request passes", f->name);
    ok(tried > 5000 && same != 0 && same < tried / 2,
       "%s: most requests are others", f->name);
    diag("%s: %u changed requests, %u passed", f->name, tried, same);

    equivalent(f);
    other(f);
    clocks(f);
    gs_apps_destroy(apps);
}


static void
judge(const char *what, size_t at)
{
    size_t             i;
    gs_buf_t           b;
    gs_str_t           s;
    static gs_uchar_t  text[MSG_TEXT * 16];

    tried++;

    if (!passes(&msg)) {
        return;
    }

    same++;
    gs_buf_init(&b, text, sizeof(text));

    if (mean(&msg, &b)) {
        s = gs_buf_view(&b);

        if (gs_str_eq(&s, &meant)) {
            return;
        }
    }

    if (wrong++ > 5) {
        return;
    }

    diag("%s, byte %u: %.*s %.*s", what, (unsigned) at, (int) msg.method.len,
         (const char *) msg.method.data, (int) msg.target.len,
         (const char *) msg.target.data);

    for (i = 0; i < msg.n; i++) {
        diag("    %.*s: %.*s", (int) msg.name[i].len,
             (const char *) msg.name[i].data, (int) msg.value[i].len,
             (const char *) msg.value[i].data);
    }
}


static void
each_byte(msg_text_t *t, const char *what)
{
    int          c, bit;
    char         s[8];
    size_t       i;
    const char  *p;
    msg_text_t   old;

    static const char  more[] = " \t,;=&?/%+.#:\"'\\aA09zZ_-\n";

    old = *t;

    for (i = 0; i <= old.len; i++) {

        for (p = more; *p != '\0'; p++) {
            edit(t, i, 0, p, 1);
            judge(what, i);
            *t = old;
        }

        edit(t, i, 0, "", 1);
        judge(what, i);
        *t = old;
        edit(t, i, 0, "/.", 2);
        judge(what, i);
        *t = old;
        edit(t, i, 0, "/x/..", 5);
        judge(what, i);
        *t = old;

        if (i == old.len) {
            break;
        }

        c = old.data[i];

        for (bit = 0; bit < 8; bit++) {
            t->data[i] = (gs_uchar_t) (c ^ 1 << bit);
            judge(what, i);
        }

        *t = old;
        edit(t, i, 1, "", 0);
        judge(what, i);
        *t = old;
        edit(t, i, 0, (const char *) &old.data[i], 1);
        judge(what, i);
        *t = old;
        t->len = i;
        judge(what, i);
        *t = old;

        (void) snprintf(s, sizeof(s), "%%%02x", c);
        edit(t, i, 1, s, 3);
        judge(what, i);
        *t = old;
        (void) snprintf(s, sizeof(s), "%%%02X", c);
        edit(t, i, 1, s, 3);
        judge(what, i);
        *t = old;
        (void) snprintf(s, sizeof(s), "%%25%02X", c);
        edit(t, i, 1, s, 5);
        judge(what, i);
        *t = old;

        if (i + 1 < old.len) {
            t->data[i] = old.data[i + 1];
            t->data[i + 1] = (gs_uchar_t) c;
            judge(what, i);
            *t = old;
        }
    }
}


static void
edit(msg_text_t *t, size_t at, size_t cut, const char *s, size_t len)
{
    if (t->len - cut + len > MSG_TEXT) {
        abort();
    }

    memmove(t->data + at + len, t->data + at + cut, t->len - at - cut);
    memcpy(t->data + at, s, len);
    t->len = t->len - cut + len;
}


/* Each byte of one, and one left out, twice, empty, in another place. */

static void
each_header(void)
{
    size_t  i, k;

    whole = msg;

    for (i = 0; i < whole.n; i++) {
        each_byte(&msg.name[i], "name");
        each_byte(&msg.value[i], "value");

        msg.n--;
        msg.name[i] = msg.name[msg.n];
        msg.value[i] = msg.value[msg.n];
        judge("left out", i);
        msg = whole;

        msg.value[i].len = 0;
        judge("empty", i);
        msg = whole;

        for (k = 0; k < whole.n; k++) {
            msg.name[i] = whole.name[k];
            msg.name[k] = whole.name[i];
            judge("names changed", i);
            msg = whole;

            msg.name[msg.n] = whole.name[i];
            msg.value[msg.n++] = whole.value[k];
            judge("one more", i);
            msg = whole;
        }

        for (k = 0; k <= whole.value[i].len; k++) {
            msg.name[msg.n] = whole.name[i];
            put(&msg.value[msg.n],
                gs_str_make(whole.value[i].data + k, whole.value[i].len - k));
            msg.value[i].len = k;
            msg.n++;
            judge("two lines", k);
            msg = whole;
        }
    }
}


/* Parameters left out, twice, in another place, with another's value. */

static void
each_param(void)
{
    size_t  from, to;

    whole = msg;

    for (from = 0; from < 12; from++) {
        for (to = 0; to <= 12; to++) {
            param(from, to, 0);
            param(from, to, 1);
        }
    }
}


/* Parameter from moved, or copied, before parameter to; 12: left out. */

static void
param(size_t from, size_t to, int keep)
{
    char      text[MSG_TEXT];
    size_t    i, n, end, at;
    gs_str_t  query, list[16];

    at = gs_str_chr(&(gs_str_t) { whole.target.len, whole.target.data }, 0,
                    '?') + 1;
    query = gs_str_make(whole.target.data + at, whole.target.len - at);

    for (i = 0, n = 0; i < query.len && n < 13; i = end + 1) {
        end = gs_str_chr(&query, i, '&');
        list[n++] = gs_str_make(query.data + i, end - i);
    }

    if (from >= n) {
        return;
    }

    msg.target.len = at;

    for (i = 0; i <= n; i++) {
        (void) snprintf(text, sizeof(text), "%.*s%s",
                        i == to ? (int) list[from].len : 0,
                        (const char *) list[from].data, i == to ? "&" : "");
        edit(&msg.target, msg.target.len, 0, text, strlen(text));

        if (i < n && (i != from || keep)) {
            (void) snprintf(text, sizeof(text), "%.*s&", (int) list[i].len,
                            (const char *) list[i].data);
            edit(&msg.target, msg.target.len, 0, text, strlen(text));
        }
    }

    msg.target.len -= (msg.target.len > at);
    judge("parameters", from);
    msg = whole;
}


/* Two to five changes at once. */

static void
at_random(void)
{
    size_t       i, k, at;
    msg_text_t  *t, *other;

    static const char  more[] = " ,;=&?/%+.:\"aA0";

    whole = msg;

    for (i = 0; i < ROUNDS; i++) {

        for (k = number(4) + 2; k != 0; k--) {
            t = &msg.value[number((uint32_t) msg.n)];
            other = &msg.value[number((uint32_t) msg.n)];

            if (number(3) == 0) {
                t = &msg.target;
            }

            at = number((uint32_t) t->len + 1);

            switch (number(4)) {

            case 0:
                edit(t, at, 0, &more[number(sizeof(more) - 1)], 1);
                break;

            case 1:
                edit(t, at, at < t->len, "", 0);
                break;

            case 2:
                if (at < t->len && other->len != 0) {
                    edit(t, at, 1, (const char *)
                         &other->data[number((uint32_t) other->len)], 1);
                }
                break;

            default:

                /* bytes that change their place */

                if (at < t->len && t != other) {
                    edit(other, number(2) ? other->len : 0, 0,
                         (const char *) &t->data[at], 1);
                    edit(t, at, 1, "", 0);
                }
            }
        }

        judge("at random", i);
        msg = whole;
    }
}


static uint32_t
number(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;

    return below != 0 ? state % below : 0;
}


/* What must pass as well: a proxy on the way may write it so. */

static void
equivalent(const form_t *f)
{
    size_t    i;
    unsigned  v4, query, path;

    v4 = (f->scheme == GS_SIGN_SIGV4);
    query = v4 || f->scheme == GS_SIGN_GOVHMAC;
    path = v4 && strcmp(f->service, "s3") != 0;
    whole = msg;

    for (i = 0; i < msg.n; i++) {
        msg.name[i].data[0] ^= 0x20;
        edit(&msg.value[i], 0, 0, " \t", 2);
        edit(&msg.value[i], msg.value[i].len, 0, "\t ", 2);
    }

    ok(passes(&msg), "%s: RFC 9110 5.1, 5.5: names, blanks", f->name);
    msg = whole;
    add(gs_str_text("X-Forwarded-For"), gs_str_text("192.0.2.1"));
    ok(passes(&msg), "%s: a header that is not signed", f->name);
    msg = whole;

    if (f->scheme == GS_SIGN_RFC9421 || f->scheme == GS_SIGN_GOVHMAC) {
        put(&msg.value[0], gs_str_text("GW.gov.Example:80"));
        ok(passes(&msg), "%s: RFC 9110 4.2.3: the host", f->name);
        put(&msg.value[0], gs_str_text("gw.gov.example:8080"));
        ok(!passes(&msg), "%s: not another port", f->name);
        put(&msg.value[0], gs_str_text("gw.gov.example:443"));
        ok(!passes(&msg), "%s: nor that of another scheme", f->name);
        msg = whole;
    }

    if (query || f->scheme == GS_SIGN_XBG) {
        ok(replaced(&msg.target, "z=1&", "") && replaced(&msg.target, "&n=2",
                                                         "&n=2&&z=1&"),
           "%s: moved", f->name);
        ok(passes(&msg), "%s: parameters in another order", f->name);
        msg = whole;
    }

    if (query) {
        ok(replaced(&msg.target, "%E4%B8%AD&a", "%e4%b8%ad&%61=")
           && passes(&msg), "%s: RFC 3986 2.1, 2.3: escapes", f->name);
        msg = whole;
        ok(replaced(&msg.target, "+1", "%201") && !passes(&msg),
           "%s: a plus is no blank", f->name);
        msg = whole;
    }

    ok(path == (replaced(&msg.target, "/e?", "/./x/..//e?")
                && passes(&msg) && path), "%s: RFC 3986 5.2.4: dots", f->name);
    msg = whole;

    /* the path is not among what these sign */

    if (f->scheme != GS_SIGN_TIF && f->scheme != GS_SIGN_GJZWFWPT) {
        ok(replaced(&msg.target, "/e?", "/e/f/..?") && !passes(&msg),
           "%s: \"/e/f/..\" is \"/e/\"", f->name);
        msg = whole;
        ok(replaced(&msg.target, "/e?", "/e/.?") && !passes(&msg),
           "%s: so is \"/e/.\"", f->name);
        msg = whole;
        ok(replaced(&msg.target, "%20", "%2520") && !passes(&msg),
           "%s: escaped twice", f->name);
        msg = whole;
    }

    if (v4 && !f->link) {
        ok(replaced(&msg.value[1], "; a", ";   a") && passes(&msg),
           "%s: blanks within a value", f->name);
        msg = whole;
    }
}


/* What one change does not make: the text that is signed would be the same. */

static void
other(const form_t *f)
{
    size_t           i;
    unsigned         carry;
    const gs_app_t  *app;

    /* L of RFC 8032 section 5.1 */

    static const gs_uchar_t  order[32] = {
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
        0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0x10
    };

    if (f->scheme == GS_SIGN_SIGV4) {
        add(gs_str_text("x-AMZ-Meta"), gs_str_text("1"));
        ok(!passes(&msg), "%s: x-amz-* that is not signed", f->name);
        msg.n--;
        add(gs_str_text("X-Amz-Meta"), gs_str_text(""));
        ok(!passes(&msg), "%s: nor an empty one", f->name);
        msg = whole;
    }

    if (f->link) {
        add(gs_str_text("content-type"), gs_str_text("text/html"));
        ok(!passes(&msg), "%s: a type that is not signed", f->name);
        msg = whole;
    }

    if (f->subject != NULL) {
        put(&msg.value[6], gs_str_text("u1,eyJuIjoxfQ"));
        put(&msg.value[7], gs_str_text("x"));
        put(&msg.value[8], gs_str_text("y"));
        ok(!passes(&msg), "%s: commas within the user", f->name);
        msg = whole;
        put(&msg.value[7], gs_str_text("eyJuIjoxfQ,x"));
        put(&msg.value[8], gs_str_text("y"));
        ok(!passes(&msg), "%s: commas within what is told of it", f->name);
        msg = whole;
    }

    if (f->alg == GS_SIGN_ED25519) {
        ok(passes(&msg), "%s: passes", f->name);

        for (i = 0, carry = 0; i < 32; i++) {
            carry += (unsigned) cred.sig[32 + i] + order[i];
            cred.sig[32 + i] = (gs_uchar_t) carry;
            carry >>= 8;
        }

        is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW, &app),
                  GS_SIGN_BAD_SIGNATURE, "RFC 8032 5.1.7: S above the order");
    }

    if (f->scheme == GS_SIGN_GOVHMAC) {
        ok(replaced(&msg.value[msg.n - 1], " app=", " app=root, app=")
           && !passes(&msg), "%s: a name twice", f->name);
        msg = whole;
    }
}


static int
replaced(msg_text_t *t, const char *from, const char *to)
{
    size_t  i;

    for (i = 0; i + strlen(from) <= t->len; i++) {
        if (memcmp(t->data + i, from, strlen(from)) == 0) {
            edit(t, i, strlen(from), to, strlen(to));
            return 1;
        }
    }

    return 0;
}


/* Good at NOW; at the edges of the window and beyond. */

static void
clocks(const form_t *f)
{
    int64_t          window;
    const gs_app_t  *app;

    window = gs_sign_scheme_window(f->scheme);
    msg = whole;
    ok(passes(&msg), "%s: as it was", f->name);

    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW - window, &app),
              GS_SIGN_OK, "as early as may be");
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW - window - 1, &app),
              GS_SIGN_SKEW, "too early");

    if (f->link) {
        is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW + 599, &app),
                  GS_SIGN_OK, "in its last second");
        is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW + 600, &app),
                  GS_SIGN_EXPIRED, "ended");
        return;
    }

    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW + window, &app),
              GS_SIGN_OK, "as late as may be");
    is_reason(gs_apps_check(apps, crypto, &req, &cred, NOW + window + 1, &app),
              GS_SIGN_SKEW, "too late");
}
