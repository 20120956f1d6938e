
/*
 * Copyright (C) govsvc authors
 *
 * One worker for a duty that only one may do: fetch a key set, ask servers
 * how they are, write a snapshot.  Each duty has a name and a lease in shared
 * memory, which the worker that does it renews; one that is killed or hangs
 * loses it within NGX_GOVSVC_LEAD_TTL, one that quits gives it back at once.
 *
 * Leases belong to the master: after an upgrade of the binary both masters
 * have a leader each until the old one quits.
 */


#ifndef _NGX_GOVSVC_LEAD_H_INCLUDED_
#define _NGX_GOVSVC_LEAD_H_INCLUDED_


#include "ngx/ngx_govsvc.h"


#define NGX_GOVSVC_LEAD_TTL   1500         /* ms */
#define NGX_GOVSVC_LEAD_TICK  250          /* ms */
#define NGX_GOVSVC_LEAD_NAME  55           /* bytes of a name */
#define NGX_GOVSVC_LEAD_MAX   63           /* duties */


typedef struct ngx_govsvc_lead_s  ngx_govsvc_lead_t;


/*
 * Called in the event loop: leads 1, from now on this worker does it; leads 0,
 * no longer (it quits, or hung so long that another took over).  Never twice
 * with the same value.  On 0 everything of the duty must be ended before the
 * return.
 */
typedef void (*ngx_govsvc_lead_pt)(void *data, ngx_uint_t leads);


/*
 * Adds a duty to the configuration; name (1 to NGX_GOVSVC_LEAD_NAME bytes)
 * lives as long as the cycle, and a duty of the same name in the next cycle
 * goes on with the same lease.  handler may be NULL for those that ask with
 * ngx_govsvc_lead_mine(): then all that add the name share it.  Data are those
 * of the cycle, as seen by the worker.  NULL is logged.
 */
ngx_govsvc_lead_t *ngx_govsvc_lead_add(ngx_conf_t *cf, ngx_str_t *name,
    ngx_govsvc_lead_pt handler, void *data);

/*
 * 1 if this worker leads at this very moment, by the shared word and the
 * clock: to be asked before each effect that must not happen twice.
 */
ngx_uint_t ngx_govsvc_lead_mine(ngx_govsvc_lead_t *lead);

/* The process that leads, 0 if there is none just now. */
ngx_pid_t ngx_govsvc_lead_pid(ngx_govsvc_lead_t *lead);


/*
 * Duty i of the cycle, in the order of the configuration, and who has it as
 * above.  NGX_DONE behind the last.
 */
ngx_int_t ngx_govsvc_lead_row(ngx_cycle_t *cycle, ngx_uint_t i,
    ngx_str_t *name, ngx_pid_t *pid);


/* For ngx_govsvc_module, which has them in its life. */
void *ngx_govsvc_lead_create_conf(ngx_cycle_t *cycle);
ngx_int_t ngx_govsvc_lead_init_process(ngx_cycle_t *cycle);
void ngx_govsvc_lead_exit_process(ngx_cycle_t *cycle);

extern ngx_module_t  ngx_govsvc_module;


#endif /* _NGX_GOVSVC_LEAD_H_INCLUDED_ */
