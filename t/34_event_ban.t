#!/usr/bin/perl
#
# Copyright (C) govsvc authors
#
# Bans that operators set and lift are security events: who, why, from where.

use strict;
use warnings;

use Test::More;
use JSON::PP;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new();

$t->http_conf(<<'EOF')->run();
    govsvc_audit_store  dir=audit flush=5ms;
    govsvc_audit        meta;
    govsvc_ban_zone     zone=bans:1m allow=192.0.2.0/24;

    server {
        listen      127.0.0.1:%%PORT_0%%;
        govsvc_ban  zone=bans;
        location / { empty_gif; }
        location = /bans { govsvc_ban off; govsvc_ban_control zone=bans; }
    }
EOF

is(bans('POST', 'net=203.0.113.7&time=1h&reason=scans&actor=duty-officer'),
    204, 'a ban by hand');
is(bans('POST', 'app=an-app&time=60s&reason=leaked'), 204, 'of an application');
is(bans('POST', 'net=192.0.2.7&time=1h&reason=no'), 403, 'never banned');
is(bans('DELETE', 'net=203.0.113.7'), 204, 'lifted');
is(bans('DELETE', 'net=203.0.113.7'), 404, 'there is none');

my @e;

$t->wait_for(sub { @e = events(); @e >= 3 }, 20);

is(scalar @e, 3, 'an event for each change, for nothing else');

my ($set, $app, $lifted) = @e;

is($set->{attack}, 'ban', 'a ban');
is($set->{sev}, 1, 'is no attack');
is($set->{act}{code}, 'BAN_SET', 'was set');
is($set->{act}{key}, '203.0.113.7', 'for an address');
is($set->{act}{by}, 'duty-officer', 'by whom');
is($set->{act}{why}, 'scans', 'why');
like($set->{act}{until}, qr/^20\d\d-/, 'until when');
is($set->{src}{ip}, '127.0.0.1', 'from where');
like($app->{act}{key}, qr/^app:[0-9a-f]{12}$/, 'of an application by its hash');
is($lifted->{act}{code}, 'BAN_LIFTED', 'and lifted');
is($lifted->{act}{ban}, undef, 'which is no ban');
is($lifted->{act}{key}, '203.0.113.7', 'of the same address');

my ($code) = $t->govsvc('audit', 'verify', $t->dir() . '/audit');
is($code, 0, 'the store verifies');

$t->done();


sub bans {
    my ($method, $args) = @_;

    return $t->http_request($method, "/bans?$args")->status;
}


sub events {
    return map { decode_json($_) } grep { /"ty":"sec"/ }
        map { split /\n/, $t->read_file($_) } $t->audit_files();
}
