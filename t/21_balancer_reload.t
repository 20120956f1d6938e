#!/usr/bin/perl

# Copyright (C) govsvc authors

# Changes of the platforms under load, with workers killed meanwhile: no
# request fails, health is kept, and nothing of it grows.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $rounds = $ENV{GOVSVC_ASAN} ? 5 : 20;

my $t = Test::GovSvc->new(workers => 2, log => 'notice')->plan(18);

$t->nginx_backend('n', <<'EOF');
    keepalive_requests 1000000;
    server { listen 127.0.0.1:%%PORT_1%%; return 200 "one\n"; }
    server { listen 127.0.0.1:%%PORT_2%%; return 200 "two\n"; }
    server { listen 127.0.0.1:%%PORT_3%%; return 503; }
EOF

sub platforms {
    my ($weight, @ports) = @_;
    my $instances = join ",\n", map {
        qq({"id": "i$_", "pool": "w", "address": "127.0.0.1",
            "port": $_, "weight": $weight})
    } @ports;

    $t->write_file('platforms.json', <<"END");
{
  "pools": [{"id": "w", "platform": "gd",
             "eject": {"fails": 1, "time": "1h", "max": 50}}],
  "instances": [$instances],
  "platforms": [{"id": "gd", "region": "440000",
                 "name": {"zh": "x", "en": "x"}}],
  "routes": [{"id": "w", "platform": "gd", "pool": "w",
              "match": {"paths": ["/44/"]}}]
}
END
}

my $conf = <<'EOF';
    govsvc_platforms  platforms.json;
    govsvc_registry   zone=registry:SIZE;

    upstream platforms {
        govsvc_balancer;
        keepalive 16;
    }

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_route  on;

        location / {
            proxy_http_version   1.1;
            proxy_set_header     Connection "";
            proxy_next_upstream  error timeout http_503;
            proxy_pass           http://platforms;
        }
    }
EOF

sub size {
    my ($size) = @_;

    (my $text = $conf) =~ s/SIZE/$size/;

    return $text;
}

my ($one, $two, $bad) = map { $t->port($_) } 1 .. 3;

platforms(1, $one);
$t->http_conf(size('4m'))->run();

is($t->http_get('/44/')->body, "one\n", 'serves');

my $revision = sub {
    my @found = $t->error_log() =~ /published revision (\d+)/g;
    return $found[-1] // 0;
};

is($revision->(), 1, 'revision 1');
$t->reload();
is($revision->(), 1, 'a reload that changes nothing publishes nothing');
$t->write_file('copy.conf', $t->read_file('nginx.conf'));
my ($code) = $t->nginx_t($t->dir() . '/copy.conf');
is($code, 0, 'nginx -t');
is($revision->(), 1, 'nginx -t publishes nothing');

my $load = $t->load_start(uri => '/44/x', connections => 6, seconds => 300,
    pause => 0.002);

my $good = 0;

for my $i (1 .. $rounds) {
    platforms($i, $i % 2 ? ($one, $two) : ($two));
    $good += $t->reload();
    $t->kill_worker('KILL') if $i % 5 == 0;
}

my $count = $t->load_stop($load);

is($good, $rounds, "$rounds changes under load");
is_deeply([ grep { /^[1345]/ } keys %$count ], [], 'no request was refused')
    or diag(explain($count));
cmp_ok($count->{200}, '>', $rounds, 'requests were served');
is($revision->(), 1 + $rounds, 'one revision for each change');
unlike($t->error_log(), qr/publishing failed/, 'each could be published');

# health outlives a reload

platforms(3, $one, $bad);
$t->reload();
$t->http_get('/44/') for 1 .. 4;
my @ejected = $t->error_log() =~ /(ejected for)/g;
is(scalar @ejected, 1, 'a bad peer is ejected');
platforms(4, $two, $one, $bad);
$t->reload();
$t->http_get('/44/') for 1 .. 12;
@ejected = $t->error_log() =~ /(ejected for)/g;
is(scalar @ejected, 1, 'and remembered in the next table');

# a configuration that fails leaves all as it is

$t->write_file('platforms.json', '{"pools": 1}');
ok(!$t->reload(), 'bad platforms are refused');
is($t->http_get('/44/')->status, 200, 'the old go on');
$t->expect_log(qr/platforms\.json/);

# a zone of another size begins anew

platforms(1, $two);
$t->write_file('http.conf', size('8m'));
ok($t->reload(), 'a larger zone');
is($t->http_get('/44/')->body, "two\n", 'serves from it');

# what a worker keeps of peers costs only where there are peers

my $before = $t->memory();
$t->write_file('http.conf', size('256m'));
ok($t->reload(), 'the largest zone');
$t->http_get('/44/') for 1 .. 8;
cmp_ok($t->memory() - $before, '<', 8192, 'takes little of the workers');
