
/*
 * Copyright (C) govsvc authors
 *
 * The table of files and records together, without those that do not fit.
 */


#include "http/ngx_http_govsvc_balancer_priv.h"


#define NGX_HTTP_GOVSVC_REGISTRY_BROKEN   256    /* found by the compiler */
#define NGX_HTTP_GOVSVC_REGISTRY_TOLD     32     /* lines of the log */


static void ngx_http_govsvc_registry_left(ngx_http_govsvc_registry_t *reg,
    const gs_route_doc_t *doc, ngx_log_t *log);


/*
 * Compiles.  A record that no longer fits the files of the operator is left
 * out with those that need it, not all others with it.
 */

ngx_int_t
ngx_http_govsvc_registry_settle(ngx_http_govsvc_registry_t *reg,
    gs_mem_t *mem, gs_route_doc_t *doc, gs_route_table_t **table,
    size_t *size, ngx_log_t *log)
{
    json_t               *root;
    gs_rc_t               rc;
    gs_err_t              err;
    uint32_t              index;
    ngx_uint_t            n;
    const char           *id;
    gs_route_doc_kind_e   kind;

    for (n = 0; n < NGX_HTTP_GOVSVC_REGISTRY_BROKEN; n++) {

        root = NULL;

        if (gs_route_doc_refer(doc, 1) == GS_OK) {
            root = gs_route_doc_root(doc, 0, GS_ROUTE_DOC_KINDS, NULL,
                                     &index);
        }

        if (root == NULL) {
            return NGX_ERROR;
        }

        rc = gs_route_compile_root(mem, root,
                                   reg->regions.data != NULL ? &reg->regions
                                                             : NULL,
                                   table, size, &err);

        if (rc == GS_OK) {
            json_decref(root);
            ngx_http_govsvc_registry_left(reg, doc, log);
            return NGX_OK;
        }

        if (gs_route_doc_blamed(root, err.pointer, &kind, &id) == GS_OK) {
            rc = gs_route_doc_leave_out(doc, kind, id, err.text);
        }

        json_decref(root);

        if (rc != GS_OK) {
            break;
        }
    }

    ngx_log_error(NGX_LOG_CRIT, log, 0,
                  "govsvc registry: the snapshot and the files of the "
                  "configuration do not fit together: %s at %s", err.text,
                  err.pointer);

    return NGX_DECLINED;
}


/* Each worker looks for itself: told is what nobody has told yet. */

static void
ngx_http_govsvc_registry_left(ngx_http_govsvc_registry_t *reg,
    const gs_route_doc_t *doc, ngx_log_t *log)
{
    void        *iter;
    uint64_t     hash, told;
    unsigned     i, n, found, lines;
    const char  *id, *why;

    n = gs_route_doc_outs(doc, &found);
    hash = n;
    lines = 0;

    for (i = 0; i < GS_ROUTE_DOC_TABLE; i++) {
        for (iter = json_object_iter(doc->out[i]);
             iter != NULL;
             iter = json_object_iter_next(doc->out[i], iter))
        {
            id = json_object_iter_key(iter);
            hash = hash * 31 + ngx_crc32_long((u_char *) id, strlen(id));
        }
    }

    reg->left_out = n;
    reg->left_found = found;

    if (reg->sh != NULL) {
        __atomic_store_n(&reg->sh->left_out, n, __ATOMIC_RELEASE);
        __atomic_store_n(&reg->sh->left_found, found, __ATOMIC_RELEASE);
        told = __atomic_exchange_n(&reg->sh->left_told, hash,
                                   __ATOMIC_SEQ_CST);

        if (told == hash) {
            return;
        }
    }

    reg->left_told = hash;

    for (i = 0; i < GS_ROUTE_DOC_TABLE; i++) {
        for (iter = json_object_iter(doc->out[i]);
             iter != NULL && lines < NGX_HTTP_GOVSVC_REGISTRY_TOLD;
             iter = json_object_iter_next(doc->out[i], iter))
        {
            id = json_object_iter_key(iter);
            why = gs_route_doc_out(doc, i, id);
            lines++;

            ngx_log_error(NGX_LOG_ERR, log, 0,
                          "govsvc registry: \"%s\" of \"%s\" is left out: "
                          "%s", id, gs_route_doc_names[i], why);
        }
    }

    if (n > lines) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "govsvc registry: %ud more are left out", n - lines);
    }
}


void
ngx_http_govsvc_registry_look(ngx_http_govsvc_registry_t *reg,
    gs_route_doc_t *doc, ngx_log_t *log)
{
    size_t             size;
    gs_route_table_t  *table;

    if (ngx_http_govsvc_registry_settle(reg, &gs_mem_libc, doc, &table, &size,
                                        log)
        == NGX_OK)
    {
        gs_free(&gs_mem_libc, table);
    }
}
