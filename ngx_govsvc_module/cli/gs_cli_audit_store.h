
/*
 * Copyright (C) govsvc authors
 *
 * The records of an audit store, of all chains in the order of their time;
 * also while they are being written.
 */


#ifndef _GS_CLI_AUDIT_STORE_H_INCLUDED_
#define _GS_CLI_AUDIT_STORE_H_INCLUDED_


#include "cli/gs_cli_audit_list.h"


#define GS_CLI_STORE_TIME  26              /* 2026-11-22T13:08:36.888598 */


/*
 * One chain.  No file stays open between two reads: a store has as many chains
 * as processes and questions of half a year.
 */
typedef struct {
    gs_seal_file_list_t   segments;
    size_t                segment;         /* the one that is read */
    uint64_t              offset;          /* what was read of it */
    uint64_t              limit;           /* its bytes that count */
    gs_uchar_t           *buf;
    size_t                size;
    size_t                pos;
    size_t                last;
    gs_str_t              line;            /* the next one, without LF */
    char                  time[GS_CLI_STORE_TIME + 1];
    const char           *folder;
    unsigned              begun:1;
} gs_cli_store_chain_t;


typedef struct {
    gs_cli_t              *cli;
    char                 **paths;          /* of stores */
    int                    npaths;
    gs_cli_store_chain_t  *chains;
    size_t                 nchains;
    size_t                *heap;           /* chains by time */
    size_t                 nheap;
    size_t                 taken;          /* whose line was given; SIZE_MAX */
    char                   from[GS_CLI_STORE_TIME + 1];    /* "": all */
    char                   to[GS_CLI_STORE_TIME + 1];
    unsigned               unreadable:1;
} gs_cli_store_t;


/*
 * Opens n directories of govsvc_audit_store, of several nodes; only records of
 * the time from "from" on and before "to" ("" or in the form of a record) are
 * given.  Nothing is to be closed.  GS_ERROR is reported.
 */
gs_rc_t gs_cli_store_open(gs_cli_store_t *store, gs_cli_t *cli, char **paths,
    int n, const char *from, const char *to);

/*
 * The next record but those that open and close segments; it holds until the
 * next call.  GS_DONE at the end.  What cannot be read is reported, passed
 * over, and told by store->unreadable.
 */
gs_rc_t gs_cli_store_next(gs_cli_store_t *store, gs_str_t *line);

/* Looks for chains, segments and lines written meanwhile. */
gs_rc_t gs_cli_store_again(gs_cli_store_t *store);

/*
 * A time as people write it, "2026-11-22", "2026-11-22T13:08",
 * "2026-11-22T13:08:36+08:00", or "90m" before now (us), in the form of a
 * record; dst holds GS_CLI_STORE_TIME + 1 bytes.
 */
gs_rc_t gs_cli_store_time(char *dst, const char *text, uint64_t now);


#endif /* _GS_CLI_AUDIT_STORE_H_INCLUDED_ */
