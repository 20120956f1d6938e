
/*
 * Copyright (C) govsvc authors
 *
 * Duties of one worker: names and leases in a zone that outlives reloads, and
 * a timer in each worker that takes and renews them.
 */


#include "ngx/ngx_govsvc_lead.h"
#include "core/gs_lease.h"

#include <ngx_event.h>


#define NGX_GOVSVC_LEAD_MAGIC  0x6c643031  /* "ld01" */
#define NGX_GOVSVC_LEAD_ZONE   (64 * 1024)


typedef struct {
    gs_lease_t               lease;
    u_char                   name[NGX_GOVSVC_LEAD_NAME + 1];
} ngx_govsvc_lead_slot_t;


typedef struct {
    uint32_t                 magic;
    uint32_t                 reserved[15];
    ngx_govsvc_lead_slot_t   slots[NGX_GOVSVC_LEAD_MAX];
} ngx_govsvc_lead_shared_t;


struct ngx_govsvc_lead_s {
    ngx_str_t                name;
    ngx_govsvc_lead_pt       handler;
    void                    *data;
    ngx_govsvc_lead_slot_t  *slot;
    ngx_uint_t               leads;        /* as the handler was told */
};


typedef struct {
    ngx_array_t              leads;        /* ngx_govsvc_lead_t * */
    ngx_shm_zone_t          *zone;
    ngx_govsvc_lead_shared_t
                            *shared;
    ngx_event_t              event;
    ngx_connection_t         dummy;
    ngx_log_t               *log;
} ngx_govsvc_lead_conf_t;


static ngx_int_t ngx_govsvc_lead_init_zone(ngx_shm_zone_t *zone, void *data);
static ngx_govsvc_lead_slot_t *ngx_govsvc_lead_slot(
    ngx_govsvc_lead_shared_t *shared, ngx_str_t *name);
static ngx_uint_t ngx_govsvc_lead_named(ngx_govsvc_lead_slot_t *slot,
    ngx_str_t *name);
static void ngx_govsvc_lead_timer(ngx_event_t *ev);
static void ngx_govsvc_lead_tick(ngx_govsvc_lead_conf_t *lcf,
    ngx_govsvc_lead_t *lead);
static void ngx_govsvc_lead_resign(ngx_govsvc_lead_conf_t *lcf);
static uint64_t ngx_govsvc_lead_now(void);


void *
ngx_govsvc_lead_create_conf(ngx_cycle_t *cycle)
{
    ngx_govsvc_lead_conf_t  *lcf;

    lcf = ngx_pcalloc(cycle->pool, sizeof(ngx_govsvc_lead_conf_t));
    if (lcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&lcf->leads, cycle->pool, 4, sizeof(void *))
        != NGX_OK)
    {
        return NULL;
    }

    return lcf;
}


ngx_govsvc_lead_t *
ngx_govsvc_lead_add(ngx_conf_t *cf, ngx_str_t *name,
    ngx_govsvc_lead_pt handler, void *data)
{
    ngx_uint_t               i;
    ngx_govsvc_lead_t       *lead, **slot;
    ngx_govsvc_lead_conf_t  *lcf;
    static ngx_str_t         zone = ngx_string("govsvc_lead.1");

    lcf = (ngx_govsvc_lead_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                                  ngx_govsvc_module);

    slot = lcf->leads.elts;

    for (i = 0; i < lcf->leads.nelts; i++) {
        if (handler == NULL && slot[i]->handler == NULL
            && slot[i]->name.len == name->len
            && ngx_memcmp(slot[i]->name.data, name->data, name->len) == 0)
        {
            return slot[i];
        }
    }

    if (name->len == 0 || name->len > NGX_GOVSVC_LEAD_NAME
        || lcf->leads.nelts == NGX_GOVSVC_LEAD_MAX)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no place for the duty \"%V\" of one worker, "
                           "allowed: %d of at most %d bytes", name,
                           NGX_GOVSVC_LEAD_MAX, NGX_GOVSVC_LEAD_NAME);
        return NULL;
    }

    if (lcf->zone == NULL) {
        lcf->zone = ngx_shared_memory_add(cf, &zone, NGX_GOVSVC_LEAD_ZONE,
                                          &ngx_govsvc_module);
        if (lcf->zone == NULL) {
            return NULL;
        }

        lcf->zone->init = ngx_govsvc_lead_init_zone;
        lcf->zone->data = lcf;
    }

    lead = ngx_pcalloc(cf->pool, sizeof(ngx_govsvc_lead_t));
    slot = ngx_array_push(&lcf->leads);

    if (lead == NULL || slot == NULL) {
        return NULL;
    }

    lead->name = *name;
    lead->handler = handler;
    lead->data = data;

    *slot = lead;

    return lead;
}


static ngx_int_t
ngx_govsvc_lead_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_govsvc_lead_conf_t *old = data;

    ngx_uint_t                i;
    ngx_slab_pool_t          *shpool;
    ngx_govsvc_lead_t       **lead;
    ngx_govsvc_lead_conf_t   *lcf;

    lcf = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (old != NULL) {
        lcf->shared = old->shared;

    } else if (zone->shm.exists) {
        lcf->shared = shpool->data;

    } else {
        lcf->shared = ngx_slab_calloc(shpool,
                                      sizeof(ngx_govsvc_lead_shared_t));
        if (lcf->shared == NULL) {
            return NGX_ERROR;
        }

        lcf->shared->magic = NGX_GOVSVC_LEAD_MAGIC;
        shpool->data = lcf->shared;
    }

    if (lcf->shared->magic != NGX_GOVSVC_LEAD_MAGIC) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "zone \"%V\" has another layout", &zone->shm.name);
        return NGX_ERROR;
    }

    lead = lcf->leads.elts;

    for (i = 0; i < lcf->leads.nelts; i++) {
        lead[i]->slot = ngx_govsvc_lead_slot(lcf->shared, &lead[i]->name);

        if (lead[i]->slot == NULL) {
            ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                          "no place for the duty \"%V\" of one worker, "
                          "allowed: %d in the old and the new configuration "
                          "together", &lead[i]->name, NGX_GOVSVC_LEAD_MAX);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * The slot of that name, else one that nobody holds.  Only the master writes
 * names, and a name goes last, when there is no empty slot: its duty is not of
 * the running configuration, or has just lost its leader and finds, by the
 * name, that it has no lease any more.
 */

static ngx_govsvc_lead_slot_t *
ngx_govsvc_lead_slot(ngx_govsvc_lead_shared_t *shared, ngx_str_t *name)
{
    uint64_t                 now;
    ngx_uint_t               i;
    ngx_govsvc_lead_slot_t  *slot, *empty, *idle;

    now = ngx_govsvc_lead_now();
    empty = NULL;
    idle = NULL;

    for (i = 0; i < NGX_GOVSVC_LEAD_MAX; i++) {
        slot = &shared->slots[i];

        if (ngx_govsvc_lead_named(slot, name)) {
            return slot;
        }

        if (slot->name[0] == '\0') {
            empty = (empty == NULL) ? slot : empty;

        } else if (gs_lease_free(&slot->lease, now)) {
            idle = slot;
        }
    }

    slot = (empty != NULL) ? empty : idle;

    if (slot != NULL) {
        ngx_memzero(slot->name, sizeof(slot->name));
        ngx_memcpy(slot->name, name->data, name->len);
    }

    return slot;
}


static ngx_uint_t
ngx_govsvc_lead_named(ngx_govsvc_lead_slot_t *slot, ngx_str_t *name)
{
    return ngx_memcmp(slot->name, name->data, name->len) == 0
           && slot->name[name->len] == '\0';
}


ngx_int_t
ngx_govsvc_lead_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                i;
    ngx_event_t              *ev;
    ngx_govsvc_lead_t       **lead;
    ngx_govsvc_lead_conf_t   *lcf;

    lcf = (ngx_govsvc_lead_conf_t *) ngx_get_conf(cycle->conf_ctx,
                                                  ngx_govsvc_module);

    if (lcf->leads.nelts == 0
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    lead = lcf->leads.elts;

    /* the lease of a dead process that had our number is not ours */

    for (i = 0; i < lcf->leads.nelts; i++) {
        gs_lease_drop(&lead[i]->slot->lease, (uint32_t) ngx_pid);
    }

    lcf->log = cycle->log;
    lcf->dummy.fd = (ngx_socket_t) -1;

    ev = &lcf->event;
    ev->handler = ngx_govsvc_lead_timer;
    ev->data = &lcf->dummy;
    ev->log = cycle->log;
    ev->cancelable = 1;

    /* not always the first worker */

    ngx_add_timer(ev, (ngx_msec_t) ngx_random() % 32 + 1);

    return NGX_OK;
}


static void
ngx_govsvc_lead_timer(ngx_event_t *ev)
{
    ngx_uint_t                i;
    ngx_govsvc_lead_t       **lead;
    ngx_govsvc_lead_conf_t   *lcf;

    lcf = (ngx_govsvc_lead_conf_t *)
              ((u_char *) ev - offsetof(ngx_govsvc_lead_conf_t, event));

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        ngx_govsvc_lead_resign(lcf);
        return;
    }

    ngx_add_timer(ev, NGX_GOVSVC_LEAD_TICK);

    lead = lcf->leads.elts;

    for (i = 0; i < lcf->leads.nelts; i++) {
        ngx_govsvc_lead_tick(lcf, lead[i]);
    }
}


static void
ngx_govsvc_lead_tick(ngx_govsvc_lead_conf_t *lcf, ngx_govsvc_lead_t *lead)
{
    uint64_t    now;
    ngx_uint_t  leads;

    now = ngx_govsvc_lead_now();

    /* a lease that ran out ends the old term first, even if nobody took it */

    if (lead->leads
        && !gs_lease_mine(&lead->slot->lease, (uint32_t) ngx_pid, now))
    {
        leads = 0;

    } else {
        leads = ngx_govsvc_lead_named(lead->slot, &lead->name)
                && gs_lease_take(&lead->slot->lease, (uint32_t) ngx_pid, now,
                                 NGX_GOVSVC_LEAD_TTL)
                   == GS_OK;
    }

    if (leads == lead->leads) {
        return;
    }

    lead->leads = leads;

    ngx_log_error(NGX_LOG_NOTICE, lcf->log, 0,
                  "govsvc lead: %s, duty: \"%V\"",
                  leads ? "took" : "lost", &lead->name);

    if (lead->handler != NULL) {
        lead->handler(lead->data, leads);
    }
}


void
ngx_govsvc_lead_exit_process(ngx_cycle_t *cycle)
{
    ngx_govsvc_lead_conf_t  *lcf;

    lcf = (ngx_govsvc_lead_conf_t *) ngx_get_conf(cycle->conf_ctx,
                                                  ngx_govsvc_module);

    ngx_govsvc_lead_resign(lcf);
}


static void
ngx_govsvc_lead_resign(ngx_govsvc_lead_conf_t *lcf)
{
    ngx_uint_t           i;
    ngx_govsvc_lead_t  **lead;

    if (lcf->event.timer_set) {
        ngx_del_timer(&lcf->event);
    }

    lead = lcf->leads.elts;

    for (i = 0; i < lcf->leads.nelts; i++) {

        if (!lead[i]->leads) {
            continue;
        }

        lead[i]->leads = 0;

        ngx_log_error(NGX_LOG_NOTICE, lcf->log, 0,
                      "govsvc lead: gave back, duty: \"%V\"",
                      &lead[i]->name);

        if (lead[i]->handler != NULL) {
            lead[i]->handler(lead[i]->data, 0);
        }

        gs_lease_drop(&lead[i]->slot->lease, (uint32_t) ngx_pid);
    }
}


ngx_uint_t
ngx_govsvc_lead_mine(ngx_govsvc_lead_t *lead)
{
    return lead->leads
           && gs_lease_mine(&lead->slot->lease, (uint32_t) ngx_pid,
                            ngx_govsvc_lead_now());
}


ngx_pid_t
ngx_govsvc_lead_pid(ngx_govsvc_lead_t *lead)
{
    return (ngx_pid_t) gs_lease_holder(&lead->slot->lease,
                                       ngx_govsvc_lead_now());
}


ngx_int_t
ngx_govsvc_lead_row(ngx_cycle_t *cycle, ngx_uint_t i, ngx_str_t *name,
    ngx_pid_t *pid)
{
    ngx_govsvc_lead_t       **lead;
    ngx_govsvc_lead_conf_t   *lcf;

    lcf = (ngx_govsvc_lead_conf_t *) ngx_get_conf(cycle->conf_ctx,
                                                  ngx_govsvc_module);

    if (lcf == NULL || i >= lcf->leads.nelts) {
        return NGX_DONE;
    }

    lead = lcf->leads.elts;

    *name = lead[i]->name;
    *pid = ngx_govsvc_lead_pid(lead[i]);

    return NGX_OK;
}


/* Not the clock of the event loop: a worker that hung would believe it. */

static uint64_t
ngx_govsvc_lead_now(void)
{
    return ngx_govsvc_mono_us() / 1000;
}
