#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# The unit tests of the library: every t/unit/NAME_test.c is a program that
# prints TAP, built by "make unit-programs" with the sanitizers.

use strict;
use warnings;

use FindBin;
use Test::More;

my $top = "$FindBin::Bin/..";
my @names = map { m{([^/]+)\.c$} } sort glob "$FindBin::Bin/unit/*_test.c";

plan tests => scalar @names || 1;

ok(0, 'there are unit tests') unless @names;

for my $name (@names) {
    my $program = "$top/build/unit/$name";

    if (!-x $program) {
        fail("$name is not built: make unit-programs");
        next;
    }

    my $output = `cd $top && timeout 300 $program 2>&1`;
    my $code = $?;
    my $passed = () = $output =~ /^ok /mg;
    my ($last) = $output =~ /^1\.\.(\d+)$/m;
    my $good = $code == 0 && defined $last && $last > 0
        && $passed == $last && $output !~ /^not ok/m;

    ok($good, "$name: $passed tests");

    if (!$good) {
        diag("exit code $code");
        diag(join "\n", grep { !/^ok / } split /\n/, $output);
    }
}
