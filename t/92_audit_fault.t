#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit: each system call of the writing thread fails or is the last of its
# process, in turn.  Whatever was acknowledged is found, and nothing that
# happened looks like tampering.  GOVSVC_LONG=1 tries many more places.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new(workers => 1)->has('cli', 'stock', 'strace');
my $dir = $t->dir() . '/audit';
my $port = $t->backend('one');

$t->http_conf(<<"EOF")->run();
govsvc_node         n1;
govsvc_audit_store  dir=audit flush=0ms segment=64k;
govsvc_audit_wait   1s;
govsvc_audit        meta;

server {
    listen 127.0.0.1:%%PORT_0%%;

    location / { return 200 "ok"; }
    location /write/ {
        govsvc_audit meta intent=durable;
        proxy_pass http://127.0.0.1:$port;
    }
}
EOF

# The thread tells the event loop by write(), too.

$t->expect_log(qr/write\(\) to eventfd failed/);

my $long = $ENV{GOVSVC_LONG};
my @places = $long ? (1 .. 12) : (1, 2);
my (%acked, $case);

# The thread alone: the others would be hit at once.

sub inject {
    my ($call, $what, $when) = @_;

    my ($worker, $thread);

    $t->wait_for(sub {
        ($worker) = $t->workers() or return 0;
        ($thread) = grep { $_ != $worker }
            map { m{(\d+)$} } glob "/proc/$worker/task/*";
        return $thread;
    });

    my $pid = fork() // die;

    if ($pid == 0) {
        open STDERR, '>', '/dev/null';
        exec 'strace', '-qq', '-o', $t->dir() . '/trace', '-p', $thread,
            '-e', "trace=$call", '-e', "inject=$call:$what:when=$when";
        exit 1;
    }

    my $ready = $t->wait_for(sub {
        return ($t->read_file("/proc/$worker/task/$thread/status") // '')
            =~ /^TracerPid:\s*[1-9]/m;
    }, 5);

    return ($pid, $ready, $worker);
}

sub ask {
    my ($n) = @_;

    for my $i (1 .. $n) {
        my $write = "/write/$case/$i";
        my $read = "/read/$case/$i";

        $acked{$write} = 2 if $t->http_get($write, timeout => 5)->status == 200;

        # of a reader only that which is a moment old: its answer goes out
        # before its record is made

        $acked{$read} = 1 if $t->http_get($read, timeout => 5)->status == 200;
    }
}

sub verify {
    my ($code, $out) = $t->govsvc('audit', 'verify', $dir);
    return ($code, $out);
}

my %done;
my $traced = 1;

CASE:
for my $call ('write', 'fdatasync', 'fsync', 'openat', 'mkdir') {
    for my $what ('error=EIO', 'error=ENOSPC', 'error=EINTR', 'signal=KILL') {
        for my $when ($call eq 'mkdir' ? (1) : @places) {

            next if $what =~ /ENOSPC|EINTR/ && $call =~ /sync/;

            $case = "$call-$what-$when";

            # A chain begins in this case, where its folder is to be made.

            $t->kill_worker('TERM') if $call eq 'mkdir';

            my ($pid, $ready, $worker) = inject($call, $what, $when);

            if (!$ready) {
                $traced = 0;
                last CASE;
            }

            # a new segment opens a file and syncs its folder

            ask(1) if $call =~ /openat|fsync/;
            kill 'USR1', $t->{main} if $call =~ /openat|fsync/;
            $t->{killed}{$worker} = 1;

            ask($long ? 4 : 2);
            kill 'INT', $pid;
            waitpid $pid, 0;

            $t->wait_for(sub { $t->workers() == 1 });
            $done{$call}++ if ($t->read_file('trace') // '')
                =~ /INJECTED|SIGKILL|killed/;
            ask(1);

            my ($code, $out) = verify();
            isnt($code, 1, "$case: no tampering") or diag($out);
        }
    }
}

SKIP: {

skip 'processes cannot be traced here', 1 unless $traced;

cmp_ok($done{write}, '>=', 3, 'writes were hit');
cmp_ok($done{fdatasync}, '>=', 2, 'syncs');
cmp_ok($done{openat}, '>=', 1, 'opens');
cmp_ok($done{fsync}, '>=', 1, 'syncs of folders');

sub missing {
    my %found;

    for my $line ($t->audit_lines()) {
        $found{$line->{http}{path}} = 1 if $line->{ty} eq 'http'
            && $line->{http};
    }

    return grep { !$found{$_} } sort keys %acked;
}

ok($t->wait_for(sub { !missing() }), 'all that was acknowledged is there')
    or diag(join ' ', missing());
cmp_ok(scalar(keys %acked), '>', 20, 'which was much');

$t->stop();

my ($code, $out) = verify();
ok($code == 0 || $code == 4, 'the store is whole') or diag($out);

}

$t->done();
