#!/usr/bin/perl

# Copyright (C) govsvc authors

# Health seen through the registry API: profiles and instances made there.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc::Admin;


my $t = Test::GovSvc::Admin->new(log => 'notice', workers => 2)->has('mint');

my $port = $t->backend('a');
my $dead = $t->take_port();

$t->gateway()->run();

sub health {
    return $t->api('gd-ops', GET => "instances/$_[0]")->json->{health};
}

sub becomes {
    my ($id, $state) = @_;
    return $t->wait_for(sub { health($id)->{state} eq $state }, 20);
}

my $r = $t->create('system', 'check-profiles/quick', { id => 'quick',
    type => 'tcp', interval => '100ms', fast => '50ms', timeout => '1s' });
is($r->status, 201, 'a profile') or diag($r->raw);

is($t->create('gd-ops', 'instances/a', { id => 'a', pool => 'gd-web',
    address => '127.0.0.1', port => $port })->status, 201, 'an instance');

is_deeply(health('a'), { state => 'up', reason => '', error => '',
    status => 0, streak => 0, since => 0 }, 'without a check it is up');

$r = $t->change('gd-ops', PATCH => 'instances/a', { check => 'none' });
is($r->status, 422, 'a profile that is not there');
like($r->json->{detail}, qr/no check profile "none"/, 'says so');

$r = $t->change('gd-ops', PATCH => 'instances/a', { check => 'quick' });
is($r->status, 200, 'checked from now on') or diag($r->raw);
ok($t->wait_for(sub { health('a')->{since} != 0 }, 20), 'since');
is(health('a')->{state}, 'up', 'up');
ok(abs(health('a')->{since} / 1000 - time()) < 3600, 'by the wall clock');

$t->create('gd-ops', 'instances/b', { id => 'b', pool => 'gd-web',
    address => '127.0.0.1', port => $dead, check => 'quick' });
ok(becomes('b', 'unhealthy'), 'a dead one');

my $h = health('b');
is($h->{reason}, 'check', 'by its check');
is($h->{error}, 'connect', 'the last error');

my ($shown) = grep { $_->{id} eq 'b' }
    @{$t->api('gd-ops', GET => 'instances')->json->{items}};
is($shown->{health}{state}, 'unhealthy', 'in the list too');

# what was shown may come back, and changes nothing

my $object = $t->api('gd-ops', GET => 'instances/b')->json;
$object->{health}{state} = 'up';
$object->{weight} = 3;
$r = $t->api('gd-ops', PUT => 'instances/b', $object,
    'If-Match' => $t->etag('instances/b'));
is($r->status, 200, 'put back') or diag($r->raw);
is(health('b')->{state}, 'unhealthy', 'health is read-only');

$t->change('gd-ops', PATCH => 'instances/b', { state => 'drain' });
is(health('b')->{state}, 'draining', 'drained');
is(health('b')->{reason}, 'operator', 'by an operator');

# a profile in use stays

$r = $t->api('system', DELETE => 'check-profiles/quick', undef,
    'If-Match' => $t->etag('check-profiles/quick'));
isnt($r->status, 204, 'a profile in use is not removed');

$t->done();
