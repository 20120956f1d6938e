
/*
 * Copyright (C) govsvc authors
 *
 * Audit: directives for the days when there is too much to write, or too
 * little room for it.
 */


#include "http/ngx_http_govsvc_audit_priv.h"


static ngx_int_t ngx_http_govsvc_audit_amount(const gs_str_t *text,
    ngx_http_govsvc_audit_amount_t *amount);
static ngx_uint_t ngx_http_govsvc_audit_below(
    const ngx_http_govsvc_audit_amount_t *amount, uint64_t left,
    uint64_t all);


static const char *const  ngx_http_govsvc_audit_states[] = {
    "good", "low", "critical", "full"
};


char *
ngx_http_govsvc_audit_space(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_govsvc_audit_main_conf_t *amcf = conf;

    gs_str_t     s;
    uint64_t     size;
    ngx_str_t   *value;
    ngx_uint_t   i, k;

    static const char *const  names[] = {
        "low=", "critical=", "full=", "reserve=", NULL
    };

    if (amcf->watch_space) {
        return "is duplicate";
    }

    amcf->watch_space = 1;
    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        for (k = 0; names[k] != NULL; k++) {
            if (ngx_strncmp(value[i].data, names[k], ngx_strlen(names[k]))
                == 0)
            {
                break;
            }
        }

        if (names[k] == NULL) {
            return ngx_govsvc_conf_invalid(cf, "parameter", &value[i], names);
        }

        s = gs_str_make(value[i].data + ngx_strlen(names[k]),
                        value[i].len - ngx_strlen(names[k]));

        if (k < 3) {
            if (ngx_http_govsvc_audit_amount(&s, &amcf->space[k]) == NGX_OK) {
                continue;
            }

            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid amount in \"%V\", allowed: 1%% to "
                               "99%%, or a size as in \"10g\"", &value[i]);
            return NGX_CONF_ERROR;
        }

        if (gs_parse_size(&s, &size) != GS_OK || size < 1024 * 1024
            || size > (uint64_t) 64 * 1024 * 1024 * 1024)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid reserve in \"%V\", allowed: 1m to "
                               "64g", &value[i]);
            return NGX_CONF_ERROR;
        }

        amcf->reserve = (off_t) size;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_govsvc_audit_amount(const gs_str_t *text,
    ngx_http_govsvc_audit_amount_t *amount)
{
    gs_str_t  s;

    s = *text;

    if (s.len != 0 && s.data[s.len - 1] == '%') {
        s.len--;

        return (gs_parse_u64(&s, &amount->percent) == GS_OK
                && amount->percent >= 1 && amount->percent <= 99)
               ? NGX_OK : NGX_ERROR;
    }

    return (gs_parse_size(&s, &amount->bytes) == GS_OK && amount->bytes != 0)
           ? NGX_OK : NGX_ERROR;
}


char *
ngx_http_govsvc_audit_coalesce_deny(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_govsvc_audit_main_conf_t *amcf = conf;

    gs_str_t     s;
    uint64_t     n;
    ngx_str_t   *value;
    ngx_uint_t   i;

    static const char *const  names[] = { "rate=", "window=", NULL };

    if (amcf->deny_rate != 0) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "rate=", 5) == 0) {
            s = gs_str_make(value[i].data + 5, value[i].len - 5);

            if (gs_parse_u64(&s, &n) != GS_OK || n < 1 || n > 1000000) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid rate in \"%V\", allowed: 1 to "
                                   "1000000 a window", &value[i]);
                return NGX_CONF_ERROR;
            }

            amcf->deny_rate = (ngx_uint_t) n;
            continue;
        }

        if (ngx_strncmp(value[i].data, "window=", 7) == 0) {
            s = gs_str_make(value[i].data + 7, value[i].len - 7);

            if (gs_parse_msec(&s, &n) != GS_OK || n < 100 || n > 60000) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid window in \"%V\", allowed: 100ms "
                                   "to 60s", &value[i]);
                return NGX_CONF_ERROR;
            }

            amcf->deny_window = (ngx_msec_t) n;
            continue;
        }

        return ngx_govsvc_conf_invalid(cf, "parameter", &value[i], names);
    }

    if (amcf->deny_rate == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"govsvc_audit_coalesce\" must have the parameter "
                           "\"rate=\"");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* Each second; requests read only the result. */

void
ngx_http_govsvc_audit_look(ngx_http_govsvc_audit_chain_t *chain)
{
    uint64_t                            left, all;
    ngx_uint_t                          i, level, state;
    ngx_http_govsvc_audit_main_conf_t  *amcf;

    amcf = chain->amcf;
    left = ngx_govsvc_writer_space(chain->writer, &all);

    if (!amcf->watch_space || all == 0) {
        return;
    }

    state = NGX_HTTP_GOVSVC_AUDIT_GOOD;

    for (i = 0; i < 3; i++) {
        if (ngx_http_govsvc_audit_below(&amcf->space[i], left, all)) {
            state = i + 1;
        }
    }

    /* the reserve would end the want that it was made for */

    if (chain->state == NGX_HTTP_GOVSVC_AUDIT_READ_ONLY
        && ngx_http_govsvc_audit_below(&amcf->space[2],
                                       left - ngx_min(left,
                                             (uint64_t) amcf->reserve), all))
    {
        state = NGX_HTTP_GOVSVC_AUDIT_READ_ONLY;
    }

    if (state != chain->state) {
        level = (state > chain->state) ? NGX_LOG_CRIT : NGX_LOG_NOTICE;

        ngx_log_error(level, chain->log, 0,
                      "govsvc audit: space for records is %s, was %s, "
                      "%uL of %uL bytes are free",
                      ngx_http_govsvc_audit_states[state],
                      ngx_http_govsvc_audit_states[chain->state], left, all);
    }

    chain->state = state;

    ngx_govsvc_writer_release(chain->writer,
                              state == NGX_HTTP_GOVSVC_AUDIT_READ_ONLY);
}


static ngx_uint_t
ngx_http_govsvc_audit_below(const ngx_http_govsvc_audit_amount_t *amount,
    uint64_t left, uint64_t all)
{
    if (amount->percent != 0) {
        return left < all / 100 * amount->percent;
    }

    return left < amount->bytes;
}
