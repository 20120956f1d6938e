#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit: the store and its seal are verified again and again while requests
# are written, segments turn, workers end, are reloaded and killed, and the
# clock is put an hour back and forth.  Never a false alarm.  GOVSVC_LONG=1:
# for ten minutes.

use strict;
use warnings;

use JSON::PP;
use POSIX qw/WNOHANG/;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Fault;

my $t = Test::GovSvc->new(workers => 2)->has('cli', 'stock');
my $base = $t->dir();
my ($dir, $seal) = ("$base/audit", "$base/seal");
my $rounds = $ENV{GOVSVC_LONG} ? 1200 : 16;
my $govsvc = "$FindBin::Bin/../build/govsvc";

my $fault = Test::GovSvc::Fault->new($t);
$t->expect_log(qr/exited on signal 9/);

$t->nginx_backend('up', <<'EOF');
server {
    listen 127.0.0.1:%%PORT_1%%;
    keepalive_requests 1000000;
    location / { return 200 "done"; }
}
EOF

$t->http_conf(<<'EOF')->run();
govsvc_node         n1;
govsvc_audit_store  dir=audit flush=1ms segment=256k;
govsvc_audit        meta;

server {
    listen 127.0.0.1:%%PORT_0%%;
    keepalive_requests 1000000;

    location / { return 200 "ok"; }

    location /write/ {
        govsvc_audit meta intent=durable;
        proxy_pass http://127.0.0.1:%%PORT_1%%;
    }
}
EOF

mkdir "$base/k";
$t->govsvc('audit', 'keygen', '--name', 'gov.example/n1', '--out', "$base/k");

my $sealer = fork() // die;

END { kill 'TERM', $sealer if $sealer }

if ($sealer == 0) {
    open STDOUT, '>', '/dev/null';
    open STDERR, '>', "$base/sealer.log";
    exec $govsvc, 'audit', 'sealer', $dir, '--key', "$base/k/seal.key",
        '--seal', $seal;
    exit 1;
}

my @load = map { $t->load_start(uri => $_, seconds => 3600, pause => 0.005) }
    '/write/1', '/write/2', '/read';

my @happens = (
    sub { $fault->clock(-3600) },
    sub { kill 'USR1', $t->{main} },
    sub { $fault->clock(3600) },
    sub { kill 'HUP', $t->{main} },
    sub { $fault->clock(0) },
    sub {
        my ($pid) = $t->workers() or return;
        kill 'KILL', $pid;
    },
    sub {
        my ($pid) = reverse $t->workers() or return;
        kill 'TERM', $pid;
    },
    sub { },
);

$t->wait_for(sub { -s "$seal/checkpoint" && $t->audit_files() });

my (@alarms, %codes);

for my $round (1 .. $rounds) {
    $happens[$round % @happens]->();

    for my $how ([], ['--seal', $seal, '--key', "$base/k/seal.pub"]) {
        my ($code, $out, $err) = $t->govsvc('audit', 'verify', '--json', $dir,
            @$how);
        my @faults = grep { $_->{fault} }
            map { decode_json($_) } split /\n/, $out;
        $codes{$code}++;

        # What is being written just now, or was by one that was killed, is
        # torn until somebody goes on with it.

        push @alarms, "round $round: $code @$how $err "
            . join ' ', map { "$_->{fault}{kind} in $_->{chain}" } @faults
            if ($code != 0 && $code != 4)
            || grep { $_->{fault}{kind} ne 'torn' } @faults;
    }

    select undef, undef, undef, $ENV{GOVSVC_LONG} ? 0.4 : 0.05;
}

is(join("\n", @alarms), '', 'no false alarm');
cmp_ok($codes{0} // 0, '>', 0, 'whole most of the time');
note(join ', ', map { "$_: $codes{$_}" } sort keys %codes);

$fault->clock(0);
$t->load_stop($_) for @load;
$t->stop();

is(waitpid($sealer, WNOHANG), 0, 'the sealer was at work all the time')
    or diag($t->read_file('sealer.log'));
kill 'TERM', $sealer;
waitpid $sealer, 0;
undef $sealer;

is(($t->govsvc('audit', 'sealer', $dir, '--key', "$base/k/seal.key", '--seal',
    $seal, '--once'))[0], 0, 'all is sealed');
my ($code, $out) = $t->govsvc('audit', 'verify', $dir, '--seal', $seal,
    '--key', "$base/k/seal.pub", '--require', 'sealed');
is($code, 0, 'and verifies') or diag($out);

my $records = () = join('', map { $t->read_file($_) } $t->audit_files())
    =~ /"ty":"http"/g;
cmp_ok($records, '>', 5 * $rounds, 'under load');
note("$records records");

my %hours = map { substr($_, 0, 13) => 1 } map { $_->{t} }
    map { eval { decode_json($_) } || () }
    map { split /\n/, $t->read_file($_) } $t->audit_files();
cmp_ok(scalar(keys %hours), '>=', 3, 'over hours, by the clock');

$t->done();
