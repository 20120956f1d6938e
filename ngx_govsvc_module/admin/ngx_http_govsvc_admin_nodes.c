
/*
 * Copyright (C) govsvc authors
 *
 * What nodes that share the objects tell each other beside them: their own
 * addresses, and the heartbeats they got.
 */


#include "admin/ngx_http_govsvc_admin.h"


#define NGX_HTTP_GOVSVC_NODES_OWN    64            /* told of one node */
#define NGX_HTTP_GOVSVC_NODES_HEARD  86400000000   /* us: it is one of us */


static ngx_uint_t ngx_http_govsvc_nodes_far(const gs_net_t *net);
static void ngx_http_govsvc_nodes_one(gs_net_t *nets, ngx_uint_t *n,
    const ngx_str_t *text);


u_char *
ngx_http_govsvc_nodes_text(ngx_http_govsvc_own_t *o, u_char *buf,
    ngx_log_t *log)
{
    u_char                *p;
    ngx_uint_t             i, n;
    const gs_admin_own_t  *own;

    own = ngx_http_govsvc_own(o, log);
    n = 0;
    p = buf;
    *p++ = '[';

    for (i = 0; i < own->naddrs && n < NGX_HTTP_GOVSVC_NODES_OWN; i++) {

        if (!ngx_http_govsvc_nodes_far(&own->addrs[i])
            || (size_t) (buf + NGX_HTTP_GOVSVC_NODES_TEXT - p)
               < GS_NET_TEXT + sizeof(",\"\"]"))
        {
            continue;
        }

        if (n++ != 0) {
            *p++ = ',';
        }

        *p++ = '"';
        p += gs_net_print(p, &own->addrs[i]);
        *p++ = '"';
    }

    *p++ = ']';

    return p;
}


/* Loopback and link-local are of the machine that says so, on each. */

static ngx_uint_t
ngx_http_govsvc_nodes_far(const gs_net_t *net)
{
    if (gs_net_loopback(net)) {
        return 0;
    }

    if (net->family == GS_NET_IPV4) {
        return net->bits == 32
               && !(net->addr[0] == 169 && net->addr[1] == 254)
               && net->addr[0] != 0;
    }

    return net->family == GS_NET_IPV6 && net->bits == 128
           && !(net->addr[0] == 0xfe && (net->addr[1] & 0xc0) == 0x80);
}


/*
 * What stands in Redis may be anything.  A node that is away for a day is one
 * of us still, its machine comes back; later its address may be another's.
 */

void
ngx_http_govsvc_nodes_take(ngx_http_govsvc_admin_main_conf_t *amcf,
    ngx_govsvc_redis_reply_t *reply)
{
    gs_net_t                        nets[NGX_HTTP_GOVSVC_REGISTRY_OTHERS];
    gs_str_t                        s;
    uint64_t                        turn, word[3];
    ngx_str_t                       id, text;
    ngx_uint_t                      i, k, n, count, same;
    ngx_http_govsvc_registry_sh_t  *sh;

    sh = amcf->registry->sh;
    count = ngx_govsvc_redis_count(reply);
    n = 0;

    for (i = 0; i + 1 < count; i += 2) {

        if (ngx_govsvc_redis_text(ngx_govsvc_redis_at(reply, i), &id)
            != NGX_OK
            || ngx_govsvc_redis_text(ngx_govsvc_redis_at(reply, i + 1), &text)
               != NGX_OK)
        {
            continue;
        }

        s = ngx_govsvc_to_gs(&id);

        if (!gs_str_eq(&s, &amcf->node)) {
            ngx_http_govsvc_nodes_one(nets, &n, &text);
        }
    }

    turn = __atomic_load_n(&sh->others_turn, __ATOMIC_SEQ_CST);
    same = (n == __atomic_load_n(&sh->nothers, __ATOMIC_SEQ_CST)
            && (turn & 1) == 0);

    for (i = 0; i < n && same; i++) {
        same = (sh->others[i][0] == (uint64_t) nets[i].family
                && ngx_memcmp(&sh->others[i][1], nets[i].addr,
                              sizeof(nets[i].addr)) == 0);
    }

    if (same) {
        return;
    }

    turn |= 1;
    __atomic_store_n(&sh->others_turn, turn, __ATOMIC_SEQ_CST);

    for (i = 0; i < n; i++) {
        word[0] = nets[i].family;
        ngx_memcpy(&word[1], nets[i].addr, sizeof(nets[i].addr));

        for (k = 0; k < 3; k++) {
            __atomic_store_n(&sh->others[i][k], word[k], __ATOMIC_SEQ_CST);
        }
    }

    __atomic_store_n(&sh->nothers, n, __ATOMIC_SEQ_CST);
    __atomic_store_n(&sh->others_turn, turn + 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&sh->judged, 0, __ATOMIC_RELEASE);
}


static void
ngx_http_govsvc_nodes_one(gs_net_t *nets, ngx_uint_t *n,
    const ngx_str_t *text)
{
    size_t         i;
    json_t        *node;
    gs_net_t       net;
    gs_str_t       s;
    uint64_t       now, time;
    const json_t  *list, *one;

    node = json_loadb((const char *) text->data, text->len, 0, NULL);
    list = json_object_get(node, "addresses");
    time = (uint64_t) json_integer_value(json_object_get(node, "time"));
    now = ngx_govsvc_wall_us();

    if (now > time && now - time > NGX_HTTP_GOVSVC_NODES_HEARD) {
        json_decref(node);
        return;
    }

    for (i = 0; i < json_array_size(list) && i < NGX_HTTP_GOVSVC_NODES_OWN
         && *n < NGX_HTTP_GOVSVC_REGISTRY_OTHERS; i++)
    {
        one = json_array_get(list, i);
        s = gs_str_make(json_string_value(one), json_string_length(one));

        if (s.len != 0 && gs_net_parse(&net, &s) == GS_OK
            && ngx_http_govsvc_nodes_far(&net))
        {
            nets[(*n)++] = net;
        }
    }

    json_decref(node);
}


/* Heartbeats that other nodes got. */

void
ngx_http_govsvc_nodes_beats(ngx_http_govsvc_registry_t *reg,
    ngx_govsvc_redis_reply_t *reply)
{
    char        id[GS_ADMIN_ID + 1];
    int64_t     deadline;
    uint64_t   *word, old;
    ngx_str_t   text;
    ngx_uint_t  i, n;

    n = ngx_govsvc_redis_count(reply);

    for (i = 0; i + 1 < n; i += 2) {
        if (ngx_govsvc_redis_text(ngx_govsvc_redis_at(reply, i), &text)
            != NGX_OK
            || text.len >= sizeof(id)
            || ngx_govsvc_redis_int(ngx_govsvc_redis_at(reply, i + 1),
                                    &deadline)
               != NGX_OK)
        {
            continue;
        }

        ngx_memcpy(id, text.data, text.len);
        id[text.len] = '\0';
        word = ngx_http_govsvc_registry_word(reg, "lease", id);
        if (word == NULL) {
            continue;
        }

        old = __atomic_load_n(word, __ATOMIC_ACQUIRE);

        if (deadline > 0 && (uint64_t) deadline > old) {
            (void) __atomic_compare_exchange_n(word, &old,
                                               (uint64_t) deadline, 0,
                                               __ATOMIC_SEQ_CST,
                                               __ATOMIC_SEQ_CST);
        }
    }
}
