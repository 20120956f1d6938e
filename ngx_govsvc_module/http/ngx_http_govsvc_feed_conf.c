
/*
 * Copyright (C) govsvc authors
 *
 * Feeds: what their directives have in common.
 */


#include "http/ngx_http_govsvc_feed.h"


static const char *const  ngx_http_govsvc_feed_words[] = {
    "http", "sec", "supervision", "deny.agg", "loss", "tamper", "seg.open",
    "seg.close", NULL
};


char *
ngx_http_govsvc_feed_types(ngx_conf_t *cf, ngx_http_govsvc_feed_conf_t *conf,
    ngx_str_t *value)
{
    gs_str_t    s;
    ngx_str_t   rest, word;
    ngx_uint_t  i;

    rest = *value;

    while (ngx_govsvc_conf_next(&rest, &word)) {
        s = ngx_govsvc_to_gs(&word);

        for (i = 0; ngx_http_govsvc_feed_words[i] != NULL; i++) {
            if (gs_str_eq_text(&s, ngx_http_govsvc_feed_words[i])) {
                break;
            }
        }

        if (ngx_http_govsvc_feed_words[i] == NULL
            || conf->ntypes == NGX_HTTP_GOVSVC_FEED_TYPES)
        {
            return ngx_govsvc_conf_invalid(cf, "type", &word,
                                           ngx_http_govsvc_feed_words);
        }

        conf->types[conf->ntypes++] = word;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_govsvc_feed_replay(ngx_conf_t *cf, ngx_http_govsvc_feed_conf_t *conf,
    ngx_str_t *value)
{
    gs_str_t  s;
    uint64_t  msec;

    conf->replay = 24 * 3600 * 1000;

    if (value->data == NULL) {
        return NGX_CONF_OK;
    }

    s = ngx_govsvc_to_gs(value);

    if (gs_parse_msec(&s, &msec) != GS_OK || msec < 60 * 1000
        || msec > (uint64_t) 180 * 24 * 3600 * 1000)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid replay \"%V\", allowed: 1m to 180d",
                           value);
        return NGX_CONF_ERROR;
    }

    conf->replay = (ngx_msec_t) msec;

    return NGX_CONF_OK;
}


char *
ngx_http_govsvc_feed_name(ngx_conf_t *cf, ngx_http_govsvc_feed_conf_t *conf,
    const char *kind, const ngx_str_t *where, const ngx_str_t *what)
{
    size_t      size;
    u_char     *p;
    uint32_t    crc;
    ngx_uint_t  i;

    size = where->len + what->len + 2;

    for (i = 0; i < conf->ntypes; i++) {
        size += conf->types[i].len + 1;
    }

    conf->key.data = ngx_pnalloc(cf->pool, size);
    conf->name.data = ngx_pnalloc(cf->pool, NGX_HTTP_GOVSVC_FEED_NAME);

    if (conf->key.data == NULL || conf->name.data == NULL) {
        return NGX_CONF_ERROR;
    }

    p = ngx_sprintf(conf->key.data, "%V|%V", where, what);

    for (i = 0; i < conf->ntypes; i++) {
        p = ngx_sprintf(p, ",%V", &conf->types[i]);
    }

    conf->key.len = (size_t) (p - conf->key.data);

    if (conf->key.len > GS_AUDIT_FEED_LINE - 32) {
        conf->key.len = GS_AUDIT_FEED_LINE - 32;
    }

    crc = ngx_crc32_long(conf->key.data, conf->key.len);

    conf->name.len = (size_t) (ngx_snprintf(conf->name.data,
                                            NGX_HTTP_GOVSVC_FEED_NAME,
                                            "%s-%08xD", kind, crc)
                               - conf->name.data);

    return NGX_CONF_OK;
}
