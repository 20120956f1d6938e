#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# govsvc audit query and tail: what they find, in which order, on a store
# that is being written, and that they leave a record.

use strict;
use warnings;

use JSON::PP;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new(workers => 2)->has('cli')->plan(44);

$t->http_conf(<<'EOC')->run();
govsvc_node        n1;
govsvc_audit_store dir=audit alg=sha256 segment=64k flush=5ms;
govsvc_audit       meta;

server {
    listen 127.0.0.1:%%PORT_0%%;
    location / { return 200 "ok"; }
    location /no { return 403; }
}
EOC

my $dir = $t->dir() . '/audit';

sub ask {
    my ($verb, @args) = @_;
    my ($code, $out, $err) = $t->govsvc('audit', $verb, $dir, @args);

    return ($code, [ split /\n/, $out ], $err);
}

my @raw = map { $t->request('GET', $_ % 10 ? "/load/$_" : "/no?name=$_") }
          0 .. 599;
my @r = $t->http_parallel(\@raw, concurrency => 8);
is(scalar(grep { $_->status == 200 || $_->status == 403 } @r), 600, 'asked');

my $id = $r[7]->header('X-Request-Id');

$t->wait_for(sub { (ask('query', '--type', 'http', '--count'))[1][0] == 600 });

my ($code, $lines, $err) = ask('query', '--type', 'http', '--count');
is_deeply([$code, $lines], [0, [600]], 'all of them');

($code, $lines) = ask('query', '--status', '403', '--count', '--json');
is_deeply([$code, $lines], [0, ['{"count":60}']], 'by status, as JSON');

($code, $lines, $err) = ask('query', '--act', 'deny', '--limit', 5);
is($code, 0, 'denied');
is(scalar @$lines, 5, 'so many as were asked for');
like($err, qr/^govsvc: 60 records, the first 5 are shown; --limit shows more$/m,
     'and it is told that there are more');
like($lines->[0], qr{^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d \ http\ done\ 127\.0\.0\.1
                     \ GET\ /no\ 403\ HTTP_403\ req=[0-9a-f]{32}$}x,
     'for people');

($code, $lines) = ask('query', '--request', $id, '--json');
is(scalar @$lines, 1, 'one request');
my $record = decode_json($lines->[0]);
is($record->{req}, $id, 'is the one');

($code, $lines) = ask('query', '--trace', $record->{tr} // $id, '--count');
is($lines->[0], 1, 'its trace');

($code, $lines) = ask('query', '--type', 'http', '--json');
my @times = map { decode_json($_)->{t} } @$lines;
is_deeply(\@times, [sort @times], 'in the order of their time');

my %chains = map { decode_json($_)->{ch} => 1 } @$lines;
is(scalar keys %chains, 2, 'from both workers');

($code, $lines) = ask('query', '--type', 'http', '--from', $times[100],
                      '--to', $times[200], '--json');
my @part = grep { $_ ge $times[100] && $_ lt $times[200] } @times;
is_deeply([map { decode_json($_)->{t} } @$lines], \@part,
          'from a time on, before another');

($code, $lines) = ask('query', '--from', '90m', '--type', 'http', '--count');
is($lines->[0], 600, 'the last 90 minutes');
($code, $lines) = ask('query', '--to', '90m', '--type', 'http', '--count');
is_deeply([$code, $lines], [1, [0]], 'before them there is nothing');

for (['--status', 42], ['--platform', 'gd'], ['--ip', '127.0.0.2'],
     ['--code', 'HTTP_40'], ['--region', '44*'], ['--status', '40'],
     ['--case', '1'], ['--app', 'x'], ['--rule', '1'], ['--subject', 'p1:a'])
{
    ($code) = ask('query', @$_);
    is($code, 1, "nothing: @$_");
}

# A text that a caller wrote is no key.

$t->http_request('GET', '/x',
         headers => { 'User-Agent' => '","case":"77","gov":{"case":"77"}' });
$t->wait_for(sub { (ask('query', '--type', 'http', '--count'))[1][0] == 601 });
($code) = ask('query', '--case', '77');
is($code, 1, 'keys cannot be forged');

for (['--from', 'yesterday'], ['--from', ''], ['--to', '2026-13-01'],
     ['--limit', 'many'], ['--case', 'a"b'], ['--status', 'ok'])
{
    ($code, $lines, $err) = ask('query', @$_);
    is($code, 2, "invalid: @$_");
}

# Each question is in the store before its answer is given.

($code, $lines) = ask('query', '--type', 'query', '--json',
                      '--ticket', 'GD-2026-11');
my @asked = map { decode_json($_) } @$lines;
is($asked[-1]{ticket}, 'GD-2026-11', 'why it was asked');
is_deeply($asked[-1]{ask}, ['--type', 'query'], 'and what');
is($asked[-1]{by}{uid}, $>, 'and by whom');

($code) = $t->govsvc('audit', 'verify', $dir);
is($code, 0, 'they verify');

my $n = @asked;
ask('query', '--count', '--no-record');
($code, $lines, $err) = ask('query', '--type', 'query', '--count',
                            '--no-record');
is($lines->[0], $n, 'none for a copy');
is($err, "govsvc: this query leaves no record\n", 'which is told');

SKIP: {
    skip 'root may write everywhere', 1 if $> == 0;
    chmod 0555, $dir;
    ($code) = ask('query', '--count');
    is($code, 3, 'no record, no answer');
    chmod 0755, $dir;
}

# The last records, and those to come.

($code, $lines) = ask('tail', '--type', 'http', '--lines', 3, '--json');
is_deeply([map { decode_json($_)->{http}{path} } @$lines[2]], ['/x'],
          'the last line');
is(scalar @$lines, 3, 'three lines');

my $pid = open my $tail, '-|', "$FindBin::Bin/../build/govsvc", 'audit',
    'tail', $dir, '--follow', '--lines', 0, '--status', 403
    or die "govsvc: $!\n";

$t->wait_for(sub {
    (ask('query', '--type', 'query', '--json'))[1][-2] =~ /"verb":"tail"/;
});
$t->http_request('GET', "/no/$_") for 1 .. 2;
$t->reload();
$t->http_request('GET', '/no/3');

my $seen = '';
local $SIG{ALRM} = sub { kill 'TERM', $pid };
alarm 20;
while (defined(my $line = <$tail>)) {
    $seen .= $line;
    last if $line =~ m{/no/3 };
}
alarm 0;
kill 'TERM', $pid;
close $tail;

# A record of the query belongs to those who have the store: who seals it as
# their user, or of their group, has to read it.

SKIP: {
    skip 'only root gives files away', 2 if $> != 0;
    my $copy = $t->dir() . '/copy';
    system('cp', '-r', $dir, $copy) == 0 or die;
    chown 12345, 23456, $copy;
    ($code) = $t->govsvc('audit', 'query', $copy, '--limit', 1);
    my ($left) = grep { (stat $_)[4] == 12345 } glob "$copy/query.*";
    is(join(' ', (stat $left)[4, 5]), '12345 23456', 'the folder');
    is(join(' ', (stat "$left/0000000000000000.seg")[4, 5]), '12345 23456',
        'and the file');
}

like($seen, qr{/no/1 .*/no/2 .*/no/3 }s,
     'as they come, also from workers to come');

$t->done();
