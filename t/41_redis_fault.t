#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Redis servers that refuse, lie or babble: what a command ends with, that the
# breaker opens and closes, and that no byte of theirs harms a worker.

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

my $secret = 'correct-horse';
$t->write_file('redis.pw', "$secret\n");
$t->write_file('wrong.pw', "another\n");
chmod 0600, "$t->{dir}/redis.pw", "$t->{dir}/wrong.pw";

my $primary = $rs->server(requirepass => $secret, user =>
    "gw on >$secret ~gs:* +get +set +incr +role +time +info +client|setname");
my $replica = $rs->replica($primary, masterauth => $secret);
my $unix = $rs->server(port => 0, unixsocket => "$t->{dir}/redis.sock",
    wait => 0);
my $free = $t->take_port();

# Each says nothing wrong until it is asked something with its word in it.

my %say = (
    garbage => "HTTP/1.1 400 Bad Request\r\n\r\n",
    nested => '*1' . "\r\n*1" x 20 . "\r\n:1\r\n",
    huge => "\$99999999999\r\n",
    wide => "*200000\r\n",
    negative => "*-7\r\n",
    number => ":12x\r\n",
    bare => "+OK\n",
    bulk => "\$3\r\nabcdef\r\n",
    line => '+' . 'x' x 5000,
    nul => "\0\0\0\0",
    twice => "+OK\r\n+OK\r\n",
    map => "%1\r\n+a\r\n+b\r\n",
    eof => undef,
);

my $liar = $rs->fake(sub {
    my ($n, $bytes) = @_;
    return Test::GovSvc::Redis::welcome() if $bytes =~ /ROLE/;
    return "*2\r\n\$1\r\n1\r\n\$1\r\n0\r\n" if $bytes =~ /TIME/;
    my ($word) = $bytes =~ /\b(\w+)\r\n$/;
    return exists $say{$word} ? $say{$word} : "+$word\r\n";
});

my $mute = $rs->fake(sub { '' });
my $other = $rs->fake(sub { "SSH-2.0-OpenSSH\r\n" });
my $babble = $rs->fake(sub { "*1\r\n" x 100 });

my %error = (
    oom => 'OOM command not allowed when used memory > maxmemory.',
    misconf => 'MISCONF Redis is configured to save RDB snapshots',
    loading => 'LOADING Redis is loading the dataset in memory',
    noreplicas => 'NOREPLICAS Not enough good replicas to write.',
    readonly => 'READONLY You can\'t write against a read only replica.',
    clusterdown => 'CLUSTERDOWN The cluster is down',
    noauth => 'NOAUTH Authentication required.',
    noperm => 'NOPERM this user has no permissions',
    moved => 'MOVED 1 127.0.0.1:1',
    error => 'ERR something else',
);

my $refuser = $rs->fake(sub {
    my ($n, $bytes) = @_;
    return Test::GovSvc::Redis::welcome() if $bytes =~ /ROLE/;
    return "*2\r\n\$1\r\n1\r\n\$1\r\n0\r\n" if $bytes =~ /TIME/;
    return join '', map { exists $error{$_} ? "-$error{$_}\r\n" : "+$_\r\n" }
        $bytes =~ /SAY\r\n\$\d+\r\n(\w+)/g;
});

my $common = 'command_timeout 1500ms; breaker errors=3 silence=3s;'
    . ' reconnect 20ms max=100ms;';

my %redis = (
    right => "server 127.0.0.1:$primary->{port}; user gw;"
        . ' password_file redis.pw;',
    wrong => "server 127.0.0.1:$primary->{port}; password_file wrong.pw;",
    without => "server 127.0.0.1:$primary->{port};",
    replica => "server 127.0.0.1:$replica->{port};",
    refused => "server 127.0.0.1:$free;",
    liar => "server 127.0.0.1:$liar->{port};",
    mute => "server 127.0.0.1:$mute->{port};",
    other => "server 127.0.0.1:$other->{port};",
    babble => "server 127.0.0.1:$babble->{port};",
    refuser => "server 127.0.0.1:$refuser->{port};",
    unix => "server unix:$unix->{unix};",
    nofile => "server unix:$t->{dir}/none.sock;",
);

my $blocks = join "\n", map { "govsvc_redis $_ { $redis{$_} $common }" }
    sort keys %redis;
my $locations = join "\n", map {
    "location /$_ { redis_test $_; }\n"
    . "location /state/$_ { return 200 \$govsvc_redis_state_$_; }"
} sort keys %redis;

$t->http_conf(<<"END");
$blocks
server {
    listen 127.0.0.1:%%PORT_0%%;
    location /worst { return 200 \$govsvc_redis_state; }
    $locations
}
END

$t->run();

# who is let in

is(wait_state('right'), 'ready', 'AUTH with a user of the ACL');
is(ask('right', 'SET', 'gs:k', 'v'), 'ok "OK"', 'within its rights');
like(ask('right', 'SET', 'other', 'v'), qr/^noperm "NOPERM/,
    'a key beyond them');
like(ask('right', 'FLUSHALL'), qr/^noperm "NOPERM/, 'a command beyond them');
is(ask('right', 'GET', 'gs:k'), 'ok "v"', 'NOPERM is no fault of the server');

is(wait_state('wrong'), 'down', 'a wrong password');
like($t->error_log(), qr/\[error\].*"wrong" has no.*AUTH was refused: WRONGPASS/,
    'is told');
is(wait_state('without'), 'down', 'no password');
like($t->error_log(), qr/"without" has no.*ROLE was refused: NOAUTH/,
    'is told');
is(wait_state('replica'), 'down', 'a replica will not do');
like($t->error_log(), qr/"replica" has no connection.*it is no primary/,
    'and is told');
is(wait_state('refused'), 'down', 'nobody listens');
is(wait_state('unix'), 'ready', 'a UNIX socket');
is(ask('unix', 'PING'), 'ok "PONG"', 'serves as well');
is(wait_state('nofile'), 'down', 'no such socket');
is(wait_state('mute'), 'down', 'a server that says nothing');
like($t->error_log(), qr/"mute" has no connection.*did not answer in/,
    'is given connect_timeout');
is(wait_state('other'), 'down', 'a server of something else');
is(wait_state('babble'), 'down', 'endless arrays');
is($t->http_get('/worst')->{body}, 'down', 'the worst of all');

unlike($t->error_log(), qr/$secret|another/, 'no password in the log');
my $lines = () = $t->error_log() =~ /\[error\].*"refused" has no/g;
is($lines, 1, 'an outage is one line');

# hostile bytes in place of a reply

is(wait_state('liar'), 'ready', 'a server that lies');
is(ask('liar', 'SAY', 'truth'), 'ok "truth"', 'not yet');

for my $lie (sort keys %say) {
    my $answer = ask('liar', 'SAY', $lie);

    like($answer, $lie eq 'twice' ? qr/^ok "OK"/ : qr/^closed -/,
        "$lie: $answer");
    is(wait_state('liar', 'ready'), 'ready', "$lie: it comes back");
    is(ask('liar', 'SAY', 'truth'), 'ok "truth"', "$lie: nothing is left");
}

# refusals: each by its name, three in a row open the breaker

for my $class (sort keys %error) {
    like(ask('refuser', 'SAY', $class), qr/^$class "/, $class);
    is(ask('refuser', 'SAY', 'fine'), 'ok "fine"', "after $class");
}

for my $class (qw/oom readonly misconf loading noreplicas clusterdown
    noauth/)
{
    ask('refuser', 'SAY', $class) for 1 .. 3;
    is($t->http_get('/state/refuser')->{body}, 'breaker',
        "$class opens the breaker");
    like(ask('refuser', 'SAY', 'fine'), qr/^at once breaker/,
        "$class: fails fast");
    ok($t->wait_for(sub { ask('refuser', 'SAY', 'fine') eq 'ok "fine"' }),
        "$class: one that succeeds closes it");
    is($t->http_get('/state/refuser')->{body}, 'ready', "$class: closed");
}

ask('refuser', 'SAY', 'oom') for 1 .. 3;
$t->wait_for(sub { ask('refuser', 'SAY', 'oom') =~ /^oom/ });
like(ask('refuser', 'SAY', 'fine'), qr/^at once breaker/,
    'a probe that fails leaves it open');

ask('refuser', 'SAY', $_) for qw/error noperm moved error noperm moved/;
isnt(wait_state('refuser'), 'down', 'errors of one command do not count');

# the real ones

my $full = $primary;
$rs->cli($full, 'CONFIG', 'SET', 'maxmemory', '1');
like(ask('right', 'SET', 'gs:k', 'v'), qr/^oom "OOM/, 'out of memory');
$rs->cli($full, 'CONFIG', 'SET', 'maxmemory', '0');
$rs->cli($full, 'CONFIG', 'SET', 'min-replicas-to-write', 5);
like(ask('right', 'SET', 'gs:k', 'v'), qr/^noreplicas "NOREPLICAS/,
    'too few replicas');
$rs->cli($full, 'CONFIG', 'SET', 'min-replicas-to-write', 0);
$rs->cli($full, 'REPLICAOF', '127.0.0.1', $free);
like(ask('right', 'SET', 'gs:k', 'v'), qr/^readonly "READONLY/,
    'a primary that became a replica');
$rs->cli($full, 'REPLICAOF', 'NO', 'ONE');
ok($t->wait_for(sub { ask('right', 'SET', 'gs:k', 'v') eq 'ok "OK"' }),
    'and a primary again');

is($t->workers(), 1, 'the worker is there');
$t->done();


sub ask {
    my ($redis, @words) = @_;

    my $uri = "/$redis?do=send" . join '', map { "&a=$_" } @words;
    my $body = $t->http_get($uri)->{body};
    $body =~ s/\s+$//;

    return $body;
}


sub wait_state {
    my ($redis, $want) = @_;

    my $state;
    $t->wait_for(sub {
        $state = $t->http_get("/state/$redis")->{body};
        return defined $want ? $state eq $want : $state ne 'connecting';
    }, 30);

    return $state;
}
