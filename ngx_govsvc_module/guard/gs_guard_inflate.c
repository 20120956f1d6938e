
/*
 * Copyright (C) govsvc authors
 *
 * Bodies in gzip (RFC 1952), zlib (RFC 1950) or bare deflate (RFC 1951),
 * within a bound: what is beyond it is told, never expanded.
 */


#include "guard/gs_guard_priv.h"

#include <zlib.h>


typedef struct {
    gs_mem_t  *mem;
    z_stream   z;
} gs_inflate_t;


static void *gs_inflate_alloc(void *data, unsigned n, unsigned size);
static void gs_inflate_free(void *data, void *p);


void *
gs_guard_inflate_create(gs_mem_t *mem)
{
    gs_inflate_t  *f;

    f = gs_calloc(mem, 1, sizeof(gs_inflate_t));
    if (f == NULL) {
        return NULL;
    }

    f->mem = mem;
    f->z.zalloc = gs_inflate_alloc;
    f->z.zfree = gs_inflate_free;
    f->z.opaque = mem;

    /* a window of 32 KB now, so that a check takes no memory */

    if (inflateInit2(&f->z, 15 + 32) != Z_OK) {
        gs_free(mem, f);
        return NULL;
    }

    return f;
}


void
gs_guard_inflate_destroy(void *zlib)
{
    gs_inflate_t *f = zlib;

    if (f != NULL) {
        (void) inflateEnd(&f->z);
        gs_free(f->mem, f);
    }
}


static void *
gs_inflate_alloc(void *data, unsigned n, unsigned size)
{
    return gs_calloc(data, n, size);
}


static void
gs_inflate_free(void *data, void *p)
{
    gs_free(data, p);
}


gs_rc_t
gs_guard_inflate(gs_guard_scratch_t *s, gs_str_t *out, const gs_str_t *in)
{
    int            rc, bits;
    gs_inflate_t  *f;

    f = s->zlib;
    rc = Z_DATA_ERROR;

    /* "deflate" is one thing in the RFC and another in old clients */

    for (bits = 15 + 32; ; bits = -15) {

        if (inflateReset2(&f->z, bits) != Z_OK) {
            break;
        }

        f->z.next_in = (Bytef *) (uintptr_t) in->data;
        f->z.avail_in = (uInt) in->len;
        f->z.next_out = s->plain;
        f->z.avail_out = (uInt) s->size;

        rc = inflate(&f->z, Z_FINISH);

        if (rc != Z_DATA_ERROR || bits < 0 || f->z.total_out > 0) {
            break;
        }
    }

    *out = gs_str_make(s->plain, s->size - f->z.avail_out);

    if (rc == Z_STREAM_END) {
        return (f->z.avail_in == 0) ? GS_OK : GS_ERROR;
    }

    return (f->z.avail_out == 0) ? GS_AGAIN : GS_ERROR;
}
