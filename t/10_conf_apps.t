#!/usr/bin/perl

# Copyright (C) govsvc authors

# The directives of applications and apps.json: what is refused, and in which
# words.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new()->has('mint');

$t->mint_keys('keys');

my %secrets = (
    good => "gov-demo-secret\n",
    empty => '',
    line => "\n",
    short => 'abc',
    open => 'gov-demo-secret',
    b64 => 'base64:Z292LWRlbW8tc2VjcmV0',
    badb64 => 'base64:Z29!',
    hash => 'sha256:' . '0' x 64,
    badhash => 'sha256:12',
);

for my $name (keys %secrets) {
    $t->write_file("$name.secret", $secrets{$name});
    chmod $name eq 'open' ? 0644 : 0600, $t->dir() . "/$name.secret" or die;
}

sub refused {
    my ($conf, $expected, $name) = @_;

    $expected .= ' in bad.conf:1' if $expected ne '' && $expected !~ / in \w+\./;

    is($t->conf_error($conf), $expected, $name // $conf);
}

sub apps {
    my ($json, $expected) = @_;

    $t->write_file('apps.json', $json);
    refused('govsvc_apps apps.json;', $expected, $json);
}

sub app {
    my ($members, $expected, $at) = @_;

    $expected .= ' at /apps/0' . ($at ? "/$at" : '') . ' in apps.json:1'
        if $expected ne '' && $expected !~ / in \w+\./;

    apps("{\"apps\": [{$members}]}", $expected);
}

my $id = '"id": "a", "scheme": "govhmac"';
my $good = "$id, \"secrets\": [\"file:good.secret\"]";


# govsvc_apps

app($good, '');
app("$good, \"level\": 5, \"networks\": [\"10.0.0.0/8\", \"::1\"], "
    . '"routes": ["gd-*"], "window": "90s", "replay": "unsafe", '
    . '"body": "optional", "expires": "2027-01-01T00:00:00+08:00"', '');
app("$id, \"secrets\": [\"file:good.secret\", \"file:b64.secret\"]", '');
app('"id": "a", "scheme": "apikey", "secrets": ["file:hash.secret"]', '');
app('"id": "a", "scheme": "x-tif", "secrets": ["file:good.secret"], '
    . '"identity": true, "alg": "sm3"', '');
app('"id": "a", "scheme": "rfc9421", "alg": "ed25519", '
    . '"jwks": "file:keys/jwks.json"', '');

refused('govsvc_apps none.json;', 'open() "none.json" failed (2: No such file '
    . 'or directory)');
refused('govsvc_apps apps.json; govsvc_apps apps.json;',
    '"govsvc_apps" directive is duplicate');

apps('{"apps": [', 'invalid JSON: \']\' expected near end of file in '
    . 'apps.json:1');
apps('[]', 'apps.json must be an object with one member "apps", an array in '
    . 'apps.json:1');
apps('{"apps": [], "x": 1}', 'apps.json must be an object with one member '
    . '"apps", an array in apps.json:1');
apps('{"apps": []}', '"apps" has 0 applications, allowed: 1 to 20000 at '
    . '/apps/0 in apps.json:1');
apps("{\"apps\": [\n{$good},\n{$good}]}", 'two applications have the id "a" '
    . 'in apps.json:1');
apps("{\"apps\": [\n{$good},\n{\"id\": \"b\",\n\"schem\": 1}]}", 'unknown '
    . 'member "schem"; did you mean "scheme"? at /apps/1/schem in apps.json:4');

app('', '"id" must be a text of 1 to 64 characters', 'id');
app('"id": "' . 'a' x 65 . '"', '"id" must be a text of 1 to 64 characters',
    'id');
app('"id": "a:b"', '"id" may have letters, digits, "-", "_", ".", "@" and "/" '
    . 'only', 'id');
app("\"id\": \"$_\"", '"id" is what a caller without settings sends: choose '
    . 'another', 'id') for qw/undefined Undefined null/;
app('"id": "a"', '"scheme" is missing');
app('"id": "a", "scheme": "x-tiff"', 'invalid "scheme" "x-tiff"; did you mean '
    . '"x-tif"?', 'scheme');
app("$good, \"alg\": \"ed25519\"", 'invalid "alg" "ed25519"; allowed: '
    . 'hmac-sha256, hmac-sm3', 'alg');
app($id, '"secrets" is missing');
app("$id, \"secrets\": []", '"secrets" must be an array of 1 to 2 texts',
    'secrets');
app("$id, \"secrets\": [\"file:a\", \"file:b\", \"file:c\"]",
    '"secrets" must be an array of 1 to 2 texts', 'secrets');
app("$id, \"secrets\": [\"plain\"]", 'a secret must be "file:NAME": it stands '
    . 'in a file of its own', 'secrets/0');
app("$id, \"secrets\": [\"file:good.secret\", \"file:$_->[0].secret\"]", $_->[1],
    'secrets/1')
    for [ 'empty', 'the secret is empty' ], [ 'line', 'the secret is empty' ],
        [ 'short', 'the secret is shorter than 8 bytes' ],
        [ 'badb64', 'the secret behind "base64:" is no base64' ];
app("$id, \"secrets\": [\"file:open.secret\"]", 'secret file "open.secret" is '
    . 'open to other users, allowed: owner and group, use chmod o-rwx in '
    . 'bad.conf:1');
app("$id, \"secrets\": [\"file:none.secret\"]", 'open() "none.secret" failed '
    . '(2: No such file or directory) in bad.conf:1');
app('"id": "a", "scheme": "apikey", "secrets": ["file:badhash.secret"]',
    '"sha256:" needs 64 hexadecimal digits', 'secrets/0');
app("$good, \"jwks\": \"file:keys/jwks.json\"", '"jwks" is for algorithms with '
    . 'public keys, use "secrets"', 'jwks');
app('"id": "a", "scheme": "rfc9421", "alg": "ed25519"', '"jwks" must be '
    . '"file:NAME", a JWK set with the public keys');
app('"id": "a", "scheme": "rfc9421", "alg": "ed25519", "secrets": []',
    '"secrets" is for algorithms with a shared secret, use "jwks"', 'secrets');
app('"id": "a", "scheme": "rfc9421", "alg": "ed25519", '
    . '"jwks": "file:good.secret"', 'key set "good.secret", line 1: the '
    . 'JWK set is no JSON: \'[\' or \'{\' expected near \'gov\'', 'jwks');

app("$good, \"level\": $_", '"level" must be a number from 0 to 5', 'level')
    for 6, -1, '"3"';
app("$good, \"networks\": [\"10.0.0.1/8\"]", 'invalid network "10.0.0.1/8", '
    . 'allowed: an address or a prefix such as 10.0.0.0/8', 'networks');
app("$good, \"networks\": []", '"networks" must be an array of 1 to 64 texts',
    'networks');
app("$good, \"routes\": [\"\"]", 'a route must be a text of 1 to 64 '
    . 'characters, "*" stands for any', 'routes');
app("$good, \"window\": $_", '"window" must be a text such as "180s", from 1s '
    . 'to 1h', 'window') for '"2h"', '"0s"', '90', '"1500ms"';
app('"id": "a", "scheme": "apikey", "secrets": ["file:hash.secret"], '
    . '"window": "90s"', '"window" has no meaning for this scheme, which has '
    . 'no time', 'window');
app("$good, \"expires\": \"2027\"", '"expires" must be a time such as '
    . '"2027-01-01T00:00:00+08:00"', 'expires');
app("$good, \"replay\": \"on\"", 'invalid "replay" "on"; allowed: all, unsafe, '
    . 'off', 'replay');
app("$good, \"body\": \"off\"", 'invalid "body" "off"; allowed: required, '
    . 'optional', 'body');
app("$good, \"identity\": 1", '"identity" must be true or false', 'identity');
app("$good, \"identity\": true", 'only x-tif carries an identity', 'identity');

# govsvc_app

app($good, '');

sub directive {
    my ($conf, $expected) = @_;

    refused("govsvc_apps apps.json; $conf", $expected, $conf);
}

directive('govsvc_app required;', '');
directive('govsvc_app optional scheme=govhmac,x-tif with=token body=8m;', '');
directive('govsvc_app off;', '');
directive('govsvc_app on;', 'invalid mode "on"; allowed: required, '
    . 'optional, off in "govsvc_app" directive');
directive('govsvc_app required scheme=govhmca;', 'invalid scheme "govhmca"; '
    . 'did you mean "govhmac"? in "govsvc_app" directive');
directive('govsvc_app required scheme=;', 'invalid scheme ""; allowed: x-tif, '
    . 'gjzwfwpt, x-bg-hmac, sigv4, rfc9421, govhmac, apikey in "govsvc_app" '
    . 'directive');
directive("govsvc_app required $_;", "invalid parameter \"$_\"; allowed: "
    . 'scheme=NAME,NAME, with=token, body=SIZE in "govsvc_app" directive')
    for 'body=0', 'body=x', 'with=x';
directive('govsvc_app off; govsvc_app off;', '"govsvc_app" directive is '
    . 'duplicate');
refused('server { govsvc_app required; }', '"govsvc_app" needs "govsvc_apps"');
refused('server { govsvc_app optional; }', '');

# govsvc_nonce_zone

directive('govsvc_nonce_zone zone=n:1m;', '');
directive('govsvc_nonce_zone zone=n:16k;', 'invalid zone size "16k" in '
    . '"govsvc_nonce_zone" directive, allowed: 32k or more, with k, m or g');
directive('govsvc_nonce_zone n:1m;', 'invalid parameter "n:1m"; allowed: '
    . 'zone=, redis=, on_error=, skew= in "govsvc_nonce_zone" directive');
directive('govsvc_nonce_zone zone=n:1m zone=m:1m;', 'duplicate parameter '
    . '"zone=m:1m" in "govsvc_nonce_zone" directive');
directive('govsvc_nonce_zone redis=main;', '"govsvc_nonce_zone" must have '
    . '"zone=NAME:SIZE" parameter');
directive('govsvc_nonce_zone zone=n:1m rediss=main;', 'invalid parameter '
    . '"rediss="; did you mean "redis="? in "govsvc_nonce_zone" directive');
directive('govsvc_nonce_zone zone=n:1m on_error=local;', '"on_error" of nonce '
    . 'zone "n" needs "redis=NAME"');
directive('govsvc_nonce_zone zone=n:1m skew=5s;', '"skew" of nonce zone "n" '
    . 'needs "redis=NAME"');
directive('govsvc_nonce_zone zone=n:1m redis=main;', 'unknown redis "main", '
    . 'there is no block "govsvc_redis main"');

my $main = 'govsvc_redis main { server 127.0.0.1:1; }';

directive("govsvc_nonce_zone zone=n:1m redis=main; $main", '');
directive("$main govsvc_nonce_zone zone=n:1m redis=main on_error=closed "
    . 'skew=0s;', '');
directive("$main govsvc_nonce_zone zone=n:1m redis=main on_error=local "
    . 'skew=10m;', '');
directive("$main govsvc_nonce_zone zone=n:1m redis=main on_error=open;",
    'invalid on_error "open"; allowed: closed, local in '
    . '"govsvc_nonce_zone" directive');
directive("$main govsvc_nonce_zone zone=n:1m redis=main on_error=;",
    'invalid on_error ""; allowed: closed, local in '
    . '"govsvc_nonce_zone" directive');

for my $skew ('', 'x', '-1s', '500ms', '601s', '1h') {
    directive("$main govsvc_nonce_zone zone=n:1m redis=main skew=$skew;",
        "invalid skew \"$skew\", allowed: 0s to 10m, whole seconds, as in "
        . '"5s"');
}

directive('govsvc_nonce_zone zone=n:1m; govsvc_nonce_zone zone=m:1m;',
    '"govsvc_nonce_zone" directive is duplicate');

# gjzwfwpt needs headers that Nginx drops

$t->write_file('apps.json', '{"apps": [{"id": "r", "scheme": "gjzwfwpt", '
    . '"secrets": ["file:good.secret"]}]}');

for my $on (0, 1) {
    my $port = $t->take_port();

    $t->write_file('bad.conf', 'govsvc_apps apps.json; server { listen '
        . "127.0.0.1:$port; " . ($on ? 'underscores_in_headers on; ' : '')
        . '}');

    my ($code, $err) = $t->test_config($t->frame('bad.conf'));

    is($code, 0, 'gjzwfwpt: the configuration is good');

    if ($on) {
        unlike($err, qr/underscores_in_headers/, 'no warning');

    } else {
        like($err, qr/\[warn\] gjzwfwpt .* "underscores_in_headers on" .*:1$/m,
            'a warning');
    }
}

$t->done();
