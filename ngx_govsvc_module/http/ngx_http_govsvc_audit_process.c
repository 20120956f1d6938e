
/*
 * Copyright (C) govsvc authors
 *
 * Audit: what the master tells: that a configuration is at work and what it is
 * made of, before a worker serves with it; that the server has ended, when no
 * worker is left.  Each is a chain of its own that is on the disk, whole and
 * ended, when the function returns.  The master has no event loop to hold up.
 */


#include "http/ngx_http_govsvc_audit_priv.h"
#include "ngx/ngx_govsvc_files.h"

#include <dlfcn.h>


#define NGX_HTTP_GOVSVC_AUDIT_CHUNK  65536
#define NGX_HTTP_GOVSVC_AUDIT_LOGIN  "/proc/self/loginuid"


typedef struct {
    ngx_http_govsvc_audit_main_conf_t  *amcf;
    ngx_cycle_t                        *cycle;
    ngx_pool_t                         *pool;
    ngx_log_t                          *log;
    gs_audit_chain_t                    hash;
    gs_str_t                            chain;
    uint64_t                            seq;
    uint64_t                            n;        /* records */
    uint64_t                            first;    /* g */
    uint64_t                            last;
    gs_buf_t                            out;
    u_char                             *chunk;
    u_char                              name[NGX_HTTP_GOVSVC_AUDIT_NAME];
} ngx_http_govsvc_audit_process_t;


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
static ngx_int_t ngx_http_govsvc_audit_cfg(
    ngx_http_govsvc_audit_process_t *p, ngx_array_t *files);
static gs_audit_cfg_file_t *ngx_http_govsvc_audit_digests(
    ngx_http_govsvc_audit_process_t *p, ngx_array_t *files, u_char *sum);
static ngx_int_t ngx_http_govsvc_audit_file_hash(
    ngx_http_govsvc_audit_process_t *p, const char *path,
    gs_audit_cfg_file_t *file);
static ngx_int_t ngx_http_govsvc_audit_read(
    ngx_http_govsvc_audit_process_t *p, ngx_fd_t fd, u_char *h);
static uint64_t ngx_http_govsvc_audit_number_of(
    ngx_http_govsvc_audit_process_t *p);
static ngx_int_t ngx_http_govsvc_audit_append(
    ngx_http_govsvc_audit_process_t *p, const gs_buf_t *draft, size_t head);
static ngx_int_t ngx_http_govsvc_audit_keep(
    ngx_http_govsvc_audit_process_t *p);
static ngx_int_t ngx_http_govsvc_audit_file(
    ngx_http_govsvc_audit_process_t *p);
static ngx_int_t ngx_http_govsvc_audit_fill(
    ngx_http_govsvc_audit_process_t *p, ngx_fd_t fd, const char *path);
static ngx_int_t ngx_http_govsvc_audit_sync_dir(
    ngx_http_govsvc_audit_process_t *p, const char *path);
static ngx_int_t ngx_http_govsvc_audit_as(
    ngx_http_govsvc_audit_process_t *p, uid_t uid, gid_t gid);


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
        || (!ends && ngx_http_govsvc_audit_cfg(p, files) != NGX_OK))
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

    return ngx_http_govsvc_audit_keep(p);
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
    sys.g = ngx_http_govsvc_audit_number_of(p);
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

    return ngx_http_govsvc_audit_append(p, &draft, head);
}


/* What runs, not what now lies where it came from. */

static void
ngx_http_govsvc_audit_binaries(ngx_http_govsvc_audit_process_t *p,
    gs_audit_sys_t *sys)
{
    Dl_info              info;
    gs_audit_cfg_file_t  binary, module;

    if (dladdr((void *) &ngx_http_govsvc_audit_module, &info) == 0
        || ngx_http_govsvc_audit_file_hash(p, "/proc/self/exe", &binary)
           != NGX_OK
        || ngx_http_govsvc_audit_file_hash(p, info.dli_fname, &module)
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


static ngx_int_t
ngx_http_govsvc_audit_cfg(ngx_http_govsvc_audit_process_t *p,
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
        cfg.g = ngx_http_govsvc_audit_number_of(p);
        cfg.time = ngx_govsvc_wall_us();

        gs_buf_init(&draft, text, sizeof(text));
        head = gs_audit_json_cfg(&draft, &cfg, &next);

        if (ngx_http_govsvc_audit_append(p, &draft, head) != NGX_OK) {
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
        out[i].bad = (ngx_http_govsvc_audit_file_hash(p,
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


static ngx_int_t
ngx_http_govsvc_audit_file_hash(ngx_http_govsvc_audit_process_t *p,
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


static uint64_t
ngx_http_govsvc_audit_number_of(ngx_http_govsvc_audit_process_t *p)
{
    uint64_t  g;

    g = ngx_http_govsvc_audit_next(p->amcf);

    if (p->n++ == 0) {
        p->first = g;
    }

    p->last = g;

    return g;
}


static ngx_int_t
ngx_http_govsvc_audit_append(ngx_http_govsvc_audit_process_t *p,
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


/*
 * With the rights of the workers, who own the store: root is not to be led
 * elsewhere by a link that one of them has put there.
 */

static ngx_int_t
ngx_http_govsvc_audit_keep(ngx_http_govsvc_audit_process_t *p)
{
    ngx_int_t         rc;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(p->cycle->conf_ctx,
                                           ngx_core_module);

    if (geteuid() != 0 || ccf->user == (uid_t) NGX_CONF_UNSET_UINT
        || ccf->user == 0)
    {
        return ngx_http_govsvc_audit_file(p);
    }

    rc = ngx_http_govsvc_audit_as(p, ccf->user, ccf->group);

    if (rc == NGX_OK) {
        rc = ngx_http_govsvc_audit_file(p);
    }

    if (ngx_http_govsvc_audit_as(p, 0, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    return rc;
}


static ngx_int_t
ngx_http_govsvc_audit_as(ngx_http_govsvc_audit_process_t *p, uid_t uid,
    gid_t gid)
{
    int  rc;

    rc = (uid == 0) ? seteuid(uid) : setegid(gid);

    if (rc == 0) {
        rc = (uid == 0) ? setegid(gid) : seteuid(uid);
    }

    if (rc == -1) {
        ngx_log_error(NGX_LOG_ALERT, p->log, ngx_errno,
                      "seteuid(%d) failed", (int) uid);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* A folder and its file, both new; taken back when there is no room. */

static ngx_int_t
ngx_http_govsvc_audit_file(ngx_http_govsvc_audit_process_t *p)
{
    char       folder[NGX_MAX_PATH], path[NGX_MAX_PATH];
    ngx_fd_t   fd;
    ngx_int_t  rc;

    if (p->amcf->dir.len + sizeof(p->name) + 32 > sizeof(path)) {
        return NGX_ERROR;
    }

    ngx_sprintf((u_char *) folder, "%V/%s%Z", &p->amcf->dir, p->name);
    ngx_sprintf((u_char *) path, "%s/0000000000000000.seg%Z", folder);

    if (ngx_create_dir(folder, 0750) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_CRIT, p->log, ngx_errno,
                      ngx_create_dir_n " \"%s\" failed", folder);
        return NGX_ERROR;
    }

    fd = open(path, O_WRONLY|O_APPEND|O_CREAT|O_EXCL|O_CLOEXEC, 0640);

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_CRIT, p->log, ngx_errno,
                      ngx_open_file_n " \"%s\" failed", path);
        (void) ngx_delete_dir(folder);
        return NGX_ERROR;
    }

    rc = ngx_http_govsvc_audit_fill(p, fd, path);

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_CRIT, p->log, ngx_errno,
                      ngx_close_file_n " \"%s\" failed", path);
        rc = (rc == NGX_OK) ? NGX_ERROR : rc;
    }

    if (rc == NGX_DECLINED) {
        (void) ngx_delete_file(path);
        (void) ngx_delete_dir(folder);
        return NGX_ERROR;
    }

    if (rc != NGX_OK || !p->amcf->sync) {
        return rc;
    }

    if (ngx_http_govsvc_audit_sync_dir(p, folder) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_govsvc_audit_sync_dir(p, (char *) p->amcf->dir.data);
}


/* NGX_DECLINED: nothing was written. */

static ngx_int_t
ngx_http_govsvc_audit_fill(ngx_http_govsvc_audit_process_t *p, ngx_fd_t fd,
    const char *path)
{
    ssize_t   n;
    gs_str_t  s;

    s = gs_buf_view(&p->out);

    /* all or nothing: half a line would have to be explained */

    if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t) s.len) == -1
        && ngx_errno != EOPNOTSUPP && ngx_errno != ENOSYS)
    {
        ngx_log_error(NGX_LOG_CRIT, p->log, ngx_errno,
                      "fallocate() \"%s\" failed", path);
        return NGX_DECLINED;
    }

    while (s.len != 0) {
        n = write(fd, s.data, s.len);

        if (n == -1 && ngx_errno == NGX_EINTR) {
            continue;
        }

        if (n <= 0) {
            ngx_log_error(NGX_LOG_CRIT, p->log, ngx_errno,
                          ngx_write_fd_n " \"%s\" failed", path);
            return (s.data == p->out.start) ? NGX_DECLINED : NGX_ERROR;
        }

        s.data += n;
        s.len -= (size_t) n;
    }

    if (p->amcf->sync && fdatasync(fd) == -1) {
        ngx_log_error(NGX_LOG_CRIT, p->log, ngx_errno,
                      "fdatasync() \"%s\" failed", path);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_audit_sync_dir(ngx_http_govsvc_audit_process_t *p,
    const char *path)
{
    int        rc;
    ngx_fd_t   fd;
    ngx_err_t  err;

    fd = open(path, O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    rc = (fd == NGX_INVALID_FILE) ? -1 : fsync(fd);
    err = ngx_errno;

    if (fd != NGX_INVALID_FILE) {
        (void) ngx_close_file(fd);
    }

    if (rc == -1) {
        ngx_log_error(NGX_LOG_CRIT, p->log, err, "fsync() of \"%s\" failed",
                      path);
        return NGX_ERROR;
    }

    return NGX_OK;
}
