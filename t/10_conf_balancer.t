#!/usr/bin/perl

# Copyright (C) govsvc authors

# The directives of the balancer and the registry: what is refused, and in
# which words.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new();

my $pools = sub {
    my (%opt) = @_;

    my $tls = $opt{profile} ? qq("tls_profiles": [{"id": "p", $opt{profile}}],)
        : '';
    my $pool = $opt{pool} // '';
    my $more = join '', map {
        qq(, {"id": "p$_", "platform": "gd", "host": ")
            . ('x' x 60) . qq($_.example"})
    } 1 .. ($opt{pools} || 0);

    return <<"END";
{ $tls
  "pools": [{"id": "w", "platform": "gd" $pool} $more],
  "instances": [{"id": "i", "pool": "w", "address": "127.0.0.1", "port": 1}],
  "platforms": [{"id": "gd", "region": "440000",
                 "name": {"zh": "x", "en": "x"}}],
  "routes": [{"id": "r", "platform": "gd", "pool": "w",
              "match": {"paths": ["/44/"]}}]
}
END
};

$t->write_file('platforms.json', $pools->());


sub refused {
    my ($conf, $expected, $name) = @_;

    is($t->conf_error("govsvc_platforms platforms.json; $conf"), $expected,
        $name // $conf);
}


# govsvc_registry

refused('govsvc_registry zone=r:2m;', '', 'a zone');
refused('govsvc_registry zone=r:2m; govsvc_registry zone=q:2m;',
    '"govsvc_registry" directive is duplicate in bad.conf:1');
refused('govsvc_registry;',
    'invalid number of arguments in "govsvc_registry" directive in bad.conf:1');
refused('govsvc_registry zon=r:2m;',
    'invalid parameter "zon=r:2m"; allowed: zone=, snapshot=, redis= in "govsvc_registry" '
    . 'directive in bad.conf:1');
refused('govsvc_registry zone=r;',
    'invalid zone "r" in "govsvc_registry" directive, allowed: a name and a '
    . 'size, as in "zone=main:32m" in bad.conf:1');
refused('govsvc_registry zone=:2m;',
    'invalid zone ":2m" in "govsvc_registry" directive, allowed: a name and '
    . 'a size, as in "zone=main:32m" in bad.conf:1');
refused('govsvc_registry zone=r:abc;',
    'invalid zone size "abc" in "govsvc_registry" directive, allowed: 1024k '
    . 'or more, with k, m or g in bad.conf:1');
refused('govsvc_registry zone=r:64k;',
    'invalid zone size "64k" in "govsvc_registry" directive, allowed: 1024k '
    . 'or more, with k, m or g in bad.conf:1');
refused('govsvc_registry zone=r:1m; server { govsvc_registry zone=q:1m; }',
    '"govsvc_registry" directive is not allowed here in bad.conf:1');
is($t->conf_error('govsvc_registry zone=r:1m;'),
    '"govsvc_registry" needs "govsvc_platforms"', 'a zone without platforms');

$t->write_file('platforms.json', $pools->(pools => 3000));
like($t->conf_error('govsvc_platforms platforms.json; '
    . 'govsvc_registry zone=r:1m;'),
    qr/^registry zone "r\.1" of 1048576 bytes is too small for the platforms, allowed: at least \d+m$/,
    'a zone too small for the platforms names the size');
my ($least) = $t->conf_error('govsvc_platforms platforms.json; '
    . 'govsvc_registry zone=r:1m;') =~ /least (\d+m)$/;
refused("govsvc_registry zone=r:$least;", '', 'that size is enough');
refused('', '', 'the zone made without the directive is enough');
$t->write_file('platforms.json', $pools->());


# govsvc_balancer

refused('upstream u { govsvc_balancer; keepalive 8; }', '', 'an upstream');
refused('upstream u { govsvc_balancer; govsvc_balancer; }',
    '"govsvc_balancer" directive is duplicate in bad.conf:1');
refused('upstream u { govsvc_balancer on; }',
    'invalid number of arguments in "govsvc_balancer" directive in bad.conf:1');
refused('upstream u { keepalive 8; govsvc_balancer; }',
    '"govsvc_balancer" must stand before "keepalive" and is the only '
    . 'balancing method of its upstream in bad.conf:1');
refused('upstream u { least_conn; govsvc_balancer; }',
    '"govsvc_balancer" must stand before "keepalive" and is the only '
    . 'balancing method of its upstream in bad.conf:1');
refused('upstream u { govsvc_balancer; server 127.0.0.1:1; }',
    '"server" and "govsvc_balancer" exclude each other: servers come from '
    . '"govsvc_platforms", in upstream "u" in bad.conf:1');
refused('upstream u { server 127.0.0.1:1; govsvc_balancer; }',
    '"server" and "govsvc_balancer" exclude each other: servers come from '
    . '"govsvc_platforms", in upstream "u" in bad.conf:1');
refused('upstream u { zone z 1m; govsvc_balancer; }',
    '"zone" and "govsvc_balancer" exclude each other: use "govsvc_registry", '
    . 'in upstream "u" in bad.conf:1');
refused('govsvc_balancer;',
    '"govsvc_balancer" directive is not allowed here in bad.conf:1');
is($t->conf_error('upstream u { govsvc_balancer; }'),
    '"govsvc_balancer" needs "govsvc_platforms"',
    'a balancer without platforms');


# the variable of a hash

$t->write_file('platforms.json',
    $pools->(pool => ', "method": "hash:$cookie_a"'));
refused('', '', 'hash by a variable');
$t->write_file('platforms.json',
    $pools->(pool => ', "method": "hash:$nosuch"'));
refused('', 'unknown "nosuch" variable', 'hash by no variable');


# TLS profiles: the files are read when the configuration is

$t->ca('ca');
$t->certificate('gw', 'ca', 'gateway.example');
$t->write_file('http.conf', 'no certificate');
chmod 0600, map { $t->dir() . "/$_.key" } qw/ca gw/;

my $tls = sub {
    my ($profile, $pool, $expected, $name) = @_;

    $t->write_file('platforms.json', $pools->(profile => $profile,
        pool => ", \"tls\": \"p\"$pool", pools => 1));
    my $found = $t->conf_error('govsvc_platforms platforms.json;');

    ref $expected ? like($found, $expected, $name)
        : is($found, $expected, $name);
};

$tls->('"ca": "ca.crt", "name": "a.example"', '', '', 'a profile');
$tls->('"ca": "ca.crt", "name": "a.example", "cert": "gw.crt", '
    . '"key": "gw.key", "min": "1.3"', '', '', 'a whole profile');
$tls->('"ca": "ca.crt"', ', "host": "a.example"', '', 'the name of the host');
$tls->('"ca": "ca.crt", "name": "a.example"', ', "fallback": ["p1"]',
    'pool "w" speaks TLS and falls back to pool "p1" without, allowed: a '
    . 'fallback with TLS', 'a fallback without TLS');
$tls->('"ca": "none.crt", "name": "a.example"', '',
    qr/^open\(\) "none\.crt" failed \(2: No such file or directory\)/,
    'no such file');
$tls->('"ca": "http.conf", "name": "a.example"', '',
    qr/^SSL_CTX_load_verify_locations\("http\.conf"\) failed/,
    'no certificate in the file');
$tls->('"ca": "ca.crt", "name": "a.example", "cert": "gw.crt", '
    . '"key": "ca.key"', '',
    qr/key values mismatch/, 'the key of another certificate');

$t->done();
