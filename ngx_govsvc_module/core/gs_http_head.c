
/*
 * Copyright (C) govsvc authors
 *
 * The head of an HTTP/1.x answer: status line, fields, and what they say of
 * the body and its age.
 */


#include "core/gs_http_head.h"


static gs_rc_t gs_http_head_status(gs_http_response_t *h,
    const gs_str_t *line);
static gs_rc_t gs_http_head_field(gs_http_response_t *h,
    const gs_str_t *line);
static int gs_http_is_token(gs_uchar_t c);
static int gs_http_is_line(const gs_str_t *s);
static gs_str_t gs_http_trim(gs_str_t s);
static size_t gs_http_count(const gs_http_response_t *h, const char *name,
    const gs_str_t **value);


gs_rc_t
gs_http_head_parse(gs_http_response_t *h)
{
    size_t    pos, end;
    gs_str_t  all, line;

    all = gs_str_make(h->head, h->head_len - 2);
    h->nheaders = 0;

    for (pos = 0; pos < all.len; pos = end + 1) {

        end = gs_str_chr(&all, pos, '\n');

        if (end == pos || all.data[end - 1] != '\r') {
            h->error = "a line does not end with CRLF";
            return GS_ERROR;
        }

        line = gs_str_make(all.data + pos, end - 1 - pos);

        if ((pos == 0 ? gs_http_head_status(h, &line)
                      : gs_http_head_field(h, &line))
            != GS_OK)
        {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


/* HTTP/1.1 200 reason; some servers leave out the blank of an empty reason. */

static gs_rc_t
gs_http_head_status(gs_http_response_t *h, const gs_str_t *line)
{
    const gs_uchar_t  *p;

    p = line->data;
    h->error = "the status line is malformed";

    if (line->len < 12 || memcmp(p, "HTTP/1.", 7) != 0
        || (p[7] != '0' && p[7] != '1') || p[8] != ' '
        || p[9] < '1' || p[9] > '5'
        || !gs_is_digit(p[10]) || !gs_is_digit(p[11])
        || (line->len > 12 && p[12] != ' ') || !gs_http_is_line(line))
    {
        return GS_ERROR;
    }

    h->error = NULL;
    h->version_10 = (p[7] == '0');
    h->status = (unsigned) ((p[9] - '0') * 100 + (p[10] - '0') * 10
                            + (p[11] - '0'));

    return GS_OK;
}


static gs_rc_t
gs_http_head_field(gs_http_response_t *h, const gs_str_t *line)
{
    size_t             n;
    gs_http_header_t  *f;

    if (h->nheaders == GS_HTTP_RESPONSE_HEADERS) {
        h->error = "too many header lines";
        h->too_large = 1;
        return GS_ERROR;
    }

    for (n = 0; n < line->len && gs_http_is_token(line->data[n]); n++) {
        /* void */
    }

    /* so also a folded line, and a blank before the colon */

    if (n == 0 || n == line->len || line->data[n] != ':'
        || !gs_http_is_line(line))
    {
        h->error = "a header line is malformed";
        return GS_ERROR;
    }

    f = &h->headers[h->nheaders++];
    f->name = gs_str_make(line->data, n);
    f->value = gs_http_trim(gs_str_make(line->data + n + 1,
                                        line->len - n - 1));

    return GS_OK;
}


static int
gs_http_is_token(gs_uchar_t c)
{
    return gs_is_alpha(c) || gs_is_digit(c)
           || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}


static int
gs_http_is_line(const gs_str_t *s)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {
        if (!gs_http_is_text(s->data[i])) {
            return 0;
        }
    }

    return 1;
}


static gs_str_t
gs_http_trim(gs_str_t s)
{
    while (s.len != 0 && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s.data++;
        s.len--;
    }

    while (s.len != 0
           && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t'))
    {
        s.len--;
    }

    return s;
}


gs_rc_t
gs_http_head_framing(gs_http_response_t *h, gs_http_framing_t *f)
{
    size_t           nlength, ncoding;
    const gs_str_t  *length, *coding;

    memset(f, 0, sizeof(gs_http_framing_t));

    nlength = gs_http_count(h, "content-length", &length);
    ncoding = gs_http_count(h, "transfer-encoding", &coding);

    if (nlength + ncoding > 1) {
        h->error = "the length is given twice";
        return GS_ERROR;
    }

    if (ncoding == 1) {

        if (h->version_10 || !gs_str_case_eq_text(coding, "chunked")) {
            h->error = "the transfer coding is not known";
            return GS_ERROR;
        }

        f->chunked = 1;
    }

    if (nlength == 1) {

        if (gs_parse_u64(length, &f->bytes) != GS_OK) {
            h->error = "the length is not a number";
            return GS_ERROR;
        }

        f->length = 1;
    }

    return GS_OK;
}


static size_t
gs_http_count(const gs_http_response_t *h, const char *name,
    const gs_str_t **value)
{
    size_t  i, n;

    n = 0;
    *value = NULL;

    for (i = 0; i < h->nheaders; i++) {
        if (gs_str_case_eq_text(&h->headers[i].name, name)) {
            *value = &h->headers[i].value;
            n++;
        }
    }

    return n;
}


const gs_str_t *
gs_http_response_header(const gs_http_response_t *h, const char *name)
{
    const gs_str_t  *value;

    return gs_http_count(h, name, &value) == 1 ? value : NULL;
}


gs_rc_t
gs_http_response_max_age(const gs_http_response_t *h, uint64_t *seconds)
{
    size_t           pos, end;
    gs_rc_t          rc;
    gs_str_t         word, number;
    const gs_str_t  *value;

    value = gs_http_response_header(h, "cache-control");

    if (value == NULL) {
        return GS_DECLINED;
    }

    rc = GS_DECLINED;

    for (pos = 0; pos < value->len; pos = end + 1) {

        end = gs_str_chr(value, pos, ',');
        word = gs_http_trim(gs_str_make(value->data + pos, end - pos));

        if (gs_str_case_eq_text(&word, "no-store")
            || gs_str_case_eq_text(&word, "no-cache"))
        {
            *seconds = 0;
            return GS_OK;
        }

        if (word.len <= 8) {
            continue;
        }

        number = gs_str_make(word.data + 8, word.len - 8);
        word.len = 8;

        if (gs_str_case_eq_text(&word, "max-age=")) {

            if (rc == GS_OK || gs_parse_u64(&number, seconds) != GS_OK) {
                return GS_DECLINED;
            }

            rc = GS_OK;
        }
    }

    return rc;
}
