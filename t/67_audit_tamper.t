#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit: whatever is done to a sealed store is found, and called by its name.
# GOVSVC_LONG=1 toggles every bit.

use strict;
use warnings;

use File::Path qw/remove_tree/;
use JSON::PP;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new(workers => 1)->has('cli');
my $long = $ENV{GOVSVC_LONG};

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

mkdir "$base/k";
mkdir "$base/mine";
$t->govsvc('audit', 'keygen', '--name', 'gov.example/n1', '--out', "$base/k");
$t->govsvc('audit', 'keygen', '--name', 'gov.example/n1', '--out',
    "$base/mine");

sub sealer {
    return ($t->govsvc('audit', 'sealer', $dir, '--key', "$base/k/seal.key",
        '--seal', $seal, '--once'))[0];
}

sub verify {
    my ($code, $out, $err) = $t->govsvc('audit', 'verify', $dir, '--seal',
        $seal, '--key', "$base/k/seal.pub", '--json', @_);
    my @all = map { decode_json($_) } split /\n/, $out;
    my ($bad) = grep { $_->{fault} } @all;

    return ($code, $bad ? $bad->{fault}{kind} : '', $all[-1]);
}

# Two checkpoints of a store: lines that came between are sealed only by the
# second; a few more by neither.

sub ask { $t->http_get("/$_") for 1 .. $_[0] }
sub records { return scalar grep { $_->{ty} eq 'http' } $t->audit_lines() }

ask(8);
$t->wait_for(sub { records() == 8 });
is(sealer(), 0, 'sealed');
system('cp', '-r', $dir, "$base/older-store") == 0 or die;
system('cp', '-r', $seal, "$base/older-seal") == 0 or die;

# The second segment has to have lines, however late the signal is taken.

kill 'USR1', $t->{main};
my $asked = 8;
$t->wait_for(sub {
    ask(1);
    $asked++;
    return (() = glob "$dir/*.w0.*/*") == 2;
});
ask(8);
$asked += 8;
$t->wait_for(sub { records() == $asked });
is(sealer(), 0, 'sealed again');
$t->stop();

my ($code, $kind, $sum) = verify();
is_deeply([$code, $kind, $sum->{state}], [0, '', 'ok'], 'whole');
cmp_ok($sum->{after}, '>=', 1, 'the last lines are not sealed');
($code, $kind) = verify('--require', 'sealed');
is_deeply([$code, $kind], [1, 'unsealed'], 'which may be required');
is(sealer(), 0, 'the rest');
($code, $kind, $sum) = verify('--require', 'sealed');
is_deeply([$code, $kind, $sum->{after}], [0, '', 0], 'now all are');

($code, $kind) = verify('--require', 'anchored', '--against',
    "$base/older-seal/checkpoint");
is_deeply([$code, $kind], [1, 'unsealed'], 'not all of them elsewhere');
($code, $kind) = verify('--require', 'anchored', '--against',
    "$seal/checkpoint");
is_deeply([$code, $kind], [0, ''], 'now all are');

system('cp', '-r', $dir, "$base/good-store") == 0 or die;
system('cp', '-r', $seal, "$base/good-seal") == 0 or die;

sub restore {
    remove_tree($dir, $seal);
    system('cp', '-r', "$base/good-store", $dir) == 0 or die;
    system('cp', '-r', "$base/good-seal", $seal) == 0 or die;
}

sub slurp { open my $fh, '<:raw', $_[0] or die "$_[0]: $!\n"; local $/; <$fh> }

sub spew {
    open my $fh, '>:raw', $_[0] or die "$_[0]: $!\n";
    print $fh $_[1];
    close $fh;
}

# Every bit.

my ($one) = glob "$dir/*.w0.*/0000000000000000.seg";
my ($tile) = glob "$seal/tile/0/000.p/*";

for my $file ($one, $tile, "$seal/checkpoint") {
    my $text = slurp($file);
    my ($n, @missed, %kinds) = (0);

    for (my $bit = 0; $bit < 8 * length $text; $bit += $long ? 1 : 61) {
        my $new = $text;
        vec($new, $bit, 1) ^= 1;
        spew($file, $new);
        my ($rc, $name) = verify();
        push @missed, "$bit: $rc $name" unless $rc == 1;
        $kinds{$name}++;
        $n++;
    }

    spew($file, $text);
    my ($name) = $file =~ m{([^/]+)\z};
    is("@missed", '', "each of $n bits of $name");
    my @named = $file eq $one ? qw/edit delete fork truncate reorder/
        : $file eq $tile ? qw/edit/ : qw/forged/;
    my %named = map { $_ => 1 } @named;
    is(join(' ', grep { !$named{$_} } sort keys %kinds), '', "$name: kinds");
}

is((verify('--require', 'sealed'))[0], 0, 'whole again');

# Lines.

my @lines = slurp($one) =~ /([^\n]+\n)/g;

sub changed {
    my ($what, $like, $change) = @_;
    my @missed;

    for my $i (0 .. $#lines) {
        my @new = @lines;
        next unless $change->($i, \@new);
        spew($one, join '', @new);
        my ($rc, $name) = verify();
        push @missed, "line $i: $rc $name" unless $rc == 1
            && $name =~ /^(?:$like)$/;
    }

    is("@missed", '', "$what each line");
    spew($one, join '', @lines);
}

changed('delete', 'delete|truncate|fork|edit',
    sub { splice @{$_[1]}, $_[0], 1; 1 });
changed('duplicate', 'fork|edit',
    sub { splice @{$_[1]}, $_[0], 0, $lines[$_[0]]; 1 });
changed('swap', 'reorder|edit|delete', sub {
    my ($i, $new) = @_;
    return 0 if $i == $#lines;
    @$new[$i, $i + 1] = @$new[$i + 1, $i];
    return 1;
});
changed('truncate at', 'truncate|edit|delete', sub { splice @{$_[1]}, $_[0]; 1 });
changed('truncate in', 'truncate|edit|delete', sub {
    my ($i, $new) = @_;
    splice @$new, $i + 1;
    $new->[$i] = substr $new->[$i], 0, 40;
    return 1;
});

is((verify('--require', 'sealed'))[0], 0, 'whole again');

# The end of the last segment is missed by no link, but by the seal.

my ($end) = reverse sort glob "$dir/*.w0.*/*";
my @tail = slurp($end) =~ /([^\n]+\n)/g;
spew($end, join '', @tail[0 .. $#tail - 2]);
my ($chain) = $t->govsvc('audit', 'verify', $dir);
is($chain, 0, 'a chain alone does not tell that its end is missing');
($code, $kind) = verify();
is_deeply([$code, $kind], [1, 'truncate'], 'the seal does');
restore();

# A whole chain written anew, with hashes that are right.

sub rechain {
    my ($change) = @_;
    for my $folder (glob "$dir/*.w0.*") {
        my ($h, $seg) = ("\0" x 32);
        for my $file (sort glob "$folder/*") {
            my $text = slurp($file);
            $text = $change->($text);
            my $out = '';
            my $prev = "\0" x 32;
            for my $line (split /\n/, $text) {
                my ($body) = $line =~ /^(.*),"h":"[^"]+"\}$/;
                $body =~ s/("prev":\{[^}]*"h":")[^"]+/$1$seg/
                    if defined $seg;
                $prev = sm3($prev . $body);
                my $b64 = b64($prev);
                $out .= "$body,\"h\":\"$b64\"}\n";
            }
            $seg = b64($prev);
            spew($file, $out);
        }
    }
}

sub sm3 {
    my ($data) = @_;
    spew("$base/sm3", $data);
    return pack 'H*', (split / /, `openssl dgst -sm3 -r $base/sm3`)[0];
}

sub b64 {
    require MIME::Base64;
    my $b64 = MIME::Base64::encode($_[0], '');
    $b64 =~ tr{+/}{-_};
    $b64 =~ s/=//;
    return $b64;
}

rechain(sub { $_[0] });
is((verify())[0], 0, 'chained anew without a change: the same');

rechain(sub { (my $text = $_[0]) =~ s{"path":"/3"}{"path":"/9"}; $text });
($chain) = $t->govsvc('audit', 'verify', $dir);
is($chain, 0, 'a chain alone is no proof against who writes it all anew');
($code, $kind) = verify();
is_deeply([$code, $kind], [1, 'fork'], 'the seal is');

# Sealed with a key of one's own.

remove_tree($seal);
$t->govsvc('audit', 'sealer', $dir, '--key', "$base/mine/seal.key", '--seal',
    $seal, '--once');
($code, $kind) = verify();
is_deeply([$code, $kind], [1, 'forged'], 'a key of their own');
restore();

# Files that nobody sealed.

my ($folder) = glob "$dir/*.w0.*";
(my $other = $folder) =~ s/w0/w7/;
mkdir $other;
(my $text = slurp($one)) =~ s/\.w0\./.w7./g;
spew("$other/0000000000000000.seg", $text);
my ($rc) = verify();
is($rc, 1, 'a copy under another name');
remove_tree($other);

sub placed {
    mkdir "$dir/query.me.1.1";
    my $h = "\0" x 32;
    my $out = '';
    for my $body ('{"v":1,"ty":"seg.open","ch":"query.me.1.1","seq":0,"alg":"sm3",'
        . '"t":"2026-11-22T13:08:36.888598+08:00","prev":null,"keep":180,'
        . '"why":"start"',
        '{"v":1,"ty":"seg.close","ch":"query.me.1.1","seq":1,'
        . '"t":"2026-11-22T13:08:36.888598+08:00","n":2,"why":"exit","x":'
        . '"........"')
    {
        $h = sm3($h . $body);
        $out .= "$body,\"h\":\"" . b64($h) . "\"}\n";
    }
    spew("$dir/query.me.1.1/0000000000000000.seg", $out);
}

placed();
($code, $kind, $sum) = verify();
is_deeply([$code, $sum->{after}], [0, 2], 'a chain of their own: not sealed');
($code, $kind) = verify('--require', 'sealed');
is_deeply([$code, $kind], [1, 'unsealed'], 'where that is required');
restore();

# Chains and segments that are gone; older copies.

my ($second) = (sort glob "$dir/*.w0.*/*")[1];
unlink $second or die;
is_deeply([(verify())[0, 1]], [1, 'truncate'], 'the last segment is gone')
    or diag(join ' ', verify());
restore();
unlink $one;
is_deeply([(verify())[0, 1]], [1, 'delete'], 'the first segment is gone');
restore();
remove_tree($folder);
is_deeply([(verify())[0, 1]], [1, 'delete'], 'a chain is gone');
restore();

remove_tree($dir);
system('cp', '-r', "$base/older-store", $dir);
is_deeply([(verify())[0, 1]], [1, 'truncate'], 'an older copy of the store');
restore();

remove_tree($seal);
system('cp', '-r', "$base/older-seal", $seal);
($code, $kind, $sum) = verify();
cmp_ok($sum->{after}, '>', 5, 'an older copy of the seal covers less');
is_deeply([(verify('--against', "$base/good-seal/checkpoint"))[0, 1]],
    [1, 'rollback'], 'and is found by what was kept elsewhere');
restore();

unlink glob "$seal/tile/0/000.p/*";
is((verify())[0], 1, 'a tile is gone');
restore();
unlink "$seal/checkpoint";
is((verify())[0], 3, 'no checkpoint');
restore();
spew("$seal/index", substr slurp("$seal/index"), 0, -5);
is_deeply([(verify())[0, 1]], [1, 'edit'], 'a shorter index');
restore();
is((verify('--require', 'sealed'))[0], 0, 'whole again');

$t->done();
