#!/usr/bin/perl

# Copyright (C) govsvc authors

# Zones: keys that are networks, a full zone, reload, a killed worker.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new(workers => 2)->plan(37);

$t->write_file('index.html', 'home');

my $conf = <<'EOF';
    govsvc_limit_zone  $govsvc_client_net zone=net:64k rate=1r/d;
    govsvc_limit_zone  $remote_addr zone=wide:64k rate=1r/d ipv6_prefix=48;
    govsvc_limit_zone  $arg_k zone=kept:64k rate=1r/d burst=3;
    govsvc_limit_zone  $arg_k zone=small:32k rate=1r/d;
    govsvc_limit_zone  $arg_k zone=shared:32k rate=1r/d full=aggregate;

    root               %%DIR%%;
    set_real_ip_from   127.0.0.1;
    real_ip_header     X-Real-IP;

    server {
        listen  127.0.0.1:%%PORT_0%%;

        location = /net {
            alias         %%DIR%%/index.html;
            govsvc_limit  zone=net;
        }

        location = /wide {
            alias         %%DIR%%/index.html;
            govsvc_limit  zone=wide;
        }

        location = /kept {
            alias         %%DIR%%/index.html;
            govsvc_limit  zone=kept;
        }

        location = /small {
            alias         %%DIR%%/index.html;
            govsvc_limit  zone=small;
        }

        location = /shared {
            alias         %%DIR%%/index.html;
            govsvc_limit  zone=shared;
        }
    }
EOF

$t->http_conf($conf)->run();

sub from {
    my ($uri, $address) = @_;
    return $t->http_get($uri, headers => [ 'X-Real-IP' => $address ])->status;
}

# networks

is(from('/net', '192.0.2.1'), 200, 'IPv4');
is(from('/net', '192.0.2.1'), 429, 'IPv4 again');
is(from('/net', '192.0.2.2'), 200, 'its neighbour');
is(from('/net', '::ffff:192.0.2.2'), 429, 'its neighbour, mapped');
is(from('/net', '2001:db8::1'), 200, 'IPv6');
is(from('/net', '2001:db8::ffff:1'), 429, 'another of the same /64');
is(from('/net', '2001:db8:0:1::1'), 200, 'another /64');
is(from('/wide', '2001:db8::1'), 200, 'prefix 48');
is(from('/wide', '2001:db8:0:1::1'), 429, 'another of the same /48');
is(from('/wide', '2001:db8:1::1'), 200, 'another /48');

# a reload keeps counters, a new rate holds at once

is($t->http_get('/kept?k=a')->status, 200, 'first of three');
ok($t->reload(), 'reload');
like($t->http_get('/kept?k=a')->header('RateLimit'),
    qr/^"kept";r=1;t=17(?:2800|27\d\d)$/, 'counters are kept');

ok($t->kill_worker('KILL'), 'a worker killed');
is($t->http_get('/kept?k=a')->status, 200, 'third of three');
is($t->http_get('/kept?k=a')->status, 429, 'the limit held');

$t->http_conf($conf =~ s/(zone=kept:64k) rate=1r\/d/$1 rate=1r\/m/r);
ok($t->reload(), 'a faster rate');
my $r = $t->http_get('/kept?k=a');
is($r->status, 429, 'still limited');
cmp_ok($r->header('Retry-After'), '<=', 60, 'for as long as the new rate says');

# another size starts empty, and says so

unlike($t->error_log, qr/start empty/, 'no size changed so far');
$t->http_conf($conf =~ s/zone=kept:64k/zone=kept:128k/r);
ok($t->reload(), 'another size');
like($t->error_log,
     qr/\[warn\].*zone "kept" changed from 65536 to 131072 bytes/,
     'a warning');
is($t->http_get('/kept?k=a')->header('RateLimit'),
   '"kept";r=2;t=86400', 'counters are empty');
is(from('/net', '192.0.2.1'), 429, 'those of other zones are not');

# a full zone: limited keys are never given up

my $full = 0;
my $status;

is($t->http_get('/small?k=victim')->status, 200, 'victim');
is($t->http_get('/small?k=victim')->status, 429, 'victim is limited');

for (1 .. 20) {
    my @raw = map { $t->request('GET', "/small?k=$_-" . rand()) } 1 .. 400;
    my @got = map { $_->status } $t->http_parallel(\@raw);
    $full += grep { $_ == 503 } @got;
    $status = join(' ', sort grep { $_ != 200 && $_ != 503 } @got);
    last if $status || $full > 400;
}

is($status, '', 'new keys pass or find no room');
cmp_ok($full, '>', 400, 'many found no room');
is($t->http_get('/small?k=victim')->status, 429, 'victim is limited still');
like($t->error_log, qr/govsvc limit: refused, no room in zone: "small"/,
     'logged');

my @answers = map { $t->http_get("/small?k=none-$_") } 1 .. 60;
my ($refused) = grep { $_->status == 503 } @answers;
ok(defined $refused, 'one without room');
like($refused->body, qr/LIMIT_UNAVAILABLE/, 'its reason');
is($refused->header('Retry-After'), '86400', 'its Retry-After');

# the same with a rate that all others share

my $passed = 0;

for (1 .. 20) {
    my @raw = map { $t->request('GET', "/shared?k=$_-" . rand()) } 1 .. 400;
    my @got = map { $_->status } $t->http_parallel(\@raw);
    $passed += grep { $_ == 200 } @got;
    $status = join(' ', sort grep { $_ != 200 && $_ != 429 } @got);
    last if $status || 400 == grep { $_ == 429 } @got;
}

is($status, '', 'aggregate: pass or limited');
cmp_ok($passed, '<=', 2000, 'no more than slots, and one');

my %seen = map { $t->http_get("/shared?k=late-$_")->status => 1 } 1 .. 30;
ok($seen{429}, 'late keys share one rate');
ok(!$seen{503}, 'and are told to wait');
