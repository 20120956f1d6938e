#!/usr/bin/perl

# Copyright (C) govsvc authors

# "make run-cluster": three gateways keep one limit together, also when the
# primary of their Redis is killed, and "make stop" leaves nothing behind.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new()->has(qw/redis-server wrk curl/);

$ENV{GOVSVC_DEMO} = $t->dir() . '/demo';
$ENV{GOVSVC_PORT} = $t->take_port();
$ENV{GOVSVC_SECONDS} = 1;

chdir "$FindBin::Bin/..";

my $shown = `tools/demo-cluster start 2>&1`;
is($?, 0, 'starts, and the limit is held') || diag($shown);
held($shown, 'three gateways');
like($shown, qr/^Kill the primary/m, 'tells what to try');

my @pids = map { $t->read_file("demo/cluster/$_.pid") =~ /(\d+)/ }
    qw/gateway1 gateway2 gateway3 redis1 redis2 sentinel1 sentinel2
    sentinel3/;
is(scalar(grep { kill 0, $_ } @pids), 8, 'eight servers');

$shown = `tools/demo-cluster failover 2>&1`;
is($?, 0, 'a failover, and the limit is held') || diag($shown);
held($shown, 'after the failover');
ok(!kill(0, $pids[3]), 'the primary was killed');

$shown = `tools/demo-cluster stop 2>&1`;
is($?, 0, 'stops');
is($shown =~ s/^stopped //mg, 7, 'all that still ran');
is(scalar(grep { kill 0, $_ } @pids), 0, 'nothing is left');
like(`tools/demo-cluster begin 2>&1`, qr/^usage: .*failover/, 'usage');

$t->done();


# What was printed is true by its own numbers.

sub held {
    my ($text, $name) = @_;

    my @each = $text =~ /gateway \d: (\d+) passed of \d+/g;
    my ($sum, $time, $burst, $rate, $bound, $most, $word) = $text =~
        /together: (\d+) in ([\d.]+) s; (\d+) \+ (\d+) \* [\d.]+ \+ (\d+) = (\d+) may pass: (.*)/
        or return fail("$name: no sum");

    is(scalar @each, 3, "$name: three");
    my $total = 0;
    $total += $_ for @each;
    is($total, $sum, "$name: the sum of them");
    cmp_ok($sum, '>', $burst, "$name: more than a burst passed");
    cmp_ok($sum, '<=', $burst + $rate * ($time + 0.04) + $bound,
        "$name: no more than together may");
    is($word, 'held', "$name: so it says");
}
