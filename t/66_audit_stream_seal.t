#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# A stream in Redis is cut to its length only by what is sealed: while nothing
# is signed, nothing is removed, however much was read.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Redis;

my $t = Test::GovSvc->new(workers => 2)->has('cli', 'redis-server');
my $rs = Test::GovSvc::Redis->new($t);
my $redis = $rs->server();
my $base = $t->dir();

mkdir "$base/k";
$t->govsvc('audit', 'keygen', '--name', 'gov.example/n1', '--out', "$base/k");

# A chain that is forged is there from the beginning: nothing is signed.

my $forged = "$base/audit/n1.9.w9.9";
mkdir $_ for "$base/audit", $forged;
open my $fh, '>', "$forged/0000000000000000.seg" or die;
print $fh '{"v":1,"ty":"sec","ch":"n1.9.w9.9","seq":0,"h":"', 'A' x 43, "\"}\n";
close $fh;

$t->http_conf(<<"END")->run();
govsvc_node n1;
govsvc_redis one { server 127.0.0.1:$redis->{port}; reconnect 20ms max=100ms; }
govsvc_audit_store dir=audit flush=5ms;
govsvc_audit_seal  dir=seal key=k/seal.key interval=100ms;
govsvc_audit_redis one types=http maxlen=20 groups=siem;
govsvc_audit meta;

server {
    listen 127.0.0.1:%%PORT_0%%;
    location / { return 200 "ok"; }
    location /metrics { govsvc_metrics; govsvc_audit off; }
}
END

my $key = 'gs:audit:n1';

sub length_is {
    my ($n) = @_;
    return $t->wait_for(sub { $rs->cli($redis, 'XLEN', $key) == $n }, 60);
}

sub load {
    my ($n) = @_;
    $t->http_parallel([ map { $t->request('GET', "/$_") } 1 .. $n ],
        concurrency => 8);
}

load(100);
ok(length_is(100), 'in the stream');
ok($t->wait_for(sub { $t->http_get('/metrics')->body
    =~ /^govsvc_audit_seal_state\{state="refused"\} 1$/m }, 60),
    'nothing is signed');

$rs->cli($redis, 'XGROUP', 'CREATE', $key, 'siem', '0');
$rs->cli($redis, 'XREADGROUP', 'GROUP', 'siem', 'c', 'COUNT', 200, 'NOACK',
    'STREAMS', $key, '>');

# The worker looks for what can go once a second; a new entry shows that it
# goes round.

for my $n (1 .. 3) {
    load(1);
    ok(length_is(100 + $n), "what is read but not sealed stays, $n");
    $rs->cli($redis, 'XREADGROUP', 'GROUP', 'siem', 'c', 'COUNT', 9, 'NOACK',
        'STREAMS', $key, '>');
    select undef, undef, undef, 1.1;
}

is($rs->cli($redis, 'XLEN', $key), 103, 'all of it');

unlink "$forged/0000000000000000.seg";
rmdir $forged;

ok($t->wait_for(sub { $t->http_get('/metrics')->body
    =~ /^govsvc_audit_seal_state\{state="signing"\} 1$/m }, 60),
    'signed again');
ok(length_is(20), 'the length that was asked for');

$t->done();
