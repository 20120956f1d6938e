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

    for my $name ('pseudonym.key', map { "two-nodes/$_" } 'shared.key',
        'gw.pw', 'nonces.pw', 'registry.pw')
    {
        open my $key, '>', "$dir/$name" or die "$dir/$name: $!";
        chmod 0600, "$dir/$name";
        print $key '0123456789abcdef' x 2, "\n";
        close $key;
    }

    system("build/govsvc audit keygen --name gov.example/lint --out $dir"
        . ' > /dev/null');

    mkdir "$dir/modules";
    mkdir "$dir/logs";
    symlink "$top/build/ngx_govsvc_module.so",
        "$dir/modules/ngx_govsvc_module.so";

    return $dir;
}


# undef, or what nginx -t says of a text that stands in that folder.  Text
# without load_module gets it.

sub nginx_t {
    my ($dir, $text, $folder) = @_;

    my $file = "$dir/" . (defined $folder ? "$folder/" : '') . 'lint.conf';
    my $globals = $text =~ /^\s*load_module\s/m ? ''
        : "load_module modules/ngx_govsvc_module.so;\n";

    $text =~ s{/var/log/nginx/}{$dir/logs/}g;

    open my $fh, '>', $file or die "$file: $!";
    print $fh $globals, $text;
    close $fh;

    my $pid = $text =~ /^\s*pid\s/m ? '' : "-g 'pid $dir/nginx.pid;'";
    my $out = `nginx -t -p $dir/ -e $dir/lint.log -c $file $pid 2>&1`;

    return undef if $? == 0;

    my ($line) = $out =~ /\[emerg\]\s*(?:\d+#\d+:\s*)?(.*)/;
    $line //= $out;
    $line =~ s{\Q$dir\E/}{}g;

    return $line;
}


1;
