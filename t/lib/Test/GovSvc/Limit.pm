package Test::GovSvc::Limit;

# Copyright (C) govsvc authors
#
# Limits of several nodes: a Redis server, gateways beside one another, load of
# a given shape on all of them, and the excess of what they admitted.

use strict;
use warnings;

use IO::Socket::INET;
use Test::GovSvc;
use Time::HiRes qw/sleep time/;


# A Redis server of the test; options as on its command line.

sub redis {
    my ($class, $t, @options) = @_;

    my $self = bless {
        t => $t,
        port => $t->take_port(),
        dir => $t->dir(),
        owner => $$,
    }, $class;

    $self->start(@options);

    return $self;
}


sub start {
    my ($self, @options) = @_;

    my $pid = fork();
    die "fork: $!" unless defined $pid;

    if ($pid == 0) {
        open STDOUT, '>>', "$self->{dir}/redis.log";
        open STDERR, '>&', \*STDOUT;
        chdir $self->{dir};
        exec 'redis-server', '--port', $self->{port}, '--bind', '127.0.0.1',
            '--save', '', '--appendonly', 'no', @options;
    }

    $self->{pid} = $pid;

    $self->{t}->wait_for(sub { $self->ask('PING') =~ /PONG|NOAUTH/ })
        or die "redis does not answer";
}


sub port { $_[0]->{port} }


sub signal {
    my ($self, $signal) = @_;

    kill $signal, $self->{pid};
    waitpid $self->{pid}, 0 if $signal eq 'KILL';
}


# One command; the bytes of the answer.

sub ask {
    my ($self, @words) = @_;

    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$self->{port}",
        Timeout => 2) or return '';
    my $text = '';

    print $s join '', '*' . @words . "\r\n",
        map { '$' . length($_) . "\r\n$_\r\n" } @words;
    print $s "*1\r\n\$4\r\nQUIT\r\n";
    shutdown $s, 1;

    while (sysread $s, my $part, 65536) {
        $text .= $part;
    }

    return $text;
}


# Commands of limits since the start.

sub commands {
    my ($self) = @_;

    my $n = 0;

    $n += $_ for $self->ask('INFO', 'commandstats')
        =~ /cmdstat_(?:zadd|zincrby|zscore|pexpire):calls=(\d+)/g;

    return $n;
}


sub DESTROY {
    my ($self) = @_;

    return if $self->{owner} != $$ || !$self->{pid};

    local $?;
    kill 'CONT', $self->{pid};
    kill 'KILL', $self->{pid};
    waitpid $self->{pid}, 0;
}


# Sends requests for a while.  $load->(node, seconds) is the rate for a node
# at a time.  Every 5 ms what is due is sent at once; answers are thrown away,
# for the log of a node tells what it admitted.  The seconds that it took and,
# in a list, those of them in which it was not held up itself.

sub run {
    my ($class, $nodes, $uri, $seconds, $load) = @_;

    my (@sockets, @due);
    my $start = time();
    my ($last, $active) = (0, 0);

    for my $i (0 .. $#$nodes) {
        $sockets[$i] = $nodes->[$i]->connect();
        $sockets[$i]->blocking(0);
        $due[$i] = 0;
    }

    my $request = "GET $uri HTTP/1.1\r\nHost: a\r\n\r\n";

    while ((my $now = time() - $start) < $seconds) {

        for my $i (0 .. $#$nodes) {
            $due[$i] += $load->($i, $now) * ($now - $last);
            my $n = int $due[$i];
            $n = 200 if $n > 200;
            $due[$i] -= int $due[$i];

            my $text = $request x $n;
            $sockets[$i]->blocking(1);
            syswrite $sockets[$i], $text if $n;
            $sockets[$i]->blocking(0);

            1 while sysread $sockets[$i], my $part, 1 << 20;
        }

        $active += $now - $last if $now - $last < 0.1;
        $last = $now;
        sleep 0.005;
    }

    # an answer to the last of them

    for my $s (@sockets) {
        $s->blocking(1);
        print $s "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        1 while sysread $s, my $part, 1 << 20;
        close $s;
    }

    my $took = time() - $start;
    return wantarray ? ($took, $active) : $took;
}


# Times of what the nodes admitted, from their logs.

sub admitted {
    my ($class, $nodes, $uri) = @_;

    my @times;

    for my $t (@$nodes) {
        push @times, map { /^(\S+) \Q$uri\E$/ ? $1 : () }
            split /\n/, $t->read_file('passed.log') // '';
    }

    return sort { $a <=> $b } @times;
}


# The most that any interval has beyond burst + rate * t.

sub excess {
    my ($class, $rate, $burst, @times) = @_;

    my ($level, $last, $most) = (0, 0, -$burst);

    for my $time (@times) {
        $level -= ($time - $last) * $rate;
        $level = 0 if $level < 0;
        $level += 1;
        $last = $time;
        $most = $level - $burst if $level - $burst > $most;
    }

    return $most;
}


1;
