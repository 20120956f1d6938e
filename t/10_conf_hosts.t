#!/usr/bin/perl

# Copyright (C) govsvc authors

# govsvc_hosts: each bad value with its message, and names in files.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new();

sub platforms {
    my ($file, $address) = @_;

    $t->write_file($file, <<"EOF");
{"platforms": [{"id": "gd"}],
 "pools": [{"id": "w", "platform": "gd"}],
 "instances": [{"id": "i", "pool": "w", "port": 80, "address": "$address"}]}
EOF
}

platforms('number.json', '10.44.0.1');
platforms('name.json', 'web.gd.example');

my $number = 'govsvc_platforms number.json; ';
my $name = 'govsvc_platforms name.json; ';
my $registry = 'govsvc_registry zone=r:2m snapshot=%%DIR%%/s/r.json; ';
my $resolver = 'resolver 127.0.0.1:1; ';
my $all = $number . $registry . $resolver;

for my $case (
    ['', 'invalid number of arguments in "govsvc_hosts" directive'],
    ['gd.example; govsvc_hosts bj.example',
        '"govsvc_hosts" directive is duplicate'],
    ['example', 'invalid suffix of names "example", it has one label only'],
    ['gd.example.',
        'invalid suffix of names "gd.example.", it ends in a dot'],
    ['*.gd.example', 'invalid suffix of names "*.gd.example", it has other '
        . 'bytes than letters, digits, "-" and "."'],
    ['GD.example',
        'invalid suffix of names "GD.example", it has upper case letters'],
    ['10.0.0.1', 'invalid suffix of names "10.0.0.1", it has an address in '
        . 'it'],
    ['a.local',
        'invalid suffix of names "a.local", it is no name of the network'],
    ['min=10s', '"govsvc_hosts" directive needs a suffix of names, such as '
        . '"gd.gov.example"'],
    ['gd.example min=0', 'invalid time "min=0", allowed: 1s to 1d'],
    ['gd.example max=2d', 'invalid time "max=2d", allowed: 1s to 1d'],
    ['gd.example timeout=x', 'invalid time "timeout=x", allowed: 1s to 1d'],
    ['gd.example min=10s max=9s',
        '"govsvc_hosts" directive has a "min=" above "max="'],
    ['gd.example addresses=0',
        'invalid number "addresses=0", allowed: 1 to 64'],
    ['gd.example addresses=65',
        'invalid number "addresses=65", allowed: 1 to 64'],
    ['gd.example adresses=2', 'invalid parameter "adresses=2"; did you mean '
        . '"addresses="?'],
) {
    my $got = $t->conf_error($all . "govsvc_hosts $case->[0];");

    is(substr($got, 0, length $case->[1]), $case->[1], $case->[1])
        or diag($got);
}

for my $case (
    [$number . $resolver . 'govsvc_hosts gd.example;',
        '"govsvc_hosts" needs "govsvc_registry" with "snapshot=": the last '
        . 'addresses are kept beside it'],
    [$number . $registry . 'govsvc_hosts gd.example;',
        '"govsvc_hosts" needs a resolver, write "resolver ADDRESS;" in the '
        . 'http block'],
    [$name . $registry . $resolver, 'instance "i" in "name.json" has the '
        . 'name "web.gd.example", which is under no suffix of '
        . '"govsvc_hosts"'],
    [$name . $registry . $resolver . 'govsvc_hosts bj.example;',
        'instance "i" in "name.json" has the name "web.gd.example", which '
        . 'is under no suffix of "govsvc_hosts"'],
) {
    my $got = $t->conf_error($case->[0]);

    like($got, qr/\Q$case->[1]\E/, $case->[1]) or diag($got);
}

is($t->conf_error($all), '', 'numbers need nothing');
is($t->conf_error($name . $registry . $resolver . 'govsvc_hosts .gd.example '
    . 'bj.example min=1s max=1d timeout=1s addresses=64;'), '',
    'all that is right');

$t->done();
