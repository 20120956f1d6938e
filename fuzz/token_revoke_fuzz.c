
/*
 * Copyright (C) govsvc authors
 *
 * The state file of revocations: any text loads or is refused, and what has
 * been loaded is written and loaded again to the same.
 */


#include <stdint.h>
#include <stdlib.h>

#include "token/gs_token_revoke_priv.h"
#include "core/gs_buf.h"


#define FUZZ_NOW   1700000000
#define FUZZ_TEXT  (1024 * 1024)


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void *fuzz_table(gs_token_revoke_t *t);
static size_t fuzz_end(char *dst, const uint8_t *data, size_t size);
static void fuzz_load(const gs_str_t *text);


static void *
fuzz_table(gs_token_revoke_t *t)
{
    void              *room;
    const gs_uchar_t   random[24] = "fuzz";

    room = aligned_alloc(64, GS_TOKEN_REVOKE_MIN);

    if (room == NULL) {
        abort();
    }

    memset(room, 0, GS_TOKEN_REVOKE_MIN);
    (void) gs_token_revoke_create(t, room, GS_TOKEN_REVOKE_MIN, random);
    t->pid = 1;
    t->alive = NULL;

    return room;
}


/* The end that belongs to a text, which no mutation would find. */

static size_t
fuzz_end(char *dst, const uint8_t *data, size_t size)
{
    size_t            i, head, lines;
    uint64_t          sum;
    gs_buf_t          b;
    gs_siphash_key_t  zero;

    lines = 0;
    head = 2 + (memmem(data, size, "former", 6) != NULL);

    for (i = 0; i < size; i++) {
        lines += (data[i] == '\n');
    }

    memset(&zero, 0, sizeof(zero));
    sum = gs_siphash(&zero, data, size);

    gs_buf_init(&b, dst, FUZZ_TEXT);
    gs_buf_put(&b, data, size);
    gs_buf_text(&b, "end ");
    gs_buf_u64(&b, lines > head ? lines - head : 0);
    gs_buf_char(&b, ' ');
    gs_buf_hex(&b, &sum, sizeof(sum));
    gs_buf_char(&b, '\n');

    return b.overflow ? 0 : gs_buf_len(&b);
}


static void
fuzz_load(const gs_str_t *text)
{
    char                    *dump;
    void                    *room, *again;
    size_t                   len;
    gs_err_t                 err;
    gs_str_t                 copy;
    gs_token_revoke_t        t, u;
    gs_token_revoke_stat_t   a, b;

    room = fuzz_table(&t);
    memset(&err, 0, sizeof(err));

    if (gs_token_revoke_load(&t, text, FUZZ_NOW, &err) != GS_OK) {

        if (err.line == 0 || err.text[0] == '\0') {
            abort();
        }

        free(room);
        return;
    }

    again = fuzz_table(&u);
    dump = malloc(FUZZ_TEXT);

    if (dump == NULL) {
        abort();
    }

    len = gs_token_revoke_dump(&t, FUZZ_NOW, dump, FUZZ_TEXT);
    copy = gs_str_make(dump, len);

    if (len == 0 || len > gs_token_revoke_dump_size(&t, FUZZ_NOW)
        || gs_token_revoke_load(&u, &copy, FUZZ_NOW, &err) != GS_OK
        || gs_token_revoke_load_more(&t, &copy, FUZZ_NOW, &err) != GS_OK)
    {
        abort();
    }

    gs_token_revoke_stat(&t, FUZZ_NOW, &a);
    gs_token_revoke_stat(&u, FUZZ_NOW, &b);

    if (a.live != b.live || a.lifted != b.lifted) {
        abort();
    }

    free(dump);
    free(again);
    free(room);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char      *ended;
    gs_str_t   text;

    text = gs_str_make(data, size);
    fuzz_load(&text);

    ended = malloc(FUZZ_TEXT);

    if (ended == NULL) {
        abort();
    }

    text = gs_str_make(ended, fuzz_end(ended, data, size));
    fuzz_load(&text);
    free(ended);

    return 0;
}
