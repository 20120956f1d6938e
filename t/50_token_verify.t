#!/usr/bin/perl

# Copyright (C) govsvc authors

# Tokens on the way of a request: found, verified, refused, and what is known
# of the caller afterwards.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new()->has('mint');

$t->mint_keys('keys');
$t->backend('up');

my $up = $t->backend_port('up');

$t->http_conf(<<"EOF")->run();
    govsvc_issuer national {
        iss           https://sso.gov.example;
        audience      portal api;
        jwks_file     keys/jwks.json;
        leeway        30s;
        max_lifetime  12h;
        require       exp sub;
        assurance     acr map=1:1,2:2,urn:gov:3:3,4:4;
    }

    govsvc_issuer zj {
        iss           https://zj.gov.example;
        audience      portal;
        algs          SM2;
        jwks_file     keys/jwks.json;
    }

    govsvc_token_zone  zone=tokens:1m;

    server {
        listen         127.0.0.1:%%PORT_0%%;

        add_header     X-Reason \$govsvc_reason always;
        add_header     X-Auth \$govsvc_auth always;
        add_header     X-Sub \$govsvc_subject always;
        add_header     X-App \$govsvc_app always;
        add_header     X-Scope \$govsvc_scope always;
        add_header     X-Level \$govsvc_level always;
        add_header     X-Name \$govsvc_claim_name always;
        add_header     X-Groups \$govsvc_claim_groups always;
        add_header     X-Region \$govsvc_claim_user_region always;
        add_header     X-N \$govsvc_claim_n always;

        location /required {
            govsvc_token  required;
            proxy_pass    http://127.0.0.1:$up;
        }

        location /optional {
            govsvc_token  optional issuer=national;
            proxy_pass    http://127.0.0.1:$up;
        }

        location /off {
            govsvc_token  off;
            proxy_pass    http://127.0.0.1:$up;
        }

        location /from {
            govsvc_token  optional from=header,cookie:gov,arg:access_token;
            proxy_pass    http://127.0.0.1:$up;
        }

        location /cookie {
            govsvc_token  required from=cookie:gov;
            proxy_pass    http://127.0.0.1:$up;
        }

        location /level {
            govsvc_token    required;
            govsvc_require  level>=3;
            proxy_pass      http://127.0.0.1:$up;
        }

        location /scope {
            govsvc_token    optional;
            govsvc_require  scope=write scope=read;
            proxy_pass      http://127.0.0.1:$up;

            location /scope/open {
                govsvc_require  off;
                proxy_pass      http://127.0.0.1:$up;
            }

            location /scope/claim {
                govsvc_require  claim:groups=b claim:n=7;
                proxy_pass      http://127.0.0.1:$up;
            }
        }

        location /redirect {
            govsvc_token  required;
            error_page    404 = /required/again;
            root          html;
        }

        location /other {
            govsvc_token  required issuer=national;
            try_files     /none /zj;
        }

        location /zj {
            govsvc_token  optional issuer=zj;
            proxy_pass    http://127.0.0.1:$up;
        }

        location /try {
            govsvc_token  required;
            try_files     /none /required/tried;
        }

        location /named {
            govsvc_token  required;
            error_page    401 \@login;
            proxy_pass    http://127.0.0.1:$up;
        }

        location \@login {
            return  302 /login;
        }
    }
EOF


my %claims = (
    iss => 'https://sso.gov.example',
    aud => 'portal',
    sub => 'u1001',
);

sub claims { return { %claims, @_ } }

sub token {
    my ($alg, $claims, %opt) = @_;

    return $t->token($alg, $claims, ttl => 3600, %opt);
}

sub with {
    my ($token, $uri, %opt) = @_;

    return $t->http_get($uri // '/required',
        headers => { Authorization => "Bearer $token" }, %opt);
}

sub refused {
    my ($r, $status, $code, $challenge, $name) = @_;

    is($r->status, $status, "$name: status");
    is($r->header('X-Reason'), $code, "$name: $code");
    is($r->header('WWW-Authenticate'), $challenge, "$name: challenge");
}

my $invalid = 'Bearer realm="govsvc", error="invalid_token"';
my $request = 'Bearer realm="govsvc", error="invalid_request"';
my $realm = 'Bearer realm="govsvc"';


# nobody

refused($t->http_get('/required'), 401, 'AUTH_REQUIRED', $realm,
    'none, required');
is($t->http_get('/required', headers => { Accept => 'application/json' })
    ->json->{code}, 'AUTH_REQUIRED', 'in the document');
is($t->http_get('/required')->header('X-Auth'), 'absent', 'absent');
is($t->http_get('/optional')->status, 200, 'none, optional');
is($t->http_get('/off')->status, 200, 'none, off');
is($t->http_get('/off')->header('X-Auth'), undef, 'off: nothing asked');


# each algorithm, twice: checked and from the cache

for my $alg (qw/RS256 ES256 EdDSA SM2/) {
    my $token = token($alg, claims(acr => 'urn:gov:3', scope => 'read write',
        client_id => 'app1', name => "\x{5f20}\x{4e09}",
        groups => [ 'a', 'b' ], n => 7, User_Region => '330000'));

    for my $turn ('first', 'again') {
        my $r = with($token);

        is($r->status, 200, "$alg, $turn");
        is($r->header('X-Auth'), 'ok', 'ok');
        is($r->header('X-Sub'), 'u1001', 'subject');
        is($r->header('X-App'), 'app1', 'app');
        is($r->header('X-Scope'), 'read write', 'scope');
        is($r->header('X-Level'), 3, 'level');
        is($r->header('X-Name'), "\xe5\xbc\xa0\xe4\xb8\x89", 'UTF-8 claim');
        is($r->header('X-Groups'), 'a,b', 'array');
        is($r->header('X-N'), '7', 'number');
        is($r->header('X-Region'), '330000', 'claim name in another case');
    }
}

is(with(token('SM2', claims(), der => undef))->status, 200, 'SM2 in DER');
is(with(token('SM2', claims(), header_alg => 'SM3WithSM2'))->status, 200,
    'another name of SM2');


# two issuers

is(with(token('SM2', claims(iss => 'https://zj.gov.example')))->status, 200,
    'the other issuer');
is(with(token('RS256', claims(iss => 'https://zj.gov.example')))->status, 401,
    'with an algorithm it does not use');
is(with(token('SM2', claims(iss => 'https://zj.gov.example')),
    '/optional')->status, 401, 'where it is not allowed');


# bad ones, one answer for all

my $rs = token('RS256', claims());
my $changed = $rs;
substr($changed, -20, 1) = substr($changed, -20, 1) eq 'A' ? 'B' : 'A';

my %bad = (
    'another signature' => $changed,
    'unknown key' => token('RS256', claims(), kid => 'new'),
    'another issuer' => token('RS256', claims(iss => 'https://x.example')),
    'another audience' => token('RS256', claims(aud => 'portal2')),
    'no audience' => token('RS256', claims(aud => [])),
    'no sub' => token('RS256', claims(sub => '')),
    'nbf in the future' => token('RS256', claims(nbf => time() + 3600)),
    'lifetime' => token('RS256', claims(), ttl => 13 * 3600),
    'sub with CR LF' => token('RS256', claims(sub => "a\r\nX-Evil: 1")),
    'alg none' => token('RS256', claims(), header_alg => 'none'),
    'HS256' => token('HS256', claims(), key => 'rs256'),
    'typ dpop+jwt' => token('RS256', claims(), header => '{"typ":"dpop+jwt"}'),
    'crit' => token('RS256', claims(), header => '{"crit":["x"],"x":1}'),
    'a word' => 'junk',
    'dots' => '..',
    'ES256 in DER' => token('ES256', claims(), der => undef),
    'SM2, another identity' => token('SM2', claims(), sm2_id => 'x'),
    'padded' => "$rs=",
    'cut' => substr($rs, 0, -1),
);

my $page;

for my $name (sort keys %bad) {
    for my $uri ('/required', '/optional') {
        my $r = with($bad{$name}, $uri);

        refused($r, 401, 'TOKEN_INVALID', $invalid, "$name, $uri");
        is($r->header('X-Auth'), 'bad', "$name: bad");

        my $body = $r->body;
        $body =~ s/[0-9a-f]{32}/ID/g;
        $page //= $body;
        is($body, $page, "$name: the same answer");
    }
}

is(with($changed)->status, 401, 'a bad one again');

my $expired = token('RS256', claims(exp => time() - 60));
refused(with($expired), 401, 'TOKEN_EXPIRED',
    qq($invalid, error_description="expired"), 'expired');
is(with(token('RS256', claims(exp => time() - 10)))->status, 200,
    'expired within the leeway');


# where it stands

for my $scheme (qw/Bearer bearer BEARER/) {
    is($t->http_get('/required', headers => { Authorization => "$scheme $rs" })
        ->status, 200, $scheme);
}

is($t->http_get('/required', headers => { Authorization => "Bearer   $rs" })
    ->status, 200, 'more blanks');
refused($t->http_get('/required', headers => { Authorization => 'Basic YTpi' }),
    401, 'AUTH_REQUIRED', $realm, 'Basic');
refused($t->http_get('/required', headers => { Authorization => "Bearers $rs" }),
    401, 'AUTH_REQUIRED', $realm, 'Bearers');
refused($t->http_get('/required', headers => { Authorization => 'Bearer' }),
    400, 'TOKEN_MALFORMED', $request, 'Bearer alone');
refused($t->http_get('/required',
    headers => { Authorization => "Bearer $rs $rs" }),
    400, 'TOKEN_MALFORMED', $request, 'two tokens in a line');

is($t->http_get('/required', headers => [ Authorization => "Bearer $rs",
    Authorization => "Bearer $rs" ])->status, 400, 'two lines');
is($t->http_get("/required?access_token=$rs")->status, 401,
    'an argument, not asked for');

is($t->http_get("/from?access_token=$rs")->header('X-Auth'), 'ok', 'argument');
is($t->http_get("/from?a=1&access_token=$rs&b=2")->header('X-Auth'), 'ok',
    'argument among others');
is($t->http_get("/from?xaccess_token=$rs")->header('X-Auth'), 'absent',
    'another argument');
is($t->http_get('/from?access_token=')->header('X-Auth'), 'absent',
    'an empty one');
is($t->http_get('/from', headers => { Cookie => "a=1; gov=$rs; b=2" })
    ->header('X-Auth'), 'ok', 'cookie');
is($t->http_get('/from', headers => { Cookie => "xgov=$rs" })
    ->header('X-Auth'), 'absent', 'another cookie');
is($t->http_get('/from', headers => [ Cookie => 'a=1', Cookie => "gov=$rs" ])
    ->header('X-Auth'), 'ok', 'second Cookie line');
is($t->http_get('/cookie', headers => { Authorization => "Bearer $rs" })
    ->status, 401, 'a header, not asked for');

my %two = (
    'header and argument' => [ "/from?access_token=$rs",
        Authorization => "Bearer $rs" ],
    'header and cookie' => [ '/from', Authorization => "Bearer $rs",
        Cookie => "gov=$rs" ],
    'two arguments' => [ "/from?access_token=$rs&access_token=$rs" ],
    'two cookies' => [ '/from', Cookie => "gov=$rs; gov=$rs" ],
    'two Cookie lines' => [ '/from', Cookie => "gov=$rs", Cookie => 'gov=x' ],
);

for my $name (sort keys %two) {
    my ($uri, @headers) = @{ $two{$name} };

    refused($t->http_get($uri, headers => \@headers), 400, 'TOKEN_MALFORMED',
        $request, $name);
}

refused(with('x' x 7000), 401, 'TOKEN_INVALID', $invalid, '7000 bytes');


# enough?

my $low = token('RS256', claims(acr => '2'));
my $high = token('RS256', claims(acr => '4'));
my $step_up = 'Bearer realm="govsvc",'
    . ' error="insufficient_user_authentication", acr_values="urn:gov:3 4"';
my $scope = 'Bearer realm="govsvc", error="insufficient_scope"';

refused(with($low, '/level'), 401, 'STEP_UP', $step_up, 'level 2');
refused(with($rs, '/level'), 401, 'STEP_UP', $step_up, 'no acr');
is(with($high, '/level')->status, 200, 'level 4');
is(with($low)->header('X-Level'), 2, 'level 2');

my $read = token('RS256', claims(scope => 'read'));
my $both = token('RS256', claims(scope => 'other write read'));
my $list = token('RS256', claims(scope => [ 'write', 'read' ],
    groups => [ 'a', 'b' ], n => 7));

refused(with($read, '/scope'), 403, 'FORBIDDEN', qq($scope, scope="write"),
    'scope missing');
is(with($both, '/scope')->status, 200, 'both scopes');
is(with($list, '/scope')->status, 200, 'as a list');
is(with($list, '/scope')->header('X-Scope'), 'write read', 'joined');
refused($t->http_get('/scope'), 401, 'AUTH_REQUIRED', $realm,
    'optional, but something is required');
is($t->http_get('/scope/open')->status, 200, 'govsvc_require off');
is(with($list, '/scope/claim')->status, 200, 'claims');
refused(with($both, '/scope/claim'), 403, 'FORBIDDEN', $scope,
    'no such claim');


# what must not come out

my $evil = with(token('RS256', claims(name => "a\r\nX-Evil: 1",
    groups => [ 'a,b', 'c' ])));
is($evil->status, 200, 'control bytes in another claim');
is($evil->header('X-Name'), undef, 'are not in the variable');
is($evil->header('X-Evil'), undef, 'nor a header');
is($evil->header('X-Groups'), undef, 'no list that reads as another');


# internal redirects keep the identity

for my $uri ('/redirect', '/try') {
    my $r = with($high, $uri);

    is($r->status, 200, $uri);
    is($r->header('X-Sub'), 'u1001', 'who it is');
}

is($t->http_get('/try')->status, 401, 'and the refusal');

my $other = with($high, '/other');
is($other->status, 401, 'another policy behind a redirect is asked anew');
is($other->header('X-Sub'), undef, 'and the identity is forgotten');
is(with(token('SM2', claims()), '/other')->status, 401, 'by any key');

my $login = $t->http_get('/named');
is($login->status, 302, 'error_page to a login');
like($login->header('Location'), qr{/login$}, 'its location');
is(with($rs, '/named')->status, 200, 'signed in');


# the token is nowhere in the log

my $log = $t->error_log();
my ($body, $sig) = (split /\./, $rs)[1, 2];

unlike($log, qr/govsvc token[^\n]*\Q$sig\E/, 'no signature in our lines');
unlike($log, qr/govsvc token[^\n]*\Q$body\E/, 'no payload in our lines');
like($log, qr/govsvc token: refused, reason: bad_signature/, 'a reason');
like($log, qr/govsvc\ token:\ refused,\ reason:\ bad_audience,\ client:
    \ 127\.0\.0\.1,\ request:\ [0-9a-f]{32}\n/x, 'with the request id');
like($log, qr/govsvc token: refused, reason: bad_request/, 'two tokens');

$t->done();
