
/*
 * Copyright (C) govsvc authors
 *
 * A wall clock that a test can set (LD_PRELOAD): the file GOVSVC_CLOCK holds
 * how many microseconds it goes wrong.
 */


#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t  *wrong;

__attribute__((constructor)) static void
start(void)
{
    int  fd = open(getenv("GOVSVC_CLOCK"), O_RDWR);

    wrong = mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
    int64_t  ns;
    int      rc = (int) syscall(SYS_clock_gettime, id, ts);

    if (rc == 0 && id == CLOCK_REALTIME && wrong != MAP_FAILED) {
        ns = (int64_t) ts->tv_sec * 1000000000 + ts->tv_nsec + *wrong * 1000;
        ts->tv_sec = ns / 1000000000;
        ts->tv_nsec = ns % 1000000000;
    }

    return rc;
}
