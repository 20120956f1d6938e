#!/usr/bin/perl

# Copyright (C) govsvc authors

# govsvc_limit_zone, govsvc_limit: what nginx -t says about bad values.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new();

my $zone = 'zone=ip:1m rate=1r/s';
my $rate = 'it must be a number and r/s, r/m, r/h or r/d, as in "50r/s" '
    . 'in "govsvc_limit_zone" directive in bad.conf:1';
my $bounds = 'it must be at least 1 in its period and at most 1000000r/s '
    . 'in "govsvc_limit_zone" directive in bad.conf:1';
my $zone_form = '"govsvc_limit_zone" directive, allowed: a name and a size, '
    . 'as in "zone=main:32m" in bad.conf:1';
my $name = 'in "govsvc_limit_zone" directive, allowed: 1 to 64 letters, '
    . 'digits, "-", "_" and "." in bad.conf:1';
my $size = '"govsvc_limit_zone" directive, allowed: 32k or more, with k, m '
    . 'or g in bad.conf:1';

my @zones = (

    # directive, message

    'govsvc_limit_zone $remote_addr;'
    => 'invalid number of arguments in "govsvc_limit_zone" directive '
       . 'in bad.conf:1',

    'govsvc_limit_zone $remote_addr rate=1r/s;'
    => '"govsvc_limit_zone" must have "zone=NAME:SIZE" parameter '
       . 'in bad.conf:1',

    'govsvc_limit_zone $remote_addr zone=ip:1m;'
    => '"govsvc_limit_zone" must have "rate=NUMBERr/s" parameter '
       . 'in bad.conf:1',

    "govsvc_limit_zone \"\" $zone;"
    => 'empty key in "govsvc_limit_zone" directive in bad.conf:1',

    "govsvc_limit_zone \$nowhere $zone;"
    => 'unknown "nowhere" variable',

    "govsvc_limit_zone \$remote_addr $zone brust=5;"
    => 'invalid parameter "brust="; did you mean "burst="? '
       . 'in "govsvc_limit_zone" directive in bad.conf:1',

    "govsvc_limit_zone \$remote_addr $zone nodelay;"
    => 'invalid parameter "nodelay"; allowed: zone=, rate=, burst=, '
       . 'ipv6_prefix=, full=, sync=, local_share=, lease=, leases=, '
       . 'identified in "govsvc_limit_zone" directive in bad.conf:1',

    "govsvc_limit_zone \$remote_addr $zone rate=2r/s;"
    => 'duplicate parameter "rate=2r/s" in "govsvc_limit_zone" directive '
       . 'in bad.conf:1',

    'govsvc_limit_zone $remote_addr zone=ip rate=1r/s;'
    => "invalid zone \"ip\" in $zone_form",

    'govsvc_limit_zone $remote_addr zone=:1m rate=1r/s;'
    => "invalid zone \":1m\" in $zone_form",

    'govsvc_limit_zone $remote_addr zone=ip: rate=1r/s;'
    => "invalid zone \"ip:\" in $zone_form",

    'govsvc_limit_zone $remote_addr "zone=a b:1m" rate=1r/s;'
    => "invalid zone name \"a b\" $name",

    'govsvc_limit_zone $remote_addr zone=' . 'z' x 65 . ':1m rate=1r/s;'
    => 'invalid zone name "' . 'z' x 65 . "\" $name",

    'govsvc_limit_zone $remote_addr zone=ip:1x rate=1r/s;'
    => "invalid zone size \"1x\" in $size",

    'govsvc_limit_zone $remote_addr zone=ip:16k rate=1r/s;'
    => "invalid zone size \"16k\" in $size",

    'govsvc_limit_zone $remote_addr zone=ip:1m rate=fast;'
    => "invalid rate \"fast\", $rate",

    'govsvc_limit_zone $remote_addr zone=ip:1m rate=1.5r/s;'
    => "invalid rate \"1.5r/s\", $rate",

    'govsvc_limit_zone $remote_addr zone=ip:1m rate=0r/s;'
    => "invalid rate \"0r/s\", $bounds",

    'govsvc_limit_zone $remote_addr zone=ip:1m rate=1000001r/s;'
    => "invalid rate \"1000001r/s\", $bounds",

    "govsvc_limit_zone \$remote_addr $zone burst=0;"
    => 'invalid burst "0", it is the number of requests that may come at '
       . 'once, at least 1 in "govsvc_limit_zone" directive in bad.conf:1',

    "govsvc_limit_zone \$remote_addr $zone burst=many;"
    => 'invalid burst "many" in "govsvc_limit_zone" directive, it must be a '
       . 'whole number in bad.conf:1',

    'govsvc_limit_zone $remote_addr zone=ip:1m rate=1r/d burst=367;'
    => 'invalid burst, at this rate it takes more than 366 days to come '
       . 'back in "govsvc_limit_zone" directive in bad.conf:1',

    "govsvc_limit_zone \$remote_addr $zone ipv6_prefix=0;"
    => 'invalid ipv6_prefix "0", it must be a number of bits from 1 to 128 '
       . 'in bad.conf:1',

    "govsvc_limit_zone \$remote_addr $zone ipv6_prefix=129;"
    => 'invalid ipv6_prefix "129", it must be a number of bits from 1 to 128 '
       . 'in bad.conf:1',

    "govsvc_limit_zone \$uri $zone ipv6_prefix=56;"
    => '"ipv6_prefix" needs a key that is an address: $govsvc_client_net, '
       . '$binary_remote_addr or $remote_addr, not "$uri" in bad.conf:1',

    "govsvc_limit_zone \$remote_addr $zone full=agregate;"
    => 'invalid value of "full" "agregate"; did you mean "aggregate"? '
       . 'in "govsvc_limit_zone" directive in bad.conf:1',

    "govsvc_limit_zone \$remote_addr $zone full=open;"
    => 'invalid value of "full" "open"; allowed: reject, aggregate, pass '
       . 'in "govsvc_limit_zone" directive in bad.conf:1',

    "govsvc_limit_zone \$remote_addr $zone;\n"
    . "govsvc_limit_zone \$uri zone=ip:2m rate=1r/s;"
    => 'limit zone "ip" is already defined in bad.conf:2',

    join('', map { "govsvc_limit_zone \$uri zone=z$_:32k rate=1r/s;\n" }
         1 .. 65)
    => 'too many limit zones, at most 64 are allowed in bad.conf:65',
);

my $good = "govsvc_limit_zone \$remote_addr $zone burst=5;\n";

my @limits = (

    'govsvc_limit;'
    => 'invalid number of arguments in "govsvc_limit" directive '
       . 'in bad.conf:2',

    'govsvc_limit dry_run;'
    => '"govsvc_limit" must have "zone=NAME" parameter in bad.conf:2',

    'govsvc_limit zone=;'
    => 'empty zone name in "govsvc_limit" directive in bad.conf:2',

    'govsvc_limit zone=iq;'
    => 'limit zone "iq" is not defined; did you mean "ip"? in bad.conf:2',

    'govsvc_limit zone=ip cost=0;'
    => 'invalid cost "0" in "govsvc_limit" directive, it must be a whole '
       . 'number from 1 to 2147483647 in bad.conf:2',

    'govsvc_limit zone=ip cost=2147483648;'
    => 'invalid cost "2147483648" in "govsvc_limit" directive, it must be a '
       . 'whole number from 1 to 2147483647 in bad.conf:2',

    'server { govsvc_limit zone=ip cost=6; }'
    => 'invalid cost "6", no request could pass: the burst of limit zone '
       . '"ip" is 5 in bad.conf:2',

    "govsvc_limit_tier zone=ip \$arg_t { free off; low rate=1r/s burst=2; }\n"
    . 'server { govsvc_limit zone=ip cost=3; }'
    => 'invalid cost "3", no request could pass: the burst of tier "low" of '
       . 'limit zone "ip" is 2 in bad.conf:3',

    'govsvc_limit zone=ip delay=2 nodelay;'
    => '"delay" and "nodelay" exclude one another in bad.conf:2',

    'govsvc_limit zone=ip nodelay delay=2;'
    => '"delay" and "nodelay" exclude one another in bad.conf:2',

    'govsvc_limit zone=ip zone=ip;'
    => 'duplicate limit zone "ip" in bad.conf:2',

    "govsvc_limit zone=ip;\ngovsvc_limit zone=ip;"
    => 'duplicate limit zone "ip" in bad.conf:3',

    'govsvc_limit zone=ip dryrun;'
    => 'invalid parameter "dryrun"; did you mean "dry_run"? '
       . 'in "govsvc_limit" directive in bad.conf:2',

    'govsvc_limit zone=ip dry_run=on;'
    => 'invalid parameter "dry_run="; did you mean "dry_run"? '
       . 'in "govsvc_limit" directive in bad.conf:2',

    'govsvc_limit zone=ip off;'
    => '"off" must stand alone in "govsvc_limit" directive in bad.conf:2',

    "govsvc_limit off;\ngovsvc_limit off;"
    => '"govsvc_limit" directive is duplicate in bad.conf:3',

    "govsvc_limit off;\ngovsvc_limit zone=ip;"
    => '"govsvc_limit" directive stands beside "govsvc_limit off" '
       . 'in bad.conf:3',

    "govsvc_limit zone=ip;\ngovsvc_limit off;"
    => '"govsvc_limit" directive stands beside other limits, "off" must '
       . 'stand alone in bad.conf:3',
);

my @accepted = (
    "govsvc_limit_zone \$govsvc_client_net zone=a:1m rate=1r/d burst=366\n"
    . "ipv6_prefix=48 full=aggregate;",
    'govsvc_limit_zone $binary_remote_addr zone=a:32k rate=1000000r/s;',
    'govsvc_limit_zone $govsvc_subject$uri zone=a.b-c_d:32k rate=5r/h '
    . 'full=reject;',
    "govsvc_limit zone=ip cost=5 dry_run;\n$good",
    "${good}server { govsvc_limit zone=ip; location / { govsvc_limit off; }}",
);

while (my ($text, $message) = splice(@zones, 0, 2)) {
    is($t->conf_error($text), $message, $text =~ s/\n.*/ .../sr);
}

while (my ($text, $message) = splice(@limits, 0, 2)) {
    is($t->conf_error($good . $text), $message, $text =~ s/\n/ /gr);
}

is($t->conf_error($_), '', s/\n/ /gr) for @accepted;

my $many = join('', map { "govsvc_limit_zone \$uri zone=z$_:32k rate=1r/s;\n"
                          . "govsvc_limit zone=z$_;\n" } 1 .. 17);

is($t->conf_error($many),
   'too many limits, at most 16 may apply at once in bad.conf:34',
   '17 limits');

$t->done();
