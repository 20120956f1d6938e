#!/usr/bin/perl

# Copyright (C) govsvc authors

# Systems under special watch that platforms.json marks on their routes: the
# mark and the grade of events and records, a line of govsvc_critical before
# it, and a table that is read again.

use strict;
use warnings;

use Test::More;
use JSON::PP;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new();
my $port = $t->backend('gd');

$t->write_file('a.rules', <<'EOR');
rule 2001 union { match args lit union; severity high; score sqli 5; }
EOR

sub platforms {
    my ($licence) = @_;

    $t->write_file('platforms.json', <<"EOF");
{
  "platforms": [{"id": "gd", "region": "440000"}],
  "pools": [{"id": "gd-web", "platform": "gd"}],
  "instances": [{"id": "gd-1", "pool": "gd-web", "address": "127.0.0.1",
                 "port": $port}],
  "routes": [
    {"id": "gd-lic", "platform": "gd", "pool": "gd-web"$licence,
     "match": {"paths": ["/lic/"]}},
    {"id": "gd-sso", "platform": "gd", "pool": "gd-web",
     "critical": "identity", "match": {"paths": ["/sso/"]}},
    {"id": "gd-pay", "platform": "gd", "pool": "gd-web",
     "critical": "payment", "match": {"paths": ["/pay/"]}},
    {"id": "gd-all", "platform": "gd", "pool": "gd-web", "match": {}}
  ]
}
EOF
}

platforms(', "critical": "license"');

$t->http_conf(<<'EOF')->run();
    govsvc_node         n1;
    govsvc_rules        a.rules;
    govsvc_platforms    platforms.json;
    govsvc_audit_store  dir=audit flush=5ms;
    govsvc_audit        meta;

    upstream platforms {
        govsvc_balancer;
    }

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_guard  on;
        govsvc_route  on;

        location / { proxy_pass http://platforms; }

        location /pay/off/ {
            govsvc_critical  off;
            proxy_pass       http://platforms;
        }

        location /sso/other/ {
            govsvc_critical  other routes=gd-s*;
            govsvc_critical  license routes=gd-lic;
            proxy_pass       http://platforms;
        }

        location /pay/lines/ {
            govsvc_critical  license routes=gd-lic;
            proxy_pass       http://platforms;
        }
    }
EOF

# The lines of a type for a path.

sub line {
    my ($type, $path) = @_;

    my $found;

    $t->wait_for(sub {
        ($found) = grep { ($_->{dst}{path} // $_->{http}{path} // '') eq $path }
            map { decode_json($_) } grep { /"ty":"$type"/ }
            map { split /\n/, $t->read_file($_) } $t->audit_files();
        return $found;
    }, 20);

    return $found;
}

sub attack {
    my ($path, $crit, $sev, $what) = @_;

    is($t->http_get("$path?a=union")->status, 403, "$what: an attack");

    my $event = line('sec', $path);
    my $record = line('http', $path);

    is($event->{crit}, $crit, "$what: mark of the event");
    is($event->{sev}, $sev, "$what: grade");
    is($record->{gov}{crit}, $crit, "$what: mark of the record");
}

attack('/lic/1', 'license', 4, 'licences');
attack('/sso/1', 'identity', 4, 'identity');
attack('/pay/1', 'payment', 4, 'payment');
attack('/other/1', undef, 3, 'a route without a mark');
attack('/pay/off/1', undef, 3, 'off takes it away');
attack('/sso/other/1', 'other', 4, 'a line that fits comes first');
attack('/pay/lines/1', 'payment', 4, 'no line fits');

is($t->http_get('/lic/2')->status, 200, 'a request');
is(line('http', '/lic/2')->{gov}{crit}, 'license', 'is marked, too');

# without a mark any more

platforms('');
ok($t->reload(), 'another table');
attack('/lic/3', undef, 3, 'no mark any more');

# a word that is none

platforms(', "critical": "licence"');
like($t->conf_error("govsvc_platforms platforms.json;\n"
    . 'server { listen unix:%%DIR%%/s; }'),
    qr/invalid critical "licence"; did you mean "license"\?.*platforms\.json/s,
    'a wrong word');

$t->done();
