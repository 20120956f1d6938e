#!/usr/bin/perl

# Copyright (C) govsvc authors

# Changes while requests run: none fails, all workers see each one when it is
# answered, memory stays flat.  GOVSVC_LONG: 1,000 changes.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc::Admin;
use Time::HiRes qw/time/;


my $t = Test::GovSvc::Admin->new(log => 'warn', workers => 2)->has('mint');
my $changes = $ENV{GOVSVC_LONG} ? 1000 : 120;

my %port = map { $_ => $t->backend($_) } qw/a b c/;

$t->gateway(server => 'location = /pid { return 200 $pid; }
        location = /where { govsvc_route on; proxy_pass http://platforms; }
        add_header X-Pid $pid always;')->run();

my $peer = sub {
    return { pool => 'gd-web', address => '127.0.0.1', port => $port{$_[0]} };
};

is($t->create('gd-ops', "instances/$_", $peer->($_))->status, 201, $_)
    for qw/a b/;

my $load = $t->load_start(uri => '/44/x', connections => 4, seconds => 600);

# a first round, so that every page that will be touched has been; the list
# of changes is full after 512

my (%tags, @took, %bad);

sub call {
    my ($r, $want) = @_;

    $bad{$r->status . ' ' . ($r->body // '')}++ if $r->status != $want;

    return $r->header('ETag');
}

sub write_one {
    my ($n) = @_;

    my $begin = time;
    my $step = $n % 6;

    if ($step == 0) {
        $tags{c} = call($t->create('gd-ops', 'instances/c', $peer->('c')),
            201);

    } elsif ($step == 1) {
        $tags{c} = call($t->api('gd-ops', PATCH => 'instances/c',
            { weight => 1 + $n % 7 }, 'If-Match' => $tags{c}), 200);

    } elsif ($step == 2) {
        $tags{r} = call($t->create('system', 'routes/r', { platform => 'gd',
            pool => 'gd-web', match => { paths => ["/r/$n/"] } }), 201);

    } elsif ($step == 3) {
        $tags{c} = call($t->api('gd-ops', PATCH => 'instances/c',
            { state => 'drain' }, 'If-Match' => $tags{c}), 200);

    } elsif ($step == 4) {
        call($t->api('system', DELETE => 'routes/r', undef,
            'If-Match' => $tags{r}), 204);

    } else {
        call($t->api('gd-ops', DELETE => 'instances/c', undef,
            'If-Match' => $tags{c}), 204);
    }

    push @took, time - $begin;
}

my $first = $ENV{GOVSVC_LONG} ? 600 : 60;

write_one($_) for 0 .. $first - 1;

my $before = $t->memory();
my ($unseen, $looked) = (0, 0);

for my $n ($first .. $first + $changes - 1) {
    write_one($n);

    next if $n % 30 != 2 && $n % 30 != 4;

    # on fresh connections until both workers have answered

    my %pid;

    for (1 .. 40) {
        my $r = $t->http_get('/r/' . ($n % 30 == 4 ? $n - 2 : $n) . '/x');
        my $want = $n % 30 == 2 ? 200 : 404;

        $pid{$r->header('X-Pid') // ''}++;
        $unseen++ if $r->status != $want;
        last if keys %pid == 2;
    }

    $looked++;
}

my $after = $t->memory();
my $count = $t->load_stop($load);

is_deeply(\%bad, {}, "$changes changes and $first before them");
cmp_ok($looked, '>', 5, 'looked at the workers');
is($unseen, 0, 'every worker sees a change once it is answered');

my $requests = delete $count->{200} // 0;
delete $count->{reconnect};
is_deeply($count, {}, 'no request failed');
cmp_ok($requests, '>', 100, "of $requests");

@took = sort { $a <=> $b } @took;
my $p99 = $took[int(@took * 0.99)];

diag(sprintf('%d changes, %d requests, median %.1f ms, p99 %.1f ms, '
    . 'memory %d kB to %d kB', scalar @took, $requests,
    $took[@took / 2] * 1000, $p99 * 1000, $before, $after));

SKIP: {
    skip 'sanitizers keep memory', 1 if $ENV{GOVSVC_ASAN}
        || $ENV{GOVSVC_VALGRIND};
    cmp_ok($after, '<', $before * 1.1 + ($ENV{GOVSVC_LONG} ? 1024 : 4096),
        'memory is flat');
}

$t->done();
