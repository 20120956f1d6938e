
/*
 * Copyright (C) govsvc authors
 *
 * Reading JSON for people: every error knows its line and pointer, what was
 * found and what is allowed.
 */


#include "core/gs_json_pos.h"
#include "route/gs_route_load.h"


static int gs_route_json_id_valid(const gs_str_t *id);
static void gs_route_json_put(gs_route_load_t *l, const char *p, size_t len);


static const char *const  gs_route_json_types[] = {
    "an object", "an array", "a string", "a number", "a number",
    "true", "false", "null"
};


gs_rc_t
gs_route_json_parse(gs_route_load_t *l, const gs_str_t *text,
    const char *file, json_t **json)
{
    json_error_t  error;

    l->text = text;
    l->file = file;
    l->pointer_len = 0;
    l->pointer[0] = '\0';

    *json = json_loadb((const char *) text->data, text->len,
                       JSON_REJECT_DUPLICATES, &error);

    if (*json == NULL) {
        gs_err(l->err, "bad JSON: %s", error.text);
        gs_route_json_fail(l);

        if (l->err != NULL && error.line > 0) {
            l->err->line = (unsigned) error.line;
        }

        return GS_ERROR;
    }

    return GS_OK;
}


/* Completes err with the place that is being read. */

gs_rc_t
gs_route_json_fail(gs_route_load_t *l)
{
    if (l->err == NULL) {
        return GS_ERROR;
    }

    memcpy(l->err->pointer, l->pointer, l->pointer_len + 1);
    memcpy(l->err->file, l->file, strlen(l->file) + 1);
    l->err->line = gs_json_line(l->text, l->pointer);

    return GS_ERROR;
}


size_t
gs_route_json_enter(gs_route_load_t *l, const char *key)
{
    size_t  mark;

    mark = l->pointer_len;

    gs_route_json_put(l, "/", 1);

    for ( /* void */ ; *key != '\0'; key++) {

        if (*key == '~') {
            gs_route_json_put(l, "~0", 2);

        } else if (*key == '/') {
            gs_route_json_put(l, "~1", 2);

        } else {
            gs_route_json_put(l, key, 1);
        }
    }

    return mark;
}


size_t
gs_route_json_index(gs_route_load_t *l, size_t i)
{
    char    digits[20];
    size_t  n, mark;

    mark = l->pointer_len;
    n = sizeof(digits);

    do {
        digits[--n] = (char) ('0' + i % 10);
        i /= 10;
    } while (i != 0);

    digits[--n] = '/';
    gs_route_json_put(l, digits + n, sizeof(digits) - n);

    return mark;
}


void
gs_route_json_leave(gs_route_load_t *l, size_t mark)
{
    l->pointer_len = mark;
    l->pointer[mark] = '\0';
}


static void
gs_route_json_put(gs_route_load_t *l, const char *p, size_t len)
{
    if (len >= sizeof(l->pointer) - l->pointer_len) {
        return;
    }

    memcpy(l->pointer + l->pointer_len, p, len);
    l->pointer_len += len;
    l->pointer[l->pointer_len] = '\0';
}


gs_rc_t
gs_route_json_members(gs_route_load_t *l, const json_t *object,
    const char *const *names)
{
    void        *iter;
    json_t      *o;
    unsigned     i;
    gs_str_t     name;
    const char  *key;

    if (!json_is_object(object)) {
        return gs_route_json_type(l, object, "an object");
    }

    o = (json_t *) object;

    for (iter = json_object_iter(o);
         iter != NULL;
         iter = json_object_iter_next(o, iter))
    {
        key = json_object_iter_key(iter);
        name = gs_str_text(key);

        for (i = 0; names[i] != NULL; i++) {
            if (gs_str_eq_text(&name, names[i])) {
                break;
            }
        }

        if (names[i] == NULL) {
            gs_route_json_enter(l, key);
            gs_err(l->err, "unknown member \"%S\"", &name);
            gs_err_hint(l->err, &name, names);
            return gs_route_json_fail(l);
        }
    }

    return GS_OK;
}


gs_rc_t
gs_route_json_type(gs_route_load_t *l, const json_t *value, const char *want)
{
    gs_err(l->err, "%s where %s is expected",
           gs_route_json_types[json_typeof(value)], want);

    return gs_route_json_fail(l);
}


gs_str_t
gs_route_json_view(const json_t *string)
{
    return gs_str_make(json_string_value(string), json_string_length(string));
}


gs_rc_t
gs_route_json_str(gs_route_load_t *l, const json_t *object, const char *key,
    unsigned required, gs_str_t *s)
{
    const json_t  *value;

    value = json_object_get(object, key);

    if (value == NULL) {

        if (!required) {
            return GS_DECLINED;
        }

        gs_err(l->err, "member \"%s\" is missing", key);
        return gs_route_json_fail(l);
    }

    if (!json_is_string(value)) {
        gs_route_json_enter(l, key);
        return gs_route_json_type(l, value, "a string");
    }

    *s = gs_route_json_view(value);

    return GS_OK;
}


gs_rc_t
gs_route_json_id(gs_route_load_t *l, const json_t *object,
    gs_route_map_t *ids, const char *what, gs_str_t *id)
{
    gs_rc_t   rc;
    uint32_t  index;

    if (gs_route_json_str(l, object, "id", 1, id) != GS_OK) {
        return GS_ERROR;
    }

    if (!gs_route_json_id_valid(id)) {
        gs_route_json_enter(l, "id");
        gs_err(l->err, "invalid id \"%S\"; allowed: 1 to %d of letters, "
               "digits, \"-\", \"_\" and \".\", a letter or digit first",
               id, GS_ROUTE_ID_LEN);
        return gs_route_json_fail(l);
    }

    index = ids->n;
    rc = gs_route_map_add(l, ids, id, &index);

    if (rc == GS_DECLINED) {
        gs_route_json_enter(l, "id");
        gs_err(l->err, "duplicate %s \"%S\", the first is number %u",
               what, id, (unsigned) index + 1);
        return gs_route_json_fail(l);
    }

    return rc;
}


gs_rc_t
gs_route_json_ref(gs_route_load_t *l, const json_t *object, const char *key,
    const gs_route_map_t *ids, const char *what, unsigned required,
    uint32_t *index)
{
    gs_rc_t   rc;
    gs_str_t  id;

    rc = gs_route_json_str(l, object, key, required, &id);

    if (rc != GS_OK) {
        return rc;
    }

    *index = gs_route_map_find(ids, &id);

    if (*index == GS_ROUTE_NONE) {
        gs_route_json_enter(l, key);
        gs_err(l->err, "no %s \"%S\" in this file", what, &id);
        return gs_route_json_fail(l);
    }

    return GS_OK;
}


gs_rc_t
gs_route_json_uint(gs_route_load_t *l, const json_t *object, const char *key,
    uint32_t min, uint32_t max, unsigned required, uint32_t *value)
{
    size_t         mark;
    json_int_t     n;
    const json_t  *member;

    member = json_object_get(object, key);

    if (member == NULL) {

        if (!required) {
            return GS_DECLINED;
        }

        gs_err(l->err, "member \"%s\" is missing", key);
        return gs_route_json_fail(l);
    }

    mark = gs_route_json_enter(l, key);

    if (!json_is_integer(member)) {
        return gs_route_json_type(l, member, "a whole number");
    }

    n = json_integer_value(member);

    if (n < (json_int_t) min || n > (json_int_t) max) {
        gs_err(l->err, "%s%zu is out of range; allowed: %u to %u",
               (n < 0) ? "-" : "",
               (n < 0) ? (size_t) 0 - (size_t) n : (size_t) n,
               (unsigned) min, (unsigned) max);
        return gs_route_json_fail(l);
    }

    *value = (uint32_t) n;
    gs_route_json_leave(l, mark);

    return GS_OK;
}


gs_rc_t
gs_route_json_msec(gs_route_load_t *l, const json_t *object, const char *key,
    uint64_t *msec)
{
    gs_rc_t   rc;
    gs_str_t  s;

    rc = gs_route_json_str(l, object, key, 0, &s);

    if (rc != GS_OK) {
        return rc;
    }

    if (gs_parse_msec(&s, msec) != GS_OK || *msec == 0
        || *msec > 24 * 60 * 60 * 1000u)
    {
        gs_route_json_enter(l, key);
        gs_err(l->err, "invalid time \"%S\"; allowed: 1ms to 24h, such as "
               "\"500ms\", \"10s\", \"5m\"", &s);
        return gs_route_json_fail(l);
    }

    return GS_OK;
}


gs_rc_t
gs_route_json_enum(gs_route_load_t *l, const json_t *object, const char *key,
    const char *const *names, uint32_t *value)
{
    gs_rc_t   rc;
    uint32_t  i;
    gs_str_t  s;

    rc = gs_route_json_str(l, object, key, 0, &s);

    if (rc != GS_OK) {
        return rc;
    }

    for (i = 0; names[i] != NULL; i++) {
        if (gs_str_eq_text(&s, names[i])) {
            *value = i;
            return GS_OK;
        }
    }

    gs_route_json_enter(l, key);

    return gs_route_json_invalid(l, key, &s, names);
}


gs_rc_t
gs_route_json_invalid(gs_route_load_t *l, const char *what,
    const gs_str_t *value, const char *const *names)
{
    gs_err(l->err, "invalid %s \"%S\"", what, value);
    gs_err_hint(l->err, value, names);

    return gs_route_json_fail(l);
}


gs_rc_t
gs_route_json_child(gs_route_load_t *l, const json_t *object,
    const char *key, unsigned array, json_t **child)
{
    *child = json_object_get(object, key);

    if (*child == NULL) {
        return GS_OK;
    }

    if (array ? !json_is_array(*child) : !json_is_object(*child)) {
        gs_route_json_enter(l, key);
        return gs_route_json_type(l, *child, array ? "an array"
                                                   : "an object");
    }

    return GS_OK;
}


static int
gs_route_json_id_valid(const gs_str_t *id)
{
    int     c;
    size_t  i;

    if (id->len < 1 || id->len > GS_ROUTE_ID_LEN
        || (!gs_is_alpha(id->data[0]) && !gs_is_digit(id->data[0])))
    {
        return 0;
    }

    for (i = 1; i < id->len; i++) {
        c = id->data[i];

        if (!gs_is_alpha(c) && !gs_is_digit(c) && c != '-' && c != '_'
            && c != '.')
        {
            return 0;
        }
    }

    return 1;
}
