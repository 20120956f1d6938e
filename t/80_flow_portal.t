#!/usr/bin/perl

# Copyright (C) govsvc authors

# Whole journeys through every stage: what each caller is told, what the
# platform sees, and what the record says afterwards.

use strict;
use warnings;
use utf8;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new()->plan(47);

$t->backend('gd');
$t->backend('bj');
$t->mint_keys('keys');

my ($gd, $bj) = ($t->backend_port('gd'), $t->backend_port('bj'));

$t->write_file('platforms.json', <<"EOF");
{
  "pools": [
    {"id": "gd-web", "platform": "gd", "host": "gd.gov.example"},
    {"id": "bj-web", "platform": "bj", "host": "bj.gov.example"},
    {"id": "zj-web", "platform": "zj"}
  ],
  "instances": [
    {"id": "a", "pool": "gd-web", "address": "127.0.0.1", "port": $gd},
    {"id": "b", "pool": "bj-web", "address": "127.0.0.1", "port": $bj},
    {"id": "c", "pool": "zj-web", "address": "127.0.0.1", "port": $bj}
  ],
  "platforms": [
    {"id": "gd", "region": "440000",
     "name": {"zh": "广东政务服务网", "en": "Guangdong"}},
    {"id": "bj", "region": "110000", "name": {"zh": "北京", "en": "Beijing"}},
    {"id": "zj", "region": "330000", "name": {"zh": "浙江", "en": "Zhejiang"},
     "state": "maintenance"}
  ],
  "routes": [
    {"id": "gd-path", "platform": "gd", "pool": "gd-web",
     "match": {"hosts": ["portal.example"], "paths": ["/44/", "/gd/"]}},
    {"id": "gd-region", "platform": "gd", "pool": "gd-web",
     "match": {"regions": ["44****"]}},
    {"id": "bj-host", "platform": "bj", "pool": "bj-web",
     "match": {"hosts": ["bj.gov.example"]}},
    {"id": "bj-region", "platform": "bj", "pool": "bj-web",
     "match": {"regions": ["11****"]}},
    {"id": "zj-path", "platform": "zj", "pool": "zj-web",
     "match": {"paths": ["/33/"]}}
  ]
}
EOF

$t->write_file('a.rules', <<'EOF');
rule 1000 trap { match path lit "/.git/"; tag recon; block; }
rule 1001 note { match args lit "select"; tag sqli; log; }
EOF

$t->http_conf(<<'EOF')->run();
    govsvc_node          gw-test;
    govsvc_platforms     platforms.json;
    govsvc_rules         a.rules;
    govsvc_limit_zone    $govsvc_client_net zone=ip:1m rate=100r/s burst=200;
    govsvc_limit_zone    $govsvc_subject zone=user:1m rate=1r/m burst=3;
    govsvc_audit_store   dir=audit alg=sha256 sync=off;

    govsvc_issuer national {
        iss        https://sso.example;
        audience   portal;
        algs       RS256 ES256 EdDSA SM2;
        jwks_file  keys/jwks.json;
        require    exp sub;
        assurance  acr map=low:2,high:4;
    }

    upstream platforms {
        govsvc_balancer;
        keepalive 8;
    }

    server {
        listen                  127.0.0.1:%%PORT_0%%;
        underscores_in_headers  on;
        govsvc_route            on;
        govsvc_guard            on;
        govsvc_limit            zone=ip;
        govsvc_audit            meta;

        proxy_http_version  1.1;
        proxy_set_header    Connection "";
        proxy_set_header    Host $govsvc_upstream_host;
        proxy_set_header    X-Govsvc-Subject $govsvc_subject;
        proxy_set_header    X-Govsvc-Level $govsvc_level;
        add_header          X-Audit $govsvc_audit_id always;

        location / {
            govsvc_token  optional issuer=national;
            proxy_pass    http://platforms;
        }

        location /44/apply/ {
            govsvc_token    required issuer=national;
            govsvc_require  level>=3;
            govsvc_limit    zone=ip;
            govsvc_limit    zone=user;
            proxy_pass      http://platforms;
        }
    }
EOF

my %portal = (host => 'portal.example');
my ($r, $token, $seen);

# routed by path; what the client claims to be does not reach the platform

$r = $t->http_get('/44/home?name=' . '%E5%BC%A0%E4%B8%89', %portal,
    headers => [ 'X-Govsvc-Subject' => 'admin', 'x_tif_uid' => 'admin',
                 'X-Tif-Uinfo' => 'admin' ]);

is($r->status, 200, 'by path');
$seen = $r->json;
is($seen->{uri}, '/44/home?name=%E5%BC%A0%E4%B8%89', 'uri as it came');
is($seen->{headers}{host}, 'gd.gov.example', 'host of the pool');
is($seen->{headers}{'x-govsvc-subject'} // '', '', 'no foreign subject');
ok(!exists $seen->{headers}{'x_tif_uid'}, 'no foreign uid');
ok(!exists $seen->{headers}{'x-tif-uinfo'}, 'no foreign uinfo');
like($r->header('RateLimit') // '', qr/^"ip";r=\d+;t=\d+/, 'limit told');

# by host, by item code, by region with fallback

is($t->http_get('/x', host => 'bj.gov.example')->json->{headers}{host},
    'bj.gov.example', 'by host');
is($t->http_get('/guide?taskCode=11440100007482575H3440118009000', %portal)
    ->json->{headers}{host}, 'gd.gov.example', 'by item code');
is($t->http_get('/any', %portal, headers => { 'X-Region' => '110105' })
    ->json->{headers}{host}, 'bj.gov.example', 'county falls back to province');

# refused, each for its reason

my @refused = (
    ['/nowhere', 404, 'ROUTE_NOT_FOUND', 'no route'],
    ['/guide?taskCode=11990100007482575H3440118009000', 404, 'ITEM_UNKNOWN',
        'item of no region'],
    ['/44/guide?taskCode=11990100007482575H3440118009000', 404,
        'ITEM_UNKNOWN', 'the same under a path of a region'],
    ['/44/a/.git/config', 403, 'RULE_BLOCKED', 'trap path'],
    ['/33/', 503, 'PLATFORM_MAINTENANCE', 'maintenance'],
    ['/44/..;/x', 400, 'URI_UNSAFE', 'dot segment with a parameter'],
    ['/44/apply/', 401, 'AUTH_REQUIRED', 'not signed on']);

for my $case (@refused) {
    my ($uri, $status, $code, $name) = @$case;

    $r = $t->http_get($uri, %portal,
        headers => { Accept => 'application/json' });
    is($r->status, $status, "$name, status");
    is($r->json->{code}, $code, "$name, code");
}

$r = $t->http_get('/33/', %portal);
cmp_ok($r->header('Retry-After'), '>', 0, 'when to come back');
like($t->http_get('/44/apply/', %portal)->header('WWW-Authenticate'),
    qr/^Bearer realm=/, 'challenge');

# signed on once, with each algorithm

for my $alg (qw(RS256 ES256 EdDSA SM2)) {
    $token = $t->token($alg, { iss => 'https://sso.example',
        aud => 'portal', sub => "u-$alg", acr => 'high' });

    $r = $t->http_get('/44/apply/x', %portal,
        headers => { Authorization => "Bearer $token" });

    is($r->status, 200, "$alg accepted");
    is($r->json->{headers}{'x-govsvc-subject'}, "u-$alg", "$alg subject");
}

is($r->json->{headers}{'x-govsvc-level'}, 4, 'assurance level');

# the limit of a subject, whatever the address

for (1 .. 6) {
    $r = $t->http_get('/44/apply/x', %portal, from => "127.0.0.1$_",
        headers => { Authorization => "Bearer $token" });
}

is($r->status, 429, 'limit of the subject');
cmp_ok($r->header('Retry-After'), '>', 0, 'and when it ends');

# too low, too late, tampered

$token = $t->token('ES256', { iss => 'https://sso.example', aud => 'portal',
    sub => 'u-low', acr => 'low' });
$r = $t->http_get('/44/apply/x', %portal,
    headers => { Authorization => "Bearer $token" });
is($r->status, 401, 'level too low');
like($r->header('WWW-Authenticate'), qr/insufficient_user_authentication/,
    'step up');

substr($token, -20, 1) = substr($token, -20, 1) eq 'A' ? 'B' : 'A';
is($t->http_get('/44/home', %portal,
    headers => { Authorization => "Bearer $token" })->status, 401,
    'tampered, although optional');

# the record

$r = $t->http_get('/44/note?q=select&id=11010519491231002X', %portal);
$t->stop();

my @lines = grep { ($_->{ty} // '') eq 'http' } $t->audit_lines();

is(scalar @lines, 26, 'one line for each request');
is(scalar(grep { ($_->{dec}{code} // '') eq 'URI_UNSAFE' } @lines), 1,
    'refused ones too');
is($lines[-1]{dec}{rule}, 1001, 'rule that only logs');
is($lines[-1]{id}, $r->header('X-Audit'), 'record by its identifier');
like($lines[-1]{id}, qr/^gw-test\.\d+\.\d+$/, 'node, epoch, number');
unlike(join('', map { $t->read_file($_) } $t->audit_files()),
    qr/11010519491231002X|eyJ[\w-]+\.|Bearer/, 'no identity number, no token');

my ($code, $out, $err) = $t->govsvc('audit', 'verify', $t->dir() . '/audit');
is($code, 0, 'chain verifies') or diag($out, $err);
