package Test::GovSvc::Redis;

# Copyright (C) govsvc authors
#
# Real Redis servers for the tests: alone, with replicas and Sentinels, as a
# cluster; and a server that answers whatever a test says.
#
#     my $rs = Test::GovSvc::Redis->new($t);
#     my $a = $rs->server(maxmemory => '1mb');          # { port, pid, ... }
#     $rs->cli($a, 'SET', 'k', 'v');                    # its answer as text
#     $rs->stop($a), kill9($a), pause($a), resume($a), start($a)
#     my $s = $rs->sentinel($a, 'gov');
#     my @c = $rs->cluster(3);
#     my $f = $rs->fake(sub { my ($n, $bytes) = @_; ... });
#     $rs->password($a, 'other');                       # its requirepass
#     $rs->misconf($a) or die, $rs->misconf_end($a)
#     $rs->restart_slowly($a, 400);                     # -LOADING
#
# All of them end with the object.

use strict;
use warnings;

use File::Path qw/make_path/;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX qw/:sys_wait_h/;
use Time::HiRes qw/sleep time/;


sub new {
    my ($class, $t) = @_;

    my $self = bless { t => $t, n => 0, pids => {}, owner => $$ }, $class;

    # The module with the location redis_test in it.

    $t->{module} =~ s{/([^/]+)$}{/test/$1} unless $t->{module} =~ m{/test/};
    Test::More::BAIL_OUT("$t->{module} is missing: run make")
        unless -f $t->{module};

    return $self;
}


sub server {
    my ($self, %opt) = @_;

    my $s = {
        port => delete $opt{port} // $self->{t}->take_port(),
        dir => "$self->{t}{dir}/redis" . $self->{n}++,
        wait => delete $opt{wait} // 1,
        args => delete $opt{args} // [],
    };

    make_path($s->{dir});
    chmod 0755, $s->{dir};

    my %conf = (
        port => $s->{port},
        bind => '127.0.0.1',
        dir => $s->{dir},
        save => '""',
        'enable-debug-command' => 'yes',
        'repl-diskless-sync-delay' => 0,
        'repl-ping-replica-period' => 1,
        logfile => "$s->{dir}/log",
        %opt,
    );

    $s->{unix} = $conf{unixsocket};
    $s->{password} = $conf{requirepass};
    $s->{tls} = $conf{'tls-port'};

    open my $fh, '>', "$s->{dir}/redis.conf" or die $!;
    for my $key (sort grep { defined $conf{$_} } keys %conf) {
        print $fh "$key $_\n" for ref $conf{$key} ? @{$conf{$key}}
            : $conf{$key};
    }
    close $fh;

    $self->start($s);

    return $s;
}


sub start {
    my ($self, $s) = @_;

    my $pid = fork();
    die "fork: $!" unless defined $pid;

    if ($pid == 0) {
        setpgrp(0, 0);
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$s->{dir}/out";
        open STDERR, '>>', "$s->{dir}/out";
        exec 'redis-server', "$s->{dir}/redis.conf", @{$s->{args}}
            or POSIX::_exit(127);
    }

    $s->{pid} = $pid;
    $self->{pids}{$pid} = 1;

    return unless $s->{wait};

    $self->{t}->wait_for(sub {
        return $self->cli($s, 'PING') =~ /PONG|NOAUTH|LOADING/
    }, 20) or die "redis did not start:\n"
        . ($self->{t}->read_file("$s->{dir}/log") // '');
}


sub stop {
    my ($self, $s, $signal) = @_;

    my $pid = delete $s->{pid} or return;
    delete $self->{pids}{$pid};

    kill 'CONT', $pid;
    kill $signal // 'TERM', $pid;
    waitpid $pid, 0;
}


sub kill9 { $_[0]->stop($_[1], 'KILL') }
sub pause { kill 'STOP', $_[1]->{pid} }
sub resume { kill 'CONT', $_[1]->{pid} }


# The ways in which one that works comes to refuse commands.

sub password {
    my ($self, $s, $password) = @_;

    $self->cli($s, qw/CONFIG SET requirepass/, $password);
    $s->{password} = $password;
}


# A folder where the snapshot is to be: it takes no writes, -MISCONF.

sub misconf {
    my ($self, $s) = @_;

    unlink "$s->{dir}/dump.rdb";
    mkdir "$s->{dir}/dump.rdb" or die $!;
    $self->cli($s, qw/CONFIG SET save/, '3600 1');
    $self->cli($s, 'BGSAVE');

    return $self->{t}->wait_for(sub {
        $self->cli($s, qw/INFO persistence/) =~ /rdb_last_bgsave_status:err/
    }, 20);
}


sub misconf_end {
    my ($self, $s) = @_;

    rmdir "$s->{dir}/dump.rdb" or die $!;
    $self->cli($s, 'BGSAVE');
}


# Killed, and started with that many keys that it takes long to load; the
# answer of SAVE.

sub restart_slowly {
    my ($self, $s, $keys) = @_;

    $self->cli($s, qw/DEBUG POPULATE/, $keys, qw/x 100/);
    my $saved = $self->cli($s, 'SAVE');
    $self->kill9($s);
    $s->{args} = ['--key-load-delay', '30000'];
    $self->start($s);

    return $saved;
}


# Bytes of a command, and the answer as redis-cli would show it, about.

sub cli {
    my ($self, $s, @words) = @_;

    my $socket = $s->{unix} && !$s->{port}
        ? IO::Socket::UNIX->new(Peer => $s->{unix})
        : IO::Socket::INET->new(PeerAddr => '127.0.0.1',
            PeerPort => $s->{port}, Timeout => 2);
    return '' unless $socket;

    if ($s->{password} && !$s->{noauth}) {
        print $socket resp('AUTH', $s->{password});
        $socket->flush();
        answer($socket);
    }

    print $socket resp(@words);
    $socket->flush();

    # One that is stopped says nothing: the test must not hang with it.

    return '' unless IO::Select->new($socket)->can_read(10);

    return answer($socket) // '';
}


sub resp {
    my (@words) = @_;

    return '*' . @words . "\r\n"
        . join '', map { '$' . length($_) . "\r\n$_\r\n" } @words;
}


sub answer {
    my ($socket) = @_;

    my $line = <$socket>;
    return undef unless defined $line;
    $line =~ s/\r\n$//;

    my ($type, $rest) = $line =~ /^(.)(.*)/s or return undef;

    if ($type eq '$') {
        return 'nil' if $rest < 0;
        read $socket, my $text, $rest + 2;
        return substr $text, 0, $rest;
    }

    return '[' . join(' ', map { answer($socket) // '' } 1 .. $rest) . ']'
        if $type eq '*' && $rest >= 0;

    return $rest;
}


sub replica {
    my ($self, $of, %opt) = @_;

    my $s = $self->server(replicaof => "127.0.0.1 $of->{port}", %opt);

    $self->{t}->wait_for(sub {
        $self->cli($s, 'ROLE') =~ / connected /
    }, 20) or die 'the replica did not connect';

    return $s;
}


sub sentinel {
    my ($self, $of, $name, %opt) = @_;

    my $quorum = delete $opt{quorum} // 1;

    return $self->server(
        args => ['--sentinel'],
        'sentinel' => [
            "monitor $name 127.0.0.1 $of->{port} $quorum",
            "down-after-milliseconds $name 500",
            "failover-timeout $name 2000",
        ],
        save => undef, %opt,
    );
}


sub cluster {
    my ($self, $n) = @_;

    my @nodes = map {
        $self->server('cluster-enabled' => 'yes',
            'cluster-node-timeout' => 1000,
            'cluster-port' => $self->{t}->take_port(),
            'cluster-config-file' => 'nodes.conf')
    } 1 .. $n;

    my $each = int(16384 / $n);

    for my $i (0 .. $#nodes) {
        my $last = $i == $#nodes ? 16383 : ($i + 1) * $each - 1;
        $self->cli($nodes[$i], 'CLUSTER', 'ADDSLOTSRANGE', $i * $each,
            $last);
        $self->cli($nodes[$i], 'CLUSTER', 'SET-CONFIG-EPOCH', $i + 1);
    }

    for my $node (@nodes[1 .. $#nodes]) {
        $self->cli($nodes[0], 'CLUSTER', 'MEET', '127.0.0.1', $node->{port},
            $self->cluster_port($node));
    }

    $self->{t}->wait_for(sub {
        !grep {
            $self->cli($_, 'CLUSTER', 'INFO')
                !~ /cluster_state:ok.*cluster_known_nodes:$n/s
        } @nodes
    }, 20) or die 'the cluster did not form';

    return @nodes;
}


sub cluster_port {
    my ($self, $s) = @_;

    my ($port) = $self->{t}->read_file("$s->{dir}/redis.conf")
        =~ /^cluster-port (\d+)/m;

    return $port;
}


# A server that is none: the code gets the number of the connection and what
# came on it, and returns bytes, or undef to close.

sub fake {
    my ($self, $code) = @_;

    my $port = $self->{t}->take_port();
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        LocalPort => $port, Listen => 16, ReuseAddr => 1) or die $!;

    my $pid = fork();
    die "fork: $!" unless defined $pid;

    if ($pid == 0) {
        my ($n, %of) = (0);
        my $select = IO::Select->new($listen);

        while (1) {
            for my $s ($select->can_read()) {
                if ($s == $listen) {
                    my $new = $s->accept() or next;
                    $of{fileno $new} = $n++;
                    $select->add($new);
                    next;
                }

                my $got = sysread $s, my $bytes, 65536;
                my $text = $got ? $code->($of{fileno $s}, $bytes) : undef;

                if (defined $text) {
                    syswrite $s, $text if length $text;
                } else {
                    $select->remove($s);
                    close $s;
                }
            }
        }
    }

    close $listen;
    $self->{pids}{$pid} = 1;

    return { port => $port, pid => $pid };
}


# The answers to the handshake of a connection.

sub welcome {
    my ($id) = @_;

    $id //= 'f' x 40;
    my $info = "# Server\r\nrun_id:$id\r\n";
    my $now = time();
    my $sec = int($now);
    my $usec = int(($now - $sec) * 1e6);

    return "+OK\r\n"
        . "*3\r\n\$6\r\nmaster\r\n:0\r\n*0\r\n"
        . '$' . length($info) . "\r\n$info\r\n"
        . "*2\r\n\$" . length($sec) . "\r\n$sec\r\n\$" . length($usec)
        . "\r\n$usec\r\n";
}


sub DESTROY {
    my ($self) = @_;

    return unless $self->{owner} == $$;

    local ($?, $@);

    for my $pid (keys %{$self->{pids}}) {
        kill 'CONT', $pid;
        kill 'KILL', $pid;
        waitpid $pid, 0;
    }
}


1;
