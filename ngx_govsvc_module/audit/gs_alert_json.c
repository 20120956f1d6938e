
/*
 * Copyright (C) govsvc authors
 *
 * Alerts: members of a JSON text, for lines of the store and for answers of
 * receivers.  No memory, a bounded stack, strict enough that nothing is read
 * into what is no JSON.
 */


#include "audit/gs_alert_json.h"


typedef struct {
    const gs_uchar_t  *p;
    const gs_uchar_t  *last;
    gs_alert_json_pt   member;
    void              *data;
    gs_str_t           parent;
    gs_str_t           key;
    unsigned           objects;            /* around */
    int                first;
} gs_alert_json_t;


static gs_rc_t gs_alert_json_value(gs_alert_json_t *j, unsigned depth);
static gs_rc_t gs_alert_json_object(gs_alert_json_t *j, unsigned depth);
static gs_rc_t gs_alert_json_array(gs_alert_json_t *j, unsigned depth);
static gs_rc_t gs_alert_json_string(gs_alert_json_t *j, gs_str_t *s);
static gs_rc_t gs_alert_json_word(gs_alert_json_t *j, gs_str_t *s);
static int gs_alert_json_next(gs_alert_json_t *j);


gs_rc_t
gs_alert_json(const gs_str_t *text, gs_alert_json_pt member, void *data)
{
    gs_alert_json_t  j;

    memset(&j, 0, sizeof(gs_alert_json_t));

    j.p = text->data;
    j.last = text->data + text->len;
    j.member = member;
    j.data = data;
    j.first = 1;

    if (gs_alert_json_next(&j) != '{'
        || gs_alert_json_value(&j, 0) != GS_OK)
    {
        return GS_ERROR;
    }

    return (gs_alert_json_next(&j) == -1) ? GS_OK : GS_ERROR;
}


static gs_rc_t
gs_alert_json_value(gs_alert_json_t *j, unsigned depth)
{
    int       c;
    gs_rc_t   rc;
    gs_str_t  value;

    if (depth == GS_ALERT_JSON_DEPTH) {
        return GS_ERROR;
    }

    c = gs_alert_json_next(j);

    if (c == '{') {
        return gs_alert_json_object(j, depth);
    }

    if (c == '[') {
        return gs_alert_json_array(j, depth);
    }

    rc = (c == '"') ? gs_alert_json_string(j, &value)
                    : gs_alert_json_word(j, &value);

    if (rc == GS_OK && (j->objects == 1 || j->objects == 2)) {
        j->member(j->data, &j->parent, &j->key, &value, j->first);
    }

    return rc;
}


static gs_rc_t
gs_alert_json_object(gs_alert_json_t *j, unsigned depth)
{
    gs_rc_t   rc;
    gs_str_t  key;

    if (j->objects == 1) {
        j->parent = j->key;
    }

    j->objects++;
    j->p++;

    if (gs_alert_json_next(j) != '}') {

        for ( ;; ) {
            if (gs_alert_json_next(j) != '"'
                || gs_alert_json_string(j, &key) != GS_OK
                || gs_alert_json_next(j) != ':')
            {
                return GS_ERROR;
            }

            j->p++;
            j->key = key;

            rc = gs_alert_json_value(j, depth + 1);
            if (rc != GS_OK) {
                return rc;
            }

            if (gs_alert_json_next(j) != ',') {
                break;
            }

            j->p++;
        }

        if (gs_alert_json_next(j) != '}') {
            return GS_ERROR;
        }
    }

    j->p++;
    j->objects--;

    if (j->objects == 1) {
        j->parent.len = 0;
    }

    return GS_OK;
}


static gs_rc_t
gs_alert_json_array(gs_alert_json_t *j, unsigned depth)
{
    int       first;
    gs_str_t  key;

    first = j->first;
    key = j->key;
    j->p++;

    if (gs_alert_json_next(j) != ']') {

        for ( ;; ) {
            j->key = key;

            if (gs_alert_json_value(j, depth + 1) != GS_OK) {
                return GS_ERROR;
            }

            j->first = 0;

            if (gs_alert_json_next(j) != ',') {
                break;
            }

            j->p++;
        }

        if (gs_alert_json_next(j) != ']') {
            return GS_ERROR;
        }
    }

    j->p++;
    j->first = first;

    return GS_OK;
}


static gs_rc_t
gs_alert_json_string(gs_alert_json_t *j, gs_str_t *s)
{
    const gs_uchar_t  *p;

    for (p = j->p + 1; p < j->last && *p != '"'; p++) {

        if (*p < 0x20) {
            return GS_ERROR;
        }

        if (*p == '\\' && ++p == j->last) {
            return GS_ERROR;
        }
    }

    if (p >= j->last) {
        return GS_ERROR;
    }

    *s = gs_str_make(j->p + 1, (size_t) (p - j->p - 1));
    j->p = p + 1;

    return GS_OK;
}


/* A number, or true, false, null. */

static gs_rc_t
gs_alert_json_word(gs_alert_json_t *j, gs_str_t *s)
{
    const gs_uchar_t  *p;

    for (p = j->p; p < j->last; p++) {
        if (!gs_is_alpha(*p) && !gs_is_digit(*p) && *p != '-' && *p != '+'
            && *p != '.')
        {
            break;
        }
    }

    if (p == j->p) {
        return GS_ERROR;
    }

    *s = gs_str_make(j->p, (size_t) (p - j->p));
    j->p = p;

    return (gs_is_digit(s->data[0]) || s->data[0] == '-'
            || gs_str_eq_text(s, "true") || gs_str_eq_text(s, "false")
            || gs_str_eq_text(s, "null"))
           ? GS_OK : GS_ERROR;
}


/* The next byte that is no blank, -1 at the end. */

static int
gs_alert_json_next(gs_alert_json_t *j)
{
    while (j->p < j->last
           && (*j->p == ' ' || *j->p == '\t' || *j->p == '\n'
               || *j->p == '\r'))
    {
        j->p++;
    }

    return (j->p == j->last) ? -1 : *j->p;
}
