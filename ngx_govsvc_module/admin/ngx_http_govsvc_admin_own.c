
/*
 * Copyright (C) govsvc authors
 *
 * What this node is itself, so that no peer is there: collected from the
 * configuration, the interfaces of the machine and the connections to Redis.
 */


#include "admin/ngx_http_govsvc_admin.h"
#include "http/ngx_http_govsvc_redis.h"
#include "http/ngx_http_govsvc_route_priv.h"

#include <ifaddrs.h>


#define NGX_HTTP_GOVSVC_OWN_STORES  256
#define NGX_HTTP_GOVSVC_OWN_AGE     60000000           /* us */


struct ngx_http_govsvc_own_s {
    gs_admin_own_t     own;
    ngx_array_t        listens;            /* gs_admin_place_t */
    gs_admin_place_t   stores[NGX_HTTP_GOVSVC_OWN_STORES];
    ngx_uint_t         last;               /* of stores */
    gs_net_t          *addrs;              /* of libc */
    uint64_t           read;               /* us, mono; 0: never */
    gs_net_t           others[NGX_HTTP_GOVSVC_REGISTRY_OTHERS];
    uint64_t           turn;               /* of others */
};


static ngx_int_t ngx_http_govsvc_own_listen(ngx_http_govsvc_own_t *o,
    struct sockaddr *sockaddr, socklen_t socklen, ngx_uint_t ipv6only);
static ngx_int_t ngx_http_govsvc_own_ports(ngx_conf_t *cf,
    ngx_http_govsvc_own_t *o);
static void ngx_http_govsvc_own_store(void *data, const gs_net_t *net,
    ngx_uint_t port);
static void ngx_http_govsvc_own_cleanup(void *data);


ngx_http_govsvc_own_t *
ngx_http_govsvc_own_create(ngx_pool_t *pool, ngx_cycle_t *cycle)
{
    ngx_uint_t              i, ipv6only;
    ngx_listening_t        *ls;
    ngx_pool_cleanup_t     *cln;
    ngx_http_govsvc_own_t  *o;

    o = ngx_pcalloc(pool, sizeof(ngx_http_govsvc_own_t));
    cln = ngx_pool_cleanup_add(pool, 0);

    if (o == NULL || cln == NULL
        || ngx_array_init(&o->listens, pool, 8, sizeof(gs_admin_place_t))
           != NGX_OK)
    {
        return NULL;
    }

    cln->handler = ngx_http_govsvc_own_cleanup;
    cln->data = o;

    ls = cycle->listening.elts;

    for (i = 0; i < cycle->listening.nelts; i++) {

        if (ls[i].type != SOCK_STREAM) {
            continue;
        }

#if (NGX_HAVE_INET6)
        ipv6only = ls[i].ipv6only;
#else
        ipv6only = 1;
#endif

        if (ngx_http_govsvc_own_listen(o, ls[i].sockaddr, ls[i].socklen,
                                       ipv6only)
            != NGX_OK)
        {
            return NULL;
        }
    }

    ngx_http_govsvc_own_stores(o, cycle);

    return o;
}


/* Sockets that are no network's are no place of a peer. */

static ngx_int_t
ngx_http_govsvc_own_listen(ngx_http_govsvc_own_t *o,
    struct sockaddr *sockaddr, socklen_t socklen, ngx_uint_t ipv6only)
{
    gs_net_t           net;
    ngx_uint_t         any, both;
    gs_admin_place_t  *place;

    if (sockaddr->sa_family != AF_INET && sockaddr->sa_family != AF_INET6) {
        return NGX_OK;
    }

    if (gs_net_sockaddr(&net, sockaddr, socklen) != GS_OK) {
        return NGX_OK;
    }

    any = ngx_inet_wildcard(sockaddr);
    both = any && net.family == GS_NET_IPV6 && !ipv6only;

    do {
        place = ngx_array_push(&o->listens);
        if (place == NULL) {
            return NGX_ERROR;
        }

        place->net = net;
        place->port = ngx_inet_get_port(sockaddr);

        if (any) {
            gs_net_mask(&place->net, 0);
        }

        if (both) {
            net.family = GS_NET_IPV4;
            net.bits = 0;
        }

    } while (both--);

    o->own.listens = o->listens.elts;
    o->own.nlistens = (unsigned) o->listens.nelts;

    return NGX_OK;
}


/* One that a name led to before, or that was a primary, is still a Redis. */

void
ngx_http_govsvc_own_stores(ngx_http_govsvc_own_t *o, ngx_cycle_t *cycle)
{
    ngx_uint_t            i;
    ngx_array_t          *redises;
    ngx_govsvc_redis_t  **all;

    redises = ngx_http_govsvc_redis_all(cycle);

    if (redises == NULL) {
        return;
    }

    all = redises->elts;

    for (i = 0; i < redises->nelts; i++) {
        ngx_govsvc_redis_addrs(all[i], ngx_http_govsvc_own_store, o);
    }
}


static void
ngx_http_govsvc_own_store(void *data, const gs_net_t *net, ngx_uint_t port)
{
    ngx_http_govsvc_own_t *o = data;

    unsigned           i;
    gs_admin_place_t  *place;

    for (i = 0; i < o->own.nstores; i++) {
        place = &o->stores[i];

        if (place->port == port && place->net.bits == net->bits
            && gs_net_contains(&place->net, net))
        {
            return;
        }
    }

    /* the oldest makes way */

    place = &o->stores[o->last];
    place->net = *net;
    place->port = (unsigned) port;

    o->last = (o->last + 1) % NGX_HTTP_GOVSVC_OWN_STORES;

    if (o->own.nstores < NGX_HTTP_GOVSVC_OWN_STORES) {
        o->own.nstores++;
    }

    o->own.stores = o->stores;
}


const gs_admin_own_t *
ngx_http_govsvc_own(ngx_http_govsvc_own_t *o, ngx_log_t *log)
{
    size_t           n;
    uint64_t         now;
    gs_net_t        *addrs;
    socklen_t        len;
    struct ifaddrs  *list, *one;

    now = ngx_govsvc_mono_us();

    if (o->read != 0 && now - o->read < NGX_HTTP_GOVSVC_OWN_AGE) {
        return &o->own;
    }

    if (getifaddrs(&list) != 0) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "govsvc: getifaddrs() failed");
        return &o->own;
    }

    n = 0;

    for (one = list; one != NULL; one = one->ifa_next) {
        n++;
    }

    addrs = gs_alloc(&gs_mem_libc, (n + 1) * sizeof(gs_net_t));

    if (addrs == NULL) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "govsvc: no memory for the addresses of the machine");
        freeifaddrs(list);
        return &o->own;
    }

    n = 0;

    for (one = list; one != NULL; one = one->ifa_next) {

        if (one->ifa_addr == NULL
            || (one->ifa_addr->sa_family != AF_INET
                && one->ifa_addr->sa_family != AF_INET6))
        {
            continue;
        }

        len = (one->ifa_addr->sa_family == AF_INET)
              ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);

        n += gs_net_sockaddr(&addrs[n], one->ifa_addr, len) == GS_OK;
    }

    freeifaddrs(list);
    gs_free(&gs_mem_libc, o->addrs);

    o->addrs = addrs;
    o->own.addrs = addrs;
    o->own.naddrs = (unsigned) n;
    o->read = now;

    return &o->own;
}


/* Who writes may be killed in it: then what was read before holds. */

void
ngx_http_govsvc_own_others(ngx_http_govsvc_own_t *o,
    ngx_http_govsvc_registry_t *reg)
{
    gs_net_t                       *nets;
    uint64_t                        turn, word[3];
    ngx_uint_t                      i, k, n;
    ngx_http_govsvc_registry_sh_t  *sh;

    sh = reg->sh;
    turn = __atomic_load_n(&sh->others_turn, __ATOMIC_SEQ_CST);

    if (turn == o->turn || (turn & 1)) {
        return;
    }

    n = (ngx_uint_t) __atomic_load_n(&sh->nothers, __ATOMIC_SEQ_CST);
    n = ngx_min(n, NGX_HTTP_GOVSVC_REGISTRY_OTHERS);

    nets = gs_alloc(&gs_mem_libc, (n + 1) * sizeof(gs_net_t));
    if (nets == NULL) {
        return;
    }

    ngx_memzero(nets, (n + 1) * sizeof(gs_net_t));

    for (i = 0; i < n; i++) {
        for (k = 0; k < 3; k++) {
            word[k] = __atomic_load_n(&sh->others[i][k], __ATOMIC_SEQ_CST);
        }

        nets[i].family = (word[0] == GS_NET_IPV6) ? GS_NET_IPV6 : GS_NET_IPV4;
        nets[i].bits = (word[0] == GS_NET_IPV6) ? 128 : 32;
        ngx_memcpy(nets[i].addr, &word[1], sizeof(nets[i].addr));
    }

    if (__atomic_load_n(&sh->others_turn, __ATOMIC_SEQ_CST) == turn) {
        ngx_memcpy(o->others, nets, n * sizeof(gs_net_t));
        o->own.others = o->others;
        o->own.nothers = (unsigned) n;
        o->turn = turn;
    }

    gs_free(&gs_mem_libc, nets);
}


static void
ngx_http_govsvc_own_cleanup(void *data)
{
    ngx_http_govsvc_own_t *o = data;

    gs_free(&gs_mem_libc, o->addrs);
}


/* The sockets of this http block come to be when it has been read. */

static ngx_int_t
ngx_http_govsvc_own_ports(ngx_conf_t *cf, ngx_http_govsvc_own_t *o)
{
    ngx_uint_t                  i, k, ipv6only;
    ngx_http_conf_addr_t       *addr;
    ngx_http_conf_port_t       *port;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    if (cmcf->ports == NULL) {
        return NGX_OK;
    }

    port = cmcf->ports->elts;

    for (i = 0; i < cmcf->ports->nelts; i++) {
        addr = port[i].addrs.elts;

        for (k = 0; k < port[i].addrs.nelts; k++) {

#if (NGX_HAVE_INET6)
            ipv6only = addr[k].opt.ipv6only;
#else
            ipv6only = 1;
#endif

            if (ngx_http_govsvc_own_listen(o, addr[k].opt.sockaddr,
                                           addr[k].opt.socklen, ipv6only)
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_govsvc_own_file(ngx_conf_t *cf)
{
    gs_err_t                            err;
    gs_str_t                            s;
    ngx_http_govsvc_own_t              *o;
    ngx_http_govsvc_route_main_conf_t  *rmcf;

    rmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_govsvc_route_module);

    if (rmcf->platforms.data == NULL) {
        return NGX_OK;
    }

    o = ngx_http_govsvc_own_create(cf->temp_pool, cf->cycle);

    if (o == NULL || ngx_http_govsvc_own_ports(cf, o) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memzero(&err, sizeof(gs_err_t));
    s = ngx_govsvc_to_gs(&rmcf->platforms_text);

    if (gs_admin_own_file(ngx_http_govsvc_own(o, cf->log), &s, &err)
        != GS_OK)
    {
        (void) ngx_govsvc_conf_error(cf, &rmcf->platforms, &err);
        return NGX_ERROR;
    }

    return NGX_OK;
}
