
/*
 * Copyright (C) govsvc authors
 *
 * Revocation of tokens, by the registry API.  Works on the zone of
 * govsvc_revocation_zone; where that is shared, other nodes are told.
 */


#ifndef _NGX_HTTP_GOVSVC_REVOKE_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_REVOKE_H_INCLUDED_


#include "http/ngx_http_govsvc.h"
#include "token/gs_token_revoke.h"


typedef struct {
    gs_token_revoke_e  kind;
    ngx_str_t          issuer;             /* name of a govsvc_issuer */
    ngx_str_t          value;
    int64_t            before;             /* s; 0: now, see below */
    int64_t            until;              /* s; 0: as long as it takes */
} ngx_http_govsvc_revocation_t;


/*
 * Revokes; all workers refuse such tokens from now on, cached verdicts
 * included, and the state file follows within a second.  before is of
 * GS_TOKEN_REVOKE_BEFORE alone.  By default an entry by jti, sid or time ends
 * when the longest-lived token that it means has expired; one by sub or kid
 * stays until it is lifted.  Neither blocks nor waits.
 *
 * NGX_OK; NGX_DECLINED: no zone is configured, or no issuer has that name;
 * NGX_BUSY: the zone is full, nothing was revoked, which is logged as crit;
 * NGX_ERROR: the value is empty or too long, or a time is past.
 */
ngx_int_t ngx_http_govsvc_revoke(const ngx_http_govsvc_revocation_t *rev,
    ngx_log_t *log);

/* Takes a revocation back.  NGX_DECLINED also if there is none. */
ngx_int_t ngx_http_govsvc_revoke_lift(
    const ngx_http_govsvc_revocation_t *rev, ngx_log_t *log);

/*
 * Figures of the zone, and the time (s) of the last state written, 0 if none
 * was.  NGX_DECLINED if no zone is configured.
 */
ngx_int_t ngx_http_govsvc_revoke_stat(gs_token_revoke_stat_t *stat,
    int64_t *saved);

/*
 * The next revocation at or behind *cursor, which starts at 0 and is moved on;
 * NGX_DONE behind the last, NGX_DECLINED if no zone is configured.
 */
ngx_int_t ngx_http_govsvc_revoke_next(uint64_t *cursor,
    gs_token_revoke_item_t *item);

/*
 * What became of changes since the zone was made; follows: a worker hears what
 * other nodes say.  NGX_DECLINED if the zone is not shared with any.
 */
typedef struct {
    uint64_t           told;
    uint64_t           heard;
    ngx_uint_t         follows;
} ngx_http_govsvc_revoke_nodes_t;

ngx_int_t ngx_http_govsvc_revoke_shared(
    ngx_http_govsvc_revoke_nodes_t *nodes);


#endif /* _NGX_HTTP_GOVSVC_REVOKE_H_INCLUDED_ */
