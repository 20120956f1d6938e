
/*
 * Copyright (C) govsvc authors
 *
 * Does a text read as SQL that was put into a statement?  It is cut into
 * tokens as a data base would cut it, from its beginning and behind each
 * quote that may end a string of the application; operands are folded, and
 * what remains is compared with the few forms that an injection must have.
 * Words alone mean nothing: "union select committee" is English.
 */


#include "guard/gs_guard_priv.h"


#define GS_SQL_TOKENS  48
#define GS_SQL_BYTES   2048                /* read from one starting point */
#define GS_SQL_STARTS  12                  /* quotes that are tried */


/*
 * Classes of tokens: n number or null, s string, v variable, w word, f known
 * function, g other function, L logic, C comparison, A arithmetic, U union,
 * M all, S select, F from, O order, B by, H having, I into, D statement,
 * K case, X not, W waitfor, P other words of SQL, # comment, E end; and
 * ( ) , ; . themselves.
 */
typedef struct {
    unsigned  n;
    char      class[GS_SQL_TOKENS + 1];
} gs_sql_t;


typedef struct {
    const char  *word;
    char         class;
} gs_sql_word_t;


static int gs_sql_quoted(const gs_str_t *text);
static int gs_sql_plain(const gs_str_t *text);
static int gs_sql_union(const gs_str_t *text);
static int gs_sql_behind(const char *t, int quoted);
static int gs_sql_sum(const char *t, int quoted);
static int gs_sql_logic(const char *t, int quoted);
static int gs_sql_statement(const char *t);
static int gs_sql_operand(int c);
static int gs_sql_in(int c, const char *set);
static void gs_sql_tokens(gs_sql_t *q, const gs_str_t *text, size_t from);
static size_t gs_sql_token(const gs_str_t *text, size_t i, char *class);
static size_t gs_sql_string(const gs_str_t *text, size_t i);
static size_t gs_sql_number(const gs_str_t *text, size_t i);
static size_t gs_sql_symbol(const gs_str_t *text, size_t i, char *class);
static size_t gs_sql_name(const gs_str_t *text, size_t i, char *class);
static int gs_sql_cmp(const gs_str_t *name, const gs_str_t *word);
static int gs_sql_letter(int c);
static void gs_sql_fold_calls(gs_sql_t *q);
static void gs_sql_fold_operands(gs_sql_t *q);


static const gs_sql_word_t  gs_sql_words[] = {
    { "all", 'M' }, { "alter", 'D' }, { "and", 'L' }, { "as", 'P' },
    { "asc", 'P' }, { "ascii", 'f' }, { "benchmark", 'f' },
    { "between", 'C' }, { "by", 'B' }, { "case", 'K' }, { "cast", 'f' },
    { "char", 'f' }, { "chr", 'f' }, { "concat", 'f' },
    { "concat_ws", 'f' }, { "convert", 'f' }, { "count", 'f' },
    { "create", 'D' }, { "current_user", 'v' }, { "database", 'f' },
    { "declare", 'D' }, { "delete", 'D' }, { "desc", 'P' },
    { "distinct", 'M' }, { "div", 'A' }, { "drop", 'D' }, { "else", 'P' },
    { "elt", 'f' }, { "end", 'P' }, { "exec", 'D' }, { "execute", 'D' },
    { "exists", 'X' }, { "exp", 'f' }, { "extractvalue", 'f' },
    { "false", 'n' }, { "floor", 'f' }, { "from", 'F' }, { "group", 'O' },
    { "group_concat", 'f' }, { "having", 'H' }, { "hex", 'f' },
    { "if", 'f' }, { "iif", 'f' }, { "ifnull", 'f' }, { "in", 'C' },
    { "insert", 'D' }, { "instr", 'f' }, { "into", 'I' }, { "is", 'C' },
    { "length", 'f' }, { "like", 'C' }, { "limit", 'P' },
    { "load_file", 'f' }, { "make_set", 'f' }, { "md5", 'f' },
    { "merge", 'D' }, { "mid", 'f' }, { "mod", 'A' }, { "not", 'X' },
    { "null", 'n' }, { "or", 'L' }, { "ord", 'f' }, { "order", 'O' },
    { "outfile", 'P' }, { "pg_sleep", 'f' }, { "procedure", 'P' },
    { "rand", 'f' }, { "randomblob", 'f' }, { "regexp", 'C' },
    { "rlike", 'C' }, { "row", 'f' }, { "select", 'S' }, { "set", 'P' },
    { "shutdown", 'D' }, { "sleep", 'f' }, { "strcmp", 'f' },
    { "substr", 'f' }, { "substring", 'f' }, { "table", 'P' },
    { "then", 'P' }, { "true", 'n' }, { "truncate", 'D' },
    { "unhex", 'f' }, { "union", 'U' }, { "update", 'D' },
    { "updatexml", 'f' }, { "user", 'f' }, { "version", 'f' },
    { "waitfor", 'W' }, { "when", 'P' }, { "where", 'P' }, { "xor", 'L' }
};


int
gs_guard_sqli(const gs_str_t *text)
{
    uint64_t  bytes;

    bytes = gs_guard_bytes(text);

    if (text->len < 4
        || (bytes & (GS_BYTE_QUOTE|GS_BYTE_PAREN|GS_BYTE_SPACE|GS_BYTE_SEMI
                     |GS_BYTE_AMP|GS_BYTE_EQUAL|GS_BYTE_ANGLE))
           == 0)
    {
        return 0;
    }

    if ((bytes & GS_BYTE_QUOTE) && gs_sql_quoted(text)) {
        return 1;
    }

    return gs_sql_plain(text) || gs_sql_union(text);
}


/* Behind a quote that ends the string of the application. */

static int
gs_sql_quoted(const gs_str_t *text)
{
    size_t    i;
    gs_sql_t  q;
    unsigned  starts;

    starts = 0;

    for (i = 0; i < text->len && starts < GS_SQL_STARTS; i++) {

        if (text->data[i] != '\'' && text->data[i] != '"') {
            continue;
        }

        starts++;
        gs_sql_tokens(&q, text, i + 1);

        if (gs_sql_behind(q.class, 1)) {
            return 1;
        }
    }

    return 0;
}


/* Behind a number or a word that needs no quote, and behind brackets. */

static int
gs_sql_plain(const gs_str_t *text)
{
    size_t       i;
    gs_sql_t     q;
    const char  *t;

    gs_sql_tokens(&q, text, 0);
    t = q.class;

    if (gs_sql_operand(*t)) {
        return gs_sql_behind(t + 1, 0);
    }

    for (i = 0; t[i] == ')'; i++) {
        /* void */
    }

    return i > 0 && gs_sql_behind(t + i, 0);
}


static int
gs_sql_union(const gs_str_t *text)
{
    size_t       i;
    gs_str_t     rest, word;
    gs_sql_t     q;
    unsigned     starts;
    const char  *t;

    word = gs_str_text("union");
    starts = 0;

    for (i = 0; i + 12 < text->len && starts < GS_SQL_STARTS; i++) {

        if ((text->data[i] | 0x20) != 'u') {
            continue;
        }

        rest = gs_str_make(text->data + i, word.len);

        if (!gs_str_case_eq(&rest, &word)
            || (i > 0 && gs_sql_letter(text->data[i - 1])
                && !gs_is_digit(text->data[i - 1])))
        {
            continue;
        }

        starts++;
        gs_sql_tokens(&q, text, i);
        t = q.class;

        if (*t++ != 'U') {
            continue;
        }

        while (*t == 'M' || *t == '(') {
            t++;
        }

        if (*t++ != 'S') {
            continue;
        }

        while (*t == 'M' || *t == '(') {
            t++;
        }

        if (gs_sql_in(*t, "nsvfgA")
            || (*t == 'w' && gs_sql_in(t[1], ",F")))
        {
            return 1;
        }
    }

    return 0;
}


/* The forms that go on where an operand of the statement has ended. */

static int
gs_sql_behind(const char *t, int quoted)
{
    int  brackets;

    brackets = 0;

    for ( /* void */ ; *t == ')'; t++) {
        brackets = 1;
    }

    switch (*t) {

    case 'L':
        return gs_sql_logic(t + 1, quoted || brackets);

    case 'U':
        t += 1 + (t[1] == 'M');
        t += (*t == '(');
        return *t == 'S' && t[1] != 'E' && t[1] != 'w';

    case ';':
        return gs_sql_statement(t + 1);

    case '#':
        return quoted && t[1] == 'E';

    case 'O':
        if (t[1] == 'B' && t[2] == 'w' && t[3] == 'H') {
            return gs_sql_behind(t + 3, quoted);
        }

        return t[1] == 'B' && gs_sql_in(t[2], "nf")
               && (quoted || t[3] == '#' || t[3] == ',');

    case 'H':
        return gs_sql_operand(t[1]) && t[2] == 'C';

    case 'C':
        return quoted && gs_sql_operand(t[1]) && t[1] != 'w'
               && gs_sql_in(t[2], "L#E");

    case 'A':
    case ',':
        return gs_sql_sum(t + 1, quoted);

    case 'W':
        return t[1] == 'w' && t[2] == 's';

    case 'I':
        return quoted && t[1] == 'P' && t[2] == 's';

    default:
        return 0;
    }
}


/* A subquery, or a call, where a sum or a list goes on. */

static int
gs_sql_sum(const char *t, int quoted)
{
    t += (*t == '(');

    if (*t == 'S') {
        return t[1] == 'w' ? t[2] == 'F' : t[1] != 'E';
    }

    return *t == 'f' && quoted;
}


static int
gs_sql_logic(const char *t, int quoted)
{
    t += (*t == '(');
    t += (*t == 'X');
    t += (*t == '(');

    if (*t == 'S') {
        return t[1] != 'E' && (t[1] != 'w' || gs_sql_in(t[2], "F,"));
    }

    if (*t == 'K') {
        return gs_sql_in(t[1], "Pnsvf(");
    }

    if (!gs_sql_operand(*t)) {
        return 0;
    }

    if (t[1] == 'C') {
        t += 2;
        t += (*t == '(');

        return gs_sql_operand(*t) ? (quoted || *t != 'w') : *t == 'S';
    }

    if (*t == 'f') {
        return 1;
    }

    if (t[1] == 'L') {
        return gs_sql_logic(t + 2, quoted);
    }

    if (!quoted) {
        return 0;
    }

    return (*t == 'n' || *t == 's' || *t == 'v')
           && gs_sql_in(t[1], "#E;L)")
           && !(*t == 's' && t[1] == 'E');
}


static int
gs_sql_statement(const char *t)
{
    if (*t == 'W') {
        return t[1] == 'w' && t[2] == 's';
    }

    if (*t == 'S') {
        return gs_sql_in(t[1], "nsvf(A")
               || (t[1] == 'w' && gs_sql_in(t[2], "F,"));
    }

    if (*t != 'D') {
        return 0;
    }

    /* drop table x, insert into x, exec x, declare @x, update x set */

    return t[1] == 'P' || t[1] == 'I' || t[1] == 'F' || t[1] == 'v'
           || (t[1] == 'w' && gs_sql_in(t[2], "Psv#;."))
           || t[1] == 'f' || t[1] == 'g' || t[1] == '#';
}


static int
gs_sql_operand(int c)
{
    return gs_sql_in(c, "nsvwfg");
}


/* strchr() would find the end of the tokens too. */

static int
gs_sql_in(int c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}


static void
gs_sql_tokens(gs_sql_t *q, const gs_str_t *text, size_t from)
{
    char      class;
    size_t    i;
    gs_str_t  part;

    part = *text;

    if (part.len - from > GS_SQL_BYTES) {
        part.len = from + GS_SQL_BYTES;
    }

    q->n = 0;

    for (i = from; i < part.len && q->n < GS_SQL_TOKENS - 1; /* void */ ) {

        class = '\0';
        i = gs_sql_token(&part, i, &class);

        if (class != '\0') {
            q->class[q->n++] = class;
        }

        if (class == '#') {
            break;
        }
    }

    if (i >= part.len || (q->n > 0 && q->class[q->n - 1] == '#')) {
        q->class[q->n++] = 'E';
    }

    q->class[q->n] = '\0';

    /* calls, signs, sums and qualified names become one operand each */

    gs_sql_fold_calls(q);
    gs_sql_fold_operands(q);
}


static size_t
gs_sql_token(const gs_str_t *text, size_t i, char *class)
{
    int  c, next;

    c = text->data[i];
    next = (i + 1 < text->len) ? text->data[i + 1] : '\0';

    if (c <= ' ' || c == 0xa0) {
        return i + 1;
    }

    if (c == '\'' || c == '"') {
        *class = 's';
        return gs_sql_string(text, i);
    }

    if (gs_is_digit(c) || (c == '.' && gs_is_digit(next))) {
        *class = 'n';
        return gs_sql_number(text, i);
    }

    if (c == '@') {
        *class = 'v';

        for (i++; i < text->len && (text->data[i] == '@'
                                    || gs_sql_letter(text->data[i]));
             i++)
        {
            /* void */
        }

        return i;
    }

    if (gs_sql_letter(c)) {
        return gs_sql_name(text, i, class);
    }

    return gs_sql_symbol(text, i, class);
}


/* Doubled quotes and backslashes stay inside; it may have no end. */

static size_t
gs_sql_string(const gs_str_t *text, size_t i)
{
    int  quote;

    quote = text->data[i];

    for (i++; i < text->len; i++) {

        if (text->data[i] == '\\') {
            i++;

        } else if (text->data[i] == quote) {

            if (i + 1 < text->len && text->data[i + 1] == quote) {
                i++;
                continue;
            }

            return i + 1;
        }
    }

    return text->len;
}


static size_t
gs_sql_number(const gs_str_t *text, size_t i)
{
    int  c;

    if (text->data[i] == '0' && i + 2 < text->len
        && (text->data[i + 1] | 0x20) == 'x')
    {
        i += 2;
    }

    for ( /* void */ ; i < text->len; i++) {
        c = text->data[i];

        if (gs_is_digit(c) || c == '.') {
            continue;
        }

        /* "1or 1=1": the number ends where a word begins */

        if ((c | 0x20) < 'a' || (c | 0x20) > 'f') {
            break;
        }

        if (i + 1 < text->len && gs_is_alpha(text->data[i + 1])
            && ((text->data[i + 1] | 0x20) > 'f'))
        {
            break;
        }
    }

    return i;
}


static size_t
gs_sql_symbol(const gs_str_t *text, size_t i, char *class)
{
    int  c, next, third;

    c = text->data[i];
    next = (i + 1 < text->len) ? text->data[i + 1] : '\0';
    third = (i + 2 < text->len) ? text->data[i + 2] : '\0';

    switch (c) {

    case '-':

        if (next == '-') {

            /* MySQL wants space behind it */

            *class = (third <= ' ' || third == '-' || third == '+') ? '#'
                                                                    : 'A';
            return i + 2;
        }

        *class = 'A';
        return i + 1;

    case '#':
        *class = (next <= ' ') ? '#' : 'w';
        return i + 1;

    case '/':

        if (next == '*') {
            *class = '#';
            return i + 2;
        }

        *class = 'A';
        return i + 1;

    case '|':
    case '&':
        *class = (next == c) ? 'L' : 'A';
        return i + 1 + (size_t) (next == c);

    case '<':
    case '>':
    case '=':
    case '!':

        if (c == '!' && next != '=') {
            *class = 'X';
            return i + 1;
        }

        *class = 'C';

        while (i < text->len
               && strchr("<>=!", text->data[i]) != NULL
               && text->data[i] != '\0')
        {
            i++;
        }

        return i;

    case '+':
    case '*':
    case '%':
    case '^':
    case '~':
        *class = 'A';
        return i + 1;

    case '`':
        *class = 'w';
        i = gs_str_chr(text, i + 1, '`');
        return (i < text->len) ? i + 1 : i;

    case '(':
    case ')':
    case ',':
    case ';':
    case '.':
        *class = (char) c;
        return i + 1;

    default:

        /* Chinese, braces: no SQL goes on here */

        *class = '?';
        return i + 1;
    }
}


static size_t
gs_sql_name(const gs_str_t *text, size_t i, char *class)
{
    int       cmp;
    size_t    low, high, mid, end, k;
    gs_str_t  name, word;

    for (end = i; end < text->len && gs_sql_letter(text->data[end]); end++) {
        /* void */
    }

    name = gs_str_make(text->data + i, end - i);

    for (k = end; k < text->len && text->data[k] <= ' '; k++) {
        /* void */
    }

    *class = (k < text->len && text->data[k] == '(') ? 'g' : 'w';

    low = 0;
    high = sizeof(gs_sql_words) / sizeof(gs_sql_words[0]);

    while (low < high) {
        mid = low + (high - low) / 2;
        word = gs_str_text(gs_sql_words[mid].word);

        cmp = gs_sql_cmp(&name, &word);

        if (cmp == 0) {

            /* the name of a function is one only before its bracket */

            if (gs_sql_words[mid].class != 'f' || *class == 'g') {
                *class = gs_sql_words[mid].class;
            }

            return end;
        }

        if (cmp < 0) {
            high = mid;

        } else {
            low = mid + 1;
        }
    }

    return end;
}


static int
gs_sql_cmp(const gs_str_t *name, const gs_str_t *word)
{
    int     d;
    size_t  i;

    for (i = 0; i < name->len && i < word->len; i++) {
        d = gs_to_lower(name->data[i]) - word->data[i];

        if (d != 0) {
            return d;
        }
    }

    return (name->len > word->len) - (name->len < word->len);
}


static int
gs_sql_letter(int c)
{
    return gs_is_alpha(c) || gs_is_digit(c) || c == '_' || c == '$';
}


static void
gs_sql_fold_calls(gs_sql_t *q)
{
    char      c;
    unsigned  i, n, depth;

    n = 0;

    for (i = 0; i < q->n; i++) {
        c = q->class[i];
        q->class[n++] = c;

        if ((c != 'f' && c != 'g') || q->class[i + 1] != '(') {
            continue;
        }

        depth = 0;

        for (i++; i < q->n; i++) {

            if (q->class[i] == '(') {
                depth++;

            } else if (q->class[i] == ')' && --depth == 0) {
                break;

            } else if (q->class[i] == 'E' || q->class[i] == '#') {
                i--;
                break;
            }
        }
    }

    q->n = n;
    q->class[n] = '\0';
}


static void
gs_sql_fold_operands(gs_sql_t *q)
{
    char      c, last;
    unsigned  i, n;

    n = 0;

    for (i = 0; i < q->n; i++) {
        c = q->class[i];
        last = (n > 0) ? q->class[n - 1] : '\0';

        /* a sign, or "not", before an operand */

        if ((c == 'A' || c == 'X') && gs_sql_in(last, "LCA(,S")) {
            if (c == 'A' && last == 'S') {
                q->class[n++] = 'n';
            }

            continue;
        }

        /* brackets that only group */

        if (c == '(' && gs_sql_in(last, "LCA") && q->class[i + 1] != 'S') {
            continue;
        }

        if (gs_sql_operand(c) && n >= 2 && gs_sql_operand(q->class[n - 2])
            && (last == 'A' || last == '.'))
        {
            n--;

            if (c == 'f') {
                q->class[n - 1] = 'f';
            }

            continue;
        }

        /* two strings side by side are one */

        if (c == 's' && last == 's') {
            continue;
        }

        q->class[n++] = c;
    }

    q->n = n;
    q->class[n] = '\0';
}
