
/*
 * Copyright (C) govsvc authors
 *
 * The registry API without a server: a request as plain values in, a status
 * and a JSON value out, a document (route/gs_route_doc.h) in between.  Clock,
 * storage and shared counters are arguments.  Who may do what to which object
 * is decided here and nowhere else.
 */


#ifndef _GS_ADMIN_H_INCLUDED_
#define _GS_ADMIN_H_INCLUDED_


#include "admin/gs_admin_own.h"
#include "core/gs_net.h"
#include "route/gs_route_doc.h"


#define GS_ADMIN_PREFIX   "/govsvc/v1/"
#define GS_ADMIN_ID       64
#define GS_ADMIN_ETAG     48
#define GS_ADMIN_CHANGES  512              /* kept in the snapshot */
#define GS_ADMIN_PAGE     100              /* objects, unless asked */
#define GS_ADMIN_PAGE_MAX 1000


/* 0: nobody.  A credential has one role: the three powers are apart. */
typedef enum {
    GS_ADMIN_TENANT = 1,                   /* a province */
    GS_ADMIN_SYSTEM = 2,                   /* operates the gateway */
    GS_ADMIN_SECURITY = 4,                 /* says who may */
    GS_ADMIN_AUDIT = 8                     /* watches the others */
} gs_admin_role_e;

#define GS_ADMIN_ALL      15


typedef struct {
    gs_str_t         method;
    gs_str_t         path;                 /* as sent, without arguments */
    gs_str_t         args;
    gs_str_t         body;
    gs_str_t         content_type;
    gs_str_t         accept;
    gs_str_t         if_match;             /* data NULL: absent */
    gs_str_t         if_none_match;
    gs_str_t         request_id;
    gs_str_t         nonce;                /* random, for a proof */
    uint64_t         now;                  /* us, wall clock */

    /* what was proved about the caller; empty: nothing */
    gs_str_t         spki;                 /* SHA-256, lower case hex */
    const gs_str_t  *sans;                 /* "URI:...", "DNS:..." */
    unsigned         nsans;
    gs_str_t         issuer;               /* of a token */
    gs_str_t         subject;
    gs_str_t         app;                  /* of a signed request */
} gs_admin_request_t;


typedef struct {
    unsigned         status;
    json_t          *body;                 /* owned; NULL: none */
    const char      *text;                 /* instead of body, a literal */
    const char      *code;                 /* NULL: not refused */
    unsigned         retry_after;          /* s */

    /* the host is to answer; given (owned) is the body of a request to write */
    const char      *hosted;               /* a resource, NULL: no */
    json_t          *given;
    unsigned         lift;                 /* what given names is to end */
    unsigned         limit;                /* of a list: entries, from */
    char             cursor[GS_ADMIN_ID + 1];  /* what the last one said */
    unsigned         month;                /* 202611, 0: this one */
    unsigned         csv;                  /* instead of JSON */
    char             only[GS_ADMIN_ID + 1];    /* platform; "": all */

    char             etag[GS_ADMIN_ETAG];
    char             credential[GS_ADMIN_ID + 1];
    char             platform[GS_ADMIN_ID + 1];
    char             allow[64];
} gs_admin_reply_t;


/*
 * What the engine asks of its host.  commit stores the document and makes the
 * table current: GS_OK; GS_BUSY, stored but not current yet; GS_ERROR, not
 * stored, err says why.  beat sets the deadline of a lease (0: only asks) and
 * answers the one it has now, 0 for none.  rate is asked once for each
 * request of a credential: GS_DECLINED when it has used up its share.
 * healthy: 0 when requests to the instance fail.  health: what instances show
 * of theirs, a new reference or NULL; it may be NULL itself.  resolved adds to
 * what is shown of an instance with a name; it may be NULL.  node adds to the
 * answer of "nodes".
 *
 * Where several nodes share the objects, stage is there and is asked instead
 * of commit: it takes note of the change (undo as in gs_route_share.h), which
 * is made later, or not; the document is left as it was, and the reply is what
 * the call answers when the change was made.  accept takes note that an
 * operator decided which history goes on; nodes lists the nodes.
 */
typedef struct {
    gs_rc_t        (*commit)(void *ctx, const gs_route_table_t *table,
                             size_t size, gs_err_t *err);
    uint64_t       (*beat)(void *ctx, const char *id, uint64_t deadline);
    gs_rc_t        (*rate)(void *ctx, const char *credential,
                           const char *rate, unsigned *retry_after);
    unsigned       (*healthy)(void *ctx, const char *instance);
    json_t        *(*health)(void *ctx, const char *instance);
    gs_rc_t        (*resolved)(void *ctx, const char *instance,
                               json_t *shown);
    gs_rc_t        (*node)(void *ctx, json_t *node);
    gs_rc_t        (*stage)(void *ctx, const gs_route_table_t *table,
                            size_t size, const json_t *undo, gs_err_t *err);
    gs_rc_t        (*accept)(void *ctx, unsigned store);
    json_t        *(*nodes)(void *ctx);
    void            *ctx;
} gs_admin_host_t;


typedef struct {
    gs_mem_t               *mem;
    gs_route_doc_t         *doc;
    const gs_str_t         *regions;       /* as for gs_route_compile() */
    const gs_net_t         *deny;          /* beside the fixed ones */
    unsigned                ndeny;
    const gs_admin_own_t   *own;           /* NULL: nothing is known */
    const gs_str_t         *suffixes;      /* of names that are looked up */
    unsigned                nsuffixes;
    unsigned                naddresses;    /* used of one name */
    unsigned                read_only:1;
    unsigned                proof:1;       /* of control, before a peer is up */
    unsigned                loopback:1;    /* for a laboratory */
    const gs_admin_host_t  *host;
} gs_admin_t;


/*
 * Answers one request; the document is changed only if commit took the change.
 * Never fails: out of memory is an answer too.  The reply is to be freed.
 */
void gs_admin_handle(gs_admin_t *a, const gs_admin_request_t *q,
    gs_admin_reply_t *r);
void gs_admin_reply_free(gs_admin_reply_t *r);

/* Looks at the credentials of a file as at those of the API. */
gs_rc_t gs_admin_credentials(gs_route_doc_t *doc, gs_err_t *err);

/* 1 if a request with that method may change the document. */
unsigned gs_admin_writes(const gs_admin_request_t *q);

/*
 * Looks at all leases at that time: what expired and does not answer either is
 * drained, within the limits for a pool.  GS_OK if the document changed and
 * was committed, GS_DECLINED if there was nothing to do.
 */
gs_rc_t gs_admin_sweep(gs_admin_t *a, uint64_t now, gs_err_t *err);


/*
 * Calls found for each instance that waits for the proof that it is the
 * caller's: whatever answers there to GET /.well-known/govsvc/NONCE with just
 * the nonce.  tls: the pool whose TLS profile is to be spoken, NULL for plain
 * HTTP.
 */
void gs_admin_pending(gs_admin_t *a, void (*found)(void *ctx, const char *id,
    const char *address, unsigned port, const char *nonce, const char *tls),
    void *ctx);

/* It answered so: GS_OK, or GS_DECLINED if that is no longer what waits. */
gs_rc_t gs_admin_prove(gs_admin_t *a, const char *id, const char *nonce,
    uint64_t now, gs_err_t *err);


/* An instance with a name; valid within the call. */
typedef struct {
    const char             *id;
    const char             *name;
    unsigned                port;
    const char             *pool;
    const char             *proof;         /* NULL: none is asked for */
    const char             *bar;           /* why nobody is asked, or NULL */
    const json_t           *entry;         /* of doc->hosts, or NULL */
} gs_admin_named_t;


/* What was found for it, or why nothing.  nets is put in order. */
typedef struct {
    const char             *id;
    const char             *name;
    unsigned                port;
    const char             *error;         /* NULL: there are addresses */
    gs_net_t               *nets;
    unsigned                n;
    unsigned                again;         /* only by the rules of now */
} gs_admin_answer_t;


typedef gs_rc_t (*gs_admin_named_pt)(void *ctx, const gs_admin_named_t *one);

/* An address that may not be used, the first time that it was answered. */
typedef void (*gs_admin_refused_pt)(void *ctx, const char *id,
    const char *name, const char *address, const char *why);


/* 1 if the address of an object is a good name; port 0: there is none. */
unsigned gs_admin_named(const json_t *object, gs_str_t *name,
    unsigned *port);

/* Every instance with a name, until found does not return GS_OK. */
gs_rc_t gs_admin_named_each(gs_admin_t *a, gs_admin_named_pt found,
    void *ctx);

/*
 * These three change doc->hosts: GS_OK, it is to be kept and compiled;
 * GS_DECLINED, nothing is new; GS_ERROR, memory is out.  _answered(): by an
 * answer; refused may be NULL.  _shown(): the address answered to the proof.
 * _review(): by the objects and rules as they are now.
 */
gs_rc_t gs_admin_answered(gs_admin_t *a, const gs_admin_answer_t *answer,
    uint64_t now, gs_admin_refused_pt refused, void *ctx);
gs_rc_t gs_admin_shown(gs_admin_t *a, const char *id, const char *address,
    const char *proof, uint64_t now);
gs_rc_t gs_admin_named_review(gs_admin_t *a, uint64_t now);


/*
 * An address that no peer may have, whoever asks: the word for why, or NULL.
 * Looks through IPv4-mapped, NAT64 and 6to4 addresses.
 */
const char *gs_admin_address_denied(const gs_net_t *net,
    const gs_net_t *deny, unsigned ndeny);

/*
 * As _address_denied(), of a peer with that port, by all rules of the engine:
 * also what the node is itself, and what is allowed in a laboratory.
 */
const char *gs_admin_place_denied(const gs_admin_t *a, const gs_net_t *net,
    unsigned port);

/*
 * Looks at all that came by the API and is in use by the rules as they are now:
 * addresses that were taken since, scopes that shrank.  Nothing is changed;
 * found is called for each that would be refused.  How many there are.
 */
unsigned gs_admin_judge(gs_admin_t *a, void (*found)(void *ctx,
    const char *kind, const char *id, const char *why), void *ctx);

/* The OpenAPI 3.1 document. */
extern const char  gs_admin_openapi[];


#endif /* _GS_ADMIN_H_INCLUDED_ */
