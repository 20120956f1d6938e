#!/usr/bin/perl

# Copyright (C) govsvc authors

# Platforms that are out, and requests that have none: in Chinese and English,
# as a page and as a problem document.

use strict;
use warnings;
use utf8;

use Encode qw/decode_utf8/;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new()->plan(23);

$t->backend('a');
my $port = $t->backend_port('a');

sub platforms {
    my ($state) = @_;

    $t->write_file('platforms.json', <<"EOF");
{
  "pools": [{"id": "m", "platform": "m"}, {"id": "c", "platform": "c"}],
  "instances": [
    {"id": "1", "pool": "m", "address": "127.0.0.1", "port": $port},
    {"id": "2", "pool": "c", "address": "127.0.0.1", "port": $port}
  ],
  "platforms": [
    {"id": "m", "region": "440000", "state": "$state",
     "name": {"zh": "广东", "en": "Guangdong"}},
    {"id": "c", "region": "330000", "state": "closed",
     "retry_after": "2h",
     "name": {"zh": "浙江", "en": "Zhejiang"}}
  ],
  "routes": [
    {"id": "m", "platform": "m", "pool": "m", "match": {"paths": ["/44/"]}},
    {"id": "c", "platform": "c", "pool": "c", "match": {"paths": ["/33/"]}}
  ]
}
EOF
}

platforms('maintenance');

$t->http_conf(<<'EOF')->run();
    govsvc_platforms  platforms.json;

    upstream platforms {
        govsvc_balancer;
    }

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_route  on;

        location / {
            proxy_pass  http://platforms;
        }
    }
EOF

my %html = (Accept => 'text/html');
my %json = (Accept => 'application/json');

for my $case (
    ['/44/', 503, 'PLATFORM_MAINTENANCE', '维护', 'maintenance', 300],
    ['/33/', 503, 'PLATFORM_CLOSED', '暂停', 'closed', 7200],
    ['/nowhere/', 404, 'ROUTE_NOT_FOUND', '没有找到', 'No government', undef],
) {
    my ($uri, $status, $code, $zh, $en, $retry) = @$case;

    my $r = $t->http_get($uri, headers => \%html);
    my $body = decode_utf8($r->body);
    my $id = $r->header('x-request-id') // 'none';

    is($r->status, $status, "$code: status");
    like($body, qr/\Q$zh\E/, "$code: Chinese");
    like($body, qr/\Q$en\E/, "$code: English");
    like($body, qr/\Q$id\E/, "$code: the page has the number");
    is($r->header('retry-after'), $retry, "$code: Retry-After");

    $r = $t->http_get($uri, headers => \%json);
    is($r->json->{code}, $code, "$code: problem document");
    is($r->header('content-type'), 'application/problem+json',
        "$code: its type");
}

is(scalar $t->backend_requests('a'), 0, 'no platform was asked');

platforms('normal');
$t->reload();
is($t->http_get('/44/')->status, 200, 'back to normal');
