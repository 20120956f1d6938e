
/*
 * Copyright (C) govsvc authors
 *
 * The values of one audit line.  Depth is bounded by the form, so that no
 * input can exhaust the stack.
 */


#include "audit/gs_audit_field.h"
#include "core/gs_hex.h"
#include "core/gs_utf8.h"


#define GS_AUDIT_FIELDS_FLAT  16           /* members of an object in a row */


typedef struct {
    const gs_uchar_t    *p;
    const gs_uchar_t    *last;
    gs_audit_fields_t   *f;
} gs_audit_fields_ctx_t;


static gs_rc_t gs_audit_fields_object(gs_audit_fields_ctx_t *c,
    const gs_str_t *object);
static gs_rc_t gs_audit_fields_member(gs_audit_fields_ctx_t *c,
    const gs_str_t *object);
static gs_rc_t gs_audit_fields_row(gs_audit_fields_ctx_t *c);
static gs_rc_t gs_audit_fields_flat(gs_audit_fields_ctx_t *c);
static gs_rc_t gs_audit_fields_scalar(gs_audit_fields_ctx_t *c,
    gs_audit_field_t *field);
static gs_rc_t gs_audit_fields_number(gs_audit_fields_ctx_t *c,
    gs_str_t *value);
static gs_rc_t gs_audit_fields_key(gs_audit_fields_ctx_t *c, gs_str_t *key);
static gs_rc_t gs_audit_fields_string(gs_audit_fields_ctx_t *c,
    gs_str_t *value);
static gs_rc_t gs_audit_fields_escape(gs_audit_fields_ctx_t *c);
static gs_rc_t gs_audit_fields_code(gs_audit_fields_ctx_t *c, unsigned *code);
static int gs_audit_fields_take(gs_audit_fields_ctx_t *c, int ch);
static int gs_audit_fields_double(const gs_audit_fields_t *f,
    const gs_str_t *object, const gs_str_t *key);


gs_rc_t
gs_audit_fields(gs_audit_fields_t *f, const gs_str_t *line)
{
    gs_str_t               none;
    gs_audit_fields_ctx_t  c;

    f->n = 0;

    c.p = line->data;
    c.last = line->data + line->len;
    c.f = f;

    none = gs_str_make(NULL, 0);

    if (!gs_utf8_valid(line) || gs_audit_fields_object(&c, &none) != GS_OK
        || c.p != c.last)
    {
        return GS_ERROR;
    }

    return GS_OK;
}


static int
gs_audit_fields_take(gs_audit_fields_ctx_t *c, int ch)
{
    if (c->p == c->last || *c->p != ch) {
        return 0;
    }

    c->p++;

    return 1;
}


static gs_rc_t
gs_audit_fields_object(gs_audit_fields_ctx_t *c, const gs_str_t *object)
{
    if (!gs_audit_fields_take(c, '{')) {
        return GS_ERROR;
    }

    do {
        if (gs_audit_fields_member(c, object) != GS_OK) {
            return GS_ERROR;
        }

    } while (gs_audit_fields_take(c, ','));

    return gs_audit_fields_take(c, '}') ? GS_OK : GS_ERROR;
}


static gs_rc_t
gs_audit_fields_member(gs_audit_fields_ctx_t *c, const gs_str_t *object)
{
    gs_str_t           key;
    const gs_uchar_t  *from;
    gs_audit_field_t  *field;

    if (gs_audit_fields_key(c, &key) != GS_OK || c->p == c->last
        || gs_audit_fields_double(c->f, object, &key))
    {
        return GS_ERROR;
    }

    if (*c->p == '{') {
        return (object->len == 0 && key.len != 0)
               ? gs_audit_fields_object(c, &key) : GS_ERROR;
    }

    if (c->f->n == GS_AUDIT_FIELDS) {
        return GS_ERROR;
    }

    field = &c->f->field[c->f->n++];
    field->object = *object;
    field->key = key;
    field->text = 0;
    field->row = (*c->p == '[');

    if (!field->row) {
        return gs_audit_fields_scalar(c, field);
    }

    from = c->p;

    if (gs_audit_fields_row(c) != GS_OK) {
        return GS_ERROR;
    }

    field->value = gs_str_make(from, (size_t) (c->p - from));

    return GS_OK;
}


/* A key given twice would be one thing for one reader, another for the next. */

static int
gs_audit_fields_double(const gs_audit_fields_t *f, const gs_str_t *object,
    const gs_str_t *key)
{
    unsigned                 i;
    const gs_audit_field_t  *field;

    for (i = 0; i < f->n; i++) {
        field = &f->field[i];

        if ((gs_str_eq(&field->key, key) && gs_str_eq(&field->object, object))
            || (object->len == 0 && gs_str_eq(&field->object, key)))
        {
            return 1;
        }
    }

    return 0;
}


static gs_rc_t
gs_audit_fields_row(gs_audit_fields_ctx_t *c)
{
    gs_audit_field_t  one;

    c->p++;

    if (gs_audit_fields_take(c, ']')) {
        return GS_OK;
    }

    do {
        if ((c->p < c->last && *c->p == '{')
            ? gs_audit_fields_flat(c) != GS_OK
            : gs_audit_fields_scalar(c, &one) != GS_OK)
        {
            return GS_ERROR;
        }

    } while (gs_audit_fields_take(c, ','));

    return gs_audit_fields_take(c, ']') ? GS_OK : GS_ERROR;
}


/* An object in a row; its values are not told apart. */

static gs_rc_t
gs_audit_fields_flat(gs_audit_fields_ctx_t *c)
{
    gs_str_t          keys[GS_AUDIT_FIELDS_FLAT];
    unsigned          n, i;
    gs_audit_field_t  one;

    c->p++;
    n = 0;

    do {
        if (n == GS_AUDIT_FIELDS_FLAT
            || gs_audit_fields_key(c, &keys[n]) != GS_OK)
        {
            return GS_ERROR;
        }

        for (i = 0; i < n; i++) {
            if (gs_str_eq(&keys[i], &keys[n])) {
                return GS_ERROR;
            }
        }

        n++;

        if (gs_audit_fields_scalar(c, &one) != GS_OK) {
            return GS_ERROR;
        }

    } while (gs_audit_fields_take(c, ','));

    return gs_audit_fields_take(c, '}') ? GS_OK : GS_ERROR;
}


static gs_rc_t
gs_audit_fields_scalar(gs_audit_fields_ctx_t *c, gs_audit_field_t *field)
{
    gs_str_t  rest;
    unsigned  i;

    static const gs_str_t  words[] = {
        gs_string("null"), gs_string("true"), gs_string("false")
    };

    if (c->p < c->last && *c->p == '"') {
        field->text = 1;
        return gs_audit_fields_string(c, &field->value);
    }

    field->text = 0;
    rest = gs_str_make(c->p, (size_t) (c->last - c->p));

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (gs_str_prefix(&rest, &words[i])) {
            field->value = gs_str_make(c->p, words[i].len);
            c->p += words[i].len;
            return GS_OK;
        }
    }

    return gs_audit_fields_number(c, &field->value);
}


/* As JSON has it, and no larger than what other systems can hold: 63 bits. */

static gs_rc_t
gs_audit_fields_number(gs_audit_fields_ctx_t *c, gs_str_t *value)
{
    gs_str_t           digits;
    uint64_t           n;
    const gs_uchar_t  *from;

    from = c->p;
    (void) gs_audit_fields_take(c, '-');

    digits.data = c->p;

    while (c->p < c->last && gs_is_digit(*c->p)) {
        c->p++;
    }

    digits.len = (size_t) (c->p - digits.data);
    *value = gs_str_make(from, (size_t) (c->p - from));

    if (gs_parse_u64(&digits, &n) != GS_OK || n > INT64_MAX
        || (digits.len > 1 && digits.data[0] == '0'))
    {
        return GS_ERROR;
    }

    return GS_OK;
}


/* Our keys need no escape; one that has some could be another key again. */

static gs_rc_t
gs_audit_fields_key(gs_audit_fields_ctx_t *c, gs_str_t *key)
{
    if (gs_audit_fields_string(c, key) != GS_OK
        || gs_str_chr(key, 0, '\\') != key->len)
    {
        return GS_ERROR;
    }

    return gs_audit_fields_take(c, ':') ? GS_OK : GS_ERROR;
}


static gs_rc_t
gs_audit_fields_string(gs_audit_fields_ctx_t *c, gs_str_t *value)
{
    const gs_uchar_t  *from;

    if (!gs_audit_fields_take(c, '"')) {
        return GS_ERROR;
    }

    for (from = c->p; c->p < c->last; /* void */) {

        if (*c->p == '"') {
            *value = gs_str_make(from, (size_t) (c->p - from));
            c->p++;
            return GS_OK;
        }

        if (*c->p < 0x20) {
            return GS_ERROR;
        }

        if (*c->p++ == '\\' && gs_audit_fields_escape(c) != GS_OK) {
            return GS_ERROR;
        }
    }

    return GS_ERROR;
}


static gs_rc_t
gs_audit_fields_escape(gs_audit_fields_ctx_t *c)
{
    unsigned  high, low;

    if (c->p == c->last || *c->p == '\0'
        || strchr("\"\\/bfnrtu", *c->p) == NULL)
    {
        return GS_ERROR;
    }

    if (*c->p++ != 'u') {
        return GS_OK;
    }

    if (gs_audit_fields_code(c, &high) != GS_OK) {
        return GS_ERROR;
    }

    if (high < 0xd800 || high > 0xdfff) {
        return GS_OK;
    }

    /* half a character is none: many readers drop the line for it */

    return (high < 0xdc00 && gs_audit_fields_take(c, '\\')
            && gs_audit_fields_take(c, 'u')
            && gs_audit_fields_code(c, &low) == GS_OK
            && low >= 0xdc00 && low <= 0xdfff)
           ? GS_OK : GS_ERROR;
}


static gs_rc_t
gs_audit_fields_code(gs_audit_fields_ctx_t *c, unsigned *code)
{
    int       value;
    unsigned  i;

    *code = 0;

    for (i = 0; i < 4; i++, c->p++) {

        value = (c->p < c->last) ? gs_hex_value(*c->p) : -1;

        if (value < 0) {
            return GS_ERROR;
        }

        *code = *code * 16 + (unsigned) value;
    }

    return GS_OK;
}


const gs_audit_field_t *
gs_audit_field(const gs_audit_fields_t *f, const char *object,
    const char *key)
{
    unsigned  i;

    for (i = 0; i < f->n; i++) {
        if (gs_str_eq_text(&f->field[i].key, key)
            && gs_str_eq_text(&f->field[i].object, object))
        {
            return &f->field[i];
        }
    }

    return NULL;
}


gs_str_t
gs_audit_field_value(const gs_audit_fields_t *f, const char *object,
    const char *key)
{
    const gs_audit_field_t  *field;

    field = gs_audit_field(f, object, key);

    return (field != NULL && !field->row) ? field->value
                                          : gs_str_make(NULL, 0);
}


uint64_t
gs_audit_field_number(const gs_audit_fields_t *f, const char *object,
    const char *key)
{
    uint64_t                 n;
    const gs_audit_field_t  *field;

    n = 0;
    field = gs_audit_field(f, object, key);

    if (field == NULL || field->text
        || gs_parse_u64(&field->value, &n) != GS_OK)
    {
        return 0;
    }

    return n;
}
