#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# govsvc audit why and trace: one answer from a number; and the two commands
# of the README.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new(workers => 2)->has('cli');
my $port = $t->backend('one');
my $none = 1;    # nobody listens

$t->write_file('platforms.json', <<"EOF");
{
  "pools": [{"id": "gd-web", "platform": "gd"}],
  "instances": [{"id": "a", "pool": "gd-web", "address": "127.0.0.1",
                 "port": $port}],
  "platforms": [{"id": "gd", "region": "440000",
                 "name": {"zh": "G", "en": "Guangdong"}}],
  "routes": [{"id": "gd-path", "platform": "gd", "pool": "gd-web",
              "match": {"paths": ["/44/"]}}]
}
EOF

$t->write_file('a.rules', <<'EOF');
rule 1000 trap { match path lit "/.git/"; tag recon; block; }
EOF

$t->http_conf(<<"EOC")->run();
govsvc_node        n1;
govsvc_audit_store dir=audit segment=64k flush=1ms;
govsvc_audit       meta;
govsvc_platforms   platforms.json;
govsvc_rules       a.rules;

upstream platforms {
    govsvc_balancer;
}

server {
    listen 127.0.0.1:%%PORT_0%%;
    govsvc_route on;

    location / { proxy_pass http://platforms; }
    location /plain { govsvc_route off; return 200 "ok"; }
    location /trap/ {
        govsvc_route off;
        govsvc_guard on;
        proxy_pass http://127.0.0.1:$port;
    }
    location /no { govsvc_route off; return 403; }
    location /write {
        govsvc_route off;
        govsvc_audit meta intent=durable;
        proxy_pass http://127.0.0.1:$port;
    }
    location /gone { govsvc_route off; proxy_pass http://127.0.0.1:$none; }
}
EOC

my $base = $t->dir();
my $dir = "$base/audit";
$t->expect_log(qr/connect\(\) failed/);

sub audit { return $t->govsvc('audit', @_) }

mkdir "$base/k";
audit('keygen', '--name', 'gov.example/n1', '--out', "$base/k");

my %id = map { $_ => $t->http_get($_)->header('X-Request-Id') }
    qw{/plain /no /write /gone /99/x /trap/.git/};
$t->wait_for(sub { 7 <= grep { $_->{ty} eq 'http' } $t->audit_lines() });

sub why {
    my ($path, @args) = @_;
    return audit('why', $dir, $id{$path}, @args);
}

my %want = (
    '/plain' => [qr/^decision: act=allow/m, qr/let through and answered/,
        'nobody'],
    '/no' => [qr/^decision: act=deny code=HTTP_403/m,
        qr/refused the request itself/, 'caller'],
    '/write' => [qr/^upstream: addr=127\.0\.0\.1:$port status=200/m,
        qr/let through and answered/, 'nobody'],
    '/gone' => [qr/^upstream: addr=127\.0\.0\.1:$none status=502/m,
        qr/the platform failed/, 'the province'],
    '/99/x' => [qr/^decision: act=deny code=REGION_UNKNOWN/m,
        qr/The region of this request is not known/,
        'caller, or operations'],
    '/trap/.git/' => [qr/^decision: act=deny code=RULE_BLOCKED rule=1000/m,
        qr/A security rule has refused/, 'security staff'],
);

for my $path (sort keys %want) {
    my ($code, $out, $err) = why($path);
    my ($row, $verdict, $who) = @{$want{$path}};

    is($code, 0, "$path: answered") or diag($err);
    like($out, $row, "$path: what was decided");
    like($out, qr/^verdict: .*$verdict/m, "$path: what it means");
    like($out, qr/^who must act: \Q$who\E$/m, "$path: who must act");
}

# An event is told beside the request, never in its place.

my ($code, $out, $err) = why('/trap/.git/');
like($out, qr{^request: m=GET host=localhost path=/trap/\.git/ status=403}m,
    'the request of an event');
like($out, qr/^event: id=\S+ attack=recon cat=/m, 'and the event');

($code, $out, $err) = why('/99/x', '--lang', 'zh');
like($out, qr/^由谁处理： 调用方或运维$/m, 'in Chinese');
like($out, qr/^结论： 没有识别出所请求的地区/m,
    'with the words that the citizen reads');

($code, undef, $err) = audit('why', $dir, 'nobody');
is($code, 1, 'an unknown number');
is($err, "govsvc: there is no record of \"nobody\"\n", 'told');
($code) = audit('why', $dir, 'a"b');
is($code, 2, 'no number');

# With its proof.

my @seal = ('--seal', "$base/seal", '--key', "$base/k/seal.pub");
is((audit('sealer', $dir, '--key', "$base/k/seal.key", '--seal',
    "$base/seal", '--once'))[0], 0, 'sealed');
($code, $out, $err) = why('/write', @seal);
is($code, 0, 'a sealed record') or diag($err);
like($out, qr/^proof: the record is sealed and unchanged$/m, 'is proved');

# The whole of it; an intent without an end is told.

($code, $out) = audit('trace', $dir, $id{'/write'});
is($code, 0, 'traced');
like($out, qr/ http intent .*\n.* http done /, 'first the intent');

$t->stop();

for my $file (glob "$dir/n1.*/*.seg") {
    open my $in, '<', $file or die "$file: $!\n";
    my @lines = grep { !/"st":"done".*"intent":/ } <$in>;
    close $in;
    open my $to, '>', $file or die "$file: $!\n";
    print $to @lines;
    close $to;
}

for my $verb ('trace', 'why') {
    ($code, $out, $err) = audit($verb, $dir, $id{'/write'});
    is($code, 4, "$verb: an intent without an end");
    like($err, qr/^govsvc: intent n1\.\S+ has no end: what became of it is/m,
        "$verb: told");
}

like($out, qr/^who must act: operations, who ask the platform$/m,
    'somebody has to ask');
is((audit('verify', $dir, @seal))[0], 1, 'it was not lost, but removed');

# The README: who asked for this on that day, and is the answer complete?

open my $fh, '<', "$FindBin::Bin/../README.md" or die "README.md: $!\n";
my $readme = do { local $/; <$fh> };
my ($block) = $readme =~ /is the answer complete\?\n+```\n(.*?)```/s;
my @commands = grep { /^govsvc / } split /\n/, ($block // '') =~ s/\\\n\s*//gr;
is(scalar @commands, 2, 'two commands in the README');

my $case = '11440232MB2D06811W4000117051000202010200008';
my @words = split ' ', $commands[0];
my @again = split ' ', $commands[1];

for (@words, @again) {
    s{^/var/lib/govsvc/audit$}{$dir};
    s{^/var/lib/govsvc/seal$}{$base/seal};
    s{^/etc/govsvc/seal/seal\.pub$}{$base/k/seal.pub};
}

is((join ' ', @words[1 .. 5]), "audit query $dir --case $case",
    'the first asks');
($code, undef, $err) = $t->govsvc(@words[1 .. $#words]);
is($code, 1, 'nobody asked for it') or diag($err);
($code, $out, $err) = $t->govsvc(@again[1 .. $#again]);
is($code, 1, 'the second checks') or diag($err);
like($out, qr/^seal gov\.example\/n1: /m, 'the seal');

$t->done();
