
/*
 * Copyright (C) govsvc authors
 *
 * Targets in the forms that signatures want, and dates.
 */


#include "token/gs_sign_priv.h"

#include "core/gs_hex.h"


#define GS_SIGN_MAX_TIME  253402300799     /* the last second of year 9999 */


static int gs_sign_unreserved(int c);
static void gs_sign_put(gs_buf_t *b, int c, int slash);
static void gs_sign_sort(gs_sign_param_t *params, size_t n);
static void gs_sign_sift(gs_sign_param_t *params, size_t i, size_t n);
static int gs_sign_param_cmp(const gs_sign_param_t *a,
    const gs_sign_param_t *b);
static gs_rc_t gs_sign_digits(const gs_uchar_t *p, size_t n, int *value);
static gs_rc_t gs_sign_civil(const int *date, int64_t *sec);
static void gs_sign_uncivil(int64_t sec, int *date);


static const char  gs_sign_months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char  gs_sign_days[] = "ThuFriSatSunMonTueWed";


int
gs_sign_split(const gs_str_t *target, gs_str_t *path, gs_str_t *query)
{
    size_t  pos;

    pos = gs_str_chr(target, 0, '?');
    *path = gs_str_make(target->data, pos);

    if (pos == target->len) {
        *query = gs_str_make(NULL, 0);
        return 0;
    }

    *query = gs_str_make(target->data + pos + 1, target->len - pos - 1);

    return 1;
}


/* RFC 3986 section 2.3 */

static int
gs_sign_unreserved(int c)
{
    return gs_is_alpha(c) || gs_is_digit(c) || c == '-' || c == '.'
           || c == '_' || c == '~';
}


static void
gs_sign_put(gs_buf_t *b, int c, int slash)
{
    static const char  hex[] = "0123456789ABCDEF";

    if (gs_sign_unreserved(c) || (slash && c == '/')) {
        gs_buf_char(b, c);
        return;
    }

    gs_buf_char(b, '%');
    gs_buf_char(b, hex[c >> 4]);
    gs_buf_char(b, hex[c & 15]);
}


void
gs_sign_encode(gs_buf_t *b, const gs_str_t *s, int slash)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {
        gs_sign_put(b, s->data[i], slash);
    }
}


/* A "%" without two digits stands for itself; "+" is a plus. */

void
gs_sign_recode(gs_buf_t *b, const gs_str_t *s, int slash)
{
    int     c, high, low;
    size_t  i;

    for (i = 0; i < s->len; i++) {
        c = s->data[i];

        if (c == '%' && s->len - i > 2) {
            high = gs_hex_value(s->data[i + 1]);
            low = gs_hex_value(s->data[i + 2]);

            if (high >= 0 && low >= 0) {
                c = high << 4 | low;
                i += 2;
            }
        }

        gs_sign_put(b, c, slash);
    }
}


gs_rc_t
gs_sign_query(gs_sign_crypto_t *crypto, const gs_str_t *query, int recode,
    const char *but, gs_buf_t *b)
{
    size_t            i, n, end, eq;
    gs_buf_t          scratch;
    gs_str_t          name, value;
    gs_uchar_t       *start;
    gs_sign_param_t  *param;

    n = 0;
    gs_buf_init(&scratch, crypto->scratch, GS_SIGN_CANON);

    for (i = 0; i < query->len; i = end + 1) {
        end = gs_str_chr(query, i, '&');

        if (end == i) {
            continue;
        }

        eq = gs_str_chr(query, i, '=');

        if (eq > end) {
            eq = end;
        }

        name = gs_str_make(query->data + i, eq - i);

        if (but != NULL && gs_str_eq_text(&name, but)) {
            continue;
        }

        if (n == GS_SIGN_PARAMS) {
            return GS_ERROR;
        }

        param = &crypto->params[n++];
        value = gs_str_make(query->data + eq, end - eq);

        if (!recode) {
            param->name = name;
            param->value = value;
            continue;
        }

        start = scratch.pos;
        gs_sign_recode(&scratch, &name, 0);
        param->name = gs_str_make(start, (size_t) (scratch.pos - start));

        start = scratch.pos;
        gs_buf_char(&scratch, '=');

        if (value.len != 0) {
            value.data++;
            value.len--;
            gs_sign_recode(&scratch, &value, 0);
        }

        param->value = gs_str_make(start, (size_t) (scratch.pos - start));
    }

    if (scratch.overflow) {
        return GS_ERROR;
    }

    gs_sign_sort(crypto->params, n);

    for (i = 0; i < n; i++) {
        if (i != 0) {
            gs_buf_char(b, '&');
        }

        gs_buf_str(b, &crypto->params[i].name);
        gs_buf_str(b, &crypto->params[i].value);
    }

    return GS_OK;
}


/* A heap: its worst case, which callers can choose, is not quadratic. */

static void
gs_sign_sort(gs_sign_param_t *params, size_t n)
{
    size_t           i;
    gs_sign_param_t  param;

    for (i = n / 2; i != 0; i--) {
        gs_sign_sift(params, i - 1, n);
    }

    for (i = n; i > 1; i--) {
        param = params[0];
        params[0] = params[i - 1];
        params[i - 1] = param;
        gs_sign_sift(params, 0, i - 1);
    }
}


static void
gs_sign_sift(gs_sign_param_t *params, size_t i, size_t n)
{
    size_t           child;
    gs_sign_param_t  param;

    for ( ;; ) {
        child = 2 * i + 1;

        if (child >= n) {
            return;
        }

        if (child + 1 < n
            && gs_sign_param_cmp(&params[child], &params[child + 1]) < 0)
        {
            child++;
        }

        if (gs_sign_param_cmp(&params[i], &params[child]) >= 0) {
            return;
        }

        param = params[i];
        params[i] = params[child];
        params[child] = param;
        i = child;
    }
}


static int
gs_sign_param_cmp(const gs_sign_param_t *a, const gs_sign_param_t *b)
{
    int  rc;

    rc = gs_str_cmp(&a->name, &b->name);

    return rc != 0 ? rc : gs_str_cmp(&a->value, &b->value);
}


/*
 * RFC 3986 section 5.2.4, with empty segments dropped as well.  What ends in a
 * dot segment ends in a slash: "/a/b/.." is "/a/" and not "/a".
 */

void
gs_sign_path(gs_sign_crypto_t *crypto, const gs_str_t *path, gs_buf_t *b)
{
    int         slash;
    size_t      i, end;
    gs_buf_t    s;
    gs_str_t    view, segment;

    slash = (path->len == 0 || path->data[path->len - 1] == '/');
    gs_buf_init(&s, crypto->scratch, GS_SIGN_CANON);

    for (i = 0; i < path->len; i = end + 1) {
        end = gs_str_chr(path, i, '/');
        segment = gs_str_make(path->data + i, end - i);

        if (segment.len == 0) {
            continue;
        }

        if (gs_str_eq_text(&segment, ".")) {
            slash |= (end == path->len);
            continue;
        }

        if (gs_str_eq_text(&segment, "..")) {
            slash |= (end == path->len);

            while (s.pos > s.start && *--s.pos != '/') {
                /* void */
            }

            continue;
        }

        gs_buf_char(&s, '/');
        gs_buf_str(&s, &segment);
    }

    if (slash || s.pos == s.start) {
        gs_buf_char(&s, '/');
    }

    b->overflow |= s.overflow;
    view = gs_buf_view(&s);
    gs_sign_encode(b, &view, 1);
}


gs_rc_t
gs_sign_seconds(const gs_str_t *s, int64_t *sec)
{
    uint64_t  n;

    if (gs_parse_u64(s, &n) != GS_OK || n == 0 || n > GS_SIGN_MAX_TIME) {
        return GS_ERROR;
    }

    *sec = (int64_t) n;

    return GS_OK;
}


/* IMF-fixdate of RFC 9110 section 5.6.7; the obsolete forms are refused. */

gs_rc_t
gs_sign_http_date(const gs_str_t *s, int64_t *sec)
{
    int                date[6], month;
    size_t             i;
    gs_str_t           text;
    const gs_uchar_t  *p;
    static const char  form[] = "   , 00     0000 00:00:00 GMT";

    if (s->len != sizeof(form) - 1) {
        return GS_ERROR;
    }

    p = s->data;

    for (i = 3; i < s->len; i++) {
        if (form[i] != '0' && (i < 8 || i > 10)
            && p[i] != (gs_uchar_t) form[i])
        {
            return GS_ERROR;
        }
    }

    text = gs_str_make(p + 8, 3);

    for (month = 0; month < 12; month++) {
        if (memcmp(text.data, gs_sign_months + 3 * month, 3) == 0) {
            break;
        }
    }

    date[1] = month + 1;

    if (month == 12
        || gs_sign_digits(p + 5, 2, &date[2]) != GS_OK
        || gs_sign_digits(p + 12, 4, &date[0]) != GS_OK
        || gs_sign_digits(p + 17, 2, &date[3]) != GS_OK
        || gs_sign_digits(p + 20, 2, &date[4]) != GS_OK
        || gs_sign_digits(p + 23, 2, &date[5]) != GS_OK)
    {
        return GS_ERROR;
    }

    return gs_sign_civil(date, sec);
}


gs_rc_t
gs_sign_basic_date(const gs_str_t *s, int64_t *sec)
{
    int                date[6];
    const gs_uchar_t  *p;

    p = s->data;

    if (s->len != sizeof("20231114T221320Z") - 1
        || p[8] != 'T' || p[15] != 'Z'
        || gs_sign_digits(p, 4, &date[0]) != GS_OK
        || gs_sign_digits(p + 4, 2, &date[1]) != GS_OK
        || gs_sign_digits(p + 6, 2, &date[2]) != GS_OK
        || gs_sign_digits(p + 9, 2, &date[3]) != GS_OK
        || gs_sign_digits(p + 11, 2, &date[4]) != GS_OK
        || gs_sign_digits(p + 13, 2, &date[5]) != GS_OK)
    {
        return GS_ERROR;
    }

    return gs_sign_civil(date, sec);
}


static gs_rc_t
gs_sign_digits(const gs_uchar_t *p, size_t n, int *value)
{
    size_t  i;

    *value = 0;

    for (i = 0; i < n; i++) {
        if (!gs_is_digit(p[i])) {
            return GS_ERROR;
        }

        *value = *value * 10 + (p[i] - '0');
    }

    return GS_OK;
}


/*
 * Year, month, day, hour, minute, second; after the first second of 1970, for a
 * time of 0 would mean that a scheme has none.
 */

static gs_rc_t
gs_sign_civil(const int *date, int64_t *sec)
{
    int      back[6];
    int64_t  year, month, days;

    if (date[0] < 1970 || date[1] < 1 || date[1] > 12 || date[2] < 1
        || date[2] > 31 || date[3] > 23 || date[4] > 59 || date[5] > 60)
    {
        return GS_ERROR;
    }

    /* the year begins in March, so that February is its end */

    month = (date[1] + 9) % 12;
    year = date[0] - (month >= 10);

    days = year * 365 + year / 4 - year / 100 + year / 400
           + (month * 153 + 2) / 5 + date[2] - 1 - 719468;

    *sec = days * 86400 + date[3] * 3600 + date[4] * 60 + date[5];

    /* the 30th of February comes back as another day */

    gs_sign_uncivil(days * 86400, back);

    return (back[2] == date[2] && back[1] == date[1] && *sec > 0) ? GS_OK
                                                                  : GS_ERROR;
}


static void
gs_sign_uncivil(int64_t sec, int *date)
{
    int64_t  days, era, doe, yoe, doy, month;

    days = sec / 86400 + 719468;
    sec %= 86400;

    era = days / 146097;
    doe = days % 146097;
    yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    month = (5 * doy + 2) / 153;

    date[2] = (int) (doy - (153 * month + 2) / 5 + 1);
    date[1] = (int) (month < 10 ? month + 3 : month - 9);
    date[0] = (int) (yoe + era * 400 + (date[1] <= 2));
    date[3] = (int) (sec / 3600);
    date[4] = (int) (sec / 60 % 60);
    date[5] = (int) (sec % 60);
}


void
gs_sign_http_date_put(gs_buf_t *b, int64_t sec)
{
    int  date[6];

    gs_sign_uncivil(sec, date);

    gs_buf_put(b, gs_sign_days + 3 * (sec / 86400 % 7), 3);
    gs_buf_text(b, ", ");
    gs_buf_pad(b, (uint64_t) date[2], 2);
    gs_buf_char(b, ' ');
    gs_buf_put(b, gs_sign_months + 3 * (date[1] - 1), 3);
    gs_buf_char(b, ' ');
    gs_buf_pad(b, (uint64_t) date[0], 4);
    gs_buf_char(b, ' ');
    gs_buf_pad(b, (uint64_t) date[3], 2);
    gs_buf_char(b, ':');
    gs_buf_pad(b, (uint64_t) date[4], 2);
    gs_buf_char(b, ':');
    gs_buf_pad(b, (uint64_t) date[5], 2);
    gs_buf_text(b, " GMT");
}


void
gs_sign_basic_date_put(gs_buf_t *b, int64_t sec)
{
    int  i, date[6];

    gs_sign_uncivil(sec, date);
    gs_buf_pad(b, (uint64_t) date[0], 4);

    for (i = 1; i < 6; i++) {
        gs_buf_pad(b, (uint64_t) date[i], 2);

        if (i == 2) {
            gs_buf_char(b, 'T');
        }
    }

    gs_buf_char(b, 'Z');
}
