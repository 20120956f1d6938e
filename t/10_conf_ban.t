#!/usr/bin/perl

# Copyright (C) govsvc authors

# govsvc_ban_zone, govsvc_ban: what nginx -t says about bad values.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new();

$t->write_file("$_.key", 'x' x ($_ eq 'short' ? 15 : 16))
    for qw/good open short/;
chmod 0600, $t->dir() . "/$_.key" for qw/good short/;
chmod 0644, $t->dir() . '/open.key';

my $at = 'in "govsvc_ban_zone" directive in bad.conf:1';
my $good = "govsvc_ban_zone zone=bans:1m;\n";

my @zones = (

    # directive, message

    'govsvc_ban_zone;'
    => 'invalid number of arguments in "govsvc_ban_zone" directive '
       . 'in bad.conf:1',

    'govsvc_ban_zone tiers=5m;'
    => '"govsvc_ban_zone" must have "zone=NAME:SIZE" parameter '
       . 'in bad.conf:1',

    'govsvc_ban_zone zone=bans;'
    => 'invalid zone "bans" in "govsvc_ban_zone" directive, allowed: a name '
       . 'and a size, as in "zone=main:32m" in bad.conf:1',

    'govsvc_ban_zone zone=bans:16k;'
    => 'invalid zone size "16k" in "govsvc_ban_zone" directive, allowed: 32k '
       . 'or more, with k, m or g in bad.conf:1',

    'govsvc_ban_zone zone=bans:1m tier=5m;'
    => qq(invalid parameter "tier="; did you mean "tiers="? $at),

    'govsvc_ban_zone zone=bans:1m persist;'
    => 'invalid parameter "persist"; allowed: zone=, tiers=, memory=, '
       . "allow=, redis=, secret= $at",

    'govsvc_ban_zone zone=bans:1m memory=1d memory=2d;'
    => 'duplicate parameter "memory=2d" in "govsvc_ban_zone" directive '
       . 'in bad.conf:1',

    'govsvc_ban_zone zone=bans:1m tiers=;'
    => 'invalid tier "", allowed: 1s to 366d, as in "30m" in bad.conf:1',

    'govsvc_ban_zone zone=bans:1m tiers=5m,soon;'
    => 'invalid tier "soon", allowed: 1s to 366d, as in "30m" in bad.conf:1',

    'govsvc_ban_zone zone=bans:1m tiers=500ms;'
    => 'invalid tier "500ms", allowed: 1s to 366d, as in "30m" '
       . 'in bad.conf:1',

    'govsvc_ban_zone zone=bans:1m tiers=367d;'
    => 'invalid tier "367d", allowed: 1s to 366d, as in "30m" '
       . 'in bad.conf:1',

    'govsvc_ban_zone zone=bans:1m tiers=1h,30m;'
    => 'invalid tiers "1h,30m", each must be as long as the one before or '
       . 'longer in bad.conf:1',

    'govsvc_ban_zone zone=bans:1m tiers=1m,2m,3m,4m,5m,6m,7m,8m,9m;'
    => 'too many tiers "1m,2m,3m,4m,5m,6m,7m,8m,9m", at most 8 are allowed '
       . 'in bad.conf:1',

    'govsvc_ban_zone zone=bans:1m memory=0;'
    => 'invalid memory "0", allowed: 1s to 366d, as in "30m" in bad.conf:1',

    'govsvc_ban_zone zone=bans:1m allow=10.0.0.0/8,office;'
    => 'invalid network "office" in "allow", it must be as in "10.0.0.0/8" '
       . 'in bad.conf:1',

    'govsvc_ban_zone zone=bans:1m allow=10.0.0.1/8;'
    => 'invalid network "10.0.0.1/8" in "allow", bits behind the prefix are '
       . 'set in bad.conf:1',

    'govsvc_ban_zone zone=bans:1m redis=main;'
    => '"redis=NAME" and "secret=FILE" of ban zone "bans" need one another '
       . 'in bad.conf:1',

    'govsvc_ban_zone zone=bans:1m secret=good.key;'
    => '"redis=NAME" and "secret=FILE" of ban zone "bans" need one another '
       . 'in bad.conf:1',

    'govsvc_ban_zone zone=bans:1m redis=main secret=short.key;'
    => 'the secret in "short.key" is shorter than 16 bytes in bad.conf:1',

    'govsvc_ban_zone zone=bans:1m redis=main secret=open.key;'
    => 'secret file "open.key" is open to other users, allowed: owner and '
       . 'group, use chmod o-rwx in bad.conf:1',

    'govsvc_ban_zone zone=bans:1m redis=main secret=good.key;'
    => 'unknown redis "main", there is no block "govsvc_redis main" '
       . 'in bad.conf:1',

    "${good}govsvc_ban_zone zone=bans:1m;"
    => 'ban zone "bans" is already defined in bad.conf:2',
);

my @bans = (

    'govsvc_ban;'
    => 'invalid number of arguments in "govsvc_ban" directive in bad.conf:2',

    'govsvc_ban dry_run;'
    => '"govsvc_ban" must have "zone=NAME" parameter in bad.conf:2',

    'govsvc_ban zone=;'
    => '"govsvc_ban" must have "zone=NAME" parameter in bad.conf:2',

    'govsvc_ban zone=bams;'
    => 'ban zone "bams" is not defined; did you mean "bans"? in bad.conf:2',

    'govsvc_ban zone=bans dry-run;'
    => 'invalid parameter "dry-run"; did you mean "dry_run"? in "govsvc_ban" '
       . 'directive in bad.conf:2',

    'govsvc_ban zone=bans by=ip;'
    => 'invalid key of bans "ip"; allowed: net, subject, app, kid in '
       . '"govsvc_ban" directive in bad.conf:2',

    'govsvc_ban zone=bans off;'
    => 'invalid parameter "off"; allowed: zone=, by=, dry_run in '
       . '"govsvc_ban" directive in bad.conf:2',

    "govsvc_ban zone=bans;\ngovsvc_ban off;"
    => '"govsvc_ban" directive is duplicate in bad.conf:3',
);

my @controls = (

    'govsvc_ban_control;'
    => 'invalid number of arguments in "govsvc_ban_control" directive in '
       . 'bad.conf:2',

    'govsvc_ban_control zon=bans;'
    => 'invalid parameter "zon="; did you mean "zone="? in '
       . '"govsvc_ban_control" directive in bad.conf:2',

    'govsvc_ban_control zone=bams;'
    => 'ban zone "bams" is not defined; did you mean "bans"? in bad.conf:2',

    'govsvc_ban_control zone=bans; govsvc_ban_control zone=bans;'
    => '"govsvc_ban_control" directive is duplicate in bad.conf:2',
);

my @accepted = (
    'govsvc_ban_zone zone=a:32k;',
    'govsvc_ban_zone zone=a:32k tiers=1s,1s,366d memory=366d '
    . 'allow=10.0.0.0/8,2001:db8::/32,127.0.0.1;',
    "${good}govsvc_ban zone=bans by=net,app dry_run;",
    "server { govsvc_ban zone=bans; location / { govsvc_ban off; } }\n$good",
);

while (my ($text, $message) = splice(@zones, 0, 2)) {
    is($t->conf_error($text), $message, $text =~ s/\n/ /gr);
}

while (my ($text, $message) = splice(@bans, 0, 2)) {
    is($t->conf_error($good . $text), $message, $text =~ s/\n/ /gr);
}

while (my ($text, $message) = splice(@controls, 0, 2)) {
    is($t->conf_error($good . "server { location / { $text } }"), $message,
        $text);
}

is($t->conf_error($_), '', s/\n/ /gr) for @accepted;

$t->done();
