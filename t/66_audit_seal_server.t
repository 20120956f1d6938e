#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit: the server seals by itself.  One worker at a time, whatever happens to
# it; never beside another sealer; nothing is signed over what was changed.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new(workers => 3, log => 'notice')
    ->has('cli', 'strace');

my $base = $t->dir();
my ($dir, $seal) = ("$base/audit", "$base/seal");

mkdir "$base/k";
is(($t->govsvc('audit', 'keygen', '--name', 'gov.example/gd/n1', '--out',
    "$base/k"))[0], 0, 'a key');

$t->nginx_backend('up', <<'EOF');
server {
    listen 127.0.0.1:%%PORT_1%%;
    location / { return 200 "done"; }
}
EOF

$t->http_conf(<<'EOF')->run();
govsvc_node         n1;
govsvc_audit_store  dir=audit flush=5ms segment=64k buffer=1m;
govsvc_audit_seal   dir=seal key=k/seal.key interval=100ms;
govsvc_audit        meta;

server {
    listen 127.0.0.1:%%PORT_0%%;

    location / { return 200 "ok"; }

    location /write/ {
        govsvc_audit meta intent=durable receipt=on;
        proxy_pass http://127.0.0.1:%%PORT_1%%;
    }
}

server {
    listen 127.0.0.1:%%PORT_2%%;
    govsvc_audit off;

    location /metrics { govsvc_metrics; }
}
EOF

sub audit { return $t->govsvc('audit', @_) }

# Answered, and written: a record may wait for its batch.

my $loads = 0;

sub load {
    my ($n) = @_;
    my $name = 'load' . ++$loads;
    my @raw = map { $t->request('GET', "/$name/$_") } 1 .. $n;
    my $ok = grep { $_->status == 200 } $t->http_parallel(\@raw,
        concurrency => 8);

    $t->wait_for(sub {
        my $seen = 0;
        $seen += () = ($t->read_file(substr $_, 1 + length $base) // '')
            =~ m{"/$name/}g for glob "$dir/*/*.seg";
        return $seen >= $n;
    }, 60);

    return $ok;
}

sub lines {
    my $n = 0;
    $n += () = ($t->read_file(substr $_, 1 + length $base) // '') =~ /\n/g
        for glob "$dir/*/*.seg";

    return $n;
}

sub point { return $t->read_file('seal/checkpoint') // '' }
sub size { return (split /\n/, point())[1] // 0 }
sub all_sealed { return $t->wait_for(sub { size() == lines() }, 60) }

sub leader {
    return (($t->read_file('seal/lock') // '') =~ /^process (\d+) \(server\)$/)
        ? $1 : 0;
}

# A checkpoint that was not there before.

sub goes_on {
    my $before = point();
    return $t->wait_for(sub { my $p = point(); $p ne '' && $p ne $before },
        60);
}

sub verify {
    my (@more) = @_;
    my ($rc, $out, $err) = audit('verify', $dir, '--seal', $seal, '--key',
        "$base/k/seal.pub", @more);
    diag("$out$err") if $rc != 0;
    return $rc;
}

# What was signed once is a beginning of all that is signed later.

my @kept;

sub keep {
    my $file = "$base/kept." . @kept;
    open my $fh, '>', $file or die "$file: $!\n";
    print $fh point();
    close $fh;
    push @kept, $file;
}

sub metric {
    my ($what) = @_;
    return $t->http_get('/metrics', port => $t->port(2))->body
        =~ /^\Q$what\E (\S+)$/m ? $1 : undef;
}

sub state_is {
    my ($state) = @_;
    return $t->wait_for(sub {
        (metric("govsvc_audit_seal_state{state=\"$state\"}") // 0) == 1
    }, 60);
}

# It seals.

is(load(300), 300, 'asked');
ok(all_sealed(), 'each line is a leaf');
cmp_ok(size(), '>', 300, 'of all workers');
is(verify('--require', 'sealed'), 0, 'it verifies');
keep();
ok(goes_on(), 'signed also when nothing happens');
ok((grep { $_ == leader() } $t->workers()), 'by one of the workers');
is(() = $t->error_log() =~ /govsvc audit seal: signs/g, 1, 'and only one');

my $r = $t->http_get('/write/1');
like($r->header('X-Govsvc-Receipt') // '', qr/^n1\.\d+\.\d+\.\S{43}$/,
    'a receipt');
my ($id) = $r->header('X-Govsvc-Receipt') =~ /^(n1\.\d+\.\d+)\./;
ok(all_sealed(), 'its lines are sealed');
my ($code, $out, $err) = audit('prove', $dir, $id, '--seal', $seal, '--key',
    "$base/k/seal.pub", '--no-record');
is($code, 0, 'and can be proved') or diag($err);

ok(state_is('signing'), 'told by metrics');
cmp_ok(metric('govsvc_audit_sealed_lines'), '>', 300, 'with the lines');
cmp_ok(metric('govsvc_audit_checkpoint_age_seconds'), '<', 60, 'and the age');

# Never beside another one.

($code, undef, $err) = audit('sealer', $dir, '--key', "$base/k/seal.key",
    '--seal', $seal, '--once');
is($code, 3, 'the command is kept out');
like($err, qr/^govsvc: another sealer works in ".*": process \d+ \(server\)$/,
    'and told by whom');

# Whoever seals is killed; the next one goes on where it stopped.

my $load = $t->load_start(uri => '/load', connections => 4, seconds => 300,
    pause => 0.002);

for my $n (1 .. ($ENV{GOVSVC_LONG} ? 40 : 5)) {
    my $pid = $t->wait_for(sub {
        my $l = leader();
        (grep { $_ == $l } $t->workers()) ? $l : 0;
    }, 60);
    select undef, undef, undef, rand 0.15;
    $t->kill_worker('KILL', $pid);
    ok(goes_on(), "killed $n: the next one goes on");
    keep();
}

# ... at each call that makes the seal

sub traced {
    my ($call, $what, $when) = @_;

    my $pid = leader() or return;
    my $strace = fork() // die "fork: $!\n";

    if ($strace == 0) {
        open STDERR, '>', "$base/trace.err";
        exec 'strace', '-f', '-qq', '-o', "$base/trace", '-p', $pid, '-e',
            "trace=$call", '-e', "inject=$call:$what:when=$when";
        exit 1;
    }

    return ($pid, $strace);
}

my $hit = 0;

for my $case (['rename', 1], ['rename', 2], ['rename', 3], ['fsync', 1],
              ['fsync', 2], ['pwrite64', 1])
{
    my ($call, $when) = @$case;
    my ($pid, $strace) = traced($call, 'signal=KILL', $when);

    $t->{killed}{$pid} = 1;
    my $traced = 1;
    $t->wait_for(sub {
        $traced &&= waitpid($strace, 1) == 0;
        return !$traced || !kill 0, $pid;
    }, 30);

    # who was killed is there until the master knows

    $t->wait_for(sub { !kill 0, $pid }, 5);
    $hit++ unless kill 0, $pid;
    kill 'KILL', $strace if $traced;
    waitpid $strace, 0;
    $t->wait_for(sub { my $l = leader(); $l && $l != $pid }, 60)
        unless kill 0, $pid;
    ok(goes_on(), "killed at $call $when: the next one goes on");
    keep();
}

SKIP: {
    skip 'processes cannot be traced here', 1 unless $hit;
    is($hit, 6, 'each call was the last one once');
}

# Reload, new segments.

my $before = leader();
ok($t->reload(), 'reload');
ok($t->wait_for(sub { my $l = leader(); $l && $l != $before
    && grep { $_ == $l } $t->workers() }, 60), 'a new worker has it');
ok(goes_on(), 'it goes on');
kill 'USR1', $t->{main};
ok(goes_on(), 'over new segments');
$t->load_stop($load);
ok(all_sealed(), 'all is sealed');

my @bad = grep { verify('--against', $_) != 0 } @kept;
is("@bad", '', 'each of ' . @kept . ' checkpoints is a beginning of the last');

# Something was changed: nothing is signed any more, until it is as before.

mkdir "$dir/n1.9.w9.9";
open my $fh, '>', "$dir/n1.9.w9.9/0000000000000000.seg" or die;
print $fh '{"v":1,"ty":"http","ch":"n1.9.w9.9","seq":0,"h":"', 'A' x 43, "\"}\n";
close $fh;

ok(state_is('refused'), 'a forged chain');
my $stays = point();
like($t->error_log(), qr/\[crit\]\ .*audit\ seal:\ chain\ n1\.9\.w9\.9,\ .*
    nothing\ is\ signed/x, 'is told');
cmp_ok(metric('govsvc_audit_seal_errors_total{why="refused"}'), '>', 0,
    'and counted');
is($t->http_get('/')->status, 200, 'requests are served');
is(point(), $stays, 'nothing is signed');
unlink "$dir/n1.9.w9.9/0000000000000000.seg";
rmdir "$dir/n1.9.w9.9";
ok(state_is('signing'), 'until it is gone');

# The disk.

# (while it writes, that name is taken by its own file)

$t->wait_for(sub { mkdir "$seal/checkpoint.tmp" }, 60);
ok(state_is('failing'), 'a file that cannot be written');
like($t->error_log(), qr/\[error\] .*audit seal: cannot write ".*checkpoint"/,
    'is told');
$stays = point();
load(20);
rmdir "$seal/checkpoint.tmp";
ok(state_is('signing'), 'and tried again');
ok(all_sealed(), 'nothing was left out');

my $hang;
my ($pid, $strace) = traced('fsync', 'error=ENOSPC', '1+');
my $full = $t->wait_for(sub {
    $t->error_log() =~ /seal: cannot \w+ .* No space left/ }, 60);
kill 'TERM', $strace;
waitpid $strace, 0;
diag("strace of $pid: ", $t->read_file('trace.err'), $t->read_file('trace'))
    if $hit && !$full;

SKIP: {
    skip 'processes cannot be traced here', 1 unless $hit;
    ok($full, 'a full disk is told');
}

load(20);
ok(all_sealed(), 'and got over');
ok(state_is('signing'), 'by the same worker');
is(verify('--require', 'sealed', '--against', $kept[0]), 0, 'it verifies');

# A call that hangs does not keep the process from ending.

($pid, $strace) = traced('fsync', 'delay_enter=30000000', '1+');
$t->wait_for(sub { ($t->read_file('trace.err') // '') ne ''
    || (grep { /^TracerPid:\s+[1-9]/m } map { $t->read_file($_) // '' }
        glob "/proc/$pid/task/*/status") }, 20);
select undef, undef, undef, 0.5;

$before = $t->read_file('nginx.pid');
ok($t->reload(), 'reload while the disk hangs');
$hang = !$hit || $t->wait_for(sub {
    $t->error_log() =~ /\[crit\] .* sealing was left in the middle/ }, 60);
kill 'KILL', $strace;
waitpid $strace, 0;
ok($hang, 'the old worker does not wait for ever');
ok($t->wait_for(sub { !kill 0, $pid }, 60), 'and ends');

ok($t->wait_for(sub { my $l = leader(); $l && $l != $pid }, 60),
    'another one has it');
ok(goes_on(), 'and goes on');
load(20);
ok(all_sealed(), 'to the end');
is(verify('--require', 'sealed', '--against', $kept[-1]), 0, 'it verifies');

# The command takes over from a server that has ended, and the other way.

$t->stop();
($code, undef, $err) = audit('sealer', $dir, '--key', "$base/k/seal.key",
    '--seal', $seal, '--once');
is($code, 0, 'the command goes on') or diag($err);
is(verify('--require', 'sealed', '--against', $kept[-1]), 0, 'with one tree');

$t->done();
