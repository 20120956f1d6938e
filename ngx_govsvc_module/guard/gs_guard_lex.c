
/*
 * Copyright (C) govsvc authors
 *
 * Words of a rule file by the lexical rules of Nginx.
 */


#include "guard/gs_guard_lex.h"


static void gs_lex_skip(gs_lex_t *lex);
static int gs_lex_space(int c);
static gs_rc_t gs_lex_word(gs_lex_t *lex, gs_lex_token_t *token, int quote);
static const gs_uchar_t *gs_lex_scan(gs_lex_t *lex, int quote);
static gs_rc_t gs_lex_copy(gs_lex_t *lex, gs_lex_token_t *token,
    const gs_uchar_t *end);


void
gs_lex_init(gs_lex_t *lex, gs_mem_t *mem, const gs_str_t *file,
    const gs_str_t *text, gs_err_t *err)
{
    lex->mem = mem;
    lex->file = *file;
    lex->pos = text->data;
    lex->last = (text->len == 0) ? text->data : text->data + text->len;
    lex->line = 1;
    lex->err = err;
}


gs_rc_t
gs_lex_next(gs_lex_t *lex, gs_lex_token_t *token)
{
    int  c;

    gs_lex_skip(lex);

    token->line = lex->line;
    token->text = gs_str_make(NULL, 0);

    if (lex->pos == lex->last) {
        token->type = GS_LEX_EOF;
        return GS_OK;
    }

    c = *lex->pos;

    switch (c) {

    case ';':
        token->type = GS_LEX_END;
        break;

    case '{':
        token->type = GS_LEX_OPEN;
        break;

    case '}':
        token->type = GS_LEX_CLOSE;
        break;

    case '+':
    case '-':

        if (lex->last - lex->pos < 2
            || (lex->pos[1] != '"' && lex->pos[1] != '\''))
        {
            return gs_lex_word(lex, token, 0);
        }

        token->type = (c == '+') ? GS_LEX_PLUS : GS_LEX_MINUS;
        break;

    case '"':
    case '\'':
        lex->pos++;
        return gs_lex_word(lex, token, c);

    default:
        return gs_lex_word(lex, token, 0);
    }

    token->text = gs_str_make(lex->pos, 1);
    lex->pos++;

    return GS_OK;
}


static void
gs_lex_skip(gs_lex_t *lex)
{
    int  comment;

    comment = 0;

    for ( /* void */ ; lex->pos < lex->last; lex->pos++) {

        if (*lex->pos == '\n') {
            lex->line++;
            comment = 0;
            continue;
        }

        if (comment || gs_lex_space(*lex->pos)) {
            continue;
        }

        if (*lex->pos != '#') {
            return;
        }

        comment = 1;
    }
}


static int
gs_lex_space(int c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}


static gs_rc_t
gs_lex_word(gs_lex_t *lex, gs_lex_token_t *token, int quote)
{
    const gs_uchar_t  *end;

    token->type = GS_LEX_WORD;

    end = gs_lex_scan(lex, quote);

    if (end == NULL) {
        (void) gs_err(lex->err, "unexpected end of file, expecting %c", quote);
        return gs_lex_fail(lex, token->line);
    }

    if (end - lex->pos > GS_GUARD_MAX_WORD) {
        (void) gs_err(lex->err, "too long word: more than %d bytes",
                      GS_GUARD_MAX_WORD);
        return gs_lex_fail(lex, token->line);
    }

    if (gs_lex_copy(lex, token, end) != GS_OK) {
        (void) gs_err(lex->err, "no memory");
        return gs_lex_fail(lex, token->line);
    }

    lex->pos = end;

    if (quote == 0) {
        return GS_OK;
    }

    lex->pos++;

    if (lex->pos < lex->last && !gs_lex_space(*lex->pos)
        && *lex->pos != ';' && *lex->pos != '{')
    {
        (void) gs_err(lex->err, "unexpected \"%c\" behind a quoted word",
                      *lex->pos);
        return gs_lex_fail(lex, lex->line);
    }

    return GS_OK;
}


/* The end of the word at pos: the quote, or the first byte behind. */

static const gs_uchar_t *
gs_lex_scan(gs_lex_t *lex, int quote)
{
    int                variable;
    const gs_uchar_t  *p;

    variable = 0;

    for (p = lex->pos; p < lex->last; p++) {

        if (*p == '\n') {
            if (quote == 0) {
                return p;
            }

            lex->line++;
        }

        if (quote != 0 && *p == quote) {
            return p;
        }

        if (quote == 0) {
            if (gs_lex_space(*p) || *p == ';' || (*p == '{' && !variable)) {
                return p;
            }

            variable = (*p == '$');
        }

        if (*p == '\\' && lex->last - p > 1) {
            p++;

            if (*p == '\n') {
                lex->line++;
            }
        }
    }

    return (quote == 0) ? p : NULL;
}


static gs_rc_t
gs_lex_copy(gs_lex_t *lex, gs_lex_token_t *token, const gs_uchar_t *end)
{
    gs_uchar_t        *dst, *d;
    const gs_uchar_t  *p;

    dst = gs_alloc(lex->mem, (size_t) (end - lex->pos) + 1);
    if (dst == NULL) {
        return GS_ERROR;
    }

    d = dst;

    for (p = lex->pos; p < end; p++) {

        if (*p != '\\' || end - p < 2) {
            *d++ = *p;
            continue;
        }

        switch (p[1]) {

        case '"':
        case '\'':
        case '\\':
            *d++ = *++p;
            break;

        case 't':
            *d++ = '\t';
            p++;
            break;

        case 'r':
            *d++ = '\r';
            p++;
            break;

        case 'n':
            *d++ = '\n';
            p++;
            break;

        default:
            *d++ = *p;
        }
    }

    *d = '\0';
    token->text = gs_str_make(dst, (size_t) (d - dst));

    return GS_OK;
}


gs_rc_t
gs_lex_fail(gs_lex_t *lex, unsigned line)
{
    size_t  n;

    if (lex->err != NULL) {
        n = lex->file.len;

        if (n >= sizeof(lex->err->file)) {
            n = sizeof(lex->err->file) - 1;
        }

        memcpy(lex->err->file, lex->file.data, n);
        lex->err->file[n] = '\0';
        lex->err->line = line;
    }

    return GS_ERROR;
}


gs_rc_t
gs_lex_unexpected(gs_lex_t *lex, const gs_lex_token_t *token,
    const char *expected)
{
    if (token->type == GS_LEX_EOF) {
        (void) gs_err(lex->err, "unexpected end of file, expecting %s",
                      expected);

    } else {
        (void) gs_err(lex->err, "unexpected \"%S\", expecting %s",
                      &token->text, expected);
    }

    return gs_lex_fail(lex, token->line);
}
