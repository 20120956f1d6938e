#!/usr/bin/perl

# Copyright (C) govsvc authors

# The registry API: a province registers its servers; objects, ETags, pages,
# proposals, snapshots.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc::Admin;


my $t = Test::GovSvc::Admin->new(log => 'notice', workers => 2)->has('mint');

my %port = map { $_ => $t->backend($_) } qw/a b/;

$t->gateway()->run();

sub peer {
    my ($name, %more) = @_;

    return { id => $name, pool => 'gd-web', address => '127.0.0.1',
        port => $port{$name}, %more };
}

sub serves {
    my ($uri, $n) = @_;
    my %seen;

    $seen{$t->http_get($uri)->json->{backend}}++ for 1 .. $n;

    return \%seen;
}

# nothing is served before a province registers

is($t->http_get('/44/x')->status, 503, 'no peer yet');

my $r = $t->api('gd-ops', GET => 'pools');

is($r->status, 200, 'pools') or diag($r->raw);
is_deeply([map { $_->{id} } @{$r->json->{items}}], ['gd-web'],
    'a province sees its own');
is($r->json->{items}[0]{meta}{origin}, 'file', 'and where they come from');

$r = $t->api('system', GET => 'platforms');
is_deeply([map { $_->{id} } @{$r->json->{items}}], ['gd', 'bj'],
    'an operator sees all');

# an instance serves as soon as its creation is answered, on all workers

$r = $t->create('gd-ops', 'instances/a', peer('a'));

is($r->status, 201, 'registered') or diag($r->raw);
my $etag = $r->header('ETag');
like($etag, qr/^"\d+\.\d+"$/, 'with a strong ETag');
is($r->json->{meta}{status}, 'active', 'at once');
is_deeply(serves('/44/x', 20), { a => 20 }, 'serves');
is($t->http_get('/11/x')->status, 503, 'for no other platform');

# what is read may come back

my $got = $t->api('gd-ops', GET => 'instances/a');
is($got->header('ETag'), $etag, 'the same ETag');

$r = $t->api('gd-ops', GET => 'instances/a', undef,
    'If-None-Match' => $etag);
is($r->status, 304, 'not modified');

my $object = $got->json;
$object->{weight} = 5;
$r = $t->api('gd-ops', PUT => 'instances/a', $object, 'If-Match' => $etag);
is($r->status, 200, 'changed') or diag($r->raw);
is($r->json->{weight}, 5, 'as asked');
isnt($r->header('ETag'), $etag, 'a new ETag');

# two operators, one object

$r = $t->api('system', PATCH => 'instances/a', { weight => 7 },
    'If-Match' => $etag);
is($r->status, 412, 'who read before the change is refused');
is($r->json->{code}, 'PRECONDITION_FAILED', 'with a code');
is($r->header('ETag'), $t->etag('instances/a'), 'and the ETag of now');
is($t->api('gd-ops', GET => 'instances/a')->json->{weight}, 5,
    'nothing is lost');

$r = $t->change('gd-ops', PATCH => 'instances/a',
    { weight => 2, zone => 'dc1' });
is($r->json->{weight}, 2, 'patched');

$r = $t->change('gd-ops', PATCH => 'instances/a', { zone => undef });
ok(!exists $r->json->{zone}, 'null takes a member away');

# errors tell the field

$r = $t->change('gd-ops', PATCH => 'instances/a', { weight => 0 });
is($r->status, 422, 'bad weight');
is($r->json->{field}, '/weight', 'the field');
like($r->json->{detail}, qr/out of range; allowed: 1 to 65535/, 'the words');
is($r->header('Content-Type'), 'application/problem+json', 'RFC 9457');

# drain

$t->create('gd-ops', 'instances/b', peer('b'));
$r = $t->change('gd-ops', PATCH => 'instances/a', { state => 'drain' });
is($r->status, 200, 'drained');
is_deeply(serves('/44/x', 10), { b => 10 }, 'gets nothing more');

# dry run

my $revision = sub {
    $t->api('system', GET => 'nodes')->json->{items}[0]{revision};
};

my $before = $revision->();

$r = $t->create('gd-ops', 'routes/try', { id => 'try', platform => 'gd',
    pool => 'gd-web', match => { paths => ['/44/open/x'] } }, '?dry_run=1');
is($r->status, 200, 'dry run') or diag($r->raw);
ok($r->json->{dry_run}, 'says so');
is($r->json->{diff}[0]{after}{id}, 'try', 'what would change');
is_deeply($r->json->{samples}, [{ host => '', path => '/44/open/x',
    before => 'gd', after => 'try' }], 'and for whom');
is($revision->(), $before, 'and changes nothing');
is($t->api('gd-ops', GET => 'routes/try')->status, 404, 'really');

# a route waits for an operator, but not below a delegated path

my $route = sub {
    return { platform => 'gd', pool => 'gd-web', match => { paths => [@_] } };
};

$r = $t->create('gd-ops', 'routes/new', $route->('/gd/'));
is($r->status, 201, 'proposed');
is($r->json->{meta}{status}, 'proposed', 'it waits');
is($t->http_get('/gd/x')->status, 404, 'leads nowhere');

$r = $t->api('gd-ops', POST => 'routes/new/approve', undef,
    'If-Match' => $r->header('ETag'));
is($r->json->{code}, 'FORBIDDEN_ROLE', 'a province approves nothing');

$r = $t->api('system', POST => 'routes/new/approve', undef,
    'If-Match' => $t->etag('routes/new'));
is($r->status, 200, 'approved') or diag($r->raw);
is($t->http_get('/gd/x')->status, 200, 'leads there');

$r = $t->create('gd-ops', 'routes/open', $route->('/44/open/'));
is($r->json->{meta}{status}, 'active', 'delegated');

# a change of a route in use waits too, and the old one goes on

$r = $t->change('gd-ops', PUT => 'routes/new', $route->('/gd/v2/'));
is($r->status, 200, 'a change is proposed');
is_deeply($r->json->{match}{paths}, ['/gd/'], 'the route is as it was');
is_deeply($r->json->{meta}{proposal}{match}{paths}, ['/gd/v2/'],
    'the proposal beside it');
is($t->http_get('/gd/x')->status, 200, 'and serves');

$r = $t->api('system', POST => 'routes/new/approve', undef,
    'If-Match' => $t->etag('routes/new'));
is($r->status, 200, 'approved') or diag($r->raw);
is($t->http_get('/gd/x')->status, 404, 'moved away');
is($t->http_get('/gd/v2/x')->status, 200, 'to there');

# maintenance, also of what stands in a file

$r = $t->create('gd-ops', 'maintenance/night', { platform => 'gd',
    state => 'maintenance', retry_after => '600s' });
is($r->status, 201, 'maintenance') or diag($r->raw);
$r = $t->http_get('/44/x');
is($r->status, 503, 'closed for the night');
is($r->header('Retry-After'), 600, 'until when');
is($t->change('gd-ops', DELETE => 'maintenance/night')->status, 204, 'over');
is($t->http_get('/44/x')->status, 200, 'open');

# pages

$t->create('gd-ops', "instances/p$_", { pool => 'gd-web',
    address => "10.44.0.$_", port => 8080, state => 'down' }) for 1 .. 5;

my (@all, $next);

for (1 .. 10) {
    $r = $t->api('gd-ops', GET => 'instances?limit=2'
        . ($next ? "&cursor=$next" : ''));
    push @all, map { $_->{id} } @{$r->json->{items}};
    $next = $r->json->{next} or last;
}

is_deeply(\@all, [qw/a b p1 p2 p3 p4 p5/], 'page by page');

# explain, validate

$r = $t->api('gd-ops', GET => 'explain?url=https%3A%2F%2Fx%2F44%2Fy');
is($r->status, 200, 'explain') or diag($r->raw);
like($r->body, qr/"gd"/, 'the route');

$r = $t->api('system', POST => 'validate', { platforms => [{ id => '?' }] });
is($r->status, 422, 'validate');
is($r->json->{field}, '/platforms/0/id', 'where');
is($t->api('system', POST => 'validate', {})->status, 200, 'empty is valid');

# import(export(x)) is x

$r = $t->api('system', GET => 'snapshot');
my $export = $r->body;
$etag = $r->header('ETag');

$r = $t->api('system', PUT => 'snapshot', $export, 'If-Match' => $etag);
is($r->status, 204, 'the same again changes nothing') or diag($r->raw);

$r = $t->api('system', PUT => 'snapshot', { routes => [] },
    'If-Match' => $etag);
is($r->status, 200, 'nothing but this') or diag($r->raw);
is($t->http_get('/44/x')->status, 503, 'all gone');

$r = $t->api('system', PUT => 'snapshot', $export,
    'If-Match' => $t->etag('snapshot'));
is($r->status, 200, 'all back');
is($t->api('system', GET => 'snapshot')->body, $export, 'as it was');
is($t->http_get('/44/x')->status, 200, 'and serves');

$t->write_file('export.json', $t->api('system',
    GET => 'snapshot?origin=all')->body);
is($t->conf_error('govsvc_platforms export.json;'), '',
    'an export is a platforms.json');

# what comes from a file stays as the file says

$r = $t->change('system', PATCH => 'pools/gd-web', { panic => 10 });
is($r->json->{code}, 'STATIC_OBJECT', 'a file has the last word');

# something depends on it

$t->create('system', 'pools/gd-two', { platform => 'gd' });
$t->create('gd-ops', 'instances/two', { pool => 'gd-two',
    address => '10.44.0.9', port => 8080 });
$r = $t->change('gd-ops', DELETE => 'pools/gd-two');
is($r->status, 409, 'a pool in use') or diag($r->raw);
is($r->json->{code}, 'CONFLICT', 'conflict');

# changes

$r = $t->api('audit', GET => 'changes?limit=3');
is($r->status, 200, 'changes');
is($r->json->{items}[0]{by}, 'gd-ops', 'who');
is($r->json->{items}[0]{diff}[0]{after}{address}, '10.44.0.9', 'what');

# over a reload and over a restart

ok($t->reload(), 'reload');
is($t->http_get('/44/x')->status, 200, 'still there after a reload');

$t->stop();
$t->run();
is($t->http_get('/44/x')->status, 200, 'and after a restart');
is($t->change('gd-ops', PATCH => 'instances/b', { weight => 3 })->status,
    200, 'and goes on');

# every attempt is recorded, with who and why not

$t->api(undef, GET => 'pools');
$t->stop();

my @lines = grep { ($_->{http}{path} // '') =~ m{^/govsvc/} }
    $t->audit_lines($t->dir() . '/audit');

ok((grep { ($_->{gov}{app} // '') eq 'gd-ops'
    && $_->{http}{path} eq '/govsvc/v1/instances/a'
    && $_->{http}{status} == 201 } @lines), 'a write in the record');
ok((grep { ($_->{dec}{code} // '') eq 'PRECONDITION_FAILED' } @lines),
    'a refused one');
ok((grep { ($_->{dec}{code} // '') eq 'AUTH_REQUIRED' } @lines),
    'one of nobody');

$t->done();
