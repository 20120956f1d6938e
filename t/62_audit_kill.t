#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit: a worker that is killed loses nothing.  What it had not written lies
# in shared memory; another goes on with its chain and ends it.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new(workers => 2)->has('cli');

# A second before anything is written: all would be lost but for the ring.

$t->http_conf(<<'EOF')->run();
govsvc_node        n1;
govsvc_audit_store dir=audit segment=64k segment_time=24h flush=1000ms
                   buffer=256k;
govsvc_audit       meta;

server {
    listen 127.0.0.1:%%PORT_0%%;
    location / { return 200 "ok"; }
}
EOF

my (%sent, $n);

# The lines that count: a segment tells how much of the one before does.

sub counted {
    my (%count, @lines);

    for my $file ($t->audit_files()) {
        for (grep { /"ty":"seg.open"/ } split /\n/, $t->read_file($file)) {
            my $open = JSON::PP->new->decode($_);
            next unless $open->{prev} && $open->{why} =~ /^(crash|eio)$/;
            (my $prev = $file) =~ s{[^/]+$}{$open->{prev}{seg}.seg};
            $count{$prev} = $open->{prev}{bytes};
        }
    }

    for my $file ($t->audit_files()) {
        my $text = $t->read_file($file);
        $text = substr $text, 0, $count{$file} if defined $count{$file};
        push @lines, map { JSON::PP->new->utf8->decode($_) } split /\n/, $text;
    }

    return @lines;
}

sub ask {
    my ($count, $name) = @_;

    my @uri = map { "/$name/$_" } 1 .. $count;
    my @raw = map { $t->request('GET', $_) } @uri;
    my @r = $t->http_parallel(\@raw, concurrency => 8);

    for my $i (0 .. $#uri) {
        $sent{$uri[$i]} = 1 if $r[$i]->status == 200;
    }

    $n += @uri;
    select undef, undef, undef, 0.02;
}

for my $round (1 .. 6) {
    ask(10 * $round, "round$round");

    ok($t->kill_worker('KILL'), "kill $round");
    $t->wait_for(sub { $t->workers() == 2 });
}

sub missing {
    my %found = map { $_->{http}{path} => 1 }
        grep { $_->{ty} eq 'http' && $_->{http} } counted();

    return grep { !$found{$_} } sort keys %sent;
}

ok($t->wait_for(sub { !missing() }), 'every answered request is recorded')
    or diag(join ' ', (missing())[0 .. 9]);

my ($code, @chains);
$t->wait_for(sub {
    ($code, @chains) = $t->audit_verify();
    return 2 >= grep { $_->{end} eq 'open' } @chains;
});

is($code, 0, 'the store is whole');
cmp_ok(scalar(grep { $_->{end} eq 'closed' } @chains), '>=', 3,
    'the chains of the dead are ended');

my %twice;
$twice{$_->{id}}++ for grep { $_->{id} } counted();
is(scalar(grep { $_ > 1 } values %twice), 0, 'nothing is there twice');

my @g = sort { $a <=> $b } map { $_->{g} } grep { $_->{g} } counted();
is($g[-1] - $g[0] + 1, scalar @g, 'no number is missing');

# USR1 turns the segments over, at once.

ask(40, 'turn');
$t->wait_for(sub { !missing() });

my @before = $t->audit_files();
kill 'USR1', $t->{main};

ok($t->wait_for(sub { my @now = $t->audit_files(); @now > @before }),
    'USR1 begins a segment');

my @why = map { $_->{why} } grep { $_->{ty} eq 'seg.open' } counted();
ok(scalar(grep { $_ eq 'rotate' } @why), 'which says why');
is(($t->audit_verify())[0], 0, 'and the chain goes on');

# A stop in time writes what waits.

ask(30, 'last');
$t->stop();

is(scalar(missing()), 0, 'nothing is lost at the end');

($code, @chains) = $t->audit_verify();
is($code, 0, 'whole');
is(scalar(grep { $_->{end} ne 'closed' } @chains), 0, 'all chains are ended');

$t->done();
