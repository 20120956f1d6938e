
/*
 * Copyright (C) govsvc authors
 *
 * The folders of an audit store, for the command.
 */


#ifndef _GS_CLI_AUDIT_LIST_H_INCLUDED_
#define _GS_CLI_AUDIT_LIST_H_INCLUDED_


#include "audit/gs_audit_verify.h"
#include "cli/gs_cli.h"
#include "seal/gs_seal.h"


#define GS_CLI_AUDIT_TRIES  50             /* for a writer in mid-line */
#define GS_CLI_AUDIT_PAUSE  20000          /* us */


/* gs_seal_list_read() in memory of the command; GS_ERROR is reported. */
gs_rc_t gs_cli_audit_list_read(gs_cli_t *cli, const char *path,
    gs_seal_file_list_t *folders, gs_seal_file_list_t *segments);

/* 1: it was written to lately, so it may have a writer. */
int gs_cli_audit_live(int fd);

/*
 * The bytes that count of the segment before next, as the first line of that
 * one says, which may be about to be written: waits for it, at most a second.
 * UINT64_MAX: all of them.  buf has GS_AUDIT_LINE_MAX bytes.
 */
uint64_t gs_cli_audit_counted(const gs_seal_file_list_t *segments, size_t next,
    void *buf);


#endif /* _GS_CLI_AUDIT_LIST_H_INCLUDED_ */
