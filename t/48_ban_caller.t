#!/usr/bin/perl

# Copyright (C) govsvc authors

# Bans of callers over HTTP: an application that signs its requests, by hand
# and by a rule; the key that signs tokens; and that lifting a ban forgets how
# often there was one.

use strict;
use warnings;

use Digest::SHA qw/sha256_hex/;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new(workers => 2)->has('mint');
my $n = 0;

$t->mint_keys('keys');
$t->write_file('app.secret', "gov-demo-token\n");
chmod 0600, $t->dir() . '/app.secret';
$t->write_file('apps.json', '{"apps": [' . join(', ', map {
    "{\"id\": \"$_\", \"scheme\": \"x-tif\", \"secrets\": [\"file:app.secret\"]}"
} qw/yss other/) . ']}');
$t->write_file('a.rules', <<'EOF2');
rule 100001 app    { match arg:a eq app; ban app 10m; }
rule 100002 tier   { match arg:a eq tier; ban ip 1s escalate=100; }
EOF2

$t->http_conf(<<"EOF2")->run();
    govsvc_issuer national {
        iss        https://sso.gov.example;
        audience   off;
        jwks_file  keys/jwks.json;
    }

    govsvc_issuer province {
        iss        https://sso.gd.example;
        audience   off;
        jwks_file  keys/jwks.json;
    }

    govsvc_apps      apps.json;
    govsvc_rules     a.rules;
    govsvc_ban_zone  zone=bans:1m tiers=1s,30m memory=1h;

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_guard  on;
        govsvc_ban    zone=bans;
        add_header    X-Reason \$govsvc_reason always;
        add_header    X-Ban \$govsvc_ban_status always;

        location / {
            govsvc_token  optional;
            empty_gif;
        }

        location /some {
            govsvc_token  optional;
            govsvc_ban    zone=bans by=net,subject;
            empty_gif;
        }

        location = /bans {
            govsvc_ban          off;
            govsvc_guard        off;
            govsvc_app          off;
            govsvc_ban_control  zone=bans;
        }
    }
EOF2

sub tif {
    my ($app) = @_;

    my $ts = time();
    my $nonce = sprintf 'n%d-%d', $$, $n++;

    return { 'x-tif-paasid' => $app, 'x-tif-timestamp' => $ts,
        'x-tif-nonce' => $nonce, 'x-tif-signature' =>
        uc sha256_hex("${ts}gov-demo-token$nonce$ts") };
}

sub bearer {
    my ($alg, $sub, $iss) = @_;

    return { Authorization => 'Bearer ' . $t->token($alg,
        { iss => $iss // 'https://sso.gov.example', sub => $sub }) };
}

sub status {
    my ($headers, $uri, %more) = @_;

    my $r = $t->http_get($uri // '/', headers => $headers // {}, %more);

    return $r->status . ' ' . ($r->header('x-ban') // '-');
}

sub control {
    my ($method, $args) = @_;

    return $t->http_request($method, "/bans?$args")->status;
}

sub listed {
    my ($key) = @_;

    return grep { $_->{key} eq $key } @{$t->http_get('/bans')->json->{bans}};
}

my $banned = '403 BANNED';


# an application

is(status(tif('yss')), '200 -', 'an application');
is(control('POST', 'app=yss&time=1h&label=yss&reason=leak'), 204, 'banned');

my $r = $t->http_get('/', headers => tif('yss'));
is($r->status . ' ' . $r->header('x-reason'), '403 BANNED', 'refused');
cmp_ok($r->header('retry-after'), '>', 3500, 'for its time');
is($r->json->{code}, 'BANNED', 'as this caller reads it');
is(join(' ', map { status(tif('yss')) } 1 .. 10), join(' ', ($banned) x 10),
    'on every worker');
is(status(tif('yss'), '/some'), '200 -', 'not where only others count');
is(status(tif('other')), '200 -', 'not another application');
is(status(), '200 -', 'nor who signs nothing');
like((listed('yss'))[0]{id}, qr/^app:[0-9a-f]{32}$/, 'listed');

my $h = tif('yss');
$h->{'x-tif-signature'} = 'F' x 64;
$r = $t->http_get('/', headers => $h);
is($r->header('x-reason'), 'APP_INVALID', 'a false name is no ban');

is(control('DELETE', 'app=yss'), 204, 'lifted');
is(status(tif('yss')), '200 -', 'free');

is(status(tif('other'), '/?a=app'), '200 -', 'a rule bans one');
is(status(tif('other')), $banned, 'the next is refused');
is(status(tif('yss')), '200 -', 'not the first');
is((listed('other'))[0]{rule}, 100001, 'with the rule');
is(control('DELETE', 'app=other'), 204, 'lifted by hand');
is(status(tif('other')), '200 -', 'free');

# the key of tokens

is(status(bearer('ES256', 'a')), '200 -', 'a token');
is(control('POST', 'issuer=national&kid=es256&time=1h&label=es256'), 204,
    'its key is banned');
is(status(bearer('ES256', $_)), $banned, "the token of $_") for 'a', 'b';
is(status(bearer('EdDSA', 'a')), '200 -', 'not one of another key');
is(status(bearer('ES256', 'a', 'https://sso.gd.example')), '200 -',
    'nor of another issuer');
is(status(bearer('ES256', 'a'), '/some'), '200 -', 'nor elsewhere');
my ($e) = listed('es256');
like($e->{id}, qr/^kid:[0-9a-f]{32}$/, 'listed');
ok($t->reload(), 'reload');
is(status(bearer('ES256', 'a')), $banned, 'still');
is(control('POST', "kid=es256"), 400, 'a key has an issuer');
is(control('DELETE', "id=$e->{id}"), 204, 'lifted');
is(status(bearer('ES256', 'a')), '200 -', 'free');

# what is lifted was never there

my $from = '127.0.2.1';

# a ban of the first tier may have ended when it is looked for

sub tier { return ((listed($_[0]))[0] // {tier => 0})->{tier} }

sub ended {
    ok($t->wait_for(sub { status({}, '/', from => $from) eq '200 -' }, 20),
        'it ends');
}

is(control('POST', "net=$from"), 204, 'the first ban');
is(tier($from), 0, 'of the first tier');
ended();
is(control('POST', "net=$from"), 204, 'the second');
is(tier($from), 1, 'of the second tier');
is(control('DELETE', "net=$from"), 204, 'lifted');
is(control('POST', "net=$from"), 204, 'and again');
is(tier($from), 0, 'of the first');
ended();
is(control('DELETE', "net=$from"), 404, 'one that has ended by itself');
is(control('POST', "net=$from"), 204, 'the next');
is(tier($from), 0, 'is the first as well');
ended();

$from = '127.0.2.2';
is(status({}, '/?a=tier', from => $from), '200 -', 'a rule');
ended();
is(status({}, '/?a=tier', from => $from), '200 -', 'again');
is(tier($from), 1, 'bans for longer');
is(control('DELETE', "net=$from"), 204, 'lifted');
is(status({}, '/?a=tier', from => $from), '200 -', 'and again');
is(tier($from), 0, 'from the beginning');

$t->done();
