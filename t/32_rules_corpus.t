#!/usr/bin/perl
#
# Copyright (C) govsvc authors
#
# The rules over the corpora of t/rules/: how many attacks of each class are
# refused, and how many requests of citizens.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

chdir "$FindBin::Bin/..";

my $t = Test::GovSvc->new(no_module => 1)->has('cli');

my $gen = "$FindBin::Bin/rules/gen.pl";
my @rules = sort glob "lua-free-rules/*.rules";

# What a change may not fall below, a little under what is reached.

my %least = (sqli => 95, xss => 95, cmdi => 93, lfi => 93, php => 90,
             java => 95, ssti => 95, ssrf => 95, ldap => 95, crlf => 80,
             nosql => 90, evasion => 87, recon => 95, scanner => 95,
             known => 92, webshell => 90, upload => 95, xxe => 95,
             protocol => 55);

# Of requests that are not code, markup or maps, one in two hundred.

my %most = (richtext => 5, codelike => 5, gis => 5, graphql => 5);

my %attack = check('attack');

for my $class (sort keys %least) {
    cmp_ok(share($attack{$class}), '>=', $least{$class},
           "attacks: $class at least $least{$class} %");
}

my ($n, $refused) = (0, 0);

$n += $_->[0], $refused += $_->[1] for values %attack;
cmp_ok(share([$n, $refused]), '>=', 92, 'attacks: all');
is_deeply([sort keys %attack], [sort keys %least], 'every class is there');

for my $seed (1, 2) {
    my %benign = check('benign', $seed);
    my ($plain, $wrong) = (0, 0);

    for my $class (sort keys %benign) {
        if (!exists $most{$class}) {
            $plain += $benign{$class}[0];
            $wrong += $benign{$class}[1];
            next;
        }

        cmp_ok(share($benign{$class}), '<=', $most{$class},
               "citizens, seed $seed: $class at most $most{$class} %");
    }

    cmp_ok($plain, '>=', 2000, "citizens, seed $seed: enough requests");
    cmp_ok(share([$plain, $wrong]), '<=', 0.5, "citizens, seed $seed: the"
           . ' rest at most 0.5 %');
}

$t->done;


sub share {
    my ($sum) = @_;

    return defined $sum && $sum->[0] ? 100 * $sum->[1] / $sum->[0] : -1;
}


# requests and refusals by class
sub check {
    my ($label, $seed) = @_;
    my $file = $t->dir . "/$label";
    my %sum;

    open my $in, '-|', $^X, $gen, $label, $seed // 1 or die "$gen: $!\n";
    open my $out, '>:raw', $file or die "$file: $!\n";
    binmode $in;
    print $out $_ while <$in>;
    close $in or die "$gen $label failed\n";
    close $out or die "$file: $!\n";

    my ($code, $text, $err) = $t->govsvc('rules', 'check', @rules, '--corpus',
                                         $file);

    die "govsvc rules check: $code\n$err" unless $text =~ /^sum\tall\t/m;

    while ($text =~ /^sum\t\Q$label\E-(\w+)\t(\d+)\tblocked\ (\d+)
                     [^\n]*?(?:answered\ 400:\ (\d+))?$/gmx)
    {
        $sum{$1} = [$2, $3 + ($4 // 0)];
    }

    return %sum;
}
