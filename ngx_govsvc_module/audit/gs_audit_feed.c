
/*
 * Copyright (C) govsvc authors
 *
 * Lines of the file in which a feed notes what it handed over.
 */


#include "audit/gs_audit_feed.h"


#define GS_AUDIT_FEED_DIGITS  16           /* of a segment's number */


static gs_rc_t gs_audit_feed_word(gs_str_t *rest, gs_str_t *word);
static gs_rc_t gs_audit_feed_number(gs_str_t *rest, uint64_t *value);
static gs_rc_t gs_audit_feed_chain(gs_str_t *rest, gs_str_t *chain);


gs_rc_t
gs_audit_feed_parse(const gs_str_t *line, gs_audit_feed_t *entry)
{
    gs_rc_t   rc;
    gs_str_t  rest;

    if (line->len < 3 || line->len >= GS_AUDIT_FEED_LINE
        || line->data[1] != ' ')
    {
        return GS_ERROR;
    }

    memset(entry, 0, sizeof(gs_audit_feed_t));

    entry->kind = (char) line->data[0];
    rest = gs_str_make(line->data + 1, line->len - 1);
    rc = GS_OK;

    switch (entry->kind) {

    case 'V':
        rc |= gs_audit_feed_number(&rest, &entry->n);
        rc |= gs_audit_feed_word(&rest, &entry->chain);
        break;

    case 'N':
    case 'S':
        rc |= gs_audit_feed_number(&rest, &entry->n);
        break;

    case 'T':
        rc |= gs_audit_feed_number(&rest, &entry->time);
        break;

    case 'B':
        rc |= gs_audit_feed_number(&rest, &entry->n);
        rc |= gs_audit_feed_number(&rest, &entry->count);
        rc |= gs_audit_feed_number(&rest, &entry->time);
        rc |= gs_audit_feed_chain(&rest, &entry->chain);
        rc |= gs_audit_feed_number(&rest, &entry->segment);
        rc |= gs_audit_feed_number(&rest, &entry->offset);
        rc |= gs_audit_feed_number(&rest, &entry->bytes);

        if (entry->n == 0 || entry->count == 0
            || entry->count > UINT64_MAX - entry->n
            || entry->bytes == 0 || entry->bytes > GS_AUDIT_FEED_BYTES
            || entry->offset > (uint64_t) INT64_MAX - entry->bytes)
        {
            return GS_ERROR;
        }

        break;

    case 'C':
        rc |= gs_audit_feed_chain(&rest, &entry->chain);
        rc |= gs_audit_feed_number(&rest, &entry->segment);
        rc |= gs_audit_feed_number(&rest, &entry->offset);

        if (entry->offset > (uint64_t) INT64_MAX) {
            return GS_ERROR;
        }

        break;

    case 'E':
        rc |= gs_audit_feed_chain(&rest, &entry->chain);
        break;

    default:
        return GS_ERROR;
    }

    return (rc == GS_OK && rest.len == 0) ? GS_OK : GS_ERROR;
}


/* A blank and what follows up to the next one. */

static gs_rc_t
gs_audit_feed_word(gs_str_t *rest, gs_str_t *word)
{
    size_t  end;

    if (rest->len < 2 || rest->data[0] != ' ') {
        return GS_ERROR;
    }

    end = gs_str_chr(rest, 1, ' ');

    *word = gs_str_make(rest->data + 1, end - 1);
    *rest = gs_str_make(rest->data + end, rest->len - end);

    return (word->len != 0) ? GS_OK : GS_ERROR;
}


static gs_rc_t
gs_audit_feed_number(gs_str_t *rest, uint64_t *value)
{
    gs_str_t  word;

    if (gs_audit_feed_word(rest, &word) != GS_OK
        || (word.len > 1 && word.data[0] == '0'))
    {
        return GS_ERROR;
    }

    return gs_parse_u64(&word, value);
}


/* It becomes a part of a path: none that leads anywhere else. */

static gs_rc_t
gs_audit_feed_chain(gs_str_t *rest, gs_str_t *chain)
{
    size_t  i;

    if (gs_audit_feed_word(rest, chain) != GS_OK
        || chain->len >= GS_AUDIT_FEED_CHAIN || chain->data[0] == '.')
    {
        return GS_ERROR;
    }

    for (i = 0; i < chain->len; i++) {
        if (chain->data[i] <= ' ' || chain->data[i] >= 0x7f
            || chain->data[i] == '/')
        {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


void
gs_audit_feed_write(gs_buf_t *b, const gs_audit_feed_t *entry)
{
    gs_buf_char(b, entry->kind);

    if (strchr("VNSB", entry->kind) != NULL) {
        gs_buf_char(b, ' ');
        gs_buf_u64(b, entry->n);
    }

    if (entry->kind == 'B') {
        gs_buf_char(b, ' ');
        gs_buf_u64(b, entry->count);
    }

    if (entry->kind == 'B' || entry->kind == 'T') {
        gs_buf_char(b, ' ');
        gs_buf_u64(b, entry->time);
    }

    if (strchr("VCEB", entry->kind) != NULL) {
        gs_buf_char(b, ' ');
        gs_buf_str(b, &entry->chain);
    }

    if (entry->kind == 'B' || entry->kind == 'C') {
        gs_buf_char(b, ' ');
        gs_buf_u64(b, entry->segment);
        gs_buf_char(b, ' ');
        gs_buf_u64(b, entry->offset);
    }

    if (entry->kind == 'B') {
        gs_buf_char(b, ' ');
        gs_buf_u64(b, entry->bytes);
    }

    gs_buf_char(b, '\n');
}


gs_rc_t
gs_audit_feed_segment(const gs_str_t *name, uint64_t *segment)
{
    gs_str_t  s;
    uint64_t  number, i;

    static const gs_str_t  suffix = gs_string(".seg");

    if (name->len < GS_AUDIT_FEED_DIGITS + suffix.len
        || !gs_str_suffix(name, &suffix))
    {
        return GS_ERROR;
    }

    s = gs_str_make(name->data, GS_AUDIT_FEED_DIGITS);
    i = 0;

    if (gs_parse_u64(&s, &number) != GS_OK || number > (UINT64_MAX >> 8) - 1) {
        return GS_ERROR;
    }

    if (name->len > GS_AUDIT_FEED_DIGITS + suffix.len) {
        s = gs_str_make(name->data + GS_AUDIT_FEED_DIGITS + 1,
                        name->len - GS_AUDIT_FEED_DIGITS - 1 - suffix.len);

        if (name->data[GS_AUDIT_FEED_DIGITS] != '.'
            || name->data[GS_AUDIT_FEED_DIGITS + 1] == '0'
            || gs_parse_u64(&s, &i) != GS_OK || i == 0 || i > 0xff)
        {
            return GS_ERROR;
        }
    }

    *segment = ((number << 8) | i) + 1;

    return GS_OK;
}


void
gs_audit_feed_segment_name(gs_buf_t *b, uint64_t segment)
{
    uint64_t  i;

    i = (segment - 1) & 0xff;

    gs_buf_pad(b, (segment - 1) >> 8, GS_AUDIT_FEED_DIGITS);

    if (i != 0) {
        gs_buf_char(b, '.');
        gs_buf_u64(b, i);
    }
}
