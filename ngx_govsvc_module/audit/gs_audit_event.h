
/*
 * Copyright (C) govsvc authors
 *
 * Security events: records of the chain of type "sec", one for each request
 * with hits, and for what else is an attack or its defence.
 */


#ifndef _GS_AUDIT_EVENT_H_INCLUDED_
#define _GS_AUDIT_EVENT_H_INCLUDED_


#include "core/gs_buf.h"


#define GS_AUDIT_EVENT_RULES     8         /* told of one request */
#define GS_AUDIT_EVENT_EVIDENCE  80        /* bytes of it, masked */
#define GS_AUDIT_EVENT_GRADES    4         /* 1 low to 4 critical */


/* What the gateway did; bits. */
#define GS_AUDIT_EVENT_DETECT    0x01      /* it would have refused */
#define GS_AUDIT_EVENT_BLOCK     0x02      /* refused */
#define GS_AUDIT_EVENT_BAN       0x04
#define GS_AUDIT_EVENT_LIMIT     0x08


/*
 * A kind of attack: its word in records, category and subcategory by the
 * names of GB/T 20986-2023, the grade where no rule tells one.
 */
typedef struct {
    const char  *name;                     /* "sqli" */
    const char  *cat;
    const char  *sub;
    const char  *zh;
    const char  *en;
    unsigned     severity;
    const char  *advice_zh;
    const char  *advice_en;
} gs_audit_attack_t;


typedef struct {
    uint32_t     id;
    gs_str_t     name;
    gs_str_t     target;                   /* "arg:id" */
    gs_str_t     view;
    gs_str_t     sample;                   /* raw, or masked by the guard */
} gs_audit_event_rule_t;


/* Strings are borrowed and raw; an empty one is absent. */
typedef struct {
    gs_str_t     node;
    uint64_t     epoch;
    uint64_t     g;
    uint64_t     time;                     /* us, wall clock */
    gs_str_t     request_id;
    gs_str_t     trace_id;

    const gs_audit_attack_t  *attack;
    unsigned     severity;                 /* before the critical mark */
    gs_str_t     critical;                 /* the kind of system */

    gs_str_t     ip;
    gs_str_t     net;
    gs_str_t     peer;
    gs_str_t     country;                  /* "CN" */
    unsigned     province;                 /* 440000; 0: absent */
    unsigned     asn;                      /* 4134; 0: absent */
    unsigned     port;
    gs_str_t     pid;                      /* pseudonym of the caller */
    gs_str_t     app;

    gs_str_t     platform;
    gs_str_t     route;
    gs_str_t     region;
    gs_str_t     item;
    gs_str_t     method;
    gs_str_t     host;
    gs_str_t     path;
    unsigned     status;

    unsigned     action;
    gs_str_t     code;                     /* of the refusal */
    unsigned     score;
    unsigned     hits;                     /* all, not only those listed */
    uint64_t     count;                    /* of correlation; 0: absent */
    uint64_t     until;                    /* us, of a ban; 0: absent */
    gs_str_t     key;                      /* what is banned, as shown */
    gs_str_t     actor;                    /* who did it by hand, and why */
    gs_str_t     reason;
    unsigned     nrules;
    gs_audit_event_rule_t  rules[GS_AUDIT_EVENT_RULES];
} gs_audit_event_t;


/* The kind of that word; the last one, "other", for unknown words. */
const gs_audit_attack_t *gs_audit_attack(const gs_str_t *name);

/* Kinds in their order from 0; NULL behind the last. */
const gs_audit_attack_t *gs_audit_attack_at(unsigned i);

/* A number above 0 for a name of the table, 0 for NULL; and back. */
unsigned gs_audit_attack_number(const char *name);
const char *gs_audit_attack_name(unsigned number);

/* 1 to 4: a grade more where the system is critical. */
unsigned gs_audit_event_severity(const gs_audit_event_t *ev);

/*
 * Evidence fit to be told: at most GS_AUDIT_EVENT_EVIDENCE bytes, no personal
 * numbers, nothing that looks like a credential (signed tokens, long random
 * words, what follows "password=" and the like), nothing at all of targets
 * that are credentials.  dst holds GS_AUDIT_EVENT_EVIDENCE bytes; returns the
 * length.
 */
size_t gs_audit_event_evidence(gs_uchar_t *dst, const gs_str_t *target,
    const gs_str_t *sample);

/*
 * Masks personal numbers and credentials of any text; dst holds max bytes.
 * Returns the length.
 */
size_t gs_audit_event_mask(gs_uchar_t *dst, size_t max, const gs_str_t *src);

/* Writes a draft, as gs_audit_json_http(). */
size_t gs_audit_json_event(gs_buf_t *b, const gs_audit_event_t *ev);


#endif /* _GS_AUDIT_EVENT_H_INCLUDED_ */
