#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit: a Redis that stands still, as behind a cable that was pulled, holds up
# no request and costs no record: its stream goes on where it stood.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Redis;

my $t = Test::GovSvc->new(workers => 2)->has('redis-server');
my $rs = Test::GovSvc::Redis->new($t);
my $redis = $rs->server();

$t->expect_log(qr/\[(error|crit)\]/);
$t->backend('up');

my $up = $t->backend_port('up');

$t->http_conf(<<"END")->run();
govsvc_node n1;
govsvc_redis one { server 127.0.0.1:$redis->{port}; reconnect 20ms max=100ms; }
govsvc_audit_store dir=audit alg=sha256 flush=1ms;
govsvc_audit_redis one batch=16;
govsvc_audit_wait  60s;
govsvc_audit meta;

server {
    listen 127.0.0.1:%%PORT_0%%;
    location / { return 200 "ok"; }
    location /write/ {
        govsvc_audit meta intent=durable;
        proxy_pass http://127.0.0.1:$up;
    }
}
END

sub ask {
    my ($n, $name) = @_;

    my @raw = map { $t->request('GET', $_ % 2 ? "/write/$name/$_"
        : "/$name/$_") } 1 .. $n;

    return scalar grep { $_->status == 200 }
        $t->http_parallel(\@raw, concurrency => 8);
}

# Lines in the files, entries in the stream.

sub lines {
    return scalar map { split /\n/, $t->read_file($_) } $t->audit_files();
}

sub entries { return $rs->cli($redis, 'XLEN', 'gs:audit:n1') =~ /(\d+)/
    ? $1 : 0 }

is(ask(40, 'before'), 40, 'requests');
ok($t->wait_for(sub { lines() >= 61 && entries() == lines() }),
    'all of them are in the stream');

my $had = entries();
kill 'STOP', $redis->{pid};

is(ask(400, 'meanwhile'), 400, 'while Redis stands still all are answered');
ok($t->wait_for(sub { lines() >= 660 }), 'and recorded');

kill 'CONT', $redis->{pid};

ok($t->wait_for(sub { entries() == lines() }, 60),
    'the stream has them when it goes on')
    or diag(entries() . ' of ' . lines());
cmp_ok(entries(), '>', $had + 500, 'which are many');

# No number twice and none left out.

my @ids = $rs->cli($redis, 'XRANGE', 'gs:audit:n1', '-', '+')
    =~ /\[(\d+)-0 \[/g;
is_deeply(\@ids, [ 1 .. @ids ], 'without gaps');
is(scalar(@ids), lines(), 'each once');

$t->done();
