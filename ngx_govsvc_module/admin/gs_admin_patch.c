
/*
 * Copyright (C) govsvc authors
 *
 * JSON merge patch (RFC 7396).
 */


#include "admin/gs_admin_priv.h"


#define GS_ADMIN_PATCH_DEPTH  16


static json_t *gs_admin_patch_in(json_t *target, json_t *patch,
    unsigned depth);


json_t *
gs_admin_patch(json_t *target, json_t *patch)
{
    return gs_admin_patch_in(target, patch, 0);
}


static json_t *
gs_admin_patch_in(json_t *target, json_t *patch, unsigned depth)
{
    int          rc;
    void        *iter;
    json_t      *result, *value;
    const char  *key;

    if (!json_is_object(patch)) {
        return json_incref(patch);
    }

    if (depth == GS_ADMIN_PATCH_DEPTH) {
        return NULL;
    }

    result = json_is_object(target) ? json_copy(target) : json_object();

    for (iter = json_object_iter(patch);
         result != NULL && iter != NULL;
         iter = json_object_iter_next(patch, iter))
    {
        key = json_object_iter_key(iter);
        value = json_object_iter_value(iter);

        if (json_is_null(value)) {
            (void) json_object_del(result, key);
            continue;
        }

        value = gs_admin_patch_in(json_object_get(result, key), value,
                                  depth + 1);
        rc = json_object_set_new(result, key, value);

        if (rc != 0) {
            json_decref(result);
            result = NULL;
        }
    }

    return result;
}
