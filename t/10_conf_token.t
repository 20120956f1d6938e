#!/usr/bin/perl

# Copyright (C) govsvc authors

# The directives of tokens: what is refused, and in which words.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new()->has('mint');

$t->mint_keys('keys');
$t->write_file('jwks.json', $t->read_file('keys/jwks.json'));

my %good = (
    iss => 'iss https://sso.gov.example;',
    audience => 'audience portal;',
    jwks_file => 'jwks_file jwks.json;',
);


sub issuer {
    my ($more, %change) = @_;

    my %words = (%good, %change);

    return 'govsvc_issuer a { '
        . join(' ', map { $words{$_} } sort keys %words) . " $more }";
}

sub refused {
    my ($conf, $expected, $name) = @_;

    $expected .= ' in bad.conf:1' if $expected ne '' && $expected !~ / in \w+\./;

    is($t->conf_error($conf), $expected, $name // $conf);
}

sub inner {
    my ($more, $expected) = @_;

    refused(issuer($more), $expected, $more);
}

sub token {
    my ($conf, $expected) = @_;

    refused(issuer('') . " $conf", $expected, $conf);
}


# govsvc_issuer

refused(issuer(''), '', 'the least');

inner('algs RS256 ES256 EdDSA SM2;', '');
inner('algs Ed25519 GmSM2;', '');
inner('leeway 0;', '');
inner('leeway 10m;', '');
inner('max_lifetime 12h;', '');
inner('max_lifetime off;', '');
inner('require exp sub;', '');
inner('typ JWT at+jwt;', '');
inner('sm2_id 1234567812345678;', '');
inner('assurance acr map=1:1,L2:2,urn:gov:3:3;', '');

refused(issuer('', audience => 'audience a b c;'), '', 'audiences');
refused(issuer('', audience => 'audience off;'), '', 'audience off');

refused('govsvc_issuer { }',
    'invalid number of arguments in "govsvc_issuer" directive');
refused('govsvc_issuer a;', 'directive "govsvc_issuer" has no opening "{"');
refused('govsvc_issuer "a b" { }',
    'invalid name "a b"; allowed: 1 to 64 letters, digits, "_" and "-"'
    . ' in "govsvc_issuer" directive');
refused(issuer('') . ' ' . issuer(''), 'duplicate govsvc_issuer "a"',
    'an issuer twice');
refused('server { govsvc_issuer a { } }',
    '"govsvc_issuer" directive is not allowed here');

refused(issuer('', iss => ''), 'govsvc_issuer "a" needs "iss URL"', 'no iss');
refused(issuer('', audience => ''),
    'govsvc_issuer "a" needs "audience NAME ..., or off"', 'no audience');
refused(issuer('', jwks_file => ''),
    'govsvc_issuer "a" needs "jwks_file FILE, or jwks_uri URL"',
    'no jwks_file');

refused(issuer('', iss => 'iss "";'), 'invalid issuer "" in "iss" directive',
    'iss empty');
refused(issuer('', audience => 'audience "";'),
    'invalid audience "" in "audience" directive', 'audience empty');
refused(issuer('', jwks_file => 'jwks_file "";'),
    'invalid file "" in "jwks_file" directive', 'jwks_file empty');

inner('isss x;', 'unknown directive "isss" in govsvc_issuer;'
    . ' did you mean "iss"?');
inner('jwks_url https://x;', 'unknown directive "jwks_url" in govsvc_issuer;'
    . ' did you mean "jwks_uri"?');
inner('zzzzzzzzzz x;', 'unknown directive "zzzzzzzzzz" in govsvc_issuer;'
    . ' allowed: iss, audience, algs, jwks_file, leeway, max_lifetime,'
    . ' require, typ, sm2_id, assurance, jwks_uri, user, actor');
inner('iss y;', '"iss" directive is duplicate');
inner('algs;', 'invalid number of arguments in "algs" directive');
inner('leeway 1s 2s;', 'invalid number of arguments in "leeway" directive');
inner('typ x { }', 'unexpected "{"');

my $algs = 'RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512,'
    . ' EdDSA, SM2, HS256, HS384, HS512, HSM3';

inner('algs RS256 HS256;', '"algs" of govsvc_issuer "a" mixes shared secrets'
    . ' (HS256, HS384, HS512, HSM3) with public keys, use two issuers');
inner('algs none;',
    qq{invalid algorithm "none"; allowed: $algs in "algs" directive});
inner('algs RSA256;', 'invalid algorithm "RSA256"; did you mean "RS256"?'
    . ' in "algs" directive');

for my $bad (qw/poll=99ms poll=3601s poll=x poll= poll=-1s/) {
    refused(issuer('', jwks_file => "jwks_file jwks.json $bad;"),
        qq{invalid time "$bad"; allowed: poll=TIME, TIME 100ms to 1h, or}
        . ' poll=off in "jwks_file" directive', $bad);
}

refused(issuer('', jwks_file => 'jwks_file jwks.json every=1s;'),
    'invalid parameter "every=1s"; allowed: poll=TIME, TIME 100ms to 1h, or'
    . ' poll=off in "jwks_file" directive', 'another parameter');
refused(issuer('', jwks_file => "jwks_file jwks.json $_;"), '', $_)
    for qw/poll=100ms poll=1h poll=off/;


# secrets

my $secret = '{"keys":[{"kty":"oct","kid":"s","k":"'
    . 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}]}';
my $open = 'is open to other users, allowed: owner and group,'
    . ' use chmod o-rwx';

$t->write_file('secret.json', $secret);
chmod 0644, $t->dir() . '/secret.json';
refused(issuer('algs HS256;', jwks_file => 'jwks_file secret.json;'),
    qq{secret file "secret.json" $open}, 'secrets for all to read');
refused(issuer('algs HS512;'), qq{secret file "jwks.json" $open},
    'public keys as secrets');

chmod 0640, $t->dir() . '/secret.json';
refused(issuer('algs HS256 HSM3;', jwks_file => 'jwks_file secret.json;'), '',
    'secrets');
refused(issuer('', jwks_file => 'jwks_file secret.json;'),
    'the set holds a private or symmetric key (member "k"), allowed: public'
    . ' keys; treat the key as disclosed at /keys/0/k in secret.json:1',
    'secrets where public keys belong');
inner('leeway 601s;',
    'invalid time "601s"; allowed: 0 to 10m in "leeway" directive');
inner('leeway -1;',
    'invalid time "-1"; allowed: 0 to 10m in "leeway" directive');
inner('leeway x;', 'invalid time "x"; allowed: 0 to 10m in "leeway" directive');
inner('max_lifetime 0;', 'invalid time "0"; allowed: 1s to 366d, off'
    . ' in "max_lifetime" directive');
inner('max_lifetime 367d;', 'invalid time "367d"; allowed: 1s to 366d, off'
    . ' in "max_lifetime" directive');
inner('require "";', 'invalid claim "" in "require" directive');
inner('typ "";', 'invalid type "" in "typ" directive');
inner('sm2_id "";',
    'invalid identity ""; allowed: 1 to 128 bytes in "sm2_id" directive');
inner('sm2_id ' . ('x' x 129) . ';', 'invalid identity "' . ('x' x 129)
    . '"; allowed: 1 to 128 bytes in "sm2_id" directive');
inner('assurance acr;',
    'invalid number of arguments in "assurance" directive');
inner('assurance "" map=a:1;', 'invalid claim "" in "assurance" directive');
for my $claim ('/a~2', '/a~', '/~/b') {
    inner("assurance $claim map=a:1;", qq(invalid claim "$claim"; allowed:)
        . ' a JSON pointer with "~0" and "~1" for "~" and "/"'
        . ' in "assurance" directive');
    inner("actor $claim;", qq(invalid claim "$claim"; allowed:)
        . ' a JSON pointer with "~0" and "~1" for "~" and "/"'
        . ' in "actor" directive');
    token("govsvc_require claim:$claim=1;", qq(invalid claim "claim:$claim=1";)
        . ' allowed: a JSON pointer with "~0" and "~1" for "~" and "/"'
        . ' in "govsvc_require" directive');
}

inner('assurance /a~1b/~0 map=a:1; actor a~b;', '');
inner('assurance acr 3:3;', 'invalid map "3:3";'
    . ' allowed: map=VALUE:LEVEL,VALUE:LEVEL in "assurance" directive');

for my $pair ('a', 'a:6', 'a:', ':1', 'a:x', 'a1', '') {
    inner("assurance acr map=$pair;", qq(invalid level "$pair";)
        . ' allowed: VALUE:LEVEL, LEVEL 0 to 5 in "assurance" directive');
}

inner('assurance acr map=a:1,;', 'invalid level "";'
    . ' allowed: VALUE:LEVEL, LEVEL 0 to 5 in "assurance" directive');


# the key set

sub jwks {
    my ($text, $expected, $name) = @_;

    $t->write_file('bad.json', $text);
    refused(issuer('', jwks_file => 'jwks_file bad.json;'), $expected, $name);
}

like($t->conf_error(issuer('', jwks_file => 'jwks_file none.json;')),
    qr{^open\(\) "none\.json" failed \(2: .*\) in bad\.conf:1$}, 'no file');

like($t->conf_error(do {
    $t->write_file('bad.json', "{\"keys\": [\n{\"kty\": }\n]}\n");
    issuer('', jwks_file => 'jwks_file bad.json;');
}), qr{^the JWK set is no JSON: .* in bad\.json:2$}, 'no JSON');

jwks('{}', 'the JWK set has no array "keys" in bad.json:1', 'no keys');
jwks("{\"keys\": [\n{\"kty\": \"oct\",\n\"k\": \"AAAA\"}]}",
    'the set holds a private or symmetric key (member "k"), allowed: public'
    . ' keys; treat the key as disclosed at /keys/0/k in bad.json:3',
    'a secret');
jwks('{"keys": []}', 'the JWK set has no usable key (0 skipped), allowed:'
    . ' RSA, EC P-256, EC P-384,'
    . ' EC P-521, EC SM2, OKP Ed25519 in bad.json', 'an empty set');
jwks("{\"keys\": [\n{\"kty\": \"RSA\",\n\"n\": \"AQAB\", \"e\": \"AQAB\"}]}",
    'the RSA key has too few or too many bits, allowed: 2048 to 8192'
    . ' at /keys/0/n in bad.json:3', 'a weak key');

like($t->conf_error(do {
    $t->write_file('bad.json', ' ' x 262145);
    issuer('', jwks_file => 'jwks_file bad.json;');
}), qr{"bad\.json" has 262145 bytes, at most 262144 are allowed}, 'too large');


# govsvc_token_zone

token('govsvc_token_zone zone=tokens:128k;', '');
token('govsvc_token_zone off;', '');
token('govsvc_token_zone zone=a:1m; govsvc_token_zone zone=b:1m;',
    '"govsvc_token_zone" directive is duplicate');
token('govsvc_token_zone off; govsvc_token_zone off;',
    '"govsvc_token_zone" directive is duplicate');
token('govsvc_token_zone;',
    'invalid number of arguments in "govsvc_token_zone" directive');
token('govsvc_token_zone tokens:1m;', 'invalid parameter "tokens:1m";'
    . ' allowed: zone=NAME:SIZE, off in "govsvc_token_zone" directive');
token('govsvc_token_zone zone=tokens;', 'invalid zone "tokens" in'
    . ' "govsvc_token_zone" directive, allowed: a name and a size, as in'
    . ' "zone=main:32m"');
token('govsvc_token_zone zone=:1m;', 'invalid zone ":1m" in'
    . ' "govsvc_token_zone" directive, allowed: a name and a size, as in'
    . ' "zone=main:32m"');

for my $size (qw/x 0 127k -1m/) {
    token("govsvc_token_zone zone=tokens:$size;", qq(invalid zone)
        . qq( size "$size" in "govsvc_token_zone" directive, allowed: 128k)
        . ' or more, with k, m or g');
}

token('server { govsvc_token_zone off; }',
    '"govsvc_token_zone" directive is not allowed here');


# govsvc_token

token('govsvc_token required;', '');
token('govsvc_token optional issuer=a from=header,cookie:gov,arg:t;', '');
token('server { govsvc_token required; location / { govsvc_token off; } }',
    '');
refused('server { govsvc_token required issuer=a; } ' . issuer(''), '',
    'an issuer defined later');

token('govsvc_token;',
    'invalid number of arguments in "govsvc_token" directive');
token('govsvc_token require;', 'invalid mode "require";'
    . ' did you mean "required"? in "govsvc_token" directive');
token('govsvc_token yes;', 'invalid mode "yes";'
    . ' allowed: required, optional, off in "govsvc_token" directive');
token('govsvc_token required; govsvc_token off;',
    '"govsvc_token" directive is duplicate');
token('govsvc_token required isuer=a;', 'invalid parameter "isuer=a";'
    . ' allowed: issuer=NAME,NAME, from=header,cookie:NAME,arg:NAME,'
    . ' forward=on, forward=off in "govsvc_token" directive');
token('govsvc_token required issuer=a issuer=a;',
    'invalid parameter "issuer=a"; allowed: issuer=NAME,NAME,'
    . ' from=header,cookie:NAME,arg:NAME, forward=on, forward=off in'
    . ' "govsvc_token" directive');
token('govsvc_token required issuer=;',
    'invalid issuer "" in "govsvc_token" directive');
token('govsvc_token required issuer=a,;',
    'invalid issuer "" in "govsvc_token" directive');
token('govsvc_token required issuer=b;', 'unknown govsvc_issuer "b"');
token('govsvc_token required from=heder;', 'invalid source "heder";'
    . ' did you mean "header"? in "govsvc_token" directive');
token('govsvc_token required from=query;', 'invalid source "query";'
    . ' allowed: header, cookie:NAME, arg:NAME in "govsvc_token" directive');
token('govsvc_token required from=cookie:;', 'invalid source "cookie:";'
    . ' allowed: header, cookie:NAME, arg:NAME in "govsvc_token" directive');

refused('server { govsvc_token required; }',
    '"govsvc_token" needs a "govsvc_issuer"', 'no issuer at all');

refused(issuer('') . "\nserver {\n location /x {\n  satisfy any;\n"
    . "  govsvc_token optional;\n }\n}",
    '"satisfy any" and "govsvc_token" exclude each other in location "/x",'
    . ' use "satisfy all" or "govsvc_token off" there, in bad.conf:5',
    'satisfy any');
token('satisfy any; server { govsvc_token off; }', '');


# govsvc_require

token('govsvc_token required; govsvc_require level>=3 scope=a scope=b'
    . ' claim:user_type=1;', '');
token('govsvc_token required; govsvc_require off;', '');
token('govsvc_token required; govsvc_require level>=1;'
    . ' server { govsvc_require off; govsvc_token off; }', '');

token('govsvc_require;',
    'invalid number of arguments in "govsvc_require" directive');
for my $off ('off level>=1', 'level>=1 off', 'off off') {
    token("govsvc_require $off;", '"govsvc_require" directive has "off" beside'
        . ' requirements; it stands alone');
}

token('govsvc_require level>=1; govsvc_require scope=a;',
    '"govsvc_require" directive is duplicate');

for my $level ('level>=0', 'level>=6', 'level>=', 'level>=33', 'level>=x') {
    token("govsvc_require $level;", qq(invalid level "$level";)
        . ' allowed: level>=1 to level>=5 in "govsvc_require" directive');
}

for my $what ('usage=natural', 'level>2', 'off2 x', 'aud=x') {
    my ($first) = split / /, $what;

    like($t->conf_error(issuer('') . " govsvc_require $what;"),
        qr{^invalid requirement "\Q$first\E"; .* in "govsvc_require" directive},
        $what);
}

token('govsvc_require scope=;', 'invalid scope "scope=";'
    . ' allowed: visible ASCII characters but quote and backslash'
    . ' in "govsvc_require" directive');
token('govsvc_require \'scope=a"b\';', 'invalid scope "scope=a"b";'
    . ' allowed: visible ASCII characters but quote and backslash'
    . ' in "govsvc_require" directive');

for my $claim ('claim:a', 'claim:=b', 'claim:a=') {
    token("govsvc_require $claim;", qq(invalid claim "$claim";)
        . ' allowed: claim:NAME=VALUE, claim:NAME!=VALUE,'
        . ' claim:NAME^=PREFIX, claim:NAME>=N, claim:NAME<=N, claim:NAME>N,'
        . ' claim:NAME<N in "govsvc_require" directive');
}

token('server { location /x { govsvc_require level>=3; } }',
    '"govsvc_require" needs "govsvc_token" required or optional'
    . ' in location "/x"');

$t->write_file('app.secret', 'gov-demo-token');
chmod 0600, $t->dir() . '/app.secret';
$t->write_file('apps.json', '{"apps": [{"id": "a", "scheme": "x-tif",'
    . ' "secrets": ["file:app.secret"]}]}');

my $apps = 'govsvc_apps apps.json; server { location /x { ';

token("$apps govsvc_require level>=3; } }", '');
token("$apps govsvc_app required; govsvc_require level>=3; } }", '');
token("$apps govsvc_app off; govsvc_require level>=3; } }",
    '"govsvc_require" needs "govsvc_token" required or optional'
    . ' in location "/x"');
token("$apps govsvc_require level>=3 scope=a; } }",
    '"govsvc_require" needs "govsvc_token" required or optional'
    . ' for what is not level>=N in location "/x"');


inner('user kind map=1:natural,2:legal;', '');
inner('user /who/kind map=urn:x:1:legal;', '');
inner('actor /act/sub;', '');
inner('user kind 1:natural;', 'invalid map "1:natural";'
    . ' allowed: map=VALUE:natural,VALUE:legal in "user" directive');
inner("user kind map=$_;", qq{invalid kind "$_"; allowed: VALUE:natural,}
    . ' VALUE:legal in "user" directive') for '1:other', ':legal', 'x', '';
inner('user "" map=1:legal;', 'invalid claim "" in "user" directive');
inner('actor "";', 'invalid claim "" in "actor" directive');

token("govsvc_token required; govsvc_require $_;", '')
    for qw{user=legal actor=none actor=some claim:/a/b=c claim:n!=1
    claim:n^=44 'claim:n>=1' 'claim:n<-5'};
token("govsvc_require user=$_;", qq{invalid user "user=$_"; allowed:}
    . ' user=natural, user=legal in "govsvc_require" directive')
    for '', 'x';
token("govsvc_require actor=x;", 'invalid actor "actor=x"; allowed:'
    . ' actor=none, actor=some in "govsvc_require" directive');


# govsvc_token_zone, govsvc_revocation_zone

sub zone {
    my ($conf, $expected) = @_;

    refused($conf, $expected, $conf);
}

zone('govsvc_token_zone zone=a:1m negative=64k throttle=20r/s burst=100;', '');
zone('govsvc_token_zone zone=a:1m throttle=off;', '');
zone('govsvc_token_zone zone=a:1m throttle=1r/m;', '');
zone("govsvc_token_zone zone=a:1m negative=$_;",
    qq{invalid size "negative=$_"; allowed: 4k to half of the zone}
    . ' in "govsvc_token_zone" directive') for qw/513k 1k x/;
zone("govsvc_token_zone zone=a:1m throttle=$_;",
    qq{invalid rate "throttle=$_"; allowed: Nr/s or Nr/m, 1r/m to 1000r/s,}
    . ' off in "govsvc_token_zone" directive')
    for qw{0r/s 1001r/s 10 1r/h x};
zone("govsvc_token_zone zone=a:1m burst=$_;",
    qq{invalid number "burst=$_"; allowed: 1 to 1000000}
    . ' in "govsvc_token_zone" directive') for qw/0 1000001 x -1/;
zone('govsvc_token_zone zone=a:1m bursts=1;', 'invalid parameter "bursts=1";'
    . ' did you mean "burst=N"? in "govsvc_token_zone" directive');

my $state = 'state=' . $t->dir() . '/state/revoked';

zone("govsvc_revocation_zone zone=r:1m $state;", '');
zone('govsvc_revocation_zone zone=r:1m;',
    'invalid number of arguments in "govsvc_revocation_zone" directive');
zone("govsvc_revocation_zone $state $state;", 'duplicate parameter "' . $state
    =~ s{\Q@{[ $t->dir() ]}\E/}{}r . '" in "govsvc_revocation_zone" directive');
zone("govsvc_revocation_zone zone=r:64k $state;",
    'invalid zone size "64k" in "govsvc_revocation_zone" directive,'
    . ' allowed: 128k or more, with k, m or g');
zone("govsvc_revocation_zone zone=r:1m file=x;", 'invalid parameter "file=";'
    . ' allowed: zone=, state=, redis=, secret='
    . ' in "govsvc_revocation_zone" directive');
zone("govsvc_revocation_zone zone=r:1m state=;", '"govsvc_revocation_zone"'
    . ' needs both "zone=NAME:SIZE" and "state=FILE"');
zone("govsvc_revocation_zone zone=r:1m secret=x;", '"govsvc_revocation_zone"'
    . ' needs both "zone=NAME:SIZE" and "state=FILE"');
zone("govsvc_revocation_zone zone=r:1m state=x/;", 'invalid file "x/"'
    . ' in "govsvc_revocation_zone" directive');

$t->write_file("$_.key", 'x' x ($_ eq 'short' ? 15 : 16))
    for qw/good open short/;
chmod 0600, $t->dir() . "/$_.key" for qw/good short/;
chmod 0644, $t->dir() . '/open.key';

zone("govsvc_revocation_zone zone=r:1m $state $_;", '"redis=NAME" and'
    . ' "secret=FILE" of revocation zone "r" need one another')
    for qw/redis=main secret=good.key/, 'redis= secret=good.key';
zone("govsvc_revocation_zone zone=r:1m $state redis=main secret=short.key;",
    'the secret in "short.key" is shorter than 16 bytes');
zone("govsvc_revocation_zone zone=r:1m $state redis=main secret=open.key;",
    'secret file "open.key" is open to other users, allowed: owner and group,'
    . ' use chmod o-rwx');
zone("govsvc_revocation_zone zone=r:1m $state redis=main secret=good.key;",
    'unknown redis "main", there is no block "govsvc_redis main"');
zone('govsvc_redis main { server 127.0.0.1:6379; }'
    . " govsvc_revocation_zone zone=r:1m $state redis=main secret=good.key;",
    '');
zone("govsvc_revocation_zone zone=r:1m $state;" x 2,
    '"govsvc_revocation_zone" directive is duplicate');
zone("server { govsvc_revocation_zone zone=r:1m $state; }",
    '"govsvc_revocation_zone" directive is not allowed here');


$t->done();
