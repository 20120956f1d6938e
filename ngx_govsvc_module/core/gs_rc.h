
/*
 * Copyright (C) govsvc authors
 *
 * Result codes of the pure library.  The numbers equal those of Nginx, so
 * that ngx/ may pass them on; a static assertion there holds them together.
 */


#ifndef _GS_RC_H_INCLUDED_
#define _GS_RC_H_INCLUDED_


typedef enum {
    GS_OK = 0,
    GS_ERROR = -1,                         /* failed, see the gs_err_t */
    GS_AGAIN = -2,                         /* more input is needed */
    GS_BUSY = -3,                          /* full */
    GS_DONE = -4,                          /* the end was reached */
    GS_DECLINED = -5                       /* no match, never an error */
} gs_rc_t;


#endif /* _GS_RC_H_INCLUDED_ */
