#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit directives: what they accept, and what they say of the rest.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new();
my $dir = $t->dir();

$t->write_file('pid.key', "0123456789abcdef0123456789abcdef\n");
$t->write_file('short.key', "0123456789abcdef0123456789abcde\n");
$t->write_file('open.key', "0123456789abcdef0123456789abcdef\n");
$t->write_file('file', "a file\n");
chmod 0600, "$dir/pid.key", "$dir/short.key";
chmod 0644, "$dir/open.key";

my $server = 'server { listen unix:%%DIR%%/s; }';

for my $good (
    'govsvc_audit_store dir=a1;',
    'govsvc_audit_store dir=a2/ alg=sha256 segment=64k sync=off '
        . 'retention=200d buffer=64k flush=1000ms segment_time=10m;',
    'govsvc_audit_store dir=a3 alg=sm3 segment=4096m sync=group '
        . 'retention=180d buffer=256m flush=0ms; govsvc_audit meta;',
    'govsvc_audit off;',
    'govsvc_audit_pseudonym key=pid.key;',
    'govsvc_audit_pseudonym key=pid.key kid=999999;',
    'govsvc_audit_pseudonym key=pid.key; govsvc_audit_pseudonym key=pid.key '
        . 'kid=2 from=2027-01-01T00:00:00+08:00;',
    'govsvc_audit_wait 10ms; govsvc_audit_on_error read_only;',
    'govsvc_audit_wait 60s; govsvc_audit_on_error fail_closed;',
    'govsvc_audit_space low=99% critical=10g full=1% reserve=64m;',
    'govsvc_audit_coalesce rate=20 window=60s;',
    'govsvc_audit_store dir=a7; govsvc_audit headers;',
    'govsvc_audit_store dir=a8; govsvc_audit body_hash intent=durable;',
    'govsvc_audit_on_error fail_open; govsvc_audit_store dir=a5; '
        . 'govsvc_audit meta intent=durable class=security receipt=on;',
    'govsvc_audit_store dir=a6; '
        . 'govsvc_audit meta intent=off class=write receipt=off;',
    'server { govsvc_audit meta; location / { govsvc_audit off; } }'
        . ' govsvc_audit_store dir=a4;',
) {
    is($t->conf_error("$good\n$server"), '', $good);
}

is((stat "$dir/a1")[2] & 07777, 0750, 'the directory is made');

my $params = 'allowed: dir=, alg=, segment=, segment_time=, sync=, '
    . 'retention=, buffer=, flush= in "govsvc_audit_store" directive '
    . 'in bad.conf:1';

my @bad = (
    'govsvc_audit_store;',
    'invalid number of arguments in "govsvc_audit_store" directive '
        . 'in bad.conf:1',

    'govsvc_audit_store alg=sm3;',
    '"govsvc_audit_store" must have the parameter "dir=" in bad.conf:1',

    'govsvc_audit_store dir=;',
    qr/^invalid parameter "dir=".* in "govsvc_audit_store" directive in bad/,

    'govsvc_audit_store dir=a zzzzzzzz;',
    qr/^invalid parameter "zzzzzzzz"; \Q$params\E$/,

    'govsvc_audit_store dir=a segmnt=64m;',
    qr/^invalid parameter "segmnt=64m"; .*segment=/,

    'govsvc_audit_store dir=a alg=sha1;',
    qr/^invalid alg "sha1"; .*sha256.* in "govsvc_audit_store" directive/,

    'govsvc_audit_store dir=a segment=63k;',
    'invalid segment "63k", allowed: 64k to 4096m in bad.conf:1',

    'govsvc_audit_store dir=a segment=5g;',
    'invalid segment "5g", allowed: 64k to 4096m in bad.conf:1',

    'govsvc_audit_store dir=a segment=-1;',
    'invalid segment "-1", allowed: 64k to 4096m in bad.conf:1',

    'govsvc_audit_store dir=a buffer=1k;',
    'invalid buffer "1k", allowed: 64k to 256m in bad.conf:1',

    'govsvc_audit_store dir=a buffer=many;',
    'invalid buffer "many", allowed: 64k to 256m in bad.conf:1',

    'govsvc_audit_store dir=a flush=2s;',
    'invalid flush "2s", allowed: 0ms to 1000ms in bad.conf:1',

    'govsvc_audit_store dir=a sync=on;',
    qr/^invalid sync "on"; .*group.*off.* in "govsvc_audit_store" directive/,

    'govsvc_audit_store dir=a retention=30d;',
    'retention "30d" is too short: the Cybersecurity Law (article 21) asks '
        . 'for six months, allowed: 180d or more in bad.conf:1',

    'govsvc_audit_store dir=a retention=long;',
    'invalid retention "long", allowed: days as in "180d" in bad.conf:1',

    "govsvc_audit_store dir=a;\ngovsvc_audit_store dir=b;",
    '"govsvc_audit_store" directive is duplicate in bad.conf:2',

    'govsvc_audit_store dir=a segment_time=0ms;',
    'invalid segment_time "0ms", allowed: 1s to 24h in bad.conf:1',

    'govsvc_audit_store dir=a segment_time=25h;',
    'invalid segment_time "25h", allowed: 1s to 24h in bad.conf:1',

    'govsvc_audit_store dir=no/such;',
    qr{^cannot make the directory "no/such", its parent has to exist},

    'govsvc_audit_store dir=file;',
    '"file" is not a directory',

    'govsvc_audit meta;',
    '"govsvc_audit meta" needs a place for its files: add '
        . '"govsvc_audit_store dir=..." to the http block in bad.conf:1',

    "server {\n location / { govsvc_audit meta; }\n}",
    '"govsvc_audit meta" needs a place for its files: add '
        . '"govsvc_audit_store dir=..." to the http block in bad.conf:2',

    'govsvc_audit;',
    'invalid number of arguments in "govsvc_audit" directive in bad.conf:1',

    'govsvc_audit mta;',
    qr/^invalid level "mta"; .*"?meta"?.* in "govsvc_audit" directive/,

    'govsvc_audit meta intent=later;',
    qr/^invalid parameter "intent=later"; .*intent=durable/,

    'govsvc_audit meta class=reed;',
    qr/^invalid parameter "class=reed"; .*class=read/,

    'govsvc_audit meta receipt=on;',
    '"receipt=on" is about a record that is on disk before the answer: add '
        . '"intent=durable" in bad.conf:1',

    'govsvc_audit off class=read;',
    '"govsvc_audit off" has no parameters in bad.conf:1',

    'govsvc_audit_wait 9ms;',
    'invalid wait, allowed: 10ms to 60s in bad.conf:1',

    'govsvc_audit_wait 61s;',
    'invalid wait, allowed: 10ms to 60s in bad.conf:1',

    'govsvc_audit_wait soon;',
    '"govsvc_audit_wait" directive invalid value in bad.conf:1',

    'govsvc_audit_space low=0%;',
    'invalid amount in "low=0%", allowed: 1% to 99%, or a size as in "10g" '
        . 'in bad.conf:1',

    'govsvc_audit_space lo=1%;',
    qr/^invalid parameter "lo=1%"; .*low=/,

    'govsvc_audit_space reserve=1k;',
    'invalid reserve in "reserve=1k", allowed: 1m to 64g in bad.conf:1',

    "govsvc_audit_space low=1%;\ngovsvc_audit_space low=1%;",
    '"govsvc_audit_space" directive is duplicate in bad.conf:2',

    'govsvc_audit_coalesce window=1s;',
    '"govsvc_audit_coalesce" must have the parameter "rate=" in bad.conf:1',

    'govsvc_audit_coalesce rate=0;',
    'invalid rate in "rate=0", allowed: 1 to 1000000 a window in bad.conf:1',

    'govsvc_audit_coalesce rate=1 window=1ms;',
    'invalid window in "window=1ms", allowed: 100ms to 60s in bad.conf:1',

    'govsvc_audit_coalesce rat=1;',
    qr/^invalid parameter "rat=1"; .*rate=/,

    "govsvc_audit_coalesce rate=1;\ngovsvc_audit_coalesce rate=1;",
    '"govsvc_audit_coalesce" directive is duplicate in bad.conf:2',

    'govsvc_audit_on_error fail_opn;',
    qr/^invalid value "fail_opn"; .*fail_open/,

    "govsvc_audit_on_error read_only;\ngovsvc_audit_on_error read_only;",
    '"govsvc_audit_on_error" directive is duplicate in bad.conf:2',

    "govsvc_audit off;\ngovsvc_audit off;",
    '"govsvc_audit" directive is duplicate in bad.conf:2',

    'govsvc_audit_pseudonym;',
    'invalid number of arguments in "govsvc_audit_pseudonym" directive '
        . 'in bad.conf:1',

    'govsvc_audit_pseudonym kid=1;',
    '"govsvc_audit_pseudonym" must have the parameter "key=" in bad.conf:1',

    'govsvc_audit_pseudonym key=pid.key kid=0;',
    'invalid kid in "kid=0", allowed: 1 to 999999 in bad.conf:1',

    'govsvc_audit_pseudonym key=pid.key kid=x;',
    'invalid kid in "kid=x", allowed: 1 to 999999 in bad.conf:1',

    'govsvc_audit_pseudonym key=pid.key file=x;',
    qr/^invalid parameter "file=x"; .*key=/,

    'govsvc_audit_pseudonym key=pid.key from=soon;',
    'invalid time in "from=soon", allowed: as in '
        . '"from=2027-01-01T00:00:00+08:00" in bad.conf:1',

    "govsvc_audit_pseudonym key=pid.key kid=2;\ngovsvc_audit_pseudonym "
        . "key=pid.key kid=2 from=2027-01-01T00:00:00+08:00;",
    'a further key needs a larger "kid=" and a later "from=" than the one '
        . 'before it in bad.conf:2',

    'govsvc_audit_pseudonym key=none.key;',
    qr{^open\(\) ".*none\.key" failed \(2: No such file or directory\)},

    'govsvc_audit_pseudonym key=short.key;',
    qr{^the key in ".*short\.key" has 31 bytes, allowed: 32 or more, make one }
        . 'with: openssl rand -hex 32 in bad.conf:1',

    'govsvc_audit_pseudonym key=open.key;',
    qr{^secret file ".*open\.key" is open to other users},

    "govsvc_audit_pseudonym key=pid.key;\ngovsvc_audit_pseudonym key=pid.key;",
    '"govsvc_audit_pseudonym" directive is duplicate in bad.conf:2',
);

while (my ($text, $want) = splice @bad, 0, 2) {
    my $got = $t->conf_error("$text\n$server");

    if (ref $want || $want =~ /^\(\?/) {
        like($got, qr/$want/, $text);

    } else {
        is($got, $want, $text);
    }
}

# With another user for the workers the directory has to be theirs.

SKIP: {
    skip 'only root gives directories away', 3 if $<;

    chmod 0755, $dir;
    mkdir "$dir/root", 0755;

    my $conf = 'user nobody nogroup; ' . "load_module " . $t->module()
        . ";\nevents { } http { govsvc_audit_store dir=%s; "
        . "access_log off; }\n";

    my ($code, $err) = $t->test_config(sprintf $conf, "$dir/root");
    isnt($code, 0, 'refused');
    like($err, qr{"\S+/root" \s is \s not \s writable \s for \s the \s workers,
        \s run: \s chown \s nobody \s "\S+/root"}x, 'with the remedy');

    ($code, $err) = $t->test_config(sprintf $conf, "$dir/theirs");
    is((stat "$dir/theirs")[4], scalar getpwnam('nobody'), 'made for them');
}

$t->done();
