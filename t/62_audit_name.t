#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit: the number of a process comes again, the name of its chain does not:
# two chains of one name would look like tampering.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new()->has('cli', 'stock');
my $dir = $t->dir() . '/audit';

$t->http_conf(<<'EOF')->run();
govsvc_node        n1;
govsvc_audit_store dir=audit flush=0ms;
govsvc_audit       meta;

server {
    listen 127.0.0.1:%%PORT_0%%;
    location / { return 200 "ok"; }
}
EOF

$t->http_get('/');
$t->wait_for(sub { $t->audit_files() == 1 });

# Numbers of the next processes have been those of workers once.

my ($first) = $t->workers();

SKIP: {


my ($from, $to) = ($first + 1, $first + 3000);
mkdir "$dir/n1.1.w0.$_" for $from .. $to;
ok($t->kill_worker('KILL'), 'a worker is killed');
my ($now) = $t->workers();
skip 'the numbers began anew', 3 if $now < $from || $now > $to;

$t->http_get('/');
ok($t->wait_for(sub { -e "$dir/n1.1.w0." . ($now + 10_000_000) }),
    'the next has a name of its own');

rmdir "$dir/n1.1.w0.$_" for $from .. $to;
$t->stop();
my ($code, $out) = $t->govsvc('audit', 'verify', $dir);
is($code, 0, 'the store is whole') or diag($out);
is(scalar(grep { $_->{ty} eq 'http' } $t->audit_lines()), 2,
    'with all requests');

}

$t->done();
