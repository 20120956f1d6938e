#!/usr/bin/perl

# Copyright (C) govsvc authors

# An exit of two thousand citizens who signed on, an IPv4 address and an IPv6
# network of 64 bits, with attackers among them, under the rules as shipped:
# no citizen is refused for what others do, or for what all of them do
# together; each attacker is, by his own key.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Crowd;


use constant CITIZENS => 2000;

my $t = Test::GovSvc->new(workers => 2, log => 'notice');
my $issuer = crowd_issuer($t, 'national');

$t->write_file('app.secret', 'plain-api-key');
chmod 0640, $t->dir() . '/app.secret';
$t->write_file('apps.json', '{"apps": [{"id": "yss", "scheme": "apikey",'
    . ' "secrets": ["file:app.secret"]}]}');

$t->http_conf(<<"EOF")->run();
    $issuer
    govsvc_apps         apps.json;
    govsvc_token_zone   zone=tokens:16m;
    govsvc_rules        %%TOP%%/lua-free-rules/*.rules;
    govsvc_ban_zone     zone=bans:1m;
    govsvc_correlate    zone=corr:4m ban=bans;
    govsvc_limit_zone   \$govsvc_unproven_net zone=few:1m rate=1r/d burst=30;

    set_real_ip_from    127.0.0.0/8;
    real_ip_header      X-Real-Client;

    server {
        listen          127.0.0.1:%%PORT_0%%;
        govsvc_guard    on;
        govsvc_ban      zone=bans;
        govsvc_token    optional;
        govsvc_app      optional;
        add_header      X-Reason \$govsvc_reason always;

        location /      { empty_gif; }
        location /gone  { try_files /none =404; }
        location /login { auth_basic x; auth_basic_user_file none; }

        location /few   { govsvc_limit zone=few; empty_gif; }

        location = /bans {
            allow               127.0.0.1;
            govsvc_ban          off;
            govsvc_guard        off;
            govsvc_token        off;
            govsvc_app          off;
            govsvc_ban_control  zone=bans;
        }
    }
EOF

my @citizens = map { crowd_token("citizen-$_") } 1 .. CITIZENS;
my @browsers = map { "Mozilla/5.0 (Windows NT 10.0; Win64) Chrome/$_.0" }
    101 .. 140;

my %exits = (
    'IPv4' => sub { '192.0.2.44' },
    'IPv6' => sub { sprintf '2001:db8:7:9::%x', 1 + $_[0] % 60000 },
);

for my $name (sort keys %exits) {
    cold($name, $exits{$name});
    ordinary($name, $exits{$name});
    attackers($name, $exits{$name});
    few($name, $exits{$name});
}

$t->done();


sub page {
    my ($page, $n) = @_;

    return $page !~ /%/ ? $page : sprintf $page, $page =~ m{list/} ? $n % 9 : $n;
}


# A limit of those who have not signed on, and of nobody else.

sub few {
    my ($name, $exit) = @_;

    my %got = crowd($t, map {
        ([ GET => '/few', $exit->($_) ],
         [ GET => '/few', $exit->($_), $citizens[$_] ])
    } 1 .. 300);

    is_deeply(\%got, { '200 ' => 330, '429 RATE_LIMITED' => 270 },
        "$name: a limit of the address spares who signs on") or diag(%got);
}


# An attack before anybody of the exit was known.

sub cold {
    my ($name, $exit) = @_;

    $t->http_request('DELETE', '/bans?net=' . $exit->(1));

    my @got = crowd_answers($t, map {
        [ GET => "/?id=$_%27+or+1=1--+-", $exit->($_) ]
    } 1 .. 12);

    ok($t->wait_for(sub {
        my ($got) = crowd_answers($t, [ GET => '/', $exit->(5) ]);
        return $got eq '403 BANNED';
    }), "$name: an attacker nobody knows, from an address nobody knows");

    is((crowd_answers($t, [ GET => '/', $exit->(6),
        crowd_token('citizen-1', forged => 1) ]))[0], '401 TOKEN_INVALID',
        "$name: a forged token does not help him");

    is((crowd_answers($t, [ GET => '/home', $exit->(6),
        crowd_token(undef) ]))[0], '403 BANNED',
        "$name: nor does one of nobody");
    is((crowd_answers($t, [ GET => '/home', $exit->(7), undef,
        'X-Api-Key' => 'yss:plain-api-key' ]))[0], '200 ',
        "$name: an application passes");
    is((crowd_answers($t, [ GET => '/home', $exit->(7), undef,
        'X-Api-Key' => 'yss:plain-api-kex' ]))[0], '401 APP_INVALID',
        "$name: one that is none does not");

    is_deeply({ crowd($t, map {
        [ GET => '/home', $exit->($_), $citizens[$_] ]
    } 0 .. 99) }, { '200 ' => 100 }, "$name: who signs on passes");

    is_deeply({ crowd($t, map {
        [ GET => "/news$_", $exit->($_), undef,
            'User-Agent' => $browsers[$_ % @browsers] ]
    } 0 .. 99) }, { '200 ' => 100 },
        "$name: who has yet to do so passes as soon as that is known");
}


# Minutes of ordinary traffic of all of them, in seconds.

sub ordinary {
    my ($name, $exit) = @_;

    my @pages = ('/home', '/css/a.css', '/list/%d', '/guide?item=%d',
        '/case/2026%06d', '/progress?idcard=4401061990%08d', '/detail?id=77%04d');
    my %sum;

    for my $page (@pages) {
        my %got = crowd($t, map {
            [ GET => page($page, $_),
                $exit->($_), $citizens[$_], 'User-Agent' => $browsers[$_ % 40] ]
        } 0 .. CITIZENS - 1);

        $sum{$_} += $got{$_} for keys %got;
    }

    is_deeply(\%sum, { '200 ' => CITIZENS * @pages },
        "$name: @{[CITIZENS * @pages]} requests of citizens") or diag(%sum);

    # broken links, wrong passwords, pages before the login

    my %got = crowd($t, map {
        [ GET => "/gone/page$_", $exit->($_), $citizens[$_] ]
    } 0 .. CITIZENS - 1);
    is_deeply(\%got, { '404 ' => CITIZENS }, "$name: a broken link of each")
        or diag(%got);

    %got = crowd($t, map {
        ([ GET => "/list/$_", $exit->($_), undef,
            'User-Agent' => $browsers[$_ % 40], Cookie => 's=1' ],
         [ GET => '/css/a.css', $exit->($_) ],
         $_ % 10 ? () : [ POST => "/login?username=u$_", $exit->($_), undef,
            'User-Agent' => $browsers[$_ % 40] ])
    } 1 .. 600);
    is_deeply(\%got, { '200 ' => 1200, '401 ' => 60 },
        "$name: pages before the login, a few wrong passwords") or diag(%got);
}


sub attackers {
    my ($name, $exit) = @_;

    my @done;

    # one signed on and looks for what is not there, and at files of others

    my $scanner = crowd_token("scanner-$name");
    my $reader = crowd_token("reader-$name");

    my %got = crowd($t, map {
        [ GET => "/gone/a$_", $exit->($_), $scanner ]
    } 1 .. 200);
    ok($got{'403 BANNED'} || $got{'429 RATE_LIMITED'},
        "$name: who scans is held by his name") or diag(%got);
    push @done, map { "$_ $got{$_}" } sort keys %got;

    %got = crowd($t, map {
        [ GET => '/case/' . (20260000 + $_), $exit->($_), $reader ]
    } 1 .. 150);
    ok($got{'429 RATE_LIMITED'}, "$name: who counts through, too")
        or diag(%got);
    push @done, map { "$_ $got{$_}" } sort keys %got;

    # one tries every attack he knows

    my $expert = crowd_token("expert-$name");

    %got = crowd($t, map {
        [ GET => "/?id=$_%27+or+1=1--+-", $exit->($_), $expert ]
    } 1 .. 60);
    is_deeply(\%got, { '403 RULE_BLOCKED' => 60 }, "$name: attacks")
        or diag(%got);
    ok($t->wait_for(sub {
        (crowd_answers($t, [ GET => '/home', '203.0.113.8', $expert ]))[0]
            eq '403 BANNED'
    }, 30), "$name: who signed on is banned for them by his name");
    push @done, map { "$_ $got{$_}" } sort keys %got;

    # one did not, and tries a password on each account

    %got = crowd($t, map {
        [ POST => "/login?username=v$_", $exit->($_), undef,
            'User-Agent' => 'tool/7' ]
    } 1 .. 400);
    ok($got{'429 RATE_LIMITED'}, "$name: who tries passwords is slowed down")
        or diag(%got);
    push @done, map { "$_ $got{$_}" } sort keys %got;
    diag("$name, attackers: " . join(', ', @done));

    %got = crowd($t, map {
        ([ GET => '/home', $exit->($_), $citizens[$_] ],
         [ GET => "/page$_", $exit->($_), undef,
            'User-Agent' => $browsers[$_ % 40] ])
    } 0 .. CITIZENS - 1);
    is_deeply(\%got, { '200 ' => 2 * CITIZENS },
        "$name: no citizen is refused, signed on or not") or diag(%got);

    %got = crowd($t, map {
        [ POST => "/login?username=w$_", $exit->($_), undef,
            'User-Agent' => $browsers[$_ % 40], Cookie => 's=1' ]
    } 1 .. 80);
    is_deeply(\%got, { '401 ' => 80 }, "$name: other browsers still sign on")
        or diag(%got);

    is((crowd_answers($t, [ GET => '/home', '203.0.113.9', $scanner ]))[0]
        =~ /200/ ? 'free' : 'held', 'held',
        "$name: the attacker is held elsewhere, too");
}
