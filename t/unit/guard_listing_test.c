
/*
 * Copyright (C) govsvc authors
 *
 * Texts that are whole listings, programs or commands, and injections that
 * look like them.
 */


#include "guard/gs_guard_priv.h"
#include "tap.h"

#include <stdlib.h>


static const char *const  program_yes[] = {
    "function add(a, b) { var c = a + b; return c; }",
    "if (x == null) { throw new Exception('a'); } else { return x; }",
    "for (int i = 0; i < n; i++) { System.out.println(list.get(i)); }",
    "<div v-if=\"a\">{{ b }}</div> export default { name: 'x', methods: {} }",
    "\n  public static void main(String[] args) { run(args); return; }",
    "server { listen 80; location / { return 200 'ok'; } }",
    "go test -v ./...", "docker run -d --name a b", "tar --create -f a.tar b",
    "cd a && make && make install", "./configure --prefix=/usr",
    "$user = new User(); if ($user->isset('x')) { echo 'it\\'s'; }",
    "select * from t where name = N'a' and b = 1; while x { break; }"
};


static const char *const  program_no[] = {
    "", " ", "a", "sh -c id", "bash -i", "python3 -c 'import os'",
    "/bin/sh -c id", "/usr/bin/perl -e 1", "PowerShell -enc AAAA",
    "nc -e /bin/sh a 1", "id; ls -la", "ls -la; id)", "curl -s 'a",
    "cat a && id | sh", "a && b", "' or 1=1 --",
    "}; function a() { return this; } new x(); if (1) { void 0; }",
    "function a() { return this; } new x(); if (1) { void 0; ",
    "function a() { return 'this; } new x(); if (1) { void 0; }",
    "if you return this, for which we thank you, the new one is void",
    "1; function a() { return this; } new x(); if (1) { void 0; }",
    "'; exec xp_cmdshell('return'); if (1=1) begin waitfor delay 'a' end"
};


static const char *const  listing_yes[] = {
    "SELECT a FROM b WHERE c = 'd' ORDER BY a",
    "insert into t (a)\nvalues ('(')", "with x as (select 1) select * from x",
    "Traceback (most recent call last):\n  File \"a.py\", line 1",
    "diff --git a/x b/x\n@@ -1 +1 @@", "mysql> show tables", "#!/bin/sh\nid",
    "java -jar a.jar", "kubectl get pods", "```\nrm -rf /\n```",
    "  <?xml version=\"1.0\"?>"
};


static const char *const  listing_no[] = {
    "", " ", "selection from the list", "SELECT a FROM b WHERE c = 'd",
    "SELECT a FROM b) or (1=1", "1 union select a from b", "' or 1=1 --",
    "x; java -jar a.jar", "insert coin", "update of my file"
};


static int listing(const gs_str_t *text);
static int statement_less(const gs_str_t *text);
static void check(const char *const *list, size_t n,
    int (*op)(const gs_str_t *text), int want, const char *what);


#define CHECK(list, op, want, what)                                           \
    check(list, sizeof(list) / sizeof(list[0]), op, want, what)


int
main(void)
{
    gs_str_t  text;

    CHECK(program_yes, gs_guard_program, 1, "program");
    CHECK(program_no, gs_guard_program, 0, "no program");
    CHECK(listing_yes, listing, 1, "listing");
    CHECK(listing_no, listing, 0, "no listing");

    text = gs_str_text(listing_yes[0]);
    is_int(statement_less(&text), 0, "a statement where none is looked for");

    text = gs_str_make((gs_uchar_t *) "\0function a() { return this; } new x();"
                       " if (1) { void 0; }", 58);
    is_int(gs_guard_program(&text), 0, "no program begins with a zero byte");

    return done_testing();
}


static int
listing(const gs_str_t *text)
{
    return gs_guard_listing(text, 1);
}


static int
statement_less(const gs_str_t *text)
{
    return gs_guard_listing(text, 0);
}


/*
 * Each text, and every beginning of it in memory of that size, so that a look
 * behind the end is seen.
 */

static void
check(const char *const *list, size_t n, int (*op)(const gs_str_t *text),
    int want, const char *what)
{
    size_t       i, len;
    gs_str_t     text;
    gs_uchar_t  *copy;

    for (i = 0; i < n; i++) {
        text = gs_str_text(list[i]);
        is_int(op(&text), want, "%s: %s", what, list[i]);

        for (len = 0; len < text.len; len++) {
            copy = malloc(len + (len == 0));

            if (copy == NULL) {
                ok(0, "no memory");
                return;
            }

            memcpy(copy, list[i], len);
            text.data = copy;
            text.len = len;
            (void) op(&text);
            free(copy);
            text = gs_str_text(list[i]);
        }
    }
}
