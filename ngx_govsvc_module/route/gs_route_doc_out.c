
/*
 * Copyright (C) govsvc authors
 *
 * Records that a table leaves out: what they name is gone, or they contradict
 * the files of the operator.  One that cannot stand takes none with it but
 * those that need it, and comes back when it can.
 */


#include "route/gs_route_doc.h"

#include <string.h>


static gs_rc_t gs_route_doc_refer_kind(gs_route_doc_t *doc,
    gs_route_doc_kind_e kind, unsigned more, json_t **next);
static const char *gs_route_doc_lacks(const gs_route_doc_t *doc,
    const json_t *object, gs_route_doc_kind_e kind, json_t **next,
    const char **of);
static gs_rc_t gs_route_doc_note(json_t *map, const char *id,
    const json_t *record, const char *why, const char *name);


typedef struct {
    const char           *member;
    gs_route_doc_kind_e   kind;
    const char           *what;
} gs_route_doc_ref_t;


/* What an object of a table names by id. */

static const gs_route_doc_ref_t  gs_route_doc_refs[GS_ROUTE_DOC_TABLE][4] = {
    { { NULL, 0, NULL } },
    { { NULL, 0, NULL } },
    { { NULL, 0, NULL } },
    { { "platform", GS_ROUTE_DOC_PLATFORMS, "platform" },
      { "tls", GS_ROUTE_DOC_TLS, "TLS profile" },
      { "check", GS_ROUTE_DOC_CHECKS, "check profile" },
      { NULL, 0, NULL } },
    { { "pool", GS_ROUTE_DOC_POOLS, "pool" },
      { NULL, 0, NULL } },
    { { "platform", GS_ROUTE_DOC_PLATFORMS, "platform" },
      { "pool", GS_ROUTE_DOC_POOLS, "pool" },
      { NULL, 0, NULL } }
};


/*
 * In the order of the kinds, so that what needs a pool that is out follows
 * it.  What the compiler found stays until its record is written again.
 */

gs_rc_t
gs_route_doc_refer(gs_route_doc_t *doc, unsigned more)
{
    json_t    *next[GS_ROUTE_DOC_TABLE];
    gs_rc_t    rc;
    unsigned   i;

    memset(next, 0, sizeof(next));
    rc = GS_OK;

    for (i = 0; i < GS_ROUTE_DOC_TABLE && rc == GS_OK; i++) {
        rc = gs_route_doc_refer_kind(doc, i, more, next);
    }

    for (i = 0; i < GS_ROUTE_DOC_TABLE; i++) {

        if (rc != GS_OK) {
            json_decref(next[i]);
            continue;
        }

        json_decref(doc->out[i]);
        doc->out[i] = next[i];
    }

    return rc;
}


static gs_rc_t
gs_route_doc_refer_kind(gs_route_doc_t *doc, gs_route_doc_kind_e kind,
    unsigned more, json_t **next)
{
    void          *iter;
    json_t        *map, *record;
    gs_rc_t        rc;
    const char    *id, *of, *what;
    const json_t  *old, *rev;

    next[kind] = json_object();

    if (next[kind] == NULL) {
        return GS_ERROR;
    }

    map = doc->api[kind];
    rc = GS_OK;

    for (iter = json_object_iter(map);
         iter != NULL && rc == GS_OK;
         iter = json_object_iter_next(map, iter))
    {
        id = json_object_iter_key(iter);
        record = json_object_iter_value(iter);
        old = json_object_get(doc->out[kind], id);

        if (json_object_get(doc->fixed[kind], id) != NULL
            || !gs_route_doc_active(kind, record)
            || (old == NULL && !more))
        {
            continue;
        }

        rev = json_object_get(old, "rev");

        if (rev != NULL && json_equal(rev, json_object_get(record, "rev"))) {
            rc = (json_object_set(next[kind], id, (json_t *) old) == 0)
                 ? GS_OK : GS_ERROR;
            continue;
        }

        what = gs_route_doc_lacks(doc, json_object_get(record, "object"),
                                  kind, next, &of);

        if (what != NULL) {
            rc = gs_route_doc_note(next[kind], id, NULL, what, of);
        }
    }

    return rc;
}


/* A member that is no text is the compiler's. */

static const char *
gs_route_doc_lacks(const gs_route_doc_t *doc, const json_t *object,
    gs_route_doc_kind_e kind, json_t **next, const char **of)
{
    json_t                    *record;
    unsigned                   i;
    const gs_route_doc_ref_t  *ref;

    for (i = 0; gs_route_doc_refs[kind][i].member != NULL; i++) {
        ref = &gs_route_doc_refs[kind][i];
        *of = json_string_value(json_object_get(object, ref->member));

        if (*of == NULL) {
            continue;
        }

        if (gs_route_doc_find(doc, ref->kind, *of, &record) == NULL
            || (record != NULL
                && (!gs_route_doc_active(ref->kind, record)
                    || json_object_get(next[ref->kind], *of) != NULL)))
        {
            return ref->what;
        }
    }

    return NULL;
}


static gs_rc_t
gs_route_doc_note(json_t *map, const char *id, const json_t *record,
    const char *why, const char *name)
{
    json_t  *entry;

    entry = (record != NULL)
            ? json_pack("{s:s, s:O}", "why", why, "rev",
                        json_object_get(record, "rev"))
            : json_pack("{s:o}", "why",
                        json_sprintf("no %s \"%s\"", why, name));

    return (json_object_set_new(map, id, entry) == 0) ? GS_OK : GS_ERROR;
}


gs_rc_t
gs_route_doc_leave_out(gs_route_doc_t *doc, gs_route_doc_kind_e kind,
    const char *id, const char *why)
{
    json_t  *record;

    record = json_object_get(doc->api[kind], id);

    if (record == NULL || json_object_get(doc->fixed[kind], id) != NULL
        || json_object_get(doc->out[kind], id) != NULL)
    {
        return GS_DECLINED;
    }

    return gs_route_doc_note(doc->out[kind], id, record, why, NULL);
}


const char *
gs_route_doc_out(const gs_route_doc_t *doc, gs_route_doc_kind_e kind,
    const char *id)
{
    if (kind >= GS_ROUTE_DOC_TABLE) {
        return NULL;
    }

    return json_string_value(json_object_get(json_object_get(doc->out[kind],
                                                             id), "why"));
}


unsigned
gs_route_doc_outs(const gs_route_doc_t *doc, unsigned *found)
{
    void      *iter;
    unsigned   i, n;

    n = 0;
    *found = 0;

    for (i = 0; i < GS_ROUTE_DOC_TABLE; i++) {
        n += (unsigned) json_object_size(doc->out[i]);

        for (iter = json_object_iter(doc->out[i]);
             iter != NULL;
             iter = json_object_iter_next(doc->out[i], iter))
        {
            *found += json_object_get(json_object_iter_value(iter), "rev")
                      != NULL;
        }
    }

    return n;
}


gs_rc_t
gs_route_doc_blamed(const json_t *root, const char *pointer,
    gs_route_doc_kind_e *kind, const char **id)
{
    size_t       len;
    gs_str_t     s;
    unsigned     k;
    uint64_t     i;
    const char  *p;

    p = pointer + (pointer[0] == '/');
    len = strcspn(p, "/");

    for (k = 0; k < GS_ROUTE_DOC_TABLE; k++) {
        if (strlen(gs_route_doc_names[k]) == len
            && strncmp(gs_route_doc_names[k], p, len) == 0)
        {
            break;
        }
    }

    p += len + (p[len] == '/');
    s = gs_str_make(p, strcspn(p, "/"));

    if (k == GS_ROUTE_DOC_TABLE || gs_parse_u64(&s, &i) != GS_OK) {
        return GS_DECLINED;
    }

    *kind = k;
    *id = json_string_value(json_object_get(
              json_array_get(json_object_get(root, gs_route_doc_names[k]),
                             (size_t) i), "id"));

    return (*id != NULL) ? GS_OK : GS_DECLINED;
}
