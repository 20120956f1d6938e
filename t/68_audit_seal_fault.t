#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit: each system call of the sealer fails or is its last, in turn.  What
# was signed stays true, and sealing goes on where it stopped.
# GOVSVC_LONG=1 tries every call.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new(workers => 1)->has('cli', 'strace');

$t->http_conf(<<'EOC')->run();
govsvc_node        n1;
govsvc_audit_store dir=audit segment=64k flush=1ms;
govsvc_audit       meta;

server {
    listen 127.0.0.1:%%PORT_0%%;
    location / { return 200 "ok"; }
}
EOC

my $base = $t->dir();
my ($dir, $seal) = ("$base/audit", "$base/seal");
my $long = $ENV{GOVSVC_LONG};

mkdir "$base/k";
$t->govsvc('audit', 'keygen', '--name', 'gov.example/n1', '--out', "$base/k");

my @sealer = ("$FindBin::Bin/../build/govsvc", 'audit', 'sealer', $dir,
    '--key', "$base/k/seal.key", '--seal', $seal, '--once');

sub injected {
    my ($call, $what, $when) = @_;

    my $pid = fork() // die "fork: $!\n";

    if ($pid == 0) {
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', "$base/stderr";
        exec 'strace', '-qq', '-o', "$base/trace", '-e', "trace=$call",
            '-e', "inject=$call:$what:when=$when", @sealer;
        exit 1;
    }

    waitpid $pid, 0;

    return ($?, ($t->read_file('trace') // '') =~ /INJECTED|SIGKILL/);
}

sub point { return $t->read_file('seal/checkpoint') // '' }
sub size { return (split /\n/, point())[1] // 0 }

my (%hit, $asked);
my $last = 0;

# So many leaves that full tiles are written, too.

for my $call (qw/openat write pwrite64 fsync fdatasync rename/) {
    for my $what ('error=EIO', 'error=ENOSPC', 'signal=KILL') {
        for my $when ($long ? (1 .. 40) : (1, 2, 4, 7)) {

            # the loader opens libraries first
            my $n = $call eq 'openat' ? $when + 5 : $when;

            $t->http_get('/') for 1 .. 3 + $asked++ % 9;

            my ($rc, $hit) = injected($call, $what, $n);
            $hit{"$call $what"}++ if $hit;

            my $case = "$call $what $n";
            my ($code, $out, $err) = $t->govsvc('audit', 'verify', $dir,
                '--seal', $seal, '--key', "$base/k/seal.pub");

            if (point() eq '') {
                is($code, 3, "$case: nothing is signed yet");

            } elsif ($code != 0 || size() < $last) {
                fail("$case: what was signed stays true");
                diag("$code $last: $out$err");
            }

            $last = size();

            # Every other time it is killed again before it recovered.

            next if $asked % 2;

            ($code, $out, $err) = $t->govsvc(@sealer[1 .. $#sealer]);
            fail("$case: goes on") && diag("$code: $err") if $code != 0;
            $last = size();
        }
    }
}

SKIP: {
    skip 'processes cannot be traced here', 1 unless %hit;
    is(scalar keys %hit, 18, 'each call was hit in each way')
        or diag(join ', ', sort keys %hit);
}

my ($code) = $t->govsvc(@sealer[1 .. $#sealer]);
is($code, 0, 'it goes on');

$t->stop();
$t->govsvc(@sealer[1 .. $#sealer]);
my ($rc, $out) = $t->govsvc('audit', 'verify', $dir, '--seal', $seal, '--key',
    "$base/k/seal.pub", '--require', 'sealed');
is($rc, 0, 'all is sealed') or diag($out);
cmp_ok(size(), '>', 256, 'over more than a tile');

$t->done();
