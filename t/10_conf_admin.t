#!/usr/bin/perl

# Copyright (C) govsvc authors

# Directives of the registry API: what is refused, and with which words.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new();

$t->write_file('platforms.json', '{}');
$t->write_file('ok.json', '{"credentials": [{"id": "a", "role": "system",
    "apps": ["a"]}]}');

my %file = (
    broken => '{"credentials": ',
    list => '[]',
    other => '{"platform": []}',
    array => '{"credentials": {}}',
    twice => '{"credentials": [{"id": "a", "role": "audit", "apps": ["a"]},
        {"id": "a", "role": "audit", "apps": ["b"]}]}',
    noid => '{"credentials": [{"role": "audit", "apps": ["a"]}]}',
    norole => '{"credentials": [{"id": "a", "apps": ["a"]}]}',
    noproof => '{"credentials": [{"id": "a", "role": "audit"}]}',
    tenant => '{"credentials": [{"id": "a", "role": "tenant",
        "apps": ["a"]}]}',
    spki => '{"credentials": [{"id": "a", "role": "audit",
        "spki": ["ab"]}]}',
    net => '{"credentials": [{"id": "a", "role": "audit", "apps": ["a"],
        "scope": {"networks": ["10.0.0.0/33"]}}]}',
    member => '{"credentials": [{"id": "a", "role": "audit", "apps": ["a"],
        "secret": "x"}]}',
    expires => '{"credentials": [{"id": "a", "role": "audit", "apps": ["a"],
        "expires": "tomorrow"}]}',
    token => '{"credentials": [{"id": "a", "role": "audit",
        "tokens": [{"issuer": "x"}]}]}',
);

$t->write_file("$_.json", $file{$_}) for keys %file;

my $base = 'govsvc_platforms platforms.json; '
    . 'govsvc_audit_store dir=%%DIR%%/audit; ';
my $creds = 'govsvc_admin_credentials ok.json; ';

sub server {
    my ($admin, $audit) = @_;

    return 'server { listen 127.0.0.1:%%PORT_0%%; location /govsvc/ { '
        . ($audit // 'govsvc_audit meta;') . " $admin } }";
}

my @bad = (
    [$base . $creds . server('govsvc_admin bodi=1k;'),
        'invalid parameter "bodi=1k"; allowed: body=, proof=, loopback='
        . ' in "govsvc_admin" directive'],
    [$base . $creds . server('govsvc_admin body=1;'),
        'invalid body size "body=1", allowed: 1k to 64m'],
    [$base . $creds . server('govsvc_admin proof=yes;'),
        'invalid parameter "yes"; allowed: on, off'
        . ' in "govsvc_admin" directive'],
    [$base . $creds . server('govsvc_admin loopback=1;'),
        'invalid parameter "1"; allowed: on, off'
        . ' in "govsvc_admin" directive'],
    [$base . $creds . server('govsvc_admin; govsvc_admin;'),
        '"govsvc_admin" directive is duplicate'],
    [$base . server('govsvc_admin;'),
        '"govsvc_admin" needs "govsvc_admin_credentials"'],
    [$creds . server('govsvc_admin;', 'govsvc_audit off;'),
        '"govsvc_admin" needs "govsvc_platforms"'],
    [$base . $creds . server('govsvc_admin;', ''),
        '"govsvc_admin" needs "govsvc_audit meta" in its location: each '
        . 'attempt is recorded'],
    [$base . $creds . server('govsvc_admin; govsvc_admin_auth basic;'),
        'invalid method "basic"; allowed: mtls, jwt, govhmac'
        . ' in "govsvc_admin_auth" directive'],
    [$base . $creds . server('govsvc_admin; govsvc_admin_auth mtls;'
        . ' govsvc_admin_auth jwt;'),
        '"govsvc_admin_auth" directive is duplicate'],
    ['govsvc_admin_deny 10.0.0.0/33;',
        'invalid network "10.0.0.0/33" in "govsvc_admin_deny" directive, '
        . 'allowed: an address or a prefix such as "10.0.0.0/8"'],
    ['govsvc_admin_deny unix:;',
        'invalid network "unix:" in "govsvc_admin_deny" directive, '
        . 'allowed: an address or a prefix such as "10.0.0.0/8"'],
    [$creds . $creds, '"govsvc_admin_credentials" directive is duplicate'],
    ['govsvc_admin_credentials none.json;', 'open() "none.json" failed'],
    ['govsvc_admin_credentials broken.json;', 'bad JSON: '],
    ['govsvc_admin_credentials list.json;', 'an object is expected'],
    ['govsvc_admin_credentials other.json;', 'unknown member "platform"; '
        . 'did you mean "platforms"?'],
    ['govsvc_admin_credentials array.json;', '"credentials" is no array'],
    ['govsvc_admin_credentials twice.json;',
        '"credentials" has the id "a" twice'],
    ['govsvc_admin_credentials noid.json;',
        'an object of "credentials" has no "id"'],
    ['govsvc_admin_credentials norole.json;',
        'credential "a": a credential has one role'],
    ['govsvc_admin_credentials noproof.json;',
        'credential "a": a credential needs a proof'],
    ['govsvc_admin_credentials tenant.json;',
        'credential "a": a tenant, and nobody else, has a platform'],
    ['govsvc_admin_credentials spki.json;',
        'credential "a": the SHA-256 of a public key has 64 hexadecimal '
        . 'digits'],
    ['govsvc_admin_credentials net.json;',
        'credential "a": no network: "10.0.0.0/33"'],
    ['govsvc_admin_credentials member.json;',
        'credential "a": unknown member "secret"'],
    ['govsvc_admin_credentials expires.json;',
        'credential "a": no time of RFC 3339'],
    ['govsvc_admin_credentials token.json;',
        'credential "a": a token has an issuer and a subject'],
    [$base . 'govsvc_registry snapshot=%%DIR%%/s/r.json;',
        '"govsvc_registry" needs "zone=NAME:SIZE"'],
    [$base . 'govsvc_registry zone=r:2m snapshot=%%DIR%%/no/where/r.json;',
        'cannot make the directory "no/where", its parent has to exist'],
);

for my $case (@bad) {
    my ($conf, $want) = @$case;
    my $got = $t->conf_error($conf);

    is(substr($got, 0, length $want), $want, $want) or diag($got);
}

is($t->conf_error($base . $creds
    . 'govsvc_registry zone=r:2m snapshot=%%DIR%%/s/r.json; '
    . 'govsvc_admin_deny 10.0.0.0/8 2001:db8::1; '
    . server('govsvc_admin body=64k proof=on loopback=off; '
        . 'govsvc_admin_auth mtls jwt;')), '', 'all that is right');

$t->done();
