#!/usr/bin/perl

# Copyright (C) govsvc authors

# Two servers of one snapshot, as amid an upgrade: the name server of one is
# slow, so that it reads in the file they share what it will only then be told.
# It has learnt nothing new, and serves what is there all the same.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::GovSvc::Admin;
use Test::GovSvc::Dns;


my @t = map { Test::GovSvc::Admin->new(log => 'notice', workers => 2)
    ->has('mint') } 0, 1;
my $t = $t[0];
my @dns = map { Test::GovSvc::Dns->new($_) } @t;
my $port = $t->port(1);

$t->nginx_backend('web', join '', map { <<"END" } 2 .. 6);
    server {
        listen  127.0.0.$_:$port;
        location / { return 200 "$_"; }
        location ~ ^/\\.well-known/govsvc/(.*)\$ { return 200 \$1; }
    }
END

for my $i (0, 1) {
    my $server = $t[$i];
    my @credentials = @{ decode_json($server->credentials())->{credentials} };

    for (grep { $_->{id} eq 'gd-ops' } @credentials) {
        $_->{scope}{suffixes} = ['gd.example'];
        $_->{scope}{networks} = ['127.0.0.0/29'];
        $_->{scope}{ports} = ['1024-65535'];
    }

    $server->gateway(admin => 'proof=on loopback=on',
        credentials => encode_json({ credentials => \@credentials }),
        registry => 'zone=registry:8m snapshot=' . $t->dir()
            . '/state/registry.json',
        http => 'resolver 127.0.0.1:' . $dns[$i]->port() . ' ipv6=off;'
            . ' govsvc_hosts gd.example min=1s max=2s timeout=60s;')->run();
}

sub serves {
    my ($i, $want, $name) = @_;
    my $last;

    # each worker of it

    ok($t->wait_for(sub {
        my %seen;
        $seen{$last = $t[$i]->http_get('/44/x')->body} = 1 for 1 .. 12;
        return join(' ', sort keys %seen) eq $want;
    }, 60), $name) or diag("last: $last", $t[$i]->error_log());
}

sub says {
    my ($i, $what) = @_;

    $dns[$i]->set('web.gd.example' => $what);
}

says($_, { a => ['127.0.0.2'], ttl => 1 }) for 0, 1;
is($t->create('gd-ops', 'instances/web', { pool => 'gd-web',
    address => "web.gd.example:$port" })->status, 201, 'a name');
serves($_, 2, "server $_ finds it") for 0, 1;

for my $round (3, 4) {
    my $slow = $round % 2;

    says($slow, { silent => 1 });
    says(1 - $slow, { a => ["127.0.0.$round"], ttl => 1 });
    serves(1 - $slow, $round, 'one server hears that the name moved');
    says($slow, { a => ["127.0.0.$round"], ttl => 1 });
    serves($slow, $round, 'the other one is told what it has read');
}

$_->finish() for reverse @t;
done_testing();
