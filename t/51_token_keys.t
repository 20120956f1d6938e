#!/usr/bin/perl

# Copyright (C) govsvc authors

# A jwks_file that changes while the gateway runs: read again without reload,
# kept when the new one is broken, and swapped under load.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new(workers => 2, log => 'info')->has('mint');

$t->mint_keys($_) for qw/old new/;
$t->write_file('jwks.json', $t->read_file('old/jwks.json'));

$t->http_conf(<<"EOF")->run();
    govsvc_issuer national {
        iss        https://sso.gov.example;
        audience   off;
        jwks_file  jwks.json poll=100ms;
    }

    govsvc_token_zone  zone=tokens:256k;

    server {
        listen      127.0.0.1:%%PORT_0%%;
        location / {
            govsvc_token  required;
            empty_gif;
        }
    }
EOF

my %claims = (iss => 'https://sso.gov.example', sub => 'u1');
my %token = map { my $dir = $_; $dir => { map {
    $_ => $t->token($_, \%claims, dir => $dir, ttl => 3600)
} qw/RS256 ES256 EdDSA SM2/ } } qw/old new/;

sub status {
    my ($token) = @_;

    return $t->http_get('/', headers => {
        Authorization => "Bearer $token", Connection => 'close' })->status;
}

# What tokens of a set get, often enough that both workers are asked.

sub statuses {
    my ($dir) = @_;
    my %seen;

    for (1 .. 10) {
        $seen{status($_)} = 1 for values %{ $token{$dir} };
    }

    return join ' ', sort keys %seen;
}

sub becomes {
    my ($dir, $status, $name) = @_;

    ok($t->wait_for(sub { statuses($dir) eq $status }), $name)
        or diag(statuses($dir));
}

sub count {
    my ($pattern) = @_;

    return scalar(() = $t->error_log() =~ /$pattern/g);
}

sub swap {
    my ($text) = @_;

    $t->write_file('jwks.tmp', $text);
    rename $t->dir() . '/jwks.tmp', $t->dir() . '/jwks.json' or die $!;
}


is(statuses('old'), '200', 'the first keys');
is(statuses('new'), '401', 'no others');


# both sets, as an issuer publishes them while it rotates: good tokens of
# either must never fail from the moment on when their keys stand in the file

sub both {
    my ($first, $second) = map {
        my $text = $t->read_file("$_/jwks.json");
        $text =~ s/^\s*\{\s*"keys"\s*:\s*\[//;
        $text =~ s/\]\s*\}\s*$//;
        $text;
    } qw/old new/;

    $second =~ s/"kid"(\s*):(\s*)"(\w+)"/"kid"$1:$2"n-$3"/g;

    return "{\"keys\":[$first,$second]}";
}

my $next = $t->token('ES256', \%claims, dir => 'new', ttl => 3600,
    kid => 'n-es256');

is(status($next), 401, 'the next key is not there yet');

my $load = $t->load_start(uri => '/', connections => 4, headers => {
    Authorization => "Bearer $token{old}{ES256}" });

swap(both());
ok($t->wait_for(sub { !grep { status($next) != 200 } 1 .. 20 }),
    'both sets: the new key is taken');
is(statuses('old'), '200', 'the old ones stay');

for (1 .. 5) {
    swap(both() . ' ' x $_);
    select(undef, undef, undef, 0.15);
}

my $count = $t->load_stop($load);
is(join(' ', sort keys %$count), '200',
    'no request failed while keys came and went');


# broken in many ways: the keys stay, and each text is logged once by each
# worker

my %broken = (
    'no JSON' => '{"keys": [',
    'empty' => '',
    'no key' => '{"keys": []}',
    'a private key' => '{"keys":[{"kty":"EC","crv":"P-256","d":"AA"}]}',
    'too large' => ' ' x 300_000,
);

for my $what (sort keys %broken) {
    my $before = count(qr/keeps the keys it has/);

    swap($broken{$what});
    ok($t->wait_for(sub {
        count(qr/keeps the keys it has/) == $before + 2 }),
        "$what: logged by both workers");
    is(statuses('old'), '200', "$what: the keys stay");
    select(undef, undef, undef, 0.35);
    is(count(qr/keeps the keys it has/), $before + 2, "$what: logged once");
}

unlink $t->dir() . '/jwks.json';
ok($t->wait_for(sub {
    count(qr/stat\(\) "\S+jwks.json" failed/) == 2 }), 'gone');
is(statuses('old'), '200', 'gone: the keys stay');

mkdir $t->dir() . '/jwks.json' or die $!;
select(undef, undef, undef, 0.3);
is(statuses('old'), '200', 'a directory: the keys stay');
rmdir $t->dir() . '/jwks.json' or die $!;


# back again, and at last only the new set

swap($t->read_file('new/jwks.json'));
becomes('new', '200', 'the new keys');
is(statuses('old'), '401', 'verdicts of removed keys are dropped');
is(status($next), 401, 'and of a key under its former name');


# a worker that starts later has the keys of the file, not of the start

ok($t->kill_worker('KILL'), 'a worker killed');
is(statuses('new'), '200', 'its successor has the new keys');
is(statuses('old'), '401', 'and not those of the start');


# written in place, within one second and with the same length

my $text = $t->read_file('new/jwks.json');
(my $same = $text) =~ s/"kid"(\s*):(\s*)"es256"/"kid"$1:$2"es-56"/;
is(length $same, length $text, 'the same length');

for (1 .. 3) {
    $t->write_file('jwks.json', $text);
    $t->write_file('jwks.json', $same);
}

ok($t->wait_for(sub { !grep { status($token{new}{ES256}) != 401 } 1 .. 20 },
    10), 'the last text counts');
is(status($token{new}{RS256}), 200, 'and the other keys with it');

$t->expect_log(qr/keeps the keys it has/);

$t->done();
