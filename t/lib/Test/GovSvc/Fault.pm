package Test::GovSvc::Fault;

# Copyright (C) govsvc authors
#
# What the module and the command built with t/fault/gs_fault.c share with a
# test: the points at which they are killed, how much a write() takes, and how
# far the wall clock is off.
#
#     my $fault = Test::GovSvc::Fault->new($t);       # before $t->run()
#     $fault->kill_at('thread_take', 3);              # at its third passing
#     $fault->kill_at('thread_take', 3, 'rescue_read');
#     $t->wait_for(sub { $fault->left() == 0 });
#     $fault->short(7);                               # bytes of a write()
#     $fault->clock(-3600);                           # seconds
#     my ($code) = $fault->command('audit', 'sealer', ...);
#
# Zeros, and the name '', are as ever.

use strict;
use warnings;

use FindBin;

# In the file: two points, "short" and "clock", each a name and a number.

use constant { NAME => 56, PLACE => 64, SHORT => 2, CLOCK => 3 };

my $BUILD = "$FindBin::Bin/../build/fault";


sub new {
    my ($class, $t) = @_;

    my $self = bless { t => $t,
        path => $t->write_file('fault', "\0" x (4 * PLACE)) }, $class;

    chmod 0666, $self->{path};
    $ENV{GOVSVC_FAULT} = $self->{path};
    $t->{module} = "$BUILD/ngx_govsvc_module.so";

    return $self;
}


# The first point at the passing of that number, and who goes on for the dead
# one at the first passing of the second.

sub kill_at {
    my ($self, $first, $count, $second) = @_;

    $self->put(0, $first, $count);
    $self->put(1, $second // '', defined $second ? 1 : 0);
}


# Passings till there is nobody to be killed any more.

sub left {
    my ($self) = @_;

    my (undef, $first, undef, $second) = unpack 'a56 Q< a56 Q<',
        $self->{t}->read_file('fault');

    return $first + $second;
}


sub short { $_[0]->put(SHORT, '', $_[1]) }
sub clock { $_[0]->put(CLOCK, '', $_[1]) }


sub put {
    my ($self, $place, $name, $number) = @_;

    open my $fh, '+<', $self->{path} or die "$self->{path}: $!";
    sysseek $fh, PLACE * $place, 0;
    syswrite $fh, pack 'a' . NAME, $name;
    syswrite $fh, pack 'q<', $number;
}


# The command govsvc, as command() of the test.

sub command {
    my ($self, @args) = @_;

    return $self->{t}->command("$BUILD/govsvc", @args);
}


1;
