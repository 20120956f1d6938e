#!/usr/bin/perl

# Copyright (C) govsvc authors

# Nonces of three nodes over a real Redis: a signed request passes once on all
# of them together, also when they get it at the same time; what Redis knows;
# and what becomes of requests that wait for it.

use strict;
use warnings;

use Digest::SHA qw/sha256_hex/;
use IO::Select;
use Test::More;
use Time::HiRes qw/sleep time/;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Redis;


my @nodes = map { Test::GovSvc->new(workers => 2)
    ->has('cli', 'redis-server') } 0 .. 2;
my $rs = Test::GovSvc::Redis->new($nodes[0]);
my $redis = $rs->server();
my $n = 0;

$nodes[0]->backend('up');
my $up = $nodes[0]->backend_port('up');

sub node {
    my ($t, $server) = @_;

    $t->write_file('app.secret', "gov-demo-token\n");
    chmod 0600, $t->dir() . '/app.secret';
    $t->write_file('apps.json', <<'EOF2');
{"apps": [
  {"id": "yss", "scheme": "x-tif", "secrets": ["file:app.secret"]},
  {"id": "ak-demo", "scheme": "x-bg-hmac", "secrets": ["file:app.secret"]}]}
EOF2

    $t->http_conf(<<"EOF2")->run();
    govsvc_redis main { $server; command_timeout 20s;
        connect_timeout 5s; breaker silence=20s; reconnect 20ms max=100ms; }

    govsvc_apps        apps.json;
    govsvc_nonce_zone  zone=nonces:1m redis=main;

    server {
        listen                  127.0.0.1:%%PORT_0%%;
        underscores_in_headers  on;
        add_header              X-Reason \$govsvc_reason always;
        add_header              X-App \$govsvc_app always;

        location / {
            govsvc_app  required;
            proxy_pass  http://127.0.0.1:$up;
        }

        location = /metrics {
            govsvc_app  off;
            govsvc_metrics;
        }
    }
EOF2
}

node($_, "server 127.0.0.1:$redis->{port}") for @nodes;

sub tif {
    my (%change) = @_;

    my $ts = $change{time} // int time();
    my $nonce = $change{nonce} // sprintf 'n%d-%d', $$, $n++;

    return { 'x-tif-paasid' => 'yss', 'x-tif-timestamp' => $ts,
        'x-tif-nonce' => $nonce, 'x-tif-signature' =>
        uc sha256_hex("${ts}gov-demo-token$nonce$ts") };
}

sub ask {
    my ($t, $headers, %more) = @_;

    my $r = $t->http_request($more{method} // 'GET', $more{uri} // '/',
        headers => $headers, %more);

    return $r->status . ' ' . ($r->header('x-reason') // '-');
}

sub sets {
    return $rs->cli($redis, 'INFO', 'commandstats')
        =~ /cmdstat_set:calls=(\d+)/ ? $1 : 0;
}

sub event {
    my ($t, $event) = @_;

    my ($value) = $t->http_get('/metrics')->body =~
        /^govsvc_nonces_total\{zone="nonces",event="$event"\} (\d+)$/m;

    return $value;
}


# once on all of them

my $first = tif();

is(ask($nodes[0], $first), '200 -', 'a request')
    or BAIL_OUT('nothing passes');
is(ask($nodes[1], $first), '401 REPLAY', 'again, on another node');
is(ask($nodes[2], $first), '401 REPLAY', 'and on the third');

my $sets = sets();
is(ask($nodes[$_], $first), '401 REPLAY', "known by now: $_") for 0 .. 2;
is(sets(), $sets, 'which asks Redis nothing');

is(ask($nodes[2], tif()), '200 -', 'another nonce');
like(ask($nodes[1], {%$first, 'x-tif-nonce' => 'other'}), qr/^401 APP_INVALID/,
    'a nonce that was not signed');
is(sets(), $sets + 1, 'is not looked for');

is(event($nodes[0], 'stored'), 1, 'counted: new');
is(event($nodes[0], 'replayed'), 1, 'counted: seen here');
is(event($nodes[1], 'elsewhere'), 1, 'counted: seen elsewhere');

# the signature where a scheme has no nonce

my ($code, $out) = $nodes[0]->govsvc('apps', 'sign', '--scheme', 'x-bg-hmac',
    '--app', 'ak-demo', '--secret-file', $nodes[0]->dir() . '/app.secret',
    '--method', 'POST', '--url', 'http://localhost/x');
is($code, 0, 'signed');
my $signed = { map { /^([^:]+): (.*)$/ ? ($1, $2) : () } split /\n/, $out };
my %post = (method => 'POST', uri => '/x', body => '');
is(ask($nodes[0], $signed, %post), '200 -', 'a signature');
is(ask($nodes[1], $signed, %post), '401 REPLAY', 'stands for a nonce');

# a body comes through, and the next request of a connection

my $body = 'b' x 60_000;
is(ask($nodes[1], tif(), method => 'POST', body => $body), '200 -',
    'a body');
is(length(($nodes[0]->backend_requests('up'))[-1]{body}), length $body,
    'which the platform has');

my $socket = $nodes[0]->connect();
is(ask($nodes[0], tif(), socket => $socket, keepalive => 1), '200 -',
    "kept alive $_") for 1 .. 5;
is(ask($nodes[0], tif(nonce => $first->{'x-tif-nonce'}), socket => $socket),
    '401 REPLAY', 'and refused');

# what Redis knows

my ($key) = split ' ', substr($rs->cli($redis, 'KEYS', 'gs:n:*'), 1), 2;
my $dump = $rs->cli($redis, 'KEYS', '*');
like($dump, qr/^\[(gs:n:[\w-]{22} ?)+\]$/, 'hashes');
unlike($dump, qr/yss|ak-demo|\Q$first->{'x-tif-nonce'}/, 'of nobody');
$key =~ s/\]$//;
like($rs->cli($redis, 'GET', $key), qr/^[0-9a-f]{32}$/, 'a number of its own');
my $ttl = $rs->cli($redis, 'PTTL', $key);
cmp_ok($ttl, '<=', 361_000, 'for twice the window');
cmp_ok($ttl, '>', 60_000, 'and no less');

# thousands of requests

my @many = map { tif() } 1 .. 3000;
my $start = time();
my %status;

for my $i (0 .. 2) {
    my @raw = map { $nodes[$i]->request('GET', '/', headers => $_) }
        @many[$i * 1000 .. $i * 1000 + 999];
    $status{$_->status}++ for $nodes[$i]->http_parallel(\@raw);
}

is(join(' ', %status), '200 3000', '3000 requests pass');
diag(sprintf '3000 requests in %.1f s', time() - $start);

%status = ();
my @raw = map { $nodes[1]->request('GET', '/', headers => $_) }
    @many[0 .. 499, 2000 .. 2499];
$status{$_->header('x-reason')}++ for $nodes[1]->http_parallel(\@raw);
is(join(' ', %status), 'REPLAY 1000', 'of which none passes again');

# all nodes at the same time

my %passed;

for my $round (1 .. 60) {
    my $h = tif();
    my @s = map { my $s = $_->connect();
        print $s $_->request('GET', '/', headers => $h); $s } @nodes, @nodes;
    my $got = join ' ', sort map {
        $nodes[0]->http('', socket => $_)->status // 'none' } @s;
    $passed{$got}++;
}

is(join(', ', keys %passed), '200 401 401 401 401 401',
    'of six at once one passes');

# a Redis that hangs: clients that go away, and a reload

my $h = tif();
my $t = $nodes[0];

$rs->pause($redis);
my @gone = map { my $s = $t->connect();
    print $s $t->request('GET', '/', headers => tif()); $s } 1 .. 20;
my $waits = $t->connect();
print $waits $t->request('GET', '/', headers => $h);
my $posts = $t->connect();
print $posts $t->request('POST', '/', headers => tif(), body => $body);

ok($t->wait_for(sub { event($t, 'stored') >= 1000 + 1 + 22 }),
    'requests are taken');
ok(!IO::Select->new($waits)->can_read(0.2), 'and wait');
close $_ for @gone;
ok($t->wait_for(sub {
    $t->read_file('access.log') =~ /(" 499 .*?){20}/s
}), 'those whose client is gone end at once');

is(ask($t, tif(), uri => '/metrics'), '200 -',
    'who asks for no nonce does not wait');

ok($t->reload(), 'reload');
$rs->resume($redis);

is($t->http('', socket => $waits)->status, 200, 'the old worker answers');
is($t->http('', socket => $posts)->status, 200, 'with a body as well');
is(ask($t, $h), '401 REPLAY', 'new workers know of it');
is(ask($nodes[1], $h), '401 REPLAY', 'other nodes too');
is(ask($t, tif()), '200 -', 'and all goes on');
is($rs->cli($redis, 'CLIENT', 'LIST') =~ /name=govsvc/ ? 1 : 0, 1,
    'over their own connections');

# a worker is killed while requests wait

$rs->pause($redis);
$waits = $t->connect();
$h = tif();
print $waits $t->request('GET', '/', headers => $h);
ok(!IO::Select->new($waits)->can_read(0.2), 'a request waits');
$t->expect_log(qr/exited on signal 9/);
my @old = $t->workers();
$t->kill_worker('KILL', $_) for @old;
is($t->http('', socket => $waits)->status // 0, 0, 'its worker is killed');
$rs->resume($redis);
ok($t->wait_for(sub { ask($t, tif()) eq '200 -' }), 'others serve');
is(ask($t, $h), '401 REPLAY', 'the nonce is used up');

# two nodes over a cluster: nonces lie on all its servers

my @cluster = $rs->cluster(3);
my @two = map { Test::GovSvc->new() } 0 .. 1;

node($_, "cluster 127.0.0.1:$cluster[0]{port}") for @two;

my @spread = map { tif() } 1 .. 60;
ok($two[0]->wait_for(sub { ask($two[0], tif()) eq '200 -' }, 30), 'a cluster');
ok($two[1]->wait_for(sub { ask($two[1], tif()) eq '200 -' }, 30), 'two nodes');
is(scalar(grep { ask($two[0], $_) eq '200 -' } @spread), 60, 'all pass');
is(scalar(grep { ask($two[1], $_) eq '401 REPLAY' } @spread), 60,
    'none passes again');
is(scalar(grep { $rs->cli($_, 'DBSIZE') > 5 } @cluster), 3,
    'each server has some');

$_->finish() for @two, @nodes;
done_testing();
