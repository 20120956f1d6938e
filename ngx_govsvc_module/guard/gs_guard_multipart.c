
/*
 * Copyright (C) govsvc authors
 *
 * multipart/form-data (RFC 7578 over RFC 2046): fields, and of files the
 * name, the type and the beginning.  What parsers read in different ways is
 * told as a fact, and read in the way that shows more.
 */


#include "guard/gs_guard_priv.h"


#define GS_PART_HEAD  4096                 /* bytes of a file looked at */
#define GS_PART_LINE  2048                 /* of a header of a part */


typedef struct {
    gs_guard_run_t  *run;
    gs_str_t         text;
    gs_str_t         boundary;
    uint32_t         facts;
    unsigned         form:1;               /* RFC 7578, not RFC 2046 alone */
} gs_multipart_t;


typedef struct {
    gs_str_t         name;
    gs_str_t         file;
    gs_str_t         file_star;            /* filename*, RFC 8187 */
    gs_str_t         type;
    unsigned         has_file:1;
} gs_part_t;


static size_t gs_multipart_find(gs_multipart_t *m, size_t from,
    size_t *start);
static void gs_multipart_part(gs_multipart_t *m, size_t from, size_t to);
static size_t gs_multipart_headers(gs_multipart_t *m, size_t from, size_t to,
    gs_part_t *part);
static void gs_multipart_header(gs_multipart_t *m, const gs_str_t *line,
    gs_part_t *part);
static void gs_multipart_disposition(gs_multipart_t *m,
    const gs_str_t *value, gs_part_t *part);
static int gs_multipart_pieces(const gs_str_t *value);
static int gs_multipart_line(const gs_str_t *line);
static int gs_multipart_blank(const gs_uchar_t *p, const gs_uchar_t *last);
static int gs_multipart_picture(const gs_str_t *body);
static int gs_multipart_boundary(const gs_str_t *boundary);
static gs_str_t gs_multipart_extension(const gs_str_t *name);
static void gs_multipart_field(gs_multipart_t *m, const gs_part_t *part,
    const gs_str_t *body);
static void gs_multipart_file(gs_multipart_t *m, const gs_part_t *part,
    const gs_str_t *body);
static void gs_multipart_names(gs_multipart_t *m, const gs_part_t *part);
static void gs_multipart_value(gs_multipart_t *m, gs_kind_e kind,
    const gs_str_t *name, const gs_str_t *text);


uint32_t
gs_guard_feed_multipart(gs_guard_run_t *run, const gs_str_t *text,
    const gs_str_t *boundary, int form)
{
    size_t          from, to, start;
    gs_multipart_t  m;

    m.run = run;
    m.text = *text;
    m.boundary = *boundary;
    m.facts = gs_multipart_boundary(boundary) ? 0 : GS_FLAG_MULTIPART;
    m.form = form ? 1 : 0;

    from = gs_multipart_find(&m, 0, &start);

    if (start > 0 || from == text->len) {

        /* a preamble, or no part at all */

        m.facts |= GS_FLAG_MULTIPART;
        to = (start > 0) ? start : text->len;
        gs_multipart_value(&m, GS_KIND_FORM, boundary,
                           &(gs_str_t) { to, text->data });
    }

    while (from < text->len && !run->s->over) {

        if (text->len - from >= 2 && memcmp(text->data + from, "--", 2) == 0)
        {
            if (text->len - from > 4
                && !gs_multipart_blank(text->data + from + 2,
                                       text->data + text->len))
            {
                /* an epilogue */

                m.facts |= GS_FLAG_MULTIPART;
                gs_multipart_value(&m, GS_KIND_FORM, boundary,
                                   &(gs_str_t) { text->len - from - 2,
                                                 text->data + from + 2 });
            }

            return m.facts;
        }

        to = gs_multipart_find(&m, from, &start);
        gs_multipart_part(&m, from, start);
        from = to;

        if (m.facts & GS_FLAG_MANY) {
            return m.facts;
        }
    }

    if (!run->in->body_cut) {
        m.facts |= GS_FLAG_MULTIPART;
    }

    return m.facts;
}


/*
 * The place behind the next delimiter, the end of the text if there is none;
 * *start is where what is before it ends.
 */

static size_t
gs_multipart_find(gs_multipart_t *m, size_t from, size_t *start)
{
    size_t             i, len;
    const gs_uchar_t  *p;

    len = m->boundary.len + 2;

    for (i = from; m->text.len - i >= len; i++) {

        i = gs_str_chr(&m->text, i, '-');

        if (m->text.len - i < len) {
            break;
        }

        p = m->text.data + i;

        if (p[1] != '-' || (i > 0 && p[-1] != '\n')
            || memcmp(p + 2, m->boundary.data, m->boundary.len) != 0)
        {
            /* behind a dash no delimiter begins */

            while (m->text.len - i > 1 && m->text.data[i + 1] == '-') {
                i++;
            }

            continue;
        }

        *start = i;

        if (i > from) {
            *start -= 1;

            if (*start > from && m->text.data[*start - 1] == '\r') {
                *start -= 1;

            } else if (i > 1) {
                m->facts |= GS_FLAG_MULTIPART;
            }
        }

        return i + len;
    }

    *start = m->text.len;

    return m->text.len;
}


static void
gs_multipart_part(gs_multipart_t *m, size_t from, size_t to)
{
    size_t     at;
    gs_str_t   body;
    gs_part_t  part;

    memset(&part, 0, sizeof(gs_part_t));

    /* the rest of the line of the delimiter: padding at most */

    for (at = from; at < to && m->text.data[at] != '\n'; at++) {

        if (m->text.data[at] != ' ' && m->text.data[at] != '\t'
            && m->text.data[at] != '\r')
        {
            m->facts |= GS_FLAG_MULTIPART;
        }
    }

    at += (at < to);
    at = gs_multipart_headers(m, at, to, &part);
    body = gs_str_make(m->text.data + at, to - at);

    if (++m->run->fields > GS_GUARD_MAX_FIELDS) {
        m->facts |= GS_FLAG_MANY;
        return;
    }

    if (part.name.data == NULL && m->form) {
        m->facts |= GS_FLAG_MULTIPART;
    }

    if (part.has_file) {

        /*
         * A name in filename* alone is none to some servers, who take the
         * part for a field: as clients do so for pictures and documents
         * whose names are Chinese, these are let be.
         */

        if (part.file.data == NULL && !gs_multipart_picture(&body)) {
            m->facts |= GS_FLAG_MULTIPART;
        }

        gs_multipart_file(m, &part, &body);

    } else {
        gs_multipart_field(m, &part, &body);
    }
}


static size_t
gs_multipart_headers(gs_multipart_t *m, size_t from, size_t to,
    gs_part_t *part)
{
    int       blank;
    size_t    end, next;
    gs_str_t  line;

    while (from < to) {

        end = gs_str_chr(&m->text, from, '\n');

        /*
         * A folded line (RFC 5322 section 2.2.3) is one with that before;
         * behind the blank one the value begins, with a space or not.
         */

        blank = (end == from
                 || (end == from + 1 && m->text.data[from] == '\r'));

        while (!blank && end + 1 < to && (m->text.data[end + 1] == ' '
                                          || m->text.data[end + 1] == '\t'))
        {
            m->facts |= GS_FLAG_MULTIPART;
            end = gs_str_chr(&m->text, end + 1, '\n');
        }

        next = end + 1;

        if (end >= to) {
            end = to;
            next = to;
        }

        line = gs_str_make(m->text.data + from, end - from);

        if (line.len > 0 && line.data[line.len - 1] == '\r') {
            line.len--;
        }

        from = next;

        if (line.len == 0) {
            return from;
        }

        gs_multipart_header(m, &line, part);
    }

    m->facts |= GS_FLAG_MULTIPART;

    return to;
}


static void
gs_multipart_header(gs_multipart_t *m, const gs_str_t *line, gs_part_t *part)
{
    size_t    colon, i;
    gs_str_t  name, value;

    colon = gs_str_chr(line, 0, ':');

    if (colon == line->len || !gs_multipart_line(line)) {
        m->facts |= GS_FLAG_MULTIPART;
    }

    if (colon == line->len) {
        return;
    }

    name = gs_str_make(line->data, colon);

    for (i = colon + 1; i < line->len && line->data[i] == ' '; i++) {
        /* void */
    }

    value = gs_str_make(line->data + i, line->len - i);

    if (gs_str_case_eq_text(&name, "content-type")) {

        if (part->type.data != NULL) {
            m->facts |= GS_FLAG_MULTIPART;
        }

        part->type = value;

    } else if (gs_str_case_eq_text(&name, "content-disposition")) {

        gs_multipart_disposition(m, &value, part);

    } else if (gs_str_case_eq_text(&name, "content-transfer-encoding")
               && !gs_str_case_eq_text(&value, "binary")
               && !gs_str_case_eq_text(&value, "8bit")
               && !gs_str_case_eq_text(&value, "7bit"))
    {
        m->facts |= GS_FLAG_MULTIPART;
    }
}


/*
 * RFC 7578 section 4.2 has no filename*, yet common clients send it beside
 * the other; two names that end alike are no contradiction.
 */

static void
gs_multipart_disposition(gs_multipart_t *m, const gs_str_t *value,
    gs_part_t *part)
{
    int       names, files, stars;
    gs_str_t  kind, a, b;

    kind = gs_str_make(value->data, gs_str_chr(value, 0, ';'));

    while (kind.len > 0 && kind.data[kind.len - 1] == ' ') {
        kind.len--;
    }

    if (part->name.data != NULL || part->has_file
        || (m->form && !gs_str_case_eq_text(&kind, "form-data")))
    {
        m->facts |= GS_FLAG_MULTIPART;
    }

    names = gs_guard_param(value, "name", &part->name);
    files = gs_guard_param(value, "filename", &part->file);
    stars = gs_guard_param(value, "filename*", &part->file_star);

    if (names > 1 || files > 1 || stars > 1 || gs_multipart_pieces(value)) {
        m->facts |= GS_FLAG_MULTIPART;

    } else if (stars > 0 && files > 0) {
        a = gs_multipart_extension(&part->file);
        b = gs_multipart_extension(&part->file_star);

        if (!gs_str_case_eq(&a, &b)) {
            m->facts |= GS_FLAG_MULTIPART;
        }
    }

    part->has_file |= (files > 0 || stars > 0);

    if (files > 1 || stars > 1) {

        /* which of them counts differs: the whole line is looked at */

        part->file = *value;
    }
}


/* RFC 2231 section 3, "filename*0=", which no form is to have. */

static int
gs_multipart_pieces(const gs_str_t *value)
{
    gs_str_t  ignored;

    return gs_guard_param(value, "filename*0", &ignored) > 0
           || gs_guard_param(value, "filename*0*", &ignored) > 0
           || gs_guard_param(value, "name*0", &ignored) > 0
           || gs_guard_param(value, "name*0*", &ignored) > 0
           || gs_guard_param(value, "name*", &ignored) > 0;
}


/* Lines that some clients write behind the last delimiter. */

static int
gs_multipart_blank(const gs_uchar_t *p, const gs_uchar_t *last)
{
    if (last - p > 8) {
        return 0;
    }

    for ( /* void */ ; p < last; p++) {

        if (*p != '\r' && *p != '\n') {
            return 0;
        }
    }

    return 1;
}


/* No text: the beginning of a picture, a document or an archive of ZIP. */

static int
gs_multipart_picture(const gs_str_t *body)
{
    size_t               i, len;
    static const struct {
        size_t           len;
        const char      *text;
    }                    begins[] = {
        { 3, "\xff\xd8\xff" }, { 6, "\x89PNG\r\n" }, { 7, "%PDF-1." },
        { 4, "PK\x03\x04" }, { 4, "\xd0\xcf\x11\xe0" },
    };

    for (i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {

        len = begins[i].len;

        if (body->len > len && memcmp(body->data, begins[i].text, len) == 0) {
            return begins[i].text[0] == '%'
                   || memchr(body->data, 0, body->len < 64 ? body->len : 64)
                      != NULL;
        }
    }

    return 0;
}


/* Of some length, without controls, and each quote closed. */

static int
gs_multipart_line(const gs_str_t *line)
{
    int     quoted;
    size_t  i;

    quoted = 0;

    for (i = 0; i < line->len; i++) {

        if ((line->data[i] < ' ' && line->data[i] != '\t'
             && line->data[i] != '\r' && line->data[i] != '\n')
            || line->data[i] == 0x7f)
        {
            return 0;
        }

        if (line->data[i] == '"') {
            quoted = !quoted;

        } else if (quoted && line->data[i] == '\\' && i + 1 < line->len
                   && line->data[i + 1] == '"')
        {
            i++;
        }
    }

    return !quoted && line->len <= GS_PART_LINE;
}


/* RFC 2046 section 5.1.1; and no blank at its end. */

static int
gs_multipart_boundary(const gs_str_t *boundary)
{
    int     c;
    size_t  i;

    for (i = 0; i < boundary->len; i++) {
        c = boundary->data[i];

        if (!gs_is_alpha(c) && (c < '0' || c > '9')
            && (c == '\0' || strchr("'()+_,-./:=? *#@{}$!~", c) == NULL))
        {
            return 0;
        }
    }

    return boundary->data[boundary->len - 1] != ' ';
}


/* Behind the last dot, which may be written "%2e". */

static gs_str_t
gs_multipart_extension(const gs_str_t *name)
{
    size_t  i;

    for (i = name->len; i > 0; i--) {

        if (name->data[i - 1] == '.') {
            return gs_str_make(name->data + i, name->len - i);
        }

        if (i >= 3 && name->data[i - 3] == '%' && name->data[i - 2] == '2'
            && (name->data[i - 1] | 0x20) == 'e')
        {
            return gs_str_make(name->data + i, name->len - i);
        }
    }

    return *name;
}


static void
gs_multipart_field(gs_multipart_t *m, const gs_part_t *part,
    const gs_str_t *body)
{
    gs_multipart_value(m, GS_KIND_FORM_NAMES, &part->name, &part->name);
    gs_multipart_value(m, GS_KIND_FORM, &part->name, body);

    if (part->name.data != NULL
        && gs_str_eq_text(&part->name, "_charset_"))
    {

        /* RFC 7578 section 4.6 */

        m->facts |= gs_guard_charset(body);
    }

    if (part->type.len > 0) {
        m->facts |= gs_guard_feed_typed(m->run, body, &part->type);
    }
}


static void
gs_multipart_file(gs_multipart_t *m, const gs_part_t *part,
    const gs_str_t *body)
{
    gs_str_t  head;

    gs_multipart_value(m, GS_KIND_FORM_NAMES, &part->name, &part->name);

    gs_multipart_names(m, part);

    if (part->type.len > 0) {
        gs_multipart_value(m, GS_KIND_FILE_TYPES, &part->name, &part->type);
    }

    head = *body;

    if (head.len > GS_PART_HEAD) {
        head.len = GS_PART_HEAD;
    }

    gs_multipart_value(m, GS_KIND_FILE_HEADS, &part->name, &head);
}


/* As they came, and as programs read them. */

static void
gs_multipart_names(gs_multipart_t *m, const gs_part_t *part)
{
    gs_str_t     plain;
    gs_uchar_t  *dst;

    dst = m->run->s->text;

    gs_multipart_value(m, GS_KIND_FILE_NAMES, &part->name, &part->file);

    plain = gs_guard_filename(dst, &part->file);

    if (plain.data != part->file.data) {
        gs_multipart_value(m, GS_KIND_FILE_NAMES, &part->name, &plain);
    }

    gs_multipart_value(m, GS_KIND_FILE_NAMES, &part->name, &part->file_star);

    plain = gs_guard_filename_star(dst, &part->file_star);

    if (plain.data != part->file_star.data) {
        gs_multipart_value(m, GS_KIND_FILE_NAMES, &part->name, &plain);
    }
}


static void
gs_multipart_value(gs_multipart_t *m, gs_kind_e kind, const gs_str_t *name,
    const gs_str_t *text)
{
    gs_value_t  v;

    if (text->len == 0) {
        return;
    }

    gs_guard_value_init(&v, kind, GS_DECODE_NONE, text);
    v.name = *name;

    if (kind == GS_KIND_FORM) {
        gs_guard_value_also(m->run, &v, GS_KIND_ARG, name);
    }

    gs_guard_value(m->run, &v);
}
