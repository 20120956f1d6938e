
/*
 * Copyright (C) govsvc authors
 *
 * A directory of segment files: made, checked, and numbered by epoch, so that
 * names never repeat.
 */


#ifndef _NGX_GOVSVC_STORE_H_INCLUDED_
#define _NGX_GOVSVC_STORE_H_INCLUDED_


#include "ngx/ngx_govsvc.h"


/*
 * Makes dir (mode 0750, owned by the worker user) when its parent exists, and
 * proves that a worker can create files in it.  For the master, or nginx -t.
 * NGX_ERROR is logged as emerg with what to do.
 */
ngx_int_t ngx_govsvc_store_prepare(ngx_cycle_t *cycle, ngx_str_t *dir);

/*
 * The next epoch of dir: one more than in DIR/epoch, which is replaced
 * atomically and synced under a lock of the directory.  Without that file,
 * one more than in the name of any chain ("NODE.EPOCH.wN.PID").
 */
ngx_int_t ngx_govsvc_store_epoch(ngx_str_t *dir, uint64_t *epoch,
    ngx_log_t *log);


#endif /* _NGX_GOVSVC_STORE_H_INCLUDED_ */
