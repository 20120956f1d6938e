#!/usr/bin/perl

# Copyright (C) govsvc authors

# Bans that correlations set, over a real Redis: a node that knows nothing of
# an attack keeps the attacker out, and spares who signs on behind the same
# address; one that knows many callers there limits what the other bans; bans
# end everywhere, and outlive an outage.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Crowd;
use Test::GovSvc::Limit;


my @nodes = map { Test::GovSvc->new(workers => 2, log => 'notice')
    ->has('redis-server') } 0 .. 1;
my $redis = Test::GovSvc::Limit->redis($nodes[0]);
my $port = $redis->port();

for my $t (@nodes) {
    my $issuer = crowd_issuer($t, 'national');

    $t->write_file('bans.key', 'a secret of all the nodes');
    chmod 0600, $t->dir() . '/bans.key';

    $t->write_file('a.rules', <<'EOF');
correlate 200001 login { on status 401; only path /login; key caller;
    count >= 5 in 10m; do ban caller 1h share;
    shared 10 x3 limit caller 600r/m 10m; }
correlate 200002 short { on status 404; key caller; count >= 5 in 10m;
    do ban caller 5s share; }
EOF

    $t->http_conf(<<"EOF");
    govsvc_redis main { server 127.0.0.1:$port; breaker errors=5 silence=500ms;
        command_timeout 200ms; }

    $issuer
    govsvc_rules      a.rules;
    govsvc_ban_zone   zone=bans:1m redis=main secret=bans.key;
    govsvc_correlate  zone=corr:1m ban=bans;

    set_real_ip_from  127.0.0.0/8;
    real_ip_header    X-Real-Client;

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_guard  on;
        govsvc_ban    zone=bans;
        govsvc_token  optional;
        add_header    X-Reason \$govsvc_reason always;

        location /      { empty_gif; }
        location /gone  { try_files /none =404; }
        location /login { auth_basic x; auth_basic_user_file none; }

        location = /bans {
            govsvc_ban          off;
            govsvc_guard        off;
            govsvc_token        off;
            govsvc_ban_control  zone=bans;
        }
    }
EOF
}

$_->run() for @nodes;

ok($nodes[0]->wait_for(sub {
    my $n = () = $redis->ask('CLIENT', 'LIST') =~ /cmd=xread/g;
    return $n == 2;
}, 60), 'both nodes follow');


# a ban of one node, and who signs on behind the address

attack($nodes[0], '192.0.2.1');
comes($nodes[0], '403 BANNED', '192.0.2.1', 'who guesses is banned');
comes($nodes[1], '403 BANNED', '192.0.2.1', 'on the other node, too');
is(get($nodes[1], '192.0.2.1', crowd_token('citizen')), '200 ',
    'a citizen of the same address is not');
is(get($nodes[1], '192.0.2.1', crowd_token('citizen', forged => 1)),
    '401 TOKEN_INVALID', 'a forger is');
is(get($nodes[1], '192.0.2.1', undef, '/login'), '403 BANNED',
    'nor may who is banned go on');

# a node that knows many behind the address

crowd($nodes[1], map {
    [ GET => '/', '192.0.2.2', crowd_token("c-$_") ]
} 1 .. 40);
attack($nodes[0], '192.0.2.2');
comes($nodes[0], '403 BANNED', '192.0.2.2', 'banned where nobody is known');
ok($nodes[1]->wait_for(sub {
    @{$nodes[1]->http_get('/bans')->json->{bans}} == 2
}, 60), 'the ban has reached the other node');
is(get($nodes[1], '192.0.2.2'), '200 ', 'which knows better');

# lifted on the other node: what the first counted is forgotten

$nodes[1]->http_request('DELETE', '/bans?net=192.0.2.1');
comes($nodes[0], '200 ', '192.0.2.1', 'lifted everywhere');
attack($nodes[0], '192.0.2.1', 4);
is(get($nodes[0], '192.0.2.1'), '200 ', 'and counted anew');

# by the name of a caller

my $scanner = crowd_token('scanner');

crowd($nodes[0], map {
    [ POST => '/login', "10.0.0.$_", $scanner ]
} 1 .. 6);
ok($nodes[1]->wait_for(sub {
    get($nodes[1], '203.0.113.9', $scanner) eq '403 BANNED'
}, 60), 'a caller who guesses from six addresses is banned everywhere');
is(get($nodes[1], '10.0.0.1'), '200 ', 'no address of his is');

# Redis is gone

$redis->signal('KILL');
attack($nodes[0], '192.0.2.3');
comes($nodes[0], '403 BANNED', '192.0.2.3', 'without Redis a node bans alone');
is(get($nodes[1], '192.0.2.3'), '200 ', 'the other does not know');
is(get($nodes[0], '192.0.2.3', crowd_token('citizen')), '200 ',
    'who signs on is spared still');

$redis->start();
comes($nodes[1], '403 BANNED', '192.0.2.3', 'told when it is back');

# a ban ends

crowd($nodes[0], map { [ GET => '/gone', '192.0.2.4' ] } 1 .. 5);
ok($nodes[0]->wait_for(sub {
    $nodes[0]->read_file('error.log') =~ /rule 200002 "short".*, ban/
}, 60), 'a short ban');
comes($nodes[$_], '200 ', '192.0.2.4', "has ended on node $_") for 0, 1;

$_->finish() for @nodes;
done_testing();


sub attack {
    my ($t, $from, $n) = @_;

    crowd($t, map { [ POST => '/login', $from ] } 1 .. $n // 5);
}


sub get {
    my ($t, $from, $token, $uri) = @_;

    return (crowd_answers($t, [ GET => $uri // '/', $from, $token ]))[0];
}


sub comes {
    my ($t, $answer, $from, $name) = @_;

    ok($t->wait_for(sub { get($t, $from) eq $answer }, 60), $name);
}
