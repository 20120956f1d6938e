#!/usr/bin/perl

# Copyright (C) govsvc authors

# Requests in progress: refusal, release, workers that die at work.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new(workers => 2)->plan(23);

$t->write_file('index.html', 'home');

my $gate = $t->dir() . '/gate';

my $port = $t->backend('gd', sub {
    for (1 .. 1000) {
        last if -e $gate;
        select undef, undef, undef, 0.01;
    }

    return (200, [], 'done');
});

$t->http_conf(<<"EOF")->run();
    govsvc_conn_zone  \$arg_k zone=c:1m;
    govsvc_conn_zone  \$arg_m zone=d:64k;

    root              %%DIR%%;
    add_header        X-Limit "\$govsvc_limit_status" always;
    add_header        X-Reason "\$govsvc_reason" always;

    server {
        listen        127.0.0.1:%%PORT_0%% reuseport;
        govsvc_conn   zone=c max=3;

        location / {
            proxy_pass    http://127.0.0.1:$port;
        }

        location = /dry {
            proxy_pass    http://127.0.0.1:$port;
            govsvc_conn   zone=c max=1 dry_run;
        }

        location = /two {
            alias         %%DIR%%/index.html;
            govsvc_conn   zone=c max=3;
            govsvc_conn   zone=d max=1;
        }

        location = /off {
            alias         %%DIR%%/index.html;
            govsvc_conn   off;
        }
    }
EOF

# Requests that wait at the backend, all of them counted.

sub hold {
    my ($uri, $n) = @_;

    unlink $gate;

    my $seen = $t->backend_requests('gd');
    my @held;

    for (1 .. $n) {
        my $s = $t->connect();
        syswrite $s, $t->request('GET', $uri);
        push @held, $s;
    }

    $t->wait_for(sub { $t->backend_requests('gd') >= $seen + $n });

    return @held;
}

sub open_gate {
    open my $fh, '>', $gate or die "$gate: $!";
    close $fh;
}

sub answered {
    my $n = 0;

    for my $s (@_) {
        my $line = '';
        sysread $s, $line, 4096;
        $n++ if $line =~ m{^HTTP/1\.1 200};
    }

    return $n;
}

my @held = hold('/a?k=a', 3);

my $r = $t->http_get('/a?k=a');
is($r->status, 429, 'a fourth is refused');
is($r->header('X-Reason'), 'CONN_LIMITED', 'with its reason');
is($r->header('Retry-After'), 1, 'to come back soon');
is($r->header('X-Limit'), 'REJECTED', 'and its status');

is($t->http_get('/two?k=a')->status, 429, 'in another location, too');
is($t->http_get('/off?k=a')->status, 200, 'not where it is off');
is($t->http_get('/two?k=b')->status, 200, 'another key is not');
is($t->http_get('/two?k=b&m=1')->status, 200, 'two limits');
is($t->http_get('/two?k=b&m=1')->status, 200, 'that end with the request');

close pop @held;
ok($t->wait_for(sub { $t->http_get('/two?k=a')->status == 200 }),
    'who goes away makes room');

# a worker that is killed takes its counts with it

my %before = map { $_ => 1 } $t->workers();
$t->kill_worker('KILL', $_) for keys %before;
is(scalar(grep { $before{$_} } $t->workers()), 0, 'all workers are new');

ok($t->wait_for(sub { $t->http_get('/two?k=a')->status == 200 }),
    'counts of the dead are gone');
close $_ for @held;
open_gate();

is(join(' ', map { $t->http_get('/two?k=a')->status } 1 .. 6),
    '200 200 200 200 200 200', 'nothing is left behind');

# a reload keeps what is counted

@held = hold('/a?k=r', 3);
is($t->http_get('/a?k=r')->status, 429, 'counted before a reload');

my %old = map { $_ => 1 } $t->workers();
kill 'HUP', $t->read_file('nginx.pid') =~ /(\d+)/;
$t->wait_for(sub { 2 == grep { !$old{$_} } $t->workers() });
is($t->http_get('/a?k=r')->status, 429, 'and after it');

open_gate();
is(answered(@held), 3, 'the old worker ends its requests');
ok($t->wait_for(sub { $t->http_get('/two?k=r')->status == 200 }),
    'which makes room');

@held = hold('/dry?k=d', 2);
open_gate();
is(answered(@held), 2, 'a dry run refuses nobody');
like($t->error_log(), qr/govsvc conn: would be refused, dry run, zone: "c"/,
    'but says so');

my $zone = "govsvc_conn_zone \$uri zone=x:32k;\n";

is($t->conf_error("${zone}govsvc_conn zone=y max=1;"),
    'conn zone "y" is not defined; did you mean "x"? in bad.conf:2',
    'no such zone');
is($t->conf_error("${zone}govsvc_conn zone=x max=0;"),
    'invalid max "0", it must be a whole number from 1 to 1000000 '
    . 'in bad.conf:2', 'no request at all');
is($t->conf_error("${zone}govsvc_conn zone=x maxi=3;"),
    'invalid parameter "maxi="; did you mean "max="? in "govsvc_conn" '
    . 'directive in bad.conf:2', 'a misspelt parameter');
is($t->conf_error("${zone}govsvc_conn zone=x;"),
    '"govsvc_conn" must have "zone=NAME" and "max=NUMBER" parameters '
    . 'in bad.conf:2', 'no maximum');
