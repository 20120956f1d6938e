
/*
 * Copyright (C) govsvc authors
 *
 * Inside of alerts: a walk over the members of a JSON text of anybody.
 */


#ifndef _GS_ALERT_JSON_H_INCLUDED_
#define _GS_ALERT_JSON_H_INCLUDED_


#include "core/gs_rc.h"
#include "core/gs_str.h"


#define GS_ALERT_JSON_DEPTH  16


/*
 * Called for each string (without quotes, escapes as written), number, true,
 * false or null that is a member: of the outermost object (parent empty), or
 * of a member of it (parent is its name).  first is 0 behind the first element
 * of an array.
 */
typedef void (*gs_alert_json_pt)(void *data, const gs_str_t *parent,
    const gs_str_t *key, const gs_str_t *value, int first);


/* GS_ERROR: it is no object of JSON, or deeper than GS_ALERT_JSON_DEPTH. */
gs_rc_t gs_alert_json(const gs_str_t *text, gs_alert_json_pt member,
    void *data);


#endif /* _GS_ALERT_JSON_H_INCLUDED_ */
