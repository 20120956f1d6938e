#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit: who asked, who acts for whom, with which token; nothing of it in the
# clear.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new()->has('mint', 'cli');

$t->mint_keys('keys');
$t->write_file('pid.key', "0123456789abcdef0123456789abcdef\n");
chmod 0600, $t->dir() . '/pid.key';

my $port = $t->backend('one');

$t->http_conf(<<"EOF")->run();
govsvc_node            n1;
govsvc_audit_store     dir=audit flush=0ms;
govsvc_audit_pseudonym key=pid.key kid=7;
govsvc_audit           meta;

govsvc_issuer national {
    iss           https://sso.gov.example;
    audience      portal;
    algs          ES256;
    jwks_file     keys/jwks.json;
}

server {
    listen 127.0.0.1:%%PORT_0%%;

    location / {
        govsvc_token optional issuer=national;
        govsvc_audit headers intent=durable;
        proxy_pass   http://127.0.0.1:$port;
    }
}
EOF

my $n = 0;

sub ask {
    my (%claims) = @_;

    my $token = $t->token('ES256', { iss => 'https://sso.gov.example',
        aud => 'portal', iat => time(), exp => time() + 600, %claims });

    is($t->http_get('/', headers => { Authorization => "Bearer $token" })
        ->status, 200, 'answered');
    $n++;

    my @done;
    $t->wait_for(sub {
        @done = grep { $_->{ty} eq 'http' && $_->{st} eq 'done' }
            $t->audit_lines();
        @done == $n;
    });

    my ($intent) = grep { $_->{id} && $_->{id} eq $done[-1]{intent} }
        $t->audit_lines();
    is_deeply($intent->{sub}, $done[-1]{sub}, 'the same in the intent');
    is_deeply($intent->{tok}, $done[-1]{tok}, 'and of the token');

    return $done[-1];
}

my ($card, $phone) = ('11010519491231002X', '13712349050');

my $line = ask(sub => $card, jti => 'token-number-1',
    act => { sub => $phone });

is($line->{sub}{mask}, '1****************X', 'the number as its mask shows it');
like($line->{sub}{pid}, qr/^p7:[\w-]{22}$/, 'the pseudonym');
like($line->{sub}{agent}, qr/^p7:[\w-]{22}$/, 'of who acts for it');
isnt($line->{sub}{agent}, $line->{sub}{pid}, 'somebody else');
like($line->{tok}{jti}, qr/^p7:[\w-]{22}$/, 'the token');

my $other = ask(sub => $phone, jti => 'token-number-1');

is($other->{sub}{mask}, '137****9050', 'a mobile number');
is($other->{sub}{pid}, $line->{sub}{agent}, 'who acted before');
ok(!exists $other->{sub}{agent}, 'acts for nobody');
is($other->{tok}{jti}, $line->{tok}{jti}, 'the same token');

$line = ask(sub => 'zhangsan-13712349050', jti => 'token-number-2');
ok(!exists $line->{sub}{mask}, 'a name is shown by no mask');
isnt($line->{tok}{jti}, $other->{tok}{jti}, 'another token');

$line = ask(sub => '123456789012345678');
ok(!exists $line->{sub}{mask}, 'nor digits that are no number of a person');
ok(!exists $line->{tok}{jti}, 'a token without a number');

$t->stop();

my $text = join '', map { $t->read_file($_) } $t->audit_store();
unlike($text, qr/$card|$phone|token-number|zhangsan|123456789012345678/,
    'nothing in the clear');
is(($t->govsvc('audit', 'verify', $t->dir() . '/audit'))[0], 0, 'whole');

$t->done();
