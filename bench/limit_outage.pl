#!/usr/bin/perl

# Copyright (C) govsvc authors

# How long requests under a limit of all nodes take while Redis works, and in
# each of its faults: percentiles in turn, on one keepalive connection; before
# each fault the same with Redis at work.  perl bench/limit_outage.pl [requests]

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t/lib";
use Test::More;
use Test::GovSvc;
use Test::GovSvc::Redis;
use Time::HiRes qw/time/;


my $requests = shift // 20000;
my $t = Test::GovSvc->new(log => 'crit');
my $rs = Test::GovSvc::Redis->new($t);

my $one = $rs->server(requirepass => 'good',
    'loading-process-events-interval-bytes' => 1024);
my $primary = $rs->server();
my $replica = $rs->replica($primary);
my $sentinel = $rs->sentinel($primary, 'gov');

$t->write_file('index.html', 'x');
$t->write_file('one.pw', "good\n");
chmod 0600, $t->dir() . '/one.pw';

# the limit that is measured, and one that tells whether its Redis is there

my ($zones, $locations) = ('', '');

for my $name (qw/one two/) {
    $zones .= <<"EOF";
    govsvc_limit_zone  \$arg_k zone=$name:1m rate=100000r/s burst=10000
                       sync=$name;
    govsvc_limit_zone  \$arg_k zone=probe-$name:1m rate=100000r/s burst=100000
                       sync=$name local_share=0%;
EOF
    $locations .= <<"EOF";
        location /$name {
            govsvc_limit  zone=$name;
            try_files     /index.html =404;
        }

        location /probe/$name {
            govsvc_limit  zone=probe-$name timeout=500ms;
            try_files     /index.html =404;
        }
EOF
}

$t->http_conf(<<"EOF")->run();
    govsvc_redis one {
        server         127.0.0.1:$one->{port};
        password_file  one.pw;
        reconnect      50ms max=200ms;
    }

    govsvc_redis two {
        sentinel   gov 127.0.0.1:$sentinel->{port};
        reconnect  50ms max=200ms;
    }

    govsvc_cluster_size  3;
$zones
    access_log           off;
    keepalive_requests   10000000;

    server {
        listen      127.0.0.1:%%PORT_0%%;
        root        %%DIR%%;
        add_header  X-Source \$govsvc_limit_source always;

$locations    }
EOF


sub source {
    my ($name) = @_;

    return $t->http_get("/probe/$name?k=a")->header('X-Source') // '';
}

sub await {
    my ($name, $source, $what) = @_;

    $t->wait_for(sub { source($name) eq $source }, 60)
        or die "$what: $name does not come to $source\n";
}


sub run {
    my ($name, $what, $in_mid) = @_;

    my $s = $t->connect();
    my $text = "GET /$name?k=a HTTP/1.1\r\nHost: a\r\n\r\n";
    my @took;

    for my $i (1 .. $requests) {
        $in_mid->() if $in_mid && $i == $requests / 10;

        my $start = time();
        syswrite $s, $text;
        sysread $s, my $answer, 65536;
        push @took, time() - $start;
    }

    @took = sort { $a <=> $b } @took;

    printf "limit_redis_%s_p50\t%.3f\tms\n", $what, 1e3 * $took[$#took * 0.5];
    printf "limit_redis_%s_p99.9\t%.3f\tms\n", $what,
        1e3 * $took[$#took * 0.999];
}

sub fault {
    my ($what, $break, $mend) = @_;

    await('one', 'lease', $what);
    run('one', "before_$what");
    $break->();
    run('one', $what);
    await('one', 'fallback', $what);
    $mend->();
}


fault('paused', sub { $rs->cli($one, qw/CLIENT PAUSE 3000 ALL/) }, sub { });

fault('stopped', sub { $rs->pause($one) }, sub { $rs->resume($one) });

fault('killed', sub { $rs->kill9($one) }, sub { $rs->start($one) });

fault('password', sub {
    $rs->password($one, 'other');
    $rs->cli($one, qw/CLIENT KILL TYPE normal SKIPME yes/);
}, sub { $rs->password($one, 'good') });

fault('oom', sub { $rs->cli($one, qw/CONFIG SET maxmemory 1/) },
    sub { $rs->cli($one, qw/CONFIG SET maxmemory 0/) });

fault('readonly', sub {
    $rs->cli($one, qw/REPLICAOF 127.0.0.1/, $primary->{port});
}, sub { $rs->cli($one, qw/REPLICAOF NO ONE/) });

fault('misconf', sub {
    $rs->misconf($one) or die "misconf: a snapshot was written\n";
}, sub { $rs->misconf_end($one) });

fault('loading', sub { $rs->restart_slowly($one, 1000) }, sub { });

await('two', 'lease', 'failover');
run('two', 'before_failover');
run('two', 'failover', sub { $rs->kill9($primary) });
await('two', 'lease', 'failover');

$t->stop();
$t->{finished} = 1;
