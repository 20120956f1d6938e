#!/usr/bin/perl

# Copyright (C) govsvc authors

# Names over USR2: two generations of the binary look at the same names and
# serve the same addresses, whichever of them asks; no request fails, and the
# last one starts without a name server.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::GovSvc::Admin;
use Test::GovSvc::Dns;


plan(skip_all => 'the new binary is no child of valgrind')
    if $ENV{GOVSVC_VALGRIND};

my $t = Test::GovSvc::Admin->new(log => 'notice', workers => 2)->has('mint');
my $dns = Test::GovSvc::Dns->new($t);
my $pidfile = $t->dir() . '/nginx.pid';
my $port = $t->port(1);

$t->nginx_backend('web', join '', map { <<"END" } 2 .. 5);
    server {
        listen  127.0.0.$_:$port;
        keepalive_requests 1000000;
        location / { return 200 "$_"; }
        location ~ ^/\\.well-known/govsvc/(.*)\$ { return 200 \$1; }
    }
END

my @credentials = @{ decode_json($t->credentials())->{credentials} };

for (grep { $_->{id} eq 'gd-ops' } @credentials) {
    $_->{scope}{suffixes} = ['gd.example'];
    $_->{scope}{networks} = ['127.0.0.0/29'];
    $_->{scope}{ports} = ['1024-65535'];
}

$t->gateway(admin => 'proof=on loopback=on',
    credentials => encode_json({ credentials => \@credentials }),
    http => 'resolver 127.0.0.1:' . $dns->port() . ' ipv6=off;'
        . ' govsvc_hosts gd.example min=1s max=2s timeout=1s;');

# USR2 is only heard by a master whose parent has gone

chomp(my $nginx = `which $Test::GovSvc::NGINX`);

my @start = ($t->environment(), $nginx, '-p', $t->dir() . '/', '-e',
    $t->dir() . '/error.log', '-c', $t->dir() . '/nginx.conf');

system('sh', '-c', 'setsid "$@" > /dev/null 2>&1 & sleep 0.7', 'sh', @start);

my $old = $t->wait_for(sub {
    ($t->read_file('nginx.pid') // '') =~ /^(\d+)$/ ? $1 : 0;
}, 60);

END {
    local $?;
    kill 'KILL', -$old if $old;
}

ok($old, 'a master of its own') or die;
ok($t->wait_for(sub {
    IO::Socket::INET->new(PeerAddr => '127.0.0.1:' . $t->port(0))
}, 60), 'listens');

my $got;

sub becomes {
    my ($want, $name) = @_;

    ok($t->wait_for(sub {
        $got = join ', ', map { "$_->{address} $_->{state}" }
            @{ $t->api('system', GET => 'instances/web')->json->{resolved}
                {addresses} // [] };
        return $got eq $want;
    }, 90), $name) or diag("got: $got", $t->error_log());
}

# all workers of all generations

sub serves {
    my ($want, $name) = @_;

    my %seen;

    ok($t->wait_for(sub {
        %seen = ();
        $seen{$t->http_get('/44/x')->body} = 1 for 1 .. 24;
        return join(' ', sort keys %seen) eq $want;
    }, 90), $name) or diag(join ', ', keys %seen);
}

sub upgrade {
    my ($master, $name) = @_;

    kill 'USR2', $master;
    ok($t->wait_for(sub {
        -s "$pidfile.oldbin" && -s $pidfile
            && $t->read_file('nginx.pid') != $master
    }, 90), $name);

    return $t->read_file('nginx.pid') + 0;
}

sub end {
    my ($master, $name) = @_;

    kill 'WINCH', $master;
    kill 'QUIT', $master;
    ok($t->wait_for(sub { !kill 0, $master }, 90), $name);
}

$dns->set('web.gd.example' => { a => ['127.0.0.2'], ttl => 1 });
is($t->create('gd-ops', 'instances/web', { pool => 'gd-web',
    address => "web.gd.example:$port" })->status, 201, 'a name');
becomes('127.0.0.2 up', 'is found and proves itself');
serves(2, 'and serves');

my $load = $t->load_start(uri => '/44/x', connections => 2, seconds => 300,
    pause => 0.005);

# two generations

my $new = upgrade($old, 'a new master');

serves(2, 'both generations serve what was known');
$dns->set('web.gd.example' => { a => ['127.0.0.3'], ttl => 1 });
becomes('127.0.0.3 up', 'the name moves amid the upgrade');
serves(3, 'for both generations');

# the old one ends: somebody goes on asking

end($old, 'the old master ends');
$dns->set('web.gd.example' => { a => ['127.0.0.4', '127.0.0.5'], ttl => 1 });
becomes('127.0.0.4 up, 127.0.0.5 up', 'the name moves behind it');
serves('4 5', 'for all that are left');

# and once more, while no name server is there

$dns->stop();

my $third = upgrade($new, 'another one, without a name server');

serves('4 5', 'the last addresses serve in both');
end($new, 'and the one before ends');
serves('4 5', 'they serve alone');

my $count = $t->load_stop($load);

is_deeply([ grep { !/^(200|reconnect)$/ } keys %$count ], [],
    'no request failed') or diag(explain($count), $t->error_log());
cmp_ok($count->{200} // 0, '>', 20, 'and there were some');

kill 'QUIT', $third;
ok($t->wait_for(sub { !kill 0, $third }, 90), 'all is ended');

$t->done();
