#!/usr/bin/perl

# Copyright (C) govsvc authors

# USR2 with every feature on and under load: two generations of the binary
# serve side by side, the old one goes, none of the requests fails, and what
# was changed meanwhile is known to both.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc::Admin;


plan(skip_all => 'the new binary is no child of valgrind')
    if $ENV{GOVSVC_VALGRIND};

my $t = Test::GovSvc::Admin->new(log => 'notice', workers => 2)->has('mint');
my $pidfile = $t->dir() . '/nginx.pid';

$t->nginx_backend('gd', <<'EOF');
    server {
        listen  127.0.0.1:%%PORT_9%%;
        keepalive_requests 1000000;
        location / { return 200 "ok\n"; }
    }
EOF

$t->write_file('a.rules', <<'EOF');
rule 1000 trap { match path prefix "/44/.git/"; block; }
EOF

$t->gateway(http => <<'EOF', server => <<'EOF');
    govsvc_rules            a.rules;
    govsvc_limit_zone       $govsvc_client_net zone=ip:1m rate=1000000r/s
                            burst=1000000;
    govsvc_conn_zone        $govsvc_client_net zone=conn:1m;
    govsvc_ban_zone         zone=bans:1m;
    govsvc_revocation_zone  zone=revoked:1m state=%%DIR%%/state/revoked;
    govsvc_token_zone       zone=tokens:2m;
EOF
        govsvc_guard       on;
        govsvc_limit       zone=ip;
        govsvc_conn        zone=conn max=1000;

        location = /44/who {
            govsvc_token  required issuer=national;
            proxy_pass    http://platforms;
        }
EOF

# USR2 is only heard by a master whose parent has gone

chomp(my $nginx = `which $Test::GovSvc::NGINX`);

my @start = ($t->environment(), $nginx, '-p', $t->dir() . '/', '-e',
    $t->dir() . '/error.log', '-c', $t->dir() . '/nginx.conf');

system('sh', '-c', 'setsid "$@" > /dev/null 2>&1 & sleep 0.7', 'sh', @start);

sub master {
    my ($name) = @_;

    return $t->wait_for(sub {
        ($t->read_file($name // 'nginx.pid') // '') =~ /^(\d+)$/ ? $1 : 0;
    }, 30);
}

sub children { return scalar(my @pids = split ' ', `pgrep -P $_[0]`) }

my $old = master();

END {
    local $?;
    kill 'KILL', -$old if $old;
}

ok($old, 'a master of its own') or die;

is($t->create('gd-ops', 'instances/a', { pool => 'gd-web', weight => 1,
    address => '127.0.0.1', port => $t->port(9) })->status, 201, 'registered');
ok($t->wait_for(sub { $t->http_get('/44/x')->status == 200 }), 'serves');

my $sub = sub { +{ Authorization => 'Bearer ' . $t->token('ES256', {
    iss => 'https://sso.gov.example', aud => 'govsvc-admin',
    sub => $_[0] }, ttl => 200) } };
my ($good, $bad) = ($sub->('good'), $sub->('bad'));

is($t->http_get('/44/who', headers => $_)->status, 200, 'a token')
    for $good, $bad;

# Two generations

my $load = $t->load_start(uri => '/44/x', connections => 4, seconds => 300,
    pause => 0.002);

kill 'USR2', $old;
ok($t->wait_for(sub { -s "$pidfile.oldbin" && -s $pidfile
    && $t->read_file('nginx.pid') != $old }, 30), 'a new master');
my $new = master();

# whoever is asked: who took the change wrote it down before it answered

is($t->change('system', PATCH => 'instances/a', { weight => 7 })->status, 200,
    'a change amid the upgrade');
is($t->api('security', POST => 'revocations', { issuer => 'national',
    kind => 'sub', value => 'bad' })->status, 200, 'and a revocation');

kill 'WINCH', $old;
kill 'QUIT', $old;
ok($t->wait_for(sub { !kill 0, $old }, 60), 'the old master ends');

is($t->api('system', GET => 'instances/a')->json->{weight}, 7,
    'the change stands');
is($t->http_get('/44/who', headers => $good)->status, 200, 'a good token');
ok($t->wait_for(sub {
    $t->http_get('/44/who', headers => $bad)->status == 401;
}), 'a revoked one');

$t->http_get('/44/x') for 1 .. 20;

my $count = $t->load_stop($load);
is_deeply([ grep { !/^(200|reconnect)$/ } keys %$count ], [],
    'no request failed') or diag(explain($count));
cmp_ok($count->{200} // 0, '>', 10, 'and there were some');

# A way back: the new binary is ended, the old one takes over again

kill 'USR2', $new;
ok($t->wait_for(sub { -s "$pidfile.oldbin" && -s $pidfile
    && $t->read_file('nginx.pid') != $new }, 30), 'another new master');
my $third = master();

# (its workers must be gone, or Nginx takes both signals at once)

kill 'WINCH', $new;
ok($t->wait_for(sub { children($new) == 1 }, 30), 'its workers end');
kill 'HUP', $new;
ok($t->wait_for(sub { children($new) == 3 }, 30), 'and begin again');
kill 'QUIT', $third;
ok($t->wait_for(sub { !kill 0, $third }, 60), 'is taken back');
ok($t->wait_for(sub { $t->http_get('/44/x')->status == 200 }, 30),
    'the one before serves');
is($t->api('system', GET => 'instances/a')->json->{weight}, 7,
    'and knows the change');

kill 'QUIT', $new;
ok($t->wait_for(sub { !kill 0, $new }, 60), 'all is ended');

my ($code, $out) = $t->govsvc('audit', 'verify', $t->dir() . '/audit');
is($code, 0, 'the record is whole') or diag($out);

my $lines = grep { ($_->{http}{path} // '') eq '/44/x' } $t->audit_lines();
cmp_ok($lines, '>=', $count->{200}, 'every request that was answered is in it');

$t->done();
