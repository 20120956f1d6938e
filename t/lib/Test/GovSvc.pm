package Test::GovSvc;

# Copyright (C) govsvc authors
#
# The harness of the tests; perldoc t/lib/Test/GovSvc.pm.

use strict;
use warnings;

use Cwd qw/abs_path/;
use Fcntl qw/:flock/;
use File::Basename qw/dirname/;
use File::Path qw/make_path remove_tree/;
use File::Spec;
use File::Temp qw/tempdir/;
use IO::Select;
use IO::Socket::INET;
use IPC::Open3;
use JSON::PP;
use POSIX qw/:sys_wait_h/;
use Scalar::Util qw/weaken/;
use Socket qw/SOL_SOCKET SO_REUSEADDR/;
use Symbol qw/gensym/;
use Test::More ();
use Time::HiRes qw/sleep time/;

our $TOP = abs_path(dirname(__FILE__) . '/../../..');
our $NGINX = $ENV{GOVSVC_NGINX} || 'nginx';

# What DESTROY adds to the plan of every test.
our $FREE = 3;

my @live;

$SIG{INT} = $SIG{TERM} = $SIG{HUP} = sub { exit 1 };
$SIG{PIPE} = 'IGNORE';

# What programs say does not depend on who runs the test.

delete @ENV{qw/LC_ALL LC_MESSAGES LANGUAGE http_proxy all_proxy ALL_PROXY/};
$ENV{LANG} = 'C';

END {
    my $status = $?;

    for my $t (@live) {
        $t->finish() if $t;
    }

    $? = $status;
}


sub new {
    my ($class, %opt) = @_;

    my $self = bless {
        pid => $$,
        ports => [],
        locks => [],
        servers => {},
        expected => [],
        killed => {},
        no_module => $opt{no_module},
        workers => $opt{workers} || 1,
        log => $opt{log} || $ENV{GOVSVC_LOG} || 'info',
        module => $ENV{GOVSVC_MODULE}
            || "$TOP/build/ngx_govsvc_module.so",
    }, $class;

    $self->{dir} = tempdir('govsvc-XXXXXXXX', TMPDIR => 1);
    chmod 0755, $self->{dir};

    push @live, $self;
    weaken($live[-1]);

    Test::More::BAIL_OUT("$self->{module} is missing: run make")
        unless -f $self->{module} || $opt{no_module};

    return $self;
}


sub has {
    my ($self, @features) = @_;

    my %test = (
        cli => sub { -x "$TOP/build/govsvc" },
        mint => sub { -x "$TOP/build/mint" },
        stock => sub { !$ENV{GOVSVC_ASAN} && !$ENV{GOVSVC_VALGRIND} },
    );

    for my $feature (@features) {
        my $found = $test{$feature} ? $test{$feature}->()
            : grep { -x "$_/$feature" } split /:/, $ENV{PATH};

        next if $found;

        # In CI a missing tool is a fault: nothing skips in silence.

        Test::More::BAIL_OUT("$feature is missing")
            if $ENV{CI} && $feature ne 'stock';

        $self->{finished} = 1;
        remove_tree($self->{dir});
        Test::More::plan(skip_all => "$feature is missing");
    }

    return $self;
}


sub plan {
    my ($self, $n) = @_;

    Test::More::plan(tests => $n + $FREE);
    $self->{planned} = 1;

    return $self;
}


sub done {
    my ($self) = @_;

    $self->finish();
    Test::More::done_testing();
}


# Files and configuration

sub dir { $_[0]->{dir} }
sub module { $_[0]->{module} }


sub port {
    my ($self, $n) = @_;

    $self->{ports}[$n] = $self->take_port()
        unless defined $self->{ports}[$n];

    return $self->{ports}[$n];
}


# A port that no other test has: held by a lock until the test ends.

sub take_port {
    my ($self) = @_;

    my $locks = File::Spec->tmpdir() . "/govsvc-ports-$<";
    make_path($locks);

    for (1 .. 1000) {
        my $port = 18000 + int(rand(12000));

        open my $fh, '>>', "$locks/$port" or die "$locks/$port: $!";
        next unless flock $fh, LOCK_EX | LOCK_NB;

        my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
            LocalPort => $port, Listen => 1, ReuseAddr => 1)
            or next;
        close $s;

        push @{$self->{locks}}, $fh;
        return $port;
    }

    Test::More::BAIL_OUT('no free port');
}


sub expand {
    my ($self, $text) = @_;

    my $http = join "\n", map { "${_}_temp_path $self->{dir}/tmp_$_;" }
        qw/client_body proxy fastcgi uwsgi scgi/;

    my $main = join "\n",
        $< == 0 ? 'user root;' : (),
        $self->{no_module} ? () : "load_module $self->{module};",
        "pid $self->{dir}/nginx.pid;",
        "error_log $self->{dir}/error.log $self->{log};",
        "worker_processes $self->{workers};",
        'daemon off;';

    # One line each, so that line numbers stay those of the test's text.

    $http =~ s/\n/ /g;
    $main =~ s/\n/ /g;

    $text =~ s/%%TEST_GLOBALS%%/$main/g;
    $text =~ s/%%TEST_GLOBALS_HTTP%%/
        "access_log $self->{dir}\/access.log; $http"/ge;
    $text =~ s/%%PORT_(\d+)%%/$self->port($1)/ge;
    $text =~ s/%%DIR%%/$self->{dir}/g;
    $text =~ s/%%TOP%%/$TOP/g;

    return $text;
}


sub write_file {
    my ($self, $name, $text) = @_;

    my $path = $name =~ m{^/} ? $name : "$self->{dir}/$name";
    make_path(dirname($path));

    utf8::encode($text) if utf8::is_utf8($text);

    open my $fh, '>:raw', $path or die "$path: $!";
    print $fh $self->expand($text);
    close $fh or die "$path: $!";

    return $path;
}


sub read_file {
    my ($self, $name) = @_;

    my $path = $name =~ m{^/} ? $name : "$self->{dir}/$name";

    open my $fh, '<:raw', $path or return undef;
    local $/;
    return scalar <$fh>;
}


sub conf {
    my ($self, $text) = @_;

    $self->write_file('nginx.conf', $text);

    return $self;
}


sub http_conf {
    my ($self, $text) = @_;

    $self->write_file('http.conf', $text);

    return $self->conf($self->frame('http.conf'));
}


sub frame {
    my ($self, $file) = @_;

    return <<"END";
%%TEST_GLOBALS%%
events { worker_connections 1024; }
http {
    %%TEST_GLOBALS_HTTP%%
    include $file;
}
END
}


# nginx -t

sub test_config {
    my ($self, $text) = @_;

    $self->write_file('test.conf', $text);

    return $self->nginx_t("$self->{dir}/test.conf");
}


sub nginx_t {
    my ($self, $file, @args) = @_;

    # The log of the running server is not to see what is refused here.

    my $keep = $self->read_file($file);
    my $copy = $keep;
    $copy =~ s{error_log \Q$self->{dir}\E/error\.log}
        {error_log $self->{dir}/test.log};
    $copy =~ s{pid \Q$self->{dir}\E/nginx\.pid}{pid $self->{dir}/test.pid};
    $self->write_file($file, $copy) if $copy ne $keep;

    my ($code, undef, $err) = $self->command($self->environment(),
        $NGINX, '-t', '-p', "$self->{dir}/", '-e',
        "$self->{dir}/test.log", '-c', $file, @args);

    return ($code, $err);
}


sub conf_error {
    my ($self, $http) = @_;

    $self->write_file('bad.conf', $http);

    my ($code, $err) = $self->test_config($self->frame('bad.conf'));

    return '' if $code == 0;

    my ($found) = $err =~ /^nginx: \[emerg\] (.*)$/m;
    $found = "no [emerg]: $err" unless defined $found;
    $found =~ s{\Q$self->{dir}\E/}{}g;

    return $found;
}


# Processes

sub environment {
    my ($self) = @_;

    return () unless $ENV{GOVSVC_ASAN};

    our $preload //= join ':', map {
        my $path = `gcc -print-file-name=$_`;
        chomp $path;
        abs_path($path);
    } qw/libasan.so libubsan.so/;

    my $log = "log_path=$self->{dir}/sanitizer";

    return ('env', "LD_PRELOAD=$preload",
        "ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=1:$log",
        "UBSAN_OPTIONS=print_stacktrace=1:$log");
}


sub run {
    my ($self) = @_;

    my @tool = $self->environment();

    @tool = ('valgrind', '-q', '--vgdb=no', '--trace-children=yes',
        "--log-file=$self->{dir}/valgrind.%p") if $ENV{GOVSVC_VALGRIND};

    $self->{main} = $self->start_nginx('nginx.conf', @tool);

    return $self;
}


sub start_nginx {
    my ($self, $conf, @tool) = @_;

    my $name = $conf eq 'nginx.conf' ? '' : dirname($conf) . '/';
    my $pidfile = "$self->{dir}/${name}nginx.pid";
    my $err = "$self->{dir}/${name}stderr.log";

    my $pid = fork();
    die "fork: $!" unless defined $pid;

    if ($pid == 0) {
        setpgrp(0, 0);
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', $err;
        open STDERR, '>>', $err;
        exec @tool, $NGINX, '-p', "$self->{dir}/", '-e',
            "$self->{dir}/${name}error.log",
            '-c', "$self->{dir}/$conf"
            or POSIX::_exit(127);
    }

    $self->{servers}{$pid} = 1;

    my $up = $self->wait_for(sub {
        return 1 if -s $pidfile;
        return waitpid($pid, WNOHANG) != 0;
    }, $ENV{GOVSVC_VALGRIND} ? 60 : 20);

    unless (-s $pidfile) {
        delete $self->{servers}{$pid} if $up;
        my $text = $self->read_file($err) // '';
        die "nginx did not start:\n$text";
    }

    return $pid;
}


sub stop {
    my ($self) = @_;

    if ($self->{main}) {
        $self->stop_server($self->{main});
        delete $self->{main};
    }

    return $self;
}


sub stop_server {
    my ($self, $pid) = @_;

    return unless delete $self->{servers}{$pid};

    for my $signal (qw/QUIT TERM KILL/) {
        kill $signal, $signal eq 'KILL' ? -$pid : $pid;

        last if $self->wait_for(sub {
            waitpid($pid, WNOHANG) != 0
        }, 10);
    }

    # What of its process group is left when the master has gone?

    $self->{leftover}++ if kill(0, -$pid)
        && !$self->wait_for(sub { !kill(0, -$pid) });
    kill 'KILL', -$pid if kill 0, -$pid;
}


# The ports are free again only when the last worker is gone, too.

sub crash {
    my ($self) = @_;
    my $pid = delete $self->{main};

    delete $self->{servers}{$pid};
    kill 'KILL', -$pid;
    waitpid $pid, 0;
    $self->wait_for(sub { !kill 0, -$pid });
    unlink "$self->{dir}/nginx.pid";
}


sub reload {
    my ($self, %opt) = @_;

    my %old = map { $_ => 1 } $self->workers();
    my $mark = -s "$self->{dir}/error.log" // 0;

    kill 'HUP', $self->{main};

    return $self->wait_for(sub {
        my @now = $self->workers();
        return 1 if @now >= $self->{workers} && !grep { $old{$_} } @now;
        return $self->log_since($mark) =~ /\[emerg\]/;
    }) && $self->log_since($mark) !~ /\[emerg\]/;
}


sub log_since {
    my ($self, $mark) = @_;

    return substr($self->read_file('error.log') // '', $mark);
}


sub error_log { $_[0]->read_file('error.log') // '' }


# Workers that serve, not those that finish their last requests.

sub workers {
    my ($self, %opt) = @_;

    my @found;

    for my $stat (glob '/proc/[0-9]*/stat') {
        open my $fh, '<', $stat or next;
        my ($pid, $ppid) = (<$fh> // '') =~ /^(\d+) \(.*\) \S (\d+)/
            or next;
        next unless $ppid == $self->{main};

        my $title = $self->read_file("/proc/$pid/cmdline") // '';
        next unless $title =~ /worker process|$NGINX/;
        next if $title =~ /shutting down/ && !$opt{all};
        push @found, $pid;
    }

    @found = sort { $a <=> $b } @found;

    return @found;
}


sub kill_worker {
    my ($self, $signal, $pid) = @_;

    $signal ||= 'KILL';
    $pid ||= ($self->workers())[0];
    $self->{killed}{$pid} = 1;

    my $n = $self->workers();
    kill $signal, $pid;

    return $self->wait_for(sub {
        my @now = $self->workers();
        return @now == $n && !grep { $_ == $pid } @now;
    }, 20);
}


sub memory {
    my ($self) = @_;

    my $kb = 0;

    for my $pid ($self->workers()) {
        my $status = $self->read_file("/proc/$pid/status") // '';
        $kb += $1 if $status =~ /^RssAnon:\s+(\d+)/m;
    }

    return $kb;
}


sub wait_for {
    my ($self, $code, $seconds) = @_;

    my $end = time() + ($seconds || 60);

    while (time() < $end) {
        my $result = $code->();
        return $result if $result;
        sleep 0.02;
    }

    return $code->();
}


sub command {
    my ($self, @command) = @_;

    my $out = "$self->{dir}/command.out";
    my $err = "$self->{dir}/command.err";

    my $pid = fork();
    die "fork: $!" unless defined $pid;

    if ($pid == 0) {
        open STDIN, '<', $self->{stdin} // '/dev/null';
        open STDOUT, '>', $out;
        open STDERR, '>', $err;
        exec { $command[0] } @command
            or POSIX::_exit(127);
    }

    waitpid $pid, 0;
    my $code = $? & 127 ? 128 + ($? & 127) : $? >> 8;

    return ($code, $self->read_file($out), $self->read_file($err));
}


sub govsvc {
    my ($self, @args) = @_;

    return $self->command("$TOP/build/govsvc", @args);
}


# HTTP

sub http_get {
    my ($self, $uri, %opt) = @_;

    return $self->http_request('GET', $uri, %opt);
}


sub http_request {
    my ($self, $method, $uri, %opt) = @_;

    return $self->http($self->request($method, $uri, %opt), %opt);
}


sub request {
    my ($self, $method, $uri, %opt) = @_;

    my @headers = ref $opt{headers} eq 'HASH' ? %{$opt{headers}}
        : @{$opt{headers} || []};
    my $host = $opt{host} // 'localhost';
    my $text = "$method $uri HTTP/1.1\r\nHost: $host\r\n";

    while (my ($name, $value) = splice @headers, 0, 2) {
        $text .= "$name: $value\r\n";
    }

    $text .= 'Content-Length: ' . length($opt{body}) . "\r\n"
        if defined $opt{body};
    $text .= "Connection: close\r\n" unless $opt{keepalive};

    return "$text\r\n" . ($opt{body} // '');
}


sub connect {
    my ($self, %opt) = @_;

    my $socket = IO::Socket::INET->new(
        PeerAddr => $opt{address} || '127.0.0.1',
        PeerPort => $opt{port} || $self->port(0),
        LocalAddr => $opt{from},
        Proto => 'tcp',
    ) or return undef;

    $socket->autoflush(1);
    return $socket;
}


sub http {
    my ($self, $text, %opt) = @_;

    my $socket = $opt{socket} || $self->connect(%opt);
    return Test::GovSvc::Answer->none("connect: $!") unless $socket;

    # A server may refuse before it has read all: an answer counts then.

    my $sent = 0;
    my $buffer = '';
    my $end = time() + ($opt{timeout} || 30);
    my $rd = IO::Select->new($socket);
    my $wr = IO::Select->new($socket);

    $socket->blocking(0);

    while (time() < $end) {
        $! = 0;

        my ($r, $w) = IO::Select->select($rd,
            $sent < length $text ? $wr : undef, undef,
            $end - time());
        next if !$r && !$w && $!{EINTR};
        last unless $r || $w;

        if ($w && @$w) {
            my $n = syswrite $socket, $text, 65536, $sent;
            $sent = defined $n ? $sent + $n
                : $!{EAGAIN} ? $sent : length $text;
        }

        if ($r && @$r) {
            my $n = sysread $socket, $buffer, 65536,
                length $buffer;
            next if !defined $n && $!{EAGAIN};

            my $answer = Test::GovSvc::Answer->parse(\$buffer, !$n,
                $text =~ /^HEAD /);
            return $answer if $answer;
            last unless $n;
        }
    }

    return Test::GovSvc::Answer->none(
        time() >= $end ? 'timed out' : 'closed', $buffer);
}


sub http_parallel {
    my ($self, $requests, %opt) = @_;

    my $limit = $opt{concurrency} || 16;
    my @queue = map { [$_, $requests->[$_]] } 0 .. $#$requests;
    my (@answers, %open);
    my $select = IO::Select->new();
    my $end = time() + ($opt{timeout} || 60);

    while ((@queue || %open) && time() < $end) {

        while (@queue && keys %open < $limit) {
            my ($i, $text) = @{shift @queue};
            my $s = $self->connect(%opt);

            if (!$s) {
                $answers[$i] = Test::GovSvc::Answer->none($!);
                next;
            }

            syswrite $s, $text;
            $open{fileno $s} = { i => $i, buffer => '', s => $s };
            $select->add($s);
        }

        for my $s ($select->can_read(1)) {
            my $o = $open{fileno $s};
            my $n = sysread $s, $o->{buffer}, 65536,
                length $o->{buffer};
            my $answer = Test::GovSvc::Answer->parse(
                \$o->{buffer}, !$n);
            next unless $answer || !$n;

            $answers[$o->{i}] = $answer
                || Test::GovSvc::Answer->none('closed',
                $o->{buffer});
            $select->remove($s);
            delete $open{fileno $s};
            close $s;
        }
    }

    $answers[$_] ||= Test::GovSvc::Answer->none('timed out')
        for 0 .. $#$requests;

    return @answers;
}


# Load in the background until it is told to stop, bounded all the same.

sub load_start {
    my ($self, %opt) = @_;

    my $text = $opt{raw} || $self->request('GET', $opt{uri} || '/', %opt,
        keepalive => 1);
    my $end = time() + ($opt{seconds} || 120);
    my $port = $opt{port} || $self->port(0);

    pipe my $out, my $in or die "pipe: $!";

    my $pid = fork();
    die "fork: $!" unless defined $pid;

    if ($pid == 0) {
        close $out;
        my ($stop, %count);
        $SIG{TERM} = sub { $stop = 1 };
        my (@sockets, @used);

        while (!$stop && time() < $end) {
            for my $i (0 .. ($opt{connections} || 4) - 1) {
                last if $stop;
                $sockets[$i] ||= $self->connect(port => $port);

                my $a = $self->http($text, socket =>
                    $sockets[$i], timeout => 20);

                # A keepalive connection closed by a reload
                # before it answered a byte is not a failure:
                # a client sends again.

                my $used = $used[$i];
                if (!$a->{status} && $used && $a->{raw} eq '') {
                    $sockets[$i] = undef;
                    $used[$i] = 0;
                    $count{reconnect}++;
                    next;
                }

                $count{$a->{status} || ($a->{raw} eq '' ? $a->{error}
                    : "$a->{error} amid an answer")}++;
                $used[$i]++;

                if (!$a->{status}
                    || ($a->header('connection') // '')
                       eq 'close')
                {
                    $sockets[$i] = undef;
                    $used[$i] = 0;
                }

                sleep $opt{pause} if $opt{pause};
            }
        }

        print $in encode_json(\%count);
        close $in;
        POSIX::_exit(0);
    }

    close $in;
    $self->{loads}{$pid} = 1;

    return { pid => $pid, out => $out };
}


sub load_stop {
    my ($self, $load) = @_;

    kill 'TERM', $load->{pid};
    local $/;
    my $fh = $load->{out};
    my $text = <$fh>;
    waitpid $load->{pid}, 0;
    delete $self->{loads}{$load->{pid}};

    return decode_json($text || '{}');
}


# Backends

sub backend {
    my ($self, $name, $code) = @_;

    $code = undef if defined $code && !ref $code;

    my $port = $self->{backend_port}{$name} ||= $self->take_port();
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        LocalPort => $port, Listen => 128, ReuseAddr => 1)
        or die "backend $name: $!";

    my $log = "$self->{dir}/backend-$name.log";
    my $pid = fork();
    die "fork: $!" unless defined $pid;

    if ($pid == 0) {
        setpgrp(0, 0);
        $SIG{TERM} = $SIG{INT} = 'DEFAULT';
        $SIG{CHLD} = 'IGNORE';
        my $n = 0;

        while (1) {
            my $s = $listen->accept() or next;
            $n++;
            my $child = fork();
            next if $child;
            close $listen;
            backend_connection($s, $name, $n, $log, $code);
            POSIX::_exit(0);
        }
    }

    close $listen;
    $self->{backends}{$name} = $pid;

    return $port;
}


sub backend_connection {
    my ($s, $name, $connection, $log, $code) = @_;

    $s->autoflush(1);
    $s->blocking(1);
    binmode $s;

    while (1) {
        my $line = <$s>;
        return unless defined $line;
        my ($method, $uri, $version) = $line =~
            m{^(\S+) (\S+) HTTP/(\d\.\d)\r\n} or return;

        my (@headers, %h);
        while (defined($line = <$s>)) {
            last if $line eq "\r\n";
            my ($k, $v) = $line =~ /^([^:]+):[ ]*(.*?)\r\n/s
                or next;
            push @headers, [$k, $v];
            $h{lc $k} = exists $h{lc $k} ? "$h{lc $k}, $v" : $v;
        }
        return unless defined $line;

        my $body = '';
        if ($h{'content-length'}) {
            read $s, $body, $h{'content-length'};

        } elsif (($h{'transfer-encoding'} // '') eq 'chunked') {
            while (defined($line = <$s>)) {
                my $size = hex $line;
                read $s, my $chunk, $size if $size;
                $body .= $chunk if $size;
                $line = <$s>;
                last unless $size;
            }
        }

        my $request = { backend => $name, method => $method,
            uri => $uri, version => $version,
            headers => \%h, raw_headers => \@headers, body => $body,
            connection => $connection };
        my $json = JSON::PP->new->latin1->canonical
            ->encode($request);

        open my $fh, '>>', $log;
        syswrite $fh, "$json\n";
        close $fh;

        my ($status, $out, $text) = $code ? $code->($request)
            : (200, ['Content-Type' => 'application/json'], $json);

        return if !defined $status;          # close without a word

        my @out = @{$out || []};
        my $close = ($h{connection} // '') =~ /close/i
            || ($version eq '1.0'
            && ($h{connection} // '') !~ /keep-alive/i);
        my $answer = "HTTP/1.1 $status X\r\n";

        while (my ($k, $v) = splice @out, 0, 2) {
            $answer .= "$k: $v\r\n";
            $close = 1 if lc $k eq 'connection' && $v eq 'close';
        }

        $text //= '';
        $answer .= 'Content-Length: ' . length($text) . "\r\n";
        $answer .= "Connection: close\r\n" if $close;
        print $s "$answer\r\n", $method eq 'HEAD' ? '' : $text
            or return;
        return if $close;
    }
}


sub backend_port { $_[0]->{backend_port}{$_[1]} }

sub backend_status {
    my ($self, $name) = @_;
    my $file = "$self->{dir}/$name.status";

    return $self->backend($name, sub {
        open my $fh, '<', $file or return (200, [], $name);
        my $status = <$fh>;
        return (($status || 200) + 0, [], $name);
    });
}


sub backend_requests {
    my ($self, $name) = @_;

    my $text = $self->read_file("backend-$name.log") // '';

    return map { JSON::PP->new->latin1->decode($_) } split /\n/, $text;
}


sub backend_stop {
    my ($self, $name) = @_;

    my $pid = delete $self->{backends}{$name} or return;

    kill 'TERM', -$pid;
    waitpid $pid, 0;
}


# A second, stock nginx: TLS, many connections, real speed.

sub nginx_backend {
    my ($self, $name, $http) = @_;

    $self->write_file("$name/http.conf", $http);

    my $temp = join ' ', map {
        "${_}_temp_path $self->{dir}/$name/tmp_$_;"
    } qw/client_body proxy fastcgi uwsgi scgi/;
    my $user = $< == 0 ? 'user root;' : '';

    $self->write_file("$name/nginx.conf", <<"END");
$user daemon off; worker_processes 1;
pid $self->{dir}/$name/nginx.pid;
error_log $self->{dir}/$name/error.log info;
events { worker_connections 1024; }
http {
    access_log $self->{dir}/$name/access.log; $temp
    include $self->{dir}/$name/http.conf;
}
END

    return $self->{nginx}{$name} = $self->start_nginx("$name/nginx.conf");
}


sub nginx_backend_stop {
    my ($self, $name) = @_;

    $self->stop_server(delete $self->{nginx}{$name});
}


# Keys and certificates

sub openssl {
    my ($self, @args) = @_;

    my ($code, $out, $err) = $self->command('openssl', @args);
    die "openssl @args: $err" if $code;

    return $out;
}


sub ca {
    my ($self, $name) = @_;

    my $d = $self->{dir};

    $self->openssl(qw/req -x509 -newkey ec -pkeyopt
        ec_paramgen_curve:P-256 -nodes -days 30 -sha256/,
        '-subj', "/CN=$name", '-keyout', "$d/$name.key",
        '-out', "$d/$name.crt");

    return "$d/$name.crt";
}


sub certificate {
    my ($self, $file, $ca, @names) = @_;

    my $d = $self->{dir};
    my $alt = join ',', map { /^[\d.]+$/ ? "IP:$_" : "DNS:$_" } @names;

    $self->write_file("$file.ext", "subjectAltName=$alt\n");
    $self->openssl(qw/req -newkey ec -pkeyopt ec_paramgen_curve:P-256
        -nodes -sha256/, '-subj', "/CN=$names[0]",
        '-keyout', "$d/$file.key", '-out', "$d/$file.csr");
    $self->openssl(qw/x509 -req -days 30 -sha256 -CAcreateserial/,
        '-in', "$d/$file.csr", '-CA', "$d/$ca.crt",
        '-CAkey', "$d/$ca.key", '-extfile', "$d/$file.ext",
        '-out', "$d/$file.crt");

    return ("$d/$file.crt", "$d/$file.key");
}


# A key set, and tokens signed with it.

sub mint_keys {
    my ($self, $dir) = @_;

    $dir //= 'keys';
    make_path("$self->{dir}/$dir");

    my ($code, undef, $err) = $self->command("$TOP/build/mint", 'keys',
        "$self->{dir}/$dir");
    die "mint: $err" if $code;

    return "$self->{dir}/$dir/jwks.json";
}


sub token {
    my ($self, $alg, $claims, %opt) = @_;

    my $dir = delete $opt{dir} // 'keys';
    my $key = delete $opt{key} // lc $alg;
    my @args = ('--key', "$self->{dir}/$dir/$key.pem", '--alg', $alg,
        '--kid', delete $opt{kid} // $key);

    push @args, '--claims', ref $claims
        ? JSON::PP->new->utf8->canonical->encode($claims) : $claims
        if defined $claims;
    push @args, '--ttl', delete $opt{ttl} // 600;

    for my $name (sort keys %opt) {
        (my $option = $name) =~ tr/_/-/;
        push @args, "--$option", defined $opt{$name} ? $opt{$name} : ();
    }

    my ($code, $out, $err) = $self->command("$TOP/build/mint", 'token',
        @args);
    die "mint: $err" if $code;
    chomp $out;

    return $out;
}


# Audit

sub audit_store {
    my ($self, $dir) = @_;

    $dir //= 'audit';
    $dir = "$self->{dir}/$dir" unless $dir =~ m{^/};

    return sort glob "$dir/*/*.seg";
}


sub audit_files { return grep { !m{\.m\d+\.\d+/[^/]+$} } audit_store(@_) }


sub audit_master_files { return grep { m{\.m\d+\.\d+/} } audit_store(@_) }


sub audit_decode {
    my ($self, @files) = @_;

    return map { JSON::PP->new->utf8->decode($_) }
        map { split /\n/, $self->read_file($_) // '' } @files;
}


sub audit_lines {
    my ($self, $dir) = @_;

    return $self->audit_decode($self->audit_files($dir));
}


sub audit_master_lines {
    my ($self, $dir) = @_;

    return $self->audit_decode($self->audit_master_files($dir));
}


sub audit_verify {
    my ($self, $dir) = @_;

    my ($code, $out) = $self->govsvc('audit', 'verify', '--json',
        $dir // "$self->{dir}/audit");

    return ($code, map { JSON::PP->new->utf8->decode($_) } split /\n/, $out);
}


# The checks that every test gets

sub expect_log {
    my ($self, @patterns) = @_;

    push @{$self->{expected}}, @patterns;

    return $self;
}


sub bad_log_lines {
    my ($self) = @_;

    my @files = glob "$self->{dir}/error.log $self->{dir}/*/error.log";
    my @bad;

    for my $file (@files) {
        LINE: for (split /\n/, $self->read_file($file) // '') {
            next unless /\[(?:alert|emerg)\]/;

            if (/worker process (\d+) exited on signal 9/
                && $self->{killed}{$1})
            {
                next;
            }

            for my $pattern (@{$self->{expected}}) {
                next LINE if /$pattern/;
            }

            push @bad, $_;
        }
    }

    return @bad;
}


sub sanitizer_lines {
    my ($self) = @_;

    my @found;

    for my $file (glob "$self->{dir}/sanitizer.* $self->{dir}/valgrind.* "
        . "$self->{dir}/*error.log $self->{dir}/*stderr.log")
    {
        my $text = $self->read_file($file) // '';
        my $all = $file =~ m{/(?:sanitizer|valgrind)\.[^/]*$};

        push @found, grep {
            $all || /AddressSanitizer|runtime error:|LeakSanitizer/
        } split /\n/, $text;
    }

    return @found;
}


sub finish {
    my ($self) = @_;

    return if $self->{finished} || $self->{pid} != $$;
    $self->{finished} = 1;

    for my $pid (keys %{$self->{loads} || {}}) {
        kill 'KILL', $pid;
        waitpid $pid, 0;
    }

    $self->stop();
    $self->stop_server($_) for keys %{$self->{servers}};
    $self->backend_stop($_) for keys %{$self->{backends} || {}};

    my @bad = $self->bad_log_lines();
    my @sanitizer = $self->sanitizer_lines();

    Test::More::is(join("\n", @bad), '', 'no alert and no emergency');
    Test::More::is(join("\n", @sanitizer[0 .. (@sanitizer > 40 ? 39
        : $#sanitizer)]), '', 'no sanitizer report');
    Test::More::ok(!$self->{leftover}, 'no process was left');

    if (!Test::More->builder->is_passing()) {
        my $log = $self->error_log();
        $log = '...' . substr $log, -4000 if length $log > 4000;
        Test::More::diag("error.log:\n$log") if $ENV{GOVSVC_VERBOSE};
    }

    if ($ENV{GOVSVC_KEEP}) {
        Test::More::diag("kept $self->{dir}");

    } else {
        remove_tree($self->{dir});
    }
}


sub DESTROY {
    my ($self) = @_;

    local $?;
    $self->finish();
}


package Test::GovSvc::Answer;

use strict;
use warnings;


sub none {
    my ($class, $error, $raw) = @_;

    return bless { status => 0, error => $error, headers => {}, body => '',
        raw => $raw // '' }, $class;
}


# One whole answer at the start of the buffer, which is taken off; undef
# while there is less.

sub parse {
    my ($class, $buffer, $eof, $head) = @_;

    my ($start) = $$buffer =~ /^(.*?\r\n\r\n)/s or return undef;
    my ($status) = $start =~ m{^HTTP/1\.[01] (\d{3})} or return undef;

    if ($status =~ /^1/ && $status != 101) {
        substr($$buffer, 0, length $start) = '';
        return $class->parse($buffer, $eof, $head);
    }

    my %headers;
    my @lines = split /\r\n/, $start;
    shift @lines;

    for (@lines) {
        my ($name, $value) = /^([^:]+):[ ]*(.*?)[ ]*$/ or next;
        push @{$headers{lc $name}}, $value;
    }

    my $self = bless { status => $status, headers => \%headers },
        $class;
    my $rest = substr $$buffer, length $start;
    my ($body, $used);

    if ($head || $status == 204 || $status == 304) {
        ($body, $used) = ('', 0);

    } elsif (defined $headers{'content-length'}) {
        $used = $headers{'content-length'}[0];
        return undef if length $rest < $used;
        $body = substr $rest, 0, $used;

    } elsif (lc($headers{'transfer-encoding'}[0] // '') eq 'chunked') {
        $body = '';
        $used = 0;

        while (1) {
            substr($rest, $used) =~ /^([0-9a-fA-F]+)[^\r\n]*\r\n/
                or return undef;
            my ($size, $line) = (hex $1, $+[0]);
            return undef
                if length $rest < $used + $line + $size + 2;
            $body .= substr $rest, $used + $line, $size;
            $used += $line + $size + 2;
            last if $size == 0;
        }

    } else {
        return undef unless $eof;
        ($body, $used) = ($rest, length $rest);
    }

    $self->{body} = $body;
    $self->{raw} = substr $$buffer, 0, length($start) + $used;
    $self->{head} = $start;
    substr($$buffer, 0, length($start) + $used) = '';

    return $self;
}


sub status { $_[0]->{status} }
sub body { $_[0]->{body} }
sub raw { $_[0]->{raw} }


sub header {
    my ($self, $name) = @_;

    my $values = $self->{headers}{lc $name} or return undef;

    return wantarray ? @$values : $values->[0];
}


sub json {
    my ($self) = @_;

    return eval { JSON::PP->new->utf8->decode($self->{body}) };
}


1;

__END__

=encoding utf8

=head1 NAME

Test::GovSvc - runs Nginx with the module and asks it things

=head1 SYNOPSIS

    #!/usr/bin/perl

    use strict;
    use warnings;

    use Test::More;
    use FindBin;
    use lib "$FindBin::Bin/lib";
    use Test::GovSvc;

    my $t = Test::GovSvc->new()->plan(3);

    my $port = $t->backend('gd');           # echoes what it got as JSON

    $t->write_file('platforms.json', <<"EOF");
    ... "port": $port ...
    EOF

    $t->http_conf(<<'EOF')->run();
    govsvc_platforms  platforms.json;

    server {
        listen       127.0.0.1:%%PORT_0%%;
        govsvc_route on;
        ...
    }
    EOF

    my $r = $t->http_get('/44/', host => 'portal.example');

    is($r->status, 200, 'routed');
    is($r->json->{uri}, '/44/', 'as it came');
    is(scalar $t->backend_requests('gd'), 1, 'reached once');

One test is one object; its plan gets three more checks at the end: no
C<[alert]> or C<[emerg]> line in any error.log (so also no worker that died of
a signal, no "open socket left"), no report of a sanitizer or valgrind, no
process that outlived its server.

=head1 CONFIGURATION

=over

=item new(workers => 1, log => 'info', no_module => 0)

A test in a fresh folder; no_module leaves a stock Nginx.

=item has(FEATURE ...)

Skips the test unless each is there: C<cli> and C<mint> (our programs),
C<stock> (no sanitizer or valgrind in use), or a program of PATH.  With CI in
the environment a missing one fails.

=item plan(N)

The number of the test's own checks; or call C<< $t->done() >> last instead of
C<done_testing()>.

=item conf(TEXT), http_conf(TEXT)

Writes nginx.conf; C<http_conf> takes what stands inside C<http { }> and
writes it to http.conf, which nginx.conf includes, so that line numbers are
those of the test.  Both return the test.  Words replaced here and in
write_file: C<%%PORT_0%%> .. (free ports, locked), C<%%DIR%%>, C<%%TOP%%> (the
checkout), C<%%TEST_GLOBALS%%>, C<%%TEST_GLOBALS_HTTP%%> (one line each).

=item write_file(NAME, TEXT), read_file(NAME), dir(), port(N), take_port()

Files relative to the test's folder.

=item conf_error(TEXT)

What C<nginx -t> says about the inside of C<http { }>: the text of its
C<[emerg]> line without the folder's name, as in C<"unknown directive \"x\" in
bad.conf:1">, or '' if it was accepted.

=item test_config(TEXT), nginx_t(FILE, ARGS)

The exit code and stderr of C<nginx -t> for a whole nginx.conf.

=back

=head1 PROCESSES

=over

=item run(), stop()

=item reload()

Waits until only new workers serve; false if the configuration was refused.

=item workers(), kill_worker([SIGNAL, PID]), memory()

The workers that serve; kill_worker waits for the replacement and makes its
death no fault; memory is kB of anonymous memory in all of them.

=item crash()

The master and all workers are killed at once; run() starts anew.

=item expect_log(PATTERN ...)

C<[alert]> and C<[emerg]> lines that this test provokes.

=item error_log(), wait_for(CODE, SECONDS), command(ARGS), govsvc(ARGS)

The last two return exit code, stdout and stderr.

=back

=head1 REQUESTS

=over

=item http_get(URI, OPTIONS), http_request(METHOD, URI, OPTIONS)

Options: host, headers (a hash or a list of pairs), body, port, address, from
(the client's address, e.g. 127.0.0.9), keepalive, socket, timeout.  The
answer has status (0: none, and error), body, raw, header(NAME), json.

=item http(RAW, OPTIONS), request(METHOD, URI, OPTIONS), connect(OPTIONS)

Any bytes; C<request> returns the bytes that http_request would send.

=item http_parallel([RAW ...], concurrency => 16)

The answers in the order of the requests.

=item load_start(uri, connections, seconds, pause), load_stop(LOAD)

Load in the background; load_stop returns counts by status (and by error).  A
keepalive connection that the server closed before it answered is opened
again, as clients do, and counted as C<reconnect>.

=back

=head1 BACKENDS

=over

=item backend(NAME [, CODE])

A small HTTP/1.1 server with keepalive; returns its port.  It echoes method,
uri, version, headers (by lower case name; raw_headers has the pairs), body
and the number of the connection as JSON, or
answers what CODE, given these, returns: (status, [header => value ...],
body); an empty list closes the connection.

=item backend_status(NAME)

A backend that answers the status which stands in the file NAME.status, 200
without one, and its name.

=item backend_requests(NAME), backend_stop(NAME), backend_port(NAME)

What it received, as hashes; after backend_stop the same port serves again with
backend().

=item nginx_backend(NAME, HTTP_CONF), nginx_backend_stop(NAME)

A stock Nginx, for TLS and for speed.

=item ca(NAME), certificate(FILE, CA, NAMES)

NAME.crt and .key; FILE.crt and .key signed by the CA for these names.

=item mint_keys([DIR])

A key set with RS256, ES256, EdDSA and SM2 in the folder (keys); returns the
path of its jwks.json.

=item token(ALG, CLAIMS, OPTIONS)

A token signed with the key of that name; CLAIMS is a hash or JSON.  Options
are those of mint (ttl, kid, header, header_alg, raw_payload, der => undef and
so on), dir and key (the name of another key).

=back

=head1 AUDIT

audit_files([DIR]), audit_lines([DIR]): the segments of the workers in order,
their lines decoded.  audit_master_files and audit_master_lines are those of
the master, audit_store has all files.  audit_verify([PATH]): the exit code of
"govsvc audit verify --json" and what it tells of each chain, decoded.

=head1 ENVIRONMENT

GOVSVC_MODULE and GOVSVC_NGINX name another module or binary, GOVSVC_ASAN
and GOVSVC_VALGRIND put a checker around it, GOVSVC_LOG=debug sets the log
level, GOVSVC_VERBOSE shows error.log of a failed test, GOVSVC_KEEP keeps
the folder.

=cut
