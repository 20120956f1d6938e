#!/usr/bin/perl

# Copyright (C) govsvc authors

# govsvc rules lint, tests of correlations over simulated time, and what a
# check costs.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new();
my $govsvc = "$FindBin::Bin/../build/govsvc";
my $dir = $t->dir;

sub run {
    my ($verb, $text, @more) = @_;

    $t->write_file('x.rules', $text);

    my ($code, $out, $err) = $t->command('env', 'LANG=C', $govsvc, 'rules',
        $verb, "$dir/x.rules", @more);
    s/\Q$dir\E\///g for $out, $err;

    return ($code, $out, $err);
}

my $body = 'category c; test +"/a" -"/b";';
my ($code, $out, $err);

for my $case (
    [ "rule 1000 a { match path eq /a; log; $body }", '' ],
    [ "pattern p '^..+'; \nrule 1000 a { match path pcre \$p; log; $body }",
      '2: no literal in the pattern: it is tried on every value; a line "lit" '
      . 'before and "match same pcre" make it cheap' ],
    [ "rule 1000 a { match path eq /a; log; $body }\npattern p ab;",
      '2: pattern "p" is not used' ],
    [ "pattern p abc;\nrule 1000 a { match path eq /a; match path !pcre \$p;"
      . " log; $body }", '' ],
    [ 'rule 1000 a { match path eq /a; log; category c; test +"/a"; }',
      '1: no test of what must pass: -"..."' ],
    [ 'rule 1000 a { match path eq /a; log; category c; }',
      '1: no test of what must hit: +"..."' ],
    [ 'rule 1000 a { match path eq /a; log; test +"/a" -"/b"; }',
      '1: no "category": its events cannot be reported' ],
    [ "rule 1000 a { match path eq /a;\n match path view=deep prefix /A;"
      . " log; $body }",
      '2: "/A" is never met: the view is in lower case' ],
    [ "rule 1000 a { match path view=deep,url eq /A; log; $body }", '' ],
    [ "rule 1000 a { match args lit UNION 'union select'; log; $body }",
      '1: "union select" is never asked for: another text of the line is'
      . ' part of it' ],
    [ "rule 1000 a { match args lit union then 'union select'; log; $body }",
      '' ],
    [ "rule 1000 a { match args pcre \"(a+)+b\"; log; $body }",
      qr/^1: a repeat without end around / ],
    [ "correlate 1000 a { on request; key ip; count >= 5 in 1m;"
      . ' do ban ip 1m; category c; test +"9*1s / 200" -"/ 200"; }',
      '1: bans "ip" without "shared": whoever shares the exit is banned too' ],
) {
    ($code, $out) = run('lint', $case->[0]);

    if ($case->[1] eq '') {
        is("$code $out", "0 0 remarks\n", "nothing in $case->[0]");
        next;
    }

    my ($first) = $out =~ /^x\.rules:(.*)/;

    is($code, 1, "a remark about $case->[0]");
    ref $case->[1] ? like($first, $case->[1], 'the remark')
                   : is($first, $case->[1], 'the remark');
}

($code, $out) = run('lint', 'rule 1000 a { match path eq /a; log; '
    . 'category c; test +"/a"; }', '--json');
like($out, qr/^\{"file":"x.rules","line":1,"remark":"no test of/, 'as JSON');


# tests of correlations

sub correlate {
    my ($lines, $test) = @_;

    ($code, $out, $err) = run('test', "correlate 1000 a { $lines; do log; "
        . "test $test; }");

    return "$code $out";
}

my $count = 'on status 404; key ip; count >= 5 in 1m';

is(correlate($count, '+"5*1s /# 404" -"4*1s /# 404"'),
    "0 1 rules, 2 tests, 0 failed\n", 'both as they should');
like(correlate($count, '+"4*1s /# 404" -"/ 404"'),
    qr/^1 x.rules:1: 1000 a: must fire, does not: \+"4\*1s/, 'does not fire');
like(correlate($count, '+"5*1s / 404" -"5*1s / 404"'),
    qr/^1 x.rules:1: 1000 a: must not fire, but does: -"5\*1s/, 'fires');
is(correlate($count, '+"5*1s / 404" -"5*1s / 404 ip=192.0.2.#"'),
    "0 1 rules, 2 tests, 0 failed\n", 'fields with a number');
is(correlate($count, '+"3*1s / 404 | 2*1s / 404" -"3*1s / 404 | 2*70s / 404"'),
    "0 1 rules, 2 tests, 0 failed\n", 'steps, one after the other');
like(correlate($count, '+"5*1s / 404" -"5x1s / 404"'),
    qr/no address in the step "5x1s \/ 404"/, 'no repetition');
like(correlate($count, '+"5*1s / 404" -"5*x / 404"'),
    qr/invalid repetition "5\*x", expecting "20\*3s"/, 'a bad time');
like(correlate($count, '+"5*1s / 404" -"/ GET"'),
    qr/no status in the step "\/ GET"/, 'no status');
like(correlate($count, '+"5*1s / 404" -"/ 404 ip"'),
    qr/invalid field "ip", expecting "NAME=VALUE"/, 'a bad field');
correlate($count, '+"5*1s / 404"');
like($err, qr/x.rules:1: warning: the rule needs tests of both kinds/,
    'tests of one kind');


# cost

$t->write_file('x.rules', "rule 1000 a { match path eq /a; log; $body }");
($code, $out) = $t->command('env', 'LANG=C', $govsvc, 'rules', 'explain',
    "$dir/x.rules", '--request', 'http://a/a', '--cost');
like($out, qr{\nverdict:\ log,\ rule\ 1000\ncost:\ \d+\.\d\ us\n
    \s+rule\s[^\n]+\n\s+1000\s[^\n]+\sa\n\z}x, 'what it costs');
($code, $out) = $t->command('env', 'LANG=C', $govsvc, 'rules', 'explain',
    "$dir/x.rules", '--request', 'http://a/a', '--cost', '--json');
like($out, qr/"hits":1,"cost_ns":\d+\}\n\{"rule":1000,[^\n]*\}\n\z/, 'as JSON');

$t->done();
