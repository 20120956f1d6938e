
/*
 * Copyright (C) govsvc authors
 *
 * Tests that correlations carry: requests over time, written down, under a
 * clock of their own.
 *
 *     8*2s POST /login 401 arg:username=u# | 1*1m GET / 200
 */


#include "guard/gs_guard_priv.h"


#define GS_CORRELATE_TEST_TABLE  (256 * 1024)
#define GS_CORRELATE_TEST_START  1790000000000ull
#define GS_CORRELATE_TEST_WORDS  16
#define GS_CORRELATE_TEST_TEXT   512
#define GS_CORRELATE_TEST_MAX    200000    /* requests of a test */


/* One test while it runs. */
typedef struct {
    gs_correlate_table_t   *table;
    const gs_guard_t       *guard;
    uint32_t                id;
    unsigned                fired;
    gs_correlate_input_t    in;
    unsigned                nwords;
    gs_str_t                words[GS_CORRELATE_TEST_WORDS];   /* "k=v" */
    gs_str_t                uri;           /* as written */
    uint64_t                n;             /* of "#" */
    unsigned                turn;
    gs_uchar_t              path[GS_CORRELATE_TEST_TEXT];
    gs_uchar_t              texts[4][GS_CORRELATE_TEST_TEXT];
    gs_uchar_t              event[GS_CORRELATE_TEST_TEXT];
} gs_correlate_test_t;


static gs_rc_t gs_correlate_test_run(gs_correlate_test_t *test,
    const gs_str_t *text, gs_err_t *err);
static gs_rc_t gs_correlate_test_step(gs_correlate_test_t *test,
    const gs_str_t *step, gs_err_t *err);
static gs_rc_t gs_correlate_test_often(const gs_str_t *word, uint64_t *n,
    uint64_t *every, gs_err_t *err);
static gs_rc_t gs_correlate_test_words(gs_correlate_test_t *test,
    gs_str_t *rest, gs_err_t *err);
static void gs_correlate_test_one(gs_correlate_test_t *test);
static gs_str_t gs_correlate_test_word(gs_str_t *text);
static unsigned gs_correlate_test_get(const gs_correlate_test_t *test,
    const gs_str_t *name, gs_str_t *value);
static gs_str_t gs_correlate_test_fill(const gs_correlate_test_t *test,
    gs_uchar_t *dst, const gs_str_t *text);
static gs_rc_t gs_correlate_test_value(void *data,
    const gs_correlate_field_t *field, unsigned key, gs_str_t *value);
static gs_rc_t gs_correlate_test_query(gs_correlate_test_t *test,
    const gs_str_t *name, gs_str_t *value);
static void gs_correlate_test_fired(void *data,
    const gs_correlate_fired_t *fired);


gs_rc_t
gs_correlate_rule_test(const gs_guard_t *guard, gs_mem_t *mem, unsigned n,
    unsigned t, gs_guard_test_t *test, gs_err_t *err)
{
    void                       *memory;
    gs_rc_t                     rc;
    unsigned                    nrules;
    gs_siphash_key_t            secret;
    gs_correlate_test_t        *run;
    const gs_guard_test_t      *tests;
    const gs_correlate_rule_t  *rules;

    rules = gs_correlate_rules(guard, &nrules);

    if (n >= nrules || t >= rules[n].ntests) {
        return gs_err(err, "no such test");
    }

    tests = guard->build->tests.data;
    *test = tests[rules[n].test + t];

    memory = gs_alloc(mem, GS_CORRELATE_TEST_TABLE);
    run = gs_calloc(mem, 1, sizeof(gs_correlate_test_t));

    if (memory == NULL || run == NULL) {
        gs_free(mem, memory);
        gs_free(mem, run);
        return gs_err(err, "no memory");
    }

    secret.k0 = 1;
    secret.k1 = 2;

    run->table = gs_correlate_table_init(memory, GS_CORRELATE_TEST_TABLE,
                                         &secret);
    run->guard = guard;
    run->id = rules[n].plan.id;
    run->in.now = GS_CORRELATE_TEST_START;
    run->in.value = gs_correlate_test_value;
    run->in.fired = gs_correlate_test_fired;
    run->in.data = run;

    rc = gs_correlate_test_run(run, &test->text, err);

    if (rc == GS_OK) {
        rc = ((run->fired != 0) == (test->expected != 0)) ? GS_OK
                                                          : GS_DECLINED;
    }

    gs_free(mem, memory);
    gs_free(mem, run);

    return rc;
}


static gs_rc_t
gs_correlate_test_run(gs_correlate_test_t *test, const gs_str_t *text,
    gs_err_t *err)
{
    size_t    from, to;
    gs_str_t  step;

    for (from = 0; from < text->len; from = to + 1) {
        to = gs_str_chr(text, from, '|');
        step = gs_str_make(text->data + from, to - from);

        if (gs_correlate_test_step(test, &step, err) != GS_OK) {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


/* [N*TIME] [METHOD] URI STATUS [FIELD=VALUE]... */

static gs_rc_t
gs_correlate_test_step(gs_correlate_test_t *test, const gs_str_t *step,
    gs_err_t *err)
{
    gs_str_t  rest, word;
    uint64_t  i, n, every, status;

    n = 1;
    every = 0;
    rest = *step;
    word = gs_correlate_test_word(&rest);

    if (gs_str_chr(&word, 0, '*') < word.len) {

        if (gs_correlate_test_often(&word, &n, &every, err) != GS_OK) {
            return GS_ERROR;
        }

        word = gs_correlate_test_word(&rest);
    }

    test->in.method = gs_str_text("GET");

    if (word.len > 0 && gs_is_alpha(word.data[0])) {
        test->in.method = word;
        word = gs_correlate_test_word(&rest);
    }

    if (word.len == 0 || word.data[0] != '/'
        || word.len > GS_CORRELATE_TEST_TEXT / 2)
    {
        return gs_err(err, "no address in the step \"%S\"", step);
    }

    test->uri = word;
    word = gs_correlate_test_word(&rest);

    if (gs_parse_u64(&word, &status) != GS_OK || status < 100 || status > 599)
    {
        return gs_err(err, "no status in the step \"%S\"", step);
    }

    test->in.status = (unsigned) status;

    if (gs_correlate_test_words(test, &rest, err) != GS_OK) {
        return GS_ERROR;
    }

    for (i = 0; i < n; i++) {
        test->n = i + 1;
        gs_correlate_test_one(test);
        test->in.now += every;
    }

    return GS_OK;
}


static gs_rc_t
gs_correlate_test_often(const gs_str_t *word, uint64_t *n, uint64_t *every,
    gs_err_t *err)
{
    size_t    star;
    gs_str_t  count, time;

    star = gs_str_chr(word, 0, '*');
    count = gs_str_make(word->data, star);
    time = gs_str_make(word->data + star + 1, word->len - star - 1);

    if (gs_parse_u64(&count, n) != GS_OK || *n > GS_CORRELATE_TEST_MAX
        || gs_parse_msec(&time, every) != GS_OK)
    {
        return gs_err(err, "invalid repetition \"%S\", expecting \"20*3s\"",
                      word);
    }

    return GS_OK;
}


static gs_rc_t
gs_correlate_test_words(gs_correlate_test_t *test, gs_str_t *rest,
    gs_err_t *err)
{
    gs_str_t  word;

    test->nwords = 0;

    for ( ;; ) {

        word = gs_correlate_test_word(rest);

        if (word.len == 0) {
            return GS_OK;
        }

        if (gs_str_chr(&word, 0, '=') == word.len
            || word.len > GS_CORRELATE_TEST_TEXT / 4
            || test->nwords == GS_CORRELATE_TEST_WORDS)
        {
            return gs_err(err, "invalid field \"%S\", expecting "
                          "\"NAME=VALUE\"", &word);
        }

        test->words[test->nwords++] = word;
    }
}


static void
gs_correlate_test_one(gs_correlate_test_t *test)
{
    gs_str_t               s, name, value;
    uint64_t               n;
    gs_correlate_input_t  *in;

    in = &test->in;

    s = gs_correlate_test_fill(test, test->path, &test->uri);
    in->path = gs_str_make(s.data, gs_str_chr(&s, 0, '?'));

    in->plain = gs_correlate_plain(&in->method, &in->path) ? 1 : 0;
    in->event = gs_str_make(NULL, 0);
    in->score = 0;

    name = gs_str_text("event");

    if (gs_correlate_test_get(test, &name, &value)) {
        in->event = gs_correlate_test_fill(test, test->event, &value);
    }

    name = gs_str_text("score");

    if (gs_correlate_test_get(test, &name, &value)
        && gs_parse_u64(&value, &n) == GS_OK)
    {
        in->score = (unsigned) n;
    }

    name = gs_str_text("subject");
    in->known = (unsigned) (gs_correlate_test_get(test, &name, &value)
                            && in->status != 401);

    name = gs_str_text("app");
    in->app = (unsigned) gs_correlate_test_get(test, &name, &value);

    gs_correlate_watch(test->table, test->guard, in);
}


static gs_str_t
gs_correlate_test_word(gs_str_t *text)
{
    size_t    from, to;
    gs_str_t  word;

    for (from = 0; from < text->len && text->data[from] <= ' '; from++) {
        /* void */
    }

    for (to = from; to < text->len && text->data[to] > ' '; to++) {
        /* void */
    }

    word = gs_str_make(text->data + from, to - from);
    *text = gs_str_make(text->data + to, text->len - to);

    return word;
}


static unsigned
gs_correlate_test_get(const gs_correlate_test_t *test, const gs_str_t *name,
    gs_str_t *value)
{
    unsigned         i;
    const gs_str_t  *word;

    for (i = 0; i < test->nwords; i++) {
        word = &test->words[i];

        if (word->len > name->len && word->data[name->len] == '='
            && gs_str_prefix(word, name))
        {
            *value = gs_str_make(word->data + name->len + 1,
                                 word->len - name->len - 1);
            return 1;
        }
    }

    return 0;
}


/* "#" is the number of the request within its step, from 1. */

static gs_str_t
gs_correlate_test_fill(const gs_correlate_test_t *test, gs_uchar_t *dst,
    const gs_str_t *text)
{
    size_t       i;
    uint64_t     n;
    unsigned     k;
    gs_uchar_t   digits[20], *p, *last;

    p = dst;
    last = dst + GS_CORRELATE_TEST_TEXT - sizeof(digits);

    for (i = 0; i < text->len && p < last; i++) {

        if (text->data[i] != '#') {
            *p++ = text->data[i];
            continue;
        }

        k = 0;
        n = test->n;

        do {
            digits[k++] = (gs_uchar_t) ('0' + n % 10);
            n /= 10;
        } while (n != 0);

        while (k > 0) {
            *p++ = digits[--k];
        }
    }

    return gs_str_make(dst, (size_t) (p - dst));
}


static gs_rc_t
gs_correlate_test_value(void *data, const gs_correlate_field_t *field,
    unsigned key, gs_str_t *value)
{
    gs_correlate_test_t *test = data;

    gs_str_t  name;

    static const char *const  names[] = {
        "ip", "network", "subject", "app", "caller", "site", "path",
        "object", "item", "province", "area", "asn", "rule"
    };

    name = (field->kind < GS_CORRELATE_SEGMENT) ? gs_str_text(
                                                      names[field->kind])
                                                : field->text;
    test->turn = (test->turn + 1) % 4;

    if (gs_correlate_test_get(test, &name, value)) {
        *value = gs_correlate_test_fill(test, test->texts[test->turn], value);
        return GS_OK;
    }

    switch (field->kind) {

    case GS_CORRELATE_IP:
    case GS_CORRELATE_NETWORK:
        *value = gs_str_text("192.0.2.1");
        return GS_OK;

    case GS_CORRELATE_SITE:
        *value = gs_str_text("portal.example");
        return GS_OK;

    case GS_CORRELATE_PATH:
        *value = test->in.path;
        return GS_OK;

    case GS_CORRELATE_OBJECT:
        return gs_correlate_object(&test->in.path, value);

    case GS_CORRELATE_AREA:
        name = gs_str_text("province");

        if (!gs_correlate_test_get(test, &name, value)) {
            return GS_DECLINED;
        }

        *value = gs_correlate_test_fill(test, test->texts[test->turn], value);
        value->len = 1;

        return GS_OK;

    case GS_CORRELATE_SEGMENT:
        return gs_correlate_segment(&test->in.path, field->number, value);

    case GS_CORRELATE_ARG:
        return gs_correlate_test_query(test, &field->name, value);

    default:
        return GS_DECLINED;
    }
}


static gs_rc_t
gs_correlate_test_query(gs_correlate_test_t *test, const gs_str_t *name,
    gs_str_t *value)
{
    size_t    from, to;
    gs_str_t  args, pair;

    args = gs_correlate_test_fill(test, test->texts[test->turn], &test->uri);
    from = gs_str_chr(&args, 0, '?') + 1;

    for ( /* void */ ; from < args.len; from = to + 1) {
        to = gs_str_chr(&args, from, '&');
        pair = gs_str_make(args.data + from, to - from);

        if (pair.len > name->len && pair.data[name->len] == '='
            && gs_str_prefix(&pair, name))
        {
            *value = gs_str_make(pair.data + name->len + 1,
                                 pair.len - name->len - 1);
            return GS_OK;
        }
    }

    return GS_DECLINED;
}


static void
gs_correlate_test_fired(void *data, const gs_correlate_fired_t *fired)
{
    gs_correlate_test_t *test = data;

    test->fired += (fired->rule->plan.id == test->id);
}
