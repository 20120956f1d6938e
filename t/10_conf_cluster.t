#!/usr/bin/perl

# Copyright (C) govsvc authors

# Limits of all nodes, tiers and requests in progress: what nginx -t says
# about bad values.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new();

$t->write_file('short.secret', "too short\n");
$t->write_file('good.secret', "0123456789abcdef\n");

chmod 0600, map { $t->dir() . "/$_.secret" } qw/short good/;

my $redis = "govsvc_redis main { server 127.0.0.1:6379; }\n";
my $zone = 'govsvc_limit_zone $arg_k zone=a:1m rate=100r/s burst=50';
my $all = "${redis}govsvc_cluster_size 3;\n$zone sync=main;\n";
my $day = "govsvc_quota_zone \$arg_k zone=q:32k quota=5/day tz=+08:00";
my $one = "govsvc_conn_zone \$arg_k zone=c:32k;\n";

my @refused = (
    "${redis}$zone sync=main;"
    => 'limit zone "a" has "sync", which needs "govsvc_cluster_size NUMBER" '
       . 'in bad.conf:2',

    (map {
        "${redis}govsvc_cluster_size $_;"
        => qq{invalid cluster size "$_", allowed: 1 to 1000, or }
           . '"auto redis=NAME expect=NUMBER" in bad.conf:2'
    } qw/0 1001 three autos/),

    "${redis}govsvc_cluster_size 3 expect=3;"
    => 'invalid cluster size "expect=3", allowed: 1 to 1000, or '
       . '"auto redis=NAME expect=NUMBER" in bad.conf:2',

    (map {
        "${redis}govsvc_cluster_size auto $_;"
        => '"govsvc_cluster_size auto" needs both "redis=NAME" and '
           . '"expect=NUMBER", 1 to 1000 in bad.conf:2'
    } '', 'redis=main', 'expect=3', 'redis=main expect=0', 'redis= expect=3',
        'redis=main expect=1001', 'redis=main expect=x'),

    "${redis}govsvc_cluster_size auto redis=main nodes=3;"
    => 'invalid parameter "nodes="; allowed: redis=, expect= in '
       . '"govsvc_cluster_size" directive in bad.conf:2',

    'govsvc_cluster_size auto redis=none expect=3;'
    => 'unknown redis "none", there is no block "govsvc_redis none" '
       . 'in bad.conf:1',

    "${redis}govsvc_cluster_size 3;\ngovsvc_cluster_size auto redis=main "
    . 'expect=3;'
    => '"govsvc_cluster_size" directive is duplicate in bad.conf:3',

    'govsvc_limit_leases 1000001;'
    => 'value must be between 0 and 1000000 in bad.conf:1',

    "$zone local_share=10%;"
    => '"local_share", "lease" and "leases" need "sync=NAME" in bad.conf:1',

    "$zone sync=off leases=1m;"
    => '"local_share", "lease" and "leases" need "sync=NAME" in bad.conf:1',

    "${redis}$zone sync=main local_share=91%;"
    => 'invalid local_share "91%", it must be from 0% to 90% in bad.conf:2',

    "${redis}$zone sync=main local_share=20;"
    => 'invalid local_share "20", it must be from 0% to 90% in bad.conf:2',

    "${redis}$zone sync=main lease=4ms;"
    => 'invalid lease "4ms", it must be a time from 5ms to 1s in bad.conf:2',

    "${redis}$zone sync=main leases=1k;"
    => 'invalid leases "1k", it must be a size of at least 32k in bad.conf:2',

    "${all}govsvc_limit zone=a mode=fast;"
    => 'invalid mode "fast"; allowed: auto, local, lease, strict in '
       . '"govsvc_limit" directive in bad.conf:4',

    "$zone;\nserver { govsvc_limit zone=a mode=strict; }"
    => 'mode "strict" needs "sync=NAME" of limit zone "a" in bad.conf:2',

    "${redis}govsvc_cluster_size 3;\n"
    . "govsvc_limit_zone \$arg_k zone=b:1m rate=5r/m burst=5 sync=main;\n"
    . 'server { govsvc_limit zone=b mode=lease; }'
    => 'mode "lease" needs a larger burst: the local share of limit zone "b" '
       . 'is less than one request a node; use "strict" in bad.conf:4',

    "${all}govsvc_limit zone=a on_error=close;"
    => 'invalid on_error "close"; did you mean "closed"? in "govsvc_limit" '
       . 'directive in bad.conf:4',

    "${all}govsvc_limit zone=a timeout=6s;"
    => 'invalid timeout "6s", it must be a time from 5ms to 5s in '
       . 'bad.conf:4',

    "${all}govsvc_limit zone=a delay=x;"
    => 'invalid delay "x", it is the number of requests that are not held '
       . 'back in bad.conf:4',

    "${all}govsvc_limit zone=a name=a/b;"
    => 'invalid name "a/b", allowed: 1 to 64 letters, digits, "-", "_" and '
       . '"." in bad.conf:4',

    "$zone;\ngovsvc_limit_zone \$uri zone=b:1m rate=1r/s;\n"
    . 'govsvc_limit zone=a zone=b name=c;'
    => '"name" stands for one zone, but there are 2 in bad.conf:3',

    "$zone;\ngovsvc_limit zone=a cost=\$nothing;"
    => 'unknown "nothing" variable',

    "$zone;\ngovsvc_limit_tier a \$arg_t { b off; }"
    => '"govsvc_limit_tier" must begin with "zone=NAME", not "a" in '
       . 'bad.conf:2',

    "$zone;\ngovsvc_limit_tier zone=b \$arg_t { b off; }"
    => 'limit zone "b" is not defined; did you mean "a"? in bad.conf:2',

    "$zone;\ngovsvc_limit_tier zone=a \$arg_t { gold burst=3; }"
    => 'tier "gold" must have "rate=NUMBERr/s" or "off" in bad.conf:2',

    "$zone;\ngovsvc_limit_tier zone=a \$arg_t { gold rat=3r/s; }"
    => 'invalid parameter "rat="; did you mean "rate="? in "gold" directive '
       . 'in bad.conf:2',

    "$zone;\ngovsvc_limit_tier zone=a \$arg_t { gold rate=1r/s; gold off; }"
    => 'duplicate tier "gold" in bad.conf:2',

    "$zone;\ngovsvc_limit_tier zone=a \$arg_t { }\n"
    . 'govsvc_limit_tier zone=a $arg_u { }'
    => 'limit zone "a" already has tiers in bad.conf:3',

    'govsvc_limit_secret short.secret;'
    => 'the secret in "short.secret" is shorter than 16 bytes in bad.conf:1',

    "govsvc_limit_secret good.secret;\ngovsvc_limit_secret good.secret;"
    => '"govsvc_limit_secret" directive is duplicate in bad.conf:2',

    'govsvc_conn_zone $arg_k ipv6_prefix=64 zone=c:32k;'
    => '"ipv6_prefix" needs a key that is an address: $govsvc_client_net, '
       . '$binary_remote_addr or $remote_addr, not "$arg_k" in bad.conf:1',

    'govsvc_conn_zone $arg_k identified;'
    => '"govsvc_conn_zone" must have "zone=NAME:SIZE" parameter in '
       . 'bad.conf:1',

    "${one}govsvc_conn_zone \$uri zone=c:64k;"
    => 'conn zone "c" is already defined in bad.conf:2',

    "${one}govsvc_conn zone=d max=1;"
    => 'conn zone "d" is not defined; did you mean "c"? in bad.conf:2',

    "${one}govsvc_conn zone=c max=1;\ngovsvc_conn zone=c max=2;"
    => 'duplicate conn zone "c" in bad.conf:3',

    "${one}govsvc_conn off;\ngovsvc_conn zone=c max=2;"
    => '"govsvc_conn" directive stands beside "govsvc_conn off" in '
       . 'bad.conf:3',

    "${one}govsvc_conn zone=c max=1;\ngovsvc_conn off;"
    => '"govsvc_conn" directive is duplicate in bad.conf:3',

    'govsvc_quota_zone $arg_k zone=q:32k quota=5/day;'
    => '"govsvc_quota_zone" must have "tz=..." parameter in bad.conf:1',

    'govsvc_quota_zone $arg_k zone=q:32k quota=5/week tz=Z;'
    => 'invalid quota "5/week", it must be a number from 1 to 4000000000 and '
       . '/hour, /day or /month in bad.conf:1',

    'govsvc_quota_zone $arg_k zone=q:32k quota=5/day tz=Beijing;'
    => 'invalid tz "Beijing", it must be an offset such as +08:00, or Z in '
       . 'bad.conf:1',

    'govsvc_quota_zone $arg_k zone=q:32k quota=5/day tz=+14:01;'
    => 'invalid tz "+14:01", it must be an offset such as +08:00, or Z in '
       . 'bad.conf:1',

    "$day local_share=10%;"
    => '"local_share" needs "sync=NAME" in bad.conf:1',

    "$redis$day sync=main;"
    => 'quota zone "q" has "sync", which needs "govsvc_cluster_size NUMBER" '
       . 'in bad.conf:2',

    "$day;\n$day;"
    => 'quota zone "q" is already defined in bad.conf:2',

    "$day;\ngovsvc_quota zone=p;"
    => 'quota zone "p" is not defined; did you mean "q"? in bad.conf:2',

    "$day;\ngovsvc_quota cost=1;"
    => '"govsvc_quota" must have "zone=NAME" parameter in bad.conf:2',

    "$day;\ngovsvc_quota zone=q delay=3;"
    => 'invalid parameter "delay="; allowed: zone=, cost=, on_error=, '
       . 'timeout=, dry_run in "govsvc_quota" directive in bad.conf:2',

    "$day;\ngovsvc_quota zone=q;\ngovsvc_quota zone=q;"
    => 'duplicate quota zone "q" in bad.conf:3',
);

my @accepted = (
    "${redis}govsvc_cluster_size 9;\n$day sync=main local_share=0%;\n"
    . 'govsvc_quota zone=q cost=$arg_c on_error=open timeout=5ms dry_run;',
    "$day identified sync=off;\ngovsvc_quota off;",
    "${all}govsvc_limit zone=a mode=strict timeout=5s on_error=closed "
    . "delay=3;\ngovsvc_limit_leases 0;\ngovsvc_limit_secret good.secret;",
    "${all}server { govsvc_limit zone=a mode=local nodelay cost=\$arg_c; }",
    "$zone sync=off identified full=pass;",
    "${redis}govsvc_cluster_size 1;\n$zone sync=main local_share=0% lease=1s "
    . 'leases=32k;',
    "$zone;\ngovsvc_limit_tier zone=a \$arg_t { b rate=1r/d burst=366; }",
    "${one}server { govsvc_conn zone=c max=1 dry_run; "
    . 'location / { govsvc_conn off; } }',
);

while (my ($text, $message) = splice(@refused, 0, 2)) {
    is($t->conf_error($text), $message, $message =~ s/ in bad.*//r);
}

is($t->conf_error($_), '', s/\n/ /gr) for @accepted;

$t->done();
