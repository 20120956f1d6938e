#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit: what each level tells at each stage, and what none ever tells.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

use MIME::Base64 qw(encode_base64url);
use Digest::SHA qw(sha256);

my $t = Test::GovSvc->new()->has('cli');
my $port = $t->backend('one');

my $conf = <<"EOF";
govsvc_node         n1;
govsvc_audit_store  dir=audit flush=0ms alg=sha256;
client_body_buffer_size 8k;

server {
    listen 127.0.0.1:%%PORT_0%%;
EOF

for my $level ('meta', 'headers', 'body_hash') {
    for my $intent ('off', 'durable') {
        $conf .= "location /$level-$intent/ { govsvc_audit $level "
            . "intent=$intent; proxy_pass http://127.0.0.1:$port; }\n";
    }
}

$conf .= 'location / { govsvc_audit off; proxy_pass http://127.0.0.1:'
    . "$port; } }\n";

$t->http_conf($conf)->run();

sub lines {
    my ($path) = @_;

    return grep { $_->{ty} eq 'http' && $_->{http}{path} eq $path }
        $t->audit_lines();
}

# Personal numbers in every place that a caller can write to.

my @personal = ('11010519491231002X', '440102198001014213', '13712349050',
    '8613712349050', '6225750000001491');
my $pii = join ',', @personal;

my %headers = (
    'X-Forwarded-For' => "203.0.113.9, $personal[2]",
    'Accept-Language' => "zh-$personal[0]",
    'Origin' => "https://a.example/$personal[4]",
    'Content-Type' => 'application/json',
    'Authorization' => 'Bearer SECRETVALUE',
    'Cookie' => "session=SECRETVALUE; id=$personal[0]",
    'X-Tif-Signature' => 'SECRETVALUE',
    'Proxy-Authorization' => 'Basic SECRETVALUE',
    'X-Password' => 'SECRETVALUE',
    'Referer' => "http://a/$personal[1]?token=SECRETVALUE",
    'User-Agent' => "u $pii",
    "X-$personal[2]" => '1',
);

my $body = '{"id":"' . $personal[0] . '","phone":"' . $personal[2]
    . '","password":"SECRETVALUE"}' . 'x' x 40000;

for my $level ('meta', 'headers', 'body_hash') {
    for my $intent ('off', 'durable') {
        my $path = "/$level-$intent/a";

        is($t->http_request('POST',
            "$path?$personal[0]=1&phone=$personal[2]&token=SECRETVALUE",
            headers => \%headers, body => $body)->status, 200, "$path");

        ok($t->wait_for(sub { grep { $_->{st} eq 'done' } lines($path) }),
            'recorded');

        my @lines = lines($path);
        is(join(' ', map { $_->{st} } @lines),
            $intent eq 'off' ? 'done' : 'intent done', 'its stages');

        for my $line (@lines) {
            my $st = $line->{st};

            is(exists $line->{hdr} ? 1 : 0, $level eq 'meta' ? 0 : 1,
                "$st: header fields");
            is(exists $line->{body} ? 1 : 0,
                $level eq 'body_hash' && $st eq 'done' ? 1 : 0, "$st: body");
            is(exists $line->{http}{status} ? 1 : 0, $st eq 'done' ? 1 : 0,
                "$st: status");
            is(exists $line->{up} ? 1 : 0, $st eq 'done' ? 1 : 0,
                "$st: upstream");
        }
    }
}

my ($line) = grep { $_->{st} eq 'done' } lines('/body_hash-off/a');

is_deeply($line->{body}, { len => length $body,
    sha256 => encode_base64url(sha256($body)) }, 'the digest of the body');
is($line->{hdr}{'content-type'}, 'application/json', 'a field');
is($line->{hdr}{'x-forwarded-for'}, '203.0.113.9, 137****9050', 'masked');
ok(!exists $line->{hdr}{authorization}, 'no credential');
ok(scalar(grep { $_ eq 'authorization' } @{$line->{hk}}),
    'but that there was one');
ok(scalar(grep { $_ eq 'x-137****9050' } @{$line->{hk}}), 'names, masked');

# A field that is given more than once is one field.

$t->http("GET /headers-off/twice HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    . "X-Forwarded-For: 203.0.113.9\r\nAccept: text/html\r\nVia: 1.1 a\r\n"
    . "X-Forwarded-For: $personal[2]\r\nVia:\r\nAccept: " . 'x' x 150 . "\r\n"
    . "X-Forwarded-For: 203.0.113.11\r\nAccept: y\r\n\r\n");
$t->wait_for(sub { lines('/headers-off/twice') });

($line) = lines('/headers-off/twice');
is($line->{hdr}{'x-forwarded-for'},
    '203.0.113.9, 137****9050, 203.0.113.11', 'told as one, masked');
like($line->{hdr}{accept}, qr/^text\/html, x{100}/, 'as far as there is room');
is($line->{hdr}{via}, '1.1 a', 'an empty one adds nothing');

my ($raw) = grep { index($_, '/headers-off/twice') > 0 }
    map { split /\n/, $t->read_file($_) } $t->audit_files();
is(scalar(() = $raw =~ /"x-forwarded-for":/g), 1, 'no key twice');

# A body in pieces, and none.

$t->http("POST /body_hash-off/chunks HTTP/1.1\r\nHost: a\r\n"
    . "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    . "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
$t->http_get('/body_hash-off/none');
$t->wait_for(sub { lines('/body_hash-off/none') });

is_deeply((lines('/body_hash-off/chunks'))[0]{body}, { len => 7,
    sha256 => encode_base64url(sha256('abcdefg')) }, 'in pieces');
ok(!exists((lines('/body_hash-off/none'))[0]{body}), 'no body, no digest');

$t->http_get('/nothing');
is(scalar(lines('/nothing')), 0, 'off');

# The corpus: spellings by which a number might pass.

my @spell;

for my $n (@personal) {
    my $percent = join '', map { sprintf '%%%02x', ord } split //, $n;
    my $twice = join '', map { sprintf '%%25%02x', ord } split //, $n;
    my $wide = join '', map { sprintf '%%EF%%BC%%%02X', ord($_) + 0x60 }
        split //, ($n =~ s/X//r);
    push @spell, $n, "a${n}b", "_${n}_", $percent, $twice, $wide, "x/$n/y",
        "=$n", "\%20$n";
    push @spell, join '%20', split //, $n if $n =~ /X/;
}

push @spell, '110105-19491231-002X', '137%201234%209050', '137-1234-9050',
    '6225%207500%200000%201491', '6225+7500+0000+1491';

for my $s (@spell) {
    $t->http_request('GET', "/headers-off/$s?$s=$s&k=$s", headers => {
        'User-Agent' => $s, 'Referer' => "http://h/$s?$s",
        'X-Forwarded-For' => $s, 'Via' => $s, 'Origin' => $s,
        'Cookie' => $s, 'X-Any' => $s });
}

$t->wait_for(sub { my @all = grep { $_->{ty} eq 'http' } $t->audit_lines();
    @all >= 9 + 3 + @spell });
$t->stop();

my $text = join '', map { $t->read_file($_) } $t->audit_files();

# What reads the store shows no more than is in it, whatever the form.

for my $verb (['export', '--format', 'ecs'], ['export', '--format', 'ocsf'],
    ['export', '--format', 'cef'], ['stats'], ['stats', '--json'],
    ['query', '--limit', 100000], ['query', '--json', '--limit', 100000],
    ['tail', '--lines', 10000])
{
    my ($code, $out) = $t->govsvc('audit', $verb->[0], $t->dir() . '/audit',
        @$verb[1 .. $#$verb], '--no-record');
    is($code, 0, "read by @$verb");
    $text .= $out;
}

unlike($text, qr/SECRETVALUE/, 'no secret');

for my $n (@personal) {
    my @found = $text =~ /.{0,20}\Q$n\E.{0,5}/g;
    is(scalar @found, 0, "never $n") or diag($found[0]);

    # what a reader would decode

    (my $decoded = $text) =~ s/%(?:25)*([0-9a-fA-F]{2})/chr hex $1/ge;
    my $grouped = join '[-+ ]?', split //, $n;
    my @groups = $decoded =~ /.{0,20}(?<![0-9])$grouped(?![0-9]).{0,5}/g;
    is(scalar @groups, 0, "never $n in groups") or diag($groups[0]);
    $decoded =~ s/\\u([0-9a-f]{4})/hex($1) < 256 ? chr hex $1 : '?'/ge;
    $decoded =~ s/\xef\xbc([\x90-\xba])/chr(ord($1) - 0x60)/ge;
    is(index($decoded, $n), -1, 'nor decoded');
}

is(($t->govsvc('audit', 'verify', $t->dir() . '/audit'))[0], 0, 'verified');

$t->done();
