
/*
 * Copyright (C) govsvc authors
 *
 * One message of RFC 5424, of any origin or of an audit line.  Nothing in a
 * value can end the message, its structured data or its frame.
 */


#ifndef _GS_AUDIT_SYSLOG_H_INCLUDED_
#define _GS_AUDIT_SYSLOG_H_INCLUDED_


#include "core/gs_buf.h"
#include "core/gs_rc.h"
#include "core/gs_str.h"


#define GS_AUDIT_SYSLOG_PARAMS  12
#define GS_AUDIT_SYSLOG_SD      32         /* bytes of a name, section 6.3.2 */
#define GS_AUDIT_SYSLOG_APP     48

/* What gs_audit_syslog_line() adds to the text of a line, at most. */
#define GS_AUDIT_SYSLOG_EXTRA   2048


/* Section 6.2.1. */
typedef enum {
    GS_AUDIT_SYSLOG_EMERG = 0,
    GS_AUDIT_SYSLOG_ALERT,
    GS_AUDIT_SYSLOG_CRIT,
    GS_AUDIT_SYSLOG_ERR,
    GS_AUDIT_SYSLOG_WARNING,
    GS_AUDIT_SYSLOG_NOTICE,
    GS_AUDIT_SYSLOG_INFO,
    GS_AUDIT_SYSLOG_DEBUG
} gs_audit_syslog_severity_e;


typedef struct {
    const char                  *name;     /* 1 to 32 of [a-z0-9_] */
    gs_str_t                     value;    /* any bytes */
    gs_uchar_t                   digits[20];
} gs_audit_syslog_param_t;


/* Strings are borrowed; what is empty is "-".  Not to be copied. */
typedef struct {
    unsigned                     facility; /* 0 to 23 */
    gs_audit_syslog_severity_e   severity;
    gs_str_t                     time;     /* as in a line; else "-" */
    gs_str_t                     host;
    gs_str_t                     app;
    gs_str_t                     proc;
    gs_str_t                     id;       /* MSGID: the type of event */
    gs_str_t                     sd;       /* "govsvc@32473" */
    unsigned                     nparams;
    gs_audit_syslog_param_t      params[GS_AUDIT_SYSLOG_PARAMS];
    gs_str_t                     text;     /* with a BOM before it */
} gs_audit_syslog_t;


/*
 * Writes the message without a frame.  Names are cut at the length that the
 * RFC allows, bytes that may not stand in them become "_".  In values and
 * text, control characters become "#000" (octal, section 6.3.3 and 8.2), what
 * is no UTF-8 U+FFFD.  GS_ERROR: b is too small, with nothing of worth in it.
 */
gs_rc_t gs_audit_syslog_write(gs_buf_t *b, const gs_audit_syslog_t *m);

/* Adds a parameter; beyond GS_AUDIT_SYSLOG_PARAMS it is left out. */
void gs_audit_syslog_param(gs_audit_syslog_t *m, const char *name,
    const gs_str_t *value);
void gs_audit_syslog_number(gs_audit_syslog_t *m, const char *name,
    uint64_t value);

/*
 * Fills time, severity, id, text and the parameters "id", "ch" and "seq" of
 * a line of the audit store; the rest of m stays, parameters come behind those
 * that are there.  A line longer than max (0: any) is left out, "len" and "h"
 * tell of it.  GS_ERROR: it is no line.
 */
gs_rc_t gs_audit_syslog_line(gs_audit_syslog_t *m, const gs_str_t *line,
    size_t max);

/* Of the grade of an event, 1 to 4. */
gs_audit_syslog_severity_e gs_audit_syslog_grade(unsigned grade);

/* "audit", "local0" ...; GS_ERROR for another name. */
gs_rc_t gs_audit_syslog_facility(const gs_str_t *name, unsigned *facility);
extern const char *const  gs_audit_syslog_facilities[];

/* 1 for the name of an SD-ELEMENT of our own: "NAME@NUMBER". */
int gs_audit_syslog_sd(const gs_str_t *name);


#endif /* _GS_AUDIT_SYSLOG_H_INCLUDED_ */
