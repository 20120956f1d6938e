
/*
 * Copyright (C) govsvc authors
 *
 * What a signed request means, told from the text of each scheme and not from
 * the code that verifies: two requests of one meaning are the same one.
 *
 *   RFC 9110 5.1       names of fields in any case
 *   RFC 9110 5.3       several lines of a field, joined in order
 *   RFC 9110 5.5       blanks around a value
 *   RFC 9110 5.6.1     blanks around commas and a comma at the end of
 *                      Authorization
 *   RFC 9110 11.1      names of authentication schemes in any case
 *   RFC 9110 4.2.3     a host in any case, a port that the scheme implies
 *   RFC 3986 2.1, 2.3  digits of escapes in any case, unreserved bytes escaped
 *                      or not
 *   RFC 3986 5.2.4     dot segments (SigV4 but S3: and empty segments)
 *   RFC 4648 8         hexadecimal digits in any case
 *   URL Standard 5.1   empty parameters, "a" for "a=", "%" without digits
 *   SigV4              parameters in any order, blanks within values
 *   RFC 9421 3.2       signatures of others beside it
 *   x-tif, x-rio, x-sal  one form by three names
 *
 * sign_meaning() writes what is left, each part with its length before it, or
 * returns 0 for a request that has no meaning.
 */


#ifndef _SIGN_MEANING_H_INCLUDED_
#define _SIGN_MEANING_H_INCLUDED_


#include <stdlib.h>

#include "core/gs_buf.h"
#include "core/gs_hex.h"
#include "token/gs_sign.h"


#define MSG_TEXT     800
#define MSG_HEADERS  16
#define MSG_PARAMS   200


typedef struct {
    size_t       len;
    gs_uchar_t   data[MSG_TEXT];
} msg_text_t;


typedef struct {
    msg_text_t   method;
    msg_text_t   target;
    msg_text_t   body;
    msg_text_t   name[MSG_HEADERS];
    msg_text_t   value[MSG_HEADERS];
    size_t       n;
} msg_t;


typedef struct {
    gs_str_t     name;
    gs_str_t     value;
} msg_param_t;


static inline gs_str_t
msg_str(const msg_text_t *t)
{
    return gs_str_make(t->data, t->len);
}


static inline void
say(gs_buf_t *b, gs_str_t s)
{
    gs_buf_i64(b, (int64_t) s.len);
    gs_buf_char(b, ':');
    gs_buf_str(b, &s);
    gs_buf_char(b, ',');
}


static inline gs_str_t
no_blanks(gs_str_t s)
{
    while (s.len != 0 && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s.data++;
        s.len--;
    }

    while (s.len != 0 && (s.data[s.len - 1] == ' '
                          || s.data[s.len - 1] == '\t'))
    {
        s.len--;
    }

    return s;
}


static inline void
say_lower(gs_buf_t *b, gs_str_t s)
{
    size_t             i;
    static gs_uchar_t  text[MSG_TEXT];

    for (i = 0; i < s.len; i++) {
        text[i] = (gs_uchar_t) gs_to_lower(s.data[i]);
    }

    say(b, gs_str_make(text, s.len));
}


/* The lines of that name, *value the first one. */

static inline size_t
lines(const msg_t *m, const char *name, gs_str_t *value)
{
    size_t    i, n;
    gs_str_t  s;

    n = 0;
    *value = gs_str_make((const gs_uchar_t *) "", 0);

    for (i = 0; i < m->n; i++) {
        s = msg_str(&m->name[i]);

        if (gs_str_case_eq_text(&s, name) && n++ == 0) {
            *value = no_blanks(msg_str(&m->value[i]));
        }
    }

    return n;
}


/* Escapes undone, in room that is given. */

static inline gs_str_t
plain(gs_str_t s, gs_uchar_t *room)
{
    int     high, low;
    size_t  i, n;

    for (i = 0, n = 0; i < s.len; i++) {
        room[n] = s.data[i];

        if (s.data[i] == '%' && i + 2 < s.len) {
            high = gs_hex_value(s.data[i + 1]);
            low = gs_hex_value(s.data[i + 2]);

            if (high >= 0 && low >= 0) {
                room[n] = (gs_uchar_t) (high * 16 + low);
                i += 2;
            }
        }

        n++;
    }

    return gs_str_make(room, n);
}


static inline int
param_cmp(const void *one, const void *two)
{
    int                rc;
    const msg_param_t *a = one, *b = two;

    rc = gs_str_cmp(&a->name, &b->name);

    return rc != 0 ? rc : gs_str_cmp(&a->value, &b->value);
}


/* The parameters in order; of but the value goes to *alone instead. */

static inline void
say_query(gs_buf_t *b, gs_str_t query, int undo, const char *but,
    gs_str_t *alone)
{
    size_t              n, i, eq, end;
    gs_str_t            s;
    static gs_uchar_t   sig[MSG_TEXT], room[MSG_PARAMS * 2][MSG_TEXT];
    static msg_param_t  params[MSG_PARAMS];

    for (n = 0, i = 0; i < query.len; i = end + 1) {
        end = gs_str_chr(&query, i, '&');
        s = gs_str_make(query.data + i, end - i);
        eq = gs_str_chr(&s, 0, '=');

        if (s.len == 0) {
            continue;
        }

        params[n].name = gs_str_make(s.data, eq);
        params[n].value = gs_str_make(s.data + eq, s.len - eq);

        if (undo) {
            params[n].name = plain(params[n].name, room[2 * n]);

            if (eq < s.len) {
                s = gs_str_make(s.data + eq + 1, s.len - eq - 1);
                params[n].value = plain(s, room[2 * n + 1]);
            }
        }

        if (but != NULL && gs_str_eq_text(&params[n].name, but)) {
            *alone = plain(s, sig);
            but = NULL;
            continue;
        }

        n++;
    }

    qsort(params, n, sizeof(msg_param_t), param_cmp);

    for (i = 0; i < n; i++) {
        say(b, params[i].name);
        say(b, params[i].value);
    }

    say(b, gs_str_text("end"));
}


static inline void
split(const msg_t *m, gs_str_t *path, gs_str_t *query)
{
    size_t    at;
    gs_str_t  s;

    s = msg_str(&m->target);
    at = gs_str_chr(&s, 0, '?');
    *path = gs_str_make(s.data, at);
    *query = at < s.len ? gs_str_make(s.data + at + 1, s.len - at - 1)
                        : gs_str_make(s.data + at, 0);
}


static inline void
say_host(gs_buf_t *b, gs_str_t host)
{
    gs_str_t  port;

    port = gs_str_text(":80");

    if (gs_str_suffix(&host, &port)) {
        host.len -= 3;
    }

    say_lower(b, host);
}


/* RFC 3986 section 5.2.4 over segments, of which none is empty */

static inline void
say_segments(gs_buf_t *b, gs_str_t path)
{
    int       slash;
    size_t    i, end, n;
    gs_str_t  s, segments[MSG_TEXT];

    n = 0;
    slash = 1;

    for (i = 0; i < path.len; i = end + 1) {
        end = gs_str_chr(&path, i, '/');
        s = gs_str_make(path.data + i, end - i);
        slash = (end < path.len);

        if (gs_str_eq_text(&s, "..")) {
            n -= (n != 0);
            slash = 1;

        } else if (gs_str_eq_text(&s, ".")) {
            slash = 1;

        } else if (s.len != 0) {
            segments[n++] = s;
        }
    }

    for (i = 0; i < n; i++) {
        say(b, segments[i]);
    }

    say(b, gs_str_text(slash || n == 0 ? "/" : ""));
}


static inline int
mean_tif(const msg_t *m, gs_buf_t *b)
{
    char         name[32];
    size_t       i, k, n, count[7];
    gs_str_t     value[7];
    const char  *prefix;

    static const char *const  prefixes[] = { "x-tif-", "x-rio-", "x-sal-" };
    static const char *const  names[] = {
        "paasid", "timestamp", "nonce", "signature", "uid", "uinfo", "ext"
    };

    prefix = NULL;

    for (i = 0; i < 3; i++) {
        for (k = 0, n = 0; k < 4; k += 3) {
            strcpy(name, prefixes[i]);
            strcat(name, names[k]);
            n += lines(m, name, &value[0]);
        }

        if (n != 0 && prefix != NULL) {
            return 0;
        }

        prefix = n ? prefixes[i] : prefix;
    }

    if (prefix == NULL) {
        return 0;
    }

    for (k = 0; k < 7; k++) {
        strcpy(name, prefix);
        strcat(name, names[k]);
        count[k] = lines(m, name, &value[k]);

        if (count[k] > 1 || (k < 4 && count[k] == 0)) {
            return 0;
        }
    }

    for (k = 0; k < (value[4].len ? 7 : 3); k++) {
        if (k == 3) {
            say_lower(b, value[3]);

        } else {
            say(b, value[k]);
        }
    }

    if (value[4].len == 0) {
        say_lower(b, value[3]);
    }

    return 1;
}


static inline int
mean_gjzwfwpt(const msg_t *m, gs_buf_t *b)
{
    size_t    i;
    gs_str_t  value;

    static const char *const  names[] = {
        "gjzwfwpt_rid", "gjzwfwpt_sid", "gjzwfwpt_rtime", "gjzwfwpt_sign"
    };

    for (i = 0; i < 4; i++) {
        if (lines(m, names[i], &value) != 1) {
            return 0;
        }

        say(b, value);
    }

    return 1;
}


static inline int
mean_xbg(const msg_t *m, gs_buf_t *b)
{
    size_t    i;
    gs_str_t  path, query, value;

    static const char *const  names[] = {
        "x-bg-hmac-access-key", "x-bg-date-time", "x-bg-hmac-signature"
    };

    split(m, &path, &query);
    say(b, msg_str(&m->method));
    say(b, path);
    say_query(b, query, 0, NULL, NULL);

    for (i = 0; i < 3; i++) {
        if (lines(m, names[i], &value) != 1) {
            return 0;
        }

        say(b, value);
    }

    if (lines(m, "x-bg-hmac-algorithm", &value) != 1) {
        return 0;
    }

    say_lower(b, value);

    return 1;
}


/* "WORD a=1, b=2" of Authorization, each name once, in the order of names. */

static inline int
say_fields(const msg_t *m, gs_buf_t *b, const char *const *names, size_t n)
{
    size_t    i, k, end, eq;
    gs_str_t  value, field, name, found[4];

    if (lines(m, "authorization", &value) != 1) {
        return 0;
    }

    i = gs_str_chr(&value, 0, ' ');
    say_lower(b, gs_str_make(value.data, i));
    memset(found, 0, sizeof(found));

    for (i = i + 1; i < value.len; i = end + 1) {
        end = gs_str_chr(&value, i, ',');
        field = no_blanks(gs_str_make(value.data + i, end - i));
        eq = gs_str_chr(&field, 0, '=');
        name = gs_str_make(field.data, eq);

        for (k = 0; k < n; k++) {
            if (gs_str_eq_text(&name, names[k])) {
                break;
            }
        }

        if (k == n || eq == field.len || found[k].data != NULL) {
            return 0;
        }

        found[k] = gs_str_make(field.data + eq + 1, field.len - eq - 1);
    }

    for (k = 0; k < n; k++) {
        if (found[k].data == NULL) {
            return 0;
        }

        if (strcmp(names[k], "Signature") == 0) {
            say_lower(b, found[k]);

        } else {
            say(b, found[k]);
        }
    }

    return 1;
}


static inline int
mean_govhmac(const msg_t *m, gs_buf_t *b)
{
    gs_str_t  path, query, value;

    static const char *const  names[] = {
        "app", "time", "nonce", "signature"
    };

    split(m, &path, &query);
    say(b, msg_str(&m->method));
    say(b, path);
    say_query(b, query, 1, NULL, NULL);

    if (lines(m, "host", &value) != 1) {
        return 0;
    }

    say_host(b, value);

    if (lines(m, "content-digest", &value) > 1) {
        return 0;
    }

    say(b, value);
    say(b, msg_str(&m->body));

    return say_fields(m, b, names, 4);
}


/* All lines of a name, joined, with single blanks within if squeezed. */

static inline void
say_joined(const msg_t *m, gs_buf_t *b, gs_str_t name, const char *sep,
    int squeeze)
{
    size_t             i, k, n, count;
    gs_str_t           s;
    static gs_uchar_t  text[MSG_TEXT * 2];

    n = 0;
    count = 0;

    for (i = 0; i < m->n; i++) {
        s = msg_str(&m->name[i]);

        if (!gs_str_case_eq(&s, &name)) {
            continue;
        }

        s = no_blanks(msg_str(&m->value[i]));

        if (count++ != 0) {
            memcpy(text + n, sep, strlen(sep));
            n += strlen(sep);
        }

        for (k = 0; k < s.len; k++) {
            if (!squeeze || s.data[k] != ' ' || s.data[k - 1] != ' ') {
                text[n++] = s.data[k];
            }
        }
    }

    say(b, count ? gs_str_make(text, n) : gs_str_text("\n none"));
}


static inline int
in_list(gs_str_t list, gs_str_t name)
{
    size_t    i, end;
    gs_str_t  item;

    for (i = 0; i <= list.len; i = end + 1) {
        end = gs_str_chr(&list, i, ';');
        item = gs_str_make(list.data + i, end - i);

        if (gs_str_case_eq(&item, &name)) {
            return 1;
        }
    }

    return 0;
}


/* Of S3 the path is a name; signed headers are those of list. */

static inline int
say_v4(const msg_t *m, gs_buf_t *b, gs_str_t list, int s3)
{
    size_t             i, end;
    gs_str_t           path, query, name, head;
    static gs_uchar_t  room[MSG_TEXT];

    split(m, &path, &query);
    say(b, msg_str(&m->method));

    if (s3) {
        say(b, plain(path, room));

    } else {
        say_segments(b, path);
    }

    for (i = 0; i < m->n; i++) {
        name = msg_str(&m->name[i]);

        head = gs_str_make(name.data, name.len < 6 ? name.len : 6);

        if ((gs_str_case_eq_text(&head, "x-amz-")
             || gs_str_case_eq_text(&name, "content-type"))
            && !in_list(list, name))
        {
            return 0;
        }
    }

    for (i = 0; i <= list.len; i = end + 1) {
        end = gs_str_chr(&list, i, ';');
        name = gs_str_make(list.data + i, end - i);
        say(b, name);
        say_joined(m, b, name, ",", 1);
    }

    say(b, msg_str(&m->body));

    return 1;
}


static inline int
mean_v4(const msg_t *m, gs_buf_t *b, int s3)
{
    gs_str_t  path, query;

    static const char *const  names[] = {
        "Credential", "SignedHeaders", "Signature"
    };

    split(m, &path, &query);
    say_query(b, query, 1, NULL, NULL);

    return say_fields(m, b, names, 3)
           && say_v4(m, b, gs_str_text("content-type;host;"
                                       "x-amz-content-sha256;x-amz-date"),
                     s3);
}


static inline int
mean_v4_query(const msg_t *m, gs_buf_t *b, int s3)
{
    gs_str_t  path, query, sig;

    sig = gs_str_text("");
    split(m, &path, &query);
    say_query(b, query, 1, "X-Amz-Signature", &sig);
    say_lower(b, sig);

    return say_v4(m, b, gs_str_text("host"), s3);
}


/* The member "gov" of a dictionary; signatures of others are no matter. */

static inline size_t
member(const msg_t *m, const char *name, gs_str_t *value)
{
    size_t    i, n;
    gs_str_t  s, label;

    n = 0;
    label = gs_str_text("gov=");

    for (i = 0; i < m->n; i++) {
        s = msg_str(&m->name[i]);

        if (!gs_str_case_eq_text(&s, name)) {
            continue;
        }

        s = no_blanks(msg_str(&m->value[i]));

        if (gs_str_prefix(&s, &label)) {
            *value = s;
            n++;
        }
    }

    return n;
}


/* The components of the tests: derived ones and content-digest. */

static inline int
mean_rfc9421(const msg_t *m, gs_buf_t *b)
{
    gs_str_t  input, sig, path, query, host;

    if (member(m, "signature-input", &input) != 1
        || member(m, "signature", &sig) != 1
        || lines(m, "host", &host) != 1)
    {
        return 0;
    }

    say(b, input);
    say(b, sig);

    split(m, &path, &query);
    say(b, msg_str(&m->method));
    say(b, path);
    say(b, query);
    say_host(b, host);
    say_joined(m, b, gs_str_text("content-digest"), ", ", 0);
    say(b, msg_str(&m->body));

    return 1;
}


#endif /* _SIGN_MEANING_H_INCLUDED_ */
