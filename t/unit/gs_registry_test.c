
/*
 * Copyright (C) govsvc authors
 *
 * The registry: what a table keeps of the one before it, and processes that
 * read, publish and are killed at any instruction.
 */


#include "tap.h"
#include "core/gs_registry.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>


#define READERS   16
#define CHILDREN  6
#define ROUNDS    60
#define WORDS     4096


static gs_registry_t *make(size_t size);
static void drop(gs_registry_t *reg, size_t size);
static int alive(int64_t pid);
static int never(int64_t pid);
static void name(gs_registry_name_t *n, uint64_t key, uint64_t aux);

static void test_sizes(void);
static void test_carry(void);
static void test_arenas(void);
static void test_dead(void);
static void test_limits(void);
static void test_storm(void);
static void child_read(gs_registry_t *reg, uint32_t reader, int fd);
static void child_write(gs_registry_t *reg);
static pid_t spawn(gs_registry_t *reg, unsigned n, int fd);


int
main(void)
{
    test_sizes();
    test_carry();
    test_arenas();
    test_dead();
    test_limits();
    test_storm();

    return done_testing();
}


static gs_registry_t *
make(size_t size)
{
    void  *base;

    base = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_ANON|MAP_SHARED, -1, 0);

    if (base == MAP_FAILED
        || gs_registry_create(base, size, READERS) != GS_OK)
    {
        abort();
    }

    return gs_registry_open(base);
}


static void
drop(gs_registry_t *reg, size_t size)
{
    (void) munmap(reg, size);
}


static int
alive(int64_t pid)
{
    return pid > 0 && (kill((pid_t) pid, 0) == 0 || errno != ESRCH);
}


static int
never(int64_t pid)
{
    return 0;
}


static void
name(gs_registry_name_t *n, uint64_t key, uint64_t aux)
{
    n->key[0] = key;
    n->key[1] = ~key;
    n->aux[0] = aux;
    n->aux[1] = 0;
}


static void
test_sizes(void)
{
    int             good;
    size_t          blob, size;
    uint32_t        names;
    gs_registry_t  *reg;

    good = 1;

    for (blob = 1; blob < 5000000; blob = blob * 3 + 7) {
        for (names = 0; names < 40000; names = names * 4 + 3) {
            size = gs_registry_size(blob, names, READERS);
            reg = make(size);

            if (!gs_registry_fits(reg, blob, names)) {
                diag("%zu bytes, %u names", blob, names);
                good = 0;
            }

            drop(reg, size);
        }
    }

    ok(good, "what gs_registry_size() asks for is enough");

    reg = make(1024 * 1024);
    ok(!gs_registry_fits(reg, 1024 * 1024, 0), "a blob of the zone's size");
    ok(!gs_registry_fits(reg, SIZE_MAX, 0), "a blob of an absurd size");
    ok(!gs_registry_fits(reg, 1, UINT32_MAX), "an absurd number of names");
    drop(reg, 1024 * 1024);

    reg = calloc(1, 4096);
    ok(gs_registry_open(reg) == NULL, "zeros are no registry");
    is_int(gs_registry_create(reg, 4096, READERS), GS_ERROR,
           "a page is too small");
    free(reg);
}


static void
test_carry(void)
{
    gs_registry_t       *reg;
    gs_registry_name_t   n[3];
    gs_registry_slot_t  *slot;
    gs_registry_view_t   v;
    gs_registry_entry_t  first, second, kept, other;

    reg = make(1024 * 1024);

    gs_registry_attach(reg, 0, getpid());
    is_int(gs_registry_enter(reg, 0, &v), GS_DECLINED, "no table at first");

    name(&n[0], 7, 70);
    name(&n[1], 3, 30);
    is_int(gs_registry_publish(reg, getpid(), alive, "one", 3, n, 2), GS_OK,
           "the first table");
    is_int(gs_registry_publish(reg, getpid(), alive, "one", 3, n, 2),
           GS_DECLINED, "the same again");

    is_int(gs_registry_enter(reg, 0, &v), GS_OK, "entered");
    is_int((int64_t) v.revision, 1, "revision 1");
    is_mem(v.blob, v.size, "one", 3, "its bytes");
    is_int(v.nentries, 2, "two entries");
    is_int((int64_t) v.entries[1].aux[0], 30, "in the order of the names");
    first = v.entries[0];
    second = v.entries[1];
    gs_registry_leave(reg, 0);

    ok(first.slot != second.slot && first.generation != second.generation,
       "each has a slot and a generation of its own");
    slot = gs_registry_slot(reg, first.slot);
    is_int(slot->generation, first.generation, "the slot tells it");
    slot->words[0] = 42;

    name(&n[0], 5, 50);
    name(&n[1], 7, 71);
    is_int(gs_registry_publish(reg, getpid(), alive, "two", 3, n, 2), GS_OK,
           "a table without 3, with 5");
    (void) gs_registry_enter(reg, 0, &v);
    other = v.entries[0];
    kept = v.entries[1];
    gs_registry_leave(reg, 0);

    ok(kept.slot == first.slot && kept.generation == first.generation,
       "what stays keeps its slot");
    is_int((int64_t) kept.aux[0], 71, "with the new aux");
    is_int((int64_t) slot->words[0], 42, "and its state");
    ok(other.slot != second.slot, "no slot of the table before is given away");

    is_int(gs_registry_publish(reg, getpid(), alive, "one", 3, n, 2), GS_OK,
           "other bytes, same names");

    name(&n[2], 3, 30);
    is_int(gs_registry_publish(reg, getpid(), alive, "one", 3, n, 3), GS_OK,
           "3 comes back");
    (void) gs_registry_enter(reg, 0, &v);
    ok(v.entries[2].generation > other.generation,
       "with a generation never used before");
    is_int((int64_t) gs_registry_slot(reg, v.entries[2].slot)->words[0], 0,
           "and no memory");
    gs_registry_leave(reg, 0);

    drop(reg, 1024 * 1024);
}


static void
test_arenas(void)
{
    char                 c;
    gs_registry_t       *reg;
    gs_registry_view_t   v, w;

    reg = make(1024 * 1024);
    gs_registry_attach(reg, 0, getpid());
    gs_registry_attach(reg, 1, getpid());

    is_int(gs_registry_publish(reg, 1, alive, "a", 1, NULL, 0), GS_OK, "a");
    (void) gs_registry_enter(reg, 0, &v);
    is_int(gs_registry_publish(reg, 1, alive, "b", 1, NULL, 0), GS_OK, "b");
    (void) gs_registry_enter(reg, 1, &w);
    is_int(gs_registry_publish(reg, 1, alive, "c", 1, NULL, 0), GS_OK, "c");
    is_int(gs_registry_publish(reg, 1, alive, "d", 1, NULL, 0), GS_BUSY,
           "readers in both other arenas");
    is_mem(v.blob, v.size, "a", 1, "the first reader still sees a");
    is_mem(w.blob, w.size, "b", 1, "the second still sees b");

    gs_registry_leave(reg, 1);
    is_int(gs_registry_publish(reg, 1, alive, "d", 1, NULL, 0), GS_BUSY,
           "an old reader counts for all later arenas");
    gs_registry_leave(reg, 0);

    for (c = 'd'; c < 'z'; c++) {
        if (gs_registry_publish(reg, 1, alive, &c, 1, NULL, 0) != GS_OK) {
            break;
        }
    }

    is_int(c, 'z', "without readers any number of tables");
    is_int((int64_t) gs_registry_revision(reg), 3 + 'z' - 'd', "revision");

    drop(reg, 1024 * 1024);
}


static void
test_dead(void)
{
    gs_registry_t       *reg;
    gs_registry_view_t   v;

    reg = make(1024 * 1024);
    (void) gs_registry_publish(reg, 1, alive, "a", 1, NULL, 0);

    gs_registry_attach(reg, 0, 12345);
    (void) gs_registry_enter(reg, 0, &v);
    (void) gs_registry_publish(reg, 1, alive, "b", 1, NULL, 0);
    gs_registry_attach(reg, 1, 12346);
    (void) gs_registry_enter(reg, 1, &v);
    (void) gs_registry_publish(reg, 1, alive, "c", 1, NULL, 0);

    is_int(gs_registry_publish(reg, 1, never, "d", 1, NULL, 0), GS_OK,
           "dead readers hold nothing");

    (void) gs_registry_enter(reg, 0, &v);
    gs_registry_attach(reg, 0, getpid());
    is_int(gs_registry_publish(reg, 1, alive, "e", 1, NULL, 0), GS_OK, "e");
    is_int(gs_registry_publish(reg, 1, alive, "f", 1, NULL, 0), GS_OK,
           "a new owner of a place voids what the old left there");

    drop(reg, 1024 * 1024);
}


static void
test_limits(void)
{
    uint32_t             i, slots;
    gs_registry_t       *reg;
    gs_registry_name_t  *n;

    reg = make(256 * 1024);
    slots = gs_registry_slots(reg);

    n = calloc(slots, sizeof(gs_registry_name_t));
    if (n == NULL) {
        abort();
    }

    name(&n[0], 1, 0);
    name(&n[1], 2, 0);
    name(&n[2], 1, 0);
    is_int(gs_registry_publish(reg, 1, alive, "a", 1, n, 3), GS_ERROR,
           "a key that comes twice");
    is_int((int64_t) gs_registry_revision(reg), 0, "nothing is current");

    for (i = 0; i < slots; i++) {
        name(&n[i], i, 0);
    }

    is_int(gs_registry_publish(reg, 1, alive, "a", 1, n, slots), GS_ERROR,
           "more names than slots for two tables");
    is_int(gs_registry_publish(reg, 1, alive, "a", 1, n, slots / 2), GS_OK,
           "half of the slots");
    is_int(gs_registry_publish(reg, 1, alive, "a", 1, &n[slots / 2],
                               slots / 2), GS_OK, "all others at once");
    is_int(gs_registry_publish(reg, 1, alive, "a", 1, n, slots / 2), GS_OK,
           "and back");

    free(n);
    drop(reg, 256 * 1024);
}


/*
 * A table is WORDS equal words and one entry whose key is that word.  Readers
 * compare all of them; one byte down the pipe tells of a torn table.
 */

static void
test_storm(void)
{
    int             fds[2], status, i;
    char            c;
    pid_t           pids[CHILDREN];
    size_t          size;
    unsigned        n, victim;
    uint64_t        before, after;
    gs_registry_t  *reg;

    size = gs_registry_size(WORDS * sizeof(uint64_t), 4, READERS);
    reg = make(size);

    if (pipe(fds) != 0) {
        abort();
    }

    for (n = 0; n < CHILDREN; n++) {
        pids[n] = spawn(reg, n, fds[1]);
    }

    before = 0;
    srandom(1);

    for (i = 0; i < ROUNDS; i++) {
        usleep((useconds_t) random() % 8000);

        victim = (unsigned) random() % CHILDREN;
        (void) kill(pids[victim], SIGKILL);
        (void) waitpid(pids[victim], &status, 0);
        pids[victim] = spawn(reg, victim, fds[1]);

        if (i == ROUNDS / 2) {
            before = gs_registry_revision(reg);
        }
    }

    /* publishing goes on whoever was killed where */

    after = before;

    for (i = 0; i < 1000 && after <= before + 10; i++) {
        usleep(10000);
        after = gs_registry_revision(reg);
    }

    for (n = 0; n < CHILDREN; n++) {
        (void) kill(pids[n], SIGKILL);
        (void) waitpid(pids[n], &status, 0);
    }

    (void) close(fds[1]);
    is_int(read(fds[0], &c, 1), 0, "no reader saw a torn table");
    (void) close(fds[0]);

    ok(after > before + 10, "publishing went on: %lu, %lu",
       (unsigned long) before, (unsigned long) after);

    is_int(gs_registry_publish(reg, getpid(), alive, "end", 3, NULL, 0),
           GS_OK, "and the survivor publishes at once");

    drop(reg, size);
}


static pid_t
spawn(gs_registry_t *reg, unsigned n, int fd)
{
    pid_t  pid;

    pid = fork();

    if (pid == -1) {
        abort();
    }

    if (pid == 0) {
        if (n < CHILDREN - 2) {
            child_read(reg, n, fd);
        }

        child_write(reg);
    }

    return pid;
}


static void
child_read(gs_registry_t *reg, uint32_t reader, int fd)
{
    size_t               i;
    const uint64_t      *words;
    gs_registry_view_t   v;

    gs_registry_attach(reg, reader, getpid());

    for ( ;; ) {
        if (gs_registry_enter(reg, reader, &v) != GS_OK) {
            continue;
        }

        words = v.blob;

        for (i = 0; i < WORDS; i++) {
            if (v.size != WORDS * sizeof(uint64_t) || words[i] != words[0]
                || v.entries[0].key[0] != words[0])
            {
                (void) !write(fd, "x", 1);
            }
        }

        gs_registry_leave(reg, reader);
    }
}


static void
child_write(gs_registry_t *reg)
{
    size_t              i;
    uint64_t            n, *words;
    gs_registry_name_t  one;

    words = malloc(WORDS * sizeof(uint64_t));
    if (words == NULL) {
        abort();
    }

    for (n = (uint64_t) getpid() << 32; ; n++) {
        for (i = 0; i < WORDS; i++) {
            words[i] = n;
        }

        name(&one, n, 0);
        (void) gs_registry_publish(reg, getpid(), alive, words,
                                   WORDS * sizeof(uint64_t), &one, 1);
    }
}
