#!/usr/bin/perl

# Copyright (C) govsvc authors

# Callers who are put out while their requests run: an application by a ban, a
# credential of the registry by its state, tokens by revocations, of which each
# one holds and is on disk whoever is killed meanwhile.

use strict;
use warnings;

use Digest::SHA qw/sha256_hex/;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc::Admin;
use Test::GovSvc::SipHash qw/siphash/;


my $t = Test::GovSvc::Admin->new(log => 'notice', workers => 3)->has('mint');

$t->write_file('app.secret', "gov-demo-token\n");
chmod 0600, $t->dir() . '/app.secret';
$t->write_file('apps.json', '{"apps": [' . join(', ', map {
    qq({"id": "$_", "scheme": "x-tif", "replay": "off",)
        . ' "secrets": ["file:app.secret"]}'
} qw/yss other/) . ']}');

$t->gateway(http => <<'EOF', server => <<'EOG');
    govsvc_apps             apps.json;
    govsvc_ban_zone         zone=bans:1m;
    govsvc_token_zone       zone=tokens:1m;
    govsvc_revocation_zone  zone=rev:256k state=%%DIR%%/rev/state;

    govsvc_issuer citizens {
        iss        https://citizens.gov.example;
        audience   off;
        jwks_file  keys/jwks.json;
    }
EOF
        location /app {
            govsvc_route  off;
            govsvc_app    required;
            govsvc_ban    zone=bans;
            empty_gif;
        }

        location /citizen {
            govsvc_route  off;
            govsvc_token  required issuer=citizens;
            empty_gif;
        }
EOG

$t->run();

# The answers of many connections, so of all workers.

sub seen {
    my ($uri, $headers) = @_;

    my @raw = map { $t->request('GET', $uri, headers => $headers) } 1 .. 24;
    my %seen = map { $_->status => 1 } $t->http_parallel(\@raw,
        concurrency => 8);

    return join ' ', sort keys %seen;
}

# Load while something is done; the answers that it had.

sub amid {
    my ($uri, $headers, $do) = @_;

    my @loads = map { $t->load_start(uri => $uri, headers => $headers,
        connections => 3) } 1, 2;

    $do->();

    my %count;

    for my $load (@loads) {
        my $part = $t->load_stop($load);
        $count{$_} += $part->{$_} for keys %$part;
    }

    delete $count{reconnect};

    return join ' ', sort keys %count;
}


# An application: from the answer on nobody lets it in.

sub tif {
    my ($app) = @_;

    my $ts = time();

    return { 'x-tif-paasid' => $app, 'x-tif-timestamp' => $ts,
        'x-tif-nonce' => 'n0123456', 'x-tif-signature' =>
        uc sha256_hex("${ts}gov-demo-tokenn0123456$ts") };
}

for my $what ('nothing', 'a reload') {
    my $h = tif('yss');

    is(seen('/app', $h), '200', 'an application');

    my $load = amid('/app', $h, sub {
        my $r = $t->api('security', POST => 'bans', { app => 'yss',
            reason => 'leak', seconds => 600 });

        cmp_ok($r->status, '<', 300, 'put out') or diag($r->raw);
        is(seen('/app', $h), '403', 'at once, by all workers') for 1 .. 5;
        is(seen('/app', tif('other')), '200', 'another one is not');
        ok($t->reload(), $what) if $what eq 'a reload';
        is(seen('/app', $h), '403', "after $what");
    });

    like($load, qr/^(200 )?403$/, 'its load saw nothing else');

    cmp_ok($t->api('security', POST => 'bans/lift', { app => 'yss' })->status,
        '<', 300, 'let in');
    is(seen('/app', tif('yss')), '200', 'at once');
}


# A credential of the registry, amid its own reads and changes.

my $pass = { role => 'tenant', platform => 'gd', quota => { rate => '5000r/s' },
    scope => { networks => ['127.0.0.1'], ports => ['1024-65535'] },
    tokens => [{ issuer => 'national', subject => 'live' }] };

my $r = $t->create('security', 'credentials/live', $pass);
is($r->status, 201, 'a credential') or diag($r->raw);

my $h = { Authorization => $t->bearer('live'), Accept => 'application/json' };

sub set {
    my ($state) = @_;

    my $tag = $t->api('security', GET => 'credentials/live')->header('ETag');

    return $t->api('security', PATCH => 'credentials/live',
        { state => $state }, 'If-Match' => $tag)->status;
}

for my $turn (1, 2) {
    my $port = 20000 + $turn;

    ok($t->wait_for(sub { seen('/govsvc/v1/pools', $h) eq '200' }, 60),
        'reads');
    is($t->create('live', "instances/i$turn", { pool => 'gd-web',
        address => '127.0.0.1', port => $port })->status, 201, 'and writes');

    my $load = amid('/govsvc/v1/pools', $h, sub {
        is(set('disabled'), 200, 'disabled');
        ok($t->wait_for(sub { seen('/govsvc/v1/pools', $h) eq '401' }, 60),
            'by all workers');
        is(seen('/govsvc/v1/pools', $h), '401', 'for good') for 1 .. 5;
        is($t->create('live', "instances/j$turn", { pool => 'gd-web',
            address => '127.0.0.1', port => $port + 100 })->status, 401,
            'writes no more');
    });

    like($load, qr/^(200 )?401$/, 'its load saw nothing else');
    is($t->api('system', GET => "instances/i$turn")->status, 200,
        'what it wrote stands');
    is($t->api('system', GET => "instances/j$turn")->status, 404,
        'what came later does not');
    is(set('enabled'), 200, 'enabled');
}


# Tokens: revoked in a row, while workers are killed and the server reloads.

my $now = time();
my $tokens = 60;
my (%bad, @lost);

sub token {
    my ($n) = @_;

    return { Authorization => 'Bearer ' . $t->token('ES256', {
        iss => 'https://citizens.gov.example', sub => "u$n", jti => "j$n",
        iat => $now - 60, exp => $now + 3600 }) };
}

# The number of entries of the file, which is whole whenever it is read.

sub entries {
    my $text = $t->read_file('rev/state');

    return -1 unless defined $text;
    return 'torn' unless $text =~ /\A(govsvc-revocations\ 2\n
        key\ [0-9a-f]{32}\n((?:[0-9a-f]{32}\ .*\n)*))
        end\ (\d+)\ ([0-9a-f]{16})\n\z/x;

    my ($all, $lines, $n, $sum) = ($1, $2, $3, $4);

    return 'wrong number' if $n != ($lines =~ tr/\n//);
    return 'wrong sum' if $sum ne unpack 'H*', siphash("\0" x 16, $all);

    return $n;
}

sub revoke {
    my ($n) = @_;

    return $t->api('security', POST => 'revocations', {
        issuer => 'citizens', kind => 'jti', value => "j$n" })->status;
}

for my $n (1 .. $tokens) {

    # a worker that is killed answers nobody: then another one is asked

    my $status = revoke($n) || $t->wait_for(sub { revoke($n) }, 60);

    $bad{$status}++ if $status != 200;
    $t->kill_worker('KILL') if $n % 10 == 5;
    $t->reload() if $n % 20 == 0;

    my $found = entries();
    $bad{$found}++ if $found !~ /^-?\d+$/;

    next if $n % 6;

    $status = $t->http_get('/citizen', headers => token($n))->status;
    push @lost, $n if $status != 401;
}

is_deeply(\%bad, {}, 'each call is answered, the file is always whole')
    or diag(explain(\%bad));
is("@lost", '', 'each revocation holds from its answer on');
ok($t->wait_for(sub { entries() eq $tokens }, 60), 'all are in the file')
    or diag(entries());

# all processes at once, without a word

$t->crash();
is(entries(), $tokens, 'the file after a crash');
$t->run();

@lost = grep { $t->http_get('/citizen', headers => token($_))->status != 401 }
    1 .. $tokens;
is("@lost", '', 'each holds after a crash');
is(seen('/citizen', token($tokens + 1)), '200', 'and no other');

$t->expect_log(qr/signal 9/);
$t->done();
