#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Audit of the server itself: its life, its configuration, its clock; each
# event once, on the disk before it counts.

use strict;
use warnings;

use Digest::SHA qw/sha256/;
use MIME::Base64 qw/encode_base64url/;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

plan(skip_all => 'the clock of valgrind is its own')
    if $ENV{GOVSVC_VALGRIND} || $ENV{GOVSVC_ASAN};

my $t = Test::GovSvc->new(workers => 2)->has('cli', 'gcc');
my $dir = $t->dir();

my ($code, $out, $err) = $t->command('gcc', '-shared', '-fPIC', '-O1',
    '-o', "$dir/clock.so", "$FindBin::Bin/lib/Test/GovSvc/clock.c");
die $err if $code;

$t->write_file('clock', "\0" x 4096);

my $secret = "0123456789abcdef0123456789abcdef\n";
$t->write_file('pid.key', $secret);
chmod 0600, "$dir/pid.key";

$t->write_file('a.rules', "rule 1000 trap { match path prefix \"/x\"; block; }\n");
$t->write_file('more/one.conf', "# include nothing.conf;\nmap \$uri \$one { / 1; }\n");
$t->write_file('more/two.conf', "map \$uri \$two { / 1; }\n");

my $conf = <<'EOF';
govsvc_node             n1;
govsvc_audit_store      dir=audit flush=0ms alg=sha256;
govsvc_audit_pseudonym  key=pid.key kid=7;
govsvc_audit            meta;
govsvc_rules            a.rules;
include                 'more/*.conf';

server {
    listen 127.0.0.1:%%PORT_0%%;
    govsvc_guard on;
    location / { return 200 "ok"; }
}
EOF

$t->http_conf($conf);

{
    local $ENV{LD_PRELOAD} = "$dir/clock.so";
    local $ENV{GOVSVC_CLOCK} = "$dir/clock";
    $t->run();
}

# The clock goes wrong by so many microseconds.

sub clock {
    my ($us) = @_;

    open my $fh, '+<:raw', "$dir/clock" or die;
    syswrite $fh, pack('q', $us);
    close $fh;
}

sub digest { return encode_base64url(sha256($t->read_file($_[0]))) }

# What is told of the server, by "type.stage"; a line that is said again in the
# segment after a crash is the same line.

sub told {
    my ($kind) = @_;

    my %seen;

    return grep { ($_->{ty} . '.' . ($_->{st} // '')) =~ /^$kind/ }
        grep { $_->{id} && !$seen{"$_->{id} $_->{ch} $_->{seq}"}++ }
        $t->audit_master_lines(), $t->audit_lines();
}

# Start

my @sys = told('sys');
is(scalar @sys, 1, 'before anything was asked, one record of the start');

my $sys = $sys[0];
is($sys->{st}, 'start', 'which it is');
is($sys->{node}, 'n1', 'node');
like($sys->{ver}, qr/^\d+\.\d+\.\d+$/, 'version');
like($sys->{server}, qr{^nginx/1\.\d+\.\d+}, 'that of Nginx');
is($sys->{mod}, encode_base64url(sha256(do {
    open my $fh, '<:raw', $t->module() or die; local $/; <$fh> })),
    'digest of the module');
is(length $sys->{bin}, 43, 'and of the binary');
is($sys->{pid}, $t->{main}, 'process');
is($sys->{ppid}, $$, 'of whom');
is($sys->{uid}, $<, 'who');
is($sys->{workers}, 2, 'workers');
is($sys->{gen}, 1, 'generation');
ok(!exists $sys->{old}, 'the first');

my @cfg = told('cfg');
is(scalar @cfg, 1, 'one record of the configuration');
is($cfg[0]{gen}, 1, 'its generation');
is_deeply([@{$cfg[0]}{qw/part n/}], [1, 6], 'files');
is_deeply($cfg[0]{keys}, [{ kid => 7 }], 'the key of pseudonyms');

my %file = map { $_->{f} => $_ } @{$cfg[0]{files}};
is_deeply([map { s{^\Q$dir\E/}{}r } sort keys %file],
    ['a.rules', 'http.conf', 'more/one.conf', 'more/two.conf', 'nginx.conf',
     'pid.key'], 'all that it is made of');

for my $name ('nginx.conf', 'more/one.conf', 'a.rules') {
    is_deeply($file{"$dir/$name"}, { f => "$dir/$name",
        len => -s "$dir/$name", sha256 => digest($name) }, "digest of $name");
}

is_deeply([sort keys %{$file{"$dir/pid.key"}}], ['f', 'secret', 't'],
    'of a secret nothing but its age');

# Reload, refused reload, test

my $sum = $cfg[0]{sum};

ok($t->reload(), 'reload');
@cfg = told('cfg');
is(scalar @cfg, 2, 'one record more');
is($cfg[1]{sum}, $sum, 'of the same files');
is($cfg[1]{old}, $sum, 'as they were');

$t->write_file('more/two.conf', "map \$uri \$two { / 2; }\n");
ok($t->reload(), 'reload with another file');
@cfg = told('cfg');
is($cfg[2]{old}, $sum, 'the former sum');
isnt($cfg[2]{sum}, $sum, 'the present one');
my ($two) = grep { $_->{f} =~ /two/ } @{$cfg[2]{files}};
is($two->{sha256}, digest('more/two.conf'), 'of that file');

@sys = told('sys');
is_deeply([map { "$_->{st} " . ($_->{old} // '-') . " $_->{gen}" } @sys],
    ['start - 1', 'reload 1 2', 'reload 2 3'], 'told once each');

$t->expect_log(qr/unknown directive "broken"/);
$t->http_conf("broken on;\n$conf");
ok(!$t->reload(), 'a reload is refused');
$t->http_conf($conf);
like(join('', $t->test_config($t->frame('http.conf'))), qr/test is successful/, 'a test');
is(scalar(my @all = told('(sys|cfg)')), 6, 'neither is told');

# So many names that the list needs another line

$t->write_file(sprintf('more/%s%03d.conf', 'x' x 100, $_), "# $_\n")
    for 1 .. 100;
ok($t->reload(), 'a hundred files');
@cfg = grep { $_->{gen} > 3 } told('cfg');
cmp_ok(scalar @cfg, '>', 1, 'several lines');
is_deeply([map { $_->{part} } @cfg], [1 .. @cfg], 'in order');
is(scalar(grep { $_->{n} == 106 } @cfg), scalar @cfg, 'say how many files');
is(scalar(my @files = map { @{$_->{files}} } @cfg), 106, 'each of them once');
unlink glob "$dir/more/xxx*";
ok($t->reload(), 'and without them');

# Workers

my %killed;

sub slay {
    for my $pid (@_) {
        $t->{killed}{$pid} = 1;
        $killed{$pid} = 1;
        kill 'KILL', $pid;
    }
}

sub deaths { return scalar(my @all = told('sys\.worker')) }

for my $round (1 .. 4) {
    my @workers = $t->workers();

    slay($round % 2 ? $workers[0] : @workers);

    ok($t->wait_for(sub { $t->workers() == 2 && keys(%killed) <= deaths() },
        30), "round $round");
}

my @died = told('sys\.worker');
is_deeply([sort map { $_->{pid} } @died], [sort keys %killed],
    'each death once');
is(scalar(grep { ($_->{sig} // 9) != 9 || $_->{ppid} != $t->{main} } @died), 0,
    'killed, of this master');
ok(scalar(grep { $_->{sig} } @died), 'by which signal');

# The clock

my $wrong = 0;
my $steps = 0;

sub steps { return scalar(my @all = told('clock')) }

for my $us (3600_000_000, -7200_000_000, 700_000, 90_000_000) {
    my @workers = $t->workers();

    $wrong += $us;
    clock($wrong);
    $steps++;

    # the one that tells of it may die of it

    if ($steps > 2) {
        select undef, undef, undef, rand 1;
        slay($workers[0]);
    }

    ok($t->wait_for(sub { $t->workers() == 2 && $steps <= steps() }, 30),
        "the clock is set by $us");

    my $last = (sort { $a->{g} <=> $b->{g} } told('clock'))[-1];
    cmp_ok(abs($last->{us} - $us), '<', 20_000, 'by how much');
}

for (1 .. 3) {
    $wrong += 40_000;
    clock($wrong);
    select undef, undef, undef, 1.1;
}

is(steps(), 4, 'each step once, corrections not');

ok($t->wait_for(sub { keys(%killed) <= deaths() }, 30), 'deaths');
is(deaths(), scalar keys %killed, 'nor one twice');

# What the master cannot write is a loss.

$t->expect_log(qr/"reload" of the server is not in the record/);
$t->write_file("audit/n1.6.m0.$t->{main}", '');
ok($t->reload(), 'a reload that cannot be told');
like($t->error_log(), qr/\[crit\].*"reload" of the server is not in the record/,
    'is complained of');
unlink "$dir/audit/n1.6.m0.$t->{main}";

ok($t->wait_for(sub { my @l = told('loss'); @l }, 30), 'a loss is told');
my ($loss) = told('loss');
is_deeply([@{$loss}{qw/class n/}], ['security', 2], 'of both records');

# Stop

my $master = $t->{main};
$t->stop();

@sys = sort { $a->{g} <=> $b->{g} } told('sys');
is($sys[-1]{st}, 'stop', 'the stop');
is($sys[-1]{pid}, $master, 'of the master');
is($sys[-1]{why}, 'quit', 'as it was asked to');
is(scalar(grep { $_->{st} eq 'stop' } @sys), 1, 'once');

my %id;
$id{$_->{id}}++ for told('');
is(scalar(grep { $_ > 1 } values %id), 0, 'no identifier twice');

unlike(join('', map { $t->read_file($_) } $t->audit_store()),
    qr/0123456789abcdef|\Q@{[encode_base64url(sha256($secret))]}\E/,
    'neither the secret nor its digest');

# Readers

my $store = "$dir/audit";
($code, $out) = $t->govsvc('audit', 'verify', $store);
is($code, 4, 'the store is whole but for what it says is lost') or diag $out;
is_deeply([$out =~ /^\S+: (?!ok)(\w+),.* (\d+ lost)/mg],
    ['incomplete', '2 lost'], 'and nothing else') or diag $out;

($code, $out) = $t->govsvc('audit', 'query', '--json', '--no-record', $store);
like($out, qr/"ty":"cfg"/, 'query shows them');
like($out, qr/"ty":"clock.step"/, 'all kinds');

($code, $out) = $t->govsvc('audit', 'tail', '--lines', 99, '--no-record', $store);
like($out, qr/worker\.died/, 'tail, too') or diag $out;

sub export {
    my ($format) = @_;

    my ($code, $out) = $t->govsvc('audit', 'export', '--format', $format,
        '--no-record', $store);
    is($code, 0, "export: $format");

    return split /\n/, $out;
}

my %e = map { $_->{event}{action} => $_ }
    map { JSON::PP->new->utf8->decode($_) } export('ecs');
is_deeply([grep { /^(sys|cfg|clock)/ } sort keys %e],
    [qw/cfg clock.step sys.reload sys.start sys.stop sys.worker.died/],
    'actions');
is_deeply($e{'sys.start'}{event}{category}, ['process'], 'of a process');
is_deeply($e{'sys.start'}{event}{type}, ['start'], 'that begins');
is($e{'sys.worker.died'}{event}{outcome}, 'failure', 'or fails');
is($e{'sys.stop'}{process}{pid}, $master, 'its number');
is($e{'sys.stop'}{user}{id}, "$<", 'of whom');
is_deeply($e{cfg}{event}{category}, ['configuration'], 'a configuration');
is($e{cfg}{govsvc}{n}, 6, 'its files');
ok(!exists $e{'clock.step'}{event}{start}, 'two times of a clock are no span');
ok($e{'clock.step'}{govsvc}{from} && $e{'clock.step'}{govsvc}{us},
    'and are kept');

my %o = map { $_->{metadata}{event_code} => $_ }
    map { JSON::PP->new->utf8->decode($_) } export('ocsf');
is_deeply([map { $o{$_}{type_uid} } qw/sys.start sys.stop sys.reload
    sys.worker.died cfg clock.step/],
    [600203, 600204, 600205, 600299, 501901, 99], 'classes');
is_deeply($o{'sys.start'}{app}, { name => 'ngx_govsvc_module',
    vendor_name => 'govsvc', version => $sys->{ver} }, 'the application');
is($o{'sys.worker.died'}{activity_name}, 'worker.died', 'what else there is');
is($o{cfg}{device}{hostname}, 'n1', 'whose configuration');

$out = join "\n", export('cef');
like($out,
    qr/^CEF:0\|govsvc\|ngx_govsvc_module\|1\|sys\.start\|gateway: sys\|1\|/m,
    'a start');
like($out, qr/\|sys\.worker\.died\|gateway: sys\|4\|.* dvcpid=\d+ /,
    'a death');
unlike($out, qr/clock\.step.* start=/, 'a clock has no span');

$t->done();
