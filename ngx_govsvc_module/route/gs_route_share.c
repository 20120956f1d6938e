
/*
 * Copyright (C) govsvc authors
 *
 * A document that several nodes share: heads, verdicts, changes.
 */


#include "route/gs_route_share.h"

#include <stdio.h>


#define GS_ROUTE_SHARE_FIELDS   7
#define GS_ROUTE_SHARE_CHANGES  512        /* kept of the latest */


static gs_rc_t gs_route_head_hex(const gs_str_t *s, uint64_t *value);
static unsigned gs_route_share_kind(const gs_str_t *name);
static gs_rc_t gs_route_share_put(gs_route_doc_t *doc, json_t *entry,
    unsigned *broken);


void
gs_route_head_text(const gs_route_head_t *head, char *text)
{
    (void) snprintf(text, GS_ROUTE_HEAD_TEXT,
                    "%016llx %llu %016llx %016llx %llu %016llx %llu",
                    (unsigned long long) head->epoch,
                    (unsigned long long) head->revision,
                    (unsigned long long) head->tip,
                    (unsigned long long) head->parents[0],
                    (unsigned long long) head->upto[0],
                    (unsigned long long) head->parents[1],
                    (unsigned long long) head->upto[1]);
}


gs_rc_t
gs_route_head_read(gs_route_head_t *head, const gs_str_t *text)
{
    size_t     at;
    gs_rc_t    rc;
    gs_str_t   rest, s;
    unsigned   i;
    uint64_t  *fields[GS_ROUTE_SHARE_FIELDS];

    fields[0] = &head->epoch;
    fields[1] = &head->revision;
    fields[2] = &head->tip;
    fields[3] = &head->parents[0];
    fields[4] = &head->upto[0];
    fields[5] = &head->parents[1];
    fields[6] = &head->upto[1];

    rest = *text;

    for (i = 0; i < GS_ROUTE_SHARE_FIELDS; i++) {
        at = gs_str_chr(&rest, 0, ' ');
        s = gs_str_make(rest.data, at);

        if ((at == rest.len) != (i == GS_ROUTE_SHARE_FIELDS - 1)) {
            return GS_ERROR;
        }

        at += (at < rest.len);
        rest = gs_str_make(rest.data + at, rest.len - at);

        rc = (i == 1 || i == 4 || i == 6) ? gs_parse_u64(&s, fields[i])
                                          : gs_route_head_hex(&s, fields[i]);

        if (rc != GS_OK) {
            return GS_ERROR;
        }
    }

    /* a revision is a number of JSON too */

    return (head->epoch != 0 && head->revision <= INT64_MAX / 2) ? GS_OK
                                                                 : GS_ERROR;
}


static gs_rc_t
gs_route_head_hex(const gs_str_t *s, uint64_t *value)
{
    size_t      i;
    gs_uchar_t  c;

    if (s->len != 16) {
        return GS_ERROR;
    }

    for (*value = 0, i = 0; i < 16; i++) {
        c = s->data[i];

        if (c >= '0' && c <= '9') {
            c = (gs_uchar_t) (c - '0');

        } else if (c >= 'a' && c <= 'f') {
            c = (gs_uchar_t) (c - 'a' + 10);

        } else {
            return GS_ERROR;
        }

        *value = *value << 4 | c;
    }

    return GS_OK;
}


gs_route_share_e
gs_route_share_judge(const gs_route_head_t *node,
    const gs_route_head_t *store)
{
    unsigned  i;

    if (store == NULL) {
        return (node->epoch == 0) ? GS_ROUTE_SHARE_FOUND
                                  : GS_ROUTE_SHARE_WIPED;
    }

    if (node->epoch == store->epoch) {

        if (store->revision < node->revision) {
            return GS_ROUTE_SHARE_BACK;
        }

        if (store->revision > node->revision) {
            return GS_ROUTE_SHARE_AHEAD;
        }

        return (store->tip == node->tip) ? GS_ROUTE_SHARE_SAME
                                         : GS_ROUTE_SHARE_FORKED;
    }

    /* revisions of a node never go back */

    if (store->revision <= node->revision) {
        return GS_ROUTE_SHARE_FOREIGN;
    }

    if (node->epoch == 0) {
        return (node->revision == 0) ? GS_ROUTE_SHARE_ADOPT
                                     : GS_ROUTE_SHARE_FOREIGN;
    }

    for (i = 0; i < 2; i++) {
        if (store->parents[i] == node->epoch
            && store->upto[i] >= node->revision)
        {
            return GS_ROUTE_SHARE_ADOPT;
        }
    }

    return GS_ROUTE_SHARE_FOREIGN;
}


const char *
gs_route_share_name(unsigned verdict)
{
    static const char *const  names[] = {
        "same", "behind", "founding", "adopting", "wiped", "rolled back",
        "forked", "foreign"
    };

    return (verdict <= GS_ROUTE_SHARE_FOREIGN) ? names[verdict] : "down";
}


json_t *
gs_route_share_change(const gs_route_doc_t *doc, const json_t *undo)
{
    size_t       i, n;
    json_t      *root, *put, *entry, *record;
    unsigned     kind;
    const char  *id;

    put = json_array();

    for (i = 0; i < json_array_size(undo); i++) {
        entry = json_array_get(undo, i);
        kind = (unsigned) json_integer_value(json_array_get(entry, 0));
        id = json_string_value(json_array_get(entry, 1));
        record = json_object_get(doc->api[kind], id);

        entry = json_pack("[s, s, O?]", gs_route_doc_names[kind], id, record);

        if (json_array_append_new(put, entry) != 0) {
            json_decref(put);
            return NULL;
        }
    }

    n = json_array_size(doc->changes);
    root = json_pack("{s:o, s:O?}", "put", put, "change",
                     json_array_get(doc->changes, n - 1));

    return root;
}


gs_rc_t
gs_route_share_apply(gs_route_doc_t *doc, const gs_str_t *text,
    unsigned *broken, gs_err_t *err)
{
    size_t         i;
    json_t        *root, *put, *change;
    json_error_t   error;

    *broken = 0;

    root = json_loadb((const char *) text->data, text->len,
                      JSON_REJECT_DUPLICATES, &error);
    put = json_object_get(root, "put");
    change = json_object_get(root, "change");

    if (!json_is_array(put)) {
        json_decref(root);
        return gs_err(err, "a change without objects");
    }

    for (i = 0; i < json_array_size(put); i++) {
        if (gs_route_share_put(doc, json_array_get(put, i), broken)
            != GS_OK)
        {
            json_decref(root);
            return gs_err(err, "out of memory");
        }
    }

    if (json_is_object(change)) {
        (void) json_array_append(doc->changes, change);
    }

    while (json_array_size(doc->changes) > GS_ROUTE_SHARE_CHANGES) {
        (void) json_array_remove(doc->changes, 0);
    }

    json_decref(root);

    return GS_OK;
}


static gs_rc_t
gs_route_share_put(gs_route_doc_t *doc, json_t *entry, unsigned *broken)
{
    json_t      *record;
    gs_str_t     name;
    unsigned     kind;
    const char  *id;

    id = json_string_value(json_array_get(entry, 0));
    name = gs_str_text(id != NULL ? id : "");
    kind = gs_route_share_kind(&name);
    id = json_string_value(json_array_get(entry, 1));
    record = json_array_get(entry, 2);

    if (kind == GS_ROUTE_DOC_KINDS || id == NULL) {
        (*broken)++;
        return GS_OK;
    }

    if (json_is_null(record)) {
        (void) json_object_del(doc->api[kind], id);
        return GS_OK;
    }

    if (!gs_route_doc_whole(id, record)) {
        (*broken)++;
        return GS_OK;
    }

    return (json_object_set(doc->api[kind], id, record) == 0) ? GS_OK
                                                              : GS_ERROR;
}


static unsigned
gs_route_share_kind(const gs_str_t *name)
{
    unsigned  kind;

    for (kind = 0; kind < GS_ROUTE_DOC_KINDS; kind++) {
        if (gs_str_eq_text(name, gs_route_doc_names[kind])) {
            break;
        }
    }

    return kind;
}


gs_rc_t
gs_route_share_record(json_t **maps, const gs_route_doc_t *doc,
    const gs_str_t *name, const gs_str_t *text)
{
    char           id[256];
    size_t         at;
    json_t        *record;
    gs_rc_t        rc;
    gs_str_t       s;
    unsigned       kind;
    json_error_t   error;

    at = gs_str_chr(name, 0, '/');
    s = gs_str_make(name->data, at);
    kind = gs_route_share_kind(&s);

    if (kind == GS_ROUTE_DOC_KINDS || name->len - at > sizeof(id)) {
        return GS_DECLINED;
    }

    at++;
    memcpy(id, name->data + at, name->len - at);
    id[name->len - at] = '\0';

    record = json_loadb((const char *) text->data, text->len,
                        JSON_REJECT_DUPLICATES, &error);

    if (json_is_object(record) && json_object_get(record, "gone") != NULL) {
        json_decref(record);
        return GS_OK;
    }

    rc = GS_OK;

    if (record == NULL || !gs_route_doc_whole(id, record)) {
        json_decref(record);
        record = json_incref(json_object_get(doc->api[kind], id));
        rc = GS_DECLINED;
    }

    if (record != NULL && json_object_set_new(maps[kind], id, record) != 0) {
        return GS_ERROR;
    }

    return rc;
}
