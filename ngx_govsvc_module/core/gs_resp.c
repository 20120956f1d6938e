
/*
 * Copyright (C) govsvc authors
 *
 * RESP2: a scan that resumes at any byte and announces nothing larger than
 * its limits, and a cursor over a whole reply.
 */


#include "core/gs_resp.h"


static gs_rc_t gs_resp_scan_line(gs_resp_scan_t *s,
    const gs_resp_limits_t *limits, const gs_uchar_t *p, size_t end);
static gs_rc_t gs_resp_scan_array(gs_resp_scan_t *s,
    const gs_resp_limits_t *limits, int64_t n);
static gs_rc_t gs_resp_scan_item(gs_resp_scan_t *s);
static int gs_resp_is_type(int c);
static gs_rc_t gs_resp_number(const gs_uchar_t *p, size_t len, int64_t *n);


gs_rc_t
gs_resp_scan(gs_resp_scan_t *s, const gs_resp_limits_t *limits,
    const void *data, size_t len, size_t *used)
{
    gs_rc_t            rc;
    const gs_uchar_t  *p, *nl;

    p = data;

    for ( ;; ) {

        if (s->bulk != 0) {

            if (len - s->pos < s->bulk) {
                return GS_AGAIN;
            }

            s->pos += s->bulk;
            s->bulk = 0;

            if (p[s->pos - 2] != '\r' || p[s->pos - 1] != '\n') {
                return GS_ERROR;
            }

            s->mark = s->pos;
            rc = gs_resp_scan_item(s);

        } else {
            nl = (s->pos == len) ? NULL
                                 : memchr(p + s->pos, '\n', len - s->pos);

            if (nl == NULL) {
                s->pos = len;

                /* what is no RESP at all may never send a line */

                return (s->pos - s->mark > GS_RESP_LINE
                        || s->pos > limits->max_bytes
                        || (s->mark < len && !gs_resp_is_type(p[s->mark])))
                       ? GS_ERROR : GS_AGAIN;
            }

            rc = gs_resp_scan_line(s, limits, p, (size_t) (nl - p));
        }

        if (rc == GS_OK) {
            *used = s->pos;
            memset(s, 0, sizeof(gs_resp_scan_t));
            return GS_OK;
        }

        if (rc == GS_ERROR) {
            return GS_ERROR;
        }
    }
}


/* The line from s->mark to the "\n" at end. */

static gs_rc_t
gs_resp_scan_line(gs_resp_scan_t *s, const gs_resp_limits_t *limits,
    const gs_uchar_t *p, size_t end)
{
    size_t             len;
    int64_t            n;
    const gs_uchar_t  *line;

    line = p + s->mark;
    len = end - s->mark;

    if (len < 2 || len > GS_RESP_LINE || line[len - 1] != '\r'
        || end + 1 > limits->max_bytes)
    {
        return GS_ERROR;
    }

    s->pos = end + 1;
    s->mark = s->pos;

    if (line[0] == '+' || line[0] == '-') {
        return gs_resp_scan_item(s);
    }

    if (gs_resp_number(line + 1, len - 2, &n) != GS_OK) {
        return GS_ERROR;
    }

    switch (line[0]) {

    case ':':
        return gs_resp_scan_item(s);

    case '$':
        if (n == -1) {
            return gs_resp_scan_item(s);
        }

        if (n < 0 || (uint64_t) n > limits->max_bytes
            || limits->max_bytes - (size_t) n < s->pos + 2)
        {
            return GS_ERROR;
        }

        s->bulk = (size_t) n + 2;
        return GS_AGAIN;

    case '*':
        return gs_resp_scan_array(s, limits, n);

    default:
        return GS_ERROR;
    }
}


static gs_rc_t
gs_resp_scan_array(gs_resp_scan_t *s, const gs_resp_limits_t *limits,
    int64_t n)
{
    if (n == -1 || n == 0) {
        return gs_resp_scan_item(s);
    }

    if (n < 0 || s->depth == GS_RESP_DEPTH
        || (uint64_t) n > limits->max_items - s->items)
    {
        return GS_ERROR;
    }

    s->items += (uint64_t) n;
    s->left[s->depth] = (uint64_t) n;
    s->depth++;

    return GS_AGAIN;
}


/* One value is whole: GS_OK if the reply is, too. */

static gs_rc_t
gs_resp_scan_item(gs_resp_scan_t *s)
{
    while (s->depth != 0) {
        s->left[s->depth - 1]--;

        if (s->left[s->depth - 1] != 0) {
            return GS_AGAIN;
        }

        s->depth--;
    }

    return GS_OK;
}


static int
gs_resp_is_type(int c)
{
    return c == '+' || c == '-' || c == ':' || c == '$' || c == '*';
}


static gs_rc_t
gs_resp_number(const gs_uchar_t *p, size_t len, int64_t *n)
{
    gs_str_t  s;
    uint64_t  u;
    unsigned  minus;

    minus = (len != 0 && p[0] == '-');
    s = gs_str_make(p + minus, len - minus);

    if (gs_parse_u64(&s, &u) != GS_OK || u > INT64_MAX) {
        return GS_ERROR;
    }

    *n = minus ? -(int64_t) u : (int64_t) u;

    return GS_OK;
}


gs_rc_t
gs_resp_next(const gs_str_t *reply, size_t *pos, gs_resp_value_t *v)
{
    size_t             end, len;
    int64_t            n;
    const gs_uchar_t  *line;

    if (*pos >= reply->len) {
        return GS_DONE;
    }

    line = reply->data + *pos;
    end = gs_str_chr(reply, *pos, '\n');

    if (end == reply->len || end - *pos < 2 || reply->data[end - 1] != '\r') {
        return GS_ERROR;
    }

    len = end - *pos - 2;

    v->type = line[0];
    v->text = gs_str_make(line + 1, len);
    v->n = 0;
    *pos = end + 1;

    if (v->type == GS_RESP_STATUS || v->type == GS_RESP_ERROR) {
        return GS_OK;
    }

    if (gs_resp_number(line + 1, len, &n) != GS_OK) {
        return GS_ERROR;
    }

    if (v->type == GS_RESP_INTEGER) {
        return GS_OK;
    }

    if (v->type != GS_RESP_BULK && v->type != GS_RESP_ARRAY) {
        return GS_ERROR;
    }

    if (n == -1) {
        v->type = GS_RESP_NIL;
        v->text.len = 0;
        return GS_OK;
    }

    if (n < 0) {
        return GS_ERROR;
    }

    if (v->type == GS_RESP_ARRAY) {
        v->n = (uint64_t) n;
        return GS_OK;
    }

    if (reply->len - *pos < 2 || (uint64_t) n > reply->len - *pos - 2) {
        return GS_ERROR;
    }

    v->text = gs_str_make(reply->data + *pos, (size_t) n);
    *pos += (size_t) n + 2;

    return GS_OK;
}


gs_rc_t
gs_resp_skip(const gs_str_t *reply, size_t *pos)
{
    uint64_t         left;
    gs_resp_value_t  v;

    for (left = 1; left != 0; left--) {

        if (gs_resp_next(reply, pos, &v) != GS_OK) {
            return GS_ERROR;
        }

        if (v.type == GS_RESP_ARRAY) {

            /* each element takes a byte at least */

            if (v.n > reply->len) {
                return GS_ERROR;
            }

            left += v.n;
        }
    }

    return GS_OK;
}
