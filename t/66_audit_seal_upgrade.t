#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit: a server that seals is replaced by a new binary under load.  The old
# one seals while it lives, then the new one goes on with the same tree.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

plan(skip_all => 'the new binary is no child of valgrind')
    if $ENV{GOVSVC_VALGRIND};

my $t = Test::GovSvc->new(workers => 2, log => 'notice')->has('cli', 'stock');
my $base = $t->dir();

mkdir "$base/k";
$t->govsvc('audit', 'keygen', '--alg', 'sm2', '--name', 'gov.example/n1/sm3',
    '--out', "$base/k");

$t->http_conf(<<'EOF');
govsvc_node         n1;
govsvc_audit_store  dir=audit flush=5ms segment=64k;
govsvc_audit_seal   dir=seal key=k/seal.key interval=100ms;
govsvc_audit        meta;

server {
    listen 127.0.0.1:%%PORT_0%%;
    location / { return 200 "ok"; }
    location /metrics { govsvc_metrics; }
}
EOF

# USR2 is only heard by a master whose parent has gone

chomp(my $nginx = `which $Test::GovSvc::NGINX`);

my @start = ($t->environment(), $nginx, '-p', "$base/", '-e',
    "$base/error.log", '-c', "$base/nginx.conf");

system('sh', '-c', 'setsid "$@" > /dev/null 2>&1 & sleep 0.7', 'sh', @start);

sub number {
    my ($name) = @_;

    return $t->wait_for(sub {
        ($t->read_file($name) // '') =~ /^(\d+)$/ ? $1 : 0;
    }, 60);
}

my $old = number('nginx.pid');

END {
    local $?;
    kill 'KILL', -$old if $old;
}

ok($old, 'a master of its own') or die;

sub point { return $t->read_file('seal/checkpoint') // '' }

sub goes_on {
    my $before = point();
    return $t->wait_for(sub { my $p = point(); $p ne '' && $p ne $before },
        60);
}

sub holder {
    return ($t->read_file('seal/lock') // '') =~ /^process (\d+) \(server\)$/
        ? $1 : 0;
}

sub parent {
    return ($t->read_file("/proc/$_[0]/stat") // '') =~ /^\d+ \(.*\) \S (\d+)/
        ? $1 : 0;
}

ok(goes_on(), 'it signs');
is(parent(holder()), $old, 'in a worker of the old master');
my $load = $t->load_start(uri => '/x', connections => 2, seconds => 300,
    pause => 0.005);

kill 'USR2', $old;
ok($t->wait_for(sub { -s "$base/nginx.pid.oldbin" && -s "$base/nginx.pid"
    && $t->read_file('nginx.pid') != $old }, 60), 'a new master');
my $new = number('nginx.pid');

ok($t->wait_for(sub { $t->error_log() =~
    /\[warn\] .*audit seal: another sealer works in/ }, 60),
    'its worker finds the lock taken');
ok(goes_on(), 'the old one signs on');
is(parent(holder()), $old, 'alone');

open my $fh, '>', "$base/kept" or die "$base/kept: $!\n";
print $fh point();
close $fh;

kill 'QUIT', $old;
ok($t->wait_for(sub { !kill 0, $old }, 60), 'the old master ends');
ok($t->wait_for(sub { parent(holder()) == $new }, 60), 'the new one takes over');
ok(goes_on(), 'and signs');
$t->load_stop($load);
ok($t->wait_for(sub { $t->http_get('/metrics')->body
    =~ /^govsvc_audit_seal_state\{state="signing"\} 1$/m }, 60), 'told');

kill 'QUIT', $new;
ok($t->wait_for(sub { !kill 0, $new }, 60), 'the end');
$old = 0;

my ($code, $out, $err) = $t->govsvc('audit', 'verify', "$base/audit", '--seal',
    "$base/seal", '--key', "$base/k/seal.pub", '--against', "$base/kept");
is($code, 0, 'one tree') or diag("$out$err");

# Its last lines, of the end itself, are left for the next sealer.

($code) = $t->govsvc('audit', 'sealer', "$base/audit", '--key',
    "$base/k/seal.key", '--seal', "$base/seal", '--once');
is($code, 0, 'the command goes on');
($code) = $t->govsvc('audit', 'verify', "$base/audit", '--seal', "$base/seal",
    '--key', "$base/k/seal.pub", '--against', "$base/kept", '--require',
    'sealed');
is($code, 0, 'to the last line');

$t->done();
