#!/usr/bin/perl
#
# Copyright (C) govsvc authors
#
# Rules over bodies and answers: whole, in pieces, in files, beyond the bound;
# tuning by location; detect changes nothing.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Select;
use Test::GovSvc;

my $t = Test::GovSvc->new();

my $port = $t->backend('gd', sub {
    my ($request) = @_;

    return (200, [ 'Content-Type' => 'text/plain', 'X-Debug' => 'trace' ],
        "error: ORA-00942 at line 1") if $request->{uri} =~ /leak/;
    return (500, [ 'Content-Type' => 'text/plain', 'X-Debug' => 'stack' ],
        "x") if $request->{uri} =~ /stack/;

    return (200, [ 'Content-Type' => 'text/plain' ],
        'got ' . length($request->{body}) . ": $request->{body}");
});

$t->write_file('sets.txt', "# paths\n/trap\n/old trap\n");
$t->write_file('a.rules', <<'EOR');
set  traps literal file=sets.txt;
set  local cidr { 127.0.0.0/8; }

rule 1000 form   { match form view=deep lit "<script"; score xss 5; tag xss; }
rule 1001 json   { match json view=deep lit "<script"; score xss 5; tag xss; }
rule 1002 half   { match inputs lit half; score odd 3; tag odd; }
rule 1003 other  { match inputs lit other; score odd 2; tag odd; }
rule 1004 level2 { match inputs lit strict; level 2; score odd 9; }
rule 1005 upload { match files.name pcre "\.jsp$"; block; }
rule 1006 trap   { match path in $traps; block 404; }
rule 1007 local  { match path eq /local; match ip in $local; block; }
rule 1008 debug  { match resp_header:X-Debug eq stack; block 404; }
rule 1009 leak   { match resp_body lit "ORA-00"; log; }
rule 1010 slow   { match form view=deep pcre "(?:[a-m]{1,30}[^z]{1,30}){3}y";
                   log; }
rule 1011 status { match path prefix /stack; match status >= 500; event err; }
EOR

$t->http_conf(<<"EOF")->run();
    govsvc_rules  a.rules;

    log_format  guard  '\$uri \$status rule=\$govsvc_rule score=\$govsvc_score';
    access_log  %%DIR%%/access.log guard;

    client_body_buffer_size  1k;

    server {
        listen        127.0.0.1:%%PORT_0%%;
        server_name   portal.example;
        govsvc_guard  on;

        location / {
            proxy_pass  http://127.0.0.1:$port;
        }

        location /stream/ {
            proxy_request_buffering  off;
            proxy_http_version       1.1;
            proxy_pass               http://127.0.0.1:$port;
        }

        location /detect/ {
            govsvc_guard  detect;
            proxy_pass    http://127.0.0.1:$port/x/;
        }

        location /off/ {
            govsvc_guard  off;
            proxy_pass    http://127.0.0.1:$port/x/;
        }

        location /small/ {
            govsvc_body_inspect  1k oversize=block;
            proxy_pass           http://127.0.0.1:$port;
        }

        location /small/pass/ {
            govsvc_body_inspect  1k oversize=pass;
            proxy_pass           http://127.0.0.1:$port;
        }

        location /small/score/ {
            govsvc_body_inspect  1k;
            proxy_pass           http://127.0.0.1:$port;
        }

        location /small/off/ {
            govsvc_body_inspect  off;
            proxy_pass           http://127.0.0.1:$port;
        }

        location /rich/ {
            govsvc_rule_off  tag:xss arg:content;
            govsvc_rule_off  1001 json:data.html;
            govsvc_rule_off  1002;
            proxy_pass       http://127.0.0.1:$port;
        }

        location /level/ {
            govsvc_level  block=2;
            proxy_pass    http://127.0.0.1:$port;
        }

        location /threshold/ {
            govsvc_threshold  20 odd=3;
            proxy_pass        http://127.0.0.1:$port;
        }

        location /budget/ {
            govsvc_guard_budget  1ms;
            govsvc_body_inspect  1m;
            client_max_body_size 2m;
            proxy_pass           http://127.0.0.1:$port;
        }

        location /denied/ {
            deny        all;
            proxy_pass  http://127.0.0.1:$port;
        }

        location = /send {
            proxy_pass  http://127.0.0.1:$port;
        }

        location /return/ {
            return  204;
        }
    }
EOF


sub post {
    my ($uri, $body, $type, @headers) = @_;

    return $t->http_request('POST', $uri, host => 'portal.example',
        body => $body, headers => [ defined $type
            ? ('Content-Type' => $type) : (), @headers ]);
}


my $form = 'application/x-www-form-urlencoded';
my $json = 'application/json';

# bodies

is(post('/', 'a=b&c=d', $form)->body, 'got 7: a=b&c=d', 'a body passes whole');
is(post('/', 'a=%3CScript>', $form)->status, 403, 'a form');
is(post('/', '{"a":["\u003cscript"]}', $json)->status, 403, 'JSON');
is(post('/', '{"a":"<script"}')->status, 403, 'JSON without a type');
is(post('/', "--b\r\nContent-Disposition: form-data; name=f;"
    . " filename=a.jsp\r\n\r\nx\r\n--b--", 'multipart/form-data; boundary=b')
    ->status, 403, 'an upload');
is(post('/', '')->status, 200, 'an empty body');
is($t->http_get('/?a=half', host => 'portal.example')->status, 200,
    'three points');
is(post('/?a=half', 'b=other', $form)->status, 403,
    'points of both phases are added');
is(post('/?a=half', 'b=half', $form)->status, 200, 'a rule counts once');

# in files and pieces

my $pad = 'x' x 40_000;

is(post('/', "p=$pad&a=<script", $form)->status, 403, 'a body in a file');
is(length post('/', "p=$pad&a=script", $form)->body, 40_022,
    'a body in a file passes whole');
is(post('/stream/', "p=$pad&a=<script", $form)->status, 403,
    'without buffering');

my $chunked = "POST / HTTP/1.1\r\nHost: portal.example\r\nConnection: close\r\n"
    . "Content-Type: $form\r\nTransfer-Encoding: chunked\r\n\r\n"
    . "4\r\na=<s\r\n5\r\ncript\r\n0\r\n\r\n";
is($t->http($chunked)->status, 403, 'chunks');

my $whole = $t->request('POST', '/', host => 'portal.example',
    headers => [ 'Content-Type' => $form ], body => 'a=1&b=%3Cscript%3E');
my $start = index($whole, "\r\n\r\n") + 4;
my @wrong;

for my $cut ($start .. length($whole) - 1) {
    my $socket = $t->connect();

    syswrite $socket, substr $whole, 0, $cut;
    select undef, undef, undef, 0.002;

    my $r = $t->http(substr($whole, $cut), socket => $socket);
    push @wrong, $cut if $r->status != 403;
}

is("@wrong", '', 'cut at each byte');

# beyond the bound

is(post('/small/', 'a=' . 'x' x 1022, $form)->status, 200, 'at the bound');
is(post('/small/', 'a=' . 'x' x 1023, $form)->status, 413, 'beyond: block');
is(post('/small/pass/', "a=$pad<script", $form)->status, 200, 'beyond: pass');
is(post('/small/pass/', "a=<script$pad", $form)->status, 403,
    'the part within the bound is looked at');
is(post('/small/score/', "a=$pad", $form)->status, 200, 'beyond: score');
is(post('/small/score/', "a=other$pad", $form)->status, 403,
    'beyond: score and a rule');
is(post('/small/score/?q=half', "a=$pad", $form)->status, 403,
    'beyond: score, and points of the head');
is(post('/small/off/', 'a=<script', $form)->status, 200, 'no bodies');

# tuning

is(post('/rich/', 'content=<script', $form)->status, 200, 'off for a field');
is(post('/rich/', 'content2=<script', $form)->status, 403, 'not for another');
is(post('/rich/', '{"data":{"html":"<script"}}', $json)->status, 200,
    'off for a leaf');
is(post('/rich/', '{"data":{"text":"<script"}}', $json)->status, 403,
    'not for another leaf');
is(post('/rich/?a=half', 'b=other', $form)->status, 200, 'off');
is(post('/', 'a=strict', $form)->status, 200, 'level 2 notes');
is(post('/level/', 'a=strict', $form)->status, 403, 'level 2 blocks');
is(post('/threshold/', 'a=<script', $form)->status, 200, 'a high threshold');
is(post('/threshold/', 'a=half', $form)->status, 403,
    'a threshold of a class');

# sets and addresses

is($t->http_get('/trap', host => 'portal.example')->status, 404, 'a set');
is($t->http_get('/trapped', host => 'portal.example')->status, 200,
    'not in the set');
is($t->http_get('/local', host => 'portal.example')->status, 403,
    'an address');

# detect

for my $body ('a=<script', "p=$pad&a=<script", '{"a":') {
    is(post('/detect/', $body, $form)->body, post('/off/', $body, $form)->body,
        'detect as off: ' . length $body);
}

like($t->error_log(), qr/govsvc guard: would block, rule: 1000,/,
    'detect tells');

# answers

is($t->http_get('/leak', host => 'portal.example')->status, 200,
    'a leak is not refused');
like($t->error_log(), qr/govsvc guard: hit, rule: 1009 while sending/, 'but told');
is($t->http_get('/stack', host => 'portal.example')->status, 404,
    'an answer with a trace is replaced');
is($t->http_get('/off/stack', host => 'portal.example')->status, 500,
    'off: it is not');

# time

my $hard = join '&', map { "k$_=" . ('abcdefghij,;' x 20) . '%2541' } 1 .. 3000;
is(post('/budget/', $hard, $form)->status, 403, 'the time is spent');
like($t->error_log(), qr/govsvc guard: time spent, not all rules/, 'it is told');
like($t->error_log(), qr/govsvc guard: blocked, rule: 3,/, 'the rule');

# callers that are refused anyway

my $socket = $t->connect();
syswrite $socket, "POST /denied/ HTTP/1.1\r\nHost: portal.example\r\n"
    . "Content-Length: 100000\r\nConnection: close\r\n\r\n";
ok(IO::Select->new($socket)->can_read(5), 'refused before the body came');
sysread $socket, my $answer, 4096;
like($answer, qr{^HTTP/1.1 403}, 'refused');
close $socket;

# an answer without the body being asked for

is(post('/return/', 'a=b', $form)->status, 204, 'return');

like($t->read_file('access.log'), qr{^/ 403 rule=1000 score=5$}m,
    'rule and score');

$t->done();
