#!/usr/bin/perl

# Copyright (C) govsvc authors

# Refusals: the page, the problem document, error_page, the numbers.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new()->plan(37);

my $port = $t->backend('gd');

$t->write_file('platforms.json', <<"EOF");
{
  "pools": [{"id": "gd-web", "platform": "gd"}],
  "instances": [{"id": "a", "pool": "gd-web", "address": "127.0.0.1",
                 "port": $port}],
  "platforms": [{"id": "gd", "region": "440000",
                 "name": {"zh": "广东", "en": "Guangdong"}}],
  "routes": [{"id": "gd-path", "platform": "gd", "pool": "gd-web",
              "match": {"paths": ["/44/"]}}]
}
EOF

$t->http_conf(<<'EOF')->run();
    govsvc_platforms  platforms.json;

    upstream platforms {
        govsvc_balancer;
        keepalive 4;
    }

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_route  on;

        location / {
            proxy_pass  http://platforms;
        }

        location /custom/ {
            error_page  404 = /sorry;
            proxy_pass  http://platforms;
        }

        location /named/ {
            error_page  404 = @sorry;
            proxy_pass  http://platforms;
        }

        location = /sorry {
            internal;
            return 200 "sorry $govsvc_reason $govsvc_request_id";
        }

        location @sorry {
            return 418 "named $govsvc_reason $govsvc_request_id";
        }
    }
EOF

my ($r, $json, $id);

# what passes

$r = $t->http_get('/44/x', headers => [
    'X-Request-Id' => 'mine', 'traceparent' => '00-' . 'a' x 32 . '-'
    . 'b' x 16 . '-01', 'tracestate' => 'a=b' ]);

is($r->status, 200, 'passes');
$id = $r->header('X-Request-Id');
like($id, qr/^[0-9a-f]{32}$/, 'number in the answer');
is($r->json->{headers}{'x-request-id'}, $id, 'the same for the platform');
like($r->json->{headers}{traceparent}, qr/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/,
    'trace for the platform');
unlike($r->json->{headers}{traceparent}, qr/a{32}/, 'not a foreign one');
is($r->json->{headers}{tracestate} // '', '', 'no foreign trace state');

isnt($t->http_get('/44/')->header('X-Request-Id'), $id, 'numbers differ');

# the page

$r = $t->http_get('/99x/', headers => { Accept => 'text/html,*/*;q=0.8' });

is($r->status, 404, 'page status');
is($r->header('Content-Type'), 'text/html; charset=utf-8', 'page type');
is($r->header('Cache-Control'), 'no-store', 'page is not stored');
$id = $r->header('X-Request-Id');
like($id, qr/^[0-9a-f]{32}$/, 'page number');
like($r->body, qr/<code>$id<\/code>/, 'number on the page');
like($r->body, qr/<code>ROUTE_NOT_FOUND<\/code>/, 'reason on the page');
like($r->body, qr/lang="zh-CN"/, 'page in Chinese');
like($r->body, qr/lang="en"/, 'and English');
unlike($r->body, qr/nginx/i, 'nothing about the server software');
is($r->header('Content-Length'), length($r->body), 'page length');

# the problem document

for my $accept ('application/json', 'application/problem+json, */*') {
    $r = $t->http_get('/99x/', headers => { Accept => $accept });
    is($r->header('Content-Type'), 'application/problem+json',
        "problem for $accept");
}

$json = $r->json;
is($json->{type}, 'about:blank', 'problem type');
is($json->{status}, 404, 'problem status');
is($json->{code}, 'ROUTE_NOT_FOUND', 'problem code');
is($json->{request_id}, $r->header('X-Request-Id'), 'problem number');
like($json->{detail}{zh}, qr/\x{653f}\x{52a1}/, 'problem in Chinese');
like($json->{detail}{en}, qr/address/, 'problem in English');

$r = $t->http_request('POST', '/99x/', body => '{}',
    headers => { 'Content-Type' => 'application/json' });
is($r->header('Content-Type'), 'application/problem+json', 'JSON for JSON');

$r = $t->http_get('/99x/', headers => { Accept => 'text/html, text/json' });
is($r->header('Content-Type'), 'text/html; charset=utf-8', 'page goes first');

$r = $t->http_request('HEAD', '/99x/');
is($r->status, 404, 'HEAD status');
is($r->body, '', 'HEAD body');

# error_page goes first

$r = $t->http_get('/custom/');
is($r->status, 200, 'error_page status');
like($r->body, qr/^sorry ROUTE_NOT_FOUND [0-9a-f]{32}$/, 'error_page body');

$r = $t->http_get('/named/');
is($r->status, 418, 'named location status');
like($r->body, qr/^named ROUTE_NOT_FOUND [0-9a-f]{32}$/, 'named location');

# a refused body does not poison the connection

my $socket = $t->connect();

$r = $t->http_request('POST', '/99x/', body => 'x' x 60000, keepalive => 1,
    socket => $socket);
is($r->status, 404, 'body refused');

$r = $t->http_get('/44/after', socket => $socket);
is($r->status, 200, 'next request of the connection');
is($r->json->{uri}, '/44/after', 'is read as one');

is($t->http_get('/44/%2e%2e%2fx')->status, 400, 'unsafe address');
