#!/usr/bin/perl

# Copyright (C) govsvc authors

# Applications that sign their requests: verified, refused, and what is known
# of them afterwards.

use strict;
use warnings;

use Digest::SHA qw/sha256_hex/;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new(workers => 2)->has('cli', 'mint');

$t->mint_keys('keys');
$t->backend('up');

my $up = $t->backend_port('up');
my $n = 0;

sub secret {
    my ($name, $text) = @_;

    $t->write_file($name, $text);
    chmod 0600, $t->dir() . "/$name" or die;
}

secret('tif.secret', "gov-demo-token\n");
secret('old.secret', "gov-demo-token-of-last-year\n");
secret('gjz.secret', 'gov-demo-secret');
secret('key.secret', 'sha256:' . sha256_hex('plain-api-key'));

my @apps = (
    '{"id": "yss", "scheme": "x-tif", "secrets": ["file:tif.secret", '
        . '"file:old.secret"], "level": 3}',
    map { "{\"secrets\": [\"file:tif.secret\"], \"scheme\": \"x-tif\", $_}" }
        '"id": "gw", "level": 2, "identity": true',
        '"id": "sm3", "alg": "sm3"',
        '"id": "far", "networks": ["10.0.0.0/8"]',
        '"id": "near", "networks": ["127.0.0.0/8", "::1"]',
        '"id": "routed", "routes": ["gd-*"]',
        '"id": "platform", "routes": ["x", "gd"]',
        '"id": "gone", "expires": "2020-01-01T00:00:00+08:00"',
        '"id": "wide", "window": "10m"',
);

push @apps, map { "{\"secrets\": [\"file:gjz.secret\"], $_}" }
    '"id": "RID4400", "scheme": "gjzwfwpt"',
    '"id": "ak-demo", "scheme": "x-bg-hmac"',
    '"id": "AKID", "scheme": "sigv4"',
    '"id": "AKOPEN", "scheme": "sigv4", "body": "optional"',
    '"id": "http", "scheme": "rfc9421"',
    '"id": "gov", "scheme": "govhmac", "level": 4',
    '"id": "gov3", "scheme": "govhmac", "alg": "hmac-sm3"';

push @apps, '{"id": "reader", "scheme": "apikey", "secrets": ["file:key.secret"]}';

$t->write_file('apps.json', '{"apps": [' . join(",\n", @apps) . "]}\n");
$t->write_file('platforms.json', <<"EOF");
{"pools": [{"id": "p", "platform": "gd"}],
 "instances": [{"id": "a", "pool": "p", "address": "127.0.0.1", "port": $up}],
 "platforms": [{"id": "gd", "region": "440000",
                "name": {"zh": "g", "en": "g"}}],
 "routes": [
   {"id": "gd-path", "platform": "gd", "pool": "p",
    "match": {"paths": ["/44/"]}},
   {"id": "other", "platform": "gd", "pool": "p",
    "match": {"paths": ["/other/"]}}]}
EOF

$t->write_file('html/page/413.html', 'too much');

$t->http_conf(<<"EOF")->run();
    govsvc_platforms   platforms.json;
    govsvc_apps        apps.json;
    govsvc_nonce_zone  zone=nonces:32k;

    govsvc_issuer national {
        iss        https://sso.gov.example;
        audience   portal;
        jwks_file  keys/jwks.json;
    }

    client_max_body_size  64m;

    server {
        listen                  127.0.0.1:%%PORT_0%%;
        underscores_in_headers  on;

        add_header     X-Reason \$govsvc_reason always;
        add_header     X-Auth \$govsvc_auth always;
        add_header     X-Sub \$govsvc_subject always;
        add_header     X-App \$govsvc_app always;
        add_header     X-Level \$govsvc_level always;

        location /default {
            proxy_pass  http://127.0.0.1:$up;
        }

        location /required {
            govsvc_app  required;
            proxy_pass  http://127.0.0.1:$up;
        }

        location /off {
            govsvc_app  off;
            proxy_pass  http://127.0.0.1:$up;
        }

        location /tif {
            govsvc_app  required scheme=x-tif,apikey;
            proxy_pass  http://127.0.0.1:$up;
        }

        location /small {
            govsvc_app  required body=16;
            proxy_pass  http://127.0.0.1:$up;
        }

        location /stream {
            govsvc_app               required;
            proxy_request_buffering  off;
            proxy_pass               http://127.0.0.1:$up;
        }

        location /limited {
            govsvc_app            required;
            client_max_body_size  20;
            error_page            413 /page/413.html;
            proxy_pass            http://127.0.0.1:$up;
        }

        location /page/ {
            root  html;
        }

        location /limited-named {
            govsvc_app            required;
            client_max_body_size  20;
            error_page            413 /required/413;
            proxy_pass            http://127.0.0.1:$up;
        }

        location /levels {
            govsvc_app      optional;
            govsvc_require  level>=3;
            proxy_pass      http://127.0.0.1:$up;
        }

        location /any-token {
            govsvc_token    required;
            govsvc_require  level>=3;
            proxy_pass      http://127.0.0.1:$up;
        }

        location /named-token {
            govsvc_token  required issuer=national;
            proxy_pass    http://127.0.0.1:$up;
        }

        location /scope {
            govsvc_token    optional;
            govsvc_require  scope=read;
            proxy_pass      http://127.0.0.1:$up;
        }

        location /one {
            govsvc_token  optional;
            proxy_pass    http://127.0.0.1:$up;
        }

        location /both {
            govsvc_token  optional;
            govsvc_app    optional with=token;
            proxy_pass    http://127.0.0.1:$up;
        }

        location /redirect {
            govsvc_app  required;
            error_page  404 = /tif/again;
            root        html;
        }

        location /leave {
            govsvc_app  required;
            error_page  404 = /off/again;
            root        html;
        }

        location /44/ {
            govsvc_route  on;
            proxy_pass    http://127.0.0.1:$up;
        }

        location /other/ {
            govsvc_route  on;
            proxy_pass    http://127.0.0.1:$up;
        }
    }

    server {
        listen                  127.0.0.1:%%PORT_1%%;
        underscores_in_headers  on;
        govsvc_route            on;

        add_header     X-Reason \$govsvc_reason always;
        add_header     X-App \$govsvc_app always;

        location / {
            proxy_pass  http://127.0.0.1:$up;
        }
    }
EOF


sub get {
    my ($uri, $headers, %more) = @_;

    return $t->http_request($more{method} // 'GET', $uri,
        headers => $headers, %more);
}

sub tif {
    my ($id, %change) = @_;

    my $ts = $change{time} // time();
    my $nonce = $change{nonce} // sprintf 'n%d-%d', $$, $n++;
    my $token = $change{token} // 'gov-demo-token';
    my $who = exists $change{uid}
        ? ",$change{uid},$change{uinfo},$change{ext}" : '';
    my $p = $change{prefix} // 'x-tif';

    return { "$p-paasid" => $id, "$p-timestamp" => $ts, "$p-nonce" => $nonce,
        "$p-signature" => uc sha256_hex("$ts$token$nonce$who$ts"),
        $who eq '' ? () : ("$p-uid" => $change{uid},
            "$p-uinfo" => $change{uinfo}, "$p-ext" => $change{ext}) };
}

# The command makes the headers of the other schemes.

sub made {
    my ($scheme, $app, $method, $uri, %more) = @_;

    my @args = ('--scheme', $scheme, '--app', $app, '--secret-file',
        $t->dir() . '/gjz.secret', '--method', $method, '--url',
        "http://localhost$uri", map({ ('-H', $_) } @{$more{headers} || []}),
        @{$more{args} || []});

    if (defined $more{body}) {
        $t->write_file('body', $more{body});
        push @args, '--body-file', $t->dir() . '/body';
    }

    my ($code, $out, $err) = $t->govsvc('apps', 'sign', @args);

    die "apps sign: $err" if $code;

    return { map { /^([^:]+): (.*)$/ ? ($1, $2) : () } split /\n/, $out };
}

sub passes {
    my ($r, $app, $name) = @_;

    is($r->status, 200, $name) or diag($r->header('x-reason') // '');
    is($r->header('x-app'), $app, "$name: app") if defined $app;
}

sub refused {
    my ($r, $want, $name) = @_;

    is(join(' ', $r->status, $r->header('x-reason') // '-'), $want, $name);
}


# Without a signature

passes(get('/default', {}), undef, 'no signature');
refused(get('/required', {}), '401 AUTH_REQUIRED', 'a signature is wanted');
like(get('/required', {})->header('www-authenticate'), qr/^GOV-HMAC-SHA256 /,
    'challenge');

# x-tif

my $first = tif('yss');
my $r = get('/default', $first);
passes($r, 'yss', 'x-tif');
is($r->header('x-auth'), 'ok', 'x-tif: auth');
is($r->header('x-level'), 3, 'x-tif: level');
is($r->header('x-sub'), undef, 'x-tif: no subject');

refused(get('/default', $first), '401 REPLAY', 'the same again');
refused(get('/required', $first), '401 REPLAY', 'and elsewhere');

passes(get('/required', tif('yss', prefix => 'x-rio')), 'yss', 'x-rio');
passes(get('/required', tif('yss', prefix => 'x-sal')), 'yss', 'x-sal');
passes(get('/required', tif('yss', token => 'gov-demo-token-of-last-year')),
    'yss', 'the second secret');

my $bad = tif('yss', token => 'guess');
refused(get('/default', $bad), '401 APP_INVALID', 'wrong signature');
my $nobody = tif('nobody');
refused(get('/default', $nobody), '401 APP_INVALID', 'unknown application');

sub same {
    my ($body) = @_;

    $body =~ s/[0-9a-f]{32}/N/;
    return $body;
}

is(same(get('/default', tif('yss', token => 'x'))->body),
    same(get('/default', tif('nobody'))->body), 'one answer for both');

refused(get('/default', tif('undefined', token => '')), '401 APP_INVALID',
    'undefined with an empty secret');

refused(get('/default', tif('yss', time => time() - 400)), '401 CLOCK_SKEW',
    'old');
refused(get('/default', tif('yss', time => time() + 400)), '401 CLOCK_SKEW',
    'ahead');
ok(get('/default', tif('yss', time => time() - 400))->header('date'),
    'the answer has a date');
passes(get('/default', tif('wide', time => time() - 400)), 'wide',
    'a window of its own');
refused(get('/default', tif('yss', time => time() - 400, token => 'x')),
    '401 APP_INVALID', 'only who holds the secret learns of the clock');

my $used = tif('yss', token => 'guess');
refused(get('/default', $used), '401 APP_INVALID', 'a bad one');
passes(get('/default', tif('yss', nonce => $used->{'x-tif-nonce'})), 'yss',
    'uses no nonce up');

for my $name (qw/paasid timestamp nonce signature/) {
    my $h = tif('yss');
    delete $h->{"x-tif-$name"};
    refused(get('/default', $h), '400 APP_MALFORMED', "no $name");

    $h = tif('yss');
    refused(get('/default', [ %$h, "X-Tif-\u$name" => $h->{"x-tif-$name"} ]),
        '400 APP_MALFORMED', "two $name");
}

for my $nonce ('abc', 'a' x 37, 'a b c d', 'abc%20d', "abcd\x{80}") {
    refused(get('/default', tif('yss', nonce => $nonce)), '400 APP_MALFORMED',
        "nonce: $nonce");
}

for my $time ('0', '-1', '1e9', '1700000000000000', '') {
    refused(get('/default', tif('yss', time => $time)), '400 APP_MALFORMED',
        "time: $time");
}

refused(get('/default', { %{tif('yss')}, %{tif('yss', prefix => 'x-rio')} }),
    '400 APP_MALFORMED', 'two prefixes');
refused(get('/default', { %{tif('yss')}, 'X-Api-Key' => 'reader:plain-api-key' }),
    '400 APP_MALFORMED', 'two schemes');

# errcode bodies

$r = get('/default', tif('yss', token => 'x'));
is($r->header('content-type'), 'application/json', 'errcode: type');
is($r->json->{errcode}, 400000401, 'errcode');
is($r->json->{code}, 'APP_INVALID', 'errcode: code');
like($r->json->{request_id}, qr/^[0-9a-f]{32}$/, 'errcode: number');

$r = get('/default', { %{tif('yss', token => 'x')}, Accept => 'text/html' });
like($r->header('content-type'), qr{^text/html}, 'errcode: not for browsers');

# Identity form

my %who = (uid => 'u1001', uinfo => 'zhangsan', ext => 'lvl=3');

$r = get('/required', tif('gw', %who));
passes($r, 'gw', 'identity form');
is($r->header('x-sub'), 'u1001', 'identity form: subject');
unlike($t->backend_requests('up') ? ($t->backend_requests('up'))[-1] : '',
    qr/zhangsan/, 'identity form: stripped for the platform');

refused(get('/default', tif('yss', %who)), '403 APP_FORBIDDEN',
    'may not name a subject');
refused(get('/default', { %{tif('gw')}, 'x-tif-uid' => 'admin' }),
    '401 APP_INVALID', 'a subject that was not signed');
refused(get('/default', tif('gw', %who, uid => 'a,b')), '400 APP_MALFORMED',
    'a comma in the subject');
refused(get('/default', [ %{tif('gw', %who)}, 'X-Tif-Uid' => 'admin' ]),
    '400 APP_MALFORMED', 'two subjects');

$r = get('/default', { 'x-tif-uid' => 'admin' });
is($r->header('x-sub'), undef, 'a subject without signature is nobody');

# Networks, routes, expiry

refused(get('/default', tif('far')), '403 APP_FORBIDDEN', 'another network');
passes(get('/default', tif('near')), 'near', 'its network');
passes(get('/44/x', tif('routed')), 'routed', 'its route');
refused(get('/other/x', tif('routed')), '403 APP_FORBIDDEN', 'another route');
passes(get('/other/x', tif('platform')), 'platform', 'its platform');
refused(get('/default', tif('platform')), '403 APP_FORBIDDEN', 'no route');
refused(get('/default', tif('gone')), '401 APP_EXPIRED', 'expired');

my $again = tif('routed');
refused(get('/other/x', $again), '403 APP_FORBIDDEN', 'refused');
refused(get('/44/x', $again), '401 REPLAY', 'known too late for its nonce');

$again = tif('routed');
refused(get('/other/x', $again, port => $t->port(1)), '403 APP_FORBIDDEN',
    'refused at once');
passes(get('/44/x', $again), 'routed', 'which keeps the nonce');

# Schemes allowed at a place

passes(get('/tif', tif('yss')), 'yss', 'scheme=');
refused(get('/tif', made('govhmac', 'gov', 'GET', '/tif')),
    '401 AUTH_REQUIRED', 'another scheme');
passes(get('/off', tif('yss', token => 'x')), undef, 'off');
is(get('/off', tif('yss'))->header('x-app'), undef, 'off: no app');

# The other schemes

for my $row ([ 'gjzwfwpt', 'RID4400', '--sid', 'SID0001' ],
             [ 'x-bg-hmac', 'ak-demo' ], [ 'sigv4', 'AKID' ],
             [ 'rfc9421', 'http' ], [ 'govhmac', 'gov' ])
{
    my ($scheme, $app, @args) = @$row;

    for my $uri ('/required', '/required/a%20b?b=2&a=1', '/required?',
                 '/required/%E4%B8%AD?a=%2b+c&a&=x&a=1')
    {
        passes(get($uri, made($scheme, $app, 'GET', $uri, args => \@args)),
            $app, "$scheme: $uri");
    }

    my $h = made($scheme, $app, 'POST', '/required', args => \@args);
    passes(get('/required', $h, method => 'POST'), $app, "$scheme: POST");
    refused(get('/required', $h, method => 'POST'), '401 REPLAY',
        "$scheme: replay");

    next if $scheme eq 'gjzwfwpt';

    $h = made($scheme, $app, 'GET', '/required', args => \@args);
    refused(get('/required?x', $h), '401 APP_INVALID', "$scheme: other query");
    $h = made($scheme, $app, 'GET', '/required', args => \@args);
    refused(get('/required/x', $h), '401 APP_INVALID', "$scheme: other path");
    refused(get('/required', $h, method => 'DELETE'), '401 APP_INVALID',
        "$scheme: other method");

    next if $scheme eq 'x-bg-hmac';

    refused(get('/required', $h, host => 'other'), '401 APP_INVALID',
        "$scheme: other host");
}

passes(get('/required', { 'X-Api-Key' => 'reader:plain-api-key' }), 'reader',
    'apikey') for 1 .. 2;
refused(get('/required', { 'X-Api-Key' => 'reader:plain-api-kez' }),
    '401 APP_INVALID', 'apikey: wrong');
refused(get('/required', { 'X-Api-Key' => 'yss:gov-demo-token' }),
    '401 APP_INVALID', 'apikey: an application of another scheme');
refused(get('/required', { 'X-Api-Key' => 'reader' }), '400 APP_MALFORMED',
    'apikey: no secret');

passes(get('/required', made('govhmac', 'gov3', 'GET', '/required',
    args => [ '--alg', 'hmac-sm3' ])), 'gov3', 'govhmac with SM3');
refused(get('/required', made('govhmac', 'gov3', 'GET', '/required')),
    '401 APP_INVALID', 'govhmac: an algorithm that is not its own');

refused(get('/default?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00',
    {}), '400 APP_MALFORMED', 'sigv4: presigned');

# Bodies

for my $scheme (qw/sigv4 rfc9421 govhmac/) {
    my $app = { sigv4 => 'AKID', rfc9421 => 'http', govhmac => 'gov' }->{$scheme};
    my $body = '{"a":1}';
    # sigv4 has no nonce: what is sent twice in a second is sent twice

    my $sign = sub {
        return made($scheme, $app, 'POST', $_[0], body => $_[1] // $body,
            args => [ '--time', time() - 100 + $n++ % 200 ]);
    };

    $r = get('/required', $sign->('/required'), method => 'POST', body => $body);
    passes($r, $app, "$scheme: body");

    my $before = () = $t->backend_requests('up');

    refused(get('/required', $sign->('/required'), method => 'POST',
        body => '{"a":2}'), '401 APP_DIGEST', "$scheme: another body");
    refused(get('/stream', $sign->('/stream'), method => 'POST',
        body => '{"a":2}'), '401 APP_DIGEST', "$scheme: not buffered");
    refused(get('/required', $sign->('/required'), method => 'POST',
        body => ''), '401 APP_DIGEST', "$scheme: no body");
    refused(get('/required', made($scheme, $app, 'POST', '/required',
        args => [ '--time', time() - 101 ]), method => 'POST', body => $body),
        $scheme eq 'sigv4' ? '401 APP_DIGEST' : '401 APP_INVALID',
        "$scheme: a body that was not signed");

    my $after = () = $t->backend_requests('up');
    is($after, $before, "$scheme: nothing went to the platform");

    refused(get('/small', $sign->('/small', 'x' x 17), method => 'POST',
        body => 'x' x 17), '413 APP_BODY', "$scheme: too large");
    passes(get('/small', $sign->('/small', 'x' x 16), method => 'POST',
        body => 'x' x 16), $app, "$scheme: just small enough");

    passes(get('/stream', $sign->('/stream'), method => 'POST',
        body => $body), $app, "$scheme: buffering off");

    my %h = (%{$sign->('/required')}, 'Transfer-Encoding' => 'chunked');
    my $chunked = sub {
        my ($uri, $h, @chunks) = @_;
        return $t->http($t->request('POST', $uri, headers => $h)
            . join('', map { sprintf "%x\r\n%s\r\n", length, $_ } @chunks)
            . "0\r\n\r\n");
    };

    passes($chunked->('/required', \%h, '{"a"', ':1}'), $app,
        "$scheme: chunked");
    %h = (%{$sign->('/required')}, 'Transfer-Encoding' => 'chunked');
    refused($chunked->('/required', \%h, '{"a"', ':2}'), '401 APP_DIGEST',
        "$scheme: chunked, another body");
    %h = (%{$sign->('/small', 'x' x 40)}, 'Transfer-Encoding' => 'chunked');
    is($chunked->('/small', \%h, ('x' x 10) x 4)->status, 413,
        "$scheme: chunked, too large");
}

for my $uri ('/limited', '/limited-named') {
    $r = $t->http($t->request('POST', $uri, headers => {
        %{made('govhmac', 'gov', 'POST', $uri, body => 'x' x 40)},
        'Transfer-Encoding' => 'chunked' })
        . "14\r\n" . 'x' x 20 . "\r\n14\r\n" . 'x' x 20 . "\r\n0\r\n\r\n");
    is($r->status, 413, "$uri: the page of a body that Nginx refused");
    is($r->body =~ /too much/ ? 1 : 0, $uri eq '/limited' ? 1 : 0,
        "$uri: unless an application is wanted for it");
    is($r->header('x-app'), undef, "$uri: it is nobody's");
}

my $big = 'government ' x 953250;

passes(get('/required', made('govhmac', 'gov', 'POST', '/required',
    body => $big), method => 'POST', body => $big, timeout => 120), 'gov',
    '10 MB');
substr($big, -1, 1) = '!';
refused(get('/required', made('govhmac', 'gov', 'POST', '/required',
    body => 'government ' x 953250), method => 'POST', body => $big),
    '401 APP_DIGEST', '10 MB, one byte wrong');

my $v4 = made('sigv4', 'AKOPEN', 'POST', '/required');

is($v4->{'X-Amz-Content-Sha256'}, sha256_hex(''), 'sigv4: an empty payload');

for my $payload ('UNSIGNED-PAYLOAD', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD') {
    refused(get('/required', { %$v4, 'X-Amz-Content-Sha256' => $payload },
        method => 'POST', body => 'x'),
        $payload =~ /^S/ ? '400 APP_MALFORMED' : '401 APP_INVALID',
        "sigv4: $payload");
}

# Tokens

my $token = $t->token('ES256', { iss => 'https://sso.gov.example',
    aud => 'portal', sub => 'u7' }, ttl => 600);
my %bearer = (Authorization => "Bearer $token");

passes(get('/any-token', tif('yss')), 'yss', 'an application for a token');
refused(get('/any-token', tif('gw')), '401 STEP_UP', 'of too low a level');
refused(get('/named-token', tif('yss')), '401 AUTH_REQUIRED',
    'not where issuers are named');
refused(get('/scope', tif('yss')), '403 FORBIDDEN', 'it has no scope');
refused(get('/one', { %{tif('yss')}, %bearer }), '400 APP_MALFORMED',
    'token and signature');
passes(get('/one', \%bearer), undef, 'the token alone');

$r = get('/both', { %{tif('yss')}, %bearer });
passes($r, 'yss', 'both where they may be');
is($r->header('x-sub'), 'u7', 'the subject is the token\'s');
is($r->header('x-level'), 0, 'and so is the level');

# Internal redirects

my $once = tif('yss');
passes(get('/redirect', $once), 'yss', 'redirect keeps the application');
refused(get('/redirect', $once), '401 REPLAY', 'redirect: used up');
refused(get('/redirect', made('govhmac', 'gov', 'GET', '/redirect')),
    '401 AUTH_REQUIRED', 'redirect to a place with other schemes');
$r = get('/leave', tif('yss'));
passes($r, undef, 'redirect to a place without');
is($r->header('x-app'), undef, 'redirect: the application is forgotten');

# Replays over reload and the death of workers

my $kept = tif('yss');
passes(get('/required', $kept), 'yss', 'before');
$t->reload();
refused(get('/required', $kept), '401 REPLAY', 'after a reload');
$t->kill_worker();
refused(get('/required', $kept), '401 REPLAY', 'after the death of a worker');

# govsvc_require without govsvc_token: the level of the application

is(get('/levels', tif('yss'))->status, 200, 'level 3 where 3 is needed');

my $low = get('/levels', tif('gw'));
is($low->status, 403, 'level 2');
is($low->header('X-Reason'), 'FORBIDDEN', 'is forbidden');
is($low->header('WWW-Authenticate'), undef, 'and cannot step up');

my $unsigned = get('/levels', []);
is($unsigned->status, 401, 'no signature, which is optional');
is($unsigned->header('X-Reason'), 'AUTH_REQUIRED', 'is asked for one');
like($unsigned->header('WWW-Authenticate'), qr/^GOV-HMAC-SHA256 /,
    'of an application');
is(get('/levels', tif('yss', token => 'x'))->header('X-Reason'), 'APP_INVALID',
    'a bad one');

# A full store

my ($full, $sent) = (0, 0);

while ($sent < 40000 && !$full) {
    my @raw = map { $t->request('GET', '/required', headers => tif('yss')) }
        1 .. 500;
    $sent += @raw;
    $full = grep { $_->status == 503 } $t->http_parallel(\@raw);
}

ok($full, "the store is full after $sent");
like($t->error_log(), qr/\[crit\].*reason: nonce_store_full/, 'and logged');

# Secrets

my $log = $t->error_log();
unlike($log, qr/gov-demo|plain-api-key/, 'no secret in the log');
my ($rc, $shown) = $t->command($t->environment(), 'nginx', '-T', '-p',
    $t->dir() . '/', '-e', $t->dir() . '/test.log', '-c',
    $t->dir() . '/nginx.conf');
like($shown, qr/"id": "yss"/, 'nginx -T shows apps.json');
unlike($shown, qr/gov-demo|plain-api-key/, 'and no secret');

$t->done();
