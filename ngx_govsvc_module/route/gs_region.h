
/*
 * Copyright (C) govsvc authors
 *
 * Regions of GB/T 2260: the 34 provinces and, as platforms use it, the
 * Xinjiang Production and Construction Corps as 66.  Prefectures and counties
 * come from a file, see gs_route_compile().
 */


#ifndef _GS_REGION_H_INCLUDED_
#define _GS_REGION_H_INCLUDED_


#include "core/gs_rc.h"
#include "core/gs_str.h"


#define GS_REGION_PROVINCES  35


typedef struct {
    uint32_t     code;                     /* 440000 */
    const char  *iso;                      /* "GD" of ISO 3166-2:CN, or NULL */
    const char  *slug;                     /* "gd": first segment of a path */
    const char  *pinyin;                   /* "guangdong" */
    const char  *zh;                       /* UTF-8 */
    const char  *data_source;              /* "144" of the national exchange */
} gs_region_t;


/* In ascending order of the code. */
extern const gs_region_t  gs_region_provinces[GS_REGION_PROVINCES];


/* The province of a code of six digits, NULL if there is none. */
const gs_region_t *gs_region_province(uint32_t code);

/* The province of an ISO 3166-2:CN suffix, either case, "CN-GD" too. */
const gs_region_t *gs_region_iso(const gs_str_t *s);

/* The province of a slug or pinyin name, lower case only. */
const gs_region_t *gs_region_slug(const gs_str_t *s);

/*
 * The form of a numeric code: 2, 4, 6, 9 or 12 digits, to six of them.
 * GS_DECLINED if s has another form; whether the region exists is not asked.
 */
gs_rc_t gs_region_digits(const gs_str_t *s, uint32_t *code);

/* The region above: county, city, province, then 0. */
uint32_t gs_region_parent(uint32_t code);

/* Six digits into dst. */
void gs_region_print(gs_uchar_t dst[6], uint32_t code);


#endif /* _GS_REGION_H_INCLUDED_ */
