
/*
 * Copyright (C) govsvc authors
 *
 * Views: what a value means to those behind us.  Each is made once, on first
 * use, from the one before it, and is the very same text where it changes
 * nothing.  Bytes of valid UTF-8 stay as they are.
 */


#include "guard/gs_guard_priv.h"


#define GS_GUARD_BLOB  512                 /* base64 from here on is data */

#define GS_VIEW_SH_SPACES  3               /* the first of them */
#define GS_VIEW_SH_NAMES   10              /* from here on */
#define GS_VIEW_BLOCK      64
#define GS_VIEW_FEW        32


static gs_rc_t gs_view_deep(gs_guard_scratch_t *s, gs_value_t *v);
static gs_rc_t gs_view_behind(gs_guard_scratch_t *s, gs_value_t *v,
    gs_view_e view);
static int gs_view_sqlc_changes(const gs_str_t *text, uint64_t bytes);
static int gs_view_sh_changes(const gs_str_t *text, uint64_t bytes);
static int gs_view_path_changes(const gs_str_t *text, uint64_t bytes);
static int gs_view_pair(const gs_str_t *text, int first, int second);
static gs_rc_t gs_view_none(gs_value_t *v, gs_view_e view);
static gs_rc_t gs_view_set(gs_value_t *v, gs_view_e view,
    const gs_str_t *text);
static gs_str_t gs_view_lower(gs_uchar_t *dst, const gs_str_t *src);
static gs_str_t gs_view_sqlc(gs_uchar_t *dst, const gs_str_t *src);
static size_t gs_view_comment(gs_uchar_t *dst, size_t *n,
    const gs_str_t *src, size_t i);
static gs_str_t gs_view_sh(gs_uchar_t *dst, const gs_str_t *src);
static size_t gs_view_sh_dollar(const gs_str_t *src, size_t i, int *space);
static gs_str_t gs_view_path(gs_uchar_t *dst, const gs_str_t *src);


gs_rc_t
gs_guard_view(gs_guard_scratch_t *s, gs_value_t *v, gs_view_e view)
{
    gs_str_t         text;
    const gs_str_t  *from;

    if (v->have & (1u << view)) {
        return GS_OK;
    }

    if (v->none & (1u << view)) {
        return GS_DECLINED;
    }

    gs_guard_look(s, v);

    if (view == GS_VIEW_URL) {
        return GS_OK;
    }

    from = &v->view[GS_VIEW_URL];

    /* pictures and the like in base64: the tables would only be cold */

    if (from->len >= GS_GUARD_BLOB && view != GS_VIEW_B64
        && (v->bytes & ~GS_BYTE_BASE64) == 0)
    {
        return gs_view_none(v, view);
    }

    if (gs_guard_tick(s, from->len)) {
        return GS_DECLINED;
    }

    switch (view) {

    case GS_VIEW_LOWER:
        v->alike |= 1u << view;
        text = (v->bytes & GS_BYTE_UPPER)
               ? gs_view_lower(s->view[view], from) : *from;
        return gs_view_set(v, view, &text);

    case GS_VIEW_DEEP:
        return gs_view_deep(s, v);

    case GS_VIEW_B64:
        if (gs_guard_b64(s, &text, from) != GS_OK) {
            return gs_view_none(v, view);
        }

        return gs_view_set(v, view, &text);

    default:
        return gs_view_behind(s, v, view);
    }
}


void
gs_guard_look(gs_guard_scratch_t *s, gs_value_t *v)
{
    gs_str_t  text;

    if (v->looked & (1u << GS_VIEW_URL)) {
        return;
    }

    if ((v->have & (1u << GS_VIEW_URL)) == 0) {
        text = gs_guard_unescape(s->view[GS_VIEW_URL], &v->view[GS_VIEW_RAW],
                                 v->decode == GS_DECODE_FORM, &v->facts);
        (void) gs_view_set(v, GS_VIEW_URL, &text);
    }

    text = v->view[GS_VIEW_URL];
    v->bytes = (text.len == s->outer.text.len
                && text.data == s->outer.text.data && text.len > 0)
               ? s->outer.bytes : gs_guard_bytes(&text);
    v->seen[GS_VIEW_URL] = v->bytes;
    v->looked |= 1u << GS_VIEW_URL;
}


/* What is not sure here is made, and compared. */

void
gs_guard_alike(gs_guard_scratch_t *s, gs_value_t *v, unsigned views)
{
    uint64_t         bytes;
    const gs_str_t  *text;

    gs_guard_look(s, v);

    text = &v->view[GS_VIEW_URL];
    bytes = v->bytes;

    v->alike |= 1u << GS_VIEW_URL | 1u << GS_VIEW_LOWER;

    if (v->view[GS_VIEW_RAW].data == text->data
        && v->view[GS_VIEW_RAW].len == text->len)
    {
        v->alike |= 1u << GS_VIEW_RAW;
    }

    if ((views & (1u << GS_VIEW_B64)) && !gs_guard_b64_maybe(text, bytes)) {
        v->none |= 1u << GS_VIEW_B64;
    }

    if (text->len >= GS_GUARD_BLOB && (bytes & ~GS_BYTE_BASE64) == 0) {
        v->none |= ~v->have & ~(1u << GS_VIEW_B64);
        return;
    }

    if (gs_guard_decodes(bytes)) {
        return;
    }

    v->alike |= 1u << GS_VIEW_DEEP;
    views &= ~v->have;

    if ((views & (1u << GS_VIEW_SQLC)) && !gs_view_sqlc_changes(text, bytes))
    {
        v->alike |= 1u << GS_VIEW_SQLC;
    }

    if ((views & (1u << GS_VIEW_SH)) && !gs_view_sh_changes(text, bytes)) {
        v->alike |= 1u << GS_VIEW_SH;
    }

    if ((views & (1u << GS_VIEW_PATH)) && !gs_view_path_changes(text, bytes))
    {
        v->alike |= 1u << GS_VIEW_PATH;
    }
}


uint64_t
gs_guard_seen(gs_value_t *v, unsigned view)
{
    if (v->alike & (1u << view)) {
        return v->bytes;
    }

    if ((v->looked & (1u << view)) == 0) {
        v->seen[view] = gs_guard_bytes(&v->view[view]);
        v->looked |= 1u << view;
    }

    return v->seen[view];
}


/* An escape, an entity, a backslash before "x" or "u", odd UTF-8, a NUL. */

int
gs_guard_decodes(uint64_t bytes)
{
    if (bytes & (GS_BYTE_PERCENT|GS_BYTE_CONTROL|GS_BYTE_ODD)) {
        return 1;
    }

    if ((bytes & GS_BYTE_ET) && (bytes & (GS_BYTE_SEMI|GS_BYTE_NUMBER))) {
        return 1;
    }

    return (bytes & GS_BYTE_BACK) && (bytes & GS_BYTE_X_U);
}


static gs_rc_t
gs_view_deep(gs_guard_scratch_t *s, gs_value_t *v)
{
    gs_str_t         text;
    const gs_str_t  *from;

    from = &v->view[GS_VIEW_URL];

    if (!s->bare && !gs_guard_decodes(v->bytes)) {
        if (gs_guard_view(s, v, GS_VIEW_LOWER) != GS_OK) {
            return GS_DECLINED;
        }

        v->alike |= 1u << GS_VIEW_DEEP;

        return gs_view_set(v, GS_VIEW_DEEP, &v->view[GS_VIEW_LOWER]);
    }

    text = gs_guard_deep(s, s->view[GS_VIEW_DEEP], from,
                         v->decode != GS_DECODE_NONE, &v->facts);

    /* Chinese text comes out as it went in, but for capitals */

    if (gs_str_case_eq(&text, from)) {
        v->alike |= 1u << GS_VIEW_DEEP;

        if ((v->bytes & GS_BYTE_UPPER) == 0) {
            text = *from;
        }
    }

    return gs_view_set(v, GS_VIEW_DEEP, &text);
}


/* Those made from "deep", where it holds a byte that they would change. */

static gs_rc_t
gs_view_behind(gs_guard_scratch_t *s, gs_value_t *v, gs_view_e view)
{
    uint64_t         bytes;
    gs_str_t         text;
    const gs_str_t  *from;

    if (gs_guard_view(s, v, GS_VIEW_DEEP) != GS_OK) {
        return GS_DECLINED;
    }

    from = &v->view[GS_VIEW_DEEP];
    bytes = s->bare ? ~(uint64_t) 0 : gs_guard_seen(v, GS_VIEW_DEEP);
    text = *from;

    if (view == GS_VIEW_SQLC) {

        if (s->bare || gs_view_sqlc_changes(from, bytes)) {
            text = gs_view_sqlc(s->view[view], from);
        }

    } else if (view == GS_VIEW_SH) {

        if (s->bare || gs_view_sh_changes(from, bytes)) {
            text = gs_view_sh(s->view[view], from);
        }

    } else if (s->bare || gs_view_path_changes(from, bytes)) {
        text = gs_view_path(s->view[view], from);
    }

    if (text.data == from->data && text.len == from->len) {

        if (v->alike & (1u << GS_VIEW_DEEP)) {
            v->alike |= 1u << view;

        } else if (v->looked & (1u << GS_VIEW_DEEP)) {
            v->seen[view] = v->seen[GS_VIEW_DEEP];
            v->looked |= 1u << view;
        }
    }

    return gs_view_set(v, view, &text);
}


/* A tab or line feed, two spaces, the beginning or end of a comment. */

static int
gs_view_sqlc_changes(const gs_str_t *text, uint64_t bytes)
{
    if (bytes & (GS_BYTE_LINE|GS_BYTE_CONTROL)) {
        return 1;
    }

    if ((bytes & GS_BYTE_STAR) && (bytes & GS_BYTE_SLASH)) {
        return 1;
    }

    return (bytes & GS_BYTE_BLANK) && gs_view_pair(text, ' ', ' ');
}


static int
gs_view_sh_changes(const gs_str_t *text, uint64_t bytes)
{
    if (bytes & (GS_BYTE_QUOTE|GS_BYTE_BACK|GS_BYTE_CARET|GS_BYTE_DOLLAR
                 |GS_BYTE_LINE))
    {
        return 1;
    }

    return (bytes & GS_BYTE_BLANK) && gs_view_pair(text, ' ', ' ');
}


static int
gs_view_path_changes(const gs_str_t *text, uint64_t bytes)
{
    if (bytes & GS_BYTE_BACK) {
        return 1;
    }

    return (bytes & GS_BYTE_SLASH)
           && (gs_view_pair(text, '/', '/') || gs_view_pair(text, '.', '/'));
}


/*
 * The first few of them one by one; where there are many, blocks at a time,
 * which compilers make one comparison of.
 */

static int
gs_view_pair(const gs_str_t *text, int first, int second)
{
    size_t             k;
    unsigned           found, n;
    const gs_uchar_t  *p, *last;

    last = text->data + text->len;
    p = text->data;

    for (n = 0; last - p >= 2 && n < GS_VIEW_FEW; n++, p++) {

        p = memchr(p, first, (size_t) (last - p) - 1);

        if (p == NULL) {
            return 0;
        }

        if (p[1] == second) {
            return 1;
        }
    }

    found = 0;

    for ( /* void */ ; last - p > GS_VIEW_BLOCK && !found; p += GS_VIEW_BLOCK)
    {
        for (k = 0; k < GS_VIEW_BLOCK; k++) {
            found |= (p[k] == first) & (p[k + 1] == second);
        }
    }

    for ( /* void */ ; last - p >= 2 && !found; p++) {
        found = (p[0] == first) & (p[1] == second);
    }

    return (int) found;
}


static gs_rc_t
gs_view_none(gs_value_t *v, gs_view_e view)
{
    v->none |= 1u << view;

    return GS_DECLINED;
}


static gs_rc_t
gs_view_set(gs_value_t *v, gs_view_e view, const gs_str_t *text)
{
    v->view[view] = *text;
    v->have |= 1u << view;

    return GS_OK;
}


/* Eight bytes at a time: 0x20 to those from "A" to "Z". */

static gs_str_t
gs_view_lower(gs_uchar_t *dst, const gs_str_t *src)
{
    size_t    i;
    uint64_t  word, low, up;

    static const uint64_t  ones = 0x0101010101010101;

    for (i = 0; src->len - i >= 8; i += 8) {
        memcpy(&word, src->data + i, 8);

        low = word & 0x7f * ones;
        up = (low + (0x80 - 'A') * ones) & ~(low + (0x7f - 'Z') * ones)
             & ~word & 0x80 * ones;
        word |= up >> 2;

        memcpy(dst + i, &word, 8);
    }

    for ( /* void */ ; i < src->len; i++) {
        dst[i] = (gs_uchar_t) gs_to_lower(src->data[i]);
    }

    return gs_str_make(dst, src->len);
}


/*
 * Comments and runs of space become one space, the text of a conditional
 * comment of MySQL stays: what a parser of SQL sees.
 */

static gs_str_t
gs_view_sqlc(gs_uchar_t *dst, const gs_str_t *src)
{
    int     c, changed;
    size_t  i, n;

    n = 0;
    changed = 0;

    for (i = 0; i < src->len; /* void */ ) {
        c = src->data[i];

        if (c == '/' && i + 1 < src->len && src->data[i + 1] == '*') {
            i = gs_view_comment(dst, &n, src, i);
            changed = 1;
            continue;
        }

        /* the end of an opened conditional comment */

        if (c == '*' && i + 1 < src->len && src->data[i + 1] == '/') {
            c = ' ';
            i++;
            changed = 1;
        }

        i++;

        if (c == '\t' || c == '\n' || c == '\v' || c == '\f' || c == '\r'
            || c == 0xa0)
        {
            c = (c == 0xa0) ? c : ' ';
            changed = 1;
        }

        if (c == ' ' && n > 0 && dst[n - 1] == ' ') {
            changed = 1;
            continue;
        }

        dst[n++] = (gs_uchar_t) c;
    }

    return changed ? gs_str_make(dst, n) : *src;
}


static size_t
gs_view_comment(gs_uchar_t *dst, size_t *n, const gs_str_t *src, size_t i)
{
    i += 2;

    if (*n == 0 || dst[*n - 1] != ' ') {
        dst[(*n)++] = ' ';
    }

    if (i < src->len && (src->data[i] == '!' || src->data[i] == '+')) {
        i++;

        while (i < src->len && gs_is_digit(src->data[i])) {
            i++;
        }

        return i;
    }

    for ( /* void */ ; i < src->len; i++) {
        if (src->data[i] == '*' && i + 1 < src->len
            && src->data[i + 1] == '/')
        {
            return i + 2;
        }
    }

    return i;
}


/* What a shell takes away: quotes, backslashes, $@, and ${IFS} is a space. */

static gs_str_t
gs_view_sh(gs_uchar_t *dst, const gs_str_t *src)
{
    int     c, space, changed;
    size_t  i, n, used;

    n = 0;
    changed = 0;

    for (i = 0; i < src->len; i++) {
        c = src->data[i];

        if (c == '\'' || c == '"' || c == '\\' || c == '^') {
            changed = 1;
            continue;
        }

        if (c == '$') {
            used = gs_view_sh_dollar(src, i, &space);

            if (used > 0) {
                i += used - 1;
                changed = 1;

                if (!space) {
                    continue;
                }

                c = ' ';
            }
        }

        if (c == '\t') {
            c = ' ';
            changed = 1;
        }

        if (c == ' ' && n > 0 && dst[n - 1] == ' ') {
            changed = 1;
            continue;
        }

        dst[n++] = (gs_uchar_t) c;
    }

    return changed ? gs_str_make(dst, n) : *src;
}


static size_t
gs_view_sh_dollar(const gs_str_t *src, size_t i, int *space)
{
    size_t           k;
    gs_str_t         rest;
    const gs_str_t  *word;

    static const gs_str_t  words[] = {
        gs_string("${ifs}"), gs_string("$ifs$9"), gs_string("$ifs"),
        gs_string("$@"), gs_string("$*"), gs_string("${@}"),
        gs_string("${*}"), gs_string("$1"), gs_string("$9"),
        gs_string("$()"), gs_string("$u"), gs_string("$z")
    };

    rest = gs_str_make(src->data + i, src->len - i);
    *space = 0;

    switch (rest.len > 1 ? rest.data[1] : '\0') {

    case '{':
    case 'i':
    case '@':
    case '*':
    case '1':
    case '9':
    case '(':
    case 'u':
    case 'z':
        break;

    default:
        return 0;
    }

    for (k = 0; k < sizeof(words) / sizeof(words[0]); k++) {
        word = &words[k];

        if (rest.len < word->len || rest.data[1] != word->data[1]
            || rest.data[word->len - 1] != word->data[word->len - 1]
            || !gs_str_prefix(&rest, word))
        {
            continue;
        }

        /* of those that end in a letter: nothing goes on */

        if (k >= GS_VIEW_SH_NAMES && rest.len > 2 && gs_is_alpha(rest.data[2]))
        {
            continue;
        }

        *space = (k < GS_VIEW_SH_SPACES);

        return word->len;
    }

    return 0;
}


/* Backslashes are slashes, runs of them one, "/./" nothing; ".." stays. */

static gs_str_t
gs_view_path(gs_uchar_t *dst, const gs_str_t *src)
{
    int     c, changed;
    size_t  i, n;

    n = 0;
    changed = 0;

    for (i = 0; i < src->len; i++) {
        c = src->data[i];

        if (c == '\\') {
            c = '/';
            changed = 1;
        }

        if (c == '/' && n > 0 && dst[n - 1] == '/') {
            changed = 1;
            continue;
        }

        if (c == '/' && n > 1 && dst[n - 1] == '.' && dst[n - 2] == '/') {
            n--;
            changed = 1;
            continue;
        }

        dst[n++] = (gs_uchar_t) c;
    }

    return changed ? gs_str_make(dst, n) : *src;
}
