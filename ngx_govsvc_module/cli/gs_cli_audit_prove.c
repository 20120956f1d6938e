
/*
 * Copyright (C) govsvc authors
 *
 * govsvc audit prove and check-proof: one record, for those who have no
 * store.
 */


#include "audit/gs_audit_bundle.h"
#include "cli/gs_cli_audit_filter.h"
#include "cli/gs_cli_audit_note.h"
#include "cli/gs_cli_audit_prove.h"
#include "cli/gs_cli_sealed.h"

#include <stdlib.h>


typedef struct {
    gs_cli_t           *cli;
    const char         *dir;
    const char         *record;
    char                id[128];           /* "id":"..." */
    size_t              id_len;
    gs_audit_bundle_t   bundle;
    gs_audit_line_t     line;
    const char         *chain;
    gs_cli_lines_t      lines;
    gs_uchar_t          before[GS_AUDIT_LINE_MAX];
} gs_cli_prove_t;


static int gs_cli_prove_run(gs_cli_t *cli);
static gs_cli_prove_t *gs_cli_prove_make(gs_cli_t *cli, const char *record);
static int gs_cli_prove_find(gs_cli_prove_t *p);
static int gs_cli_prove_folder(gs_cli_prove_t *p, const char *folder);
static int gs_cli_prove_segment(gs_cli_prove_t *p);
static int gs_cli_prove_seal(gs_cli_prove_t *p);
static int gs_cli_prove_put(gs_cli_prove_t *p);
static int gs_cli_prove_check_run(gs_cli_t *cli);


static const gs_cli_option_t  gs_cli_prove_options[] = {
    { "seal", "DIR", "the folder of the sealer", "封存目录" },
    { "key", "PUBLIC", "public key of the seal, as text or file",
      "封存公钥，文本或文件" },
    GS_CLI_NOTE_OPTIONS,
    { NULL, NULL, NULL, NULL }
};


static const gs_cli_option_t  gs_cli_check_options[] = {
    { "key", "PUBLIC", "public key of the seal, as text or file",
      "封存公钥，文本或文件" },
    { NULL, NULL, NULL, NULL }
};


const gs_cli_verb_t  gs_cli_audit_prove = {
    "audit", "prove", "DIR RECORD_ID",
    "write one record with its proof, to be checked without the store",
    "导出一条记录及其证明，可脱离存储核验",
    "govsvc audit prove /var/lib/govsvc/audit gw-bj-01.17.1000 --seal "
    "/var/lib/govsvc/seal --key /etc/govsvc/seal/seal.pub > record.proof",
    gs_cli_prove_options,
    gs_cli_prove_run
};


const gs_cli_verb_t  gs_cli_audit_check_proof = {
    "audit", "check-proof", "FILE",
    "check a record that was written by prove",
    "核验由 prove 导出的记录",
    "govsvc audit check-proof record.proof --key seal.pub",
    gs_cli_check_options,
    gs_cli_prove_check_run
};


static int
gs_cli_prove_run(gs_cli_t *cli)
{
    int              rc;
    gs_cli_prove_t  *p;

    if (cli->argc != 2 || gs_cli_option(cli, "seal") == NULL) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "audit prove needs the "
                           "directory of govsvc_audit_store, the id of a "
                           "record, --seal and --key");
    }

    p = gs_cli_prove_make(cli, cli->argv[1]);

    if (p == NULL) {
        return GS_CLI_USAGE;
    }

    rc = gs_cli_audit_note(cli, cli->argv[0]);

    if (rc == GS_CLI_YES) {
        rc = gs_cli_prove_find(p);
    }

    if (rc == GS_CLI_YES) {
        rc = gs_cli_prove_seal(p);
    }

    return (rc == GS_CLI_YES) ? gs_cli_prove_put(p) : rc;
}


int
gs_cli_audit_proved(gs_cli_t *cli, const char *record)
{
    int              rc;
    gs_cli_prove_t  *p;

    p = gs_cli_prove_make(cli, record);

    if (p == NULL) {
        return GS_CLI_USAGE;
    }

    rc = gs_cli_prove_find(p);

    return (rc == GS_CLI_YES) ? gs_cli_prove_seal(p) : rc;
}


static gs_cli_prove_t *
gs_cli_prove_make(gs_cli_t *cli, const char *record)
{
    int              n;
    const char      *c;
    gs_cli_prove_t  *p;

    p = gs_calloc(cli->mem, 1, sizeof(gs_cli_prove_t));

    if (p == NULL) {
        (void) gs_cli_fail(cli, GS_CLI_READ, "out of memory");
        return NULL;
    }

    p->cli = cli;
    p->dir = cli->argv[0];
    p->record = record;
    n = snprintf(p->id, sizeof(p->id), "\"id\":\"%s\"", record);

    for (c = record; *c != '\0' && *c != '"' && *c != '\\'; c++) {
        /* void */
    }

    if (n < 0 || (size_t) n >= sizeof(p->id) || *c != '\0') {
        (void) gs_cli_fail(cli, GS_CLI_USAGE, "invalid id \"%s\"", record);
        return NULL;
    }

    p->id_len = (size_t) n;

    return p;
}


static int
gs_cli_prove_find(gs_cli_prove_t *p)
{
    int                  rc;
    size_t               i;
    const char          *name;
    gs_seal_file_list_t  folders, none;

    memset(&folders, 0, sizeof(gs_seal_file_list_t));
    memset(&none, 0, sizeof(gs_seal_file_list_t));

    if (gs_cli_audit_list_read(p->cli, p->dir, &folders, &none)
        != GS_OK)
    {
        return GS_CLI_READ;
    }

    for (i = 0; i < folders.n; i++) {
        name = gs_seal_base(folders.names[i]);

        /* node and epoch begin both names */

        if (strncmp(name, p->record,
                    (size_t) (strrchr(p->record, '.') == NULL ? 0
                              : strrchr(p->record, '.')
                                - p->record))
            != 0)
        {
            continue;
        }

        rc = gs_cli_prove_folder(p, folders.names[i]);

        if (rc != GS_CLI_NO) {
            p->chain = name;
            return rc;
        }
    }

    return gs_cli_fail(p->cli, GS_CLI_NO, "there is no record \"%s\"",
                       p->record);
}


static int
gs_cli_prove_folder(gs_cli_prove_t *p, const char *folder)
{
    int                  rc;
    size_t               i;
    gs_seal_file_list_t  segments;

    memset(&segments, 0, sizeof(gs_seal_file_list_t));

    if (gs_cli_audit_list_read(p->cli, folder, NULL, &segments) != GS_OK) {
        return GS_CLI_READ;
    }

    rc = GS_CLI_NO;

    for (i = 0; rc == GS_CLI_NO && i < segments.n; i++) {

        if (gs_cli_lines_open(&p->lines, p->cli, segments.names[i]) != GS_OK) {
            return GS_CLI_READ;
        }

        rc = gs_cli_prove_segment(p);

        gs_cli_lines_close(&p->lines);
    }

    return rc;
}


/* A line is looked at closely only where the record is in it. */

static int
gs_cli_prove_segment(gs_cli_prove_t *p)
{
    gs_rc_t          rc;
    gs_str_t         s, before;
    uint64_t         offset;
    gs_audit_line_t  line;

    memset(p->bundle.previous, 0, GS_AUDIT_HASH);
    before = gs_str_make(p->before, 0);

    for ( ;; ) {
        rc = gs_cli_lines_next(&p->lines, &s, &offset);

        if (rc != GS_OK) {
            return (rc == GS_DONE) ? GS_CLI_NO
                   : gs_cli_fail(p->cli, GS_CLI_READ, "cannot read a segment");
        }

        if (offset == 0
            && (gs_audit_scan(&s, &line) != GS_OK
                || gs_audit_alg_find(&line.alg, &p->bundle.alg) != GS_OK))
        {
            return gs_cli_fail(p->cli, GS_CLI_NO, "the segment names no hash; "
                               "see govsvc audit verify");
        }

        if (memmem(s.data, s.len, p->id, p->id_len) != NULL) {
            break;
        }

        if (s.len > sizeof(p->before)) {
            s.len = sizeof(p->before);
        }

        memcpy(p->before, s.data, s.len);
        before.len = s.len;
    }

    if (before.len != 0) {

        if (gs_audit_scan(&before, &line) != GS_OK) {
            return gs_cli_fail(p->cli, GS_CLI_NO, "a line before the record "
                               "is none; see govsvc audit verify");
        }

        memcpy(p->bundle.previous, line.h, GS_AUDIT_HASH);
    }

    p->bundle.line = gs_str_dup(p->cli->mem, &s);

    return (p->bundle.line.data != NULL) ? GS_CLI_YES
           : gs_cli_fail(p->cli, GS_CLI_READ, "out of memory");
}


static int
gs_cli_prove_seal(gs_cli_prove_t *p)
{
    int                     rc;
    gs_rc_t                 found;
    gs_err_t                err;
    gs_cli_sealed_t        *s;
    gs_audit_tiles_t        tiles;
    gs_audit_checkpoint_t   point;

    s = gs_alloc(p->cli->mem, sizeof(gs_cli_sealed_t));

    if (s == NULL) {
        return gs_cli_fail(p->cli, GS_CLI_READ, "out of memory");
    }

    rc = gs_cli_sealed_start(s, p->cli, gs_cli_seal_public);

    if (rc == GS_CLI_YES && s->kind == NULL) {
        rc = gs_cli_sealed_index(s);
    }

    if (rc != GS_CLI_YES || s->kind != NULL) {
        gs_cli_sealed_free(s);
        return (rc != GS_CLI_YES) ? rc
               : gs_cli_fail(p->cli, GS_CLI_NO, "%s: %s", s->kind,
                             p->cli->zh ? s->zh : s->en);
    }

    (void) gs_audit_scan(&p->bundle.line, &p->line);
    gs_cli_sealed_chain(s, p->chain, NULL);

    found = gs_cli_sealed_leaf(s, p->line.seq, p->line.h, &p->bundle.index);

    if (found != GS_OK) {
        gs_cli_sealed_free(s);
        return (found == GS_ERROR)
               ? gs_cli_fail(p->cli, GS_CLI_READ, "a tile or the index cannot "
                             "be read")
               : gs_cli_fail(p->cli, GS_CLI_INCOMPLETE, "the record is not "
                           "sealed, or was changed; see govsvc audit verify "
                           "--seal");
    }

    p->bundle.note = gs_str_make(s->note, s->note_len);

    tiles.hasher = &s->hasher;
    tiles.read = gs_seal_node;
    tiles.data = s->tiles;
    memset(&err, 0, sizeof(gs_err_t));

    if (gs_audit_tree_include(&tiles, s->size, p->bundle.index,
                              &p->bundle.path)
        != GS_OK)
    {
        rc = gs_cli_fail(p->cli, GS_CLI_READ, "a tile cannot be read");

    } else if (gs_audit_bundle_check(&p->bundle, &s->keys.keys[s->signer],
                                     &point, &err)
               != GS_OK)
    {
        rc = gs_cli_fail(p->cli, GS_CLI_NO, "%s", err.text);
    }

    gs_cli_sealed_free(s);

    return rc;
}


static int
gs_cli_prove_put(gs_cli_prove_t *p)
{
    char      *text;
    gs_buf_t   b;

    text = gs_alloc(p->cli->mem, GS_AUDIT_BUNDLE_MAX);

    if (text == NULL) {
        return gs_cli_fail(p->cli, GS_CLI_READ, "out of memory");
    }

    gs_buf_init(&b, text, GS_AUDIT_BUNDLE_MAX);
    gs_audit_bundle_put(&b, &p->bundle);

    if (b.overflow
        || fwrite(text, 1, gs_buf_len(&b), stdout) != gs_buf_len(&b)
        || fflush(stdout) != 0)
    {
        return gs_cli_fail(p->cli, GS_CLI_READ, "cannot write the proof");
    }

    return GS_CLI_YES;
}


static int
gs_cli_prove_check_run(gs_cli_t *cli)
{
    int                     rc;
    gs_rc_t                 good;
    gs_err_t                err;
    gs_str_t                text;
    unsigned                i;
    gs_seal_keys_t          keys;
    gs_audit_bundle_t      *bundle;
    gs_audit_checkpoint_t   point;

    if (cli->argc != 1) {
        return gs_cli_fail(cli, GS_CLI_USAGE, "audit check-proof needs one "
                           "file");
    }

    rc = gs_cli_seal_public(cli, &keys);

    if (rc != GS_CLI_YES) {
        gs_seal_keys_free(&keys);
        return rc;
    }

    bundle = gs_alloc(cli->mem, sizeof(gs_audit_bundle_t));
    memset(&err, 0, sizeof(gs_err_t));
    good = GS_ERROR;

    if (bundle == NULL || gs_cli_read(cli, cli->argv[0], &text) != GS_OK) {
        gs_seal_keys_free(&keys);
        return GS_CLI_READ;
    }

    if (gs_audit_bundle_parse(&text, bundle) != GS_OK) {
        gs_seal_keys_free(&keys);
        return gs_cli_fail(cli, GS_CLI_NO, "\"%s\" is no proof of a record",
                           cli->argv[0]);
    }

    for (i = 0; good != GS_OK && i < keys.n; i++) {
        good = gs_audit_bundle_check(bundle, &keys.keys[i], &point, &err);
    }

    gs_seal_keys_free(&keys);

    if (good != GS_OK) {
        return gs_cli_fail(cli, good == GS_ERROR ? GS_CLI_READ : GS_CLI_NO,
                           "%s", err.text);
    }

    gs_cli_audit_show(cli, &bundle->line);

    if (!cli->json) {
        printf(cli->zh ? "已证明：此记录是 " : "proved: this record is in ");
        gs_cli_print(stdout, &point.origin);
        printf(cli->zh ? " 已签署的 %llu 行之一（第 %llu 行）\n"
                       : ", of %llu lines that were signed, number %llu\n",
               (unsigned long long) point.size,
               (unsigned long long) bundle->index);
    }

    return GS_CLI_YES;
}
