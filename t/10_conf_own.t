#!/usr/bin/perl

# Copyright (C) govsvc authors

# Instances of the operator's file at a place where the gateway itself listens
# or where its Redis is: refused with file, line and pointer.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new();
my $port = $t->port(3);
my $other = $t->port(4);

sub platforms {
    my ($address, $at) = @_;

    $t->write_file('p.json', <<"EOF_");
{"platforms": [{"id": "gd"}],
 "pools": [{"id": "w", "platform": "gd"}],
 "instances": [
  {"id": "a", "pool": "w", "port": 80, "address": "10.44.0.1"},
  {"id": "b", "pool": "w", "port": $at,
   "address": "$address"}]}
EOF_
}

my $redis = 'govsvc_redis r { server 10.44.60.1; } '
    . 'govsvc_redis s { sentinel m 10.44.60.2 [2001:da8::5]:26380; } '
    . 'govsvc_redis c { cluster 10.44.60.3:7000 10.44.60.4:7001; } ';
my $loop = 'the gateway itself listens there';
my $store = 'a Redis of the gateway is there';

for my $case (
    ["listen 127.0.0.1:$port;", '127.0.0.1', $port, $loop],
    ["listen 127.0.0.1:$port;", '127.0.0.2', $port, undef],
    ["listen 127.0.0.1:$port;", '127.0.0.1', $other, undef],
    ["listen $port;", '127.0.0.1', $port, $loop],
    ["listen $port;", '127.3.3.3', $port, $loop],
    ["listen $port;", '10.44.0.9', $port, undef],
    ["listen $port;", '127.0.0.1', $other, undef],
    ["listen $port;", '::1', $port, undef],
    ["listen [::]:$port;", '::1', $port, $loop],
    ["listen [::]:$port;", '127.0.0.1', $port, undef],
    ["listen [::]:$port ipv6only=off;", '127.0.0.1', $port, $loop],
    ["listen unix:%%DIR%%/s;", '127.0.0.1', $port, undef],
    ["listen 127.0.0.1:$port;", '64:ff9b::7f00:1', $port, $loop],
    ["listen $other;", '10.44.60.1', 6379, $store],
    ["listen $other;", '10.44.60.1', 6380, undef],
    ["listen $other;", '10.44.60.2', 26379, $store],
    ["listen $other;", '2001:da8::5', 26380, $store],
    ["listen $other;", '10.44.60.3', 7000, $store],
    ["listen $other;", '10.44.60.4', 7001, $store],
    ["listen $other;", '10.44.60.4', 7000, undef],
    map { ["listen " . (/:/ ? '[::]:' : '') . "$port;", $_, $port, $loop] }
        grep { !/^fe80/ } split(' ', `hostname -I`),
) {
    my ($listen, $address, $at, $why) = @$case;

    platforms($address, $at);

    my $got = $t->conf_error("$redis govsvc_platforms p.json; "
        . "server { $listen }");

    if ($why) {
        like($got, qr/^no instance may have the address "\Q$address\E" with port $at: $why at \/instances\/1\/address in \S*p\.json:6/,
            "$listen $address $at is refused");

    } else {
        is($got, '', "$listen $address $at is none");
    }
}

$t->done();
