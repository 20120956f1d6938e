
/*
 * Copyright (C) govsvc authors
 *
 * Addresses: what is read and printed reads the same again, and a set answers
 * as its members do.
 */


#include "core/gs_net.h"

#include <stdlib.h>


#define FUZZ_NETS  16


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_again(const gs_net_t *net);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int            any;
    size_t         i, k, n, from, to;
    gs_str_t       all, s;
    gs_net_t       nets[FUZZ_NETS];
    gs_net_set_t  *set;

    all = gs_str_make(data, size);
    n = 0;

    for (from = 0; from <= size && n < FUZZ_NETS; from = to + 1) {
        to = gs_str_chr(&all, from, ' ');
        s = gs_str_make(data + from, to - from);

        if (gs_net_parse(&nets[n], &s) != GS_ERROR) {
            fuzz_again(&nets[n]);
            n++;
        }
    }

    set = gs_net_set_create(&gs_mem_libc, nets, n / 2);
    if (set == NULL) {
        abort();
    }

    for (i = 0; i < n; i++) {
        any = 0;

        for (k = 0; k < n / 2; k++) {
            any |= gs_net_contains(&nets[k], &nets[i])
                   || (nets[k].family == GS_NET_UNIX
                       && nets[i].family == GS_NET_UNIX);
        }

        if (any != gs_net_set_has(set, &nets[i])) {
            abort();
        }
    }

    gs_free(&gs_mem_libc, set);

    return 0;
}


static void
fuzz_again(const gs_net_t *net)
{
    gs_str_t    s;
    gs_net_t    copy;
    gs_uchar_t  text[GS_NET_TEXT];

    s = gs_str_make(text, gs_net_print(text, net));

    if (gs_net_parse(&copy, &s) != GS_OK || copy.family != net->family
        || copy.bits != net->bits || memcmp(copy.addr, net->addr, 16) != 0)
    {
        abort();
    }

    gs_net_client(&copy);

    if (!gs_net_contains(&copy, net) && net->bits >= 64) {
        if (net->family != GS_NET_UNIX && net->family != GS_NET_IPV4) {
            abort();
        }
    }
}
