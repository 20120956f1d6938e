#!/usr/bin/perl

# Copyright (C) govsvc authors

# govsvc token verify: one line in, one line out.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new()->has('cli', 'mint');

my $jwks = $t->mint_keys('keys');

my %claims = (iss => 'https://sso.gov.example', aud => 'portal', sub => 'u');

sub token { return $t->token($_[0], { %claims }, ttl => 600, @_[1 .. $#_]) }

my @good = map { token($_) } qw/RS256 ES256 EdDSA SM2/;
my $changed = $good[0];
substr($changed, -20, 1) = substr($changed, -20, 1) eq 'A' ? 'B' : 'A';

sub verify {
    my ($lines, @args) = @_;

    $t->write_file('tokens', join '', map { "$_\n" } @$lines);

    return $t->govsvc('token', 'verify', '--jwks', $jwks, @args,
        $t->dir() . '/tokens');
}

sub answers {
    my ($lines, $args, $code, $want, $name) = @_;

    my ($rc, $out) = verify($lines, @$args);

    is($rc, $code, "$name: exit code");
    is($out, join('', map { "$_\n" } @$want), "$name: answers");
}

answers(\@good, [], 0, [ ('ok') x 4 ], 'all good');
answers([ $good[0], $changed, 'x', '', $good[3] ], [], 1,
    [ qw/ok bad_signature bad_segments bad_segments ok/ ], 'some bad');
answers(\@good, [ '--alg', 'SM2' ], 1, [ ('bad_alg') x 3, 'ok' ],
    'one algorithm');
answers(\@good, [ '--alg', 'SM2', '--alg', 'ES256' ], 1,
    [ 'bad_alg', 'ok', 'bad_alg', 'ok' ], 'two algorithms');
answers([ $good[0] ], [ '--iss', $claims{iss}, '--aud', 'portal' ], 0,
    [ 'ok' ], 'issuer and audience');
answers([ $good[0] ], [ '--iss', 'x' ], 1, [ 'bad_issuer' ], 'issuer');
answers([ $good[0] ], [ '--aud', 'x' ], 1, [ 'bad_audience' ], 'audience');
answers([ $good[0] ], [ '--now', time() + 700 ], 1, [ 'expired' ], 'later');
answers([ $good[0] ], [ '--now', '2020-01-01T00:00:00+08:00' ], 1,
    [ 'not_yet_valid' ], 'earlier');
answers([ token('SM2', sm2_id => 'ALICE') ], [ '--sm2-id', 'ALICE' ], 0,
    [ 'ok' ], 'SM2 identity');

my $text = $t->token('EdDSA', {}, raw_payload => 'no JSON at all');
answers([ $text ], [], 1, [ 'bad_payload' ], 'no JSON');
answers([ $text ], [ '--signature-only' ], 0, [ 'ok' ], 'signature only');
answers([ $changed ], [ '--signature-only' ], 1, [ 'bad_signature' ],
    'signature only, bad');

answers([ $good[0], 'x' ], [ '--json' ], 1, [
    '{"line":1,"reason":"ok"}', '{"line":2,"reason":"bad_segments"}' ],
    'JSON');

my ($rc, $out, $err) = $t->govsvc('token', 'verify');
is($rc, 2, 'no --jwks');
like($err, qr/--jwks FILE is missing/, 'says so');

($rc, $out, $err) = verify([ 'x' ], '--alg', 'RS265');
is($rc, 2, 'unknown algorithm');
like($err, qr/invalid algorithm "RS265"; did you mean "RS256"\?/, 'says so');

($rc, $out, $err) = verify([ 'x' ], '--now', 'soon');
is($rc, 2, 'bad time');
like($err, qr/invalid time "soon"/, 'says so');

($rc, $out, $err) = verify([]);
is($rc, 3, 'no token');

$t->write_file('bad.json', "{\"keys\": [\n{\"kty\": \"oct\", \"k\": \"AA\"}]}");
($rc, $out, $err) = $t->govsvc('token', 'verify', '--jwks',
    $t->dir() . '/bad.json');
is($rc, 3, 'a secret key');
like($err, qr{bad\.json:2: the set holds a private .* at /keys/0/k$},
    'file, line and pointer');

$t->done();
