#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Witnesses: another party signs checkpoints, and verify can ask for it.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Store qw/store_chain/;

use Digest::SHA qw/sha256/;
use MIME::Base64 qw/decode_base64 encode_base64/;

my $t = Test::GovSvc->new()->has('cli', 'openssl');
my $base = $t->dir();

sub audit { return $t->govsvc('audit', @_) }

sub put {
    my ($name, $text) = @_;

    open my $to, '>', "$base/$name" or die "$name: $!\n";
    print $to $text;
    close $to;

    return "$base/$name";
}

sub keys_of {
    my ($dir, @args) = @_;

    mkdir "$base/$dir";
    my ($code, $out, $err) = audit('keygen', '--out', "$base/$dir", @args);
    is($code, 0, "keys in $dir") or diag($err);
    return $out =~ s/\n//r;
}

my $log = keys_of('k', '--name', 'gov.example/gd/gw1');
my $w1 = keys_of('w1', '--name', 'witness.example/w1', '--witness');
my $w2 = keys_of('w2', '--name', 'witness.example/w2', '--witness');

my ($code, $out, $err) = audit('keygen', '--out', "$base/w1", '--name', 'x',
    '--witness', '--alg', 'sm2');
is($code, 2, 'the form of C2SP is of Ed25519');
is($err, "govsvc: a witness signs with ed25519\n", 'told');

# The key of a witness is of type 4, and its hash is made of that.

my ($name, $id, $raw) = $w1 =~ /^([^+]+)\+([0-9a-f]{8})\+(.+)$/;
$raw = decode_base64($raw);
is(length $raw, 33, 'type and key');
is(ord $raw, 4, 'type 4');
is(unpack('H8', sha256("$name\n$raw")), $id, 'the hash of the key');

# A store that grows, sealed each time.

my $dir = "$base/audit";
my $seal = "$base/seal";
my $n = 0;
mkdir $dir;

sub grow {
    my ($lines) = @_;

    $n++;
    store_chain($dir, "n1.$n.w0.5", [{ at => time(), lines => [
        map { qq("ty":"http","st":"done","req":"r$n-$_") } 1 .. $lines ] }],
        end => time());

    my ($rc, undef, $e) = audit('sealer', $dir, '--key', "$base/k/seal.key",
        '--seal', $seal, '--once');
    return $rc == 0 ? 1 : diag($e);
}

sub cosign {
    my ($who, @note) = @_;

    return audit('cosign', $seal, @note, '--key', "$base/$who/witness.key",
        '--log', "$base/k/seal.pub", '--state', "$base/$who/state");
}

grow(3);
($code, my $first, $err) = cosign('w1');
is($code, 0, 'the first checkpoint') or diag($err);
like($err, qr/the first checkpoint of this log/, 'nothing to compare with');

# What is signed, as another program sees it.

my ($text, $sigs) = $first =~ /^(.*\n)\n((?:\xe2\x80\x94 .*\n)+)$/s;
my ($b64) = $sigs =~ /^\xe2\x80\x94 \Q$name\E (\S+)$/m;
my $sig = decode_base64($b64 // '');
is(length $sig, 4 + 8 + 64, 'hash, time and signature');
is(unpack('H8', $sig), $id, 'by this key');
my $time = unpack 'Q>', substr $sig, 4, 8;
ok(abs($time - time()) < 600, 'at this time');

put('message', "cosignature/v1\ntime $time\n$text");
put('signature', substr $sig, 12);
put('pub.der', pack('H*', '302a300506032b6570032100') . substr $raw, 1);
is((system("openssl pkeyutl -verify -rawin -pubin -inkey $base/pub.der "
    . "-keyform DER -in $base/message -sigfile $base/signature >/dev/null"))
    >> 8, 0, 'openssl finds it right');

# It goes on with the log, over tiles and beyond them.

for my $lines (1, 2, 300, 5, 600) {
    grow($lines);
    ($code, $out, $err) = cosign('w1');
    is($code, 0, "$lines lines more") or diag($err);
    is($err, '', 'which follow');
}

($code, $out, $err) = cosign('w1');
is($code, 0, 'the same once more: a heartbeat');
my $cosigned = $out;

# Two witnesses sign one after the other.

my $kept = put('kept', $cosigned);
($code, my $both, $err) = cosign('w2', $kept);
is($code, 0, 'another one adds its line') or diag($err);
is(scalar(() = $both =~ /^\xe2\x80\x94 /mg), 3, 'log, witness, witness');

# verify asks for them.

my @verify = ('verify', $dir, '--seal', $seal, '--key', "$base/k/seal.pub");
put('both', $both);
put('first', $first);

sub kind {
    my ($rc, $o, $e) = audit(@verify, @_);

    return "$rc " . ($o =~ /^  (?:[^:\n]*: )*(\w+): /m ? $1 : '')
        . ($rc == 2 || $rc == 3 ? $e : '');
}

my @witness = ('--witness', "$base/w1/witness.pub");
my @pair = (@witness, '--witness', $w2);

is(kind('--against', "$base/both", @pair, '--require', 'anchored'), '0 ',
    'seen by both, all of it');
is(kind('--against', $kept, @pair), '1 unwitnessed', 'seen by one');
is(kind('--against', $kept, @pair, '--quorum', 1), '0 ', 'which may do');
is(kind('--against', "$base/first", @witness, '--require', 'anchored'),
    '1 unsealed', 'seen, but not all of it');
is(kind('--against', "$seal/checkpoint", @witness), '1 unwitnessed',
    'seen by none');

(my $bad = $both) =~ s{(\Q$name\E \S{40})(.)}{$1 . ($2 eq 'A' ? 'B' : 'A')}e;
put('bad', $bad);
is(kind('--against', "$base/bad", @pair), '1 forged', 'a wrong signature');
is(kind('--against', "$base/bad", '--witness', $w2), '0 ',
    'of one who was not asked for');

is(kind(@witness), "2 govsvc: --witness needs --against\n", 'of what');
is(kind('--quorum', 1), "2 govsvc: --quorum needs --witness\n", 'of whom');
is(kind('--against', $kept, @pair, '--quorum', 3),
    "2 govsvc: invalid --quorum \"3\", allowed: 1 to 2\n", 'too many');
is(kind('--against', $kept, @witness, @witness),
    "2 govsvc: --witness witness.example/w1 is given twice\n", 'one twice');
is(kind('--against', $kept, '--witness', $log),
    "2 govsvc: --witness gov.example/gd/gw1 is no key of a witness\n",
    'the log itself is no witness');
is((audit('verify', $dir, '--seal', $seal, '--key', $w1))[0], 2,
    'nor a witness the log');

# It refuses to go back, another history, what the log has not signed, and
# what is none of its own state.

($code, undef, $err) = cosign('w1', "$base/first");
is($code, 1, 'an older one');
like($err, qr/^govsvc: rollback: /, 'told');

(my $forged = $first) =~ s/^\d+$/999999/m;
($code, undef, $err) = cosign('w1', put('forged', $forged));
is($code, 1, 'not what the log has signed');
like($err, qr/^govsvc: forged: /, 'told');

my $state = $t->read_file('w1/state');

rename $dir, "$dir.1";
rename $seal, "$seal.1";
mkdir $dir;
$n = 0;
grow(5);
($code, undef, $err) = cosign('w1');
is($code, 1, 'the log begun anew');
like($err, qr/^govsvc: rollback: /, 'is smaller');
grow(2000);
($code, undef, $err) = cosign('w1');
is($code, 1, 'and larger');
like($err, qr/^govsvc: fork: the tree does not begin with the one that was/,
    'is another');
is($t->read_file('w1/state'), $state, 'it stands where it stood');

($code, undef, $err) = cosign('w2', "$seal/checkpoint");
is($code, 1, 'so says the other');

unlink glob "$seal/tile/0/*";
($code, undef, $err) = cosign('w1');
is($code, 3, 'without tiles there is no proof');

put('w1/state', $state =~ s/(\Q$name\E \S{40})(.)/$1 . ($2 eq 'A' ? 'B' : 'A')/er);
($code, undef, $err) = cosign('w1');
is($code, 3, 'a state that was changed');
like($err, qr/was not signed by this witness$/m, 'told');

chmod 0644, "$base/w2/witness.key";
is((cosign('w2'))[0], 3, 'a key that others may read');
is((audit('cosign', $seal, '--key', "$base/k/seal.key", '--log',
    "$base/k/seal.pub", '--state', "$base/w1/state"))[0], 3,
    'the key of the log is none of a witness');
is((audit('cosign', $seal, '--log', $log, '--state', 'x'))[0], 2, 'no key');

$t->done();
