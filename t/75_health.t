#!/usr/bin/perl

# Copyright (C) govsvc authors

# Checks of real peers: good, dead, half-open, broken, flapping, with a wrong
# certificate.  Each pool has a good peer beside the bad one.

use strict;
use warnings;

use IO::Socket::INET;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new(workers => 2, log => 'notice');

$t->ca($_) for qw/ca-a ca-x/;
$t->certificate('right', 'ca-a', 'a.example');
$t->certificate('name', 'ca-a', 'b.example');
$t->certificate('issuer', 'ca-x', 'a.example');
chmod 0600, map { $t->dir() . "/$_.key" } qw/right name issuer/;

# what a backend answers to a check is in a file

sub say_status {
    my ($name, $status) = @_;
    $t->write_file("$name.status", $status);
}

sub checked {
    my ($name) = @_;
    my $file = $t->dir() . "/$name.status";

    say_status($name, 200);

    return $t->backend($name, sub {
        my ($q) = @_;

        return (200, [], $name) if $q->{uri} ne '/health';

        open my $fh, '<', $file or return (500, [], $name);
        my $status = <$fh>;
        return ($status + 0, ['X-Ready' => 'yes', 'Location' => '/'],
            "host $q->{headers}{host}");
    });
}

my %port = map { $_ => checked($_) } qw/good bad only spare/;
my $dead = $t->take_port();

# accepts connections and never says a word

my $mute_port = $t->take_port();
my $mute = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
    LocalPort => $mute_port, Listen => 1024, ReuseAddr => 1) or die $!;

# says something else than HTTP

my $ssh = $t->backend('ssh', sub { return () });

$t->nginx_backend('tls', <<'EOF');
    server {
        listen  127.0.0.1:%%PORT_1%% ssl;
        ssl_certificate      %%DIR%%/right.crt;
        ssl_certificate_key  %%DIR%%/right.key;
        return 200 right;
    }
    server {
        listen  127.0.0.1:%%PORT_2%% ssl;
        ssl_certificate      %%DIR%%/name.crt;
        ssl_certificate_key  %%DIR%%/name.key;
        return 200 name;
    }
    server {
        listen  127.0.0.1:%%PORT_3%% ssl;
        ssl_certificate      %%DIR%%/issuer.crt;
        ssl_certificate_key  %%DIR%%/issuer.key;
        return 200 issuer;
    }
EOF

my $quick = '"interval": "200ms", "jitter": "10ms", "fast": "50ms", '
    . '"timeout": "1500ms"';

my %check = (
    http => qq("type": "http", "path": "/health", "rise": 2, "fall": 2),
    head => qq("type": "http", "path": "/health", "method": "HEAD"),
    strict => qq("type": "http", "path": "/health", "host": "h.example",
        "match": {"status": "200", "body": "host h.example",
        "header": {"name": "x-ready", "value": "y*"}}),
    body => qq("type": "http", "path": "/health",
        "match": {"body": "ready to serve"}),
    header => qq("type": "http", "path": "/health",
        "match": {"header": {"name": "x-ready", "value": "no"}}),
    tcp => qq("type": "tcp"),
    https => qq("type": "https"),
    tls => qq("type": "tls"),
);

my @tls = map { $t->port($_) } 1 .. 3;

# pool: check, what else, ports

my %pool = (
    dead => [ 'http', '', $port{good}, $dead ],
    mute => [ 'http', '', $port{good}, $mute_port ],
    closed => [ 'http', '', $port{good}, $ssh ],
    deadtcp => [ 'tcp', '', $port{good}, $dead ],
    mutetcp => [ 'tcp', '', $port{good}, $mute_port ],
    status => [ 'http', '', $port{good}, $port{bad} ],
    head => [ 'head', '', $port{good}, $port{bad} ],
    strict => [ 'strict', '', $port{good} ],
    body => [ 'body', '', $port{good} ],
    header => [ 'header', '', $port{good} ],
    https => [ 'https', ', "tls": "a", "panic": 20', @tls ],
    tls => [ 'tls', ', "tls": "a", "panic": 20', @tls ],
    one => [ 'http', ', "panic": 0', $port{only} ],
    front => [ 'http', ', "host": "x", "fallback": ["spare"]', $port{only} ],
    spare => [ 'http', ', "host": "x"', $port{spare} ],
);

my @names = sort keys %pool;

sub instances {
    my ($pool, undef, undef, @ports) = @_;
    my $n = 0;

    return map { $n++; qq({"id": "$pool-$n", "pool": "$pool",
        "address": "127.0.0.1", "port": $_}) } @ports;
}

$t->write_file('platforms.json', '{"check_profiles": ['
    . join(",\n", map { qq({"id": "$_", $quick, $check{$_}}) }
        sort keys %check)
    . '], "tls_profiles": [{"id": "a", "ca": "ca-a.crt",
        "name": "a.example"}], "pools": ['
    . join(",\n", map { qq({"id": "$_", "platform": "gd",
        "check": "$pool{$_}[0]", "eject": {"fails": 0} $pool{$_}[1]}) }
        @names)
    . '], "instances": ['
    . join(",\n", map { instances($_, @{$pool{$_}}) } @names)
    . '], "routes": ['
    . join(",\n", map { qq({"id": "$_", "platform": "gd", "pool": "$_",
        "match": {"paths": ["/$_/"]}}) } @names)
    . '], "platforms": [{"id": "gd", "region": "440000"}]}');

$t->http_conf(<<'EOF')->run();
    govsvc_platforms  platforms.json;

    upstream platforms {
        govsvc_balancer;
    }

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_route  on;

        location / {
            proxy_set_header     Host $govsvc_upstream_host;
            proxy_next_upstream  off;
            proxy_read_timeout   2s;
            proxy_pass           https://platforms;
        }
    }
EOF

sub said {
    my ($pattern, $times) = @_;
    $times //= 1;
    return $t->wait_for(sub {
        my $n = () = $t->error_log() =~ /$pattern/g;
        return $n >= $times;
    }, 20);
}

sub statuses {
    my ($uri, $n) = @_;
    my %got;

    $got{$t->http_get($uri)->status}++ for 1 .. $n;

    return join ' ', map { "$_:$got{$_}" } sort keys %got;
}

sub bodies {
    my ($uri, $n) = @_;
    my %got;

    $got{$t->http_get($uri)->body}++ for 1 .. $n;

    return join ' ', map { "$_:$got{$_}" } sort keys %got;
}

# what each bad peer is told to be

my @verdicts = (
    [ 'dead-2', 'connect 0', 'nobody listens' ],
    [ 'mute-2', 'timeout 0', 'half-open: accepts, never answers' ],
    [ 'closed-2', '(?:closed|invalid) 0', 'closes without an answer' ],
    [ 'deadtcp-2', 'connect 0', 'tcp: nobody listens' ],
    [ 'body-1', 'body 200', 'another body' ],
    [ 'header-1', 'header 200', 'another header' ],
    [ 'https-2', 'tls 0', 'https: certificate of another name' ],
    [ 'https-3', 'tls 0', 'https: certificate of another authority' ],
    [ 'tls-2', 'tls 0', 'tls: certificate of another name' ],
    [ 'tls-3', 'tls 0', 'tls: certificate of another authority' ],
);

for my $v (@verdicts) {
    my ($id, $error, $name) = @$v;

    ok(said(qr/instance "\Q$id\E" \([^)]+\) is down: $error/),
        "$name: $error");
}

for my $id (qw/dead-1 mute-1 closed-1 deadtcp-1 mutetcp-1 mutetcp-2 status-1
    status-2 head-1 head-2 strict-1 https-1 tls-1 one-1 front-1/)
{
    ok(said(qr/instance "$id" \([^)]+\) is up/), "$id is up");
}

is(statuses("/$_/", 20), '200:20', "no request of \"$_\" sees the bad peer")
    for qw/dead mute closed deadtcp https tls/;

is(bodies('/https/', 10), 'right:10', 'only the right certificate is used');

# a check that fails takes out, one that passes brings back

say_status('bad', 500);
ok(said(qr/instance "status-2" \([^)]+\) is down: status 500/),
    'a bad status takes out');
ok(said(qr/instance "head-2" \([^)]+\) is down: status 500/), 'HEAD too');

my $before = grep { $_->{uri} ne '/health' } $t->backend_requests('bad');
is(bodies('/status/', 10), 'good:10', 'its requests go to the other');
is(scalar(grep { $_->{uri} ne '/health' } $t->backend_requests('bad')),
    $before, 'none reaches the one that is down');

# the state is in shared memory: a reload keeps it

ok($t->reload(), 'reloaded');
is(bodies('/status/', 10), 'good:10', 'it is known after a reload');

say_status('bad', 302);
ok(said(qr/instance "status-2" \([^)]+\) is up/, 2), 'and is up again');

my $downs = () = $t->error_log() =~ /instance "mute-2" \([^)]+\) is down/g;
is($downs, 1, 'what was known is not told twice');
is(scalar(grep { $_->{uri} eq '/' } $t->backend_requests('bad')), 0,
    'a redirect is not followed');

# the only peer of a pool

say_status('only', 503);
ok(said(qr/instance "one-1" \([^)]+\) is down: status 503/), 'the only peer');
ok(said(qr/instance "front-1" \([^)]+\) is down: status 503/),
    'is the only one of both pools');

is(bodies('/one/', 5), 'only:5', 'tried where there is no other');
is(bodies('/front/', 5), 'spare:5', 'gives way where there is a fallback');

say_status('only', 200);
ok(said(qr/instance "front-1" \([^)]+\) is up/, 2), 'it comes back');
is(bodies('/front/', 5), 'only:5', 'with its requests');

# the worker that checks is killed

my %was = map { $_ => 1 } $t->workers();
my @told = $t->error_log() =~ /\[\w+\] (\d+)#\S+ govsvc health/g;

ok($was{$told[-1]}, 'one of the workers checks');
$t->kill_worker('KILL', $told[-1]);
say_status('bad', 500);
ok(said(qr/instance "status-2" \([^)]+\) is down: status 500/, 2),
    'another one goes on');

my $leader = $told[-1];
@told = $t->error_log() =~ /\[\w+\] (\d+)#\S+ govsvc health/g;
isnt($told[-1], $leader, 'by another process');
is(bodies('/status/', 10), 'good:10', 'no request noticed');

$t->done();
