
/*
 * Copyright (C) govsvc authors
 *
 * One call of a province after another: "METHOD /path?arguments" LF body,
 * with LF LF between calls.  Whatever it sends, what belongs to the other
 * province stays as it is, and each answer has a status.
 */


#include <stdlib.h>

#include "admin/gs_admin.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static const char  files[] =
    "{\"platforms\":[{\"id\":\"gd\"},{\"id\":\"bj\"}],"
    "\"pools\":[{\"id\":\"gw\",\"platform\":\"gd\"},"
    "{\"id\":\"bw\",\"platform\":\"bj\"}],"
    "\"credentials\":[{\"id\":\"ops\",\"role\":\"tenant\","
    "\"platform\":\"gd\",\"apps\":[\"ops\"],\"scope\":{\"paths\":[\"/44/\"],"
    "\"networks\":[\"10.0.0.0/8\"],\"ports\":[\"1-65535\"],"
    "\"delegated\":[\"/44/\"]}}]}";

static const char  stored[] =
    "{\"version\":1,\"revision\":3,\"changes\":[],\"objects\":{"
    "\"tls_profiles\":{},\"platforms\":{},\"pools\":{},\"routes\":{},"
    "\"credentials\":{},\"check_profiles\":{},\"maintenance\":{},"
    "\"instances\":{\"b\":{\"object\":{\"id\":\"b\",\"pool\":\"bw\","
    "\"address\":\"10.1.1.1\",\"port\":80},\"gen\":1,\"rev\":1,\"by\":\"s\","
    "\"created\":1,\"updated\":1,\"status\":\"active\"},"
    "\"g\":{\"object\":{\"id\":\"g\",\"pool\":\"gw\",\"address\":"
    "\"10.1.1.2\",\"port\":80,\"lease\":{\"ttl\":\"1s\"}},\"gen\":2,"
    "\"rev\":2,\"by\":\"s\",\"created\":1,\"updated\":1,"
    "\"status\":\"active\"}}}}";


static gs_rc_t
commit(void *ctx, const gs_route_table_t *table, size_t size, gs_err_t *err)
{
    if (gs_route_table(table, size) == NULL) {
        abort();
    }

    return GS_OK;
}


static uint64_t
beat(void *ctx, const char *id, uint64_t deadline)
{
    if (deadline != 0 && id[0] == 'b' && id[1] == '\0') {
        abort();
    }

    return deadline;
}


static void
call(gs_admin_t *a, gs_str_t text)
{
    size_t               at;
    gs_str_t             line, etag;
    gs_admin_reply_t     r;
    gs_admin_request_t   q;

    memset(&q, 0, sizeof(gs_admin_request_t));

    at = gs_str_chr(&text, 0, '\n');
    line = gs_str_make(text.data, at);
    at += (at < text.len);

    q.body = gs_str_make(text.data + at, text.len - at);
    q.content_type = gs_str_text("application/json");
    q.app = gs_str_text("ops");
    q.now = 1795379770000000;

    at = gs_str_chr(&line, 0, ' ');
    q.method = gs_str_make(line.data, at);
    at += (at < line.len);

    line = gs_str_make(line.data + at, line.len - at);
    at = gs_str_chr(&line, 0, '?');
    q.path = gs_str_make(line.data, at);
    at += (at < line.len);
    q.args = gs_str_make(line.data + at, line.len - at);

    /* creates, then again with the ETag of what is there */

    q.if_none_match = gs_str_text("*");
    gs_admin_handle(a, &q, &r);

    if (r.status == 0) {
        abort();
    }

    if (r.status == 412 && r.etag[0] != '\0') {
        etag = gs_str_text(r.etag);
        q.if_none_match = gs_str_make(NULL, 0);
        q.if_match = etag;
        gs_admin_reply_free(&r);
        memset(&r, 0, sizeof(gs_admin_reply_t));

        q.if_match = gs_str_text("\"2.2\"");
        gs_admin_handle(a, &q, &r);
    }

    gs_admin_reply_free(&r);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t           i, from;
    json_t          *other;
    gs_str_t         s;
    gs_err_t         err;
    gs_admin_t       a;
    gs_route_doc_t   doc;
    gs_admin_host_t  host;

    memset(&host, 0, sizeof(gs_admin_host_t));
    memset(&a, 0, sizeof(gs_admin_t));

    host.commit = commit;
    host.beat = beat;
    a.mem = &gs_mem_libc;
    a.doc = &doc;
    a.host = &host;

    if (gs_route_doc_init(&doc) != GS_OK) {
        abort();
    }

    s = gs_str_text(files);

    if (gs_route_doc_fix(&doc, &s, &err) != GS_OK) {
        abort();
    }

    s = gs_str_text(stored);

    if (gs_route_doc_load(&doc, &s, &err) != GS_OK) {
        abort();
    }

    other = json_deep_copy(json_object_get(doc.api[GS_ROUTE_DOC_INSTANCES],
                                           "b"));

    for (i = 0, from = 0; i <= size; i++) {
        if (i == size
            || (i + 1 < size && data[i] == '\n' && data[i + 1] == '\n'))
        {
            if (i > from) {
                call(&a, gs_str_make(data + from, i - from));
            }

            from = i + 2;
            i++;
        }
    }

    if (!json_equal(other,
                    json_object_get(doc.api[GS_ROUTE_DOC_INSTANCES], "b"))
        || json_object_size(doc.api[GS_ROUTE_DOC_PLATFORMS]) != 0
        || json_object_size(doc.api[GS_ROUTE_DOC_CREDENTIALS]) != 0)
    {
        abort();
    }

    /* a snapshot is hostile too, until it is found whole */

    s = gs_str_make(data, size);
    memset(&err, 0, sizeof(gs_err_t));
    (void) gs_route_doc_load(&doc, &s, &err);

    json_decref(other);
    gs_route_doc_free(&doc);

    return 0;
}
