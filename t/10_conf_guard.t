#!/usr/bin/perl
#
# Copyright (C) govsvc authors
#
# Bad values of the directives of guard and client, and of rule files.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new();

$t->write_file('good.rules', <<'EOR');
rule 1000 trap { match path prefix "/.git/"; block; }
EOR


sub error_is {
    my ($conf, $want, $name) = @_;

    my $got = $t->conf_error($conf);
    $got =~ s/ in (?:bad|test)\.conf:\d+$//;

    is($got, $want, $name);
}


# A rule file and what nginx -t says about it.

sub rules {
    my ($text, $want, $name) = @_;

    $t->write_file('x.rules', $text);

    is($t->conf_error("govsvc_rules x.rules;\n"), $want, $name);
}


# directives

error_is("govsvc_rules good.rules;\ngovsvc_guard onn;\n",
    'invalid value "onn"; did you mean "on"? in "govsvc_guard" directive',
    'guard value');

error_is("govsvc_rules good.rules;\ngovsvc_guard blocking;\n",
    'invalid value "blocking"; allowed: on, detect, off in "govsvc_guard"'
    . ' directive', 'guard value, nothing near');

error_is("govsvc_guard on;\ngovsvc_guard on;\n",
    '"govsvc_guard" directive is duplicate', 'guard twice');

error_is("govsvc_guard detect;\nserver { }\n",
    '"govsvc_guard" needs rules: "govsvc_rules" is missing in http',
    'guard without rules');

error_is("govsvc_guard;\n",
    'invalid number of arguments in "govsvc_guard" directive', 'guard alone');

error_is("server { govsvc_rules good.rules; }\n",
    '"govsvc_rules" directive is not allowed here', 'rules in a server');

like($t->conf_error("govsvc_rules none.rules;\n"),
    qr{^open\(\) "\S*none\.rules" failed \(2: No such file},
    'no such rule file');

like($t->conf_error("govsvc_rules none*.rules;\n"),
    qr{^no rule file fits "\S*none\*\.rules" in bad\.conf:1$},
    'no file for a pattern');

error_is("govsvc_identity_strip x-my.id;\n",
    'invalid header name "x-my.id" in "govsvc_identity_strip" directive,'
    . ' allowed: letters, digits, "-", "_", and "*" at the end',
    'strip, a bad byte');

error_is("govsvc_identity_strip *;\n",
    'invalid header name "*" in "govsvc_identity_strip" directive,'
    . ' allowed: letters, digits, "-", "_", and "*" at the end',
    'strip everything');

error_is("govsvc_identity_strip Host;\n",
    '"Host" in "govsvc_identity_strip" directive is a header that nginx'
    . ' itself reads', 'strip a header of nginx');

error_is("govsvc_identity_strip x-*;\n",
    '"x-*" in "govsvc_identity_strip" directive is a header that nginx'
    . ' itself reads', 'strip headers of nginx by pattern');

error_is("govsvc_identity_strip;\n",
    'invalid number of arguments in "govsvc_identity_strip" directive',
    'strip nothing');

like($t->conf_error("govsvc_geo none.mmdb;\n"),
    qr{^Error\ opening\ the\ specified\ MaxMind\ DB\ file\ in
       \ "\S*none\.mmdb"\ in
       \ bad\.conf:1$}x,
    'no such database');

like($t->conf_error("govsvc_geo good.rules;\n"),
    qr{^The\ MaxMind\ DB\ file\ contains\ invalid\ metadata\ in
       \ "\S*good\.rules"
       \ in\ bad\.conf:1$}x,
    'not a database');

error_is("govsvc_geo;\n",
    'invalid number of arguments in "govsvc_geo" directive', 'geo of nothing');

error_is("govsvc_geo a b c;\n",
    'invalid number of arguments in "govsvc_geo" directive', 'geo of three');

is($t->conf_error("govsvc_rules good.rules;\ngovsvc_guard detect;\n"
    . "govsvc_identity_strip x-our-id x_my_*;\n"), '', 'good directives');

# tuning

is($t->conf_error("govsvc_rules good.rules;\ngovsvc_guard on;\n"
    . "govsvc_level block=2 log=3;\ngovsvc_threshold 10;\n"
    . "govsvc_rule_off 1000 arg:a;\n"
    . "govsvc_body_inspect 64k oversize=block;\n"
    . "govsvc_guard_budget 5ms over=pass;\n"), '', 'good tuning');

for my $case (
    [ 'govsvc_level block=5', 'invalid level "block=5", allowed: 1-4' ],
    [ 'govsvc_level log=x', 'invalid level "log=x", allowed: 1-4' ],
    [ 'govsvc_level blok=1', 'invalid parameter "blok=1"; did you mean "block=N"? in' ],
    [ 'govsvc_level block=3 log=2',
      'the level "log=2" is below "block=3" in' ],
    [ 'govsvc_threshold 5 x=1 x=2', 'duplicate class in threshold "x=2" in' ],
    [ 'govsvc_rule_off 1000 json:a[1]', 'invalid path in target "json:a[1]",'
      . ' expecting "a.b[*].c" or "*.KEY" in "govsvc_rule_off" in' ],
    [ 'govsvc_threshold 0', 'invalid threshold "0", allowed: 1-10000' ],
    [ 'govsvc_threshold 5 x', 'invalid threshold "x", expecting CLASS=N' ],
    [ 'govsvc_threshold 5 x=0', 'invalid threshold "x=0", allowed: 1-10000' ],
    [ 'govsvc_threshold 5 nosuch=3',
      'no rule scores in class "nosuch" in "govsvc_threshold"' ],
    [ 'govsvc_rule_off 1999',
      'there is no rule "1999" in "govsvc_rule_off" in' ],
    [ 'govsvc_rule_off tag:none',
      'there is no rule "tag:none" in "govsvc_rule_off" in' ],
    [ 'govsvc_rule_off abc', 'invalid rule "abc", expecting an id or'
      . ' "tag:NAME" in "govsvc_rule_off" in' ],
    [ 'govsvc_rule_off 1000 agr:a',
      'unknown target "agr:a" in "govsvc_rule_off" in' ],
    [ 'govsvc_body_inspect 1', 'invalid size "1", allowed: 1k-1m, or "off"' ],
    [ 'govsvc_body_inspect 2m', 'invalid size "2m", allowed: 1k-1m, or "off"' ],
    [ 'govsvc_body_inspect 8k oversize=drop',
      'invalid parameter "oversize=drop"; did you mean "oversize=pass"?' ],
    [ 'govsvc_guard_budget 0ms',
      'invalid time "0ms", allowed: 1ms-10s, or "off"' ],
    [ 'govsvc_guard_budget 20s',
      'invalid time "20s", allowed: 1ms-10s, or "off"' ],
    [ 'govsvc_guard_budget 5ms over=all',
      'invalid parameter "over=all"; allowed: over=pass, over=score,'
      . ' over=block in' ],
) {
    like($t->conf_error("govsvc_rules good.rules;\nserver {\n"
        . "govsvc_guard on;\n$case->[0];\n}\n"), qr/^\Q$case->[1]\E/,
        $case->[0]);
}

for my $twice ('govsvc_level block=1', 'govsvc_threshold 5',
    'govsvc_body_inspect 8k', 'govsvc_guard_budget 5ms')
{
    my ($name) = split ' ', $twice;

    like($t->conf_error("$twice;\n$twice;\n"),
        qr/^"$name" directive is duplicate/, "$name twice");
}

# rule files

rules("rule 999 a { match path eq /; log; }\n",
    'invalid rule id "999", allowed: 1000-999999999 in x.rules:1', 'low id');

rules("rule x a { match path eq /; log; }\n",
    'invalid rule id "x", allowed: 1000-999999999 in x.rules:1', 'no id');

rules("rule 1000 a b { }\n", 'unexpected "b", expecting "{" in x.rules:1',
    'two names');

rules("rule 1000 a/b { }\n",
    'invalid rule name "a/b", allowed: up to 64 letters, digits, "-", "_",'
    . ' "." in x.rules:1', 'bad name');

rules("\nrule 1000 a {\n    log;\n}\n", 'rule 1000 has no "match" in'
    . ' x.rules:2', 'no match');

rules("rule 1000 a {\n match path eq /;\n}\n",
    'rule 1000 has no action, allowed: log, block, score, event,'
    . ' allow, ban, limit in x.rules:1', 'no action');

like(do {
    $t->write_file('x.rules', "rule 1000 a { match path eq /; log; }\n"
        . "rule 1000 b { match path eq /; log; }\n");
    $t->conf_error("govsvc_rules x.rules;\n");
}, qr{^duplicate rule id 1000, first in \S*x\.rules:1 in x\.rules:2$},
    'duplicate id');

rules("rule 1000 a {\n match pth eq /;\n log;\n}\n",
    'unknown target "pth"; did you mean "path"? in x.rules:2', 'target');

rules("rule 1000 a { match zzzzzz eq /; log; }\n",
    'unknown target "zzzzzz"; allowed: method, path, segments, uri, query,'
    . ' args, arg_names, arg:NAME, headers, header_names, header:NAME,'
    . ' header:*, cookies, cookie:NAME, ip, geo.country, geo.province, asn,'
    . ' head, body, form, form_names, json, json:PATH, json_keys, xml,'
    . ' files.name, files.type, files.head, token.CLAIM, status, resp_header:NAME,'
    . ' resp_body, inputs, same in x.rules:1', 'no target near');

rules("rule 1000 a { match header:x=y eq /; log; }\n",
    'invalid header name in target "header:x=y", allowed: letters, digits,'
    . ' "-", "_" in x.rules:1', 'header name');

rules("rule 1000 a { match path prefx /; log; }\n",
    'unknown operator "prefx"; did you mean "prefix"? in x.rules:1',
    'operator');

rules("rule 1000 a { match path eq; log; }\n",
    'unexpected ";", expecting a value in x.rules:1', 'no value');

rules("rule 1000 a { match path eq \"\"; log; }\n",
    'empty value in "match" in x.rules:1', 'empty value');

rules("rule 1000 a { match path pcre a b; log; }\n",
    '"pcre" takes one pattern, 2 given: quote a pattern with spaces in'
    . ' x.rules:1', 'two patterns');

rules("rule 1000 a {\n match path pcre \"a(b\"; log; }\n",
    'invalid pattern "a(b": missing closing parenthesis at offset 3 in'
    . ' x.rules:2', 'pattern');

rules("rule 1000 a { match path flag null; log; }\n",
    'unknown flag "null"; did you mean "nul"? in x.rules:1', 'flag');

rules("rule 1000 a { match same lit a; log; }\n",
    '"match same" needs a "match" before it in x.rules:1', 'same alone');

rules("rule 1000 a { match path !lit a; match same lit b; log; }\n",
    '"match same" cannot follow a negated "match": no value stands for it in'
    . ' x.rules:1', 'same behind a negated match');

rules("rule 1000 a { match path lit a; block 200; }\n",
    'invalid status "200" in "block", allowed: 400-499 but 444 in x.rules:1',
    'status');

rules("rule 1000 a { match path lit a; block; block; }\n",
    '"block" is duplicate in rule 1000 in x.rules:1', 'block twice');

rules("rule 1000 a { match path lit a; block 403 404; }\n",
    'unexpected "404" behind the status, expecting ";" in x.rules:1',
    'two statuses');

rules("rule 1000 a { match path lit a; tag a; tag b c d e f g h i; log; }\n",
    'more than 8 tags in rule 1000 in x.rules:1', 'nine tags');

rules("rule 1000 a { match path lit a; tag \"a b\"; log; }\n",
    'invalid tag "a b", allowed: up to 64 letters, digits, "-", "_", "." in'
    . ' x.rules:1', 'tag');

rules("rule 1000 a { match path lit a; lg; }\n",
    'unknown word "lg" in rule 1000; did you mean "log"? in x.rules:1',
    'word in a rule');

rules("rules 1000 a { }\n",
    'unknown word "rules"; did you mean "rule"? in x.rules:1', 'first word');

rules("rule 1000 a { match path lit a; log; test \"/\"; }\n",
    'unexpected "/", expecting +"request" or -"request" in x.rules:1',
    'test without sign');

rules("rule 1000 a {\n match path lit \"a;\n log;\n}\n",
    'unexpected end of file, expecting " in x.rules:2', 'open quote');

rules("rule 1000 a {\n match path lit a;\n",
    'unexpected end of file, expecting "}" in x.rules:3', 'open block');

rules("rule 1000 a { match path lit \"a\"b; log; }\n",
    'unexpected "b" behind a quoted word in x.rules:1', 'after a quote');

rules("}\n", 'unexpected "}", expecting "rule", "correlate", "set", "pattern" or "include" in'
    . ' x.rules:1',
    'stray brace');

rules("rule 1000 a { match path lit " . ('x' x 4097) . "; log; }\n",
    'too long word: more than 4096 bytes in x.rules:1', 'long word');

like(do {
    $t->write_file('x.rules', "\ninclude none*.rules;\n");
    $t->conf_error("govsvc_rules x.rules;\n");
}, qr{no rule file fits "\S*none\*\.rules"}, 'include of nothing');

rules("include x.rules;\n",
    '"include" is nested more than 8 deep in x.rules:1', 'include of itself');

rules("rule 1000 a {\n" . join('', map { " match header:x-$_ lit a;\n" }
    1 .. 1000) . " log;\n}\n",
    'too many different targets, the limit is 1024 in x.rules:1000',
    'too many headers');

for my $case (
    [ 'match args view=depp lit a;',
      'unknown view "depp"; did you mean "deep"?' ],
    [ 'match args need abc lit a;',
      '"need abc" names no byte but letters and digits' ],
    [ 'match status in 4000 x; match ip in 10.0.0.300;',
      'invalid network "10.0.0.300", expecting an address or ADDRESS/BITS' ],
    [ 'match asn in 4134 AS4837;', 'invalid number "AS4837" of an autonomous'
      . ' system, allowed: 1-4294967295, without "AS"' ],
    [ 'match asn eq 0;', 'invalid number "0" of an autonomous'
      . ' system, allowed: 1-4294967295, without "AS"' ],
    [ 'match asn !ne 4294967296;', 'invalid number "4294967296" of an'
      . ' autonomous system, allowed: 1-4294967295, without "AS"' ],
    [ 'match geo.country in China;', 'invalid country "China", expecting two'
      . ' capital letters of ISO 3166-1' ],
    [ 'match path in $no;', 'unknown set "no": it must stand before the'
      . ' rule' ],
    [ 'match args length = 5;',
      'unknown comparison "="; did you mean "<"?' ],
    [ 'match status > x;', 'invalid number "x"' ],
    [ 'match args sqli x;', 'unexpected "x" behind "sqli", expecting ";"' ],
    [ 'match args lit a; score sqli 0;',
      'invalid points "0" in "score", allowed: 1-100' ],
    [ 'match args lit a; score sqli 1; score xss 1;',
      '"score" is duplicate in rule 1000' ],
    [ 'match args lit a; level 5;', 'invalid level "5", allowed: 1-4' ],
    [ 'match args lit a; severity hgh;',
      'unknown severity "hgh"; did you mean "high"?' ],
    [ 'match args lit a; phase response;',
      'rule 1000 does not look at the answer: phase request' ],
    [ 'match status eq 200; phase request;',
      'rule 1000 looks at the answer: phase response' ],
    [ 'match args lit a; ban usr 30m;',
      'unknown key "usr"; allowed: ip, network, subject, app, caller' ],
    [ 'match args lit a; ban arg:user 30m;',
      'unknown key "arg:user"; allowed: ip, network, subject, app, caller' ],
    [ 'match args lit a; limit usr 1r/s 30m;',
      'unknown key "usr"; allowed: ip, network, subject, app, caller' ],
    [ 'match args lit a; limit ip 1r/w 30m;',
      'invalid rate "1r/w", expecting "5r/s", "30r/m", "100r/h"' ],
    [ 'match args lit a; limit ip 1r/s 30m share;',
      'unexpected "share" behind the time, expecting ";"' ],
    [ 'match args lit a; limit ip 1r/s 30m;',
      'rule 1000 has "limit", but "govsvc_correlate" is missing in http' ],
    [ 'match args lit a; ban ip x;',
      'invalid time "x", expecting "30s", "5m", "24h"' ],
    [ 'match args lit a; ban ip 5m escalate=1;',
      'invalid option "escalate=1" of "ban"; did you mean "escalate=N"?' ],
) {
    rules("rule 1000 a { $case->[0] log; }\n", "$case->[1] in x.rules:1",
        $case->[1]);
}

rules("set a literal { x; }\nset a cidr { ::1; }\n",
    'duplicate set "a" in x.rules:2', 'set twice');
rules("set a names { x; }\n", 'unknown type "names" of a set; allowed:'
    . ' literal, cidr, country in x.rules:1', 'type of a set');
rules("set a literal { }\n", 'set "a" is empty in x.rules:1', 'empty set');

for my $case (
    [ "pattern a x;\npattern a y;\n", 'duplicate pattern "a" in x.rules:2' ],
    [ 'pattern a "";', 'pattern "a" is empty in x.rules:1' ],
    [ 'pattern a/b x;', 'invalid pattern name "a/b", allowed: up to 64 '
      . 'letters, digits, "-", "_", "." in x.rules:1' ],
    [ "\npattern a [x;", 'invalid pattern "[x": missing terminating ] for '
      . 'character class at offset 2 in x.rules:2' ],
    [ 'pattern a;', 'unexpected ";", expecting the pattern in x.rules:1' ],
    [ 'pattern a x y;', 'unexpected "y" behind the pattern, expecting ";" in '
      . 'x.rules:1' ],
    [ "pattern link x;\nrule 1000 a {\n match args pcre \$lnik; log;\n}",
      'unknown pattern "lnik": it must stand before the rule; did you mean '
      . '"link"? in x.rules:3' ],
    [ 'rule 1000 a { match args pcre $none; log; }',
      'unknown pattern "none": it must stand before the rule in x.rules:1' ],
) {
    rules(@$case, $case->[0]);
}

# a good include, relative to the folder of its file

mkdir $t->dir . '/sub';
$t->write_file('sub/a.rules', "include b.rules;\n");
$t->write_file('sub/b.rules', "rule 1001 b { match path lit b; log; }\n");

is($t->conf_error("govsvc_rules good.rules sub/a*.rules;\n"), '',
    'include beside');

# nginx -T shows the rules

$t->http_conf("govsvc_rules good.rules;\n");

my (undef, $shown) = $t->command($t->environment(), $Test::GovSvc::NGINX,
    '-T', '-p', $t->dir . '/', '-e', $t->dir . '/test.log',
    '-c', $t->dir . '/nginx.conf');

like($shown, qr/^# configuration file \S*good\.rules:\nrule 1000 trap/m,
    'shown by -T');

$t->done();
