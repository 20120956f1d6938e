#!/usr/bin/perl

# Copyright (C) govsvc authors

# The registry survives: workers killed in the middle of a change, reloads
# without end, two writers of one object, a snapshot that is damaged, cut,
# gone or unwritable.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc::Admin;


my $t = Test::GovSvc::Admin->new(log => 'notice', workers => 2)->has('mint');
my $rounds = $ENV{GOVSVC_LONG} ? 40 : 6;

my $port = $t->backend('a');
my $file = $t->dir() . '/state/registry.json';

$t->gateway()->run();

sub weight { $t->api('system', GET => 'instances/a')->json->{weight} }

is($t->create('gd-ops', 'instances/a', { pool => 'gd-web', weight => 1,
    address => '127.0.0.1', port => $port })->status, 201, 'registered');

# A writer of its own, that tells what was answered.  With If-Match of what it
# read before: who else writes is never written over.

sub writer {
    my ($n, $id) = @_;

    pipe my $out, my $in or die;
    my $pid = fork() // die;

    if ($pid == 0) {
        close $out;
        my ($stored, $met) = (0, 0);

        for my $i (1 .. $n) {
            my $got = $t->api('system', GET => "instances/$id");
            my $etag = $got->header('ETag') or next;
            my $r = $t->api('system', PATCH => "instances/$id",
                { weight => $got->json->{weight} + 1 },
                'If-Match' => $etag);
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

# two operators: each that was answered 200 counts, none is lost

my $before = weight();
my @writers = map { writer(40, 'a') } 1 .. 2;
my @result = map { [result($_)] } @writers;
my $stored = $result[0][0] + $result[1][0];

is(weight(), $before + $stored, "$stored changes of two operators, all there");
cmp_ok($result[0][1] + $result[1][1], '>', 0,
    ($result[0][1] + $result[1][1]) . ' met another and got 412');

# workers killed at any time: an answered change stands

my $load = $t->load_start(uri => '/44/x', connections => 2, seconds => 120);

for my $round (1 .. $rounds) {
    my $from = weight();
    my $writer = writer(30, 'a');

    select undef, undef, undef, 0.02 + rand 0.1;

    for my $pid ($t->workers()) {
        $t->kill_worker('KILL', $pid);
    }

    my ($n) = result($writer);
    my $now = weight() // 0;

    cmp_ok($now, '>=', $from + $n, "round $round: $n answered, all there");
    cmp_ok($now, '<=', $from + 30, 'and nothing that was not asked for');
}

# what runs is what is stored

ok($t->wait_for(sub {
    my $node = $t->api('system', GET => 'nodes')->json->{items}[0];
    $node->{committed} == $node->{applied}
        && $node->{applied} == $node->{revision};
}), 'the table is that of the file');

is($t->change('system', PATCH => 'instances/a', { state => 'drain' })->status,
    200, 'and changes go on');
is($t->http_get('/44/x')->status, 503, 'on all workers');
$t->load_stop($load);
$t->change('system', PATCH => 'instances/a', { state => 'enabled' });

# a reload storm: nothing is lost, no request fails

$load = $t->load_start(uri => '/44/x', connections => 2, seconds => 120);
my $from = weight();
my $writer = writer(60, 'a');

ok($t->reload(), "reload $_") for 1 .. 4;

my ($n) = result($writer);
is(weight(), $from + $n, "$n changes amid reloads, all there");

my $count = $t->load_stop($load);
my $served = delete $count->{200} // 0;
delete $count->{reconnect};
is_deeply($count, {}, "none of $served requests failed");

# a snapshot that cannot be written: refused, and nothing is changed

my $weight = weight();

SKIP: {
    mkdir "$file.new" or skip 'cannot make a folder', 3;
    my $r = $t->change('system', PATCH => 'instances/a', { weight => 999 });
    is($r->status, 503, 'not stored');
    is($r->json->{code}, 'NOT_STORED', 'says why');
    is(weight(), $weight, 'not changed');
    rmdir "$file.new";
}

is($t->change('system', PATCH => 'instances/a', { weight => 500 })->status,
    200, 'stored again');
is($t->change('system', PATCH => 'instances/a', { weight => 501 })->status,
    200, 'and again');

# damaged generations: the one before, with an alarm

my $whole = $t->read_file($file);
my %damage = (
    'a bit' => sub { my $x = $_[0]; substr($x, length($x) / 2, 1) ^= "\x01";
        $x },
    'the end cut' => sub { substr $_[0], 0, length($_[0]) - 7 },
    'empty' => sub { '' },
    'another text' => sub { "{}\n" },
    'zeros' => sub { "\0" x length $_[0] },
);

for my $name (sort keys %damage) {
    $t->stop();
    my $log = length $t->error_log();
    $t->write_file($file, $damage{$name}->($whole));
    $t->run();

    is(weight(), 500, "$name: the generation before");
    like(substr($t->error_log(), $log), qr/\[crit\].*is damaged, generation 1 /,
        'with an alarm');
    is($t->http_get('/44/x')->status, 200, 'and serves');

    $t->stop();
    $t->write_file($file, $whole);
    $t->run();
    is(weight(), 501, 'mended');
}

# two damaged, then all: the files of the operator alone

$t->stop();
my @kept = map { $t->read_file($_) } $file, "$file.1", "$file.2";
$t->write_file($_, 'x') for $file, "$file.1";
$t->run();
is(weight(), $weight, 'the third generation');

$t->stop();
$t->write_file("$file.2", 'x');
$t->run();
is($t->api('system', GET => 'instances/a')->status, 404, 'none is whole');
like($t->error_log(), qr/\[crit\].*no generation of the snapshot/, 'alarm');
is($t->http_get('/44/x')->status, 503, 'the files of the operator serve');

# gone while it runs: refused, until a reload accepts what is there

$t->stop();
$t->write_file($file, $kept[0]);
$t->run();
is(weight(), 501, 'as it was');

unlink $file, "$file.1", "$file.2";
my $r = $t->api('system', PATCH => 'instances/a', { weight => 7 },
    'If-Match' => '"x"');
is($r->json->{code}, 'SNAPSHOT_BEHIND', 'nothing is written over nothing');
ok($t->wait_for(sub { (weight() // 0) == 501 }), 'what was known is known');
is($t->http_get('/44/x')->status, 200, 'the last that was good goes on');

# a worker that comes now has read nothing, and does not deny what there is

$t->kill_worker('KILL');

my %told;

ok($t->wait_for(sub {
    my $r = $t->api('system', GET => 'instances/a');
    $told{$r->json->{code} // $r->json->{weight}}++;
    return $told{SNAPSHOT_BEHIND};
}), 'a new worker cannot tell');
is($told{NOT_FOUND}, undef, 'but never says that there is nothing')
    or diag(explain(\%told));
is($t->http_get('/44/x')->status, 200, 'and serves');

# a snapshot that is older than what runs is not taken for news

$t->write_file($file, $kept[2]);
$r = $t->api('system', PATCH => 'instances/a', { weight => 7 },
    'If-Match' => '"x"');
is($r->status, 503, 'rolled back');
is($r->json->{code}, 'SNAPSHOT_BEHIND', 'says so') or diag($r->raw);
is($t->http_get('/44/x')->status, 200, 'the last that was good goes on');
ok($t->reload(), 'a reload accepts it');
is(weight(), $weight, 'what is there now');
like($t->error_log(), qr/\[crit\].*is lost, going on with/, 'with an alarm');
is($t->change('system', PATCH => 'instances/a', { weight => 3 })->status, 200,
    'and goes on');

# an object that no longer fits the files is left out, alone

$t->create('gd-ops', 'pools/extra', { platform => 'gd' });
$t->create('gd-ops', 'instances/extra', { pool => 'extra',
    address => '10.44.0.1', port => 8080 });
$t->write_file('platforms.json', '{"platforms": [{"id": "gd",
    "region": "440000"}, {"id": "extra"}], "pools": [{"id": "gd-web",
    "platform": "gd"}], "instances": [{"id": "z", "pool": "gd-web",
    "address": "10.44.0.99", "port": 80, "state": "down"}], "routes": [{
    "id": "gd", "platform": "gd", "pool": "gd-web",
    "match": {"paths": ["/44/"]}}]}');
$t->create('system', 'platforms/late', {});
$t->create('system', 'pools/late', { platform => 'late' });
ok($t->reload(), 'other files');
is($t->http_get('/44/x')->status, 200, 'all others go on');

$t->done();
