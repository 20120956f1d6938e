#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# The index of a seal is read as a stream: with a line of its own for each
# record, of chains that lie between each other, in little memory; and what is
# wrong in it is found.  GOVSVC_LONG=1 makes one that is larger than 256 MB.

use strict;
use warnings;

use Digest::SHA qw/sha256/;
use MIME::Base64 qw/encode_base64url/;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Store qw/store_chain/;

my $t = Test::GovSvc->new()->has('cli');
my $base = $t->dir();
my ($dir, $seal) = ("$base/audit", "$base/seal");
my $bin = "$FindBin::Bin/../build/govsvc";

# In KB; libcrypto alone takes most of it.

my $memory = 65536;

mkdir $_ for $dir, "$base/k";
$t->govsvc('audit', 'keygen', '--name', 'gov.example/n1', '--out', "$base/k");
my @seal = ('--seal', $seal, '--key', "$base/k/seal.pub");

sub sealer {
    return ($t->govsvc('audit', 'sealer', $dir, '--key', "$base/k/seal.key",
        '--seal', $seal, '--once'))[0];
}

sub lines {
    my ($from, $n) = @_;
    return [ map { qq("id":"n1.1.$_","ty":"http","st":"done","g":$_,)
        . qq("http":{"m":"GET","status":200}) } $from .. $from + $n - 1 ];
}

# Each record a run of its own: what a busy node writes in a hundred days.

sub split_index {
    open my $in, '<', "$seal/index" or die;
    open my $out, '>', "$seal/index.new" or die;

    while (<$in>) {
        my ($leaf, $n, $seq, $bytes, $segment, $chain, $end) = split;
        for my $i (0 .. $n - 1) {
            print $out join(' ', $leaf + $i, 1, $seq + $i, $bytes, $segment,
                $chain, $end && $i == $n - 1 ? 'end' : ()), "\n";
        }
    }

    close $out or die;
    rename "$seal/index.new", "$seal/index" or die;
}

sub limited {
    my (@args) = @_;
    my $text = qx{ulimit -v $memory; $bin audit @args 2>&1};
    return ($? >> 8, $text);
}

store_chain($dir, "n1.1.w$_.5", [ { at => 1795324116 + $_,
    lines => lines(1000 * $_, 200) }, { at => 1795324216 + $_,
    lines => lines(1000 * $_ + 200, 100) } ], end => 1795325216) for 1 .. 3;
is(sealer(), 0, 'three chains');
store_chain($dir, "n1.2.w$_.6", [ { at => 1795334116,
    lines => lines(1000 * $_, 50) } ], end => 1795335216) for 4 .. 60;
is(sealer(), 0, 'and many more');

my $short = do { local (@ARGV, $/) = "$seal/index"; <> };
split_index();
my @index = do { local @ARGV = "$seal/index"; <> };

my ($code, $out) = limited('verify', $dir, @seal, '--require', 'sealed');
is($code, 0, 'whole') or diag($out);
($code, $out) = limited('prove', $dir, 'n1.1.3250', @seal, '--no-record');
is($code, 0, 'a record is proved') or diag($out);
($code, $out) = limited('why', $dir, 'n1.1.3250', @seal, '--no-record');
is($code, 1, 'which is no number of a request');

# What is wrong in the index

sub changed {
    my ($what, $like, @new) = @_;

    open my $fh, '>', "$seal/index" or die;
    print $fh @new;
    close $fh;

    my ($rc, $text) = limited('verify', $dir, @seal);
    is($rc, 1, $what) or diag($text);
    like($text, qr/$like/, "$what: found");
}

my @new = @index;
splice @new, 400, 1;
changed('a line less', 'edit', @new);

@new = @index;
@new[400, 401] = @new[401, 400];
changed('two lines swapped', 'edit', @new);

@new = @index;
$new[400] =~ s/^(\d+) 1 (\d+)/"$1 1 " . ($2 + 1)/e;
changed('another number', 'delete|truncate|fork', @new);

@new = @index;
$new[400] =~ s/w\d+/w9/;
changed('another chain', 'delete|truncate|fork', @new);

@new = @index;
$new[400] = ('x' x 100000) . "\n";
open my $fh, '>', "$seal/index" or die;
print $fh @new;
close $fh;
($code) = limited('verify', $dir, @seal);
is($code, 3, 'a line that is too long');

SKIP: {
    skip 'GOVSVC_LONG is not set', 4 unless $ENV{GOVSVC_LONG};

    my $chain = "$dir/n1.3.w0.9";
    my ($seq, $prev, $h) = (0, 'null', '');
    mkdir $chain;

    while ($seq < 6_000_000) {
        my $name = sprintf '%016d', $seq;
        my ($n, $bytes, $time) = (0, 0, '2026-11-20T00:00:00.000000+08:00');
        open my $seg, '>:raw', "$chain/$name.seg" or die;
        $h = "\0" x 32;

        my $put = sub {
            $h = sha256($h . $_[0]);
            my $line = $_[0] . ',"h":"' . encode_base64url($h) . "\"}\n";
            print $seg $line;
            $bytes += length $line;
            $seq++;
            $n++;
        };

        $put->(qq({"v":1,"ty":"seg.open","ch":"n1.3.w0.9","seq":$seq,)
            . qq("alg":"sha256","t":"$time","prev":$prev,"keep":180,"why":")
            . ($seq ? 'size"' : 'start"'));
        $put->(qq({"v":1,"id":"n1.3.$seq","ty":"http","st":"done",)
            . qq("ch":"n1.3.w0.9","seq":$seq,"g":$seq,"t":"$time",)
            . '"http":{"m":"GET","status":200}') while $n < 499_999;
        my $why = $seq + 1 >= 6_000_000 ? 'exit' : 'size';
        $put->(qq({"v":1,"ty":"seg.close","ch":"n1.3.w0.9","seq":$seq,)
            . qq("t":"$time","n":) . ($n + 1) . qq(,"why":"$why"));
        close $seg or die;

        $prev = sprintf '{"seg":"%s","bytes":%d,"seq":%d,"h":"%s"}', $name,
            $bytes, $seq - 1, encode_base64url($h);
    }

    open $fh, '>', "$seal/index" or die;
    print $fh $short;
    close $fh;

    is(sealer(), 0, 'six million records');
    split_index();
    cmp_ok(-s "$seal/index", '>', 256 * 1024 * 1024, 'a large index');
    ($code, $out) = limited('verify', $dir, @seal, '--require', 'sealed');
    is($code, 0, 'verified in the same memory') or diag($out);
    ($code, $out) = limited('prove', $dir, 'n1.3.5999000', @seal,
        '--no-record');
    is($code, 0, 'proved as well') or diag($out);
}

$t->done();
