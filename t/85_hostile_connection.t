#!/usr/bin/perl

# Copyright (C) govsvc authors

# Connections: clients that leave at every stage, platforms that hang, HTTP/2,
# sockets of other kinds, addresses that a proxy in front vouches for.

use strict;
use warnings;

use IO::Socket::UNIX;
use Socket qw/SOL_SOCKET SO_LINGER/;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Portal;


my $t = Test::GovSvc->new()->has('curl');
my $p = Test::GovSvc::Portal->new($t, bj => sub { sleep 60; () });

$t->http_conf($p->http() . <<'EOF' . $p->server() . <<'EOF')->run();
    lingering_timeout   1s;
    proxy_read_timeout  1s;

    server {
        listen             127.0.0.1:%%PORT_0%%;
        listen             127.0.0.1:%%PORT_1%% http2;
        listen             127.0.0.1:%%PORT_2%% proxy_protocol;
        listen             unix:%%DIR%%/s.sock;
        set_real_ip_from   127.0.0.0/8;
        real_ip_header     X-Forwarded-For;
EOF

        location / {
            proxy_pass  http://platforms;
        }

        location /44/stream/ {
            proxy_request_buffering  off;
            proxy_pass               http://platforms;
        }

        location /11/long/ {
            proxy_read_timeout  60s;
            proxy_pass          http://platforms;
        }

        location /44/tight/ {
            govsvc_limit  zone=tight;
            proxy_pass    http://platforms;
        }
    }
EOF

my $sent = 0;
my $pid = $p->worker();


# sends so much and is gone

sub leave {
    my ($raw, $reset) = @_;

    my $socket = $t->connect();
    $sent++;
    syswrite $socket, $raw;
    setsockopt $socket, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0) if $reset;
    select undef, undef, undef, 0.05;
    close $socket;
}


my $post = "Host: a\r\nContent-Length: 100000\r\n\r\nabc";

for my $reset (0, 1) {
    leave("GET /44/x HTTP/1.1\r\nHo", $reset);
    leave("GET /44/x HTTP/1.1\r\nHost: a\r\n\r\n", $reset);
    leave("POST /44/x HTTP/1.1\r\n$post", $reset);
    leave("POST /44/stream/x HTTP/1.1\r\n$post", $reset);
    leave("POST /x HTTP/1.1\r\n$post", $reset);
    leave("POST /44/.git/ HTTP/1.1\r\n$post", $reset);
    leave("GET /11/long/x HTTP/1.1\r\nHost: a\r\n\r\n", $reset);
    leave("GET /65/x HTTP/1.1\r\nHost: a\r\n\r\n", $reset);
}

$sent++;
is($t->http_get('/11/x')->status, 504, 'platform that hangs');

# HTTP/2

sub curl {
    my (@args) = @_;

    $sent++;
    my (undef, $out) = $t->command('curl', '-s', '-m', '20', '-w',
        '\n%{http_code} %{http_version}', '--http2-prior-knowledge', @args);

    return $out;
}

my $url = 'http://127.0.0.1:' . $t->port(1);
my $forged = 'X-Tif-Uid: forged';

like(curl('-H', $forged, "$url/44/h2"), qr/^(?!.*forged).*\n200 2$/s,
    'HTTP/2 passes');
like(curl("$url/x"), qr/ROUTE_NOT_FOUND.*\n404 2$/s, 'HTTP/2 refused');
like(curl('-H', 'Authorization: Bearer ' . 'a' x 60000, "$url/44/x"),
    qr/TOKEN_INVALID.*\n401 2$/s, 'HTTP/2 with a header of 64 KB');
like(curl('-H', 'Host: a/b', "$url/44/x"), qr/\n400 2$/,
    'HTTP/2 with a broken host');
like(curl('-I', "$url/44/.git/"), qr/x-request-id: \w+.*\n403 2$/s,
    'HTTP/2 HEAD');
like(curl('-X', 'CONNECT', "$url/44/x"), qr/\n[04]0[05] [02]$/,
    'HTTP/2 CONNECT');
like(curl("$url/11/x"), qr/\n504 2$/, 'HTTP/2 and a platform that hangs');

# a body that nobody reads (what curl makes of it depends on its version), and
# a stream that is given up by a client that goes

curl('-d', 'x' x 90000, "$url/x");

$sent++;
$t->command('curl', '-s', '-m', '0.3', '--http2-prior-knowledge',
    "$url/11/long/x");

# other sockets

my $unix = IO::Socket::UNIX->new(Peer => $t->dir() . '/s.sock');
$sent++;
is($t->http_get('/44/unix', socket => $unix)->status, 200, 'Unix socket');

$sent++;
is($t->http("PROXY TCP4 192.0.2.7 192.0.2.1 1 2\r\nGET /44/pp HTTP/1.1\r\n"
    . "Host: a\r\nConnection: close\r\n\r\n", port => $t->port(2))->status,
    200, 'PROXY protocol');
is($t->http("GET /44/x HTTP/1.1\r\nHost: a\r\n\r\n",
    port => $t->port(2))->status, 0, 'and without: no request');

# the limit is that of the address the proxy in front vouches for

for (['192.0.2.1', 200], ['192.0.2.1', 429], ['192.0.2.2', 200],
    ['192.0.2.1, 192.0.2.3', 200], ['nonsense', 200], ["\xff\x01", 429])
{
    $sent++;
    is($t->http_get('/44/tight/', headers => { 'X-Forwarded-For' => $_->[0] })
        ->status, $_->[1], 'limit by address in front');
}

is(($t->workers())[0], $pid, 'the same worker');

my @lines = $p->lines($sent);
is(scalar @lines, $sent, 'one line for each request');

my %codes;
$codes{$_->{dec}{code} // ''}++ for @lines;
is($codes{RULE_BLOCKED}, 3, 'also where the client has gone: blocked');
is($codes{ROUTE_NOT_FOUND}, 4, 'and not found');
cmp_ok(scalar(grep { $_->{http}{status} == 499 } @lines), '>=', 3,
    'and let pass');

$t->done();
