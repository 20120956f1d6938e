#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# govsvc_audit_redis: what it accepts, and what it says of the rest.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new();

my $rest = "govsvc_redis r { server 127.0.0.1:6379; }\n"
    . 'govsvc_audit_store dir=a; server { listen unix:%%DIR%%/s; }';

for my $good (
    'govsvc_audit_redis r;',
    'govsvc_audit_redis r stream=a:%node:%node types=http,deny.agg batch=1;',
    'govsvc_audit_redis r batch=1000 groups=a,b maxlen=1 replay=1m;',
    'govsvc_audit_redis r; govsvc_audit_redis r types=loss replay=180d;',
) {
    is($t->conf_error("$good\n$rest"), '', $good);
}

my $groups = 'allowed: 1 to 8 names with commas between them in bad.conf:1';
my $together = '"maxlen=" and "groups=" of "govsvc_audit_redis" belong '
    . 'together: beyond that length only what all these groups have read is '
    . 'removed in bad.conf:1';

for my $bad (
    [ 'r stream=;', 'invalid stream "", allowed: 1 to 128 visible ASCII '
        . 'characters, "%node" becomes the name of the node in bad.conf:1' ],
    [ 'r "stream=a b";', 'invalid stream "a b", allowed: 1 to 128 visible '
        . 'ASCII characters, "%node" becomes the name of the node in '
        . 'bad.conf:1' ],
    [ 'r batch=0;', 'invalid batch "0", allowed: 1 to 1000 in bad.conf:1' ],
    [ 'r batch=1001;',
        'invalid batch "1001", allowed: 1 to 1000 in bad.conf:1' ],
    [ 'r groups=a maxlen=0;',
        'invalid maxlen "0", allowed: 1 to 1000000000000 in bad.conf:1' ],
    [ 'r groups=a,,b maxlen=1;', qq(invalid groups "a,,b", $groups) ],
    [ 'r groups=1,2,3,4,5,6,7,8,9 maxlen=1;',
        qq(invalid groups "1,2,3,4,5,6,7,8,9", $groups) ],
    [ 'r groups=a;', $together ],
    [ 'r maxlen=1;', $together ],
    [ 'r replay=59s;',
        'invalid replay "59s", allowed: 1m to 180d in bad.conf:1' ],
    [ 'r replay=181d;',
        'invalid replay "181d", allowed: 1m to 180d in bad.conf:1' ],
) {
    my ($args, $expected) = @$bad;
    my $error = $t->conf_error("govsvc_audit_redis $args\n$rest");
    ok(index($error, $expected) >= 0, "govsvc_audit_redis $args")
        or diag "$error\ninstead of\n$expected";
}

like($t->conf_error("govsvc_audit_redis r types=htp;\n$rest"),
    qr/invalid type "htp".*"http".* in "govsvc_audit_redis" directive in bad.conf:1/,
    'a type that is near another');
like($t->conf_error("govsvc_audit_redis r steam=a;\n$rest"),
    qr/"steam=".*"stream="/, 'a parameter that is near another');
like($t->conf_error("govsvc_audit_redis x;\n$rest"),
    qr/"x".* in bad.conf:1/, 'a redis that is not there');
like($t->conf_error("govsvc_audit_redis r;\n"
        . "govsvc_redis r { server 127.0.0.1:6379; }\n"),
    qr/sends what is in the audit store: add "govsvc_audit_store dir=..."/,
    'no store');

$t->done();
