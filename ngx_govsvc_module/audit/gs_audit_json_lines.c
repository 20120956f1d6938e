
/*
 * Copyright (C) govsvc authors
 *
 * Lines that are no request that ended: losses, ends of requests whose process
 * died, tampering; the first and last line of a segment.
 */


#include "audit/gs_audit_json_priv.h"
#include "core/gs_b64.h"
#include "core/gs_json_out.h"
#include "core/gs_time.h"


static const char *const  gs_audit_classes[GS_AUDIT_CLASSES] = {
    "read", "write", "security", "supervision"
};


const char *
gs_audit_class_name(gs_audit_class_e cls)
{
    return gs_audit_classes[cls];
}


size_t
gs_audit_json_loss(gs_buf_t *b, const gs_audit_loss_t *loss)
{
    size_t    head;
    gs_buf_t  draft;

    draft = gs_audit_json_draft(b);

    gs_audit_json_begin(&draft, "loss", &loss->node, loss->epoch, loss->g);

    head = gs_buf_len(&draft);

    gs_json_kv_u64(&draft, "g", loss->g);
    gs_audit_json_kv_time(&draft, "t", loss->time);
    gs_json_kv_text(&draft, "class", loss->cls);
    gs_json_kv_u64(&draft, "n", loss->n);
    gs_json_kv_u64(&draft, "first", loss->first);
    gs_json_kv_u64(&draft, "last", loss->last);
    gs_json_kv_text(&draft, "why", loss->why);

    return gs_audit_json_ready(b, &draft, head);
}


size_t
gs_audit_json_agg(gs_buf_t *b, const gs_audit_agg_t *agg)
{
    size_t    head;
    gs_buf_t  draft;

    draft = gs_audit_json_draft(b);

    gs_audit_json_begin(&draft, "deny.agg", &agg->node, agg->epoch, agg->g);

    head = gs_buf_len(&draft);

    gs_json_kv_u64(&draft, "g", agg->g);
    gs_audit_json_kv_time(&draft, "t", agg->time);
    gs_json_kv_u64(&draft, "n", agg->n);
    gs_json_kv_u64(&draft, "first", agg->first);
    gs_json_kv_u64(&draft, "last", agg->last);
    gs_audit_json_kv_time(&draft, "from", agg->first_time);
    gs_audit_json_kv_time(&draft, "to", agg->last_time);
    (void) gs_json_kv_str(&draft, "net", &agg->net);
    gs_json_kv_u64(&draft, "status", agg->status);
    (void) gs_json_kv_str(&draft, "code", &agg->code);

    if (agg->rule != 0) {
        gs_json_kv_u64(&draft, "rule", agg->rule);
    }

    if (agg->attack != NULL) {
        gs_json_kv_u64(&draft, "sev", agg->severity);
        gs_json_kv_text(&draft, "attack", agg->attack);
    }

    if (agg->sample.len != 0) {
        (void) gs_json_kv_str(&draft, "sample", &agg->sample);
    }

    return gs_audit_json_ready(b, &draft, head);
}


size_t
gs_audit_json_aborted(gs_buf_t *b, const gs_audit_aborted_t *end)
{
    size_t    head;
    gs_buf_t  draft;

    draft = gs_audit_json_draft(b);

    gs_audit_json_begin(&draft, "http", &end->node, end->epoch, end->g);
    gs_json_kv_text(&draft, "st", "aborted");

    head = gs_buf_len(&draft);

    gs_json_kv_u64(&draft, "g", end->g);
    gs_audit_json_kv_time(&draft, "t", end->time);
    gs_json_kv_str(&draft, "req", &end->request_id);

    if (end->intent != 0) {
        gs_audit_json_kv_id(&draft, "intent", &end->node, end->intent_epoch,
                            end->intent);
    }

    gs_audit_json_kv_time(&draft, "start", end->start);
    gs_json_kv_text(&draft, "why", end->why);

    return gs_audit_json_ready(b, &draft, head);
}


size_t
gs_audit_json_tamper(gs_buf_t *b, const gs_audit_tamper_t *tamper)
{
    size_t    head;
    gs_buf_t  draft;

    draft = gs_audit_json_draft(b);

    gs_audit_json_begin(&draft, "tamper", &tamper->node, tamper->epoch,
                        tamper->g);

    head = gs_buf_len(&draft);

    gs_json_kv_u64(&draft, "g", tamper->g);
    gs_audit_json_kv_time(&draft, "t", tamper->time);
    gs_json_kv_str(&draft, "seg", &tamper->segment);
    gs_json_kv_u64(&draft, "bytes", tamper->bytes);
    gs_json_kv_text(&draft, "why", tamper->why);

    return gs_audit_json_ready(b, &draft, head);
}


gs_buf_t
gs_audit_json_draft(const gs_buf_t *b)
{
    gs_buf_t  draft;

    draft = *b;
    draft.start = b->pos;

    return draft;
}


size_t
gs_audit_json_ready(gs_buf_t *b, const gs_buf_t *draft, size_t head)
{
    if (draft->overflow) {
        return 0;
    }

    b->pos = draft->pos;

    return head;
}


gs_rc_t
gs_audit_json_line(gs_buf_t *b, gs_audit_chain_t *chain,
    const gs_str_t *chain_name, uint64_t seq, const gs_str_t *draft,
    size_t head)
{
    size_t  from;

    from = gs_buf_len(b);

    gs_buf_put(b, draft->data, head);
    gs_buf_put(b, ",\"ch\":\"", 7);
    gs_buf_str(b, chain_name);
    gs_buf_put(b, "\",\"seq\":", 8);
    gs_buf_u64(b, seq);
    gs_buf_put(b, draft->data + head, draft->len - head);

    return gs_audit_chain_seal(chain, b, from);
}


gs_rc_t
gs_audit_json_open(gs_buf_t *b, gs_audit_chain_t *chain,
    const gs_audit_open_t *open)
{
    size_t      from;
    gs_str_t    h;
    gs_uchar_t  text[GS_AUDIT_HASH_TEXT];

    from = gs_buf_len(b);

    gs_buf_text(b, "{\"v\":1,\"ty\":\"seg.open\"");
    gs_json_kv_str(b, "ch", &open->chain);
    gs_json_kv_u64(b, "seq", open->seq);
    gs_json_kv_text(b, "alg", gs_audit_alg_name(chain->alg));
    gs_audit_json_kv_time(b, "t", open->time);
    gs_json_key(b, "prev");

    if (open->prev_name.len == 0) {
        gs_buf_text(b, "null");

    } else {
        gs_b64url_encode(text, open->prev_h, GS_AUDIT_HASH);
        h = gs_str_make(text, GS_AUDIT_HASH_TEXT);

        gs_buf_char(b, '{');
        gs_json_kv_str(b, "seg", &open->prev_name);
        gs_json_kv_u64(b, "bytes", open->prev_bytes);
        gs_json_kv_u64(b, "seq", open->prev_seq);
        gs_json_kv_str(b, "h", &h);
        gs_buf_char(b, '}');
    }

    gs_json_kv_u64(b, "keep", open->keep);
    gs_json_kv_text(b, "why", open->why);

    gs_audit_chain_start(chain);

    return gs_audit_chain_seal(chain, b, from);
}


gs_rc_t
gs_audit_json_close(gs_buf_t *b, gs_audit_chain_t *chain,
    const gs_audit_close_t *end)
{
    size_t  from;

    from = gs_buf_len(b);

    gs_buf_text(b, "{\"v\":1,\"ty\":\"seg.close\"");
    gs_json_kv_str(b, "ch", &end->chain);
    gs_json_kv_u64(b, "seq", end->seq);
    gs_audit_json_kv_time(b, "t", end->time);
    gs_json_kv_u64(b, "n", end->n);
    gs_json_kv_text(b, "why", end->why);

    return gs_audit_chain_seal(chain, b, from);
}


void
gs_audit_json_begin(gs_buf_t *b, const char *type, const gs_str_t *node,
    uint64_t epoch, uint64_t g)
{
    gs_buf_put(b, "{\"v\":1,\"id\":\"", 13);
    gs_buf_str(b, node);
    gs_buf_char(b, '.');
    gs_buf_u64(b, epoch);
    gs_buf_char(b, '.');
    gs_buf_u64(b, g);
    gs_buf_char(b, '"');
    gs_json_kv_text(b, "ty", type);
}


void
gs_audit_json_kv_id(gs_buf_t *b, const char *key, const gs_str_t *node,
    uint64_t epoch, uint64_t g)
{
    gs_json_key(b, key);
    gs_buf_char(b, '"');
    gs_buf_str(b, node);
    gs_buf_char(b, '.');
    gs_buf_u64(b, epoch);
    gs_buf_char(b, '.');
    gs_buf_u64(b, g);
    gs_buf_char(b, '"');
}


void
gs_audit_json_kv_time(gs_buf_t *b, const char *key, uint64_t us)
{
    gs_json_key(b, key);
    gs_buf_char(b, '"');
    gs_time_iso(b, us);
    gs_buf_char(b, '"');
}


void
gs_audit_json_kv_hash(gs_buf_t *b, const char *key, const gs_uchar_t *h)
{
    gs_str_t    s;
    gs_uchar_t  text[GS_AUDIT_HASH_TEXT];

    gs_b64url_encode(text, h, GS_AUDIT_HASH);
    s = gs_str_make(text, GS_AUDIT_HASH_TEXT);

    gs_json_kv_plain(b, key, &s);
}
