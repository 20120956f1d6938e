#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# README: who asked for a case on a day, and is the answer complete?  The
# commands are those that it prints.

use strict;
use warnings;

use Test::More;
use Time::Local qw/timegm/;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Store qw/store_chain/;

my $t = Test::GovSvc->new()->has('cli');
my $base = $t->dir();
my ($dir, $seal) = ("$base/audit", "$base/seal");
my $case = '11440232MB2D06811W4000117051000202010200008';

mkdir $_ for $dir, "$base/k";
$t->govsvc('audit', 'keygen', '--name', 'gov.example/n1', '--out', "$base/k");

my $n = 100;

sub line {
    my ($of) = @_;
    $n++;
    return qq("id":"n1.1.$n","ty":"http","st":"done","g":$n,"req":"r$n",)
        . qq("src":{"ip":"10.0.0.$n"},"http":{"m":"GET","path":"/c",)
        . qq("status":200},"sub":{"pid":"p1:AAAAAAAAAAAAAAAAAAA$n"},)
        . qq("gov":{"case":"$of"},"dec":{"act":"allow"});
}

# Monday, Tuesday (from its first to its last second), Wednesday, Beijing time.

my $tuesday = timegm(0, 0, 0, 17, 10, 2026) - 8 * 3600;

store_chain($dir, 'n1.1.w0.5', [
    { at => $tuesday - 1, lines => [ line($case) ] },
    { at => $tuesday, lines => [ line($case), line('another') ] },
    { at => $tuesday + 86399, lines => [ line($case) ] },
    { at => $tuesday + 86400, lines => [ line($case) ] },
], end => $tuesday + 90000);

is(($t->govsvc('audit', 'sealer', $dir, '--key', "$base/k/seal.key", '--seal',
    $seal, '--once'))[0], 0, 'sealed');

for my $file ('README.md', 'README.zh-CN.md') {
    open my $fh, '<', "$FindBin::Bin/../$file" or die "$file: $!\n";
    my $text = do { local $/; <$fh> };

    my ($block) = $text =~ /```[a-z]*\n(govsvc audit query .*?)```/s;
    ok($block, "$file: the block") or next;

    $block =~ s/\\\n\s*//g;
    my @commands = split /\n/, $block;
    is(scalar @commands, 2, 'two commands');

    for (@commands) {
        s{/var/lib/govsvc/audit}{$dir};
        s{/var/lib/govsvc/seal}{$seal};
        s{/etc/govsvc/seal}{$base/k};
    }

    my @out = map {
        my ($program, @args) = split / /;
        [ $t->govsvc(@args, '--lang', 'en') ];
    } @commands;

    is($out[0][0], 0, 'found');
    is_deeply([$out[0][1] =~ / req=(r\d+)$/mg], ['r102', 'r104'],
        'who asked for it on Tuesday, and nobody else');
    like($out[0][1], qr/^2026-11-17T00:00:00 .* 10\.0\.0\.102 .* subject=p1:/m,
        'when, from where, who');
    is($out[1][0], 0, 'complete') or diag($out[1][1]);
    like($out[1][1], qr/^seal gov\.example\/n1: ok, \d+ lines sealed/m,
        'and unchanged since');
}

# And if it is not.

my @segments = sort glob "$dir/n1.1.w0.5/*.seg";
unlink $segments[2] or die;
my ($code, $out) = $t->govsvc('audit', 'verify', $dir, '--seal', $seal, '--key',
    "$base/k/seal.pub", '--lang', 'en');
is($code, 1, 'a segment is missing');
like($out, qr/delete/, 'which is told');

$t->done();
