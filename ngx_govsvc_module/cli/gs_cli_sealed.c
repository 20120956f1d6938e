
/*
 * Copyright (C) govsvc authors
 *
 * govsvc audit verify: compares the lines of chains with the leaves.
 */


#include "cli/gs_cli_sealed.h"
#include "core/gs_json_out.h"

#include <stdlib.h>


static int gs_cli_sealed_match(gs_cli_sealed_t *s, uint64_t seq,
    const gs_uchar_t *h);
static void gs_cli_sealed_fault(gs_cli_sealed_t *s, const char *kind,
    const char *chain, uint64_t seq, const char *en, const char *zh);
static int gs_cli_sealed_require(gs_cli_sealed_t *s);
static void gs_cli_sealed_words(gs_cli_sealed_t *s, const char *state);
static void gs_cli_sealed_json(gs_cli_sealed_t *s, const char *state);


void
gs_cli_sealed_chain(gs_cli_sealed_t *s, const char *name)
{
    s->chain = gs_cli_sealed_find(s, name);
    s->sealed = 0;
    s->after = 0;
    s->wrong = 0;

    if (s->chain != NULL) {
        s->chain->seen = 1;
        s->chain->at = 0;
    }
}


void
gs_cli_sealed_line(void *data, const gs_audit_line_t *line)
{
    gs_cli_sealed_t *s = data;

    size_t                  i;
    gs_cli_sealed_chain_t  *c;

    c = s->chain;

    if (gs_cli_sealed_match(s, line->seq, line->h)) {
        s->sealed++;
        return;
    }

    s->after++;

    if (s->wrong || s->failed || c == NULL) {
        return;
    }

    for (i = 0; i < c->n; i++) {
        if (line->seq >= c->runs[i].seq
            && line->seq - c->runs[i].seq < c->runs[i].n)
        {
            gs_cli_sealed_fault(s, "fork", c->name, line->seq,
                                "is not the line that was sealed",
                                "不是已封存的那一行");
            return;
        }
    }
}


int
gs_cli_sealed_given_up(gs_cli_sealed_t *s, uint64_t seq, const gs_uchar_t *h)
{
    if (s->chain != NULL) {
        s->chain->at = 0;
    }

    return gs_cli_sealed_match(s, seq, h);
}


/* Runs overlap only where a sync failed; most lines are in the current. */

static int
gs_cli_sealed_match(gs_cli_sealed_t *s, uint64_t seq, const gs_uchar_t *h)
{
    size_t                  i;
    gs_rc_t                 rc;
    gs_uchar_t              want[GS_AUDIT_HASH], leaf[GS_AUDIT_HASH];
    gs_cli_sealed_run_t    *run;
    gs_cli_sealed_chain_t  *c;

    c = s->chain;

    if (c == NULL || gs_audit_tree_leaf(&s->hasher, h, leaf) != GS_OK) {
        return 0;
    }

    for (i = c->at; i < c->n; i++) {
        run = &c->runs[i];

        if (seq < run->seq || seq - run->seq >= run->n) {
            continue;
        }

        rc = gs_cli_seal_node(s->tiles, 0, run->leaf + (seq - run->seq), want);

        if (rc == GS_ERROR) {
            s->failed = 1;
            return 0;
        }

        if (rc == GS_OK && memcmp(want, leaf, GS_AUDIT_HASH) == 0) {
            run->got++;
            c->at = i;
            return 1;
        }
    }

    return 0;
}


void
gs_cli_sealed_chain_end(gs_cli_sealed_t *s, int bad)
{
    size_t                  i;
    gs_cli_sealed_chain_t  *c;

    c = s->chain;
    s->all_sealed += s->sealed;
    s->all_after += s->after;

    for (i = 0; c != NULL && !bad && !s->wrong && i < c->n; i++) {

        if (c->runs[i].got >= c->runs[i].n) {
            continue;
        }

        gs_cli_sealed_fault(s, s->sealed == 0 ? "delete" : "truncate",
                            c->name, c->runs[i].seq + c->runs[i].got,
                            "lines that were sealed are missing",
                            "已封存的行缺失");
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


int
gs_cli_sealed_end(gs_cli_sealed_t *s, int whole)
{
    int          code;
    size_t       i;
    const char  *state;

    for (i = 0; whole && s->kind == NULL && i < s->nchains; i++) {

        if (!s->chains[i]->seen) {
            gs_cli_sealed_fault(s, "delete", s->chains[i]->name, 0,
                                "the chain was sealed and is missing",
                                "已封存的链缺失");
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
