#!/usr/bin/perl

# Copyright (C) govsvc authors

# Mistakes in the directives of metrics, and what is said about them.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new();

my @cases = (

    # directive, message

    'server { location / { govsvc_metrics; govsvc_metrics; } }'
    => '"govsvc_metrics" directive is duplicate in bad.conf:1',

    'server { location / { govsvc_metrics on; } }'
    => 'invalid number of arguments in "govsvc_metrics" directive in '
        . 'bad.conf:1',

    'server { govsvc_metrics; }'
    => '"govsvc_metrics" directive is not allowed here in bad.conf:1',

    'server { location / { govsvc_metrics; } }' => '',
);

$t->plan(@cases / 2);

while (my ($conf, $message) = splice @cases, 0, 2) {
    is($t->conf_error($conf), $message, $conf);
}
