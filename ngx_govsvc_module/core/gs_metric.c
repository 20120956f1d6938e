
/*
 * Copyright (C) govsvc authors
 *
 * Counters in shared memory and the text of Prometheus.
 */


#include "core/gs_metric.h"
#include "core/gs_siphash.h"
#include "core/gs_utf8.h"


static void gs_metric_labels(gs_buf_t *b, const gs_metric_label_t *labels,
    unsigned n);
static void gs_metric_value(gs_buf_t *b, const gs_str_t *value);


const uint64_t  gs_metric_bounds[GS_METRIC_BOUNDS] = {
    5000, 10000, 25000, 50000, 75000, 100000, 250000, 500000, 750000,
    1000000, 2500000, 5000000, 7500000, 10000000
};


const char *const  gs_metric_bound_texts[GS_METRIC_BUCKETS] = {
    "0.005", "0.01", "0.025", "0.05", "0.075", "0.1", "0.25", "0.5", "0.75",
    "1", "2.5", "5", "7.5", "10", "+Inf"
};


unsigned
gs_metric_place(gs_metric_names_t *names, const gs_str_t *name)
{
    uint64_t                        hash, key;
    unsigned                        i, n;
    static const gs_siphash_key_t   secret = { 0x6d6574726963, 0x6e616d65 };

    if (name->len == 0) {
        return GS_METRIC_NONE;
    }

    if (name->len > GS_METRIC_NAME) {
        return GS_METRIC_OTHER;
    }

    hash = gs_siphash(&secret, name->data, name->len);
    hash += (hash == 0);

    i = (unsigned) (hash % GS_METRIC_NAMES);

    for (n = 0; n < GS_METRIC_NAMES; n++) {
        key = __atomic_load_n(&names->keys[i], __ATOMIC_ACQUIRE);

        if (key == 0
            && __atomic_compare_exchange_n(&names->keys[i], &key, hash, 0,
                                           __ATOMIC_ACQ_REL,
                                           __ATOMIC_ACQUIRE))
        {
            key = hash;
        }

        if (key == hash) {

            /*
             * Whoever took the place may have died before it wrote the name:
             * all that come write the same bytes until the length is there.
             */

            if (__atomic_load_n(&names->lens[i], __ATOMIC_ACQUIRE) == 0) {
                memcpy(names->texts[i], name->data, name->len);
                __atomic_store_n(&names->lens[i], (uint32_t) name->len,
                                 __ATOMIC_RELEASE);
            }

            return i + 2;
        }

        i = (i + 1) % GS_METRIC_NAMES;
    }

    return GS_METRIC_OTHER;
}


gs_str_t
gs_metric_name(const gs_metric_names_t *names, unsigned place)
{
    uint32_t  len;

    if (place == GS_METRIC_NONE) {
        return gs_str_text("_none");
    }

    if (place == GS_METRIC_OTHER || place >= GS_METRIC_PLACES) {
        return gs_str_text("_other");
    }

    len = __atomic_load_n(&names->lens[place - 2], __ATOMIC_ACQUIRE);

    return gs_str_make(names->texts[place - 2],
                       len <= GS_METRIC_NAME ? len : 0);
}


void
gs_metric_observe(gs_metric_histogram_t *h, uint64_t us)
{
    unsigned  i;

    for (i = 0; i < GS_METRIC_BOUNDS; i++) {
        if (us <= gs_metric_bounds[i]) {
            break;
        }
    }

    gs_metric_add(&h->buckets[i], 1);
    gs_metric_add(&h->sum, us);
}


void
gs_metric_head(gs_buf_t *b, const char *name, const char *type,
    const char *help)
{
    gs_buf_text(b, "# HELP ");
    gs_buf_text(b, name);
    gs_buf_char(b, ' ');
    gs_buf_text(b, help);
    gs_buf_text(b, "\n# TYPE ");
    gs_buf_text(b, name);
    gs_buf_char(b, ' ');
    gs_buf_text(b, type);
    gs_buf_char(b, '\n');
}


void
gs_metric_line(gs_buf_t *b, const char *name, const char *suffix,
    const gs_metric_label_t *labels, unsigned n, uint64_t value)
{
    gs_buf_text(b, name);
    gs_buf_text(b, suffix);
    gs_metric_labels(b, labels, n);
    gs_buf_char(b, ' ');
    gs_buf_u64(b, value);
    gs_buf_char(b, '\n');
}


void
gs_metric_line_us(gs_buf_t *b, const char *name, const char *suffix,
    const gs_metric_label_t *labels, unsigned n, uint64_t us)
{
    gs_buf_text(b, name);
    gs_buf_text(b, suffix);
    gs_metric_labels(b, labels, n);
    gs_buf_char(b, ' ');
    gs_buf_u64(b, us / 1000000);
    gs_buf_char(b, '.');
    gs_buf_pad(b, us % 1000000, 6);
    gs_buf_char(b, '\n');
}


void
gs_metric_histogram(gs_buf_t *b, const char *name,
    const gs_metric_label_t *label, const gs_metric_histogram_t *h)
{
    uint64_t            count;
    unsigned            i, n;
    gs_metric_label_t   labels[2];

    count = 0;
    n = 0;

    if (label != NULL) {
        labels[n++] = *label;
    }

    labels[n].name = "le";

    /* the count is that of the last bucket, so both agree at any moment */

    for (i = 0; i < GS_METRIC_BUCKETS; i++) {
        count += gs_metric_get(&h->buckets[i]);
        labels[n].value = gs_str_text(gs_metric_bound_texts[i]);
        gs_metric_line(b, name, "_bucket", labels, n + 1, count);
    }

    gs_metric_line_us(b, name, "_sum", labels, n, gs_metric_get(&h->sum));
    gs_metric_line(b, name, "_count", labels, n, count);
}


static void
gs_metric_labels(gs_buf_t *b, const gs_metric_label_t *labels, unsigned n)
{
    unsigned  i;

    if (n == 0) {
        return;
    }

    for (i = 0; i < n; i++) {
        gs_buf_char(b, i == 0 ? '{' : ',');
        gs_buf_text(b, labels[i].name);
        gs_buf_text(b, "=\"");
        gs_metric_value(b, &labels[i].value);
        gs_buf_char(b, '"');
    }

    gs_buf_char(b, '}');
}


/* One byte that is no UTF-8 would cost the reader the whole scrape. */

static void
gs_metric_value(gs_buf_t *b, const gs_str_t *value)
{
    uint32_t           c;
    unsigned           used, k;
    const gs_uchar_t  *p, *last;

    p = value->data;
    last = p + value->len;

    for ( /* void */ ; p < last; p += used) {
        c = gs_utf8_next(p, last, &used);

        if (c == '\n') {
            gs_buf_text(b, "\\n");
            continue;
        }

        if (c == GS_UTF8_BAD) {

            for (k = 0; k < used; k++) {
                gs_buf_text(b, "\\\\x");
                gs_buf_hex(b, p + k, 1);
            }

            continue;
        }

        if (c == '"' || c == '\\') {
            gs_buf_char(b, '\\');
        }

        gs_buf_put(b, p, used);
    }
}
