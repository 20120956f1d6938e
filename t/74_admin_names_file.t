#!/usr/bin/perl

# Copyright (C) govsvc authors

# Names in the file of the operator, without an API and without leave for
# loopback: a name server that says so does not lead the gateway to itself.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Dns;


my $t = Test::GovSvc->new(log => 'notice', workers => 2);
my $dns = Test::GovSvc::Dns->new($t);

$t->write_file('platforms.json', <<'EOF');
{"platforms": [{"id": "gd"}],
 "pools": [{"id": "w", "platform": "gd"}, {"id": "s", "platform": "gd"}],
 "instances": [
  {"id": "n", "pool": "w", "address": "web.gd.example:8080"},
  {"id": "i", "pool": "s", "port": 8080, "address": "10.44.0.1"}],
 "routes": [{"id": "gd", "platform": "gd", "pool": "w",
  "match": {"paths": ["/44/"]}}]}
EOF

$t->http_conf('resolver 127.0.0.1:' . $dns->port() . ' ipv6=off;' . <<'EOF');

    govsvc_platforms    platforms.json;
    govsvc_registry     zone=r:4m snapshot=%%DIR%%/state/r.json;
    govsvc_hosts        gd.example min=1s max=1s;
    govsvc_admin_deny   10.44.250.0/24;
    govsvc_redis        shared { server 10.44.60.1; }
    govsvc_audit_store  dir=%%DIR%%/audit flush=10ms;

    upstream platforms {
        govsvc_balancer;
    }

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_route  on;

        location /metrics {
            govsvc_route  off;
            govsvc_metrics;
        }

        location / {
            proxy_pass             http://platforms;
            proxy_connect_timeout  100ms;
        }
    }
EOF

$t->expect_log(qr/which is refused|redis "shared"/);

$dns->set('web.gd.example' => { a => ['127.0.0.1', '10.44.0.2',
    '10.44.250.9', '100.100.100.200', '10.44.60.1'], ttl => 5 });

$t->run();

sub metric {
    my ($name) = @_;

    my ($value) = $t->http_get('/metrics')->body
        =~ /^govsvc_host_\Q$name\E (\d+)$/m;

    return $value // 'none';
}

ok($t->wait_for(sub { metric('names{state="fresh"}') eq '1' }, 60),
    'a name of the file was found')
    or diag($t->error_log(), $t->http_get('/metrics')->body);
is(metric('names{state="unresolved"}'), 0, 'none is unresolved');
is(metric('refused_total'), 4, 'four addresses were refused, once each');

for my $case (['127.0.0.1', 'loopback'],
    ['10.44.250.9', 'named by govsvc_admin_deny'],
    ['10.44.60.1', 'the address of a Redis of the gateway'],
    ['100.100.100.200', 'metadata'])
{
    like($t->error_log(), qr/"web\.gd\.example" of instance "n" was answered with \Q$case->[0]\E, which is refused: \Q$case->[1]\E/,
        "$case->[1] is refused");
}

my $state = $t->read_file('state/r.json.hosts');

like($state, qr/"address":"10\.44\.0\.2","state":"up"/, 'the good one is up');
unlike($state, qr/"address":"(?:127\.0\.0\.1|10\.44\.60\.1|10\.44\.250\.9|100\.100\.100\.200)","state":"up"/,
    'and no other');

$t->http_get('/44/x');
unlike($t->error_log(), qr/upstream: "http:\/\/(?:127|100|10\.44\.60|10\.44\.250)/,
    'nothing was connected to that was refused');

my $good = metric('lookups_total{result="good"}');

cmp_ok($good, '>=', 1, 'questions are counted');
ok($t->wait_for(sub {
    metric('lookups_total{result="good"}') > $good
}, 60), 'a TTL above the bound is cut to it');

$dns->set('web.gd.example' => { rcode => 2 });
ok($t->wait_for(sub { metric('names{state="stale"}') eq '1' }, 60),
    'stale while the name server fails');
cmp_ok(metric('lookups_total{result="failed"}'), '>=', 1,
    'failures are counted');
is(metric('refused_total'), 4, 'nothing is told twice');


# a file that is damaged makes way for the generation before it, or for none

$t->stop();

for my $file (glob $t->dir() . '/state/r.json.hosts*') {
    open my $fh, '>', $file or die $!;
    print $fh "{}\n";
    close $fh;
}

$t->expect_log(qr/r\.json\.hosts/);
$dns->set('web.gd.example' => { a => ['10.44.0.3'], ttl => 1 });
ok($t->run(), 'starts with no whole file');
ok($t->wait_for(sub { metric('names{state="fresh"}') eq '1' }, 60),
    'and finds the name anew');
like($t->read_file('state/r.json.hosts'),
    qr/"address":"10\.44\.0\.3","state":"up"/, 'in a whole file');

$t->done();
