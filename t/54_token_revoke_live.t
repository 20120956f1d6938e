#!/usr/bin/perl

# Copyright (C) govsvc authors

# Tokens revoked while the gateway serves them: by the API, at once on all
# workers, over a reload and a restart, and back when the entry is lifted.

use strict;
use warnings;

use MIME::Base64 qw/decode_base64/;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc::Admin;


my $t = Test::GovSvc::Admin->new(log => 'notice', workers => 3)->has('mint');

$t->gateway(http => <<'EOF', server => <<'EOG');
    govsvc_token_zone       zone=tokens:256k;
    govsvc_revocation_zone  zone=rev:256k state=%%DIR%%/revoked;

    govsvc_issuer citizens {
        iss        https://citizens.gov.example;
        audience   off;
        jwks_file  keys/jwks.json;
    }
EOF
        location /citizen {
            govsvc_route  off;
            govsvc_token  required issuer=citizens;
            empty_gif;
        }
EOG

$t->run();

my $now = time();


sub token {
    my (%claims) = @_;

    return $t->token('ES256', { iss => 'https://citizens.gov.example',
        iat => $now - 60, exp => $now + 3600, %claims });
}

# the answers that the workers give

sub worst {
    my ($token) = @_;

    my @raw = map { $t->request('GET', '/citizen',
        headers => { Authorization => "Bearer $token" }) } 1 .. 30;
    my %seen = map { $_->status => 1 } $t->http_parallel(\@raw,
        concurrency => 6);

    return join ' ', sort keys %seen;
}

sub revoke {
    my ($verb, $kind, $value, %more) = @_;

    return $t->api('security', POST => "revocations$verb",
        { issuer => 'citizens', kind => $kind, value => $value, %more });
}

# the name of the key that signed it

sub kid {
    my ($head) = $_[0] =~ /^([^.]+)/;

    $head =~ tr{-_}{+/};

    return decode_base64($head) =~ /"kid":"([^"]+)"/ ? $1 : '';
}

my %token = (
    jti => token(sub => 'zhang', jti => 'one'),
    sid => token(sub => 'zhang', jti => 'two', sid => 'session-7'),
    sub => token(sub => 'li', jti => 'three'),
    other => token(sub => 'wang', jti => 'four'),
);

is(worst($token{$_}), '200', "$_: good") for sort keys %token;

my %value = (jti => 'one', sid => 'session-7', sub => 'li');

for my $kind (qw/jti sid sub/) {
    my $r = revoke('', $kind, $value{$kind});
    is($r->status, 200, "$kind: revoked") or diag($r->raw);
    ok($t->wait_for(sub { worst($token{$kind}) eq '401' }),
       "$kind: refused by all workers");
}

is(worst($token{other}), '200', 'another token is good');

my $key = $t->token('RS256', { iss => 'https://citizens.gov.example',
    iat => $now - 60, exp => $now + 3600, sub => 'sun' });

is(worst($key), '200', 'by another key');
is(revoke('', 'kid', kid($key))->status, 200, 'kid: revoked');
ok($t->wait_for(sub { worst($key) eq '401' }),
   'kid: refused by all workers');
is(worst($token{other}), '200', 'tokens of other keys are good');
is(revoke('/lift', 'kid', kid($key))->status, 200, 'kid: lifted');
ok($t->wait_for(sub { worst($key) eq '200' }), 'kid: good again');

my $old = token(sub => 'wang', jti => 'five', iat => $now - 600);
is(worst($old), '200', 'an old token');
my $r = revoke('', 'sub_before', 'wang', before => $now - 300);
is($r->status, 200, 'what was issued before') or diag($r->raw);
ok($t->wait_for(sub { worst($old) eq '401' }), 'is refused');
is(worst($token{other}), '200', 'what came later is not');

$t->reload();
is(worst($token{jti}), '401', 'over a reload');
is(worst($token{other}), '200', 'and no more than that');

ok($t->wait_for(sub { -s $t->dir() . '/revoked' }), 'a state file');
$t->stop();
$t->run();

is(worst($token{$_}), '401', "$_: after a restart") for qw/jti sid sub/;
is(worst($old), '401', 'before: after a restart');
is(worst($token{other}), '200', 'the other one is good');

is(revoke('/lift', 'jti', 'one')->status, 200, 'lifted');
ok($t->wait_for(sub { worst($token{jti}) eq '200' }), 'good again');

$t->done();
