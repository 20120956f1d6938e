#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit: the master and all workers are killed at once under load, several
# times.  What was acknowledged behind a durable intent is in the record with
# the hash that the caller was told; the store is never called tampered with.

use strict;
use warnings;

use JSON::PP;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new(workers => 2)->has('cli', 'stock');
my $dir = $t->dir() . '/audit';
my $rounds = $ENV{GOVSVC_LONG} ? 20 : 3;

$t->nginx_backend('up', <<'EOF');
server {
    listen 127.0.0.1:%%PORT_1%%;
    location / { return 200 "done"; }
}
EOF

$t->http_conf(<<'EOF')->run();
govsvc_node         n1;
govsvc_audit_store  dir=audit flush=5ms segment=64k buffer=1m;
govsvc_audit        meta;

server {
    listen 127.0.0.1:%%PORT_0%%;

    location / {
        proxy_pass http://127.0.0.1:%%PORT_1%%;
    }

    location /write/ {
        govsvc_audit meta intent=durable receipt=on;
        proxy_pass http://127.0.0.1:%%PORT_1%%;
    }
}
EOF

# What callers were told, one file for each; they go on while there is nobody.

my @clients;

for my $c (1 .. 3) {
    my $pid = fork() // die;

    if ($pid) {
        push @clients, $pid;
        next;
    }

    my $stop = 0;
    $SIG{TERM} = sub { $stop = 1 };
    open my $ledger, '>', $t->dir() . "/ledger.$c" or die;

    for (my $i = 1; !$stop; $i++) {
        my $kind = $i % 2 ? 'write' : 'read';
        my $r = eval { $t->http_get("/$kind/$c/$i", timeout => 5) };

        if (!$r || $r->status != 200) {
            select undef, undef, undef, 0.01;
            next;
        }

        print $ledger join(' ', "/$kind/$c/$i", $r->header('X-Request-Id'),
            $r->header('X-Govsvc-Receipt') // '-'), "\n";
        $ledger->flush();
    }

    close $ledger;
    require POSIX;
    POSIX::_exit(0);
}

sub ledger {
    return map { split /\n/, $t->read_file("ledger.$_") // '' } 1 .. 3;
}

for my $round (1 .. $rounds) {
    my $told = () = ledger();

    ok($t->wait_for(sub { $told + 40 < (() = ledger()) }, 60),
        "round $round: requests are answered");

    # the whole group at once: nobody is left to go on with a chain

    $t->crash();

    my ($code, $out) = $t->govsvc('audit', 'verify', $dir);
    ok($code == 0 || $code == 4, "round $round: no false alarm") or diag($out);

    $t->run();
}

kill 'TERM', @clients;
waitpid $_, 0 for @clients;
$t->stop();

my ($code, $out) = $t->govsvc('audit', 'verify', '--json', $dir);
ok($code == 0 || $code == 4, 'no false alarm at the end') or diag($out);

my @chains = map { decode_json($_) } split /\n/, $out;
is(scalar(grep { $_->{fault} && $_->{fault}{kind} ne 'torn' } @chains), 0,
    'ends may be torn, and nothing else is wrong');
cmp_ok(scalar(grep { $_->{end} eq 'open' } @chains), '>=', $rounds,
    'nobody was left to end the chains of the dead');

# Whole lines only: the last one of a chain may be half written.

my (%intent, %end);

for my $file ($t->audit_files()) {
    for (split /^/, $t->read_file($file)) {
        next unless /\n\z/;
        my $line = decode_json($_);
        next unless $line->{ty} eq 'http';

        if ($line->{st} eq 'intent') {
            $intent{$line->{req}} = "$line->{id}.$line->{h}";

        } else {
            $end{$line->{req}} = 1;
        }
    }
}

my ($writes, $reads, $lost, @gone, @other) = (0, 0, 0);

for (ledger()) {
    my ($path, $id, $receipt) = split / /;

    # a client may have died in the middle of its line

    next unless defined $receipt;

    if ($path =~ m{^/write}) {
        $writes++;
        push @gone, $path unless $intent{$id};
        push @other, $path unless ($intent{$id} // '') eq $receipt;
        next;
    }

    $reads++;
    $lost++ unless $end{$id};
}

cmp_ok($writes, '>', 15 * $rounds, 'many were acknowledged');
is("@gone", '', 'each of them has its intent on disk');
is("@other", '', 'with the hash that was told');

note(sprintf '%d kills: %d durable acknowledged, 0 lost; %d others, %d lost',
    $rounds, $writes, $reads, $lost);

$t->done();
