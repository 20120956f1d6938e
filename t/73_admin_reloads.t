#!/usr/bin/perl

# Copyright (C) govsvc authors

# Reloads without a pause while the API takes changes: none that was answered
# is lost, none is refused for the reloads, no request fails.  GOVSVC_LONG=1:
# 50 reloads, 200 changes.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::GovSvc::Admin;


my $t = Test::GovSvc::Admin->new(log => 'notice', workers => 2)->has('mint');
my ($reloads, $changes) = $ENV{GOVSVC_LONG} ? (50, 200) : (12, 60);
my $writers = 4;
my $port = $t->backend('a');

$t->gateway()->run();
is($t->create('gd-ops', 'instances/a', { pool => 'gd-web',
    address => '127.0.0.1', port => $port })->status, 201, 'a server');

# Each writer has an object of its own, and makes others: what was answered,
# and what the last one was.

$t->bearer($_) for qw/gd-ops system/;

sub writer {
    my ($w) = @_;

    pipe my $out, my $in or die;
    my $pid = fork() // die;

    if ($pid == 0) {
        close $out;
        my (%count, @made);
        my $again = 0;

        for my $n (1 .. $changes / $writers) {
            my $id = "w$w-$n";
            my $r;

            # a connection that is closed before it has an answer is no answer

            for (1 .. 5) {
                $r = $t->create('system', "instances/$id", {
                    pool => 'gd-web', address => '127.0.0.1',
                    state => 'drain', port => 2000 + 100 * $w + $n });
                last if $r->status;
                $again++;
            }

            $count{$r->status || $r->{error}}++;
            push @made, $id if $r->status == 201 || $again
                && $r->status == 412;
        }

        print $in encode_json({ count => \%count, made => \@made,
            again => $again });
        close $in;
        POSIX::_exit(0);
    }

    close $in;
    return { pid => $pid, out => $out };
}

my $load = $t->load_start(uri => '/44/x', connections => 2, seconds => 300,
    pause => 0.005);
my @writers = map { writer($_) } 1 .. $writers;

for my $n (1 .. $reloads) {
    my $mark = length $t->error_log();

    kill 'HUP', $t->{main};
    $t->wait_for(sub { $t->log_since($mark) =~ /reconfiguring/ }, 60);
    select undef, undef, undef, rand 0.2;
}

my (%count, @made);

for my $writer (@writers) {
    my $text = readline $writer->{out};
    waitpid $writer->{pid}, 0;
    my $told = decode_json($text);
    push @made, @{$told->{made}};
    $count{$_} += $told->{count}{$_} for keys %{$told->{count}};
}

is(scalar @made, $changes, "$changes changes, none refused")
    or diag(explain(\%count), $t->error_log() =~ /(.*\[crit\].*)/g);

sub lost {
    return join ' ', grep { $t->api('system', GET => "instances/$_")->status
        != 200 } @made;
}

is(lost(), '', 'none lost');

my $count = $t->load_stop($load);
my $served = delete $count->{200} // 0;
delete $count->{reconnect};
is_deeply($count, {}, "none of $served requests failed");

# what is stored is what runs, after all of it, and after one more

ok($t->wait_for(sub { $t->workers() == 2 }, 60), 'two workers are left');
ok($t->reload(), 'one more reload');
ok($t->wait_for(sub {
    my $node = $t->api('system', GET => 'nodes')->json->{items}[0];
    return $node->{committed} == $node->{applied}
        && $node->{applied} == $node->{revision};
}, 60), 'the table is that of the file');
is(lost(), '', 'all is there');
is($t->http_get('/44/x')->status, 200, 'serves');

$t->done();
