
/*
 * Copyright (C) govsvc authors
 *
 * Strict JSON in one pass.  The nodes of siblings form a list, so a text of
 * n values takes n nodes; a decoded string is never longer than its source.
 */


#include "token/gs_token_json.h"
#include "core/gs_hex.h"
#include "core/gs_utf8.h"


typedef struct {
    gs_uchar_t       *pos;
    gs_uchar_t       *last;
    gs_token_json_t  *doc;
    unsigned          depth;
} gs_token_json_in_t;


static gs_rc_t gs_token_json_value(gs_token_json_in_t *in,
    gs_token_node_t *node);
static gs_rc_t gs_token_json_container(gs_token_json_in_t *in,
    gs_token_node_t *node, int close);
static gs_rc_t gs_token_json_member(gs_token_json_in_t *in,
    gs_token_node_t *object, gs_token_node_t *node);
static gs_rc_t gs_token_json_unique(const gs_token_node_t *object,
    const gs_token_node_t *node);
static gs_rc_t gs_token_json_string(gs_token_json_in_t *in, gs_str_t *value);
static gs_uchar_t *gs_token_json_escape(gs_token_json_in_t *in,
    gs_uchar_t *dst);
static gs_rc_t gs_token_json_unicode(gs_token_json_in_t *in, uint32_t *c);
static gs_rc_t gs_token_json_hex4(gs_token_json_in_t *in, uint32_t *c);
static gs_rc_t gs_token_json_number(gs_token_json_in_t *in,
    gs_token_node_t *node);
static size_t gs_token_json_digits(gs_token_json_in_t *in);
static gs_rc_t gs_token_json_word(gs_token_json_in_t *in,
    gs_token_node_t *node);
static gs_token_node_t *gs_token_json_node(gs_token_json_in_t *in);
static void gs_token_json_blank(gs_token_json_in_t *in);
static int gs_token_json_peek(gs_token_json_in_t *in);
static const gs_token_node_t *gs_token_json_step(const gs_token_node_t *node,
    const gs_str_t *step);


gs_rc_t
gs_token_json_parse(gs_token_json_t *doc, gs_uchar_t *text, size_t len)
{
    gs_token_node_t     *root;
    gs_token_json_in_t   in;

    doc->used = 0;

    in.pos = text;
    in.last = text + len;
    in.doc = doc;
    in.depth = 0;

    gs_token_json_blank(&in);

    if (gs_token_json_peek(&in) != '{') {
        return GS_ERROR;
    }

    root = gs_token_json_node(&in);

    if (root == NULL || gs_token_json_value(&in, root) != GS_OK) {
        return GS_ERROR;
    }

    gs_token_json_blank(&in);

    return in.pos == in.last ? GS_OK : GS_ERROR;
}


const gs_token_node_t *
gs_token_json_get(const gs_token_node_t *object, const char *name)
{
    gs_str_t  s;

    s = gs_str_text(name);

    return gs_token_json_find(object, &s);
}


const gs_token_node_t *
gs_token_json_find(const gs_token_node_t *object, const gs_str_t *name)
{
    const gs_token_node_t  *n;

    if (object->type != GS_TOKEN_JSON_OBJECT) {
        return NULL;
    }

    for (n = object->child; n != NULL; n = n->next) {
        if (gs_str_eq(&n->key, name)) {
            return n;
        }
    }

    return NULL;
}


static gs_rc_t
gs_token_json_value(gs_token_json_in_t *in, gs_token_node_t *node)
{
    gs_rc_t      rc;
    gs_uchar_t  *start;

    start = in->pos;

    switch (gs_token_json_peek(in)) {

    case '{':
        node->type = GS_TOKEN_JSON_OBJECT;
        rc = gs_token_json_container(in, node, '}');
        break;

    case '[':
        node->type = GS_TOKEN_JSON_ARRAY;
        rc = gs_token_json_container(in, node, ']');
        break;

    case '"':
        node->type = GS_TOKEN_JSON_STRING;
        return gs_token_json_string(in, &node->value);

    case 't':
    case 'f':
    case 'n':
        rc = gs_token_json_word(in, node);
        break;

    default:
        rc = gs_token_json_number(in, node);
        break;
    }

    node->value = gs_str_make(start, (size_t) (in->pos - start));

    return rc;
}


static gs_rc_t
gs_token_json_container(gs_token_json_in_t *in, gs_token_node_t *node,
    int close)
{
    unsigned           n;
    gs_token_node_t   *item;
    gs_token_node_t  **tail;

    if (++in->depth > GS_TOKEN_JSON_DEPTH) {
        return GS_ERROR;
    }

    in->pos++;
    gs_token_json_blank(in);

    tail = &node->child;

    for (n = 0; gs_token_json_peek(in) != close; n++) {

        if (n != 0) {
            if (gs_token_json_peek(in) != ',') {
                return GS_ERROR;
            }

            in->pos++;
            gs_token_json_blank(in);
        }

        item = gs_token_json_node(in);

        if (item == NULL || n == GS_TOKEN_JSON_MEMBERS) {
            return GS_ERROR;
        }

        if (close == '}' && gs_token_json_member(in, node, item) != GS_OK) {
            return GS_ERROR;
        }

        if (gs_token_json_value(in, item) != GS_OK) {
            return GS_ERROR;
        }

        *tail = item;
        tail = &item->next;

        gs_token_json_blank(in);
    }

    in->pos++;
    in->depth--;

    return GS_OK;
}


static gs_rc_t
gs_token_json_member(gs_token_json_in_t *in, gs_token_node_t *object,
    gs_token_node_t *node)
{
    if (gs_token_json_peek(in) != '"'
        || gs_token_json_string(in, &node->key) != GS_OK)
    {
        return GS_ERROR;
    }

    node->hash = gs_str_hash(&node->key);

    if (gs_token_json_unique(object, node) != GS_OK) {
        return GS_ERROR;
    }

    gs_token_json_blank(in);

    if (gs_token_json_peek(in) != ':') {
        return GS_ERROR;
    }

    in->pos++;
    gs_token_json_blank(in);

    return GS_OK;
}


static gs_rc_t
gs_token_json_unique(const gs_token_node_t *object,
    const gs_token_node_t *node)
{
    const gs_token_node_t  *n;

    for (n = object->child; n != NULL; n = n->next) {
        if (n->hash == node->hash && gs_str_eq(&n->key, &node->key)) {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


static gs_rc_t
gs_token_json_string(gs_token_json_in_t *in, gs_str_t *value)
{
    unsigned     used;
    gs_uchar_t   c, *start, *dst;

    start = ++in->pos;
    dst = start;

    while (in->pos < in->last) {
        c = *in->pos;

        if (c == '"') {
            *value = gs_str_make(start, (size_t) (dst - start));
            in->pos++;
            return GS_OK;
        }

        if (c == '\\') {
            dst = gs_token_json_escape(in, dst);
            if (dst == NULL) {
                return GS_ERROR;
            }

            continue;
        }

        if (c < 0x20) {
            return GS_ERROR;
        }

        used = 1;

        if (c >= 0x80
            && gs_utf8_next(in->pos, in->last, &used) == GS_UTF8_BAD)
        {
            return GS_ERROR;
        }

        if (dst != in->pos) {
            memmove(dst, in->pos, used);
        }

        dst += used;
        in->pos += used;
    }

    return GS_ERROR;
}


static gs_uchar_t *
gs_token_json_escape(gs_token_json_in_t *in, gs_uchar_t *dst)
{
    uint32_t             c;
    const char          *p;
    static const char    from[] = "\"\\/bfnrt";
    static const char    to[] = "\"\\/\b\f\n\r\t";

    in->pos++;

    if (in->pos == in->last) {
        return NULL;
    }

    if (*in->pos == 'u') {
        in->pos++;

        if (gs_token_json_unicode(in, &c) != GS_OK) {
            return NULL;
        }

        return dst + gs_utf8_put(dst, c);
    }

    p = memchr(from, *in->pos, sizeof(from) - 1);

    if (p == NULL) {
        return NULL;
    }

    *dst = (gs_uchar_t) to[p - from];
    in->pos++;

    return dst + 1;
}


static gs_rc_t
gs_token_json_unicode(gs_token_json_in_t *in, uint32_t *c)
{
    uint32_t  low;

    if (gs_token_json_hex4(in, c) != GS_OK || *c == 0) {
        return GS_ERROR;
    }

    if (*c < 0xd800 || *c > 0xdfff) {
        return GS_OK;
    }

    if (*c > 0xdbff || in->last - in->pos < 2
        || in->pos[0] != '\\' || in->pos[1] != 'u')
    {
        return GS_ERROR;
    }

    in->pos += 2;

    if (gs_token_json_hex4(in, &low) != GS_OK
        || low < 0xdc00 || low > 0xdfff)
    {
        return GS_ERROR;
    }

    *c = 0x10000 + ((*c - 0xd800) << 10) + (low - 0xdc00);

    return GS_OK;
}


static gs_rc_t
gs_token_json_hex4(gs_token_json_in_t *in, uint32_t *c)
{
    int  i, h;

    if (in->last - in->pos < 4) {
        return GS_ERROR;
    }

    *c = 0;

    for (i = 0; i < 4; i++) {
        h = gs_hex_value(*in->pos++);

        if (h < 0) {
            return GS_ERROR;
        }

        *c = *c * 16 + (uint32_t) h;
    }

    return GS_OK;
}


static gs_rc_t
gs_token_json_number(gs_token_json_in_t *in, gs_token_node_t *node)
{
    int  c;

    node->type = GS_TOKEN_JSON_NUMBER;

    if (gs_token_json_peek(in) == '-') {
        in->pos++;
    }

    if (gs_token_json_peek(in) == '0') {
        in->pos++;

    } else if (gs_token_json_digits(in) == 0) {
        return GS_ERROR;
    }

    if (gs_token_json_peek(in) == '.') {
        in->pos++;

        if (gs_token_json_digits(in) == 0) {
            return GS_ERROR;
        }
    }

    c = gs_token_json_peek(in);

    if (c == 'e' || c == 'E') {
        in->pos++;
        c = gs_token_json_peek(in);

        if (c == '+' || c == '-') {
            in->pos++;
        }

        if (gs_token_json_digits(in) == 0) {
            return GS_ERROR;
        }
    }

    return GS_OK;
}


static size_t
gs_token_json_digits(gs_token_json_in_t *in)
{
    size_t  n;

    for (n = 0; gs_is_digit(gs_token_json_peek(in)); n++) {
        in->pos++;
    }

    return n;
}


static gs_rc_t
gs_token_json_word(gs_token_json_in_t *in, gs_token_node_t *node)
{
    size_t       len, left;
    const char  *word;

    switch (*in->pos) {

    case 't':
        node->type = GS_TOKEN_JSON_TRUE;
        word = "true";
        len = 4;
        break;

    case 'f':
        node->type = GS_TOKEN_JSON_FALSE;
        word = "false";
        len = 5;
        break;

    default:
        node->type = GS_TOKEN_JSON_NULL;
        word = "null";
        len = 4;
        break;
    }

    left = (size_t) (in->last - in->pos);

    if (left < len || memcmp(in->pos, word, len) != 0) {
        return GS_ERROR;
    }

    in->pos += len;

    return GS_OK;
}


static gs_token_node_t *
gs_token_json_node(gs_token_json_in_t *in)
{
    gs_token_node_t  *node;

    if (in->doc->used == in->doc->max) {
        return NULL;
    }

    node = &in->doc->nodes[in->doc->used++];
    memset(node, 0, sizeof(gs_token_node_t));

    return node;
}


static void
gs_token_json_blank(gs_token_json_in_t *in)
{
    while (in->pos < in->last
           && (*in->pos == ' ' || *in->pos == '\t' || *in->pos == '\r'
               || *in->pos == '\n'))
    {
        in->pos++;
    }
}


/* The next byte, or -1 at the end. */

static int
gs_token_json_peek(gs_token_json_in_t *in)
{
    return in->pos < in->last ? *in->pos : -1;
}


const gs_token_node_t *
gs_token_json_path(const gs_token_node_t *object, const gs_str_t *path)
{
    size_t                  i, end;
    gs_str_t                step;
    const gs_token_node_t  *n;

    if (path->len == 0 || path->data[0] != '/') {
        return gs_token_json_find(object, path);
    }

    n = object;

    for (i = 1; n != NULL && i <= path->len; i = end + 1) {
        end = gs_str_chr(path, i, '/');
        step = gs_str_make(path->data + i, end - i);
        n = gs_token_json_step(n, &step);
    }

    return n;
}


int
gs_token_json_is_path(const gs_str_t *path)
{
    size_t  i;

    if (path->len == 0 || path->data[0] != '/') {
        return path->len != 0;
    }

    for (i = 1; i < path->len; i++) {
        if (path->data[i] == '~'
            && (++i == path->len
                || (path->data[i] != '0' && path->data[i] != '1')))
        {
            return 0;
        }
    }

    return 1;
}


static const gs_token_node_t *
gs_token_json_step(const gs_token_node_t *node, const gs_str_t *step)
{
    uint64_t                n;
    const gs_token_node_t  *child;

    if (node->type == GS_TOKEN_JSON_OBJECT) {

        for (child = node->child; child != NULL; child = child->next) {
            if (gs_token_json_named(&child->key, step)) {
                return child;
            }
        }

        return NULL;
    }

    if (node->type != GS_TOKEN_JSON_ARRAY
        || gs_parse_u64(step, &n) != GS_OK
        || (step->len > 1 && step->data[0] == '0'))
    {
        return NULL;
    }

    for (child = node->child; child != NULL && n != 0; n--) {
        child = child->next;
    }

    return child;
}


int
gs_token_json_named(const gs_str_t *key, const gs_str_t *step)
{
    int     c;
    size_t  i, n;

    n = 0;

    for (i = 0; i < step->len; i++) {
        c = step->data[i];

        if (c == '~' && i + 1 < step->len) {
            c = (step->data[++i] == '1') ? '/' : '~';
        }

        if (n == key->len || key->data[n++] != c) {
            return 0;
        }
    }

    return n == key->len;
}
