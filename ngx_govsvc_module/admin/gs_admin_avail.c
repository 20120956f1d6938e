
/*
 * Copyright (C) govsvc authors
 *
 * Registry API: the report of a month.  A province sees its own platform; the
 * host has the figures.
 */


#include "admin/gs_admin_priv.h"
#include "route/gs_avail.h"


static unsigned gs_admin_accepts_csv(const gs_str_t *accept);


gs_rc_t
gs_admin_availability(gs_admin_call_t *c)
{
    gs_str_t  s;

    if (c->path.id[0] != '\0') {
        return gs_admin_fail(c, 404, "NOT_FOUND", "",
                             "see " GS_ADMIN_PREFIX "openapi.json",
                             "\"availability\" has nothing of that name");
    }

    if (c->path.month[0] != '\0') {
        s = gs_str_text(c->path.month);

        if (gs_avail_month_parse(&s, &c->r->month) != GS_OK) {
            return gs_admin_fail(c, 400, "BAD_PARAMETER", "",
                                 "month=2026-11",
                                 "\"month\" is a year and a month");
        }
    }

    if (strcmp(c->path.format, "csv") == 0) {
        c->r->csv = 1;

    } else if (c->path.format[0] == '\0') {
        c->r->csv = gs_admin_accepts_csv(&c->q->accept);

    } else if (strcmp(c->path.format, "json") != 0) {
        return gs_admin_fail(c, 400, "BAD_PARAMETER", "",
                             "allowed: json, csv",
                             "no such format");
    }

    if (c->tenant != NULL) {

        if (c->path.platform[0] != '\0'
            && gs_admin_scope_platform(c, c->path.platform, "") != GS_OK)
        {
            return GS_ERROR;
        }

        memcpy(c->r->only, c->tenant, strlen(c->tenant) + 1);

    } else {
        memcpy(c->r->only, c->path.platform, sizeof(c->r->only));
    }

    c->r->status = 200;
    c->r->hosted = c->resource->name;

    return GS_OK;
}


/* Named before JSON: whoever takes anything gets JSON. */

static unsigned
gs_admin_accepts_csv(const gs_str_t *accept)
{
    size_t    at, end;
    gs_str_t  type;

    for (at = 0; at < accept->len; at = end + 1) {

        while (at < accept->len && accept->data[at] == ' ') {
            at++;
        }

        end = gs_str_chr(accept, at, ',');
        type = gs_str_make(accept->data + at, end - at);
        type.len = gs_str_chr(&type, 0, ';');

        while (type.len != 0 && type.data[type.len - 1] == ' ') {
            type.len--;
        }

        if (gs_str_case_eq_text(&type, "text/csv")) {
            return 1;
        }

        if (gs_str_case_eq_text(&type, "application/json")) {
            return 0;
        }
    }

    return 0;
}
