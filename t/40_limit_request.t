#!/usr/bin/perl

# Copyright (C) govsvc authors

# Limits of a request: refusal, fields, several limits, dry run, redirects.
# Rates are so low that no time that a test takes can matter.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;


my $t = Test::GovSvc->new()->plan(62);

$t->write_file('index.html', 'home');

$t->http_conf(<<'EOF')->run();
    govsvc_limit_zone  $arg_k zone=three:1m rate=3r/d burst=3;
    govsvc_limit_zone  $arg_k zone=one:1m rate=1r/h;
    govsvc_limit_zone  $arg_k zone=second:1m rate=2r/d burst=2;
    govsvc_limit_zone  "$arg_k:$arg_m" zone=pair:1m rate=1r/d;

    root               %%DIR%%;
    add_header         X-Limit $govsvc_limit_status always;

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_limit  zone=three;

        location = /index.html {
        }

        location = /costly {
            alias         %%DIR%%/index.html;
            govsvc_limit  zone=three cost=2;
        }

        location = /off {
            alias         %%DIR%%/index.html;
            govsvc_limit  off;
        }

        location = /both {
            alias         %%DIR%%/index.html;
            govsvc_limit  zone=three zone=one;
        }

        location = /lines {
            alias         %%DIR%%/index.html;
            govsvc_limit  zone=second;
            govsvc_limit  zone=pair;
        }

        location = /dry {
            alias         %%DIR%%/index.html;
            govsvc_limit  zone=one dry_run;
        }

        location = /mixed {
            alias         %%DIR%%/index.html;
            govsvc_limit  zone=one dry_run;
            govsvc_limit  zone=second;
        }

        location = /redirect {
            try_files     /nothing /index.html;
        }

        location = /custom {
            alias         %%DIR%%/index.html;
            govsvc_limit  zone=one;
            error_page    429 /sorry.html;
        }

        location = /sorry.html {
            internal;
        }
    }
EOF

$t->write_file('sorry.html', 'sorry');

my ($r, @r);

# three pass, the fourth is refused

@r = map { $t->http_get('/index.html?k=a') } 1 .. 4;

is($r[0]->status, 200, 'first');
is($r[0]->header('RateLimit-Policy'), '"three";q=3;w=86400', 'policy');
is($r[0]->header('RateLimit'), '"three";r=2;t=28800', 'two left');
is($r[0]->header('X-Limit'), 'PASSED', 'variable');
is($r[0]->header('Retry-After'), undef, 'nothing to wait for');
like($r[1]->header('RateLimit'), qr/^"three";r=1;t=57[56]\d\d$/, 'one left');
like($r[2]->header('RateLimit'), qr/^"three";r=0;t=86[34]\d\d$/, 'none left');
is($r[3]->status, 429, 'fourth');
is($r[3]->header('X-Limit'), 'REJECTED', 'its variable');
is($r[3]->header('RateLimit-Policy'), '"three";q=3;w=86400', 'its policy');
like($r[3]->header('Retry-After'), qr/^28[78]\d\d$/, 'when to come back');
is($r[3]->header('RateLimit'),
   '"three";r=0;t=' . $r[3]->header('Retry-After'), 'the same in RateLimit');
like($r[3]->body, qr/RATE_LIMITED/, 'a page with the reason');
is($r[3]->header('Cache-Control'), 'no-store', 'which is not stored');

$r = $t->http_get('/index.html?k=a',
                  headers => [ Accept => 'application/json' ]);
is($r->json->{code}, 'RATE_LIMITED', 'a problem document');
is($r->json->{status}, 429, 'with its status');

like($t->error_log,
     qr/\[warn\].*govsvc limit: refused for \d+ s, zone: "three"/, 'logged');

# another key, no key, off

is($t->http_get('/index.html?k=b')->status, 200, 'another key');
$r = $t->http_get('/index.html');
is($r->status, 200, 'no key');
is($r->header('RateLimit'), undef, 'no limit, no field');
is($r->header('X-Limit'), undef, 'no status');
is($t->http_get('/off?k=a')->status, 200, 'off');

# long keys

my $long = 'x' x 300;
is($t->http_get("/lines?k=$long&m=1")->status, 200, 'long key');
is($t->http_get("/lines?k=$long&m=1")->status, 429, 'limited all the same');
is($t->http_get("/lines?k=${long}y&m=1")->status, 200, 'to its end');

# cost

is($t->http_get('/costly?k=c')->status, 200, 'cost 2 of 3');
is($t->http_get('/costly?k=c')->status, 429, 'cost 2 of 1');
is($t->http_get('/index.html?k=c')->status, 200, 'cost 1 of 1');
is($t->http_get('/index.html?k=c')->status, 429, 'cost 1 of 0');

# together: a request that one refuses is free for the other

$r = $t->http_get('/both?k=d');
is($r->status, 200, 'both pass');
is($r->header('RateLimit-Policy'), '"one";q=1;w=3600', 'the tighter is told');
is($r->header('RateLimit'), '"one";r=0;t=3600', 'and its state');

$r = $t->http_get('/both?k=d') for 1 .. 5;
$r = $t->http_get('/both?k=d');
is($r->status, 429, 'one refuses');
is($r->header('RateLimit-Policy'), '"one";q=1;w=3600', 'that one is told');
is($t->http_get('/index.html?k=d')->status, 200, 'second of three');
is($t->http_get('/index.html?k=d')->status, 200, 'third of three');
is($t->http_get('/index.html?k=d')->status, 429, 'no more');

# two directives add up

is($t->http_get('/lines?k=e&m=1')->status, 200, 'pair 1');
is($t->http_get('/lines?k=e&m=1')->status, 429, 'pair 1 again');
is($t->http_get('/lines?k=e&m=2')->status, 200, 'pair 2');
is($t->http_get('/lines?k=e&m=3')->status, 429, 'pair 3, the other is over');

# dry run

$r = $t->http_get('/dry?k=f');
is($r->header('X-Limit'), 'PASSED', 'dry run, first');
is($r->header('RateLimit'), undef, 'clients are not told');
$r = $t->http_get('/dry?k=f');
is($r->status, 200, 'dry run lets pass');
is($r->header('X-Limit'), 'REJECTED_DRY_RUN', 'and marks');
is($r->header('RateLimit'), undef, 'still not told');
like($t->error_log, qr/would be refused, dry run, zone: "one"/, 'and logs');

$r = $t->http_get('/mixed?k=g');
is($r->header('RateLimit'), '"second";r=1;t=43200', 'mixed, first');
$r = $t->http_get('/mixed?k=g');
is($r->status, 200, 'mixed, second');
is($r->header('X-Limit'), 'REJECTED_DRY_RUN', 'the dry run is over');
$r = $t->http_get('/mixed?k=g');
is($r->status, 429, 'mixed, third');
is($r->header('X-Limit'), 'REJECTED', 'the other is over');

# an internal redirect does not charge again

@r = map { $t->http_get('/redirect?k=h') } 1 .. 3;
is($r[2]->status, 200, 'three redirects pass');
like($r[2]->header('RateLimit'), qr/^"three";r=0/, 'each counted once');
is($t->http_get('/redirect?k=h')->status, 429, 'the fourth does not');

# error_page

is($t->http_get('/custom?k=i')->status, 200, 'error_page, passes');
$r = $t->http_get('/custom?k=i');
is($r->status, 429, 'error_page, refused');
is($r->body, 'sorry', 'own words');
is($r->header('RateLimit-Policy'), '"one";q=1;w=3600', 'with fields');
like($r->header('Retry-After'), qr/^3[56]\d\d$/, 'and Retry-After');

# HEAD counts too

is($t->http_request('HEAD', '/both?k=j')->status, 200, 'HEAD');
is($t->http_request('HEAD', '/both?k=j')->status, 429, 'HEAD, over');
