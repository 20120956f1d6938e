#!/usr/bin/perl

# Copyright (C) govsvc authors

# Memory that is refused: for each kind of request the n-th allocation of the
# worker fails, for every n.  The worker lives, what must be refused never
# passes, and no answer goes without an audit line.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Portal;


my $t = Test::GovSvc->new()->has('stock', 'gcc');
my $p = Test::GovSvc::Portal->new($t);

$t->expect_log(qr/(malloc|posix_memalign)\(/);

my $dir = $t->dir();
my ($code, undef, $err) = $t->command('gcc', '-shared', '-fPIC', '-O1',
    '-o', "$dir/fail.so", "$FindBin::Bin/lib/Test/GovSvc/fail.c", '-ldl');
die $err if $code;

$t->write_file('fail', "\0" x 4096);

$t->http_conf($p->http() . <<'EOF' . $p->server() . <<'EOF');
    server {
        listen                   127.0.0.1:%%PORT_0%%;
        request_pool_size        256;
        connection_pool_size     256;
EOF

        location / {
            proxy_pass  http://platforms;
        }

        location /44/apply/ {
            govsvc_token    required issuer=national;
            govsvc_require  level>=3;
            proxy_pass      http://platforms;
        }
    }
EOF

{
    local $ENV{LD_PRELOAD} = "$dir/fail.so";
    local $ENV{GOVSVC_FAIL} = "$dir/fail";
    $t->run();
}


sub arm {
    my ($n) = @_;

    open my $fh, '+<:raw', "$dir/fail" or die;
    syswrite $fh, pack('i', $n);
    close $fh;
}


sub left {
    return unpack 'i', $t->read_file('fail');
}


my @forged = ('X-Tif-Uid' => 'forged', Cookie => 'a=b', Accept => '*/*');
my $token = 'Bearer ' . $p->token();
my $low = 'Bearer ' . $p->token(acr => 'low');

my %requests = (
    'passes' => [200, 'GET', '/44/x', [@forged]],
    'blocked' => [403, 'POST', '/44/.git/', [@forged]],
    'not found' => [404, 'POST', '/x?taskCode=1', [@forged]],
    'token' => [200, 'GET', '/44/apply/x', [@forged,
        Authorization => $token]],
    'no token' => [401, 'POST', '/44/apply/x', [@forged]],
    'low level' => [401, 'POST', '/44/apply/x', [@forged,
        Authorization => $low]],
    'maintenance' => [503, 'GET', '/33/x', [@forged]]);

my $pid = $p->worker();
my $answered = 0;

for my $name (sort keys %requests) {
    my ($status, $method, $uri, $headers) = @{$requests{$name}};
    my ($wrong, $n, %seen) = ('');

    for ($n = 1; $n < 200; $n++) {
        arm($n);

        my $r = $t->http_request($method, $uri, headers => $headers,
            timeout => 10);
        my $done = left() > 0;
        arm(0);

        $seen{$r->status}++;
        $answered++ if $r->status;

        $wrong .= " $n:" . $r->status
            unless $r->status == $status || $r->status == 0
            || $r->status == 500 || $r->status == 503;

        last if $done;
    }

    is($wrong, '', "$name: refused or as ever");
    cmp_ok($n, '>', 3, "$name: memory was short");
    is($t->http_request($method, $uri, headers => $headers)->status, $status,
        "$name: and then as ever");
    $answered++;

    note("$name: $n allocations, ", join ' ', map { "$_: $seen{$_}" }
        sort keys %seen);
}

is(($t->workers())[0], $pid, 'the same worker');
cmp_ok(scalar $p->lines($answered), '>=', $answered,
    'no answer without a line');

my @seen = $t->backend_requests('gd');
is(scalar(grep { $_->{headers}{'x-tif-uid'} } @seen), 0,
    'no foreign identity came through');
is(scalar(grep { $_->{method} ne 'GET' } @seen), 0,
    'nothing that must be refused');
is($p->leaks(), '', 'no secret in any log');

$t->done();
