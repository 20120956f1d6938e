#!/usr/bin/perl

# Copyright (C) govsvc authors

# Limits while real servers refuse and change: MISCONF, LOADING, READONLY, OOM,
# a wrong password, a failover by Sentinel in mid-load, and a Redis Cluster that
# loses a primary.  Limits keep to the share of the node, nobody waits, and all
# comes back without an operator.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Redis;


my $t = Test::GovSvc->new()->has('redis-server');
my $rs = Test::GovSvc::Redis->new($t);

my $one = $rs->server(requirepass => 'good',
    'loading-process-events-interval-bytes' => 1024);
my $primary = $rs->server();
my $replica = $rs->replica($primary);
my $sentinel = $rs->sentinel($primary, 'gov');
my @cluster = $rs->cluster(3);

$t->write_file('one.pw', "good\n");
$t->write_file('index.html', 'x');
chmod 0600, $t->dir() . '/one.pw';

my %redis = (
    one => "server 127.0.0.1:$one->{port}; password_file one.pw;",
    two => "sentinel gov 127.0.0.1:$sentinel->{port};",
    many => join(' ', 'cluster', map { "127.0.0.1:$_->{port}" } @cluster)
        . ';',
);

my ($http, $server) = ('', '');

# of each Redis a limit that nobody reaches, which tells whether it is there,
# and one whose burst does not come back during the test

for my $name (sort keys %redis) {
    $http .= <<"EOF";
    govsvc_redis $name { $redis{$name} reconnect 50ms max=200ms; }

    govsvc_limit_zone  \$arg_k zone=probe-$name:1m rate=100000r/s burst=100000
                       sync=$name local_share=0%;
    govsvc_limit_zone  \$arg_k zone=slow-$name:1m rate=30r/d burst=60
                       sync=$name;
EOF
    $server .= <<"EOF";
        location = /probe/$name {
            govsvc_limit  zone=probe-$name timeout=500ms;
            try_files     /index.html =404;
        }

        location = /slow/$name {
            govsvc_limit  zone=slow-$name;
            try_files     /index.html =404;
        }
EOF
}

$t->http_conf(<<"EOF")->run();
    govsvc_cluster_size  2;
$http
    server {
        listen      127.0.0.1:%%PORT_0%%;
        root        %%DIR%%;
        add_header  X-Source \$govsvc_limit_source always;
        add_header  X-Wait \$govsvc_limit_wait_us always;
$server
    }
EOF

my $key = 0;


sub source {
    my ($name, $k) = @_;

    return $t->http_get("/probe/$name?k=" . ($k // 'a'))->header('X-Source')
        // '';
}

# what passes of n requests; all have to be answered at once, and by the limit

sub flood {
    my ($what, $name, $n, $at, $code) = @_;

    my ($passed, %odd) = (0);
    $key++;

    for my $i (1 .. $n) {
        $code->() if $code && $i == $at;

        my $r = $t->http_get("/slow/$name?k=$key");

        $passed++ if $r->status == 200;
        $odd{$r->status . ' waited ' . ($r->header('X-Wait') // '')}++
            if $r->status !~ /^(?:200|429)$/ || $r->header('X-Wait');
    }

    is(join(', ', sort keys %odd), '', "$what: nobody waits");

    return $passed;
}

sub fault {
    my ($what, $name, $break, $mend) = @_;

    ok($t->wait_for(sub { source($name) eq 'lease' }, 30),
        "$what: before it");

    $break->();

    ok($t->wait_for(sub { source($name) eq 'fallback' }, 30),
        "$what: limits fall back");
    cmp_ok(flood($what, $name, 70), '<=', 30, "$what: to half of the burst");

    $mend->();

    ok($t->wait_for(sub { source($name) eq 'lease' }, 90),
        "$what: and back");
}


fault('MISCONF', 'one', sub {
    ok($rs->misconf($one), 'no snapshot can be written');
    like($rs->cli($one, qw/SET k v/), qr/^MISCONF/, 'it takes no writes');
}, sub { $rs->misconf_end($one) });

fault('OOM', 'one', sub { $rs->cli($one, qw/CONFIG SET maxmemory 1/) },
    sub { $rs->cli($one, qw/CONFIG SET maxmemory 0/) });

fault('READONLY', 'one', sub {
    $rs->cli($one, qw/REPLICAOF 127.0.0.1/, $primary->{port});
    like($rs->cli($one, qw/SET k v/), qr/^READONLY/, 'it takes no writes');
}, sub { $rs->cli($one, qw/REPLICAOF NO ONE/) });

fault('a wrong password', 'one', sub {
    $rs->password($one, 'other');
    $rs->cli($one, qw/CLIENT KILL TYPE normal SKIPME yes/);
}, sub { $rs->password($one, 'good') });

my $loading = 0;

fault('LOADING', 'one', sub {
    like($rs->restart_slowly($one, 400), qr/OK/, 'a snapshot');
    $loading = $rs->cli($one, qw/SET k v/) =~ /^LOADING/;
    ok($loading, 'it loads');
}, sub { });


# a failover while requests come in

ok($t->wait_for(sub { source('two') eq 'lease' }, 30), 'failover: before it');
cmp_ok(flood('failover', 'two', 200, 20, sub { $rs->kill9($primary) }), '<=',
    90, 'failover: the burst, and half of it');
ok($t->wait_for(sub {
    $rs->cli($replica, 'ROLE') =~ /^\[master/
}, 30), 'failover: another primary');
ok($t->wait_for(sub { source('two') eq 'lease' }, 30), 'failover: and back');
like($rs->cli($replica, 'KEYS', 'gs:rl:*'), qr/gs:rl:/,
    'failover: limits are kept there');


# a cluster

sub all {
    my ($expected) = @_;

    return !grep { source('many', "n$_") ne $expected } 1 .. 24;
}

ok($t->wait_for(sub { all('lease') }, 30), 'cluster: keys of all slots');

for my $i (0 .. $#cluster) {
    like($rs->cli($cluster[$i], 'KEYS', 'gs:rl:*'), qr/gs:rl:/,
        "cluster: node $i has some");
}

my $passed = 0;
$passed += flood('cluster', 'many', 70);
cmp_ok($passed, '<=', 62, 'cluster: the burst, and what may go beyond');
cmp_ok($passed, '>=', 7, 'cluster: more than the share of the node');

fault('cluster without a primary', 'many', sub {
    $rs->kill9($cluster[1]);
    ok($t->wait_for(sub {
        $rs->cli($cluster[0], 'CLUSTER', 'INFO') =~ /cluster_state:fail/
    }, 30), 'it is down');
}, sub { $rs->start($cluster[1]) });

ok($t->wait_for(sub { all('lease') }, 30), 'cluster: all slots again');

$t->finish();
done_testing();
