#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# The audit store as a Redis stream: contiguous numbers, exactly what is in
# the files, through kill -9 of Redis and of workers, FLUSHALL, no memory,
# a failover to a replica that is behind, and trimming.

use strict;
use warnings;

use Test::More;
use IO::Socket::INET;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Redis;

my $t = Test::GovSvc->new(workers => 2)->has('redis-server');
my $rs = Test::GovSvc::Redis->new($t);

my $redis = $rs->server(appendonly => 'yes', appendfsync => 'always');
my $primary = $rs->server('min-replicas-to-write' => 0);
my $replica = $rs->replica($primary);
my $sentinel = $rs->sentinel($primary, 'gov');

$t->expect_log(qr/\[(error|crit)\].* stream "|redis "\w+"|\[error\].*connect/);

$t->http_conf(<<"END")->run();
govsvc_node n1;
govsvc_redis one { server 127.0.0.1:$redis->{port}; reconnect 20ms max=100ms; }
govsvc_redis ha { sentinel gov 127.0.0.1:$sentinel->{port};
    breaker silence=600ms; reconnect 20ms max=100ms; command_timeout 500ms; }
govsvc_audit_store dir=audit alg=sha256 flush=5ms segment=64k;
govsvc_audit_redis one batch=7;
govsvc_audit_redis one stream=requests:%node types=http maxlen=20
    groups=siem,risk;
govsvc_audit_redis ha stream=audit;
govsvc_audit meta;

server {
    listen 127.0.0.1:%%PORT_0%%;
    location / { return 200 "ok"; }
}
END

my ($all, $requests, $ha) = ('gs:audit:n1', 'gs:requests:n1', 'gs:audit');

# The entries of a stream: [ id, { field => value } ], ...

sub entries {
    my ($s, $key) = @_;

    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $s->{port}, Timeout => 2) or return;

    print $socket Test::GovSvc::Redis::resp('XRANGE', $key, '-', '+');
    $socket->flush();

    my $r = parse($socket);

    return map { [ $_->[0], { @{$_->[1]} } ] } ref $r ? @$r : ();
}

sub parse {
    my ($socket) = @_;

    my $line = <$socket> // return undef;
    my ($type, $rest) = $line =~ /^(.)(.*)\r\n$/s or return undef;

    return [ map { parse($socket) } 1 .. $rest ] if $type eq '*';
    return $rest if $type ne '$';

    read $socket, my $text, $rest + 2;

    return substr $text, 0, $rest;
}

sub lines {
    return map { split /\n/, $t->read_file($_) } $t->audit_files();
}

# Ids without gaps, and without doubles exactly the lines of the files.

sub same {
    my ($s, $key, $what, %opt) = @_;

    my (@e, %seen, @lines, $gaps);

    my $ok = $t->wait_for(sub {
        @e = entries($s, $key);
        @lines = grep { !$opt{type} || /"ty":"$opt{type}"/ } lines();
        %seen = map { $_->[1]{e} => 1 } @e;
        return @lines && @lines == keys %seen;
    }, 20);

    $gaps = grep { $e[$_][0] ne (($e[$_ - 1][0] =~ /^(\d+)-0$/)[0] + 1) . '-0' }
            1 .. $#e;

    is($gaps, 0, "$what: ids without gaps");
    is_deeply([ sort keys %seen ], [ sort @lines ],
        "$what: what is in the files") or diag scalar(@e), ' entries, ',
            scalar(@lines), ' lines';

    return @e;
}

sub load {
    my ($n, $path) = @_;

    $t->http_parallel([ map { $t->request('GET', "$path/$_") } 1 .. $n ],
        concurrency => 8);
}

load(100, '/first');

my @e = same($redis, $all, 'at first');
is($e[0][0], '1-0', 'the first number');
is(scalar(@e), scalar(grep { $_->[1]{ty} =~ /^(http|seg\.\w+)$/ } @e),
    'each with its type');
same($primary, $ha, 'behind a Sentinel');

# nothing is trimmed before every group has read it

is(scalar(entries($redis, $requests)), 100, 'no group: nothing is trimmed');
$rs->cli($redis, 'XGROUP', 'CREATE', $requests, 'siem', '$');
$rs->cli($redis, 'XGROUP', 'CREATE', $requests, 'risk', '0');
$rs->cli($redis, 'XGROUP', 'CREATE', $requests, 'other', '0');
my $first = (entries($redis, $requests))[4][0];
$rs->cli($redis, 'XREADGROUP', 'GROUP', 'risk', 'c', 'COUNT', 50, 'STREAMS',
    $requests, '>');
$rs->cli($redis, 'XACK', $requests, 'risk', map { "$_-0" } 1 .. 4);
ok($t->wait_for(sub { (entries($redis, $requests))[0][0] eq $first }),
    'what one group has not acknowledged is the first that is left');
$rs->cli($redis, 'XACK', $requests, 'risk', map { "$_-0" } 5 .. 50);
ok($t->wait_for(sub { entries($redis, $requests) == 50 }),
    'what it has not read stays');
$rs->cli($redis, 'XREADGROUP', 'GROUP', 'risk', 'c', 'COUNT', 50, 'NOACK',
    'STREAMS', $requests, '>');
ok($t->wait_for(sub { entries($redis, $requests) == 20 }),
    'all is read: the length that was asked for');

# Redis is killed under load, with its files on disk

my $load = $t->load_start(uri => '/kill', pause => 0.01);
$t->wait_for(sub { lines() > 200 });
$rs->kill9($redis);
$t->wait_for(sub { lines() > 300 });
$rs->start($redis);
$t->wait_for(sub { lines() > 350 });
$t->load_stop($load);

same($redis, $all, 'kill -9 of Redis');

# a worker is killed, which may be the one that sends

$load = $t->load_start(uri => '/worker', pause => 0.01);
$t->kill_worker();
$t->kill_worker();
$t->load_stop($load);

same($redis, $all, 'kill -9 of both workers');

# the store is the spool: what Redis lost comes again

my $last = (entries($redis, $all))[-1][0];
$rs->cli($redis, 'FLUSHALL');
@e = same($redis, $all, 'FLUSHALL');
is($e[0][0], '1-0', 'the numbers are those of before');
is((grep { $_->[0] eq $last } @e)[0][0], $last, 'all of them');

# no memory in the middle of batches

$load = $t->load_start(uri => '/oom', pause => 0.01);
my $used = $rs->cli($redis, 'INFO', 'memory') =~ /used_memory:(\d+)/ ? $1 : 0;
$rs->cli($redis, 'CONFIG', 'SET', 'maxmemory', $used + 100_000);
ok($t->wait_for(sub { $t->error_log() =~ /stream "$all" waits: oom/ }),
    'Redis has no memory left, and it is told');
$rs->cli($redis, 'CONFIG', 'SET', 'maxmemory', 0);
$t->load_stop($load);

same($redis, $all, 'no memory');
like($t->error_log(), qr/stream "$all" grows again, with record \d+/,
    'and its end is told');

# an entry of somebody else: nothing is added after it, and it is told

$rs->cli($redis, 'XADD', $all, '99999999999-5', 'a', 'b');
ok($t->wait_for(sub {
    $t->error_log() =~ /stream "$all" waits: entries of somebody else/
}), 'an entry of somebody else');
$rs->cli($redis, 'DEL', $all);
same($redis, $all, 'without it');

# a replica that is behind becomes the primary; it is stopped before, so that
# no Sentinel gives it back

same($primary, $ha, 'before the failover');
$rs->pause($replica);
$rs->cli($primary, 'CLIENT', 'KILL', 'TYPE', 'replica');
load(50, '/behind');
same($primary, $ha, 'the primary goes on');
my $whole = entries($primary, $ha);
$rs->kill9($primary);
$rs->resume($replica);
cmp_ok(scalar(entries($replica, $ha)), '<', $whole, 'the replica is behind');

$rs->cli($replica, 'REPLICAOF', 'NO', 'ONE');
$rs->cli($sentinel, 'SENTINEL', 'REMOVE', 'gov');
$rs->cli($sentinel, 'SENTINEL', 'MONITOR', 'gov', '127.0.0.1',
    $replica->{port}, 1);
load(20, '/after');
same($replica, $ha, 'a failover');

# a restart goes on where it was

my $before = (entries($redis, $all))[-1][0];
$t->stop();
$t->run();
load(10, '/restart');
@e = same($redis, $all, 'a restart');
is($e[0][0], '1-0', 'no number twice');

# without the notes all is sent again, under new numbers

$t->stop();
my ($end) = (entries($redis, $all))[-1][0] =~ /^(\d+)/;
unlink glob "$t->{dir}/audit/feed.*";
$t->run();
load(10, '/notes');
@e = same($redis, $all, 'notes that were lost');
cmp_ok(scalar(@e), '>', $end, 'more than once');

$t->done();
