#!/usr/bin/perl

# Copyright (C) govsvc authors

# Keys from a server with a name: the name is resolved, each address tried, the
# certificate compared; a worker that hangs loses its duty, one that quits
# waits for no answer.

use strict;
use warnings;

use IO::Socket::INET;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new(workers => 2, log => 'info')->has('mint');

$t->mint_keys('keys');
$t->ca('ca');
$t->certificate('sso', 'ca', 'sso.example');

$t->write_file('mode', 'ok');
$t->backend('sso', sub {
    sleep 30 if $t->read_file('mode') eq 'hang';
    return (200, [], $t->read_file('keys/jwks.json'));
});

my $sso = $t->backend_port('sso');

$t->nginx_backend('tls', <<"EOF");
    server {
        listen               127.0.0.1:%%PORT_8%% ssl;
        server_name          sso.example;
        ssl_certificate      %%DIR%%/sso.crt;
        ssl_certificate_key  %%DIR%%/sso.key;
        location / {
            proxy_read_timeout  60s;
            proxy_pass          http://127.0.0.1:$sso;
        }
    }
    server {
        listen               127.0.0.1:%%PORT_8%% ssl default_server;
        ssl_reject_handshake on;
    }
EOF

# A name server of a few lines: A records by name, all else does not exist.

my $dns = $t->take_port();
my $socket = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1',
    LocalPort => $dns) or die $!;
my $pid = fork();

if ($pid == 0) {
    my %a = ('sso.example' => [ '127.0.0.9', '127.0.0.1' ],
        'other.example' => [ '127.0.0.1' ]);

    while (defined $socket->recv(my $query, 512)) {
        my ($id) = unpack 'n', $query;
        my ($name, $at) = ('', 12);

        while (my $len = ord substr $query, $at, 1) {
            $name .= '.' if length $name;
            $name .= substr $query, $at + 1, $len;
            $at += $len + 1;
        }

        my ($type) = unpack 'n', substr $query, $at + 1, 2;
        my @found = $type == 1 ? @{ $a{lc $name} // [] } : ();

        $socket->send(pack('n6', $id, $a{lc $name} ? 0x8180 : 0x8183, 1,
            scalar @found, 0, 0) . substr($query, 12, $at + 5 - 12)
            . join '', map { pack('n3Nn', 0xc00c, 1, 1, 60, 4)
                . pack 'C4', split /\./ } @found);
    }

    POSIX::_exit(0);
}

END { kill 'KILL', $pid if $pid }

sub configure {
    my ($host, $more) = @_;

    return <<"EOF";
    resolver  127.0.0.1:$dns ipv6=off;

    govsvc_issuer national {
        iss       https://sso.gov.example;
        audience  off;
        jwks_uri  https://$host:%%PORT_8%%/jwks ca=ca.crt interval=1s
                  min_refetch=100ms grace=1h $more;
    }

    server {
        listen      127.0.0.1:%%PORT_0%%;
        location / {
            govsvc_token  required;
            empty_gif;
        }
    }
EOF
}

my $token = $t->token('ES256', { iss => 'https://sso.gov.example',
    sub => 'u1' }, ttl => 600);

sub status {
    return $t->http_get('/', headers => {
        Authorization => "Bearer $token", Connection => 'close' })->status;
}

sub all_are {
    my ($status) = @_;

    return !grep { status() != $status } 1 .. 8;
}


# 127.0.0.9 refuses, 127.0.0.1 answers; the other side gets the name (SNI)

$t->http_conf(configure('sso.example', ''))->run();

ok($t->wait_for(sub { all_are(200) }),
    'the second address of a name brought the keys');


# a worker that hangs loses its duty, and finds that when it comes back

sub leads {
    return ($t->error_log() =~
        /\] (\d+)#\d+: govsvc lead: took, duty: "jwks_uri"/g)[-1];
}

my $first = leads();

kill 'STOP', $first;
ok($t->wait_for(sub { leads() != $first }), 'another one took over');
is(scalar(() = $t->error_log() =~ /govsvc lead: lost/g), 0,
    'while the first one knew nothing');

kill 'CONT', $first;
ok($t->wait_for(sub { $t->error_log() =~
    /\] $first#\d+: govsvc lead: lost, duty/ }), 'but learns of it');
ok(all_are(200), 'tokens pass');


# a fetch that hangs: the worker quits at once, whatever step it is at

$t->write_file('mode', 'hang');

my $before = scalar $t->backend_requests('sso');
ok($t->wait_for(sub { scalar $t->backend_requests('sso') > $before }),
    'a fetch hangs');
ok($t->reload(), 'reloaded nevertheless');
ok(all_are(200), 'with the keys from before');

$t->write_file('mode', 'ok');
$t->stop();


# names that do not exist, or are not those of the certificate

$t->http_conf(configure('none.example', ''))->run();
ok($t->wait_for(sub { $t->error_log() =~ /no keys of issuer "national" yet: Host not found/ }),
    'a name that does not exist is told');
is(status(), 503, 'and brings no keys');
$t->stop();

$t->http_conf(configure('other.example', ''))->run();
ok($t->wait_for(sub { $t->error_log() =~ /no keys of issuer "national" yet: the TLS handshake failed/ }),
    'a server that does not know the name is told');
is(status(), 503, 'and brings no keys');
$t->stop();

# a port where nobody listens; one that is open and says nothing

my $mute = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 8)
    or die $!;

(my $conf = configure('127.0.0.1', 'timeout=300ms'))
    =~ s/%%PORT_8%%/$mute->sockport()/e;
$t->http_conf($conf)->run();
ok($t->wait_for(sub { $t->error_log() =~ /yet: no TLS handshake in time/ }),
    'no handshake in time');
is(status(), 503, 'no keys');
ok($t->reload(), 'reloaded in the middle of a handshake');
$t->stop();

my $port = $mute->sockport();
close $mute;

($conf = configure('127.0.0.1', '')) =~ s/%%PORT_8%%/$port/;
$t->http_conf($conf)->run();
ok($t->wait_for(sub { $t->error_log() =~ /yet: no connection/ }),
    'no connection');
is(status(), 503, 'no keys');
$t->stop();

kill 'KILL', $pid;
waitpid $pid, 0;
$pid = 0;

$t->done();
