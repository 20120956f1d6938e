
/*
 * Copyright (C) govsvc authors
 *
 * Availability of platforms: one worker looks at them, what it knows stands
 * in shared memory for all to read, and in a file for the next start.
 */


#ifndef _NGX_HTTP_GOVSVC_AVAIL_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_AVAIL_H_INCLUDED_


#include "core/gs_blob.h"
#include "http/ngx_http_govsvc_metrics.h"
#include "ngx/ngx_govsvc_save.h"
#include "route/gs_avail.h"


#define NGX_HTTP_GOVSVC_AVAIL_TICK   1000              /* ms */
#define NGX_HTTP_GOVSVC_AVAIL_LOOK   5000000           /* us */
#define NGX_HTTP_GOVSVC_AVAIL_SEEN   1024              /* of the table */


/* Made at configuration; what is not in the zone belongs to a worker. */
typedef struct {
    ngx_str_t                file;         /* len 0: nothing is counted */
    ngx_shm_zone_t          *zone;
    gs_blob_t               *blob;
    ngx_govsvc_save_t       *save;
    ngx_govsvc_lead_t       *lead;
    ngx_cycle_t             *cycle;

    gs_avail_t              *own;          /* while this worker leads */
    gs_avail_t              *copy;         /* what others read of it */
    uint64_t                 seen;         /* generation of copy */
    u_char                  *room;         /* GS_AVAIL_TEXT bytes */
    uint64_t                 looked;       /* us */
    ngx_uint_t               full;         /* was logged */

    /* of each platform of the table: instances, those that are good */
    u_char                   health[NGX_HTTP_GOVSVC_AVAIL_SEEN];

    ngx_event_t              tick;
    ngx_connection_t         dummy;
} ngx_http_govsvc_avail_main_conf_t;


/*
 * What is known at this moment, to be used before the return to the event
 * loop; NULL where nothing is counted, or nothing is known yet.
 */
const gs_avail_t *ngx_http_govsvc_avail_read(ngx_cycle_t *cycle);

/* At a start: takes what the file has into the empty zone. */
ngx_int_t ngx_http_govsvc_avail_restore(
    ngx_http_govsvc_avail_main_conf_t *acf, ngx_cycle_t *cycle);

/* The duty of one worker: begins and ends it. */
void ngx_http_govsvc_avail_lead(void *data, ngx_uint_t leads);


#endif /* _NGX_HTTP_GOVSVC_AVAIL_H_INCLUDED_ */
