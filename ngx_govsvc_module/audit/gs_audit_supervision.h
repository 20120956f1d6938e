
/*
 * Copyright (C) govsvc authors
 *
 * Electronic supervision: what a platform says of a case in the header of its
 * answer, as a record of type "supervision".
 *
 * A value that has not its form is told as it came, masked, under "bad": who
 * supervises sees that a platform reports, and what is wrong with it.
 */


#ifndef _GS_AUDIT_SUPERVISION_H_INCLUDED_
#define _GS_AUDIT_SUPERVISION_H_INCLUDED_


#include "core/gs_buf.h"
#include "core/gs_rc.h"


#define GS_AUDIT_SUPERVISION_BAD  96       /* bytes of a bad value, masked */


/* In the order of the record. */
typedef enum {
    GS_AUDIT_SUPERVISION_PROJECT = 0,      /* number of the case */
    GS_AUDIT_SUPERVISION_TASK,
    GS_AUDIT_SUPERVISION_HANDLE,
    GS_AUDIT_SUPERVISION_CATALOG,
    GS_AUDIT_SUPERVISION_STAGE,
    GS_AUDIT_SUPERVISION_START,            /* of the stage */
    GS_AUDIT_SUPERVISION_END,
    GS_AUDIT_SUPERVISION_PROMISE,
    GS_AUDIT_SUPERVISION_RESULT,
    GS_AUDIT_SUPERVISION_ORG,
    GS_AUDIT_SUPERVISION_SOURCE,
    GS_AUDIT_SUPERVISION_EVENT,            /* 1 internet, 2 extranet */
    GS_AUDIT_SUPERVISION_FIELDS
} gs_audit_supervision_e;


/* Strings are borrowed and raw; an empty one is absent. */
typedef struct {
    gs_str_t     node;
    uint64_t     epoch;
    uint64_t     g;
    uint64_t     time;                     /* us, wall clock */
    uint64_t     warn;                     /* us before the promise */
    gs_str_t     request_id;
    gs_str_t     trace_id;

    /* what the gateway knows by itself */
    gs_str_t     item;
    gs_str_t     case_no;
    gs_str_t     region;
    gs_str_t     platform;
    gs_str_t     channel;
    gs_str_t     app;
    unsigned     status;

    gs_str_t     values[GS_AUDIT_SUPERVISION_FIELDS];
    unsigned     twice;                    /* bits: the field came again */
} gs_audit_supervision_t;


/*
 * The field that the header of that name bears ("X-Govsvc-Project-No", in any
 * case), or GS_AUDIT_SUPERVISION_FIELDS.
 */
unsigned gs_audit_supervision_field(const gs_str_t *header);

/* The key of a field in the record: "project_no". */
const char *gs_audit_supervision_key(unsigned field);

/* Takes a value; a second one for the field is noted, the first stays. */
void gs_audit_supervision_take(gs_audit_supervision_t *s, unsigned field,
    const gs_str_t *value);

/* 1 if any field came. */
int gs_audit_supervision_any(const gs_audit_supervision_t *s);

/* Writes a draft, as gs_audit_json_http(). */
size_t gs_audit_json_supervision(gs_buf_t *b,
    const gs_audit_supervision_t *s);


#endif /* _GS_AUDIT_SUPERVISION_H_INCLUDED_ */
