#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit under load while processes come and go: whatever a client was told is
# in the record, with the hash that it was told.
# GOVSVC_LONG=1: a hundred reloads, ten thousand USR1.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new(workers => 2)->has('cli', 'stock');
my $dir = $t->dir() . '/audit';

$t->nginx_backend('up', <<'EOF');
server {
    listen 127.0.0.1:%%PORT_1%%;
    location / { return 200 "done"; }
}
EOF

$t->http_conf(<<'EOF')->run();
govsvc_node         n1;
govsvc_audit_store  dir=audit flush=5ms segment=256k buffer=1m;
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

my $long = $ENV{GOVSVC_LONG} ? 8 : 1;
my @clients;

# A ledger of what was acknowledged, with the number of the request.

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
        my $r = $t->http_get("/$kind/$c/$i", timeout => 5);
        next if $r->status != 200;
        print $ledger join(' ', "/$kind/$c/$i", $r->header('X-Request-Id'),
            $r->header('X-Govsvc-Receipt') // '-'), "\n";
    }

    close $ledger;
    require POSIX;
    POSIX::_exit(0);
}

sub pause { select undef, undef, undef, $_[0] }

for my $round (1 .. 2 * $long) {
    pause(0.1);

    for (1 .. ($long > 1 ? 625 : 5)) {
        kill 'USR1', $t->{main};
        pause($long > 1 ? 0.002 : 0.02);
    }

    $t->reload() for 1 .. ($long > 1 ? 6 : 1);
    ok($t->kill_worker('KILL'), "round $round: a worker is killed");
    ok($t->kill_worker('TERM'), 'one is terminated');

    # one of an old configuration, in the middle of its end

    kill 'HUP', $t->{main};
    pause(0.05);
    my @all = $t->workers();
    $t->{killed}{$all[0]} = 1;
    kill 'KILL', $all[0];
    $t->wait_for(sub { $t->workers() == 2 });
    ok($t->kill_worker('QUIT'), 'one ends');
}

pause(0.2);
kill 'TERM', @clients;
waitpid $_, 0 for @clients;

my (%receipt, %acked);

for my $c (1 .. 3) {
    for my $line (split /\n/, $t->read_file("ledger.$c")) {
        my ($path, $id, $receipt) = split / /, $line;
        $acked{$path} = $id;
        $receipt{$path} = $receipt if $receipt ne '-';
    }
}

cmp_ok(scalar(keys %acked), '>', 100, 'many requests were acknowledged');

my (%end, %intent);

# Recovered after a second at most.

sub missing {
    (%end, %intent) = ();

    for my $line (grep { $_->{ty} eq 'http' } $t->audit_lines()) {
        if ($line->{st} eq 'intent') {
            $intent{$line->{http}{path}} = "$line->{id}.$line->{h}";

        } else {
            $end{$line->{req}} = $line->{st};
        }
    }

    return grep { !$end{$acked{$_}} } sort keys %acked;
}

ok($t->wait_for(sub { !missing() }), 'each of them has an end')
    or diag(join ' ', (missing())[0 .. 5]);
is_deeply([ grep { ($intent{$_} // '') ne $receipt{$_} } sort keys %receipt ],
    [], 'and each receipt is that of an intent');
is(scalar(grep { /^.write/ && !$receipt{$_} } keys %acked), 0,
    'none was acknowledged without one');

$t->stop();

my ($code, $out) = $t->govsvc('audit', 'verify', '--json', $dir);
is($code, 0, 'the store is whole') or diag($out);

my @chains = map { JSON::PP->new->decode($_) } split /\n/, $out;
is(scalar(grep { $_->{end} ne 'closed' } @chains), 0, 'all chains are ended');
is(scalar(grep { $_->{intents} != $_->{paired} } @chains), 0,
    'all intents have an end');
is(scalar(grep { $_->{lost} } @chains), 0, 'nothing was lost');

my @g = sort { $a <=> $b } map { $_->{g} } grep { $_->{g} }
    $t->audit_lines(), $t->audit_master_lines();
my %n;
$n{$_}++ for @g;

# A process that is killed may take the number of the record that it is just
# making along; its request was never answered.

cmp_ok(scalar(grep { !$n{$_} } $g[0] .. $g[-1]), '<=', 4 * $long,
    'no number is missing');

# A new binary beside the old one.  It needs a master that is no child of this
# test.

SKIP: {

my $top = $t->dir();

$t->write_file('up.conf', <<"EOF");
daemon on;
pid $top/up.pid;
error_log $top/up.log notice;
load_module @{[ $t->module() ]};
@{[ $< == 0 ? 'user root;' : '' ]}
worker_processes 1;
events { }
http {
    access_log off;
    govsvc_node n2;
    govsvc_audit_store dir=$top/audit2 flush=5ms;
    govsvc_audit meta;
    server { listen 127.0.0.1:%%PORT_2%%; location / { return 200 "ok"; } }
}
EOF

my $nginx = $ENV{GOVSVC_NGINX} || 'nginx';
chomp(my $path = `which $nginx`);

system($path, '-p', $top, '-c', "$top/up.conf") == 0
    or skip 'no second server', 8;

my $pid = sub { (my $p = $t->read_file($_[0]) // '') =~ s/\s//g; $p };
$t->wait_for(sub { $pid->('up.pid') });

my $old = $pid->('up.pid');
my $n = 0;

my $get = sub {
    for (1 .. 20) {
        $n++ if $t->http_get('/u', port => $t->port(2))->status == 200;
    }
};

$get->();
kill 'USR2', $old;
ok($t->wait_for(sub { my $new = $pid->('up.pid'); $new && $new ne $old }),
    'a new binary');
$get->();
kill 'QUIT', $old;
$t->wait_for(sub { !kill 0, $old });
$get->();
kill 'QUIT', $pid->('up.pid');
ok($t->wait_for(sub { !-e "$top/up.pid" }), 'and its end');

($code) = $t->govsvc('audit', 'verify', "$top/audit2");
is($code, 0, 'both wrote whole chains');
is(scalar(grep { $_->{ty} eq 'http' } $t->audit_lines("$top/audit2")), $n,
    'with all requests');

my @sys = sort { $a->{t} cmp $b->{t} } grep { $_->{ty} eq 'sys' }
    $t->audit_master_lines("$top/audit2");
is_deeply([map { $_->{st} } @sys], [qw/start upgrade stop stop/],
    'what became of the two masters');
ok(!exists $sys[0]{pid}, 'a daemon has no number yet when it begins');
is_deeply([$sys[1]{ppid}, $sys[2]{pid}], [$old, $old],
    'the new one of the old one, which went first');
is($sys[3]{pid}, $sys[1]{pid}, 'then the new one');

}

$t->done();
