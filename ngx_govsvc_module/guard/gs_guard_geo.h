
/*
 * Copyright (C) govsvc authors
 *
 * Where an address is and whose: country and province by a MaxMind DB, as the
 * codes of GB/T 2260, and the number of its autonomous system.
 */


#ifndef _GS_GUARD_GEO_H_INCLUDED_
#define _GS_GUARD_GEO_H_INCLUDED_


#include <sys/socket.h>

#include "core/gs_err.h"
#include "core/gs_mem.h"
#include "core/gs_rc.h"
#include "core/gs_str.h"


typedef struct gs_geo_s  gs_geo_t;


typedef struct {
    gs_str_t  country;                     /* ISO 3166-1, "" if unknown */
    gs_str_t  subdivision;                 /* ISO 3166-2 suffix, or "" */
    uint32_t  region;                      /* 440000; 0 if unknown */
} gs_geo_place_t;


/* What a database is opened for. */
typedef enum {
    GS_GEO_PLACES = 0,
    GS_GEO_NUMBERS
} gs_geo_kind_e;


/*
 * Opens (maps) the database named by a NUL-terminated path; the object is in
 * mem, and gs_geo_close() frees it and the mapping.  GS_ERROR also for a
 * database whose type does not know what is asked of it; one of both kinds
 * serves for either.
 */
gs_rc_t gs_geo_open(gs_geo_t **geo, gs_mem_t *mem, const char *path,
    gs_geo_kind_e kind, gs_err_t *err);
void gs_geo_close(gs_geo_t *geo, gs_mem_t *mem);   /* may be NULL */

/*
 * GS_OK, GS_DECLINED (the address is not in the database, or no IP address),
 * GS_ERROR (the database is damaged); place is always filled, its strings
 * point into the mapping.  No allocation, no I/O but page faults.
 */
gs_rc_t gs_geo_lookup(const gs_geo_t *geo, const struct sockaddr *sa,
    gs_geo_place_t *place);

/*
 * The number of the autonomous system that announces the address; the same
 * codes, and GS_DECLINED also where the database knows none.  *asn is 0 then:
 * RFC 7607 keeps that number free.
 */
gs_rc_t gs_geo_asn(const gs_geo_t *geo, const struct sockaddr *sa,
    uint32_t *asn);

/*
 * The province for ISO codes: the letters of ISO 3166-2:CN, or the numbers
 * used until 2017.  The countries HK, MO, TW are 810000, 820000, 710000.
 * The XPCC (66) has no ISO code and is never answered.  0 if unknown.
 */
uint32_t gs_geo_region(const gs_str_t *country, const gs_str_t *subdivision);


#endif /* _GS_GUARD_GEO_H_INCLUDED_ */
