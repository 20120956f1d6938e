#!/usr/bin/perl
#
# Copyright (C) govsvc authors
#
# Rules over requests: block, detect, off; limits of what is looked at; bad
# bytes.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new();

my $port = $t->backend('gd');

$t->write_file('a.rules', <<'EOR');
rule 1000 trap     { match path lit "/.git/"; tag recon; block; }
rule 1001 hidden   { match path prefix "/secret/"; block 404; }
rule 1002 union    { match args lit union; match same pcre "(?i)union\s+select";
                     tag sqli; block; }
rule 1003 note     { match args|arg_names lit watch; log; }
rule 1004 agent    { match header:user-agent lit sqlmap; block; }
rule 1005 jndi     { match header:* lit "${jndi:"; block; }
rule 1006 only-get { match path prefix "/read/"; match method !eq GET HEAD;
                     block; }
rule 1007 names    { match arg_names eq "class.module"; block; }
rule 1008 raw      { match uri lit "%252e"; match query suffix "=%41"; block; }
rule 1009 slow     { match args lit "aaaaaaaaaaaaaaaa";
                     match same pcre "^(?:a+)+$"; block; }
rule 1010 bytes    { match path flag bad-utf8; block 400; }
EOR

$t->http_conf(<<"EOF")->run();
    govsvc_rules  a.rules;

    large_client_header_buffers  8 64k;

    log_format  guard  '\$uri \$status rule=\$govsvc_rule score=\$govsvc_score';

    server {
        listen        127.0.0.1:%%PORT_0%%;
        server_name   portal.example;
        govsvc_guard  on;
        access_log    %%DIR%%/access.log guard;

        location / {
            proxy_pass  http://127.0.0.1:$port;
        }

        location /detect/ {
            govsvc_guard  detect;
            add_header    X-Rule "\$govsvc_rule \$govsvc_score";
            proxy_pass    http://127.0.0.1:$port/x/;
        }

        location /off/ {
            govsvc_guard  off;
            add_header    X-Rule "\$govsvc_rule";
            proxy_pass    http://127.0.0.1:$port/x/;
        }

        location = /strict {
            internal;
            try_files  /none =418;
        }

        location = /loose {
            govsvc_guard  detect;
            try_files     /none /strict;
        }

        location = /once {
            try_files     /none /twice;
        }

        location = /twice {
            proxy_pass    http://127.0.0.1:$port;
        }

        location /page/ {
            error_page  403 = /sorry;
            proxy_pass  http://127.0.0.1:$port;
        }

        location = /sorry {
            internal;
            return  200 "sorry \$govsvc_rule";
        }
    }

    server {
        listen       127.0.0.1:%%PORT_0%%;
        server_name  plain.example;

        location / {
            proxy_pass  http://127.0.0.1:$port;
        }
    }
EOF


sub get {
    my ($uri, %options) = @_;

    return $t->http_get($uri, host => 'portal.example', %options);
}


sub blocked {
    my ($r, $name) = @_;

    is($r->status, 403, "$name: refused");
}


sub passed {
    my ($r, $name) = @_;

    is($r->status, 200, "$name: passed");
}


# on

blocked(get('/.git/config'), 'path');
blocked(get('/a/%2e%67it/../.git/x'), 'path is decoded and normalised');
blocked(get('/.GIT/x'), 'lit is case-blind');
is(get('/secret/x')->status, 404, 'status of the rule');
passed(get('/Secret/x'), 'prefix is not');
blocked(get('/?q=1%20UnIoN++select'), 'argument decoded');
blocked(get('/?a=1&b=2&q=union%0aselect'), 'third argument');
passed(get('/?q=unions+select'), 'pattern not met');
passed(get('/?union=1&q=select'), 'two arguments are not one');
blocked(get('/', headers => { 'User-Agent' => 'SQLMap/1' }), 'one header');
passed(get('/', headers => { 'X-Agent' => 'sqlmap' }), 'another header');
blocked(get('/', headers => { 'X-Api' => 'a${jndi:x}' }), 'any header');
blocked(get('/', headers => { 'User-Agent' => '${jndi:x}' }),
    'any header, the named one');
passed(get('/read/x'), 'negated method');
blocked($t->http_request('POST', '/read/x', host => 'portal.example'),
    'negated method, another');
blocked(get('/?class.module=1'), 'name of an argument');
blocked(get('/?class%2Emodule'), 'an argument that is only a name');
passed(get('/?class.modules=1'), 'another name');
blocked(get('/%252e?x=%41'), 'both raw targets');
passed(get('/%2e?x=%41'), 'one raw target only');
blocked(get('/?q=' . 'a' x 40 . 'b'), 'a pattern at its limit');
like($t->error_log(), qr/govsvc guard: match limit met, rule: 1009/,
    'a pattern at its limit is told');

my $r = get('/.git/config', headers => { Accept => 'application/json' });

is($r->json->{code}, 'RULE_BLOCKED', 'code');
is($r->json->{status}, 403, 'code with its status');
like($t->error_log(), qr/\[warn\].*govsvc guard: blocked, rule: 1000,/,
    'told in the log');
unlike($t->error_log(), qr/govsvc guard: [^,]*, rule: \d+[^,\d]/,
    'what was sent is not in our message');
is(get('/page/.git/')->body, 'sorry 1000', 'error_page of the location');

$r = get('/?watch=this');
passed($r, 'rule that only logs');
like($t->error_log(), qr/\[info\].*govsvc guard: hit, rule: 1003,/,
    'rule that only logs: told');

# Chinese text, encoded and raw, GBK too

passed(get('/?q=%E5%B9%BF%E4%B8%9C%E7%9C%81%E5%8A%9E%E4%BA%8B'), 'Chinese');
passed(get("/?q=\xe5\xb9\xbf\xe4\xb8\x9c"), 'Chinese, not encoded');
passed(get('/?q=%b9%e3%b6%ab'), 'GBK in an argument');
is(get('/%ff%fe')->status, 400, 'broken UTF-8 in the path');
passed(get('/%E5%B9%BF'), 'whole UTF-8 in the path');

# limits of what is looked at

passed(get('/?' . join '&', map { "a$_=1" } 1 .. 1000), '1,000 arguments');
blocked(get('/?' . join '&', map { "a$_=1" } 1 .. 1001), '1,001 arguments');
blocked(get('/?' . join '&', map { "a$_" } 1 .. 10000), '10,000 arguments');
blocked(get('/?' . '&' x 10000), '10,000 empty arguments');
blocked(get('/', headers => [ map { ("X-$_" => 'v' x 11000) } 1 .. 6 ]),
    '64 KB of headers');
like($t->error_log(), qr/govsvc guard: blocked, rule: 1,/, 'oversize is told');
passed(get('/', headers => [ map { ("X-$_" => 'v' x 9000) } 1 .. 6 ]),
    '52 KB of headers');

# detect answers as off does

for my $uri ('.git/x', '?q=union+select', 'x?' . 'a&' x 2000) {
    my $detect = get("/detect/$uri");
    my $off = get("/off/$uri");
    my $what = substr $uri, 0, 16;

    is($detect->status, 200, "detect $what");
    ok(anonymous($detect->body) eq anonymous($off->body),
        "detect as off: $what");
    is($detect->json->{uri}, "/x/$uri", "detect as it came: $what");
}


# Without what differs between any two requests.

sub anonymous {
    my ($body) = @_;

    return $body =~ s/[0-9a-f]{16,}|"connection":\d+//gr;
}


$r = get('/detect/.git/?watch=1');
is($r->header('X-Rule'), '1000 2', 'detect notes rule and score');
like($t->error_log(), qr/\[info\].*govsvc guard: would block, rule: 1000,/,
    'detect tells');
is(get('/off/.git/')->header('X-Rule'), undef, 'off notes nothing');

# internal redirects

$r = get('/loose?q=union+select');
blocked($r, 'a stricter location asks again');
my $id = $r->header('X-Request-Id');
is(get('/loose?q=x')->status, 418, 'a stricter location passes');
like($t->error_log(), qr/blocked, rule: 1002,.*, request: $id "GET"/,
    'a stricter location tells');


sub notes {
    my @found = $t->error_log() =~ /govsvc guard: hit, rule: 1003/g;

    return scalar @found;
}


my $before = notes();
passed(get('/once?watch=1'), 'internal redirect');
is(notes(), $before + 1, 'internal redirect: asked once');

# a server that says nothing

is($t->http_get('/.git/x', host => 'plain.example')->status, 200,
    'off is the default');

like($t->read_file('access.log'), qr{^/\.git/config 403 rule=1000 score=1$}m,
    'rule and score in the log of accesses');

# requests that no parser likes

for my $uri ('/?%%%=%%&', "/?\xff=\xfe&=&=&&", '/?a%', '/?=') {
    passed(get($uri), 'odd arguments');
}

$t->done();
