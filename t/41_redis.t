#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# The Redis transport with a server alone: commands, transactions, exclusive
# connections, streams, the clock, and what happens when it fails.

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
my $redis = $rs->server();

$t->http_conf(<<"END");
govsvc_redis main {
    server 127.0.0.1:$redis->{port};
    command_timeout 300ms;
    max_inflight 100;
    breaker errors=5 silence=4s;
    reconnect 20ms max=200ms;
}

server {
    listen 127.0.0.1:%%PORT_0%%;
    location /main { redis_test main; }
    location /state { return 200 "\$govsvc_redis_state \$govsvc_redis_state_MAIN [\$govsvc_redis_state_none]"; }
}
END

$t->run();

# plain commands

ok($t->wait_for(sub { state() eq 'ready' }), 'it connects by itself');
is(ask('send', 'SET', 'k', 'v'), 'ok "OK"', 'status');
is(ask('send', 'GET', 'k'), 'ok "v"', 'bulk');
is(ask('send', 'GET', 'none'), 'ok nil', 'nil');
is(ask('send', 'INCRBY', 'n', '-42'), 'ok -42', 'a negative integer');
is(ask('send', 'MGET', 'k', 'none'), 'ok ["v" nil]', 'array');
is(ask('send', 'SET', 'k2', "a%0d%0a%00b"), 'ok "OK"', 'any bytes go in');
is(ask('send', 'STRLEN', 'k2'), 'ok 5', 'and all of them');
like(ask('send', 'INCR', 'k'), qr/^error "ERR value is not an integer/,
    'an error is told with its text');
like(ask('send', 'NOSUCH'), qr/^error "ERR unknown command/,
    'an unknown command');
is(ask('send', 'LRANGE', 'none', 0, -1), 'ok []', 'an empty array');
like($t->http_get('/main?do=send&a=GET&a=k&key=7')->{body},
    qr/^at once bad/, 'a key that is not there');

# many in one turn: one connection, few writes

like(ask('burst&n=100', 'INCR', 'b'), qr/^ok=100 ms=/, 'a hundred at once');
is(ask('send', 'GET', 'b'), 'ok "100"', 'each of them once');
like(ask('burst&n=130', 'INCR', 'b'), qr/^ok=100 full=30 /,
    'beyond max_inflight it fails fast');

my ($commands, $flushes) = row() =~ /commands=(\d+) flushes=(\d+)/;
cmp_ok($flushes, '<', $commands / 4, 'commands of one turn share a write');
like(row(), qr/inflight=0/, 'none is left in flight');
is(clients(), 1, 'one connection');

# MULTI, sessions

is(ask('multi', 'SET', 'm', 1, ',', 'INCR', 'm', ',', 'GET', 'm'),
    'ok ["OK" 2 "2"]', 'a transaction');
like(ask('multi', 'SET', 'm', 1, ',', 'NOSUCH'), qr/^error "EXECABORT/,
    'a refused transaction');
is(ask('session&gap=0', 'WATCH', 'w', ',', 'MULTI', ',', 'INCR', 'w', ',',
    'EXEC'), 'ok "OK"; ok "OK"; ok "QUEUED"; ok [1];', 'WATCH holds');

my $watch = fork();
if ($watch == 0) {
    for (1 .. 200) {
        $rs->cli($redis, 'INCR', 'w');
        sleep 0.05;
    }
    POSIX::_exit(0);
}
is(ask('session&gap=500', 'WATCH', 'w', ',', 'MULTI', ',', 'INCR', 'w', ',',
    'EXEC'), 'ok "OK"; ok "OK"; ok "QUEUED"; ok nil;',
    'WATCH sees another writer');
kill 'KILL', $watch;
waitpid $watch, 0;
is(clients(), 1, 'sessions are closed');

# the clock, the epoch

my ($skew, $error) = ask('clock') =~ /^skew (-?\d+) error (\d+) epoch 0$/;
cmp_ok(abs $skew, '<=', $error + 99999, 'the clock of this machine is its own');

# streams

my $e = $rs->cli($redis, 'XADD', 'st', '*', 'op', 'before');
ask('stream', 'st', '$');
ok($t->wait_for(sub { log_() eq "ready\n" }), 'a stream from now on');
$rs->cli($redis, 'XADD', 'st', '*', 'op', 'add', 'k', $_) for 1 .. 3;
ok($t->wait_for(sub {
    log_() eq "ready\nentry op add k 1\nentry op add k 2\nentry op add k 3\n"
}), 'entries come in order') or diag log_();

$rs->cli($redis, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
$rs->cli($redis, 'XADD', 'st', '*', 'op', 'meanwhile');
ok($t->wait_for(sub {
    log_() =~ /3\nlost\nentry op meanwhile\nready\n$/
}), 'nothing is lost between two connections') or diag log_();

$rs->cli($redis, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
$rs->cli($redis, 'XADD', 'st', '*', 'op', $_) for qw/x y z/;
$rs->cli($redis, 'XTRIM', 'st', 'MAXLEN', 1);
ok($t->wait_for(sub { log_() =~ /lost\ngap\nentry op z\nready\n$/ }),
    'a trimmed stream is a gap') or diag log_();

my $mark = length log_();
$rs->cli($redis, 'DEL', 'st');
$rs->cli($redis, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
ok($t->wait_for(sub { substr(log_(), $mark) eq "lost\ngap\nready\n" }),
    'a lost stream is a gap') or diag log_();
$rs->cli($redis, 'XADD', 'st', '1-1', 'op', 'new');
ok($t->wait_for(sub { log_() =~ /entry op new\n$/ }),
    'its new history is followed from its start');

$rs->cli($redis, 'XADD', 'st', '1-2', map { ("f$_", 'v') } 1 .. 40);
$rs->cli($redis, 'XADD', 'st', '1-3', 'op', 'after');
ok($t->wait_for(sub { log_() =~ /new\nentry op after\n$/ }),
    'an entry too wide is passed over');
ask('end');
ok($t->wait_for(sub { clients() == 1 }), 'its connection is closed');

$rs->cli($redis, 'DEL', 'big');
$rs->cli($redis, 'XADD', 'big', '*', 'n', $_) for 1 .. 1300;
ask('stream', 'big', '0');
ok($t->wait_for(sub { log_() =~ /entry n 1300\nready\n$/ }),
    'a long stream comes in parts');
is(() = log_() =~ /entry/g, 1300, 'whole');
ask('end');

# callers that leave

$rs->cli($redis, 'CLIENT', 'PAUSE', 200, 'ALL');
my $gone = $t->connect();
print $gone $t->request('GET', '/main?do=send&a=INCR&a=gone');
sleep 0.05;
close $gone;
ok($t->wait_for(sub { ask('send', 'GET', 'gone') eq 'ok "1"' }),
    'a reply to a request that has gone');
is(ask('cancel', 'INCR', 'gone'), 'cancelled', 'a call is cancelled');
ok($t->wait_for(sub { ask('send', 'GET', 'gone') eq 'ok "2"' }),
    'it was carried out, nobody was told');

# slow

$rs->cli($redis, 'CLIENT', 'PAUSE', 1500, 'ALL');
my ($before) = row() =~ /failures=(\d+) /;
is(ask('send', 'GET', 'k'), 'timeout -', 'too late');
ok($t->wait_for(sub { ask('send', 'GET', 'k') eq 'ok "v"' }),
    'the late reply is not taken for the next');
like(row(), qr/failures=$before /, 'the connection was kept');

# silent

$rs->pause($redis);
is(ask('send', 'GET', 'k'), 'timeout -', 'a server that is stopped');
ok($t->wait_for(sub { state() eq 'down' }), 'is given up when silent');
like(ask('send', 'GET', 'k'), qr/^at once down/, 'nothing waits for it');
$rs->resume($redis);
ok($t->wait_for(sub { state() eq 'ready' }), 'it is found again');
is(ask('send', 'GET', 'k'), 'ok "v"', 'and serves');
like(ask('clock'), qr/epoch 0$/, 'the same server: nothing was lost');

# gone

$rs->kill9($redis);
ok($t->wait_for(sub { state() eq 'down' }), 'a server that is killed');
like(ask('send', 'GET', 'k'), qr/^at once down/, 'fails fast');
like(ask('session&gap=0', 'GET', 'k'), qr/no session/, 'no session');
$rs->start($redis);
ok($t->wait_for(sub { state() eq 'ready' }), 'another one is found');
like(ask('clock'), qr/epoch 1$/, 'writes may have been lost');

# a command that may be sent twice waits for the next connection

my $again = cut();
is(ask('send&again=1&timeout=20000', 'BLPOP', 'nolist', '1'), 'ok nil',
    'sent again after a lost connection');
waitpid $again, 0;

my $once = cut();
is(ask('send&timeout=20000', 'BLPOP', 'nolist', '15'), 'closed -',
    'others are not: their outcome is unknown');
waitpid $once, 0;
ok($t->wait_for(sub { state() eq 'ready' }), 'it reconnects');

# reload and a killed worker with commands in flight

my $busy = $t->connect();
print $busy $t->request('GET', '/main?do=send&timeout=5000&a=BLPOP&a=l&a=0.5');
sleep 0.1;
ok($t->reload(), 'reload');
ok($t->wait_for(sub { ask('send', 'PING') eq 'ok "PONG"' }),
    'the new worker serves');
like($t->http('', socket => $busy)->{body}, qr/^ok nil/,
    'the old one ends what it began');

$busy = $t->connect();
print $busy $t->request('GET', '/main?do=send&timeout=5000&a=BLPOP&a=l&a=0.5');
sleep 0.1;
ok($t->kill_worker(), 'a worker is killed');
ok($t->wait_for(sub { ask('send', 'PING') eq 'ok "PONG"' }),
    'the next one serves');
like(row(), qr/^0 ready .* inflight=0/, 'and has its row');

is($t->http_get('/state')->{body}, 'ready ready []', 'the variables');
ok($t->error_log() !~ /open socket/, 'no socket is left');

$t->done();


sub ask {
    my ($what, @words) = @_;

    my $uri = "/main?do=$what" . join '', map { "&a=$_" } @words;
    my $body = $t->http_get($uri)->{body};
    $body =~ s/\s+$//;

    return $body;
}


# Closes the connection as soon as a command waits on it.

sub cut {
    my $pid = fork();
    return $pid if $pid != 0;

    $t->wait_for(sub {
        $rs->cli($redis, 'INFO', 'clients') =~ /^blocked_clients:[1-9]/m
    });
    $rs->cli($redis, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    POSIX::_exit(0);
}


sub state { (split / /, $t->http_get('/state')->{body})[0] }
sub row { ask('row') }
sub log_ { $t->http_get('/main?do=log')->{body} }


sub clients {
    my $n = () = $rs->cli($redis, 'CLIENT', 'LIST') =~ /name=govsvc-/g;
    return $n;
}
