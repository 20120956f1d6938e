
/*
 * Copyright (C) govsvc authors
 *
 * Names of hosts: what is taken for a name has one spelling, is no address to
 * anybody, stays a name without its first label or under a suffix, and is cut
 * off its port whole.
 */


#include "core/gs_host.h"
#include "core/gs_net.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_good(const gs_str_t *name);
static void fuzz_split(const gs_str_t *text);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t    cut;
    gs_str_t  name, suffix, dotted;

    /* a line is a name, the next one what it may end in */

    name = gs_str_make(data, size);
    cut = gs_str_chr(&name, 0, '\n');
    suffix = gs_str_make(data + cut, size - cut);
    name.len = cut;

    if (suffix.len != 0) {
        suffix = gs_str_make(suffix.data + 1, suffix.len - 1);
    }

    fuzz_split(&name);

    if (gs_host_name(&name) == NULL) {
        fuzz_good(&name);
    }

    if (gs_host_suffix(&suffix) != NULL) {
        return 0;
    }

    dotted = suffix;

    if (dotted.data[0] == '.') {
        dotted = gs_str_make(dotted.data + 1, dotted.len - 1);
    }

    if (gs_host_name(&dotted) != NULL || !gs_host_under(&dotted, &suffix)) {
        abort();
    }

    /* what lies under a suffix ends in it, behind a dot */

    if (gs_host_under(&name, &suffix)) {
        if (name.len < dotted.len
            || memcmp(name.data + name.len - dotted.len, dotted.data,
                      dotted.len) != 0
            || (name.len > dotted.len
                && name.data[name.len - dotted.len - 1] != '.'))
        {
            abort();
        }
    }

    return 0;
}


static void
fuzz_good(const gs_str_t *name)
{
    char            text[GS_HOST_LEN + 1];
    size_t          i, dot;
    gs_net_t        net;
    gs_str_t        rest, tail;
    unsigned        port;
    struct in_addr  in;

    if (name->len == 0 || name->len > GS_HOST_LEN) {
        abort();
    }

    for (i = 0; i < name->len; i++) {
        if ((name->data[i] < 'a' || name->data[i] > 'z')
            && (name->data[i] < '0' || name->data[i] > '9')
            && name->data[i] != '-' && name->data[i] != '.')
        {
            abort();
        }
    }

    memcpy(text, name->data, name->len);
    text[name->len] = '\0';

    /* the C library is more generous than this house: it is asked, too */

    if (inet_aton(text, &in) != 0 || gs_net_parse(&net, name) != GS_ERROR) {
        abort();
    }

    if (!gs_host_split(name, &rest, &port) || port != 0
        || !gs_str_eq(&rest, name))
    {
        abort();
    }

    if (gs_host_suffix(name) != NULL || !gs_host_under(name, name)) {
        abort();
    }

    /* all behind a dot that is a name, it is under; and no other way round */

    dot = gs_str_chr(name, 0, '.');
    tail = gs_str_make(name->data + dot + 1, name->len - dot - 1);

    if (gs_host_name(&tail) == NULL
        && (!gs_host_under(name, &tail) || gs_host_under(&tail, name)))
    {
        abort();
    }
}


static void
fuzz_split(const gs_str_t *text)
{
    char      again[GS_HOST_LEN + 8];
    gs_str_t  name, s;
    unsigned  port;

    if (!gs_host_split(text, &name, &port) || name.len > GS_HOST_LEN) {
        return;
    }

    memcpy(again, name.data, name.len);
    s = gs_str_make(again, name.len);

    if (port != 0) {
        s.len += (size_t) sprintf(again + name.len, ":%u", port);
    }

    if (port > 65535 || !gs_str_eq(&s, text)) {
        abort();
    }
}
