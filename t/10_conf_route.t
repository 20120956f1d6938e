#!/usr/bin/perl

# Copyright (C) govsvc authors

# The directives of the route, and their files: what is refused, and in which
# words.

use strict;
use warnings;
use utf8;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new();

$t->write_file('good.json', <<'EOF_JSON');
{
  "platforms": [{"id": "gd", "region": "440000"}],
  "pools": [{"id": "w", "platform": "gd"}],
  "instances": [{"id": "i", "pool": "w", "address": "127.0.0.1", "port": 1}],
  "routes": [{"id": "r", "platform": "gd", "pool": "w",
              "match": {"regions": ["44****"]}}]
}
EOF_JSON

$t->write_file('regions.json',
    '[{"code": "440100", "name": "Guangzhou"}]');


sub refused {
    my ($conf, $expected, $name) = @_;

    is($t->conf_error($conf), $expected, $name // $conf);
}


sub platforms {
    my ($text, $expected, $name) = @_;

    $t->write_file('bad.json', $text);
    refused('govsvc_platforms bad.json;', $expected, $name);
}


sub regions {
    my ($text, $expected, $name) = @_;

    $t->write_file('badr.json', $text);
    refused('govsvc_platforms good.json; govsvc_regions badr.json;',
        $expected, $name);
}


# govsvc_platforms

my $good = 'govsvc_platforms good.json;';

refused($good, '', 'a good file');
refused('govsvc_platforms;',
    'invalid number of arguments in "govsvc_platforms" directive '
    . 'in bad.conf:1');
refused("$good $good",
    '"govsvc_platforms" directive is duplicate in bad.conf:1');
refused('govsvc_platforms none.json;',
    'open() "none.json" failed (2: No such file or directory) in bad.conf:1');
refused('govsvc_platforms logs;',
    'open() "logs" failed (2: No such file or directory) in bad.conf:1',
    'a folder that is not there');
refused("server { $good }",
    '"govsvc_platforms" directive is not allowed here in bad.conf:1');


like($t->conf_error(do {
    $t->write_file('bad.json', "{\n\"platforms\": [,]\n}\n");
    'govsvc_platforms bad.json;'
}), qr/^bad JSON: .* in bad\.json:2$/, 'broken JSON has its line');

platforms("{\n  \"pool\": []\n}\n",
    'unknown member "pool"; did you mean "pools"? at /pool in bad.json:2',
    'an unknown member');
platforms("{\"platforms\": [\n  {\"id\": \"gd\"},\n  {\"id\": \"zj\",\n"
    . "   \"region\": \"990000\"}\n]}\n",
    'unknown region "990000": no province has these digits at '
    . '/platforms/1/region in bad.json:4', 'an unknown region');
platforms("{\"platforms\": [{\"id\": \"gd\", \"state\": \"close\"}]}\n",
    'invalid state "close"; did you mean "closed"? at /platforms/0/state '
    . 'in bad.json:1', 'an invalid state');
platforms("{\"platforms\": [{\"id\": \"gd\",\n\"retry_after\": \"2 days\"}]}\n",
    'invalid time "2 days"; allowed: 1ms to 24h, such as "500ms", "10s", '
    . '"5m" at /platforms/0/retry_after in bad.json:2', 'an invalid time');
platforms("{\"platforms\": [{\"id\": \"gd\"}],\n"
    . "\"pools\": [{\"id\": \"w\", \"platform\": \"zj\"}]}\n",
    'no platform "zj" in this file at /pools/0/platform in bad.json:2',
    'a platform that is not there');
platforms("{\"platforms\": [{\"id\": \"gd\"}],\n"
    . "\"pools\": [{\"id\": \"w\", \"platform\": \"gd\"}],\n"
    . "\"instances\": [{\"id\": \"i\", \"pool\": \"w\", \"port\": 80,\n"
    . "  \"address\": \"Gd.example\"}]}\n",
    'invalid address "Gd.example", the name has upper case letters; allowed: '
    . 'a numeric IPv4 or IPv6 address of one host, such as "10.44.0.11" or '
    . '"2001:db8::11", or a name, such as "web.gd.gov.example" at '
    . '/instances/0/address in bad.json:4', 'no address and no good name');


# govsvc_regions

refused("$good govsvc_regions regions.json;", '', 'a good extension');
refused('govsvc_regions;',
    'invalid number of arguments in "govsvc_regions" directive '
    . 'in bad.conf:1');
refused('govsvc_regions regions.json; govsvc_regions regions.json;',
    '"govsvc_regions" directive is duplicate in bad.conf:1');
refused('govsvc_regions none.json;',
    'open() "none.json" failed (2: No such file or directory) in bad.conf:1');
refused('server { govsvc_regions regions.json; }',
    '"govsvc_regions" directive is not allowed here in bad.conf:1');
regions("[\n{\"code\": \"990100\", \"name\": \"x\"}]\n",
    'region "990100" lies in no province at /0/code in badr.json:2',
    'a region of no province');
regions("[{\"code\": \"440182\",\n\"alias_of\": \"440114\"}]\n",
    'region "440114" is not in the table at /0/alias_of in badr.json:2',
    'an alias of nothing');


# govsvc_route

for my $level ('%s', 'server { %s }', 'server { location / { %s } }') {
    refused("$good " . sprintf($level, 'govsvc_route on;'), '');
    refused("$good " . sprintf($level, 'govsvc_route off;'), '');
}

refused("$good govsvc_route;",
    'invalid number of arguments in "govsvc_route" directive '
    . 'in bad.conf:1');
refused("$good govsvc_route yes;",
    'invalid value "yes" in "govsvc_route" directive, it must be "on" or '
    . '"off" in bad.conf:1');
refused("$good govsvc_route on; govsvc_route on;",
    '"govsvc_route" directive is duplicate in bad.conf:1');
refused("$good upstream u { govsvc_route on; }",
    '"govsvc_route" directive is not allowed here in bad.conf:1');
refused('server { govsvc_route on; }',
    '"govsvc_route on" needs "govsvc_platforms" in the http block');
refused('server { govsvc_route off; }', '', 'off needs none');


# nginx -T shows both files

$t->http_conf("$good govsvc_regions regions.json;");
my ($code, $out) = $t->command($t->environment(),
    $ENV{GOVSVC_NGINX} || 'nginx', '-T', '-q',
    '-p', $t->dir(), '-c', $t->dir() . '/nginx.conf', '-e', 'stderr');
like($out, qr/configuration file \S+good\.json:\n.*"regions": \["44/s,
    'nginx -T shows the platforms');
like($out, qr/configuration file \S+regions\.json:\n.*Guangzhou/s,
    'and the regions');

$t->done();
