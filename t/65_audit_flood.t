#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit: floods of refusals are counted exactly, and every request is a line,
# a part of a count, or a part of a loss.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new()->has('cli')->plan(20);

$t->http_conf(<<'EOF')->run();
govsvc_node            n1;
govsvc_audit_store     dir=audit flush=5ms;
govsvc_audit_coalesce  rate=5 window=60s;
govsvc_audit           meta;

server {
    listen 127.0.0.1:%%PORT_0%%;

    location / { return 200 "ok"; }
    location /deny/ { deny all; }
    location /many/ { return 429; }
}
EOF

my $dir = $t->dir() . '/audit';

sub verify {
    my ($code, @chains) = $t->audit_verify();
    my %sum;

    for my $chain (@chains) {
        $sum{$_} += $chain->{$_} for qw(records lost counted);
    }

    return ($code, \%sum);
}

sub ask {
    my ($uri, $count, $from) = @_;

    my @raw = map { $t->request('GET', "$uri$_") } 1 .. $count;
    my @r = $t->http_parallel(\@raw, concurrency => 8);
    return scalar grep { $_->status } @r;
}

is(ask('/deny/', 200), 200, 'refused');
is(ask('/many/', 100), 100, 'another way');
is(ask('/x', 50), 50, 'and answered');

# A killed process leaves its counts behind.

select undef, undef, undef, 0.05;
ok($t->kill_worker('KILL'), 'killed');

my ($code, $sum);
ok($t->wait_for(sub { ($code, $sum) = verify(); $sum->{counted} == 290 }),
    'counted all the same');

my @agg = grep { $_->{ty} eq 'deny.agg' } $t->audit_lines();
is(scalar @agg, 2, 'a line for each kind');

my ($deny) = grep { $_->{status} == 403 } @agg;
is($deny->{n}, 195, 'how many');
is($deny->{code}, 'HTTP_403', 'why');
is($deny->{net}, '127.0.0.1', 'from where');
like($deny->{sample}, qr/^[0-9a-f]{32}$/, 'one of them');
cmp_ok($deny->{last} - $deny->{first} + 1, '>=', 195, 'their numbers');
is($code, 0, 'verified');

my @http = grep { $_->{ty} eq 'http' } $t->audit_lines();
is(@http + $sum->{counted}, 350, 'requests = lines + counted');

# And at the end.

is(ask('/deny/', 30), 30, 'refused');
$t->stop();
($code, $sum) = verify();
is($code, 0, 'verified');
is($sum->{counted}, 290 + 25, 'counted at the end');
@http = grep { $_->{ty} eq 'http' } $t->audit_lines();
is(@http + $sum->{counted}, 380, 'requests = lines + counted');

# Space.  A file system of our own, small enough to fill.

SKIP: {

system "rm -rf '$dir'";
mkdir $dir, 0755;

skip 'a file system cannot be mounted here', 3 if $< != 0
    || system("mount -t tmpfs -o size=8m,mode=0755 tmpfs '$dir' 2>/dev/null");

my $port = $t->backend('one');

$t->http_conf(<<"EOF")->run();
govsvc_node            n1;
govsvc_audit_store     dir=audit flush=0ms;
govsvc_audit_space     low=60% critical=40% full=20% reserve=1m;
govsvc_audit           meta;

server {
    listen 127.0.0.1:%%PORT_0%%;
    location / { return 200 "ok"; }
    location /write/ { govsvc_audit meta intent=durable;
        proxy_pass http://127.0.0.1:$port; }
}
EOF

$t->http_get('/write/1');
system "head -c 7000000 /dev/zero > '$dir/filler'";

my $full = $t->wait_for(sub {
    return $t->http_get('/write/2')->status == 503 });
my $read = $t->http_get('/read')->status;

unlink "$dir/filler";

my $again = $t->wait_for(sub {
    return $t->http_get('/write/3')->status == 200 });

$t->stop();
my ($c) = $t->govsvc('audit', 'verify', $dir);
system "umount '$dir'";

ok($full, 'full: writing is refused');
is($read, 200, 'reading goes on');
ok($again && ($c == 0 || $c == 4), 'and all is well again with space');

}
