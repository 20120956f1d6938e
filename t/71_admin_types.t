#!/usr/bin/perl

# Copyright (C) govsvc authors

# Every member of every object with values of every other type, by those who
# may write it: each is an answer, none ends a worker.  And what waits for an
# operator's word is good before it waits.

use strict;
use warnings;

use JSON::PP;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc::Admin;


my $t = Test::GovSvc::Admin->new(log => 'error', workers => 2)->has('mint');

$t->gateway(admin => 'proof=on body=16k')->run();

my $json = JSON::PP->new->canonical->allow_nonref;

# Members that an object needs, and one of each kind beside them.

my %need = (
    platforms => { region => '450000' },
    pools => { platform => 'gd' },
    instances => { pool => 'gd-web', address => '10.44.0.1', port => 8080 },
    routes => { platform => 'gd', pool => 'gd-web',
        match => { paths => ['/44/x/'] } },
    credentials => { role => 'tenant', platform => 'gd',
        spki => ['a' x 64] },
    'tls-profiles' => { ca => 'ca.pem' },
    'check-profiles' => { type => 'http' },
    maintenance => { platform => 'gd', state => 'maintenance' },
);

my %more = (
    platforms => { name => { zh => 'x', en => 'y' }, state => 'normal',
        retry_after => '60s' },
    pools => { method => 'wrr', host => 'a.gd.example', check => 'c1',
        fallback => ['page:503'], timeouts => { connect => '1s' },
        tls => 'x', slow_start => '10s' },
    instances => { weight => 10, zone => 'a', state => 'enabled',
        lease => { ttl => '30s', on_expire => 'drain' } },
    routes => { priority => 0, match => { hosts => ['a.gd.example'],
        regions => ['44****'], items => ['114401000074'],
        methods => ['GET'], headers => { 'x-a' => ['b'] },
        claims => { user_region => ['44*'] }, paths => ['/44/x/'] } },
    credentials => { sans => ['URI:x'], apps => ['a'],
        tokens => [{ issuer => 'i', subject => 's' }],
        scope => { hosts => ['*.a'], paths => ['/44/'],
            regions => ['44****'], items => ['1144'],
            networks => ['10.0.0.0/8'], ports => ['80-90'],
            verbs => ['GET'], tls => ['t'], delegated => ['/44/o/'],
            suffixes => ['gd.example'] },
        quota => { pools => 1, rate => '5r/s' },
        expires => '2030-01-01T00:00:00Z', state => 'enabled' },
    'tls-profiles' => { name => 'a.b', cert => 'c', key => 'k',
        min => '1.2' },
    'check-profiles' => { interval => '5s', rise => 2, path => '/',
        host => 'a.b', method => 'GET',
        match => { status => '200', header => 'a', body => 'x' } },
    maintenance => { retry_after => '60s', note => 'x' },
);

my @other = (undef, 0, -1, 1.5, 9e18, JSON::PP::true, '', '*', '/',
    'x' x 300, [], [1], [undef], [[]], [{}], {}, { a => 1 });

my ($n, %wrong) = (0);


sub ask {
    my ($who, $resource, $object, $what) = @_;

    my $r = $t->create($who, "$resource/p1?dry_run=1", $object);
    my $code = $r->status ? eval { $r->json->{code} } // 'none' : 'none';

    $n++;
    push @{ $wrong{$resource} }, "$who $what: " . $r->status . " $code"
        unless $r->status == 200 || ($r->status =~ /^4(?:03|09|22)$/
            && $code ne 'none');
}


# Puts each of the others in the place of what stands there, and goes below.

sub each_place {
    my ($who, $resource, $object, $place, $what) = @_;

    my $old = $$place;

    for my $value (@other) {
        $$place = $value;
        ask($who, $resource, $object, "$what = " . $json->encode($value));
    }

    $$place = $old;

    each_place($who, $resource, $object, \$old->{$_}, "$what/$_")
        for ref $old eq 'HASH' ? sort keys %$old : ();
    each_place($who, $resource, $object, \$old->[$_], "$what/$_")
        for ref $old eq 'ARRAY' ? 0 .. $#$old : ();
}


for my $resource (sort keys %need) {

    my @who = $resource eq 'credentials' ? ('security')
        : $resource =~ /^platforms|profiles/ ? ('system')
        : ('system', 'gd-ops');

    for my $who (@who) {
        for my $key (sort(keys %{ $need{$resource} },
            keys %{ $more{$resource} }))
        {
            my $object = $json->decode($json->encode({
                %{ $need{$resource} }, exists $more{$resource}{$key}
                    ? ($key => $more{$resource}{$key}) : () }));

            each_place($who, $resource, $object, \$object->{$key}, "/$key");
        }
    }

    is(join("\n", @{ $wrong{$resource} // [] }), '', "$resource: answered");
}

cmp_ok($n, '>', 1500, "$n objects");

# what waits was looked at when it came, not only when it is approved

my %bad = (
    'dot segments' => { match => { paths => ['/44/../11/'] } },
    'unknown member' => { match => { paths => ['/44/a/'] }, canary => 1 },
    'no such pool' => { match => { paths => ['/44/a/'] }, pool => 'gd-nix' },
);

for my $what (sort keys %bad) {
    my $r = $t->create('gd-ops', 'routes/waits', { platform => 'gd',
        pool => 'gd-web', %{ $bad{$what} } });

    like($r->status, qr/^4(?:03|22)$/, "a proposal: $what");
}

is($t->api('gd-ops', GET => 'routes/waits')->status, 404, 'none waits');

my $good = { platform => 'gd', pool => 'gd-web',
    match => { paths => ['/44/a/'] } };

is($t->create('gd-ops', 'routes/waits', $good)->json->{meta}{status},
    'proposed', 'a good one does');
is($t->api('system-2', POST => 'routes/waits/approve', undef,
    'If-Match' => $t->etag('routes/waits'))->status, 200, 'approved');
is($t->change('gd-ops', PATCH => 'routes/waits', {
    match => { paths => ['/44//a'] } })->status, 422,
    'a bad change of an active one');
is($t->change('gd-ops', PATCH => 'routes/waits', {
    match => { paths => ['/44/b'] } })->json->{meta}{proposal}{match}{paths}[0],
    '/44/b', 'a good one waits');
is($t->api('gd-ops', GET => 'routes/waits')->json->{match}{paths}[0],
    '/44/a/', 'while the old one goes on');
is($t->create('gd-ops', 'instances/heavy', { %{ $need{instances} },
    weight => 0 })->status, 422, 'an instance that has to prove itself');

# maintenance does not outlive what it is of

is($t->create('gd-ops', 'instances/gone', { %{ $need{instances} } })->status,
    201, 'an instance');
is($t->create('gd-ops', 'maintenance/night', { instance => 'gone',
    state => 'down' })->status, 201, 'goes down for the night');

my $r = $t->change('gd-ops', DELETE => 'instances/gone');

is($r->status . ' ' . $r->json->{code}, '409 CONFLICT',
    'it is not removed meanwhile');
like($r->json->{detail}, qr/"night"/, 'because of that');
is($t->change('gd-ops', DELETE => 'maintenance/night')->status, 204,
    'when it is over');
is($t->change('gd-ops', DELETE => 'instances/gone')->status, 204,
    'it may go');

# a method that is none of an object's says so before anything else

for my $case ([PURGE => 'pools/gd-web'], [OPTIONS => 'routes/gd'],
    [POST => 'pools/gd-web'], [DELETE => 'routes/gd/approve'],
    [GE => 'changes'], [POS => 'validate'], [PU => 'snapshot'])
{
    my ($method, $path) = @$case;
    my $code = $t->api($path eq 'changes' ? 'audit' : 'system',
        $method => $path)->json->{code};

    like($code, qr/^(?:METHOD_NOT_ALLOWED|FORBIDDEN_ROLE)$/,
        "$method $path");
}

is($t->api('audit', HEAD => $_)->status, 200, "HEAD $_")
    for qw/changes nodes snapshot/;
is($t->api('system', GET => 'pools?origin=nowhere')->status, 400,
    'no such origin');

$t->done();
