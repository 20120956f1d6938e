
/*
 * Copyright (C) govsvc authors
 *
 * Structured Fields (RFC 8941) as far as signatures use them: dictionaries of
 * inner lists and byte sequences, with parameters.  Only the one canonical
 * spelling of an item is taken, so its text is its serialization as well.
 * Private to the room.
 */


#ifndef _GS_SIGN_SF_H_INCLUDED_
#define _GS_SIGN_SF_H_INCLUDED_


#include "token/gs_sign_priv.h"


typedef enum {
    GS_SIGN_SF_INTEGER = 0,
    GS_SIGN_SF_STRING,
    GS_SIGN_SF_TOKEN,
    GS_SIGN_SF_BYTES,
    GS_SIGN_SF_BOOLEAN
} gs_sign_sf_e;


typedef struct {
    gs_sign_sf_e       type;
    gs_str_t           raw;                /* with quotes or colons */
    gs_str_t           text;               /* between them, not unescaped */
    int64_t            number;             /* or 0, 1 of a boolean */
} gs_sign_sf_item_t;


typedef struct {
    const gs_uchar_t  *p;
    const gs_uchar_t  *last;
} gs_sign_sf_t;


void gs_sign_sf_init(gs_sign_sf_t *sf, const gs_str_t *s);

/* The members of a dictionary that may stand in several lines. */
typedef struct {
    const gs_sign_request_t  *r;
    const char               *name;        /* of the header, lower case */
    size_t                    line;
    gs_sign_sf_t              sf;
    unsigned                  inside:1;
} gs_sign_members_t;


/* Takes the byte c if it is the next: 1 or 0. */
int gs_sign_sf_take(gs_sign_sf_t *sf, int c);

void gs_sign_sf_blanks(gs_sign_sf_t *sf);         /* SP */
int gs_sign_sf_end(const gs_sign_sf_t *sf);

/* A key of a dictionary or parameter; a bare item. */
gs_rc_t gs_sign_sf_key(gs_sign_sf_t *sf, gs_str_t *key);
gs_rc_t gs_sign_sf_item(gs_sign_sf_t *sf, gs_sign_sf_item_t *item);

/* ";key" or ";key=item": GS_DECLINED if no parameter follows. */
gs_rc_t gs_sign_sf_param(gs_sign_sf_t *sf, gs_str_t *key,
    gs_sign_sf_item_t *item);

/*
 * Moves behind the comma before the next member: GS_OK, GS_DONE at the end
 * of the field, GS_ERROR on anything else.
 */
gs_rc_t gs_sign_sf_next(gs_sign_sf_t *sf);

/*
 * The next member with a value, an item or a list with parameters, which is
 * walked through and not judged: GS_OK, GS_DONE, GS_ERROR.
 */
void gs_sign_members(gs_sign_members_t *m, const gs_sign_request_t *r,
    const char *name);
gs_rc_t gs_sign_member(gs_sign_members_t *m, gs_str_t *label,
    gs_str_t *value);


#endif /* _GS_SIGN_SF_H_INCLUDED_ */
