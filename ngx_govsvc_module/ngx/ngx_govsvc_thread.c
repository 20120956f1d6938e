
/*
 * Copyright (C) govsvc authors
 *
 * Threads of Nginx for work that takes long.  A pool other than "default" has
 * to be configured, so this is what "thread_pool NAME threads=1;" does.
 */


#include "ngx/ngx_govsvc_thread.h"


#if (NGX_THREADS)

extern ngx_module_t  ngx_thread_pool_module;


ngx_thread_pool_t *
ngx_govsvc_thread(ngx_conf_t *cf, ngx_str_t *name)
{
    void           *conf;
    ngx_str_t       value[3];
    ngx_array_t     args, *saved;
    ngx_command_t  *cmd;

    if (ngx_thread_pool_get(cf->cycle, name) == NULL) {

        ngx_str_set(&value[0], "thread_pool");
        value[1] = *name;
        ngx_str_set(&value[2], "threads=1");

        ngx_memzero(&args, sizeof(ngx_array_t));
        args.elts = value;
        args.nelts = 3;

        cmd = ngx_thread_pool_module.commands;
        conf = ngx_get_conf(cf->cycle->conf_ctx, ngx_thread_pool_module);

        saved = cf->args;
        cf->args = &args;

        if (cmd->set(cf, cmd, conf) != NGX_CONF_OK) {
            cf->args = saved;
            return NULL;
        }

        cf->args = saved;
    }

    return ngx_thread_pool_add(cf, name);
}

#endif
