
/*
 * Copyright (C) govsvc authors
 *
 * Reads a configuration in the syntax of Nginx for one thing: which files it
 * includes.  Words, quotes, escapes and comments are those of
 * ngx_conf_read_token().
 */


#ifndef _GS_CONF_SCAN_H_INCLUDED_
#define _GS_CONF_SCAN_H_INCLUDED_


#include "core/gs_rc.h"
#include "core/gs_str.h"


#define GS_CONF_SCAN_WORD  4096


/* Told of each "include", name without quotes; GS_OK to go on. */
typedef gs_rc_t (*gs_conf_scan_pt)(void *data, const gs_str_t *name);


/*
 * GS_OK, or what the handler returned when it was not GS_OK.  Any bytes may
 * come.  A word longer than GS_CONF_SCAN_WORD names no file.
 */
gs_rc_t gs_conf_scan(const gs_str_t *text, gs_conf_scan_pt handler,
    void *data);


#endif /* _GS_CONF_SCAN_H_INCLUDED_ */
