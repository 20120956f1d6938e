
/*
 * Copyright (C) govsvc authors
 *
 * Keys of an issuer in one worker: replaced as a whole, whatever the source,
 * a file or a server.  A set is read once when it changes, never for a
 * request.
 */


#ifndef _NGX_HTTP_GOVSVC_KEYS_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_KEYS_H_INCLUDED_


#include "http/ngx_http_govsvc.h"


typedef struct ngx_http_govsvc_issuer_s  ngx_http_govsvc_issuer_t;


/*
 * Asked, in a request, when a token of the issuer names a key that the issuer
 * does not have, or when the issuer has no keys yet.  NGX_AGAIN: new keys are
 * on their way, the request waits until the source runs its phases again
 * (ngx_http_core_run_phases()), which asks again; NGX_DECLINED: there is
 * nothing to wait for.
 */
typedef ngx_int_t (*ngx_http_govsvc_keys_missing_pt)(ngx_http_request_t *r,
    ngx_http_govsvc_issuer_t *is, void *data);


/*
 * Makes the JWK set in text the keys of the issuer in this process; to be
 * called by every worker, and not while a token is being checked.  source is
 * a file or an URL, for the log.  NGX_OK: taken, the former keys are gone and
 * so are all verdicts on tokens whose key is not in the new set.
 * NGX_DECLINED: these are the keys that it has.  NGX_ERROR: the text is no
 * set of usable keys or memory is out; the former keys stay, and this is
 * logged once for each text.
 */
ngx_int_t ngx_http_govsvc_keys_set(ngx_http_govsvc_issuer_t *is,
    ngx_str_t *text, ngx_str_t *source, ngx_log_t *log);

/* Leaves the issuer without keys: those it had are too old to be believed. */
void ngx_http_govsvc_keys_clear(ngx_http_govsvc_issuer_t *is);

/*
 * Equal for equal texts, on every worker and after a restart; 0 as long as
 * there are no keys.
 */
uint64_t ngx_http_govsvc_keys_generation(ngx_http_govsvc_issuer_t *is);

/*
 * At configuration, in the block of the issuer: it has a source of keys that
 * may bring them later, so that it may start without any.  missing may be
 * NULL.
 */
void ngx_http_govsvc_keys_source(ngx_http_govsvc_issuer_t *is,
    ngx_http_govsvc_keys_missing_pt missing, void *data);


#endif /* _NGX_HTTP_GOVSVC_KEYS_H_INCLUDED_ */
