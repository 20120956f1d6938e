
/*
 * Copyright (C) govsvc authors
 *
 * What a request says about its destination: host groups, region, item, case,
 * channel.  Found once, before any route is looked at.
 */


#include "core/gs_hex.h"
#include "route/gs_route_priv.h"


#define GS_ROUTE_REQUEST_HOST  253


typedef enum {
    GS_ROUTE_ARG_NONE = 0,
    GS_ROUTE_ARG_ITEM,
    GS_ROUTE_ARG_CASE
} gs_route_arg_e;


static void gs_route_request_groups(gs_route_request_t *q);
static gs_rc_t gs_route_request_path(gs_route_request_t *q,
    uint32_t *region, gs_route_source_e *source);
static gs_rc_t gs_route_request_guide(gs_route_request_t *q, gs_str_t path,
    const gs_str_t *first);
static gs_rc_t gs_route_request_args(gs_route_request_t *q);
static gs_rc_t gs_route_request_item(gs_route_request_t *q,
    const gs_str_t *value);
static gs_rc_t gs_route_request_item_region(gs_route_request_t *q);
static gs_route_arg_e gs_route_arg(const gs_uchar_t *p,
    const gs_uchar_t *last);
static int gs_route_arg_eq(const gs_uchar_t *p, const gs_uchar_t *last,
    const char *name);
static void gs_route_request_region(gs_route_request_t *q, uint32_t region,
    gs_route_source_e source);
static void gs_route_request_header(gs_route_request_t *q);


static const char *const  gs_route_methods[] = {
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", NULL
};

static const char *const  gs_route_item_args[] = {
    "sxbm", "taskCode", "itemCode", NULL
};

static const char *const  gs_route_case_args[] = {
    "caseNo", "projectNo", "sblsh", NULL
};


gs_rc_t
gs_route_request(gs_route_request_t *q, const gs_route_table_t *t,
    const gs_route_input_t *in, gs_route_result_t *out)
{
    uint32_t           region;
    gs_str_t           name, value;
    gs_route_source_e  source;

    q->table = t;
    q->in = in;
    q->out = out;
    q->nchain = 0;
    q->cached = 0;
    q->by = GS_ROUTE_BY_NONE;
    q->named = 0;
    q->bad_region = 0;
    q->geo_asked = 0;
    q->method = gs_route_method_bit(&in->method);

    memset(out, 0, sizeof(gs_route_result_t));
    out->route = GS_ROUTE_NONE;
    out->platform = GS_ROUTE_NONE;
    out->pool = GS_ROUTE_NONE;

    if (in->header != NULL) {
        name = gs_str_text("x-channel");
        value = in->header(in->ctx, &name);
        out->channel = gs_route_channel(&value);
    }

    region = 0;
    source = GS_ROUTE_BY_NONE;

    gs_route_request_groups(q);

    if (gs_route_request_path(q, &region, &source) != GS_OK
        || gs_route_request_args(q) != GS_OK
        || gs_route_request_item_region(q) != GS_OK)
    {
        return GS_DECLINED;
    }

    gs_route_request_region(q, region, source);

    return GS_OK;
}


void
gs_route_request_geo(gs_route_request_t *q)
{
    if (q->geo_asked || q->nchain != 0 || q->bad_region
        || q->out->item.uscc.len != 0 || q->in->geo == NULL)
    {
        return;
    }

    q->geo_asked = 1;
    q->nchain = gs_route_chain(q->table, q->in->geo(q->in->ctx), q->chain);

    if (q->nchain != 0) {
        q->out->region = q->chain[0];
        q->out->source = GS_ROUTE_BY_GEO;
    }
}


uint32_t
gs_route_method_bit(const gs_str_t *method)
{
    unsigned  i;

    for (i = 0; gs_route_methods[i] != NULL; i++) {
        if (gs_str_eq_text(method, gs_route_methods[i])) {
            return 1u << i;
        }
    }

    return 0;
}


int
gs_route_wild(const gs_str_t *s, const gs_str_t *pattern, unsigned fold)
{
    gs_str_t  head, want;

    head = *s;
    want = *pattern;

    if (want.len > 0 && want.data[want.len - 1] == '*') {
        want.len--;

        if (head.len < want.len) {
            return 0;
        }

        head.len = want.len;
    }

    return fold ? gs_str_case_eq(&head, &want) : gs_str_eq(&head, &want);
}


gs_str_t
gs_route_channel(const gs_str_t *value)
{
    int     c;
    size_t  i;

    for (i = 0; i < value->len && i < 32; i++) {
        c = value->data[i];

        if (!gs_is_alpha(c) && !gs_is_digit(c) && c != '-' && c != '_') {
            break;
        }
    }

    return (i == value->len) ? *value : gs_str_make(NULL, 0);
}


uint32_t
gs_route_region_value(const gs_str_t *value)
{
    uint32_t            code;
    const gs_region_t  *region;

    if (gs_region_digits(value, &code) == GS_OK) {
        return code;
    }

    region = gs_region_iso(value);

    if (region == NULL) {
        region = gs_region_slug(value);
    }

    return (region != NULL) ? region->code : 0;
}


gs_rc_t
gs_route_segment(gs_str_t *path, gs_str_t *segment)
{
    const gs_uchar_t  *p, *last, *end;

    if (path->len == 0 || path->data[0] != '/') {
        return GS_DONE;
    }

    p = path->data + 1;
    last = path->data + path->len;

    for (end = p; end < last && *end != '/'; end++) { /* void */ }

    *segment = gs_str_make(p, (size_t) (end - p));
    *path = gs_str_make(end, (size_t) (last - end));

    return GS_OK;
}


static void
gs_route_request_groups(gs_route_request_t *q)
{
    size_t    i;
    uint32_t  group;
    gs_str_t  name;

    q->ngroups = 0;
    q->host = q->in->host;

    /*
     * RFC 1035 section 2.3.4: no name is longer, and each dot of what a client
     * sends instead would cost a look at all that follows it.
     */

    if (q->host.len > GS_ROUTE_REQUEST_HOST) {
        q->host = gs_str_make(NULL, 0);
    }

    name = q->host;

    /* ".name" is how groups of suffixes are called, no host is */

    if (name.len != 0 && name.data[0] != '.') {
        group = gs_route_find_group(q->table, &name);

        if (group != GS_ROUTE_NONE) {
            q->groups[q->ngroups++] = group;
        }
    }

    if (q->table->suffixes != 0) {

        for (i = 1; i < q->host.len; i++) {

            if (q->host.data[i] != '.') {
                continue;
            }

            name = gs_str_make(q->host.data + i, q->host.len - i);
            group = gs_route_find_group(q->table, &name);

            if (group != GS_ROUTE_NONE && q->ngroups < GS_ROUTE_GROUPS - 1) {
                q->groups[q->ngroups++] = group;
            }
        }
    }

    /* routes that name no host */

    q->groups[q->ngroups++] = 0;
}


/*
 * The region that the path or the host names, and an item in the path.  The
 * two-letter names are words too ("/js/"), so they yield to a host that
 * belongs to one region; digits do not.  A host of which routes take certain
 * paths only, as the portal's own, belongs to none.
 */

static gs_rc_t
gs_route_request_path(gs_route_request_t *q, uint32_t *region,
    gs_route_source_e *source)
{
    unsigned                 i, digits;
    uint32_t                 code, host;
    gs_str_t                 path, first;
    const gs_region_t       *slug;
    const gs_route_group_t  *groups;

    groups = gs_route_section(q->table, GS_ROUTE_S_GROUPS, gs_route_group_t);
    host = 0;

    for (i = 0; i + 1 < q->ngroups && host == 0; i++) {
        if (groups[q->groups[i]].whole) {
            host = groups[q->groups[i]].region;
        }
    }

    path = q->in->uri;
    slug = NULL;
    digits = 0;

    if (gs_route_segment(&path, &first) != GS_OK) {
        first = gs_str_make(NULL, 0);
    }

    if ((first.len == 2 || first.len == 6)
        && gs_region_digits(&first, &code) == GS_OK)
    {
        digits = 1;
        *region = code;

    } else {
        slug = gs_region_slug(&first);
    }

    if (digits) {
        *source = GS_ROUTE_BY_PATH;

    } else if (host != 0) {
        *region = host;
        *source = GS_ROUTE_BY_HOST;

    } else if (slug != NULL) {
        *region = slug->code;
        *source = GS_ROUTE_BY_PATH;
    }

    if (digits || slug != NULL) {
        if (gs_route_segment(&path, &first) != GS_OK) {
            return GS_OK;
        }
    }

    return gs_route_request_guide(q, path, &first);
}


/* "/portal/guide/{code}"; first is the segment before path. */

static gs_rc_t
gs_route_request_guide(gs_route_request_t *q, gs_str_t path,
    const gs_str_t *first)
{
    gs_str_t  segment;

    if (!gs_str_eq_text(first, "portal")
        || gs_route_segment(&path, &segment) != GS_OK
        || !gs_str_eq_text(&segment, "guide")
        || gs_route_segment(&path, &segment) != GS_OK
        || segment.len == 0)
    {
        return GS_OK;
    }

    return gs_route_request_item(q, &segment);
}


static gs_rc_t
gs_route_request_args(gs_route_request_t *q)
{
    gs_rc_t            rc;
    gs_str_t           value;
    gs_route_arg_e     arg;
    const gs_uchar_t  *p, *last, *end, *eq;

    p = q->in->args.data;
    last = (p != NULL) ? p + q->in->args.len : NULL;

    for ( /* void */ ; p < last; p = end + 1) {

        end = memchr(p, '&', (size_t) (last - p));

        if (end == NULL) {
            end = last;
        }

        switch (*p) {
        case 's': case 't': case 'i': case 'c': case 'p': case '%':
            break;
        default:
            continue;
        }

        eq = memchr(p, '=', (size_t) (end - p));

        if (eq == NULL || eq + 1 == end) {
            continue;
        }

        arg = gs_route_arg(p, eq);
        value = gs_str_make(eq + 1, (size_t) (end - eq - 1));

        if (arg == GS_ROUTE_ARG_ITEM) {
            rc = gs_route_request_item(q, &value);

            if (rc != GS_OK) {
                return rc;
            }

        } else if (arg == GS_ROUTE_ARG_CASE && q->out->case_no.len == 0
                   && gs_item_case_no(&value))
        {
            q->out->case_no = value;
        }
    }

    return GS_OK;
}


/*
 * A code in an item position.  What is no code is refused, and so are two
 * codes of different items: the platform might act on the other one.
 */

static gs_rc_t
gs_route_request_item(gs_route_request_t *q, const gs_str_t *value)
{
    gs_item_t  item;

    q->named = 1;

    if (gs_item_parse(value, &item) != GS_OK) {
        q->out->reason = GS_ROUTE_ITEM_UNKNOWN;
        return GS_DECLINED;
    }

    if (q->out->item.code.len != 0 && !gs_item_same(&q->out->item, &item)) {
        q->out->reason = GS_ROUTE_ITEM_UNKNOWN;
        return GS_DECLINED;
    }

    if (item.code.len > q->out->item.code.len) {
        q->out->item = item;
    }

    return GS_OK;
}


/*
 * An authority of no known region is refused whatever path and host say; the
 * central organs (10....) belong to none.
 */

static gs_rc_t
gs_route_request_item_region(gs_route_request_t *q)
{
    const gs_item_t  *item;

    item = &q->out->item;

    if (item->uscc.len == 0 || item->region / 10000 == 10
        || gs_route_chain(q->table, item->region, q->chain) != 0)
    {
        return GS_OK;
    }

    q->out->reason = GS_ROUTE_ITEM_UNKNOWN;

    return GS_DECLINED;
}


static gs_route_arg_e
gs_route_arg(const gs_uchar_t *p, const gs_uchar_t *last)
{
    unsigned  i;

    for (i = 0; gs_route_item_args[i] != NULL; i++) {
        if (gs_route_arg_eq(p, last, gs_route_item_args[i])) {
            return GS_ROUTE_ARG_ITEM;
        }
    }

    for (i = 0; gs_route_case_args[i] != NULL; i++) {
        if (gs_route_arg_eq(p, last, gs_route_case_args[i])) {
            return GS_ROUTE_ARG_CASE;
        }
    }

    return GS_ROUTE_ARG_NONE;
}


/* The name of an argument, escapes decoded, as a platform reads it. */

static int
gs_route_arg_eq(const gs_uchar_t *p, const gs_uchar_t *last, const char *name)
{
    int  c, high, low;

    for ( /* void */ ; *name != '\0'; name++) {

        if (p == last) {
            return 0;
        }

        c = *p++;

        if (c == '%' && last - p >= 2) {
            high = gs_hex_value(p[0]);
            low = gs_hex_value(p[1]);

            if (high < 0 || low < 0) {
                return 0;
            }

            c = high * 16 + low;
            p += 2;
        }

        if (c != *name) {
            return 0;
        }
    }

    return p == last;
}


/* The first source that names a region decides, also when it is unknown. */

static void
gs_route_request_region(gs_route_request_t *q, uint32_t region,
    gs_route_source_e source)
{
    if (source == GS_ROUTE_BY_PATH) {
        q->named = 1;

    } else if (source == GS_ROUTE_BY_NONE) {

        if (q->out->item.uscc.len != 0) {
            region = q->out->item.region;
            source = GS_ROUTE_BY_ITEM;

        } else {
            gs_route_request_header(q);
            return;
        }
    }

    q->by = source;
    q->nchain = gs_route_chain(q->table, region, q->chain);
    q->out->source = source;

    if (q->nchain == 0) {
        q->bad_region = 1;
        q->out->source = GS_ROUTE_BY_NONE;
        return;
    }

    q->out->region = q->chain[0];
}


static void
gs_route_request_header(gs_route_request_t *q)
{
    gs_str_t  name, value;

    if (q->in->header == NULL) {
        return;
    }

    name = q->in->region_header;

    if (name.len == 0) {
        name = gs_str_text("x-region");
    }

    value = q->in->header(q->in->ctx, &name);

    if (value.len == 0) {
        return;
    }

    q->by = GS_ROUTE_BY_HEADER;
    q->named = 1;
    q->nchain = gs_route_chain(q->table, gs_route_region_value(&value),
                               q->chain);

    if (q->nchain == 0) {
        q->bad_region = 1;
        return;
    }

    q->out->region = q->chain[0];
    q->out->source = GS_ROUTE_BY_HEADER;
}
