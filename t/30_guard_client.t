#!/usr/bin/perl
#
# Copyright (C) govsvc authors
#
# Identity headers that a client forges never reach a platform; the network
# that counts as one client.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new();

my $port = $t->backend('gd');

$t->write_file('a.rules', 'rule 1000 a { match path lit "/.git/"; block; }');

$t->http_conf(<<"EOF")->run();
    govsvc_rules           a.rules;
    govsvc_identity_strip  x-portal-user;

    map "\$http_x_tif_uid\$http_x_govsvc_level" \$seen {
        ''       none;
        default  forged;
    }

    server {
        listen                   127.0.0.1:%%PORT_0%%;
        server_name              portal.example;
        underscores_in_headers   on;
        ignore_invalid_headers   off;
        set_real_ip_from         127.0.0.0/8;
        real_ip_header           X-Real-Client;
        error_page               400 = \@broken;
        govsvc_guard             on;

        location / {
            add_header  X-Net "\$govsvc_client_net";
            add_header  X-Seen "\$seen";
            proxy_pass  http://127.0.0.1:$port;
        }

        location /inner/ {
            error_page  404 = \@named;
            return      404;
        }

        location /mirror/ {
            mirror      /copy;
            proxy_pass  http://127.0.0.1:$port;
        }

        location = /copy {
            internal;
            proxy_pass  http://127.0.0.1:$port/copy;
        }

        location \@named {
            proxy_pass  http://127.0.0.1:$port;
        }

        location \@broken {
            proxy_pass  http://127.0.0.1:$port;
        }
    }

    server {
        listen                  127.0.0.1:%%PORT_0%%;
        server_name             other.example;
        underscores_in_headers  on;
        govsvc_identity_strip   x-other-* special;

        location / {
            proxy_pass  http://127.0.0.1:$port;
        }
    }
EOF


# Name and value of each header that the backend received last.

sub received {
    my ($request) = $t->backend_requests('gd') ? ($t->backend_requests('gd'))[-1]
        : ();

    return [] unless $request;

    my @list = ref $request->{headers} eq 'HASH' ? %{$request->{headers}}
        : map { ref $_ ? @$_ : $_ } @{$request->{headers}};

    return [ map { [ @list[2 * $_, 2 * $_ + 1] ] } 0 .. @list / 2 - 1 ];
}


sub names {
    my ($uri, $headers, %options) = @_;

    $t->http_get($uri, host => 'portal.example', headers => $headers,
        %options);

    return join ' ', sort map { lc $_->[0] } @{received()};
}


my $plain = names('/', []);

# every name in every spelling

for my $name (qw/X-Tif-Uid X-Tif-Uinfo X-Tif-Ext X-Rio-Uid X-Rio-Uinfo
    X-Rio-Ext X-Sal-Uid X-Sal-Uinfo X-Sal-Ext X-Ext-Data X-Tai-Identity
    X-Govsvc-Subject X-Govsvc-Anything-At-All StaffId StaffName/)
{
    (my $under = $name) =~ tr/-/_/;

    is(names('/', [$name => 'me']), $plain, "$name");
    is(names('/', [lc $under => 'me', uc $under => 'me', uc $name => 'me']),
        $plain, "$name: case and underscore");
}

is(names('/', ['X-Tif_Uid' => 'me', 'x.tif.uid' => 'me',
    'X-Portal_User' => 'me']), $plain, 'mixed, other bytes, a name of ours');

# what stays

is(names('/', ['X-Tif-Paasid' => 'a', 'X-Tif-Signature' => 'b',
    'X-Tif-Uid' => 'me', 'X-Tif-Uid2' => 'c', 'Staff' => 'd']),
    join(' ', sort split(/ /, $plain), qw/x-tif-paasid x-tif-signature
        x-tif-uid2 staff/), 'credentials of callers stay');

$t->http_get('/', host => 'portal.example', headers => [
    (map { ("X-Keep-$_" => "v$_", 'X-Tif-Uid' => "u$_") } 1 .. 60),
    'Cookie' => 'a=1' ]);
my %got = map { lc $_->[0] => $_->[1] } @{received()};

is(join(' ', map { $got{"x-keep-$_"} // 'none' } 1 .. 60),
    join(' ', map { "v$_" } 1 .. 60), '60 forged among 60 others');
is($got{'x-tif-uid'}, undef, 'none is left');
is($got{cookie}, 'a=1', 'a cookie behind them');

# nothing but forged headers, and variables

my $r = $t->http("GET / HTTP/1.0\r\nX-Tif-Uid: me\r\n\r\n");
is($r->status, 200, 'no other header');
unlike(join(' ', map { @$_ } @{received()}), qr/x-tif-uid/i,
    'no other header: stripped');

$r = $t->http_get('/', host => 'portal.example',
    headers => ['X-Tif-Uid' => 'me', 'X-Govsvc-Level' => 5]);
is($r->header('X-Seen'), 'none', 'variables do not see them');

# ways around: internal redirect, subrequest, a broken request

$r = names('/inner/', ['X-Tif-Uid' => 'me', 'X-A' => 'b']);
like($r, qr/x-a/, 'named location');
unlike($r, qr/x-tif-uid/, 'named location: stripped');

$t->http_get('/mirror/', host => 'portal.example',
    headers => ['X-Tif-Uid' => 'me', 'X-A' => 'b']);
$t->wait_for(sub { grep { $_->{uri} eq '/copy' } $t->backend_requests('gd') },
    5);

for my $request ($t->backend_requests('gd')) {
    next unless $request->{uri} =~ m{^/(?:copy|mirror/)$};

    my $text = Test::More::explain($request->{headers});
    ($text) = Test::More::explain($request->{headers});

    like($text, qr/x-a/i, "subrequest: $request->{uri}");
    unlike($text, qr/x-tif-uid/i, "subrequest: $request->{uri} stripped");
}

$t->http("GET / HTTP/1.1\r\nX-Tif-Uid: me\r\nX-B: c\r\nHost: a b\r\n\r\n");
$r = join ' ', map { lc $_->[0] } @{received()};
like($r, qr/x-b/, 'error page of a broken request');
unlike($r, qr/x-tif-uid/, 'error page of a broken request: stripped');

# another server: its own list, with the built-in names

my @forged = ('X-Other-Id' => 1, 'x_other_' => 1, 'Special' => 1,
    'X-Tif-Uid' => 1);

unlike(names('/', \@forged, host => 'other.example'),
    qr/other|special|x-tif/, 'list of another server');
like(names('/', ['X-Portal-User' => 'a'], host => 'other.example'),
    qr/x-portal-user/, 'not the list of the level above');

# the network of the client

sub net {
    my ($address) = @_;

    return $t->http_get('/', host => 'portal.example',
        headers => ['X-Real-Client' => $address])->header('X-Net');
}

is(net('203.0.113.9'), '203.0.113.9', 'IPv4');
is(net('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64', 'IPv6');
is(net('::ffff:203.0.113.9'), '203.0.113.9', 'IPv4 in IPv6');

$t->done();
