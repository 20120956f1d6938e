
/*
 * Copyright (C) govsvc authors
 *
 * The registry API without a server: a change stands or leaves no trace, also
 * when any one allocation fails; addresses; paths and arguments.
 */


#include <stdlib.h>

#include "admin/gs_admin.h"
#include "tap.h"


typedef struct {
    const char  *text;
    unsigned     denied;
} address_t;


typedef struct {
    const char  *path;
    const char  *args;
    unsigned     status;
} path_t;


static const char  files[] =
    "{\"platforms\":[{\"id\":\"gd\"}],"
    "\"pools\":[{\"id\":\"gw\",\"platform\":\"gd\"}],"
    "\"credentials\":[{\"id\":\"ops\",\"role\":\"system\","
    "\"apps\":[\"ops\"]}]}";

static const address_t  addresses[] = {
    { "10.0.0.1", 0 }, { "192.168.1.1", 0 }, { "172.16.0.1", 0 },
    { "100.64.0.1", 0 }, { "8.8.8.8", 0 }, { "2001:da8::1", 0 },
    { "fd00::1", 0 }, { "64:ff9b::a00:1", 0 }, { "2002:a00:1::", 0 },
    { "127.0.0.1", 1 }, { "0.0.0.0", 1 }, { "169.254.169.254", 1 },
    { "100.100.100.200", 1 }, { "224.0.0.1", 1 }, { "255.255.255.255", 1 },
    { "240.0.0.1", 1 }, { "198.18.0.1", 1 }, { "203.0.113.9", 1 },
    { "::", 1 }, { "::1", 1 }, { "fe80::1", 1 }, { "ff02::1", 1 },
    { "::ffff:127.0.0.1", 1 }, { "64:ff9b::7f00:1", 1 },
    { "2002:7f00:1::1", 1 }, { "fd00:ec2::254", 1 }, { "2001:db8::1", 1 },
    { "unix:/x", 1 }, { NULL, 0 }
};

static const path_t  paths[] = {
    { "/govsvc/v1/pools", "", 200 },
    { "/govsvc/v1/pools", "limit=1&origin=file", 200 },
    { "/govsvc/v1/pools/gw", "", 200 },
    { "/govsvc/v1/openapi.json", "", 200 },
    { "/govsvc/v1/nodes", "", 200 },
    { "/govsvc/v1/pools/gw/x", "", 405 },
    { "/govsvc/v1/pools/gw/", "", 404 },
    { "/govsvc/v1/", "", 404 },
    { "/govsvc/v1", "", 404 },
    { "/govsvc/v2/pools", "", 404 },
    { "/govsvc/v1/.", "", 404 },
    { "/govsvc/v1/pools/%67w", "", 404 },
    { "/govsvc/v1/pools", "limit=0", 400 },
    { "/govsvc/v1/pools", "limit=1001", 400 },
    { "/govsvc/v1/pools", "limit=%31", 200 },
    { "/govsvc/v1/pools", "limit=%3", 400 },
    { "/govsvc/v1/pools", "limit=%00", 400 },
    { "/govsvc/v1/pools", "=&=", 400 },
    { "/govsvc/v1/pools", "wait=later", 400 },
    { "/govsvc/v1/pools", "wait=applied&timeout=5s", 200 },
    { "/govsvc/v1/pools", "timeout=5h", 400 },
    { "/govsvc/v1/pools", "dry_run=2", 400 },
    { NULL, NULL, 0 }
};

static unsigned  left;                     /* allocations of jansson */
static unsigned  reached;


static void *
failing(size_t size)
{
    if (left != 0 && --left == 0) {
        reached = 1;
        return NULL;
    }

    return malloc(size);
}


static gs_rc_t
commit(void *ctx, const gs_route_table_t *table, size_t size, gs_err_t *err)
{
    gs_rc_t *rc = ctx;

    if (gs_route_table(table, size) == NULL) {
        return gs_err(err, "no table");
    }

    return (*rc == GS_ERROR) ? gs_err(err, "the disk is full") : *rc;
}


static uint64_t
beat(void *ctx, const char *id, uint64_t deadline)
{
    return deadline;
}


static void
make(gs_route_doc_t *doc)
{
    gs_err_t  err;
    gs_str_t  s;

    s = gs_str_text(files);

    if (gs_route_doc_init(doc) != GS_OK
        || gs_route_doc_fix(doc, &s, &err) != GS_OK)
    {
        abort();
    }
}


static unsigned
call(gs_admin_t *a, const char *method, const char *path, const char *args,
    const char *body, const char *etag)
{
    unsigned             status;
    gs_admin_reply_t     r;
    gs_admin_request_t   q;

    memset(&q, 0, sizeof(gs_admin_request_t));

    q.method = gs_str_text(method);
    q.path = gs_str_text(path);
    q.args = gs_str_text(args);
    q.body = gs_str_text(body);
    q.content_type = gs_str_text("application/json");
    q.app = gs_str_text("ops");
    q.now = 1795379770000000;

    if (etag == NULL) {
        q.if_none_match = gs_str_text("*");

    } else {
        q.if_match = gs_str_text(etag);
    }

    gs_admin_handle(a, &q, &r);
    status = r.status;
    gs_admin_reply_free(&r);

    return status;
}


static void
test_paths(gs_admin_t *a)
{
    const path_t  *p;

    for (p = paths; p->path != NULL; p++) {
        is_int(call(a, "GET", p->path, p->args, "", "\"x\""), p->status,
               "%s?%s", p->path, p->args);
    }
}


static void
test_addresses(void)
{
    gs_net_t          net;
    gs_str_t          s;
    const address_t  *p;

    for (p = addresses; p->text != NULL; p++) {
        s = gs_str_text(p->text);

        is_int(gs_net_parse(&net, &s), GS_OK, "%s is an address", p->text);
        is_int(gs_admin_address_denied(&net, NULL, 0) != NULL, p->denied,
               "%s: %s", p->text, p->denied ? "denied" : "allowed");
    }
}


static const char  one[] =
    "{\"pool\":\"gw\",\"address\":\"10.0.0.1\",\"port\":80}";


/* Every n-th allocation fails once, of jansson and of the compiler. */

static void
test_memory(gs_admin_t *a, gs_route_doc_t *doc)
{
    char      *before, *after;
    size_t     len;
    unsigned   n, status, bad;

    bad = 0;
    before = gs_route_doc_dump(doc, &len);

    for (n = 1; n < 100000; n++) {
        left = n;
        reached = 0;
        status = call(a, "PUT", "/govsvc/v1/instances/i", "", one, NULL);
        left = 0;

        if (!reached) {
            break;
        }

        after = gs_route_doc_dump(doc, &len);
        bad += status != 201 && strcmp(before, after) != 0;
        free(after);

        if (status == 201) {
            (void) call(a, "DELETE", "/govsvc/v1/instances/i", "", "",
                        "\"1.1\"");
            gs_route_doc_free(doc);
            make(doc);
        }
    }

    is_int(bad, 0, "%u allocations of jansson failed, none left a trace", n);
    is_int(status, 201, "then it is made");
    free(before);

    gs_route_doc_free(doc);
    make(doc);
    before = gs_route_doc_dump(doc, &len);

    for (n = 1; ; n++) {
        a->mem = tap_mem_fail(n);
        status = call(a, "PUT", "/govsvc/v1/instances/i", "", one, NULL);

        if (!tap_mem_failed()) {
            break;
        }

        after = gs_route_doc_dump(doc, &len);
        bad += status != 503 || strcmp(before, after) != 0;
        free(after);
    }

    is_int(bad, 0, "%u allocations of the compiler failed", n - 1);
    is_int(tap_mem_live(), 0, "nothing is left");
    a->mem = &gs_mem_libc;
    free(before);
}


static void
test_commit(gs_admin_t *a, gs_route_doc_t *doc, gs_rc_t *rc)
{
    char    *before, *after;
    size_t   len;

    gs_route_doc_free(doc);
    make(doc);
    before = gs_route_doc_dump(doc, &len);

    *rc = GS_ERROR;
    is_int(call(a, "PUT", "/govsvc/v1/instances/i", "", one, NULL), 503,
           "not stored");
    after = gs_route_doc_dump(doc, &len);
    ok(strcmp(before, after) == 0, "and not kept");
    free(after);

    is_int(call(a, "PUT", "/govsvc/v1/instances/i", "dry_run=1", one, NULL),
           200, "a dry run stores nothing");
    after = gs_route_doc_dump(doc, &len);
    ok(strcmp(before, after) == 0, "and keeps nothing");
    free(after);
    free(before);

    *rc = GS_BUSY;
    is_int(call(a, "PUT", "/govsvc/v1/instances/i", "", one, NULL), 202,
           "stored, not shown yet");
    *rc = GS_OK;
    is_int(call(a, "PUT", "/govsvc/v1/instances/j", "", one, NULL), 422,
           "the same address and port");
    is_int(doc->revision, 1, "one revision for one change");
    is_int(call(a, "DELETE", "/govsvc/v1/instances/i", "", "", "\"1.2\""),
           412, "another ETag");
    is_int(call(a, "DELETE", "/govsvc/v1/instances/i", "", "", "\"1.1\""),
           204, "the right one");
}


int
main(void)
{
    gs_rc_t          rc;
    gs_admin_t       a;
    gs_route_doc_t   doc;
    gs_admin_host_t  host;

    json_set_alloc_funcs(failing, free);

    memset(&host, 0, sizeof(gs_admin_host_t));
    memset(&a, 0, sizeof(gs_admin_t));

    rc = GS_OK;
    host.commit = commit;
    host.beat = beat;
    host.ctx = &rc;
    a.mem = &gs_mem_libc;
    a.doc = &doc;
    a.host = &host;

    make(&doc);

    test_addresses();
    test_paths(&a);
    test_memory(&a, &doc);
    test_commit(&a, &doc, &rc);

    gs_route_doc_free(&doc);

    return done_testing();
}
