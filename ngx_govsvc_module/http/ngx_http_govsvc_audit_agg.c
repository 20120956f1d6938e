
/*
 * Copyright (C) govsvc authors
 *
 * Audit of floods: refusals of one kind from one network beyond a rate are
 * counted, and told in one line a window.  The counts lie in shared memory,
 * so that they survive the process.
 */


#include "audit/gs_audit_event.h"
#include "core/gs_siphash.h"
#include "http/ngx_http_govsvc_audit_priv.h"


#define NGX_HTTP_GOVSVC_AUDIT_PROBES  4


static ngx_http_govsvc_audit_agg_t *ngx_http_govsvc_audit_find_agg(
    ngx_http_govsvc_audit_chain_t *chain, uint64_t key, uint64_t now);
static uint64_t ngx_http_govsvc_audit_agg_key(const gs_str_t *net,
    const gs_audit_record_t *rec);
static ngx_int_t ngx_http_govsvc_audit_put_agg(
    ngx_http_govsvc_audit_chain_t *chain, ngx_govsvc_writer_t *w,
    ngx_http_govsvc_audit_agg_t *agg);


ngx_uint_t
ngx_http_govsvc_audit_coalesce(ngx_http_govsvc_audit_chain_t *chain,
    ngx_str_t *net, gs_audit_record_t *rec,
    ngx_http_govsvc_audit_flight_t *flight)
{
    gs_str_t                      name;
    uint64_t                      key;
    ngx_http_govsvc_audit_agg_t  *agg;

    if (chain->amcf->deny_rate == 0 || !rec->denied || rec->intent != 0
        || rec->status < NGX_HTTP_BAD_REQUEST)
    {
        return 0;
    }

    name = ngx_govsvc_to_gs(net);

    if (name.len == 0) {
        name = rec->ip;
    }

    key = ngx_http_govsvc_audit_agg_key(&name, rec);
    agg = ngx_http_govsvc_audit_find_agg(chain, key, rec->time);

    if (agg == NULL || ++agg->seen <= chain->amcf->deny_rate) {
        return 0;
    }

    if (rec->g == 0) {
        rec->g = ngx_http_govsvc_audit_next(chain->amcf);
    }

    if (agg->n == 0) {
        agg->first = rec->g;
        agg->last = rec->g;
        agg->first_time = rec->time;
        agg->status = rec->status;
        agg->rule = rec->rule;
        agg->attack = (uint32_t) gs_audit_attack_number(rec->attack);
        agg->severity = rec->severity;
        agg->net_len = (uint32_t) ngx_min(name.len, sizeof(agg->net));
        agg->code_len = (uint32_t) ngx_min(rec->code.len, sizeof(agg->code));
        agg->id_len = (uint32_t) ngx_min(rec->request_id.len,
                                         sizeof(agg->id));

        ngx_memcpy(agg->net, name.data, agg->net_len);
        ngx_memcpy(agg->code, rec->code.data, agg->code_len);
        ngx_memcpy(agg->id, rec->request_id.data, agg->id_len);
    }

    agg->first = ngx_min(agg->first, rec->g);
    agg->last = ngx_max(agg->last, rec->g);
    agg->last_time = rec->time;
    agg->severity = ngx_max(agg->severity, rec->severity);

    ngx_http_govsvc_audit_count(chain, &agg->n, flight);

    return 1;
}


void
ngx_http_govsvc_audit_count(ngx_http_govsvc_audit_chain_t *chain, uint64_t *n,
    ngx_http_govsvc_audit_flight_t *flight)
{
    if (flight != NULL) {
        flight->count = (uint64_t) ((u_char *) n - (u_char *) chain->slot);
        __atomic_store_n(&flight->told, *n + 1, __ATOMIC_RELEASE);
    }

    gs_fault("audit_count");

    __atomic_store_n(n, *n + 1, __ATOMIC_RELEASE);

    gs_fault("audit_counted");
}


/* NULL: all places are taken, the refusal is told by itself. */

static ngx_http_govsvc_audit_agg_t *
ngx_http_govsvc_audit_find_agg(ngx_http_govsvc_audit_chain_t *chain,
    uint64_t key, uint64_t now)
{
    ngx_uint_t                    i;
    ngx_http_govsvc_audit_agg_t  *agg, *old;

    old = NULL;

    for (i = 0; i < NGX_HTTP_GOVSVC_AUDIT_PROBES; i++) {
        agg = &chain->slot->aggs[(key + i) % NGX_HTTP_GOVSVC_AUDIT_AGGS];

        if (agg->key == key) {
            old = agg;
            break;
        }

        if (old == NULL && (agg->key == 0 || now >= agg->end)) {
            old = agg;
        }
    }

    if (old == NULL || (old->key == key && now < old->end)) {
        return old;
    }

    if (ngx_http_govsvc_audit_put_agg(chain, chain->writer, old) != NGX_OK) {
        return NULL;
    }

    old->key = key;
    old->end = now + (uint64_t) chain->amcf->deny_window * 1000;
    old->seen = 0;

    return old;
}


static uint64_t
ngx_http_govsvc_audit_agg_key(const gs_str_t *net,
    const gs_audit_record_t *rec)
{
    uint64_t  key, part[2];

    static const gs_siphash_key_t  zero;

    part[0] = gs_siphash(&zero, net->data, net->len);
    part[1] = gs_siphash(&zero, rec->code.data, rec->code.len)
              ^ rec->rule ^ ((uint64_t) rec->status << 48)
              ^ ((uint64_t) gs_audit_attack_number(rec->attack) << 40);

    key = gs_siphash(&zero, part, sizeof(part));

    return key != 0 ? key : 1;
}


ngx_int_t
ngx_http_govsvc_audit_put_aggs(ngx_http_govsvc_audit_chain_t *chain,
    ngx_govsvc_writer_t *w, uint64_t now)
{
    ngx_uint_t                    i;
    ngx_http_govsvc_audit_agg_t  *agg;

    for (i = 0; i < NGX_HTTP_GOVSVC_AUDIT_AGGS; i++) {
        agg = &chain->slot->aggs[i];

        if (agg->n != 0 && now >= agg->end
            && ngx_http_govsvc_audit_put_agg(chain, w, agg) != NGX_OK)
        {
            return NGX_AGAIN;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_govsvc_audit_put_agg(ngx_http_govsvc_audit_chain_t *chain,
    ngx_govsvc_writer_t *w, ngx_http_govsvc_audit_agg_t *agg)
{
    u_char          *p;
    gs_buf_t         b;
    gs_audit_agg_t   line;

    if (agg->n == 0) {
        return NGX_OK;
    }

    p = ngx_govsvc_writer_reserve(w, NGX_HTTP_GOVSVC_AUDIT_SHORT, 0);
    if (p == NULL) {
        return NGX_AGAIN;
    }

    line.node = chain->amcf->node;
    line.epoch = chain->amcf->epoch;
    line.g = ngx_http_govsvc_audit_next(chain->amcf);
    line.time = ngx_govsvc_wall_us();
    line.n = agg->n;
    line.first = agg->first;
    line.last = agg->last;
    line.first_time = agg->first_time;
    line.last_time = agg->last_time;
    line.net = gs_str_make(agg->net, agg->net_len);
    line.status = agg->status;
    line.code = gs_str_make(agg->code, agg->code_len);
    line.rule = agg->rule;
    line.attack = gs_audit_attack_name(agg->attack);
    line.severity = agg->severity;
    line.sample = gs_str_make(agg->id, agg->id_len);

    gs_buf_init(&b, p + NGX_HTTP_GOVSVC_AUDIT_HEAD,
                NGX_HTTP_GOVSVC_AUDIT_SHORT - NGX_HTTP_GOVSVC_AUDIT_HEAD);

    ngx_http_govsvc_audit_put_draft(w, p, &b, gs_audit_json_agg(&b, &line),
                                    &agg->told);

    gs_fault("audit_agg");

    __atomic_store_n(&agg->n, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&agg->told, 0, __ATOMIC_RELEASE);

    return NGX_OK;
}
