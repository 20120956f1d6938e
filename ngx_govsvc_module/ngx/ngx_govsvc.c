
/*
 * Copyright (C) govsvc authors
 *
 * Memory, clocks and randomness of Nginx and the system as the pure library
 * takes them.
 */


#include "ngx/ngx_govsvc.h"

#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>


static void *ngx_govsvc_mem_alloc(void *ctx, size_t size);
static void ngx_govsvc_mem_release(void *ctx, void *p);
static uint64_t ngx_govsvc_clock_us(clockid_t id);


ngx_str_t
ngx_govsvc_from_gs(const gs_str_t *s)
{
    ngx_str_t  str;

    str.len = s->len;
    str.data = (u_char *) s->data;

    return str;
}


gs_mem_t *
ngx_govsvc_mem(ngx_pool_t *pool)
{
    gs_mem_t  *mem;

    mem = ngx_palloc(pool, sizeof(gs_mem_t));
    if (mem == NULL) {
        return NULL;
    }

    mem->alloc = ngx_govsvc_mem_alloc;
    mem->release = ngx_govsvc_mem_release;
    mem->ctx = pool;

    return mem;
}


static void *
ngx_govsvc_mem_alloc(void *ctx, size_t size)
{
    ngx_pool_t *pool = ctx;

    return ngx_palloc(pool, size);
}


static void
ngx_govsvc_mem_release(void *ctx, void *p)
{
    ngx_pool_t *pool = ctx;

    /* only large pieces go back at once, the rest with the pool */

    (void) ngx_pfree(pool, p);
}


void *
ngx_govsvc_sparse(size_t size, ngx_log_t *log)
{
    void  *p;

    p = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1,
             0);

    if (p == MAP_FAILED) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "mmap(%uz) failed", size);
        return NULL;
    }

    /* a page of 2M would be filled as a whole at the first touch */

#ifdef MADV_NOHUGEPAGE
    (void) madvise(p, size, MADV_NOHUGEPAGE);
#endif

    return p;
}


void
ngx_govsvc_sparse_free(void *p, size_t size)
{
    (void) munmap(p, size);
}


uint64_t
ngx_govsvc_wall_us(void)
{
    return ngx_govsvc_clock_us(CLOCK_REALTIME);
}


uint64_t
ngx_govsvc_mono_us(void)
{
    return ngx_govsvc_clock_us(CLOCK_MONOTONIC);
}


static uint64_t
ngx_govsvc_clock_us(clockid_t id)
{
    struct timespec  ts;

    (void) clock_gettime(id, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;
}


ngx_int_t
ngx_govsvc_random(void *dst, size_t len, ngx_log_t *log)
{
    u_char   *p;
    ssize_t   n;

    p = dst;

    while (len != 0) {
        n = getrandom(p, len, 0);

        if (n > 0) {
            p += n;
            len -= (size_t) n;
            continue;
        }

        if (n == -1 && ngx_errno == NGX_EINTR) {
            continue;
        }

        ngx_log_error(NGX_LOG_CRIT, log, ngx_errno, "getrandom() failed");
        return NGX_ERROR;
    }

    return NGX_OK;
}


int
ngx_govsvc_alive(uint32_t pid)
{
    return kill((pid_t) pid, 0) == 0 || ngx_errno != ESRCH;
}
