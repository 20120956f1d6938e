#!/usr/bin/perl
#
# Copyright (C) govsvc authors
#
# The rules as shipped on the corpora of t/rules/: a body that comes in two
# pieces, in memory or in a file, gets the verdict of the whole; "detect"
# answers as "off" does; reloads leave no memory behind; what costs most is
# cut at the budget and told.  GOVSVC_LONG=1: every request with a body, 200
# reloads.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Select;
use Test::GovSvc;
use Time::HiRes qw/sleep/;

my $long = $ENV{GOVSVC_LONG};
my $slow = $ENV{GOVSVC_ASAN} || $ENV{GOVSVC_VALGRIND};
my $reloads = $ENV{GOVSVC_RELOADS} // ($long ? 200 : $slow ? 5 : 20);

my $t = Test::GovSvc->new(log => 'warn');

$t->nginx_backend('app', <<'EOF');
    server {
        listen  127.0.0.1:%%PORT_9%%;
        client_max_body_size 0;
        ignore_invalid_headers off;
        location / {
            return 200 "$request_method $request_uri $content_length\n";
        }
    }
EOF

$t->http_conf(<<'EOF')->run();
    govsvc_rules   %%TOP%%/lua-free-rules/*.rules;
    ignore_invalid_headers    off;
    client_max_body_size      8m;
    large_client_header_buffers  8 64k;
    keepalive_timeout            0;
    lingering_timeout            200ms;
    proxy_set_header          Connection "";

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_guard  on;
        location / { proxy_pass http://127.0.0.1:%%PORT_9%%; }
    }

    server {
        listen        127.0.0.1:%%PORT_1%%;
        govsvc_guard  on;
        client_body_in_file_only  clean;
        client_body_buffer_size   128;
        location / { proxy_pass http://127.0.0.1:%%PORT_9%%; }
    }

    server {
        listen        127.0.0.1:%%PORT_2%%;
        govsvc_guard  detect;
        location / { proxy_pass http://127.0.0.1:%%PORT_9%%; }
    }

    server {
        listen        127.0.0.1:%%PORT_3%%;
        govsvc_guard  off;
        location / { proxy_pass http://127.0.0.1:%%PORT_9%%; }
    }

    server {
        listen        127.0.0.1:%%PORT_4%%;
        govsvc_guard         on;
        govsvc_body_inspect  1m;
        govsvc_guard_budget  1ms;
        location / { proxy_pass http://127.0.0.1:%%PORT_9%%; }
    }
EOF

my @memory = 0;
my @file = 1;
my ($detect, $off, $budget) = (2, 3, 4);

srand 20261122;

my @attacks = map { corpus(@$_, 'attack') } ['gen.pl'], ['unseen.pl', 'd'],
                                            ['unseen.pl', 'f'];
my @benign = map { corpus(@$_, 'benign') } ['gen.pl'],
                 map { [ 'unseen.pl', $_ ] } qw(d e f);
my @bodies = grep { length $_->[1] } @attacks;

cmp_ok(scalar @bodies, '>', 1000, 'attacks with a body');

# in two pieces, at each byte or at some

my @sample = $long ? @bodies : map { $bodies[rand @bodies] } 1 .. 25;
my ($splits, $blocked, @wrong) = (0, 0);

for my $r (@sample) {
    my ($head, $body) = @$r;
    my $whole = status(@memory, $head . $body);
    my @at = $long ? 0 .. length $body : map { int rand 1 + length $body } 1, 2;

    $blocked += ($whole == 403);

    for my $at (@at) {
        for my $server (@memory, @file) {
            my $got = status($server, $head . substr($body, 0, $at),
                             substr $body, $at);

            $splits++;
            push @wrong, "$got for $whole at $at of $head$body"
                if $got != $whole;
        }
    }
}

is_deeply(\@wrong, [], "$splits times in two pieces: the verdict of the whole");
cmp_ok($blocked, '>', @sample / 2, 'most of them are refused');

# detect is off, but for what it notes

@wrong = ();

for my $r ($long ? (@attacks, @benign)
                 : map { ($attacks[rand @attacks], $benign[rand @benign]) }
                       1 .. 60)
{
    my ($one, $other) = map { answer($_, $r->[0] . $r->[1]) } $detect, $off;

    push @wrong, "$one\n-- but off:\n$other\n-- $r->[0]" if $one ne $other;
}

is_deeply(\@wrong, [], 'detect answers byte for byte as off does');

# what costs most

my $x = 'abcdefghij,;';
my %worst = (
    arguments => [ '/?' . join('&', map { "k$_=" . ($x x 3) . "%2541('" }
                                        1 .. 900), '', '' ],
    form => [ '/', 'application/x-www-form-urlencoded',
              join '&', map { "k$_=" . ($x x 20) . "%2541('" } 1 .. 3000 ],
    deep => [ '/', 'application/json', '{"a":' x 60 . '"' . '\u0027 or ' x
              60000 . '"' . '}' x 60 ],
    leaves => [ '/', 'application/json', '[' . join(',', map {
              qq("' or $_ and c' on = ;" ) } 1 .. 9000) . ']' ],
    markup => [ '/', 'text/xml', '<r>' . '&lt;a on /* select from ' x 30000
              . '</r>' ],
    backtrack => [ '/', 'application/x-www-form-urlencoded', 'q='
              . '<a on /on' x 20000 . '&r=' . "' or (" x 20000 . '&s='
              . 'select a,' x 20000 ],
);

for my $name (sort keys %worst) {
    my ($uri, $type, $body) = @{$worst{$name}};
    my $raw = length $body
        ? "POST $uri HTTP/1.1\r\nHost: a.example\r\nContent-Type: $type\r\n"
          . 'Content-Length: ' . length($body) . "\r\n\r\n$body"
        : "GET $uri HTTP/1.1\r\nHost: a.example\r\n\r\n";
    my $before = $t->error_log();
    my $status = status($budget, $raw);

    # refused by a rule, or by the time, whichever is first

    is($status, 403, "$name: refused");

    my $log = substr $t->error_log(), length $before;

    if ($log =~ /time spent/) {
        like($log, qr/govsvc guard: blocked, rule: \d/, "$name: cut and told");

    } else {
        like($log, qr/govsvc guard: blocked, rule: \d/, "$name: told");
    }
}

like($t->error_log(), qr/govsvc guard: time spent, not all rules were asked/,
    'the budget cuts some of them');
like($t->error_log(), qr/govsvc guard: blocked, rule: 3,/,
    'and is the rule that refuses');

# reloads

status(@memory, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
# two generations and what lies between them: the allocator settles late

$t->reload() for 1 .. 5;

my @before = rss();
my $ok = 0;

for (1 .. $reloads) {
    $ok += $t->reload();
    status(@memory, join "", @{$bodies[rand @bodies]});
}

my @after = rss();

note("master and workers, kB: @before; after $reloads reloads: @after");
is($ok, $reloads, "$reloads reloads");
cmp_ok($after[0], '<', $before[0] * 1.25 + 12288, 'the master is flat');
cmp_ok($after[1], '<', $before[1] * 1.25 + 12288, 'the worker is flat');

$t->done();


# [head, body] of each request, on a connection of its own
sub corpus {
    my ($program, @args) = @_;
    my @requests;

    open my $in, '-|', $^X, "$FindBin::Bin/rules/$program", @args
        or die "$program: $!\n";
    binmode $in;

    local $/;

    for my $text (split /^=== \S+ \d+\n/m, <$in>) {
        $text =~ s/\n\z//;
        $text =~ s/^Connection: keep-alive\r\n//m;

        my ($head, $body) = $text =~ /\A(.*?\r\n\r\n)(.*)\z/s or next;

        # one that announces another length would wait for the rest

        my ($length) = $head =~ /^Content-Length: (\d+)\r$/mi;

        next if $head =~ /^Transfer-Encoding/mi
                || ($length // 0) != length $body;

        push @requests, [ $head, $body ];
    }

    close $in or die "$program failed\n";

    return @requests;
}


sub status {
    my ($server, @pieces) = @_;

    return answer($server, @pieces) =~ m{^HTTP/1\.[01] (\d+)} ? $1 : 0;
}


# all bytes of the answer, but for those that are new each time
sub answer {
    my ($server, @pieces) = @_;
    my $socket = $t->connect(port => $t->port($server));
    my $text = '';

    local $SIG{PIPE} = 'IGNORE';

    for my $i (0 .. $#pieces) {
        sleep 0.002 if $i > 0;
        last if length $pieces[$i] && !print {$socket} $pieces[$i];
        $socket->flush();
    }

    my $ready = IO::Select->new($socket);

    1 while $ready->can_read(20)
            && sysread $socket, $text, 65536, length $text;
    close $socket;

    $text =~ s/^(?:Date|X-Request-Id): .*?\r\n//gmi;

    return $text;
}


# of the master and of the workers, kB
sub rss {
    my @kb;

    for my $pid ($t->read_file("nginx.pid"), ($t->workers())[0]) {
        my ($n) = `cat /proc/@{[$pid + 0]}/status` =~ /^RssAnon:\s+(\d+)/m;

        push @kb, $n;
    }

    return ($kb[0], $kb[1] + 0);
}
