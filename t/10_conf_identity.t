#!/usr/bin/perl

# Copyright (C) govsvc authors

# Identity for platforms in the configuration: the exact message of everything
# that is refused.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new()->has('mint');

sub genkey {
    my ($name, @args) = @_;

    my ($rc, $out, $err) = $t->command('openssl', 'genpkey', '-algorithm',
        @args, '-out', $t->dir() . "/$name.key");
    die $err if $rc;
    chmod 0600, $t->dir() . "/$name.key";
}

genkey('ed', 'ED25519');
genkey('rsa', 'RSA');
genkey('open', 'ED25519');
chmod 0644, $t->dir() . '/open.key';

for my $secret ([ 'good', 'x' x 16 . "\n" ], [ 'short', "x\n" ]) {
    $t->write_file("$secret->[0].secret", $secret->[1]);
    chmod 0600, $t->dir() . "/$secret->[0].secret";
}

sub error { $t->conf_error("server { listen 127.0.0.1:%%PORT_0%%; $_[0] }") }

my $in = 'in "govsvc_identity_set" directive in bad.conf:1';
my $sign = 'in "govsvc_identity_sign" directive in bad.conf:1';
my $jws = 'govsvc_identity_sign jws header=X-A';
my $tif = 'govsvc_identity_sign x-tif app=a';

for my $good (
    'govsvc_identity_set X-A b; govsvc_identity_set X-B $uri encode=pct;',
    'govsvc_identity_set X-A b encode=raw; location / { '
        . 'govsvc_identity_set off; }',
    "$jws key=ed.key; $tif secret=good.secret alg=sm3 uid=\$arg_u;",
    "$jws key=ed.key alg=EdDSA kid=a.b:c-d_1 iss=x aud=\$host ttl=5m;",
    'govsvc_identity_sign off; location = /j { govsvc_identity_jwks; }',
) {
    is(error($good), '', $good);
}

for my $case (
    [ 'govsvc_identity_set X-A;', '"govsvc_identity_set" needs a header and '
        . 'a value, or "off" in bad.conf:1' ],
    [ 'govsvc_identity_set off; govsvc_identity_set X-A b;',
        '"govsvc_identity_set" directive is duplicate in bad.conf:1' ],
    [ 'govsvc_identity_set X-A b; govsvc_identity_set x-a c;',
        "duplicate header \"x-a\" $in" ],
    [ 'govsvc_identity_set "X A" b;', 'invalid header name "X A" in '
        . '"govsvc_identity_set" directive, allowed: letters, digits, "-", '
        . '"_", and "*" at the end in bad.conf:1' ],
    [ 'govsvc_identity_set X-* b;', "invalid header name \"X-*\" $in" ],
    [ 'govsvc_identity_set Host b;', '"Host" in "govsvc_identity_set" '
        . 'directive is a header that nginx itself reads in bad.conf:1' ],
    [ 'govsvc_identity_set Content-Length 1;', '"Content-Length" in '
        . '"govsvc_identity_set" directive is a header that nginx itself '
        . 'reads in bad.conf:1' ],
    [ 'govsvc_identity_set X-A b encode=hex;', 'invalid parameter '
        . '"encode=hex"; did you mean "encode=raw"? ' . $in ],
    [ 'govsvc_identity_sign jwt;',
        "invalid form \"jwt\"; did you mean \"jws\"? $sign" ],
    [ 'govsvc_identity_sign jws key=ed.key;', '"govsvc_identity_sign jws" '
        . 'needs "header=NAME" in bad.conf:1' ],
    [ "$jws;",
        '"govsvc_identity_sign jws" needs "key=FILE" in bad.conf:1' ],
    [ "$jws key=ed.key ttl=4s;",
        "invalid time \"4s\"; allowed: 5s to 5m $sign" ],
    [ "$jws key=ed.key ttl=6m;",
        "invalid time \"6m\"; allowed: 5s to 5m $sign" ],
    [ "$jws key=ed.key alg=RS256;", 'invalid algorithm "RS256"; did you '
        . "mean \"ES256\"? $sign" ],
    [ "$jws key=ed.key alg=ES256;",
        'the key is for EdDSA, not for ES256 in "ed.key" in bad.conf:1' ],
    [ "$jws key=rsa.key;", 'a private key of another kind, allowed: Ed25519, '
        . 'P-256, SM2 in "rsa.key" in bad.conf:1' ],
    [ "$jws key=good.secret;", 'no private key in PEM without passphrase in '
        . '"good.secret" in bad.conf:1' ],
    [ "$jws key=open.key;", 'secret file "open.key" is open to other users, '
        . 'allowed: owner and group, use chmod o-rwx in bad.conf:1' ],
    [ "$jws key=ed.key kid=a/b;", 'invalid kid "a/b", allowed: at most 128 '
        . 'letters, digits, "-", "_", "." and ":" in "ed.key" in bad.conf:1' ],
    [ "$jws key=ed.key key=ed.key;",
        "duplicate parameter \"key=ed.key\" $sign" ],
    [ "$jws key=;", "invalid empty parameter \"key=\" $sign" ],
    [ "$jws key=ed.key; $jws key=ed.key;",
        '"govsvc_identity_sign" directive is duplicate in bad.conf:1' ],
    [ "$jws key=ed.key; govsvc_identity_sign off;",
        '"govsvc_identity_sign" directive is duplicate in bad.conf:1' ],
    [ 'govsvc_identity_sign x-tif secret=good.secret;',
        '"govsvc_identity_sign x-tif" needs "app=ID" in bad.conf:1' ],
    [ "$tif;",
        '"govsvc_identity_sign x-tif" needs "secret=FILE" in bad.conf:1' ],
    [ "$tif secret=short.secret;", 'secret file "short.secret" has 1 bytes, '
        . 'at least 16 are needed in bad.conf:1' ],
    [ "$tif secret=good.secret alg=md5;",
        "invalid algorithm \"md5\"; allowed: sha256, sm3 $sign" ],
    [ 'location = /j { govsvc_identity_jwks; govsvc_identity_jwks; }',
        '"govsvc_identity_jwks" directive is duplicate in bad.conf:1' ],
    [ 'govsvc_identity_jwks;',
        '"govsvc_identity_jwks" directive is not allowed here in bad.conf:1' ],
) {
    is(error($case->[0]), $case->[1], $case->[0]);
}

like(error("$jws key=none.key;"), qr/none\.key" failed/, 'a key not there');

$t->done();
