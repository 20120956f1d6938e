
/*
 * Copyright (C) govsvc authors
 *
 * Audit: what a line of a chain is, for the writer (ngx/), which knows nothing
 * of records.  Runs in the writing thread.
 */


#include "http/ngx_http_govsvc_audit_priv.h"


/* Of NGX_GOVSVC_WRITER_STATE bytes. */
typedef struct {
    gs_uchar_t  h[GS_AUDIT_HASH];
    uint64_t    seq;
    uint64_t    n;
} ngx_http_govsvc_audit_state_t;


static uint64_t ngx_http_govsvc_audit_number(void *data);
static ngx_int_t ngx_http_govsvc_audit_head(void *data, gs_buf_t *b,
    const ngx_govsvc_writer_prev_t *prev);
static ngx_int_t ngx_http_govsvc_audit_tamper(
    ngx_http_govsvc_audit_chain_t *chain, gs_buf_t *b,
    const ngx_govsvc_writer_prev_t *prev);
static ngx_int_t ngx_http_govsvc_audit_line(void *data, gs_buf_t *b,
    const u_char *rec, size_t len, u_char *seal);
static ngx_int_t ngx_http_govsvc_audit_tail(void *data, gs_buf_t *b,
    const char *why);
static void ngx_http_govsvc_audit_save(void *data, u_char *state);
static void ngx_http_govsvc_audit_load(void *data, const u_char *state);
static void ngx_http_govsvc_audit_adopt(void *data, const u_char *name,
    void *user);
static ngx_int_t ngx_http_govsvc_audit_check(void *data, const u_char *text,
    size_t len);
static ngx_int_t ngx_http_govsvc_audit_rest(void *data,
    ngx_govsvc_writer_t *w);
static void ngx_http_govsvc_audit_settle(
    ngx_http_govsvc_audit_chain_t *chain, ngx_govsvc_writer_t *w);
static void ngx_http_govsvc_audit_settle_flight(
    ngx_http_govsvc_audit_chain_t *chain, ngx_govsvc_writer_t *w,
    ngx_http_govsvc_audit_flight_t *flight);
static ngx_int_t ngx_http_govsvc_audit_put_aborted(
    ngx_http_govsvc_audit_chain_t *chain, ngx_govsvc_writer_t *w,
    ngx_http_govsvc_audit_flight_t *flight);


const ngx_govsvc_writer_format_t  ngx_http_govsvc_audit_format = {
    ngx_http_govsvc_audit_number,
    ngx_http_govsvc_audit_head,
    ngx_http_govsvc_audit_line,
    ngx_http_govsvc_audit_tail,
    ngx_http_govsvc_audit_save,
    ngx_http_govsvc_audit_load,
    ngx_http_govsvc_audit_adopt,
    ngx_http_govsvc_audit_check,
    ngx_http_govsvc_audit_rest,
    ngx_http_govsvc_audit_safe,
    ngx_http_govsvc_audit_ready,
    GS_AUDIT_LINE_MAX
};


ngx_int_t
ngx_http_govsvc_audit_chain_init(ngx_http_govsvc_audit_chain_t *chain,
    ngx_http_govsvc_audit_main_conf_t *amcf, ngx_log_t *log)
{
    ngx_uint_t  i;

    chain->amcf = amcf;
    chain->log = log;
    chain->alg = (gs_audit_alg_e) amcf->alg;

    for (i = 0; i < GS_AUDIT_ALGS; i++) {

        if (gs_audit_chain_init(&chain->hashes[i], (gs_audit_alg_e) i)
            != GS_OK && i == amcf->alg)
        {
            ngx_log_error(NGX_LOG_EMERG, log, 0,
                          "govsvc audit: %s is not available in libcrypto",
                          gs_audit_alg_name((gs_audit_alg_e) i));
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


void
ngx_http_govsvc_audit_chain_free(ngx_http_govsvc_audit_chain_t *chain)
{
    ngx_uint_t  i;

    for (i = 0; i < GS_AUDIT_ALGS; i++) {
        gs_audit_chain_free(&chain->hashes[i]);
    }
}


static uint64_t
ngx_http_govsvc_audit_number(void *data)
{
    ngx_http_govsvc_audit_chain_t *chain = data;

    return chain->seq;
}


static ngx_int_t
ngx_http_govsvc_audit_head(void *data, gs_buf_t *b,
    const ngx_govsvc_writer_prev_t *prev)
{
    ngx_http_govsvc_audit_chain_t *chain = data;

    gs_audit_open_t    open;
    gs_audit_chain_t  *hash;

    hash = &chain->hashes[chain->alg];

    open.chain = chain->name;
    open.seq = chain->seq;
    open.time = ngx_govsvc_wall_us();
    open.keep = chain->amcf->keep;
    open.why = (prev->name[0] == '\0') ? "start" : prev->why;
    open.prev_name = gs_str_text((const char *) prev->name);
    open.prev_bytes = (uint64_t) prev->bytes;
    open.prev_seq = chain->seq - 1;
    ngx_memcpy(open.prev_h, hash->h, GS_AUDIT_HASH);

    /* nothing of the file before counts, and there was none before it */

    if (chain->seq == 0) {
        open.prev_seq = 0;
        ngx_memzero(open.prev_h, GS_AUDIT_HASH);
    }

    if (gs_audit_json_open(b, hash, &open) != GS_OK) {
        return NGX_ERROR;
    }

    chain->seq++;
    chain->n = 1;

    if (ngx_strcmp(open.why, "unlinked") == 0) {
        return ngx_http_govsvc_audit_tamper(chain, b, prev);
    }

    return NGX_OK;
}


/* A file was taken from under the writer: that is evidence itself. */

static ngx_int_t
ngx_http_govsvc_audit_tamper(ngx_http_govsvc_audit_chain_t *chain,
    gs_buf_t *b, const ngx_govsvc_writer_prev_t *prev)
{
    size_t              head;
    u_char              text[512];
    gs_buf_t            draft;
    gs_str_t            s;
    gs_audit_tamper_t   tamper;

    tamper.node = chain->amcf->node;
    tamper.epoch = chain->amcf->epoch;
    tamper.g = ngx_http_govsvc_audit_next(chain->amcf);
    tamper.time = ngx_govsvc_wall_us();
    tamper.segment = gs_str_text((const char *) prev->name);
    tamper.bytes = (uint64_t) prev->bytes;
    tamper.why = "unlinked";

    gs_buf_init(&draft, text, sizeof(text));

    head = gs_audit_json_tamper(&draft, &tamper);
    s = gs_str_make(text, gs_buf_len(&draft));

    if (head == 0
        || gs_audit_json_line(b, &chain->hashes[chain->alg], &chain->name,
                              chain->seq, &s, head)
           != GS_OK)
    {
        return NGX_ERROR;
    }

    chain->seq++;
    chain->n++;

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_audit_line(void *data, gs_buf_t *b, const u_char *rec,
    size_t len, u_char *seal)
{
    ngx_http_govsvc_audit_chain_t *chain = data;

    size_t             head;
    gs_str_t           draft;
    gs_audit_chain_t  *hash;

    hash = &chain->hashes[chain->alg];

    head = rec[0] | ((size_t) rec[1] << 8);
    draft = gs_str_make(rec + NGX_HTTP_GOVSVC_AUDIT_HEAD,
                        len - NGX_HTTP_GOVSVC_AUDIT_HEAD);

    if (gs_audit_json_line(b, hash, &chain->name, chain->seq, &draft, head)
        != GS_OK)
    {
        return NGX_ERROR;
    }

    ngx_memcpy(seal, hash->h, GS_AUDIT_HASH);

    chain->seq++;
    chain->n++;

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_audit_tail(void *data, gs_buf_t *b, const char *why)
{
    ngx_http_govsvc_audit_chain_t *chain = data;

    gs_audit_close_t  end;

    end.chain = chain->name;
    end.seq = chain->seq;
    end.time = ngx_govsvc_wall_us();
    end.n = chain->n + 1;
    end.why = why;

    if (gs_audit_json_close(b, &chain->hashes[chain->alg], &end) != GS_OK) {
        return NGX_ERROR;
    }

    chain->seq++;
    chain->n++;

    return NGX_OK;
}


static void
ngx_http_govsvc_audit_save(void *data, u_char *state)
{
    ngx_http_govsvc_audit_chain_t *chain = data;

    ngx_http_govsvc_audit_state_t  s;

    ngx_memcpy(s.h, chain->hashes[chain->alg].h, GS_AUDIT_HASH);
    s.seq = chain->seq;
    s.n = chain->n;

    ngx_memcpy(state, &s, sizeof(ngx_http_govsvc_audit_state_t));
}


static void
ngx_http_govsvc_audit_load(void *data, const u_char *state)
{
    ngx_http_govsvc_audit_chain_t *chain = data;

    ngx_http_govsvc_audit_state_t  s;

    ngx_memcpy(&s, state, sizeof(ngx_http_govsvc_audit_state_t));

    ngx_memcpy(chain->hashes[chain->alg].h, s.h, GS_AUDIT_HASH);
    chain->seq = s.seq;
    chain->n = s.n;
}


static void
ngx_http_govsvc_audit_adopt(void *data, const u_char *name, void *user)
{
    ngx_http_govsvc_audit_chain_t *chain = data;

    chain->name = gs_str_text((const char *) name);
    chain->slot = user;
    chain->alg = (chain->slot->alg < GS_AUDIT_ALGS)
                 ? (gs_audit_alg_e) chain->slot->alg
                 : (gs_audit_alg_e) chain->amcf->alg;
}


static ngx_int_t
ngx_http_govsvc_audit_check(void *data, const u_char *text, size_t len)
{
    ngx_http_govsvc_audit_chain_t *chain = data;

    gs_str_t           s;
    gs_uchar_t         h[GS_AUDIT_HASH];
    ngx_uint_t         open;
    gs_audit_line_t    line;
    gs_audit_chain_t  *hash;

    s = gs_str_make(text, len);

    if (gs_audit_scan(&s, &line) != GS_OK
        || !gs_str_eq(&line.chain, &chain->name) || line.seq != chain->seq)
    {
        return NGX_DECLINED;
    }

    hash = &chain->hashes[chain->alg];
    ngx_memcpy(h, hash->h, GS_AUDIT_HASH);

    open = gs_str_eq_text(&line.type, "seg.open");

    if (open) {
        if (line.has_prev && chain->seq != 0
            && ngx_memcmp(line.prev_h, h, GS_AUDIT_HASH) != 0)
        {
            return NGX_DECLINED;
        }

        gs_audit_chain_start(hash);
    }

    if (gs_audit_chain_step(hash, line.body.data, line.body.len) != GS_OK
        || ngx_memcmp(line.h, hash->h, GS_AUDIT_HASH) != 0)
    {
        ngx_memcpy(hash->h, h, GS_AUDIT_HASH);
        return NGX_DECLINED;
    }

    chain->n = open ? 1 : chain->n + 1;
    chain->seq++;

    return (open || gs_str_eq_text(&line.type, "seg.close")
            || gs_str_eq_text(&line.type, "tamper"))
           ? NGX_DONE : NGX_OK;
}


/* What a dead process knew and had not written. */

static ngx_int_t
ngx_http_govsvc_audit_rest(void *data, ngx_govsvc_writer_t *w)
{
    ngx_http_govsvc_audit_chain_t *chain = data;

    ngx_uint_t                       i;
    ngx_http_govsvc_audit_flight_t  *flight;

    ngx_http_govsvc_audit_settle(chain, w);

    if (ngx_http_govsvc_audit_put_death(chain, w) != NGX_OK
        || ngx_http_govsvc_audit_put_lost(chain, w) != NGX_OK
        || ngx_http_govsvc_audit_put_aggs(chain, w, UINT64_MAX) != NGX_OK)
    {
        return NGX_AGAIN;
    }

    for (i = 0; i < NGX_HTTP_GOVSVC_AUDIT_FLIGHTS; i++) {

        flight = &chain->slot->flights[i];

        if (!flight->used) {
            continue;
        }

        if (ngx_http_govsvc_audit_put_aborted(chain, w, flight) != NGX_OK) {
            return NGX_AGAIN;
        }

        __atomic_store_n(&flight->used, 0, __ATOMIC_RELEASE);
    }

    return NGX_OK;
}


/*
 * The dead one may have told of something and not yet have noted that it did.
 * Flights first: they look at counts that are cleared then.
 */

static void
ngx_http_govsvc_audit_settle(ngx_http_govsvc_audit_chain_t *chain,
    ngx_govsvc_writer_t *w)
{
    ngx_uint_t                     i;
    ngx_http_govsvc_audit_agg_t   *agg;
    ngx_http_govsvc_audit_lost_t  *lost;

    for (i = 0; i < NGX_HTTP_GOVSVC_AUDIT_FLIGHTS; i++) {
        ngx_http_govsvc_audit_settle_flight(chain, w,
                                            &chain->slot->flights[i]);
    }

    ngx_http_govsvc_audit_settle_notice(chain, w);

    gs_fault("audit_settle");

    for (i = 0; i < GS_AUDIT_CLASSES; i++) {
        lost = &chain->slot->lost[i];

        if (ngx_govsvc_writer_holds(w, lost->told)) {
            lost->n = 0;
        }

        __atomic_store_n(&lost->told, 0, __ATOMIC_RELEASE);
    }

    for (i = 0; i < NGX_HTTP_GOVSVC_AUDIT_AGGS; i++) {
        agg = &chain->slot->aggs[i];

        if (ngx_govsvc_writer_holds(w, agg->told)) {
            agg->n = 0;
        }

        __atomic_store_n(&agg->told, 0, __ATOMIC_RELEASE);
    }
}


static void
ngx_http_govsvc_audit_settle_flight(ngx_http_govsvc_audit_chain_t *chain,
    ngx_govsvc_writer_t *w, ngx_http_govsvc_audit_flight_t *flight)
{
    uint64_t    n;
    ngx_uint_t  ended;

    if (!flight->used) {
        return;
    }

    if (flight->count == 0) {
        ended = ngx_govsvc_writer_holds(w, flight->told);

    } else {
        ngx_memcpy(&n, (u_char *) chain->slot + flight->count,
                   sizeof(uint64_t));
        ended = (flight->told != 0 && n >= flight->told);
    }

    if (ended) {
        __atomic_store_n(&flight->used, 0, __ATOMIC_RELEASE);
        return;
    }

    flight->told = 0;
    flight->count = 0;

    if (!ngx_govsvc_writer_holds(w, flight->put)) {
        flight->intent = 0;
    }
}


static ngx_int_t
ngx_http_govsvc_audit_put_aborted(ngx_http_govsvc_audit_chain_t *chain,
    ngx_govsvc_writer_t *w, ngx_http_govsvc_audit_flight_t *flight)
{
    u_char              *p;
    gs_buf_t             b;
    gs_audit_aborted_t   end;

    p = ngx_govsvc_writer_reserve(w, NGX_HTTP_GOVSVC_AUDIT_SHORT, 0);
    if (p == NULL) {
        return NGX_AGAIN;
    }

    end.node = chain->amcf->node;
    end.epoch = chain->amcf->epoch;
    end.g = ngx_http_govsvc_audit_next(chain->amcf);
    end.time = ngx_govsvc_wall_us();
    end.intent = flight->intent;
    end.intent_epoch = chain->slot->epoch;
    end.request_id = gs_str_make(flight->id, sizeof(flight->id));
    end.start = flight->start;
    end.why = "crash";

    gs_buf_init(&b, p + NGX_HTTP_GOVSVC_AUDIT_HEAD,
                NGX_HTTP_GOVSVC_AUDIT_SHORT - NGX_HTTP_GOVSVC_AUDIT_HEAD);

    ngx_http_govsvc_audit_put_draft(w, p, &b, gs_audit_json_aborted(&b, &end),
                                    &flight->told);

    gs_fault("audit_aborted");

    return NGX_OK;
}


void
ngx_http_govsvc_audit_put_draft(ngx_govsvc_writer_t *w, u_char *p,
    gs_buf_t *b, size_t head, uint64_t *told)
{
    p[0] = (u_char) (head & 0xff);
    p[1] = (u_char) (head >> 8);

    (void) ngx_govsvc_writer_put(w, NGX_HTTP_GOVSVC_AUDIT_HEAD + gs_buf_len(b),
                                 told);
}


ngx_int_t
ngx_http_govsvc_audit_put_lost(ngx_http_govsvc_audit_chain_t *chain,
    ngx_govsvc_writer_t *w)
{
    u_char                        *p;
    gs_buf_t                       b;
    ngx_uint_t                     i;
    gs_audit_loss_t                loss;
    ngx_http_govsvc_audit_lost_t  *lost;

    for (i = 0; i < GS_AUDIT_CLASSES; i++) {

        lost = &chain->slot->lost[i];

        if (lost->n == 0) {
            continue;
        }

        p = ngx_govsvc_writer_reserve(w, NGX_HTTP_GOVSVC_AUDIT_SHORT, 0);
        if (p == NULL) {
            return NGX_AGAIN;
        }

        /* not before there is room: a number that is given is used */

        loss.node = chain->amcf->node;
        loss.epoch = chain->amcf->epoch;
        loss.g = ngx_http_govsvc_audit_next(chain->amcf);
        loss.time = ngx_govsvc_wall_us();
        loss.cls = gs_audit_class_name((gs_audit_class_e) i);
        loss.n = lost->n;
        loss.first = lost->first;
        loss.last = lost->last;
        loss.why = lost->space ? "disk full" : "buffer full";

        gs_buf_init(&b, p + NGX_HTTP_GOVSVC_AUDIT_HEAD,
                NGX_HTTP_GOVSVC_AUDIT_SHORT - NGX_HTTP_GOVSVC_AUDIT_HEAD);

        ngx_http_govsvc_audit_put_draft(w, p, &b,
                                        gs_audit_json_loss(&b, &loss),
                                        &lost->told);

        gs_fault("audit_loss");

        __atomic_store_n(&lost->n, 0, __ATOMIC_RELEASE);
        __atomic_store_n(&lost->told, 0, __ATOMIC_RELEASE);
    }

    return NGX_OK;
}
