
/*
 * Copyright (C) govsvc authors
 *
 * The whole command over a store of a million records in segments of 64 MB:
 * govsvc audit verify, by the processor time that it used.  The store lies in
 * BENCH_DIR, or /tmp, and is removed.
 */


#include "audit_record.h"

#include "audit/gs_audit_json.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>


#define BENCH_RECORDS  1000000
#define BENCH_SEGMENT  (64 * 1024 * 1024)
#define BENCH_OUT      (1024 * 1024)
#define BENCH_ROUNDS   3


typedef struct {
    char              folder[256];
    char              name[40];            /* of the segment */
    char              before[40];
    int               fd;
    uint64_t          seq;
    uint64_t          n;                   /* lines of the segment */
    uint64_t          bytes;
    uint64_t          total;
    gs_buf_t          b;
    gs_str_t          chain_name;
    gs_audit_chain_t  chain;
} store_t;


static void make(store_t *s, gs_audit_alg_e alg);
static void begin(store_t *s);
static void finish(store_t *s, const char *why);
static void put(store_t *s);
static double verify(const char *dir, double *wall);
static double seconds(const struct timeval *tv);


static gs_uchar_t  out[BENCH_OUT];


int
main(void)
{
    int             alg, i;
    char            dir[200], command[220];
    double          best, cpu, wall, least;
    store_t         s;
    const char     *base, *name;

    base = getenv("BENCH_DIR");

    for (alg = 0; alg < GS_AUDIT_ALGS; alg++) {
        memset(&s, 0, sizeof(store_t));
        (void) snprintf(dir, sizeof(dir), "%s/govsvc-verify-XXXXXX",
                        base != NULL ? base : "/tmp");

        if (mkdtemp(dir) == NULL) {
            return 1;
        }

        (void) snprintf(s.folder, sizeof(s.folder), "%s/gw-bj-01.17.w0.12345",
                        dir);
        make(&s, (gs_audit_alg_e) alg);

        best = 1e9;
        least = 1e9;

        for (i = 0; i < BENCH_ROUNDS; i++) {
            cpu = verify(dir, &wall);
            best = (cpu < best) ? cpu : best;
            least = (wall < least) ? wall : least;
        }

        name = gs_audit_alg_name((gs_audit_alg_e) alg);
        printf("audit_verify_store_%s\t%.0f\trecords/s a core, of %d, "
               "%.0f bytes each\n", name, BENCH_RECORDS / best, BENCH_RECORDS,
               (double) s.total / BENCH_RECORDS);
        printf("audit_verify_store_%s_wall\t%.2f\ts\n", name, least);
        fflush(stdout);

        (void) snprintf(command, sizeof(command), "rm -rf '%s'", dir);

        if (system(command) != 0) {
            return 1;
        }
    }

    return 0;
}


/* One intent of three lines, paths and callers that differ. */

static void
make(store_t *s, gs_audit_alg_e alg)
{
    char               id[33], path[80];
    size_t             head;
    gs_buf_t           d;
    gs_str_t           draft;
    uint64_t           i;
    gs_audit_record_t  rec;
    static gs_uchar_t  text[GS_AUDIT_DRAFT_MAX];

    s->chain_name = gs_str_text("gw-bj-01.17.w0.12345");
    gs_buf_init(&s->b, out, BENCH_OUT);

    if (mkdir(s->folder, 0755) != 0
        || gs_audit_chain_init(&s->chain, alg) != GS_OK)
    {
        exit(1);
    }

    bench_audit_record(&rec);
    begin(s);

    for (i = 1; i <= BENCH_RECORDS; i++) {
        (void) snprintf(id, sizeof(id), "%032llx",
                        (unsigned long long) (i * 0x9e3779b97f4a7c15ull));
        (void) snprintf(path, sizeof(path),
                        "/44/portal/guide/11440232MB2D06811W%013llu",
                        (unsigned long long) i);
        rec.g = i;
        rec.time += 51;
        rec.mono += 51;
        rec.stage = (i % 3 == 0) ? GS_AUDIT_INTENT : GS_AUDIT_DONE;
        rec.intent = (i % 3 == 1 && i > 1) ? i - 1 : 0;
        rec.request_id = gs_str_text(id);
        rec.path = gs_str_text(path);

        gs_buf_init(&d, text, sizeof(text));
        head = gs_audit_json_http(&d, &rec);
        draft = gs_buf_view(&d);

        if (gs_audit_json_line(&s->b, &s->chain, &s->chain_name, s->seq,
                               &draft, head)
            != GS_OK)
        {
            exit(1);
        }

        s->seq++;
        s->n++;

        if (gs_buf_len(&s->b) > BENCH_OUT - 2 * GS_AUDIT_LINE_MAX) {
            put(s);

            if (s->bytes >= BENCH_SEGMENT) {
                finish(s, "size");
                begin(s);
            }
        }
    }

    finish(s, "exit");
    gs_audit_chain_free(&s->chain);
}


static void
begin(store_t *s)
{
    char             path[300];
    gs_audit_open_t  o;

    memset(&o, 0, sizeof(gs_audit_open_t));

    o.chain = s->chain_name;
    o.seq = s->seq;
    o.keep = 180;
    o.time = 1795324116888598ull + s->seq * 51;
    o.why = (s->seq == 0) ? "start" : "size";
    o.prev_name = gs_str_text(s->before);
    o.prev_bytes = s->bytes;
    o.prev_seq = (s->seq == 0) ? 0 : s->seq - 1;
    memcpy(o.prev_h, s->chain.h, GS_AUDIT_HASH);

    (void) snprintf(s->name, sizeof(s->name), "%016llu",
                    (unsigned long long) s->seq);
    (void) snprintf(path, sizeof(path), "%s/%s.seg", s->folder, s->name);

    s->bytes = 0;
    s->fd = open(path, O_WRONLY|O_CREAT|O_EXCL, 0644);

    if (s->fd == -1
        || gs_audit_json_open(&s->b, &s->chain, &o) != GS_OK)
    {
        exit(1);
    }

    s->seq++;
    s->n = 1;
}


static void
finish(store_t *s, const char *why)
{
    gs_audit_close_t  end;

    memset(&end, 0, sizeof(gs_audit_close_t));

    end.chain = s->chain_name;
    end.seq = s->seq;
    end.time = 1795324116888598ull + s->seq * 51;
    end.n = s->n + 1;
    end.why = why;

    if (gs_audit_json_close(&s->b, &s->chain, &end) != GS_OK) {
        exit(1);
    }

    s->seq++;
    put(s);
    (void) close(s->fd);
    memcpy(s->before, s->name, sizeof(s->before));
}


static void
put(store_t *s)
{
    size_t  len;

    len = gs_buf_len(&s->b);

    if (write(s->fd, out, len) != (ssize_t) len) {
        exit(1);
    }

    s->bytes += len;
    s->total += len;
    gs_buf_init(&s->b, out, BENCH_OUT);
}


static double
verify(const char *dir, double *wall)
{
    int              status, fd;
    pid_t            pid;
    double           start;
    struct rusage    used;
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);
    start = (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;

    pid = fork();

    if (pid == 0) {
        fd = open("/dev/null", O_WRONLY);
        (void) dup2(fd, 1);
        (void) execl("build/govsvc", "govsvc", "audit", "verify", dir,
                     (char *) NULL);
        _exit(127);
    }

    status = 0;

    if (pid == -1 || wait4(pid, &status, 0, &used) != pid || status != 0) {
        fprintf(stderr, "govsvc audit verify: %x\n", (unsigned) status);
        exit(1);
    }

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);
    *wall = (double) ts.tv_sec + (double) ts.tv_nsec / 1e9 - start;

    return seconds(&used.ru_utime) + seconds(&used.ru_stime);
}


static double
seconds(const struct timeval *tv)
{
    return (double) tv->tv_sec + (double) tv->tv_usec / 1e6;
}
