#!/usr/bin/perl

# Copyright (C) govsvc authors

# The files of conf/two-nodes, with the Redis roles and users of conf/redis:
# two gateways that are one for those who register, those who are banned and
# those who are limited.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::GovSvc::Admin;
use Test::GovSvc::Redis;


my @n = map { Test::GovSvc::Admin->new(log => 'notice', workers => 2)
    ->has(qw/mint redis-server/) } 0, 1;
my $conf = "$Test::GovSvc::TOP/conf";
my $rs = Test::GovSvc::Redis->new($n[0]);
my $backend = $n[0]->backend('a');
my %redis;

# Redis as the README tells: the roles, the users with passwords

my $acl = $n[0]->read_file("$conf/redis/users.acl");
$acl =~ s/^user (gw|nonces|registry) off resetpass/user $1 on >PASSWORD-$1/mg;

for my $role (qw/counters nonces bans registry/) {
    my $port = $n[0]->take_port();
    my $dir = $n[0]->dir() . "/redis-$role";

    $n[0]->write_file("redis-$role/users.acl", $acl);
    $n[0]->write_file("redis-$role/redis.conf",
        $n[0]->read_file("$conf/redis/$role.conf"));

    # The default user is off: nobody can ask whether the server is up.

    $rs->start({ port => $port, dir => $dir,
        args => ['--port', $port, '--dir', $dir] });
    $redis{$role} = $port;
}

for my $role (sort keys %redis) {
    ok($n[0]->wait_for(sub {
        IO::Socket::INET->new(PeerAddr => "127.0.0.1:$redis{$role}")
    }, 20), "$role is up");
}

node($_) for 0, 1;

for my $i (0, 1) {
    ok($n[$i]->wait_for(sub {
        my $json = eval { api($i, 'operations', GET => 'nodes')->json };
        return $json && ($json->{node}{store} // '') eq 'same'
            && @{$json->{items}} == 2;
    }, 30), 'node ' . ($i + 1) . ' follows the store and knows the other')
        or diag($n[$i]->error_log());
}

is(join(' ', sort map { $_->{id} }
    @{api(0, 'operations', GET => 'nodes')->json->{items}}), 'gw-1 gw-2',
    'by the names of the files');

# a server registered at one serves at the other

my $r = api(0, 'operations', PUT => 'instances/new', { pool => 'gd-web',
    address => '127.0.0.1', port => $backend, weight => 100 },
    'If-None-Match' => '*');
is($r->status, 201, 'registered at the first') or diag($r->raw);

ok($n[1]->wait_for(sub {
    api(1, 'operations', GET => 'instances/new')->status == 200
}, 20), 'seen at the second');

# what the file names cannot be reached here: only the new one is left

for my $id (qw/gd-web-1 gd-web-2/) {
    my $r = api(1, 'operations', GET => "instances/$id");
    is($r->json->{meta}{origin}, 'file', "$id is of the file");
}

ok($n[1]->wait_for(sub {
    $n[1]->http_get('/44/x')->status == 200
}, 30), 'and serves requests of the second');

# a ban

$r = api(1, 'security', POST => 'bans', { net => '192.0.2.0/24',
    reason => 'scan', seconds => 600 });
is($r->status, 200, 'banned at the second') or diag($r->raw);
ok($n[0]->wait_for(sub {
    grep { $_->{key} eq '192.0.2.0/24' }
        @{api(0, 'security', GET => 'bans')->json->{items}}
}, 20), 'banned at the first');

# a token

$r = api(0, 'security', POST => 'revocations', { issuer => 'staff',
    kind => 'jti', value => 'token-1' });
is($r->status, 200, 'revoked at the first') or diag($r->raw);
ok($n[1]->wait_for(sub {
    (api(1, 'security', GET => 'revocations')->json->{entries} // 0) == 1
}, 30), 'revoked at the second')
    or diag(api(1, 'security', GET => 'revocations')->raw);

# each role has what belongs to it

for (['registry', qr/gs:\{registry\}:/], ['bans', qr/gs:\{?(?:ban|rev)/]) {
    my ($role, $pattern) = @$_;
    my @keys = keys_of($role);

    ok(scalar(@keys), "$role: keys");
    is(scalar(grep { !/$pattern/ } @keys), 0, "$role: no others");
}

my $metrics = $n[0]->http_get('/metrics', port => $n[0]->port(1))->body;

for my $role (sort keys %redis) {
    like($metrics, qr/^govsvc_redis_state\{redis="$role",state="ready"\} 2$/m,
        "$role: both workers are let in");
}

unlike($n[0]->error_log() . $n[1]->error_log(), qr/NOPERM/,
    'no user was refused a command');

$_->finish() for @n;
done_testing();


# The two files as they stand: only addresses, the laboratory's leave and the
# keys of the test are put in.

sub node {
    my ($i) = @_;

    my $t = $n[$i];
    my $text = $t->read_file("$conf/two-nodes/gw-" . ($i + 1) . '.conf');
    my $common = $t->read_file("$conf/two-nodes/common.conf");
    my ($http) = $text =~ /^http \{\n(.*)^\}/ms;

    $http =~ s/^\s*include\s+common\.conf;/$common/m or die 'no include';

    my %role = (6379 => 'counters', 6380 => 'nonces', 6381 => 'bans',
        6382 => 'registry');

    $http =~ s/10\.0\.0\.21:(\d+)/127.0.0.1:$redis{$role{$1}}/g;
    $http =~ s/listen(\s+)8080;/listen${1}127.0.0.1:%%PORT_0%%;/ or die;
    $http =~ s/listen(\s+)127\.0\.0\.1:8443;/listen${1}127.0.0.1:%%PORT_1%%;/
        or die;
    $http =~ s/govsvc_admin;/govsvc_admin loopback=on;/ or die;
    $http =~ s{\.\./}{}g;

    # a machine that runs all of it at once may stall

    $http =~ s/(govsvc_redis \w+ \{)/$1\n    connect_timeout 2s;/g;
    $http =~ s/(user +(?:gw|nonces);)/$1 command_timeout 500ms;/g;
    $http =~ s/(user +(?:gw|nonces);)/$1 breaker silence=1s;/g;
    $http =~ s/command_timeout +200ms;/command_timeout 500ms;/;
    $http =~ s/silence=500ms/silence=1s/;

    $t->mint_keys('keys');
    $t->write_file('jwks.json', $t->read_file('keys/jwks.json'));
    $t->write_file('platforms.json', $t->read_file("$conf/platforms.json"));
    $t->write_file('credentials.json',
        $t->read_file("$conf/credentials.json") =~ s/20r\/s/2000r\/s/r);
    $t->write_file('partners.json', $t->read_file("$conf/jwks.json"));
    $t->write_file('apps.json', $t->read_file("$conf/two-nodes/apps.json")
        =~ s{\.\./jwks\.json}{partners.json}r);

    for my $user (qw/gw nonces registry/) {
        $t->write_file("$user.pw", "PASSWORD-$user\n");
        chmod 0600, $t->dir() . "/$user.pw";
    }

    $t->write_file('shared.key', "0123456789abcdef0123456789abcdef\n");
    chmod 0600, $t->dir() . '/shared.key';

    $t->http_conf($http)->run();
}


sub api {
    my ($i, $who, $method, $path, $body, %headers) = @_;

    my $token = $n[$i]->token('ES256', {
        iss => 'https://sso.gov.example', aud => 'govsvc-admin',
        sub => $who }, ttl => 240);

    %headers = (%headers, Authorization => "Bearer $token",
        Accept => 'application/json');
    $headers{'Content-Type'} = 'application/json' if $body;

    return $n[$i]->http_request($method, "/govsvc/v1/$path",
        port => $n[$i]->port(1), headers => \%headers,
        $body ? (body => encode_json($body)) : ());
}


sub keys_of {
    my ($role) = @_;

    my $dir = $n[0]->dir() . "/redis-$role";
    my @all;

    # no user may list keys: the file on the disk knows them

    for my $file (glob "$dir/appendonlydir/*.aof $dir/*.aof") {
        push @all, ($n[0]->read_file($file) // '')
            =~ /^((?:gs:|\{gs:)\S*)\r$/mg;
    }

    return @all;
}
