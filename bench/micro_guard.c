
/*
 * Copyright (C) govsvc authors
 *
 * Costs of the rules: compiling them, and one check of a plain request of a
 * browser, of one with much in it, and of an attack.
 */


#include "core/gs_ac.h"
#include "guard/gs_guard.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>


#define BENCH_CHECKS  200000
#define BENCH_ROUNDS  5
#define BENCH_FILE    (1024 * 1024)
#define BENCH_BROWSER 9


static gs_rc_t bench_read(gs_guard_build_t *build, const char *name);
static gs_rc_t bench_open(gs_arena_t *arena, gs_guard_t **guard);
static gs_rc_t bench_next(void *cursor, gs_guard_header_t *h);
static void bench_compile(void);
static void bench_check(const gs_guard_t *guard, gs_guard_scratch_t *s,
    const char *name, const char *args, size_t nheaders);
static void bench_browser(const gs_guard_t *guard, gs_guard_scratch_t *s,
    const char *name, int fresh);
static void bench_vary(char *text, unsigned n);
static void bench_body(const gs_guard_t *guard, gs_guard_scratch_t *s);
static void bench_body_run(const gs_guard_t *guard, gs_guard_scratch_t *s,
    const char *name, const char *type, const gs_str_t *body);
static void bench_scale(unsigned nrules);
static void bench_scan(void);
static double now(void);


static const char  bench_pattern[] = "lua-free-rules/*.rules";


static const char  bench_plain[] =
    "name=%E5%BC%A0%E4%B8%89&taskCode=11440100007482575H3440118009000&page=2";

static const char  bench_attack[] =
    "id=-1%27%20union%20select%201%2Cuser%28%29%2C3--&page=2&size=20";


static const char *const  bench_headers[][2] = {
    { "Host", "portal.gov.example" },
    { "Connection", "keep-alive" },
    { "User-Agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/"
      "537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36" },
    { "Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,"
      "image/avif,image/webp,*/*;q=0.8" },
    { "Accept-Encoding", "gzip, deflate, br" },
    { "Accept-Language", "zh-CN,zh;q=0.9,en;q=0.8" },
    { "Referer", "https://portal.gov.example/44/portal/guide/"
      "11440100007482575H3440118009000" },
    { "Cookie", "JSESSIONID=5F1A3C9E7B2D4F60A1B2C3D4E5F60718; lang=zh" },
    { "Upgrade-Insecure-Requests", "1" },
    { "X-Long", NULL }
};


static char  bench_long[2048];


typedef struct {
    size_t  i;
    char    uri[256];
    char    values[BENCH_BROWSER][256];
} bench_vary_t;


static gs_rc_t bench_varied(void *data, gs_guard_header_t *h);


int
main(void)
{
    gs_arena_t          *arena;
    gs_guard_t          *guard;
    gs_guard_scratch_t  *s;

    memset(bench_long, 'e', sizeof(bench_long) - 1);

    arena = gs_arena_create(&gs_mem_libc);

    if (bench_open(arena, &guard) != GS_OK) {
        fprintf(stderr, "run me where %s are\n", bench_pattern);
        return 1;
    }

    s = gs_guard_scratch_create(guard, gs_arena_mem(arena), 128 * 1024);

    bench_compile();
    bench_scan();
    bench_check(guard, s, "guard_check_line", bench_plain, 0);
    bench_check(guard, s, "guard_check_browser", bench_plain, 9);
    bench_browser(guard, s, "guard_check_browsers", 0);
    bench_browser(guard, s, "guard_check_unknown", 1);
    bench_check(guard, s, "guard_check_2k_header", bench_plain, 10);
    bench_check(guard, s, "guard_check_attack", bench_attack, 9);
    bench_body(guard, s);

    bench_scale(50);
    bench_scale(200);
    bench_scale(1000);

    gs_guard_scratch_destroy(s);
    gs_guard_destroy(guard);
    gs_arena_destroy(arena);

    return 0;
}


static gs_rc_t
bench_open(gs_arena_t *arena, gs_guard_t **guard)
{
    size_t             i;
    glob_t             found;
    gs_err_t           err;
    gs_guard_build_t  *build;

    build = gs_guard_build_create(gs_arena_mem(arena), NULL, NULL, NULL);

    if (build == NULL || glob(bench_pattern, 0, NULL, &found) != 0) {
        return GS_ERROR;
    }

    for (i = 0; i < found.gl_pathc; i++) {
        if (bench_read(build, found.gl_pathv[i]) != GS_OK) {
            return GS_ERROR;
        }
    }

    globfree(&found);

    return gs_guard_compile(guard, build, &err);
}


static gs_rc_t
bench_read(gs_guard_build_t *build, const char *name)
{
    FILE         *f;
    size_t        n;
    gs_rc_t       rc;
    gs_err_t      err;
    gs_str_t      file, text;
    gs_uchar_t   *data;

    f = fopen(name, "rb");
    if (f == NULL) {
        return GS_ERROR;
    }

    data = malloc(BENCH_FILE);
    n = fread(data, 1, BENCH_FILE, f);
    (void) fclose(f);

    file = gs_str_text(name);
    text = gs_str_make(data, n);
    rc = gs_guard_parse(build, &file, &text, &err);

    free(data);

    return rc;
}


static void
bench_compile(void)
{
    double       start, best, spent;
    unsigned     i;
    gs_arena_t  *arena;
    gs_guard_t  *guard;

    best = 1e9;

    for (i = 0; i < BENCH_ROUNDS; i++) {
        arena = gs_arena_create(&gs_mem_libc);

        start = now();
        (void) bench_open(arena, &guard);
        spent = now() - start;

        gs_guard_destroy(guard);
        gs_arena_destroy(arena);

        if (spent < best) {
            best = spent;
        }
    }

    printf("guard_compile\t%.2f\tms\n", best * 1e3);
}


typedef struct {
    size_t  i;
    size_t  n;
} bench_cursor_t;


static gs_rc_t
bench_next(void *data, gs_guard_header_t *h)
{
    const char      *value;
    bench_cursor_t  *cursor = data;

    if (cursor->i == cursor->n) {
        return GS_DONE;
    }

    value = bench_headers[cursor->i][1];

    h->name = gs_str_text(bench_headers[cursor->i][0]);
    h->value = gs_str_text(value != NULL ? value : bench_long);
    cursor->i++;

    return GS_OK;
}


static void
bench_check(const gs_guard_t *guard, gs_guard_scratch_t *s, const char *name,
    const char *args, size_t nheaders)
{
    char                uri[512];
    double              start, best, spent;
    unsigned            round, i;
    bench_cursor_t      cursor;
    gs_guard_input_t    in;
    gs_guard_verdict_t  verdict;

    (void) snprintf(uri, sizeof(uri), "/44/portal/search?%s", args);

    memset(&in, 0, sizeof(gs_guard_input_t));

    in.method = gs_str_text("GET");
    in.uri = gs_str_text(uri);
    in.path = gs_str_text("/44/portal/search");
    in.args = gs_str_text(strchr(uri, '?') + 1);
    in.header = bench_next;
    in.cursor = &cursor;

    best = 1e9;

    for (round = 0; round < BENCH_ROUNDS; round++) {
        start = now();

        for (i = 0; i < BENCH_CHECKS; i++) {
            cursor.i = 0;
            cursor.n = nheaders;
            (void) gs_guard_check(guard, s, &in, &verdict);
        }

        spent = now() - start;

        if (spent < best) {
            best = spent;
        }
    }

    printf("%s\t%.0f\tns/op\n", name, best / BENCH_CHECKS * 1e9);
}


/*
 * As requests come: the arguments, the cookie and the referring page are new
 * each time, what browsers say of themselves is not; fresh: that is new too.
 */

static void
bench_browser(const gs_guard_t *guard, gs_guard_scratch_t *s,
    const char *name, int fresh)
{
    size_t              k;
    double              start, best, spent;
    unsigned            round, i;
    bench_vary_t        vary;
    gs_guard_input_t    in;
    gs_guard_verdict_t  verdict;

    (void) snprintf(vary.uri, sizeof(vary.uri), "/44/portal/search?%s",
                    bench_plain);

    for (k = 0; k < BENCH_BROWSER; k++) {
        (void) snprintf(vary.values[k], sizeof(vary.values[k]), "%s",
                        bench_headers[k][1]);
    }

    memset(&in, 0, sizeof(gs_guard_input_t));

    in.method = gs_str_text("GET");
    in.path = gs_str_text("/44/portal/search");
    in.header = bench_varied;
    in.cursor = &vary;

    best = 1e9;

    for (round = 0; round < BENCH_ROUNDS; round++) {
        start = now();

        for (i = 0; i < BENCH_CHECKS; i++) {
            bench_vary(vary.uri, i);

            for (k = fresh ? 0 : 6; k < (fresh ? BENCH_BROWSER : 8); k++) {
                bench_vary(vary.values[k], i);
            }

            vary.i = 0;
            in.uri = gs_str_text(vary.uri);
            in.args = gs_str_text(strchr(vary.uri, '?') + 1);
            (void) gs_guard_check(guard, s, &in, &verdict);
        }

        spent = now() - start;

        if (spent < best) {
            best = spent;
        }
    }

    printf("%s\t%.0f\tns/op\n", name, best / BENCH_CHECKS * 1e9);
}


static gs_rc_t
bench_varied(void *data, gs_guard_header_t *h)
{
    bench_vary_t  *vary = data;

    if (vary->i == BENCH_BROWSER) {
        return GS_DONE;
    }

    h->name = gs_str_text(bench_headers[vary->i][0]);
    h->value = gs_str_text(vary->values[vary->i]);
    vary->i++;

    return GS_OK;
}


/* Other digits in the place of the last ones of a text. */

static void
bench_vary(char *text, unsigned n)
{
    char  *p;

    for (p = text + strlen(text); p > text && n > 0; p--) {
        if (p[-1] >= '0' && p[-1] <= '9') {
            p[-1] = (char) ('0' + n % 10);
            n /= 10;
        }
    }
}


/* 8 KB as a service sends them: a form of an application, in Chinese. */

static void
bench_body(const gs_guard_t *guard, gs_guard_scratch_t *s)
{
    size_t         n;
    unsigned       i;
    gs_str_t       body;
    static char    text[8192 + 512];

    n = (size_t) snprintf(text, sizeof(text), "{\"rows\":[");

    for (i = 0; n < 8192 - 160; i++) {
        n += (size_t) snprintf(text + n, sizeof(text) - n,
                               "%s{\"id\":%u,\"name\":\"\xe5\xbc\xa0"
                               "\xe4\xb8\x89\",\"card\":"
                               "\"11010119900307%04u\",\"address\":"
                               "\"\xe5\xb9\xbf\xe4\xb8\x9c\xe7\x9c\x81 "
                               "No.%u, Road\","
                               "\"date\":\"2026-05-12T08:30:00\"}",
                               i == 0 ? "" : ",", 1000 + i, i, i);
    }

    n += (size_t) snprintf(text + n, sizeof(text) - n, "]}");
    body = gs_str_make(text, n);
    bench_body_run(guard, s, "guard_check_json_8k", "application/json", &body);

    n = 0;

    for (i = 0; n < 8192 - 100; i++) {
        n += (size_t) snprintf(text + n, sizeof(text) - n,
                               "%sfield%u=%%E5%%BC%%A0%%E4%%B8%%89+value+%u"
                               "%%2C+street",
                               i == 0 ? "" : "&", i, i);
    }

    body = gs_str_make(text, n);
    bench_body_run(guard, s, "guard_check_form_8k",
                   "application/x-www-form-urlencoded", &body);
}


static void
bench_body_run(const gs_guard_t *guard, gs_guard_scratch_t *s,
    const char *name, const char *type, const gs_str_t *body)
{
    double              start, best, spent;
    unsigned            round, i;
    gs_guard_input_t    in;
    gs_guard_verdict_t  verdict;

    memset(&in, 0, sizeof(gs_guard_input_t));

    in.method = gs_str_text("POST");
    in.uri = in.path = gs_str_text("/44/portal/apply");
    in.type = gs_str_text(type);
    in.body = *body;

    best = 1e9;

    for (round = 0; round < BENCH_ROUNDS; round++) {
        start = now();

        for (i = 0; i < 1000; i++) {
            gs_guard_verdict_init(&verdict);
            (void) gs_guard_run(guard, s, NULL, GS_GUARD_BODY, &in, &verdict);
        }

        spent = now() - start;

        if (spent < best) {
            best = spent;
        }
    }

    printf("%s\t%.0f\tns/op\n", name, best / 1000 * 1e9);
}


/* The cost of values that are new does not grow with the number of rules. */

static void
bench_scale(unsigned nrules)
{
    char                 name[64], *text;
    size_t               n, size;
    unsigned             i;
    gs_err_t             err;
    gs_str_t             file, rules;
    gs_arena_t          *arena;
    gs_guard_t          *guard;
    gs_guard_build_t    *build;
    gs_guard_scratch_t  *s;

    size = (size_t) nrules * 160;
    text = malloc(size);
    n = 0;

    for (i = 0; i < nrules; i++) {
        n += (size_t) snprintf(text + n, size - n,
                               "rule %u r { match inputs view=deep lit "
                               "\"<w%x%x\" \"%xz(\"; match same pcre "
                               "\"%xz\\s*[(;]\"; score a 5; }\n",
                               1000 + i, i * 2654435761u, i, i * 40503u + 77,
                               i * 40503u + 77);
    }

    arena = gs_arena_create(&gs_mem_libc);
    build = gs_guard_build_create(gs_arena_mem(arena), NULL, NULL, NULL);
    file = gs_str_text("scale");
    rules = gs_str_make(text, n);

    if (gs_guard_parse(build, &file, &rules, &err) != GS_OK
        || gs_guard_compile(&guard, build, &err) != GS_OK)
    {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }

    s = gs_guard_scratch_create(guard, gs_arena_mem(arena), 0);

    (void) snprintf(name, sizeof(name), "guard_check_%u_rules", nrules);
    bench_browser(guard, s, name, 1);

    gs_guard_scratch_destroy(s);
    gs_guard_destroy(guard);
    gs_arena_destroy(arena);
    free(text);
}


static void
bench_scan(void)
{
    double        start, best, spent;
    gs_ac_t      *ac;
    uint64_t      bits[4];
    gs_err_t      err;
    unsigned      round, i;
    gs_ac_word_t  words[200];

    static char  text[200][8];

    for (i = 0; i < 200; i++) {
        (void) snprintf(text[i], sizeof(text[i]), "%c%c%03u", 'a' + i % 26,
                        'a' + i / 26, i);
        words[i].text = gs_str_text(text[i]);
        words[i].id = i;
    }

    (void) gs_ac_compile(&ac, &gs_mem_libc, &gs_mem_libc, words, 200, &err);

    best = 1e9;
    memset(bits, 0, sizeof(bits));

    for (round = 0; round < BENCH_ROUNDS; round++) {
        start = now();

        for (i = 0; i < BENCH_CHECKS / 10; i++) {
            (void) gs_ac_scan(ac, bench_headers[2][1],
                              strlen(bench_headers[2][1]), bits);
        }

        spent = now() - start;

        if (spent < best) {
            best = spent;
        }
    }

    printf("guard_scan\t%.2f\tns/byte\n",
           best / (BENCH_CHECKS / 10) / strlen(bench_headers[2][1]) * 1e9);
    printf("guard_scan_states\t%u\tstates\n", gs_ac_states(ac));

    gs_free(&gs_mem_libc, ac);
}


static double
now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}
