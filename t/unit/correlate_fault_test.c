
/*
 * Copyright (C) govsvc authors
 *
 * A worker is killed with SIGKILL at each named point of the table of
 * correlation; those that are left go on counting the same keys and others.
 * The sources are built in here with the points in place.
 */


#define GS_FAULT

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard/gs_correlate.c"
#include "guard/gs_correlate_table.c"
#include "tap.h"


#define NOW   1790000040000ull
#define HITS  3
#define SIZE  (64 * 1024)


typedef struct {
    gs_correlate_table_t  *table;
    uint64_t              *reached;
} shared_t;


static void test_point(const char *point, unsigned hit);
static void test_workers(void);
static void work(shared_t *s);
static gs_correlate_plan_t make_plan(gs_correlate_measure_e measure);
static unsigned die_in_child(const char *point, unsigned hit, shared_t *s);
static void make(shared_t *s);
static void drop(shared_t *s);


static const char  *fault_point;
static unsigned     fault_hit;
static uint64_t    *fault_reached;


int
main(void)
{
    size_t    i;
    unsigned  hit;

    static const char *const  points[] = {
        "correlate_count", "correlate_own", "correlate_sketch",
        "correlate_judge", "correlate_reset", "correlate_mark",
        "correlate_marked"
    };

    for (i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
        for (hit = 1; hit <= HITS; hit++) {
            test_point(points[i], hit);
        }
    }

    test_workers();

    return done_testing();
}


void
gs_fault(const char *point)
{
    if (fault_point == NULL || strcmp(point, fault_point) != 0) {
        return;
    }

    if (--fault_hit == 0) {
        *fault_reached = 1;
        kill(getpid(), SIGKILL);
    }
}


/*
 * Whoever goes on needs no more events than the threshold to fire, and fires
 * no more often than every eighth or so: the dead one took a few at most.
 */

static void
test_point(const char *point, unsigned hit)
{
    char                   value[16];
    gs_str_t               key, v;
    unsigned               i, counted, unique;
    shared_t               s;
    gs_correlate_plan_t    count, distinct;
    gs_correlate_result_t  result;

    make(&s);
    ok(die_in_child(point, hit, &s), "%s was reached", point);

    count = make_plan(GS_CORRELATE_COUNT);
    distinct = make_plan(GS_CORRELATE_UNIQUE);
    key = gs_str_text("a");
    counted = 0;
    unique = 0;

    for (i = 0; i < 80; i++) {
        (void) snprintf(value, sizeof(value), "later%u", i);
        v = gs_str_text(value);

        counted += (gs_correlate_add(s.table, &count, &key, NULL, NOW, 1,
                                     &result)
                    == GS_OK);
        unique += (gs_correlate_add(s.table, &distinct, &key, &v, NOW, 1,
                                    &result)
                   == GS_OK);
    }

    ok(counted >= 9 && counted <= 11, "%s, %u: events are counted on (%u)",
       point, hit, counted);
    ok(unique >= 7 && unique <= 11, "%s, %u: values are counted on (%u)",
       point, hit, unique);

    ok(gs_correlate_mark(s.table, GS_CORRELATE_IP, 0, &key, 7, NOW, NOW + 5000)
       == GS_OK
       && gs_correlate_marked(s.table, GS_CORRELATE_IP, 0, &key, NOW) == 7,
       "%s, %u: keys are marked on", point, hit);

    drop(&s);
}


/* Four at once, one key and many: what they count adds up. */

static void
test_workers(void)
{
    char                   text[16];
    int                    status;
    pid_t                  pids[4];
    gs_str_t               key, v;
    unsigned               i, k, fired;
    shared_t               s;
    gs_correlate_plan_t    count, distinct;
    gs_correlate_result_t  result;

    make(&s);
    count = make_plan(GS_CORRELATE_COUNT);
    distinct = make_plan(GS_CORRELATE_UNIQUE);
    distinct.at[0] = 1000;
    fflush(stdout);

    for (k = 0; k < 4; k++) {
        pids[k] = fork();

        if (pids[k] != 0) {
            continue;
        }

        fired = 0;

        for (i = 0; i < 2000; i++) {
            key = gs_str_text("one");
            fired += (gs_correlate_add(s.table, &count, &key, NULL, NOW, 1,
                                       &result)
                      == GS_OK);

            (void) snprintf(text, sizeof(text), "%u.%u", k, i % 50);
            v = gs_str_text(text);
            (void) gs_correlate_add(s.table, &distinct, &key, &v, NOW, 1,
                                    &result);
        }

        (void) __atomic_fetch_add(s.reached, fired, __ATOMIC_RELAXED);
        _exit(0);
    }

    for (k = 0; k < 4; k++) {
        (void) waitpid(pids[k], &status, 0);
    }

    /* what is added while another resets may be lost, never doubled */

    ok(*s.reached >= 400 && *s.reached <= 1000,
       "8000 events of four fire each eighth, or a little later (%u)",
       (unsigned) *s.reached);

    key = gs_str_text("one");
    i = gs_correlate_read(s.table, &distinct, &key, NOW);
    ok(i >= 180 && i <= 220, "200 values of four (%u)", i);

    drop(&s);
}


static void
work(shared_t *s)
{
    char                   value[16];
    gs_str_t               key, v;
    unsigned               i;
    gs_correlate_plan_t    count, distinct;
    gs_correlate_result_t  result;

    count = make_plan(GS_CORRELATE_COUNT);
    distinct = make_plan(GS_CORRELATE_UNIQUE);

    for (i = 0; i < 40; i++) {

        key = (i % 3 == 2) ? gs_str_text("b") : gs_str_text("a");
        (void) snprintf(value, sizeof(value), "v%u", i);
        v = gs_str_text(value);

        (void) gs_correlate_add(s->table, &count, &key, NULL, NOW, 1,
                                &result);
        (void) gs_correlate_add(s->table, &distinct, &key, &v, NOW, 1,
                                &result);
        (void) gs_correlate_mark(s->table, GS_CORRELATE_IP, 0, &key, 7, NOW,
                                 NOW + 5000);
    }
}


static gs_correlate_plan_t
make_plan(gs_correlate_measure_e measure)
{
    gs_correlate_plan_t  plan;

    memset(&plan, 0, sizeof(gs_correlate_plan_t));

    plan.id = 3000;
    plan.measure = measure;
    plan.window = 600000;
    plan.nsteps = 1;
    plan.at[0] = 8;

    return plan;
}


static unsigned
die_in_child(const char *point, unsigned hit, shared_t *s)
{
    int    status;
    pid_t  pid;

    fflush(stdout);
    pid = fork();

    if (pid == 0) {
        fault_point = point;
        fault_hit = hit;
        fault_reached = s->reached;
        work(s);
        _exit(0);
    }

    (void) waitpid(pid, &status, 0);

    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && *s->reached;
}


static void
make(shared_t *s)
{
    char              *p;
    gs_siphash_key_t   secret;

    secret.k0 = 1;
    secret.k1 = 2;

    p = mmap(NULL, SIZE + 64, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS,
             -1, 0);

    if (p == MAP_FAILED) {
        _exit(1);
    }

    s->table = gs_correlate_table_init(p, SIZE, &secret);
    s->reached = (uint64_t *) (void *) (p + SIZE);
}


static void
drop(shared_t *s)
{
    munmap(s->table, SIZE + 64);
}
