#!/usr/bin/perl

# Copyright (C) govsvc authors

# Requests that no honest client sends: each is answered or refused for what
# it is, each has one audit line, and the worker lives.

use strict;
use warnings;
use utf8;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Portal;


my $t = Test::GovSvc->new();
my $p = Test::GovSvc::Portal->new($t);

$t->http_conf($p->http() . <<'EOF' . $p->server() . <<'EOF')->run();
    server {
        listen                 127.0.0.1:%%PORT_0%%;
        client_header_timeout  1s;
        client_body_timeout    1s;
        client_max_body_size   100k;
EOF

        location / {
            proxy_pass  http://platforms;
        }

        location /44/apply/ {
            govsvc_token  required issuer=national;
            proxy_pass    http://platforms;
        }
    }
EOF

my $token = $p->token();
my ($head, $claims) = split /\./, $token;
my $item = '11440100007482575H3440118009000';
my $close = "Host: a\r\nConnection: close\r\n";
my $chunked = $close . "Transfer-Encoding: chunked\r\n";


sub bearer {
    my ($value, @more) = @_;

    return ['GET', '/44/apply/',
        headers => [ Authorization => "Bearer $value", @more ]];
}


# name, request (raw, or what makes one), status (0: none that can be read),
# code of the audit line ('': let pass)

my @requests = (
    ['good token', bearer($token), 200, ''],
    ['token of 64 KB', bearer('a' x 65000), 401, 'TOKEN_INVALID'],
    ['token of dots', bearer('.' x 60000), 401, 'TOKEN_INVALID'],
    ['encrypted token', bearer('eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d'), 401,
        'TOKEN_INVALID'],
    ['token of arrays', bearer('W10.W10.AA'), 401, 'TOKEN_INVALID'],
    ['deep JSON', bearer('W1tb' x 8000 . ".$claims.AA"), 401,
        'TOKEN_INVALID'],
    ['alg none', bearer('eyJhbGciOiJub25lIn0.e30.'), 401, 'TOKEN_INVALID'],
    ['base64 with padding', bearer("$token="), 401, 'TOKEN_INVALID'],
    ['base64 not canonical', bearer(substr($token, 0, -1) . '_'), 401,
        'TOKEN_INVALID'],
    ['high bytes', bearer("\xff\xfe.\xc0\xaf.a"), 401, 'TOKEN_INVALID'],
    ['two words', bearer("$token x"), 400, 'TOKEN_MALFORMED'],
    ['no token', bearer(''), 400, 'TOKEN_MALFORMED'],
    ['header and cookie', ['GET', '/44/', headers => {
        Authorization => "Bearer $token", Cookie => "sso=$token" }], 400,
        'TOKEN_MALFORMED'],
    ['NUL in a token', bearer("$head.\0$claims"), 400, 'HTTP_400'],

    ['header of 64 KB', ['GET', '/44/', headers => { X => 'a' x 65000 }],
        200, ''],
    ['header too large', ['GET', '/44/', headers => { X => 'a' x 90000 }],
        400, 'HTTP_400'],
    ['control bytes in a header', ['GET', '/44/',
        headers => { X => "\x01\x02\x7f\xff" }], 200, ''],
    ['control byte in a name', ['GET', '/44/', headers => { "X-\x01" => 1 }],
        400, 'HTTP_400'],

    ['address of 64 KB', ['GET', '/44/' . 'a' x 64000], 200, ''],
    ['address too long', ['GET', '/44/' . 'a' x 90000], 414, 'HTTP_414'],
    ['broken UTF-8', ['GET', "/44/\xff\xfe\xc0\xaf"], 400, 'URI_UNSAFE'],
    ['broken UTF-8, encoded', ['GET', '/44/%ff%c0%af'], 400, 'URI_UNSAFE'],
    ['control byte', ['GET', "/44/\x01"], 400, 'HTTP_400'],
    ['encoded NUL', ['GET', '/44/%00'], 400, 'HTTP_400'],
    ['broken UTF-8 in arguments', ['GET', "/44/?a=\xff\xc0&b=%ff%00"], 200,
        ''],
    ['10,000 arguments', ['GET', '/44/?' . 'a=1&' x 10000], 403,
        'RULE_BLOCKED'],

    ['item of 64 KB', ['GET', '/x?taskCode=' . '1' x 64000], 404,
        'ITEM_UNKNOWN'],
    ['item of wrong letters', ['GET', "/x?taskCode=$item\xe4\xb8"], 404,
        'ITEM_UNKNOWN'],
    ['two items', ['GET', "/x?taskCode=$item&taskCode=1111$item"], 404,
        'ITEM_UNKNOWN'],

    ['HTTP/1.0', "GET /44/ HTTP/1.0\r\n\r\n", 200, ''],
    ['HTTP/1.0, refused', "GET /x HTTP/1.0\r\n\r\n", 404, 'ROUTE_NOT_FOUND'],
    ['HTTP/0.9', "GET /44/\r\n", 0, ''],
    ['HTTP/0.9, refused', "GET /x\r\n", 0, 'ROUTE_NOT_FOUND'],
    ['HTTP/0.9, blocked', "GET /44/.git/\r\n", 0, 'RULE_BLOCKED'],
    ['HTTP/2.0', "GET /44/ HTTP/2.0\r\n$close\r\n", 505, 'HTTP_505'],
    ['absolute form', "GET http://b/44/ HTTP/1.1\r\n$close\r\n", 200, ''],
    ['user in the address', "GET http://u\@b/44/ HTTP/1.1\r\n$close\r\n",
        400, 'HTTP_400'],
    ['no host', "GET /44/ HTTP/1.1\r\nConnection: close\r\n\r\n", 400,
        'HTTP_400'],
    ['two hosts', "GET /44/ HTTP/1.1\r\nHost: b\r\n$close\r\n", 400,
        'HTTP_400'],
    ['host of 64 KB', "GET /44/ HTTP/1.1\r\nHost: " . 'a' x 65000
        . "\r\nConnection: close\r\n\r\n", 200, ''],
    ['host with a slash', "GET /44/ HTTP/1.1\r\nHost: a/b\r\n\r\n", 400,
        'HTTP_400'],

    ['length and chunks', "POST /44/ HTTP/1.1\r\n${chunked}"
        . "Content-Length: 4\r\n\r\n0\r\n\r\n", 400, 'HTTP_400'],
    ['broken chunk', "POST /44/ HTTP/1.1\r\n$chunked\r\nzz\r\n", 400,
        'HTTP_400'],
    ['broken chunk, refused', "POST /x HTTP/1.1\r\n$chunked\r\nzz\r\n", 404,
        'ROUTE_NOT_FOUND'],
    ['negative length', "POST /44/ HTTP/1.1\r\n${close}"
        . "Content-Length: -1\r\n\r\n", 400, 'HTTP_400'],
    ['large body', ['POST', '/44/', body => 'x' x 200000], 413, 'HTTP_413'],
    ['expectation, refused', "POST /x HTTP/1.1\r\n${close}Expect: "
        . "100-continue\r\nContent-Length: 5\r\n\r\n", 404,
        'ROUTE_NOT_FOUND'],

    (map { [$_, [$_, '/44/'], 200, ''], ["$_, refused", [$_, '/x'], 404,
        'ROUTE_NOT_FOUND'] } qw/HEAD OPTIONS PROPFIND UNHEARDOF/),
    (map { [$_, [$_, '/44/'], 405, 'HTTP_405'] } qw/TRACE CONNECT/),
    ['OPTIONS *', ['OPTIONS', '*'], 400, 'HTTP_400'],
    ['CONNECT by host', "CONNECT a:443 HTTP/1.1\r\n$close\r\n", 400,
        'HTTP_400'],
    ['TLS to a plain port', "\x16\x03\x01\x02\0\x01\0\x01\xfc\r\n\r\n", 400,
        'HTTP_400'],

    ['header that does not end', "GET /44/ HTTP/1.1\r\nHost: a\r\n", 0,
        'HTTP_408'],
    ['body that does not come', "POST /44/ HTTP/1.1\r\nHost: a\r\n"
        . "Content-Length: 9\r\n\r\nabc", 0, 'HTTP_408'],
    ['body that does not come, refused', "POST /x HTTP/1.1\r\n${close}"
        . "Content-Length: 9\r\n\r\nabc", 404, 'ROUTE_NOT_FOUND']);

my $pid = $p->worker();

for my $case (@requests) {
    my ($name, $request, $status) = @$case;

    $request = $t->request(@$request) if ref $request;
    utf8::downgrade($request);

    is($t->http($request)->status, $status, $name);
}

is(($t->workers())[0], $pid, 'the same worker');

my @lines = $p->lines(scalar @requests);
is(scalar @lines, scalar @requests, 'one line for each request');

# A refused body is still being thrown away when the next request comes: its
# line is late, so lines are counted, not compared in order.

my (%want, %got);

$want{$_->[3]}++ for @requests;
$got{$_->{dec}{code} // ''}++ for @lines;

is_deeply(\%got, \%want, 'with the reason of each');

is(scalar $t->backend_requests('gd'), $want{''}, 'only what passed went on');

$t->done();
