#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Failed requests while one of three peers is sick, of this module and of a
# stock upstream with max_fails, in front of the same peers in the same
# seconds: each request of one is followed by the same of the other.  POST, so
# that nothing is sent twice.  Prints name TAB value TAB unit.
#
#   BENCH_SECONDS=6 bench/health.pl

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t/lib";
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw/sleep time/;

use Test::GovSvc;

Test::More->builder->output(\*STDERR);

my $seconds = $ENV{BENCH_SECONDS} || 6;
my $t = Test::GovSvc->new(workers => 2, log => 'warn');
my $state = $t->dir() . '/sick';

sub peer {
    my ($name, $sick) = @_;

    return $t->backend($name, sub {
        return (200, [], $name) if !$sick || !-e $state;
        return $sick->();
    });
}

my %good = map { $_ => peer($_) } qw/a b/;

my %sick = (
    dead => $t->take_port(),
    slow => peer('slow', sub { sleep 2; return (200, [], 'late') }),
    error => peer('error', sub { return (503, [], 'sorry') }),
    broken => peer('broken', sub { return () }),
    flapping => peer('flapping', sub {
        return int(time() * 2) % 2 ? (503, [], 'sorry') : (200, [], 'fine');
    }),
);

$sick{half_open} = $t->take_port();

my $mute = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
    LocalPort => $sick{half_open}, Listen => 4096, ReuseAddr => 1)
    or die "bench/health.pl: $!\n";

my @names = sort keys %sick;
my ($pools, $instances, $routes, $upstreams, $locations) = ('') x 5;

for my $name (@names, 'alone') {
    my $n = 0;
    my @ports = $name eq 'alone' ? $sick{error}
        : ($good{a}, $good{b}, $sick{$name});

    $pools .= qq(, {"id": "$name", "platform": "gd", "check": "web",
        "eject": {"fails": 3, "time": "1s"},
        "timeouts": {"connect": "300ms", "read": "300ms"}});
    $routes .= qq(, {"id": "$name", "platform": "gd", "pool": "$name",
        "match": {"paths": ["/$name/"]}});
    $upstreams .= "upstream $name {\n";

    for my $port (@ports) {
        $n++;
        $instances .= qq(, {"id": "$name-$n", "pool": "$name",
            "address": "127.0.0.1", "port": $port});
        $upstreams .= "    server 127.0.0.1:$port max_fails=3 "
            . "fail_timeout=1s;\n";
    }

    $upstreams .= "    zone $name 64k;\n}\n";
    $locations .= "location /$name/ { proxy_pass http://$name; }\n";
}

s/^, // for $pools, $instances, $routes;

$t->write_file('platforms.json', qq({"check_profiles": [{"id": "web",
    "type": "http", "interval": "500ms", "fast": "100ms", "timeout": "300ms",
    "rise": 3, "fall": 2}],
    "platforms": [{"id": "gd", "region": "440000"}], "pools": [$pools],
    "instances": [$instances], "routes": [$routes]}));

$t->http_conf(<<"EOF")->run();
    govsvc_platforms  platforms.json;

    proxy_connect_timeout  300ms;
    proxy_read_timeout     300ms;
    proxy_next_upstream    error timeout http_503;

    upstream platforms {
        govsvc_balancer;
    }

    $upstreams

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_route  on;

        location / {
            proxy_pass  http://platforms;
        }
    }

    server {
        listen  127.0.0.1:%%PORT_1%%;
        $locations
    }
EOF

sleep 1;

for my $name (@names, 'alone') {
    my (%failed, %sent);

    $t->write_file('sick', '1');

    for (my $end = time() + $seconds; time() < $end; sleep 0.02) {
        for my $who (0, 1) {
            my $r = $t->http_request('POST', "/$name/", port => $t->port($who),
                body => 'x', timeout => 5);
            $sent{$who}++;
            $failed{$who}++ if $r->status != 200;
        }
    }

    unlink $state;

    printf "health_%s_failed\t%d\tof %d requests\n", $name, $failed{0} // 0,
        $sent{0};
    printf "health_%s_stock_failed\t%d\tof %d requests, max_fails\n", $name,
        $failed{1} // 0, $sent{1};

    sleep 1.5;
}

$t->done();
