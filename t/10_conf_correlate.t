#!/usr/bin/perl

# Copyright (C) govsvc authors

# govsvc_correlate and the rules "correlate": each bad word is refused by
# nginx -t with its place.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new();

sub conf {
    my ($lines, $error, $name) = @_;

    my $got = $t->conf_error("$lines\n");
    $got =~ s/ in (?:bad|test)\.conf:\d+$//;

    ref $error ? like($got, $error, $name // $lines)
               : is($got, $error, $name // $lines);
}

sub rules {
    my ($lines, $error) = @_;

    $t->write_file('x.rules', "correlate 2000 a { $lines }\n");
    conf('govsvc_rules x.rules; govsvc_correlate zone=c:64k;', $error eq ''
        ? '' : "$error in x.rules:1", $lines);
}

conf('govsvc_correlate zone=c:64k;', '');
conf('govsvc_correlate zone=c:64k dry_run;', '');
conf('govsvc_correlate zone=c:1m ban=b; govsvc_ban_zone zone=b:1m;', '');
conf('govsvc_correlate ban=b;',
    '"govsvc_correlate" must have "zone=NAME:SIZE" parameter');
conf('govsvc_correlate zone=c:64k; govsvc_correlate zone=d:64k;',
    '"govsvc_correlate" directive is duplicate');
conf('govsvc_correlate zone=c:64k bans=b;',
    qr/"bans=".*did you mean "ban="/, 'a parameter');
conf('govsvc_correlate zone=c:32k;',
    qr/"32k".*64k/, 'too small');
conf('govsvc_correlate zone=c:64k ban=b;',
    qr/ban zone "b" is not defined/, 'no such zone of bans');

my $on = 'on request;';
my $key = 'key ip;';
my $count = 'count >= 5 in 1m;';
my $do = 'do log;';

rules("$on $key $count $do", '');
rules("$key $count $do", 'correlation 2000 has no "on"');
rules("$on $count $do", 'correlation 2000 has no "key"');
rules("$on $key $do",
    'correlation 2000 has none of count, distinct, sequence, rate');
rules("$on $key $count", 'correlation 2000 has no "do"');
rules("$on $key distinct ip >= 5 in 1m; $do", 'correlation 2000 has the key'
    . ' as what it counts: that is always one');
rules("$on key subject; $count $do shared 10 x4 log;",
    'correlation 2000 has "shared", but its key is not ip, network or caller');
rules("$on $key $count $do shared 10 x4 ban ip 1m;",
    'a shared exit cannot be banned');
rules("$on $key $count $do shared 1 x4 log;",
    'invalid number of callers "1", allowed: 2-1000');
rules("$on $key $count $do shared 10 4 log;",
    'invalid factor "4", allowed: x1-x100');
rules("$on $key $count $count $do",
    'correlation 2000 has more than one of count, distinct, sequence, rate');
rules("$on $key $key $count $do", '"key" is duplicate');
rules("$on key rule; $count $do", '"rule" can be counted, but is no key');
rules("$on $key distinct caller >= 5 in 1m; $do",
    '"caller" is a key, but cannot be counted');
rules("$on key caller; $count $do shared 10 x4 ban caller 1m;",
    'a shared exit cannot be banned');
rules("$on key ipp; $count $do", 'unknown key "ipp"; did you mean "ip"?');
rules("$on key acct; $count $do", 'unknown key "acct"; allowed: ip, network,'
    . ' subject, app, caller, site, path, object, item, province, area, asn,'
    . ' rule, segment:N, arg:NAME, header:NAME, cookie:NAME, json:PATH');
rules("$on key segment:0; $count $do", 'unknown key "segment:0"; did you'
    . ' mean "segment:N"?');
rules("$on $key count > 5 in 1m; $do", 'unexpected ">", expecting >=');
rules("$on $key count >= 1 in 1m; $do",
    'invalid number "1", allowed: 2-60000');
rules("$on $key distinct path >= 1001 in 1m; $do",
    'invalid number "1001", allowed: 2-1000');
rules("$on $key count >= 5 in 8d; $do", 'invalid time "8d", allowed: 1s-7d');
rules("$on $key rate > 1x min=5r/s; $do",
    'invalid factor "1x", allowed: 2x-1000x');
rules("$on $key rate > 3x; $do", 'unexpected ";", expecting "min=Nr/s" or'
    . ' "baseline=TIME"');
rules("$on $key rate > 3x baseline=1s min=5r/s; $do",
    'invalid baseline "1s", allowed: 1m-60m');
rules("$on $key rate > 3x min=0r/s; $do",
    'invalid rate "0", allowed: 1r/s-60000r/s');
rules("$on $key $count do lgo;", 'unknown action "lgo"; did you mean "log"?');
rules("$on $key $count do log at=4;", 'steps of correlation 2000 must rise:'
    . ' the first at the number given, each of the others at=N above it, at'
    . ' most 60000');
rules("$on $key $count do log; do log;", 'steps of correlation 2000 must'
    . ' rise: the first at the number given, each of the others at=N above'
    . ' it, at most 60000');
rules("$on $key $count $do do log at=6; do log at=7; do log at=8;",
    'more than 3 "do" in correlation 2000');
rules("$on $key $count do limit ip 5r/w 1m;",
    'invalid rate "5r/w", expecting "5r/s", "30r/m", "100r/h"');
rules("$on $key $count do ban ip 1m at=9 shar;",
    'invalid option "shar" of "ban"; did you mean "share"?');
rules("on staus 404; $key $count $do",
    'unknown word "staus" behind "on"; did you mean "status"?');
rules("on status 99; $key $count $do",
    'invalid status "99", allowed: 8 of 200-599');
rules("on score >= 0; $key $count $do",
    'invalid score "0", allowed: 1-10000');
rules("$on only paht /a; $key $count $do",
    'unknown word "paht" behind "only"; did you mean "path"?');
rules("$on $key $count $do block;", 'unknown word "block" in correlation 2000;'
    . ' allowed: on, only, key, count, distinct, sequence, rate, do, shared,'
    . ' level, severity, reason, category, tag, test');

$t->write_file('x.rules', "rule 2000 a { match path eq /; log; }\n"
    . "correlate 2000 b { $on $key $count $do }\n");
conf('govsvc_rules x.rules;',
    qr/duplicate id 2000 of correlation "b" in .*x\.rules:2/, 'ids of rules');
$t->write_file('x.rules', "correlate 2000 b { $on $key $count $do }\n" x 2);
conf('govsvc_rules x.rules;',
    qr/duplicate id 2000 of correlation "b" in .*x\.rules:2/, 'ids of others');
$t->write_file('x.rules', join '', map {
    "correlate 20$_ b { $on $key $count $do }\n" } 10 .. 74);
conf('govsvc_rules x.rules;',
    qr/more than 64 correlations in .*x\.rules:65/, 'too many');
$t->write_file('x.rules', join '', map {
    "correlate 20$_ b { $on key arg:a$_; $count $do }\n" } 10 .. 26);
conf('govsvc_rules x.rules; govsvc_correlate zone=c:64k;',
    qr/correlations look at more than 16 fields/, 'too many fields');

$t->done();
