
/*
 * Copyright (C) govsvc authors
 *
 * Glue between Nginx and the pure library: strings, memory, files, clock,
 * words for configuration errors.  Knows no domain.
 */


#ifndef _NGX_GOVSVC_H_INCLUDED_
#define _NGX_GOVSVC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/gs_err.h"
#include "core/gs_mem.h"
#include "core/gs_str.h"


#define NGX_GOVSVC_VERSION  "0.1.0"


/* Both views of the same bytes; nothing is copied. */
#define ngx_govsvc_to_gs(s)  gs_str_make((s)->data, (s)->len)
ngx_str_t ngx_govsvc_from_gs(const gs_str_t *s);

/* Memory of a pool as a gs_mem_t that lives in the pool; NULL if it is out. */
gs_mem_t *ngx_govsvc_mem(ngx_pool_t *pool);

/*
 * Zeros for a large array of which few places are used: a page costs time and
 * memory when it is first touched.  Whole pages, to be given back with the
 * same size.  NULL is logged.
 */
void *ngx_govsvc_sparse(size_t size, ngx_log_t *log);
void ngx_govsvc_sparse_free(void *p, size_t size);

/* Microseconds: wall clock, and monotonic since an unspecified start. */
uint64_t ngx_govsvc_wall_us(void);
uint64_t ngx_govsvc_mono_us(void);

/* len random bytes from the system; NGX_ERROR is logged. */
ngx_int_t ngx_govsvc_random(void *dst, size_t len, ngx_log_t *log);


/*
 * Reads a whole file named in the configuration (relative to its folder) into
 * cf->pool, at most max bytes, with a NUL behind the text.  *path becomes the
 * full name.  A file that is no secret is shown by nginx -T.  Logs and returns
 * NGX_CONF_ERROR on failure.
 */
char *ngx_govsvc_conf_read_file(ngx_conf_t *cf, ngx_str_t *path,
    ngx_str_t *text, size_t max, ngx_uint_t secret);

/*
 * Logs the error of a loader with its file, line and pointer in the form of
 * Nginx ("... in FILE:LINE") and returns NGX_CONF_ERROR.
 */
char *ngx_govsvc_conf_error(ngx_conf_t *cf, ngx_str_t *file,
    const gs_err_t *err);

/*
 * Logs: invalid WHAT "VALUE" in DIRECTIVE, with the nearest of names or all of
 * them, and returns NGX_CONF_ERROR.
 */
char *ngx_govsvc_conf_invalid(ngx_conf_t *cf, const char *what,
    ngx_str_t *value, const char *const *names);

/*
 * Takes apart NAME:SIZE, the value of a parameter zone=NAME:SIZE: a name of 1
 * to 64 letters, digits, "-", "_" and ".", and min bytes at least, min being
 * a multiple of 1k.  Logs and returns NGX_CONF_ERROR otherwise.
 */
char *ngx_govsvc_conf_zone(ngx_conf_t *cf, ngx_str_t *value, size_t min,
    ngx_str_t *name, size_t *size);

/*
 * Takes the parameters from argument number from on apart: each is one of
 * names, which end with NULL, as "size=8m" for the name "size=", or a word by
 * itself.  values has as many elements as names: data NULL where a parameter
 * is absent.  Logs one that is unknown or given twice and returns
 * NGX_CONF_ERROR.
 */
char *ngx_govsvc_conf_params(ngx_conf_t *cf, ngx_uint_t from,
    const char *const *names, ngx_str_t *values);

/*
 * 1 if the argument is the parameter of that name; a name that ends in "=" is
 * followed by the value.
 */
ngx_uint_t ngx_govsvc_conf_param(ngx_str_t *arg, const char *name,
    ngx_str_t *value);

/*
 * The next word of a list with commas, which may be empty; 0 at its end.  rest
 * is a copy of the whole list at first, and is used up.
 */
ngx_uint_t ngx_govsvc_conf_next(ngx_str_t *rest, ngx_str_t *word);

/* Logs: invalid parameter, with the nearest name; returns NGX_CONF_ERROR. */
char *ngx_govsvc_conf_unknown(ngx_conf_t *cf, ngx_str_t *arg,
    const char *const *names);


/* A word of a block: its number of parameters, and what takes them. */
typedef struct {
    const char  *name;
    ngx_uint_t   min;
    ngx_uint_t   max;
    char      *(*set)(ngx_conf_t *cf, void *conf);
} ngx_govsvc_conf_word_t;


/*
 * Parses the block that the directive at hand opens.  Each of its words, 63 at
 * most and ended by one without a name, may stand once; set gets conf.  Logs
 * and returns NGX_CONF_ERROR.
 */
char *ngx_govsvc_conf_block(ngx_conf_t *cf,
    const ngx_govsvc_conf_word_t *words, void *conf);


/* 0 if there is no such process; one that may not be asked for is alive. */
int ngx_govsvc_alive(uint32_t pid);


#endif /* _NGX_GOVSVC_H_INCLUDED_ */
