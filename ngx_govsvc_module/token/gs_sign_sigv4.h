
/*
 * Copyright (C) govsvc authors
 *
 * What the two forms of AWS Signature Version 4 share: headers
 * (gs_sign_sigv4.c) and query (gs_sign_sigv4_query.c).
 */


#ifndef _GS_SIGN_SIGV4_H_INCLUDED_
#define _GS_SIGN_SIGV4_H_INCLUDED_


#include "token/gs_sign_priv.h"


/* text[]: region, service, date, signed headers, payload, scope */
#define GS_SIGN_V4_REGION   0
#define GS_SIGN_V4_SERVICE  1
#define GS_SIGN_V4_DATE     2
#define GS_SIGN_V4_HEADERS  3
#define GS_SIGN_V4_PAYLOAD  4
#define GS_SIGN_V4_SCOPE    5

#define GS_SIGN_V4_EMPTY                                                      \
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


/* ID/20150830/REGION/SERVICE/aws4_request; the day is that of the date. */
gs_rc_t gs_sign_v4_scope(const gs_str_t *value, gs_sign_cred_t *cred);
gs_sign_reason_e gs_sign_v4_time(gs_sign_cred_t *cred);

/*
 * 1 if the list of signed headers is sound and has all that must be signed:
 * host, x-amz-*, and with type content-type.
 */
int gs_sign_v4_covers(const gs_sign_request_t *r, const gs_str_t *list,
    int type);

/* What is told of the payload, into digest and unsigned_body. */
gs_sign_reason_e gs_sign_v4_told(const gs_sign_request_t *r,
    gs_sign_cred_t *cred);

/* A presigned URL. */
gs_sign_reason_e gs_sign_v4_query(const gs_sign_request_t *r,
    gs_sign_cred_t *cred);


#endif /* _GS_SIGN_SIGV4_H_INCLUDED_ */
