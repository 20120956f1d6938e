
/*
 * Copyright (C) govsvc authors
 *
 * Parser of the lines of a rule that say what it is and what it does.
 */


#include "guard/gs_guard_priv.h"


typedef gs_rc_t (*gs_guard_line_pt)(gs_guard_parser_t *p,
    gs_guard_rule_t *rule);


static gs_rc_t gs_guard_parse_tag(gs_guard_parser_t *p,
    gs_guard_rule_t *rule);
static gs_rc_t gs_guard_parse_log(gs_guard_parser_t *p,
    gs_guard_rule_t *rule);
static gs_rc_t gs_guard_parse_nolog(gs_guard_parser_t *p,
    gs_guard_rule_t *rule);
static gs_rc_t gs_guard_parse_allow(gs_guard_parser_t *p,
    gs_guard_rule_t *rule);
static gs_rc_t gs_guard_parse_block(gs_guard_parser_t *p,
    gs_guard_rule_t *rule);
static gs_rc_t gs_guard_parse_score(gs_guard_parser_t *p,
    gs_guard_rule_t *rule);
static unsigned gs_guard_class(gs_guard_parser_t *p, const gs_str_t *name,
    unsigned line);
static gs_rc_t gs_guard_parse_level(gs_guard_parser_t *p,
    gs_guard_rule_t *rule);
static gs_rc_t gs_guard_parse_severity(gs_guard_parser_t *p,
    gs_guard_rule_t *rule);
static gs_rc_t gs_guard_parse_phase(gs_guard_parser_t *p,
    gs_guard_rule_t *rule);
static gs_rc_t gs_guard_parse_reason(gs_guard_parser_t *p,
    gs_guard_rule_t *rule);
static gs_rc_t gs_guard_parse_category(gs_guard_parser_t *p,
    gs_guard_rule_t *rule);
static gs_rc_t gs_guard_parse_event(gs_guard_parser_t *p,
    gs_guard_rule_t *rule);
static gs_rc_t gs_guard_parse_text(gs_guard_parser_t *p, gs_str_t *text,
    const char *word, int name);
static gs_rc_t gs_guard_parse_ban(gs_guard_parser_t *p,
    gs_guard_rule_t *rule);
static gs_rc_t gs_guard_parse_limit(gs_guard_parser_t *p,
    gs_guard_rule_t *rule);
static gs_rc_t gs_guard_parse_key(gs_guard_parser_t *p, gs_guard_do_t *act);
static gs_rc_t gs_guard_parse_ttl(gs_guard_parser_t *p, gs_guard_do_t *act);
static gs_rc_t gs_guard_parse_rate(gs_guard_parser_t *p, gs_guard_do_t *act);
static gs_rc_t gs_guard_parse_option(gs_guard_parser_t *p,
    gs_guard_do_t *act, const char *what, uint64_t *at,
    const gs_lex_token_t *token);


/* "match" and "test" are read elsewhere */

const char *const  gs_guard_lines[] = {
    "match", "test", "tag", "log", "nolog", "allow", "block", "score",
    "level", "severity", "phase", "reason", "category", "event", "ban",
    "limit", NULL
};


static const gs_guard_line_pt  gs_guard_line_handlers[] = {
    NULL, NULL, gs_guard_parse_tag, gs_guard_parse_log, gs_guard_parse_nolog,
    gs_guard_parse_allow, gs_guard_parse_block, gs_guard_parse_score,
    gs_guard_parse_level, gs_guard_parse_severity, gs_guard_parse_phase,
    gs_guard_parse_reason, gs_guard_parse_category, gs_guard_parse_event,
    gs_guard_parse_ban, gs_guard_parse_limit
};


static const char *const  gs_guard_severities[] = {
    "low", "medium", "high", "critical", NULL
};


gs_rc_t
gs_guard_parse_action(gs_guard_parser_t *p, gs_guard_rule_t *rule,
    const gs_lex_token_t *word)
{
    unsigned  i;

    for (i = 0; gs_guard_lines[i] != NULL; i++) {
        if (gs_str_eq_text(&word->text, gs_guard_lines[i])
            && gs_guard_line_handlers[i] != NULL)
        {
            return gs_guard_line_handlers[i](p, rule);
        }
    }

    return GS_DECLINED;
}


static gs_rc_t
gs_guard_parse_tag(gs_guard_parser_t *p, gs_guard_rule_t *rule)
{
    gs_lex_token_t  token;

    for ( ;; ) {

        if (gs_lex_next(&p->lex, &token) != GS_OK) {
            return GS_ERROR;
        }

        if (token.type == GS_LEX_END && rule->ntags > 0) {
            rule->tag = rule->tags[0];
            return GS_OK;
        }

        if (token.type != GS_LEX_WORD) {
            return gs_lex_unexpected(&p->lex, &token, "a tag");
        }

        if (!gs_guard_name_ok(&token.text)) {
            (void) gs_err(p->err, "invalid tag \"%S\", allowed: up to 64 "
                          "letters, digits, \"-\", \"_\", \".\"",
                          &token.text);
            return gs_lex_fail(&p->lex, token.line);
        }

        if (rule->ntags == GS_GUARD_MAX_TAGS) {
            (void) gs_err(p->err, "more than %d tags in rule %u",
                          GS_GUARD_MAX_TAGS, rule->id);
            return gs_lex_fail(&p->lex, token.line);
        }

        rule->tags[rule->ntags++] = token.text;
    }
}


static gs_rc_t
gs_guard_parse_log(gs_guard_parser_t *p, gs_guard_rule_t *rule)
{
    if (rule->action == GS_GUARD_PASS) {
        rule->action = GS_GUARD_LOG;
    }

    return gs_guard_parse_end(p, "\"log\"");
}


static gs_rc_t
gs_guard_parse_nolog(gs_guard_parser_t *p, gs_guard_rule_t *rule)
{
    rule->nolog = 1;

    return gs_guard_parse_end(p, "\"nolog\"");
}


static gs_rc_t
gs_guard_parse_allow(gs_guard_parser_t *p, gs_guard_rule_t *rule)
{
    rule->allow = 1;

    if (rule->action == GS_GUARD_PASS) {
        rule->action = GS_GUARD_LOG;
    }

    return gs_guard_parse_end(p, "\"allow\"");
}


static gs_rc_t
gs_guard_parse_block(gs_guard_parser_t *p, gs_guard_rule_t *rule)
{
    uint64_t        status;
    gs_lex_token_t  token;

    if (gs_lex_next(&p->lex, &token) != GS_OK) {
        return GS_ERROR;
    }

    if (rule->action == GS_GUARD_BLOCK) {
        (void) gs_err(p->err, "\"block\" is duplicate in rule %u", rule->id);
        return gs_lex_fail(&p->lex, token.line);
    }

    rule->action = GS_GUARD_BLOCK;
    rule->status = 403;

    if (token.type == GS_LEX_END) {
        return GS_OK;
    }

    if (token.type != GS_LEX_WORD) {
        return gs_lex_unexpected(&p->lex, &token, "\";\" or a status");
    }

    if (gs_parse_u64(&token.text, &status) != GS_OK
        || status < 400 || status > 499 || status == 444)
    {
        (void) gs_err(p->err, "invalid status \"%S\" in \"block\", allowed: "
                      "400-499 but 444", &token.text);
        return gs_lex_fail(&p->lex, token.line);
    }

    rule->status = (unsigned) status;

    return gs_guard_parse_end(p, "the status");
}


static gs_rc_t
gs_guard_parse_score(gs_guard_parser_t *p, gs_guard_rule_t *rule)
{
    uint64_t        points;
    gs_lex_token_t  token;

    if (gs_guard_word(p, &token, "the class of the score") != GS_OK) {
        return GS_ERROR;
    }

    if (rule->points > 0) {
        (void) gs_err(p->err, "\"score\" is duplicate in rule %u", rule->id);
        return gs_lex_fail(&p->lex, token.line);
    }

    if (!gs_guard_name_ok(&token.text)) {
        (void) gs_err(p->err, "invalid class \"%S\" of a score, allowed: up "
                      "to 64 letters, digits, \"-\", \"_\", \".\"",
                      &token.text);
        return gs_lex_fail(&p->lex, token.line);
    }

    rule->class = gs_guard_class(p, &token.text, token.line);

    if (rule->class == GS_GUARD_MAX_CLASSES) {
        return GS_ERROR;
    }

    if (gs_guard_word(p, &token, "the points of the score") != GS_OK) {
        return GS_ERROR;
    }

    if (gs_parse_u64(&token.text, &points) != GS_OK
        || points == 0 || points > 100)
    {
        (void) gs_err(p->err, "invalid points \"%S\" in \"score\", allowed: "
                      "1-100", &token.text);
        return gs_lex_fail(&p->lex, token.line);
    }

    rule->points = (unsigned) points;

    if (rule->action == GS_GUARD_PASS) {
        rule->action = GS_GUARD_LOG;
    }

    return gs_guard_parse_end(p, "the points");
}


static unsigned
gs_guard_class(gs_guard_parser_t *p, const gs_str_t *name, unsigned line)
{
    unsigned           i;
    gs_guard_build_t  *build;

    build = p->build;

    for (i = 0; i < build->nclasses; i++) {
        if (gs_str_eq(&build->classes[i], name)) {
            return i;
        }
    }

    if (i == GS_GUARD_MAX_CLASSES) {
        (void) gs_err(p->err, "too many classes of scores, the limit is %d",
                      GS_GUARD_MAX_CLASSES);
        (void) gs_lex_fail(&p->lex, line);
        return i;
    }

    build->classes[build->nclasses++] = *name;

    return i;
}


static gs_rc_t
gs_guard_parse_level(gs_guard_parser_t *p, gs_guard_rule_t *rule)
{
    uint64_t        level;
    gs_lex_token_t  token;

    if (gs_guard_word(p, &token, "a level") != GS_OK) {
        return GS_ERROR;
    }

    if (gs_parse_u64(&token.text, &level) != GS_OK || level < 1 || level > 4)
    {
        (void) gs_err(p->err, "invalid level \"%S\", allowed: 1-4",
                      &token.text);
        return gs_lex_fail(&p->lex, token.line);
    }

    rule->level = (unsigned) level;

    return gs_guard_parse_end(p, "the level");
}


static gs_rc_t
gs_guard_parse_severity(gs_guard_parser_t *p, gs_guard_rule_t *rule)
{
    unsigned        i;
    gs_lex_token_t  token;

    if (gs_guard_word(p, &token, "a severity") != GS_OK) {
        return GS_ERROR;
    }

    for (i = 0; gs_guard_severities[i] != NULL; i++) {
        if (gs_str_eq_text(&token.text, gs_guard_severities[i])) {
            rule->severity = i + 1;
            return gs_guard_parse_end(p, "the severity");
        }
    }

    (void) gs_err(p->err, "unknown severity \"%S\"", &token.text);
    gs_err_hint(p->err, &token.text, gs_guard_severities);

    return gs_lex_fail(&p->lex, token.line);
}


static gs_rc_t
gs_guard_parse_phase(gs_guard_parser_t *p, gs_guard_rule_t *rule)
{
    gs_lex_token_t  token;

    static const char *const  names[] = { "request", "response", NULL };

    if (gs_guard_word(p, &token, "\"request\" or \"response\"") != GS_OK) {
        return GS_ERROR;
    }

    if (gs_str_eq_text(&token.text, names[0])) {
        rule->phase_given = 1;

    } else if (gs_str_eq_text(&token.text, names[1])) {
        rule->phase_given = 2;

    } else {
        (void) gs_err(p->err, "unknown phase \"%S\"", &token.text);
        gs_err_hint(p->err, &token.text, names);
        return gs_lex_fail(&p->lex, token.line);
    }

    return gs_guard_parse_end(p, "the phase");
}


static gs_rc_t
gs_guard_parse_reason(gs_guard_parser_t *p, gs_guard_rule_t *rule)
{
    return gs_guard_parse_text(p, &rule->reason, "reason", 0);
}


static gs_rc_t
gs_guard_parse_category(gs_guard_parser_t *p, gs_guard_rule_t *rule)
{
    return gs_guard_parse_text(p, &rule->category, "category", 0);
}


static gs_rc_t
gs_guard_parse_event(gs_guard_parser_t *p, gs_guard_rule_t *rule)
{
    if (rule->action == GS_GUARD_PASS) {
        rule->action = GS_GUARD_LOG;
    }

    return gs_guard_parse_text(p, &rule->event, "event", 1);
}


static gs_rc_t
gs_guard_parse_text(gs_guard_parser_t *p, gs_str_t *text, const char *word,
    int name)
{
    gs_lex_token_t  token;

    if (gs_guard_word(p, &token, "a text") != GS_OK) {
        return GS_ERROR;
    }

    if (text->len > 0) {
        (void) gs_err(p->err, "\"%s\" is duplicate in a rule", word);
        return gs_lex_fail(&p->lex, token.line);
    }

    if (token.text.len == 0 || token.text.len > 200
        || (name && !gs_guard_name_ok(&token.text)))
    {
        (void) gs_err(p->err, "invalid %s \"%S\"", word, &token.text);
        return gs_lex_fail(&p->lex, token.line);
    }

    *text = token.text;

    return gs_guard_parse_end(p, word);
}


static gs_rc_t
gs_guard_parse_ban(gs_guard_parser_t *p, gs_guard_rule_t *rule)
{
    if (rule->action == GS_GUARD_PASS) {
        rule->action = GS_GUARD_LOG;
    }

    return gs_guard_parse_do_ban(p, &rule->ban, NULL);
}


static gs_rc_t
gs_guard_parse_limit(gs_guard_parser_t *p, gs_guard_rule_t *rule)
{
    if (rule->action == GS_GUARD_PASS) {
        rule->action = GS_GUARD_LOG;
    }

    return gs_guard_parse_do_limit(p, &rule->limit, NULL);
}


gs_rc_t
gs_guard_parse_do_ban(gs_guard_parser_t *p, gs_guard_do_t *act, uint64_t *at)
{
    if (gs_guard_parse_key(p, act) != GS_OK
        || gs_guard_parse_ttl(p, act) != GS_OK)
    {
        return GS_ERROR;
    }

    return gs_guard_parse_options(p, act, "ban", at);
}


gs_rc_t
gs_guard_parse_do_limit(gs_guard_parser_t *p, gs_guard_do_t *act,
    uint64_t *at)
{
    if (gs_guard_parse_key(p, act) != GS_OK
        || gs_guard_parse_rate(p, act) != GS_OK
        || gs_guard_parse_ttl(p, act) != GS_OK)
    {
        return GS_ERROR;
    }

    return gs_guard_parse_options(p, act, "limit", at);
}


/* Who is banned or limited. */

static gs_rc_t
gs_guard_parse_key(gs_guard_parser_t *p, gs_guard_do_t *act)
{
    unsigned        i;
    gs_lex_token_t  token;

    static const char *const  callers[] = {
        "ip", "network", "subject", "app", "caller", NULL
    };

    if (gs_guard_word(p, &token, "a key") != GS_OK) {
        return GS_ERROR;
    }

    for (i = 0; callers[i] != NULL; i++) {
        if (gs_str_eq_text(&token.text, callers[i])) {
            act->set = 1;
            act->key = token.text;
            return GS_OK;
        }
    }

    (void) gs_err(p->err, "unknown key \"%S\"", &token.text);
    gs_err_hint(p->err, &token.text, callers);

    return gs_lex_fail(&p->lex, token.line);
}


/* "5r/s", "30r/m", "100r/h"; whoever limits reads it. */

static gs_rc_t
gs_guard_parse_rate(gs_guard_parser_t *p, gs_guard_do_t *act)
{
    gs_str_t        number;
    uint64_t        n;
    gs_lex_token_t  token;

    if (gs_guard_word(p, &token, "a rate") != GS_OK) {
        return GS_ERROR;
    }

    number = token.text;
    number.len = gs_str_chr(&token.text, 0, 'r');

    if (token.text.len != number.len + 3
        || gs_parse_u64(&number, &n) != GS_OK || n == 0 || n > 1000000
        || memcmp(number.data + number.len, "r/", 2) != 0
        || strchr("smhd", number.data[number.len + 2]) == NULL)
    {
        (void) gs_err(p->err, "invalid rate \"%S\", expecting \"5r/s\", "
                      "\"30r/m\", \"100r/h\"", &token.text);
        return gs_lex_fail(&p->lex, token.line);
    }

    act->rate = token.text;

    return GS_OK;
}


static gs_rc_t
gs_guard_parse_ttl(gs_guard_parser_t *p, gs_guard_do_t *act)
{
    gs_lex_token_t  token;

    if (gs_guard_word(p, &token, "a time") != GS_OK) {
        return GS_ERROR;
    }

    if (gs_parse_msec(&token.text, &act->ttl) != GS_OK || act->ttl == 0) {
        (void) gs_err(p->err, "invalid time \"%S\", expecting \"30s\", "
                      "\"5m\", \"24h\"", &token.text);
        return gs_lex_fail(&p->lex, token.line);
    }

    return GS_OK;
}


/* Of a ban all, of a limit only where a correlation begins with it. */

gs_rc_t
gs_guard_parse_options(gs_guard_parser_t *p, gs_guard_do_t *act,
    const char *what, uint64_t *at)
{
    gs_lex_token_t  token;

    for ( ;; ) {

        if (gs_lex_next(&p->lex, &token) != GS_OK) {
            return GS_ERROR;
        }

        if (token.type == GS_LEX_END) {

            if (act->max > 0 && act->max < act->ttl) {
                (void) gs_err(p->err, "\"max\" of \"%s\" is below its time",
                              what);
                return gs_lex_fail(&p->lex, token.line);
            }

            return GS_OK;
        }

        if (token.type != GS_LEX_WORD) {
            return gs_lex_unexpected(&p->lex, &token, "\";\"");
        }

        if (gs_guard_parse_option(p, act, what, at, &token) != GS_OK) {
            return gs_lex_fail(&p->lex, token.line);
        }
    }
}


static gs_rc_t
gs_guard_parse_option(gs_guard_parser_t *p, gs_guard_do_t *act,
    const char *what, uint64_t *at, const gs_lex_token_t *token)
{
    size_t       i;
    gs_str_t     value;
    uint64_t     n;
    const char  *const  *names;

    static const char *const  bans[] = {
        "share", "escalate=N", "max=TIME", NULL
    };

    static const char *const  steps[] = {
        "share", "escalate=N", "max=TIME", "at=N", NULL
    };

    static const char *const  others[] = { "at=N", NULL };

    i = gs_str_chr(&token->text, 0, '=');
    value = gs_str_make(token->text.data + i, token->text.len - i);

    if (value.len > 0) {
        value = gs_str_make(value.data + 1, value.len - 1);
    }

    if (at != NULL && i == 2 && memcmp(token->text.data, "at", 2) == 0
        && gs_parse_u64(&value, at) == GS_OK)
    {
        return GS_OK;
    }

    if (*what == 'b') {

        if (gs_str_eq_text(&token->text, "share")) {
            act->share = 1;
            return GS_OK;
        }

        if (i == 8 && memcmp(token->text.data, "escalate", 8) == 0
            && gs_parse_u64(&value, &n) == GS_OK && n >= 2 && n <= 100)
        {
            act->escalate = (unsigned) n;
            return GS_OK;
        }

        if (i == 3 && memcmp(token->text.data, "max", 3) == 0
            && gs_parse_msec(&value, &act->max) == GS_OK)
        {
            return GS_OK;
        }
    }

    if (*what != 'b' && at == NULL) {
        return gs_err(p->err, "unexpected \"%S\" behind the time, expecting "
                      "\";\"", &token->text);
    }

    names = (*what != 'b') ? others : (at != NULL) ? steps : bans;

    (void) gs_err(p->err, "invalid option \"%S\" of \"%s\"", &token->text,
                  what);
    gs_err_hint(p->err, &token->text, names);

    return GS_ERROR;
}
