
/*
 * Copyright (C) govsvc authors
 *
 * XML as a stream of texts and attributes.  Nothing is expanded: a DOCTYPE
 * and an ENTITY are facts, and what they say is one more text.  Texts that
 * only comments and the like part are one to the program behind: so are they
 * here, beside each by itself.
 */


#include "guard/gs_guard_priv.h"
#include "core/gs_hex.h"
#include "core/gs_utf8.h"


#define GS_XML_ENTITY  64                  /* bytes; zeros may lead a number */
#define GS_XML_DEPTH   128                 /* of elements in elements */
#define GS_XML_ATTRS   256                 /* of one element */
#define GS_XML_ONCE    32                  /* of these no two are the same */
#define GS_XML_REFS    256                 /* that no writer makes */


typedef struct {
    gs_guard_run_t    *run;
    const gs_uchar_t  *p;
    const gs_uchar_t  *last;
    uint32_t           facts;
    gs_str_t           element;
    gs_str_t           piece;              /* the first text since the tag */
    size_t             joined;             /* bytes of them in run->s->inner */
    unsigned           pieces;
    unsigned           plain:1;            /* the first is */
    unsigned           roots;
    unsigned           depth;
    unsigned           attrs;              /* of the element */
    unsigned           refs;
    uint32_t           open[GS_XML_DEPTH]; /* hashes of names */
    uint32_t           seen[GS_XML_ONCE];
} gs_xml_t;


static gs_rc_t gs_xml_markup(gs_xml_t *x);
static uint32_t gs_xml_declared(gs_xml_t *x, const gs_str_t *text);
static void gs_xml_piece(gs_xml_t *x, const gs_str_t *text, int plain);
static void gs_xml_join(gs_xml_t *x, const gs_str_t *text, int plain);
static void gs_xml_whole(gs_xml_t *x);
static gs_rc_t gs_xml_until(gs_xml_t *x, size_t skip, const char *end,
    gs_str_t *text);
static gs_rc_t gs_xml_doctype(gs_xml_t *x);
static gs_rc_t gs_xml_tag(gs_xml_t *x);
static void gs_xml_open(gs_xml_t *x);
static void gs_xml_close(gs_xml_t *x);
static gs_rc_t gs_xml_attribute(gs_xml_t *x);
static void gs_xml_once(gs_xml_t *x, const gs_str_t *name);
static gs_str_t gs_xml_name(gs_xml_t *x);
static int gs_xml_starts(const gs_xml_t *x, const char *text);
static void gs_xml_text(gs_xml_t *x, const gs_str_t *text,
    const gs_str_t *name, int plain);
static gs_str_t gs_xml_unescape(gs_xml_t *x, gs_uchar_t *dst,
    const gs_str_t *text);
static int gs_xml_odd(const gs_uchar_t *from, size_t used, int c);
static size_t gs_xml_entity(const gs_str_t *text, size_t i, gs_uchar_t *dst,
    size_t *n);
static void gs_xml_space(gs_xml_t *x);


uint32_t
gs_guard_feed_xml(gs_guard_run_t *run, const gs_str_t *text)
{
    gs_str_t           part;
    gs_xml_t           x;
    const gs_uchar_t  *p;

    memset(&x, 0, sizeof(gs_xml_t));

    x.run = run;
    x.p = text->data;
    x.last = text->data + text->len;
    x.element = gs_str_make("", 0);

    while (x.p < x.last && !run->s->over) {

        if (*x.p == '<') {

            if (gs_xml_markup(&x) == GS_OK) {
                continue;
            }

            /* what is no markup is looked at as a text */

            x.facts |= GS_FLAG_XML;
            part = gs_str_make(x.p, (size_t) (x.last - x.p));
            gs_xml_piece(&x, &part, 0);
            break;
        }

        p = memchr(x.p, '<', (size_t) (x.last - x.p));

        if (p == NULL) {
            p = x.last;
        }

        part = gs_str_make(x.p, (size_t) (p - x.p));
        gs_xml_piece(&x, &part, 0);
        x.p = p;

        if (x.facts & GS_FLAG_MANY) {
            break;
        }
    }

    gs_xml_whole(&x);

    if (x.depth > 0 && x.p == x.last && !run->in->body_cut) {
        x.facts |= GS_FLAG_XML_TREE;
    }

    return x.facts;
}


static gs_rc_t
gs_xml_markup(gs_xml_t *x)
{
    gs_rc_t   rc;
    gs_str_t  text;

    if (gs_xml_starts(x, "<!--")) {
        rc = gs_xml_until(x, 4, "-->", &text);

    } else if (gs_xml_starts(x, "<![CDATA[")) {
        rc = gs_xml_until(x, 9, "]]>", &text);

        if (rc == GS_OK) {
            gs_xml_piece(x, &text, 1);
        }

        return rc;

    } else if (gs_xml_starts(x, "<?")) {
        rc = gs_xml_until(x, 2, "?>", &text);

        if (rc == GS_OK && text.len >= 4
            && memcmp(text.data, "xml", 3) == 0 && text.data[3] <= ' ')
        {
            x->facts |= gs_xml_declared(x, &text);
            return GS_OK;
        }

    } else if (gs_xml_starts(x, "<!")) {
        return gs_xml_doctype(x);

    } else {
        gs_xml_whole(x);
        return gs_xml_tag(x);
    }

    if (rc == GS_OK) {
        gs_xml_text(x, &text, &x->element, 1);
    }

    return rc;
}


/* XML section 4.3.3; what the header says may be another (RFC 7303). */

static uint32_t
gs_xml_declared(gs_xml_t *x, const gs_str_t *text)
{
    int       quote;
    size_t    i, end;
    gs_str_t  word, name;

    for (i = 0; text->len - i > 8; i++) {
        if (memcmp(text->data + i, "encoding", 8) == 0) {
            break;
        }
    }

    for (i += 8; i < text->len && text->data[i] <= ' '; i++) {
        /* void */
    }

    if (i >= text->len || text->data[i] != '=') {
        return 0;
    }

    for (i++; i < text->len && text->data[i] <= ' '; i++) {
        /* void */
    }

    quote = (i < text->len) ? text->data[i] : 0;

    if (quote != '"' && quote != '\'') {
        return 0;
    }

    word = gs_str_make(text->data + i + 1, text->len - i - 1);
    end = gs_str_chr(&word, 0, (gs_uchar_t) quote);
    name = gs_str_make(word.data, end);

    return gs_guard_charset_inside(&x->run->in->type, &name);
}


/* A text of the element, which others may follow before the next tag. */

static void
gs_xml_piece(gs_xml_t *x, const gs_str_t *text, int plain)
{
    gs_xml_text(x, text, &x->element, plain);

    if (x->pieces++ == 0) {
        x->piece = *text;
        x->plain = plain ? 1 : 0;
        return;
    }

    if (x->pieces == 2) {
        x->joined = 0;
        gs_xml_join(x, &x->piece, x->plain);
    }

    gs_xml_join(x, text, plain);
}


static void
gs_xml_join(gs_xml_t *x, const gs_str_t *text, int plain)
{
    unsigned     refs;
    gs_str_t     part;
    gs_uchar_t  *dst;

    dst = x->run->s->inner + x->joined;

    if (plain) {
        memcpy(dst, text->data, text->len);
        x->joined += text->len;
        return;
    }

    /* those of each by itself are counted */

    refs = x->refs;
    x->refs = 0;
    part = gs_xml_unescape(x, dst, text);
    x->refs = refs;
    x->joined += part.len;
}


static void
gs_xml_whole(gs_xml_t *x)
{
    gs_str_t  text;

    if (x->pieces > 1) {
        text = gs_str_make(x->run->s->inner, x->joined);
        gs_xml_text(x, &text, &x->element, 1);
    }

    x->pieces = 0;
}


static gs_rc_t
gs_xml_until(gs_xml_t *x, size_t skip, const char *end, gs_str_t *text)
{
    size_t             len;
    const gs_uchar_t  *p;

    len = strlen(end);

    for (p = x->p + skip; (size_t) (x->last - p) >= len; p++) {

        if (memcmp(p, end, len) == 0) {
            *text = gs_str_make(x->p + skip, (size_t) (p - x->p) - skip);
            x->p = p + len;
            return GS_OK;
        }
    }

    return GS_ERROR;
}


/* Up to the ">" that is in no quotes and no brackets. */

static gs_rc_t
gs_xml_doctype(gs_xml_t *x)
{
    int                quote, depth;
    gs_str_t           text, name;
    const gs_uchar_t  *p;

    x->facts |= GS_FLAG_DOCTYPE;
    quote = 0;
    depth = 0;

    for (p = x->p; p < x->last; p++) {

        if (quote) {
            quote = (*p == quote) ? 0 : quote;
            continue;
        }

        if (*p == '"' || *p == '\'') {
            quote = *p;

        } else if (*p == '<') {
            depth++;

            if ((size_t) (x->last - p) >= 8
                && memcmp(p, "<!ENTITY", 8) == 0)
            {
                x->facts |= GS_FLAG_ENTITY;
            }

        } else if (*p == '>' && --depth == 0) {
            p++;
            break;
        }
    }

    text = gs_str_make(x->p, (size_t) (p - x->p));
    name = gs_str_text("!doctype");
    x->p = p;

    gs_xml_text(x, &text, &name, 1);

    return (p == x->last && depth > 0) ? GS_ERROR : GS_OK;
}


static gs_rc_t
gs_xml_tag(gs_xml_t *x)
{
    int                end, empty;
    const gs_uchar_t  *start;

    start = x->p++;
    end = (x->p < x->last && *x->p == '/');
    x->p += end;
    x->attrs = 0;
    empty = 0;

    x->element = gs_xml_name(x);

    if (x->element.len == 0) {
        x->p = start;
        return GS_ERROR;
    }

    for ( ;; ) {
        gs_xml_space(x);

        if (x->p == x->last) {
            x->p = start;
            return GS_ERROR;
        }

        if (*x->p == '>') {
            x->p++;

            if (end) {
                gs_xml_close(x);

            } else {
                gs_xml_open(x);
                x->depth -= empty;
            }

            return GS_OK;
        }

        empty = (*x->p == '/');

        if (empty) {
            x->p++;
            continue;
        }

        if (gs_xml_attribute(x) != GS_OK) {
            x->p = start;
            return GS_ERROR;
        }
    }
}


static void
gs_xml_open(gs_xml_t *x)
{
    if (x->depth == 0 && x->roots++ > 0) {
        x->facts |= GS_FLAG_XML_TREE;
    }

    if (x->depth < GS_XML_DEPTH) {
        x->open[x->depth] = gs_str_hash(&x->element);

    } else {
        x->facts |= GS_FLAG_XML_BOMB;
    }

    x->depth++;
}


static void
gs_xml_close(gs_xml_t *x)
{
    if (x->depth == 0) {
        x->facts |= GS_FLAG_XML_TREE;
        return;
    }

    x->depth--;

    if (x->depth < GS_XML_DEPTH
        && x->open[x->depth] != gs_str_hash(&x->element))
    {
        x->facts |= GS_FLAG_XML_TREE;
    }
}


static gs_rc_t
gs_xml_attribute(gs_xml_t *x)
{
    int                quote;
    gs_str_t           name, value;
    const gs_uchar_t  *p;

    name = gs_xml_name(x);
    gs_xml_space(x);

    if (name.len == 0 || x->p == x->last || *x->p != '=') {
        return GS_ERROR;
    }

    x->p++;
    gs_xml_space(x);

    if (x->p == x->last || (*x->p != '"' && *x->p != '\'')) {
        return GS_ERROR;
    }

    quote = *x->p++;
    p = memchr(x->p, quote, (size_t) (x->last - x->p));

    if (p == NULL) {
        return GS_ERROR;
    }

    value = gs_str_make(x->p, (size_t) (p - x->p));
    gs_xml_once(x, &name);
    gs_xml_text(x, &value, &name, 0);
    x->p = p + 1;

    return GS_OK;
}


/* XML section 3.1: no attribute twice. */

static void
gs_xml_once(gs_xml_t *x, const gs_str_t *name)
{
    unsigned  i;
    uint32_t  hash;

    if (++x->attrs > GS_XML_ATTRS) {
        x->facts |= GS_FLAG_XML_BOMB;
    }

    if (x->attrs > GS_XML_ONCE) {
        return;
    }

    hash = gs_str_hash(name);

    for (i = 0; i + 1 < x->attrs; i++) {
        if (x->seen[i] == hash) {
            x->facts |= GS_FLAG_XML_TREE;
        }
    }

    x->seen[i] = hash;
}


static gs_str_t
gs_xml_name(gs_xml_t *x)
{
    const gs_uchar_t  *start;

    start = x->p;

    while (x->p < x->last && *x->p > ' '
           && strchr("<>/=\"'", *x->p) == NULL)
    {
        x->p++;
    }

    return gs_str_make(start, (size_t) (x->p - start));
}


static int
gs_xml_starts(const gs_xml_t *x, const char *text)
{
    size_t  len;

    len = strlen(text);

    return (size_t) (x->last - x->p) >= len
           && memcmp(x->p, text, len) == 0;
}


static void
gs_xml_text(gs_xml_t *x, const gs_str_t *text, const gs_str_t *name,
    int plain)
{
    size_t      i;
    gs_value_t  v;

    for (i = 0; i < text->len; i++) {
        if (text->data[i] > ' ') {
            break;
        }
    }

    if (i == text->len) {
        return;
    }

    gs_guard_value_init(&v, GS_KIND_XML, GS_DECODE_NONE, text);
    v.name = *name;

    if (!plain && memchr(text->data, '&', text->len) != NULL) {
        v.view[GS_VIEW_URL] = gs_xml_unescape(x, x->run->s->text, text);
    }

    if (!gs_guard_wanted(x->run, GS_KIND_XML)) {
        return;
    }

    if (++x->run->fields > GS_GUARD_MAX_FIELDS) {
        x->facts |= GS_FLAG_MANY;
        return;
    }

    gs_guard_value(x->run, &v);
}


static gs_str_t
gs_xml_unescape(gs_xml_t *x, gs_uchar_t *dst, const gs_str_t *text)
{
    size_t  i, n, used;

    n = 0;

    for (i = 0; i < text->len; i += used) {

        used = (text->data[i] == '&') ? gs_xml_entity(text, i, dst, &n) : 0;

        if (text->data[i] == '&'
            && gs_xml_odd(text->data + i, used, (n > 0) ? dst[n - 1] : 0)
            && ++x->refs > GS_XML_REFS)
        {
            x->facts |= GS_FLAG_XML_BOMB;
        }

        if (used == 0) {
            dst[n++] = text->data[i];
            used = 1;
        }
    }

    return gs_str_make(dst, n);
}


/* Of an entity that is not known, or of a letter that needs none. */

static int
gs_xml_odd(const gs_uchar_t *from, size_t used, int c)
{
    return used == 0
           || (from[1] == '#' && (gs_is_alpha(c) || (c >= '0' && c <= '9')));
}


/* XML section 4.6 and 4.1; others stay as they are. */

static size_t
gs_xml_entity(const gs_str_t *text, size_t i, gs_uchar_t *dst, size_t *n)
{
    int       base, digit;
    size_t    k, end;
    uint32_t  c;
    gs_str_t  name;

    static const char *const  names[] = { "lt", "gt", "amp", "quot", "apos" };
    static const char         values[] = "<>&\"'";

    for (end = i + 1; end < text->len && text->data[end] != ';'; end++) {
        if (end - i > GS_XML_ENTITY || text->data[end] == '&') {
            return 0;
        }
    }

    if (end == text->len || end - i < 3) {
        return 0;
    }

    name = gs_str_make(text->data + i + 1, end - i - 1);

    for (k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
        if (gs_str_eq_text(&name, names[k])) {
            dst[(*n)++] = (gs_uchar_t) values[k];
            return end + 1 - i;
        }
    }

    if (name.data[0] != '#') {
        return 0;
    }

    base = (name.len > 2 && name.data[1] == 'x') ? 16 : 10;
    c = 0;

    for (k = (base == 16) ? 2 : 1; k < name.len; k++) {
        digit = gs_hex_value(name.data[k]);

        if (digit < 0 || digit >= base || c > 0x10ffff) {
            return 0;
        }

        c = c * (uint32_t) base + (uint32_t) digit;
    }

    if (c > 0 && c < 0x80) {
        dst[(*n)++] = (gs_uchar_t) c;
        return end + 1 - i;
    }

    *n += gs_utf8_put(dst + *n, c);

    return end + 1 - i;
}


static void
gs_xml_space(gs_xml_t *x)
{
    while (x->p < x->last && (*x->p == ' ' || *x->p == '\t'
                              || *x->p == '\r' || *x->p == '\n'))
    {
        x->p++;
    }
}
