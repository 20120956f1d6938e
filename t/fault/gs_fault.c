
/*
 * Copyright (C) govsvc authors
 *
 * For the tests alone: kills the process where a test wants it to be killed.
 * The file named by GOVSVC_FAULT is memory shared by the test and by all
 * processes: names of points and how often each is still to be passed; the
 * last passing is the end.  A third one, "short", is how many bytes a write()
 * of the module takes at most, and not at once: EINTR comes first; a fourth,
 * "clock", how many seconds its wall clock is off.  The file is made by the
 * test before the server starts.
 */


#include "core/gs_fault.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>


#define GS_FAULT_NAME    56
#define GS_FAULT_POINTS  2
#define GS_FAULT_SHORT   GS_FAULT_POINTS
#define GS_FAULT_CLOCK   (GS_FAULT_POINTS + 1)


typedef struct {
    char      name[GS_FAULT_NAME];
    uint64_t  left;                        /* 0: nobody is to be killed */
} gs_fault_t;


static void gs_fault_init(void) __attribute__((constructor));
static void gs_fault_pass(gs_fault_t *fault);

ssize_t __real_write(int fd, const void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len);
int __real_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts);


static gs_fault_t  *gs_fault_points;


/* Before the workers are made: they do not get the environment. */

static void
gs_fault_init(void)
{
    int          fd;
    void        *p;
    const char  *path;

    path = getenv("GOVSVC_FAULT");
    if (path == NULL) {
        return;
    }

    fd = open(path, O_RDWR|O_CLOEXEC);
    if (fd == -1) {
        return;
    }

    p = mmap(NULL, (GS_FAULT_CLOCK + 1) * sizeof(gs_fault_t),
             PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);

    (void) close(fd);

    if (p != MAP_FAILED) {
        gs_fault_points = p;
    }
}


void
gs_fault(const char *point)
{
    size_t  i;

    for (i = 0; gs_fault_points != NULL && i < GS_FAULT_POINTS; i++) {

        if (strncmp(gs_fault_points[i].name, point, GS_FAULT_NAME) == 0) {
            gs_fault_pass(&gs_fault_points[i]);
        }
    }
}


static void
gs_fault_pass(gs_fault_t *fault)
{
    uint64_t  left;

    left = __atomic_load_n(&fault->left, __ATOMIC_ACQUIRE);

    while (left != 0
           && !__atomic_compare_exchange_n(&fault->left, &left, left - 1, 0,
                                           __ATOMIC_ACQ_REL,
                                           __ATOMIC_ACQUIRE))
    {
        /* void */
    }

    while (left == 1) {
        (void) kill(getpid(), SIGKILL);
    }
}


/* The linker puts it in the place of write(); an eventfd takes 8 bytes. */

ssize_t
__wrap_write(int fd, const void *buf, size_t len)
{
    uint64_t  most;

    static __thread unsigned  turn;

    most = (gs_fault_points == NULL) ? 0
           : __atomic_load_n(&gs_fault_points[GS_FAULT_SHORT].left,
                             __ATOMIC_ACQUIRE);

    if (most == 0 || len == sizeof(uint64_t)) {
        return __real_write(fd, buf, len);
    }

    if (turn++ % 2 == 0) {
        errno = EINTR;
        return -1;
    }

    return __real_write(fd, buf, (len < most) ? len : (size_t) most);
}


int
__wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
    int  rc;

    rc = __real_clock_gettime(id, ts);

    if (rc == 0 && id == CLOCK_REALTIME && gs_fault_points != NULL) {
        ts->tv_sec += (time_t) __atomic_load_n(
                                 &gs_fault_points[GS_FAULT_CLOCK].left,
                                 __ATOMIC_ACQUIRE);
    }

    return rc;
}
