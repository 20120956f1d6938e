
/*
 * Copyright (C) govsvc authors
 *
 * Objects as callers see them: lists in pages, one with its ETag, and what is
 * shown beside what was written.
 */


#include "admin/gs_admin_priv.h"

#include <stdio.h>


static gs_rc_t gs_admin_list_map(gs_admin_call_t *c, json_t *map,
    const json_t *over, json_t *list, unsigned *seen);
static unsigned gs_admin_list_wanted(gs_admin_call_t *c, json_t *object);
static gs_rc_t gs_admin_show_health(gs_admin_call_t *c, json_t *object,
    json_t *shown);


gs_rc_t
gs_admin_list(gs_admin_call_t *c)
{
    json_t               *list;
    unsigned              seen;
    gs_route_doc_t       *doc;
    gs_route_doc_kind_e   kind;

    doc = c->admin->doc;
    kind = c->resource->kind;
    list = json_array();

    /* behind the object of the cursor; from the start without one */

    seen = (c->path.cursor[0] == '\0');

    if (gs_admin_list_map(c, doc->fixed[kind], NULL, list, &seen) != GS_OK
        || gs_admin_list_map(c, doc->api[kind], doc->fixed[kind], list, &seen)
           != GS_OK)
    {
        json_decref(list);
        return gs_admin_nomem(c);
    }

    if (!seen) {
        json_decref(list);
        return gs_admin_fail(c, 410, "CURSOR_GONE", "",
                             "begin again without a cursor",
                             "the object of the cursor is gone");
    }

    c->r->status = 200;
    c->r->body = json_pack("{s:o, s:I}", "items", list, "revision",
                           (json_int_t) doc->revision);

    if (c->r->body == NULL) {
        return gs_admin_nomem(c);
    }

    if (json_array_size(list) > c->path.limit) {
        (void) json_array_remove(list, c->path.limit);

        return json_object_set(c->r->body, "next",
                               json_object_get(json_array_get(list,
                                                   c->path.limit - 1),
                                               "id")) == 0
               ? GS_OK : gs_admin_nomem(c);
    }

    return GS_OK;
}


/* One more than asked for tells that there is a next page. */

static gs_rc_t
gs_admin_list_map(gs_admin_call_t *c, json_t *map, const json_t *over,
    json_t *list, unsigned *seen)
{
    void        *iter;
    json_t      *record, *object;
    const char  *key;

    if (strcmp(c->path.origin, over == NULL ? "api" : "file") == 0) {
        return GS_OK;
    }

    for (iter = json_object_iter(map);
         iter != NULL && json_array_size(list) <= c->path.limit;
         iter = json_object_iter_next(map, iter))
    {
        key = json_object_iter_key(iter);
        record = (over != NULL) ? json_object_iter_value(iter) : NULL;
        object = (over != NULL) ? json_object_get(record, "object")
                                : json_object_iter_value(iter);

        if ((over != NULL && json_object_get(over, key) != NULL)
            || !gs_admin_list_wanted(c, object))
        {
            continue;
        }

        if (!*seen) {
            *seen = (strcmp(key, c->path.cursor) == 0);
            continue;
        }

        if (json_array_append_new(list, gs_admin_show(c, c->resource->kind,
                                                      object, record))
            != 0)
        {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


static unsigned
gs_admin_list_wanted(gs_admin_call_t *c, json_t *object)
{
    const char  *text;

    if (!gs_admin_sees(c, c->resource->kind, object)) {
        return 0;
    }

    if (c->path.platform[0] != '\0') {
        text = gs_admin_platform(c->admin->doc, c->resource->kind, object);

        if (text == NULL || strcmp(text, c->path.platform) != 0) {
            return 0;
        }
    }

    if (c->path.pool[0] != '\0') {
        text = json_string_value(json_object_get(object, "pool"));

        if (text == NULL || strcmp(text, c->path.pool) != 0) {
            return 0;
        }
    }

    return 1;
}


gs_rc_t
gs_admin_get(gs_admin_call_t *c)
{
    json_t    *object, *record;
    gs_str_t   etag;

    object = gs_route_doc_find(c->admin->doc, c->resource->kind, c->path.id,
                               &record);

    if (object == NULL || !gs_admin_sees(c, c->resource->kind, object)) {
        return gs_admin_fail(c, 404, "NOT_FOUND", "", NULL,
                             "no \"%s\" in \"%s\"", c->path.id,
                             c->resource->name);
    }

    gs_admin_etag(c->r->etag, object, record);
    etag = gs_str_text(c->r->etag);

    if (c->q->if_none_match.data != NULL
        && gs_str_eq(&c->q->if_none_match, &etag))
    {
        c->r->status = 304;
        return GS_OK;
    }

    c->r->status = 200;
    c->r->body = gs_admin_show(c, c->resource->kind, object, record);

    return (c->r->body != NULL) ? GS_OK : gs_admin_nomem(c);
}


json_t *
gs_admin_show(gs_admin_call_t *c, gs_route_doc_kind_e kind, json_t *object,
    json_t *record)
{
    char                      etag[GS_ADMIN_ETAG];
    json_t                   *shown, *meta, *value;
    unsigned                  i;
    const char               *why, *text;
    static const char *const  keys[] = {
        "gen", "rev", "by", "created", "updated", "status", "proof", "why",
        "proposal", "expired", "owner"
    };

    gs_admin_etag(etag, object, record);

    shown = json_copy(object);
    meta = json_pack("{s:s, s:s}", "etag", etag, "origin",
                     record != NULL ? "api" : "file");

    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        value = json_object_get(record, keys[i]);

        if (value != NULL && json_object_set(meta, keys[i], value) != 0) {
            json_decref(shown);
            json_decref(meta);
            return NULL;
        }
    }

    why = (record != NULL)
          ? gs_route_doc_out(c->admin->doc, kind, json_string_value(
                                 json_object_get(object, "id")))
          : NULL;

    if (why != NULL
        && (json_object_set_new(meta, "status", json_string("invalid")) != 0
            || json_object_set_new(meta, "why", json_string(why)) != 0))
    {
        json_decref(shown);
        json_decref(meta);
        return NULL;
    }

    text = (why == NULL) ? gs_admin_judged(c->admin, kind, record) : NULL;

    if (text != NULL
        && json_object_set_new(meta, "refused", json_string(text)) != 0)
    {
        json_decref(shown);
        json_decref(meta);
        return NULL;
    }

    if (json_object_set_new(shown, "meta", meta) != 0) {
        json_decref(shown);
        return NULL;
    }

    if (kind == GS_ROUTE_DOC_INSTANCES
        && gs_admin_show_health(c, object, shown) != GS_OK)
    {
        json_decref(shown);
        return NULL;
    }

    return shown;
}


static gs_rc_t
gs_admin_show_health(gs_admin_call_t *c, json_t *object, json_t *shown)
{
    json_t                 *health, *resolved;
    gs_str_t                name;
    unsigned                port;
    const char             *id;
    const gs_admin_host_t  *host;

    host = c->admin->host;
    id = json_string_value(json_object_get(object, "id"));

    if (!gs_admin_named(object, &name, &port)) {
        health = (host->health != NULL) ? host->health(host->ctx, id) : NULL;

        return (health == NULL
                || json_object_set_new(shown, "health", health) == 0)
               ? GS_OK : GS_ERROR;
    }

    resolved = gs_admin_named_show(c->admin, id, host->health, host->ctx,
                                   &health);

    if (resolved == NULL) {
        resolved = json_pack("{s:[]}", "addresses");
    }

    if ((health != NULL && json_object_set_new(shown, "health", health) != 0)
        || (host->resolved != NULL
            && host->resolved(host->ctx, id, resolved) != GS_OK))
    {
        json_decref(resolved);
        return GS_ERROR;
    }

    return (json_object_set_new(shown, "resolved", resolved) == 0)
           ? GS_OK : GS_ERROR;
}


/*
 * Strong: the generation keeps one that was removed and made again apart from
 * its former self.  An object of a file has the hash of its text.
 */

void
gs_admin_etag(char *etag, const json_t *object, const json_t *record)
{
    char      *text, *p;
    uint64_t   hash;

    if (record != NULL) {
        (void) snprintf(etag, GS_ADMIN_ETAG, "\"%lld.%lld\"",
                        (long long) json_integer_value(
                                        json_object_get(record, "gen")),
                        (long long) json_integer_value(
                                        json_object_get(record, "rev")));
        return;
    }

    text = json_dumps(object, JSON_COMPACT|JSON_SORT_KEYS);
    hash = 0xcbf29ce484222325ull;

    for (p = text; p != NULL && *p != '\0'; p++) {
        hash = (hash ^ (gs_uchar_t) *p) * 0x100000001b3ull;
    }

    free(text);

    (void) snprintf(etag, GS_ADMIN_ETAG, "\"file.%016llx\"",
                    (unsigned long long) hash);
}
