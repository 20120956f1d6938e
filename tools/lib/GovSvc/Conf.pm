package GovSvc::Conf;

# Copyright (C) govsvc authors
#
# nginx -t on texts and files, in a throw-away copy of conf/.

use strict;
use warnings;

use Cwd qw/getcwd/;
use Exporter qw/import/;
use File::Temp qw/tempdir/;

our @EXPORT_OK = qw/sandbox nginx_t/;


# conf/ with what it names beside it: the rules, the module, keys that an
# installation has and a repository has not.

sub sandbox {
    my $top = getcwd();
    my $dir = tempdir('govsvc-conf-XXXXXXXX', TMPDIR => 1, CLEANUP => 1);

    # Workers of another user look into it.

    chmod 0755, $dir;

    system("cp -rL conf/. $dir/ 2>/dev/null");
    system("cp -rL lua-free-rules $dir/ 2>/dev/null")
        unless -d "$dir/lua-free-rules";
    open my $key, '>', "$dir/pseudonym.key" or die "$dir/pseudonym.key: $!";
    chmod 0600, "$dir/pseudonym.key";
    print $key '0123456789abcdef' x 2, "\n";
    close $key;

    mkdir "$dir/modules";
    mkdir "$dir/logs";
    symlink "$top/build/ngx_govsvc_module.so",
        "$dir/modules/ngx_govsvc_module.so";

    return $dir;
}


# undef, or what nginx -t says.  Text without load_module gets it.

sub nginx_t {
    my ($dir, $text) = @_;

    my $globals = $text =~ /^\s*load_module\s/m ? ''
        : "load_module modules/ngx_govsvc_module.so;\n";

    $text =~ s{/var/log/nginx/}{$dir/logs/}g;

    open my $fh, '>', "$dir/lint.conf" or die "$dir/lint.conf: $!";
    print $fh $globals, $text;
    close $fh;

    my $pid = $text =~ /^\s*pid\s/m ? '' : "-g 'pid $dir/nginx.pid;'";
    my $out = `nginx -t -p $dir/ -e $dir/lint.log -c $dir/lint.conf $pid 2>&1`;

    return undef if $? == 0;

    my ($line) = $out =~ /\[emerg\]\s*(?:\d+#\d+:\s*)?(.*)/;
    $line //= $out;
    $line =~ s{\Q$dir\E/}{}g;

    return $line;
}


1;
