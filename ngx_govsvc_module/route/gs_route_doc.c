
/*
 * Copyright (C) govsvc authors
 *
 * The document behind the route table: fixed objects, records, snapshots.
 */


#include "route/gs_route_doc.h"
#include "route/gs_route_load.h"


static gs_rc_t gs_route_doc_fix_kind(json_t *map, json_t *list,
    const char *name, gs_err_t *err);
static gs_rc_t gs_route_doc_read(gs_route_doc_t *doc, json_t *root,
    gs_err_t *err);
static gs_rc_t gs_route_doc_kind(json_t *map, const char *name,
    gs_err_t *err);
static unsigned gs_route_doc_count(const json_t *record, const char *key);
static gs_rc_t gs_route_doc_list(const gs_route_doc_t *doc, unsigned api,
    gs_route_doc_kind_e kind, json_t *list, const char *id, uint32_t *index);
static gs_rc_t gs_route_doc_overlay(const gs_route_doc_t *doc,
    gs_route_doc_kind_e kind, json_t *root);
static gs_rc_t gs_route_doc_override(json_t *list, const char *id,
    const json_t *from);
static json_t *gs_route_doc_drained(json_t *record, json_t *object);


const char *const  gs_route_doc_names[GS_ROUTE_DOC_KINDS + 1] = {
    "tls_profiles", "check_profiles", "platforms", "pools", "instances",
    "routes", "credentials", "maintenance", NULL
};


gs_rc_t
gs_route_doc_init(gs_route_doc_t *doc)
{
    unsigned  i;

    memset(doc, 0, sizeof(gs_route_doc_t));

    for (i = 0; i < GS_ROUTE_DOC_KINDS; i++) {
        doc->fixed[i] = json_object();
        doc->api[i] = json_object();

        if (doc->fixed[i] == NULL || doc->api[i] == NULL) {
            return GS_ERROR;
        }
    }

    for (i = 0; i < GS_ROUTE_DOC_TABLE; i++) {
        doc->out[i] = json_object();

        if (doc->out[i] == NULL) {
            return GS_ERROR;
        }
    }

    doc->changes = json_array();
    doc->hosts = json_object();

    return (doc->changes != NULL && doc->hosts != NULL) ? GS_OK : GS_ERROR;
}


void
gs_route_doc_free(gs_route_doc_t *doc)
{
    unsigned  i;

    for (i = 0; i < GS_ROUTE_DOC_KINDS; i++) {
        json_decref(doc->fixed[i]);
        json_decref(doc->api[i]);
    }

    for (i = 0; i < GS_ROUTE_DOC_TABLE; i++) {
        json_decref(doc->out[i]);
    }

    json_decref(doc->changes);
    json_decref(doc->hosts);
    memset(doc, 0, sizeof(gs_route_doc_t));
}


gs_rc_t
gs_route_doc_fix(gs_route_doc_t *doc, const gs_str_t *text, gs_err_t *err)
{
    void          *iter;
    json_t        *root;
    gs_rc_t        rc;
    gs_str_t       name;
    unsigned       i;
    json_error_t   error;

    root = json_loadb((const char *) text->data, text->len,
                      JSON_REJECT_DUPLICATES, &error);

    if (root == NULL) {
        gs_err(err, "bad JSON: %s", error.text);
        err->line = (error.line > 0) ? (unsigned) error.line : 0;
        return GS_ERROR;
    }

    rc = json_is_object(root) ? GS_OK
                              : gs_err(err, "an object is expected");

    for (iter = json_object_iter(root);
         rc == GS_OK && iter != NULL;
         iter = json_object_iter_next(root, iter))
    {
        name = gs_str_text(json_object_iter_key(iter));

        for (i = 0; i < GS_ROUTE_DOC_KINDS; i++) {
            if (gs_str_eq_text(&name, gs_route_doc_names[i])) {
                break;
            }
        }

        if (i == GS_ROUTE_DOC_KINDS) {
            gs_err(err, "unknown member \"%S\"", &name);
            gs_err_hint(err, &name, gs_route_doc_names);
            rc = GS_ERROR;
            break;
        }

        rc = gs_route_doc_fix_kind(doc->fixed[i],
                                   json_object_iter_value(iter),
                                   gs_route_doc_names[i], err);
    }

    json_decref(root);

    return rc;
}


static gs_rc_t
gs_route_doc_fix_kind(json_t *map, json_t *list, const char *name,
    gs_err_t *err)
{
    size_t       i;
    json_t      *object;
    const char  *id;

    if (!json_is_array(list)) {
        return gs_err(err, "\"%s\" is no array", name);
    }

    for (i = 0; i < json_array_size(list); i++) {
        object = json_array_get(list, i);
        id = json_string_value(json_object_get(object, "id"));

        if (id == NULL) {
            return gs_err(err, "an object of \"%s\" has no \"id\"", name);
        }

        if (json_object_get(map, id) != NULL) {
            return gs_err(err, "\"%s\" has the id \"%s\" twice", name, id);
        }

        if (json_object_set(map, id, object) != 0) {
            return gs_err(err, "out of memory");
        }
    }

    return GS_OK;
}


gs_rc_t
gs_route_doc_load(gs_route_doc_t *doc, const gs_str_t *text, gs_err_t *err)
{
    json_t        *root;
    gs_rc_t        rc;
    json_error_t   error;

    root = json_loadb((const char *) text->data, text->len,
                      JSON_REJECT_DUPLICATES, &error);

    if (root == NULL) {
        return gs_err(err, "bad JSON: %s", error.text);
    }

    rc = gs_route_doc_read(doc, root, err);

    json_decref(root);

    return rc;
}


static gs_rc_t
gs_route_doc_read(gs_route_doc_t *doc, json_t *root, gs_err_t *err)
{
    json_t    *objects, *changes;
    unsigned   i;

    objects = json_object_get(root, "objects");
    changes = json_object_get(root, "changes");

    if (json_integer_value(json_object_get(root, "version"))
        != GS_ROUTE_DOC_VERSION)
    {
        return gs_err(err, "a snapshot of another version");
    }

    if (!gs_route_doc_count(root, "revision") || !json_is_array(changes)) {
        return gs_err(err, "a snapshot without revision or changes");
    }

    for (i = 0; i < GS_ROUTE_DOC_KINDS; i++) {
        if (gs_route_doc_kind(json_object_get(objects,
                                              gs_route_doc_names[i]),
                              gs_route_doc_names[i], err)
            != GS_OK)
        {
            return GS_ERROR;
        }
    }

    for (i = 0; i < GS_ROUTE_DOC_KINDS; i++) {
        json_decref(doc->api[i]);
        doc->api[i] = json_incref(json_object_get(objects,
                                                  gs_route_doc_names[i]));
    }

    json_decref(doc->changes);
    doc->changes = json_incref(changes);
    doc->revision = (uint64_t)
                   json_integer_value(json_object_get(root, "revision"));
    doc->epoch = (uint64_t)
                 json_integer_value(json_object_get(root, "epoch"));
    doc->tip = (uint64_t) json_integer_value(json_object_get(root, "tip"));

    return GS_OK;
}


static gs_rc_t
gs_route_doc_kind(json_t *map, const char *name, gs_err_t *err)
{
    void  *iter;

    if (!json_is_object(map)) {
        return gs_err(err, "a snapshot without \"%s\"", name);
    }

    for (iter = json_object_iter(map);
         iter != NULL;
         iter = json_object_iter_next(map, iter))
    {
        if (!gs_route_doc_whole(json_object_iter_key(iter),
                                 json_object_iter_value(iter)))
        {
            return gs_err(err, "a broken record in \"%s\"", name);
        }
    }

    return GS_OK;
}


unsigned
gs_route_doc_whole(const char *id, const json_t *record)
{
    const char    *text;
    const json_t  *proposal;

    text = json_string_value(json_object_get(json_object_get(record,
                                                             "object"),
                                             "id"));

    if (text == NULL || strcmp(text, id) != 0
        || !gs_route_doc_count(record, "gen")
        || !gs_route_doc_count(record, "rev")
        || !gs_route_doc_count(record, "created")
        || !gs_route_doc_count(record, "updated")
        || !json_is_string(json_object_get(record, "by"))
        || !json_is_string(json_object_get(record, "status")))
    {
        return 0;
    }

    proposal = json_object_get(record, "proposal");

    return proposal == NULL || json_is_object(proposal);
}


static unsigned
gs_route_doc_count(const json_t *record, const char *key)
{
    const json_t  *value;

    value = json_object_get(record, key);

    return json_is_integer(value) && json_integer_value(value) >= 0;
}


char *
gs_route_doc_dump(const gs_route_doc_t *doc, size_t *len)
{
    char      *text;
    json_t    *root, *objects;
    unsigned   i, failed;

    objects = json_object();
    failed = 0;

    for (i = 0; i < GS_ROUTE_DOC_KINDS; i++) {
        failed |= json_object_set(objects, gs_route_doc_names[i],
                                  doc->api[i])
                  != 0;
    }

    root = json_object();

    failed |= json_object_set_new(root, "version",
                                  json_integer(GS_ROUTE_DOC_VERSION)) != 0;
    failed |= json_object_set_new(root, "revision",
                                  json_integer((json_int_t) doc->revision))
              != 0;

    if (doc->epoch != 0) {
        failed |= json_object_set_new(root, "epoch",
                                      json_integer((json_int_t) doc->epoch))
                  != 0;
        failed |= json_object_set_new(root, "tip",
                                      json_integer((json_int_t) doc->tip))
                  != 0;
    }

    failed |= json_object_set_new(root, "objects", objects) != 0;
    failed |= json_object_set(root, "changes", doc->changes) != 0;

    text = failed ? NULL : json_dumps(root, JSON_COMPACT);
    *len = (text != NULL) ? strlen(text) : 0;

    json_decref(root);

    return text;
}


json_t *
gs_route_doc_find(const gs_route_doc_t *doc, gs_route_doc_kind_e kind,
    const char *id, json_t **record)
{
    json_t  *object;

    *record = NULL;
    object = json_object_get(doc->fixed[kind], id);

    if (object != NULL) {
        return object;
    }

    *record = json_object_get(doc->api[kind], id);

    return json_object_get(*record, "object");
}


unsigned
gs_route_doc_active(gs_route_doc_kind_e kind, const json_t *record)
{
    const char  *status;

    status = json_string_value(json_object_get(record, "status"));

    return status == NULL || strcmp(status, "active") == 0
           || strcmp(status, "expired") == 0;
}


json_t *
gs_route_doc_root(const gs_route_doc_t *doc, unsigned api,
    gs_route_doc_kind_e kind, const char *id, uint32_t *index)
{
    json_t    *root, *list;
    unsigned   i, failed;

    root = json_object();
    failed = 0;
    *index = GS_ROUTE_NONE;

    for (i = 0; i < GS_ROUTE_DOC_TABLE; i++) {
        list = json_array();

        failed |= json_object_set_new(root, gs_route_doc_names[i], list) != 0
                  || gs_route_doc_list(doc, api, i, list,
                                       i == kind ? id : NULL, index)
                     != GS_OK;
    }

    if (!failed && !api && json_object_size(doc->hosts) != 0) {
        failed = json_object_set(root, "resolved", doc->hosts) != 0;
    }

    if (!failed && !api) {
        failed = gs_route_doc_overlay(doc, GS_ROUTE_DOC_PLATFORMS, root)
                 != GS_OK
                 || gs_route_doc_overlay(doc, GS_ROUTE_DOC_INSTANCES, root)
                    != GS_OK;
    }

    if (failed) {
        json_decref(root);
        return NULL;
    }

    return root;
}


static gs_rc_t
gs_route_doc_list(const gs_route_doc_t *doc, unsigned api,
    gs_route_doc_kind_e kind, json_t *list, const char *id, uint32_t *index)
{
    void        *iter;
    json_t      *map, *record, *object;
    const char  *key;

    map = doc->fixed[kind];

    for (iter = api ? NULL : json_object_iter(map);
         iter != NULL;
         iter = json_object_iter_next(map, iter))
    {
        if (json_array_append(list, json_object_iter_value(iter)) != 0) {
            return GS_ERROR;
        }
    }

    map = doc->api[kind];

    for (iter = json_object_iter(map);
         iter != NULL;
         iter = json_object_iter_next(map, iter))
    {
        key = json_object_iter_key(iter);
        record = json_object_iter_value(iter);
        object = json_incref(json_object_get(record, "object"));

        if (!api) {

            if (json_object_get(doc->fixed[kind], key) != NULL
                || json_object_get(doc->out[kind], key) != NULL
                || !gs_route_doc_active(kind, record))
            {
                json_decref(object);
                continue;
            }

            object = gs_route_doc_drained(record, object);
        }

        if (id != NULL && strcmp(id, key) == 0) {
            *index = (uint32_t) json_array_size(list);
        }

        if (json_array_append_new(list, object) != 0) {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


/* An instance whose lease ran out and that does not answer is left alone. */

static json_t *
gs_route_doc_drained(json_t *record, json_t *object)
{
    json_t      *copy;
    const char  *status;

    status = json_string_value(json_object_get(record, "status"));

    if (strcmp(status, "expired") != 0) {
        return object;
    }

    copy = json_copy(object);
    json_decref(object);

    if (copy == NULL
        || json_object_set_new(copy, "state", json_string("drain")) != 0)
    {
        json_decref(copy);
        return NULL;
    }

    return copy;
}


/* Maintenance is laid over what files and records say. */

static gs_rc_t
gs_route_doc_overlay(const gs_route_doc_t *doc, gs_route_doc_kind_e kind,
    json_t *root)
{
    void        *iter;
    json_t      *map, *object;
    const char  *id;

    map = doc->api[GS_ROUTE_DOC_MAINTENANCE];

    for (iter = json_object_iter(map);
         iter != NULL;
         iter = json_object_iter_next(map, iter))
    {
        object = json_object_get(json_object_iter_value(iter), "object");
        id = json_string_value(json_object_get(object,
                               (kind == GS_ROUTE_DOC_PLATFORMS)
                               ? "platform" : "instance"));

        if (id != NULL
            && gs_route_doc_override(json_object_get(root,
                                                   gs_route_doc_names[kind]),
                                     id, object)
               != GS_OK)
        {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


static gs_rc_t
gs_route_doc_override(json_t *list, const char *id, const json_t *from)
{
    size_t                    i;
    json_t                   *copy, *value;
    unsigned                  k;
    const char               *text;
    static const char *const  keys[] = { "state", "retry_after" };

    for (i = 0; i < json_array_size(list); i++) {
        copy = json_array_get(list, i);
        text = json_string_value(json_object_get(copy, "id"));

        if (text == NULL || strcmp(text, id) != 0) {
            continue;
        }

        copy = json_copy(copy);

        for (k = 0; copy != NULL && k < 2; k++) {
            value = json_object_get(from, keys[k]);

            if (value != NULL && json_object_set(copy, keys[k], value) != 0) {
                json_decref(copy);
                copy = NULL;
            }
        }

        return (copy != NULL && json_array_set_new(list, i, copy) == 0)
               ? GS_OK : GS_ERROR;
    }

    return GS_OK;
}
