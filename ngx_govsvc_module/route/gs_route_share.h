
/*
 * Copyright (C) govsvc authors
 *
 * A document that several nodes share through a store: the head of the store,
 * whether it is the future of what a node has, and the changes between.  What
 * the store is made of is the caller's affair.
 */


#ifndef _GS_ROUTE_SHARE_H_INCLUDED_
#define _GS_ROUTE_SHARE_H_INCLUDED_


#include "route/gs_route_doc.h"


#define GS_ROUTE_HEAD_TEXT  192


/*
 * epoch: a random number, made when the store is founded; tip: another, of the
 * latest change.  Who is of the epoch parents[i], at most at revision upto[i],
 * may follow this one.
 */
typedef struct {
    uint64_t  epoch;
    uint64_t  revision;
    uint64_t  tip;
    uint64_t  parents[2];
    uint64_t  upto[2];
} gs_route_head_t;


typedef enum {
    GS_ROUTE_SHARE_SAME = 0,
    GS_ROUTE_SHARE_AHEAD,                  /* of the same history, newer */
    GS_ROUTE_SHARE_FOUND,                  /* there is none, none was known */
    GS_ROUTE_SHARE_ADOPT,                  /* to be taken as a whole */
    GS_ROUTE_SHARE_WIPED,                  /* from here on: an operator's */
    GS_ROUTE_SHARE_BACK,
    GS_ROUTE_SHARE_FORKED,
    GS_ROUTE_SHARE_FOREIGN
} gs_route_share_e;


/* What a head is written as, and back; GS_ERROR: none of ours. */
void gs_route_head_text(const gs_route_head_t *head, char *text);
gs_rc_t gs_route_head_read(gs_route_head_t *head, const gs_str_t *text);

/* What the store is to the node; NULL: it has no head. */
gs_route_share_e gs_route_share_judge(const gs_route_head_t *node,
    const gs_route_head_t *store);
const char *gs_route_share_name(unsigned verdict);

/*
 * The change between a document and what it was: undo has [kind, id, old
 * record] of each.  A new reference, NULL when memory is out:
 *
 *     {"put": [["pools", "gd", {...} or null], ...], "change": {...}}
 */
json_t *gs_route_share_change(const gs_route_doc_t *doc, const json_t *undo);

/*
 * Does the same to another document.  A record that is broken is left as it
 * was and counted, later ones are taken.  GS_ERROR: nothing was changed.
 */
gs_rc_t gs_route_share_apply(gs_route_doc_t *doc, const gs_str_t *text,
    unsigned *broken, gs_err_t *err);

/*
 * One record of a whole store: name is "pools/gd".  A text with "gone" is a
 * tombstone.  Puts into maps, which has GS_ROUTE_DOC_KINDS objects; what is
 * broken is taken from the document instead, if it is there.  GS_DECLINED: it
 * is broken.
 */
gs_rc_t gs_route_share_record(json_t **maps, const gs_route_doc_t *doc,
    const gs_str_t *name, const gs_str_t *text);


#endif /* _GS_ROUTE_SHARE_H_INCLUDED_ */
