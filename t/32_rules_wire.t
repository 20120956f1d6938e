#!/usr/bin/perl
#
# Copyright (C) govsvc authors
#
# Set f of t/rules/README.md over the wire: attacks on the protocol, and odd
# requests that are none.  Beside the server with rules stands the same without,
# so that what Nginx itself refuses is told apart.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Select;
use Test::GovSvc;
use Time::HiRes qw/time/;

my $t = Test::GovSvc->new(log => 'warn');

$t->nginx_backend('app', <<'EOC');
    server {
        listen  127.0.0.1:%%PORT_9%%;
        client_max_body_size 0;
        ignore_invalid_headers off;
        location / { return 200 "ok\n"; }
    }
EOC

$t->http_conf(<<'EOC')->run();
    govsvc_rules          %%TOP%%/lua-free-rules/*.rules;
    client_max_body_size  8m;
    keepalive_timeout     0;
    lingering_timeout     200ms;

    server {
        listen  127.0.0.1:%%PORT_0%%;
        govsvc_guard  on;
        govsvc_guard_budget  1s;
        location / { proxy_pass http://127.0.0.1:%%PORT_9%%; }
    }

    server {
        listen  127.0.0.1:%%PORT_1%%;
        govsvc_guard  off;
        location / { proxy_pass http://127.0.0.1:%%PORT_9%%; }
    }
EOC

my %attack = sent('attack');
my %benign = sent('benign');

cmp_ok($attack{all}[0], '>=', 360, 'attacks');
cmp_ok($benign{all}[0], '>=', 240, 'odd requests');

cmp_ok(100 * $attack{all}[1] / $attack{all}[0], '>=', 86, 'attacks refused');
cmp_ok(100 * $attack{$_}[1] / $attack{$_}[0], '>=', 60, "attacks: $_")
    for sort keys %attack;

cmp_ok($benign{all}[1] - $benign{all}[2], '<=', 3, 'odd requests let pass')
    or diag(join "\n", @{$benign{all}[3]});

$t->done;


# class => [sent, refused, refused without rules, [refused by rules]]
sub sent {
    my ($label) = @_;
    my %sum;

    open my $in, '-|', $^X, "$FindBin::Bin/rules/wire.pl", $label
        or die "wire.pl: $!\n";
    binmode $in;
    my $all = do { local $/; <$in> };
    close $in or die "wire.pl $label failed\n";

    while ($all =~ /^=== \w+-(\w+) (\d+)\n(.*?)\n(?==== \w+-\w+ \d+\n|\z)/gms) {
        my ($class, $number, $request) = ($1, $2, $3);
        my ($with, $without) = map { refused($t->port($_), $request) } 0, 1;

        for my $sum ($class, 'all') {
            $sum{$sum} //= [0, 0, 0, []];
            $sum{$sum}[0]++;
            $sum{$sum}[1] += $with;
            $sum{$sum}[2] += $without;
            push @{$sum{$sum}[3]}, "$class $number: "
                . substr $request =~ s/[^\x20-\x7e]+/~/gr, 0, 200
                if $with && !$without;
        }
    }

    return %sum;
}


# An answer of 400 to 499, or of 500 to what is no HTTP; what waits for more
# is sent no more.
sub refused {
    my ($port, $request) = @_;
    my ($answer, $at, $end) = ('', 0, time + 30);
    my $s = $t->connect(port => $port);

    local $SIG{PIPE} = 'IGNORE';

    $s->blocking(0);

    while (time < $end) {
        my $more = $at < length $request;
        my ($r, $w) = IO::Select->select(IO::Select->new($s),
                                         $more ? IO::Select->new($s) : undef,
                                         undef, 5);

        if ($w && @$w) {
            my $n = syswrite $s, $request, length($request) - $at, $at;

            $at = defined $n ? $at + $n : length $request
                if defined $n || !$!{EAGAIN};

            shutdown $s, 1 if $at == length $request;
        }

        if ($r && @$r) {
            my $n = sysread $s, my $bytes, 65536;

            last if defined $n ? $n == 0 : !$!{EAGAIN};
            $answer .= $bytes // '';
            $answer =~ s{^HTTP/1\.1 100 .*?\r\n\r\n}{}s;
            last if $answer =~ /\r\n\r\n/;
        }
    }

    return $answer =~ m{^HTTP/1\.\d [45]\d\d } ? 1 : 0;
}
