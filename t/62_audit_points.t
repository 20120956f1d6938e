#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit: a worker is killed at each named point of the writer, from the room
# for a record to its chain being ended by another process, which is killed,
# too.  Each request that was answered is in the record once, whatever was in
# between.  GOVSVC_LONG=1 kills at further passings of each point.

use strict;
use warnings;

use JSON::PP;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Fault;

my $t = Test::GovSvc->new(workers => 2)->has('cli', 'stock');
my $long = $ENV{GOVSVC_LONG};
my $fault = Test::GovSvc::Fault->new($t);

# Points by what brings a process there; those of a rescue with the point at
# which the one before is killed.

my @requests = qw/writer_reserved writer_put writer_published audit_flight
    audit_intent audit_end audit_count audit_counted audit_loss audit_agg
    thread_take thread_line thread_write thread_written thread_synced
    thread_mark thread_freed/;
my @turns = qw/file_tail file_closed file_named file_opened file_head
    file_folder/;
my @rescues = (
    [qw/thread_written rescue_read/], [qw/thread_take rescue_resumed/],
    [qw/audit_counted audit_settle/], [qw/audit_flight audit_aborted/],
    [qw/audit_end rescue_rest/], [qw/writer_published rescue_ended/],
    [qw/audit_loss thread_synced/], [qw/audit_agg thread_written/],
    [qw/audit_flight file_folder/], [qw/audit_intent thread_mark/],
);

$t->nginx_backend('up', <<'EOF');
server {
    listen 127.0.0.1:%%PORT_1%%;
    location / { return 200 "done"; }
}
EOF

# Requests of class read are shed for the disk's sake; a ring that is soon
# at its end; windows that are soon over.

$t->http_conf(<<'EOF')->run();
govsvc_node            n1;
govsvc_audit_store     dir=audit flush=0ms segment=64k buffer=64k;
govsvc_audit_space     critical=1000000g;
govsvc_audit_coalesce  rate=1 window=100ms;
govsvc_audit           meta class=write;

server {
    listen 127.0.0.1:%%PORT_0%%;

    location /write/ {
        govsvc_audit meta intent=durable receipt=on;
        proxy_pass http://127.0.0.1:%%PORT_1%%;
    }

    location /plain/ { proxy_pass http://127.0.0.1:%%PORT_1%%; }
    location /shed/ { govsvc_audit meta class=read; return 200 "ok"; }
    location /deny/ { return 403; }
}
EOF

# All that is killed here is killed by us.

$t->expect_log(qr/exited on signal 9/);

my (%ids, %receipts, %sent, %broken, $n);

sub ask {
    my ($kind) = @_;

    my $path = "/$kind/" . ++$n;
    my $r = eval { $t->http_get($path, timeout => 20) };

    if (!$r || !$r->status) {
        $broken{$kind}++;
        return;
    }

    $sent{$kind}++;
    $ids{$r->header('X-Request-Id')} = $path;
    $receipts{$path} = $r->header('X-Govsvc-Receipt') if $kind eq 'write';
}

sub cycle { ask($_) for qw/write plain shed shed deny deny deny/ }

sub point {
    my ($count, @points) = @_;

    my $turn = grep { /^file/ } @points;

    cycle();
    $fault->kill_at($points[0], $count, $points[1]);

    ok($t->wait_for(sub {
        kill 'USR1', $t->{main} if $turn && $fault->left();
        cycle() if $fault->left();
        select undef, undef, undef, 0.11
            if $fault->left() && "@points" =~ /agg/;
        return $fault->left() == 0;
    }, 60), "@points, $count: killed there");

    ok($t->wait_for(sub { $t->workers() == 2 }), 'the next one is there');

    my ($code, @chains) = $t->audit_verify();
    my @faults = map { "$_->{fault}{kind} at $_->{fault}{line}" }
        grep { $_->{fault} && $_->{fault}{kind} ne 'torn' } @chains;

    ok($code != 1 && !@faults, 'nothing looks like tampering')
        or diag("$code @faults");
}

for my $count ($long ? (1, 2, 3, 5, 8, 13) : (1)) {
    point($count, $_) for @requests, @turns;
    point($count, @$_) for @rescues;
}

cycle();
$t->wait_for(sub {
    my (undef, @chains) = $t->audit_verify();
    return 2 >= grep { $_->{end} eq 'open' } @chains;
}, 30);
$t->stop();

# What is left is all there is.

my ($code, @chains) = $t->audit_verify();
ok($code == 0 || $code == 4, 'the store verifies') or diag($code);
is_deeply([ grep { $_->{fault} } @chains ], [], 'nothing is wrong in it');
is(scalar(grep { $_->{end} ne 'closed' } @chains), 0, 'all chains are ended');
is(scalar(grep { $_->{intents} != $_->{paired} } @chains), 0,
    'all intents have an end');

my (%end, %intent, %sum, @lines);

# The lines that count: a segment tells how much of the one before does.

{
    my %count;

    for my $file ($t->audit_files()) {
        for (grep { /"ty":"seg.open"/ } split /\n/, $t->read_file($file)) {
            my $open = decode_json($_);
            next unless $open->{prev} && $open->{why} =~ /^(?:crash|eio)$/;
            (my $prev = $file) =~ s{[^/]+$}{$open->{prev}{seg}.seg};
            $count{$prev} = $open->{prev}{bytes};
        }
    }

    for my $file ($t->audit_files()) {
        my $text = $t->read_file($file);
        $text = substr $text, 0, $count{$file} if defined $count{$file};
        push @lines, map { decode_json($_) } split /\n/, $text;
    }
}

for my $line (@lines) {
    if ($line->{ty} eq 'http' && $line->{st} eq 'intent') {
        $intent{$line->{http}{path}} = "$line->{id}.$line->{h}";

    } elsif ($line->{ty} eq 'http') {
        $end{$line->{req}}++;
        $sum{$line->{st}}++;

    } elsif ($line->{ty} eq 'deny.agg' || $line->{ty} eq 'loss') {
        $sum{$line->{ty}} += $line->{n};
    }
}

is_deeply([ grep { $end{$_} > 1 } keys %end ], [], 'no request ends twice');
is_deeply([ grep { ($intent{$_} // '') ne ($receipts{$_} // '-') }
    sort keys %receipts ], [], 'each receipt is that of an intent');

# Of what was answered, who has no end of its own is in a count; a request
# that was not answered may be, too.

my %counted;

for my $id (sort keys %ids) {
    $counted{(split m{/}, $ids{$id})[1]}++ unless $end{$id};
}

is($counted{$_} // 0, 0, "$_: each that was answered has an end")
    for qw/write plain/;

for (['shed', 'loss'], ['deny', 'deny.agg']) {
    my ($kind, $ty) = @$_;
    my $least = $counted{$kind} // 0;

    ok($sum{$ty} >= $least && $sum{$ty} <= $least + ($broken{$kind} // 0),
        "$kind: requests = done + aborted + $ty, exactly")
        or diag("$least to $least + " . ($broken{$kind} // 0) . ": $sum{$ty}");
}

note(join ', ', map { "$_ $sum{$_}" } sort keys %sum);
note(join ', ', map { "$_ $sent{$_} + " . ($broken{$_} // 0) } sort keys %sent);
ok($sum{$_}, "some were $_") for qw/done aborted deny.agg loss/;

$t->done();
