#!/usr/bin/perl

# Copyright (C) govsvc authors

# Health by the fate of requests: the share that fails, the trial after an
# ejection, and retries within their budget.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new(workers => 1, log => 'notice');

# answers what its file says: a status, "half" for every second one, "slow"

sub peer {
    my ($name) = @_;
    my $file = $t->dir() . "/$name.status";

    return $t->backend($name, sub {
        my ($q) = @_;

        open my $fh, '<', $file or return (200, [], $name);
        my $say = <$fh>;

        if ($say eq 'half') {
            return $q->{uri} =~ /odd/ ? (503, [], $name) : (200, [], $name);
        }

        if ($say eq 'slow') {
            select undef, undef, undef, 1.5;
            return (200, [], $name);
        }

        return ($say + 0, [], $name);
    });
}

sub set {
    my ($name, $say) = @_;

    defined $say ? $t->write_file("$name.status", $say)
        : unlink($t->dir() . "/$name.status");
}

my %port = map { $_ => peer($_) } qw/a b/;
my $dead = $t->take_port();

my %pool = (
    ratio => [ '"eject": {"fails": 0, "ratio": 40, "window": "1h",
        "volume": 10, "time": "1h", "max": 50}', @port{qw/a b/} ],
    trial => [ '"eject": {"fails": 1, "time": "3s", "max": 50}',
        @port{qw/a b/} ],
    budget => [ '"eject": {"fails": 0}, "retry": {"budget": 10, "burst": 5}',
        $port{b}, $dead ],
    none => [ '"eject": {"fails": 0}, "retry": {"budget": 0, "burst": 0}',
        $port{b}, $dead ],
    begin => [ '"eject": {"fails": 1, "time": "200ms", "max": 50},
        "slow_start": "1h"', @port{qw/a b/} ],
);

my @names = sort keys %pool;

sub instances {
    my ($pool, undef, @ports) = @_;
    my $n = 0;

    return map { $n++; qq({"id": "$pool-$n", "pool": "$pool",
        "address": "127.0.0.1", "port": $_}) } @ports;
}

$t->write_file('platforms.json', '{"platforms": [{"id": "gd",
    "region": "440000"}], "pools": ['
    . join(",\n", map { qq({"id": "$_", "platform": "gd", $pool{$_}[0]}) }
        @names)
    . '], "instances": ['
    . join(",\n", map { instances($_, @{$pool{$_}}) } @names)
    . '], "routes": ['
    . join(",\n", map { qq({"id": "$_", "platform": "gd", "pool": "$_",
        "match": {"paths": ["/$_/"]}}) } @names)
    . ']}');

$t->http_conf(<<'EOF')->run();
    govsvc_platforms  platforms.json;

    upstream platforms {
        govsvc_balancer;
    }

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_route  on;

        location / {
            proxy_next_upstream  off;
            proxy_pass           http://platforms;
        }

        location /budget/ {
            proxy_next_upstream  error;
            proxy_pass           http://platforms;
        }

        location /none/ {
            proxy_next_upstream  error;
            proxy_pass           http://platforms;
        }
    }
EOF

sub count {
    my ($uri, $n, $method) = @_;
    my %got;

    for (1 .. $n) {
        my $r = $t->http_request($method // 'GET', $uri);
        $got{$r->status == 200 ? $r->body : $r->status}++;
    }

    return \%got;
}

# failures that never come in a row

set('a', 'half');

my %got;
for my $n (1 .. 60) {
    my $r = $t->http_get($n % 4 < 2 ? '/ratio/odd' : '/ratio/even');
    $got{$r->status}++;
}

like($t->error_log(), qr/of pool "ratio" ejected/, 'ejected by the share');
ok($got{503} >= 4 && $got{503} <= 12, "after a few failures: $got{503}");
is_deeply(count('/ratio/odd', 10), { b => 10 }, 'and left alone');
set('a');

# the breaker: open, half-open, closed

set('a', 503);
$got{$t->http_get('/trial/')->status}++ for 1 .. 2;
like($t->error_log(), qr/of pool "trial" ejected/, 'open');
is_deeply(count('/trial/', 6), { b => 6 }, 'all go to the other');

# half-open: a POST does not try while another is usable

select undef, undef, undef, 3.2;
is_deeply(count('/trial/', 6, 'POST'), { b => 6 }, 'POST does not try');

# one at a time: the slow trial keeps the others away

set('a', 'slow');
my $before = $t->backend_requests('a');
my @raw = map { $t->request('GET', '/trial/') } 1 .. 12;
$t->http_parallel(\@raw, concurrency => 12);
my @q = $t->backend_requests('a');
is(@q - $before, 1, 'one request tries');
like($t->error_log(), qr/of pool "trial" is back/, 'its answer closes it');
set('a');
my $both = count('/trial/', 10);
ok($both->{a} && $both->{b}, 'both serve again');

# slow start: a tenth of the share for an hour

set('a', 503);
$got{$t->http_get('/begin/')->status}++ for 1 .. 2;
like($t->error_log(), qr/of pool "begin" ejected/, 'another one is out');
set('a');
ok($t->wait_for(sub {
    $t->http_get('/begin/');
    return $t->error_log() =~ /of pool "begin" is back/;
}), 'and back');
my $share = count('/begin/', 200);
ok(($share->{a} // 0) < 50 && $share->{b} > 150,
    'slowly: ' . ($share->{a} // 0) . ' of 200');
is(($share->{a} // 0) + $share->{b}, 200, 'nothing is lost');

# The budget: the burst, and a tenth of the requests.  In turns, one that fails
# is followed by one that does not, and one that is tried again by another one
# that needs it.

my $b = count('/budget/', 200);
my $retries = 200 - 2 * $b->{502};
ok($retries >= 22 && $retries <= 27,
    "a retry for a tenth of the requests and the burst: $retries of 200");
like($t->error_log(), qr/the budget of pool "budget" is spent/, 'told');

$b = count('/none/', 20);
is($b->{502}, 10, 'no budget, no retry');

$t->done();
