#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit: ends of years and months and the day that is not in each year, in
# Beijing's time: what was written when is found from and to those days,
# however they are written, and counted in the right one.

use strict;
use warnings;

use JSON::PP;
use Test::More;
use Time::Local qw/timegm/;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Fault;

my $t = Test::GovSvc->new()->has('cli');
my $fault = Test::GovSvc::Fault->new($t);
my $dir = $t->dir() . '/audit';

$t->http_conf(<<'EOF');
govsvc_node         n1;
govsvc_audit_store  dir=audit flush=0ms segment=64k;
govsvc_audit        meta;

server {
    listen 127.0.0.1:%%PORT_0%%;
    location / { return 200 "ok"; }
}
EOF

# The wall clock of server and command, in Beijing.

sub at {
    my ($day, $time) = @_;
    my ($y, $m, $d) = split /-/, $day;
    my ($h, $min, $s) = split /:/, $time;

    $fault->clock(timegm($s, $min, $h, $d, $m - 1, $y) - 8 * 3600 - time());
}

# Two hours from the end of a day: a slow machine takes its time.

my @moments = (
    ['before', '2026-12-31', '22:00:00'],
    ['first', '2027-01-01', '00:00:01'],
    ['eve', '2028-02-28', '22:00:00'],
    ['leap', '2028-02-29', '00:00:01'],
    ['leap2', '2028-02-29', '22:00:00'],
    ['march', '2028-03-01', '00:00:01'],
    ['plain', '2029-02-28', '22:00:00'],
    ['after', '2029-03-01', '00:00:01'],
    ['last', '2099-12-31', '22:00:00'],
);

at(@{$moments[0]}[1, 2]);
$t->run();

my @records;

for (@moments) {
    my ($name, $day, $time) = @$_;

    # Nginx looks at its clock when it wakes up; a record has the time of its
    # end, which is behind the answer

    at($day, $time);
    $t->http_get('/tick') for 1, 2;
    is($t->http_get("/$name")->status, 200, "$day $time");
    ok($t->wait_for(sub {
        @records = grep { $_->{http} } $t->audit_lines();
        return grep { $_->{http}{path} eq "/$name" } @records;
    }, 60), 'is written');
}

my %day = map { $_->{http}{path} => substr $_->{t}, 0, 10 } @records;

is($day{"/$_->[0]"}, $_->[1], "$_->[0]: a record of that day") for @moments;

sub found {
    my (@range) = @_;
    my ($code, $out, $err) = $fault->command('audit', 'query', $dir,
        '--type', 'http', '--no-record', '--json', @range);

    return "exit $code: $err" if $code > 1;
    return join ' ', grep { $_ ne 'tick' }
        map { substr decode_json($_)->{http}{path}, 1 }
        grep { /"ty":"http"/ } split /\n/, $out;
}

for my $case (
    ['before', '2026-12-31', '2027-01-01'],
    ['first', '2027-01-01', '2027-01-02'],
    ['before first', '2026-12-01', '2027-02-01'],
    ['first', '2026-12-31T16:00:00Z', '2026-12-31T18:00:00Z'],
    ['first', '2027-01-01T00:00', '2027-01-01T02:00'],
    ['before', '2026-12-31T22:59:59+09:00', '2026-12-31T17:00:00+01:00'],
    ['eve', '2028-02-28', '2028-02-29'],
    ['leap leap2', '2028-02-29', '2028-03-01'],
    ['march', '2028-03-01', '2028-03-02'],
    ['eve leap leap2 march', '2028-02-28', '2028-03-02'],
    ['plain', '2029-02-28', '2029-03-01'],
    ['after', '2029-03-01', '2029-03-02'],
    ['last', '2099-12-31', '2100-01-01'],
    ['', '2027-01-02', '2028-02-28'],
    ['', '2100-01-01', '2100-02-28'],
) {
    my ($want, $from, $to) = @$case;

    is(found('--from', $from, '--to', $to), $want, "from $from to $to");
}

is(found('--to', '2027-01-01'), 'before', 'to the end of a year');
is(found('--from', '2099-12-31'), 'last', 'from the last day');

# how long ago, across an end

at('2027-01-01', '00:30:00');
is(found('--from', '24h', '--to', '2027-01-02'), 'before first',
    'a day ago was last year');
at('2028-03-01', '01:00:00');
is(found('--from', '24h', '--to', '2028-03-02'), 'leap2 march',
    'and yesterday the 29th');

for my $bad ('2027-02-29', '2100-02-29', '2028-02-30', '2027-13-01',
             '2027-00-10', '2026-12-31T24:00', '2026-12-32', '2026-12-00')
{
    like(found('--from', $bad), qr/^exit 2: .*\Q$bad\E/s,
        "no such time: $bad");
}

# counted in the day, in the hour

sub periods {
    my ($by) = @_;
    my ($code, $out, $err) = $fault->command('audit', 'stats', $dir,
        '--by', $by, '--type', 'http', '--no-record', '--json');

    is($code, 0, "stats by $by") or diag($err);
    my $periods = decode_json($out)->{periods};
    return { map { $_ => $periods->{$_}{n} } keys %$periods };
}

my %days;
$days{$_->[1]} += 3 for @moments;

is_deeply(periods('day'), \%days, 'days');
is(scalar keys %{ periods('hour') }, scalar @moments, 'hours');

is(($t->audit_verify())[0], 0, 'nothing of it looks like tampering');

$t->done();
