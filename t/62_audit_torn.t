#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit: writes that take a part and are interrupted, and a worker killed when
# a part was written: a torn end at any byte is declared by who goes on with
# the chain, and is taken for nothing worse where nobody is left to do so.
# GOVSVC_LONG=1 tears at each byte of a line.

use strict;
use warnings;

use JSON::PP;
use POSIX ();
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Fault;

my $t = Test::GovSvc->new(workers => 1)->has('cli', 'stock');
my $long = $ENV{GOVSVC_LONG};
my $dir = $t->dir() . '/audit';

my $fault = Test::GovSvc::Fault->new($t);
$t->expect_log(qr/exited on signal 9/);

$t->nginx_backend('up', <<'EOF');
server {
    listen 127.0.0.1:%%PORT_1%%;
    location / { return 200 "done"; }
}
EOF

$t->http_conf(<<'EOF')->run();
govsvc_node         n1;
govsvc_audit_store  dir=audit flush=0ms segment=64k;
govsvc_audit        meta intent=durable;

server {
    listen 127.0.0.1:%%PORT_0%%;
    location / { proxy_pass http://127.0.0.1:%%PORT_1%%; }
}
EOF

my (%acked, $broken, $n);

sub ask {
    my $path = '/' . ++$n;
    my $r = eval { $t->http_get($path, timeout => 20) };

    if ($r && $r->status == 200) {
        $acked{$r->header('X-Request-Id')} = $path;

    } else {
        $broken++;
    }
}

# A line in many parts.

for my $short (1, 7, 100) {
    $fault->short($short);
    ask() for 1 .. 3;
    $fault->short(0);
    is(($t->audit_verify())[0], 0, "$short bytes at a time");
}

is($broken // 0, 0, 'all were answered');

# A part, and no more; where a line has some 700 bytes.

my @sizes = $long ? (1 .. 760) : (1, 2, 7, 8, 40, 95, 96, 300, 511, 640, 690);
my @wrong;

for my $short (@sizes) {
    $t->wait_for(sub { $t->workers() == 1 });
    ask();
    $fault->short($short);
    $fault->kill_at('thread_written', 1);
    $t->wait_for(sub {
        ask() if $fault->left();
        return !$fault->left();
    }, 30);
    $fault->kill_at('', 0);
    $fault->short(0);

    my ($code, @chains) = $t->audit_verify();
    my @faults = grep { $_->{fault} && $_->{fault}{kind} ne 'torn' } @chains;
    push @wrong, "$short: $code" if $code == 1 || @faults;
}

is("@wrong", '', 'nothing looks like tampering');
$t->wait_for(sub { $t->workers() == 1 });
ask() for 1 .. 3;
$t->wait_for(sub {
    my (undef, @chains) = $t->audit_verify();
    return 1 == grep { $_->{end} eq 'open' } @chains;
}, 30);

# A copy as it would be after a loss of power, cut at each byte of the end.

system('cp', '-r', $dir, $t->dir() . '/copy') == 0 or die;
my (undef, @now) = $t->audit_verify();
my ($live) = map { $_->{chain} } grep { $_->{end} eq 'open' } @now;
my ($last) = reverse sort glob $t->dir() . "/copy/$live/*.seg";
my $text = $t->read_file($last);
my @lines = split /^/, $text;
my $size = length $text;
my $least = $size - length($lines[-1]) - length($lines[-2]);
my (@bad, %kinds);

for (my $at = $size; $at >= $least; $at -= $long ? 1 : 13) {
    truncate $last, $at or die;
    utime 1, 1, $last;
    my ($code, @chains) = $t->audit_verify($last);
    my $end = substr($text, 0, $at) =~ /\n\z/;
    my $kind = $chains[0]{fault} ? $chains[0]{fault}{kind} : '';
    $kinds{$kind}++;
    push @bad, "$at: $code $kind" unless $end ? $code == 0 || $code == 4
        : $code == 4 && $kind eq 'torn';
}

is("@bad", '', 'cut anywhere, the end is torn');
cmp_ok($kinds{torn}, '>', 50, 'in many places');

$t->stop();

my ($code, @chains) = $t->audit_verify();
ok($code == 0 || $code == 4, 'the store verifies') or diag($code);
is_deeply([ grep { $_->{fault} } @chains ], [], 'nothing is wrong in it');
is(scalar(grep { $_->{end} ne 'closed' } @chains), 0, 'all chains are ended');

# The segment that declares a torn end is there, and its first line is not yet.

my ($torn) = grep {
    $_->[-1] && $t->read_file($_->[-1]) =~ /\A[^\n]*"why":"crash"/
} map { [ sort glob "$_/*.seg" ] } glob "$dir/*";
my ($folder) = $torn->[-1] =~ m{([^/]+)/[^/]+\z};
my $late = $t->dir() . '/late';
mkdir $late or die $!;
system('cp', '-r', "$dir/$folder", $late) == 0 or die;
my ($declares) = reverse sort glob "$late/$folder/*.seg";
$text = $t->read_file($declares);
open my $empty, '>', $declares or die $!;
close $empty;

my $writer = fork() // die $!;

if ($writer == 0) {
    select undef, undef, undef, 0.3;
    open my $out, '>>', $declares;
    syswrite $out, $text;
    POSIX::_exit(0);
}

($code, @chains) = $t->audit_verify($late);
waitpid $writer, 0;
is_deeply([ map { $_->{fault} // () } @chains ], [],
    'it is waited for') or diag($code);

my %ends;

for my $file ($t->audit_files()) {
    for (split /^/, $t->read_file($file)) {
        my $line = eval { decode_json($_) } or next;
        $ends{$line->{req}}++ if $line->{ty} eq 'http'
            && $line->{st} ne 'intent';
    }
}

is_deeply([ grep { !$ends{$_} } sort keys %acked ], [],
    'each that was answered has an end');

$t->done();
