
/*
 * Copyright (C) govsvc authors
 *
 * Sets of networks, as ranges in order.
 */


#include "core/gs_net.h"

#include <stdlib.h>


typedef struct {
    gs_uchar_t  family;
    gs_uchar_t  first[16];
    gs_uchar_t  last[16];
} gs_net_range_t;


struct gs_net_set_s {
    size_t          n;
    unsigned        unix_socket;
    gs_net_range_t  ranges[];              /* sorted, disjoint */
};


static void gs_net_range(gs_net_range_t *range, const gs_net_t *net);
static int gs_net_range_cmp(const void *one, const void *two);


gs_net_set_t *
gs_net_set_create(gs_mem_t *mem, const gs_net_t *nets, size_t n)
{
    size_t           i, k;
    gs_net_set_t    *set;
    gs_net_range_t  *r;

    if (n > SIZE_MAX / sizeof(gs_net_range_t) - 1) {
        return NULL;
    }

    set = gs_alloc(mem, sizeof(gs_net_set_t) + n * sizeof(gs_net_range_t));
    if (set == NULL) {
        return NULL;
    }

    set->n = 0;
    set->unix_socket = 0;
    r = set->ranges;

    for (i = 0; i < n; i++) {
        if (nets[i].family == GS_NET_UNIX) {
            set->unix_socket = 1;

        } else if (nets[i].family != GS_NET_NONE) {
            gs_net_range(&r[set->n++], &nets[i]);
        }
    }

    if (set->n == 0) {
        return set;
    }

    qsort(r, set->n, sizeof(gs_net_range_t), gs_net_range_cmp);

    /* prefixes never overlap in part: one contains the other, or neither */

    for (i = 1, k = 0; i < set->n; i++) {
        if (r[i].family != r[k].family
            || memcmp(r[i].first, r[k].last, 16) > 0)
        {
            r[++k] = r[i];
        }
    }

    set->n = k + 1;

    return set;
}


static void
gs_net_range(gs_net_range_t *range, const gs_net_t *net)
{
    unsigned  i;

    range->family = (gs_uchar_t) net->family;
    memcpy(range->first, net->addr, 16);
    memcpy(range->last, net->addr, 16);

    for (i = net->bits; i < ((net->family == GS_NET_IPV6) ? 128u : 32u); i++) {
        range->last[i / 8] |= (gs_uchar_t) (0x80 >> (i % 8));
    }
}


/* The wider of two with the same start comes first. */

static int
gs_net_range_cmp(const void *one, const void *two)
{
    int                    n;
    const gs_net_range_t  *a = one;
    const gs_net_range_t  *b = two;

    if (a->family != b->family) {
        return (a->family < b->family) ? -1 : 1;
    }

    n = memcmp(a->first, b->first, 16);
    if (n != 0) {
        return n;
    }

    return memcmp(b->last, a->last, 16);
}


int
gs_net_set_has(const gs_net_set_t *set, const gs_net_t *net)
{
    size_t                 low, high, mid;
    gs_net_range_t         range;
    const gs_net_range_t  *r;

    if (net->family == GS_NET_UNIX) {
        return (int) set->unix_socket;
    }

    if (net->family == GS_NET_NONE) {
        return 0;
    }

    gs_net_range(&range, net);

    low = 0;
    high = set->n;

    while (low < high) {
        mid = low + (high - low) / 2;
        r = &set->ranges[mid];

        if (r->family < range.family
            || (r->family == range.family
                && memcmp(r->last, range.first, 16) < 0))
        {
            low = mid + 1;

        } else {
            high = mid;
        }
    }

    if (low == set->n) {
        return 0;
    }

    r = &set->ranges[low];

    return r->family == range.family
           && memcmp(r->first, range.first, 16) <= 0
           && memcmp(r->last, range.last, 16) >= 0;
}
