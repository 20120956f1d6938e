
/*
 * Copyright (C) govsvc authors
 *
 * Alerts: security events of a time put together by kind, source and target,
 * and told to people and machines in a bounded number of messages whose
 * counts are exact.
 */


#ifndef _GS_ALERT_H_INCLUDED_
#define _GS_ALERT_H_INCLUDED_


#include "audit/gs_audit_event.h"
#include "audit/gs_audit_syslog.h"


#define GS_ALERT_GROUPS   512              /* told apart in one round */
#define GS_ALERT_LISTED   10               /* groups in a digest */
#define GS_ALERT_TEXT     4096             /* bytes of a text, of a robot */
#define GS_ALERT_BODY     24576            /* of a request */
#define GS_ALERT_WORD     96               /* of a word that is told */
#define GS_ALERT_SIGN     160              /* of a signature, encoded */


typedef enum {
    GS_ALERT_CLOUDEVENTS = 0,
    GS_ALERT_DINGTALK,
    GS_ALERT_FEISHU,
    GS_ALERT_WECOM,
    GS_ALERT_FORMS
} gs_alert_form_e;


typedef enum {
    GS_ALERT_ZH = 0,
    GS_ALERT_EN
} gs_alert_lang_e;


/* What the answer of a receiver means. */
typedef enum {
    GS_ALERT_TAKEN = 0,
    GS_ALERT_RETRY,                        /* it may work later */
    GS_ALERT_LIMITED,                      /* too many: rest for a while */
    GS_ALERT_REFUSED                       /* it will never work */
} gs_alert_answer_e;


/*
 * What is used of a line.  Words are cut to GS_ALERT_WORD bytes and hold
 * letters, digits and . : / _ - * only, so that they are harmless in any text.
 */
typedef struct {
    unsigned                  len;
    char                      text[GS_ALERT_WORD];
} gs_alert_word_t;


typedef struct {
    const gs_audit_attack_t  *attack;
    uint64_t                  time;        /* us */
    uint64_t                  n;           /* events in the line */
    unsigned                  severity;
    unsigned                  action;      /* bits */
    uint64_t                  rule;        /* the first, or 0 */
    gs_alert_word_t           id;
    gs_alert_word_t           source;
    gs_alert_word_t           target;
    gs_alert_word_t           critical;
    gs_alert_word_t           request;
} gs_alert_event_t;


typedef struct {
    const gs_audit_attack_t  *attack;
    uint64_t                  key;
    uint64_t                  n;
    uint64_t                  blocked;
    uint64_t                  banned;
    uint64_t                  first;       /* us */
    uint64_t                  last;
    uint64_t                  rule;
    unsigned                  severity;
    gs_alert_word_t           id;          /* of the first record */
    gs_alert_word_t           source;
    gs_alert_word_t           target;
    gs_alert_word_t           critical;
    gs_alert_word_t           request;     /* a sample */
} gs_alert_group_t;


/* One round; zeroed by gs_alert_begin(). */
typedef struct {
    unsigned                  ngroups;
    unsigned                  severity;    /* the gravest */
    uint64_t                  n;           /* events of all */
    uint64_t                  more;        /* of groups there was no room for */
    uint64_t                  first;
    uint64_t                  last;
    gs_alert_group_t          groups[GS_ALERT_GROUPS];
    uint16_t                  index[GS_ALERT_GROUPS * 2];
} gs_alert_round_t;


/*
 * Messages of a round in their order: groups by themselves, gravest first, and
 * then one digest of the rest.
 */
typedef struct {
    unsigned                  single;
    unsigned                  digest;      /* 0 or 1 */
} gs_alert_plan_t;


/* A bound on messages: so many a minute, as many at once. */
typedef struct {
    uint64_t                  rate;
    uint64_t                  level;       /* in 1/60000 */
    uint64_t                  time;        /* ms */
} gs_alert_bucket_t;


typedef struct {
    const gs_alert_round_t   *round;
    unsigned                  from;        /* groups [from, to) */
    unsigned                  to;
    unsigned                  digest:1;    /* and what had no room */
    gs_alert_lang_e           lang;
    gs_str_t                  node;
    uint64_t                  time;        /* us, of the sending */
    uint64_t                  number;      /* of the round's first record */
} gs_alert_message_t;


/*
 * Reads a line of the store.  GS_DECLINED: it is no event; GS_ERROR: it is no
 * line of ours.  Any bytes may come.
 */
gs_rc_t gs_alert_read(const gs_str_t *line, gs_alert_event_t *ev);

void gs_alert_begin(gs_alert_round_t *round);
void gs_alert_add(gs_alert_round_t *round, const gs_alert_event_t *ev);

/* Sorts the groups and divides them among at most max messages (1 or more). */
gs_alert_plan_t gs_alert_plan(gs_alert_round_t *round, unsigned max);

/* Message i of a plan. */
void gs_alert_message(gs_alert_message_t *m, const gs_alert_round_t *round,
    const gs_alert_plan_t *plan, unsigned i);

/* The number of events that a message tells of. */
uint64_t gs_alert_count(const gs_alert_message_t *m);

/* Full at first.  _tokens(): how many may go now; _take(): one went. */
void gs_alert_bucket(gs_alert_bucket_t *b, uint64_t rate, uint64_t now);
unsigned gs_alert_tokens(gs_alert_bucket_t *b, uint64_t now);
void gs_alert_take(gs_alert_bucket_t *b);

/* The text of a robot: markdown that all three understand. */
void gs_alert_text(gs_buf_t *b, const gs_alert_message_t *m);

/* Its first line without signs of markdown. */
void gs_alert_title(gs_buf_t *b, const gs_alert_message_t *m);

/*
 * The body of the request.  secret is that of the robot, for the form that
 * signs in the body; empty: not signed.  GS_ERROR: no room, or libcrypto.
 */
gs_rc_t gs_alert_body(gs_buf_t *b, const gs_alert_message_t *m,
    gs_alert_form_e form, const gs_str_t *secret);

/*
 * The data of the event alone, and its id; both stay the same when it is told
 * again.
 */
void gs_alert_data(gs_buf_t *b, const gs_alert_message_t *m);
void gs_alert_id(gs_buf_t *b, const gs_alert_message_t *m);

/* Of grades 0 (none) to 4, by language. */
extern const char *const  gs_alert_grades[][2];

/* The gravest grade in it. */
unsigned gs_alert_severity(const gs_alert_message_t *m);

/*
 * The message as one of RFC 5424, without a frame, and the same whenever it is
 * told again: facility, app and sd of s are the caller's, the rest is filled
 * in and of no use afterwards.  A text of more than max bytes (0: any) is left
 * out, and "len" tells of it.  GS_ERROR: no room.
 */
gs_rc_t gs_alert_syslog(gs_buf_t *b, const gs_alert_message_t *m,
    gs_audit_syslog_t *s, size_t max);

/*
 * What is added to the target of the URL ("&timestamp=..&sign=.."; GS_DECLINED
 * for forms that add nothing), and the value of X-Govsvc-Signature,
 * "t=SECONDS,v1=HEX", the HMAC-SHA256 over "SECONDS.BODY".
 */
gs_rc_t gs_alert_sign_target(gs_buf_t *b, gs_alert_form_e form,
    const gs_str_t *secret, uint64_t ms);
gs_rc_t gs_alert_sign_header(gs_buf_t *b, const gs_str_t *secret,
    uint64_t seconds, const gs_str_t *body);

/*
 * Base64 of HMAC-SHA256 over "TIME\nsecret", as DingTalk (key is the secret)
 * and Feishu (that text is the key, of nothing) have it; dst holds 44 bytes.
 */
gs_rc_t gs_alert_sign(gs_uchar_t *dst, gs_alert_form_e form,
    const gs_str_t *secret, uint64_t time);

/* code: what the service said of an error, or 0. */
gs_alert_answer_e gs_alert_answer(gs_alert_form_e form, unsigned status,
    const gs_str_t *body, int64_t *code);


#endif /* _GS_ALERT_H_INCLUDED_ */
