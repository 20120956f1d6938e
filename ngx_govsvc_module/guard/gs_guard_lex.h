
/*
 * Copyright (C) govsvc authors
 *
 * Words of a rule file by the lexical rules of Nginx: words end at space,
 * ";" and "{", may be quoted by " or ', and \" \' \\ \t \r \n are escapes in
 * both kinds; every other backslash stays.  "#" at the start of a word begins
 * a comment.  One addition: "+" or "-" right before a quote stands alone.
 */


#ifndef _GS_GUARD_LEX_H_INCLUDED_
#define _GS_GUARD_LEX_H_INCLUDED_


#include "core/gs_err.h"
#include "core/gs_mem.h"
#include "core/gs_rc.h"
#include "core/gs_str.h"


#define GS_GUARD_MAX_WORD  4096


typedef enum {
    GS_LEX_WORD = 0,
    GS_LEX_PLUS,
    GS_LEX_MINUS,
    GS_LEX_END,                            /* ; */
    GS_LEX_OPEN,                           /* { */
    GS_LEX_CLOSE,                          /* } */
    GS_LEX_EOF
} gs_lex_type_e;


typedef struct {
    gs_lex_type_e      type;
    unsigned           line;               /* where it begins */
    gs_str_t           text;               /* of a word, NUL behind it */
} gs_lex_token_t;


typedef struct {
    gs_mem_t          *mem;                /* for the texts of words */
    gs_str_t           file;
    const gs_uchar_t  *pos;
    const gs_uchar_t  *last;
    unsigned           line;
    gs_err_t          *err;
} gs_lex_t;


void gs_lex_init(gs_lex_t *lex, gs_mem_t *mem, const gs_str_t *file,
    const gs_str_t *text, gs_err_t *err);

/* The next token; GS_ERROR with err filled, file and line included. */
gs_rc_t gs_lex_next(gs_lex_t *lex, gs_lex_token_t *token);

/* Puts file and line into err, behind a gs_err(); returns GS_ERROR. */
gs_rc_t gs_lex_fail(gs_lex_t *lex, unsigned line);

/* 'unexpected "x"', for a token that cannot stand here. */
gs_rc_t gs_lex_unexpected(gs_lex_t *lex, const gs_lex_token_t *token,
    const char *expected);


#endif /* _GS_GUARD_LEX_H_INCLUDED_ */
