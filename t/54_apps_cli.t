#!/usr/bin/perl

# Copyright (C) govsvc authors

# govsvc apps sign and verify: what one makes the other takes, and what is
# wrong with all else.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new()->has('cli', 'openssl');

my $dir = $t->dir();
my $url = 'https://gw.gov.example/apply/a%20b?b=2&a=%E4%B8%AD';

$t->write_file('secret', "gov-demo-secret\n");
$t->write_file('other', "another-secret\n");
$t->write_file('empty', "\n");
$t->write_file('body', '{"name": "x"}');
$t->write_file('changed', '{"name": "y"}');

sub sign {
    my (@args) = @_;

    my ($code, $out, $err) = $t->govsvc('apps', 'sign', '--app', 'demo',
        '--url', $url, @args);

    return $code == 0 ? [ map { ('-H', $_) } split /\n/, $out ] : $err;
}

sub verify {
    my ($headers, @args) = @_;

    my ($code, $out, $err) = $t->govsvc('apps', 'verify', @$headers, '--url',
        $url, @args);

    return $code == 2 || $code == 3 ? "$code $err" : "$code $out";
}

# Secrets

my @secret = ('--secret-file', "$dir/secret");
my @post = ('--method', 'POST', '--body-file', "$dir/body");

for my $row ([ 'x-tif' ], [ 'x-tif', '--alg', 'sm3' ],
             [ 'gjzwfwpt', '--sid', 'S1' ], [ 'x-bg-hmac' ], [ 'sigv4' ],
             [ 'sigv4', '--service', 's3', '--region', 'cn-north' ],
             [ 'rfc9421' ], [ 'govhmac' ], [ 'govhmac', '--alg', 'hmac-sm3' ],
             [ 'x-tif', '--uid', 'u1', '--uinfo', 'x', '--ext', 'y' ])
{
    my ($scheme, @more) = @$row;
    my @alg = $more[0] && $more[0] eq '--alg' ? @more : ();
    my $headers = sign('--scheme', $scheme, @secret, @more);

    is(ref $headers, 'ARRAY', "@$row: signed") or diag($headers);
    is(verify($headers, @secret, @alg), "0 ok\n", "@$row: verified");
    like(verify($headers, '--secret-file', "$dir/other", @alg),
        qr/^1 bad_signature\nthe signature must be of:\n./, "@$row: wrong");
    like(verify($headers, @secret, @alg, '--time', time() + 1000),
        qr/^1 clock_skew$/, "@$row: old");
    is(verify($headers, @secret, @alg, '--time', time() + 1000, '--window',
        '20m'), "0 ok\n", "@$row: a wider window");
    is(verify($headers, @secret, @alg, '--app', 'else'), "1 unknown_app\n",
        "@$row: another application");

    next if $scheme !~ /^(?:sigv4|rfc9421|govhmac)$/;

    $headers = sign('--scheme', $scheme, @secret, @more, @post);
    is(verify($headers, @secret, @alg, @post), "0 ok\n", "@$row: body");
    is(verify($headers, @secret, @alg, '--method', 'POST', '--body-file',
        "$dir/changed"), "1 bad_digest\n", "@$row: another body");
}

is(verify(sign('--scheme', 'apikey', @secret), @secret), "0 ok\n", 'apikey');
is(verify(sign('--scheme', 'apikey', @secret), '--secret-file',
    "$dir/other"), "1 bad_signature\n", 'apikey: wrong');

# The same as the vectors

my ($code, $out) = $t->govsvc('apps', 'sign', '--scheme', 'x-tif', '--app', 'a',
    '--secret-file', "$dir/token", '--time', '1700000000', '--nonce',
    'a1b2c3d4e5f6', '--url', 'http://h/');
is($code, 3, 'no such file');

$t->write_file('token', 'gov-demo-token');
($code, $out) = $t->govsvc('apps', 'sign', '--scheme', 'x-tif', '--app', 'a',
    '--secret-file', "$dir/token", '--time', '2023-11-14T22:13:20Z', '--nonce',
    'a1b2c3d4e5f6', '--url', 'http://h/');
like($out, qr/^x-tif-signature:\ B0EE8200BAFC615CBE5F34225FC15991C77C9444D991F9
    71788665D4E29D3E95$/mx, 'a vector');

# Keys

for my $row ([ 'ed25519', 'ED25519' ],
             [ 'ecdsa-p256-sha256', 'EC', 'ec_paramgen_curve:P-256' ],
             [ 'rsa-pss-sha512', 'RSA', 'rsa_keygen_bits:2048' ],
             [ 'sm2-sm3', 'SM2' ])
{
    my ($alg, $type, $option) = @$row;

    my ($rc, undef, $err) = $t->command('openssl', 'genpkey', '-algorithm',
        $type, '-out', "$dir/key.pem", $option ? ('-pkeyopt', $option) : ());
    $rc ||= ($t->command('openssl', 'pkey', '-in', "$dir/key.pem", '-pubout',
        '-out', "$dir/pub.pem"))[0];

    is($rc, 0, "$alg: key") or diag($err);

    my $headers = sign('--scheme', 'rfc9421', '--alg', $alg, '--key',
        "$dir/key.pem", @post);

    is(verify($headers, '--alg', $alg, '--key', "$dir/pub.pem", @post),
        "0 ok\n", "$alg: verified");
    like(verify($headers, '--alg', $alg, '--key', "$dir/pub.pem", '--method',
        'PUT', '--body-file', "$dir/body"), qr/^1 bad_signature\n/,
        "$alg: another method");
    is(verify($headers, @secret, @post), "1 bad_alg\n", "$alg: no secret");
}

# JSON, and what is wrong with the command line

my $headers = sign('--scheme', 'govhmac', @secret);

like(verify($headers, '--secret-file', "$dir/other", '--json'),
    qr/^1\ \{"reason":"bad_signature","scheme":"govhmac","app":"demo",
    "expected":"GOV-HMAC-SHA256\\u000aGET\\u000a/x, 'verify --json');
($code, $out) = $t->govsvc('apps', 'sign', '--scheme', 'apikey', '--app', 'a',
    @secret, '--url', 'http://h/', '--json');
is($out, "{\"X-Api-Key\":\"a:gov-demo-secret\"}\n", 'sign --json');

is(verify([], @secret), "1 absent\n", 'no signature');
is(verify([ @$headers, '-H', 'X-Api-Key: a:b' ], @secret),
    "1 two_credentials\n", 'two');

sub usage {
    my ($want, @args) = @_;

    my ($rc, undef, $err) = $t->govsvc('apps', @args);

    is("$rc $err", "$want\n", "@args");
}

usage('2 govsvc: --url URL is missing', 'sign');
usage('2 govsvc: invalid URL "gw/", allowed: http://HOST/PATH or '
    . 'https://HOST/PATH', 'sign', '--url', 'gw/');
usage('2 govsvc: --scheme NAME or --app ID is missing', 'sign', '--url',
    'http://h/');
usage('2 govsvc: invalid scheme "x-tiff"; did you mean "x-tif"?', 'sign',
    '--url', 'http://h/', '--scheme', 'x-tiff');
usage('2 govsvc: x-tif has no algorithm "ed25519"', 'sign', '--url',
    'http://h/', '--scheme', 'x-tif', '--app', 'a', '--alg', 'ed25519');
usage('2 govsvc: --secret-file FILE is missing', 'sign', '--url', 'http://h/',
    '--scheme', 'x-tif', '--app', 'a');
usage('2 govsvc: --key FILE is missing', 'sign', '--url', 'http://h/',
    '--scheme', 'rfc9421', '--app', 'a', '--alg', 'ed25519');
usage('3 govsvc: the secret is empty', 'sign', '--url', 'http://h/',
    '--scheme', 'x-tif', '--app', 'a', '--secret-file', "$dir/empty");
usage("3 govsvc: no key in PEM form in \"$dir/secret\"", 'sign', '--url',
    'http://h/', '--scheme', 'rfc9421', '--app', 'a', '--alg', 'ed25519',
    '--key', "$dir/secret");
usage('2 govsvc: invalid time "x", allowed: seconds since 1970, or RFC 3339',
    'verify', '--url', 'http://h/', '--time', 'x');
usage('2 govsvc: invalid header "x", allowed: at most 127 of "NAME: VALUE"',
    'verify', '--url', 'http://h/', '-H', 'x');
usage('2 govsvc: unexpected argument "x"', 'verify', 'x');

$t->done();
