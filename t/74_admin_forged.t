#!/usr/bin/perl

# Copyright (C) govsvc authors

# Who pretends to be somebody before the registry: forged, stale and borrowed
# tokens, certificates and signatures, and those that were used once.  Each
# attempt is a write, is refused, changes nothing and is on the record.

use strict;
use warnings;

use MIME::Base64 qw/encode_base64url decode_base64url/;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::GovSvc::Admin;


my $t = Test::GovSvc::Admin->new(log => 'notice', workers => 2)
    ->has(qw/mint openssl cli/);
my $dir = $t->dir();
my $json = JSON::PP->new->canonical;

# the gateway's authority, and one of the same name that is not it

$t->ca($_) for qw/ca other/;
mkdir "$dir/twin";
$t->openssl(qw/req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes
    -days 30 -sha256 -subj/, '/CN=ca', '-keyout', "$dir/twin/ca.key", '-out',
    "$dir/twin/ca.crt");

$t->certificate('server', 'ca', 'gw.example');
$t->certificate('gd', 'ca', 'gd.example');
$t->certificate('stranger', 'ca', 'evil.example');
$t->certificate('other-ca', 'other', 'gd.example');
$t->certificate('twin-ca', 'twin/ca', 'gd.example');
$t->certificate('child', 'gd', 'gd.example');

# whose names and keys are right, and whose time is over

sub issue {
    my ($file, $from, $days, @by) = @_;

    @by = ('-signkey', "$dir/$from.key") unless @by;
    $t->openssl(qw/x509 -req -sha256 -days/, $days, '-in', "$dir/$from.csr",
        '-extfile', "$dir/$from.ext", @by, '-out', "$dir/$file.crt");
    $t->write_file("$file.key", $t->read_file("$from.key"));
}

$t->certificate('pinned', 'other', 'pinned.example');
issue('self', 'gd', 30);
issue('expired', 'pinned', -1);
issue('over', 'gd', -1, '-CAcreateserial', '-CA', "$dir/ca.crt", '-CAkey',
    "$dir/ca.key");

sub spki {
    my ($name) = @_;
    my $hash = `openssl x509 -in $dir/$name.crt -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -r`;

    return substr $hash, 0, 64;
}

# Nginx itself is the client with a certificate: a port for each

my @certificates = qw/gd stranger other-ca twin-ca child self expired over/;
my %at = map { $certificates[$_] => 2 + $_ } 0 .. $#certificates;

my $clients = join '', map { <<"EOF2" } @certificates;
    server {
        listen  127.0.0.1:%%PORT_$at{$_}%%;
        govsvc_app  off;

        location / {
            proxy_pass                 https://127.0.0.1:%%PORT_1%%;
            proxy_ssl_certificate      %%DIR%%/$_.crt;
            proxy_ssl_certificate_key  %%DIR%%/$_.key;
            proxy_ssl_session_reuse    off;
            proxy_set_header           Host \$http_host;
        }
    }
EOF2

$t->write_file("$_.secret", encode_base64url("secret of $_, of 32 bytes ..."))
    for 'one', 'two';
chmod 0600, "$dir/$_.secret" for 'one', 'two';
$t->write_file('apps.json', $json->encode({ apps => [
    map { { id => "app-$_", scheme => 'govhmac',
        secrets => ["file:$_.secret"] } } 'one', 'two' ] }));

my %more = (platform => 'gd', quota => { rate => '5000r/s' }, scope => {
    networks => ['127.0.0.1'], ports => ['1-65535'] });

$t->mint_keys('evil');
$t->gateway(
    credentials => $t->credentials(
        { id => 'by-name', role => 'tenant', sans => ['DNS:gd.example'],
            %more },
        { id => 'by-key', role => 'tenant', spki => [spki('pinned')],
            %more },
        { id => 'by-app', role => 'tenant', apps => ['app-one'], %more }),
    admin => 'loopback=on proof=off',
    location => 'govsvc_app optional;',
    http => "govsvc_apps apps.json; govsvc_nonce_zone zone=nonces:1m;
    govsvc_issuer provinces { iss https://gd.gov.example;
        audience govsvc-admin; algs ES256; jwks_file evil/jwks.json; }
    $clients",
    server => <<'EOF2',
        listen                  127.0.0.1:%%PORT_1%% ssl;
        ssl_certificate         %%DIR%%/server.crt;
        ssl_certificate_key     %%DIR%%/server.key;
        ssl_client_certificate  %%DIR%%/ca.crt;
        ssl_verify_client       optional_no_ca;
EOF2
)->run();

my $body = '{"platform": "gd"}';
my $pools = 'pools/forged';
my %put = ('If-None-Match' => '*', 'Content-Type' => 'application/json',
    Accept => 'application/json');
my %told;

sub put {
    my ($headers, %opt) = @_;

    return $t->http_request($opt{method} // 'PUT', "/govsvc/v1/"
        . ($opt{path} // $pools), host => 'gw.example',
        headers => { %put, %$headers }, body => $opt{body} // $body,
        port => $opt{port} // $t->port(0));
}

sub refused {
    my ($name, $r, $code) = @_;

    $told{$r->json->{request_id} // ''} = $name;
    is($r->status . ' ' . ($r->json && $r->json->{code} // '-'),
        "401 $code", $name) or diag($r->raw);
}

# tokens

my %good = (iss => 'https://sso.gov.example', aud => 'govsvc-admin',
    sub => 'gd-ops');
my $good = $t->token('ES256', \%good, ttl => 240);
my ($head, $payload, $sign) = split /\./, $good;

sub part { return encode_base64url($json->encode($_[0])) }

sub forged {
    my ($name, $token, $code) = @_;

    refused("a token $name", put({ Authorization => "Bearer $token" }),
        $code // 'TOKEN_INVALID');
}

forged("with alg $_", part({ alg => $_, typ => 'JWT', kid => 'es256' })
    . ".$payload.") for qw/none None NONE nOnE/, '';
forged('with alg none and a signature', part({ alg => 'none' })
    . ".$payload.$sign");
forged('without alg', part({ kid => 'es256' }) . ".$payload.$sign");
forged('without a signature', "$head.$payload.");
forged('of two parts', "$head.$payload");
forged('with a signature of zeros', "$head.$payload."
    . encode_base64url("\0" x 64));
forged('of another subject', "$head."
    . part({ %{ decode_json(decode_base64url($payload)) },
        sub => 'system' }) . ".$sign");

my $public = $t->openssl('pkey', '-in', "$dir/keys/es256.pem", '-pubout');
$t->write_file('keys/public.pem', $public);
forged('whose secret is our public key', $t->token('HS256', \%good,
    key => 'public', kid => 'es256', ttl => 240));
forged('of another algorithm of ours', $t->token('EdDSA', \%good,
    ttl => 240));
forged('of another issuer\'s key', $t->token('ES256', \%good, dir => 'evil',
    ttl => 240));
forged('that brings its key', $t->token('ES256', \%good, dir => 'evil',
    ttl => 240, header => $json->encode({ jwk =>
        (grep { $_->{kid} eq 'es256' } @{ decode_json($t->read_file(
            'evil/jwks.json'))->{keys} })[0] })));
forged('that says where its key is', $t->token('ES256', \%good,
    dir => 'evil', ttl => 240, header => '{"jku":"http://127.0.0.1:1/"}'));
forged('whose key is a file', $t->token('ES256', \%good, dir => 'evil',
    kid => '../../dev/null', ttl => 240));
forged('that must be understood', $t->token('ES256', \%good, ttl => 240,
    header => '{"crit":["x"],"x":1}'));

my $now = time();

forged('that expired', $t->token('ES256', { %good, iat => $now - 700,
    exp => $now - 400 }), 'TOKEN_EXPIRED');
forged('of tomorrow', $t->token('ES256', { %good, iat => $now + 86400,
    exp => $now + 86500 }));
forged('not yet in force', $t->token('ES256', { %good, nbf => $now + 3600 },
    ttl => 240));
forged('without an end', $t->token('ES256', { %good, iat => $now },
    raw_payload => $json->encode({ %good, iat => $now })));
forged('of an unknown issuer', $t->token('ES256', { %good,
    iss => 'https://sso.gov.example.evil' }, ttl => 240));
forged('for the portal', $t->token('ES256', { %good, aud => 'portal' },
    ttl => 240));
forged('for many, not for us', $t->token('ES256', { %good,
    aud => ['portal', 'govsvc-admin2', 'GOVSVC-ADMIN'] }, ttl => 240));
forged('for nobody', $t->token('ES256', { iss => $good{iss},
    sub => $good{sub} }, ttl => 240));
forged('without a subject', $t->token('ES256', { iss => $good{iss},
    aud => $good{aud} }, ttl => 240), 'AUTH_REQUIRED');
forged('of another issuer\'s subject of that name', $t->token('ES256',
    { %good, iss => 'https://gd.gov.example' }, dir => 'evil', ttl => 240));

refused('a token in a cookie', put({ Cookie => "token=$good;"
    . " access_token=$good" }), 'AUTH_REQUIRED');
is($t->http_request('PUT', "/govsvc/v1/$pools?access_token=$good",
    headers => \%put, body => $body)->status, 400, 'a token in an argument');

# signatures

sub signed {
    my ($app, $secret, %more) = @_;

    $t->write_file('body.json', $more{body} // $body);

    my ($code, $out, $err) = $t->govsvc('apps', 'sign', '--scheme',
        'govhmac', '--app', $app, '--secret-file', "$dir/$secret.secret",
        '--method', $more{method} // 'PUT', '--url', 'http://'
            . ($more{host} // 'gw.example') . '/govsvc/v1/'
            . ($more{path} // $pools),
        '--body-file', "$dir/body.json",
        map { defined $more{$_} ? ("--$_", $more{$_}) : () } 'time', 'nonce');
    die $err if $code;

    return { $out =~ /^([^:\n]+): (.*)$/mg };
}

sub signature {
    my ($name, $headers, %opt) = @_;

    refused("a signature $name", put($headers, %opt),
        $opt{code} // 'APP_INVALID');
}

my $used = signed('app-one', 'one', path => 'pools/once');
is(put($used, path => 'pools/once')->status, 201, 'signed once');

my @again = (path => 'pools/once', code => 'REPLAY');

signature('that was used', $used, @again) for 1 .. 6;
signature('that was used, for another object', $used);
signature('of another application\'s secret', signed('app-one', 'two'));
signature('of an hour ago', signed('app-one', 'one', time => $now - 3600),
    code => 'CLOCK_SKEW');
signature('of the next hour', signed('app-one', 'one', time => $now + 3600),
    code => 'CLOCK_SKEW');
signature('of another host', signed('app-one', 'one', host => 'gw2.example'));
signature('of another method', signed('app-one', 'one', method => 'POST'));
signature('without the arguments', signed('app-one', 'one'),
    path => "$pools?dry_run=true");
signature('of an empty body', signed('app-one', 'one', body => ''),
    code => 'APP_DIGEST');
signature('of an application that is not', signed('app-three', 'one'));
signature('of one without a credential', signed('app-two', 'two'),
    code => 'CREDENTIAL_UNKNOWN');

my %cut = %{ signed('app-one', 'one') };

for my $name (sort keys %cut) {
    my %less = %cut;
    delete $less{$name};
    my $r = put(\%less);
    $told{$r->json->{request_id} // ''} = "without $name";
    is($r->status, 401, "a signature without $name") or diag($r->raw);
}

# the same nonce, told by each worker, after a reload and a death

ok($t->reload(), 'reload');
signature('that was used, after a reload', $used, @again) for 1 .. 4;

$t->kill_worker('KILL', $_) for $t->workers();
signature('that was used, after the workers died', $used, @again)
    for 1 .. 4;

# certificates

sub by {
    my ($name, $headers, %opt) = @_;

    return put($headers // {}, port => $t->port($at{$name}), %opt);
}

is($t->http_request('GET', '/govsvc/v1/pools', port => $t->port($at{gd}),
    headers => \%put)->status, 200, 'the right certificate');

refused("a certificate $_->[0]", by($_->[1]), $_->[2]) for
    ['of another name', 'stranger', 'CREDENTIAL_UNKNOWN'],
    ['of another authority', 'other-ca', 'CREDENTIAL_UNKNOWN'],
    ['of an authority of the same name', 'twin-ca', 'CREDENTIAL_UNKNOWN'],
    ['signed by a caller', 'child', 'CREDENTIAL_UNKNOWN'],
    ['that signed itself', 'self', 'CREDENTIAL_UNKNOWN'];

# (Nginx knows these itself)

for my $name (qw/expired over/) {
    is(by($name)->status, 400, "a certificate of a known key, $name");
}

# one bad proof is not made good by another

refused('a bad token beside the right certificate', by('gd',
    { Authorization => 'Bearer ' . part({ alg => 'none' }) . ".$payload." }),
    'TOKEN_INVALID');
refused('a used signature beside the right certificate', by('gd', $used,
    path => 'pools/once'), 'REPLAY');

# nothing of it is there, all of it is on the record

is($t->api('system', GET => $pools)->status, 404, 'nothing was made');

my %left;

ok($t->wait_for(sub {
    %left = %told;
    delete @left{map { $_->{req} // '' } grep {
        ($_->{http}{status} // 0) == 401 } $t->audit_lines()};
    return !%left;
}, 60), keys(%told) . ' attempts, all on the record')
    or diag(explain(\%left));

is($t->api('gd-ops', PUT => $pools, $body, %put)->status, 201,
    'who is known makes it');

$t->done();
