
/*
 * Copyright (C) govsvc authors
 *
 * Random tables and requests: the search through the index must agree with
 * the judgement of every route by itself.
 */


#include <stdio.h>

#include "route/gs_route_priv.h"
#include "route_fixture.h"
#include "tap.h"


#define GD31  "11440100007482575H3440118009000"
#define ZJ31  "11330100007482575H3330118009000"


static uint32_t
rnd(uint32_t n)
{
    static uint64_t  x = 0x2545f4914f6cdd1dull;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;

    return (uint32_t) (x >> 16) % n;
}


static const char *const  r_hosts[] = {
    "a.x", "b.a.x", "*.x", "*.a.x", "c.b.a.x"
};
static const char *const  r_paths[] = {
    "/", "/44", "/44/a", "=/44/a", "/a", "/a/b", "=/a/b/", "/a/b/c", "/gd"
};
static const char *const  r_regions[] = {
    "44****", "4401**", "440103", "110000", "330000"
};
static const char *const  r_items[] = {
    GD31, GD31 "01", "440118009000", ZJ31
};
static const char *const  r_uris[] = {
    "/", "/44", "/44/a", "/44/a/", "/a", "/a/b", "/a/b/", "/a/b/c/d", "/gd",
    "/gd/a", "/440103/z", "/11", "/portal/guide/" GD31,
    "/portal/guide/" GD31 "01", "/q", "/99/a"
};
static const char *const  r_req_hosts[] = {
    "a.x", "b.a.x", "x", "z.x", "z.a.x", "c.b.a.x", "none"
};
static const char *const  r_headers[] = {
    "", "x-region=440103", "x-region=33,x-channel=app", "x-channel=pc",
    "x-region=bad"
};

#define count(a)  ((uint32_t) (sizeof(a) / sizeof((a)[0])))


static char *
random_list(char *p, const char *name, const char *const *list, uint32_t n,
    unsigned *some)
{
    uint32_t  first, second;

    if (rnd(2) == 0) {
        return p;
    }

    first = rnd(n);
    second = rnd(n);
    p += sprintf(p, "%s\"%s\":[\"%s\"", *some ? "," : "", name, list[first]);

    if (first != second) {
        p += sprintf(p, ",\"%s\"", list[second]);
    }

    *some = 1;

    return p + sprintf(p, "]");
}


static gs_route_table_t *
random_table(unsigned routes)
{
    char              *p;
    size_t             size;
    unsigned           i, some;
    gs_err_t           err;
    gs_str_t           s;
    gs_route_table_t  *t;
    static char        text[65536];

    p = text;
    p += sprintf(p, "{\"platforms\":[{\"id\":\"p\",\"region\":\"440000\"}],"
                 "\"pools\":[{\"id\":\"p\",\"platform\":\"p\"}],"
                 "\"routes\":[");

    for (i = 0; i < routes; i++) {
        p += sprintf(p, "%s{\"id\":\"r%u\",\"platform\":\"p\",\"pool\":\"p\","
                     "\"priority\":%u,\"match\":{", i ? "," : "", i, rnd(3));
        some = 0;
        p = random_list(p, "hosts", r_hosts, count(r_hosts), &some);
        p = random_list(p, "paths", r_paths, count(r_paths), &some);
        p = random_list(p, "regions", r_regions, count(r_regions), &some);

        if (rnd(4) == 0) {
            p = random_list(p, "items", r_items, count(r_items), &some);
        }

        if (rnd(4) == 0) {
            p += sprintf(p, "%s\"methods\":[\"%s\"]", some ? "," : "",
                         rnd(2) ? "GET" : "POST");
            some = 1;
        }

        if (rnd(4) == 0) {
            p += sprintf(p, "%s\"headers\":{\"x-channel\":[\"%s\"]}",
                         some ? "," : "", rnd(2) ? "app" : "p*");
        }

        p += sprintf(p, "}}");
    }

    p += sprintf(p, "]}");
    s = gs_str_make(text, (size_t) (p - text));

    /* two regions of one list may be equal in all but spelling */

    return (gs_route_compile(&gs_mem_libc, &s, NULL, &t, &size, &err)
            == GS_OK) ? t : NULL;
}


static int
rank_cmp(const gs_route_rank_t *a, const gs_route_rank_t *b)
{
    if (a->host != b->host) {
        return (a->host > b->host) ? 1 : -1;
    }

    if (a->path != b->path) {
        return (a->path > b->path) ? 1 : -1;
    }

    if (a->item != b->item) {
        return (a->item > b->item) ? 1 : -1;
    }

    if (a->region != b->region) {
        return (a->region > b->region) ? 1 : -1;
    }

    if (a->rank != b->rank) {
        return (a->rank > b->rank) ? 1 : -1;
    }

    return (a->priority > b->priority) - (a->priority < b->priority);
}


/* The winner by judging every route; ties to the lower id. */

static uint32_t
judge_all(gs_route_request_t *q)
{
    int                       cmp;
    uint32_t                  i, best, n;
    gs_str_t                  id, best_id;
    gs_route_rank_t           rank, top;
    const gs_route_cond_t    *cond;
    const gs_route_record_t  *routes;

    routes = gs_route_section(q->table, GS_ROUTE_S_ROUTES, gs_route_record_t);
    n = gs_route_routes(q->table);
    best = GS_ROUTE_NONE;
    memset(&top, 0, sizeof(gs_route_rank_t));

    for (i = 0; i < n; i++) {

        if (gs_route_judge(q, &routes[i], &rank, &cond) != GS_ROUTE_TEST_OK) {
            continue;
        }

        cmp = (best == GS_ROUTE_NONE) ? 1 : rank_cmp(&rank, &top);

        if (cmp == 0) {
            id = gs_route_str(q->table, routes[i].id);
            best_id = gs_route_str(q->table, routes[best].id);
            cmp = -gs_str_cmp(&id, &best_id);
        }

        if (cmp > 0) {
            best = i;
            top = rank;
        }
    }

    return best;
}


static void
test_random(void)
{
    int                 agree;
    unsigned            i, j, tables, matched, asked;
    uint32_t            want;
    request_t           r;
    gs_route_input_t    in;
    gs_route_table_t   *t;
    gs_route_result_t   out;
    gs_route_request_t  q;

    agree = 1;
    tables = matched = asked = 0;

    for (i = 0; i < 400; i++) {
        t = random_table(1 + rnd(40));

        if (t == NULL) {
            continue;
        }

        tables++;

        for (j = 0; j < 200; j++) {
            memset(&r, 0, sizeof(request_t));
            r.method = rnd(2) ? "GET" : "POST";
            r.host = r_req_hosts[rnd(count(r_req_hosts))];
            r.uri = r_uris[rnd(count(r_uris))];
            r.args = rnd(4) ? "" : "sxbm=" GD31;
            r.headers = r_headers[rnd(count(r_headers))];
            r.geo = rnd(3) ? 0 : 110105;
            input(&r, &in);

            (void) gs_route_match(t, &in, &out);
            asked++;
            want = GS_ROUTE_NONE;

            if (gs_route_request(&q, t, &in, &out) == GS_OK) {
                want = judge_all(&q);
            }

            (void) gs_route_match(t, &in, &out);

            if (out.route != want) {
                agree = 0;
                diag("table %u, %s %s%s?%s, %s: %d, not %d", i, r.method,
                     r.host, r.uri, r.args, r.headers, (int) out.route,
                     (int) want);
            }

            matched += (out.route != GS_ROUTE_NONE);
        }

        gs_free(&gs_mem_libc, t);
    }

    ok(agree, "search and judgement agree on %u requests, %u of them matched",
       asked, matched);
    ok(tables > 300 && matched > asked / 4 && matched < asked,
       "over %u tables", tables);
}


int
main(void)
{
    test_random();

    return done_testing();
}
