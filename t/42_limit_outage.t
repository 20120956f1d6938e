#!/usr/bin/perl

# Copyright (C) govsvc authors

# A limit of all nodes while Redis hangs, dies or refuses: no request waits,
# the node keeps to its share, and comes back by itself.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Limit;


my ($rate, $burst, $seconds) = (200, 40, 1.5);
my $t = Test::GovSvc->new()->has('redis-server');
my $redis = Test::GovSvc::Limit->redis($t);
my $port = $redis->port();

$t->write_file('index.html', 'x');

$t->http_conf(<<"EOF")->run();
    govsvc_redis main { server 127.0.0.1:$port; reconnect 50ms max=200ms; }

    govsvc_cluster_size  2;
    govsvc_limit_zone    \$arg_k zone=all:1m rate=${rate}r/s burst=$burst
                         sync=main;
    govsvc_limit_zone    \$arg_k zone=few:1m rate=3r/d burst=3 sync=main;

    keepalive_requests   1000000;
    log_format           passed "\$msec \$request_uri";
    map \$status \$passed { 200 1; default 0; }

    server {
        listen        127.0.0.1:%%PORT_0%%;
        access_log    %%DIR%%/passed.log passed if=\$passed;
        root          %%DIR%%;
        add_header    X-Source \$govsvc_limit_source always;
        add_header    X-Bound \$govsvc_limit_bound always;
        add_header    X-Wait \$govsvc_limit_wait_us always;

        location / {
            govsvc_limit  zone=all;
            try_files     /index.html =404;
        }

        location = /open {
            govsvc_limit  zone=all on_error=open;
            try_files     /index.html =404;
        }

        location = /closed {
            govsvc_limit  zone=all on_error=closed;
            try_files     /index.html =404;
        }

        location = /strict {
            govsvc_limit  zone=few timeout=100ms;
            try_files     /index.html =404;
        }

        location = /last {
            return 204;
        }
    }
EOF

sub source {
    return $t->http_get("/?k=$_[0]")->header('X-Source') // '';
}

ok($t->wait_for(sub { source('start') eq 'lease' }), 'slots are leased');

my $bound = $t->http_get('/?k=start')->header('X-Bound');

my @faults = (
    [ 'a pause', sub { $redis->ask('CLIENT', 'PAUSE', 3000, 'ALL') },
        sub { $redis->ask('CLIENT', 'UNPAUSE') } ],
    [ 'a stopped process', sub { $redis->signal('STOP') },
        sub { $redis->signal('CONT') } ],
    [ 'a full memory', sub { $redis->ask(qw/CONFIG SET maxmemory 1/) },
        sub { $redis->ask(qw/CONFIG SET maxmemory 0/) } ],
    [ 'a replica', sub { $redis->ask(qw/REPLICAOF 127.0.0.1 1/) },
        sub { $redis->ask(qw/REPLICAOF NO ONE/) } ],
    [ 'no replicas', sub {
            $redis->ask(qw/CONFIG SET min-replicas-to-write 1/) },
        sub { $redis->ask(qw/CONFIG SET min-replicas-to-write 0/) } ],
    [ 'another password', sub {
            $redis->signal('KILL');
            $redis->start('--requirepass', 'secret') },
        sub { $redis->signal('KILL'); $redis->start() } ],
    [ 'death', sub { $redis->signal('KILL') }, sub { $redis->start() } ],
);

my $i = 0;

for my $fault (@faults) {
    my ($name, $break, $mend) = @$fault;
    my $key = 'k' . $i++;

    # the flood has leased when it happens

    Test::GovSvc::Limit->run([$t], "/?k=$key", 0.3, sub { 10 * $rate });
    ok($t->wait_for(sub { source($key) =~ /^(?:lease|local)$/ }),
        "$name: before it");

    $break->();

    my ($took, $active) = Test::GovSvc::Limit->run([$t], "/?k=$key&out=1",
        $seconds, sub { 10 * $rate });
    my @times = Test::GovSvc::Limit->admitted([$t], "/?k=$key&out=1");

    cmp_ok(scalar @times, '<=',
        $rate / 2 * $took + $burst + $bound + 0.03 * $rate,
        "$name: the share of the node, and no more");
    cmp_ok(scalar @times, '>', 0.25 * $rate * $active,
        "$name: and little less");

    my %seen;

    for (1 .. 20) {
        my $r = $t->http_get("/?k=$key");
        $seen{$r->status . ' ' . ($r->header('X-Source') // '') . ' '
            . $r->header('X-Wait')}++;
    }

    # a denial may be known from before it

    is(join(', ', grep { !/^(?:(?:200|429) (?:fallback|local)|429 lease) 0$/ }
        sort keys %seen), '', "$name: nobody waits");

    if ($name eq 'death') {
        is($t->http_get("/open?k=$key")->status, 200, 'on_error=open');

        my $status;
        $status = $t->http_get("/closed?k=$key")->status for 1 .. 30;
        is($status, 503, 'on_error=closed');

        my @strict = map { $t->http_get('/strict?k=a')->status } 1 .. 4;
        is("@strict", '429 429 429 429', 'strict: an empty bucket');
    }

    $mend->();

    ok($t->wait_for(sub { source("n$key") eq 'lease'
        || source("n$key") eq 'lease' }), "$name: and back");
}

# nobody knows what was spent: buckets begin anew, with one request of three

is(join(' ', map { $t->http_get('/strict?k=b')->status } 1 .. 3),
    '200 429 429', 'buckets are empty after an outage');

$t->finish();
done_testing();
