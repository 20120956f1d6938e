
/*
 * Copyright (C) govsvc authors
 *
 * What stands between a worker and its memory (LD_PRELOAD): a counter in the
 * shared file GOVSVC_FAIL, of which the allocation that makes it 0 fails.
 */


#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

static volatile int  *left;

__attribute__((constructor)) static void
start(void)
{
    int  fd = open(getenv("GOVSVC_FAIL"), O_RDWR);

    left = mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);
}

static int
fails(void)
{
    return left != MAP_FAILED && *left > 0
           && __sync_sub_and_fetch(left, 1) == 0;
}

void *
malloc(size_t size)
{
    static void *(*next)(size_t);

    if (next == NULL) {
        next = dlsym(RTLD_NEXT, "malloc");
    }

    return fails() ? (errno = ENOMEM, NULL) : next(size);
}

int
posix_memalign(void **p, size_t align, size_t size)
{
    static int (*next)(void **, size_t, size_t);

    if (next == NULL) {
        next = dlsym(RTLD_NEXT, "posix_memalign");
    }

    return fails() ? ENOMEM : next(p, align, size);
}
