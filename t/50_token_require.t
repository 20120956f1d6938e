#!/usr/bin/perl

# Copyright (C) govsvc authors

# What a caller must have: operators, paths and arrays, kinds of callers, those
# who act for others, step-up; and variables asked for before PREACCESS.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new()->has('mint');

$t->mint_keys('keys');

my @cases = (
    # requirement, claims beside the usual, status
    [ 'claim:n=7', { n => 7 }, 200 ],
    [ 'claim:n=7', { n => 8 }, 403 ],
    [ 'claim:n!=7', { n => 8 }, 200 ],
    [ 'claim:n!=7', { n => 7 }, 403 ],
    [ 'claim:n!=7', {}, 403 ],
    [ 'claim:n!=7', { n => [ 8, 7 ] }, 403 ],
    [ 'claim:n!=7', { n => [ 8, 9 ] }, 200 ],
    [ 'claim:n>=7', { n => 7 }, 200 ],
    [ 'claim:n>=7', { n => '10' }, 200 ],
    [ 'claim:n>=7', { n => 6 }, 403 ],
    [ 'claim:n>=7', { n => 'x' }, 403 ],
    [ 'claim:n>=7', { n => 7.5 }, 403 ],
    [ 'claim:n>=7', { n => '1234567890123456' }, 403 ],
    [ 'claim:n>7', { n => 7 }, 403 ],
    [ 'claim:n>7', { n => [ 1, 8 ] }, 200 ],
    [ 'claim:n<-1', { n => -2 }, 200 ],
    [ 'claim:n<-1', { n => -1 }, 403 ],
    [ 'claim:n<=-1', { n => -1 }, 200 ],
    [ 'claim:region^=4401', { region => '440106' }, 200 ],
    [ 'claim:region^=4401', { region => '440206' }, 403 ],
    [ 'claim:region^=4401', { region => '440' }, 403 ],
    [ 'claim:/realm/roles=admin', { realm => { roles => [ 'a', 'admin' ] } },
      200 ],
    [ 'claim:/realm/roles=admin', { realm => { roles => [ 'a' ] } }, 403 ],
    [ 'claim:/realm/roles=admin', { '/realm/roles' => 'admin' }, 403 ],
    [ 'claim:/realm/roles/0=admin', { realm => { roles => [ 'admin' ] } },
      200 ],
    [ 'claim:/realm/roles/1=admin', { realm => { roles => [ 'admin' ] } },
      403 ],
    [ 'claim:/list/1/id=x', { list => [ {}, { id => 'x' } ] }, 200 ],
    [ 'claim:https://x/r=y', { 'https://x/r' => 'y' }, 200 ],
    [ 'user=natural', { kind => '1' }, 200 ],
    [ 'user=natural', { kind => '2' }, 403 ],
    [ 'user=natural', { kind => '3' }, 403 ],
    [ 'user=natural', {}, 403 ],
    [ 'user=legal', { kind => '2' }, 200 ],
    [ 'user=legal actor=some', { kind => '2', act => { sub => 'agent' } },
      200 ],
    [ 'user=legal actor=some', { kind => '2' }, 403 ],
    [ 'actor=none', { kind => '2' }, 200 ],
    [ 'actor=none', { act => { sub => 'agent' } }, 403 ],
    [ 'level>=2 scope=a claim:n>1', { acr => '2', scope => 'b a', n => 2 },
      200 ],
    [ 'level>=2 scope=a claim:n>1', { acr => '2', scope => 'b', n => 2 },
      403 ],
);

my (%location, $locations);

for my $case (@cases) {
    my $n = $location{ $case->[0] } //= scalar(keys %location) + 1;
}

for my $what (sort keys %location) {
    $locations .= <<"EOF";
        location = /$location{$what} {
            govsvc_token    required issuer=national;
            govsvc_require  $what;
            empty_gif;
        }
EOF
}

$t->http_conf(<<"EOF")->run();
    govsvc_issuer national {
        iss           https://sso.gov.example;
        audience      off;
        jwks_file     keys/jwks.json;
        assurance     acr map=L1:1,L2:2,2:2,urn:gov:3:3,L5:5;
        user          kind map=1:natural,2:legal;
    }

    govsvc_issuer province {
        iss           https://zj.gov.example;
        audience      off;
        jwks_file     keys/jwks.json;
        assurance     /level/auth map=3:3;
        actor         /agent/id;
    }

    log_format  early  '\$uri \$govsvc_subject';

    server {
        listen         127.0.0.1:%%PORT_0%%;

        add_header     X-Sub \$govsvc_subject always;
        add_header     X-Actor \$govsvc_actor always;
        add_header     X-User \$govsvc_user always;
        add_header     X-Issuer \$govsvc_issuer always;
        add_header     X-Level \$govsvc_level always;
        add_header     X-Roles \$govsvc_claim_realm__roles always;
        add_header     X-Role0 \$govsvc_claim_realm__roles__0 always;
        add_header     X-Deep \$govsvc_claim_a__b__c always;
        add_header     X-Exact \$govsvc_claim_a__x always;
        add_header     X-Two \$govsvc_claim_a__yy always;
        add_header     X-Flat \$govsvc_claim_a__flat always;

$locations

        location = /any {
            govsvc_token  required;
            empty_gif;
        }

        location = /step {
            govsvc_token    required;
            govsvc_require  level>=2;
            empty_gif;
        }

        location = /step5 {
            govsvc_token    required;
            govsvc_require  level>=4;
            empty_gif;
        }

        location = /redirected {
            govsvc_token  required;
            try_files     /none /index;
        }

        location = /index {
            internal;
            govsvc_token  required;
            empty_gif;
        }

        location = /sub {
            govsvc_token  required;
            add_header    X-From-Sub \$govsvc_subject;
            mirror        /mirrored;
            empty_gif;
        }

        location = /mirrored {
            internal;
            access_log    %%DIR%%/mirror.log early;
            empty_gif;
        }

        log_subrequest on;
    }

    server {
        listen         127.0.0.1:%%PORT_1%%;
        govsvc_token   required;

        set            \$early \$govsvc_subject;
        set            \$found \$govsvc_auth;
        set            \$role \$govsvc_claim_role;
        add_header     X-Early \$early always;
        add_header     X-Auth \$found always;
        add_header     X-Role \$role always;

        location / {
            empty_gif;
        }

        location /open {
            govsvc_token  off;
            empty_gif;
        }

        location /optional {
            govsvc_token  optional;
            empty_gif;
        }
    }
EOF

sub token {
    my (%claims) = @_;

    return $t->token('ES256', { iss => 'https://sso.gov.example',
        sub => 'u1', %claims });
}

sub get {
    my ($uri, $token, %opt) = @_;

    return $t->http_get($uri, %opt, headers => defined $token
        ? { Authorization => "Bearer $token" } : {});
}


for my $case (@cases) {
    my ($what, $claims, $status) = @$case;

    is(get("/$location{$what}", token(%$claims))->status, $status,
        $what . ' of ' . join(', ', map { "$_ => $claims->{$_}" }
        sort keys %$claims));
}


# who is who, first seen and from the cache

my $agent = token(kind => '2', act => { sub => 'agent' }, acr => 'L2',
    realm => { roles => [ 'a', 'b' ] }, a => { b => { C => 1 }, X => 1,
    x => 2, Yy => 1, yY => 2 }, a__flat => 'f');

for my $name ('first seen', 'from the cache') {
    my $r = get('/any', $agent);

    is($r->status, 200, $name);
    is($r->header('X-Sub'), 'u1', 'the subject');
    is($r->header('X-Actor'), 'agent', 'and who acts for it');
    is($r->header('X-User'), 'legal', 'a legal person');
    is($r->header('X-Issuer'), 'national', 'the issuer');
    is($r->header('X-Level'), '2', 'the level');
    is($r->header('X-Roles'), 'a,b', 'an array below');
    is($r->header('X-Role0'), 'a', 'its first element');
    is($r->header('X-Deep'), '1', 'case-blind at each step');
    is($r->header('X-Exact'), '2', 'the exact name first');
    is($r->header('X-Two'), undef, 'two that differ in case alone are none');
    is($r->header('X-Flat'), 'f', 'a name with two underscores');
}

my $zj = get('/any', token(iss => 'https://zj.gov.example', level => {
    auth => 3 }, agent => { id => 'a7' }, act => { sub => 'no' }));
is($zj->header('X-Level'), '3', 'a scale below the top');
is($zj->header('X-Actor'), 'a7', 'the claim that the issuer has for it');
is($zj->header('X-User'), undef, 'an issuer that tells no kinds');
is(get('/any', token())->header('X-Actor'), undef, 'nobody acts');


# RFC 9470, in the words of the issuer

my $step = 'Bearer realm="govsvc", error="insufficient_user_authentication",'
    . ' acr_values=';

is(get('/step', token(acr => 'L1'))->header('WWW-Authenticate'),
    $step . '"L2 2 urn:gov:3 L5"', 'all that are enough');
is(get('/step5', token())->header('WWW-Authenticate'), $step . '"L5"',
    'the one that is');
is(get('/step', token(iss => 'https://zj.gov.example'))
    ->header('WWW-Authenticate'), $step . '"2"',
    'a scale of another claim: the level');


# before PREACCESS

my $port = $t->port(1);
my $good = token(role => 'r');
my $r = get('/', $good, port => $port);
is($r->status, 200, 'asked for in the rewrite phase');
is($r->header('X-Early'), 'u1', 'known there');
is($r->header('X-Role'), 'r', 'claims as well');
is($r->header('X-Auth'), 'ok', 'and that it is good');

(my $bad = $good) =~ s/\.(.)([^.]+)$/'.' . ($1 eq 'A' ? 'B' : 'A') . $2/e;
$r = get('/', $bad, port => $port);
is($r->status, 401, 'a bad one is refused later');
is($r->header('X-Early'), undef, 'and tells nothing before');
is($r->header('X-Auth'), 'bad', 'but that it is bad');

$r = get('/', undef, port => $port);
is($r->status, 401, 'none is refused');
is($r->header('X-Auth'), 'absent', 'is absent before');

is(get('/open', $bad, port => $port)->status, 200,
    'a location that wants none');
is(get('/optional', $good, port => $port)->status, 200, 'optional');
is(get('/optional', $bad, port => $port)->status, 401,
    'optional, but bad all the same');


# internal redirects and subrequests keep the identity

$r = get('/redirected', $good);
is($r->status, 200, 'redirected');
is($r->header('X-Sub'), 'u1', 'still the same');
$r = get('/sub', $good);
is($r->header('X-From-Sub'), 'u1', 'the main request');
ok($t->wait_for(sub { ($t->read_file('mirror.log') // '')
    eq "/mirrored u1\n" }), 'the subrequest knows the caller')
    or diag($t->read_file('mirror.log'));

$t->done();
