package Test::GovSvc::OpenApi;

# Copyright (C) govsvc authors
#
# The OpenAPI document held against answers: as much of JSON Schema as the
# document uses.

use strict;
use warnings;

use JSON::PP;
use Test::More;


sub new {
    my ($class, $doc) = @_;

    return bless { doc => $doc }, $class;
}


# What a reference leads to.

sub deref {
    my ($self, $node) = @_;

    while (ref $node eq 'HASH' && defined $node->{'$ref'}) {
        my ($path) = $node->{'$ref'} =~ m{^#/(.*)};
        my $to = $self->{doc};
        $to = $to->{$_} for split m{/}, $path;
        die "$node->{'$ref'} leads nowhere" unless defined $to;
        $node = $to;
    }

    return $node;
}

sub kind {
    my ($v) = @_;

    return 'null' unless defined $v;
    return 'object' if ref $v eq 'HASH';
    return 'array' if ref $v eq 'ARRAY';
    return 'boolean' if JSON::PP::is_bool($v);
    return 'string' if encode_json([$v]) =~ /"/;
    return $v =~ /^-?\d+$/ ? 'integer' : 'number';
}

# What does not fit, undef if all does.

sub misfit {
    my ($self, $value, $schema, $at) = @_;

    $schema = $self->deref($schema);

    if ($schema->{anyOf}) {
        my @bad = map { $self->misfit($value, $_, $at) } @{$schema->{anyOf}};
        return (grep { !defined } @bad) ? undef : $bad[0];
    }

    my $kind = kind($value);
    my @types = ref $schema->{type} ? @{$schema->{type}}
        : grep { defined } $schema->{type};

    return "$at is $kind, not @types"
        if @types && !grep { $_ eq $kind
            || ($_ eq 'number' && $kind eq 'integer') } @types;
    return "$at is none of the values"
        if $schema->{enum} && !grep { $_ eq $value } @{$schema->{enum}};
    return "$at has not the form"
        if $schema->{pattern} && $value !~ /$schema->{pattern}/;

    if ($kind eq 'object') {
        for (@{$schema->{required} // []}) {
            return "$at/$_ is missing" unless exists $value->{$_};
        }

        for (sort keys %$value) {
            my $member = $schema->{properties}{$_};
            return "$at/$_ is not described"
                if !$member && exists $schema->{additionalProperties};
            my $bad = $member && $self->misfit($value->{$_}, $member, "$at/$_");
            return $bad if $bad;
        }

    } elsif ($kind eq 'array') {
        for my $i (0 .. $#$value) {
            my $bad = $self->misfit($value->[$i], $schema->{items},
                "$at/$i");
            return $bad if $bad;
        }
    }

    return undef;
}

# Two tests: the status is described, and what was answered fits.

sub fits {
    my ($self, $r, $path, $method, $name) = @_;

    my $responses = $self->{doc}{paths}{$path}{lc $method}{responses};
    my $response = $self->deref($responses->{$r->status}
        // $responses->{default});
    my ($type) = ($r->header('Content-Type') // '') =~ /^([^;\s]+)/;
    my $media = $response->{content}{$type // ''};

    ok($response && ($media || !$response->{content}), "$method $path: " . $r->status . " is described");

    is($media ? $self->misfit($r->json, $media->{schema}, '') : undef, undef,
        $name // "$method $path fits") or diag($r->raw);
}


1;
