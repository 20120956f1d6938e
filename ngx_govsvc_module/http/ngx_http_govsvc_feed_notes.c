
/*
 * Copyright (C) govsvc authors
 *
 * Notes of a feed: which records were handed over under which number.  Text
 * files that grow, each of which begins with all that is known then.  Written
 * before the records are handed over; not synced, for what a power failure
 * takes is handed over once more, under new numbers.
 *
 * Runs in a thread of the worker that has the feed.
 */


#include "http/ngx_http_govsvc_feed_priv.h"


static ngx_int_t ngx_http_govsvc_feed_lock(ngx_http_govsvc_feed_t *feed);
static void ngx_http_govsvc_feed_notes_path(ngx_http_govsvc_feed_t *feed,
    uint64_t n);
static ngx_int_t ngx_http_govsvc_feed_notes_list(ngx_http_govsvc_feed_t *feed,
    uint64_t below, uint64_t *found);
static ngx_int_t ngx_http_govsvc_feed_notes_load(
    ngx_http_govsvc_feed_t *feed);
static ngx_int_t ngx_http_govsvc_feed_notes_take(ngx_http_govsvc_feed_t *feed,
    const gs_audit_feed_t *entry);
static ngx_int_t ngx_http_govsvc_feed_notes_begin(
    ngx_http_govsvc_feed_t *feed);
static ngx_int_t ngx_http_govsvc_feed_notes_write(
    ngx_http_govsvc_feed_t *feed, ngx_fd_t fd, const gs_audit_feed_t *entry);
static void ngx_http_govsvc_feed_notes_expire(ngx_http_govsvc_feed_t *feed);
static ngx_int_t ngx_http_govsvc_feed_notes_line(ngx_fd_t fd, uint64_t *pos,
    u_char *room, gs_str_t *line);
static ngx_int_t ngx_http_govsvc_feed_replay_file(
    ngx_http_govsvc_feed_t *feed, uint64_t n);


ngx_int_t
ngx_http_govsvc_feed_notes_open(ngx_http_govsvc_feed_t *feed)
{
    uint64_t   n;
    ngx_int_t  rc;

    if (feed->path == NULL) {
        feed->path_size = feed->amcf->dir.len + GS_AUDIT_FEED_CHAIN + 128;
        feed->path = ngx_alloc(feed->path_size, feed->log);
        feed->data = ngx_alloc(GS_AUDIT_FEED_BYTES, feed->log);
        feed->batch = ngx_alloc(sizeof(ngx_http_govsvc_feed_batch_t),
                                feed->log);

        if (feed->path == NULL || feed->data == NULL || feed->batch == NULL) {
            return NGX_ERROR;
        }
    }

    rc = ngx_http_govsvc_feed_lock(feed);

    if (rc != NGX_OK) {
        return rc;
    }

    feed->nchains = 0;
    feed->next = 1;
    feed->scanned = 0;
    feed->want = 0;
    feed->confirmed = 0;
    feed->since = ngx_http_govsvc_feed_msec();
    feed->since -= ngx_min(feed->since, (uint64_t) feed->conf.replay);

    rc = ngx_http_govsvc_feed_notes_list(feed, UINT64_MAX, &n);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_OK) {
        ngx_http_govsvc_feed_notes_path(feed, n);

        feed->notes = open(feed->path, O_RDWR|O_APPEND|O_CLOEXEC);

        if (feed->notes == NGX_INVALID_FILE) {
            return ngx_http_govsvc_feed_failed(feed, ngx_open_file_n);
        }

        if (ngx_http_govsvc_feed_notes_load(feed) != NGX_OK) {
            return NGX_ERROR;
        }

    } else if (ngx_http_govsvc_feed_notes_begin(feed) != NGX_OK) {
        return NGX_ERROR;
    }

    feed->open = 1;

    return NGX_OK;
}


/* Two masters, after an upgrade, elect a worker each. */

static ngx_int_t
ngx_http_govsvc_feed_lock(ngx_http_govsvc_feed_t *feed)
{
    struct flock  lock;

    ngx_snprintf((u_char *) feed->path, feed->path_size, "%V/feed.%V.lock%Z",
                 &feed->amcf->dir, &feed->conf.name);

    feed->lock = open(feed->path, O_RDWR|O_CREAT|O_CLOEXEC|O_NOFOLLOW, 0640);

    if (feed->lock == NGX_INVALID_FILE) {
        return ngx_http_govsvc_feed_failed(feed, ngx_open_file_n);
    }

    ngx_memzero(&lock, sizeof(struct flock));
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;

    if (fcntl(feed->lock, F_SETLK, &lock) == -1) {

        if (ngx_errno == NGX_EAGAIN || ngx_errno == NGX_EACCES) {
            return NGX_BUSY;
        }

        return ngx_http_govsvc_feed_failed(feed, "fcntl(F_SETLK)");
    }

    return NGX_OK;
}


void
ngx_http_govsvc_feed_notes_close(ngx_http_govsvc_feed_t *feed)
{
    ngx_fd_t    *fds[3];
    ngx_uint_t   i;

    fds[0] = &feed->replay;
    fds[1] = &feed->notes;
    fds[2] = &feed->lock;

    for (i = 0; i < 3; i++) {
        if (*fds[i] != NGX_INVALID_FILE) {
            (void) ngx_close_file(*fds[i]);
            *fds[i] = NGX_INVALID_FILE;
        }
    }

    ngx_free(feed->chains);
    ngx_free(feed->batch);
    ngx_free(feed->data);
    ngx_free(feed->path);

    feed->chains = NULL;
    feed->batch = NULL;
    feed->data = NULL;
    feed->path = NULL;
    feed->nchains = 0;
    feed->size = 0;
    feed->open = 0;
}


static void
ngx_http_govsvc_feed_notes_path(ngx_http_govsvc_feed_t *feed, uint64_t n)
{
    ngx_snprintf((u_char *) feed->path, feed->path_size,
                 "%V/feed.%V.%020uL%Z", &feed->amcf->dir, &feed->conf.name, n);
}


/* The greatest number in the names of the files that is below the bound. */

static ngx_int_t
ngx_http_govsvc_feed_notes_list(ngx_http_govsvc_feed_t *feed, uint64_t below,
    uint64_t *found)
{
    DIR            *dir;
    u_char          text[NGX_HTTP_GOVSVC_FEED_NAME + 8];
    gs_str_t        name, head, number;
    uint64_t        n;
    ngx_int_t       rc;
    struct dirent  *de;

    head = gs_str_make(text, (size_t) (ngx_snprintf(text, sizeof(text),
                                                    "feed.%V.",
                                                    &feed->conf.name)
                                       - text));

    ngx_snprintf((u_char *) feed->path, feed->path_size, "%V%Z",
                 &feed->amcf->dir);

    dir = opendir(feed->path);

    if (dir == NULL) {
        return ngx_http_govsvc_feed_failed(feed, ngx_open_dir_n);
    }

    rc = NGX_DECLINED;
    *found = 0;

    for ( ;; ) {
        de = readdir(dir);

        if (de == NULL) {
            break;
        }

        name = gs_str_text(de->d_name);

        if (!gs_str_prefix(&name, &head)) {
            continue;
        }

        number = gs_str_make(name.data + head.len, name.len - head.len);

        while (number.len > 1 && number.data[0] == '0') {
            number.data++;
            number.len--;
        }

        if (gs_parse_u64(&number, &n) == GS_OK && n < below && n >= *found) {
            *found = n;
            rc = NGX_OK;
        }
    }

    (void) closedir(dir);

    return rc;
}


/* All that counts of the newest file; behind the last good line it ends. */

static ngx_int_t
ngx_http_govsvc_feed_notes_load(ngx_http_govsvc_feed_t *feed)
{
    u_char           room[GS_AUDIT_FEED_LINE];
    gs_str_t         line;
    uint64_t         pos, good;
    ngx_int_t        rc;
    gs_audit_feed_t  entry;

    pos = 0;
    good = 0;

    for ( ;; ) {
        rc = ngx_http_govsvc_feed_notes_line(feed->notes, &pos, room, &line);

        if (rc == NGX_ERROR) {
            return ngx_http_govsvc_feed_failed(feed, ngx_read_file_n);
        }

        if (rc != NGX_OK || gs_audit_feed_parse(&line, &entry) != GS_OK) {
            break;
        }

        if ((good == 0) != (entry.kind == 'V')
            || ngx_http_govsvc_feed_notes_take(feed, &entry) != NGX_OK)
        {
            break;
        }

        good = pos;
    }

    if (good == 0) {
        ngx_log_error(NGX_LOG_ERR, feed->log, 0,
                      "govsvc feed: \"%s\" is not about \"%V\"", feed->path,
                      &feed->conf.key);
        return NGX_ERROR;
    }

    feed->notes_size = good;

    if (ftruncate(feed->notes, (off_t) good) == -1) {
        return ngx_http_govsvc_feed_failed(feed, "ftruncate()");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_feed_notes_take(ngx_http_govsvc_feed_t *feed,
    const gs_audit_feed_t *entry)
{
    gs_str_t                       key;
    ngx_http_govsvc_feed_chain_t  *chain;

    if (entry->kind == 'V') {
        key = ngx_govsvc_to_gs(&feed->conf.key);
        return gs_str_eq(&entry->chain, &key) ? NGX_OK : NGX_ERROR;
    }

    if (entry->kind == 'T') {
        feed->since = entry->time;
        return NGX_OK;
    }

    if (entry->kind == 'S') {
        feed->confirmed = entry->n;
        return NGX_OK;
    }

    if (entry->kind == 'N' || entry->kind == 'B') {

        if (entry->n < feed->next) {
            return NGX_ERROR;
        }

        feed->next = entry->n + entry->count;

        if (entry->kind == 'N') {
            return NGX_OK;
        }
    }

    chain = ngx_http_govsvc_feed_chain(feed, &entry->chain);
    if (chain == NULL) {
        return NGX_ERROR;
    }

    if (entry->kind == 'E') {
        chain->ended = 1;
        return NGX_OK;
    }

    chain->segment = entry->segment;
    chain->offset = entry->offset + entry->bytes;

    return NGX_OK;
}


/* A new file, complete before it has its name. */

static ngx_int_t
ngx_http_govsvc_feed_notes_begin(ngx_http_govsvc_feed_t *feed)
{
    u_char           tmp[NGX_MAX_PATH];
    ngx_fd_t         fd;
    ngx_int_t        rc;
    ngx_uint_t       i;
    gs_audit_feed_t  entry;

    ngx_snprintf(tmp, sizeof(tmp) - 1, "%V/feed.%V.new%Z", &feed->amcf->dir,
                 &feed->conf.name);
    tmp[sizeof(tmp) - 1] = '\0';

    ngx_http_govsvc_feed_notes_path(feed, feed->next);

    fd = open((char *) tmp, O_RDWR|O_CREAT|O_TRUNC|O_APPEND|O_CLOEXEC
                            |O_NOFOLLOW, 0640);

    if (fd == NGX_INVALID_FILE) {
        return ngx_http_govsvc_feed_failed(feed, ngx_open_file_n);
    }

    feed->notes_size = 0;

    ngx_memzero(&entry, sizeof(gs_audit_feed_t));
    entry.kind = 'V';
    entry.n = 1;
    entry.chain = ngx_govsvc_to_gs(&feed->conf.key);

    rc = ngx_http_govsvc_feed_notes_write(feed, fd, &entry);

    entry.kind = 'T';
    entry.time = feed->since;

    rc |= ngx_http_govsvc_feed_notes_write(feed, fd, &entry);

    entry.kind = 'S';
    entry.n = feed->confirmed;

    rc |= ngx_http_govsvc_feed_notes_write(feed, fd, &entry);

    entry.kind = 'N';
    entry.n = feed->next;

    rc |= ngx_http_govsvc_feed_notes_write(feed, fd, &entry);

    for (i = 0; i < feed->nchains; i++) {
        entry.kind = feed->chains[i].ended ? 'E' : 'C';
        entry.chain = gs_str_text(feed->chains[i].name);
        entry.segment = feed->chains[i].segment;
        entry.offset = feed->chains[i].offset;

        rc |= ngx_http_govsvc_feed_notes_write(feed, fd, &entry);
    }

    if (rc != NGX_OK || rename((char *) tmp, feed->path) == -1) {
        (void) ngx_http_govsvc_feed_failed(feed, "rename()");
        (void) ngx_close_file(fd);
        return NGX_ERROR;
    }

    if (feed->notes != NGX_INVALID_FILE) {
        (void) ngx_close_file(feed->notes);
    }

    feed->notes = fd;

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_feed_notes_write(ngx_http_govsvc_feed_t *feed, ngx_fd_t fd,
    const gs_audit_feed_t *entry)
{
    u_char    room[GS_AUDIT_FEED_LINE];
    gs_buf_t  b;

    gs_buf_init(&b, room, sizeof(room));
    gs_audit_feed_write(&b, entry);

    if (b.overflow || write(fd, room, gs_buf_len(&b))
                      != (ssize_t) gs_buf_len(&b))
    {
        return NGX_ERROR;
    }

    feed->notes_size += gs_buf_len(&b);

    return NGX_OK;
}


ngx_int_t
ngx_http_govsvc_feed_note(ngx_http_govsvc_feed_t *feed,
    const gs_audit_feed_t *entry)
{
    if (feed->notes_size > NGX_HTTP_GOVSVC_FEED_NOTES) {

        if (ngx_http_govsvc_feed_notes_begin(feed) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_http_govsvc_feed_notes_expire(feed);
    }

    if (ngx_http_govsvc_feed_notes_write(feed, feed->notes, entry) != NGX_OK) {

        /* a part of it may stand there: the next file begins without it */

        ngx_http_govsvc_feed_notes_path(feed, feed->next);
        feed->notes_size = NGX_HTTP_GOVSVC_FEED_NOTES + 1;

        return ngx_http_govsvc_feed_failed(feed, "write()");
    }

    if (entry->kind == 'B' || entry->kind == 'N') {
        feed->next = entry->n + entry->count;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_govsvc_feed_notes_confirm(ngx_http_govsvc_feed_t *feed, uint64_t n)
{
    gs_audit_feed_t  entry;

    if (n <= feed->confirmed || n >= feed->next) {
        return NGX_OK;
    }

    ngx_memzero(&entry, sizeof(gs_audit_feed_t));
    entry.kind = 'S';
    entry.n = n;

    if (ngx_http_govsvc_feed_note(feed, &entry) != NGX_OK) {
        return NGX_ERROR;
    }

    feed->confirmed = n;

    return NGX_OK;
}


/* Files about nothing but what is too old to be handed over again. */

static void
ngx_http_govsvc_feed_notes_expire(ngx_http_govsvc_feed_t *feed)
{
    uint64_t         n;
    ngx_file_info_t  fi;

    n = feed->next;

    while (ngx_http_govsvc_feed_notes_list(feed, n, &n) == NGX_OK) {
        ngx_http_govsvc_feed_notes_path(feed, n);

        if (ngx_file_info(feed->path, &fi) == NGX_FILE_ERROR
            || (uint64_t) ngx_file_mtime(&fi) * 1000 + feed->conf.replay
               > ngx_http_govsvc_feed_msec())
        {
            continue;
        }

        if (ngx_delete_file(feed->path) == NGX_FILE_ERROR) {
            (void) ngx_http_govsvc_feed_failed(feed, ngx_delete_file_n);
        }
    }
}


/* NGX_DECLINED: what is left is no whole line. */

static ngx_int_t
ngx_http_govsvc_feed_notes_line(ngx_fd_t fd, uint64_t *pos, u_char *room,
    gs_str_t *line)
{
    u_char   *p;
    ssize_t   n;

    n = pread(fd, room, GS_AUDIT_FEED_LINE, (off_t) *pos);

    if (n < 0) {
        return NGX_ERROR;
    }

    p = (n == 0) ? NULL : memchr(room, LF, (size_t) n);

    if (p == NULL) {
        return NGX_DECLINED;
    }

    *line = gs_str_make(room, (size_t) (p - room));
    *pos += (uint64_t) (p - room) + 1;

    return NGX_OK;
}


ngx_int_t
ngx_http_govsvc_feed_notes_find(ngx_http_govsvc_feed_t *feed, uint64_t n)
{
    uint64_t         file, oldest;
    ngx_int_t        rc;
    gs_audit_feed_t  entry;

    if (feed->replay != NGX_INVALID_FILE) {
        (void) ngx_close_file(feed->replay);
        feed->replay = NGX_INVALID_FILE;
    }

    if (n == NGX_HTTP_GOVSVC_FEED_CONFIRMED) {
        n = feed->confirmed + 1;
    }

    feed->want = n;

    if (n == UINT64_MAX || n == feed->next) {
        feed->want = feed->next;
        return NGX_OK;
    }

    if (n > feed->next) {
        ngx_memzero(&entry, sizeof(gs_audit_feed_t));
        entry.kind = 'N';
        entry.n = n;

        return ngx_http_govsvc_feed_note(feed, &entry);
    }

    /* the last file that begins not behind n, or else the first of all */

    rc = ngx_http_govsvc_feed_notes_list(feed, (n == 0) ? 0 : n + 1, &file);

    if (rc == NGX_DECLINED) {
        oldest = UINT64_MAX;

        while (ngx_http_govsvc_feed_notes_list(feed, oldest, &oldest)
               == NGX_OK)
        {
            file = oldest;
        }
    }

    return (rc == NGX_ERROR) ? NGX_ERROR
                             : ngx_http_govsvc_feed_replay_file(feed, file);
}


static ngx_int_t
ngx_http_govsvc_feed_replay_file(ngx_http_govsvc_feed_t *feed, uint64_t n)
{
    if (feed->replay != NGX_INVALID_FILE) {
        (void) ngx_close_file(feed->replay);
    }

    ngx_http_govsvc_feed_notes_path(feed, n);

    feed->replay = open(feed->path, O_RDONLY|O_CLOEXEC);
    feed->replay_file = n;
    feed->replay_pos = 0;

    if (feed->replay == NGX_INVALID_FILE) {
        return ngx_http_govsvc_feed_failed(feed, ngx_open_file_n);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_govsvc_feed_notes_again(ngx_http_govsvc_feed_t *feed,
    gs_audit_feed_t *entry, char *chain)
{
    u_char     room[GS_AUDIT_FEED_LINE];
    gs_str_t   line;
    uint64_t   file, n, now;
    ngx_int_t  rc;

    now = ngx_http_govsvc_feed_msec();

    while (feed->replay != NGX_INVALID_FILE) {
        rc = ngx_http_govsvc_feed_notes_line(feed->replay, &feed->replay_pos,
                                             room, &line);
        if (rc == NGX_ERROR) {
            return ngx_http_govsvc_feed_failed(feed, ngx_read_file_n);
        }

        if (rc == NGX_OK) {

            if (gs_audit_feed_parse(&line, entry) != GS_OK
                || entry->kind != 'B'
                || entry->n + entry->count <= feed->want
                || (feed->want == 0
                    && entry->time + feed->conf.replay < now))
            {
                continue;
            }

            ngx_memzero(chain, GS_AUDIT_FEED_CHAIN);
            ngx_memcpy(chain, entry->chain.data, entry->chain.len);
            entry->chain = gs_str_text(chain);

            return NGX_OK;
        }

        /* the file behind this one */

        file = 0;
        n = UINT64_MAX;

        while (ngx_http_govsvc_feed_notes_list(feed, n, &n) == NGX_OK
               && n > feed->replay_file)
        {
            file = n;
        }

        if (file == 0) {
            (void) ngx_close_file(feed->replay);
            feed->replay = NGX_INVALID_FILE;
            break;
        }

        if (ngx_http_govsvc_feed_replay_file(feed, file) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_DONE;
}
