
/*
 * Copyright (C) govsvc authors
 *
 * Listings: a text that begins as a whole statement, a stack trace, a
 * difference, a script or a file of settings does.  What people paste into a
 * ticket; an injection goes on from a value.
 */


#include "guard/gs_guard_priv.h"


#define GS_GUARD_LISTING_MAX  4096         /* bytes searched */


typedef struct {
    const char  *begin;                    /* lower case */
    const char  *behind;                   /* must follow somewhere, or NULL */
} gs_guard_listing_t;


static int gs_guard_listing_begins(const gs_uchar_t *p, const gs_uchar_t *last,
    const char *word);
static int gs_guard_listing_holds(const gs_uchar_t *p, const gs_uchar_t *last,
    const char *word);
static int gs_guard_listing_trace(const gs_uchar_t *p, const gs_uchar_t *last);
static int gs_guard_listing_block(const gs_uchar_t *p, const gs_uchar_t *last);


static const gs_guard_listing_t  gs_guard_listings[] = {
    { "select ", " from " },
    { "insert into ", " values" },
    { "insert into ", "select " },
    { "update ", " set " },
    { "delete from ", " where " },
    { "create table ", "(" },
    { "create index ", " on " },
    { "alter table ", NULL },
    { "explain select ", " from " },
    { "with ", " as (select " },
    { "traceback (most recent call last)", NULL },
    { "caused by: ", NULL },
    { "exception in thread ", NULL },
    { "php fatal error: ", NULL },
    { "php warning: ", NULL },
    { "ora-", "sql" },
    { "you have an error in your sql syntax", NULL },
    { "diff --git ", "\n@@ " },
    { "--- ", "\n+++ " },
    { "#!/", "\n" },
    { "package ", ";" },
    { "import ", "\n" },
    { "public class ", "{" },
    { NULL, NULL }
};


int
gs_guard_listing(const gs_str_t *text)
{
    const gs_uchar_t          *p, *last;
    const gs_guard_listing_t  *l;

    p = text->data;
    last = p + (text->len < GS_GUARD_LISTING_MAX ? text->len
                                                 : GS_GUARD_LISTING_MAX);

    while (p < last
           && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
    {
        p++;
    }

    if (p == last
        || (!gs_is_alpha(*p) && *p != '-' && *p != '#' && *p != '/'))
    {
        return 0;
    }

    for (l = gs_guard_listings; l->begin != NULL; l++) {
        if (gs_guard_listing_begins(p, last, l->begin)
            && (l->behind == NULL
                || gs_guard_listing_holds(p, last, l->behind)))
        {
            return 1;
        }
    }

    return gs_guard_listing_trace(p, last) || gs_guard_listing_block(p, last);
}


static int
gs_guard_listing_begins(const gs_uchar_t *p, const gs_uchar_t *last,
    const char *word)
{
    for (/* void */; *word != '\0'; word++, p++) {

        if (p == last) {
            return 0;
        }

        if (gs_to_lower(*p) != *word
            && !(*word == ' ' && (*p == '\n' || *p == '\r' || *p == '\t')))
        {
            return 0;
        }
    }

    return 1;
}


static int
gs_guard_listing_holds(const gs_uchar_t *p, const gs_uchar_t *last,
    const char *word)
{
    for (/* void */; p < last; p++) {
        if (gs_guard_listing_begins(p, last, word)) {
            return 1;
        }
    }

    return 0;
}


/* "a.b.CException: message", and a line below it. */

static int
gs_guard_listing_trace(const gs_uchar_t *p, const gs_uchar_t *last)
{
    unsigned           dots;
    const gs_uchar_t  *start;

    dots = 0;
    start = p;

    while (p < last && (gs_is_alpha(*p) || gs_is_digit(*p) || *p == '.'
                        || *p == '_' || *p == '$'))
    {
        dots += (*p == '.');
        p++;
    }

    if (dots < 2 || p == last || *p != ':' || p - start < 12) {
        return 0;
    }

    return gs_guard_listing_begins(p - 9, p, "exception")
           || gs_guard_listing_begins(p - 5, p, "error");
}


/* A line of words that ends with ":" or "{", the next one further right. */

static int
gs_guard_listing_block(const gs_uchar_t *p, const gs_uchar_t *last)
{
    while (p < last && (gs_is_alpha(*p) || gs_is_digit(*p) || *p == '_'
                        || *p == '-' || *p == '.' || *p == ' ' || *p == '/'))
    {
        p++;
    }

    if (last - p < 4 || (*p != ':' && *p != '{')) {
        return 0;
    }

    p++;

    if (*p == '\r') {
        p++;
    }

    return *p == '\n' && last - p > 3 && p[1] == ' ' && p[2] == ' ';
}
