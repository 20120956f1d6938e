
/*
 * Copyright (C) govsvc authors
 *
 * A request of fuzzed parts, one a line: host, path, arguments, x-region,
 * x-channel, claim.  Search, judgement and explain must agree.
 */


#include <stdlib.h>

#include "route/gs_route_priv.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


typedef struct {
    gs_str_t  parts[6];
} request_t;


#define ROUTE(id, match)                                                      \
    "{\"id\":\"" id "\",\"platform\":\"p\",\"pool\":\"w\",\"match\":{"        \
    match "}}"

static const char  text[] =
    "{\"platforms\":[{\"id\":\"p\",\"region\":\"440000\"}],"
    "\"pools\":[{\"id\":\"w\",\"platform\":\"p\"}],\"routes\":["
    ROUTE("a", "\"hosts\":[\"a.b\",\"*.b\",\"*.a.b\"]") ","
    ROUTE("b", "\"paths\":[\"/44/\",\"/a/b\",\"=/a/b/c\",\"/a\"]") ","
    ROUTE("c", "\"regions\":[\"44****\",\"4401**\",\"110000\"]") ","
    ROUTE("d", "\"items\":[\"11440100007482575H3440118009000\","
          "\"440118009000\"],\"regions\":[\"44****\"]") ","
    ROUTE("e", "\"paths\":[\"/ch\"],\"headers\":{\"x-channel\":[\"ap*\"]}")
    "," ROUTE("f", "\"paths\":[\"/my\"],\"claims\":{\"r\":[\"44*\"]}") ","
    ROUTE("g", "\"paths\":[\"/\"],\"methods\":[\"GET\"]") "]}";


static gs_str_t
header(void *ctx, const gs_str_t *name)
{
    request_t *r = ctx;

    return gs_str_eq_text(name, "x-region") ? r->parts[3] : r->parts[4];
}


static gs_str_t
claim(void *ctx, const gs_str_t *name)
{
    request_t *r = ctx;

    return r->parts[5];
}


static void
judge(const gs_route_table_t *t, const gs_route_input_t *in,
    const gs_route_result_t *found)
{
    uint32_t                  i;
    gs_route_rank_t           rank;
    gs_route_result_t         out;
    gs_route_request_t        q;
    const gs_route_cond_t    *cond;
    const gs_route_record_t  *routes;

    if (gs_route_request(&q, t, in, &out) != GS_OK) {

        if (found->route != GS_ROUTE_NONE) {
            abort();
        }

        return;
    }

    routes = gs_route_section(t, GS_ROUTE_S_ROUTES, gs_route_record_t);

    for (i = 0; i < gs_route_routes(t); i++) {
        if (gs_route_judge(&q, &routes[i], &rank, &cond)
            == GS_ROUTE_TEST_OK)
        {
            if (found->route == GS_ROUTE_NONE) {
                abort();
            }

        } else if (i == found->route) {
            abort();
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                    n, len;
    gs_rc_t                   rc;
    gs_buf_t                  b;
    gs_err_t                  err;
    gs_str_t                  s;
    request_t                 r;
    const uint8_t            *end;
    gs_route_input_t          in;
    gs_route_result_t         out;
    static char               story[16384];
    static gs_route_table_t  *t;

    if (t == NULL) {
        s = gs_str_text(text);

        if (gs_route_compile(&gs_mem_libc, &s, NULL, &t, &len, &err)
            != GS_OK)
        {
            abort();
        }
    }

    memset(&r, 0, sizeof(request_t));

    for (n = 0; n < 6; n++) {
        end = (size != 0) ? memchr(data, '\n', size) : NULL;
        len = (end != NULL) ? (size_t) (end - data) : size;
        r.parts[n] = gs_str_make((len != 0) ? data : NULL, len);
        data += len;
        size -= len;

        if (size != 0) {
            data++;
            size--;
        }
    }

    memset(&in, 0, sizeof(gs_route_input_t));
    in.method = gs_str_text("GET");
    in.host = r.parts[0];
    in.uri = r.parts[1];
    in.args = r.parts[2];
    in.header = header;
    in.claim = (r.parts[5].len != 0) ? claim : NULL;
    in.ctx = &r;

    rc = gs_route_match(t, &in, &out);

    if ((rc == GS_OK) != (out.route != GS_ROUTE_NONE)) {
        abort();
    }

    judge(t, &in, &out);

    gs_buf_init(&b, story, sizeof(story));

    if (gs_route_explain(t, &in, &b, r.parts[0].len & 1, 0) != rc) {
        abort();
    }

    return 0;
}
