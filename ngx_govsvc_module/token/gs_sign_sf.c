
/*
 * Copyright (C) govsvc authors
 *
 * Structured Fields: a cursor that moves over items.
 */


#include "token/gs_sign_sf.h"

#include <string.h>


static gs_rc_t gs_sign_sf_integer(gs_sign_sf_t *sf, gs_sign_sf_item_t *item);
static gs_rc_t gs_sign_sf_string(gs_sign_sf_t *sf, gs_sign_sf_item_t *item);
static gs_rc_t gs_sign_sf_bytes(gs_sign_sf_t *sf, gs_sign_sf_item_t *item);
static gs_rc_t gs_sign_sf_boolean(gs_sign_sf_t *sf, gs_sign_sf_item_t *item);
static gs_rc_t gs_sign_sf_token(gs_sign_sf_t *sf, gs_sign_sf_item_t *item);
static int gs_sign_sf_tchar(int c);


void
gs_sign_sf_init(gs_sign_sf_t *sf, const gs_str_t *s)
{
    sf->p = s->data;
    sf->last = s->data + s->len;
}


int
gs_sign_sf_take(gs_sign_sf_t *sf, int c)
{
    if (sf->p == sf->last || *sf->p != c) {
        return 0;
    }

    sf->p++;

    return 1;
}


void
gs_sign_sf_blanks(gs_sign_sf_t *sf)
{
    while (sf->p < sf->last && *sf->p == ' ') {
        sf->p++;
    }
}


int
gs_sign_sf_end(const gs_sign_sf_t *sf)
{
    return sf->p == sf->last;
}


/* RFC 8941 section 3.1.2: lower case, "*" first, then "_-.*" and digits too */

gs_rc_t
gs_sign_sf_key(gs_sign_sf_t *sf, gs_str_t *key)
{
    const gs_uchar_t  *start;

    start = sf->p;

    while (sf->p < sf->last
           && ((*sf->p >= 'a' && *sf->p <= 'z') || *sf->p == '*'
               || (sf->p != start
                   && (gs_is_digit(*sf->p) || *sf->p == '_' || *sf->p == '-'
                       || *sf->p == '.'))))
    {
        sf->p++;
    }

    *key = gs_str_make(start, (size_t) (sf->p - start));

    return key->len != 0 ? GS_OK : GS_ERROR;
}


gs_rc_t
gs_sign_sf_item(gs_sign_sf_t *sf, gs_sign_sf_item_t *item)
{
    gs_rc_t            rc;
    const gs_uchar_t  *start;

    if (sf->p == sf->last) {
        return GS_ERROR;
    }

    start = sf->p;
    item->number = 0;

    switch (*start) {

    case '"':
        rc = gs_sign_sf_string(sf, item);
        break;

    case ':':
        rc = gs_sign_sf_bytes(sf, item);
        break;

    case '?':
        rc = gs_sign_sf_boolean(sf, item);
        break;

    default:
        rc = (gs_is_digit(*start) || *start == '-')
                 ? gs_sign_sf_integer(sf, item) : gs_sign_sf_token(sf, item);
    }

    item->raw = gs_str_make(start, (size_t) (sf->p - start));

    return rc;
}


/* Decimals, leading zeros and "-0" have no use in signatures. */

static gs_rc_t
gs_sign_sf_integer(gs_sign_sf_t *sf, gs_sign_sf_item_t *item)
{
    int                negative;
    size_t             n;
    const gs_uchar_t  *start;

    negative = gs_sign_sf_take(sf, '-');
    start = sf->p;

    while (sf->p < sf->last && gs_is_digit(*sf->p) && sf->p - start < 16) {
        item->number = item->number * 10 + (*sf->p - '0');
        sf->p++;
    }

    n = (size_t) (sf->p - start);

    if (n == 0 || n > 15 || (*start == '0' && (n > 1 || negative))
        || (sf->p < sf->last && *sf->p == '.'))
    {
        return GS_ERROR;
    }

    item->type = GS_SIGN_SF_INTEGER;
    item->text = gs_str_make(start, n);

    if (negative) {
        item->number = -item->number;
    }

    return GS_OK;
}


static gs_rc_t
gs_sign_sf_string(gs_sign_sf_t *sf, gs_sign_sf_item_t *item)
{
    const gs_uchar_t  *start;

    start = ++sf->p;

    for ( /* void */ ; sf->p < sf->last; sf->p++) {

        if (*sf->p == '"') {
            item->type = GS_SIGN_SF_STRING;
            item->text = gs_str_make(start, (size_t) (sf->p - start));
            sf->p++;
            return GS_OK;
        }

        if (*sf->p == '\\') {
            sf->p++;

            if (sf->p == sf->last || (*sf->p != '"' && *sf->p != '\\')) {
                return GS_ERROR;
            }
        }

        if (*sf->p < 0x20 || *sf->p > 0x7e) {
            return GS_ERROR;
        }
    }

    return GS_ERROR;
}


static gs_rc_t
gs_sign_sf_bytes(gs_sign_sf_t *sf, gs_sign_sf_item_t *item)
{
    const gs_uchar_t  *start;

    start = ++sf->p;

    for ( /* void */ ; sf->p < sf->last; sf->p++) {

        if (*sf->p == ':') {
            item->type = GS_SIGN_SF_BYTES;
            item->text = gs_str_make(start, (size_t) (sf->p - start));
            sf->p++;
            return GS_OK;
        }

        if (!gs_is_alpha(*sf->p) && !gs_is_digit(*sf->p)
            && *sf->p != '+' && *sf->p != '/' && *sf->p != '=')
        {
            return GS_ERROR;
        }
    }

    return GS_ERROR;
}


static gs_rc_t
gs_sign_sf_boolean(gs_sign_sf_t *sf, gs_sign_sf_item_t *item)
{
    sf->p++;

    if (sf->p == sf->last || (*sf->p != '0' && *sf->p != '1')) {
        return GS_ERROR;
    }

    item->type = GS_SIGN_SF_BOOLEAN;
    item->number = *sf->p - '0';
    item->text = gs_str_make(sf->p, 1);
    sf->p++;

    return GS_OK;
}


static gs_rc_t
gs_sign_sf_token(gs_sign_sf_t *sf, gs_sign_sf_item_t *item)
{
    const gs_uchar_t  *start;

    start = sf->p;

    if (!gs_is_alpha(*start) && *start != '*') {
        return GS_ERROR;
    }

    while (sf->p < sf->last
           && (gs_sign_sf_tchar(*sf->p) || *sf->p == ':' || *sf->p == '/'))
    {
        sf->p++;
    }

    item->type = GS_SIGN_SF_TOKEN;
    item->text = gs_str_make(start, (size_t) (sf->p - start));

    return GS_OK;
}


/* RFC 9110 section 5.6.2 */

static int
gs_sign_sf_tchar(int c)
{
    return gs_is_alpha(c) || gs_is_digit(c)
           || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}


gs_rc_t
gs_sign_sf_param(gs_sign_sf_t *sf, gs_str_t *key, gs_sign_sf_item_t *item)
{
    if (!gs_sign_sf_take(sf, ';')) {
        return GS_DECLINED;
    }

    gs_sign_sf_blanks(sf);

    if (gs_sign_sf_key(sf, key) != GS_OK) {
        return GS_ERROR;
    }

    if (gs_sign_sf_take(sf, '=')) {
        return gs_sign_sf_item(sf, item);
    }

    item->type = GS_SIGN_SF_BOOLEAN;
    item->raw = gs_str_make(NULL, 0);
    item->text = item->raw;
    item->number = 1;

    return GS_OK;
}


gs_rc_t
gs_sign_sf_next(gs_sign_sf_t *sf)
{
    while (sf->p < sf->last && (*sf->p == ' ' || *sf->p == '\t')) {
        sf->p++;
    }

    if (sf->p == sf->last) {
        return GS_DONE;
    }

    if (!gs_sign_sf_take(sf, ',')) {
        return GS_ERROR;
    }

    while (sf->p < sf->last && (*sf->p == ' ' || *sf->p == '\t')) {
        sf->p++;
    }

    return sf->p == sf->last ? GS_ERROR : GS_OK;
}
