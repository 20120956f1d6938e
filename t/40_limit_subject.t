#!/usr/bin/perl

# Copyright (C) govsvc authors

# Limits whose key is the caller: decided after the token, not before.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new()->has('mint')->plan(20);

$t->mint_keys();
$t->write_file('index.html', 'home');

$t->http_conf(<<'EOF')->run();
    govsvc_limit_zone  $remote_addr zone=ip:1m rate=1r/d burst=9;
    govsvc_limit_zone  $govsvc_subject zone=user:1m rate=1r/d burst=2;
    govsvc_limit_zone  "x${govsvc_claim_dept}" zone=dept:1m rate=1r/d;

    govsvc_issuer national {
        iss        https://sso.example;
        audience   portal;
        algs       ES256;
        jwks_file  keys/jwks.json;
        require    exp sub;
    }

    root               %%DIR%%;
    add_header         X-Limit $govsvc_limit_status always;

    server {
        listen         127.0.0.1:%%PORT_0%%;
        govsvc_limit   zone=ip zone=user;

        location = /index.html {
            govsvc_token   optional issuer=national;
        }

        location = /required {
            alias          %%DIR%%/index.html;
            govsvc_token   required issuer=national;
        }

        location = /dept {
            alias          %%DIR%%/index.html;
            govsvc_token   required issuer=national;
            govsvc_limit   zone=dept;
        }
    }
EOF

sub get {
    my ($uri, $sub, $from, %claims) = @_;

    my @headers;

    if ($sub) {
        my $token = $t->token('ES256', { iss => 'https://sso.example',
            aud => 'portal', sub => $sub, %claims });
        @headers = (Authorization => "Bearer $token");
    }

    return $t->http_get($uri, from => "127.0.0.$from",
                        headers => \@headers);
}

my ($r, @r);

# the same person from three addresses

@r = map { get('/index.html', 'zhang', $_) } 2 .. 4;
is($r[0]->status, 200, 'first');
is($r[0]->header('RateLimit-Policy'), '"user";q=2;w=172800',
   'the tighter of both stages');
is($r[1]->status, 200, 'second');
is($r[2]->status, 429, 'third, from another address');
is($r[2]->header('RateLimit-Policy'), '"user";q=2;w=172800', 'its policy');
is($r[2]->header('X-Limit'), 'REJECTED', 'its variable');

# another person, nobody

is(get('/index.html', 'li', 4)->status, 200, 'another person');
$r = get('/index.html', undef, 4);
is($r->status, 200, 'nobody has no such limit');
is($r->header('RateLimit-Policy'), '"ip";q=9;w=777600', 'but that of the net');

# refused before the caller is charged

is(get('/required', undef, 5)->status, 401, 'no token');
$r = get('/required', 'wang', 5);
is($r->status, 200, 'a token');
is($r->header('RateLimit'), '"user";r=1;t=86400', 'charged once');

# the net is over: neither the token nor the person costs anything

@r = map { get('/required', undef, 6) } 1 .. 9;
is($r[8]->status, 401, 'nine refused for want of a token');
is(get('/required', 'wang', 6)->status, 429, 'the tenth for the net');
$r = get('/required', 'wang', 5);
is($r->status, 200, 'the person was not charged');
is($r->header('RateLimit') =~ /^"user";r=0;/, 1, 'until now');

# a claim as key

is(get('/dept', 'a', 7, dept => 'tax')->status, 200, 'claim');
is(get('/dept', 'b', 8, dept => 'tax')->status, 429, 'the same claim');
is(get('/dept', 'c', 8, dept => 'water')->status, 200, 'another claim');
is(get('/dept', 'd', 8, dept => 'water')->status, 429, 'and again');
