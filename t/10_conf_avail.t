#!/usr/bin/perl

# Copyright (C) govsvc authors

# Mistakes in govsvc_availability, and what is said about them.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new();

$t->write_file('platforms.json', '{"platforms": []}');

my @cases = (

    # directives, message

    'govsvc_availability;'
    => 'invalid number of arguments in "govsvc_availability" directive in '
        . 'bad.conf:1',

    'govsvc_availability a b;'
    => 'invalid number of arguments in "govsvc_availability" directive in '
        . 'bad.conf:1',

    'govsvc_availability "";'
    => '"govsvc_availability" directive needs the name of a file in '
        . 'bad.conf:1',

    'govsvc_availability a; govsvc_availability b;'
    => '"govsvc_availability" directive is duplicate in bad.conf:1',

    'govsvc_availability /tmp/;'
    => '"/tmp/" is no name of a file in bad.conf:1',

    'server { govsvc_availability a; }'
    => '"govsvc_availability" directive is not allowed here in bad.conf:1',

    'govsvc_availability a;'
    => '"govsvc_availability" needs "govsvc_platforms"',

    'govsvc_platforms platforms.json; govsvc_availability a;' => '',
);

$t->plan(@cases / 2);

while (my ($conf, $message) = splice @cases, 0, 2) {
    is($t->conf_error($conf), $message, $conf);
}
