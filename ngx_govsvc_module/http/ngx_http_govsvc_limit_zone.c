
/*
 * Copyright (C) govsvc authors
 *
 * Limits: the directive that defines a zone, and the zone's shared memory.
 */


#include "http/ngx_http_govsvc_limit.h"


typedef struct {
    ngx_str_t  zone;                       /* name and size */
    ngx_str_t  rate;
    ngx_str_t  burst;
    ngx_str_t  prefix;
    ngx_str_t  full;
} ngx_http_govsvc_limit_args_t;


static char *ngx_http_govsvc_limit_zone_args(ngx_conf_t *cf,
    ngx_http_govsvc_limit_args_t *args);
static char *ngx_http_govsvc_limit_zone_key(ngx_conf_t *cf,
    ngx_http_govsvc_limit_zone_t *zone, ngx_str_t *prefix);
static char *ngx_http_govsvc_limit_zone_rate(ngx_conf_t *cf,
    ngx_http_govsvc_limit_zone_t *zone, ngx_http_govsvc_limit_args_t *args);
static char *ngx_http_govsvc_limit_zone_policy(ngx_conf_t *cf,
    ngx_http_govsvc_limit_zone_t *zone);
static char *ngx_http_govsvc_limit_zone_full(ngx_conf_t *cf,
    ngx_http_govsvc_limit_zone_t *zone, ngx_str_t *full);
static char *ngx_http_govsvc_limit_zone_memory(ngx_conf_t *cf,
    ngx_http_govsvc_limit_zone_t *zone, size_t size);
static ngx_int_t ngx_http_govsvc_limit_init_zone(ngx_shm_zone_t *shm_zone,
    void *data);
static void ngx_http_govsvc_limit_warn_resized(ngx_shm_zone_t *shm_zone);
static ngx_uint_t ngx_http_govsvc_limit_is_network(ngx_str_t *key);
static ngx_uint_t ngx_http_govsvc_limit_is_subject(ngx_str_t *key);
static ngx_uint_t ngx_http_govsvc_limit_matches(ngx_str_t *name,
    const char *pattern);


static const char *const  ngx_http_govsvc_limit_params[] = {
    "zone=", "rate=", "burst=", "ipv6_prefix=", "full=", NULL
};

static const size_t  ngx_http_govsvc_limit_slots[] = {
    offsetof(ngx_http_govsvc_limit_args_t, zone),
    offsetof(ngx_http_govsvc_limit_args_t, rate),
    offsetof(ngx_http_govsvc_limit_args_t, burst),
    offsetof(ngx_http_govsvc_limit_args_t, prefix),
    offsetof(ngx_http_govsvc_limit_args_t, full)
};

static const char *const  ngx_http_govsvc_limit_full[] = {
    "reject", "aggregate", NULL
};


/* keys that are the address of the client; its network is the key then */

static const char *const  ngx_http_govsvc_limit_networks[] = {
    "$govsvc_client_net", "$binary_remote_addr", "$remote_addr", NULL
};


/* variables that are known only after the caller is; "*" ends a prefix */

static const char *const  ngx_http_govsvc_limit_subjects[] = {
    "govsvc_subject", "govsvc_subject_pid", "govsvc_app", "govsvc_level",
    "govsvc_scope", "govsvc_auth", "govsvc_claim_*", NULL
};


char *
ngx_http_govsvc_limit_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    size_t                         size;
    ngx_str_t                      name;
    ngx_http_govsvc_limit_args_t   args;
    ngx_http_govsvc_limit_zone_t  *zone;

    ngx_memzero(&args, sizeof(ngx_http_govsvc_limit_args_t));

    if (ngx_http_govsvc_limit_zone_args(cf, &args) != NGX_CONF_OK
        || ngx_govsvc_conf_zone(cf, &args.zone, 8 * ngx_pagesize, &name,
                                &size)
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    zone = ngx_http_govsvc_limit_get_zone(cf, &name);
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    if (zone->shm_zone != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "limit zone \"%V\" is already defined",
                           &zone->name);
        return NGX_CONF_ERROR;
    }

    if (ngx_http_govsvc_limit_zone_key(cf, zone, &args.prefix) != NGX_CONF_OK
        || ngx_http_govsvc_limit_zone_rate(cf, zone, &args) != NGX_CONF_OK
        || ngx_http_govsvc_limit_zone_policy(cf, zone) != NGX_CONF_OK
        || ngx_http_govsvc_limit_zone_full(cf, zone, &args.full)
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_http_govsvc_limit_zone_memory(cf, zone, size);
}


static char *
ngx_http_govsvc_limit_zone_args(ngx_conf_t *cf,
    ngx_http_govsvc_limit_args_t *args)
{
    ngx_str_t   *value, *slot, text;
    ngx_uint_t   i, k;

    value = cf->args->elts;

    for (i = 2; i < cf->args->nelts; i++) {

        ngx_str_null(&text);

        for (k = 0; ngx_http_govsvc_limit_params[k] != NULL; k++) {
            if (ngx_http_govsvc_limit_param(&value[i],
                                            ngx_http_govsvc_limit_params[k],
                                            &text))
            {
                break;
            }
        }

        if (ngx_http_govsvc_limit_params[k] == NULL) {
            return ngx_http_govsvc_limit_unknown(cf, &value[i],
                                               ngx_http_govsvc_limit_params);
        }

        slot = (ngx_str_t *) ((u_char *) args
                              + ngx_http_govsvc_limit_slots[k]);

        if (slot->data != NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate parameter \"%V\" in \"%V\" "
                               "directive", &value[i], &value[0]);
            return NGX_CONF_ERROR;
        }

        *slot = text;
    }

    if (args->zone.data == NULL || args->rate.data == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must have \"%s\" parameter", &value[0],
                           (args->zone.data == NULL) ? "zone=NAME:SIZE"
                                                     : "rate=NUMBERr/s");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_limit_zone_key(ngx_conf_t *cf,
    ngx_http_govsvc_limit_zone_t *zone, ngx_str_t *prefix)
{
    gs_str_t                           number;
    uint64_t                           bits;
    ngx_str_t                         *value;
    ngx_http_compile_complex_value_t   ccv;

    value = cf->args->elts;

    if (value[1].len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "empty key in \"%V\" directive", &value[0]);
        return NGX_CONF_ERROR;
    }

    zone->network = (ngx_http_govsvc_limit_is_network(&value[1]) != 0);
    zone->subject = (ngx_http_govsvc_limit_is_subject(&value[1]) != 0);
    zone->prefix = 64;

    if (prefix->data != NULL && !zone->network) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ipv6_prefix\" needs a key that is an address: "
                           "$govsvc_client_net, $binary_remote_addr or "
                           "$remote_addr, not \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    if (prefix->data != NULL) {
        number = ngx_govsvc_to_gs(prefix);

        if (gs_parse_u64(&number, &bits) != GS_OK || bits < 1 || bits > 128) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid ipv6_prefix \"%V\", it must be a "
                               "number of bits from 1 to 128", prefix);
            return NGX_CONF_ERROR;
        }

        zone->prefix = (ngx_uint_t) bits;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value[1];
    ccv.complex_value = &zone->key;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_limit_zone_rate(ngx_conf_t *cf,
    ngx_http_govsvc_limit_zone_t *zone, ngx_http_govsvc_limit_args_t *args)
{
    gs_err_t    err;
    gs_str_t    s;
    uint64_t    burst;
    ngx_str_t  *value;

    burst = 1;
    value = cf->args->elts;

    if (args->burst.data != NULL) {
        s = ngx_govsvc_to_gs(&args->burst);

        if (gs_parse_u64(&s, &burst) != GS_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid burst \"%V\" in \"%V\" directive, it "
                               "must be a whole number", &args->burst,
                               &value[0]);
            return NGX_CONF_ERROR;
        }
    }

    ngx_memzero(&err, sizeof(gs_err_t));
    s = ngx_govsvc_to_gs(&args->rate);

    if (gs_limit_rate_parse(&zone->rate, &s, &err) != GS_OK
        || gs_limit_rate_init(&zone->rate, burst, &err) != GS_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s in \"%V\" directive",
                           err.text, &value[0]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* "ip";q=100;w=2 does not change, so it is written once. */

static char *
ngx_http_govsvc_limit_zone_policy(ngx_conf_t *cf,
    ngx_http_govsvc_limit_zone_t *zone)
{
    size_t    len;
    uint64_t  window;

    len = zone->name.len + sizeof("\"\";q=;w=") - 1 + 2 * NGX_INT64_LEN;

    zone->policy.data = ngx_pnalloc(cf->pool, len);
    if (zone->policy.data == NULL) {
        return NGX_CONF_ERROR;
    }

    window = (zone->rate.burst * zone->rate.period
              + zone->rate.count * 1000000 - 1)
             / (zone->rate.count * 1000000);

    zone->policy.len = ngx_sprintf(zone->policy.data, "\"%V\";q=%uL;w=%uL",
                                   &zone->name, zone->rate.burst, window)
                       - zone->policy.data;

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_limit_zone_full(ngx_conf_t *cf,
    ngx_http_govsvc_limit_zone_t *zone, ngx_str_t *full)
{
    gs_str_t  s;

    if (full->data == NULL) {
        return NGX_CONF_OK;
    }

    s = ngx_govsvc_to_gs(full);
    zone->aggregate = (gs_str_eq_text(&s, "aggregate") != 0);

    if (!zone->aggregate && !gs_str_eq_text(&s, "reject")) {
        return ngx_govsvc_conf_invalid(cf, "value of \"full\"", full,
                                       ngx_http_govsvc_limit_full);
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_govsvc_limit_zone_memory(ngx_conf_t *cf,
    ngx_http_govsvc_limit_zone_t *zone, size_t size)
{
    ngx_shm_zone_t  *shm_zone;

    shm_zone = ngx_shared_memory_add(cf, &zone->name, size,
                                     &ngx_http_govsvc_limit_module);
    if (shm_zone == NULL) {
        return NGX_CONF_ERROR;
    }

    shm_zone->init = ngx_http_govsvc_limit_init_zone;
    shm_zone->data = zone;
    zone->shm_zone = shm_zone;

    return NGX_CONF_OK;
}


/*
 * A zone that is reused keeps its counters: its memory is taken as it is, or
 * the configuration is refused.
 */

static ngx_int_t
ngx_http_govsvc_limit_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_govsvc_limit_zone_t *old = data;

    void                          *p;
    ngx_slab_pool_t               *shpool;
    gs_siphash_key_t               secret;
    ngx_http_govsvc_limit_zone_t  *zone;

    zone = shm_zone->data;

    if (old != NULL) {
        zone->size = old->size;
        zone->table = gs_limit_table_attach(old->table, old->size);

        if (zone->table == NULL) {
            ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                          "govsvc limit: zone \"%V\" holds another layout, "
                          "restart or give the zone another name",
                          &shm_zone->shm.name);
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    ngx_http_govsvc_limit_warn_resized(shm_zone);

    if (ngx_govsvc_random(&secret, sizeof(secret), shm_zone->shm.log)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* one piece of all pages: the slab pool has no other user */

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;
    zone->size = shpool->pfree * ngx_pagesize;

    p = ngx_slab_alloc(shpool, zone->size);

    if (p != NULL) {
        zone->table = gs_limit_table_init(p, zone->size, &secret,
                                          ngx_govsvc_mono_us());
    }

    if (zone->table == NULL) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "govsvc limit: no memory in zone \"%V\"",
                      &shm_zone->shm.name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_govsvc_limit_warn_resized(ngx_shm_zone_t *shm_zone)
{
    ngx_uint_t                 i;
    ngx_shm_zone_t            *old;
    volatile ngx_list_part_t  *part;

    for (part = &ngx_cycle->shared_memory.part; part; part = part->next) {
        old = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (old[i].tag == shm_zone->tag
                && old[i].shm.size != shm_zone->shm.size
                && old[i].shm.name.len == shm_zone->shm.name.len
                && ngx_memcmp(old[i].shm.name.data, shm_zone->shm.name.data,
                              shm_zone->shm.name.len)
                   == 0)
            {
                ngx_log_error(NGX_LOG_WARN, shm_zone->shm.log, 0,
                              "govsvc limit: zone \"%V\" changed from %uz "
                              "to %uz bytes, its counters start empty",
                              &shm_zone->shm.name, old[i].shm.size,
                              shm_zone->shm.size);
                return;
            }
        }
    }
}


static ngx_uint_t
ngx_http_govsvc_limit_is_network(ngx_str_t *key)
{
    gs_str_t            s;
    const char *const  *name;

    s = ngx_govsvc_to_gs(key);

    for (name = ngx_http_govsvc_limit_networks; *name != NULL; name++) {
        if (gs_str_eq_text(&s, *name)) {
            return 1;
        }
    }

    return 0;
}


/* Looks for the variables in the text, "$name" and "${name}". */

static ngx_uint_t
ngx_http_govsvc_limit_is_subject(ngx_str_t *key)
{
    u_char              *p, *last;
    ngx_str_t            name;
    const char *const   *pattern;

    p = key->data;
    last = p + key->len;

    while (p < last) {

        if (*p++ != '$') {
            continue;
        }

        if (p < last && *p == '{') {
            p++;
        }

        name.data = p;

        while (p < last && (gs_is_alpha(*p) || gs_is_digit(*p) || *p == '_'))
        {
            p++;
        }

        name.len = p - name.data;
        pattern = ngx_http_govsvc_limit_subjects;

        for ( ; *pattern != NULL; pattern++) {
            if (ngx_http_govsvc_limit_matches(&name, *pattern)) {
                return 1;
            }
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_govsvc_limit_matches(ngx_str_t *name, const char *pattern)
{
    gs_str_t  s, p;

    s = ngx_govsvc_to_gs(name);
    p = gs_str_text(pattern);

    if (p.data[p.len - 1] != '*') {
        return gs_str_case_eq(&s, &p) != 0;
    }

    p.len--;

    if (s.len > p.len) {
        s.len = p.len;
    }

    return gs_str_case_eq(&s, &p) != 0;
}
