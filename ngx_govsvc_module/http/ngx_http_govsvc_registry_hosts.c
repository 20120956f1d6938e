
/*
 * Copyright (C) govsvc authors
 *
 * What the names of instances were found to be, in a file of its own beside
 * the snapshot: it belongs to this node, changes with the answers of name
 * servers and has no part in the revisions of the registry.
 */


#include "http/ngx_http_govsvc_balancer_priv.h"


#define NGX_HTTP_GOVSVC_HOSTS_VERSION  1


static ngx_int_t ngx_http_govsvc_hosts_take(gs_route_doc_t *doc,
    const gs_str_t *text);
static ngx_int_t ngx_http_govsvc_hosts_write(ngx_http_govsvc_registry_t *reg,
    gs_route_doc_t *doc, ngx_log_t *log);


ngx_int_t
ngx_http_govsvc_hosts_load(ngx_http_govsvc_registry_t *reg,
    gs_route_doc_t *doc, ngx_log_t *log)
{
    uint64_t               stamp;
    ngx_int_t              rc;
    ngx_uint_t             i;
    ngx_govsvc_snapshot_t  s;

    if (reg->hosts.len == 0) {
        return NGX_DECLINED;
    }

    stamp = ngx_govsvc_snapshot_stamp(&reg->hosts);

    if (stamp == 0 || stamp == doc->hosts_stamp) {
        return NGX_DECLINED;
    }

    for (i = 0; i < NGX_GOVSVC_SNAPSHOT_KEEP; i++) {

        if (ngx_govsvc_snapshot_read(&reg->hosts, i, &s, log) != NGX_OK) {
            continue;
        }

        rc = ngx_http_govsvc_hosts_take(doc, &s.text);
        doc->hosts_revision = s.revision;
        ngx_govsvc_snapshot_free(&s);

        if (rc == NGX_OK) {
            doc->hosts_stamp = stamp;
            return NGX_OK;
        }

        ngx_log_error(NGX_LOG_CRIT, log, 0,
                      "govsvc hosts: generation %ui of \"%V\" is no list of "
                      "addresses", i, &reg->hosts);
    }

    return NGX_DECLINED;
}


/* Only its shape: what it says is judged anew, and by the compiler. */

static ngx_int_t
ngx_http_govsvc_hosts_take(gs_route_doc_t *doc, const gs_str_t *text)
{
    json_t  *root, *hosts;

    root = json_loadb((const char *) text->data, text->len,
                      JSON_REJECT_DUPLICATES, NULL);
    hosts = json_object_get(root, "hosts");

    if (!json_is_object(hosts)
        || json_integer_value(json_object_get(root, "version"))
           != NGX_HTTP_GOVSVC_HOSTS_VERSION)
    {
        json_decref(root);
        return NGX_ERROR;
    }

    json_decref(doc->hosts);
    doc->hosts = json_incref(hosts);
    json_decref(root);

    return NGX_OK;
}


gs_rc_t
ngx_http_govsvc_hosts_store(ngx_http_govsvc_registry_t *reg,
    gs_route_doc_t *doc, ngx_uint_t write, gs_err_t *err, ngx_log_t *log)
{
    size_t             size;
    gs_rc_t            rc;
    gs_route_table_t  *table;

    if (ngx_http_govsvc_registry_settle(reg, &gs_mem_libc, doc, &table, &size,
                                        log)
        != NGX_OK)
    {
        return gs_err(err, "the addresses do not fit the objects");
    }

    rc = ngx_http_govsvc_registry_fits(reg, table, size, err);

    if (rc == GS_OK && write
        && ngx_http_govsvc_hosts_write(reg, doc, log) != NGX_OK)
    {
        rc = gs_err(err, "the addresses cannot be written");
    }

    /* who is killed here leaves work for the next one that looks names up */

    if (rc == GS_OK) {
        rc = ngx_http_govsvc_registry_publish(
                 ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                             ngx_http_govsvc_balancer_module),
                 table, size);
    }

    gs_free(&gs_mem_libc, table);

    return rc;
}


static ngx_int_t
ngx_http_govsvc_hosts_write(ngx_http_govsvc_registry_t *reg,
    gs_route_doc_t *doc, ngx_log_t *log)
{
    char       *text;
    json_t     *root;
    gs_str_t    s;
    ngx_int_t   rc;

    root = json_pack("{s:i, s:O}", "version", NGX_HTTP_GOVSVC_HOSTS_VERSION,
                     "hosts", doc->hosts);
    text = (root != NULL) ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);

    if (text == NULL) {
        return NGX_ERROR;
    }

    s = gs_str_text(text);
    rc = ngx_govsvc_snapshot_write(&reg->hosts, doc->hosts_revision + 1, &s,
                                   log);
    free(text);

    if (rc == NGX_OK) {
        doc->hosts_revision++;
        doc->hosts_stamp = ngx_govsvc_snapshot_stamp(&reg->hosts);
    }

    return rc;
}
