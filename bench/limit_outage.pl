#!/usr/bin/perl

# Copyright (C) govsvc authors

# How long requests under a limit of all nodes take while Redis works, hangs
# and is dead: percentiles of one run each, in turn, on one keepalive
# connection.  perl bench/limit_outage.pl [requests]

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t/lib";
use Test::More;
use Test::GovSvc;
use Test::GovSvc::Limit;
use Time::HiRes qw/time/;


my $requests = shift // 20000;
my $t = Test::GovSvc->new(log => 'crit');
my $redis = Test::GovSvc::Limit->redis($t);
my $port = $redis->port();

$t->write_file('index.html', 'x');
$t->http_conf(<<"EOF")->run();
    govsvc_redis main { server 127.0.0.1:$port; }

    govsvc_cluster_size  3;
    govsvc_limit_zone    \$arg_k zone=all:1m rate=100000r/s burst=10000
                         sync=main;

    access_log           off;
    keepalive_requests   10000000;

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_limit  zone=all;
        root          %%DIR%%;
    }
EOF

$t->wait_for(sub { $t->http_get('/index.html?k=a')->status == 200 }, 10);

sub run {
    my ($name) = @_;

    my $s = $t->connect();
    my $text = "GET /index.html?k=a HTTP/1.1\r\nHost: a\r\n\r\n";
    my @took;

    for (1 .. $requests) {
        my $start = time();
        syswrite $s, $text;
        sysread $s, my $answer, 65536;
        push @took, time() - $start;
    }

    @took = sort { $a <=> $b } @took;

    printf "limit_redis_%s_p50\t%.3f\tms\n", $name, 1e3 * $took[$#took * 0.5];
    printf "limit_redis_%s_p99.9\t%.3f\tms\n", $name,
        1e3 * $took[$#took * 0.999];
}

run('works');
$redis->ask('CLIENT', 'PAUSE', 3000, 'ALL');
run('paused');
$redis->ask('CLIENT', 'UNPAUSE');
run('works_again');
$redis->signal('STOP');
run('stopped');
$redis->signal('CONT');
$redis->signal('KILL');
run('dead');

$t->stop();
$t->{finished} = 1;
