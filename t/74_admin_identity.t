#!/usr/bin/perl

# Copyright (C) govsvc authors

# Who is calling, by certificate and by signature; servers that wait for a
# confirmation; leases.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc::Admin;


my $t = Test::GovSvc::Admin->new(log => 'notice')->has(qw/mint openssl cli/);

my $port = $t->backend('a');
my $other = $t->backend('b', sub {
    my $proof = $t->read_file('proof') // 'none';

    return $_[0]{uri} eq "/.well-known/govsvc/$proof" ? (200, [], $proof)
        : (404, [], 'no proof');
});
my $dead = $t->take_port();

# the gateway's authority, one of nobody, and certificates of callers

$t->ca($_) for qw/ca other/;
$t->certificate('server', 'ca', 'gw.example');
$t->certificate('gd', 'ca', 'gd.example');
$t->certificate('pinned', 'other', 'pinned.example');
$t->certificate('forged', 'other', 'gd.example');

sub spki {
    my ($name) = @_;

    my $dir = $t->dir();
    my $hash = `openssl x509 -in $dir/$name.crt -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -r`;
    return substr $hash, 0, 64;
}

my %more = (quota => { rate => '5000r/s' }, scope => {
    networks => ['127.0.0.1'], ports => ['1-65535'] });

# Nginx itself is the client with a certificate: a port for each

my $clients = join '', map { my ($name, $n) = @$_; <<"EOF" }
    server {
        listen  127.0.0.1:%%PORT_$n%%;

        location / {
            proxy_pass                 https://127.0.0.1:%%PORT_1%%;
            proxy_ssl_certificate      %%DIR%%/$name.crt;
            proxy_ssl_certificate_key  %%DIR%%/$name.key;
            proxy_ssl_session_reuse    off;
            proxy_pass_request_headers on;
        }
    }
EOF
    ['gd', 2], ['pinned', 3], ['forged', 4];

$t->write_file('hmac.secret', 'c2VjcmV0IG9mIGF0IGxlYXN0IDMyIGJ5dGVzLi4uLi4u');
chmod 0600, $t->dir() . '/hmac.secret';
$t->write_file('apps.json', '{"apps": [{"id": "gd-app",
    "scheme": "govhmac", "secrets": ["file:hmac.secret"]},
    {"id": "gd-key", "scheme": "apikey", "secrets": ["file:hmac.secret"]}]}');

$t->gateway(
    credentials => $t->credentials(
        { id => 'by-name', role => 'tenant', platform => 'gd',
            sans => ['DNS:gd.example'], %more },
        { id => 'by-key', role => 'tenant', platform => 'gd',
            spki => [spki('pinned')], %more },
        { id => 'by-app', role => 'tenant', platform => 'gd',
            apps => ['gd-app', 'gd-key'], %more }),
    admin => 'loopback=on',
    location => 'govsvc_app optional;',
    http => 'govsvc_apps apps.json; govsvc_nonce_zone zone=nonces:1m;' . $clients,
    server => <<'EOF',
        listen                  127.0.0.1:%%PORT_1%% ssl;
        ssl_certificate         %%DIR%%/server.crt;
        ssl_certificate_key     %%DIR%%/server.key;
        ssl_client_certificate  %%DIR%%/ca.crt;
        ssl_verify_client       optional_no_ca;

        location /govsvc/v1/nodes {
            govsvc_admin;
            govsvc_admin_auth  jwt;
        }
EOF
)->run();

sub by {
    my ($n, $method, $path, %more) = @_;

    return $t->http_request($method, "/govsvc/v1/$path",
        port => $t->port($n), %more);
}

my $r = by(2, GET => 'pools');
is($r->status, 200, 'a certificate with a known name') or diag($r->raw);
is_deeply([map { $_->{id} } @{$r->json->{items}}], ['gd-web'], 'sees its own');

is(by(3, GET => 'pools')->status, 200, 'a key that is known');
is(by(4, GET => 'pools')->json->{code}, 'CREDENTIAL_UNKNOWN',
    'a known name of an unknown authority');
is(by(2, GET => 'nodes')->json->{code}, 'AUTH_REQUIRED',
    'where certificates do not count');

# a signature over method, path, arguments, body and a nonce

sub signed {
    my ($app, $scheme, $method, $path, $body) = @_;
    my @body;

    if (defined $body) {
        $t->write_file('body.json', $body);
        @body = ('--body-file', $t->dir() . '/body.json');
    }

    my ($code, $out, $err) = $t->govsvc('apps', 'sign', '--scheme', $scheme,
        '--app', $app, '--secret-file', $t->dir() . '/hmac.secret',
        '--method', $method, '--url',
        "http://gw.example/govsvc/v1/$path", @body);
    die $err if $code;

    return { ($out =~ /^([^:\n]+): (.*)$/mg), 'Content-Type' =>
        'application/json', 'If-None-Match' => '*',
        Accept => 'application/json' };
}

my $body = '{"platform": "gd"}';
my $headers = signed('gd-app', 'govhmac', 'PUT', 'pools/signed', $body);

is($t->http_request('PUT', '/govsvc/v1/pools/signed', host => 'gw.example',
    headers => $headers,
    body => '{"platform": "bj"}')->status, 401, 'another body');

$headers = signed('gd-app', 'govhmac', 'PUT', 'pools/signed', $body);
is($t->http_request('PUT', '/govsvc/v1/pools/other', host => 'gw.example',
    headers => $headers,
    body => $body)->status, 401, 'another path');

$headers = signed('gd-app', 'govhmac', 'PUT', 'pools/signed', $body);
$r = $t->http_request('PUT', '/govsvc/v1/pools/signed', host => 'gw.example',
    headers => $headers,
    body => $body);
is($r->status, 201, 'signed') or diag($r->raw);

$r = $t->http_request('PUT', '/govsvc/v1/pools/signed', host => 'gw.example',
    headers => $headers,
    body => $body);
is($r->status, 401, 'replayed') or diag($r->raw);

$headers = signed('gd-key', 'apikey', 'GET', 'pools');
$r = $t->http_request('GET', '/govsvc/v1/pools', host => 'gw.example',
    headers => $headers);
is($r->status, 401, 'a key that signs nothing is no proof')
    or diag($r->raw);

# servers wait for a confirmation

$r = $t->create('gd-ops', 'instances/a', { pool => 'gd-web',
    address => '127.0.0.1', port => $port, lease => { ttl => '1s' } });
is($r->json->{meta}{status}, 'pending', 'it waits') or diag($r->raw);
is($t->http_get('/44/x')->status, 503, 'and serves nothing');
is($t->api('gd-ops', POST => 'instances/a/confirm', undef,
    'If-Match' => $t->etag('instances/a'))->status, 403,
    'nobody confirms himself');

$r = $t->api('system', POST => 'instances/a/confirm', undef,
    'If-Match' => $t->etag('instances/a'));
is($r->json->{meta}{status}, 'active', 'confirmed') or diag($r->raw);
is($t->http_get('/44/x')->status, 200, 'serves');

$r = $t->change('gd-ops', PATCH => 'instances/a', { weight => 2 });
is($r->json->{meta}{status}, 'active', 'a weight needs no confirmation');
$r = $t->change('gd-ops', PATCH => 'instances/a', { port => $dead });
is($r->json->{meta}{status}, 'pending', 'another port does');
$t->change('gd-ops', PATCH => 'instances/a', { port => $port });
$t->api('system', POST => 'instances/a/confirm', undef,
    'If-Match' => $t->etag('instances/a'));

# or the server says itself whose it is

$r = $t->create('gd-ops', 'instances/proved', { pool => 'gd-web',
    address => '127.0.0.1', port => $other, state => 'down' });
my $nonce = $r->json->{meta}{proof};
like($nonce, qr/^[0-9a-f]{32}$/, 'what it has to say');
is($r->json->{meta}{status}, 'pending', 'it waits');

$t->write_file('proof', $nonce);
ok($t->wait_for(sub {
    $t->api('gd-ops', GET => 'instances/proved')->json->{meta}{status}
        eq 'active' }, 20), 'proved') or diag($t->error_log());
is($t->api('system', GET => 'instances/proved')->json->{meta}{by}, 'proof',
    'by the proof');
is($t->change('gd-ops', DELETE => 'instances/proved')->status, 204,
    'removed');

# leases: silence alone takes nothing away

$r = $t->api('gd-ops', PUT => 'leases/a');
is($r->status, 200, 'a beat');
cmp_ok($r->json->{deadline}, '>', 0, 'until when');
ok(!$r->json->{expired}, 'alive');

ok($t->wait_for(sub {
    $t->api('gd-ops', GET => 'leases/a')->json->{expired} }, 30),
    'silent for longer');
select undef, undef, undef, 2.2;
is($t->http_get('/44/x')->status, 200, 'it serves all the same');

# of four others one is silent and does not answer: that one is drained

for my $n (1 .. 4) {
    $t->create('system', "instances/n$n", { pool => 'gd-web',
        address => '127.0.0.1', port => $n == 1 ? $dead : $t->backend("n$n"),
        $n == 1 ? (lease => { ttl => '1s' }) : () });
}

$t->api('gd-ops', PUT => 'leases/a');

ok($t->wait_for(sub {
    for (1 .. 8) {
        $t->http_get('/44/x');
        $t->api('gd-ops', PUT => 'leases/a');
    }
    $t->api('system', GET => 'instances/n1')->json->{meta}{status}
        eq 'expired' }, 120), 'silent and dead: drained');

is($t->api('system', GET => 'instances/a')->json->{meta}{status}, 'active',
    'who beats stays');

$t->api('system', PUT => 'leases/n1');
ok($t->wait_for(sub {
    $t->api('system', GET => 'instances/n1')->json->{meta}{status}
        eq 'active' }, 30), 'the next beat brings it back');

is($t->api('gd-ops', PUT => 'leases/n2')->json->{code}, 'NO_LEASE',
    'who has no lease cannot beat');

$t->done();
