#!/usr/bin/perl

# Copyright (C) govsvc authors
#
# Electronic supervision: what platforms report of cases is a record of its
# own, in order and without gaps, and is not for citizens.

use strict;
use warnings;

use Test::More;
use POSIX qw/strftime/;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Redis;

my $t = Test::GovSvc->new(workers => 2)->has('redis-server', 'cli');
my $rs = Test::GovSvc::Redis->new($t);
my $redis = $rs->server();

my %header = (
    'X-Govsvc-Project-No' => '11440100007482575H3440118009000202506010001',
    'X-Govsvc-Task-Code' => '11440100007482575H3440118009000',
    'X-Govsvc-Task-Handle-Item' => '11440100007482575H344011800900001',
    'X-Govsvc-Catalog-Code' => '440118009000',
    'X-Govsvc-Stage' => 'accept',
    'X-Govsvc-Stage-Start' => '2025-06-01 09:30:15',
    'X-Govsvc-Stage-End' => '2025-06-01T01:30:16Z',
    'X-Govsvc-Promise-Date' => '2025-06-09',
    'X-Govsvc-Result' => '200',
    'X-Govsvc-Org-Code' => '11440100007482575H',
    'X-Govsvc-Data-Source' => '144',
    'X-Govsvc-Event-Type' => '1',
    'X-Govsvc-Secret' => 'inside',
);

# The backend is another process: answers lie in files.

my $dir = $t->dir();

sub answers {
    my ($uri, @headers) = @_;

    open my $out, '>:raw', "$dir/answer" . $uri =~ tr{/}{-}r or die;
    print $out join "\n", @headers;
    close $out or die;
}

my $port = $t->backend('gd', sub {
    my ($request) = @_;

    open my $in, '<:raw', "$dir/answer" . $request->{uri} =~ tr{/}{-}r
        or return (200, [], 'done');
    chomp(my @headers = <$in>);

    return (200, \@headers, 'done');
});

$t->http_conf(<<"END")->run();
govsvc_node n1;
govsvc_redis r { server 127.0.0.1:$redis->{port}; }
govsvc_audit_store dir=audit alg=sha256 flush=5ms;
govsvc_audit_redis r stream=supervision:%node types=supervision;
govsvc_audit_redis r;
govsvc_audit meta;
proxy_cache_path cache keys_zone=c:1m;

server {
    listen 127.0.0.1:%%PORT_0%%;
    proxy_pass_request_headers on;
    location / { proxy_pass http://127.0.0.1:$port; govsvc_supervision on; }
    location /off/ { proxy_pass http://127.0.0.1:$port; }
    location /pass/ { proxy_pass http://127.0.0.1:$port;
        govsvc_supervision on pass warn=2d; }
    location /cached/ { proxy_pass http://127.0.0.1:$port; proxy_cache c;
        proxy_cache_valid 200 1h; govsvc_supervision on; }
}
END

sub records {
    return sort { $a->{g} <=> $b->{g} }
        grep { $_->{ty} eq 'supervision' } $t->audit_lines();
}

sub ask {
    my ($uri, @headers) = @_;

    my $n = () = records();
    answers($uri, @headers);
    my $r = $t->http_get($uri);
    my @all;
    $t->wait_for(sub { (@all = records()) > $n }, 20) if @headers;

    return ($r, $all[-1]);
}

sub bad {
    my ($s) = @_;
    return { map { $_->{k} => $_->{why} } @{$s->{bad} || []} };
}

my ($r, $s) = ask('/full', %header);
is($r->status, 200, 'the citizen has an answer');
is(scalar(grep { defined $r->header($_) } keys %header), 0,
    'with nothing of it');
is_deeply($s->{bj}, {
    project_no => $header{'X-Govsvc-Project-No'},
    task_code => $header{'X-Govsvc-Task-Code'},
    task_handle_item => $header{'X-Govsvc-Task-Handle-Item'},
    catalog_code => '440118009000',
    stage => 'accept',
    stage_start => '2025-06-01 09:30:15',
    stage_end => '2025-06-01 09:30:16',
    promise_date => '2025-06-09 23:59:59',
    result => '200',
    org_code => '11440100007482575H',
    data_source => '144',
    event_type => '1',
}, 'all that was told, times as the tables of the state have them');
is($s->{req}, $r->header('X-Request-Id'), 'it names the request');
is($s->{hint}, 'red', 'the promised time is over');
is($s->{bad}, undef, 'nothing is wrong');
like($s->{id}, qr/^n1\.\d+\.\d+$/, 'with an identifier');

my $soon = strftime('%Y-%m-%d %H:%M:%S', gmtime(time() + 8 * 3600 + 30 * 3600));
my @least = ('X-Govsvc-Project-No' => 'A-1', 'X-Govsvc-Stage' => 'review',
    'X-Govsvc-Promise-Date' => $soon);

($r, $s) = ask('/soon', @least);
is($s->{hint}, 'blue', 'within the time');
($r, $s) = ask('/pass/soon', @least);
is($s->{hint}, 'yellow', 'near its end');
is($r->header('X-Govsvc-Stage'), 'review', 'told to go on, it goes on');
($r, $s) = ask('/pass/other', @least, 'X-Govsvc-Secret' => 'inside');
is($r->header('X-Govsvc-Secret'), undef, 'and nothing else does');
($r, $s) = ask('/late', 'X-Govsvc-Project-No' => 'A-1',
    'X-Govsvc-Stage' => 'complete', 'X-Govsvc-Promise-Date' => '2025-06-09',
    'X-Govsvc-Stage-End' => '2025-06-09 23:59:59');
is($s->{hint}, 'blue', 'completed in time, reported late');

# what is wrong is told

($r, $s) = ask('/wrong', 'X-Govsvc-Project-No' => 'a b',
    'X-Govsvc-Task-Code' => '11440100007482575h3440118009000',
    'X-Govsvc-Task-Handle-Item' => '123',
    'X-Govsvc-Stage' => 'accepted',
    'X-Govsvc-Stage-Start' => '2025-02-30 09:30:15',
    'X-Govsvc-Stage-End' => 'now',
    'X-Govsvc-Promise-Date' => '2025-06-09T10:00:00',
    'X-Govsvc-Result' => "\xe5\x8a\x9e\xff",
    'X-Govsvc-Data-Source' => '1x',
    'X-Govsvc-Event-Type' => '3');
is($r->status, 200, 'wrong values: the citizen has an answer');
is_deeply(bad($s), {
    project_no => 'form', task_code => 'form', task_handle_item => 'length',
    stage => 'form', stage_start => 'time', stage_end => 'length',
    promise_date => 'time', result => 'utf8', data_source => 'form',
    event_type => 'form',
}, 'each with what is wrong');
is_deeply($s->{bj}, {}, 'and none of them as if it were right');
is((map { $_->{v} } grep { $_->{k} eq 'stage' } @{$s->{bad}})[0], 'accepted',
    'as it came');
is($s->{hint}, undef, 'no hint from no time');

($r, $s) = ask('/twice', @least, 'X-Govsvc-Stage' => 'decide');
is_deeply(bad($s), { stage => 'twice' }, 'told twice');
($r, $s) = ask('/only', 'x-govsvc-RESULT' => '1');
is_deeply(bad($s), { project_no => 'absent', stage => 'absent' },
    'what is needed is absent');
is($s->{bj}{result}, '1', 'names in any case');
($r, $s) = ask('/long', @least, 'X-Govsvc-Result' => 'x' x 3000);
is_deeply(bad($s), { result => 'length' }, 'too long');
cmp_ok(length($s->{bad}[0]{v}), '<=', 96, 'and cut');

# personal numbers

($r, $s) = ask('/pii', 'X-Govsvc-Project-No' => '11010519491231002X',
    'X-Govsvc-Stage' => 'tel 13712349050', 'X-Govsvc-Result' => '13712349050');
unlike(join('', map { $t->read_file($_) } $t->audit_files()),
    qr/11010519491231002X|13712349050/, 'personal numbers are masked');

# where it is off, from the cache, without a word of it

my $n = () = records();
ask('/cached/a', @least);
is($t->http_get('/cached/a')->body, 'done', 'from the cache') for 1 .. 3;
answers('/off/a', @least);
$r = $t->http_get('/off/a');
is($r->header('X-Govsvc-Stage'), undef, 'off: hidden all the same');
$t->http_get('/none');
$t->http_get('/none');
$t->wait_for(sub {
    (grep { $_->{ty} eq 'http' && $_->{http}{path} eq '/none' }
        $t->audit_lines()) == 2
});
is(scalar(my @x = records()), $n + 1, 'told once, where it is told');

# many, while workers die: a stream of its own, without gaps

answers('/many', @least);
my $load = $t->load_start(uri => '/many', pause => 0.005);
$t->wait_for(sub { (my @x = records()) > $n + 50 });
$t->kill_worker();
$t->kill_worker();
ok($t->reload(), 'a reload');
my $counts = $t->load_stop($load);

my $got;
ok($t->wait_for(sub {
    $got = $rs->cli($redis, 'XLEN', 'gs:supervision:n1');
    return $got == (my @x = records());
}, 30), 'all are in the stream of their own') or diag $got;
is($rs->cli($redis, 'XRANGE', 'gs:supervision:n1', '-', '+', 'COUNT', 1)
    =~ /"?1-0"?/ ? 1 : 0, 1, 'from number 1');
is($rs->cli($redis, 'XREVRANGE', 'gs:supervision:n1', '+', '-', 'COUNT', 1)
    =~ /\b$got-0/ ? 1 : 0, 1, 'to the last, without gaps');
cmp_ok($got, '>=', ($counts->{200} // 0), 'one for each answer');

$t->stop();
is(($t->govsvc('audit', 'verify', $t->dir() . '/audit'))[0], 0,
    'and the store is whole');

$t->done();
