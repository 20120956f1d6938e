#!/usr/bin/perl

# Copyright (C) govsvc authors

# Minutes of platforms, from real requests to the report: a minute ends while
# workers are killed, an outage of 59 minutes becomes one of an hour, and what
# was counted outlives the death of all processes.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use POSIX qw/strftime/;
use Test::GovSvc::Admin;
use Test::GovSvc::SipHash qw/siphash/;
use Test::GovSvc::OpenApi;
use Time::HiRes qw/sleep time/;


my $t = Test::GovSvc::Admin->new(log => 'notice', workers => 2)->has('mint', 'jq');

my $port = $t->backend('a');
my $dead = $t->take_port();
my $file = $t->dir() . '/state/availability.txt';

$t->gateway(
    http => 'govsvc_availability  %%DIR%%/state/availability.txt;',
    server => 'location = /metrics { govsvc_metrics; }',
    platforms => encode_json({
        platforms => [
            { id => 'gd', region => '440000' },
            { id => 'bj', region => '110000' },
            { id => 'zj', region => '330000', state => 'maintenance' },
            { id => 'qh', region => '630000' },
        ],
        pools => [map { { id => "$_-web", platform => $_ } } qw/gd bj zj qh/],
        instances => [
            { id => 'gd-1', pool => 'gd-web', address => '127.0.0.1',
                port => $port },
            { id => 'bj-1', pool => 'bj-web', address => '127.0.0.1',
                port => $dead },
            { id => 'qh-1', pool => 'qh-web', address => '127.0.0.1',
                port => $dead, state => 'down' },
        ],
        routes => [map { { id => $_->[0], platform => $_->[0],
            pool => "$_->[0]-web", match => { paths => ["/$_->[1]/"] } } }
            ['gd', 44], ['bj', 11], ['zj', 33], ['qh', 63]],
    }));

# An outage of bj that is 59 minutes old.

sleep 60 - time() % 60 if time() % 60 > 45;

sub month { strftime('%Y-%m', gmtime(time() + 8 * 3600 + $_[0])) }

# no month ends while this runs

sleep 1 while month(0) ne month(300);

my $minute = int(time() / 60);
my $since = $minute - 59;
my $month = month(0);

mkdir $t->dir() . '/state';
chmod 0777, $t->dir() . '/state';

sub text {
    my ($body) = @_;

    my $key = pack('Q<2', unpack('Q>2', 'govsvc:available'));
    my $head = "govsvc-availability 1\n$body";

    return $head . sprintf("end %016x\n",
        unpack('Q<', siphash($key, $head)));
}

(my $plain = $month) =~ s/-//;
$t->write_file('state/availability.txt', text(<<"EOF2"));
clock 77 $since $minute
platform bj 1 $since @{[$minute - 1]} 59 0 0 0 59 0 0 9 9 9
month $plain 0 0 59 0 0 1 59 0 118 0
EOF2

$t->run();

# requests go on until the minute that they began in has ended

sub requests {
    $t->http_get('/44/x');
    $t->http_get('/11/x');
    $t->http_get('/33/x');
}

sub report {
    my ($who, $args) = @_;

    return $t->api($who, GET => 'availability' . ($args // ''));
}

# what jq answers, or its error

sub merge {
    my (@reports) = @_;

    my @files = map { "report$_.json" } 0 .. $#reports;

    $t->write_file($files[$_], JSON::PP->new->encode($reports[$_]))
        for 0 .. $#reports;

    my $dir = $t->dir();
    my $jq = "$FindBin::Bin/../conf/metrics/availability.jq";
    my $text = `cd '$dir' && jq -s -f '$jq' @files 2>&1`;

    return $? == 0 ? JSON::PP->new->decode($text) : $text;
}

sub platform {
    my ($r, $id) = @_;

    return (grep { $_->{platform} eq $id } @{$r->json->{platforms}})[0] // {};
}

sub logged {
    my ($level, $pattern, $name) = @_;

    my @found = grep { /\[$level\] .*govsvc availability: .*$pattern/ }
        split /\n/, $t->error_log();

    is(scalar @found, 1, $name);
}

sub lead {
    my $text = $t->http_get('/metrics')->body;
    return $text =~ /^govsvc_leader\{duty="availability"\} (\d+)$/m ? $1 : 0;
}

requests();

ok($t->wait_for(sub { lead() > 0 }, 20), 'one worker looks');
my $first = lead();
ok($t->wait_for(sub { report('system')->status == 200 }, 20),
    'there is a report');
is(platform(report('system'), 'bj')->{minutes}{down}, 59,
    'what the file had is in it');

$t->kill_worker('KILL', $first);
ok($t->wait_for(sub { my $pid = lead(); return $pid && $pid != $first }, 20),
    'another one looks when that one is killed');

ok($t->wait_for(sub {
    requests();
    sleep 0.5;
    my $r = report('system');
    return (platform($r, 'gd')->{minutes}{up} // 0) >= 1
        && (platform($r, 'bj')->{minutes}{down} // 0) >= 60;
}, 200), 'minutes end') or diag(report('system')->raw);

my $r = report('system');
my $api = Test::GovSvc::OpenApi->new($t->api(undef, GET => 'openapi.json')
    ->json);
$api->fits($r, '/availability', 'GET');

is(platform($r, 'gd')->{availability}, 100, 'one that served');
cmp_ok(platform($r, 'gd')->{requests}{served}, '>=', 1, 'its requests');
is(platform($r, 'gd')->{minutes}{unobserved}, 0,
    'a worker that died left no hole');
cmp_ok(platform($r, 'zj')->{minutes}{announced}, '>=', 1, 'maintenance apart');
is(platform($r, 'zj')->{minutes}{down}, 0, 'and no fault');
cmp_ok(platform($r, 'qh')->{minutes}{down}, '>=', 1,
    'no request, and no instance that could take one');

my ($out) = grep { $_->{platform} eq 'bj' } @{$r->json->{outages}};

ok(!$out->{ended}, 'the outage goes on');
is($out->{since}, strftime('%Y-%m-%dT%H:%M:00+08:00',
    gmtime($since * 60 + 8 * 3600)), 'since before the start');
cmp_ok($out->{minutes}, '>=', 60, 'an hour and more');
is($out->{clocks}[0]{hours}, 1, 'the clock of one hour has run out');

logged('crit', 'platform "bj" is unavailable since \S+, for 6\d minutes: the '
    . 'reporting clock of 1 h has run out', 'the alarm');
logged('error', 'platform "qh" is unavailable since', 'another outage begins');

my $text = $t->http_get('/metrics')->body;
like($text, qr/^govsvc_platform_reporting_clock_hours\{platform="bj"\} 1$/m,
    'the clock for Prometheus');
like($text, qr/^govsvc_platform_outage_seconds\{platform="gd"\} 0$/m,
    'no outage');
like($text, qr/^govsvc_platform_minutes_total\{platform="bj",state="down"\} /m,
    'minutes');

# CSV

for (['format', '?format=csv', 'application/json'], ['Accept', '',
    'text/csv, application/json;q=0.5'])
{
    my ($how, $args, $accept) = @$_;

    $r = $t->api('audit', GET => "availability$args", undef,
        Accept => $accept);
    like($r->header('Content-Type'), qr{^text/csv}, "CSV by $how");
    like($r->body, qr/^node,month,platform,availability,.*\r\n/, 'its head');
    like($r->body, qr/^"[^"]+",$month,gd,100\.0000,\d+,0,0,0,0,/m, 'a line');
}

like($t->api('audit', GET => 'availability?format=json', undef,
    Accept => 'text/csv')->header('Content-Type'), qr{^application/json},
    'what is asked for by name wins');

# who may

is_deeply([map { $_->{platform} } @{report('gd-ops')->json->{platforms}}],
    ['gd'], 'a province sees its own');
is_deeply(report('gd-ops')->json->{outages}, [], 'and no outage of others');
is(report('gd-ops', '?platform=bj')->status, 403, 'not if it names another');
is_deeply([map { $_->{platform} }
    @{report('audit', '?platform=bj')->json->{platforms}}], ['bj'],
    'staff may name one');
is(report(undef)->status, 401, 'nobody');

for my $bad (qw/month=2026-13 month=2026 format=xml month=2026-011/) {
    is(report('system', "?$bad")->status, 400, $bad);
}

is(report('system', '/x')->status, 404, 'nothing below');
is($t->api('system', POST => 'availability', {})->json->{code},
    'FORBIDDEN_ROLE', 'only to read');
is_deeply(report('system', '?month=2001-01')->json->{platforms}, [],
    'a month of long ago');

# the reports of two nodes make one

$r = report('system');
my $here = $r->json;
my %other = (%$here, node => 'other', complete => JSON::PP::false,
    until => '2001-01-01T00:00:00+08:00',
    platforms => [
        { platform => 'gd', availability => 25, minutes => { up => 1,
            idle => 0, down => 3, announced => 4, unobserved => 5 },
            requests => { served => 6, failed => 7, announced => 8 },
            outages => 99, longest => 98 },
        { platform => 'elsewhere', availability => undef, minutes => {
            up => 0, idle => 0, down => 0, announced => 1, unobserved => 0 },
            requests => { served => 0, failed => 0, announced => 0 },
            outages => 0, longest => 0 } ],
    outages => [ { platform => 'aa', since => '2001-01-01T00:00:00+08:00' } ]);

my %merged = map { $_->{platform} => $_ } @{$here->{platforms}};
my $gd = $merged{gd};
my ($well, $out_of) = ($gd->{minutes}{up} + $gd->{minutes}{idle} + 1,
    $gd->{minutes}{down} + 3);

my $one = merge($here);
is_deeply($one->{platforms}, [ map { $merged{$_} } sort keys %merged ],
    'of one node it is the same');

my $two = merge($here, \%other);
my %seen = map { $_->{platform} => $_ } @{$two->{platforms}};

is_deeply($two->{nodes}, [sort $here->{node}, 'other'], 'the nodes');
is($two->{until}, $other{until}, 'until the first of them ends');
ok(!$two->{complete}, 'complete when all are');
is($seen{gd}{minutes}{down}, $out_of, 'sums of minutes');
is($seen{gd}{requests}{announced}, $gd->{requests}{announced} + 8,
    'and of requests');
is($seen{gd}{availability}, int($well * 1000000
    / ($well + $out_of)) / 10000,
    'the mean of what both saw');
is("$seen{gd}{outages} $seen{gd}{longest}", '99 98', 'the most of a node');
ok(exists $seen{elsewhere} && !defined $seen{elsewhere}{availability},
    'what one alone has');
is_deeply($seen{bj}, $merged{bj}, 'both ways');
is($two->{outages}[0]{node}, 'other', 'outages tell whose they are');
is(scalar @{$two->{outages}}, 1 + @{$here->{outages}}, 'all of them');
like(merge($here, $here), qr/a node comes twice/, 'not one node twice');
like(merge($here, { %other, month => '2001-01' }), qr/several months/,
    'nor another month');

# all processes die at once

ok($t->wait_for(sub { ($t->read_file('state/availability.txt') // '')
    =~ /^platform gd 1 /m }, 100), 'the file has the minutes');

my $saved = $t->read_file('state/availability.txt');
my ($up) = $saved =~ /^platform gd 1 \d+ \d+ \d+ \d+ (\d+)/m;
my ($down) = $saved =~ /^platform bj 1 \d+ \d+ \d+ \d+ \d+ \d+ (\d+)/m;

$t->crash();
$t->run();

ok($t->wait_for(sub { report('system')->status == 200 }, 20), 'started again');
$r = report('system');
cmp_ok(platform($r, 'gd')->{minutes}{up}, '>=', $up, 'its minutes are there');
cmp_ok(platform($r, 'bj')->{minutes}{down}, '>=', $down, 'those of others too');

# a file that is not whole

$t->stop();
$saved = $t->read_file('state/availability.txt');
$t->write_file('state/availability.txt', substr($saved, 0, -5));
like($t->test_config($t->read_file('nginx.conf')) // '', qr/successful|^$/,
    'nginx -t touches nothing');
ok(-e $file && !-e "$file.damaged", 'not even a damaged file');
$t->run();
logged('crit', 'not whole: the checksum differs in \S+:\d+, moved to '
    . '"\S+\.damaged"', 'damage is told');
is($t->read_file('state/availability.txt.damaged'), substr($saved, 0, -5),
    'and the file is kept');
ok($t->wait_for(sub { report('system')->status == 200 }, 20),
    'counting begins anew');

$t->done();
