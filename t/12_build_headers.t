#!/usr/bin/perl

# Copyright (C) govsvc authors

# Nginx 1.23 turned arrays of header lines into lists.  The headers of the
# version here are changed to say the same, and every file that sees them has
# to compile against both.

use strict;
use warnings;

use Test::More tests => 5;
use File::Temp qw/tempdir/;
use FindBin;


my $top = "$FindBin::Bin/..";
my $src = ($ENV{NGX_SRC} || '/usr/share/nginx/src') . '/src';
my $dir = tempdir('govsvc-headers-XXXXXXXX', TMPDIR => 1, CLEANUP => 1);

system("cp -r $src $dir/src") == 0 or BAIL_OUT("$src cannot be copied");

sub change {
    my ($file, @pairs) = @_;

    open my $in, '<', "$dir/src/$file" or die "$file: $!";
    my $text = do { local $/; <$in> };
    my $done = 1;

    while (my ($from, $to) = splice @pairs, 0, 2) {
        $done &&= $text =~ s/$from/$to/;
    }

    open my $out, '>', "$dir/src/$file" or die "$file: $!";
    print $out $text;
    close $out or die "$file: $!";

    return $done;
}

# The compiler says which files it cannot read.

sub compiles {
    my @files = @_;

    my $flags = join ' ', map("-I$dir/src/$_", qw{core event event/modules
        os/unix http http/modules http/v2}), "-I$top/build/nginx/objs",
        "-I$top/ngx_govsvc_module";

    return `printf '%s\\n' @files | xargs -P 2 -n 8 gcc -fsyntax-only \\
        -D_GNU_SOURCE -Wall -Werror $flags 2>&1`;
}

open my $fh, '>', "$dir/old.c" or die $!;
print $fh <<'EOF2';
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
ngx_uint_t n(ngx_http_request_t *r);
ngx_uint_t n(ngx_http_request_t *r) { return r->headers_in.cookies.nelts; }
EOF2
close $fh;

SKIP: {
    open my $in, '<', "$dir/src/core/nginx.h" or die $!;
    my ($version) = join('', <$in>) =~ /define nginx_version\s+(\d+)/;

    skip 'the headers are of 1.23 or newer', 5 if $version >= 1023000;

    is(compiles("$dir/old.c"), '', 'an array of cookies, before 1.23');

    ok(change('core/nginx.h',
        qr/define nginx_version\s+\d+/ => 'define nginx_version 1023000'),
        'the version');
    ok(change('core/ngx_hash.h',
        qr/typedef struct \{(?=[^}]*\} ngx_table_elt_t;)/
            => 'typedef struct ngx_table_elt_s {',
        qr/(?=\} ngx_table_elt_t;)/ => "struct ngx_table_elt_s *next;\n")
        && change('http/ngx_http_request.h', map { qr/ngx_array_t\s+$_->[0];/
            => "ngx_table_elt_t *$_->[1];" } [ 'cookies', 'cookie' ],
            [ ('x_forwarded_for') x 2 ], [ ('cache_control') x 2 ],
            [ ('link') x 2 ]), 'lists of lines');

    like(compiles("$dir/old.c"), qr/no member named .{0,3}cookies/,
        'no array since');
    is(compiles(map { glob "$top/ngx_govsvc_module/$_/*.c" } qw/ngx http admin/),
        '', 'all files, against lists');
}
