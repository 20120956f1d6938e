package Test::GovSvc::Admin;

# Copyright (C) govsvc authors
#
# A gateway with the registry API, two provinces and one of each staff.

use strict;
use warnings;

use JSON::PP;
use Test::GovSvc;

our @ISA = qw/Test::GovSvc/;

my $platforms = <<'EOF';
{
  "platforms": [{"id": "gd", "region": "440000"},
    {"id": "bj", "region": "110000"}],
  "pools": [{"id": "gd-web", "platform": "gd"},
    {"id": "bj-web", "platform": "bj"}],
  "routes": [
    {"id": "gd", "platform": "gd", "pool": "gd-web",
     "match": {"paths": ["/44/"]}},
    {"id": "bj", "platform": "bj", "pool": "bj-web",
     "match": {"paths": ["/11/"]}}]
}
EOF


sub gateway {
    my ($self, %opt) = @_;

    $self->mint_keys('keys');
    $self->write_file('platforms.json', $opt{platforms} // $platforms);
    $self->write_file('credentials.json',
        $opt{credentials} // $self->credentials());

    my $admin = $opt{admin} // 'proof=off loopback=on';
    my $registry = $opt{registry}
        // 'zone=registry:8m snapshot=%%DIR%%/state/registry.json';

    $self->http_conf(<<"EOF");
    govsvc_platforms          platforms.json;
    govsvc_registry           $registry;
    govsvc_admin_credentials  credentials.json;
    govsvc_audit_store        dir=%%DIR%%/audit flush=10ms;

    govsvc_issuer national {
        iss           https://sso.gov.example;
        audience      govsvc-admin;
        algs          ES256;
        jwks_file     keys/jwks.json;
        max_lifetime  5m;
    }

    upstream platforms {
        govsvc_balancer;
        keepalive  64;
    }

    @{[$opt{http} // '']}

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_route  on;
        govsvc_audit  meta;

        location / {
            proxy_http_version  1.1;
            proxy_set_header    Connection "";
            proxy_pass          http://platforms;
        }

        location /govsvc/ {
            govsvc_token       optional issuer=national;
            govsvc_admin       $admin;
            govsvc_admin_auth  mtls jwt govhmac;
            @{[$opt{location} // '']}
        }

        @{[$opt{server} // '']}
    }
EOF

    return $self;
}


sub credentials {
    my ($self, @more) = @_;

    my $one = sub {
        my ($id, $role, %more) = @_;

        return { id => $id, role => $role, quota => { rate => '5000r/s' },
            tokens => [{ issuer => 'national', subject => $id }], %more };
    };

    my @tenant = ('tenant', platform => 'gd');

    return JSON::PP->new->canonical->encode({ credentials => [
        $one->('gd-ops', @tenant, scope => {
            paths => ['/44/', '/gd/'], hosts => ['*.gd.example'],
            regions => ['44****'], items => ['1144'], tls => [],
            networks => ['10.44.0.0/16', '127.0.0.1', '2001:da8:44::/48'],
            ports => ['1024-65535'], delegated => ['/44/open/'] },
            quota => { rate => '5000r/s', instances => 50, routes => 20,
                pools => 5 }),
        $one->('bj-ops', 'tenant', platform => 'bj', scope => {
            paths => ['/11/'], networks => ['10.11.0.0/16', '127.0.0.1'],
            ports => ['1-65535'] }),
        $one->('gd-read', @tenant, scope => { verbs => ['GET'] }),
        $one->('gd-slow', @tenant, quota => { rate => '1r/m' }),
        $one->('gd-old', @tenant, expires => '2020-01-01T00:00:00Z'),
        $one->('gd-off', @tenant, state => 'disabled'),
        $one->('system', 'system'),
        $one->('system-2', 'system'),
        $one->('security', 'security'),
        $one->('audit', 'audit'),
        @more,
    ] });
}


sub bearer {
    my ($self, $who, %claims) = @_;

    my $make = sub { 'Bearer ' . $self->token('ES256', {
        iss => 'https://sso.gov.example', aud => 'govsvc-admin',
        sub => $who, %claims }, ttl => 240) };

    return $make->() if %claims;

    return $self->{bearer}{$who} //= $make->();
}


# $t->api('gd-ops', PUT => 'instances/a', { ... }, 'If-None-Match' => '*')

sub api {
    my ($self, $who, $method, $path, $body, %headers) = @_;

    $headers{Authorization} //= $self->bearer($who) if defined $who;
    $headers{Accept} //= 'application/json';
    $path = "/govsvc/v1/$path" unless $path =~ m{^/};

    if (defined $body) {
        $headers{'Content-Type'} //= 'application/json';
        $body = JSON::PP->new->canonical->utf8->encode($body) if ref $body;
    }

    return $self->http_request($method, $path, headers => \%headers,
        defined $body ? (body => $body) : ());
}


sub create {
    my ($self, $who, $path, $body, $query) = @_;

    return $self->api($who, PUT => $path . ($query // ''), $body,
        'If-None-Match' => '*');
}


sub etag { $_[0]->api('system', GET => $_[1])->header('ETag') }


sub change {
    my ($self, $who, $method, $path, $body) = @_;

    return $self->api($who, $method => $path, $body,
        'If-Match' => $self->etag($path) // '"none"');
}


1;
