#!/usr/bin/perl

# Copyright (C) govsvc authors

# Bans of two nodes over Redis with TLS and client certificates, and behind
# Sentinels with a failover; what is lifted is forgotten on all nodes.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Redis;


my @nodes = map { Test::GovSvc->new()->has('redis-server', 'openssl') } 0 .. 3;
my $t = $nodes[0];
my $rs = Test::GovSvc::Redis->new($t);

$t->ca('ca');
$t->certificate('redis', 'ca', 'redis.gov.example');
$t->certificate('gw', 'ca', 'gw.gov.example');

my $dir = $t->dir();
my $tls = $rs->server(
    'tls-port' => $t->take_port(),
    'tls-cert-file' => "$dir/redis.crt",
    'tls-key-file' => "$dir/redis.key",
    'tls-ca-cert-file' => "$dir/ca.crt",
    'tls-auth-clients' => 'yes',
);

my $primary = $rs->server();
my $replica = $rs->replica($primary);
my @sentinels = map { $rs->sentinel($primary, 'gov') } 1 .. 2;

my $over = "server 127.0.0.1:$tls->{tls}; ca $dir/ca.crt;"
    . " tls on name=redis.gov.example cert=$dir/gw.crt key=$dir/gw.key;";
my $gov = 'sentinel gov ' . join(' ', map { "127.0.0.1:$_->{port}" }
    @sentinels) . ';';

for my $i (0 .. 3) {
    my $server = $i < 2 ? $over : $gov;

    $nodes[$i]->write_file('bans.key', 'a secret of all the nodes');
    chmod 0600, $nodes[$i]->dir() . '/bans.key';
    $nodes[$i]->http_conf(<<"EOF2")->run();
    govsvc_redis main { $server connect_timeout 5s; command_timeout 1s;
        breaker silence=2s; reconnect 20ms max=100ms; }

    govsvc_ban_zone  zone=bans:1m redis=main secret=bans.key
                     tiers=5s,30m memory=1h;

    server {
        listen      127.0.0.1:%%PORT_0%%;
        govsvc_ban  zone=bans;

        location / {
            empty_gif;
        }

        location = /bans {
            govsvc_ban          off;
            govsvc_ban_control  zone=bans;
        }
    }
EOF2
}

sub status {
    my ($i, $from) = @_;

    return $nodes[$i]->http_get('/', from => $from)->status;
}

sub control {
    my ($i, $method, $args) = @_;

    return $nodes[$i]->http_request($method, "/bans?$args")->status;
}

sub becomes {
    my ($i, $from, $status, $name) = @_;

    ok($t->wait_for(sub { status($i, $from) == $status }, 30), $name);
}

sub tier {
    my ($i, $from) = @_;

    my ($e) = grep { $_->{key} =~ /^\Q$from/ }
        @{$nodes[$i]->http_get('/bans')->json->{bans}};

    return $e && $e->{tier};
}


# from one to the other and back

for my $pair ([ 'TLS', 0, 1 ], [ 'Sentinel', 2, 3 ]) {
    my ($name, $a, $b) = @$pair;

    is(control($a, 'POST', 'net=127.0.1.1&time=1h'), 204, "$name: a ban");
    becomes($b, '127.0.1.1', 403, "$name: on the other node");
    is(control($b, 'POST', 'issuer=national&kid=k1&time=1h&label=k1'), 204,
        "$name: of a key");
    ok($t->wait_for(sub { defined tier($a, 'k1') }, 30),
        "$name: on the first");
    is(control($b, 'DELETE', 'net=127.0.1.1'), 204, "$name: lifted there");
    becomes($a, '127.0.1.1', 200, "$name: and here");
}

like($rs->cli($tls, 'ZRANGE', 'gs:{ban:bans}:set', 0, -1),
    qr/^\[kid:[0-9a-f]{32}\]$/, 'a hash of the key is in Redis');

# what is lifted on one node is forgotten on the other, ended or not

is(control(0, 'POST', 'net=127.0.2.0%2f24'), 204, 'the first ban');
becomes(1, '127.0.2.1', 403, 'is told');
becomes(1, '127.0.2.1', 200, 'and ends');
is(control(0, 'POST', 'net=127.0.2.0%2f24'), 204, 'the next');
ok($t->wait_for(sub { (tier(1, '127.0.2.0') // -1) == 1 }, 30),
    'is of the second tier on both');
is(control(0, 'DELETE', 'net=127.0.2.0%2f24'), 204, 'lifted');
becomes(1, '127.0.2.1', 200, 'on both');
is(control(1, 'POST', 'net=127.0.2.0%2f24'), 204, 'banned by the other');
is(tier(1, '127.0.2.0') // 0, 0, 'for the first time');

# a failover

ok($t->wait_for(sub {
    !grep { $rs->cli($_, 'SENTINEL', 'REPLICAS', 'gov')
        !~ /\b$replica->{port}\b/ } @sentinels
}, 30), 'Sentinels know the replica');

$rs->kill9($primary);
is(control(2, 'POST', 'net=127.0.3.1&time=1h'), 204, 'a ban meanwhile');
is(status(2, '127.0.3.1'), 403, 'holds here at once');
becomes(3, '127.0.3.1', 403, 'and there when the replica has taken over');
like($rs->cli($replica, 'ROLE'), qr/^\[master/, 'which it has');
is(control(3, 'DELETE', 'net=127.0.3.1'), 204, 'lifted there');
becomes(2, '127.0.3.1', 200, 'and here');
is(control(3, 'POST', 'net=127.0.3.2&time=1h'), 204, 'another ban');
becomes(2, '127.0.3.2', 403, 'comes as before');

$_->finish() for @nodes;
done_testing();
