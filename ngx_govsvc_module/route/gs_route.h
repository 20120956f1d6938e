
/*
 * Copyright (C) govsvc authors
 *
 * The route table: platforms, pools, instances and routes of platforms.json
 * compiled into one flat, position-independent, read-only block of bytes.  It
 * may be copied anywhere (aligned to 8) and used there by any process of the
 * same machine.  Every pointer and string that a function below returns for a
 * table points into that block and lives as long as it.
 */


#ifndef _GS_ROUTE_H_INCLUDED_
#define _GS_ROUTE_H_INCLUDED_


#include "core/gs_buf.h"
#include "core/gs_err.h"
#include "core/gs_mem.h"
#include "core/gs_rc.h"
#include "core/gs_str.h"
#include "route/gs_item.h"


#define GS_ROUTE_NONE      0xffffffffu     /* no index */

#define GS_ROUTE_HEADERS   32              /* header names in all routes */
#define GS_ROUTE_MAX_SIZE  (256 * 1024 * 1024)


typedef struct gs_route_table_s  gs_route_table_t;


/* A string of the table, see gs_route_str(). */
typedef struct {
    uint32_t  offset;
    uint32_t  len;
} gs_route_ref_t;


typedef enum {
    GS_ROUTE_NORMAL = 0,
    GS_ROUTE_MAINTENANCE,
    GS_ROUTE_CLOSED
} gs_route_platform_state_e;


typedef enum {
    GS_ROUTE_ENABLED = 0,
    GS_ROUTE_DRAIN,                        /* no new requests */
    GS_ROUTE_DOWN
} gs_route_instance_state_e;


typedef enum {
    GS_ROUTE_CHECK_HTTP = 0,
    GS_ROUTE_CHECK_HTTPS,
    GS_ROUTE_CHECK_TCP,
    GS_ROUTE_CHECK_TLS
} gs_route_check_e;


typedef enum {
    GS_ROUTE_WRR = 0,
    GS_ROUTE_P2C,
    GS_ROUTE_HASH
} gs_route_method_e;


typedef struct {
    gs_route_ref_t  id;
    gs_route_ref_t  zh;                    /* name.zh, may be empty */
    gs_route_ref_t  en;
    uint32_t        region;                /* 440000 */
    uint32_t        state;                 /* gs_route_platform_state_e */
    uint32_t        retry_after;           /* s, while it is not normal */
    uint32_t        unused;
} gs_route_platform_t;


typedef struct {
    gs_route_ref_t  id;
    gs_route_ref_t  ca;                    /* file names as written; "" */
    gs_route_ref_t  name;                  /* SNI and verified name; "" */
    gs_route_ref_t  cert;
    gs_route_ref_t  key;
    gs_route_ref_t  min;                   /* "1.2" or "1.3" */
    uint32_t        version;               /* the same: 0x0303, 0x0304 */
    uint32_t        unused;
} gs_route_tls_t;


/* How instances are asked for their health. */
typedef struct {
    gs_route_ref_t  id;
    gs_route_ref_t  path;                  /* "/health" */
    gs_route_ref_t  host;                  /* "": that of the pool */
    gs_route_ref_t  header;                /* of the answer; "": none */
    gs_route_ref_t  value;                 /* "ok", "ok*"; "": any */
    gs_route_ref_t  body;                  /* contained in it; "": any */
    uint32_t        type;                  /* gs_route_check_e */
    uint32_t        head;                  /* HEAD instead of GET */
    uint32_t        rise;                  /* successes in a row to be up */
    uint32_t        fall;                  /* failures to be down */
    uint32_t        status_min;
    uint32_t        status_max;
    uint32_t        interval;              /* ms, as the next three */
    uint32_t        jitter;                /* added to it, at most */
    uint32_t        fast;                  /* interval in a transition */
    uint32_t        timeout;               /* of a whole check */
} gs_route_check_t;


/* One with a name stands here once for each address, as "id@address". */
typedef struct {
    uint64_t        key;                   /* hash of pool id, instance id */
    gs_route_ref_t  id;
    gs_route_ref_t  zone;
    gs_route_ref_t  name;                  /* "10.44.0.11:8443", "[::1]:80" */
    uint32_t        pool;
    uint32_t        index;                 /* in the table */
    uint32_t        weight;                /* a ratio, at least 1 */
    uint32_t        state;                 /* gs_route_instance_state_e */
    uint32_t        family;                /* 4 or 6 */
    uint32_t        port;                  /* host order, 1-65535 */
    uint32_t        check;                 /* its profile or GS_ROUTE_NONE */
    uint32_t        unused;
    gs_uchar_t      addr[16];              /* network order, 4 or 16 used */
} gs_route_instance_t;


/* One step of a pool's fallback chain: a pool, or a page (the last step). */
typedef struct {
    uint32_t  pool;                        /* GS_ROUTE_NONE for a page */
    uint32_t  status;                      /* of the page: 500-599, else 0 */
} gs_route_fallback_t;


typedef struct {
    uint64_t        key;                   /* hash of identity */
    gs_route_ref_t  id;
    gs_route_ref_t  host;                  /* of requests upstream; "" */
    gs_route_ref_t  variable;              /* "cookie_a" of hash:$cookie_a */

    /*
     * All that separates the connections of this pool from those of others:
     * pool id, host and every field of the TLS profile.
     */
    gs_route_ref_t  identity;

    uint32_t        index;
    uint32_t        platform;
    uint32_t        tls;                   /* GS_ROUTE_NONE: plain HTTP */
    uint32_t        method;                /* gs_route_method_e */

    uint32_t        instance;              /* the first; they stand together */
    uint32_t        ninstances;
    uint32_t        seq;                   /* private: smooth sequence */
    uint32_t        nseq;
    uint32_t        maglev;                /* private */
    uint32_t        nmaglev;
    uint32_t        fallback;              /* private, gs_route_fallback() */
    uint32_t        nfallback;

    uint32_t        eject_fails;           /* 0: never ejected */
    uint32_t        eject_max;             /* per cent of the pool */
    uint32_t        eject_ratio;           /* per cent failed, 0: unused */
    uint32_t        eject_volume;          /* requests it is judged by */
    uint32_t        panic;                 /* per cent usable, 0: never */
    uint32_t        check;                 /* of its instances, or NONE */
    uint32_t        retry_budget;          /* retries per 100 requests */
    uint32_t        retry_burst;           /* beside these, per worker */
    uint64_t        eject_time;            /* ms */
    uint64_t        eject_window;          /* ms, of the ratio */
    uint64_t        slow_start;            /* ms, 0: at once */
    uint64_t        connect_timeout;       /* ms, 0: as the location has it */
    uint64_t        send_timeout;
    uint64_t        read_timeout;
} gs_route_pool_t;


/*
 * Compiles platforms.json (text of the file) and, where regions is not NULL,
 * the extension of the region table.  *table is taken from mem and is *size
 * bytes long; all else is given back.  GS_ERROR fills err: line and pointer,
 * and err->file "platforms" or "regions" for the text that is at fault.
 */
gs_rc_t gs_route_compile(gs_mem_t *mem, const gs_str_t *platforms,
    const gs_str_t *regions, gs_route_table_t **table, size_t *size,
    gs_err_t *err);

/*
 * A block of bytes, of a file or of shared memory, as a table; NULL if it is
 * not one, of another version, cut or altered.  Reads the whole block once.
 */
const gs_route_table_t *gs_route_table(const void *data, size_t size);

/*
 * The same of a block that a process of ours compiled and made public: looks
 * at the header alone, so it costs the same for any table.
 */
const gs_route_table_t *gs_route_table_public(const void *data, size_t size);

size_t gs_route_size(const gs_route_table_t *t);

/* Hash of the contents: equal for equal tables. */
uint64_t gs_route_digest(const gs_route_table_t *t);

gs_str_t gs_route_str(const gs_route_table_t *t, gs_route_ref_t ref);


/* Records by index, NULL past the end. */
unsigned gs_route_platforms(const gs_route_table_t *t);
const gs_route_platform_t *gs_route_platform(const gs_route_table_t *t,
    uint32_t index);
unsigned gs_route_pools(const gs_route_table_t *t);
const gs_route_pool_t *gs_route_pool(const gs_route_table_t *t,
    uint32_t index);
const gs_route_pool_t *gs_route_pool_find(const gs_route_table_t *t,
    const gs_str_t *id);
unsigned gs_route_instances(const gs_route_table_t *t);
const gs_route_instance_t *gs_route_instance(const gs_route_table_t *t,
    uint32_t index);
unsigned gs_route_tls_profiles(const gs_route_table_t *t);
const gs_route_tls_t *gs_route_tls(const gs_route_table_t *t, uint32_t index);
const gs_route_check_t *gs_route_check(const gs_route_table_t *t,
    uint32_t index);
unsigned gs_route_routes(const gs_route_table_t *t);

/* The pool's chain, pool->nfallback steps in order. */
const gs_route_fallback_t *gs_route_fallback(const gs_route_table_t *t,
    const gs_route_pool_t *pool);

/* Instances of the pool in state enabled, those that picks choose from. */
unsigned gs_route_pool_enabled(const gs_route_table_t *t,
    const gs_route_pool_t *pool);


/*
 * What a pick asks of its caller.  usable may be NULL (all are); load is for
 * gs_route_pick_p2c() and counts requests in flight or any other load.  Those
 * in tried (instance keys) and those not enabled are never picked.
 */
typedef struct {
    int             (*usable)(void *ctx, const gs_route_instance_t *instance);
    uint32_t        (*load)(void *ctx, const gs_route_instance_t *instance);
    void             *ctx;
    const uint64_t   *tried;
    unsigned          ntried;
} gs_route_pick_t;


/*
 * The instance to try, or NULL if none is left.  wrr: cursor counts the picks
 * of a worker, from a random start.  p2c: two random numbers.  hash: a hash of
 * the key, equal keys to equal instances.  Constant time but for the search
 * around unusable instances, which is linear in the pool.
 */
const gs_route_instance_t *gs_route_pick_wrr(const gs_route_table_t *t,
    const gs_route_pool_t *pool, uint32_t cursor, const gs_route_pick_t *pick);
const gs_route_instance_t *gs_route_pick_p2c(const gs_route_table_t *t,
    const gs_route_pool_t *pool, uint32_t random1, uint32_t random2,
    const gs_route_pick_t *pick);
const gs_route_instance_t *gs_route_pick_hash(const gs_route_table_t *t,
    const gs_route_pool_t *pool, uint64_t hash, const gs_route_pick_t *pick);


typedef struct {
    gs_str_t   host;                       /* lower case, no port */
    gs_str_t   method;                     /* "GET" */
    gs_str_t   uri;                        /* decoded, normalised path */
    gs_str_t   args;                       /* as sent, without "?" */
    gs_str_t   region_header;              /* lower case; empty: x-region */

    /* All may be NULL.  data NULL: absent.  name is in lower case. */
    gs_str_t  (*header)(void *ctx, const gs_str_t *name);
    gs_str_t  (*claim)(void *ctx, const gs_str_t *name);
    uint32_t  (*geo)(void *ctx);           /* six digits, 0: unknown */
    void      *ctx;
} gs_route_input_t;


typedef enum {
    GS_ROUTE_MATCHED = 0,
    GS_ROUTE_NOT_FOUND,                    /* nothing names a platform */
    GS_ROUTE_REGION_UNKNOWN,
    GS_ROUTE_ITEM_UNKNOWN,                 /* malformed and ambiguous too */
    GS_ROUTE_LATE                          /* only claims can tell */
} gs_route_reason_e;


typedef enum {
    GS_ROUTE_BY_NONE = 0,
    GS_ROUTE_BY_PATH,
    GS_ROUTE_BY_HOST,
    GS_ROUTE_BY_ITEM,
    GS_ROUTE_BY_HEADER,
    GS_ROUTE_BY_GEO,
    GS_ROUTE_BY_PLATFORM                   /* that of the route's platform */
} gs_route_source_e;


typedef struct {
    gs_route_reason_e   reason;
    gs_route_source_e   source;            /* of the region */
    uint32_t            route;             /* indexes, or GS_ROUTE_NONE */
    uint32_t            platform;
    uint32_t            pool;
    uint32_t            region;            /* six digits, aliases resolved */
    uint32_t            region_matched;    /* itself or a region above */
    uint32_t            critical;          /* word of gs_route_criticals[],
                                              counted from 1; 0: none */
    gs_str_t            route_id;          /* these four in the table */
    gs_str_t            platform_id;
    gs_str_t            pool_id;
    gs_str_t            host;              /* of the pool, may be empty */
    gs_item_t           item;              /* views of the input */
    gs_str_t            case_no;
    gs_str_t            channel;           /* x-channel, as sent */

    /*
     * Claims were not given and a better route asks for them: match again
     * when they are known.
     */
    unsigned            late:1;
} gs_route_result_t;


/* Systems of special watch: "license", "identity", "payment", "other". */
extern const char *const  gs_route_criticals[];


/*
 * Finds the route.  Never allocates.  GS_OK when matched; GS_DECLINED with
 * out->reason otherwise.  Given claim, out->late is never set.
 */
gs_rc_t gs_route_match(const gs_route_table_t *t, const gs_route_input_t *in,
    gs_route_result_t *out);

/* "path", "host", ... for $govsvc_region_source; "" for NONE. */
const char *gs_route_source_text(gs_route_source_e source);

/* "ROUTE_NOT_FOUND", ...; "" for MATCHED. */
const char *gs_route_reason_text(gs_route_reason_e reason);

/*
 * The story of a match: how region and item were found, which route won, why
 * each other lost (at most limit of them are told one by one; 0: all).  As
 * text, or as one JSON object.  What gs_route_match() returns; b->overflow
 * tells that the story was cut.
 */
gs_rc_t gs_route_explain(const gs_route_table_t *t, const gs_route_input_t *in,
    gs_buf_t *b, unsigned json, unsigned limit);


typedef enum {
    GS_ROUTE_URI_SAFE = 0,
    GS_ROUTE_URI_FORM,                     /* no path at all, or "#" */
    GS_ROUTE_URI_CONTROL,                  /* raw or encoded control byte */
    GS_ROUTE_URI_PERCENT,                  /* "%" without two digits */
    GS_ROUTE_URI_SLASH,                    /* %2f */
    GS_ROUTE_URI_BACKSLASH,                /* raw or %5c */
    GS_ROUTE_URI_DOT,                      /* dot segment, in any spelling */
    GS_ROUTE_URI_PARAMETER,                /* "..;", ".;", ";" as a segment */
    GS_ROUTE_URI_DOUBLE,                   /* %252e and the like */
    GS_ROUTE_URI_UTF8                      /* the decoded path is malformed */
} gs_route_uri_e;


/*
 * Looks at a request target as it came (origin or absolute form) for what
 * would let a backend see another path than the route did.  *at becomes the
 * offset of the offence; at may be NULL.
 */
gs_route_uri_e gs_route_uri_check(const gs_str_t *target, size_t *at);

/* A sentence for people. */
const char *gs_route_uri_text(gs_route_uri_e e);

/*
 * The path of a safe target, decoded, with runs of "/" merged: what Nginx
 * makes of it.  dst holds target->len bytes.  Also the part behind "?".
 */
void gs_route_uri_split(const gs_str_t *target, gs_uchar_t *dst,
    gs_str_t *path, gs_str_t *args);


#endif /* _GS_ROUTE_H_INCLUDED_ */
