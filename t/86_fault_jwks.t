#!/usr/bin/perl

# Copyright (C) govsvc authors

# Memory that is refused while keys are fetched and identities are signed: the
# worker lives, the keys from before stay, nothing that is bad passes.

use strict;
use warnings;

use JSON::PP;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new()->has('stock', 'gcc', 'mint');
my $dir = $t->dir();

$t->expect_log(qr/(malloc|posix_memalign|SSL_\w+)\(|ignoring stale/);

my ($code, undef, $err) = $t->command('gcc', '-shared', '-fPIC', '-O1',
    '-o', "$dir/fail.so", "$FindBin::Bin/lib/Test/GovSvc/fail.c", '-ldl');
die $err if $code;

$t->write_file('fail', "\0" x 4096);
$t->mint_keys('keys');
$t->ca('ca');
$t->certificate('sso', 'ca', 'sso.example');
$t->backend('up');

chmod 0600, "$dir/keys/es256.pem";

my $up = $t->backend_port('up');

$t->nginx_backend('tls', <<"EOF");
    server {
        listen               127.0.0.1:%%PORT_8%% ssl;
        ssl_certificate      %%DIR%%/sso.crt;
        ssl_certificate_key  %%DIR%%/sso.key;
        location = /jwks {
            root       %%DIR%%/keys;
            try_files  /jwks.json =404;
        }
    }
EOF

$t->http_conf(<<"EOF");
    govsvc_issuer national {
        iss       https://sso.gov.example;
        audience  off;
        jwks_uri  https://127.0.0.1:%%PORT_8%%/jwks name=sso.example ca=ca.crt
                  interval=1h min_refetch=100ms state=state/jwks.json;
    }

    server {
        listen      127.0.0.1:%%PORT_0%%;
        location / {
            govsvc_token          required;
            govsvc_identity_set   X-Gov-User \$govsvc_subject;
            govsvc_identity_sign  jws header=X-Gov-Assertion aud=gd
                                  key=keys/es256.pem;
            proxy_pass            http://127.0.0.1:$up;
        }
    }
EOF

{
    local $ENV{LD_PRELOAD} = "$dir/fail.so";
    local $ENV{GOVSVC_FAIL} = "$dir/fail";
    $t->run();
}

sub arm {
    my ($n) = @_;

    open my $fh, '+<:raw', "$dir/fail" or die;
    syswrite $fh, pack('i', $n);
    close $fh;
}

sub token {
    my ($sub, %options) = @_;

    return $t->token('ES256', { iss => 'https://sso.gov.example',
        sub => $sub }, ttl => 600, %options);
}

sub answer {
    my ($token) = @_;

    return $t->http_get('/', headers => { Authorization => "Bearer $token" },
        timeout => 10);
}

my $good = token('u1');
my $unknown = token('u1', kid => 'unknown');
my ($pid) = $t->workers();

ok($t->wait_for(sub { answer($good)->status == 200 }), 'in service');

my ($wrong, $kept) = ('', '');

for my $n (1 .. 40, map { 40 + $_ * 37 } 1 .. 20) {
    arm($n);
    my $status = answer($unknown)->status;
    arm(0);

    $wrong .= " $n:$status" unless $status =~ /^(0|401|500|503)$/;
    $status = answer($good)->status;
    $kept .= " $n:$status" unless $status == 200;

    select undef, undef, undef, .1;
}

is($wrong, '', 'an unknown key never passes');
is($kept, '', 'the keys stay whatever fails');

$wrong = '';

for my $n (1 .. 60) {
    my $token = token("s$n");

    arm($n);
    my $r = answer($token);
    arm(0);

    $wrong .= " $n:" . $r->status unless $r->status =~ /^(0|200|500|502|503)$/;

    next if $r->status != 200;

    my $h = $r->json->{headers};
    $wrong .= " $n:half" unless ($h->{'x-gov-user'} // '') eq "s$n"
        && $h->{'x-gov-assertion'} && !$h->{authorization};
}

is($wrong, '', 'no request without its identity, none with its token');
is(answer($good)->status, 200, 'and then as ever');
is(($t->workers())[0], $pid, 'the same worker');

$t->done();
