
/*
 * Copyright (C) govsvc authors
 *
 * A record of each question to an audit store.
 */


#ifndef _GS_CLI_AUDIT_NOTE_H_INCLUDED_
#define _GS_CLI_AUDIT_NOTE_H_INCLUDED_


#include "cli/gs_cli.h"


/* The options of a verb that asks: what gs_cli_audit_note() knows. */
#define GS_CLI_NOTE_OPTIONS                                                   \
    { "ticket", "TEXT",                                                       \
      "why this is asked, for the record of it",                              \
      "查询事由，写入查询记录" },                                             \
    { "no-record", NULL,                                                      \
      "a copy of a store: leaves no record of the query",                     \
      "副本：不写查询记录" }


/*
 * Writes who asks what to a chain of its own in the store, and syncs it,
 * before anything is answered.  With --no-record, for copies, it is told on
 * stderr that there is none.  Answers GS_CLI_YES, or GS_CLI_READ, which is
 * reported.
 */
int gs_cli_audit_note(gs_cli_t *cli, const char *dir);

/* The same in each of the first n arguments. */
int gs_cli_audit_note_all(gs_cli_t *cli, int n);

/*
 * Writes a chain of one segment, and syncs it.  Answers GS_CLI_YES, or
 * GS_CLI_READ, which is reported.
 */
int gs_cli_audit_write(gs_cli_t *cli, const char *dir, const char *chain,
    const gs_buf_t *text);

/* Who runs the command, as it may stand in the name of a folder. */
void gs_cli_audit_user(char *user, size_t size);


#endif /* _GS_CLI_AUDIT_NOTE_H_INCLUDED_ */
