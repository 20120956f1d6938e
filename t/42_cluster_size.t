#!/usr/bin/perl

# Copyright (C) govsvc authors

# The number of nodes learned through Redis: three nodes find one another, one
# leaves, Redis is wiped and dies; what a node admits alone is its share.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Limit;


my @nodes = map {
    Test::GovSvc->new(workers => 2, log => 'notice')->has('redis-server')
} 0 .. 2;
my $redis = Test::GovSvc::Limit->redis($nodes[0]);
my $port = $redis->port();

for my $i (0 .. 2) {
    $nodes[$i]->http_conf(<<"EOF");
    govsvc_node          gw-$i;
    govsvc_redis main { server 127.0.0.1:$port; reconnect 50ms max=200ms; }

    govsvc_cluster_size  auto redis=main expect=10;
    govsvc_limit_zone    \$arg_k zone=slow:1m rate=30r/d burst=60 sync=main
                         local_share=0%;
    govsvc_quota_zone    \$arg_k zone=quota:1m quota=600/day tz=+08:00
                         sync=main;

    server {
        listen      127.0.0.1:%%PORT_0%%;
        root        %%DIR%%;
        add_header  X-Retry \$govsvc_limit_retry_after always;
        add_header  X-Source \$govsvc_limit_source always;

        location / {
            govsvc_limit  zone=slow timeout=100ms;
            try_files     /none =204;
        }

        location = /metrics {
            govsvc_metrics;
        }
    }
EOF
}

sub size {
    my ($t) = @_;

    return $t->http_get('/metrics')->body =~ /^govsvc_cluster_nodes (\d+)$/m
        ? $1 : -1;
}

sub sizes { return join ' ', map { size($_) } @_ }

# the nodes that a node divides by, from all its workers: without Redis it
# lets one request in as many times 48 minutes

my $key = 0;

sub share {
    my ($t) = @_;

    $key++;

    my %seen = map {
        my $r = $t->http_get("/?k=$key");
        my $retry = $r->header('X-Retry');

        (($r->header('X-Source') // '') . ' '
            . (defined $retry ? int(($retry + 2879) / 2880) : 'none')) => 1
    } 1 .. 12;

    return join ', ', sort keys %seen;
}


$redis->signal('KILL');
$nodes[0]->run();
is(size($nodes[0]), 10, 'what is expected, until more is known');
ok($nodes[0]->wait_for(sub { share($nodes[0]) eq 'fallback 10' }, 20),
    'also by limits');
like($nodes[0]->error_log(), qr/over-admission <= .*, 10 nodes expected, /,
    'so is the bound');

$redis->start();
ok($nodes[0]->wait_for(sub { size($nodes[0]) == 1 }, 60), 'alone');

$_->run() for @nodes[1, 2];
ok($nodes[0]->wait_for(sub { sizes(@nodes) eq '3 3 3' }, 60), 'three');
is(join(' ', sort $redis->ask('ZRANGE', 'gs:nodes', 0, -1) =~ /gw-\d/g),
    'gw-0 gw-1 gw-2', 'each leaves its name');

# kept over a reload and the death of a worker

ok($nodes[0]->reload(), 'reload');
is(size($nodes[0]), 3, 'keeps the number');
$nodes[0]->kill_worker('KILL');
is(size($nodes[0]), 3, 'so does the death of a worker');

# wiped: nobody is forgotten

$redis->ask('FLUSHALL');
ok($nodes[0]->wait_for(sub {
    $redis->ask('ZCARD', 'gs:nodes') =~ /^:3/
}, 20), 'wiped: all are there again');
is(sizes(@nodes), '3 3 3', 'and were not missed');

# one leaves

$nodes[2]->stop();
ok($nodes[0]->wait_for(sub { sizes(@nodes[0, 1]) eq '2 2' }, 60), 'one left');

# Redis dies: the number stays, and a node admits a half

$redis->signal('KILL');
ok($nodes[0]->wait_for(sub { share($nodes[0]) eq 'fallback 2' }, 20),
    'Redis died: each node admits a half');
is(sizes(@nodes[0, 1]), '2 2', 'the number stays');

$nodes[0]->kill_worker('KILL') for 1 .. 2;
ok($nodes[0]->wait_for(sub { share($nodes[0]) eq 'fallback 2' }, 20),
    'also by new workers');

$redis->start();
$nodes[2]->run();
ok($nodes[0]->wait_for(sub { sizes(@nodes) eq '3 3 3' }, 60),
    'three, after Redis and a node came back');

$redis->signal('KILL');
ok($nodes[1]->wait_for(sub { share($nodes[1]) eq 'fallback 3' }, 20),
    'Redis died again: a third');

$_->finish() for @nodes;
done_testing();
