#!/usr/bin/perl

# Copyright (C) govsvc authors

# Which peer gets a request: weights, states, methods, retries.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new(log => 'warn')->plan(15);

my %port = map { $_ => $t->backend($_) } qw/a b c/;
my $dead = $t->take_port();

my $n = 0;

sub pool {
    my ($id, $more, @instances) = @_;

    return {
        pool => qq({"id": "$id", "platform": "gd" $more}),
        route => qq({"id": "$id", "platform": "gd", "pool": "$id",
            "match": {"paths": ["/$id/"]}}),
        instances => [ map { $n++; my ($port, $rest) = @$_;
            qq({"id": "i$n", "pool": "$id", "address": "127.0.0.1",
                "port": $port $rest}) } @instances ],
    };
}

my @pools = (
    pool('weights', '', [$port{a}, ', "weight": 5'],
        [$port{b}, ', "weight": 3'], [$port{c}, ', "weight": 2']),
    pool('states', '', [$port{a}, ', "state": "drain"'],
        [$port{b}, ', "state": "down"'], [$port{c}, '']),
    pool('hash', ', "method": "hash:$arg_k"',
        map { [$port{$_}, ''] } qw/a b c/),
    pool('p2c', ', "method": "p2c"', map { [$port{$_}, ''] } qw/a b c/),
    pool('retry', ', "eject": {"fails": 0}', [$dead, ''], [$port{a}, '']),
    pool('once', ', "eject": {"fails": 0}', [$dead, ''], [$port{a}, '']),
    pool('gone', ', "eject": {"fails": 0}', [$dead, '']),
    pool('slow', ', "timeouts": {"read": "200ms"}, "eject": {"fails": 0}',
        [$t->backend('slow', sub { select undef, undef, undef, 3; (200, []) }),
        '']),
);

$t->write_file('platforms.json', '{"pools": ['
    . join(",\n", map { $_->{pool} } @pools) . '], "instances": ['
    . join(",\n", map { @{$_->{instances}} } @pools) . '], "routes": ['
    . join(",\n", map { $_->{route} } @pools) . '], "platforms": [{
        "id": "gd", "region": "440000",
        "name": {"zh": "x", "en": "x"}}]}');

$t->http_conf(<<'EOF')->run();
    govsvc_platforms  platforms.json;

    log_format  peers  '$request_uri|$upstream_addr|$upstream_status|$govsvc_pool';
    access_log  %%DIR%%/peers.log peers;

    upstream platforms {
        govsvc_balancer;
        keepalive 16;
    }

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_route  on;

        proxy_http_version  1.1;
        proxy_set_header    Connection "";
        proxy_set_header    Host $govsvc_upstream_host;

        location / {
            proxy_pass  http://platforms;
        }

        location /once/ {
            proxy_next_upstream_tries  1;
            proxy_pass                 http://platforms;
        }

        location /off/ {
            govsvc_route  off;
            proxy_pass    http://platforms;
        }
    }
EOF

my $peers = sub {
    my ($uri, $count) = @_;
    my %got;

    $got{$t->http_get($uri)->json->{backend} // '-'}++ for 1 .. $count;

    return \%got;
};

# weights

is_deeply($peers->('/weights/', 50), { a => 25, b => 15, c => 10 },
    'weights hold exactly');

my @order = map { $t->http_get('/weights/')->json->{backend} } 1 .. 20;
unlike(join('', @order), qr/aaaa/, 'smoothly');

is_deeply($peers->('/states/', 6), { c => 6 },
    'neither drained nor down peers are picked');

# methods

my $same = 1;

for my $key (1 .. 10) {
    $same &&= keys %{$peers->("/hash/?k=$key", 3)} == 1;
}

ok($same, 'hash: equal keys, equal peers');
is(scalar keys %{{ map { (keys %{$peers->("/hash/?k=$_", 1)})[0] => 1 }
    1 .. 30 }}, 3, 'hash: all peers are used');
is(scalar keys %{$peers->('/hash/', 9)}, 3, 'hash: without a key, any peer');
is(scalar keys %{$peers->('/p2c/', 40)}, 3, 'p2c: all peers are used');

# retries

is_deeply($peers->('/retry/', 6), { a => 6 }, 'a dead peer costs no request');
is($t->http_get('/gone/')->status, 502, 'the only peer is dead');
is($t->http_get('/slow/')->status, 504, 'the timeout of the pool');
is($t->http_get('/off/')->status, 500, 'no pool was chosen');
like($t->error_log(), qr/govsvc balancer: no pool was chosen/, 'and why');

is(join(' ', sort map { $t->http_get('/once/')->status } 1 .. 4),
    '200 200 502 502', 'tries are bounded by proxy_next_upstream_tries');

my @lines = split /\n/, $t->read_file('peers.log');
my ($retried) = grep { m{^/retry/.*, } } @lines;
is($retried, "/retry/|127.0.0.1:$dead, 127.0.0.1:$port{a}|502, 200|retry",
    'each try has a name of its own');
is((grep { m{^/gone/} } @lines)[0], "/gone/|127.0.0.1:$dead|502|gone",
    'one try where there is one peer');
