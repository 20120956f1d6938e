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
use JSON::PP;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Syslog;

my $t = Test::GovSvc->new(workers => 2)->has('openssl');
my $dir = $t->dir();
my ($tcp, $tls, $wrong, $udp, $dead) = map { $t->take_port() } 1 .. 5;
my $logs = Test::GovSvc::Syslog->new($t);

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

my %start = (
    tcp => sub { $logs->tcp('tcp', $tcp) },
    tls => sub { $logs->tls('tls', $tls, 'good', verify => 1) },
    wrong => sub { $logs->tls('wrong', $wrong, $_[0] // 'bad', verify => 1) },
    udp => sub { $logs->udp('udp', $udp) },
    unix => sub { $logs->unix('unix') },
);

$_->() for values %start;

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
govsvc_alert  syslog unix:$dir/unix.sock $often min=critical;
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

sub frames {
    my ($bad, @frames) = $logs->frames(@_);

    return @frames;
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
$logs->kill9('wrong');
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

    $logs->kill9($name);
    get("/plain/?id=union+$name");
    ok($t->wait_for(sub {
        $t->error_log()
            =~ /no message to "\w+:\S+:${\($name eq 'tcp' ? $tcp : $tls)}"/
    }, 60), "$name is away");
    $start{$name}->();
    all($_, $before + 1, "$name is back: told to $_") for qw/tcp tls wrong/;

    $logs->signal(STOP => $name);
    my $sent = metric('sent');
    get("/plain/?id=union+stopped");

    # tcp, tls and the one that was wrong: each system took it

    ok($t->wait_for(sub { metric('sent') >= $sent + 3 }, 60),
        "the system of $name took it");
    is(total($name), $before + 1, "and $name did not read it");
    $logs->kill9($name);
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
