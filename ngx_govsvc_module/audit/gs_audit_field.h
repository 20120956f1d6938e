
/*
 * Copyright (C) govsvc authors
 *
 * The values of one audit line, for those who count or translate records.
 * Only what has the strict form of a line is taken: an object of texts and
 * numbers, of rows of these or of flat objects, and of objects of the same.
 */


#ifndef _GS_AUDIT_FIELD_H_INCLUDED_
#define _GS_AUDIT_FIELD_H_INCLUDED_


#include "core/gs_buf.h"
#include "core/gs_rc.h"
#include "core/gs_str.h"


#define GS_AUDIT_FIELDS  160               /* of the longest line */


/* value points into the line: a text without its quotes, escaped as it was
 * written; any other value as it stands. */
typedef struct {
    gs_str_t            object;            /* empty: of the line itself */
    gs_str_t            key;
    gs_str_t            value;
    unsigned            text:1;
    unsigned            row:1;             /* [...] */
} gs_audit_field_t;


typedef struct {
    unsigned            n;
    gs_audit_field_t    field[GS_AUDIT_FIELDS];
} gs_audit_fields_t;


/*
 * line is without LF; any bytes may come.  GS_ERROR when they have not the form
 * of a line, in strict UTF-8, or there are more than GS_AUDIT_FIELDS values.
 */
gs_rc_t gs_audit_fields(gs_audit_fields_t *f, const gs_str_t *line);

/* The field, or NULL; object "" for keys of the line itself. */
const gs_audit_field_t *gs_audit_field(const gs_audit_fields_t *f,
    const char *object, const char *key);

/* Its value as it is written, empty if there is none or it is a row. */
gs_str_t gs_audit_field_value(const gs_audit_fields_t *f, const char *object,
    const char *key);

/* As a number; 0 if there is none or it is no number. */
uint64_t gs_audit_field_number(const gs_audit_fields_t *f,
    const char *object, const char *key);


#endif /* _GS_AUDIT_FIELD_H_INCLUDED_ */
