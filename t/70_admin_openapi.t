#!/usr/bin/perl

# Copyright (C) govsvc authors

# The OpenAPI document against the server: each path and method that it names
# is there, no other is, and what is answered has the shape it tells.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc::Admin;
use Test::GovSvc::OpenApi;


my $t = Test::GovSvc::Admin->new(log => 'notice')->has('mint');

my $port = $t->backend('a');

$t->gateway(http => <<'EOF')->run();
    govsvc_ban_zone         zone=bans:64k;
    govsvc_revocation_zone  zone=rev:128k state=%%DIR%%/state/revoked;
EOF

my $r = $t->api(undef, GET => 'openapi.json');
is($r->status, 200, 'served without a credential');

my $doc = $r->json;
my $api = Test::GovSvc::OpenApi->new($doc);
is($doc->{openapi}, '3.1.0', 'OpenAPI 3.1');

ok($api->misfit({ status => 'x' },
    { '$ref' => '#/components/schemas/Problem' }, ''),
    'the validator finds what is missing');
ok($api->misfit([1], { type => 'array', items => { type => 'string' } }, ''),
    'and wrong types');

# one object of each kind

my %object = (
    platforms => { region => '320000', name => { zh => 'x', en => 'y' } },
    pools => { platform => 'gd', method => 'p2c', panic => 10,
        timeouts => { connect => '1s' }, eject => { fails => 3 } },
    instances => { pool => 'gd-web', address => '127.0.0.1', port => $port,
        lease => { ttl => '30s', on_expire => 'warn' } },
    routes => { platform => 'gd', pool => 'gd-web', priority => -1,
        match => { paths => ['/44/x'], methods => ['GET'] } },
    'check-profiles' => { type => 'http', path => '/health', rise => 2 },
    maintenance => { platform => 'bj', state => 'closed', note => 'x' },
    credentials => { role => 'audit', apps => ['x'], scope => {
        verbs => ['GET'] }, quota => { rate => '5r/s' } },
);

for my $kind (sort keys %object) {
    my $who = $kind eq 'credentials' ? 'security' : 'system';
    my $one = "/$kind/{id}";

    $r = $t->create($who, "$kind/one", $object{$kind});
    is($r->status, 201, "made one of $kind") or diag($r->raw);
    $api->fits($r, $one, 'PUT');

    $r = $t->api($who, GET => "$kind/one");
    $api->fits($r, $one, 'GET');
    $api->fits($t->api($who, GET => $kind), "/$kind", 'GET');
    $api->fits($t->api($who, GET => "$kind/none"), $one, 'GET', 'a refusal fits');

    my $etag = $r->header('ETag');
    $api->fits($t->api($who, PATCH => "$kind/one", {}, 'If-Match' => $etag), $one,
        'PATCH');
    is($t->api($who, DELETE => "$kind/one", undef, 'If-Match' =>
        $t->api($who, GET => "$kind/one")->header('ETag'))->status, 204,
        "removed one of $kind");
}

$t->create('gd-ops', 'instances/leased', $object{instances});
$api->fits($t->api('gd-ops', PUT => 'leases/leased'), '/leases/{id}', 'PUT');
$api->fits($t->api('gd-ops', GET => 'leases/leased'), '/leases/{id}', 'GET');
$api->fits($t->api('audit', GET => 'changes'), '/changes', 'GET');
$api->fits($t->api('system', GET => 'nodes'), '/nodes', 'GET');
$api->fits($t->api('system', GET => 'snapshot'), '/snapshot', 'GET');
$api->fits($t->api('system', GET => 'status'), '/status', 'GET');
$api->fits($t->api('system', GET => 'availability'), '/availability', 'GET');
$api->fits($t->api('system', POST => 'snapshot/accept', { from => 'node' }),
    '/snapshot/accept', 'POST');
is($t->api('security', POST => 'bans', { net => '192.0.2.1', reason => 'r' })
    ->status, 200, 'a ban');
is($t->api('security', POST => 'revocations', { issuer => 'national',
    kind => $_, value => 'x', before => 1000 })->status, 200,
    "a revocation by $_") for qw/jti sub_before/;
$api->fits($t->api('audit', GET => "$_?limit=1"), "/$_", 'GET')
    for qw/bans revocations/;
$api->fits($t->api('system', POST => 'validate', {}), '/validate', 'POST');
$api->fits($t->api('system', GET => 'tls-profiles'), '/tls-profiles', 'GET');
$api->fits($t->api('system', POST => 'explain', { url => 'http://x/44/' }),
    '/explain', 'POST');
# what is described is there, what is not is refused

for my $path (sort keys %{$doc->{paths}}) {
    (my $uri = $path) =~ s/\{id\}/none/;
    $uri =~ s{^/}{};

    for my $method (qw/GET PUT PATCH DELETE POST/) {
        my $who = $path =~ /credentials|bans|revocations/ ? 'security'
            : $path =~ /changes/ ? 'audit' : 'system';
        my $r = $t->api($who, $method => $uri, $method =~ /P[UO]/ ? {}
            : undef, 'If-Match' => '"x"');
        my $code = eval { $r->json->{code} } // '';
        my $known = $doc->{paths}{$path}{lc $method};
        my $missing = $code =~ /^(?:METHOD_NOT_ALLOWED|FORBIDDEN_ROLE)$/
            || ($code eq 'NOT_FOUND' && $r->json->{detail} =~ /no resource/);

        if ($known) {
            ok(!$missing, "$method $path is there") or diag($r->raw);

        } else {
            cmp_ok($r->status, '>=', 400, "$method $path is not");
        }
    }
}

$t->done();
