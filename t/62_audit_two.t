#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit: two servers of one name write to one store, started together: they
# are kept apart, whoever dies, one of them seals, and what both wrote is
# whole.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my @t = map { Test::GovSvc->new(workers => 2, log => 'notice')->has('cli') }
    0, 1;
my $base = $t[0]->dir();
my ($dir, $seal) = ("$base/audit", "$base/seal");

mkdir "$base/k";
is(($t[0]->govsvc('audit', 'keygen', '--name', 'gov.example/gd/n1', '--out',
    "$base/k"))[0], 0, 'a key');

for my $t (@t) {
    $t->http_conf(<<"EOF");
govsvc_node         n1;
govsvc_audit_store  dir=$dir flush=5ms segment=64k;
govsvc_audit_seal   dir=$seal key=$base/k/seal.key interval=100ms;
govsvc_audit        meta;

server {
    listen 127.0.0.1:%%PORT_0%%;
    location / { return 200 "ok"; }
}
EOF
}

$_->run() for @t;

ok($t[0]->wait_for(sub { @{[ map { $_->workers() } @t ]} == 4 }, 60),
    'both run');

my @epochs = map { $t[0]->read_file($_) =~ /"st":"start".*?"gen":(\d+)/
    ? $1 : () } $t[0]->audit_master_files($dir);
is(join(' ', sort @epochs), '1 2', 'each start has a number of its own');

# which of them is the later one is decided by the first worker of each

my $told = qr/\[warn\].* process (\d+) of another server writes to "\Q$dir\E"/;

ok($t[0]->wait_for(sub { grep { $_->error_log() =~ $told } @t }, 60),
    'the later one says so');

for my $i (0, 1) {
    my @pids = $t[$i]->error_log() =~ /$told/g;
    my @other = $t[1 - $i]->workers();
    ok(!(grep { my $pid = $_; !grep { $_ == $pid } @other } @pids),
        'and who the other is');
}

my %sent;
my @load = map { $_->load_start(uri => '/load', connections => 2,
    seconds => 300, pause => 0.002) } @t;

sub ask {
    my ($i, $n) = @_;

    for (1 .. $n) {
        my $r = $t[$i]->http_get("/$i/$_");
        $sent{$r->header('X-Request-Id')} = 1 if $r->status == 200;
        select undef, undef, undef, 0.01;
    }
}

for my $round (1 .. 3) {
    for my $i (0, 1) {
        ask($i, 10);
        $t[0]->wait_for(sub { !missing() }, 60);
        $t[$i]->kill_worker('KILL', $_) for $t[$i]->workers();
        ask(1 - $i, 5);
    }
}

ok($t[1]->reload(), 'one is reloaded');
ask(1, 10);
$t[$_]->load_stop($load[$_]) for 0, 1;

sub missing {
    my %left = %sent;
    delete @left{map { $_->{req} // '' } grep { ($_->{st} // '') eq 'done' }
        $t[0]->audit_lines($dir)};
    return keys %left;
}

ok($t[0]->wait_for(sub { !missing() }, 60), keys(%sent)
    . ' answered, all on the record') or diag(join ' ', missing());

sub verify {
    my @more = @_;
    my ($rc, $out, $err) = $t[0]->govsvc('audit', 'verify', $dir, '--seal',
        $seal, '--key', "$base/k/seal.pub", @more);
    diag("$out$err") if $rc;
    return $rc;
}

is(verify(), 0, 'the store is whole while both write');
$t[0]->stop();
ask(1, 10);
ok($t[0]->wait_for(sub { ($t[0]->read_file("$seal/lock") // '')
    =~ /^process (\d+) \(server\)$/ && grep { $_ == $1 } $t[1]->workers() },
    60), 'the other one seals when the first has ended');
$t[1]->stop();
is(verify(), 0, 'the store is whole');
ok(!missing(), 'with all of it');

# alone, nothing is said: not by a reload that leaves old workers behind

my $mark = length $t[1]->error_log();
$t[1]->run();
my $slow = $t[1]->connect();
print $slow "GET / HTTP/1.1\r\n";

my $conf = $t[1]->read_file('http.conf');
ok($conf =~ s/flush=5ms/flush=5ms buffer=1m/, 'other shared memory');
$t[1]->write_file('http.conf', $conf);
ok($t[1]->reload(), 'a reload');
is($t[1]->http_get('/')->status, 200, 'serves');
close $slow;
unlike($t[1]->log_since($mark), $told, 'a server alone says nothing');

$_->finish() for reverse @t;
done_testing();
