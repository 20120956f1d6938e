
/*
 * Copyright (C) govsvc authors
 *
 * Bans: the zone that keeps them, and how other features ban and unban.
 */


#ifndef _NGX_HTTP_GOVSVC_BAN_H_INCLUDED_
#define _NGX_HTTP_GOVSVC_BAN_H_INCLUDED_


#include "core/gs_net.h"
#include "http/ngx_http_govsvc.h"
#include "limit/gs_ban.h"
#include "ngx/ngx_govsvc_zone.h"


#define NGX_HTTP_GOVSVC_BAN_LABEL     GS_BAN_LABEL
#define NGX_HTTP_GOVSVC_BAN_ZONES     1024
#define NGX_HTTP_GOVSVC_BAN_INET      24   /* bits of "network" */
#define NGX_HTTP_GOVSVC_BAN_INET6     48
#define NGX_HTTP_GOVSVC_BAN_MAX_TIME  (366ull * 86400 * 1000)   /* ms */


typedef struct ngx_http_govsvc_ban_zone_s  ngx_http_govsvc_ban_zone_t;


/*
 * Told after a ban was set, and with ban NULL after one was lifted, by this
 * process; for who carries them on.  until is what holds now.
 */
typedef void (*ngx_http_govsvc_ban_changed_pt)(
    ngx_http_govsvc_ban_zone_t *zone, const gs_ban_id_t *id,
    const gs_ban_t *ban, uint64_t until, void *data);


/* Told of every lift, also of another node, here or there. */
typedef void (*ngx_http_govsvc_ban_lifted_pt)(
    ngx_http_govsvc_ban_zone_t *zone, const gs_ban_id_t *id, void *data);


struct ngx_http_govsvc_ban_zone_s {
    ngx_govsvc_zone_t                base;         /* first */
    size_t                           size;         /* of the table */
    gs_ban_table_t                   table;
    gs_ban_tiers_t                   tiers;
    gs_net_set_t                    *allow;        /* NULL: nobody */
    gs_siphash_key_t                 secret;       /* of all nodes */
    ngx_uint_t                       shared;       /* has such a secret */

    ngx_http_govsvc_ban_changed_pt   changed;      /* NULL: nobody */
    void                            *data;
    ngx_http_govsvc_ban_lifted_pt    lifted;       /* NULL: nobody */
    void                            *lifted_data;
};


typedef struct {
    ngx_array_t                      zones; /* ngx_http_govsvc_ban_zone_t * */
} ngx_http_govsvc_ban_main_conf_t;


typedef struct {
    ngx_http_govsvc_ban_zone_t      *zone;         /* NULL: off */
    ngx_uint_t                       kinds;        /* bits */
    ngx_flag_t                       dry_run;
    ngx_http_govsvc_ban_zone_t      *control;      /* NULL: none here */
} ngx_http_govsvc_ban_conf_t;


/*
 * At configuration: the zone of that name, which may be defined later.  NULL
 * if memory is out.
 */
ngx_http_govsvc_ban_zone_t *ngx_http_govsvc_ban_get_zone(ngx_conf_t *cf,
    ngx_str_t *name);

/* At run time: the zone of that name, NULL if there is none. */
ngx_http_govsvc_ban_zone_t *ngx_http_govsvc_ban_find_zone(ngx_str_t *name);

/*
 * Keys of a caller: an address or network as text; else the name of the
 * issuer (len 0 for applications) and what it calls the caller.  NGX_ERROR
 * if the text is no network.
 */
ngx_int_t ngx_http_govsvc_ban_net_id(ngx_http_govsvc_ban_zone_t *zone,
    ngx_str_t *text, gs_ban_id_t *id);
void ngx_http_govsvc_ban_caller_id(ngx_http_govsvc_ban_zone_t *zone,
    gs_ban_kind_e kind, ngx_str_t *issuer, ngx_str_t *name, gs_ban_id_t *id);

/*
 * The key that a rule names ("ip", "network", "subject", "app") of this
 * request.  text is what people see of it, in label or as long as r lives; a
 * subject is masked.  NGX_DECLINED if the request has none.
 */
ngx_int_t ngx_http_govsvc_ban_request_id(ngx_http_request_t *r,
    ngx_http_govsvc_ctx_t *ctx, ngx_http_govsvc_ban_zone_t *zone,
    const gs_str_t *key, gs_ban_id_t *id, u_char *label, gs_str_t *text);

/* Tiers that grow by a factor (2 or more) from ttl up to max, 0: a year. */
void ngx_http_govsvc_ban_escalate(ngx_http_govsvc_ban_zone_t *zone,
    gs_ban_tiers_t *tiers, uint64_t ttl, ngx_uint_t factor, uint64_t max);

/*
 * Bans a key on all workers, at once, and logs it.  By the tiers of the zone
 * where ban has neither time nor tiers.  NGX_OK: banned, or longer than
 * before; NGX_DECLINED: banned so long already, or an address that is never
 * banned (*until is 0 then); NGX_BUSY: no room; NGX_ERROR: the time has
 * passed.  until may be NULL.
 */
ngx_int_t ngx_http_govsvc_ban_add(ngx_http_govsvc_ban_zone_t *zone,
    const gs_ban_id_t *id, const gs_ban_t *ban, uint64_t *until,
    ngx_log_t *log);

/* NGX_OK; NGX_DECLINED: it is not banned; NGX_BUSY: try again. */
ngx_int_t ngx_http_govsvc_ban_lift(ngx_http_govsvc_ban_zone_t *zone,
    const gs_ban_id_t *id, ngx_log_t *log);

/* The setter of govsvc_ban_control. */
char *ngx_http_govsvc_ban_control(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* ms since 1970, from the cached clock. */
uint64_t ngx_http_govsvc_ban_now(void);


#endif /* _NGX_HTTP_GOVSVC_BAN_H_INCLUDED_ */
