#!/usr/bin/perl

# Copyright (C) govsvc authors

# Keys from the issuer's server: at the start, when they change, and whatever
# the server does.  No token that is good is refused, no bad one passes.

use strict;
use warnings;

use JSON::PP;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new(workers => 2, log => 'info')->has('mint');

# Each set has kids of its own, as issuers do.

for my $set (qw/one two three/) {
    $t->mint_keys($set);

    my $jwks = decode_json($t->read_file("$set/jwks.json"));
    $_->{kid} = "$set-$_->{alg}" for @{ $jwks->{keys} };
    $t->write_file("$set/jwks.json", encode_json($jwks));
}

$t->ca('ca');
$t->ca('ca-x');
$t->certificate('sso', 'ca', 'sso.example');

# What the server does stands in a file: a way to fail, and the set it gives.

sub server {
    my ($mode, $set) = @_;

    $t->write_file('set', $t->read_file("$set/jwks.json")) if $set;
    $t->write_file('mode.new', $mode);
    rename $t->dir() . '/mode.new', $t->dir() . '/mode' or die $!;
}

my %answers = (
    ok => sub { (200, [], $t->read_file('set')) },
    short => sub { (200, ['Cache-Control' => 'max-age=1'],
        $t->read_file('set')) },
    slow => sub { select undef, undef, undef, .4;
        (200, [], $t->read_file('set')) },
    hang => sub { sleep 3; () },
    gone => sub { () },
    500 => sub { (500, [], 'error') },
    json => sub { (200, [], '{"keys": [{"kty": "EC",') },
    none => sub { (200, [], '{"keys": []}') },
    private => sub { (200, [], '{"keys": [{"kty": "oct", "k": "AAAA"}]}') },
    large => sub { (200, [], ' ' x 10_000_000) },
    redirect => sub { (302, [Location => '/jwks2'], '') },
);

$t->backend('sso', sub { $answers{ $t->read_file('mode') }->() });

my $sso = $t->backend_port('sso');

$t->nginx_backend('tls', <<"EOF");
    server {
        listen               127.0.0.1:%%PORT_8%% ssl;
        ssl_certificate      %%DIR%%/sso.crt;
        ssl_certificate_key  %%DIR%%/sso.key;
        location / {
            proxy_buffering  off;
            proxy_pass       http://127.0.0.1:$sso;
        }
    }
EOF

sub configure {
    my ($parameters) = @_;

    return <<"EOF";
    govsvc_issuer national {
        iss       https://sso.gov.example;
        audience  off;
        jwks_uri  https://127.0.0.1:%%PORT_8%%/jwks name=sso.example
                  $parameters;
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
}

my %claims = (iss => 'https://sso.gov.example', sub => 'u1');

sub token {
    my ($set, %options) = @_;

    return $t->token('ES256', \%claims, dir => $set, ttl => 3600,
        kid => "$set-ES256", %options);
}

sub request {
    my ($token) = @_;

    return $t->request('GET', '/', headers => {
        Authorization => "Bearer $token", Connection => 'close' });
}

sub status { $t->http(request($_[0]))->status }

# On both workers: every connection may meet another one.

sub all_are {
    my ($status, $token) = @_;

    my %seen = map { status($token) => 1 } 1 .. 12;

    return join(' ', sort keys %seen) eq $status;
}

sub fetches { scalar $t->backend_requests('sso') }
sub pause { select undef, undef, undef, $_[0] }

my %token = map { $_ => token($_) } qw/one two three/;
my $forged = token('one', kid => 'two-ES256');
my $base = 'ca=ca.crt interval=1h min_refetch=200ms wait=2s timeout=1s';


# the first start: no server, no keys, nobody passes

server('gone', 'one');
$t->http_conf(configure("$base state=state/national.json"))->run();

is(status($token{one}), 503, 'without keys nobody is let in');

server('ok');

ok($t->wait_for(sub { all_are(200, $token{one}) }),
    'keys are there once the server is');
ok(all_are(401, $token{two}), 'a token of other keys is refused');
ok($t->wait_for(sub { -s $t->dir() . '/state/national.json' }),
    'keys are kept in a file');
like($t->error_log(), qr/no keys of issuer "national" yet: .*, status: /,
    'why there were none is told');


# keys change: a token that comes first is let in, those before no longer

server('ok', 'two');
pause(.3);

is(status($token{two}), 200, 'the first token of a new key passes');
ok($t->wait_for(sub { all_are(401, $token{one}) }),
    'tokens of a removed key are refused');
ok(all_are(200, $token{two}), 'those of the new key pass everywhere');


# tokens that name no key of anybody cost few fetches, and hold up nobody

my $before = fetches();
my @unknown = map { request(token('three', kid => "no$_")) } 1 .. 40;
my @answers = $t->http_parallel([ @unknown, (request($token{two})) x 10 ]);

is(scalar(grep { $_->status == 401 } @answers[0 .. 39]), 40,
    'unknown keys are refused');
is(scalar(grep { $_->status == 200 } @answers[40 .. 49]), 10,
    'good tokens pass beside them');
cmp_ok(fetches() - $before, '<=', 5, 'few fetches for many of them')
    or diag(fetches() - $before);


# whatever the server does, what was good stays good

for my $mode (qw/500 json none private large redirect gone hang/) {
    server($mode);
    pause(.25);
    $before = fetches();

    my @got = map { $_->status } $t->http_parallel([ map { request($_) }
        token('three', kid => "k-$mode"), $forged, ($token{two}) x 8 ]);

    is_deeply(\@got, [ 401, 401, (200) x 8 ], "$mode: only good tokens pass")
        or diag(explain(\@got));
    cmp_ok(fetches(), '>', $before, "$mode: it was asked");
}

my $log = $t->error_log();

like($log, qr/s old: the answer is not 200, status: 500/, '500 is told');
like($log, qr/s old: the answer is not 200, status: 302/, 'no redirects');
like($log, qr/s old: the answer is no set of usable keys, status: 200/,
    'a bad set is told');
like($log, qr/s old: the body is too large/, 'nor is one too large taken');
like($log, qr/s old: no answer in time/, 'nor is it waited for ever');
unlike(join(' ', map { $_->{uri} } $t->backend_requests('sso')), qr/jwks2/,
    'a redirect was not followed');
ok(all_are(200, $token{two}), 'the keys are those from before');


# the worker that fetches is killed, again and again

sub leader {
    my %pid = map { $_ => 1 } $t->workers();
    my @took = $t->error_log() =~
        /\] (\d+)#\d+: govsvc lead: took, duty: "jwks_uri"/g;

    return (grep { $pid{$_} } reverse @took)[0];
}

# fetches come by the hour and after failures: one with max-age=1 to begin

server('short', 'two');
pause(.3);
status(token('three', kid => 'again'));

for my $set (qw/one three/) {
    ok($t->wait_for(sub { defined leader() }), 'there is a leader');

    my $pid = leader();

    $t->kill_worker('KILL', $pid);
    ok($t->wait_for(sub { (leader() // $pid) != $pid }),
        'killed, and another one leads');

    server('short', $set);
    ok($t->wait_for(sub { all_are(200, $token{$set}) }),
        'who fetches what is new');
}


# reload, and keys that change under load, the one in use staying in the set

my $load = $t->load_start(uri => '/', connections => 4, seconds => 60,
    pause => 0.002, headers => { Authorization => "Bearer $token{three}" });

ok($t->reload(), 'reloaded') for 1 .. 3;
ok($t->wait_for(sub { defined leader() }), 'a new worker leads');

my ($one, $three) = map { decode_json($t->read_file("$_/jwks.json")) }
    qw/one three/;
$t->write_file('both/jwks.json',
    encode_json({ keys => [ map { @{ $_->{keys} } } $three, $one ] }));

for my $set (qw/both three both/) {
    server('ok', $set);
    status(token('two', kid => "rotate-$set"));
    pause(.3);
}

my $count = $t->load_stop($load);

is_deeply([ grep { !/^(200|reconnect)$/ } keys %$count ], [],
    'no request failed over reloads and rotations')
    or diag(explain($count));
cmp_ok($count->{200}, '>', 100, 'of many');

$log = $t->error_log();
my $took = () = $log =~ /govsvc lead: took/g;
my $ended = () = $log =~ /govsvc lead: (gave back|lost)/g;

is($took - $ended - 2, 1, 'one led at a time, two having been killed');

$t->stop();


# a start without the server: the keys of the file, then 24 at once

server('gone');
$t->run();

ok(all_are(200, $token{three}), 'started without the server');
$t->stop();

unlink $t->dir() . '/state/national.json';
server('slow');
$before = fetches();
(my $patient = $base) =~ s/wait=2s timeout=1s/wait=5s timeout=4s/;
$t->http_conf(configure("$patient state=state/national.json"))->run();

@answers = $t->http_parallel([ (request($token{three})) x 24 ],
    concurrency => 24);

is(scalar(grep { $_->status == 200 } @answers), 24,
    '24 first requests of a slow server all pass');
is(fetches() - $before, 1, 'with one fetch');
$t->stop();


# grace: keys that nobody confirms end

server('ok', 'one');
$t->http_conf(configure(
    'ca=ca.crt interval=1s grace=2s min_refetch=100ms timeout=1s'))->run();

ok($t->wait_for(sub { status($token{one}) == 200 }), 'with keys');
server('gone');
ok($t->wait_for(sub { all_are(503, $token{one}) }),
    'not for longer than grace');
like($t->error_log(), qr/older than grace and are not used any more/, 'told');
server('ok');
ok($t->wait_for(sub { all_are(200, $token{one}) }), 'and back again');
$t->stop();


# somebody else's certificate

$before = fetches();
$t->http_conf(configure('ca=ca-x.crt'))->run();
is(status($token{one}), 503, 'no keys from a server that proves nothing');
$t->stop();

(my $other = configure('ca=ca.crt')) =~ s/name=sso/name=other/;
$t->http_conf($other)->run();
is(status($token{one}), 503, 'nor from one of another name');
is(fetches(), $before, 'which was never asked');
like($t->error_log(), qr/the certificate is for another name/, 'told');
$t->stop();

$t->done();
