#!/usr/bin/perl

# Copyright (C) govsvc authors

# Whatever things are called in the configuration, also by Nginx's own
# directives, a scrape is what Prometheus reads: a strict reader of the text
# takes every line of it, and promtool does.

use strict;
use warnings;
use utf8;

use Encode qw/decode encode_utf8 FB_CROAK LEAVE_SRC/;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::GovSvc;
use Test::GovSvc::Portal;


my $t = Test::GovSvc->new(workers => 2)->has('redis-server');
my $p = Test::GovSvc::Portal->new($t);
my $server = $p->server();

# bytes: those that are no UTF-8 are told as \xff

my @names = (map({ encode_utf8($_) } 'quote"s', 'back\\slash', '\\', '\\n',
    "two\nlines", "tab\tand\rreturn", 'a{b="c"} 7', '# HELP x y', ' ',
    '政务服务', '𠮷', 'l' x 200, '政' x 170, '"' x 512),
    "no\xff\xfeUTF-8", "cut\xe6\x94", "over\xc0\x80long", "\x80" x 512);
my @dropped = ('m' x 513, '"' x 1900);

sub written { return $_[0] =~ s/(["\\])/\\$1/gr }

sub seen {
    return decode('UTF-8', my $bytes = $_[0], sub {
        join '', map { sprintf '\\x%02x', $_ } @_ });
}

my $zones = join '', map { <<"EOF2" } map { written($_) } @names, @dropped;
    limit_req_zone "\$remote_addr" "zone=$_:64k" rate=1000r/s;
EOF2

my $stream = written('odd"\\{}#=,');

$t->http_conf($p->http() . <<"EOF2");
    govsvc_ban_zone      zone=bans:64k;
    govsvc_availability  %%DIR%%/state/availability.txt;
    govsvc_redis r { server 127.0.0.1:1; }
    govsvc_audit_redis r "stream=$stream";

    server {
        listen  127.0.0.1:%%PORT_0%%;
$server
        location / { proxy_pass http://platforms; }
        location = /metrics { govsvc_route off; govsvc_metrics; }
    }
EOF2

# (bytes, not to be encoded again)

open my $fh, '>>:raw', $t->dir() . '/http.conf' or die;
print $fh $zones;
close $fh;

$t->run();
$t->http_get('/44/') for 1 .. 5;
$t->http_get('/11/') for 1 .. 3;
$t->http_get('/none/');

my $r = $t->http_get('/metrics');

is($r->status, 200, 'a scrape') or diag($r->raw);

my ($families, $samples) = read_text($r->body);

is(join("\n", @{ $families->{wrong} }), '', 'each line is as it must be');
cmp_ok(scalar keys %$samples, '>', 200, keys(%$samples) . ' series');

for my $name (map { seen($_) } @names) {
    my $short = encode_utf8(length $name > 40 ? substr($name, 0, 40) . '...'
        : $name);

    is($samples->{join "\0", 'govsvc_shm_size_bytes', zone => $name}, 65536,
        'zone ' . $short =~ s/[\n\r\t]/ /gr);
}

is($samples->{govsvc_metrics_dropped}, 2 * @dropped,
    'names that are too long are counted');
ok(!(grep { /m{513}|"{600}/ } keys %$samples), 'and not told');
ok((grep { /\0feed\0.*odd"\\\{}#=,/ } keys %$samples), 'the name of a stream')
    or diag(encode_utf8(join "\n", grep { /feed/ } keys %$samples));

$t->write_file('metrics.txt', '');
open $fh, '>:raw', $t->dir() . '/metrics.txt' or die;
print $fh $r->body;
close $fh;

SKIP: {
    my $found = grep { -x "$_/promtool" } split /:/, $ENV{PATH};

    BAIL_OUT('promtool is missing') if $ENV{CI} && !$found;
    skip 'no promtool (Debian: prometheus)', 1 unless $found;

    my $said = `promtool check metrics < @{[$t->dir()]}/metrics.txt 2>&1`;
    is("$?: $said", '0: ', 'promtool takes it');
}

$t->done();


# The exposition format 0.0.4, as strictly as one can read it: families in one
# piece behind their HELP and TYPE, names, labels, escapes, numbers, no series
# twice, histograms that add up.

sub read_text {
    my ($bytes) = @_;

    my (%family, %samples, @wrong, $name, $type);
    my $text = eval { decode('UTF-8', $bytes, FB_CROAK | LEAVE_SRC) };

    unless (defined $text) {
        return ({ wrong => ['not UTF-8'] }, {});
    }

    push @wrong, 'no line at the end' unless $text =~ /\n\z/;

    my %kinds = (counter => 1, gauge => 1, histogram => 1);
    my $id = qr/[a-zA-Z_:][a-zA-Z0-9_:]*/;
    my $label = qr/[a-zA-Z_][a-zA-Z0-9_]*/;
    my $value = qr/(?:[^"\\\n]|\\["\\n])*/;

    for my $line (split /\n/, $text, -1) {
        my $short = encode_utf8(substr $line, 0, 200);

        if ($line =~ /^# HELP ($id) (?:[^\\]|\\[\\n])+\z/) {
            push @wrong, "again: $short" if $family{$1};
            ($name, $type) = ($1, undef);
            $family{$name} = { help => 1 };

        } elsif ($line =~ /^# TYPE ($id) (\w+)\z/) {
            push @wrong, "type: $short" if $1 ne ($name // '') || $type
                || !$kinds{$2};
            $type = $family{$1}{type} = $2;

        } elsif ($line =~ /^($id)(?:\{($label="$value"(?:,$label="$value")*)\})?[ ](\S+)\z/) {
            my ($series, $labels, $number) = ($1, $2 // '', $3);
            my $plain = ($type // '') eq 'histogram'
                ? $series =~ s/_(?:bucket|sum|count)\z//r : $series;
            my (@pairs, %seen);

            while ($labels =~ /\G,?($label)="($value)"/g) {
                my ($k, $v) = ($1, $2);
                push @wrong, "label twice: $short" if $seen{$k}++;
                $v =~ s/\\(.)/$1 eq 'n' ? "\n" : $1/ge;
                push @pairs, $k, $v;
            }

            push @wrong, "number: $short" if $number !~ /^(?:\d+(?:\.\d+)?)\z/;
            push @wrong, "family: $short" if !$type || $plain ne $name;
            push @wrong, "total: $short" if ($type // '') eq 'counter'
                && $series !~ /_total\z/;

            my $full = join "\0", $series, @pairs;
            push @wrong, "series twice: $short" if exists $samples{$full};
            $samples{$full} = $number;

        } elsif ($line ne '') {
            push @wrong, "line: $short";
        }
    }

    push @wrong, "no type: $_" for grep { !$family{$_}{type} } keys %family;

    # buckets only grow, the last one is the count

    my %last;

    for my $series (sort by_bound grep { /_bucket\0/ } keys %samples) {
        (my $of = $series) =~ s/\0le\0[^\0]*//;
        push @wrong, "bucket: $of"
            if $samples{$series} < ($last{$of} // 0);
        $last{$of} = $samples{$series};

        next unless $series =~ /\0le\0\+Inf/;
        (my $count = $of) =~ s/_bucket(?=\0|\z)/_count/;
        push @wrong, "count: $of"
            if ($samples{$count} // -1) != $samples{$series};
    }

    return ({ %family, wrong => \@wrong }, \%samples);
}


sub by_bound { return bound($a) <=> bound($b) }

sub bound { return $_[0] =~ /\0le\0(\d[^\0]*)/ ? $1 : 9**9**9 }
