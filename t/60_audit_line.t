#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit: one line for each request, the refused and the broken ones too; what
# it says and what it must never say.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new()->has('cli')->plan(49);

my $port = $t->backend('one');

$t->write_file('pid.key', "0123456789abcdef0123456789abcdef\n");
chmod 0600, $t->dir() . '/pid.key';

$t->http_conf(<<"EOF")->run();
govsvc_node            gd-01;
govsvc_audit_store     dir=audit flush=0ms;
govsvc_audit_pseudonym key=pid.key kid=7;
govsvc_audit           meta;

set_real_ip_from       127.0.0.8;
real_ip_header         X-Real-IP;

server {
    listen       127.0.0.1:%%PORT_0%%;
    server_name  portal.example;

    location / {
        proxy_pass http://127.0.0.1:$port;
    }

    location /deny/ {
        deny all;
    }

    location /off/ {
        govsvc_audit off;
        return 204;
    }

    location /page/ {
        error_page 404 = \@page;
        return 404;
    }

    location \@page {
        return 200 "page";
    }

    location /down/ {
        proxy_pass http://127.0.0.1:1;
    }

    location /sub/ {
        add_before_body /part/;
        proxy_pass http://127.0.0.1:$port;
    }

    location /part/ {
        return 200 "part";
    }
}
EOF

# The line of the request that was made last, the n-th of all.

sub line {
    my ($n) = @_;

    $t->wait_for(sub {
        my $text = join '', map { $t->read_file($_) } $t->audit_files();
        return 1 + $n <= ($text =~ tr/\n//);
    });

    my @lines = grep { $_->{ty} eq 'http' } $t->audit_lines();
    is(scalar @lines, $n, "line $n");

    return $lines[-1];
}

$t->http_get('/a/%E7%A4%BE%E4%BF%9D?type=1&name=SECRETVALUE', headers => {
    'User-Agent' => 'test 13712349050',
    'Referer' => 'http://portal.example/x/13712349050?token=SECRETVALUE',
    'Authorization' => 'Bearer SECRETVALUE',
    'Cookie' => 'session=SECRETVALUE',
});

my $line = line(1);

is($line->{v}, 1, 'version of the form');
like($line->{id}, qr/^gd-01\.1\.3$/, 'id, behind those of the server');
is($line->{g}, 3, 'global number');
is($line->{seq}, 1, 'number in the chain');
like($line->{ch}, qr/^gd-01\.1\.w0\.\d+$/, 'chain');
like($line->{t}, qr/^2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+08:00$/, 'time');
like($line->{req}, qr/^[0-9a-f]{32}$/, 'request id');
is($line->{src}{ip}, '127.0.0.1', 'address');
ok(!exists $line->{src}{peer}, 'no peer without a proxy');
is($line->{http}{m}, 'GET', 'method');
is($line->{http}{path}, "/a/\x{793e}\x{4fdd}", 'path, decoded');
is_deeply($line->{http}{qk}, ['type', 'name'], 'names of arguments');
is($line->{http}{ver}, '1.1', 'version');
is($line->{http}{status}, 200, 'status');
cmp_ok($line->{http}{in}, '>', 100, 'bytes in');
cmp_ok($line->{http}{out}, '>', 100, 'bytes out');
is($line->{up}{addr}, "127.0.0.1:$port", 'upstream');
is($line->{up}{status}, 200, 'its status');
is($line->{dec}{act}, 'allow', 'decision');
ok(!exists $line->{sub} && !exists $line->{tok}, 'nobody known');
is($line->{ua}, 'test 137****9050', 'user agent, masked');
is($line->{referer}, 'http://portal.example/x/137****9050?', 'referer');

$t->http_get('/u/11010519491231002X/%31%33712349050');
is(line(2)->{http}{path}, '/u/1****************X/137****9050', 'masked path');

$t->http_get('/deny/');
is_deeply(line(3)->{dec}, { act => 'deny', code => 'HTTP_403' },
    'refused by Nginx');

$t->http("BROKEN\r\n\r\n");
$line = line(4);
is($line->{http}{status}, 400, 'a broken request');
is($line->{dec}{code}, 'HTTP_400', 'its code');

$t->http_get('/off/');
$t->http_get('/page/');
is(line(5)->{http}{status}, 200, 'none for "off", one for a redirect');

$t->http_get('/down/');
$line = line(6);
is($line->{http}{status}, 502, 'platform down');
is($line->{dec}{act}, 'allow', 'which is no refusal');

$t->http_get('/sub/');
is(line(7)->{http}{path}, '/sub/', 'subrequests leave none');

$t->http_get('/', from => '127.0.0.8', headers => {
    'X-Real-IP' => '203.0.113.9' });
$line = line(8);
is($line->{src}{ip}, '203.0.113.9', 'address behind a proxy');
is($line->{src}{peer}, '127.0.0.8', 'the proxy');

$t->http("GET /%ff%0a%22%5c%3c HTTP/1.1\r\nHost: a\r\n"
    . "User-Agent: \xe2\x80\xaea\t\r\nConnection: close\r\n\r\n");
$line = line(9);
is($line->{http}{path}, "/\x{fffd}\n\"\\<", 'bytes that are no UTF-8');
is($line->{http}{path_b64}, 'L_8KIlw8', 'and as they came');

# A client that goes away.

$t->backend_stop('one');
$t->backend('one', sub { sleep 20; return (200, [], 'late') });

my $s = $t->connect();
print $s $t->request('GET', '/slow');
select undef, undef, undef, 0.3;
close $s;
is(line(10)->{http}{status}, 499, 'client gone');

$t->stop();

my $text = join '', map { $t->read_file($_) } $t->audit_files();

unlike($text, qr/SECRETVALUE/, 'no value of a query, token or cookie');
unlike($text, qr/13712349050|11010519491231002X/, 'no number in the clear');

my ($code, $out) = $t->govsvc('audit', 'verify', $t->dir() . '/audit');
is($code, 0, 'verified');
like($out, qr/^gd-01\.1\.w0\.\d+: ok, 10 records in 1 segments, seq 0-11, .*, closed$/m,
    'as told');
