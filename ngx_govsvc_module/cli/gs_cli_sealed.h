
/*
 * Copyright (C) govsvc authors
 *
 * govsvc audit verify: whether lines are those that were sealed.
 */


#ifndef _GS_CLI_SEALED_H_INCLUDED_
#define _GS_CLI_SEALED_H_INCLUDED_


#include "cli/gs_cli_audit_removed.h"
#include "cli/gs_cli_lines.h"
#include "cli/gs_cli_seal.h"
#include "core/gs_siphash.h"


/* Lines that are neighbours in the tree. */
typedef struct {
    uint64_t                 leaf;
    uint64_t                 seq;
    uint64_t                 n;
    uint64_t                 got;          /* lines found */
} gs_cli_sealed_run_t;


/* Where the index tells of a chain. */
typedef struct {
    uint64_t                 key;          /* hash of its name */
    uint64_t                 first;        /* offsets of its lines */
    uint64_t                 last;
    unsigned                 seen:1;
} gs_cli_sealed_chain_t;


typedef struct {
    gs_cli_t                *cli;
    const char              *path;
    gs_seal_log_t            log;          /* of tiles */
    gs_seal_keys_t           keys;
    gs_seal_keys_t           witnesses;
    uint64_t                 quorum;       /* of these */
    char                     origin[GS_AUDIT_KEY_NAME_MAX + 1];
    char                     time[GS_AUDIT_TIME_MAX];
    uint64_t                 size;
    uint64_t                 anchored;     /* leaves below --against */
    gs_uchar_t               root[GS_AUDIT_HASH];
    gs_audit_hasher_t        hasher;
    gs_seal_tiles_t         *tiles;

    gs_cli_lines_t           index;
    gs_siphash_key_t         sip;
    gs_cli_sealed_chain_t   *chains;       /* as the index has them */
    uint32_t                *slots;        /* of chains by key */
    size_t                   nchains;
    size_t                   max;

    gs_cli_sealed_chain_t   *chain;        /* is being verified; NULL: none */
    const char              *name;
    const gs_audit_retention_t  *removed;  /* of it; NULL: nothing */
    gs_cli_removed_t        *removals;     /* of the store; NULL: not read */
    uint64_t                 next;         /* where the index goes on */
    gs_cli_sealed_run_t      run;          /* the one of the next line ... */
    gs_cli_sealed_run_t      peek;         /* ... and that after it */
    uint64_t                 sealed;       /* lines of it in the tree */
    uint64_t                 after;        /* lines of it that are not */
    uint64_t                 all_sealed;
    uint64_t                 all_after;

    char                     bad_chain[GS_AUDIT_NAME_MAX];
    const char              *kind;         /* of the first fault, or NULL */
    const char              *en;
    const char              *zh;
    uint64_t                 bad;          /* number of the line or leaf */
    unsigned                 signer;       /* the key that has signed */
    size_t                   note_len;
    gs_uchar_t               note[GS_AUDIT_NOTE_MAX];
    unsigned                 begun:1;      /* the chain is */
    unsigned                 has_run:1;
    unsigned                 has_peek:1;
    unsigned                 wrong:1;      /* in this chain */
    unsigned                 failed:1;     /* cannot be read */
} gs_cli_sealed_t;


/*
 * Reads --seal, checks its signature with --key as load reads it, computes the
 * root from all tiles, reads the index.  What is wrong is told by
 * gs_cli_sealed_end(); other results than GS_CLI_YES are reported.
 */
int gs_cli_sealed_open(gs_cli_sealed_t *s, gs_cli_t *cli,
    gs_cli_seal_load_pt load);
void gs_cli_sealed_free(gs_cli_sealed_t *s);

/*
 * Before and after the lines of one chain; bad: it is wrong in itself; removed
 * is what a retention has declared of it, or NULL.
 */
void gs_cli_sealed_chain(gs_cli_sealed_t *s, const char *name,
    const gs_audit_retention_t *removed);
void gs_cli_sealed_line(void *data, const gs_audit_line_t *line);
void gs_cli_sealed_chain_end(gs_cli_sealed_t *s, int bad);

/* A line that was written before a sync failed, and is said again since. */
int gs_cli_sealed_given_up(gs_cli_sealed_t *s, uint64_t seq,
    const gs_uchar_t *h);

/* After all chains (whole: of the store); reports; an exit code. */
int gs_cli_sealed_end(gs_cli_sealed_t *s, int whole);

/*
 * The parts of it for others: --seal and --key with the checkpoint (kind tells
 * if it is not signed by one of the keys), and the index.
 */
int gs_cli_sealed_start(gs_cli_sealed_t *s, gs_cli_t *cli,
    gs_cli_seal_load_pt load);
int gs_cli_sealed_index(gs_cli_sealed_t *s);
gs_cli_sealed_chain_t *gs_cli_sealed_find(gs_cli_sealed_t *s,
    const char *name);
void gs_cli_sealed_bad(gs_cli_sealed_t *s, const char *kind, const char *en,
    const char *zh);

/* The first runs of the chain that is being verified, and the next ones. */
void gs_cli_sealed_first(gs_cli_sealed_t *s);
void gs_cli_sealed_step(gs_cli_sealed_t *s);

/*
 * Which leaf a line of the chain is: GS_DECLINED if it is none, GS_ERROR if a
 * file cannot be read.  The runs are to be begun again then.
 */
gs_rc_t gs_cli_sealed_leaf(gs_cli_sealed_t *s, uint64_t seq,
    const gs_uchar_t *h, uint64_t *index);

/* The name of a chain (GS_AUDIT_NAME_MAX), the line after those sealed. */
gs_rc_t gs_cli_sealed_name(gs_cli_sealed_t *s,
    const gs_cli_sealed_chain_t *c, char *name, uint64_t *next);


#endif /* _GS_CLI_SEALED_H_INCLUDED_ */
