#!/usr/bin/perl
#
# Copyright (C) govsvc authors
#
# Places in security events: the country and province of the source, and one
# account that is in three provinces within half an hour, by the rules as
# shipped and a database made here.

use strict;
use warnings;

use Test::More;
use JSON::PP;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Mmdb;

my $t = Test::GovSvc->new(log => 'info')->has('mint');

$t->mint_keys('keys');
mmdb_write($t->dir() . '/geo.mmdb', 'Test-City',
    '203.0.113.0/26' => { place('CN', 'GD') },
    '203.0.113.64/26' => { place('CN', 'ZJ') },
    '203.0.113.128/26' => { place('CN', 'SC') },
    '198.51.100.0/24' => { place('US', 'CA') });

$t->write_file('a.rules', <<'EOR');
rule 3001 union  { match args lit union; severity high; score sqli 5; }
EOR

$t->http_conf(<<'EOF')->run();
    govsvc_issuer national {
        iss        https://sso.gov.example;
        audience   off;
        jwks_file  keys/jwks.json;
    }

    govsvc_geo          geo.mmdb;
    govsvc_rules        a.rules;
    govsvc_rules        %%TOP%%/lua-free-rules/40_correlation.rules;
    govsvc_correlate    zone=corr:1m;
    govsvc_audit_store  dir=audit flush=5ms;
    govsvc_audit        meta;

    server {
        listen            127.0.0.1:%%PORT_0%%;
        set_real_ip_from  127.0.0.0/8;
        real_ip_header    X-Real-Client;
        govsvc_guard      on;

        location / { empty_gif; }

        location = /in {
            govsvc_token  required;
            empty_gif;
        }
    }
EOF

# where an attack comes from

is(get('/?a=union', '203.0.113.9'), 403, 'an attack from a province');
is(get('/?a=union', '198.51.100.9'), 403, 'from another country');
is(get('/?a=union', '192.0.2.9'), 403, 'from nobody knows where');

my %by = map { $_->{src}{ip} => $_->{src} } events(3);

is($by{'203.0.113.9'}{country}, 'CN', 'its country');
is($by{'203.0.113.9'}{province}, 440000, 'its province');
is($by{'198.51.100.9'}{country}, 'US', 'another country');
is($by{'198.51.100.9'}{province}, undef, 'which has no province');
is($by{'192.0.2.9'}{country}, undef, 'nothing where nothing is known');

# one account over three provinces; another stays at home

for my $from ('203.0.113.9', '203.0.113.70') {
    is(get('/in', $from, 'traveller'), 200, "seen at $from");
}

is(get("/in", "203.0.113.$_", 'at-home'), 200, 'at home') for 1 .. 4;
is(scalar(events(3)), 3, 'two provinces are a journey');

is(get('/in', '203.0.113.130', 'traveller'), 200, 'and in a third one');

my ($e) = grep { $_->{rules}[0]{id} == 2309 } events(4);

is($e->{attack}, 'account', 'which no journey is');
is($e->{sev}, 3, 'a grave one');
is($e->{act}{res}, 'log', 'told, not refused');
is($e->{n}, 3, 'three provinces');
is($e->{src}{province}, 510000, 'the last of them');
is(scalar(events(4)), 4, 'told once, of one account');
unlike(join("\n", lines()), qr/traveller/, 'whose name is not told');

$t->done();


sub get {
    my ($uri, $address, $subject) = @_;
    my @headers = ('X-Real-Client' => $address);

    push @headers, Authorization => 'Bearer ' . $t->token('ES256',
        { iss => 'https://sso.gov.example', sub => $subject,
          exp => time + 600 }) if $subject;

    return $t->http_get($uri, headers => [ @headers ])->status;
}


sub lines {
    return grep { /"ty":"sec"/ }
        map { split /\n/, $t->read_file($_) } $t->audit_files();
}


sub events {
    my ($n) = @_;

    $t->wait_for(sub { lines() >= $n }, 20);

    return map { decode_json($_) } lines();
}
