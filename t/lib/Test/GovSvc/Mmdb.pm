package Test::GovSvc::Mmdb;

# Copyright (C) govsvc authors
#
# Databases of places and autonomous systems, made by MaxMind::DB::Writer.  A
# test that uses this is skipped where that is missing, but for CI.
#
#     mmdb_write($t->dir() . '/geo.mmdb', 'Test-City',
#         '203.0.113.0/26' => { place('CN', 'GD') },
#         '198.51.100.0/24' => { place('US'), system_number(64496) });

use strict;
use warnings;

use Exporter 'import';
use Test::More;

our @EXPORT = qw/mmdb_write place system_number/;

if (!eval { require MaxMind::DB::Writer::Tree }) {
    BAIL_OUT('MaxMind::DB::Writer is missing') if $ENV{CI};
    plan(skip_all => 'MaxMind::DB::Writer is missing');
}

my %types = (
    country => 'map',
    iso_code => 'utf8_string',
    subdivisions => [ 'array', 'map' ],
    autonomous_system_number => 'uint32',
    autonomous_system_organization => 'utf8_string',
);


sub mmdb_write {
    my ($path, $type, @entries) = @_;

    my $tree = MaxMind::DB::Writer::Tree->new(
        ip_version => 6, record_size => 24, database_type => $type,
        languages => ['en'], description => { en => 'test' },
        map_key_type_callback => sub { $types{$_[0]} },
        remove_reserved_networks => 0);

    while (my ($net, $record) = splice @entries, 0, 2) {
        $tree->insert_network($net, $record);
    }

    open my $fh, '>:raw', $path or die "$path: $!";
    $tree->write_tree($fh);
    close $fh or die "$path: $!";
}


# Parts of a record.

sub place {
    my ($country, $province) = @_;

    return (country => { iso_code => $country },
        $province ? (subdivisions => [ { iso_code => $province } ]) : ());
}


sub system_number {
    my ($number) = @_;

    return (autonomous_system_number => $number,
        autonomous_system_organization => "AS$number");
}


1;
