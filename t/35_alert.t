#!/usr/bin/perl
#
# Copyright (C) govsvc authors
#
# Alerts over HTTPS to receivers of our own: signatures, answers of every
# kind, a storm in few messages with exact counts, a killed worker, a reload,
# a file for what was given up, and nothing personal anywhere.

use strict;
use warnings;

use Test::More;
use Digest::SHA qw/hmac_sha256_hex hmac_sha256_base64/;
use JSON::PP;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new(workers => 2);

$t->expect_log(qr/govsvc alert:|upstream (?:timed out|prematurely)/);

$t->write_file('a.rules', <<'EOR');
rule 2001 union  { match args lit union; match same pcre "(?i)union\s+select";
                   severity high; score sqli 5; }
rule 2002 trap   { match path lit "/.git/"; tag recon; severity medium;
                   block; }
rule 2003 agent  { match header:user-agent lit sqlmap; severity critical;
                   tag scanner; block; }
EOR

$t->ca('ca');
$t->ca('ca-x');
$t->certificate('hook', 'ca', 'hook.example');

my $gd = $t->backend('gd');

# What the receivers say stands in a file.

sub mode {
    $t->write_file("mode-$_[0].new", $_[1]);
    rename $t->dir() . "/mode-$_[0].new", $t->dir() . "/mode-$_[0]" or die $!;
}

my %answers = (
    ok => sub { (200, [], '{"errcode":0,"code":0}') },
    slow => sub { select undef, undef, undef, .3; (200, [], '{}') },
    hang => sub { sleep 3; () },
    500 => sub { (500, [], 'error') },
    redirect => sub { (302, [Location => 'https://127.0.0.1/x'], '') },
    bad => sub { (200, [], '{"errcode":310000,"errmsg":"sign"}') },
    busy => sub { (200, [], '{"errcode":-1}') },
    look => sub {
        $t->write_file('looked', join '', map { $t->read_file($_) }
            glob $t->dir() . '/audit/alert-*.state');
        return (200, [], '{}');
    },
);

for my $name (qw/ce ding/) {
    mode($name, 'ok');
    $t->backend($name, sub { $answers{ $t->read_file("mode-$name") }->() });
}

my ($ce, $ding) = map { $t->backend_port($_) } qw/ce ding/;

$t->nginx_backend('tls', <<"EOF");
    server {
        listen               127.0.0.1:%%PORT_8%% ssl;
        ssl_certificate      %%DIR%%/hook.crt;
        ssl_certificate_key  %%DIR%%/hook.key;
        location /ce { proxy_pass http://127.0.0.1:$ce; }
        location / { proxy_pass http://127.0.0.1:$ding; }
    }
EOF

my $tls = $t->port(8);

$t->write_file('ding.url',
    "https://127.0.0.1:$tls/robot/send?access_token=KEYOFROBOT\n");
$t->write_file('ding.secret', "SECtest\n");
$t->write_file('ce.secret', 'whsec');
chmod 0600, map { $t->dir() . "/$_" } qw/ding.url ding.secret ce.secret/;

my $tls_args = 'ca=ca.crt name=hook.example';

$t->http_conf(<<"EOF")->run();
govsvc_node            n1;
govsvc_rules           a.rules;
govsvc_audit_store     dir=audit flush=5ms;
govsvc_audit           meta;

govsvc_alert  cloudevents url=https://127.0.0.1:$tls/ce secret=ce.secret
              $tls_args lang=en wait=200ms window=1s timeout=1s rate=600;
govsvc_alert  dingtalk url_file=ding.url secret=ding.secret $tls_args
              min=critical wait=100ms window=1s timeout=1s give_up=2s;

server {
    listen           127.0.0.1:%%PORT_0%%;
    govsvc_guard     on;
    govsvc_critical  license;
    location / { proxy_pass http://127.0.0.1:$gd; }
    location /plain/ { govsvc_critical off; proxy_pass http://127.0.0.1:$gd; }
    location = /metrics { govsvc_metrics; }
}
EOF

sub get {
    my ($uri, %headers) = @_;

    return $t->http($t->request('GET', $uri, headers => \%headers))->status;
}

# Each message once: the same number may come again after a crash.

sub messages {
    my %seen;

    my @m = grep { !$seen{$_->{id}}++ }
        map { decode_json($_->{body}) } requests('ce');

    return @m;
}

sub requests { my @r = $t->backend_requests($_[0]); return @r }

sub total {
    my $n = 0;
    $n += $_->{data}{count} for messages();
    return $n;
}

sub all { my ($n) = @_; $t->wait_for(sub { total() >= $n }, 30); total() }

# one event

my $id = '11010519491231002X';

is(get("/plain/13712349050?id=1+union+select+$id"), 403, 'an attack');
is(all(1), 1, 'is told');

my ($r) = requests('ce');
my ($m) = messages();

is($m->{specversion}, '1.0', 'a CloudEvent');
is($m->{type}, 'govsvc.security.alert', 'its type');
is($m->{source}, '/govsvc/n1', 'from this node');
is($m->{data}{alerts}[0]{attack}, 'sqli', 'the kind');
is($m->{data}{alerts}[0]{source}, '127.0.0.1', 'from where');
is($m->{data}{alerts}[0]{title}, 'SQL injection', 'in English');
is($m->{data}{grade}, 'high', 'the grade');

my ($time, $sign) = $r->{headers}{'x-govsvc-signature'} =~
    /^t=(\d+),v1=([0-9a-f]{64})$/;

is($sign, hmac_sha256_hex("$time.$r->{body}", 'whsec'), 'signed');
like($r->{headers}{'content-type'}, qr{^application/cloudevents\+json},
    'typed');

# a critical system: the robot is told, signed as it wants it

is(get("/x?id=1+union+select"), 403, 'against a critical system');
is(all(2), 2, 'is told to the one');

ok($t->wait_for(sub { requests('ding') }, 20), 'and to the robot');
($r) = requests('ding');

my ($ms, $code) = $r->{uri} =~
    /access_token=KEYOFROBOT&timestamp=(\d+)&sign=(\S+)/;
$code =~ s/%([0-9A-F]{2})/chr hex $1/ge;

is($code, hmac_sha256_base64("$ms\nSECtest", 'SECtest') . '=',
    'with its signature');
like(decode_json($r->{body})->{markdown}{text}, qr/127\.0\.0\.1/, 'its text');

# answers: nothing is lost, nothing goes on too fast

for my $mode (qw/500 hang slow/) {
    my $before = total();
    my $asked = requests('ce');

    mode('ce', $mode);
    get("/plain/?id=1+union+select+$mode");

    ok($t->wait_for(sub { requests('ce') > $asked }, 20), "asked: $mode");
    mode('ce', 'ok');
    is(all($before + 1), $before + 1, "after $mode it is told");

    next if $mode eq 'slow';

    my $id = decode_json((requests('ce'))[$asked]->{body})->{id};

    ok($t->wait_for(sub {
        2 <= grep { decode_json($_->{body})->{id} eq $id } requests('ce');
    }, 20), 'and again under the same number');
}

mode('ce', 'ok');

# a storm of ten thousand in few messages

my $before = total();
my $n = scalar messages();
my $size = 10_000;

for (1 .. 10) {
    $t->http_parallel([ map { $t->request('GET', "/plain/?id=1+union+select+$_") }
        1 .. $size / 10 ], concurrency => 16);
}

is(all($before + $size), $before + $size, 'exactly so many');

# one group, one message for each second at most

cmp_ok(scalar(messages()) - $n, '<=', 300, 'in few messages');
diag(scalar(messages()) - $n, ' messages for ', $size, ' events');

# a round is on the disk, slow as that may be, before it is told

SKIP: {
    my @workers = $t->workers();
    my $strace = fork() // die "fork: $!\n";

    if ($strace == 0) {
        open STDERR, '>', $t->dir() . '/trace.err';
        exec 'strace', '-f', '-qq', '-o', '/dev/null',
            (map { ('-p', $_) } @workers), '-e', 'trace=fsync', '-e',
            'inject=fsync:delay_enter=1000000' or POSIX::_exit(1);
    }

    my $traced = $t->wait_for(sub {
        @workers == grep { ($t->read_file("/proc/$_/status") // '')
            =~ /^TracerPid:\s*[1-9]/m } @workers
    });

    $before = total();
    mode('ce', 'look');
    get('/plain/?id=1+union+select');
    all($before + 1);
    mode('ce', 'ok');
    kill 'TERM', $strace;
    waitpid $strace, 0;

    skip 'processes cannot be traced here', 1 unless $traced;
    like($t->read_file('looked') // '', qr/^1 \d+ [1-9]\d* [1-9]/m,
        'written down before it is told');
}

# a worker is killed while a message is on its way

$before = total();
mode('ce', 'hang');
get('/plain/?id=1+union+select') for 1 .. 20;
$n = requests('ce');
$t->wait_for(sub { requests('ce') > $n }, 20);
$t->kill_worker('KILL', $_) for $t->workers();
mode('ce', 'ok');
is(all($before + 20), $before + 20, 'told by the next worker');

$before = total();
get('/plain/?id=1+union+select') for 1 .. 20;
$t->reload();
is(all($before + 20), $before + 20, 'and over a reload');

ok(!glob($t->dir() . '/audit/alert-*.dead'), 'nothing was given up');

# what the robot refuses for good goes into a file

mode('ding', 'bad');
get('/dead?id=1+union+select');

my ($dead) = ();

ok($t->wait_for(sub {
    ($dead) = glob $t->dir() . '/audit/alert-*.dead';
    return $dead && -s $dead;
}, 20), 'given up');

(my $name = $dead // '') =~ s{.*/}{};
my ($line) = map { decode_json($_) } split /\n/,
    $t->read_file("audit/$name") // '{}';

is($line->{code}, 310000, 'with what was said');
is($line->{event}{data}{alerts}[0]{critical}, 'license', 'and what it was');

mode('ding', 'redirect');
my $asked = requests('ding');
get('/dead?id=1+union+select');
ok($t->wait_for(sub {
    my @lines = split /\n/, $t->read_file("audit/$name") // '';
    return @lines >= 2;
}, 20), 'a redirect is not followed');

like($t->http_get('/metrics')->body, qr/govsvc_alerts_total\{result="dead"\} \d/,
    'counted') or diag($t->http_get('/metrics')->body);

# nothing personal, no keys

my $all = join "\n", $t->error_log() =~ /^(.*govsvc alert.*)$/mg,
    $t->read_file("audit/$name"), map { $_->{body} } requests('ce'),
    requests('ding');

unlike($all, qr/11010519491231002|13712349050|KEYOFROBOT|SECtest|whsec/,
    'no numbers of persons and no keys in logs, messages and files');

$t->done();
