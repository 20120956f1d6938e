#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit over syslog with TLS on both sides: a receiver that asks for a
# certificate, and one whose own is for another name.  Who must not be told is
# not, the error log says so, and everything is told once that is mended.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Syslog;

my $t = Test::GovSvc->new()->has('openssl');
my $dir = $t->dir();
my ($asks, $other) = map { $t->take_port() } 1 .. 2;
my $logs = Test::GovSvc::Syslog->new($t);

$t->ca('ca');
$t->certificate('logs', 'ca', 'logs.test');
$t->certificate('bad', 'ca', 'other.test');
$t->certificate('gw', 'ca', 'gw.test');
$t->expect_log(qr/\[(error|crit)\]/);

# A receiver that takes only those with a certificate of the CA.

sub receive {
    my ($name, $port, $cert) = @_;

    $logs->tls($name, $port, $cert, verify => 1);
}

sub conf {
    my ($own) = @_;

    $t->http_conf(<<"END");
govsvc_node n1;
govsvc_audit_store dir=audit flush=5ms;
govsvc_audit_syslog tls://127.0.0.1:$asks ca=ca.crt name=logs.test $own
    types=http resend=1s;
govsvc_audit_syslog tls://127.0.0.1:$other ca=ca.crt name=logs.test
    cert=gw.crt key=gw.key types=http resend=1s;
govsvc_audit meta;

server {
    listen 127.0.0.1:%%PORT_0%%;
    location / { return 200 "ok"; }
}
END
}

# The paths that a receiver has read.

sub got {
    my ($name) = @_;

    my %path = map { $_ => 1 }
        ($t->read_file("$name.log") // '') =~ m{"path":"(/\w+/\d+)"}g;

    return scalar keys %path;
}

sub load {
    my ($name) = @_;

    $t->http_get("/$name/$_") for 1 .. 20;
}

receive('asks', $asks, 'logs');
receive('other', $other, 'bad');

conf('');
$t->run();
load('before');

ok($t->wait_for(sub {
    $t->error_log() =~ /\[error\].*"tls:\S+:$other": the certificate/
}, 60), 'a certificate for another name is told of');

ok($t->wait_for(sub { $t->error_log() =~ /\[(?:error|crit)\].*:$asks\b/ }, 60),
    'so is a receiver that wants one of ours');

load('later');
select undef, undef, undef, 1.5;

is(got('asks'), 0, 'nothing without our certificate');
is(got('other'), 0, 'nothing for another name');

# Mended: the one by our certificate, the other by its own.

conf('cert=gw.crt key=gw.key');
ok($t->reload(), 'a certificate of ours');

$logs->kill9('other');
receive('other', $other, 'logs');

ok($t->wait_for(sub { got('asks') == 40 }, 60),
    'all that was kept is told with our certificate') or diag got('asks');
ok($t->wait_for(sub { got('other') == 40 }, 60),
    'all that was kept is told to the right name') or diag got('other');

load('after');
ok($t->wait_for(sub { got('asks') == 60 && got('other') == 60 }, 60),
    'and what comes then');

# It asks for one of the CA, not for any.

$logs->kill9('asks');
$t->ca('ca2');
$t->certificate('strange', 'ca2', 'gw.test');
unlink "$dir/asks.log";
receive('asks', $asks, 'logs');
conf('cert=strange.crt key=strange.key');
ok($t->reload(), 'a certificate of somebody else');
load('strange');
$t->wait_for(sub { got('other') == 80 }, 60);
select undef, undef, undef, 1.5;
is(($t->read_file('asks.log') // '') =~ m{/strange/} ? 1 : 0, 0,
    'is none: nothing new is told');

conf('cert=gw.crt key=gw.key');
ok($t->reload(), 'ours again');
ok($t->wait_for(sub {
    20 == grep { ($t->read_file('asks.log') // '') =~ m{"/strange/$_"} }
        1 .. 20
}, 60), 'and nothing was lost');

$t->done();
