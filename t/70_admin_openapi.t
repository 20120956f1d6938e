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
use JSON::PP;


my $t = Test::GovSvc::Admin->new(log => 'notice')->has('mint');

my $port = $t->backend('a');

$t->gateway()->run();

my $r = $t->api(undef, GET => 'openapi.json');
is($r->status, 200, 'served without a credential');

my $doc = $r->json;
is($doc->{openapi}, '3.1.0', 'OpenAPI 3.1');

sub deref {
    my ($node) = @_;

    while (ref $node eq 'HASH' && defined $node->{'$ref'}) {
        my ($path) = $node->{'$ref'} =~ m{^#/(.*)};
        my $to = $doc;
        $to = $to->{$_} for split m{/}, $path;
        die "$node->{'$ref'} leads nowhere" unless defined $to;
        $node = $to;
    }

    return $node;
}

# as much of JSON Schema as the document uses; answers what does not fit

sub kind {
    my ($v) = @_;

    return 'null' unless defined $v;
    return 'object' if ref $v eq 'HASH';
    return 'array' if ref $v eq 'ARRAY';
    return 'boolean' if JSON::PP::is_bool($v);
    return $v =~ /^-?\d+$/ && encode_json([$v]) !~ /"/ ? 'integer' : 'string';
}

sub misfit {
    my ($value, $schema, $at) = @_;

    $schema = deref($schema);

    my $kind = kind($value);
    my @types = ref $schema->{type} ? @{$schema->{type}}
        : grep { defined } $schema->{type};

    return "$at is $kind, not @types"
        if @types && !grep { $_ eq $kind } @types;
    return "$at is none of the values"
        if $schema->{enum} && !grep { $_ eq $value } @{$schema->{enum}};
    return "$at has not the form"
        if $schema->{pattern} && $value !~ /$schema->{pattern}/;

    if ($kind eq 'object') {
        for (@{$schema->{required} // []}) {
            return "$at/$_ is missing" unless exists $value->{$_};
        }

        for (sort keys %$value) {
            my $member = $schema->{properties}{$_};
            return "$at/$_ is not described"
                if !$member && exists $schema->{additionalProperties};
            my $bad = $member && misfit($value->{$_}, $member, "$at/$_");
            return $bad if $bad;
        }

    } elsif ($kind eq 'array') {
        for my $i (0 .. $#$value) {
            my $bad = misfit($value->[$i], $schema->{items}, "$at/$i");
            return $bad if $bad;
        }
    }

    return undef;
}

sub fits {
    my ($r, $path, $method, $name) = @_;

    my $responses = $doc->{paths}{$path}{lc $method}{responses};
    my $response = deref($responses->{$r->status} // $responses->{default});
    my ($media) = values %{$response->{content} // {}};

    ok($response, "$method $path: " . $r->status . " is described");

    is($media ? misfit($r->json, $media->{schema}, '') : undef, undef,
        $name // "$method $path fits") or diag($r->raw);
}

ok(misfit({ status => 'x' }, { '$ref' => '#/components/schemas/Problem' }, ''),
    'the validator finds what is missing');
ok(misfit([1], { type => 'array', items => { type => 'string' } }, ''),
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
    fits($r, $one, 'PUT');

    $r = $t->api($who, GET => "$kind/one");
    fits($r, $one, 'GET');
    fits($t->api($who, GET => $kind), "/$kind", 'GET');
    fits($t->api($who, GET => "$kind/none"), $one, 'GET', 'a refusal fits');

    my $etag = $r->header('ETag');
    fits($t->api($who, PATCH => "$kind/one", {}, 'If-Match' => $etag), $one,
        'PATCH');
    is($t->api($who, DELETE => "$kind/one", undef, 'If-Match' =>
        $t->api($who, GET => "$kind/one")->header('ETag'))->status, 204,
        "removed one of $kind");
}

$t->create('gd-ops', 'instances/leased', $object{instances});
fits($t->api('gd-ops', PUT => 'leases/leased'), '/leases/{id}', 'PUT');
fits($t->api('gd-ops', GET => 'leases/leased'), '/leases/{id}', 'GET');
fits($t->api('audit', GET => 'changes'), '/changes', 'GET');
fits($t->api('system', GET => 'nodes'), '/nodes', 'GET');
fits($t->api('system', GET => 'snapshot'), '/snapshot', 'GET');
fits($t->api('system', GET => 'status'), '/status', 'GET');
fits($t->api('audit', GET => 'bans'), '/bans', 'GET');
fits($t->api('system', POST => 'validate', {}), '/validate', 'POST');
fits($t->api('system', GET => 'tls-profiles'), '/tls-profiles', 'GET');
fits($t->api('system', POST => 'explain', { url => 'http://x/44/' }),
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
