
/*
 * Copyright (C) govsvc authors
 *
 * Strings with a length: comparison, numbers, nearest name.
 */


#include "core/gs_rc.h"
#include "core/gs_str.h"


#define GS_NEAREST_MAX  64


typedef struct {
    const char  *suffix;
    uint64_t     factor;
} gs_unit_t;


static gs_rc_t gs_parse_digits(const gs_str_t *s, size_t *used,
    uint64_t *value);
static gs_rc_t gs_parse_units(const gs_str_t *s, const gs_unit_t *units,
    uint64_t *value);
static unsigned gs_distance(const gs_str_t *s, const char *name, size_t len);
static unsigned gs_min3(unsigned a, unsigned b, unsigned c);


static const gs_unit_t  gs_size_units[] = {
    { "", 1 },
    { "k", 1024 },
    { "m", 1024 * 1024 },
    { "g", 1024 * 1024 * 1024 },
    { NULL, 0 }
};


static const gs_unit_t  gs_msec_units[] = {
    { "", 1000 },
    { "ms", 1 },
    { "s", 1000 },
    { "m", 60 * 1000 },
    { "h", 60 * 60 * 1000 },
    { "d", 24 * 60 * 60 * 1000 },
    { NULL, 0 }
};


int
gs_str_case_eq(const gs_str_t *a, const gs_str_t *b)
{
    size_t  i;

    if (a->len != b->len) {
        return 0;
    }

    for (i = 0; i < a->len; i++) {
        if (gs_to_lower(a->data[i]) != gs_to_lower(b->data[i])) {
            return 0;
        }
    }

    return 1;
}


int
gs_str_case_eq_text(const gs_str_t *a, const char *text)
{
    gs_str_t  b;

    b = gs_str_text(text);

    return gs_str_case_eq(a, &b);
}


int
gs_str_prefix(const gs_str_t *s, const gs_str_t *prefix)
{
    return s->len >= prefix->len
           && (prefix->len == 0
               || memcmp(s->data, prefix->data, prefix->len) == 0);
}


int
gs_str_suffix(const gs_str_t *s, const gs_str_t *suffix)
{
    return s->len >= suffix->len
           && (suffix->len == 0
               || memcmp(s->data + (s->len - suffix->len), suffix->data,
                         suffix->len)
                  == 0);
}


int
gs_str_cmp(const gs_str_t *a, const gs_str_t *b)
{
    int     rc;
    size_t  n;

    n = (a->len < b->len) ? a->len : b->len;

    if (n != 0) {
        rc = memcmp(a->data, b->data, n);
        if (rc != 0) {
            return (rc < 0) ? -1 : 1;
        }
    }

    if (a->len == b->len) {
        return 0;
    }

    return (a->len < b->len) ? -1 : 1;
}


int
gs_ct_eq(const void *a, const void *b, size_t len)
{
    size_t                      i;
    unsigned                    diff;
    const volatile gs_uchar_t  *p, *q;

    p = a;
    q = b;
    diff = 0;

    for (i = 0; i < len; i++) {
        diff |= p[i] ^ q[i];
    }

    return diff == 0;
}


gs_rc_t
gs_parse_u64(const gs_str_t *s, uint64_t *value)
{
    size_t    used;
    uint64_t  n;

    if (gs_parse_digits(s, &used, &n) != GS_OK || used != s->len) {
        return GS_ERROR;
    }

    *value = n;

    return GS_OK;
}


gs_rc_t
gs_parse_size(const gs_str_t *s, uint64_t *bytes)
{
    return gs_parse_units(s, gs_size_units, bytes);
}


gs_rc_t
gs_parse_msec(const gs_str_t *s, uint64_t *msec)
{
    return gs_parse_units(s, gs_msec_units, msec);
}


static gs_rc_t
gs_parse_digits(const gs_str_t *s, size_t *used, uint64_t *value)
{
    size_t    i;
    uint64_t  n, digit;

    n = 0;

    for (i = 0; i < s->len && gs_is_digit(s->data[i]); i++) {
        digit = s->data[i] - '0';

        if (n > (UINT64_MAX - digit) / 10) {
            return GS_ERROR;
        }

        n = n * 10 + digit;
    }

    *used = i;
    *value = n;

    return (i == 0) ? GS_ERROR : GS_OK;
}


static gs_rc_t
gs_parse_units(const gs_str_t *s, const gs_unit_t *units, uint64_t *value)
{
    size_t    used;
    gs_str_t  unit;
    uint64_t  n;

    if (gs_parse_digits(s, &used, &n) != GS_OK) {
        return GS_ERROR;
    }

    unit = gs_str_make(s->data + used, s->len - used);

    for ( ; units->suffix != NULL; units++) {

        if (!gs_str_case_eq_text(&unit, units->suffix)) {
            continue;
        }

        if (n > UINT64_MAX / units->factor) {
            return GS_ERROR;
        }

        *value = n * units->factor;

        return GS_OK;
    }

    return GS_ERROR;
}


const char *
gs_nearest(const gs_str_t *s, const char *const *names)
{
    size_t       len, diff;
    unsigned     distance, best;
    const char  *found;

    if (s->len == 0 || s->len > GS_NEAREST_MAX) {
        return NULL;
    }

    best = (s->len < 3) ? 1 : (unsigned) s->len / 3;
    found = NULL;

    for ( ; *names != NULL; names++) {

        len = strlen(*names);
        diff = (len > s->len) ? len - s->len : s->len - len;

        if (diff > best || len > GS_NEAREST_MAX) {
            continue;
        }

        distance = gs_distance(s, *names, len);

        if (distance < best || (distance == best && found == NULL)) {
            best = distance;
            found = *names;
        }
    }

    return found;
}


/*
 * Optimal string alignment: insert, delete, replace and swap of neighbours
 * cost 1; letter case costs nothing.
 */

static unsigned
gs_distance(const gs_str_t *s, const char *name, size_t len)
{
    int        c, d;
    size_t     i, j;
    unsigned   cost, best;
    unsigned   rows[3][GS_NEAREST_MAX + 1];
    unsigned  *row, *prev, *before;

    for (j = 0; j <= len; j++) {
        rows[0][j] = (unsigned) j;
    }

    for (i = 1; i <= s->len; i++) {

        row = rows[i % 3];
        prev = rows[(i + 2) % 3];
        before = rows[(i + 1) % 3];

        row[0] = (unsigned) i;
        c = gs_to_lower(s->data[i - 1]);

        for (j = 1; j <= len; j++) {
            d = gs_to_lower((gs_uchar_t) name[j - 1]);
            cost = (c != d);
            best = gs_min3(row[j - 1] + 1, prev[j] + 1, prev[j - 1] + cost);

            if (i > 1 && j > 1
                && c == gs_to_lower((gs_uchar_t) name[j - 2])
                && d == gs_to_lower(s->data[i - 2])
                && before[j - 2] + 1 < best)
            {
                best = before[j - 2] + 1;
            }

            row[j] = best;
        }
    }

    return rows[s->len % 3][len];
}


static unsigned
gs_min3(unsigned a, unsigned b, unsigned c)
{
    if (b < a) {
        a = b;
    }

    return (c < a) ? c : a;
}
