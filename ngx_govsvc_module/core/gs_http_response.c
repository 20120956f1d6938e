
/*
 * Copyright (C) govsvc authors
 *
 * Answers of HTTP/1.x: the pieces, the body's three forms.  The head is taken
 * apart in core/gs_http_head.c when all of it is there.
 */


#include "core/gs_http_head.h"
#include "core/gs_hex.h"


#define GS_HTTP_RESPONSE_ROOM  4096
#define GS_HTTP_RESPONSE_LINE  256         /* bytes of a chunk's size line */


static gs_rc_t gs_http_response_head(gs_http_response_t *h,
    const gs_uchar_t **p, const gs_uchar_t *last);
static gs_rc_t gs_http_response_begin_body(gs_http_response_t *h);
static gs_rc_t gs_http_response_chunk_byte(gs_http_response_t *h,
    gs_uchar_t c);
static gs_rc_t gs_http_response_chunk_size(gs_http_response_t *h,
    gs_uchar_t c);
static gs_rc_t gs_http_response_trailer(gs_http_response_t *h, gs_uchar_t c);
static gs_rc_t gs_http_response_body(gs_http_response_t *h,
    const gs_uchar_t **p, const gs_uchar_t *last);
static gs_rc_t gs_http_response_append(gs_http_response_t *h,
    const gs_uchar_t *data, size_t len);
static gs_rc_t gs_http_response_large(gs_http_response_t *h,
    const char *error);


gs_rc_t
gs_http_response_init(gs_http_response_t *h, gs_mem_t *mem, size_t max_head,
    size_t max_body, int no_body)
{
    memset(h, 0, sizeof(gs_http_response_t));

    h->mem = mem;
    h->max_head = max_head;
    h->max_body = max_body;
    h->no_body = no_body != 0;
    h->head = gs_alloc(mem, max_head);

    return h->head == NULL ? GS_ERROR : GS_OK;
}


void
gs_http_response_release(gs_http_response_t *h)
{
    gs_free(h->mem, h->head);
    gs_free(h->mem, h->room);

    memset(h, 0, sizeof(gs_http_response_t));
}


gs_rc_t
gs_http_response_feed(gs_http_response_t *h, const void *data, size_t len)
{
    gs_rc_t            rc;
    const gs_uchar_t  *p, *last;

    p = data;
    last = p + len;

    while (p < last && h->state != GS_HTTP_RESPONSE_DONE) {

        switch (h->state) {

        case GS_HTTP_RESPONSE_FAILED:
            return GS_ERROR;

        case GS_HTTP_RESPONSE_HEAD:
            rc = gs_http_response_head(h, &p, last);
            break;

        case GS_HTTP_RESPONSE_LENGTH:
        case GS_HTTP_RESPONSE_CLOSE:
        case GS_HTTP_RESPONSE_CHUNK_DATA:
            rc = gs_http_response_body(h, &p, last);
            break;

        case GS_HTTP_RESPONSE_TRAILER:
            rc = gs_http_response_trailer(h, *p++);
            break;

        default:
            rc = gs_http_response_chunk_byte(h, *p++);
        }

        if (rc == GS_ERROR) {
            h->state = GS_HTTP_RESPONSE_FAILED;
            return GS_ERROR;
        }
    }

    if (h->state == GS_HTTP_RESPONSE_FAILED) {
        return GS_ERROR;
    }

    return h->state == GS_HTTP_RESPONSE_DONE ? GS_OK : GS_AGAIN;
}


gs_rc_t
gs_http_response_eof(gs_http_response_t *h)
{
    if (h->state == GS_HTTP_RESPONSE_DONE
        || h->state == GS_HTTP_RESPONSE_CLOSE)
    {
        h->state = GS_HTTP_RESPONSE_DONE;
        return GS_OK;
    }

    if (h->state != GS_HTTP_RESPONSE_FAILED) {
        h->error = "closed before the end of the answer";
        h->state = GS_HTTP_RESPONSE_FAILED;
    }

    return GS_ERROR;
}


/* Bytes up to CRLFCRLF; what is in them is looked at when all is there. */

static gs_rc_t
gs_http_response_head(gs_http_response_t *h, const gs_uchar_t **p,
    const gs_uchar_t *last)
{
    gs_uchar_t         c;
    static const char  end[] = "\r\n\r\n";

    while (*p < last) {

        if (h->head_len == h->max_head) {
            return gs_http_response_large(h, "the head is too large");
        }

        c = *(*p)++;
        h->head[h->head_len++] = c;

        if (c == (gs_uchar_t) end[h->match]) {
            h->match++;

        } else {
            h->match = (c == '\r');
        }

        if (h->match < 4) {
            continue;
        }

        h->match = 0;

        if (gs_http_head_parse(h) != GS_OK) {
            return GS_ERROR;
        }

        if (h->status >= 200) {
            return gs_http_response_begin_body(h);
        }

        if (++h->interim > GS_HTTP_RESPONSE_INTERIM || h->status == 101) {
            h->error = "an interim answer that was not asked for";
            return GS_ERROR;
        }

        h->head_len = 0;
        h->status = 0;
        h->nheaders = 0;
    }

    return GS_AGAIN;
}


static gs_rc_t
gs_http_response_begin_body(gs_http_response_t *h)
{
    gs_http_framing_t  f;

    if (gs_http_head_framing(h, &f) != GS_OK) {
        return GS_ERROR;
    }

    if (h->no_body || h->status == 204 || h->status == 304) {
        h->state = GS_HTTP_RESPONSE_DONE;
        return GS_OK;
    }

    if (f.chunked) {
        h->state = GS_HTTP_RESPONSE_CHUNK_SIZE;
        return GS_AGAIN;
    }

    if (!f.length) {
        h->state = GS_HTTP_RESPONSE_CLOSE;
        return GS_AGAIN;
    }

    if (f.bytes > h->max_body) {
        return gs_http_response_large(h, "the body is too large");
    }

    h->left = f.bytes;
    h->state = f.bytes == 0 ? GS_HTTP_RESPONSE_DONE : GS_HTTP_RESPONSE_LENGTH;

    return GS_AGAIN;
}


/* The bytes around the data of chunks (RFC 9112 section 7.1). */

static gs_rc_t
gs_http_response_chunk_byte(gs_http_response_t *h, gs_uchar_t c)
{
    switch (h->state) {

    case GS_HTTP_RESPONSE_CHUNK_SIZE:
        return gs_http_response_chunk_size(h, c);

    case GS_HTTP_RESPONSE_CHUNK_EXT:

        if (c == '\r') {
            h->state = GS_HTTP_RESPONSE_CHUNK_LF;
            return GS_AGAIN;
        }

        if (++h->line > GS_HTTP_RESPONSE_LINE || !gs_http_is_text(c)) {
            break;
        }

        return GS_AGAIN;

    case GS_HTTP_RESPONSE_CHUNK_LF:

        if (c != '\n') {
            break;
        }

        h->state = h->left == 0 ? GS_HTTP_RESPONSE_TRAILER
                                : GS_HTTP_RESPONSE_CHUNK_DATA;
        h->line = 0;
        h->match = 0;
        h->digits = 0;

        return GS_AGAIN;

    case GS_HTTP_RESPONSE_CHUNK_END:

        if (c != '\r') {
            break;
        }

        h->state = GS_HTTP_RESPONSE_CHUNK_END_LF;
        return GS_AGAIN;

    default:                               /* CHUNK_END_LF */

        if (c != '\n') {
            break;
        }

        h->state = GS_HTTP_RESPONSE_CHUNK_SIZE;
        return GS_AGAIN;
    }

    h->error = "a chunk is malformed";

    return GS_ERROR;
}


static gs_rc_t
gs_http_response_chunk_size(gs_http_response_t *h, gs_uchar_t c)
{
    int  n;

    n = gs_hex_value(c);

    if (n >= 0) {

        /* 16 digits fit the number; what is in them must fit the body */

        if (++h->digits > 16) {
            h->error = "a chunk is malformed";
            return GS_ERROR;
        }

        h->left = h->left << 4 | (uint64_t) n;

        return GS_AGAIN;
    }

    if (h->digits == 0 || (c != '\r' && c != ';')) {
        h->error = "a chunk is malformed";
        return GS_ERROR;
    }

    if (h->left > h->max_body - h->body.len) {
        return gs_http_response_large(h, "the body is too large");
    }

    h->state = c == '\r' ? GS_HTTP_RESPONSE_CHUNK_LF
                         : GS_HTTP_RESPONSE_CHUNK_EXT;

    return GS_AGAIN;
}


/*
 * Fields behind the last chunk are dropped: nobody who asked for the answer
 * relies on them (RFC 9110 section 6.5.1).  match: 0 at the start of a line, 1
 * in it, 2 behind its CR, 3 behind the CR of the empty line.
 */

static gs_rc_t
gs_http_response_trailer(gs_http_response_t *h, gs_uchar_t c)
{
    if (++h->line > h->max_head) {
        return gs_http_response_large(h, "the trailer is too large");
    }

    switch (h->match) {

    case 0:
        h->match = (c == '\r') ? 3 : 1;
        break;

    case 1:
        h->match = (c == '\r') ? 2 : 1;
        break;

    case 2:

        if (c != '\n') {
            h->error = "a trailer is malformed";
            return GS_ERROR;
        }

        h->match = 0;
        return GS_AGAIN;

    default:

        if (c != '\n') {
            h->error = "a trailer is malformed";
            return GS_ERROR;
        }

        h->state = GS_HTTP_RESPONSE_DONE;
        return GS_OK;
    }

    if (c != '\r' && !gs_http_is_text(c)) {
        h->error = "a trailer is malformed";
        return GS_ERROR;
    }

    return GS_AGAIN;
}


static gs_rc_t
gs_http_response_body(gs_http_response_t *h, const gs_uchar_t **p,
    const gs_uchar_t *last)
{
    size_t             n;
    const gs_uchar_t  *data;

    data = *p;
    n = (size_t) (last - data);

    if (h->state != GS_HTTP_RESPONSE_CLOSE && n > h->left) {
        n = (size_t) h->left;
    }

    *p += n;

    if (gs_http_response_append(h, data, n) != GS_OK) {
        return GS_ERROR;
    }

    if (h->state == GS_HTTP_RESPONSE_CLOSE) {
        return GS_AGAIN;
    }

    h->left -= n;

    if (h->left == 0) {
        h->state = h->state == GS_HTTP_RESPONSE_LENGTH
                       ? GS_HTTP_RESPONSE_DONE
                       : GS_HTTP_RESPONSE_CHUNK_END;
    }

    return GS_AGAIN;
}


static gs_rc_t
gs_http_response_append(gs_http_response_t *h, const gs_uchar_t *data,
    size_t len)
{
    size_t       size;
    gs_uchar_t  *room;

    if (len > h->max_body - h->body.len) {
        return gs_http_response_large(h, "the body is too large");
    }

    if (len > h->room_size - h->body.len) {

        /* not what a length claims, but what has come */

        size = h->room_size < GS_HTTP_RESPONSE_ROOM / 2
                   ? GS_HTTP_RESPONSE_ROOM : h->room_size * 2;

        if (size < h->body.len + len) {
            size = h->body.len + len;
        }

        if (size > h->max_body) {
            size = h->max_body;
        }

        room = gs_alloc(h->mem, size);

        if (room == NULL) {
            h->error = "not enough memory";
            h->no_memory = 1;
            return GS_ERROR;
        }

        if (h->body.len != 0) {
            memcpy(room, h->room, h->body.len);
        }

        gs_free(h->mem, h->room);

        h->room = room;
        h->room_size = size;
        h->body.data = room;
    }

    memcpy(h->room + h->body.len, data, len);
    h->body.len += len;

    return GS_OK;
}


static gs_rc_t
gs_http_response_large(gs_http_response_t *h, const char *error)
{
    h->error = error;
    h->too_large = 1;

    return GS_ERROR;
}
