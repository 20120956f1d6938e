
/*
 * Copyright (C) govsvc authors
 *
 * Route match: tables of 1, 1,000 and 20,000 routes, a mix of the ways in
 * which requests name their platform; compilation, picks and the check of
 * request targets beside it.
 */


#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "route/gs_route.h"


#define REQUESTS  4096
#define ROUNDS    (1u << 22)


typedef struct {
    char  host[32];
    char  uri[96];
    char  args[64];
} request_t;


static request_t          requests[REQUESTS];
static gs_route_input_t   inputs[REQUESTS];
static volatile uint32_t  sink;


static uint64_t
now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000000u + (uint64_t) ts.tv_nsec;
}


static uint32_t
rnd(void)
{
    static uint64_t  x = 88172645463325252ull;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;

    return (uint32_t) (x >> 11);
}


/*
 * Of each ten routes: six by path, two by host and path, one by item, one by
 * region (as far as there are regions).
 */

static size_t
text_of(char *p, unsigned routes)
{
    char      *start;
    unsigned   i;

    start = p;
    p += sprintf(p, "{\"platforms\":[{\"id\":\"p\",\"region\":\"440000\"}],"
                    "\"pools\":[{\"id\":\"w\",\"platform\":\"p\","
                    "\"host\":\"p.gov.example\"}],"
                    "\"instances\":[{\"id\":\"i\",\"pool\":\"w\","
                    "\"address\":\"10.0.0.1\",\"port\":80}],\"routes\":[");

    for (i = 0; i < routes; i++) {

        p += sprintf(p, "%s{\"id\":\"r%u\",\"platform\":\"p\","
                        "\"pool\":\"w\",\"match\":{",
                     i ? "," : "", i);

        if (i % 10 < 6) {
            p += sprintf(p, "\"paths\":[\"/svc%u/dept%u/item%u/\"]",
                         i % 97, i % 31, i);

        } else if (i % 10 < 8) {
            p += sprintf(p, "\"hosts\":[\"%sh%u.gov.example\"],"
                            "\"paths\":[\"/a/b%u/\"]",
                         (i & 1) ? "*." : "", i % 500, i);

        } else if (i % 10 == 8 || i >= 9000) {
            p += sprintf(p, "\"items\":[\"11440100007482575H3440%09u\"]", i);

        } else {
            p += sprintf(p, "\"regions\":[\"44%02u%02u\"]", i / 10 / 90 + 1,
                         i / 10 % 90 + 1);
        }

        p += sprintf(p, "}}");
    }

    p += sprintf(p, "]}");

    return (size_t) (p - start);
}


static void
requests_of(unsigned routes)
{
    unsigned           i, n;
    request_t         *r;
    gs_route_input_t  *in;

    for (i = 0; i < REQUESTS; i++) {
        n = rnd() % routes;
        r = &requests[i];
        in = &inputs[i];

        sprintf(r->host, "gw.gov.example");
        sprintf(r->uri, "/portal/home");
        r->args[0] = '\0';

        if (n % 10 < 6) {
            sprintf(r->uri, "/svc%u/dept%u/item%u/apply/%u", n % 97, n % 31,
                    n, rnd() % 1000);

        } else if (n % 10 < 8) {
            sprintf(r->host, "%sh%u.gov.example", (n & 1) ? "www." : "",
                    n % 500);
            sprintf(r->uri, "/a/b%u/list", n);

        } else if (n % 10 == 8 || n >= 9000) {
            sprintf(r->uri, "/portal/guide/11440100007482575H3440%09u", n);

        } else {
            sprintf(r->uri, "/44%02u%02u/home", n / 10 / 90 + 1,
                    n / 10 % 90 + 1);
        }

        if (i % 4 == 0) {
            sprintf(r->args, "page=%u&size=20&keyword=abc", rnd() % 100);
        }

        memset(in, 0, sizeof(gs_route_input_t));
        in->host = gs_str_text(r->host);
        in->method = gs_str_text("GET");
        in->uri = gs_str_text(r->uri);
        in->args = gs_str_text(r->args);
    }
}


static int
bench(unsigned routes)
{
    char               *text;
    size_t              size;
    uint64_t            start, ns;
    uint32_t            i, found;
    gs_str_t            s;
    gs_err_t            err;
    gs_route_table_t   *table;
    gs_route_result_t   out;

    text = malloc((size_t) routes * 160 + 1024);

    if (text == NULL) {
        return 1;
    }

    s = gs_str_make(text, text_of(text, routes));

    start = now();

    if (gs_route_compile(&gs_mem_libc, &s, NULL, &table, &size, &err)
        != GS_OK)
    {
        fprintf(stderr, "%s at %s\n", err.text, err.pointer);
        return 1;
    }

    ns = now() - start;
    printf("route_compile_%u\t%.2f\tms\n", routes, (double) ns / 1e6);
    printf("route_table_%u\t%zu\tbytes\n", routes, size);

    requests_of(routes);
    found = 0;

    for (i = 0; i < REQUESTS; i++) {
        found += (gs_route_match(table, &inputs[i], &out) == GS_OK);
    }

    if (found != REQUESTS) {
        fprintf(stderr, "%u of %u requests found a route\n", found, REQUESTS);
        return 1;
    }

    start = now();

    for (i = 0; i < ROUNDS; i++) {
        (void) gs_route_match(table, &inputs[i % REQUESTS], &out);
        sink += out.route;
    }

    ns = now() - start;
    printf("route_match_%u\t%.0f\tns/op\n", routes, (double) ns / ROUNDS);

    gs_free(&gs_mem_libc, table);
    free(text);

    return 0;
}


static void
bench_uri(void)
{
    size_t    at;
    uint32_t  i;
    uint64_t  start;
    gs_str_t  target;

    target = gs_str_text("/44/portal/guide/11440100007482575H3440118009000"
                         "/%E5%8A%9E%E4%BA%8B?page=1&size=20");
    start = now();

    for (i = 0; i < ROUNDS; i++) {
        sink += gs_route_uri_check(&target, &at);
    }

    printf("route_uri_check\t%.0f\tns/op\n",
           (double) (now() - start) / ROUNDS);
}


static int
bench_pick(void)
{
    char               *p, *text;
    size_t              size;
    uint32_t            i;
    uint64_t            start;
    gs_str_t            s;
    gs_err_t            err;
    gs_route_pick_t     pick;
    gs_route_table_t   *table;

    text = malloc(256 * 1024);

    if (text == NULL) {
        return 1;
    }

    p = text + sprintf(text, "{\"platforms\":[{\"id\":\"p\"}],\"pools\":["
                       "{\"id\":\"w\",\"platform\":\"p\","
                       "\"method\":\"hash:$arg_k\"}],\"instances\":[");

    for (i = 0; i < 200; i++) {
        p += sprintf(p, "%s{\"id\":\"i%u\",\"pool\":\"w\",\"address\":"
                     "\"10.0.0.%u\",\"port\":80,\"weight\":%u}", i ? "," : "",
                     i, i + 1, i % 10 + 1);
    }

    p += sprintf(p, "]}");
    s = gs_str_make(text, (size_t) (p - text));

    if (gs_route_compile(&gs_mem_libc, &s, NULL, &table, &size, &err)
        != GS_OK)
    {
        fprintf(stderr, "%s at %s\n", err.text, err.pointer);
        return 1;
    }

    memset(&pick, 0, sizeof(gs_route_pick_t));
    start = now();

    for (i = 0; i < ROUNDS; i++) {
        sink += gs_route_pick_wrr(table, gs_route_pool(table, 0), i,
                                  &pick)->index;
    }

    printf("route_pick_wrr_200\t%.1f\tns/op\n",
           (double) (now() - start) / ROUNDS);
    start = now();

    for (i = 0; i < ROUNDS; i++) {
        sink += gs_route_pick_hash(table, gs_route_pool(table, 0),
                                   i * 0x9e3779b97f4a7c15ull, &pick)->index;
    }

    printf("route_pick_hash_200\t%.1f\tns/op\n",
           (double) (now() - start) / ROUNDS);

    gs_free(&gs_mem_libc, table);
    free(text);

    return 0;
}


int
main(void)
{
    if (bench(1) != 0 || bench(1000) != 0 || bench(20000) != 0
        || bench_pick() != 0)
    {
        return 1;
    }

    bench_uri();

    return 0;
}
