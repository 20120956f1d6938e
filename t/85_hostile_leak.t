#!/usr/bin/perl

# Copyright (C) govsvc authors

# Tokens, cookies and identity numbers stand in no log, wherever the client
# puts them and whatever becomes of the request.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Portal;


my $t = Test::GovSvc->new();
my $p = Test::GovSvc::Portal->new($t, bj => sub { () });

$t->http_conf($p->http() . <<'EOF' . $p->server() . <<'EOF')->run();
    server {
        listen                127.0.0.1:%%PORT_0%%;
        server_name           portal.example;
        client_max_body_size  1k;
        proxy_buffer_size     4k;
EOF

        location / {
            proxy_pass  http://platforms;
        }

        location /44/apply/ {
            govsvc_token    required issuer=national from=header,arg:token;
            govsvc_require  level>=3;
            proxy_pass      http://platforms;
        }

        location /44/tight/ {
            govsvc_limit  zone=tight;
            proxy_pass    http://platforms;
        }

        location /44/off/ {
            govsvc_route  off;
            proxy_pass    http://platforms;
        }

        location /44/file/ {
            root  %%DIR%%/nothing;
        }

        location /44/mirror/ {
            mirror      /mirror;
            proxy_pass  http://platforms;
        }

        location = /mirror {
            internal;
            proxy_pass  http://127.0.0.1:1$request_uri;
        }
    }
EOF

my $token = $p->token();
my $low = $p->token(acr => 'low');
my $bad = substr($token, 0, -10) . 'AAAAAAAAAA';
my $sent = 0;


# every request carries a secret of each kind in each place

sub attack {
    my ($path, $bearer, %opt) = @_;

    my $id = $p->id_card();

    $sent++;

    return $t->http_request($opt{method} || 'GET',
        "$path?id=$id&sso=" . $p->cookie() . "&t=$token",
        host => 'portal.example', body => $opt{body},
        headers => [
            $bearer ? (Authorization => "Bearer $bearer") : (),
            Cookie => 'session=' . $p->cookie(),
            Referer => "http://portal.example/?id=$id&t=$token",
            'User-Agent' => "agent/1.0 $id",
            'X-Govsvc-Subject' => $id,
        ]);
}


my @flows = (
    ['passes', 200, '/44/x', $token],
    ['bad token', 401, '/44/x', $bad],
    ['level too low', 401, '/44/apply/x', $low],
    ['two tokens', 400, '/44/x', "$token $token"],
    ['blocked', 403, '/44/.git/', $token],
    ['unsafe', 400, '/44/%2e%2e/', $token],
    ['not found', 404, '/x', $token],
    ['maintenance', 503, '/33/x', $token],
    ['platform is down', 502, '/65/x', $token],
    ['platform hangs up', 502, '/11/x', $token],
    ['once', 200, '/44/tight/', $token],
    ['and no more', 429, '/44/tight/', $token],
    ['no pool', 500, '/44/off/', $token],
    ['mirror is down', 200, '/44/mirror/', $token],
    ['body too large', 413, '/44/x', $token, method => 'POST',
        body => $p->id_card() x 100]);

my $r;

for my $flow (@flows) {
    my ($name, $status, @args) = @$flow;

    $r = attack(@args);
    is($r->status, $status, $name);

    next if $status == 200;

    unlike($r->raw, qr/eyJ|@{[$p->cookie()]}|@{[$p->id_card()]}/,
        "$name: nothing in the answer");
}

my $file = attack('/44/file/x', $token);
is($file->status, 404, 'no file');

is(scalar $p->lines($sent), $sent, 'one line for each request');
is($p->leaks(), '', 'no secret in any log');

my $id = $r->header('X-Request-Id');
like($t->error_log(), qr/too large body.*, server: \S+, request: $id "POST"/,
    'the number of the request does');
like($t->error_log(), qr{Connection refused.*"GET", upstream: "http://127[^/]+",},
    'and the peer does');

$t->done();
