
/*
 * Copyright (C) govsvc authors
 *
 * A probe for LD_PRELOAD: how long the event loop of each process works
 * between two calls of epoll_wait(), by the wall and by the processor's clock
 * of that thread.  The second does not see what other programs take.  What a
 * worker does before its loop counts by itself, from the fork on: Nginx tries
 * epoll_wait() once for one event, long before that.  Writes to the file that
 * PROBE_LOOP names, mapped, 64 bytes a process.
 */


#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>


#define PROBE_SLOTS  256


typedef struct {
    uint64_t  pid;
    uint64_t  cpu;                         /* ns, the longest turn */
    uint64_t  wall;
    uint64_t  turns;
    uint64_t  start;                       /* ns, before the first turn */
    uint64_t  pad[3];
} probe_slot_t;


typedef int (*probe_wait_pt)(int ep, struct epoll_event *events, int n,
    int timeout);


static probe_slot_t *probe_slot(void);
static uint64_t probe_clock(clockid_t id);


static uint64_t  probe_cpu, probe_wall;


int
epoll_wait(int ep, struct epoll_event *events, int n, int timeout)
{
    int                   rc;
    uint64_t              cpu, wall;
    probe_slot_t         *slot;
    static probe_wait_pt  real;

    if (real == NULL) {
        *(void **) &real = dlsym(RTLD_NEXT, "epoll_wait");
    }

    if (gettid() != getpid()) {
        return real(ep, events, n, timeout);
    }

    slot = probe_slot();

    if (n == 1) {
        return real(ep, events, n, timeout);
    }

    if (slot != NULL && probe_cpu == 0) {
        slot->start = probe_clock(CLOCK_THREAD_CPUTIME_ID);
    }

    if (slot != NULL && probe_cpu != 0) {
        cpu = probe_clock(CLOCK_THREAD_CPUTIME_ID) - probe_cpu;
        wall = probe_clock(CLOCK_MONOTONIC) - probe_wall;

        if (cpu > slot->cpu) {
            slot->cpu = cpu;
        }

        if (wall > slot->wall) {
            slot->wall = wall;
        }

        slot->turns++;
    }

    rc = real(ep, events, n, timeout);

    probe_cpu = probe_clock(CLOCK_THREAD_CPUTIME_ID);
    probe_wall = probe_clock(CLOCK_MONOTONIC);

    return rc;
}


static probe_slot_t *
probe_slot(void)
{
    int                   fd;
    void                 *p;
    const char           *name;
    static uint64_t       pid;
    static probe_slot_t  *slots;

    if (slots == NULL) {
        name = getenv("PROBE_LOOP");
        fd = (name != NULL) ? open(name, O_RDWR) : -1;

        if (fd == -1) {
            return NULL;
        }

        p = mmap(NULL, PROBE_SLOTS * sizeof(probe_slot_t),
                 PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);
        (void) close(fd);

        if (p == MAP_FAILED) {
            return NULL;
        }

        slots = p;
    }

    if (pid != (uint64_t) getpid()) {
        pid = (uint64_t) getpid();
        probe_cpu = 0;
    }

    slots[pid % PROBE_SLOTS].pid = pid;

    return &slots[pid % PROBE_SLOTS];
}


static uint64_t
probe_clock(clockid_t id)
{
    struct timespec  ts;

    (void) clock_gettime(id, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}
