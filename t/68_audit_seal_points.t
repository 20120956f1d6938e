#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit: the sealer is killed at each of its named points, from the index to
# the tiles that are dropped.  What was signed stays true, nothing is signed
# twice in two ways, and sealing goes on.  GOVSVC_LONG=1 kills at further
# passings.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Fault;

my $t = Test::GovSvc->new()->has('cli', 'stock');
my $base = $t->dir();
my ($dir, $seal) = ("$base/audit", "$base/seal");

my @points = qw/seal_index seal_tile seal_tiles seal_synced seal_state
    seal_signed seal_put seal_renamed seal_checkpoint seal_dropped/;

$t->http_conf(<<'EOC')->run();
govsvc_node        n1;
govsvc_audit_store dir=audit segment=64k flush=1ms;
govsvc_audit       meta;

server {
    listen 127.0.0.1:%%PORT_0%%;
    location / { return 200 "ok"; }
}
EOC

# The server goes on meanwhile: what is killed is the command.

my $fault = Test::GovSvc::Fault->new($t);

mkdir "$base/k";
$t->govsvc('audit', 'keygen', '--name', 'gov.example/n1', '--out', "$base/k");

my @sealer = ('audit', 'sealer', $dir, '--key', "$base/k/seal.key", '--seal',
    $seal, '--once');

sub point { return $t->read_file('seal/checkpoint') // '' }
sub size { return (split /\n/, point())[1] // 0 }

sub verify {
    my ($code, $out, $err) = $t->govsvc('audit', 'verify', $dir, '--seal',
        $seal, '--key', "$base/k/seal.pub", @_);

    return ($code, "$out$err");
}

# What was signed before is a part of what is signed now.

my ($asked, $kept, $last) = (0, '', 0);

sub look {
    my ($case) = @_;

    if (point() eq '') {
        is((verify())[0], 3, "$case: nothing is signed yet");
        return;
    }

    my ($code, $text) = verify($kept eq '' ? ()
        : ('--against', "$base/kept"));
    ok($code == 0 && size() >= $last, "$case: what was signed is true")
        or diag("$code, $last then " . size() . ": $text");

    $kept = point();
    $last = size();
    $t->write_file('kept', $kept);
}

for my $count ($ENV{GOVSVC_LONG} ? (1 .. 6) : (1, 2)) {
    for my $point (@points) {
        my $hit;

        # a full tile is the end of 256 lines

        for (1 .. 40) {
            my $n = 5 + $asked % 7 + ($point eq 'seal_tile' ? 250 * $count : 0);
            $asked += $n;
            $t->http_parallel([ map { $t->request('GET', "/$_") } 1 .. $n ]);

            $fault->kill_at($point, $count);
            my ($code) = $fault->command(@sealer);
            $hit = $code == 128 + 9;
            last if $hit || $code != 0
                || ($count > 1 && $point !~ /put|renamed|tile$/);
        }

        next unless $hit || $count == 1;
        ok($hit, "$point, $count: killed there");
        look("$point, $count");

        # every other time again before it recovered

        next if $asked % 2;
        my ($code, undef, $err) = $t->govsvc(@sealer);
        is($code, 0, "$point, $count: it goes on") or diag($err);
        look("$point, $count, then");
    }
}

$t->stop();
my ($code, undef, $err) = $t->govsvc(@sealer);
is($code, 0, 'it goes on') or diag($err);
look('at the end');
($code, $err) = verify('--require', 'sealed');
is($code, 0, 'all is sealed') or diag($err);
cmp_ok(size(), '>', 512, 'over more than a tile');

$t->done();
