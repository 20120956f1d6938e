#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit on file systems that fail under load: the one of the store goes read
# only amid requests, as ext4 does when its disk fails, and is repaired; the
# one of the seal is full and gets room again.  No answer that waited for its
# record is without it.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new(workers => 2, log => 'notice')->has('cli');
my $base = $t->dir();
my ($dir, $seal) = ("$base/disk/audit", "$base/seal");
my @mounted;

sub mount {
    my ($where, @args) = @_;

    mkdir $where, 0755;
    return 0 if system('mount', @args, $where) != 0;
    push @mounted, $where;
    return 1;
}

# (the rest is told by the tests; what cannot be done here, by mount)

END {
    local $?;
    system "umount -l '$_' 2>/dev/null" for @mounted;
}

open my $stderr, '>&', \*STDERR;
open STDERR, '>', "$base/mount.err";

my $possible = $< == 0
    && system("truncate -s 24m '$base/image' && "
        . "PATH=\$PATH:/sbin:/usr/sbin mkfs.ext4 -q -F '$base/image'") == 0
    && mount("$base/disk", '-o', 'loop,errors=remount-ro', "$base/image")
    && mount($seal, '-t', 'tmpfs', '-o', 'size=512k,mode=0755', 'tmpfs');

open STDERR, '>&', $stderr;

unless ($possible) {
    system "umount '$_' 2>/dev/null" for @mounted;
    plan(skip_all => 'file systems cannot be mounted here');
}

mkdir "$base/k";
$t->govsvc('audit', 'keygen', '--name', 'gov.example/gd/n1', '--out',
    "$base/k");

$t->nginx_backend('up', <<'EOF');
server {
    listen 127.0.0.1:%%PORT_1%%;
    location / { return 200 "done"; }
}
EOF

$t->http_conf(<<"EOF")->run();
govsvc_node         n1;
govsvc_audit_store  dir=$dir flush=5ms segment=64k buffer=1m;
govsvc_audit_seal   dir=$seal key=$base/k/seal.key interval=100ms;
govsvc_audit        meta;

server {
    listen 127.0.0.1:%%PORT_0%%;

    location / { return 200 "ok"; }
    location /metrics { govsvc_audit off; govsvc_metrics; }

    location /write/ {
        govsvc_audit meta intent=durable;
        proxy_pass http://127.0.0.1:%%PORT_1%%;
    }
}
EOF

my (%acked, %refused, $n);

sub ask {
    my ($uri) = @_;
    my $r = $t->http_get($uri . ++$n, timeout => 30);

    $acked{$r->header('X-Request-Id')} = 1
        if $r->status == 200 && $uri eq '/write/';
    return $r->status;
}

sub state_is {
    my ($state) = @_;

    return $t->wait_for(sub { $t->http_get('/metrics')->body
        =~ /^govsvc_audit_seal_state\{state="$state"\} 1$/m }, 60);
}

sub sealed {
    my ($size) = (split /\n/, $t->read_file("$seal/checkpoint") // '')[1];
    my $lines = () = join('', map { $t->read_file($_) // '' }
        glob "$dir/*/*.seg") =~ /\n/g;

    return ($size // 0) == $lines;
}

sub verify {
    my ($rc, $out, $err) = $t->govsvc('audit', 'verify', $dir, '--seal',
        $seal, '--key', "$base/k/seal.pub", @_);
    diag("$out$err") if $rc == 1;
    return $rc;
}

is(ask('/write/'), 200, 'a write') for 1 .. 3;
ok($t->wait_for(\&sealed, 60), 'and its seal');

# The disk of the seal is full.

sub fill {
    open my $fh, '>', "$seal/ballast" or die $!;
    my $left = 1;
    $left = syswrite $fh, 'x' x 4096 while $left;
    close $fh;
}

fill();
ok($t->wait_for(sub {
    ask('/') for 1 .. 20;
    return $t->error_log() =~ /audit seal: cannot .*No space left on device/;
}, 60), 'a full disk of the seal is told');
ok(state_is('failing'), 'and metrics know');
is(ask('/write/'), 200, 'requests go on') for 1 .. 3;
isnt(verify(), 1, 'nothing looks like tampering');
unlink "$seal/ballast";
ok(state_is('signing'), 'with room it goes on');
ok($t->wait_for(\&sealed, 60), 'over all that came meanwhile');
is(verify('--require', 'sealed'), 0, 'it verifies');

# The disk of the store fails under load.

my $load = $t->load_start(uri => '/load', connections => 4, seconds => 300,
    pause => 0.002);

is(ask('/write/'), 200, 'a write') for 1 .. 10;
is(system("mount -o remount,abort '$base/disk'"), 0, 'the disk fails');

# (one that is on the disk already needs no other)

ok($t->wait_for(sub { $refused{ask('/write/')}++; $refused{503} }, 60),
    'no write without its record');
is(join(' ', sort grep { $_ ne '200' } keys %refused), '503',
    'and no other answer');
like($t->error_log(), qr/\[crit\].*Read-only file system/, 'it is told');
is(ask('/'), 200, 'reads are answered') for 1 .. 3;
is(scalar $t->workers(), 2, 'the workers live');

my $count = $t->load_stop($load);
is_deeply([grep { !/^(200|reconnect)$/ } keys %$count], [],
    'no read failed meanwhile');

# It is repaired, and the server is started again.

$t->expect_log(qr/Read-only file system/);
$t->stop();
is(system("umount '$base/disk'"), 0, 'taken out');
is(system("PATH=\$PATH:/sbin:/usr/sbin fsck.ext4 -fy '$base/image'"
    . " >'$base/fsck' 2>&1") >> 8 & ~1, 0, 'repaired')
    or diag($t->read_file('fsck'));
is(system("mount -o loop '$base/image' '$base/disk'"), 0, 'and back');

my $code = verify();

isnt($code, 1, "what is there is whole, if not complete ($code)");
$t->run();
is(ask('/write/'), 200, 'a write') for 1 .. 3;
ok($t->wait_for(\&sealed, 60), 'and its seal');
isnt(verify(), 1, 'nothing looks like tampering');

my %left = %acked;

ok($t->wait_for(sub {
    delete @left{map { $_->{req} // '' } grep { ($_->{st} // '') eq 'intent' }
        $t->audit_lines($dir)};
    return !%left;
}, 60), keys(%acked) . ' writes that were answered are all on the record')
    or diag(join ' ', keys %left);

$t->stop();
is(system("umount '$_'"), 0, 'nobody holds it') for splice @mounted;
$t->done();
