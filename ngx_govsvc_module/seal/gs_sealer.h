
/*
 * Copyright (C) govsvc authors
 *
 * The sealer: verifies the lines of a store again as it grows, puts them into
 * the tree and signs it, turn by turn.
 *
 * The order makes every point a safe one to die at: segments are synced, then
 * tiles and index, then the state that counts them is replaced, and only then
 * is it signed.  What comes after the state is done again by the next turn,
 * what comes before it counts for nothing.
 */


#ifndef _GS_SEALER_H_INCLUDED_
#define _GS_SEALER_H_INCLUDED_


#include "seal/gs_seal.h"


typedef struct gs_sealer_s  gs_sealer_t;


/* 1: calls are to end soon.  Asked between steps, and after what may hang. */
typedef int (*gs_sealer_stop_pt)(void *data);


/* What is named here lives as long as the sealer. */
typedef struct {
    const char              *store;
    const char              *seal;
    const char              *who;          /* for the others: one word */
    const gs_seal_keys_t    *keys;         /* private, all of them sign */
    const gs_seal_log_t     *log;
    gs_sealer_stop_pt        stop;         /* NULL: never */
    void                    *data;         /* of stop */
} gs_sealer_conf_t;


/*
 * Locks the folder of the seal, makes it when there is none, and takes up
 * state, tree and index, which have to agree with each other and with what
 * was signed last.  All results but GS_OK and GS_DONE are told, and leave
 * nothing:
 *
 * GS_BUSY       another sealer works there
 * GS_DECLINED   something was changed: nothing may be signed
 * GS_ERROR      it failed, and may go better next time
 * GS_DONE       it was stopped
 */
gs_rc_t gs_sealer_open(gs_sealer_t **sealer, const gs_sealer_conf_t *conf);

/*
 * Seals and signs what there is: GS_OK, or GS_AGAIN when there is more than
 * fits into a turn, else as above; then the sealer can only be closed.
 */
gs_rc_t gs_sealer_turn(gs_sealer_t *s);

/* Lines that are sealed. */
uint64_t gs_sealer_size(const gs_sealer_t *s);

/* Gives the lock back; NULL is none. */
void gs_sealer_close(gs_sealer_t *s);


/*
 * What was signed last, by whomever, without a look at the signature: lines,
 * and the time in microseconds.  GS_DECLINED when there is nothing to read.
 */
gs_rc_t gs_sealer_last(const char *seal, uint64_t *size, uint64_t *time);

/*
 * Who works in the folder of a seal, from its lock: GS_OK and a text such as
 * "process 17 (command)", GS_DECLINED for nobody, GS_ERROR when that cannot be
 * told.  For a moment it keeps sealers out.
 */
gs_rc_t gs_sealer_who(const char *seal, char *text, size_t size);


#endif /* _GS_SEALER_H_INCLUDED_ */
