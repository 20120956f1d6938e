#!/usr/bin/perl

# Copyright (C) govsvc authors

# Routing by path, host, item, region, header and channel; what is refused and
# why; what the variables say.

use strict;
use warnings;
use utf8;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new();

my $port = $t->backend('gd');

my $pools = join ",\n", map {
    qq({"id": "$_-web", "platform": "$_", "host": "$_.gov.example"})
} qw/gd zj bj/;
my $instances = join ",\n", map {
    qq({"id": "$_-1", "pool": "$_-web", "address": "127.0.0.1",
        "port": $port})
} qw/gd zj bj/;

$t->write_file('platforms.json', <<"EOF_JSON");
{
  "platforms": [{"id": "gd", "region": "440000"},
                {"id": "zj", "region": "330000"},
                {"id": "bj", "region": "110000"}],
  "pools": [$pools],
  "instances": [$instances],
  "routes": [
    {"id": "gd-path", "platform": "gd", "pool": "gd-web",
     "match": {"paths": ["/44/", "/gd/", "/办事"]}},
    {"id": "zj-host", "platform": "zj", "pool": "zj-web",
     "match": {"hosts": ["zj.gov.example", "*.zj.gov.example"]}},
    {"id": "gd-region", "platform": "gd", "pool": "gd-web",
     "match": {"regions": ["44****"]}},
    {"id": "zj-region", "platform": "zj", "pool": "zj-web",
     "match": {"regions": ["33****"]}},
    {"id": "zj-app", "platform": "zj", "pool": "zj-web",
     "match": {"paths": ["/ch"], "headers": {"x-channel": ["app"]}}},
    {"id": "bj-ch", "platform": "bj", "pool": "bj-web",
     "match": {"paths": ["/ch"]}},
    {"id": "bj-post", "platform": "bj", "pool": "bj-web",
     "match": {"paths": ["/post"], "methods": ["POST"]}},
    {"id": "bj-ver", "platform": "bj", "pool": "bj-web",
     "match": {"paths": ["/ver"], "headers": {"X-Version": ["2*"]}}}
  ]
}
EOF_JSON

$t->write_file('regions.json', <<'EOF_JSON');
[{"code": "440100", "name": "广州市"}, {"code": "440114", "name": "花都区"},
 {"code": "440182", "name": "花都市", "alias_of": "440114"}]
EOF_JSON

$t->http_conf(<<'EOF_CONF')->run();
    govsvc_platforms  platforms.json;
    govsvc_regions    regions.json;

    upstream platforms {
        govsvc_balancer;
    }

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_route  on;

        add_header  X-Is
            "$govsvc_platform $govsvc_pool $govsvc_region $govsvc_region_source"
            always;
        add_header  X-Item "$govsvc_item,$govsvc_case,$govsvc_channel" always;

        location / {
            proxy_set_header  Host $govsvc_upstream_host;
            proxy_pass        http://platforms;
        }

        location /static/ {
            govsvc_route  off;
            return        200 "static\n";
        }

        location /inner {
            rewrite  ^ /44/inner last;
        }
    }

    server {
        listen  127.0.0.1:%%PORT_1%%;

        location / {
            govsvc_route  on;
            proxy_pass    http://platforms;
        }
    }
EOF_CONF

my $gd31 = '11440100007482575H3440118009000';
my $zj31 = '11330100007482575H3330118009000';
my $sc31 = '11510100007482575H3510118009000';


sub routed {
    my ($uri, $is, %opt) = @_;

    my $name = delete $opt{name} // $uri;
    my $r = $t->http_request(delete $opt{method} // 'GET', $uri,
        host => 'gw.example', %opt);

    is($r->status, 200, "$name: routed");
    is($r->header('X-Is'), $is, "$name: $is");

    return $r;
}


sub refused {
    my ($uri, $status, $code, %opt) = @_;

    my $name = delete $opt{name} // $uri;
    my $r = $t->http_request(delete $opt{method} // 'GET', $uri,
        host => 'gw.example',
        %opt, headers => [Accept => 'application/json',
            @{$opt{headers} || []}]);

    is($r->status, $status, "$name: $status");
    is(eval { $r->json->{code} }, $code, "$name: $code");

    return $r;
}


# by path, host, region, item, channel, method, header

my $r = routed('/44/portal/home?a=b', 'gd gd-web 440000 path');
is($r->json->{headers}{host}, 'gd.gov.example', 'the host of the pool');
is($r->json->{uri}, '/44/portal/home?a=b', 'the target as it came');

routed('/gd', 'gd gd-web 440000 path');
routed('/%E5%8A%9E%E4%BA%8B/1', 'gd gd-web 440000 platform',
    name => 'a Chinese path');
routed('/x', 'zj zj-web 330000 host', host => 'ZJ.gov.example:80',
    name => 'host');
routed('/x', 'zj zj-web 330000 host', host => 'a.b.zj.gov.example',
    name => 'host by suffix');
routed('/js/app.js', 'zj zj-web 330000 host', host => 'zj.gov.example',
    name => 'a word on a host of its own');
routed('/440114/x', 'gd gd-web 440114 path');
routed('/440182/x', 'gd gd-web 440114 path', name => 'a retired code');
routed("/guide?sxbm=$zj31", 'zj zj-web 330100 item');
routed("/guide?taskCode=$gd31", 'gd gd-web 440100 item');
routed("/guide?itemCode=${gd31}01", 'gd gd-web 440100 item');
routed('/x', 'gd gd-web 440103 header', headers => ['X-Region' => '440103'],
    name => 'the region header');
routed('/x', 'zj zj-web 330000 header', headers => ['X-Region' => 'CN-ZJ'],
    name => 'an ISO name');
routed('/ch', 'bj bj-web 110000 platform');
routed('/ch', 'zj zj-web 330000 platform', headers => ['X-Channel' => 'APP'],
    name => 'a channel');
routed('/post', 'bj bj-web 110000 platform', method => 'POST', body => 'a');
routed('/ver', 'bj bj-web 110000 platform', headers => ['X-Version' => '2.1'],
    name => 'another header');

$r = routed("/portal/guide/$gd31?sblsh=44-7", 'gd gd-web 440100 item',
    headers => ['X-Channel' => 'MINI']);
is($r->header('X-Item'), "$gd31,44-7,mini", 'item, case and channel');


# an internal redirect keeps the destination

$r = $t->http_get('/inner', host => 'zj.gov.example');
is($r->header('X-Is'), 'zj zj-web 330000 host', 'rewritten: still routed');


# nothing named, unknown, malformed, contradictory

refused('/nowhere', 404, 'ROUTE_NOT_FOUND');
refused('/441', 404, 'ROUTE_NOT_FOUND');
refused('/51/x', 404, 'REGION_UNKNOWN');
refused('/99/x', 404, 'REGION_UNKNOWN');
refused('/x', 404, 'REGION_UNKNOWN', headers => ['X-Region' => 'junk'],
    name => 'a junk region');
refused('/x', 404, 'REGION_UNKNOWN',
    headers => ['X-Region' => '44', 'X-Region' => '33'],
    name => 'two regions');
refused("/portal/guide/$sc31", 404, 'ITEM_UNKNOWN');
refused('/portal/guide/junk', 404, 'ITEM_UNKNOWN');
refused('/44/x?sxbm=1', 404, 'ITEM_UNKNOWN');
refused("/x?sxbm=$gd31&taskCode=$zj31", 404, 'ITEM_UNKNOWN',
    name => 'two items');
refused('/x?sxbm=' . 'A' x 4000, 404, 'ITEM_UNKNOWN', name => 'a long code');
refused('/post', 404, 'ROUTE_NOT_FOUND');
refused('/ver', 404, 'ROUTE_NOT_FOUND', headers => ['X-Version' => '1'],
    name => 'another version');
refused('/x?' . 'a=b&' x 1500, 404, 'ROUTE_NOT_FOUND',
    name => '1500 arguments');


# what route and platform would read differently, before any location

my $seen = $t->backend_requests('gd');

for my $uri ('/44/..;/33/x', '/44/%2e%2e/33/x', '/44/../33/x', '/44/a%2fb',
             '/44/a%5Cb', '/44/%252e%252e/33/x', '/44/%c0%ae/x', '/44/;/x',
             '/static/..;/44/x')
{
    refused($uri, 400, 'URI_UNSAFE');
}

is($t->http_get('/44/a%00b')->status, 400, 'NUL is refused');
is($t->backend_requests('gd'), $seen, 'nothing of it went upstream');


# off in a location, on in a location alone

is($t->http_get('/static/x')->body, "static\n",
    'off in a location: no route is asked for');
is($t->http_get('/44/x', port => $t->port(1))->status, 200,
    'on in a location alone');
is($t->http_get('/x', port => $t->port(1))->status, 404,
    'where the unknown is refused too');
is($t->http_get('/44/..;/x', port => $t->port(1))->status, 400,
    'and the unsafe');

$t->done();
