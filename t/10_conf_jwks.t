#!/usr/bin/perl

# Copyright (C) govsvc authors

# jwks_uri in the configuration: what is accepted, and the exact message of
# everything else.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new()->has('mint');

$t->ca('ca');
$t->mint_keys('keys');

sub error {
    my ($words, $http) = @_;

    return $t->conf_error(($http // '') . "govsvc_issuer a { iss https://a; "
        . "audience off; $words }");
}

my $names = 'allowed: interval=TIME, grace=TIME, min_refetch=TIME, wait=TIME, '
    . 'timeout=TIME, max_size=SIZE, state=FILE, ca=FILE, name=NAME';

for my $good (
    'jwks_uri https://127.0.0.1/jwks;',
    'jwks_uri https://127.0.0.1/jwks ca=ca.crt name=sso.example;',
    'jwks_uri https://[::1]:8443/jwks interval=1s grace=30d wait=0;',
    'jwks_uri https://10.1.2.3/ min_refetch=100ms timeout=1m max_size=1k;',
    'jwks_uri http://127.0.0.1:8080/jwks;',
    'jwks_uri http://[::1]/jwks state=state/a.json;',
) {
    is(error($good), '', $good);
}

is(error('jwks_uri https://sso.example/jwks;', 'resolver 127.0.0.1; '), '',
    'a name with a resolver');

like(error('jwks_uri https://sso.example/jwks;'),
    qr/^"jwks_uri" needs a resolver for the name "sso.example", write "resolver ADDRESS;" in the http block/,
    'a name without one');

my @bad = (
    [ 'jwks_uri ftp://a/;',
        'URL "ftp://a/" is not of http:// or https:// in "jwks_uri" '
        . 'directive in bad.conf:1' ],
    [ 'jwks_uri https://u:p@127.0.0.1/;',
        'a URL with a user, allowed: https://HOST/PATH in "jwks_uri" '
        . 'directive in bad.conf:1' ],
    [ 'jwks_uri https://127.1/;',
        'invalid host "127.1" in a URL in "jwks_uri" directive in bad.conf:1' ],
    [ 'jwks_uri https://127.0.0.1:0/;',
        'invalid port "0" in a URL, allowed: 1 to 65535 in "jwks_uri" '
        . 'directive in bad.conf:1' ],
    [ 'jwks_uri http://10.1.2.3/jwks;',
        'invalid URL "http://10.1.2.3/jwks"; allowed: https://HOST/PATH, '
        . 'http:// to a loopback address in "jwks_uri" directive in '
        . 'bad.conf:1' ],
    [ 'jwks_uri https://127.0.0.1/ grase=1h;', 'invalid parameter "grase=1h"; '
        . "$names in \"jwks_uri\" directive in bad.conf:1" ],
    [ 'jwks_uri https://127.0.0.1/ on;', 'invalid parameter "on"; '
        . "$names in \"jwks_uri\" directive in bad.conf:1" ],
    [ 'jwks_uri https://127.0.0.1/ ca=;', 'invalid parameter "ca="; '
        . "$names in \"jwks_uri\" directive in bad.conf:1" ],
    [ 'jwks_uri https://127.0.0.1/ grace=1h grace=2h;',
        'duplicate parameter "grace=2h" in "jwks_uri" directive in '
        . 'bad.conf:1' ],
    [ 'jwks_uri https://127.0.0.1/ name=a name=b;',
        'duplicate parameter "name=b" in "jwks_uri" directive in '
        . 'bad.conf:1' ],
    [ 'jwks_uri https://127.0.0.1/ interval=500ms;', 'invalid time '
        . '"interval=500ms"; allowed: 1s to 1d in "jwks_uri" directive in '
        . 'bad.conf:1' ],
    [ 'jwks_uri https://127.0.0.1/ grace=31d;', 'invalid time "grace=31d"; '
        . 'allowed: 1s to 30d in "jwks_uri" directive in bad.conf:1' ],
    [ 'jwks_uri https://127.0.0.1/ min_refetch=1ms;', 'invalid time '
        . '"min_refetch=1ms"; allowed: 100ms to 1h in "jwks_uri" directive in '
        . 'bad.conf:1' ],
    [ 'jwks_uri https://127.0.0.1/ wait=6s;', 'invalid time "wait=6s"; '
        . 'allowed: 0 to 5s in "jwks_uri" directive in bad.conf:1' ],
    [ 'jwks_uri https://127.0.0.1/ timeout=0;', 'invalid time "timeout=0"; '
        . 'allowed: 100ms to 1m in "jwks_uri" directive in bad.conf:1' ],
    [ 'jwks_uri https://127.0.0.1/ max_size=1m;', 'invalid size '
        . '"max_size=1m"; allowed: 1k to 256k in "jwks_uri" directive in '
        . 'bad.conf:1' ],
    [ 'jwks_uri https://127.0.0.1/ state=folder/;',
        '"folder/" is no name of a file in bad.conf:1' ],
    [ 'jwks_uri https://127.0.0.1/; jwks_file keys/jwks.json;',
        '"jwks_uri" and "jwks_file" exclude each other in bad.conf:1' ],
    [ 'jwks_file keys/jwks.json; jwks_uri https://127.0.0.1/;',
        '"jwks_uri" and "jwks_file" exclude each other in bad.conf:1' ],
    [ 'jwks_uri https://127.0.0.1/; jwks_uri https://127.0.0.1/;',
        '"jwks_uri" directive is duplicate in bad.conf:1' ],
    [ 'jwks_uri;',
        'invalid number of arguments in "jwks_uri" directive in bad.conf:1' ],
);

for my $case (@bad) {
    is(error($case->[0]), $case->[1], $case->[0]);
}

like(error('jwks_uri https://127.0.0.1/ ca=none.crt;'),
    qr/none\.crt.*No such file/, 'authorities that are not there');
like(error('jwks_uri https://127.0.0.1/ state=a/b/c.json;'),
    qr{^cannot make the directory "a/b", its parent has to exist},
    'a folder that cannot be made');

$t->done();
