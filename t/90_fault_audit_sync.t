#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit when the disk says that a sync failed: the file is left, what may be
# lost is written again, and the chain holds every request once.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new()->has('cli', 'stock', 'strace')->plan(8);

$t->conf(<<'EOF')->run();
%%TEST_GLOBALS%%

events { }

http {
    %%TEST_GLOBALS_HTTP%%

    govsvc_node        n1;
    govsvc_audit_store dir=audit flush=0ms;
    govsvc_audit       meta;

    server {
        listen 127.0.0.1:%%PORT_0%%;
        location / { return 200 "ok"; }
    }
}
EOF

my ($worker) = $t->workers();
my $trace = $t->dir() . '/trace';

my $pid = fork() // die;

if ($pid == 0) {
    exec 'strace', '-f', '-qq', '-o', $trace, '-p', $worker,
        '-e', 'trace=fdatasync', '-e', 'inject=fdatasync:error=EIO:when=2+3';
    exit 1;
}

my $traced = $t->wait_for(sub {
    return ($t->read_file("/proc/$worker/status") // '')
        =~ /^TracerPid:\s*[1-9]/m;
}, 5);

SKIP: {

skip 'processes cannot be traced here', 8 unless $traced;

my $n = 12;

for my $i (1 .. $n) {
    $t->http_get("/$i");

    # One batch each; a failed one is written again before the next.

    $t->wait_for(sub { grep { $_->{ty} eq 'http'
        && $_->{http}{path} eq "/$i" } $t->audit_lines() });
    select undef, undef, undef, 0.06;
}

kill 'INT', $pid;
waitpid $pid, 0;

$t->stop();

my $injected = () = ($t->read_file($trace) // '') =~ /INJECTED/g;
cmp_ok($injected, '>', 1, 'syncs failed');
like($t->error_log(), qr/\[crit\].*fdatasync\(\) failed/, 'and were logged');

my ($code, @chains) = $t->audit_verify();
my ($chain) = grep { $_->{chain} =~ /\.w\d/ } @chains;

is($code, 0, 'the chain is whole');
is($chain->{records}, $n, 'every request is in it once');
is($chain->{segments}, $injected + 1, 'each failure began a segment');
is($chain->{end}, 'closed', 'closed');

my @open = grep { $_->{ty} eq 'seg.open' } $t->audit_lines();
is(scalar(grep { $_->{why} eq 'eio' } @open), $injected, 'which says why');

# What the next segment says of a file holds: without it the rest counts.

my @files = $t->audit_files();
unlink $files[1];
($code) = $t->audit_verify();
is($code, 1, 'a segment of them removed is seen');

}
