#!/usr/bin/perl

# Copyright (C) govsvc authors

# Floods and slow attacks of many, under the rules as shipped: thousands of
# tokens behind one exit, good and forged; thousands of addresses; passwords
# tried once for each account; one account from everywhere; numbers at random
# and by an application; what never counts.  A table that is far too small
# loses counts, says so once, and nothing else.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Crowd;


my $t = start('4m');

my $exit = '192.0.2.44';
my $tool = 'tool/7';
my @browsers = map { "Mozilla/5.0 (Windows NT 10.0; Win64) Chrome/$_.0" }
    101 .. 140;


# 5,000 good tokens behind one exit, then 5,000 forged ones among new good ones

is_deeply({ crowd($t, map {
    [ GET => '/home', $exit, crowd_token("citizen-$_") ]
} 1 .. 5000) }, { '200 ' => 5000 }, '5,000 good tokens of one exit');

my @mixed;

for my $n (1 .. 5000) {
    push @mixed, [ GET => '/home', $exit, crowd_token("f-$n", forged => 1),
        'User-Agent' => $tool ];
    push @mixed, [ GET => '/home', $exit, crowd_token("new-$n"),
        'User-Agent' => $browsers[$n % 40], Cookie => 's=1' ] if $n % 10 == 0;
}

my (%forged, %good);
my @got = crowd_answers($t, @mixed);

for my $n (0 .. $#got) {
    ($mixed[$n][5] eq $tool ? \%forged : \%good)->{$got[$n]}++;
}

is_deeply(\%good, { '200 ' => 500 }, 'new citizens sign on beside a forger')
    or diag(%good);
ok(!$forged{'200 '} && ($forged{'429 AUTH_THROTTLED'} // 0) > 4000,
    'who is throttled') or diag(%forged);
diag('5,000 forged tokens: ' . join ', ', map { "$_ $forged{$_}" }
    sort keys %forged);


# an exit that nobody is known behind has one throttle

@got = crowd_answers($t, (map {
    [ GET => '/home', '192.0.2.45', crowd_token("g-$_", forged => 1) ]
} 1 .. 200), [ GET => '/home', '192.0.2.45', crowd_token('lonely'),
    'User-Agent' => $browsers[0] ]);
is($got[-1], '429 AUTH_THROTTLED', 'another address has but one throttle');


# 5,000 addresses ask one page: none is refused for what all do

my %sum = crowd($t, map {
    [ GET => '/api/x', sprintf('10.%d.%d.7', $_ / 250, $_ % 250) ]
} 1 .. 5000);
is_deeply(\%sum, { '200 ' => 5000 }, '5,000 addresses on one page');


# one try for each account, seven from each of 200 addresses of a network

%sum = crowd($t, map {
    [ POST => "/login?username=a$_", '198.51.100.' . (1 + $_ % 200) ]
} 1 .. 1400);
is_deeply(\%sum, { '401 ' => 1400 }, 'seven tries of an address pass');
told(qr/rule 2313 "wide-stuffing", network "198\.51\.100\.0\/24"/,
    'the network is told');

# one account from 40 addresses

%sum = crowd($t, map {
    [ POST => '/login?username=mayor', "203.0.113.$_" ]
} 1 .. 40);
is_deeply(\%sum, { '401 ' => 40 }, 'one try of each address passes');
told(qr/rule 2302 "account-under-attack", arg:username/, 'and is told');

# things by number, at random

%sum = crowd($t, map {
    [ GET => '/case/' . (10000 + $_ * 7919 % 89989), "10.200.1.1",
        crowd_token('reader') ]
} 1 .. 320);
ok(!$sum{'403 BANNED'}, 'a reader of hundreds of cases');
told(qr/rule 2318 "object-enumeration", subject "national\/\*\*\*"/,
    'is told, by his name');

# persons one after the other, by an application for many citizens

%sum = crowd($t, map {
    [ GET => '/query?idcard=44010619900101' . (1000 + $_), "10.201.0.$_",
        crowd_token("person-$_", claims => '"client_id":"yss"') ]
} 1 .. 120);
ok($sum{'429 RATE_LIMITED'}, 'numbers in order by an application') or
    diag(%sum);
is_deeply({ crowd($t, [ GET => '/home', '10.201.0.1',
    crowd_token('person-1', claims => '"client_id":"other"') ]) },
    { '200 ' => 1 }, 'another application is free');

# data under the name of a picture, and what a server of Java makes of it

%sum = crowd($t, map {
    [ GET => '/person/' . (880000 + $_) . '.png', '10.202.0.1' ]
} 1 .. 300);
is_deeply(\%sum, { '200 ' => 300 }, 'data as pictures');
told(qr/rule 2318 "object-enumeration", ip "10\.202\.0\.1"/, 'are counted');

crowd($t, map {
    [ GET => '/case/' . (770000 + $_) . ';x=.png', '10.202.0.2' ]
} 1 .. 300);
told(qr/rule 2318 "object-enumeration", ip "10\.202\.0\.2"/,
    'so are paths with parameters');

# what never counts

%sum = crowd($t, (map { [ GET => "/gone/$_.png", '192.0.2.60' ] } 1 .. 400),
    (map { [ GET => "/gone/$_", '172.16.0.9' ] } 1 .. 400));
is_deeply(\%sum, { '404 ' => 800 }, 'missing pictures, and a friend');

is(() = $t->read_file('error.log') =~ /zone "corr" is full/g, 0,
    'there was room for all');

$t->stop();


# a table for 448 keys: each address fires, and holds its place

$t = start('64k', <<'EOF');
correlate 200001 twice { on status 404; key ip; count >= 2 in 10m;
    do limit ip 1r/d 10m; }
EOF

%sum = crowd($t, map {
    ([ GET => '/gone', sprintf('10.9.%d.%d', $_ / 250, $_ % 250) ]) x 2
} 1 .. 2000);
is($sum{'404 '} + ($sum{'429 RATE_LIMITED'} // 0), 4000,
    'a full table answers all');

is_deeply({ crowd($t, map { [ GET => '/home', "10.10.0.$_" ] } 1 .. 200) },
    { '200 ' => 200 }, 'and holds nothing against anyone');

my $n = () = $t->read_file('error.log') =~
    /zone "corr" is full, \d+ events were not counted/g;
ok($n >= 1 && $n <= 3, 'which is told once a minute') or diag($n);

%sum = crowd($t, map { [ GET => '/x', '10.9.0.1' ] } 1 .. 5);
ok($sum{'429 RATE_LIMITED'}, 'the first are held still') or diag(%sum);

$t->done();


sub start {
    my ($size, $rules) = @_;

    my $t = Test::GovSvc->new(workers => 2, log => 'notice');
    my $issuer = crowd_issuer($t, 'national');

    $t->write_file('own.rules', $rules // "# none\n");
    $t->write_file('person.json', '{"name":"x"}');
    my $files = $rules ? 'own.rules'
        : '%%TOP%%/lua-free-rules/*.rules';

    $t->http_conf(<<"EOF")->run();
    $issuer
    govsvc_token_zone   zone=tokens:16m throttle=1r/m;
    govsvc_rules        $files;
    govsvc_ban_zone     zone=bans:1m allow=172.16.0.0/12;
    govsvc_correlate    zone=corr:$size ban=bans;

    set_real_ip_from    127.0.0.0/8;
    real_ip_header      X-Real-Client;

    server {
        listen          127.0.0.1:%%PORT_0%%;
        govsvc_guard    on;
        govsvc_ban      zone=bans;
        govsvc_token    optional;
        add_header      X-Reason \$govsvc_reason always;

        location /      { empty_gif; }
        location /gone  { try_files /none =404; }
        location /login { auth_basic x; auth_basic_user_file none; }

        location ~ ^/person/ {
            alias        %%DIR%%/person.json;
            default_type application/json;
            types        {}
        }
    }
EOF

    return $t;
}


sub told {
    my ($like, $name) = @_;

    ok($t->wait_for(sub { $t->read_file('error.log') =~ $like }, 30), $name);
}
