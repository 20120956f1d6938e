#!/usr/bin/perl

# Copyright (C) govsvc authors

# Published vectors by the command, each with a set of its keys: the JWS
# layer, and where the payload is claims, the whole check at its time.
# RFC 7515 A.1 to A.5, RFC 8037 A.4, RFC 7797 section 4 (refused), and the key
# of GM/T 0003.5-2012 annex A.2; its signature, of a text that no token can
# have, is in t/unit/token_key_test.c.

use strict;
use warnings;

use Test::More;
use FindBin;
use JSON::PP;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new()->has('cli', 'mint', 'openssl');

my $joe = 'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt'
    . 'cGxlLmNvbS9pc19yb290Ijp0cnVlfQ';

my %jwk = (
    a1 => { kty => 'oct', k => 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T'
        . '-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow' },
    a2 => { kty => 'RSA', e => 'AQAB', n => 'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAk'
        . 'd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-'
        . 'yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-'
        . 'bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmt'
        . 'dVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_'
        . 'h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ' },
    a3 => { kty => 'EC', crv => 'P-256',
        x => 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
        y => 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0' },
    a4 => { kty => 'EC', crv => 'P-521', x => 'AekpBQ8ST8a8VcfVOTNl353vSrDCLL'
        . 'JXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk',
        y => 'ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL'
        . '4Kkd0AZMaZmh9ubmf63e3kyMj2' },
    ed => { kty => 'OKP', crv => 'Ed25519',
        x => '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
    sm2 => { kty => 'EC', crv => 'SM2',
        x => 'CfnfMR5UIaFQ3X0WHkvFxnIXn60YM_wHa7CP81bzUCA',
        y => 'zOpJDOJndaUtxupxjMGqYArtBfvzXghKZjL2By2prRM' },
);

my %token = (
    a1 => "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.$joe"
        . '.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
    a2 => "eyJhbGciOiJSUzI1NiJ9.$joe.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF"
        . '9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF'
        . '9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIAR'
        . 'NPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWE'
        . 'sqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5'
        . 'AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw',
    a3 => "eyJhbGciOiJFUzI1NiJ9.$joe.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4Gawxae"
        . 'pmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q',
    a4 => 'eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLf'
        . 'D_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCA'
        . 'PZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukO'
        . 'XolLzeO_Jn',
    a5 => "eyJhbGciOiJub25lIn0.$joe.",
    ed => 'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_M'
        . 'GCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVv'
        . 'pAr_MuM0KAg',
);

my @in_time = ('--now', '1300819000', '--iss', 'joe');

sub verify {
    my ($keys, $tokens, @args) = @_;

    $t->write_file('set.json', encode_json({ keys =>
        [ map { ref $_ ? $_ : $jwk{$_} } @$keys ] }));
    $t->write_file('tokens', join '', map { "$_\n" } @$tokens);

    my ($code, $out, $err) = $t->govsvc('token', 'verify', '--jwks',
        $t->dir() . '/set.json', @args, $t->dir() . '/tokens');

    $err =~ s/^.*set\.json/set.json/ if $code > 1;

    return $code > 1 ? "$code $err" : join ' ', split /\n/, $out;
}

sub changed {
    my ($token) = @_;

    substr($token, -20, 1) = substr($token, -20, 1) eq 'A' ? 'B' : 'A';

    return $token;
}

my %name = (a1 => 'RFC 7515 A.1', a2 => 'RFC 7515 A.2', a3 => 'RFC 7515 A.3',
    a4 => 'RFC 7515 A.4', ed => 'RFC 8037 A.4');


# each vector: as it is, changed, with --alg, and by another's key

for my $v (sort keys %name) {
    my $bad = changed($token{$v});

    is(verify([ $v ], [ $token{$v}, $bad ], '--signature-only',
        $v eq 'a1' ? ('--alg', 'HS256') : ()), 'ok bad_signature', $name{$v});

    next if $v eq 'a1';

    is(verify([ $v ], [ $token{$v} ], '--signature-only', '--alg',
        $v eq 'ed' ? 'RS256' : 'EdDSA'), 'bad_alg', "$name{$v}, another --alg");
    is(verify([ $v eq 'a3' ? 'a4' : 'a3' ], [ $token{$v} ],
        '--signature-only'), 'unknown_key', "$name{$v}, another key");
}

for my $v (qw/a1 a2 a3/) {
    my @alg = $v eq 'a1' ? ('--alg', 'HS256') : ();

    is(verify([ $v ], [ $token{$v} ], @in_time, @alg), 'ok',
        "$name{$v} as claims");
    is(verify([ $v ], [ $token{$v} ], @alg), 'expired', "$name{$v} today");
    is(verify([ $v ], [ $token{$v} ], '--iss', 'jim', @alg), 'bad_issuer',
        "$name{$v}, another issuer");
}

for my $v (qw/a4 ed/) {
    is(verify([ $v ], [ $token{$v} ]), 'bad_payload',
        "$name{$v}: its payload is no claims");
}

is(verify([ 'a1' ], [ $token{a1}, changed($token{a1}) ], '--signature-only'),
    'ok bad_signature', 'a set of secrets alone needs no --alg');
is(verify([ 'a1' ], [ $token{a3} ], '--signature-only'), 'bad_alg',
    'and takes no other algorithm');


# all public ones of one set, without kid and with

my @public = qw/a2 a3 a4 ed/;

is(verify(\@public, [ @token{@public} ], '--signature-only'), 'ok ok ok ok',
    'one set of four types');
is(verify([ map { { %{ $jwk{$_} }, kid => $_ } } @public ],
    [ @token{@public} ], '--signature-only'), 'ok ok ok ok',
    'with kids that the tokens do not name');
my $p256 = { kty => 'EC', crv => 'P-256',
    x => 'gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0',
    y => 'SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps' };

is(verify([ 'a3', $p256 ], [ $token{a3} ], '--signature-only'),
    'unknown_key', 'two keys of a type, and the token names none');


# A.5, and others that have none

is(verify([ 'a2' ], [ $token{a5}, "$token{a5}AA" ], '--signature-only'),
    'bad_segments bad_alg', 'RFC 7515 A.5');
is(verify([ 'a2' ], [ $token{a5}, "$token{a5}AA" ], @in_time),
    'bad_segments bad_alg', 'RFC 7515 A.5 as claims');


# RFC 7797 section 4.1 and 4.2, by the key of A.1

my $head = 'eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19';
my $mac = 'A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY';

is(verify([ 'a1' ], [ 'eyJhbGciOiJIUzI1NiJ9.JC4wMg.'
    . '5mvfOroL-g7HyqJoozehmsaqmvTYGEq5jTI1gVvoEoQ' ], '--signature-only',
    '--alg', 'HS256'), 'ok', 'RFC 7797 4.1, encoded');
is(verify([ 'a1' ], [ "$head..$mac", "$head.\$.02.$mac", "$head.JC4wMg.$mac" ],
    '--signature-only', '--alg', 'HS256'),
    'bad_segments bad_segments bad_crit', 'RFC 7797 4.2, unencoded');


# the key of GM/T 0003.5 annex A.2

my ($x, $y) = qw/09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F350
    20CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13/;

$t->write_file('sm2.conf', <<'EOF2');
asn1 = SEQUENCE:key
[key]
version = INTEGER:1
d = FORMAT:HEX,OCT:3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
curve = EXP:0,OID:1.2.156.10197.1.301
EOF2

my $dir = $t->dir();
mkdir "$dir/keys";
my ($code, undef, $err) = $t->command('sh', '-c', "openssl asn1parse -genconf"
    . " $dir/sm2.conf -noout -out $dir/sm2.der && openssl pkey -inform DER"
    . " -in $dir/sm2.der -out $dir/keys/sm2.pem");
is($code, 0, 'key of GM/T 0003.5') or diag($err);

for my $form ([ 'R and S' ], [ 'DER', der => undef ]) {
    my ($name, @opt) = @$form;
    my $text = $t->token('SM2', undef, raw_payload => 'message digest', @opt,
        raw_header => '{"alg":"SM2"}');

    is(verify([ 'sm2' ], [ $text, changed($text) ], '--signature-only'),
        'ok bad_signature', "GM/T 0003.5, $name");
    is(verify([ 'sm2' ], [ $text ], '--signature-only', '--sm2-id', 'x'),
        'bad_signature', "GM/T 0003.5, $name, another identity");
}

my $alice = $t->token('SM2', undef, raw_payload => 'message digest',
    sm2_id => 'ALICE123@YAHOO.COM', raw_header => '{"alg":"SM2"}');

is(verify([ 'sm2' ], [ $alice ], '--signature-only'), 'bad_signature',
    'signed as ALICE123@YAHOO.COM');
is(verify([ 'sm2' ], [ $alice ], '--signature-only', '--sm2-id',
    'ALICE123@YAHOO.COM'), 'ok', 'which --sm2-id tells');


# sets

is(verify([ { %{ $jwk{a3} }, x5t => 'x', more => { a => [ 1 ] } } ],
    [ $token{a3} ], '--signature-only'), 'ok', 'unknown members');
is(verify([ { kty => 'new' }, { %{ $jwk{a2} }, use => 'enc' }, 'a3' ],
    [ $token{a3}, $token{a2} ], '--signature-only'), 'ok unknown_key',
    'keys that are not for it');
like(verify([ 'a1', 'a3' ], [ $token{a3} ], '--signature-only'),
    qr/^3 set\.json:1: .*private/, 'a secret among public keys');
like(verify([ 'a1', 'a3' ], [ $token{a1} ], '--signature-only', '--alg',
    'HS256'), qr/^3 set\.json:1: /, 'public keys among secrets');
like(verify([ { %{ $jwk{ed} }, d => 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyu'
    . 'f2A' } ], [ $token{ed} ]), qr/^3 .*private.* at \/keys\/0\/d$/,
    'a private part');
like(verify([ { %{ $jwk{a2} }, kid => 'k' }, { %{ $jwk{a3} }, kid => 'k' } ],
    [ $token{a3} ]), qr/^3 .*"?k"?.* at \/keys\/1/, 'one kid twice');


# from standard input, with an empty line, and no end of the last

$t->write_file('jwks.json', encode_json({ keys => [ $jwk{a2} ] }));

my ($rc, $out) = $t->command('sh', '-c', "printf '%s\\n%s\\n\\n%s' '"
    . "$token{a2}' 'x' '$token{a2}' | '$FindBin::Bin/../build/govsvc' token"
    . " verify --signature-only --jwks '$dir/jwks.json'");
is($rc, 1, 'some are bad');
is($out, "ok\nbad_segments\nbad_segments\nok\n", 'by standard input');

$t->done();
