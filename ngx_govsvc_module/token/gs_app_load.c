
/*
 * Copyright (C) govsvc authors
 *
 * apps.json: read, checked, and put in order.
 */


#include "token/gs_app_load.h"

#include <stdlib.h>

#include "core/gs_json_pos.h"


static gs_rc_t gs_app_load_root(gs_app_load_t *l, gs_apps_t *apps,
    const json_t *root);
static gs_rc_t gs_app_load_one(gs_app_load_t *l, gs_app_t *app,
    const json_t *json);
static gs_rc_t gs_app_load_members(gs_app_load_t *l, const json_t *json);
static gs_rc_t gs_app_load_id(gs_app_load_t *l, gs_app_t *app,
    const json_t *json);
static int gs_app_order(const void *a, const void *b);


static const char *const  gs_app_members[] = {
    "id", "scheme", "alg", "secrets", "jwks", "level", "networks", "routes",
    "window", "expires", "replay", "identity", "body", "presigned", "tag",
    NULL
};


gs_apps_t *
gs_apps_load(gs_mem_t *mem, const gs_str_t *text, gs_app_read_pt read,
    void *data, gs_err_t *err)
{
    gs_rc_t        rc;
    json_t        *root;
    gs_apps_t     *apps;
    gs_arena_t    *arena;
    json_error_t   error;
    gs_app_load_t  l;

    if (text->len > GS_APP_MAX_TEXT) {
        gs_err(err, "apps.json has more than %u bytes", GS_APP_MAX_TEXT);
        return NULL;
    }

    root = json_loadb((const char *) text->data, text->len,
                      JSON_REJECT_DUPLICATES, &error);

    if (root == NULL) {
        gs_err(err, "invalid JSON: %s", error.text);

        if (err != NULL) {
            err->line = error.line > 0 ? (unsigned) error.line : 1;
        }

        return NULL;
    }

    arena = gs_arena_create(mem);
    apps = NULL;

    if (arena != NULL) {
        apps = gs_calloc(gs_arena_mem(arena), 1, sizeof(gs_apps_t));
    }

    if (apps == NULL) {
        gs_arena_destroy(arena);
        json_decref(root);
        gs_err(err, "not enough memory");
        return NULL;
    }

    apps->mem = mem;
    apps->arena = arena;

    l.mem = gs_arena_mem(arena);
    l.text = text;
    l.read = read;
    l.data = data;
    l.err = err;
    l.index = 0;

    rc = gs_app_load_root(&l, apps, root);
    json_decref(root);

    if (rc != GS_OK) {
        gs_apps_destroy(apps);
        return NULL;
    }

    return apps;
}


static gs_rc_t
gs_app_load_root(gs_app_load_t *l, gs_apps_t *apps, const json_t *root)
{
    size_t         i, n;
    const json_t  *list;

    list = json_object_get(root, "apps");

    if (!json_is_array(list) || json_object_size(root) != 1) {
        if (l->err != NULL) {
            l->err->line = 1;
        }

        return gs_err(l->err, "apps.json must be an object with one member "
                      "\"apps\", an array");
    }

    n = json_array_size(list);

    if (n == 0 || n > GS_APP_MAX) {
        gs_app_at(l, NULL);
        return gs_err(l->err, "\"apps\" has %zu applications, allowed: 1 to "
                      "%u", n, GS_APP_MAX);
    }

    apps->list = gs_calloc(l->mem, n, sizeof(gs_app_t));

    if (apps->list == NULL) {
        return gs_err(l->err, "not enough memory");
    }

    for (i = 0; i < n; i++) {
        l->index = i;

        /* what it holds so far is to be destroyed as well */

        apps->n = i + 1;

        if (gs_app_load_one(l, &apps->list[i], json_array_get(list, i))
            != GS_OK)
        {
            return GS_ERROR;
        }

        apps->schemes |= 1u << apps->list[i].scheme;
    }

    qsort(apps->list, n, sizeof(gs_app_t), gs_app_order);

    for (i = 1; i < n; i++) {
        if (gs_str_eq(&apps->list[i - 1].id, &apps->list[i].id)) {
            if (l->err != NULL) {
                l->err->pointer[0] = '\0';
                l->err->line = gs_json_line(l->text, "/apps");
            }

            return gs_err(l->err, "two applications have the id \"%S\"",
                          &apps->list[i].id);
        }
    }

    return GS_OK;
}


static int
gs_app_order(const void *a, const void *b)
{
    const gs_app_t *x = a;
    const gs_app_t *y = b;

    return gs_str_cmp(&x->id, &y->id);
}


static gs_rc_t
gs_app_load_one(gs_app_load_t *l, gs_app_t *app, const json_t *json)
{
    unsigned  value;

    if (!json_is_object(json)) {
        return gs_app_bad(l, NULL, "an application must be an object");
    }

    if (gs_app_load_members(l, json) != GS_OK
        || gs_app_load_id(l, app, json) != GS_OK)
    {
        return GS_ERROR;
    }

    value = GS_SIGN_SCHEMES;

    if (gs_app_load_word(l, json, "scheme", gs_sign_scheme_names, ~0u, &value)
        != GS_OK)
    {
        return GS_ERROR;
    }

    if (value == GS_SIGN_SCHEMES) {
        return gs_app_bad(l, NULL, "\"scheme\" is missing");
    }

    app->scheme = (gs_sign_scheme_e) value;
    value = gs_sign_scheme_alg(app->scheme);

    if (gs_app_load_word(l, json, "alg", gs_sign_alg_names,
                         gs_sign_scheme_algs(app->scheme), &value)
        != GS_OK)
    {
        return GS_ERROR;
    }

    app->alg = (gs_sign_alg_e) value;

    if (app->alg >= GS_SIGN_KEYED) {
        if (gs_app_load_keys(l, app, json) != GS_OK) {
            return GS_ERROR;
        }

    } else if (gs_app_load_secrets(l, app, json) != GS_OK) {
        return GS_ERROR;
    }

    if (gs_app_load_networks(l, app, json) != GS_OK
        || gs_app_load_routes(l, app, json) != GS_OK
        || gs_app_load_numbers(l, app, json) != GS_OK)
    {
        return GS_ERROR;
    }

    return gs_app_load_flags(l, app, json);
}


static gs_rc_t
gs_app_load_members(gs_app_load_t *l, const json_t *json)
{
    void        *iter;
    unsigned     i;
    gs_str_t     name;
    const char  *key;

    for (iter = json_object_iter((json_t *) (uintptr_t) json); iter != NULL;
         iter = json_object_iter_next((json_t *) (uintptr_t) json, iter))
    {
        key = json_object_iter_key(iter);

        for (i = 0; gs_app_members[i] != NULL; i++) {
            if (strcmp(key, gs_app_members[i]) == 0) {
                break;
            }
        }

        if (gs_app_members[i] == NULL) {
            name = gs_str_text(key);
            gs_app_at(l, strlen(key) < 64 ? key : NULL);
            gs_err(l->err, "unknown member \"%S\"", &name);

            if (l->err != NULL) {
                gs_err_hint(l->err, &name, gs_app_members);
            }

            return GS_ERROR;
        }
    }

    return GS_OK;
}


/* A front end that lost its settings calls as "undefined". */

static gs_rc_t
gs_app_load_id(gs_app_load_t *l, gs_app_t *app, const json_t *json)
{
    size_t    i;
    gs_str_t  id;

    id = gs_app_text(json_object_get(json, "id"));

    if (id.len == 0 || id.len > GS_APP_ID_LEN) {
        return gs_app_bad(l, "id", "\"id\" must be a text of 1 to 64 "
                          "characters");
    }

    for (i = 0; i < id.len; i++) {
        if (!gs_is_alpha(id.data[i]) && !gs_is_digit(id.data[i])
            && strchr("-_.@/", id.data[i]) == NULL)
        {
            return gs_app_bad(l, "id", "\"id\" may have letters, digits, "
                              "\"-\", \"_\", \".\", \"@\" and \"/\" only");
        }
    }

    if (gs_str_case_eq_text(&id, "undefined")
        || gs_str_case_eq_text(&id, "null"))
    {
        return gs_app_bad(l, "id", "\"id\" is what a caller without settings "
                          "sends: choose another");
    }

    app->id = gs_str_dup(l->mem, &id);

    return app->id.data != NULL ? GS_OK
                                : gs_err(l->err, "not enough memory");
}


gs_rc_t
gs_app_load_word(gs_app_load_t *l, const json_t *json, const char *name,
    const char *const *names, unsigned allowed, unsigned *value)
{
    unsigned       i, n;
    gs_str_t       s;
    const char    *some[16];
    const json_t  *member;

    member = json_object_get(json, name);

    if (member == NULL) {
        return GS_OK;
    }

    s = gs_app_text(member);
    n = 0;

    for (i = 0; names[i] != NULL; i++) {

        if (!(allowed & 1u << i)) {
            continue;
        }

        if (s.data != NULL && gs_str_eq_text(&s, names[i])) {
            *value = i;
            return GS_OK;
        }

        some[n++] = names[i];
    }

    some[n] = NULL;

    gs_app_at(l, name);
    gs_err(l->err, "invalid \"%s\" \"%S\"", name, &s);

    if (l->err != NULL) {
        gs_err_hint(l->err, &s, some);
    }

    return GS_ERROR;
}


/* *list is NULL where the member is absent; an empty one is a mistake. */

gs_rc_t
gs_app_load_list(gs_app_load_t *l, const json_t *json, const char *name,
    size_t max, const json_t **list)
{
    *list = json_object_get(json, name);

    if (*list == NULL) {
        return GS_OK;
    }

    if (!json_is_array(*list) || json_array_size(*list) == 0
        || json_array_size(*list) > max)
    {
        gs_app_at(l, name);
        return gs_err(l->err, "\"%s\" must be an array of 1 to %zu texts",
                      name, max);
    }

    return GS_OK;
}


/* data is NULL if it is no text */

gs_str_t
gs_app_text(const json_t *json)
{
    if (!json_is_string(json)) {
        return gs_str_make(NULL, 0);
    }

    return gs_str_make(json_string_value(json), json_string_length(json));
}


gs_rc_t
gs_app_bad(gs_app_load_t *l, const char *member, const char *text)
{
    gs_app_at(l, member);

    return gs_err(l->err, "%s", text);
}


void
gs_app_at(gs_app_load_t *l, const char *member)
{
    gs_buf_t  b;

    if (l->err == NULL) {
        return;
    }

    gs_buf_init(&b, l->err->pointer, GS_ERR_POINTER - 1);
    gs_buf_text(&b, "/apps/");
    gs_buf_u64(&b, l->index);

    if (member != NULL) {
        gs_buf_char(&b, '/');
        gs_buf_text(&b, member);
    }

    *b.pos = '\0';
    l->err->line = gs_json_line(l->text, l->err->pointer);
}
