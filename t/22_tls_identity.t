#!/usr/bin/perl

# Copyright (C) govsvc authors

# Platforms behind one address.  A connection or a TLS session that was
# verified for one platform must never carry a request for another: stock
# Nginx keys both by the address alone.  Fresh, cached and resumed; TLS 1.2 and
# 1.3; IPv4 and IPv6; with plain HTTP beside it.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new(log => 'info');

# two platforms, each with an authority of its own, and a third authority

$t->ca($_) for qw/ca-a ca-b ca-x/;
$t->certificate('a', 'ca-a', 'a.example');
$t->certificate('b', 'ca-b', 'b.example');
$t->certificate('gw', 'ca-x', 'gateway.example');

chmod 0600, map { $t->dir() . "/$_.key" } qw/a b gw/;

my %kind = (
    'v4-tls12' => { listen => '127.0.0.1:%%PORT_1%%', min => '1.2',
        address => '127.0.0.1', port => 1, protocol => 'TLSv1.2' },
    'v4-tls13' => { listen => '127.0.0.1:%%PORT_2%%', min => '1.3',
        address => '127.0.0.1', port => 2, protocol => 'TLSv1.3' },
    'v6-tls12' => { listen => '[::1]:%%PORT_3%%', min => '1.2',
        address => '::1', port => 3, protocol => 'TLSv1.2' },
    'v6-tls13' => { listen => '[::1]:%%PORT_4%%', min => '1.3',
        address => '::1', port => 4, protocol => 'TLSv1.3' },
);

my $servers = '';

for my $kind (sort keys %kind) {
    my ($listen, $protocol) = @{$kind{$kind}}{qw/listen protocol/};

    for my $name (qw/a b/) {
        $servers .= <<"EOF";
    server {
        listen               $listen ssl;
        server_name          $name.example;
        ssl_protocols        $protocol;
        ssl_certificate      %%DIR%%/$name.crt;
        ssl_certificate_key  %%DIR%%/$name.key;
        location / { return 200 "\$said\\n"; }
    }
EOF
    }
}

$t->nginx_backend('platforms', <<"EOF");
    map "" \$said {
        default "\$ssl_server_name|\$host|\$ssl_protocol|\$ssl_session_reused|\$connection|\$ssl_client_s_dn";
    }

    ssl_session_cache       shared:sessions:1m;
    ssl_client_certificate  %%DIR%%/ca-x.crt;
    ssl_verify_client       optional;
    keepalive_requests      10000;

$servers
    server {
        listen  127.0.0.1:%%PORT_5%%;
        return  200 "plain|\$host||.|\$connection|\\n";
    }
EOF

# profiles: a and b are right; the others must fail

my %profile = (
    a => 'name": "a.example", "ca": "ca-a.crt',
    b => 'name": "b.example", "ca": "ca-b.crt", "cert": "gw.crt", '
        . '"key": "gw.key',
    'b-by-a' => 'name": "b.example", "ca": "ca-a.crt',
    'a-as-c' => 'name": "c.example", "ca": "ca-a.crt',
    'a-by-x' => 'name": "a.example", "ca": "ca-x.crt',
);

my (@profiles, @pools, @instances, @routes);

for my $kind (sort keys %kind) {
    for my $id (sort keys %profile) {
        my $pool = "$kind-$id";
        my $port = $t->port($kind{$kind}{port});
        my $host = substr($id, 0, 1) . '.example';

        push @profiles, qq({"id": "$pool", "$profile{$id}",
            "min": "$kind{$kind}{min}"});
        push @pools, qq({"id": "$pool", "platform": "gd", "tls": "$pool",
            "host": "$host", "eject": {"fails": 0}});
        push @instances, qq({"id": "i-$pool", "pool": "$pool", "port": $port,
            "address": "$kind{$kind}{address}"});
        push @routes, qq({"id": "$pool", "platform": "gd", "pool": "$pool",
            "match": {"paths": ["/keep/$pool/", "/fresh/$pool/"]}});
    }
}

for my $pool (qw/plain plain-2/) {
    push @pools, qq({"id": "$pool", "platform": "gd", "host": "p.example"});
    push @instances, qq({"id": "i-$pool", "pool": "$pool", "address": "127.0.0.1",
        "port": ) . $t->port(5) . '}';
    push @routes, qq({"id": "$pool", "platform": "gd", "pool": "$pool",
        "match": {"paths": ["/keep/$pool/", "/fresh/$pool/"]}});
}

# plain HTTP towards a port that speaks TLS, and the other way round

push @pools, '{"id": "plain-tls", "platform": "gd", "host": "a.example"}',
    '{"id": "tls-plain", "platform": "gd", "tls": "v4-tls12-a"}';
push @instances, '{"id": "i-plain-tls", "pool": "plain-tls", "address": "127.0.0.1", '
    . '"port": ' . $t->port(1) . '}',
    '{"id": "i-tls-plain", "pool": "tls-plain", "address": "127.0.0.1", "port": '
    . $t->port(5) . '}';
push @routes, map { qq({"id": "$_", "platform": "gd", "pool": "$_",
    "match": {"paths": ["/keep/$_/"]}}) } qw/plain-tls tls-plain/;

$t->write_file('platforms.json', '{"tls_profiles": ['
    . join(",\n", @profiles) . '], "pools": [' . join(",\n", @pools)
    . '], "instances": [' . join(",\n", @instances) . '], "routes": ['
    . join(",\n", @routes) . '], "platforms": [{"id": "gd",
        "region": "440000", "name": {"zh": "x", "en": "x"}}]}');

$t->http_conf(<<'EOF')->run();
    govsvc_platforms  platforms.json;

    upstream kept {
        govsvc_balancer;
        keepalive 64;
    }

    upstream fresh {
        govsvc_balancer;
    }

    server {
        listen              127.0.0.1:%%PORT_0%%;
        govsvc_route        on;
        proxy_http_version  1.1;
        proxy_set_header    Connection "";
        proxy_set_header    Host $govsvc_upstream_host;

        # what the location says of TLS does not count: the pool decides

        location /keep/ {
            proxy_ssl_verify  off;
            proxy_ssl_name    a.example;
            proxy_pass        https://kept;
        }

        location /fresh/ {
            proxy_pass  http://fresh;
        }
    }
EOF

sub ask {
    my ($uri) = @_;

    my $r = $t->http_get($uri);
    return { status => $r->status } if $r->status != 200;

    chomp(my $body = $r->body);
    my %said = (status => 200);
    @said{qw/name host protocol reused connection client/} =
        split /\|/, $body, -1;

    return \%said;
}

for my $kind (sort keys %kind) {
    my $protocol = $kind{$kind}{protocol};
    my (%first, %seen);

    # fresh: sessions are resumed, each for its own name

    for my $name (qw/a b/) {
        my $said = ask("/fresh/$kind-$name/");

        is("$said->{status} $said->{name} $said->{host} $said->{protocol}",
            "200 $name.example $name.example $protocol",
            "$kind: $name, fresh");
        is($said->{reused}, '.', "$kind: $name, a session of its own");
    }

    for my $name (qw/a b a b/) {
        my $said = ask("/fresh/$kind-$name/");

        is("$said->{status} $said->{name} $said->{reused}",
            "200 $name.example r", "$kind: $name, resumed");
    }

    # a certificate that is not that of the name, or of the authority: the
    # sessions and connections of a and b must not help

    for my $id (qw/b-by-a a-as-c a-by-x/) {
        is(ask("/fresh/$kind-$id/")->{status}, 502, "$kind: $id, fresh");
        is(ask("/fresh/$kind-$id/")->{status}, 502, "$kind: $id, again");
    }

    # cached connections

    for my $name (qw/a b/) {
        $first{$name} = ask("/keep/$kind-$name/");
    }

    isnt($first{a}{connection}, $first{b}{connection},
        "$kind: b does not get the connection of a");

    for my $name (qw/a b b a/) {
        my $said = ask("/keep/$kind-$name/");

        is("$said->{status} $said->{name} $said->{host}",
            "200 $name.example $name.example", "$kind: $name, cached");
        is($said->{connection}, $first{$name}{connection},
            "$kind: $name, its own connection");
    }

    for my $id (qw/b-by-a a-as-c a-by-x/) {
        is(ask("/keep/$kind-$id/")->{status}, 502,
            "$kind: $id, beside cached connections");
    }

    is($first{a}{client} // '', '', "$kind: a gets no client certificate");
    like($first{b}{client}, qr/CN=gateway\.example/, "$kind: b gets one");
}

# plain HTTP

is(ask('/fresh/plain/')->{name}, 'plain', 'plain: fresh');
my $plain = ask('/keep/plain/');
my $second = ask('/keep/plain-2/');
is("$plain->{name} $plain->{host}", 'plain p.example',
    'plain: under proxy_pass https, as the pool has it');
isnt($second->{connection}, $plain->{connection},
    'plain: pools do not share connections either');
is(ask('/keep/plain/')->{connection}, $plain->{connection},
    'plain: cached');
is(ask('/keep/plain-2/')->{connection}, $second->{connection},
    'plain: cached, the other');
is(ask('/keep/plain-tls/')->{status}, 400,
    'plain: a pool without TLS never speaks it');
is(ask('/keep/tls-plain/')->{status}, 502,
    'plain: a pool with TLS never goes without');

like($t->error_log(), qr/certificate verify error/, 'log: authority');
like($t->error_log(), qr/certificate does not match "c\.example"/,
    'log: name');

# a new authority, the old file name: the next table asks for the new one

$t->command('cp', $t->dir() . '/ca-x.crt', $t->dir() . '/ca-a.crt');
$t->reload();
is(ask('/keep/v4-tls13-a/')->{status}, 502, 'rotated: a is refused');
is(ask('/keep/v4-tls13-b/')->{status}, 200, 'rotated: b is not concerned');

$t->done();
