
/*
 * Copyright (C) govsvc authors
 *
 * Requests in progress, counted by key in memory that processes share.  Each
 * process has counts of its own, which end with it: those of a process that
 * was killed are no longer counted once its place is taken, or buried.
 */


#ifndef _GS_LIMIT_CONN_H_INCLUDED_
#define _GS_LIMIT_CONN_H_INCLUDED_


#include "core/gs_rc.h"
#include "core/gs_siphash.h"


#define GS_LIMIT_CONN_PROCESSES  1024


typedef struct gs_limit_conn_table_s  gs_limit_conn_table_t;


/* One count, held until gs_limit_conn_end(). */
typedef struct {
    uint64_t  *state;                      /* NULL: none */
    uint64_t   owner;
} gs_limit_conn_t;


size_t gs_limit_conn_size(size_t counts);

/* As those of gs_limit_table.h. */
gs_limit_conn_table_t *gs_limit_conn_init(void *mem, size_t size,
    const gs_siphash_key_t *secret);
gs_limit_conn_table_t *gs_limit_conn_attach(void *mem, size_t size);

/*
 * A process begins at the place (below GS_LIMIT_CONN_PROCESSES), which nobody
 * else alive has: all counts of its predecessor are 0 now.
 */
void gs_limit_conn_start(gs_limit_conn_table_t *table, unsigned place,
    uint32_t pid);

/* The process at the place, 0 if there was none or it was buried. */
uint32_t gs_limit_conn_pid(const gs_limit_conn_table_t *table,
    unsigned place);

/* The process at the place, if it still is pid, is dead: drops its counts. */
void gs_limit_conn_bury(gs_limit_conn_table_t *table, unsigned place,
    uint32_t pid);

/*
 * Counts one more for the key, by the process at the place.  GS_OK;
 * GS_DECLINED if max are counted already, by all processes; GS_BUSY if there
 * is no room.  *now is what is counted, this one included.
 */
gs_rc_t gs_limit_conn_begin(gs_limit_conn_table_t *table, unsigned place,
    const gs_str_t *key, uint64_t max, gs_limit_conn_t *conn, uint64_t *now);

/* Counts one less. */
void gs_limit_conn_end(gs_limit_conn_t *conn);


#endif /* _GS_LIMIT_CONN_H_INCLUDED_ */
