#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# The files of conf/redis start real servers, and the ACL lets the gateway do
# what it does and nothing else; TLS to Redis, verified.

use strict;
use warnings;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Redis;

my $t = Test::GovSvc->new()->has('redis-server', 'openssl');
my $rs = Test::GovSvc::Redis->new($t);
my $conf = "$Test::GovSvc::TOP/conf/redis";

my $acl = $t->read_file("$conf/users.acl");
is(() = $acl =~ /^user \w+ off resetpass /mg, 6, 'all users are off');
$acl =~ s/^user gw off resetpass /user gw on >secret /m;
$acl =~ s/^user default .*$/user default on nopass ~* &* +\@all/m;

my %role;

for my $name (qw/counters nonces bans registry/) {
    my $port = $t->take_port();
    my $dir = "$t->{dir}/$name";

    $t->write_file("$name/users.acl", $acl);
    $t->write_file("$name/redis.conf", $t->read_file("$conf/$name.conf"));

    my $s = { port => $port, dir => $dir, wait => 1,
        args => ['--port', $port, '--dir', $dir] };
    $rs->start($s);
    $role{$name} = $s;
}

my %policy = (counters => 'volatile-ttl', nonces => 'noeviction',
    bans => 'noeviction', registry => 'noeviction');

for my $name (sort keys %policy) {
    is($rs->cli($role{$name}, 'CONFIG', 'GET', 'maxmemory-policy'),
        "[maxmemory-policy $policy{$name}]", "$name: its policy");
}

is($rs->cli($role{counters}, 'CONFIG', 'GET', 'appendonly'),
    '[appendonly no]', 'counters are not written');
is($rs->cli($role{nonces}, 'CONFIG', 'GET', 'appendonly'),
    '[appendonly yes]', 'nonces are');

# Sentinel's file

$t->write_file('sentinel/redis.conf', $t->read_file("$conf/sentinel.conf")
    =~ s/6379 2/$role{counters}{port} 1/r);
my $sport = $t->take_port();
my $sentinel = { port => $sport, dir => "$t->{dir}/sentinel", wait => 1,
    args => ['--sentinel', '--port', $sport] };
$rs->start($sentinel);
like($rs->cli($sentinel, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'gov'),
    qr/^\[127\.0\.0\.1 $role{counters}{port}\]$/, 'Sentinel watches it');

# TLS

$t->ca('ca');
$t->certificate('redis', 'ca', 'redis.gov.example');
$t->certificate('gw', 'ca', 'gw.gov.example');
$t->ca('foreign');

my $tls_port = $t->take_port();
my $tls = $rs->server(
    'tls-port' => $tls_port,
    'tls-cert-file' => "$t->{dir}/redis.crt",
    'tls-key-file' => "$t->{dir}/redis.key",
    'tls-ca-cert-file' => "$t->{dir}/ca.crt",
    'tls-auth-clients' => 'yes',
);

$t->write_file('redis.pw', "secret\n");
chmod 0600, "$t->{dir}/redis.pw";

my $server = "server 127.0.0.1:$tls_port; command_timeout 300ms;"
    . ' breaker silence=600ms; reconnect 20ms max=100ms;';
my $cert = "cert=$t->{dir}/gw.crt key=$t->{dir}/gw.key";
my %redis = (
    plain => "sentinel gov 127.0.0.1:$sport; user gw; password_file redis.pw;",
    good => "$server ca ca.crt; tls on name=redis.gov.example $cert;",
    other => "$server ca ca.crt; tls on name=other.gov.example $cert;",
    address => "$server ca ca.crt; tls on $cert;",
    foreign => "$server ca foreign.crt; tls on name=redis.gov.example $cert;",
    nocert => "$server ca ca.crt; tls on name=redis.gov.example;",
    loose => "$server tls on verify=off $cert;",
);

my $blocks = join "\n", map { "govsvc_redis $_ { $redis{$_} }" }
    sort keys %redis;
my $locations = join "\n", map {
    "location /$_ { redis_test $_; }\n"
    . "location /state/$_ { return 200 \$govsvc_redis_state_$_; }"
} sort keys %redis;

$t->http_conf(<<"END");
$blocks
server {
    listen 127.0.0.1:%%PORT_0%%;
    $locations
}
END

$t->run();

is(wait_state('plain'), 'ready', 'the gateway is let in by the ACL');

for my $command (
    [qw/ZADD gs:rl:1 GT 5 t/], [qw/ZINCRBY gs:rl:1 5 t/],
    [qw/ZSCORE gs:rl:1 t/], [qw/PEXPIRE gs:rl:1 60000/],
    [qw/INCRBY gs:q:1 5/], [qw/PEXPIREAT gs:q:1 99999999999999 NX/],
    [qw/DECRBY gs:q:1 1/], [qw/SET gs:n:1 a NX PX 60000/],
    [qw/XADD {gs:ban}:log MAXLEN ~ 1000 * op add/],
    [qw/XRANGE {gs:ban}:log - %2B COUNT 1/], [qw/ZCOUNT gs:nodes 1 2/],
    [qw/ZRANGE {gs:ban}:set 1 %2Binf BYSCORE LIMIT 0 10/],
    [qw/ZREMRANGEBYSCORE {gs:ban}:set -inf 1/], [qw/TIME/], [qw/ROLE/],
) {
    like(ask('plain', @$command), qr/^ok /, "may @$command");
}

for my $command (
    [qw/SET other 1/], [qw/FLUSHALL/], [qw/KEYS */], [qw/CONFIG GET */],
    [qw/EVAL return 0/], [qw/SCRIPT FLUSH/], [qw/SHUTDOWN/],
    [qw/REPLICAOF NO ONE/], [qw/ACL LIST/], [qw/CLIENT LIST/],
    [qw/MONITOR/], [qw/SAVE/], [qw/MIGRATE a 1 k 0 1/], [qw/CLUSTER RESET/],
) {
    like(ask('plain', @$command), qr/^noperm /, "may not @$command");
}

is(wait_state('good', 'ready'), 'ready', 'TLS with a client certificate');
is(ask('good', 'SET', 'k', 'v' x 3000), 'ok "OK"', 'serves');
like(burst('good', 300), qr/^ok=300 /, 'three hundred at once');
is(wait_state('other'), 'down', 'a certificate for another name');
is(wait_state('address'), 'down', 'a certificate for no address');
is(wait_state('foreign'), 'down', 'a certificate of another authority');
is(wait_state('nocert'), 'down', 'no client certificate');
is(wait_state('loose', 'ready'), 'ready', 'verify=off');
like($t->error_log(), qr/the certificate is for another name/, 'the name');
like($t->error_log(), qr/unable to get local issuer|self.signed certificate/,
    'the authority');
ok($t->reload(), 'reload over TLS');
is(wait_state('good', 'ready'), 'ready', 'ready again');

$t->done();


sub burst {
    my ($redis, $n) = @_;

    return $t->http_get("/$redis?do=burst&n=$n&a=GET&a=k")->{body};
}


sub ask {
    my ($redis, @words) = @_;

    my $uri = "/$redis?do=send" . join '', map { "&a=$_" } @words;
    my $body = $t->http_get($uri)->{body};
    $body =~ s/\s+$//;

    return $body;
}


sub wait_state {
    my ($redis, $wanted) = @_;

    my $state;
    $t->wait_for(sub {
        $state = $t->http_get("/state/$redis")->{body};
        return defined $wanted ? $state eq $wanted : $state ne 'connecting';
    });

    return $state;
}
