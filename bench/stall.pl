#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# With 20,000 routes and 10,000 instances loaded: the longest turn of a
# worker's event loop while objects change, under load.  A turn is what the
# loop does between two calls of epoll_wait(), by the processor's clock of its
# thread (bench/probe_loop.c), so neither the kernel's choice of another
# program nor the thread that makes the table counts.  What a worker does
# between the fork and its first turn counts by itself: others serve meanwhile.
# Prints name TAB value TAB unit.
#
#   BENCH_CHANGES=40 bench/stall.pl

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t/lib";
use Test::More;
use Time::HiRes qw/sleep time/;

use Test::GovSvc::Admin;

Test::More->builder->output(\*STDERR);

my $changes = $ENV{BENCH_CHANGES} || 40;
my ($routes, $instances, $pools) = (20000, 10000, 500);

my $t = Test::GovSvc::Admin->new(log => 'warn', workers => 2);

$t->expect_log(qr/exited on signal 9/);
my $port = $t->backend('a');
my $other = $t->backend('b');
my $probe = $t->dir() . '/probe.so';
my $file = $t->dir() . '/probe';

system('cc', '-O2', '-D_GNU_SOURCE', '-shared', '-fPIC', '-o', $probe,
    "$FindBin::Bin/probe_loop.c", '-ldl') == 0 or die "no probe\n";

$t->gateway(platforms => platforms(),
    http => 'govsvc_availability %%DIR%%/state/availability.txt;',
    registry => 'zone=registry:256m snapshot=%%DIR%%/state/registry.json');

$t->write_file('probe', "\0" x (256 * 64));
chmod 0666, $file;

{
    local $ENV{LD_PRELOAD} = $probe;
    local $ENV{PROBE_LOOP} = $file;

    # Nginx hands no environment down to its workers unless it is told to

    my $conf = $t->read_file('nginx.conf');
    $t->write_file('nginx.conf', "env LD_PRELOAD;\nenv PROBE_LOOP;\n$conf");
    $t->run();
}

my $load = $t->load_start(uri => '/44/x', connections => 4, seconds => 600,
    pause => 0.002);

my (@took, @asked);
my $etag;

sleep 2;
show('quiet', measure(sub { ask(3) }));

show('changes', measure(sub {
    for my $n (1 .. $changes) {
        my $begin = time();
        my $r = $n % 2
            ? $t->create('gd-ops', 'instances/new', { pool => 'gd-web',
                address => '127.0.0.1', port => $other })
            : $t->api('gd-ops', DELETE => 'instances/new', undef,
                'If-Match' => $etag);

        die $r->raw if $r->status > 299;
        $etag = $r->header('ETag');
        push @took, time() - $begin;
    }
}));

show('reload', measure(sub { $t->reload() or die "no reload\n"; ask(3) }));

show('killed', measure(sub {
    my ($pid) = $t->workers();

    kill 'KILL', $pid;
    ask(3);
}));

my $count = $t->load_stop($load);

@took = sort { $a <=> $b } @took;
printf "stall_change\t%.0f\tms, median of %d changes\n",
    $took[@took / 2] * 1000, scalar @took;
printf "stall_requests\t%d\tserved, %d failed\n", $count->{200} // 0,
    eval { my $n = 0; $n += $count->{$_} for grep { !/^(?:200|reconnect)$/ }
        keys %$count; $n };

$t->done();


# what a client sees meanwhile, a new connection each time

sub ask {
    my ($seconds) = @_;

    my $end = time() + $seconds;
    @asked = ();

    while (time() < $end) {
        my $begin = time();
        my $status = $t->http_get('/44/x')->status;

        die "answered $status\n" if $status != 200;
        push @asked, time() - $begin;
        sleep 0.001;
    }

    @asked = sort { $a <=> $b } @asked;
}


sub measure {
    my ($code) = @_;

    # in place: the file is mapped

    open my $fh, '+<', $file or die "$file: $!\n";
    syswrite $fh, "\0" x (256 * 64);
    close $fh;

    $code->();

    my %worker = map { $_ => 1 } $t->workers();
    my @slots = unpack '(a64)*', $t->read_file('probe');
    my ($cpu, $wall, $turns, $start) = (0, 0, 0, 0);

    for (@slots) {
        my ($pid, $c, $w, $n, $s) = unpack 'Q5', $_;

        next unless $worker{$pid};
        $cpu = $c if $c > $cpu;
        $wall = $w if $w > $wall;
        $turns += $n;
        $start = $s if $s > $start;
    }

    return ($cpu, $wall, $turns, $start);
}


sub show {
    my ($name, $cpu, $wall, $turns, $start) = @_;

    printf "stall_%s_cpu\t%.2f\tms, the longest of %d turns\n", $name,
        $cpu / 1e6, $turns;
    printf "stall_%s_wall\t%.2f\tms, by the wall\n", $name, $wall / 1e6;
    printf "stall_%s_start\t%.2f\tms, from the fork to the first turn\n",
        $name, $start / 1e6 if $start;
    printf "stall_%s_answer\t%.2f\tms, the longest of %d (99%%: %.2f)\n",
        $name, $asked[-1] * 1000, scalar @asked, $asked[@asked * 0.99] * 1000
        if @asked;
    @asked = ();
}


sub platforms {
    my @pools = map { { id => "p$_", platform => 'bj' } } 1 .. $pools;
    my @instances = map { { id => "i$_", pool => 'p' . (1 + $_ % $pools),
        address => sprintf('10.%d.%d.%d', 1 + $_ / 62500, $_ / 250 % 250,
            1 + $_ % 250), port => 8080 } } 1 .. $instances;
    my @routes = map { { id => "r$_", platform => 'bj',
        pool => 'p' . (1 + $_ % $pools),
        match => { paths => ["/s" . $_ % 700 . "/item$_/"] } } }
        1 .. $routes;

    return JSON::PP->new->encode({
        platforms => [{ id => 'gd', region => '440000' },
            { id => 'bj', region => '110000' }],
        pools => [{ id => 'gd-web', platform => 'gd' }, @pools],
        instances => [{ id => 'gd-1', pool => 'gd-web',
            address => '127.0.0.1', port => $port }, @instances],
        routes => [{ id => 'gd', platform => 'gd', pool => 'gd-web',
            match => { paths => ['/44/'] } }, @routes],
    });
}
