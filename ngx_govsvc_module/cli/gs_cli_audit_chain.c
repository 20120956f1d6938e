
/*
 * Copyright (C) govsvc authors
 *
 * One chain of an audit store, read as a stream: one line ahead, no more of a
 * file than a buffer, and no descriptor between two reads.
 */


#include "cli/gs_cli_audit_filter.h"
#include "cli/gs_cli_audit_store_priv.h"
#include "core/gs_time.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>


#define GS_CLI_STORE_BUF    (64 * 1024)
#define GS_CLI_STORE_LEAST  1024
#define GS_CLI_STORE_HEAD   (16 * 1024)    /* where a clock is looked for */


/* How a segment begins. */
typedef struct {
    uint64_t  time;                        /* us; 0: it cannot be told */
    int64_t   clock;                       /* wall clock less monotonic, us */
    unsigned  has_clock:1;
} gs_cli_store_head_t;


static void gs_cli_store_head(const char *name, gs_uchar_t *buf,
    gs_cli_store_head_t *head);
static gs_rc_t gs_cli_store_us(const gs_str_t *time, uint64_t *us);
static gs_rc_t gs_cli_store_line(gs_cli_store_t *store,
    gs_cli_store_chain_t *c);
static gs_rc_t gs_cli_store_fill(gs_cli_store_t *store,
    gs_cli_store_chain_t *c);
static gs_rc_t gs_cli_store_read(gs_cli_store_t *store,
    gs_cli_store_chain_t *c, ssize_t *n);
static gs_rc_t gs_cli_store_room(gs_cli_store_t *store,
    gs_cli_store_chain_t *c, size_t size);
static gs_rc_t gs_cli_store_segment(gs_cli_store_t *store,
    gs_cli_store_chain_t *c, size_t i);
static gs_rc_t gs_cli_store_fail(gs_cli_store_t *store,
    const gs_cli_store_chain_t *c, const char *what);
static int gs_cli_store_stamp(const gs_str_t *line, char *time);


/*
 * Segments that end before the time that is asked for need not be read.  One
 * has ended when the next began; if the clock was set back meanwhile, it holds
 * times that are later by as much.
 */

gs_rc_t
gs_cli_store_skip(gs_cli_store_t *store, gs_cli_store_chain_t *c)
{
    size_t                i;
    gs_str_t              s;
    uint64_t              from, end;
    gs_uchar_t           *buf;
    gs_cli_store_head_t   was, now;

    s = gs_str_text(store->from);

    if (s.len == 0 || c->segments.n < 2) {
        return GS_OK;
    }

    buf = gs_alloc(&gs_mem_libc, GS_CLI_STORE_HEAD);

    if (buf == NULL) {
        return gs_cli_store_memory(store);
    }

    from = 0;
    (void) gs_cli_store_us(&s, &from);
    gs_cli_store_head(c->segments.names[0], buf, &was);

    for (i = 1; i < c->segments.n; i++) {
        gs_cli_store_head(c->segments.names[i], buf, &now);

        end = now.time;

        if (was.has_clock && now.has_clock && now.clock < was.clock) {
            end += (uint64_t) (was.clock - now.clock);
        }

        if (now.time == 0 || end > from) {
            break;
        }

        c->segment = i;

        if (now.has_clock) {
            was = now;
        }
    }

    gs_free(&gs_mem_libc, buf);

    return GS_OK;
}


static void
gs_cli_store_head(const char *name, gs_uchar_t *buf, gs_cli_store_head_t *head)
{
    int                fd;
    char               time[GS_CLI_STORE_TIME + 1];
    ssize_t            n;
    gs_str_t           line, s;
    uint64_t           us, mono;
    const gs_uchar_t  *p, *last;

    memset(head, 0, sizeof(gs_cli_store_head_t));

    fd = open(name, O_RDONLY|O_CLOEXEC);

    if (fd == -1) {
        return;
    }

    n = pread(fd, buf, GS_CLI_STORE_HEAD, 0);
    (void) close(fd);

    p = buf;
    last = buf + (n > 0 ? n : 0);

    while (!head->has_clock && p < last) {
        line = gs_str_make(p, (size_t) (last - p));
        line.len = gs_str_chr(&line, 0, '\n');
        p += line.len + 1;

        if (!gs_cli_store_stamp(&line, time)) {
            continue;
        }

        s = gs_str_text(time);

        if (gs_cli_store_us(&s, &us) != GS_OK) {
            continue;
        }

        head->time = (head->time == 0) ? us : head->time;
        s = gs_cli_filter_value(&line, "", "mono");

        if (gs_parse_u64(&s, &mono) == GS_OK) {
            head->clock = (int64_t) (us - mono);
            head->has_clock = 1;
        }
    }
}


/* A time as it stands in a record, the zone cut off. */

static gs_rc_t
gs_cli_store_us(const gs_str_t *time, uint64_t *us)
{
    char      full[GS_CLI_STORE_TIME + 8];
    gs_str_t  s;

    (void) snprintf(full, sizeof(full), "%.*s+08:00",
                    (int) (time->len < GS_CLI_STORE_TIME ? time->len
                                                         : GS_CLI_STORE_TIME),
                    (const char *) time->data);
    s = gs_str_text(full);

    return gs_time_parse(&s, us);
}


/* The next line of the chain that is a record of the time asked for. */

gs_rc_t
gs_cli_store_record(gs_cli_store_t *store, gs_cli_store_chain_t *c)
{
    gs_rc_t          rc;
    gs_audit_line_t  l;

    for ( ;; ) {
        rc = gs_cli_store_line(store, c);

        if (rc != GS_OK) {
            return rc;
        }

        if (gs_audit_scan(&c->line, &l) != GS_OK
            || !gs_cli_store_stamp(&c->line, c->time)
            || gs_str_eq_text(&l.type, "seg.open")
            || gs_str_eq_text(&l.type, "seg.close"))
        {
            continue;
        }

        if ((store->from[0] == '\0' || strcmp(c->time, store->from) >= 0)
            && (store->to[0] == '\0' || strcmp(c->time, store->to) < 0))
        {
            return GS_OK;
        }
    }
}


static gs_rc_t
gs_cli_store_line(gs_cli_store_t *store, gs_cli_store_chain_t *c)
{
    gs_rc_t      rc;
    gs_uchar_t  *lf;

    for ( ;; ) {

        if (c->buf != NULL) {
            lf = memchr(c->buf + c->pos, '\n', c->last - c->pos);

            if (lf != NULL) {
                c->line = gs_str_make(c->buf + c->pos,
                                      (size_t) (lf - c->buf) - c->pos);
                c->pos = (size_t) (lf - c->buf) + 1;
                return GS_OK;
            }
        }

        rc = gs_cli_store_fill(store, c);

        if (rc != GS_OK) {
            return rc;
        }
    }
}


/* More bytes of this segment or of the next; half a line waits. */

static gs_rc_t
gs_cli_store_fill(gs_cli_store_t *store, gs_cli_store_chain_t *c)
{
    ssize_t  n;

    if (!c->begun) {

        if (c->segments.n == 0) {
            return GS_DONE;
        }

        c->begun = 1;

        if (gs_cli_store_segment(store, c, c->segment) != GS_OK) {
            return GS_ERROR;
        }
    }

    if (c->buf != NULL) {
        memmove(c->buf, c->buf + c->pos, c->last - c->pos);
        c->last -= c->pos;
        c->pos = 0;
    }

    /* no line is so long */

    if (c->last == GS_CLI_STORE_BUF) {
        c->last = 0;
    }

    n = 0;

    if (c->offset < c->limit && gs_cli_store_read(store, c, &n) != GS_OK) {
        return GS_ERROR;
    }

    if (n != 0) {
        c->last += (size_t) n;
        c->offset += (uint64_t) n;
        return GS_OK;
    }

    if (c->segment + 1 >= c->segments.n) {
        return GS_DONE;
    }

    return gs_cli_store_segment(store, c, c->segment + 1);
}


static gs_rc_t
gs_cli_store_read(gs_cli_store_t *store, gs_cli_store_chain_t *c, ssize_t *n)
{
    int          fd;
    size_t       want;
    gs_rc_t      rc;
    struct stat  st;

    fd = open(c->segments.names[c->segment], O_RDONLY|O_CLOEXEC);

    if (fd == -1 || fstat(fd, &st) == -1) {
        rc = gs_cli_store_fail(store, c, "open");
        c->limit = c->offset;

        if (fd != -1) {
            (void) close(fd);
        }

        return rc;
    }

    want = ((uint64_t) st.st_size > c->offset)
           ? (size_t) ((uint64_t) st.st_size - c->offset) : 0;

    if (want > GS_CLI_STORE_BUF) {
        want = GS_CLI_STORE_BUF;
    }

    rc = (want == 0) ? GS_OK : gs_cli_store_room(store, c, want + c->last);

    if (want > c->limit - c->offset) {
        want = (size_t) (c->limit - c->offset);
    }

    if (rc == GS_OK && want != 0) {

        if (want > c->size - c->last) {
            want = c->size - c->last;
        }

        do {
            *n = pread(fd, c->buf + c->last, want, (off_t) c->offset);
        } while (*n == -1 && errno == EINTR);

        if (*n == -1) {
            rc = gs_cli_store_fail(store, c, "read");
            c->limit = c->offset;
            *n = 0;
        }
    }

    (void) close(fd);

    return rc;
}


/* Most chains are short: a question to the store has three lines. */

static gs_rc_t
gs_cli_store_room(gs_cli_store_t *store, gs_cli_store_chain_t *c, size_t size)
{
    size_t       n;
    gs_uchar_t  *buf;

    for (n = GS_CLI_STORE_LEAST; n < size && n < GS_CLI_STORE_BUF; n *= 2) {
        /* void */
    }

    if (n <= c->size) {
        return GS_OK;
    }

    buf = gs_alloc(store->cli->mem, n);

    if (buf == NULL) {
        return gs_cli_store_memory(store);
    }

    if (c->buf != NULL) {
        memcpy(buf, c->buf, c->last);
    }

    c->buf = buf;
    c->size = n;

    return GS_OK;
}


static gs_rc_t
gs_cli_store_segment(gs_cli_store_t *store, gs_cli_store_chain_t *c, size_t i)
{
    c->pos = 0;
    c->last = 0;
    c->segment = i;
    c->offset = 0;
    c->limit = UINT64_MAX;

    if (i + 1 == c->segments.n) {
        return GS_OK;
    }

    if (gs_cli_store_room(store, c, GS_AUDIT_LINE_MAX) != GS_OK) {
        return GS_ERROR;
    }

    c->limit = gs_cli_audit_counted(&c->segments, i + 1, c->buf);

    return GS_OK;
}


/* Told once, and passed over. */

static gs_rc_t
gs_cli_store_fail(gs_cli_store_t *store, const gs_cli_store_chain_t *c,
    const char *what)
{
    (void) gs_cli_fail(store->cli, GS_CLI_READ, "cannot %s \"%s\": %s", what,
                       c->segments.names[c->segment], strerror(errno));
    store->unreadable = 1;

    return GS_OK;
}


/*
 * The time of a line.  A quote in a text is escaped, so that the key cannot
 * be written by a caller.
 */

static int
gs_cli_store_stamp(const gs_str_t *line, char *time)
{
    const gs_uchar_t  *p;

    p = memmem(line->data, line->len, ",\"t\":\"", 6);

    if (p == NULL
        || (size_t) (line->data + line->len - p) < 6 + GS_CLI_STORE_TIME)
    {
        return 0;
    }

    memcpy(time, p + 6, GS_CLI_STORE_TIME);
    time[GS_CLI_STORE_TIME] = '\0';

    return 1;
}
