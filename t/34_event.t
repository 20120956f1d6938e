#!/usr/bin/perl
#
# Copyright (C) govsvc authors
#
# Security events: one line in the chain for each request with hits, masked,
# provable, with the marks of critical systems; counted exactly in a flood.

use strict;
use warnings;

use Test::More;
use JSON::PP;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new()->has('cli');
my $port = $t->backend('gd');

$t->write_file('a.rules', <<'EOR');
rule 2001 union  { match args lit union; match same pcre "(?i)union\s+select";
                   severity high; score sqli 5; }
rule 2002 trap   { match path lit "/.git/"; tag recon; severity medium;
                   block; }
rule 2003 quiet  { match args lit watch; log; nolog; }
rule 2004 cookie { match cookies lit "<script"; severity high; score xss 5; }
rule 2005 seen   { match args lit look; log; severity low; tag recon; }

correlate 200001 probing {
    on status 404;
    key ip;
    distinct path >= 4 in 10m;
    do log;
    severity high;
    tag recon;
}
EOR

$t->http_conf(<<"EOF")->run();
govsvc_node            n1;
govsvc_rules           a.rules;
govsvc_correlate       zone=corr:1m;
govsvc_audit_store     dir=audit flush=5ms;
govsvc_audit_coalesce  rate=10 window=60s;
govsvc_audit           meta;

server {
    listen        127.0.0.1:%%PORT_0%%;
    govsvc_guard  on;

    location / { proxy_pass http://127.0.0.1:$port; }

    location /detect/ { govsvc_guard detect; proxy_pass http://127.0.0.1:$port; }
    location /pay/ { govsvc_critical payment; proxy_pass http://127.0.0.1:$port; }
    location /pay/open/ { govsvc_critical off; proxy_pass http://127.0.0.1:$port; }
    location /some/ {
        govsvc_critical license routes=gd-lic-*,x;
        proxy_pass http://127.0.0.1:$port;
    }
    location /none/ { root %%DIR%%; }
    location /off/ { govsvc_audit off; proxy_pass http://127.0.0.1:$port; }
}
EOF

sub get {
    my ($uri, %headers) = @_;

    return $t->http($t->request('GET', $uri, headers => \%headers))->status;
}

sub events {
    my ($n) = @_;

    my @e;

    $t->wait_for(sub {
        @e = map { decode_json($_) } grep { /"ty":"sec"/ } lines();
        return @e >= $n;
    }, 20);

    return @e;
}

sub lines { map { split /\n/, $t->read_file($_) } $t->audit_files() }

my $id = '11010519491231002X';

is(get("/list?id=1+union+select+$id"), 403, 'blocked');
is(get('/detect/?id=1+union+select+a'), 200, 'detected');
is(get('/.git/config'), 403, 'a trap');
is(get('/?a=watch'), 200, 'a rule that is quiet');
is(get('/?a=look'), 200, 'a rule that only logs');
is(get('/', Cookie => 'sid=topsecret<script'), 403, 'a bad cookie');
is(get("/pay/13712349050?id=1+union+select"), 403, 'a critical system');
is(get('/pay/open/?id=1+union+select'), 403, 'not all of it');
is(get('/some/?id=1+union+select'), 403, 'another route');
is(get('/off/?id=1+union+select'), 403, 'where no requests are recorded');
is(get('/plain'), 200, 'nothing to tell');

my @e = events(9);

is(scalar @e, 9, 'an event for each request with hits');

my ($e) = grep { $_->{dst}{path} eq '/list' } @e;

is($e->{attack}, 'sqli', 'the kind');
is($e->{cat}, "\x{7f51}\x{7edc}\x{653b}\x{51fb}", 'its category');
is($e->{sev}, 3, 'the grade');
is($e->{src}{ip}, '127.0.0.1', 'from where');
is($e->{dst}{m}, 'GET', 'how');
is($e->{act}{res}, 'block', 'what was done');
is($e->{act}{code}, 'RULE_BLOCKED', 'and why');
is($e->{rules}[0]{id}, 2001, 'the rule');
is($e->{rules}[0]{at}, 'arg:id', 'where it hit');
like($e->{rules}[0]{ev}, qr/union select/, 'evidence');

my ($http) = grep { $_->{ty} eq 'http' && $_->{req} eq $e->{req} }
    map { decode_json($_) } lines();

is($http->{http}{path}, '/list', 'the record of the request has its number');

my %by = map { $_->{dst}{path} => $_ } @e;

is($by{'/detect/'}{act}{res}, 'detect', 'detected');
is($by{'/.git/config'}{attack}, 'recon', 'the kind by the tag');
is((grep { $_->{sev} == 1 && $_->{act}{res} eq 'log' } @e), 1, 'logged only');
is($by{'/pay/open/'}{crit}, undef, 'off is off');
is($by{'/some/'}{crit}, undef, 'only those routes');
is($by{'/off/'}{sev}, 3, 'an event without a record of the request');

my ($pay) = grep { ($_->{crit} // '') eq 'payment' } @e;

is($pay->{sev}, 4, 'a grade more');
is($pay->{dst}{path}, '/pay/137****9050', 'masked in the path');

my $all = join "\n", grep { /"ty":"sec"/ } lines();

unlike($all, qr/11010519491231002|13712349050|topsecret/, 'nothing personal');

my ($code, $out) = $t->govsvc('audit', 'verify', $t->dir() . '/audit');
is($code, 0, 'the store verifies') or diag($out);

($code, $out) = $t->govsvc('audit', 'query', $t->dir() . '/audit',
    '--request', $e->{req});
like($out, qr/^\S+ sec 127/m, 'the event is found by its request');

# what many requests tell together; two paths may look like one

get("/none/$_") for 1 .. 12;

my ($many) = grep { $_->{rules}[0]{id} == 200001 } events(10);

is($many->{attack}, 'recon', 'an event of correlation');
is($many->{sev}, 3, 'with the grade of its rule');
is($many->{act}{res}, 'log', 'what was done');
is($many->{act}{key}, '127.0.0.1', 'about whom');
cmp_ok($many->{n}, '>=', 4, 'how many');

# a flood: lines and counts together are exact

$t->http_parallel([ map { $t->request('GET', "/f?id=1+union+select+$_") }
    1 .. 300 ], concurrency => 8);

# a killed process leaves its counts to the next

$t->kill_worker('KILL');

my (@flood, $n);

$t->wait_for(sub {
    @flood = grep { /"ty":"sec"/ && m{"path":"/f"} } lines();
    $n = 0;
    $n += $_->{n} for grep { ($_->{attack} // '') eq 'sqli' && $_->{sev} == 3 }
        map { decode_json($_) } grep { /"ty":"deny.agg"/ } lines();
    return @flood + $n == 300;
}, 20);

is(scalar(@flood) + $n, 300, 'events and counted ones');
cmp_ok(scalar(@flood), '<=', 10, 'few of them have lines');

$t->done();
