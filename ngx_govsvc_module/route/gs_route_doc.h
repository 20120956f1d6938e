
/*
 * Copyright (C) govsvc authors
 *
 * The document behind the route table: the objects of the operator's files,
 * which are fixed, and those that came by the API, each with its revisions.
 * Both have the shape of platforms.json; the snapshot of a node is the text
 * of the second half.
 *
 * Values are jansson's and counted by it, so the memory of a document is that
 * of jansson, not of a gs_mem_t.
 */


#ifndef _GS_ROUTE_DOC_H_INCLUDED_
#define _GS_ROUTE_DOC_H_INCLUDED_


#include <jansson.h>

#include "route/gs_route.h"


#define GS_ROUTE_DOC_VERSION  1


/* The first six are the arrays of platforms.json, in the order of loading. */
typedef enum {
    GS_ROUTE_DOC_TLS = 0,
    GS_ROUTE_DOC_CHECKS,
    GS_ROUTE_DOC_PLATFORMS,
    GS_ROUTE_DOC_POOLS,
    GS_ROUTE_DOC_INSTANCES,
    GS_ROUTE_DOC_ROUTES,
    GS_ROUTE_DOC_TABLE,                    /* how many a table is made of */
    GS_ROUTE_DOC_CREDENTIALS = GS_ROUTE_DOC_TABLE,
    GS_ROUTE_DOC_MAINTENANCE,
    GS_ROUTE_DOC_KINDS
} gs_route_doc_kind_e;


/*
 * fixed[] map an id to an object; api[] map an id to a record:
 *
 *     {"object": {...}, "gen": 7, "rev": 12, "by": "gd-ops", "created": us,
 *      "updated": us, "status": "active", "proposal": {...}}
 *
 * An object of a file hides a record of the same kind and id.  hosts maps the
 * id of an instance that has a name to what that was found to be:
 *
 *     {"name": "web.gd.gov.example", "port": 8443, "addresses": [
 *      {"address": "10.44.0.11", "state": "up"}, ...]}
 *
 * A table takes in those that are up.
 */
typedef struct {
    json_t    *fixed[GS_ROUTE_DOC_KINDS];
    json_t    *api[GS_ROUTE_DOC_KINDS];
    json_t    *out[GS_ROUTE_DOC_TABLE];    /* see _refer(), not dumped */
    json_t    *changes;                    /* the latest, oldest first */
    json_t    *hosts;                      /* this node's, not dumped */
    uint64_t   hosts_revision;             /* of the file it came from */
    uint64_t   hosts_stamp;
    uint64_t   revision;
    uint64_t   epoch;                      /* of the shared store, 0: none */
    uint64_t   tip;
} gs_route_doc_t;


/* "tls_profiles", "platforms", ...: members of the file, NULL at the end. */
extern const char *const  gs_route_doc_names[GS_ROUTE_DOC_KINDS + 1];


/* All empty; GS_ERROR when memory is out.  To be freed in either case. */
gs_rc_t gs_route_doc_init(gs_route_doc_t *doc);
void gs_route_doc_free(gs_route_doc_t *doc);

/*
 * Adds the arrays of a file to the fixed half: those named by gs_route_doc
 * names, other members are errors.  What is in the objects is not looked at,
 * except that each has a text "id" of its own.
 */
gs_rc_t gs_route_doc_fix(gs_route_doc_t *doc, const gs_str_t *text,
    gs_err_t *err);

/*
 * Replaces the second half by a snapshot's; the document is left as it was
 * unless GS_OK.  Hostile texts are refused, not believed.
 */
gs_rc_t gs_route_doc_load(gs_route_doc_t *doc, const gs_str_t *text,
    gs_err_t *err);

/* 1 if the record has all that a record has. */
unsigned gs_route_doc_whole(const char *id, const json_t *record);

/* The text of a snapshot, to be freed by free(); NULL when memory is out. */
char *gs_route_doc_dump(const gs_route_doc_t *doc, size_t *len);

/* The object of either half, NULL if there is none; *record NULL: fixed. */
json_t *gs_route_doc_find(const gs_route_doc_t *doc,
    gs_route_doc_kind_e kind, const char *id, json_t **record);

/* 1 if a table takes the record in, as it stands. */
unsigned gs_route_doc_active(gs_route_doc_kind_e kind, const json_t *record);

/*
 * The arrays of platforms.json.  api: of the second half only, as it was
 * written; else of both, as a table is made of them.  *index becomes the
 * place of that object in its array, or GS_ROUTE_NONE; id may be NULL.  A new
 * reference, NULL when memory is out.
 */
json_t *gs_route_doc_root(const gs_route_doc_t *doc, unsigned api,
    gs_route_doc_kind_e kind, const char *id, uint32_t *index);


/*
 * Records that a table does not take in although they are active.  _refer()
 * leaves out those that name something that is not there (more: else it looks
 * only at those that are out already), and takes back those that can stand
 * again; GS_ERROR: memory is out.  _leave_out() is told of one by the compiler,
 * which holds until its record is another; GS_DECLINED: it is no record, or out
 * already.  _out(): why, NULL if it is not.  _outs(): how many, *found of them
 * by the compiler.  _blamed(): whom the pointer of an error means.
 */
gs_rc_t gs_route_doc_refer(gs_route_doc_t *doc, unsigned more);
gs_rc_t gs_route_doc_leave_out(gs_route_doc_t *doc, gs_route_doc_kind_e kind,
    const char *id, const char *why);
const char *gs_route_doc_out(const gs_route_doc_t *doc,
    gs_route_doc_kind_e kind, const char *id);
unsigned gs_route_doc_outs(const gs_route_doc_t *doc, unsigned *found);
gs_rc_t gs_route_doc_blamed(const json_t *root, const char *pointer,
    gs_route_doc_kind_e *kind, const char **id);


/* As gs_route_compile(), from arrays that are parsed already. */
gs_rc_t gs_route_compile_root(gs_mem_t *mem, json_t *root,
    const gs_str_t *regions, gs_route_table_t **table, size_t *size,
    gs_err_t *err);


#endif /* _GS_ROUTE_DOC_H_INCLUDED_ */
