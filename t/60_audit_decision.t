#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit: what the stages decided, and who was calling, as the lines tell it.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new()->has('cli', 'mint')->plan(20);

my $port = $t->backend('one');

$t->mint_keys('keys');
$t->write_file('pid.key', "0123456789abcdef0123456789abcdef\n");
chmod 0600, $t->dir() . '/pid.key';

$t->write_file('a.rules', <<'EOF');
rule 1000 trap { match path lit "/.git/"; tag recon; block; }
EOF

$t->http_conf(<<"EOF")->run();
govsvc_rules           a.rules;
govsvc_limit_zone      \$arg_k zone=one:1m rate=1r/d;
govsvc_audit_store     dir=audit alg=sha256 flush=0ms;
govsvc_audit_pseudonym key=pid.key kid=6;
govsvc_audit_pseudonym key=pid.key kid=7 from=2020-01-01T00:00:00+08:00;
govsvc_audit_pseudonym key=pid.key kid=8 from=2199-01-01T00:00:00+08:00;
govsvc_audit           meta;

govsvc_issuer national {
    iss       https://sso.gov.example;
    audience  portal;
    algs      ES256;
    jwks_file keys/jwks.json;
}

server {
    listen       127.0.0.1:%%PORT_0%%;
    govsvc_guard on;

    location / {
        govsvc_limit zone=one;
        govsvc_token optional issuer=national;
        add_header   X-Pid \$govsvc_subject_pid;
        proxy_pass   http://127.0.0.1:$port;
    }

    location /mine/ {
        govsvc_token required issuer=national;
        proxy_pass   http://127.0.0.1:$port;
    }
}
EOF

# The records of requests, from 1; a rule that hits makes one of its own.

sub line {
    my ($n) = @_;
    my @lines;

    $t->wait_for(sub {
        @lines = grep { $_->{ty} eq 'http' } $t->audit_lines();
        return @lines >= $n;
    });

    return $lines[$n - 1];
}

my $claims = { iss => 'https://sso.gov.example', aud => 'portal',
    sub => '11010519491231002X' };
my $token = $t->token('ES256', $claims);

my $r = $t->http_get('/?k=a', headers => { Authorization => "Bearer $token" });
my $line = line(1);

is($r->status, 200, 'a caller who is known');
is($line->{tok}{res}, 'valid', 'token');
is($line->{tok}{iss}, 'national', 'issuer');
like($line->{sub}{pid}, qr/^p7:[\w-]{22}$/, 'pseudonym');
is($r->header('X-Pid'), $line->{sub}{pid}, 'the same in the variable');
is($line->{dec}{act}, 'allow', 'allowed');
is($line->{dec}{rl}, 'ok', 'within the limit');

$r = $t->http_get('/?k=a');
$line = line(2);
is($r->status, 429, 'too many');
is_deeply($line->{dec}, { act => 'deny', code => 'RATE_LIMITED',
    rl => 'limited' }, 'limited');
is($line->{req}, $r->header('X-Request-Id'), 'found by the request id');

$t->http_get('/.git/config?k=b');
is_deeply(line(3)->{dec}, { act => 'deny', code => 'RULE_BLOCKED',
    rule => 1000 }, 'a rule');

$t->http_get('/mine/');
$line = line(4);
is($line->{dec}{code}, 'AUTH_REQUIRED', 'no token');
is($line->{tok}{res}, 'absent', 'absent');
ok(!exists $line->{sub}, 'nobody known');

my $bad = substr($token, 0, -8) . 'AAAAAAAA';
$t->http_get('/mine/', headers => { Authorization => "Bearer $bad" });
$line = line(5);
is($line->{dec}{act}, 'deny', 'a bad token');
is($line->{tok}{res}, 'bad', 'bad');
ok(!exists $line->{sub}, 'its subject is nobody');

$t->http_get('/?k=c', headers => { Authorization => "Bearer $token" });
is(line(6)->{sub}{pid}, line(1)->{sub}{pid}, 'one person, one pseudonym');

$t->stop();

my $text = join '', map { $t->read_file($_) } $t->audit_files();
unlike($text, qr/11010519491231002X|\Q$token\E|eyJ/, 'no subject, no token');

is(($t->govsvc('audit', 'verify', $t->dir() . '/audit'))[0], 0, 'verified');
