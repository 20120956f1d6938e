
/*
 * Copyright (C) govsvc authors
 *
 * The state of an instance in one word.
 */


#include "http/ngx_http_govsvc_instance.h"


const char *
ngx_http_govsvc_instance_state(ngx_http_govsvc_section_t *s,
    const gs_route_instance_t *instance, const char **why)
{
    switch (instance->state) {

    case GS_ROUTE_ENABLED:
        break;

    case GS_ROUTE_DRAIN:
        *why = "set to drain: no new requests";
        return "drain";

    default:
        *why = "set to down";
        return "down";
    }

    s->panic = 0;

    if (!ngx_http_govsvc_usable(s, instance)) {
        *why = "ejected: requests in a row failed";
        return "ejected";
    }

    *why = "answers, or was not asked yet";

    return "up";
}
