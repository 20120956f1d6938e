#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit: keys, the sealer, and what a seal proves.

use strict;
use warnings;

use File::Copy qw/copy/;
use JSON::PP;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new(workers => 2)->has('cli');

$t->http_conf(<<'EOC')->run();
govsvc_node        n1;
govsvc_audit_store dir=audit segment=64k flush=5ms buffer=32m;
govsvc_audit       meta;

server {
    listen 127.0.0.1:%%PORT_0%%;
    location / { return 200 "ok"; }
    location /no { return 403; }
}
EOC

my $base = $t->dir();
my ($dir, $seal) = ("$base/audit", "$base/seal");

sub audit { return $t->govsvc('audit', @_) }

sub sealer {
    my (@args) = @_;
    return audit('sealer', $dir, '--key', "$base/k1/seal.key", '--seal', $seal,
        '--once', @args);
}

sub load {
    my ($n) = @_;
    my @raw = map { $t->request('GET', "/load/$_") } 1 .. $n;
    my $ok = grep { $_->status == 200 } $t->http_parallel(\@raw,
        concurrency => 8);

    return $ok;
}

# Keys.

mkdir "$base/$_" for qw/k1 k2 k3/;
my ($code, $pub, $err) = audit('keygen', '--name', 'gov.example/gd/n1',
    '--out', "$base/k1");
is($code, 0, 'a key');
like($pub, qr{^gov\.example/gd/n1\+[0-9a-f]{8}\+\S+$}, 'its public half');
is((stat "$base/k1/seal.key")[2] & 0777, 0600, 'of the owner alone');
is($t->read_file('k1/seal.pub'), $pub, 'which is in a file too');

($code, undef, $err) = audit('keygen', '--name', 'x', '--out', "$base/k1");
is($code, 3, 'no key is written over');
like($err, qr{^govsvc: cannot write ".*/k1/seal\.key": File exists$}, 'told');

($code, undef, $err) = audit('keygen', '--alg', 'rsa', '--name', 'x', '--out',
    "$base/k2");
is($err, "govsvc: invalid --alg \"rsa\", allowed: ed25519, sm2\n", 'no RSA');
($code, undef, $err) = audit('keygen', '--name', 'a b', '--out', "$base/k2");
is($code, 2, 'no blank in a name');

my ($code2) = audit('keygen', '--alg', 'sm2', '--name', 'gov.example/gd/n1',
    '--out', "$base/k2");
is($code2, 0, 'a key of SM2');
audit('keygen', '--name', 'gov.example/other', '--out', "$base/k3");

# Sealing.

is(load(300), 300, 'asked');
ok($t->wait_for(sub { lines() > 300 }), 'written');
my $out;
($code, $out, $err) = sealer();
is($code, 0, 'sealed') or diag($err);
like($out, qr/^\d+ lines are sealed$/, 'so many');

my ($origin, $size, $root, $time) = split /\n/, $t->read_file('seal/checkpoint');
is($origin, 'gov.example/gd/n1', 'a checkpoint of the log');
cmp_ok($size, '>', 256, 'of some size');
like($root, qr{^[\w+/]{43}=$}, 'with a root');
like($time, qr/^time 2\S+\+08:00$/, 'and a time');

sub lines {
    my $n = 0;
    $n += () = $t->read_file(substr $_, 1 + length $base) =~ /\n/g
        for glob "$dir/*/*.seg";

    return $n;
}

load(50);
$t->wait_for(sub { (sealer())[0] == 0
    && (split /\n/, $t->read_file('seal/checkpoint'))[1] == lines() });
is((split /\n/, $t->read_file('seal/checkpoint'))[1], lines(),
    'each line is a leaf');

my ($again) = sealer();
is($again, 0, 'an idle store is signed as well');
isnt((split /\n/, $t->read_file('seal/checkpoint'))[3], $time,
    'with its time');

# Keys are rotated by signing with both.

($code, undef, $err) = audit('sealer', $dir, '--key', "$base/k2/seal.key",
    '--seal', $seal, '--once');
is($code, 1, 'a new key alone does not go on');
like($err, qr/signed by none of the keys; give the old key too; refusing/,
    'told');
($code) = sealer('--key', "$base/k2/seal.key");
is($code, 0, 'both do');
is(() = $t->read_file('seal/checkpoint') =~ /^\xe2\x80\x94 /mg, 2,
    'two signatures');
($code) = audit('sealer', $dir, '--key', "$base/k2/seal.key", '--seal', $seal,
    '--once');
is($code, 0, 'then the new one alone');
($code) = sealer('--key', "$base/k2/seal.key");

($code, undef, $err) = audit('sealer', $dir, '--key', "$base/k3/seal.key",
    '--seal', $seal, '--once');
like($err, qr/the keys are of another log; refusing to sign$/, 'no other log');
chmod 0644, "$base/k3/seal.key";
($code, undef, $err) = audit('sealer', $dir, '--key', "$base/k3/seal.key",
    '--seal', $seal, '--once');
like($err, qr/may be read by others, allowed: mode 0600$/, 'no open key');

for (['--interval', '1ms'], ['--interval', '2h'], ['--interval', 'x']) {
    ($code) = sealer(@$_);
    is($code, 2, "invalid: @$_");
}

# Nothing is signed over what was changed.

sub kept {
    my ($what, $file, $change, $like) = @_;

    my $path = "$base/$file";
    copy($path, "$base/kept") or die "$path: $!\n";
    my $before = $t->read_file('seal/checkpoint');
    my $text = $t->read_file($file);
    $change->($text);
    open my $fh, '>:raw', $path or die "$path: $!\n";
    print $fh $text;
    close $fh;

    my ($rc, undef, $say) = sealer();
    is($rc, 1, "$what: refused");
    like($say, $like, "$what: told");
    is($t->read_file('seal/checkpoint'), $before, "$what: not signed")
        unless $file =~ /checkpoint/;
    copy("$base/kept", $path);
}

my ($segment) = map { substr $_, 1 + length $base } sort glob "$dir/*.w0.*/*";
my ($last) = map { substr $_, 1 + length $base }
    reverse sort glob "$dir/*.w0.*/*";
my ($tile) = map { substr $_, 1 + length $base }
    glob "$seal/tile/0/001.p/*";

kept('an edited record', $last, sub { $_[0] =~ s/GET/PUT/ }, qr/: edit: /);
kept('a shorter segment', $last, sub { $_[0] =~ s/[^\n]+\n\z// }, qr/edit: /);
kept('a tile', $tile, sub { substr($_[0], 0, 1) ^= "\1" },
    qr/the tiles do not give the root of the state; refusing to sign$/);
kept('the state', 'seal/state', sub { $_[0] =~ s/\n(\d+)/"\n" . ($1 - 1)/e },
    qr/refusing to sign$/);
kept('an older state', 'seal/state', sub { $_[0] = 'x' },
    qr/the state is damaged; refusing/);
kept('the checkpoint', 'seal/checkpoint', sub { $_[0] =~ s/time 2/time 1/ },
    qr/the checkpoint is damaged or forged; refusing to sign$/);
kept('the index', 'seal/index', sub { $_[0] =~ s/\d+ /7 / },
    qr/edit|index is/);

($code, undef, $err) = sealer('--key', "$base/k2/seal.key");
is($code, 0, 'and whole again it goes on') or diag($err);

# One at a time.

my $pid = fork() // die "fork: $!\n";
if ($pid == 0) {
    open STDOUT, '>', '/dev/null';
    exec "$FindBin::Bin/../build/govsvc", 'audit', 'sealer', $dir, '--key',
        "$base/k1/seal.key", '--seal', $seal, '--interval', '100ms';
    exit 1;
}

my $point = $t->read_file('seal/checkpoint');
ok($t->wait_for(sub { $t->read_file('seal/checkpoint') ne $point }),
    'it goes on signing');
($code, undef, $err) = sealer();
like($err, qr/^govsvc: another sealer works in /, 'one at a time');

load(100);
$t->reload();
load(100);
ok($t->wait_for(sub { (split /\n/, $t->read_file('seal/checkpoint'))[1]
    == lines() }), 'it follows the store over a reload');
# Verifying beside it gives no false alarm: segments turn over, the sealer
# goes on, processes come and go.

my $load = fork() // die "fork: $!\n";

if ($load == 0) {
    while (1) {
        $t->http_get('/load') for 1 .. 20;
        select undef, undef, undef, 0.02;
    }
}

my ($alarms, $runs) = ('', 0);

for (1 .. ($ENV{GOVSVC_LONG} ? 600 : 12)) {
    my ($rc, $say, $e) = audit('verify', $dir, '--seal', $seal, '--key',
        "$base/k1/seal.pub");
    $alarms .= "$rc: $say$e\n" if $rc != 0;
    $runs++;
    kill 'USR1', $t->{main} if $_ % 3 == 0;
    $t->reload() if $_ % 5 == 0;
}

kill 'KILL', $load;
waitpid $load, 0;
is($alarms, '', "no false alarm in $runs runs");
is(waitpid($pid, 1), 0, 'and the sealer still works');

kill 'KILL', $pid;
waitpid $pid, 0;

($code) = sealer();
is($code, 0, 'and may be killed');
($code, $out) = audit('verify', $dir, '--seal', $seal, '--key', $pub =~ s/\n//r);
is($code, 0, 'the whole verifies') or diag($out);
like($out, qr{^seal\ gov\.example/gd/n1:\ ok,\ \d+\ lines\ sealed\ at
              \ 2\S+\+08:00}mx, 'told');

# One record with its proof, for those who have no store.

my @records = grep { $_->{ty} eq 'http' } $t->audit_lines();
my @proved = (@records[0, int(@records / 2), -1]);

for my $record (@proved) {
    ($code, $out, $err) = audit('prove', $dir, $record->{id}, '--seal', $seal,
        '--key', "$base/k1/seal.pub");
    is($code, 0, "$record->{id}: proved") or diag($err);
    open my $fh, '>', "$base/proof" or die "proof: $!\n";
    print $fh $out;
    close $fh;
    ($code, my $say) = audit('check-proof', "$base/proof", '--key',
        "$base/k1/seal.pub");
    is($code, 0, 'checked');
    like($say, qr{ req=$record->{req}\nproved: this record is in gov}, 'told');
}

my $proof = $t->read_file('proof');
my ($missed, $tried) = ('', 0);

for (my $bit = 0; $bit < 8 * length $proof; $bit += $ENV{GOVSVC_LONG} ? 1 : 67) {
    my $new = $proof;
    vec($new, $bit, 1) ^= 1;
    open my $fh, '>:raw', "$base/forged" or die "forged: $!\n";
    print $fh $new;
    close $fh;
    ($code) = audit('check-proof', "$base/forged", '--key',
        "$base/k1/seal.pub");
    $missed .= "$bit " if $code != 1;
    $tried++;
}

is($missed, '', "each of $tried bits of a proof counts");

($code, undef, $err) = audit('check-proof', "$base/proof", '--key',
    "$base/k3/seal.pub");
is($err, "govsvc: the checkpoint is not signed by the key\n", 'another key');
($code, undef, $err) = audit('prove', $dir, 'n1.1.999999999', '--seal', $seal,
    '--key', "$base/k1/seal.pub");
is($code, 1, 'no such record');
($code, undef, $err) = audit('prove', $dir, 'a"b', '--seal', $seal, '--key',
    "$base/k1/seal.pub");
is($code, 2, 'no id');
($code) = audit('check-proof', "$base/k1/seal.pub", '--key',
    "$base/k1/seal.pub");
is($code, 1, 'no proof');

# What is wrong with the question.

for ([['--require', 'all'], 'invalid --require "all", allowed: sealed, anchored'],
     [['--require', 'anchored'], '--require=anchored needs --against'],
     [['--key', 'x'], 'malformed public key "x", allowed: NAME+HASH+KEY with '
         . 'the hash of NAME and KEY'])
{
    ($code, undef, $err) = audit('verify', $dir, '--seal', $seal, '--key',
        "$base/k1/seal.pub", @{$_->[0]});
    is($err, "govsvc: $_->[1]\n", "invalid: @{$_->[0]}");
}

($code, undef, $err) = audit('verify', $dir, '--seal', $seal);
is($err, "govsvc: --key PUBLIC is missing\n", 'no key, no proof');

$t->done();
