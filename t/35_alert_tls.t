#!/usr/bin/perl
#
# Copyright (C) govsvc authors
#
# A receiver of alerts that is not who it says: its certificate is of another
# authority, or of another name.  Nothing is told to it, the log and the
# counters say so, and what was to be told is told when the right one is there.

use strict;
use warnings;

use Test::More;
use JSON::PP;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new(workers => 2);

$t->expect_log(qr/govsvc alert:|SSL_do_handshake|certificate/);

$t->write_file('a.rules', <<'EOR');
rule 2001 union  { match args lit union; severity high; score sqli 5; }
EOR

$t->ca('ca');
$t->ca('another');
$t->certificate('right', 'ca', 'hook.example');
$t->certificate('named', 'ca', 'other.example');
$t->certificate('forged', 'another', 'hook.example');

my $gd = $t->backend('gd');
my $hook = $t->backend('hook', sub { (200, [], '{}') });
my $to = $t->backend_port('hook');

sub receiver {
    my ($certificate) = @_;

    $t->nginx_backend('tls', <<"EOF");
    server {
        listen               127.0.0.1:%%PORT_8%% ssl;
        ssl_certificate      %%DIR%%/$certificate.crt;
        ssl_certificate_key  %%DIR%%/$certificate.key;
        location / { proxy_pass http://127.0.0.1:$to; }
    }
EOF
}

receiver('forged');

my $port = $t->port(8);

$t->http_conf(<<"EOF")->run();
govsvc_node         n1;
govsvc_rules        a.rules;
govsvc_audit_store  dir=audit flush=5ms;
govsvc_audit        meta;

govsvc_alert  cloudevents url=https://127.0.0.1:$port/ce ca=ca.crt
              name=hook.example wait=100ms window=1s timeout=1s rate=600;

server {
    listen        127.0.0.1:%%PORT_0%%;
    govsvc_guard  on;
    location / { proxy_pass http://127.0.0.1:$gd; }
    location = /metrics { govsvc_metrics; }
}
EOF

my $sent = 0;

for my $wrong ('forged', 'named') {

    if ($wrong ne 'forged') {
        $t->nginx_backend_stop('tls');
        receiver($wrong);
    }

    my $told = retried();

    attack();
    ok($t->wait_for(sub { retried() > $told }, 60), "$wrong: tried again");
    is(scalar($t->backend_requests('hook')), 0, "$wrong: and never told");
}

like($t->error_log(), qr/govsvc alert: no message to "127\.0\.0\.1/,
    'the log says so');
like($t->error_log(), qr/certificate/, 'and why');
is(metric('dead'), 0, 'nothing is given up');

$t->nginx_backend_stop('tls');
receiver('right');
attack();

ok($t->wait_for(sub { total() >= $sent }, 90), 'the right one is told');
is(total(), $sent, 'all of it, and once');
ok(!glob($t->dir() . '/audit/alert-*.dead'), 'nothing was lost');

$t->done();


sub attack {
    $sent++;
    is($t->http_get('/?a=union')->status, 403, 'an attack');
}


sub metric {
    my ($result) = @_;
    my ($n) = $t->http_get('/metrics')->body
        =~ /govsvc_alerts_total\{result="$result"\} (\d+)/;

    return $n // 0;
}


sub retried { return metric('retried') }


# Each message once: the same number may come again.

sub total {
    my ($n, %seen) = (0);

    for (map { decode_json($_->{body}) } $t->backend_requests('hook')) {
        $n += $_->{data}{count} unless $seen{$_->{id}}++;
    }

    return $n;
}
