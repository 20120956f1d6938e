#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# govsvc_alert: what it accepts, and what it says of the rest.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new();

my $rest = 'govsvc_audit_store dir=a; server { listen unix:%%DIR%%/s; }';
my $url = 'url=http://127.0.0.1:9/a';
my $tcp = 'tcp://127.0.0.1:601';

$t->write_file('robot.url', "http://127.0.0.1:9/r?access_token=KEYOFROBOT\n");
$t->write_file('plain.url', "http://127.0.0.1:9/r\n");
$t->write_file('bad.url', "http://example.com/KEYOFROBOT\n");
$t->write_file('secret', "s\n");
$t->write_file('empty', "\n");
$t->write_file('open', "s\n");
chmod 0600, map { $t->dir() . "/$_" } qw/robot.url plain.url bad.url secret
    empty/;
chmod 0644, $t->dir() . '/open';
$t->ca('ca');

for my $good (
    "cloudevents $url;",
    "cloudevents $url secret=secret min=low lang=en rate=1 wait=0 window=1h "
        . 'give_up=1d timeout=100ms replay=7d;',
    'dingtalk url_file=robot.url secret=secret;',
    'feishu url_file=plain.url secret=secret; govsvc_alert wecom '
        . 'url_file=plain.url;',
    'syslog tcp://127.0.0.1:601;',
    'syslog tcp://[::1]:601 facility=local6 app=gw sd_id=gov@1.2 min=critical '
        . 'lang=en rate=1 wait=0 window=1h give_up=1d timeout=100ms replay=7d '
        . 'resend=0;',
    'syslog tls://10.1.2.3:6514 ca=ca.crt cert=ca.crt key=ca.key '
        . 'name=logs.gov.example resend=1h;',
    'syslog udp://127.0.0.1:514; govsvc_alert syslog udp://127.0.0.1:515;',
    'syslog unix:/tmp/a.sock; govsvc_alert syslog unix-dgram:/dev/log;',
    'syslog tcp://127.0.0.1:601; govsvc_audit_syslog tcp://127.0.0.1:601;',
) {
    is($t->conf_error("govsvc_alert $good\n$rest"), '', $good);
}

for my $bad (
    [ "webhook $url;", qr/^invalid form "webhook"; allowed: cloudevents/ ],
    [ "sysog $tcp;", qr/^invalid form "sysog".*"syslog"/ ],
    [ "dingding $url;", qr/^invalid form "dingding"/ ],
    [ 'cloudevents min=low;', qr/must have one of the parameters "url="/ ],
    [ "cloudevents $url url_file=robot.url;", qr/must have one of the/ ],
    [ "dingtalk $url;", qr/holds its key: write it into a file and name/ ],
    [ 'wecom url_file=plain.url secret=secret;', qr/"wecom" does not sign/ ],
    [ 'dingtalk url_file=plain.url secret=secret;',
        qr/must have "\?access_token="/ ],
    [ 'dingtalk url_file=bad.url;', qr/invalid URL in "govsvc_alert"/ ],
    [ 'feishu url_file=empty;', qr/empty" is empty|"empty" is empty/ ],
    [ 'feishu url_file=;', qr/name of a file of "govsvc_alert" is empty/ ],
    [ 'feishu url_file=none;', qr/open\(\) "none" failed/ ],
    [ "cloudevents $url secret=open;", qr/is open to other users/ ],
    [ "cloudevents $url min=hihg;", qr/invalid grade "hihg".*"high"/ ],
    [ "cloudevents $url lang=de;", qr/invalid language "de"/ ],
    [ "cloudevents $url rate=0;", qr/invalid rate "0", allowed: 1 to 1000/ ],
    [ "cloudevents $url rate=1001;", qr/invalid rate "1001"/ ],
    [ "cloudevents $url wait=6m;", qr/invalid time "6m".*0 to 5m/ ],
    [ "cloudevents $url window=0;", qr/invalid time "0".*1s to 1h/ ],
    [ "cloudevents $url give_up=2d;", qr/invalid time "2d".*1s to 1d/ ],
    [ "cloudevents $url timeout=2m;", qr/invalid time "2m".*100ms to 1m/ ],
    [ "cloudevents $url replay=1s;", qr/invalid time "1s".*1m to 7d/ ],
    [ "cloudevents $url wndow=1s;", qr/"wndow=".*"window="/ ],
    [ "cloudevents $url facility=user;", qr/"facility=/ ],
    [ 'syslog min=low;', qr/invalid address "min=low", allowed: tcp:/ ],
    [ 'syslog http://127.0.0.1:9/;', qr/invalid address "http:/ ],
    [ 'syslog tcp://127.0.0.1;', qr/allowed: HOST:PORT and nothing behind/ ],
    [ "syslog $tcp/x;", qr/allowed: HOST:PORT and nothing behind it/ ],
    [ 'syslog unix:log;', qr/invalid path "log", allowed: a full name/ ],
    [ "syslog $tcp ca=ca.crt;", qr/go with a "tls:\/\/" address, not with/ ],
    [ 'syslog tls://127.0.0.1:6514 cert=ca.crt;', qr/belong together/ ],
    [ "syslog $tcp facility=local8;", qr/invalid facility "local8"/ ],
    [ "syslog $tcp app=;", qr/invalid app "", allowed: 1 to 48 visible/ ],
    [ "syslog $tcp sd_id=gov;", qr/invalid sd_id "gov", allowed: NAME\@/ ],
    [ "syslog $tcp resend=61m;", qr/invalid time "61m".*0 to 1h/ ],
    [ "syslog $tcp min=hihg;", qr/invalid grade "hihg".*"high"/ ],
    [ "syslog $tcp lang=de;", qr/invalid language "de"/ ],
    [ "syslog $tcp rate=0;", qr/invalid rate "0", allowed: 1 to 1000/ ],
    [ "syslog $tcp wait=6m;", qr/invalid time "6m".*0 to 5m/ ],
    [ "syslog $tcp window=0;", qr/invalid time "0".*1s to 1h/ ],
    [ "syslog $tcp give_up=2d;", qr/invalid time "2d".*1s to 1d/ ],
    [ "syslog $tcp timeout=2m;", qr/invalid time "2m".*100ms to 1m/ ],
    [ "syslog $tcp replay=1s;", qr/invalid time "1s".*1m to 7d/ ],
    [ "syslog $tcp secret=secret;", qr/"secret=/ ],
    [ "syslog $tcp resent=1s;", qr/"resent=.*"resend="/ ],
) {
    my $error = $t->conf_error("govsvc_alert $bad->[0]\n$rest");

    like($error, $bad->[1], $bad->[0]);
    like($error, qr/bad\.conf:1$/, 'file and line');
    unlike($error, qr/KEYOFROBOT/, 'no key');
}

is($t->conf_error("govsvc_alert cloudevents $url;\n"
    . 'server { listen unix:%%DIR%%/s; }'),
    '"govsvc_alert" tells of events in the audit store: add '
    . '"govsvc_audit_store dir=..." to the http block in bad.conf:1',
    'without a store');

$t->done();
