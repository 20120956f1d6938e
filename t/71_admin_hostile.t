#!/usr/bin/perl

# Copyright (C) govsvc authors

# A province against the rest: what it may not do, each with its answer.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc::Admin;


my $t = Test::GovSvc::Admin->new(log => 'notice', workers => 2)->has('mint');

# names: gd may use those under gd.gov.example, bj none

my $credentials = $t->credentials();

$credentials =~ s/("scope":\{)(?="delegated")/$1"suffixes":["gd.gov.example"],/
    or die 'no scope';

$t->gateway(admin => 'proof=off body=8k', credentials => $credentials,
    http => 'govsvc_admin_deny 10.44.250.0/24; resolver 127.0.0.1:1;'
        . ' govsvc_hosts gov.example; server { listen %%PORT_5%%;'
        . ' listen [::]:%%PORT_5%%; } govsvc_redis shared {'
        . ' server 10.44.60.1; }');

$t->expect_log(qr/redis "shared"/);
$t->run();

my $own = $t->port(0);
my $any = $t->port(5);
my @own = grep { !/^(?:fe80|192\.0\.2|198\.51|203\.0\.113)/ }
    split ' ', `hostname -I`;

sub instance {
    return { id => 'x', pool => 'gd-web', address => '10.44.0.1',
        port => 8080, @_ };
}

sub at { instance(address => $_[0]) }

sub route {
    my ($match, %more) = @_;

    return { id => 'x', platform => 'gd', pool => 'gd-web',
        match => $match, %more };
}

# what stands, so that something can be attacked

is($t->create('bj-ops', 'instances/bj1', { pool => 'bj-web',
    address => '10.11.0.1', port => 80 })->status, 201, 'of bj');
is($t->create('gd-ops', 'instances/gd1', instance(id => 'gd1'))->status,
    201, 'of gd');
is($t->create('system', 'pools/bj-two', { platform => 'bj' })->status, 201,
    'a pool of bj');

my $snapshot = $t->api('system', GET => 'snapshot?origin=all')->body;

my @new = ('If-None-Match' => '*');
my $deep = '{"weight": ' . ('{"a": ' x 40) . '1' . ('}' x 40) . '}';
my $mine = $t->etag('instances/gd1');
my $foreign = $t->etag('instances/bj1');

# name, who, method, path, body, headers, status, code

my @attempts = (

    # scope: objects of others

    ['reads an instance of another', 'gd-ops', 'GET', 'instances/bj1',
        undef, [], 404, 'NOT_FOUND'],
    ['reads a pool of another', 'gd-ops', 'GET', 'pools/bj-web', undef, [],
        404, 'NOT_FOUND'],
    ['changes one', 'gd-ops', 'PATCH', 'instances/bj1', { weight => 9 },
        ['If-Match' => $foreign], 403, 'SCOPE_PLATFORM'],
    ['drains one', 'gd-ops', 'PATCH', 'instances/bj1', { state => 'drain' },
        ['If-Match' => $foreign], 403, 'SCOPE_PLATFORM'],
    ['removes one', 'gd-ops', 'DELETE', 'instances/bj1', undef,
        ['If-Match' => $foreign], 403, 'SCOPE_PLATFORM'],
    ['puts its own over one', 'gd-ops', 'PUT', 'instances/bj1',
        instance(id => 'bj1'), [@new], 403, 'SCOPE_PLATFORM'],
    ['puts a server into a pool of another', 'gd-ops', 'PUT', 'instances/x',
        instance(pool => 'bj-web'), [@new], 403, 'SCOPE_PLATFORM'],
    ['moves a server there', 'gd-ops', 'PATCH', 'instances/gd1',
        { pool => 'bj-web' }, ['If-Match' => $mine], 403, 'SCOPE_PLATFORM'],
    ['into a pool that is not there', 'gd-ops', 'PUT', 'instances/x',
        instance(pool => 'none'), [@new], 403, 'SCOPE_PLATFORM'],
    ['takes a pool over', 'gd-ops', 'PATCH', 'pools/bj-two',
        { platform => 'gd' }, ['If-Match' => $t->etag('pools/bj-two')], 403,
        'SCOPE_PLATFORM'],
    ['makes a pool for another', 'gd-ops', 'PUT', 'pools/x',
        { platform => 'bj' }, [@new], 403, 'SCOPE_PLATFORM'],
    ['makes a pool for nobody', 'gd-ops', 'PUT', 'pools/x', {}, [@new], 403,
        'SCOPE_PLATFORM'],
    ['falls back on another', 'gd-ops', 'PUT', 'pools/x',
        { platform => 'gd', fallback => ['bj-web'] }, [@new], 403,
        'SCOPE_FALLBACK'],
    ['takes the host of another', 'gd-ops', 'PUT', 'pools/x',
        { platform => 'gd', host => 'bj.gov.example' }, [@new], 403,
        'SCOPE_HOST'],
    ['takes a TLS profile', 'gd-ops', 'PUT', 'pools/x',
        { platform => 'gd', tls => 'bj' }, [@new], 403, 'SCOPE_TLS'],
    ['hashes what others sent', 'gd-ops', 'PUT', 'pools/x',
        { platform => 'gd', method => 'hash:$http_cookie' }, [@new], 403,
        'SCOPE_METHOD'],
    ['closes another platform', 'gd-ops', 'PUT', 'maintenance/x',
        { platform => 'bj', state => 'closed' }, [@new], 403,
        'SCOPE_PLATFORM'],
    ['downs a server of another', 'gd-ops', 'PUT', 'maintenance/x',
        { instance => 'bj1', state => 'down' }, [@new], 403,
        'SCOPE_PLATFORM'],
    ['beats for another', 'gd-ops', 'PUT', 'leases/bj1', undef, [], 404,
        'NOT_FOUND'],

    # scope: routes

    ['takes the path of another', 'gd-ops', 'PUT', 'routes/x',
        route({ paths => ['/11/'] }), [@new], 403, 'SCOPE_PATH'],
    ['takes a path that begins alike', 'gd-ops', 'PUT', 'routes/x',
        route({ paths => ['/441/'] }), [@new], 403, 'SCOPE_PATH'],
    ['takes the root', 'gd-ops', 'PUT', 'routes/x',
        route({ paths => ['/'] }), [@new], 403, 'SCOPE_PATH'],
    ['takes an exact path of another', 'gd-ops', 'PUT', 'routes/x',
        route({ paths => ['=/11'] }), [@new], 403, 'SCOPE_PATH'],
    ['hides one among its own', 'gd-ops', 'PUT', 'routes/x',
        route({ paths => ['/44/a/', '/11/'] }), [@new], 403, 'SCOPE_PATH'],
    ['takes everything', 'gd-ops', 'PUT', 'routes/x', route({}), [@new],
        403, 'SCOPE_CATCH_ALL'],
    ['takes everything with a header', 'gd-ops', 'PUT', 'routes/x',
        route({ headers => { 'x-channel' => ['app'] } }), [@new], 403,
        'SCOPE_CATCH_ALL'],
    ['takes a host', 'gd-ops', 'PUT', 'routes/x',
        route({ hosts => ['bj.example'] }), [@new], 403, 'SCOPE_HOST'],
    ['takes a host that ends alike', 'gd-ops', 'PUT', 'routes/x',
        route({ hosts => ['evilgd.example'] }), [@new], 403, 'SCOPE_HOST'],
    ['takes the host above its own', 'gd-ops', 'PUT', 'routes/x',
        route({ hosts => ['gd.example'] }), [@new], 403, 'SCOPE_HOST'],
    ['takes all hosts', 'gd-ops', 'PUT', 'routes/x',
        route({ hosts => ['*.example'] }), [@new], 403, 'SCOPE_HOST'],
    ['takes a region', 'gd-ops', 'PUT', 'routes/x',
        route({ regions => ['11****'] }), [@new], 403, 'SCOPE_REGION'],
    ['takes an item', 'gd-ops', 'PUT', 'routes/x',
        route({ items => ['111100000000000000'] }), [@new], 403,
        'SCOPE_ITEM'],
    ['gets before all others', 'gd-ops', 'PUT', 'routes/x',
        route({ paths => ['/44/x'] }, priority => 1), [@new], 403,
        'SCOPE_PRIORITY'],
    ['leads to a pool of another', 'gd-ops', 'PUT', 'routes/x',
        route({ paths => ['/44/x'] }, pool => 'bj-web'), [@new], 403,
        'SCOPE_PLATFORM'],
    ['routes for another', 'gd-ops', 'PUT', 'routes/x',
        route({ paths => ['/44/x'] }, platform => 'bj'), [@new], 403,
        'SCOPE_PLATFORM'],

    # addresses

    (map { my ($name, $address, $code) = @$_;
        [$name, 'gd-ops', 'PUT', 'instances/x', at($address), [@new],
            $code eq 'SCOPE_NETWORK' ? 403 : 422, $code] }
        ['loopback', '127.0.0.1', 'ADDRESS_DENIED'],
        ['all of loopback', '127.8.8.8', 'ADDRESS_DENIED'],
        ['IPv6 loopback', '::1', 'ADDRESS_DENIED'],
        ['unspecified', '0.0.0.0', 'ADDRESS_DENIED'],
        ['unspecified, IPv6', '::', 'ADDRESS_DENIED'],
        ['metadata', '169.254.169.254', 'ADDRESS_DENIED'],
        ['metadata of a cloud', '100.100.100.200', 'ADDRESS_DENIED'],
        ['metadata, IPv6', 'fd00:ec2::254', 'ADDRESS_DENIED'],
        ['link-local', 'fe80::1', 'ADDRESS_DENIED'],
        ['multicast', '224.0.0.1', 'ADDRESS_DENIED'],
        ['broadcast', '255.255.255.255', 'ADDRESS_DENIED'],
        ['mapped loopback', '::ffff:127.0.0.1', 'ADDRESS_DENIED'],
        ['NAT64 of loopback', '64:ff9b::7f00:1', 'ADDRESS_DENIED'],
        ['NAT64 of metadata', '64:ff9b::a9fe:a9fe', 'ADDRESS_DENIED'],
        ['6to4 of loopback', '2002:7f00:1::', 'ADDRESS_DENIED'],
        ['IPv4-compatible', '::127.0.0.1', 'ADDRESS_DENIED'],
        ['documentation', '192.0.2.1', 'ADDRESS_DENIED'],
        ['what the operator named', '10.44.250.7', 'ADDRESS_DENIED'],
        ['NAT64 of what he named', '64:ff9b::a2c:fa07', 'ADDRESS_DENIED'],
        ['another network', '10.11.0.1', 'SCOPE_NETWORK'],
        ['the internet', '8.8.8.8', 'SCOPE_NETWORK'],
        ['a name', 'redis.internal', 'BAD_ADDRESS'],
        ['octal', '0177.0.0.1', 'BAD_ADDRESS'],
        ['hexadecimal', '0x7f000001', 'BAD_ADDRESS'],
        ['one number', '2130706433', 'BAD_ADDRESS'],
        ['short', '127.1', 'BAD_ADDRESS'],
        ['a prefix', '10.44.0.0/16', 'BAD_ADDRESS'],
        ['a zone', 'fe80::1%eth0', 'BAD_ADDRESS'],
        ['brackets', '[::1]', 'BAD_ADDRESS'],
        ['a socket', 'unix:/run/redis.sock', 'BAD_ADDRESS'],
        ['a line break', "10.44.0.1\n", 'BAD_ADDRESS'],
        ['nothing', '', 'BAD_ADDRESS']),
    (map { my ($name, $address, $port) = @$_;
        [$name, 'gd-ops', 'PUT', 'instances/x',
            instance(address => $address, port => $port), [@new], 422,
            'ADDRESS_DENIED'] }
        ['where the gateway listens', '127.0.0.1', $own],
        ['where it listens on all', '127.0.0.1', $any],
        ['another address of them', '127.9.9.9', $any],
        ['an IPv6 one', '::1', $any],
        ['NAT64 of it', '64:ff9b::7f00:1', $own],
        (map { ["an address of the machine, $_", $_, $any] } @own),
        (map { ["another port of $_", $_, 8080] } @own),
        ['Redis', '10.44.60.1', 6379],
        ['another port of its address', '10.44.60.1', 8080],
        ['NAT64 of Redis', '64:ff9b::a2c:3c01', 6379]),
    (map { ["names as its server $_->[0]", 'gd-ops', 'PUT', 'instances/x',
            at($_->[1]), [@new], $_->[3] // 422, $_->[2] // 'BAD_ADDRESS'] }
        ['the machine itself', 'localhost'],
        ['the machine, in other letters', 'LocalHost'],
        ['a name of the machine', 'a.localhost'],
        ['a neighbour', 'printer.local'],
        ['the metadata of a cloud', 'metadata.google.internal'],
        ['one label', 'redis'],
        ['a final dot', 'web.gd.gov.example.'],
        ['upper case', 'web.GD.gov.example'],
        ['another script', "\x{433}\x{434}.gd.gov.example"],
        ['a broken A-label', 'xn--.gd.gov.example'],
        ['a reserved label', 'ab--c.gd.gov.example'],
        ['an empty label', 'web..gd.gov.example'],
        ['an underscore', 'a_b.gd.gov.example'],
        ['a wildcard', '*.gd.gov.example'],
        ['a user', 'x@web.gd.gov.example'],
        ['a path', 'web.gd.gov.example/x'],
        ['a URL', 'http://web.gd.gov.example'],
        ['a NUL', "web.gd.gov.example\0.x.example", 'BAD_JSON', 400],
        ['a line', "web.gd.gov.example\n"],
        ['a label too long', 'a' x 64 . '.gd.gov.example'],
        ['a name too long', join('.', ('a' x 60) x 4) . '.gd.gov.example'],
        ['an address in the name', '127.0.0.1.gd.gov.example'],
        ['an address with dashes', '127-0-0-1.gd.gov.example'],
        ['an address at the end', 'gd.gov.example.127.1'],
        ['a hexadecimal end', 'gd.gov.example.0x7f'],
        ['a port that is none', 'web.gd.gov.example:0'],
        ['a port too large', 'web.gd.gov.example:99999'],
        ['two ports', 'web.gd.gov.example:8080:1'],
        ['another port than the port', 'web.gd.gov.example:8081', 'INVALID'],
        ['a name of another', 'web.bj.gov.example', 'SCOPE_SUFFIX', 403],
        ['one that ends alike', 'evilgd.gov.example', 'SCOPE_SUFFIX', 403],
        ['the suffix above', 'gov.example', 'SCOPE_SUFFIX', 403],
        ['a name of the internet', 'example.org', 'HOST_DENIED'],
        ['its suffix in the middle', 'gd.gov.example.evil.org',
            'HOST_DENIED']),
    ['a name without a suffix of its own', 'bj-ops', 'PUT', 'instances/x',
        { id => 'x', pool => 'bj-web', address => 'web.gd.gov.example',
            port => 8080 }, [@new], 403, 'SCOPE_SUFFIX'],
    ['a low port behind a name', 'gd-ops', 'PUT', 'instances/x',
        { id => 'x', pool => 'gd-web', address => 'web.gd.gov.example:22' },
        [@new], 403, 'SCOPE_PORT'],
    ['what a name was found to be', 'gd-ops', 'PUT', 'snapshot',
        { resolved => {} }, ['If-Match' => '"snapshot.1"'], 403,
        'FORBIDDEN_ROLE'],
    ['an owner of its own choice', 'gd-ops', 'PUT', 'instances/x',
        instance(owner => 'bj-ops'), [@new], 422, 'INVALID'],
    ['an address that is a number', 'gd-ops', 'PUT', 'instances/x',
        at(1), [@new], 422, 'BAD_ADDRESS'],
    ['moves a server to loopback', 'gd-ops', 'PATCH', 'instances/gd1',
        { address => '127.0.0.1' }, ['If-Match' => $mine], 422,
        'ADDRESS_DENIED'],
    ['a low port', 'gd-ops', 'PUT', 'instances/x', instance(port => 22),
        [@new], 403, 'SCOPE_PORT'],
    ['port 0', 'gd-ops', 'PUT', 'instances/x', instance(port => 0), [@new],
        422, 'INVALID'],
    ['a port too many', 'gd-ops', 'PUT', 'instances/x',
        instance(port => 65536 + 8080), [@new], 422, 'INVALID'],
    ['a port that is text', 'gd-ops', 'PUT', 'instances/x',
        instance(port => '8080x'), [@new], 422, 'INVALID'],

    # roles

    ['a province makes a platform', 'gd-ops', 'PUT', 'platforms/x', {},
        [@new], 403, 'FORBIDDEN_ROLE'],
    ['reads credentials', 'gd-ops', 'GET', 'credentials', undef, [], 403,
        'FORBIDDEN_ROLE'],
    ['makes a credential', 'gd-ops', 'PUT', 'credentials/x',
        { role => 'system' }, [@new], 403, 'FORBIDDEN_ROLE'],
    ['imports a snapshot', 'gd-ops', 'PUT', 'snapshot', {},
        ['If-Match' => '*'], 403, 'FORBIDDEN_ROLE'],
    ['reads the whole snapshot', 'gd-ops', 'GET', 'snapshot', undef, [],
        403, 'FORBIDDEN_ROLE'],
    ['reads the nodes', 'gd-ops', 'GET', 'nodes', undef, [], 403,
        'FORBIDDEN_ROLE'],
    ['operations make a credential', 'system', 'PUT', 'credentials/x',
        { role => 'system', apps => ['x'] }, [@new], 403, 'FORBIDDEN_ROLE'],
    ['operations read the changes', 'system', 'GET', 'changes', undef, [],
        403, 'FORBIDDEN_ROLE'],
    ['security makes a route', 'security', 'PUT', 'routes/x',
        route({ paths => ['/44/x'] }), [@new], 403, 'FORBIDDEN_ROLE'],
    ['auditors drain', 'audit', 'PATCH', 'instances/gd1',
        { state => 'drain' }, ['If-Match' => $mine], 403, 'FORBIDDEN_ROLE'],
    ['security lifts itself', 'security', 'PATCH', 'credentials/security',
        { role => 'system' }, ['If-Match' => '"x"'], 412,
        'PRECONDITION_FAILED'],
    ['who only reads writes', 'gd-read', 'PATCH', 'instances/gd1',
        { weight => 2 }, ['If-Match' => $mine], 403, 'SCOPE_VERB'],

    # identity

    ['nobody', undef, 'GET', 'pools', undef, [], 401, 'AUTH_REQUIRED'],
    ['nobody writes', undef, 'PUT', 'instances/x', instance(), [@new], 401,
        'AUTH_REQUIRED'],
    ['one that is not known', 'mallory', 'GET', 'pools', undef, [], 401,
        'CREDENTIAL_UNKNOWN'],
    ['one that expired', 'gd-old', 'GET', 'pools', undef, [], 401,
        'CREDENTIAL_EXPIRED'],
    ['one that was disabled', 'gd-off', 'GET', 'pools', undef, [], 401,
        'CREDENTIAL_DISABLED'],
    ['a token that expired', undef, 'GET', 'pools', undef,
        [Authorization => $t->bearer('system', exp => time - 600,
            iat => time - 700)], 401, 'TOKEN_EXPIRED'],
    ['a token for another service', undef, 'GET', 'pools', undef,
        [Authorization => $t->bearer('system', aud => 'portal')], 401,
        'TOKEN_INVALID'],
    ['a token that lives too long', undef, 'GET', 'pools', undef,
        [Authorization => $t->bearer('system', exp => time + 7200)], 401,
        'TOKEN_INVALID'],
    ['a subject in other case', 'System', 'GET', 'pools', undef, [], 401,
        'CREDENTIAL_UNKNOWN'],
    ['a header of our own making', undef, 'GET', 'pools', undef,
        ['X-Govsvc-Subject' => 'system', 'X-SSL-Client-SPKI' => 'a' x 64],
        401, 'AUTH_REQUIRED'],

    # preconditions

    ['no precondition', 'gd-ops', 'PATCH', 'instances/gd1',
        { weight => 2 }, [], 428, 'PRECONDITION_REQUIRED'],
    ['removes without one', 'gd-ops', 'DELETE', 'instances/gd1', undef, [],
        428, 'PRECONDITION_REQUIRED'],
    ['a wrong ETag', 'gd-ops', 'PATCH', 'instances/gd1', { weight => 2 },
        ['If-Match' => '"1.1"'], 412, 'PRECONDITION_FAILED'],
    ['the ETag of another', 'gd-ops', 'PATCH', 'instances/gd1',
        { weight => 2 }, ['If-Match' => $foreign], 412,
        'PRECONDITION_FAILED'],
    ['a weak ETag', 'gd-ops', 'PATCH', 'instances/gd1', { weight => 2 },
        ['If-Match' => "W/$mine"], 412, 'PRECONDITION_FAILED'],
    ['any ETag', 'gd-ops', 'PATCH', 'instances/gd1', { weight => 2 },
        ['If-Match' => '*'], 412, 'PRECONDITION_FAILED'],
    ['a list of ETags', 'gd-ops', 'PATCH', 'instances/gd1',
        { weight => 2 }, ['If-Match' => "$mine, $foreign"], 412,
        'PRECONDITION_FAILED'],
    ['creates what is there', 'gd-ops', 'PUT', 'instances/gd1',
        instance(id => 'gd1'), [@new], 412, 'EXISTS'],
    ['both preconditions', 'gd-ops', 'PUT', 'instances/gd1',
        instance(id => 'gd1'), [@new, 'If-Match' => $mine], 400,
        'BAD_PRECONDITION'],
    ['changes what is not there', 'gd-ops', 'PUT', 'instances/x',
        instance(), ['If-Match' => $mine], 412, 'PRECONDITION_FAILED'],

    # bodies

    ['too much', 'gd-ops', 'PUT', 'instances/x', 'x' x 9000, [@new], 413,
        'TOO_LARGE'],
    ['no JSON', 'gd-ops', 'PUT', 'instances/x', '{"id": ', [@new], 400,
        'BAD_JSON'],
    ['a member twice', 'gd-ops', 'PUT', 'instances/x',
        '{"address": "10.44.0.1", "address": "127.0.0.1"}', [@new], 400,
        'BAD_JSON'],
    ['an array', 'gd-ops', 'PUT', 'instances/x', '[]', [@new], 400,
        'BAD_JSON'],
    ['NUL in a text', 'gd-ops', 'PUT', 'instances/x',
        '{"address": "10.44.0.1\u0000", "pool": "gd-web"}', [@new], 400,
        'BAD_JSON'],
    ['bad UTF-8', 'gd-ops', 'PUT', 'instances/x',
        qq({"zone": "\xff\xfe", "pool": "gd-web"}), [@new], 400,
        'BAD_JSON'],
    ['deep', 'gd-ops', 'PATCH', 'instances/gd1', $deep,
        ['If-Match' => $mine], 503, 'NO_MEMORY'],
    ['nothing', 'gd-ops', 'PUT', 'instances/x', undef, [@new], 400,
        'BAD_JSON'],
    ['a form', 'gd-ops', 'PUT', 'instances/x', 'id=x',
        [@new, 'Content-Type' => 'application/x-www-form-urlencoded'], 415,
        'UNSUPPORTED_MEDIA_TYPE'],
    ['another id inside', 'gd-ops', 'PUT', 'instances/x',
        instance(id => 'gd1'), [@new], 422, 'INVALID'],
    ['a member that is not', 'gd-ops', 'PUT', 'instances/x',
        instance(admin => 1), [@new], 422, 'INVALID'],
    ['a state of its own', 'gd-ops', 'PUT', 'instances/x',
        instance(status => 'active'), [@new], 422, 'INVALID'],

    # paths

    ['an encoded slash', 'gd-ops', 'GET', 'instances%2fbj1', undef, [], 400,
        'URI_UNSAFE'],
    ['a dot segment', 'gd-ops', 'GET', 'instances/../credentials', undef,
        [], 400, 'URI_UNSAFE'],
    ['an encoded one', 'gd-ops', 'GET', 'instances/%2e%2e/credentials',
        undef, [], 400, 'URI_UNSAFE'],
    ['an encoded letter', 'gd-ops', 'GET', '%69nstances/gd1', undef, [],
        404, 'BAD_PATH'],
    ['two slashes', 'gd-ops', 'GET', 'instances//gd1', undef, [], 404,
        'BAD_PATH'],
    ['a slash behind', 'gd-ops', 'GET', 'instances/', undef, [], 404,
        'BAD_PATH'],
    ['too long', 'gd-ops', 'GET', 'instances/' . 'a' x 65, undef, [], 404,
        'BAD_PATH'],
    ['too deep', 'gd-ops', 'GET', 'instances/a/b/c', undef, [], 404,
        'BAD_PATH'],
    ['a parameter of a path', 'gd-ops', 'GET', 'instances;x=1/gd1', undef,
        [], 404, 'BAD_PATH'],
    ['no such resource', 'gd-ops', 'GET', 'secrets', undef, [], 404,
        'NOT_FOUND'],
    ['an argument that is not', 'gd-ops', 'GET', 'instances?admin=1', undef,
        [], 400, 'UNKNOWN_PARAMETER'],
    ['an argument twice', 'gd-ops', 'GET', 'instances?limit=1&limit=2',
        undef, [], 400, 'BAD_PARAMETER'],
    ['a huge page', 'gd-ops', 'GET', 'instances?limit=4294967297', undef,
        [], 400, 'BAD_PARAMETER'],
    ['a cursor of another', 'gd-ops', 'GET', 'instances?cursor=bj1', undef,
        [], 410, 'CURSOR_GONE'],
    ['another method', 'gd-ops', 'MKCOL', 'instances/gd1', undef,
        ['If-Match' => $mine], 405, 'METHOD_NOT_ALLOWED'],
    ['writes all at once', 'gd-ops', 'DELETE', 'instances', undef,
        ['If-Match' => '*'], 405, 'METHOD_NOT_ALLOWED'],
    ['confirms itself', 'gd-ops', 'POST', 'instances/gd1/confirm', undef,
        ['If-Match' => $mine], 403, 'FORBIDDEN_ROLE'],

    # explain is no way to look around

    ['explains an odd address', 'gd-ops', 'GET',
        'explain?url=https://x/44/%252e%252e/11/', undef, [], 400,
        'BAD_PARAMETER'],
);

cmp_ok(scalar @attempts, '>=', 60, scalar(@attempts) . ' attempts');

for my $attempt (@attempts) {
    my ($name, $who, $method, $path, $body, $headers, $status, $code) =
        @$attempt;

    my $r = $t->api($who, $method => $path, $body, @$headers);

    is($r->status . ' ' . ($r->json && $r->json->{code} // '-'),
        "$status $code", $name) or diag($r->raw);
}

is($t->api('system', GET => 'snapshot?origin=all')->body, $snapshot,
    'nothing of all that has left a trace');

# a replayed write finds the object changed

my @once = ('gd-ops', PATCH => 'instances/gd1', { weight => 4 },
    'If-Match' => $mine);
is($t->api(@once)->status, 200, 'once');
is($t->api(@once)->status, 412, 'not twice');

my @create = ('gd-ops', PUT => 'instances/gd2', instance(id => 'gd2',
    address => '10.44.0.2'), @new);
is($t->api(@create)->status, 201, 'created');
is($t->change('gd-ops', DELETE => 'instances/gd2')->status, 204, 'removed');
my $old = $t->api(@create)->header('ETag');
$t->change('gd-ops', DELETE => 'instances/gd2');
is($t->api(@create)->status, 201, 'made again');
is($t->api('gd-ops', DELETE => 'instances/gd2', undef,
    'If-Match' => $old)->status, 412, 'is another than it was');

# quotas

my $last;

for my $n (1 .. 60) {
    $last = $t->create('gd-ops', "instances/q$n", { pool => 'gd-web',
        address => "10.44.1.$n", port => 8080 });
    last if $last->status != 201;
}

is($last->json->{code}, 'QUOTA_EXCEEDED', 'no more than it may have');
is(scalar @{$t->api('gd-ops', GET => 'instances?limit=1000')->json->{items}},
    50, 'as many as that');

my @status = map { $t->api('gd-slow', GET => 'pools')->status } 1 .. 4;
is_deeply(\@status, [200, 200, 429, 429], 'nor more often');
cmp_ok($t->api('gd-slow', GET => 'pools')->header('Retry-After'), '>', 0,
    'and is told when');

# the operator's own four eyes

$t->create('system', 'routes/own', route({ paths => ['/44/own'] },
    id => 'own'));
is($t->api('system', GET => 'routes/own')->json->{meta}{status}, 'active',
    'an operator needs no approval');

$t->create('gd-ops', 'routes/asked', route({ paths => ['/44/asked'] },
    id => 'asked'));
is($t->api('system-2', POST => 'routes/asked/reject', undef,
    'If-Match' => $t->etag('routes/asked'))->json->{meta}{status},
    'rejected', 'refused is refused');

# who was let in by security may be put out by it, at once

my $pass = { role => 'tenant', platform => 'gd', scope => {},
    tokens => [{ issuer => 'national', subject => 'new' }] };
my $r = $t->create('security', 'credentials/new', $pass);
is($r->status, 201, 'a credential') or diag($r->raw);
is($t->api('new', GET => 'pools')->status, 200, 'lets in');
is($t->api('security', PATCH => 'credentials/new', { state => 'disabled' },
    'If-Match' => $r->header('ETag'))->status, 200, 'disabled');
is($t->api('new', GET => 'pools')->json->{code}, 'CREDENTIAL_DISABLED',
    'puts out');

# every attempt is in the record, with its code

$t->stop();

my %codes;

for my $line ($t->audit_lines($t->dir() . '/audit')) {
    $codes{$line->{dec}{code}}++ if $line->{dec} && $line->{dec}{code};
}

my %expected = map { $_->[7] => 1 } @attempts;
my @missing = grep { !$codes{$_} } sort keys %expected;
is_deeply(\@missing, [], 'each refusal is in the record');

$t->done();
