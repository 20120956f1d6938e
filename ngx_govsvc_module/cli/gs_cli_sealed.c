
/*
 * Copyright (C) govsvc authors
 *
 * govsvc audit verify: compares the lines of chains with the leaves.
 */


#include "cli/gs_cli_sealed.h"
#include "core/gs_json_out.h"

#include <stdlib.h>


static void gs_cli_sealed_skip(gs_cli_sealed_t *s, uint64_t seq);
static int gs_cli_sealed_match(gs_cli_sealed_t *s, uint64_t seq,
    const gs_uchar_t *h);
static void gs_cli_sealed_missing(gs_cli_sealed_t *s);
static void gs_cli_sealed_gone(gs_cli_sealed_t *s,
    gs_cli_sealed_chain_t *c);
static void gs_cli_sealed_fault(gs_cli_sealed_t *s, const char *kind,
    const char *chain, uint64_t seq, const char *en, const char *zh);
static int gs_cli_sealed_require(gs_cli_sealed_t *s);
static void gs_cli_sealed_words(gs_cli_sealed_t *s, const char *state);
static void gs_cli_sealed_json(gs_cli_sealed_t *s, const char *state);


void
gs_cli_sealed_chain(gs_cli_sealed_t *s, const char *name,
    const gs_audit_retention_t *removed)
{
    s->chain = gs_cli_sealed_find(s, name);
    s->name = name;
    s->removed = removed;
    s->begun = 0;
    s->sealed = 0;
    s->after = 0;
    s->wrong = 0;

    if (s->chain != NULL) {
        s->chain->seen = 1;
    }

    gs_cli_sealed_first(s);
}


void
gs_cli_sealed_line(void *data, const gs_audit_line_t *line)
{
    gs_cli_sealed_t *s = data;

    if (!s->begun) {
        s->begun = 1;

        if (s->removed != NULL && line->seq != 0) {
            gs_cli_sealed_skip(s, line->seq);
        }
    }

    for ( ;; ) {

        if (gs_cli_sealed_match(s, line->seq, line->h)) {
            s->sealed++;
            return;
        }

        if (s->failed || s->wrong || !s->has_run) {
            s->after++;
            return;
        }

        /* the run waits for another line */

        if (line->seq >= s->run.seq && line->seq - s->run.seq < s->run.n) {
            gs_cli_sealed_fault(s, "fork", s->name, line->seq,
                                "is not the line that was sealed",
                                "不是已封存的那一行");
            s->after++;
            return;
        }

        gs_cli_sealed_missing(s);
        gs_cli_sealed_step(s);
    }
}


/* What a retention has removed was sealed, up to the line it names. */

static void
gs_cli_sealed_skip(gs_cli_sealed_t *s, uint64_t seq)
{
    uint64_t  index;

    if (seq > s->removed->next) {
        return;
    }

    if (gs_cli_sealed_leaf(s, s->removed->next - 1, s->removed->h, &index)
        == GS_DECLINED)
    {
        gs_cli_sealed_fault(s, "forged", s->name, s->removed->next - 1,
                            "a retention has declared a line that was not "
                            "sealed", "留存清理声明的行并未封存");
    }

    gs_cli_sealed_first(s);

    while (s->has_peek && s->peek.seq <= seq) {
        gs_cli_sealed_step(s);
    }

    if (s->has_run && s->run.seq <= seq && seq - s->run.seq <= s->run.n) {
        s->run.got = seq - s->run.seq;
    }
}


int
gs_cli_sealed_given_up(gs_cli_sealed_t *s, uint64_t seq, const gs_uchar_t *h)
{
    return gs_cli_sealed_match(s, seq, h);
}


/* Lines come in the order of their leaves. */

static int
gs_cli_sealed_match(gs_cli_sealed_t *s, uint64_t seq, const gs_uchar_t *h)
{
    gs_rc_t     rc;
    gs_uchar_t  want[GS_AUDIT_HASH], leaf[GS_AUDIT_HASH];

    while (s->has_run && s->run.got == s->run.n) {
        gs_cli_sealed_step(s);
    }

    if (!s->has_run || seq != s->run.seq + s->run.got
        || gs_audit_tree_leaf(&s->hasher, h, leaf) != GS_OK)
    {
        return 0;
    }

    rc = gs_seal_node(s->tiles, 0, s->run.leaf + s->run.got, want);

    if (rc == GS_ERROR) {
        s->failed = 1;
        return 0;
    }

    if (rc != GS_OK || memcmp(want, leaf, GS_AUDIT_HASH) != 0) {
        return 0;
    }

    s->run.got++;

    return 1;
}


static void
gs_cli_sealed_missing(gs_cli_sealed_t *s)
{
    gs_cli_sealed_fault(s, s->sealed == 0 ? "delete" : "truncate", s->name,
                        s->run.seq + s->run.got,
                        "lines that were sealed are missing",
                        "已封存的行缺失");
}


void
gs_cli_sealed_chain_end(gs_cli_sealed_t *s, int bad)
{
    s->all_sealed += s->sealed;
    s->all_after += s->after;

    while (s->has_run && s->run.got == s->run.n) {
        gs_cli_sealed_step(s);
    }

    if (s->has_run && !bad && !s->wrong && !s->failed) {
        gs_cli_sealed_missing(s);
    }

    if (!s->cli->json && s->after != 0) {
        printf(s->cli->zh ? "  最后封存点之后 %llu 行：已成链，未封存\n"
                          : "  %llu lines after the last checkpoint: chained, "
                            "not sealed\n", (unsigned long long) s->after);
    }

    s->chain = NULL;
}


/* The first one is told. */

static void
gs_cli_sealed_fault(gs_cli_sealed_t *s, const char *kind, const char *chain,
    uint64_t seq, const char *en, const char *zh)
{
    s->wrong = 1;

    if (s->kind != NULL) {
        return;
    }

    s->kind = kind;
    s->en = en;
    s->zh = zh;
    s->bad = seq;
    (void) snprintf(s->bad_chain, sizeof(s->bad_chain), "%s", chain);
}


static void
gs_cli_sealed_gone(gs_cli_sealed_t *s, gs_cli_sealed_chain_t *c)
{
    char                         name[GS_AUDIT_NAME_MAX];
    gs_rc_t                      rc;
    uint64_t                     next, index;
    const gs_audit_retention_t  *r;

    if (gs_cli_sealed_name(s, c, name, &next) != GS_OK) {
        s->failed = 1;
        return;
    }

    r = (s->removals != NULL) ? gs_cli_removed_find(s->removals, name) : NULL;

    if (r != NULL && r->whole && r->next == next) {
        s->chain = c;
        s->name = name;
        rc = gs_cli_sealed_leaf(s, next - 1, r->h, &index);
        s->chain = NULL;

        if (rc == GS_OK) {
            return;
        }
    }

    gs_cli_sealed_fault(s, "delete", name, 0,
                        "the chain was sealed and is missing",
                        "已封存的链缺失");
}


int
gs_cli_sealed_end(gs_cli_sealed_t *s, int whole)
{
    int          code;
    size_t       i;
    const char  *state;

    for (i = 0; whole && s->kind == NULL && i < s->nchains; i++) {
        if (!s->chains[i].seen) {
            gs_cli_sealed_gone(s, &s->chains[i]);
        }
    }

    code = gs_cli_sealed_require(s);
    state = (s->kind != NULL) ? "tampered" : "ok";

    if (code == GS_CLI_YES && s->kind != NULL) {
        code = GS_CLI_NO;
    }

    if (s->kind != NULL && strcmp(s->kind, "unsealed") == 0) {
        state = "unsealed";
    }

    if (code == GS_CLI_YES && s->failed) {
        code = GS_CLI_READ;
        state = "unreadable";
    }

    if (s->cli->json) {
        gs_cli_sealed_json(s, state);

    } else {
        gs_cli_sealed_words(s, state);
    }

    return code;
}


static int
gs_cli_sealed_require(gs_cli_sealed_t *s)
{
    const char  *require;

    require = gs_cli_option(s->cli, "require");

    if (require == NULL || s->kind != NULL) {
        return GS_CLI_YES;
    }

    if (s->all_after != 0) {
        gs_cli_sealed_fault(s, "unsealed", "", s->all_after,
                            "lines after the last checkpoint",
                            "最后封存点之后仍有未封存的行");

    } else if (strcmp(require, "anchored") == 0 && s->anchored != s->size) {
        gs_cli_sealed_fault(s, "unsealed", "", s->size - s->anchored,
                            "lines after the checkpoint kept elsewhere",
                            "异处保存的封存点之后仍有行");
    }

    return GS_CLI_YES;
}


static void
gs_cli_sealed_words(gs_cli_sealed_t *s, const char *state)
{
    gs_str_t  text;

    fputs(s->cli->zh ? "封存 " : "seal ", stdout);
    text = gs_str_text(s->origin);
    gs_cli_print(stdout, &text);
    printf(s->cli->zh ? "：%s，%llu 行封存于 " : ": %s, %llu lines sealed at ",
           state, (unsigned long long) s->size);
    text = gs_str_text(s->time);
    gs_cli_print(stdout, &text);

    if (s->all_after != 0) {
        printf(s->cli->zh ? "，其后 %llu 行已成链、未封存"
                          : ", %llu after it: chained, not sealed",
               (unsigned long long) s->all_after);
    }

    putchar('\n');

    if (s->kind == NULL) {
        return;
    }

    fputs("  ", stdout);

    if (s->bad_chain[0] != '\0') {
        text = gs_str_text(s->bad_chain);
        gs_cli_print(stdout, &text);
        printf(s->cli->zh ? "：序号 %llu：" : ": seq %llu: ",
               (unsigned long long) s->bad);

    } else if (strcmp(s->kind, "unsealed") == 0) {
        printf("%llu: ", (unsigned long long) s->bad);
    }

    printf(s->cli->zh ? "%s：%s\n" : "%s: %s\n", s->kind,
           s->cli->zh ? s->zh : s->en);
}


static void
gs_cli_sealed_json(gs_cli_sealed_t *s, const char *state)
{
    gs_buf_t    b;
    gs_uchar_t  text[4096];

    gs_buf_init(&b, text, sizeof(text));
    gs_buf_char(&b, '{');
    gs_json_kv_text(&b, "seal", s->origin);
    gs_json_kv_text(&b, "state", state);
    gs_json_kv_text(&b, "time", s->time);
    gs_json_kv_u64(&b, "size", s->size);
    gs_json_kv_u64(&b, "sealed", s->all_sealed);
    gs_json_kv_u64(&b, "after", s->all_after);

    if (s->kind != NULL) {
        gs_json_key(&b, "fault");
        gs_buf_char(&b, '{');
        gs_json_kv_text(&b, "kind", s->kind);
        gs_json_kv_text(&b, "chain", s->bad_chain);
        gs_json_kv_u64(&b, "seq", s->bad);
        gs_json_kv_text(&b, "text", s->cli->zh ? s->zh : s->en);
        gs_buf_char(&b, '}');
    }

    gs_buf_text(&b, "}\n");

    (void) fwrite(text, 1, gs_buf_len(&b), stdout);
}
