
/*
 * Copyright (C) govsvc authors
 *
 * Lines about the server itself: their form, lists of files over several
 * lines, buffers that are too small.
 */


#include "audit/gs_audit_field.h"
#include "audit/gs_audit_json.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>


#define FILES  300


static void draft_is(size_t head, const char *want, const char *name);
static void test_sys(void);
static void test_step(void);
static void test_cfg(void);
static void test_parts(void);
static void test_worst(void);
static void test_small(void);
static void test_digest(void);
static void cfg_base(gs_audit_cfg_t *cfg, gs_audit_cfg_file_t *files);


static char      draft[GS_AUDIT_DRAFT_MAX];
static gs_buf_t  b;


int
main(void)
{
    test_sys();
    test_step();
    test_cfg();
    test_parts();
    test_worst();
    test_small();
    test_digest();

    return done_testing();
}


static void
draft_is(size_t head, const char *want, const char *name)
{
    char      all[GS_AUDIT_DRAFT_MAX + 1];
    gs_buf_t  text;

    gs_buf_init(&text, all, sizeof(all));
    gs_buf_put(&text, draft, head);
    gs_buf_char(&text, '|');
    gs_buf_put(&text, draft + head, gs_buf_len(&b) - head);

    is_str(gs_buf_view(&text), want, "%s", name);
}


static void
test_sys(void)
{
    size_t          head;
    gs_audit_sys_t  sys;

    memset(&sys, 0, sizeof(gs_audit_sys_t));

    sys.what = "start";
    sys.node = gs_str_text("gd-01");
    sys.name = gs_str_text("gd\"01");
    sys.epoch = 3;
    sys.g = 1000;
    sys.time = 1795324116888598ull;
    sys.mono = 81233445566ull;
    sys.version = "0.1.0";
    sys.server = "nginx/1.22.1";
    sys.alg = "sm3";
    sys.digests = 1;
    sys.former = 2;
    sys.pid = 4711;
    sys.parent = 1;
    sys.has_uid = 1;
    sys.login = 1000;
    sys.has_login = 1;
    sys.workers = 8;
    memset(sys.module, 0xff, 32);

    gs_buf_init(&b, draft, sizeof(draft));
    head = gs_audit_json_sys(&b, &sys);

    draft_is(head, "{\"v\":1,\"id\":\"gd-01.3.1000\",\"ty\":\"sys\","
             "\"st\":\"start\"|,\"g\":1000,"
             "\"t\":\"2026-11-22T13:08:36.888598+08:00\","
             "\"mono\":81233445566,\"node\":\"gd\\\"01\",\"gen\":3,\"old\":2,"
             "\"ver\":\"0.1.0\",\"server\":\"nginx/1.22.1\",\"alg\":\"sm3\","
             "\"bin\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
             "\"mod\":\"__________________________________________8\","
             "\"pid\":4711,\"ppid\":1,\"uid\":0,\"login\":1000,"
             "\"workers\":8", "a start");

    memset(&sys, 0, sizeof(gs_audit_sys_t));

    sys.what = "worker.died";
    sys.node = gs_str_text("n1");
    sys.epoch = 1;
    sys.g = 2;
    sys.time = 1795324116888598ull;
    sys.pid = 17;
    sys.has_status = 1;
    sys.why = "exited";

    gs_buf_init(&b, draft, sizeof(draft));
    head = gs_audit_json_sys(&b, &sys);

    draft_is(head, "{\"v\":1,\"id\":\"n1.1.2\",\"ty\":\"sys\","
             "\"st\":\"worker.died\"|,\"g\":2,"
             "\"t\":\"2026-11-22T13:08:36.888598+08:00\",\"mono\":0,"
             "\"gen\":1,\"pid\":17,\"exit\":0,\"why\":\"exited\"",
             "a death, what is not known left out");
}


static void
test_step(void)
{
    size_t           head;
    gs_audit_step_t  step;

    step.node = gs_str_text("n1");
    step.epoch = 1;
    step.g = 9;
    step.mono = 5;
    step.from = 1795324116888598ull;
    step.to = step.from - 3600000000ull;

    gs_buf_init(&b, draft, sizeof(draft));
    head = gs_audit_json_step(&b, &step);

    draft_is(head, "{\"v\":1,\"id\":\"n1.1.9\",\"ty\":\"clock.step\"|,"
             "\"g\":9,\"t\":\"2026-11-22T12:08:36.888598+08:00\",\"mono\":5,"
             "\"from\":\"2026-11-22T13:08:36.888598+08:00\","
             "\"to\":\"2026-11-22T12:08:36.888598+08:00\",\"us\":-3600000000",
             "a clock that was set back");
}


static void
cfg_base(gs_audit_cfg_t *cfg, gs_audit_cfg_file_t *files)
{
    memset(cfg, 0, sizeof(gs_audit_cfg_t));

    cfg->node = gs_str_text("n1");
    cfg->epoch = 2;
    cfg->g = 5;
    cfg->time = 1795324116888598ull;
    cfg->part = 1;
    cfg->alg = "sm3";
    cfg->files = files;
}


static void
test_cfg(void)
{
    size_t               head, next;
    gs_audit_cfg_t       cfg;
    gs_audit_cfg_key_t   keys[2];
    gs_audit_cfg_file_t  files[3];

    memset(files, 0, sizeof(files));

    files[0].path = gs_str_text("/etc/nginx/nginx.conf");
    files[0].len = 17;
    files[1].path = gs_str_text("/etc/nginx/key");
    files[1].secret = 1;
    files[1].changed = 1795324116888598ull;
    files[2].path = gs_str_text("/gone");
    files[2].bad = 1;

    keys[0].kid = 1;
    keys[0].from = 0;
    keys[1].kid = 2;
    keys[1].from = 1795324116888598ull;

    cfg_base(&cfg, files);
    cfg.nfiles = 3;
    cfg.keys = keys;
    cfg.nkeys = 2;
    cfg.has_former = 1;

    next = 0;
    gs_buf_init(&b, draft, sizeof(draft));
    head = gs_audit_json_cfg(&b, &cfg, &next);

    is_int((int64_t) next, 3, "all files");
    draft_is(head, "{\"v\":1,\"id\":\"n1.2.5\",\"ty\":\"cfg\"|,\"g\":5,"
             "\"t\":\"2026-11-22T13:08:36.888598+08:00\",\"gen\":2,"
             "\"part\":1,\"n\":3,\"alg\":\"sm3\","
             "\"sum\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
             "\"old\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
             "\"keys\":[{\"kid\":1},{\"kid\":2,"
             "\"from\":\"2026-11-22T13:08:36.888598+08:00\"}],"
             "\"files\":[{\"f\":\"/etc/nginx/nginx.conf\",\"len\":17,"
             "\"sm3\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"},"
             "{\"f\":\"/etc/nginx/key\",\"secret\":1,"
             "\"t\":\"2026-11-22T13:08:36.888598+08:00\"},"
             "{\"f\":\"/gone\",\"bad\":1}]", "a configuration");
}


/* Every file once, in order, in lines that are lines. */

static void
test_parts(void)
{
    char                  name[FILES][40];
    char                  text[GS_AUDIT_LINE_MAX];
    size_t                head, next, was;
    gs_buf_t              line;
    gs_str_t              d, chain_name, s;
    unsigned              i, wrong, lines;
    gs_audit_cfg_t        cfg;
    gs_audit_chain_t      chain;
    gs_audit_fields_t     f;
    gs_audit_cfg_file_t   files[FILES];

    memset(files, 0, sizeof(files));

    for (i = 0; i < FILES; i++) {
        (void) snprintf(name[i], sizeof(name[i]), "/etc/nginx/conf.d/%u", i);
        files[i].path = gs_str_text(name[i]);
    }

    if (gs_audit_chain_init(&chain, GS_AUDIT_SM3) != GS_OK) {
        exit(2);
    }

    cfg_base(&cfg, files);
    cfg.nfiles = FILES;
    chain_name = gs_str_text("n1.2.m0.17");

    wrong = 0;
    lines = 0;

    for (next = 0; next < FILES; lines++) {
        was = next;

        gs_buf_init(&b, draft, sizeof(draft));
        head = gs_audit_json_cfg(&b, &cfg, &next);
        d = gs_buf_view(&b);

        if (head == 0 || next <= was) {
            wrong++;
            break;
        }

        gs_buf_init(&line, text, sizeof(text));

        wrong += (gs_audit_json_line(&line, &chain, &chain_name, lines, &d,
                                     head) != GS_OK);

        s = gs_buf_view(&line);
        s.len--;
        wrong += (gs_audit_fields(&f, &s) != GS_OK);

        text[s.len] = '\0';
        (void) snprintf(draft, sizeof(draft), "[{\"f\":\"/etc/nginx/conf.d/"
                        "%u\"", (unsigned) was);
        wrong += (strstr(text, draft) == NULL);
    }

    is_int(wrong, 0, "lines of files");
    ok(lines > 2 && lines < 10, "as few as hold them: %u", lines);

    gs_audit_chain_free(&chain);
}


/* The longest name, of nothing but bytes that are escaped. */

static void
test_worst(void)
{
    char                 *path;
    size_t                head, next;
    gs_audit_cfg_t        cfg;
    gs_audit_cfg_file_t   files[2];

    path = malloc(4096);

    if (path == NULL) {
        exit(2);
    }

    memset(path, 1, 4096);
    memset(files, 0, sizeof(files));

    files[0].path = gs_str_make(path, 4096);
    files[1].path = files[0].path;

    cfg_base(&cfg, files);
    cfg.nfiles = 2;
    next = 0;

    gs_buf_init(&b, draft, sizeof(draft));
    head = gs_audit_json_cfg(&b, &cfg, &next);

    ok(head != 0, "the longest name fits");
    is_int((int64_t) next, 1, "alone");

    draft[gs_buf_len(&b)] = '\0';
    ok(strstr(draft, "\"cut\":4096") != NULL, "cut, as it says");

    free(path);
}


static void
test_small(void)
{
    char                 *p;
    size_t                n, full[3], next;
    unsigned              i, wrong;
    gs_audit_sys_t        sys;
    gs_audit_cfg_t        cfg;
    gs_audit_step_t       step;
    gs_audit_cfg_file_t   file;

    memset(&sys, 0, sizeof(gs_audit_sys_t));
    memset(&step, 0, sizeof(gs_audit_step_t));
    memset(&file, 0, sizeof(gs_audit_cfg_file_t));

    sys.what = "stop";
    file.path = gs_str_text("/a");
    cfg_base(&cfg, &file);
    cfg.nfiles = 1;

    gs_buf_init(&b, draft, sizeof(draft));
    (void) gs_audit_json_sys(&b, &sys);
    full[0] = gs_buf_len(&b);

    gs_buf_init(&b, draft, sizeof(draft));
    (void) gs_audit_json_step(&b, &step);
    full[1] = gs_buf_len(&b);

    next = 0;
    gs_buf_init(&b, draft, sizeof(draft));
    (void) gs_audit_json_cfg(&b, &cfg, &next);
    full[2] = gs_buf_len(&b);

    wrong = 0;

    for (i = 0; i < 3; i++) {
        for (n = 0; n <= full[i]; n++) {
            p = malloc(n + 1);

            if (p == NULL) {
                exit(2);
            }

            gs_buf_init(&b, p + 1, n);
            next = 0;

            wrong += (((i == 0 ? gs_audit_json_sys(&b, &sys)
                        : i == 1 ? gs_audit_json_step(&b, &step)
                        : gs_audit_json_cfg(&b, &cfg, &next)) == 0)
                      != (n < full[i]));
            free(p);
        }
    }

    is_int(wrong, 0, "a buffer that is too small is refused");
}


/* Any difference between two lists of files is one between their sums. */

static void
test_digest(void)
{
    unsigned              i, k, same;
    gs_uchar_t            h[6][GS_AUDIT_HASH];
    gs_audit_chain_t      chain;
    gs_audit_digest_t     d;
    gs_audit_cfg_file_t   file;

    if (gs_audit_chain_init(&chain, GS_AUDIT_SM3) != GS_OK) {
        exit(2);
    }

    for (i = 0; i < 6; i++) {
        memset(&d, 0, sizeof(d));
        memset(&file, 0, sizeof(file));

        file.path = gs_str_text(i == 1 ? "/b" : "/a");
        file.h[31] = (i == 2);
        file.secret = (i == 3 || i == 4);
        file.changed = (i == 4);
        file.bad = (i == 5);

        if (gs_audit_cfg_digest(&d, &chain, &file) != GS_OK
            || gs_audit_digest_end(&d, h[i]) != GS_OK)
        {
            exit(2);
        }

        gs_audit_digest_free(&d);
    }

    same = 0;

    for (i = 0; i < 6; i++) {
        for (k = 0; k < i; k++) {
            same += (memcmp(h[i], h[k], GS_AUDIT_HASH) == 0);
        }
    }

    is_int(same, 0, "name, bytes, age and kind make the sum");

    gs_audit_chain_free(&chain);
}
