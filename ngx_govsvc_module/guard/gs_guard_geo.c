
/*
 * Copyright (C) govsvc authors
 *
 * Country and province by a MaxMind DB, as the codes of GB/T 2260, and numbers
 * of autonomous systems.
 */


#include "guard/gs_guard_geo.h"
#include "core/gs_net.h"

#include <maxminddb.h>
#include <netinet/in.h>


struct gs_geo_s {
    MMDB_s  db;
};


typedef struct {
    const char  *letters;                  /* ISO 3166-2:CN */
    const char  *number;                   /* the same until 2017-11 */
    uint32_t     region;                   /* GB/T 2260 */
} gs_geo_province_t;


static int gs_geo_serves(const gs_str_t *type, gs_geo_kind_e kind);
static gs_rc_t gs_geo_find(const gs_geo_t *geo, const struct sockaddr *sa,
    MMDB_entry_s *entry);
static uint32_t gs_geo_number(MMDB_entry_s *entry, const char *const *path);
static gs_str_t gs_geo_text(MMDB_entry_s *entry, const char *const *path);


static const gs_geo_province_t  gs_geo_provinces[] = {
    { "BJ", "11", 110000 }, { "TJ", "12", 120000 }, { "HE", "13", 130000 },
    { "SX", "14", 140000 }, { "NM", "15", 150000 }, { "LN", "21", 210000 },
    { "JL", "22", 220000 }, { "HL", "23", 230000 }, { "SH", "31", 310000 },
    { "JS", "32", 320000 }, { "ZJ", "33", 330000 }, { "AH", "34", 340000 },
    { "FJ", "35", 350000 }, { "JX", "36", 360000 }, { "SD", "37", 370000 },
    { "HA", "41", 410000 }, { "HB", "42", 420000 }, { "HN", "43", 430000 },
    { "GD", "44", 440000 }, { "GX", "45", 450000 }, { "HI", "46", 460000 },
    { "CQ", "50", 500000 }, { "SC", "51", 510000 }, { "GZ", "52", 520000 },
    { "YN", "53", 530000 }, { "XZ", "54", 540000 }, { "SN", "61", 610000 },
    { "GS", "62", 620000 }, { "QH", "63", 630000 }, { "NX", "64", 640000 },
    { "XJ", "65", 650000 },

    /* the old ISO numbers of these two are not those of GB/T 2260 */

    { "TW", "71", 710000 }, { "HK", "91", 810000 }, { "MO", "92", 820000 }
};


#define GS_GEO_PROVINCES                                                      \
    (sizeof(gs_geo_provinces) / sizeof(gs_geo_provinces[0]))


gs_rc_t
gs_geo_open(gs_geo_t **out, gs_mem_t *mem, const char *path,
    gs_geo_kind_e kind, gs_err_t *err)
{
    int        rc;
    gs_geo_t  *geo;
    gs_str_t   type;

    *out = NULL;

    geo = gs_calloc(mem, 1, sizeof(gs_geo_t));
    if (geo == NULL) {
        return gs_err(err, "no memory");
    }

    rc = MMDB_open(path, MMDB_MODE_MMAP, &geo->db);

    if (rc != MMDB_SUCCESS) {
        gs_free(mem, geo);
        return gs_err(err, "%s", MMDB_strerror(rc));
    }

    type = gs_str_text(geo->db.metadata.database_type);

    if (gs_geo_serves(&type, kind)) {
        *out = geo;
        return GS_OK;
    }

    if (kind == GS_GEO_NUMBERS) {
        (void) gs_err(err, "database type \"%S\" knows no numbers of "
                      "autonomous systems, allowed: an ASN, ISP or "
                      "Enterprise database", &type);

    } else {
        (void) gs_err(err, "database type \"%S\" knows no places, allowed: "
                      "a City, Country or Enterprise database%s", &type,
                      gs_geo_serves(&type, GS_GEO_NUMBERS)
                      ? "; this one is for \"asn=\"" : "");
    }

    gs_geo_close(geo, mem);

    return GS_ERROR;
}


/* A type is named after what it holds: "GeoLite2-City", "DBIP-ASN-Lite". */

static int
gs_geo_serves(const gs_str_t *type, gs_geo_kind_e kind)
{
    unsigned     i;
    const char  *text;

    static const char *const  names[][3] = {
        { "City", "Country", "Enterprise" },
        { "ASN", "ISP", "Enterprise" }
    };

    text = (const char *) type->data;

    for (i = 0; i < 3; i++) {
        if (strstr(text, names[kind][i]) != NULL) {
            return 1;
        }
    }

    return 0;
}


void
gs_geo_close(gs_geo_t *geo, gs_mem_t *mem)
{
    if (geo != NULL) {
        MMDB_close(&geo->db);
        gs_free(mem, geo);
    }
}


gs_rc_t
gs_geo_lookup(const gs_geo_t *geo, const struct sockaddr *sa,
    gs_geo_place_t *place)
{
    gs_rc_t       rc;
    MMDB_entry_s  entry;

    static const char *const  country[] = { "country", "iso_code", NULL };
    static const char *const  province[] = {
        "subdivisions", "0", "iso_code", NULL
    };

    place->country = gs_str_make("", 0);
    place->subdivision = gs_str_make("", 0);
    place->region = 0;

    rc = gs_geo_find(geo, sa, &entry);

    if (rc != GS_OK) {
        return rc;
    }

    place->country = gs_geo_text(&entry, country);
    place->subdivision = gs_geo_text(&entry, province);
    place->region = gs_geo_region(&place->country, &place->subdivision);

    return GS_OK;
}


gs_rc_t
gs_geo_asn(const gs_geo_t *geo, const struct sockaddr *sa, uint32_t *asn)
{
    gs_rc_t       rc;
    MMDB_entry_s  entry;

    static const char *const  number[] = { "autonomous_system_number", NULL };
    static const char *const  traits[] = {
        "traits", "autonomous_system_number", NULL
    };

    *asn = 0;

    rc = gs_geo_find(geo, sa, &entry);

    if (rc != GS_OK) {
        return rc;
    }

    *asn = gs_geo_number(&entry, number);

    if (*asn == 0) {
        *asn = gs_geo_number(&entry, traits);
    }

    return (*asn != 0) ? GS_OK : GS_DECLINED;
}


/* The entry of an address, if it is one. */

static gs_rc_t
gs_geo_find(const gs_geo_t *geo, const struct sockaddr *sa,
    MMDB_entry_s *entry)
{
    int                   rc;
    size_t                len;
    gs_net_t              net;
    struct sockaddr_in    sin;
    MMDB_lookup_result_s  result;

    if (sa == NULL
        || (sa->sa_family != AF_INET && sa->sa_family != AF_INET6))
    {
        return GS_DECLINED;
    }

    len = (sa->sa_family == AF_INET) ? sizeof(struct sockaddr_in)
                                     : sizeof(struct sockaddr_in6);

    (void) gs_net_sockaddr(&net, sa, len);

    /* not every database knows IPv4 addresses as ::ffff:a.b.c.d */

    if (net.family == GS_NET_IPV4) {
        memset(&sin, 0, sizeof(struct sockaddr_in));
        sin.sin_family = AF_INET;
        memcpy(&sin.sin_addr, net.addr, 4);
        sa = (const struct sockaddr *) (const void *) &sin;
    }

    result = MMDB_lookup_sockaddr(&geo->db, sa, &rc);

    if (rc == MMDB_IPV6_LOOKUP_IN_IPV4_DATABASE_ERROR) {
        return GS_DECLINED;
    }

    if (rc != MMDB_SUCCESS) {
        return GS_ERROR;
    }

    *entry = result.entry;

    return result.found_entry ? GS_OK : GS_DECLINED;
}


/* A number of the database, 0 if there is none. */

static uint32_t
gs_geo_number(MMDB_entry_s *entry, const char *const *path)
{
    MMDB_entry_data_s  data;

    if (MMDB_aget_value(entry, &data, path) != MMDB_SUCCESS
        || !data.has_data)
    {
        return 0;
    }

    switch (data.type) {

    case MMDB_DATA_TYPE_UINT16:
        return data.uint16;

    case MMDB_DATA_TYPE_UINT32:
        return data.uint32;

    default:
        return 0;
    }
}


static gs_str_t
gs_geo_text(MMDB_entry_s *entry, const char *const *path)
{
    MMDB_entry_data_s  data;

    if (MMDB_aget_value(entry, &data, path) != MMDB_SUCCESS
        || !data.has_data || data.type != MMDB_DATA_TYPE_UTF8_STRING)
    {
        return gs_str_make("", 0);
    }

    return gs_str_make(data.utf8_string, data.data_size);
}


uint32_t
gs_geo_region(const gs_str_t *country, const gs_str_t *subdivision)
{
    size_t                    i;
    gs_str_t                  code;
    const gs_geo_province_t  *p;

    if (gs_str_eq_text(country, "CN")) {
        code = *subdivision;

    } else if (gs_str_eq_text(country, "HK") || gs_str_eq_text(country, "MO")
               || gs_str_eq_text(country, "TW"))
    {
        code = *country;

    } else {
        return 0;
    }

    for (i = 0; i < GS_GEO_PROVINCES; i++) {
        p = &gs_geo_provinces[i];

        if (gs_str_eq_text(&code, p->letters)
            || gs_str_eq_text(&code, p->number))
        {
            return p->region;
        }
    }

    return 0;
}
