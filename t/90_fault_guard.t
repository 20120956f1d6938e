#!/usr/bin/perl
#
# Copyright (C) govsvc authors
#
# Rules over reloads: broken ones are refused and the old ones stay, new ones
# take effect, nothing is kept of those before.

use strict;
use warnings;

use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;

my $t = Test::GovSvc->new();

# the shipped rules, and many more, so that what leaks is seen

$t->write_file('many.rules', join '', map {
    "rule @{[100000 + $_]} r$_ { match args lit word$_; "
    . "match same pcre \"(?i)word$_\\s+[a-z]{2,8}(?:x|y)+\"; log; }\n"
} 1 .. 300);

$t->write_file('a.rules', "rule 1000 a { match path lit /old/; block; }\n");

$t->expect_log(qr/unknown word "rul"/);

$t->http_conf(<<'EOF')->run();
    govsvc_rules  a.rules many.rules %%TOP%%/lua-free-rules/11*.rules;

    server {
        listen        127.0.0.1:%%PORT_0%%;
        govsvc_guard  on;

        location / {
            return  204;
        }

        # "return" answers before the rules are asked

        location /check/ {
            try_files  /none =204;
        }
    }
EOF


sub status {
    my ($uri) = @_;

    return $t->http_get($uri)->status;
}


is(status('/check/old/'), 403, 'the rule');
is(status('/check/new/'), 204, 'no rule yet');

$t->write_file('a.rules', "rul 1000 a { match path lit /new/; block; }\n");
ok(!$t->reload(), 'a broken rule file is refused');
is(status('/check/old/'), 403, 'the old rules stay');

$t->write_file('a.rules', "rule 1000 a { match path lit /new/; block; }\n");
ok($t->reload(), 'a new rule file');
is(status('/check/old/'), 204, 'the old rule is gone');
is(status('/check/new/'), 403, 'the new rule');

# The first reloads settle what the allocator keeps.

$t->reload() for 1 .. 25;
my $before = $t->memory();

my $reloaded = 0;
$reloaded += $t->reload() ? 1 : 0 for 1 .. 40;
my $after = $t->memory();

is($reloaded, 40, 'forty reloads');

# A sanitizer keeps freed memory aside, and finds leaks by itself.

my $room = $ENV{GOVSVC_ASAN} || $ENV{GOVSVC_VALGRIND} ? 512 * 1024 : 1024;

cmp_ok($after, '<', $before + $room, "memory is flat: $before, $after kB");
is(status('/check/new/'), 403, 'the rule still');

$t->done();
