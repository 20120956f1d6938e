
/*
 * Copyright (C) govsvc authors
 *
 * The folder of a seal: reading and writing it.
 */


#include "seal/gs_seal.h"
#include "core/gs_fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>


#define GS_SEAL_TRIES  20                  /* while the sealer goes on */


static int gs_seal_folders(const char *path, char *full, size_t from);
static int gs_seal_write(const char *full, const gs_str_t *text);
static gs_rc_t gs_seal_wider(gs_seal_tiles_t *tiles, unsigned level,
    uint64_t tile, unsigned width, size_t *len);


gs_rc_t
gs_seal_fail(const gs_seal_log_t *log, gs_rc_t rc, const char *fmt, ...)
{
    char     text[GS_SEAL_TEXT];
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    log->tell(log->data, text);

    return rc;
}


gs_rc_t
gs_seal_path(const gs_seal_log_t *log, char *dst, const char *path,
    const char *name)
{
    int  n;

    n = snprintf(dst, GS_SEAL_PATH, "%s/%s", path, name);

    if (n < 0 || n >= GS_SEAL_PATH - 8) {
        return gs_seal_fail(log, GS_ERROR, "\"%s\" is too long", path);
    }

    return GS_OK;
}


gs_rc_t
gs_seal_put(const gs_seal_log_t *log, const char *path, const char *name,
    const gs_str_t *text)
{
    int   rc;
    char  full[GS_SEAL_PATH], temp[GS_SEAL_PATH];

    if (gs_seal_path(log, full, path, name) != GS_OK) {
        return GS_ERROR;
    }

    (void) memcpy(temp, full, strlen(full));
    (void) memcpy(temp + strlen(full), ".tmp", 5);

    rc = gs_seal_folders(path, full, strlen(path) + 1);

    if (rc == 0) {
        rc = gs_seal_write(temp, text);
    }

    gs_fault("seal_put");

    if (rc == -1 || rename(temp, full) == -1) {
        return gs_seal_fail(log, GS_ERROR, "cannot write \"%s\": %s", full,
                            strerror(errno));
    }

    gs_fault("seal_renamed");

    *strrchr(full, '/') = '\0';

    if (gs_seal_sync(full) == -1) {
        return gs_seal_fail(log, GS_ERROR, "cannot sync \"%s\": %s", full,
                            strerror(errno));
    }

    return GS_OK;
}


/* A folder is safe when the one that names it was synced. */

static int
gs_seal_folders(const char *path, char *full, size_t from)
{
    int    rc;
    char  *slash, *up;

    for (slash = strchr(full + from, '/'); slash != NULL;
         slash = strchr(slash + 1, '/'))
    {
        *slash = '\0';
        rc = mkdir(full, 0755);

        if (rc == 0) {
            up = strrchr(full, '/');
            *up = '\0';
            rc = gs_seal_sync(full);
            *up = '/';

        } else if (errno == EEXIST) {
            rc = 0;
        }

        *slash = '/';

        if (rc == -1) {
            return -1;
        }
    }

    return 0;
}


static int
gs_seal_write(const char *full, const gs_str_t *text)
{
    int      fd, rc, err;
    size_t   done;
    ssize_t  n;

    fd = open(full, O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0644);

    if (fd == -1) {
        return -1;
    }

    rc = 0;

    for (done = 0; rc == 0 && done < text->len; done += (size_t) n) {
        n = write(fd, text->data + done, text->len - done);

        if (n == -1) {
            n = 0;
            rc = (errno == EINTR) ? 0 : -1;
        }
    }

    if (rc == 0) {
        rc = fsync(fd);
    }

    err = errno;

    if (close(fd) == -1 && rc == 0) {
        return -1;
    }

    errno = err;

    return rc;
}


int
gs_seal_sync(const char *path)
{
    int  fd, rc, err;

    fd = open(path, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1) {
        return -1;
    }

    rc = fsync(fd);
    err = errno;

    (void) close(fd);
    errno = err;

    return rc;
}


gs_rc_t
gs_seal_get(const gs_seal_log_t *log, const char *path, const char *name,
    void *data, size_t size, size_t *len)
{
    int          fd;
    char         full[GS_SEAL_PATH];
    ssize_t      n;
    gs_uchar_t  *p;

    if (gs_seal_path(log, full, path, name) != GS_OK) {
        return GS_ERROR;
    }

    fd = open(full, O_RDONLY|O_CLOEXEC);

    if (fd == -1 && errno == ENOENT) {
        return GS_DECLINED;
    }

    n = -1;
    p = data;
    *len = 0;

    while (fd != -1 && *len < size) {
        n = read(fd, p + *len, size - *len);

        if (n <= 0 && !(n == -1 && errno == EINTR)) {
            break;
        }

        *len += (n > 0) ? (size_t) n : 0;
    }

    if (fd == -1 || n == -1) {
        (void) gs_seal_fail(log, GS_ERROR, "cannot read \"%s\": %s", full,
                            strerror(errno));
    }

    if (fd != -1) {
        (void) close(fd);
    }

    return (n == -1) ? GS_ERROR : GS_OK;
}


void
gs_seal_tiles(gs_seal_tiles_t *tiles, const gs_seal_log_t *log,
    const char *path, uint64_t size)
{
    tiles->log = log;
    tiles->path = path;
    tiles->size = size;
    tiles->width = 0;
}


unsigned
gs_seal_width(uint64_t size, unsigned level, uint64_t tile)
{
    uint64_t  nodes;

    nodes = (level * GS_AUDIT_TILE_HEIGHT < 64)
            ? size >> level * GS_AUDIT_TILE_HEIGHT : 0;

    if (nodes / GS_AUDIT_TILE_WIDTH > tile) {
        return GS_AUDIT_TILE_WIDTH;
    }

    return (nodes / GS_AUDIT_TILE_WIDTH == tile)
           ? (unsigned) (nodes % GS_AUDIT_TILE_WIDTH) : 0;
}


unsigned
gs_seal_edge(uint64_t size, unsigned level, uint64_t *tile)
{
    *tile = size >> level * GS_AUDIT_TILE_HEIGHT >> GS_AUDIT_TILE_HEIGHT;

    return gs_seal_width(size, level, *tile);
}


gs_rc_t
gs_seal_tile(gs_seal_tiles_t *tiles, unsigned level, uint64_t tile)
{
    char      name[GS_AUDIT_TILE_PATH];
    size_t    len;
    gs_rc_t   rc;
    unsigned  width;

    if (tiles->width != 0 && tiles->level == level && tiles->tile == tile) {
        return GS_OK;
    }

    tiles->width = 0;
    width = gs_seal_width(tiles->size, level, tile);

    if (width == 0) {
        return GS_DECLINED;
    }

    gs_audit_tile_path(name, level, tile, width);
    rc = gs_seal_get(tiles->log, tiles->path, name, tiles->hashes,
                     GS_SEAL_TILE_BYTES, &len);

    if (rc == GS_DECLINED && width < GS_AUDIT_TILE_WIDTH) {
        rc = gs_seal_wider(tiles, level, tile, width, &len);
    }

    if (rc != GS_OK) {
        return rc;
    }

    if (len < width * GS_AUDIT_HASH) {
        return GS_DECLINED;
    }

    tiles->level = level;
    tiles->tile = tile;
    tiles->width = width;

    return GS_OK;
}


/*
 * The tree has grown since: a wider tile begins with the same hashes.  Only
 * that of the state is sure not to be a leftover.
 */

static gs_rc_t
gs_seal_wider(gs_seal_tiles_t *tiles, unsigned level, uint64_t tile,
    unsigned width, size_t *len)
{
    char              name[GS_AUDIT_TILE_PATH];
    size_t            n;
    gs_rc_t           rc;
    gs_str_t          text;
    unsigned          i, wide;
    gs_uchar_t        data[GS_AUDIT_STATE_MAX];
    gs_audit_state_t  state;

    for (i = 0; i < GS_SEAL_TRIES; i++) {

        rc = gs_seal_get(tiles->log, tiles->path, "state", data,
                         sizeof(data), &n);
        if (rc != GS_OK) {
            return rc;
        }

        text = gs_str_make(data, n);

        if (gs_audit_state_parse(&text, &state) != GS_OK) {
            return GS_DECLINED;
        }

        wide = gs_seal_width(state.point.size, level, tile);

        if (wide <= width) {
            return GS_DECLINED;
        }

        gs_audit_tile_path(name, level, tile, wide);
        rc = gs_seal_get(tiles->log, tiles->path, name, tiles->hashes,
                         GS_SEAL_TILE_BYTES, len);

        if (rc != GS_DECLINED) {
            return rc;
        }
    }

    return GS_DECLINED;
}


gs_rc_t
gs_seal_node(void *data, unsigned level, uint64_t index, gs_uchar_t *hash)
{
    gs_seal_tiles_t *tiles = data;

    gs_rc_t   rc;
    unsigned  i;

    rc = gs_seal_tile(tiles, level / GS_AUDIT_TILE_HEIGHT,
                      index / GS_AUDIT_TILE_WIDTH);
    if (rc != GS_OK) {
        return rc;
    }

    i = (unsigned) (index % GS_AUDIT_TILE_WIDTH);

    if (i >= tiles->width) {
        return GS_DECLINED;
    }

    memcpy(hash, tiles->hashes + i * GS_AUDIT_HASH, GS_AUDIT_HASH);

    return GS_OK;
}
