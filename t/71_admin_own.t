#!/usr/bin/perl

# Copyright (C) govsvc authors

# What a node is itself is no place of a server, and the leave of a laboratory
# ends there: the gateway does not call itself, nor does anybody reach its
# Redis through it.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::GovSvc::Admin;
use Test::GovSvc::Redis;


my $t = Test::GovSvc::Admin->new(log => 'notice', workers => 2)
    ->has(qw/mint redis-server/);
my $rs = Test::GovSvc::Redis->new($t);
my $redis = $rs->server();
my ($own, $any) = ($t->port(0), $t->port(5));
my $loop = 'the gateway itself listens there';
my $store = 'a Redis of the gateway is there';
my $made = 0;

# those that no other rule refuses

my @own = grep { !/^(?:fe80|192\.0\.2|198\.51|203\.0\.113)/ }
    split ' ', `hostname -I`;

sub gateway {
    my ($admin) = @_;

    $t->{bearer} = {};             # keys are made anew
    $t->gateway(admin => $admin, http => <<"EOF_");
    govsvc_redis main { server 127.0.0.1:$redis->{port}; }

    server {
        listen  $any;
        listen  [::]:$any;
    }
EOF_
}

sub answer {
    my ($who, $address, $port) = @_;

    my $r = $t->create($who, 'instances/i' . $made++, { pool => 'gd-web',
        address => $address, port => $port, state => 'drain' });

    return $r->status == 201 ? 'made'
        : join ' ', $r->status, $r->json->{code}, $r->json->{field},
            $r->json->{detail} =~ s/^no peer may have this address: //r;
}

sub refused { "422 ADDRESS_DENIED /address $_[0]" }

gateway('proof=off loopback=on')->run();

for my $case (
    ['127.0.0.1', $own, $loop],
    ['127.0.0.2', $own, undef],
    ['127.0.0.1', $any, $loop],
    ['127.0.0.2', $any, $loop],
    ['::1', $any, $loop],
    ['::1', $own, undef],
    ['64:ff9b::7f00:1', $own, $loop],
    ['2002:7f00:1::', $own, $loop],
    ['127.0.0.1', $redis->{port}, $store],
    ['64:ff9b::7f00:1', $redis->{port}, $store],
    ['127.0.0.2', $redis->{port}, undef],
    ['127.0.0.1', 8080, undef],
    (map { [$_, $any, $loop], [$_, 8080, undef] } @own),
) {
    my ($address, $port, $why) = @$case;

    is(answer('system', $address, $port), $why ? refused($why) : 'made',
        "in a laboratory: $address $port");
}

my $r = $t->create('system', 'instances/x', { pool => 'gd-web',
    address => '127.0.0.1', port => $own });
is($r->json->{hint}, 'the address and port of a server behind the gateway',
    'the hint says what is meant');

# moved there

$r = $t->create('system', 'instances/m', { pool => 'gd-web',
    address => '127.0.0.3', port => $own, state => 'drain' });
is($r->status, 201, 'beside the gateway');
$r = $t->api('system', PATCH => 'instances/m', { address => '127.0.0.1' },
    'If-Match' => $t->etag('instances/m'));
is($r->status . ' ' . $r->json->{code}, '422 ADDRESS_DENIED',
    'and not moved to it');

# in an import of everything

my $all = $t->api('system', GET => 'snapshot');
my $doc = decode_json($all->body);

for (grep { $_->{id} eq 'm' } @{$doc->{instances}}) {
    $_->{address} = '127.0.0.1';
}

$r = $t->api('system', PUT => 'snapshot', $doc,
    'If-Match' => $all->header('ETag'));
is($r->status . ' ' . ($r->json->{code} // ''), '422 ADDRESS_DENIED',
    'nor by an import') or diag($r->raw);

# a reload that listens elsewhere: known at once

$t->{bearer} = {};
$t->gateway(admin => 'proof=off loopback=on', http => '');
ok($t->reload(), 'a reload without the second listener and Redis');
ok($t->wait_for(sub { answer('system', '127.0.0.1', $any) eq 'made' }, 60),
    'what was its port is one no longer');
is(answer('system', '127.0.0.1', $redis->{port}), 'made',
    'what was its Redis neither');
is(answer('system', '127.0.0.1', $own), refused($loop),
    'and what it listens on still is');

# not in a laboratory

$t->stop();
gateway('proof=off')->run();

for my $case (
    ['127.0.0.1', $own, $loop],
    ['127.0.0.2', $own, 'loopback'],
    ['127.0.0.1', $redis->{port}, $store],
    (map { [$_, $any, $loop], [$_, 8080, 'an address of the gateway'] } @own),
) {
    my ($address, $port, $why) = @$case;

    is(answer('gd-ops', $address, $port), refused($why),
        "a province: $address $port");
}

is(answer('gd-ops', '10.44.0.8', $any), 'made', 'another machine is another');

$t->done();
