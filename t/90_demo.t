#!/usr/bin/perl

# Copyright (C) govsvc authors

# The demonstration does what it prints: every command that "make run" shows
# is run as a newcomer would, and each word behind "=>" must be in its answer.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new()->has(qw/mint cli curl/);
my $top = "$FindBin::Bin/..";

$ENV{GOVSVC_DEMO} = $t->dir() . '/demo';

# Four ports at fixed distances, all of them ours.

for (1 .. 100) {
    $ENV{GOVSVC_PORT} = $t->take_port();
    my @free = grep {
        IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1,
            LocalPort => $ENV{GOVSVC_PORT} + $_, ReuseAddr => 1)
    } 11, 33, 44;
    last if @free == 3;
}

chdir $top;

my $shown = `tools/demo start 2>&1`;
my $started = is($?, 0, 'starts') || diag($shown);
my @tries;

while ($shown =~ /^(\S.*)\n    (\S.*)\n    => (.*)$/mg) {
    push @tries, [$1, $2, $3];
}

cmp_ok(scalar @tries, '>=', 12, 'shows every stage');

for my $try (@tries) {
    my ($name, $command, $expected) = @$try;

    my $output = `$command 2>&1`;
    my @missing = grep { $output !~ /\Q$_\E/ } split / /, $expected;

    is("@missing", '', $name) or diag("$command\n$output");
}

my $log = $t->read_file('demo/error.log') // '';
unlike($log, qr/\[(?:alert|emerg|crit)\]/, 'clean log');

system('tools/demo stop >/dev/null 2>&1');
is($?, 0, 'stops');

for my $name (qw/gateway platforms/) {
    ok(!-e $t->dir() . "/demo/$name.pid", "$name is gone");
}

$t->done();
