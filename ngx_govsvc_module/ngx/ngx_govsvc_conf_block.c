
/*
 * Copyright (C) govsvc authors
 *
 * Blocks of the configuration that have words of their own.
 */


#include "ngx/ngx_govsvc.h"


#define NGX_GOVSVC_CONF_WORDS  63


typedef struct {
    const ngx_govsvc_conf_word_t  *words;
    void                          *conf;
    ngx_str_t                      block;
    uint64_t                       seen;
} ngx_govsvc_conf_block_t;


static char *ngx_govsvc_conf_block_word(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf);
static char *ngx_govsvc_conf_block_unknown(ngx_conf_t *cf,
    ngx_govsvc_conf_block_t *block);


char *
ngx_govsvc_conf_block(ngx_conf_t *cf, const ngx_govsvc_conf_word_t *words,
    void *conf)
{
    char                     *rv;
    ngx_str_t                *value;
    ngx_conf_t                save;
    ngx_govsvc_conf_block_t   block;

    value = cf->args->elts;

    block.words = words;
    block.conf = conf;
    block.block = value[0];
    block.seen = 0;

    save = *cf;
    cf->handler = ngx_govsvc_conf_block_word;
    cf->handler_conf = (void *) &block;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    return rv;
}


static char *
ngx_govsvc_conf_block_word(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    ngx_govsvc_conf_block_t *block = conf;

    uint64_t                       bit;
    ngx_str_t                     *value;
    ngx_uint_t                     n;
    const ngx_govsvc_conf_word_t  *word;

    value = cf->args->elts;
    n = cf->args->nelts - 1;
    bit = 1;

    for (word = block->words; word->name != NULL; word++) {

        if (ngx_strcmp(value[0].data, word->name) == 0) {
            break;
        }

        bit <<= 1;
    }

    if (word->name == NULL) {
        return ngx_govsvc_conf_block_unknown(cf, block);
    }

    if (n < word->min || n > word->max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid number of arguments in \"%V\" directive",
                           &value[0]);
        return NGX_CONF_ERROR;
    }

    if (block->seen & bit) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" directive is duplicate", &value[0]);
        return NGX_CONF_ERROR;
    }

    block->seen |= bit;

    return word->set(cf, block->conf);
}


static char *
ngx_govsvc_conf_block_unknown(ngx_conf_t *cf, ngx_govsvc_conf_block_t *block)
{
    gs_err_t     err;
    gs_str_t     s, name;
    ngx_str_t   *value;
    ngx_uint_t   i;
    const char  *names[NGX_GOVSVC_CONF_WORDS + 1];

    for (i = 0; i < NGX_GOVSVC_CONF_WORDS && block->words[i].name != NULL; i++)
    {
        names[i] = block->words[i].name;
    }

    names[i] = NULL;

    value = cf->args->elts;
    s = ngx_govsvc_to_gs(&value[0]);
    name = ngx_govsvc_to_gs(&block->block);

    ngx_memzero(&err, sizeof(gs_err_t));
    gs_err(&err, "unknown directive \"%S\" in %S", &s, &name);
    gs_err_hint(&err, &s, names);

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s", err.text);

    return NGX_CONF_ERROR;
}
