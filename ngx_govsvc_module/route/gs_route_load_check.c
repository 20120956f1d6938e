
/*
 * Copyright (C) govsvc authors
 *
 * platforms.json: check profiles, and who uses them.
 */


#include "route/gs_route_load.h"


#define GS_ROUTE_CHECK_TIME  (60 * 60 * 1000)


static gs_rc_t gs_route_load_check(gs_route_load_t *l, const json_t *object);
static gs_rc_t gs_route_load_check_times(gs_route_load_t *l,
    const json_t *object, gs_route_check_model_t *check);
static gs_rc_t gs_route_load_check_request(gs_route_load_t *l,
    const json_t *object, gs_route_check_model_t *check);
static gs_rc_t gs_route_load_check_match(gs_route_load_t *l,
    const json_t *object, gs_route_check_model_t *check);
static gs_rc_t gs_route_load_check_status(gs_route_load_t *l,
    const json_t *match, gs_route_check_model_t *check);
static gs_rc_t gs_route_load_check_header(gs_route_load_t *l,
    const json_t *match, gs_route_check_model_t *check);
static gs_rc_t gs_route_check_text(gs_route_load_t *l, const char *key,
    const gs_str_t *s, size_t max, const char *allowed);


static const char *const  gs_route_check_members[] = {
    "id", "type", "interval", "jitter", "fast", "timeout", "rise", "fall",
    "path", "host", "method", "match", NULL
};

static const char *const  gs_route_check_types[] = {
    "http", "https", "tcp", "tls", NULL
};

static const char *const  gs_route_check_methods[] = {
    "GET", "HEAD", NULL
};

static const char *const  gs_route_check_match_members[] = {
    "status", "header", "body", NULL
};

static const char *const  gs_route_check_header_members[] = {
    "name", "value", NULL
};


gs_rc_t
gs_route_load_checks(gs_route_load_t *l, const json_t *root)
{
    size_t   i, mark, outer;
    json_t  *list;

    if (gs_route_json_child(l, root, "check_profiles", 1, &list) != GS_OK) {
        return GS_ERROR;
    }

    outer = gs_route_json_enter(l, "check_profiles");

    for (i = 0; i < json_array_size(list); i++) {
        mark = gs_route_json_index(l, i);

        if (gs_route_load_check(l, json_array_get(list, i)) != GS_OK) {
            return GS_ERROR;
        }

        gs_route_json_leave(l, mark);
    }

    gs_route_json_leave(l, outer);

    return GS_OK;
}


static gs_rc_t
gs_route_load_check(gs_route_load_t *l, const json_t *object)
{
    gs_route_check_model_t  *check;

    if (gs_route_json_members(l, object, gs_route_check_members) != GS_OK) {
        return GS_ERROR;
    }

    check = gs_route_vec_push(l, &l->checks, 1);

    if (check == NULL) {
        return GS_ERROR;
    }

    check->interval = 5000;
    check->fast = 1000;
    check->timeout = 2000;
    check->rise = 2;
    check->fall = 3;
    check->status_min = 200;
    check->status_max = 399;

    if (gs_route_json_id(l, object, &l->check_ids, "check profile",
                         &check->id) != GS_OK
        || gs_route_json_enum(l, object, "type", gs_route_check_types,
                              &check->type) == GS_ERROR
        || gs_route_json_uint(l, object, "rise", 1, 100, 0, &check->rise)
           == GS_ERROR
        || gs_route_json_uint(l, object, "fall", 1, 100, 0, &check->fall)
           == GS_ERROR
        || gs_route_load_check_times(l, object, check) != GS_OK)
    {
        return GS_ERROR;
    }

    if (json_object_get(object, "type") == NULL) {
        gs_err(l->err, "member \"type\" is missing");
        return gs_route_json_fail(l);
    }

    if ((check->type == GS_ROUTE_CHECK_TCP
         || check->type == GS_ROUTE_CHECK_TLS)
        && (json_object_get(object, "path") != NULL
            || json_object_get(object, "host") != NULL
            || json_object_get(object, "method") != NULL
            || json_object_get(object, "match") != NULL))
    {
        gs_err(l->err, "\"path\", \"host\", \"method\" and \"match\" are of "
               "checks \"http\" and \"https\"");
        return gs_route_json_fail(l);
    }

    return gs_route_load_check_request(l, object, check);
}


static gs_rc_t
gs_route_load_check_times(gs_route_load_t *l, const json_t *object,
    gs_route_check_model_t *check)
{
    unsigned           i;
    uint64_t           msec;
    uint32_t          *to[4];
    static const char *const  keys[] = {
        "interval", "jitter", "fast", "timeout"
    };

    to[0] = &check->interval;
    to[1] = &check->jitter;
    to[2] = &check->fast;
    to[3] = &check->timeout;

    for (i = 0; i < 4; i++) {
        msec = *to[i];

        if (gs_route_json_msec(l, object, keys[i], &msec) == GS_ERROR) {
            return GS_ERROR;
        }

        if (msec > GS_ROUTE_CHECK_TIME) {
            gs_route_json_enter(l, keys[i]);
            gs_err(l->err, "%zums is out of range; allowed: 1ms to 1h",
                   (size_t) msec);
            return gs_route_json_fail(l);
        }

        *to[i] = (uint32_t) msec;
    }

    if (json_object_get(object, "jitter") == NULL) {
        check->jitter = check->interval / 10;
    }

    if (json_object_get(object, "fast") == NULL
        && check->fast > check->interval)
    {
        check->fast = check->interval;
    }

    return GS_OK;
}


static gs_rc_t
gs_route_load_check_request(gs_route_load_t *l, const json_t *object,
    gs_route_check_model_t *check)
{
    int      c;
    size_t   i;
    gs_rc_t  rc;

    check->path = gs_str_text("/");

    rc = gs_route_json_str(l, object, "path", 0, &check->path);

    if (rc == GS_ERROR) {
        return GS_ERROR;
    }

    if (rc == GS_OK
        && (check->path.len == 0 || check->path.data[0] != '/'
            || check->path.len > 1024
            || gs_route_uri_check(&check->path, NULL) != GS_ROUTE_URI_SAFE))
    {
        gs_route_json_enter(l, "path");
        gs_err(l->err, "invalid path \"%S\"; allowed: a plain path of at "
               "most 1024 bytes, such as \"/health\"", &check->path);
        return gs_route_json_fail(l);
    }

    for (i = 0; i < check->path.len; i++) {
        if (check->path.data[i] <= 0x20 || check->path.data[i] >= 0x7f) {
            gs_route_json_enter(l, "path");
            gs_err(l->err, "invalid path; write it encoded");
            return gs_route_json_fail(l);
        }
    }

    rc = gs_route_json_str(l, object, "host", 0, &check->host);

    for (i = 0; rc == GS_OK && i < check->host.len; i++) {
        c = check->host.data[i];

        if (!gs_is_alpha(c) && !gs_is_digit(c) && strchr(".-_:[]", c) == NULL)
        {
            break;
        }
    }

    if (rc == GS_ERROR) {
        return GS_ERROR;
    }

    if (rc == GS_OK
        && (check->host.len == 0 || i < check->host.len || i > 255))
    {
        gs_route_json_enter(l, "host");
        gs_err(l->err, "invalid host \"%S\"; allowed: a host name or "
               "address, with a port if need be", &check->host);
        return gs_route_json_fail(l);
    }

    /* a check must not become a way to send orders to a peer */

    if (gs_route_json_enum(l, object, "method", gs_route_check_methods,
                           &check->head) == GS_ERROR)
    {
        return GS_ERROR;
    }

    return gs_route_load_check_match(l, object, check);
}


static gs_rc_t
gs_route_load_check_match(gs_route_load_t *l, const json_t *object,
    gs_route_check_model_t *check)
{
    size_t   mark;
    gs_rc_t  rc;
    json_t  *match;

    if (gs_route_json_child(l, object, "match", 0, &match) != GS_OK) {
        return GS_ERROR;
    }

    if (match == NULL) {
        return GS_OK;
    }

    mark = gs_route_json_enter(l, "match");

    if (gs_route_json_members(l, match, gs_route_check_match_members)
        != GS_OK
        || gs_route_load_check_status(l, match, check) != GS_OK
        || gs_route_load_check_header(l, match, check) != GS_OK)
    {
        return GS_ERROR;
    }

    rc = gs_route_json_str(l, match, "body", 0, &check->body);

    if (rc == GS_ERROR
        || (rc == GS_OK
            && gs_route_check_text(l, "body", &check->body, 256,
                                   "1 to 256 bytes") != GS_OK))
    {
        return GS_ERROR;
    }

    if (rc == GS_OK && check->head) {
        gs_route_json_enter(l, "body");
        gs_err(l->err, "an answer to \"HEAD\" has no body");
        return gs_route_json_fail(l);
    }

    gs_route_json_leave(l, mark);

    return GS_OK;
}


/* "200" or "200-299". */

static gs_rc_t
gs_route_load_check_status(gs_route_load_t *l, const json_t *match,
    gs_route_check_model_t *check)
{
    gs_rc_t   rc;
    uint64_t  min, max;
    gs_str_t  s, part;

    rc = gs_route_json_str(l, match, "status", 0, &s);

    if (rc != GS_OK) {
        return (rc == GS_DECLINED) ? GS_OK : GS_ERROR;
    }

    part = gs_str_make(s.data, (s.len < 3) ? s.len : 3);
    rc = gs_parse_u64(&part, &min);
    max = min;

    if (rc == GS_OK && s.len == 7 && s.data[3] == '-') {
        part = gs_str_make(s.data + 4, 3);
        rc = gs_parse_u64(&part, &max);

    } else if (s.len != 3) {
        rc = GS_ERROR;
    }

    if (rc != GS_OK || min < 200 || max > 599 || min > max) {
        gs_route_json_enter(l, "status");
        gs_err(l->err, "invalid status \"%S\"; allowed: \"200\" to \"599\", "
               "or a range such as \"200-299\"", &s);
        return gs_route_json_fail(l);
    }

    check->status_min = (uint32_t) min;
    check->status_max = (uint32_t) max;

    return GS_OK;
}


static gs_rc_t
gs_route_load_check_header(gs_route_load_t *l, const json_t *match,
    gs_route_check_model_t *check)
{
    int       c;
    size_t    i, mark;
    gs_rc_t   rc;
    json_t   *header;

    if (gs_route_json_child(l, match, "header", 0, &header) != GS_OK) {
        return GS_ERROR;
    }

    if (header == NULL) {
        return GS_OK;
    }

    mark = gs_route_json_enter(l, "header");

    if (gs_route_json_members(l, header, gs_route_check_header_members)
        != GS_OK
        || gs_route_json_str(l, header, "name", 1, &check->header) != GS_OK)
    {
        return GS_ERROR;
    }

    for (i = 0; i < check->header.len; i++) {
        c = check->header.data[i];

        if (!gs_is_alpha(c) && !gs_is_digit(c) && c != '-' && c != '_') {
            break;
        }
    }

    if (i == 0 || i < check->header.len || i > 64) {
        gs_route_json_enter(l, "name");
        gs_err(l->err, "invalid header name \"%S\"", &check->header);
        return gs_route_json_fail(l);
    }

    rc = gs_route_json_str(l, header, "value", 0, &check->value);

    if (rc == GS_ERROR
        || (rc == GS_OK
            && gs_route_check_text(l, "value", &check->value, 256,
                                   "1 to 256 bytes") != GS_OK))
    {
        return GS_ERROR;
    }

    gs_route_json_leave(l, mark);

    return GS_OK;
}


static gs_rc_t
gs_route_check_text(gs_route_load_t *l, const char *key, const gs_str_t *s,
    size_t max, const char *allowed)
{
    if (s->len > 0 && s->len <= max) {
        return GS_OK;
    }

    gs_route_json_enter(l, key);
    gs_err(l->err, "%zu bytes; allowed: %s", s->len, allowed);

    return gs_route_json_fail(l);
}


gs_rc_t
gs_route_load_check_ref(gs_route_load_t *l, const json_t *object,
    uint32_t tls, uint32_t *index)
{
    gs_rc_t                  rc;
    unsigned                 speaks;
    gs_route_check_model_t  *check;

    rc = gs_route_json_ref(l, object, "check", &l->check_ids,
                           "check profile", 0, index);

    if (rc != GS_OK) {
        return (rc == GS_DECLINED) ? GS_OK : GS_ERROR;
    }

    check = gs_route_vec_at(&l->checks, gs_route_check_model_t, *index);
    speaks = (tls != GS_ROUTE_NONE);

    if (check->type == GS_ROUTE_CHECK_TCP
        || speaks == (check->type == GS_ROUTE_CHECK_HTTPS
                      || check->type == GS_ROUTE_CHECK_TLS))
    {
        return GS_OK;
    }

    gs_route_json_enter(l, "check");
    gs_err(l->err, "check \"%S\" is of type \"%s\", the pool %s",
           &check->id, gs_route_check_types[check->type],
           speaks ? "speaks TLS; allowed: https, tls, tcp"
                  : "has no TLS profile; allowed: http, tcp");

    return gs_route_json_fail(l);
}


gs_rc_t
gs_route_build_checks(gs_route_load_t *l)
{
    uint32_t                 i;
    gs_route_check_t        *check;
    gs_route_check_model_t  *model;

    for (i = 0; i < l->checks.n; i++) {
        check = gs_route_vec_push(l, &l->sections[GS_ROUTE_S_CHECKS], 1);

        if (check == NULL) {
            return GS_ERROR;
        }

        model = gs_route_vec_at(&l->checks, gs_route_check_model_t, i);

        check->type = model->type;
        check->head = model->head;
        check->rise = model->rise;
        check->fall = model->fall;
        check->status_min = model->status_min;
        check->status_max = model->status_max;
        check->interval = model->interval;
        check->jitter = model->jitter;
        check->fast = model->fast;
        check->timeout = model->timeout;

        if (gs_route_build_str(l, &model->id, &check->id) != GS_OK
            || gs_route_build_str(l, &model->path, &check->path) != GS_OK
            || gs_route_build_str(l, &model->host, &check->host) != GS_OK
            || gs_route_build_str(l, &model->header, &check->header) != GS_OK
            || gs_route_build_str(l, &model->value, &check->value) != GS_OK
            || gs_route_build_str(l, &model->body, &check->body) != GS_OK)
        {
            return GS_ERROR;
        }
    }

    return GS_OK;
}
