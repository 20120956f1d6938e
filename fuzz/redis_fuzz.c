
/*
 * Copyright (C) govsvc authors
 *
 * Replies of Redis: a scan in pieces ends where a scan at once does, hiredis
 * agrees on what is whole, and nothing that parses one reads beyond it.
 */


#include <stdlib.h>
#include <sys/time.h>

#include <hiredis/hiredis.h>

#include "core/gs_redis.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_parse(const gs_str_t *reply);
static void fuzz_hiredis(const gs_str_t *reply);


static gs_redis_slots_t  map, scratch;


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char              *copy;
    size_t             used, again, n;
    gs_rc_t            rc, piece;
    gs_str_t           reply;
    gs_resp_scan_t     whole, parts;
    gs_resp_limits_t   limits;

    limits.max_bytes = 4096;
    limits.max_items = 64;

    used = 0;
    again = 0;
    memset(&whole, 0, sizeof(gs_resp_scan_t));
    memset(&parts, 0, sizeof(gs_resp_scan_t));

    rc = gs_resp_scan(&whole, &limits, data, size, &used);
    piece = GS_AGAIN;

    for (n = 1; n <= size && piece == GS_AGAIN; n += 1 + n % 3) {
        piece = gs_resp_scan(&parts, &limits, data, n, &again);
    }

    if (piece == GS_AGAIN) {
        piece = gs_resp_scan(&parts, &limits, data, size, &again);
    }

    if (piece != rc || (rc == GS_OK && used != again)) {
        abort();
    }

    if (rc != GS_OK) {
        return 0;
    }

    /* a copy of its own size: the sanitizer sees what reads beyond */

    copy = malloc(used);
    if (copy == NULL) {
        return 0;
    }

    memcpy(copy, data, used);
    reply = gs_str_make(copy, used);

    fuzz_hiredis(&reply);
    fuzz_parse(&reply);
    free(copy);

    return 0;
}


static void
fuzz_hiredis(const gs_str_t *reply)
{
    void         *tree;
    redisReader  *reader;

    reader = redisReaderCreate();
    if (reader == NULL) {
        return;
    }

    tree = NULL;

    if (redisReaderFeed(reader, (const char *) reply->data, reply->len)
        == REDIS_OK
        && redisReaderGetReply(reader, &tree) == REDIS_OK)
    {
        if (tree == NULL) {
            abort();
        }

        freeReplyObject(tree);
        tree = NULL;

        if (redisReaderGetReply(reader, &tree) != REDIS_OK || tree != NULL) {
            abort();
        }
    }

    redisReaderFree(reader);
}


static void
fuzz_parse(const gs_str_t *reply)
{
    size_t           pos, end;
    uint64_t         n, seq;
    gs_str_t         s, self, id;
    unsigned         slot, i;
    gs_redis_addr_t  addr;
    gs_resp_value_t  v;

    pos = 0;
    end = 0;

    while (gs_resp_next(reply, &pos, &v) == GS_OK) {
        (void) gs_redis_id(&v.text, &n, &seq);
        (void) gs_redis_redirect(&v.text, &slot, &addr);
        (void) gs_redis_slot(&v.text);
    }

    if (pos != reply->len || gs_resp_skip(reply, &end) != GS_OK
        || end != reply->len)
    {
        abort();
    }

    self = gs_str_text("10.0.0.1");
    s = gs_str_make(reply->data + 1, reply->len - 3);

    (void) gs_redis_redirect(&s, &slot, &addr);
    (void) gs_redis_role(reply, &slot, &n);
    (void) gs_redis_time(reply, &n);
    (void) gs_redis_run_id(reply, &id);
    (void) gs_redis_master_addr(reply, &addr);

    if (gs_redis_slots(reply, &self, &map, &scratch) == GS_OK) {
        for (i = 0; i < GS_REDIS_SLOTS; i++) {
            if (map.owner[i] >= map.n && map.owner[i] != GS_REDIS_NODES) {
                abort();
            }
        }
    }
}
