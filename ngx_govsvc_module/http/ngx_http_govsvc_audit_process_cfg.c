
/*
 * Copyright (C) govsvc authors
 *
 * Audit: what a configuration is made of: its files with their digests, which
 * secrets do not have, and the keys of pseudonyms.
 */


#include "http/ngx_http_govsvc_audit_process.h"
#include "ngx/ngx_govsvc_files.h"


static gs_audit_cfg_file_t *ngx_http_govsvc_audit_digests(
    ngx_http_govsvc_audit_process_t *p, ngx_array_t *files, u_char *sum);
static ngx_int_t ngx_http_govsvc_audit_read(
    ngx_http_govsvc_audit_process_t *p, ngx_fd_t fd, u_char *h);


ngx_int_t
ngx_http_govsvc_audit_process_cfg(ngx_http_govsvc_audit_process_t *p,
    ngx_array_t *files)
{
    size_t                        head, next;
    u_char                        text[GS_AUDIT_DRAFT_MAX];
    gs_buf_t                      draft;
    ngx_uint_t                    i;
    gs_audit_cfg_t                cfg;
    gs_audit_cfg_key_t            keys[NGX_HTTP_GOVSVC_AUDIT_KEYS];
    ngx_http_govsvc_audit_sh_t   *sh;

    static u_char  none[GS_AUDIT_HASH];

    ngx_memzero(&cfg, sizeof(gs_audit_cfg_t));

    sh = p->amcf->sh;

    cfg.node = p->amcf->node;
    cfg.epoch = p->amcf->epoch;
    cfg.alg = gs_audit_alg_name((gs_audit_alg_e) p->amcf->alg);
    cfg.nfiles = files->nelts;
    cfg.files = ngx_http_govsvc_audit_digests(p, files, cfg.sum);

    if (cfg.files == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < p->amcf->nkeys; i++) {
        keys[i].kid = p->amcf->keys[i].kid;
        keys[i].from = p->amcf->keys[i].from;
    }

    cfg.nkeys = p->amcf->nkeys;
    cfg.keys = keys;

    cfg.has_former = (ngx_memcmp(sh->sum, none, GS_AUDIT_HASH) != 0);
    ngx_memcpy(cfg.former, sh->sum, GS_AUDIT_HASH);
    ngx_memcpy(sh->sum, cfg.sum, GS_AUDIT_HASH);

    next = 0;

    do {
        cfg.part++;
        cfg.g = ngx_http_govsvc_audit_process_number(p);
        cfg.time = ngx_govsvc_wall_us();

        gs_buf_init(&draft, text, sizeof(text));
        head = gs_audit_json_cfg(&draft, &cfg, &next);

        if (ngx_http_govsvc_audit_process_append(p, &draft, head) != NGX_OK) {
            return NGX_ERROR;
        }

    } while (next < cfg.nfiles);

    return NGX_OK;
}


static gs_audit_cfg_file_t *
ngx_http_govsvc_audit_digests(ngx_http_govsvc_audit_process_t *p,
    ngx_array_t *files, u_char *sum)
{
    ngx_uint_t            i;
    gs_audit_digest_t     all;
    ngx_govsvc_file_t    *file;
    gs_audit_cfg_file_t  *out;

    out = ngx_pcalloc(p->pool, files->nelts * sizeof(gs_audit_cfg_file_t));
    if (out == NULL) {
        return NULL;
    }

    ngx_memzero(&all, sizeof(gs_audit_digest_t));
    file = files->elts;

    for (i = 0; i < files->nelts; i++) {

        out[i].secret = file[i].secret;
        out[i].bad = (ngx_http_govsvc_audit_process_hash(p,
                          (char *) file[i].path.data, &out[i]) != NGX_OK);
        out[i].path = ngx_govsvc_to_gs(&file[i].path);

        if (gs_audit_cfg_digest(&all, &p->hash, &out[i]) != GS_OK) {
            gs_audit_digest_free(&all);
            return NULL;
        }
    }

    if (gs_audit_digest_end(&all, sum) != GS_OK) {
        out = NULL;
    }

    gs_audit_digest_free(&all);

    return out;
}


ngx_int_t
ngx_http_govsvc_audit_process_hash(ngx_http_govsvc_audit_process_t *p,
    const char *path, gs_audit_cfg_file_t *file)
{
    ngx_fd_t          fd;
    ngx_int_t         rc;
    ngx_file_info_t   fi;

    fd = open(path, O_RDONLY|O_NONBLOCK|O_CLOEXEC);

    if (fd == NGX_INVALID_FILE) {
        return NGX_DECLINED;
    }

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR || !ngx_is_file(&fi)) {
        (void) ngx_close_file(fd);
        return NGX_DECLINED;
    }

    file->len = (uint64_t) ngx_file_size(&fi);
    file->changed = (uint64_t) fi.st_mtim.tv_sec * 1000000
                    + (uint64_t) fi.st_mtim.tv_nsec / 1000;

    rc = file->secret ? NGX_OK : ngx_http_govsvc_audit_read(p, fd, file->h);

    (void) ngx_close_file(fd);

    return rc;
}


static ngx_int_t
ngx_http_govsvc_audit_read(ngx_http_govsvc_audit_process_t *p, ngx_fd_t fd,
    u_char *h)
{
    gs_rc_t            rc;
    ssize_t            n;
    gs_audit_digest_t  d;

    ngx_memzero(&d, sizeof(gs_audit_digest_t));

    rc = gs_audit_digest(&d, &p->hash, p->chunk, 0);

    while (rc == GS_OK) {
        n = read(fd, p->chunk, NGX_HTTP_GOVSVC_AUDIT_CHUNK);

        if (n == -1 && ngx_errno == NGX_EINTR) {
            continue;
        }

        if (n <= 0) {
            rc = (n == 0) ? GS_DONE : GS_ERROR;
            break;
        }

        rc = gs_audit_digest(&d, &p->hash, p->chunk, (size_t) n);
    }

    if (rc == GS_DONE) {
        rc = gs_audit_digest_end(&d, h);
    }

    gs_audit_digest_free(&d);

    return (rc == GS_OK) ? NGX_OK : NGX_ERROR;
}
