#!/usr/bin/perl
#
# Copyright (C) govsvc authors
#
# Set f: attacks on the protocol, and requests that are odd but those of
# citizens, banks and other departments.  No two are of one shape.
#
#   t/rules/wire.pl attack|benign > FILE
#
# Each request stands behind a line "=== LABEL-CLASS NUMBER".

use strict;
use warnings;

use IO::Compress::Gzip qw(gzip $GzipError);
use MIME::Base64;

my ($label) = @ARGV;

die "usage: wire.pl attack|benign\n"
    if !defined $label || $label !~ /^(?:attack|benign)$/;

my $host = 'www.zwfw.example';
my $chrome = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 '
             . '(KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36';
my @browser = ("User-Agent: $chrome", 'Accept: text/html,application/xhtml+xml,'
               . 'application/xml;q=0.9,*/*;q=0.8',
               'Accept-Language: zh-CN,zh;q=0.9', 'Accept-Encoding: gzip');
my $form = 'Content-Type: application/x-www-form-urlencoded';
my $json = 'Content-Type: application/json';
my $xml = 'Content-Type: text/xml; charset=utf-8';
my $number = 0;

binmode STDOUT;
$label eq 'attack' ? attacks() : citizens();


sub raw {
    my ($class, $text) = @_;

    printf "=== %s-%s %d\n%s\n", $label, $class, ++$number, $text;
}


# a browser's request with these headers added
sub get {
    my ($class, $target, @headers) = @_;

    line($class, "GET $target HTTP/1.1", @headers);
}


sub line {
    my ($class, $line, @headers) = @_;

    raw($class, join "\r\n", $line, "Host: $host", @browser, @headers,
        'Connection: keep-alive', '', '');
}


sub post {
    my ($class, $target, $headers, $body) = @_;

    raw($class, join "\r\n", "POST $target HTTP/1.1", "Host: $host", @browser,
        @$headers, 'Content-Length: ' . length $body, '', $body);
}


# only what is given
sub bare {
    my ($class, $line, $headers, $body) = @_;

    push @$headers, 'Content-Length: ' . length $body if defined $body;
    raw($class, join "\r\n", $line, @$headers, '', $body // '');
}


sub chunked {
    my ($class, $target, $headers, $chunks) = @_;

    raw($class, join "\r\n", "POST $target HTTP/1.1", "Host: $host", @browser,
        @$headers, 'Transfer-Encoding: chunked', '', $chunks);
}


sub gz {
    my ($text) = @_;

    gzip(\$text => \my $packed) or die $GzipError;

    return $packed;
}


sub parts {
    my ($class, $boundary, $body, @headers) = @_;

    $body =~ s/\n/\r\n/g;
    post($class, '/affairs/material',
         ["Content-Type: multipart/form-data; boundary=$boundary", @headers],
         $body);
}


sub attacks {
    upgrades();
    overrides();
    pollution();
    markup();
    types();
    ranges();
    codings();
    targets();
    controls();
    floods();
    packed();
    multiparts();
    lengths();
    cookies();
    methods();
    hosts();
    lines();
    trusted();
}


sub upgrades {
    get('upgrade', '/affairs', 'Upgrade: h2c',
        'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
        'Connection: Upgrade, HTTP2-Settings');
    get('upgrade', '/affairs', 'Upgrade: h2c', 'Connection: Upgrade');
    get('upgrade', '/affairs', 'Upgrade: H2C, websocket',
        'Connection: upgrade');
    get('upgrade', '/affairs', 'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA');
    get('upgrade', '/affairs', 'Upgrade: TLS/1.0, HTTP/1.1',
        'Connection: Upgrade');
    get('upgrade', '/chat', 'Upgrade: websocket', 'Connection: Upgrade',
        'Sec-WebSocket-Version: 777',
        'Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==');
    get('upgrade', '/affairs', 'Upgrade: foo/9', 'Connection: Upgrade');
    get('upgrade', '/affairs', 'Connection: close, X-Forwarded-For');
    get('upgrade', '/affairs', 'Connection: Authorization',
        'Authorization: Bearer x');
    get('upgrade', '/affairs', 'Connection: close, Cookie, Host');
    get('upgrade', '/affairs', 'Connection: Content-Length, close');
    get('upgrade', '/affairs', 'Connection: X-Real-IP, X-Client-Cert');
    raw('upgrade', "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
}


sub overrides {
    get('override', '/affairs/31?_method=DELETE');
    get('override', '/affairs/31?id=2&_method=put');
    get('override', '/affairs/31?X-HTTP-Method-Override=DELETE');
    get('override', '/affairs/31?x-http-method=PATCH');
    get('override', '/affairs/31', 'X-HTTP-Method-Override: DELETE');
    get('override', '/affairs/31', 'X-HTTP-Method: PUT');
    get('override', '/affairs/31', 'X-Method-Override: DELETE');
    get('override', '/affairs/31', 'X-Original-Method: DELETE');
    get('override', '/affairs/31', 'X-HTTP-Method-Override: TRACE');
    post('override', '/affairs/31', [$form], 'a=1&_method=DELETE');
    post('override', '/affairs/31', [$form], '_method=CONNECT&name=x');
    post('override', '/affairs/31', [$json], '{"_method":"DELETE"}');
    post('override', '/affairs/31?_method=DELETE', [$form], 'a=1');
    post('override', '/affairs/31', [$form, 'X-HTTP-Method-Override: DELETE'],
         'a=1');
    post('override', '/affairs/31', [$form], '_HttpMethod=DELETE&a=1');
    get('override', '/affairs/31?httpMethod=DELETE&a=1');
    get('override', '/affairs/31?%5fmethod=%44ELETE');
    parts('override', 'q7', <<"END");
--q7
Content-Disposition: form-data; name="_method"

DELETE
--q7--
END
}


sub pollution {
    get('hpp', '/pay?' . join '&', map { "amount=$_" } 1 .. 120);
    get('hpp', '/pay?' . join '&', map { "to=$_" } 1 .. 700);
    post('hpp', '/pay', [$form], join '&', map { "amount=$_" } 1 .. 300);
    get('hpp', '/pay?amount=1&%61mount=2');
    get('hpp', '/pay?amount=1&amount%00=2');
    get('hpp', '/pay?amount=1&%20amount=2');
    get('hpp', '/pay?amount=1&amount%5b=2');
    get('hpp', '/pay?amount=1&AMOUNT=900&Amount=3');
    get('hpp', '/pay?amount=1%26amount%3d900');
    get('hpp', '/pay?to=62221%26from%3d62220%26pin=');
    get('hpp', '/pay?amount=1%23&amount=9');
    get('hpp', '/pay?amount=1;amount=900;amount=3');
    post('hpp', '/pay?amount=1&to=3', [$form], 'amount=900&to=4');
    post('hpp', '/pay', [$json], '{"amount":1,"to":2,"amount":900}');
    post('hpp', '/pay', [$json], '{"user":{"role":"a","role":"admin"}}');
    post('hpp', '/pay', [$json], '{"amount":1,"\u0061mount":900}');
    get('hpp', '/pay?' . join '&', map { "p$_=$_" } 1 .. 2000);
    post('hpp', '/pay', [$form], join '&', map { "p$_=$_" } 1 .. 12000);
    post('hpp', '/pay', [$json], '{' . join(',', map { "\"k$_\":1" } 1 .. 12000)
         . '}');
    post('hpp', '/pay', [$json], '[' x 3000 . ']' x 3000);
    post('hpp', '/pay', [$json], '{"a":' x 200 . '1' . '}' x 200);
}


sub markup {
    post('xml', '/ws', [$xml], '<a>' x 600 . '</a>' x 600);
    post('xml', '/ws', [$xml], '<?xml version="1.0"?>' . '<x>' x 40000);
    post('xml', '/ws', [$xml], '<a><b>1</a></b>');
    post('xml', '/ws', [$xml], '<a><b>1</b>');
    post('xml', '/ws', [$xml], '<a>1</a><b>2</b>');
    post('xml', '/ws', [$xml], '<a ' . join(' ', map { "a$_=\"1\"" } 1 .. 3000)
         . '/>');
    post('xml', '/ws', [$xml], '<a id="1" id="2">x</a>');
    post('xml', '/ws', [$xml], '<a ' . join(' ', map { "xmlns:n$_=\"u$_\"" }
                                            1 .. 900) . '/>');
    post('xml', '/ws', [$xml], '<a>' . '&x;' x 4000 . '</a>');
    post('xml', '/ws', [$xml], '<a>' . '&#x41;' x 30000 . '</a>');
    post('xml', '/ws', [$xml], '<!DOCTYPE a [<!ENTITY b "'
         . 'c' x 3000 . '">]><a>' . '&b;' x 3000 . '</a>');
    post('xml', '/ws', [$xml], '<!DOCTYPE a [<!ATTLIST a b CDATA "c">]><a/>');
    post('xml', '/ws', [$xml],
         '<!DOCTYPE a [<!ENTITY % p "<!ENTITY q \'1\'>"> %p;]><a>&q;</a>');
    post('xml', '/ws', [$xml], '<?xml version="1.0" encoding="UTF-7"?>'
         . '<a>+ADw-b+AD4-</a>');
    post('xml', '/ws', [$xml], '<?xml version="1.0" encoding="UTF-16"?><a/>');
    post('xml', '/ws', ['Content-Type: text/xml'],
         '<?xml version="1.0" encoding="cp037"?><a>x</a>');
    post('xml', '/ws', [$xml], '<a><![CDATA[x</a>');
    post('xml', '/ws', [$xml], '<?p a?>' x 3000 . '<a/>');
    post('xml', '/ws', [$xml], ' <a/><?xml version="1.0"?><b/>');
    post('xml', '/ws', [$xml], '<a>' . "\0" . '</a>');
    post('xml', '/ws', [$xml], '<a:b xmlns:a="x"><c:d/></a:b></a:b>');
    post('xml', '/ws', ['Content-Type: application/xml'],
         "\xff\xfe" . join '', map { "$_\0" } split //, '<a>x</a>');
    post('xml', '/ws', ['Content-Type: application/xml'], '<a xmlns:xi='
         . '"http://www.w3.org/2001/XInclude"><xi:include href="x.xml"/></a>');
}


sub types {
    post('type', '/a', [$form, $json], '{"a":1}');
    post('type', '/a', [$form, $form], 'a=1');
    post('type', '/a', ['Content-Type: application/json, text/plain'],
         '{"a":1}');
    post('type', '/a', ["$form; charset=utf-7"], 'a=%2BADw-b');
    post('type', '/a', ["$form; charset=ibm037"], "\x81~\xf1");
    post('type', '/a', ["$form; charset=utf-16le"], "a\0=\x001\0");
    post('type', '/a', ["$json; charset=utf-32"], '{"a":1}');
    post('type', '/a', ["$form; charset=cp1141"], 'a=1');
    post('type', '/a', ["$form; charset=utf-8; charset=utf-7"], 'a=1');
    post('type', '/a', ["$form; charset=\"ibm500\""], 'a=1');
    post('type', '/a', ["$form; charset=iso-2022-kr"], 'a=1');
    post('type', '/a', ["$form; charset=hz-gb-2312"], 'a=~{abc~}');
    post('type', '/a', ["$form; charset=x-imap4-modified-utf7"], 'a=1');
    post('type', '/a', ['Content-Type: multipart/form-data'], 'a=1');
    post('type', '/a', ['Content-Type: multipart/form-data; boundary='],
         "--\r\n\r\n");
    post('type', '/a', ['Content-Type: */*'], 'a=1');
    post('type', '/a', ['Content-Type: application/' . 'x' x 3000], 'a=1');
    post('type', '/a', ['Content-Type: message/http'],
         "GET /admin HTTP/1.1\r\nHost: localhost\r\n\r\n");
    post('type', '/a', ['Content-Type: application/x-www-form-urlencoded '
                        . '; x="%{(#a=1)}"'], 'a=1');
    post('type', '/a', ["Content-Type: application/json\x01"], '{"a":1}');
    post('type', '/a', ['Content-Type: json'], '{"a":1}');
    post('type', '/a', ["$form", 'Content-Transfer-Encoding: base64'],
         encode_base64('id=1', ''));
    post('type', '/a', ['Content-Type: text/plain; charset=utf-8/../../x'],
         'a=1');
    post('type', '/a', [$form, 'Content-Type : application/json'], 'a=1');
}


sub ranges {
    my $file = '/files/guide.pdf';

    get('range', $file, 'Range: bytes=' . join ',', ('0-') x 60);
    get('range', $file, 'Range: bytes=' . join ',', map { "$_-$_" } 0 .. 300);
    get('range', $file, 'Range: bytes=0-,' . join ',', map { "5-$_" } 0 .. 200);
    get('range', $file, 'Range: bytes=0-18446744073709551615');
    get('range', $file, 'Range: bytes=-18446744073709551615');
    get('range', $file, 'Range: bytes=-17208,-9223372036854758600');
    get('range', $file, 'Request-Range: bytes=' . join ',', ('1-2') x 40);
    get('range', $file, 'Range: bytes=0-1', 'Range: bytes=5-9');
    get('range', $file, 'Range: bytes=5-0');
    get('range', $file, 'Range: bytes=' . join ',', ('0-999', '1-999') x 8);
    line('range', "HEAD $file HTTP/1.1", 'Range: bytes='
         . join ',', map { $_ . '-' } 0 .. 99);
    get('range', $file, 'Range: bytes=0-5,0x9-');
    get('range', $file, 'If-Range: "x"', 'Range: ' . 'bytes=1-,' x 40);
}


sub codings {
    my $five = "5\r\nhello\r\n0\r\n\r\n";

    post('coding', '/a', [$form, 'Transfer_Encoding: chunked'], $five);
    post('coding', '/a', [$form, 'X-Transfer-Encoding: chunked'], $five);
    post('coding', '/a', [$form, 'Transfer-Encoding: identity'], 'a=1');
    post('coding', '/a', [$form, 'Transfer-Encoding: chunked'], $five);
    post('coding', '/a', [$form, 'Transfer-Encodin: chunked'], $five);
    post('coding', '/a', [$form, 'Content_Length: 90'], 'a=1');
    post('coding', '/a', [$form, "X: y\r\n Transfer-Encoding: chunked"], $five);
    chunked('coding', '/a', [$form, 'Transfer-Encoding: gzip'], $five);
    chunked('coding', '/a', [$form, 'Transfer-Encoding: chunked'], $five);
    chunked('coding', '/a', [$form], '5;' . 'x' x 4000 . "\r\nhello\r\n0\r\n\r\n");
    chunked('coding', '/a', [$form], "0x5\r\nhello\r\n0\r\n\r\n");
    chunked('coding', '/a', [$form], "fffffffffffffffff\r\nhello\r\n0\r\n\r\n");
    chunked('coding', '/a', [$form], "5\nhello\n0\n\n");
    chunked('coding', '/a', [$form], "-5\r\nhello\r\n0\r\n\r\n");
    chunked('coding', '/a', [$form], "5\r\nhelloX\r\n0\r\n\r\n");
    chunked('coding', '/a', [$form, 'Trailer: Content-Length, Host'],
            "5\r\nhello\r\n0\r\nHost: evil.example\r\n\r\n");
    post('coding', '/a', [$form], "GET /admin HTTP/1.1\r\nHost: localhost\r\n"
         . "X: ");
    post('coding', '/a', [$form], "x=1\r\n\r\nPOST /login HTTP/1.1\r\n"
         . "Content-Length: 300\r\n\r\nuser=");
    post('coding', '/a', ['Content-Type: text/plain'],
         "0\r\n\r\nGET /hop HTTP/1.1\r\nFoo: x");
    get('coding', '/a', 'Transfer-Encoding: chunked', 'TE: trailers, chunked');
    get('coding', '/a', 'TE: chunked, identity;q=1, deflate, gzip');
    raw('coding', "POST /a HTTP/1.0\r\nHost: $host\r\n"
        . "Transfer-Encoding: chunked\r\n\r\n$five");
    bare('coding', 'GET /a HTTP/1.1', ["Host: $host", 'User-Agent: x/1',
         $form], "GET /internal HTTP/1.1\r\nHost: localhost\r\n\r\n");
}


sub targets {
    line('target', 'GET http://evil.example/ HTTP/1.1');
    line('target', 'GET http://169.254.169.254/latest/ HTTP/1.1');
    line('target', "GET https://$host\@evil.example/ HTTP/1.1");
    line('target', "GET http://$host:22/ HTTP/1.1");
    line('target', 'GET http://127.0.0.1:8080/status HTTP/1.1');
    line('target', 'GET ftp://evil.example/x HTTP/1.1');
    line('target', 'GET //evil.example/%2f.. HTTP/1.1');
    line('target', 'GET /\\evil.example/ HTTP/1.1');
    line('target', 'GET @evil.example/ HTTP/1.1');
    line('target', 'GET evil.example:80/ HTTP/1.1');
    line('target', 'POST http://internal.example/api HTTP/1.1');
    line('target', 'GET http:evil.example/ HTTP/1.1');
    line('target', 'GET /http://evil.example:81/ HTTP/1.1');
    line('target', 'OPTIONS http://evil.example/ HTTP/1.1');
    line('target', "GET file:///etc/hosts HTTP/1.1");
}


sub controls {
    get('control', '/a', "X-Note: a\x01b");
    get('control', '/a', "Referer: http://$host/\x08\x08x");
    get('control', '/a', "X-Note: a\x7fb");
    get('control', '/a', "X-Note: \x1b[2J\x1b[1;31mroot");
    get('control', '/a', "X-Note: a\x0bb\x0cc");
    get('control', '/a', "X-Note: a\rSet-Cookie: b=1");
    get('control', '/a', "X-Note: a\0b");
    get('control', '/a', "X-Note: a\xe5\x98\x8a\xe5\x98\x8dSet-Cookie:b=1");
    get('control', '/a', "X-Note: \xc0\x8d\xc0\x8aX: y");
    get('control', "/a?x=\x01\x02\x03");
    get('control', '/a?x=%01%02%03%04');
    get('control', '/a%07%08b');
    get('control', '/a?x=%1b%5b31m');
    get('control', '/a', "Cookie: s=a\x01\x02");
    get('control', '/a', "X\x01Y: 1");
    get('control', '/a', 'X Note: 1');
    get('control', '/a', "X-Note: a\r\n\tb: c");
    post('control', '/a', [$json], "{\"a\":\"\x01\x02\x03\x1f\"}");
    post('control', '/a', [$json], '{"a":"x\u0000y"}');
    post('control', '/a', [$form], 'a=x%00y');
    get('control', '/a?x=a%e2%80%aeb%e2%81%a6exe');
}


sub floods {
    get('flood', '/a', map { "X-A$_: $_" } 1 .. 160);
    get('flood', '/a', map { "X-A$_: 1" } 1 .. 400);
    get('flood', '/a', ('X-Forwarded-For: 1.1.1.1') x 60);
    get('flood', '/a', 'X-Forwarded-For: '
        . join ', ', map { "1.1.1.$_" } 1 .. 90);
    get('flood', '/a', ('Via: 1.1 a') x 50);
    get('flood', '/a', 'Accept: ' . join ',', map { "a/b$_" } 1 .. 400);
    get('flood', '/a', 'Accept-Encoding: ' . join ',', ('gzip') x 300);
    get('flood', '/a', 'Accept-Charset: ' . join ',', map { "x-$_" } 1 .. 200);
    get('flood', '/a', 'X-' . 'N' x 2000 . ': 1');
    get('flood', '/a', 'X-Note: ' . 'A' x 7000);
    get('flood', '/a', 'If-None-Match: '
        . join ', ', map { "\"$_\"" } 1 .. 900);
    get('flood', '/a', 'Authorization: Bearer a', 'Authorization: Basic YTpi');
    get('flood', '/a', 'User-Agent: other/1');
    get('flood', '/a', 'Referer: http://a.example/', 'Referer: http://b.example/');
    get('flood', '/' . 'a/' x 1500);
    get('flood', '/a?q=' . 'A' x 6500);
    get('flood', '/a', 'Cache-Control: ' . join ',', ('no-cache') x 200);
    get('flood', '/a', 'Accept-Language: ' . '-' x 3000);
    get('flood', '/a', 'If-Modified-Since: ' . '9' x 800);
    get('flood', '/a', 'Prefer: ' . 'a;' x 900);
}


sub packed {
    post('packed', '/a', [$form, 'Content-Encoding: gzip, gzip, gzip'],
         gz(gz(gz('a=1'))));
    post('packed', '/a', [$form, 'Content-Encoding: gzip'], 'a=1');
    post('packed', '/a', [$json, 'Content-Encoding: br'], "\x0b\x02\x80{}\x03");
    post('packed', '/a', [$json, 'Content-Encoding: deflate, gzip'], 'x');
    post('packed', '/a', [$json, 'Content-Encoding: gzip',
                          'Content-Encoding: gzip'], gz(gz('{}')));
    post('packed', '/a', [$json, 'Content-Encoding: compress'], "\x1f\x9dx");
    post('packed', '/a', [$json, 'Content-Encoding: xor'], 'x');
    post('packed', '/a', [$json, 'Content-Encoding: zstd'],
         "\x28\xb5\x2f\xfdx");
    post('packed', '/a', [$json, 'Content-Encoding: gzip'],
         substr gz('{"a":' . '"b"' x 40 . '}'), 0, 20);
    post('packed', '/a', [$form, 'Content-Encoding: gzip'],
         gz('a=' . "\0" x 4000000));
    post('packed', '/a', [$json, 'Content-Encoding: gzip'], gz('{}') . 'tail');
    get('packed', '/a', 'Content-Encoding: gzip;q=1, *');
}


sub multiparts {
    my $d = 'Content-Disposition: form-data';

    parts('multipart', 'q', "--q\n$d; name=\"a\"; name=\"b\"\n\n1\n--q--\n");
    parts('multipart', 'q', "--q\n$d; name=\"f\"; filename=\"a.jpg\"; "
          . "filename=\"a.dat\"\n\n1\n--q--\n");
    parts('multipart', 'q', "--q\n$d; name=\"f\"; filename=\"a.jpg\"; "
          . "filename*=UTF-8''a.exe\n\n1\n--q--\n");
    parts('multipart', 'q', "--q\n$d; name=\"a\"\n\n1\n");
    parts('multipart', 'q', "--q\n$d; name=\"a\"\nContent-Type: "
          . "multipart/mixed; boundary=w\n\n--w\nContent-Disposition: file; "
          . "filename=\"a.txt\"\n\nx\n--w--\n--q--\n");
    parts('multipart', 'q' x 300, '--' . 'q' x 300
          . "\n$d; name=\"a\"\n\n1\n--" . 'q' x 300 . "--\n");
    parts('multipart', '"q;q', "--q;q\n$d; name=\"a\"\n\n1\n--q;q--\n");
    parts('multipart', 'q; boundary=w',
          "--w\n$d; name=\"a\"\n\n1\n--w--\n--q\n$d; name=\"a\"\n\n2\n--q--\n");
    post('multipart', '/m', ['Content-Type: multipart/form-data; boundary=q'],
         "--q\n$d; name=\"a\"\n\n1\n--q--\n");
    parts('multipart', 'q', " --q\n$d; name=\"a\"\n\n1\n --q--\n");
    parts('multipart', 'q', "--q\nContent-Type: text/plain\n\n1\n--q--\n");
    parts('multipart', 'q', "--q\nContent-Disposition: attachment; "
          . "name=\"a\"\n\n1\n--q--\n");
    parts('multipart', 'q', "--q\n$d;\n name=\"a\"\n\n1\n--q--\n");
    parts('multipart', 'q', "--q\n$d; name=\"a\"\n"
          . "Content-Transfer-Encoding: base64\n\nMQ==\n--q--\n");
    parts('multipart', 'q', "--q\n$d; name=\"a\"\n"
          . "Content-Transfer-Encoding: quoted-printable\n\n=31\n--q--\n");
    parts('multipart', 'q', "--q\n$d; name=\"_charset_\"\n\nutf-7\n--q\n"
          . "$d; name=\"a\"\n\n+ADw-\n--q--\n");
    parts('multipart', 'q', join('', map { "--q\n$d; name=\"a$_\"\n\n1\n" }
                                 1 .. 3000) . "--q--\n");
    parts('multipart', 'q', "--q\n$d; name=\"a\"\nX: " . 'x' x 9000
          . "\n\n1\n--q--\n");
    parts('multipart', 'q', "a=1&b=2\n--q\n$d; name=\"a\"\n\n1\n--q--\n");
    parts('multipart', 'q', "--q\n$d; name=\"a\"\n\n1\n--q--\n--q\n$d; "
          . "name=\"b\"\n\n2\n--q--\n");
    parts('multipart', 'q', "--q\n$d; name=\"a\"\n$d; name=\"b\"\n\n1\n--q--\n");
    parts('multipart', 'q', "--q\n$d; name=\"a\"\nContent-Type: text/plain; "
          . "charset=utf-7\n\n+ADw-\n--q--\n");
    parts('multipart', 'q', "--q\n$d; name=\"f\"; filename=\"a\0.txt\"\n\n1\n"
          . "--q--\n");
    parts('multipart', 'q', "--q\n$d; name=\"f\"; filename=\"a\n.txt\"\n\n1\n"
          . "--q--\n");
    parts('multipart', 'q', "--q\n$d; name*0=\"a\"; name*1=\"b\"\n\n1\n--q--\n");
    parts('multipart', 'q', "--q\n$d; name=\"a\n\n1\n--q--\n");
    parts('multipart', 'q', "--q\n$d name=a\n\n1\n--q--\n");
    parts('multipart', 'q', "--x\n$d; name=\"a\"\n\n1\n--x--\n");
    post('multipart', '/m', ['Content-Type: multipart/form-data; boundary=q'],
         'a=1&b=2');
    parts('multipart', 'q', "--q\n$d; name=\"a\"\n\n1\n--q--\n",
          'Content-Type: application/x-www-form-urlencoded');
    parts('multipart', 'q', "--q\n$d; name=\"a\"\0; x=1\n\n1\n--q--\n");
}


sub lengths {
    my $a = 'a=1';

    bare('length', 'POST /a HTTP/1.1', ["Host: $host", $form,
         'Content-Length: 3, 3', '', $a]);
    bare('length', 'POST /a HTTP/1.1', ["Host: $host", $form,
         'Content-Length: 0000000000000000000003', '', $a]);
    bare('length', 'POST /a HTTP/1.1', ["Host: $host", $form,
         'Content-Length: 3', 'Content-Length: 3', '', $a]);
    bare('length', 'POST /a HTTP/1.1', ["Host: $host", $form,
         'Content-Length: 3 ', 'Content-Length:', '', $a]);
    bare('length', 'POST /a HTTP/1.1', ["Host: $host", $form,
         'Content-Length: 99999999999999999999', '', $a]);
    post('length', '/a', [$form, 'Expect: 200-ok'], $a);
    post('length', '/a', [$form, 'Expect: <b>x</b>'], $a);
    post('length', '/a', [$form, 'Expect: 100-continue, y'], $a);
    post('length', '/a', [$form, 'Expect: y 100-continue'], $a);
    get('length', '/a', 'Expect: 100-continue');
    line('length', 'HEAD /a HTTP/1.1', 'Content-Length: 9999999');
    line('length', 'TRACE /a HTTP/1.1', 'Max-Forwards: 0');
    line('length', 'OPTIONS * HTTP/1.1', 'Max-Forwards: 0');
}


sub cookies {
    get('cookie', '/a', 'Cookie: ' . join '; ', map { "c$_=1" } 1 .. 400);
    get('cookie', '/a', 'Cookie: s=' . 'A' x 7400);
    get('cookie', '/a', 'Cookie: ' . join '; ', ('JSESSIONID=A1') x 50);
    get('cookie', '/a', 'Cookie: $Version="1"; s="a; JSESSIONID=B; e="b"; '
        . '$Path="/"');
    get('cookie', '/a', 'Cookie: ' . ';' x 900);
    get('cookie', '/a', map { "Cookie: c$_=1" } 1 .. 60);
    get('cookie', '/a', "Cookie: \xe2\x80\x80__Host-s=evil; __Host-s=1");
    get('cookie', '/a', 'Cookie: JSESSIONID=A; jsessionid=B; JSESSIONID=C');
    get('cookie', '/a', 'Cookie: =a; =b; s');
    get('cookie', '/a', 'Cookie: s=a%0d%0aSet-Cookie:t=1');
    get('cookie', '/a', 'Cookie: a=1, JSESSIONID=B; JSESSIONID=C');
}


sub methods {
    for my $method (qw(TRACE TRACK CONNECT DEBUG SEARCH MKCOL MOVE COPY PURGE
                       BAN LINK UNLINK INDEX ARBITRARY get Post GETX BDMT
                       RPC_IN_DATA VERSION-CONTROL SUBSCRIBE NOTIFY
                       BASELINE-CONTROL))
    {
        line('method', "$method /affairs HTTP/1.1");
    }

    line('method', 'CONNECT evil.example:443 HTTP/1.1');
    line('method', 'A' x 300 . ' / HTTP/1.1');
    line('method', 'G\'ET / HTTP/1.1');
}


sub hosts {
    my @evil = ('X-Forwarded-Host: evil.example', 'X-Host: evil.example',
                'X-Forwarded-Server: evil.example',
                'X-HTTP-Host-Override: evil.example',
                'Forwarded: for=1.2.3.4;host=evil.example',
                'X-Original-Host: evil.example',
                'X-Original-URL: /admin', 'X-Rewrite-URL: /admin/users',
                'X-Override-URL: /admin', 'X-Forwarded-Path: /admin',
                'X-Forwarded-Prefix: /evil/..', 'X-Forwarded-Scheme: nohttps',
                'X-Forwarded-Port: 1234"><b>', 'X-Forwarded-Proto: gopher',
                'X-Proxy-URL: http://evil.example', 'Base-Url: http://evil.example',
                'X-Wap-Profile: http://evil.example/x.xml',
                'Proxy: http://evil.example:3128', 'Destination: http://evil.example/x');

    get('host', '/reset', $_) for @evil;

    for my $name ('localhost', '127.0.0.1:8080', '169.254.169.254',
                  "$host:80\@evil.example", "$host:99999", "$host#evil.example",
                  '[::1]', '"><b>x', "evil.example\t$host", "$host, evil.example",
                  'metadata.google.internal', "$host%0d%0aX: y", '0x7f.1')
    {
        bare('host', 'GET /reset HTTP/1.1', ["Host: $name", @browser]);
    }

    bare('host', 'GET /reset HTTP/1.1', [@browser]);
    bare('host', 'GET /reset HTTP/1.1', ["Host: $host", 'Host: evil.example',
                                         @browser]);
    bare('host', 'GET /reset HTTP/1.1', ["Host: $host", ' Host: evil.example',
                                         @browser]);
}


sub lines {
    raw('line', "GET /a HTTP/3.7\r\nHost: $host\r\n\r\n");
    raw('line', "GET /a HTTP/1.1 HTTP/1.1\r\nHost: $host\r\n\r\n");
    raw('line', "GET\t/a\tHTTP/1.1\r\nHost: $host\r\n\r\n");
    raw('line', "GET /a b c HTTP/1.1\r\nHost: $host\r\n\r\n");
    raw('line', "GET /a#x/../b HTTP/1.1\r\nHost: $host\r\n\r\n");
    raw('line', "GET /a HTTP/1.10\r\nHost: $host\r\n\r\n");
    raw('line', "GET /a ICAP/1.0\r\nHost: $host\r\n\r\n");
    raw('line', "GET /a RTSP/1.0\r\nCSeq: 1\r\n\r\n");
    get('line', '/a/%2e%2e;/b');
    get('line', '/a;x=..;/b/');
    get('line', '/a%c0%afb');
    get('line', '/a%2500b');
    get('line', '/a%00.html');
    get('line', '/a?x=%u0061%u0064min');
    get('line', '/a?x=%%36%31');
    get('line', '/a?x=%2525252e');
    get('line', '/a?x=%f8%80%80%80%ae');
    get('line', '/%ef%bc%8e%ef%bc%8e%ef%bc%8fb');
    get('line', "/a\x0bb");
    get('line', '/a/./././././../././b\\..\\c');
    get('line', '/admin%20/');
    get('line', '/a%0aHost:%20evil.example');
}


# what only a front server or a program behind it says
sub trusted {
    get('trusted', '/admin', $_)
        for 'X-Forwarded-For: 127.0.0.1', 'X-Real-IP: 127.0.0.1',
            'X-Originating-IP: 127.0.0.1', 'True-Client-IP: localhost',
            'X-Custom-IP-Authorization: 127.0.0.1', 'Client-IP: 127.0.0.1',
            'X-Remote-User: admin', 'X-Forwarded-User: admin',
            'X-WEBAUTH-USER: admin', 'X-SSL-Client-Verify: SUCCESS',
            'SSL-Client-Cert: MIIB', 'X-Forwarded-Client-Cert: Hash=1',
            'REMOTE_USER: admin', 'X_Forwarded_For: 10.0.0.1',
            'X-Middleware-Subrequest: middleware:middleware:middleware',
            'Translate: f', 'Pragma: akamai-x-get-cache-key',
            'If: <http://localhost/aaaa> (Not <locktoken:x>)',
            'X-Cluster-Client-IP: ::1', 'User-Agent: Nacos-Server',
            'X-Debug-Token: 1', 'X-Accel-Redirect: /internal/x',
            'X-Sendfile: /etc/passwd', 'X-Accel-Internal: /x',
            'Surrogate-Capability: x="ESI/1.0"', 'X-Backend: 10.0.0.3';
}


sub citizens {
    browsers();
    downloads();
    systems();
    calls();
    documents();
    uploads();
    questions();
    proxies();
    tools();
}


sub browsers {
    my @agents = (
        'Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; WOW64; Trident/4.0;'
        . ' SLCC2; .NET CLR 2.0.50727; .NET4.0C; .NET4.0E; InfoPath.3)',
        'Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko',
        'Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1; 360SE)',
        'Mozilla/5.0 (Linux; Android 14; V2309A Build/UP1A.231005.007; wv) '
        . 'AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.0.0 '
        . 'XWEB/1260117 MMWEBSDK/20240801 MMWEBID/4211 MicroMessenger/'
        . '8.0.51.2720(0x28003339) WeChat/arm64 Weixin NetType/4G '
        . 'Language/zh_CN ABI/arm64',
        'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/'
        . '605.1.15 (KHTML, like Gecko) Mobile/15E148 ChannelId(2) NebulaSDK/'
        . '1.8.100112 Nebula PSDType(1) AlipayDefined(nt:WIFI,ws:393|788|3.0) '
        . 'AliApp(AP/10.6.20.6000) AlipayClient/10.6.20.6000 Language/zh-Hans',
        'Mozilla/5.0 (Linux; U; Android 10; zh-CN; HarmonyOS; ELS-AN00) '
        . 'AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/100.0 '
        . 'UCBrowser/15.2.6.1250 Mobile Safari/537.36',
        'Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like '
        . 'Gecko) Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1.6.1 Mobile',
        'Mozilla/5.0 (X11; Linux loongarch64) AppleWebKit/537.36 (KHTML, like '
        . 'Gecko) Chrome/100.0 Safari/537.36 UOS qaxbrowser',
        'Dalvik/2.1.0 (Linux; U; Android 12; M2102J2SC Build/SKQ1.211006.001)',
        'CloudGov/3.2.1 (iPhone; iOS 16.1; Scale/3.00)', 'okhttp/3.12.13',
        'Apache-HttpClient/4.5.13 (Java/1.8.0_291)', 'Java/1.8.0_202',
        'python-requests/2.31.0', 'Go-http-client/1.1', 'axios/1.6.2',
        'curl/7.29.0', 'Wget/1.14 (linux-gnu)', 'Baiduspider-render/2.0; '
        . '(+http://www.baidu.com/search/spider.html)',
        'Mozilla/5.0 (compatible; Sogou web spider/4.0)', 'Jakarta Commons-'
        . 'HttpClient/3.1', 'Axis/1.4', 'Apache CXF 3.3.1', 'gSOAP/2.8',
        'Mozilla/4.0 (compatible; Win32; WinHttp.WinHttpRequest.5)',
        'Microsoft-CryptoAPI/10.0', 'Mozilla/3.0 (compatible; Indy Library)',
    );

    for my $agent (@agents) {
        bare('browser', 'GET /affairs/list?page=2 HTTP/1.1',
             ["Host: $host", "User-Agent: $agent", 'Accept: */*']);
    }

    bare('browser', 'GET / HTTP/1.1', ["Host: $host"]);
    bare('browser', 'GET / HTTP/1.0', []);
    bare('browser', 'GET / HTTP/1.0', ["Host: $host", 'Connection: close']);
    bare('browser', 'HEAD / HTTP/1.1', ["Host: $host", 'User-Agent: '
         . 'Microsoft Office Existence Discovery']);
    bare('browser', 'OPTIONS /files/ HTTP/1.1', ["Host: $host", 'User-Agent: '
         . 'Microsoft Office Protocol Discovery', 'X-Office-Major-Version: 16']);
    get('browser', '/a', 'UA-CPU: AMD64', 'X-UA-Compatible: IE=EmulateIE7');
    get('browser', "/search?q=\xb9\xab\xbb\xfd\xbd\xf0");
    get('browser', "/search?q=\xe5\x85\xac\xe7\xa7\xaf", "Referer: http://$host"
        . "/search?q=\xb9\xab\xbb\xfd");
    get('browser', '/search?q=%B9%AB%BB%FD%BD%F0&ie=gbk');
    get('browser', '/search?q=%u516c%u79ef%u91d1');
    get('browser', '/a', 'Cookie: uname=%u5f20%u4e09; JSESSIONID=0A1B2C.n1; '
        . 'Hm_lvt_9a=1730000000,1730090000; Hm_lpvt_9a=1730099999');
    get('browser', '/a', 'Cookie: ' . join '; ', map { "_p$_=" . 'x' x 30 }
        1 .. 45);
    get('browser', '/a', 'Cookie: zwfw=' . 'eyJhIjoiYiJ9' x 200);
    get('browser', '/a', 'Cookie: a=1; a=2; JSESSIONID=A.n1; JSESSIONID=B.n2');
    get('browser', '/a', 'Cookie: name="zhang san"; x={"a":1,"b":[2,3]}');
    get('browser', '/a', 'Cookie: s=1;', 'DNT: 1', 'Sec-GPC: 1');
    get('browser', '/a', 'Cookie: a=b=c==; d');
    get('browser', '/chat', 'Upgrade: websocket', 'Connection: Upgrade',
        'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j'
        . 'ZQ==', 'Sec-WebSocket-Extensions: permessage-deflate; client_max_'
        . 'window_bits', "Origin: https://$host");
    get('browser', '/a', 'Upgrade-Insecure-Requests: 1', 'Pragma: no-cache',
        'Cache-Control: no-cache', 'Sec-Fetch-Site: none', 'Priority: u=0, i',
        'Sec-CH-UA: "Chromium";v="131", "Not_A Brand";v="24"');
    get('browser', '/a', 'Accept: */*;q=0.1', 'Accept-Charset: GBK,utf-8;q=0.7,'
        . '*;q=0.3');
    get('browser', '/a', 'Purpose: prefetch', 'X-Moz: prefetch');
    get('browser', '/a', 'If-None-Match: W/"5f3-18c", "a"',
        'If-Modified-Since: Fri, 01 Aug 2026 08:00:00 GMT');
    get('browser', '/a', 'If-Modified-Since: 0', 'Cache-Control: no-store');
    get('browser', '/a', 'If-Modified-Since: Fri, 01 Aug 2026 08:00:00 GMT; '
        . 'length=3412');
    get('browser', '/a', 'Keep-Alive: 300', 'Proxy-Connection: keep-alive');
    get('browser', '/a', 'X-Requested-With: com.tencent.mm', 'Save-Data: on');
    get('browser', '/a?from=singlemessage&isappinstalled=0&nsukey=Rt%2Ba%3D%3D');
    get('browser', '/a?_t=1730000000123&callback=jQuery1124_17300&_=1730001');
    get('browser', '/a?a=1&&b=2&');
    get('browser', '/a?=1');
    get('browser', '/a??x=1?y=2');
    get('browser', '/a?x=100%&y=%zz');
    get('browser', '//static//js/app.js');
    get('browser', '/static/js/app.js?v=3.2.1;t=9');
    get('browser', '/a;jsessionid=0A1B2C3D.node1?x=1');
    get('browser', '/a/./b/../c.html');
    get('browser', '/a b.html');
    get('browser', '/a?name=zhang san&x=y z');
    get('browser', '/a?x=%20%20a%09b%0Ac');
    get('browser', '/a?u=http%3A%2F%2Fwww.zwfw.example%2Fb%3Fc%3Dd%26e%3Df');
    get('browser', '/a?u=http%253A%252F%252Fwww.zwfw.example%252Fb');
    get('browser', '/a?x=%EF%BC%A1%EF%BC%91');
    get('browser', '/a?x[]=1&x[]=2&x[]=3&y[k][0]=2');
    get('browser', '/a?' . join '&', map { "type=$_" } 1 .. 40);
    get('browser', '/a?' . join '&', map { "f$_=" } 1 .. 150);
    get('browser', '/a?ids=' . join ',', 10000 .. 10500);
    get('browser', '/a?Page=1&page=1&pageSize=10');
}


sub downloads {
    my $file = '/files/guide.pdf';

    get('download', $file, 'Range: bytes=0-');
    get('download', $file, 'Range: bytes=0-1');
    get('download', $file, 'Range: bytes=65536-131071', 'If-Range: "5f3-18c"');
    get('download', $file, 'Range: bytes=-1024');
    get('download', $file, 'Range: bytes=0-65535,131072-196607');
    get('download', $file, 'Range: bytes=' . join ', ', map { my $o = $_ * 70000;
        $o . '-' . ($o + 65535) } 0 .. 7);
    get('download', $file, 'Range: bytes=5368709120-5368774655');
    get('download', '/v/a.mp4', 'Range: bytes=0-1', 'X-Playback-Session-Id: A-1',
        'Accept-Encoding: identity');
    get('download', $file, 'Range: bytes=100-100', 'Unless-Modified-Since: x');
    line('download', "HEAD $file HTTP/1.1", 'Accept-Encoding: identity',
         'Content-Length: 0');
    bare('download', "GET $file HTTP/1.1", ["Host: $host", 'User-Agent: '
         . 'Thunder/7.9', 'Range: bytes=1048576-', 'Pragma: no-cache',
         'Referer: http://' . $host . '/']);
    bare('download', "GET $file HTTP/1.0", ["Host: $host", 'User-Agent: '
         . 'Mozilla/4.0 (compatible; NetAnts)', 'Range: bytes=0-']);
}


# banks, the tax office, other departments
sub systems {
    my @sdk = ("Host: $host", 'User-Agent: Apache-HttpClient/4.5.3 '
               . '(Java/1.7.0_80)', 'Accept: */*');

    bare('system', 'POST /pay/notify HTTP/1.1', [@sdk,
         'Content-Type: application/x-www-form-urlencoded;charset=GBK'],
         'subject=%BD%BB%CB%B0&amount=12.00&sign=aGVs%2BbG8%3D');
    bare('system', 'POST /pay/notify HTTP/1.1', [@sdk, 'Content-Type: '
         . 'application/x-www-form-urlencoded; text/html; charset=utf-8'],
         'trade_status=TRADE_SUCCESS&gmt=2026-08-01+10%3A00%3A00');
    bare('system', 'POST /pay/notify HTTP/1.1', [@sdk, 'Content-Type: text/xml'],
         '<xml><appid><![CDATA[wx1]]></appid><sign><![CDATA[C3]]></sign></xml>');
    bare('system', 'POST /bank/tx HTTP/1.1', [@sdk, 'Content-Type: text/plain;'
         . 'charset=GBK'], "00000128|100201|\xd5\xc5\xc8\xfd|62220|12.00|");
    bare('system', 'POST /bank/tx HTTP/1.1', [@sdk, 'Content-Type: '
         . 'application/octet-stream'], join '', map { chr } 0 .. 255);
    bare('system', 'POST /bank/tx HTTP/1.1', [@sdk, 'Content-Type: application/'
         . 'xml;charset=GB18030'], qq(<?xml version="1.0" encoding="GB18030"?>)
         . "<root><name>\xd5\xc5</name></root>");
    bare('system', 'POST /bank/tx HTTP/1.1', [@sdk, 'Content-Type: application/'
         . 'json;charset=UTF-8;'], '{"a":"b"}');
    bare('system', 'POST /bank/tx HTTP/1.1', [@sdk, 'Content-Type: application/'
         . 'json; charset="utf-8"'], '{"a":"b"}');
    bare('system', 'POST /bank/tx HTTP/1.1', [@sdk,
         'Content-Type: application/json;charset=utf8'], "\xef\xbb\xbf{\"a\":1}");
    bare('system', 'POST /bank/tx HTTP/1.1', [@sdk], 'a=1&b=2');
    bare('system', 'POST /bank/tx HTTP/1.1', [@sdk, 'Content-Type: '], '{}');
    bare('system', 'POST /bank/tx HTTP/1.1', [@sdk, $form], '');
    bare('system', 'POST /bank/tx HTTP/1.1', [@sdk, $json, 'Expect: '
         . '100-continue'], '{"a":"' . 'x' x 2000 . '"}');
    bare('system', 'POST /bank/tx HTTP/1.1', [@sdk, $json,
         'Content-Encoding: gzip'], gz('{"a":"' . 'x' x 2000 . '"}'));
    bare('system', 'POST /bank/tx HTTP/1.1', [@sdk, $json, 'Content-Encoding: '
         . 'UTF-8'], '{"a":1}');
    bare('system', 'POST /bank/tx HTTP/1.1', [@sdk, $json, 'Content-Encoding: '
         . 'identity'], '{"a":1}');
    bare('system', 'POST /bank/tx HTTP/1.1', [@sdk, $json, 'Content-Charset: '
         . 'GBK', 'Accept-Charset: big5, gb18030, gbk, utf-8, utf-16'], '{}');
    bare('system', 'POST /bank/tx HTTP/1.1', [@sdk, $form], '{"a":1,"b":"c d"}');
    bare('system', 'POST /bank/tx HTTP/1.1', [@sdk, $json], 'a=1&b=2');
    bare('system', 'POST /bank/tx HTTP/1.1', [@sdk, $json], '"text"');
    bare('system', 'POST /bank/tx HTTP/1.1', [@sdk, $json], 'null');
    bare('system', 'POST /bank/tx HTTP/1.1', [@sdk, $form],
         'xml=' . '%3Croot%3E%3Ca%3E1%3C%2Fa%3E%3C%2Froot%3E');
    bare('system', 'POST /bank/tx HTTP/1.1', [@sdk, $form, 'Signature: keyId='
         . '"a",algorithm="sm2",headers="(request-target) date",signature="x="'],
         'a=1');
    bare('system', 'POST /gw/api HTTP/1.1', [@sdk, $json, 'x-tif-paasid: zwfw',
         'x-tif-signature: 3f2a', 'x-tif-timestamp: 1730000000',
         'x-tif-nonce: a1b2'], '{"sfzh":"110101199001011234"}');
    bare('system', 'POST /gw/api HTTP/1.1', [@sdk, $json, 'X-Ca-Key: 1',
         'X-Ca-Signature-Headers: X-Ca-Key,X-Ca-Nonce', 'X-Ca-Nonce: 1'], '{}');
    bare('system', 'POST /gw/api HTTP/1.1', [@sdk, $json, 'Authorization: '
         . 'WECHATPAY2-SHA256-RSA2048 mchid="1",nonce_str="5",signature="u8=",'
         . 'timestamp="1",serial_no="1D"'], '{}');
    bare('system', 'POST /gw/api HTTP/1.1', [@sdk, $json, 'Content-MD5: x=='],
         '{"a":{"b":{"c":{"d":{"e":{"f":{"g":[[[[1]]]]}}}}}}}');
    bare('system', 'PUT /gw/api/31 HTTP/1.1', [@sdk, $json, 'If-Match: *'], '{}');
    bare('system', 'PATCH /gw/api/31 HTTP/1.1', [@sdk, 'Content-Type: '
         . 'application/merge-patch+json'], '{"a":null}');
    bare('system', 'PATCH /gw/api/31 HTTP/1.1', [@sdk, 'Content-Type: '
         . 'application/json-patch+json'], '[{"op":"remove","path":"/a"}]');
    bare('system', 'DELETE /gw/api/31?force=true HTTP/1.1', [@sdk]);
    bare('system', 'DELETE /gw/api/31 HTTP/1.1', [@sdk, $json], '{"ids":[1]}');
    bare('system', 'GET /gw/api/31 HTTP/1.1', [@sdk, 'Content-Length: 0']);
    bare('system', 'GET /gw/search HTTP/1.1', [@sdk, $json],
         '{"query":{"match_all":{}}}');
    bare('system', 'OPTIONS /gw/api HTTP/1.1', [@sdk, 'Origin: https://h5.exam'
         . 'ple', 'Access-Control-Request-Method: DELETE',
         'Access-Control-Request-Headers: x-token,content-type']);
    bare('system', 'OPTIONS * HTTP/1.1', ["Host: $host"]);
    bare('system', 'POST /gw/form HTTP/1.1', [@sdk, $form],
         '_method=put&title=a');
    bare('system', 'POST /gw/form HTTP/1.1', [@sdk, $form],
         '_method=PATCH&_token=a&title=a');
    bare('system', 'POST /gw/form?method=query HTTP/1.1', [@sdk, $form],
         'method=deleteDraft&id=3');
    bare('system', 'GET /gw/form.do?method=delete&id=3 HTTP/1.1', [@sdk]);
    bare('system', 'POST /gw/form HTTP/1.1', [@sdk, $form],
         join '&', map { "list%5B$_%5D.name=a&list%5B$_%5D.code=b" } 0 .. 60);
    bare('system', 'POST /gw/form HTTP/1.1', [@sdk, $form],
         join '&', map { "right=$_" } 1 .. 60);
    bare('system', 'POST /gw/form?id=3 HTTP/1.1', [@sdk, $form], 'id=3&a=1');
    bare('system', 'POST /gw/api HTTP/1.1', [@sdk, $json, 'traceparent: 00-4bf9'
         . '2f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', 'b3: 0',
         'uber-trace-id: 5:6:0:1', 'sw8: 1-MQ==-MQ==-0-YQ==-YQ==-YQ==-YQ=='],
         '{}');
    bare('system', 'POST /gw/api HTTP/1.1', [@sdk, $json, map { "X-Biz-$_: $_" }
         1 .. 40], '{}');
    chunked('system', '/gw/api', [$json], "7\r\n{\"a\":1}\r\n0\r\n\r\n");
    chunked('system', '/gw/api', [$json], "0007\r\n{\"a\":1}\r\n0\r\n\r\n");
    chunked('system', '/gw/api', [$json],
            "3;x=1\r\n{\"a\r\n4\r\n\":1}\r\n0\r\nX-Sum: 1\r\n\r\n");
    chunked('system', '/gw/api', [$json, 'Content-Encoding: gzip'],
            sprintf "%x\r\n%s\r\n0\r\n\r\n", length gz('{}'), gz('{}'));
    bare('system', 'POST /a HTTP/1.1', [@sdk, 'TE: trailers', $json], '{}');
    bare('system', 'GET /a HTTP/1.1', [@sdk, 'TE: deflate,gzip;q=0.3',
         'Connection: TE, close']);
    bare('system', "GET http://$host/affairs HTTP/1.1", [@sdk]);
    bare('system', 'POST /a HTTP/1.1', ["Host: $host:80", $json], '{}');
    bare('system', 'POST /a HTTP/1.1', ['Host: 10.12.3.4:8080', $json], '{}');
    bare('system', 'GET /a HTTP/1.1', ['Host: WWW.ZWFW.EXAMPLE.']);
}


sub calls {
    my $call = 'Content-Type: application/grpc-web+proto';

    bare('call', 'POST /gov.Item/Get HTTP/1.1', ["Host: $host", $call,
         'X-Grpc-Web: 1', 'X-User-Agent: grpc-web-javascript/0.1',
         'grpc-timeout: 3S'], "\0\0\0\0\x05\x0a\x03abc");
    bare('call', 'POST /gov.Item/Get HTTP/1.1', ["Host: $host",
         'Content-Type: application/grpc-web-text', 'Accept: application/'
         . 'grpc-web-text'], 'AAAAAAUKA2FiYw==');
    bare('call', 'POST /hessian HTTP/1.1', ["Host: $host", 'Content-Type: x-app'
         . 'lication/hessian'], "c\x01\0m\0\x04listS\0\x01az");
    bare('call', 'POST /rpc HTTP/1.1', ["Host: $host", 'Content-Type: '
         . 'application/x-protobuf'], "\x08\x96\x01\x12\x03abc");
    bare('call', 'POST /rpc HTTP/1.1', ["Host: $host", 'Content-Type: '
         . 'application/msgpack'], "\x82\xa1a\x01\xa1b\xa1c");
    bare('call', 'POST /jsonrpc HTTP/1.1', ["Host: $host", 'Content-Type: '
         . 'application/json-rpc'], '{"jsonrpc":"2.0","method":"a","id":1}');
    bare('call', 'POST /wfs HTTP/1.1', ["Host: $host", 'Content-Type: text/xml'],
         '<wfs:GetFeature xmlns:wfs="http://www.opengis.net/wfs" service="WFS">'
         . '<wfs:Query typeName="gov:parcel"/></wfs:GetFeature>');
    bare('call', 'GET /wms?SERVICE=WMS&REQUEST=GetMap&LAYERS=a,b&BBOX=1,2,3,4 '
         . 'HTTP/1.1', ["Host: $host"]);
    bare('call', 'POST /batch HTTP/1.1', ["Host: $host", 'Content-Type: applicat'
         . 'ion/x-ndjson'], qq({"index":{}}\n{"a":1}\n));
    bare('call', 'POST /report HTTP/1.1', ["Host: $host", 'Content-Type: applica'
         . 'tion/reports+json', "Origin: https://$host"], '[{"type":"csp"}]');
    bare('call', 'POST /beacon HTTP/1.1', ["Host: $host", 'Content-Type: text/'
         . 'plain;charset=UTF-8'], '{"ev":"click","t":1}');
    bare('call', 'POST /ping HTTP/1.1', ["Host: $host", 'Content-Type: text/ping',
         'Ping-To: http://a.example/'], 'PING');
    bare('call', 'POST /scep?operation=PKIOperation HTTP/1.1', ["Host: $host",
         'Content-Type: application/x-pki-message'], "\x30\x82\x01\x0a");
    bare('call', 'POST /ocsp HTTP/1.1', ["Host: $host", 'Content-Type: applicati'
         . 'on/ocsp-request'], "\x30\x42\x30\x40");
}


sub documents {
    my $soap = 'http://schemas.xmlsoap.org/soap/envelope/';
    my @bodies = (
        qq(<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="$soap">)
        . '<s:Body><q:find xmlns:q="urn:q"><id>1</id></q:find></s:Body>'
        . '</s:Envelope>',
        qq(<s:Envelope xmlns:s="$soap"><s:Header/><s:Body><x:a xmlns:x="urn:x">)
        . '<arg0><![CDATA[<root><a>1</a></root>]]></arg0></x:a></s:Body>'
        . '</s:Envelope>',
        qq(<s:Envelope xmlns:s="$soap"><s:Body><x:a xmlns:x="urn:x"><arg0>)
        . '&lt;root&gt;&lt;a&gt;1&lt;/a&gt;&lt;/root&gt;</arg0></x:a></s:Body>'
        . '</s:Envelope>',
        '<root>' . '<row><id>1</id><name>a</name></row>' x 400 . '</root>',
        '<a><b><c><d><e><f><g><h><i><j><k>1</k></j></i></h></g></f></e></d>'
        . '</c></b></a>',
        "\xef\xbb\xbf<?xml version='1.0'?>\n<!-- made by a tool -->\n<a/>\n",
        '<a>&amp;&lt;&#160;&#x4e2d;</a>', '<a b="1" c=\'2\'></a >',
        '<?xml version="1.0"?><?xml-stylesheet href="a.xsl"?><a/>',
        '<html xmlns="http://www.w3.org/1999/xhtml"><p>a</p></html>',
        '<SOAP-ENV:Envelope xmlns:SOAP-ENV="' . $soap . '" xmlns:xsi="http://'
        . 'www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/'
        . '2001/XMLSchema"><SOAP-ENV:Body><getX SOAP-ENV:encodingStyle="http:'
        . '//schemas.xmlsoap.org/soap/encoding/"><a xsi:type="xsd:string">1</a>'
        . '</getX></SOAP-ENV:Body></SOAP-ENV:Envelope>',
    );

    post('document', '/ws', [$xml, 'SOAPAction: ""'], $_) for @bodies;

    post('document', '/ws', ['Content-Type: application/soap+xml; charset=utf-8;'
         . ' action="urn:find"'], $bodies[0]);
    post('document', '/ws', ['Content-Type: multipart/related; type="application'
         . '/xop+xml"; start="<r@a>"; boundary="MIME_b"'],
         "--MIME_b\r\nContent-Type: application/xop+xml; type=\"text/xml\"\r\n"
         . "Content-Transfer-Encoding: 8bit\r\nContent-ID: <r\@a>\r\n\r\n"
         . "$bodies[0]\r\n--MIME_b\r\nContent-Type: application/pdf\r\nContent-"
         . "Transfer-Encoding: binary\r\nContent-ID: <f\@a>\r\n\r\n%PDF-1.4\r\n"
         . "--MIME_b--\r\n");
    post('document', '/odata/$batch', ['Content-Type: multipart/mixed; '
         . 'boundary=batch_1'], "--batch_1\r\nContent-Type: application/http\r\n"
         . "Content-Transfer-Encoding: binary\r\n\r\nGET Items(1) HTTP/1.1\r\n"
         . "\r\n\r\n--batch_1--\r\n");
}


sub uploads {
    my $d = 'Content-Disposition: form-data';
    my $ie = '---------------------------7e82c31d0a1c';
    my $end = "--q\n$d; name=\"z\"\n\n1\n--q--\n";

    parts('upload', $ie, "--$ie\n$d; name=\"f\"; filename=\"C:\\Users\\a\\1.jpg"
          . "\"\nContent-Type: image/pjpeg\n\n\xff\xd8\xff\xe0\n--$ie--\n");
    parts('upload', $ie, "--$ie\n$d; name=\"f\"; filename=\"\xd6\xa4.doc\"\n"
          . "Content-Type: application/msword\n\n\xd0\xcf\x11\xe0\n--$ie--\n");
    parts('upload', '----WebKitFormBoundaryA1', "------WebKitFormBoundaryA1\n$d;"
          . " name=\"f\"; filename=\"\xe8\xaf\x81.pdf\"\nContent-Type: applicat"
          . "ion/pdf\n\n%PDF-1.7\n------WebKitFormBoundaryA1--\n");
    parts('upload', 'q', "--q\n$d; name=\"f\"; filename=\"\"\nContent-Type: "
          . "application/octet-stream\n\n\n$end");
    parts('upload', 'q', "--q\n$d; name=\"f\"; filename=\"a.pdf\"; filename*="
          . "UTF-8''%E8%AF%81.pdf\nContent-Type: application/pdf\n\n%PDF\n$end");
    parts('upload', 'q', "--q\n$d; name=\"f\"; filename=\"=?UTF-8?B?6K+B?=.pdf\""
          . "\n\n%PDF\n$end");
    parts('upload', 'q', "--q\n$d; name=a; filename=a.txt\n\nx\n$end");
    parts('upload', 'q', "--q\ncontent-disposition:form-data;name=\"a\"\n\nx\n"
          . $end);
    parts('upload', 'q', "--q\n$d; name=\"a\"\nContent-Type: text/plain; charset"
          . "=UTF-8\nContent-Transfer-Encoding: 8bit\n\nx\n$end");
    parts('upload', 'q', "--q\n$d; name=\"a\"\nContent-Type: text/plain; charset"
          . "=US-ASCII\nContent-Transfer-Encoding: 8bit\nContent-Length: 1\n\nx\n"
          . $end);
    parts('upload', 'q', "--q\n$d; name=\"f\"; filename=\"a.jpg\"\nContent-Type:"
          . " image/jpeg\nContent-Transfer-Encoding: binary\n\n\xff\xd8\n$end");
    parts('upload', '"q q"', "--q q\n$d; name=\"a\"\n\nx\n--q q--\n");
    parts('upload', '"--q"', "----q\n$d; name=\"a\"\n\nx\n----q--\n");
    parts('upload', 'q; charset=utf-8', "--q\n$d; name=\"a\"\n\nx\n$end");
    post('upload', '/m', ['Content-Type: multipart/form-data;charset=UTF-8;bound'
         . 'ary=q'], "--q\r\n$d; name=\"a\"\r\n\r\nx\r\n--q--");
    parts('upload', 'q', "\n--q\n$d; name=\"a\"\n\nx\n$end");
    parts('upload', 'q', join('', map { "--q\n$d; name=\"pic\"; filename=\""
          . "$_.jpg\"\nContent-Type: image/jpeg\n\n\xff\xd8\n" } 1 .. 20) . $end);
    parts('upload', 'q', join('', map { "--q\n$d; name=\"f$_\"\n\n1\n" } 1 .. 120)
          . $end);
    parts('upload', 'q', "--q\n$d; name=\"f\"; filename=\"a;b (1).pdf\"\n\n%PDF\n"
          . $end);
    parts('upload', 'q', "--q\n$d; name=\"f\"; filename=\"a \\\"b\\\".pdf\"\n\n"
          . "%PDF\n$end");
    parts('upload', 'q', "--q\n$d; name=\"f\"; filename=\"a%22b.pdf\"\n\nx\n$end");
    parts('upload', 'q', "--q\n$d; name=\"meta\"\nContent-Type: application/json"
          . "; charset=utf-8\n\n{\"a\":1}\n$end");
    parts('upload', 'q--', "--q--\n$d; name=\"a\"\n\nx\n--q----\n");
    parts('upload', 'geckoformboundary1a2b', "--geckoformboundary1a2b\n$d; name="
          . "\"a\"\n\nx\n--geckoformboundary1a2b--\n");
    parts('upload', 'q', "--q\n$d; name=\"_charset_\"\n\nUTF-8\n$end");
    parts('upload', 'q', "--q\n$d; name=\"_method\"\n\nput\n$end");
    parts('upload', 'q', "--q\n$d; name=\"a\"\n\n--\nx\n---q\n$end");
    post('upload', '/put/a.jpg', ['Content-Type: image/jpeg'],
         "\xff\xd8\xff\xe0\0\x10JFIF\0<?xpacket begin");
    post('upload', '/put/a.zip', ['Content-Type: application/x-zip-compressed'],
         "PK\x03\x04" . "\0" x 40);
    post('upload', '/put', ['Content-Type: application/offset+octet-stream',
         'Tus-Resumable: 1.0.0', 'Upload-Offset: 0'], 'abc');
    post('upload', '/put', ['Content-Type: application/octet-stream',
         'Content-Range: bytes 0-2/10', 'Content-Disposition: attachment; '
         . 'filename="a.pdf"'], 'abc');
}


sub questions {
    post('question', '/ask', [$form], "q=" . '%E9%97%AE' x 900);
    post('question', '/ask', [$form], "q=a%0D%0A%0D%0AGET+the+form+from+the+desk");
    post('question', '/ask', [$form], 'q=HTTP%2F1.1+404+when+I+open+the+page');
    post('question', '/ask', [$form], "q=l1%0D%0AHost:+the+bureau%0D%0ATime:+9");
    post('question', '/ask', [$json], '{"q":"tab\there \u001b \u0007"}');
    post('question', '/ask', [$json], '{"q":"\ud83d\ude00 \u200d\u2028"}');
    post('question', '/ask', [$form], 'q=%F0%9F%98%80%E2%80%8D%E2%80%AF');
    post('question', '/ask', [$form], 'q=+ADw- in UTF-7 is %3C');
    post('question', '/ask', [$form], 'q=a=b&c;d=e;f=g');
    post('question', '/ask', [$form], 'q=%A0%A0%B9%AB%BB%FD');
    post('question', '/ask', [$json], '{"rows":['
         . join(',', map { "{\"id\":$_,\"name\":\"n\"}" } 1 .. 300) . ']}');
    post('question', '/ask', [$json], ' [ {"a" : 1 , "A" : 2} , {"a" : 3} ] ');
    get('question', '/ask?q=what+is+_method%3Dput');
    get('question', '/ask?q=X-Forwarded-For%3A+127.0.0.1+mean');
    get('question', '/ask?q=TRACE+method');
    get('question', '/ask?q=upgrade+h2c');
    get('question', '/ask?q=Content-Length:+0');
    get('question', '/ask?q=bytes%3D0-');
}


sub proxies {
    get('proxy', '/a', 'X-Forwarded-For: 10.2.3.4, 58.20.1.2', 'Via: 1.1 squid');
    get('proxy', '/a', 'X-Forwarded-For: unknown', 'Via: 1.0 proxy:3128 (squid)');
    get('proxy', '/a', 'X-Forwarded-For: 240e:3b7::1', 'X-Real-IP: 58.20.1.2');
    get('proxy', '/a', 'Cdn-Src-Ip: 58.20.1.2', 'X-Cdn-Src-Port: 4011',
        'Ali-Cdn-Real-Ip: 58.20.1.2', 'Via: cn1.l1, cache9.l2[0,0]');
    get('proxy', '/a', 'X-Up-Calling-Line-Id: 138', 'X-Wap-Profile: http://wap1.'
        . 'huawei.com/uaprof/h.xml', 'X-Source-ID: GGSN', 'X-Huawei-NASIP: 1');
    get('proxy', '/a', 'X-BlueCoat-Via: 66808702E9A98546', 'Max-Forwards: 9');
    get('proxy', '/a', 'X-Forwarded-Proto: https', 'X-Forwarded-Port: 443');
    get('proxy', '/a', "X-Forwarded-Host: $host", 'X-Forwarded-Scheme: https');
    get('proxy', '/a', 'Forwarded: for="[2408::1]:40";proto=https;by=10.0.0.1');
    get('proxy', '/a', 'True-Client-IP: 58.20.1.2', 'WL-Proxy-Client-IP: 58.2.1.2',
        'Proxy-Client-IP: 58.20.1.2', 'X-Originating-IP: 58.20.1.2');
    get('proxy', '/a', 'X-Forwarded-For: 58.20.1.2:40112', 'X-Scheme: https');
    get('proxy', '/a', 'X-Forwarded-For: ' . join ', ', map { "10.0.0.$_" } 1 .. 6);
    get('proxy', '/a', 'X-Forwarded-For: 10.1.1.1', 'X-Forwarded-For: 10.1.1.2');
    get('proxy', '/a', 'X-IMForwards: 20', 'X-Lantern-Version: 1');
}


sub tools {
    bare('tool', 'GET /health HTTP/1.0', ['User-Agent: Zabbix 5.0']);
    bare('tool', 'HEAD / HTTP/1.1', ["Host: $host", 'User-Agent: '
         . 'check_http/v2.3.3 (monitoring-plugins)', 'Connection: close']);
    bare('tool', 'GET /robots.txt HTTP/1.1', ["Host: $host", 'From: bingbot(at)'
         . 'microsoft.com', 'User-Agent: Mozilla/5.0 (compatible; bingbot/2.0; '
         . '+http://www.bing.com/bingbot.htm)', 'Accept-Encoding: gzip, br']);
    bare('tool', 'GET /sitemap.xml HTTP/1.1', ["Host: $host", 'User-Agent: '
         . 'Mozilla/5.0 (compatible;YisouSpider;)', 'If-Modified-Since: '
         . 'Thu, 01 Jan 1970 00:00:00 GMT']);
    bare('tool', 'GET /favicon.ico HTTP/1.1', ["Host: $host", 'User-Agent: ']);
    bare('tool', 'GET /a HTTP/1.1', ["Host: $host", 'User-Agent: curl/8.5.0',
         'Accept: */*', 'X-Request-ID: 1', 'Authorization: Basic YTpi']);
    bare('tool', 'POST /a HTTP/1.1', ["Host: $host", 'User-Agent: PostmanRuntime/'
         . '7.36', 'Postman-Token: 1', $json, 'Connection: keep-alive'],
         "{\n  \"a\": 1\n}");
    bare('tool', 'GET /a.apk HTTP/1.1', ["Host: $host", 'User-Agent: Android'
         . 'DownloadManager/14 (Linux; U; Android 14)', 'Range: bytes=1000-']);
    bare('tool', 'GET /news/rss.xml HTTP/1.1', ["Host: $host", 'A-IM: feed',
         'Accept: application/rss+xml, */*;q=0.1']);
    bare('tool', 'POST /a HTTP/1.1', ["Host: $host", 'Accept: text/event-stream',
         'Last-Event-ID: 41', 'Cache-Control: no-cache', $json], '{"ask":"a"}');
}
