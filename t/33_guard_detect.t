#!/usr/bin/perl
#
# Copyright (C) govsvc authors
#
# "detect" changes no byte of an answer: beside "off", in every way in which
# a request and its answer may travel.  Many requests in one connection, one
# behind another without waiting, parts of a file, a body that waits for
# "100 Continue", chunks, upstream answers that are not buffered or end early,
# HTTP/2, internal redirects, errors.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Select;
use Test::GovSvc;

my $t = Test::GovSvc->new(log => 'info');

# an answer in pieces, one that is cut, one with an attack in it

$t->nginx_backend('app', <<'EOF');
    server {
        listen  127.0.0.1:%%PORT_9%%;
        client_max_body_size 0;
        root  %%DIR%%/html;
        location / { return 200 "$request_method $request_uri $request_body\n"; }
        location /file { try_files /file.bin =404; }
        location /slow { limit_rate 64k; try_files /file.bin =404; }
        location /leak { return 200 "ORA-00933: SQL command not ended; root:x:0:0:"; }
        location /500 { return 500; }
        location /304 { return 304; }
    }
EOF

$t->write_file('html/file.bin', join '', map { "line $_ <script>\n" } 1 .. 6000);

my $server = sub {
    my ($mode, $port, $more) = @_;

    return <<"EOF";
    server {
        listen        127.0.0.1:$port;
        listen        127.0.0.1:@{[$port =~ s/PORT_(\d)/'PORT_' . ($1 + 2)/er]} http2;
        govsvc_guard  $mode;
        root          %%DIR%%/html;
        client_max_body_size     8m;
        keepalive_requests       1000;
        client_body_buffer_size  1k;

        location / {
            proxy_pass http://127.0.0.1:%%PORT_9%%;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }

        location /raw/ {
            proxy_pass http://127.0.0.1:%%PORT_9%%/;
            proxy_buffering off;
            proxy_request_buffering off;
        }

        location /file.bin { }
        location /again/ { rewrite ^/again/(.*) /\$1 last; }
        location /gone/ { return 404; error_page 404 = /file; }
        location /empty { return 204; }
    }
EOF
};

$t->http_conf(<<"EOF" . $server->('detect', '%%PORT_0%%')
    govsvc_rules  %%TOP%%/lua-free-rules/*.rules;
    lingering_timeout  200ms;
    merge_slashes      off;
EOF
    . $server->('off', '%%PORT_1%%'))->run();

my ($detect, $off) = map { $t->port($_) } 0, 1;
my $attack = "id=1%27%20union%20select%20password%20from%20users--";
my $host = "Host: a.example\r\n";
my $close = "Connection: close\r\n";

sub post {
    my ($uri, $type, $body, $more) = @_;

    return "POST $uri HTTP/1.1\r\n${host}Content-Type: $type\r\n"
        . ($more // '') . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
}

my $form = 'application/x-www-form-urlencoded';
my $big = "a=" . 'x' x 20000 . "&$attack";

my %ways = (
    'an attack' => [ "GET /?$attack HTTP/1.1\r\n$host$close\r\n" ],
    'HTTP/1.0' => [ "GET /?$attack HTTP/1.0\r\n\r\n" ],
    'HEAD' => [ "HEAD /file?$attack HTTP/1.1\r\n$host$close\r\n" ],
    'one after another' => [ map({ "GET /$_?$attack HTTP/1.1\r\n$host\r\n" }
        1 .. 5), "GET /x HTTP/1.1\r\n$host$close\r\n" ],
    'all at once' => [ join '', map({ "GET /$_?$attack HTTP/1.1\r\n$host\r\n"
        . post("/p$_", $form, $attack) } 1 .. 20),
        "GET /x HTTP/1.1\r\n$host$close\r\n" ],
    'a range' => [ "GET /file.bin?$attack HTTP/1.1\r\n${host}${close}"
        . "Range: bytes=100-199\r\n\r\n" ],
    'ranges' => [ "GET /file.bin?$attack HTTP/1.1\r\n${host}${close}"
        . "Range: bytes=0-9,100-109\r\n\r\n" ],
    'a bad range' => [ "GET /file.bin?$attack HTTP/1.1\r\n${host}${close}"
        . "Range: bytes=99999999-\r\n\r\n" ],
    'range upstream' => [ "GET /file?$attack HTTP/1.1\r\n${host}${close}"
        . "Range: bytes=5-50\r\n\r\n" ],
    '100-continue' => [ "POST /c HTTP/1.1\r\n${host}${close}"
        . "Content-Type: $form\r\nExpect: 100-continue\r\nContent-Length: "
        . length($attack) . "\r\n\r\n", $attack ],
    '100-continue, raw' => [ "POST /raw/c HTTP/1.1\r\n${host}${close}"
        . "Content-Type: $form\r\nExpect: 100-continue\r\nContent-Length: "
        . length($attack) . "\r\n\r\n", $attack ],
    'chunks' => [ "POST /ch HTTP/1.1\r\n${host}${close}Content-Type: $form\r\n"
        . "Transfer-Encoding: chunked\r\n\r\n", map({
        sprintf "%x\r\n%s\r\n", length, $_ } $attack =~ /(.{1,7})/g),
        "0\r\n\r\n" ],
    'a body in a file' => [ post('/f', $form, $big, $close) ],
    'a body, raw' => [ post('/raw/f', $form, $big, $close) ],
    'a body, then another request' => [ post('/f', $form, $big)
        . "GET /x HTTP/1.1\r\n$host$close\r\n" ],
    'not buffered' => [ "GET /raw/file?$attack HTTP/1.1\r\n$host$close\r\n" ],
    'slow' => [ "GET /raw/slow?$attack HTTP/1.1\r\n$host$close\r\n" ],
    'what leaks' => [ "GET /leak HTTP/1.1\r\n$host$close\r\n" ],
    'what leaks, raw' => [ "GET /raw/leak HTTP/1.1\r\n$host$close\r\n" ],
    'redirected inside' => [ "GET /again/x?$attack HTTP/1.1\r\n$host$close\r\n" ],
    'an error page' => [ "GET /gone/x?$attack HTTP/1.1\r\n$host$close\r\n" ],
    '500' => [ "GET /500?$attack HTTP/1.1\r\n$host$close\r\n" ],
    '304' => [ "GET /304?$attack HTTP/1.1\r\n$host$close\r\n" ],
    '204' => [ "GET /empty?$attack HTTP/1.1\r\n$host$close\r\n" ],
    'a bad request' => [ "GET /?a=%00 HTTP/1.1\r\n$close\r\n" ],
    'too many arguments' => [ "GET /?" . 'a=1&' x 1100
        . " HTTP/1.1\r\n$host$close\r\n" ],
    'a body that is none' => [ post('/j', 'application/json', '{"a":',
        $close) ],
);

for my $way (sort keys %ways) {
    my ($one, $other) = map { answer($_, @{$ways{$way}}) } $detect, $off;

    like($other, qr{^HTTP/1\.\d \d}, "$way: answered");
    is($one, $other, "$way: as without a guard");
}

cmp_ok(scalar(() = $t->error_log() =~ /would block/g), '>', 30,
    'most of it would be refused');

SKIP: {
    my ($code, $out) = $t->command('curl', '--version');

    skip 'curl speaks no HTTP/2', 6 if $code || $out !~ /HTTP2/;

    my ($d2, $o2) = map { $t->port($_) } 2, 3;

    $t->write_file('big', $big);

    for my $args ([ "/?$attack" ], [ '/f', '--data-binary', "\@$t->{dir}/big" ],
                  [ "/raw/file?$attack", '-r', '5-50' ])
    {
        my ($uri, @args) = @$args;
        my ($one, $other) = map { curl("http://127.0.0.1:$_$uri", @args) }
            $d2, $o2;

        like($other, qr{^HTTP/2 20}, "HTTP/2 $uri");
        is($one, $other, "HTTP/2 $uri: as without a guard");
    }
}

$t->done();


sub curl {
    my ($url, @args) = @_;
    my (undef, $out) = $t->command(qw/curl -s -i --http2-prior-knowledge
        -H Host:a.example/, @args, $url);

    return plain($out);
}


# Pieces are sent when the one before is answered, or a moment has passed.

sub answer {
    my ($port, @pieces) = @_;
    my $socket = $t->connect(port => $port);
    my $ready = IO::Select->new($socket);
    my $text = '';

    local $SIG{PIPE} = 'IGNORE';

    for my $i (0 .. $#pieces) {
        print {$socket} $pieces[$i] or last;
        $socket->flush();

        next if $i == $#pieces;
        sysread $socket, $text, 65536, length $text if $ready->can_read(.05);
    }

    1 while $ready->can_read(30)
            && sysread $socket, $text, 65536, length $text;
    close $socket;

    return plain($text);
}


# Without what is new each time.

sub plain {
    my ($text) = @_;

    $text =~ s/^(?:Date|X-Request-Id|Last-Modified|ETag): .*?\r\n//gmi;
    $text =~ s/\b\d{20}\b/BOUNDARY/g;
    $text =~ s/127\.0\.0\.1:\d+/HOST/g;

    return $text;
}
