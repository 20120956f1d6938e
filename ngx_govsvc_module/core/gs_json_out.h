
/*
 * Copyright (C) govsvc authors
 *
 * JSON output (RFC 8259) into a gs_buf_t, with the strict escaping that the
 * audit record and error bodies need: control bytes, U+007F-U+009F,
 * U+2028/9, bidirectional controls and < > & always as \u; malformed UTF-8
 * as \ufffd.
 */


#ifndef _GS_JSON_OUT_H_INCLUDED_
#define _GS_JSON_OUT_H_INCLUDED_


#include "core/gs_buf.h"


/* A quoted string; returns the number of malformed sequences replaced. */
unsigned gs_json_str(gs_buf_t *b, const gs_str_t *s);

/* The same without the quotes, for text built of several pieces. */
unsigned gs_json_raw(gs_buf_t *b, const gs_str_t *s);

/*
 * ,"key":value; the comma is left out right behind '{'.  key is an ASCII
 * literal that needs no escape.
 */
static inline void gs_json_key(gs_buf_t *b, const char *key);
unsigned gs_json_kv_str(gs_buf_t *b, const char *key, const gs_str_t *value);
void gs_json_kv_text(gs_buf_t *b, const char *key, const char *value);
void gs_json_kv_u64(gs_buf_t *b, const char *key, uint64_t value);

/* A value that we made and that needs no escape (digits, hexadecimal). */
void gs_json_kv_plain(gs_buf_t *b, const char *key, const gs_str_t *value);


static inline void
gs_json_key(gs_buf_t *b, const char *key)
{
    if (b->pos != b->start && b->pos[-1] != '{') {
        gs_buf_char(b, ',');
    }

    gs_buf_char(b, '"');
    gs_buf_text(b, key);
    gs_buf_put(b, "\":", 2);
}


#endif /* _GS_JSON_OUT_H_INCLUDED_ */
