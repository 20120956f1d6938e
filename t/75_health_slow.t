#!/usr/bin/perl

# Copyright (C) govsvc authors

# Peers that are slow or cannot make up their mind: by checks, by the fate of
# requests, beside a good peer and as the only one of their pool.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new(workers => 1, log => 'notice');

# What a peer says, to checks and to requests, is in a file: "good", "slow",
# "flap" (every second time 503).

sub peer {
    my ($name) = @_;
    my $dir = $t->dir();

    say_as($name, $_, 'good') for qw/check request/;

    return $t->backend($name, sub {
        my ($q) = @_;
        my $kind = $q->{uri} eq '/health' ? 'check' : 'request';
        my $file = "$dir/$name.$kind";

        open my $fh, '<', $file or return (200, [], $name);
        my $say = <$fh>;

        return (200, [], $name) if $say eq 'good';

        if ($say eq 'slow') {
            select undef, undef, undef, $kind eq 'check' ? 5 : 2;
            return (200, [], $name);
        }

        my $n = -s "$file.count" // 0;
        open my $count, '>>', "$file.count" or return (500, [], $name);
        print $count '.';
        close $count;

        return ($n % 2 ? 200 : 503, [], $name);
    });
}

sub say_as {
    my ($name, $kind, $say) = @_;

    # at once: a peer must not read a half

    $t->write_file("$name.$kind.new", $say);
    rename $t->dir() . "/$name.$kind.new", $t->dir() . "/$name.$kind";
}

sub count { -s $t->dir() . "/$_[0].$_[1].count" // 0 }

my %port = map { $_ => peer($_) } qw/good calm nervous lag lone/;

my $quick = '"type": "http", "path": "/health", "interval": "100ms",
    "jitter": "10ms", "fast": "50ms", "timeout": "3s"';
my $eject = '"eject": {"fails": 2, "time": "1h", "max": 50},
    "timeouts": {"read": "400ms"}';

# pool: what stands in it, ports

my %pool = (
    calm => [ '"check": "calm", "eject": {"fails": 0}', @port{qw/good calm/} ],
    nervous => [ '"check": "nervous", "eject": {"fails": 0}',
        @port{qw/good nervous/} ],
    lag => [ $eject, @port{qw/good lag/} ],
    lone => [ $eject, $port{lone} ],
);

my @names = sort keys %pool;
my (@pools, @instances, @routes);

for my $name (@names) {
    my ($text, @ports) = @{$pool{$name}};
    my $n = 0;

    push @pools, qq({"id": "$name", "platform": "gd", $text});
    push @routes, qq({"id": "$name", "platform": "gd", "pool": "$name",
        "match": {"paths": ["/$name/"]}});
    push @instances, map { $n++; qq({"id": "$name-$n", "pool": "$name",
        "address": "127.0.0.1", "port": $_}) } @ports;
}

$t->write_file('platforms.json', '{"platforms": [{"id": "gd",
    "region": "440000"}], "check_profiles": [
    {"id": "calm", "rise": 2, "fall": 2, ' . $quick . '},
    {"id": "nervous", "rise": 1, "fall": 1, ' . $quick . '}],
    "pools": [' . join(',', @pools) . '], "instances": ['
    . join(',', @instances) . '], "routes": [' . join(',', @routes) . ']}');

$t->http_conf(<<'EOF')->run();
    govsvc_platforms  platforms.json;

    upstream platforms {
        govsvc_balancer;
    }

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_route  on;

        location / {
            proxy_next_upstream  off;
            proxy_pass           http://platforms;
        }
    }
EOF

sub said {
    my ($pattern) = @_;
    my $n = () = $t->error_log() =~ /$pattern/g;
    return $n;
}

sub got {
    my ($uri, $n) = @_;
    my %got;

    for (1 .. $n) {
        my $r = $t->http_request('POST', $uri, body => 'x', timeout => 10);
        $got{$r->status}++;
    }

    return \%got;
}

for my $id (map { ("$_-1", "$_-2") } qw/calm nervous/) {
    ok($t->wait_for(sub { said(qr/instance "$id" \([^)]+\) is up/) }, 20),
        "$id is up");
}

# checks that flap

say_as($_, 'check', 'flap') for qw/calm nervous/;

ok($t->wait_for(sub { count('calm', 'check') >= 20
    && count('nervous', 'check') >= 20 }, 60), 'twenty checks each');

is(said(qr/instance "calm-2" \([^)]+\) is down/), 0,
    'every second check fails: two in a row never did');
cmp_ok(said(qr/instance "nervous-2" \([^)]+\) is down/), '>=', 5,
    'with rise and fall of one it goes out and in');
is_deeply(got("/$_/", 40), { 200 => 40 }, "$_: no request fails")
    for qw/calm nervous/;

# checks that are slow

say_as('calm', 'check', 'slow');
ok($t->wait_for(sub {
    said(qr/instance "calm-2" \([^)]+\) is down: timeout 0/)
}, 60), 'a check that is not answered in time');

say_as('calm', 'check', 'good');
ok($t->wait_for(sub {
    said(qr/instance "calm-2" \([^)]+\) is up/) >= 2
}, 60), 'and one that is again');

# requests that are slow: two, and no more

say_as('lag', 'request', 'slow');
my $got = got('/lag/', 30);
is($got->{504}, 2, 'two requests wait in vain');
is($got->{200}, 28, 'all others are served by the good peer');
is(said(qr/"lag-2".*ejected|of pool "lag" ejected/), 1, 'it is ejected');

# the only peer: always tried, and back with its first good answer

say_as('lone', 'request', 'slow');
$got = got('/lone/', 4);
is_deeply($got, { 504 => 4 }, 'slow: each request is tried');
is(said(qr/of pool "lone" ejected/), 0, 'the only one is never ejected');

say_as('lone', 'request', 'flap');
$got = got('/lone/', 20);
is_deeply($got, { 200 => 10, 503 => 10 }, 'flapping: every answer of its own');
is(count('lone', 'request'), 20, 'each request reached it');

say_as('lone', 'request', 'good');
is_deeply(got('/lone/', 5), { 200 => 5 }, 'good again: served at once');

$t->done();
