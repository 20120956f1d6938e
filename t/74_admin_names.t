#!/usr/bin/perl

# Copyright (C) govsvc authors

# Instances with names: looked up off the way of requests, each address of
# each answer checked, proved and only then connected to; what was good goes
# on whatever a name server does.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::GovSvc::Admin;
use Test::GovSvc::Dns;


my $t = Test::GovSvc::Admin->new(log => 'notice', workers => 2)->has('mint');
my $dns = Test::GovSvc::Dns->new($t);

my @credentials = @{ decode_json($t->credentials())->{credentials} };

for (grep { $_->{id} =~ /^gd-ops$|^bj-ops$/ } @credentials) {
    $_->{scope}{suffixes} = ['gd.example'];
    $_->{scope}{networks} = ['127.0.0.0/29', '10.44.0.0/16'];
    $_->{scope}{ports} = ['1024-65535'];
}

# a server on several addresses of this machine; each says who it is, and any
# nonce that it is asked for at an address that may prove

$t->nginx_backend('web', join '', map { my $a = $_; <<"END" } 1 .. 6);
    server {
        listen       127.0.0.$a:%%PORT_1%%;
        location / {
            return 200 "$a \$host";
        }
        location ~ ^/\\.well-known/govsvc/(.*)\$ {
            if (-f %%DIR%%/mute.$a) {
                return 404;
            }
            return 200 \$1;
        }
    }
END

my $port = $t->port(1);

sub configure {
    my ($admin, $http) = @_;

    $t->gateway(admin => $admin,
        credentials => encode_json({ credentials => \@credentials }),
        http => 'resolver 127.0.0.1:' . $dns->port() . ' ipv6=off;'
            . ' govsvc_hosts gd.example min=1s max=2s timeout=1s addresses=8;'
            . ($http // ''));
}

sub shown {
    my ($id, $who) = @_;

    my $r = $t->api($who // 'system', GET => "instances/$id");

    return $r->status == 200 ? $r->json : {};
}

# "127.0.0.2 up, 127.0.0.9 refused"

sub addresses {
    my ($id) = @_;

    return join ', ', map { "$_->{address} $_->{state}" }
        @{ shown($id)->{resolved}{addresses} // [] };
}

sub becomes {
    my ($id, $want, $name) = @_;

    my $got;

    ok($t->wait_for(sub { ($got = addresses($id)) eq $want }, 60), $name)
        or diag("got: $got, wanted: $want\n", $t->error_log());
}

sub serves { my $r = $t->http_get('/44/x'); $r->status . ' ' . $r->body }

# what of some requests answered: "2 3"

sub seen {
    my %seen;

    $seen{(split / /, serves())[1] // ''} = 1 for 1 .. 24;

    return join ' ', sort keys %seen;
}


# registered by the API, with the proof of control

configure('proof=on loopback=on')->run();

$dns->set('web.gd.example' => { a => ['127.0.0.2'], ttl => 1 });

my $r = $t->create('gd-ops', 'instances/web', { pool => 'gd-web',
    address => "web.gd.example:$port" });

is($r->status, 201, 'a name is taken') or diag($r->raw);
is($r->json->{meta}{status}, 'pending', 'and waits for its proof');
is($r->json->{meta}{owner}, 'gd-ops', 'whose networks bind its addresses');

becomes('web', '127.0.0.2 up', 'an address is found and proves itself');
ok($t->wait_for(sub { shown('web')->{meta}{status} eq 'active' }, 60),
    'then it is active');
ok($t->wait_for(sub { serves() =~ /^200 2 / }, 60), 'and serves')
    or diag(serves(), $t->error_log());

my $web = shown('web');

is($web->{resolved}{name}, 'web.gd.example', 'the API shows the name');
cmp_ok($web->{resolved}{ttl}, '<=', 1, 'how long the answer is good');
ok($web->{resolved}{answered} > 1e15, 'when it came');
is($web->{resolved}{error}, undef, 'no error');
is($web->{resolved}{addresses}[0]{health}{state}, 'up', 'and its health');
is($web->{health}{state}, 'up', 'as that of the whole');
like($web->{meta}{proof}, qr/^\w+$/, 'the nonce goes on to be asked for');


# each new address proves itself; the old one stays until one of them has

$t->write_file('mute.3', '');
$dns->set('web.gd.example' => { a => ['127.0.0.3'], ttl => 1 });

becomes('web', '127.0.0.2 up, 127.0.0.3 proving',
    'an address without a proof replaces none');
is(seen(), '2', 'and gets no request');

unlink $t->dir() . '/mute.3';
becomes('web', '127.0.0.3 up', 'with its proof it does');
ok($t->wait_for(sub { seen() eq '3' }, 60), 'and gets all');


# rebinding: one bad address of a set is left out, told and recorded

$dns->set('web.gd.example' => { a => ['127.0.0.3', '169.254.169.254',
    '127.0.0.2', '192.168.7.7', '224.0.0.1'], ttl => 0 });

becomes('web', '127.0.0.2 up, 127.0.0.3 up, 169.254.169.254 refused, '
    . '192.168.7.7 refused, 224.0.0.1 refused',
    'metadata, another network, multicast: refused');

my %why = map { $_->{address} => $_->{why} // '' }
    @{ shown('web')->{resolved}{addresses} };

is($why{'169.254.169.254'}, 'link-local, metadata', 'why: metadata');
is($why{'192.168.7.7'}, 'in no network of its credential', 'why: networks');
is($why{'224.0.0.1'}, 'multicast', 'why: multicast');

$t->expect_log(qr/which is refused/);
like($t->error_log(), qr/\[crit\].* name "web\.gd\.example" of instance "web" was answered with 169\.254\.169\.254, which is refused: link-local, metadata/,
    'told in the log');

ok($t->wait_for(sub {
    grep { $_->{ty} eq 'sec' && $_->{act}{key} eq 'web@169.254.169.254' }
        $t->audit_lines()
}, 60), 'recorded as a security event');


# answers of nothing but bad ones, and no answers: the last good ones go on

$dns->set('web.gd.example' => { a => ['169.254.169.254'], ttl => 0 });
becomes('web', '127.0.0.2 up, 127.0.0.3 up, 169.254.169.254 refused',
    'nothing good in an answer: the last good ones stay');
is(shown('web')->{resolved}{error}, 'no address of the answer is allowed',
    'and the API says why');

for (['SERVFAIL', { rcode => 2 }, qr/Server failure/],
    ['NXDOMAIN', { rcode => 3 }, qr/Host not found/],
    ['silence', { silent => 1 }, qr/timed out/],
    ['an empty answer', { a => [] }, qr/not found|no addresses/])
{
    my ($name, $zone, $error) = @$_;

    $dns->set('web.gd.example' => $zone);

    ok($t->wait_for(sub {
        (shown('web')->{resolved}{error} // '') =~ $error
    }, 60), "$name is shown") or diag(explain(shown('web')));
    is(seen(), '2 3', "$name: the last good ones serve");
}

my $metrics = $t->http_get('/metrics');


# a chain of names, and a hundred addresses

$dns->set('web.gd.example' => { cname => ['a.cdn.example', 'b.cdn.example'],
    a => ['127.0.0.4'], ttl => 1 });
becomes('web', '127.0.0.4 up', 'the end of a chain of names');

$dns->set('web.gd.example' => { a => [(map { "10.45.0.$_" } 1 .. 50),
    '127.0.0.2', '127.0.0.4', (map { "192.0.2.$_" } 1 .. 50)], ttl => 1 });
ok($t->wait_for(sub {
    addresses('web') =~ /^127\.0\.0\.2 up, 127\.0\.0\.4 up, (?:10\.45\.0\.\d+ refused, ){15}10\.45\.0\.\d+ refused$/
}, 60), 'of a hundred, those that are allowed') or diag(addresses('web'));

$dns->set('web.gd.example' => { a => [map { "10.44.0.$_" } 1 .. 20],
    ttl => 1 });
ok($t->wait_for(sub {
    (() = addresses('web') =~ /10\.44\.0\.\d+ proving/g) == 8
}, 60), 'and no more than the directive says') or diag(addresses('web'));
is(seen(), '2 4', 'those before serve meanwhile');


# a reload and a restart without a name server

$dns->set('web.gd.example' => { a => ['127.0.0.2', '127.0.0.5'], ttl => 1 });
becomes('web', '127.0.0.2 up, 127.0.0.5 up', 'two addresses');
ok($t->wait_for(sub { seen() eq '2 5' }, 60), 'both serve');

ok($t->reload(), 'a reload');
is(seen(), '2 5', 'both serve at once');

$dns->stop();
$t->stop();
$t->run();
is(seen(), '2 5', 'a start without a name server: the last addresses serve');
ok($t->wait_for(sub { shown('web')->{resolved}{error} }, 60),
    'what is wrong is shown') or diag(explain(shown('web')));
is(seen(), '2 5', 'and nothing is lost');
$dns->start();


# a name that was never found is not up

$r = $t->create('gd-ops', 'instances/none', { pool => 'gd-web',
    address => 'none.gd.example', port => $port });
is($r->status, 201, 'a name that does not exist');
ok($t->wait_for(sub { shown('none')->{resolved}{error} }, 60),
    'its error is shown');
is(addresses('none'), '', 'it has no addresses');
is(seen(), '2 5', 'and gets no request');


# the gateway itself behind a name: a loop, whatever a laboratory may do

$dns->set('self.gd.example' => { a => ['127.0.0.1', '127.0.0.2'], ttl => 1 });
$r = $t->create('gd-ops', 'instances/self', { pool => 'gd-web',
    address => 'self.gd.example', port => $t->port(0), state => 'drain' });
is($r->status, 201, 'a name with the port of the gateway');
becomes('self', '127.0.0.2 proving, 127.0.0.1 refused',
    'where the gateway listens is refused');
is((map { $_->{why} // () }
    @{ shown('self')->{resolved}{addresses} })[0],
    'the gateway itself listens there', 'why: a loop');
is($t->api('gd-ops', DELETE => 'instances/self', undef,
    'If-Match' => $t->etag('instances/self'))->status, 204, 'and removed');


# changes under load: nobody notices

my $load = $t->load_start(uri => '/44/x');

for my $a (['127.0.0.3'], ['127.0.0.4', '127.0.0.6'], ['127.0.0.2']) {
    $dns->set('web.gd.example' => { a => $a, ttl => 1 });
    becomes('web', join(', ', map { "$_ up" } @$a), "moved to @$a");
}

my $count = $t->load_stop($load);
my $total = 0;

$total += $_ for values %$count;

is($count->{200}, $total - ($count->{reconnect} // 0),
    'no request failed while addresses changed') or diag(explain($count));

$t->done();
