
/*
 * Copyright (C) govsvc authors
 *
 * The verifier against every small harm that can be done to a chain: each
 * byte changed, each line deleted, repeated, moved, each end cut off, whole
 * segments removed, and chains that were made again with the right hashes.
 */


#include "audit/gs_audit_json.h"
#include "audit/gs_audit_verify.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>


#define TEST_SEGMENTS  3
#define TEST_LINES     5                   /* of a segment */
#define TEST_SIZE      8192


typedef struct {
    char        name[24];
    size_t      len;
    gs_uchar_t  data[TEST_SIZE];
} test_segment_t;


static void make(gs_audit_alg_e alg);
static void make_segment(gs_audit_chain_t *chain, size_t i, uint64_t *seq);
static gs_audit_kind_e verify(void);
static gs_audit_kind_e verify_only(size_t from, size_t to, int partial);
static void lines_of(size_t i);
static void put_lines(size_t i, const unsigned *order, unsigned n);
static void test_good(void);
static void test_bytes(void);
static void test_lines(void);
static void test_torn(void);
static void test_segments(void);
static void test_remade(void);
static void test_given_up(void);
static void test_garbage(void);


static test_segment_t     segment[TEST_SEGMENTS], saved[TEST_SEGMENTS];
static gs_audit_verify_t  v;
static size_t             step = 4096;     /* bytes of one feed */

static gs_str_t           line[16];
static unsigned           lines;
static gs_uchar_t         text[TEST_SIZE];

static const char        *given_up;        /* why of the last seg.open */
static uint64_t           counted;


int
main(void)
{
    gs_audit_verify_init(&v);

    test_good();
    test_bytes();
    test_lines();
    test_torn();
    test_segments();
    test_remade();
    test_given_up();
    test_garbage();

    gs_audit_verify_free(&v);

    return done_testing();
}


static void
make(gs_audit_alg_e alg)
{
    size_t            i;
    uint64_t          seq;
    gs_audit_chain_t  chain;

    if (gs_audit_chain_init(&chain, alg) != GS_OK) {
        exit(2);
    }

    seq = 0;

    for (i = 0; i < TEST_SEGMENTS; i++) {
        make_segment(&chain, i, &seq);
    }

    gs_audit_chain_free(&chain);

    memcpy(saved, segment, sizeof(segment));
}


static void
make_segment(gs_audit_chain_t *chain, size_t i, uint64_t *seq)
{
    char                draft[1024];
    size_t              head;
    gs_buf_t            b, d;
    gs_str_t            name, s;
    unsigned            k;
    gs_audit_open_t     open;
    gs_audit_close_t    end;
    gs_audit_record_t   rec;

    name = gs_str_text("n.1.w0.5");

    memset(&open, 0, sizeof(open));
    open.chain = name;
    open.seq = *seq;
    open.keep = 180;
    open.why = (i == 0) ? "start" : "size";

    if (i != 0) {
        open.prev_name = gs_str_text(segment[i - 1].name);
        open.prev_bytes = segment[i - 1].len;
        open.prev_seq = *seq - 1;
        memcpy(open.prev_h, chain->h, GS_AUDIT_HASH);
    }

    if (i == TEST_SEGMENTS - 1 && given_up != NULL) {
        open.why = given_up;
        open.prev_bytes = counted;
    }

    snprintf(segment[i].name, sizeof(segment[i].name), "%016u",
             (unsigned) *seq);
    gs_buf_init(&b, segment[i].data, TEST_SIZE);

    (void) gs_audit_json_open(&b, chain, &open);
    (*seq)++;

    for (k = 0; k < TEST_LINES - 2; k++) {
        memset(&rec, 0, sizeof(rec));
        rec.node = gs_str_text("n");
        rec.epoch = 1;
        rec.g = *seq * 10;
        rec.status = 200;

        gs_buf_init(&d, draft, sizeof(draft));
        head = gs_audit_json_http(&d, &rec);
        s = gs_buf_view(&d);
        (void) gs_audit_json_line(&b, chain, &name, *seq, &s, head);
        (*seq)++;
    }

    memset(&end, 0, sizeof(end));
    end.chain = name;
    end.seq = *seq;
    end.n = TEST_LINES;
    end.why = (i == TEST_SEGMENTS - 1) ? "exit" : "size";

    (void) gs_audit_json_close(&b, chain, &end);
    (*seq)++;

    segment[i].len = gs_buf_len(&b);
}


static gs_audit_kind_e
verify(void)
{
    return verify_only(0, TEST_SEGMENTS, 0);
}


static gs_audit_kind_e
verify_only(size_t from, size_t to, int partial)
{
    size_t    i, k, n, len;
    uint64_t  bytes;

    gs_audit_verify_chain(&v, "n.1.w0.5", partial);

    for (i = from; i < to && v.fault.kind == GS_AUDIT_GOOD; i++) {

        if (segment[i].name[0] == '\0') {
            continue;
        }

        len = segment[i].len;

        if (i + 1 < to
            && gs_audit_verify_counted(segment[i + 1].data,
                                       segment[i + 1].len,
                                       segment[i].name, &bytes)
               == GS_OK
            && bytes < len)
        {
            len = bytes;
        }

        gs_audit_verify_segment(&v, segment[i].name);

        for (k = 0; k < len; k += n) {
            n = (len - k < step) ? len - k : step;

            if (gs_audit_verify_feed(&v, segment[i].data + k, n) != GS_OK) {
                break;
            }
        }

        for (n = i + 1; n < to && segment[n].name[0] == '\0'; n++) {
            /* void */
        }

        gs_audit_verify_end(&v, n == to);
    }

    return v.fault.kind;
}


static void
lines_of(size_t i)
{
    gs_uchar_t  *p, *lf;

    memcpy(text, saved[i].data, saved[i].len);
    lines = 0;

    for (p = text; p < text + saved[i].len; p = lf + 1) {
        lf = memchr(p, '\n', (size_t) (text + saved[i].len - p));
        line[lines++] = gs_str_make(p, (size_t) (lf + 1 - p));
    }
}


static void
put_lines(size_t i, const unsigned *order, unsigned n)
{
    unsigned  k;

    segment[i].len = 0;

    for (k = 0; k < n; k++) {
        memcpy(segment[i].data + segment[i].len, line[order[k]].data,
               line[order[k]].len);
        segment[i].len += line[order[k]].len;
    }
}


static void
test_good(void)
{
    gs_audit_alg_e  alg;

    for (alg = GS_AUDIT_SM3; alg < GS_AUDIT_ALGS; alg++) {
        make(alg);

        for (step = 1; step < 700; step += 13) {
            if (verify() != GS_AUDIT_GOOD) {
                break;
            }
        }

        ok(step >= 700, "%s: good in pieces of any size",
           gs_audit_alg_name(alg));
    }

    step = 4096;

    is_int(verify(), GS_AUDIT_GOOD, "good");
    is_int((int64_t) v.records, TEST_SEGMENTS * (TEST_LINES - 2), "records");
    is_int((int64_t) v.segments, TEST_SEGMENTS, "segments");
    is_int((int64_t) v.next_seq, TEST_SEGMENTS * TEST_LINES, "next number");
    ok(v.closed, "closed");
    is_str(gs_str_text(v.first_time), "1970-01-01T08:00:00.000000+08:00",
           "first time");

    is_int(verify_only(1, 2, 1), GS_AUDIT_GOOD, "one segment alone");
    is_int((int64_t) v.first_seq, TEST_LINES, "begins where it begins");
    is_int(verify_only(1, 3, 1), GS_AUDIT_GOOD, "two segments");
}


static void
test_bytes(void)
{
    size_t           i, k;
    unsigned         bit, missed, other;
    gs_audit_kind_e  kind;

    missed = 0;
    other = 0;

    for (i = 0; i < TEST_SEGMENTS; i++) {
        for (k = 0; k < saved[i].len; k++) {
            for (bit = 0; bit < 8; bit++) {
                segment[i].data[k] ^= (gs_uchar_t) (1 << bit);
                kind = verify();
                segment[i].data[k] ^= (gs_uchar_t) (1 << bit);

                missed += (kind == GS_AUDIT_GOOD || kind == GS_AUDIT_TORN);
                other += (kind != GS_AUDIT_EDIT);

                if (kind == GS_AUDIT_GOOD) {
                    diag("segment %zu byte %zu bit %u", i, k, bit);
                }
            }
        }
    }

    is_int(missed, 0, "every bit is seen");

    /* the edge of a segment and the number of a last line leave a choice */

    ok(other < 200, "nearly all as edits, %u otherwise", other);

    k = saved[1].len / 2;
    segment[1].data[k] ^= 1;
    (void) verify();
    segment[1].data[k] ^= 1;

    is_str(gs_str_text(v.fault.file), segment[1].name, "the right segment");
    ok(v.fault.line > 1 && v.fault.byte <= k && v.fault.byte + 400 > k,
       "the right line: %u, byte %u of %u", (unsigned) v.fault.line,
       (unsigned) v.fault.byte, (unsigned) k);
    is_int((int64_t) v.fault.seq, (int64_t) (TEST_LINES + v.fault.line - 1),
           "the right number");
}


static void
test_lines(void)
{
    size_t           i;
    unsigned         a, b, k, n, last, order[16];
    gs_audit_kind_e  kind;

    for (i = 0; i < TEST_SEGMENTS; i++) {
        lines_of(i);
        is_int(lines, TEST_LINES, "lines of a segment");

        for (a = 0; a < lines; a++) {

            for (k = 0, n = 0; k < lines; k++) {
                if (k != a) {
                    order[n++] = k;
                }
            }

            put_lines(i, order, n);
            kind = verify();
            last = (a == lines - 1);

            if (last && i == TEST_SEGMENTS - 1) {
                ok(kind == GS_AUDIT_GOOD && !v.closed,
                   "without its very last line a chain is not closed");

            } else {
                is_int(kind, last ? GS_AUDIT_TRUNCATE : GS_AUDIT_DELETE,
                       "segment %zu without line %u", i, a);
            }

            for (k = 0, n = 0; k < lines; k++) {
                order[n++] = k;

                if (k == a) {
                    order[n++] = k;
                }
            }

            put_lines(i, order, n);
            kind = verify();
            ok(kind == (last ? GS_AUDIT_EDIT : GS_AUDIT_FORK),
               "segment %zu with line %u twice: %s", i, a,
               gs_audit_kind_name(kind));

            for (b = a + 1; b < lines; b++) {
                for (k = 0; k < lines; k++) {
                    order[k] = (k == a) ? b : (k == b) ? a : k;
                }

                put_lines(i, order, lines);
                is_int(verify(), GS_AUDIT_REORDER,
                       "segment %zu with lines %u and %u swapped", i, a, b);
            }
        }

        memcpy(&segment[i], &saved[i], sizeof(test_segment_t));
    }
}


static void
test_torn(void)
{
    size_t           n, last;
    unsigned         wrong;
    gs_audit_kind_e  kind, want;

    last = TEST_SEGMENTS - 1;
    wrong = 0;

    for (n = 0; n < saved[last].len; n++) {
        segment[last].len = n;
        kind = verify();

        want = (n == 0 || saved[last].data[n - 1] != '\n') ? GS_AUDIT_TORN
                                                           : GS_AUDIT_GOOD;
        if (kind != want || v.closed) {
            diag("%zu: %s", n, gs_audit_kind_name(kind));
            wrong++;
        }
    }

    is_int(wrong, 0, "a last segment cut at every byte is torn or open");

    segment[last].len = saved[last].len;
    wrong = 0;

    for (n = 0; n < saved[1].len; n++) {
        segment[1].len = n;

        if (verify() != GS_AUDIT_TRUNCATE
            || strcmp(v.fault.file, segment[1].name) != 0)
        {
            wrong++;
        }
    }

    is_int(wrong, 0, "a segment in the middle cut at every byte is noticed");

    segment[1].len = saved[1].len;
}


static void
test_segments(void)
{
    test_segment_t  other;

    segment[0].name[0] = '\0';
    is_int(verify(), GS_AUDIT_DELETE, "without the first segment");
    memcpy(&segment[0], &saved[0], sizeof(test_segment_t));

    segment[1].name[0] = '\0';
    is_int(verify(), GS_AUDIT_DELETE, "without the one in the middle");
    memcpy(&segment[1], &saved[1], sizeof(test_segment_t));

    segment[2].name[0] = '\0';
    is_int(verify(), GS_AUDIT_TRUNCATE, "without the last");
    memcpy(&segment[2], &saved[2], sizeof(test_segment_t));

    /* a segment of the same numbers with other lines */

    make(GS_AUDIT_SHA256);
    other = segment[1];
    make(GS_AUDIT_SM3);
    segment[1] = other;
    is_int(verify(), GS_AUDIT_FORK, "with a segment of another history");
    make(GS_AUDIT_SM3);

    gs_audit_verify_chain(&v, "other.1.w0.5", 0);
    gs_audit_verify_segment(&v, segment[0].name);
    (void) gs_audit_verify_feed(&v, segment[0].data, segment[0].len);
    is_int(v.fault.kind, GS_AUDIT_FORK, "in the folder of another chain");
}


/* Whoever can write can hash: what is left are the numbers and counts. */

static void
test_remade(void)
{
    unsigned           k, n;
    gs_buf_t           b;
    gs_audit_chain_t   chain;

    lines_of(2);

    if (gs_audit_chain_init(&chain, GS_AUDIT_SM3) != GS_OK) {
        exit(2);
    }

    gs_buf_init(&b, segment[2].data, TEST_SIZE);
    gs_audit_chain_start(&chain);

    for (k = 0; k < lines; k++) {
        if (k == 2) {
            continue;
        }

        n = (unsigned) gs_buf_len(&b);
        gs_buf_put(&b, line[k].data, line[k].len - GS_AUDIT_SEAL - 1);
        (void) gs_audit_chain_seal(&chain, &b, n);
    }

    segment[2].len = gs_buf_len(&b);
    is_int(verify(), GS_AUDIT_DELETE, "a line taken out, hashes made again");

    gs_audit_chain_free(&chain);
    make(GS_AUDIT_SM3);
}


/* After an error of the disk the next segment says what of this one counts. */

static void
test_given_up(void)
{
    size_t    i;
    uint64_t  bytes;

    /* the middle one: nothing counts, then the third follows the first */

    static const char *const  whys[] = {
        "eio", "unlinked", "crash", "size"
    };

    for (i = 0; i < 4; i++) {
        given_up = whys[i];
        counted = saved[1].len;
        make(GS_AUDIT_SM3);
        is_int(verify(), GS_AUDIT_GOOD, "%s: all bytes count", given_up);

        memcpy(segment[1].data + segment[1].len, "{\"v\":1,\"torn", 12);
        segment[1].len += 12;
        is_int(verify(), i == 3 ? GS_AUDIT_TRUNCATE : GS_AUDIT_GOOD,
               "%s: what is behind them %s", given_up,
               i == 3 ? "counts" : "does not");
    }

    given_up = "unlinked";
    make(GS_AUDIT_SM3);

    ok(gs_audit_verify_counted(segment[2].data, segment[2].len,
                               segment[1].name, &bytes) == GS_OK
       && gs_audit_verify_counted(segment[2].data, segment[2].len,
                                  segment[0].name, &bytes) == GS_DECLINED,
       "it speaks of the one that it follows, not of another");

    given_up = NULL;
    make(GS_AUDIT_SM3);
}


static void
test_garbage(void)
{
    size_t  i;

    memset(segment[2].data, 'x', TEST_SIZE);
    segment[2].len = TEST_SIZE;

    gs_audit_verify_chain(&v, "n.1.w0.5", 1);
    gs_audit_verify_segment(&v, "0");

    for (i = 0; i < 4; i++) {
        if (gs_audit_verify_feed(&v, segment[2].data, TEST_SIZE) != GS_OK) {
            break;
        }
    }

    is_int(v.fault.kind, GS_AUDIT_EDIT, "a line without end");

    gs_audit_verify_chain(&v, "n.1.w0.5", 1);
    gs_audit_verify_segment(&v, "0");
    (void) gs_audit_verify_feed(&v, "\n\n\n", 3);
    is_int(v.fault.kind, GS_AUDIT_EDIT, "empty lines");
}
