#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit: chains over the life of processes.  Reloads, signals and a worker
# that is killed; a removed and an edited file.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new(workers => 2)->has('cli')->plan(40);

$t->http_conf(<<'EOF')->run();
govsvc_node        n1;
govsvc_audit_store dir=audit alg=sha256 segment=64k flush=5ms buffer=32m;
govsvc_audit       meta;

server {
    listen 127.0.0.1:%%PORT_0%%;
    location / { return 200 "ok"; }
}
EOF

# The large buffer: however slow the disk of a busy test machine syncs, nothing
# may be lost here.

my $dir = $t->dir() . '/audit';

sub sum {
    my ($key, @chains) = @_;

    my $sum = 0;
    $sum += $_->{$key} for @chains;

    return $sum;
}

# The records of requests: what the server tells of itself is not of them.

sub requests {
    my (@chains) = @_;

    return sum('records', @chains)
        - grep { $_->{ty} =~ /^(sys|cfg)$/ }
          $t->audit_lines(), $t->audit_master_lines();
}

# Segments turn over under load, and a live store verifies.

my $n = 0;

for (1 .. 4) {
    my @raw = map { $t->request('GET', "/load/$_") } 1 .. 100;
    my @r = $t->http_parallel(\@raw, concurrency => 8);
    $n += grep { $_->status == 200 } @r;

    my ($code) = $t->audit_verify();
    is($code, 0, 'verified while it is written');
}

is($n, 400, 'answered');

$t->wait_for(sub {
    my ($c, @c) = $t->audit_verify();
    $c == 0 && requests(@c) == $n;
});
my ($code, @chains) = $t->audit_verify();
is($code, 0, 'verified');
is(requests(@chains), $n, 'one record for each request');
cmp_ok(sum('segments', @chains), '>', scalar @chains, 'several segments');
is(sum('lost', @chains), 0, 'none lost');

my %times;
push @{$times{$_->{ch}}}, $_->{t}
    for $t->audit_lines(), $t->audit_master_lines();
is_deeply({ map { $_->{chain} => [ @$_{qw/first last/} ] } @chains },
    { map { $_ => [ (sort @{$times{$_}})[0, -1] ] } keys %times },
    'from the oldest line to the newest');

is($t->read_file('audit/epoch'), "1\n", 'epoch');

# Reloads lose nothing, USR1 harms nothing.

my $load = $t->load_start('/load', 4);

for (1 .. 20) {
    $t->reload();
    kill 'USR1', $t->{main};
}

$t->load_stop($load);
$t->wait_for(sub { $t->workers(all => 1) == 2 });

# The access log of Nginx counts as well, as long as nothing fails.

$n = () = $t->read_file('access.log') =~ /\n/g;
cmp_ok($n, '>', 1000, 'many requests');

is($t->read_file('audit/epoch'), "21\n", 'an epoch for each reload');

$t->wait_for(sub { my (undef, @c) = $t->audit_verify(); requests(@c) >= $n });
($code, @chains) = $t->audit_verify();
is($code, 0, 'verified after 20 reloads');
is(requests(@chains), $n, 'no request is missing, none is there twice');
is(scalar(grep { $_->{end} eq 'open' && $_->{chain} !~ /^n1\.21\./ } @chains),
    0, 'all chains of the past are closed');

my %id;
$id{$_->{id}}++
    for grep { $_->{id} } $t->audit_lines(), $t->audit_master_lines();
is(scalar(grep { $_ > 1 } values %id), 0, 'no identifier twice');

my @g = sort { $a <=> $b } map { $_->{g} } grep { $_->{g} }
    $t->audit_lines(), $t->audit_master_lines();
is($g[-1] - $g[0] + 1, scalar @g, 'no global number is missing');

# A worker that is killed leaves a chain that is not closed, no more.

$t->http_get('/before') for 1 .. 10;
$n += 10;
$t->wait_for(sub { my (undef, @c) = $t->audit_verify(); requests(@c) >= $n });

ok($t->kill_worker('KILL'), 'a worker is killed');
$t->http_get('/after') for 1 .. 10;
$n += 10;

$t->wait_for(sub { my (undef, @c) = $t->audit_verify(); requests(@c) >= $n });
($code, @chains) = $t->audit_verify();
ok($code == 0 || $code == 4, 'not taken for tampering');
is(requests(@chains), $n, 'what was written is there');

# The file that is written to is removed, then its folder.

$t->expect_log(qr/the file being written was removed or replaced/);

for my $target ('file', 'folder') {
    my (undef, @all) = $t->audit_verify();
    my %alive = map { $_ => 1 } $t->workers();
    my ($chain) = grep { /\.(\d+)$/ && $alive{$1} } map { $_->{chain} } @all;

    if ($target eq 'file') {
        my @files = sort glob "$dir/$chain/*.seg";
        unlink $files[-1];

    } else {
        system 'rm', '-r', "$dir/$chain";
    }

    # a chain may have several files: the next is one that was not there

    my %left = map { $_ => 1 } glob "$dir/$chain/*.seg";
    my @files;

    $t->wait_for(sub {
        $t->http_get("/$target");
        @files = grep { !$left{$_} } sort glob "$dir/$chain/*.seg";
        return @files && -s $files[-1];
    });

    my ($head) = split /\n/, $t->read_file($files[-1]);
    $head = JSON::PP->new->decode($head);
    is($head->{ty}, 'seg.open', "$target removed: a new segment");
    is($head->{why}, 'unlinked', 'which says why');

    ($code, my @one) = $t->audit_verify("$dir/$chain");
    is($code, 1, 'and the verifier says so');
    is($one[0]{fault}{kind}, 'delete', 'a segment is missing');
}

ok($t->error_log() =~ /\[alert\].*the file being written was removed/,
    'an alert is logged');

my ($tamper) = grep { $_->{ty} eq 'tamper' } $t->audit_lines();
ok($tamper, 'and the chain tells of it');
is($tamper->{why}, 'unlinked', 'what was done');
cmp_ok($tamper->{bytes}, '>', 0, 'and to how much');

$t->stop();

# An edit of one byte.

(undef, @chains) = $t->audit_verify();
my ($good) = grep { $_->{state} eq 'ok' && $_->{records} > 5 } @chains;
my ($file) = sort glob "$dir/$good->{chain}/*.seg";
my $text = $t->read_file($file);
my @lines = split /^/, $text;

$lines[2] =~ s/"status":200/"status":201/;
open my $fh, '>', $file or die;
print $fh @lines;
close $fh;

($code, my @one) = $t->audit_verify("$dir/$good->{chain}");
is($code, 1, 'an edit is seen');
is($one[0]{fault}{kind}, 'edit', 'as an edit');
is($one[0]{fault}{line}, 3, 'of this line');

(my $c, my $out) = $t->govsvc('audit', 'verify', $file);
is($c, 1, 'in a file alone, too');
like($out, qr/tampered.*\n  0{16}: line 3, byte \d+, seq 2: edit: the hash/,
    'in words');

is(($t->govsvc('audit', 'verify', "$dir/none"))[0], 3, 'nothing to read');
is(($t->govsvc('audit', 'verify'))[0], 2, 'nothing named');
