#!/usr/bin/perl

# Copyright (C) govsvc authors

# Revoked tokens: read from the state file at the start, refused by all
# workers, written again, kept over reloads and restarts; damaged files.  The
# hash of the file is computed here once more, by its description.

use strict;
use warnings;
no warnings 'portable';

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::SipHash qw/siphash/;


my $t = Test::GovSvc->new(workers => 2, log => 'info')->has('mint');

$t->mint_keys('keys');

my $iss = 'https://sso.gov.example';
my $key = '0123456789abcdef';
my $now = time();

my $conf = sub {
    my ($zone, $state) = @_;

    return <<"EOF";
    govsvc_issuer national {
        iss        $iss;
        audience   off;
        jwks_file  keys/jwks.json;
    }

    govsvc_issuer province {
        iss        https://zj.gov.example;
        audience   off;
        jwks_file  keys/jwks.json;
    }

    govsvc_token_zone       zone=tokens:256k;
    govsvc_revocation_zone  zone=$zone state=@{[ $t->dir() ]}/$state;

    server {
        listen      127.0.0.1:%%PORT_0%%;
        location / {
            govsvc_token  required;
            empty_gif;
        }
    }
EOF
};

my %kinds = (jti => 0, sid => 1, sub => 2, kid => 3, sub_before => 4);

sub entry {
    my ($kind, $value, $until, $before) = @_;

    return unpack('H*', siphash($key, chr($kinds{$kind})
        . siphash($key, $iss) . $value, 1)) . " $kind $until "
        . ($before // 0) . ' ' . $now * 1000 . " 0\n";
}

sub state {
    my (@entries) = @_;

    my $text = "govsvc-revocations 2\nkey " . unpack('H*', $key) . "\n"
        . join('', @entries);

    return $text . 'end ' . @entries . ' '
        . unpack('H*', siphash("\0" x 16, $text)) . "\n";
}


sub token {
    my (%claims) = @_;
    my $kid = delete $claims{kid};

    return $t->token('ES256', { iss => $iss, iat => $now - 10,
        exp => $now + 3600, %claims }, defined $kid ? (kid => $kid) : ());
}

sub status {
    my ($token) = @_;

    return $t->http_get('/', headers => {
        Authorization => "Bearer $token", Connection => 'close' })->status;
}

# The same answer from all workers, first seen and from the cache.

sub statuses {
    my ($token) = @_;
    my %seen = map { status($token) => 1 } 1 .. 12;

    return join ' ', sort keys %seen;
}

mkdir $t->dir() . '/state' or die $!;

my $state = state(
    entry('jti', 'j1', $now + 1000),
    entry('sid', 's1', $now + 1000),
    entry('sub', 'u1', 253402300799),
    entry('sub_before', 'u2', $now + 1000, $now),
    entry('jti', 'old', $now - 1),
);

$t->write_file('state/revoked', $state);
$t->http_conf($conf->('revoked:128k', 'state/revoked'))->run();

my %tokens = (
    'another jti' => [ token(sub => 'u', jti => 'j2'), '200' ],
    'revoked by jti' => [ token(sub => 'u', jti => 'j1'), '401' ],
    'revoked by sid' => [ token(sub => 'u', sid => 's1'), '401' ],
    'revoked by sub' => [ token(sub => 'u1'), '401' ],
    'one who acts' => [ token(sub => 'u', act => { sub => 'u1' }), '401' ],
    'issued before' => [ token(sub => 'u2', iat => $now - 1), '401' ],
    'issued then' => [ token(sub => 'u2', iat => $now), '200' ],
    'an entry that is over' => [ token(sub => 'u', jti => 'old'), '200' ],
    'another issuer' => [ token(iss => 'https://zj.gov.example',
        sub => 'u1', jti => 'j1'), '200' ],
    'no iat' => [ $t->token('ES256', { iss => $iss, sub => 'u',
        exp => $now + 3600 }, ttl => 0), '401' ],
);

sub all_as_before {
    my ($when) = @_;

    my @bad = grep { statuses($tokens{$_}[0]) ne $tokens{$_}[1] }
        sort keys %tokens;
    is("@bad", '', $when);
}

all_as_before('first seen');
all_as_before('from the cache');
like($t->error_log(), qr/4 revocations read from/, 'four were in force');
like($t->error_log(), qr/reason: revoked/, 'the log says why');

ok($t->reload(), 'reload');
all_as_before('after a reload');

ok($t->kill_worker('KILL'), 'a worker killed');
all_as_before('after the death of a worker');


# another file: written without any change, by a description of our own

$t->http_conf($conf->('revoked:128k', 'state/other'));
ok($t->reload(), 'reload with another file');
ok($t->wait_for(sub { -e $t->dir() . '/state/other' }), 'it is written');

my $copy = $t->read_file('state/other') // '';
my %lines = map { $_ => 1 } split /^/, $copy;
my @lost = grep { !$lines{$_} } (split /^/, $state)[1 .. 5];
is("@lost", '', 'the key and all entries are in it');
like($copy, qr/^end 4 [0-9a-f]{16}\n\z/m, 'and no other');
is((stat $t->dir() . '/state/other')[2] & 0777, 0600, 'for nobody else');
ok(!-e $t->dir() . '/state/other.new', 'nothing is left beside it');


# restart from it; and another zone, which reads it again

$t->stop();
$t->run();
all_as_before('after a restart');

$t->http_conf($conf->('revoked:256k', 'state/other'));
ok($t->reload(), 'a larger zone');
all_as_before('from a larger zone');
$t->stop();


# a file that cannot be believed keeps the server from starting

sub fails {
    my ($text, $message, $name) = @_;

    $t->write_file('state/bad', $text);
    is($t->conf_error($conf->('revoked:128k', 'state/bad') =~ s{%%PORT_0%%}
        {@{[ $t->port(0) ]}}r), $message, $name);
}

my $remedy = 'put a sound copy in its place, or remove it to let revoked'
    . ' tokens in again';

(my $changed = $state) =~ s/ 253402300799 / 253402300798 /;
fails($changed, 'the state of revocations is damaged: the checksum differs in'
    . " state/bad:8, $remedy", 'a changed entry');
fails(substr($state, 0, 200), 'the state of revocations is damaged: it has no'
    . " end in state/bad:5, $remedy", 'cut');
fails('', 'the state of revocations is damaged: it does not begin with'
    . " \"govsvc-revocations 2\" in state/bad:1, $remedy", 'empty');
$t->write_file('state/bad', state(map { entry('jti', "n$_", $now + 1000) }
    1 .. 4000));
like($t->conf_error($conf->('revoked:128k', 'state/bad') =~ s{%%PORT_0%%}
    {@{[ $t->port(0) ]}}r), qr/^the\ state\ of\ revocations\ is\ damaged:\ the\ zone\ is
    \ too\ small\ for\ it\ in\ state\/bad:\d+,/x, 'more than the zone takes');

$t->expect_log(qr/signal 9/);
$t->done();
