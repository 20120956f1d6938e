#!/usr/bin/perl

# Copyright (C) govsvc authors

# What 1,000 forged tokens a second from one client do to the others: the
# latency of another client with a good token, with and without them, in turn
# within the same run, on one worker; the ratios are of neighbours.  "none" is
# the same number of requests without a token.  Where there are two cores the
# worker has one and what sends the other, so that neither waits for the other.
# On a machine with other work: chrt -r 10 perl bench/forged.pl ...
# perl bench/forged.pl [rounds [seconds [forged a second]]]

use strict;
use warnings;

use FindBin;
use IO::Select;
use JSON::PP;
use lib "$FindBin::Bin/../t/lib";
use MIME::Base64 qw/encode_base64url/;
use POSIX ();
use Test::More;
use Test::GovSvc;
use Time::HiRes qw/sleep time/;


my ($rounds, $seconds, $rate) = (shift // 7, shift // 2, shift // 1000);
my $t = Test::GovSvc->new(log => 'crit')->has('mint', 'openssl');

$t->mint_keys('keys');

# a key of P-384 beside them

my $text = `openssl ecparam -name secp384r1 -genkey -noout 2>/dev/null |
    openssl ec -text -noout -pubout 2>/dev/null`;
my ($hex) = $text =~ /pub:\s*04:([0-9a-f:\s]+)/ or die 'no key of P-384';
my $point = pack 'H*', $hex =~ s/[^0-9a-f]//gr;
my $set = decode_json($t->read_file('keys/jwks.json'));

push @{ $set->{keys} }, { kty => 'EC', crv => 'P-384', kid => 'es384',
    x => encode_base64url(substr $point, 0, 48),
    y => encode_base64url(substr $point, 48, 48) };
$t->write_file('keys/jwks.json', encode_json($set));

$t->http_conf(<<"EOF2")->run();
    govsvc_issuer national {
        iss        https://sso.gov.example;
        audience   off;
        jwks_file  keys/jwks.json;
    }

    set_real_ip_from    127.0.0.1;
    real_ip_header      X-Real-IP;
    access_log          off;
    keepalive_requests  10000000;

    server {
        listen  127.0.0.1:%%PORT_0%%;
        location / {
            govsvc_token  required;
            empty_gif;
        }
    }
EOF2

if (-x '/usr/bin/taskset' && `nproc` > 1) {
    system "taskset -cp 0 $_ >/dev/null" for $t->workers();
    system "taskset -cp 1 $$ >/dev/null";
}

my %claims = (iss => 'https://sso.gov.example', sub => 'u1',
    exp => time() + 3600 | 0, iat => time() | 0);
my $good = $t->token('ES256', \%claims);
my %width = (RS256 => 256, ES384 => 96);
my $n = 0;

sub forged {
    my ($alg) = @_;

    return '' if $alg eq 'none';

    my $sig = join '', map { pack 'N', rand 2**32 } 1 .. $width{$alg} / 4;

    return 'Authorization: Bearer ' . encode_base64url(encode_json({
        alg => $alg, kid => lc $alg })) . '.' . encode_base64url(encode_json({
        %claims, jti => 'f' . $n++ })) . '.' . encode_base64url($sig) . "\r\n";
}

sub request {
    my ($from, $header) = @_;

    return "GET / HTTP/1.1\r\nHost: a\r\nX-Real-IP: $from\r\n$header\r\n";
}

# In a process of its own: paced, answers read as they come.

sub attack {
    my ($alg) = @_;

    my @text = map { request('192.0.2.66', forged($alg)) }
        1 .. $rate * ($seconds + 1);

    pipe my $from, my $to or die $!;
    my $pid = fork // die $!;
    return ($pid, $from) if $pid;

    my $s = $t->connect();
    my $rd = IO::Select->new($s);
    my $start = time();
    my $sent = 0;
    my ($all, $seen) = ('', 0);

    $SIG{TERM} = sub {
        my %status;
        $status{$_}++ for $all =~ /HTTP\/1\.1 (\d+)/g;
        syswrite $to, join ' ', map { "$_:$status{$_}" } sort keys %status;
        POSIX::_exit(0);
    };

    while (@text) {
        my $due = int((time() - $start) * $rate);

        while ($sent < $due && @text) {
            syswrite $s, shift @text;
            $sent++;
        }

        while ($rd->can_read(0.0005)) {
            last unless sysread $s, $all, 262144, length $all;
        }
    }

    sleep 60;
    POSIX::_exit(0);
}

sub measure {
    my $s = $t->connect();
    my $text = request('192.0.2.1', "Authorization: Bearer $good\r\n");
    my $end = time() + $seconds;
    my @took;

    while ((my $start = time()) < $end) {
        syswrite $s, $text;
        sysread $s, my $answer, 65536;
        push @took, time() - $start;
        die "refused: $answer" unless $answer =~ /^HTTP\/1.1 200/;
        sleep 0.0003;
    }

    @took = sort { $a <=> $b } @took;

    return map { $took[$_ * @took] * 1e6 } 0.5, 0.99;
}

my (%p50, %p99, %answers);

measure();

for my $round (1 .. $rounds) {
    for my $alg (qw/none RS256 ES384/) {
        my ($m, $p) = measure();
        my ($pid, $from) = attack($alg);

        sleep 0.3;
        my ($m2, $p2) = measure();

        kill 'TERM', $pid;
        sysread $from, $answers{$alg}, 4096;
        waitpid $pid, 0;

        push @{ $p50{$alg} }, $m2 / $m;
        push @{ $p99{$alg} }, $p2 / $p;
        printf "%-6s p50 %4.0f us, with them %4.0f; p99 %5.0f us, with them"
            . " %5.0f\n", $alg, $m, $m2, $p, $p2;
    }
}

sub median { return (sort { $a <=> $b } @_)[@_ / 2] }

printf "%-6s p50 ratio %.2f, p99 ratio %.2f (%.2f-%.2f)  answers %s\n", $_,
    median(@{ $p50{$_} }), median(@{ $p99{$_} }),
    (sort { $a <=> $b } @{ $p99{$_} })[0, -1], $answers{$_}
    for qw/none RS256 ES384/;

$t->finish();
done_testing();
