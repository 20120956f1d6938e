#!/usr/bin/perl

# Copyright (C) govsvc authors

# govsvc_node: what nginx -t says about bad names.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new();

my $letters = 'allowed: letters, digits, "-" and "_" in bad.conf:1';
my $length = 'allowed: 1 to 32 characters in bad.conf:1';

my @cases = (

    # directive, message

    'govsvc_node;'
    => 'invalid number of arguments in "govsvc_node" directive in bad.conf:1',

    'govsvc_node a b;'
    => 'invalid number of arguments in "govsvc_node" directive in bad.conf:1',

    'govsvc_node "";' => "invalid node \"\", $length",

    'govsvc_node ' . 'n' x 33 . ';'
    => 'invalid node "' . 'n' x 33 . "\", $length",

    'govsvc_node gw.bj;' => "invalid node \"gw.bj\", $letters",
    'govsvc_node gw/bj;' => "invalid node \"gw/bj\", $letters",

    'govsvc_node gw-1; govsvc_node gw-2;'
    => '"govsvc_node" directive is duplicate in bad.conf:1',

    'server { govsvc_node gw; }'
    => '"govsvc_node" directive is not allowed here in bad.conf:1',

    'govsvc_node gw-BJ_01;' => '',
    'govsvc_node ' . 'n' x 32 . ';' => '',
);

$t->plan(@cases / 2);

while (my ($conf, $message) = splice @cases, 0, 2) {
    is($t->conf_error($conf), $message, $conf);
}
