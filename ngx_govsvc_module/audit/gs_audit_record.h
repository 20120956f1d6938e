
/*
 * Copyright (C) govsvc authors
 *
 * What one audit line says, as plain values.  Strings are borrowed; an empty
 * one is absent.  Masking, cutting and escaping belong to gs_audit_json.c:
 * raw values of the request go in, nothing but the line comes out.  Fields
 * for credentials do not exist, so that none can be written.
 */


#ifndef _GS_AUDIT_RECORD_H_INCLUDED_
#define _GS_AUDIT_RECORD_H_INCLUDED_


#include "core/gs_str.h"


/* What a record is worth when there is no room for all. */
typedef enum {
    GS_AUDIT_READ = 0,
    GS_AUDIT_WRITE,
    GS_AUDIT_SECURITY,
    GS_AUDIT_SUPERVISION,                  /* no request, but of one */
    GS_AUDIT_CLASSES
} gs_audit_class_e;


/* A header field; without a value only its name is told. */
typedef struct {
    gs_str_t     name;
    gs_str_t     value;
} gs_audit_header_t;


#define GS_AUDIT_HEADERS  24


typedef enum {
    GS_AUDIT_DONE = 0,                     /* the request has ended */
    GS_AUDIT_INTENT,                       /* nobody was asked yet */
    GS_AUDIT_ABORTED                       /* the process ends before it */
} gs_audit_stage_e;


typedef struct {
    gs_audit_stage_e  stage;

    /* where and when; id is "<node>.<epoch>.<g>" */
    gs_str_t     node;
    uint64_t     epoch;
    uint64_t     g;                        /* over all chains of the node */
    uint64_t     time;                     /* us, wall clock */
    uint64_t     mono;                     /* us */

    /* correlation */
    gs_str_t     request_id;
    gs_str_t     trace_id;
    gs_str_t     span_id;
    uint64_t     intent;                   /* g of it; 0: none */

    /* src */
    gs_str_t     ip;
    gs_str_t     peer;                     /* when ip came from a header */
    unsigned     port;

    /* http */
    gs_str_t     method;
    gs_str_t     host;
    gs_str_t     path;                     /* decoded, normalised */
    gs_str_t     args;                     /* names are written, values not */
    const char  *version;                  /* "1.1" */
    unsigned     status;
    uint64_t     bytes_in;
    uint64_t     bytes_out;
    uint64_t     duration;                 /* us */

    /* sub, tok */
    gs_str_t     pid;                      /* pseudonym, never the subject */
    gs_str_t     subject;                  /* told only if it is a number */
    gs_str_t     kind;                     /* natural, legal */
    gs_str_t     agent;                    /* pseudonym of who acts for it */
    unsigned     level;                    /* assurance, 0: absent */
    gs_str_t     issuer;
    gs_str_t     jti;                      /* pseudonym */
    const char  *token;                    /* valid, absent, bad; NULL */

    /* gov */
    gs_str_t     item;
    gs_str_t     handle;                   /* handle item */
    gs_str_t     case_no;
    gs_str_t     region;
    gs_str_t     platform;
    gs_str_t     pool;
    gs_str_t     channel;
    gs_str_t     app;
    gs_str_t     scheme;                   /* how the application signs */
    gs_str_t     critical;                 /* a system of special watch */

    /* dec */
    unsigned     denied;
    gs_str_t     code;
    uint64_t     rule;                     /* 0: none */
    const char  *limit;                    /* ok, limited, delayed... */
    const char  *attack;                   /* of an event; NULL: none */
    unsigned     severity;

    /* up */
    gs_str_t     up_addr;
    unsigned     up_status;
    unsigned     up_tries;
    uint64_t     up_duration;              /* us */

    gs_str_t     user_agent;
    gs_str_t     referer;                  /* written without its query */

    /* body */
    const char  *body_alg;                 /* NULL: not read, or not asked */
    uint64_t     body_len;
    gs_uchar_t   body_hash[32];

    unsigned           nheaders;
    gs_audit_header_t  headers[GS_AUDIT_HEADERS];
} gs_audit_record_t;


/* Requests that were not written, because the buffer was full. */
typedef struct {
    gs_str_t     node;
    uint64_t     epoch;
    uint64_t     g;
    uint64_t     time;                     /* us */
    uint64_t     n;
    uint64_t     first;                    /* g of the first and the last */
    uint64_t     last;
    const char  *cls;                      /* their class */
    const char  *why;
} gs_audit_loss_t;


/* A request whose process died before it ended. */
typedef struct {
    gs_str_t     node;
    uint64_t     epoch;
    uint64_t     g;
    uint64_t     time;                     /* us, when this was found */
    gs_str_t     request_id;
    uint64_t     intent_epoch;
    uint64_t     intent;                   /* g of its intent, 0: none */
    uint64_t     start;                    /* us */
    const char  *why;
} gs_audit_aborted_t;


/* Refusals of one kind that were counted instead of told one by one. */
typedef struct {
    gs_str_t     node;
    uint64_t     epoch;
    uint64_t     g;
    uint64_t     time;                     /* us */
    uint64_t     n;
    uint64_t     first;                    /* g of the first and the last */
    uint64_t     last;
    uint64_t     first_time;               /* us */
    uint64_t     last_time;
    gs_str_t     net;
    unsigned     status;
    gs_str_t     code;
    uint64_t     rule;                     /* 0: none */
    const char  *attack;                   /* they were events, or NULL */
    unsigned     severity;
    gs_str_t     sample;                   /* a request of them */
} gs_audit_agg_t;


/* A live file that was taken away. */
typedef struct {
    gs_str_t     node;
    uint64_t     epoch;
    uint64_t     g;
    uint64_t     time;                     /* us */
    gs_str_t     segment;
    uint64_t     bytes;                    /* of it that were safe */
    const char  *why;
} gs_audit_tamper_t;


/* What the server did, or what became of a process of it. */
typedef struct {
    gs_str_t     node;
    uint64_t     epoch;
    uint64_t     g;
    uint64_t     time;                     /* us */
    uint64_t     mono;                     /* us */
    const char  *what;                     /* start, stop, worker.died... */
    gs_str_t     name;                     /* of the node, in full */
    const char  *version;
    const char  *server;                   /* "nginx/1.22.1" */
    const char  *alg;                      /* of the two that follow */
    gs_uchar_t   binary[32];
    gs_uchar_t   module[32];
    uint64_t     former;                   /* generation; 0: none */
    uint64_t     pid;                      /* 0: not known */
    uint64_t     parent;
    uint64_t     uid;
    uint64_t     login;                    /* who logged in */
    uint64_t     workers;
    uint64_t     signal;                   /* that killed it; 0: none */
    uint64_t     status;                   /* or with which it ended */
    const char  *why;
    unsigned     digests:1;                /* binary and module are set */
    unsigned     has_uid:1;
    unsigned     has_login:1;
    unsigned     has_status:1;
} gs_audit_sys_t;


/* A file of a configuration; of a secret nothing but its age is told. */
typedef struct {
    gs_str_t     path;
    uint64_t     len;
    uint64_t     changed;                  /* us */
    gs_uchar_t   h[32];
    unsigned     secret:1;
    unsigned     bad:1;                    /* cannot be read */
} gs_audit_cfg_file_t;


typedef struct {
    uint64_t     kid;
    uint64_t     from;                     /* us; 0: from the beginning */
} gs_audit_cfg_key_t;


/* What a generation of the configuration is made of. */
typedef struct {
    gs_str_t     node;
    uint64_t     epoch;
    uint64_t     g;
    uint64_t     time;                     /* us */
    uint64_t     part;                     /* from 1 */
    const char  *alg;
    gs_uchar_t   sum[32];                  /* of all names and digests */
    gs_uchar_t   former[32];
    unsigned     has_former:1;
    size_t       nfiles;
    size_t       nkeys;
    const gs_audit_cfg_file_t  *files;
    const gs_audit_cfg_key_t   *keys;      /* of pseudonyms */
} gs_audit_cfg_t;


/* The wall clock was set. */
typedef struct {
    gs_str_t     node;
    uint64_t     epoch;
    uint64_t     g;
    uint64_t     mono;                     /* us */
    uint64_t     from;                     /* us, what it would have shown */
    uint64_t     to;                       /* us, what it shows */
} gs_audit_step_t;


/* How a segment begins. */
typedef struct {
    gs_str_t     chain;
    uint64_t     seq;
    uint64_t     time;                     /* us */
    uint64_t     keep;                     /* days */
    const char  *why;                      /* start, size, unlinked, eio */

    /* the segment before; name empty: there is none */
    gs_str_t     prev_name;
    uint64_t     prev_bytes;
    uint64_t     prev_seq;
    gs_uchar_t   prev_h[32];
} gs_audit_open_t;


/* How it ends. */
typedef struct {
    gs_str_t     chain;
    uint64_t     seq;
    uint64_t     time;                     /* us */
    uint64_t     n;                        /* lines, with the first and last */
    const char  *why;                      /* size, exit */
} gs_audit_close_t;


#endif /* _GS_AUDIT_RECORD_H_INCLUDED_ */
