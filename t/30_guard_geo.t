#!/usr/bin/perl
#
# Copyright (C) govsvc authors
#
# The place of an address chooses the province when nothing else does.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Mmdb;

my $t = Test::GovSvc->new();

my $port = $t->backend('all');

mmdb_write($t->dir() . '/geo.mmdb', 'Test-City',
    '203.0.113.0/26' => { place('CN', 'GD') },
    '203.0.113.64/26' => { place('CN', '33') },
    '203.0.113.128/26' => { place('HK') },
    '203.0.113.192/26' => { place('CN', '66') },
    '2001:db8:44::/48' => { place('CN', 'GD') },
    '198.51.100.0/24' => { place('US', 'CA') });

mmdb_write($t->dir() . '/asn.mmdb', 'Test-ASN',
    '203.0.113.0/24' => { place('CN') });

$t->write_file('platforms.json', <<"EOF");
{
  "pools": [{"id": "all", "platform": "gd"}],
  "instances": [{"id": "a", "pool": "all", "address": "127.0.0.1",
                 "port": $port}],
  "platforms": [{"id": "gd", "region": "440000",
                 "name": {"zh": "广东", "en": "Guangdong"}}],
  "routes": [{"id": "by-region", "platform": "gd", "pool": "all",
              "match": {"regions": ["44****", "33****", "81****"]}}]
}
EOF

$t->http_conf(<<'EOF')->run();
    govsvc_platforms  platforms.json;
    govsvc_geo        geo.mmdb;

    upstream platforms {
        govsvc_balancer;
    }

    server {
        listen            127.0.0.1:%%PORT_0%%;
        set_real_ip_from  127.0.0.0/8;
        real_ip_header    X-Real-Client;
        govsvc_route      on;

        location / {
            add_header  X-Region "$govsvc_region $govsvc_region_source" always;
            proxy_pass  http://platforms;
        }
    }
EOF


sub region {
    my ($address) = @_;

    my $r = $t->http_get('/', headers => ['X-Real-Client' => $address]);

    return $r->status . ' ' . ($r->header('X-Region') // '');
}


is(region('203.0.113.9'), '200 440000 geo', 'Guangdong');
is(region('203.0.113.70'), '200 330000 geo', 'the old number of Zhejiang');
is(region('203.0.113.130'), '200 810000 geo', 'Hong Kong, a country there');
is(region('2001:db8:44::1'), '200 440000 geo', 'IPv6');
is(region('::ffff:203.0.113.9'), '200 440000 geo', 'IPv4 in IPv6');
like(region('203.0.113.200'), qr/^404/, 'never the XPCC');
like(region('198.51.100.1'), qr/^404/, 'another country');
like(region('192.0.2.1'), qr/^404/, 'not in the database');

is($t->conf_error("govsvc_geo asn.mmdb;\n") =~ s{"\S*/}{"}r,
    'database type "Test-ASN" knows no places, allowed: a City, Country or'
    . ' Enterprise database; this one is for "asn=" in "asn.mmdb" in'
    . ' bad.conf:1', 'a database of something else');

$t->done();
