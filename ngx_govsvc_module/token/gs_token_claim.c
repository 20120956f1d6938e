
/*
 * Copyright (C) govsvc authors
 *
 * Claims: dates, audiences, the packed form.
 */


#include "token/gs_token_claim.h"
#include "token/gs_token.h"


#define GS_TOKEN_CLAIM_HEAD    5
#define GS_TOKEN_CLAIM_DIGITS  20          /* of a date, leading zeros too */


typedef struct {
    gs_uchar_t  digits[GS_TOKEN_CLAIM_DIGITS];
    size_t      n;
    long        point;                     /* digits before the point */
} gs_token_decimal_t;


static gs_rc_t gs_token_claim_decimal(const gs_str_t *s,
    gs_token_decimal_t *d);
static gs_rc_t gs_token_claim_exponent(const gs_str_t *s, size_t i, long *e);
static void gs_token_claim_pack_one(gs_buf_t *b, const gs_str_t *name,
    const gs_token_node_t *node, unsigned flags);


gs_rc_t
gs_token_claim_date(const gs_token_node_t *node, int64_t *date)
{
    long                i;
    int64_t             n;
    gs_token_decimal_t  d;

    if (node->type != GS_TOKEN_JSON_NUMBER
        || gs_token_claim_decimal(&node->value, &d) != GS_OK)
    {
        return GS_ERROR;
    }

    n = 0;

    for (i = 0; i < d.point; i++) {
        n = n * 10 + (i < (long) d.n ? d.digits[i] : 0);

        if (n > GS_TOKEN_MAX_TIME) {
            return GS_ERROR;
        }

        if (n == 0 && i >= (long) d.n) {
            break;
        }
    }

    *date = n;

    return GS_OK;
}


/*
 * The text is a number by the grammar of JSON.  Digits behind those kept must
 * belong to the fraction.
 */

static gs_rc_t
gs_token_claim_decimal(const gs_str_t *s, gs_token_decimal_t *d)
{
    int     point, cut;
    long    e;
    size_t  i;

    d->n = 0;
    d->point = 0;
    point = 0;
    cut = 0;
    e = 0;

    for (i = 0; i < s->len; i++) {

        if (s->data[i] == '.') {
            point = 1;
            continue;
        }

        if (s->data[i] == 'e' || s->data[i] == 'E') {
            if (gs_token_claim_exponent(s, i + 1, &e) != GS_OK) {
                return GS_ERROR;
            }

            break;
        }

        if (!gs_is_digit(s->data[i])) {
            return GS_ERROR;
        }

        if (d->n < GS_TOKEN_CLAIM_DIGITS) {
            d->digits[d->n++] = (gs_uchar_t) (s->data[i] - '0');

        } else if (point) {
            cut = 1;

        } else {
            return GS_ERROR;
        }

        if (!point) {
            d->point++;
        }
    }

    if (cut && e > 0) {
        return GS_ERROR;
    }

    d->point += e;

    return GS_OK;
}


static gs_rc_t
gs_token_claim_exponent(const gs_str_t *s, size_t i, long *e)
{
    int  minus;

    minus = (s->data[i] == '-');

    if (minus || s->data[i] == '+') {
        i++;
    }

    for (*e = 0; i < s->len; i++) {
        *e = *e * 10 + (s->data[i] - '0');

        if (*e > 10000) {
            return GS_ERROR;
        }
    }

    if (minus) {
        *e = -*e;
    }

    return GS_OK;
}


gs_rc_t
gs_token_claim_audience(const gs_token_node_t *node, const gs_str_t *names,
    size_t n)
{
    int                     found;
    size_t                  i;
    const gs_token_node_t  *item;

    item = node;

    if (node->type == GS_TOKEN_JSON_ARRAY) {
        item = node->child;

    } else if (node->type != GS_TOKEN_JSON_STRING) {
        return GS_ERROR;
    }

    for (found = 0; item != NULL; item = item->next) {

        if (item->type != GS_TOKEN_JSON_STRING) {
            return GS_ERROR;
        }

        for (i = 0; i < n; i++) {
            found |= gs_str_eq(&item->value, &names[i]);
        }

        if (item == node) {
            break;
        }
    }

    return found ? GS_OK : GS_DECLINED;
}


void
gs_token_claim_pack(gs_buf_t *b, const gs_token_node_t *object)
{
    const gs_token_node_t  *n, *item;

    for (n = object->child; n != NULL; n = n->next) {

        if (n->type != GS_TOKEN_JSON_ARRAY) {
            gs_token_claim_pack_one(b, &n->key, n, 0);
            continue;
        }

        for (item = n->child; item != NULL; item = item->next) {
            gs_token_claim_pack_one(b, &n->key, item, GS_TOKEN_CLAIM_ARRAY);
        }
    }
}


static void
gs_token_claim_pack_one(gs_buf_t *b, const gs_str_t *name,
    const gs_token_node_t *node, unsigned flags)
{
    uint16_t  len[2];

    switch (node->type) {

    case GS_TOKEN_JSON_STRING:
        flags |= GS_TOKEN_CLAIM_STRING;

        if (gs_token_claim_ctl(&node->value)) {
            flags |= GS_TOKEN_CLAIM_CTL;
        }

        break;

    case GS_TOKEN_JSON_NUMBER:
    case GS_TOKEN_JSON_TRUE:
    case GS_TOKEN_JSON_FALSE:
        break;

    default:
        return;
    }

    if (name->len > UINT16_MAX || node->value.len > UINT16_MAX) {
        b->overflow = 1;
        return;
    }

    len[0] = (uint16_t) name->len;
    len[1] = (uint16_t) node->value.len;

    gs_buf_put(b, len, sizeof(len));
    gs_buf_char(b, (int) flags);
    gs_buf_str(b, name);
    gs_buf_str(b, &node->value);
}


gs_rc_t
gs_token_claim_next(const gs_str_t *packed, size_t *pos,
    gs_token_claim_t *claim)
{
    size_t             left;
    uint16_t           len[2];
    const gs_uchar_t  *p;

    left = packed->len - *pos;
    p = packed->data + *pos;

    if (left < GS_TOKEN_CLAIM_HEAD) {
        return GS_DONE;
    }

    memcpy(len, p, sizeof(len));

    if (left - GS_TOKEN_CLAIM_HEAD < (size_t) len[0] + len[1]) {
        return GS_DONE;
    }

    claim->flags = p[4];
    claim->name = gs_str_make(p + GS_TOKEN_CLAIM_HEAD, len[0]);
    claim->value = gs_str_make(p + GS_TOKEN_CLAIM_HEAD + len[0], len[1]);

    *pos += GS_TOKEN_CLAIM_HEAD + (size_t) len[0] + len[1];

    return GS_OK;
}


gs_rc_t
gs_token_claim_find(const gs_str_t *packed, const gs_str_t *name,
    gs_token_claim_t *claim)
{
    size_t  pos;

    pos = 0;

    while (gs_token_claim_next(packed, &pos, claim) == GS_OK) {
        if (gs_str_eq(&claim->name, name)) {
            return GS_OK;
        }
    }

    return GS_DECLINED;
}


int
gs_token_claim_has(const gs_str_t *packed, const gs_str_t *name,
    const gs_str_t *value)
{
    size_t            pos;
    gs_token_claim_t  claim;

    pos = 0;

    while (gs_token_claim_next(packed, &pos, &claim) == GS_OK) {
        if (gs_str_eq(&claim.name, name) && gs_str_eq(&claim.value, value)) {
            return 1;
        }
    }

    return 0;
}


int
gs_token_claim_has_word(const gs_str_t *packed, const gs_str_t *name,
    const gs_str_t *word)
{
    size_t            pos, i, end;
    gs_str_t          s;
    gs_token_claim_t  claim;

    pos = 0;

    while (gs_token_claim_next(packed, &pos, &claim) == GS_OK) {

        if (!gs_str_eq(&claim.name, name)) {
            continue;
        }

        for (i = 0; i < claim.value.len; i = end + 1) {
            end = gs_str_chr(&claim.value, i, ' ');
            s = gs_str_make(claim.value.data + i, end - i);

            if (gs_str_eq(&s, word)) {
                return 1;
            }
        }
    }

    return 0;
}


int
gs_token_claim_ctl(const gs_str_t *s)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {

        if (s->data[i] < 0x20 || s->data[i] == 0x7f) {
            return 1;
        }

        /* U+0080-9F are c2 80 to c2 9f */

        if (s->data[i] == 0xc2 && i + 1 < s->len && s->data[i + 1] < 0xa0) {
            return 1;
        }
    }

    return 0;
}
