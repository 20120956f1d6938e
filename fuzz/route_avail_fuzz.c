
/*
 * Copyright (C) govsvc authors
 *
 * Availability: any text loads or is refused; what has been loaded is written
 * and read again to the same, counts on, and can be told, whatever the clock
 * does.
 */


#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/gs_siphash.h"
#include "route/gs_avail.h"


#define FUZZ_MINUTE  60000000ull


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static size_t fuzz_end(char *dst, const uint8_t *data, size_t size);
static void fuzz_load(const gs_str_t *text, uint64_t seed);
static void fuzz_run(gs_avail_t *a, uint64_t seed);
static size_t fuzz_save(const gs_avail_t *a, char *dst);


/* The last line that belongs to a text, which no mutation would find. */

static size_t
fuzz_end(char *dst, const uint8_t *data, size_t size)
{
    uint64_t          sum;
    unsigned          i;
    gs_buf_t          b;
    gs_uchar_t        bytes[8];
    gs_siphash_key_t  key;

    key.k0 = 0x676f767376633a61;
    key.k1 = 0x7661696c61626c65;
    sum = gs_siphash(&key, data, size);

    for (i = 0; i < 8; i++) {
        bytes[i] = (gs_uchar_t) (sum >> (56 - 8 * i));
    }

    gs_buf_init(&b, dst, GS_AVAIL_TEXT);
    gs_buf_put(&b, data, size);
    gs_buf_text(&b, "end ");
    gs_buf_hex(&b, bytes, sizeof(bytes));
    gs_buf_char(&b, '\n');

    return b.overflow ? 0 : gs_buf_len(&b);
}


static void
fuzz_load(const gs_str_t *text, uint64_t seed)
{
    char        *one, *two;
    size_t       len;
    gs_err_t     err;
    gs_str_t     s;
    gs_avail_t  *a;

    a = gs_avail_create(&gs_mem_libc);
    memset(&err, 0, sizeof(err));

    if (a == NULL) {
        abort();
    }

    if (gs_avail_load(a, text, &err) != GS_OK) {

        if (err.text[0] == '\0' || gs_avail_time(a) != 0) {
            abort();
        }

        gs_avail_destroy(a);
        return;
    }

    one = malloc(GS_AVAIL_TEXT);
    two = malloc(GS_AVAIL_TEXT);

    if (one == NULL || two == NULL) {
        abort();
    }

    len = fuzz_save(a, one);
    s = gs_str_make(one, len);

    if (gs_avail_load(a, &s, &err) != GS_OK || fuzz_save(a, two) != len
        || memcmp(one, two, len) != 0)
    {
        abort();
    }

    fuzz_run(a, seed);
    s = gs_str_make(one, fuzz_save(a, one));

    if (gs_avail_load(a, &s, &err) != GS_OK) {
        abort();
    }

    free(one);
    free(two);
    gs_avail_destroy(a);
}


static void
fuzz_run(gs_avail_t *a, uint64_t seed)
{
    char             *text;
    uint64_t          now;
    unsigned          i, month;
    gs_buf_t          b;
    gs_str_t          name, all;
    gs_avail_now_t    one;
    gs_avail_look_t   look;

    text = malloc(GS_AVAIL_TEXT);

    if (text == NULL) {
        abort();
    }

    name = gs_str_text("gd");
    all = gs_str_text("");
    now = gs_avail_time(a);
    memset(&look, 0, sizeof(look));

    for (i = 0; i < 8; i++) {
        now += (seed & 15) * FUZZ_MINUTE;
        now -= (seed >> 4 & 1) * 200 * FUZZ_MINUTE;
        (void) gs_avail_turn(a, now, NULL, NULL);

        look.platform = name;
        look.requests[seed >> 5 & 1] += seed >> 6 & 3;
        look.health = (gs_avail_health_e) ((seed >> 8) % 3);
        look.announced = (unsigned) (seed >> 10 & 1);
        (void) gs_avail_look(a, seed >> 11 & 1, &look);
        seed = seed * 6364136223846793005u + 1442695040888963407u;
    }

    for (i = 0; gs_avail_now(a, i, &one) == GS_OK; i++) { /* void */ }

    for (month = 202610; month < 202613; month++) {
        gs_buf_init(&b, text, GS_AVAIL_TEXT);
        gs_avail_json(a, &name, month, &all, &b);
        gs_buf_init(&b, text, GS_AVAIL_TEXT);
        gs_avail_csv(a, &name, month, &all, &b);
    }

    free(text);
}


static size_t
fuzz_save(const gs_avail_t *a, char *dst)
{
    gs_buf_t  b;

    gs_buf_init(&b, dst, GS_AVAIL_TEXT);

    if (gs_avail_save(a, &b) != GS_OK) {
        abort();
    }

    return gs_buf_len(&b);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char      *ended;
    gs_str_t   text;
    uint64_t   seed;

    text = gs_str_make(data, size);
    seed = 0;
    memcpy(&seed, data, size < sizeof(seed) ? size : sizeof(seed));

    if (size > 8) {
        memcpy(&seed, data + size - 8, sizeof(seed));
    }

    fuzz_load(&text, seed);

    ended = malloc(GS_AVAIL_TEXT);

    if (ended == NULL) {
        abort();
    }

    text = gs_str_make(ended, fuzz_end(ended, data, size));
    fuzz_load(&text, seed);
    free(ended);

    return 0;
}
