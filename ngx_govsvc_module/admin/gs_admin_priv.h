
/*
 * Copyright (C) govsvc authors
 *
 * The inside of the registry API: one call, the table of resources, and what
 * their files share.  A resource is one file and one row.
 */


#ifndef _GS_ADMIN_PRIV_H_INCLUDED_
#define _GS_ADMIN_PRIV_H_INCLUDED_


#include "admin/gs_admin.h"


#define GS_ADMIN_NO_KIND  GS_ROUTE_DOC_KINDS
#define GS_ADMIN_ARG      512


typedef struct gs_admin_resource_s  gs_admin_resource_t;


/* The path and the arguments, decoded; all strings end in NUL. */
typedef struct {
    char      resource[32];
    char      id[GS_ADMIN_ID + 1];         /* "": the collection */
    char      action[32];                  /* "": none */

    unsigned  limit;
    unsigned  dry_run:1;
    unsigned  wait:1;
    char      cursor[GS_ADMIN_ID + 1];
    char      platform[GS_ADMIN_ID + 1];
    char      pool[GS_ADMIN_ID + 1];
    char      origin[8];                   /* "", "api", "file" */
    char      month[8];
    char      format[8];                   /* "", "json", "csv" */
    char      url[GS_ADMIN_ARG + 1];
} gs_admin_path_t;


typedef struct {
    gs_admin_t                 *admin;
    const gs_admin_request_t   *q;
    gs_admin_reply_t           *r;
    const gs_admin_resource_t  *resource;
    gs_admin_path_t             path;

    json_t                     *credential;     /* borrowed */
    json_t                     *scope;          /* may be NULL */
    unsigned                    role;
    const char                 *by;             /* its id */
    const char                 *tenant;         /* its platform, or NULL */

    json_t                     *body;
    json_t                     *undo;           /* [[kind, id, record]...] */
    json_t                     *out[GS_ROUTE_DOC_TABLE];   /* as it was */
    json_t                     *diff;           /* what changed, for dry_run */

    /* the object that the change is about, for errors */
    gs_route_doc_kind_e         kind;
    const char                 *target;
} gs_admin_call_t;


/* A call that the engine makes itself; nobody sees the reply. */
typedef struct {
    gs_admin_call_t             c;
    gs_admin_request_t          q;
    gs_admin_reply_t            r;
} gs_admin_inner_t;


/*
 * A row.  Either handle answers the whole call, or the resource is a kind of
 * object: check then looks at an object that is to be written, action at
 * POST /RESOURCE/ID/ACTION.  Every function answers GS_OK, or GS_ERROR when
 * the reply says why not.
 */
struct gs_admin_resource_s {
    const char           *name;
    gs_route_doc_kind_e   kind;
    unsigned              read;            /* roles */
    unsigned              write;
    gs_rc_t             (*handle)(gs_admin_call_t *c);
    gs_rc_t             (*check)(gs_admin_call_t *c, json_t *object,
                                 json_t *record);
    gs_rc_t             (*action)(gs_admin_call_t *c, json_t *record);
};


extern const gs_admin_resource_t  gs_admin_resources[];


/*
 * gs_admin.c: _close() takes back what was not committed, and returns rc;
 * why it is GS_ERROR goes to err.
 */
void gs_admin_inner_open(gs_admin_inner_t *in, gs_admin_t *a,
    const char *method, const char *by, uint64_t now);
gs_rc_t gs_admin_inner_close(gs_admin_inner_t *in, gs_rc_t rc,
    gs_err_t *err);

/* gs_admin_query.c: GS_ERROR, with a refusal in the reply. */
gs_rc_t gs_admin_query(gs_admin_call_t *c);

/* gs_admin_patch.c: RFC 7396; a new reference, NULL when memory is out. */
json_t *gs_admin_patch(json_t *target, json_t *patch);

/*
 * gs_admin_error.c: fills the reply and returns GS_ERROR.  field is a JSON
 * pointer into the body or "", hint tells what to do or is NULL.
 */
gs_rc_t gs_admin_fail(gs_admin_call_t *c, unsigned status, const char *code,
    const char *field, const char *hint, const char *fmt, ...);
gs_rc_t gs_admin_nomem(gs_admin_call_t *c);

/* An object (or NULL) with no members but these. */
gs_rc_t gs_admin_members(gs_admin_call_t *c, json_t *object,
    const char *field, const char *const *names);

/* The text of a value, empty when it is none. */
gs_str_t gs_admin_str(const json_t *value);

/* gs_admin_address.c: 1 if an IPv4 address is what is reached by it. */
unsigned gs_admin_address_inner(const gs_net_t *net, gs_net_t *inner);

/* gs_admin_auth.c: who is calling, and with which scope. */
gs_rc_t gs_admin_auth(gs_admin_call_t *c);
gs_rc_t gs_admin_credential_check(gs_admin_call_t *c, json_t *object,
    json_t *record);

/* gs_admin_scope.c: 1 if the caller may see the object. */
unsigned gs_admin_sees(gs_admin_call_t *c, gs_route_doc_kind_e kind,
    const json_t *object);
/* The platform that an object belongs to, NULL if to none. */
const char *gs_admin_platform(const gs_route_doc_t *doc,
    gs_route_doc_kind_e kind, const json_t *object);
/* A member of the scope names what is asked for. */
unsigned gs_admin_scope_text(const json_t *scope, const char *key,
    const char *value);
unsigned gs_admin_scope_path(const json_t *list, const char *path);
unsigned gs_admin_scope_host(const json_t *list, const char *host);
unsigned gs_admin_scope_prefix(const json_t *list, const char *value);
unsigned gs_admin_scope_net(const json_t *list, const gs_net_t *net);
unsigned gs_admin_scope_port(const json_t *list, unsigned port);
/* The code of what a match names beyond the scope, or NULL; *value NULL: no
 * text.
 */
const char *gs_admin_scope_match(const json_t *scope, const json_t *match,
    const char **value);
gs_rc_t gs_admin_scope_platform(gs_admin_call_t *c, const char *platform,
    const char *field);
/* The caller's share of objects of that kind is not used up. */
gs_rc_t gs_admin_quota(gs_admin_call_t *c, gs_route_doc_kind_e kind);

/* gs_admin_read.c: as they are shown. */
gs_rc_t gs_admin_list(gs_admin_call_t *c);
gs_rc_t gs_admin_get(gs_admin_call_t *c);
json_t *gs_admin_show(gs_admin_call_t *c, gs_route_doc_kind_e kind,
    json_t *object, json_t *record);
void gs_admin_etag(char *etag, const json_t *object, const json_t *record);

/* gs_admin_judge.c: why the rules of now would refuse a record, or NULL. */
const char *gs_admin_judged(gs_admin_t *a, gs_route_doc_kind_e kind,
    const json_t *record);

/* gs_admin_object.c: objects of a kind. */
gs_rc_t gs_admin_objects(gs_admin_call_t *c);
/* If-Match against the object as it is; NULL: there is none yet. */
gs_rc_t gs_admin_match(gs_admin_call_t *c, const json_t *object,
    const json_t *record);

/*
 * gs_admin_commit.c.  Puts a record (NULL: takes it away), to be undone when
 * the call fails.  record is borrowed.
 */
gs_rc_t gs_admin_put(gs_admin_call_t *c, gs_route_doc_kind_e kind,
    const char *id, json_t *record);
json_t *gs_admin_record(gs_admin_call_t *c, json_t *object, json_t *old,
    const char *status);
/* 1 if the object is where the record has it: pool, address, port. */
unsigned gs_admin_same_place(const json_t *object, const json_t *record);
/* Compiles what stands now and commits it, or undoes it. */
/*
 * GS_OK if an object would stand if it were active: what waits for a word is
 * to be good when it is said.  Before anything is put.
 */
gs_rc_t gs_admin_try(gs_admin_call_t *c, const char *id, json_t *object,
    json_t *old);

gs_rc_t gs_admin_commit(gs_admin_call_t *c);
void gs_admin_rollback(gs_admin_call_t *c);

/* The files of the rows. */
gs_rc_t gs_admin_platform_check(gs_admin_call_t *c, json_t *object,
    json_t *record);
gs_rc_t gs_admin_pool_check(gs_admin_call_t *c, json_t *object,
    json_t *record);
gs_rc_t gs_admin_instance_check(gs_admin_call_t *c, json_t *object,
    json_t *record);

/* gs_admin_named.c: GS_DECLINED if the object has no name; *port is its own. */
gs_rc_t gs_admin_named_check(gs_admin_call_t *c, const json_t *object,
    unsigned *port);
gs_rc_t gs_admin_named_suffixes(gs_admin_call_t *c, const json_t *scope);
/* What instances show of it, NULL if nothing; *best is the health to show. */
json_t *gs_admin_named_show(gs_admin_t *a, const char *id,
    json_t *health(void *ctx, const char *instance), void *ctx,
    json_t **best);

gs_rc_t gs_admin_instance_action(gs_admin_call_t *c, json_t *record);
gs_rc_t gs_admin_route_check(gs_admin_call_t *c, json_t *object,
    json_t *record);
gs_rc_t gs_admin_route_action(gs_admin_call_t *c, json_t *record);
gs_rc_t gs_admin_tls_check(gs_admin_call_t *c, json_t *object,
    json_t *record);
gs_rc_t gs_admin_probe_check(gs_admin_call_t *c, json_t *object,
    json_t *record);
gs_rc_t gs_admin_maintenance_check(gs_admin_call_t *c, json_t *object,
    json_t *record);
gs_rc_t gs_admin_leases(gs_admin_call_t *c);
gs_rc_t gs_admin_changes(gs_admin_call_t *c);
gs_rc_t gs_admin_nodes(gs_admin_call_t *c);
gs_rc_t gs_admin_explain(gs_admin_call_t *c);
gs_rc_t gs_admin_validate(gs_admin_call_t *c);
gs_rc_t gs_admin_snapshot(gs_admin_call_t *c);
gs_rc_t gs_admin_hosted(gs_admin_call_t *c);
gs_rc_t gs_admin_availability(gs_admin_call_t *c);


#endif /* _GS_ADMIN_PRIV_H_INCLUDED_ */
