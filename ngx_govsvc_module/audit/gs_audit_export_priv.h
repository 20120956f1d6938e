
/*
 * Copyright (C) govsvc authors
 *
 * Inside the export: what was learnt of a line, and tables of fields.
 */


#ifndef _GS_AUDIT_EXPORT_PRIV_H_INCLUDED_
#define _GS_AUDIT_EXPORT_PRIV_H_INCLUDED_


#include "audit/gs_audit_export.h"


typedef struct {
    gs_buf_t            *b;
    gs_audit_fields_t   *f;
    gs_str_t             type;
    gs_str_t             stage;
    gs_str_t             node;             /* that has written it */
    gs_str_t             up_ip;            /* empty: no address */
    gs_str_t             up_port;
    uint64_t             status;
    uint64_t             ms;               /* time, since the epoch */
    unsigned             outcome;          /* 0 unknown, 1 good, 2 failed */
    unsigned             severity;         /* 1 to 5 */
    unsigned             http:1;           /* a request, or many */
    unsigned             denied:1;
    unsigned             blocked:1;        /* by a rule */
    unsigned             src_ip:1;         /* is an address */
    size_t               dir_len;          /* of JSON objects that are open */
    char                 dir[128];         /* "http.request." */
    unsigned char        used[GS_AUDIT_FIELDS];
} gs_audit_export_t;


typedef struct gs_audit_row_s  gs_audit_row_t;

typedef void (*gs_audit_row_pt)(gs_audit_export_t *x,
    const gs_audit_row_t *row);


/* Where a value goes; object and key say which, or key is the value. */
struct gs_audit_row_s {
    const char          *path;
    const char          *object;
    const char          *key;
    gs_audit_row_pt      put;
};


/* The field, which is told then; NULL if there is none. */
const gs_audit_field_t *gs_audit_export_take(gs_audit_export_t *x,
    const char *object, const char *key);

/* The same, but no row: what may stand between quotes. */
const gs_audit_field_t *gs_audit_export_scalar(gs_audit_export_t *x,
    const char *object, const char *key);

/* from and to are a span of time, not two settings of the clock. */
int gs_audit_export_spans(const gs_audit_export_t *x);

/* A time of the line in ms since the epoch, 0 if there is none. */
uint64_t gs_audit_export_ms(const gs_str_t *time);

void gs_audit_export_ecs(gs_audit_export_t *x);
void gs_audit_export_ocsf(gs_audit_export_t *x);
void gs_audit_export_cef(gs_audit_export_t *x);

/* JSON: a line as its rows say, the last without a path; the rest in dir. */
void gs_audit_put_rows(gs_audit_export_t *x, const gs_audit_row_t *row,
    const char *dir);

/* JSON: the members of the row, as its path says. */
void gs_audit_put_open(gs_audit_export_t *x, const char *path);
void gs_audit_put_u64(gs_audit_export_t *x, const char *path, uint64_t n);
void gs_audit_put_str(gs_audit_export_t *x, const char *path,
    const gs_str_t *s);
void gs_audit_put_text(gs_audit_export_t *x, const char *path,
    const char *text);
void gs_audit_put_raw(gs_audit_export_t *x, const char *path,
    const char *json);
void gs_audit_row_copy(gs_audit_export_t *x, const gs_audit_row_t *row);
void gs_audit_row_string(gs_audit_export_t *x, const gs_audit_row_t *row);
void gs_audit_row_word(gs_audit_export_t *x, const gs_audit_row_t *row);
void gs_audit_row_json(gs_audit_export_t *x, const gs_audit_row_t *row);
void gs_audit_row_node(gs_audit_export_t *x, const gs_audit_row_t *row);
void gs_audit_row_action(gs_audit_export_t *x, const gs_audit_row_t *row);
void gs_audit_row_span(gs_audit_export_t *x, const gs_audit_row_t *row);
void gs_audit_row_trace(gs_audit_export_t *x, const gs_audit_row_t *row);
void gs_audit_row_reason(gs_audit_export_t *x, const gs_audit_row_t *row);
void gs_audit_row_up_ip(gs_audit_export_t *x, const gs_audit_row_t *row);
void gs_audit_row_up_port(gs_audit_export_t *x, const gs_audit_row_t *row);


#endif /* _GS_AUDIT_EXPORT_PRIV_H_INCLUDED_ */
