#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# govsvc audit export, stats and query --id-card: which field goes where, exact
# escaping, nothing lost; counts that add up; persons found by pseudonyms of
# every key, whose number is in no record.

use strict;
use warnings;

use Digest::SHA qw/hmac_sha256/;
use JSON::PP;
use MIME::Base64 qw/encode_base64url/;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Store qw/store_chain/;

my $t = Test::GovSvc->new()->has('cli');
my $dir = $t->dir() . '/store';
mkdir $dir;

my $card = '11010519491231002X';
my @keys = map { chr(96 + $_) x 40 } 1 .. 3;
sub pid {
    my ($k, $id) = @_;
    return "p$k:" . encode_base64url(substr hmac_sha256($id, $keys[$k - 1]),
                                     0, 16);
}

my @lines = (
    '"id":"n1.1.7","ty":"http","st":"done","g":7,"mono":81,'
    . '"req":"3ad1c5b2a0f94e7d8c6b5a4f3e2d77ca",'
    . '"tr":"8238b7a69584736251403f2e1d0c9538","sp":"ffbf4ac3ba004330",'
    . '"intent":"n1.1.6","src":{"ip":"10.32.130.60","port":33492},'
    . '"http":{"m":"POST","host":"gd.gov.example",'
    . '"path":"/a=b|c\\\\d\\u003c\\u202e\\"\\u000a","qk":["type","a=b"],'
    . '"ver":"2","status":200,"in":1615,"out":6879,"us":96210},'
    . '"body":{"len":1402,"sha256":"x"},"sub":{"pid":"' . pid(2, $card)
    . '","aal":3},"tok":{"iss":"national","res":"valid"},'
    . '"gov":{"item":"11440232MB2D06811W4000117051000","case":"C=1",'
    . '"region":"440232","platform":"gd","app":"app|1","channel":"app"},'
    . '"dec":{"act":"allow","rl":"ok"},'
    . '"up":{"addr":"[2001:db8::1]:8080","status":200,"us":91877},'
    . '"ua":"Mozilla=5\\\\0","hdr":{"x-real.ip":"1"},"cut":["ua"]',
    '"id":"n1.1.8","ty":"http","st":"done","g":8,'
    . '"req":"4ad1c5b2a0f94e7d8c6b5a4f3e2d77ca","src":{"ip":"unix:"},'
    . '"http":{"m":"PATCH","path":"/x","status":403,"in":10,"out":20,"us":7},'
    . '"sub":{"pid":"' . pid(3, lc $card) . '"},'
    . '"dec":{"act":"deny","code":"GUARD_BLOCKED","rule":30101},'
    . '"up":{"addr":"unix:/tmp/s"}',
    '"id":"n1.1.9","ty":"deny.agg","g":9,"n":41,"first":1,"last":5,'
    . '"from":"2026-11-22T13:08:36.000000+08:00",'
    . '"to":"2026-11-22T13:08:37.500000+08:00","net":"10.0.0.0/24",'
    . '"status":429,"code":"RATE_LIMITED"',
    '"id":"n1.1.10","ty":"loss","g":10,"class":"read","n":5,"first":1,'
    . '"last":5,"why":"full"',
    '"id":"n1.1.11","ty":"http","st":"intent","g":11,"req":"aa",'
    . '"src":{"ip":"::1"},"http":{"m":"GET","path":"/i","in":1}',
    '"id":"n1.1.12","ty":"http","st":"aborted","g":12,"req":"aa",'
    . '"intent":"n1.1.11","why":"crash"',
    '"id":"n1.1.13","ty":"tamper","g":13,"seg":"0000","bytes":1,"why":"x"',
    '"id":"n1.1.14","ty":"sec","g":14,"req":"ab","sev":3,"attack":"sqli",'
    . '"cat":"c","sub":"s","src":{"ip":"203.0.113.9","pid":"'
    . pid(1, $card) . '"},"dst":{"host":"h","m":"GET","path":"/p"},'
    . '"act":{"res":"block","status":403},"score":5,"hits":1,'
    . '"rules":[{"id":2001,"ev":"1 union"},{"id":2}]',
);

store_chain($dir, 'n1.1.w0.5', [{ at => 1795324116, lines => \@lines }],
            end => 1795324117);

sub ask {
    my ($verb, @args) = @_;
    my ($code, $out, $err) = $t->govsvc('audit', $verb, $dir, @args);

    return ($code, [ split /\n/, $out ], $err);
}

sub leaves {
    my ($v) = @_;
    return map { leaves($_) } @$v if ref $v eq 'ARRAY';
    return map { leaves($v->{$_}) } keys %$v if ref $v eq 'HASH';
    return $v;
}

my ($code, $out, $err) = ask('query', '--json', '--no-record');
is($code, 0, 'the store is read');
my @raw = map { decode_json($_) } @$out;
is(scalar @raw, 8, 'all of it');

# Elastic Common Schema

($code, $out) = ask('export', '--format', 'ecs', '--no-record');
is($code, 0, 'ecs');
my @e = map { decode_json($_) } @$out;
is(scalar @e, 8, 'each of them');

is($e[0]{'@timestamp'}, '2026-11-22T13:08:36.000001+08:00', 'time');
is_deeply($e[0]{event}, {
    kind => 'event', category => ['api', 'web'],
    type => ['access', 'allowed', 'end'], action => 'http.done',
    outcome => 'success', module => 'govsvc', dataset => 'govsvc.audit',
    id => 'n1.1.7', sequence => 7, duration => 96210000, hash => $raw[0]{h},
}, 'event');
is_deeply($e[0]{http}, {
    version => '2',
    request => { id => $raw[0]{req}, method => 'POST', bytes => 1615,
                 body => { bytes => 1402 } },
    response => { status_code => 200, bytes => 6879 },
}, 'http');
is_deeply($e[0]{source}, { address => '10.32.130.60', ip => '10.32.130.60',
                           port => 33492 }, 'source');
is_deeply($e[0]{destination}, { address => '[2001:db8::1]:8080',
                                ip => '2001:db8::1', port => 8080 },
          'destination');
is($e[0]{url}{path}, $raw[0]{http}{path}, 'the same text');
is($e[0]{user}{hash}, pid(2, $card), 'the pseudonym');
is($e[0]{trace}{id}, $raw[0]{tr}, 'trace');
is($e[1]{trace}{id}, $raw[1]{req}, 'which is the request if it has none');
is($e[0]{govsvc}{gov}{case}, 'C=1', 'what ECS has no name for');
is($e[0]{govsvc}{hdr}{'x-real.ip'}, '1', 'a point in a name of a header');
is_deeply($e[0]{govsvc}{http}{qk}, ['type', 'a=b'], 'rows');
is_deeply($e[1]{source}, { address => 'unix:' }, 'no ip that is none');
is_deeply([@{$e[1]{event}}{qw/outcome reason/}, $e[1]{rule}{id}],
          ['failure', 'GUARD_BLOCKED', '30101'], 'a refusal');
is_deeply($e[1]{event}{category}, ['api', 'web', 'intrusion_detection'],
          'by a rule');
is_deeply([@{$e[2]{event}}{qw/start end/}, $e[2]{govsvc}{n}],
          ['2026-11-22T13:08:36.000000+08:00',
           '2026-11-22T13:08:37.500000+08:00', 41], 'many refusals');
is($e[4]{event}{outcome}, 'unknown', 'an intent');
is($e[6]{event}{kind}, 'alert', 'tampering');
is($e[7]{event}{kind}, 'alert', 'a security event');
is_deeply($e[7]{govsvc}{rules}, [{ id => 2001, ev => '1 union' }, { id => 2 }],
    'with its rules');

# Every value of every line is somewhere.

for my $format (qw/ecs ocsf/) {
    ($code, $out) = ask('export', '--format', $format, '--no-record');

    for my $i (0 .. $#raw) {
        my %there = map { $_ => 1 } leaves(decode_json($out->[$i]));
        my %line = %{ $raw[$i] };
        delete @line{qw/v ty st from to/};
        delete $line{dec}{act} if $line{dec};
        delete $line{http}{us} if $line{http} && $format eq 'ecs';
        $line{up}{addr} = '2001:db8::1' if $i == 0;
        my @gone = grep { !$there{$_} } leaves(\%line);
        is("@gone", '', "$format: nothing of line $i is lost");
    }
}

# OCSF

($code, $out) = ask('export', '--format', 'ocsf', '--no-record');
is($code, 0, 'ocsf');
my @o = map { decode_json($_) } @$out;
is_deeply([@{$o[0]}{qw/class_uid category_uid activity_id activity_name
                       type_uid severity_id status_id status_code time
                       duration action_id disposition_id/}],
          [4002, 4, 6, 'Post', 400206, 1, 1, '200', 1795324116000, 96, 1, 1],
          'HTTP activity');
is_deeply($o[0]{metadata}, {
    version => '1.3.0', uid => 'n1.1.7', sequence => 7,
    product => { name => 'ngx_govsvc_module', vendor_name => 'govsvc' },
    profiles => ['host', 'security_control'],
    correlation_uid => $raw[0]{tr}, event_code => 'http.done',
    log_name => 'n1.1.w0.5', original_time => $raw[0]{t},
}, 'metadata');
is_deeply($o[0]{dst_endpoint}, { ip => '2001:db8::1', port => 8080 }, 'peer');
is_deeply($o[1]{dst_endpoint}, { name => 'unix:/tmp/s' }, 'by a socket');
is_deeply($o[1]{src_endpoint}, { name => 'unix:' }, 'from one');
is_deeply($o[0]{actor}, { user => { uid => pid(2, $card) },
                          app_name => 'app|1' }, 'actor');
is_deeply([@{$o[1]}{qw/activity_id activity_name type_uid status_id action_id
                       severity_id/}, $o[1]{firewall_rule}{uid}],
          [99, 'PATCH', 400299, 2, 2, 3, '30101'], 'a refusal');
is_deeply([@{$o[2]}{qw/activity_id class_uid count start_time end_time/}],
          [0, 4002, 41, 1795324116000, 1795324117500], 'many');
is_deeply([@{$o[3]}{qw/class_uid category_uid activity_id activity_name
                       type_uid severity_id/}],
          [0, 0, 99, 'loss', 99, 4], 'what is no request');
is($o[7]{severity}, 'High', 'a security event');

# CEF

($code, $out) = ask('export', '--format', 'cef', '--no-record');
is($code, 0, 'cef');
like($out->[0], qr/^CEF:0\|govsvc\|ngx_govsvc_module\|1\|http\.done\|HTTP\ request
                   \|1\|rt=1795324116000\ dvchost=n1\ externalId=n1\.1\.7\ /x,
     'header');
like($out->[0], qr{ request=/a\\=b\|c\\\\d<\\\\u202e"\\n },
     'exact escaping, nothing hidden made visible');
like($out->[0], qr/ requestClientApplication=Mozilla\\=5\\\\0 /, 'also there');
like($out->[0], qr/ cs2=C\\=1 cs2Label=case /, 'names of custom fields');
like($out->[0], qr/ cs5=app\|1 /, 'a bar needs none in the extension');
like($out->[0], qr/ dst=2001:db8::1 dpt=8080 /, 'peer');
like($out->[0], qr/ govsvcHdrX_real_ip=1 /, 'the rest');
like($out->[0], qr/ govsvcHttpQk=\["type","a\\=b"\] /, 'rows');
like($out->[1], qr/\|http\.done\|refused: GUARD_BLOCKED\|6\|.* act=deny /,
     'a refusal');
unlike($out->[1], qr/ src=/, 'no src that is no address');
like($out->[6], qr/^CEF:0\|[^ ]*\|tamper\|gateway: tamper\|10\|/, 'tampering');

($code, $out) = ask('export', '--format', 'cef', '--status', 403,
                    '--no-record');
is(scalar @$out, 1, 'filters as query');
($code, $out) = ask('export', '--format', 'cef', '--status', 555,
                    '--no-record');
is($code, 1, 'nothing found');
($code, $out, $err) = ask('export', '--format', 'esc');
is($code, 2, 'no such format');
like($err, qr/unknown format "esc".*ecs/, 'and the nearest one');
($code) = ask('export');
is($code, 2, 'no format');

# stats

($code, $out) = ask('stats', '--json', '--no-record');
is($code, 0, 'stats');
my $s = decode_json($out->[0]);
is_deeply([@{$s}{qw/records requests done aborted aggregated lost intents
                    allowed denied failed/}],
          [8, 2 + 1 + 41 + 5, 2, 1, 41, 5, 1, 1, 42, 0], 'counts add up');
is_deeply([map { $s->{statuses}{$_}{n} } 200, 403, 429], [1, 1, 41],
          'by status');
is_deeply($s->{codes}{RATE_LIMITED}, { n => 41, denied => 41, failed => 0 },
          'by reason');
is($s->{platforms}{gd}{us}{p99}, 96210, 'time of a platform');
is($s->{periods}{'2026-11-22'}{n}, 49, 'by day');
is_deeply([@{$s->{us}}{qw/n p50 max/}], [2, 7, 96210], 'times');
is($s->{lost_by_class}{read}{n}, 5, 'losses by class');

($code, $out) = ask('stats', '--by', 'hour', '--no-record');
is($out->[1], 'requests 49 = done 2 + aborted 1 + aggregated 41 + lost 5',
   'for people');
is(scalar(grep { /^  2026-11-22T13 49 42 0$/ } @$out), 1, 'by hour');
($code) = ask('stats', '--by', 'week');
is($code, 2, 'no such period');

# Persons

for my $i (0 .. 2) {
    open my $fh, '>', $t->dir() . "/key$i" or die;
    print $fh "$keys[$i]\n";
    close $fh;
}

my @epochs = map { ('--pseudonym-key', $t->dir() . "/key$_") } 0 .. 2;

($code, $out) = ask('query', '--id-card', $card, @epochs, '--json');
is_deeply([map { decode_json($_)->{id} } @$out], ['n1.1.7', 'n1.1.8', 'n1.1.14'],
          'of each epoch, the last letter in either case');
($code, $out) = ask('query', '--id-card', $card, @epochs[0 .. 3], '--count');
is_deeply([$code, $out], [0, [2]], 'of the keys that are given');
($code, $out) = ask('query', '--id-card', '110105199003076937', @epochs,
                    '--count');
is($code, 1, 'not of others') or diag("@$out");

my $fed = qx{echo $card | $FindBin::Bin/../build/govsvc audit query $dir \\
             --id-card - @epochs --count};
is($fed, "3\n", 'from stdin');

($code, $out, $err) = ask('query', '--id-card', '110105194912310021', @epochs);
is($code, 2, 'a number with a mistake');
unlike($err, qr/110105/, 'which is not repeated');
($code, $out, $err) = ask('query', '--id-card', $card);
is($code, 2, 'no key');
($code) = ask('query', @epochs);
is($code, 2, 'no number');
($code, $out, $err) = ask('query', '--id-card', $card, '--pseudonym-key',
                          '/dev/null');
is($code, 2, 'no key in the file');

my $text = `cat $dir/query.*/*`;
unlike($text, qr/110105/, 'the number is in no record of a query');
like($text, qr/"--id-card",":[\w-]{22} :[\w-]{22}"/, 'a pseudonym is');

# It stands among the arguments no longer than it takes to read it.

my $pid = open my $tail, '-|', "$FindBin::Bin/../build/govsvc", 'audit',
    'tail', $dir, '--follow', '--id-card', $card, @epochs
    or die "govsvc: $!\n";
my $first = <$tail>;
open my $ps, '<', "/proc/$pid/cmdline" or die;
my $args = do { local $/; <$ps> };
kill 'TERM', $pid;
close $tail;
unlike($args, qr/110105/, 'nor in the list of processes');
like($args, qr/--id-card\0\*{18}\0/, 'where it stood');

# A line that is none

open my $fh, '>>', "$dir/n1.1.w0.5/0000000000000000.seg" or die;
print $fh '{"v":1,"ty":"http","ch":"n1.1.w0.5","seq":9,'
          . '"t":"2026-11-22T13:08:40.000000+08:00","x":{"y":{"z":{}}},"src":{"ip":"'
          . "\xff" . '"},"h":"' . 'A' x 43 . "\"}\n";
close $fh;
($code, $out, $err) = ask('export', '--format', 'ecs', '--no-record');
is($code, 4, 'incomplete');
like($err, qr/1 lines have not the form of a record/, 'and told');
my @queries = glob "$dir/query.*";
is(scalar @$out, 8 + @queries, 'the others are exported, and queries');
($code) = ask('stats', '--no-record');
is($code, 4, 'stats as well');

$t->done();
