#!/usr/bin/perl

# Copyright (C) govsvc authors

# Presigned URLs of AWS, payloads signed in chunks, and requests with several
# signatures.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new(workers => 2)->has('cli');

$t->backend('up');

my $up = $t->backend_port('up');
my $host = 'gw.gov.example';

$t->write_file('secret', 'a-secret-of-the-test');
$t->write_file('other', 'another-secret-of-it');
chmod 0600, map { $t->dir() . "/$_" } 'secret', 'other';

$t->write_file('apps.json', '{"apps": [' . join(', ', map {
    my ($id, $scheme, $more) = @$_;
    qq({"id": "$id", "scheme": "$scheme", "secrets": ["file:secret"]$more});
} [ 'AKLINK', 'sigv4', ', "presigned": "1h"' ],
  [ 'AKPUT', 'sigv4', ', "presigned": "1h", "body": "optional"' ],
  [ 'AKONCE', 'sigv4', ', "presigned": "1h", "replay": "all"' ],
  [ 'AKHEAD', 'sigv4', '' ],
  [ 'ours', 'govhmac', '' ],
  [ 'bg', 'x-bg-hmac', '' ],
  [ 'caller', 'rfc9421', '' ],
  [ 'tagged', 'rfc9421', ', "tag": "gov"' ]) . ']}');

$t->http_conf(<<"EOF2")->run();
    govsvc_apps  apps.json;

    server {
        listen      127.0.0.1:%%PORT_0%%;
        add_header  X-Reason \$govsvc_reason always;
        add_header  X-App \$govsvc_app always;

        location / {
            govsvc_app  required;
            proxy_pass  http://127.0.0.1:$up;
        }

        location /optional {
            proxy_pass  http://127.0.0.1:$up;
        }

        location /signed {
            govsvc_app  optional scheme=rfc9421;
            proxy_pass  http://127.0.0.1:$up;
        }
    }
EOF2

sub cli {
    my ($app, $scheme, $uri, %o) = @_;

    my ($rc, $out, $err) = $t->govsvc('apps', 'sign', '--scheme', $scheme,
        '--app', $app, '--secret-file', $t->dir() . '/'
        . ($o{secret} // 'secret'), '--method', $o{method} // 'GET',
        '--url', "http://$host$uri", @{$o{args} || []});

    die "$rc $err" if $rc;

    return $out;
}

sub presigned {
    my ($app, $uri, $life, %o) = @_;

    chomp(my $target = cli($app, 'sigv4', $uri, %o,
        args => [ '--presign', $life, @{$o{args} || []} ]));

    return $target;
}

sub answer {
    my ($method, $uri, %o) = @_;

    my $r = $t->http_request($method, $uri, host => $host, %o);

    return join ' ', $r->status, grep { $_ } $r->header('x-reason'),
        $r->header('x-app');
}

# Presigned

my $link = presigned('AKLINK', '/a%20b?x=1&y=%E4%BA%8B', '10m');

is(answer('GET', $link), '200 AKLINK', 'presigned') for 1 .. 2;
is(answer('GET', $link =~ s/x=1/x=2/r), '401 APP_INVALID',
    'another argument');
is(answer('GET', "$link&z=1"), '401 APP_INVALID', 'an argument more');
is(answer('HEAD', $link), '401 APP_INVALID', 'another method');
is(answer('GET', $link =~ s/Expires=600/Expires=601/r), '401 APP_INVALID',
    'a longer life');
is(answer('GET', "$link&x-amz-expires=9"), '400 APP_MALFORMED',
    'an argument of ours in another spelling');
is(answer('GET', "$link&X%2DAmz-Signature=00"), '400 APP_MALFORMED',
    'two signatures');
is(answer('GET', $link, headers => { 'X-Amz-Meta-Role' => 'admin' }),
    '401 APP_INVALID', 'a header that is not signed');
is(answer('POST', $link, body => 'x'), '401 APP_INVALID', 'a body');

is(answer('GET', presigned('AKLINK', '/', '10m', args => [ '--time',
    time() - 500 ])), '200 AKLINK', 'made long ago');
is(answer('GET', presigned('AKLINK', '/', '10m', args => [ '--time',
    time() - 700 ])), '401 APP_EXPIRED', 'and too long ago');
is(answer('GET', presigned('AKLINK', '/', '10m', args => [ '--time',
    time() + 400 ])), '401 CLOCK_SKEW', 'made in the future');
is(answer('GET', presigned('AKLINK', '/', '61m')), '401 APP_INVALID',
    'for longer than is allowed');
is(answer('GET', presigned('AKHEAD', '/', '10m')), '401 APP_INVALID',
    'an application that may not');
is(answer('GET', presigned('AKNONE', '/', '10m')), '401 APP_INVALID',
    'nobody');
is(answer('GET', presigned('AKLINK', '/', '10m', secret => 'other')),
    '401 APP_INVALID', 'another secret');
like($t->error_log(), qr/reason: presigned,/, 'the log knows');

# it is looked at wherever it is

is(answer('GET', '/optional?X-Amz-Signature=0'), '400 APP_MALFORMED',
    'a bad one where none is needed');
is(answer('GET', '/optional?X-Amz-Date=0'), '200', 'no signature at all');
is(answer('GET', '/signed?X-Amz-Signature=0'), '200',
    'where sigv4 is not taken');

# An address in absolute form chooses the server, whatever Host says.

for my $case (['AKLINK'], ['AKHEAD', 'sigv4'], ['caller', 'rfc9421'],
    ['ours', 'govhmac'])
{
    my ($app, $scheme) = @$case;
    my $name = $scheme // 'presigned';

    my $status = sub {
        my ($to, $named) = @_;

        my $uri = $scheme ? '/f' : presigned($app, '/f', '10m');
        my $head = $scheme ? cli($app, $scheme, $uri) =~ s/\n/\r\n/gr : '';

        return $t->http("GET $to$uri HTTP/1.1\r\nHost: $named\r\n$head"
            . "Connection: close\r\n\r\n")->status;
    };

    is($status->('http://other.gov.example', $host), 401,
        "$name: to another server");
    is($status->("http://$host:8080", $host), 401, "$name: to another port");
    is($status->("http://$host", $host), 200, "$name: in absolute form");
    is($status->("http://$host", 'other.gov.example'), 200,
        "$name: beside a Host that counts for nothing");
    is($status->('', 'other.gov.example'), 401, "$name: with another Host");
}

# A clock that begins in 1970 makes no signature that lasts for ever.

for my $case (['AKHEAD', 'sigv4'], ['bg', 'x-bg-hmac']) {
    my ($app, $scheme) = @$case;
    my %h = cli($app, $scheme, '/f', args => [ '--time', 0 ])
        =~ /^([^:]+): (.*)$/mg;

    like(join(' ', values %h), qr/19700101T000000Z|01 Jan 1970 00:00:00/,
        "$scheme: a time of 0");
    is(answer('GET', '/f', headers => \%h), '400 APP_MALFORMED',
        "$scheme: is none");
}

# bodies

my $put = presigned('AKPUT', '/f', '10m', method => 'PUT',
    args => [ '--service', 's3' ]);

is(answer('PUT', $put, body => 'x' x 1000), '200 AKPUT', 'PUT');
is(answer('PUT', $put, body => 'x'), '401 REPLAY', 'changes things once');

$put = presigned('AKPUT', '/f?1', '10m', method => 'PUT');
is(answer('PUT', $put, body => 'x'), '401 APP_DIGEST AKPUT',
    'not of S3: the empty body is signed');

is(answer('PUT', presigned('AKLINK', '/f', '10m', method => 'PUT',
    args => [ '--service', 's3' ]), body => 'x'), '401 APP_INVALID',
    'a body that must be signed');

my $once = presigned('AKONCE', '/', '10m');

is(answer('GET', $once), '200 AKONCE', 'a link for once');
is(answer('GET', $once), '401 REPLAY', 'is good once');

# Chunks

my %v4 = cli('AKPUT', 'sigv4', '/f', method => 'PUT') =~ /^([^:]+): (.*)$/mg;

is(answer('PUT', '/f', headers => { %v4, 'X-Amz-Content-Sha256' =>
    'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' }, body => 'x'),
    '400 APP_MALFORMED', 'signed in chunks');
like($t->error_log(), qr/reason: streaming_payload,/, 'told by name');

# Several signatures

sub signed {
    my ($app, $label, %o) = @_;

    my %h = cli($app, 'rfc9421', '/', %o) =~ /^([^:]+): (.*)$/mg;

    return map { $h{$_} =~ s/^gov=/$label=/r } 'Signature-Input', 'Signature';
}

sub several {
    my (@pairs) = @_;
    my @headers;

    while (my ($input, $signature) = splice @pairs, 0, 2) {
        push @headers, 'Signature-Input', $input, 'Signature', $signature;
    }

    return answer('GET', '/', headers => \@headers);
}

my @proxy = ('proxy=("@method" "date";sf);keyid="proxy";alg="rsa-v1_5-sha256"',
    'proxy=:AAAA:');
my @good = signed('caller', 'one');

is(several(@proxy, @good), '200 caller', 'beside that of a proxy');
is(several(@proxy, @good), '401 REPLAY', 'once');

@good = signed('caller', 'one');
is(several("$proxy[0], $good[0]", "$proxy[1], $good[1]"), '200 caller',
    'in one line');
is(several(signed('caller', 'a', secret => 'other'), signed('caller', 'b')),
    '200 caller', 'one is good');
is(several(signed('caller', 'a', secret => 'other'), @proxy),
    '401 APP_INVALID', 'none is');
is(several(@proxy), '400 APP_MALFORMED', 'that of a proxy alone');
is(several(signed('caller', 'a'), signed('caller', 'a')),
    '400 APP_MALFORMED', 'a label twice');
is(several(signed('tagged', 'a')), '401 APP_INVALID', 'without its tag');
like($t->error_log(), qr/reason: bad_tag,/, 'told by name');
is(several(signed('tagged', 'a'), signed('caller', 'b')), '200 caller',
    'another that is good');

$t->done();
