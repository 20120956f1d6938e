
/*
 * Copyright (C) govsvc authors
 *
 * One audit line in the words of others: Elastic Common Schema 8.11, OCSF
 * 1.3.0 (HTTP Activity, class 4002), ArcSight Common Event Format 0.  What
 * these have no name for is kept below "govsvc", so that nothing is lost.
 * docs/audit-export.md tells which field goes where.
 */


#ifndef _GS_AUDIT_EXPORT_H_INCLUDED_
#define _GS_AUDIT_EXPORT_H_INCLUDED_


#include "audit/gs_audit_field.h"


/* No line of GS_AUDIT_LINE_MAX bytes becomes longer. */
#define GS_AUDIT_EXPORT_MAX  65536


typedef enum {
    GS_AUDIT_ECS = 0,
    GS_AUDIT_OCSF,
    GS_AUDIT_CEF
} gs_audit_format_e;


/* "ecs", "ocsf", "cef"; the list ends with NULL. */
extern const char *const  gs_audit_formats[];

gs_rc_t gs_audit_format_find(const gs_str_t *name, gs_audit_format_e *format);

/*
 * Appends one line without LF.  GS_ERROR when line has not the form of a
 * record, or b is too small.
 */
gs_rc_t gs_audit_export(gs_buf_t *b, gs_audit_format_e format,
    const gs_str_t *line);


#endif /* _GS_AUDIT_EXPORT_H_INCLUDED_ */
