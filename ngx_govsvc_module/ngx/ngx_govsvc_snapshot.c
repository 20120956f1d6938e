
/*
 * Copyright (C) govsvc authors
 *
 * Snapshots: the files.
 */


#include "ngx/ngx_govsvc_snapshot.h"

#include <openssl/evp.h>
#include <sys/file.h>

#include "core/gs_hex.h"


#define NGX_GOVSVC_SNAPSHOT_HEAD   256     /* bytes of the first line */
#define NGX_GOVSVC_SNAPSHOT_PAUSE  5       /* ms */


static ngx_int_t ngx_govsvc_snapshot_folder(ngx_str_t *path, char *dir);
static ngx_int_t ngx_govsvc_snapshot_load(ngx_fd_t fd,
    ngx_govsvc_snapshot_t *s, const char **why);
static ngx_int_t ngx_govsvc_snapshot_check(ngx_govsvc_snapshot_t *s,
    size_t size, const char **why);
static ngx_int_t ngx_govsvc_snapshot_number(const gs_str_t *head,
    const char *key, uint64_t *value);
static ngx_int_t ngx_govsvc_snapshot_digest(const gs_str_t *text,
    gs_uchar_t hex[64]);
static ngx_int_t ngx_govsvc_snapshot_put(const char *temp,
    const gs_str_t *head, const gs_str_t *text);
static ngx_int_t ngx_govsvc_snapshot_all(ngx_fd_t fd, const gs_str_t *s);
static ngx_int_t ngx_govsvc_snapshot_turn(ngx_str_t *path, const char *temp,
    const char *dir);


ngx_fd_t
ngx_govsvc_snapshot_lock(ngx_str_t *path, ngx_msec_t msec, ngx_err_t *err)
{
    char        dir[NGX_MAX_PATH];
    ngx_fd_t    fd;
    ngx_msec_t  waited;

    *err = NGX_EINVAL;

    if (ngx_govsvc_snapshot_folder(path, dir) != NGX_OK) {
        return NGX_INVALID_FILE;
    }

    fd = open(dir, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == NGX_INVALID_FILE) {
        *err = ngx_errno;
        return NGX_INVALID_FILE;
    }

    for (waited = 0; flock(fd, LOCK_EX|LOCK_NB) == -1; /* void */ ) {
        *err = ngx_errno;

        if ((*err != NGX_EAGAIN && *err != NGX_EINTR) || waited >= msec) {
            (void) ngx_close_file(fd);
            return NGX_INVALID_FILE;
        }

        ngx_msleep(NGX_GOVSVC_SNAPSHOT_PAUSE);
        waited += NGX_GOVSVC_SNAPSHOT_PAUSE;
    }

    return fd;
}


void
ngx_govsvc_snapshot_unlock(ngx_fd_t fd)
{
    (void) ngx_close_file(fd);
}


/* The folder of an absolute name, with NUL. */

static ngx_int_t
ngx_govsvc_snapshot_folder(ngx_str_t *path, char *dir)
{
    size_t  len;

    len = path->len;

    while (len > 1 && path->data[len - 1] != '/') {
        len--;
    }

    if (path->len + sizeof(".new") > NGX_MAX_PATH || len == 0) {
        return NGX_ERROR;
    }

    ngx_memcpy(dir, path->data, len);
    dir[len] = '\0';

    return NGX_OK;
}


ngx_int_t
ngx_govsvc_snapshot_read(ngx_str_t *path, ngx_uint_t generation,
    ngx_govsvc_snapshot_t *s, ngx_log_t *log)
{
    char         name[NGX_MAX_PATH + 4];
    ngx_fd_t     fd;
    ngx_err_t    err;
    ngx_int_t    rc;
    const char  *why;

    ngx_memzero(s, sizeof(ngx_govsvc_snapshot_t));
    s->generation = generation;

    if (path->len >= NGX_MAX_PATH) {
        return NGX_ERROR;
    }

    if (generation == 0) {
        ngx_sprintf((u_char *) name, "%V%Z", path);

    } else {
        ngx_sprintf((u_char *) name, "%V.%ui%Z", path, generation);
    }

    fd = open(name, O_RDONLY|O_NONBLOCK|O_CLOEXEC);

    if (fd == NGX_INVALID_FILE) {

        err = ngx_errno;

        if (err == NGX_ENOENT) {
            return NGX_DECLINED;
        }

        ngx_log_error(NGX_LOG_CRIT, log, err, "open() \"%s\" failed", name);
        return NGX_ERROR;
    }

    why = "cannot be read";
    rc = ngx_govsvc_snapshot_load(fd, s, &why);
    err = (rc == NGX_ERROR) ? ngx_errno : 0;

    (void) ngx_close_file(fd);

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_CRIT, log, err, "govsvc registry: snapshot \"%s\" "
                  "%s", name, why);

    ngx_govsvc_snapshot_free(s);

    return NGX_ERROR;
}


void
ngx_govsvc_snapshot_free(ngx_govsvc_snapshot_t *s)
{
    gs_free(&gs_mem_libc, s->base);
    s->base = NULL;
}


uint64_t
ngx_govsvc_snapshot_stamp(ngx_str_t *path)
{
    struct stat  st;

    if (stat((const char *) path->data, &st) == -1) {
        return 0;
    }

    return ((uint64_t) st.st_ino * 0x9e3779b97f4a7c15ull)
           ^ ((uint64_t) st.st_mtim.tv_sec * 1000000000u
              + (uint64_t) st.st_mtim.tv_nsec)
           ^ ((uint64_t) st.st_size << 40) ^ 1;
}


static ngx_int_t
ngx_govsvc_snapshot_load(ngx_fd_t fd, ngx_govsvc_snapshot_t *s,
    const char **why)
{
    size_t           size, done;
    ssize_t          n;
    ngx_file_info_t  fi;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        return NGX_ERROR;
    }

    if (!ngx_is_file(&fi) || ngx_file_size(&fi) > NGX_GOVSVC_SNAPSHOT_MAX) {
        *why = "is no file of ours";
        return NGX_DECLINED;
    }

    size = (size_t) ngx_file_size(&fi);

    s->base = gs_alloc(&gs_mem_libc, size + 1);
    if (s->base == NULL) {
        return NGX_ERROR;
    }

    for (done = 0; done < size; done += (size_t) n) {
        n = read(fd, s->base + done, size - done);

        if (n <= 0) {
            return NGX_ERROR;
        }
    }

    s->base[size] = '\0';

    return ngx_govsvc_snapshot_check(s, size, why);
}


static ngx_int_t
ngx_govsvc_snapshot_check(ngx_govsvc_snapshot_t *s, size_t size,
    const char **why)
{
    char       *lf;
    uint64_t    length;
    gs_str_t    head;
    gs_uchar_t  hex[64];

    *why = "is damaged";

    lf = memchr(s->base, '\n', ngx_min(size, NGX_GOVSVC_SNAPSHOT_HEAD));

    if (lf == NULL) {
        return NGX_DECLINED;
    }

    head = gs_str_make(s->base, (size_t) (lf - s->base));
    s->text = gs_str_make(lf + 1, size - head.len - 1);

    if (ngx_govsvc_snapshot_number(&head, "{\"revision\":", &s->revision)
        != NGX_OK
        || ngx_govsvc_snapshot_number(&head, ",\"length\":", &length)
           != NGX_OK
        || length != s->text.len || head.len < 66
        || ngx_govsvc_snapshot_digest(&s->text, hex) != NGX_OK
        || ngx_memcmp(head.data + head.len - 66, hex, 64) != 0)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_govsvc_snapshot_number(const gs_str_t *head, const char *key,
    uint64_t *value)
{
    u_char    *p, *last, *digits;
    gs_str_t   s;

    last = (u_char *) head->data + head->len;
    p = ngx_strlcasestrn((u_char *) head->data, last, (u_char *) key,
                         ngx_strlen(key) - 1);

    if (p == NULL) {
        return NGX_DECLINED;
    }

    digits = p + ngx_strlen(key);

    for (p = digits; p < last && gs_is_digit(*p); p++) { /* void */ }

    s = gs_str_make(digits, (size_t) (p - digits));

    return gs_parse_u64(&s, value) == GS_OK ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_govsvc_snapshot_digest(const gs_str_t *text, gs_uchar_t hex[64])
{
    unsigned    len;
    gs_uchar_t  hash[EVP_MAX_MD_SIZE];

    if (EVP_Digest(text->data, text->len, hash, &len, EVP_sha256(), NULL)
        != 1)
    {
        return NGX_ERROR;
    }

    gs_hex_encode(hex, hash, 32);

    return NGX_OK;
}


ngx_int_t
ngx_govsvc_snapshot_write(ngx_str_t *path, uint64_t revision,
    const gs_str_t *text, ngx_log_t *log)
{
    char        dir[NGX_MAX_PATH], temp[NGX_MAX_PATH];
    u_char      line[NGX_GOVSVC_SNAPSHOT_HEAD];
    gs_str_t    head;
    gs_uchar_t  hex[64];

    if (ngx_govsvc_snapshot_folder(path, dir) != NGX_OK
        || ngx_govsvc_snapshot_digest(text, hex) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_sprintf((u_char *) temp, "%V.new%Z", path);

    head = gs_str_make(line, (size_t)
                       (ngx_sprintf(line, "{\"revision\":%uL,\"length\":%uz,"
                                    "\"sha256\":\"%*s\"}\n", revision,
                                    text->len, (size_t) 64, hex)
                        - line));

    if (ngx_govsvc_snapshot_put(temp, &head, text) != NGX_OK
        || ngx_govsvc_snapshot_turn(path, temp, dir) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_CRIT, log, ngx_errno,
                      "govsvc registry: cannot write the snapshot \"%V\"",
                      path);
        (void) unlink(temp);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_govsvc_snapshot_put(const char *temp, const gs_str_t *head,
    const gs_str_t *text)
{
    ngx_fd_t   fd;
    ngx_int_t  rc;

    fd = open(temp, O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0640);

    if (fd == NGX_INVALID_FILE) {
        return NGX_ERROR;
    }

    rc = (ngx_govsvc_snapshot_all(fd, head) == NGX_OK
          && ngx_govsvc_snapshot_all(fd, text) == NGX_OK
          && fsync(fd) == 0)
         ? NGX_OK : NGX_ERROR;

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        rc = NGX_ERROR;
    }

    return rc;
}


static ngx_int_t
ngx_govsvc_snapshot_all(ngx_fd_t fd, const gs_str_t *s)
{
    size_t   done;
    ssize_t  n;

    for (done = 0; done < s->len; done += (size_t) n) {
        n = write(fd, s->data + done, s->len - done);

        if (n <= 0) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* A second name keeps the old file while the first goes to the new one. */

static ngx_int_t
ngx_govsvc_snapshot_turn(ngx_str_t *path, const char *temp, const char *dir)
{
    char        from[NGX_MAX_PATH + 4], to[NGX_MAX_PATH + 4];
    ngx_fd_t    folder;
    ngx_int_t   rc;
    ngx_uint_t  i;

    for (i = NGX_GOVSVC_SNAPSHOT_KEEP - 1; i != 0; i--) {

        ngx_sprintf((u_char *) to, "%V.%ui%Z", path, i);

        if (i == 1) {
            ngx_sprintf((u_char *) from, "%V%Z", path);

            if (unlink(to) == -1 && ngx_errno != NGX_ENOENT) {
                return NGX_ERROR;
            }

            if (link(from, to) == -1 && ngx_errno != NGX_ENOENT) {
                return NGX_ERROR;
            }

            continue;
        }

        ngx_sprintf((u_char *) from, "%V.%ui%Z", path, i - 1);

        if (rename(from, to) == -1 && ngx_errno != NGX_ENOENT) {
            return NGX_ERROR;
        }
    }

    if (rename(temp, (const char *) path->data) == -1) {
        return NGX_ERROR;
    }

    folder = open(dir, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (folder == NGX_INVALID_FILE) {
        return NGX_ERROR;
    }

    rc = (fsync(folder) == 0) ? NGX_OK : NGX_ERROR;

    (void) ngx_close_file(folder);

    return rc;
}
