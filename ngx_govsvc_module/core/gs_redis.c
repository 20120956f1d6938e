
/*
 * Copyright (C) govsvc authors
 *
 * Redis's own replies, taken apart.  All of this comes over a network and is
 * believed only as far as it is well formed.
 */


#include "core/gs_redis.h"


typedef struct {
    const char        *word;
    gs_redis_error_e   error;
} gs_redis_word_t;


static gs_rc_t gs_redis_uint(const gs_str_t *reply, size_t *pos,
    uint64_t max, uint64_t *n);
static gs_rc_t gs_redis_array(const gs_str_t *reply, size_t *pos,
    uint64_t min, uint64_t *n);
static gs_rc_t gs_redis_host(const gs_str_t *host);
static gs_rc_t gs_redis_range(const gs_str_t *reply, size_t *pos,
    const gs_str_t *self, gs_redis_slots_t *slots);
static gs_rc_t gs_redis_node(const gs_str_t *reply, size_t *pos,
    const gs_str_t *self, gs_redis_addr_t *addr);
static unsigned gs_redis_find(gs_redis_slots_t *slots,
    const gs_redis_addr_t *addr);


static const gs_redis_word_t  gs_redis_words[] = {
    { "LOADING", GS_REDIS_ERROR_LOADING },
    { "OOM", GS_REDIS_ERROR_OOM },
    { "READONLY", GS_REDIS_ERROR_READONLY },
    { "MISCONF", GS_REDIS_ERROR_MISCONF },
    { "NOREPLICAS", GS_REDIS_ERROR_NOREPLICAS },
    { "CLUSTERDOWN", GS_REDIS_ERROR_CLUSTERDOWN },
    { "MASTERDOWN", GS_REDIS_ERROR_CLUSTERDOWN },
    { "TRYAGAIN", GS_REDIS_ERROR_CLUSTERDOWN },
    { "NOAUTH", GS_REDIS_ERROR_NOAUTH },
    { "WRONGPASS", GS_REDIS_ERROR_NOAUTH },
    { "NOPERM", GS_REDIS_ERROR_NOPERM },
    { "EXECABORT", GS_REDIS_ERROR_EXECABORT },
    { "MOVED", GS_REDIS_ERROR_MOVED },
    { "ASK", GS_REDIS_ERROR_ASK },
    { NULL, GS_REDIS_ERROR_OTHER }
};


gs_redis_error_e
gs_redis_error(const gs_str_t *line)
{
    gs_str_t                word;
    const gs_redis_word_t  *w;

    word = gs_str_make(line->data, gs_str_chr(line, 0, ' '));

    for (w = gs_redis_words; w->word != NULL; w++) {
        if (gs_str_eq_text(&word, w->word)) {
            break;
        }
    }

    return w->error;
}


gs_rc_t
gs_redis_redirect(const gs_str_t *line, unsigned *slot, gs_redis_addr_t *addr)
{
    size_t            first, second, colon;
    gs_str_t          text;
    uint64_t          n, port;
    gs_redis_error_e  error;

    error = gs_redis_error(line);

    if (error != GS_REDIS_ERROR_MOVED && error != GS_REDIS_ERROR_ASK) {
        return GS_ERROR;
    }

    first = gs_str_chr(line, 0, ' ');
    second = gs_str_chr(line, first + 1, ' ');

    if (second == line->len) {
        return GS_ERROR;
    }

    text = gs_str_make(line->data + first + 1, second - first - 1);

    if (gs_parse_u64(&text, &n) != GS_OK || n >= GS_REDIS_SLOTS) {
        return GS_ERROR;
    }

    /* the last colon: an IPv6 address stands there without brackets */

    colon = line->len;

    while (colon > second + 1 && line->data[colon - 1] != ':') {
        colon--;
    }

    if (colon == second + 1) {
        return GS_ERROR;
    }

    text = gs_str_make(line->data + colon, line->len - colon);

    if (gs_parse_u64(&text, &port) != GS_OK || port == 0 || port > 65535) {
        return GS_ERROR;
    }

    addr->host = gs_str_make(line->data + second + 1, colon - second - 2);
    addr->port = (unsigned) port;

    if (addr->host.len != 0 && gs_redis_host(&addr->host) != GS_OK) {
        return GS_ERROR;
    }

    *slot = (unsigned) n;

    return GS_OK;
}


unsigned
gs_redis_slot(const gs_str_t *key)
{
    size_t    i, open, close;
    unsigned  crc, bit;
    gs_str_t  tag;

    tag = *key;
    open = gs_str_chr(key, 0, '{');
    close = gs_str_chr(key, open + 1, '}');

    if (close < key->len && close > open + 1) {
        tag = gs_str_make(key->data + open + 1, close - open - 1);
    }

    crc = 0;

    for (i = 0; i < tag.len; i++) {
        crc ^= (unsigned) tag.data[i] << 8;

        for (bit = 0; bit < 8; bit++) {
            crc = (crc & 0x8000) ? (crc << 1) ^ 0x1021 : crc << 1;
        }

        crc &= 0xffff;
    }

    return crc % GS_REDIS_SLOTS;
}


gs_rc_t
gs_redis_role(const gs_str_t *reply, unsigned *master, uint64_t *offset)
{
    size_t           pos;
    uint64_t         n;
    gs_resp_value_t  v;

    pos = 0;
    *master = 0;
    *offset = 0;

    if (gs_redis_array(reply, &pos, 1, &n) != GS_OK
        || gs_resp_next(reply, &pos, &v) != GS_OK
        || v.type != GS_RESP_BULK)
    {
        return GS_ERROR;
    }

    if (!gs_str_eq_text(&v.text, "master")) {
        return GS_OK;
    }

    if (n < 2 || gs_redis_uint(reply, &pos, UINT64_MAX, offset) != GS_OK) {
        return GS_ERROR;
    }

    *master = 1;

    return GS_OK;
}


gs_rc_t
gs_redis_time(const gs_str_t *reply, uint64_t *us)
{
    size_t    pos;
    uint64_t  n, sec, usec;

    pos = 0;

    if (gs_redis_array(reply, &pos, 2, &n) != GS_OK || n != 2
        || gs_redis_uint(reply, &pos, UINT32_MAX * 8ULL, &sec) != GS_OK
        || gs_redis_uint(reply, &pos, 999999, &usec) != GS_OK)
    {
        return GS_ERROR;
    }

    *us = sec * 1000000 + usec;

    return GS_OK;
}


gs_rc_t
gs_redis_run_id(const gs_str_t *reply, gs_str_t *id)
{
    size_t           pos, from, to;
    gs_str_t         line, key;
    gs_resp_value_t  v;

    key = gs_str_text("run_id:");
    pos = 0;

    if (gs_resp_next(reply, &pos, &v) != GS_OK || v.type != GS_RESP_BULK) {
        return GS_ERROR;
    }

    for (from = 0; from < v.text.len; from = to + 1) {
        to = gs_str_chr(&v.text, from, '\n');
        line = gs_str_make(v.text.data + from, to - from);

        if (!gs_str_prefix(&line, &key)) {
            continue;
        }

        line = gs_str_make(line.data + key.len, line.len - key.len);

        if (line.len != 0 && line.data[line.len - 1] == '\r') {
            line.len--;
        }

        *id = line;

        return (line.len != 0) ? GS_OK : GS_ERROR;
    }

    return GS_ERROR;
}


gs_rc_t
gs_redis_id(const gs_str_t *text, uint64_t *ms, uint64_t *seq)
{
    size_t    dash;
    gs_str_t  s;
    uint64_t  a, b;

    dash = gs_str_chr(text, 0, '-');
    s = gs_str_make(text->data, dash);
    b = 0;

    if (gs_parse_u64(&s, &a) != GS_OK) {
        return GS_ERROR;
    }

    if (dash < text->len) {
        s = gs_str_make(text->data + dash + 1, text->len - dash - 1);

        if (gs_parse_u64(&s, &b) != GS_OK) {
            return GS_ERROR;
        }
    }

    *ms = a;
    *seq = b;

    return GS_OK;
}


gs_rc_t
gs_redis_master_addr(const gs_str_t *reply, gs_redis_addr_t *addr)
{
    size_t           pos;
    gs_resp_value_t  v;

    pos = 0;

    if (gs_resp_next(reply, &pos, &v) != GS_OK) {
        return GS_ERROR;
    }

    if (v.type == GS_RESP_NIL) {
        return GS_DECLINED;
    }

    if (v.type != GS_RESP_ARRAY || v.n != 2) {
        return GS_ERROR;
    }

    return gs_redis_node(reply, &pos, NULL, addr);
}


gs_rc_t
gs_redis_slots(const gs_str_t *reply, const gs_str_t *self,
    gs_redis_slots_t *slots, gs_redis_slots_t *scratch)
{
    size_t    pos;
    uint64_t  n;
    unsigned  i;

    pos = 0;

    if (gs_redis_array(reply, &pos, 1, &n) != GS_OK) {
        return GS_ERROR;
    }

    scratch->n = 0;

    for (i = 0; i < GS_REDIS_SLOTS; i++) {
        scratch->owner[i] = GS_REDIS_NODES;
    }

    for ( /* void */ ; n != 0; n--) {
        if (gs_redis_range(reply, &pos, self, scratch) != GS_OK) {
            return GS_ERROR;
        }
    }

    memcpy(slots, scratch, sizeof(gs_redis_slots_t));

    return GS_OK;
}


static gs_rc_t
gs_redis_range(const gs_str_t *reply, size_t *pos, const gs_str_t *self,
    gs_redis_slots_t *slots)
{
    size_t           end;
    uint64_t         parts, from, to, n;
    unsigned         i, owner;
    gs_redis_addr_t  addr;

    if (gs_redis_array(reply, pos, 3, &parts) != GS_OK
        || gs_redis_uint(reply, pos, GS_REDIS_SLOTS - 1, &from) != GS_OK
        || gs_redis_uint(reply, pos, GS_REDIS_SLOTS - 1, &to) != GS_OK
        || from > to)
    {
        return GS_ERROR;
    }

    end = *pos;

    if (gs_resp_skip(reply, &end) != GS_OK
        || gs_redis_array(reply, pos, 2, &n) != GS_OK
        || gs_redis_node(reply, pos, self, &addr) != GS_OK)
    {
        return GS_ERROR;
    }

    owner = gs_redis_find(slots, &addr);

    if (owner == GS_REDIS_NODES) {
        return GS_ERROR;
    }

    for (i = (unsigned) from; i <= to; i++) {
        if (slots->owner[i] != GS_REDIS_NODES) {
            return GS_ERROR;
        }

        slots->owner[i] = (uint16_t) owner;
    }

    /* the rest of the primary, and its replicas */

    *pos = end;

    for (parts -= 3; parts != 0; parts--) {
        if (gs_resp_skip(reply, pos) != GS_OK) {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


/* A host and a port; self stands for a host left out, if there is one. */

static gs_rc_t
gs_redis_node(const gs_str_t *reply, size_t *pos, const gs_str_t *self,
    gs_redis_addr_t *addr)
{
    uint64_t         port;
    gs_resp_value_t  v;

    if (gs_resp_next(reply, pos, &v) != GS_OK
        || (v.type != GS_RESP_BULK && v.type != GS_RESP_NIL))
    {
        return GS_ERROR;
    }

    addr->host = v.text;

    if (v.text.len == 0 && self != NULL) {
        addr->host = *self;
    }

    if (gs_redis_host(&addr->host) != GS_OK
        || gs_redis_uint(reply, pos, 65535, &port) != GS_OK || port == 0)
    {
        return GS_ERROR;
    }

    addr->port = (unsigned) port;

    return GS_OK;
}


/* Its index, made on first sight; GS_REDIS_NODES if there are too many. */

static unsigned
gs_redis_find(gs_redis_slots_t *slots, const gs_redis_addr_t *addr)
{
    unsigned  i;

    for (i = 0; i < slots->n; i++) {
        if (slots->nodes[i].port == addr->port
            && gs_str_eq_text(&addr->host, slots->nodes[i].host))
        {
            return i;
        }
    }

    if (i < GS_REDIS_NODES) {
        memcpy(slots->nodes[i].host, addr->host.data, addr->host.len);
        slots->nodes[i].host[addr->host.len] = '\0';
        slots->nodes[i].port = addr->port;
        slots->n++;
    }

    return i;
}


/* Letters, digits and what else stands in names and addresses. */

static gs_rc_t
gs_redis_host(const gs_str_t *host)
{
    int     c;
    size_t  i;

    if (host->len == 0 || host->len > GS_REDIS_HOST) {
        return GS_ERROR;
    }

    for (i = 0; i < host->len; i++) {
        c = host->data[i];

        if (!gs_is_alpha(c) && !gs_is_digit(c) && c != '.' && c != '-'
            && c != ':' && c != '_')
        {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


/* An integer or a text of digits, at most max. */

static gs_rc_t
gs_redis_uint(const gs_str_t *reply, size_t *pos, uint64_t max, uint64_t *n)
{
    uint64_t         u;
    gs_resp_value_t  v;

    if (gs_resp_next(reply, pos, &v) != GS_OK
        || (v.type != GS_RESP_INTEGER && v.type != GS_RESP_BULK)
        || gs_parse_u64(&v.text, &u) != GS_OK || u > max)
    {
        return GS_ERROR;
    }

    *n = u;

    return GS_OK;
}


/* An array of at least min elements. */

static gs_rc_t
gs_redis_array(const gs_str_t *reply, size_t *pos, uint64_t min, uint64_t *n)
{
    gs_resp_value_t  v;

    if (gs_resp_next(reply, pos, &v) != GS_OK || v.type != GS_RESP_ARRAY
        || v.n < min)
    {
        return GS_ERROR;
    }

    *n = v.n;

    return GS_OK;
}
