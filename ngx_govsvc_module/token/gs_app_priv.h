
/*
 * Copyright (C) govsvc authors
 *
 * The table of applications.  Private to the room.
 */


#ifndef _GS_APP_PRIV_H_INCLUDED_
#define _GS_APP_PRIV_H_INCLUDED_


#include "token/gs_app.h"


struct gs_apps_s {
    gs_mem_t    *mem;                      /* of the caller */
    gs_arena_t  *arena;                    /* of all the rest */
    gs_app_t    *list;                     /* by id */
    size_t       n;
    unsigned     schemes;
};


#endif /* _GS_APP_PRIV_H_INCLUDED_ */
