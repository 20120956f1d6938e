
/*
 * Copyright (C) govsvc authors
 *
 * Changes of the document: put one by one, compiled together, committed or
 * undone as a whole.
 */


#include "admin/gs_admin_priv.h"

#include <stdio.h>


#define GS_ADMIN_SAMPLES  8                /* of a dry run */


static gs_rc_t gs_admin_commit_compile(gs_admin_call_t *c,
    gs_route_table_t **table, size_t *size);
static gs_rc_t gs_admin_commit_table(gs_admin_call_t *c,
    gs_route_table_t **table, size_t *size, uint32_t *index, gs_err_t *err);
static void gs_admin_commit_out(gs_admin_call_t *c);
static gs_rc_t gs_admin_commit_invalid(gs_admin_call_t *c,
    const gs_err_t *err, uint32_t index);
static gs_rc_t gs_admin_commit_log(gs_admin_call_t *c);
static gs_rc_t gs_admin_commit_dry(gs_admin_call_t *c,
    const gs_route_table_t *table, size_t size);
static json_t *gs_admin_commit_samples(gs_admin_call_t *c,
    const gs_route_table_t *before, const gs_route_table_t *after);
static void gs_admin_commit_sample(json_t *list, const char *host,
    const char *path, const gs_route_table_t *before,
    const gs_route_table_t *after);
static void gs_admin_commit_winner(json_t *sample, const char *key,
    const gs_route_table_t *table, const gs_route_input_t *in);


gs_rc_t
gs_admin_put(gs_admin_call_t *c, gs_route_doc_kind_e kind, const char *id,
    json_t *record)
{
    json_t    *map, *old, *entry;
    unsigned   i;

    map = c->admin->doc->api[kind];
    old = json_object_get(map, id);

    if (c->undo == NULL) {
        c->undo = json_array();
        c->diff = json_array();

        for (i = 0; i < GS_ROUTE_DOC_TABLE; i++) {
            c->out[i] = json_copy(c->admin->doc->out[i]);
        }
    }

    entry = json_pack("[i, s, O?]", (int) kind, id, old);

    if (json_array_append_new(c->undo, entry) != 0) {
        return gs_admin_nomem(c);
    }

    entry = json_pack("{s:s, s:s, s:O?, s:O?}",
                      "resource", gs_route_doc_names[kind], "id", id,
                      "before", json_object_get(old, "object"),
                      "after", json_object_get(record, "object"));

    if (json_array_append_new(c->diff, entry) != 0) {
        return gs_admin_nomem(c);
    }

    if (record == NULL) {
        (void) json_object_del(map, id);

    } else if (json_object_set(map, id, record) != 0) {
        return gs_admin_nomem(c);
    }

    /* what is written is to stand */

    if (kind < GS_ROUTE_DOC_TABLE) {
        (void) json_object_del(c->admin->doc->out[kind], id);
    }

    c->kind = kind;
    c->target = json_string_value(json_array_get(
                    json_array_get(c->undo, json_array_size(c->undo) - 1),
                    1));

    return GS_OK;
}


json_t *
gs_admin_record(gs_admin_call_t *c, json_t *object, json_t *old,
    const char *status)
{
    json_t      *record, *owner;
    json_int_t   rev, gen, created;

    rev = (json_int_t) c->admin->doc->revision + 1;
    gen = rev;
    created = (json_int_t) c->q->now;

    if (old != NULL) {
        gen = json_integer_value(json_object_get(old, "gen"));
        created = json_integer_value(json_object_get(old, "created"));
    }

    record = json_pack("{s:O, s:I, s:I, s:s, s:I, s:I, s:s}",
                       "object", object, "gen", gen, "rev", rev,
                       "by", c->by, "created", created,
                       "updated", (json_int_t) c->q->now, "status", status);

    /* each new address of a name has to show the proof, as the first did */

    owner = json_object_get(old, "owner");

    if (record != NULL && owner != NULL && gs_admin_same_place(object, old)
        && (json_object_set(record, "owner", owner) != 0
            || (json_object_get(old, "proof") != NULL
                && json_object_set(record, "proof",
                                   json_object_get(old, "proof")) != 0)))
    {
        json_decref(record);
        return NULL;
    }

    return record;
}


gs_rc_t
gs_admin_try(gs_admin_call_t *c, const char *id, json_t *object, json_t *old)
{
    size_t             size;
    json_t            *record;
    gs_rc_t            rc;
    gs_route_table_t  *table;

    table = NULL;
    record = gs_admin_record(c, object, old, "active");

    rc = (record != NULL) ? gs_admin_put(c, c->resource->kind, id, record)
                          : gs_admin_nomem(c);

    json_decref(record);

    if (rc == GS_OK) {
        rc = gs_admin_commit_compile(c, &table, &size);
    }

    if (rc == GS_OK) {
        gs_free(c->admin->mem, table);
    }

    gs_admin_rollback(c);
    (void) json_array_clear(c->diff);

    return rc;
}


void
gs_admin_rollback(gs_admin_call_t *c)
{
    size_t       i;
    json_t      *entry, *map, *old;
    const char  *id;

    for (i = json_array_size(c->undo); i != 0; i--) {
        entry = json_array_get(c->undo, i - 1);
        map = c->admin->doc->api[json_integer_value(json_array_get(entry,
                                                                   0))];
        id = json_string_value(json_array_get(entry, 1));
        old = json_array_get(entry, 2);

        if (json_is_null(old)) {
            (void) json_object_del(map, id);

        } else {
            (void) json_object_set(map, id, old);
        }
    }

    if (json_array_size(c->undo) != 0) {
        (void) json_array_clear(c->undo);
        gs_admin_commit_out(c);
    }
}


gs_rc_t
gs_admin_commit(gs_admin_call_t *c)
{
    size_t                  size;
    json_t                 *changes;
    gs_rc_t                 rc;
    gs_err_t                err;
    gs_route_doc_t         *doc;
    gs_route_table_t       *table;
    const gs_admin_host_t  *host;

    doc = c->admin->doc;
    host = c->admin->host;

    size = 0;
    table = NULL;

    if (gs_admin_commit_compile(c, &table, &size) != GS_OK) {
        return GS_ERROR;
    }

    if (c->path.dry_run) {
        rc = gs_admin_commit_dry(c, table, size);
        gs_free(c->admin->mem, table);
        return rc;
    }

    changes = json_copy(doc->changes);

    if (changes == NULL || gs_admin_commit_log(c) != GS_OK) {
        json_decref(changes);
        gs_free(c->admin->mem, table);
        return gs_admin_nomem(c);
    }

    memset(&err, 0, sizeof(gs_err_t));

    doc->revision++;

    rc = (host->stage != NULL) ? host->stage(host->ctx, table, size, c->undo,
                                             &err)
                               : host->commit(host->ctx, table, size, &err);

    gs_free(c->admin->mem, table);

    if (rc == GS_ERROR || host->stage != NULL) {
        doc->revision--;
        json_decref(doc->changes);
        doc->changes = changes;

        if (rc != GS_ERROR) {
            gs_admin_rollback(c);
            return GS_OK;
        }

        c->r->retry_after = 1;

        return gs_admin_fail(c, 503, "NOT_STORED", "", NULL, "%s", err.text);
    }

    json_decref(changes);
    (void) json_array_clear(c->undo);

    if (rc == GS_BUSY) {
        c->r->status = 202;
    }

    return GS_OK;
}


/* Objects that the table left out come back if they can, or none does. */

static gs_rc_t
gs_admin_commit_compile(gs_admin_call_t *c, gs_route_table_t **table,
    size_t *size)
{
    gs_rc_t    rc;
    gs_err_t   err;
    unsigned   found;
    uint32_t   index;

    rc = GS_ERROR;
    index = GS_ROUTE_NONE;

    if (gs_route_doc_outs(c->admin->doc, &found) != 0) {

        if (gs_route_doc_refer(c->admin->doc, 0) != GS_OK) {
            return gs_admin_nomem(c);
        }

        rc = gs_admin_commit_table(c, table, size, &index, &err);

        if (rc != GS_OK) {
            gs_admin_commit_out(c);
        }
    }

    if (rc != GS_OK) {
        rc = gs_admin_commit_table(c, table, size, &index, &err);
    }

    return (rc == GS_OK) ? GS_OK : gs_admin_commit_invalid(c, &err, index);
}


static gs_rc_t
gs_admin_commit_table(gs_admin_call_t *c, gs_route_table_t **table,
    size_t *size, uint32_t *index, gs_err_t *err)
{
    json_t   *root;
    gs_rc_t   rc;

    root = gs_route_doc_root(c->admin->doc, 0, c->kind, c->target, index);

    if (root == NULL) {
        return gs_err(err, "out of memory");
    }

    rc = gs_route_compile_root(c->admin->mem, root, c->admin->regions, table,
                               size, err);
    json_decref(root);

    return rc;
}


/* As it was before this call, but for what the call has put. */

static void
gs_admin_commit_out(gs_admin_call_t *c)
{
    size_t                i;
    json_t               *entry;
    unsigned              k;
    gs_route_doc_t       *doc;
    gs_route_doc_kind_e   kind;

    doc = c->admin->doc;

    for (k = 0; k < GS_ROUTE_DOC_TABLE; k++) {
        json_decref(doc->out[k]);
        doc->out[k] = json_copy(c->out[k]);
    }

    for (i = 0; i < json_array_size(c->undo); i++) {
        entry = json_array_get(c->undo, i);
        kind = (gs_route_doc_kind_e) json_integer_value(
                                         json_array_get(entry, 0));

        if (kind < GS_ROUTE_DOC_TABLE) {
            (void) json_object_del(doc->out[kind], json_string_value(
                                       json_array_get(entry, 1)));
        }
    }
}


/*
 * "/instances/17/port": if 17 is the object of this call, the field is /port;
 * else the change breaks something that stands already.
 */

static gs_rc_t
gs_admin_commit_invalid(gs_admin_call_t *c, const gs_err_t *err,
    uint32_t index)
{
    char         want[64];
    size_t       len;
    const char  *text;

    text = err->text;

    if (strcmp(text, "out of memory") == 0) {
        return gs_admin_nomem(c);
    }

    if (index != GS_ROUTE_NONE) {
        len = (size_t) snprintf(want, sizeof(want), "/%s/%u",
                                gs_route_doc_names[c->kind],
                                (unsigned) index);

        if (strncmp(err->pointer, want, len) == 0
            && (err->pointer[len] == '/' || err->pointer[len] == '\0'))
        {
            return gs_admin_fail(c, 422, "INVALID", err->pointer + len, NULL,
                                 "%s", text);
        }
    }

    return gs_admin_fail(c, 409, "CONFLICT", "",
                         "change or remove what depends on it first",
                         "%s, at %s", text, err->pointer);
}


/* What happened, for "changes"; the oldest go. */

static gs_rc_t
gs_admin_commit_log(gs_admin_call_t *c)
{
    size_t           n;
    json_t          *entry, *list;
    gs_str_t         id, method;
    gs_route_doc_t  *doc;

    doc = c->admin->doc;
    id = c->q->request_id;
    method = c->q->method;

    /* an import is one line, without all that is in it */

    n = json_array_size(c->diff);

    entry = json_pack("{s:I, s:I, s:s, s:s%, s:s%, s:i}",
                      "revision", (json_int_t) doc->revision + 1,
                      "time", (json_int_t) c->q->now, "by", c->by,
                      "method", (const char *) method.data, method.len,
                      "request_id", id.data != NULL ? (const char *) id.data
                                                    : "", id.len,
                      "objects", (int) n);

    if (entry == NULL
        || (c->r->platform[0] != '\0'
            && json_object_set_new(entry, "platform",
                                   json_string(c->r->platform)) != 0)
        || (n <= 4 && json_object_set(entry, "diff", c->diff) != 0))
    {
        json_decref(entry);
        return GS_ERROR;
    }

    list = json_copy(doc->changes);

    if (json_array_append_new(list, entry) != 0) {
        json_decref(list);
        return GS_ERROR;
    }

    while (json_array_size(list) > GS_ADMIN_CHANGES) {
        (void) json_array_remove(list, 0);
    }

    json_decref(doc->changes);
    doc->changes = list;

    return GS_OK;
}


/* What would change, and where sample requests of a route would go. */

static gs_rc_t
gs_admin_commit_dry(gs_admin_call_t *c, const gs_route_table_t *table,
    size_t size)
{
    size_t             old;
    json_t            *root, *samples;
    uint32_t           index;
    gs_route_table_t  *before;

    samples = NULL;

    if (c->kind == GS_ROUTE_DOC_ROUTES) {

        /* the table as it stood */

        gs_admin_rollback(c);

        root = gs_route_doc_root(c->admin->doc, 0, c->kind, NULL, &index);

        if (root != NULL
            && gs_route_compile_root(c->admin->mem, root, c->admin->regions,
                                     &before, &old, NULL)
               == GS_OK)
        {
            samples = gs_admin_commit_samples(c, before, table);
            gs_free(c->admin->mem, before);
        }

        json_decref(root);
    }

    json_decref(c->r->body);

    c->r->status = 200;
    c->r->etag[0] = '\0';
    c->r->body = json_pack("{s:b, s:O, s:{s:i, s:i, s:I}, s:o*}",
                           "dry_run", 1, "diff", c->diff, "table",
                           "routes", (int) gs_route_routes(table),
                           "instances", (int) gs_route_instances(table),
                           "bytes", (json_int_t) size, "samples", samples);

    return (c->r->body != NULL) ? GS_OK : gs_admin_nomem(c);
}


static json_t *
gs_admin_commit_samples(gs_admin_call_t *c, const gs_route_table_t *before,
    const gs_route_table_t *after)
{
    size_t         h, p, nhosts, npaths;
    json_t        *list;
    const char    *host, *path;
    const json_t  *change, *match, *hosts, *paths;

    list = json_array();
    change = json_array_get(c->diff, json_array_size(c->diff) - 1);
    match = json_object_get(change, "after");

    if (json_is_null(match)) {
        match = json_object_get(change, "before");
    }

    match = json_object_get(match, "match");
    hosts = json_object_get(match, "hosts");
    paths = json_object_get(match, "paths");

    nhosts = json_array_size(hosts);
    npaths = json_array_size(paths);

    for (h = 0; h < (nhosts != 0 ? nhosts : 1); h++) {
        for (p = 0; p < (npaths != 0 ? npaths : 1); p++) {

            if (json_array_size(list) == GS_ADMIN_SAMPLES) {
                return list;
            }

            host = json_string_value(json_array_get(hosts, h));
            path = json_string_value(json_array_get(paths, p));

            gs_admin_commit_sample(list, host != NULL ? host : "",
                                   path != NULL ? path : "/", before, after);
        }
    }

    return list;
}


static void
gs_admin_commit_sample(json_t *list, const char *host, const char *path,
    const gs_route_table_t *before, const gs_route_table_t *after)
{
    char              name[256];
    json_t           *sample;
    gs_route_input_t  in;

    path += (path[0] == '=');

    if (snprintf(name, sizeof(name), "%s%s", host[0] == '*' ? "www" : "",
                 host + (host[0] == '*'))
        >= (int) sizeof(name))
    {
        return;
    }

    memset(&in, 0, sizeof(gs_route_input_t));
    in.host = gs_str_text(name);
    in.method = gs_str_text("GET");
    in.uri = gs_str_text(path);

    sample = json_pack("{s:s, s:s}", "host", name, "path", path);

    gs_admin_commit_winner(sample, "before", before, &in);
    gs_admin_commit_winner(sample, "after", after, &in);

    (void) json_array_append_new(list, sample);
}


static void
gs_admin_commit_winner(json_t *sample, const char *key,
    const gs_route_table_t *table, const gs_route_input_t *in)
{
    gs_route_result_t  res;

    if (gs_route_match(table, in, &res) == GS_OK) {
        (void) json_object_set_new(sample, key,
                                   json_stringn((const char *)
                                                res.route_id.data,
                                                res.route_id.len));

    } else {
        (void) json_object_set_new(sample, key, json_null());
    }
}
