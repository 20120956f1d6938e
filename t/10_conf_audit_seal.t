#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# govsvc_audit_seal: what it accepts, and what it says of the rest.

use strict;
use warnings;

use Fcntl qw/:flock/;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new()->has('cli');
my $dir = $t->dir();

sub keygen {
    my ($name, @args) = @_;
    mkdir "$dir/$name";
    my ($code, undef, $err) = $t->govsvc('audit', 'keygen', '--out',
        "$dir/$name", @args);
    BAIL_OUT($err) if $code != 0;
}

keygen('k', '--name', 'gov.example/n1');
keygen('sm2', '--name', 'gov.example/n1', '--alg', 'sm2');
keygen('other', '--name', 'gov.example/n2');
keygen('open', '--name', 'gov.example/n1');
chmod 0640, "$dir/open/seal.key";
$t->write_file('no.key', "0123456789abcdef0123456789abcdef\n");
$t->write_file('broken.key', "govsvc-seal-key gov.example/n1\nno PEM\n");
$t->write_file('file', "a file\n");
chmod 0600, "$dir/no.key", "$dir/broken.key";

my $server = 'server { listen unix:%%DIR%%/s; }';
my $store = 'govsvc_audit_store dir=audit;';

for my $good (
    'govsvc_audit_seal dir=seal key=k/seal.key;',
    'govsvc_audit_seal dir=seal/ key=k/seal.key key=sm2/seal.key '
        . 'interval=60s;',
    'govsvc_audit_seal interval=100ms key=%%DIR%%/k/seal.key '
        . 'dir=%%DIR%%/audit-seal;',
) {
    is($t->conf_error("$store $good\n$server"), '', $good);
}

is((stat "$dir/seal")[2] & 07777, 0750, 'the folder is made');

my @bad = (
    ['dir=seal', '"govsvc_audit_seal" must have the parameter "key=" in '
        . 'bad.conf:1'],
    ['key=k/seal.key', '"govsvc_audit_seal" must have the parameter "dir=" '
        . 'in bad.conf:1'],
    ['dir= key=k/seal.key', 'empty parameter "dir=" in bad.conf:1'],
    ['dir=seal dir=b key=k/seal.key', 'duplicate parameter "dir=" in '
        . 'bad.conf:1'],
    ['dir=seal key=k/seal.key intervall=1s', 'invalid parameter '
        . '"intervall="; did you mean "interval="? in "govsvc_audit_seal" '
        . 'directive in bad.conf:1'],
    (map { ["dir=seal key=k/seal.key interval=$_", "invalid interval \"$_\", "
        . 'allowed: 100ms to 60s in bad.conf:1'] } qw/99ms 61s x 0/),
    ['dir=seal key=gone.key', 'cannot open "gone.key": No such file or '
        . 'directory; make a key with govsvc audit keygen in bad.conf:1'],
    ['dir=seal key=k', '"k" may be read by others, allowed: mode 0600 in '
        . 'bad.conf:1'],
    ['dir=seal key=open/seal.key', '"open/seal.key" may be read by others, '
        . 'allowed: mode 0600 in bad.conf:1'],
    ['dir=seal key=no.key', '"no.key" is no key made by govsvc audit keygen '
        . 'in bad.conf:1'],
    ['dir=seal key=k/seal.key key=other/seal.key', '"other/seal.key" is of '
        . 'another log than the first key in bad.conf:1'],
    ['dir=seal ' . join(' ', ('key=k/seal.key') x 9), 'more than 8 keys in '
        . 'bad.conf:1'],
    ['dir=audit key=k/seal.key', 'the seal "audit" lies in the audit store '
        . '"audit": give a directory beside it in bad.conf:1'],
    ['dir=audit/seal key=k/seal.key', 'the seal "audit/seal" lies in the '
        . 'audit store "audit": give a directory beside it in bad.conf:1'],
    ['dir=no/seal key=k/seal.key', 'cannot make the directory "no/seal", its '
        . 'parent has to exist (2: No such file or directory)'],
    ['dir=file key=k/seal.key', 'cannot read "file/state": Not a '
        . 'directory in bad.conf:1'],
);

for (@bad) {
    my ($args, $want) = @$_;
    my $said = $t->conf_error("govsvc_audit_seal $args; $store\n$server");
    s{\Q$dir\E/?}{}g for $said;
    is($said, $want, "invalid: $args");
}

like($t->conf_error("govsvc_audit_seal dir=seal key=broken.key; $store\n"
    . $server), qr{broken\.key: .* in bad\.conf:1$}, 'a key that is none');

is($t->conf_error("govsvc_audit_seal dir=seal key=k/seal.key;\n"
    . "govsvc_audit_seal dir=seal key=k/seal.key;\n$store $server"),
    '"govsvc_audit_seal" directive is duplicate in bad.conf:2', 'twice');
is($t->conf_error("govsvc_audit_seal dir=seal key=k/seal.key;\n$server"),
    '"govsvc_audit_seal" seals the audit store: add "govsvc_audit_store '
    . 'dir=..." to the http block in bad.conf:1', 'no store');
is($t->conf_error("$store server { listen unix:%%DIR%%/s; "
    . 'govsvc_audit_seal dir=seal key=k/seal.key; }'),
    '"govsvc_audit_seal" directive is not allowed here in bad.conf:1',
    'for all servers');

# A folder that belongs to another log, or to the command just now.

my $seals = "govsvc_audit_seal dir=seal key=k/seal.key; $store\n$server";

my ($code) = $t->govsvc('audit', 'sealer', "$dir/audit", '--key',
    "$dir/other/seal.key", '--seal', "$dir/theirs", '--once');
is($code, 0, 'another log');
(my $said = $t->conf_error($seals =~ s/dir=seal/dir=theirs/r))
    =~ s{\Q$dir\E/?}{}g;
is($said, '"theirs" holds the seal of the log "gov.example/n2", the key is of '
    . '"gov.example/n1": give another directory or the right key in '
    . 'bad.conf:1', 'is not gone on with');

($code) = $t->govsvc('audit', 'sealer', "$dir/audit", '--key',
    "$dir/k/seal.key", '--seal', "$dir/seal", '--once');
is($code, 0, 'a seal of the command');
is($t->conf_error($seals), '', 'is gone on with');

open my $lock, '<', "$dir/seal/lock" or die "$dir/seal/lock: $!\n";
flock($lock, LOCK_EX) or die "flock: $!\n";
($said = $t->conf_error($seals)) =~ s{\Q$dir\E/?}{}g;
like($said, qr/^"govsvc audit sealer" works in "seal", process \d+ \(command\)/,
    'not beside the command');
close $lock;
is($t->conf_error($seals), '', 'but after it');

$t->done();
