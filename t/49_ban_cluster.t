#!/usr/bin/perl

# Copyright (C) govsvc authors

# Bans of three nodes over a real Redis: set and lifted everywhere, names of
# nobody in Redis; outages, data lost, a leader killed, a node that comes late.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw/time/;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Limit;


my @nodes = map { Test::GovSvc->new(workers => 2)->has('redis-server') } 0 .. 3;
my $redis = Test::GovSvc::Limit->redis($nodes[0]);
my $port = $redis->port();

for my $t (@nodes) {
    $t->write_file('bans.key', 'a secret of all the nodes');
    chmod 0600, $t->dir() . '/bans.key';

    $t->write_file('a.rules', <<'EOF');
rule 100001 all   { match arg:a eq all; ban ip 1h escalate=2 share; }
rule 100002 here  { match arg:a eq here; ban ip 1h; }
EOF

    $t->http_conf(<<"EOF");
    govsvc_redis main { server 127.0.0.1:$port; breaker errors=5 silence=500ms;
        command_timeout 200ms; }

    govsvc_rules     a.rules;
    govsvc_ban_zone  zone=bans:1m redis=main secret=bans.key;

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_guard  on;
        govsvc_ban    zone=bans;

        location / {
            empty_gif;
        }

        location = /bans {
            govsvc_ban          off;
            govsvc_guard        off;
            govsvc_ban_control  zone=bans;
        }
    }
EOF
}

my $late = pop @nodes;
$_->run() for @nodes;

sub status {
    my ($t, $from, $uri) = @_;

    return $t->http_get($uri // '/', from => $from)->status;
}

sub control {
    my ($t, $method, $args) = @_;

    return $t->http_request($method, "/bans?$args")->status;
}

sub all {
    my ($status, $from, $name, @which) = @_;

    my $start = time();

    ok($nodes[0]->wait_for(sub {
        !grep { status($_, $from) != $status } @which ? @which : @nodes
    }), $name);

    return time() - $start;
}


# once every node follows

ok($nodes[0]->wait_for(sub {
    my $n = () = $redis->ask('CLIENT', 'LIST') =~ /cmd=xread/g;
    return $n == 3;
}), 'one worker of each node follows');

is(status($nodes[0], '127.0.1.1', '/?a=all'), 200, 'a rule bans');
is(status($nodes[0], '127.0.1.1'), 403, 'here');
my $slowest = all(403, '127.0.1.1', 'everywhere');

for my $i (2 .. 20) {
    status($nodes[$i % 3], "127.0.1.$i", '/?a=all');
    my $took = all(403, "127.0.1.$i", "ban $i");
    $slowest = $took if $took > $slowest;
}

diag(sprintf 'the slowest of 20 bans was on all nodes after %.0f ms',
    $slowest * 1000);

my ($e) = grep { $_->{rule} == 100001 }
    @{$nodes[1]->http_get('/bans')->json->{bans}};
is("$e->{reason} $e->{actor}", 'all rule', 'with reason and actor');

is(status($nodes[0], '127.0.2.1', '/?a=here'), 200, 'without share');
is(status($nodes[0], '127.0.2.1'), 403, 'only here');

is(control($nodes[1], 'POST', 'net=127.0.3.0%2f24&time=1h'), 204, 'a network');
all(403, '127.0.3.9', 'everywhere');
is(status($nodes[1], '127.0.2.1'), 200, 'not elsewhere');

# what Redis knows

my $dump = join '', $redis->ask('KEYS', '*'),
    $redis->ask('ZRANGE', 'gs:{ban:bans}:set', 0, -1),
    $redis->ask('XRANGE', 'gs:{ban:bans}:log', '-', '+');
like($dump, qr/net:[0-9a-f]{32}:4:32\r/, 'hashes');
unlike($dump, qr/127\.0\.1\.[1-9]/, 'no address');
like($dump, qr/127\.0\.1\.0\/24/, 'a network as the label');

# lifted everywhere

is(control($nodes[2], 'DELETE', 'net=127.0.1.1'), 204, 'lifted by another');
all(200, '127.0.1.1', 'everywhere');
like($redis->ask('ZCARD', 'gs:{ban:bans}:set'), qr/^:20\r/,
    'and out of the set');

status($nodes[2], '127.0.1.1', '/?a=all');
all(403, '127.0.1.1', 'banned again by a node');

# a hostile stream

$redis->ask('XADD', 'gs:{ban:bans}:log', '*', @$_) for (
    [ 'op', 'add' ], [ 'op', 'add', 'k', 'x' x 5000, 'exp', '9' x 19 ],
    [ 'op', 'del', 'k', 'net:' . '0' x 32 ],
    [ 'op', 'add', 'k', 'net:' . '0' x 32 . ':4:33', 'exp', '9' x 13 ],
    [ 'op', 'add', 'k', 'net:' . '0' x 32 . ':6:', 'exp', '9' x 13 ],
    [ 'op', 'add', 'k', 'app:' . '0' x 32 . ':', 'exp', '9' x 13 ],
    [ 'k', 'app:' . '0' x 32, 'exp', '9' x 13, 'op', 'jump' ],
    [ 'op', 'add', 'k', 'app:' . '0' x 32, 'exp', '1' ],
    [ 'op', 'add', 'k', 'app:' . 'f' x 32, 'exp', '9' x 19, 'tier', '99',
        'rule', 'x', 'label', "\xff\"\n" . 'y' x 1000, 'r', 'z' x 5000 ],
);

is(control($nodes[0], 'POST', 'net=127.0.4.1&time=1h'), 204, 'a ban behind');
all(403, '127.0.4.1', 'reached all');
my @apps = grep { $_->{id} =~ /^app:/ }
    @{$nodes[1]->http_get('/bans')->json->{bans}};
is(scalar @apps, 1, 'one entry could be read');
cmp_ok($apps[0]{until}, '<=', 1000 * (time() + 366 * 86400 + 1),
    'for a year at most');

# the leader of a node is killed

my $t = $nodes[1];
$t->kill_worker('KILL') for 1 .. 2;
is(control($nodes[0], 'POST', 'net=127.0.4.2&time=1h'), 204, 'meanwhile');
is(control($nodes[0], 'DELETE', 'net=127.0.4.1'), 204, 'and lifted');
all(403, '127.0.4.2', 'the next leader catches up');
all(200, '127.0.4.1', 'also with what was lifted');

# a node that comes late

$late->run();
all(403, '127.0.1.2', 'the snapshot', $late);
all(403, '127.0.3.77', 'with its networks', $late);
is(status($late, '127.0.4.1'), 200, 'without what was lifted');
push @nodes, $late;

# an outage, in which Redis loses all

$redis->signal('KILL');
is(status($nodes[0], '127.0.5.1', '/?a=all'), 200, 'without Redis');
is(status($nodes[0], '127.0.5.1'), 403, 'a node bans for itself');
is(status($nodes[1], '127.0.5.1'), 200, 'alone');
is(control($nodes[1], 'DELETE', 'net=127.0.1.3'), 204, 'and lifts');
is(status($nodes[1], '127.0.1.3'), 200, 'alone');

$redis->start();
all(403, '127.0.5.1', 'told when it is back');
all(200, '127.0.1.3', 'lifted as well');
ok($nodes[0]->wait_for(sub {
    $redis->ask('ZCARD', 'gs:{ban:bans}:set') =~ /^:(\d+)/ && $1 >= 23
}), 'and all others are in the set again');
all(403, '127.0.1.4', 'nobody lost them');

# a Redis that hangs makes nobody wait

$redis->signal('STOP');
my $start = time();
is(status($nodes[0], '127.0.5.2', '/?a=all'), 200, 'Redis hangs');
is(status($nodes[0], '127.0.5.2'), 403, 'the node does not');
$redis->signal('CONT');
all(403, '127.0.5.2', 'told when it goes on');

ok($nodes[0]->reload(), 'reload');
is(control($late, 'POST', 'net=127.0.5.3&time=1h'), 204, 'a ban behind');
all(403, '127.0.5.3', 'new workers follow');

$_->finish() for @nodes;
done_testing();
