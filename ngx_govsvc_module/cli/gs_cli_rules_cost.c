
/*
 * Copyright (C) govsvc authors
 *
 * govsvc rules explain --cost: what a check takes, by all rules and by each
 * that is asked anything at all.
 */


#include "cli/gs_cli_rules.h"
#include "core/gs_json_out.h"


#define GS_CLI_COST_RUNS  100              /* of one check */


static uint64_t gs_cli_cost_clock(void *data);
static void gs_cli_cost_trace(void *data, uint32_t rule, unsigned line,
    const char *view, const gs_str_t *target, const gs_str_t *name,
    const gs_str_t *value);
static int gs_cli_cost_dearest(const gs_guard_cost_t *costs, unsigned n);
static void gs_cli_cost_line(gs_cli_rules_t *rules, unsigned n,
    const gs_guard_cost_t *cost);


uint64_t
gs_cli_rules_cost(gs_cli_rules_t *rules, gs_guard_input_t *in)
{
    uint64_t            start, spent, least;
    unsigned            i;
    gs_guard_verdict_t  verdict;

    least = UINT64_MAX;

    /* with a trace nothing is remembered from one run to the next */

    gs_guard_trace(rules->scratch, gs_cli_cost_trace, NULL);

    for (i = 0; i < GS_CLI_COST_RUNS; i++) {

        start = gs_cli_rules_clock();
        (void) gs_guard_check(rules->guard, rules->scratch, in, &verdict);
        spent = gs_cli_rules_clock() - start;

        least = (spent < least) ? spent : least;
    }

    return least;
}


/* The dearest first.  What is left of a check is decoding and literals. */

gs_rc_t
gs_cli_rules_costs(gs_cli_rules_t *rules, gs_guard_input_t *in)
{
    int                    n;
    unsigned               i, count;
    gs_guard_cost_t       *costs;
    gs_guard_verdict_t     verdict;
    gs_guard_rule_info_t   info;

    count = 0;

    while (gs_guard_rule(rules->guard, count, &info) == GS_OK) {
        count++;
    }

    costs = gs_calloc(rules->cli->mem, count + 1, sizeof(gs_guard_cost_t));
    if (costs == NULL) {
        return GS_ERROR;
    }

    gs_guard_trace(rules->scratch, gs_cli_cost_trace, NULL);
    gs_guard_costs(rules->scratch, costs, gs_cli_cost_clock, NULL);

    for (i = 0; i < GS_CLI_COST_RUNS; i++) {
        (void) gs_guard_check(rules->guard, rules->scratch, in, &verdict);
    }

    gs_guard_costs(rules->scratch, NULL, NULL, NULL);

    if (!rules->cli->json) {
        (void) printf(rules->cli->zh
                      ? "  规则     询问  正则  命中    字节      微秒  名称\n"
                      : "    rule  asked  pcre  held   bytes        us"
                        "  name\n");
    }

    for ( ;; ) {
        n = gs_cli_cost_dearest(costs, count);

        if (n < 0) {
            break;
        }

        gs_cli_cost_line(rules, (unsigned) n, &costs[n]);
        costs[n].asked = 0;
    }

    gs_free(rules->cli->mem, costs);

    return GS_OK;
}


static int
gs_cli_cost_dearest(const gs_guard_cost_t *costs, unsigned n)
{
    int       found;
    unsigned  i;

    found = -1;

    for (i = 0; i < n; i++) {
        if (costs[i].asked != 0
            && (found < 0 || costs[i].time > costs[found].time))
        {
            found = (int) i;
        }
    }

    return found;
}


static void
gs_cli_cost_line(gs_cli_rules_t *rules, unsigned n,
    const gs_guard_cost_t *cost)
{
    gs_buf_t              b;
    gs_guard_rule_info_t  info;

    if (gs_guard_rule(rules->guard, n, &info) != GS_OK) {
        return;
    }

    if (!rules->cli->json) {
        (void) printf("%8u %6llu %5llu %5llu %7llu %9.2f  %.*s\n", info.id,
                      (unsigned long long) (cost->asked / GS_CLI_COST_RUNS),
                      (unsigned long long) (cost->patterns
                                            / GS_CLI_COST_RUNS),
                      (unsigned long long) (cost->held / GS_CLI_COST_RUNS),
                      (unsigned long long) (cost->bytes / GS_CLI_COST_RUNS),
                      (double) cost->time / GS_CLI_COST_RUNS / 1000,
                      (int) info.name.len, (const char *) info.name.data);
        return;
    }

    gs_buf_init(&b, rules->out, GS_CLI_RULES_LINE);
    gs_buf_char(&b, '{');
    gs_json_kv_u64(&b, "rule", info.id);
    (void) gs_json_kv_str(&b, "name", &info.name);
    gs_json_kv_u64(&b, "asked", cost->asked / GS_CLI_COST_RUNS);
    gs_json_kv_u64(&b, "patterns", cost->patterns / GS_CLI_COST_RUNS);
    gs_json_kv_u64(&b, "held", cost->held / GS_CLI_COST_RUNS);
    gs_json_kv_u64(&b, "bytes", cost->bytes / GS_CLI_COST_RUNS);
    gs_json_kv_u64(&b, "cost_ns", cost->time / GS_CLI_COST_RUNS);
    gs_buf_text(&b, "}\n");

    (void) fwrite(b.start, 1, gs_buf_len(&b), stdout);
}


static uint64_t
gs_cli_cost_clock(void *data)
{
    return gs_cli_rules_clock();
}


static void
gs_cli_cost_trace(void *data, uint32_t rule, unsigned line, const char *view,
    const gs_str_t *target, const gs_str_t *name, const gs_str_t *value)
{
}
