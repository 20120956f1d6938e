#!/usr/bin/perl
#
# Copyright (C) govsvc authors
#
# Security events that no request is: instances that fail, by checks and by
# requests, and come back.  Revocations by hand are in 79_status.t.

use strict;
use warnings;

use Test::More;
use JSON::PP;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new(workers => 2, log => 'warn');

my %port = map { $_ => $t->backend_status($_) } qw/a b c d/;
my $check = '{"id": "http", "type": "http", "path": "/health",
    "interval": "200ms", "jitter": "10ms", "fast": "100ms",
    "timeout": "5s", "rise": 1, "fall": 1}';

$t->write_file('platforms.json', '{"check_profiles": [' . $check . '], "pools": [
    {"id": "asked", "platform": "gd", "eject": {"fails": 0}, "check": "http"},
    {"id": "tried", "platform": "gd",
     "eject": {"fails": 1, "time": "100ms", "max": 50}}],
    "instances": [' . join(', ', instance('asked', 'a'),
        instance('asked', 'b'), instance('tried', 'c'),
        instance('tried', 'd')) . '],
    "routes": [{"id": "tried", "platform": "gd", "pool": "tried",
        "match": {"paths": ["/"]}}],
    "platforms": [{"id": "gd", "region": "440000",
        "name": {"zh": "x", "en": "x"}}]}');

$t->http_conf(<<'EOF')->run();
    govsvc_audit_store  dir=audit flush=5ms;
    govsvc_audit        meta;
    govsvc_platforms    platforms.json;
    govsvc_registry     zone=registry:2m;

    upstream platforms {
        govsvc_balancer;
    }

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_route  on;
        location / { proxy_pass http://platforms; }
    }
EOF

# by checks: one, then the last of the pool, and back

$t->write_file('a.status', 503);
my $e = event('INSTANCE_DOWN', 'asked-a');

is($e->{attack}, 'instance', 'an instance is down');
is($e->{sev}, 2, 'one of two');
is($e->{act}{why}, 'check: status 503, pool asked', 'why');
is($e->{dst}{platform}, 'gd', 'whose');
is($e->{dst}{host}, "127.0.0.1:$port{a}", 'where');
is($e->{req}, undef, 'no request is it');
is($e->{src}, undef, 'nobody did it');

$t->write_file('b.status', 500);
is(event('INSTANCE_DOWN', 'asked-b')->{sev}, 3, 'the last of its pool');

unlink map { $t->dir() . "/$_.status" } qw/a b/;
is(event('INSTANCE_UP', "asked-$_")->{sev}, 1, "up again: $_") for qw/a b/;

# by requests

$t->write_file('c.status', 503);
$e = event('INSTANCE_EJECTED', 'tried-c', sub { $t->http_get('/') });

is($e->{sev}, 2, 'ejected');
is($e->{act}{why}, 'failures: status 503, pool tried', 'for what');
like($e->{act}{until}, qr/^20\d\d-/, 'until when');

unlink $t->dir() . '/c.status';
$e = event('INSTANCE_BACK', 'tried-c', sub { $t->http_get('/') });

is($e->{sev}, 1, 'it answers again');
is($e->{act}{until}, undef, 'for good');

my ($code) = $t->govsvc('audit', 'verify', $t->dir() . '/audit');
is($code, 0, 'the store verifies');

$t->done();


sub instance {
    my ($pool, $name) = @_;

    return qq({"id": "$pool-$name", "pool": "$pool", "address": "127.0.0.1",
        "port": $port{$name}});
}


sub event {
    my ($what, $key, $code) = @_;
    my $found;

    $t->wait_for(sub {
        $code->() if $code;
        ($found) = grep { $_->{act}{code} eq $what && $_->{act}{key} eq $key }
            map { decode_json($_) } grep { /"ty":"sec"/ }
            map { split /\n/, $t->read_file($_) } $t->audit_files();
    }, 60);

    return $found // { act => {}, dst => {} };
}
