#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit on a disk that is full: requests are answered, what does not fit the
# buffer is counted in the chain, and the chain goes on when there is space.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new()->has('cli');
my $dir = $t->dir() . '/audit';

mkdir $dir, 0755;

if ($< != 0 || system("mount -t tmpfs -o size=128k,mode=0755 tmpfs '$dir'"
    . ' 2>/dev/null') != 0)
{
    plan(skip_all => 'a file system cannot be mounted here');
}

END { system "umount '$dir' 2>/dev/null" if $dir }

$t->plan(17);

$t->http_conf(<<'EOF')->run();
govsvc_node        n1;
govsvc_audit_store dir=audit buffer=64k segment=64k flush=0ms;
govsvc_audit       meta;

server {
    listen 127.0.0.1:%%PORT_0%%;
    location / { return 200 "ok"; }
}
EOF

sub verify {
    my ($code, @chains) = $t->audit_verify();

    # the chain of the worker, not those of the master

    return ($code, grep { $_->{chain} =~ /\.w\d/ } @chains);
}

my $n = 0;

sub load {
    my ($count) = @_;

    my @raw = map { $t->request('GET', '/' . 'x' x 300) } 1 .. $count;
    my @r = $t->http_parallel(\@raw, concurrency => 8);

    $n += $count;
    return scalar grep { $_->status == 200 } @r;
}

is(load(600), 600, 'all are answered while the disk is full');

ok($t->wait_for(sub { $t->error_log() =~ /\[crit\].*write\(\) failed, \d+ b/ }),
    'the error is logged');
like($t->error_log(), qr/No space left on device/, 'with its cause');
like($t->error_log(), qr/\[crit\].*the buffer is full, \d+ requests are not/,
    'so is the loss');

my @crit = $t->error_log() =~ /\[crit\]/g;
cmp_ok(scalar @crit, '<', 60, 'the log is not flooded');

my ($code, $chain) = verify();
isnt($code, 1, 'the store is not taken for altered meanwhile');

# Space again.

is(system("mount -o remount,size=16m '$dir'"), 0, 'space');

ok($t->wait_for(sub { (verify())[1]{lost} }), 'the loss is told');
is(load(20), 20, 'requests go on');

ok($t->wait_for(sub { $chain = (verify())[1]; $chain->{records} > 20 + 50
    && !$chain->{fault} }), 'so does the chain');

$t->stop();
($code, $chain) = verify();

is($code, 4, 'intact, but not complete');
is($chain->{state}, 'incomplete', 'as it says');
is($chain->{end}, 'closed', 'closed');

my @loss = grep { $_->{ty} eq 'loss' } $t->audit_lines($dir);
my @http = grep { $_->{ty} eq 'http' } $t->audit_lines($dir);

cmp_ok($chain->{lost}, '>', 0, 'some were lost');
is(@http + $chain->{lost}, $n, 'requests = records + lost, exactly');

my %g = map { $_->{g} => 1 } @http;
my $covered = 0;

for my $loss (@loss) {
    $covered += grep { !$g{$_} } $loss->{first} .. $loss->{last};
}

is($covered, $chain->{lost}, 'the loss records name the missing numbers');

my ($c) = $t->govsvc('audit', 'verify', glob "$dir/*/*.seg");
is($c, 4, 'the same for the files');
