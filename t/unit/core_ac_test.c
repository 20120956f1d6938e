
/*
 * Copyright (C) govsvc authors
 *
 * Aho-Corasick against a search that cannot be wrong.
 */


#include "core/gs_ac.h"
#include "tap.h"

#include <stdlib.h>


#define AC_WORDS  200


static uint32_t  ac_seed = 1;


static unsigned
ac_random(unsigned n)
{
    ac_seed = ac_seed * 1103515245u + 12345u;

    return (ac_seed >> 16) % n;
}


/* Letters are case-blind, a tab and the ends of lines are blanks. */

static int
ac_alike(int a, int b)
{
    a = (a != 0 && strchr("\t\n\v\f\r", a) != NULL) ? ' ' : a;
    b = (b != 0 && strchr("\t\n\v\f\r", b) != NULL) ? ' ' : b;

    return gs_to_lower(a) == gs_to_lower(b);
}


static int
ac_stands(const gs_ac_near_t *near, const gs_str_t *text, size_t i)
{
    if (near == NULL) {
        return 1;
    }

    return (i < text->len) ? gs_ac_near(near, text->data[i])
                           : (int) near->edge;
}


static int
ac_find(const gs_str_t *text, const gs_ac_word_t *word, int parts)
{
    size_t  i, k;

    for (i = 0; i + word->text.len <= text->len; i++) {

        for (k = 0; k < word->text.len; k++) {
            if (!ac_alike(text->data[i + k], word->text.data[k])) {
                break;
            }
        }

        /* before the first byte is what is behind the last: an edge */

        if (k == word->text.len
            && (parts || (ac_stands(word->before, text, i - 1)
                          && ac_stands(word->after, text, i + k))))
        {
            return 1;
        }
    }

    return 0;
}


/* One of three words has no neighbour to ask for. */

static const gs_ac_near_t *
ac_near(gs_ac_near_t *near)
{
    unsigned  i;

    if (ac_random(3) == 0) {
        return NULL;
    }

    memset(near, 0, sizeof(gs_ac_near_t));
    near->edge = ac_random(2);

    for (i = 0; i < 256; i++) {
        near->bits[i / 64] |= (uint64_t) ac_random(2) << i % 64;
    }

    return near;
}


static void
test_near(void)
{
    size_t          i;
    gs_ac_t        *ac;
    gs_err_t        err;
    gs_str_t        text;
    uint64_t        bits;
    gs_ac_near_t    blank, point;
    gs_ac_word_t    word;

    static const struct {
        const char  *text;
        int          found;
        int          parts;
    } cases[] = {
        { "cat", 0, 1 }, { "cat.", 1, 1 }, { "a cat.", 1, 1 },
        { "xcat.", 0, 1 }, { "xcat. cat.", 1, 1 }, { " cat", 0, 1 },
        { " cats cat", 0, 1 }, { "", 0, 0 }, { "ca.", 0, 0 }
    };

    memset(&blank, 0, sizeof(gs_ac_near_t));
    memset(&point, 0, sizeof(gs_ac_near_t));
    blank.bits[0] = (uint64_t) 1 << ' ';
    blank.edge = 1;
    point.bits[0] = (uint64_t) 1 << '.';

    word.text = gs_str_text("cat");
    word.id = 0;
    word.before = &blank;
    word.after = &point;

    is_int(gs_ac_compile(&ac, &gs_mem_libc, &gs_mem_libc, &word, 1, &err),
           GS_OK, "compiled");

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        text = gs_str_text(cases[i].text);

        bits = 0;
        ok(gs_ac_scan(ac, text.data, text.len, &bits) == cases[i].found
           && (int) bits == cases[i].found, "near, \"%s\"", cases[i].text);

        bits = 0;
        ok(gs_ac_scan_parts(ac, text.data, text.len, &bits) == cases[i].parts
           && (int) bits == cases[i].parts, "parts, \"%s\"", cases[i].text);
    }

    gs_free(&gs_mem_libc, ac);
}


static void
test_known(void)
{
    int            found;
    gs_ac_t       *ac;
    gs_err_t       err;
    uint64_t       bits[2];

    static const gs_ac_word_t  words[] = {
        { gs_string("he"), 0, NULL, NULL },
        { gs_string("she"), 1, NULL, NULL },
        { gs_string("his"), 2, NULL, NULL },
        { gs_string("hers"), 3, NULL, NULL },
        { gs_string("HE"), 64, NULL, NULL },
        { gs_string("\xe5\xb9\xbf"), 100, NULL, NULL },
        { gs_string("\0a"), 5, NULL, NULL },
        { gs_string("a b\rc"), 6, NULL, NULL }
    };

    is_int(gs_ac_compile(&ac, &gs_mem_libc, &gs_mem_libc, words, 8, &err),
           GS_OK, "compiled");

    memset(bits, 0, sizeof(bits));
    found = gs_ac_scan(ac, "uSHErs", 6, bits);
    is_int(found, 1, "found");
    is_int((int64_t) bits[0], 1 | 2 | 8, "suffixes are found, case-blind");
    is_int((int64_t) bits[1], 1, "an equal word with its own id");

    memset(bits, 0, sizeof(bits));
    is_int(gs_ac_scan(ac, "hihihiss", 8, bits), 1, "after false starts");
    is_int((int64_t) bits[0], 4, "after false starts: his");

    memset(bits, 0, sizeof(bits));
    is_int(gs_ac_scan(ac, "\xe5\xb9\xbf\xe4", 4, bits), 1, "Chinese");
    is_int((int64_t) (bits[1] >> 36), 1, "Chinese: the word");

    memset(bits, 0, sizeof(bits));
    is_int(gs_ac_scan(ac, "\0A", 2, bits), 1, "NUL");
    is_int((int64_t) bits[0], 32, "NUL: the word");

    memset(bits, 0, sizeof(bits));
    is_int(gs_ac_scan(ac, "a\nB\tc", 5, bits), 1, "blanks");
    is_int((int64_t) bits[0], 64, "blanks: the word");

    memset(bits, 0, sizeof(bits));
    is_int(gs_ac_scan(ac, "hsxehi", 6, bits), 0, "nothing");
    is_int(gs_ac_scan(ac, NULL, 0, bits), 0, "empty");
    is_int((int64_t) bits[0], 0, "no bit");
    ok(gs_ac_size(ac) > 0 && gs_ac_states(ac) > 10, "size and states");

    gs_free(&gs_mem_libc, ac);

    test_near();

    is_int(gs_ac_compile(&ac, &gs_mem_libc, &gs_mem_libc, NULL, 0, &err),
           GS_OK, "no words");
    is_int(gs_ac_scan(ac, "abc", 3, bits), 0, "no words, nothing found");
    gs_free(&gs_mem_libc, ac);
}


static void
test_random(void)
{
    int            wrong;
    size_t         i, k, to;
    gs_ac_t       *ac;
    gs_err_t       err;
    gs_str_t       text;
    uint64_t       bits[AC_WORDS / 64 + 1], ranges[AC_WORDS / 64 + 1];
    unsigned       round, n, len;
    gs_uchar_t     store[AC_WORDS][8], data[64];
    gs_ac_near_t   nears[AC_WORDS * 2];
    gs_ac_word_t   words[AC_WORDS];

    /* in the later half there are too many bytes for a table of pairs */

    for (round = 0; round < 40; round++) {

        n = (round < 20) ? 1 + ac_random(AC_WORDS) : AC_WORDS;

        for (i = 0; i < n; i++) {
            len = 1 + ac_random(6);

            for (k = 0; k < len; k++) {
                store[i][k] = (gs_uchar_t) ("abcABC\xff_"[ac_random(8)]);

                if (round >= 20 && ac_random(3) == 0) {
                    store[i][k] = (gs_uchar_t) ac_random(256);
                }
            }

            words[i].text = gs_str_make(store[i], len);
            words[i].id = (uint32_t) i;
            words[i].before = ac_near(&nears[i * 2]);
            words[i].after = ac_near(&nears[i * 2 + 1]);
        }

        if (gs_ac_compile(&ac, &gs_mem_libc, &gs_mem_libc, words, n, &err)
            != GS_OK)
        {
            ok(0, "compiled");
            return;
        }

        wrong = 0;

        for (k = 0; k < 200; k++) {
            len = ac_random(sizeof(data));

            for (i = 0; i < len; i++) {
                data[i] = (gs_uchar_t) ("abcABC\xff_x"[ac_random(9)]);

                if (round >= 20 && ac_random(8) == 0) {
                    data[i] = (gs_uchar_t) ac_random(256);
                }
            }

            memset(bits, 0, sizeof(bits));
            text = gs_str_make(data, len);
            (void) gs_ac_scan(ac, data, len, bits);

            for (i = 0; i < n; i++) {
                wrong += (int) (bits[i / 64] >> i % 64 & 1)
                         != ac_find(&text, &words[i], 0);
            }

            memset(ranges, 0, sizeof(ranges));

            for (i = 0; i < len; i = to) {
                to = i + 1 + ac_random(len - (unsigned) i);
                (void) gs_ac_scan_range(ac, data, len, i, to, 0, ranges);
            }

            wrong += (memcmp(ranges, bits, sizeof(bits)) != 0);

            memset(bits, 0, sizeof(bits));
            (void) gs_ac_scan_parts(ac, data, len, bits);

            for (i = 0; i < n; i++) {
                wrong += (int) (bits[i / 64] >> i % 64 & 1)
                         != ac_find(&text, &words[i], 1);
            }
        }

        is_int(wrong, 0, "%u random words", n);
        gs_free(&gs_mem_libc, ac);
    }
}


static void
test_limits(void)
{
    gs_ac_t       *ac;
    gs_err_t       err;
    gs_mem_t      *mem;
    unsigned       n;
    gs_uchar_t    *big;
    gs_ac_word_t   words[2];

    big = malloc(GS_AC_MAX_STATES);
    memset(big, 'a', GS_AC_MAX_STATES);
    memset(words, 0, sizeof(words));

    words[0].text = gs_str_make(big, GS_AC_MAX_STATES - 1);
    words[0].id = 0;
    is_int(gs_ac_compile(&ac, &gs_mem_libc, &gs_mem_libc, words, 1, &err),
           GS_ERROR, "too many states");

    words[0].text.len = 30000;
    words[1].text = gs_str_make(big, 35000);
    words[1].id = 1;
    is_int(gs_ac_compile(&ac, &gs_mem_libc, &gs_mem_libc, words, 2, &err),
           GS_OK, "nearly too many");
    gs_free(&gs_mem_libc, ac);

    words[0].text.len = 3;
    words[1].text.len = 5;

    for (n = 1; /* void */ ; n++) {
        mem = tap_mem_fail(n);

        if (gs_ac_compile(&ac, mem, mem, words, 2, &err) == GS_OK) {
            break;
        }

        ok(tap_mem_failed() && tap_mem_live() == 0,
           "allocation %u fails, nothing is left", n);
    }

    is_int(tap_mem_live(), 1, "one block is held");
    gs_free(mem, ac);
    free(big);
}


int
main(void)
{
    test_known();
    test_random();
    test_limits();

    return done_testing();
}
