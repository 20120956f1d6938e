
/*
 * Copyright (C) govsvc authors
 *
 * Members of a dictionary (RFC 8941 section 3.2) over all lines of a header,
 * whatever their values are.
 */


#include "token/gs_sign_sf.h"


static gs_rc_t gs_sign_member_value(gs_sign_sf_t *sf);
static gs_rc_t gs_sign_member_list(gs_sign_sf_t *sf);
static gs_rc_t gs_sign_member_params(gs_sign_sf_t *sf);


void
gs_sign_members(gs_sign_members_t *m, const gs_sign_request_t *r,
    const char *name)
{
    m->r = r;
    m->name = name;
    m->line = 0;
    m->inside = 0;
}


gs_rc_t
gs_sign_member(gs_sign_members_t *m, gs_str_t *label, gs_str_t *value)
{
    gs_rc_t           rc;
    gs_str_t          s;
    const gs_uchar_t *start;

    if (m->inside) {
        rc = gs_sign_sf_next(&m->sf);

        if (rc == GS_ERROR) {
            return GS_ERROR;
        }

        m->inside = (rc == GS_OK);
    }

    if (!m->inside) {

        while (m->line < m->r->n
               && !gs_str_case_eq_text(&m->r->headers[m->line].name, m->name))
        {
            m->line++;
        }

        if (m->line == m->r->n) {
            return GS_DONE;
        }

        s = gs_sign_trim(&m->r->headers[m->line++].value);
        gs_sign_sf_init(&m->sf, &s);
        m->inside = 1;
    }

    if (gs_sign_sf_key(&m->sf, label) != GS_OK
        || !gs_sign_sf_take(&m->sf, '='))
    {
        return GS_ERROR;
    }

    start = m->sf.p;

    if (gs_sign_member_value(&m->sf) != GS_OK) {
        return GS_ERROR;
    }

    *value = gs_str_make(start, (size_t) (m->sf.p - start));

    return GS_OK;
}


static gs_rc_t
gs_sign_member_value(gs_sign_sf_t *sf)
{
    gs_rc_t            rc;
    gs_sign_sf_item_t  item;

    rc = gs_sign_sf_take(sf, '(') ? gs_sign_member_list(sf)
                                  : gs_sign_sf_item(sf, &item);

    return rc == GS_OK ? gs_sign_member_params(sf) : GS_ERROR;
}


static gs_rc_t
gs_sign_member_list(gs_sign_sf_t *sf)
{
    const gs_uchar_t   *start;
    gs_sign_sf_item_t   item;

    for ( ;; ) {
        start = sf->p;
        gs_sign_sf_blanks(sf);

        if (gs_sign_sf_take(sf, ')')) {
            return GS_OK;
        }

        if ((sf->p == start && start[-1] != '(')
            || gs_sign_sf_item(sf, &item) != GS_OK
            || gs_sign_member_params(sf) != GS_OK)
        {
            return GS_ERROR;
        }
    }
}


static gs_rc_t
gs_sign_member_params(gs_sign_sf_t *sf)
{
    gs_rc_t            rc;
    gs_str_t           key;
    gs_sign_sf_item_t  item;

    do {
        rc = gs_sign_sf_param(sf, &key, &item);
    } while (rc == GS_OK);

    return rc == GS_DECLINED ? GS_OK : GS_ERROR;
}
