
/*
 * Copyright (C) govsvc authors
 *
 * Verifies chains from the bytes of their segments, in any pieces: hashes the
 * data again, follows the numbers and the links between segments, and names
 * the first line that is wrong.
 */


#ifndef _GS_AUDIT_VERIFY_H_INCLUDED_
#define _GS_AUDIT_VERIFY_H_INCLUDED_


#include "audit/gs_audit_retention.h"
#include "audit/gs_audit_scan.h"


#define GS_AUDIT_NAME_MAX  160             /* chain and file names, with NUL */
#define GS_AUDIT_TIME_MAX  48


typedef enum {
    GS_AUDIT_GOOD = 0,
    GS_AUDIT_EDIT,                         /* a line was changed or put in */
    GS_AUDIT_DELETE,                       /* lines or segments are missing */
    GS_AUDIT_REORDER,                      /* lines changed places */
    GS_AUDIT_TRUNCATE,                     /* the end is missing */
    GS_AUDIT_TORN,                         /* the last line is unfinished */
    GS_AUDIT_FORK                          /* a number or link used twice */
} gs_audit_kind_e;


typedef struct {
    gs_audit_kind_e    kind;
    char               file[GS_AUDIT_NAME_MAX];   /* without ".seg" */
    uint64_t           line;               /* from 1 */
    uint64_t           byte;               /* where the line begins */
    uint64_t           seq;                /* that was expected */
    const char        *en;
    const char        *zh;
} gs_audit_fault_t;


/* Told of each line that is good; h is that of the line. */
typedef void (*gs_audit_verify_pt)(void *data, const gs_audit_line_t *line);


typedef struct {
    /* what was found, for the report */
    char               name[GS_AUDIT_NAME_MAX];
    uint64_t           records;            /* lines but seg.open, seg.close */
    uint64_t           segments;
    uint64_t           lost;               /* sum of loss records */
    uint64_t           counted;            /* sum of deny.agg records */
    uint64_t           intents;
    uint64_t           paired;             /* lines that name an intent */
    uint64_t           aborted;
    uint64_t           tampered;           /* tamper records */
    uint64_t           first_seq;
    uint64_t           next_seq;
    char               first_time[GS_AUDIT_TIME_MAX];
    char               last_time[GS_AUDIT_TIME_MAX];
    gs_audit_fault_t   fault;              /* TORN is no tampering */
    const gs_audit_retention_t  *removed;  /* declared; NULL: nothing */
    unsigned           closed:1;           /* ends with seg.close "exit" */
    unsigned           more:1;             /* a segment has to follow */
    unsigned           trimmed:1;          /* begins where removed says */

    /* the current segment */
    char               file[GS_AUDIT_NAME_MAX];
    uint64_t           line;
    uint64_t           bytes;
    gs_audit_alg_e     alg;
    unsigned           opened:1;           /* seg.open was read */
    unsigned           ended:1;            /* seg.close was read */

    /* the chain up to here */
    char               prev_file[GS_AUDIT_NAME_MAX];
    uint64_t           prev_bytes;
    uint64_t           prev_line;
    gs_uchar_t         h[GS_AUDIT_HASH];
    unsigned           started:1;
    unsigned           partial:1;          /* may begin anywhere */
    unsigned           doubt:1;            /* the kind is not sure yet */

    gs_audit_chain_t   chains[GS_AUDIT_ALGS];    /* these stay over chains */
    gs_audit_verify_pt handler;            /* of the caller; may be NULL */
    void              *data;
    unsigned           ready[GS_AUDIT_ALGS];

    size_t             part_len;
    gs_uchar_t         part[GS_AUDIT_LINE_MAX];
} gs_audit_verify_t;


/* "edit", "delete", ... */
const char *gs_audit_kind_name(gs_audit_kind_e kind);

void gs_audit_verify_init(gs_audit_verify_t *v);
void gs_audit_verify_free(gs_audit_verify_t *v);

/*
 * A new chain; name is that of its folder ("" if unknown).  partial: the
 * segments given are not all, so that the first may follow an absent one.
 */
void gs_audit_verify_chain(gs_audit_verify_t *v, const char *name,
    int partial);

/*
 * After gs_audit_verify_chain(): that a retention has declared to have removed
 * the beginning of this chain; r is kept.  The declaration must be true by its
 * own signature and age; here it must fit what is left.
 */
void gs_audit_verify_removed(gs_audit_verify_t *v,
    const gs_audit_retention_t *r);

/*
 * The segments of a chain come in order.  file is the name without ".seg".
 * When the segment after it says that fewer of its bytes count (see
 * gs_audit_verify_counted()), feed only those.
 */
void gs_audit_verify_segment(gs_audit_verify_t *v, const char *file);

/*
 * GS_OK; GS_DECLINED when the fault is found and more bytes can tell nothing
 * new; GS_ERROR when libcrypto fails.
 */
gs_rc_t gs_audit_verify_feed(gs_audit_verify_t *v, const void *data,
    size_t len);

/* last: no segment follows. */
void gs_audit_verify_end(gs_audit_verify_t *v, int last);

/*
 * What the first line of a segment, the first len bytes of the file, says
 * about file, the name of the one that lies before it: GS_OK and *bytes when
 * only so many of its bytes count (it was given up after an error), else
 * GS_DECLINED.
 */
gs_rc_t gs_audit_verify_counted(const void *data, size_t len,
    const char *file, uint64_t *bytes);


#endif /* _GS_AUDIT_VERIFY_H_INCLUDED_ */
