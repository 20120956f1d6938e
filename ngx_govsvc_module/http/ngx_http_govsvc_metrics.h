
/*
 * Copyright (C) govsvc authors
 *
 * Metrics: what is counted, where, and how it is told.
 */


#ifndef _NGX_HTTP_GOVSVC_METRICS_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_METRICS_H_INCLUDED_


#include "audit/gs_audit_record.h"
#include "core/gs_metric.h"
#include "http/ngx_http_govsvc.h"
#include "ngx/ngx_govsvc_lead.h"
#include "ngx/ngx_govsvc_writer.h"
#include "token/gs_token.h"


#define NGX_HTTP_GOVSVC_METRICS_ROWS     64
#define NGX_HTTP_GOVSVC_METRICS_CLASSES  6       /* of a status */
#define NGX_HTTP_GOVSVC_METRICS_METHODS  8
#define NGX_HTTP_GOVSVC_METRICS_LIMITS   5
#define NGX_HTTP_GOVSVC_METRICS_SAMPLES  16      /* s, a power of two */


/* Decisions beside the reasons of refusals. */
#define NGX_HTTP_GOVSVC_METRICS_ALLOW    NGX_HTTP_GOVSVC_REASONS
#define NGX_HTTP_GOVSVC_METRICS_DENY     (NGX_HTTP_GOVSVC_REASONS + 1)
#define NGX_HTTP_GOVSVC_METRICS_REASONS  (NGX_HTTP_GOVSVC_REASONS + 2)


/* Checks of tokens beside the reasons of gs_token_reason_e. */
#define NGX_HTTP_GOVSVC_METRICS_ABSENT   GS_TOKEN_REASONS
#define NGX_HTTP_GOVSVC_METRICS_BAD      (GS_TOKEN_REASONS + 1)
#define NGX_HTTP_GOVSVC_METRICS_TOKENS   (GS_TOKEN_REASONS + 2)


/* What a platform did with a request that was meant for it. */
typedef enum {
    NGX_HTTP_GOVSVC_METRICS_SERVED = 0,
    NGX_HTTP_GOVSVC_METRICS_FAILED,        /* no answer, or one of 5xx */
    NGX_HTTP_GOVSVC_METRICS_ANNOUNCED,     /* maintenance, closed */
    NGX_HTTP_GOVSVC_METRICS_OUTCOMES
} ngx_http_govsvc_metrics_outcome_e;


/* What became of a message to a receiver of alerts. */
typedef enum {
    NGX_HTTP_GOVSVC_METRICS_SENT = 0,
    NGX_HTTP_GOVSVC_METRICS_RETRIED,
    NGX_HTTP_GOVSVC_METRICS_DEAD,          /* given up */
    NGX_HTTP_GOVSVC_METRICS_ALERTS
} ngx_http_govsvc_metrics_alert_e;


/* Of one platform; in the rows. */
typedef struct {
    uint64_t                     requests[NGX_HTTP_GOVSVC_METRICS_CLASSES];
    uint64_t                     tries[NGX_HTTP_GOVSVC_METRICS_CLASSES];
    uint64_t                     outcomes[NGX_HTTP_GOVSVC_METRICS_OUTCOMES];
    gs_metric_histogram_t        seconds;
    gs_metric_histogram_t        upstream;
} ngx_http_govsvc_metrics_platform_t;


/*
 * Of one worker, and of the next of its number: it counts on.  During a
 * reload two have the number, so all adding is atomic; nobody else's row is
 * ever written to.
 */
typedef struct {
    ngx_http_govsvc_metrics_platform_t  platforms[GS_METRIC_PLACES];
    uint64_t                     methods[NGX_HTTP_GOVSVC_METRICS_METHODS];
    uint64_t                     decisions[NGX_HTTP_GOVSVC_METRICS_REASONS];
    uint64_t                     tokens[NGX_HTTP_GOVSVC_METRICS_TOKENS];
    uint64_t                     limits[GS_METRIC_PLACES]
                                       [NGX_HTTP_GOVSVC_METRICS_LIMITS];
    uint64_t                     guards[GS_METRIC_PLACES];
    uint64_t                     records[GS_AUDIT_CLASSES];
    uint64_t                     lost[GS_AUDIT_CLASSES];
    uint64_t                     alerts[NGX_HTTP_GOVSVC_METRICS_ALERTS];
    ngx_govsvc_writer_stat_t     writer;

    /* as of a second ago */
    uint64_t                     pid;
    uint64_t                     ring_used;
    uint64_t                     ring_size;
    uint64_t                     audit_state;

    u_char                       pad[64];  /* rows share no cache line */
} ngx_http_govsvc_metrics_row_t;


/* Requests of a platform and those that failed, at one second. */
typedef struct {
    uint64_t                     second;
    uint64_t                     requests[GS_METRIC_PLACES];
    uint64_t                     failed[GS_METRIC_PLACES];
} ngx_http_govsvc_metrics_sample_t;


typedef struct {
    uint64_t                     magic;    /* with the size */
    uint64_t                     start;    /* s, wall clock */
    uint64_t                     reloads;
    uint64_t                     revision; /* of the registry, as last seen */
    uint64_t                     changed;  /* s, when it was first seen */
    gs_metric_names_t            platforms;
    gs_metric_names_t            zones;
    gs_metric_names_t            classes;
    ngx_http_govsvc_metrics_sample_t
                                 samples[NGX_HTTP_GOVSVC_METRICS_SAMPLES];
    ngx_http_govsvc_metrics_row_t
                                 rows[NGX_HTTP_GOVSVC_METRICS_ROWS];
} ngx_http_govsvc_metrics_sh_t;


typedef struct {
    ngx_shm_zone_t              *zone;     /* NULL: nothing is counted */
    ngx_http_govsvc_metrics_sh_t  *sh;
    ngx_govsvc_lead_t           *lead;
    ngx_cycle_t                 *cycle;
    ngx_event_t                  tick;
    ngx_connection_t             dummy;
} ngx_http_govsvc_metrics_main_conf_t;


typedef struct {
    ngx_flag_t                   enable;
} ngx_http_govsvc_metrics_loc_conf_t;


/* A scrape on its way: buffers of the request, one after another. */
typedef struct {
    ngx_http_request_t          *request;
    ngx_http_govsvc_metrics_main_conf_t  *conf;
    ngx_http_govsvc_metrics_sh_t  *sh;
    ngx_chain_t                 *out;
    ngx_chain_t                **last;
    off_t                        len;
    gs_buf_t                     b;        /* the room that is left */
    uint64_t                     dropped;  /* series */
    ngx_uint_t                   failed;   /* memory is out */
} ngx_http_govsvc_metrics_out_t;


/* A family: what its HELP and TYPE say, and who writes its lines. */
typedef struct ngx_http_govsvc_metric_s  ngx_http_govsvc_metric_t;

struct ngx_http_govsvc_metric_s {
    const char                  *name;
    const char                  *type;
    const char                  *help;
    void                       (*write)(ngx_http_govsvc_metrics_out_t *o,
                                    const ngx_http_govsvc_metric_t *m);
};


/* Each ends with a name that is NULL. */
extern const ngx_http_govsvc_metric_t  ngx_http_govsvc_metrics_traffic[];
extern const ngx_http_govsvc_metric_t  ngx_http_govsvc_metrics_redis[];
extern const ngx_http_govsvc_metric_t  ngx_http_govsvc_metrics_nonce[];
extern const ngx_http_govsvc_metric_t  ngx_http_govsvc_metrics_revoke[];
extern const ngx_http_govsvc_metric_t  ngx_http_govsvc_metrics_state[];
extern const ngx_http_govsvc_metric_t  ngx_http_govsvc_metrics_avail[];
extern const ngx_http_govsvc_metric_t  ngx_http_govsvc_metrics_delivery[];
extern const ngx_http_govsvc_metric_t  ngx_http_govsvc_metrics_seal[];


/* NULL where nothing is counted. */
ngx_http_govsvc_metrics_main_conf_t *ngx_http_govsvc_metrics_conf(
    ngx_cycle_t *cycle);

/* At configuration: counting is wanted.  NGX_ERROR is logged. */
ngx_int_t ngx_http_govsvc_metrics_use(ngx_conf_t *cf);

/* The handler of govsvc_metrics. */
ngx_int_t ngx_http_govsvc_metrics_scrape(ngx_http_request_t *r);

/* The row of this worker, NULL where nothing is counted. */
ngx_http_govsvc_metrics_row_t *ngx_http_govsvc_metrics_row(void);
void ngx_http_govsvc_metrics_set_row(ngx_http_govsvc_metrics_row_t *row,
    ngx_http_govsvc_metrics_sh_t *sh);

/* For audit: a record of that class was put into the ring, or was lost. */
void ngx_http_govsvc_metrics_record(ngx_uint_t cls, ngx_uint_t lost);

/* For alerts: one of ngx_http_govsvc_metrics_alert_e. */
void ngx_http_govsvc_metrics_alert(ngx_uint_t result);

/* The sum of one word over all rows; at is its offset in a row. */
uint64_t ngx_http_govsvc_metrics_sum(ngx_http_govsvc_metrics_sh_t *sh,
    size_t at);

/* Room for one more line or histogram; never NULL. */
gs_buf_t *ngx_http_govsvc_metrics_room(ngx_http_govsvc_metrics_out_t *o);



extern const char *const  ngx_http_govsvc_metrics_class_texts[];


#endif /* _NGX_HTTP_GOVSVC_METRICS_H_INCLUDED_ */
