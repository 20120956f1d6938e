#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# The directives of security events: good and bad, with the exact message.

use strict;
use warnings;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new();

sub error {
    my ($text) = @_;

    return $t->conf_error("$text\nserver { listen unix:%%DIR%%/s; }");
}

for (
    'govsvc_critical license;',
    'govsvc_critical identity; govsvc_critical payment routes=a,b-*;',
    'govsvc_critical off; govsvc_critical other routes=*;',
) {
    is(error($_), '', "good: $_");
}

for (
    ['govsvc_critical licence;',
        qr/invalid kind of system "licence".*"license"/],
    ['govsvc_critical license route=a;',
        qr{invalid parameter "route="; did you mean "routes="\?}],
    ['govsvc_critical license routes=;', qr/invalid routes "", allowed/],
    ['govsvc_critical license routes=a,,b;', qr/invalid routes "a,,b"/],
    ['govsvc_critical;', qr/invalid number of arguments/],
) {
    like(error($_->[0]), $_->[1], "bad: $_->[0]");
    like(error($_->[0]), qr/bad\.conf:1$/, 'with file and line');
}

$t->done();
