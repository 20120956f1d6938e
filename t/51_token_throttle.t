#!/usr/bin/perl

# Copyright (C) govsvc authors

# Forged tokens: a client that sends too many is told to wait, and nobody else
# is; what was found good before still passes.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new(log => 'info')->has('mint');

$t->mint_keys('keys');

$t->http_conf(<<"EOF")->run();
    govsvc_issuer national {
        iss        https://sso.gov.example;
        audience   off;
        jwks_file  keys/jwks.json;
    }

    govsvc_token_zone  zone=tokens:1m negative=64k throttle=1r/m burst=10;

    set_real_ip_from   127.0.0.1;
    real_ip_header     X-Real-IP;

    server {
        listen      127.0.0.1:%%PORT_0%%;
        location / {
            govsvc_token  required;
            empty_gif;
        }
    }
EOF

sub get {
    my ($token, $from) = @_;

    return $t->http_get('/', headers => { 'X-Real-IP' => $from,
        Authorization => "Bearer $token" });
}

sub token {
    return $t->token($_[1] // 'ES256', { iss => 'https://sso.gov.example',
        sub => $_[0] });
}

sub forged {
    my ($token, $n) = @_;

    my ($head, $sig) = $token =~ /^(.*\.)([^.]+)$/;
    substr($sig, 10, 4) = sprintf('%04d', $n);

    return $head . $sig;
}

my $good = token('u1');
is(get($good, '192.0.2.1')->status, 200, 'a good one');

my %seen;
$seen{get(forged($good, $_), '192.0.2.1')->status}++ for 1 .. 50;
is($seen{401}, 10, 'ten forged ones are looked at');
is($seen{429}, 40, 'the rest is not');

my $r = get(forged($good, 99), '192.0.2.1');
is($r->status, 429, 'too many');
is($r->header('Retry-After'), '1', 'wait');
is($r->header('WWW-Authenticate'), undef, 'no challenge');
like($r->body(), qr/AUTH_THROTTLED/, 'the reason');
like($t->error_log(), qr/reason: throttled/, 'in the log');

is(get($good, '192.0.2.1')->status, 200, 'what was good before passes');
is(get(forged($good, 1), '192.0.2.1')->status, 401,
    'what was bad before is bad');
is(get(token('u2'), '192.0.2.1')->status, 429, 'what is new has to wait');
is(get(token('u3'), '192.0.2.2')->status, 200, 'not from elsewhere');

%seen = ();
$seen{get(forged($good, 100 + $_), '2001:db8::' . $_)->status}++ for 1 .. 20;
is($seen{401}, 10, 'a network of IPv6 is one client');
is(get(token('u4'), '2001:db8:0:1::1')->status, 200, 'the next one another');

# expired and foreign tokens are no forgeries

my $expired = $t->token('ES256', { iss => 'https://sso.gov.example',
    sub => 'u', iat => 1600000000, exp => 1600003600 });
is(get($expired, '192.0.2.3')->status, 401, 'expired') for 1 .. 12;
is(get(token('u5'), '192.0.2.3')->status, 200, 'does not count');

$t->done();
