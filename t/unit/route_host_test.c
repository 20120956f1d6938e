
/*
 * Copyright (C) govsvc authors
 *
 * Instances with a name: the addresses that were found become peers, what a
 * name server says never makes a table impossible.
 */


#include "route/gs_route_doc.h"
#include "tap.h"

#include <stdio.h>
#include <string.h>


#define DOCUMENT                                                             \
    "{\"platforms\":[{\"id\":\"gd\"}],"                                       \
    "\"pools\":[{\"id\":\"w\",\"platform\":\"gd\"}],"                          \
    "\"instances\":["                                                        \
    "{\"id\":\"n\",\"pool\":\"w\",\"address\":\"a.gd.example\",\"port\":80,"   \
    "\"weight\":%u},"                                                        \
    "{\"id\":\"m\",\"pool\":\"w\",\"address\":\"b.gd.example:81\"},"           \
    "{\"id\":\"l\",\"pool\":\"w\",\"address\":\"10.44.0.9\",\"port\":80}]"     \
    "%s}"

#define UP(a)      "{\"address\":\"" a "\",\"state\":\"up\"}"
#define PROVING(a) "{\"address\":\"" a "\",\"state\":\"proving\"}"

#define HOST(id, name, port, list)                                           \
    "\"" id "\":{\"name\":\"" name "\",\"port\":" port ",\"addresses\":["      \
    list "]}"


static gs_route_table_t *
compile(gs_mem_t *mem, unsigned weight, const char *resolved)
{
    char               text[65536];
    size_t             size;
    json_t            *root;
    gs_rc_t            rc;
    gs_err_t           err;
    gs_route_table_t  *t;

    (void) snprintf(text, sizeof(text), DOCUMENT, weight, resolved);

    root = json_loads(text, 0, NULL);

    if (root == NULL) {
        diag("%s", text);
        return NULL;
    }

    t = NULL;
    rc = gs_route_compile_root(mem, root, NULL, &t, &size, &err);
    json_decref(root);

    if (rc != GS_OK) {
        diag("%s at %s", err.text, err.pointer);
        return NULL;
    }

    return t;
}


/* "id name weight, ..." of the whole table */

static void
check(const char *what, unsigned weight, const char *resolved,
    const char *want)
{
    char                        out[4096];
    size_t                      len;
    uint32_t                    i;
    gs_str_t                    id, name;
    gs_route_table_t           *t;
    const gs_route_instance_t  *p;

    t = compile(&gs_mem_libc, weight, resolved);
    len = 0;
    out[0] = '\0';

    for (i = 0; t != NULL && i < gs_route_instances(t); i++) {
        p = gs_route_instance(t, i);
        id = gs_route_str(t, p->id);
        name = gs_route_str(t, p->name);

        len += (size_t) snprintf(out + len, sizeof(out) - len,
                                 "%s%.*s %.*s %u", i != 0 ? ", " : "",
                                 (int) id.len, (char *) id.data,
                                 (int) name.len, (char *) name.data,
                                 (unsigned) p->weight);
    }

    is_str(gs_str_text(out), want, "%s", what);
    ok(t != NULL && gs_route_table(t, gs_route_size(t)) == t, "%s: whole",
       what);

    gs_free(&gs_mem_libc, t);
}


static void
test_text(void)
{
    char               text[2048];
    size_t             size;
    gs_err_t           err;
    gs_str_t           s;
    gs_route_table_t  *t;

    (void) snprintf(text, sizeof(text), DOCUMENT, 1u, ",\"resolved\":{}");
    s = gs_str_text(text);

    ok(gs_route_compile(&gs_mem_libc, &s, NULL, &t, &size, &err) != GS_OK
       && strstr(err.text, "unknown member \"resolved\"") != NULL,
       "no file tells what a name was found to be");
}


/* Each instance has its share, however many addresses it has. */

static void
test_shares(void)
{
    unsigned                    i, n, m;
    gs_str_t                    id;
    gs_route_pick_t             pick;
    gs_route_table_t           *t;
    const gs_route_pool_t      *pool;
    const gs_route_instance_t  *p;

    t = compile(&gs_mem_libc, 1,
                ",\"resolved\":{" HOST("n", "a.gd.example", "80",
                UP("10.44.0.1") "," UP("10.44.0.2") "," UP("10.44.0.3")) ","
                HOST("m", "b.gd.example", "81", UP("10.44.0.4") ","
                UP("10.44.0.5")) "}");

    memset(&pick, 0, sizeof(gs_route_pick_t));
    pool = gs_route_pool(t, 0);
    n = 0;
    m = 0;

    for (i = 0; i < 1800; i++) {
        p = gs_route_pick_wrr(t, pool, i, &pick);
        id = gs_route_str(t, p->id);
        n += id.data[0] == 'n';
        m += id.data[0] == 'm';
    }

    is_int(n, 600, "a third to the three addresses of one");
    is_int(m, 600, "a third to the two of another");

    gs_free(&gs_mem_libc, t);
}


static void
test_many(void)
{
    char               *text, *p;
    unsigned            i;
    gs_route_table_t   *t;

    text = gs_alloc(&gs_mem_libc, 65536);
    p = text + sprintf(text, ",\"resolved\":{\"n\":{\"name\":"
                       "\"a.gd.example\",\"port\":80,\"addresses\":[");

    for (i = 0; i < 1100; i++) {
        p += sprintf(p, "%s" UP("10.45.%u.%u"), i != 0 ? "," : "", i / 250,
                     i % 250 + 1);
    }

    memcpy(p, "]}}", 4);

    t = compile(&gs_mem_libc, 1, text);
    ok(t != NULL, "more addresses than a pool takes");
    is_int(t != NULL ? gs_route_instances(t) : 0, 1024,
           "are cut, the one with a number stays");

    gs_free(&gs_mem_libc, t);
    gs_free(&gs_mem_libc, text);
}


static void
test_memory(void)
{
    unsigned           n;
    gs_mem_t          *mem;
    gs_route_table_t  *t;

    for (n = 1; ; n++) {
        mem = tap_mem_fail(n);
        t = compile(mem, 1, ",\"resolved\":{" HOST("n", "a.gd.example", "80",
                    UP("10.44.0.1") "," UP("10.44.0.2")) "}");

        if (!tap_mem_failed()) {
            break;
        }

        if (t != NULL || tap_mem_live() != 0) {
            break;
        }
    }

    ok(n > 3 && t != NULL, "each of %u allocations may fail", n - 1);
    gs_free(mem, t);
}


int
main(void)
{
    check("nothing known", 1, "", "l 10.44.0.9:80 1");

    check("one address", 1,
          ",\"resolved\":{" HOST("n", "a.gd.example", "80", UP("10.44.0.1"))
          "}", "l 10.44.0.9:80 1, n@10.44.0.1 10.44.0.1:80 1");

    check("two of weight one", 1,
          ",\"resolved\":{" HOST("n", "a.gd.example", "80",
          UP("10.44.0.1") "," UP("2001:da8::1")) "}",
          "l 10.44.0.9:80 2, n@10.44.0.1 10.44.0.1:80 1, "
          "n@2001:da8::1 [2001:da8::1]:80 1");

    check("those that are not up", 1,
          ",\"resolved\":{" HOST("n", "a.gd.example", "80",
          PROVING("10.44.0.1") "," UP("10.44.0.2")) "}",
          "l 10.44.0.9:80 1, n@10.44.0.2 10.44.0.2:80 1");

    check("of another name", 1,
          ",\"resolved\":{" HOST("n", "x.gd.example", "80", UP("10.44.0.1"))
          "}", "l 10.44.0.9:80 1");

    check("of another port", 1,
          ",\"resolved\":{" HOST("m", "b.gd.example", "80", UP("10.44.0.1"))
          "}", "l 10.44.0.9:80 1");

    check("the port behind the name", 1,
          ",\"resolved\":{" HOST("m", "b.gd.example", "81", UP("10.44.0.1"))
          "}", "l 10.44.0.9:80 1, m@10.44.0.1 10.44.0.1:81 1");

    check("an address that stands there already", 1,
          ",\"resolved\":{" HOST("n", "a.gd.example", "80", UP("10.44.0.9"))
          "}", "l 10.44.0.9:80 1");

    check("the same twice", 1,
          ",\"resolved\":{" HOST("n", "a.gd.example", "80",
          UP("10.44.0.1") "," UP("10.44.0.1")) "}",
          "l 10.44.0.9:80 1, n@10.44.0.1 10.44.0.1:80 1");

    check("what is no address", 1,
          ",\"resolved\":{" HOST("n", "a.gd.example", "80",
          UP("x") "," UP("") "," UP("224.0.0.1") ",7,null") "}",
          "l 10.44.0.9:80 1");

    check("of other shapes", 1, ",\"resolved\":{\"n\":7,\"m\":null}",
          "l 10.44.0.9:80 1");

    check("weights split", 10,
          ",\"resolved\":{" HOST("n", "a.gd.example", "80",
          UP("10.44.0.1") "," UP("10.44.0.2") "," UP("10.44.0.3")) "}",
          "l 10.44.0.9:80 3, n@10.44.0.1 10.44.0.1:80 10, "
          "n@10.44.0.2 10.44.0.2:80 10, n@10.44.0.3 10.44.0.3:80 10");

    test_text();
    test_shares();
    test_many();
    test_memory();

    return done_testing();
}
