#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit: the space set aside is there from the start, goes when the disk is
# full and comes again; and who has set none aside waits without work.

use strict;
use warnings;

use POSIX ();
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new(workers => 1)->has('stock');
my $reserve = $t->dir() . '/audit/reserve';

# No disk is full of all but 1m, each is of all but a million gigabytes.

sub conf {
    my ($space) = @_;

    return $t->http_conf(<<"EOF");
govsvc_node         n1;
govsvc_audit_store  dir=audit flush=0ms;
govsvc_audit_space  $space;
govsvc_audit        meta;

server {
    listen 127.0.0.1:%%PORT_0%%;
    location / { return 200 "ok"; }
}
EOF
}

sub set_aside {
    my @s = stat $reserve or return 0;

    return $s[7] == 2 << 20 && $s[12] * 512 >= 2 << 20;
}

conf('full=1m reserve=2m')->run();
ok($t->wait_for(\&set_aside, 30), 'made at the start, of real blocks');

conf('full=1000000g reserve=2m');
ok($t->reload(), 'full');
ok($t->wait_for(sub { !-e $reserve }, 30), 'given to the records');

conf('full=1m reserve=2m');
ok($t->reload(), 'space again');
ok($t->wait_for(\&set_aside, 30), 'made again');

$t->stop();
unlink $reserve;

# The thread of the writer sleeps, full or not.

sub used {
    my ($pid) = $t->workers();

    open my $fh, '<', "/proc/$pid/stat" or die "stat: $!";
    my @f = split ' ', scalar(<$fh>) =~ s/^.*\) //r;

    return ($f[11] + $f[12]) / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

sub told { return scalar(() = $t->error_log() =~ /space for records is/g) }

my $told = told();
conf('full=1000000g')->run();
ok($t->wait_for(sub { told() > $told }, 30), 'full, and nothing set aside');

my $before = used();
sleep 3;
cmp_ok(used() - $before, '<', 0.3, 'it waits without work');
ok(!-e $reserve, 'and makes no such file');

$t->done();
