#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit: the intent is on disk before the platform is asked, every intent has
# an end, and what cannot be recorded does not happen.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new(workers => 1)->has('cli', 'stock', 'strace');
my $dir = $t->dir() . '/audit';

# What the platform sees when it is asked: is the intent in the file?

my $port = $t->backend('one', sub {
    my (%r) = ref $_[0] ? %{$_[0]} : @_;
    my ($path) = $r{uri} =~ m{^([^?]+)};
    my $seen = 0;

    for my $file (glob "$dir/*/*.seg") {
        open my $fh, '<', $file or next;
        $seen += grep { /"st":"intent"/ && /"path":"\Q$path\E"/ } <$fh>;
    }

    sleep 20 if $path =~ /slow/;
    return (200, [], "seen $seen");
});

$t->http_conf(<<"EOF")->run();
govsvc_node           n1;
govsvc_audit_store    dir=audit flush=1000ms;
govsvc_audit_wait     3s;
govsvc_audit          meta;

server {
    listen 127.0.0.1:%%PORT_0%%;

    location / {
        proxy_pass http://127.0.0.1:$port;
    }

    location /write/ {
        govsvc_audit meta intent=durable receipt=on;
        proxy_pass http://127.0.0.1:$port;
    }

    location /page/ {
        govsvc_audit meta intent=durable;
        error_page 502 = \@again;
        proxy_pass http://127.0.0.1:1;
    }

    location \@again {
        govsvc_audit meta intent=durable;
        proxy_pass http://127.0.0.1:$port;
    }
}
EOF

sub lines {
    return grep { $_->{ty} eq 'http' } $t->audit_lines();
}

sub line {
    my ($st, $path) = @_;

    my ($found) = grep { $_->{st} eq $st && ($_->{http}{path} // '') eq $path }
        lines();
    return $found;
}

my $r = $t->http_request('POST', '/write/1', body => 'a=1');
is($r->status, 200, 'answered');
is($r->body, 'seen 1', 'the intent was there before the platform was asked');

my $intent = line('intent', '/write/1');
ok($intent, 'it stays');
ok(!exists $intent->{http}{status}, 'and knows of no outcome');
is($r->header('X-Govsvc-Receipt'), "$intent->{id}.$intent->{h}",
    'the receipt names it and its hash');

ok($t->wait_for(sub { line('done', '/write/1') }), 'done');
is(line('done', '/write/1')->{intent}, $intent->{id}, 'and names the intent');

$r = $t->http_get('/read/1');
is($r->body, 'seen 0', 'no intent where none is asked for');
ok(!$r->header('X-Govsvc-Receipt'), 'no receipt either');

$r = $t->http_get('/page/1');
is($r->status, 200, 'the request went on elsewhere');
$t->wait_for(sub { line('done', '/page/1') });
is(scalar(grep { $_->{st} eq 'intent' && $_->{http}{path} eq '/page/1' }
    lines()), 1, 'one intent, however often it is tried');

# Many at once: one sync for all of them.

my @raw = map { $t->request('GET', "/write/many/$_") } 1 .. 200;
my @r = $t->http_parallel(\@raw, concurrency => 16);
is(scalar(grep { $_->status == 200 && $_->body eq 'seen 1' } @r), 200,
    'all intents came first');

# A client that does not wait for its intent, nor for its answer.

my $s = $t->connect();
print $s $t->request('GET', '/write/gone/slow');
$t->wait_for(sub { line('intent', '/write/gone/slow') });
close $s;
ok($t->wait_for(sub { line('done', '/write/gone/slow') }), 'a client is gone');
is(line('done', '/write/gone/slow')->{http}{status}, 499, 'which is told');

# The process is killed in the middle of a request, then asked to end.

$s = $t->connect();
print $s $t->request('GET', '/write/kill/slow');
$t->wait_for(sub { line('intent', '/write/kill/slow') });
my $s2 = $t->connect();
print $s2 $t->request('GET', '/read/kill/slow');
$t->wait_for(sub {
    grep { $_->{uri} eq '/read/kill/slow' } $t->backend_requests('one');
});
ok($t->kill_worker('KILL'), 'killed');

my $id = line('intent', '/write/kill/slow');
my $end;
ok($t->wait_for(sub {
    ($end) = grep { $_->{st} eq 'aborted' && ($_->{intent} // '') eq $id->{id} }
        lines();
    return $end;
}, 60), 'another tells that the request was aborted');
is($end->{req}, $id->{req}, 'which it was');
is($end->{why}, 'crash', 'and why');
ok($t->wait_for(sub { 2 == grep { $_->{st} eq 'aborted' } lines() }),
    'so it does of the one without an intent');

$s = $t->connect();
print $s $t->request('GET', '/write/term/slow');
$t->wait_for(sub { line('intent', '/write/term/slow') });
my ($worker) = $t->workers();
kill 'TERM', $worker;
ok($t->wait_for(sub { line('aborted', '/write/term/slow') }), 'terminated');
is(line('aborted', '/write/term/slow')->{intent},
    line('intent', '/write/term/slow')->{id}, 'its intent');
$t->wait_for(sub { my ($w) = $t->workers(); $w && $w != $worker });

# The disk fails.  Tracing stops the thread's syncs only.

($worker) = $t->workers();
my $pid = fork() // die;

if ($pid == 0) {
    exec 'strace', '-f', '-qq', '-o', $t->dir() . '/trace', '-p', $worker,
        '-e', 'trace=fdatasync', '-e', 'inject=fdatasync:error=EIO';
    exit 1;
}

SKIP: {

skip 'processes cannot be traced here', 7 unless $t->wait_for(sub {
    return ($t->read_file("/proc/$worker/status") // '')
        =~ /^TracerPid:\s*[1-9]/m;
}, 5);

$r = $t->http_get('/write/fail/1', headers => { Accept => 'application/json' });
is($r->status, 503, 'not recorded, so not done');
is($r->json->{code}, 'AUDIT_UNAVAILABLE', 'with the reason');
cmp_ok($r->header('Retry-After'), '>', 0, 'and when to come again');
is(scalar(grep { $_->{uri} eq '/write/fail/1' } $t->backend_requests('one')),
    0, 'the platform was not asked');

is($t->http_get('/write/fail/2')->status, 503, 'nor the next');
is($t->http_get('/read/fail')->status, 200, 'reading goes on');

kill 'INT', $pid;
waitpid $pid, 0;

ok($t->wait_for(sub { $t->http_get('/write/again')->status == 200 }, 30),
    'and writing, once the disk is well');

}

$t->stop();

# requests = done + aborted, intents all have one of them

my (%intent, %ended);

for my $line (lines()) {
    $intent{$line->{id}} = 1 if $line->{st} eq 'intent';
    $ended{$line->{intent}}++ if $line->{intent};
}

is_deeply([ sort grep { !$ended{$_} } keys %intent ], [],
    'every intent has an end');
is_deeply([ grep { !$intent{$_} } keys %ended ], [], 'of its own');

my ($code) = $t->govsvc('audit', 'verify', $dir);
is($code, 0, 'the store is whole');

$t->done();
