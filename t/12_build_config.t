#!/usr/bin/perl

# Copyright (C) govsvc authors

# A library that is missing is named with its Debian package, and configure
# stops; none of the features is silently left out.

use strict;
use warnings;

use Test::More;
use File::Temp qw/tempdir/;
use FindBin;


my $top = "$FindBin::Bin/..";
my $src = $ENV{NGX_SRC} || '/usr/share/nginx/src';
my $dir = tempdir('govsvc-config-XXXXXXXX', TMPDIR => 1, CLEANUP => 1);

my @libraries = (
    ['-ljansson', 'libjansson-dev'],
    ['-lmaxminddb', 'libmaxminddb-dev'],
    ['-lpcre2-8', 'libpcre2-dev'],
    ['-lcrypto', 'libssl-dev'],
);

plan tests => 3 * @libraries + 2;

system("cp -r $src/. $dir/") == 0 or BAIL_OUT("$src cannot be copied");

# A compiler that does not find one library.

open my $fh, '>', "$dir/cc" or die "$dir/cc: $!";
print $fh <<'EOF2';
#!/bin/sh
for word in "$@"; do
    if [ "$word" = "$MISSING" ]; then
        echo "ld: cannot find $word" >&2
        exit 1
    fi
done
exec gcc "$@"
EOF2
close $fh;
chmod 0755, "$dir/cc";

for my $case (@libraries) {
    my ($library, $package) = @$case;
    my ($code, $out) = configure($library);

    isnt($code, 0, "without $library configure fails");
    like($out, qr/ngx_govsvc_module needs .*librar|ngx_govsvc_module needs lib/,
        "$library: says who needs it");
    like($out, qr/^on Debian install it with: apt-get install $package$/m,
        "$library: names the package");
}

my ($code, $out) = configure('-lnothing');

is($code, 0, 'with all of them it goes on') or diag($out);
like($out, qr/configuring additional dynamic modules.*was configured/s,
    'the module is configured');


sub configure {
    my ($missing) = @_;

    local $ENV{MISSING} = $missing;

    my $output = `cd $dir && ./configure --with-cc=$dir/cc --with-compat \\
        --without-http_rewrite_module --without-http_gzip_module \\
        --without-pcre --add-dynamic-module=$top 2>&1`;

    return ($?, $output);
}
