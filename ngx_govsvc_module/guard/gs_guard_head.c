
/*
 * Copyright (C) govsvc authors
 *
 * What no single value of a request's head tells: how many headers, cookies
 * and arguments there are, what is there twice that may be there once, and
 * hosts other than the one asked for.
 */


#include "guard/gs_guard_priv.h"


#define GS_HEAD_HEADERS       100          /* lines; browsers send 10 to 40 */
#define GS_HEAD_COOKIES       180          /* what browsers keep of a site */
#define GS_HEAD_SAME          20           /* lines of one name */
#define GS_HEAD_SAME_ARGS     100          /* boxes ticked in one list */
#define GS_HEAD_SAME_COOKIES  16           /* of several paths */
#define GS_HEAD_CLAIMS        4
#define GS_HEAD_NAMES         4            /* counted at a time */


typedef struct {
    gs_str_t   name;
    size_t     n;
} gs_head_name_t;


typedef struct {
    gs_str_t   host;
    gs_str_t   claims[GS_HEAD_CLAIMS];     /* hosts that others tell */
    unsigned   nclaims;
    unsigned   once;                       /* bit of each that was seen */
    size_t     headers;
    uint32_t   facts;
} gs_head_t;


static void gs_head_header(gs_head_t *head, const gs_guard_header_t *h);
static void gs_head_cookies(gs_head_t *head, const gs_str_t *value);
static void gs_head_claim(gs_head_t *head, const gs_str_t *value);
static int gs_head_same(gs_guard_run_t *run);
static void gs_head_target(gs_head_t *head, const gs_str_t *line);
static int gs_head_foreign(const gs_str_t *host, const gs_str_t *claim);
static gs_str_t gs_head_site(const gs_str_t *host);
static size_t gs_head_count(gs_head_name_t *names, const gs_str_t *name);
static int gs_head_find(const gs_str_t *list, const gs_str_t *name);


/* Of these a second line contradicts the first. */

static const gs_str_t  gs_head_once[] = {
    gs_string("content-type"), gs_string("range"),
    gs_string("authorization"), gs_string("referer"), gs_string("origin"),
    gs_string("expect"), gs_string("if-range"), gs_string("content-range"),
    gs_string("content-length"), gs_string("host"), { 0, NULL }
};


/* The host that was asked for, as servers before this one tell it. */

static const gs_str_t  gs_head_claims[] = {
    gs_string("x-forwarded-host"), gs_string("x-host"),
    gs_string("x-http-host-override"), gs_string("x-original-host"),
    gs_string("forwarded"), { 0, NULL }
};


void
gs_guard_feed_whole(gs_guard_run_t *run)
{
    unsigned           i;
    gs_head_t          head;
    gs_value_t         v;
    gs_guard_header_t  h;

    if (!gs_guard_wanted(run, GS_KIND_HEAD)) {
        return;
    }

    memset(&head, 0, sizeof(gs_head_t));

    if (run->in->header != NULL) {

        if (run->in->rewind != NULL) {
            run->in->rewind(run->in->cursor);
        }

        while (run->in->header(run->in->cursor, &h) == GS_OK) {
            gs_head_header(&head, &h);
        }
    }

    gs_head_target(&head, &run->in->line);

    for (i = 0; i < head.nclaims; i++) {
        if (gs_head_foreign(&head.host, &head.claims[i])) {
            head.facts |= GS_FLAG_FOREIGN;
        }
    }

    if ((head.headers > GS_HEAD_SAME && gs_head_same(run))
        || gs_guard_repeats(&run->in->args, '&', GS_HEAD_SAME_ARGS))
    {
        head.facts |= GS_FLAG_REPEATED;
    }

    gs_guard_value_init(&v, GS_KIND_HEAD, GS_DECODE_NONE,
                        run->in->line.len ? &run->in->line : &run->in->uri);
    v.facts = head.facts;
    gs_guard_value(run, &v);
}


static void
gs_head_header(gs_head_t *head, const gs_guard_header_t *h)
{
    int  i;

    if (++head->headers > GS_HEAD_HEADERS) {
        head->facts |= GS_FLAG_MANY;
    }

    i = gs_head_find(gs_head_once, &h->name);

    if (i >= 0) {

        if (head->once & 1u << i) {
            head->facts |= GS_FLAG_REPEATED;
        }

        head->once |= 1u << i;

        if (h->name.len == 4) {
            head->host = h->value;
        }

        return;
    }

    if (gs_str_case_eq_text(&h->name, "cookie")) {
        gs_head_cookies(head, &h->value);

    } else if (gs_head_find(gs_head_claims, &h->name) >= 0) {
        gs_head_claim(head, &h->value);
    }
}


static void
gs_head_cookies(gs_head_t *head, const gs_str_t *value)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < value->len; i = gs_str_chr(value, i, ';') + 1) {
        n++;
    }

    if (n > GS_HEAD_COOKIES) {
        head->facts |= GS_FLAG_MANY;
    }

    if (n > GS_HEAD_SAME_COOKIES
        && gs_guard_repeats(value, ';', GS_HEAD_SAME_COOKIES))
    {
        head->facts |= GS_FLAG_REPEATED;
    }
}


/* "host=" of RFC 7239, or a list of hosts, of which the first was asked for */

static void
gs_head_claim(gs_head_t *head, const gs_str_t *value)
{
    size_t    i;
    gs_str_t  host, rest;

    rest = *value;
    i = gs_str_chr(&rest, 0, '=');

    if (i < rest.len) {

        /* a header of parameters is one whose first is a name */

        for (i = 0; rest.len - i > 5; i++) {
            host = gs_str_make(rest.data + i, 5);

            if (gs_str_case_eq_text(&host, "host=")) {
                break;
            }
        }

        if (rest.len - i <= 5) {
            return;
        }

        rest = gs_str_make(rest.data + i + 5, rest.len - i - 5);
    }

    for (i = 0; i < rest.len && strchr(",; \"", rest.data[i]) == NULL; i++) {
        /* void */
    }

    if (i == 0 && rest.len > 1 && rest.data[0] == '"') {
        rest = gs_str_make(rest.data + 1, rest.len - 1);
        i = gs_str_chr(&rest, 0, '"');
    }

    if (head->nclaims < GS_HEAD_CLAIMS && i > 0) {
        head->claims[head->nclaims++] = gs_str_make(rest.data, i);
    }
}


static int
gs_head_same(gs_guard_run_t *run)
{
    gs_head_name_t     names[GS_HEAD_NAMES];
    gs_guard_header_t  h;

    memset(names, 0, sizeof(names));

    if (run->in->header == NULL || run->in->rewind == NULL) {
        return 0;
    }

    run->in->rewind(run->in->cursor);

    while (run->in->header(run->in->cursor, &h) == GS_OK) {
        if (gs_head_count(names, &h.name) > GS_HEAD_SAME) {
            return 1;
        }
    }

    return 0;
}


/* RFC 9112 section 3.2.2: a target with a host, which is that of Host. */

static void
gs_head_target(gs_head_t *head, const gs_str_t *line)
{
    size_t    i, end, space;
    gs_str_t  claim;

    space = gs_str_chr(line, 0, ' ');

    if (line->len - space < 2 || line->data[space + 1] == '/'
        || line->data[space + 1] == '*')
    {
        return;
    }

    i = gs_str_chr(line, space, ':');

    if (line->len - i < 4 || memcmp(line->data + i, "://", 3) != 0) {
        return;
    }

    i += 3;

    for (end = i; end < line->len; end++) {
        if (strchr("/? ", line->data[end]) != NULL) {
            break;
        }
    }

    claim = gs_str_make(line->data + i, end - i);

    if (head->host.len > 0 && !gs_str_case_eq(&claim, &head->host)) {
        head->facts |= GS_FLAG_FOREIGN;
    }
}


/*
 * Names of one site differ within it, www.a.example and api.a.example; what
 * a server before this one made an address of tells nothing.
 */

static int
gs_head_foreign(const gs_str_t *host, const gs_str_t *claim)
{
    size_t    i;
    gs_str_t  a, b;

    for (i = 0; i < host->len; i++) {
        if (gs_is_alpha(host->data[i])) {
            break;
        }
    }

    if (i == host->len || host->data[0] == '[') {
        return 0;
    }

    a = gs_head_site(host);
    b = gs_head_site(claim);

    return !gs_str_case_eq(&a, &b);
}


/* The last two labels, of a country three: "gd.gov.cn". */

static gs_str_t
gs_head_site(const gs_str_t *host)
{
    size_t    i, dots, want;
    gs_str_t  name;

    name = gs_str_make(host->data, gs_str_chr(host, 0, ':'));
    dots = 0;
    want = 2;

    for (i = name.len; i > 0; i--) {

        if (name.data[i - 1] != '.') {
            continue;
        }

        if (++dots == 1 && name.len - i == 2) {
            want = 3;
        }

        if (dots == want) {
            return gs_str_make(name.data + i, name.len - i);
        }
    }

    return name;
}


/*
 * 1 if one name, up to "=", is in the list more than max times.  Misra and
 * Gries: what is left of a count is at most n / 5 too small, so a list in
 * which other names are as many may be let pass.
 */

int
gs_guard_repeats(const gs_str_t *text, int sep, size_t max)
{
    size_t          from, to;
    gs_str_t        pair;
    gs_head_name_t  names[GS_HEAD_NAMES];

    if (text->len <= max * 2) {
        return 0;
    }

    memset(names, 0, sizeof(names));

    for (from = 0; from < text->len; from = to + 1) {

        while (from < text->len && text->data[from] == ' ') {
            from++;
        }

        to = gs_str_chr(text, from, sep);
        pair = gs_str_make(text->data + from, to - from);
        pair.len = gs_str_chr(&pair, 0, '=');

        if (gs_head_count(names, &pair) > max) {
            return 1;
        }
    }

    return 0;
}


static size_t
gs_head_count(gs_head_name_t *names, const gs_str_t *name)
{
    unsigned         i;
    gs_head_name_t  *free;

    free = NULL;

    for (i = 0; i < GS_HEAD_NAMES; i++) {

        if (names[i].n == 0) {
            free = &names[i];

        } else if (gs_str_case_eq(&names[i].name, name)) {
            return ++names[i].n;
        }
    }

    if (free != NULL) {
        free->name = *name;
        free->n = 1;
        return 1;
    }

    for (i = 0; i < GS_HEAD_NAMES; i++) {
        names[i].n--;
    }

    return 0;
}


static int
gs_head_find(const gs_str_t *list, const gs_str_t *name)
{
    int  i;

    for (i = 0; list[i].len > 0; i++) {
        if (list[i].len == name->len && gs_str_case_eq(&list[i], name)) {
            return i;
        }
    }

    return -1;
}
