#!/usr/bin/perl

# Copyright (C) govsvc authors

# Configurations at the edge: nothing on, one feature on, servers that differ,
# one process, a user without rights, files that cannot be read.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Portal;


# one server, one line in it: how a plain, a forged and a broken request fare

sub gateway {
    my ($line, $global, $http) = @_;

    my $t = Test::GovSvc->new();
    my $p = Test::GovSvc::Portal->new($t);
    my $gd = $t->backend_port('gd');

    $t->write_file('http.conf', ($http // $p->http()) . <<"EOF");
    server {
        listen  127.0.0.1:%%PORT_0%%;
        $line

        location / {
            proxy_pass  http://127.0.0.1:$gd;
        }
    }
EOF

    my $frame = $t->expand($t->frame('http.conf'));
    $frame =~ s/user root;// if $global =~ /^user/;
    $frame =~ s/^events/$global\nevents/m;
    $t->conf($frame)->run();

    return ($t, $p);
}


# loaded and silent: what a stock Nginx would do

my ($t) = gateway('', '', ' ');
my $r = $t->http_get('/44/.git/', headers => { 'X-Tif-Uid' => 'mine',
    'X-Request-Id' => 'mine', Authorization => 'Bearer x' });
is($r->status, 200, 'no directive: passes');
is($r->header('X-Request-Id'), undef, 'no number in the answer');
is($r->json->{headers}{'x-tif-uid'}, 'mine', 'headers as they came');
is($r->json->{headers}{'x-request-id'}, 'mine', 'also the number');
is($r->json->{headers}{traceparent}, undef, 'and no trace');
is($t->http("GET /44/x\r\n")->status, 0, 'HTTP/0.9');
like($t->http_get('/x/%2e%2e%2fetc')->raw, qr/^HTTP\/1.1 200/, 'any address');
$t->stop();

# each feature alone

my %alone = (
    'route' => ['govsvc_route on;', '/44/..;/x', 400],
    'guard' => ['govsvc_guard on;', '/44/.git/', 403],
    'detect' => ['govsvc_guard detect;', '/44/.git/', 200],
    'limit' => ['govsvc_limit zone=tight;', '/44/x', 429],
    'limit of nobody' => ['govsvc_limit zone=user;', '/44/x', 200],
    'token' => ['govsvc_token required issuer=national;', '/44/x', 401],
    'audit' => ['govsvc_audit meta;', '/44/.git/', 200],
    'nothing' => ['', '/44/.git/', 200]);

for my $name (sort keys %alone) {
    my ($line, $uri, $status) = @{$alone{$name}};

    my ($t, $p) = gateway($line, '');
    my $pid = $p->worker();
    my $token = $p->token();

    $r = $t->http_get('/44/x', headers => { 'X-Tif-Uid' => 'forged',
        Authorization => "Bearer $token" });
    is($r->status, 200, "$name alone: passes");
    is($r->json->{headers}{'x-tif-uid'}, undef, "$name alone: strips");
    is($t->http_get($uri)->status, $status, "$name alone: $uri");

    $t->http("GET /44/x\r\n");
    $t->http("GET /44/x HTTP/1.1\r\nHost: a/b\r\n\r\n");
    $t->http("\0\0\r\n\r\n");

    is(($t->workers())[0], $pid, "$name alone: the same worker");
    is(scalar $p->lines(5), 5, 'audit alone: one line each')
        if $name eq 'audit';

    $t->stop();
}

# one process, and one that is nobody

my $all = Test::GovSvc::Portal->server();

for my $global ('master_process off;', $< == 0 ? 'user nobody nogroup;' : ()) {
    my ($t, $p) = gateway($all, $global);

    is($t->http_get('/44/x')->status, 200, "$global passes");
    is($t->http_get('/44/.git/')->status, 403, "$global refuses");
    is($t->http_get('/44/x', headers => { Authorization => 'Bearer x' })
        ->status, 401, "$global asks for tokens");
    is(scalar $p->lines(3), 3, "$global keeps the record");
    is($p->leaks(), '', "$global tells nothing");
    $t->stop();
}

# servers that differ: the host decides what stands before the platform, and a
# request that names none of them has the features of the default one

{
    my ($t, $p) = gateway('server_name plain; govsvc_audit meta;', '',
        Test::GovSvc::Portal->http() . <<'EOF'
    server {
        listen       127.0.0.1:%%PORT_0%% default_server;
        server_name  strict;
EOF
        . Test::GovSvc::Portal->server() . <<'EOF');

        location / {
            govsvc_token  required issuer=national;
            proxy_pass    http://platforms;
        }

        location /44/part/ {
            govsvc_guard  off;
            govsvc_limit  off;
            govsvc_audit  off;
            proxy_pass    http://platforms;

            location /44/part/of/ {
                govsvc_guard  on;
                govsvc_audit  meta;
                proxy_pass    http://platforms;
            }
        }
    }
EOF

    for my $case (['plain', '/44/.git/', 200], ['strict', '/44/.git/', 403],
        ['strict', '/44/x', 401], ['unknown', '/44/x', 401],
        ['STRICT.', '/44/x', 401], ['plain', '/44/x', 200],
        ['strict', '/44/part/.git/', 200],
        ['strict', '/44/part/of/.git/', 403])
    {
        my ($host, $uri, $status) = @$case;
        is($t->http_get($uri, host => $host)->status, $status,
            "$host: $uri");
    }

    is(scalar $p->lines(7), 7, 'one line each but where it is off');

    like($t->conf_error($p->http() . 'server { location / { satisfy any; '
        . 'allow all; govsvc_token required issuer=national; } }'),
        qr/"satisfy any" and "govsvc_token" exclude each other/,
        'no other module lets pass who is refused');
}

$t->done();
