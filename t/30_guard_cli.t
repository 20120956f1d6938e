#!/usr/bin/perl
#
# Copyright (C) govsvc authors
#
# govsvc rules test, govsvc rules explain: what they say and their exit codes.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new(no_module => 1)->has('cli');

my $dir = $t->dir;
my $rules = "$FindBin::Bin/../lua-free-rules";
my @own = sort glob "$rules/*.rules";

$t->write_file('good.rules', <<'EOR');
rule 1000 trap {
    match path lit "/.git/";
    tag   recon;
    block 404;
    test  +"/.git/x" -"/git/";
}
rule 1001 note { match header:user-agent lit tool; log; test +"/\nUser-Agent: Tool" -"/"; }
EOR

$t->write_file('wrong.rules', <<'EOR');
rule 2000 a {
    match args lit x;
    block;
    test  +"/?a=y"
          -"/?a=x";
}
EOR

$t->write_file('lone.rules',
    "rule 2001 a { match args pcre \"^.\$\"; log; test +\"/?a=1\"; }\n");

$t->write_file('bad.rules', "\nrule 2002 a { match pth lit x; }\n");
$t->write_file('top.rules', "include go*.rules;\n");
$t->write_file('request', "POST /.git/?a=b HTTP/1.1\r\nHost: x\r\n"
    . "User-Agent: tool\r\n\r\nbody");

$t->write_file('odd', "/.git/\x1b[2J\xff");


sub rules {
    my (@args) = @_;

    local $ENV{LANG} = 'C';
    local $ENV{LC_ALL} = 'C';

    my ($code, $out, $err) = $t->govsvc('rules', @args);
    s/\Q$dir\E\///g for $out, $err;

    return ($code, $out, $err);
}


# what is known of the client

$t->write_file('about.rules', <<'EOR');
rule 3000 about {
    match asn in 4134 4837;
    match path prefix /admin;
    block;
    test  +"/admin\n@asn: 4837" +"POST /admin HTTP/1.1\r\n@asn: 4134\r\n\r\nx"
          -"/admin\n@asn: 4135" -"/admin" -"/\n@asn: 4134"
          -"/admin\nasn: 4134" -"/admin\n\n@asn: 4134";
}
rule 3001 place {
    match geo.country in LA; match geo.province !exists; match ip in 10.0.0.0/8;
    block;
    test  +"/\n@geo.country: LA\n@ip: 10.1.2.3"
          -"/\n@geo.country: LA\n@ip: 10.1.2.3\n@geo.province: 440000" -"/";
}
rule 3002 seen { match header_names prefix "@"; log; test -"/\n@asn: 4134"; }
EOR

is_deeply([ (rules('test', "$dir/about.rules"))[0, 1] ],
    [ 0, "3 rules, 11 tests, 0 failed\n" ], 'tests that tell of the client');

for my $case ([ '@asn: AS4134', 'invalid number "AS4134" of "@asn", allowed:'
                . ' 1-4294967295' ],
              [ '@asn: 0', 'invalid number "0" of "@asn", allowed:'
                . ' 1-4294967295' ],
              [ '@ans: 4134',
                'unknown line "@ans" of a request; did you mean "@asn"?' ])
{
    $t->write_file('about', "/admin\n$case->[0]\n");
    is_deeply([ rules('explain', "$dir/about.rules", '--request',
        "$dir/about") ], [ 3, '', "govsvc: about: $case->[1]\n" ],
        $case->[0]);
}

$t->write_file('about', "GET /admin HTTP/1.1\r\nHost: x\r\n\r\n");

for my $from ('http://x/admin', "$dir/about") {
    my @ask = ('explain', "$dir/about.rules", '--request', $from);

    is((rules(@ask))[0], 0, 'explained without a number');
    is((rules(@ask, '--asn', 4135))[0], 0, 'with another number');
    like((rules(@ask, '--asn', 4134))[1], qr/asn url "4134"/, 'with it');
    is((rules(@ask, '--asn', 4134))[0], 1, 'refused');
    like((rules(@ask, '--asn', 'x'))[2], qr/invalid number "x" of "\@asn"/,
        'with none');
}

# test

is_deeply([ rules('test', "$dir/good.rules") ],
    [ 0, "2 rules, 4 tests, 0 failed\n", '' ], 'all tests pass');

is_deeply([ rules('test', "$dir/top.rules") ],
    [ 0, "2 rules, 4 tests, 0 failed\n", '' ], 'include');

is_deeply([ rules('test', "$dir/wrong.rules") ], [ 1,
    "wrong.rules:4: 2000 a: must hit, does not: +\"/?a=y\"\n"
    . "wrong.rules:5: 2000 a: must not hit, but does: -\"/?a=x\"\n"
    . "1 rules, 2 tests, 2 failed\n", '' ], 'tests fail');

my ($code, $out, $err) = rules('test', '--json', "$dir/wrong.rules");
is($code, 1, 'JSON: exit code');
is_deeply([ map { JSON::PP->new->decode($_) } split /\n/, $out ], [
    { file => 'wrong.rules', line => 4, id => 2000, name => 'a',
      expected => 'hit', request => '/?a=y', error => 'must hit, does not' },
    { file => 'wrong.rules', line => 5, id => 2000, name => 'a',
      expected => 'pass', request => '/?a=x',
      error => 'must not hit, but does' },
    { rules => 1, tests => 2, failed => 2, warnings => 0 } ], 'JSON: lines');

($code, $out, $err) = rules('test', "$dir/lone.rules");
is($code, 0, 'warnings do not fail');
like($err, qr/lone\.rules:1: warning: no literal in the pattern/,
    'a pattern without a literal');
like($err, qr/lone\.rules:1: warning: the rule needs tests of both kinds/,
    'a rule with one kind of test');

is_deeply([ rules('test', "$dir/bad.rules") ], [ 1, '',
    "govsvc: bad.rules:2: unknown target \"pth\"; did you mean \"path\"?\n" ],
    'a rule that cannot be read');

($code, $out, $err) = rules('test', "$dir/none.rules");
is($code, 3, 'no such file');
($code, $out, $err) = rules('test');
is($code, 2, 'no file given');

# explain

is_deeply([ rules('explain', "$dir/good.rules", '--request',
    'http://portal.example/.git/x?a=1') ], [ 1,
    "block 1000 trap [recon] good.rules:1\n      2: path url \"/.git/x\"\n"
    . "verdict: block, rule 1000\n", '' ], 'a URL');

is_deeply([ rules('explain', "$dir/good.rules", '--request',
    "$dir/request") ], [ 1,
    "block 1000 trap [recon] good.rules:1\n      2: path url \"/.git/\"\n"
    . "log   1001 note [] good.rules:7\n      7: header:User-Agent url \"tool\"\n"
    . "verdict: block, rule 1000\n", '' ], 'a request in a file');

is_deeply([ rules('explain', "$dir/good.rules", '--request',
    'https://portal.example') ], [ 0, "verdict: pass\n", '' ], 'it passes');

($code, $out) = rules('explain', "$dir/good.rules", '--request', "$dir/odd");
unlike($out, qr/[\x1b\xff]/, 'odd bytes are escaped');

($code, $out) = rules('explain', '--json', "$dir/good.rules", '--request',
    'http://x/.git/');
is(JSON::PP->new->decode((split /\n/, $out)[1])->{verdict}, 'block', 'JSON');

# what each rule takes: two views of one value, a pattern only for one rule

$t->write_file('cost.rules', <<'EOR');
rule 1000 lits { match args view=raw,sqlc lit union; log; }
rule 1001 dear { match args lit union; match same pcre "union.*[ls]"; log; }
rule 1002 idle { match args pcre "absent[0-9]"; log; }
EOR

($code, $out) = rules('explain', '--json', '--cost', "$dir/cost.rules",
    '--request', 'http://x/?a=select/**/union/x&b=union+select');
my %cost = map { $_->{rule} => $_ } grep { exists $_->{asked} }
    map { JSON::PP->new->decode($_) } split /\n/, $out;

is(join(' ', sort keys %cost), '1000 1001', 'rules that were asked anything');
is($cost{1000}{patterns}, 0, 'one has no pattern');
is($cost{1001}{asked}, 2, 'one is asked about both values');
is($cost{1001}{patterns}, 2, 'with its pattern');
is($cost{1001}{held}, 1, 'which is in one of them');
cmp_ok($cost{1001}{cost_ns}, '>', 0, 'in a time');

($code, $out) = rules('explain', '--cost', "$dir/cost.rules",
    '--request', 'http://x/?a=union+select');
like($out, qr/^cost: [\d.]+ us\n    rule  asked .*\n +100\d +1 /m, 'in lines');

($code) = rules('explain', "$dir/good.rules");
is($code, 2, 'no request');
($code) = rules('explain', "$dir/good.rules", '--request', "$dir/none");
is($code, 3, 'no such request');

# the rules that we ship

($code, $out, $err) = rules('test', @own);
is($code, 0, 'our rules pass their tests');
is($err, '', 'our rules have literals and tests of both kinds');

$t->done();
