#!/usr/bin/perl

# Copyright (C) govsvc authors

# What many requests tell together: brute force, stuffing, scans, enumeration;
# bans that follow, shared exits, what never counts, lifting, detect; limits of
# rules; over workers and reloads.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new(workers => 2, log => 'info')->has('mint');

$t->mint_keys('keys');
$t->write_file('a.rules', <<'EOR');
rule 100001 told  { match arg:told exists; event told; nolog; }
rule 100002 slow  { match arg:slow exists; limit ip 2r/h 10m; }
rule 100003 third { match arg:bad eq 1; score test 2; }
rule 100004 slow2 { match arg:slow2 exists; limit subject 1r/h 10m; }
rule 100005 evil  { match arg:evil exists; block; ban caller 1h; }
rule 100006 slow3 { match arg:slow3 exists; limit caller 1r/d 10m; }

correlate 200001 brute {
    on status 401 403;
    only method POST;
    only path /login;
    key ip;
    count >= 5 in 10m;
    do ban ip 1h;
    severity high;
}

correlate 200002 stuffing {
    on status 401;
    only path /stuff;
    key ip;
    distinct arg:username >= 4 in 10m;
    do log;
    do ban ip 1h at=6;
    shared 3 x3 limit ip 3r/h 10m;
}

correlate 200003 scan {
    on status 404;
    key ip;
    distinct path >= 6 in 10m;
    do ban ip 1h;
}

correlate 200004 people {
    on event told;
    key ip;
    sequence arg:id >= 5 in 10m;
    do ban ip 1h;
}

correlate 200005 prober {
    on score >= 2;
    key ip;
    count >= 3 in 10m;
    do limit ip 1r/h 10m;
}

correlate 200006 person {
    on status 403;
    only path /mine;
    key subject;
    count >= 3 in 10m;
    do ban subject 1h;
}
EOR

$t->http_conf(<<"EOF")->run();
    govsvc_issuer national {
        iss        https://sso.gov.example;
        audience   off;
        jwks_file  keys/jwks.json;
    }

    govsvc_rules      a.rules;
    govsvc_ban_zone   zone=bans:1m allow=127.0.9.0/24;
    govsvc_correlate  zone=corr:1m ban=bans;

    server {
        listen         127.0.0.1:%%PORT_0%%;
        govsvc_guard   on;
        govsvc_ban     zone=bans;
        add_header     X-Reason \$govsvc_reason always;

        location / {
            empty_gif;
        }

        location /login  { proxy_pass  http://127.0.0.1:%%PORT_1%%; }
        location /stuff  { proxy_pass  http://127.0.0.1:%%PORT_1%%; }
        location /none   { proxy_pass  http://127.0.0.1:%%PORT_2%%; }

        location /detect/ {
            govsvc_guard  detect;
            proxy_pass    http://127.0.0.1:%%PORT_1%%;
        }

        location = /in {
            govsvc_token  required;
            empty_gif;
        }

        location = /mine {
            govsvc_token  required;
            proxy_pass    http://127.0.0.1:%%PORT_3%%;
        }

        location = /bans {
            govsvc_ban          off;
            govsvc_guard        off;
            govsvc_ban_control  zone=bans;
        }
    }

    server { listen  127.0.0.1:%%PORT_1%%; return  401; }
    server { listen  127.0.0.1:%%PORT_2%%; return  404; }
    server { listen  127.0.0.1:%%PORT_3%%; return  403; }
EOF

my $n = 1;

sub from { return '127.0.1.' . $n++ }

# A request is counted when it has been answered, and the next one of its
# connection is read after that.

my %socket;

sub ask {
    my ($method, $uri, $from, %options) = @_;

    my $socket = $socket{$from} //= $t->connect(from => $from);
    my $r = $t->http($t->request($method, $uri, keepalive => 1, %options),
        socket => $socket);

    if (!$r->status) {                     # closed by a reload
        $socket{$from} = $t->connect(from => $from);
        $r = $t->http($t->request($method, $uri, keepalive => 1, %options),
            socket => $socket{$from});
    }

    delete $socket{$from} if ($r->header('Connection') // '') eq 'close';

    return $r->status . ' ' . ($r->header('X-Reason') // '');
}

sub get { return ask('GET', @_) }

sub repeat {
    my ($count, @request) = @_;

    return map { ask(@request) } 1 .. $count;
}

sub token {
    return 'Bearer ' . $t->token('ES256', { iss => 'https://sso.gov.example',
        sub => shift });
}

my $banned = qr/^403 BANNED/;


# brute force: the count of all workers

my $a = from();
my @seen = map { delete $socket{$a}; ask('POST', '/login', $a) } 1 .. 5;
is(scalar(grep { $_ =~ /^401/ } @seen), 5, 'five failed logins');
ok($t->wait_for(sub { get('/', $a) =~ $banned }), 'banned everywhere');
like(ask('POST', '/login', $a), $banned, 'the sixth, too');
like(get('/', from()), qr/^200/, 'another address is not');

$a = from();
repeat(8, 'GET', '/login', $a);
like(get('/', $a), qr/^200/, 'only the method of the rule counts');

$a = from();
repeat(8, 'POST', '/login.png', $a);
like(get('/', $a), $banned, 'a POST is no static file');


# lifted: the counters are cleared with it

$a = from();
repeat(5, 'POST', '/login', $a);
like(get('/', $a), $banned, 'banned');
is($t->http_request('DELETE', "/bans?net=$a")->status, 204, 'lifted');
@seen = repeat(4, 'POST', '/login', $a);
like(get('/', $a), qr/^200/, 'four more do not ban');
repeat(1, 'POST', '/login', $a);
like(get('/', $a), $banned, 'five do');

$a = from();
repeat(4, 'POST', '/login', $a);
get('/', $a);
is($t->http_request('DELETE', "/bans?net=$a")->status, 404,
    'lifted before it was banned');
repeat(4, 'POST', '/login', $a);
like(get('/', $a), qr/^200/, 'what was counted is forgotten');


# distinct values, of a query and of bodies

$a = from();
repeat(20, 'GET', '/stuff?username=same', $a);
like(get('/', $a), qr/^200/, 'one user again and again');
get("/stuff?username=u$_", $a) for 1 .. 7;
like(get('/', $a), $banned, 'many users');

$a = from();
ask('POST', '/stuff', $a, body => "password=x&username=u%2$_",
    headers => { 'Content-Type' => 'application/x-www-form-urlencoded' })
    for 0 .. 7;
like(get('/', $a), $banned, 'in a form');
like($t->read_file('error.log'),
    qr/rule 200002 "stuffing", ip "\Q$a\E": distinct arg:username 4 of 4/,
    'the first step is logged');
like($t->http_request('GET', '/bans')->body,
    qr/"key":"\Q$a\E"[^}]*"rule":200002,"reason":"stuffing","actor":"correlation","evidence":"distinct arg:username 6 of 6 in 600s"/,
    'the ban says why');


# an exit that many share

$a = from();
get('/in', $a, headers => { Authorization => token("person$_") })
    for 1 .. 5;
get("/stuff?username=u$_", $a) for 1 .. 11;
like(get('/', $a), qr/^200/, 'three times as many pass');
get("/stuff?username=u$_", $a) for 12 .. 24;
@seen = repeat(4, 'GET', '/', $a);
like("@seen", qr/429 RATE_LIMITED$/, 'and a limit instead of a ban');
unlike("@seen", qr/BANNED/, 'no ban');


# scans; what does not count

$a = from();
get("/none/$_", $a) for 1 .. 9;
like(get('/', $a), $banned, 'paths that are not there');

$a = from();
get("/none/$_.png", $a) for 1 .. 20;
like(get('/', $a), qr/^200/, 'static files do not count');

get("/none/$_", '127.0.9.1') for 1 .. 20;
like(get('/', '127.0.9.1'), qr/^200/, 'nor do addresses never banned');

$a = from();
repeat(20, 'POST', '/detect/login', $a);
like(get('/', $a), qr/^200/, 'detect counts, and does nothing');
like($t->read_file('error.log'),
    qr/rule 200001 "brute", ip "\Q$a\E": count 5 of 5 in 600s, would ban/,
    'but tells');


# one number after the other

$a = from();
get("/?told=1&id=44010619900101$_", $a) for 1001 .. 1006;
like(get('/', $a), $banned, 'numbers in order');

$a = from();
get("/?id=44010619900101$_", $a) for 1001 .. 1009;
like(get('/', $a), qr/^200/, 'without the event they are not counted');


# hits, and the limit of a correlation

$a = from();
@seen = repeat(5, 'GET', '/?bad=1', $a);
is("@seen", '200  200  200  200  429 RATE_LIMITED', 'hits, then a limit');


# the limit of a rule

$a = from();
my $r = $t->http_request('GET', '/?slow=1', from => $a);
is($r->status, 200, 'the request itself is the first');
is(get('/', $a), '200 ', 'the second passes');
$r = $t->http_request('GET', '/', from => $a);
is($r->status, 429, 'the third does not');
ok($r->header('Retry-After') >= 1 && $r->header('Retry-After') <= 1800,
    'it is told when to come again');
is(get('/detect/', $a), '401 ', 'not in detect');

my $p = token('limited-person');
@seen = map {
    my $from = from();
    my $status = get($_, $from, headers => { Authorization => $p });
    get('/', $from);
    $status;
} qw{/in?slow2=1 /in /in};
shift @seen;
is("@seen", '200  429 RATE_LIMITED', 'a caller is limited wherever it is');


# a caller

$p = token('a-person-of-note');
get('/mine', from(), headers => { Authorization => $p }) for 1 .. 3;
ok($t->wait_for(sub {
    get('/in', from(), headers => { Authorization => $p }) =~ $banned;
}), 'a caller is banned');
like(get('/in', from(), headers => { Authorization => token('x') }), qr/^200/,
    'another is not');


# the caller of a rule: a subject, even where the rule refused; else who
# proves nobody behind an address

$a = from();
$p = token('an-attacker');
is(get('/in?evil=1', $a, headers => { Authorization => $p }),
    '403 RULE_BLOCKED', 'an attack of a person');
ok($t->wait_for(sub {
    get('/in', from(), headers => { Authorization => $p }) =~ $banned;
}), 'is held against the person');
like(get('/', $a), qr/^200/, 'not against the address');

is(get('/?evil=1', $a), '403 RULE_BLOCKED', 'an attack of nobody');
ok($t->wait_for(sub { get('/', $a) =~ $banned }), 'is held against it');
like(get('/in', $a, headers => { Authorization => token('y') }), qr/^200/,
    'but not against a person there');
like(get('/in', $a, headers => { Authorization => 'Bearer x.y.z' }),
    qr/^401/, 'nor does a bad token help');

$a = from();
@seen = (get('/?slow3=1', $a), get('/', $a), get('/', $a), get('/x.css', $a),
    get('/in', $a, headers => { Authorization => token('z') }));
is("@seen", '200  200  429 RATE_LIMITED 200  200 ',
    'a limit of nobody spares persons, and static files');


# over a reload

$a = from();
repeat(4, 'POST', '/login', $a);
$t->reload();
repeat(1, 'POST', '/login', $a);
like(get('/', $a), $banned, 'counters outlive a reload');

$t->done();
