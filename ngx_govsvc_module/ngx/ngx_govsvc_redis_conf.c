
/*
 * Copyright (C) govsvc authors
 *
 * The block govsvc_redis.
 */


#include "ngx/ngx_govsvc_redis_priv.h"


#define NGX_GOVSVC_REDIS_NAME       64
#define NGX_GOVSVC_REDIS_PREFIX     64
#define NGX_GOVSVC_REDIS_PASSWORD   1024
#define NGX_GOVSVC_REDIS_PEERS      16
#define NGX_GOVSVC_REDIS_PORT       6379
#define NGX_GOVSVC_REDIS_SENTINELS  26379


static ngx_uint_t ngx_govsvc_redis_is_name(const ngx_str_t *s, size_t max,
    const char *more);
static char *ngx_govsvc_redis_needs(ngx_conf_t *cf, ngx_govsvc_redis_t *rd,
    const char *what);
static char *ngx_govsvc_redis_set_server(ngx_conf_t *cf, void *conf);
static char *ngx_govsvc_redis_set_sentinel(ngx_conf_t *cf, void *conf);
static char *ngx_govsvc_redis_set_cluster(ngx_conf_t *cf, void *conf);
static char *ngx_govsvc_redis_kind(ngx_conf_t *cf, ngx_govsvc_redis_t *rd,
    ngx_govsvc_redis_kind_e kind);
static char *ngx_govsvc_redis_peer(ngx_conf_t *cf, ngx_govsvc_redis_t *rd,
    ngx_str_t *value, ngx_uint_t port);
static char *ngx_govsvc_redis_set_user(ngx_conf_t *cf, void *conf);
static char *ngx_govsvc_redis_set_password(ngx_conf_t *cf, void *conf);
static char *ngx_govsvc_redis_set_sentinel_user(ngx_conf_t *cf, void *conf);
static char *ngx_govsvc_redis_set_sentinel_password(ngx_conf_t *cf,
    void *conf);
static char *ngx_govsvc_redis_user(ngx_conf_t *cf, ngx_str_t *user);
static char *ngx_govsvc_redis_password(ngx_conf_t *cf, ngx_str_t *password);
static char *ngx_govsvc_redis_set_prefix(ngx_conf_t *cf, void *conf);
static char *ngx_govsvc_redis_set_tls(ngx_conf_t *cf, void *conf);
static char *ngx_govsvc_redis_set_ca(ngx_conf_t *cf, void *conf);
static char *ngx_govsvc_redis_set_connect(ngx_conf_t *cf, void *conf);
static char *ngx_govsvc_redis_set_command(ngx_conf_t *cf, void *conf);
static char *ngx_govsvc_redis_set_inflight(ngx_conf_t *cf, void *conf);
static char *ngx_govsvc_redis_set_reconnect(ngx_conf_t *cf, void *conf);
static char *ngx_govsvc_redis_set_breaker(ngx_conf_t *cf, void *conf);


static const ngx_govsvc_conf_word_t  ngx_govsvc_redis_words[] = {
    { "server", 1, 1, ngx_govsvc_redis_set_server },
    { "sentinel", 2, NGX_GOVSVC_REDIS_PEERS + 1,
      ngx_govsvc_redis_set_sentinel },
    { "cluster", 1, NGX_GOVSVC_REDIS_PEERS, ngx_govsvc_redis_set_cluster },
    { "user", 1, 1, ngx_govsvc_redis_set_user },
    { "password_file", 1, 1, ngx_govsvc_redis_set_password },
    { "sentinel_user", 1, 1, ngx_govsvc_redis_set_sentinel_user },
    { "sentinel_password_file", 1, 1,
      ngx_govsvc_redis_set_sentinel_password },
    { "prefix", 1, 1, ngx_govsvc_redis_set_prefix },
    { "tls", 1, 5, ngx_govsvc_redis_set_tls },
    { "ca", 1, 1, ngx_govsvc_redis_set_ca },
    { "connect_timeout", 1, 1, ngx_govsvc_redis_set_connect },
    { "command_timeout", 1, 1, ngx_govsvc_redis_set_command },
    { "max_inflight", 1, 1, ngx_govsvc_redis_set_inflight },
    { "reconnect", 1, 3, ngx_govsvc_redis_set_reconnect },
    { "breaker", 1, 2, ngx_govsvc_redis_set_breaker },
    { NULL, 0, 0, NULL }
};


ngx_govsvc_redis_t *
ngx_govsvc_redis_conf_create(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_govsvc_redis_t        *rd;
    static const char *const   chars[] = {
        "1 to 64 letters, digits, \"_\" and \"-\"", NULL
    };

    if (!ngx_govsvc_redis_is_name(name, NGX_GOVSVC_REDIS_NAME, "_-")) {
        (void) ngx_govsvc_conf_invalid(cf, "name of a redis", name, chars);
        return NULL;
    }

    rd = ngx_pcalloc(cf->pool, sizeof(ngx_govsvc_redis_t));

    if (rd == NULL
        || ngx_array_init(&rd->peers, cf->pool, 2,
                          sizeof(ngx_govsvc_redis_peer_t))
           != NGX_OK)
    {
        return NULL;
    }

    rd->name = *name;
    rd->file = cf->conf_file->file.name;
    rd->line = cf->conf_file->line;

    ngx_str_set(&rd->prefix, "gs:");
    rd->tls_verify = 1;
    rd->connect_timeout = 200;
    rd->command_timeout = 20;
    rd->max_inflight = 4096;
    rd->reconnect = 50;
    rd->reconnect_max = 2000;
    rd->jitter = 30;
    rd->breaker_errors = 5;
    rd->breaker_silence = 50;

    return rd;
}


static ngx_uint_t
ngx_govsvc_redis_is_name(const ngx_str_t *s, size_t max, const char *more)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < s->len; i++) {
        c = s->data[i];

        if (!gs_is_alpha(c) && !gs_is_digit(c)
            && (c == '\0' || ngx_strchr(more, c) == NULL))
        {
            return 0;
        }
    }

    return s->len != 0 && s->len <= max;
}


char *
ngx_govsvc_redis_conf_block(ngx_conf_t *cf, ngx_govsvc_redis_t *rd)
{
    char  *rv;

    if (rd->defined) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate govsvc_redis \"%V\"", &rd->name);
        return NGX_CONF_ERROR;
    }

    rd->defined = 1;

    rv = ngx_govsvc_conf_block(cf, ngx_govsvc_redis_words, rd);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (rd->peers.nelts == 0) {
        return ngx_govsvc_redis_needs(cf, rd, "server ADDRESS\", \"sentinel "
                                      "NAME ADDRESS ...\" or \"cluster "
                                      "ADDRESS ...");
    }

    if (rd->user.len != 0 && rd->password.data == NULL) {
        return ngx_govsvc_redis_needs(cf, rd, "password_file FILE");
    }

    if (rd->sentinel_user.len != 0 && rd->sentinel_password.data == NULL) {
        return ngx_govsvc_redis_needs(cf, rd, "sentinel_password_file FILE");
    }

    if (rd->tls && rd->tls_verify && rd->ca.len == 0) {
        return ngx_govsvc_redis_needs(cf, rd, "ca FILE\" or \"tls on "
                                      "verify=off");
    }

    if (!rd->tls && rd->ca.len != 0) {
        return ngx_govsvc_redis_needs(cf, rd, "tls on\" for its \"ca");
    }

    if (rd->kind != NGX_GOVSVC_REDIS_SENTINEL
        && rd->sentinel_password.data != NULL)
    {
        return ngx_govsvc_redis_needs(cf, rd, "sentinel NAME ADDRESS ...\" "
                                      "for its \"sentinel_password_file");
    }

    if (rd->breaker_silence < rd->command_timeout) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "govsvc_redis \"%V\": silence of %Mms in "
                           "\"breaker\" is less than command_timeout of "
                           "%Mms", &rd->name, rd->breaker_silence,
                           rd->command_timeout);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_govsvc_redis_needs(ngx_conf_t *cf, ngx_govsvc_redis_t *rd,
    const char *what)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "govsvc_redis \"%V\" needs \"%s\"", &rd->name, what);

    return NGX_CONF_ERROR;
}


static char *
ngx_govsvc_redis_set_server(ngx_conf_t *cf, void *conf)
{
    ngx_govsvc_redis_t *rd = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    if (ngx_govsvc_redis_kind(cf, rd, NGX_GOVSVC_REDIS_SERVER)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_govsvc_redis_peer(cf, rd, &value[1], NGX_GOVSVC_REDIS_PORT);
}


static char *
ngx_govsvc_redis_set_sentinel(ngx_conf_t *cf, void *conf)
{
    ngx_govsvc_redis_t *rd = conf;

    ngx_str_t                 *value;
    ngx_uint_t                 i;
    static const char *const   chars[] = {
        "1 to 64 letters, digits, \"_\", \"-\" and \".\"", NULL
    };

    value = cf->args->elts;

    if (ngx_govsvc_redis_kind(cf, rd, NGX_GOVSVC_REDIS_SENTINEL)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (!ngx_govsvc_redis_is_name(&value[1], NGX_GOVSVC_REDIS_NAME, "_-.")) {
        return ngx_govsvc_conf_invalid(cf, "name of a primary", &value[1],
                                       chars);
    }

    rd->master = value[1];

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_govsvc_redis_peer(cf, rd, &value[i],
                                  NGX_GOVSVC_REDIS_SENTINELS)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_govsvc_redis_set_cluster(ngx_conf_t *cf, void *conf)
{
    ngx_govsvc_redis_t *rd = conf;

    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    if (ngx_govsvc_redis_kind(cf, rd, NGX_GOVSVC_REDIS_CLUSTER)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_govsvc_redis_peer(cf, rd, &value[i], NGX_GOVSVC_REDIS_PORT)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_govsvc_redis_kind(ngx_conf_t *cf, ngx_govsvc_redis_t *rd,
    ngx_govsvc_redis_kind_e kind)
{
    if (rd->peers.nelts != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "govsvc_redis \"%V\" has more than one of "
                           "\"server\", \"sentinel\" and \"cluster\"",
                           &rd->name);
        return NGX_CONF_ERROR;
    }

    rd->kind = kind;

    return NGX_CONF_OK;
}


/* HOST:PORT, HOST, [IPV6]:PORT or unix:PATH; names are resolved later. */

static char *
ngx_govsvc_redis_peer(ngx_conf_t *cf, ngx_govsvc_redis_t *rd,
    ngx_str_t *value, ngx_uint_t port)
{
    ngx_url_t                  u;
    ngx_govsvc_redis_peer_t   *peer;
    static const char *const   forms[] = {
        "ADDRESS", "ADDRESS:PORT", "NAME:PORT", "unix:/PATH", NULL
    };

    ngx_memzero(&u, sizeof(ngx_url_t));
    u.url = *value;
    u.default_port = (in_port_t) port;
    u.no_resolve = 1;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK || u.uri.len != 0
        || (u.family == AF_UNIX && rd->kind != NGX_GOVSVC_REDIS_SERVER)
        || u.host.len > GS_REDIS_HOST)
    {
        return ngx_govsvc_conf_invalid(cf, "address", value, forms);
    }

    peer = ngx_array_push(&rd->peers);
    if (peer == NULL) {
        return NGX_CONF_ERROR;
    }

    if (u.family == AF_UNIX) {
        peer->host.data = value->data + sizeof("unix:") - 1;
        peer->host.len = value->len - (sizeof("unix:") - 1);
        peer->port = 0;

        return NGX_CONF_OK;
    }

    peer->host = u.host;
    peer->port = u.port;

    /* as Redis writes it, without brackets */

    if (peer->host.data[0] == '[') {
        peer->host.data++;
        peer->host.len -= 2;
    }

    return NGX_CONF_OK;
}


static char *
ngx_govsvc_redis_set_user(ngx_conf_t *cf, void *conf)
{
    ngx_govsvc_redis_t *rd = conf;

    return ngx_govsvc_redis_user(cf, &rd->user);
}


static char *
ngx_govsvc_redis_set_password(ngx_conf_t *cf, void *conf)
{
    ngx_govsvc_redis_t *rd = conf;

    return ngx_govsvc_redis_password(cf, &rd->password);
}


static char *
ngx_govsvc_redis_set_sentinel_user(ngx_conf_t *cf, void *conf)
{
    ngx_govsvc_redis_t *rd = conf;

    return ngx_govsvc_redis_user(cf, &rd->sentinel_user);
}


static char *
ngx_govsvc_redis_set_sentinel_password(ngx_conf_t *cf, void *conf)
{
    ngx_govsvc_redis_t *rd = conf;

    return ngx_govsvc_redis_password(cf, &rd->sentinel_password);
}


static char *
ngx_govsvc_redis_user(ngx_conf_t *cf, ngx_str_t *user)
{
    ngx_str_t                 *value;
    static const char *const   chars[] = {
        "1 to 64 letters, digits, \"_\", \"-\" and \".\"", NULL
    };

    value = cf->args->elts;

    if (!ngx_govsvc_redis_is_name(&value[1], NGX_GOVSVC_REDIS_NAME, "_-.")) {
        return ngx_govsvc_conf_invalid(cf, "user", &value[1], chars);
    }

    *user = value[1];

    return NGX_CONF_OK;
}


/* The first line of a secret file. */

static char *
ngx_govsvc_redis_password(ngx_conf_t *cf, ngx_str_t *password)
{
    u_char     *nl;
    ngx_str_t  *value;

    value = cf->args->elts;

    if (ngx_govsvc_conf_read_file(cf, &value[1], password,
                                  NGX_GOVSVC_REDIS_PASSWORD, 1)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    nl = ngx_strlchr(password->data, password->data + password->len, '\n');

    if (nl != NULL) {
        password->len = (size_t) (nl - password->data);
    }

    if (password->len != 0 && password->data[password->len - 1] == '\r') {
        password->len--;
    }

    if (password->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no password in the first line of \"%V\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_govsvc_redis_set_prefix(ngx_conf_t *cf, void *conf)
{
    ngx_govsvc_redis_t *rd = conf;

    ngx_str_t                 *value;
    static const char *const   chars[] = {
        "1 to 64 letters, digits, \"_\", \"-\", \".\" and \":\"", NULL
    };

    value = cf->args->elts;

    /* no braces: they would put all keys of a cluster into one slot */

    if (!ngx_govsvc_redis_is_name(&value[1], NGX_GOVSVC_REDIS_PREFIX,
                                  "_-.:"))
    {
        return ngx_govsvc_conf_invalid(cf, "prefix", &value[1], chars);
    }

    rd->prefix = value[1];

    return NGX_CONF_OK;
}


static char *
ngx_govsvc_redis_set_tls(ngx_conf_t *cf, void *conf)
{
    ngx_govsvc_redis_t *rd = conf;

    ngx_str_t                 *value, v;
    ngx_uint_t                 i;
    static const char *const   names[] = {
        "name=", "verify=", "cert=", "key=", NULL
    };

    value = cf->args->elts;

    if (ngx_govsvc_redis_on(cf, &value[1], &rd->tls) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (!rd->tls && cf->args->nelts > 2) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "parameter \"%V\" without \"tls on\"", &value[2]);
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_govsvc_redis_param(&value[i], "name=", &v)) {
            if (!ngx_govsvc_redis_is_name(&v, GS_REDIS_HOST, "-.")) {
                return ngx_govsvc_conf_invalid(cf, "name", &v, NULL);
            }

            rd->tls_name = v;

        } else if (ngx_govsvc_redis_param(&value[i], "verify=", &v)) {
            if (ngx_govsvc_redis_on(cf, &v, &rd->tls_verify) != NGX_CONF_OK) {
                return NGX_CONF_ERROR;
            }

        } else if (ngx_govsvc_redis_param(&value[i], "cert=", &v)) {
            rd->tls_cert = v;

        } else if (ngx_govsvc_redis_param(&value[i], "key=", &v)) {
            rd->tls_key = v;

        } else {
            return ngx_govsvc_redis_unknown(cf, &value[i], names);
        }
    }

    if ((rd->tls_cert.len == 0) != (rd->tls_key.len == 0)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"cert=\" and \"key=\" of \"tls\" go together");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_govsvc_redis_set_ca(ngx_conf_t *cf, void *conf)
{
    ngx_govsvc_redis_t *rd = conf;

    ngx_str_t  *value;

    value = cf->args->elts;
    rd->ca = value[1];

    return NGX_CONF_OK;
}


static char *
ngx_govsvc_redis_set_connect(ngx_conf_t *cf, void *conf)
{
    ngx_govsvc_redis_t *rd = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    return ngx_govsvc_redis_msec(cf, &value[1], 10, 60000,
                                 &rd->connect_timeout);
}


static char *
ngx_govsvc_redis_set_command(ngx_conf_t *cf, void *conf)
{
    ngx_govsvc_redis_t *rd = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    return ngx_govsvc_redis_msec(cf, &value[1], 1, 60000,
                                 &rd->command_timeout);
}


static char *
ngx_govsvc_redis_set_inflight(ngx_conf_t *cf, void *conf)
{
    ngx_govsvc_redis_t *rd = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    return ngx_govsvc_redis_number(cf, &value[1], 1, 65536,
                                   &rd->max_inflight);
}


/* FIRST [max=TIME] [jitter=N%] */

static char *
ngx_govsvc_redis_set_reconnect(ngx_conf_t *cf, void *conf)
{
    ngx_govsvc_redis_t *rd = conf;

    ngx_str_t                 *value, v;
    ngx_uint_t                 i;
    static const char *const   names[] = { "max=", "jitter=", NULL };

    value = cf->args->elts;

    if (ngx_govsvc_redis_msec(cf, &value[1], 10, 60000, &rd->reconnect)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    rd->reconnect_max = ngx_max(rd->reconnect_max, rd->reconnect);

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_govsvc_redis_param(&value[i], "max=", &v)) {
            if (ngx_govsvc_redis_msec(cf, &v, rd->reconnect, 600000,
                                      &rd->reconnect_max)
                != NGX_CONF_OK)
            {
                return NGX_CONF_ERROR;
            }

        } else if (ngx_govsvc_redis_param(&value[i], "jitter=", &v)) {

            if (v.len != 0 && v.data[v.len - 1] == '%') {
                v.len--;
            }

            if (ngx_govsvc_redis_number(cf, &v, 0, 90, &rd->jitter)
                != NGX_CONF_OK)
            {
                return NGX_CONF_ERROR;
            }

        } else {
            return ngx_govsvc_redis_unknown(cf, &value[i], names);
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_govsvc_redis_set_breaker(ngx_conf_t *cf, void *conf)
{
    ngx_govsvc_redis_t *rd = conf;

    char                      *rv;
    ngx_str_t                 *value, v;
    ngx_uint_t                 i;
    static const char *const   names[] = { "errors=", "silence=", NULL };

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_govsvc_redis_param(&value[i], "errors=", &v)) {
            rv = ngx_govsvc_redis_number(cf, &v, 1, 1000000,
                                         &rd->breaker_errors);

        } else if (ngx_govsvc_redis_param(&value[i], "silence=", &v)) {
            rv = ngx_govsvc_redis_msec(cf, &v, 1, 60000,
                                       &rd->breaker_silence);

        } else {
            rv = ngx_govsvc_redis_unknown(cf, &value[i], names);
        }

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}
