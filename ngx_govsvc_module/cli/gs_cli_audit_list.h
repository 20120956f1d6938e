
/*
 * Copyright (C) govsvc authors
 *
 * The folders of an audit store: chains, and the segments of a chain in
 * their order.
 */


#ifndef _GS_CLI_AUDIT_LIST_H_INCLUDED_
#define _GS_CLI_AUDIT_LIST_H_INCLUDED_


#include "audit/gs_audit_verify.h"
#include "cli/gs_cli.h"


typedef struct {
    char    **names;                       /* in memory of the command */
    size_t    n;
    size_t    size;
} gs_cli_audit_list_t;


/*
 * Appends the folders and segments in path to the lists, with path before
 * each name, and sorts them; folders may be NULL.  GS_ERROR is reported.
 */
gs_rc_t gs_cli_audit_list_read(gs_cli_t *cli, const char *path,
    gs_cli_audit_list_t *folders, gs_cli_audit_list_t *segments);

/* Appends one name; folder may be NULL.  GS_ERROR if memory is out. */
gs_rc_t gs_cli_audit_list_push(gs_cli_t *cli, gs_cli_audit_list_t *list,
    const char *folder, const char *name);

/* The order in which segments of one chain follow each other. */
void gs_cli_audit_list_sort(gs_cli_audit_list_t *segments);

/* What stands behind the last slash. */
const char *gs_cli_audit_base(const char *path);

/* The name of a segment, without folder and ".seg", GS_AUDIT_NAME_MAX. */
void gs_cli_audit_stem(const char *path, char *stem);


#endif /* _GS_CLI_AUDIT_LIST_H_INCLUDED_ */
