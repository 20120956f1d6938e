
/*
 * Copyright (C) govsvc authors
 *
 * JSON (RFC 8259) as a stream of leaves and keys.  What some parsers take and
 * the RFC does not, single quotes and names without quotes, is read and told;
 * where reading ends, the rest is one more leaf.  A string that is a whole
 * object or array again is read as one, for the program behind does so.
 */


#include "guard/gs_guard_priv.h"
#include "core/gs_hex.h"
#include "core/gs_utf8.h"


#define GS_JSON_DEPTH  64
#define GS_JSON_INSIDE 3                   /* JSON in strings of JSON */
#define GS_JSON_PATH   512
#define GS_JSON_KEYS   32                  /* of one object remembered */


typedef struct {
    size_t             path;               /* length of the path outside */
    size_t             key;                /* where its last name begins */
    unsigned           array:1;
    unsigned           nkeys;
    uint32_t           keys[GS_JSON_KEYS];
} gs_json_level_t;


typedef struct {
    gs_guard_run_t    *run;
    const gs_uchar_t  *p;
    const gs_uchar_t  *last;
    uint32_t           facts;
    unsigned           depth;
    unsigned           inside;             /* strings it is in */
    gs_uchar_t        *text;               /* where escapes are undone */
    size_t             room;
    size_t             len;                /* of path */
    size_t             key;                /* where its last name begins */
    gs_json_level_t    level[GS_JSON_DEPTH];
    gs_uchar_t         path[GS_JSON_PATH];
} gs_json_t;


static void gs_json_init(gs_json_t *j, gs_guard_run_t *run,
    const gs_str_t *text);
static gs_rc_t gs_json_read(gs_json_t *j);
static gs_rc_t gs_json_inside(gs_json_t *j, const gs_str_t *text);
static int gs_json_looks(const gs_str_t *text);
static gs_rc_t gs_json_value(gs_json_t *j);
static gs_rc_t gs_json_open(gs_json_t *j);
static gs_rc_t gs_json_after(gs_json_t *j);
static gs_rc_t gs_json_name(gs_json_t *j);
static gs_rc_t gs_json_name_known(gs_json_t *j, const gs_str_t *raw,
    const gs_str_t *name);
static gs_rc_t gs_json_string(gs_json_t *j, gs_str_t *raw, gs_str_t *text);
static gs_rc_t gs_json_unescape(gs_json_t *j, const gs_str_t *raw,
    gs_str_t *text);
static size_t gs_json_escape(gs_json_t *j, const gs_str_t *raw, size_t i,
    gs_uchar_t *dst, size_t *n);
static gs_rc_t gs_json_word(gs_json_t *j, gs_str_t *word);
static int gs_json_word_ok(const gs_str_t *word);
static size_t gs_json_digits(const gs_str_t *word, size_t i);
static gs_rc_t gs_json_leaf(gs_json_t *j, const gs_str_t *raw,
    const gs_str_t *text);
static void gs_json_space(gs_json_t *j);


uint32_t
gs_guard_feed_json(gs_guard_run_t *run, const gs_str_t *text)
{
    gs_str_t   rest;
    gs_json_t  j;

    gs_json_init(&j, run, text);

    if (gs_json_read(&j) != GS_OK) {

        if ((j.facts & (GS_FLAG_JSON_DEPTH|GS_FLAG_MANY)) == 0) {
            j.facts |= GS_FLAG_JSON;
        }

        rest = gs_str_make(j.p, (size_t) (j.last - j.p));
        j.len = 0;
        (void) gs_json_leaf(&j, &rest, &rest);
    }

    return j.facts;
}


static void
gs_json_init(gs_json_t *j, gs_guard_run_t *run, const gs_str_t *text)
{
    j->run = run;
    j->p = text->data;
    j->last = text->data + text->len;
    j->facts = 0;
    j->depth = 0;
    j->inside = 0;
    j->text = run->s->text;
    j->room = run->s->size;
    j->len = 0;
    j->key = 0;
}


/* GS_OK: one value, and nothing behind it. */

static gs_rc_t
gs_json_read(gs_json_t *j)
{
    gs_rc_t  rc;

    do {
        gs_json_space(j);

        rc = gs_json_value(j);

        if (rc == GS_OK) {
            rc = gs_json_after(j);
        }

    } while (rc == GS_OK && !j->run->s->over);

    gs_json_space(j);

    return (rc == GS_DONE && j->p == j->last) ? GS_OK : GS_ERROR;
}


/*
 * GS_OK: the string was JSON, its leaves are values with the path of the
 * string before theirs.  GS_DECLINED: it is a value itself.
 */

static gs_rc_t
gs_json_inside(gs_json_t *j, const gs_str_t *text)
{
    gs_rc_t    rc;
    size_t     used;
    gs_json_t  in;

    if (j->inside == GS_JSON_INSIDE || !gs_json_looks(text)) {
        return GS_DECLINED;
    }

    gs_json_init(&in, j->run, text);

    /* the text itself is read to its end, its strings go elsewhere */

    used = (j->inside > 0) ? text->len : 0;

    in.inside = j->inside + 1;
    in.text = (j->inside > 0) ? j->text + used : j->run->s->inner;
    in.room = (j->inside > 0) ? j->room - used : j->run->s->size;
    in.len = j->len;
    in.key = j->key;
    memcpy(in.path, j->path, j->len);

    if (in.room < text->len) {
        return GS_DECLINED;
    }

    rc = gs_json_read(&in);

    if (in.facts & GS_FLAG_MANY) {
        j->facts |= GS_FLAG_MANY;
        return GS_ERROR;
    }

    return (rc == GS_OK && (in.facts & GS_FLAG_JSON) == 0) ? GS_OK
                                                           : GS_DECLINED;
}


/* 1 if it begins and ends as an object or an array does. */

static int
gs_json_looks(const gs_str_t *text)
{
    const gs_uchar_t  *p, *last;

    p = text->data;
    last = p + text->len;

    while (p < last && *p <= ' ') {
        p++;
    }

    while (last > p && last[-1] <= ' ') {
        last--;
    }

    return last - p >= 2
           && ((*p == '{' && last[-1] == '}')
               || (*p == '[' && last[-1] == ']'));
}


static gs_rc_t
gs_json_value(gs_json_t *j)
{
    gs_rc_t   rc;
    gs_str_t  raw, text;

    for ( ;; ) {

        gs_json_space(j);

        if (j->p == j->last) {
            return GS_ERROR;
        }

        switch (*j->p) {

        case '{':
        case '[':

            if (gs_json_open(j) != GS_OK) {
                return GS_ERROR;
            }

            gs_json_space(j);

            if (j->p < j->last && (*j->p == '}' || *j->p == ']')) {
                return GS_OK;
            }

            if (!j->level[j->depth - 1].array && gs_json_name(j) != GS_OK) {
                return GS_ERROR;
            }

            continue;

        case '"':
        case '\'':

            if (gs_json_string(j, &raw, &text) != GS_OK) {
                return GS_ERROR;
            }

            rc = gs_json_inside(j, &text);

            return (rc == GS_DECLINED) ? gs_json_leaf(j, &raw, &text) : rc;

        default:

            if (gs_json_word(j, &raw) != GS_OK) {
                return GS_ERROR;
            }

            if (!gs_json_word_ok(&raw)) {
                j->facts |= GS_FLAG_JSON;
            }

            return gs_json_leaf(j, &raw, &raw);
        }
    }
}


static gs_rc_t
gs_json_open(gs_json_t *j)
{
    gs_json_level_t  *level;

    if (j->depth == GS_JSON_DEPTH) {
        j->facts |= GS_FLAG_JSON_DEPTH;
        return GS_ERROR;
    }

    level = &j->level[j->depth++];
    level->path = j->len;
    level->key = j->key;
    level->array = (*j->p == '[');
    level->nkeys = 0;

    if (level->array && sizeof(j->path) - j->len >= 3) {
        memcpy(j->path + j->len, "[*]", 3);
        j->len += 3;
    }

    j->p++;

    return GS_OK;
}


/* Behind a value: closes what ends, and stops before the next value. */

static gs_rc_t
gs_json_after(gs_json_t *j)
{
    gs_json_level_t  *level;

    for ( ;; ) {

        if (j->depth == 0) {
            return GS_DONE;
        }

        gs_json_space(j);

        if (j->p == j->last) {
            return GS_ERROR;
        }

        level = &j->level[j->depth - 1];

        if (*j->p == (level->array ? ']' : '}')) {
            j->p++;
            j->len = level->path;
            j->key = level->key;
            j->depth--;
            continue;
        }

        if (*j->p != ',') {
            return GS_ERROR;
        }

        j->p++;

        return level->array ? GS_OK : gs_json_name(j);
    }
}


static gs_rc_t
gs_json_name(gs_json_t *j)
{
    gs_str_t  raw, name;

    gs_json_space(j);

    if (j->p == j->last) {
        return GS_ERROR;
    }

    if (*j->p == '"' || *j->p == '\'') {

        if (gs_json_string(j, &raw, &name) != GS_OK) {
            return GS_ERROR;
        }

    } else {
        j->facts |= GS_FLAG_JSON;

        if (gs_json_word(j, &raw) != GS_OK) {
            return GS_ERROR;
        }

        name = raw;
    }

    if (gs_json_name_known(j, &raw, &name) != GS_OK) {
        return GS_ERROR;
    }

    gs_json_space(j);

    if (j->p == j->last || *j->p != ':') {
        return GS_ERROR;
    }

    j->p++;

    return GS_OK;
}


static gs_rc_t
gs_json_name_known(gs_json_t *j, const gs_str_t *raw, const gs_str_t *name)
{
    uint32_t          hash;
    unsigned          i;
    gs_value_t        v;
    gs_json_level_t  *level;

    level = &j->level[j->depth - 1];
    j->len = level->path;
    j->key = level->key;

    if (name->len + 1 <= sizeof(j->path) - j->len) {

        if (j->len > 0) {
            j->path[j->len++] = '.';
        }

        j->key = j->len;
        memcpy(j->path + j->len, name->data, name->len);
        j->len += name->len;
    }

    hash = gs_str_hash(name);

    for (i = 0; i < level->nkeys; i++) {
        if (level->keys[i] == hash) {
            j->facts |= GS_FLAG_JSON_DUP;
        }
    }

    if (level->nkeys < GS_JSON_KEYS) {
        level->keys[level->nkeys++] = hash;
    }

    if (gs_guard_wanted(j->run, GS_KIND_JSON_KEYS)) {
        gs_guard_value_init(&v, GS_KIND_JSON_KEYS, GS_DECODE_NONE, raw);
        v.view[GS_VIEW_URL] = *name;
        gs_guard_value(j->run, &v);
    }

    return GS_OK;
}


/* Between quotes: as it came, and without its escapes. */

static gs_rc_t
gs_json_string(gs_json_t *j, gs_str_t *raw, gs_str_t *text)
{
    int                quote, escaped;
    const gs_uchar_t  *start;

    quote = *j->p++;
    start = j->p;
    escaped = 0;

    if (quote == '\'') {
        j->facts |= GS_FLAG_JSON;
    }

    for ( /* void */ ; j->p < j->last && *j->p != quote; j->p++) {

        if (*j->p == '\\') {
            escaped = 1;
            j->p += (j->last - j->p > 1);
        }
    }

    if (j->p == j->last) {
        j->p = start;
        return GS_ERROR;
    }

    *raw = gs_str_make(start, (size_t) (j->p - start));
    *text = *raw;
    j->p++;

    return escaped ? gs_json_unescape(j, raw, text) : GS_OK;
}


static gs_rc_t
gs_json_unescape(gs_json_t *j, const gs_str_t *raw, gs_str_t *text)
{
    size_t       i, n;
    gs_uchar_t  *dst;

    dst = j->text;
    n = 0;

    for (i = 0; i < raw->len; /* void */ ) {

        if (raw->data[i] == '\\') {
            i = gs_json_escape(j, raw, i, dst, &n);
            continue;
        }

        dst[n++] = raw->data[i++];
    }

    *text = gs_str_make(dst, n);

    return GS_OK;
}


static size_t
gs_json_escape(gs_json_t *j, const gs_str_t *raw, size_t i, gs_uchar_t *dst,
    size_t *n)
{
    size_t        k;
    uint32_t      c, low;
    const char   *at;

    static const char  names[] = "bfnrt\"\\/'";
    static const char  values[] = "\b\f\n\r\t\"\\/'";

    if (i + 1 >= raw->len) {
        dst[(*n)++] = '\\';
        return raw->len;
    }

    at = (raw->data[i + 1] != 0) ? strchr(names, raw->data[i + 1]) : NULL;

    if (at != NULL) {
        dst[(*n)++] = (gs_uchar_t) values[at - names];
        return i + 2;
    }

    if (raw->data[i + 1] != 'u' || raw->len - i < 6) {
        j->facts |= GS_FLAG_JSON;
        dst[(*n)++] = '\\';
        return i + 1;
    }

    c = 0;

    for (k = i + 2; k < i + 6; k++) {

        if (gs_hex_value(raw->data[k]) < 0) {
            j->facts |= GS_FLAG_JSON;
            dst[(*n)++] = '\\';
            return i + 1;
        }

        c = c << 4 | (uint32_t) gs_hex_value(raw->data[k]);
    }

    i += 6;

    if (c >= 0xd800 && c < 0xdc00 && raw->len - i >= 6
        && raw->data[i] == '\\' && raw->data[i + 1] == 'u')
    {
        low = 0;

        for (k = i + 2; k < i + 6 && gs_hex_value(raw->data[k]) >= 0; k++) {
            low = low << 4 | (uint32_t) gs_hex_value(raw->data[k]);
        }

        if (k == i + 6 && low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            i += 6;
        }
    }

    if (c == 0) {
        dst[(*n)++] = '\0';
        return i;
    }

    *n += gs_utf8_put(dst + *n, c);

    return i;
}


/* A number, true, a name without quotes: up to what cannot be inside. */

static gs_rc_t
gs_json_word(gs_json_t *j, gs_str_t *word)
{
    const gs_uchar_t  *start;

    start = j->p;

    while (j->p < j->last && *j->p > ' '
           && strchr(",:{}[]\"'", *j->p) == NULL)
    {
        j->p++;
    }

    if (j->p == start) {
        return GS_ERROR;
    }

    *word = gs_str_make(start, (size_t) (j->p - start));

    return GS_OK;
}


/* RFC 8259 sections 3 and 6. */

static int
gs_json_word_ok(const gs_str_t *word)
{
    size_t  i, start;

    if (gs_is_alpha(word->data[0])) {
        return gs_str_eq_text(word, "true") || gs_str_eq_text(word, "false")
               || gs_str_eq_text(word, "null");
    }

    i = (word->data[0] == '-') ? 1 : 0;
    start = i;
    i = gs_json_digits(word, i);

    if (i == start || (word->data[start] == '0' && i - start > 1)) {
        return 0;
    }

    if (i < word->len && word->data[i] == '.') {
        start = i + 1;
        i = gs_json_digits(word, start);

        if (i == start) {
            return 0;
        }
    }

    if (i < word->len && (word->data[i] | 0x20) == 'e') {
        i++;

        if (i < word->len && (word->data[i] == '+' || word->data[i] == '-')) {
            i++;
        }

        start = i;
        i = gs_json_digits(word, start);

        if (i == start) {
            return 0;
        }
    }

    return i == word->len;
}


static size_t
gs_json_digits(const gs_str_t *word, size_t i)
{
    while (i < word->len && gs_is_digit(word->data[i])) {
        i++;
    }

    return i;
}


static gs_rc_t
gs_json_leaf(gs_json_t *j, const gs_str_t *raw, const gs_str_t *text)
{
    gs_str_t     path, key;
    gs_value_t   v;
    gs_uchar_t   any[GS_JSON_PATH + 2];

    if (++j->run->fields > GS_GUARD_MAX_FIELDS) {
        j->facts |= GS_FLAG_MANY;
        return GS_ERROR;
    }

    gs_guard_value_init(&v, GS_KIND_JSON_ALL, GS_DECODE_NONE, raw);
    v.view[GS_VIEW_URL] = *text;

    path = gs_str_make(j->path, j->len);
    v.name = path;

    if (gs_guard_wanted(j->run, GS_KIND_JSON) && j->len > 0) {

        gs_guard_value_also(j->run, &v, GS_KIND_JSON, &path);

        any[0] = '*';
        any[1] = '.';
        memcpy(any + 2, j->path + j->key, j->len - j->key);
        key = gs_str_make(any, j->len - j->key + 2);
        gs_guard_value_also(j->run, &v, GS_KIND_JSON, &key);
    }

    gs_guard_value(j->run, &v);

    return GS_OK;
}


static void
gs_json_space(gs_json_t *j)
{
    while (j->p < j->last && (*j->p == ' ' || *j->p == '\t'
                              || *j->p == '\r' || *j->p == '\n'))
    {
        j->p++;
    }
}
