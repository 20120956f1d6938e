#!/usr/bin/perl
#
# Copyright (C) govsvc authors
#
# Numbers of autonomous systems: in rules, variables and events, out of a
# database of their own or of one for all, replaced while requests go on.

use strict;
use warnings;

use Test::More;
use JSON::PP;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Mmdb;

my $t = Test::GovSvc->new(workers => 2);

# network, country, number
my @nets = (
    [ '203.0.113.0/26', 'CN', 4134 ],
    [ '203.0.113.64/26', 'CN', 65551 ],
    [ '203.0.113.128/26', 'CN', 4294967295 ],
    [ '203.0.113.192/26', 'CN' ],
    [ '2001:db8:44::/48', 'CN', 4837 ],
    [ '198.51.100.0/24', 'US', 64496 ],
);

database('places.mmdb', 'Test-City', 0, @nets);
database('numbers.mmdb', 'Test-ASN', 1, @nets);
database('both.mmdb', 'Test-City-and-ASN', 2, @nets);

$t->write_file('a.rules', <<'EOR');
set clouds literal { 64496; 64497; }

rule 3001 clouds  { match asn in $clouds; match path prefix /set; block; }
rule 3002 listed  { match asn in 4134 4837; match path prefix /in; block; }
rule 3003 largest { match asn eq 4294967295; match path prefix /eq; block; }
rule 3004 high    { match asn >= 65536; match path prefix /ge; block; }
rule 3005 others  { match asn !in 4134; match path prefix /not; block; }
rule 3006 unknown { match asn !exists; match path prefix /none; block; }

correlate 3100 network {
    on    request;
    only  path /counted;
    key   asn;
    count >= 3 in 10m;
    do    log;
}
EOR

my $servers = <<'EOF';
    govsvc_rules        a.rules;
    govsvc_correlate    zone=corr:1m;
    govsvc_audit_store  dir=audit flush=5ms;
    govsvc_audit        meta;

    set_real_ip_from    127.0.0.0/8;
    real_ip_header      X-Real-Client;

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_guard  on;

        location / {
            try_files   /nothing @inner;
        }

        location @inner {
            add_header  X-Number "[$govsvc_asn]" always;
            empty_gif;
        }
    }

    server {
        listen        127.0.0.1:%%PORT_1%%;

        location / {
            add_header  X-Number "[$govsvc_asn]" always;
            empty_gif;
        }
    }
EOF

$t->http_conf("govsvc_geo places.mmdb asn=numbers.mmdb;\n" . $servers)->run();


sub ask {
    my ($uri, $address, $port) = @_;

    return $t->http_get($uri, headers => [ 'X-Real-Client' => $address ],
        $port ? (port => $port) : ());
}


sub number {
    my ($address, $port) = @_;

    my $r = ask('/', $address, $port);

    return $r->status . ' ' . ($r->header('X-Number') // '');
}


sub numbers {
    my ($what) = @_;

    is(number('203.0.113.9'), '200 [4134]', "$what: a number");
    is(number('203.0.113.70'), '200 [65551]', "$what: of 32 bits");
    is(number('203.0.113.140'), '200 [4294967295]', "$what: the greatest");
    is(number('203.0.113.200'), '200 []', "$what: no number");
    is(number('192.0.2.1'), '200 []', "$what: not in the database");
    is(number('2001:db8:44::1'), '200 [4837]', "$what: IPv6");
    is(number('::ffff:203.0.113.9'), '200 [4134]', "$what: IPv4 in IPv6");
}


numbers('of its own');
is(number('203.0.113.9', $t->port(1)), '200 [4134]', 'without the guard');

# rules

for my $case (
    [ '/set', '198.51.100.7', 403, 'in a set' ],
    [ '/set', '203.0.113.9', 200, 'not in the set' ],
    [ '/in', '203.0.113.9', 403, 'in a list' ],
    [ '/in', '2001:db8:44::7', 403, 'in a list by IPv6' ],
    [ '/in', '::ffff:203.0.113.9', 403, 'in a list by IPv4 in IPv6' ],
    [ '/in', '203.0.113.70', 200, 'not in the list' ],
    [ '/in', '192.0.2.1', 200, 'no number is in no list' ],
    [ '/eq', '203.0.113.140', 403, 'equal' ],
    [ '/eq', '203.0.113.9', 200, 'not equal' ],
    [ '/ge', '203.0.113.70', 403, 'greater' ],
    [ '/ge', '203.0.113.9', 200, 'less' ],
    [ '/not', '203.0.113.70', 403, 'negated' ],
    [ '/not', '203.0.113.9', 200, 'negated, in the list' ],
    [ '/none', '192.0.2.1', 403, 'without a number' ],
    [ '/none', '203.0.113.9', 200, 'with a number' ],
) {
    my ($uri, $address, $status, $name) = @$case;
    is(ask($uri, $address)->status, $status, "a rule: $name");
}

my %by;

my @told = qw/198.51.100.7 2001:db8:44::7 203.0.113.140 192.0.2.1/;

ok($t->wait_for(sub { %by = events(); return !grep { !$by{$_} } @told }, 60),
    'events of all of them');

is($by{'198.51.100.7'}{asn}, 64496, 'the number in an event');
is($by{'198.51.100.7'}{country}, 'US', 'beside the country');
is($by{'2001:db8:44::7'}{asn}, 4837, 'of an IPv6 address');
is($by{'203.0.113.140'}{asn}, 4294967295, 'the greatest in an event');
is($by{'192.0.2.1'}{asn}, undef, 'nothing of an address that is not known');

# addresses of one system are counted together, others and unknown ones are not

is(ask('/counted', "203.0.113.$_")->status, 200, "counted: $_")
    for 20, 70, 21, 140, 200, 201, 202;
is(ask('/counted', '203.0.113.22')->status, 200, 'the third of one system');

ok($t->wait_for(sub { %by = events(); return $by{'203.0.113.22'} }, 60),
    'the third fires');
is($by{'203.0.113.22'}{asn}, 4134, 'and tells whose it is');
is($by{'203.0.113.22'}{key}, 'AS4134', 'by its name');
ok(!grep({ $by{$_} } map { "203.0.113.$_" } 200 .. 202),
    'what has no number is not counted');

# replaced under load, in both workers, with no request lost and no reload

my $pid = $t->read_file('nginx.pid');
my %seen;
my @load = map { $t->load_start(uri => "/$_", connections => 2,
    pause => 0.001, headers => [ 'X-Real-Client' => $_ ]) }
    '203.0.113.9', '2001:db8:44::1';

database('new.mmdb', 'Test-ASN', 1, [ '203.0.113.0/24', 'CN', 9808 ],
    [ '2001:db8:44::/48', 'CN', 56040 ]);
rename $t->dir . '/new.mmdb', $t->dir . '/numbers.mmdb' or die "rename: $!";

ok($t->wait_for(sub {
    $seen{number('203.0.113.9')}++;
    return logged(qr/numbers\.mmdb" was replaced/) == 2;
}, 60), 'both workers saw the new file');

for my $load (@load) {
    my $count = $t->load_stop($load);
    ok(delete $count->{200}, 'requests went on meanwhile');
    is_deeply($count, {}, 'and no one failed');
}

delete @seen{'200 [4134]', '200 [9808]'};
is_deeply(\%seen, {}, 'each answer is of the one or of the other');
is(number('203.0.113.9'), '200 [9808]', 'and now of the new one');
is(number('2001:db8:44::1'), '200 [56040]', 'by IPv6');
is($t->read_file('nginx.pid'), $pid, 'without a reload');

# a bad one in its place

database('new.mmdb', 'Test-City', 0, @nets);
rename $t->dir . '/new.mmdb', $t->dir . '/numbers.mmdb' or die "rename: $!";

ok($t->wait_for(sub {
    return logged(qr/database\ type\ "Test-City"\ knows\ no\ numbers\ of
        \ autonomous\ systems,\ allowed:\ an\ ASN,\ ISP\ or\ Enterprise
        \ database\ in\ "\S*numbers\.mmdb",\ the\ database\ before\ it
        \ stays/x) == 2;
}, 60), 'a file of something else is told, in words');

is(number('203.0.113.9'), '200 [9808]', 'and what was known stays');

# places are replaced by the same code

database('new.mmdb', 'Test-City', 0, [ '203.0.113.0/24', 'LA' ]);
rename $t->dir . '/new.mmdb', $t->dir . '/places.mmdb' or die "rename: $!";

ok($t->wait_for(sub { logged(qr/places\.mmdb" was replaced/) == 2 }, 60),
    'places are replaced as well');

is(ask('/not', '203.0.113.77')->status, 403, 'an attack from the new place');
ok($t->wait_for(sub { %by = events(); return $by{'203.0.113.77'} }, 60),
    'is told');
is($by{'203.0.113.77'}{country}, 'LA', 'with its new country');
is($by{'203.0.113.77'}{asn}, 9808, 'and its number');

# one database for all

for my $case ([ 'both.mmdb', 'one for all' ],
              [ 'both.mmdb asn=both.mmdb', 'named twice' ])
{
    $t->stop();
    $t->http_conf("govsvc_geo $case->[0];\n" . $servers)->run();
    numbers($case->[1]);
}

for my $case ([ 'govsvc_geo places.mmdb;', 'places alone' ],
              [ '', 'no database' ])
{
    $t->stop();
    $t->http_conf("$case->[0]\n" . $servers)->run();

    my $told = ($t->nginx_t('nginx.conf'))[1];

    is(scalar(() = $told =~ m{"asn" is known of nobody: there is no database}g),
       7, "$case->[1]: told of each line of rules") or diag($told);
    like($told, qr/\[warn\] "asn" [^\n]*, add "asn=FILE" to "govsvc_geo" in /,
         "$case->[1]: and what to do");
    like($told, qr/"asn" is known[^\n]*a\.rules:10$/m,
         "$case->[1]: and of the correlation");
    is(number('198.51.100.7'), '200 []', "$case->[1]: no number");
    is(ask('/set', '198.51.100.7')->status, 200,
        "$case->[1]: a rule that asks for it");
}

# errors

database('numbers.mmdb', 'Test-ASN', 1, @nets);

for my $case (
    [ 'both.mmdb asn=places.mmdb',
      qr/^database\ type\ "Test-City"\ knows\ no\ numbers\ of\ autonomous
         \ systems,\ allowed:\ an\ ASN,\ ISP\ or\ Enterprise\ database\ in
         \ "\S*places\.mmdb"\ in\ bad\.conf:1$/x ],
    [ 'numbers.mmdb asn=numbers.mmdb',
      qr/^database\ type\ "Test-ASN"\ knows\ no\ places,\ allowed:\ a\ City,
         \ Country\ or\ Enterprise\ database;\ this\ one\ is\ for\ "asn="\ in
         \ "\S*numbers\.mmdb"\ in\ bad\.conf:1$/x ],
    [ 'both.mmdb asn=none.mmdb',
      qr/^Error\ opening\ the\ specified\ MaxMind\ DB\ file\ in\ "\S*none\.mmdb"\ in
         \ bad\.conf:1$/x ],
    [ 'both.mmdb ans=numbers.mmdb',
      qr/^invalid parameter "ans=numbers\.mmdb"/ ],
    [ 'both.mmdb asn=',
      qr/^empty file name in parameter "asn=" of "govsvc_geo" directive/ ],
) {
    like($t->conf_error("govsvc_geo $case->[0];\n"), $case->[1], $case->[0]);
}

$t->done();


sub logged {
    my ($pattern) = @_;

    return scalar(() = $t->error_log() =~ /$pattern/g);
}


sub events {
    return map { $_->{src}{ip} => { %{$_->{src}}, key => $_->{act}{key} } }
        map { decode_json($_) }
        grep { /"ty":"sec"/ && /\}$/ }
        map { split /\n/, $t->read_file($_) } $t->audit_files();
}


# network, country, number; $what: 0 of places, 1 of numbers, 2 of both
sub database {
    my ($file, $type, $what, @entries) = @_;

    mmdb_write($t->dir() . "/$file", $type, map {
        my ($net, $country, $number) = @$_;

        $net => {
            $what != 1 ? place($country) : (),
            $what != 0 && $number ? system_number($number) : (),
        };
    } @entries);
}
