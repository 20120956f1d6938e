
/*
 * Copyright (C) govsvc authors
 *
 * The match: who wins, by which region, what is refused and why.
 */


#include <stdlib.h>

#include "route/gs_route.h"
#include "route_fixture.h"
#include "tap.h"


#define GD31  "11440100007482575H3440118009000"
#define ZJ31  "11330100007482575H3330118009000"
#define SC31  "11510100007482575H3510118009000"


typedef struct {
    request_t    r;
    const char  *want;                     /* route or reason */
    uint32_t     region;
    const char  *source;
} vector_t;


static const char  platforms[] =
    "{\"platforms\":["
    "{\"id\":\"gd\",\"region\":\"440000\"},"
    "{\"id\":\"zj\",\"region\":\"330000\"},"
    "{\"id\":\"bj\",\"region\":\"110000\"},"
    "{\"id\":\"bt\",\"region\":\"660000\"},"
    "{\"id\":\"gz\",\"region\":\"440100\"},"
    "{\"id\":\"nat\"}],"
    "\"pools\":["
    "{\"id\":\"gd\",\"platform\":\"gd\",\"host\":\"gd.gov.example\"},"
    "{\"id\":\"zj\",\"platform\":\"zj\"},{\"id\":\"bj\",\"platform\":\"bj\"},"
    "{\"id\":\"bt\",\"platform\":\"bt\"},{\"id\":\"gz\",\"platform\":\"gz\"},"
    "{\"id\":\"nat\",\"platform\":\"nat\"}],"
    "\"routes\":["
#define ROUTE(id, p, match)                                                   \
    "{\"id\":\"" id "\",\"platform\":\"" p "\",\"pool\":\"" p "\","           \
    "\"match\":{" match "}}"
    ROUTE("gd-path", "gd", "\"paths\":[\"/44/\",\"/gd/\"]") ","
    ROUTE("gd-root", "gd", "\"paths\":[\"=/gd\"]") ","
    ROUTE("gd-deep", "gd", "\"paths\":[\"/44/a/b\"]") ","
    ROUTE("gd-exact", "gd", "\"paths\":[\"=/44/a/b/\"]") ","
    ROUTE("gd-zh", "gd", "\"paths\":[\"/\xe5\x8a\x9e\xe4\xba\x8b\"]") ","
    ROUTE("zj-path", "zj", "\"paths\":[\"/33/\",\"/zj/\"]") ","
    ROUTE("zj-host", "zj", "\"hosts\":[\"zj.gov.example\","
          "\"*.zj.gov.example\"]") ","
    ROUTE("zj-tax", "zj", "\"hosts\":[\"*.tax.zj.gov.example\"]") ","
    ROUTE("zj-api", "zj", "\"hosts\":[\"www.zj.gov.example\"],"
          "\"paths\":[\"/api\"]") ","
    ROUTE("gd-region", "gd", "\"regions\":[\"44****\"]") ","
    ROUTE("gz-region", "gz", "\"regions\":[\"4401**\"]") ","
    ROUTE("bj-region", "bj", "\"regions\":[\"110000\"]") ","
    ROUTE("bt-region", "bt", "\"regions\":[\"660000\"]") ","
    ROUTE("zj-region-get", "zj", "\"regions\":[\"33****\"],"
          "\"methods\":[\"GET\",\"HEAD\"]") ","
    ROUTE("bj-item", "bj", "\"items\":[\"" GD31 "01\"]") ","
    ROUTE("nat-item", "nat", "\"items\":[\"000118009001\"]") ","
    ROUTE("gd-app", "gd", "\"paths\":[\"/ch\"],"
          "\"headers\":{\"x-channel\":[\"app\",\"mini*\"]}") ","
    ROUTE("gd-any", "gd", "\"paths\":[\"/ch\"]") ","
    ROUTE("zj-version", "zj", "\"paths\":[\"/v\"],"
          "\"headers\":{\"X-Version\":[\"2*\"]}") ","
    ROUTE("gd-claim", "gd", "\"paths\":[\"/my\"],"
          "\"claims\":{\"user_region\":[\"44*\"]}") ","
    ROUTE("nat-my", "nat", "\"paths\":[\"/my\"]") ","
    ROUTE("zj-claim", "zj", "\"paths\":[\"/only\"],"
          "\"claims\":{\"user_region\":[\"33*\"]}") ","
    ROUTE("nat-all", "nat", "\"paths\":[\"/\"],\"hosts\":"
          "[\"www.gov.example\"]") ","
    ROUTE("nat-home", "nat", "\"paths\":[\"/home\"]")
    "]}";

static const char  regions[] =
    "[{\"code\":\"440100\",\"name\":\"a\"},"
    "{\"code\":\"440103\",\"name\":\"b\"},"
    "{\"code\":\"440182\",\"alias_of\":\"440103\"},"
    "{\"code\":\"441900\",\"name\":\"c\"},"
    "{\"code\":\"429004\",\"name\":\"d\",\"parent\":\"420000\"}]";


static const vector_t  vectors[] = {

    /* paths: whole segments, exact before longest before shorter */

    { { "GET", "gw", "/44/portal/home", "", "", NULL, 0 },
      "gd-path", 440000, "path" },
    { { "GET", "gw", "/44", "", "", NULL, 0 }, "gd-path", 440000, "path" },
    { { "GET", "gw", "/44/", "", "", NULL, 0 }, "gd-path", 440000, "path" },
    { { "GET", "gw", "/441", "", "", NULL, 0 },
      "ROUTE_NOT_FOUND", 0, "" },
    { { "GET", "gw", "/gd", "", "", NULL, 0 }, "gd-root", 440000, "path" },
    { { "GET", "gw", "/gd/", "", "", NULL, 0 }, "gd-path", 440000, "path" },
    { { "GET", "gw", "/gdx", "", "", NULL, 0 }, "ROUTE_NOT_FOUND", 0, "" },
    { { "GET", "gw", "/GD/", "", "", NULL, 0 }, "ROUTE_NOT_FOUND", 0, "" },
    { { "GET", "gw", "/44/a/b", "", "", NULL, 0 },
      "gd-deep", 440000, "path" },
    { { "GET", "gw", "/44/a/b/", "", "", NULL, 0 },
      "gd-exact", 440000, "path" },
    { { "GET", "gw", "/44/a/b/c", "", "", NULL, 0 },
      "gd-deep", 440000, "path" },
    { { "GET", "gw", "/44/a/bc", "", "", NULL, 0 },
      "gd-path", 440000, "path" },
    { { "GET", "gw", "/\xe5\x8a\x9e\xe4\xba\x8b/1", "", "", NULL, 0 },
      "gd-zh", 440000, "platform" },
    { { "GET", "gw", "/home", "", "", NULL, 0 }, "nat-home", 0, "" },

    /* hosts: exact, then the longer suffix; not the bare name */

    { { "GET", "zj.gov.example", "/x", "", "", NULL, 0 },
      "zj-host", 330000, "host" },
    { { "GET", "a.zj.gov.example", "/x", "", "", NULL, 0 },
      "zj-host", 330000, "host" },
    { { "GET", "a.b.zj.gov.example", "/x", "", "", NULL, 0 },
      "zj-host", 330000, "host" },
    { { "GET", "a.tax.zj.gov.example", "/x", "", "", NULL, 0 },
      "zj-tax", 330000, "host" },
    { { "GET", "tax.zj.gov.example", "/x", "", "", NULL, 0 },
      "zj-host", 330000, "host" },
    { { "GET", "www.zj.gov.example", "/api/1", "", "", NULL, 0 },
      "zj-api", 330000, "host" },
    { { "GET", "www.zj.gov.example", "/x", "", "", NULL, 0 },
      "zj-host", 330000, "host" },
    { { "GET", "xzj.gov.example", "/x", "", "", NULL, 0 },
      "ROUTE_NOT_FOUND", 0, "" },
    { { "GET", ".zj.gov.example", "/x", "", "", NULL, 0 },
      "ROUTE_NOT_FOUND", 0, "" },
    { { "GET", "", "/x", "", "", NULL, 0 }, "ROUTE_NOT_FOUND", 0, "" },

    /* a word in the path of a platform's own host is no region */

    { { "GET", "zj.gov.example", "/js/app.js", "", "", NULL, 0 },
      "zj-host", 330000, "host" },
    { { "GET", "www.gov.example", "/js/app.js", "", "", NULL, 0 },
      "nat-all", 320000, "path" },

    /* regions by path, fallback county, city, province, aliases */

    { { "GET", "gw", "/440103/x", "", "", NULL, 0 },
      "gz-region", 440103, "path" },
    { { "GET", "gw", "/440182/x", "", "", NULL, 0 },
      "gz-region", 440103, "path" },
    { { "GET", "gw", "/440300/x", "", "", NULL, 0 },
      "gd-region", 440300, "path" },
    { { "GET", "gw", "/441900/x", "", "", NULL, 0 },
      "gd-region", 441900, "path" },
    { { "GET", "gw", "/11/x", "", "", NULL, 0 },
      "bj-region", 110000, "path" },
    { { "GET", "gw", "/beijing/x", "", "", NULL, 0 },
      "bj-region", 110000, "path" },
    { { "GET", "gw", "/bt/x", "", "", NULL, 0 },
      "bt-region", 660000, "path" },
    { { "GET", "gw", "/51/x", "", "", NULL, 0 },
      "REGION_UNKNOWN", 510000, "path" },
    { { "GET", "gw", "/99/x", "", "", NULL, 0 }, "REGION_UNKNOWN", 0, "" },
    { { "GET", "gw", "/999999/x", "", "", NULL, 0 },
      "REGION_UNKNOWN", 0, "" },
    { { "GET", "gw", "/429004/x", "", "", NULL, 0 },
      "REGION_UNKNOWN", 429004, "path" },

    /* items in arguments and in the path */

    { { "GET", "gw", "/guide", "sxbm=" GD31, "", NULL, 0 },
      "gz-region", 440100, "item" },
    { { "GET", "gw", "/guide", "a=1&taskCode=" GD31 "&b=2", "", NULL, 0 },
      "gz-region", 440100, "item" },
    { { "GET", "gw", "/guide", "itemCode=" ZJ31, "", NULL, 0 },
      "zj-region-get", 330100, "item" },
    { { "GET", "gw", "/portal/guide/" GD31, "", "", NULL, 0 },
      "gz-region", 440100, "item" },
    { { "GET", "gw", "/portal/guide/" GD31 "/x", "", "", NULL, 0 },
      "gz-region", 440100, "item" },
    { { "GET", "gw", "/33/portal/guide/" GD31, "", "", NULL, 0 },
      "zj-path", 330000, "path" },
    { { "GET", "gw", "/portal/guide/" GD31 "01", "", "", NULL, 0 },
      "bj-item", 440100, "item" },
    { { "GET", "gw", "/portal/guide/" GD31 "02", "", "", NULL, 0 },
      "gz-region", 440100, "item" },
    { { "GET", "gw", "/x", "sxbm=000118009001", "", NULL, 0 },
      "nat-item", 0, "" },
    { { "GET", "gw", "/x", "sxbm=11440100007482575H3000118009001", "",
        NULL, 0 }, "nat-item", 440100, "item" },
    { { "GET", "gw", "/x", "sxbm=" GD31 "&taskCode=" GD31, "", NULL, 0 },
      "gz-region", 440100, "item" },
    { { "GET", "gw", "/x", "sxbm=" GD31 "&itemCode=" GD31 "01", "", NULL,
        0 }, "bj-item", 440100, "item" },
    { { "GET", "gw", "/x", "%73xbm=" GD31, "", NULL, 0 },
      "gz-region", 440100, "item" },
    { { "GET", "gw", "/home", "sxbm=", "", NULL, 0 },
      "nat-home", 0, "" },
    { { "GET", "gw", "/home", "sxbmx=1&xsxbm=1&sxb=1&s=1&sxbm", "", NULL,
        0 }, "nat-home", 0, "" },

    /* malformed, contradictory, unknown: never a platform */

    { { "GET", "gw", "/44/x", "sxbm=1", "", NULL, 0 },
      "ITEM_UNKNOWN", 0, "" },
    { { "GET", "gw", "/x", "taskCode=%31%31", "", NULL, 0 },
      "ITEM_UNKNOWN", 0, "" },
    { { "GET", "gw", "/x", "sxbm=" GD31 "&taskCode=" ZJ31, "", NULL, 0 },
      "ITEM_UNKNOWN", 0, "" },
    { { "GET", "gw", "/portal/guide/index.html", "", "", NULL, 0 },
      "ITEM_UNKNOWN", 0, "" },
    { { "GET", "gw", "/portal/guide/" SC31, "", "", NULL, 0 },
      "ITEM_UNKNOWN", 510100, "item" },
    { { "GET", "gw", "/portal/guide/11100000007482575H3440118009000", "",
        "x-region=44", NULL, 0 }, "ITEM_UNKNOWN", 0, "" },
    { { "GET", "gw", "/x", "sxbm=440118009000", "", NULL, 0 },
      "ITEM_UNKNOWN", 0, "" },
    { { "GET", "gw", "/x", "sxbm=440118009000", "x-region=11", NULL, 0 },
      "bj-region", 110000, "header" },

    /* the header, then geo */

    { { "GET", "gw", "/x", "", "x-region=440103", NULL, 0 },
      "gz-region", 440103, "header" },
    { { "GET", "gw", "/x", "", "x-region=GD", NULL, 0 },
      "gd-region", 440000, "header" },
    { { "GET", "gw", "/x", "", "x-region=CN-BJ", NULL, 0 },
      "bj-region", 110000, "header" },
    { { "GET", "gw", "/x", "", "x-region=440103001002", NULL, 0 },
      "gz-region", 440103, "header" },
    { { "GET", "gw", "/x", "", "x-region=99", NULL, 110000 },
      "REGION_UNKNOWN", 0, "" },
    { { "GET", "gw", "/x", "", "x-region=junk", NULL, 110000 },
      "REGION_UNKNOWN", 0, "" },
    { { "GET", "gw", "/x", "", "x-region=51", NULL, 110000 },
      "REGION_UNKNOWN", 510000, "header" },
    { { "GET", "gw", "/x", "", "", NULL, 110105 },
      "bj-region", 110105, "geo" },
    { { "GET", "gw", "/x", "", "", NULL, 510000 },
      "ROUTE_NOT_FOUND", 510000, "geo" },
    { { "GET", "gw", "/x", "", "x-region=44", NULL, 110000 },
      "gd-region", 440000, "header" },
    { { "GET", "gw", "/44/x", "", "x-region=33", NULL, 110000 },
      "gd-path", 440000, "path" },

    /* a host for everything is named by the caller, a path is not asked */

    { { "GET", "www.gov.example", "/y", "", "", NULL, 0 },
      "nat-all", 0, "" },

    /* methods, headers */

    { { "HEAD", "gw", "/x", "", "x-region=33", NULL, 0 },
      "zj-region-get", 330000, "header" },
    { { "POST", "gw", "/x", "", "x-region=33", NULL, 0 },
      "REGION_UNKNOWN", 330000, "header" },
    { { "BREW", "gw", "/x", "", "x-region=33", NULL, 0 },
      "REGION_UNKNOWN", 330000, "header" },
    { { "GET", "gw", "/ch/1", "", "x-channel=app", NULL, 0 },
      "gd-app", 440000, "platform" },
    { { "GET", "gw", "/ch/1", "", "x-channel=APP", NULL, 0 },
      "gd-app", 440000, "platform" },
    { { "GET", "gw", "/ch/1", "", "x-channel=miniapp", NULL, 0 },
      "gd-app", 440000, "platform" },
    { { "GET", "gw", "/ch/1", "", "x-channel=pc", NULL, 0 },
      "gd-any", 440000, "platform" },
    { { "GET", "gw", "/ch/1", "", "x-channel=app;", NULL, 0 },
      "gd-any", 440000, "platform" },
    { { "GET", "gw", "/ch/1", "", "", NULL, 0 },
      "gd-any", 440000, "platform" },
    { { "GET", "gw", "/v/1", "", "x-version=2.1", NULL, 0 },
      "zj-version", 330000, "platform" },
    { { "GET", "gw", "/v/1", "", "x-version=12", NULL, 0 },
      "ROUTE_NOT_FOUND", 0, "" },

    /* claims: later, then known */

    { { "GET", "gw", "/my/1", "", "", NULL, 0 }, "nat-my", 0, "" },
    { { "GET", "gw", "/my/1", "", "", "user_region=440103", 0 },
      "gd-claim", 440000, "platform" },
    { { "GET", "gw", "/my/1", "", "", "user_region=330000", 0 },
      "nat-my", 0, "" },
    { { "GET", "gw", "/my/1", "", "", "", 0 }, "nat-my", 0, "" },
    { { "GET", "gw", "/only", "", "", NULL, 0 }, "ROUTE_LATE", 0, "" },
    { { "GET", "gw", "/only", "", "", "user_region=3301", 0 },
      "zj-claim", 330000, "platform" },
    { { "GET", "gw", "/only", "", "", "", 0 }, "ROUTE_NOT_FOUND", 0, "" },

    /* targets without a path */

    { { "OPTIONS", "gw", "*", "", "", NULL, 0 }, "ROUTE_NOT_FOUND", 0, "" },
    { { "GET", "gw", "", "", "", NULL, 0 }, "ROUTE_NOT_FOUND", 0, "" },
    { { "GET", "gw", "/", "", "", NULL, 0 }, "ROUTE_NOT_FOUND", 0, "" }
};


static gs_route_table_t *
table_of(const char *text, const char *extension)
{
    size_t             size;
    gs_err_t           err;
    gs_str_t           s, e;
    gs_route_table_t  *t;

    s = gs_str_text(text);
    e = gs_str_text((extension != NULL) ? extension : "");

    if (gs_route_compile(&gs_mem_libc, &s, (extension != NULL) ? &e : NULL,
                         &t, &size, &err) != GS_OK)
    {
        diag("%s at %s", err.text, err.pointer);
        exit(1);
    }

    return t;
}


static void
test_vectors(const gs_route_table_t *t)
{
    char               text[8192];
    size_t             i;
    gs_rc_t            rc;
    gs_buf_t           b;
    const vector_t    *v;
    gs_route_input_t   in;
    gs_route_result_t  out;

    for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        v = &vectors[i];
        input(&v->r, &in);
        rc = gs_route_match(t, &in, &out);

        is_str((rc == GS_OK) ? out.route_id
                             : gs_str_text(gs_route_reason_text(out.reason)),
               v->want, "%d: %s %s%s?%s", (int) i, v->r.method, v->r.host,
               v->r.uri, v->r.args);
        is_int(out.region, v->region, "its region");
        is_str(gs_str_text(gs_route_source_text(out.source)), v->source,
               "its source");
        ok((rc == GS_OK) == (out.reason == GS_ROUTE_MATCHED)
           && (rc == GS_OK) == (out.route != GS_ROUTE_NONE)
           && (rc == GS_OK) == (out.pool_id.len != 0), "all parts agree");

        gs_buf_init(&b, text, sizeof(text));
        ok(gs_route_explain(t, &in, &b, i & 1, 0) == rc && !b.overflow,
           "explain agrees");
    }
}


static void
test_parts(const gs_route_table_t *t)
{
    request_t          r;
    gs_route_input_t   in;
    gs_route_result_t  out;

    memset(&r, 0, sizeof(request_t));
    r.method = "GET";
    r.host = "gw";
    r.uri = "/440182/portal/guide/" GD31;
    r.args = "projectNo=44-0001&sblsh=2";
    r.headers = "x-channel=Kiosk";
    input(&r, &in);

    is_int(gs_route_match(t, &in, &out), GS_OK, "a request with everything");
    is_str(out.item.code, GD31, "item");
    is_str(out.case_no, "44-0001", "the first case number");
    is_str(out.channel, "Kiosk", "channel as sent");
    is_str(out.platform_id, "gz", "platform");
    is_int(out.region, 440103, "region, its alias resolved");
    is_int(out.region_matched, 440100, "and the region of the route");
    is_int(out.late, 0, "final");

    in.region_header = gs_str_text("x-area");
    r.uri = "/x";
    r.args = "";
    r.headers = "x-region=44,x-area=11";
    input(&r, &in);
    in.region_header = gs_str_text("x-area");

    is_int(gs_route_match(t, &in, &out), GS_OK, "another region header");
    is_str(out.platform_id, "bj", "counts instead");

    r.uri = "/my";
    r.headers = "";
    input(&r, &in);

    is_int(gs_route_match(t, &in, &out), GS_OK, "before claims are known");
    is_int(out.late, 1, "a better route may come");

    r.claims = "";
    input(&r, &in);

    is_int(gs_route_match(t, &in, &out), GS_OK, "when they are");
    is_int(out.late, 0, "nothing is left open");
}


static void
test_catch_all(void)
{
    request_t          r;
    gs_route_input_t   in;
    gs_route_result_t  out;
    gs_route_table_t  *t;

    t = table_of("{\"platforms\":[{\"id\":\"p\"}],\"pools\":[{\"id\":\"p\","
                 "\"platform\":\"p\"}],\"routes\":["
                 ROUTE("all", "p", "\"paths\":[\"/\",\"/x\"]") "]}", NULL);

    memset(&r, 0, sizeof(request_t));
    r.method = "GET";
    r.host = "gw";
    r.uri = "/portal";
    r.args = "";
    r.headers = "";
    input(&r, &in);

    is_int(gs_route_match(t, &in, &out), GS_OK,
           "a route for all takes who names nothing");

    r.uri = "/51/portal";
    input(&r, &in);
    is_int(gs_route_match(t, &in, &out), GS_DECLINED,
           "but not who names a region");
    is_int(out.reason, GS_ROUTE_REGION_UNKNOWN, "REGION_UNKNOWN");

    r.uri = "/portal/guide/" SC31;
    input(&r, &in);
    is_int(gs_route_match(t, &in, &out), GS_DECLINED, "nor an item");
    is_int(out.reason, GS_ROUTE_ITEM_UNKNOWN, "ITEM_UNKNOWN");

    r.uri = "/portal";
    r.headers = "x-region=51";
    input(&r, &in);
    is_int(gs_route_match(t, &in, &out), GS_DECLINED,
           "nor a region in the header");

    r.uri = "/x/1";
    input(&r, &in);
    is_int(gs_route_match(t, &in, &out), GS_OK,
           "its other path is a name, not a default");

    gs_free(&gs_mem_libc, t);

    t = table_of("{}", NULL);
    is_int(gs_route_match(t, &in, &out), GS_DECLINED, "an empty table");
    gs_free(&gs_mem_libc, t);
}


static void
test_absurd(const gs_route_table_t *t)
{
    char               *text;
    size_t              size, i;
    gs_route_input_t    in;
    gs_route_result_t   out;

    size = 1024 * 1024;
    text = malloc(size);

    if (text == NULL) {
        return;
    }

    memset(&in, 0, sizeof(gs_route_input_t));
    in.host = gs_str_text("gw");
    in.method = gs_str_text("GET");

    memset(text, '/', size);
    in.uri = gs_str_make(text, size);
    is_int(gs_route_match(t, &in, &out), GS_DECLINED, "a million slashes");

    memset(text, '.', size);
    in.uri = gs_str_text("/x");
    in.host = gs_str_make(text, size);
    is_int(gs_route_match(t, &in, &out), GS_DECLINED, "a million dots");

    for (i = 0; i + 7 <= size; i += 7) {
        memcpy(text + i, "sxbm=&&", 7);
    }

    in.host = gs_str_text("gw");
    in.args = gs_str_make(text, i);
    is_int(gs_route_match(t, &in, &out), GS_DECLINED,
           "150,000 empty arguments");

    free(text);
}


int
main(void)
{
    gs_route_table_t  *t;

    t = table_of(platforms, regions);

    test_vectors(t);
    test_parts(t);
    test_absurd(t);
    gs_free(&gs_mem_libc, t);

    test_catch_all();

    return done_testing();
}
