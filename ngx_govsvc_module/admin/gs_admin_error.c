
/*
 * Copyright (C) govsvc authors
 *
 * Refusals of the registry API: problem documents (RFC 9457) with a code that
 * programs may rely on, the field that is at fault, and what to do.
 */


#include "admin/gs_admin_priv.h"

#include <stdarg.h>
#include <stdio.h>


gs_rc_t
gs_admin_fail(gs_admin_call_t *c, unsigned status, const char *code,
    const char *field, const char *hint, const char *fmt, ...)
{
    char              text[GS_ERR_TEXT];
    json_t           *body;
    va_list           args;
    gs_str_t          id;
    gs_admin_reply_t *r;

    r = c->r;

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    json_decref(r->body);
    r->body = NULL;
    r->status = status;
    r->code = code;

    id = c->q->request_id;

    body = json_pack("{s:s, s:s, s:i, s:s, s:s%}",
                     "type", "about:blank", "title", code, "status",
                     (int) status, "code", code, "request_id",
                     id.data != NULL ? (const char *) id.data : "", id.len);

    /* text may hold what the caller sent, cut anywhere */

    if (json_object_set_new(body, "detail", json_string(text)) != 0) {
        (void) json_object_set_new(body, "detail",
                                   json_string("the value is no UTF-8"));
    }

    if (field[0] != '\0') {
        (void) json_object_set_new(body, "field", json_string(field));
    }

    if (hint != NULL) {
        (void) json_object_set_new(body, "hint", json_string(hint));
    }

    r->body = body;

    return GS_ERROR;
}


gs_rc_t
gs_admin_nomem(gs_admin_call_t *c)
{
    json_decref(c->r->body);

    c->r->body = NULL;
    c->r->status = 503;
    c->r->code = "NO_MEMORY";
    c->r->retry_after = 1;

    return GS_ERROR;
}


gs_str_t
gs_admin_str(const json_t *value)
{
    return gs_str_make(json_string_value(value), json_string_length(value));
}


gs_rc_t
gs_admin_members(gs_admin_call_t *c, json_t *object, const char *field,
    const char *const *names)
{
    void        *iter;
    unsigned     i;
    const char  *key;

    if (object == NULL) {
        return GS_OK;
    }

    if (!json_is_object(object)) {
        return gs_admin_fail(c, 422, "INVALID", field, NULL,
                             "an object is expected");
    }

    for (iter = json_object_iter(object);
         iter != NULL;
         iter = json_object_iter_next(object, iter))
    {
        key = json_object_iter_key(iter);

        for (i = 0; names[i] != NULL; i++) {
            if (strcmp(key, names[i]) == 0) {
                break;
            }
        }

        if (names[i] == NULL) {
            return gs_admin_fail(c, 422, "INVALID", field, NULL,
                                 "unknown member \"%s\"", key);
        }
    }

    return GS_OK;
}
