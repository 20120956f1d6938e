#!/usr/bin/perl
#
# Copyright (C) govsvc authors
#
# Sends corpora of t/rules/ over HTTP to two gateways, ours with all rules and
# ModSecurity with the Core Rule Set where Debian's packages are installed,
# and tells what each refused, by class, as a table of Markdown.  A refusal is
# an answer of 4xx or 5xx but 408: what Nginx refuses by itself is one of both.
#
#   bench/rules.pl attack|benign FILE...

use strict;
use warnings;

use Cwd qw/getcwd/;
use File::Temp qw/tempdir/;
use FindBin;
use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw/sleep time/;

chdir "$FindBin::Bin/..";

my $label = shift // '';

die "usage: bench/rules.pl attack|benign FILE...\n"
    unless $label =~ /^(?:attack|benign)$/ && @ARGV;

my $top = getcwd();
my $dir = tempdir('govsvc-rules-XXXXXXXX', TMPDIR => 1, CLEANUP => 1);
my $crs = '/etc/modsecurity/crs/crs-setup.conf';
my $modsecurity = '/usr/lib/nginx/modules/ngx_http_modsecurity_module.so';
my @masters;

END {
    my $status = $?;

    for my $pid (@masters) {
        kill 'QUIT', $pid;
        waitpid $pid, 0;
    }

    $? = $status;
}

my @gateways = (start('ours', "$top/build/ngx_govsvc_module.so",
                      "govsvc_rules $top/lua-free-rules/*.rules;",
                      'govsvc_guard on; govsvc_body_inspect 128k;'));

if (-e $modsecurity && -e $crs) {
    write_file("$dir/crs.conf", <<"END");
SecRuleEngine On
SecRequestBodyAccess On
SecAuditEngine Off
SecUnicodeMapFile /etc/nginx/unicode.mapping 20127
SecRule REQUEST_HEADERS:Content-Type "^(?:application(?:/soap\+|/)|text/)xml" \\
  "id:200000,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "^application/json" \\
  "id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
Include $crs
Include /usr/share/modsecurity-crs/rules/*.conf
END
    push @gateways, start('ModSecurity', $modsecurity, '',
                          "modsecurity on; modsecurity_rules_file"
                          . " $dir/crs.conf;");

} else {
    print STDERR "no ModSecurity beside it: it is not installed\n";
}

my (%sum, @classes);

for my $file (@ARGV) {
    for my $entry (corpus($file)) {
        my ($class, $raw) = @$entry;

        push @classes, $class unless $sum{$class};

        for my $gateway (@gateways) {
            my $status = answer($gateway->{port}, $raw);
            my $row = $sum{$class}{$gateway->{name}} //= [0, 0];

            $row->[0]++;
            $row->[1]++ if $status >= 400 && $status != 408;
        }
    }
}

print "| $label | requests |", (map { " $_->{name} % |" } @gateways), "\n",
      '| --- | ---: |', ' ---: |' x @gateways, "\n";

for my $class (@classes, 'all') {
    my @cells;
    my $n;

    for my $gateway (@gateways) {
        my ($all, $refused) = (0, 0);

        for my $one ($class eq 'all' ? @classes : $class) {
            $all += $sum{$one}{$gateway->{name}}[0];
            $refused += $sum{$one}{$gateway->{name}}[1];
        }

        $n = $all;
        push @cells, sprintf ' %.1f |', 100 * $refused / $all;
    }

    print "| $class | $n |@cells\n";
}


sub corpus {
    my ($file) = @_;
    my @entries;

    open my $in, '<:raw', $file or die "$file: $!\n";
    local $/;

    for my $part (split /^=== /m, <$in>) {
        my ($head, $raw) = split /\n/, $part, 2;

        next unless defined $raw && $head =~ /^\Q$label\E-(\w+)/;
        push @entries, [ $1, substr($raw, 0, -1) ];
    }

    return @entries;
}


# The status, 0 if there was none.
sub answer {
    my ($port, $raw) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port",
                                  Timeout => 10) or die "connect: $!\n";
    my ($text, $until) = ('', time() + 20);

    local $SIG{PIPE} = 'IGNORE';

    $s->autoflush(1);
    print $s $raw;

    while (time() < $until && IO::Select->new($s)->can_read(1)) {
        last unless sysread $s, $text, 4096, length $text;
        return $1 if $text =~ m{^HTTP/1\.[01] (\d{3})};
    }

    close $s;

    return 0;
}


sub start {
    my ($name, $module, $main, $location) = @_;
    my $port = free_port();
    my $conf = "$dir/$name.conf";

    write_file($conf, <<"END");
load_module $module;
user root;
worker_processes 1;
daemon off;
pid $dir/$name.pid;
error_log $dir/$name.log crit;
events { worker_connections 512; }
http {
    access_log off;
    $main
    client_body_temp_path $dir/$name.body;
    proxy_temp_path $dir/$name.proxy;
    fastcgi_temp_path $dir/$name.fastcgi;
    uwsgi_temp_path $dir/$name.uwsgi;
    scgi_temp_path $dir/$name.scgi;
    keepalive_timeout 0;
    client_body_timeout 1s;
    client_header_timeout 1s;
    server {
        listen 127.0.0.1:$port;
        location / {
            $location
            proxy_pass http://unix:$dir/$name.sock:;
        }
    }
    server {
        listen unix:$dir/$name.sock;
        location / { return 204; }
    }
}
END

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        exec 'nginx', '-p', $dir, '-c', $conf or die "nginx: $!\n";
    }

    push @masters, $pid;

    for (1 .. 600) {
        return { name => $name, port => $port }
            if IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port");
        sleep 0.1;
    }

    die "$name did not start\n";
}


sub free_port {
    my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')
        or die "no free port: $!\n";

    return $s->sockport;
}


sub write_file {
    my ($file, $text) = @_;

    open my $out, '>', $file or die "$file: $!\n";
    print $out $text;
    close $out or die "$file: $!\n";
}
