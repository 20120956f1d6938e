#!/usr/bin/perl

# Copyright (C) govsvc authors

# Nonces of all nodes when Redis is gone, slow, full, read only, forbids the
# command or lies: each node does what on_error= says.  After a loss at Redis,
# by a restart or a failover, no replay passes unseen.

use strict;
use warnings;

use Digest::SHA qw/sha256_hex/;
use Test::More;
use Time::HiRes qw/sleep time/;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Redis;


my $base = Test::GovSvc->new()->has('redis-server');
my $rs = Test::GovSvc::Redis->new($base);
my $n = 0;

# the user of conf/redis is enough

my ($user) = $base->read_file("$Test::GovSvc::TOP/conf/redis/users.acl")
    =~ /^user (nonces off .*)$/m;
$user =~ s/off resetpass/on >secret/ or die;

my $redis = $rs->server(user => $user);
my $primary = $rs->server();
my $replica = $rs->replica($primary);
my $sentinel = $rs->sentinel($primary, 'gov');

# What the server that lies does with the n-th key, at each try of it.

my @lies = (
    [ undef, 'own' ],
    [ undef, "\$32\r\n" . 'a' x 32 . "\r\n" ],
    [ undef, undef ],
    [ "-ERR syntax error\r\n" ],
    [ "+OK\r\n" ],
    [ ":1\r\n" ],
    [ "\$3\r\nabc\r\n" ],
    [ "\$-1\r\n" ],
);

my (%key, %try, $i);

my $liar = $rs->fake(sub {
    my ($c, $bytes) = @_;

    return Test::GovSvc::Redis::welcome() if $bytes =~ /ROLE/;
    return "*2\r\n\$1\r\n1\r\n\$1\r\n0\r\n" if $bytes =~ /TIME/;

    my ($name, $own) = $bytes
        =~ /SET\r\n\$\d+\r\n(gs:n:\S+)\r\n\$32\r\n(\w{32})\r\n\$2\r\nNX/
        or return "+PONG\r\n";
    $key{$name} = $i++ unless defined $key{$name};
    my $say = $lies[$key{$name}][$try{$name}++];

    return defined $say && $say eq 'own' ? "\$32\r\n$own\r\n" : $say;
});

sub node {
    my ($server, $zone, $t) = @_;

    $t //= Test::GovSvc->new();

    for my $name ('app.secret', 'redis.pw') {
        $t->write_file($name,
            $name eq 'redis.pw' ? "secret\n" : "gov-demo-token\n");
        chmod 0600, $t->dir() . "/$name";
    }

    $t->write_file('apps.json', '{"apps": [{"id": "yss", "scheme": "x-tif",'
        . ' "secrets": ["file:app.secret"], "window": "600s"}]}');

    $t->http_conf(<<"EOF2")->run();
    govsvc_redis main { $server connect_timeout 5s; breaker errors=3 silence=2s;
        reconnect 20ms max=100ms; }

    govsvc_apps        apps.json;
    govsvc_nonce_zone  zone=nonces:1m redis=main $zone;

    server {
        listen      127.0.0.1:%%PORT_0%%;
        add_header  X-Reason \$govsvc_reason always;

        location / {
            govsvc_app  required;
            empty_gif;
        }

        location = /metrics {
            govsvc_metrics;
        }
    }
EOF2

    return $t;
}

my $server = "server 127.0.0.1:$redis->{port}; user nonces;"
    . ' password_file redis.pw; command_timeout 1s;';
my $gov = "sentinel gov 127.0.0.1:$sentinel->{port}; command_timeout 2s;";

my @closed = (node($server, 'skew=60s', $base), node($server, 'skew=60s'));
my @local = map { node($server, 'on_error=local skew=60s') } 1 .. 2;
my @gov = map { node($gov, 'skew=60s') } 1 .. 2;
my $lied = node("server 127.0.0.1:$liar->{port}; command_timeout 2s;", '');

sub tif {
    my ($ahead) = @_;

    my $ts = int(time()) + ($ahead // 0);
    my $nonce = sprintf 'n%d-%d', $$, $n++;

    return { 'x-tif-paasid' => 'yss', 'x-tif-timestamp' => $ts,
        'x-tif-nonce' => $nonce, 'x-tif-signature' =>
        uc sha256_hex("${ts}gov-demo-token$nonce$ts") };
}

# What is signed with a clock far ahead is behind every fence of this test.

sub later { return tif(300) }

sub ask {
    my ($t, $headers) = @_;

    my $r = $t->http_get('/', headers => $headers);

    return $r->status . ' ' . ($r->header('x-reason') // '-');
}

sub event {
    my ($t, $event) = @_;

    my ($value) = $t->http_get('/metrics')->body =~
        /^govsvc_nonces_total\{zone="nonces",event="$event"\} (\d+)$/m;

    return $value;
}

sub lost {
    my ($t) = @_;

    my ($value) = $t->http_get('/metrics')->body =~
        /^govsvc_nonces_lost_timestamp_seconds\{zone="nonces"\} (\d+)$/m;

    return $value;
}

my $unavailable = '503 AUTH_UNAVAILABLE';

sub outage {
    my ($name) = @_;

    ok($base->wait_for(sub { ask($closed[0], later()) eq $unavailable }, 20),
        "$name: closed refuses");

    my $r = $closed[1]->http_get('/', headers => later());
    is($r->status, 503, "$name: on each node");
    is($r->header('retry-after'), 1, "$name: for a moment");

    ok($base->wait_for(sub {
        event($local[0], 'alone') > 0 || ask($local[0], later()) ne '200 -'
    }, 20), "$name: local");

    my $h = later();
    is(ask($local[0], $h), '200 -', "$name: local passes");
    is(ask($local[0], $h), '401 REPLAY', "$name: once");
}

sub healed {
    my ($name) = @_;

    for my $t (@closed, @local) {
        ok($base->wait_for(sub {
            my $before = event($t, 'alone') + event($t, 'refused');
            ask($t, later()) eq '200 -'
                && $before == event($t, 'alone') + event($t, 'refused');
        }, 30), "$name: over");
    }

    my $h = later();
    is(ask($closed[0], $h), '200 -', "$name: a request");
    is(ask($_, $h), '401 REPLAY', "$name: not again") for $closed[1], @local;
}


healed('at first');

# refused commands: nothing is lost

my @admin = ($redis);
my $early = tif();
is(ask($closed[0], $early), '200 -', 'one before all that');

$rs->cli(@admin, 'CONFIG', 'SET', 'maxmemory', 1);
outage('full');
$rs->cli(@admin, 'CONFIG', 'SET', 'maxmemory', 0);
healed('full');

$rs->cli(@admin, 'ACL', 'SETUSER', 'nonces', '-set');
outage('forbidden');
$rs->cli(@admin, 'ACL', 'SETUSER', 'nonces', '+set');
healed('forbidden');
like($closed[0]->error_log(), qr/nonce: redis "main" gives no answer \(noperm\)/,
    'the log tells why');

$rs->cli(@admin, 'ACL', 'SETUSER', 'nonces', 'resetpass', '>other');
$rs->cli(@admin, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
outage('wrong password');
$rs->cli(@admin, 'ACL', 'SETUSER', 'nonces', 'resetpass', '>secret');
healed('wrong password');

$rs->cli(@admin, 'REPLICAOF', '127.0.0.1', $base->take_port());
outage('read only');
$rs->cli(@admin, 'REPLICAOF', 'NO', 'ONE');
healed('read only');

$rs->pause($redis);
outage('hangs');
my $h = later();
is(ask($local[1], $h), '200 -', 'local takes it');
$rs->resume($redis);
healed('hangs');

is(ask($closed[1], $early), '401 REPLAY', 'nothing was lost so far');
like($closed[0]->error_log(), qr/refused, reason: nonce_store_gone/, 'logged');
unlike($closed[0]->error_log(), qr/nonce_store_lost/, 'and no fence');
is(event($closed[1], 'fenced'), 0, 'counted so');

# it loses everything

my $old = tif();
is(ask($closed[0], $old), '200 -', 'taken by a node');
is(ask($local[0], my $loose = tif()), '200 -', 'and by another');

$rs->kill9($redis);
outage('killed');
$rs->start($redis);
healed('killed');

is($rs->cli($redis, 'DBSIZE') > 0 ? 1 : 0, 1, 'Redis serves');
my $r = $closed[1]->http_get('/', headers => $old);
is($r->status . ' ' . $r->header('x-reason'), $unavailable,
    'what was signed before does not pass elsewhere');
cmp_ok($r->header('retry-after'), '>', 1, 'and is told to wait');
cmp_ok($r->header('retry-after'), '<=', 61, 'for the skew');
is(ask($closed[0], $old), '401 REPLAY', 'here it is a replay');
is(ask($closed[1], tif()), $unavailable, 'who cannot be told from it waits');
like($closed[1]->error_log(), qr/refused, reason: nonce_store_lost/, 'logged');
cmp_ok(event($closed[1], 'fenced'), '>=', 2, 'counted');
cmp_ok(abs(lost($closed[1]) - time()), '<', 60, 'with its time');
is(ask($local[1], $loose), '200 -', 'local takes that risk');
cmp_ok(event($local[1], 'fenced'), '>=', 1, 'and counts it');

# those who come later know

is(ask($closed[0], $old = later()), '200 -', 'a request');
ok($closed[1]->reload(), 'reload');
is(ask($closed[1], tif()), $unavailable, 'a new worker knows');
$closed[1]->expect_log(qr/exited on signal 9/);
$closed[1]->kill_worker('KILL');
ok($base->wait_for(sub { ask($closed[1], later()) eq '200 -' }, 20),
    'and one that replaces a dead one');
is(ask($closed[1], tif()), $unavailable, 'too');

# lost while nobody of the node looks: its only worker dies with Redis

$old = later();
is(ask($closed[0], $old), '200 -', 'a request again');
my $time = lost($closed[1]);
sleep 1.1;
$rs->kill9($redis);
$closed[1]->kill_worker('KILL');
$rs->start($redis);
ok($base->wait_for(sub { ask($closed[1], later()) eq '200 -' }, 30),
    'both are back');
cmp_ok(lost($closed[1]), '>', $time, 'the zone remembers which Redis it was');

# a failover in which the replica lacks the last nonce

ok($base->wait_for(sub { ask($gov[0], later()) eq '200 -' }, 20),
    'behind a Sentinel');
ok($base->wait_for(sub { ask($gov[1], later()) eq '200 -' }, 20),
    'two nodes');
ok($base->wait_for(sub {
    $rs->cli($sentinel, 'SENTINEL', 'REPLICAS', 'gov')
        =~ /\b$replica->{port}\b/
}, 20), 'which knows the replica');

my $kept = tif();
is(ask($gov[0], $kept), '200 -', 'a nonce');
ok($base->wait_for(sub {
    $rs->cli($replica, 'DBSIZE') eq $rs->cli($primary, 'DBSIZE')
}, 20), 'that the replica has');

# its link is cut: what is in the buffers of a link would still get there

$rs->pause($replica);
$rs->cli($primary, 'CLIENT', 'KILL', 'TYPE', 'replica');
$old = tif();
is(ask($gov[0], $old), '200 -', 'one that it lacks');
$rs->kill9($primary);
$rs->resume($replica);

ok($base->wait_for(sub { ask($gov[1], later()) eq '200 -' }, 60),
    'the replica takes over');
is(ask($gov[1], $kept), '401 REPLAY', 'the nonce that it has');
is(ask($gov[1], $old), $unavailable, 'the one that it lacks passes nobody');
is(ask($gov[0], $old), '401 REPLAY', 'least of all here');

# a server that lies

my @want = (
    '200 -'        => 'sent again, our own number is there',
    '401 REPLAY'   => 'sent again, another number is there',
    $unavailable   => 'lost twice',
    $unavailable   => 'Redis before 7.0',
    $unavailable   => 'no answer to GET',
    $unavailable   => 'a number',
    $unavailable   => 'no number of ours',
    '200 -'        => 'nil',
);

while (my ($expected, $name) = splice @want, 0, 2) {
    $base->wait_for(sub { $lied->error_log()
        =~ /is connected to(?!.*has no connection)/s }, 5);
    is(ask($lied, tif()), $expected, $name);
}

$_->finish() for @closed, @local, @gov, $lied;
done_testing();
