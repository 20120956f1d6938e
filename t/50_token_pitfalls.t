#!/usr/bin/perl

# Copyright (C) govsvc authors

# The known ways to cheat with a token, one after the other: what each of them
# gets from the gateway, and the reason in its log.  Vectors are published ones
# (RFC 7515, 7797, 8725, CVE-2015-9235, CVE-2016-10555, CVE-2018-0114,
# CVE-2022-21449) or made here.

use strict;
use warnings;

use Test::More;
use FindBin;
use JSON::PP;
use MIME::Base64 qw/encode_base64url decode_base64url/;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new()->has('cli', 'mint', 'openssl');

my $jwks = $t->mint_keys('keys');
my %jwk = map { $_->{kid} => $_ }
    @{ decode_json($t->read_file('keys/jwks.json'))->{keys} };

$t->write_file('keys/any.json', encode_json({ keys => [
    map { my %key = %$_; delete $key{alg}; \%key } values %jwk ] }));

$t->mint_keys('other');
$t->backend('up', sub { (200, [], 'up') });
$t->backend('evil', sub { (200, [], $t->read_file('other/jwks.json')) });

my $up = $t->backend_port('up');
my $evil = 'http://127.0.0.1:' . $t->backend_port('evil') . '/jwks';

$t->http_conf(<<"EOF2")->run();
    large_client_header_buffers  4 256k;

    govsvc_issuer national {
        iss        https://sso.gov.example;
        audience   portal;
        jwks_file  keys/jwks.json;
    }

    govsvc_issuer typed {
        iss        https://typed.gov.example;
        audience   portal;
        jwks_file  keys/jwks.json;
        typ        at+jwt;
    }

    govsvc_issuer rsa {
        iss        https://rsa.gov.example;
        audience   portal;
        algs       RS256;
        jwks_file  keys/jwks.json;
    }

    govsvc_issuer any {
        iss        https://any.gov.example;
        audience   portal;
        jwks_file  keys/any.json;
    }

    govsvc_issuer alice {
        iss        https://alice.gov.example;
        audience   portal;
        jwks_file  keys/jwks.json;
        sm2_id     ALICE123\@YAHOO.COM;
    }

    govsvc_token_zone  zone=tokens:1m throttle=1000r/s burst=1000;

    server {
        listen      127.0.0.1:%%PORT_0%%;
        add_header  X-Sub \$govsvc_subject always;
        add_header  X-Name \$govsvc_claim_name always;

        location / {
            govsvc_token         required from=header,arg:access_token;
            govsvc_identity_set  X-Gov-Name \$govsvc_claim_name;
            govsvc_identity_set  X-Gov-User \$govsvc_subject encode=pct;
            proxy_pass           http://127.0.0.1:$up;
        }
    }
EOF2


my %good = (iss => 'https://sso.gov.example', aud => 'portal', sub => 'u1001');
my $json = JSON::PP->new->canonical;

sub token {
    my ($alg, $claims, %opt) = @_;

    return $t->token($alg, { %good, %{ $claims || {} } }, ttl => 600, %opt);
}

sub header { return token('ES256', {}, raw_header => $_[0]) }

sub payload {
    return $t->token('ES256', undef, raw_payload => $_[0]);
}

sub members {
    return payload('{"iss":"https://sso.gov.example","aud":"portal","exp":'
        . (time() + 600) . ",$_[0]}");
}

sub get {
    my ($token, $uri) = @_;

    return $t->http_get($uri // '/',
        headers => { Authorization => "Bearer $token" });
}

sub logged {
    my ($mark) = @_;

    my @reasons = $t->log_since($mark) =~ /govsvc token: refused, reason: (\w+)/g;

    return "@reasons";
}

my $page;

sub refused {
    my ($name, $reason, $token) = @_;

    my $mark = length $t->error_log();
    my $r = get($token);
    my $body = $r->body();

    $body =~ s/[0-9a-f]{32}//g;
    $page //= $body;

    my $bad = $r->status() != 401 ? 'status ' . $r->status()
        : $body ne $page ? "another page: $body"
        : logged($mark) ne $reason ? 'reason ' . logged($mark)
        : ($r->header('WWW-Authenticate') // '')
            ne 'Bearer realm="govsvc", error="invalid_token"' ? 'challenge'
        : '';

    is($bad, '', "$name: 401, $reason");
}

sub passes {
    my ($name, $token) = @_;

    my $r = get($token);

    is($r->status(), 200, "$name: passes") or diag($r->body());

    return $r;
}

sub parts { return split /\./, $_[0], -1 }

sub set {
    my ($name, $want, $rc, @keys) = @_;

    $t->write_file('set.json', ref $keys[0] ? $json->encode({ keys => \@keys })
        : $keys[0]);

    my ($code, $out, $err) = $t->govsvc('token', 'verify', '--jwks',
        $t->dir() . '/set.json', $t->dir() . '/token');

    is($code, $rc, "$name: exit code");
    like($rc == 3 ? $err : $out, $want, "$name: answer");
}


my $rs = token('RS256');
my $es = token('ES256');

passes($_, token($_)) for qw/RS256 ES256 EdDSA SM2/;


# 1. alg none, in any case

refused('1. none', 'bad_segments', 'eyJhbGciOiJub25lIn0.MTIzNDAw.');

for my $none (qw/none NONE nOnE None/) {
    my $h = encode_base64url(qq({"alg":"$none"}));

    refused("1. $none, no signature", 'bad_segments', "$h.MTIzNDAw.");
    refused("1. $none, a signature", 'bad_alg',
        "$h." . (parts($es))[1] . '.' . (parts($es))[2]);
}


# 2. a public key taken for a secret

system("openssl pkey -in '" . $t->dir() . "/keys/$_.pem' -pubout -out '"
    . $t->dir() . "/keys/$_-pub.pem' 2>/dev/null") for qw/rs256 es256/;

for my $key (qw/rs256 es256/) {
    my $pem = $t->read_file("keys/$key-pub.pem");

    $t->write_file('keys/chomped.pem', $pem =~ s/\n\z//r);
    $t->write_file('keys/crlf.pem', $pem =~ s/\n/\r\n/gr);

    for my $secret ("$key-pub", 'chomped', 'crlf') {
        refused("2. HS256 by $key as PEM, $secret", 'bad_alg',
            token('HS256', {}, key => $secret, kid => $key));
    }
}

$t->write_file('keys/n.pem', decode_base64url($jwk{rs256}{n}));
$t->write_file('keys/ntext.pem', $jwk{rs256}{n});

for my $secret (qw/n ntext/) {
    refused("2. HS256 by $secret of the JWK", 'bad_alg',
        token('HS256', {}, key => $secret, kid => 'rs256'));
    refused("2. the same, named RS256", 'bad_signature',
        token('HS256', {}, key => $secret, kid => 'rs256',
            header_alg => 'RS256'));
}


# 3. PS and RS, and other algorithms than the key's

my %any = (iss => 'https://any.gov.example');

passes('3. PS256', token('PS256', \%any, key => 'rs256'));
passes('3. RS256 of the same key', token('RS256', \%any));
refused('3. PS256 named RS256', 'bad_signature',
    token('PS256', \%any, key => 'rs256', header_alg => 'RS256'));
refused('3. RS256 named PS256', 'bad_signature',
    token('RS256', \%any, header_alg => 'PS256'));
refused('3. RS256 named PS384', 'bad_signature',
    token('RS256', \%any, header_alg => 'PS384'));
refused('3. PS256 of a key for RS256', 'unknown_key',
    token('PS256', {}, key => 'rs256'));
refused('3. ES256 named ES384', 'unknown_key',
    token('ES256', {}, header_alg => 'ES384'));
refused('3. ES256 named SM2', 'unknown_key',
    token('ES256', {}, header_alg => 'SM2'));
refused('3. ES256 at an issuer of RS256', 'bad_alg',
    token('ES256', { iss => 'https://rsa.gov.example' }));


# 4. a key that the token brings along

my ($key) = grep { $_->{kid} eq 'es256' }
    @{ decode_json($t->read_file('other/jwks.json'))->{keys} };

for my $header ({ jwk => $key }, { jku => $evil }, { x5u => $evil },
    { x5c => [ 'MIIB' ] }, { jku => "file://$jwks" })
{
    my $name = join '', keys %$header;

    for my $kid ('es256', 'mine') {
        refused("4. $name, kid $kid", $kid eq 'mine' ? 'unknown_key'
            : 'bad_signature', token('ES256', {}, dir => 'other', kid => $kid,
            header => $json->encode($header)));
    }

    passes("4. $name beside a good signature",
        token('ES256', {}, header => $json->encode($header)));
}

is(scalar($t->backend_requests('evil')), 0, '4. nothing was fetched');


# 5. what stands in kid

for my $kid ('../../../../dev/null', "x' UNION SELECT '1';--", '|sleep 10',
    'http://127.0.0.1/', '${jndi:ldap://x}', 'rs256', 'ES256', 'es256 ',
    'k' x 256)
{
    refused('5. kid ' . substr($kid, 0, 24), 'unknown_key',
        token('ES256', {}, kid => $kid));
}

for my $kid ('""', '"a\r\nb"', '"es256\u0000"', '7', '["es256"]', 'null',
    'true', '{}', '"' . 'k' x 257 . '"', '"es256","kid":"es256"')
{
    refused('5. "kid":' . substr($kid, 0, 24), 'bad_header',
        header(qq({"alg":"ES256","kid":$kid})));
}

refused('5. kid of 64 KiB', 'too_long', token('ES256', {}, kid => 'k' x 65536));
unlike($t->error_log(), qr/UNION|jndi|sleep 10/, '5. no kid in the log');


# 6. crit

for my $crit ('["x"],"x":1', '[]', '["alg"]', '"x"', '["b64"]', 'null', '{}',
    '["exp"],"exp":1')
{
    refused(qq(6. "crit":$crit), 'bad_crit',
        header(qq({"alg":"ES256","crit":$crit})));
}


# 7. b64 (RFC 7797)

refused('7. b64 false, crit', 'bad_crit',
    header('{"alg":"ES256","b64":false,"crit":["b64"]}'));
refused('7. b64 false', 'bad_crit', header('{"alg":"ES256","b64":false}'));
refused('7. b64 true', 'bad_crit', header('{"alg":"ES256","b64":true}'));

my $unencoded = 'eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19';
my $mac = 'A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY';

refused('7. RFC 7797 4.2, detached', 'bad_segments', "$unencoded..$mac");
refused('7. RFC 7797 4.2, $.02', 'bad_segments', "$unencoded.\$.02.$mac");
refused('7. RFC 7797 4.2, encoded', 'bad_crit', "$unencoded.JC4wMg.$mac");
refused('7. zip', 'bad_crit', header('{"alg":"ES256","zip":"DEF"}'));


# 8. one spelling of base64url

my $alphabet = join '', 'A' .. 'Z', 'a' .. 'z', 0 .. 9, '-', '_';

for my $good ($es, $rs, token('EdDSA')) {
    my $alg = decode_json(decode_base64url((parts($good))[0]))->{alg};
    my $last = index $alphabet, substr $good, -1;

    passes("8. $alg", $good);

    for my $bit (1, 2) {
        refused("8. $alg, spare bit $bit", 'bad_base64', substr($good, 0, -1)
            . substr($alphabet, $last | $bit, 1));
    }

    for my $tail ('=', '==', '=junk', '%3D', '+', '/', '~') {
        refused("8. $alg, $tail behind", 'bad_base64', $good . $tail);
    }

    passes("8. $alg, still", $good);
}

my ($head, $body, $sig) = parts($es);

refused('8. = behind the header', 'bad_base64', "$head=.$body.$sig");
refused('8. = behind the payload', 'bad_base64', "$head.$body=.$sig");
refused('8. +/ for -_', 'bad_base64', '++//' . substr($es, 4));


# 9. so that one token has one spelling, and the cache one entry

passes('9. the token', $es);
refused('9. another spelling is no hit', 'bad_base64', "$es=");


# 10. segments

refused("10. \"$_\"", 'bad_segments', $_) for 'a', 'a.b', 'a.b.c.d',
    'a.b.c.d.e', '..', "$head.$body", "$head.$body.", ".$body.$sig",
    "$head..$sig", "$es.", ".$es";

refused('10. JSON serialization', 'bad_segments',
    qq({"payload":"$body","protected":"$head","signature":"$sig"}));
refused('10. flattened within a compact one', 'bad_base64',
    qq({"payload":"$body","x":".$body.$sig"}));
refused('10. JWE', 'bad_segments',
    'eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkExMjhHQ00ifQ.AA.AA.AA.AA');
refused('10. JWE header before a signature', 'bad_alg',
    "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkExMjhHQ00ifQ.$body.$sig");


# 11. duplicate members

refused("11. $_", 'bad_payload', members($_)) for
    '"sub":"u","sub":"admin"', '"sub":"u","\u0073ub":"admin"',
    '"sub":"u","act":{"sub":"a","sub":"b"}';
refused('11. two alg', 'bad_header', header('{"alg":"ES256","alg":"none"}'));
refused('11. two alg, escaped', 'bad_header',
    header('{"alg":"none","\u0061lg":"ES256"}'));


# 12. JSON

my %odd = (
    'depth 2000' => '[' x 2000,
    'depth 2000, closed' => '{"a":' x 1000 . '1' . '}' x 1000,
    'an array' => '[1]',
    'a string' => '"x"',
    'a number' => '1',
    'true' => 'true',
    'empty' => ' ',
    '{}x' => '{}x',
    '{}{}' => '{}{}',
    'BOM' => "\xef\xbb\xbf{}",
    'single quotes' => "{'iss':'x'}",
    'a comment' => '{}/**/',
    'a comma too many' => '{"a":1,}',
    'NaN' => '{"exp":NaN}',
    'a leading zero' => '{"exp":01}',
);

refused("12. $_", 'bad_payload', payload($odd{$_})) for sort keys %odd;

refused('12. ' . $_->[0], 'bad_payload', members($_->[1])) for
    [ 'UTF-8 cut', "\"name\":\"\xe5\xbc\"" ],
    [ 'UTF-8 of a surrogate', "\"name\":\"\xed\xa0\x80\"" ],
    [ 'UTF-8, overlong', "\"name\":\"\xc0\xaf\"" ],
    [ 'UTF-8 above U+10FFFF', "\"name\":\"\xf4\x90\x80\x80\"" ],
    [ 'a lone surrogate', '"name":"\ud800"' ],
    [ 'surrogates the wrong way', '"name":"\udc00\ud800"' ],
    [ 'a control byte', "\"name\":\"a\x01\"" ],
    [ 'NUL', '"sub":"admin\u0000x"' ],
    [ '600 keys', join ',', map { "\"k$_\":1" } 1 .. 600 ];

refused('12. many keys', 'too_long',
    members(join ',', map { "\"k$_\":1" } 1 .. 9000));
refused('12. a string of 64 KiB', 'too_long',
    members('"x":"' . 'a' x 65536 . '"'));


# 13. size

for my $size (8193, 65536, 200000) {
    refused("13. $size bytes", 'too_long', 'A' x ($size - 4) . '.A.A');
}

refused('13. 8192 bytes are looked at', 'bad_header', 'A' x 8188 . '.A.A');


# 14. NumericDate

my $now = time();

refused("14. \"exp\":$_->[0]", $_->[1],
    payload('{"iss":"https://sso.gov.example","aud":"portal","sub":"u",'
        . "\"iat\":$now,\"exp\":$_->[0]}")) for
    [ '1e300', 'claim_invalid' ],
    [ '9223372036854775808', 'claim_invalid' ],
    [ '18446744073709551621', 'claim_invalid' ],
    [ '1e400', 'claim_invalid' ],
    [ '"1700000000"', 'claim_invalid' ],
    [ '"' . ($now + 600) . '"', 'claim_invalid' ],
    [ 'null', 'claim_invalid' ],
    [ 'true', 'claim_invalid' ],
    [ '[' . ($now + 600) . ']', 'claim_invalid' ],
    [ '{}', 'claim_invalid' ],
    [ ($now + 600) . '000', 'claim_invalid' ],
    [ $now + 10 * 86400, 'too_long_lived' ];

refused('14. no exp', 'claim_missing', $t->token('ES256', \%good, ttl => 0));
passes('14. a fraction', token('ES256', { exp => $now + 300.5 }));
passes('14. an exponent', members('"iat":' . $now . '.0e0,"sub":"u"'));

refused('14. exp -1', 'claim_invalid', $t->token('ES256',
    { %good, exp => -1 }, ttl => 0));

for my $exp (0, 1, 1700000000, $now - 31) {
    my $mark = length $t->error_log();
    my $r = get($t->token('ES256', { %good, exp => $exp }, ttl => 0));

    like($r->status() . ' ' . $r->body(), qr/^401 .*TOKEN_EXPIRED/s,
        "14. exp $exp");
    is(logged($mark), 'expired', '14. its reason');
}


# 15. nbf, iat in the future

refused('15. nbf', 'not_yet_valid', token('ES256', { nbf => $now + 3600,
    exp => $now + 7200 }));
refused('15. iat', 'not_yet_valid', token('ES256', { iat => $now + 3600,
    exp => $now + 7200 }));
refused('15. nbf is text', 'claim_invalid',
    token('ES256', { nbf => "$now" }));
refused('15. iat is null', 'claim_invalid', token('ES256', { iat => undef }));
passes('15. nbf within the leeway', token('ES256', { nbf => $now + 20 }));


# 16. aud

refused('16. aud ' . $json->allow_nonref->encode($_), 'bad_audience',
    token('ES256', { aud => $_ })) for 'portal2', 'Portal', 'porta', ' portal',
    'x,portal', 'portal,x', '', [ 'x' ], [], [ 'x,portal' ];

for my $aud ([ 1 ], { a => 1 }, 1, [ [ 'portal' ] ], undef, JSON::PP::true) {
    my $mark = length $t->error_log();

    is(get(token('ES256', { aud => $aud }))->status(), 401,
        '16. aud ' . $json->encode($aud));
    like(logged($mark), qr/^(bad_audience|claim_invalid)$/, '16. its reason');
}

passes('16. aud x and portal', token('ES256', { aud => [ 'x', 'portal' ] }));


# 17. typ

refused("17. typ $_", 'bad_typ', token('ES256', {}, header =>
    qq({"typ":"$_"}))) for 'dpop+jwt', 'logout+jwt', 'secevent+jwt', 'id+jwt',
    'application/dpop+jwt';
passes("17. typ $_", token('ES256', {}, header => qq({"typ":"$_"}))) for
    'JWT', 'at+jwt', 'application/at+JWT', 'jwt';
refused('17. JWT where at+jwt is wanted', 'bad_typ',
    token('ES256', { iss => 'https://typed.gov.example' }));
refused('17. without typ', 'bad_typ', token('ES256',
    { iss => 'https://typed.gov.example' },
    raw_header => '{"alg":"ES256","kid":"es256"}'));
passes('17. at+jwt', token('ES256', { iss => 'https://typed.gov.example' },
    header => '{"typ":"at+jwt"}'));


# 18. psychic signatures (CVE-2022-21449)

my $n = pack 'H*', 'ffffffff00000000ffffffffffffffff'
    . 'bce6faada7179e84f3b9cac2fc632551';
my $zero = "\0" x 32;
my $one = "\0" x 31 . "\1";

refused('18. R S ' . $_->[0], 'bad_signature',
    "$head.$body." . encode_base64url($_->[1])) for
    [ 'zero', $zero . $zero ], [ 'zero, one', $zero . $one ],
    [ 'one, zero', $one . $zero ], [ 'n', $n . $n ], [ 'one, n', $one . $n ],
    [ 'all ones', "\xff" x 64 ];

for my $alg (qw/EdDSA SM2/) {
    my ($h, $p) = parts(token($alg));

    refused("18. $alg, zero", 'bad_signature',
        "$h.$p." . encode_base64url("\0" x 64));
}


# 19. DER, lengths

refused('19. ES256 in DER', 'bad_signature', token('ES256', {}, der => undef));
passes('19. SM2 in DER', token('SM2', {}, der => undef));

refused("19. ES256, $_ bytes", 'bad_signature',
    "$head.$body." . encode_base64url('A' x $_)) for 1, 63, 65, 96, 128, 1000;
refused("19. RS256, $_ bytes", 'bad_signature', join '.',
    (parts($rs))[0, 1], encode_base64url('A' x $_)) for 1, 255, 257, 512;
refused('19. RS256, a zero before it', 'bad_signature', join '.',
    (parts($rs))[0, 1], encode_base64url("\0" . decode_base64url(
    (parts($rs))[2])));


# 20. weak keys are refused when the set is read

$t->write_file('token', "$es\n");

my %weak = (
    'RSA of 1024 bits' => { kty => 'RSA', e => 'AQAB',
        n => encode_base64url("\xc1" . "\x5b" x 127) },
    'RSA of 16384 bits' => { kty => 'RSA', e => 'AQAB',
        n => encode_base64url("\xc1" . "\x5b" x 2047) },
    'e = 1' => { %{ $jwk{rs256} }, e => 'AQ' },
    'e = 3' => { %{ $jwk{rs256} }, e => 'Aw' },
    'e even' => { %{ $jwk{rs256} }, e => 'AQAC' },
    'n even' => { %{ $jwk{rs256} }, n => encode_base64url("\xc1"
        . "\x5a" x 255) },
    'off the curve' => { %{ $jwk{es256} }, y => $jwk{es256}{x} },
    'P-384 of 32 bytes' => { kty => 'EC', crv => 'P-384',
        x => $jwk{es256}{x}, y => $jwk{es256}{y} },
    'P-256 named SM2' => { kty => 'EC', crv => 'SM2', x => $jwk{es256}{x},
        y => $jwk{es256}{y} },
    'Ed25519 of 31 bytes' => { kty => 'OKP', crv => 'Ed25519',
        x => encode_base64url('A' x 31) },
    'padded' => { %{ $jwk{es256} }, x => "$jwk{es256}{x}=" },
    'oct, short' => { kty => 'oct', k => 'AA' },
    'oct, empty' => { kty => 'oct', k => '' },
    'ROCA (CVE-2017-15361)' => { kty => 'RSA', e => 'AQAB', n => roca() },
);

set("20. $_", $_ =~ /ROCA/ ? qr/ROCA/ : qr/set\.json:\d+: .+/, 3, $weak{$_})
    for sort keys %weak;

# The fingerprint: a power of 65537 modulo each small prime.

sub roca {
    require Math::BigInt;

    my $m = Math::BigInt->new(1);

    for my $p (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61,
        67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137,
        139, 149, 151, 157, 163, 167)
    {
        $m *= $p;
    }

    # odd, of 2048 bits, and 1 modulo the product

    my $q = Math::BigInt->new(2)->bpow(2047)->bdiv($m * 2)->badd(1);

    return encode_base64url($q->bmul($m)->bmul(2)->badd(1)->to_bytes());
}


# 21. what a set says of its keys

my %es = %{ $jwk{es256} };
my %rs = %{ $jwk{rs256} };

set('21. unknown members', qr/^ok$/, 0, { %es, x5t => 'x', foo => { a => [] } });
set('21. other types beside', qr/^ok$/, 0, \%es,
    { kty => 'OKP', crv => 'X25519', x => $jwk{eddsa}{x} },
    { kty => 'EC', crv => 'secp256k1', x => $es{x}, y => $es{y} },
    { kty => 'new', a => 1 });
set('21. unknown members of the set', qr/^ok$/, 0, $json->encode({
    keys => [ \%es ], issuer => 'x', version => 1 }));
set('21. use enc', qr/use|no usable key|allowed/, 3, { %es, use => 'enc' });
set('21. key_ops encrypt', qr/key_ops|no usable key|allowed/, 3,
    { map({ $_ => $es{$_} }
    qw/kty crv x y/), key_ops => [ 'encrypt' ] });
set('21. key_ops sign', qr/allowed/, 3, { %es, key_ops => [ 'sign' ] });
set('21. use enc beside', qr/^unknown_key$/, 1, { %es, use => 'enc' }, \%rs);
set('21. key_ops verify', qr/^ok$/, 0, { %es, key_ops => [ 'verify' ] });
set('21. mixed with a secret', qr/private|secret/, 3, \%es,
    { kty => 'oct', k => encode_base64url('s' x 32) });
set('21. private part', qr/private/, 3, { %es, d => encode_base64url('d' x 32) });
set('21. private part of RSA', qr/private/, 3, { %rs, d => 'AQAB' }, \%es);
set('21. a kid twice', qr/"es256"|kid/, 3, \%es, { %rs, kid => 'es256' });
set('21. alg of another curve', qr/alg/, 3, { %es, alg => 'ES384' });
set('21. alg of another type', qr/alg/, 3, { %es, alg => 'RS256' });
set('21. no kid in the set', qr/^(unknown_key)$/, 1,
    { map { $_ => $es{$_} } qw/kty crv x y/ });
set('21. no keys', qr/key/, 3, $json->encode({ keys => [] }));
set('21. no set', qr/keys/, 3, $json->encode(\%es));
set('21. keys twice', qr/keys|duplicate|twice/, 3,
    '{"keys":[' . $json->encode(\%es) . '],"keys":[]}');

$t->write_file('token', header('{"alg":"ES256"}') . "\n");
set('21. no kid in the token', qr/^ok$/, 0, \%rs, \%es);
set('21. no kid anywhere', qr/^ok$/, 0,
    { map { $_ => $es{$_} } qw/kty crv x y/ });


# 22. who signs by SM2

refused('22. another identity', 'bad_signature',
    token('SM2', {}, sm2_id => 'ALICE123@YAHOO.COM'));
refused('22. an empty identity', 'bad_signature',
    token('SM2', {}, sm2_id => ''));
passes('22. the default of GM/T 0009', token('SM2'));
passes('22. configured', token('SM2', { iss => 'https://alice.gov.example' },
    sm2_id => 'ALICE123@YAHOO.COM'));
refused('22. where another is', 'bad_signature',
    token('SM2', { iss => 'https://alice.gov.example' }));


# 23. claims and headers

for my $name ("a\r\nX-Gov-Role: admin", "a\nb", "a\tb", "\x7f") {
    my $r = passes('23. ' . $json->encode($name),
        token('ES256', { name => $name }));
    my ($seen) = reverse $t->backend_requests('up');

    is($r->header('X-Name'), undef, '23. not in an answer');
    is($r->header('X-Gov-Role'), undef, '23. no header made');
    unlike($json->allow_blessed->encode($seen), qr/x-gov-(name|role)/i,
        '23. nor to the platform');
}

refused('23. in sub', 'claim_invalid',
    token('ES256', { sub => "a\r\nX-Gov-Role: admin" }));

my $zhang = passes('23. UTF-8', token('ES256', { name => "\x{5f20}\x{4e09}",
    sub => "\x{674e}" }));
my ($seen) = reverse $t->backend_requests('up');

is($zhang->header('X-Name'), "\xe5\xbc\xa0\xe4\xb8\x89", '23. as it is');
like($json->encode($seen), qr/%E6%9D%8E/, '23. encoded for the platform');


# 24. the scheme, and two tokens

is($t->http_get('/', headers => { Authorization => "$_ $es" })->status(), 200,
    "24. $_") for qw/Bearer bearer BEARER bEaReR/;

sub malformed {
    my ($name, $uri, @headers) = @_;

    my $r = $t->http_get($uri, headers => \@headers);

    is($r->status(), 400, "24. $name");
}

malformed('two lines', '/', Authorization => "Bearer $es",
    Authorization => "Bearer $rs");
malformed('the same twice', '/', Authorization => "Bearer $es",
    Authorization => "Bearer $es");
malformed('header and query', "/?access_token=$es",
    Authorization => "Bearer $es");
malformed('two in a line', '/', Authorization => "Bearer $es, Bearer $rs");


# 25. one answer for all: compared in refused(); the same length of work is
# what the order of checks and constant time give

my %same = map {
    my $r = get($_);
    my $all = $r->raw();
    $all =~ s/[0-9a-f]{32}|^Date:.*$//mg;
    $all => 1
} token('ES256', {}, kid => 'none'), token('ES256', {}, dir => 'other'),
    token('ES256', { aud => 'x' }), token('ES256', { iss => 'x' }), 'junk';

is(scalar(keys %same), 1, '25. the same to the byte')
    or diag(join "\n", keys %same);


# 26. what cannot be verified is not accepted

for my $alg (qw/ES256K Ed448 HS256 HS384 HS512 HSM3 RSA1_5 dir A128KW RS1 x/,
    '', 'ES256 ', 'es256')
{
    refused("26. alg \"$alg\"", 'bad_alg', header(qq({"alg":"$alg"})));
}

refused("26. alg $_", 'bad_header', header(qq({"alg":$_}))) for '1', 'null',
    '["ES256"]', 'true';
refused('26. no alg', 'bad_header', header('{"typ":"JWT"}'));


# 27. no request leaves anything behind for the next one

for my $turn (1 .. 3) {
    passes("27. turn $turn", $rs);
    refused("27. none, turn $turn", 'bad_segments',
        encode_base64url('{"alg":"none"}') . '.' . (parts($rs))[1] . '.');
    refused("27. forged, turn $turn", 'bad_signature',
        token('RS256', { jti => "t$turn" }, dir => 'other'));
    refused("27. HS256, turn $turn", 'bad_alg',
        token('HS256', {}, key => 'n', kid => 'rs256'));
}

my @forged = map {
    my $token = token('ES256', { jti => "p$_" },
        dir => $_ % 2 ? 'keys' : 'other');
    $t->request('GET', '/', headers => { Authorization => "Bearer $token" })
} 1 .. 24;
my @answers = $t->http_parallel(\@forged, concurrency => 24);

is(join(' ', map { $_->status() } @answers), join(' ', (200, 401) x 12),
    '27. 24 at once, good and forged in turn');

$t->done();
