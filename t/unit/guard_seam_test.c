
/*
 * Copyright (C) govsvc authors
 *
 * Seams: a body that comes in two buffers has the verdict of the whole,
 * wherever it is cut; one that is cut at the bound is never passed over in
 * silence.  Every attack of the corpora with a body, plain and in gzip; all
 * of them at each byte with GOVSVC_LONG=1, else some.  Each buffer ends where
 * its bytes end, so that a look behind them is seen.
 */


#include "guard_fixture.h"
#include "tap.h"

#include <zlib.h>


#define SEAM_BODY   65536
#define SEAM_NEXT   13                     /* requests taken, if not all */


typedef struct {
    const gs_guard_t    *guard;
    gs_guard_scratch_t  *s;
    unsigned             all;
    unsigned             n;
    unsigned             bodies;
    unsigned             refused;
    unsigned             forms[5];
    uint64_t             splits;
    uint64_t             cuts;
    uint64_t             different;
    uint64_t             silent;
} seam_t;


static const char *const  seam_forms[] = {
    "application/x-www-form-urlencoded", "application/json", "text/xml",
    "multipart/form-data", ""
};


static void seam_request(void *data, const gs_str_t *text);
static void seam_body(seam_t *t, gs_guard_input_t *in, const gs_str_t *text);
static void seam_split(seam_t *t, gs_guard_input_t *in,
    const gs_str_t *body, size_t at, const gs_guard_verdict_t *whole);
static void seam_cut(seam_t *t, gs_guard_input_t *in, const gs_str_t *body,
    size_t at);
static gs_str_t seam_copy(const gs_uchar_t *data, size_t len);
static gs_str_t seam_gzip(const gs_str_t *body);
static int seam_same(const gs_guard_verdict_t *a,
    const gs_guard_verdict_t *b);
static void seam_check(seam_t *t, gs_guard_input_t *in,
    gs_guard_verdict_t *v);
static void test_bomb(seam_t *t);


int
main(void)
{
    seam_t       t;
    unsigned     i;
    gs_arena_t  *arena;

    memset(&t, 0, sizeof(seam_t));
    arena = gs_arena_create(&gs_mem_libc);

    t.guard = fixture_guard(gs_arena_mem(arena));
    t.s = gs_guard_scratch_create(t.guard, gs_arena_mem(arena), SEAM_BODY);
    t.all = (unsigned) fixture_long();

    ok(fixture_corpus("gen.pl attack", seam_request, &t) > 5000,
       "the corpus");
    ok(fixture_corpus("unseen.pl d attack", seam_request, &t) > 100
       && fixture_corpus("unseen.pl f attack", seam_request, &t) > 400,
       "texts of others");

    ok(t.bodies > (t.all ? 2000 : 100), "%u attacks with a body", t.bodies);
    ok(t.refused * 2 > t.bodies, "%u of them are refused", t.refused);

    for (i = 0; i < 4; i++) {
        ok(t.forms[i] > 0, "%u of them are %s", t.forms[i], seam_forms[i]);
    }

    ok(t.splits > t.bodies, "%llu times in two buffers",
       (unsigned long long) t.splits);
    is_int((int64_t) t.different, 0, "the verdict of the whole");

    ok(t.cuts > t.bodies, "%llu times cut at the bound",
       (unsigned long long) t.cuts);
    is_int((int64_t) t.silent, 0, "never in silence");

    test_bomb(&t);

    gs_guard_scratch_destroy(t.s);
    gs_guard_destroy((gs_guard_t *) (uintptr_t) t.guard);
    gs_arena_destroy(arena);

    return done_testing();
}


static void
seam_request(void *data, const gs_str_t *text)
{
    seam_t            *t = data;

    gs_str_t           head, body, plain;
    unsigned           i;
    gs_arena_t        *arena;
    const char        *p;
    gs_guard_input_t   in;

    p = memmem(text->data, text->len, "\r\n\r\n", 4);

    if (p == NULL) {
        return;
    }

    head = gs_str_make(text->data, (size_t) ((const gs_uchar_t *) p
                                             - text->data) + 2);
    body = gs_str_make(text->data + head.len + 2, text->len - head.len - 2);

    if (body.len == 0 || (t->n++ % SEAM_NEXT != 0 && !t->all)) {
        return;
    }

    arena = gs_arena_create(&gs_mem_libc);

    if (gs_guard_request(&in, gs_arena_mem(arena), &head, NULL) == GS_OK) {

        for (i = 0; i < 4; i++) {
            plain = gs_str_text(seam_forms[i]);
            t->forms[i] += (unsigned) gs_str_prefix(&in.type, &plain);
        }

        t->bodies++;
        seam_body(t, &in, &body);

        if (in.coding.len == 0) {
            plain = seam_gzip(&body);
            in.coding = gs_str_text("gzip");
            seam_body(t, &in, &plain);
            free((void *) (uintptr_t) plain.data);
        }
    }

    gs_arena_destroy(arena);
}


static void
seam_body(seam_t *t, gs_guard_input_t *in, const gs_str_t *text)
{
    size_t               at;
    gs_str_t             body;
    gs_guard_verdict_t   whole;

    body = seam_copy(text->data, text->len);

    in->oversize = 0;
    in->body = body;
    in->body_cut = 0;

    seam_check(t, in, &whole);
    t->refused += (in->coding.len == 0 && whole.action == GS_GUARD_BLOCK);

    for (at = 0; at <= body.len; at += t->all ? 1 : 1 + body.len / 5) {
        seam_split(t, in, &body, at, &whole);

        if (at > 0 && at < body.len) {
            seam_cut(t, in, &body, at);
        }
    }

    free((void *) (uintptr_t) body.data);
}


static void
seam_split(seam_t *t, gs_guard_input_t *in, const gs_str_t *body, size_t at,
    const gs_guard_verdict_t *whole)
{
    size_t               n;
    gs_str_t             one, two;
    gs_uchar_t          *dst;
    gs_guard_pieces_t    pieces;
    gs_guard_verdict_t   v;

    one = seam_copy(body->data, at);
    two = seam_copy(body->data + at, body->len - at);

    gs_guard_pieces_begin(&pieces, t->s, SEAM_BODY);

    dst = gs_guard_pieces_next(&pieces, one.len, &n);
    memcpy(dst, one.data, n);
    dst = gs_guard_pieces_next(&pieces, two.len, &n);
    memcpy(dst, two.data, n);

    gs_guard_pieces_end(&pieces, in);

    free((void *) (uintptr_t) one.data);
    free((void *) (uintptr_t) two.data);

    seam_check(t, in, &v);
    t->splits++;

    if (!seam_same(&v, whole)) {
        t->different++;
        diag("at %zu: rule %u for %u, %u hits for %u: %.*s", at, v.rule,
             whole->rule, v.nhits, whole->nhits, (int) body->len, body->data);
    }
}


/* As many bytes as are looked at: the policy decides, and it is told. */

static void
seam_cut(seam_t *t, gs_guard_input_t *in, const gs_str_t *body, size_t at)
{
    size_t               n;
    unsigned             i, told;
    gs_uchar_t          *dst;
    gs_guard_pieces_t    pieces;
    gs_guard_verdict_t   v;

    gs_guard_pieces_begin(&pieces, t->s, at);
    dst = gs_guard_pieces_next(&pieces, body->len, &n);
    memcpy(dst, body->data, n);
    gs_guard_pieces_end(&pieces, in);

    in->oversize = 2;
    seam_check(t, in, &v);
    in->oversize = 0;

    told = 0;

    for (i = 0; i < v.nhits && i < GS_GUARD_MAX_HITS; i++) {
        told |= (v.hits[i] == GS_GUARD_OVERSIZE);
    }

    t->cuts++;

    if (n != at || v.action != GS_GUARD_BLOCK
        || (!told && v.nhits <= GS_GUARD_MAX_HITS))
    {
        t->silent++;
        diag("cut at %zu: rule %u, %.*s", at, v.rule, (int) body->len,
             body->data);
    }
}


static void
seam_check(seam_t *t, gs_guard_input_t *in, gs_guard_verdict_t *v)
{
    (void) gs_guard_check(t->guard, t->s, in, v);
}


static gs_str_t
seam_copy(const gs_uchar_t *data, size_t len)
{
    gs_uchar_t  *copy;

    copy = malloc(len ? len : 1);

    if (copy == NULL) {
        exit(1);
    }

    if (len > 0) {
        memcpy(copy, data, len);
    }

    return gs_str_make(copy, len);
}


static gs_str_t
seam_gzip(const gs_str_t *body)
{
    size_t       size;
    z_stream     z;
    gs_uchar_t  *out;

    memset(&z, 0, sizeof(z_stream));

    if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY)
        != Z_OK)
    {
        exit(1);
    }

    size = deflateBound(&z, body->len) + 64;
    out = malloc(size);

    if (out == NULL) {
        exit(1);
    }

    z.next_in = (Bytef *) (uintptr_t) body->data;
    z.avail_in = (uInt) body->len;
    z.next_out = out;
    z.avail_out = (uInt) size;

    if (deflate(&z, Z_FINISH) != Z_STREAM_END) {
        exit(1);
    }

    size -= z.avail_out;
    (void) deflateEnd(&z);

    return gs_str_make(out, size);
}


static int
seam_same(const gs_guard_verdict_t *a, const gs_guard_verdict_t *b)
{
    unsigned  i;

    if (a->action != b->action || a->rule != b->rule || a->score != b->score
        || a->noted != b->noted || a->nhits != b->nhits
        || a->facts != b->facts || a->undecided != b->undecided)
    {
        return 0;
    }

    for (i = 0; i < a->nhits && i < GS_GUARD_MAX_HITS; i++) {
        if (a->hits[i] != b->hits[i]) {
            return 0;
        }
    }

    return 1;
}


/* An attack that lies across the bound of what gzip may become. */

static void
test_bomb(seam_t *t)
{
    size_t               i, from, len;
    gs_str_t             text, packed;
    unsigned             f, missed, seen;
    gs_uchar_t          *big;
    const char          *attack;
    gs_guard_input_t     in;
    gs_guard_verdict_t   v;

    static const char *const  attacks[] = {
        "&q=%27+union+select+password+from+users--",
        "\"},{\"q\":\"' union select password from users--\"}]",
        "</a><b>' union select password from users--</b>"
    };
    static const char *const  starts[] = { "a=", "[{\"a\":\"", "<r><a>" };

    memset(&in, 0, sizeof(gs_guard_input_t));
    in.method = gs_str_text("POST");
    in.uri = gs_str_text("/");
    in.path = gs_str_text("/");
    in.coding = gs_str_text("gzip");
    in.oversize = 2;

    big = malloc(SEAM_BODY * 2);

    if (big == NULL) {
        exit(1);
    }

    for (f = 0; f < 3; f++) {

        attack = attacks[f];
        len = strlen(attack);
        in.type = gs_str_text(seam_forms[f]);
        missed = seen = 0;

        for (i = 0; i <= len; i += t->all ? 1 : 7) {
            memset(big, 'x', SEAM_BODY * 2);
            memcpy(big, starts[f], strlen(starts[f]));

            from = SEAM_BODY - len + i;
            memcpy(big + from, attack, len);

            text = gs_str_make(big, from + len + 1000 * (i > 0));
            packed = seam_gzip(&text);
            in.body = packed;

            seam_check(t, &in, &v);
            missed += (v.action != GS_GUARD_BLOCK);
            seen += (v.rule != GS_GUARD_OVERSIZE && v.rule != 0);

            free((void *) (uintptr_t) packed.data);
        }

        is_int(missed, 0, "in gzip across the bound: %s", seam_forms[f]);
        ok(seen > 0, "a rule is first where it sees enough, %u times", seen);
    }

    free(big);
}
