#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# govsvc_redis: what each word of the block takes, and the message for what it
# does not.

use strict;
use warnings;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new();

$t->write_file('redis.pw', "secret\r\nsecond line\n");
$t->write_file('empty.pw', "\n");
$t->write_file('open.pw', "secret\n");
chmod 0600, "$t->{dir}/redis.pw", "$t->{dir}/empty.pw";
chmod 0644, "$t->{dir}/open.pw";

my $forms = 'allowed: ADDRESS, ADDRESS:PORT, NAME:PORT, unix:/PATH';

# good

is(block('server 127.0.0.1:6379;'), '', 'the least');
is(block('server 127.0.0.1;'), '', 'the usual port');
is(block('server [::1]:6379;'), '', 'IPv6');
is(block('server unix:/run/redis.sock;'), '', 'UNIX socket');
is(block('sentinel gov 127.0.0.1 127.0.0.2:26380;'), '', 'Sentinels');
is(block('cluster 127.0.0.1 127.0.0.2:6380;'), '', 'cluster');
is(block(<<'END'), '', 'everything');
sentinel gov 10.0.0.1; user gw; password_file redis.pw;
sentinel_user s; sentinel_password_file redis.pw; prefix gov:portal:;
tls on verify=off name=redis.gov.example; connect_timeout 1s;
command_timeout 30ms; max_inflight 100; reconnect 100ms max=5s jitter=10%;
breaker errors=10 silence=100ms;
END
is($t->conf_error('govsvc_redis a { server 127.0.0.1; }'
    . ' govsvc_redis b { server 127.0.0.1; }'), '', 'two of them');
is($t->conf_error('resolver 127.0.0.1;'
    . ' govsvc_redis a { server redis.gov.example; }'), '', 'a name');

# bad

my @bad = (
    ['', 'govsvc_redis "main" needs "server ADDRESS", "sentinel NAME ADDRESS'
        . ' ..." or "cluster ADDRESS ..."'],
    ['server a:b:c;', 'invalid address "a:b:c"; ' . $forms
        . ' in "server" directive'],
    ['server 127.0.0.1:0;', 'invalid address "127.0.0.1:0"; ' . $forms
        . ' in "server" directive'],
    ['server 127.0.0.1/x;', 'invalid address "127.0.0.1/x"; ' . $forms
        . ' in "server" directive'],
    ['cluster unix:/x;', 'invalid address "unix:/x"; ' . $forms
        . ' in "cluster" directive'],
    ['server 127.0.0.1; cluster 127.0.0.1;', 'govsvc_redis "main" has more'
        . ' than one of "server", "sentinel" and "cluster"'],
    ['server 127.0.0.1; server 127.0.0.2;', '"server" directive is'
        . ' duplicate'],
    ['sentinel gov;', 'invalid number of arguments in "sentinel" directive'],
    ['sentinel g/v 127.0.0.1;', 'invalid name of a primary "g/v"; allowed:'
        . ' 1 to 64 letters, digits, "_", "-" and "." in "sentinel"'
        . ' directive'],
    ['servr 127.0.0.1;', 'unknown directive "servr" in govsvc_redis; did you'
        . ' mean "server"?'],
    ['server 127.0.0.1; user g=w;', 'invalid user "g=w"; allowed: 1 to 64'
        . ' letters, digits, "_", "-" and "." in "user" directive'],
    ['server 127.0.0.1; user gw;', 'govsvc_redis "main" needs "password_file'
        . ' FILE"'],
    ['sentinel g 127.0.0.1; sentinel_user gw;', 'govsvc_redis "main" needs'
        . ' "sentinel_password_file FILE"'],
    ['server 127.0.0.1; sentinel_password_file redis.pw;', 'govsvc_redis'
        . ' "main" needs "sentinel NAME ADDRESS ..." for its'
        . ' "sentinel_password_file"'],
    ['server 127.0.0.1; password_file empty.pw;', 'no password in the first'
        . ' line of "empty.pw"'],
    ['server 127.0.0.1; password_file open.pw;', 'secret file "open.pw" is'
        . ' open to other users, allowed: owner and group, use chmod o-rwx'],
    ['server 127.0.0.1; prefix "{gs}";', 'invalid prefix "{gs}"; allowed: 1 to'
        . ' 64 letters, digits, "_", "-", "." and ":" in "prefix"'
        . ' directive'],
    ['server 127.0.0.1; tls maybe;', 'invalid value "maybe"; allowed: on, off'
        . ' in "tls" directive'],
    ['server 127.0.0.1; tls on;', 'govsvc_redis "main" needs "ca FILE" or'
        . ' "tls on verify=off"'],
    ['server 127.0.0.1; tls off verify=off;', 'parameter "verify=off" without'
        . ' "tls on"'],
    ['server 127.0.0.1; tls on verify=yes;', 'invalid value "yes"; allowed:'
        . ' on, off in "tls" directive'],
    ['server 127.0.0.1; tls on verfy=off;', 'invalid parameter "verfy="; did'
        . ' you mean "verify="? in "tls" directive'],
    ['server 127.0.0.1; tls on cert=a.pem;', '"cert=" and "key=" of "tls" go'
        . ' together'],
    ['server 127.0.0.1; tls on name=a/b;', 'invalid name "a/b" in "tls"'
        . ' directive'],
    ['server 127.0.0.1; ca ca.pem;', 'govsvc_redis "main" needs "tls on" for'
        . ' its "ca"'],
    ['server 127.0.0.1; connect_timeout 5ms;', 'invalid time "5ms" in'
        . ' "connect_timeout" directive, allowed: 10ms to 60000ms'],
    ['server 127.0.0.1; command_timeout 0;', 'invalid time "0" in'
        . ' "command_timeout" directive, allowed: 1ms to 60000ms'],
    ['server 127.0.0.1; command_timeout 60ms;', 'govsvc_redis "main":'
        . ' silence of 50ms in "breaker" is less than command_timeout of'
        . ' 60ms'],
    ['server 127.0.0.1; max_inflight 0;', 'invalid number "0" in'
        . ' "max_inflight" directive, allowed: 1 to 65536'],
    ['server 127.0.0.1; reconnect 1ms;', 'invalid time "1ms" in "reconnect"'
        . ' directive, allowed: 10ms to 60000ms'],
    ['server 127.0.0.1; reconnect 100ms max=50ms;', 'invalid time "50ms" in'
        . ' "reconnect" directive, allowed: 100ms to 600000ms'],
    ['server 127.0.0.1; reconnect 50ms jitter=95%;', 'invalid number "95" in'
        . ' "reconnect" directive, allowed: 0 to 90'],
    ['server 127.0.0.1; reconnect 50ms mx=1s;', 'invalid parameter "mx="; did'
        . ' you mean "max="? in "reconnect" directive'],
    ['server 127.0.0.1; breaker errors=0;', 'invalid number "0" in "breaker"'
        . ' directive, allowed: 1 to 1000000'],
    ['server 127.0.0.1; breaker silence=0;', 'invalid time "0" in "breaker"'
        . ' directive, allowed: 1ms to 60000ms'],
    ['server 127.0.0.1; breaker on;', 'invalid parameter "on"; allowed:'
        . ' errors=, silence= in "breaker" directive'],
);

for my $case (@bad) {
    my ($text, $message) = @$case;
    my $got = block($text);
    $got =~ s/ in bad\.conf:\d+$//;
    is($got, $message, $text);
}

is(block('server redis.gov.example;'), 'govsvc_redis "main" names'
    . ' "redis.gov.example", which needs a "resolver" in the http block in'
    . ' bad.conf:1', 'a name without a resolver');
like($t->conf_error('govsvc_redis a/b { server 127.0.0.1; }'),
    qr/^invalid name of a redis "a\/b"; allowed: 1 to 64 letters/, 'a name');
like($t->conf_error('govsvc_redis a { server 127.0.0.1; }'
    . ' govsvc_redis a { server 127.0.0.1; }'),
    qr/^duplicate govsvc_redis "a"/, 'twice');
like($t->conf_error('server { govsvc_redis a { server 127.0.0.1; } }'),
    qr/^"govsvc_redis" directive is not allowed here/, 'elsewhere');

my (undef, $dump) = do {
    $t->write_file('dump.conf', "govsvc_redis main {\n"
        . "    server 127.0.0.1; password_file redis.pw;\n}\n");
    $t->write_file('dumped.conf', $t->frame('dump.conf'));
    my ($code, $out) = $t->command($t->environment(), 'nginx', '-T',
        '-p', "$t->{dir}/", '-c', "$t->{dir}/dumped.conf");
    ($code, $out);
};
like($dump, qr/govsvc_redis main/, 'nginx -T prints the block');
unlike($dump, qr/secret/, 'and no password');

$t->done();


sub block {
    my ($text) = @_;

    return $t->conf_error("govsvc_redis main { $text }");
}
