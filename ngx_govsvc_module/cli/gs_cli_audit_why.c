
/*
 * Copyright (C) govsvc authors
 *
 * govsvc audit trace and why: the life of a request or a case, and one answer
 * from the number that a citizen reads.
 */


#include "cli/gs_cli_audit_filter.h"
#include "cli/gs_cli_audit_note.h"
#include "cli/gs_cli_audit_prove.h"
#include "core/gs_reason.h"

#include <stdlib.h>


typedef struct {
    gs_cli_t             *cli;
    const char           *what;
    char                  req[160];        /* "req":"ID", "tr":"ID", ... */
    char                  trace[160];
    char                  of_case[160];
    gs_seal_file_list_t   open;            /* intents without an end */
    size_t                found;
    gs_str_t              intent;          /* the last of each */
    gs_str_t              end;
    gs_str_t              event;
} gs_cli_trace_t;


static int gs_cli_trace_run(gs_cli_t *cli);
static int gs_cli_why_run(gs_cli_t *cli);
static int gs_cli_trace_read(gs_cli_trace_t *t, int show);
static int gs_cli_trace_init(gs_cli_trace_t *t, gs_cli_t *cli);
static int gs_cli_trace_match(gs_cli_trace_t *t, const gs_str_t *line);
static int gs_cli_trace_has(const gs_str_t *line, const char *text);
static gs_rc_t gs_cli_trace_take(gs_cli_trace_t *t, const gs_str_t *line);
static int gs_cli_trace_left(gs_cli_trace_t *t);
static void gs_cli_why_say(gs_cli_t *cli, const gs_str_t *line,
    const gs_str_t *event);
static void gs_cli_why_row(gs_cli_t *cli, const char *zh, const char *en,
    const gs_str_t *line, const char *object, const char *const *keys);
static void gs_cli_why_verdict(gs_cli_t *cli, const gs_str_t *line, int ended);
static int gs_cli_why_proof(gs_cli_t *cli, const gs_str_t *line);


static const gs_cli_option_t  gs_cli_trace_options[] = {
    GS_CLI_NOTE_OPTIONS,
    { NULL, NULL, NULL, NULL }
};


static const gs_cli_option_t  gs_cli_why_options[] = {
    { "seal", "DIR", "prove the record by what was sealed there",
      "用该目录中的封存证明此记录" },
    { "key", "PUBLIC", "public key of the seal, as text or file",
      "封存公钥，文本或文件" },
    GS_CLI_NOTE_OPTIONS,
    { NULL, NULL, NULL, NULL }
};


const gs_cli_verb_t  gs_cli_audit_trace = {
    "audit", "trace", "DIR... ID",
    "the whole life of a request, a trace or a case",
    "一个请求、链路或办件的全部经过",
    "govsvc audit trace /var/lib/govsvc/audit 1144...0008",
    gs_cli_trace_options,
    gs_cli_trace_run
};


const gs_cli_verb_t  gs_cli_audit_why = {
    "audit", "why", "DIR... REQUEST_ID",
    "what became of a request, and who must act",
    "一个请求的结果、原因以及由谁处理",
    "govsvc audit why /var/lib/govsvc/audit 3ad1c5b2a0f94e7d8c6b5a4f3e2d77ca",
    gs_cli_why_options,
    gs_cli_why_run
};


static int
gs_cli_trace_run(gs_cli_t *cli)
{
    int             rc;
    gs_cli_trace_t  t;

    if (cli->argc < 2) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "audit trace needs the "
                           "directory of govsvc_audit_store and the number of "
                           "a request, a trace or a case");
    }

    rc = gs_cli_trace_init(&t, cli);

    if (rc == GS_CLI_YES) {
        rc = gs_cli_trace_read(&t, 1);
    }

    return (rc == GS_CLI_YES) ? gs_cli_trace_left(&t) : rc;
}


static int
gs_cli_trace_init(gs_cli_trace_t *t, gs_cli_t *cli)
{
    const char  *p, *what;

    memset(t, 0, sizeof(gs_cli_trace_t));
    t->cli = cli;

    what = cli->argv[cli->argc - 1];
    t->what = what;

    for (p = what; *p != '\0' && *p != '"' && *p != '\\'; p++) {
        /* void */
    }

    if (*p != '\0' || p == what || p - what > 128) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "invalid number \"%s\"", what);
    }

    (void) snprintf(t->req, sizeof(t->req), "\"req\":\"%s\"", what);
    (void) snprintf(t->trace, sizeof(t->trace), "\"tr\":\"%s\"", what);
    (void) snprintf(t->of_case, sizeof(t->of_case), "\"case\":\"%s\"", what);

    return gs_cli_audit_note_all(cli, cli->argc - 1);
}


static int
gs_cli_trace_read(gs_cli_trace_t *t, int show)
{
    gs_rc_t         rc;
    gs_str_t        line;
    gs_cli_store_t  store;

    if (gs_cli_store_open(&store, t->cli, t->cli->argv, t->cli->argc - 1, "",
                          "")
        != GS_OK)
    {
        return GS_CLI_READ;
    }

    for ( ;; ) {
        rc = gs_cli_store_next(&store, &line);

        if (rc != GS_OK) {
            break;
        }

        if (!gs_cli_trace_match(t, &line)) {
            continue;
        }

        t->found++;

        if (show) {
            gs_cli_audit_show(t->cli, &line);
        }

        if (gs_cli_trace_take(t, &line) != GS_OK) {
            rc = GS_ERROR;
            (void) gs_cli_fail(t->cli, GS_CLI_READ, "out of memory");
            break;
        }
    }

    if (rc == GS_ERROR) {
        return GS_CLI_READ;
    }

    if (t->found == 0) {
        return gs_cli_fail(t->cli, store.unreadable ? GS_CLI_INCOMPLETE
                                                    : GS_CLI_NO,
                           t->cli->zh ? "没有 \"%s\" 的记录"
                                      : "there is no record of \"%s\"",
                           t->what);
    }

    return store.unreadable ? GS_CLI_INCOMPLETE : GS_CLI_YES;
}


/* The end of a killed process names only its intent. */

static int
gs_cli_trace_match(gs_cli_trace_t *t, const gs_str_t *line)
{
    size_t    i;
    gs_str_t  intent;

    if (gs_cli_trace_has(line, t->req) || gs_cli_trace_has(line, t->trace)
        || gs_cli_trace_has(line, t->of_case))
    {
        return 1;
    }

    intent = gs_cli_filter_value(line, "", "intent");

    for (i = 0; intent.len != 0 && i < t->open.n; i++) {
        if (gs_str_eq_text(&intent, t->open.names[i])) {
            return 1;
        }
    }

    return 0;
}


static int
gs_cli_trace_has(const gs_str_t *line, const char *text)
{
    return memmem(line->data, line->len, text, strlen(text)) != NULL;
}


static gs_rc_t
gs_cli_trace_take(gs_cli_trace_t *t, const gs_str_t *line)
{
    size_t    i;
    gs_str_t  type, stage, value, copy;

    type = gs_cli_filter_value(line, "", "ty");
    stage = gs_cli_filter_value(line, "", "st");
    copy = gs_str_dup(t->cli->mem, line);

    if (copy.data == NULL) {
        return GS_ERROR;
    }

    if (gs_str_eq_text(&stage, "intent")) {
        t->intent = copy;
        value = gs_cli_filter_value(line, "", "id");
        value = gs_str_dup(t->cli->mem, &value);

        return (value.data == NULL) ? GS_ERROR
               : gs_seal_list_push(t->cli->mem, &t->open, NULL,
                                        (const char *) value.data);
    }

    /* what is said of a request beside its own line is not its end */

    if (gs_str_eq_text(&type, "sec")) {
        t->event = copy;
        return GS_OK;
    }

    if (!gs_str_eq_text(&type, "http") && !gs_str_eq_text(&type, "deny.agg")) {
        return GS_OK;
    }

    t->end = copy;
    value = gs_cli_filter_value(line, "", "intent");

    for (i = 0; value.len != 0 && i < t->open.n; i++) {
        if (gs_str_eq_text(&value, t->open.names[i])) {
            t->open.names[i] = t->open.names[--t->open.n];
            break;
        }
    }

    return GS_OK;
}


static int
gs_cli_trace_left(gs_cli_trace_t *t)
{
    size_t  i;

    for (i = 0; i < t->open.n; i++) {
        fprintf(stderr, t->cli->zh
                ? "govsvc：意图记录 %s 没有下文：结果不明\n"
                : "govsvc: intent %s has no end: what became of it is not "
                  "known\n", t->open.names[i]);
    }

    return (t->open.n == 0) ? GS_CLI_YES : GS_CLI_INCOMPLETE;
}


static int
gs_cli_why_run(gs_cli_t *cli)
{
    int             rc, left, proof;
    gs_str_t       *line;
    gs_cli_trace_t  t;

    if (cli->argc < 2) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "audit why needs the directory "
                           "of govsvc_audit_store and the number of a "
                           "request");
    }

    if (cli->argc != 2 && gs_cli_option(cli, "seal") != NULL) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "audit why with --seal needs "
                           "one directory");
    }

    rc = gs_cli_trace_init(&t, cli);

    if (rc == GS_CLI_YES) {
        (void) snprintf(t.of_case, sizeof(t.of_case), "\"sample\":\"%s\"",
                        t.what);
        rc = gs_cli_trace_read(&t, cli->json);
    }

    if (rc != GS_CLI_YES) {
        return rc;
    }

    /* of a request that was only counted, its event may be all there is */

    line = (t.end.len != 0) ? &t.end
           : (t.intent.len != 0) ? &t.intent : &t.event;

    if (line->len == 0) {
        return gs_cli_fail(cli, GS_CLI_NO, cli->zh ? "没有 \"%s\" 的记录"
                           : "there is no record of \"%s\"", t.what);
    }

    if (!cli->json) {
        gs_cli_why_say(cli, line, &t.event);
        gs_cli_why_verdict(cli, line, line != &t.intent);
    }

    proof = gs_cli_why_proof(cli, line);
    left = gs_cli_trace_left(&t);

    return (proof != GS_CLI_YES) ? proof : left;
}


static void
gs_cli_why_say(gs_cli_t *cli, const gs_str_t *line, const gs_str_t *event)
{
    static const char *const  when[] = { "t", "st", "why", NULL };
    static const char *const  from[] = { "ip", NULL };
    static const char *const  http[] = {
        "m", "host", "path", "status", "us", NULL
    };
    static const char *const  token[] = { "res", "iss", NULL };
    static const char *const  gov[] = {
        "platform", "pool", "item", "case", "region", "app", NULL
    };
    static const char *const  decision[] = {
        "act", "code", "rule", "rl", NULL
    };
    static const char *const  upstream[] = {
        "addr", "status", "us", "tries", NULL
    };
    static const char *const  attack[] = {
        "id", "attack", "cat", "sub", "sev", "score", NULL
    };
    static const char *const  record[] = { "id", "ch", "seq", NULL };

    gs_cli_why_row(cli, "时间", "when", line, "", when);
    gs_cli_why_row(cli, "来源", "from", line, "\"src\":{", from);
    gs_cli_why_row(cli, "请求", "request", line, "\"http\":{", http);
    gs_cli_why_row(cli, "令牌", "token", line, "\"tok\":{", token);
    gs_cli_why_row(cli, "去向", "routed", line, "\"gov\":{", gov);
    gs_cli_why_row(cli, "决定", "decision", line, "\"dec\":{", decision);
    gs_cli_why_row(cli, "上游", "upstream", line, "\"up\":{", upstream);
    gs_cli_why_row(cli, "安全事件", "event", event, "", attack);
    gs_cli_why_row(cli, "记录", "record", line, "", record);
}


static void
gs_cli_why_row(gs_cli_t *cli, const char *zh, const char *en,
    const gs_str_t *line, const char *object, const char *const *keys)
{
    unsigned  n;
    gs_str_t  value;

    for (n = 0; *keys != NULL; keys++) {
        value = gs_cli_filter_value(line, object, *keys);

        if (value.len == 0) {
            continue;
        }

        if (n++ == 0) {
            printf("%s%s", cli->zh ? zh : en, cli->zh ? "：" : ":");
        }

        printf(" %s=", *keys);
        gs_cli_print(stdout, &value);
    }

    if (n != 0) {
        putchar('\n');
    }
}


/* What it means, and who must act. */

static void
gs_cli_why_verdict(gs_cli_t *cli, const gs_str_t *line, int ended)
{
    gs_str_t            act, code, status, up, stage;
    const char         *zh, *en, *who_zh, *who_en;
    const gs_reason_t  *reason;

    act = gs_cli_filter_value(line, "\"dec\":{", "act");
    code = gs_cli_filter_value(line, "\"dec\":{", "code");
    status = gs_cli_filter_value(line, "\"http\":{", "status");
    up = gs_cli_filter_value(line, "\"up\":{", "status");
    stage = gs_cli_filter_value(line, "", "st");

    if (code.len == 0) {
        code = gs_cli_filter_value(line, "", "code");
    }

    reason = gs_reason_find(&code);

    if (reason != NULL) {
        zh = reason->zh;
        en = reason->en;
        who_zh = reason->who_zh;
        who_en = reason->who_en;

    } else if (!ended || gs_str_eq_text(&stage, "aborted")) {
        zh = "请求中断，结果不明：平台可能已经办理。";
        en = "The request was cut off; the platform may have done what was "
             "asked.";
        who_zh = "运维，并向平台核实";
        who_en = "operations, who ask the platform";

    } else if (gs_str_eq_text(&act, "deny") || code.len != 0) {
        zh = "网关拒绝了该请求，未转给任何平台。";
        en = "The gateway refused the request itself; no platform was asked.";
        who_zh = "调用方";
        who_en = "caller";

    } else if (gs_str_eq_text(&status, "499")) {
        zh = "调用方在应答之前断开了连接。";
        en = "The caller went away before the answer.";
        who_zh = "无需处理";
        who_en = "nobody";

    } else if (up.len != 0 && up.data[0] == '5') {
        zh = "请求已放行，平台答复出错。";
        en = "The request was let through, and the platform failed.";
        who_zh = "省级平台";
        who_en = "the province";

    } else {
        zh = "请求已放行并已应答。";
        en = "The request was let through and answered.";
        who_zh = "无需处理";
        who_en = "nobody";
    }

    printf(cli->zh ? "结论： %s\n由谁处理： %s\n"
                   : "verdict: %s\nwho must act: %s\n",
           cli->zh ? zh : en, cli->zh ? who_zh : who_en);
}


static int
gs_cli_why_proof(gs_cli_t *cli, const gs_str_t *line)
{
    int       rc;
    gs_str_t  id;

    if (gs_cli_option(cli, "seal") == NULL) {
        return GS_CLI_YES;
    }

    id = gs_cli_filter_value(line, "", "id");
    id = gs_str_dup(cli->mem, &id);

    if (id.data == NULL) {
        return gs_cli_fail(cli, GS_CLI_READ, "out of memory");
    }

    rc = gs_cli_audit_proved(cli, (const char *) id.data);

    if (rc == GS_CLI_YES && !cli->json) {
        fputs(cli->zh ? "证明： 此记录已封存，未被改动\n"
                      : "proof: the record is sealed and unchanged\n", stdout);
    }

    return rc;
}
