#!/usr/bin/perl

# Copyright (C) govsvc authors

# What counts against a peer: a connection that it had closed while idle does
# not, a refused one does.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new(log => 'info')->plan(10);
my $dead = $t->take_port();
my $port = $t->backend('s', sub {
    my ($r) = @_;

    # the second request on a connection is never answered

    our $count;
    return if $count++;
    return (200, ['Content-Type' => 'text/plain'], "ok\n");
});
my $other = $t->backend('o', sub { return (200, [], "other\n") });

$t->write_file('platforms.json', <<"EOF");
{
  "pools": [{"id": "w", "platform": "gd", "eject": {"fails": 1}},
            {"id": "x", "platform": "gd", "eject": {"fails": 1}}],
  "instances": [
    {"id": "1", "pool": "w", "address": "127.0.0.1", "port": $port},
    {"id": "2", "pool": "w", "address": "127.0.0.2", "port": $dead,
     "state": "down"},
    {"id": "3", "pool": "x", "address": "127.0.0.1", "port": $other},
    {"id": "4", "pool": "x", "address": "127.0.0.1", "port": $dead}
  ],
  "platforms": [{"id": "gd", "region": "440000",
                 "name": {"zh": "x", "en": "x"}}],
  "routes": [
    {"id": "w", "platform": "gd", "pool": "w", "match": {"paths": ["/w/"]}},
    {"id": "x", "platform": "gd", "pool": "x", "match": {"paths": ["/x/"]}}]
}
EOF

$t->http_conf(<<'EOF')->run();
    govsvc_platforms  platforms.json;

    log_format  peers  '$request_method $upstream_addr|$upstream_status';
    access_log  %%DIR%%/peers.log peers;

    upstream platforms {
        govsvc_balancer;
        keepalive 16;
    }

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_route  on;

        location / {
            proxy_http_version  1.1;
            proxy_set_header    Connection "";
            proxy_pass          http://platforms;
        }
    }
EOF

is($t->http_get('/w/')->body, "ok\n", 'stale: a connection is kept');
is($t->http_get('/w/')->body, "ok\n", 'stale: the closed one is tried anew');
is($t->http_get('/w/')->body, "ok\n", 'stale: and again');
is((split /\n/, $t->read_file('peers.log'))[1],
    "GET 127.0.0.1:$port, 127.0.0.1:$port|502, 200",
    'stale: the same peer twice, for the fault was not its own');
unlike($t->error_log(), qr/ejected/, 'stale: nobody was ejected');

# what is a failure

is($t->http_get('/x/')->body, "other\n", 'failed: retried');
is($t->http_get('/x/')->body, "other\n", 'failed: retried or avoided');
my @ejected = $t->error_log() =~ /(peer \S+ of pool "x" ejected)/g;
is(scalar @ejected, 1, 'failed: ejected after the first failure');
is(scalar(grep { $_ eq "other\n" } map { $t->http_get('/x/')->body } 1 .. 6),
    6, 'failed: the other serves');
is(scalar(grep { /\Q127.0.0.1:$dead\E/ }
    split /\n/, $t->read_file('peers.log')), 1, 'failed: and is left alone');
