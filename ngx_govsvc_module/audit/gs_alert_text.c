
/*
 * Copyright (C) govsvc authors
 *
 * Alerts: what people and machines read.  Everything that came from outside is
 * a word of harmless characters by now, so nothing here escapes markdown.
 */


#include "audit/gs_alert.h"
#include "core/gs_json_out.h"
#include "core/gs_time.h"


#define GS_ALERT_DAY  10                   /* bytes of "2026-11-22" and "T" */


static void gs_alert_one(gs_buf_t *b, const gs_alert_message_t *m);
static void gs_alert_many(gs_buf_t *b, const gs_alert_message_t *m);
static void gs_alert_item(gs_buf_t *b, const char *const *words);
static void gs_alert_put(gs_buf_t *b, const gs_alert_word_t *w);
static void gs_alert_clock(gs_buf_t *b, uint64_t us);
static void gs_alert_system(gs_buf_t *b, const gs_alert_word_t *critical,
    gs_alert_lang_e lang);
static void gs_alert_done(gs_buf_t *b, const gs_alert_group_t *g,
    gs_alert_lang_e lang);
static void gs_alert_cloud(gs_buf_t *b, const gs_alert_message_t *m);
static void gs_alert_cloud_group(gs_buf_t *b, const gs_alert_group_t *g,
    gs_alert_lang_e lang);
static void gs_alert_kv_word(gs_buf_t *b, const char *key,
    const gs_alert_word_t *w);
static void gs_alert_kv_time(gs_buf_t *b, const char *key, uint64_t us);
static gs_rc_t gs_alert_feishu(gs_buf_t *b, const gs_alert_message_t *m,
    const gs_str_t *title, const gs_str_t *text, const gs_str_t *secret);


const char *const  gs_alert_grades[][2] = {
    { "", "" }, { "低危", "low" }, { "中危", "medium" },
    { "高危", "high" }, { "严重", "critical" }
};


static const char *const  gs_alert_systems[][3] = {
    { "license", "电子证照", "electronic licences" },
    { "identity", "统一身份认证", "unified identity" },
    { "payment", "网上支付", "online payment" },
    { NULL, "重点系统", "special watch" }
};


void
gs_alert_title(gs_buf_t *b, const gs_alert_message_t *m)
{
    unsigned                 severity;
    const gs_alert_group_t  *g;

    severity = gs_alert_severity(m);

    if (m->lang == GS_ALERT_ZH) {
        gs_buf_text(b, "【");
        gs_buf_text(b, gs_alert_grades[severity][0]);
        gs_buf_text(b, "】");

    } else {
        gs_buf_char(b, '[');
        gs_buf_text(b, gs_alert_grades[severity][1]);
        gs_buf_text(b, "] ");
    }

    if (!m->digest) {
        g = &m->round->groups[m->from];
        gs_buf_text(b, (m->lang == GS_ALERT_ZH) ? g->attack->zh
                                                : g->attack->en);

    } else {
        gs_buf_text(b, (m->lang == GS_ALERT_ZH) ? "安全告警汇总"
                                                : "digest of alerts");
    }

    gs_buf_text(b, (m->lang == GS_ALERT_ZH) ? "，" : ", ");
    gs_buf_u64(b, gs_alert_count(m));
    gs_buf_text(b, (m->lang == GS_ALERT_ZH) ? " 次" : " events");
}


unsigned
gs_alert_severity(const gs_alert_message_t *m)
{
    if (m->from < m->to) {
        return m->round->groups[m->from].severity;
    }

    return m->round->severity;
}


void
gs_alert_text(gs_buf_t *b, const gs_alert_message_t *m)
{
    static const char *const  node[] = { "节点", "node" };

    gs_buf_text(b, "### ");
    gs_alert_title(b, m);
    gs_buf_char(b, '\n');

    if (m->digest) {
        gs_alert_many(b, m);

    } else {
        gs_alert_one(b, m);
    }

    gs_alert_item(b, &node[m->lang]);
    gs_buf_str(b, &m->node);
    gs_buf_char(b, '\n');
}


static void
gs_alert_one(gs_buf_t *b, const gs_alert_message_t *m)
{
    const gs_alert_group_t  *g;

    static const char *const  kind[] = { "类别", "category" };
    static const char *const  from[] = { "来源", "from" };
    static const char *const  to[] = { "目标", "against" };
    static const char *const  when[] = { "时间", "when" };
    static const char *const  done[] = { "处置", "done" };
    static const char *const  rule[] = { "规则", "rule" };
    static const char *const  sample[] = { "样例请求", "sample request" };
    static const char *const  next[] = { "下一步", "next" };

    g = &m->round->groups[m->from];

    gs_alert_item(b, &kind[m->lang]);
    gs_buf_text(b, g->attack->cat);
    gs_buf_text(b, " / ");
    gs_buf_text(b, g->attack->sub);
    gs_buf_char(b, '\n');

    if (g->source.len != 0) {
        gs_alert_item(b, &from[m->lang]);
        gs_alert_put(b, &g->source);
        gs_buf_char(b, '\n');
    }

    if (g->target.len != 0 || g->critical.len != 0) {
        gs_alert_item(b, &to[m->lang]);
        gs_alert_put(b, &g->target);
        gs_alert_system(b, &g->critical, m->lang);
        gs_buf_char(b, '\n');
    }

    gs_alert_item(b, &when[m->lang]);
    gs_alert_clock(b, g->first);
    gs_buf_text(b, " - ");
    gs_alert_clock(b, g->last);
    gs_buf_char(b, '\n');

    gs_alert_item(b, &done[m->lang]);
    gs_alert_done(b, g, m->lang);
    gs_buf_char(b, '\n');

    if (g->rule != 0) {
        gs_alert_item(b, &rule[m->lang]);
        gs_buf_u64(b, g->rule);
        gs_buf_char(b, '\n');
    }

    if (g->request.len != 0) {
        gs_alert_item(b, &sample[m->lang]);
        gs_alert_put(b, &g->request);
        gs_buf_char(b, '\n');
    }

    gs_alert_item(b, &next[m->lang]);
    gs_buf_text(b, (m->lang == GS_ALERT_ZH) ? g->attack->advice_zh
                                            : g->attack->advice_en);
    gs_buf_char(b, '\n');
}


static void
gs_alert_many(gs_buf_t *b, const gs_alert_message_t *m)
{
    uint64_t                 rest;
    unsigned                 i;
    const gs_alert_group_t  *g;

    static const char *const  when[] = { "时间", "when" };
    static const char *const  groups[] = { "分组数", "groups" };
    static const char *const  others[] = { "其余次数", "events of the rest" };
    static const char *const  next[] = { "下一步", "next" };

    gs_alert_item(b, &when[m->lang]);
    gs_alert_clock(b, m->round->first);
    gs_buf_text(b, " - ");
    gs_alert_clock(b, m->round->last);
    gs_buf_char(b, '\n');

    gs_alert_item(b, &groups[m->lang]);
    gs_buf_u64(b, m->to - m->from);
    gs_buf_text(b, (m->round->more != 0) ? "+\n" : "\n");

    rest = gs_alert_count(m);

    for (i = m->from; i < m->to && i - m->from < GS_ALERT_LISTED; i++) {
        g = &m->round->groups[i];
        rest -= g->n;

        gs_buf_text(b, "- ");
        gs_buf_text(b, gs_alert_grades[g->severity][m->lang]);
        gs_buf_char(b, ' ');
        gs_buf_text(b, (m->lang == GS_ALERT_ZH) ? g->attack->zh
                                                : g->attack->en);
        gs_buf_char(b, ' ');
        gs_alert_put(b, &g->source);
        gs_buf_text(b, " -> ");
        gs_alert_put(b, &g->target);
        gs_alert_system(b, &g->critical, m->lang);
        gs_buf_text(b, " x");
        gs_buf_u64(b, g->n);
        gs_buf_char(b, '\n');
    }

    if (rest != 0) {
        gs_alert_item(b, &others[m->lang]);
        gs_buf_u64(b, rest);
        gs_buf_char(b, '\n');
    }

    gs_alert_item(b, &next[m->lang]);
    gs_buf_text(b, (m->lang == GS_ALERT_ZH)
                   ? "先处置等级最高的来源；用 govsvc audit query "
                     "查询全部事件。"
                   : "Deal with the gravest source first; find all events with "
                     "govsvc audit query.");
    gs_buf_char(b, '\n');
}


static void
gs_alert_item(gs_buf_t *b, const char *const *words)
{
    gs_buf_text(b, "- ");
    gs_buf_text(b, words[0]);
    gs_buf_text(b, ": ");
}


static void
gs_alert_put(gs_buf_t *b, const gs_alert_word_t *w)
{
    gs_buf_put(b, w->text, w->len);
}


/* "14:02:11", Beijing time. */

static void
gs_alert_clock(gs_buf_t *b, uint64_t us)
{
    char      text[40];
    gs_buf_t  all;

    gs_buf_init(&all, text, sizeof(text));
    gs_time_iso(&all, us);

    if (!all.overflow && gs_buf_len(&all) > GS_ALERT_DAY + 9) {
        gs_buf_put(b, text + GS_ALERT_DAY + 1, 8);
    }
}


static void
gs_alert_system(gs_buf_t *b, const gs_alert_word_t *critical,
    gs_alert_lang_e lang)
{
    gs_str_t  s;
    unsigned  i;

    if (critical->len == 0) {
        return;
    }

    s = gs_str_make(critical->text, critical->len);

    for (i = 0; gs_alert_systems[i][0] != NULL; i++) {
        if (gs_str_eq_text(&s, gs_alert_systems[i][0])) {
            break;
        }
    }

    gs_buf_text(b, (lang == GS_ALERT_ZH) ? "（" : " (");
    gs_buf_text(b, gs_alert_systems[i][1 + lang]);
    gs_buf_text(b, (lang == GS_ALERT_ZH) ? "）" : ")");
}


static void
gs_alert_done(gs_buf_t *b, const gs_alert_group_t *g, gs_alert_lang_e lang)
{
    static const char *const  refused[] = { "已拦截 ", "refused " };
    static const char *const  passed[] = { "未拦截 ", "let through " };
    static const char *const  banned[] = { "已封禁来源", "source banned" };

    if (g->blocked != 0) {
        gs_buf_text(b, refused[lang]);
        gs_buf_u64(b, g->blocked);
    }

    if (g->n > g->blocked) {
        gs_buf_text(b, (g->blocked != 0) ? ", " : "");
        gs_buf_text(b, passed[lang]);
        gs_buf_u64(b, g->n - g->blocked);
    }

    if (g->banned != 0) {
        gs_buf_text(b, ", ");
        gs_buf_text(b, banned[lang]);
    }
}


gs_rc_t
gs_alert_body(gs_buf_t *b, const gs_alert_message_t *m, gs_alert_form_e form,
    const gs_str_t *secret)
{
    char      text[GS_ALERT_TEXT], title[256];
    gs_buf_t  t, h;
    gs_str_t  body, head;

    if (form == GS_ALERT_CLOUDEVENTS) {
        gs_alert_cloud(b, m);
        return b->overflow ? GS_ERROR : GS_OK;
    }

    gs_buf_init(&t, text, sizeof(text));
    gs_alert_text(&t, m);
    gs_buf_init(&h, title, sizeof(title));
    gs_alert_title(&h, m);

    if (t.overflow || h.overflow) {
        return GS_ERROR;
    }

    body = gs_buf_view(&t);
    head = gs_buf_view(&h);

    if (form == GS_ALERT_FEISHU) {
        return gs_alert_feishu(b, m, &head, &body, secret);
    }

    gs_buf_text(b, "{\"msgtype\":\"markdown\",\"markdown\":{");

    if (form == GS_ALERT_DINGTALK) {
        gs_json_kv_str(b, "title", &head);
        gs_json_kv_str(b, "text", &body);
        gs_buf_text(b, "},\"at\":{\"atMobiles\":[],\"isAtAll\":false}}");

    } else {
        gs_json_kv_str(b, "content", &body);
        gs_buf_text(b, "}}");
    }

    return b->overflow ? GS_ERROR : GS_OK;
}


static gs_rc_t
gs_alert_feishu(gs_buf_t *b, const gs_alert_message_t *m,
    const gs_str_t *title, const gs_str_t *text, const gs_str_t *secret)
{
    gs_str_t    sign;
    gs_uchar_t  code[44];

    static const char *const  colours[] = {
        "grey", "blue", "yellow", "orange", "red"
    };

    gs_buf_char(b, '{');

    if (secret->len != 0) {

        if (gs_alert_sign(code, GS_ALERT_FEISHU, secret, m->time / 1000000)
            != GS_OK)
        {
            return GS_ERROR;
        }

        sign = gs_str_make(code, sizeof(code));

        gs_buf_text(b, "\"timestamp\":\"");
        gs_buf_u64(b, m->time / 1000000);
        gs_buf_char(b, '"');
        gs_json_kv_plain(b, "sign", &sign);
    }

    gs_json_kv_text(b, "msg_type", "interactive");
    gs_json_key(b, "card");
    gs_buf_text(b, "{\"header\":{\"template\":\"");
    gs_buf_text(b, colours[gs_alert_severity(m)]);
    gs_buf_text(b, "\",\"title\":{\"tag\":\"plain_text\"");
    gs_json_kv_str(b, "content", title);
    gs_buf_text(b, "}},\"elements\":[{\"tag\":\"markdown\"");
    gs_json_kv_str(b, "content", text);
    gs_buf_text(b, "}]}}");

    return b->overflow ? GS_ERROR : GS_OK;
}


/* CloudEvents 1.0.2, structured; id stays the same when it is sent again. */

static void
gs_alert_cloud(gs_buf_t *b, const gs_alert_message_t *m)
{
    gs_buf_text(b, "{\"specversion\":\"1.0\",\"id\":\"");
    gs_alert_id(b, m);
    gs_buf_text(b, "\",\"source\":\"/govsvc/");
    gs_buf_str(b, &m->node);
    gs_buf_char(b, '"');
    gs_json_kv_text(b, "type", m->digest ? "govsvc.security.digest"
                                         : "govsvc.security.alert");
    gs_alert_kv_time(b, "time", m->time);
    gs_json_kv_text(b, "datacontenttype", "application/json");
    gs_json_key(b, "data");
    gs_alert_data(b, m);
    gs_buf_char(b, '}');
}


void
gs_alert_id(gs_buf_t *b, const gs_alert_message_t *m)
{
    gs_buf_str(b, &m->node);
    gs_buf_char(b, '-');
    gs_buf_u64(b, m->number);
    gs_buf_char(b, '-');
    gs_buf_u64(b, m->from);
}


void
gs_alert_data(gs_buf_t *b, const gs_alert_message_t *m)
{
    uint64_t  rest;
    unsigned  i, severity;

    severity = gs_alert_severity(m);

    gs_buf_char(b, '{');
    gs_json_kv_u64(b, "severity", severity);
    gs_json_kv_text(b, "grade", gs_alert_grades[severity][1]);
    gs_json_kv_u64(b, "count", gs_alert_count(m));
    gs_json_kv_u64(b, "groups", m->to - m->from);
    gs_json_key(b, "alerts");
    gs_buf_char(b, '[');

    rest = gs_alert_count(m);

    for (i = m->from; i < m->to && i - m->from < GS_ALERT_LISTED; i++) {
        rest -= m->round->groups[i].n;

        if (i != m->from) {
            gs_buf_char(b, ',');
        }

        gs_alert_cloud_group(b, &m->round->groups[i], m->lang);
    }

    gs_buf_char(b, ']');
    gs_json_kv_u64(b, "rest", rest);
    gs_buf_char(b, '}');
}


static void
gs_alert_cloud_group(gs_buf_t *b, const gs_alert_group_t *g,
    gs_alert_lang_e lang)
{
    gs_buf_char(b, '{');
    gs_json_kv_text(b, "attack", g->attack->name);
    gs_json_kv_text(b, "title", (lang == GS_ALERT_ZH) ? g->attack->zh
                                                      : g->attack->en);
    gs_json_kv_text(b, "category", g->attack->cat);
    gs_json_kv_text(b, "subcategory", g->attack->sub);
    gs_json_kv_u64(b, "severity", g->severity);
    gs_alert_kv_word(b, "critical", &g->critical);
    gs_alert_kv_word(b, "source", &g->source);
    gs_alert_kv_word(b, "target", &g->target);
    gs_json_kv_u64(b, "count", g->n);
    gs_json_kv_u64(b, "blocked", g->blocked);
    gs_json_kv_u64(b, "banned", g->banned);
    gs_alert_kv_time(b, "first", g->first);
    gs_alert_kv_time(b, "last", g->last);

    if (g->rule != 0) {
        gs_json_kv_u64(b, "rule", g->rule);
    }

    gs_alert_kv_word(b, "record", &g->id);
    gs_alert_kv_word(b, "request", &g->request);
    gs_json_kv_text(b, "next", (lang == GS_ALERT_ZH) ? g->attack->advice_zh
                                                     : g->attack->advice_en);
    gs_buf_char(b, '}');
}


static void
gs_alert_kv_word(gs_buf_t *b, const char *key, const gs_alert_word_t *w)
{
    gs_str_t  s;

    if (w->len != 0) {
        s = gs_str_make(w->text, w->len);
        gs_json_kv_plain(b, key, &s);
    }
}


static void
gs_alert_kv_time(gs_buf_t *b, const char *key, uint64_t us)
{
    gs_json_key(b, key);
    gs_buf_char(b, '"');
    gs_time_iso(b, us);
    gs_buf_char(b, '"');
}
