#!/usr/bin/perl

# Copyright (C) govsvc authors

# Peers that fail are left alone for a while: never too many of them, never
# the last, and a pool that has another behind it gives way.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new(workers => 2, log => 'warn')->plan(19);

sub set {
    my ($name, $status) = @_;

    $status ? $t->write_file("$name.status", $status)
        : unlink($t->dir() . "/$name.status");
}

my %port = map { $_ => $t->backend_status($_) } qw/a b c d e s/;
my $dead = $t->take_port();
my $dead2 = $t->take_port();

sub instances {
    my ($pool, @ports) = @_;
    my $n = 0;

    return map { $n++; qq({"id": "$pool-$n", "pool": "$pool",
        "address": "127.0.0.1", "port": $_}) } @ports;
}

my %pool = (
    five => [ ', "eject": {"fails": 1, "time": "1h", "max": 40}, '
        . '"retry": {"budget": 100}',
        @port{qw/a b c d e/} ],
    panic => [ ', "eject": {"fails": 1, "time": "1h", "max": 100}, '
        . '"panic": 60', @port{qw/a b/} ],
    one => [ ', "eject": {"fails": 1, "time": "1h"}', $port{a} ],
    short => [ ', "eject": {"fails": 2, "time": "200ms", "max": 100}',
        @port{qw/a b/} ],
    main => [ ', "eject": {"fails": 1, "time": "1h"}, "host": "m.example", '
        . '"fallback": ["standby", "page:503"]', $dead, $dead2 ],
    other => [ ', "eject": {"fails": 1, "time": "1h"}, "host": "o.example", '
        . '"fallback": ["standby"]', $dead ],
    standby => [ ', "host": "m.example"', $port{s} ],
    page => [ ', "fallback": ["page:503"]' ],
    page2 => [ ', "fallback": ["page:504"]' ],
    empty => [ '' ],
);

my @names = sort keys %pool;

$t->write_file('platforms.json', '{"pools": ['
    . join(",\n", map { qq({"id": "$_", "platform": "gd" $pool{$_}[0]}) }
        @names)
    . '], "instances": ['
    . join(",\n", map { my @p = @{$pool{$_}}; shift @p; instances($_, @p) }
        @names)
    . '], "routes": ['
    . join(",\n", map { qq({"id": "$_", "platform": "gd", "pool": "$_",
        "match": {"paths": ["/$_/"]}}) } @names)
    . '], "platforms": [{"id": "gd", "region": "440000",
        "name": {"zh": "x", "en": "x"}}]}');

$t->http_conf(<<'EOF')->run();
    govsvc_platforms  platforms.json;
    govsvc_registry   zone=registry:2m;

    log_format  peers  '$request_uri|$upstream_status|$govsvc_pool';
    access_log  %%DIR%%/peers.log peers;

    upstream platforms {
        govsvc_balancer;
    }

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_route  on;

        location / {
            proxy_set_header     Host $govsvc_upstream_host;
            proxy_next_upstream  error timeout http_503;
            proxy_pass           http://platforms;
        }

        location /page2/ {
            error_page  504 /own;
            proxy_pass  http://platforms;
        }

        location = /own {
            internal;
            govsvc_route  off;
            return        200 "own page";
        }
    }
EOF

my $count = sub {
    my ($uri, $n) = @_;
    my %got;

    for (1 .. $n) {
        my $r = $t->http_get($uri);
        $got{$r->status == 200 ? $r->body : $r->status}++;
    }

    return \%got;
};

my $ejected = sub {
    my ($pool) = @_;
    my %peers = map { $_ => 1 }
        $t->error_log() =~ /peer (\S+) of pool "$pool" ejected/g;

    return scalar keys %peers;
};

# the cap: two of five

set($_, 503) for qw/a b c/;
is_deeply([ sort keys %{$count->('/five/', 30)} ], [qw/d e/],
    'cap: every request finds a good peer');
is($ejected->('five'), 2, 'cap: two of five are out, not three');
set($_, 0) for qw/a b c/;
my $five = $count->('/five/', 30);
is(scalar keys %$five, 3, 'cap: those out stay out, all workers know');

# panic: both out, so both are asked

set($_, 503) for qw/a b/;
$count->('/panic/', 6);
is($ejected->('panic'), 2, 'panic: both are out');
set($_, 0) for qw/a b/;
my $panic = $count->('/panic/', 8);
ok($panic->{a} && $panic->{b}, 'panic: yet both are asked')
    or diag(explain($panic));

# the only peer

set('a', 503);
$count->('/one/', 5);
set('a', 0);
is_deeply($count->('/one/', 3), { a => 3 }, 'one: never ejected');
is($ejected->('one'), 0, 'one: indeed');

# for a time, longer at each turn

set('a', 503);
ok($t->wait_for(sub {
    $t->http_get('/short/');
    ($t->error_log() =~ /pool "short" ejected for 400ms/) ? 1 : 0;
}, 20), 'short: twice as long at the second turn');
like($t->error_log(), qr/pool "short" ejected for 200ms after 2 failures/,
    'short: after two failures');
set('a', 0);
ok($t->wait_for(sub { $count->('/short/', 4)->{a} }, 20),
    'short: and comes back');

# the pool behind

is_deeply($count->('/main/', 4), { s => 4 },
    'fallback: the same request goes on where the host is the same');
is($ejected->('main'), 2, 'fallback: all may be out, there is another pool');
$count->('/main/', 1);
like((split /\n/, $t->read_file('peers.log'))[-1], qr{^/main/\|200\|standby$},
    'fallback: later requests go there at once');

is($t->http_get('/other/')->status, 502,
    'fallback: another host needs another request');
is_deeply($count->('/other/', 2), { s => 2 }, 'fallback: the next goes there');

# nobody

my $r = $t->http_get('/empty/', headers => { Accept => 'application/json' });
is($r->status . ' ' . ($r->json->{code} // ''), '503 PLATFORM_UNAVAILABLE',
    'no peer at all');
is($r->header('retry-after'), 30, 'and when to come again');
is($t->http_get('/page/')->status, 503, 'page:503');
is($t->http_get('/page2/')->body, 'own page', 'page:504 is for error_page');
