
/*
 * Copyright (C) govsvc authors
 *
 * The tokenizers that tell injected SQL and markup with script from texts
 * that only look like them.
 */


#include "guard/gs_guard_priv.h"
#include "tap.h"


static const char *const  sql_yes[] = {
    "1' or '1'='1", "admin'--", "admin' -- -", "admin'#", "admin'/*",
    "' or 1=1#", "') or ('a'='a", "1 or 1=1", "1 and 1=2", "1) or (1=1",
    "1' and sleep(5)--", "1 and sleep(5)", "1' and (select 1)=1",
    "1 and (select count(*) from users)>0", "-1 union select 1,2,3",
    "1 union all select null,null", "x' union select user() -- ",
    "1 union (select @@version)", "1;drop table users", "1'; drop table a",
    "1; waitfor delay '0:0:5'", "1'; exec xp_cmdshell 'dir'",
    "1' order by 3--", "1' group by x having 1=1", "1' having 1=1--",
    "1 or true and 2>1", "1' || '1'='1", "1'||sleep(5)||'",
    "1' and extractvalue(1,concat(0x7e,user()))#", "'=''or'",
    "1' and 1 like 1", "\" or \"\"=\"", "1' or 1 -- x", "1' xor 1=1",
    "1'and/**/'1'='1", "1 or exists(select 1)", "a' or not 1=2",
    "1' and updatexml(1,2,3) and '1'='1", "1+(select 1 from dual)",
    "1,(select 2 from t)", "1;insert into t values(1)", "1' && 1=1",
    "1;select pg_sleep(5)", "1' or case when 1=1 then 1 else 0 end--",
    "1' and substr(user(),1,1)='r", "1' or 1=1 limit 1", "1or 1=1",
    "1' union select 1 from t where 'a'='a", "1' into outfile '/tmp/x",
    "1') union select 1,2#", "0 or 2 between 1 and 3"
};


static const char *const  sql_no[] = {
    "", "a", "O'Neil and Sons", "it's and 5 more", "student union",
    "select a union committee", "union select committee meeting",
    "rock and roll", "1 or 2", "5 and 6", "this or that", "don't--do it",
    "\"quoted\" and \"again\"", "a=b", "1+1=2", "3 > 2", "it's #1",
    "'name' 'and' 'value'", "select the best from the rest",
    "drop by our table; it is free", "{\"a\":\"1\",\"b\":\"2\"}",
    "please update your profile", "2024-01-01 -- 2024-02-01",
    "\xe5\xb7\xa5\xe4\xbc\x9a union \xe9\x80\x89\xe6\x8b\xa9 select",
    "\xe2\x80\x9c\xe5\xb1\x85\xe4\xbd\x8f\xe8\xaf\x81\xe2\x80\x9d or 1",
    "color:'#fff' and", "insert coin; select level", "O'Brien or 'Reilly",
    "he said 'yes' and 'no'", "C:\\Users\\x", "order by phone or mail",
    "<p style=\"a\">x and y</p>", "https://a/b?c=d&e=f", "AT&T; exec board",
    "Tom's; update later", "where is my table from 1990",
    "width > 10 and height < 20 please", "100% or more", "a or b = c",
    "\xe7\x94\xb3\xe8\xaf\xb7(1)or(2)", "12' and 13' boards"
};


static const char *const  xss_yes[] = {
    "<script>alert(1)</script>", "<ScRiPt src=//x>", "<img src=x onerror=a>",
    "<svg/onload=alert(1)>", "<a href=javascript:a()>x</a>",
    "<a href=\" java\nscript:a\">", "\" onmouseover=\"alert(1)",
    "' autofocus onfocus=alert(1) x='", "<iframe src=//x>", "</script>",
    "<body onload=a>", "<svg><animate onbegin=a>", "javascript:alert(1)",
    "<x onclick=a>", "<object data=x>", "<div style=\"x:expression(a)\">",
    "<svg><script>", "<img src=x onerror=alert(1)//",
    "<math href=javascript:1>",
    "<form action=javascript:a>", "<p:script>", "<a href='data:text/html,x'>",
    "<details open ontoggle=a>", "<embed src=x>", "<base href=//x>"
};


static const char *const  xss_no[] = {
    "", "<", "a < b and c > d", "<p>text</p>", "<b>bold</b> <i>x</i>",
    "<a href=\"https://x.gov.example/a?b=c\">x</a>", "<br/>", "1<2",
    "<img src=\"/a.png\" alt=\"one\" width=\"10\">", "<on>", "i<3 you",
    "<span style=\"color:red;font-size:12px\">x</span>", "List<String> a",
    "\"one\" and \"two\" on=1", "he said \"once upon a time\"",
    "<table border=\"1\"><tr><td>a</td></tr></table>", "<!-- x -->",
    "\xe3\x80\x8a\xe5\x8a\x9e\xe6\xb3\x95\xe3\x80\x8b<2024>",
    "java: a language", "<http://a.example/>", "if (a<b) { x = \"y\"; }"
};


static void
check(const char *const *list, size_t n, int (*op)(const gs_str_t *text),
    int want, const char *what)
{
    size_t    i;
    gs_str_t  text;

    for (i = 0; i < n; i++) {
        text = gs_str_text(list[i]);
        is_int(op(&text), want, "%s: %s", what, list[i]);
    }
}


/* Without a clock. */

static int
xss(const gs_str_t *text)
{
    gs_guard_scratch_t  s;

    memset(&s, 0, sizeof(gs_guard_scratch_t));

    return gs_guard_xss(&s, text);
}


#define CHECK(list, op, want, what)                                           \
    check(list, sizeof(list) / sizeof(list[0]), op, want, what)


int
main(void)
{
    CHECK(sql_yes, gs_guard_sqli, 1, "sql");
    CHECK(sql_no, gs_guard_sqli, 0, "no sql");
    CHECK(xss_yes, xss, 1, "script");
    CHECK(xss_no, xss, 0, "no script");

    return done_testing();
}
