
/*
 * Copyright (C) govsvc authors
 *
 * Masking: what is hidden, what stays, and that no spelling slips through.
 * 11010519491231002X is the sample of GB 11643, the other numbers are made up
 * to satisfy their checksums.
 */


#include "audit/gs_audit_mask.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>


typedef struct {
    const char  *text;
    const char  *want;                     /* NULL: unchanged */
} test_mask_t;


static gs_str_t mask(const char *text, size_t len);
static void test_table(const char *name, const test_mask_t *test);
static void test_spellings(const char *number, const char *want);
static void test_spelling(const char *number, const char *want, int depth,
    int wide);
static void test_speed_bound(void);


static gs_uchar_t  *masked;


static const test_mask_t  test_hidden[] = {
    { "11010519491231002X", "1****************X" },
    { "11010519491231002x", "1****************X" },
    { "/u/11010519491231002X/edit", "/u/1****************X/edit" },
    { "sfz440524188001010014", "sfz4****************4" },
    { "440524188001010014abc", "4****************4abc" },
    { "a_440524188001010014_b", "a_4****************4_b" },
    { "11010519491231002X1", "1****************X1" },
    { "11010519491231002XYZ", "1****************XYZ" },

    { "13712349050", "137****9050" },
    { "tel:+8613712349050", "tel:+86137****9050" },
    { "008613712349050", "0086137****9050" },
    { "013712349050", "0137****9050" },
    { "x13712349050y", "x137****9050y" },
    { "13712349050,13812349051", "137****9050,138****9051" },

    { "4111111111111111", "************1111" },
    { "/card/4111111111111111?", "/card/************1111?" },
    { "4222222222222", "*********2222" },
    { "6225750000001491", "************1491" },
    { "6217000010012345677", "***************5677" },
    { NULL, NULL }
};


static const test_mask_t  test_groups[] = {
    { "137 1234 9050", "137 **** 9050" },
    { "+86-137-1234-9050", "+86-137-****-9050" },
    { "tel 2 137 1234 9050 x", "tel 2 137 **** 9050 x" },
    { "tel=137+1234+9050&", "tel=137+****+9050&" },
    { "a137%201234%209050b", "a137%20****%209050b" },
    { "137\xc2\xa0" "1234\xe3\x80\x80" "9050",
      "137\xc2\xa0****\xe3\x80\x80" "9050" },
    { "137%C2%A01234%25E3%2580%25809050",
      "137%C2%A0****%25E3%2580%25809050" },
    { "\xef\xbc\x91\xef\xbc\x93\xef\xbc\x97-1234-9050", "137-****-9050" },
    { "137\xef\xbc\x8d" "1234-9050", "137\xef\xbc\x8d****-9050" },
    { "110105 19491231 002X", "1***** ******** ***X" },
    { "110105-1949-1231-002x/y", "1*****-****-****-***X/y" },
    { "4405 2418 8001 0100 14", "4*** **** **** **** *4" },
    { "4 4 0 5 2 4 1 8 8 0 0 1 0 1 0 0 1 4",
      "4 * * * * * * * * * * * * * * * * 4" },
    { "6225 7500 0000 1491", "**** **** **** 1491" },
    { "6217 0000 1001 2345 677", "**** **** **** ***5 677" },
    { "4111-1111-1111-1111 137 1234 9050",
      "****-****-****-1111 137 **** 9050" },
    { "1 1 0 1 0 5 1 9 4 9 1 2 3 1 0 0 2 X",
      "1 * * * * * * * * * * * * * * * * X" },
    { "110105 19491231 002-x", "1***** ******** ***-X" },
    { "12 110105 19491231 002X", "12 1***** ******** ***X" },
    { "19491231-110105 19491231 002X", "19491231-1***** ******** ***X" },
    { NULL, NULL }
};


static const test_mask_t  test_clear[] = {
    { "137  1234 9050", NULL },            /* two blanks are no group */
    { "127 1234 9050", NULL },
    { "1371 2349 050", NULL },
    { "137-1234-905", NULL },
    { "137-1234-", NULL },
    { "110105 19491331 002X", NULL },
    { "110105 19491231 0020", NULL },
    { "4111 1111 1111 1112", NULL },
    { "41 111111 1111 1111", NULL },
    { "2025-11-23 13:08:36", NULL },
    { "2025-11-23-13-08-36-1371", NULL },
    { "0755-8765 4321", NULL },
    { "", NULL },
    { "/", NULL },
    { "12711234905", NULL },
    { "12712349050", NULL },
    { "1371234905", NULL },
    { "137123490500", NULL },
    { "11010519491331002X", NULL },        /* no such month */
    { "110105194912310020", NULL },        /* wrong check digit */
    { "4111111111111112", NULL },          /* no Luhn */
    { "0000000000000", NULL },
    { "11440100007482575H", NULL },        /* credit codes */
    { "11440000MB2D0164XH", NULL },
    { "91441500196720244T", NULL },
    { "11440100007482575H3440118009000", NULL },
    { "11440000MB2D0164XH2440289876000", NULL },
    { "11440100696927671X3442011817001", NULL },
    { "91441500196720244T3442199806003", NULL },
    { "/portal/guide/11440100696927671X3442011817001", NULL },
    { "11440100696927671X344201181700101", NULL },
    { "11440232MB2D06811W4000117051000202010200008", NULL },
    { "440118009000", NULL },
    { "440524188001010014440524188001010014", NULL },
    { "3ad177ca8238953800112233445566ff", NULL },
    { "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0.0.0",
      NULL },
    { "%", NULL },
    { "%%%25%2", NULL },
    { "100%2525252525", NULL },
    { NULL, NULL }
};


/* A digit that may belong to an escape before it. */

static const test_mask_t  test_escapes[] = {
    { "%2013712349051", "%20137****9051" },
    { "a%2F13712349050%2Fb", "a%2F137****9050%2Fb" },
    { "%13712349050", "%137****9050" },
    { "%2513712349050", "%25137****9050" },
    { "%252513712349050", "%2525137****9050" },
    { "%C3%A913712349050", "%C3%A9137****9050" },
    { "1371234%39050", "137****9050" },
    { "%31%33712349050", "137****9050" },
    { "1101051949123100%32%58", "1****************X" },
    { NULL, NULL }
};


int
main(void)
{
    masked = malloc(65536);
    if (masked == NULL) {
        return 2;
    }

    test_table("hidden", test_hidden);
    test_table("group", test_groups);
    test_table("clear", test_clear);
    test_table("escape", test_escapes);

    test_spellings("11010519491231002X", "1****************X");
    test_spellings("440524188001010014", "4****************4");
    test_spellings("13712349050", "137****9050");
    test_spellings("4111111111111111", "************1111");

    test_speed_bound();

    free(masked);

    return done_testing();
}


static gs_str_t
mask(const char *text, size_t len)
{
    char       *copy;
    size_t      n;
    gs_str_t    s;

    /* both buffers are exact, for the sanitizer to watch */

    copy = malloc(len + 1);
    free(masked);
    masked = malloc(len + 1);

    if (copy == NULL || masked == NULL) {
        exit(2);
    }

    copy = realloc(copy, len == 0 ? 1 : len);
    masked = realloc(masked, len == 0 ? 1 : len);

    if (copy == NULL || masked == NULL) {
        exit(2);
    }

    memcpy(copy, text, len);
    s = gs_str_make(copy, len);
    n = gs_audit_mask(masked, &s);

    free(copy);

    return gs_str_make(masked, n);
}


static void
test_table(const char *name, const test_mask_t *test)
{
    for ( /* void */ ; test->text != NULL; test++) {
        is_str(mask(test->text, strlen(test->text)),
               test->want != NULL ? test->want : test->text,
               "%s: %s", name, test->text);
    }
}


static void
test_spellings(const char *number, const char *want)
{
    int  depth;

    for (depth = 0; depth <= 3; depth++) {
        test_spelling(number, want, depth, 0);
        test_spelling(number, want, depth, 1);
    }
}


/* Each character alone, and all of them, spelled another way. */

static void
test_spelling(const char *number, const char *want, int depth, int wide)
{
    char      text[2048], unit[32];
    size_t    i, k, n, len;
    unsigned  c, bytes[3];

    n = strlen(number);

    for (i = 0; i <= n; i++) {
        strcpy(text, "/p/");

        for (k = 0; k < n; k++) {
            c = (unsigned char) number[k];

            if (i != n && i != k) {
                snprintf(unit, sizeof(unit), "%c", (int) c);
                strcat(text, unit);
                continue;
            }

            bytes[0] = 0xef;
            bytes[1] = 0xbc;
            bytes[2] = c - 0x20 + 0x80;

            for (len = wide ? 0 : 2; len < 3; len++) {
                if (!wide) {
                    bytes[2] = c;
                }

                if (depth == 0) {
                    snprintf(unit, sizeof(unit), "%c", (int) bytes[len]);

                } else {
                    snprintf(unit, sizeof(unit), "%%%s%02X",
                             depth == 1 ? "" : depth == 2 ? "25" : "2525",
                             bytes[len]);
                }

                strcat(text, unit);
            }
        }

        strcat(text, "/q");
        snprintf(unit, sizeof(unit), "/p/%s/q", want);

        is_str(mask(text, strlen(text)), unit, "%s depth %d wide %d at %zu",
               number, depth, wide, i);
    }
}


/* Long stretches of what could invite a scan from every byte. */

static void
test_speed_bound(void)
{
    char                      *text;
    size_t                     i, k, len;
    static const char *const   pieces[] = {
        "1", "%31", "%", "%2", "%25", "%2525", "a1", "%1", "1%", "\xef",
        "\xef\xbc", "\xef\xbc\x91", "1 ", "1-", "137 1234 ", "1%20"
    };

    len = 60000;
    text = malloc(len + 16);
    if (text == NULL) {
        exit(2);
    }

    for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        for (k = 0; k + 8 < len; k += strlen(pieces[i])) {
            memcpy(text + k, pieces[i], strlen(pieces[i]));
        }

        ok(mask(text, k).len == k, "60 KB of \"%s\" stay as they are",
           i < 9 ? pieces[i] : "bytes");
    }

    free(text);
}
