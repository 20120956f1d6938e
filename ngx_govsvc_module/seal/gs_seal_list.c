
/*
 * Copyright (C) govsvc authors
 *
 * The folders of an audit store: chains, and the segments of a chain.
 */


#include "seal/gs_seal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>


#define GS_SEAL_STEM  16                   /* digits of a segment's number */


static int gs_seal_cmp_segment(const void *one, const void *two);
static int gs_seal_cmp_folder(const void *one, const void *two);
static int gs_seal_is_segment(const char *name);


gs_rc_t
gs_seal_list_read(gs_mem_t *mem, const gs_seal_log_t *log, const char *path,
    gs_seal_file_list_t *folders, gs_seal_file_list_t *segments)
{
    DIR            *dir;
    int             err;
    gs_rc_t         rc;
    struct stat     st;
    struct dirent  *entry;

    dir = opendir(path);

    if (dir == NULL) {
        return gs_seal_fail(log, GS_ERROR, "cannot open \"%s\": %s", path,
                            strerror(errno));
    }

    rc = GS_OK;
    err = 0;

    for ( ;; ) {
        errno = 0;
        entry = readdir(dir);

        if (entry == NULL) {
            err = errno;
            break;
        }

        if (rc != GS_OK) {
            break;
        }

        if (entry->d_name[0] == '.') {
            continue;
        }

        if (gs_seal_is_segment(entry->d_name)) {
            rc = gs_seal_list_push(mem, segments, path, entry->d_name);

        } else if (folders != NULL
                   && (entry->d_type == DT_DIR
                       || (entry->d_type != DT_REG
                           && fstatat(dirfd(dir), entry->d_name, &st, 0) == 0
                           && S_ISDIR(st.st_mode))))
        {
            rc = gs_seal_list_push(mem, folders, path, entry->d_name);
        }
    }

    (void) closedir(dir);

    if (err != 0) {
        return gs_seal_fail(log, GS_ERROR, "cannot read \"%s\": %s", path,
                            strerror(err));
    }

    if (rc != GS_OK) {
        return gs_seal_fail(log, GS_ERROR, "out of memory");
    }

    gs_seal_list_sort(segments);

    if (folders != NULL && folders->n != 0) {
        qsort(folders->names, folders->n, sizeof(char *),
              gs_seal_cmp_folder);
    }

    return GS_OK;
}


void
gs_seal_list_sort(gs_seal_file_list_t *segments)
{
    if (segments->n != 0) {
        qsort(segments->names, segments->n, sizeof(char *),
              gs_seal_cmp_segment);
    }
}


gs_rc_t
gs_seal_list_push(gs_mem_t *mem, gs_seal_file_list_t *list,
    const char *folder, const char *name)
{
    char    *full, **names;
    size_t   size, len;

    if (list->n == list->size) {
        size = (list->size == 0) ? 64 : list->size * 2;

        names = gs_calloc(mem, size, sizeof(char *));
        if (names == NULL) {
            return GS_ERROR;
        }

        if (list->n != 0) {
            memcpy(names, list->names, list->n * sizeof(char *));
        }

        list->names = names;
        list->size = size;
    }

    len = (folder == NULL) ? 0 : strlen(folder) + 1;
    size = len + strlen(name) + 1;

    full = gs_alloc(mem, size);
    if (full == NULL) {
        return GS_ERROR;
    }

    if (folder == NULL) {
        memcpy(full, name, size);

    } else {
        (void) snprintf(full, size, "%s/%s", folder, name);
    }

    list->names[list->n++] = full;

    return GS_OK;
}


/* By number, then in the order in which files of one number were made. */

static int
gs_seal_cmp_segment(const void *one, const void *two)
{
    int   rc;
    char  a[GS_AUDIT_NAME_MAX], b[GS_AUDIT_NAME_MAX];

    gs_seal_stem(*(char *const *) one, a);
    gs_seal_stem(*(char *const *) two, b);

    rc = strncmp(a, b, GS_SEAL_STEM);

    if (rc == 0 && strlen(a) != strlen(b)) {
        return strlen(a) < strlen(b) ? -1 : 1;
    }

    return (rc != 0) ? rc : strcmp(a, b);
}


static int
gs_seal_cmp_folder(const void *one, const void *two)
{
    return strverscmp(*(char *const *) one, *(char *const *) two);
}


const char *
gs_seal_base(const char *path)
{
    const char  *slash;

    slash = strrchr(path, '/');

    return (slash == NULL) ? path : slash + 1;
}


void
gs_seal_stem(const char *path, char *stem)
{
    size_t  len;

    path = gs_seal_base(path);
    len = strlen(path);

    if (gs_seal_is_segment(path)) {
        len -= 4;
    }

    if (len > GS_AUDIT_NAME_MAX - 1) {
        len = GS_AUDIT_NAME_MAX - 1;
    }

    memcpy(stem, path, len);
    stem[len] = '\0';
}


static int
gs_seal_is_segment(const char *name)
{
    size_t  len;

    len = strlen(name);

    return len > 4 && strcmp(name + len - 4, ".seg") == 0;
}
