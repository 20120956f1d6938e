#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# What the record costs, in a running server: CPU of the event loop and of the
# writing thread for each request, by /proc; how long a request waits for its
# intent; and what is lost when the workers are killed, beside the access_log
# of Nginx as JSON, buffered.  Prints name TAB value TAB unit.
#
#   BENCH_SECONDS=3 bench/audit.pl

use strict;
use warnings;

use Cwd qw/getcwd/;
use File::Path qw/remove_tree/;
use File::Temp qw/tempdir/;
use FindBin;
use IO::Socket::INET;
use POSIX qw/sysconf _SC_CLK_TCK/;
use Time::HiRes qw/sleep time/;

chdir "$FindBin::Bin/..";

my $top = getcwd();
my $seconds = $ENV{BENCH_SECONDS} || 3;
my $tick = sysconf(_SC_CLK_TCK);
my $dir = tempdir('govsvc-audit-XXXXXXXX', DIR => $ENV{BENCH_DIR} || '/tmp');
my $port = free_port();
my $master;

END {
    my $status = $?;
    stop();
    remove_tree($dir) if defined $dir;
    $? = $status;
}

my $json = 'log_format j escape=json \'{"t":"$time_iso8601","ip":'
    . '"$remote_addr","m":"$request_method","uri":"$request_uri",'
    . '"status":$status,"out":$bytes_sent,"ua":"$http_user_agent"}\';';

my %conf = (
    plain => 'access_log off;',
    access_log => "$json access_log access.log j buffer=64k flush=1s;",
    audit_off => 'access_log off; govsvc_audit_store dir=audit alg=sm3;'
        . ' govsvc_audit off;',
    sm3 => 'access_log off; govsvc_audit_store dir=audit alg=sm3;'
        . ' govsvc_audit meta;',
    sha256 => 'access_log off; govsvc_audit_store dir=audit alg=sha256;'
        . ' govsvc_audit meta;',
    intent => 'access_log off; govsvc_audit_store dir=audit alg=sm3'
        . ' buffer=16m; govsvc_audit meta intent=durable;',
);

my %loop;

for my $name ('plain', 'access_log', 'sm3', 'sha256') {
    my $r = run($name, 32);
    $loop{$name} = $r->{loop};
    row("audit_${name}_loop", $r->{loop}, 'us/request, event loop');
    row("audit_${name}_cpu", $r->{cpu}, 'us/request, all threads');
    row("audit_${name}_rate", $r->{rate}, 'requests/s');
}

for my $name ('sm3', 'sha256', 'access_log') {
    row("audit_${name}_record", $loop{$name} - $loop{plain},
        'us of the event loop for a record');
}

# A line of JSON, on the average of a run.

{
    start('sm3');
    wrk(32, 1);
    stop();
    my ($bytes, $lines) = (0, 0);

    for my $file (glob "$dir/audit/*/*.seg") {
        $bytes += -s $file;
        my @lf = slurp($file) =~ /\n/g;
        $lines += @lf;
    }

    row('audit_record_size', $bytes / $lines, 'bytes');
}

# Two records a request.  48 connections with 20,000 records a second wait 5 ms
# each: with more records than that they wait less.

for my $connections (16, 48, 64) {
    my $r = run('intent', $connections);
    row("audit_intent_${connections}_records", 2 * $r->{rate}, 'records/s');
    row("audit_intent_${connections}_p50", $r->{p50}, 'ms');
    row("audit_intent_${connections}_p99", $r->{p99}, 'ms');
}

# Killed with -9: answered and not to be found.

for my $name ('access_log', 'sm3') {
    start($name);
    sleep 0.3;

    # a client of our own, that counts what it is answered

    my $n = 2000;
    my $got = 0;
    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") or die;

    for (1 .. $n) {
        print $s "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
        my ($text, $body) = ('', '');
        $text .= <$s> until $text =~ /\r\n\r\n$/;
        read $s, $body, $text =~ /Content-Length: (\d+)/i ? $1 : 0;
        $got++ if $text =~ /^HTTP\/1.1 200/;
    }

    kill 'KILL', worker();
    sleep 2.5;
    stop();

    my $found = 0;

    for my $file (glob("$dir/access.log"), glob "$dir/audit/*/*.seg") {
        my @all = slurp($file) =~ /"uri":|"ty":"http"/g;
        $found += @all;
    }

    row("audit_${name}_lost", $got - $found, "of $got records after kill -9");
}

exit 0;


sub run {
    my ($name, $connections) = @_;

    start($name);
    wrk($connections, 0.5);

    my $pid = worker();
    my @before = (ticks("/proc/$pid/task/$pid/stat"), ticks("/proc/$pid/stat"));
    my $r = wrk($connections, $seconds);
    my @after = (ticks("/proc/$pid/task/$pid/stat"), ticks("/proc/$pid/stat"));

    stop();

    $r->{loop} = ($after[0] - $before[0]) / $tick / $r->{n} * 1e6;
    $r->{cpu} = ($after[1] - $before[1]) / $tick / $r->{n} * 1e6;

    return $r;
}


sub wrk {
    my ($connections, $time) = @_;

    my $whole = $time < 1 ? 1 : int $time;
    my $out = `wrk -t1 -c$connections -d${whole}s --latency \\
        -H 'User-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101' \\
        'http://127.0.0.1:$port/44/portal/guide/1234?type=1&from=home' 2>&1`;

    my %unit = (us => 0.001, ms => 1, s => 1000);
    my %r;

    ($r{n}) = $out =~ /(\d+) requests in/ or die "bench/audit.pl: $out";
    ($r{rate}) = $out =~ m{Requests/sec:\s+([\d.]+)};
    $r{"p$1"} = $2 * $unit{$3} while $out =~ /(50|99)%\s+([\d.]+)(us|ms|s)/g;

    return \%r;
}


sub start {
    my ($name) = @_;

    remove_tree("$dir/audit");
    unlink "$dir/access.log";

    my $module = $name =~ /^(?:plain|access_log)$/ ? ''
        : "load_module $top/build/ngx_govsvc_module.so;";
    my $user = $< == 0 ? 'user root;' : '';

    open my $fh, '>', "$dir/nginx.conf" or die;
    print $fh <<"END";
$module $user
daemon off; worker_processes 1; pid $dir/nginx.pid;
error_log $dir/error.log error;
events { worker_connections 1024; }
http {
    $conf{$name}
    keepalive_requests 1000000000;
    server { listen 127.0.0.1:$port; location / { empty_gif; } }
}
END
    close $fh;

    unlink "$dir/nginx.pid";
    $master = fork() // die;

    if ($master == 0) {
        exec 'nginx', '-p', $dir, '-e', "$dir/error.log", '-c',
            "$dir/nginx.conf";
        exit 1;
    }

    for (1 .. 200) {
        return if -s "$dir/nginx.pid" && worker();
        sleep 0.02;
    }

    die "bench/audit.pl: no server\n";
}


sub stop {
    return unless $master;
    kill 'QUIT', $master;
    waitpid $master, 0;
    undef $master;
}


sub worker {
    my ($pid) = map { split ' ' }
        slurp("/proc/$master/task/$master/children");
    return $pid;
}


sub ticks {
    my ($file) = @_;

    my @f = split ' ', slurp($file) =~ s/^.*\)//sr;
    return $f[11] + $f[12];
}


sub row {
    my ($name, $value, $unit) = @_;

    $| = 1;
    printf "%s\t%s\t%s\n", $name, $value < 100
        ? sprintf('%.2f', $value) : sprintf('%.0f', $value), $unit;
}


sub slurp {
    my ($file) = @_;

    open my $fh, '<:raw', $file or return '';
    local $/;
    return <$fh> // '';
}


sub free_port {
    my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')
        or die;
    return $s->sockport();
}
