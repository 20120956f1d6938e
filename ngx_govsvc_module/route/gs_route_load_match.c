
/*
 * Copyright (C) govsvc authors
 *
 * platforms.json: the "match" of a route.
 */


#include "route/gs_route_load.h"


static gs_rc_t gs_route_load_duplicates(gs_route_load_t *l,
    const gs_str_t *list, uint32_t n);
static gs_rc_t gs_route_load_host(gs_route_load_t *l, gs_str_t *s,
    void *data);
static gs_rc_t gs_route_load_path(gs_route_load_t *l, gs_str_t *s,
    void *data);
static const char *gs_route_path_fault(const gs_str_t *path);
static gs_rc_t gs_route_load_item(gs_route_load_t *l, gs_str_t *s,
    void *data);
static gs_rc_t gs_route_load_method(gs_route_load_t *l, gs_str_t *s,
    void *data);
static gs_rc_t gs_route_load_value(gs_route_load_t *l, gs_str_t *s,
    void *data);
static gs_rc_t gs_route_load_text(gs_route_load_t *l, gs_str_t *s,
    void *data);
static gs_rc_t gs_route_load_region_list(gs_route_load_t *l,
    const json_t *match, gs_route_model_t *route);
static gs_rc_t gs_route_load_conds(gs_route_load_t *l, const json_t *match,
    gs_route_model_t *route);
static gs_rc_t gs_route_load_cond(gs_route_load_t *l, const json_t *object,
    const char *key, unsigned claims, gs_route_model_t *route);
static gs_rc_t gs_route_cond_name(gs_route_load_t *l, const char *key,
    unsigned claims, gs_str_t *name);
static gs_rc_t gs_route_lower(gs_route_load_t *l, gs_str_t *s);


static const char *const  gs_route_match_members[] = {
    "hosts", "paths", "regions", "items", "methods", "headers", "claims",
    NULL
};

static const char *const  gs_route_method_names[] = {
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", NULL
};


gs_rc_t
gs_route_load_match(gs_route_load_t *l, const json_t *match,
    gs_route_model_t *route)
{
    uint32_t   n;
    gs_str_t  *methods;

    if (gs_route_json_members(l, match, gs_route_match_members) != GS_OK) {
        return GS_ERROR;
    }

    if (gs_route_load_list(l, match, "hosts", gs_route_load_host, NULL,
                           &route->hosts, &route->nhosts) != GS_OK
        || gs_route_load_list(l, match, "paths", gs_route_load_path, NULL,
                              &route->paths, &route->npaths) != GS_OK
        || gs_route_load_list(l, match, "items", gs_route_load_item, NULL,
                              &route->items, &route->nitems) != GS_OK
        || gs_route_load_list(l, match, "methods", gs_route_load_method,
                              &route->methods, &methods, &n) != GS_OK
        || gs_route_load_region_list(l, match, route) != GS_OK
        || gs_route_load_conds(l, match, route) != GS_OK)
    {
        return GS_ERROR;
    }

    route->rank = route->nconds + (route->methods != 0)
                  + (route->nitems != 0 && route->nregions != 0);

    return GS_OK;
}


gs_rc_t
gs_route_load_list(gs_route_load_t *l, const json_t *object, const char *key,
    gs_rc_t (*check)(gs_route_load_t *l, gs_str_t *s, void *data),
    void *data, gs_str_t **list, uint32_t *n)
{
    size_t         i, size, mark, outer;
    json_t        *array;
    const json_t  *value;

    if (gs_route_json_child(l, object, key, 1, &array) != GS_OK) {
        return GS_ERROR;
    }

    *list = NULL;
    *n = 0;

    if (array == NULL) {
        return GS_OK;
    }

    outer = gs_route_json_enter(l, key);
    size = json_array_size(array);

    if (size == 0 || size > 65536) {
        gs_err(l->err, (size == 0)
               ? "an empty array matches nothing; leave the member out to "
               "match all" : "more than 65536 values");
        return gs_route_json_fail(l);
    }

    *list = gs_route_load_alloc(l, size, sizeof(gs_str_t));

    if (*list == NULL) {
        return GS_ERROR;
    }

    for (i = 0; i < size; i++) {
        mark = gs_route_json_index(l, i);
        value = json_array_get(array, i);

        if (!json_is_string(value)) {
            return gs_route_json_type(l, value, "a string");
        }

        (*list)[i] = gs_route_json_view(value);

        if (check(l, &(*list)[i], data) != GS_OK) {
            return GS_ERROR;
        }

        gs_route_json_leave(l, mark);
    }

    *n = (uint32_t) size;

    if (gs_route_load_duplicates(l, *list, *n) != GS_OK) {
        return GS_ERROR;
    }

    gs_route_json_leave(l, outer);

    return GS_OK;
}


static gs_rc_t
gs_route_load_duplicates(gs_route_load_t *l, const gs_str_t *list, uint32_t n)
{
    gs_rc_t         rc;
    uint32_t        i, first;
    gs_route_map_t  seen;

    if (n < 2) {
        return GS_OK;
    }

    memset(&seen, 0, sizeof(gs_route_map_t));

    for (i = 0; i < n; i++) {
        first = i;
        rc = gs_route_map_add(l, &seen, &list[i], &first);

        if (rc == GS_DECLINED) {
            gs_route_json_index(l, i);
            gs_err(l->err, "the same value as number %u of this array",
                   (unsigned) first + 1);
            return gs_route_json_fail(l);
        }

        if (rc != GS_OK) {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


/* "gd.gov.example", or "*.gd.gov.example" for all names below it. */

static gs_rc_t
gs_route_load_host(gs_route_load_t *l, gs_str_t *s, void *data)
{
    int       c;
    size_t    i, labels, start;
    gs_str_t  host;

    host = *s;

    if (host.len > 2 && host.data[0] == '*' && host.data[1] == '.') {
        host = gs_str_make(host.data + 2, host.len - 2);
    }

    labels = 1;
    start = 0;

    for (i = 0; i < host.len; i++) {
        c = host.data[i];

        if (c == '.') {

            if (i == start) {
                break;
            }

            labels++;
            start = i + 1;
            continue;
        }

        if (!gs_is_alpha(c) && !gs_is_digit(c) && c != '-' && c != '_') {
            break;
        }
    }

    if (i < host.len || start == host.len || host.len > 253
        || labels > GS_ROUTE_LABELS)
    {
        gs_err(l->err, "invalid host \"%S\"; allowed: a host name without "
               "port, or \"*.\" and one, of at most %d labels", s,
               GS_ROUTE_LABELS);
        return gs_route_json_fail(l);
    }

    if (host.len != s->len) {
        *s = gs_str_make(s->data + 1, s->len - 1);
    }

    return gs_route_lower(l, s);
}


/* A prefix of whole segments, or "=" and one whole path. */

static gs_rc_t
gs_route_load_path(gs_route_load_t *l, gs_str_t *s, void *data)
{
    gs_str_t     path;
    const char  *fault;

    path = *s;

    if (path.len > 0 && path.data[0] == '=') {
        path = gs_str_make(path.data + 1, path.len - 1);
    }

    fault = gs_route_path_fault(&path);

    if (fault != NULL) {
        gs_err(l->err, "invalid path \"%S\": %s", s, fault);
        return gs_route_json_fail(l);
    }

    if (path.len == s->len && path.len > 1 && path.data[path.len - 1] == '/')
    {
        s->len--;
    }

    return GS_OK;
}


static const char *
gs_route_path_fault(const gs_str_t *path)
{
    int       c;
    size_t    i;
    gs_str_t  rest, segment;

    if (path->len == 0 || path->data[0] != '/') {
        return "it does not begin with \"/\" or \"=/\"";
    }

    if (path->len > 1024) {
        return "it is longer than 1024 bytes";
    }

    for (i = 0; i < path->len; i++) {
        c = path->data[i];

        if (c <= 0x20 || c == 0x7f || c == '\\' || c == '?' || c == '#'
            || c == ';')
        {
            return "blanks, control bytes and \\ ? # ; are not allowed";
        }

        if (c == '%') {
            return "it is compared decoded: write characters, not escapes";
        }

        if (c == '*') {
            return "a path is a prefix of whole segments already, "
                   "without \"*\"";
        }
    }

    rest = *path;

    while (gs_route_segment(&rest, &segment) == GS_OK) {

        if (gs_str_eq_text(&segment, ".") || gs_str_eq_text(&segment, "..")
            || (segment.len == 0 && rest.len != 0))
        {
            return "empty and dot segments never reach a route";
        }
    }

    return NULL;
}


static gs_rc_t
gs_route_load_item(gs_route_load_t *l, gs_str_t *s, void *data)
{
    gs_item_t  item;

    if (gs_item_parse(s, &item) != GS_OK) {
        gs_err(l->err, "invalid item code \"%S\"; allowed: 12 digits, or a "
               "credit code of 18 characters and 13 or 15 digits", s);
        return gs_route_json_fail(l);
    }

    return GS_OK;
}


static gs_rc_t
gs_route_load_method(gs_route_load_t *l, gs_str_t *s, void *data)
{
    uint32_t  *methods = data;

    uint32_t  bit;

    bit = gs_route_method_bit(s);

    if (bit == 0) {
        return gs_route_json_invalid(l, "method", s, gs_route_method_names);
    }

    *methods |= bit;

    return GS_OK;
}


static gs_rc_t
gs_route_load_value(gs_route_load_t *l, gs_str_t *s, void *data)
{
    size_t  i;

    i = gs_str_chr(s, 0, '*');

    if (s->len == 0 || (i < s->len && i + 1 != s->len)) {
        gs_err(l->err, "invalid value \"%S\"; allowed: a text, or the "
               "beginning of one and \"*\"", s);
        return gs_route_json_fail(l);
    }

    return GS_OK;
}


/* Regions: looked at one by one, once the list stands. */

static gs_rc_t
gs_route_load_text(gs_route_load_t *l, gs_str_t *s, void *data)
{
    return GS_OK;
}


static gs_rc_t
gs_route_load_region_list(gs_route_load_t *l, const json_t *match,
    gs_route_model_t *route)
{
    size_t     mark, outer;
    uint32_t   i, j, n;
    gs_str_t  *list;

    if (gs_route_load_list(l, match, "regions", gs_route_load_text, NULL,
                           &list, &n) != GS_OK)
    {
        return GS_ERROR;
    }

    if (n == 0) {
        return GS_OK;
    }

    route->regions = gs_route_load_alloc(l, n, sizeof(uint32_t));

    if (route->regions == NULL) {
        return GS_ERROR;
    }

    outer = gs_route_json_enter(l, "regions");

    for (i = 0; i < n; i++) {
        mark = gs_route_json_index(l, i);

        if (gs_route_load_region(l, &list[i], 1, &route->regions[i])
            != GS_OK)
        {
            return GS_ERROR;
        }

        for (j = 0; j < i; j++) {
            if (route->regions[i] == route->regions[j]) {
                gs_err(l->err, "\"%S\" names the region of \"%S\" again",
                       &list[i], &list[j]);
                return gs_route_json_fail(l);
            }
        }

        gs_route_json_leave(l, mark);
    }

    gs_route_json_leave(l, outer);
    route->nregions = n;

    return GS_OK;
}


static gs_rc_t
gs_route_load_conds(gs_route_load_t *l, const json_t *match,
    gs_route_model_t *route)
{
    void        *iter;
    size_t       n, mark;
    json_t      *object[2];
    unsigned     claims;
    const char  *names[2];

    names[0] = "headers";
    names[1] = "claims";

    if (gs_route_json_child(l, match, names[0], 0, &object[0]) != GS_OK
        || gs_route_json_child(l, match, names[1], 0, &object[1]) != GS_OK)
    {
        return GS_ERROR;
    }

    n = json_object_size(object[0]) + json_object_size(object[1]);

    if (n == 0) {
        return GS_OK;
    }

    route->conds = gs_route_load_alloc(l, n, sizeof(gs_route_cond_model_t));

    if (route->conds == NULL) {
        return GS_ERROR;
    }

    for (claims = 0; claims < 2; claims++) {
        mark = gs_route_json_enter(l, names[claims]);

        for (iter = json_object_iter(object[claims]);
             iter != NULL;
             iter = json_object_iter_next(object[claims], iter))
        {
            if (gs_route_load_cond(l, object[claims],
                                   json_object_iter_key(iter), claims, route)
                != GS_OK)
            {
                return GS_ERROR;
            }
        }

        gs_route_json_leave(l, mark);
    }

    return GS_OK;
}


static gs_rc_t
gs_route_load_cond(gs_route_load_t *l, const json_t *object, const char *key,
    unsigned claims, gs_route_model_t *route)
{
    gs_rc_t                 rc;
    uint32_t                i, index;
    gs_route_cond_model_t  *cond;

    cond = &route->conds[route->nconds];

    if (gs_route_cond_name(l, key, claims, &cond->name) != GS_OK
        || gs_route_load_list(l, object, key, gs_route_load_value, NULL,
                              &cond->values, &cond->nvalues) != GS_OK)
    {
        return GS_ERROR;
    }

    cond->kind = GS_ROUTE_COND_CLAIM;

    if (!claims) {
        cond->kind = gs_str_eq_text(&cond->name, "x-channel")
                     ? GS_ROUTE_COND_CHANNEL : GS_ROUTE_COND_HEADER;

        for (i = 0; i < route->nconds; i++) {
            if (gs_str_eq(&route->conds[i].name, &cond->name)) {
                gs_route_json_enter(l, key);
                gs_err(l->err, "header \"%S\" is named twice", &cond->name);
                return gs_route_json_fail(l);
            }
        }
    }

    route->nconds++;

    if (cond->kind != GS_ROUTE_COND_HEADER) {
        return GS_OK;
    }

    index = l->header_names.n;
    rc = gs_route_map_add(l, &l->header_names, &cond->name, &index);

    if (rc == GS_OK && index >= GS_ROUTE_HEADERS) {
        gs_route_json_enter(l, key);
        gs_err(l->err, "header \"%S\" is one too many; allowed: %d names in "
               "all routes", &cond->name, GS_ROUTE_HEADERS);
        return gs_route_json_fail(l);
    }

    return (rc == GS_ERROR) ? GS_ERROR : GS_OK;
}


static gs_rc_t
gs_route_cond_name(gs_route_load_t *l, const char *key, unsigned claims,
    gs_str_t *name)
{
    int     c;
    size_t  i;

    *name = gs_str_text(key);

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if (!gs_is_alpha(c) && !gs_is_digit(c) && c != '-' && c != '_'
            && !(claims && (c == '.' || c == ':' || c == '/')))
        {
            break;
        }
    }

    if (i == 0 || i < name->len || i > 64) {
        gs_route_json_enter(l, key);
        gs_err(l->err, "invalid %s name \"%S\"; allowed: 1 to 64 of letters, "
               "digits, \"-\" and \"_\"%s", claims ? "claim" : "header", name,
               claims ? ", \".\", \":\", \"/\"" : "");
        return gs_route_json_fail(l);
    }

    return claims ? GS_OK : gs_route_lower(l, name);
}


static gs_rc_t
gs_route_lower(gs_route_load_t *l, gs_str_t *s)
{
    size_t       i;
    gs_uchar_t  *p;

    p = gs_route_load_alloc(l, s->len, 1);

    if (p == NULL) {
        return GS_ERROR;
    }

    for (i = 0; i < s->len; i++) {
        p[i] = (gs_uchar_t) gs_to_lower(s->data[i]);
    }

    s->data = p;

    return GS_OK;
}
