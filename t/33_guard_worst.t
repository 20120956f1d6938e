#!/usr/bin/perl
#
# Copyright (C) govsvc authors
#
# The bodies that cost the guard most (bench/micro_guard_worst.c), of 1 MB, with
# the budget as nobody sets it: each is answered, what is cut is told and
# refused by rule 3, and others are answered meanwhile by the same worker.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Compress::Gzip qw/gzip/;
use MIME::Base64;
use Test::GovSvc;

use constant SIZE => 1024 * 1024;

my $t = Test::GovSvc->new(log => 'warn');

$t->nginx_backend('app', <<'EOF2');
    server {
        listen  127.0.0.1:%%PORT_9%%;
        client_max_body_size 0;
        location / {
            return 200 "ok\n";
        }
    }
EOF2

$t->http_conf(<<'EOF2')->run();
    govsvc_rules          %%TOP%%/lua-free-rules/*.rules;
    client_max_body_size  8m;

    log_format  guard  '$uri $status rule=$govsvc_rule';
    access_log  %%DIR%%/access.log guard;

    server {
        listen               127.0.0.1:%%PORT_0%%;
        govsvc_guard         on;
        govsvc_body_inspect  1m;
        location / { proxy_pass http://127.0.0.1:%%PORT_9%%; }
    }
EOF2

my $form = 'application/x-www-form-urlencoded';
my $json = 'application/json';
my $xml = 'text/xml';

gzip(\('q=' . fill("' or (<a on ", SIZE - 2)), \my $bomb) or die 'gzip';

my @worst = (
    dots => $form, 'q=' . fill('/..;/.%2e\\/'),
    templates => $form, 'q=' . fill('{{7*'),
    tags => $form, 'q=' . fill('<a on '),
    commands => $xml, '<r><a>' . fill(';cat /etc/ ') . '</a></r>',
    shell => $json, '{"q":"' . fill('$') . '"}',
    blanks => $json, '{"q":"include' . fill(' ') . '"}',
    php => $form, 'q=' . fill('$_get ['),
    escapes => $json, '["' . fill('\u0027\u003c\u0061') . '"]',
    entities => $xml, '<r>' . fill('&') . '</r>',
    base64 => $form, 'q=' . substr(encode_base64(fill("' or (<a on "), ''), 0,
                                   SIZE - 64),
    dashes => 'multipart/form-data; boundary=b', "--b\r\n\r\n"
              . fill("\r\n--a", SIZE - 64) . "\r\n--b--\r\n",
    fields => $form, join('&', map { "k$_=%27+or+(%3ca+on" } 1 .. 10000),
    bomb => "$form\r\nContent-Encoding: gzip", $bomb,
);

my $load = $t->load_start(uri => '/guide', connections => 2, pause => 0.01);

while (my ($name, $type, $body) = splice @worst, 0, 3) {
    my $answer = $t->http(join("\r\n", "POST /apply HTTP/1.1",
        'Host: a.example', "Content-Type: $type",
        'Content-Length: ' . length($body), 'Connection: close', '', '')
        . $body, timeout => 60);

    like($answer->status, qr/^(?:200|403)$/, "$name: answered");
}

my $count = $t->load_stop($load);
my $meanwhile = delete $count->{200};

delete $count->{reconnect};
cmp_ok($meanwhile // 0, '>', 0, 'others are answered meanwhile');
is_deeply($count, {}, 'all of them');

my $cut = () = $t->error_log() =~ /govsvc guard: time spent/g;
my @log = grep { m{^/(?!guide)} } split /\n/, $t->read_file('access.log');
my @budget = grep { / rule=3$/ } @log;

cmp_ok($cut, '>', 0, "$cut are cut, and told");
cmp_ok(scalar @budget, '>', 0, 'by the budget alone: ' . @budget);
is(scalar(grep { !/ 403 / } @budget), 0, 'and refused');

$t->done();


sub fill {
    my ($piece, $size) = @_;

    $size //= SIZE - 64;

    return substr $piece x ($size / length($piece) + 1), 0, $size;
}
