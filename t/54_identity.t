#!/usr/bin/perl

# Copyright (C) govsvc authors

# What platforms learn of the caller: headers that the gateway sets, and
# assertions that they can verify; what clients send of the kind never arrives,
# nor does their credential.

use strict;
use warnings;

use Digest::SHA qw/sha256_hex/;
use JSON::PP;
use MIME::Base64 qw/encode_base64url decode_base64url/;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new()->has('mint', 'cli');

$t->mint_keys('keys');
$t->backend('up');

my $up = $t->backend_port('up');

# a private key of each kind, as an operator makes them

my %key = (
    EdDSA => [ qw/-algorithm ED25519/ ],
    ES256 => [ qw/-algorithm EC -pkeyopt ec_paramgen_curve:P-256/ ],
    SM2 => [ qw/-algorithm SM2/ ],
);

for my $alg (sort keys %key) {
    my ($rc, $out, $err) = $t->command('openssl', 'genpkey', @{ $key{$alg} },
        '-out', $t->dir() . "/$alg.key");
    die $err if $rc;
    chmod 0600, $t->dir() . "/$alg.key";
}

$t->write_file('tif.secret', "gov-demo-token-0123\n");
chmod 0600, $t->dir() . '/tif.secret';

$t->http_conf(<<"EOF")->run();
    govsvc_node gw-test-01;

    # so that Nginx does not drop the odd names before we see them
    underscores_in_headers  on;
    ignore_invalid_headers  off;

    govsvc_issuer national {
        iss        https://sso.gov.example;
        audience   off;
        jwks_file  keys/jwks.json;
        assurance  acr map=1:1,3:3;
    }

    govsvc_token_zone  zone=tokens:256k;

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_token  optional from=header,cookie:gov,arg:access_token;

        govsvc_identity_set  X-Gov-User  \$govsvc_subject;
        govsvc_identity_set  X-Gov-Name  \$govsvc_claim_name encode=pct;
        govsvc_identity_set  X-Gov-Name64 \$govsvc_claim_name encode=base64url;
        govsvc_identity_set  X-Gov-None  \$arg_none;
        govsvc_identity_set  X-Gov-Level \$govsvc_level;

        location / {
            proxy_pass  http://127.0.0.1:$up;
        }

        location /path/ {
            govsvc_identity_set  X-Gov-Path  \$uri;
            govsvc_identity_set  X-Gov-Code  \$uri encode=pct;
            govsvc_identity_sign x-tif app=gw secret=tif.secret uid=\$uri;
            proxy_pass  http://127.0.0.1:$up;
        }

        location /nested/ {
            govsvc_identity_set  X-Gov-Only yes;
            proxy_pass  http://127.0.0.1:$up;
        }

        location /off/ {
            govsvc_identity_set  off;
            proxy_pass  http://127.0.0.1:$up;
        }

        location /forward/ {
            govsvc_token  required forward=on
                          from=header,cookie:gov,arg:access_token;
            proxy_pass    http://127.0.0.1:$up;
        }

        location /eddsa/ {
            govsvc_identity_sign  jws header=X-Gov-Assertion key=EdDSA.key
                                  aud=gd kid=ed-1 ttl=10s;
            proxy_pass  http://127.0.0.1:$up;
        }

        location /es256/ {
            govsvc_identity_sign  jws header=X-Gov-Assertion key=ES256.key
                                  aud=\$arg_aud iss=https://gw.example;
            proxy_pass  http://127.0.0.1:$up;
        }

        location /sm2/ {
            govsvc_identity_sign  jws header=X-Gov-Assertion key=SM2.key
                                  alg=SM2 aud=gd;
            proxy_pass  http://127.0.0.1:$up;
        }

        location /tif/ {
            govsvc_identity_sign  x-tif app=gw secret=tif.secret
                                  uinfo=\$arg_info ext=lvl=\$govsvc_level;
            proxy_pass  http://127.0.0.1:$up;
        }

        location /again/ {
            proxy_pass            http://127.0.0.1:$up/fail;
            proxy_intercept_errors on;
            error_page 404 =200   /eddsa/again;
        }

        location = /jwks { govsvc_identity_jwks; }
    }

    server {
        listen      127.0.0.1:%%PORT_1%%;
        location / {
            proxy_pass  http://127.0.0.1:$up;
        }
    }
EOF

my %claims = (iss => 'https://sso.gov.example', sub => 'u1', acr => '3',
    name => "\x{5f20}\x{4e09}", client_id => 'app7');

sub token {
    my (%more) = @_;

    return $t->token('ES256', { %claims, %more }, ttl => 600);
}

my $token = token();

# What the platform got.

sub got {
    my ($uri, %options) = @_;

    my $r = $t->http_get($uri, %options);

    return $r->json // {};
}

sub bearer { (headers => { Authorization => 'Bearer ' . ($_[0] // $token) }) }

sub claims {
    my ($jws) = @_;

    return decode_json(decode_base64url((split /\./, $jws // '..')[1] || 'e30'));
}


# set

my $h = got('/a', bearer())->{headers};

is($h->{'x-gov-user'}, 'u1', 'the subject');
is($h->{'x-gov-level'}, '3', 'the level');
is($h->{'x-gov-name'}, '%E5%BC%A0%E4%B8%89', 'a name, percent-encoded');
is($h->{'x-gov-name64'}, encode_base64url("\xe5\xbc\xa0\xe4\xb8\x89"),
    'a name in base64url');
ok(!exists $h->{'x-gov-none'}, 'an empty value makes no header');

my $anonymous = got('/a')->{headers};
ok(!exists $anonymous->{'x-gov-user'}, 'an anonymous caller has no name');

is_deeply([ grep { /^x-gov/ } sort keys %{
    got('/nested/', bearer())->{headers} } ], [ 'x-gov-only' ],
    'a location that sets its own sets no others');
is_deeply([ grep { /^x-gov/ } keys %{ got('/off/', bearer())->{headers} } ],
    [], 'off');


# what clients send of the kind

my @forged = map { [ $_ => 'admin' ] }
    qw/X-Gov-User x-gov-user X_Gov_User X.Gov.User x-gov_USER X-Gov-Assertion
       X-Tif-Uid x_tif_uid X-Gov-Only/;

for my $port (0, 1) {
    for my $case (@forged) {
        my $r = got('/a', headers => [ @$case ], port => $t->port($port));

        is_deeply([ grep { $_->[1] eq 'admin' } @{ $r->{raw_headers} } ], [],
            "server $port: $case->[0] of a client does not arrive");
    }
}

# control bytes never arrive, and make no other header

for my $bytes (qw/a%0d%0aX-Role:admin a%0aX-Role:admin a%7f a%09b a%1bb/) {
    my $h = got("/path/$bytes", bearer())->{headers};

    is_deeply([ grep { /^(x-gov-path|x-role|x-tif-.*)$/ } keys %$h ], [],
        "$bytes: no header");
    is($h->{'x-gov-code'}, '%2Fpath%2F' . $bytes =~ s/:/%3A/r =~
        s/%0d%0a/%0D%0A/r =~ s/%0a/%0A/r =~ s/%7f/%7F/r =~ s/%1b/%1B/r,
        "$bytes: but encoded");
}

is(got('/path/ok', bearer())->{headers}{'x-gov-path'}, '/path/ok',
    'other bytes do');

my $evil = token(name => "a\r\nX-Role: admin", sub => "u\r\nX-Role: admin");
$h = got('/a', bearer($evil))->{headers};

ok(!exists $h->{'x-role'}, 'no header out of a claim');
ok(!exists $h->{'x-gov-user'}, 'no subject with control bytes');


# the credential stays here

for my $case (
    [ 'header', '/a?x=1&y=2', bearer() ],
    [ 'cookie', '/a?x=1&y=2', headers => { Cookie => "a=b; gov=$token; c=d" } ],
    [ 'cookie alone', '/a?x=1&y=2', headers => { Cookie => "gov=$token" } ],
    [ 'argument', "/a?x=1&access_token=$token&y=2" ],
    [ 'argument first', "/a?access_token=$token&x=1&y=2" ],
    [ 'argument last', "/a?x=1&y=2&access_token=$token" ],
) {
    my ($name, $uri, %options) = @$case;
    my $r = got($uri, %options);

    is($r->{headers}{'x-gov-user'}, 'u1', "$name: the caller is known");
    unlike(encode_json($r), qr/\Q$token/, "$name: the token does not arrive");
    is($r->{uri}, '/a?x=1&y=2', "$name: the rest does");
}

is(got('/a', headers => { Cookie => "a=b; gov=$token; c=d" })
    ->{headers}{cookie}, 'a=b; c=d', 'other cookies stay');
is(got("/a?access_token=$token")->{uri}, '/a', 'no empty query is left');
is(got('/a', headers => { Authorization => 'Basic dTpw' })
    ->{headers}{authorization}, 'Basic dTpw', 'another scheme is not ours');
like(got('/forward/', bearer())->{headers}{authorization} // '', qr/^Bearer /,
    'forward=on');


# assertions

my ($jwks) = map { decode_json($t->http_get('/jwks')->body) } 1;

is($t->http_get('/jwks')->header('Content-Type'), 'application/jwk-set+json',
    'our keys are published');
is(scalar @{ $jwks->{keys} }, 3, 'all of them');
is_deeply([ grep { exists $_->{d} } @{ $jwks->{keys} } ], [], 'no private one');
is($t->http_request('POST', '/jwks', body => 'x')->status, 405, 'by GET only');

$t->write_file('ours.json', $t->http_get('/jwks')->body);

for my $case ([ 'eddsa', 'EdDSA', '' ], [ 'es256', 'ES256', '?aud=gd' ],
    [ 'sm2', 'SM2', '' ])
{
    my ($where, $alg, $args) = @$case;
    my $jws = got("/$where/$args", bearer())->{headers}{'x-gov-assertion'};
    my $c = claims($jws);

    $t->write_file("$where.jws", "$jws\n");

    my ($rc, $out) = $t->command('sh', '-c', 'cd "$1" && "$2" token verify'
        . ' --jwks ours.json --alg "$3" --aud gd < "$4"', 'sh', $t->dir(),
        "$FindBin::Bin/../build/govsvc", $alg, "$where.jws");

    is($rc, 0, "$alg: verified by our keys") or diag("$jws $out");
    is($c->{sub}, 'u1', "$alg: sub");
    is($c->{aud}, 'gd', "$alg: aud");
    is($c->{level}, 3, "$alg: level");
    is($c->{client_id}, 'app7', "$alg: client_id");
    is($c->{idp}, 'national', "$alg: the issuer that knows the caller");
    like($c->{jti}, qr/^[0-9a-f]{32}$/, "$alg: jti");
    cmp_ok($c->{exp} - $c->{iat}, '<=', 60, "$alg: short");
}

my $first = got('/eddsa/', bearer())->{headers}{'x-gov-assertion'};
my $ed = claims($first);

is($ed->{iss}, 'gw-test-01', 'iss is the node');
is($ed->{exp} - $ed->{iat}, 10, 'ttl');
is(got('/eddsa/x', bearer())->{headers}{'x-gov-assertion'}, $first,
    'the same for the next request');
is(got('/eddsa/x', bearer(token(jti => 'other')))->{headers}
    {'x-gov-assertion'}, $first, 'and for another token of the same caller');
isnt(got('/eddsa/', bearer(token(sub => 'u2')))->{headers}
    {'x-gov-assertion'}, $first, 'another for another caller');
isnt(got('/eddsa/', bearer(token(acr => '1')))->{headers}
    {'x-gov-assertion'}, $first, 'and for another level');

my @aud = map { claims(got("/es256/?aud=$_", bearer())->{headers}
    {'x-gov-assertion'})->{aud} } qw/a b a/;

is("@aud", 'a b a', 'each audience has its own');
is(claims(got('/es256/?aud=a', bearer())->{headers}{'x-gov-assertion'})
    ->{iss}, 'https://gw.example', 'iss=');
ok(!exists got('/es256/', bearer())->{headers}{'x-gov-assertion'},
    'none for nobody');
ok(!exists got('/eddsa/')->{headers}{'x-gov-assertion'},
    'none of an anonymous caller');


# after an internal redirect: once, and of the same caller

$t->backend_stop('up');
$t->backend('up', sub { my ($r) = @_;
    $r->{uri} =~ /fail/ ? (404, [], '') : (200, [], encode_json($r)) });

my $r = got('/again/', bearer());

is($r->{uri}, '/eddsa/again', 'redirected');
is(claims($r->{headers}{'x-gov-assertion'})->{sub}, 'u1', 'the same caller');
is(scalar(grep { lc $_->[0] eq 'x-gov-user' } @{ $r->{raw_headers} }), 1,
    'each header once');
unlike(encode_json($r), qr/\Q$token/, 'without the token');


# x-tif: what a platform of that kind computes (domain of its documents)

$h = got('/tif/?info=zhang', headers => [ Authorization => "Bearer $token",
    'X-Tif-Signature' => 'forged', 'X_Tif_Nonce' => 'forged' ])->{headers};

my ($ts, $nonce, $secret) = ($h->{'x-tif-timestamp'}, $h->{'x-tif-nonce'},
    'gov-demo-token-0123');

is($h->{'x-tif-paasid'}, 'gw', 'x-tif: the application');
is($h->{'x-tif-uid'}, 'u1', 'x-tif: uid');
is($h->{'x-tif-uinfo'}, 'zhang', 'x-tif: uinfo');
is($h->{'x-tif-ext'}, 'lvl=3', 'x-tif: ext');
is($h->{'x-tif-signature'}, uc sha256_hex(
    "$ts$secret$nonce,u1,zhang,lvl=3$ts"), 'x-tif: the identity form');

$h = got('/tif/')->{headers};
($ts, $nonce) = ($h->{'x-tif-timestamp'}, $h->{'x-tif-nonce'});

is($h->{'x-tif-signature'}, uc sha256_hex("$ts$secret$nonce$ts"),
    'x-tif: the call form without a user');
ok(!exists $h->{'x-tif-uid'}, 'and no user');

$h = got('/tif/?info=a,b', bearer())->{headers};
is_deeply([ grep { /^x-tif/ } keys %$h ], [],
    'x-tif: nothing for a value that would shift its fields');

$t->done();
