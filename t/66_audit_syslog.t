#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit records for receivers of syslog (RFC 5424): framed, in order, without
# gaps, through kill -9 of the receiver and of workers, a reload, a receiver
# that does not read, one whose certificate is for somebody else.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Syslog;

my $t = Test::GovSvc->new(workers => 2)->has('openssl');
my $dir = $t->dir();
my ($tcp, $tls, $wrong, $udp) = map { $t->take_port() } 1 .. 4;
my $logs = Test::GovSvc::Syslog->new($t);

$t->ca('ca');
$t->certificate('good', 'ca', 'logs.test');
$t->certificate('bad', 'ca', 'other.test');
$t->expect_log(qr/\[(error|crit)\]/);

my %start = (
    tcp => sub { $logs->tcp('tcp', $tcp) },
    tls => sub { $logs->tls('tls', $tls, 'good') },
    wrong => sub { $logs->tls('wrong', $wrong, 'bad') },
    udp => sub { $logs->udp('udp', $udp) },
    stream => sub { $logs->unix('stream') },
    dgram => sub { $logs->unix_dgram('dgram') },
);

$_->() for values %start;

$t->write_file('long', 'x' x 3000);

$t->http_conf(<<"END")->run();
govsvc_node n1;
govsvc_audit_store dir=audit alg=sha256 flush=5ms segment=64k;
govsvc_audit_syslog tcp://127.0.0.1:$tcp batch=7 resend=30s;
govsvc_audit_syslog tls://127.0.0.1:$tls ca=ca.crt name=logs.test resend=2s
    facility=local6 app=gw sd_id=gov\@1.2 types=http;
govsvc_audit_syslog tls://127.0.0.1:$wrong ca=ca.crt name=logs.test;
govsvc_audit_syslog udp://127.0.0.1:$udp types=http max=600;
govsvc_audit_syslog unix:$dir/stream.sock;
govsvc_audit_syslog unix-dgram:$dir/dgram.sock;
govsvc_audit headers;

server {
    listen 127.0.0.1:%%PORT_0%%;
    location / { return 200 "ok"; }
    location /no { return 403; }
    location /metrics { govsvc_metrics; govsvc_audit off; }
}
END

my $value = qr/(?:[^"\\\]]|\\["\\\]])*/;
my $form = qr/^<(\d+)>1\x20
    (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+08:00)\x20n1\x20(\S+)\x20-\x20
    (\S+)\x20\[(\S+)\x20([a-z]+="$value"(?:\x20[a-z]+="$value")*)\]
    (?:\x20\xef\xbb\xbf(\{[^\n\0]*\}))?$/x;

sub lines {
    my ($type) = @_;

    return grep { !$type || /"ty":"$type"/ }
        map { split /\n/, $t->read_file($_) } $t->audit_files();
}

# Each line of the store came, the numbers have no gap, and only go back to
# where a connection was cut.

sub same {
    my ($name, $what, %opt) = @_;

    my ($bad, @m, %seen, @lines);

    my $ok = $t->wait_for(sub {
        ($bad, @m) = $logs->frames($name);
        %seen = map { ($_ =~ $form)[6] // '', 1 } @m;
        @lines = lines($opt{type});
        return @lines && @lines == keys %seen
            && grep { $_ =~ ($opt{has} // qr/./) } @lines;
    }, 60);

    is_deeply([ sort keys %seen ], [ sort @lines ], "$what: all records")
        or diag scalar(@m), ' messages, ', scalar(@lines), ' lines';

    my @n = map { (($_ =~ $form)[5] // '') =~ /\bn="(\d+)"/ ? $1 : -1 } @m;
    my ($high, $gaps) = (0, 0);

    for (@n) {
        $gaps++ if $_ > $high + 1 || $_ < 1;
        $high = $_ if $_ > $high;
    }

    is($bad, 0, "$what: nothing but frames");
    is($gaps, 0, "$what: no gap, in order");
    is(scalar(grep { $_ !~ $form } @m), 0, "$what: the form of RFC 5424");

    return @m;
}

sub load {
    my ($n, $path) = @_;

    $t->http_parallel([ map { $t->request('GET', "$path/$_") } 1 .. $n ],
        concurrency => 8);
}

load(60, '/first');
$t->http_get('/no');

my @m = same('tcp', 'TCP', has => qr/"path":"\/no"/);
my ($refused) = grep { /"path":"\/no"/ } @m;
is(($refused =~ $form)[0], 13 * 8 + 5, 'a refusal is a notice');
my ($plain) = grep { /"path":"\/first/ } @m;
is(($plain =~ $form)[0], 13 * 8 + 6, 'a request is told for information');
is(($plain =~ $form)[4], 'govsvc@32473', 'the name of the data');
is(($plain =~ $form)[3], 'http', 'MSGID is the type');
like(($plain =~ $form)[5], qr/^n="\d+" id="n1\.\d+\.\d+" ch="n1\S+" seq="\d+"$/,
    'the data');
is(($plain =~ $form)[1], ($plain =~ /"t":"([^"]+)"/)[0],
    'the time is that of the record');

@m = same('tls', 'TLS', type => 'http');
is_deeply([ ($m[0] =~ $form)[0, 2, 4] ], [ 22 * 8 + 6, 'gw', 'gov@1.2' ],
    'facility, app and sd_id');

same('stream', 'a Unix socket');
same('dgram', 'datagrams on a Unix socket');

ok($t->wait_for(sub { $logs->frames('udp') >= 61 }, 30), 'UDP');
@m = $logs->frames('udp');
shift @m;
ok((grep { length > 600 } @m) == 0, 'no datagram is too long');

# who is somebody else gets nothing

ok($t->wait_for(sub {
    $t->error_log() =~ /no connection to "tls:\S+:$wrong": the certificate/
}), 'a certificate for another name');
is(($logs->frames('wrong'))[1], undef, 'not a message for it');

# hostile bytes

$t->http("GET /%00%0a%0d%5d%22%5c%ff?a%0ab=c HTTP/1.1\r\nHost: a\r\n"
    . "User-Agent: a]\\\"\t\xff\xfe <1>1 - - - - - -\r\nConnection: close\r\n"
    . "\r\n");
$t->http_get('/]"\\');
$t->http_get('/long', headers => { 'User-Agent' => ']' x 3000 });
same('tcp', 'hostile bytes');
same('tls', 'hostile bytes over TLS', type => 'http');

# the receivers are killed in mid-stream, twice

for my $name (qw/tcp tls stream/) {
    my $load = $t->load_start(uri => "/kill-$name", pause => 0.005);
    my $n = lines();

    for (1 .. 2) {
        $t->wait_for(sub { lines() > $n + 100 });
        $logs->kill9($name);
        $n = lines();
        $t->wait_for(sub { lines() > $n + 50 });
        $start{$name}->();
        $n = lines();
    }

    $t->load_stop($load);
    same($name, "kill -9 of the receiver, $name",
        type => $name eq 'tls' ? 'http' : '');
}

# one that does not read holds nobody up, and has all of it at the end

$logs->signal(STOP => qw/tcp tls stream dgram/);
my @r = load(400, '/stopped/' . 'y' x 800);
is(scalar(grep { $_->status == 200 } @r), 400, 'requests go on');
$logs->signal(CONT => qw/tcp tls stream dgram/);
same('tcp', 'a receiver that stood still');
same('tls', 'the same with TLS', type => 'http');
same('stream', 'the same with a Unix socket');
same('dgram', 'the same with datagrams');

# workers die, the configuration is read again

my $load = $t->load_start(uri => '/worker', pause => 0.005);
$t->kill_worker();
$t->kill_worker();
ok($t->reload(), 'a reload');
$t->load_stop($load);
same('tcp', 'kill -9 of both workers, and a reload');

# a restart goes on where it was

$t->stop();
my $before = () = $logs->frames('tcp');
$t->run();
load(20, '/restart');
@m = same('tcp', 'a restart');
cmp_ok(scalar(@m) - $before, '<', 200, 'and not from the beginning');

my $metrics = '';
ok($t->wait_for(sub {
    $metrics = $t->http_get('/metrics')->body;
    return $metrics =~ /delivery_lag_seconds\{[^}]*tcp:[^}]*\} 0\.\d/
           && $metrics =~ /delivery_up\{[^}]*:$wrong[^}]*\} 0$/m;
}, 30), 'how far behind each is') or diag $metrics =~ /(.*delivery.*)/g;
like($metrics, qr/delivered_records_total\{[^}]*tcp:[^}]*\} [1-9]/,
    'how many were delivered');

$t->done();
