#!/usr/bin/perl

# Copyright (C) govsvc authors

# Under load: a hundred reloads and a worker killed now and then.  No request
# may fail because of us, memory stays flat, the audit chains verify.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $slow = $ENV{GOVSVC_ASAN} || $ENV{GOVSVC_VALGRIND};
my $reloads = $ENV{GOVSVC_RELOADS} // ($slow ? 10 : 100);

my $t = Test::GovSvc->new(workers => 2, log => 'warn')->plan(9);

$t->nginx_backend('gd', <<'EOF');
    server {
        listen  127.0.0.1:%%PORT_9%%;
        keepalive_requests 1000000;
        location / { return 200 "ok\n"; }
    }
EOF

$t->mint_keys('keys');

$t->write_file('platforms.json', <<'EOF');
{
  "pools": [{"id": "gd-web", "platform": "gd"}],
  "instances": [{"id": "a", "pool": "gd-web", "address": "127.0.0.1",
                 "port": %%PORT_9%%}],
  "platforms": [{"id": "gd", "region": "440000",
                 "name": {"zh": "广东", "en": "Guangdong"}}],
  "routes": [{"id": "gd-path", "platform": "gd", "pool": "gd-web",
              "match": {"paths": ["/44/"]}}]
}
EOF

$t->write_file('a.rules', <<'EOF');
rule 1000 trap { match path prefix "/44/.git/"; block; }
EOF

$t->http_conf(<<'EOF')->run();
    govsvc_platforms     platforms.json;
    govsvc_rules         a.rules;
    govsvc_limit_zone    $govsvc_client_net zone=ip:1m rate=1000000r/s
                         burst=1000000;
    govsvc_audit_store   dir=audit sync=off;

    govsvc_issuer national {
        iss        https://sso.example;
        audience   portal;
        algs       ES256;
        jwks_file  keys/jwks.json;
    }

    upstream platforms {
        govsvc_balancer;
        keepalive 16;
    }

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_route  on;
        govsvc_guard  on;
        govsvc_limit  zone=ip;
        govsvc_audit  meta;
        govsvc_token  optional issuer=national;

        location / {
            proxy_http_version  1.1;
            proxy_set_header    Connection "";
            proxy_pass          http://platforms;
        }
    }
EOF

is($t->http_get('/44/')->status, 200, 'serves');

my ($load, $count, $before, $after, $ok);

# reloads

$t->reload() for 1 .. 5;
$before = $t->memory();

$load = $t->load_start(uri => '/44/x', connections => 8,
    seconds => 600, pause => 0.002);

$ok = 0;
$ok += $t->reload() for 1 .. $reloads;

$count = $t->load_stop($load);
$after = $t->memory();

is($ok, $reloads, "$reloads reloads under load");
is_deeply([ grep { !/^(200|reconnect)$/ } keys %$count ], [],
    'no request failed') or diag(explain($count));
cmp_ok($count->{200}, '>', $reloads, 'requests were served');
cmp_ok($after, '<', $before * 1.25 + 2048, 'memory is flat')
    or diag("$before kB, then $after kB");

# killed workers

$load = $t->load_start(uri => '/44/x', connections => 4,
    seconds => 600, pause => 0.005);

for (1 .. 10) {
    $t->kill_worker('KILL');
}

$count = $t->load_stop($load);

is_deeply([ grep { /^5/ } keys %$count ], [], 'no 5xx when a worker is killed')
    or diag(explain($count));
is($t->http_get('/44/')->status, 200, 'serves after that');
is($t->http_get('/44/.git/config')->status, 403, 'and refuses');

$t->stop();

my ($code, $out, $err) = $t->govsvc('audit', 'verify', $t->dir() . '/audit');
like($code, qr/^[04]$/, 'chains verify, but for what was killed')
    or diag($out, $err);
