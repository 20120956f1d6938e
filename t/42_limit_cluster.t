#!/usr/bin/perl

# Copyright (C) govsvc authors

# One limit kept by three gateways over a real Redis, under five kinds of
# load: never more than burst + rate * t and the bound that they print.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Limit;


my ($rate, $burst) = (400, 80);
my @nodes = map { Test::GovSvc->new()->has('redis-server') } 0 .. 2;
my $redis = Test::GovSvc::Limit->redis($nodes[0]);
my $port = $redis->port();

for my $t (@nodes) {
    $t->http_conf(<<"EOF")->run();
    govsvc_redis main { server 127.0.0.1:$port; breaker errors=5 silence=500ms;
        command_timeout 200ms; }

    govsvc_cluster_size  3;
    govsvc_limit_zone    \$arg_k zone=all:1m rate=${rate}r/s burst=$burst
                         sync=main;
    govsvc_limit_zone    \$arg_k zone=few:1m rate=3r/d burst=3 sync=main;
    govsvc_limit_zone    \$arg_k zone=hold:1m rate=20r/s burst=20 sync=main;

    keepalive_requests   1000000;
    log_format           passed "\$msec \$request_uri";
    map \$status \$passed { 200 1; default 0; }

    server {
        listen        127.0.0.1:%%PORT_0%%;
        access_log    %%DIR%%/passed.log passed if=\$passed;
        error_log     %%DIR%%/error.log crit;
        add_header    X-Source \$govsvc_limit_source always;
        add_header    X-Bound \$govsvc_limit_bound always;
        add_header    X-Wait \$govsvc_limit_wait_us always;

        location / {
            govsvc_limit  zone=all;
            root          %%DIR%%;
            try_files     /index.html =404;
        }

        location = /few {
            govsvc_limit  zone=few timeout=2s;
            root          %%DIR%%;
            try_files     /index.html =404;
        }

        location = /cost {
            govsvc_limit  zone=few cost=\$arg_c timeout=2s;
            root          %%DIR%%;
            try_files     /index.html =404;
        }

        location = /hold {
            govsvc_limit  zone=hold delay=4 mode=strict timeout=2s;
            root          %%DIR%%;
            try_files     /index.html =404;
        }

        location = /last {
            return 204;
        }
    }
EOF
    $t->write_file('index.html', 'x');
}

# until every node knows the clock of Redis

for my $t (@nodes) {
    ok($t->wait_for(sub {
        ($t->http_get('/?k=start')->header('X-Source') // '') eq 'lease'
    }, 90), 'a node leases');
}

my $r = $nodes[0]->http_get('/?k=start');
my $bound = $r->header('X-Bound');
like($bound, qr/^\d+$/, 'the bound as a variable');
is($r->header('RateLimit-Policy'), '"all";q=80;w=1', 'the policy of all');
like($nodes[0]->error_log(),
    qr/zone "all": over-admission <= $bound requests/, 'and in the log');

my %loads = (
    flood => sub { return 10 * $rate / 3 },
    rotate => sub {
        my ($node, $now) = @_;
        return int($now / 0.15) % 3 == $node ? 10 * $rate : 0;
    },
    bursts => sub {
        my (undef, $now) = @_;
        return $now - int $now < 0.1 ? 10 * $rate : 0;
    },
    slam => sub {
        my (undef, $now) = @_;
        return $now < 2 ? 10 : 10 * $rate;
    },
    hoard => sub {
        my ($node, $now) = @_;
        my $phase = $now - int $now;
        return 10 * $rate if $phase > 0.9;
        return int($phase / 0.005) % 3 == $node ? $rate : 0;
    },
);

# How much of what may pass did.

sub part {
    my (@times) = @_;

    return @times / ($burst + $rate * ($times[-1] - $times[0]));
}

for my $name (sort keys %loads) {
    my $before = $redis->commands();
    my $took = Test::GovSvc::Limit->run(\@nodes, "/?k=$name", 3,
        $loads{$name});
    my $ops = ($redis->commands() - $before) / $took / 3;

    my @times = Test::GovSvc::Limit->admitted(\@nodes, "/?k=$name");
    my $excess = Test::GovSvc::Limit->excess($rate, $burst, @times);

    diag(sprintf '%s: %d admitted in %.2f s, excess %.1f of %d, '
        . '%.0f operations a second and node', $name, scalar @times, $took,
        $excess, $bound, $ops) if $ENV{GOVSVC_VERBOSE};

    # log times are those of an event loop's turn

    cmp_ok($excess, '<=', $bound + 0.03 * $rate, "$name: the bound holds");
    cmp_ok($ops, '<=', 120, "$name: Redis is asked little");

    if ($name eq 'flood') {
        my $part = part(@times);

        # a machine that stalls lets slots lapse: another try for it

        for my $again (1 .. 3) {
            last if $part >= 0.95;
            Test::GovSvc::Limit->run(\@nodes, "/?k=flood$again", 3,
                $loads{flood});
            $part = part(Test::GovSvc::Limit->admitted(\@nodes,
                "/?k=flood$again"));
        }

        cmp_ok($part, '>=', 0.95, 'flood: nearly all that may pass');
    }

    cmp_ok(scalar @times, '>', $burst, "$name: more than a burst");
}

# a limit too small to be leased is strict, and exact

my $passed = 0;

for my $i (0 .. 8) {
    my $answer = $nodes[$i % 3]->http_get('/few?k=a');
    $passed++ if $answer->status == 200;
}

is($passed, 3, 'three of nine, on three nodes');
is($nodes[1]->http_get('/few?k=b')->header('X-Source'), 'lease', 'by lease');

# what one node may need next is there for the others

$r = $nodes[0]->http_get('/cost?k=c&c=1');
is($r->status, 200, 'one of three');
like($r->header('RateLimit'), qr/^"few";r=2;/, 'two are left');
is($nodes[1]->http_get('/cost?k=c&c=2')->status, 200, 'the other two');
is($nodes[2]->http_get('/cost?k=c&c=1')->status, 429, 'and no more');

# (a slow answer of Redis would have told this node nothing)

ok($nodes[1]->wait_for(sub {
    my $answer = $nodes[1]->http_get('/few?k=a');
    $answer->status == 429 && ($answer->header('X-Source') // '') eq 'lease';
}), 'the second node knows');

my $before = $redis->commands();
$nodes[1]->http_get('/few?k=a') for 1 .. 50;
cmp_ok($redis->commands() - $before, '<=', 2, 'who is over asks nobody');

# held back by slots of all nodes: 4 pass at once, others 50 ms apart

my @waits = sort { $a <=> $b } map {
    my $t = $nodes[$_];
    map { $_->header('X-Wait') // 0 } grep { $_->status == 200 }
        $t->http_parallel([map { $t->request('GET', '/hold?k=a') } 1 .. 8],
            concurrency => 8);
} 0 .. 2;

cmp_ok(scalar @waits, '>=', 18, 'a burst passes, on three nodes');
cmp_ok($waits[-1], '>', 45_000, 'the last of it waits for its slot');

$_->finish() for @nodes;
done_testing();
