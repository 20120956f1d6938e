#!/usr/bin/perl

# Copyright (C) govsvc authors

# Routes that ask for a claim: decided once the token has been verified.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new()->has('mint');

my $port = $t->backend('any');
$t->mint_keys('keys');

$t->write_file('platforms.json', <<"EOF_JSON");
{
  "platforms": [{"id": "gd", "region": "440000"},
                {"id": "zj", "region": "330000"}, {"id": "nat"}],
  "pools": [{"id": "gd", "platform": "gd"}, {"id": "zj", "platform": "zj"},
            {"id": "nat", "platform": "nat"}],
  "instances": [
    {"id": "a", "pool": "gd", "address": "127.0.0.1", "port": $port},
    {"id": "b", "pool": "zj", "address": "127.0.0.1", "port": $port},
    {"id": "c", "pool": "nat", "address": "127.0.0.1", "port": $port}],
  "routes": [
    {"id": "gd-my", "platform": "gd", "pool": "gd",
     "match": {"paths": ["/my"], "claims": {"user_region": ["44*"]}}},
    {"id": "zj-my", "platform": "zj", "pool": "zj",
     "match": {"paths": ["/my"], "claims": {"user_region": ["33*"]}}},
    {"id": "nat-my", "platform": "nat", "pool": "nat",
     "match": {"paths": ["/my"]}},
    {"id": "gd-only", "platform": "gd", "pool": "gd",
     "match": {"paths": ["/only"], "claims": {"user_region": ["44*"]}}}
  ]
}
EOF_JSON

$t->http_conf(<<'EOF_CONF')->run();
    govsvc_platforms  platforms.json;

    govsvc_issuer national {
        iss        https://sso.example;
        audience   portal;
        algs       ES256;
        jwks_file  keys/jwks.json;
    }

    upstream platforms {
        govsvc_balancer;
    }

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_route  on;
        add_header    X-Is "$govsvc_platform $govsvc_region" always;

        location / {
            govsvc_token  optional issuer=national;
            proxy_pass    http://platforms;
        }
    }
EOF_CONF


sub ask {
    my ($uri, $region) = @_;

    my %claims = (iss => 'https://sso.example', aud => 'portal', sub => 'u1');
    my @headers = (Accept => 'application/json');

    if (defined $region) {
        $claims{user_region} = $region if $region ne '';
        push @headers, Authorization => 'Bearer '
            . $t->token('ES256', { %claims });
    }

    my $r = $t->http_get($uri, headers => \@headers);

    return $r->status . ' ' . ($r->status == 200 ? $r->header('X-Is')
        : $r->json->{code});
}


is(ask('/my/1', '440100'), '200 gd 440000', 'a citizen of Guangdong');
is(ask('/my/1', '330100'), '200 zj 330000', 'of Zhejiang');
is(ask('/my/1', '510100'), '200 nat', 'of another province');
is(ask('/my/1', ''), '200 nat', 'a token without the claim');
is(ask('/my/1'), '200 nat', 'no token');
is(ask('/only', '440100'), '200 gd 440000', 'a route for one province');
is(ask('/only', '330100'), '404 ROUTE_NOT_FOUND', 'is not for another');
is(ask('/only'), '404 ROUTE_NOT_FOUND', 'nor for anyone unknown');

my $r = $t->http_get('/only', headers => [Accept => 'application/json',
    Authorization => 'Bearer a.b.c']);
is($r->status, 401, 'a bad token is refused first');

$t->done();
