#!/usr/bin/perl

# Copyright (C) govsvc authors

# The figures for Prometheus: exact after a known number of requests, also
# over a reload and the death of a worker, and well-formed.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Portal;


my $t = Test::GovSvc->new(workers => 2)->plan(35);
my $p = Test::GovSvc::Portal->new($t);

my $server = $p->server();

$t->http_conf($p->http() . <<"EOF2")->run();
    govsvc_ban_zone  zone=bans:64k;
    govsvc_availability  %%DIR%%/state/availability.txt;

    server {
        listen  127.0.0.1:%%PORT_0%%;
$server
        location / {
            proxy_pass http://platforms;
        }

        location /tight/ {
            govsvc_route off;
            govsvc_limit zone=tight;
            empty_gif;
        }

        location /login/ {
            govsvc_route off;
            govsvc_token required issuer=national;
            empty_gif;
        }
    }

    server {
        listen  127.0.0.1:%%PORT_1%%;

        location = /metrics {
            govsvc_metrics;
        }
    }
EOF2

$t->wait_for(sub { $t->workers() == 2 });

my $empty = scrape();

is(value($empty, 'govsvc_build_info{version="0.1.0",nginx="' . nginx($empty)
    . '"}'), 1, 'build');
like($empty->{type}, qr{^text/plain; version=0\.0\.4}, 'content type');

drive();

my $m = scrape();

is(counter($m, 'requests', platform => 'gd', class => '2xx'), 31, 'gd');
is(counter($m, 'requests', platform => 'bj', class => '2xx'), 5, 'bj');
is(counter($m, 'requests', platform => 'zj', class => '5xx'), 3,
    'in maintenance');
is(counter($m, 'requests', platform => 'down', class => '5xx'), 2,
    'nobody listens');
is(counter($m, 'requests_by_method', method => 'POST'), 5, 'POST');
is(counter($m, 'requests_by_method', method => '_other'), 1,
    'a method of the client is no label');
is(counter($m, 'platform_outcomes', platform => 'gd', outcome => 'served'),
    31, 'served');
is(counter($m, 'platform_outcomes', platform => 'down',
    outcome => 'failed'), 2, 'failed');
is(counter($m, 'platform_outcomes', platform => 'zj',
    outcome => 'announced'), 3, 'announced');
is(counter($m, 'decisions', decision => 'deny',
    reason => 'PLATFORM_MAINTENANCE'), 3, 'refused by reason');
is(counter($m, 'decisions', decision => 'deny', reason => 'RATE_LIMITED'), 3,
    'refused by a limit');
is(counter($m, 'ratelimit', zone => 'tight', result => 'rejected'), 3,
    'the zone that refused');
is(counter($m, 'ratelimit', zone => 'tight', result => 'passed'), 1,
    'the zone that let pass');
is(counter($m, 'guard_hits', class => 'recon'), 2, 'rules by class');
is(counter($m, 'token_checks', result => 'ok'), 2, 'good tokens');
is(counter($m, 'token_checks', result => 'bad_signature'), 1,
    'a bad signature');
cmp_ok(counter($m, 'token_checks', result => 'absent'), '>=', 1, 'no token');

is($m->{'govsvc_request_duration_seconds_count{platform="gd"}'}, 31,
    'histogram of requests');
is($m->{'govsvc_upstream_duration_seconds_count{platform="bj"}'}, 5,
    'histogram of upstreams');
is_deeply([bounds($m, 'govsvc_request_duration_seconds', 'gd')],
    [qw/0.005 0.01 0.025 0.05 0.075 0.1 0.25 0.5 0.75 1 2.5 5 7.5 10 +Inf/],
    'the fourteen bounds of OpenTelemetry');
is($m->{'govsvc_upstream_state{pool="gd-web",instance="a",state="up"}'}, 1,
    'an instance that is up');
is($m->{'govsvc_workers'}, 2, 'workers');
cmp_ok(counter($m, 'audit_records', class => 'read')
    + counter($m, 'audit_records', class => 'write'), '>=', 40,
    'audit records');
is(counter($m, 'audit_lost', class => 'read'), 0, 'none lost');
ok($t->wait_for(sub { scrape()->{'govsvc_audit_durable_bytes_total'} > 0 }),
    'safe on the disk');
ok($m->{'govsvc_leader{duty="metrics"}'}, 'somebody leads');

my $text = $m->{text};

unlike($text, qr/BREW|secret-path|10\.9\.8\.7/, 'nothing of the client');

# the same again after a reload and after each worker was killed

$t->reload();
drive_gd(7);
is(counter(scrape(), 'requests', platform => 'gd', class => '2xx'), 38,
    'goes on after a reload');

for my $pid ($t->workers()) {
    kill 'KILL', $pid;
}

$t->expect_log(qr/exited on signal 9/);
$t->wait_for(sub { eval { scrape() } && $t->workers() == 2 });
drive_gd(5);

my $after = scrape();

is(counter($after, 'requests', platform => 'gd', class => '2xx'), 43,
    'goes on after the death of both workers');

my @back = grep { /_(total|count|bucket)\b/ && defined $after->{$_}
    && $after->{$_} < $m->{$_} } keys %$m;

is("@back", '', 'no counter went back');


my $r = $t->http_request('POST', '/metrics', port => $t->port(1));

is($r->status, 405, 'only read');

SKIP: {
    my $found = grep { -x "$_/promtool" } split /:/, $ENV{PATH};

    # in CI nothing skips in silence

    BAIL_OUT('promtool is missing') if $ENV{CI} && !$found;
    skip 'no promtool (Debian: prometheus)', 2 unless $found;

    $t->write_file('metrics.txt', $after->{text});
    my $said = `promtool check metrics < @{[$t->dir()]}/metrics.txt 2>&1`;

    is($? >> 8, 0, 'promtool takes it');
    is($said, '', 'promtool has nothing to say');
}


sub drive {
    drive_gd(30);

    for (1 .. 5) {
        $t->http_request('POST', '/11/secret-path', body => 'a=1');
    }

    $t->http_get('/33/') for 1 .. 3;
    $t->http_get('/65/') for 1 .. 2;
    $t->http_get('/tight/') for 1 .. 4;
    $t->http_get('/.git/') for 1 .. 2;
    $t->http_request('BREW', '/44/pot');

    my $token = $p->token();

    $t->http_get('/login/', headers => {Authorization => "Bearer $token"}) for 1 .. 2;

    $token =~ s/.{8}$/AAAAAAAA/;
    $t->http_get('/login/', headers => {Authorization => "Bearer $token"});
    $t->http_get('/login/');
}


sub drive_gd {
    my ($n) = @_;

    $t->http_get('/44/') for 1 .. $n;
}


sub scrape {
    my $r = $t->http_get('/metrics', port => $t->port(1));
    my %m = (text => $r->body(), type => $r->header('Content-Type'));

    die 'no scrape' if $r->status != 200;

    for (split /\n/, $m{text}) {
        $m{$1} = $2 if /^(\w[^ ]*(?:\{.*\})?) (\S+)$/;
    }

    return \%m;
}


sub value { return $_[0]{$_[1]} }


sub nginx {
    my ($m) = @_;

    return $m->{text} =~ /^govsvc_build_info\{.*nginx="([^"]+)"/m ? $1 : '';
}


sub counter {
    my ($m, $name, @labels) = @_;
    my @list;

    while (my ($k, $v) = splice @labels, 0, 2) {
        push @list, qq{$k="$v"};
    }

    return $m->{"govsvc_${name}_total{" . join(',', @list) . '}'} // 0;
}


sub bounds {
    my ($m, $name, $platform) = @_;

    return $m->{text} =~ /^\Q$name\E_bucket\{platform="$platform",le="([^"]+)"/mg;
}
