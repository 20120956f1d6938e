#!/usr/bin/perl

# Copyright (C) govsvc authors

# Limits: tiers, costs of a variable, names, variables, long keys, requests
# that are held back, keys behind a map.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Time::HiRes qw/time/;


my $t = Test::GovSvc->new()->has('mint')->plan(43);

$t->mint_keys();
$t->write_file('index.html', 'home');

$t->http_conf(<<'EOF')->run();
    large_client_header_buffers  4 256k;

    govsvc_limit_zone  $arg_k zone=api:1m rate=1r/d burst=2;
    govsvc_limit_zone  $arg_k zone=costs:1m rate=1r/d burst=10;
    govsvc_limit_zone  $arg_k zone=slow:1m rate=10r/s burst=5;
    govsvc_limit_zone  $who zone=mapped:1m rate=1r/d identified;

    govsvc_limit_tier  zone=api $arg_tier {
        gold      rate=1r/d burst=4;
        internal  off;
    }

    map $govsvc_subject $who {
        default   "$govsvc_subject";
        ""        "";
    }

    govsvc_issuer national {
        iss        https://sso.example;
        audience   portal;
        algs       ES256;
        jwks_file  keys/jwks.json;
        require    exp sub;
    }

    root               %%DIR%%;
    add_header         X-Limit $govsvc_limit_status always;
    add_header         X-Limit-Name "$govsvc_limit_name $govsvc_limit_source";
    add_header         X-Limit-Left "$govsvc_limit_remaining/$govsvc_limit_limit";
    add_header         X-Limit-Retry $govsvc_limit_retry_after always;
    add_header         X-Limit-Wait $govsvc_limit_wait_us always;
    add_header         X-Limit-Bound "[$govsvc_limit_bound]" always;

    server {
        listen        127.0.0.1:%%PORT_0%%;

        location = /index.html {
            govsvc_limit  zone=api name=per.user;
        }

        location = /costs {
            alias         %%DIR%%/index.html;
            govsvc_limit  zone=costs cost=$arg_c;
        }

        location = /slow {
            alias         %%DIR%%/index.html;
            govsvc_limit  zone=slow delay=2;
        }

        location = /at-once {
            alias         %%DIR%%/index.html;
            govsvc_limit  zone=slow nodelay;
        }

        location = /mapped {
            alias         %%DIR%%/index.html;
            govsvc_token  optional issuer=national;
            govsvc_limit  zone=mapped;
        }
    }
EOF

sub limit {
    my ($uri, @more) = @_;

    return $t->http_get($uri, @more);
}

my $r = limit('/index.html?k=a');

is($r->status, 200, 'the first');
is($r->header('RateLimit-Policy'), '"per.user";q=2;w=172800', 'its policy');
like($r->header('RateLimit'), qr/^"per\.user";r=1;t=86400$/, 'its state');
is($r->header('X-Limit-Name'), 'per.user local', 'which limit, and where');
is($r->header('X-Limit-Left'), '1/2', 'what is left');
is($r->header('X-Limit-Retry'), undef, 'nothing to wait for');
is($r->header('X-Limit-Bound'), '[]', 'no bound on one node');

is(limit('/index.html?k=a')->status, 200, 'the second');

$r = limit('/index.html?k=a');
is($r->status, 429, 'the third is one too many');
is($r->header('X-Limit-Retry'), $r->header('Retry-After'), 'when to return');

# a tier has another rate of the same bucket

$r = limit('/index.html?k=a&tier=gold');
is($r->status, 200, 'gold may do more');
is($r->header('RateLimit-Policy'), '"per.user";q=4;w=345600', 'its policy');
is(limit('/index.html?k=a&tier=gold')->status, 200, 'up to its burst');
is(limit('/index.html?k=a&tier=gold')->status, 429, 'and no more');
is(limit('/index.html?k=a&tier=silver')->status, 429,
    'no tier: the rate of the zone');

$r = limit('/index.html?k=a&tier=internal');
is($r->status, 200, 'off is not limited');
is($r->header('X-Limit'), undef, 'nor counted');

# costs

is(limit('/costs?k=a&c=4')->status, 200, 'costs 4');
is(limit('/costs?k=a&c=7')->status, 429, '7 of 6');
is(limit('/costs?k=a&c=6')->status, 200, '6 of 6');
is(limit('/costs?k=a&c=0')->status, 200, 'for free');
is(limit('/costs?k=a')->status, 429, 'no cost is one');
is(limit('/costs?k=b&c=x')->status, 200, 'no number');
is(limit('/costs?k=b&c=10')->status, 429, 'is one, too');
is(limit('/costs?k=c&c=11')->status, 429, 'more than the burst');
is(limit('/costs?k=c&c=99999999999999999999')->status, 429,
    'more than can be counted');
is(limit('/costs?k=c&c=10')->status, 200, 'nothing was charged');

# keys of any length

for my $length (300, 70000) {
    my $key = 'x' x $length;

    is(limit("/index.html?k=$key")->status, 200, "$length bytes");
    is(limit("/index.html?k=$key")->status, 200, 'again');
    is(limit("/index.html?k=$key")->status, 429, 'limited');
    is(limit("/index.html?k=${key}y")->status, 200, 'another key');
}

# two pass at once, three are held back for a tenth of a second each

my $start = time();
my @answers = $t->http_parallel([map {
    $t->request('GET', '/slow?k=a') } 1 .. 7], concurrency => 7);
my $took = time() - $start;

my $passed = grep { $_->status == 200 } @answers;
cmp_ok($passed, '>=', 5, 'the burst passes');
cmp_ok(scalar(grep { ($_->header('X-Limit') // '') eq 'DELAYED' } @answers),
    '>=', 3, 'part of it later');
cmp_ok($took, '>=', 0.25, 'as the rate has it');
cmp_ok($passed, '<=', 5 + 10 * $took, 'the rest not at all');

@answers = $t->http_parallel([map {
    $t->request('GET', '/at-once?k=b') } 1 .. 5], concurrency => 5);

is(scalar(grep { ($_->header('X-Limit') // '') eq 'PASSED' } @answers), 5,
    'nodelay');

# a key behind a map, looked at when the caller is known

my $token = $t->token('ES256', { iss => 'https://sso.example',
    aud => 'portal', sub => 'u1' });

is(limit('/mapped', headers => { Authorization => "Bearer $token" })->status,
    200, 'a subject through a map');
is(limit('/mapped', headers => { Authorization => "Bearer $token" })->status,
    429, 'is limited');
is(limit('/mapped')->status, 200, 'nobody is not');
