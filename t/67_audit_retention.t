#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# govsvc audit retention: removes what the law lets go and what is sealed, and
# leaves a declaration by which verify tells that from tampering; no other
# missing segment is taken for it.

use strict;
use warnings;

use File::Path qw/remove_tree/;
use JSON::PP;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Store qw/store_chain store_time/;

my $t = Test::GovSvc->new()->has('cli');
my $base = $t->dir();
my ($dir, $seal) = ("$base/audit", "$base/seal");
my $now = time;
my $day = 86400;

mkdir $_ for $dir, "$base/k", "$base/mine";
$t->govsvc('audit', 'keygen', '--name', 'gov.example/n1', '--out', "$base/k");
$t->govsvc('audit', 'keygen', '--name', 'gov.example/n1', '--out',
    "$base/mine");

sub segment {
    my ($days, $from) = @_;
    return { at => $now - $days * $day, lines => [ map {
        sprintf '"id":"n1.1.%d","ty":"http","st":"done","g":%d,'
                . '"req":"%032d","src":{"ip":"10.0.0.1"},'
                . '"http":{"m":"GET","path":"/%d","status":200}',
                $from + $_, $from + $_, $from + $_, $from + $_
    } 0 .. 4 ] };
}

# One chain that lives, one that has ended, one query, one too young.

my $live = store_chain($dir, 'n1.1.w0.5',
    [ segment(500, 100), segment(400, 110), segment(300, 120),
      segment(170, 130), segment(1, 140) ]);
store_chain($dir, 'n1.1.w1.6', [ segment(600, 200), segment(500, 210) ],
            end => $now - 400 * $day);
store_chain($dir, 'query.root.1.1', [ segment(190, 300) ],
            end => $now - 190 * $day);
store_chain($dir, 'n1.2.w0.7', [ segment(179, 400) ], end => $now - 179 * $day);

sub sealer {
    return ($t->govsvc('audit', 'sealer', $dir, '--key', "$base/k/seal.key",
        '--seal', $seal, '--once'))[0];
}

sub run { my ($code, $out, $err) = $t->govsvc('audit', @_); return ($code, $out, $err) }

sub verify {
    my ($code, $out, $err) = run('verify', $dir, '--seal', $seal, '--key',
        "$base/k/seal.pub", '--json', @_);
    my @all = map { decode_json($_) } split /\n/, $out;
    my ($bad) = grep { $_->{fault} } @all;

    return ($code, $bad ? $bad->{fault}{kind} : '', \@all, $err);
}

sub retention {
    return run('retention', $dir, '--seal', $seal, '--key',
               "$base/k/seal.key", @_);
}

is(sealer(), 0, 'sealed');
is((verify('--require', 'sealed'))[0], 0, 'whole');

# What can go.

my ($code, $out, $err) = run('retention', $dir, '--days', 179);
is($code, 2, 'less than the law asks for');
like($err, qr/--days 179 is too short: the Cybersecurity Law \(article 21\)/,
     'which is told');
($code, $out, $err) = run('retention', $dir, '--days', 1, '--lang', 'zh');
like($err, qr/\xe7\xac\xac\xe4\xba\x8c\xe5\x8d\x81\xe4\xb8\x80\xe6\x9d\xa1/,
     'in Chinese as well');
($code, $out, $err) = run('retention', $dir, '--remove');
is($code, 2, 'no removal without a seal');

($code, $out) = run('retention', $dir, '--json', '--no-record');
is($code, 0, 'shown');
my %can = map { my $c = decode_json($_); $c->{chain} => $c } split /\n/, $out;
is_deeply({ map { $_ => [@{$can{$_}}{qw/segments whole removed/}] } keys %can },
          { 'n1.1.w0.5' => [2, 0, 0], 'n1.1.w1.6' => [2, 1, 0],
            'query.root.1.1' => [1, 1, 0] },
          'old segments, by the opening of the next or the end');
is($can{'n1.1.w0.5'}{to}, $live->[1]{name}, 'up to which');
($code, $out) = run('retention', $dir, '--days', 550, '--no-record');
like($out, qr/^can be removed: 0 segments, 0 bytes, older than 550 days$/m,
     'more days, fewer segments');
is((verify('--require', 'sealed'))[0], 0, 'nothing has changed');

# What is harmed or not sealed stays.

sub slurp { open my $fh, '<:raw', $_[0] or die "$_[0]: $!\n"; local $/; <$fh> }

sub spew {
    open my $fh, '>:raw', $_[0] or die "$_[0]: $!\n";
    print $fh $_[1];
    close $fh;
}

my $text = slurp($live->[1]{path});
(my $new = $text) =~ s{/113}{/114};
spew($live->[1]{path}, $new);
($code, $out, $err) = retention('--remove');
is($code, 1, 'a segment that was edited');
like($err, qr/edit: .*nothing was removed/, 'is evidence');
ok(-e $live->[0]{path}, 'nothing is gone');
spew($live->[1]{path}, $text);

store_chain($dir, 'n1.1.w2.9', [ segment(600, 500) ], end => $now - 590 * $day);
($code, $out, $err) = retention('--remove');
is($code, 4, 'a chain that is not sealed');
like($err, qr/n1\.1\.w2\.9.*not sealed; nothing was removed/, 'is not removed');
ok(-e $live->[0]{path}, 'nor the others');
remove_tree("$dir/n1.1.w2.9");
remove_tree(glob "$dir/query.*.[0-9][0-9]*");

my $mine = (run('retention', $dir, '--remove', '--seal', $seal, '--key',
    "$base/mine/seal.key"))[0];
is($mine, 1, 'a key that has not sealed');
remove_tree(glob "$dir/query.*.[0-9][0-9]*");

system('cp', '-r', $dir, "$base/before") == 0 or die;

# Removal

($code, $out, $err) = retention('--remove', '--no-record');
is($code, 0, 'removed') or diag($err);
like($out, qr/^removed 5 segments, \d+ bytes, older than 180 days$/m, 'told');
is(join(' ', map { -e $_->{path} ? 1 : 0 } @$live), '0 0 1 1 1', 'old segments');
ok(!-e "$dir/n1.1.w1.6" && !-e "$dir/query.root.1.1", 'whole chains');
ok(-e "$dir/n1.2.w0.7", 'no young one');
my ($declared) = glob "$dir/retention.*/*";

my ($kind, $all);
($code, $kind, $all) = verify();
is_deeply([$code, $kind], [0, ''], 'it verifies');
my ($chain) = grep { ($_->{chain} // '') eq 'n1.1.w0.5' } @$all;
is_deeply([@{$chain->{removed}}{qw/to next/}],
          [$live->[1]{name}, $live->[1]{next}], 'and says what was removed');
($code, $out) = run('verify', $dir, '--key', "$base/k/seal.pub");
is($code, 0, 'without the seal');
like($out, qr/removed by retention up to $live->[1]{name}, declared .*, signed$/m,
     'in words');
($code, $out) = run('verify', $dir);
like($out, qr/up to $live->[1]{name}, declared .*, signature not checked$/m,
     'without a key');
($code) = run('verify', "$dir/n1.1.w0.5", '--key', "$base/k/seal.pub");
is($code, 0, 'one chain of the store');

is(sealer(), 0, 'the sealer goes on');
is((verify('--require', 'sealed'))[0], 0, 'the declaration is sealed');
($code, $out) = run('prove', $dir, 'n1.1.142', '--seal', $seal, '--key',
    "$base/k/seal.pub", '--no-record');
is($code, 0, 'what is left can be proved');
($code, $out) = retention('--remove', '--no-record');
like($out, qr/^removed 0 segments/, 'nothing more');

system('cp', '-r', $dir, "$base/good-store") == 0 or die;

sub restore {
    remove_tree($dir);
    system('cp', '-r', "$base/good-store", $dir) == 0 or die;
}

# Tampering

my @key = ('--key', "$base/k/seal.pub");
sub plain {
    my ($rc, $text) = run('verify', $dir, '--json', @_);
    my ($bad) = grep { $_->{fault} } map { decode_json($_) } split /\n/, $text;
    return "$rc " . ($bad ? $bad->{fault}{kind} : '');
}

unlink $live->[2]{path};
is(plain(), '1 delete', 'one segment more');
is_deeply([(verify())[0, 1]], [1, 'delete'], 'also for the seal');
restore();

remove_tree(glob "$dir/retention.*");
is(plain(), '1 delete', 'no declaration');
is((verify())[0], 1, 'also for the seal');
restore();

$text = slurp($declared);
(my $kept = $text) =~ s/"next":$live->[1]{next}\b/"next":$live->[2]{next}/;
isnt($kept, $text, 'a declaration');
spew($declared, $kept);
is(plain(), '1 fork', 'that was edited fits no more');
restore();

# Forged ones, whose hashes are right.

sub forge {
    my (%with) = @_;
    my $of = $with{of} // $live->[2];
    store_chain($dir, 'retention.evil.1.1', [ { at => $with{at} // $now,
        lines => [ sprintf '"ty":"retention","by":{"uid":0,"user":"root"},'
            . '"of":"%s","to":"%s","next":%d,"last":"%s","days":180,"n":1,'
            . '"bytes":1,"whole":%d,"hash":"%s","sig":"%s"',
            $with{chain} // 'n1.1.w0.5', $of->{name}, $of->{next},
            store_time($with{last} // $now - 300 * $day), $with{whole} // 0,
            Test::GovSvc::Store::encode_base64url($of->{h}),
            $with{sig} // "\xe2\x80\x94 gov.example/n1 AAAA" ] } ],
        end => $with{at} // $now);
}

forge();
unlink $live->[2]{path};
is(plain(), '1 delete', 'the next segment is not old enough');
like(plain(@key), qr/^1 /, 'whoever has signed it');
like(join(' ', (verify())[0, 1]), qr/^1 /, 'also for the seal');
restore();

forge(of => $live->[3], last => $now - 2 * $day);
unlink $live->[$_]{path} for 2, 3;
like(plain(), qr/^1 /, 'nor is what it has removed');
restore();

forge(of => $live->[2], at => $now + 400 * $day);
unlink $live->[2]{path};
like(plain(), qr/^1 /, 'nor will it be');
restore();

# Of the right age only the signature tells.

remove_tree($dir);
system('cp', '-r', "$base/before", $dir) == 0 or die;
forge(of => $live->[0]);
unlink $live->[0]{path};
is(plain(), '0 ', 'without a key a forged declaration is believed');
is(plain(@key), '1 forged', 'with the key it is not');
is_deeply([(verify())[0, 1]], [1, 'forged'], 'nor by the seal');

sub resign {
    my $line = (split /\n/, slurp($declared =~ s{\Q$dir}{$base/good-store}r))[1];
    return decode_json($line)->{sig};
}

remove_tree($dir);
system('cp', '-r', "$base/before", $dir) == 0 or die;
my $sig = resign();
utf8::encode($sig);
forge(of => $live->[0], sig => $sig);
unlink $live->[0]{path};
is(plain(@key), '1 forged', 'nor with the signature of another one');

# A chain that is gone.

restore();
forge(chain => 'n1.2.w0.7', whole => 1);
remove_tree("$dir/n1.2.w0.7");
is((verify())[0], 1, 'a forged end');
restore();
remove_tree("$dir/n1.2.w0.7");
is_deeply([(verify())[0, 1]], [1, 'delete'], 'a chain that no retention took');
restore();

# Interrupted: declared, and only a part removed.

for my $left ([1], [0, 1]) {
    for my $i (@$left) {
        system('cp', "$base/before/n1.1.w0.5/$live->[$i]{name}.seg",
               "$dir/n1.1.w0.5/") == 0 or die;
    }
    is(plain(@key), '0 ', "interrupted, left: @$left");
    is_deeply([(verify())[0, 1]], [0, ''], 'also for the seal');
}

($code, $out, $err) = retention('--remove', '--no-record');
is($code, 0, 'and done again') or diag($err);
is((verify())[0], 0, 'it verifies');
ok(!-e $live->[1]{path}, 'gone');

$t->done();
