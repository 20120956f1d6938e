
/*
 * Copyright (C) govsvc authors
 *
 * Records for a feed out of the segments of all chains.  Only what is safe on
 * the disk is handed over: a reader sees lines before their writer has synced
 * them.
 *
 * Runs in a thread of the worker that has the feed.
 */


#include "audit/gs_audit_scan.h"
#include "http/ngx_http_govsvc_feed_priv.h"


static ngx_int_t ngx_http_govsvc_feed_open_segment(
    ngx_http_govsvc_feed_t *feed, const char *chain, uint64_t segment,
    ngx_fd_t *fd);
static ngx_int_t ngx_http_govsvc_feed_read(ngx_http_govsvc_feed_t *feed,
    ngx_fd_t fd, uint64_t offset, size_t size);
static ngx_int_t ngx_http_govsvc_feed_lines(ngx_http_govsvc_feed_t *feed,
    size_t size, ngx_uint_t max, gs_audit_line_t *last);
static ngx_uint_t ngx_http_govsvc_feed_wants(ngx_http_govsvc_feed_t *feed,
    const gs_str_t *type);
static ngx_int_t ngx_http_govsvc_feed_look(ngx_http_govsvc_feed_t *feed);
static ngx_int_t ngx_http_govsvc_feed_chain_fresh(
    ngx_http_govsvc_feed_t *feed, ngx_http_govsvc_feed_chain_t *chain,
    ngx_uint_t look);
static ngx_int_t ngx_http_govsvc_feed_segment_fresh(
    ngx_http_govsvc_feed_t *feed, ngx_http_govsvc_feed_chain_t *chain,
    ngx_uint_t *closed);
static ngx_int_t ngx_http_govsvc_feed_taken(ngx_http_govsvc_feed_t *feed,
    ngx_http_govsvc_feed_chain_t *chain, ngx_uint_t ended);
static ngx_int_t ngx_http_govsvc_feed_segment_next(
    ngx_http_govsvc_feed_t *feed, ngx_http_govsvc_feed_chain_t *chain);
static ngx_int_t ngx_http_govsvc_feed_note_chain(
    ngx_http_govsvc_feed_t *feed, ngx_http_govsvc_feed_chain_t *chain);


ngx_int_t
ngx_http_govsvc_feed_range(ngx_http_govsvc_feed_t *feed,
    const gs_audit_feed_t *entry)
{
    char             name[GS_AUDIT_FEED_CHAIN];
    ngx_fd_t         fd;
    uint64_t         skip;
    ngx_int_t        rc;
    gs_audit_line_t  last;

    ngx_memzero(name, sizeof(name));
    ngx_memcpy(name, entry->chain.data, entry->chain.len);

    rc = ngx_http_govsvc_feed_open_segment(feed, name, entry->segment, &fd);

    if (rc != NGX_OK) {
        (void) ngx_http_govsvc_feed_failed(feed, ngx_open_file_n);
        return rc;
    }

    rc = ngx_http_govsvc_feed_read(feed, fd, entry->offset,
                                   (size_t) entry->bytes);
    (void) ngx_close_file(fd);

    if (rc != NGX_OK) {
        return rc;
    }

    if (entry->count > NGX_HTTP_GOVSVC_FEED_BATCH
        || ngx_http_govsvc_feed_lines(feed, (size_t) entry->bytes,
                                      (ngx_uint_t) entry->count, &last)
           != NGX_OK
        || feed->batch->count != entry->count)
    {
        ngx_log_error(NGX_LOG_ALERT, feed->log, 0,
                      "govsvc feed: \"%s\" is not as it was when it was read "
                      "first, records %uL to %uL are left out", feed->path,
                      entry->n, entry->n + entry->count - 1);
        return NGX_DECLINED;
    }

    feed->batch->n = entry->n;

    if (feed->want > entry->n) {
        skip = feed->want - entry->n;

        ngx_memmove(feed->batch->records, feed->batch->records + skip,
                    (size_t) (entry->count - skip)
                    * sizeof(ngx_http_govsvc_feed_record_t));

        feed->batch->n += skip;
        feed->batch->count -= (ngx_uint_t) skip;
    }

    feed->want = entry->n + entry->count;

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_feed_open_segment(ngx_http_govsvc_feed_t *feed,
    const char *chain, uint64_t segment, ngx_fd_t *fd)
{
    u_char    name[NGX_GOVSVC_WRITER_NAME];
    gs_buf_t  b;

    gs_buf_init(&b, name, sizeof(name) - 1);
    gs_audit_feed_segment_name(&b, segment);
    *b.pos = '\0';

    ngx_snprintf((u_char *) feed->path, feed->path_size, "%V/%s/%s.seg%Z",
                 &feed->amcf->dir, chain, name);

    *fd = open(feed->path, O_RDONLY|O_CLOEXEC|O_NONBLOCK|O_NOFOLLOW);

    if (*fd != NGX_INVALID_FILE) {
        return NGX_OK;
    }

    /* taken away by the retention, or by somebody: what is left goes on */

    return (ngx_errno == NGX_ENOENT)
           ? NGX_DECLINED : ngx_http_govsvc_feed_failed(feed, ngx_open_file_n);
}


static ngx_int_t
ngx_http_govsvc_feed_read(ngx_http_govsvc_feed_t *feed, ngx_fd_t fd,
    uint64_t offset, size_t size)
{
    size_t   done;
    ssize_t  n;

    for (done = 0; done < size; done += (size_t) n) {
        n = pread(fd, feed->data + done, size - done, (off_t) (offset + done));

        if (n == -1 && ngx_errno == NGX_EINTR) {
            n = 0;
            continue;
        }

        if (n <= 0) {
            ngx_set_errno(n == 0 ? 0 : ngx_errno);
            return ngx_http_govsvc_feed_failed(feed, ngx_read_file_n);
        }
    }

    return NGX_OK;
}


/*
 * Whole lines of data into the batch, until it holds max; feed->used is their
 * length.  NGX_DECLINED: the line behind them is none.
 */

static ngx_int_t
ngx_http_govsvc_feed_lines(ngx_http_govsvc_feed_t *feed, size_t size,
    ngx_uint_t max, gs_audit_line_t *last)
{
    u_char                        *p, *end, *lf;
    gs_str_t                       s;
    gs_audit_line_t                line;
    ngx_http_govsvc_feed_batch_t  *batch;

    batch = feed->batch;
    batch->count = 0;
    feed->used = 0;
    ngx_memzero(last, sizeof(gs_audit_line_t));

    p = feed->data;
    end = p + size;

    while (p < end && batch->count < max) {
        lf = memchr(p, LF, (size_t) (end - p));

        if (lf == NULL) {
            break;
        }

        s = gs_str_make(p, (size_t) (lf - p));

        if (gs_audit_scan(&s, &line) != GS_OK) {
            return NGX_DECLINED;
        }

        if (ngx_http_govsvc_feed_wants(feed, &line.type)) {
            batch->records[batch->count].line = ngx_govsvc_from_gs(&s);
            batch->records[batch->count].type =
                                             ngx_govsvc_from_gs(&line.type);
            batch->count++;
        }

        *last = line;
        p = lf + 1;
        feed->used = (size_t) (p - feed->data);
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_govsvc_feed_wants(ngx_http_govsvc_feed_t *feed, const gs_str_t *type)
{
    gs_str_t    s;
    ngx_uint_t  i;

    for (i = 0; i < feed->conf.ntypes; i++) {
        s = ngx_govsvc_to_gs(&feed->conf.types[i]);

        if (gs_str_eq(type, &s)) {
            return 1;
        }
    }

    return (feed->conf.ntypes == 0);
}


ngx_int_t
ngx_http_govsvc_feed_fresh(ngx_http_govsvc_feed_t *feed)
{
    uint64_t    now;
    ngx_int_t   rc;
    ngx_uint_t  i, k, n, look;

    now = ngx_http_govsvc_feed_msec();
    look = 0;

    if (now - feed->scanned >= NGX_HTTP_GOVSVC_FEED_SCAN
        || now < feed->scanned)
    {
        feed->scanned = now;
        look = 1;

        if (ngx_http_govsvc_feed_look(feed) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    n = feed->nchains;

    for (i = 0; i < n; i++) {
        k = (feed->turn + i) % n;

        if (feed->chains[k].ended
            || (!look && feed->chains[k].active + NGX_HTTP_GOVSVC_FEED_QUIET
                         < now))
        {
            continue;
        }

        rc = ngx_http_govsvc_feed_chain_fresh(feed, &feed->chains[k], look);

        if (rc != NGX_DECLINED) {
            feed->turn = k + 1;
            return rc;
        }
    }

    return NGX_DECLINED;
}


/* Chains that are not known yet: DIR/<node>.<epoch>.w<worker>.<pid> */

static ngx_int_t
ngx_http_govsvc_feed_look(ngx_http_govsvc_feed_t *feed)
{
    DIR            *dir;
    gs_str_t        name;
    ngx_int_t       rc;
    struct dirent  *de;

    ngx_snprintf((u_char *) feed->path, feed->path_size, "%V%Z",
                 &feed->amcf->dir);

    dir = opendir(feed->path);

    if (dir == NULL) {
        return ngx_http_govsvc_feed_failed(feed, ngx_open_dir_n);
    }

    rc = NGX_OK;

    for ( ;; ) {
        de = readdir(dir);

        if (de == NULL) {
            break;
        }

        name = gs_str_text(de->d_name);

        if (de->d_name[0] == '.' || name.len >= GS_AUDIT_FEED_CHAIN
            || !gs_str_prefix(&name, &feed->amcf->node)
            || name.len <= feed->amcf->node.len
            || name.data[feed->amcf->node.len] != '.'
            || strstr(de->d_name, ".w") == NULL)
        {
            continue;
        }

        if (ngx_http_govsvc_feed_chain(feed, &name) == NULL) {
            rc = NGX_ERROR;
            break;
        }
    }

    (void) closedir(dir);

    return rc;
}


/*
 * A segment ends where the next begins, which is believed only when it was
 * seen before a look that found nothing more.
 */

static ngx_int_t
ngx_http_govsvc_feed_chain_fresh(ngx_http_govsvc_feed_t *feed,
    ngx_http_govsvc_feed_chain_t *chain, ngx_uint_t look)
{
    ngx_int_t   rc;
    ngx_uint_t  closed;

    for ( ;; ) {
        closed = 0;

        if (chain->segment != 0) {
            rc = ngx_http_govsvc_feed_segment_fresh(feed, chain, &closed);

            if (rc != NGX_DECLINED || chain->ended) {
                return rc;
            }

            if (chain->next != 0) {
                chain->segment = chain->next;
                chain->offset = 0;
                chain->safe = 0;
                chain->next = 0;
                chain->complained = 0;

                if (ngx_http_govsvc_feed_note_chain(feed, chain) != NGX_OK) {
                    return NGX_ERROR;
                }

                continue;
            }
        }

        if (!look && !closed) {
            return NGX_DECLINED;
        }

        rc = ngx_http_govsvc_feed_segment_next(feed, chain);

        if (rc != NGX_OK) {
            return rc;
        }
    }
}


/* NGX_DECLINED: no record that is wanted, up to the end of the file. */

static ngx_int_t
ngx_http_govsvc_feed_segment_fresh(ngx_http_govsvc_feed_t *feed,
    ngx_http_govsvc_feed_chain_t *chain, ngx_uint_t *closed)
{
    size_t           size;
    ngx_fd_t         fd;
    ngx_int_t        rc, lines;
    gs_audit_line_t  last;
    ngx_file_info_t  fi;

    rc = ngx_http_govsvc_feed_open_segment(feed, chain->name, chain->segment,
                                           &fd);
    if (rc == NGX_DECLINED && !chain->complained) {
        chain->complained = 1;
        (void) ngx_http_govsvc_feed_failed(feed, ngx_open_file_n);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    rc = NGX_ERROR;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        (void) ngx_http_govsvc_feed_failed(feed, ngx_fd_info_n);
        goto done;
    }

    if (chain->safe <= chain->offset
        && (uint64_t) ngx_file_size(&fi) > chain->offset)
    {
        if (feed->amcf->sync && fdatasync(fd) == -1) {
            (void) ngx_http_govsvc_feed_failed(feed, "fdatasync()");
            goto done;
        }

        chain->safe = (uint64_t) ngx_file_size(&fi);
    }

    for ( ;; ) {
        rc = NGX_DECLINED;

        if (chain->safe <= chain->offset) {
            break;
        }

        size = (size_t) ngx_min(chain->safe - chain->offset,
                                GS_AUDIT_FEED_BYTES);

        if (ngx_http_govsvc_feed_read(feed, fd, chain->offset, size)
            != NGX_OK)
        {
            rc = NGX_ERROR;
            break;
        }

        lines = ngx_http_govsvc_feed_lines(feed, size, feed->conf.batch,
                                           &last);

        if (lines != NGX_OK && chain->next == 0 && !chain->complained) {
            chain->complained = 1;

            ngx_log_error(NGX_LOG_ALERT, feed->log, 0,
                          "govsvc feed: no record at byte %uL of \"%s\"",
                          chain->offset + feed->used, feed->path);
        }

        if (feed->used == 0) {

            /* a part of a line: what comes behind it is to be synced, too */

            chain->safe = chain->offset;
            break;
        }

        *closed = gs_str_eq_text(&last.type, "seg.close");

        rc = ngx_http_govsvc_feed_taken(feed, chain,
                                        *closed
                                        && gs_str_eq_text(&last.why, "exit"));

        if (rc != NGX_DECLINED) {
            break;
        }
    }

done:

    (void) ngx_close_file(fd);

    return rc;
}


/* Lines were read: NGX_OK if a record is among them, which is noted. */

static ngx_int_t
ngx_http_govsvc_feed_taken(ngx_http_govsvc_feed_t *feed,
    ngx_http_govsvc_feed_chain_t *chain, ngx_uint_t ended)
{
    ngx_int_t        rc;
    gs_audit_feed_t  entry;

    rc = NGX_DECLINED;
    chain->active = ngx_http_govsvc_feed_msec();

    if (feed->batch->count != 0) {
        entry.kind = 'B';
        entry.n = feed->next;
        entry.count = feed->batch->count;
        entry.time = chain->active;
        entry.chain = gs_str_text(chain->name);
        entry.segment = chain->segment;
        entry.offset = chain->offset;
        entry.bytes = feed->used;

        if (ngx_http_govsvc_feed_note(feed, &entry) != NGX_OK) {
            return NGX_ERROR;
        }

        feed->batch->n = entry.n;
        feed->want = feed->next;
        rc = NGX_OK;
    }

    chain->offset += feed->used;

    if (ended) {
        chain->ended = 1;

        if (ngx_http_govsvc_feed_note_chain(feed, chain) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return rc;
}


/*
 * The next segment by its number, at first one that is not too old: what came
 * after the feed began is never that, however long the receiver was away.
 */

static ngx_int_t
ngx_http_govsvc_feed_segment_next(ngx_http_govsvc_feed_t *feed,
    ngx_http_govsvc_feed_chain_t *chain)
{
    DIR              *dir;
    size_t            len;
    gs_str_t          name;
    uint64_t          segment, best;
    struct dirent    *de;
    ngx_file_info_t   fi;

    len = (size_t) (ngx_snprintf((u_char *) feed->path, feed->path_size,
                                 "%V/%s%Z", &feed->amcf->dir, chain->name)
                    - (u_char *) feed->path) - 1;

    dir = opendir(feed->path);

    if (dir == NULL) {
        return (ngx_errno == NGX_ENOENT || ngx_errno == NGX_ENOTDIR)
               ? NGX_DECLINED
               : ngx_http_govsvc_feed_failed(feed, ngx_open_dir_n);
    }

    best = 0;

    for ( ;; ) {
        de = readdir(dir);

        if (de == NULL) {
            break;
        }

        name = gs_str_text(de->d_name);

        if (gs_audit_feed_segment(&name, &segment) != GS_OK
            || segment <= chain->segment || (best != 0 && segment > best))
        {
            continue;
        }

        if (chain->segment == 0) {
            ngx_snprintf((u_char *) feed->path + len, feed->path_size - len,
                         "/%s%Z", de->d_name);

            if (ngx_file_info(feed->path, &fi) == NGX_FILE_ERROR
                || (uint64_t) ngx_file_mtime(&fi) * 1000 + 1000 < feed->since)
            {
                continue;
            }
        }

        best = segment;
    }

    (void) closedir(dir);

    if (best == 0) {
        return NGX_DECLINED;
    }

    if (chain->segment == 0) {
        chain->segment = best;

    } else {
        chain->next = best;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_feed_note_chain(ngx_http_govsvc_feed_t *feed,
    ngx_http_govsvc_feed_chain_t *chain)
{
    gs_audit_feed_t  entry;

    ngx_memzero(&entry, sizeof(gs_audit_feed_t));

    entry.kind = chain->ended ? 'E' : 'C';
    entry.chain = gs_str_text(chain->name);
    entry.segment = chain->segment;
    entry.offset = chain->offset;

    return ngx_http_govsvc_feed_note(feed, &entry);
}
