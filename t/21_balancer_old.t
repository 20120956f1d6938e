#!/usr/bin/perl

# Copyright (C) govsvc authors

# Requests that a reload overtakes: the old worker follows the new platforms,
# and stays with its own where it lacks the certificates.  And Nginx as one
# single process, which publishes and reads.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new(log => 'notice')->plan(14);

$t->ca($_) for qw/ca other/;
$t->certificate('gd', 'ca', 'gd.example');

$t->nginx_backend('n', <<'EOF');
    server { listen 127.0.0.1:%%PORT_1%%; return 200 "one"; }
    server { listen 127.0.0.1:%%PORT_2%%; return 200 "two"; }
    server {
        listen               127.0.0.1:%%PORT_3%% ssl;
        ssl_certificate      %%DIR%%/gd.crt;
        ssl_certificate_key  %%DIR%%/gd.key;
        return               200 "tls";
    }
EOF

sub platforms {
    my ($port, $ca) = @_;
    my $tls = $t->port(3);

    $t->write_file('platforms.json', <<"END");
{
  "tls_profiles": [{"id": "gd", "ca": "$ca.crt", "name": "gd.example"}],
  "pools": [{"id": "w", "platform": "gd"},
            {"id": "s", "platform": "gd", "tls": "gd"}],
  "instances": [
    {"id": "w", "pool": "w", "address": "127.0.0.1", "port": $port},
    {"id": "s", "pool": "s", "address": "127.0.0.1", "port": $tls}
  ],
  "platforms": [{"id": "gd", "region": "440000",
                 "name": {"zh": "x", "en": "x"}}],
  "routes": [
    {"id": "w", "platform": "gd", "pool": "w", "match": {"paths": ["/w/"]}},
    {"id": "s", "platform": "gd", "pool": "s", "match": {"paths": ["/s/"]}}
  ]
}
END
}

my $http = <<'EOF';
    govsvc_platforms  platforms.json;

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

# A request whose last byte waits for the reload.

sub begin {
    my ($uri) = @_;

    my $text = $t->request('POST', $uri, body => 'abcd');
    my $s = $t->connect();

    syswrite $s, substr($text, 0, -1);

    return $s;
}

sub end { $t->http(substr($_[1] // 'd', -1), socket => $_[0]) }

my ($one, $two) = ($t->port(1), $t->port(2));

platforms($one, 'ca');
$t->http_conf($http)->run();

is($t->http_get('/w/')->body, 'one', 'plain');
is($t->http_get('/s/')->body, 'tls', 'TLS');

my $s = begin('/w/');
ok($t->wait_for(sub { $t->http_get('/w/')->status == 200 }), 'a request waits');
platforms($two, 'ca');
ok($t->reload(), 'the peer has moved');
is($t->http_get('/w/')->body, 'two', 'the new worker knows');
is(end($s)->body, 'two', 'the old worker knows too');

$s = begin('/s/');
my $w = begin('/w/');
$t->http_get('/w/');
platforms($one, 'other');
ok($t->reload(), 'another authority');
is($t->http_get('/s/')->status, 502, 'the new worker refuses the platform');
is(end($s)->body, 'tls', 'the old worker ends with what it knew');
is(end($w)->body, 'two', 'in all');
like($t->error_log(), qr/revision 3 has TLS profiles unknown here/, 'and says so');

$t->stop();

# one process

platforms($one, 'ca');
$t->write_file('http.conf', $http);
(my $single = $t->frame('http.conf')) =~ s/^events/master_process off;\nevents/m;
$t->conf($single)->run();

is($t->http_get('/w/')->body, 'one', 'single process: serves');
is($t->http_get('/s/')->body, 'tls', 'single process: TLS');
is($t->http_get('/w/')->status, 200, 'single process: a cached connection');
