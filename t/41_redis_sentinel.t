#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# The Redis transport behind Sentinels, with a failover while commands come in,
# and in a cluster, with slots that move while they do.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw/sleep time/;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Redis;

my $t = Test::GovSvc->new()->has('redis-server');
my $rs = Test::GovSvc::Redis->new($t);

my $primary = $rs->server();
my $replica = $rs->replica($primary);
my @sentinels = map { $rs->sentinel($primary, 'gov', quorum => 1) } 1 .. 2;
my $dead = $t->take_port();
my @nodes = $rs->cluster(3);

my $common = 'command_timeout 500ms; breaker silence=600ms;'
    . ' reconnect 20ms max=100ms;';
my $addresses = join ' ', map { "127.0.0.1:$_->{port}" } @sentinels;

$t->http_conf(<<"END");
govsvc_redis main { sentinel gov 127.0.0.1:$dead $addresses; $common }
govsvc_redis none { sentinel nobody $addresses; $common }
govsvc_redis lost { sentinel gov 127.0.0.1:$dead; $common }
govsvc_redis many { cluster 127.0.0.1:$dead 127.0.0.1:$nodes[0]{port};
    $common }
govsvc_redis alone { server 127.0.0.1:$nodes[0]{port}; $common }

server {
    listen 127.0.0.1:%%PORT_0%%;
    location /main { redis_test main; }
    location /none { redis_test none; }
    location /lost { redis_test lost; }
    location /many { redis_test many; }
    location /alone { redis_test alone; }
    location /state/main { return 200 \$govsvc_redis_state_main; }
    location /state/many { return 200 \$govsvc_redis_state_many; }
    location /state/none { return 200 \$govsvc_redis_state_none; }
}
END

$t->run();

# the first that answers

is(ask('main', 'send', 'SET', 'k', 'v'), 'ok "OK"',
    'the first command waits until the primary is found');
ok($t->wait_for(sub { ask('none', 'send', 'GET', 'k') =~ /^at once down/ }),
    'a name that Sentinel does not know');
is($t->http_get('/state/none')->{body}, 'down', 'is down');
like($t->error_log(), qr/a sentinel of "none" does not know "nobody"/,
    'and told');
ok($t->wait_for(sub { ask('lost', 'send', 'GET', 'k') =~ /^at once down/ }),
    'no sentinel answers');
like(ask('main', 'clock'), qr/epoch 0$/, 'no epoch yet');

# Sentinels must know of the replica before they can promote it.

ok($t->wait_for(sub {
    !grep { $rs->cli($_, 'SENTINEL', 'REPLICAS', 'gov')
        !~ /\b$replica->{port}\b/ } @sentinels
}), 'Sentinels know the replica');

# a failover in mid-load: no request waits longer than its time

my ($slowest, %ended) = (0);
$rs->kill9($primary);
my $end = time() + 15;

while (time() < $end) {
    my $start = time();
    my ($status) = ask('main', 'send', 'INCR', 'n') =~ /^(at once \w+|\w+)/;
    my $took = time() - $start;
    $slowest = $took if $took > $slowest;
    $ended{$status}++;
    last if $status eq 'ok' && keys %ended > 1;
    sleep 0.01;
}

ok($ended{ok}, 'after a failover the replica serves')
    or diag join ' ', map { "$_ $ended{$_}" } sort keys %ended;
cmp_ok($slowest, '<', 5, 'nobody waited for it');
is($rs->cli($replica, 'ROLE') =~ /^\[master/ ? 1 : 0, 1,
    'it is the primary now');
like(ask('main', 'clock'), qr/epoch 1$/, 'writes may have been lost');

# READONLY: the connection is closed and it is asked again who is the primary

$rs->cli($replica, 'REPLICAOF', '127.0.0.1', $dead);
like(ask('main', 'send', 'SET', 'k', 'w'), qr/^readonly /,
    'a primary that became a replica');
ok($t->wait_for(sub { $t->http_get('/state/main')->{body} eq 'down' }),
    'is not spoken to');
$rs->cli($replica, 'REPLICAOF', 'NO', 'ONE');
ok($t->wait_for(sub { ask('main', 'send', 'SET', 'k', 'w') eq 'ok "OK"' }),
    'until it is a primary again');

# a cluster: keys go where they live

ok($t->wait_for(sub { $t->http_get('/state/many')->{body} eq 'ready' }),
    'all nodes of the cluster are connected');

my $good = grep {
    ask('many', 'send&key=1', 'SET', "key$_", $_) eq 'ok "OK"'
} 1 .. 40;
is($good, 40, 'forty keys');

my @held = map { $rs->cli($_, 'DBSIZE') } @nodes;
is($held[0] + $held[1] + $held[2], 40, 'are there');
is(scalar(grep { $_ > 0 } @held), 3, 'on all nodes');
like(ask('many', 'row'), qr/redirects=0 /, 'none was redirected');
is(ask('many', 'multi&key=1', 'SET', '{a}1', 1, ',', 'INCR', '{a}1'),
    'ok ["OK" 2]', 'a transaction in one slot');
like(ask('many', 'multi&key=1', 'SET', 'a', 1, ',', 'SET', 'b', 1),
    qr/^at once bad/, 'none across slots');
is(ask('many', 'session&gap=0&key=1', 'GET', '{a}1'), 'ok "2";',
    'a session goes to the node of its key');

# the slot of {a} is 15495: the third node has it, the first will

my $slot = $rs->cli($nodes[0], 'CLUSTER', 'KEYSLOT', 'a');
my ($from, $to) = @nodes[2, 0];
my %id = map { $_->{port} => $rs->cli($_, 'CLUSTER', 'MYID') } @nodes;

is(ask('many', 'send&key=1', 'SET', 'a', 'moving'), 'ok "OK"', 'before');
$rs->cli($to, 'CLUSTER', 'SETSLOT', $slot, 'IMPORTING', $id{$from->{port}});
$rs->cli($from, 'CLUSTER', 'SETSLOT', $slot, 'MIGRATING', $id{$to->{port}});

for my $key ('a', '{a}1') {
    is($rs->cli($from, 'MIGRATE', '127.0.0.1', $to->{port}, $key, 0, 5000),
        'OK', "$key is moved");
}

is(ask('many', 'send&key=1', 'GET', 'a'), 'ok "moving"', 'ASK is followed');
is(ask('many', 'send&key=1', 'INCR', '{a}1'), 'ok 3', 'and again');
my ($redirects) = ask('many', 'row') =~ /redirects=(\d+)/;
is($redirects, 2, 'each time');

for my $node ($to, $from, $nodes[1]) {
    $rs->cli($node, 'CLUSTER', 'SETSLOT', $slot, 'NODE', $id{$to->{port}});
}

is(ask('many', 'send&key=1', 'INCR', '{a}1'), 'ok 4', 'MOVED is followed');
is(ask('many', 'send&key=1', 'INCR', '{a}1'), 'ok 5', 'once:');
($redirects) = ask('many', 'row') =~ /redirects=(\d+)/;
is($redirects, 3, 'then the node is known');
is(ask('many', 'multi&key=1', 'INCR', '{a}1', ',', 'GET', 'a'),
    'ok [6 "moving"]', 'transactions too');

# a server that is a cluster, but not said to be one

like(ask('alone', 'send', 'SET', 'foo', 1), qr/^moved "MOVED 12182 /,
    'MOVED outside of a cluster is an error');

# a node that is gone: its slots fail fast, the others serve

$rs->kill9($nodes[1]);
ok($t->wait_for(sub { $t->http_get('/state/many')->{body} eq 'down' }),
    'a node is killed');
ok($t->wait_for(sub {
    my @answers = map { ask('many', 'send&key=1', 'GET', "key$_") } 1 .. 40;
    return !grep { !/^(ok|at once down|clusterdown|at once breaker)/ } @answers;
}), 'nobody waits for it');
$rs->start($nodes[1]);
ok($t->wait_for(sub {
    !grep { ask('many', 'send&key=1', 'SET', "key$_", 1) ne 'ok "OK"' }
        1 .. 40
}), 'it comes back');

$t->done();


sub ask {
    my ($redis, $what, @words) = @_;

    my $uri = "/$redis?do=$what" . join '', map { "&a=$_" } @words;
    my $body = $t->http_get($uri)->{body};
    $body =~ s/\s+$//;

    return $body;
}
