
/*
 * Copyright (C) govsvc authors
 *
 * Replies of Redis: where they end, and what they say.
 */


#include <stdlib.h>

#include "tap.h"
#include "core/gs_redis.h"


static gs_rc_t scan(const char *text, size_t len, size_t step, size_t *used);
static void test_scan(void);
static void test_scan_bad(void);
static void test_errors(void);
static void test_redirect(void);
static void test_slot(void);
static void test_answers(void);
static void test_master(void);
static void test_slots(void);
static gs_rc_t slots(const char *text);


static gs_redis_slots_t  map, scratch;


static const gs_resp_limits_t  limits = { 200, 20 };


/* In steps of some bytes, each time at another address. */

static gs_rc_t
scan(const char *text, size_t len, size_t step, size_t *used)
{
    char            *copy;
    size_t           n;
    gs_rc_t          rc;
    gs_resp_scan_t   s;

    memset(&s, 0, sizeof(gs_resp_scan_t));
    rc = GS_AGAIN;

    for (n = (step < len) ? step : len; ; n = (n + step < len) ? n + step
                                                              : len)
    {
        copy = malloc(n + 1);
        if (copy == NULL) {
            return GS_BUSY;
        }

        memcpy(copy, text, n);
        rc = gs_resp_scan(&s, &limits, copy, n, used);
        free(copy);

        if (rc != GS_AGAIN || n == len) {
            return rc;
        }
    }
}


static void
test_scan(void)
{
    size_t             i, step, used, len;
    static const char *const  good[] = {
        "+OK\r\n", "-ERR no\r\n", ":-12\r\n", "$0\r\n\r\n", "$-1\r\n",
        "$4\r\na\r\nb\r\n", "*0\r\n", "*-1\r\n", "*2\r\n:1\r\n$1\r\nx\r\n",
        "*2\r\n*2\r\n:1\r\n:2\r\n*1\r\n+x\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", "+a\rb\r\n",
        "*3\r\n*0\r\n*-1\r\n$-1\r\n"
    };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        len = strlen(good[i]);

        for (step = 1; step <= len; step++) {
            used = 0;

            if (scan(good[i], len, step, &used) != GS_OK || used != len) {
                break;
            }
        }

        ok(step > len, "whole at any step: %zu", i);

        used = 0;
        ok(scan(good[i], len - 1, len, &used) == GS_AGAIN,
           "not whole without its end: %zu", i);
    }

    ok(scan("+OK\r\n+NO\r\n", 10, 10, &used) == GS_OK && used == 5,
       "the first of two");
}


static void
test_scan_bad(void)
{
    char               line[GS_RESP_LINE + 64];
    size_t             i, used, len;
    static const char *const  bad[] = {
        "HTTP/1.1", "OK\r\n", "\r\n", "+OK\n", ":1x\r\n", ":\r\n", ":+1\r\n",
        "$-2\r\n", "*-2\r\n", "$1\r\nab\r\n", "$1\r\na\nb", "$201\r\n",
        "$200\r\n", "$99999999999999999999\r\n", "*21\r\n",
        "*9223372036854775807\r\n", "*11\r\n*10\r\n", "%1\r\n", "_\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", "*1\r\nx",
        "$ 1\r\na\r\n", "$1 \r\na\r\n"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        len = strlen(bad[i]);
        ok(scan(bad[i], len, len, &used) == GS_ERROR, "refused: %zu", i);
        ok(scan(bad[i], len, 1, &used) == GS_ERROR, "byte by byte: %zu", i);
    }

    memset(line, 'x', sizeof(line));
    line[0] = '+';
    ok(scan(line, sizeof(line), sizeof(line), &used) == GS_ERROR,
       "a line without an end");

    /* many small values are as much as a large one */

    for (len = 0; len + 4 <= 204; len += 4) {
        memcpy(line + len, "$0\r\n", 4);
    }

    memcpy(line, "*20\r\n", 5);
    ok(scan(line, 204, 204, &used) == GS_ERROR, "more bytes than allowed");
}


static void
test_errors(void)
{
    size_t    i;
    gs_str_t  s;

    static const struct {
        const char        *line;
        gs_redis_error_e   error;
    } words[] = {
        { "LOADING Redis is loading", GS_REDIS_ERROR_LOADING },
        { "OOM command not allowed", GS_REDIS_ERROR_OOM },
        { "READONLY You can't", GS_REDIS_ERROR_READONLY },
        { "MISCONF Redis", GS_REDIS_ERROR_MISCONF },
        { "NOREPLICAS Not enough", GS_REDIS_ERROR_NOREPLICAS },
        { "CLUSTERDOWN", GS_REDIS_ERROR_CLUSTERDOWN },
        { "MASTERDOWN Link", GS_REDIS_ERROR_CLUSTERDOWN },
        { "TRYAGAIN Multiple", GS_REDIS_ERROR_CLUSTERDOWN },
        { "NOAUTH Authentication", GS_REDIS_ERROR_NOAUTH },
        { "WRONGPASS invalid", GS_REDIS_ERROR_NOAUTH },
        { "NOPERM this user", GS_REDIS_ERROR_NOPERM },
        { "EXECABORT", GS_REDIS_ERROR_EXECABORT },
        { "MOVED 1 a:1", GS_REDIS_ERROR_MOVED },
        { "ASK 1 a:1", GS_REDIS_ERROR_ASK },
        { "ERR OOM", GS_REDIS_ERROR_OTHER },
        { "OOMX", GS_REDIS_ERROR_OTHER },
        { "", GS_REDIS_ERROR_OTHER }
    };

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        s = gs_str_text(words[i].line);
        ok(gs_redis_error(&s) == words[i].error, "%s", words[i].line);
    }
}


static void
test_redirect(void)
{
    size_t           i;
    gs_str_t         s;
    unsigned         slot;
    gs_redis_addr_t  addr;
    static const char *const  bad[] = {
        "ERR 1 a:1", "MOVED", "MOVED 1", "MOVED x a:1", "MOVED 16384 a:1",
        "MOVED 1 a", "MOVED 1 a:", "MOVED 1 a:0", "MOVED 1 a:65536",
        "MOVED 1 a b:1", "MOVED 1 a/b:1", "MOVED -1 a:1", "MOVED  a:1"
    };

    s = gs_str_text("MOVED 3999 127.0.0.1:6381");
    ok(gs_redis_redirect(&s, &slot, &addr) == GS_OK, "MOVED");
    is_int(slot, 3999, "slot");
    is_str(addr.host, "127.0.0.1", "host");
    is_int(addr.port, 6381, "port");

    s = gs_str_text("ASK 0 ::1:6381");
    ok(gs_redis_redirect(&s, &slot, &addr) == GS_OK, "ASK");
    is_str(addr.host, "::1", "IPv6 has no brackets");

    s = gs_str_text("MOVED 1 :7000");
    ok(gs_redis_redirect(&s, &slot, &addr) == GS_OK && addr.host.len == 0,
       "the host that answered");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        s = gs_str_text(bad[i]);
        ok(gs_redis_redirect(&s, &slot, &addr) == GS_ERROR, "%s", bad[i]);
    }
}


/* The values are those of CLUSTER KEYSLOT. */

static void
test_slot(void)
{
    size_t    i;
    gs_str_t  s;

    static const struct {
        const char  *key;
        unsigned     slot;
    } keys[] = {
        { "", 0 }, { "123456789", 12739 }, { "foo", 12182 }, { "a", 15495 },
        { "{a}1", 15495 }, { "x{a}{b}", 15495 }, { "hello", 866 },
        { "foo{}{bar}", 8363 }, { "foo{{bar}}zap", 4015 },
        { "foo{bar}{zap}", 5061 }
    };

    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        s = gs_str_text(keys[i].key);
        is_int(gs_redis_slot(&s), keys[i].slot, "slot of \"%s\"",
               keys[i].key);
    }
}


static void
test_answers(void)
{
    gs_str_t  s, id;
    uint64_t  n, seq;
    unsigned  master;

    s = gs_str_text("*3\r\n$6\r\nmaster\r\n:77\r\n*0\r\n");
    ok(gs_redis_role(&s, &master, &n) == GS_OK && master && n == 77,
       "a primary");
    s = gs_str_text("*5\r\n$5\r\nslave\r\n$1\r\na\r\n:1\r\n+x\r\n:2\r\n");
    ok(gs_redis_role(&s, &master, &n) == GS_OK && !master, "a replica");
    s = gs_str_text("*1\r\n$6\r\nmaster\r\n");
    ok(gs_redis_role(&s, &master, &n) == GS_ERROR, "a primary without more");
    s = gs_str_text("-NOAUTH x\r\n");
    ok(gs_redis_role(&s, &master, &n) == GS_ERROR, "an error");

    s = gs_str_text("*2\r\n$10\r\n1700000000\r\n$6\r\n123456\r\n");
    ok(gs_redis_time(&s, &n) == GS_OK && n == 1700000000123456ULL, "TIME");
    s = gs_str_text("*2\r\n$10\r\n1700000000\r\n$7\r\n1000000\r\n");
    ok(gs_redis_time(&s, &n) == GS_ERROR, "a second has no more");
    s = gs_str_text("*2\r\n$20\r\n18446744073709551615\r\n$1\r\n0\r\n");
    ok(gs_redis_time(&s, &n) == GS_ERROR, "no overflow");

    s = gs_str_text("$27\r\n# Server\r\nrun_id:abcd\r\nx:1\r\n\r\n");
    ok(gs_redis_run_id(&s, &id) == GS_OK, "INFO");
    is_str(id, "abcd", "run_id");
    s = gs_str_text("$4\r\na:1\n\r\n");
    ok(gs_redis_run_id(&s, &id) == GS_ERROR, "no run_id");

    s = gs_str_text("1700-3");
    ok(gs_redis_id(&s, &n, &seq) == GS_OK && n == 1700 && seq == 3, "an id");
    s = gs_str_text("5");
    ok(gs_redis_id(&s, &n, &seq) == GS_OK && n == 5 && seq == 0, "short");
    s = gs_str_text("5-");
    ok(gs_redis_id(&s, &n, &seq) == GS_ERROR, "cut");
    s = gs_str_text("$");
    ok(gs_redis_id(&s, &n, &seq) == GS_ERROR, "none");
}


static void
test_master(void)
{
    gs_str_t         s;
    gs_redis_addr_t  addr;

    s = gs_str_text("*2\r\n$9\r\n127.0.0.1\r\n$4\r\n6380\r\n");
    ok(gs_redis_master_addr(&s, &addr) == GS_OK && addr.port == 6380,
       "an address");
    is_str(addr.host, "127.0.0.1", "of a primary");
    s = gs_str_text("*-1\r\n");
    ok(gs_redis_master_addr(&s, &addr) == GS_DECLINED, "unknown");
    s = gs_str_text("*2\r\n$0\r\n\r\n$4\r\n6380\r\n");
    ok(gs_redis_master_addr(&s, &addr) == GS_ERROR, "no host");
    s = gs_str_text("*2\r\n$3\r\na b\r\n$4\r\n6380\r\n");
    ok(gs_redis_master_addr(&s, &addr) == GS_ERROR, "a blank in it");
    s = gs_str_text("*2\r\n$1\r\na\r\n$5\r\n65536\r\n");
    ok(gs_redis_master_addr(&s, &addr) == GS_ERROR, "no such port");
    s = gs_str_text("-ERR x\r\n");
    ok(gs_redis_master_addr(&s, &addr) == GS_ERROR, "an error");
}


static gs_rc_t
slots(const char *text)
{
    gs_str_t  s, self;

    s = gs_str_text(text);
    self = gs_str_text("10.0.0.9");

    return gs_redis_slots(&s, &self, &map, &scratch);
}


static void
test_slots(void)
{
    size_t             i;
    static const char *const  bad[] = {
        "*-1\r\n", "*0\r\n", "-ERR\r\n",
        "*1\r\n*2\r\n:0\r\n:1\r\n",
        "*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\na\r\n:1\r\n",
        "*1\r\n*3\r\n:5\r\n:4\r\n*2\r\n$1\r\na\r\n:1\r\n",
        "*1\r\n*3\r\n:-1\r\n:4\r\n*2\r\n$1\r\na\r\n:1\r\n",
        "*1\r\n*3\r\n:0\r\n:4\r\n*2\r\n$1\r\na\r\n:0\r\n",
        "*1\r\n*3\r\n:0\r\n:4\r\n*1\r\n$1\r\na\r\n",
        "*1\r\n*3\r\n:0\r\n:4\r\n:1\r\n",
        "*2\r\n*3\r\n:0\r\n:4\r\n*2\r\n$1\r\na\r\n:1\r\n",
        ("*2\r\n*3\r\n:0\r\n:4\r\n*2\r\n$1\r\na\r\n:1\r\n"
         "*3\r\n:4\r\n:8\r\n*2\r\n$1\r\nb\r\n:1\r\n")
    };

    ok(slots("*2\r\n"
             "*4\r\n:0\r\n:8191\r\n"
             "*4\r\n$8\r\n10.0.0.1\r\n:6379\r\n$2\r\nid\r\n*0\r\n"
             "*3\r\n$8\r\n10.0.0.2\r\n:6379\r\n$2\r\nid\r\n"
             "*3\r\n:8192\r\n:16000\r\n*3\r\n$0\r\n\r\n:6380\r\n$1\r\nx\r\n")
       == GS_OK, "two nodes");
    is_int(map.n, 2, "are two");
    is_int(map.owner[0], 0, "the first slot");
    is_int(map.owner[8191], 0, "the last of the first");
    is_int(map.owner[8192], 1, "the first of the second");
    is_int(map.owner[16001], GS_REDIS_NODES, "a slot of nobody");
    ok(strcmp(map.nodes[0].host, "10.0.0.1") == 0, "the first host");
    ok(strcmp(map.nodes[1].host, "10.0.0.9") == 0, "the host that answered");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ok(slots(bad[i]) == GS_ERROR, "refused: %zu", i);
        is_int(map.n, 2, "and the map is as it was: %zu", i);
    }
}


int
main(void)
{
    test_scan();
    test_scan_bad();
    test_errors();
    test_redirect();
    test_slot();
    test_answers();
    test_master();
    test_slots();

    return done_testing();
}
