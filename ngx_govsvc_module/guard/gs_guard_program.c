
/*
 * Copyright (C) govsvc authors
 *
 * Programs: a text that is whole by its structure - it begins as a statement
 * does, what it opens it closes, and it is made of words that programs are
 * made of.  An injection goes on from a value or ends a quotation.
 */


#include "guard/gs_guard_priv.h"


#define GS_GUARD_PROGRAM_MAX   4096        /* bytes searched */
#define GS_GUARD_PROGRAM_MIN   40
#define GS_GUARD_PROGRAM_MARKS  2          /* of statements */
#define GS_GUARD_PROGRAM_ENOUGH  11        /* marks, keywords three times */


/* In their order. */

static const char *const  gs_guard_program_words[] = {
    "agent", "async", "await", "bean", "begin", "bool", "boolean", "break",
    "case", "catch", "chan", "char", "class", "component", "computed", "const",
    "continue", "def", "default", "defer", "do", "echo", "elif", "else",
    "elseif", "end", "endfor", "endif", "enum", "except", "export", "extends",
    "extern", "false", "final", "finally", "float", "fn", "for", "foreach",
    "from", "func", "function", "go", "if", "impl", "implements", "import",
    "include", "int", "integer", "interface", "isset", "lambda", "let", "list",
    "local", "location", "long", "main", "map", "match", "method", "methods",
    "module", "mounted", "namespace", "new", "nil", "none", "null", "nullptr",
    "object", "override", "package", "pass", "pipeline", "print", "printf",
    "println", "private", "protected", "public", "raise", "range", "require",
    "res", "return", "select", "self", "server", "sizeof", "stage", "stages",
    "static", "std", "steps", "string", "struct", "sub", "switch", "template",
    "then", "this", "throw", "throws", "true", "try", "typedef", "typeof",
    "undefined", "unsigned", "upstream", "use", "using", "val", "var", "void",
    "while", "with", "yield"
};

#define GS_GUARD_PROGRAM_WORDS                                                \
    (sizeof(gs_guard_program_words) / sizeof(gs_guard_program_words[0]))


typedef struct {
    unsigned  words;
    unsigned  marks;
    unsigned  depth;
    unsigned  broken:1;                    /* closed what was not open */
    unsigned  open:1;                      /* in a quotation */
    uint64_t  seen[(GS_GUARD_PROGRAM_WORDS + 63) / 64];
} gs_guard_program_t;


static void gs_guard_program_scan(gs_guard_program_t *pr, const gs_uchar_t *p,
    const gs_uchar_t *last);
static const gs_uchar_t *gs_guard_program_quote(gs_guard_program_t *pr,
    const gs_uchar_t *start, const gs_uchar_t *p, const gs_uchar_t *last);
static const gs_uchar_t *gs_guard_program_word(gs_guard_program_t *pr,
    const gs_uchar_t *p, const gs_uchar_t *last);
static int gs_guard_program_index(const gs_uchar_t *p, size_t len);
static int gs_guard_program_command(const gs_uchar_t *p,
    const gs_uchar_t *last);
static int gs_guard_program_chain(const gs_uchar_t *p, const gs_uchar_t *last);
static const gs_uchar_t *gs_guard_program_space(const gs_uchar_t *p,
    const gs_uchar_t *last);


int
gs_guard_program(const gs_str_t *text)
{
    const gs_uchar_t    *p, *last;
    gs_guard_program_t   pr;

    last = text->data + (text->len < GS_GUARD_PROGRAM_MAX
                         ? text->len : GS_GUARD_PROGRAM_MAX);
    p = gs_guard_program_space(text->data, last);

    if (p == last || *p == '\0'
        || (!gs_is_alpha(*p) && strchr("_$@<#/{[.", *p) == NULL))
    {
        return 0;
    }

    if (gs_guard_program_command(p, last)) {
        return 1;
    }

    if (last - p < GS_GUARD_PROGRAM_MIN) {
        return 0;
    }

    gs_guard_program_scan(&pr, p, last);

    /* fewer words are as good with more of what statements are made of */

    if (pr.words == 0 || pr.marks < GS_GUARD_PROGRAM_MARKS
        || pr.words * 3 + pr.marks < GS_GUARD_PROGRAM_ENOUGH || pr.broken)
    {
        return 0;
    }

    return text->len > GS_GUARD_PROGRAM_MAX || (!pr.open && pr.depth == 0);
}


/*
 * A command with an option before anything that separates commands: a whole
 * line of a shell.  Shells and interpreters that are given their program so
 * are what an injection begins with.
 */

static int
gs_guard_program_command(const gs_uchar_t *p, const gs_uchar_t *last)
{
    size_t             n;
    gs_str_t           name;
    unsigned           i;
    const gs_uchar_t  *start, *word;

    static const char *const  shells[] = {
        "awk", "bash", "bitsadmin", "certutil", "cmd", "cmd.exe", "dash",
        "lua", "mshta", "nc", "ncat", "netcat", "node", "perl", "php",
        "powershell", "powershell.exe", "pwsh", "python", "python2",
        "python3", "ruby", "sh", "socat", "zsh",
        NULL
    };

    word = p;
    start = p;

    while (p < last && (gs_is_alpha(*p) || gs_is_digit(*p)
                        || (*p != '\0' && strchr("_./-", *p) != NULL)))
    {
        p++;

        if (p[-1] == '/') {
            start = p;
        }
    }

    n = (size_t) (p - start);

    if (n < 2 || n > 24 || p == last || *p != ' ' || *word == '<') {
        return 0;
    }

    name = gs_str_make(start, n);

    for (i = 0; shells[i] != NULL; i++) {
        if (gs_str_case_eq_text(&name, shells[i])) {
            return 0;
        }
    }

    if (gs_guard_program_chain(p, last)) {
        return gs_guard_program_whole(word, last);
    }

    for (p++; p < last && gs_is_alpha(*p); p++) {
        /* a word before the option: "go test -v" */
    }

    p += (p < last && *p == ' ');

    return last - p > 1 && *p == '-'
           && (gs_is_alpha(p[1])
               || (p[1] == '-' && last - p > 2 && gs_is_alpha(p[2])))
           && gs_guard_program_whole(word, last);
}


/* 1 if the command goes on with arguments, and two more follow with "&&". */

static int
gs_guard_program_chain(const gs_uchar_t *p, const gs_uchar_t *last)
{
    unsigned           n;
    const gs_uchar_t  *start;

    n = 0;

    for (start = p; last - p > 4; p++) {

        if (p[0] == '|' || p[0] == ';' || p[0] == '`') {
            return 0;
        }

        if (memcmp(p, " && ", 4) == 0) {
            if (p - start < 2 || (!gs_is_alpha(p[4]) && p[4] != '.')) {
                return 0;
            }

            n++;
            start = p;
        }
    }

    return n >= 2;
}


/* 1 if quotations and brackets of the text end in it. */

int
gs_guard_program_whole(const gs_uchar_t *p, const gs_uchar_t *last)
{
    gs_guard_program_t  pr;

    gs_guard_program_scan(&pr, p, last);

    return !pr.broken && !pr.open && pr.depth == 0;
}


static void
gs_guard_program_scan(gs_guard_program_t *pr, const gs_uchar_t *p,
    const gs_uchar_t *last)
{
    const gs_uchar_t  *start;

    memset(pr, 0, sizeof(gs_guard_program_t));
    start = p;

    while (p < last) {

        if (gs_is_alpha(*p) || *p == '_') {
            p = gs_guard_program_word(pr, p, last);
            continue;
        }

        switch (*p) {

        case '\'':
        case '"':
        case '`':
            p = gs_guard_program_quote(pr, start, p, last);
            continue;

        case '(':
        case '[':
        case '{':
            pr->marks += (*p == '{' || (p > start && gs_is_alpha(p[-1])));
            pr->depth++;
            break;

        case ')':
        case ']':
        case '}':
            pr->broken |= (pr->depth == 0);
            pr->depth -= (pr->depth > 0);
            break;

        case ';':
            pr->marks++;
            break;

        case '=':
            pr->marks += (p > start && p[-1] == ' ');
            break;
        }

        p++;
    }
}


/*
 * Behind a quotation; an apostrophe within a word begins none, but for what is
 * written before texts (N'a', b'a').
 */

static const gs_uchar_t *
gs_guard_program_quote(gs_guard_program_t *pr, const gs_uchar_t *start,
    const gs_uchar_t *p, const gs_uchar_t *last)
{
    int  quote;

    quote = *p;

    if (quote == '\'' && p > start && gs_is_alpha(p[-1]) && last - p > 1
        && gs_is_alpha(p[1])
        && (strchr("NnbrfuxBRFUX", p[-1]) == NULL
            || (p - start > 1 && gs_is_alpha(p[-2]))))
    {
        return p + 1;
    }

    for (p++; p < last; p++) {

        if (*p == '\\') {
            p += (last - p > 1);
            continue;
        }

        if (*p == quote) {
            return p + 1;
        }
    }

    pr->open = 1;

    return last;
}


static const gs_uchar_t *
gs_guard_program_word(gs_guard_program_t *pr, const gs_uchar_t *p,
    const gs_uchar_t *last)
{
    int                i;
    const gs_uchar_t  *start;

    start = p;

    while (p < last && (gs_is_alpha(*p) || gs_is_digit(*p) || *p == '_')) {
        p++;
    }

    i = gs_guard_program_index(start, (size_t) (p - start));

    if (i >= 0) {
        pr->words += (pr->seen[i / 64] >> (i % 64) & 1) == 0;
        pr->seen[i / 64] |= (uint64_t) 1 << (i % 64);
    }

    return p;
}


/* Which of the words of programs it is, or -1. */

static int
gs_guard_program_index(const gs_uchar_t *p, size_t len)
{
    int          c, low, high, mid;
    size_t       i;
    const char  *word;

    low = 0;
    high = GS_GUARD_PROGRAM_WORDS - 1;

    while (low <= high) {

        mid = (low + high) / 2;
        word = gs_guard_program_words[mid];

        for (i = 0; i < len && gs_to_lower(p[i]) == word[i]; i++) {
            /* void */
        }

        c = ((i < len) ? gs_to_lower(p[i]) : 0) - word[i];

        if (c == 0) {
            return mid;
        }

        if (c < 0) {
            high = mid - 1;

        } else {
            low = mid + 1;
        }
    }

    return -1;
}


static const gs_uchar_t *
gs_guard_program_space(const gs_uchar_t *p, const gs_uchar_t *last)
{
    while (p < last && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n')) {
        p++;
    }

    return p;
}
