
/*
 * Copyright (C) govsvc authors
 *
 * What a node is itself.
 */


#include "admin/gs_admin_priv.h"
#include "core/gs_json_pos.h"

#include <stdio.h>


static const char *gs_admin_own_taken(const gs_admin_own_t *own,
    const gs_net_t *net, unsigned port);
static const char *gs_admin_own_near(const gs_admin_own_t *own,
    const gs_net_t *net);
static unsigned gs_admin_own_here(const gs_admin_own_t *own,
    const gs_net_t *net);


const char *
gs_admin_own_denied(const gs_admin_own_t *own, const gs_net_t *net,
    unsigned port, unsigned *always)
{
    gs_net_t     inner;
    const char  *why;

    *always = 0;

    if (own == NULL) {
        return NULL;
    }

    if (gs_admin_address_inner(net, &inner)) {
        why = gs_admin_own_denied(own, &inner, port, always);

        if (why != NULL) {
            return why;
        }
    }

    why = gs_admin_own_taken(own, net, port);

    if (why != NULL) {
        *always = 1;
        return why;
    }

    return gs_admin_own_near(own, net);
}


static const char *
gs_admin_own_taken(const gs_admin_own_t *own, const gs_net_t *net,
    unsigned port)
{
    unsigned                 i;
    const gs_admin_place_t  *place;

    for (i = 0; i < own->nlistens; i++) {
        place = &own->listens[i];

        if (place->port == port && gs_net_contains(&place->net, net)
            && (place->net.bits != 0 || own->addrs == NULL
                || gs_admin_own_here(own, net)))
        {
            return "the gateway itself listens there";
        }
    }

    for (i = 0; i < own->nstores; i++) {
        place = &own->stores[i];

        if (place->port == port && gs_net_contains(&place->net, net)) {
            return "a Redis of the gateway is there";
        }
    }

    return NULL;
}


/* Loopback is another rule's. */

static const char *
gs_admin_own_near(const gs_admin_own_t *own, const gs_net_t *net)
{
    unsigned  i;

    if (gs_net_loopback(net)) {
        return NULL;
    }

    if (gs_admin_own_here(own, net)) {
        return "an address of the gateway";
    }

    for (i = 0; i < own->nlistens; i++) {
        if (own->listens[i].net.bits != 0
            && gs_net_contains(&own->listens[i].net, net))
        {
            return "an address of the gateway";
        }
    }

    for (i = 0; i < own->nstores; i++) {
        if (gs_net_contains(&own->stores[i].net, net)) {
            return "the address of a Redis of the gateway";
        }
    }

    for (i = 0; i < own->nothers; i++) {
        if (gs_net_contains(&own->others[i], net)) {
            return "an address of another node of the gateway";
        }
    }

    return NULL;
}


static unsigned
gs_admin_own_here(const gs_admin_own_t *own, const gs_net_t *net)
{
    unsigned  i;

    for (i = 0; i < own->naddrs; i++) {
        if (gs_net_contains(&own->addrs[i], net)) {
            return 1;
        }
    }

    /* all of 127.0.0.0/8, whatever the interfaces are told */

    return (unsigned) gs_net_loopback(net);
}


gs_rc_t
gs_admin_own_file(const gs_admin_own_t *own, const gs_str_t *text,
    gs_err_t *err)
{
    size_t         i;
    json_t        *root;
    gs_net_t       net;
    gs_str_t       s;
    unsigned       always;
    json_int_t     port;
    const char    *why;
    const json_t  *list, *object;

    root = json_loadb((const char *) text->data, text->len, 0, NULL);

    if (root == NULL) {
        return gs_err(err, "out of memory");
    }

    list = json_object_get(root, "instances");

    for (i = 0; i < json_array_size(list); i++) {
        object = json_array_get(list, i);
        s = gs_admin_str(json_object_get(object, "address"));
        port = json_integer_value(json_object_get(object, "port"));

        if (s.len == 0 || gs_net_parse(&net, &s) != GS_OK
            || port < 1 || port > 65535)
        {
            continue;
        }

        why = gs_admin_own_denied(own, &net, (unsigned) port, &always);

        if (why == NULL || !always) {
            continue;
        }

        gs_err(err, "no instance may have the address \"%S\" with port %u: "
               "%s", &s, (unsigned) port, why);

        if (err != NULL) {
            (void) snprintf(err->pointer, sizeof(err->pointer),
                            "/instances/%zu/address", i);
            err->line = gs_json_line(text, err->pointer);
        }

        json_decref(root);

        return GS_ERROR;
    }

    json_decref(root);

    return GS_OK;
}
