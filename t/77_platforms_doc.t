#!/usr/bin/perl

# Copyright (C) govsvc authors

# The commands of docs/platforms.md and docs/platforms.zh-CN.md, as they are
# printed, in a shell: a province registers with curl and its certificate.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::GovSvc::Admin;
use Test::GovSvc::Dns;


my @pages = map { "$Test::GovSvc::TOP/docs/$_" }
    qw/platforms.md platforms.zh-CN.md/;

is(commands($pages[0]), commands($pages[1]),
    'both pages print the same commands');

for my $page (@pages) {
    my $t = Test::GovSvc::Admin->new(log => 'notice', workers => 2)
        ->has(qw/mint curl openssl bash/);
    my $dns = Test::GovSvc::Dns->new($t);
    my ($name) = $page =~ m{([^/]+)$};

    $t->ca('national-ca');
    $t->certificate('server', 'national-ca', 'gw.gov.example');
    $t->certificate('gd', 'national-ca', 'gd-ops.gd.gov.example');

    # what the page says that security staff are sent, and what they answer

    my ($hash) = commands($page) =~ /^(openssl x509 .*)$/m;
    my $dir = $t->dir();
    my ($spki) = `cd $dir && $hash` =~ /^([0-9a-f]{64})\b/;
    ok($spki, "$name: the hash of the key");

    my ($credential) = $t->read_file($page) =~ /^```json\n(.*?)^```/ms;
    $credential = decode_json($credential);
    @$credential{qw/id spki/} = ('gd-curl', [$spki]);

    # the suffix that the page says to ask for

    $credential->{scope}{suffixes} = ['gd.gov.example'];
    $dns->set('web.gd.gov.example' => { a => ['10.44.0.13'], ttl => 60 });

    $t->gateway(
        credentials => $t->credentials($credential),
        http => 'govsvc_availability %%DIR%%/state/availability.txt;'
            . ' govsvc_hosts gov.example; resolver 127.0.0.1:'
            . $dns->port() . ' ipv6=off;',
        platforms => encode_json({ platforms => [{ id => 'gd',
            region => '440000' }] }),
        admin => 'proof=on',
        server => <<'END');

        listen                  127.0.0.1:%%PORT_1%% ssl;
        ssl_certificate         server.crt;
        ssl_certificate_key     server.key;
        ssl_client_certificate  national-ca.crt;
        ssl_verify_client       optional;
END

    $t->write_file('.curlrc', <<"END");
connect-to = "gw.gov.example:8443:127.0.0.1:@{[$t->port(1)]}"
write-out = "\\n== %{http_code}\\n"
END

    $t->run();
    $t->wait_for(sub { $t->api('system', GET => 'availability')->status == 200 },
        20);
    $t->write_file('commands', "shopt -s expand_aliases\nexec 2>&1\n"
        . commands($page));

    my $out = `cd $dir && CURL_HOME=$dir HOME=$dir bash commands`;
    my @status = $out =~ /^== (\d+)/mg;
    my @calls = commands($page) =~ /^(?:\w+=\$\()?gw (.*)/mg;

    is(scalar @status, scalar(grep { !/-o \/dev\/null/ } @calls),
        "$name: each call is answered") or diag($out);
    is_deeply([grep { $_ > 299 } @status], [], "$name: none is refused")
        or diag($out);
    like($out, qr/"status": ?"(?:active|pending)"/, "$name: a server");
    like($out, qr/"samples":\[\{"host":"","path":"\/44\/","before":null,
        "after":"gd-path"/x, "$name: what a route will do");
    is($t->api('system', GET => 'instances/gd-web-1')->json->{state}, 'drain',
        "$name: the change is there");

    $t->finish();
}

done_testing();


# The indented lines, with the lines that continue them.

sub commands {
    my ($page) = @_;

    open my $fh, '<', $page or die "$page: $!";
    return join '', map { s/^    //r } grep { /^    [^\s"]|^       -d / } <$fh>;
}
