#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# The reader of stores: those of several nodes at once, more chains than files
# that may be open, clocks that were set back, and segments that come and go
# while it follows.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new()->has('cli');
my $base = $t->dir();

sub audit { return $t->govsvc('audit', @_) }

# A segment of lines that need not verify: queries do not ask for that.

my $hash = 'A' x 43;

sub segment {
    my ($chain, $seq, @lines) = @_;

    my ($store, $name) = $chain =~ m{^(.*)/([^/]+)$};
    mkdir $_ for "$base/$store", "$base/$chain";

    my $text = '';

    for my $l (@lines) {
        $text .= qq({"v":1,"id":"$name.$seq",$l->{k},"ch":"$name","seq":$seq,)
            . qq("t":"$l->{t}+08:00")
            . (defined $l->{mono} ? qq(,"mono":$l->{mono}) : '')
            . ($l->{rest} ? ",$l->{rest}" : '') . qq(,"h":"$hash"}\n);
        $seq++;
    }

    my $file = sprintf '%s/%s/%016d.seg', $base, $chain, $seq - @lines;
    open my $to, '>', $file or die "$file: $!\n";
    print $to $text;
    close $to;

    return $file;
}

sub opened {
    my ($time, $prev) = @_;

    return { k => '"ty":"seg.open"', t => $time,
        rest => '"alg":"sm3","prev":' . ($prev // 'null') };
}

sub request {
    my ($time, $req, $mono, $rest) = @_;

    return { k => '"ty":"http","st":"done"', t => $time, mono => $mono,
        rest => qq("req":"$req") . ($rest ? ",$rest" : '') };
}

sub reqs {
    my ($out) = @_;

    return join ' ', $out =~ /"req":"([^"]+)"/g;
}

# Two nodes, one case.

my $case = '"gov":{"case":"C1","region":"440000"}';

segment('one/n1.1.w0.1', 0, opened('2026-11-23T10:00:00.000000'),
    request('2026-11-23T10:00:01.000000', 'a1', 1, $case),
    request('2026-11-23T10:00:03.000000', 'a3', 3, $case));
segment('two/n2.1.w0.1', 0, opened('2026-11-23T10:00:00.500000'),
    request('2026-11-23T10:00:02.000000', 'b2', 2, $case),
    request('2026-11-23T10:00:04.000000', 'b4', 4));

my @both = ("$base/one", "$base/two");

my ($code, $out, $err) = audit('query', @both, '--case', 'C1', '--json');
is($code, 0, 'two stores') or diag($err);
is(reqs($out), 'a1 b2 a3', 'in the order of their time');

for my $dir (@both) {
    ($code, $out) = audit('query', $dir, '--type', 'query', '--json',
        '--no-record');
    is(scalar(() = $out =~ /"verb":"query"/g), 1, "asked of $dir");
}

($code, $out, $err) = audit('trace', @both, 'C1', '--json', '--no-record');
is(reqs($out), 'a1 b2 a3', 'the life of a case');
is($err, "govsvc: this query leaves no record\n", 'told once');

($code, $out) = audit('stats', @both, '--json', '--no-record');
like($out, qr/"done":4\b/, 'counted');

($code, $out) = audit('tail', @both, '--lines', 2, '--json', '--type', 'http',
    '--no-record');
is(reqs($out), 'a3 b4', 'the last of both');

($code, $out) = audit('export', @both, '--format', 'ecs', '--case', 'C1',
    '--no-record');
is(scalar(() = $out =~ /\n/g), 3, 'exported');

($code, $out) = audit('why', @both, 'b2', '--no-record');
like($out, qr/^record: id=n2\.1\.w0\.1\.1 /m, 'why, wherever it was');

($code, undef, $err) = audit('why', @both, 'b2', '--seal', "$base/x");
is($code, 2, 'a proof is of one store');

($code, undef, $err) = audit('query', @both, "$base/none", '--no-record');
is($code, 3, 'no store');
like($err, qr/^govsvc: cannot open "\Q$base\E\/none": /m, 'told');

# More chains than files may be open: each question is one.

for my $i (1 .. 300) {
    segment("many/q.$i", 0, opened('2026-11-23T10:00:00.000000'),
        request(sprintf('2026-11-23T10:%02d:%02d.000000', $i / 60, $i % 60),
            "q$i", $i));
}

($code, $out, $err) = $t->command('sh', '-c',
    "ulimit -n 40; exec '$FindBin::Bin/../build/govsvc' audit query "
    . "'$base/many' --no-record --count");
is($code, 0, '300 chains, 40 descriptors') or diag($err);
is($out, "300\n", 'all of them');

# The clock was at 14:00, then set back by an hour: 13:30 was before and after.

segment('step/n1.1.w0.1', 0, opened('2026-11-23T13:20:00.000000'),
    request('2026-11-23T13:20:01.000000', 's0', 1_000_000),
    request('2026-11-23T13:29:00.000000', 's1', 540_000_000));
segment('step/n1.1.w0.1', 3, opened('2026-11-23T13:30:00.000000'),
    request('2026-11-23T13:30:01.000000', 's2', 601_000_000),
    request('2026-11-23T13:59:00.000000', 's3', 2_340_000_000));
segment('step/n1.1.w0.1', 6, opened('2026-11-23T13:05:00.000000'),
    request('2026-11-23T13:05:01.000000', 's4', 2_701_000_000));
segment('step/n1.1.w0.1', 8, opened('2026-11-23T13:40:00.000000'),
    request('2026-11-23T13:40:01.000000', 's5', 4_801_000_000));

for my $q (['13:35:00', 's3 s5'], ['13:58', 's3'], ['14:30:00', ''],
    ['13:25:00', 's1 s2 s3 s5'])
{
    ($code, $out) = audit('query', "$base/step", '--json', '--no-record',
        '--from', "2026-11-23T$q->[0]");
    is(reqs($out), $q->[1], "from $q->[0] by a clock that was set back");
}

# It follows: a new segment, one that is torn and declared, a new chain; what
# retention removes is not read again, and takes nothing with it.

my $log = "$base/tail.out";
my $first = segment('live/n1.1.w0.1', 0, opened('2026-11-23T10:00:00.000000'),
    request('2026-11-23T10:00:01.000000', 'l1', 1));

my $pid = fork();
die "fork: $!\n" if !defined $pid;

if ($pid == 0) {
    open STDOUT, '>', $log or die "$log: $!\n";
    open STDERR, '>', "$log.err" or die "$log: $!\n";
    exec "$FindBin::Bin/../build/govsvc", 'audit', 'tail', "$base/live",
        '--follow', '--json', '--no-record', '--type', 'http'
        or die "exec: $!\n";
}

sub followed {
    my ($want) = @_;

    my $got = '';

    $t->wait_for(sub { $got = -e $log ? reqs($t->read_file('tail.out')) : '';
        return $got eq $want }, 30);

    return is($got, $want, "followed: $want");
}

followed('l1');

my $second = segment('live/n1.1.w0.1', 2,
    opened('2026-11-23T10:01:00.000000'),
    request('2026-11-23T10:01:01.000000', 'l2', 2));
followed('l1 l2');

unlink $first;
segment('live/n1.1.w1.2', 0, opened('2026-11-23T10:02:00.000000'),
    request('2026-11-23T10:02:01.000000', 'l3', 3));
followed('l1 l2 l3');

# The live file is removed, as an intruder might: the next one is told.

unlink $second;
segment('live/n1.1.w0.1', 4, opened('2026-11-23T10:03:00.000000'),
    request('2026-11-23T10:03:01.000000', 'l4', 4));
followed('l1 l2 l3 l4');

kill 'TERM', $pid;
waitpid $pid, 0;

my @errors = split /\n/, $t->read_file('tail.out.err');
is(scalar(grep { /cannot open/ } @errors) <= 1 ? 1 : 0, 1,
    'a file that is gone is told once') or diag(join "\n", @errors);

$t->done();
