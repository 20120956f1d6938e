
/*
 * Copyright (C) govsvc authors
 *
 * Bodies, views and facts: each case is a request, and what a rule on one
 * target and view sees of it.
 */


#include "guard_fixture.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>


typedef struct {
    const char  *match;                    /* target, view and operator */
    const char  *request;
    int          hit;
} body_case_t;


#define JSON  "POST /\nContent-Type: application/json\n\n"
#define FORM  "POST /\nContent-Type: application/x-www-form-urlencoded\n\n"
#define XML   "POST /\nContent-Type: text/xml\n\n"
#define PART  "POST /\nContent-Type: multipart/form-data; boundary=\"b b\"\n\n"


#define FIELD  "--b b\r\nContent-Disposition: form-data; name=f"
#define END    "\r\n\r\nv\r\n--b b--"
#define TEN(x)  x x x x x x x x x x
#define HUNDRED(x)  TEN(TEN(x))


static const body_case_t  body_cases[] = {

    /* views */

    { "args view=deep eq \"<script>\"", "/?a=%253Cscript%253e", 1 },
    { "args view=deep eq \"<script>\"", "/?a=%26lt;ScRipt%26%23x3e;", 1 },
    { "args view=deep eq \"<script>\"", "/?a=\\x3cscript\\u003e", 1 },
    { "args view=deep eq \"<script>\"", "/?a=%u003cscript%u003e", 1 },
    { "args view=deep eq \"<script>\"", "/?a=%c0%bcscript%e0%80%be", 1 },
    { "args view=deep eq \"<script>\"", "/?a=%EF%BC%9Cscript%EF%BC%9E", 1 },
    { "args view=deep eq \"<script>\"", "/?a=%3Cscr%00ipt%3E", 1 },
    { "args view=deep eq \"<script>\"", "/?a=%3Cscr%E2%80%8Bipt%3E", 1 },
    { "args view=deep eq \"<script>\"", "/?a=%25253Cscript%25253E", 1 },
    { "args view=deep eq \"<script>\"", "/?a=%252525253Cscript>", 0 },
    { "args view=deep eq \"\xe5\xb9\xbf\xe4\xb8\x9c\xef\xbc\x88\xe4\xb8\x80"
      "\xef\xbc\x89\xef\xbc\x8c\xe2\x80\x9c\"",
      "/?a=\xe5\xb9\xbf\xe4\xb8\x9c\xef\xbc\x88\xe4\xb8\x80\xef\xbc\x89"
      "\xef\xbc\x8c\xe2\x80\x9c", 1 },
    { "args view=raw eq a%41+", "/?x=a%41+", 1 },
    { "args view=url eq \"aA \"", "/?x=a%41+", 1 },
    { "args view=lower eq \"aa \"", "/?x=a%41+", 1 },
    { "args view=sqlc eq \"union select 1\"", "/?a=UNION/**//*x*/select%0a1",
      1 },
    { "args view=sqlc eq \" union select \"", "/?a=/*!50000union*/select/*", 1
    },
    { "args view=sh eq \"cat /etc/passwd\"",
      "/?a=c'a'\"t\"${IFS}/e\\tc/pa$@sswd", 1 },
    { "args view=path eq \"../../etc/x\"", "/?a=..%5c.//..%2f.%2f/etc//./x",
      1 },
    { "args view=b64 eq \"<script>alert(1)</script>\"",
      "/?a=PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==", 1 },
    { "args view=b64 exists", "/?a=0123456789abcdefABCDEF", 0 },
    { "args view=b64 eq \"<svg onload=alert(1)>\"",
      "/?a=Data:image/svg%2Bxml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk%2b", 1 },
    { "args view=b64 eq \"<svg onload=alert(1)>\"",
      "/?a=data:image/png;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk%2b", 0 },
    { "args view=b64 exists", "/?a=data:image/svg%2Bxml;base64", 0 },
    { "args view=b64 exists", "/?a=data:text/html,", 0 },
    { "args view=raw,deep lit x then y", "/?a=1yx%2579", 1 },
    { "args lit x then y", "/?a=yx", 0 },
    { "args lit \"then\" b then c", "/?a=then", 1 },

    /* facts of values */

    { "args flag double-encoded", "/?a=%2541", 1 },
    { "args flag double-encoded", "/?a=100%25", 0 },
    { "args flag overlong", "/?a=%c0%af", 1 },
    { "args flag bad-pct", "/?a=50%", 1 },
    { "args flag full-width", "/?a=%EF%BC%9C", 1 },
    { "args flag full-width", "/?a=%EF%BC%88%EF%BC%8C", 0 },
    { "args flag zero-width", "/?a=%E2%80%8B", 1 },
    { "args flag unicode-escape", "/?a=%u4e2d", 1 },
    { "args flag bad-utf8", "/?a=%E5%B9%BF", 0 },

    /* targets of the head */

    { "segments eq \"a/b\"", "/x/a%2fb/c", 1 },
    { "segments eq c", "/x/a%2fb/c?c", 1 },
    { "cookies eq \"<a>\"", "/\nCookie: x=1; y=%3Ca%3E", 1 },
    { "cookie:y eq 2", "/\nCookie: y=1;y=2", 1 },
    { "cookie:z exists", "/\nCookie: y=1;y=2", 0 },
    { "header_names eq X-A", "/\nX-A: b", 1 },
    { "arg:id eq 5", "/?id=5", 1 },
    { "arg:id eq 5", "/?idx=5", 0 },
    { "arg:id eq 5", FORM "a=1&id=5", 1 },
    { "arg:id eq 5", PART "--b b\r\nContent-Disposition: form-data; "
      "name=\"id\"\r\n\r\n5\r\n--b b--\r\n", 1 },
    { "args length >= 5", "/?a=12345", 1 },
    { "args > 99", "/?a=100", 1 },
    { "args > 99", "/?a=99", 0 },
    { "args > 99", "/?a=x100", 0 },
    { "args > 99", "/?a=99.5", 1 },
    { "args > 99", "/?a=99.0", 0 },
    { "args > 99", "/?a=%2B100", 1 },
    { "args > 99", "/?a=18446744073709551616", 1 },
    { "args > 99", "/?a=-100", 0 },
    { "args > 99", "/?a=1e9", 0 },
    { "args >= 99", "/?a=99.5", 1 },
    { "args <= 99", "/?a=99.5", 0 },
    { "args < 99", "/?a=98.5", 1 },
    { "args < 99", "/?a=-18446744073709551616", 1 },
    { "args < 1", "/?a=-", 0 },
    { "args < 0", "/?a=-0.1", 1 },
    { "args < 0", "/?a=-0", 0 },
    { "args ne 1 2", "/?a=1&b=2", 0 },
    { "args ne 1 2", "/?a=1&b=3", 1 },
    { "args in one two", "/?a=two", 1 },
    { "args need \"'\" pcre \"^.\"", "/?a=b", 0 },
    { "args need \"'\" pcre \"^.\"", "/?a='", 1 },

    /* forms */

    { "form eq \"a b\"", FORM "x=a+b", 1 },
    { "form_names eq x", FORM "x=a+b", 1 },
    { "form eq <a>", "POST /\n\nx=%3ca%3E", 1 },
    { "form eq <a>", "POST /\nContent-Type: text/plain\n\nx=<a>", 1 },
    { "form eq <a>", "POST /\nContent-Type: application/"
      "x-www-form-urlencoded, x\n\nx=<a>", 1 },
    { "form eq <a>", "POST /\nContent-Type: application/octet-stream\n\n"
      "x=<a>", 0 },
    { "body lit x=%3c", FORM "x=%3ca%3E", 1 },
    { "inputs eq a", FORM "x=a", 1 },
    { "form exists", "/", 0 },

    /* prose, which only a field of a query or a body can be */

    { "form flag prose", FORM "x=select a from t where b=1", 1 },
    { "form flag prose", FORM "x=+SELECT%0aa from t", 1 },
    { "form flag prose", FORM "x=select 1", 0 },
    { "form flag prose", FORM "x=1;select a from t", 0 },
    { "form flag prose", FORM "x=a.b.CException:+x%0a at a.b", 1 },
    { "form flag prose", FORM "x=CException:+x%0a at a.b", 0 },
    { "form flag prose", FORM "x=spec:%0a  containers:", 1 },
    { "form flag prose", FORM "x=spec:%0acontainers:", 0 },
    { "form flag prose", FORM "x=--- a%0a%2b%2b%2b b", 1 },
    { "form flag prose", FORM "x=--- a", 0 },
    { "args flag prose", "/?x=select+a+from+t", 0 },
    { "args flag prose", "/?x=select+a,+b+from+t_apply+where+state+=+'1'", 1 },
    { "args flag prose", "/?x=select+a,+b+from+t_apply+where+state+=+'1", 0 },
    { "form flag prose", FORM "x=curl+-fsSL+https://a.example/b+-o+b", 1 },
    { "form flag prose", FORM "x=curl+https://a.example/b+-o+b", 0 },
    { "form flag prose", FORM "x=bash+-c+id", 0 },
    { "form flag prose", FORM "x=/usr/bin/nc+-e+sh", 0 },
    { "form flag prose", FORM "x=go+test+-v", 1 },
    { "form flag prose", FORM "x=1;curl+-s+b", 0 },
    { "form flag prose", FORM "x=wget+a+%26%26+tar+x+a+%26%26+cd+a", 1 },
    { "form flag prose", FORM "x=a+%26%26+cat+x+%26%26+id", 0 },
    { "form flag prose", FORM "x=var+a+=+new+B();+if+(a)+{+return+c(a);+}", 1 },
    { "form flag prose", FORM "x=';var+a+=+new+B();+if+(a)+{+return+c(a)+}",
      0 },
    { "form flag prose", FORM "x=var+a+=+new+B();+if+(a)+{+return+c(a)+}}", 0 },
    { "form flag prose", FORM "x=var+a+=+'new+B();+if+(a)+{+return+c(a)+}",
      0 },
    { "form flag prose", FORM "x=2026-03-12+10:00:01.223+ERROR+1+---+[exec-5]"
      "+c.g.Handler+:+x'+or+1=1", 1 },
    { "form flag prose", FORM "x=2026-03-12+10:00:01'+or+1=1", 0 },
    { "form flag prose", FORM "x=1.2.3.4+-+-+[12/Mar/2026:10:00:01]+GET+/", 1 },
    { "headers flag prose", "/\nX: curl -fsSL https://a.example/b -o b", 0 },

    { "form flag prose", FORM "x="
      "%e8%af%b7%e5%b8%ae%e5%bf%99%e7%9c%8b%e7%9c%8b%e8%bf%99%e6%"
      "ae%b5%e8%af%ad%e5%8f%a5%ef%bc%9aselect", 1 },
    { "form flag prose", FORM "x="
      "%e7%94%b3%e8%af%b7%e4%ba%ba'%e5%bc%a0%e6%9f%90'%e8%af%89%e"
      "7%a7%b0%e5%85%b6%e4%ba%8e", 1 },
    { "form flag prose", FORM "x="
      "%e7%a8%8e%e7%8e%87=%e5%ba%94%e7%ba%b3%e7%a8%8e%e9%a2%9d*%e"
      "7%a8%8e%e7%8e%87", 1 },
    { "form flag prose", FORM "x="
      "<p style='a:b'>%e8%af%b7%e5%b8%ae%e5%bf%99%e7%9c%8b%e7%9c%"
      "8b%e8%bf%99%e6%ae%b5%e8%af%ad%e5%8f%a5", 1 },
    { "form flag prose", FORM "x="
      "%26nbsp%3b%e8%af%b7%e5%b8%ae%e5%bf%99%e7%9c%8b%e7%9c%8b%e8"
      "%bf%99%e6%ae%b5%e8%af%ad%e5%8f%a5", 1 },
    { "form flag prose", FORM "x="
      "%e8%af%b7%e5%b8%ae%e5%bf%99%e7%9c%8b%e7%9c%8b%e8%bf%99%e6%"
      "ae%b5", 0 },
    { "form flag prose", FORM "x="
      "1 or 1=1 %e8%af%b7%e5%b8%ae%e5%bf%99%e7%9c%8b%e7%9c%8b%e8%"
      "bf%99%e6%ae%b5%e8%af%ad%e5%8f%a5", 0 },
    { "form flag prose", FORM "x="
      "1 or 2--%e8%af%b7%e5%b8%ae%e5%bf%99%e7%9c%8b%e7%9c%8b%e8%b"
      "f%99%e6%ae%b5%e8%af%ad%e5%8f%a5", 0 },
    { "form flag prose", FORM "x="
      "%e4%b8%ad' or '1%e8%af%b7%e5%b8%ae%e5%bf%99%e7%9c%8b%e7%9c"
      "%8b%e8%bf%99%e6%ae%b5%e8%af%ad%e5%8f%a5", 0 },
    { "form flag prose", FORM "x="
      "%3bid%3b%e8%af%b7%e5%b8%ae%e5%bf%99%e7%9c%8b%e7%9c%8b%e8%b"
      "f%99%e6%ae%b5%e8%af%ad%e5%8f%a5", 0 },
    { "form flag prose", FORM "x="
      "<p%3bid>%e8%af%b7%e5%b8%ae%e5%bf%99%e7%9c%8b%e7%9c%8b%e8%b"
      "f%99%e6%ae%b5%e8%af%ad%e5%8f%a5", 0 },
    { "form flag prose", FORM "x="
      "<p a='$(id)'>%e8%af%b7%e5%b8%ae%e5%bf%99%e7%9c%8b%e7%9c%8b"
      "%e8%bf%99%e6%ae%b5%e8%af%ad%e5%8f%a5", 0 },
    { "form flag prose", FORM "x="
      "a<b%e8%af%b7%e5%b8%ae%e5%bf%99%e7%9c%8b%e7%9c%8b%e8%bf%99%"
      "e6%ae%b5%e8%af%ad%e5%8f%a5", 0 },
    { "form flag prose", FORM "x="
      "<p %e8%af%b7%e5%b8%ae%e5%bf%99%e7%9c%8b%e7%9c%8b%e8%bf%99%"
      "e6%ae%b5%e8%af%ad%e5%8f%a5", 0 },
    { "form flag prose", FORM "x=<p>1 or 1=1</p>%e8%af%b7%e5%b8%ae%e5%bf%99%e7"
      "%9c"
      "%8b%e7%9c%8b%e8%bf%99%e6%ae%b5%e8%af%ad", 1 },
    { "form flag prose", FORM "x=<p>1 or 1=1</p>%e8%af%b7", 0 },
    { "form flag prose", FORM "x=<?php id%e8%af%b7%e5%b8%ae", 0 },
    { "form flag prose", FORM "x=<?xml id%e8%af%b7%e5%b8%ae", 1 },
    { "args flag prose", "/?a=%e8%af%b7%e5%b8%ae%e5%bf%99%e7%9c%8b%e7%9c%8b%e8"
      "%bf%99%e6%ae%b5%e8%af%ad", 1 },
    { "cookies flag prose", "/\nCookie: a=%e8%af%b7%e5%b8%ae%e5%bf%99%e7%9c%8b"
      "%e7%9c%8b%e8%bf%99%e6%ae%b5%e8%af%ad", 0 },
    { "form flag prose", FORM
      "x=1 or 1=1 %e8%af%b7%e5%b8%ae%e5%bf%99%e7%9c%8b%e7%9c%8b%e8%"
      "bf%99%e6%ae%b5%e8%af%ad%e5%8f%a5%e8%b0%a2%e8%b0%a2%e6%82%a8", 1 },
    { "form flag prose", FORM
      "x=chmod 755 a.sh; ./a.sh | tee /data/logs/deploy-2026.log; %"
      "e7%9c%8b%e7%9c%8b%e5%90%a7", 1 },
    { "form flag prose", FORM
      "x=mv b a.sh; ./a.sh %e7%9c%8b%e7%9c%8b%e5%90%a7", 0 },
    { "form flag prose", FORM
      "x=kubectl get pods | head", 1 },
    { "form flag prose", FORM
      "x=kubectlx get pods | head", 0 },
    { "form flag prose", FORM
      "x=0 2 * * * /opt/backup.sh; date", 1 },
    { "form flag prose", FORM
      "x=0 2 * * ; date", 0 },
    { "form flag prose", FORM
      "x=```bash%0als", 1 },
    { "form flag prose", FORM
      "x=%0aint main(void) {%0a    return 1 + system(name) + printf(`%25d`"
      ", 1);%0a}%0a", 1 },
    { "form flag prose", FORM
      "x=one%0atwo words of an english sentence%0aand three more wo"
      "rds of it", 0 },
    { "form flag prose", FORM
      "x=;%0a;%0a;%0aid", 0 },
    { "form flag prose", FORM
      "x=declare @a int; select 1", 1 },
    { "args flag prose", "/?x="
      "kubectl get pods | head", 1 },
    { "args flag prose", "/?x="
      "1%3bid %e7%9c%8b%e7%9c%8b%e5%90%a7", 0 },
    { "form lit b", FORM "x=%e8%af%b7%e5%b8%ae%e5%bf%99%e7%9c%8b%e7%9c%8b%e8%bf"
      "%99%e6%ae%b5%e8%af%ad b", 1 },

    /* JSON */

    { "json eq \"a\\\"b/\xe4\xb8\xad\"", JSON "{\"x\":\"a\\\"b\\/\\u4e2d\"}",
      1 },
    { "json view=raw lit \\u4e2d", JSON "{\"x\":\"\\u4e2d\"}", 1 },
    { "json eq \xf0\x9f\x98\x80", JSON "[\"\\ud83d\\ude00\"]", 1 },
    { "json eq 12.5e3", JSON "{\"x\":[1,{\"y\":12.5e3}]}", 1 },
    { "json:x[*].y eq 2", JSON "{\"x\":[1,{\"y\":2}]}", 1 },
    { "json:x.y eq 2", JSON "{\"x\":[1,{\"y\":2}]}", 0 },
    { "json:*.@type eq a.b", JSON "{\"x\":[{\"@type\":\"a.b\"}]}", 1 },
    { "json:*.@type eq a.b", JSON "{\"@type\":\"a.b\"}", 1 },
    { "json:z eq 3", JSON "{\"x\":{\"y\":[[],{}]},\"z\":3}", 1 },
    { "json_keys eq @type", JSON "{\"x\":[{\"@ty\\u0070e\":1}]}", 1 },
    { "json_keys eq @type", JSON "{'@type':'a'}", 1 },
    { "json_keys eq @type", JSON "{@type:1}", 1 },
    { "body flag json-error", JSON "{\"a\":1,\"b\":[true,null,-1]}", 0 },
    { "body flag json-error", JSON "{'a':1}", 1 },
    { "body flag json-error", JSON "{\"a\":1]", 1 },
    { "body flag json-error", JSON "{\"a\":1}x", 1 },
    { "json lit evil", JSON "{\"a\":1 evil", 1 },
    { "json lit evil", JSON "\"ev\\u0069l\"", 1 },
    { "body flag json-duplicate", JSON "{\"a\":1,\"a\":2}", 1 },
    { "body flag json-duplicate", JSON "[{\"a\":1},{\"a\":2}]", 0 },
    { "body flag type-mismatch", FORM "{\"a\":1}", 1 },
    { "json:a eq 1", FORM "{\"a\":1}", 1 },
    { "json:a eq 1", "POST /\nContent-Type: text/plain\n\n {\"a\":1}", 1 },
    { "form_names lit evil", FORM "{evil=1", 1 },

    /* JSON in a string of JSON, and what only looks so */

    { "json:x.y eq ab", JSON
      "{\"x\":\"{\\\"y\\\":\\\"a\\\\u0062\\\",\\\"@type\\\":\\\"e.f\\\"}"
      "\"}", 1 },
    { "json:x exists", JSON
      "{\"x\":\"{\\\"y\\\":\\\"a\\\\u0062\\\",\\\"@type\\\":\\\"e.f\\\"}"
      "\"}", 0 },
    { "json_keys eq @type", JSON
      "{\"x\":\"{\\\"y\\\":\\\"a\\\\u0062\\\",\\\"@type\\\":\\\"e.f\\\"}"
      "\"}", 1 },
    { "json:*.@type eq e.f", JSON
      "{\"x\":\"{\\\"y\\\":\\\"a\\\\u0062\\\",\\\"@type\\\":\\\"e.f\\\"}"
      "\"}", 1 },
    { "json view=raw lit u0062", JSON
      "{\"x\":\"{\\\"y\\\":\\\"a\\\\u0062\\\",\\\"@type\\\":\\\"e.f\\\"}"
      "\"}", 1 },
    { "body flag json-error", JSON
      "{\"x\":\"{\\\"y\\\":\\\"a\\\\u0062\\\",\\\"@type\\\":\\\"e.f\\\"}"
      "\"}", 0 },
    { "json eq [ab]", JSON
      "{\"x\":\"[ab]\"}", 1 },
    { "json lit \"}z\"", JSON
      "{\"x\":\"{\\\"y\\\":1}z\"}", 1 },
    { "json prefix \"{'y'\"", JSON
      "{\"x\":\"{'y':1}\"}", 1 },
    { "json lit \":}\"", JSON
      "{\"x\":\"{\\\"y\\\":}\"}", 1 },
    { "body flag json-error", JSON
      "{\"x\":\"{\\\"y\\\":}\"}", 0 },
    { "body flag json-duplicate", JSON
      "{\"x\":\"{\\\"y\\\":1,\\\"y\\\":2}\"}", 0 },
    { "json:x[*].y eq 2", JSON
      "{\"x\":\" [1,{\\\"y\\\":2}] \"}", 1 },
    { "json eq qr", JSON
      "[\"[\\\"[\\\\\\\"qr\\\\\\\"]\\\"]\"]", 1 },
    { "json eq qr", JSON
      "[\"[\\\"[\\\\\\\"[\\\\\\\\\\\\\\\"qr\\\\\\\\\\\\\\\"]\\\\\\\"]\\\""
      "]\"]", 1 },
    { "json eq qr", JSON
      "[\"[\\\"[\\\\\\\"[\\\\\\\\\\\\\\\"[\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\"
      "\"qr\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\"]\\\\\\\\\\\\\\\"]\\\\\\\"]\\"
      "\"]\"]", 0 },
    { "json lit qr", JSON
      "[\"[\\\"[\\\\\\\"[\\\\\\\\\\\\\\\"[\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\"
      "\"qr\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\"]\\\\\\\\\\\\\\\"]\\\\\\\"]\\"
      "\"]\"]", 1 },

    /* XML */

    { "xml eq \"a<b\"", XML "<x>a&lt;b</x>", 1 },
    { "xml eq v'v", XML "<x y='1' z=\"v&apos;v\"/>", 1 },
    { "xml eq \"<c>\"", XML "<x><![CDATA[<c>]]></x>", 1 },
    { "xml eq \" note \"", XML "<x><!-- note --></x>", 1 },
    { "xml eq A", XML "<x>&#x41;</x>", 1 },
    { "xml eq A", XML "<x>&#x000000000000000041;</x>", 1 },
    { "xml eq \"a & b;\"", XML "<x>a & b;</x>", 1 },
    { "xml lit file:///etc", XML "<!DOCTYPE a [<!ENTITY b SYSTEM "
      "\"file:///etc/x\">]><a>&b;</a>", 1 },
    { "body flag xml-doctype", XML "<!DOCTYPE a><a/>", 1 },
    { "body flag xml-entity", XML "<!DOCTYPE a><a/>", 0 },
    { "body flag xml-entity", XML "<!DOCTYPE a [<!ENTITY b \">\">]><a/>", 1 },
    { "body flag xml-error", XML "<?xml version='1.0'?>\n<a b='1'/>", 0 },
    { "body flag xml-error", XML "<a b=1>", 1 },
    { "xml lit evil", XML "<a b=evil", 1 },
    { "xml eq x", "POST /\n\n<a>x</a>", 1 },
    { "xml eq x", JSON "<a>x</a>", 1 },
    { "body flag type-mismatch", JSON "<a>x</a>", 1 },

    /* texts of one element, parted by what the program behind leaves out */

    { "xml eq \"union select\"", XML "<a>un<!-- x -->ion sel<?y z?>ect</a>", 1
    },
    { "xml eq \"a<b c\"", XML "<a>a<![CDATA[<b]]> c</a>", 1 },
    { "xml eq \"a<b c\"", XML "<a><![CDATA[a<]]>b&#32;<![CDATA[c]]></a>", 1 },
    { "xml eq ion", XML "<a>un<!---->ion</a>", 1 },
    { "xml eq union", XML "<a>un<!---->ion", 1 },
    { "xml eq union", XML "<a>un</a><a>ion</a>", 0 },
    { "xml eq union", XML "<a>un<b/>ion</a>", 0 },
    { "body flag xml-bomb", XML "<a>" HUNDRED("&b;&b;") "<!----></a>", 0 },
    { "body flag xml-bomb", XML "<a>" HUNDRED("&b;&b;") "<!---->x</a>", 0 },

    /* charsets told within */

    { "body flag unknown-charset", XML "<?xml version='1.0' "
      "encoding='ibm037'?><a/>", 1 },
    { "body flag unknown-charset", XML "<?xml\tversion=\"1.0\" "
      "encoding = \"GBK\"?><a/>", 0 },
    { "body flag utf16", XML "<?xml version='1.0' encoding='UTF-7'?><a/>", 1 },
    { "body flag utf16", XML "<?xml version='1.0' encoding='utf-16'?><a/>", 0
    },
    { "body flag mixed-charset", "POST /\nContent-Type: text/xml; "
      "charset=utf-8\n\n<?xml version='1.0' encoding='gb2312'?><a/>", 1 },
    { "body flag mixed-charset", "POST /\nContent-Type: text/xml; "
      "charset=GBK\n\n<?xml version='1.0' encoding='gb2312'?><a/>", 0 },
    { "body flag mixed-charset", "POST /\nContent-Type: text/xml; "
      "charset=iso-8859-1\n\n<?xml version='1.0' encoding='utf-8'?><a/>", 0 },
    { "body flag mixed-charset", XML "<?xml version='1.0' "
      "encoding='gb2312'?><a/>", 0 },
    { "body flag unknown-charset", XML "<?xml encoding?><a/>", 0 },
    { "body flag unknown-charset", XML "<?xml encoding='?><a/>", 1 },

    /* what is no tree, and trees that nobody writes */

    { "body flag xml-tree", XML "<a><b>1</a></b>", 1 },
    { "body flag xml-tree", XML "<a><b>1</b></a >", 0 },
    { "body flag xml-tree", XML "<a><b/>1</a>", 0 },
    { "body flag xml-tree", XML "<a b='/'>1</a>", 0 },
    { "body flag xml-tree", XML "<a>1", 1 },
    { "body flag xml-tree", XML "<a/><b/>", 1 },
    { "body flag xml-tree", XML "<a b='1' c='2' b='3'/>", 1 },
    { "body flag xml-tree", XML "<a b='1'><a b='1'/></a>", 0 },
    { "body flag xml-bomb", XML HUNDRED("<a>") HUNDRED("</a>"), 0 },
    { "body flag xml-bomb", XML HUNDRED("<a>") TEN("<a><a><a>")
      TEN("</a></a></a>") HUNDRED("</a>"), 1 },
    { "body flag xml-bomb", XML "<a>" HUNDRED("&b;&b;&b;") "</a>", 1 },
    { "body flag xml-bomb", XML "<a>" HUNDRED("&#65;&#x42;&#67;") "</a>", 1 },
    { "body flag xml-bomb", XML "<a>" HUNDRED("&lt;&#20013;&#60;") "</a>", 0 },
    { "body flag xml-bomb", XML "<a " HUNDRED("b='' c='' d='' ") "/>", 1 },
    { "body flag xml-bomb", XML "<a " HUNDRED("b='' c='' ") "/>", 0 },

    /* words that RFC 8259 does not know */

    { "body flag json-error", JSON "[0,-1,2.50,1e3,-1.5E+20,1e-2,true,null]",
      0 },
    { "body flag json-error", JSON "[01]", 1 },
    { "body flag json-error", JSON "[1.]", 1 },
    { "body flag json-error", JSON "[.5]", 1 },
    { "body flag json-error", JSON "[+1]", 1 },
    { "body flag json-error", JSON "[1e]", 1 },
    { "body flag json-error", JSON "[-]", 1 },
    { "body flag json-error", JSON "[0x41]", 1 },
    { "body flag json-error", JSON "[NaN]", 1 },
    { "body flag json-error", JSON "{\"a\":/**/1}", 1 },
    { "json eq /**/1", JSON "{\"a\":/**/1}", 1 },

    /* keys that are one key */

    { "body flag json-duplicate", JSON "{\"a\":1,\"a\":2}", 1 },
    { "body flag json-duplicate", JSON "{\"a\":1,\"\\u0061\":2}", 1 },
    { "body flag json-duplicate", JSON "{\"a\":1,\"A\":2}", 0 },

    /* the head as a whole */

    { "head eq \"GET /a?b HTTP/1.1\"", "GET /a?b HTTP/1.1\n\n", 1 },
    { "head eq \"GET http://a/b HTTP/1.1\"", "GET http://a/b HTTP/1.1\n\n",
      1 },
    { "head flag foreign-host", "GET http://a.b/ HTTP/1.1\nHost: a.c\n\n",
      1 },
    { "head flag foreign-host", "GET http://a.b/ HTTP/1.1\nHost: A.b\n\n",
      0 },
    { "head flag foreign-host", "GET /?u=http://a.b/ HTTP/1.1\nHost: a.c\n\n",
      0 },
    { "head flag foreign-host", "/\nHost: a.b.c\nX-Forwarded-Host: x.b.c", 0 },
    { "head flag foreign-host", "/\nHost: a.b.c\nX-Forwarded-Host: a.x.c", 1 },
    { "head flag foreign-host", "/\nHost: a.b.cn\nX-Host: x.b.cn", 1 },
    { "head flag foreign-host", "/\nHost: w.a.b.cn\nX-Host: x.a.b.cn:1", 0 },
    { "head flag foreign-host", "/\nHost: 192.0.2.1\nX-Host: a.b", 0 },
    { "head flag foreign-host", "/\nHost: a.b\nForwarded: for=x;host=\"c.d\"",
      1 },
    { "head flag foreign-host", "/\nHost: a.b\nForwarded: proto=https", 0 },
    { "head flag repeated", "/\nRange: bytes=0-1\nrange: bytes=2-3", 1 },
    { "head flag repeated", "/\n" TEN("X-A: 1\nX-B: 1\nX-A: 2\n"), 0 },
    { "head flag repeated", "/\n" TEN("X-A: 1\nx-a: 1\nX-A: 2\n"), 1 },
    { "head flag repeated", "/?" HUNDRED("a=1&"), 0 },
    { "head flag repeated", "/?" HUNDRED("a=1&") "a", 1 },
    { "head flag repeated", "/?" HUNDRED("a=1&b=1&c=1&"), 0 },
    { "head flag repeated", "/\nCookie: " TEN("a=1; "), 0 },
    { "head flag repeated", "/\nCookie: " TEN("a=1; a=2; "), 1 },
    { "head flag too-many", "/\n" HUNDRED("X-A: 1\n"), 0 },
    { "head flag too-many", "/\n" HUNDRED("X-A: 1\n") "X-B: 1", 1 },
    { "head flag too-many", "/\nCookie: " HUNDRED("a=1; "), 0 },
    { "head flag too-many", "/\nCookie: " HUNDRED("a=1; b=2; "), 1 },
    { "body flag repeated", FORM HUNDRED("a=1&a=2&"), 0 },
    { "body flag repeated", FORM HUNDRED("a=1&a=2&a=3&"), 1 },

    /* multipart */

    { "form eq \"v\r\nw\"", PART "--b b\r\nContent-Disposition: form-data; "
      "name=\"x\"\r\n\r\nv\r\nw\r\n--b b--\r\n", 1 },
    { "body flag multipart-error", PART "--b b\r\nContent-Disposition: "
      "form-data; name=\"x\"\r\n\r\nv\r\n--b b--\r\n", 0 },
    { "files.name eq a.jsp", PART "--b b\r\nContent-Disposition: form-data; "
      "name=f; filename=a.jsp\r\n\r\nv\r\n--b b--", 1 },
    { "files.name eq \"a\\\\\\\"b;c\"", PART "--b b\r\ncontent-disposition:"
      "form-data; filename=\"a\\\"b;c\"; name=f\r\n\r\nv\r\n--b b--", 1 },
    { "files.name eq a.jsp", PART FIELD "; filename=\"b\"; "
      "filename*=UTF-8''a%2ejsp" END, 1 },
    { "files.name eq \"UTF-8''a%2ejsp\"", PART FIELD "; filename=\"b\"; "
      "filename*=UTF-8''a%2ejsp" END, 1 },
    { "files.name eq a.jsp", PART FIELD "; filename*=a.jsp" END, 1 },
    { "files.name suffix .jsp", PART FIELD "; filename=b; filename*=UTF-8''b; "
      "filename*=UTF-8''a.jsp" END, 1 },
    { "files.name eq a.jsp", PART FIELD "; filename='a.jsp'" END, 1 },
    { "files.name eq a.jsp", PART FIELD "; filename=\"a.j\\sp\"" END, 1 },
    { "files.name eq a.jsp", PART FIELD
      "; filename=\"=?utf-8?B?YS5qc3A=?=\"" END,
      1 },
    { "files.name eq \"a b.jsp\"", PART FIELD
      "; filename=\"=?gbk?q?a_b=2Ejs?=p\"" END, 1 },
    { "files.name eq \"=?x?B?*?=\"", PART FIELD
      "; filename=\"=?x?B?*?=\"" END, 1 },
    { "files.name eq a=b=?x?b", PART FIELD "; filename=\"a=b\\=?x?b\"" END, 1 },
    { "files.name eq =?", PART FIELD "; filename=\"\\=?\"" END, 1 },
    { "body flag multipart-error", PART FIELD
      "; filename*0=a; filename*1=b" END, 1
    },
    { "body flag multipart-error", PART FIELD
      "; filename=a; filename*0*=''b" END, 1
    },
    { "body flag multipart-error", PART FIELD "; name*=''g" END, 1 },
    { "body flag unknown-charset", "POST /\nContent-Type: "
      "multipart/form-data; boundary=\"b b\"\n\n--b b\r\n"
      "Content-Disposition: form-data; name=_charset_\r\n\r\nibm037\r\n"
      "--b b--", 1 },
    { "body flag unknown-charset", PART "--b b\r\nContent-Disposition: "
      "form-data; name=\"_charset_\"\r\n\r\nUTF-8\r\n--b b--", 0 },
    { "files.type eq image/png", PART "--b b\r\nContent-Disposition: "
      "form-data; name=f; filename=a\r\nContent-Type: image/png\r\n\r\nv\r\n"
      "--b b--", 1 },
    { "files.head prefix <?php", PART "--b b\r\nContent-Disposition: "
      "form-data; name=f; filename=a\r\n\r\n<?php x\r\n--b b--", 1 },
    { "body flag multipart-error", PART "--b b\r\nContent-Disposition: "
      "form-data; name=f; filename=a; filename=b\r\n\r\nv\r\n--b b--", 1 },
    { "files.name lit b.jsp", PART "--b b\r\nContent-Disposition: "
      "form-data; name=f; filename=a; filename=b.jsp\r\n\r\nv\r\n--b b--", 1 },
    { "body flag multipart-error", PART "x\r\n--b b\r\nContent-Disposition: "
      "form-data; name=f\r\n\r\nv\r\n--b b--", 1 },
    { "form lit evil", PART "evil\r\n--b b\r\nContent-Disposition: "
      "form-data; name=f\r\n\r\nv\r\n--b b--", 1 },
    { "form lit evil", PART "--b b\r\nContent-Disposition: "
      "form-data; name=f\r\n\r\nv\r\n--b b--\r\nevil", 1 },
    { "form lit evil", PART "no parts, evil", 1 },
    { "body flag multipart-error", PART "--b b\r\nContent-Disposition: "
      "form-data; name=f\r\n\r\nv", 1 },
    { "json:a eq 1", PART "--b b\r\nContent-Disposition: form-data; name=f"
      "\r\nContent-Type: application/json\r\n\r\n{\"a\":1}\r\n--b b--", 1 },
    { "form eq \"x=evil\"", "POST /\nContent-Type: multipart/form-data\n\n"
      "x=evil", 0 },
    { "form eq evil", "POST /\nContent-Type: multipart/form-data\n\nx=evil",
      1 },

    { "body flag multipart-error", PART FIELD "; filename=a.pdf; filename*="
      "utf-8''%61.PDF" END, 0 },
    { "body flag multipart-error", PART FIELD "; filename=a.pdf; filename*="
      "utf-8''a.exe" END, 1 },
    { "body flag multipart-error", PART FIELD "; filename*=utf-8''a.pdf" END,
      1 },
    { "body flag multipart-error", PART FIELD "; filename*=utf-8''a.pdf"
      "\r\n\r\n%PDF-1.7 " HUNDRED("x") END, 0 },
    { "body flag multipart-error", PART FIELD "; filename*=utf-8''a.jpg"
      "\r\n\r\n\xff\xd8\xff " HUNDRED("x") END, 1 },
    { "files.name lit a.jsp", PART FIELD "; filename*=utf-8''a.jsp"
      "\r\n\r\n%PDF-1.7 " HUNDRED("x") END, 1 },
    { "body flag multipart-error", PART FIELD END "\r\n\r\n", 0 },
    { "body flag multipart-error", PART FIELD "\r\n\r\n v" END, 0 },
    { "form eq \" v\"", PART FIELD "\r\n\r\n v\r\n--b b--", 1 },
    { "body flag multipart-error", PART FIELD "\r\nX: a\r\n b" END, 1 },
    { "body flag multipart-error", PART FIELD END "\r\n\r\nx", 1 },
    { "body flag multipart-error", PART FIELD "; filename=\"a" END, 1 },
    { "body flag multipart-error", PART FIELD "; filename=\"\\\"\"" END, 0 },
    { "body flag multipart-error", PART FIELD "\x01" END, 1 },
    { "body flag multipart-error", PART FIELD "\r\nX: "
      HUNDRED("0123456789") END, 0 },
    { "body flag multipart-error", PART FIELD "\r\nX: "
      HUNDRED("0123456789") HUNDRED("0123456789x") END, 1 },
    { "body flag multipart-error", PART FIELD "\r\nContent-Type: "
      "multipart/mixed; boundary=c" END, 1 },
    { "body flag multipart-error", PART "--b b\r\nContent-Disposition: "
      "attachment; name=f" END, 1 },
    { "body flag unknown-charset", PART FIELD "\r\nContent-Type: text/plain; "
      "charset=cp037" END, 1 },
    { "xml eq v", PART FIELD "\r\nContent-Type: text/xml\r\n\r\n"
      "<a>v</a>\r\n--b b--", 1 },
    { "body flag multipart-error", "POST /\nContent-Type: multipart/form-data; "
      "boundary=\"b;b\"\n\n--b;b\r\nContent-Disposition: form-data; name=f"
      "\r\n\r\nv\r\n--b;b--", 1 },
    { "body flag multipart-error", "POST /\nContent-Type: multipart/related; "
      "boundary=b\n\n--b\r\nContent-Type: text/xml\r\n\r\n<a>v</a>\r\n"
      "--b--", 0 },
    { "xml eq v", "POST /\nContent-Type: multipart/related; "
      "boundary=b\n\n--b\r\nContent-Type: text/xml\r\n\r\n<a>v</a>\r\n"
      "--b--", 1 },

    /* charsets and codings */

    { "body flag bad-encoding", "POST /\nContent-Encoding: UTF-8\n\nx", 0 },

    { "body flag unknown-charset",
      "POST /\nContent-Type: text/plain; charset=ibm037\n\nx", 1 },
    { "body flag unknown-charset",
      "POST /\nContent-Type: text/plain; charset=\"UTF-8\"\n\nx", 0 },
    { "body flag mixed-charset",
      "POST /\nContent-Type: a/b; charset=utf-8; charset=gbk\n\nx", 1 },
    { "body flag utf16",
      "POST /\nContent-Type: text/xml; charset=utf-16\n\nx", 1 },
    { "body flag utf16", "POST /\n\n\xff\xfe<", 1 },
    { "json:a eq 1", JSON "\xef\xbb\xbf{\"a\":1}", 1 },
    { "body flag bad-encoding", "POST /\nContent-Encoding: br\n\nx", 1 },
    { "body flag bad-encoding", "POST /\nContent-Encoding: gzip\n\nx", 1 },

    /* answers */

    { "status in 401 403", "HTTP/1.1 403 No\nX: y\n\n", 1 },
    { "status >= 500", "HTTP/1.1 403 No\nX: y\n\n", 0 },
    { "resp_header:Server prefix a/", "HTTP/1.1 200 OK\nserver: a/1\n\nx", 1 },
    { "resp_body lit secret", "HTTP/1.1 200 OK\n\na Secret", 1 },
    { "resp_body lit secret", "/?secret", 0 }
};


static void
test_cases(void)
{
    char                 rule[1024];
    size_t               i;
    gs_str_t             text;
    gs_arena_t          *arena;
    gs_guard_t          *guard;
    gs_guard_input_t     in;
    const body_case_t   *c;
    gs_guard_scratch_t  *s;
    gs_guard_verdict_t   v;

    for (i = 0; i < sizeof(body_cases) / sizeof(body_cases[0]); i++) {
        c = &body_cases[i];
        arena = gs_arena_create(&gs_mem_libc);

        (void) snprintf(rule, sizeof(rule),
                        "rule 1000 a { match %s; block; }", c->match);

        guard = fixture_rules_of(arena, rule);
        ok(guard != NULL, "%s", c->match);

        if (guard == NULL) {
            gs_arena_destroy(arena);
            continue;
        }

        s = gs_guard_scratch_create(guard, gs_arena_mem(arena), 65536);
        text = gs_str_text(c->request);

        is_int(gs_guard_request(&in, gs_arena_mem(arena), &text, NULL), GS_OK,
               "request %u", (unsigned) i);
        (void) gs_guard_check(guard, s, &in, &v);
        is_int(v.action == GS_GUARD_BLOCK, c->hit, "case %u: %s", (unsigned) i,
               c->match);

        gs_guard_scratch_destroy(s);
        gs_guard_destroy(guard);
        gs_arena_destroy(arena);
    }
}


/* printf '{"a":"<evil>"}' | gzip -9n; as zlib; without a frame */

static const gs_uchar_t  body_gzip[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56,
    0x4a, 0x54, 0xb2, 0x52, 0xb2, 0x49, 0x2d, 0xcb, 0xcc, 0xb1, 0x53, 0xaa,
    0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0e, 0x00, 0x00, 0x00
};


static void
test_inflate(void)
{
    gs_arena_t          *arena;
    gs_guard_t          *guard;
    gs_guard_input_t     in;
    gs_guard_scratch_t  *s;
    gs_guard_verdict_t   v;

    arena = gs_arena_create(&gs_mem_libc);
    guard = fixture_rules_of(arena,
        "rule 1000 a { match json:a eq <evil>; block; }"
        "rule 1001 b { match body flag bad-encoding; log; }");
    s = gs_guard_scratch_create(guard, gs_arena_mem(arena), 65536);

    memset(&in, 0, sizeof(in));
    in.method = gs_str_text("POST");
    in.uri = in.path = gs_str_text("/");
    in.type = gs_str_text("application/json");
    in.coding = gs_str_text("gzip");
    in.body = gs_str_make(body_gzip, sizeof(body_gzip));

    (void) gs_guard_check(guard, s, &in, &v);
    is_int(v.rule, 1000, "a body in gzip with a bad sum");
    is_int(v.hits[1], 1001, "the bad sum is told");

    in.coding = gs_str_text("deflate");
    in.body = gs_str_make(body_gzip + 10, 16);
    (void) gs_guard_check(guard, s, &in, &v);
    is_int(v.rule, 1000, "bare deflate");
    is_int(v.nhits, 1, "nothing else");

    in.coding = gs_str_text("identity");
    in.body = gs_str_text("{\"a\":\"<evil>\"}");
    (void) gs_guard_check(guard, s, &in, &v);
    is_int(v.rule, 1000, "no coding");

    gs_guard_scratch_destroy(s);
    gs_guard_destroy(guard);
    gs_arena_destroy(arena);
}


int
main(void)
{
    test_cases();
    test_inflate();

    return done_testing();
}
