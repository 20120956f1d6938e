#!/usr/bin/perl

# Copyright (C) govsvc authors

# Memory that is refused while a nonce is asked for: the n-th allocation of the
# worker fails, for every n.  No request passes twice, and the worker lives.

use strict;
use warnings;

use Digest::SHA qw/sha256_hex/;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Redis;


my @nodes = map { Test::GovSvc->new()
    ->has('stock', 'gcc', 'redis-server') } 0 .. 1;
my $t = $nodes[0];
my $rs = Test::GovSvc::Redis->new($t);
my $redis = $rs->server();
my $dir = $t->dir();
my $count = 0;

$t->expect_log(qr/(malloc|posix_memalign)\(/);

my ($code, undef, $err) = $t->command('gcc', '-shared', '-fPIC', '-O1',
    '-o', "$dir/fail.so", "$FindBin::Bin/lib/Test/GovSvc/fail.c", '-ldl');
die $err if $code;

for my $node (@nodes) {
    $node->write_file('fail', "\0" x 4096);
    $node->write_file('app.secret', "gov-demo-token\n");
    chmod 0600, $node->dir() . '/app.secret';
    $node->write_file('apps.json', '{"apps": [{"id": "yss", "scheme": '
        . '"x-tif", "secrets": ["file:app.secret"]}]}');

    $node->http_conf(<<"EOF2");
    govsvc_redis main { server 127.0.0.1:$redis->{port}; command_timeout 5s;
        breaker silence=5s; reconnect 10ms max=50ms; }

    govsvc_apps        apps.json;
    govsvc_nonce_zone  zone=nonces:1m redis=main;

    server {
        listen                127.0.0.1:%%PORT_0%%;
        request_pool_size     256;
        connection_pool_size  256;

        location / {
            govsvc_app  required;
            empty_gif;
        }
    }
EOF2

    local $ENV{LD_PRELOAD} = "$dir/fail.so";
    local $ENV{GOVSVC_FAIL} = $node->dir() . '/fail';
    $node->run();
}

sub arm {
    my ($n) = @_;

    open my $fh, '+<:raw', "$dir/fail" or die;
    syswrite $fh, pack('i', $n);
    close $fh;
}

sub tif {
    my $ts = time();
    my $nonce = sprintf 'n%d-%d', $$, $count++;

    return { 'x-tif-paasid' => 'yss', 'x-tif-timestamp' => $ts,
        'x-tif-nonce' => $nonce, 'x-tif-signature' =>
        uc sha256_hex("${ts}gov-demo-token$nonce$ts") };
}

sub status {
    my ($node, $h) = @_;

    return $node->http_get('/', headers => $h, timeout => 20)->status // 0;
}


is(status($nodes[0], tif()), 200, 'a request');
is(status($nodes[1], tif()), 200, 'on each node');

my ($pid) = $t->workers();
my ($n, $wrong, $twice, %seen) = (0, '', '');

for ($n = 1; $n < 200; $n++) {
    my $h = tif();

    arm($n);
    my $first = status($t, $h);
    my $done = unpack('i', $t->read_file('fail')) > 0;
    arm(0);

    $seen{$first}++;
    $wrong .= " $n:$first" unless $first =~ /^(0|200|500|503)$/;

    my @all = ($first, status($nodes[1], $h), status($t, $h));
    note("$n: @all");
    $twice .= " $n" if (grep { $_ == 200 } @all) > 1;

    last if $done;
}

is($wrong, '', 'refused, or as ever');
is($twice, '', 'none passes twice');
cmp_ok($n, '>', 5, 'memory was short');
cmp_ok($n, '<', 200, 'each allocation failed once');
note("$n allocations, ", join ' ', map { "$_: $seen{$_}" } sort keys %seen);

is(($t->workers())[0], $pid, 'the same worker');
ok($t->wait_for(sub { status($t, tif()) == 200 }, 20), 'which serves');

$_->finish() for @nodes;
done_testing();
