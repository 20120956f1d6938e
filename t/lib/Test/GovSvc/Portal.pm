package Test::GovSvc::Portal;

# Copyright (C) govsvc authors
#
# A gateway with every feature on, as the tests that attack it need one:
#
#   my $p = Test::GovSvc::Portal->new($t);      # platforms, rules, keys
#   $t->http_conf($p->http() . "server { $standard ... }")->run();
#
# Platforms gd (/44/, 44****), bj (/11/), zj (/33/, in maintenance), down
# (/99/, nothing listens).  Secrets that no log may show: secrets().

use strict;
use warnings;
use utf8;

my $id_card = '11010519491231002X';
my $cookie = 'Zm9yZ2VkLWNvb2tpZQ';


sub new {
    my ($class, $t, %code) = @_;

    my $self = bless { t => $t }, $class;

    my $gd = $t->backend('gd', $code{gd});
    my $bj = $t->backend('bj', $code{bj});
    my $down = $t->take_port();

    $t->mint_keys('keys');

    $t->write_file('platforms.json', <<"EOF");
{
  "pools": [
    {"id": "gd-web", "platform": "gd", "host": "gd.gov.example"},
    {"id": "bj-web", "platform": "bj", "host": "bj.gov.example"},
    {"id": "zj-web", "platform": "zj"},
    {"id": "down-web", "platform": "down"}
  ],
  "instances": [
    {"id": "a", "pool": "gd-web", "address": "127.0.0.1", "port": $gd},
    {"id": "b", "pool": "bj-web", "address": "127.0.0.1", "port": $bj},
    {"id": "c", "pool": "zj-web", "address": "127.0.0.1", "port": $bj},
    {"id": "d", "pool": "down-web", "address": "127.0.0.1", "port": $down}
  ],
  "platforms": [
    {"id": "gd", "region": "440000",
     "name": {"zh": "广东政务服务网", "en": "Guangdong"}},
    {"id": "bj", "region": "110000", "name": {"zh": "北京", "en": "Beijing"}},
    {"id": "zj", "region": "330000", "name": {"zh": "浙江", "en": "Zhejiang"},
     "state": "maintenance"},
    {"id": "down", "region": "650000", "name": {"zh": "新疆", "en": "Xinjiang"}}
  ],
  "routes": [
    {"id": "gd-path", "platform": "gd", "pool": "gd-web",
     "match": {"paths": ["/44/"]}},
    {"id": "gd-region", "platform": "gd", "pool": "gd-web",
     "match": {"regions": ["44****"]}},
    {"id": "bj-path", "platform": "bj", "pool": "bj-web",
     "match": {"paths": ["/11/"]}},
    {"id": "zj-path", "platform": "zj", "pool": "zj-web",
     "match": {"paths": ["/33/"]}},
    {"id": "down-path", "platform": "down", "pool": "down-web",
     "match": {"paths": ["/65/"]}}
  ]
}
EOF

    $t->write_file('a.rules', <<'EOF');
rule 1000 trap { match path lit "/.git/"; tag recon; block; }
rule 1001 note { match args lit "select"; tag sqli; log; }
EOF

    return $self;
}


# What stands in http { } before the servers.

sub http {
    return <<'EOF';
    large_client_header_buffers  4 80k;
    govsvc_node          gw-test;
    govsvc_platforms     platforms.json;
    govsvc_rules         a.rules;
    govsvc_limit_zone    $govsvc_client_net zone=ip:1m rate=1000r/s burst=2000;
    govsvc_limit_zone    $govsvc_client_net zone=tight:1m rate=1r/m burst=1;
    govsvc_limit_zone    $govsvc_subject zone=user:1m rate=1000r/s burst=2000;
    govsvc_audit_store   dir=audit alg=sha256 sync=off;

    govsvc_issuer national {
        iss        https://sso.example;
        audience   portal;
        algs       RS256 ES256 EdDSA SM2;
        jwks_file  keys/jwks.json;
        require    exp sub;
        assurance  acr map=low:2,high:4;
    }

    upstream platforms {
        govsvc_balancer;
        keepalive 8;
    }
EOF
}


# What stands in a server before its locations.

sub server {
    return <<'EOF';
    underscores_in_headers  on;
    govsvc_route            on;
    govsvc_guard            on;
    govsvc_limit            zone=ip;
    govsvc_limit            zone=user;
    govsvc_token            optional issuer=national from=header,cookie:sso;
    govsvc_audit            meta;

    proxy_http_version      1.1;
    proxy_set_header        Connection "";
    proxy_set_header        Host $govsvc_upstream_host;
    proxy_set_header        X-Govsvc-Subject $govsvc_subject;
EOF
}


sub token {
    my ($self, %claims) = @_;

    return $self->{t}->token('ES256', { iss => 'https://sso.example',
        aud => 'portal', sub => 'citizen-1', acr => 'high', %claims });
}


# The one worker, which may still be starting.

sub worker {
    my ($self) = @_;

    my $t = $self->{t};

    return $t->wait_for(sub { ($t->workers())[0] });
}


sub id_card { $id_card }
sub cookie { $cookie }


# One line for each request: waits until so many have been written.

sub lines {
    my ($self, $n) = @_;

    my @lines;

    $self->{t}->wait_for(sub {
        @lines = grep { ($_->{ty} // '') eq 'http' }
            $self->{t}->audit_lines();
        return @lines >= $n;
    }, 5);

    return @lines;
}


# What stands in a log although it must not; '' if nothing does.

sub leaks {
    my ($self) = @_;

    my $t = $self->{t};
    my @found;

    for my $name ('error.log', $t->audit_files()) {
        my $text = $t->read_file($name) // '';

        push @found, "$name: $1"
            while $text =~ /(.*(?:eyJ[\w-]{4}|$id_card|$cookie).*)/g;
    }

    return join "\n", @found;
}


1;
