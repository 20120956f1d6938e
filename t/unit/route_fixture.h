
/*
 * Copyright (C) govsvc authors
 *
 * Requests as the tests of the route table write them.
 */


#ifndef _ROUTE_FIXTURE_H_INCLUDED_
#define _ROUTE_FIXTURE_H_INCLUDED_


#include "route/gs_route.h"


typedef struct {
    const char  *method;
    const char  *host;
    const char  *uri;
    const char  *args;
    const char  *headers;                  /* "x-region=44,x-channel=app" */
    const char  *claims;                   /* NULL: not known yet */
    uint32_t     geo;
} request_t;


static gs_str_t
pair(const char *text, const gs_str_t *name)
{
    const char  *p, *end;

    for (p = text; *p != '\0'; p = (*end == ',') ? end + 1 : end) {
        end = p + strcspn(p, ",");

        if (strncmp(p, (const char *) name->data, name->len) == 0
            && p[name->len] == '=')
        {
            p += name->len + 1;
            return gs_str_make(p, (size_t) (end - p));
        }
    }

    return gs_str_make(NULL, 0);
}


static gs_str_t
header(void *ctx, const gs_str_t *name)
{
    const request_t *r = ctx;

    return pair(r->headers, name);
}


static gs_str_t
claim(void *ctx, const gs_str_t *name)
{
    const request_t *r = ctx;

    return pair(r->claims, name);
}


static uint32_t
geo(void *ctx)
{
    const request_t *r = ctx;

    return r->geo;
}


static void
input(const request_t *r, gs_route_input_t *in)
{
    memset(in, 0, sizeof(gs_route_input_t));
    in->method = gs_str_text(r->method);
    in->host = gs_str_text(r->host);
    in->uri = gs_str_text(r->uri);
    in->args = gs_str_text(r->args);
    in->header = header;
    in->claim = (r->claims != NULL) ? claim : NULL;
    in->geo = geo;
    in->ctx = (void *) r;
}


#endif /* _ROUTE_FIXTURE_H_INCLUDED_ */
