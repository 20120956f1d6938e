#!/usr/bin/perl

# Copyright (C) govsvc authors

# Proof of control over TLS: a server shows the nonce behind the certificate
# that its pool asks for, or it stays out.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::GovSvc::Admin;


my $t = Test::GovSvc::Admin->new(log => 'info')->has(qw/mint openssl/);

$t->ca($_) for qw/ca-a ca-x/;
$t->certificate('right', 'ca-a', 'a.example');
$t->certificate('name', 'ca-a', 'b.example');
$t->certificate('issuer', 'ca-x', 'a.example');
chmod 0600, map { $t->dir() . "/$_.key" } qw/right name issuer/;

my %port = (right => 2, name => 3, issuer => 4);

# each of them says any nonce that it is asked for

$t->nginx_backend('tls', join '', map { <<"END" } sort keys %port);
    server {
        listen               127.0.0.1:%%PORT_$port{$_}%% ssl;
        ssl_certificate      %%DIR%%/$_.crt;
        ssl_certificate_key  %%DIR%%/$_.key;

        location ~ ^/\\.well-known/govsvc/(.*)\$ {
            return 200 \$1\\n;
        }

        location / {
            return 200 $_;
        }
    }
END

my $silent = $t->backend('silent', sub { return (200, [], 'who?') });

$t->gateway(admin => 'proof=on loopback=on', platforms => encode_json({
    platforms => [{ id => 'gd', region => '440000' }],
    tls_profiles => [{ id => 'gd', ca => 'ca-a.crt', name => 'a.example' }],
    pools => [{ id => 'gd-tls', platform => 'gd', tls => 'gd' },
        { id => 'gd-web', platform => 'gd' }],
    routes => [{ id => 'gd', platform => 'gd', pool => 'gd-tls',
        match => { paths => ['/44/'] } }] }) =~ s/^/ /r);

my $conf = $t->read_file('http.conf');
$conf =~ s{proxy_pass          http://platforms}{proxy_pass https://platforms}
    or die 'no proxy_pass';
$t->write_file('http.conf', $conf);

$t->run();

for my $id (sort keys %port) {
    my $r = $t->create('gd-ops', "instances/$id", { pool => 'gd-tls',
        address => '127.0.0.1', port => $t->port($port{$id}) });

    is($r->status, 201, "registered: $id") or diag($r->raw);
    is($r->json->{meta}{status}, 'pending', "$id waits");
}

$t->create('gd-ops', 'instances/silent', { pool => 'gd-tls',
    address => '127.0.0.1', port => $silent });

sub meta { $t->api('system', GET => "instances/$_[0]")->json->{meta} }

ok($t->wait_for(sub { meta('right')->{status} eq 'active' }, 60),
    'the right certificate and the nonce: it is up')
    or diag(join "\n", grep { /proof|SSL|ssl/ } split /\n/, $t->error_log());
is(meta('right')->{by}, 'proof', 'by the proof');

for my $id (qw/name issuer silent/) {
    ok($t->wait_for(sub {
        $t->error_log() =~ /"$id" gave no proof: tls/
    }, 60), "$id: another certificate, or none") or diag($t->error_log());
    is(meta($id)->{status}, 'pending', "$id stays out");
}

is($t->http_get('/44/x')->body, 'right', 'the one that is up serves');

my $etag = $t->etag('instances/name');
my $nonce = meta('name')->{proof};
my $r = $t->api('gd-ops', PATCH => 'instances/name', { weight => 5 },
    'If-Match' => $etag);
is($r->json->{meta}{proof}, $nonce, 'a change elsewhere keeps the nonce');
$r = $t->api('gd-ops', PATCH => 'instances/name', { port => 8443 },
    'If-Match' => $r->header('ETag'));
isnt($r->json->{meta}{proof}, $nonce, 'a move does not');

$t->done();
