#!/usr/bin/perl

# Copyright (C) govsvc authors

# Objects that no longer fit the files of the operator: they are left out with
# those that need them, hold up nobody else, and come back.

use strict;
use warnings;

use JSON::PP;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc::Admin;


my $t = Test::GovSvc::Admin->new(log => 'notice', workers => 2)->has('mint');
my $port = $t->backend('bj');

$t->gateway(server => 'location = /metrics { govsvc_metrics; }')->run();

sub meta { $t->api('system', GET => $_[0])->json->{meta} }

sub left_out {
    my ($n) = $t->http_get('/metrics')->body
        =~ /^govsvc_registry_left_out (\d+)$/m;
    return $n;
}

sub put {
    my ($who, $path, $object) = @_;
    my $r = $t->create($who, $path, $object);
    return $r->status == 201 ? 'ok' : $r->body;
}

# more of a province than the compiler would be asked for one by one

my $many = 300;

is(put('system', 'pools/gd-api', { platform => 'gd' }), 'ok', 'a pool');
is(put('system', "routes/gd-api", { platform => 'gd', pool => 'gd-api',
    match => { paths => ['/44/api/'] } }), 'ok', 'a route');

my @objects = map { { id => "i$_", pool => 'gd-api',
    address => '10.44.' . int($_ / 200) . '.' . (1 + $_ % 200),
    port => 8080 } } 1 .. $many;
my $r = $t->api('system', GET => 'snapshot');
my $all = $r->json;

push @{ $all->{instances} }, @objects;

is($t->api('system', PUT => 'snapshot', $all,
    'If-Match' => $r->header('ETag'))->status, 200, "$many servers");
is(put('bj-ops', 'instances/b1', { pool => 'bj-web', address => '127.0.0.1',
    port => $port }), 'ok', 'one of another province');
is($t->http_get('/11/')->status, 200, 'which serves');
is(left_out(), 0, 'all are in');

# the platform leaves the file

my $files = $t->read_file('platforms.json');
my $less = decode_json($files);

@{ $less->{$_} } = grep { $_->{id} !~ /^gd/ } @{ $less->{$_} }
    for keys %$less;

$t->write_file('platforms.json', encode_json($less));
ok($t->reload(), 'reloaded without the first');
is($t->http_get('/11/')->status, 200, 'the other province serves');
is(left_out(), $many + 2, 'pool, route and servers are left out');
like($t->error_log(),
    qr/"gd-api" of "pools" is left out: no platform "gd"/, 'told of the pool');
like($t->error_log(), qr/registry: \d+ more are left out/, 'not of each');

my $one = meta('instances/i7');

is("$one->{status}: $one->{why}", 'invalid: no pool "gd-api"',
    'each says why');

# nobody is held up, on no worker

is(put('bj-ops', "instances/b2$_", { pool => 'bj-web',
    address => "10.11.0.$_", port => 80, state => 'down' }), 'ok',
    "the other province writes, $_") for 1 .. 4;
is(meta('instances/b21')->{status}, 'active', 'and is in');
is(left_out(), $many + 2, 'as many are out');
is($t->api('system', PATCH => 'instances/i7', { weight => 3 },
    'If-Match' => $t->etag('instances/i7'))->status, 422,
    'what is out is not written as if it were good');
is($t->change('system', DELETE => 'instances/i8')->status, 204,
    'but may go');

# over a start, and with a platform that the API brings instead

$t->stop();
$t->run();
is($t->http_get('/11/')->status, 200, 'started');
is(left_out(), $many + 1, 'the same are out');
is(put('system', 'platforms/gd', { region => '440000' }), 'ok',
    'the platform comes by the API');
is(meta('instances/i7')->{status}, 'active', 'they are back at once');
is(left_out(), 0, 'all of them');
is($t->change('system', DELETE => 'platforms/gd')->status, 409,
    'now it is needed');

# back in the file, which has the last word

$t->write_file('platforms.json', $files);
ok($t->reload(), 'reloaded with it');
is(left_out(), 0, 'nothing is out');
is(meta('instances/i300')->{status}, 'active', 'the last one too');

# what only the compiler can find: an address that the file now has

my $more = decode_json($files);

push @{ $more->{instances} }, { id => 'f1', pool => 'bj-web',
    address => '10.11.0.1', port => 80, state => 'down' };

$t->write_file('platforms.json', encode_json($more));
ok($t->reload(), 'reloaded with the address of a server');
is(left_out(), 1, 'one is out');
like(meta('instances/b21')->{why}, qr/address and port/, 'it says why');
is(put('bj-ops', "instances/b3$_", { pool => 'bj-web',
    address => "10.11.1.$_", port => 80, state => 'down' }), 'ok',
    "others are written, $_") for 1 .. 4;
is($t->change('bj-ops', PATCH => 'instances/b21', {
    address => '10.11.0.99' })->status, 200, 'moved');
is(meta('instances/b21')->{status}, 'active', 'it is in again');
is(left_out(), 0, 'none is out');

$t->done();
