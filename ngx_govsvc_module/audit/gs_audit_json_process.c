
/*
 * Copyright (C) govsvc authors
 *
 * Lines about the server itself: its life, its configuration, its clock.
 */


#include "audit/gs_audit_json_priv.h"
#include "core/gs_json_out.h"
#include "core/gs_time.h"
#include "core/gs_utf8.h"


#define GS_AUDIT_CFG_PATH  1024            /* bytes of a name, at most */


static void gs_audit_json_number(gs_buf_t *b, const char *key, uint64_t n);
static void gs_audit_json_keys(gs_buf_t *b, const gs_audit_cfg_t *cfg);
static void gs_audit_json_file(gs_buf_t *b, const gs_audit_cfg_t *cfg,
    const gs_audit_cfg_file_t *file);


size_t
gs_audit_json_sys(gs_buf_t *b, const gs_audit_sys_t *sys)
{
    size_t    head;
    gs_buf_t  draft;

    draft = gs_audit_json_draft(b);

    gs_audit_json_begin(&draft, "sys", &sys->node, sys->epoch, sys->g);
    gs_json_kv_text(&draft, "st", sys->what);

    head = gs_buf_len(&draft);

    gs_json_kv_u64(&draft, "g", sys->g);
    gs_audit_json_kv_time(&draft, "t", sys->time);
    gs_json_kv_u64(&draft, "mono", sys->mono);

    if (sys->name.len != 0) {
        (void) gs_json_kv_str(&draft, "node", &sys->name);
    }

    gs_json_kv_u64(&draft, "gen", sys->epoch);
    gs_audit_json_number(&draft, "old", sys->former);

    if (sys->version != NULL) {
        gs_json_kv_text(&draft, "ver", sys->version);
    }

    if (sys->server != NULL) {
        gs_json_kv_text(&draft, "server", sys->server);
    }

    if (sys->digests) {
        gs_json_kv_text(&draft, "alg", sys->alg);
        gs_audit_json_kv_hash(&draft, "bin", sys->binary);
        gs_audit_json_kv_hash(&draft, "mod", sys->module);
    }

    gs_audit_json_number(&draft, "pid", sys->pid);
    gs_audit_json_number(&draft, "ppid", sys->parent);

    if (sys->has_uid) {
        gs_json_kv_u64(&draft, "uid", sys->uid);
    }

    if (sys->has_login) {
        gs_json_kv_u64(&draft, "login", sys->login);
    }

    gs_audit_json_number(&draft, "workers", sys->workers);
    gs_audit_json_number(&draft, "sig", sys->signal);

    if (sys->has_status) {
        gs_json_kv_u64(&draft, "exit", sys->status);
    }

    if (sys->why != NULL) {
        gs_json_kv_text(&draft, "why", sys->why);
    }

    return gs_audit_json_ready(b, &draft, head);
}


static void
gs_audit_json_number(gs_buf_t *b, const char *key, uint64_t n)
{
    if (n != 0) {
        gs_json_kv_u64(b, key, n);
    }
}


size_t
gs_audit_json_step(gs_buf_t *b, const gs_audit_step_t *step)
{
    size_t    head;
    gs_buf_t  draft;

    draft = gs_audit_json_draft(b);

    gs_audit_json_begin(&draft, "clock.step", &step->node, step->epoch,
                        step->g);

    head = gs_buf_len(&draft);

    gs_json_kv_u64(&draft, "g", step->g);
    gs_audit_json_kv_time(&draft, "t", step->to);
    gs_json_kv_u64(&draft, "mono", step->mono);
    gs_audit_json_kv_time(&draft, "from", step->from);
    gs_audit_json_kv_time(&draft, "to", step->to);

    gs_json_key(&draft, "us");
    gs_buf_i64(&draft, (int64_t) (step->to - step->from));

    return gs_audit_json_ready(b, &draft, head);
}


size_t
gs_audit_json_cfg(gs_buf_t *b, const gs_audit_cfg_t *cfg, size_t *next)
{
    size_t    head, i;
    gs_buf_t  draft, before;

    draft = gs_audit_json_draft(b);

    if ((size_t) (draft.last - draft.pos) > GS_AUDIT_DRAFT_MAX) {
        draft.last = draft.pos + GS_AUDIT_DRAFT_MAX;
    }

    gs_audit_json_begin(&draft, "cfg", &cfg->node, cfg->epoch, cfg->g);

    head = gs_buf_len(&draft);

    gs_json_kv_u64(&draft, "g", cfg->g);
    gs_audit_json_kv_time(&draft, "t", cfg->time);
    gs_json_kv_u64(&draft, "gen", cfg->epoch);
    gs_json_kv_u64(&draft, "part", cfg->part);
    gs_json_kv_u64(&draft, "n", cfg->nfiles);
    gs_json_kv_text(&draft, "alg", cfg->alg);
    gs_audit_json_kv_hash(&draft, "sum", cfg->sum);

    if (cfg->has_former) {
        gs_audit_json_kv_hash(&draft, "old", cfg->former);
    }

    gs_audit_json_keys(&draft, cfg);

    gs_json_key(&draft, "files");
    gs_buf_char(&draft, '[');

    if (draft.overflow || draft.pos == draft.last) {
        return 0;
    }

    /* room for the end of the row */

    draft.last--;

    for (i = *next; i < cfg->nfiles; i++) {

        before = draft;

        if (i != *next) {
            gs_buf_char(&draft, ',');
        }

        gs_audit_json_file(&draft, cfg, &cfg->files[i]);

        if (draft.overflow) {
            draft = before;
            break;
        }
    }

    draft.last++;
    gs_buf_char(&draft, ']');

    if (i == *next && i < cfg->nfiles) {
        return 0;
    }

    head = gs_audit_json_ready(b, &draft, head);

    if (head != 0) {
        *next = i;
    }

    return head;
}


static void
gs_audit_json_keys(gs_buf_t *b, const gs_audit_cfg_t *cfg)
{
    size_t  i;

    if (cfg->nkeys == 0) {
        return;
    }

    gs_json_key(b, "keys");
    gs_buf_char(b, '[');

    for (i = 0; i < cfg->nkeys; i++) {

        if (i != 0) {
            gs_buf_char(b, ',');
        }

        gs_buf_char(b, '{');
        gs_json_kv_u64(b, "kid", cfg->keys[i].kid);

        if (cfg->keys[i].from != 0) {
            gs_audit_json_kv_time(b, "from", cfg->keys[i].from);
        }

        gs_buf_char(b, '}');
    }

    gs_buf_char(b, ']');
}


static void
gs_audit_json_file(gs_buf_t *b, const gs_audit_cfg_t *cfg,
    const gs_audit_cfg_file_t *file)
{
    gs_str_t  path;

    path = file->path;

    if (path.len > GS_AUDIT_CFG_PATH) {
        path.len = gs_utf8_cut(&path, GS_AUDIT_CFG_PATH);
    }

    gs_buf_char(b, '{');
    (void) gs_json_kv_str(b, "f", &path);

    if (path.len != file->path.len) {
        gs_json_kv_u64(b, "cut", file->path.len);
    }

    if (file->bad) {
        gs_json_kv_u64(b, "bad", 1);

    } else if (file->secret) {
        gs_json_kv_u64(b, "secret", 1);
        gs_audit_json_kv_time(b, "t", file->changed);

    } else {
        gs_json_kv_u64(b, "len", file->len);
        gs_audit_json_kv_hash(b, cfg->alg, file->h);
    }

    gs_buf_char(b, '}');
}


/* The name with its NUL, what is known of it, its digest or its age. */

gs_rc_t
gs_audit_cfg_digest(gs_audit_digest_t *d, const gs_audit_chain_t *chain,
    const gs_audit_cfg_file_t *file)
{
    gs_buf_t    b;
    gs_uchar_t  text[2 + GS_AUDIT_HASH];

    gs_buf_init(&b, text, sizeof(text));

    gs_buf_char(&b, '\0');
    gs_buf_char(&b, file->bad ? 'b' : file->secret ? 's' : 'f');

    if (!file->bad && !file->secret) {
        gs_buf_put(&b, file->h, GS_AUDIT_HASH);

    } else if (!file->bad) {
        gs_buf_u64(&b, file->changed);
    }

    if (gs_audit_digest(d, chain, file->path.data, file->path.len) != GS_OK) {
        return GS_ERROR;
    }

    return gs_audit_digest(d, chain, text, gs_buf_len(&b));
}
