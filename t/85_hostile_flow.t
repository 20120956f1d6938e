#!/usr/bin/perl

# Copyright (C) govsvc authors

# Ways through Nginx that leave the straight one: error pages, internal
# redirects, subrequests, answers of hostile platforms.  No stage is lost on
# them, no refused request comes to a platform, no foreign identity either.

use strict;
use warnings;

use JSON::PP;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Portal;


# The platform answers what the address asks for.

sub platform {
    my ($request) = @_;

    my %answers = (
        accel => [200, ['X-Accel-Redirect' => '/44/apply/x']],
        accel_named => [200, ['X-Accel-Redirect' => '@named']],
        accel_trap => [200, ['X-Accel-Redirect' => '/44/.git/']],
        accel_loop => [200, ['X-Accel-Redirect' => '/44/do/accel_loop']],
        accel_file => [200, ['X-Accel-Redirect' => '/files/a.txt']],
        ids => [200, ['X-Request-Id' => 'forged', 'X-Govsvc-Subject' => 'x',
            'x-tif-uid' => 'x', 'X-Powered-By' => 'x'], 'ids'],
        split => [200, ["X-A" => "a\rX-Request-Id: b\nX-Request-Id: c",
            "X-B" => "\xff\x01"], 'split'],
        long => [200, ['X-Long' => 'a' x 65000]],
        garbage => ["\0\xff", [Connection => 'close'], 'garbage'],
        nothing => [],
        missing => [404, [], 'own page'],
        ssi => [200, ['Content-Type' => 'text/html'],
            '[<!--#include virtual="/44/apply/x" -->]'],
        upgrade => [101, [Upgrade => 'websocket', Connection => 'Upgrade']]);

    my ($name) = $request->{uri} =~ m{^/44/do/(\w+)};

    return @{$answers{$name}} if $name && $answers{$name};

    return (200, ['Content-Type' => 'application/json'],
        JSON::PP->new->latin1->canonical->encode($request));
}


my $t = Test::GovSvc->new();
my $p = Test::GovSvc::Portal->new($t, gd => \&platform);

mkdir $t->dir() . '/files';
$t->write_file('files/a.txt', "file\n");
$t->write_file('44/static/a.txt', "static\n");

$t->http_conf($p->http() . <<'EOF' . $p->server() . <<'EOF')->run();
    map $http_upgrade $connection_upgrade {
        default  upgrade;
        ''       '';
    }

    server {
        listen  127.0.0.1:%%PORT_0%%;
        listen  unix:%%DIR%%/s.sock;
EOF
        error_page  400 = @early;

        location / {
            error_page  502 = @fallback;
            proxy_pass  http://platforms;
        }

        location @fallback {
            return  200 "fallback $govsvc_reason\n";
        }

        location @early {
            proxy_pass  http://platforms;
        }

        location /44/page/ {
            error_page  401 403 = @page;
            govsvc_token  required issuer=national;
            proxy_pass  http://platforms;

            location /44/page/plain/ {
                error_page  401 403 /44/sorry;
                proxy_pass  http://platforms;
            }
        }

        location @page {
            proxy_pass  http://platforms;
        }

        location /44/apply/ {
            govsvc_token  required issuer=national;
            proxy_pass    http://platforms;
        }

        location @named {
            govsvc_token  required issuer=national;
            rewrite       ^ /44/named break;
            proxy_pass    http://platforms;
        }

        location /files/ {
            internal;
            root  %%DIR%%;
        }

        location /44/ssi/ {
            ssi         on;
            rewrite     ^/44/ssi/(.*) /44/do/$1 break;
            proxy_pass  http://platforms;
        }

        location /44/rewrite/ {
            rewrite  ^ /44/apply/x last;
        }

        location /44/static/ {
            root       %%DIR%%;
            try_files  $uri /44/apply/x;
        }

        location /44/if/ {
            if ($arg_a) {
                proxy_pass  http://platforms;
            }

            govsvc_token  required issuer=national;
            proxy_pass    http://platforms;
        }

        location /44/auth/ {
            auth_request  /auth;
            mirror        /mirror;
            proxy_pass    http://platforms;
        }

        location = /auth {
            internal;
            proxy_pass               http://127.0.0.1:%%PORT_1%%;
            proxy_pass_request_body  off;
            proxy_set_header         Content-Length "";
        }

        location = /mirror {
            internal;
            proxy_pass  http://127.0.0.1:%%PORT_1%%;
        }

        location /44/intercept/ {
            proxy_intercept_errors  on;
            error_page              404 = @page;
            rewrite                 ^ /44/do/missing break;
            proxy_pass              http://platforms;
        }

        location /44/open/ {
            govsvc_guard  off;
            proxy_pass    http://platforms;

            location /44/open/shut/ {
                govsvc_guard  on;
                proxy_pass    http://platforms;
            }
        }

        location = /44/do/upgrade {
            proxy_set_header  Upgrade $http_upgrade;
            proxy_set_header  Connection $connection_upgrade;
            proxy_pass        http://platforms;
        }
    }

    server {
        listen  127.0.0.1:%%PORT_1%%;
        return  204;
    }
EOF

my $sent = 0;
my @forged = ('X-Tif-Uid' => 'forged', 'x_govsvc_subject' => 'forged',
    'X-Govsvc.Level' => 'forged', 'X-Request-Id' => 'forged');


sub get {
    my ($uri, %opt) = @_;

    $sent++;

    return $t->http_request($opt{method} || 'GET', $uri, %opt,
        headers => [@forged, @{$opt{headers} || []}]);
}


sub platform_got { scalar $t->backend_requests('gd') }


my ($r, $raw, $socket);
my @token = (Authorization => 'Bearer ' . $p->token());

# a page for a refusal does not come from a platform

for my $uri ('/44/page/x', '/44/page/.git/', '/44/page/plain/x') {
    $r = get($uri, method => 'POST', body => 'secret body');
    is($r->status, 500, "$uri: no page of a platform");
}

is(platform_got(), 0, 'nothing of it came to the platform');
like($t->error_log(), qr/request was refused: AUTH_REQUIRED, an "error_page"/,
    'and the log tells why');

# a page for what Nginx refused may, but not as somebody

$sent++;
$r = $t->http("GET /44/early HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    . "X-Tif-Uid: forged\r\nX-Request-Id: forged\r\nX-\x01: x\r\n\r\n");
is($r->status, 200, 'page for a broken request');
is($r->json->{headers}{'x-tif-uid'}, undef, 'without a foreign identity');
is($r->json->{headers}{'x-request-id'}, $r->header('X-Request-Id'),
    'under our number');

$sent++;
$r = $t->http("GET /44/early\0 HTTP/1.1\r\nHost: a\r\n\r\n");
isnt($r->status, 200, 'no page where there is no address');

# redirects inside pass the stages again

for my $uri (qw{/44/do/accel /44/do/accel_named /44/rewrite/ /44/static/none
    /44/if/ /44/if/?a=1})
{
    is(get($uri)->status, 401, "$uri: still asks for a token");
    is(get($uri, headers => \@token)->status, 200, "$uri: and takes it");
}

is(get('/44/do/accel_trap')->status, 200, 'rules are asked once');
is(get('/44/do/accel_loop')->status, 500, 'loop of redirects');
is(get('/44/do/accel_file')->body, "file\n", 'file by a redirect');
is(get('/44/static/a.txt')->body, "static\n", 'file by try_files');
like(get('/65/x')->body, qr/^fallback $/, 'page where a platform is down');
is(get('/44/intercept/')->body, 'own page', 'error of a platform');
is(get('/44/open/.git/')->status, 200, 'rules off');
is(get('/44/open/shut/.git/')->status, 403, 'and on again inside');

# subrequests

$r = get('/44/auth/x', method => 'POST', body => 'hello');
is($r->status, 200, 'auth_request and mirror');
is($r->json->{body}, 'hello', 'body came once');
like(get('/44/ssi/ssi')->body, qr/^\[\{.*"uri":"\/44\/apply\/x".*\]$/,
    'include');

# hostile answers

$r = get('/44/do/ids');
is($r->status, 200, 'forged numbers');
unlike($r->raw, qr/forged|X-Govsvc|x-tif|Powered/i, 'are taken out');
like($r->header('X-Request-Id'), qr/^[0-9a-f]{32}$/, 'ours is there');

for my $name (qw/split long garbage nothing/) {
    is(get("/44/do/$name")->body, "fallback \n", "$name: refused");
}

# a tunnel is one request

$socket = $t->connect();
$sent++;
$r = $t->http("GET /44/do/upgrade HTTP/1.1\r\nHost: a\r\nConnection: Upgrade"
    . "\r\nUpgrade: websocket\r\nX-Tif-Uid: forged\r\n\r\n",
    socket => $socket);
is($r->status, 101, 'upgrade');
is($t->http_get('/44/frame', socket => $socket)->json->{uri}, '/44/frame',
    'the tunnel is open');
close $socket;

# what follows a refused body on the connection is a request of its own

$socket = $t->connect();
$sent += 2;
$r = $t->http("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
    . "\r\n5\r\nGET /\r\n0\r\n\r\nGET /44/next HTTP/1.1\r\nHost: a\r\n"
    . "X-Tif-Uid: forged\r\nConnection: close\r\n\r\n", socket => $socket);
is($r->status, 404, 'refused, with chunks');
$r = $t->http('', socket => $socket);
is($r->status, 200, 'the next one in the same packet');
is($r->json->{uri}, '/44/next', 'is read where it begins');
close $socket;

my @lines = $p->lines($sent);
is(scalar @lines, $sent, 'one line for each request');

my @seen = grep { $_->{uri} ne '/44/frame' } $t->backend_requests('gd');
is(scalar(grep { grep { $_->[1] eq 'forged' } @{$_->{raw_headers}} } @seen),
    0, 'no platform saw a foreign identity');
is($p->leaks(), '', 'no secret in any log');

$t->done();
