
/*
 * Copyright (C) govsvc authors
 *
 * The bytes of a route table.  A header, then sections of fixed records, each
 * aligned to 8; records name each other by index and text by its offset from
 * the start of the table.  Hash sections hold index + 1 (0: free), their size
 * is a power of two, probing is linear.
 */


#ifndef _GS_ROUTE_PRIV_H_INCLUDED_
#define _GS_ROUTE_PRIV_H_INCLUDED_


#include "route/gs_region.h"
#include "route/gs_route.h"


#define GS_ROUTE_MAGIC       0x54525347    /* "GSRT" */
#define GS_ROUTE_VERSION     2
#define GS_ROUTE_RETRY_AFTER 300           /* s, of a platform */

#define GS_ROUTE_LABELS      16            /* of a host name in a route */
#define GS_ROUTE_GROUPS      (GS_ROUTE_LABELS + 2)
#define GS_ROUTE_BUCKET      64            /* routes that differ in predicates
                                              alone */
#define GS_ROUTE_CHAIN       5             /* a region and those above it */

#define GS_ROUTE_LEAF_ITEMS      1
#define GS_ROUTE_LEAF_REGIONS    2
#define GS_ROUTE_LEAF_CATCH_ALL  4         /* any host, any path */


typedef enum {
    GS_ROUTE_S_STRINGS = 0,                /* bytes */
    GS_ROUTE_S_REGIONS,                    /* gs_route_region_t */
    GS_ROUTE_S_REGION_HASH,
    GS_ROUTE_S_PLATFORMS,                  /* gs_route_platform_t */
    GS_ROUTE_S_POOLS,                      /* gs_route_pool_t */
    GS_ROUTE_S_POOL_HASH,
    GS_ROUTE_S_INSTANCES,                  /* gs_route_instance_t */
    GS_ROUTE_S_TLS,                        /* gs_route_tls_t */
    GS_ROUTE_S_CHECKS,                     /* gs_route_check_t */
    GS_ROUTE_S_FALLBACKS,                  /* gs_route_fallback_t */
    GS_ROUTE_S_SEQ,                        /* uint16_t, of the pool */
    GS_ROUTE_S_MAGLEV,                     /* uint16_t, of the pool */
    GS_ROUTE_S_ROUTES,                     /* gs_route_record_t */
    GS_ROUTE_S_CONDS,                      /* gs_route_cond_t */
    GS_ROUTE_S_VALUES,                     /* gs_route_ref_t */
    GS_ROUTE_S_CODES,                      /* uint32_t, regions of routes */
    GS_ROUTE_S_HEADERS,                    /* gs_route_ref_t, names */
    GS_ROUTE_S_GROUPS,                     /* gs_route_group_t */
    GS_ROUTE_S_GROUP_HASH,
    GS_ROUTE_S_NODES,                      /* gs_route_node_t */
    GS_ROUTE_S_NODE_HASH,
    GS_ROUTE_S_LEAVES,                     /* gs_route_leaf_t */
    GS_ROUTE_S_KEYS,                       /* gs_route_key_t */
    GS_ROUTE_S_KEY_HASH,
    GS_ROUTE_S_CANDIDATES,                 /* uint32_t, routes */
    GS_ROUTE_SECTIONS
} gs_route_section_e;


typedef struct {
    uint32_t  offset;
    uint32_t  n;
} gs_route_section_t;


struct gs_route_table_s {
    uint32_t            magic;
    uint32_t            version;
    uint32_t            size;
    uint32_t            provinces[4];      /* bit n: province n is known */
    uint32_t            suffixes;          /* groups of the form "*.name" */
    uint64_t            digest;            /* of all behind the header */
    gs_route_section_t  sections[GS_ROUTE_SECTIONS];
};


typedef struct {
    uint32_t        code;
    uint32_t        parent;                /* 0: by the digits */
    uint32_t        alias_of;              /* 0: none */
    uint32_t        unused;
    gs_route_ref_t  name;
} gs_route_region_t;


/* A run of records in another section. */
typedef struct {
    uint32_t  first;
    uint32_t  n;
} gs_route_run_t;


typedef struct {
    gs_route_ref_t  id;
    uint32_t        platform;
    uint32_t        pool;
    int32_t         priority;
    uint32_t        methods;               /* bits, 0: any */
    uint32_t        rank;                  /* predicates beside the key */
    uint32_t        critical;              /* 0: none, as in the result */
    gs_route_run_t  conds;
    gs_route_run_t  hosts;                 /* VALUES, ".name": a suffix */
    gs_route_run_t  paths;                 /* VALUES, "=/x": exact */
    gs_route_run_t  items;                 /* VALUES */
    gs_route_run_t  regions;               /* CODES */
} gs_route_record_t;


typedef enum {
    GS_ROUTE_COND_HEADER = 0,
    GS_ROUTE_COND_CHANNEL,                 /* x-channel: either case */
    GS_ROUTE_COND_CLAIM
} gs_route_cond_e;


/* One of the values, or a prefix of one that ends in "*". */
typedef struct {
    uint32_t        kind;
    uint32_t        header;                /* in HEADERS */
    gs_route_ref_t  name;
    gs_route_run_t  values;
} gs_route_cond_t;


typedef struct {
    gs_route_ref_t  name;                  /* "", "a.b" or ".a.b" */
    uint32_t        root;                  /* node */
    uint32_t        region;                /* that all its platforms share */
    uint32_t        whole;                 /* a route takes every path */
    uint32_t        unused;
} gs_route_group_t;


typedef struct {
    gs_route_ref_t  segment;
    uint32_t        parent;
    uint32_t        up;                    /* nearest above with a prefix */
    uint32_t        prefix;                /* leaves, or GS_ROUTE_NONE */
    uint32_t        exact;
} gs_route_node_t;


typedef struct {
    uint32_t        flags;
    uint32_t        unused;
    gs_route_run_t  run;                   /* CANDIDATES without a key */
} gs_route_leaf_t;


typedef struct {
    uint32_t        leaf;
    uint32_t        region;                /* 0: an item */
    gs_route_ref_t  item;
    gs_route_run_t  run;                   /* CANDIDATES */
} gs_route_key_t;


#define gs_route_section(t, s, type)                                          \
    ((const type *) ((const gs_uchar_t *) (t) + (t)->sections[s].offset))

#define gs_route_known_province(t, code)                                      \
    ((code) < 1000000                                                         \
     && ((t)->provinces[(code) / 10000 / 32] >> ((code) / 10000 % 32) & 1))


/* Bytes of one record of each section. */
extern const uint32_t  gs_route_record_size[GS_ROUTE_SECTIONS];


/* For tables that are read only, whose keys no client chooses. */
uint64_t gs_route_hash(const void *data, size_t len, uint64_t seed);

/*
 * Finds what a hash section names; GS_ROUTE_NONE if it is not there.
 */
uint32_t gs_route_find_group(const gs_route_table_t *t, const gs_str_t *name);
uint32_t gs_route_find_node(const gs_route_table_t *t, uint32_t parent,
    const gs_str_t *segment);
const gs_route_key_t *gs_route_find_item(const gs_route_table_t *t,
    uint32_t leaf, const gs_str_t *item);
const gs_route_key_t *gs_route_find_region_key(const gs_route_table_t *t,
    uint32_t leaf, uint32_t region);
const gs_route_region_t *gs_route_find_region(const gs_route_table_t *t,
    uint32_t code);

/* The hashes of the same, for the compiler. */
uint64_t gs_route_hash_node(uint32_t parent, const gs_str_t *segment);
uint64_t gs_route_hash_item(uint32_t leaf, const gs_str_t *item);
uint64_t gs_route_hash_region(uint32_t leaf, uint32_t region);


/*
 * The region and those above it, aliases resolved, into chain; returns their
 * number, 0 if the province is not known.
 */
unsigned gs_route_chain(const gs_route_table_t *t, uint32_t code,
    uint32_t chain[GS_ROUTE_CHAIN]);

/* Bit of a method, 0 if it is none of ours. */
uint32_t gs_route_method_bit(const gs_str_t *method);

/*
 * s equals pattern, or begins with what stands before its final "*"; fold
 * takes ASCII letters case-blind.
 */
int gs_route_wild(const gs_str_t *s, const gs_str_t *pattern, unsigned fold);

/* The channel a header value names: a token, else an empty string. */
gs_str_t gs_route_channel(const gs_str_t *value);

/* A region in any form that a header may use, 0 if it is none. */
uint32_t gs_route_region_value(const gs_str_t *value);

/* Cuts the next segment off path, which begins with "/"; GS_DONE at its end. */
gs_rc_t gs_route_segment(gs_str_t *path, gs_str_t *segment);


/* What a request says, found once and asked by match and explain alike. */
typedef struct {
    const gs_route_table_t  *table;
    const gs_route_input_t  *in;
    gs_route_result_t       *out;

    gs_str_t                 host;         /* empty where it is no name */
    uint32_t                 groups[GS_ROUTE_GROUPS];
    unsigned                 ngroups;
    uint32_t                 chain[GS_ROUTE_CHAIN];
    unsigned                 nchain;
    uint32_t                 method;
    uint32_t                 cached;       /* bits of headers */
    gs_str_t                 headers[GS_ROUTE_HEADERS];

    gs_route_source_e        by;           /* source, of unknown ones too */
    unsigned                 named:1;      /* a region or an item is named */
    unsigned                 bad_region:1;
    unsigned                 geo_asked:1;
} gs_route_request_t;


typedef enum {
    GS_ROUTE_TEST_OK = 0,
    GS_ROUTE_TEST_HOST,                    /* explain only, these four */
    GS_ROUTE_TEST_PATH,
    GS_ROUTE_TEST_ITEM,
    GS_ROUTE_TEST_REGION,
    GS_ROUTE_TEST_CATCH_ALL,
    GS_ROUTE_TEST_METHOD,
    GS_ROUTE_TEST_HEADER,
    GS_ROUTE_TEST_CLAIM,
    GS_ROUTE_TEST_LATE
} gs_route_test_e;


/*
 * Reads the request; GS_DECLINED when it is refused for its item codes
 * (q->out->reason is set).
 */
gs_rc_t gs_route_request(gs_route_request_t *q, const gs_route_table_t *t,
    const gs_route_input_t *in, gs_route_result_t *out);

/* Asks geo where no region is known yet. */
void gs_route_request_geo(gs_route_request_t *q);

/* The predicates of a route beside its key; *cond is the one that failed. */
gs_route_test_e gs_route_test(gs_route_request_t *q,
    const gs_route_record_t *route, const gs_route_cond_t **cond);

/* The search itself, after gs_route_request(). */
gs_rc_t gs_route_search(gs_route_request_t *q);


/* Compared from the top; all of them larger is better. */
typedef struct {
    uint32_t  host;
    uint32_t  path;
    uint32_t  item;
    uint32_t  region;
    uint32_t  rank;
    int32_t   priority;
} gs_route_rank_t;


/*
 * One route against the request without the index: explain's way, and a
 * second opinion for the tests.
 */
gs_route_test_e gs_route_judge(gs_route_request_t *q,
    const gs_route_record_t *route, gs_route_rank_t *rank,
    const gs_route_cond_t **cond);


#endif /* _GS_ROUTE_PRIV_H_INCLUDED_ */
