
/*
 * Copyright (C) govsvc authors
 *
 * Registry API: the report of a month, from what this node has counted.
 */


#include "admin/ngx_http_govsvc_admin.h"

#include "core/gs_time.h"
#include "http/ngx_http_govsvc_avail.h"


void
ngx_http_govsvc_admin_availability(gs_admin_reply_t *reply, gs_buf_t *b)
{
    gs_str_t                             only;
    ngx_uint_t                           month;
    const gs_avail_t                    *a;
    ngx_http_govsvc_admin_main_conf_t   *amcf;
    ngx_http_govsvc_avail_main_conf_t   *acf;

    amcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_govsvc_admin_module);
    acf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                              ngx_http_govsvc_avail_module);

    if (acf->file.len == 0) {
        ngx_http_govsvc_admin_fail(reply, b, 409, "NOT_COUNTED", "",
                                   "there is no govsvc_availability");
        return;
    }

    a = ngx_http_govsvc_avail_read((ngx_cycle_t *) ngx_cycle);

    if (a == NULL) {
        reply->retry_after = 5;
        ngx_http_govsvc_admin_fail(reply, b, 503, "BUSY", "",
                                   "nothing was counted yet");
        return;
    }

    only = gs_str_text(reply->only);
    month = (reply->month != 0) ? reply->month
                                : gs_time_month(ngx_govsvc_wall_us());

    if (reply->csv) {
        gs_avail_csv(a, &amcf->node, (unsigned) month, &only, b);

    } else {
        gs_avail_json(a, &amcf->node, (unsigned) month, &only, b);
    }
}
