#!/usr/bin/perl

# Copyright (C) govsvc authors

# Nodes that share their objects through Redis: each sees what the others
# change, two operators never write over one another, and whatever becomes of
# Redis, the last that was known goes on.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc::Admin;
use Test::GovSvc::OpenApi;
use Test::GovSvc::Redis;
use Time::HiRes qw/sleep time/;


my @n = map { Test::GovSvc::Admin->new(log => 'notice', workers => 2)
    ->has(qw/mint redis-server/) } 0 .. 2;
my $rs = Test::GovSvc::Redis->new($n[0]);
my $redis = $rs->server();
my $other;
my $made = 0;
my $port = $n[0]->backend('a');

for my $i (0 .. 2) {
    node($i);
    $n[$i]->run() if $i < 2;
}

# who comes first founds the store; the others take it

for my $i (0, 1) {
    ok(state($i, 'same'), "node $i follows the store");
}

my $api = Test::GovSvc::OpenApi->new($n[0]->api(undef,
    GET => 'openapi.json')->json);
my @heard;
$n[0]->wait_for(sub {
    @heard = @{$n[0]->api('system', GET => 'nodes')->json->{items}};
    return @heard == 2;
}, 20);
is(scalar @heard, 2, 'both nodes were heard of');
$api->fits($n[0]->api('system', GET => 'nodes'), '/nodes', 'GET');

my $head = $rs->cli($redis, GET => key('head'));
like($head, qr/^[0-9a-f]{16} \d+ [0-9a-f]{16} /, 'the store has a head');

# what one is told, the other knows

is(make(0, 'a')->status, 201, 'written on one node');
ok(seen(1, 'a'), 'there on the other');
is($n[1]->http_get('/44/x')->status, 200, 'and in its table');
is($n[0]->api('system', GET => 'instances/a')->header('ETag'),
    $n[1]->api('system', GET => 'instances/a')->header('ETag'),
    'an ETag is the same on both');

# two operators, two nodes, one object

my $etag = $n[0]->api('system', GET => 'instances/a')->header('ETag');
is(patch(0, 'a', 2, $etag)->status, 200, 'the first wins');
is(patch(1, 'a', 3, $etag)->status, 412, 'the second is told, at once');
is(weight(1, 'a'), 2, 'and sees why');

my $before = weight(0, 'a');
my @got = writers(25, 'a', 0, 1);
my $stored = $got[0][0] + $got[1][0];
ok(agree('a', $before + $stored), "$stored writes of two nodes, none lost");
cmp_ok($_->[0], '>', 0, 'each had some') for @got;

# different objects are no reason to refuse

make(0, "w$_") for 0, 1;
ok(seen(1, 'w1'), 'two more');
@got = writers2(10);
is("@got", '10 10', 'writes of different objects all succeed');

# removed is removed, and leaves a tombstone

is(gone(0, 'w0')->status, 204, 'removed on one');
ok($n[0]->wait_for(sub { weight(1, 'w0') eq 'none' }), 'and on the other');
is($rs->cli($redis, HGET => key('objects', epoch()), 'instances/w0'),
    '{"gone":true}', 'a tombstone');

# who comes late

$n[2]->run();
ok(state(2, 'same'), 'a third node takes the store');
ok(seen(2, 'a'), 'with all that is in it');
is(weight(2, 'w0'), 'none', 'and without what was removed');

my $list = $n[0]->api('system', GET => 'nodes')->json->{items};
ok($n[0]->wait_for(sub {
    $list = $n[0]->api('system', GET => 'nodes')->json->{items};
    @$list == 3 && !grep { $_->{lag} != 0 || $_->{store} ne 'same' } @$list
}), 'three nodes, none behind') or diag(explain($list));
is(join(' ', sort map { $_->{id} } @$list), 'gw-0 gw-1 gw-2', 'by name');

# a node that was away, while the log was cut: it reads all of it

$n[2]->stop();
patch(0, 'a', 40);
make(0, "m$_") for 1 .. 5;
$rs->cli($redis, XTRIM => key('log', epoch()), MAXLEN => 1);
$n[2]->run();
ok(seen(2, 'm5'), 'a node that was away has the latest');
is(weight(2, 'a'), 40, 'and what the log has no more');
like($n[2]->error_log(), qr/all of revision \d+ is read/, 'by reading all');

# an object that is broken is left alone, later ones are not

$rs->cli($redis, HSET => key('objects', epoch()), 'instances/m1', '{"x":');
$rs->cli($redis, HSET => key('objects', epoch()), 'nothing/m1', '{}');
$n[2]->stop();
make(0, 'm6');
$rs->cli($redis, XTRIM => key('log', epoch()), MAXLEN => 0);
$n[2]->run();
ok(seen(2, 'm6'), 'past broken objects');
is(weight(2, 'm1'), 1, 'what is broken stays as it was');
like($n[2]->error_log(), qr/"instances\/m1" of the store is broken/, 'told');

# the elected worker dies in the middle of changes

my $writer = begin(30, 'a', 0);

for (1 .. 3) {
    sleep 0.2;
    $n[1]->kill_worker('KILL', $_) for $n[1]->workers();
}

my ($done) = result($writer);
cmp_ok($done, '>', 0, "$done changes while workers of the other die");
ok(agree('a', weight(0, 'a')), 'and it has them all');

# Redis is away: what runs goes on, changes are refused, and all comes back

$rs->kill9($redis);
is($n[1]->http_get('/44/x')->status, 200, 'without Redis requests go on');
my $r = make(1, 'x');
is($r->status, 503, 'changes are refused');
ok($r->header('Retry-After'), 'with a time to come again');
is(weight(1, 'a'), weight(0, 'a'), 'reading goes on');
$n[1]->reload();
is($n[1]->http_get('/44/x')->status, 200, 'also after a reload');

# it comes back with nothing: nobody takes that

$rs->start($redis);
ok(state(0, 'wiped'), 'a store that was wiped');
is($n[0]->http_get('/44/x')->status, 200, 'is not taken');
is(make(0, 'x')->status, 503, 'and takes no changes');
like($n[0]->error_log(), qr/\[crit\] .* is wiped .*snapshot\/accept/, 'alarm');
is(take(0, 'store')->status, 409, 'nothing cannot be accepted');
is(take(0, 'all')->status, 422, 'a word that is none');
is($n[0]->api('gd-ops', POST => 'snapshot/accept', { from => 'node' })
    ->status, 403, 'a province accepts nothing');
is(take(0, 'node')->status, 200, 'an operator says what goes on');

for my $i (0 .. 2) {
    ok(state($i, 'same'), "node $i follows again");
}

# each worker finds Redis again in its own time

ok($n[1]->wait_for(sub { make(1, 'x')->status == 201 }),
    'changes go on');
ok(seen(2, 'x'), 'on all nodes');

# it went back

my $old = $rs->cli($redis, GET => key('head'));
$other = weight(0, 'a');
patch(0, 'a', 77);
ok(agree('a', 77), 'a change that the store will forget');
$rs->cli($redis, SET => key('head'), $old);
ok(state($_, 'rolled back'), "node $_ sees that it went back") for 0, 1;
is(make(0, 'y')->status, 503, 'changes are refused');
is(weight(1, 'a'), 77, 'what runs goes on');
is(take(1, 'store')->status, 200, 'an operator takes what the store has');
ok(state($_, 'same'), "node $_ follows again") for 0 .. 2;
is(make(0, 'y')->status, 201, 'changes go on');
ok(seen(1, 'y'), 'on all nodes');

# another history of the same length

my ($e, $rev, $tip, $rest) = split / /, $rs->cli($redis, GET => key('head')),
    4;
$rs->cli($redis, SET => key('head'),
    join ' ', $e, $rev, '00000000000000ff', $rest);
ok(state(0, 'forked'), 'another history');
is(take(0, 'node')->status, 200, 'the node\'s goes on');
ok(state($_, 'same'), "node $_ follows") for 0 .. 2;

# a snapshot that is damaged: the generation before it, and the store

$n[2]->stop();
my $file = 'state/registry.json';
my $text = $n[2]->read_file($file);
substr($text, length($text) / 2, 1) ^= "\x01";
$n[2]->write_file($file, $text);
patch(0, 'a', 5);
$n[2]->run();
ok(state(2, 'same'), 'a damaged snapshot');
ok(agree('a', 5), 'is made good by the store');

# the words of nginx -t

for my $case (
    ['zone=r:1m redis=main', qr/"redis=" of "govsvc_registry" needs "snapshot/],
    ['zone=r:1m snapshot=x redis=none', qr/"none"/],
    ['zone=r:1m snapshot=x redis=', qr/invalid parameter "redis="/],
) {
    like($n[0]->conf_error("govsvc_platforms platforms.json;\n"
        . "govsvc_registry $case->[0];"), $case->[1], $case->[0]);
}

$_->finish() for @n;
done_testing();


sub node {
    my ($i) = @_;

    $n[$i]->gateway(registry =>
        'zone=registry:4m snapshot=%%DIR%%/state/registry.json redis=main',
        http => "govsvc_node gw-$i;
    govsvc_redis main { server 127.0.0.1:$redis->{port};
        command_timeout 3s; breaker silence=4s;
        reconnect 20ms max=100ms; }");
}


sub key { 'gs:{registry}:' . join ':', @_ }

sub epoch { (split / /, $rs->cli($redis, GET => key('head')))[0] }

sub state {
    my ($i, $state) = @_;

    return $n[$i]->wait_for(sub {
        my $json = $n[$i]->api('system', GET => 'nodes')->json;
        my $node = $json->{node} // $json->{items}[0];
        ($node->{store} // '') eq $state
    });
}

# One that answers, and others that are only there.

sub make {
    my ($i, $id) = @_;

    return $n[$i]->create('gd-ops', "instances/$id", { pool => 'gd-web',
        weight => 1, address => '127.0.0.1', port => $id eq 'a' ? $port
        : 2000 + $made++, $id eq 'a' ? () : (state => 'drain') });
}

sub gone {
    my ($i, $id) = @_;

    return $n[$i]->api('system', DELETE => "instances/$id", undef,
        'If-Match' => $n[$i]->api('system', GET => "instances/$id")
            ->header('ETag'));
}

sub weight {
    my ($i, $id) = @_;

    my $r = $n[$i]->api('system', GET => "instances/$id");
    return $r->status == 200 ? $r->json->{weight} : 'none';
}

sub seen {
    my ($i, $id) = @_;

    return $n[$i]->wait_for(sub { weight($i, $id) ne 'none' });
}

sub agree {
    my ($id, $weight) = @_;

    return $n[0]->wait_for(sub {
        !grep { weight($_, $id) ne $weight } grep { $n[$_]{main} } 0 .. 2
    }) || diag(join ' ', $weight, map { weight($_, $id) } 0 .. 2) && 0;
}

sub patch {
    my ($i, $id, $weight, $tag) = @_;

    $tag //= $n[$i]->api('system', GET => "instances/$id")->header('ETag');
    return $n[$i]->api('system', PATCH => "instances/$id",
        { weight => $weight }, 'If-Match' => $tag);
}

sub take {
    my ($i, $from) = @_;
    my $r;

    # the connections of both workers are there again

    $n[$i]->wait_for(sub {
        $r = $n[$i]->api('system', POST => 'snapshot/accept',
            { from => $from });
        return $r->status != 503;
    });

    return $r;
}

# A writer of its own: what it reads plus one, if nobody was faster.

sub begin {
    my ($count, $id, $i) = @_;

    pipe my $out, my $in or die;
    my $pid = fork() // die;

    if ($pid == 0) {
        close $out;
        my ($stored, $met) = (0, 0);

        for (1 .. $count) {
            my $got = $n[$i]->api('system', GET => "instances/$id");
            my $r = patch($i, $id, $got->json->{weight} + 1,
                $got->header('ETag'));
            $stored++ if $r->status == 200;
            $met++ if $r->status == 412;
        }

        print $in "$stored $met\n";
        close $in;
        POSIX::_exit(0);
    }

    close $in;
    return { pid => $pid, out => $out };
}

sub result {
    my ($writer) = @_;

    my $line = readline $writer->{out};
    waitpid $writer->{pid}, 0;

    return split ' ', $line // '0 0';
}

sub writers {
    my ($count, $id, @nodes) = @_;

    my @writers = map { begin($count, $id, $_) } @nodes;
    return map { [result($_)] } @writers;
}

sub writers2 {
    my ($count) = @_;

    my @writers = map { begin($count, "w$_", $_) } 0, 1;
    return map { (result($_))[0] } @writers;
}
