
/*
 * Copyright (C) govsvc authors
 *
 * What Redis says about itself, from whole replies as gs_resp_scan() found
 * them: errors, redirections, roles, addresses of primaries, slots of a
 * cluster.  RESP2, as Redis 7 speaks it to a client that says no HELLO.
 */


#ifndef _GS_REDIS_H_INCLUDED_
#define _GS_REDIS_H_INCLUDED_


#include "core/gs_resp.h"


#define GS_REDIS_SLOTS  16384
#define GS_REDIS_NODES  1024               /* primaries of a cluster */
#define GS_REDIS_HOST   255                /* bytes of a host name */


typedef enum {
    GS_REDIS_ERROR_OTHER = 0,
    GS_REDIS_ERROR_LOADING,
    GS_REDIS_ERROR_OOM,
    GS_REDIS_ERROR_READONLY,
    GS_REDIS_ERROR_MISCONF,
    GS_REDIS_ERROR_NOREPLICAS,
    GS_REDIS_ERROR_CLUSTERDOWN,            /* MASTERDOWN, TRYAGAIN */
    GS_REDIS_ERROR_NOAUTH,                 /* WRONGPASS */
    GS_REDIS_ERROR_NOPERM,
    GS_REDIS_ERROR_EXECABORT,
    GS_REDIS_ERROR_MOVED,
    GS_REDIS_ERROR_ASK
} gs_redis_error_e;


typedef struct {
    gs_str_t  host;                        /* points into what was parsed */
    unsigned  port;
} gs_redis_addr_t;


/* owner[slot] is an index into nodes, or GS_REDIS_NODES for nobody. */
typedef struct {
    uint16_t  owner[GS_REDIS_SLOTS];
    unsigned  n;
    struct {
        char      host[GS_REDIS_HOST + 1];
        unsigned  port;
    }         nodes[GS_REDIS_NODES];
} gs_redis_slots_t;


/* The class of an error by its first word; line without the "-". */
gs_redis_error_e gs_redis_error(const gs_str_t *line);

/*
 * "MOVED 3999 127.0.0.1:6381" or "ASK ..." taken apart; an empty host means
 * the host that answered.  GS_ERROR if it is neither.
 */
gs_rc_t gs_redis_redirect(const gs_str_t *line, unsigned *slot,
    gs_redis_addr_t *addr);

/* The slot of a key: CRC16 (XMODEM) of its hash tag, or of all of it. */
unsigned gs_redis_slot(const gs_str_t *key);

/* ROLE: *master, and its replication offset. */
gs_rc_t gs_redis_role(const gs_str_t *reply, unsigned *master,
    uint64_t *offset);

/* TIME, in microseconds since 1970. */
gs_rc_t gs_redis_time(const gs_str_t *reply, uint64_t *us);

/* INFO server: the run_id, which another start of the server changes. */
gs_rc_t gs_redis_run_id(const gs_str_t *reply, gs_str_t *id);

/* The id of a stream's entry, "MS-SEQ" or "MS". */
gs_rc_t gs_redis_id(const gs_str_t *text, uint64_t *ms, uint64_t *seq);

/*
 * SENTINEL GET-MASTER-ADDR-BY-NAME: GS_OK, GS_DECLINED if the name is not
 * known there, GS_ERROR for anything else.
 */
gs_rc_t gs_redis_master_addr(const gs_str_t *reply, gs_redis_addr_t *addr);

/*
 * CLUSTER SLOTS.  All or nothing: *slots is written only with GS_OK.  A host
 * that is empty or nil becomes self, the host that answered.  scratch is a
 * second map.  GS_ERROR also when two nodes claim one slot.
 */
gs_rc_t gs_redis_slots(const gs_str_t *reply, const gs_str_t *self,
    gs_redis_slots_t *slots, gs_redis_slots_t *scratch);


#endif /* _GS_REDIS_H_INCLUDED_ */
