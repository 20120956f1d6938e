#!/usr/bin/perl

# Copyright (C) govsvc authors

# Revocations of three nodes over a real Redis: of every kind, everywhere, and
# lifted; Redis away, wiped, behind, full; a leader killed, a node that comes
# late, a node that gets a secret.

use strict;
use warnings;

use MIME::Base64 qw/decode_base64/;
use Test::More;
use Time::HiRes qw/time/;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc::Admin;
use Test::GovSvc::Limit;


my @nodes = map {
    Test::GovSvc::Admin->new(log => 'notice', workers => 2)
        ->has('mint')->has('redis-server')
} 0 .. 3;

my $redis = Test::GovSvc::Limit->redis($nodes[0]);
my $port = $redis->port();
my $now = time() - 5;
my $set = 'gs:{rev:rev}:set';

for my $t (@nodes) {
    $t->write_file('nodes.key', 'a secret of all the nodes');
    chmod 0600, $t->dir() . '/nodes.key';

    $t->gateway(http => <<"EOH", server => <<'EOS');
    govsvc_redis main { server 127.0.0.1:$port; breaker errors=5 silence=500ms;
        command_timeout 500ms; reconnect 50ms max=200ms; }

    govsvc_token_zone       zone=tokens:256k;
    govsvc_revocation_zone  zone=rev:256k state=%%DIR%%/revoked redis=main
                            secret=nodes.key;

    govsvc_issuer citizens {
        iss        https://citizens.gov.example;
        audience   off;
        jwks_file  @{[ $nodes[0]->dir() ]}/keys/jwks.json;
    }
EOH
        location /citizen {
            govsvc_route  off;
            govsvc_token  required issuer=citizens;
            empty_gif;
        }

        location = /metrics {
            govsvc_route  off;
            govsvc_metrics;
        }
EOS
}

my $late = pop @nodes;


sub token {
    my (%claims) = @_;
    my $alg = delete $claims{alg} // 'ES256';

    return $nodes[0]->token($alg, { iss => 'https://citizens.gov.example',
        iat => int($now) - 60, exp => int($now) + 3600, %claims });
}

# the answers of all workers that answer

sub status {
    my ($t, $token) = @_;

    my @raw = map { $t->request('GET', '/citizen',
        headers => { Authorization => "Bearer $token" }) } 1 .. 6;
    my %seen = map { $_->status => 1 } $t->http_parallel(\@raw,
        concurrency => 3);

    return join ' ', sort keys %seen;
}

sub all {
    my ($status, $token, $name, @which) = @_;

    @which = @nodes unless @which;

    my $start = time();

    ok($nodes[0]->wait_for(sub {
        !grep { status($_, $token) ne $status } @which
    }, 20), $name);

    return time() - $start;
}

sub revoke {
    my ($t, $verb, $kind, $value, %more) = @_;

    return $t->api('security', POST => "revocations$verb",
        { issuer => 'citizens', kind => $kind, value => $value, %more })
        ->status;
}

sub members { return $redis->ask('ZCARD', $set) =~ /^:(\d+)/ ? $1 : -1 }

sub follow {
    my ($n) = @_;

    return $nodes[0]->wait_for(sub {
        my $readers = () = $redis->ask('CLIENT', 'LIST') =~ /cmd=xread/g;
        return $readers == $n;
    }, 20);
}

$_->run() for @nodes;

my %token = (
    jti => token(sub => 'zhang', jti => 'one'),
    sid => token(sub => 'zhang', jti => 'two', sid => 'session-7'),
    sub => token(sub => 'li', jti => 'three'),
    kid => token(sub => 'sun', alg => 'RS256'),
    other => token(sub => 'wang', jti => 'four'),
    old => token(sub => 'wang', jti => 'five', iat => int($now) - 600),
);

all('200', $token{$_}, "$_: good") for sort keys %token;
ok(follow(3), 'one worker of each node follows');


# of each kind, each by another node

my ($kid) = $token{kid} =~ /^([^.]+)/;
($kid) = decode_base64($kid =~ tr{-_}{+/}r) =~ /"kid":"([^"]+)"/;
ok($kid, 'the name of a key');

my %value = (jti => 'one', sid => 'session-7', sub => 'li', kid => $kid);
my $i = 0;
my $slowest = 0;

for my $kind (sort keys %value) {
    is(revoke($nodes[$i++ % 3], '', $kind, $value{$kind}), 200,
        "$kind: revoked");
    my $took = all('401', $token{$kind}, "$kind: refused everywhere");
    $slowest = $took if $took > $slowest;
}

is(revoke($nodes[0], '', 'sub_before', 'wang', before => int($now) - 900),
    200, 'what was issued before');
is(revoke($nodes[1], '', 'sub_before', 'wang', before => int($now) - 300),
    200, 'a later time');
is(revoke($nodes[2], '', 'sub_before', 'wang', before => int($now) - 800),
    200, 'and one in between');
all('401', $token{old}, 'the greatest time holds');
all('200', $token{other}, 'what came later is good');

for my $n (1 .. 20) {
    my $token = token(sub => 'many', jti => "n$n");
    status($_, $token) for @nodes;
    revoke($nodes[$n % 3], '', 'jti', "n$n");
    my $took = all('401', $token, "revocation $n");
    $slowest = $took if $took > $slowest;
}

diag(sprintf 'the slowest of 24 revocations was on all nodes after %.0f ms',
    $slowest * 1000);

# what Redis knows

my $dump = join '', $redis->ask('KEYS', '*'),
    $redis->ask('ZRANGE', $set, 0, -1),
    $redis->ask('XRANGE', 'gs:{rev:rev}:log', '-', '+');
like($dump, qr/[0-9a-f]{32} sub 253402300799 0 \d+ 0\r/, 'hashes');
unlike($dump, qr/session-7|zhang|wang|citizens/, 'no name');

ok($nodes[0]->wait_for(sub { members() == 25 }), 'one member of each');

# lifted everywhere, and revoked again

is(revoke($nodes[1], '/lift', 'sub', 'li'), 200, 'lifted by another');
all('200', $token{sub}, 'good everywhere');
is(revoke($nodes[2], '', 'sub', 'li'), 200, 'again');
all('401', $token{sub}, 'refused everywhere');
ok($nodes[0]->wait_for(sub { members() == 25 }), 'in one member');

# a hostile stream

$redis->ask('XADD', 'gs:{rev:rev}:log', '*', @$_) for (
    [ 'e', '' ], [ 'e', 'x' x 5000 ], [ 'x', 'e' ], [ 'e', "\0" x 91 ],
    [ 'e', '0' x 32 . ' jti 253402300799 0 1' ],
    [ 'e', '0' x 32 . ' jti 253402300800 0 1 0' ],
    [ 'e', '0' x 32 . ' kin 253402300799 0 1 0' ],
    [ 'e', '0' x 32 . ' jti 1 0 1 0' ],
);
$redis->ask('ZADD', $set, 9 x 13, 'junk');

is(revoke($nodes[0], '/lift', 'jti', 'one'), 200, 'a lift behind');
all('200', $token{jti}, 'reached all');
is($nodes[1]->api('security', GET => 'revocations')->json->{entries}, 24,
    'and nothing else did');

# the leader of a node is killed

my $t = $nodes[1];
$t->kill_worker('KILL') for 1 .. 2;
is(revoke($nodes[0], '', 'jti', 'one'), 200, 'meanwhile');
is(revoke($nodes[2], '/lift', 'sid', 'session-7'), 200, 'and lifted');
all('401', $token{jti}, 'the next leader catches up');
all('200', $token{sid}, 'also with what was lifted');

# a node that comes late

$late->run();
all('401', $token{$_}, "$_: the late one knows", $late) for qw/jti sub kid old/;
all('200', $token{$_}, "$_: and no more", $late) for qw/sid other/;
push @nodes, $late;
ok(follow(4), 'and follows');

# Redis dies with all that it knew; meanwhile nodes are on their own

$redis->signal('KILL');
my %away = map { $_ => token(sub => $_, jti => $_) } qw/a b c/;
status($_, $away{a}) for @nodes;

is(revoke($nodes[0], '', 'sub', 'a'), 200, 'revoked without Redis');
is(revoke($nodes[1], '', 'jti', 'b'), 200, 'by another node');
is(revoke($nodes[2], '/lift', 'sub', 'li'), 200, 'and lifted');
is(status($nodes[0], $away{a}), '401', 'in force on the node');
is(status($nodes[1], $away{a}), '200', 'alone');
$t->kill_worker('KILL') for 1 .. 2;

$redis->start();
all('401', $away{a}, 'told when it is back');
all('401', $away{b}, 'though the worker was killed');
all('200', $token{sub}, 'lifted as well');
all('401', $token{$_}, "$_: nobody lost it") for qw/jti kid old/;
ok($nodes[0]->wait_for(sub { members() >= 27 }, 20), 'and all is in the set');

# wiped while everybody is connected

ok(follow(4), 'all follow');
ok($nodes[0]->wait_for(sub {
    $redis->ask('GET', 'gs:{rev:rev}:mark') =~ /[0-9a-f]{32}/
}), 'a mark');
$redis->ask('FLUSHALL');
ok($nodes[0]->wait_for(sub { members() >= 27 }, 20), 'wiped: told again');
is(revoke($nodes[3], '', 'jti', 'c'), 200, 'afterwards');
all('401', $away{c}, 'all follow on');

# a Redis that refuses

$redis->ask(qw/CONFIG SET maxmemory 1/);
my $full = token(sub => 'full', jti => 'full');
is(revoke($nodes[0], '', 'jti', 'full'), 200, 'no memory at Redis');
is(status($nodes[0], $full), '401', 'in force on the node');
ok($nodes[0]->wait_for(sub { $nodes[0]->error_log()
    =~ /redis "main" took no revocation: / }), 'the log tells');
$redis->ask(qw/CONFIG SET maxmemory 0/);
all('401', $full, 'told when it takes it');

# another one that has an older copy, and then less than the nodes know

my $copy = Test::GovSvc::Limit->redis($late, '--replicaof', '127.0.0.1',
    $port);
ok($late->wait_for(sub { $copy->ask('ZCARD', $set) =~ /^:[1-9]/ }, 20),
    'a replica');
$copy->ask('REPLICAOF', 'NO', 'ONE');

my $behind = token(sub => 'behind', jti => 'behind');
is(revoke($nodes[0], '', 'jti', 'behind'), 200, 'the replica does not know');
is(revoke($nodes[1], '/lift', 'jti', 'n1'), 200, 'nor of this');
all('401', $behind, 'all nodes do');

my $n1 = token(sub => 'many', jti => 'n1');
all('200', $n1, 'of both');

my $members = members();
$redis->signal('KILL');
$copy->signal('KILL') if $copy->ask('SAVE') !~ /^\+OK/;
rename $late->dir() . '/dump.rdb', $nodes[0]->dir() . '/dump.rdb' or die $!;
$copy->signal('KILL');
$redis->start();

ok(follow(4), 'a failover to it');
ok($nodes[0]->wait_for(sub { members() == $members }, 20),
    'it has what the nodes know');
all('401', $behind, 'still refused');
all('200', $n1, 'still lifted');

# a restart of a node which was the only one to know

$redis->signal('KILL');
my $alone = token(sub => 'alone', jti => 'alone');
is(revoke($nodes[0], '', 'jti', 'alone'), 200, 'known to one node');
$nodes[0]->stop();
$redis->start();
$nodes[0]->run();
all('401', $alone, 'told after its restart');

ok($nodes[0]->reload(), 'reload');
is(revoke($nodes[1], '', 'jti', 'four'), 200, 'once more');
all('401', $token{other}, 'new workers follow');

# figures of it

$nodes[0]->wait_for(sub {
    $nodes[0]->api('security', GET => 'revocations')->json->{untold} == 0
});
like($nodes[0]->http_get('/metrics')->body, $_, "figures: $_") for (
    qr/^govsvc_revocations\{state="in_force"\} [1-9]/m,
    qr/^govsvc_revocations\{state="untold"\} 0$/m,
    qr/^govsvc_revocations_full_total 0$/m,
    qr/^govsvc_revocation_changes_total\{way="told"\} [1-9]/m,
    qr/^govsvc_revocation_changes_total\{way="heard"\} [1-9]/m,
    qr/^govsvc_revocation_follows 1$/m,
);

$_->finish() for @nodes;
done_testing();
