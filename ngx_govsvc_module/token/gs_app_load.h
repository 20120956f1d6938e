
/*
 * Copyright (C) govsvc authors
 *
 * What the parts of the loader of apps.json share.  Private to the room.
 */


#ifndef _GS_APP_LOAD_H_INCLUDED_
#define _GS_APP_LOAD_H_INCLUDED_


#include <jansson.h>

#include "token/gs_app_priv.h"


typedef struct {
    gs_mem_t        *mem;
    const gs_str_t  *text;
    gs_app_read_pt   read;
    void            *data;
    gs_err_t        *err;
    size_t           index;                /* of the application */
} gs_app_load_t;


/* Members of one application: gs_app_fields.c */

gs_rc_t gs_app_load_secrets(gs_app_load_t *l, gs_app_t *app,
    const json_t *json);
gs_rc_t gs_app_load_keys(gs_app_load_t *l, gs_app_t *app,
    const json_t *json);
gs_rc_t gs_app_load_networks(gs_app_load_t *l, gs_app_t *app,
    const json_t *json);
gs_rc_t gs_app_load_routes(gs_app_load_t *l, gs_app_t *app,
    const json_t *json);
gs_rc_t gs_app_load_numbers(gs_app_load_t *l, gs_app_t *app,
    const json_t *json);
gs_rc_t gs_app_load_flags(gs_app_load_t *l, gs_app_t *app,
    const json_t *json);

/* The index of a member's value in names, if allowed as a bit. */
gs_rc_t gs_app_load_word(gs_app_load_t *l, const json_t *json,
    const char *name, const char *const *names, unsigned allowed,
    unsigned *value);

/* *list is NULL where the member is absent; an empty one is a mistake. */
gs_rc_t gs_app_load_list(gs_app_load_t *l, const json_t *json,
    const char *name, size_t max, const json_t **list);

/* data is NULL if it is no text. */
gs_str_t gs_app_text(const json_t *json);

/* Sets place and text of the error; the place alone. */
gs_rc_t gs_app_bad(gs_app_load_t *l, const char *member,
    const char *text);
void gs_app_at(gs_app_load_t *l, const char *member);


#endif /* _GS_APP_LOAD_H_INCLUDED_ */
