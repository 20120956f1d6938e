#!/usr/bin/perl

# Copyright (C) govsvc authors

# Bans from the rule that asks for one to the request that is refused: by
# address, network and subject; tiers, dry run, detect, who is never banned; by
# hand, and lifted; over reloads and killed workers.

use strict;
use warnings;

use IO::Socket::UNIX;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new(workers => 2, log => 'info')->has('mint');

$t->mint_keys('keys');
$t->write_file('a.rules', <<'EOF');
rule 100001 trap    { match path prefix "/trap"; block; ban ip 1h; }
rule 100002 short   { match arg:a eq short; ban ip 2s escalate=3 max=1h; }
rule 100003 nets    { match arg:a eq net; ban network 10m; }
rule 100004 person  { match arg:a eq person; ban subject 10m; }
rule 100005 second  { match arg:a eq second; level 2; ban ip 10m; }
rule 100006 answer  { match status eq 404; match path eq /missing;
                      ban ip 10m; }
EOF

$t->http_conf(<<"EOF")->run();
    govsvc_issuer national {
        iss        https://sso.gov.example;
        audience   off;
        jwks_file  keys/jwks.json;
    }

    govsvc_rules     a.rules;
    govsvc_ban_zone  zone=bans:1m allow=127.0.9.0/24,127.0.0.1;

    server {
        listen         127.0.0.1:%%PORT_0%%;
        govsvc_guard   on;
        govsvc_ban     zone=bans;
        add_header     X-Ban \$govsvc_ban_status always;
        add_header     X-Reason \$govsvc_reason always;

        location / {
            empty_gif;
        }

        location = /missing {
            proxy_pass  http://127.0.0.1:%%PORT_1%%;
        }

        location = /person {
            govsvc_token  required;
            empty_gif;
        }

        location = /other {
            govsvc_token  required;
            govsvc_ban    zone=bans by=net;
            empty_gif;
        }

        location /detect {
            govsvc_guard  detect;
            empty_gif;
        }

        location /dry {
            govsvc_ban  zone=bans dry_run;
            empty_gif;
        }

        location /off {
            govsvc_ban  off;
            empty_gif;
        }

        location = /bans {
            govsvc_ban          off;
            govsvc_guard        off;
            govsvc_ban_control  zone=bans;
        }
    }

    server {
        listen  127.0.0.1:%%PORT_1%%;
        return  404;
    }

    server {
        listen             127.0.0.1:%%PORT_2%%;
        listen             unix:%%DIR%%/bans.sock;
        set_real_ip_from   127.0.0.1;
        set_real_ip_from   unix:;
        real_ip_header     X-Real-IP;

        location = /bans {
            govsvc_ban_control  zone=bans;
        }
    }
EOF

my $n = 1;

sub from { return '127.0.1.' . $n++ }

sub get {
    my ($uri, $from, %options) = @_;

    return $t->http_get($uri, from => $from, %options);
}

sub status { return get(@_)->status }

sub bearer {
    my $token = $t->token('ES256', { iss => 'https://sso.gov.example',
        sub => shift });

    return (headers => [Authorization => "Bearer $token"]);
}

sub control {
    my ($method, $args) = @_;

    return $t->http_request($method, "/bans?$args")->status;
}


# a rule bans an address, on both workers and in all places

my $a = from();
is(status('/', $a), 200, 'nobody is banned');
is(status('/trap', $a), 403, 'the rule blocks');

my $r = get('/', $a);
is($r->status, 403, 'and bans');
is($r->header('X-Reason'), 'BANNED', 'with its reason');
is($r->header('X-Ban'), 'BANNED', 'and its status');
cmp_ok($r->header('Retry-After'), '<=', 3600, 'for an hour');
cmp_ok($r->header('Retry-After'), '>', 3500, 'from now');
is(join(' ', map { status('/', $a) } 1 .. 20), join(' ', (403) x 20),
    'on every worker');
is(status('/', from()), 200, 'but not another address');
is(status('/off', $a), 200, 'nor where bans are off');
$r = get('/dry', $a);
is($r->status . $r->header('X-Ban'), '200BANNED_DRY_RUN', 'a dry run refuses nobody');
like($t->error_log(), qr/net "\Q$a\E" banned in zone "bans" for 3600s, rule /,
    'the log tells who');

# those who never are

is(status('/trap', '127.0.9.9'), 403, 'an allowed address is blocked');
is(status('/', '127.0.9.9'), 200, 'never banned');
is(control('POST', 'net=127.0.9.9&time=1h'), 403, 'not by hand either');

# detect mode, dry run, places without bans, rules above the level

for my $uri ('/detect?a=short', '/dry?a=short', '/off?a=short', '/?a=second') {
    $a = from();
    is(status($uri, $a), 200, $uri);
    is(status('/', $a), 200, "$uri bans nobody");
}

like($t->error_log(), qr/would ban, rule: 100002/, 'but the log tells');

# tiers

$a = from();
is(status('/?a=short', $a), 200, 'the rule does not block');
$r = get('/', $a);
is($r->status, 403, 'but the next is refused');
cmp_ok($r->header('Retry-After'), '<=', 2, 'for two seconds');
ok($t->wait_for(sub { status('/', $a) == 200 }), 'it ends by itself');
is(status('/?a=short', $a), 200, 'once more');
cmp_ok(get('/', $a)->header('Retry-After'), '>', 3, 'three times as long');

# a network; what the answer shows

is(status('/?a=net', '127.0.3.1'), 200, 'a network');
is(status('/', '127.0.3.77'), 403, 'another address of it');
is(status('/', '127.0.4.77'), 200, 'another network');

$a = from();
is(status('/missing', $a), 404, 'by the answer');
is(status('/', $a), 403, 'the next is refused');

# a caller, wherever it comes from

is(status('/person?a=person', from()), 401, 'nobody is known');
is(status('/person?a=person', from(), bearer('citizen-0001')), 200, 'known');
is(status('/person', from(), bearer('citizen-0001')), 403, 'banned');
is(status('/person', from(), bearer('citizen-0002')), 200, 'not another');
is(status('/other', from(), bearer('citizen-0001')), 200, 'by=net');
unlike($t->error_log(), qr/citizen-0001/, 'its name is not logged');
like($t->error_log(), qr{subject "national/ci\*\*\*" banned},
    'but masked');

# by hand

$a = from();
is(control('POST', "net=$a&time=1h&reason=why&actor=me"), 204, 'ban');
is(status('/', $a), 403, 'banned');
is(control('POST', "net=$a&time=5m"), 204, 'a shorter one');
cmp_ok(get('/', $a)->header('Retry-After'), '>', 3000, 'changes nothing');

my ($e) = grep { $_->{key} eq $a } @{$t->http_get('/bans')->json->{bans}};
is("@$e{qw/reason actor rule tier/}", 'why me 0 0', 'listed');
is(control('DELETE', "id=$e->{id}"), 204, 'lifted by its id');
is(status('/', $a), 200, 'free');
is(control('DELETE', "net=$a"), 404, 'was not banned');

($e) = grep { $_->{rule} == 100002 } @{$t->http_get('/bans')->json->{bans}};
is("$e->{reason} $e->{actor} $e->{evidence}", 'short rule arg:a short',
    'rule, actor and evidence');

is(control('DELETE', 'issuer=national&subject=citizen-0001'), 204,
    'a subject is lifted');
is(status('/person', from(), bearer('citizen-0001')), 200, 'free');
is(control('POST', 'app=a'), 204, 'an application, by the tiers');

is(control($_->[0], $_->[1]), $_->[2], "@$_") for (
    [ 'PUT', 'net=10.0.0.1', 405 ],
    [ 'POST', '', 400 ],
    [ 'POST', 'net=10.0.0.', 400 ],
    [ 'POST', 'net=10.0.0.1%2f8', 400 ],
    [ 'POST', 'net=0.0.0.0%2f0', 400 ],
    [ 'POST', 'net=unix', 400 ],
    [ 'POST', 'net=10.0.0.1&time=500ms', 400 ],
    [ 'POST', 'subject=a', 400 ],
    [ 'POST', 'id=net:00000000000000000000000000000000', 400 ],
    [ 'DELETE', 'id=net:0000000000000000000000000000000g', 400 ],
    [ 'DELETE', 'id=nets:00000000000000000000000000000000', 400 ],
    [ 'DELETE', 'id=net:00000000000000000000000000000000', 404 ],
    [ 'GET', 'cursor=x', 400 ],
);

is(control('POST', "net=10.1.$_.0%2f24&time=1h"), 204, "ban $_")
    for 1 .. 70;
$r = $t->http_get('/bans')->json;
is(scalar @{$r->{bans}}, 64, 'a page');
my $more = $t->http_get("/bans?cursor=$r->{cursor}")->json;
cmp_ok(scalar @{$more->{bans}}, '>', 6, 'and the next');
ok(!exists $more->{cursor}, 'which is the last');

# by clients of this machine alone

is($t->http_request($_->[0], '/bans?net=10.9.9.9', port => $t->port(2),
    headers => ['X-Real-IP' => $_->[1]])->status, $_->[2], "@$_") for (
    [ 'GET', '10.0.0.1', 403 ],
    [ 'POST', '10.0.0.1', 403 ],
    [ 'DELETE', '128.0.0.1', 403 ],
    [ 'POST', '126.255.255.255', 403 ],
    [ 'POST', '2001:db8::1', 403 ],
    [ 'POST', '::2', 403 ],
    [ 'POST', '::ffff:10.0.0.1', 403 ],
    [ 'GET', '127.3.2.1', 200 ],
    [ 'GET', '::1', 200 ],
    [ 'GET', '::ffff:127.0.0.1', 200 ],
);
ok(!(grep { $_->{key} eq '10.9.9.9' } map { @{$_->{bans}} }
    $t->http_get('/bans')->json, $more), 'nothing was banned');
is($t->http_get('/bans', socket => IO::Socket::UNIX->new(
    Peer => $t->dir() . '/bans.sock'))->status, 200, 'over a unix socket');
like($t->error_log(), qr/a client of another machine may not change bans/,
    'told');

# kept

ok($t->reload(), 'reload');
is(status('/', '127.0.3.77'), 403, 'keeps bans');
$t->kill_worker('KILL');
is(status('/', '127.0.3.77'), 403, 'so does a killed worker');
is(control('DELETE', 'net=127.0.3.0%2f24'), 204, 'lifted');
is(join(' ', map { status('/', '127.0.3.77') } 1 .. 10),
    join(' ', (200) x 10), 'everywhere');

$t->done();
