#!/usr/bin/perl
#
# Copyright (C) govsvc authors
#
# The correlations as shipped, over the wire with a database of places and two
# workers: who guesses, scans and enumerates is limited and banned; citizens
# who share an exit, static files and those who are never banned are not; a
# worker that is killed and a reload forget nothing.

use strict;
use warnings;

use Test::More;
use JSON::PP;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Mmdb;

my $t = Test::GovSvc->new(workers => 2, log => 'warn')->has('mint');

$t->mint_keys('keys');

mmdb_write($t->dir() . '/places.mmdb', 'Test-City',
    map { ("203.0.$_->[0].0/24" => { place('CN', $_->[1]) }) }
        [ 44, 'GD' ], [ 33, 'ZJ' ], [ 31, 'SH' ], [ 11, 'BJ' ]);

$t->http_conf(<<"EOF")->run();
    govsvc_issuer national {
        iss        https://sso.gov.example;
        audience   off;
        jwks_file  keys/jwks.json;
    }

    govsvc_geo          places.mmdb;
    govsvc_rules        %%TOP%%/lua-free-rules/*.rules;
    govsvc_ban_zone     zone=bans:1m allow=198.51.100.0/24;
    govsvc_correlate    zone=corr:2m ban=bans;
    govsvc_audit_store  dir=audit flush=5ms;
    govsvc_audit        meta;

    set_real_ip_from    127.0.0.0/8;
    real_ip_header      X-Real-Client;
    keepalive_requests  100000;

    server {
        listen         127.0.0.1:%%PORT_0%%;
        govsvc_guard   on;
        govsvc_ban     zone=bans;
        govsvc_token   optional;
        add_header     X-Reason \$govsvc_reason always;

        location /        { empty_gif; }
        location /login   { proxy_pass http://127.0.0.1:%%PORT_1%%; }
        location /gone    { proxy_pass http://127.0.0.1:%%PORT_2%%; }
        location /detect/ { govsvc_guard detect;
                            proxy_pass http://127.0.0.1:%%PORT_1%%; }
    }

    server { listen  127.0.0.1:%%PORT_1%%; return  401; }
    server { listen  127.0.0.1:%%PORT_2%%; return  404; }
EOF

# brute force: some before a worker dies, some before a reload, some behind it

my $who = '192.0.2.1';
my %was = count(30, sub { login($who, 'me') });

ok($was{'429 RATE_LIMITED'}, 'guessing is slowed down') or diag(%was);
$t->kill_worker('KILL');
ok($t->reload(), 'reload');
ok($t->wait_for(sub { login($who, 'me') =~ /BANNED|RATE/ }, 30),
    'a killed worker and a reload forget nothing');

# accounts

$who = '192.0.2.2';
%was = count(30, sub { login($who, "u$_[0]") });
ok($was{'429 RATE_LIMITED'}, 'stuffing is slowed down') or diag(%was);

# scans: paths that are not there, and what never counts

%was = count(90, sub { ask('GET', "/gone/a$_[0]", '192.0.2.3') });
ok($was{'429 RATE_LIMITED'}, 'a scan is slowed down') or diag(%was);

%was = count(120, sub { ask('GET', "/gone/$_[0].png", '192.0.2.4') });
is_deeply([keys %was], ['404 '], 'pictures that are missing are none');

%was = count(120, sub { ask('GET', "/gone/a$_[0]", '198.51.100.7') });
is_deeply([keys %was], ['404 '], 'who is never banned never counts');

%was = count(60, sub { login('192.0.2.5', 'me', '/detect/login') });
is_deeply([keys %was], ['401 '], 'detect does nothing');

# attacks

%was = count(14, sub { ask('GET', "/?id=$_[0]%27+or+1=1--+-", '192.0.2.6') });
ok($t->wait_for(sub { ask('GET', '/', '192.0.2.6') =~ /BANNED/ }, 30),
    'one attack after the other is banned');

# numbers: cases, and identity cards

%was = count(90, sub { ask('GET', '/case/' . (20260000 + $_[0]),
    '192.0.2.7') });
ok($was{'429 RATE_LIMITED'}, 'case after case is slowed down') or diag(%was);

%was = count(60, sub { ask('GET', '/q?idcard=4401061990010'
    . (11234 + 97 * $_[0]), '192.0.2.8') });
ok($was{'429 RATE_LIMITED'}, 'person after person is slowed down')
    or diag(%was);

# one account in three parts of the country; one on a train, with a phone

my $traveller = token('traveller');
my $train = token('on-a-train');

ask('GET', "/t$_", "203.0.$_.9", $train) for 31, 33, 44, 31, 44, 33;
ask('GET', "/t$_", "203.0.$_.9", $traveller) for 44, 33, 11;
ok($t->wait_for(sub { events('account') }, 60), 'three parts are told');
is(scalar(events('account')), 1, 'neighbours of two of them are not');
is(ask('GET', '/', '203.0.44.9', $traveller), '200 ', 'and nothing else');

# an exit that many citizens share: what a few fail at is held against none

my $exit = '192.0.2.44';
my @citizens = map { token("citizen-$_") } 1 .. 40;

ask('GET', '/', $exit, $_) for @citizens;

count(24, sub { login($exit, "u$_[0]") });
count(60, sub { ask('GET', "/gone/x$_[0]", $exit) });
count(12, sub { ask('GET', "/?id=$_[0]%27+or+1=1--+-", $exit) });

%was = count(40, sub { ask('GET', '/', $exit, $citizens[$_[0] - 1]) });
is_deeply([keys %was], ['200 '], 'citizens of a shared exit pass')
    or diag(%was);

$t->done();


sub ask {
    my ($method, $uri, $from, $token) = @_;
    my $r = $t->http_request($method, $uri, headers => {
        'X-Real-Client' => $from, $token ? (Authorization => $token) : () });

    return $r->status . ' ' . ($r->header('X-Reason') // '');
}


sub login {
    my ($from, $user, $uri) = @_;

    return ask('POST', ($uri // '/login') . "?username=$user", $from);
}


sub count {
    my ($n, $code) = @_;
    my %sum;

    $sum{$code->($_)}++ for 1 .. $n;

    return %sum;
}


sub token {
    return 'Bearer ' . $t->token('ES256', { iss => 'https://sso.gov.example',
        sub => shift });
}


sub events {
    my ($attack) = @_;

    return grep { $_->{attack} eq $attack } map { decode_json($_) }
        grep { /"ty":"sec"/ && /\}$/ }
        map { split /\n/, $t->read_file($_) } $t->audit_files();
}
