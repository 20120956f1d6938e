
/*
 * Copyright (C) govsvc authors
 *
 * platforms.json: more routes and headers than a table takes.
 */


#include <stdio.h>
#include <stdlib.h>

#include "route/gs_route.h"
#include "tap.h"


#define P   "\"platforms\":[{\"id\":\"gd\"}]"
#define W   "\"pools\":[{\"id\":\"w\",\"platform\":\"gd\"}]"


static void
test_many(void)
{
    char              *text, *p;
    size_t             size;
    unsigned           i;
    gs_err_t           err;
    gs_str_t           s;
    gs_route_table_t  *table;

    text = malloc(64 * 1024);

    if (text == NULL) {
        return;
    }

    p = text + sprintf(text, "{%s,%s,\"routes\":[", P, W);

    for (i = 0; i < 65; i++) {
        p += sprintf(p, "%s{\"id\":\"r%u\",\"platform\":\"gd\",\"pool\":"
                     "\"w\",\"match\":{\"paths\":[\"/x\"],\"headers\":"
                     "{\"x-a\":[\"%u\"]}}}", i ? "," : "", i, i);
    }

    p += sprintf(p, "]}");
    s = gs_str_make(text, (size_t) (p - text));

    is_int(gs_route_compile(&gs_mem_libc, &s, NULL, &table, &size, &err),
           GS_ERROR, "65 routes told apart by predicates alone");
    ok(strstr(err.text, "more than 64 routes") != NULL, "are too many");

    p = text + sprintf(text, "{%s,%s,\"routes\":[", P, W);

    for (i = 0; i < 33; i++) {
        p += sprintf(p, "%s{\"id\":\"r%u\",\"platform\":\"gd\",\"pool\":"
                     "\"w\",\"match\":{\"headers\":{\"x-%u\":[\"a\"]}}}",
                     i ? "," : "", i, i);
    }

    p += sprintf(p, "]}");
    s = gs_str_make(text, (size_t) (p - text));

    is_int(gs_route_compile(&gs_mem_libc, &s, NULL, &table, &size, &err),
           GS_ERROR, "33 names of headers");
    ok(strstr(err.text, "allowed: 32 names") != NULL, "are too many");

    free(text);
}


int
main(void)
{
    test_many();

    return done_testing();
}
