#!/usr/bin/perl

# Copyright (C) govsvc authors

# Quotas of a day, of one node and of three, with a Redis and without.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Limit;


# a time zone in which no day ends while this runs

my $hours = 12 - (gmtime)[2];
my $tz = sprintf '%s%02d:00', $hours < 0 ? '-' : '+', abs $hours;

my @nodes = map { Test::GovSvc->new()->has('redis-server') } 0 .. 2;
my $redis = Test::GovSvc::Limit->redis($nodes[0]);
my $port = $redis->port();

for my $t (@nodes) {
    $t->write_file('index.html', 'x');
    $t->http_conf(<<"EOF")->run();
    govsvc_redis main { server 127.0.0.1:$port; breaker errors=5 silence=4s;
        command_timeout 3s; }

    govsvc_cluster_size  3;
    govsvc_quota_zone    \$arg_k zone=one:1m quota=3/day tz=$tz;
    govsvc_quota_zone    \$arg_k zone=all:1m quota=60/day tz=$tz sync=main;
    govsvc_quota_zone    \$arg_k zone=few:1m quota=2/day tz=$tz sync=main;

    server {
        listen        127.0.0.1:%%PORT_0%%;
        root          %%DIR%%;
        add_header    X-Left \$govsvc_quota_remaining always;
        add_header    X-Reason \$govsvc_reason always;
        add_header    X-Limit \$govsvc_limit_status always;

        location = /one {
            govsvc_quota  zone=one cost=\$arg_c;
            try_files     /index.html =404;
        }

        location = /dry {
            govsvc_quota  zone=one dry_run;
            try_files     /index.html =404;
        }

        location = /all {
            govsvc_quota  zone=all timeout=2s;
            try_files     /index.html =404;
        }

        location = /few {
            govsvc_quota  zone=few timeout=2s;
            try_files     /index.html =404;
        }

        location = /open {
            govsvc_quota  zone=few on_error=open;
            try_files     /index.html =404;
        }

        location = /closed {
            govsvc_quota  zone=few on_error=closed;
            try_files     /index.html =404;
        }

        location = /off {
            govsvc_quota  off;
            try_files     /index.html =404;
        }
    }
EOF
}

my $t = $nodes[0];

sub statuses {
    return join ' ', map { $t->http_get($_)->status } @_;
}

is(statuses(('/one?k=a') x 4), '200 200 200 429', 'three in a day');

my $r = $t->http_get('/one?k=a');
is($r->header('X-Reason'), 'QUOTA_EXCEEDED', 'with its reason');
is($r->header('X-Left'), 0, 'nothing is left');
cmp_ok($r->header('Retry-After'), '<=', 86400 * 13 / 24, 'until the day ends');
cmp_ok($r->header('Retry-After'), '>', 86400 * 10 / 24, 'in its time zone');

is(statuses('/one?k=b&c=2', '/one?k=b&c=2', '/one?k=b&c=1', '/one?k=b&c=0'),
    '200 429 200 200', 'costs');
is(statuses('/dry?k=a', '/off?k=a'), '200 200', 'dry run, off');
is($t->http_get('/dry?k=a')->header('X-Limit'), 'REJECTED_DRY_RUN',
    'would be refused');

# three nodes spend one quota, to the last and no more

my $passed = 0;

for my $i (0 .. 99) {
    $passed++
        if $nodes[$i % 3]->http_get('/all?k=a')->status == 200;
}

is($passed, 60, 'sixty on three nodes');

$passed = grep { $_ == 200 }
    map { $nodes[$_ % 3]->http_get('/few?k=a')->status } 0 .. 8;
is($passed, 2, 'two of nine, though no node has a share');

like($redis->ask('KEYS', '*q:*'), qr/q:[0-9a-f]{32}:\d+/, 'names are hashes');
my ($name) = $redis->ask('KEYS', '*q:*') =~ /(\S*q:[0-9a-f]{32}:\d+)/;
my ($left) = $redis->ask('PTTL', $name) =~ /^:(\d+)/;
cmp_ok($left, '<=', 86400e3 * 13 / 24 + 61e3, 'and end with the day');

# without Redis

$redis->signal('KILL');

ok($t->wait_for(sub { $t->http_get('/closed?k=x')->status == 503 }),
    'on_error=closed');
is($t->http_get('/open?k=x')->status, 200, 'on_error=open');

$passed = grep { $t->http_get('/all?k=b')->status == 200 } 1 .. 40;
is($passed, 20, 'on_error=local: the part of one node');

$redis->start();
ok($t->wait_for(sub { $t->http_get('/few?k=' . rand)->status == 200 }),
    'and back');

$_->finish() for @nodes;
done_testing();
