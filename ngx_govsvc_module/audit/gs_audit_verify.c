
/*
 * Copyright (C) govsvc authors
 *
 * Verification of chains.
 *
 * A line that does not fit shows that something is wrong, its number and the
 * next line show what: a line was edited when the one after it has the number
 * that comes next, lines were deleted when the numbers go on from the higher
 * one, and changed places when the missing number comes later.
 */


#include "audit/gs_audit_verify.h"


typedef enum {
    GS_AUDIT_SAY_FORM = 0,
    GS_AUDIT_SAY_LONG,
    GS_AUDIT_SAY_HASH,
    GS_AUDIT_SAY_NUMBER,
    GS_AUDIT_SAY_TAIL,
    GS_AUDIT_SAY_BEHIND,
    GS_AUDIT_SAY_GAP,
    GS_AUDIT_SAY_COUNT,
    GS_AUDIT_SAY_PLACES,
    GS_AUDIT_SAY_TWICE,
    GS_AUDIT_SAY_OPEN,
    GS_AUDIT_SAY_FOREIGN,
    GS_AUDIT_SAY_LINK,
    GS_AUDIT_SAY_FIRST,
    GS_AUDIT_SAY_BEFORE,
    GS_AUDIT_SAY_AFTER,
    GS_AUDIT_SAY_END,
    GS_AUDIT_SAY_BROKEN,
    GS_AUDIT_SAY_TORN,
    GS_AUDIT_SAY_DECLARED
} gs_audit_say_e;


static gs_rc_t gs_audit_verify_line(gs_audit_verify_t *v,
    const gs_uchar_t *data, size_t len);
static gs_rc_t gs_audit_verify_sealed(gs_audit_verify_t *v,
    const gs_audit_line_t *line, int *good);
static gs_rc_t gs_audit_verify_open(gs_audit_verify_t *v,
    const gs_audit_line_t *line);
static gs_rc_t gs_audit_verify_link(gs_audit_verify_t *v,
    const gs_audit_line_t *line);
static int gs_audit_verify_trimmed(gs_audit_verify_t *v,
    const gs_audit_line_t *line);
static gs_rc_t gs_audit_verify_next(gs_audit_verify_t *v,
    const gs_audit_line_t *line);
static gs_rc_t gs_audit_verify_wrong(gs_audit_verify_t *v,
    const gs_audit_line_t *line);
static gs_rc_t gs_audit_verify_doubt(gs_audit_verify_t *v,
    const gs_audit_line_t *line);
static void gs_audit_verify_count(gs_audit_verify_t *v,
    const gs_audit_line_t *line);
static void gs_audit_verify_accept(gs_audit_verify_t *v,
    const gs_audit_line_t *line);
static int gs_audit_verify_before(const gs_str_t *time, const char *other);
static gs_rc_t gs_audit_verify_fault(gs_audit_verify_t *v,
    gs_audit_kind_e kind, gs_audit_say_e say);
static void gs_audit_verify_say(gs_audit_verify_t *v, gs_audit_say_e say);
static gs_audit_kind_e gs_audit_verify_tail(gs_audit_verify_t *v);
static void gs_audit_verify_copy(char *dst, size_t size, const char *src,
    size_t len);


static const char *const  gs_audit_kind_names[] = {
    "good", "edit", "delete", "reorder", "truncate", "torn", "fork"
};


/* What the reader of a report is told: English, Chinese. */

static const char *const  gs_audit_says[][2] = {
    { "not a line of a chain",
      "不是链上的记录" },
    { "the line is too long",
      "行过长" },
    { "the hash is not that of the line",
      "散列值与记录不符" },
    { "the number of the line was changed",
      "记录的序号被改动" },
    { "the end of the line was changed",
      "行尾被改动" },
    { "a line behind the end of the segment",
      "段已结束，其后仍有记录" },
    { "lines before it are missing",
      "此前的记录缺失" },
    { "the segment had more lines",
      "段内记录数不符" },
    { "lines have changed places",
      "记录顺序被调换" },
    { "a second line with this number",
      "序号重复的记录" },
    { "a second beginning in one segment",
      "同一段内出现第二个开头" },
    { "a segment of another chain",
      "属于另一条链的段" },
    { "does not follow the segment before it",
      "与前一段不衔接" },
    { "the segments before it are missing",
      "缺少此前的段" },
    { "a segment before it is missing",
      "缺少前一段" },
    { "the segment that follows is missing",
      "缺少后一段" },
    { "the end of the segment is missing",
      "段的尾部缺失" },
    { "the line is unfinished, though a segment follows",
      "行不完整，但其后还有段" },
    { "the last line is unfinished: "
      "being written, or the writer was killed",
      "末行不完整：正在写入，或写入进程曾被终止" },
    { "is not the line that a retention has declared",
      "与留存清理的声明不符" }
};


const char *
gs_audit_kind_name(gs_audit_kind_e kind)
{
    return gs_audit_kind_names[kind];
}


void
gs_audit_verify_init(gs_audit_verify_t *v)
{
    memset(v, 0, sizeof(gs_audit_verify_t));
}


void
gs_audit_verify_free(gs_audit_verify_t *v)
{
    unsigned  i;

    for (i = 0; i < GS_AUDIT_ALGS; i++) {
        if (v->ready[i]) {
            gs_audit_chain_free(&v->chains[i]);
            v->ready[i] = 0;
        }
    }
}


void
gs_audit_verify_chain(gs_audit_verify_t *v, const char *name, int partial)
{
    memset(v, 0, offsetof(gs_audit_verify_t, chains));

    gs_audit_verify_copy(v->name, sizeof(v->name), name, strlen(name));
    v->partial = (partial != 0);
    v->part_len = 0;
}


void
gs_audit_verify_removed(gs_audit_verify_t *v, const gs_audit_retention_t *r)
{
    v->removed = r;
}


void
gs_audit_verify_segment(gs_audit_verify_t *v, const char *file)
{
    memcpy(v->prev_file, v->file, sizeof(v->prev_file));
    v->prev_bytes = v->bytes;
    v->prev_line = v->line;

    gs_audit_verify_copy(v->file, sizeof(v->file), file, strlen(file));

    v->segments++;
    v->line = 0;
    v->bytes = 0;
    v->opened = 0;
    v->ended = 0;
    v->closed = 0;
    v->part_len = 0;
}


gs_rc_t
gs_audit_verify_feed(gs_audit_verify_t *v, const void *data, size_t len)
{
    size_t             n;
    gs_rc_t            rc;
    const gs_uchar_t  *p, *lf;

    p = data;

    while (len != 0) {

        lf = memchr(p, '\n', len);
        n = (lf != NULL) ? (size_t) (lf - p) : len;

        if (n > sizeof(v->part) - v->part_len) {
            v->line++;
            return v->fault.kind != GS_AUDIT_GOOD
                   ? GS_DECLINED
                   : gs_audit_verify_fault(v, GS_AUDIT_EDIT,
                                           GS_AUDIT_SAY_LONG);
        }

        if (lf != NULL && v->part_len == 0) {
            rc = gs_audit_verify_line(v, p, n);

        } else {
            memcpy(v->part + v->part_len, p, n);
            v->part_len += n;

            if (lf == NULL) {
                return GS_OK;
            }

            n = v->part_len;
            v->part_len = 0;
            rc = gs_audit_verify_line(v, v->part, n);
        }

        if (rc != GS_OK) {
            return rc;
        }

        v->bytes += n + 1;
        len -= (size_t) (lf - p) + 1;
        p = lf + 1;
    }

    return GS_OK;
}


static gs_rc_t
gs_audit_verify_line(gs_audit_verify_t *v, const gs_uchar_t *data, size_t len)
{
    int              good;
    gs_rc_t          rc;
    gs_str_t         text;
    gs_audit_line_t  line;

    text = gs_str_make(data, len);
    v->line++;

    rc = gs_audit_scan(&text, &line);

    if (v->doubt) {
        return gs_audit_verify_doubt(v, &line);
    }

    if (v->fault.kind != GS_AUDIT_GOOD) {
        return GS_DECLINED;
    }

    if (rc != GS_OK) {
        return gs_audit_verify_fault(v, GS_AUDIT_EDIT, GS_AUDIT_SAY_FORM);
    }

    if (v->ended) {
        return gs_audit_verify_fault(v, GS_AUDIT_EDIT, GS_AUDIT_SAY_BEHIND);
    }

    if (!v->opened) {
        return gs_audit_verify_open(v, &line);
    }

    if (gs_audit_verify_sealed(v, &line, &good) != GS_OK) {
        return GS_ERROR;
    }

    if (!good || line.seq != v->next_seq) {
        return gs_audit_verify_wrong(v, &line);
    }

    return gs_audit_verify_next(v, &line);
}


/* *good: the hash of the line is that of its bytes and all before. */

static gs_rc_t
gs_audit_verify_sealed(gs_audit_verify_t *v, const gs_audit_line_t *line,
    int *good)
{
    gs_audit_chain_t  *chain;

    chain = &v->chains[v->alg];

    if (!v->ready[v->alg]) {
        if (gs_audit_chain_init(chain, v->alg) != GS_OK) {
            return GS_ERROR;
        }

        v->ready[v->alg] = 1;
    }

    if (v->opened) {
        memcpy(chain->h, v->h, GS_AUDIT_HASH);

    } else {
        gs_audit_chain_start(chain);
    }

    if (gs_audit_chain_step(chain, line->body.data, line->body.len) != GS_OK) {
        return GS_ERROR;
    }

    *good = (memcmp(chain->h, line->h, GS_AUDIT_HASH) == 0);

    return GS_OK;
}


static gs_rc_t
gs_audit_verify_open(gs_audit_verify_t *v, const gs_audit_line_t *line)
{
    int      good;
    gs_rc_t  rc;

    if (!gs_str_eq_text(&line->type, "seg.open")
        || gs_audit_alg_find(&line->alg, &v->alg) != GS_OK)
    {
        return gs_audit_verify_wrong(v, line);
    }

    if (gs_audit_verify_sealed(v, line, &good) != GS_OK) {
        return GS_ERROR;
    }

    if (!good) {
        return gs_audit_verify_fault(v, GS_AUDIT_EDIT, GS_AUDIT_SAY_HASH);
    }

    if (v->name[0] == '\0') {
        gs_audit_verify_copy(v->name, sizeof(v->name),
                             (const char *) line->chain.data,
                             line->chain.len);
    }

    if (!gs_str_eq_text(&line->chain, v->name)) {
        return gs_audit_verify_fault(v, GS_AUDIT_FORK, GS_AUDIT_SAY_FOREIGN);
    }

    rc = gs_audit_verify_link(v, line);

    if (rc != GS_OK) {
        return rc;
    }

    if (!v->started) {
        v->first_seq = line->seq;
        v->started = 1;
    }

    v->opened = 1;
    v->more = 0;

    gs_audit_verify_accept(v, line);

    return GS_OK;
}


static gs_rc_t
gs_audit_verify_link(gs_audit_verify_t *v, const gs_audit_line_t *line)
{
    if (v->segments == 1) {

        if (line->has_prev ? v->partial : line->seq == 0) {
            return GS_OK;
        }

        if (gs_audit_verify_trimmed(v, line)) {
            v->trimmed = 1;
            return GS_OK;
        }

        return gs_audit_verify_fault(v, GS_AUDIT_DELETE, GS_AUDIT_SAY_FIRST);
    }

    if (line->has_prev && !gs_str_eq_text(&line->prev_seg, v->prev_file)
        && line->seq > v->next_seq)
    {
        return gs_audit_verify_fault(v, GS_AUDIT_DELETE, GS_AUDIT_SAY_BEFORE);
    }

    if (line->has_prev && gs_str_eq_text(&line->prev_seg, v->prev_file)
        && line->prev_bytes > v->prev_bytes
        && line->prev_seq >= v->next_seq)
    {
        gs_audit_verify_fault(v, GS_AUDIT_TRUNCATE, GS_AUDIT_SAY_END);

        /* the fault is in the file before */

        memcpy(v->fault.file, v->prev_file, sizeof(v->fault.file));
        v->fault.line = v->prev_line + 1;
        v->fault.byte = v->prev_bytes;

        return GS_DECLINED;
    }

    if (!line->has_prev || !gs_str_eq_text(&line->prev_seg, v->prev_file)
        || line->prev_bytes != v->prev_bytes
        || line->seq != v->next_seq
        || (v->started
            && (line->prev_seq != v->next_seq - 1
                || memcmp(line->prev_h, v->h, GS_AUDIT_HASH) != 0)))
    {
        return gs_audit_verify_fault(v, GS_AUDIT_FORK, GS_AUDIT_SAY_LINK);
    }

    return GS_OK;
}


/*
 * Lines before the first one left were old enough, and that one follows what
 * was declared.  A removal that was interrupted has left more: the line it
 * speaks of is still to come.
 */

static int
gs_audit_verify_trimmed(gs_audit_verify_t *v, const gs_audit_line_t *line)
{
    const gs_audit_retention_t  *r;

    r = v->removed;

    if (r == NULL || !line->has_prev || line->seq == 0 || line->seq > r->next
        || line->prev_seq != line->seq - 1
        || !gs_audit_retention_old(&line->time, &r->time))
    {
        return 0;
    }

    return line->seq < r->next
           || (gs_str_eq(&line->prev_seg, &r->to)
               && memcmp(line->prev_h, r->h, GS_AUDIT_HASH) == 0);
}


static gs_rc_t
gs_audit_verify_next(gs_audit_verify_t *v, const gs_audit_line_t *line)
{
    if (v->removed != NULL && line->seq + 1 == v->removed->next
        && memcmp(line->h, v->removed->h, GS_AUDIT_HASH) != 0)
    {
        return gs_audit_verify_fault(v, GS_AUDIT_FORK, GS_AUDIT_SAY_DECLARED);
    }

    if (gs_str_eq_text(&line->type, "seg.open")) {
        return gs_audit_verify_fault(v, GS_AUDIT_FORK, GS_AUDIT_SAY_OPEN);
    }

    if (gs_str_eq_text(&line->type, "seg.close")) {

        if (line->n != v->line) {
            return gs_audit_verify_fault(v, GS_AUDIT_DELETE,
                                         GS_AUDIT_SAY_COUNT);
        }

        v->ended = 1;
        v->closed = gs_str_eq_text(&line->why, "exit") ? 1 : 0;
        v->more = !v->closed;

    } else {
        v->records++;

        gs_audit_verify_count(v, line);
    }

    gs_audit_verify_accept(v, line);

    return GS_OK;
}


static void
gs_audit_verify_count(gs_audit_verify_t *v, const gs_audit_line_t *line)
{
    if (gs_str_eq_text(&line->type, "http")) {
        v->intents += gs_str_eq_text(&line->stage, "intent") ? 1 : 0;
        v->aborted += gs_str_eq_text(&line->stage, "aborted") ? 1 : 0;
        v->paired += (line->intent.len != 0) ? 1 : 0;

    } else if (gs_str_eq_text(&line->type, "loss")) {
        v->lost += line->n;

    } else if (gs_str_eq_text(&line->type, "deny.agg")) {
        v->counted += line->n;

    } else if (gs_str_eq_text(&line->type, "tamper")) {
        v->tampered++;
    }
}


static void
gs_audit_verify_accept(gs_audit_verify_t *v, const gs_audit_line_t *line)
{
    memcpy(v->h, line->h, GS_AUDIT_HASH);
    v->next_seq = line->seq + 1;

    if (v->handler != NULL) {
        v->handler(v->data, line);
    }

    /* a record is older than the opening of its segment, which is late */

    if (v->first_time[0] == '\0'
        || gs_audit_verify_before(&line->time, v->first_time))
    {
        gs_audit_verify_copy(v->first_time, sizeof(v->first_time),
                             (const char *) line->time.data, line->time.len);
    }

    if (!gs_audit_verify_before(&line->time, v->last_time)) {
        gs_audit_verify_copy(v->last_time, sizeof(v->last_time),
                             (const char *) line->time.data, line->time.len);
    }
}


/* All times are written in the same zone, so their bytes have their order. */

static int
gs_audit_verify_before(const gs_str_t *time, const char *other)
{
    gs_str_t  s;

    s = gs_str_text(other);

    return gs_str_cmp(time, &s) < 0;
}


static gs_rc_t
gs_audit_verify_wrong(gs_audit_verify_t *v, const gs_audit_line_t *line)
{
    v->doubt = 1;

    if (line->seq > v->next_seq) {
        (void) gs_audit_verify_fault(v, GS_AUDIT_DELETE, GS_AUDIT_SAY_GAP);
        return GS_OK;
    }

    if (line->seq < v->next_seq) {
        (void) gs_audit_verify_fault(v, GS_AUDIT_FORK, GS_AUDIT_SAY_TWICE);
        return GS_OK;
    }

    v->doubt = 0;

    return gs_audit_verify_fault(v, GS_AUDIT_EDIT, GS_AUDIT_SAY_HASH);
}


/* The lines behind the first bad one; only their numbers are asked. */

static gs_rc_t
gs_audit_verify_doubt(gs_audit_verify_t *v, const gs_audit_line_t *line)
{
    if (!line->has_seq) {
        return GS_OK;
    }

    if (v->fault.kind != GS_AUDIT_FORK && line->seq == v->fault.seq) {
        v->fault.kind = GS_AUDIT_REORDER;
        gs_audit_verify_say(v, GS_AUDIT_SAY_PLACES);
        v->doubt = 0;
        return GS_DECLINED;
    }

    if (v->line == v->fault.line + 1 && line->seq == v->fault.seq + 1) {
        v->fault.kind = GS_AUDIT_EDIT;
        gs_audit_verify_say(v, GS_AUDIT_SAY_NUMBER);
    }

    return GS_OK;
}


static gs_rc_t
gs_audit_verify_fault(gs_audit_verify_t *v, gs_audit_kind_e kind,
    gs_audit_say_e say)
{
    memcpy(v->fault.file, v->file, sizeof(v->fault.file));
    v->fault.kind = kind;
    v->fault.line = v->line;
    v->fault.byte = v->bytes;
    v->fault.seq = v->next_seq;

    gs_audit_verify_say(v, say);

    return GS_DECLINED;
}


static void
gs_audit_verify_say(gs_audit_verify_t *v, gs_audit_say_e say)
{
    v->fault.en = gs_audit_says[say][0];
    v->fault.zh = gs_audit_says[say][1];
}


void
gs_audit_verify_end(gs_audit_verify_t *v, int last)
{
    v->doubt = 0;

    if (v->fault.kind != GS_AUDIT_GOOD) {
        return;
    }

    if (v->part_len != 0 || (!v->opened && last)) {
        v->line++;

        switch (last ? gs_audit_verify_tail(v) : GS_AUDIT_TRUNCATE) {

        case GS_AUDIT_TORN:
            gs_audit_verify_fault(v, GS_AUDIT_TORN, GS_AUDIT_SAY_TORN);
            break;

        case GS_AUDIT_EDIT:
            gs_audit_verify_fault(v, GS_AUDIT_EDIT, GS_AUDIT_SAY_TAIL);
            break;

        default:
            gs_audit_verify_fault(v, GS_AUDIT_TRUNCATE, GS_AUDIT_SAY_BROKEN);
        }

        return;
    }

    if (last && v->more && !v->partial) {
        v->line++;
        gs_audit_verify_fault(v, GS_AUDIT_TRUNCATE, GS_AUDIT_SAY_AFTER);
    }
}


/* A finished line with one byte too many is no torn one. */

static gs_audit_kind_e
gs_audit_verify_tail(gs_audit_verify_t *v)
{
    gs_str_t         text;
    gs_audit_line_t  line;

    if (v->part_len == 0) {
        return GS_AUDIT_TORN;
    }

    text = gs_str_make(v->part, v->part_len - 1);

    return gs_audit_scan(&text, &line) == GS_OK ? GS_AUDIT_EDIT
                                                : GS_AUDIT_TORN;
}


gs_rc_t
gs_audit_verify_counted(const void *data, size_t len, const char *file,
    uint64_t *bytes)
{
    gs_str_t           text;
    gs_audit_line_t    line;
    const gs_uchar_t  *lf;

    lf = (len != 0) ? memchr(data, '\n', len) : NULL;

    if (lf == NULL) {
        return GS_DECLINED;
    }

    text = gs_str_make(data, (size_t) (lf - (const gs_uchar_t *) data));

    /* the one it speaks of may be missing, and file another */

    if (gs_audit_scan(&text, &line) != GS_OK || !line.has_prev
        || !gs_str_eq_text(&line.prev_seg, file)
        || (!gs_str_eq_text(&line.why, "eio")
            && !gs_str_eq_text(&line.why, "crash")
            && !gs_str_eq_text(&line.why, "unlinked")))
    {
        return GS_DECLINED;
    }

    *bytes = line.prev_bytes;

    return GS_OK;
}


static void
gs_audit_verify_copy(char *dst, size_t size, const char *src, size_t len)
{
    if (len > size - 1) {
        len = size - 1;
    }

    if (len != 0) {
        memcpy(dst, src, len);
    }

    dst[len] = '\0';
}
