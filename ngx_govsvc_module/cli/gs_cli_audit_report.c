
/*
 * Copyright (C) govsvc authors
 *
 * govsvc audit: what was found in one chain, in words or JSON.
 */


#include "cli/gs_cli_audit.h"
#include "core/gs_json_out.h"


static void gs_cli_audit_json(gs_cli_t *cli, const gs_audit_verify_t *v,
    const gs_cli_removed_t *removed, const char *state);
static void gs_cli_audit_words(gs_cli_t *cli, const gs_audit_verify_t *v,
    const gs_cli_removed_t *removed, const char *state, int unreadable);
static void gs_cli_audit_trimmed(gs_cli_t *cli, const gs_audit_verify_t *v,
    const gs_cli_removed_t *removed);
static void gs_cli_audit_found(gs_cli_t *cli, const gs_audit_verify_t *v,
    int unreadable);
static void gs_cli_audit_text(const char *text);


int
gs_cli_audit_report(gs_cli_t *cli, const gs_audit_verify_t *v,
    const gs_cli_removed_t *removed, int unreadable)
{
    int          code;
    const char  *state;

    if (v->fault.kind != GS_AUDIT_GOOD && v->fault.kind != GS_AUDIT_TORN) {
        code = GS_CLI_NO;
        state = "tampered";

    } else if (unreadable) {
        code = GS_CLI_READ;
        state = "unreadable";

    } else if (v->fault.kind == GS_AUDIT_TORN || v->lost != 0
               || v->segments == 0
               || (v->closed && !v->partial && v->intents != v->paired
                   && !(v->trimmed && v->intents < v->paired)))
    {
        code = GS_CLI_INCOMPLETE;
        state = "incomplete";

    } else {
        code = GS_CLI_YES;
        state = "ok";
    }

    if (cli->json) {
        gs_cli_audit_json(cli, v, removed, state);

    } else {
        gs_cli_audit_words(cli, v, removed, state, unreadable);
    }

    return code;
}


static void
gs_cli_audit_json(gs_cli_t *cli, const gs_audit_verify_t *v,
    const gs_cli_removed_t *removed, const char *state)
{
    gs_buf_t    b;
    gs_uchar_t  text[4096];

    gs_buf_init(&b, text, sizeof(text));
    gs_buf_char(&b, '{');
    gs_json_kv_text(&b, "chain", v->name);
    gs_json_kv_text(&b, "state", state);
    gs_json_kv_u64(&b, "segments", v->segments);
    gs_json_kv_u64(&b, "records", v->records);
    gs_json_kv_u64(&b, "lost", v->lost);
    gs_json_kv_u64(&b, "counted", v->counted);
    gs_json_kv_u64(&b, "intents", v->intents);
    gs_json_kv_u64(&b, "paired", v->paired);
    gs_json_kv_u64(&b, "aborted", v->aborted);
    gs_json_kv_u64(&b, "tampered", v->tampered);

    if (v->started) {
        gs_json_kv_u64(&b, "first_seq", v->first_seq);
        gs_json_kv_u64(&b, "last_seq", v->next_seq - 1);
        gs_json_kv_text(&b, "first", v->first_time);
        gs_json_kv_text(&b, "last", v->last_time);
    }

    gs_json_kv_text(&b, "end", v->closed ? "closed" : "open");

    if (v->trimmed) {
        gs_json_key(&b, "removed");
        gs_buf_char(&b, '{');
        (void) gs_json_kv_str(&b, "to", &v->removed->to);
        gs_json_kv_u64(&b, "next", v->removed->next);
        (void) gs_json_kv_str(&b, "time", &v->removed->time);
        gs_json_kv_u64(&b, "signed", removed->checked);
        gs_buf_char(&b, '}');
    }

    if (v->fault.kind != GS_AUDIT_GOOD) {
        gs_json_key(&b, "fault");
        gs_buf_char(&b, '{');
        gs_json_kv_text(&b, "kind", gs_audit_kind_name(v->fault.kind));
        gs_json_kv_text(&b, "segment", v->fault.file);
        gs_json_kv_u64(&b, "line", v->fault.line);
        gs_json_kv_u64(&b, "byte", v->fault.byte);
        gs_json_kv_u64(&b, "seq", v->fault.seq);
        gs_json_kv_text(&b, "text", cli->zh ? v->fault.zh : v->fault.en);
        gs_buf_char(&b, '}');
    }

    gs_buf_text(&b, "}\n");

    (void) fwrite(text, 1, gs_buf_len(&b), stdout);
}


static void
gs_cli_audit_words(gs_cli_t *cli, const gs_audit_verify_t *v,
    const gs_cli_removed_t *removed, const char *state, int unreadable)
{
    const char  *name;

    name = (v->name[0] != '\0') ? v->name : "?";

    gs_cli_audit_text(name);
    printf(cli->zh ? "：%s，" : ": %s, ", state);

    if (v->segments == 0) {
        printf("%s\n", cli->zh ? "没有任何段" : "there is no segment");
        return;
    }

    gs_cli_audit_found(cli, v, unreadable);

    if (v->trimmed) {
        gs_cli_audit_trimmed(cli, v, removed);
    }

    if (v->fault.kind == GS_AUDIT_GOOD) {
        return;
    }

    fputs("  ", stdout);
    gs_cli_audit_text(v->fault.file);

    printf(cli->zh ? "：第 %llu 行，偏移 %llu，序号 %llu：%s：%s\n"
                      : ": line %llu, byte %llu, seq %llu: %s: %s\n",
           (unsigned long long) v->fault.line,
           (unsigned long long) v->fault.byte,
           (unsigned long long) v->fault.seq,
           gs_audit_kind_name(v->fault.kind),
           cli->zh ? v->fault.zh : v->fault.en);
}


static void
gs_cli_audit_trimmed(gs_cli_t *cli, const gs_audit_verify_t *v,
    const gs_cli_removed_t *removed)
{
    fputs(cli->zh ? "  留存清理已删除至 " : "  removed by retention up to ",
          stdout);
    gs_cli_print(stdout, &v->removed->to);
    fputs(cli->zh ? "，声明于 " : ", declared ", stdout);
    gs_cli_print(stdout, &v->removed->time);

    if (removed->checked) {
        puts(cli->zh ? "，已核验签名" : ", signed");

    } else {
        puts(cli->zh ? "，未核验签名（请用 --key）"
                     : ", signature not checked");
    }
}


void
gs_cli_audit_forged(gs_cli_t *cli, const gs_cli_removed_t *removed)
{
    gs_buf_t    b;
    gs_uchar_t  text[2048];

    if (!cli->json) {
        gs_cli_audit_text(removed->forged);
        printf(cli->zh ? "：forged：%s\n" : ": forged: %s\n",
               cli->zh ? removed->zh : removed->en);
        return;
    }

    gs_buf_init(&b, text, sizeof(text));
    gs_buf_char(&b, '{');
    gs_json_kv_text(&b, "chain", removed->forged);
    gs_json_kv_text(&b, "state", "tampered");
    gs_json_key(&b, "fault");
    gs_buf_char(&b, '{');
    gs_json_kv_text(&b, "kind", "forged");
    gs_json_kv_text(&b, "text", cli->zh ? removed->zh : removed->en);
    gs_buf_text(&b, "}}\n");

    (void) fwrite(text, 1, gs_buf_len(&b), stdout);
}


static void
gs_cli_audit_found(gs_cli_t *cli, const gs_audit_verify_t *v, int unreadable)
{
    printf(cli->zh ? "%llu 条记录，%llu 段"
                      : "%llu records in %llu segments",
           (unsigned long long) v->records, (unsigned long long) v->segments);

    if (v->started) {
        printf(cli->zh ? "，序号 %llu-%llu，" : ", seq %llu-%llu, ",
               (unsigned long long) v->first_seq,
               (unsigned long long) v->next_seq - 1);

        gs_cli_audit_text(v->first_time);
        printf(cli->zh ? " 至 " : " to ");
        gs_cli_audit_text(v->last_time);
    }

    if (v->lost != 0) {
        printf(cli->zh ? "，另有 %llu 条丢失" : ", %llu lost",
               (unsigned long long) v->lost);
    }

    if (v->fault.kind == GS_AUDIT_GOOD && !unreadable) {

        if (v->closed) {
            printf(cli->zh ? "，已正常结束" : ", closed");

        } else {
            fputs(cli->zh ? "，未结束：仍在写入、"
                             "被终止，或尾部被截去"
                             : ", not closed: running, killed, or cut off",
                  stdout);
        }
    }

    putchar('\n');
}


static void
gs_cli_audit_text(const char *text)
{
    gs_str_t  s;

    s = gs_str_text(text);
    gs_cli_print(stdout, &s);
}
