#!/usr/bin/perl

# Copyright (C) govsvc authors

# Two gateways share their objects through a Redis that forgets: all of it
# amid writes, or what came behind an older snapshot, also while a node that
# knows no better writes on.  Nothing that was answered 2xx is lost or goes
# back unless an operator says so, and that is told.

use strict;
use warnings;

use File::Copy qw/copy/;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc::Admin;
use Test::GovSvc::Redis;


my @n = map { Test::GovSvc::Admin->new(log => 'notice', workers => 2)
    ->has(qw/mint redis-server/) } 0 .. 2;
my $rs = Test::GovSvc::Redis->new($n[0]);
my $redis = $rs->server();
my $port = $n[0]->backend('a');

for my $i (0 .. 2) {
    $n[$i]->gateway(registry =>
        'zone=registry:4m snapshot=%%DIR%%/state/registry.json redis=main',
        http => "govsvc_node gw-$i;
    govsvc_redis main { server 127.0.0.1:$redis->{port};
        command_timeout 3s; breaker silence=4s;
        reconnect 20ms max=100ms; }");
    $n[$i]->run() if $i < 2;
}

sub state_of {
    my ($i) = @_;
    my $json = $n[$i]->api('system', GET => 'nodes')->json or return '';
    my $node = $json->{node} // $json->{items}[0];

    return $node->{store} // '';
}

sub becomes {
    my ($i, $state, $name) = @_;

    ok($n[$i]->wait_for(sub { state_of($i) eq $state }, 60),
        $name // "node $i: $state") or diag(state_of($i), $n[$i]->error_log());
}

sub weight {
    my ($i, $id) = @_;
    my $r = $n[$i]->api('system', GET => "instances/$id");

    return $r->status == 200 ? $r->json->{weight} : 'none';
}

sub agree {
    my ($name, %want) = @_;
    my @bad;

    ok($n[0]->wait_for(sub {
        @bad = map { my $id = $_; grep { weight($_, $id) ne $want{$id} }
            grep { $n[$_]{main} } 0, 1 } sort keys %want;
        return !@bad;
    }, 60), $name) or diag(join ', ', map { my $id = $_;
        "$id: " . join ' ', map { weight($_, $id) } 0, 1 } keys %want);
}

sub make {
    my ($i, $id, $number) = @_;

    return $n[$i]->create('gd-ops', "instances/$id", { pool => 'gd-web',
        weight => 1, address => '127.0.0.1', port => $number // $port,
        $number ? (state => 'drain') : () });
}

sub patch {
    my ($i, $id, $weight) = @_;
    my $r;

    $n[$i]->wait_for(sub {
        $r = $n[$i]->change('system', PATCH => "instances/$id",
            { weight => $weight });
        return $r->status != 412;
    });

    return $r->status;
}

# (the connections of both workers may still be on their way)

sub settle {
    my ($i, $from, $name) = @_;
    my $r;

    $n[$i]->wait_for(sub {
        $r = $n[$i]->api('system', POST => 'snapshot/accept',
            { from => $from });
        return $r->status != 503;
    }, 60);

    is($r->status, 200, $name) or diag($r->raw);
}

sub goes_on {
    my ($i, $id, $weight) = @_;

    ok($n[$i]->wait_for(sub { patch($i, $id, $weight) == 200 }, 60),
        "node $i takes changes");
    agree('which both have', $id => $weight);
}

# Writes one after the other, until it is told to stop: what was answered
# last, and how often it was refused.

sub writer {
    my ($i, $id) = @_;

    pipe my $out, my $in or die;
    my $pid = fork() // die;

    if ($pid == 0) {
        my ($stop, $done, $refused, %other);
        local $SIG{TERM} = sub { $stop = 1 };

        for (my $w = 2; !$stop && $w < 9999; $w++) {
            my $r = $n[$i]->change('system', PATCH => "instances/$id",
                { weight => $w });

            if ($r->status == 200) {
                $done = $w;

            } else {
                $refused++ if $r->status == 503;
                $other{$r->status}++;
                select undef, undef, undef, 0.02;
            }
        }

        syswrite $in, join(' ', $done // 1, $refused // 0,
            map { "$_:$other{$_}" } sort keys %other) . "\n";
        POSIX::_exit(0);
    }

    close $in;
    return { pid => $pid, out => $out };
}

sub written {
    my ($writer) = @_;

    kill 'TERM', $writer->{pid};
    my $line = readline($writer->{out}) // '';
    waitpid $writer->{pid}, 0;

    return split ' ', $line;
}

becomes($_, 'same') for 0, 1;
is(make(0, 'a')->status, 201, 'one at node 0');
ok($n[1]->wait_for(sub { make(1, 'b', 2001)->status == 201 }, 60),
    'one at node 1');
agree('both know both', a => 1, b => 1);

# everything goes, amid the writes of both

my @writers = map { writer($_, (qw/a b/)[$_]) } 0, 1;

ok($n[0]->wait_for(sub { weight(1, 'a') > 5 && weight(0, 'b') > 5 }, 60),
    'both write');
is($rs->cli($redis, 'FLUSHALL'), 'OK', 'everything goes');
becomes($_, 'wiped') for 0, 1;

my @done = map { [written($_)] } @writers;

is(weight($_, (qw/a b/)[$_]), $done[$_][0],
    "the last one that node $_ answered is there: $done[$_][0]") for 0, 1;
is($n[$_]->http_get('/44/x')->status, 200, "node $_ serves") for 0, 1;
is(patch($_, 'a', 9), 503, "node $_ takes no changes") for 0, 1;
like($n[$_]->error_log(), qr/\[crit\] .* is wiped/, "node $_ says so")
    for 0, 1;
diag("writes: @{$done[0]}, @{$done[1]}") if $ENV{GOVSVC_VERBOSE};

# each knows its own last one; what the other did not see is lost by name

my @seen = map { { a => weight($_, 'a'), b => weight($_, 'b') } } 0, 1;

# a node that has nothing finds nothing, and founds a store

$n[2]->run();
becomes(2, 'same', 'a new node founds another store');
ok($n[2]->wait_for(sub { make(2, 'n', 2003)->status == 201 }, 60),
    'and writes to it');
becomes($_, 'foreign') for 0, 1;
is(weight($_, (qw/a b/)[$_]), $done[$_][0], "node $_ keeps its own")
    for 0, 1;
is(weight($_, 'n'), 'none', 'and takes nothing') for 0, 1;

settle(0, 'node', 'what node 0 has goes on');
becomes($_, 'same') for 0 .. 2;
agree('node 1 takes it', %{$seen[0]});

ok($seen[0]{b} == $seen[1]{b}
    || $n[1]->error_log() =~ /\[crit\].*(?:forked|rolled back|lost)/,
    'what only node 1 had is no secret');

ok($n[2]->wait_for(sub { weight(2, 'a') eq $seen[0]{a}
    && weight(2, 'n') eq 'none' }, 60), 'and so does the new one');
$n[2]->stop();
goes_on(1, 'b', 500);

# back to an older snapshot

is($rs->cli($redis, 'SAVE'), 'OK', 'a snapshot');
copy("$redis->{dir}/dump.rdb", "$redis->{dir}/old.rdb") or die $!;
is(patch($_, (qw/a b/)[$_], 600), 200, "node $_ changes") for 0, 1;
is(make(0, 'c', 2002)->status, 201, 'and one more');
agree('on both', a => 600, b => 600, c => 1);

sub back {
    $rs->kill9($redis);
    copy("$redis->{dir}/old.rdb", "$redis->{dir}/dump.rdb") or die $!;
    $rs->start($redis);
}

back();
becomes($_, 'rolled back') for 0, 1;
agree('what runs goes on', a => 600, b => 600, c => 1);
is(patch($_, 'a', 9), 503, "node $_ takes no changes") for 0, 1;
ok($n[$_]->reload(), "node $_ is reloaded") for 0, 1;
becomes($_, 'rolled back', 'and still knows') for 0, 1;
agree('all of it', a => 600, b => 600, c => 1);
settle(1, 'node', 'what node 1 has goes on');
becomes($_, 'same') for 0, 1;
agree('nothing was lost', a => 600, b => 600, c => 1);
goes_on(0, 'a', 601);

# a node that was away since then finds the old store, as it knows it, and
# writes on: longer than what the other one has

$rs->cli($redis, 'SAVE');
copy("$redis->{dir}/dump.rdb", "$redis->{dir}/old.rdb") or die $!;
$n[0]->stop();
is(patch(1, 'a', 700 + $_), 200, "node 1 alone: $_") for 1 .. 3;

my @workers = $n[1]->workers();

kill 'STOP', @workers;
back();
$n[0]->run();
becomes(0, 'same', 'node 0 knows no better');
agree_at(0, 'what it has is old', a => 601);
ok($n[0]->wait_for(sub { patch(0, 'b', 800) == 200 }, 60), 'it writes on');
is(patch(0, 'b', 800 + $_), 200, "and on: $_") for 1 .. 5;
kill 'CONT', @workers;

ok($n[1]->wait_for(sub { state_of(1) =~ /^(?:forked|rolled back)$/ }, 60),
    'node 1 sees another history') or diag(state_of(1));
agree_at(1, 'and keeps its own', a => 703, b => 600);
is(patch(1, 'a', 9), 503, 'takes no changes');
like($n[1]->error_log(), qr/\[crit\] .* is forked/, 'and says so');
is($n[1]->http_get('/44/x')->status, 200, 'and serves');
settle(1, 'store', 'an operator takes the store');
becomes($_, 'same') for 0, 1;
agree('one truth', a => 601, b => 805);
goes_on(1, 'a', 900);

$_->finish() for @n;
done_testing();


sub agree_at {
    my ($i, $name, %want) = @_;

    ok($n[$i]->wait_for(sub {
        !grep { weight($i, $_) ne $want{$_} } keys %want
    }, 60), $name) or diag(join ' ', map { "$_ " . weight($i, $_) }
        sort keys %want);
}
