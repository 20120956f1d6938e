#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit: the number of the start is written, synced and renamed; each of these
# calls fails, or is the last of the master.  It starts with a number that was
# never used, or says what is wrong and does not start.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new()->has('cli', 'stock', 'strace');
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

$t->http_get('/first');
$t->wait_for(sub { $t->audit_lines() });
$t->stop();

my $epoch = 0 + $t->read_file('audit/epoch');
is($epoch, 1, 'the first start');

# The config is the same, but it ends as soon as it runs.

my $conf = $t->read_file('nginx.conf');
chomp(my $nginx = `which $Test::GovSvc::NGINX`);

sub injected {
    my ($call, $what, $when) = @_;

    unlink $t->dir() . '/nginx.pid';
    my $pid = fork() // die;

    if ($pid == 0) {
        setpgrp(0, 0);
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', $t->dir() . '/stderr';
        exec 'strace', '-qq', '-o', $t->dir() . '/trace', '-e',
            "trace=$call", '-P', "$dir/epoch.new", '-P', $dir, '-e',
            "inject=$call:$what:when=$when", $nginx, '-p', $t->dir() . '/',
            '-e', $t->dir() . '/error.log', '-c', $t->dir() . '/nginx.conf';
        exit 1;
    }

    my $ended;
    $t->wait_for(sub {
        $ended = waitpid($pid, POSIX::WNOHANG()) != 0;
        return $ended || -s $t->dir() . '/nginx.pid';
    }, 30);
    my $status = $?;

    kill 'TERM', $t->read_file('nginx.pid') =~ /(\d+)/ unless $ended;
    waitpid $pid, 0 unless $ended;

    return ($ended && $status != 0,
        ($t->read_file('trace') // '') =~ /INJECTED|SIGKILL|killed/);
}

my ($hit, $refused, %used) = (0, 0);
my $traced = 1;

for my $case (['openat', 'error=ENOSPC', 1], ['openat', 'error=EACCES', 2],
    ['write', 'error=EIO', 1], ['write', 'error=ENOSPC', 1],
    ['fsync', 'error=EIO', 1], ['fsync', 'error=EIO', 2],
    ['rename', 'error=EIO', 1], ['rename', 'signal=KILL', 1],
    ['fsync', 'signal=KILL', 1], ['fsync', 'signal=KILL', 2],
    ['write', 'signal=KILL', 1])
{
    my ($failed, $was) = injected(@$case);
    my $log = $t->error_log();

    if (!$was) {
        $traced = 0 if !-s $t->dir() . '/trace';
        next;
    }

    $hit++;
    $refused++ if $failed;
    ok($failed, "@$case: it does not start");
    ok($case->[1] =~ /KILL/ || $log =~ /\[emerg\].*(?:epoch|lock)/,
        "@$case: and says why");

    my $now = 0 + ($t->read_file('audit/epoch') =~ /^(\d+)\n\z/)[0];
    cmp_ok($now, '>=', $epoch, "@$case: the number is whole");
    $epoch = $now;

    # The next start takes a number that nobody had.

    $t->write_file('error.log', '');
    unlink $t->dir() . '/nginx.pid';
    $t->run();
    $t->http_get('/next');
    $t->wait_for(sub { grep { m{/n1\.\Q@{[$epoch + 1]}\E\.} }
        $t->audit_files() });
    $t->stop();
    $epoch = 0 + $t->read_file('audit/epoch');
    ok(!$used{$epoch}++, "@$case: the next has its own");
}

SKIP: {
    skip 'processes cannot be traced here', 1 unless $traced;
    cmp_ok($hit, '>=', 7, 'most calls were hit');
}

my ($code, $out) = $t->govsvc('audit', 'verify', $dir);
is($code, 0, 'the store is whole') or diag($out);

$t->done();
