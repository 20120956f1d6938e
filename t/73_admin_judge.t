#!/usr/bin/perl

# Copyright (C) govsvc authors

# What came by the API is looked at again by the rules that hold now: after a
# start with others, it goes on, is told in the log, counted, and says why.

use strict;
use warnings;

use JSON::PP;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc::Admin;


my $t = Test::GovSvc::Admin->new(log => 'notice', workers => 2)->has('mint');
my $port = $t->backend('gd');
my $conf = sub {
    my ($deny, $credentials) = @_;

    delete $t->{bearer};
    $t->gateway(credentials => $credentials // $t->credentials(),
        server => 'location = /metrics { govsvc_metrics; }',
        http => $deny ? "govsvc_admin_deny $deny;" : '');
};

sub refused {
    my ($n) = $t->http_get('/metrics')->body
        =~ /^govsvc_registry_refused (\d+)$/m;
    return $n // 'none';
}

sub why { $t->api('system', GET => $_[0])->json->{meta}{refused} // '' }

# changed(NAME => sub { its scope }): the credentials with another scope

sub changed {
    my (%change) = @_;
    my $all = decode_json($t->credentials());

    for my $one (@{ $all->{credentials} }) {
        $change{$one->{id}}->($one->{scope}) if $change{$one->{id}};
    }

    return JSON::PP->new->canonical->encode($all);
}

$conf->()->run();

for my $case (
    ['gd-ops', 'pools/gd-own', { platform => 'gd', host => 'a.gd.example' }],
    ['gd-ops', 'instances/serves', { pool => 'gd-web', port => $port,
        address => '127.0.0.1' }],
    ['gd-ops', 'instances/deny', { pool => 'gd-own', port => 8080,
        address => '10.44.7.1' }],
    ['gd-ops', 'instances/net', { pool => 'gd-own', port => 8080,
        address => '10.44.8.1' }],
    ['gd-ops', 'instances/port', { pool => 'gd-own', port => 2000,
        address => '10.44.9.1' }],
    ['system', 'instances/word', { pool => 'gd-own', port => 2000,
        address => '10.44.8.2' }],
    ['gd-ops', 'routes/open', { platform => 'gd', pool => 'gd-own',
        match => { paths => ['/44/open/a/'] } }])
{
    my ($who, $path, $object) = @$case;

    is($t->create($who, $path, $object)->json->{meta}{status}, 'active',
        $path);
}

is($t->http_get('/44/')->status, 200, 'it serves');
ok($t->wait_for(sub { refused() eq '0' }, 30), 'nothing would be refused');
is(why('instances/net'), '', 'says each');

# a network becomes the gateway's, the scope of the province shrinks

$conf->('10.44.7.0/24', changed('gd-ops' => sub {
    my ($scope) = @_;
    $scope->{networks} = ['127.0.0.1', '10.44.7.0/24', '10.44.9.0/24'];
    $scope->{ports} = ['8000-65535', "$port"];
    $scope->{hosts} = ['b.gd.example'];
    $scope->{paths} = ['/44/open/b/', '/44/closed/'];
}));
ok($t->reload(), 'other rules');
is($t->http_get('/44/')->status, 200, 'what served serves');
ok($t->wait_for(sub { refused() eq '5' }, 30), 'five would be refused')
    or diag refused();

is(why('instances/deny'), 'named by govsvc_admin_deny', 'a denied network');
is(why('instances/net'), 'the address is in no network of its platform',
    'a network that is not its own any more');
is(why('instances/port'), 'the port is in no scope of its platform',
    'a port');
is(why('pools/gd-own'), 'the host is in no scope of its platform', 'a host');
is(why('routes/open'), 'the match is in no scope of its platform',
    'a route');
is(why('instances/word'), '', 'the word of an operator stands');
is(why('instances/serves'), '', 'and what is still allowed');
is($t->api('system', GET => 'instances/net')->json->{meta}{status},
    'active', 'all are in use');
like($t->error_log(), qr/"net" of "instances" goes on, but would be refused/,
    'the log tells');

my $lines = () = $t->error_log() =~ /"net" of "instances" goes on/g;

is($lines, 1, 'once');

# another credential of the province covers it: keys are replaced

$conf->('', changed('gd-ops' => sub { $_[0]{networks} = ['10.99.0.0/16'];
    $_[0]{ports} = ['1']; }, 'gd-read' => sub {
    $_[0]{networks} = ['10.44.0.0/16', '127.0.0.1'];
    $_[0]{ports} = ['1-65535'];
    $_[0]{hosts} = ['*.gd.example'];
    $_[0]{paths} = ['/44/']; }));
ok($t->reload(), 'scopes of another key');
ok($t->wait_for(sub { refused() eq '0' }, 30), 'nothing would be refused')
    or diag refused();
ok($t->wait_for(sub { $t->error_log() =~ /rules of now refuse nothing/ },
    30), 'the log tells that too');

$t->done();
