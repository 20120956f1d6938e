#!/usr/bin/perl

# Copyright (C) govsvc authors

# govsvc route explain and lint: words, JSON, exit codes.

use strict;
use warnings;
use utf8;

use JSON::PP;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new()->has('cli');
my $dir = $t->dir();

$t->write_file('p.json', <<'EOF_JSON');
{
  "platforms": [{"id": "gd", "region": "440000"}, {"id": "zj"}],
  "pools": [{"id": "gd-web", "platform": "gd", "host": "gd.gov.example"},
            {"id": "zj-web", "platform": "zj"}],
  "routes": [
    {"id": "gd-path", "platform": "gd", "pool": "gd-web",
     "match": {"paths": ["/44/"]}},
    {"id": "gd-deep", "platform": "gd", "pool": "gd-web",
     "match": {"paths": ["/44/a"]}},
    {"id": "gd-region", "platform": "gd", "pool": "gd-web",
     "match": {"regions": ["44****"]}},
    {"id": "zj-host", "platform": "zj", "pool": "zj-web",
     "match": {"hosts": ["*.zj.gov.example"]}},
    {"id": "zj-claim", "platform": "zj", "pool": "zj-web",
     "match": {"paths": ["/my"], "claims": {"user_region": ["33*"]}}},
    {"id": "zj-post", "platform": "zj", "pool": "zj-web",
     "match": {"paths": ["/44/a/b"], "methods": ["POST"]}},
    {"id": "zj-all", "platform": "zj", "pool": "zj-web",
     "match": {"paths": ["/"]}}
  ]
}
EOF_JSON

$t->write_file('bad.json', "{\n \"pool\": []}\n");
$t->write_file('r.json', '[{"code": "440100", "name": "广州市"}]');


sub ask { return $t->govsvc('route', 'explain', '--platforms',
    "$dir/p.json", @_) }

sub json {
    my ($code, $out) = ask('--json', @_);

    return ($code, decode_json($out));
}


my ($code, $out, $err) = ask('http://gw.example/44/a/b');
is($code, 0, 'routed: 0');
is($err, '', 'nothing on stderr');
like($out, qr/^route +gd-deep$/m, 'the winner');
like($out, qr/^pool +gd-web$/m, 'its pool');
like($out, qr/^host +gd\.gov\.example$/m, 'its host');
like($out, qr/^lost +gd-path: holds, but the winner names a longer path$/m,
    'a shorter path');
like($out, qr/^lost +zj-post: another method$/m, 'another method');
like($out, qr/^lost +zj-host: another host: \*\.zj\.gov\.example$/m,
    'another host');
like($out, qr/^lost +zj-all: a route for everything takes no request that/m,
    'a route for everything');

my $j;
($code, $j) = json('POST', 'http://gw.example/44/a/b');
is($code, 0, 'a method before the URL');
is($j->{route}, 'zj-post', 'counts');
is($j->{region}, '440000', 'region');
is($j->{region_source}, 'path', 'its source');
is($j->{lost}[0]{route}, 'gd-path',
    'the nearest misses first');
is(scalar @{$j->{lost}}, 6, 'all of them told');

($code, $j) = json('/x', '-H', 'Host: A.zj.gov.example:8080');
is("$code $j->{route}", '0 zj-host', 'the Host header, its port cut');
($code, $j) = json('http://b.zj.gov.example./x');
is("$code $j->{route}", '0 zj-host', 'a final dot');
($code, $j) = json('/x', '-H', 'X-Region: 4403');
is("$code $j->{route} $j->{region}", '0 gd-region 440300', 'a region');
is_deeply($j->{regions}, [qw/440300 440000/], 'and those above it');
($code, $j) = json('/x', '--geo', '44');
is("$code $j->{route} $j->{region_source}", '0 gd-region geo', 'geo');

($code, $j) = json('/my');
is("$code $j->{late}", '0 1', 'claims may change the answer');
($code, $j) = json('/my', '--claim', 'user_region=330100');
is("$code $j->{route}", '0 zj-claim', 'and do');

($code, $j) = json('/51/x');
is("$code $j->{reason}", '1 REGION_UNKNOWN', 'refused: 1');
($code, $j) = json('/portal/guide/1');
is("$code $j->{reason}", '1 ITEM_UNKNOWN', 'an item');
is(scalar @{$j->{lost}}, 0, 'no route was asked');
($code, $j) = json('/44/..;/x');
is("$code $j->{reason} $j->{at}", '1 URI_UNSAFE 4', 'an unsafe target');
($code, $out) = ask('/44/%2e%2e/x');
like($out, qr/^refused +URI_UNSAFE: a dot segment, at byte 4$/m, 'in words');

($code, $out) = ask('--regions', "$dir/r.json", '/440100/x');
like($out, qr/^region +440100 广州市, by path; falls back to 440000$/m,
    'names of the extension') if utf8::decode($out);

($code, $out, $err) = $t->govsvc('route', 'explain', '/x');
is($code, 2, 'no file: 2');
like($err, qr/--platforms FILE is needed/, 'told');
is((ask())[0], 2, 'no URL: 2');
is((ask('GET', '/x', 'y'))[0], 2, 'too much: 2');
is((ask('/x', '--geo', 'gd'))[0], 2, 'no region: 2');
($code, $out, $err) = $t->govsvc('route', 'explain', '--platforms',
    "$dir/none.json", '/x');
is($code, 3, 'unreadable: 3');
($code, $out, $err) = $t->govsvc('route', 'explain', '--platforms',
    "$dir/bad.json", '/x');
is($code, 3, 'a bad file: 3');

($code, $out) = $t->govsvc('route', 'lint', "$dir/p.json");
is($code, 0, 'lint: 0');
like($out, qr/^ok: 2 platforms, 2 pools, 0 instances, 7 routes, /, 'counts');
($code, $out) = $t->govsvc('route', 'lint', '--json', "$dir/p.json");
is(decode_json($out)->{routes}, 7, 'as JSON');
($code, $out, $err) = $t->govsvc('route', 'lint', "$dir/bad.json");
is($code, 1, 'a bad file: 1');
like($err, qr{bad\.json:2: unknown member "pool"; did you mean "pools"\? at /pool},
    'file, line, pointer');
is(($t->govsvc('route', 'lint', "$dir/none.json"))[0], 3, 'unreadable: 3');
is(($t->govsvc('route', 'lint'))[0], 2, 'nothing: 2');

$t->done();
