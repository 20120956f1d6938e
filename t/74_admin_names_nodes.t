#!/usr/bin/perl

# Copyright (C) govsvc authors

# Names on two nodes that share their objects through Redis: the name is
# shared, what it means is asked by each node where it stands; a name server
# that lies to one is no matter of the other, and makes no revision.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::GovSvc::Admin;
use Test::GovSvc::Dns;
use Test::GovSvc::Redis;


my @n = map { Test::GovSvc::Admin->new(log => 'notice', workers => 2)
    ->has(qw/mint redis-server/) } 0, 1;
my @dns = map { Test::GovSvc::Dns->new($_) } @n;
my $rs = Test::GovSvc::Redis->new($n[0]);
my $redis = $rs->server();
my $port = $n[0]->port(1);

$n[0]->nginx_backend('web', join '', map { <<"END" } 1 .. 5);
    server {
        listen  127.0.0.$_:$port;
        location / { return 200 "$_"; }
        location ~ ^/\\.well-known/govsvc/(.*)\$ { return 200 \$1; }
    }
END

my @credentials = @{ decode_json($n[0]->credentials())->{credentials} };

for (grep { $_->{id} eq 'gd-ops' } @credentials) {
    $_->{scope}{suffixes} = ['gd.example'];
    $_->{scope}{networks} = ['127.0.0.0/29'];
    $_->{scope}{ports} = ['1024-65535'];
}

for my $i (0, 1) {
    $n[$i]->expect_log(qr/which is refused/);
    $n[$i]->gateway(admin => 'proof=on loopback=on',
        credentials => encode_json({ credentials => \@credentials }),
        registry => 'zone=registry:4m'
            . ' snapshot=%%DIR%%/state/registry.json redis=main',
        http => "govsvc_node gw-$i; resolver 127.0.0.1:" . $dns[$i]->port()
            . ' ipv6=off; govsvc_hosts gd.example min=1s max=2s timeout=1s;'
            . <<"EOF_")->run();

    govsvc_redis main {
        server           127.0.0.1:$redis->{port};
        connect_timeout  2s;
        command_timeout  2s;
        breaker          silence=4s;
        reconnect        20ms max=100ms;
    }
EOF_
}

sub shown {
    my ($i, $id) = @_;

    my $r = $n[$i]->api('system', GET => "instances/$id");

    return $r->status == 200 ? $r->json : {};
}

sub becomes {
    my ($i, $id, $want, $name) = @_;

    my $got;

    ok($n[$i]->wait_for(sub {
        $got = join ', ', map { "$_->{address} $_->{state}" }
            @{ shown($i, $id)->{resolved}{addresses} // [] };
        return $got eq $want;
    }, 60), "node $i: $name") or diag("got: $got", $n[$i]->error_log());
}

sub serves {
    my ($i, $want, $name) = @_;

    my %seen;

    ok($n[$i]->wait_for(sub {
        %seen = ();
        $seen{$n[$i]->http_get('/44/x')->body} = 1 for 1 .. 12;
        return join(' ', sort keys %seen) eq $want;
    }, 60), "node $i: $name") or diag(join ', ', keys %seen);
}

for my $i (0, 1) {
    ok($n[$i]->wait_for(sub {
        my $node = $n[$i]->api('system', GET => 'nodes')->json->{node};
        return ($node->{store} // '') eq 'same';
    }, 60), "node $i follows the store") or diag($n[$i]->error_log());
}

# the same name, another answer to each

$dns[0]->set('web.gd.example' => { a => ['127.0.0.2'], ttl => 1 });
$dns[1]->set('web.gd.example' => { a => ['127.0.0.3'], ttl => 1 });

is($n[0]->create('gd-ops', 'instances/web', { pool => 'gd-web',
    address => "web.gd.example:$port" })->status, 201, 'a name, at one node');

becomes(0, 'web', '127.0.0.2 up', 'its own answer');
becomes(1, 'web', '127.0.0.3 up', 'another one');
serves(0, 2, 'serves from what it found');
serves(1, 3, 'from what that found');

ok($n[$_]->wait_for(sub { shown($_, 'web')->{meta}{status} eq 'active' }, 60),
    "node $_: active") for 0, 1;

# what a name server says is no change of the objects

my @etag;

ok($n[0]->wait_for(sub {
    @etag = map { $n[$_]->etag('instances/web') } 0, 1;
    return $etag[0] eq $etag[1];
}, 60), 'both have the same object') or diag("@etag");

$dns[1]->set('web.gd.example' => { a => ['127.0.0.4', '169.254.169.254'],
    ttl => 1 });
becomes(1, 'web', '127.0.0.4 up, 169.254.169.254 refused',
    'moves, and leaves out what is bad');
serves(1, 4, 'serves from there');
becomes(0, 'web', '127.0.0.2 up', 'knows nothing of it');
serves(0, 2, 'serves as before');
is_deeply([map { $n[$_]->etag('instances/web') } 0, 1], \@etag,
    'the object is what it was, on both');
unlike($n[0]->error_log(), qr/which is refused/, 'nor was it told');

# a name server that is gone, at one of them

$dns[0]->set('web.gd.example' => { rcode => 2 });
ok($n[0]->wait_for(sub { shown(0, 'web')->{resolved}{error} }, 60),
    'one name server fails');
is(shown(1, 'web')->{resolved}{error}, undef, 'the other does not');
serves(0, 2, 'goes on with the last good one');

# Redis behind a name: on both, whatever a laboratory may do

$_->set('store.gd.example' => { a => ['127.0.0.1'], ttl => 1 }) for @dns;
is($n[1]->create('gd-ops', 'instances/store', { pool => 'gd-web',
    address => "store.gd.example:$redis->{port}" })->status, 201,
    'a name with the port of Redis');

for my $i (0, 1) {
    becomes($i, 'store', '127.0.0.1 refused', 'Redis is refused');
    is(shown($i, 'store')->{resolved}{addresses}[0]{why},
        'a Redis of the gateway is there', "node $i: and why");
}

# removed at the other, gone from both

is($n[1]->api('gd-ops', DELETE => 'instances/web', undef,
    'If-Match' => $n[1]->etag('instances/web'))->status, 204,
    'removed at the other node');

for my $i (0, 1) {
    ok($n[$i]->wait_for(sub {
        $n[$i]->http_get('/44/x')->status == 503
    }, 60), "node $i: no server is left") or diag($n[$i]->error_log());
    ok($n[$i]->wait_for(sub {
        ($n[$i]->read_file('state/registry.json.hosts') // '')
            !~ /"web"/
    }, 60), "node $i: nor what was known of it");
}

$_->finish() for @n;
done_testing();
