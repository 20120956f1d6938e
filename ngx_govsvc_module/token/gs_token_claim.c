
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


typedef struct {
    gs_buf_t    pointer;                   /* where the walk is */
    gs_uchar_t  text[GS_TOKEN_CLAIM_PATH];
} gs_token_claim_path_t;


static gs_rc_t gs_token_claim_decimal(const gs_str_t *s,
    gs_token_decimal_t *d);
static gs_rc_t gs_token_claim_exponent(const gs_str_t *s, size_t i, long *e);
static void gs_token_claim_pack_value(gs_buf_t *b,
    gs_token_claim_path_t *path, const gs_str_t *name,
    const gs_token_node_t *node);
static void gs_token_claim_pack_array(gs_buf_t *b,
    gs_token_claim_path_t *path, const gs_str_t *name,
    const gs_token_node_t *node);
static void gs_token_claim_step(gs_token_claim_path_t *path,
    const gs_str_t *key);
static void gs_token_claim_pack_one(gs_buf_t *b, const gs_str_t *name,
    const gs_token_node_t *node, unsigned flags);
static int gs_token_claim_is(const gs_token_claim_iter_t *it,
    const gs_str_t *path, const gs_str_t *name);


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
    const gs_token_node_t  *n;
    gs_token_claim_path_t   path;

    for (n = object->child; n != NULL; n = n->next) {

        if (n->key.len != 0 && n->key.data[0] == '/') {
            continue;
        }

        gs_buf_init(&path.pointer, path.text, sizeof(path.text));
        gs_token_claim_step(&path, &n->key);

        gs_token_claim_pack_value(b, &path, &n->key, n);
    }
}


/* name is what the records are called: the key at the top, else the path. */

static void
gs_token_claim_pack_value(gs_buf_t *b, gs_token_claim_path_t *path,
    const gs_str_t *name, const gs_token_node_t *node)
{
    gs_str_t                below;
    gs_uchar_t             *end;
    const gs_token_node_t  *n;

    if (node->type == GS_TOKEN_JSON_ARRAY) {
        gs_token_claim_pack_array(b, path, name, node);
        return;
    }

    if (node->type != GS_TOKEN_JSON_OBJECT) {
        gs_token_claim_pack_one(b, name, node, 0);
        return;
    }

    end = path->pointer.pos;

    for (n = node->child; n != NULL; n = n->next) {
        gs_token_claim_step(path, &n->key);
        b->overflow |= path->pointer.overflow;

        below = gs_buf_view(&path->pointer);
        gs_token_claim_pack_value(b, path, &below, n);

        path->pointer.pos = end;
    }
}


static void
gs_token_claim_pack_array(gs_buf_t *b, gs_token_claim_path_t *path,
    const gs_str_t *name, const gs_token_node_t *node)
{
    uint64_t                i;
    gs_str_t                below;
    gs_uchar_t             *end;
    const gs_token_node_t  *n;

    end = path->pointer.pos;
    i = 0;

    for (n = node->child; n != NULL; n = n->next) {

        gs_token_claim_pack_one(b, name, n, GS_TOKEN_CLAIM_ARRAY);

        if (n->type == GS_TOKEN_JSON_ARRAY
            || n->type == GS_TOKEN_JSON_OBJECT)
        {
            gs_buf_char(&path->pointer, '/');
            gs_buf_u64(&path->pointer, i);
            b->overflow |= path->pointer.overflow;

            below = gs_buf_view(&path->pointer);
            gs_token_claim_pack_value(b, path, &below, n);

            path->pointer.pos = end;
        }

        i++;
    }
}


static void
gs_token_claim_step(gs_token_claim_path_t *path, const gs_str_t *key)
{
    size_t  i;

    gs_buf_char(&path->pointer, '/');

    for (i = 0; i < key->len; i++) {

        if (key->data[i] == '~') {
            gs_buf_text(&path->pointer, "~0");

        } else if (key->data[i] == '/') {
            gs_buf_text(&path->pointer, "~1");

        } else {
            gs_buf_char(&path->pointer, key->data[i]);
        }
    }
}


static void
gs_token_claim_pack_one(gs_buf_t *b, const gs_str_t *name,
    const gs_token_node_t *node, unsigned flags)
{
    gs_str_t         none;
    uint16_t         len[2];
    const gs_str_t  *value;

    value = &node->value;

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

        if (!(flags & GS_TOKEN_CLAIM_ARRAY)) {
            return;
        }

        flags |= GS_TOKEN_CLAIM_NONE;
        none = gs_str_make(NULL, 0);
        value = &none;
        break;
    }

    if (name->len > UINT16_MAX || value->len > UINT16_MAX) {
        b->overflow = 1;
        return;
    }

    len[0] = (uint16_t) name->len;
    len[1] = (uint16_t) value->len;

    gs_buf_put(b, len, sizeof(len));
    gs_buf_char(b, (int) flags);
    gs_buf_str(b, name);
    gs_buf_str(b, value);
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


void
gs_token_claim_iter(gs_token_claim_iter_t *it, const gs_str_t *path)
{
    size_t    i;
    gs_str_t  last;

    memset(it, 0, sizeof(gs_token_claim_iter_t));
    it->path = *path;

    if (path->len == 0 || path->data[0] != '/') {
        return;
    }

    for (i = path->len; path->data[i - 1] != '/'; i--) {
        /* void */
    }

    last = gs_str_make(path->data + i, path->len - i);

    if (i > 1 && gs_parse_u64(&last, &it->index) == GS_OK
        && (last.len == 1 || last.data[0] != '0'))
    {
        it->parent = gs_str_make(path->data, i - 1);
    }
}


gs_rc_t
gs_token_claim_each(gs_token_claim_iter_t *it, const gs_str_t *packed,
    gs_token_claim_t *claim)
{
    while (gs_token_claim_next(packed, &it->pos, claim) == GS_OK) {

        if ((claim->flags & GS_TOKEN_CLAIM_ARRAY) && it->parent.len != 0
            && gs_token_claim_is(it, &it->parent, &claim->name)
            && it->seen++ != it->index)
        {
            continue;
        }

        if (claim->flags & GS_TOKEN_CLAIM_NONE) {
            continue;
        }

        if (gs_token_claim_is(it, &it->path, &claim->name)) {
            return GS_OK;
        }

        if ((claim->flags & GS_TOKEN_CLAIM_ARRAY) && it->parent.len != 0
            && gs_token_claim_is(it, &it->parent, &claim->name))
        {
            claim->flags &= ~GS_TOKEN_CLAIM_ARRAY;
            return GS_OK;
        }
    }

    return GS_DONE;
}


/* Whether path means the records of that name. */

static int
gs_token_claim_is(const gs_token_claim_iter_t *it, const gs_str_t *path,
    const gs_str_t *name)
{
    gs_str_t  step;

    if (it->nocase ? gs_str_case_eq(path, name) : gs_str_eq(path, name)) {
        return 1;
    }

    if (path->len == 0 || path->data[0] != '/'
        || (name->len != 0 && name->data[0] == '/')
        || gs_str_chr(path, 1, '/') != path->len)
    {
        return 0;
    }

    /* one step: a member of the top level, which has no pointer */

    step = gs_str_make(path->data + 1, path->len - 1);

    return it->nocase ? gs_str_case_eq(name, &step)
                      : gs_token_json_named(name, &step);
}


gs_rc_t
gs_token_claim_find(const gs_str_t *packed, const gs_str_t *path,
    gs_token_claim_t *claim)
{
    gs_token_claim_iter_t  it;

    gs_token_claim_iter(&it, path);

    return gs_token_claim_each(&it, packed, claim) == GS_OK ? GS_OK
                                                            : GS_DECLINED;
}


int
gs_token_claim_has(const gs_str_t *packed, const gs_str_t *path,
    const gs_str_t *value)
{
    gs_token_claim_t       claim;
    gs_token_claim_iter_t  it;

    gs_token_claim_iter(&it, path);

    while (gs_token_claim_each(&it, packed, &claim) == GS_OK) {
        if (gs_str_eq(&claim.value, value)) {
            return 1;
        }
    }

    return 0;
}


int
gs_token_claim_has_word(const gs_str_t *packed, const gs_str_t *path,
    const gs_str_t *word)
{
    size_t                 i, end;
    gs_str_t               s;
    gs_token_claim_t       claim;
    gs_token_claim_iter_t  it;

    gs_token_claim_iter(&it, path);

    while (gs_token_claim_each(&it, packed, &claim) == GS_OK) {

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
