#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# A Redis that would remove the whole stream gets none; one that may not be
# asked is warned of.

use strict;
use warnings;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Redis;

my $t = Test::GovSvc->new()->has('redis-server');
my $rs = Test::GovSvc::Redis->new($t);
my $lru = $rs->server('maxmemory-policy' => 'allkeys-lru');
my $mute = $rs->server();

$rs->cli($mute, 'ACL', 'SETUSER', 'gw', 'on', '>secret', '~*', '&*', '+@all',
    '-info');
$t->write_file('redis.pw', 'secret');
chmod 0600, $t->dir() . '/redis.pw';

$t->http_conf(<<"END")->run();
govsvc_node n1;
govsvc_redis lru { server 127.0.0.1:$lru->{port}; }
govsvc_redis mute { server 127.0.0.1:$mute->{port}; user gw;
    password_file redis.pw; }
govsvc_audit_store dir=audit alg=sha256 flush=5ms;
govsvc_audit_redis lru;
govsvc_audit_redis mute;
govsvc_audit meta;

server {
    listen 127.0.0.1:%%PORT_0%%;
    location / { return 200 "ok"; }
    location /metrics { govsvc_metrics; govsvc_audit off; }
}
END

my $key = 'gs:audit:n1';

sub entries {
    my ($redis) = @_;
    my ($n) = $rs->cli($redis, 'XLEN', $key) =~ /(\d+)/;
    return $n // 0;
}

$t->http_get("/$_") for 1 .. 5;

ok($t->wait_for(sub { entries($mute) >= 6 }, 30),
    'INFO is not allowed: all is sent');
like($t->error_log(), qr/\[warn\].* INFO is not allowed .* "$key"/,
    'and a warning says so');
ok($t->wait_for(sub {
    $t->error_log() =~ /stream "$key" waits: the maxmemory-policy allkeys-/
}, 30), 'allkeys-lru: the stream waits');
is(entries($lru), 0, 'with nothing in it');
like($t->http_get('/metrics')->body,
    qr/delivery_up\{[^}]*to="lru\|[^}]*\} 0\n/, 'which the metrics tell');

$rs->cli($lru, 'CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
ok($t->wait_for(sub { entries($lru) >= 6 }, 30), 'noeviction: all is sent');
ok($t->wait_for(sub {
    $t->http_get('/metrics')->body
        =~ /delivery_up\{[^}]*to="lru\|[^}]*\} 1\n/
}, 30), 'and it is up');

$t->done();
