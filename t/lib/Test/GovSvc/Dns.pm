package Test::GovSvc::Dns;

# Copyright (C) govsvc authors
#
# A name server that says what it is told to: over UDP, answers of any length.
#
#     my $dns = Test::GovSvc::Dns->new($t);
#     $dns->set('a.gd.example' => { a => ['10.0.0.1'], ttl => 1 });
#     $dns->set('b.gd.example' => { cname => ['c.x', 'd.x'], a => [...] });
#     $dns->set('c.gd.example' => { rcode => 2 });        # SERVFAIL
#     $dns->set('d.gd.example' => { silent => 1 });
#     $dns->port(); $dns->asked('a.gd.example');

use strict;
use warnings;

use IO::Socket::INET;
use JSON::PP;
use POSIX ();


sub new {
    my ($class, $t) = @_;

    my $self = bless { file => $t->dir() . '/dns.json', zone => {},
        log => $t->dir() . '/dns.log', port => $t->take_port(),
        owner => $$ }, $class;

    $self->save();
    $self->start();

    return $self;
}


sub start {
    my ($self) = @_;

    my $socket = IO::Socket::INET->new(Proto => 'udp',
        LocalAddr => '127.0.0.1', LocalPort => $self->{port})
        or die "dns: $!";

    $self->{pid} = fork() // die "fork: $!";

    if ($self->{pid} == 0) {
        $self->serve($socket);
        POSIX::_exit(0);
    }

    return $self;
}


sub stop {
    my ($self) = @_;

    if ($self->{pid}) {
        kill 'KILL', $self->{pid};
        waitpid $self->{pid}, 0;
        $self->{pid} = 0;
    }
}


sub DESTROY {
    my ($self) = @_;

    local ($?, $!);
    $self->stop() if $self->{owner} == $$;
}


sub port { $_[0]->{port} }


sub set {
    my ($self, %names) = @_;

    $self->{zone}{$_} = $names{$_} for keys %names;
    $self->save();
}


# Atomic: the server reads it for each question.

sub save {
    my ($self) = @_;

    open my $fh, '>', "$self->{file}.new" or die $!;
    print $fh encode_json($self->{zone});
    close $fh or die $!;
    rename "$self->{file}.new", $self->{file} or die $!;
}


# How often a name was asked for.

sub asked {
    my ($self, $name) = @_;

    open my $fh, '<', $self->{log} or return 0;

    return scalar grep { $_ eq "$name\n" } <$fh>;
}


sub serve {
    my ($self, $socket) = @_;

    while (1) {
        next if !defined $socket->recv(my $query, 512);

        my ($name, $at) = ('', 12);

        while (my $len = ord substr $query, $at, 1) {
            $name .= '.' if length $name;
            $name .= substr $query, $at + 1, $len;
            $at += $len + 1;
        }

        open my $log, '>>', $self->{log} or die $!;
        syswrite $log, lc "$name\n";
        close $log;

        open my $fh, '<', $self->{file} or die $!;
        my $zone = decode_json(do { local $/; <$fh> });
        my $r = $zone->{lc $name};

        next if $r && $r->{silent};

        my ($type) = unpack 'n', substr $query, $at + 1, 2;

        $socket->send(answer($query, $at + 5, $type, $r));
    }
}


sub answer {
    my ($query, $end, $type, $r) = @_;

    my $id = substr $query, 0, 2;
    my $question = substr $query, 12, $end - 12;
    my $rcode = !$r ? 3 : $r->{rcode} // 0;
    my $ttl = $r->{ttl} // 1;
    my ($n, $body, $owner) = (0, '', "\xc0\x0c");

    for my $name (@{ $r->{cname} // [] }) {
        my $rdata = wire($name);
        $body .= $owner . pack('nnNn', 5, 1, $ttl, length $rdata) . $rdata;
        $owner = $rdata;
        $n++;
    }

    for my $a (map { @$_ } grep { defined } $type == 1 ? $r->{a}
        : $type == 28 ? $r->{aaaa} : ())
    {
        my $rdata = $type == 1 ? pack('C4', split /\./, $a)
            : Socket::inet_pton(Socket::AF_INET6(), $a);
        $body .= $owner . pack('nnNn', $type, 1, $ttl, length $rdata)
            . $rdata;
        $n++;
    }

    ($n, $body) = (0, '') if $rcode;

    return $id . pack('n5', 0x8180 | $rcode, 1, $n, 0, 0) . $question . $body;
}


sub wire { join('', map { chr(length) . $_ } split /\./, $_[0]) . "\0" }


1;
