package Test::GovSvc::SipHash;

# Copyright (C) govsvc authors
#
# SipHash-2-4 as the module has it, for files and keys that a test makes by
# itself:
#
#   siphash($key, $data);       # 8 bytes, of a key of 16
#   siphash($key, $data, 1);    # 16 bytes

use strict;
use warnings;
no warnings 'portable';

use Exporter qw/import/;

our @EXPORT_OK = qw/siphash/;


sub siphash {
    my ($key, $data, $long) = @_;

    my ($k0, $k1) = unpack('Q<2', $key);
    my @v = ($k0 ^ 0x736f6d6570736575, $k1 ^ 0x646f72616e646f6d,
        $k0 ^ 0x6c7967656e657261, $k1 ^ 0x7465646279746573);

    $v[1] ^= 0xee if $long;

    my $end = (length($data) & 0xff) << 56;
    my $full = length($data) & ~7;

    for my $m (unpack('Q<*', substr($data, 0, $full)),
        unpack('Q<', substr($data, $full) . "\0" x 8) | $end)
    {
        $v[3] ^= $m;
        rounds(\@v, 2);
        $v[0] ^= $m;
    }

    $v[2] ^= $long ? 0xee : 0xff;
    rounds(\@v, 4);

    my $low = $v[0] ^ $v[1] ^ $v[2] ^ $v[3];
    return pack('Q<', $low) unless $long;

    $v[1] ^= 0xdd;
    rounds(\@v, 4);

    return pack('Q<2', $low, $v[0] ^ $v[1] ^ $v[2] ^ $v[3]);
}

sub rotl {
    my ($x, $n) = @_;

    return (($x << $n) | ($x >> (64 - $n))) & ~0;
}

sub add {
    my ($x, $y) = @_;

    use integer;
    my $sum = $x + $y;
    no integer;

    return $sum & ~0;
}

sub rounds {
    my ($v, $n) = @_;

    for (1 .. $n) {
        $v->[0] = add($v->[0], $v->[1]);
        $v->[2] = add($v->[2], $v->[3]);
        $v->[1] = rotl($v->[1], 13) ^ $v->[0];
        $v->[3] = rotl($v->[3], 16) ^ $v->[2];
        $v->[0] = rotl($v->[0], 32);
        $v->[2] = add($v->[2], $v->[1]);
        $v->[0] = add($v->[0], $v->[3]);
        $v->[1] = rotl($v->[1], 17) ^ $v->[2];
        $v->[3] = rotl($v->[3], 21) ^ $v->[0];
        $v->[2] = rotl($v->[2], 32);
    }
}

1;
