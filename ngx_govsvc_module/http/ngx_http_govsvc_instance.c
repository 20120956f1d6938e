
/*
 * Copyright (C) govsvc authors
 *
 * How an instance is.
 */


#include "http/ngx_http_govsvc_instance.h"


void
ngx_http_govsvc_instance_report(ngx_http_govsvc_section_t *s,
    const gs_route_instance_t *instance, gs_health_report_t *report)
{
    uint64_t                    wall;
    const uint64_t             *words;
    const gs_route_pool_t      *pool;
    const gs_registry_entry_t  *entry;

    pool = gs_route_pool(s->table, instance->pool);
    entry = ngx_http_govsvc_peer_entry(s, instance);
    words = gs_registry_slot(s->registry, entry->slot)->words;

    gs_health_report(instance,
                     __atomic_load_n(&words[NGX_HTTP_GOVSVC_PEER_CHECK],
                                     __ATOMIC_RELAXED),
                     __atomic_load_n(&words[NGX_HTTP_GOVSVC_PEER_FATE],
                                     __ATOMIC_RELAXED),
                     __atomic_load_n(&words[NGX_HTTP_GOVSVC_PEER_UNTIL],
                                     __ATOMIC_RELAXED),
                     __atomic_load_n(&words[NGX_HTTP_GOVSVC_PEER_EJECTED],
                                     __ATOMIC_RELAXED),
                     pool->slow_start, s->now, report);

    if (report->since != 0) {
        wall = ngx_govsvc_wall_us() / 1000;
        report->since = (report->since <= s->now)
                        ? wall - (s->now - report->since) : wall;
    }
}
