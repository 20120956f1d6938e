#!/usr/bin/perl

# Copyright (C) govsvc authors

# Nodes that share their objects tell each other their addresses: no server
# may be registered at one of them, without a word in any configuration.

use strict;
use warnings;

use JSON::PP;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc::Admin;
use Test::GovSvc::OpenApi;
use Test::GovSvc::Redis;
use Time::HiRes qw/time/;


my $t = Test::GovSvc::Admin->new(log => 'notice', workers => 2)
    ->has(qw/mint redis-server/);
my $rs = Test::GovSvc::Redis->new($t);
my $redis = $rs->server();
my $nodes = 'gs:{registry}:nodes';
my $made = 0;

$t->gateway(admin => 'proof=off', registry => 'zone=registry:8m'
    . ' snapshot=%%DIR%%/state/registry.json redis=main',
    http => "govsvc_node gw-0; govsvc_redis main {"
        . " server 127.0.0.1:$redis->{port}; }",
    server => 'location = /metrics { govsvc_metrics; }')->run();

sub listed {
    my ($id) = @_;
    my $json = eval { $t->api('system', GET => 'nodes')->json };

    return (grep { $_->{id} eq $id } @{ $json->{items} // [] })[0];
}

sub heard {
    my ($id, $age, @addresses) = @_;

    $rs->cli($redis, HSET => $nodes, $id, encode_json({ revision => 1,
        store => 'same', time => int((time() - $age) * 1e6),
        addresses => \@addresses }));
}

sub why {
    my ($address) = @_;
    my $r = $t->create('gd-ops', "instances/n" . $made++, {
        pool => 'gd-web', address => $address, port => 8080,
        state => 'drain' });
    my $id = $made - 1;

    return $r->json->{detail} =~ s/^no peer may have this address: //r
        if $r->status != 201;

    $t->change('gd-ops', DELETE => "instances/n$id");
    return 'made';
}

# what this one tells

ok($t->wait_for(sub { my $node = listed('gw-0');
    $node && @{ $node->{addresses} } && $node->{store} eq 'same' }, 60), 'it tells of itself');

my @own = grep { !/^(?:127\.|169\.254\.|::1$|fe80)/ }
    split ' ', `hostname -I`;
my %told = map { $_ => 1 } @{ listed('gw-0')->{addresses} };

is(join(' ', grep { !$told{$_} } @own), '', 'the addresses of its machine');
is(join(' ', grep { /^127\.|^::1$|^fe80|^169\.254/ } keys %told), '',
    'none that each machine has');

Test::GovSvc::OpenApi->new($t->api(undef, GET => 'openapi.json')->json)
    ->fits($t->api('system', GET => 'nodes'), '/nodes', 'GET');

# a server that stands before a node comes to its address

ok($t->wait_for(sub {
    $t->create('gd-ops', 'instances/before', { pool => 'gd-web',
        address => '10.44.77.7', port => 8080, state => 'drain' })->status
        == 201;
}, 60), 'a server, once the store is founded');
is(why('2001:da8:44::9'), 'made', 'others may be');

# others tell theirs, also what must not be believed

heard('gw-1', 0, '10.44.77.7', '2001:da8:44::9');
heard('gw-2', 3600, '10.44.78.1');
heard('gw-3', 2 * 86400, '10.44.79.1');
heard('gw-4', 0, '0.0.0.0/0', '10.44.80.0/24', '::/0', '127.0.0.1', 'x',
    5, undef, ['10.44.80.2'], { a => 1 }, '10.44.80.03');
heard('gw-5', 0, map { '10.99.' . int($_ / 250) . '.' . (1 + $_ % 250) }
    1 .. 2000);
$rs->cli($redis, HSET => $nodes, 'gw-6', '{"addresses": ["10.44.80.4"');
$rs->cli($redis, HSET => $nodes, 'gw-7', '[]');

my $other = 'an address of another node of the gateway';

ok($t->wait_for(sub { why('10.44.77.7') eq $other }, 60),
    'an address of another node');
is(why('2001:da8:44::9'), $other, 'IPv6');
is(why('10.44.78.1'), $other, 'of one that was away for an hour');
is(why('10.44.79.1'), 'made', 'not of one that was away for days');
is(why($_), 'made', "not $_") for '10.44.80.1', '10.44.80.2', '10.44.80.3',
    '10.44.80.4';

ok($t->wait_for(sub {
    ($t->api('system', GET => 'instances/before')->json->{meta}{refused}
        // '') eq $other;
}, 60), 'what stands there says so, and goes on');
ok($t->wait_for(sub { $t->http_get('/metrics')->body
    =~ /^govsvc_registry_refused 1$/m }, 60), 'and is counted');

# Redis away: what was known holds; and it is known over a reload

$rs->stop($redis);
$t->{bearer} = {};
ok($t->reload(), 'reloaded without Redis');
is(($t->api('system', GET => 'instances/before')->json->{meta}{refused}
    // ''), $other, 'still known');

$t->done();
