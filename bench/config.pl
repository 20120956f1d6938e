#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# The processor's time that "nginx -t" takes with all rules, a store of audit
# and a zone of limits, and with the module loaded alone; medians.  Prints name
# TAB value TAB unit.
#
#   BENCH_ROUNDS=15 bench/config.pl

use strict;
use warnings;

use FindBin;
use File::Temp qw/tempdir/;

my $rounds = $ENV{BENCH_ROUNDS} || 15;
my $top = "$FindBin::Bin/..";
my $dir = tempdir('govsvc-config-XXXXXXXX', TMPDIR => 1, CLEANUP => 1);

my $everything = <<"END";
    govsvc_rules $top/lua-free-rules/*.rules;
    govsvc_audit_store dir=$dir/audit;
    govsvc_limit_zone \$govsvc_client_net zone=ip:32m rate=100r/s burst=100;
END

my %file = (
    config_loaded => conf('loaded', '', ''),
    config_all => conf('all', $everything,
        'govsvc_guard on; govsvc_audit meta; govsvc_limit zone=ip;'),
);

my %ms;

for (1 .. $rounds) {
    for my $name (sort keys %file) {
        my $start = spent();

        system("nginx -t -q -p $dir/ -e $dir/error.log -c $file{$name}") == 0
            or die "bench/config.pl: nginx -t\n" . `cat $dir/error.log`;

        push @{$ms{$name}}, (spent() - $start) * 1000;
    }
}

for my $name (reverse sort keys %ms) {
    my @sorted = sort { $a <=> $b } @{$ms{$name}};
    printf "%s\t%.0f\tms\n", $name, $sorted[@sorted / 2];
}


# Of the processes that ended, in seconds.

sub spent {
    my (undef, undef, $user, $system) = times();

    return $user + $system;
}


sub conf {
    my ($name, $http, $server) = @_;

    my $file = "$dir/$name.conf";
    my $user = $< == 0 ? 'user root;' : '';

    open my $fh, '>', $file or die "$file: $!\n";
    print $fh <<"END";
$user
load_module $top/build/ngx_govsvc_module.so;
pid $dir/nginx.pid;
error_log $dir/error.log;
events {}
http {
    access_log off;
$http
    server {
        listen 127.0.0.1:31998;
        $server
    }
}
END
    close $fh or die "$file: $!\n";

    return $file;
}
