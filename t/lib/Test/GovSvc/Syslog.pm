package Test::GovSvc::Syslog;

# Copyright (C) govsvc authors
#
# Receivers of syslog: processes that write what they read to a file, byte by
# byte as it came, and may be killed or stopped.
#
#     my $logs = Test::GovSvc::Syslog->new($t);
#     $logs->tcp('a', $port);
#     $logs->tls('b', $port, 'good');           # good.crt, good.key
#     $logs->tls('c', $port, 'good', verify => 1);   # clients are of ca.crt
#     $logs->udp('d', $port);
#     $logs->unix('e'), unix_dgram('f');        # e.sock, f.sock
#     my ($bad, @frames) = $logs->frames('a');
#     $logs->kill9('a'), signal('STOP', 'a', 'b');
#
# The file of a name, NAME.log, goes on with the next of that name.

use strict;
use warnings;

use IO::Handle;
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();
use Socket qw/SOCK_DGRAM/;


sub new {
    my ($class, $t) = @_;

    return bless { dir => $t->dir(), pid => {}, stdin => {}, owner => $$ },
        $class;
}


sub tcp {
    my ($self, $name, $port) = @_;

    $self->streams($name, sub {
        for (1 .. 200) {
            my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
                LocalPort => $port, Listen => 5, ReuseAddr => 1);
            return $s if $s;
            select undef, undef, undef, 0.05;
        }
        return;
    });
}


sub unix {
    my ($self, $name) = @_;

    $self->streams($name, sub {
        unlink "$self->{dir}/$name.sock";
        IO::Socket::UNIX->new(Local => "$self->{dir}/$name.sock", Listen => 5);
    });
}


sub udp {
    my ($self, $name, $port) = @_;

    $self->datagrams($name, sub {
        IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1',
            LocalPort => $port);
    });
}


sub unix_dgram {
    my ($self, $name) = @_;

    $self->datagrams($name, sub {
        unlink "$self->{dir}/$name.sock";
        IO::Socket::UNIX->new(Local => "$self->{dir}/$name.sock",
            Type => SOCK_DGRAM);
    });
}


# Its input is a pipe that stays open: it would end with it.

sub tls {
    my ($self, $name, $port, $cert, %opt) = @_;

    pipe my $in, $self->{stdin}{$name} or die "pipe: $!";

    $self->process($name, sub {
        my ($out) = @_;

        my $dir = $self->{dir};

        print $out "\n=== connection\n";
        open STDIN, '<&', $in or die;
        open STDOUT, '>&', $out or die;
        open STDERR, '>', '/dev/null' or die;
        exec 'openssl', 's_server', '-quiet', '-accept', "127.0.0.1:$port",
            '-cert', "$dir/$cert.crt", '-key', "$dir/$cert.key",
            $opt{verify} ? ('-CAfile', "$dir/ca.crt", '-Verify', 1,
                '-verify_return_error') : ();
    });
}


sub streams {
    my ($self, $name, $listen) = @_;

    $self->process($name, sub {
        my ($out) = @_;

        my $server = $listen->() or die "$name: $@ $!";

        while (my $c = $server->accept()) {
            print $out "\n=== connection\n";

            while (sysread $c, my $text, 65536) {
                print $out $text;
            }
        }
    });
}


# A frame is made of each, as for a stream.

sub datagrams {
    my ($self, $name, $listen) = @_;

    $self->process($name, sub {
        my ($out) = @_;

        my $server = $listen->() or die "$name: $@ $!";

        while (defined recv $server, my $text, 65536, 0) {
            print $out length($text), ' ', $text;
        }
    });
}


sub process {
    my ($self, $name, $code) = @_;

    defined($self->{pid}{$name} = fork()) or die "fork: $!";
    return if $self->{pid}{$name};

    open my $out, '>>', "$self->{dir}/$name.log" or die;
    binmode $out;
    $out->autoflush(1);

    $code->($out);
    POSIX::_exit(0);
}


# Whole frames; of a connection that was cut the last piece is none.  How many
# connections had something else, and the frames.

sub frames {
    my ($self, $name) = @_;

    my ($bad, @frames) = (0);

    open my $in, '<', "$self->{dir}/$name.log" or return (0);
    binmode $in;
    my $all = do { local $/; <$in> } // '';

    for my $part (split /\n=== connection\n/, $all) {
        while ($part ne '') {
            $part =~ s/^([1-9]\d{0,4}) //
                or $part =~ /^[1-9]?\d{0,4}$/ ? last : ($bad++, last);
            last if length($part) < $1;
            push @frames, substr $part, 0, $1, '';
        }
    }

    return ($bad, @frames);
}


sub signal {
    my ($self, $signal, @names) = @_;

    kill $signal => $self->{pid}{$_} for @names;
}


sub kill9 {
    my ($self, $name) = @_;

    my $pid = delete $self->{pid}{$name} or return;
    kill KILL => $pid;
    waitpid $pid, 0;
}


sub DESTROY {
    my ($self) = @_;

    return unless $self->{owner} == $$;

    local ($?, $@);
    $self->kill9($_) for keys %{$self->{pid}};
}


1;
