
/*
 * Copyright (C) govsvc authors
 *
 * Audit: what the master tells: that a configuration is at work and what it is
 * made of, before a worker serves with it; that the server has ended, when no
 * worker is left.  Each is a chain of its own that is on the disk, whole and
 * ended, when the function returns.  The master has no event loop to hold up.
 */


#include "http/ngx_http_govsvc_audit_process.h"
#include "ngx/ngx_govsvc_files.h"

#include <dlfcn.h>


#define NGX_HTTP_GOVSVC_AUDIT_LOGIN  "/proc/self/loginuid"


static void ngx_http_govsvc_audit_tell(ngx_cycle_t *cycle,
    ngx_http_govsvc_audit_main_conf_t *amcf, const char *what);
static ngx_int_t ngx_http_govsvc_audit_tell_all(
    ngx_http_govsvc_audit_process_t *p, const char *what);
static ngx_int_t ngx_http_govsvc_audit_begin(
    ngx_http_govsvc_audit_process_t *p, ngx_array_t *files,
    ngx_uint_t ends);
static ngx_int_t ngx_http_govsvc_audit_sys(
    ngx_http_govsvc_audit_process_t *p, const char *what);
static void ngx_http_govsvc_audit_binaries(
    ngx_http_govsvc_audit_process_t *p, gs_audit_sys_t *sys);
static void ngx_http_govsvc_audit_login(gs_audit_sys_t *sys);


ngx_int_t
ngx_http_govsvc_audit_begins(ngx_cycle_t *cycle)
{
    const char                         *what;
    ngx_http_govsvc_audit_main_conf_t  *amcf;

    amcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_govsvc_audit_module);

    if (ngx_test_config || amcf == NULL || amcf->sh == NULL) {
        return NGX_OK;
    }

    what = !ngx_is_init_cycle(cycle->old_cycle) ? "reload"
           : ngx_inherited ? "upgrade" : "start";

    /* a configuration that is at work already is not to be refused here */

    ngx_http_govsvc_audit_tell(cycle, amcf, what);

    return NGX_OK;
}


void
ngx_http_govsvc_audit_ends(ngx_cycle_t *cycle)
{
    ngx_http_govsvc_audit_main_conf_t  *amcf;

    amcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_govsvc_audit_module);

    if (amcf != NULL && amcf->sh != NULL) {
        ngx_http_govsvc_audit_tell(cycle, amcf, "stop");
    }
}


static void
ngx_http_govsvc_audit_tell(ngx_cycle_t *cycle,
    ngx_http_govsvc_audit_main_conf_t *amcf, const char *what)
{
    ngx_int_t                        rc;
    ngx_http_govsvc_audit_sh_t      *sh;
    ngx_http_govsvc_audit_process_t  p;

    ngx_memzero(&p, sizeof(ngx_http_govsvc_audit_process_t));

    p.amcf = amcf;
    p.cycle = cycle;
    p.log = cycle->log;
    p.pool = ngx_create_pool(NGX_HTTP_GOVSVC_AUDIT_CHUNK, cycle->log);

    if (p.pool == NULL) {
        return;
    }

    if (gs_audit_chain_init(&p.hash, (gs_audit_alg_e) amcf->alg) != GS_OK) {
        ngx_destroy_pool(p.pool);
        return;
    }

    rc = ngx_http_govsvc_audit_tell_all(&p, what);

    if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_CRIT, p.log, 0,
                      "govsvc audit: \"%s\" of the server is not in the "
                      "record", what);

        sh = amcf->sh;

        if (sh->untold == 0) {
            sh->untold_first = p.first;
        }

        sh->untold_last = p.last;
        (void) ngx_atomic_fetch_add(&sh->untold, (ngx_atomic_int_t) p.n);
    }

    gs_audit_chain_free(&p.hash);
    ngx_destroy_pool(p.pool);
}


static ngx_int_t
ngx_http_govsvc_audit_tell_all(ngx_http_govsvc_audit_process_t *p,
    const char *what)
{
    ngx_array_t        *files;
    ngx_uint_t          ends;
    gs_audit_close_t    end;

    ends = (ngx_strcmp(what, "stop") == 0);
    files = NULL;

    if (!ends) {
        files = ngx_govsvc_files(p->cycle, p->pool);
        if (files == NULL) {
            return NGX_ERROR;
        }
    }

    if (ngx_http_govsvc_audit_begin(p, files, ends) != NGX_OK
        || ngx_http_govsvc_audit_sys(p, what) != NGX_OK
        || (!ends && ngx_http_govsvc_audit_process_cfg(p, files) != NGX_OK))
    {
        return NGX_ERROR;
    }

    end.chain = p->chain;
    end.seq = p->seq;
    end.time = ngx_govsvc_wall_us();
    end.n = p->seq + 1;
    end.why = "exit";

    if (gs_audit_json_close(&p->out, &p->hash, &end) != GS_OK) {
        return NGX_ERROR;
    }

    return ngx_http_govsvc_audit_process_keep(p);
}


/* "<node>.<epoch>.m0.<pid>", and m1 at the end */

static ngx_int_t
ngx_http_govsvc_audit_begin(ngx_http_govsvc_audit_process_t *p,
    ngx_array_t *files, ngx_uint_t ends)
{
    size_t              size;
    u_char             *last, *mem;
    ngx_str_t           node;
    ngx_uint_t          i;
    gs_audit_open_t     open;
    ngx_govsvc_file_t  *file;

    /* a line of files holds one at least, however its name is escaped */

    size = 6 * GS_AUDIT_LINE_MAX;

    if (files != NULL) {
        file = files->elts;

        for (i = 0; i < files->nelts; i++) {
            size += 2 * (6 * file[i].path.len + 256);
        }
    }

    mem = ngx_palloc(p->pool, size);
    p->chunk = ngx_palloc(p->pool, NGX_HTTP_GOVSVC_AUDIT_CHUNK);

    if (mem == NULL || p->chunk == NULL) {
        return NGX_ERROR;
    }

    gs_buf_init(&p->out, mem, size);

    node = ngx_govsvc_from_gs(&p->amcf->node);
    last = ngx_slprintf(p->name, p->name + sizeof(p->name) - 1,
                        "%V.%uL.m%ui.%P", &node, p->amcf->epoch, ends,
                        ngx_pid);

    p->chain = gs_str_make(p->name, (size_t) (last - p->name));

    ngx_memzero(&open, sizeof(gs_audit_open_t));

    open.chain = p->chain;
    open.time = ngx_govsvc_wall_us();
    open.keep = p->amcf->keep;
    open.why = "start";

    if (gs_audit_json_open(&p->out, &p->hash, &open) != GS_OK) {
        return NGX_ERROR;
    }

    p->seq = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_audit_sys(ngx_http_govsvc_audit_process_t *p,
    const char *what)
{
    size_t            head;
    u_char            text[GS_AUDIT_DRAFT_MAX];
    gs_buf_t          draft;
    ngx_uint_t        begins, ends;
    ngx_str_t         name;
    gs_audit_sys_t    sys;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(p->cycle->conf_ctx,
                                           ngx_core_module);

    ends = (ngx_strcmp(what, "stop") == 0);
    begins = !ends && (ngx_strcmp(what, "reload") != 0);

    ngx_memzero(&sys, sizeof(gs_audit_sys_t));

    sys.what = what;
    sys.node = p->amcf->node;
    sys.epoch = p->amcf->epoch;
    sys.g = ngx_http_govsvc_audit_process_number(p);
    sys.time = ngx_govsvc_wall_us();
    sys.mono = ngx_govsvc_mono_us();
    name = p->amcf->name;
    sys.name = ngx_govsvc_to_gs(&name);
    sys.version = NGX_GOVSVC_VERSION;
    sys.server = NGINX_VER_BUILD;
    sys.uid = (uint64_t) getuid();
    sys.has_uid = 1;
    sys.workers = (uint64_t) ccf->worker_processes;

    ngx_http_govsvc_audit_login(&sys);

    if (ends) {
        sys.why = ngx_terminate ? "terminate" : ngx_quit ? "quit" : NULL;

    } else {
        sys.former = p->amcf->sh->generation;
        p->amcf->sh->generation = p->amcf->epoch;
    }

    /* a daemon is another process, which has no number yet */

    if (!begins || !ccf->daemon || ngx_inherited) {
        sys.pid = (uint64_t) ngx_pid;
    }

    if (begins) {
        sys.parent = (uint64_t) getppid();
        ngx_http_govsvc_audit_binaries(p, &sys);
    }

    gs_buf_init(&draft, text, sizeof(text));
    head = gs_audit_json_sys(&draft, &sys);

    return ngx_http_govsvc_audit_process_append(p, &draft, head);
}


/* What runs, not what now lies where it came from. */

static void
ngx_http_govsvc_audit_binaries(ngx_http_govsvc_audit_process_t *p,
    gs_audit_sys_t *sys)
{
    Dl_info              info;
    gs_audit_cfg_file_t  binary, module;

    if (dladdr((void *) &ngx_http_govsvc_audit_module, &info) == 0
        || ngx_http_govsvc_audit_process_hash(p, "/proc/self/exe", &binary)
           != NGX_OK
        || ngx_http_govsvc_audit_process_hash(p, info.dli_fname, &module)
           != NGX_OK)
    {
        return;
    }

    sys->digests = 1;
    sys->alg = gs_audit_alg_name((gs_audit_alg_e) p->amcf->alg);
    ngx_memcpy(sys->binary, binary.h, GS_AUDIT_HASH);
    ngx_memcpy(sys->module, module.h, GS_AUDIT_HASH);
}


/* Who logged in before becoming root; Linux keeps it over su and sudo. */

static void
ngx_http_govsvc_audit_login(gs_audit_sys_t *sys)
{
    u_char     buf[NGX_INT64_LEN];
    ssize_t    n;
    gs_str_t   s;
    ngx_fd_t   fd;
    uint64_t   uid;

    fd = open(NGX_HTTP_GOVSVC_AUDIT_LOGIN, O_RDONLY|O_CLOEXEC);

    if (fd == NGX_INVALID_FILE) {
        return;
    }

    n = read(fd, buf, sizeof(buf));
    (void) ngx_close_file(fd);

    if (n <= 0) {
        return;
    }

    s = gs_str_make(buf, (size_t) n);

    if (s.data[s.len - 1] == LF) {
        s.len--;
    }

    /* (uid_t) -1: nobody did */

    if (gs_parse_u64(&s, &uid) == GS_OK && uid != (uint32_t) -1) {
        sys->login = uid;
        sys->has_login = 1;
    }
}


uint64_t
ngx_http_govsvc_audit_process_number(ngx_http_govsvc_audit_process_t *p)
{
    uint64_t  g;

    g = ngx_http_govsvc_audit_next(p->amcf);

    if (p->n++ == 0) {
        p->first = g;
    }

    p->last = g;

    return g;
}


ngx_int_t
ngx_http_govsvc_audit_process_append(ngx_http_govsvc_audit_process_t *p,
    const gs_buf_t *draft, size_t head)
{
    gs_str_t  s;

    s = gs_buf_view(draft);

    if (head == 0
        || gs_audit_json_line(&p->out, &p->hash, &p->chain, p->seq, &s, head)
           != GS_OK)
    {
        return NGX_ERROR;
    }

    p->seq++;

    return NGX_OK;
}
