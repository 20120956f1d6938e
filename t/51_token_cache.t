#!/usr/bin/perl

# Copyright (C) govsvc authors

# The zone of verdicts: shared by workers, kept over reloads and deaths, never
# believed after the keys have changed.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new(workers => 2, log => 'info')->has('mint');

$t->mint_keys('old');
$t->mint_keys('new');
$t->write_file('jwks.json', $t->read_file('old/jwks.json'));

my $main = sub {
    my ($zone, $audience) = @_;

    return <<"EOF";
    govsvc_issuer national {
        iss        https://sso.gov.example;
        audience   $audience;
        jwks_file  jwks.json;
    }

    $zone

    server {
        listen      127.0.0.1:%%PORT_0%%;
        location / {
            govsvc_token  required;
            return        200 "\$govsvc_subject\\n";
        }
        location /proxied {
            govsvc_token  required;
            try_files     /none /index;
        }
        location = /index {
            internal;
            govsvc_token  required;
            empty_gif;
        }
    }
EOF
};

$t->http_conf($main->('govsvc_token_zone zone=tokens:256k;', 'portal'))->run();

my %claims = (iss => 'https://sso.gov.example', aud => 'portal');

sub token {
    my ($alg, $sub, %opt) = @_;

    return $t->token($alg, { %claims, sub => $sub }, ttl => 3600,
        dir => 'old', %opt);
}

sub status {
    my ($token, $uri) = @_;

    return $t->http_get($uri // '/proxied',
        headers => { Authorization => "Bearer $token" })->status;
}

my %token = map { $_ => token($_, "u-$_") } qw/RS256 ES256 EdDSA SM2/;

sub all_pass {
    my ($name) = @_;

    my @bad = grep { status($token{$_}) != 200 } sort keys %token;
    is("@bad", '', $name);
}

all_pass('first seen');
all_pass('from the cache');


# more tokens than the zone holds, from several clients at once

my @raw = map {
    $t->request('GET', '/proxied', headers => {
        Authorization => 'Bearer ' . token('EdDSA', "n$_"),
        Connection => 'close' })
} 1 .. 300;

my @answers = map { $t->http_parallel([ @raw ], concurrency => 8) } 1 .. 2;
is(scalar(grep { $_->status == 200 } @answers), 600, '300 tokens, twice');


# a worker dies

for my $n (1 .. 3) {
    ok($t->kill_worker('KILL'), "worker killed, $n");
    all_pass('and tokens pass');
}


# reload

ok($t->reload(), 'reload');
all_pass('the same keys');

$t->write_file('jwks.json', $t->read_file('new/jwks.json'));
ok($t->reload(), 'reload with new keys');

for my $alg (sort keys %token) {
    is(status($token{$alg}), 401, "$alg by an old key");
    is(status(token($alg, 'x', dir => 'new')), 200, "$alg by a new key");
}

$t->write_file('jwks.json', '{"keys": []}');
ok(!$t->reload(), 'a reload with an empty set is refused');
is(status(token('RS256', 'x', dir => 'new')), 200, 'the old one goes on');

$t->write_file('jwks.json', $t->read_file('old/jwks.json'));
ok($t->reload(), 'the old keys again');
all_pass('pass again');

$t->http_conf($main->('govsvc_token_zone zone=tokens:256k;', 'other'));
ok($t->reload(), 'another audience');
is(status($token{RS256}), 401, 'a verdict under another policy is no verdict');


# another zone, none, the built-in one

for my $zone ('govsvc_token_zone zone=tokens:512k;', 'govsvc_token_zone off;',
    '')
{
    $t->http_conf($main->($zone, 'portal'));
    ok($t->reload(), $zone || 'no directive');
    all_pass('first');
    all_pass('second');
}

$t->expect_log(qr/the JWK set has no usable key/);

$t->done();
