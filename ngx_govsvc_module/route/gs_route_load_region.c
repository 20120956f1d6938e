
/*
 * Copyright (C) govsvc authors
 *
 * The region table: provinces built in, prefectures, counties and aliases of
 * retired codes from a file.
 */


#include "route/gs_route_load.h"


static gs_rc_t gs_route_region_builtin(gs_route_load_t *l);
static gs_rc_t gs_route_region_object(gs_route_load_t *l,
    const json_t *object);
static gs_rc_t gs_route_region_code(gs_route_load_t *l, const json_t *object,
    const char *key, unsigned required, uint32_t *code);
static gs_rc_t gs_route_region_links(gs_route_load_t *l);
static gs_rc_t gs_route_region_link(gs_route_load_t *l, const char *key,
    uint32_t code, uint32_t target);
static gs_rc_t gs_route_region_text(gs_route_load_t *l, uint32_t code,
    gs_str_t *s);
static gs_route_region_model_t *gs_route_region_find(gs_route_load_t *l,
    uint32_t code);


static const char *const  gs_route_region_members[] = {
    "code", "name", "parent", "alias_of", NULL
};


gs_rc_t
gs_route_load_regions(gs_route_load_t *l, const gs_str_t *text)
{
    size_t         i, mark;
    const json_t  *root;

    if (gs_route_region_builtin(l) != GS_OK) {
        return GS_ERROR;
    }

    if (text == NULL) {
        return GS_OK;
    }

    if (gs_route_json_parse(l, text, "regions", &l->regions_json) != GS_OK) {
        return GS_ERROR;
    }

    root = l->regions_json;

    if (!json_is_array(root)) {
        return gs_route_json_type(l, root, "an array of regions");
    }

    for (i = 0; i < json_array_size(root); i++) {
        mark = gs_route_json_index(l, i);

        if (gs_route_region_object(l, json_array_get(root, i)) != GS_OK) {
            return GS_ERROR;
        }

        gs_route_json_leave(l, mark);
    }

    return gs_route_region_links(l);
}


static gs_rc_t
gs_route_region_builtin(gs_route_load_t *l)
{
    unsigned                  i;
    uint32_t                  index;
    gs_str_t                  s;
    gs_route_region_model_t  *region;

    for (i = 0; i < GS_REGION_PROVINCES; i++) {
        region = gs_route_vec_push(l, &l->regions, 1);

        if (region == NULL) {
            return GS_ERROR;
        }

        region->code = gs_region_provinces[i].code;
        region->name = gs_str_text(gs_region_provinces[i].zh);
        index = i;

        if (gs_route_region_text(l, region->code, &s) != GS_OK
            || gs_route_map_add(l, &l->region_codes, &s, &index) != GS_OK)
        {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


static gs_rc_t
gs_route_region_object(gs_route_load_t *l, const json_t *object)
{
    gs_rc_t                   rc;
    uint32_t                  index;
    gs_str_t                  s;
    gs_route_region_model_t  *region;

    if (gs_route_json_members(l, object, gs_route_region_members) != GS_OK) {
        return GS_ERROR;
    }

    index = l->regions.n;
    region = gs_route_vec_push(l, &l->regions, 1);

    if (region == NULL
        || gs_route_region_code(l, object, "code", 1, &region->code) != GS_OK
        || gs_route_region_code(l, object, "parent", 0, &region->parent)
           == GS_ERROR
        || gs_route_region_code(l, object, "alias_of", 0, &region->alias_of)
           == GS_ERROR
        || gs_route_json_str(l, object, "name", region->alias_of == 0,
                             &region->name) == GS_ERROR
        || gs_route_region_text(l, region->code, &s) != GS_OK)
    {
        return GS_ERROR;
    }

    rc = gs_route_map_add(l, &l->region_codes, &s, &index);

    if (rc == GS_DECLINED) {
        gs_route_json_enter(l, "code");
        gs_err(l->err, (index < GS_REGION_PROVINCES)
               ? "region \"%S\" is built in" : "duplicate region \"%S\"", &s);
        return gs_route_json_fail(l);
    }

    if (rc != GS_OK) {
        return GS_ERROR;
    }

    if (gs_region_parent(region->code) == 0) {
        return GS_OK;
    }

    index = 0;

    if (gs_route_region_text(l, gs_region_parent(region->code), &s)
        != GS_OK
        || gs_route_map_add(l, &l->region_parents, &s, &index) == GS_ERROR)
    {
        return GS_ERROR;
    }

    return GS_OK;
}


static gs_rc_t
gs_route_region_code(gs_route_load_t *l, const json_t *object,
    const char *key, unsigned required, uint32_t *code)
{
    gs_rc_t   rc;
    gs_str_t  s;

    rc = gs_route_json_str(l, object, key, required, &s);

    if (rc != GS_OK) {
        return rc;
    }

    if (s.len != 6 || gs_region_digits(&s, code) != GS_OK) {
        gs_route_json_enter(l, key);
        gs_err(l->err, "invalid region \"%S\"; allowed: six digits of "
               "GB/T 2260", &s);
        return gs_route_json_fail(l);
    }

    if (gs_region_province(*code) == NULL) {
        gs_route_json_enter(l, key);
        gs_err(l->err, "region \"%S\" lies in no province", &s);
        return gs_route_json_fail(l);
    }

    return GS_OK;
}


/* Parents and aliases must exist, aliases end in one step, parents end. */

static gs_rc_t
gs_route_region_links(gs_route_load_t *l)
{
    size_t                    mark;
    uint32_t                  i;
    gs_route_region_model_t  *region;

    for (i = GS_REGION_PROVINCES; i < l->regions.n; i++) {
        region = gs_route_vec_at(&l->regions, gs_route_region_model_t, i);
        mark = gs_route_json_index(l, i - GS_REGION_PROVINCES);

        if (region->alias_of != 0
            && gs_route_region_link(l, "alias_of", region->code,
                                    region->alias_of) != GS_OK)
        {
            return GS_ERROR;
        }

        if (region->parent != 0
            && gs_route_region_link(l, "parent", region->code,
                                    region->parent) != GS_OK)
        {
            return GS_ERROR;
        }

        gs_route_json_leave(l, mark);
    }

    return GS_OK;
}


static gs_rc_t
gs_route_region_link(gs_route_load_t *l, const char *key, uint32_t code,
    uint32_t target)
{
    size_t                    mark;
    gs_route_region_model_t  *region;

    region = gs_route_region_find(l, target);
    mark = gs_route_json_enter(l, key);

    if (region == NULL) {
        gs_err(l->err, "region \"%u\" is not in the table",
               (unsigned) target);
        return gs_route_json_fail(l);
    }

    if (target == code) {
        gs_err(l->err, "region \"%u\" names itself", (unsigned) target);
        return gs_route_json_fail(l);
    }

    if (region->alias_of != 0) {
        gs_err(l->err, "region \"%u\" is an alias itself; name \"%u\"",
               (unsigned) target, (unsigned) region->alias_of);
        return gs_route_json_fail(l);
    }

    if (key[0] == 'p' && target % 100 != 0) {
        gs_err(l->err, "region \"%u\" is a county and has none below it",
               (unsigned) target);
        return gs_route_json_fail(l);
    }

    if (key[0] == 'p' && region->parent != 0) {
        gs_err(l->err, "region \"%u\" has a \"parent\" of its own; "
               "allowed: a region whose digits give its place",
               (unsigned) target);
        return gs_route_json_fail(l);
    }

    gs_route_json_leave(l, mark);

    return GS_OK;
}


/*
 * A region of a platform or, with "*" behind two or four digits, of a route.
 * Where the file lists what lies below a region, it must list this one.
 */

gs_rc_t
gs_route_load_region(gs_route_load_t *l, const gs_str_t *value,
    unsigned pattern, uint32_t *code)
{
    unsigned                  n;
    gs_str_t                  s, above;
    gs_uchar_t                digits[6], parent[6];
    gs_route_region_model_t  *region;

    n = 6;

    if (pattern && value->len == 6) {
        while (n > 2 && value->data[n - 1] == '*') {
            n--;
        }
    }

    memset(digits, '0', 6);

    if (value->len == 6) {
        memcpy(digits, value->data, n);
    }

    s = gs_str_make(digits, 6);

    if (value->len != 6 || n % 2 != 0 || gs_region_digits(&s, code) != GS_OK)
    {
        gs_err(l->err, "invalid region \"%S\"; allowed: %s", value,
               pattern ? "\"440000\", \"44****\", \"4401**\", \"440103\""
                       : "six digits of GB/T 2260, such as \"440000\"");
        return gs_route_json_fail(l);
    }

    if (gs_region_province(*code) == NULL) {
        gs_err(l->err, "unknown region \"%S\": no province has these digits",
               value);
        return gs_route_json_fail(l);
    }

    region = gs_route_region_find(l, *code);

    if (region == NULL) {
        gs_region_print(parent, gs_region_parent(*code));
        above = gs_str_make(parent, 6);

        if (gs_route_map_find(&l->region_parents, &above) != GS_ROUTE_NONE) {
            gs_err(l->err, "unknown region \"%S\": the file of regions lists "
                   "those below %S without it", value, &above);
            return gs_route_json_fail(l);
        }

        return GS_OK;
    }

    if (region->alias_of != 0) {
        *code = region->alias_of;
    }

    return GS_OK;
}


static gs_rc_t
gs_route_region_text(gs_route_load_t *l, uint32_t code, gs_str_t *s)
{
    gs_uchar_t  *p;

    p = gs_route_load_alloc(l, 1, 6);

    if (p == NULL) {
        return GS_ERROR;
    }

    gs_region_print(p, code);
    *s = gs_str_make(p, 6);

    return GS_OK;
}


static gs_route_region_model_t *
gs_route_region_find(gs_route_load_t *l, uint32_t code)
{
    uint32_t    index;
    gs_str_t    s;
    gs_uchar_t  digits[6];

    gs_region_print(digits, code);
    s = gs_str_make(digits, 6);
    index = gs_route_map_find(&l->region_codes, &s);

    return (index == GS_ROUTE_NONE)
           ? NULL
           : gs_route_vec_at(&l->regions, gs_route_region_model_t, index);
}
