
/*
 * Copyright (C) govsvc authors
 *
 * Item codes: 31 = credit code (18), level (1), basic code (12); 33 adds a
 * sequence of two digits.
 */


#include "route/gs_item.h"


#define GS_ITEM_USCC  18
#define GS_ITEM_BASE  12
#define GS_ITEM_TASK  31
#define GS_ITEM_FULL  33


static int gs_item_uscc_value(int c);
static int gs_item_uscc_valid(const gs_uchar_t *p);
static int gs_item_digits(const gs_uchar_t *p, size_t len);
static void gs_item_base(gs_item_t *item, const gs_uchar_t *p);


static const char  gs_item_alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";

static const gs_uchar_t  gs_item_weights[GS_ITEM_USCC - 1] = {
    1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28
};


gs_rc_t
gs_item_parse(const gs_str_t *s, gs_item_t *item)
{
    uint32_t           region;
    unsigned           i;
    const gs_uchar_t  *p;

    memset(item, 0, sizeof(gs_item_t));

    p = s->data;

    if (s->len == GS_ITEM_BASE) {

        if (!gs_item_digits(p, GS_ITEM_BASE)) {
            return GS_DECLINED;
        }

        item->code = *s;
        gs_item_base(item, p);

        return GS_OK;
    }

    if (s->len != GS_ITEM_TASK && s->len != GS_ITEM_FULL) {
        return GS_DECLINED;
    }

    if (!gs_item_uscc_valid(p)
        || p[GS_ITEM_USCC] < '1' || p[GS_ITEM_USCC] > '9'
        || !gs_item_digits(p + GS_ITEM_USCC + 1, s->len - GS_ITEM_USCC - 1))
    {
        return GS_DECLINED;
    }

    region = 0;

    for (i = 2; i < 8; i++) {
        region = region * 10 + (uint32_t) (p[i] - '0');
    }

    item->code = *s;
    item->uscc = gs_str_make(p, GS_ITEM_USCC);
    item->region = region;
    item->level = (unsigned) (p[GS_ITEM_USCC] - '0');
    item->check_failed = (gs_item_uscc_check(p) != p[GS_ITEM_USCC - 1]);

    gs_item_base(item, p + GS_ITEM_USCC + 1);

    if (s->len == GS_ITEM_FULL) {
        item->seq = gs_str_make(p + GS_ITEM_TASK, GS_ITEM_FULL - GS_ITEM_TASK);
    }

    return GS_OK;
}


int
gs_item_same(const gs_item_t *a, const gs_item_t *b)
{
    size_t  len;

    if (a->uscc.len == 0 || b->uscc.len == 0) {
        return gs_str_eq(&a->base, &b->base);
    }

    len = (a->code.len < b->code.len) ? a->code.len : b->code.len;

    return memcmp(a->code.data, b->code.data, len) == 0;
}


int
gs_item_uscc_check(const gs_uchar_t *uscc)
{
    int       value;
    unsigned  i, sum;

    sum = 0;

    for (i = 0; i < GS_ITEM_USCC - 1; i++) {
        value = gs_item_uscc_value(uscc[i]);

        if (value < 0) {
            return 0;
        }

        sum += (unsigned) value * gs_item_weights[i];
    }

    return gs_item_alphabet[(31 - sum % 31) % 31];
}


int
gs_item_case_no(const gs_str_t *s)
{
    int     c;
    size_t  i;

    if (s->len < 1 || s->len > 50) {
        return 0;
    }

    for (i = 0; i < s->len; i++) {
        c = s->data[i];

        if (!gs_is_digit(c) && !gs_is_alpha(c) && c != '_' && c != '-') {
            return 0;
        }
    }

    return 1;
}


static void
gs_item_base(gs_item_t *item, const gs_uchar_t *p)
{
    item->base = gs_str_make(p, GS_ITEM_BASE);
    item->issuer = gs_str_make(p, 2);
    item->type = gs_str_make(p + 2, 2);
    item->main = gs_str_make(p + 4, 5);
    item->sub = gs_str_make(p + 9, 3);
}


static int
gs_item_uscc_valid(const gs_uchar_t *p)
{
    unsigned  i;

    for (i = 0; i < GS_ITEM_USCC; i++) {

        if (i >= 2 && i < 8) {
            if (!gs_is_digit(p[i])) {
                return 0;
            }

            continue;
        }

        if (gs_item_uscc_value(p[i]) < 0) {
            return 0;
        }
    }

    return 1;
}


static int
gs_item_uscc_value(int c)
{
    const char  *p;

    if (gs_is_digit(c)) {
        return c - '0';
    }

    if (c < 'A' || c > 'Y') {
        return -1;
    }

    p = memchr(gs_item_alphabet, c, sizeof(gs_item_alphabet) - 1);

    return (p != NULL) ? (int) (p - gs_item_alphabet) : -1;
}


static int
gs_item_digits(const gs_uchar_t *p, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if (!gs_is_digit(p[i])) {
            return 0;
        }
    }

    return 1;
}
