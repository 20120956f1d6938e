
/*
 * Copyright (C) govsvc authors
 *
 * The index of a seal, which is larger than memory.
 *
 * It is read once from end to end.  Of each chain it is kept only where its
 * runs begin and end; they are read again between these when the chain is
 * asked for.  Chains that live at the same time share the lines between.
 * Names are not kept but their hash, keyed by chance.
 */


#include "cli/gs_cli_sealed.h"

#include <stdlib.h>
#include <sys/random.h>


static gs_rc_t gs_cli_sealed_note_run(gs_cli_sealed_t *s,
    const gs_audit_run_t *run, uint64_t offset);
static gs_cli_sealed_chain_t *gs_cli_sealed_entry(gs_cli_sealed_t *s,
    uint64_t key);
static gs_cli_sealed_chain_t *gs_cli_sealed_add(gs_cli_sealed_t *s,
    uint64_t key);
static gs_rc_t gs_cli_sealed_grow(gs_cli_sealed_t *s);
static int gs_cli_sealed_scan(gs_cli_sealed_t *s, gs_cli_sealed_run_t *out);


int
gs_cli_sealed_index(gs_cli_sealed_t *s)
{
    char            path[GS_SEAL_PATH];
    gs_rc_t         rc;
    gs_str_t        line;
    uint64_t        leaf, offset;
    gs_audit_run_t  run;

    if (gs_seal_path(&s->log, path, s->path, "index") != GS_OK
        || gs_cli_lines_open(&s->index, s->cli, path) != GS_OK)
    {
        return GS_CLI_READ;
    }

    if (getrandom(&s->sip, sizeof(s->sip), 0) != (ssize_t) sizeof(s->sip)) {
        return gs_cli_fail(s->cli, GS_CLI_READ, "no random numbers");
    }

    for (leaf = 0; leaf < s->size; leaf += run.n) {
        rc = gs_cli_lines_next(&s->index, &line, &offset);

        if (rc == GS_ERROR) {
            return gs_cli_fail(s->cli, GS_CLI_READ, "cannot read \"%s\"",
                               path);
        }

        if (rc != GS_OK || gs_audit_run_parse(&line, &run) != GS_OK
            || run.leaf != leaf || run.n > s->size - leaf)
        {
            break;
        }

        if (gs_cli_sealed_note_run(s, &run, offset) != GS_OK) {
            return gs_cli_fail(s->cli, GS_CLI_READ, "out of memory");
        }
    }

    if (leaf != s->size) {
        gs_cli_sealed_bad(s, "edit", "the index does not tell of each leaf",
                          "索引与封存点不符");
    }

    return GS_CLI_YES;
}


static gs_rc_t
gs_cli_sealed_note_run(gs_cli_sealed_t *s, const gs_audit_run_t *run,
    uint64_t offset)
{
    uint64_t                key;
    gs_cli_sealed_chain_t  *c;

    key = gs_siphash(&s->sip, run->chain.data, run->chain.len);
    c = gs_cli_sealed_entry(s, key);

    if (c == NULL) {
        c = gs_cli_sealed_add(s, key);

        if (c == NULL) {
            return GS_ERROR;
        }

        c->first = offset;
    }

    c->last = offset;

    return GS_OK;
}


static gs_cli_sealed_chain_t *
gs_cli_sealed_entry(gs_cli_sealed_t *s, uint64_t key)
{
    size_t  i;

    if (s->max == 0) {
        return NULL;
    }

    for (i = key & (2 * s->max - 1);
         s->slots[i] != 0;
         i = (i + 1) & (2 * s->max - 1))
    {
        if (s->chains[s->slots[i] - 1].key == key) {
            return &s->chains[s->slots[i] - 1];
        }
    }

    return NULL;
}


static gs_cli_sealed_chain_t *
gs_cli_sealed_add(gs_cli_sealed_t *s, uint64_t key)
{
    size_t                  i;
    gs_cli_sealed_chain_t  *c;

    if (s->nchains == s->max && gs_cli_sealed_grow(s) != GS_OK) {
        return NULL;
    }

    for (i = key & (2 * s->max - 1);
         s->slots[i] != 0;
         i = (i + 1) & (2 * s->max - 1))
    {
        /* void */
    }

    c = &s->chains[s->nchains++];
    s->slots[i] = (uint32_t) s->nchains;

    memset(c, 0, sizeof(gs_cli_sealed_chain_t));
    c->key = key;

    return c;
}


/* A power of two, half of the slots. */

static gs_rc_t
gs_cli_sealed_grow(gs_cli_sealed_t *s)
{
    size_t                  i, k, max;
    uint32_t               *slots;
    gs_cli_sealed_chain_t  *chains;

    max = (s->max == 0) ? 64 : s->max * 2;
    slots = gs_calloc(&gs_mem_libc, 2 * max, sizeof(uint32_t));
    chains = gs_calloc(&gs_mem_libc, max, sizeof(gs_cli_sealed_chain_t));

    if (slots == NULL || chains == NULL) {
        gs_free(&gs_mem_libc, slots);
        gs_free(&gs_mem_libc, chains);
        return GS_ERROR;
    }

    for (k = 0; k < s->nchains; k++) {
        chains[k] = s->chains[k];

        for (i = chains[k].key & (2 * max - 1);
             slots[i] != 0;
             i = (i + 1) & (2 * max - 1))
        {
            /* void */
        }

        slots[i] = (uint32_t) k + 1;
    }

    gs_free(&gs_mem_libc, s->slots);
    gs_free(&gs_mem_libc, s->chains);

    s->slots = slots;
    s->chains = chains;
    s->max = max;

    return GS_OK;
}


gs_cli_sealed_chain_t *
gs_cli_sealed_find(gs_cli_sealed_t *s, const char *name)
{
    return gs_cli_sealed_entry(s, gs_siphash(&s->sip, name, strlen(name)));
}


/* The next run of this chain; 0 if there is none, or it cannot be read. */

static int
gs_cli_sealed_scan(gs_cli_sealed_t *s, gs_cli_sealed_run_t *out)
{
    gs_rc_t         rc;
    gs_str_t        line;
    uint64_t        offset;
    gs_audit_run_t  run;

    while (s->next <= s->chain->last) {

        gs_cli_lines_seek(&s->index, s->next);
        rc = gs_cli_lines_next(&s->index, &line, &offset);

        if (rc != GS_OK || gs_audit_run_parse(&line, &run) != GS_OK) {
            s->failed = 1;
            return 0;
        }

        s->next = offset + line.len + 1;

        if (gs_str_eq_text(&run.chain, s->name) && run.leaf < s->size) {
            out->leaf = run.leaf;
            out->seq = run.seq;
            out->n = run.n;
            out->got = 0;
            return 1;
        }
    }

    return 0;
}


void
gs_cli_sealed_first(gs_cli_sealed_t *s)
{
    s->has_run = 0;
    s->has_peek = 0;

    if (s->chain != NULL) {
        s->next = s->chain->first;
        s->has_run = (gs_cli_sealed_scan(s, &s->run) != 0);
        s->has_peek = (s->has_run && gs_cli_sealed_scan(s, &s->peek));
    }
}


void
gs_cli_sealed_step(gs_cli_sealed_t *s)
{
    s->run = s->peek;
    s->has_run = s->has_peek;
    s->has_peek = (s->has_run && gs_cli_sealed_scan(s, &s->peek));
}


gs_rc_t
gs_cli_sealed_leaf(gs_cli_sealed_t *s, uint64_t seq, const gs_uchar_t *h,
    uint64_t *index)
{
    gs_uchar_t           want[GS_AUDIT_HASH], leaf[GS_AUDIT_HASH];
    gs_cli_sealed_run_t  run;

    if (s->chain == NULL || gs_audit_tree_leaf(&s->hasher, h, leaf) != GS_OK) {
        return GS_DECLINED;
    }

    s->next = s->chain->first;

    while (gs_cli_sealed_scan(s, &run)) {

        if (seq < run.seq || seq - run.seq >= run.n) {
            continue;
        }

        *index = run.leaf + (seq - run.seq);

        if (gs_seal_node(s->tiles, 0, *index, want) != GS_OK) {
            return GS_ERROR;
        }

        if (memcmp(want, leaf, GS_AUDIT_HASH) == 0) {
            return GS_OK;
        }
    }

    return s->failed ? GS_ERROR : GS_DECLINED;
}


gs_rc_t
gs_cli_sealed_name(gs_cli_sealed_t *s, const gs_cli_sealed_chain_t *c,
    char *name, uint64_t *next)
{
    gs_str_t        line;
    uint64_t        offset;
    gs_audit_run_t  run;

    gs_cli_lines_seek(&s->index, c->last);

    if (gs_cli_lines_next(&s->index, &line, &offset) != GS_OK
        || gs_audit_run_parse(&line, &run) != GS_OK
        || run.chain.len >= GS_AUDIT_NAME_MAX)
    {
        return GS_ERROR;
    }

    memcpy(name, run.chain.data, run.chain.len);
    name[run.chain.len] = '\0';
    *next = run.seq + run.n;

    return GS_OK;
}
