
/*
 * Copyright (C) govsvc authors
 *
 * Codes of service items (GB/T 39554.1): the basic code of 12 digits, the
 * implementation code of 31 characters and the handling item of 33.  Parsed
 * in place; length and alphabet are strict, the check character of the
 * embedded credit code (GB 32100) is reported only, for real codes break it.
 */


#ifndef _GS_ITEM_H_INCLUDED_
#define _GS_ITEM_H_INCLUDED_


#include "core/gs_rc.h"
#include "core/gs_str.h"


typedef struct {
    gs_str_t  code;                        /* the whole of it */
    gs_str_t  uscc;                        /* 18, or empty */
    gs_str_t  base;                        /* 12 */
    gs_str_t  issuer;                      /* 2 of base: not the region */
    gs_str_t  type;                        /* 2 of base, any digits */
    gs_str_t  main;                        /* 5 of base */
    gs_str_t  sub;                         /* 3 of base, "000": none */
    gs_str_t  seq;                         /* 2, or empty */
    uint32_t  region;                      /* of the credit code, or 0 */
    unsigned  level;                       /* 1-9, 0 where there is none */
    unsigned  check_failed:1;              /* a warning, never a refusal */
} gs_item_t;


/*
 * GS_OK, or GS_DECLINED when s is no item code; item then is cleared.  Views
 * point into s.  Upper case only, as the standard prints it.
 */
gs_rc_t gs_item_parse(const gs_str_t *s, gs_item_t *item);

/*
 * 1 if two codes name one item: equal, or one a shorter form of the other
 * (31 of 33, 12 of 31).
 */
int gs_item_same(const gs_item_t *a, const gs_item_t *b);

/* The check character of the first 17 of a credit code; 0 if malformed. */
int gs_item_uscc_check(const gs_uchar_t *uscc);

/* 1 if s has the form of a case number: ^[0-9A-Za-z_-]{1,50}$. */
int gs_item_case_no(const gs_str_t *s);


#endif /* _GS_ITEM_H_INCLUDED_ */
