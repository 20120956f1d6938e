#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# govsvc_supervision: what it accepts, and what it says of the rest.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new();

my $rest = 'server { listen unix:%%DIR%%/s; }';
my $store = 'govsvc_audit_store dir=a;';

for my $good ('on', 'off', 'on pass', 'on warn=0', 'on pass warn=30d') {
    is($t->conf_error("govsvc_supervision $good;\n$store $rest"), '',
        "govsvc_supervision $good");
}

for my $bad (
    [ 'yes;', 'invalid word "yes"' ],
    [ 'on passs;', 'invalid parameter "passs"' ],
    [ 'on warn=31d;', 'invalid warn "31d", allowed: 0 to 30d in bad.conf:1' ],
    [ 'on warn=;', 'invalid warn "", allowed: 0 to 30d in bad.conf:1' ],
    [ 'off pass;', '"govsvc_supervision off" has no parameters in '
        . 'bad.conf:1' ],
    [ 'on; govsvc_supervision on;', '"govsvc_supervision" directive is '
        . 'duplicate in bad.conf:1' ],
) {
    my ($args, $expected) = @$bad;
    my $error = $t->conf_error("govsvc_supervision $args\n$store $rest");
    ok(index($error, $expected) >= 0, "govsvc_supervision $args")
        or diag "$error\ninstead of\n$expected";
}

is($t->conf_error("govsvc_supervision on;\n$rest"), '"govsvc_supervision" '
    . 'writes into the audit store: add "govsvc_audit_store dir=..." to the '
    . 'http block in bad.conf:1', 'without a store');

$t->done();
