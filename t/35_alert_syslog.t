#!/usr/bin/perl
#
# Copyright (C) govsvc authors
#
# Alerts over syslog (RFC 5424), by TCP, TLS, UDP and a Unix socket: one message
# a group, a storm in few messages with exact counts, a receiver that is killed
# with what it had not read, one whose certificate is for somebody else, killed
# workers, a reload, and a file for what was given up.

use strict;
use warnings;

use Test::More;
use IO::Handle;
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP;
use POSIX ();
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new(workers => 2)->has('openssl');
my $dir = $t->dir();
my ($tcp, $tls, $wrong, $udp, $dead) = map { $t->take_port() } 1 .. 5;
my (%pid, %stdin);

$t->ca('ca');
$t->certificate('good', 'ca', 'logs.test');
$t->certificate('bad', 'ca', 'other.test');
$t->certificate('gw', 'ca', 'gw.test');
$t->expect_log(qr/govsvc (?:alert|syslog):|SSL_do_handshake|certificate/);

$t->write_file('a.rules', <<'EOR');
rule 2001 union  { match args lit union; severity high; score sqli 5; }
rule 2002 trap   { match path lit "/.git/"; tag recon; severity low; block; }
rule 2003 agent  { match header:user-agent lit sqlmap; severity critical;
                   tag scanner; block; }
EOR

# A receiver writes what it reads to a file.

sub receive {
    my ($name, $listen, %opt) = @_;

    pipe my $in, $stdin{$name} or die "pipe: $!";
    defined($pid{$name} = fork()) or die "fork: $!";
    return if $pid{$name};

    open my $out, '>>', "$dir/$name.log" or die;
    binmode $out;
    $out->autoflush(1);

    if ($opt{tls}) {
        print $out "\n=== connection\n";
        open STDIN, '<&', $in or die;
        open STDOUT, '>&', $out or die;
        open STDERR, '>', '/dev/null' or die;
        exec 'openssl', 's_server', '-quiet', '-accept', "127.0.0.1:$listen",
            '-cert', "$dir/$opt{tls}.crt", '-key', "$dir/$opt{tls}.key",
            '-CAfile', "$dir/ca.crt", '-Verify', 1, '-verify_return_error';
    }

    my $server = $listen->() or die "$name: $@ $!";

    if ($opt{datagram}) {
        while (defined recv $server, my $text, 65536, 0) {
            print $out length($text), ' ', $text;
        }
    }

    while (my $c = $server->accept()) {
        print $out "\n=== connection\n";

        while (sysread $c, my $text, 65536) {
            print $out $text;
        }
    }

    POSIX::_exit(0);
}

sub kill9 {
    my ($name) = @_;

    my $pid = delete $pid{$name} or return;
    kill KILL => $pid;
    waitpid $pid, 0;
}

sub listener {
    my ($port) = @_;

    return sub {
        for (1 .. 200) {
            my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
                LocalPort => $port, Listen => 5, ReuseAddr => 1);
            return $s if $s;
            select undef, undef, undef, 0.05;
        }
        return;
    };
}

my %start = (
    tcp => sub { receive('tcp', listener($tcp)) },
    tls => sub { receive('tls', $tls, tls => 'good') },
    wrong => sub { receive('wrong', $wrong, tls => $_[0] // 'bad') },
    udp => sub {
        receive('udp', sub { IO::Socket::INET->new(Proto => 'udp',
            LocalAddr => '127.0.0.1', LocalPort => $udp) }, datagram => 1);
    },
    unix => sub {
        receive('unix', sub {
            unlink "$dir/logs.sock";
            IO::Socket::UNIX->new(Local => "$dir/logs.sock", Listen => 5);
        });
    },
);

$_->() for values %start;

my $main = $$;

END {
    local $?;
    if ($$ == $main) { kill9($_) for keys %pid; }
}

my $gd = $t->backend('gd');
my $often = 'lang=en wait=100ms window=1s rate=600 timeout=2s';
my $certificate = 'ca=ca.crt name=logs.test cert=gw.crt key=gw.key';

$t->http_conf(<<"EOF")->run();
govsvc_node         n1;
govsvc_rules        a.rules;
govsvc_audit_store  dir=audit flush=5ms;
govsvc_audit        meta;

govsvc_alert  syslog tcp://127.0.0.1:$tcp $often;
govsvc_alert  syslog tls://127.0.0.1:$tls $certificate $often min=high
              facility=local6 app=gw sd_id=gov\@1.2;
govsvc_alert  syslog tls://127.0.0.1:$wrong $certificate $often;
govsvc_alert  syslog udp://127.0.0.1:$udp $often min=critical;
govsvc_alert  syslog unix:$dir/logs.sock $often min=critical;
govsvc_alert  syslog tcp://127.0.0.1:$dead $often min=critical give_up=2s;

server {
    listen           127.0.0.1:%%PORT_0%%;
    govsvc_guard     on;
    govsvc_critical  license;
    location / { proxy_pass http://127.0.0.1:$gd; }
    location /plain/ { govsvc_critical off; proxy_pass http://127.0.0.1:$gd; }
    location = /metrics { govsvc_metrics; govsvc_guard off; }
}
EOF

my $value = qr/(?:[^"\\\]]|\\["\\\]])*/;
my $form = qr/^<(\d+)>1\x20
    (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+08:00)\x20n1\x20(\S+)\x20-\x20
    (alert|digest)\x20\[(\S+)\x20([a-z]+="$value"(?:\x20[a-z]+="$value")*)\]
    (?:\x20\xef\xbb\xbf(\{[^\n\0]*\}))?$/x;

# Whole frames; of a connection that was cut the last piece is none.

sub frames {
    my ($name) = @_;

    my @m;

    open my $in, '<', "$dir/$name.log" or return;
    binmode $in;
    my $all = do { local $/; <$in> } // '';

    for my $part (split /\n=== connection\n/, $all) {
        while ($part =~ s/^([1-9]\d{0,4}) //) {
            last if length($part) < $1;
            push @m, substr $part, 0, $1, '';
        }
    }

    return @m;
}

# Each message once: the same number may come again.

sub messages {
    my ($name) = @_;

    my (%seen, @m);

    for my $frame (frames($name)) {
        my ($pri, $time, $app, $id, $sd, $data, $text) = $frame =~ $form
            or die "no message of RFC 5424: $frame";
        my %data = $data =~ /([a-z]+)="($value)"/g;

        die "the same number, other bytes: $frame"
            if exists $seen{$data{id}} && $seen{$data{id}} ne $frame;
        next if defined $seen{$data{id}};

        $seen{$data{id}} = $frame;
        push @m, { pri => $pri, time => $time, app => $app, msgid => $id,
            sd => $sd, %data, text => $text && decode_json($text) };
    }

    return @m;
}

sub total {
    my ($name) = @_;

    my $n = 0;
    $n += $_->{count} for messages($name);

    return $n;
}

# Exactly n events were told, by and by.

sub all {
    my ($name, $n, $what) = @_;

    $t->wait_for(sub { total($name) >= $n }, 90);
    is(total($name), $n, $what);
}

sub get {
    my ($uri, %headers) = @_;

    return $t->http($t->request('GET', $uri, headers => \%headers))->status;
}

sub metric {
    my ($result) = @_;
    my ($n) = $t->http_get('/metrics')->body
        =~ /govsvc_alerts_total\{result="$result"\} (\d+)/;

    return $n // 0;
}

# one event: its form, everywhere

my $person = '11010519491231002X';

is(get("/plain/13712349050?id=1+union+select+$person"), 403, 'an attack');

all('tcp', 1, 'is told by TCP');
all('tls', 1, 'and by TLS');

my ($m) = messages('tcp');

is($m->{pri}, 13 * 8 + 3, 'a high grade is an error');
is($m->{msgid}, 'alert', 'MSGID');
is("$m->{app} $m->{sd}", 'govsvc govsvc@32473', 'names');
like($m->{id}, qr/^n1-\d+-0$/, 'number');
is("$m->{attack} $m->{grade} $m->{groups} $m->{blocked} $m->{banned}",
    'sqli high 1 1 0', 'the data to sort by');
is($m->{source}, '127.0.0.1', 'from where');
is($m->{text}{alerts}[0]{title}, 'SQL injection', 'the text');
is($m->{text}{count}, 1, 'the same count');
is($m->{time}, $m->{text}{alerts}[0]{last}, 'the time is that of the event');

($m) = messages('tls');
is("$m->{pri} $m->{app} $m->{sd}", (22 * 8 + 3) . ' gw gov@1.2',
    'facility, app and sd_id');

# against a critical system: one grade more

is(get('/x?id=1+union+select'), 403, 'against a critical system');
all($_, 1, "is told, $_") for qw/udp unix/;
all($_, 2, "is told, $_") for qw/tcp tls/;

($m) = messages('unix');
is("$m->{pri} $m->{grade} $m->{critical}", (13 * 8 + 2) . ' critical license',
    'as critical');

is(get('/plain/.git/config'), 403, 'a low one');
is(get('/plain/?id=union'), 403, 'and a high one');
all('tls', 3, 'min= leaves the low one out');
is(scalar(grep { ($_->{attack} // '') eq 'recon' } messages('tls')), 0,
    'indeed');

# who is somebody else gets nothing, and everything when that is mended

ok($t->wait_for(sub {
    $t->error_log() =~ /no connection to "tls:\S+:$wrong": the certificate/
}, 60), 'a certificate for another name');
is(scalar(frames('wrong')), 0, 'not a message for it');
kill9('wrong');
$start{wrong}->('good');
all('wrong', 3, 'the right one is told all of it');

# a storm of many in few messages

my %before = map { $_ => total($_) } qw/tcp tls wrong/;
my %n = map { $_ => scalar messages($_) } qw/tcp tls/;
my $size = 4000;

for (1 .. 4) {
    $t->http_parallel([ map { $t->request('GET', "/plain/?id=union+$_") }
        1 .. $size / 4 ], concurrency => 16);
}

all($_, $before{$_} + $size, "exactly so many, $_") for qw/tcp tls wrong/;

for (qw/tcp tls/) {
    cmp_ok(scalar(messages($_)) - $n{$_}, '<=', 100, "in few messages, $_");
}

# a receiver is killed: what comes then is told when it is back, and so is
# what its system took and it did not read

for my $name (qw/tcp tls/) {
    my $before = total($name);

    kill9($name);
    get("/plain/?id=union+$name");
    ok($t->wait_for(sub {
        $t->error_log()
            =~ /no message to "\w+:\S+:${\($name eq 'tcp' ? $tcp : $tls)}"/
    }, 60), "$name is away");
    $start{$name}->();
    all($_, $before + 1, "$name is back: told to $_") for qw/tcp tls wrong/;

    kill STOP => $pid{$name};
    my $sent = metric('sent');
    get("/plain/?id=union+stopped");

    # tcp, tls and the one that was wrong: each system took it

    ok($t->wait_for(sub { metric('sent') >= $sent + 3 }, 60),
        "the system of $name took it");
    is(total($name), $before + 1, "and $name did not read it");
    kill9($name);
    $start{$name}->();
    all($name, $before + 2, "it is said again, $name");
}

# workers die, the configuration is read again

my $before = total('tcp');
get('/plain/?id=union') for 1 .. 20;
$t->kill_worker('KILL', $_) for $t->workers();
all('tcp', $before + 20, 'told by the next worker');
get('/plain/?id=union') for 1 .. 20;
ok($t->reload(), 'a reload');
all($_, $before + 40, "told after it, $_") for qw/tcp tls wrong/;

# nobody listens there: it is given up, and in a file

my (@dead, $line);

ok($t->wait_for(sub {
    @dead = glob "$dir/audit/alert-*.dead";
    return @dead && -s $dead[0];
}, 60), 'given up');

is(scalar(@dead), 1, 'by the one that is not there alone');
(my $file = $dead[0] // '') =~ s{.*/}{};
($line) = map { decode_json($_) } split /\n/, $t->read_file("audit/$file");

is($line->{to}, "tcp://127.0.0.1:$dead", 'to whom');
is($line->{why}, 'there is no connection', 'why');
is($line->{event}{data}{alerts}[0]{critical}, 'license', 'and what it was');
cmp_ok(metric('dead'), '>', 0, 'counted');

# nothing personal

my $all = join "\n", $t->error_log() =~ /^(.*govsvc alert.*)$/mg,
    $t->read_file("audit/$file"), map { frames($_) } qw/tcp tls udp unix/;

unlike($all, qr/11010519491231002|13712349050/,
    'no numbers of persons in logs, messages and files');

$t->done();
