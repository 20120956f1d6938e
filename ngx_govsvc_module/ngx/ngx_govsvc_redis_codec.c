
/*
 * Copyright (C) govsvc authors
 *
 * Redis: the only file that calls hiredis.  It formats commands and parses
 * whole replies; 0.14 and 1.x do that alike.
 */


#include "ngx/ngx_govsvc_redis_priv.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/time.h>
#include <hiredis/hiredis.h>


static ngx_int_t ngx_govsvc_redis_format_one(const ngx_govsvc_redis_cmd_t *cmd,
    char **text, size_t *len);
static ngx_int_t ngx_govsvc_redis_append(ngx_govsvc_redis_call_t *call,
    const char *text, size_t len);


static const ngx_str_t  ngx_govsvc_redis_word_multi = ngx_string("MULTI");
static const ngx_str_t  ngx_govsvc_redis_word_exec = ngx_string("EXEC");


/* n commands, from two on between MULTI and EXEC. */

ngx_int_t
ngx_govsvc_redis_format(ngx_govsvc_redis_call_t *call,
    const ngx_govsvc_redis_cmd_t *cmds, ngx_uint_t n)
{
    char                          *text;
    size_t                         len;
    ngx_int_t                      rc;
    ngx_uint_t                     i;
    ngx_govsvc_redis_cmd_t         frame;
    const ngx_govsvc_redis_cmd_t  *cmd;

    if (!call->multi) {
        return ngx_govsvc_redis_format_one(cmds, &call->cmd, &call->len);
    }

    for (i = 0; i < n + 2; i++) {

        if (i == 0 || i == n + 1) {
            ngx_memzero(&frame, sizeof(ngx_govsvc_redis_cmd_t));
            frame.argv = (i == 0) ? &ngx_govsvc_redis_word_multi
                                  : &ngx_govsvc_redis_word_exec;
            frame.argc = 1;
            cmd = &frame;

        } else {
            cmd = &cmds[i - 1];
        }

        if (ngx_govsvc_redis_format_one(cmd, &text, &len) != NGX_OK) {
            ngx_govsvc_redis_format_free(call);
            return NGX_ERROR;
        }

        rc = ngx_govsvc_redis_append(call, text, len);
        ngx_free(text);

        if (rc != NGX_OK) {
            ngx_govsvc_redis_format_free(call);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_govsvc_redis_format_one(const ngx_govsvc_redis_cmd_t *cmd, char **text,
    size_t *len)
{
    size_t       size, lens[NGX_GOVSVC_REDIS_ARGS];
    long long    n;
    ngx_uint_t   i;
    const char  *argv[NGX_GOVSVC_REDIS_ARGS];

    if (cmd->argc == 0 || cmd->argc > NGX_GOVSVC_REDIS_ARGS) {
        return NGX_ERROR;
    }

    size = 0;

    for (i = 0; i < cmd->argc; i++) {
        if (cmd->argv[i].len > NGX_GOVSVC_REDIS_COMMAND - size) {
            return NGX_ERROR;
        }

        size += cmd->argv[i].len;
        argv[i] = (cmd->argv[i].len == 0) ? ""
                                          : (const char *) cmd->argv[i].data;
        lens[i] = cmd->argv[i].len;
    }

    *text = NULL;
    n = redisFormatCommandArgv(text, (int) cmd->argc, argv, lens);

    if (n <= 0 || *text == NULL) {
        return NGX_ERROR;
    }

    *len = (size_t) n;

    return NGX_OK;
}


static ngx_int_t
ngx_govsvc_redis_append(ngx_govsvc_redis_call_t *call, const char *text,
    size_t len)
{
    char  *p;

    if (len > 2 * NGX_GOVSVC_REDIS_COMMAND - call->len) {
        return NGX_ERROR;
    }

    p = ngx_alloc(call->len + len, ngx_cycle->log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (call->len != 0) {
        ngx_memcpy(p, call->cmd, call->len);
        ngx_free(call->cmd);
    }

    ngx_memcpy(p + call->len, text, len);

    call->cmd = p;
    call->len += len;

    return NGX_OK;
}


void
ngx_govsvc_redis_format_free(ngx_govsvc_redis_call_t *call)
{
    if (call->cmd != NULL) {
        ngx_free(call->cmd);
    }

    call->cmd = NULL;
    call->len = 0;
}


void *
ngx_govsvc_redis_reader(void)
{
    redisReader  *reader;

    reader = redisReaderCreate();

    if (reader != NULL) {
        reader->maxbuf = NGX_GOVSVC_REDIS_BUFFER;
    }

    return reader;
}


void
ngx_govsvc_redis_reader_free(void *reader)
{
    if (reader != NULL) {
        redisReaderFree(reader);
    }
}


ngx_govsvc_redis_reply_t *
ngx_govsvc_redis_parse(void *reader, const gs_str_t *frame)
{
    void  *reply;

    reply = NULL;

    if (redisReaderFeed(reader, (const char *) frame->data, frame->len)
        != REDIS_OK
        || redisReaderGetReply(reader, &reply) != REDIS_OK)
    {
        return NULL;
    }

    return reply;
}


void
ngx_govsvc_redis_reply_free(ngx_govsvc_redis_reply_t *reply)
{
    if (reply != NULL) {
        freeReplyObject(reply);
    }
}


/* The status that a whole reply stands for. */

ngx_govsvc_redis_status_e
ngx_govsvc_redis_class(const gs_str_t *frame)
{
    gs_str_t  line;

    if (frame->len < 3 || frame->data[0] != '-') {
        return NGX_GOVSVC_REDIS_OK;
    }

    line = gs_str_make(frame->data + 1, frame->len - 3);

    switch (gs_redis_error(&line)) {

    case GS_REDIS_ERROR_LOADING:
        return NGX_GOVSVC_REDIS_LOADING;

    case GS_REDIS_ERROR_OOM:
        return NGX_GOVSVC_REDIS_OOM;

    case GS_REDIS_ERROR_READONLY:
        return NGX_GOVSVC_REDIS_READONLY;

    case GS_REDIS_ERROR_MISCONF:
        return NGX_GOVSVC_REDIS_MISCONF;

    case GS_REDIS_ERROR_NOREPLICAS:
        return NGX_GOVSVC_REDIS_NOREPLICAS;

    case GS_REDIS_ERROR_CLUSTERDOWN:
        return NGX_GOVSVC_REDIS_CLUSTERDOWN;

    case GS_REDIS_ERROR_NOAUTH:
        return NGX_GOVSVC_REDIS_NOAUTH;

    case GS_REDIS_ERROR_NOPERM:
        return NGX_GOVSVC_REDIS_NOPERM;

    case GS_REDIS_ERROR_MOVED:
    case GS_REDIS_ERROR_ASK:
        return NGX_GOVSVC_REDIS_MOVED;

    default: /* GS_REDIS_ERROR_EXECABORT, GS_REDIS_ERROR_OTHER */
        return NGX_GOVSVC_REDIS_ERROR;
    }
}


ngx_uint_t
ngx_govsvc_redis_is_nil(const ngx_govsvc_redis_reply_t *reply)
{
    return reply != NULL && reply->type == REDIS_REPLY_NIL;
}


ngx_uint_t
ngx_govsvc_redis_count(const ngx_govsvc_redis_reply_t *reply)
{
    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY) {
        return 0;
    }

    return (ngx_uint_t) reply->elements;
}


ngx_govsvc_redis_reply_t *
ngx_govsvc_redis_at(const ngx_govsvc_redis_reply_t *reply, ngx_uint_t i)
{
    return (i < ngx_govsvc_redis_count(reply)) ? reply->element[i] : NULL;
}


ngx_int_t
ngx_govsvc_redis_int(const ngx_govsvc_redis_reply_t *reply, int64_t *value)
{
    gs_str_t    s;
    uint64_t    n;
    ngx_str_t   text;
    ngx_uint_t  minus;

    if (reply != NULL && reply->type == REDIS_REPLY_INTEGER) {
        *value = reply->integer;
        return NGX_OK;
    }

    if (ngx_govsvc_redis_text(reply, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    minus = (text.len != 0 && text.data[0] == '-');
    s = gs_str_make(text.data + minus, text.len - minus);

    if (gs_parse_u64(&s, &n) != GS_OK || n > INT64_MAX) {
        return NGX_ERROR;
    }

    *value = minus ? -(int64_t) n : (int64_t) n;

    return NGX_OK;
}


ngx_int_t
ngx_govsvc_redis_double(const ngx_govsvc_redis_reply_t *reply, double *value)
{
    char       buf[64], *end;
    double     d;
    int64_t    n;
    ngx_str_t  text;

    if (ngx_govsvc_redis_int(reply, &n) == NGX_OK) {
        *value = (double) n;
        return NGX_OK;
    }

    if (ngx_govsvc_redis_text(reply, &text) != NGX_OK
        || text.len == 0 || text.len >= sizeof(buf))
    {
        return NGX_ERROR;
    }

    (void) ngx_cpystrn((u_char *) buf, text.data, text.len + 1);

    errno = 0;
    d = strtod(buf, &end);

    if (errno != 0 || end != buf + text.len || !isfinite(d)) {
        return NGX_ERROR;
    }

    *value = d;

    return NGX_OK;
}


ngx_int_t
ngx_govsvc_redis_text(const ngx_govsvc_redis_reply_t *reply, ngx_str_t *text)
{
    if (reply == NULL
        || (reply->type != REDIS_REPLY_STRING
            && reply->type != REDIS_REPLY_STATUS
            && reply->type != REDIS_REPLY_ERROR))
    {
        return NGX_ERROR;
    }

    text->data = (u_char *) reply->str;
    text->len = (size_t) reply->len;

    return NGX_OK;
}
