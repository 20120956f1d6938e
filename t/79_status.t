#!/usr/bin/perl

# Copyright (C) govsvc authors

# What the registry API has besides objects: the status of the node, bans and
# revocations, each with who may.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc::Admin;


my $t = Test::GovSvc::Admin->new(log => 'notice', workers => 2)->has('mint');

my $port = $t->backend('a');

my $gateway = $t->can('http_conf');

{
    no warnings 'redefine';
    local *Test::GovSvc::http_conf = sub {
        my ($self, $text) = @_;

        return $gateway->($self, <<'END' . $text);
    govsvc_ban_zone         zone=bans:64k tiers=5m,1h allow=10.0.0.0/8;
    govsvc_revocation_zone  zone=rev:1m state=%%DIR%%/state/rev;

END
    };

    $t->gateway();
}

$t->run();

# status

my $r = $t->api('system', GET => 'status');

is($r->status, 200, 'status') or diag($r->raw);

my $s = $r->json;
my %platform = map { $_->{id} => $_ } @{$s->{platforms}};
my %pool = map { $_->{id} => $_ } @{$s->{pools}};

is($platform{gd}{state}, 'normal', 'a platform');
is($pool{'gd-web'}{platform}, 'gd', 'its pool');
is_deeply($pool{'gd-web'}{instances}, [], 'nobody there yet');
is($s->{issuers}[0]{name}, 'national', 'an issuer');
is($s->{issuers}[0]{keys}, 'present', 'with keys');
is($s->{audit}{state}, 'good', 'the audit store');
is($s->{bans}[0]{zone}, 'bans', 'bans');

$t->create('gd-ops', 'instances/a', { id => 'a', pool => 'gd-web',
    address => '127.0.0.1', port => $port });
$t->http_get('/44/x') for 1 .. 20;

$s = $t->api('audit', GET => 'status')->json;
%pool = map { $_->{id} => $_ } @{$s->{pools}};
is($pool{'gd-web'}{instances}[0]{id}, 'a', 'an instance');
is($pool{'gd-web'}{instances}[0]{state}, 'up', 'how it is');
ok(exists $pool{'gd-web'}{instances}[0]{reason}, 'and why');
is($s->{revision}{stored}, $s->{revision}{used}, 'all is in use');

ok($t->wait_for(sub {
    my ($gd) = grep { $_->{id} eq 'gd' }
        @{$t->api('system', GET => 'status')->json->{platforms}};
    return ($gd->{requests} // 0) >= 20;
}), 'requests of a platform');

is($t->api('gd-ops', GET => 'status')->json->{code}, 'FORBIDDEN_ROLE',
    'not for a province');
is($t->api('system', POST => 'status', {})->json->{code}, 'FORBIDDEN_ROLE',
    'only to read');
is($t->api('system', GET => 'status/x')->status, 404, 'nothing below');

# bans

$r = $t->api('security', POST => 'bans', { net => '192.0.2.0/24',
    reason => 'scan', seconds => 600 });
is($r->status, 200, 'banned') or diag($r->raw);
is($r->json->{result}, 'banned', 'as told');

$r = $t->api('security', POST => 'bans', { subject => '11010519491231002X',
    issuer => 'national', reason => 'abuse' });
is($r->json->{result}, 'banned', 'a subject, by tiers');

$r = $t->api('security', POST => 'bans', { kid => 'key-2026',
    issuer => 'national', reason => 'leaked' });
is($r->json->{result}, 'banned', 'a key of tokens');

my %ban = map { $_->{kind} => $_ }
    @{$t->api('audit', GET => 'bans')->json->{items}};

is($ban{net}{key}, '192.0.2.0/24', 'the network');
is($ban{net}{reason}, 'scan', 'why');
is($ban{net}{by}, 'security', 'by whom');
is($ban{net}{until} - $ban{net}{since}, 600, 'how long');
is($ban{subject}{key}, '110***', 'a citizen is not shown');
is($ban{kid}{key}, 'key-2026', 'a key is');

for (
    [{ net => '192.0.2.1' }, 422, '/reason', 'no reason'],
    [{ net => 'x', reason => 'r' }, 422, '/net', 'no network'],
    [{ reason => 'r' }, 422, '', 'nobody'],
    [{ net => '192.0.2.1', app => 'a', reason => 'r' }, 422, '', 'two'],
    [{ subject => 'a', reason => 'r' }, 422, '/issuer', 'no issuer'],
    [{ kid => 'a', reason => 'r' }, 422, '/issuer', 'a key without issuer'],
    [{ app => 'a', issuer => 'national', reason => 'r' }, 422, '/issuer',
        'an application has none'],
    [{ kid => 'a', subject => 'a', issuer => 'national', reason => 'r' }, 422,
        '', 'two again'],
    [{ net => '192.0.2.1', reason => 'r', seconds => 0 }, 422, '/seconds',
        'no time'],
    [{ net => '192.0.2.1', reason => 'r', zone => 'x' }, 422, '/zone',
        'no such zone'],
    [{ net => '10.1.2.3', reason => 'r' }, 409, '', 'one that is allowed'],
) {
    my ($body, $status, $field, $name) = @$_;

    $r = $t->api('security', POST => 'bans', $body);
    is($r->status, $status, $name) or diag($r->raw);
    is($r->json->{field}, $field, "$name: the field");
}

for my $who (qw/system audit gd-ops/) {
    is($t->api($who, POST => 'bans', { net => '192.0.2.9', reason => 'r' })
        ->json->{code}, 'FORBIDDEN_ROLE', "$who bans nobody");
}

$r = $t->api('security', POST => 'bans/lift', { net => '192.0.2.0/24' });
is($r->json->{result}, 'lifted', 'lifted') or diag($r->raw);
is($t->api('security', POST => 'bans/lift', { net => '192.0.2.0/24' })
    ->status, 404, 'only once');
is(scalar @{$t->api('audit', GET => 'bans')->json->{items}}, 2, 'two left');

# by pages, and by the id, which is all that is known of a citizen

$t->api('security', POST => 'bans', { net => "192.0.3.$_", reason => 'r' })
    for 1 .. 12;

my ($pages, %seen, $cursor) = (0);

do {
    $r = $t->api('audit', GET => 'bans?limit=5'
        . (defined $cursor ? "&cursor=$cursor" : ''))->json;
    $seen{$_->{id}}++ for @{$r->{items}};
    $cursor = $r->{next};
} while (defined $cursor && ++$pages < 10);

is($pages, 2, 'three pages');
cmp_ok(scalar keys %seen, '>=', 13, 'all bans');
is(scalar(grep { $_ != 1 } values %seen), 0, 'each once');
is($t->api('audit', GET => "bans?cursor=$_")->json->{code}, 'BAD_PARAMETER',
    "no cursor: $_") for qw/x 1 1. 1.x 99999999999999999999.1/;
is(scalar @{$t->api('audit', GET => 'bans?cursor=9.0')->json->{items}}, 0,
    'behind the last zone');

is($t->api('security', POST => 'bans/lift', { id => $ban{subject}{id} })
    ->json->{result}, 'lifted', 'by its id');
is($t->api('security', POST => 'bans/lift', { id => $ban{subject}{id} })
    ->status, 404, 'once');
is($t->api('security', POST => 'bans', { id => $ban{subject}{id},
    reason => 'r' })->status, 422, 'an id is for lifting');
is($t->api('security', POST => 'bans/lift', { id => $_ })->json->{field},
    '/id', "no id: $_") for 'x', 'nets.' . '0' x 32, 'net.' . '0' x 31,
    'net.' . 'g' x 32;

# revocations

my %rev = (issuer => 'national', kind => 'jti', value => 'token-1');

$r = $t->api('security', POST => 'revocations', \%rev);
is($r->json->{result}, 'revoked', 'revoked') or diag($r->raw);
$r = $t->api('audit', GET => 'revocations')->json;
is($r->{entries}, 1, 'counted');

my $one = $r->{items}[0];

is($one->{kind}, 'jti', 'listed by its kind');
like($one->{hash}, qr/^[0-9a-f]{32}\z/, 'and a hash');
cmp_ok(abs($one->{since} - time()), '<', 60, 'since now');
cmp_ok($one->{until}, '>', time(), 'until later');
ok(!exists $one->{before}, 'a time is of one kind');

$t->api('security', POST => 'revocations', { issuer => 'national',
    kind => 'sub_before', value => "u$_", before => 1000 + $_ }) for 1 .. 11;

($pages, $cursor, %seen) = (0);

do {
    $r = $t->api('audit', GET => 'revocations?limit=5'
        . (defined $cursor ? "&cursor=$cursor" : ''))->json;
    $seen{$_->{hash}}++ for @{$r->{items}};
    $cursor = $r->{next};
} while (defined $cursor && ++$pages < 10);

is($pages, 2, 'three pages');
is(join(' ', sort values %seen), join(' ', (1) x 12), 'each once');
is($t->api('audit', GET => 'revocations?cursor=x')->json->{code},
    'BAD_PARAMETER', 'no cursor');
is(scalar @{$t->api('audit', GET => 'revocations?cursor=999999999')
    ->json->{items}}, 0, 'behind the last');
is(scalar(grep { ($_->{before} // 0) > 1000 }
    @{$t->api('audit', GET => 'revocations')->json->{items}}), 11,
    'with their times');
is($t->api('system', POST => 'revocations', \%rev)->json->{code},
    'FORBIDDEN_ROLE', 'security alone');
is($t->api('security', POST => 'revocations', { %rev, kind => 'x' })
    ->json->{field}, '/kind', 'a bad kind');
is($t->api('security', POST => 'revocations', { %rev, issuer => 'x' })
    ->status, 404, 'no such issuer');
is($t->api('security', POST => 'revocations', { %rev, value => '' })
    ->json->{field}, '/value', 'no value');
is($t->api('security', POST => 'revocations/lift', \%rev)->json->{result},
    'lifted', 'taken back');
is($t->api('security', POST => 'revocations/lift', \%rev)->status, 404,
    'only once');

# security staff hear of each, of nothing else

my @sec;

$t->wait_for(sub {
    @sec = grep { ($_->{attack} // '') eq 'revocation' } $t->audit_lines();
    return @sec >= 13;
}, 60);

my ($jti) = grep { $_->{act}{key} =~ /^jti\b/
                   && $_->{act}{code} eq 'TOKEN_REVOKED' } @sec;

is(scalar @sec, 13, 'an event for each change');
is($jti->{sev}, 1, 'one token is nothing special');
is($jti->{act}{why}, 'issuer national', 'whose');
ok(length $jti->{act}{by}, 'by whom');
unlike(JSON::PP::encode_json($jti), qr/token-1/, 'not told in the open');
is((grep { $_->{act}{key} =~ /^sub_before\b/ } @sec)[0]{sev}, 2,
    'all of a person is more');
is(scalar(grep { $_->{act}{code} eq 'TOKEN_RESTORED' } @sec), 1,
    'and taken back');

# each attempt is in the record

my @lines;

$t->wait_for(sub {
    @lines = grep { ($_->{ty} // '') eq 'http' } $t->audit_lines();
    return grep { JSON::PP::encode_json($_) =~ m{/v1/revocations/lift} }
        @lines;
});

my $all = join "\n", map { JSON::PP::encode_json($_) } @lines;

like($all, qr{/govsvc/v1/bans}, 'a ban is recorded');
like($all, qr{FORBIDDEN_ROLE}, 'a refusal too');
unlike($all, qr{11010519491231002X}, 'without the citizen');

$t->done();
