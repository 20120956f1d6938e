
/*
 * Copyright (C) govsvc authors
 *
 * The story of a match.  Every route is judged by itself here, by its own
 * hosts, paths and keys, not through the index that the search uses: the two
 * ways check each other in the tests.
 */


#include "core/gs_json_out.h"
#include "core/gs_utf8.h"
#include "route/gs_route_priv.h"


typedef struct {
    gs_route_request_t        *q;
    gs_buf_t                  *b;
    gs_route_rank_t            best;       /* of the winner */
    unsigned                   json;
    unsigned                   limit;
    unsigned                   told;
    unsigned                   omitted;
    unsigned                   searched;   /* not refused for the item code */
} gs_route_story_t;


static void gs_route_explain_json(gs_route_story_t *s);
static void gs_route_explain_text(gs_route_story_t *s);
static void gs_route_explain_line(gs_route_story_t *s, const char *key,
    const gs_str_t *value);
static void gs_route_explain_region(gs_route_story_t *s);
static void gs_route_explain_losers(gs_route_story_t *s);
static void gs_route_explain_loser(gs_route_story_t *s,
    const gs_route_record_t *route, gs_route_test_e test,
    const gs_route_rank_t *rank, const gs_route_cond_t *cond);
static const char *gs_route_why(gs_route_story_t *s, gs_route_test_e test,
    const gs_route_rank_t *rank);
static void gs_route_detail(gs_route_story_t *s, gs_buf_t *b,
    const gs_route_record_t *route, gs_route_test_e test,
    const gs_route_cond_t *cond);
static void gs_route_detail_run(gs_route_story_t *s, gs_buf_t *b,
    gs_route_run_t run);
static unsigned gs_route_near(gs_route_test_e test);
static int gs_route_judge_host(gs_route_request_t *q,
    const gs_route_record_t *route, uint32_t *rank);
static int gs_route_judge_path(gs_route_request_t *q,
    const gs_route_record_t *route, uint32_t *rank);
static int gs_route_judge_item(gs_route_request_t *q,
    const gs_route_record_t *route, uint32_t *rank);
static int gs_route_judge_region(gs_route_request_t *q,
    const gs_route_record_t *route, uint32_t *rank);


#define GS_ROUTE_RANK_EXACT  0x100000      /* above any length */


gs_rc_t
gs_route_explain(const gs_route_table_t *t, const gs_route_input_t *in,
    gs_buf_t *b, unsigned json, unsigned limit)
{
    gs_rc_t                   rc;
    gs_route_story_t          s;
    gs_route_result_t         out;
    gs_route_request_t        q;
    const gs_route_cond_t    *cond;
    const gs_route_record_t  *routes;

    memset(&s, 0, sizeof(gs_route_story_t));
    s.q = &q;
    s.b = b;
    s.json = json;
    s.limit = limit;

    rc = gs_route_request(&q, t, in, &out);

    if (rc == GS_OK) {
        s.searched = 1;
        rc = gs_route_search(&q);
    }

    if (rc == GS_OK) {
        routes = gs_route_section(t, GS_ROUTE_S_ROUTES, gs_route_record_t);
        (void) gs_route_judge(&q, &routes[out.route], &s.best, &cond);
    }

    if (json) {
        gs_route_explain_json(&s);

    } else {
        gs_route_explain_text(&s);
    }

    return rc;
}


static void
gs_route_explain_json(gs_route_story_t *s)
{
    unsigned            i;
    gs_str_t            code;
    gs_uchar_t          digits[6];
    gs_route_result_t  *out;

    out = s->q->out;

    gs_buf_char(s->b, '{');
    gs_json_key(s->b, "matched");
    gs_buf_text(s->b, (out->route != GS_ROUTE_NONE) ? "true" : "false");

    if (out->route != GS_ROUTE_NONE) {
        gs_json_kv_str(s->b, "route", &out->route_id);
        gs_json_kv_str(s->b, "platform", &out->platform_id);
        gs_json_kv_str(s->b, "pool", &out->pool_id);
        gs_json_kv_str(s->b, "host", &out->host);

    } else {
        gs_json_kv_text(s->b, "reason", gs_route_reason_text(out->reason));
    }

    gs_json_key(s->b, "late");
    gs_buf_text(s->b, out->late ? "true" : "false");

    if (out->region != 0) {
        code = gs_str_make(digits, 6);
        gs_region_print(digits, out->region);
        gs_json_kv_str(s->b, "region", &code);
        gs_json_kv_text(s->b, "region_source",
                        gs_route_source_text(out->source));
    }

    gs_json_key(s->b, "regions");
    gs_buf_char(s->b, '[');

    for (i = 0; i < s->q->nchain; i++) {
        gs_region_print(digits, s->q->chain[i]);
        gs_buf_text(s->b, (i == 0) ? "\"" : ",\"");
        gs_buf_put(s->b, digits, 6);
        gs_buf_char(s->b, '"');
    }

    gs_buf_char(s->b, ']');
    gs_json_kv_str(s->b, "item", &out->item.code);
    gs_json_key(s->b, "item_check_failed");
    gs_buf_text(s->b, out->item.check_failed ? "true" : "false");
    gs_json_kv_str(s->b, "case", &out->case_no);
    gs_json_kv_str(s->b, "channel", &out->channel);

    gs_json_key(s->b, "lost");
    gs_buf_char(s->b, '[');
    gs_route_explain_losers(s);
    gs_buf_char(s->b, ']');

    gs_json_kv_u64(s->b, "omitted", s->omitted);
    gs_buf_text(s->b, "}\n");
}


static void
gs_route_explain_text(gs_route_story_t *s)
{
    gs_str_t            text;
    gs_route_result_t  *out;

    out = s->q->out;

    gs_route_explain_region(s);

    if (out->item.code.len != 0) {
        gs_route_explain_line(s, "item", &out->item.code);

        if (out->item.check_failed) {
            text = gs_str_text("the check character of its credit code is "
                               "wrong");
            gs_route_explain_line(s, "warning", &text);
        }
    }

    if (out->route != GS_ROUTE_NONE) {
        gs_route_explain_line(s, "route", &out->route_id);
        gs_route_explain_line(s, "platform", &out->platform_id);
        gs_route_explain_line(s, "pool", &out->pool_id);
        gs_route_explain_line(s, "host", &out->host);

    } else {
        text = gs_str_text(gs_route_reason_text(out->reason));
        gs_route_explain_line(s, "refused", &text);
    }

    if (out->late) {
        text = gs_str_text("a better route asks for claims, which are known "
                           "after the token");
        gs_route_explain_line(s, "later", &text);
    }

    gs_route_explain_losers(s);

    if (s->omitted != 0) {
        gs_buf_text(s->b, "lost      ");
        gs_buf_u64(s->b, s->omitted);
        gs_buf_text(s->b, " more routes\n");
    }
}


static void
gs_route_explain_line(gs_route_story_t *s, const char *key,
    const gs_str_t *value)
{
    size_t  i;

    gs_buf_text(s->b, key);

    for (i = strlen(key); i < 10; i++) {
        gs_buf_char(s->b, ' ');
    }

    gs_json_raw(s->b, value);
    gs_buf_char(s->b, '\n');
}


static void
gs_route_explain_region(gs_route_story_t *s)
{
    unsigned                  i;
    gs_str_t                  name;
    gs_uchar_t                digits[6];
    const gs_route_region_t  *region;

    gs_buf_text(s->b, "region    ");

    if (s->q->out->region == 0) {
        gs_buf_text(s->b, s->q->bad_region ? "unknown, named by " : "none");
        gs_buf_text(s->b, s->q->bad_region
                          ? gs_route_source_text(s->q->by) : "");
        gs_buf_char(s->b, '\n');
        return;
    }

    gs_region_print(digits, s->q->out->region);
    gs_buf_put(s->b, digits, 6);

    region = gs_route_find_region(s->q->table, s->q->out->region);

    if (region != NULL) {
        name = gs_route_str(s->q->table, region->name);
        gs_buf_char(s->b, ' ');
        gs_json_raw(s->b, &name);
    }

    gs_buf_text(s->b, ", by ");
    gs_buf_text(s->b, gs_route_source_text(s->q->out->source));

    for (i = 1; i < s->q->nchain; i++) {
        gs_region_print(digits, s->q->chain[i]);
        gs_buf_text(s->b, (i == 1) ? "; falls back to " : ", ");
        gs_buf_put(s->b, digits, 6);
    }

    gs_buf_char(s->b, '\n');
}


/* The nearest misses first. */

static void
gs_route_explain_losers(gs_route_story_t *s)
{
    uint32_t                  i, n;
    unsigned                  near;
    gs_route_rank_t           rank;
    gs_route_test_e           test;
    const gs_route_cond_t    *cond;
    const gs_route_record_t  *routes;

    if (!s->searched) {
        return;
    }

    n = s->q->table->sections[GS_ROUTE_S_ROUTES].n;
    routes = gs_route_section(s->q->table, GS_ROUTE_S_ROUTES,
                              gs_route_record_t);

    for (near = 4; near > 0; near--) {

        for (i = 0; i < n; i++) {

            if (i == s->q->out->route) {
                continue;
            }

            test = gs_route_judge(s->q, &routes[i], &rank, &cond);

            if (gs_route_near(test) != near) {
                continue;
            }

            if (s->limit != 0 && s->told == s->limit) {
                s->omitted++;
                continue;
            }

            gs_route_explain_loser(s, &routes[i], test, &rank, cond);
            s->told++;
        }
    }
}


static unsigned
gs_route_near(gs_route_test_e test)
{
    switch (test) {
    case GS_ROUTE_TEST_OK:
        return 4;
    case GS_ROUTE_TEST_HOST:
        return 1;
    case GS_ROUTE_TEST_PATH:
        return 2;
    default:
        return 3;
    }
}


static void
gs_route_explain_loser(gs_route_story_t *s, const gs_route_record_t *route,
    gs_route_test_e test, const gs_route_rank_t *rank,
    const gs_route_cond_t *cond)
{
    char         text[512];
    gs_buf_t     detail;
    gs_str_t     id, platform, view;
    const char  *why;

    id = gs_route_str(s->q->table, route->id);
    platform = gs_route_str(s->q->table,
                            gs_route_platform(s->q->table,
                                              route->platform)->id);
    why = gs_route_why(s, test, rank);

    gs_buf_init(&detail, text, sizeof(text));
    gs_route_detail(s, &detail, route, test, cond);
    view = gs_buf_view(&detail);

    if (s->json) {
        gs_buf_text(s->b, (s->told == 0) ? "{" : ",{");
        gs_json_kv_str(s->b, "route", &id);
        gs_json_kv_str(s->b, "platform", &platform);
        gs_json_kv_text(s->b, "why", why);
        gs_json_kv_str(s->b, "detail", &view);
        gs_buf_char(s->b, '}');
        return;
    }

    gs_buf_text(s->b, "lost      ");
    gs_buf_str(s->b, &id);
    gs_buf_text(s->b, ": ");
    gs_buf_text(s->b, why);

    if (view.len != 0) {
        gs_buf_text(s->b, ": ");
        gs_buf_str(s->b, &view);
    }

    gs_buf_char(s->b, '\n');
}


static const char *
gs_route_why(gs_route_story_t *s, gs_route_test_e test,
    const gs_route_rank_t *rank)
{
    switch (test) {
    case GS_ROUTE_TEST_HOST:
        return "another host";
    case GS_ROUTE_TEST_PATH:
        return "another path";
    case GS_ROUTE_TEST_ITEM:
        return "another item";
    case GS_ROUTE_TEST_REGION:
        return "another region";
    case GS_ROUTE_TEST_CATCH_ALL:
        return "a route for everything takes no request that names a region "
               "or an item";
    case GS_ROUTE_TEST_METHOD:
        return "another method";
    case GS_ROUTE_TEST_HEADER:
        return "another header";
    case GS_ROUTE_TEST_CLAIM:
        return "another claim";
    case GS_ROUTE_TEST_LATE:
        return "its claims are not known yet";
    case GS_ROUTE_TEST_OK:
        break;
    }

    if (rank->host != s->best.host) {
        return "holds, but the winner names the host more exactly";
    }

    if (rank->path != s->best.path) {
        return "holds, but the winner names a longer path";
    }

    if (rank->item != s->best.item) {
        return "holds, but the winner names the item";
    }

    if (rank->region != s->best.region) {
        return "holds, but the winner names a nearer region";
    }

    if (rank->rank != s->best.rank) {
        return "holds, but the winner has more conditions";
    }

    if (rank->priority != s->best.priority) {
        return "holds, but the winner has a higher priority";
    }

    return "holds, but the id of the winner comes first";
}


/* What the route wants instead. */

static void
gs_route_detail(gs_route_story_t *s, gs_buf_t *b,
    const gs_route_record_t *route, gs_route_test_e test,
    const gs_route_cond_t *cond)
{
    uint32_t         i;
    gs_str_t         name;
    gs_uchar_t       digits[6];
    const uint32_t  *codes;

    switch (test) {

    case GS_ROUTE_TEST_HOST:
        gs_route_detail_run(s, b, route->hosts);
        break;

    case GS_ROUTE_TEST_PATH:
        gs_route_detail_run(s, b, route->paths);
        break;

    case GS_ROUTE_TEST_ITEM:
        gs_route_detail_run(s, b, route->items);
        break;

    case GS_ROUTE_TEST_REGION:
        codes = gs_route_section(s->q->table, GS_ROUTE_S_CODES, uint32_t)
                + route->regions.first;

        for (i = 0; i < route->regions.n && i < 8; i++) {
            gs_region_print(digits, codes[i]);
            gs_buf_text(b, (i == 0) ? "" : ", ");
            gs_buf_put(b, digits, 6);
        }

        gs_buf_text(b, (i < route->regions.n) ? ", ..." : "");
        break;

    case GS_ROUTE_TEST_HEADER:
    case GS_ROUTE_TEST_CLAIM:
    case GS_ROUTE_TEST_LATE:
        name = gs_route_str(s->q->table, cond->name);
        gs_buf_str(b, &name);
        gs_buf_text(b, " = ");
        gs_route_detail_run(s, b, cond->values);
        break;

    default:
        break;
    }
}


static void
gs_route_detail_run(gs_route_story_t *s, gs_buf_t *b, gs_route_run_t run)
{
    uint32_t               i;
    gs_str_t               value;
    const gs_route_ref_t  *refs;

    refs = gs_route_section(s->q->table, GS_ROUTE_S_VALUES, gs_route_ref_t)
           + run.first;

    for (i = 0; i < run.n && i < 8; i++) {
        value = gs_route_str(s->q->table, refs[i]);
        value.len = gs_utf8_cut(&value, 40);
        gs_buf_text(b, (i == 0) ? "" : ", ");
        gs_buf_text(b, (value.len != 0 && value.data[0] == '.') ? "*" : "");
        gs_json_raw(b, &value);
    }

    gs_buf_text(b, (i < run.n) ? ", ..." : "");
}


gs_route_test_e
gs_route_judge(gs_route_request_t *q, const gs_route_record_t *route,
    gs_route_rank_t *rank, const gs_route_cond_t **cond)
{
    *cond = NULL;
    memset(rank, 0, sizeof(gs_route_rank_t));
    rank->rank = route->rank;
    rank->priority = route->priority;

    if (!gs_route_judge_host(q, route, &rank->host)) {
        return GS_ROUTE_TEST_HOST;
    }

    if (!gs_route_judge_path(q, route, &rank->path)) {
        return GS_ROUTE_TEST_PATH;
    }

    if (route->items.n != 0) {

        if (!gs_route_judge_item(q, route, &rank->item)) {
            return GS_ROUTE_TEST_ITEM;
        }

    } else if (route->regions.n != 0) {

        if (!gs_route_judge_region(q, route, &rank->region)) {
            return GS_ROUTE_TEST_REGION;
        }

    } else if (rank->host == 0 && rank->path == 0 && q->named) {
        return GS_ROUTE_TEST_CATCH_ALL;
    }

    return gs_route_test(q, route, cond);
}


static int
gs_route_judge_host(gs_route_request_t *q, const gs_route_record_t *route,
    uint32_t *rank)
{
    int                    found;
    uint32_t               i;
    gs_str_t               host;
    const gs_route_ref_t  *refs;

    refs = gs_route_section(q->table, GS_ROUTE_S_VALUES, gs_route_ref_t)
           + route->hosts.first;
    found = (route->hosts.n == 0);

    for (i = 0; i < route->hosts.n; i++) {
        host = gs_route_str(q->table, refs[i]);

        if (host.data[0] != '.' && gs_str_eq(&host, &q->host)) {
            *rank = GS_ROUTE_RANK_EXACT;
            return 1;
        }

        if (host.data[0] == '.' && host.len < q->host.len
            && gs_str_suffix(&q->host, &host))
        {
            found = 1;
            *rank = (host.len > *rank) ? (uint32_t) host.len : *rank;
        }
    }

    return found;
}


static int
gs_route_judge_path(gs_route_request_t *q, const gs_route_record_t *route,
    uint32_t *rank)
{
    int                    found;
    uint32_t               i;
    gs_str_t               path, exact;
    const gs_route_ref_t  *refs;

    refs = gs_route_section(q->table, GS_ROUTE_S_VALUES, gs_route_ref_t)
           + route->paths.first;
    found = (route->paths.n == 0);

    for (i = 0; i < route->paths.n; i++) {
        path = gs_route_str(q->table, refs[i]);

        if (path.data[0] == '=') {
            exact = gs_str_make(path.data + 1, path.len - 1);

            if (gs_str_eq(&exact, &q->in->uri)) {
                *rank = GS_ROUTE_RANK_EXACT;
                return 1;
            }

            continue;
        }

        if (path.len == 1) {
            found = 1;
            continue;
        }

        if (gs_str_prefix(&q->in->uri, &path)
            && (q->in->uri.len == path.len
                || q->in->uri.data[path.len] == '/'))
        {
            found = 1;
            *rank = (path.len > *rank) ? (uint32_t) path.len : *rank;
        }
    }

    return found;
}


static int
gs_route_judge_item(gs_route_request_t *q, const gs_route_record_t *route,
    uint32_t *rank)
{
    uint32_t               i;
    gs_str_t               code, item;
    const gs_route_ref_t  *refs;

    refs = gs_route_section(q->table, GS_ROUTE_S_VALUES, gs_route_ref_t)
           + route->items.first;
    code = q->out->item.code;

    for (i = 0; i < route->items.n && code.len != 0; i++) {
        item = gs_route_str(q->table, refs[i]);

        if (gs_str_eq(&item, &q->out->item.base)
            || (item.len > 12 && gs_str_prefix(&code, &item)))
        {
            *rank = (item.len > *rank) ? (uint32_t) item.len : *rank;
        }
    }

    return *rank != 0;
}


static int
gs_route_judge_region(gs_route_request_t *q, const gs_route_record_t *route,
    uint32_t *rank)
{
    unsigned         j;
    uint32_t         i;
    const uint32_t  *codes;

    gs_route_request_geo(q);

    codes = gs_route_section(q->table, GS_ROUTE_S_CODES, uint32_t)
            + route->regions.first;

    for (j = 0; j < q->nchain; j++) {
        for (i = 0; i < route->regions.n; i++) {
            if (codes[i] == q->chain[j]) {
                *rank = GS_ROUTE_CHAIN - j;
                return 1;
            }
        }
    }

    return 0;
}
