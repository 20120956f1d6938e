#!/usr/bin/perl

# Copyright (C) govsvc authors

# Two gateways: the outer one takes tokens and signs who is calling in the form
# of x-tif, the inner one verifies that and knows the same person.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $inner = Test::GovSvc->new(workers => 2);
my $outer = Test::GovSvc->new()->has('mint');

for my $t ($inner, $outer) {
    $t->write_file('tif.secret', "gov-demo-token-0123\n");
    $t->write_file('other.secret', "another-token-012345\n");
    chmod 0600, $t->dir() . "/$_" for qw/tif.secret other.secret/;
}

$inner->backend('app');
$inner->write_file('apps.json', '{"apps": [{"id": "gw", "scheme": "x-tif",'
    . ' "secrets": ["file:tif.secret"], "level": 3, "identity": true},'
    . ' {"id": "plain", "scheme": "x-tif", "secrets": ["file:tif.secret"]}]}');

my $app = $inner->backend_port('app');

$inner->http_conf(<<"EOF2")->run();
    govsvc_apps        apps.json;
    govsvc_nonce_zone  zone=nonces:32k;

    server {
        listen      127.0.0.1:%%PORT_0%%;
        add_header  X-Sub \$govsvc_subject always;
        add_header  X-App \$govsvc_app always;
        add_header  X-Inner \$govsvc_reason always;

        location / {
            govsvc_app      required scheme=x-tif;
            govsvc_require  level>=3;
            proxy_pass      http://127.0.0.1:$app;
        }
    }
EOF2

my $to = $inner->port(0);

$outer->mint_keys('keys');
$outer->backend('wire');

my $wire = $outer->backend_port('wire');

$outer->http_conf(<<"EOF2")->run();
    govsvc_issuer national {
        iss        https://sso.gov.example;
        audience   off;
        jwks_file  keys/jwks.json;
    }

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_token  optional;

        location / {
            govsvc_identity_sign  x-tif app=gw secret=tif.secret
                                  uinfo=\$arg_info ext=lvl=\$govsvc_level;
            proxy_pass            http://127.0.0.1:$to;
        }

        location /other {
            govsvc_identity_sign  x-tif app=gw secret=other.secret;
            proxy_pass            http://127.0.0.1:$to;
        }

        location /plain {
            govsvc_identity_sign  x-tif app=plain secret=tif.secret;
            proxy_pass            http://127.0.0.1:$to;
        }

        location /wire {
            govsvc_identity_sign  x-tif app=gw secret=tif.secret
                                  ext=lvl=\$govsvc_level;
            proxy_pass            http://127.0.0.1:$wire;
        }
    }
EOF2

sub get {
    my ($uri, $sub, @headers) = @_;

    push @headers, Authorization => 'Bearer ' . $outer->token('ES256',
        { iss => 'https://sso.gov.example', sub => $sub }) if defined $sub;

    return $outer->http_get($uri, headers => \@headers);
}

for my $sub ('u1001', "\x{5f20}\x{4e09}", '440100199001011234') {
    my $r = get('/a?info=zhang', $sub);
    my $want = $sub;
    utf8::encode($want);

    is($r->status(), 200, 'the inner gateway takes it');
    is($r->header('X-Sub'), $want, 'the same person');
    is($r->header('X-App'), 'gw', 'from this gateway');
}

my $r = get('/a', undef);
is($r->status(), 200, 'nobody in particular: the call form');
is($r->header('X-Sub'), undef, 'nobody');

$r = get('/a', 'u1001', 'x-tif-uid' => 'admin', 'X_Tif_Uid' => 'admin',
    'x-tif-signature' => 'x', 'x-rio-uid' => 'admin', 'x-tif-ext' => 'lvl=5');
is($r->status(), 200, 'what a client pretends is stripped');
is($r->header('X-Sub'), 'u1001', 'and not believed');
is(get('/a', undef, 'x-tif-uid' => 'admin')->header('X-Sub'), undef,
    'also without a token');

$r = get('/other', 'u1001');
is($r->status(), 401, 'signed by another secret');
is($r->header('X-Inner'), 'APP_INVALID', 'is refused inside');

$r = get('/plain', 'u1001');
isnt($r->status(), 200, 'an application that may not name users');
is($r->header('X-Sub'), undef, 'names none');


# what is on the wire, sent once more, and changed

sub wire {
    my $h = get('/wire', 'u1001')->json()->{headers};

    return { map { $_ => $h->{$_} } grep { /^x-tif-/ } keys %$h };
}

sub inner { return $inner->http_get('/a', headers => $_[0]) }

my $h = wire();
is(inner($h)->header('X-Sub'), 'u1001', 'off the wire');

my $again = inner($h);
is($again->status(), 401, 'a second time');
is($again->header('X-Inner'), 'REPLAY', 'is a replay');

for my $name ('uid', 'uinfo', 'ext', 'nonce', 'timestamp', 'paasid') {
    my %changed = %{ wire() };
    my $v = $changed{"x-tif-$name"} // '';

    $changed{"x-tif-$name"} = $name eq 'timestamp' ? $v + 1 : "${v}1";
    is(inner(\%changed)->header('X-Inner'), 'APP_INVALID', "$name changed");
}

for my $name ('uid', 'ext') {
    my %changed = %{ wire() };

    delete $changed{"x-tif-$name"};
    isnt(inner(\%changed)->status(), 200, "$name left out");
}

my %moved = %{ wire() };
@moved{'x-tif-uid', 'x-tif-uinfo'} = ('u1001,', '');
isnt(inner(\%moved)->status(), 200, 'a comma moved');

$inner->finish();
$outer->done();
