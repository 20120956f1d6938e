
/*
 * Copyright (C) govsvc authors
 *
 * The compiler's view of platforms.json: objects as loaded, and the growing
 * sections of the table.  Strings are views into jansson's values, which live
 * until the table is laid out; all else is in one arena.
 */


#ifndef _GS_ROUTE_LOAD_H_INCLUDED_
#define _GS_ROUTE_LOAD_H_INCLUDED_


#include <jansson.h>

#include "route/gs_route_priv.h"


#define GS_ROUTE_ID_LEN        64
#define GS_ROUTE_MAX_OBJECTS   1000000
#define GS_ROUTE_POOL_MEMBERS  1024        /* instances of one pool */
#define GS_ROUTE_SEQ_LEN       4096

#define GS_ROUTE_ADDRESSES                                                   \
    "a numeric IPv4 or IPv6 address of one host, such as \"10.44.0.11\" or " \
    "\"2001:db8::11\", or a name, such as \"web.gd.gov.example\""


/* A vector in an arena. */
typedef struct {
    void      *data;
    uint32_t   n;
    uint32_t   cap;
    uint32_t   size;                       /* of an element */
} gs_route_vec_t;


/* Text to number, for ids and interned strings. */
typedef struct {
    struct gs_route_map_slot_s  *slots;
    uint32_t                     n;
    uint32_t                     cap;
} gs_route_map_t;


typedef struct {
    gs_str_t     id;
    gs_str_t     ca;
    gs_str_t     name;
    gs_str_t     cert;
    gs_str_t     key;
    gs_str_t     min;
} gs_route_tls_model_t;


typedef struct {
    gs_str_t     id;
    gs_str_t     path;
    gs_str_t     host;
    gs_str_t     header;
    gs_str_t     value;
    gs_str_t     body;
    uint32_t     type;
    uint32_t     head;
    uint32_t     rise;
    uint32_t     fall;
    uint32_t     status_min;
    uint32_t     status_max;
    uint32_t     interval;
    uint32_t     jitter;
    uint32_t     fast;
    uint32_t     timeout;
} gs_route_check_model_t;


typedef struct {
    gs_str_t     id;
    gs_str_t     zh;
    gs_str_t     en;
    uint64_t     retry_after;              /* ms */
    uint32_t     region;
    uint32_t     state;
} gs_route_platform_model_t;


typedef struct {
    gs_str_t     id;
    gs_str_t     zone;
    uint32_t     pool;
    uint32_t     weight;
    uint32_t     state;
    uint32_t     check;                    /* GS_ROUTE_NONE: the pool's */
    uint32_t     family;
    uint32_t     port;
    gs_uchar_t   addr[16];
} gs_route_instance_model_t;


/* An instance with a name; its addresses are instances from first on. */
typedef struct {
    gs_route_instance_model_t   model;
    gs_str_t                    name;
    uint32_t                    first;
    uint32_t                    n;
    uint32_t                    members;
} gs_route_host_model_t;


typedef struct {
    gs_str_t               id;
    gs_str_t               host;
    gs_str_t               variable;
    uint32_t               platform;
    uint32_t               tls;
    uint32_t               method;
    uint32_t               ninstances;
    uint32_t               eject_fails;
    uint32_t               eject_max;
    uint32_t               eject_ratio;
    uint32_t               eject_volume;
    uint32_t               panic;
    uint32_t               check;
    uint32_t               retry_budget;
    uint32_t               retry_burst;
    uint64_t               eject_time;
    uint64_t               eject_window;
    uint64_t               slow_start;
    uint64_t               connect_timeout;
    uint64_t               send_timeout;
    uint64_t               read_timeout;
    gs_route_fallback_t   *fallback;
    uint32_t               nfallback;
} gs_route_pool_model_t;


typedef struct {
    gs_str_t   name;
    gs_str_t  *values;
    uint32_t   nvalues;
    uint32_t   kind;                       /* gs_route_cond_e */
} gs_route_cond_model_t;


typedef struct {
    gs_str_t                id;
    uint32_t                platform;
    uint32_t                pool;
    int32_t                 priority;
    uint32_t                critical;
    uint32_t                methods;
    uint32_t                rank;
    gs_str_t               *hosts;         /* lower case, ".a" for "*.a" */
    gs_str_t               *paths;         /* "=" kept, final "/" cut */
    gs_str_t               *items;
    uint32_t               *regions;
    gs_route_cond_model_t  *conds;
    uint32_t                nhosts;
    uint32_t                npaths;
    uint32_t                nitems;
    uint32_t                nregions;
    uint32_t                nconds;
} gs_route_model_t;


typedef struct {
    uint32_t     code;
    uint32_t     parent;
    uint32_t     alias_of;
    gs_str_t     name;
} gs_route_region_model_t;


typedef struct {
    gs_mem_t         *mem;                 /* of the arena */
    gs_err_t         *err;

    /* the text that is being read and where in it */
    const gs_str_t   *text;
    const char       *file;
    char              pointer[GS_ERR_POINTER];
    size_t            pointer_len;

    json_t           *platforms_json;
    json_t           *regions_json;
    json_t           *resolved;            /* of names; may be NULL */

    gs_route_vec_t    regions;
    gs_route_vec_t    tls;
    gs_route_vec_t    checks;
    gs_route_vec_t    platforms;
    gs_route_vec_t    pools;
    gs_route_vec_t    instances;
    gs_route_vec_t    hosts;
    gs_route_vec_t    routes;

    gs_route_map_t    tls_ids;
    gs_route_map_t    check_ids;
    gs_route_map_t    platform_ids;
    gs_route_map_t    pool_ids;
    gs_route_map_t    instance_ids;
    gs_route_map_t    route_ids;
    gs_route_map_t    region_codes;
    gs_route_map_t    region_parents;      /* whose children are listed */
    gs_route_map_t    header_names;

    gs_route_vec_t    sections[GS_ROUTE_SECTIONS];
    gs_route_map_t    strings;
} gs_route_load_t;


/* gs_route_vec.c: memory; NULL or GS_ERROR with "out of memory" in err. */
void gs_route_vec_init(gs_route_vec_t *v, uint32_t size);
void *gs_route_vec_push(gs_route_load_t *l, gs_route_vec_t *v, uint32_t n);
void *gs_route_load_alloc(gs_route_load_t *l, size_t n, size_t size);
gs_rc_t gs_route_nomem(gs_route_load_t *l);

#define gs_route_vec_at(v, type, i)  (&((type *) (v)->data)[i])

/* GS_OK, GS_DECLINED when s is there already (*value is its), GS_ERROR. */
gs_rc_t gs_route_map_add(gs_route_load_t *l, gs_route_map_t *m,
    const gs_str_t *s, uint32_t *value);
/* GS_ROUTE_NONE if s is not there. */
uint32_t gs_route_map_find(const gs_route_map_t *m, const gs_str_t *s);


/*
 * gs_route_json.c: typed reading with the place kept for errors.  Every
 * reader fills err with line and pointer and returns GS_ERROR; GS_DECLINED
 * when an optional member is absent (the value is left as it is).
 */
gs_rc_t gs_route_json_parse(gs_route_load_t *l, const gs_str_t *text,
    const char *file, json_t **json);
gs_rc_t gs_route_json_fail(gs_route_load_t *l);
size_t gs_route_json_enter(gs_route_load_t *l, const char *key);
size_t gs_route_json_index(gs_route_load_t *l, size_t i);
void gs_route_json_leave(gs_route_load_t *l, size_t mark);
gs_rc_t gs_route_json_members(gs_route_load_t *l, const json_t *object,
    const char *const *names);
gs_rc_t gs_route_json_type(gs_route_load_t *l, const json_t *value,
    const char *want);
gs_str_t gs_route_json_view(const json_t *string);

gs_rc_t gs_route_json_str(gs_route_load_t *l, const json_t *object,
    const char *key, unsigned required, gs_str_t *s);
gs_rc_t gs_route_json_id(gs_route_load_t *l, const json_t *object,
    gs_route_map_t *ids, const char *what, gs_str_t *id);
gs_rc_t gs_route_json_ref(gs_route_load_t *l, const json_t *object,
    const char *key, const gs_route_map_t *ids, const char *what,
    unsigned required, uint32_t *index);
gs_rc_t gs_route_json_uint(gs_route_load_t *l, const json_t *object,
    const char *key, uint32_t min, uint32_t max, unsigned required,
    uint32_t *value);
gs_rc_t gs_route_json_msec(gs_route_load_t *l, const json_t *object,
    const char *key, uint64_t *msec);
gs_rc_t gs_route_json_enum(gs_route_load_t *l, const json_t *object,
    const char *key, const char *const *names, uint32_t *value);
/* Says that "value" is no WHAT, then the hint. */
gs_rc_t gs_route_json_invalid(gs_route_load_t *l, const char *what,
    const gs_str_t *value, const char *const *names);
/* An object or array member, NULL when absent; of another type: GS_ERROR. */
gs_rc_t gs_route_json_child(gs_route_load_t *l, const json_t *object,
    const char *key, unsigned array, json_t **child);


/* The loaders of each kind of object, in the order in which they are run. */
gs_rc_t gs_route_load_regions(gs_route_load_t *l, const gs_str_t *text);
gs_rc_t gs_route_load_region(gs_route_load_t *l, const gs_str_t *value,
    unsigned pattern, uint32_t *code);
gs_rc_t gs_route_load_checks(gs_route_load_t *l, const json_t *root);
/* The member "check" of a pool or instance that has this TLS profile. */
gs_rc_t gs_route_load_check_ref(gs_route_load_t *l, const json_t *object,
    uint32_t tls, uint32_t *index);
gs_rc_t gs_route_load_platforms(gs_route_load_t *l, const json_t *root);
gs_rc_t gs_route_load_pools(gs_route_load_t *l, const json_t *root);
gs_rc_t gs_route_load_instances(gs_route_load_t *l, const json_t *root);
gs_rc_t gs_route_load_routes(gs_route_load_t *l, const json_t *root);
gs_rc_t gs_route_load_match(gs_route_load_t *l, const json_t *match,
    gs_route_model_t *route);
gs_rc_t gs_route_load_address(const gs_str_t *s,
    gs_route_instance_model_t *instance);

/* GS_DECLINED if the pool has that address and port; *index is its own. */
gs_rc_t gs_route_load_member(gs_route_load_t *l, gs_route_map_t *addresses,
    const gs_route_instance_model_t *instance, uint32_t *index);

/* gs_route_load_host.c: an address that is a name, maybe with the port. */
gs_rc_t gs_route_load_place_name(gs_route_load_t *l, const gs_str_t *address,
    uint32_t *port, gs_str_t *name);
gs_rc_t gs_route_load_hosts(gs_route_load_t *l, gs_route_map_t *addresses);

gs_rc_t gs_route_check_fallbacks(gs_route_load_t *l);
gs_rc_t gs_route_check_overlap(gs_route_load_t *l, uint32_t a, uint32_t b);


/* gs_route_load_match.c: lists of text in an array member of object. */
gs_rc_t gs_route_load_list(gs_route_load_t *l, const json_t *object,
    const char *key,
    gs_rc_t (*check)(gs_route_load_t *l, gs_str_t *s, void *data),
    void *data, gs_str_t **list, uint32_t *n);


/* gs_route_build.c, _record.c, _index.c, _spread.c: the layout. */
gs_rc_t gs_route_build(gs_route_load_t *l, gs_mem_t *mem,
    gs_route_table_t **table, size_t *size);
gs_rc_t gs_route_build_checks(gs_route_load_t *l);
gs_rc_t gs_route_build_records(gs_route_load_t *l);
gs_rc_t gs_route_build_index(gs_route_load_t *l);
gs_rc_t gs_route_build_spread(gs_route_load_t *l, gs_route_pool_t *pool);
gs_rc_t gs_route_build_str(gs_route_load_t *l, const gs_str_t *s,
    gs_route_ref_t *ref);
/* A hash section of n entries; hash gives that of entry i. */
gs_rc_t gs_route_build_hash(gs_route_load_t *l, gs_route_section_e section,
    uint32_t n, uint64_t (*hash)(gs_route_load_t *l, uint32_t i));


#endif /* _GS_ROUTE_LOAD_H_INCLUDED_ */
