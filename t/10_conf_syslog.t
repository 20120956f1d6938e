#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# govsvc_audit_syslog: what it accepts, and what it says of the rest.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new();

$t->ca('ca');

my $rest = 'govsvc_audit_store dir=a; server { listen unix:%%DIR%%/s; }';

for my $good (
    'tcp://127.0.0.1:601;',
    'tcp://[::1]:601 facility=local6 app=gw sd_id=gov@1.2 types=http,loss;',
    'tls://10.1.2.3:6514 ca=ca.crt name=logs.gov.example;',
    'tls://10.1.2.3:6514 ca=ca.crt cert=ca.crt key=ca.key;',
    'udp://127.0.0.1:514 max=256;',
    'unix:/tmp/a.sock resend=0 replay=180d batch=1000;',
    'unix-dgram:/dev/log max=8k resend=1h;',
) {
    is($t->conf_error("govsvc_audit_syslog $good\n$rest"), '', $good);
}

my $addresses = 'allowed: tcp://HOST:PORT, tls://HOST:PORT, udp://HOST:PORT, '
    . 'unix:PATH, unix-dgram:PATH in bad.conf:1';
my $port = 'allowed: HOST:PORT and nothing behind it in bad.conf:1';
my $tcp = 'tcp://127.0.0.1:601';

for my $bad (
    [ '127.0.0.1:601;', qq(invalid address "127.0.0.1:601", $addresses) ],
    [ 'tcp:;', qq(invalid address "tcp:", $addresses) ],
    [ 'tcp://127.0.0.1;', qq(invalid address "tcp://127.0.0.1", $port) ],
    [ 'tcp://[::1];', qq(invalid address "tcp://[::1]", $port) ],
    [ "$tcp/x;", qq(invalid address "$tcp/x", $port) ],
    [ 'tcp://logs.gov.example:601;', '"govsvc_audit_syslog" needs a resolver '
        . 'for the name "logs.gov.example", write "resolver ADDRESS;" in the '
        . 'http block' ],
    [ 'unix:log;', 'invalid path "log", allowed: a full name of at most 107 '
        . 'bytes in bad.conf:1' ],
    [ "$tcp ca=ca.crt;", '"ca=", "name=", "cert=" and "key=" go with a '
        . qq("tls://" address, not with "$tcp" in bad.conf:1) ],
    [ 'tls://127.0.0.1:6514 cert=ca.crt;',
        '"cert=" and "key=" belong together in bad.conf:1' ],
    [ "$tcp facility=local8;", 'invalid facility "local8"' ],
    [ "$tcp app=;", 'invalid app "", allowed: 1 to 48 visible ASCII '
        . 'characters in bad.conf:1' ],
    [ qq($tcp "app=a b";), 'invalid app "a b", allowed: 1 to 48 visible ASCII '
        . 'characters in bad.conf:1' ],
    [ "$tcp sd_id=govsvc;", 'invalid sd_id "govsvc", allowed: NAME@NUMBER, at '
        . 'most 32 characters in bad.conf:1' ],
    [ "$tcp max=255;", 'invalid max "255", allowed: 256 to 8k in bad.conf:1' ],
    [ "$tcp max=9k;", 'invalid max "9k", allowed: 256 to 8k in bad.conf:1' ],
    [ "$tcp batch=0;", 'invalid batch "0", allowed: 1 to 1000 in bad.conf:1' ],
    [ "$tcp resend=61m;",
        'invalid resend "61m", allowed: 0 to 1h in bad.conf:1' ],
    [ "$tcp replay=1s;",
        'invalid replay "1s", allowed: 1m to 180d in bad.conf:1' ],
    [ "$tcp types=htp;", 'invalid type "htp"' ],
    [ "$tcp; govsvc_audit_syslog $tcp;",
        qq(audit records are delivered twice to "$tcp|rfc5424") ],
) {
    my ($args, $expected) = @$bad;
    my $error = $t->conf_error("govsvc_audit_syslog $args\n$rest");
    ok(index($error, $expected) >= 0, "govsvc_audit_syslog $args")
        or diag "$error\ninstead of\n$expected";
}

my $error = $t->conf_error("govsvc_audit_syslog $tcp;\n"
    . 'server { listen unix:%%DIR%%/s; }');
is($error, '"govsvc_audit_syslog" sends what is in the audit store: add '
    . '"govsvc_audit_store dir=..." to the http block in bad.conf:1',
    'without a store');

$t->done();
