#!/usr/bin/perl

# Copyright (C) govsvc authors

# The checks that the harness adds to every test fail when they must.

use strict;
use warnings;

use Test::More;
use FindBin;

my %cases = (
    'a quiet test' => ['', 0],
    'an alert' => ['note_line("[alert] 1#1: open socket #3 left")', 1],
    'an emergency' => ['note_line("[emerg] 1#1: no")', 1],
    'an alert that was expected'
        => ['$t->expect_log(qr/left/); note_line("[alert] 1#1: left")', 0],
    'a worker that died'
        => ['kill "SEGV", $t->workers(); sleep 1', 1],
    'a worker that was killed' => ['$t->kill_worker()', 0],
    'a sanitizer report'
        => ['note_line("gs_str.c:1:2: runtime error: shift")', 1],
    'a process left'
        => ['$t->{leftover}++', 1],
);

plan tests => 2 * keys %cases;

for my $name (sort keys %cases) {
    my ($body, $fails) = @{$cases{$name}};

    my $code = <<"END";
use Test::More;
use Test::GovSvc;
my \$t = Test::GovSvc->new(no_module => 1)->plan(1);
\$t->http_conf('server { listen 127.0.0.1:%%PORT_0%%; return 200 x; }');
\$t->run();
is(\$t->http_get('/')->body, 'x', 'serves');
$body;
sub note_line { my \$old = \$t->error_log();
    \$t->write_file('error.log', "\$old\\n\$_[0]\\n"); }
END

    local $ENV{GOVSVC_ASAN};
    local $ENV{GOVSVC_VALGRIND};
    open my $fh, '-|', $^X, "-I$FindBin::Bin/lib", '-e',
        "BEGIN { open STDERR, '>', '/dev/null' } $code" or die "perl: $!";
    my $out = do { local $/; <$fh> };
    close $fh;

    is($? >> 8, $fails, $name);
    like($out, qr/^ok 1 - serves$/m, "$name: the server ran");
}
