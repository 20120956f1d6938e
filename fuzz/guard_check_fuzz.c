
/*
 * Copyright (C) govsvc authors
 *
 * Requests of any bytes against a fixed set of rules.
 */


#include "guard/gs_guard.h"

#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_open(void);


static gs_guard_t          *fuzz_guard;
static gs_guard_scratch_t  *fuzz_scratch;


static const char  fuzz_rules[] =
    "rule 1000 a { match path|args|arg_names|query|uri|header:* lit union '../'"
    " <script ${jndi: %2e; match same pcre '(?i)[a-z]+(?:select|script)';"
    " block; }\n"
    "rule 1001 b { match method !eq GET; match path prefix /a/; block; }\n"
    "rule 1002 c { match header:cookie|header:user-agent suffix x; log; }\n"
    "rule 1003 d { match args flag nul bad-utf8 control; log; }\n"
    "rule 1004 e { match args pcre '^(?:a+)+$'; block; }\n"
    "rule 1005 f { match header:host !pcre .; match args eq 1; block; }\n"
    "rule 1006 g { match inputs|headers|segments|files.type|files.head"
    " view=raw,url,lower,deep,sqlc,sh,path,b64 lit union then select <!--;"
    " score x 3; }\n"
    "rule 1007 h { match inputs|path view=deep,sqlc sqli; score x 2; }\n"
    "rule 1008 i { match inputs|path view=deep xss; score y 2; }\n"
    "rule 1009 j { match body|inputs flag over-limit json-error xml-entity"
    " multipart-error double-encoded overlong utf16 bad-encoding; log; }\n"
    "rule 1010 k { match json:a[*].b|json:*.c|cookie:d|arg:e eq 1 2; log; }\n"
    "rule 1011 l { match status >= 500; match resp_header:x length > 3;"
    " block; }\n"
    "rule 1013 n { match head flag repeated foreign-host too-many; log; }\n"
    "rule 1014 o { match body flag xml-tree xml-bomb repeated; log; }\n"
    "rule 1012 m { match resp_body lit secret; log; }\n";


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_rc_t              rc;
    gs_str_t             text;
    gs_arena_t          *arena;
    gs_guard_input_t     in;
    gs_guard_verdict_t   v;

    if (fuzz_guard == NULL) {
        fuzz_open();
    }

    arena = gs_arena_create(&gs_mem_libc);
    text = gs_str_make(data, size);

    if (gs_guard_request(&in, gs_arena_mem(arena), &text, NULL) == GS_OK) {

        if (in.path.len == 0 || in.path.data[0] != '/'
            || memchr(in.path.data, '\0', in.path.len) != NULL)
        {
            abort();
        }

        rc = gs_guard_check(fuzz_guard, fuzz_scratch, &in, &v);

        if ((rc == GS_OK) != (v.action != GS_GUARD_PASS)
            || (v.action != GS_GUARD_PASS) != (v.nhits > 0)
            || (v.action == GS_GUARD_BLOCK) != (v.status != 0))
        {
            abort();
        }
    }

    gs_arena_destroy(arena);

    return 0;
}


static void
fuzz_open(void)
{
    gs_err_t           err;
    gs_mem_t          *mem;
    gs_str_t           file, text;
    gs_guard_build_t  *build;

    /* kept until the process ends */

    static gs_arena_t  *arena;

    arena = gs_arena_create(&gs_mem_libc);
    mem = gs_arena_mem(arena);
    file = gs_str_text("fuzz.rules");
    text = gs_str_text(fuzz_rules);

    build = gs_guard_build_create(mem, NULL, NULL, NULL);

    if (gs_guard_parse(build, &file, &text, &err) != GS_OK
        || gs_guard_compile(&fuzz_guard, build, &err) != GS_OK)
    {
        abort();
    }

    fuzz_scratch = gs_guard_scratch_create(fuzz_guard, mem, 128 * 1024);
}
